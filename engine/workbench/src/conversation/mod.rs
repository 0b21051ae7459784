//! Conversations: what an author expects of a script, written down so that it can be tried.
//!
//! A conversation is a call told in order: the script says, the caller presses, the back end answers; and at its end what
//! must be true *then*. There are three ways to have one: a file `tests/*.talk` in plain words ([`parse()`]), a program in the
//! script's own language that prints the JSON of [`Conversations`], and the tools, which write one down of what they
//! found ([`Conversation::to_text`]).
//!
//! - [`Conversation`], [`Setting`], [`Step`]: what is written down
//! - [`parse()`]: from text, with errors that show place, reason and remedy
//! - [`words_match`]: when something said is what was expected
//!
//! Deliberately not here: a world to try one in.

mod check;
pub mod coverage;
mod fields;
pub mod gather;
pub mod junit;
mod keywords;
mod matching;
pub(crate) mod of_call;
pub(crate) mod of_decisions;
mod parse;
pub mod report;
pub(crate) mod request;
pub mod run;
mod text;

pub use check::{CONVERSATIONS_MAX, Problem, STEPS_MAX, conversation as check_conversation, printed as check_printed};
pub use keywords::Tongue;
pub use matching::{Expected, words_match};
pub use parse::{FILE_BYTES_MAX, TalkError, TalkErrors, Written, parse};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version of the JSON that builders print.
pub const FORMAT: u32 = 1;

/// Conversations as a program prints them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversations {
    /// [`FORMAT`].
    pub format: u32,
    /// In the order in which they are told.
    pub conversations: Vec<Conversation>,
}

/// One call, told in order.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// What it shows, in a few words. No two of a project have the same.
    pub title: String,
    /// How the world is before the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// What happens, and then what must be true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// How the world is before the call. What nobody sets is as usual: it is noon on a Tuesday, nothing is stored, every secret
/// is there, operators work and answer, no back end can be reached, and the directory knows two of whatever it is asked
/// ([`gudok_simulator::ExampleDirectory`]).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "setting", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Setting {
    /// The call begins at that time: "2026-05-05 12:00", in the zone.
    At {
        /// Day and time.
        time: String,
    },
    /// Of the region: "Europe/Moscow". UTC where it is not set.
    Zone {
        /// As the IANA names it.
        zone: String,
    },
    /// The caller's number, E.164.
    From {
        /// "+79990000001"
        number: String,
    },
    /// The caller withholds the number.
    Withheld,
    /// In which language the call begins: "ru-RU".
    Language {
        /// A tag of BCP 47.
        language: String,
    },
    /// Under which entry the script is active.
    Entry {
        /// One of the manifest's.
        entry: String,
    },
    /// A value of the script's configuration, over the manifest's.
    Config {
        /// Its key.
        key: String,
        /// Its text.
        value: String,
    },
    /// A secret's text.
    Secret {
        /// Its name in the manifest.
        name: String,
        /// All of it, "Bearer abc".
        value: String,
    },
    /// What is stored under a key.
    Stored {
        /// A bucket of the manifest.
        bucket: String,
        /// The key.
        key: String,
        /// Its value; a text is stored as it is, anything else as JSON.
        value: Value,
    },
    /// A column of the contact whom a campaign calls.
    Contact {
        /// The column.
        name: String,
        /// What is in it.
        value: String,
    },
    /// An answering machine takes a campaign's call, and beeps after its greeting; where it is not set, a person does.
    AnsweredByMachine,
    /// An answer that the back end has ready for every such request that no step speaks of.
    BackEndAnswers {
        /// "GET"
        method: String,
        /// Path and query, or the whole address: "/slots?day=5". `…` stands for anything.
        path: String,
        /// The HTTP status.
        status: u16,
        /// A text is sent as it is, anything else as JSON; nothing where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
    },
    /// What is left to chance comes from here.
    Seed {
        /// Any number; 0 where it is not set.
        seed: u64,
    },
}

/// One thing that happens, or that must be true then.
///
/// What is said is compared word by word: case, punctuation and `ё` do not count, as nobody hears them. `…` stands for any
/// words or none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// The script says so, in one prompt.
    Says {
        /// All of it, or with `…` for what is left out.
        words: String,
    },
    /// The script asks with these words, and waits for keys.
    Asks {
        /// All of it, or with `…` for what is left out.
        words: String,
    },
    /// Asked for keys, the caller presses these.
    Presses {
        /// "1", "12345678#"
        keys: String,
    },
    /// While something is said that asks for nothing, the caller presses these keys.
    Interrupts {
        /// "1"
        keys: String,
    },
    /// Asked for keys, the caller presses none: once.
    Silent,
    /// Asked for keys, or while something is said, recorded or waited for, the caller hangs up.
    HangsUp,
    /// While a message is recorded, the caller speaks for so long, and is silent then.
    Speaks {
        /// For so long.
        seconds: u32,
    },
    /// The script asks its back end, which answers.
    BackEndAnswers {
        /// "GET"
        method: String,
        /// Path and query, or the whole address. `…` stands for anything.
        path: String,
        /// What must have been sent: of an object these fields, and it may have more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent: Option<Value>,
        /// The HTTP status.
        status: u16,
        /// A text is sent as it is, anything else as JSON; nothing where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
    },
    /// The script asks its back end, which cannot be reached.
    BackEndFails {
        /// "GET"
        method: String,
        /// Path and query, or the whole address. `…` stands for anything.
        path: String,
        /// What must have been sent: of an object these fields, and it may have more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent: Option<Value>,
    },
    /// The script asks its back end, which takes the request and never answers.
    BackEndNeverAnswers {
        /// "GET"
        method: String,
        /// Path and query, or the whole address. `…` stands for anything.
        path: String,
        /// What must have been sent: of an object these fields, and it may have more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent: Option<Value>,
    },
    /// Whom the caller is handed to (an operator, a telephone) answers, and talks.
    OperatorAnswers {
        /// For so long; a minute where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u32>,
    },
    /// Whom the caller is handed to is busy.
    OperatorBusy,
    /// Whom the caller is handed to lets it ring.
    OperatorSilent,
    /// Whom the caller is handed to refuses.
    OperatorRejects,
    /// The telephone of whom the caller is handed to is not on the net.
    OperatorUnreachable,
    /// There is nobody of the name that the caller is handed to.
    OperatorMissing,
    /// Nobody works in the group that the caller is handed to.
    OperatorsClosed,
    /// An operator of the queue answers, and talks.
    QueueAnswers {
        /// For so long; a minute where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u32>,
    },
    /// Nobody of the queue answers in time.
    QueueNobody,
    /// Nobody works in the queue.
    QueueClosed,
    /// As many wait in the queue as may.
    QueueFull,
    /// There is no queue of that name.
    QueueMissing,
    /// The next use of what scripts keep fails.
    StorageUnavailable,
    /// The next ticket, callback or mark cannot be written down.
    PromisesUnavailable,
    /// The next look into the reference data fails.
    DirectoryUnavailable,
    /// The reference data has nothing of what the script looks for next.
    DirectoryKnowsNothing,
    /// Then the script's result is that: "served", "no-service", a code of its own; of a campaign "delivered", "confirmed".
    ThenResult {
        /// The code.
        code: String,
    },
    /// Then the result has that field; of a campaign's result, these are its words.
    ThenField {
        /// The field's name.
        name: String,
        /// Its text.
        value: String,
    },
    /// Then the script named that step.
    ThenReached {
        /// As `host::step` has it.
        name: String,
    },
    /// Then the script did not name that step.
    ThenNotReached {
        /// As `host::step` has it.
        name: String,
    },
    /// Then that is stored.
    ThenStored {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The value; any where it is left out. A text is compared as it is, anything else as JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Value>,
    },
    /// Then nothing is stored under that key.
    ThenNotStored {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// Then such a ticket is registered.
    ThenTicket {
        /// "complaint", "outdated-information", "request"
        kind: String,
        /// The agency that it goes to; any where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agency: Option<String>,
    },
    /// Then no ticket is registered.
    ThenNoTicket,
    /// Then a callback is promised, by that queue's operators.
    ThenCallback {
        /// Any where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queue: Option<String>,
    },
    /// Then no callback is promised.
    ThenNoCallback,
    /// Then that mark was given.
    ThenSurvey {
        /// Which survey.
        survey: String,
        /// Which question.
        question: String,
        /// The mark.
        score: i64,
    },
    /// Then the caller was connected to that one: an operator, a group, a queue, a telephone, another script.
    ThenConnected {
        /// By name.
        name: String,
    },
    /// Then the caller heard these words, whoever said them.
    ThenHeard {
        /// A part of a prompt is enough.
        words: String,
    },
    /// Then the caller heard these words from nobody.
    ThenNeverHeard {
        /// A part of a prompt is enough.
        words: String,
    },
    /// Then the call took at most so long, as a caller's watch has it.
    ThenAtMost {
        /// So long.
        seconds: u32,
    },
    /// Then the script's processor time is under that, reckoned from what it executed.
    ThenCpu {
        /// Milliseconds.
        ms: u32,
    },
    /// Then the script's memory is under that.
    ThenMemory {
        /// Kibibytes.
        kib: u32,
    },
    /// Then `prepare` of a campaign said that: "dial", "skip", "not-before". Without it, "dial" is expected.
    ThenPlan {
        /// Which.
        plan: String,
    },
}

impl Conversation {
    /// With that title, and nothing in it yet.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// As an author writes it, in that tongue's keywords. Read again it is the same conversation.
    #[must_use]
    pub fn to_text(&self, tongue: Tongue) -> String {
        text::conversation(self, tongue)
    }

    /// The configuration that it sets.
    #[must_use]
    pub fn config(&self) -> BTreeMap<String, String> {
        let set = |setting: &Setting| match setting {
            Setting::Config { key, value } => Some((key.clone(), value.clone())),
            _ => None,
        };
        self.settings.iter().filter_map(set).collect()
    }
}

impl Step {
    /// Something that must be true at the call's end.
    #[must_use]
    pub const fn is_then(&self) -> bool {
        match self {
            Self::Says { .. } | Self::Asks { .. } => false,
            other => !other.is_callers() && !other.is_others(),
        }
    }

    /// Something that a back end, an operator, a queue or the host does.
    #[must_use]
    pub const fn is_others(&self) -> bool {
        matches!(
            self,
            Self::BackEndAnswers { .. }
                | Self::BackEndFails { .. }
                | Self::BackEndNeverAnswers { .. }
                | Self::OperatorAnswers { .. }
                | Self::OperatorBusy
                | Self::OperatorSilent
                | Self::OperatorRejects
                | Self::OperatorUnreachable
                | Self::OperatorMissing
                | Self::OperatorsClosed
                | Self::QueueAnswers { .. }
                | Self::QueueNobody
                | Self::QueueClosed
                | Self::QueueFull
                | Self::QueueMissing
                | Self::StorageUnavailable
                | Self::PromisesUnavailable
                | Self::DirectoryUnavailable
                | Self::DirectoryKnowsNothing
        )
    }

    /// Something that the caller does.
    #[must_use]
    pub const fn is_callers(&self) -> bool {
        matches!(
            self,
            Self::Presses { .. } | Self::Interrupts { .. } | Self::Silent | Self::HangsUp | Self::Speaks { .. }
        )
    }
}

#[cfg(test)]
mod tests;
