//! When somebody may be called: the window in the contact's own zones, without holidays; and which day it is there.

use super::settings::{CallWindow, CampaignsSettings, ZoneNo, ZoneRule};
use crate::calendar::Calendar;
use crate::time::Timestamp;
use jiff::tz::TimeZone;
use std::time::Duration;

/// A window that does not change for so long is looked at again then: calendars look no further ahead than a year.
const LOOK_AGAIN_AFTER: Duration = Duration::from_hours(24 * 360);
/// Changes of single zones that are gone through until all of them agree: some two weeks of two zones. Hours that never
/// meet are looked at again then.
const CHANGES_MAX: usize = 64;
const DAY_S: i64 = 24 * 60 * 60;

/// The hours of everybody who is in the same zones and has the same window.
#[derive(Clone, Debug)]
pub(super) struct Hours {
    rule: Rule,
    /// It is so …
    open: bool,
    /// … from then on …
    from: Timestamp,
    /// … and up to then.
    until: Timestamp,
}

#[derive(Clone, Debug)]
enum Rule {
    Always,
    Never,
    /// Open where all of them are.
    All(Vec<Calendar>),
}

impl Hours {
    pub(super) fn always() -> Self {
        Self::of(Rule::Always)
    }

    /// Of a zone that the settings do not have, or a window that the campaign does not have: whoever is not known to be
    /// awake is not called.
    pub(super) fn never() -> Self {
        Self::of(Rule::Never)
    }

    pub(super) fn new(window: &CallWindow, zone: &ZoneRule, shared: &CampaignsSettings) -> Self {
        if zone.zones.is_empty() {
            return Self::never();
        }
        let mut exceptions = window.exceptions.clone();
        exceptions.extend(shared.holidays.iter().map(|date| (*date, Vec::new())));
        let calendar = |zone: &TimeZone| Calendar::new(zone.clone(), window.week.clone(), exceptions.clone());
        Self::of(Rule::All(zone.zones.iter().map(calendar).collect()))
    }

    const fn of(rule: Rule) -> Self {
        let never = Timestamp::from_micros(0);
        Self { rule, open: false, from: never, until: never }
    }

    /// Whether it is open at `now`, whichever way the clock went since the last look.
    pub(super) fn is_open(&mut self, now: Timestamp) -> bool {
        if now < self.from || self.until <= now {
            self.look(now);
        }
        self.open
    }

    /// The next moment after `now` at which it may be otherwise.
    pub(super) fn changes_at(&mut self, now: Timestamp) -> Timestamp {
        self.is_open(now);
        self.until
    }

    /// It opens then; none where that lies farther ahead than is looked. `now` where it is open.
    pub(super) fn opens_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.is_open(now) {
            return Some(now);
        }
        let at = self.until;
        open_at(&self.rule, at).then_some(at)
    }

    /// Whether it is open at `now`, and when that may be otherwise; without keeping what was seen.
    pub(super) fn seen_at(&self, now: Timestamp) -> (bool, Timestamp) {
        if self.from <= now && now < self.until { (self.open, self.until) } else { look(&self.rule, now) }
    }

    /// It opens then, the same way.
    pub(super) fn seen_opening(&self, now: Timestamp) -> Option<Timestamp> {
        match self.seen_at(now) {
            (true, _) => Some(now),
            (false, until) => open_at(&self.rule, until).then_some(until),
        }
    }

    fn look(&mut self, now: Timestamp) {
        self.from = now;
        (self.open, self.until) = look(&self.rule, now);
    }
}

fn look(rule: &Rule, now: Timestamp) -> (bool, Timestamp) {
    let open = open_at(rule, now);
    let Rule::All(calendars) = rule else { return (open, now + LOOK_AGAIN_AFTER) };
    let mut at = now;
    for _ in 0..CHANGES_MAX {
        let Some(next) = calendars.iter().filter_map(|calendar| calendar.changes_at(at)).min() else {
            return (open, now + LOOK_AGAIN_AFTER);
        };
        if open_at(rule, next) != open {
            return (open, next);
        }
        at = next;
    }
    // Too many changes without an agreement: what is sure is said, and it is looked at again there.
    (open, at)
}

fn open_at(rule: &Rule, at: Timestamp) -> bool {
    match rule {
        Rule::Always => true,
        Rule::Never => false,
        Rule::All(calendars) => calendars.iter().all(|calendar| calendar.is_open(at)),
    }
}

/// The day in a contact's zone, in days since the Unix epoch: the first one's, where it is in several.
pub(super) fn day_in(shared: &CampaignsSettings, zone: ZoneNo, now: Timestamp) -> u16 {
    let moment = moment(now);
    let offset = first_zone(shared, zone).map_or(0, |zone| i64::from(zone.to_offset(moment).seconds()));
    let day = moment.as_second().saturating_add(offset).div_euclid(DAY_S);
    u16::try_from(day.max(0)).unwrap_or(u16::MAX)
}

/// The moment at which the day in a contact's zone is another.
pub(super) fn next_day_in(shared: &CampaignsSettings, zone: ZoneNo, now: Timestamp) -> Timestamp {
    let utc = TimeZone::UTC;
    let zone = first_zone(shared, zone).unwrap_or(&utc);
    let begins = moment(now).to_zoned(zone.clone()).tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
    let Ok(begins) = begins else { return now + Duration::from_hours(24) };
    let micros = u64::try_from(begins.timestamp().as_microsecond()).unwrap_or(0);
    Timestamp::from_micros(micros).max(now + Duration::from_secs(1))
}

fn first_zone(shared: &CampaignsSettings, zone: ZoneNo) -> Option<&TimeZone> {
    shared.zones.get(usize::from(zone.0)).and_then(|rule| rule.zones.first())
}

fn moment(now: Timestamp) -> jiff::Timestamp {
    let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX)
}
