//! What the centre keeps in the ledger: operators, guides, marks, webhooks, the directory, tickets and their deliveries,
//! surveys. Callbacks are the engine's own and are seen through [`crate::ports::Centre`].

use crate::names::{AgencyName, QueueName, SkillName, TrunkName};
use gudok_store::Party;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An operator made by the API; the user of that name, with the role `operator`, sits at the desk. The engine merges it
/// with those of the file: the file's word stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorDocument {
    /// As colleagues see it.
    #[serde(default)]
    pub shown_name: String,
    /// Where the telephone is.
    pub phone: PhoneDocument,
    /// Queues that this operator serves.
    #[serde(default)]
    pub queues: Vec<QueueName>,
    /// Levels from 1.
    #[serde(default)]
    pub skills: BTreeMap<SkillName, u8>,
    /// Ready from the start without a login.
    #[serde(default)]
    pub always_ready: bool,
}

/// Where an operator's telephone is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhoneDocument {
    /// It registers, under the operator's name.
    Registers {
        /// Without one nobody registers under the name, and the operator cannot be rung.
        #[serde(default)]
        secret: Option<PhoneSecretDocument>,
    },
    /// It is at a fixed address.
    Fixed {
        /// By which trunk of the file.
        trunk: TrunkName,
        /// The user part there.
        address: String,
    },
}

/// What a registering telephone is known by (RFC 3261, 22; RFC 8760). Good for this realm and user only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneSecretDocument {
    /// The realm that it was made for; void in another.
    pub realm: String,
    /// MD5 of `user:realm:password`, in hexadecimal.
    pub ha1_md5: String,
    /// SHA-256 of the same.
    pub ha1_sha256: String,
}

impl std::fmt::Debug for PhoneSecretDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<phone secret>")
    }
}

/// What an operator says and asks on a topic; by AGENCY/TOPIC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuideDocument {
    /// For the page.
    pub title: String,
    /// Plain text, paragraphs divided by empty lines.
    pub text: String,
    /// Codes that an operator may choose in the wrap-up, in their order.
    #[serde(default)]
    pub wrap_up_codes: Vec<String>,
    /// When it was changed.
    #[serde(default)]
    pub updated_ms: u64,
    /// By whom.
    #[serde(default)]
    pub updated_by: String,
}

/// How good a recorded talk was; by CALL/RECORDING.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkDocument {
    /// Whose call.
    pub agency: AgencyName,
    /// 1 (bad) to 5 (good).
    pub score: u8,
    /// In words, for the operator.
    #[serde(default)]
    pub note: String,
    /// Who talked, where it is known.
    #[serde(default)]
    pub operator: Option<String>,
    /// Who marked it.
    pub by: String,
    /// When.
    pub at_ms: u64,
}

/// Where an agency's tickets are delivered; by AGENCY. In place of what the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookDocument {
    /// `https://…`
    pub url: String,
    /// Where the secret of the signature lies: `env:NAME` or `file:PATH`, never its value.
    pub secret: String,
    /// Nothing is sent while false; tickets wait.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A ticket; by AGENCY/NUMBER.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketDocument {
    /// Whose.
    pub agency: AgencyName,
    /// As the caller is told it.
    pub number: String,
    /// `complaint`, `outdated-information`, `request`.
    pub kind: String,
    /// In a few words.
    #[serde(default)]
    pub topic: String,
    /// What the caller says.
    #[serde(default)]
    pub text: String,
    /// Further facts.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Who called; the number in clear is in none of its fields.
    #[serde(default)]
    pub caller: Option<Party>,
    /// BCP 47.
    #[serde(default)]
    pub lang: String,
    /// The municipality that it is about.
    #[serde(default)]
    pub municipality: Option<String>,
    /// Of outdated information: which entry of the directory.
    #[serde(default)]
    pub entry: Option<String>,
    /// In which version.
    #[serde(default)]
    pub entry_version: Option<u64>,
    /// The call in which it was registered.
    #[serde(default)]
    pub call: Option<String>,
    /// Recordings that belong to it.
    #[serde(default)]
    pub recordings: Vec<TicketRecordingDocument>,
    /// When it was registered.
    pub created_ms: u64,
    /// `script NAME`, or the user who entered it.
    #[serde(default)]
    pub created_by: String,
    /// The SHA-256 of the idempotency key, in hexadecimal.
    #[serde(default)]
    pub key_sha256: String,
}

/// A recording that belongs to a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRecordingDocument {
    /// Its name inside the call.
    pub name: String,
    /// Of its audio, in hexadecimal.
    pub sha256: String,
    /// Its length.
    #[serde(default)]
    pub duration_ms: u64,
}

/// How the delivery of a ticket stands; by AGENCY/NUMBER, as the ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryDocument {
    /// Where it stands.
    pub state: DeliveryState,
    /// What the receiver knows it by; the same in every attempt.
    pub key: String,
    /// Attempts so far.
    #[serde(default)]
    pub attempts: u32,
    /// When it was begun.
    pub created_ms: u64,
    /// Of a waiting one: when it is tried next.
    #[serde(default)]
    pub next_ms: Option<u64>,
    /// Given up then.
    #[serde(default)]
    pub deadline_ms: u64,
    /// When it was taken, or given up.
    #[serde(default)]
    pub ended_ms: Option<u64>,
    /// The receiver's last HTTP status.
    #[serde(default)]
    pub last_status: Option<u16>,
    /// What went wrong last, without the address's query.
    #[serde(default)]
    pub last_error: Option<String>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// To be tried, again or for the first time.
    Waiting,
    /// The agency has it.
    Delivered,
    /// Given up: somebody must look.
    Dead,
}

/// What a caller answered after a call; by AGENCY/CALL/SURVEY.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyDocument {
    /// Whose.
    pub agency: AgencyName,
    /// Which survey.
    pub survey: String,
    /// The call.
    pub call: String,
    /// When.
    pub at_ms: u64,
    /// Question and answer, in their order.
    pub answers: Vec<SurveyAnswerDocument>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyAnswerDocument {
    /// Which question.
    pub question: String,
    /// 1 to 5, where it was a mark.
    #[serde(default)]
    pub score: Option<u8>,
    /// Else.
    #[serde(default)]
    pub text: String,
}
