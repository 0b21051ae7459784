//! When people work: opening hours in the centre's time zone, with holidays and moved days as data.

use crate::time::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// How far ahead [`Calendar::status`] looks for the next opening.
pub const OPENS_NEXT_LOOKAHEAD_DAYS_MAX: u32 = 370;

/// A stretch of one day, from its first moment to the one that it no longer holds. `to` at midnight means the day's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hours {
    from: Time,
    to: Time,
}

/// Why a stretch of hours was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the hours from {from} to {to} end before they begin; hours over midnight are written as two stretches")]
pub struct BackwardHours {
    from: Time,
    to: Time,
}

impl Hours {
    /// The whole day.
    pub const ALL_DAY: Self = Self { from: Time::midnight(), to: Time::midnight() };

    /// From and to; `to` at midnight means the day's end.
    ///
    /// # Errors
    /// Where they end before they begin.
    pub fn new(from: Time, to: Time) -> Result<Self, BackwardHours> {
        if to == Time::midnight() || from < to { Ok(Self { from, to }) } else { Err(BackwardHours { from, to }) }
    }

    /// The day and time of the first moment that it no longer holds.
    fn end_on(self, date: Date) -> (Date, Time) {
        if self.to == Time::midnight() { (date.tomorrow().unwrap_or(date), Time::midnight()) } else { (date, self.to) }
    }

    /// Its first moment.
    #[must_use]
    pub const fn from(self) -> Time {
        self.from
    }

    /// The moment at which it no longer holds; midnight is the day's end.
    #[must_use]
    pub const fn to(self) -> Time {
        self.to
    }

    fn contains(self, time: Time) -> bool {
        time >= self.from && (self.to == Time::midnight() || time < self.to)
    }
}

/// Weekly hours with exceptions by date.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// Monday first.
    week: [Vec<Hours>; 7],
    exceptions: BTreeMap<Date, Vec<Hours>>,
    manual: Option<ManualHours>,
}

/// A person's word against the calendar, up to a moment: "open till nine today", "closed at once".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ManualHours {
    /// Open, or closed.
    pub open: bool,
    /// From then on the calendar counts again.
    pub until: Timestamp,
}

/// Whether somebody works at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Somebody does.
    Open,
    /// Nobody does.
    Closed {
        /// The day and time at which somebody does again, if it is known.
        opens: Option<(Date, Time)>,
    },
}

impl Calendar {
    /// A calendar that is always open.
    #[must_use]
    pub fn always_open(zone: TimeZone) -> Self {
        Self::new(zone, std::array::from_fn(|_| vec![Hours::ALL_DAY]), BTreeMap::new())
    }

    /// From weekly hours, Monday first, and the dates that differ.
    #[must_use]
    pub fn new(zone: TimeZone, mut week: [Vec<Hours>; 7], mut exceptions: BTreeMap<Date, Vec<Hours>>) -> Self {
        for hours in week.iter_mut().chain(exceptions.values_mut()) {
            hours.sort_by_key(|stretch| stretch.from);
        }
        Self { zone, week, exceptions, manual: None }
    }

    /// The same with a person's word against it, or without one.
    #[must_use]
    pub fn with_manual(mut self, manual: Option<ManualHours>) -> Self {
        self.manual = manual;
        self
    }

    /// The person's word that counts at `now`.
    #[must_use]
    pub fn manual(&self, now: Timestamp) -> Option<ManualHours> {
        self.manual.filter(|manual| now < manual.until)
    }

    /// Whether it is open at `now`.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        match self.manual(now) {
            Some(manual) => manual.open,
            None => {
                let local = self.local(now);
                self.hours_on(local.date()).iter().any(|hours| hours.contains(local.time()))
            }
        }
    }

    /// The first moment from `now` on at which it is open: `now` itself where it is.
    #[must_use]
    pub fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_open(now) {
            return Some(now);
        }
        self.changes_at(now)
    }

    /// The next moment after `now` at which open becomes closed, or closed open; none within
    /// [`OPENS_NEXT_LOOKAHEAD_DAYS_MAX`] days.
    #[must_use]
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let open = self.is_open(now);
        let mut from = now;
        if let Some(manual) = self.manual(now) {
            if self.is_open(manual.until) != open {
                return Some(manual.until);
            }
            from = manual.until;
        }
        let mut day = self.local(from).date();
        for _ in 0..=OPENS_NEXT_LOOKAHEAD_DAYS_MAX {
            let edges = self.hours_on(day).iter().flat_map(|hours| [(day, hours.from), hours.end_on(day)]);
            let mut edges: Vec<_> = edges.map(|(day, time)| self.moment(day, time)).collect();
            edges.sort_unstable();
            if let Some(edge) = edges.into_iter().find(|edge| *edge > from && self.is_open(*edge) != open) {
                return Some(edge);
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        None
    }

    /// The moment at which a clock in this calendar's zone shows that day and time; where clocks skip it, the moment after
    /// the gap, and of two the first.
    #[must_use]
    pub fn moment(&self, date: Date, time: Time) -> Timestamp {
        let moment = self.zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible();
        let micros = moment.unwrap_or(jiff::Timestamp::MAX).as_microsecond();
        Timestamp::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// Whether it is open at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        if self.is_open(now) {
            return Status::Open;
        }
        if self.manual(now).is_some() {
            let opens = self.opens_at(now).map(|moment| self.local(moment));
            return Status::Closed { opens: opens.map(|local| (local.date(), local.time())) };
        }
        let local = self.local(now);
        let today = self.hours_on(local.date());
        if let Some(later) = today.iter().find(|hours| hours.from > local.time()) {
            return Status::Closed { opens: Some((local.date(), later.from)) };
        }
        let mut day = local.date();
        for _ in 0..OPENS_NEXT_LOOKAHEAD_DAYS_MAX {
            let Ok(next) = day.tomorrow() else { break };
            day = next;
            if let Some(first) = self.hours_on(day).first() {
                return Status::Closed { opens: Some((day, first.from)) };
            }
        }
        Status::Closed { opens: None }
    }

    /// The civil time at `now` in this calendar's zone.
    #[must_use]
    pub fn local(&self, now: Timestamp) -> jiff::civil::DateTime {
        let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        let moment = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
        self.zone.to_datetime(moment)
    }

    fn hours_on(&self, date: Date) -> &[Hours] {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.exceptions.get(&date).unwrap_or(&self.week[weekday])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn seven_hours_east() -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(7))
    }

    fn at(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_micros(moment.as_microsecond().try_into().unwrap())
    }

    fn day_shift() -> Calendar {
        let hours = Hours::new(time(6, 0, 0, 0), Time::midnight()).unwrap();
        let mut exceptions = BTreeMap::new();
        exceptions.insert(date(2026, 1, 1), vec![]);
        Calendar::new(seven_hours_east(), std::array::from_fn(|_| vec![hours]), exceptions)
    }

    #[test]
    fn night_is_closed_until_six() {
        let check = |moment: &str, expect: Status| assert_eq!(day_shift().status(at(moment)), expect, "{moment}");
        let opens = |d, t| Status::Closed { opens: Some((d, t)) };
        check("2026-05-05T02:30:00+07:00", opens(date(2026, 5, 5), time(6, 0, 0, 0)));
        check("2026-05-05T05:59:59+07:00", opens(date(2026, 5, 5), time(6, 0, 0, 0)));
        check("2026-05-05T06:00:00+07:00", Status::Open);
        check("2026-05-05T23:59:59+07:00", Status::Open);
        check("2026-01-01T12:00:00+07:00", opens(date(2026, 1, 2), time(6, 0, 0, 0)));
    }

    #[test]
    fn a_calendar_without_hours_never_opens() {
        let never = Calendar::new(seven_hours_east(), std::array::from_fn(|_| Vec::new()), BTreeMap::new());
        assert_eq!(never.status(at("2026-05-05T12:00:00+07:00")), Status::Closed { opens: None });
    }

    #[test]
    fn hours_must_run_forward() {
        assert!(Hours::new(time(18, 0, 0, 0), time(9, 0, 0, 0)).is_err());
        assert!(Hours::new(time(9, 0, 0, 0), time(9, 0, 0, 0)).is_err());
    }
}
