//! The offices: what their file says, checked, and how their hours are told.

use gudok_sdk::directory::DayHours;
use gudok_sdk::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;

/// More choices than this are not for the ear.
const OFFICES_MAX: usize = 9;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Directory {
    /// When the file was brought up to date, "2026-11-01".
    updated: String,
    /// One more with every change.
    pub(crate) version: u32,
    pub(crate) offices: Vec<Office>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Office {
    /// One of 1 to 9.
    pub(crate) key: String,
    /// The municipality's code, as the centre's directory has it.
    pub(crate) code: String,
    pub(crate) municipality: Name,
    pub(crate) street: Name,
    pub(crate) house: u32,
    /// By day, "mon" to "sun"; a day that is missing is closed.
    hours: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Name {
    pub(crate) ru: String,
    pub(crate) en: String,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Russian: from (genitive), to (accusative), on (accusative with its preposition).
const RUSSIAN: [[&str; 3]; 7] = [
    ["С понедельника", "по понедельник", "В понедельник"],
    ["Со вторника", "по вторник", "Во вторник"],
    ["Со среды", "по среду", "В среду"],
    ["С четверга", "по четверг", "В четверг"],
    ["С пятницы", "по пятницу", "В пятницу"],
    ["С субботы", "по субботу", "В субботу"],
    ["С воскресенья", "по воскресенье", "В воскресенье"],
];
const ENGLISH: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// From when to when, on one day.
pub(crate) type Span = (TimeOfDay, TimeOfDay);

impl Directory {
    /// Reads the file; the error names the place.
    pub(crate) fn read(text: &str) -> core::result::Result<Self, String> {
        let directory: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if Date::parse(&directory.updated).is_none() {
            return Err(format!("updated is {:?}; write it like \"2026-11-01\"", directory.updated));
        }
        if directory.offices.is_empty() || directory.offices.len() > OFFICES_MAX {
            return Err(format!("{} offices; from 1 to {OFFICES_MAX}", directory.offices.len()));
        }
        for (place, office) in directory.offices.iter().enumerate() {
            office.check().map_err(|fault| format!("offices {}: {fault}", place + 1))?;
            if directory.offices.iter().take(place).any(|other| other.key == office.key) {
                return Err(format!("offices {}: key {:?} is taken already", place + 1, office.key));
            }
        }
        Ok(directory)
    }
}

impl Office {
    fn check(&self) -> core::result::Result<(), String> {
        if !matches!(self.key.as_bytes(), [b'1'..=b'9']) {
            return Err(format!("key is {:?}; one of 1 to 9 in quotes", self.key));
        }
        for (day, hours) in &self.hours {
            if !DAYS.contains(&day.as_str()) {
                return Err(format!("hours: {day:?} is no day; one of {}", DAYS.join(", ")));
            }
            if span(hours).is_none() {
                return Err(format!("hours.{day} is {hours:?}; write it like \"08:30-19:00\""));
            }
        }
        Ok(())
    }

    pub(crate) fn said_key(&self) -> impl IntoPrompt + use<> {
        number(self.key.parse::<u8>().unwrap_or_default())
    }

    pub(crate) fn is_open(&self, date: Date, time: TimeOfDay) -> bool {
        let spans = self.week().into_iter().nth(usize::from(date.weekday())).unwrap_or_default();
        spans.iter().any(|(from, to)| (from.minutes()..to.minutes()).contains(&time.minutes()))
    }

    pub(crate) fn hours_in_russian(&self) -> Prompt {
        hours_in_russian(self.week())
    }

    pub(crate) fn hours_in_english(&self) -> Prompt {
        hours_in_english(self.week())
    }

    /// As the directory names it, for who says that it is wrong.
    pub(crate) fn entry(&self) -> String {
        format!("mfc-{}", self.code)
    }

    fn week(&self) -> Week {
        DAYS.map(|day| self.hours.get(day).and_then(|hours| span(hours)).into_iter().collect())
    }
}

/// Opening hours from Monday on; a break makes two of a day's, a day off has none.
pub(crate) type Week = [Vec<Span>; 7];

/// The hours of an office in the centre's directory.
pub(crate) fn week_of(hours: &[DayHours]) -> Week {
    core::array::from_fn(|day| {
        let of_day = hours.iter().filter(|hours| usize::from(hours.weekday) == day + 1);
        of_day.map(|hours| (hours.from, hours.to)).collect()
    })
}

pub(crate) fn hours_in_russian(week: Week) -> Prompt {
    let mut told = Prompt::new();
    for (first, last, hours) in runs(week) {
        let [from, _, on] = RUSSIAN[first];
        let [_, to, _] = RUSSIAN[last];
        told = if first == last { told.with(on) } else { told.with(format!("{from} {to}")) };
        if hours.is_empty() {
            told = told.with("закрыто.");
        }
        for (opens, closes) in hours {
            told = told.with(prompt!["открытие:", time(opens), ", закрытие:", time(closes), "."]);
        }
    }
    told
}

pub(crate) fn hours_in_english(week: Week) -> Prompt {
    let mut told = Prompt::new();
    for (first, last, hours) in runs(week) {
        let (from, to) = (ENGLISH[first], ENGLISH[last]);
        told = if first == last { told.with(format!("On {from}")) } else { told.with(format!("From {from} to {to}")) };
        if hours.is_empty() {
            told = told.with("closed.");
        }
        for (opens, closes) in hours {
            told = told.with(prompt!["open from", time(opens), "to", time(closes), "."]);
        }
    }
    told
}

/// Neighbouring days with the same hours, told together: first day, last day, hours.
fn runs(week: Week) -> Vec<(usize, usize, Vec<Span>)> {
    let mut runs: Vec<(usize, usize, Vec<Span>)> = Vec::new();
    for (day, hours) in week.into_iter().enumerate() {
        match runs.last_mut() {
            Some((_, last, same)) if *same == hours => *last = day,
            _ => runs.push((day, day, hours)),
        }
    }
    runs
}

fn span(text: &str) -> Option<Span> {
    let (from, to) = text.split_once('-')?;
    let span = (TimeOfDay::parse(from)?, TimeOfDay::parse(to)?);
    (span.0.minutes() < span.1.minutes()).then_some(span)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use gudok_sdk::Segment;

    const FILE: &str = include_str!("../data/offices.json");

    fn novokuznetsk() -> Office {
        Directory::read(FILE).unwrap().offices.into_iter().find(|office| office.key == "3").unwrap()
    }

    fn said(prompt: &Prompt) -> String {
        let said = prompt.segments.iter().map(|segment| match segment {
            Segment::Text(text) => text.clone(),
            Segment::Time(time) => format!("{:02}:{:02}", time.hour, time.minute),
            other => format!("{other:?}"),
        });
        said.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_file_of_this_bundle_is_whole() {
        assert_eq!(novokuznetsk().municipality.ru, "Новокузнецк");
    }

    #[test]
    fn hours_are_told_in_runs_of_days() {
        assert_eq!(
            said(&novokuznetsk().hours_in_russian()),
            "С понедельника по пятницу открытие: 08:30 , закрытие: 19:00 . \
             В субботу открытие: 09:00 , закрытие: 14:00 . В воскресенье закрыто."
        );
        assert_eq!(
            said(&novokuznetsk().hours_in_english()),
            "From Monday to Friday open from 08:30 to 19:00 . On Saturday open from 09:00 to 14:00 . On Sunday closed."
        );
    }

    #[test]
    fn numbers_are_never_in_a_text() {
        for office in Directory::read(FILE).unwrap().offices {
            for prompt in [office.hours_in_russian(), office.hours_in_english()] {
                let texts = prompt.segments.iter().filter_map(|segment| match segment {
                    Segment::Text(text) => Some(text),
                    _ => None,
                });
                assert!(texts.into_iter().all(|text| !text.contains(|c: char| c.is_ascii_digit())));
            }
        }
    }

    #[test]
    fn open_is_from_the_first_minute_to_before_the_last() {
        let office = novokuznetsk();
        // A Monday, a Saturday and a Sunday.
        for (day, at, expected) in [
            ("2026-11-23", "08:29", false),
            ("2026-11-23", "08:30", true),
            ("2026-11-23", "19:00", false),
            ("2026-11-28", "13:59", true),
            ("2026-11-29", "12:00", false),
        ] {
            assert_eq!(
                office.is_open(Date::parse(day).unwrap(), TimeOfDay::parse(at).unwrap()),
                expected,
                "{day} {at}"
            );
        }
    }

    #[test]
    fn a_fault_in_the_file_names_its_place() {
        for (from, to, says) in [
            ("\"2026-11-01\"", "\"1.11.2026\"", "updated"),
            ("\"key\": \"2\"", "\"key\": \"0\"", "offices 2: key"),
            ("\"key\": \"2\"", "\"key\": \"1\"", "offices 2: key \"1\" is taken"),
            ("\"mon\": \"08:00-20:00\"", "\"mon\": \"20:00-08:00\"", "offices 1: hours.mon"),
            ("\"mon\": \"08:00-20:00\"", "\"monday\": \"08:00-20:00\"", "offices 1: hours: \"monday\""),
            ("\"house\": 41", "\"house\": \"41\"", "line 10"),
            ("\"house\": 41,", "", "house"),
        ] {
            assert!(FILE.contains(from), "{from}");
            let fault = Directory::read(&FILE.replacen(from, to, 1)).unwrap_err();
            assert!(fault.contains(says), "{fault}");
        }
    }
}
