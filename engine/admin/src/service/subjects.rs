//! What a person may ask of us: what is kept about them, and that it goes. The person is found by a keyed hash of the
//! number; neither the number nor the whole hash is written down.

mod promises;

use super::{cdrs, check_text};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::ledger::{Change, with_details};
use crate::limits::{STEP_ROWS_MAX, SUBJECT_CDRS_MAX, TEXT_CHARS_MAX};
use crate::ports::JournalRow;
use crate::problem::Problem;
use crate::redacted::Redacted;
use gudok_core::ids::CallId;
use gudok_store::{CdrQuery, SubjectHash};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// So much of the hash tells two requests in the audit apart.
const HASH_SHOWN_CHARS: usize = 16;
const NUMBER_BYTES_MAX: usize = 64;

/// A person who asks, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectRequest {
    /// The person's telephone number, as written here or with a plus.
    #[schema(value_type = String, min_length = 1, max_length = 64, write_only)]
    pub number: Redacted,
    /// Why, and by whose request.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// What is kept about a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SubjectExport {
    /// Call records in which the person called or was called.
    #[schema(value_type = Vec<Object>)]
    pub cdrs: Vec<serde_json::Value>,
    /// Recordings of these calls.
    pub recordings: Vec<SubjectRecording>,
    /// Journals of these calls.
    pub journals: Vec<JournalRow>,
    /// Tickets that the person asked for.
    #[schema(value_type = Vec<Object>)]
    pub tickets: Vec<serde_json::Value>,
    /// Callbacks that the person was promised.
    #[schema(value_type = Vec<Object>)]
    pub callbacks: Vec<serde_json::Value>,
    /// There are more records than one export holds.
    pub truncated: bool,
}

/// A recording of a person's call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubjectRecording {
    /// The call.
    pub call: String,
    /// Its name inside the call.
    pub name: String,
    /// The hash of its audio.
    pub sha256: String,
    /// Its length.
    pub duration_ms: u64,
}

/// What was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubjectErased {
    /// Counts.
    pub erased: ErasedCounts,
}

/// What was erased, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErasedCounts {
    /// Call records in which the person's party was erased.
    pub cdrs: u64,
    /// Recordings deleted.
    pub recordings: u64,
    /// Traces deleted.
    pub traces: u64,
    /// Journals overwritten.
    pub journals: u64,
    /// Tickets in which the person's party was erased; what they say stays with the agency.
    pub tickets: u64,
    /// Callbacks in which the number was erased; open ones are cancelled first.
    pub callbacks: u64,
    /// Files that could not be deleted now; the store tries again.
    pub files_stuck: u64,
}

/// Everything that is kept about a person.
///
/// # Errors
/// `forbidden`, `invalid-field`.
pub async fn export(admin: &Admin, who: &Principal, request: SubjectRequest) -> Result<SubjectExport, Problem> {
    who.may(Operation::SubjectExport)?;
    let subject = subject(admin, &request)?;
    admin.store().settled().await?;
    let mut export = SubjectExport {
        cdrs: Vec::new(),
        recordings: Vec::new(),
        journals: admin.engine().journals_of_subject(subject).await,
        tickets: promises::shown(admin, promises::TICKETS, subject).await?,
        callbacks: promises::shown(admin, promises::CALLBACKS, subject).await?,
        truncated: false,
    };
    let mut cursor = None;
    loop {
        let query = CdrQuery { subject: Some(subject), cursor, ..CdrQuery::default() };
        let page = admin.store().cdrs(query).await?;
        for cdr in &page.cdrs {
            export.cdrs.push(cdrs::shown(cdr)?);
            export.recordings.extend(cdr.ended.recordings.iter().filter(|one| one.deleted_ms.is_none()).map(|one| {
                SubjectRecording {
                    call: cdr.began.call_id.to_string(),
                    name: one.id.clone(),
                    sha256: one.sha256.to_hex(),
                    duration_ms: one.duration_ms,
                }
            }));
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
        if export.cdrs.len() >= SUBJECT_CDRS_MAX {
            export.truncated = true;
            break;
        }
    }
    let details = serde_json::json!({
        "reason": request.reason, "cdrs": export.cdrs.len(), "recordings": export.recordings.len(),
        "journals": export.journals.len(),
        "tickets": export.tickets.len(), "callbacks": export.callbacks.len(),
    });
    note(admin, who, "subject.export", subject, details).await?;
    Ok(export)
}

/// Takes a person out of what is kept: records lose the party, recordings and traces go.
///
/// # Errors
/// `forbidden`, `invalid-field`.
pub async fn erase(admin: &Admin, who: &Principal, request: SubjectRequest) -> Result<SubjectErased, Problem> {
    who.may(Operation::SubjectErase)?;
    let subject = subject(admin, &request)?;
    // Twice in the audit: what was begun, so that a crash half-way can be seen, and what was done.
    let begun = serde_json::json!({ "reason": request.reason, "state": "begun" });
    note(admin, who, "subject.erase", subject, begun).await?;
    admin.store().settled().await?;
    let mut counts = ErasedCounts::default();
    loop {
        let step = admin.store().subject_erase(subject, admin.now(), STEP_ROWS_MAX).await?;
        let calls: Vec<CallId> = step.calls.iter().filter_map(|call| CallId::parse(call.as_str())).collect();
        admin.engine().forget(&calls);
        counts.cdrs += step.cdrs;
        counts.recordings += step.recordings;
        counts.traces += step.traces;
        counts.files_stuck += step.blobs_stuck;
        if !step.more {
            break;
        }
    }
    counts.journals = admin.engine().erase_journals(subject).await?;
    counts.tickets = promises::erase(admin, who, promises::TICKETS, subject).await?;
    counts.callbacks = promises::erase(admin, who, promises::CALLBACKS, subject).await?;
    let done = serde_json::json!({ "reason": request.reason, "state": "done", "erased": counts });
    note(admin, who, "subject.erase", subject, done).await?;
    Ok(SubjectErased { erased: counts })
}

fn subject(admin: &Admin, request: &SubjectRequest) -> Result<SubjectHash, Problem> {
    check_text("reason", &request.reason, TEXT_CHARS_MAX)?;
    if request.reason.trim().is_empty() {
        return Err(Problem::invalid("reason", "Say why, and by whose request: the audit needs it."));
    }
    let number = request.number.reveal().trim();
    let canonical = if number.len() <= NUMBER_BYTES_MAX { admin.engine().canonical_number(number) } else { None };
    let canonical = canonical.ok_or_else(|| Problem::invalid("number", "It is not a whole telephone number."))?;
    Ok(admin.config().subject_key.hash(&canonical))
}

async fn note(
    admin: &Admin,
    who: &Principal,
    action: &str,
    subject: SubjectHash,
    details: serde_json::Value,
) -> Result<(), Problem> {
    let object = format!("subject:{}", &subject.to_hex()[..HASH_SHOWN_CHARS]);
    let draft = with_details(who.audit(action, object, None), details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await.map(|_| ())
}
