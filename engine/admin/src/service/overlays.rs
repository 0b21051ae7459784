//! Overlays: what every caller hears first in an emergency. They can be set when the disk is low, too.

use super::commit::Routed;
use super::{Page, PageQuery, Revised, agencies, check_len, check_revision, check_text, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{OverlayDocument, kinds};
use crate::ledger::{Kept, with_details};
use crate::limits::OVERLAY_CHARS_MAX;
use crate::names::{AgencyName, Lang, OverlayName};
use crate::problem::{Problem, codes};
use crate::time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An emergency announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Overlay {
    /// Unique.
    pub name: String,
    /// What every caller hears first, to its end.
    pub text: String,
    /// In which language it is spoken; null: the centre's.
    pub lang: Option<String>,
    /// Only callers of these; all where it is empty.
    pub agencies: Vec<String>,
    /// RFC 3339, silent from then on; null: until somebody takes it away.
    pub expires: Option<String>,
}

/// What an emergency announcement is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlayBody {
    /// Where it is given, the name in the path.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Option<OverlayName>,
    /// What every caller hears first, to its end.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
    /// In which language it is spoken.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub lang: Option<Lang>,
    /// Only callers of these; all where it is empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub agencies: Vec<AgencyName>,
    /// RFC 3339, silent from then on.
    #[serde(default)]
    pub expires: Option<String>,
}

/// One page of overlays.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(admin: &Admin, who: &Principal, query: &PageQuery) -> Result<Page<Overlay>, Problem> {
    who.may(Operation::OverlaysList)?;
    let see = |kept: Kept<OverlayDocument>| Some(view(&kept.id, &kept.body));
    page::of_documents(admin, kinds::OVERLAY, "", query, see).await
}

/// One overlay.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, name: &OverlayName) -> Result<Revised<Overlay>, Problem> {
    who.may(Operation::OverlayRead)?;
    let kept = kept(admin, name).await?.ok_or_else(|| Problem::not_found("overlay", name))?;
    Ok(Revised { value: view(&kept.id, &kept.body), revision: kept.revision })
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
    let after = checked(admin, name, body).await?;
    let _turn = admin.turn().await;
    let before = kept(admin, name).await?;
    check_revision(seen, before.as_ref().map_or(0, |kept| kept.revision))?;
    let details = serde_json::json!({
        "text": after.text, "lang": after.lang, "agencies": after.agencies, "expires_ms": after.expires_ms,
    });
    let audit = with_details(who.audit("overlay.set", format!("overlay:{name}"), None), details);
    let value = view(name.as_str(), &after);
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

async fn checked(admin: &Admin, name: &OverlayName, body: OverlayBody) -> Result<OverlayDocument, Problem> {
    if body.name.as_ref().is_some_and(|given| given != name) {
        return Err(Problem::invalid("name", "It is not the name in the path."));
    }
    check_text("text", &body.text, OVERLAY_CHARS_MAX)?;
    if body.text.trim().is_empty() {
        return Err(Problem::invalid("text", "An overlay says something."));
    }
    check_len("agencies", body.agencies.len())?;
    for agency in &body.agencies {
        if !agencies::exists(admin, agency).await? {
            let problem = Problem::new(&codes::UNKNOWN_REFERENCE, "There is no such agency.");
            return Err(problem.field("agencies"));
        }
    }
    let expires_ms = time::read_some("expires", body.expires.as_deref())?;
    if expires_ms.is_some_and(|at| at <= admin.now_ms()) {
        return Err(Problem::invalid("expires", "It would be silent from the start."));
    }
    Ok(OverlayDocument {
        text: body.text,
        lang: body.lang,
        agencies: body.agencies,
        areas: Vec::new(),
        numbers: Vec::new(),
        recording: None,
        recording_ms: 0,
        since_ms: Some(admin.now_ms()),
        expires_ms,
    })
}

fn view(name: &str, document: &OverlayDocument) -> Overlay {
    Overlay {
        name: name.to_owned(),
        text: document.text.clone(),
        lang: document.lang.as_ref().map(ToString::to_string),
        agencies: document.agencies.iter().map(ToString::to_string).collect(),
        expires: document.expires_ms.map(time::written),
    }
}
