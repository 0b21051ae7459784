//! What the engine says it plays and collects: bodies of the Info Package `gudok-transcript` (RFC 6086).

use serde_json::Value;

/// How many entries one call keeps.
pub(crate) const TRANSCRIPT_MAX: usize = 4_096;

/// One entry of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptEvent {
    /// The sender's counter, when it has one.
    pub seq: Option<u64>,
    /// What happened.
    pub kind: TranscriptKind,
}

/// What an entry of a transcript tells.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TranscriptKind {
    /// A prompt begins.
    Prompt {
        /// Its words.
        text: String,
        /// Its language, like `ru-RU`.
        language: Option<String>,
    },
    /// Keys are awaited.
    Collect {
        /// Which ones, as the sender puts it.
        keys: String,
    },
    /// The prompt was cut off.
    Interrupted,
    /// Something newer than this phone.
    Other {
        /// Its name.
        event: String,
        /// Its whole body.
        json: String,
    },
}

// A prompt may read a number back: digits are masked wherever a transcript is printed for debugging.
impl std::fmt::Debug for TranscriptKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let masked = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "•");
        match self {
            Self::Prompt { text, language } => {
                let language = language.as_deref().unwrap_or("-");
                write!(f, "Prompt[{language}]({})", masked(text))
            }
            Self::Collect { .. } => f.write_str("Collect"),
            Self::Interrupted => f.write_str("Interrupted"),
            Self::Other { event, .. } => write!(f, "Other({event})"),
        }
    }
}

impl TranscriptEvent {
    /// Reads a body; unknown events are kept, and only what is no JSON object with an event is refused.
    pub(crate) fn parse(body: &str) -> Option<Self> {
        let json: Value = serde_json::from_str(body).ok()?;
        let event = json.get("event")?.as_str()?;
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        let kind = match event {
            "prompt" => TranscriptKind::Prompt { text: text("text").unwrap_or_default(), language: text("lang") },
            "collect" => TranscriptKind::Collect { keys: text("keys").unwrap_or_default() },
            "interrupted" => TranscriptKind::Interrupted,
            other => TranscriptKind::Other { event: other.to_owned(), json: body.to_owned() },
        };
        Some(Self { seq: json.get("seq").and_then(Value::as_u64), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_masks_digits() {
        let event = TranscriptEvent::parse(r#"{"event":"prompt","text":"Ваш номер 8 913 555"}"#);
        let text = format!("{event:?}");
        assert!(text.contains("Ваш номер") && !text.contains(|c: char| c.is_ascii_digit()), "{text}");
    }

    #[test]
    fn bodies() {
        let check = |body: &str, expect: Option<(Option<u64>, TranscriptKind)>| {
            assert_eq!(TranscriptEvent::parse(body).map(|e| (e.seq, e.kind)), expect, "{body}");
        };
        check(
            r#"{"seq":1,"event":"prompt","text":"Здравствуйте","lang":"ru-RU"}"#,
            Some((Some(1), TranscriptKind::Prompt { text: "Здравствуйте".into(), language: Some("ru-RU".into()) })),
        );
        check(r#"{"event":"collect","keys":"1,2,3"}"#, Some((None, TranscriptKind::Collect { keys: "1,2,3".into() })));
        check(r#"{"seq":-1,"event":"interrupted","more":[]}"#, Some((None, TranscriptKind::Interrupted)));
        let new = r#"{"event":"transfer","to":"x"}"#;
        check(new, Some((None, TranscriptKind::Other { event: "transfer".into(), json: new.into() })));
        for bad in ["", "{", "[]", "{\"event\":1}", "{\"seq\":1}", "null"] {
            check(bad, None);
        }
    }
}
