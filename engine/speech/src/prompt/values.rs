//! Days, times and whole numbers as they stand in JSON.

use std::fmt;

use jiff::civil;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::shortened;

/// A day of the Gregorian calendar, years 1 to 9999. In JSON `"2026-05-05"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(civil::Date);

impl Date {
    /// A day that exists, or nothing.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let date = civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        date.ok().filter(|_| year > 0).map(Self)
    }

    /// 1 to 9999.
    #[must_use]
    pub fn year(self) -> i64 {
        i64::from(self.0.year())
    }

    /// 1 to 12.
    #[must_use]
    pub fn month(self) -> usize {
        usize::try_from(self.0.month()).unwrap_or(1)
    }

    /// 1 to 31.
    #[must_use]
    pub fn day(self) -> i64 {
        i64::from(self.0.day())
    }

    /// 0 is Monday, 6 is Sunday.
    #[must_use]
    pub fn days_from_monday(self) -> usize {
        usize::try_from(self.0.weekday().to_monday_zero_offset()).unwrap_or(0)
    }
}

impl TryFrom<String> for Date {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let date = text.parse::<civil::Date>().ok().filter(|date| text.len() == 10 && date.year() > 0);
        date.map(Self).ok_or_else(|| {
            format!("`{}` is no day of the calendar: write year-month-day, such as \"2026-05-05\"", shortened(&text))
        })
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.0.to_string()
    }
}

/// A time of day, to the minute. In JSON `"08:30"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

impl TimeOfDay {
    /// A time that exists, or nothing. 24:00 is the next day's 00:00.
    #[must_use]
    pub fn new(hour: u8, minute: u8) -> Option<Self> {
        (hour < 24 && minute < 60).then_some(Self { hour, minute })
    }

    /// 0 to 23.
    #[must_use]
    pub fn hour(self) -> u8 {
        self.hour
    }

    /// 0 to 59.
    #[must_use]
    pub fn minute(self) -> u8 {
        self.minute
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2);
        let time = parts.and_then(|(hour, minute)| Self::new(hour.parse().ok()?, minute.parse().ok()?));
        time.ok_or_else(|| {
            format!("`{}` is no time of day: write hours and minutes, \"00:00\" to \"23:59\"", shortened(&text))
        })
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        format!("{:02}:{:02}", time.hour, time.minute)
    }
}

/// A whole number. JSON readers take `-0` for a fraction; here it is zero.
pub(crate) fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Whole;
    impl Visitor<'_> for Whole {
        type Value = i64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number between -2^63 and 2^63 - 1 (a fraction is a `decimal` segment)")
        }
        fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
            Ok(value)
        }
        fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
            i64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
        }
        fn visit_f64<E: de::Error>(self, value: f64) -> Result<i64, E> {
            if value == 0.0 && value.is_sign_negative() {
                return Ok(0);
            }
            Err(E::invalid_type(de::Unexpected::Float(value), &self))
        }
    }
    deserializer.deserialize_any(Whole)
}
