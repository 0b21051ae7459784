//! What a script asks to be said: segments, which are data and never inflected by the author.
//!
//! The types mirror the interface `prompts` of the script WIT, field for field. Their JSON is documented at the
//! crate root.

mod check;
mod json;
mod values;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use check::limits;
pub(crate) use values::whole_number;
pub use values::{Date, TimeOfDay};

use crate::lang::{LangTag, VoiceName};

/// What the caller hears in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Said in this order.
    pub segments: Vec<Segment>,
    /// The prompt's language; without it the call's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<LangTag>,
    /// A voice of the speech provider; without it the language's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<VoiceName>,
    /// `false` keeps its speech out of every cache: for what must leave no trace.
    #[serde(default = "yes")]
    pub cacheable: bool,
}

impl Prompt {
    /// A prompt in the call's language and voice.
    #[must_use]
    pub fn new(segments: Vec<Segment>) -> Self {
        Self { segments, lang: None, voice: None, cacheable: true }
    }

    /// A prompt of one plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(vec![Segment::Text(text.into())])
    }

    /// The same prompt in a language of its own.
    #[must_use]
    pub fn in_language(mut self, lang: LangTag) -> Self {
        self.lang = Some(lang);
        self
    }
}

fn yes() -> bool {
    true
}

/// One piece of a prompt. `Debug` never shows what is said: it may be a caller's number or name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Plain text for speech synthesis.
    Text(String),
    /// A small, whitelisted part of SSML; see [`crate::ssml`].
    Ssml(String),
    /// A recording of the bundle, by name.
    Media(String),
    /// A whole number: "двадцать одна".
    Number(NumberSpec),
    /// A place in a row: "пятого".
    Ordinal(NumberSpec),
    /// A decimal fraction: "три целых четырнадцать сотых".
    Decimal(DecimalSpec),
    /// A number with its noun: "двадцать одна заявка".
    Counted(Counted),
    /// Digits to be written down: "ноль пять, двенадцать".
    Digits(DigitsSpec),
    /// An amount: "сто двадцать три рубля сорок пять копеек".
    Money(Money),
    /// A day: "пятое мая две тысячи двадцать шестого года".
    Date(DateSpec),
    /// A time of day: "восемь часов тридцать минут".
    Time(TimeOfDay),
    /// A span of time in milliseconds, said to the second: "две минуты пять секунд".
    Duration(u32),
    /// Letter by letter.
    Spell(String),
    /// Nothing, for so many milliseconds.
    Silence(u32),
    /// A named tone or a tone of one's own; see [`crate::ToneSpec`].
    Tone(String),
}

impl Segment {
    /// The segment's key in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Ssml(_) => "ssml",
            Self::Media(_) => "media",
            Self::Number(_) => "number",
            Self::Ordinal(_) => "ordinal",
            Self::Decimal(_) => "decimal",
            Self::Counted(_) => "counted",
            Self::Digits(_) => "digits",
            Self::Money(_) => "money",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::Duration(_) => "duration",
            Self::Spell(_) => "spell",
            Self::Silence(_) => "silence",
            Self::Tone(_) => "tone",
        }
    }

    /// True for what is likely a person's: telephone and document numbers, names. Its sound stays off the disk.
    #[must_use]
    pub fn is_private(&self) -> bool {
        matches!(self, Self::Digits(_) | Self::Spell(_))
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Media(name) => write!(f, "media({name:?})"),
            Self::Tone(name) => write!(f, "tone({name:?})"),
            Self::Silence(ms) => write!(f, "silence({ms} ms)"),
            Self::Text(text) | Self::Ssml(text) | Self::Spell(text) => {
                write!(f, "{}({} characters)", self.kind(), text.chars().count())
            }
            other => f.write_str(other.kind()),
        }
    }
}

/// Grammatical gender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say all")]
pub enum Gender {
    #[default]
    Masculine,
    Feminine,
    Neuter,
}

/// Grammatical case. The accusative is that of things, not of living beings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say all")]
pub enum Case {
    #[default]
    Nominative,
    Genitive,
    Dative,
    Accusative,
    Instrumental,
    Prepositional,
}

/// A whole number and the form it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberSpec {
    /// The number.
    #[serde(deserialize_with = "whole_number")]
    pub value: i64,
    /// Masculine where not said.
    #[serde(default)]
    pub gender: Gender,
    /// Nominative where not said.
    #[serde(default)]
    pub case: Case,
}

/// A decimal fraction: `unscaled` / 10^`scale`. 3.14 is 314 and 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecimalSpec {
    /// All digits, without the point.
    #[serde(deserialize_with = "whole_number")]
    pub unscaled: i64,
    /// How many of them stand after the point.
    pub scale: u8,
}

/// The forms of a noun after a number, by CLDR's classes: 1 рубль, 2 рубля, 5 рублей, `other` for fractions.
///
/// A language without a class leaves it empty; the nearest one given is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NounForms {
    /// 1, 21, 101 рубль; 1 request.
    pub one: String,
    /// 2, 3, 4, 22 рубля.
    #[serde(default)]
    pub few: String,
    /// 0, 5, 11, 12 рублей.
    #[serde(default)]
    pub many: String,
    /// 1.5 рубля; 2 requests.
    #[serde(default)]
    pub other: String,
    /// The noun's gender.
    #[serde(default)]
    pub gender: Gender,
}

/// A number with its noun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// How many.
    #[serde(deserialize_with = "whole_number")]
    pub value: i64,
    /// Of what, in the nominative; the case is made from it.
    pub noun: NounForms,
    /// Nominative where not said.
    #[serde(default)]
    pub case: Case,
}

/// How digits are grouped when read out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigitGrouping {
    /// Each for itself.
    OneByOne,
    /// Two by two, from the left.
    Pairs,
    /// Three by three, from the left.
    Triples,
    /// A Russian telephone number: 1-3-3-2-2.
    PhoneRu,
    /// An insurance account number: 3-3-3-2.
    Snils,
    /// By length: a telephone number, pairs, triples or one by one.
    #[default]
    Auto,
}

/// Digits to be written down by the caller. `Debug` shows only how many.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigitsSpec {
    /// 0–9, `*`, `#`, a leading `+`; spaces, hyphens, dots and brackets are passed over.
    pub digits: String,
    /// Automatic where not said.
    #[serde(default)]
    pub grouping: DigitGrouping,
}

impl fmt::Debug for DigitsSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigitsSpec({} characters, {:?})", self.digits.chars().count(), self.grouping)
    }
}

/// An amount of money in the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Kopecks of a rouble, cents of a dollar; yen themselves.
    #[serde(deserialize_with = "whole_number")]
    pub minor_units: i64,
    /// ISO 4217: `RUB`.
    pub currency: String,
}

/// A day and how fully it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateSpec {
    /// The day.
    pub value: Date,
    /// Nominative where not said: "пятое мая".
    #[serde(default)]
    pub case: Case,
    /// Also the year.
    #[serde(default)]
    pub say_year: bool,
    /// First the day of the week.
    #[serde(default)]
    pub say_weekday: bool,
}
