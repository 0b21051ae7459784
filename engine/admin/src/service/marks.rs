//! Marks: how good a recorded talk was, in a supervisor's eyes.

use super::recordings;
use super::{Revised, check_revision, check_text};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{MarkDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::TEXT_CHARS_MAX;
use crate::names::{CallName, RecordingName};
use crate::problem::Problem;
use crate::time;
use gudok_store::QueueResult;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How good a recorded talk was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mark {
    /// The call.
    pub call: String,
    /// The recording's name inside the call.
    pub recording: String,
    /// Whose.
    pub agency: String,
    /// 1 (bad) to 5 (good).
    pub score: u8,
    /// In words.
    pub note: String,
    /// Who talked, where it is known.
    pub operator: Option<String>,
    /// Who marked it.
    pub by: String,
    /// RFC 3339.
    pub at: String,
}

/// What a mark is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkBody {
    /// 1 (bad) to 5 (good).
    #[schema(minimum = 1, maximum = 5)]
    pub score: u8,
    /// In words.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub note: String,
}

/// The mark of one recording.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(
    admin: &Admin,
    who: &Principal,
    call: &CallName,
    name: &RecordingName,
) -> Result<Revised<Mark>, Problem> {
    who.may(Operation::MarkRead)?;
    let kept = kept(admin, call, name).await?.ok_or_else(|| Problem::not_found("mark of a recording", name))?;
    who.sees(Operation::MarkRead, kept.body.agency.as_str(), "mark of a recording", name.as_str())?;
    Ok(Revised { value: view(call, name, &kept.body), revision: kept.revision })
}

/// Marks one recording, or marks it otherwise.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`, `precondition-required`, `invalid-field`.
pub async fn set(
    admin: &Admin,
    who: &Principal,
    call: &CallName,
    name: &RecordingName,
    body: MarkBody,
    seen: Option<u64>,
) -> Result<Revised<Mark>, Problem> {
    who.may(Operation::MarkSet)?;
    if !(1..=5).contains(&body.score) {
        return Err(Problem::invalid("score", "It is 1 (bad) to 5 (good)."));
    }
    check_text("note", &body.note, TEXT_CHARS_MAX)?;
    let cdrs = recordings::visible(admin, who, Operation::MarkSet, call).await?;
    let has = |cdr: &gudok_store::Cdr| cdr.ended.recordings.iter().any(|recording| recording.id == name.as_str());
    let cdr = cdrs.iter().find(|cdr| has(cdr)).ok_or_else(|| Problem::not_found("recording", name))?;
    let answered = cdr.ended.queue.as_ref().filter(|wait| wait.result == Some(QueueResult::Answered));
    let document = MarkDocument {
        agency: cdr.began.agency.as_str().parse()?,
        score: body.score,
        note: gudok_core::privacy::mask_digit_runs(&body.note),
        operator: answered.map(|wait| wait.by.clone()).filter(|by| !by.is_empty()),
        by: who.user.clone(),
        at_ms: admin.now_ms(),
    };
    let before = kept(admin, call, name).await?.map_or(0, |kept| kept.revision);
    check_revision(seen, before)?;
    let id = id(call, name);
    let details = serde_json::json!({ "recording": name, "score": document.score, "operator": document.operator });
    let draft = who.audit("recording.mark", format!("call:{call}"), Some(document.agency.as_str()));
    let change = Change::new().expect(kinds::MARK, &id, before).put(kinds::MARK, &id, &document);
    let done = admin.ledger().commit(change.audit(with_details(draft, details))).await?;
    Ok(Revised { value: view(call, name, &document), revision: done.revision() })
}

async fn kept(admin: &Admin, call: &CallName, name: &RecordingName) -> Result<Option<Kept<MarkDocument>>, Problem> {
    admin.ledger().get(kinds::MARK, &id(call, name)).await
}

fn id(call: &CallName, name: &RecordingName) -> String {
    format!("{call}/{name}")
}

fn view(call: &CallName, name: &RecordingName, document: &MarkDocument) -> Mark {
    Mark {
        call: call.to_string(),
        recording: name.to_string(),
        agency: document.agency.to_string(),
        score: document.score,
        note: document.note.clone(),
        operator: document.operator.clone(),
        by: document.by.clone(),
        at: time::written(document.at_ms),
    }
}
