//! Segments to words. A language is one implementation of [`Language`]; callers know only [`Languages`].

mod data;
mod english;
mod grouping;
mod plural;
mod russian;

use std::borrow::Cow;
use std::sync::Arc;

pub use data::{CurrencyWords, DataLanguage, LanguageWords};
pub use english::English;
pub use russian::Russian;

use crate::error::SpeechError;
use crate::lang::LangTag;
use crate::prompt::{
    Case, Counted, DateSpec, DecimalSpec, DigitsSpec, Gender, Money, NounForms, NumberSpec, Segment, TimeOfDay,
};

/// The grammar of one language: everything that turns data into words.
///
/// All text is lower case and uses commas where a speaker would pause. It is without figures in a language that has a
/// grammar here; others leave figures to the voice ([`DataLanguage`]).
pub trait Language: Send + Sync {
    /// The primary language subtag this grammar is for: `ru`.
    fn code(&self) -> &str;
    /// A whole number.
    fn cardinal(&self, spec: NumberSpec) -> String;
    /// A place in a row.
    fn ordinal(&self, spec: NumberSpec) -> String;
    /// A decimal fraction. The scale is at most [`crate::limits::DECIMAL_SCALE_MAX`].
    fn decimal(&self, spec: DecimalSpec) -> String;
    /// A number and its noun, agreeing.
    fn counted(&self, counted: &Counted) -> String;
    /// An amount; `None` if the language has no words for the currency.
    fn money(&self, money: &Money) -> Option<String>;
    /// The currencies that [`Language::money`] knows.
    fn currencies(&self) -> Vec<&str>;
    /// A day.
    fn date(&self, spec: DateSpec) -> String;
    /// A time of day.
    fn time(&self, time: TimeOfDay) -> String;
    /// A span of time, to the second.
    fn duration(&self, ms: u32) -> String;
    /// The name of a letter or sign, for spelling; `None` if it has none. Digits are asked of `cardinal`.
    fn symbol(&self, symbol: char) -> Option<Cow<'_, str>>;

    /// A group of digits as said in one breath: leading zeros one by one, then the number.
    fn digit_group(&self, group: &str) -> String {
        grouping::zeros_then_number(group, |value| self.cardinal(masculine(value)))
    }
}

/// The languages that have a grammar, found by a tag's primary language.
#[derive(Clone)]
pub struct Languages {
    known: Vec<Arc<dyn Language>>,
}

impl Default for Languages {
    fn default() -> Self {
        Self { known: vec![Arc::new(Russian), Arc::new(English)] }
    }
}

impl Languages {
    /// Adds a language, or replaces the one of the same code.
    #[must_use]
    pub fn with(mut self, language: Arc<dyn Language>) -> Self {
        self.known.retain(|known| known.code() != language.code());
        self.known.push(language);
        self
    }

    /// The grammar for a tag.
    ///
    /// # Errors
    /// [`SpeechError::UnknownLanguage`].
    pub fn find(&self, tag: &LangTag) -> Result<&dyn Language, SpeechError> {
        let found = self.known.iter().find(|language| language.code() == tag.primary());
        found.map(|language| &**language).ok_or_else(|| SpeechError::UnknownLanguage {
            tag: tag.to_string(),
            known: self.known.iter().map(|language| language.code()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// The words of a segment that needs a grammar; `None` for text, sound and silence, which need none.
pub(crate) fn of_segment(language: &dyn Language, segment: &Segment) -> Result<Option<String>, SpeechError> {
    let words = match segment {
        Segment::Text(_) | Segment::Ssml(_) | Segment::Media(_) | Segment::Silence(_) | Segment::Tone(_) => {
            return Ok(None);
        }
        Segment::Number(spec) => language.cardinal(*spec),
        Segment::Ordinal(spec) => language.ordinal(*spec),
        Segment::Decimal(spec) => language.decimal(*spec),
        Segment::Counted(counted) => language.counted(counted),
        Segment::Digits(spec) => digits(language, spec),
        Segment::Money(money) => language.money(money).ok_or_else(|| SpeechError::UnknownCurrency {
            code: crate::error::shortened(&money.currency),
            lang: language.code().to_owned(),
            known: language.currencies().join(", "),
        })?,
        Segment::Date(spec) => language.date(*spec),
        Segment::Time(time) => language.time(*time),
        Segment::Duration(ms) => language.duration(*ms),
        Segment::Spell(text) => spell(language, text)?,
    };
    Ok(Some(words))
}

/// Digits in groups, with a comma, which is a short pause, between groups.
pub(crate) fn digits(language: &dyn Language, spec: &DigitsSpec) -> String {
    let groups = grouping::groups(&spec.digits, spec.grouping);
    groups.iter().map(|group| breath(language, group)).collect::<Vec<_>>().join(", ")
}

/// One group. "Плюс семь" is one breath: the plus stands in the group it leads.
fn breath(language: &dyn Language, group: &str) -> String {
    let Some((sign, rest)) = group.split_at_checked(1).filter(|(sign, _)| matches!(*sign, "+" | "*" | "#")) else {
        return language.digit_group(group);
    };
    let mut said = sign.chars().filter_map(|sign| language.symbol(sign)).collect::<String>();
    if !rest.is_empty() {
        append(&mut said, &language.digit_group(rest));
    }
    said
}

fn spell(language: &dyn Language, text: &str) -> Result<String, SpeechError> {
    let mut said = Vec::new();
    for (place, symbol) in text.chars().enumerate().filter(|(_, symbol)| !symbol.is_whitespace()) {
        let name = match symbol.to_digit(10) {
            Some(digit) => language.cardinal(masculine(digit.into())),
            None => symbol
                .to_lowercase()
                .next()
                .and_then(|lower| language.symbol(lower))
                .ok_or_else(|| SpeechError::Unspellable { position: place + 1, lang: language.code().to_owned() })?
                .into_owned(),
        };
        said.push(name);
    }
    Ok(said.join(", "))
}

pub(crate) fn masculine(value: i64) -> NumberSpec {
    NumberSpec { value, gender: Gender::Masculine, case: Case::Nominative }
}

/// CLDR's plural classes, as far as whole numbers have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PluralClass {
    One,
    Few,
    Many,
    Other,
}

impl NounForms {
    /// The form for a class; an empty form gives way to the nearest one that is there.
    pub(crate) fn form(&self, class: PluralClass) -> &str {
        let order = match class {
            PluralClass::One => [&self.one, &self.few, &self.other, &self.many],
            PluralClass::Few => [&self.few, &self.other, &self.many, &self.one],
            PluralClass::Many => [&self.many, &self.other, &self.few, &self.one],
            PluralClass::Other => [&self.other, &self.many, &self.few, &self.one],
        };
        order.into_iter().map(|form| form.trim()).find(|form| !form.is_empty()).unwrap_or_default()
    }
}

/// Sets text after text: a space between, except before a sign that closes.
pub(crate) fn append(sentence: &mut String, next: &str) {
    let next = next.trim();
    let closes = next.starts_with(['.', ',', ';', ':', '!', '?', ')', '»', '…']);
    if !sentence.is_empty() && !next.is_empty() && !closes {
        sentence.push(' ');
    }
    sentence.push_str(next);
}
