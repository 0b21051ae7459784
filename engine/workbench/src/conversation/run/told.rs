//! A conversation as it went, and where it departed.

use serde::Serialize;
use serde_json::Value;

/// Who said or did something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The script, or the host in its call.
    Script,
    /// The caller, or whoever is called.
    Caller,
    /// A back end.
    BackEnd,
    /// An operator, a queue, a telephone.
    Operator,
    /// The world: what happens by itself.
    World,
}

impl Who {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Caller => "caller",
            Self::BackEnd => "back end",
            Self::Operator => "operator",
            Self::World => "",
        }
    }
}

/// One line of a conversation as it went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Told {
    /// Since the call began.
    pub at_ms: u64,
    /// Who.
    pub who: Who,
    /// What.
    pub text: String,
}

/// Where a conversation departed from what is expected.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Departure {
    /// The step that was expected, from 0; none where something came of which nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// Its line in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What is expected, as it is written.
    pub expected: String,
    /// What came.
    pub came: String,
    /// Both are words that are said, to be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<(String, String)>,
    /// What may be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// How many lines were told until then.
    pub told: usize,
}

impl Departure {
    pub(crate) fn new(expected: impl Into<String>, came: impl Into<String>) -> Self {
        Self {
            step: None,
            line: None,
            expected: expected.into(),
            came: came.into(),
            words: None,
            remedy: None,
            told: usize::MAX,
        }
    }

    pub(crate) const fn at(mut self, step: usize) -> Self {
        self.step = Some(step);
        self
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// A value as it is stored, sent or answered: a text as it is, anything else as JSON.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    text(value).into_bytes()
}

/// The same as text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether the bytes are that value: the same text, or the same JSON.
pub(super) fn is_value(bytes: &[u8], value: &Value) -> bool {
    bytes == self::bytes(value) || serde_json::from_slice::<Value>(bytes).is_ok_and(|found| found == *value)
}

/// Whether what was sent has all that is expected: of an object these fields, and it may have more.
pub(super) fn has(sent: &Value, expected: &Value) -> bool {
    match (sent, expected) {
        (Value::Object(sent), Value::Object(expected)) => {
            expected.iter().all(|(name, value)| sent.get(name).is_some_and(|sent| has(sent, value)))
        }
        (Value::Array(sent), Value::Array(expected)) => {
            sent.len() == expected.len() && sent.iter().zip(expected).all(|(sent, expected)| has(sent, expected))
        }
        (sent, expected) => sent == expected,
    }
}
