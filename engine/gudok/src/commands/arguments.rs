//! Arguments that several commands take.

use super::remote::Failure;
use anyhow::Context;
use clap::Args;
use jiff::{Span, SpanRelativeTo, Timestamp, Unit};
use std::str::FromStr;

/// An entry of an agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) agency: String,
    pub(crate) entry: String,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((agency, entry)) if !agency.is_empty() && !entry.is_empty() && !entry.contains('/') => {
                Ok(Self { agency: agency.to_owned(), entry: entry.to_owned() })
            }
            _ => Err("write AGENCY/ENTRY, such as mfc/desk".to_owned()),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.agency, self.entry)
    }
}

/// An entry, as one word or as two options.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaceArguments {
    /// The entry: mfc/desk. The same as --agency mfc --entry desk.
    #[arg(value_name = "AGENCY/ENTRY", required_unless_present_all = ["agency", "entry"])]
    place: Option<Place>,
    /// The agency.
    #[arg(long, requires = "entry", conflicts_with = "place")]
    agency: Option<String>,
    /// Its entry.
    #[arg(long, requires = "agency", conflicts_with = "place")]
    entry: Option<String>,
}

impl PlaceArguments {
    /// The entry.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        match (&self.place, &self.agency, &self.entry) {
            (Some(place), ..) => Ok(place.clone()),
            (None, Some(agency), Some(entry)) => Ok(Place { agency: agency.clone(), entry: entry.clone() }),
            _ => Err(Failure::Usage("which entry? Write AGENCY/ENTRY, such as mfc/desk".into())),
        }
    }
}

/// A length of time, "90s", "10m", "2h", "7d"; in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) u64);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no length of time: write 90s, 10m, 2h or 7d");
        let span: Span = text.parse().map_err(|_| wrong())?;
        let relative = (Unit::Second, SpanRelativeTo::days_are_24_hours());
        let seconds = span.total(relative).map_err(|_| wrong())?;
        if !(0.0..=1e9).contains(&seconds) {
            return Err(wrong());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1e9")]
        Ok(Self(seconds.round() as u64))
    }
}

/// A moment: RFC 3339, or so long from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    In(Seconds),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let length = text.parse().map(Self::In);
        length.or_else(|_| text.parse().map(Self::At)).map_err(|_: jiff::Error| {
            format!("{text:?} is no moment: write 2027-01-31T00:00:00+07:00, or 90d for so long from now")
        })
    }
}

impl Moment {
    /// As a point in time.
    pub(crate) fn timestamp(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        match self {
            Self::At(moment) => Ok(moment),
            Self::In(Seconds(seconds)) => now
                .checked_add(jiff::SignedDuration::from_secs(i64::try_from(seconds)?))
                .context("that is beyond the calendar"),
        }
    }

    /// As the API has it.
    pub(crate) fn text(self) -> anyhow::Result<String> {
        Ok(self.timestamp(Timestamp::now())?.to_string())
    }
}

/// `name=value`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_two_names() {
        let place: Place = "mfc/desk".parse().unwrap();
        assert_eq!((place.to_string(), place.agency.as_str()), ("mfc/desk".to_owned(), "mfc"));
        for wrong in ["mfc", "mfc/", "/desk", "a/b/c", ""] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn lengths_of_time_have_units() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("2h", 7_200), ("1h30m", 5_400), ("7d", 604_800)] {
            assert_eq!(text.parse(), Ok(Seconds(seconds)), "{text}");
        }
        for wrong in ["10", "ten minutes", "-5m", ""] {
            assert!(wrong.parse::<Seconds>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_are_dates_or_so_long_from_now() {
        let now: Timestamp = "2026-05-05T00:00:00Z".parse().unwrap();
        let later: Moment = "90d".parse().unwrap();
        assert_eq!(later.timestamp(now).unwrap().to_string(), "2026-08-03T00:00:00Z");
        let day: Moment = "2027-01-31T00:00:00+07:00".parse().unwrap();
        assert_eq!(day.text().unwrap(), "2027-01-30T17:00:00Z");
        assert!("tomorrow".parse::<Moment>().is_err());
    }
}
