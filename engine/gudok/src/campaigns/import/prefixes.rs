//! Where a number is: lines of `prefix;zone`, the longest that fits.

use crate::campaigns::parse_zone;
use anyhow::{Context, bail, ensure};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Digits of the longest prefix; no number has more.
const DIGITS_MAX: usize = 15;
/// Lines of the file.
const LINES_MAX: usize = 200_000;

/// Zones by prefix.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prefixes {
    zones: HashMap<Box<str>, Arc<str>>,
    longest: usize,
}

impl Prefixes {
    /// Reads the file.
    ///
    /// # Errors
    /// Where it cannot be read, or a line is not `prefix;zone`: says which.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::read(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Lines of digits, a semicolon, and a zone of the time-zone database or several joined by `&`; what begins with `#`
    /// says nothing, and neither does an empty line.
    pub(super) fn read(text: &str) -> anyhow::Result<Self> {
        let mut prefixes = Self::default();
        let mut known: HashMap<&str, Arc<str>> = HashMap::new();
        for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            ensure!(number <= LINES_MAX, "line {number}: there are more than {LINES_MAX}; leave some out");
            let Some((prefix, zone)) = line.split_once(';') else {
                bail!("line {number}: there is no semicolon; write it as 7383;Asia/Novosibirsk");
            };
            let (prefix, zone) = (prefix.trim().trim_start_matches('+'), zone.trim());
            let digits = !prefix.is_empty() && prefix.len() <= DIGITS_MAX && prefix.bytes().all(|c| c.is_ascii_digit());
            ensure!(digits, "line {number}: {prefix:?} is no prefix; write up to {DIGITS_MAX} digits");
            let zone = match known.get(zone) {
                Some(zone) => Arc::clone(zone),
                None => {
                    ensure!(parse_zone(zone).is_some(), "line {number}: there is no time zone {zone:?}");
                    Arc::clone(known.entry(zone).or_insert_with(|| Arc::from(zone)))
                }
            };
            prefixes.longest = prefixes.longest.max(prefix.len());
            ensure!(
                prefixes.zones.insert(Box::from(prefix), zone).is_none(),
                "line {number}: {prefix} is there already; leave one of them out"
            );
        }
        Ok(prefixes)
    }

    /// The zone of a number in E.164.
    pub(super) fn zone(&self, number: &str) -> Option<&Arc<str>> {
        let digits = number.trim_start_matches('+');
        let longest = self.longest.min(digits.len());
        (1..=longest).rev().find_map(|len| self.zones.get(digits.get(..len)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_counts() {
        let text = "\u{feff}# numbers\n7;Europe/Moscow\n\n73;Europe/Samara & Asia/Omsk\r\n+7381;Asia/Omsk\n";
        let prefixes = Prefixes::read(text).unwrap();
        let zone = |number: &str| prefixes.zone(number).map(|zone| &**zone);
        assert_eq!(zone("+73812345678"), Some("Asia/Omsk"));
        assert_eq!(zone("+73822345678"), Some("Europe/Samara & Asia/Omsk"));
        assert_eq!(zone("+79131234567"), Some("Europe/Moscow"));
        assert_eq!((zone("+375291234567"), zone("+7"), zone("")), (None, Some("Europe/Moscow"), None));
        assert_eq!(Prefixes::default().zone("+7913"), None);
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, expect) in [
            ("7;Europe/Moscow\n73", "line 2: there is no semicolon"),
            ("abc;Europe/Moscow", "line 1: \"abc\" is no prefix"),
            (";Europe/Moscow", "line 1: \"\" is no prefix"),
            ("7;Europe/Nowhere", "line 1: there is no time zone"),
            ("7;Europe/Moscow\n7;Asia/Omsk", "line 2: 7 is there already"),
        ] {
            let error = Prefixes::read(text).unwrap_err().to_string();
            assert!(error.starts_with(expect), "{error}");
        }
    }

    #[test]
    fn the_demo_s_table_is_whole() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/data/zones-ru.csv");
        let prefixes = Prefixes::open(&path).unwrap();
        let zone = |number: &str| prefixes.zone(number).map(|zone| &**zone);
        assert_eq!(zone("+74991234567"), Some("Europe/Moscow"));
        assert_eq!(zone("+73812345678"), Some("Asia/Omsk"));
        assert_eq!(zone("+74232345678"), Some("Asia/Vladivostok"));
        assert_eq!(zone("+79131234567"), None, "a mobile number tells nothing of where its owner is");
    }
}
