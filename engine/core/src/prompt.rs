//! What is played, as data: the segments of the script interface (`prompts` in the WIT), and the host's own prompts.

use std::sync::Arc;
use std::time::Duration;

/// A language tag of BCP 47.
pub type LanguageTag = Arc<str>;

/// Grammatical gender of the noun that a number goes with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum Gender {
    Masculine,
    Feminine,
    Neuter,
}

/// Grammatical case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum Case {
    Nominative,
    Genitive,
    Dative,
    Accusative,
    Instrumental,
    Prepositional,
}

/// The forms of a noun behind a number, by the plural categories of CLDR.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "the names are CLDR's")]
pub struct NounForms {
    pub one: String,
    pub few: String,
    pub many: String,
    pub other: String,
    pub gender: Gender,
}

/// A day of the Gregorian calendar, not yet checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "self-explaining")]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

/// How a row of digits is cut up for the ear.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum DigitGrouping {
    OneByOne,
    Pairs,
    Triples,
    Phone,
    Snils,
    Auto,
}

/// One piece of a prompt; see the WIT's `segment` for each.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum Segment {
    Text(String),
    Ssml(String),
    Media(String),
    Number { value: i64, gender: Gender, case: Case },
    Ordinal { value: i64, gender: Gender, case: Case },
    Decimal { unscaled: i64, scale: u8 },
    Counted { value: i64, noun: NounForms, case: Case },
    Digits { digits: String, grouping: DigitGrouping },
    Money { minor_units: i64, currency: String },
    Date { value: Date, case: Case, say_year: bool, say_weekday: bool },
    Time { hour: u8, minute: u8 },
    Duration(Duration),
    Spell(String),
    Silence(Duration),
    Tone(String),
}

/// What interrupts a prompt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct BargeIn {
    pub dtmf: bool,
    pub speech: bool,
}

/// How fast a caller is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum Pace {
    /// As the voice speaks.
    #[default]
    Normal,
    /// Slower speech, longer time-outs, and everything is said twice.
    Slow,
}

/// What a script has said to the caller.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Prompt {
    /// In order.
    pub segments: Vec<Segment>,
    /// The call's language where none is given.
    pub lang: Option<LanguageTag>,
    /// A voice of the text-to-speech provider.
    pub voice: Option<String>,
    /// What interrupts it.
    pub barge_in: BargeIn,
    /// False for what is said once: its sound is not kept on disk.
    pub cacheable: bool,
}

/// What the host itself says, in every language that it knows; recorded in the host's media or spoken.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum HostPrompt {
    /// The script failed; an operator follows.
    Apology,
    /// An operator follows, and nothing is wrong.
    Connecting,
    /// Nobody works now.
    OperatorsClosed {
        /// From when somebody does, "06:00", where that is known.
        opens: Option<Arc<str>>,
    },
    /// Every operator is busy or away.
    OperatorsUnavailable,
}

/// Whose words are played.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PromptSource {
    /// The script's.
    Script(Arc<Prompt>),
    /// The host's own.
    Host(HostPrompt),
    /// A recording of the script's bundle by name, played over and over: music on hold.
    Music(Option<Arc<str>>),
}
