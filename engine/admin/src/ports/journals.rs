//! Journals of calls: what a script asked and was told, masked; and what another version would have done.

use super::{BoxFuture, EngineRefusal, VersionId};
use gudok_core::ids::{Agency, CallId};
use gudok_store::SubjectHash;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use utoipa::ToSchema;

/// The engine's journals, seen by its admins. What leaves the engine is masked.
pub trait Journals: Send + Sync {
    /// The journals of a call, one for each script that it had, in their order.
    fn journals_of(&self, call: CallId) -> BoxFuture<'_, Vec<JournalRow>> {
        let _ = call;
        Box::pin(std::future::ready(Vec::new()))
    }

    /// The journals that are kept of a person's calls.
    fn journals_of_subject(&self, subject: SubjectHash) -> BoxFuture<'_, Vec<JournalRow>> {
        let _ = subject;
        Box::pin(std::future::ready(Vec::new()))
    }

    /// A journal, step by step.
    fn journal(&self, call: CallId, run: u32) -> BoxFuture<'_, Result<Journal, EngineRefusal>> {
        let _ = (call, run);
        Box::pin(std::future::ready(Err(EngineRefusal::not_served("journals of calls"))))
    }

    /// Runs a call's script again, in a process of the lowest priority.
    fn replay(&self, call: CallId, run: u32, on: ReplayOn) -> BoxFuture<'_, Result<Replay, EngineRefusal>> {
        let _ = (call, run, on);
        Box::pin(std::future::ready(Err(EngineRefusal::not_served("journals of calls"))))
    }

    /// Runs the last calls of an agency's script on a version.
    fn rehearse(&self, order: RehearsalOrder) -> BoxFuture<'_, Result<Rehearsal, EngineRefusal>> {
        let _ = order;
        Box::pin(std::future::ready(Err(EngineRefusal::not_served("journals of calls"))))
    }

    /// Overwrites the journals of a person's calls. How many.
    fn erase_journals(&self, subject: SubjectHash) -> BoxFuture<'_, Result<u64, EngineRefusal>> {
        let _ = subject;
        Box::pin(std::future::ready(Ok(0)))
    }
}

/// On which version a call is run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayOn {
    /// On its own.
    Own,
    /// On one that was taken in.
    Version(VersionId),
    /// On a bundle that lies there.
    File(PathBuf),
}

/// Which calls are to be run again, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RehearsalOrder {
    /// Whose calls.
    pub agency: Agency,
    /// Of which script.
    pub script: String,
    /// The last so many.
    pub last: usize,
    /// On which version.
    pub on: ReplayOn,
}

/// A journal that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JournalRow {
    /// The call, 32 hexadecimal digits.
    pub call: String,
    /// Which of the call's scripts, from 1.
    pub run: u32,
    /// Whose.
    pub agency: String,
    /// Which entry.
    pub entry: String,
    /// The script's name.
    pub script: String,
    /// The version that it ran on.
    pub version: VersionId,
    /// As in its manifest.
    pub label: String,
    /// Milliseconds since 1970.
    pub began_ms: u64,
    /// Milliseconds since 1970.
    pub ended_ms: u64,
    /// Host calls of the script.
    pub host_calls: u32,
    /// It was longer than a journal may be; the rest is not in it.
    pub cut: bool,
}

/// A journal, step by step. Everything personal is masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Journal {
    /// Which.
    #[serde(flatten)]
    pub row: JournalRow,
    /// How the script ended, in words.
    pub end: String,
    /// What it asked and was told, in order.
    pub steps: Vec<JournalStep>,
}

/// One host call. Everything personal is masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JournalStep {
    /// From 1, without gaps.
    pub seq: u32,
    /// When it was answered, from the script's beginning.
    pub at_ms: u64,
    /// The dialog's step that the script had named by then.
    pub step: String,
    /// As in the interface: `telephony.call.say`.
    pub function: String,
    /// What was asked and answered, in one line.
    pub line: String,
    /// A list with the arguments.
    #[schema(value_type = Object)]
    pub args: serde_json::Value,
    /// The result; null where there was none.
    #[schema(value_type = Object)]
    pub result: Option<serde_json::Value>,
}

/// A call that was run again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Replay {
    /// The call.
    pub call: String,
    /// Whose.
    pub agency: String,
    /// Which entry.
    pub entry: String,
    /// The version that it ran on.
    pub was: ReplayVersion,
    /// The version that it was run again on.
    pub is: ReplayVersion,
    /// `identical`, `same-outcome`, `journal-ends`, `outcome-changed`, `parted`.
    pub verdict: String,
    /// Host calls that were the same from the beginning.
    pub same_calls: u32,
    /// Host calls of the call.
    pub host_calls: u32,
    /// Where the two part.
    pub parting: Option<ReplayParting>,
    /// What is different without parting.
    pub differences: Vec<ReplayDifference>,
    /// What came of the call.
    pub outcome: ReplayOutcome,
    /// What came of the replay; null where the two part.
    pub replayed: Option<ReplayOutcome>,
    /// What of that is not as it was.
    pub changes: Vec<ReplayChange>,
    /// The replay's host calls.
    pub steps: Vec<JournalStep>,
}

/// A version by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayVersion {
    /// The script.
    pub script: String,
    /// As in its manifest.
    pub version: String,
    /// Its id.
    pub bundle: VersionId,
}

/// Where a version parts from a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayParting {
    /// At which host call of the replay, from 1.
    pub seq: u32,
    /// In which step of the dialog.
    pub step: String,
    /// What the call has there; null where it has nothing more.
    pub expected: Option<String>,
    /// The host function of that.
    pub expected_function: Option<String>,
    /// What the version asks; null where it comes to its end.
    pub found: Option<String>,
    /// The host function of that.
    pub found_function: Option<String>,
    /// In words.
    pub why: String,
}

/// Something that a version does in another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayDifference {
    /// At which host call of the replay, from 1.
    pub seq: u32,
    /// In which step of the dialog.
    pub step: String,
    /// In words.
    pub what: String,
}

/// What came of a call. Texts are masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayOutcome {
    /// The result code.
    pub result: String,
    /// Fields of the result.
    pub fields: Vec<String>,
    /// Of a campaign's call: what became of the contact.
    pub disposition: Option<String>,
    /// Callbacks that were promised.
    pub promises: Vec<String>,
    /// Tickets and surveys that were registered.
    pub tickets: Vec<String>,
    /// To whom the caller was handed, and how that went.
    pub transfers: Vec<String>,
    /// The host ended it, for this cause.
    pub by_host: Option<String>,
}

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayChange {
    /// `result`, `fields`, `disposition`, `promises`, `tickets`, `transfers`, `end`.
    pub what: String,
    /// In the call; masked.
    pub was: String,
    /// In the replay; masked.
    pub is: String,
}

/// The last calls of a script, run again on another version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rehearsal {
    /// Whose calls.
    pub agency: String,
    /// Of which script.
    pub script: String,
    /// The version of the rehearsal, as in its manifest.
    pub version: String,
    /// Calls that were run again.
    pub calls: u32,
    /// Every host call and the end are the same.
    pub identical: u32,
    /// The same came of them, on another way.
    pub same_outcome: u32,
    /// The same as far as the journal goes.
    pub journal_ends: u32,
    /// Something else came of them.
    pub changed: u32,
    /// The version asked something that the call has no answer for.
    pub parted: u32,
    /// Could not be run again; `problems` says why.
    pub not_replayed: u32,
    /// What changes, the most frequent first.
    pub changes: Vec<RehearsalChange>,
    /// Why calls could not be run again.
    pub problems: Vec<String>,
}

/// One change of outcomes, and the calls that it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalChange {
    /// `outcome-changed` or `parted`.
    pub verdict: String,
    /// In words.
    pub what: String,
    /// How many calls.
    pub calls: u32,
    /// One of them.
    pub example: String,
    /// Which of its scripts.
    pub run: u32,
    /// Where that one parts.
    pub parting: Option<ReplayParting>,
    /// What is not as it was in that one.
    pub changes: Vec<ReplayChange>,
}
