//! What the admins' room keeps in the ledger, kind by kind. `engine/gudok` reads some of it: routes, entries, versions.
//!
//! Fields are only added, with a default, so that a document of an older engine can still be read.

mod campaigns;
mod centre;

pub use campaigns::{
    CampaignApprovalDocument, CampaignDocument, CampaignOnMachine, CampaignOperators, CampaignRetry, CampaignUnknown,
    NamedWindow,
};
pub use centre::{
    DeliveryDocument, DeliveryState, GuideDocument, MarkDocument, OperatorDocument, PhoneDocument, PhoneSecretDocument,
    SurveyAnswerDocument, SurveyDocument, TicketDocument, TicketRecordingDocument, WebhookDocument,
};

use crate::access::Grant;
use crate::names::{AgencyName, EntryName, GroupName, Lang, Number, QueueName, TrunkName};
use crate::ports::{BundleFacts, BundleReport};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Kinds of documents, as the ledger names them.
pub mod kinds {
    /// [`super::AgencyDocument`] by name.
    pub const AGENCY: &str = "agency";
    /// [`super::NumberDocument`] by number.
    pub const NUMBER: &str = "number";
    /// [`super::KeyDocument`] by AGENCY/KEYID.
    pub const KEY: &str = "key";
    /// [`super::VersionDocument`] by the hash of the bundle's content.
    pub const VERSION: &str = "version";
    /// [`super::EntryDocument`] by AGENCY/ENTRY.
    pub const ENTRY: &str = "entry";
    /// [`super::UserDocument`] by name.
    pub const USER: &str = "user";
    /// [`super::TokenDocument`] by the token's SHA-256 in hexadecimal.
    pub const TOKEN: &str = "token";
    /// [`super::SessionDocument`] by the cookie's SHA-256 in hexadecimal.
    pub const SESSION: &str = "session";
    /// [`super::IdempotencyDocument`] by a hash of user and key.
    pub const IDEMPOTENCY: &str = "idempotency";
    /// [`super::RetentionDocument`] by agency.
    pub const RETENTION: &str = "retention";
    /// [`super::OverlayDocument`] by name.
    pub const OVERLAY: &str = "overlay";
    /// [`crate::ports::Trace`] by call, written by the director.
    pub const TRACE: &str = "trace";
    /// A deployment by AGENCY/ENTRY, written by the director.
    pub const DEPLOYMENT: &str = "deployment";
    /// [`super::OperatorDocument`] by login.
    pub const OPERATOR: &str = "operator";
    /// [`super::GuideDocument`] by AGENCY/TOPIC.
    pub const GUIDE: &str = "guide";
    /// [`super::MarkDocument`] by CALL/RECORDING.
    pub const MARK: &str = "mark";
    /// [`super::WebhookDocument`] by agency.
    pub const WEBHOOK: &str = "webhook";
    /// An entry of the directory by its id.
    pub const DIRECTORY: &str = "directory";
    /// [`super::TicketDocument`] by AGENCY/NUMBER, written by the engine.
    pub const TICKET: &str = "ticket";
    /// [`super::DeliveryDocument`] by AGENCY/NUMBER, written by the engine.
    pub const DELIVERY: &str = "delivery";
    /// [`super::SurveyDocument`] by AGENCY/CALL/SURVEY, written by the engine.
    pub const SURVEY: &str = "survey";
    /// A callback by its id, written by the engine.
    pub const CALLBACK: &str = "callback";
    /// [`super::CampaignDocument`] by name, written by the engine.
    pub const CAMPAIGN: &str = "campaign";
    /// [`super::CampaignApprovalDocument`] by the campaign's name.
    pub const CAMPAIGN_APPROVAL: &str = "campaign-approval";
}

/// An agency made by the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgencyDocument {
    /// For people.
    #[serde(default)]
    pub title: String,
    /// The group of the file where callers land whose script failed.
    pub fallback: GroupName,
    /// By which trunk of the file it dials.
    #[serde(default)]
    pub outbound: Option<TrunkName>,
    /// Scripts of others that it may hand callers to, by its own names for them: "mvd/readiness".
    #[serde(default)]
    pub reachable: BTreeMap<String, String>,
    /// New rights need two admins.
    #[serde(default)]
    pub two_person: bool,
    /// A script must ask the caller before it records.
    #[serde(default)]
    pub recording_consent: bool,
    /// The queue where callers wait who need an operator; the fallback group is rung where there is none.
    #[serde(default)]
    pub queue: Option<QueueName>,
    /// What the host's own minimal menu tells callers when the agency's script fails.
    #[serde(default)]
    pub information: String,
}

/// A number given out by the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberDocument {
    /// Whose.
    pub agency: AgencyName,
    /// Where it leads.
    pub entry: EntryName,
    /// In which language the host's own words begin.
    #[serde(default)]
    pub lang: Option<Lang>,
    /// The region or municipality that it stands for.
    #[serde(default)]
    pub area: Option<String>,
    /// Who dials it is called back by that queue; no script answers.
    #[serde(default)]
    pub callback: Option<QueueName>,
}

/// A key that signs for an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDocument {
    /// The minisign public key, base64.
    pub public_key: String,
    /// For people.
    #[serde(default)]
    pub comment: String,
    /// Signs nothing before.
    #[serde(default)]
    pub not_before_ms: Option<u64>,
    /// Signs nothing after.
    #[serde(default)]
    pub expires_ms: Option<u64>,
    /// Signs nothing any more, since then.
    #[serde(default)]
    pub revoked_ms: Option<u64>,
}

/// A version: a bundle that passed its check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionDocument {
    /// What it says of itself.
    pub facts: BundleFacts,
    /// Its file in the store: the SHA-256 of the bytes.
    pub blob: String,
    /// Whether it may go live.
    pub state: VersionState,
    /// When it came.
    pub uploaded_ms: u64,
    /// Who brought it: a user, or `file`.
    pub uploaded_by: String,
    /// Who agreed to its rights.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// Who refused it, and why.
    #[serde(default)]
    pub refused: Option<Refused>,
    /// How its check went.
    #[serde(default)]
    pub report: BundleReport,
    /// It was said to be an older version on purpose.
    #[serde(default)]
    pub allow_downgrade: bool,
}

/// Whether a version may go live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VersionState {
    /// It may: it asks for nothing that was not approved before.
    Checked,
    /// Not yet: it asks for new rights.
    Waiting,
    /// It may: its rights were approved.
    Approved,
    /// It may not.
    Refused,
}

impl VersionState {
    /// Whether it may go live.
    #[must_use]
    pub const fn may_go_live(self) -> bool {
        matches!(self, Self::Checked | Self::Approved)
    }
}

/// An admin agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at_ms: u64,
}

/// An admin refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Who.
    pub by: String,
    /// When.
    pub at_ms: u64,
    /// Why.
    pub reason: String,
}

/// What an entry's script is given besides its grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryDocument {
    /// Over the manifest's defaults.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Where secrets lie: `env:NAME` or `file:PATH`, never their values.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDocument {
    /// For people.
    #[serde(default)]
    pub full_name: String,
    /// What the user may be.
    #[serde(default)]
    pub roles: Vec<Grant>,
    /// May not come in.
    #[serde(default)]
    pub disabled: bool,
    /// The console's language: `ru` or `en`.
    #[serde(default)]
    pub lang: String,
    /// The password, hashed by argon2id (PHC string); without one there is no log-in by password.
    #[serde(default)]
    pub password: Option<String>,
    /// Drawn at random when the user is made and when the password changes: older tokens and sessions are void then.
    #[serde(default)]
    pub generation: u64,
}

/// A token; the token itself is kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenDocument {
    /// For people.
    #[serde(default)]
    pub label: String,
    /// Whose.
    pub user: String,
    /// Less than the user's roles, where it is said.
    #[serde(default)]
    pub roles: Option<Vec<Grant>>,
    /// The user's, when it was made.
    #[serde(default)]
    pub generation: u64,
    /// Made by a log-in: the oldest of these make way for new ones.
    #[serde(default)]
    pub by_login: bool,
    /// When it was made.
    pub created_ms: u64,
    /// From then on it is void.
    pub expires_ms: u64,
    /// When it was last used, about.
    #[serde(default)]
    pub last_used_ms: Option<u64>,
}

/// A session of the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionDocument {
    /// Whose.
    pub user: String,
    /// The user's, when it began.
    #[serde(default)]
    pub generation: u64,
    /// When it began.
    pub created_ms: u64,
    /// From then on it is void.
    pub expires_ms: u64,
}

/// An answer that was given to a write, for whoever repeats it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyDocument {
    /// SHA-256 of the request.
    pub request: String,
    /// The answer's status.
    pub status: u16,
    /// The answer's header fields that matter.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The answer; none where it held a secret or was too large.
    #[serde(default)]
    pub body: Option<String>,
    /// It held a secret.
    #[serde(default)]
    pub secret: bool,
}

/// How long an agency's data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionDocument {
    /// Call records.
    pub cdr_days: u32,
    /// Recordings.
    pub recording_days: u32,
    /// Traces.
    pub trace_days: u32,
}

impl Default for RetentionDocument {
    /// A year of records for statistics, a month of sound, two weeks of traces.
    fn default() -> Self {
        Self { cdr_days: 365, recording_days: 30, trace_days: 14 }
    }
}

/// An emergency announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlayDocument {
    /// What every caller hears first.
    pub text: String,
    /// In which language it is spoken.
    #[serde(default)]
    pub lang: Option<Lang>,
    /// Only callers of these; all where it is empty, as are areas and numbers.
    #[serde(default)]
    pub agencies: Vec<AgencyName>,
    /// Only callers of numbers of these regions or municipalities.
    #[serde(default)]
    pub areas: Vec<String>,
    /// Only callers of these numbers, as dialled.
    #[serde(default)]
    pub numbers: Vec<Number>,
    /// Played in place of the text: the SHA-256 of a blob of the store (WAV, 8 kHz, mono), in hexadecimal.
    #[serde(default)]
    pub recording: Option<String>,
    /// Its length.
    #[serde(default)]
    pub recording_ms: u64,
    /// When it was set: what it has been heard is counted from then.
    #[serde(default)]
    pub since_ms: Option<u64>,
    /// From then on it is silent.
    #[serde(default)]
    pub expires_ms: Option<u64>,
}
