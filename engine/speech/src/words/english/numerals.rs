//! Cardinals, ordinals and decimals.

use crate::prompt::DecimalSpec;

/// "minus one hundred twenty-three", any i64.
pub(super) fn cardinal(value: i64) -> String {
    signed(value, positive(value.unsigned_abs()))
}

/// "one hundred twenty-third".
pub(super) fn ordinal(value: i64) -> String {
    let words = positive(value.unsigned_abs());
    let cut = words.rfind([' ', '-']).map_or(0, |last| last + 1);
    let (before, last) = words.split_at(cut);
    let irregular =
        IRREGULAR_ORDINALS.iter().find(|(cardinal, _)| *cardinal == last).map(|(_, ordinal)| (*ordinal).to_owned());
    let last = irregular.unwrap_or_else(|| match last.strip_suffix('y') {
        Some(stem) => format!("{stem}ieth"),
        None => format!("{last}th"),
    });
    signed(value, format!("{before}{last}"))
}

/// "three point one four".
pub(super) fn decimal(spec: DecimalSpec) -> String {
    if spec.scale == 0 {
        return cardinal(spec.unscaled);
    }
    let unit = 10_u64.checked_pow(spec.scale.into()).unwrap_or(u64::MAX);
    let (whole, share) = (spec.unscaled.unsigned_abs() / unit, spec.unscaled.unsigned_abs() % unit);
    let places = format!("{share:0width$}", width = spec.scale.into());
    let digits: Vec<String> =
        places.chars().filter_map(|c| c.to_digit(10)).map(|digit| positive(digit.into())).collect();
    signed(spec.unscaled, format!("{} point {}", positive(whole), digits.join(" ")))
}

pub(super) fn positive(n: u64) -> String {
    if n == 0 {
        return "zero".to_owned();
    }
    let mut words = Vec::new();
    for (power, scale) in SCALES.iter().enumerate().rev() {
        let triad = n / 1000_u64.pow(u32::try_from(power).unwrap_or(u32::MAX)) % 1000;
        if triad == 0 {
            continue;
        }
        if triad >= 100 {
            words.push(format!("{} hundred", below_hundred(triad / 100)));
        }
        if !triad.is_multiple_of(100) {
            words.push(below_hundred(triad % 100));
        }
        if !scale.is_empty() {
            words.push((*scale).to_owned());
        }
    }
    words.join(" ")
}

fn signed(value: i64, words: String) -> String {
    if value < 0 { format!("minus {words}") } else { words }
}

/// 1 to 99.
fn below_hundred(n: u64) -> String {
    let at = |table: &[&'static str], place: u64| {
        usize::try_from(place).ok().and_then(|place| table.get(place)).copied().unwrap_or("")
    };
    match (n / 10, n % 10) {
        (0 | 1, _) => at(&SMALL, n).to_owned(),
        (tens, 0) => at(&TENS, tens).to_owned(),
        (tens, ones) => format!("{}-{}", at(&TENS, tens), at(&SMALL, ones)),
    }
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [&str; 7] = ["", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion"];

const IRREGULAR_ORDINALS: [(&str, &str); 7] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_places() {
        for (n, number, place) in [
            (0, "zero", "zeroth"),
            (1, "one", "first"),
            (2, "two", "second"),
            (3, "three", "third"),
            (5, "five", "fifth"),
            (8, "eight", "eighth"),
            (9, "nine", "ninth"),
            (11, "eleven", "eleventh"),
            (12, "twelve", "twelfth"),
            (20, "twenty", "twentieth"),
            (21, "twenty-one", "twenty-first"),
            (40, "forty", "fortieth"),
            (100, "one hundred", "one hundredth"),
            (101, "one hundred one", "one hundred first"),
            (111, "one hundred eleven", "one hundred eleventh"),
            (1_000, "one thousand", "one thousandth"),
            (2_026, "two thousand twenty-six", "two thousand twenty-sixth"),
            (1_000_000, "one million", "one millionth"),
            (1_000_001, "one million one", "one million first"),
            (-7, "minus seven", "minus seventh"),
        ] {
            assert_eq!(cardinal(n), number);
            assert_eq!(ordinal(n), place);
        }
        assert!(cardinal(i64::MIN).starts_with("minus nine quintillion two hundred twenty-three quadrillion"));
    }

    #[test]
    fn decimals() {
        for (unscaled, scale, expect) in [
            (314, 2, "three point one four"),
            (-5, 1, "minus zero point five"),
            (1_005, 3, "one point zero zero five"),
            (310, 2, "three point one zero"),
            (7, 0, "seven"),
        ] {
            assert_eq!(decimal(DecimalSpec { unscaled, scale }), expect);
        }
    }
}
