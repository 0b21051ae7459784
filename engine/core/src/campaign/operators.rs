//! Operators for those who answer: how many telephones may ring for one, and what it comes to where too many do.

use super::settings::CampaignMode;
use super::shares::QueueUse;
use crate::time::Timestamp;
use std::collections::VecDeque;

const TENTHS: u64 = 10;
const PERMILLE: u64 = 1_000;

/// Those who answered in the last [`CampaignMode::ABANDON_WINDOW`], and those of them who got no operator in time.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// By minute: which, answered, abandoned.
    minutes: VecDeque<(u64, u64, u64)>,
}

impl Answers {
    /// A call that somebody answered is over.
    pub(super) fn count(&mut self, abandoned: bool, now: Timestamp) {
        let minute = minute(now);
        self.minutes.retain(|(at, _, _)| in_window(*at, minute));
        if self.minutes.back().is_none_or(|(at, _, _)| *at != minute) {
            self.minutes.push_back((minute, 0, 0));
        }
        if let Some((_, answered, lost)) = self.minutes.back_mut() {
            *answered += 1;
            *lost += u64::from(abandoned);
        }
    }

    /// Answered, and abandoned.
    fn sums(&self, now: Timestamp) -> (u64, u64) {
        let minute = minute(now);
        let recent = self.minutes.iter().filter(|(at, _, _)| in_window(*at, minute));
        recent.fold((0, 0), |(answered, lost), (_, more, more_lost)| (answered + more, lost + more_lost))
    }

    pub(super) fn abandoned_permille(&self, now: Timestamp) -> Option<u16> {
        let (answered, lost) = self.sums(now);
        let permille = (lost * PERMILLE).checked_div(answered)?;
        Some(u16::try_from(permille).unwrap_or(u16::MAX))
    }

    /// Whether the limit would hold even if so many more answered at once, and nobody was there for any of them.
    fn would_bear(&self, more: u64, permille_max: u16, now: Timestamp) -> bool {
        let (answered, lost) = self.sums(now);
        (lost + more) * PERMILLE <= u64::from(permille_max) * (answered + more)
    }
}

/// Whether so many lines may be claimed for one queue's operators.
///
/// One a free operator always may. More, up to the mode's lines an operator, only as long as the limit of abandoned calls
/// would hold if all the extra ones were: so it is kept before it is passed, and a campaign that has called nobody yet
/// begins with one line an operator.
pub(super) fn may_hold(lines: u32, of: &QueueUse, mode: &CampaignMode, answers: &Answers, now: Timestamp) -> bool {
    let CampaignMode::Operators { abandoned_permille_max, lines_per_operator_tenths_max, .. } = mode else {
        return true;
    };
    let (lines, free) = (u64::from(lines), u64::from(of.free()));
    if lines <= free {
        return true;
    }
    let most = free * u64::from(*lines_per_operator_tenths_max) / TENTHS;
    lines <= most && answers.would_bear(lines - free, *abandoned_permille_max, now)
}

const fn minute(now: Timestamp) -> u64 {
    now.as_millis() / 60_000
}

fn in_window(at: u64, now: u64) -> bool {
    at <= now && now - at < CampaignMode::ABANDON_WINDOW.as_secs() / 60
}
