//! What is played, as data: the segments of the script interface (`prompts` in the WIT), and the host's own prompts.

use crate::privacy::PhoneNumber;
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
    /// Every operator is busy or away; call again later.
    OperatorsUnavailable,
    /// The agency's script is out of order: one for its information, or wait for an operator.
    InformationOffer,
    /// Where the caller stands in the queue.
    QueuePosition {
        /// From 1.
        position: u32,
        /// The expected wait in minutes, rounded up; zero where it is less than half of one, none where nobody knows.
        minutes: Option<u32>,
    },
    /// As many wait as may.
    QueueFull,
    /// The wait is longer than usual; stay on the line.
    TakesLonger,
    /// The caller is being connected with another centre.
    ConnectingElsewhere,
    /// One: we call you back at this number; two: at another; nothing: go on waiting.
    CallbackOffer {
        /// The caller's own number is known. Where it is not, one is for a number to be entered.
        own_number: bool,
    },
    /// Enter the number to be called at, and the hash key.
    CallbackEnterNumber,
    /// No telephone number.
    NotANumber,
    /// Nothing was entered.
    NothingEntered,
    /// The number that was entered, and: one if it is right, two to enter it again.
    CallbackReadBack {
        /// Digit by digit.
        number: PhoneNumber,
    },
    /// We call back by then.
    CallbackPromised {
        /// "14:35", in the centre's zone.
        by: Arc<str>,
        /// Where it is not today.
        date: Option<Date>,
    },
    /// This is not a number that we call back.
    CallbackNotDialable,
    /// We cannot promise to call back now.
    CallbackRefused,
    /// The caller keeps the place in the queue.
    StayOnLine,
    /// Goodbye, and nothing else.
    Goodbye,
    /// To whom a campaign has called, where its script failed and it has no operators: last words.
    CampaignApology,
    /// To somebody who asked for it: we call back, an operator follows.
    CallbackGreeting,
    /// To an operator, before the caller is dialled: a callback, to whom, about what.
    CallbackWhisper {
        /// Who is called; the last digits are said.
        number: PhoneNumber,
        /// In a few words; empty where nobody said.
        topic: Arc<str>,
    },
}

impl HostPrompt {
    /// The words for it in traces and transcripts, without what is in it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Apology => "apology",
            Self::Connecting => "connecting",
            Self::OperatorsClosed { .. } => "operators closed",
            Self::OperatorsUnavailable => "operators unavailable",
            Self::InformationOffer => "information offer",
            Self::QueuePosition { .. } => "queue position",
            Self::QueueFull => "queue full",
            Self::TakesLonger => "takes longer",
            Self::ConnectingElsewhere => "connecting elsewhere",
            Self::CallbackOffer { .. } => "callback offer",
            Self::CallbackEnterNumber => "callback enter number",
            Self::NotANumber => "not a number",
            Self::NothingEntered => "nothing entered",
            Self::CallbackReadBack { .. } => "callback read back",
            Self::CallbackPromised { .. } => "callback promised",
            Self::CallbackNotDialable => "callback not dialable",
            Self::CallbackRefused => "callback refused",
            Self::StayOnLine => "stay on line",
            Self::Goodbye => "goodbye",
            Self::CampaignApology => "campaign apology",
            Self::CallbackGreeting => "callback greeting",
            Self::CallbackWhisper { .. } => "callback whisper",
        }
    }
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
