//! Recordings: found through their call's records, and every one that is played is in the audit.

use super::cdrs;
use super::commit::{Look, looked};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::names::{CallName, RecordingName};
use crate::problem::Problem;
use crate::time;
use gudok_store::{BlobId, Cdr, Recording};
use serde::Serialize;
use utoipa::ToSchema;

/// A recording of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecordingShown {
    /// Its name inside the call.
    pub name: String,
    /// The leg that it belongs to.
    pub leg: u16,
    /// Whose.
    pub agency: String,
    /// The hash of its audio.
    pub sha256: String,
    /// Its length.
    pub duration_ms: u64,
    /// When its audio was deleted, RFC 3339; null: it is here.
    pub deleted: Option<String>,
}

/// A call's recordings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Recordings {
    /// All of them.
    pub items: Vec<RecordingShown>,
    /// Always null: a call has few.
    pub next: Option<String>,
}

/// A call's recordings. Naming them is no look at them yet; the call's record is one.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn list(admin: &Admin, who: &Principal, call: &CallName) -> Result<Recordings, Problem> {
    who.may(Operation::RecordingsList)?;
    let visible = visible(admin, who, Operation::RecordingsList, call).await?;
    let agency = visible.first().map(|cdr| cdr.began.agency.to_string());
    let items: Vec<RecordingShown> =
        visible.iter().flat_map(|cdr| cdr.ended.recordings.iter().map(|recording| view(cdr, recording))).collect();
    let details = serde_json::json!({ "recordings": items.len() });
    let look = Look { action: "cdr.read", object: format!("call:{call}"), agency: agency.as_deref(), details };
    looked(admin, who, look).await?;
    Ok(Recordings { items, next: None })
}

/// One recording's audio, in the store. The audit has it before a byte leaves.
///
/// # Errors
/// `forbidden`, `not-found`, also where the audio was deleted.
pub async fn play(admin: &Admin, who: &Principal, call: &CallName, name: &RecordingName) -> Result<BlobId, Problem> {
    who.may(Operation::RecordingPlay)?;
    let visible = visible(admin, who, Operation::RecordingPlay, call).await?;
    let found = visible.iter().find_map(|cdr| {
        let recording = cdr.ended.recordings.iter().find(|recording| recording.id == name.as_str())?;
        Some((cdr, recording))
    });
    let (cdr, recording) = found.ok_or_else(|| Problem::not_found("recording", name))?;
    if let Some(deleted) = recording.deleted_ms {
        let problem = Problem::not_found("recording", name);
        return Err(
            problem.remedy(format!("Its audio was deleted at {}; the call's record stays.", deleted.to_rfc3339()))
        );
    }
    let details =
        serde_json::json!({ "recording": name, "sha256": recording.sha256, "duration_ms": recording.duration_ms });
    let agency = Some(cdr.began.agency.as_str());
    looked(admin, who, Look { action: "recording.play", object: format!("call:{call}"), agency, details }).await?;
    Ok(recording.sha256)
}

/// The records of a call that are within reach. A call of others does not exist.
pub(crate) async fn visible(
    admin: &Admin,
    who: &Principal,
    operation: Operation,
    call: &CallName,
) -> Result<Vec<Cdr>, Problem> {
    let scope = who.may(operation)?;
    let mut cdrs = cdrs::of_call(admin, call).await?;
    cdrs.retain(|cdr| scope.includes(cdr.began.agency.as_str()));
    if cdrs.is_empty() { Err(Problem::not_found("ended call", call)) } else { Ok(cdrs) }
}

fn view(cdr: &Cdr, recording: &Recording) -> RecordingShown {
    RecordingShown {
        name: recording.id.clone(),
        leg: cdr.began.leg,
        agency: cdr.began.agency.to_string(),
        sha256: recording.sha256.to_hex(),
        duration_ms: recording.duration_ms,
        deleted: recording.deleted_ms.map(|at| time::written(at.0)),
    }
}
