//! Whether somebody is tried again after a disposition, and when.

use super::contact::{Disposition, Spent};
use super::dice::Dice;
use super::settings::{CampaignSettings, RetryRule};
use crate::time::Timestamp;
use std::time::Duration;

/// Nobody is dialled again sooner where a callee, a script or a failure asks for it.
pub(super) const AGAIN_AFTER_MIN: Duration = Duration::from_secs(60);
/// Nor, whatever a rule says, sooner than that.
const RULE_AFTER_MIN: Duration = Duration::from_secs(1);
/// A call that was ordered and not begun (a drain, say) is not ordered again sooner.
const NOT_DIALLED_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Without a rule for it, somebody whom no way out led to is tried again after a minute, then two, up to an hour …
const UNAVAILABLE_AGAIN_AFTER_MAX: Duration = Duration::from_hours(1);
/// … so often in a row.
const UNAVAILABLE_IN_A_ROW_MAX: u8 = 50;
/// Doublings: more lead beyond the longest wait anyway.
const DOUBLINGS_MAX: u8 = 10;

/// What becomes of a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Tried again, not before then.
    Wait(Option<Timestamp>),
    /// The end.
    Done,
}

/// Writes down in `spent` what an attempt came to; `day` is the contact's own.
pub(super) fn spend(spent: &mut Spent, disposition: &Disposition, counts: bool, day: u16) {
    if counts {
        spent.attempts = spent.attempts.saturating_add(1);
        // After a clock that went back, the later day counts on.
        if spent.day < day {
            (spent.day, spent.today) = (day, 0);
        }
        spent.today = spent.today.saturating_add(1);
    }
    if matches!(disposition, Disposition::NotDialled | Disposition::Expired) {
        return;
    }
    let kind = Some(disposition.kind());
    spent.in_a_row = if spent.last == kind { spent.in_a_row.saturating_add(1) } else { 1 };
    spent.last = kind;
}

/// Attempts on that day of the contact's.
pub(super) const fn today(spent: &Spent, day: u16) -> u8 {
    if spent.day >= day { spent.today } else { 0 }
}

/// What the rules say, once [`spend`] was.
pub(super) fn next(
    settings: &CampaignSettings,
    spent: &Spent,
    disposition: &Disposition,
    dice: &mut Dice,
    now: Timestamp,
) -> Next {
    let rule = settings.retries.rule(disposition);
    let next = match disposition {
        Disposition::Confirmed(_)
        | Disposition::Declined
        | Disposition::DoNotCall
        | Disposition::Skipped(_)
        | Disposition::OptedOut
        | Disposition::Cancelled => Next::Done,
        Disposition::Delivered if !settings.confirm => Next::Done,
        Disposition::NotDialled => Next::Wait(Some(now + NOT_DIALLED_AGAIN_AFTER)),
        Disposition::Expired => Next::Wait(None),
        // The callee's own wish: it needs no rule, and a rule limits it.
        Disposition::RetryAt(at) if rule.is_none_or(|rule| spent.in_a_row <= rule.attempts_max) => {
            Next::Wait(Some((*at).max(now + AGAIN_AFTER_MIN)))
        }
        Disposition::Unavailable if rule.is_none() && spent.in_a_row <= UNAVAILABLE_IN_A_ROW_MAX => {
            let doubled = AGAIN_AFTER_MIN * (1 << spent.in_a_row.saturating_sub(1).min(DOUBLINGS_MAX));
            Next::Wait(Some(now + doubled.min(UNAVAILABLE_AGAIN_AFTER_MAX)))
        }
        _ => by_rule(rule, spent, dice, now),
    };
    if spent.attempts >= attempts_max(settings) { Next::Done } else { next }
}

fn by_rule(rule: Option<RetryRule>, spent: &Spent, dice: &mut Dice, now: Timestamp) -> Next {
    match rule {
        Some(rule) if spent.in_a_row <= rule.attempts_max => {
            let after = rule.after.max(RULE_AFTER_MIN) + dice.up_to(rule.jitter);
            Next::Wait(Some(now + after))
        }
        _ => Next::Done,
    }
}

/// At least one: a campaign that tries nobody is none.
pub(super) fn attempts_max(settings: &CampaignSettings) -> u8 {
    settings.retries.attempts_max.max(1)
}

/// At least one.
pub(super) fn attempts_per_day_max(settings: &CampaignSettings) -> u8 {
    settings.retries.attempts_per_day_max.max(1)
}
