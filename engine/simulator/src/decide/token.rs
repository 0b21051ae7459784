//! Decisions, and the words that they are written in.

use super::moment::Moment;
use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

/// What happens at a moment that is left open.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Decision {
    /// The usual: the prompt is heard to its end, the operator answers, the back end does as it does. `go-on`.
    GoOn,
    /// These keys, once the prompt is over: `1`, `12345#`.
    Keys(String),
    /// These keys, in the middle of a prompt that asks for nothing: `ahead:1`.
    Ahead(String),
    /// No key: `silence`.
    Silence,
    /// `hang-up`.
    HangUp,
    /// The message is so long: `speak:5`, in seconds.
    Speak(Duration),
    /// How the transfer goes.
    Transfer(TransferChoice),
    /// How the wait goes.
    Queue(QueueChoice),
    /// What the back end answers.
    BackEnd(BackEndChoice),
    /// Storage fails: `store:unavailable`.
    NoStore,
    /// What is to be promised cannot be: `promise:unavailable`.
    NoPromise,
    /// What the directory says.
    Directory(DirectoryChoice),
}

/// How a transfer goes: `transfer:busy`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TransferChoice {
    /// Somebody answers, and hangs up after a talk: `answered`.
    Answered,
    /// `busy`.
    Busy,
    /// It rings, and nobody answers: `no-answer`.
    NoAnswer,
    /// They refuse: `rejected`.
    Rejected,
    /// Nobody works now: `closed`.
    Closed,
    /// Nobody's telephone is on the net: `unavailable`.
    Unavailable,
    /// There is nobody of that name: `failed`.
    Failed,
}

/// How a wait goes: `queue:closed`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum QueueChoice {
    /// An operator answers, and hangs up after a talk: `answered`.
    Answered,
    /// Nobody answers: the host acts at the limit of the wait. `nobody`.
    Nobody,
    /// Nobody works now: `closed`.
    Closed,
    /// As many wait as may: `full`.
    Full,
    /// There is no queue of that name: `failed`.
    Failed,
}

/// What a back end answers: `back-end:503`, `back-end:200:{"a":1}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BackEndChoice {
    /// That status, and that body.
    Answers(u16, String),
    /// It is not there: `back-end:unreachable`.
    Unreachable,
    /// It never answers: `back-end:hangs`.
    Hangs,
    /// It answers 200 and no JSON: `back-end:nonsense`.
    Nonsense,
}

/// What the directory says: `directory:nothing`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DirectoryChoice {
    /// It knows nothing of the kind, and nobody works now: `nothing`.
    Nothing,
    /// It cannot be asked: `unavailable`.
    Unavailable,
}

impl Decision {
    /// Whether it is one for this moment. Only [`Decision::GoOn`] is for any.
    #[must_use]
    pub const fn fits(&self, moment: &Moment) -> bool {
        match self {
            Self::GoOn => true,
            Self::HangUp => matches!(
                moment,
                Moment::Asked(_) | Moment::Heard(_) | Moment::Records { .. } | Moment::Transfers(_) | Moment::Waits(_)
            ),
            Self::Keys(_) => matches!(moment, Moment::Asked(_) | Moment::Records { .. }),
            Self::Silence => matches!(moment, Moment::Asked(_)),
            Self::Ahead(_) => matches!(moment, Moment::Heard(_)),
            Self::Speak(_) => matches!(moment, Moment::Records { .. }),
            Self::Transfer(_) => matches!(moment, Moment::Transfers(_)),
            Self::Queue(_) => matches!(moment, Moment::Waits(_)),
            Self::BackEnd(_) => matches!(moment, Moment::Fetches(_)),
            Self::NoStore => matches!(moment, Moment::Stores(_)),
            Self::NoPromise => matches!(moment, Moment::Promises(_)),
            Self::Directory(_) => matches!(moment, Moment::Directory(_)),
        }
    }

    /// Done by the caller, as against whatever else there is.
    #[must_use]
    pub const fn is_callers(&self) -> bool {
        matches!(self, Self::Keys(_) | Self::Ahead(_) | Self::Silence | Self::HangUp | Self::Speak(_))
    }
}

impl TransferChoice {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Answered, Self::Busy, Self::NoAnswer, Self::Rejected, Self::Closed, Self::Unavailable, Self::Failed];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Rejected => "rejected",
            Self::Closed => "closed",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }
}

impl QueueChoice {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Answered, Self::Nobody, Self::Closed, Self::Full, Self::Failed];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Nobody => "nobody",
            Self::Closed => "closed",
            Self::Full => "full",
            Self::Failed => "failed",
        }
    }
}

impl DirectoryChoice {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Unavailable => "unavailable",
        }
    }
}

const TRANSFER: &str = "transfer:";
const QUEUE: &str = "queue:";
const BACK_END: &str = "back-end:";
const DIRECTORY: &str = "directory:";
const AHEAD: &str = "ahead:";
const SPEAK: &str = "speak:";

impl Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GoOn => f.write_str("go-on"),
            Self::Keys(keys) => f.write_str(keys),
            Self::Ahead(keys) => write!(f, "{AHEAD}{keys}"),
            Self::Silence => f.write_str("silence"),
            Self::HangUp => f.write_str("hang-up"),
            Self::Speak(time) => write!(f, "{SPEAK}{}", time.as_secs()),
            Self::Transfer(choice) => write!(f, "{TRANSFER}{}", choice.as_str()),
            Self::Queue(choice) => write!(f, "{QUEUE}{}", choice.as_str()),
            Self::BackEnd(BackEndChoice::Answers(status, body)) if body.is_empty() => write!(f, "{BACK_END}{status}"),
            Self::BackEnd(BackEndChoice::Answers(status, body)) => {
                write!(f, "{BACK_END}{status}:{}", in_one_word(body))
            }
            Self::BackEnd(BackEndChoice::Unreachable) => write!(f, "{BACK_END}unreachable"),
            Self::BackEnd(BackEndChoice::Hangs) => write!(f, "{BACK_END}hangs"),
            Self::BackEnd(BackEndChoice::Nonsense) => write!(f, "{BACK_END}nonsense"),
            Self::NoStore => f.write_str("store:unavailable"),
            Self::NoPromise => f.write_str("promise:unavailable"),
            Self::Directory(choice) => write!(f, "{DIRECTORY}{}", choice.as_str()),
        }
    }
}

/// JSON without a blank: those inside its texts are written as JSON may write them, what is between its parts is left out.
fn in_one_word(json: &str) -> String {
    let compact = serde_json::from_str::<serde_json::Value>(json).map_or_else(|_| json.to_owned(), |v| v.to_string());
    let mut word = String::with_capacity(compact.len());
    for character in compact.chars() {
        match character {
            ' ' => word.push_str("\\u0020"),
            '\t' => word.push_str("\\t"),
            '\n' => word.push_str("\\n"),
            '\r' => word.push_str("\\r"),
            other if other.is_whitespace() => word.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => word.push(other),
        }
    }
    word
}

/// A word that is no decision.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{word:?} is no decision: {remedy}")]
pub struct NoDecision {
    /// As it was written.
    pub word: String,
    /// What may be written.
    pub remedy: &'static str,
}

/// Keys of one answer.
const KEYS_MAX: usize = 64;
/// Of one message, in seconds.
const SPEAK_S_MAX: u64 = 3_600;
const ANY: &str = "write keys (1, 12345#), silence, hang-up, go-on, ahead:KEYS, speak:SECONDS, transfer:…, queue:…, \
                   back-end:…, store:unavailable, promise:unavailable, directory:nothing or directory:unavailable";

impl FromStr for Decision {
    type Err = NoDecision;

    fn from_str(word: &str) -> Result<Self, NoDecision> {
        let no = |remedy| NoDecision { word: word.into(), remedy };
        match word {
            "go-on" => return Ok(Self::GoOn),
            "silence" => return Ok(Self::Silence),
            "hang-up" => return Ok(Self::HangUp),
            "store:unavailable" => return Ok(Self::NoStore),
            "promise:unavailable" => return Ok(Self::NoPromise),
            _ => {}
        }
        if let Some(choice) = word.strip_prefix(TRANSFER) {
            let known = TransferChoice::ALL.into_iter().find(|known| known.as_str() == choice);
            let remedy = "after transfer: comes answered, busy, no-answer, rejected, closed, unavailable or failed";
            return known.map(Self::Transfer).ok_or_else(|| no(remedy));
        }
        if let Some(choice) = word.strip_prefix(QUEUE) {
            let known = QueueChoice::ALL.into_iter().find(|known| known.as_str() == choice);
            return known
                .map(Self::Queue)
                .ok_or_else(|| no("after queue: comes answered, nobody, closed, full or failed"));
        }
        if let Some(choice) = word.strip_prefix(DIRECTORY) {
            let known = [DirectoryChoice::Nothing, DirectoryChoice::Unavailable];
            let known = known.into_iter().find(|known| known.as_str() == choice);
            return known.map(Self::Directory).ok_or_else(|| no("after directory: comes nothing or unavailable"));
        }
        if let Some(choice) = word.strip_prefix(BACK_END) {
            return back_end(choice).map(Self::BackEnd).ok_or_else(|| {
                no("after back-end: comes a status (500), a status and a body (200:{\"a\":1}), unreachable, hangs or nonsense")
            });
        }
        if let Some(keys) = word.strip_prefix(AHEAD) {
            return is_keys(keys).then(|| Self::Ahead(keys.into())).ok_or_else(|| no("after ahead: come keys"));
        }
        if let Some(seconds) = word.strip_prefix(SPEAK) {
            let seconds = seconds.parse().ok().filter(|seconds| *seconds <= SPEAK_S_MAX);
            let remedy = "after speak: come whole seconds, at most 3600";
            return seconds.map(|s| Self::Speak(Duration::from_secs(s))).ok_or_else(|| no(remedy));
        }
        is_keys(word).then(|| Self::Keys(word.into())).ok_or_else(|| no(ANY))
    }
}

fn is_keys(word: &str) -> bool {
    (1..=KEYS_MAX).contains(&word.len()) && word.chars().all(|key| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D'))
}

fn back_end(choice: &str) -> Option<BackEndChoice> {
    match choice {
        "unreachable" => return Some(BackEndChoice::Unreachable),
        "hangs" => return Some(BackEndChoice::Hangs),
        "nonsense" => return Some(BackEndChoice::Nonsense),
        _ => {}
    }
    let (status, body) = choice.split_once(':').unwrap_or((choice, ""));
    let status = status.parse().ok().filter(|status| (100..=599).contains(status))?;
    Some(BackEndChoice::Answers(status, body.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let check = |word: &str| assert_eq!(word.parse::<Decision>().unwrap().to_string(), word);
        for word in ["1", "12345#", "*", "silence", "hang-up", "go-on", "ahead:12", "speak:5", "store:unavailable"] {
            check(word);
        }
        check("promise:unavailable");
        check("directory:nothing");
        TransferChoice::ALL.into_iter().for_each(|choice| check(&Decision::Transfer(choice).to_string()));
        QueueChoice::ALL.into_iter().for_each(|choice| check(&Decision::Queue(choice).to_string()));
        for word in ["back-end:503", "back-end:hangs", "back-end:unreachable", "back-end:nonsense"] {
            check(word);
        }
        check("back-end:200:{\"place\":[3,null]}");
    }

    #[test]
    fn a_body_is_one_word() {
        let body = "{ \"name\": \"Анна Ивановна\",\n \"n\": 1 }";
        let word = Decision::BackEnd(BackEndChoice::Answers(200, body.into())).to_string();
        assert_eq!(word, "back-end:200:{\"n\":1,\"name\":\"Анна\\u0020Ивановна\"}");
        let Decision::BackEnd(BackEndChoice::Answers(200, read)) = word.parse().unwrap() else { panic!("{word}") };
        let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(same(&read), same(body));
    }

    #[test]
    fn what_is_no_decision_is_told_with_a_remedy() {
        let check = |word: &str, part: &str| {
            let error = word.parse::<Decision>().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("eins", "write keys");
        check("transfer:maybe", "no-answer");
        check("queue:maybe", "closed");
        check("back-end:99", "a status (500)");
        check("speak:long", "whole seconds");
        check("ahead:x", "come keys");
        check("directory:", "unavailable");
        check(&"1".repeat(65), "write keys");
    }
}
