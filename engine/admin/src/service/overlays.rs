//! Overlays: what every caller hears first in an emergency. They can be set when the disk is low, too.

use super::commit::Routed;
use super::{Page, PageQuery, Revised, agencies, check_area, check_len, check_revision, check_text, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{OverlayDocument, kinds};
use crate::ledger::{Kept, with_details};
use crate::limits::OVERLAY_CHARS_MAX;
use crate::names::{AgencyName, Lang, Number, OverlayName};
use crate::problem::{Problem, codes};
use crate::time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An emergency announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Overlay {
    /// Unique.
    pub name: String,
    /// What every caller hears first, to its end; not said where there is a recording.
    pub text: String,
    /// In which language it is spoken; null: the centre's.
    pub lang: Option<String>,
    /// Only callers of these; where agencies, areas and numbers are all empty, everybody.
    pub agencies: Vec<String>,
    /// Only callers of numbers of these regions or municipalities.
    pub areas: Vec<String>,
    /// Only callers of these numbers, as dialled.
    pub numbers: Vec<String>,
    /// The SHA-256 of the audio that is played in place of the text; null: the text is spoken.
    pub recording: Option<String>,
    /// Its length.
    pub recording_ms: u64,
    /// Callers who have heard it since it was set.
    pub heard: u64,
    /// When it was set, RFC 3339.
    pub since: Option<String>,
    /// RFC 3339, silent from then on; null: until somebody takes it away.
    pub expires: Option<String>,
}

/// What an emergency announcement is to be.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlayBody {
    /// Where it is given, the name in the path.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Option<OverlayName>,
    /// What every caller hears first, to its end. May be empty where there is a recording.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub text: String,
    /// In which language it is spoken.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub lang: Option<Lang>,
    /// Only callers of these; where agencies, areas and numbers are all empty, everybody.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub agencies: Vec<AgencyName>,
    /// Only callers of numbers of these regions or municipalities.
    #[serde(default)]
    pub areas: Vec<String>,
    /// Only callers of these numbers, as dialled.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub numbers: Vec<Number>,
    /// The recording that it has already, as a GET showed it: it stays. Without it the text is spoken.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub recording: Option<String>,
    /// RFC 3339, silent from then on.
    #[serde(default)]
    pub expires: Option<String>,
    /// Ignored: what a GET shows may be sent back.
    #[serde(default)]
    #[schema(read_only)]
    pub recording_ms: Option<u64>,
    /// Ignored.
    #[serde(default)]
    #[schema(read_only)]
    pub heard: Option<u64>,
    /// Ignored.
    #[serde(default)]
    #[schema(read_only)]
    pub since: Option<String>,
}

/// Whom a recording is for, where the overlay is not there yet.
#[derive(Clone, Debug, Default)]
pub struct RecordingFor {
    /// Only callers of these.
    pub agencies: Vec<AgencyName>,
    /// Only callers of numbers of these regions or municipalities.
    pub areas: Vec<String>,
    /// Only callers of these numbers, as dialled.
    pub numbers: Vec<Number>,
    /// RFC 3339, silent from then on.
    pub expires: Option<String>,
}

/// One page of overlays.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(admin: &Admin, who: &Principal, query: &PageQuery) -> Result<Page<Overlay>, Problem> {
    who.may(Operation::OverlaysList)?;
    let heard = admin.engine().overlays_heard();
    let see = |kept: Kept<OverlayDocument>| Some(view(&kept.id, &kept.body, &heard));
    page::of_documents(admin, kinds::OVERLAY, "", query, see).await
}

/// One overlay.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, name: &OverlayName) -> Result<Revised<Overlay>, Problem> {
    who.may(Operation::OverlayRead)?;
    let kept = kept(admin, name).await?.ok_or_else(|| Problem::not_found("overlay", name))?;
    let heard = admin.engine().overlays_heard();
    Ok(Revised { value: view(&kept.id, &kept.body, &heard), revision: kept.revision })
}

/// Sets an overlay, new or present: callers hear it from their next call on.
///
/// # Errors
/// `forbidden`, `stale-revision`, `precondition-required`, `invalid-field`, `unknown-reference`; the engine's refusal.
pub async fn set(
    admin: &Admin,
    who: &Principal,
    name: &OverlayName,
    body: OverlayBody,
    seen: Option<u64>,
) -> Result<Revised<Overlay>, Problem> {
    who.may(Operation::OverlaySet)?;
    check_name(name, body.name.as_ref())?;
    let _turn = admin.turn().await;
    let before = kept(admin, name).await?;
    check_revision(seen, before.as_ref().map_or(0, |kept| kept.revision))?;
    let recording = match (&body.recording, &before) {
        (None, _) => None,
        (Some(asked), Some(kept)) if kept.body.recording.as_ref() == Some(asked) => {
            Some((asked.clone(), kept.body.recording_ms))
        }
        (Some(_), _) => {
            let problem = Problem::invalid("recording", "The overlay has no such recording.");
            return Err(problem.remedy("POST /api/v1/overlays/{name}/recording with the audio."));
        }
    };
    let target =
        RecordingFor { agencies: body.agencies, areas: body.areas, numbers: body.numbers, expires: body.expires };
    let mut after = checked(admin, target).await?;
    check_text("text", &body.text, OVERLAY_CHARS_MAX)?;
    if body.text.trim().is_empty() && recording.is_none() {
        return Err(Problem::invalid("text", "An overlay says something."));
    }
    (after.text, after.lang) = (body.text, body.lang);
    if let Some((sha256, ms)) = recording {
        (after.recording, after.recording_ms) = (Some(sha256), ms);
    }
    put(admin, who, name, before, after).await
}

/// Sets an overlay's recording in one step: callers hear it from their next call on. What is there already stays as it
/// is, but for the audio; what is not there begins with whom it is for.
///
/// # Errors
/// `forbidden`, `invalid-field`, `too-large`, `disk-low`; the engine's refusal of the audio.
pub async fn record(
    admin: &Admin,
    who: &Principal,
    name: &OverlayName,
    target: RecordingFor,
    audio: bytes::Bytes,
) -> Result<Revised<Overlay>, Problem> {
    who.may(Operation::OverlayRecord)?;
    if audio.is_empty() {
        return Err(Problem::invalid("body", "The audio is empty."));
    }
    let fresh = checked(admin, target).await?;
    let checked = admin.engine().check_audio(audio).await?;
    let blob = admin.store().blob_put(checked.wav.to_vec()).await?;
    let _turn = admin.turn().await;
    let before = kept(admin, name).await?;
    let mut after = before.as_ref().map_or(fresh, |kept| kept.body.clone());
    after.recording = Some(blob.to_hex());
    after.recording_ms = checked.duration_ms;
    after.since_ms = Some(admin.now_ms());
    put(admin, who, name, before, after).await
}

async fn put(
    admin: &Admin,
    who: &Principal,
    name: &OverlayName,
    before: Option<Kept<OverlayDocument>>,
    after: OverlayDocument,
) -> Result<Revised<Overlay>, Problem> {
    let details = serde_json::json!({
        "text": after.text, "lang": after.lang, "agencies": after.agencies, "areas": after.areas,
        "numbers": after.numbers, "recording": after.recording, "expires_ms": after.expires_ms,
    });
    let audit = with_details(who.audit("overlay.set", format!("overlay:{name}"), None), details);
    let value = view(name.as_str(), &after, &BTreeMap::new());
    let change = Routed {
        kind: kinds::OVERLAY,
        id: name.as_str(),
        before: before.map(|kept| (kept.body, kept.revision)),
        expires_ms: after.expires_ms,
        after: Some(after),
        audit,
        urgent: true,
    };
    Ok(Revised { value, revision: change.commit(admin).await? })
}

/// Takes an overlay away.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`.
pub async fn delete(admin: &Admin, who: &Principal, name: &OverlayName, seen: Option<u64>) -> Result<(), Problem> {
    who.may(Operation::OverlayDelete)?;
    let _turn = admin.turn().await;
    let before = kept(admin, name).await?.ok_or_else(|| Problem::not_found("overlay", name))?;
    super::check_revision_if_seen(seen, before.revision)?;
    let change = Routed {
        kind: kinds::OVERLAY,
        id: name.as_str(),
        expires_ms: before.body.expires_ms,
        before: Some((before.body, before.revision)),
        after: None,
        audit: who.audit("overlay.delete", format!("overlay:{name}"), None),
        urgent: true,
    };
    change.commit(admin).await.map(|_| ())
}

async fn kept(admin: &Admin, name: &OverlayName) -> Result<Option<Kept<OverlayDocument>>, Problem> {
    admin.ledger().get(kinds::OVERLAY, name.as_str()).await
}

fn check_name(name: &OverlayName, given: Option<&OverlayName>) -> Result<(), Problem> {
    match given {
        Some(given) if given != name => Err(Problem::invalid("name", "It is not the name in the path.")),
        _ => Ok(()),
    }
}

async fn checked(admin: &Admin, target: RecordingFor) -> Result<OverlayDocument, Problem> {
    check_len("agencies", target.agencies.len())?;
    check_len("areas", target.areas.len())?;
    check_len("numbers", target.numbers.len())?;
    for agency in &target.agencies {
        if !agencies::exists(admin, agency).await? {
            let problem = Problem::new(&codes::UNKNOWN_REFERENCE, "There is no such agency.");
            return Err(problem.field("agencies"));
        }
    }
    for area in &target.areas {
        check_area("areas", Some(area))?;
    }
    let expires_ms = time::read_some("expires", target.expires.as_deref())?;
    if expires_ms.is_some_and(|at| at <= admin.now_ms()) {
        return Err(Problem::invalid("expires", "It would be silent from the start."));
    }
    Ok(OverlayDocument {
        text: String::new(),
        lang: None,
        agencies: target.agencies,
        areas: target.areas,
        numbers: target.numbers,
        recording: None,
        recording_ms: 0,
        since_ms: Some(admin.now_ms()),
        expires_ms,
    })
}

fn view(name: &str, document: &OverlayDocument, heard: &BTreeMap<String, u64>) -> Overlay {
    Overlay {
        name: name.to_owned(),
        text: document.text.clone(),
        lang: document.lang.as_ref().map(ToString::to_string),
        agencies: document.agencies.iter().map(ToString::to_string).collect(),
        areas: document.areas.clone(),
        numbers: document.numbers.iter().map(ToString::to_string).collect(),
        recording: document.recording.clone(),
        recording_ms: document.recording_ms,
        heard: heard.get(name).copied().unwrap_or(0),
        since: document.since_ms.map(time::written),
        expires: document.expires_ms.map(time::written),
    }
}
