//! Why a leg ended.
use serde::{Deserialize, Serialize};

/// Why a leg ended. Kept as its word, so that a record of a later engine can still be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum HangupCause {
    /// An answered leg was hung up.
    Normal,
    /// The caller gave up before an answer.
    Cancelled,
    /// The called party is busy.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The called party, or we, refused.
    Rejected,
    /// No such number or entry.
    NotFound,
    /// Above the admission limit.
    Overload,
    /// Transferred away: the leg ended because another took over.
    Transferred,
    /// No RTP or no signalling for too long.
    MediaTimeout,
    /// A time limit of the call was reached.
    TimeLimit,
    /// The network or the other side's signalling failed.
    NetworkFailure,
    /// The engine failed.
    EngineFailure,
    /// The engine was stopping.
    Drained,
    /// The engine died; written when it starts again.
    Crash,
    /// Anything else, in a stable word.
    Other(String),
}

impl HangupCause {
    /// A stable word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            HangupCause::Normal => "normal",
            HangupCause::Cancelled => "cancelled",
            HangupCause::Busy => "busy",
            HangupCause::NoAnswer => "no_answer",
            HangupCause::Rejected => "rejected",
            HangupCause::NotFound => "not_found",
            HangupCause::Overload => "overload",
            HangupCause::Transferred => "transferred",
            HangupCause::MediaTimeout => "media_timeout",
            HangupCause::TimeLimit => "time_limit",
            HangupCause::NetworkFailure => "network_failure",
            HangupCause::EngineFailure => "engine_failure",
            HangupCause::Drained => "drained",
            HangupCause::Crash => "crash",
            HangupCause::Other(word) => word,
        }
    }

    const NAMED: [HangupCause; 14] = [
        HangupCause::Normal,
        HangupCause::Cancelled,
        HangupCause::Busy,
        HangupCause::NoAnswer,
        HangupCause::Rejected,
        HangupCause::NotFound,
        HangupCause::Overload,
        HangupCause::Transferred,
        HangupCause::MediaTimeout,
        HangupCause::TimeLimit,
        HangupCause::NetworkFailure,
        HangupCause::EngineFailure,
        HangupCause::Drained,
        HangupCause::Crash,
    ];
}

impl From<String> for HangupCause {
    fn from(word: String) -> Self {
        Self::NAMED.into_iter().find(|cause| cause.as_str() == word).unwrap_or(HangupCause::Other(word))
    }
}

impl From<HangupCause> for String {
    fn from(cause: HangupCause) -> Self {
        match cause {
            HangupCause::Other(word) => word,
            named => named.as_str().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_reads_back_from_its_word() {
        for cause in HangupCause::NAMED.into_iter().chain([HangupCause::Other("q850_31".to_owned())]) {
            let word = serde_json::to_string(&cause).unwrap();
            assert_eq!(word, format!("\"{}\"", cause.as_str()));
            assert_eq!(serde_json::from_str::<HangupCause>(&word).unwrap(), cause);
        }
    }
}
