//! Registration numbers: "К-2026-000123".

use super::TicketKind;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Counts are written with at least so many digits.
pub const NUMBER_COUNT_DIGITS_MIN: usize = 6;

/// A registration number: a letter for the kind, the year in the centre's zone, and a count of the agency's tickets of
/// that year, whatever their kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TicketNumber {
    /// "К".
    pub prefix: Arc<str>,
    /// 2026.
    pub year: i16,
    /// From 1.
    pub count: u64,
}

impl TicketNumber {
    /// Reads what [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, count) = text.rsplit_once('-')?;
        let (prefix, year) = rest.rsplit_once('-')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if prefix.is_empty() || !digits(year) || !digits(count) || count.len() < NUMBER_COUNT_DIGITS_MIN {
            return None;
        }
        Some(Self { prefix: prefix.into(), year: year.parse().ok()?, count: count.parse().ok()? })
    }

    /// Grows with every ticket of an agency.
    #[must_use]
    pub fn order(&self) -> u64 {
        const YEAR: u64 = 1_000_000_000_000;
        u64::try_from(self.year).unwrap_or(0) * YEAR + self.count.min(YEAR - 1)
    }
}

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:0NUMBER_COUNT_DIGITS_MIN$}", self.prefix, self.year, self.count)
    }
}

/// The letter of each kind; data, so that no alphabet is built in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TicketPrefixes {
    /// Of complaints.
    pub complaint: Arc<str>,
    /// Of notices of wrong information.
    pub outdated_information: Arc<str>,
    /// Of requests.
    pub request: Arc<str>,
}

impl Default for TicketPrefixes {
    /// Russian letters: "К" for complaints, "И" for information, "З" for requests.
    fn default() -> Self {
        Self { complaint: "К".into(), outdated_information: "И".into(), request: "З".into() }
    }
}

impl TicketPrefixes {
    /// Of one kind.
    #[must_use]
    pub fn of(&self, kind: TicketKind) -> &Arc<str> {
        match kind {
            TicketKind::Complaint => &self.complaint,
            TicketKind::OutdatedInformation => &self.outdated_information,
            TicketKind::Request => &self.request,
        }
    }
}

/// How many tickets an agency has had, by year. It only grows: a clock that goes back a year goes on where that year
/// stopped.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TicketCounts(pub BTreeMap<i16, u64>);

impl TicketCounts {
    /// The next number. It is given out once the counts are durable together with the ticket.
    pub fn next(&mut self, prefixes: &TicketPrefixes, kind: TicketKind, year: i16) -> TicketNumber {
        let count = self.0.entry(year).or_insert(0);
        *count += 1;
        TicketNumber { prefix: Arc::clone(prefixes.of(kind)), year, count: *count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_read_and_never_repeat() {
        let (mut counts, prefixes) = (TicketCounts::default(), TicketPrefixes::default());
        let mut seen = std::collections::BTreeSet::new();
        let mut last = 0;
        for year in [2026, 2026, 2027, 2026, 2027] {
            for kind in TicketKind::ALL {
                let number = counts.next(&prefixes, kind, year);
                assert_eq!(TicketNumber::parse(&number.to_string()), Some(number.clone()));
                assert!(seen.insert((number.year, number.count)), "{number}");
                last = last.max(number.order());
            }
        }
        assert_eq!(counts.0, BTreeMap::from([(2026, 9), (2027, 6)]));
        let number = counts.next(&prefixes, TicketKind::Complaint, 2027);
        assert_eq!((number.to_string().as_str(), number.order() > last), ("К-2027-000007", true));
    }

    #[test]
    fn what_is_no_number_is_not_read_as_one() {
        for text in ["", "К", "К-2026", "К-2026-12", "К-2026-00001x", "-2026-000001", "К-20x6-000001"] {
            assert_eq!(TicketNumber::parse(text), None, "{text}");
        }
        let long = TicketNumber { prefix: "A-B".into(), year: 2026, count: 12_345_678 };
        assert_eq!(TicketNumber::parse("A-B-2026-12345678"), Some(long));
    }
}
