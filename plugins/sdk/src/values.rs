//! Dates, times and amounts: how data files and back ends write them.

use crate::bindings::gudok::ivr::types::{Date, Datetime, Money, TimeOfDay};

impl Date {
    /// Reads "2026-05-05"; none unless it is a day of the calendar.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let date = Self {
            year: number(parts.next()?, 4)?,
            month: u8::try_from(number(parts.next()?, 2)?).ok()?,
            day: u8::try_from(number(parts.next()?, 2)?).ok()?,
        };
        let valid = parts.next().is_none() && date.day >= 1 && date.day <= days_in(date.month, date.year);
        valid.then_some(date)
    }

    /// Days from this one to that one; below zero where that one lies before.
    #[must_use]
    pub fn days_until(&self, other: Self) -> i64 {
        other.number() - self.number()
    }

    /// The day after.
    #[must_use]
    pub fn next(&self) -> Self {
        match (self.month, self.day) {
            (month, day) if day < days_in(month, self.year) => Self { day: day + 1, ..*self },
            (12, _) => Self { year: self.year.saturating_add(1), month: 1, day: 1 },
            (month, _) => Self { month: month + 1, day: 1, ..*self },
        }
    }

    /// Counted through the calendar, in years that begin with March: then the leap day is the last of its year.
    fn number(self) -> i64 {
        let (year, month) = match self.month {
            1 | 2 => (i64::from(self.year) - 1, i64::from(self.month) + 9),
            month => (i64::from(self.year), i64::from(month) - 3),
        };
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + i64::from(self.day)
    }

    /// From 0 for Monday to 6 for Sunday.
    #[must_use]
    pub fn weekday(&self) -> u8 {
        // Zeller's congruence, with January and February counted to the year before.
        let (month, year) = match self.month {
            1 | 2 => (u32::from(self.month) + 12, u32::from(self.year) + 399),
            month => (u32::from(month), u32::from(self.year) + 400),
        };
        let from_saturday =
            (u32::from(self.day) + 13 * (month + 1) / 5 + year + year / 4 - year / 100 + year / 400) % 7;
        u8::try_from((from_saturday + 5) % 7).unwrap_or(0)
    }
}

impl TimeOfDay {
    /// Reads "08:30".
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute) = (number(hour, 2)?, number(minute, 2)?);
        (hour < 24 && minute < 60).then_some(())?;
        Some(Self { hour: u8::try_from(hour).ok()?, minute: u8::try_from(minute).ok()? })
    }

    /// Since midnight.
    #[must_use]
    pub fn minutes(&self) -> u16 {
        u16::from(self.hour) * 60 + u16::from(self.minute)
    }
}

impl Datetime {
    /// So many minutes later, by the same offset from UTC.
    #[must_use]
    pub fn in_minutes(&self, minutes: u32) -> Self {
        const DAY: u32 = 24 * 60;
        let total = u32::from(self.time.minutes()) + minutes;
        let date = (0..total / DAY).fold(self.date, |date, _| date.next());
        let of_day = total % DAY;
        let part = |value: u32| u8::try_from(value).unwrap_or(0);
        Self { date, time: TimeOfDay { hour: part(of_day / 60), minute: part(of_day % 60) }, ..*self }
    }
}

impl Money {
    /// So many kopecks.
    #[must_use]
    pub fn kopecks(minor_units: i64) -> Self {
        Self { minor_units, currency: "RUB".to_owned() }
    }
}

/// Exactly so many digits.
fn number(text: &str, digits: usize) -> Option<u16> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

const fn days_in(month: u8, year: u16) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_of_the_calendar() {
        for good in ["2026-05-05", "2024-02-29", "2000-02-29", "2026-12-31"] {
            assert!(Date::parse(good).is_some(), "{good}");
        }
        for bad in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "2026-4-01",
            "05.05.2026",
            "",
            "2026-05-05-01",
            "+026-05-05",
        ] {
            assert!(Date::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn weekdays_begin_with_monday() {
        for (day, expected) in [("2026-11-23", 0), ("2000-01-01", 5), ("2024-02-29", 3), ("2026-03-01", 6)] {
            assert_eq!(Date::parse(day).map(|date| date.weekday()), Some(expected), "{day}");
        }
    }

    #[test]
    fn days_are_counted_through_the_calendar() {
        let check = |from: &str, to: &str, expected: i64| {
            let days = Date::parse(from).zip(Date::parse(to)).map(|(from, to)| from.days_until(to));
            assert_eq!(days, Some(expected), "{from} {to}");
        };
        check("2026-11-26", "2026-12-01", 5);
        check("2026-12-01", "2026-11-26", -5);
        check("2026-12-31", "2027-01-01", 1);
        check("2024-02-28", "2024-03-01", 2);
        check("2026-02-28", "2026-03-01", 1);
        check("1900-02-28", "1900-03-01", 1);
        check("2000-01-01", "2026-01-01", 9_497);
        let mut date = Date { year: 2023, month: 12, day: 31 };
        let first = date;
        for days in 1..=800 {
            date = date.next();
            assert_eq!(first.days_until(date), days, "{date:?}");
        }
    }

    #[test]
    fn later_may_be_another_day() {
        let evening = Datetime {
            date: Date { year: 2026, month: 12, day: 31 },
            time: TimeOfDay { hour: 22, minute: 30 },
            utc_offset_minutes: 420,
        };
        let later = evening.in_minutes(120);
        assert_eq!((later.date, later.time.minutes()), (Date { year: 2027, month: 1, day: 1 }, 30));
        assert_eq!(evening.in_minutes(89).date, evening.date);
        assert_eq!(evening.in_minutes(3 * 1_440).date, Date { year: 2027, month: 1, day: 3 });
    }

    #[test]
    fn times_are_of_one_day() {
        assert_eq!(TimeOfDay::parse("08:30").map(|time| time.minutes()), Some(510));
        for bad in ["24:00", "8:30", "08:60", "0830", "08:30:00", ""] {
            assert!(TimeOfDay::parse(bad).is_none(), "{bad}");
        }
    }
}
