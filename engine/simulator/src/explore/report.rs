//! What came of exploring.

use crate::callee::Callee;
use crate::decide::{CallOf, Decisions};
use serde::{Deserialize, Serialize};

/// What came of exploring a script.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ExploreReport {
    /// Its name.
    pub script: String,
    /// Its version.
    pub version: String,
    /// Whose.
    pub agency: String,
    /// Under which entry.
    pub entry: String,
    /// Whole calls, each from the answer to its end.
    pub paths: u64,
    /// In how much time.
    pub took_ms: u64,
    /// Of one core.
    pub paths_per_second: f64,
    /// What was met.
    pub covered: Covered,
    /// What was not, by the bound that left it out. Empty where everything was.
    pub left_out: Vec<LeftOut>,
    /// What no caller should meet, the gravest first.
    pub findings: Vec<Finding>,
    /// The dialog as it was found.
    pub flow: Flow,
}

/// What was met.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Covered {
    /// Places of the dialog that are not the same.
    pub states: u64,
    /// Of them, questions.
    pub questions: u64,
    /// Different words said.
    pub prompts: u64,
    /// Steps that the script named.
    pub steps: u64,
    /// Ways from a place to the next.
    pub edges: u64,
    /// Places that were taken for the same and looked at twice.
    pub merges_probed: u64,
    /// Of them, those that turned out not to be the same.
    pub splits: u64,
    /// Requests to back ends.
    pub requests: u64,
    /// The most CPU of one call.
    pub cpu_us_max: u64,
    /// The most memory of one call.
    pub memory_bytes_max: u64,
    /// The most host calls of one call.
    pub host_calls_max: u64,
}

/// What a bound left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LeftOut {
    /// The bound's name: `depth_max`.
    pub bound: String,
    /// Its value.
    pub max: u64,
    /// So many decisions were not tried for it.
    pub decisions: u64,
    /// In a sentence.
    pub what: String,
}

/// What no caller should meet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The shortest way there that was found.
    pub keys: Decisions,
    /// What is wrong, where, and what mends it.
    pub message: String,
    /// A command that lets one meet it.
    pub replay: String,
    /// What is heard and done on that way.
    pub heard: Vec<String>,
    /// The step of the dialog that the script named last.
    pub step: Option<String>,
    /// The node of the flow where it is.
    pub node: Option<String>,
    /// Of a campaign's script: the columns of the contact in whose call it was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contact: Vec<(String, String)>,
    /// Of a campaign's script: an answering machine took that call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_machine: bool,
}

impl Finding {
    /// The call in which it was found, of the one that was explored.
    #[must_use]
    pub fn call(&self, explored: &CallOf) -> CallOf {
        let callee = if self.on_machine { Some(Callee::answering_machine()) } else { explored.callee.clone() };
        CallOf { contact: self.contact.clone(), callee, ..explored.clone() }
    }
}

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// The script crashed: a panic, unreachable code, a stack that ran over.
    Trap,
    /// It used more CPU than it may.
    Cpu,
    /// It asked for more memory than it may.
    Memory,
    /// It made more host calls, or said more, than it may.
    Quota,
    /// It took longer than it may.
    Timeout,
    /// It returned an error, and the host takes its caller on with an apology.
    ReturnedError,
    /// A back end's failure is not handled: the script ends by it.
    UnhandledBackEndError,
    /// A way that a transfer or a wait may go is not handled: the script ends by it.
    UnhandledTransferOutcome,
    /// Storage or the directory fails, and the script ends by it.
    UnhandledStoreError,
    /// It returned without having served its caller.
    ReturnedWithoutServing,
    /// The caller is left in silence, or the call ends without a word.
    DeadEnd,
    /// A way through the dialog that comes back to where it was, and from which no key leads out.
    EndlessLoop,
    /// The script goes on after its caller has hung up.
    IgnoresHangUp,
    /// A place from which no key leads to a person.
    NoWayToOperator,
    /// Whoever says nothing is not helped: the call ends, or the same is asked for ever.
    NoInputUnhandled,
    /// Whoever presses what is not on the list is not helped.
    NoMatchUnhandled,
    /// Keys are waited for, and nothing was said.
    SilentQuestion,
    /// A key is announced and leads nowhere.
    KeyDead,
    /// A key leads somewhere and is not announced.
    KeyUnannounced,
    /// A long prompt that no key interrupts.
    UninterruptiblePrompt,
    /// A prompt that is longer than anybody listens to.
    TooLongPrompt,
    /// A text that is not in the language that is spoken.
    MissingText,
    /// A recording that is not there.
    MissingMedia,
    /// What was entered in secret is said aloud.
    SensitiveSpoken,
    /// What was entered in secret is written down.
    SensitiveLogged,
    /// Something was promised, and the caller is not told; or the other way round.
    PromiseNotTold,
    /// The caller is handed to who is not there.
    MissingTarget,
    /// A campaign's script fails before anybody is called.
    PrepareFailed,
    /// A promise of the machine's own was broken: a fault of the engine, not of the script.
    Engine,
}

impl FindingKind {
    /// Its word: `dead-end`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Quota => "quota",
            Self::Timeout => "timeout",
            Self::ReturnedError => "returned-error",
            Self::UnhandledBackEndError => "unhandled-back-end-error",
            Self::UnhandledTransferOutcome => "unhandled-transfer-outcome",
            Self::UnhandledStoreError => "unhandled-store-error",
            Self::ReturnedWithoutServing => "returned-without-serving",
            Self::DeadEnd => "dead-end",
            Self::EndlessLoop => "endless-loop",
            Self::IgnoresHangUp => "ignores-hang-up",
            Self::NoWayToOperator => "no-way-to-operator",
            Self::NoInputUnhandled => "no-input-unhandled",
            Self::NoMatchUnhandled => "no-match-unhandled",
            Self::SilentQuestion => "silent-question",
            Self::KeyDead => "key-dead",
            Self::KeyUnannounced => "key-unannounced",
            Self::UninterruptiblePrompt => "uninterruptible-prompt",
            Self::TooLongPrompt => "too-long-prompt",
            Self::MissingText => "missing-text",
            Self::MissingMedia => "missing-media",
            Self::SensitiveSpoken => "sensitive-spoken",
            Self::SensitiveLogged => "sensitive-logged",
            Self::PromiseNotTold => "promise-not-told",
            Self::MissingTarget => "missing-target",
            Self::PrepareFailed => "prepare-failed",
            Self::Engine => "engine",
        }
    }
}

/// The dialog as it was found: the same states as were explored, each once.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Flow {
    /// Where a call begins; none where nothing was met.
    pub start: Option<String>,
    /// A command that makes the call.
    pub replay: String,
    /// In the order in which they were met, the start first.
    pub nodes: Vec<FlowNode>,
    /// Between them, in the order of their nodes.
    pub edges: Vec<FlowEdge>,
}

/// A place of the dialog.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FlowNode {
    /// Its name within the flow: "n1".
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// The step of the dialog that the script named last.
    pub step: Option<String>,
    /// A few words.
    pub title: String,
    /// What is said, in full; of a transfer, to whom; of a request, to which back end.
    pub said: String,
    /// In which language.
    pub lang: String,
    /// The shortest way there that was found.
    pub reached_by: Decisions,
    /// A command that leads there.
    pub replay: String,
    /// The findings here: places in [`ExploreReport::findings`].
    pub findings: Vec<usize>,
}

/// What a place of the dialog is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// Keys are waited for.
    Question,
    /// Something is said.
    Message,
    /// The caller is handed over.
    Transfer,
    /// The caller waits.
    Queue,
    /// A callback is offered or booked.
    Callback,
    /// A back end is asked.
    BackEnd,
    /// Storage or the directory is asked.
    Data,
    /// A ticket or a survey.
    Promise,
    /// A message is recorded.
    Recording,
    /// The call is over.
    End,
}

/// A way from a place to the next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FlowEdge {
    /// From that node.
    pub from: String,
    /// To that one.
    pub to: String,
    /// What leads there; several where several do.
    pub labels: Vec<FlowLabel>,
    /// It is where things go by themselves, or as they should: an answer that fits, a request that is answered.
    pub usual: bool,
}

/// What leads along an edge.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct FlowLabel {
    /// As decisions are written: `1`, `silence`, `transfer:busy`.
    pub decision: String,
    /// What the key stands for, where the script says so: "passport".
    pub stands_for: Option<String>,
}

/// What is different between two reports.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FlowDiff {
    /// Places that are new: nodes of the new flow.
    pub added: Vec<FlowNode>,
    /// Places that are gone: nodes of the old flow.
    pub gone: Vec<FlowNode>,
    /// Places that say something else.
    pub changed: Vec<ChangedNode>,
    /// Ways that are new, with the new flow's names.
    pub edges_added: Vec<FlowEdge>,
    /// Ways that are gone, with the old flow's names.
    pub edges_gone: Vec<FlowEdge>,
    /// What is wrong only now.
    pub findings_new: Vec<Finding>,
    /// What was wrong and is so no more.
    pub findings_mended: Vec<Finding>,
    /// Nodes of the old flow with the same ones of the new: what draws both needs it.
    pub same: Vec<(String, String)>,
}

/// A place that says something else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangedNode {
    /// In the old flow.
    pub old: String,
    /// In the new flow.
    pub new: String,
    /// What was said.
    pub said_before: String,
    /// What is said.
    pub said_now: String,
}

impl FlowDiff {
    /// Nothing is different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.gone.is_empty()
            && self.changed.is_empty()
            && self.edges_added.is_empty()
            && self.edges_gone.is_empty()
            && self.findings_new.is_empty()
            && self.findings_mended.is_empty()
    }
}
