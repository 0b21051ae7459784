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
        Self { zone, week, exceptions }
    }

    /// Whether it is open at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        let local = self.local(now);
        let today = self.hours_on(local.date());
        if today.iter().any(|hours| hours.contains(local.time())) {
            return Status::Open;
        }
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
