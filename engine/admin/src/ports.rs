//! What the admins' room asks of the engine. `engine/gudok` carries it out; tests bring their own.

mod campaigns;
mod centre;
mod flow;
mod journals;
mod live;

pub use campaigns::{
    ByteStream, CampaignFacts, CampaignFigures, CampaignForecast, CampaignIdle, CampaignPoint, CampaignRow,
    CampaignSeries, CampaignTrunk, CampaignWrite, Campaigns, ContactAttempt, ContactDetails, ContactRow, ContactRows,
    ContactsImport, ContactsQuery, ContactsReport, ForecastHour, ListFormat, OptOutOrder, OptOutRow, OptOutRows,
    OptOutsImport, OptOutsQuery, ResultsQuery, RowProblem,
};
pub use centre::{
    AttemptRow, CALLBACKS_ENDED_MAX, CallbackBooking, CallbackRow, CallbackWhich, Centre, CheckedAudio, DeskCall,
    DeskField, DeskTarget, DirectoryHit, DirectorySearch, OperatorRow, PeerRow, QueueRow, TicketNumber, TicketOrder,
    WaitingRow, WrapUp,
};
pub use flow::{FlowDrawing, FlowFinding, FlowOrder, FlowPlace, FlowWay};
pub use journals::{
    Journal, JournalRow, JournalStep, Journals, Rehearsal, RehearsalChange, RehearsalOrder, Replay, ReplayChange,
    ReplayDifference, ReplayOn, ReplayOutcome, ReplayParting, ReplayVersion,
};
pub use live::{Event, FileAgency, FileFacts, LiveCall, LogLine, Trace, TraceLine};

use bytes::Bytes;
use gudok_core::ids::{Agency, CallId, Entry};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use tokio::sync::broadcast;
use utoipa::ToSchema;

/// A future in a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A version's id: the SHA-256 of its bundle's content, 64 lower-case hexadecimal digits.
pub type VersionId = String;

/// Who did something, for the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user's name, `file`, `engine`, `first-token`.
    pub name: String,
    /// `api`, `console`, `cli`, `file`, `engine`.
    pub via: &'static str,
}

/// The engine, seen by its admins.
pub trait Engine: Centre + Campaigns + Journals {
    /// Looks at a bundle as if it went live, and runs it in the simulator. Never on a thread that serves calls.
    fn check_bundle(&self, check: BundleCheck) -> BoxFuture<'_, Result<CheckedBundle, EngineRefusal>>;
    /// What changes from one version to another.
    fn difference(&self, from: Option<VersionId>, to: VersionId) -> BoxFuture<'_, Result<Difference, EngineRefusal>>;
    /// A version's dialog, found by trying every key in the simulator, and its picture. Never on a thread that serves calls.
    fn flow(&self, order: FlowOrder) -> BoxFuture<'_, Result<FlowDrawing, EngineRefusal>>;

    /// Every entry that has a deployment; of one agency, or of all.
    fn deployments(&self, agency: Option<&Agency>) -> Vec<Deployment>;
    /// One entry's.
    fn deployment(&self, agency: &Agency, entry: &Entry) -> Option<Deployment>;
    /// Puts a version live at an entry, for a share of callers.
    fn deploy(
        &self,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        order: DeployOrder,
    ) -> BoxFuture<'_, Result<Deployment, EngineRefusal>>;
    /// The canary takes all calls.
    fn release(
        &self,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        expected_revision: Option<u64>,
    ) -> BoxFuture<'_, Result<Deployment, EngineRefusal>>;
    /// Back to the version before, in one step.
    fn roll_back(
        &self,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        reason: Option<String>,
        expected_revision: Option<u64>,
    ) -> BoxFuture<'_, Result<Deployment, EngineRefusal>>;
    /// What happened at an entry, newest first.
    fn history(&self, agency: &Agency, entry: &Entry) -> BoxFuture<'_, Result<Vec<DeploymentStep>, EngineRefusal>>;
    /// How calls ended, per version, in steps of time.
    fn outcomes(&self, agency: &Agency, entry: &Entry, step_s: u32) -> Vec<VersionOutcomes>;

    /// Calls that are up.
    fn live_calls(&self, agency: Option<&Agency>) -> Vec<LiveCall>;
    /// What happened in a call, live or past.
    fn trace(&self, call: CallId) -> BoxFuture<'_, Option<Trace>>;
    /// Traces of these calls are to be forgotten where they are in memory: their caller was erased.
    fn forget(&self, calls: &[CallId]) {
        let _ = calls;
    }
    /// Ends a call. False where it is over.
    fn hang_up(&self, call: CallId) -> bool;
    /// Takes a call out of its script's hands, to an operator. False where it is over.
    fn land(&self, call: CallId) -> bool;

    /// What happens from now on.
    fn events(&self) -> broadcast::Receiver<Event>;
    /// The scripts' last lines, oldest first.
    fn script_log(&self, agency: Option<&Agency>, lines_max: usize) -> Vec<LogLine>;
    /// Why scripts were stopped, oldest first.
    fn faults(&self, agency: Option<&Agency>) -> Vec<serde_json::Value>;

    /// Agencies, numbers, entries, overlays or retention in the ledger have changed: routes are made anew, and what is
    /// kept too long goes.
    fn ledger_changed(&self) -> BoxFuture<'_, Result<(), EngineRefusal>>;
    /// What the file says of agencies, numbers, entries; and names that the ledger may refer to.
    fn file(&self) -> FileFacts;
    /// The effective configuration without secrets.
    fn configuration(&self) -> serde_json::Value;
    /// Reads the file anew, as SIGHUP does.
    fn reload(&self, actor: Actor) -> BoxFuture<'_, Result<Vec<String>, EngineRefusal>>;

    /// Prometheus text.
    fn metrics(&self) -> String;
    /// Whether it takes calls.
    fn is_ready(&self) -> bool;
    /// It takes calls without its store: announcements, information and operators go on, nothing is promised.
    fn is_degraded(&self) -> bool {
        false
    }
    /// Milliseconds since 1970, by the engine's clock.
    fn now_ms(&self) -> u64;

    /// A telephone number in the one form under which call records are found by subject (E.164 by the centre's number
    /// plan). `None` where it is not a whole number.
    fn canonical_number(&self, number: &str) -> Option<String> {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let whole = number.starts_with('+') && (8..=15).contains(&digits.len());
        whole.then(|| format!("+{digits}"))
    }
}

/// Why the engine does not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{problem}")]
pub struct EngineRefusal {
    /// Short and stable, for programs: `unknown-version`, `stale-revision`, `not-approved`, `no-canary`, `nothing-before`,
    /// `entry-not-allowed`, `load-failed`, `bundle-refused`, `disk-low`, `conflict`, `internal`.
    pub code: &'static str,
    /// The HTTP status that says it best.
    pub status: u16,
    /// The field at fault.
    pub field: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
    /// Of a bundle: every step of the check.
    pub report: Option<Box<BundleReport>>,
}

impl EngineRefusal {
    /// This engine has nothing that could do it.
    #[must_use]
    pub fn not_served(what: &str) -> Self {
        Self {
            code: "not-served",
            status: 409,
            field: None,
            problem: format!("This engine does not serve {what}."),
            remedy: "Configure it in gudok.toml; see docs/OPERATING.md.".to_owned(),
            report: None,
        }
    }
}

/// A bundle to be checked.
#[derive(Clone, Debug)]
pub struct BundleCheck {
    /// Where it lies; the checker only reads it.
    pub file: PathBuf,
    /// The agency that it must belong to.
    pub agency: Agency,
    /// Who may sign for the agency now.
    pub keys: Vec<SigningKey>,
    /// Whether a bundle without signature passes.
    pub unsigned_allowed: bool,
    /// The version that it would take the place of, where that is known before the bundle is read.
    pub against: Option<VersionId>,
    /// Else: by script, the last version whose rights were approved. The check finds the bundle's script in it, compares
    /// with that version, and sets [`BundleReport::difference`]; with nothing where the script is new.
    pub against_by_script: BTreeMap<String, VersionId>,
    /// Milliseconds since 1970, for the signature's and keys' expiry.
    pub now_ms: u64,
}

/// A key that signs for an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// 16 hexadecimal digits.
    pub id: String,
    /// The minisign public key, base64.
    pub public_key: String,
    /// Signs nothing before.
    pub not_before_ms: Option<u64>,
    /// Signs nothing after.
    pub expires_ms: Option<u64>,
    /// Signs nothing any more.
    pub revoked: bool,
}

/// A bundle that passed.
#[derive(Clone, Debug)]
pub struct CheckedBundle {
    /// What it is.
    pub facts: BundleFacts,
    /// Every step of the check.
    pub report: BundleReport,
}

/// What a bundle says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BundleFacts {
    /// Its content's hash: the version's id.
    pub id: VersionId,
    /// Whose it is.
    pub agency: String,
    /// The script's name.
    pub script: String,
    /// Its version, as in the manifest.
    pub version: String,
    /// `service`, `menu`, `campaign`.
    pub kind: String,
    /// The script interface's version.
    pub interface: String,
    /// Under which entries it may be active; any where empty.
    pub entries: Vec<String>,
    /// BCP 47.
    pub languages: Vec<String>,
    /// The key that signed it.
    pub signed_by: Option<String>,
    /// What it asks for, as the manifest has it.
    pub capabilities: serde_json::Value,
    /// What it gets at most.
    pub limits: serde_json::Value,
    /// Of the file.
    pub size_bytes: u64,
}

/// How a check went, step by step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BundleReport {
    /// In order: archive, manifest, signature, interface, grants, media, compile, smoke.
    pub steps: Vec<CheckStep>,
    /// What would change.
    pub difference: Option<Difference>,
}

/// One step of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckStep {
    /// Its name.
    pub step: String,
    /// `ok`, `failed`, `skipped`.
    pub result: String,
    /// The field or file at fault.
    pub field: Option<String>,
    /// What is wrong.
    pub problem: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// How long it took.
    pub took_ms: u64,
}

/// What changes from one version to another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// The version compared with; none for a first one.
    pub against: Option<VersionId>,
    /// Rights: `added`, `removed`, `widened`, `narrowed`.
    pub capabilities: Vec<Change>,
    /// Limits.
    pub limits: Vec<Change>,
    /// Menus, node by node.
    pub menus: Vec<Change>,
    /// Recordings and data files.
    pub media: Vec<Change>,
    /// Entries and dialable numbers.
    pub numbers: Vec<Change>,
    /// Settings and their defaults.
    pub config: Vec<Change>,
    /// It may do something that the other might not.
    pub new_rights: bool,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Of what.
    pub name: String,
    /// `added`, `removed`, `changed`, `widened`, `narrowed`.
    pub change: String,
    /// Before, for people.
    pub from: Option<String>,
    /// After, for people.
    pub to: Option<String>,
}

/// To be put live.
#[derive(Clone, Debug)]
pub struct DeployOrder {
    /// Which.
    pub version: VersionId,
    /// Of callers, 1 to 100. Below 100 it is a canary beside the stable version.
    pub share_percent: u8,
    /// When to roll back; the default where none is given.
    pub guard: Option<Guard>,
    /// Calls on replaced versions move to an operator after that; never where none is given.
    pub drain_s: Option<u32>,
    /// The revision that the admin saw; any where none is given.
    pub expected_revision: Option<u64>,
}

/// When a new version is rolled back by itself. Percentages are points above the version that it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Guard {
    /// Ended calls before anything is judged.
    pub sample_min: u32,
    /// Calls whose script was stopped by a fault.
    pub trap_percent_over: f64,
    /// Calls that the host landed, for whatever reason.
    pub landing_percent_over: f64,
    /// Callers who hung up before being served.
    pub abandon_percent_over: f64,
    /// Mean CPU of a call, as a multiple.
    pub cpu_times_max: f64,
    /// Watched so long after its release; then it is the last good one.
    pub watch_s: u32,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            sample_min: 20,
            trap_percent_over: 2.0,
            landing_percent_over: 5.0,
            abandon_percent_over: 20.0,
            cpu_times_max: 3.0,
            watch_s: 3_600,
        }
    }
}

/// What is live at an entry.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Deployment {
    /// Whose.
    pub agency: String,
    /// Where.
    pub entry: String,
    /// Grows with every change.
    pub revision: u64,
    /// `stable`, `canary`, `watching`.
    pub state: String,
    /// Takes the callers who are not the canary's.
    pub stable: LiveVersion,
    /// Takes its share.
    pub canary: Option<LiveVersion>,
    /// Where the circuit breaker goes back to.
    pub last_good: Option<LiveVersion>,
    /// In force for the newest version.
    pub guard: Guard,
    /// Every version that still has calls, replaced ones too.
    pub running: Vec<RunningVersion>,
    /// The last time that a version was taken back.
    pub last_rollback: Option<RollBack>,
}

/// A version with a part in a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LiveVersion {
    /// Its id.
    pub version: VersionId,
    /// As in its manifest: "1.2.0".
    pub label: String,
    /// The script's name.
    pub script: String,
    /// RFC 3339.
    pub since: String,
    /// Who put it there.
    pub by: String,
    /// Of callers.
    pub share_percent: u8,
}

/// A version that has calls.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RunningVersion {
    /// Its id.
    pub version: VersionId,
    /// As in its manifest.
    pub label: String,
    /// Calls on it now.
    pub calls: u32,
    /// It takes no new ones.
    pub draining: bool,
    /// When the rest moves to an operator, RFC 3339.
    pub deadline: Option<String>,
}

/// A version was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RollBack {
    /// RFC 3339.
    pub at: String,
    /// The version taken back.
    pub from: VersionId,
    /// The version that serves instead.
    pub to: VersionId,
    /// In words, with figures.
    pub reason: String,
    /// By the engine itself.
    pub automatic: bool,
}

/// One change of a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentStep {
    /// RFC 3339.
    pub at: String,
    /// Who.
    pub by: String,
    /// `deploy`, `canary`, `release`, `rollback`, `rollback.automatic`.
    pub action: String,
    /// The version before.
    pub from: Option<VersionId>,
    /// The version after.
    pub to: VersionId,
    /// Of callers.
    pub share_percent: u8,
    /// Why, where it was said.
    pub reason: Option<String>,
}

/// How calls of one version ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct VersionOutcomes {
    /// Its id.
    pub version: VersionId,
    /// As in its manifest.
    pub label: String,
    /// In all.
    pub total: OutcomeCounts,
    /// Mean CPU of a call.
    pub cpu_ms_mean: f64,
    /// Over time, oldest first.
    pub series: Vec<OutcomePoint>,
}

/// Ends of calls, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutcomeCounts {
    /// All that ended.
    pub calls: u64,
    /// The script did its work.
    pub served: u64,
    /// The host took the caller over.
    pub landed: u64,
    /// Of these: the script was stopped by a fault.
    pub trapped: u64,
    /// The caller hung up before being served.
    pub abandoned: u64,
}

/// Ends of calls in one step of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutcomePoint {
    /// Its beginning, milliseconds since 1970.
    pub at_ms: u64,
    /// What ended in it.
    pub counts: OutcomeCounts,
}

/// The bytes of an answer that is not JSON.
pub type Body = Bytes;
