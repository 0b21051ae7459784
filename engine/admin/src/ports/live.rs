//! What is up and what happens: rows of the engine, and what its file says.

use super::{CallbackRow, CampaignRow, Deployment, OperatorRow, QueueRow, VersionId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A call that is up.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LiveCall {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Whose number was dialled, or who took the caller over.
    pub agency: String,
    /// Which script.
    pub entry: String,
    /// The script's name; empty before it runs.
    pub script: String,
    /// Its version's id.
    pub version: VersionId,
    /// As in its manifest.
    pub label: String,
    /// Masked.
    pub caller: String,
    /// The centre's own number.
    pub called: String,
    /// Milliseconds since 1970.
    pub since_ms: u64,
    /// The step that the script named last.
    pub step: String,
    /// `dialling`, `announcement`, `script`, `bridged`, `landed`.
    pub state: String,
    /// BCP 47.
    pub lang: String,
}

/// What happened in a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Still up.
    pub live: bool,
    /// Whose.
    pub agency: String,
    /// Which entry.
    pub entry: String,
    /// The versions that ran, in order.
    pub versions: Vec<VersionId>,
    /// Milliseconds since 1970.
    pub began_ms: u64,
    /// In order.
    pub lines: Vec<TraceLine>,
    /// Lines left out for length.
    pub dropped: u32,
}

/// One line of a trace. Numbers and sensitive keys are masked before they get here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TraceLine {
    /// Since the call began.
    pub at_ms: u32,
    /// `leg`, `script`, `step`, `say`, `key`, `host`, `log`.
    pub kind: String,
    /// What.
    pub text: String,
    /// How long it took.
    pub took_ms: Option<u32>,
    /// How it went.
    pub outcome: Option<String>,
    /// Whose script had the caller then: nobody of another agency sees the line.
    #[serde(default)]
    pub agency: Option<String>,
}

/// A line that a script logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogLine {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Whose.
    pub agency: String,
    /// Which script.
    pub script: String,
    /// Its version, as in its manifest.
    pub label: String,
    /// The call.
    pub call: String,
    /// `trace` … `error`.
    pub level: String,
    /// Masked.
    pub message: String,
    /// Masked.
    pub fields: BTreeMap<String, String>,
}

/// What is happening.
#[derive(Clone, Debug)]
pub enum Event {
    /// A call began, changed its step or state.
    Call(LiveCall),
    /// A call is over.
    CallEnded(LiveCall),
    /// A deployment changed.
    Deployment(Box<Deployment>),
    /// A script logged.
    Log(LogLine),
    /// An operator does something else.
    Operator(Box<OperatorRow>),
    /// A queue's line is another.
    Queue(Box<QueueRow>),
    /// A callback was promised, moved on, was escalated or ended.
    Callback(Box<CallbackRow>),
    /// A campaign's figures are others; of one campaign at most about once a second.
    Campaign(Box<CampaignRow>),
}

/// What the configuration's file has of the things that admins manage too.
#[derive(Clone, Debug, Default)]
pub struct FileFacts {
    /// Its hash, in hexadecimal.
    pub hash: String,
    /// Agencies of the file.
    pub agencies: Vec<FileAgency>,
    /// Numbers of the file: number, agency, entry, language.
    pub numbers: Vec<(String, String, String, String)>,
    /// Entries that the file seeds: agency, entry.
    pub entries: Vec<(String, String)>,
    /// Groups that may be a fallback.
    pub groups: Vec<String>,
    /// Trunks that may be `outbound`.
    pub trunks: Vec<String>,
    /// Overlays of the file.
    pub overlays: usize,
    /// Queues of the file.
    pub queues: Vec<String>,
    /// Operators of the file.
    pub operators: Vec<String>,
    /// Agencies of the file that have a webhook in it.
    pub webhooks: Vec<String>,
}

/// An agency of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileAgency {
    /// Its name.
    pub name: String,
    /// Where its callers land.
    pub fallback: String,
    /// Scripts of others that it may hand callers to, by its own names for them.
    pub reachable: BTreeMap<String, String>,
    /// By which trunk it dials.
    pub outbound: Option<String>,
    /// Where callers wait who need an operator.
    pub queue: Option<String>,
}
