//! Plural classes of whole numbers, by CLDR's rules as data: which family a language belongs to.

use super::PluralClass;

/// A family of languages that count alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PluralRule {
    /// One form for all numbers.
    Same,
    /// 1, and all others.
    One,
    /// 0 and 1, and all others.
    ZeroOne,
    /// 1, 21, 31 …; 2–4, 22–24 …; the others.
    EastSlavic,
    /// 1; 2–4, 22–24 …; the others.
    Polish,
    /// 1; 2–4; the others.
    Czech,
    /// 1, 21 …, but not 11; 2–9, 22–29 …; the others.
    Lithuanian,
    /// 1, 21 …, but not 11; the others (0, 10–20, 30 … are a class of their own that nouns here do not have).
    Latvian,
    /// 1; 0, 2–19, 101–119 …; the others.
    Romanian,
}

/// By primary language subtag. Whatever is not here counts as [`PluralRule::One`], which most languages do.
const FAMILIES: [(PluralRule, &[&str]); 8] = [
    (PluralRule::Same, &["ja", "ko", "zh", "th", "vi", "id", "ms", "my", "lo", "km", "sah", "tt", "ba", "cv", "bo"]),
    (PluralRule::ZeroOne, &["fr", "hy", "pt", "hi", "fa", "bn", "gu", "kn", "am", "ff"]),
    (PluralRule::EastSlavic, &["ru", "uk", "be", "sr", "hr", "bs"]),
    (PluralRule::Polish, &["pl"]),
    (PluralRule::Czech, &["cs", "sk"]),
    (PluralRule::Lithuanian, &["lt"]),
    (PluralRule::Latvian, &["lv"]),
    (PluralRule::Romanian, &["ro", "mo"]),
];

impl PluralRule {
    /// The rule of a language.
    pub(crate) fn of(code: &str) -> Self {
        FAMILIES.iter().find(|(_, codes)| codes.contains(&code)).map_or(Self::One, |(rule, _)| *rule)
    }

    /// The class of a whole number.
    pub(crate) fn class(self, value: i64) -> PluralClass {
        let n = value.unsigned_abs();
        let (tens, ones) = (n % 100, n % 10);
        let few_of_four = (2..=4).contains(&ones) && !(12..=14).contains(&tens);
        let (one, few) = match self {
            Self::Same => (false, false),
            Self::One => (n == 1, false),
            Self::ZeroOne => (n < 2, false),
            Self::EastSlavic => (ones == 1 && tens != 11, few_of_four),
            Self::Polish => (n == 1, few_of_four),
            Self::Czech => (n == 1, (2..=4).contains(&n)),
            Self::Lithuanian => (ones == 1 && tens != 11, ones >= 2 && !(11..=19).contains(&tens)),
            Self::Latvian => (ones == 1 && tens != 11, false),
            Self::Romanian => (n == 1, n == 0 || (1..=19).contains(&tens)),
        };
        let has_few = matches!(self, Self::EastSlavic | Self::Polish | Self::Czech | Self::Lithuanian | Self::Romanian);
        match (one, few) {
            (true, _) => PluralClass::One,
            (_, true) => PluralClass::Few,
            _ if has_few => PluralClass::Many,
            _ => PluralClass::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fall_into_the_classes_of_cldr() {
        let check = |code: &str, one: &[i64], few: &[i64], rest: &[i64]| {
            let rule = PluralRule::of(code);
            assert!(one.iter().all(|n| rule.class(*n) == PluralClass::One), "{code}: one");
            assert!(few.iter().all(|n| rule.class(*n) == PluralClass::Few), "{code}: few");
            let others = [PluralClass::Many, PluralClass::Other];
            assert!(rest.iter().all(|n| others.contains(&rule.class(*n))), "{code}: the rest");
        };
        check("tt", &[], &[], &[0, 1, 2, 5]);
        check("kk", &[1], &[], &[0, 2, 21]);
        check("fr", &[0, 1], &[], &[2, 21]);
        check("uk", &[1, 21, 101], &[2, 4, 23, 104], &[0, 5, 11, 12, 14, 111]);
        check("pl", &[1], &[2, 24], &[0, 21, 12, 5]);
        check("cs", &[1], &[2, 4], &[0, 5, 22]);
        check("lt", &[1, 21], &[2, 9, 29], &[0, 10, 11, 19]);
        check("lv", &[1, 31], &[], &[0, 2, 11]);
        check("ro", &[1], &[0, 2, 19, 119], &[20, 100]);
        check("uk", &[i64::MIN + 7], &[], &[]);
    }
}
