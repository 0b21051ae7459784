//! Tickets: what callers were promised in writing, and how their delivery stands.

use super::callbacks::{agency_of, number};
use super::commit::{Look, looked};
use super::deliveries::{self, Delivery};
use super::{Page, PageQuery, agencies, check_len, check_text, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::{Principal, hex};
use crate::documents::{TicketDocument, TicketRecordingDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::{TEXT_CHARS_MAX, TICKET_CHARS_MAX};
use crate::names::{AgencyName, CallName, DirectoryId, Lang, TicketName};
use crate::ports::TicketOrder;
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use crate::time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Longest idempotency key of a ticket.
const KEY_CHARS_MAX: usize = 128;

/// What a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TicketKind {
    /// Something went wrong.
    Complaint,
    /// The centre's information is not true any more.
    OutdatedInformation,
    /// The caller wants something.
    Request,
}

impl TicketKind {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::OutdatedInformation => "outdated-information",
            Self::Request => "request",
        }
    }
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Ticket {
    /// Whose.
    pub agency: String,
    /// As the caller is told it; unique in the agency.
    pub number: String,
    /// `complaint`, `outdated-information`, `request`.
    pub kind: String,
    /// In a few words.
    pub topic: String,
    /// What the caller says.
    pub text: String,
    /// Further facts.
    pub fields: BTreeMap<String, String>,
    /// Masked; empty where nobody is known.
    pub caller: String,
    /// BCP 47.
    pub lang: String,
    /// The municipality that it is about.
    pub municipality: Option<String>,
    /// Of outdated information: which entry of the directory.
    pub entry: Option<String>,
    /// In which version.
    pub entry_version: Option<u64>,
    /// The call in which it was registered.
    pub call: Option<String>,
    /// Recordings that belong to it.
    pub recordings: Vec<TicketRecording>,
    /// RFC 3339.
    pub created: String,
    /// `script NAME`, or the user who entered it.
    pub created_by: String,
    /// How its delivery stands; null: the agency has no webhook.
    pub delivery: Option<Delivery>,
}

/// A recording that belongs to a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TicketRecording {
    /// Its name inside the call.
    pub name: String,
    /// The hash of its audio.
    pub sha256: String,
    /// Its length.
    pub duration_ms: u64,
}

/// A ticket to be registered.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketBody {
    /// What it is.
    pub kind: TicketKind,
    /// Whose; the only one within reach where it is missing.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub agency: Option<AgencyName>,
    /// In a few words.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub topic: String,
    /// What the caller says.
    #[schema(min_length = 1, max_length = 8000)]
    pub text: String,
    /// Further facts.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// The caller's own number, where it is given.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 64, write_only)]
    pub number: Option<Redacted>,
    /// The call that it belongs to.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub call: Option<CallName>,
    /// Of outdated information: which entry of the directory.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub entry: Option<DirectoryId>,
    /// In which version.
    #[serde(default)]
    pub entry_version: Option<u64>,
    /// BCP 47.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub lang: Option<Lang>,
    /// The same key gives the same number; drawn where it is missing.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub idempotency_key: Option<String>,
}

/// A ticket's number, to be told to the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Registered {
    /// Whose.
    pub agency: String,
    /// As the caller is told it.
    pub number: String,
}

/// Which tickets.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    /// Of one agency.
    pub agency: Option<AgencyName>,
    /// Of one kind.
    pub kind: Option<TicketKind>,
}

/// One page of tickets, newest first. It is a look at callers' data, and goes to the audit.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    filter: &TicketFilter,
    query: &PageQuery,
) -> Result<Page<Ticket>, Problem> {
    let scope = who.may(Operation::TicketsList)?;
    let only = scope.narrow(filter.agency.as_ref())?;
    let fits = |kept: &Kept<TicketDocument>| {
        let ours = scope.includes(kept.body.agency.as_str());
        let kind = filter.kind.is_none_or(|kind| kind.as_str() == kept.body.kind);
        (ours && kind).then_some(kept.body.created_ms)
    };
    let prefix = only.as_ref().map(|only| format!("{only}/")).unwrap_or_default();
    let page = page::newest_of_documents(admin, kinds::TICKET, &prefix, query, fits).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for kept in page.items {
        let delivery = deliveries::of_ticket(admin, &kept.id).await?;
        items.push(view(kept.body, delivery));
    }
    let details = serde_json::json!({ "tickets": items.len(), "kind": filter.kind });
    let look = Look { action: "ticket.read", object: "tickets".to_owned(), agency: only.as_deref(), details };
    looked(admin, who, look).await?;
    Ok(Page { items, next: page.next })
}

/// One ticket. It is a look at a caller's data, and goes to the audit.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, agency: &AgencyName, number: &TicketName) -> Result<Ticket, Problem> {
    who.may_in(Operation::TicketRead, agency.as_str())?;
    let id = format!("{agency}/{number}");
    let kept = admin.ledger().get::<TicketDocument>(kinds::TICKET, &id).await?;
    let kept = kept.ok_or_else(|| Problem::not_found("ticket", number))?;
    let delivery = deliveries::of_ticket(admin, &id).await?;
    let details = serde_json::json!({ "kind": kept.body.kind });
    let look = Look { action: "ticket.read", object: format!("ticket:{id}"), agency: Some(agency.as_str()), details };
    looked(admin, who, look).await?;
    Ok(view(kept.body, delivery))
}

/// Registers a ticket for a caller; durable when it is answered.
///
/// # Errors
/// `forbidden`, `invalid-field`, `unknown-reference`; the engine's refusal.
pub async fn create(admin: &Admin, who: &Principal, body: TicketBody) -> Result<Registered, Problem> {
    let scope = who.may(Operation::TicketCreate)?;
    if let Some(agency) = &body.agency {
        who.may_in(Operation::TicketCreate, agency.as_str())?;
        if !agencies::exists(admin, agency).await? {
            return Err(Problem::new(&codes::UNKNOWN_REFERENCE, "There is no such agency.").field("agency"));
        }
    }
    let agency = agency_of(&scope, body.agency.as_ref(), None)?;
    check(&body)?;
    let call = match &body.call {
        Some(call) => Some(super::calls::core(call)?),
        None => None,
    };
    let number = body.number.as_ref().map(|given| number(admin, given)).transpose()?;
    let key = body.idempotency_key.unwrap_or_else(|| hex(&rand::random::<[u8; 16]>()));
    let details = serde_json::json!({ "kind": body.kind, "topic": body.topic, "call": body.call });
    let draft = with_details(who.audit("ticket.create", format!("agency:{agency}"), Some(&agency)), details);
    admin.ledger().commit(Change::new().audit(draft)).await?;
    let order = TicketOrder {
        agency,
        kind: body.kind.as_str().to_owned(),
        topic: body.topic,
        text: body.text,
        fields: body.fields,
        number,
        call,
        entry: body.entry.map(|entry| (entry.to_string(), body.entry_version.unwrap_or(0))),
        lang: body.lang.map(|lang| lang.to_string()),
        // A user's own, so that nobody meets another's ticket by guessing a key.
        idempotency_key: format!("{}:{key}", who.user),
    };
    let registered = admin.engine().ticket_submit(who.actor(), order).await?;
    Ok(Registered { agency: registered.agency, number: registered.number })
}

fn check(body: &TicketBody) -> Result<(), Problem> {
    check_text("topic", &body.topic, TEXT_CHARS_MAX)?;
    check_text("text", &body.text, TICKET_CHARS_MAX)?;
    if body.text.trim().is_empty() {
        return Err(Problem::invalid("text", "A ticket says something."));
    }
    check_len("fields", body.fields.len())?;
    for (name, value) in &body.fields {
        check_text("fields", name, TEXT_CHARS_MAX)?;
        check_text("fields", value, TEXT_CHARS_MAX)?;
    }
    if body.entry_version.is_some() && body.entry.is_none() {
        return Err(Problem::invalid("entry_version", "It is the version of an entry; say which."));
    }
    match &body.idempotency_key {
        Some(key)
            if key.is_empty() || key.len() > KEY_CHARS_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            let detail = format!("It is 1 to {KEY_CHARS_MAX} visible ASCII characters.");
            Err(Problem::invalid("idempotency_key", detail))
        }
        _ => Ok(()),
    }
}

fn view(document: TicketDocument, delivery: Option<Delivery>) -> Ticket {
    let recording = |recording: TicketRecordingDocument| TicketRecording {
        name: recording.name,
        sha256: recording.sha256,
        duration_ms: recording.duration_ms,
    };
    Ticket {
        agency: document.agency.to_string(),
        number: document.number,
        kind: document.kind,
        topic: document.topic,
        text: document.text,
        fields: document.fields,
        caller: document.caller.map(|caller| caller.shown().to_owned()).unwrap_or_default(),
        lang: document.lang,
        municipality: document.municipality,
        entry: document.entry,
        entry_version: document.entry_version,
        call: document.call,
        recordings: document.recordings.into_iter().map(recording).collect(),
        created: time::written(document.created_ms),
        created_by: document.created_by,
        delivery,
    }
}
