//! What the caller enters: grammars and the outcome of a question (the WIT's `input`).

use crate::privacy::{Keys, PhoneNumber};
use crate::prompt::{Date, Prompt};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One key, or several, and the value it stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The keys.
    pub key: String,
    /// What they stand for.
    pub value: String,
    /// With speech, what may be said instead.
    pub phrases: Vec<String>,
}

/// What counts as an answer; see the WIT's `grammar` for each.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum Grammar {
    Digits { min: u8, max: u8, terminators: String },
    Choices(Vec<Choice>),
    YesNo,
    Date,
    Money,
    Phone,
    Snils,
    Inn,
    OmsPolicy,
    PostalCode,
    FreeSpeech(Duration),
}

/// What to say before asking again.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct Retry {
    pub attempts: u8,
    pub no_input: Option<Arc<Prompt>>,
    pub no_match: Option<Arc<Prompt>>,
}

/// A question; the WIT's `collect-options`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct CollectOptions {
    pub grammar: Grammar,
    pub dtmf: bool,
    pub speech: bool,
    pub prompt: Option<Arc<Prompt>>,
    pub first_timeout: Duration,
    pub inter_digit: Duration,
    pub retry: Retry,
    pub sensitive: bool,
    pub global_keys: Vec<Choice>,
}

/// What the keys mean. `Debug` shows the kind only: the question may have been a sensitive one.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum Value {
    Text(String),
    Flag(bool),
    Date(Date),
    Money { minor_units: i64, currency: Arc<str> },
    Phone(PhoneNumber),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::Flag(_) => "Flag(…)",
            Self::Date(_) => "Date(…)",
            Self::Money { .. } => "Money(…)",
            Self::Phone(_) => "Phone(…)",
        })
    }
}

/// An answer that the grammar took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collected {
    /// What it means.
    pub value: Value,
    /// The keys as pressed.
    pub raw: Keys,
    /// On which attempt, from 1.
    pub attempt: u8,
}

/// How a question ended; the WIT's `outcome`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum Outcome {
    Ok(Collected),
    Global(String),
    NoInput,
    NoMatch(Keys),
}
