//! Russian: numerals in three genders and six cases, nouns that agree, dates, times, money.
//!
//! Written with ё throughout: a synthesiser reads "трех" wrong.

mod calendar;
mod cardinal;
mod letters;
mod money;
mod noun;
mod ordinal;

use std::borrow::Cow;

use super::{Language, PluralClass, masculine};
use crate::prompt::{Case, Counted, DateSpec, DecimalSpec, Gender, Money, NumberSpec, TimeOfDay};

/// The grammar of Russian.
#[derive(Debug, Clone, Copy)]
pub struct Russian;

impl Language for Russian {
    fn code(&self) -> &'static str {
        "ru"
    }

    fn cardinal(&self, spec: NumberSpec) -> String {
        cardinal::words(spec)
    }

    fn ordinal(&self, spec: NumberSpec) -> String {
        ordinal::words(spec)
    }

    fn decimal(&self, spec: DecimalSpec) -> String {
        decimal(spec)
    }

    fn counted(&self, counted: &Counted) -> String {
        let number = NumberSpec { value: counted.value, gender: counted.noun.gender, case: counted.case };
        let noun = noun::agree(&counted.noun, counted.value.unsigned_abs(), counted.case);
        format!("{} {noun}", cardinal::words(number))
    }

    fn money(&self, money: &Money) -> Option<String> {
        money::words(money)
    }

    fn currencies(&self) -> Vec<&str> {
        money::codes()
    }

    fn date(&self, spec: DateSpec) -> String {
        calendar::date(spec)
    }

    fn time(&self, time: TimeOfDay) -> String {
        calendar::time(time)
    }

    fn duration(&self, ms: u32) -> String {
        calendar::duration(ms)
    }

    fn symbol(&self, symbol: char) -> Option<Cow<'_, str>> {
        letters::name(symbol).map(Cow::Borrowed)
    }
}

/// Six forms, in the order of [`Case`].
type Forms = [&'static str; 6];

/// Three forms of a noun after a number: 1 рубль, 2 рубля, 5 рублей.
type Triple = [&'static str; 3];

fn class(n: u64) -> PluralClass {
    match (n % 100, n % 10) {
        (11..=14, _) => PluralClass::Many,
        (_, 1) => PluralClass::One,
        (_, 2..=4) => PluralClass::Few,
        _ => PluralClass::Many,
    }
}

fn choose(n: u64, forms: Triple) -> &'static str {
    match class(n) {
        PluralClass::One => forms[0],
        PluralClass::Few => forms[1],
        PluralClass::Many | PluralClass::Other => forms[2],
    }
}

/// "двадцать одна минута": a number and a noun of the tables, nominative.
fn with_noun(n: u64, gender: Gender, forms: Triple) -> String {
    let mut words = String::new();
    cardinal::push(&mut words, n, gender, Case::Nominative);
    words.push(' ');
    words.push_str(choose(n, forms));
    words
}

/// The names of the places after the point: singular and genitive plural.
const PLACES: [[&str; 2]; 9] = [
    ["десятая", "десятых"],
    ["сотая", "сотых"],
    ["тысячная", "тысячных"],
    ["десятитысячная", "десятитысячных"],
    ["стотысячная", "стотысячных"],
    ["миллионная", "миллионных"],
    ["десятимиллионная", "десятимиллионных"],
    ["стомиллионная", "стомиллионных"],
    ["миллиардная", "миллиардных"],
];

/// "Одна целая, две целых": both parts count feminine shares.
fn decimal(spec: DecimalSpec) -> String {
    let Some(places) = usize::from(spec.scale).checked_sub(1).and_then(|place| PLACES.get(place)) else {
        return cardinal::words(masculine(spec.unscaled));
    };
    let unit = 10_u64.pow(spec.scale.into());
    let (whole, share) = (spec.unscaled.unsigned_abs() / unit, spec.unscaled.unsigned_abs() % unit);
    let minus = if spec.unscaled < 0 { "минус " } else { "" };
    let whole = with_noun(whole, Gender::Feminine, ["целая", "целых", "целых"]);
    let share = with_noun(share, Gender::Feminine, [places[0], places[1], places[1]]);
    format!("{minus}{whole} {share}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::{DigitGrouping, DigitsSpec, NounForms};

    #[test]
    fn decimals() {
        for (unscaled, scale, expect) in [
            (314, 2, "три целых четырнадцать сотых"),
            (11, 1, "одна целая одна десятая"),
            (21, 1, "две целых одна десятая"),
            (2122, 2, "двадцать одна целая двадцать две сотых"),
            (5, 1, "ноль целых пять десятых"),
            (-5, 1, "минус ноль целых пять десятых"),
            (1_001, 3, "одна целая одна тысячная"),
            (112_000, 4, "одиннадцать целых две тысячи десятитысячных"),
            (310, 2, "три целых десять сотых"),
            (300, 2, "три целых ноль сотых"),
            (1, 9, "ноль целых одна миллиардная"),
            (2, 5, "ноль целых две стотысячных"),
            (7, 0, "семь"),
            (0, 1, "ноль целых ноль десятых"),
        ] {
            assert_eq!(decimal(DecimalSpec { unscaled, scale }), expect);
        }
    }

    #[test]
    fn counted_nouns_agree() {
        let request = NounForms {
            one: "заявка".into(),
            few: "заявки".into(),
            many: "заявок".into(),
            other: "заявки".into(),
            gender: Gender::Feminine,
        };
        for (value, case, expect) in [
            (0, Case::Nominative, "ноль заявок"),
            (1, Case::Nominative, "одна заявка"),
            (2, Case::Nominative, "две заявки"),
            (5, Case::Nominative, "пять заявок"),
            (11, Case::Nominative, "одиннадцать заявок"),
            (14, Case::Nominative, "четырнадцать заявок"),
            (21, Case::Nominative, "двадцать одна заявка"),
            (112, Case::Nominative, "сто двенадцать заявок"),
            (1_000, Case::Nominative, "одна тысяча заявок"),
            (-1, Case::Nominative, "минус одна заявка"),
            (1, Case::Genitive, "одной заявки"),
            (2, Case::Genitive, "двух заявок"),
            (21, Case::Dative, "двадцати одной заявке"),
            (22, Case::Dative, "двадцати двум заявкам"),
            (1, Case::Accusative, "одну заявку"),
            (22, Case::Accusative, "двадцать две заявки"),
            (21, Case::Instrumental, "двадцатью одной заявкой"),
            (5, Case::Instrumental, "пятью заявками"),
            (1_000, Case::Instrumental, "одной тысячей заявок"),
            (1, Case::Prepositional, "одной заявке"),
            (40, Case::Prepositional, "сорока заявках"),
        ] {
            assert_eq!(Russian.counted(&Counted { value, noun: request.clone(), case }), expect);
        }
    }

    #[test]
    fn digits_are_said_for_writing_down() {
        for (digits, grouping, expect) in [
            ("0512", DigitGrouping::Pairs, "ноль пять, двенадцать"),
            (
                "89130011205",
                DigitGrouping::PhoneRu,
                "восемь, девятьсот тринадцать, ноль ноль один, двенадцать, ноль пять",
            ),
            (
                "+79130000000",
                DigitGrouping::PhoneRu,
                "плюс семь, девятьсот тринадцать, ноль ноль ноль, ноль ноль, ноль ноль",
            ),
            (
                "11223344595",
                DigitGrouping::Snils,
                "сто двенадцать, двести тридцать три, четыреста сорок пять, девяносто пять",
            ),
            ("205", DigitGrouping::OneByOne, "два, ноль, пять"),
            ("050", DigitGrouping::Triples, "ноль пятьдесят"),
            ("*1#", DigitGrouping::OneByOne, "звёздочка, один, решётка"),
        ] {
            let spec = DigitsSpec { digits: digits.into(), grouping };
            assert_eq!(super::super::digits(&Russian, &spec), expect);
        }
    }
}
