//! One contact as it is seen from outside: how often it was called, when it may be called next, and whether it may at all.

use crate::campaigns::numbers::Number;
use gudok_core::campaign::{CampaignSettings, ContactSeed, ContactState, Disposition, Spent, UnknownRule, Urgency};
use gudok_core::time::Timestamp;
use std::sync::Arc;

/// A contact.
#[derive(Clone, Copy, Debug)]
pub(super) struct WatchedContact {
    pub(super) number: Number,
    pub(super) not_before: Timestamp,
    pub(super) zone: u16,
    pub(super) claims: u16,
    /// The claim that a crash cut off last.
    pub(super) cut_off: u16,
    pub(super) day: u16,
    pub(super) window: Option<u8>,
    pub(super) stands: Stands,
    pub(super) counted: u8,
    pub(super) today: u8,
    /// The last disposition and how often it came in a row: of all attempts, and of those that counted.
    last: [u8; 2],
    in_a_row: [u8; 2],
    /// Attempts that a person allowed beyond the limit.
    pub(super) allowed: u8,
}

/// What may become of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stands {
    Free,
    Claimed,
    /// A crash cut it off.
    CutOff,
    Over,
}

impl WatchedContact {
    pub(super) const fn new(number: Number, seed: &ContactSeed) -> Self {
        Self {
            number,
            not_before: Timestamp::from_micros(0),
            zone: seed.zone.0,
            claims: 0,
            cut_off: 0,
            day: 0,
            window: seed.window,
            stands: Stands::Free,
            counted: 0,
            today: 0,
            last: [u8::MAX; 2],
            in_a_row: [0; 2],
            allowed: 0,
        }
    }

    /// One more disposition.
    pub(super) fn comes_to(&mut self, disposition: &Disposition) {
        let kind = disposition.kind();
        for (of, takes_part) in [(0, true), (1, disposition.counts())] {
            if takes_part {
                let same = self.last[of] == kind;
                self.in_a_row[of] = if same { self.in_a_row[of].saturating_add(1) } else { 1 };
                self.last[of] = kind;
            }
        }
    }

    /// One more dial, on that day of its own.
    pub(super) fn is_dialled(&mut self, both: &[Arc<CampaignSettings>], today: u16) -> Result<(), String> {
        let emergency = both.iter().any(|settings| matches!(settings.urgency, Urgency::Emergency { .. }));
        let most = |pick: fn(&CampaignSettings) -> u8| both.iter().map(|settings| pick(settings)).max().unwrap_or(0);
        self.counted = self.counted.saturating_add(1);
        (self.today, self.day) = (if self.day == today { self.today + 1 } else { 1 }, today);
        let in_all = most(|settings| settings.retries.attempts_max).saturating_add(self.allowed);
        if self.counted > in_all {
            return Err(format!("is dialled for the {}th time, of {in_all}", self.counted));
        }
        let a_day = most(|settings| settings.retries.attempts_per_day_max);
        if !emergency && a_day > 0 && self.today > a_day {
            return Err(format!("is dialled for the {}th time today, of {a_day}", self.today));
        }
        Ok(())
    }

    /// What a crash cut off goes on as the rule says, and never silently.
    pub(super) fn after_crash(
        &mut self,
        settings: &CampaignSettings,
        state: &ContactState,
        spent: &Spent,
    ) -> Result<(), String> {
        match state {
            ContactState::Unknown { .. } => {}
            ContactState::Done { .. } => self.stands = Stands::Over,
            ContactState::Waiting { not_before } if settings.unknown == UnknownRule::TakeForUnanswered => {
                self.stands = Stands::Free;
                self.not_before = not_before.unwrap_or_default();
                (self.last, self.in_a_row) = ([spent.last.unwrap_or(u8::MAX); 2], [spent.in_a_row; 2]);
            }
            ContactState::Waiting { .. } | ContactState::Claimed { .. } => {
                return Err(format!("was cut off by a crash, and goes silently to {state:?}"));
            }
        }
        Ok(())
    }

    /// After an end: whoever may be tried again is, and nobody else.
    pub(super) fn goes_on(
        &mut self,
        both: &[Arc<CampaignSettings>; 2],
        disposition: &Disposition,
        state: &ContactState,
        ended: Timestamp,
        now: Timestamp,
    ) -> Result<(), String> {
        // A failure of the trunk between two of a kind may break their row, or may not: both are as the rules say.
        let least = self.in_a_row[0].min(self.in_a_row[1]);
        let most = self.in_a_row[0].max(self.in_a_row[1]);
        let may = |settings: &Arc<CampaignSettings>, allowed: u8, in_a_row: u8| {
            let rule = settings.retries.rule(disposition);
            let attempts_left = self.counted < settings.retries.attempts_max.saturating_add(allowed);
            let fits = attempts_left && rule.is_some_and(|rule| in_a_row <= rule.attempts_max);
            fits.then_some(rule).flatten()
        };
        match state {
            ContactState::Waiting { not_before } => {
                self.stands = Stands::Free;
                self.not_before = not_before.unwrap_or_default();
                if !disposition.counts() {
                    return Ok(());
                }
                let after =
                    both.iter().filter_map(|settings| may(settings, self.allowed, least)).map(|rule| rule.after).min();
                let earliest = match (disposition, after) {
                    (Disposition::RetryAt(at), _) => *at,
                    (_, Some(after)) => ended + after,
                    (_, None) => return Err(format!("is tried again after {disposition:?}, against the rules")),
                };
                // As long as the wall clock was not set meanwhile.
                if self.not_before < earliest && ended <= now {
                    return Err(format!("is tried again {:?} too early", earliest.since(self.not_before)));
                }
            }
            ContactState::Done { .. } => {
                self.stands = Stands::Over;
                let late = both.iter().any(|settings| settings.deadline.is_some_and(|deadline| now >= deadline));
                let owed = both.iter().all(|settings| may(settings, 0, most).is_some());
                if owed && disposition.counts() && !late {
                    return Err(format!("is given up after {disposition:?}, against the rules"));
                }
            }
            ContactState::Claimed { .. } | ContactState::Unknown { .. } => {
                return Err(format!("stands at {state:?} after its end"));
            }
        }
        Ok(())
    }
}
