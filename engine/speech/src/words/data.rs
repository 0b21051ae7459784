//! A language without a grammar of its own here: words as data where an admin has given some, else a neutral reading.
//!
//! Neutral is what a voice of that language makes of it by itself: a number is given as figures (`21`), digits one by one
//! (`0 5 1 2`), a day as day, month and year in figures (`5, 5, 2026`), a time as hours and minutes (`8, 30`), an amount
//! as figures and the letters of the currency, letters as themselves. Nothing is inflected: gender and case are passed
//! over. It never fails.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plural::PluralRule;
use super::{Language, append, masculine};
use crate::lang::LangTag;
use crate::prompt::{Counted, DateSpec, DecimalSpec, Money, NounForms, NumberSpec, TimeOfDay};

/// Words of a language, as an admin writes them down. All of it may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LanguageWords {
    /// Whole numbers in words, as far as they are not to be left to the voice: `"0" = "ноль"`.
    pub numbers: BTreeMap<String, String>,
    /// Places in a row in words.
    pub ordinals: BTreeMap<String, String>,
    /// Goes before a negative number.
    pub minus: Option<String>,
    /// Goes between a whole number and its decimals.
    pub point: Option<String>,
    /// January to December, in the form that follows a day. Twelve, or none.
    pub months: Vec<String>,
    /// Monday to Sunday. Seven, or none.
    pub weekdays: Vec<String>,
    /// "час", "часа", "часов".
    pub hour: Option<NounForms>,
    /// "минута", "минуты", "минут".
    pub minute: Option<NounForms>,
    /// "секунда", "секунды", "секунд".
    pub second: Option<NounForms>,
    /// By ISO 4217.
    pub currencies: BTreeMap<String, CurrencyWords>,
    /// Names of letters and signs, for spelling.
    pub symbols: BTreeMap<char, String>,
    /// The language whose plural rules are followed, where CLDR's own for this one are not known here.
    pub plural_like: Option<String>,
}

/// A currency's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrencyWords {
    /// "рубль", "рубля", "рублей".
    pub major: NounForms,
    /// "копейка", "копейки", "копеек"; none where there is no smaller unit.
    #[serde(default)]
    pub minor: Option<NounForms>,
    /// Decimals between the two; 2 where not said.
    #[serde(default = "two")]
    pub decimals: u8,
}

const fn two() -> u8 {
    2
}

/// Decimals of a currency of which nothing is known.
const DECIMALS_OF_MOST: u32 = 2;
const DECIMALS_MAX: u8 = 4;

impl LanguageWords {
    /// What is wrong with them, for the admin.
    pub(crate) fn fault(&self) -> Option<String> {
        if !matches!(self.months.len(), 0 | 12) {
            return Some(format!("`months` has {} words: give twelve, from January, or none", self.months.len()));
        }
        if !matches!(self.weekdays.len(), 0 | 7) {
            return Some(format!("`weekdays` has {} words: give seven, from Monday, or none", self.weekdays.len()));
        }
        let nouns = [&self.hour, &self.minute, &self.second];
        let of_money = self.currencies.values().flat_map(|currency| [Some(&currency.major), currency.minor.as_ref()]);
        if nouns.into_iter().map(Option::as_ref).chain(of_money).flatten().any(|noun| noun.one.trim().is_empty()) {
            return Some("a noun lacks its form `one`: give at least that".to_owned());
        }
        let deep = self.currencies.iter().find(|(_, currency)| currency.decimals > DECIMALS_MAX);
        deep.map(|(code, _)| format!("`currencies.{code}.decimals` is above {DECIMALS_MAX}"))
    }
}

/// See the module's documentation.
#[derive(Debug, Clone)]
pub struct DataLanguage {
    code: String,
    rule: PluralRule,
    words: LanguageWords,
}

impl DataLanguage {
    /// A language with these words.
    #[must_use]
    pub fn new(lang: &LangTag, words: LanguageWords) -> Self {
        let rule = PluralRule::of(words.plural_like.as_deref().unwrap_or(lang.primary()));
        Self { code: lang.primary().to_owned(), rule, words }
    }

    /// A language of which nothing is known but its name.
    #[must_use]
    pub fn neutral(lang: &LangTag) -> Self {
        Self::new(lang, LanguageWords::default())
    }

    fn figures(&self, value: i64, known: &BTreeMap<String, String>) -> String {
        let figures = value.to_string();
        if let Some(word) = known.get(&figures) {
            return word.clone();
        }
        match &self.words.minus {
            Some(minus) if value < 0 => {
                let positive = value.checked_neg().map(|value| self.figures(value, known));
                format!("{minus} {}", positive.unwrap_or_else(|| value.unsigned_abs().to_string()))
            }
            _ => figures,
        }
    }

    fn number(&self, value: i64) -> String {
        self.figures(value, &self.words.numbers)
    }

    fn with_noun(&self, value: i64, noun: &NounForms) -> String {
        let mut said = self.number(value);
        append(&mut said, noun.form(self.rule.class(value)));
        said
    }

    /// Numbers with their nouns, or figures with a pause between.
    fn row(&self, parts: &[(i64, Option<&NounForms>)]) -> String {
        let named = parts.iter().all(|(_, noun)| noun.is_some());
        let said = parts
            .iter()
            .map(|(value, noun)| noun.map_or_else(|| self.number(*value), |noun| self.with_noun(*value, noun)));
        said.collect::<Vec<_>>().join(if named { " " } else { ", " })
    }
}

impl Language for DataLanguage {
    fn code(&self) -> &str {
        &self.code
    }

    fn cardinal(&self, spec: NumberSpec) -> String {
        self.number(spec.value)
    }

    fn ordinal(&self, spec: NumberSpec) -> String {
        self.figures(spec.value, &self.words.ordinals)
    }

    fn decimal(&self, spec: DecimalSpec) -> String {
        let negative = spec.unscaled < 0;
        let figures = format!("{:0>width$}", spec.unscaled.unsigned_abs(), width = usize::from(spec.scale) + 1);
        let (whole, part) = figures.split_at(figures.len() - usize::from(spec.scale));
        let mut said = match (negative, &self.words.minus) {
            (true, Some(minus)) => format!("{minus} "),
            (true, None) => "-".to_owned(),
            (false, _) => String::new(),
        };
        said.push_str(&whole.parse().map_or_else(|_| whole.to_owned(), |whole| self.number(whole)));
        match &self.words.point {
            _ if part.is_empty() => {}
            Some(point) => {
                append(&mut said, point);
                append(&mut said, &self.digit_group(part));
            }
            None => {
                said.push('.');
                said.push_str(part);
            }
        }
        said
    }

    fn counted(&self, counted: &Counted) -> String {
        self.with_noun(counted.value, &counted.noun)
    }

    fn money(&self, money: &Money) -> Option<String> {
        let Some(currency) = self.words.currencies.get(&money.currency) else {
            let scale = u8::try_from(DECIMALS_OF_MOST).unwrap_or_default();
            let mut said = self.decimal(DecimalSpec { unscaled: money.minor_units, scale });
            append(&mut said, &money.currency.chars().map(String::from).collect::<Vec<_>>().join(" "));
            return Some(said);
        };
        let unit = 10_i64.pow(u32::from(currency.decimals.min(DECIMALS_MAX)));
        let (major, minor) = (money.minor_units / unit, money.minor_units % unit);
        let mut said = String::new();
        if major == 0 && minor < 0 {
            said.push_str(self.words.minus.as_deref().unwrap_or("-"));
        }
        if major != 0 || minor == 0 || currency.minor.is_none() {
            append(&mut said, &self.with_noun(major, &currency.major));
        }
        if let Some(noun) = currency.minor.as_ref().filter(|_| minor != 0) {
            append(&mut said, &self.with_noun(minor.abs(), noun));
        }
        Some(said)
    }

    fn currencies(&self) -> Vec<&str> {
        self.words.currencies.keys().map(String::as_str).collect()
    }

    fn date(&self, spec: DateSpec) -> String {
        let (day, month, year) = (self.number(spec.value.day()), spec.value.month(), spec.value.year());
        let named = spec.value.month().checked_sub(1).and_then(|at| self.words.months.get(at));
        let mut said = String::new();
        if spec.say_weekday
            && let Some(weekday) = self.words.weekdays.get(spec.value.days_from_monday())
        {
            said = format!("{weekday},");
        }
        let mut parts = match named {
            Some(name) => vec![format!("{day} {name}")],
            None => vec![day, month.to_string()],
        };
        if spec.say_year {
            parts.push(self.number(year));
        }
        append(&mut said, &parts.join(if named.is_some() { " " } else { ", " }));
        said
    }

    fn time(&self, time: TimeOfDay) -> String {
        let (hour, minute) = (i64::from(time.hour()), i64::from(time.minute()));
        self.row(&[(hour, self.words.hour.as_ref()), (minute, self.words.minute.as_ref())])
    }

    fn duration(&self, ms: u32) -> String {
        let seconds = i64::from(ms) / 1_000;
        let parts = [
            (seconds / 3_600, self.words.hour.as_ref()),
            (seconds / 60 % 60, self.words.minute.as_ref()),
            (seconds % 60, self.words.second.as_ref()),
        ];
        if parts.iter().all(|(_, noun)| noun.is_some()) {
            let said: Vec<_> = parts.into_iter().filter(|(value, _)| *value > 0).collect();
            return self.row(if said.is_empty() { &parts[2..] } else { &said });
        }
        // Without their names hours, minutes and seconds are known by their places.
        self.row(if parts[0].0 > 0 { &parts } else { &parts[1..] })
    }

    fn symbol(&self, symbol: char) -> Option<Cow<'_, str>> {
        let known = self.words.symbols.get(&symbol).map(|name| Cow::Borrowed(name.as_str()));
        known.or_else(|| Some(Cow::Owned(symbol.to_string())))
    }

    fn digit_group(&self, group: &str) -> String {
        let digits = group.chars().filter_map(|digit| digit.to_digit(10));
        digits.map(|digit| self.cardinal(masculine(digit.into()))).collect::<Vec<_>>().join(" ")
    }
}
