//! Ordinal numerals: the last word is an adjective, what stands before it stays a nominative cardinal.

use super::cardinal::{self, MINUS};
use crate::prompt::{Case, Gender, NumberSpec};

/// A place in a row, in gender and case.
pub(super) fn words(spec: NumberSpec) -> String {
    let n = spec.value.unsigned_abs();
    let (before, stem) = parts(n);
    let mut out = String::new();
    if spec.value < 0 {
        out.push_str(MINUS);
        out.push(' ');
    }
    out.push_str(&before);
    if !before.is_empty() {
        out.push(' ');
    }
    out.push_str(&stem.text);
    out.push_str(stem.kind.ending(spec.gender, spec.case));
    out
}

struct Stem {
    text: String,
    kind: Kind,
}

/// The three ways ordinals decline.
#[derive(Clone, Copy)]
enum Kind {
    /// пятый
    Plain,
    /// второй
    Stressed,
    /// третий
    Third,
}

impl Kind {
    fn ending(self, gender: Gender, case: Case) -> &'static str {
        let endings = match (self, gender) {
            (Self::Plain, Gender::Masculine) => ["ый", "ого", "ому", "ый", "ым", "ом"],
            (Self::Stressed, Gender::Masculine) => ["ой", "ого", "ому", "ой", "ым", "ом"],
            (Self::Plain | Self::Stressed, Gender::Neuter) => ["ое", "ого", "ому", "ое", "ым", "ом"],
            (Self::Plain | Self::Stressed, Gender::Feminine) => ["ая", "ой", "ой", "ую", "ой", "ой"],
            (Self::Third, Gender::Masculine) => ["ий", "ьего", "ьему", "ий", "ьим", "ьем"],
            (Self::Third, Gender::Neuter) => ["ье", "ьего", "ьему", "ье", "ьим", "ьем"],
            (Self::Third, Gender::Feminine) => ["ья", "ьей", "ьей", "ью", "ьей", "ьей"],
        };
        endings[case as usize]
    }
}

/// The cardinal words before the last, and the last.
fn parts(n: u64) -> (String, Stem) {
    if n == 0 {
        return (String::new(), Stem { text: "нулев".to_owned(), kind: Kind::Stressed });
    }
    let mut unit = 1;
    let mut power = 0;
    while (n / unit).is_multiple_of(1000) {
        unit *= 1000;
        power += 1;
    }
    let triad = n / unit % 1000;
    if power == 0 {
        let (stem, kind, value) = last_of_triad(triad);
        return (before(n - value), Stem { text: stem.to_owned(), kind });
    }
    let text = format!("{}{}", joined(triad), SCALE_STEMS[power - 1]);
    (before(n - triad * unit), Stem { text, kind: Kind::Plain })
}

/// What stands before: "тысяча девятьсот", not "одна тысяча девятьсот".
fn before(n: u64) -> String {
    if n == 0 {
        return String::new();
    }
    let mut words = String::new();
    cardinal::push(&mut words, n, Gender::Masculine, Case::Nominative);
    for one in ["одна тысяча", "один миллион", "один миллиард", "один триллион", "один квадриллион", "один квинтиллион"]
    {
        // Only where the whole leading triad is one: "двадцать одна тысяча" begins otherwise.
        if words.starts_with(one) && words.chars().nth(one.chars().count()).is_none_or(|next| next == ' ') {
            return words.split_once(' ').map(|(_, rest)| rest.to_owned()).unwrap_or(words);
        }
    }
    words
}

/// The last word of 1 to 999 as a stem, and the value that it stands for.
fn last_of_triad(triad: u64) -> (&'static str, Kind, u64) {
    let value = match (triad % 100, triad % 10) {
        (0, _) => triad,
        (10..=19, _) => triad % 100,
        (tens, 0) => tens,
        (_, ones) => ones,
    };
    let (table, place): (&[(&str, Kind)], u64) = match value {
        100.. => (&HUNDREDS, value / 100 - 1),
        20.. => (&TENS, value / 10 - 2),
        _ => (&SMALL, value.saturating_sub(1)),
    };
    let (stem, kind) =
        usize::try_from(place).ok().and_then(|place| table.get(place)).copied().unwrap_or(("", Kind::Plain));
    (stem, kind, value)
}

/// "двадцатиодно-тысячный": genitives in one word, save сто, девяносто and одно.
fn joined(triad: u64) -> String {
    if triad == 1 {
        return String::new();
    }
    let mut genitive = String::new();
    cardinal::push_triad(&mut genitive, triad, Gender::Neuter, Case::Genitive);
    genitive
        .split(' ')
        .map(|word| match word {
            "ста" => "сто",
            "девяноста" => "девяносто",
            "одного" => "одно",
            other => other,
        })
        .collect()
}

use Kind::{Plain, Stressed, Third};

const SMALL: [(&str, Kind); 19] = [
    ("перв", Plain),
    ("втор", Stressed),
    ("трет", Third),
    ("четвёрт", Plain),
    ("пят", Plain),
    ("шест", Stressed),
    ("седьм", Stressed),
    ("восьм", Stressed),
    ("девят", Plain),
    ("десят", Plain),
    ("одиннадцат", Plain),
    ("двенадцат", Plain),
    ("тринадцат", Plain),
    ("четырнадцат", Plain),
    ("пятнадцат", Plain),
    ("шестнадцат", Plain),
    ("семнадцат", Plain),
    ("восемнадцат", Plain),
    ("девятнадцат", Plain),
];

/// 20, 30 … 90.
const TENS: [(&str, Kind); 8] = [
    ("двадцат", Plain),
    ("тридцат", Plain),
    ("сороков", Stressed),
    ("пятидесят", Plain),
    ("шестидесят", Plain),
    ("семидесят", Plain),
    ("восьмидесят", Plain),
    ("девяност", Plain),
];

const HUNDREDS: [(&str, Kind); 9] = [
    ("сот", Plain),
    ("двухсот", Plain),
    ("трёхсот", Plain),
    ("четырёхсот", Plain),
    ("пятисот", Plain),
    ("шестисот", Plain),
    ("семисот", Plain),
    ("восьмисот", Plain),
    ("девятисот", Plain),
];

const SCALE_STEMS: [&str; 6] = ["тысячн", "миллионн", "миллиардн", "триллионн", "квадриллионн", "квинтиллионн"];
