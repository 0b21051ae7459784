//! Opening hours as people write them in a table: `mon-fri 09:00-18:00; sat 10:00-14:00; 2026-05-09 closed`.
//!
//! Parts are separated by semicolons; a part names days, then stretches separated by commas, or "closed". A later part
//! replaces an earlier one for its days. Days may be English or Russian.

use crate::calendar::{Calendar, Hours};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Stretches of one day.
const STRETCHES_MAX: usize = 8;
/// Days that differ.
const EXCEPTIONS_MAX: usize = 400;

/// Monday first, in the languages in which tables are written.
const DAYS: [[&str; 2]; 7] =
    [["mon", "пн"], ["tue", "вт"], ["wed", "ср"], ["thu", "чт"], ["fri", "пт"], ["sat", "сб"], ["sun", "вс"]];
const DAILY: [&str; 2] = ["daily", "ежедневно"];
const CLOSED: [&str; 3] = ["closed", "закрыто", "выходной"];
const ALL_DAY: [&str; 2] = ["24/7", "круглосуточно"];

/// Opening hours, with the text that they were read from.
#[derive(Clone, Debug)]
pub struct OpeningHours {
    text: Arc<str>,
    week: [Vec<Hours>; 7],
    exceptions: BTreeMap<Date, Vec<Hours>>,
}

impl PartialEq for OpeningHours {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for OpeningHours {}

impl fmt::Display for OpeningHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is wrong with opening hours.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{part:?} {problem}; write days and times like \"mon-fri 09:00-18:00; sat 10:00-14:00; 2026-05-09 closed\"")]
pub struct BadHours {
    /// The part that is not understood.
    pub part: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl OpeningHours {
    /// Reads them.
    ///
    /// # Errors
    /// The first part that is not understood.
    pub fn parse(text: &str) -> Result<Self, BadHours> {
        let mut hours = Self {
            text: Arc::from(text.trim()),
            week: std::array::from_fn(|_| Vec::new()),
            exceptions: BTreeMap::new(),
        };
        let parts: Vec<&str> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
        let nothing = || BadHours { part: text.to_owned(), problem: "says nothing" };
        parts.first().ok_or_else(nothing)?;
        for part in parts {
            hours.take(part)?;
        }
        Ok(hours)
    }

    /// The usual week, Monday first.
    #[must_use]
    pub const fn week(&self) -> &[Vec<Hours>; 7] {
        &self.week
    }

    /// Dates with other hours.
    #[must_use]
    pub const fn exceptions(&self) -> &BTreeMap<Date, Vec<Hours>> {
        &self.exceptions
    }

    /// As a calendar of a time zone.
    #[must_use]
    pub fn calendar(&self, zone: TimeZone) -> Calendar {
        Calendar::new(zone, self.week.clone(), self.exceptions.clone())
    }

    fn take(&mut self, part: &str) -> Result<(), BadHours> {
        let bad = |problem| BadHours { part: part.to_owned(), problem };
        if ALL_DAY.contains(&part.to_lowercase().as_str()) {
            self.week = std::array::from_fn(|_| vec![Hours::ALL_DAY]);
            return Ok(());
        }
        let (days, times) = part.split_once(char::is_whitespace).ok_or_else(|| bad("has no times"))?;
        let stretches = stretches(times).map_err(bad)?;
        if let Ok(date) = days.parse::<Date>() {
            if self.exceptions.len() >= EXCEPTIONS_MAX {
                return Err(bad("is one day too many that differs"));
            }
            self.exceptions.insert(date, stretches);
            return Ok(());
        }
        for day in week_days(days).map_err(bad)? {
            self.week[day].clone_from(&stretches);
        }
        Ok(())
    }
}

fn stretches(times: &str) -> Result<Vec<Hours>, &'static str> {
    let times = times.trim().to_lowercase();
    if CLOSED.contains(&times.as_str()) {
        return Ok(Vec::new());
    }
    let all: Vec<Hours> = times.split(',').map(|stretch| one_stretch(stretch.trim())).collect::<Result<_, _>>()?;
    if all.len() > STRETCHES_MAX { Err("has too many stretches") } else { Ok(all) }
}

fn one_stretch(stretch: &str) -> Result<Hours, &'static str> {
    let (from, to) = stretch.split_once(['-', '–', '—']).ok_or("has a time that is not \"09:00-18:00\"")?;
    let (from, to) = (time(from.trim())?, time(to.trim())?);
    Hours::new(from, to).map_err(|_| "ends before it begins; hours over midnight are written as two days")
}

fn time(text: &str) -> Result<Time, &'static str> {
    const WRONG: &str = "has a time that is not between 00:00 and 24:00";
    let (hour, minute) = text.split_once(':').ok_or(WRONG)?;
    let (hour, minute): (i8, i8) = (hour.parse().map_err(|_| WRONG)?, minute.parse().map_err(|_| WRONG)?);
    if (hour, minute) == (24, 0) { Ok(Time::midnight()) } else { Time::new(hour, minute, 0, 0).map_err(|_| WRONG) }
}

fn week_days(text: &str) -> Result<Vec<usize>, &'static str> {
    const WRONG: &str = "has a day that is not known";
    let text = text.to_lowercase();
    if DAILY.contains(&text.as_str()) {
        return Ok((0..7).collect());
    }
    let one = |name: &str| DAYS.iter().position(|names| names.contains(&name)).ok_or(WRONG);
    let mut days = Vec::new();
    for range in text.split(',') {
        match range.trim().split_once(['-', '–', '—']) {
            None => days.push(one(range.trim())?),
            Some((from, to)) => {
                let (from, to) = (one(from.trim())?, one(to.trim())?);
                // Over the weekend too: "sat-mon".
                days.extend((0..=(to + 7 - from) % 7).map(|step| (from + step) % 7));
            }
        }
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Status;
    use crate::time::Timestamp;

    fn open(text: &str, at: &str) -> bool {
        let zone = TimeZone::fixed(jiff::tz::offset(7));
        let moment: jiff::Timestamp = at.parse().unwrap();
        let now = Timestamp::from_micros(moment.as_microsecond().try_into().unwrap());
        OpeningHours::parse(text).unwrap().calendar(zone).status(now) == Status::Open
    }

    #[test]
    fn hours_of_an_office_are_understood_in_both_languages() {
        // 2026-05-04 is a Monday.
        for text in [
            "mon-fri 09:00-13:00, 14:00-18:00; sat 10:00-14:00; 2026-05-05 closed",
            "пн–пт 09:00-13:00,14:00–18:00; Сб 10:00-14:00; 2026-05-05 закрыто;",
        ] {
            let check = |at: &str, expect: bool| assert_eq!(open(text, at), expect, "{text} {at}");
            check("2026-05-04T09:00:00+07:00", true);
            check("2026-05-04T13:30:00+07:00", false);
            check("2026-05-04T18:00:00+07:00", false);
            check("2026-05-05T10:00:00+07:00", false);
            check("2026-05-09T10:00:00+07:00", true);
            check("2026-05-10T10:00:00+07:00", false);
        }
        assert!(
            open("24/7", "2026-05-10T03:00:00+07:00") && open("ежедневно 00:00-24:00", "2026-05-10T23:59:00+07:00")
        );
        assert!(open("sat-mon 08:00-09:00", "2026-05-04T08:30:00+07:00"));
        assert!(!open("sat-mon 08:00-09:00", "2026-05-05T08:30:00+07:00"));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let check = |text: &str, part: &str, problem: &str| {
            let error = OpeningHours::parse(text).unwrap_err();
            assert!(error.part == part && error.problem.contains(problem), "{error}");
        };
        check("", "", "says nothing");
        check("mon-fri", "mon-fri", "no times");
        check("mon 09:00-18:00; fry 09:00-18:00", "fry 09:00-18:00", "day that is not known");
        check("mon 9-18", "mon 9-18", "between 00:00 and 24:00");
        check("mon 18:00-09:00", "mon 18:00-09:00", "ends before it begins");
        check("mon 25:00-26:00", "mon 25:00-26:00", "between 00:00 and 24:00");
        check("mon 09:00", "mon 09:00", "not \"09:00-18:00\"");
    }
}
