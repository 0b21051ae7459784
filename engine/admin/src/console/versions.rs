//! Versions: what was uploaded, what it may do, what it changes, and who agreed.

use super::confirm::{Ask, confirm};
use super::context::Ctx;
use super::form::{Choice, Form};
use super::format::{self, Moment};
use super::lists;
use super::report::Report;
use super::visit::{Outcome, Posted, Visit, go};
use crate::access::Operation;
use crate::documents::VersionState;
use crate::names::VersionHash;
use crate::ports::Difference;
use crate::service::versions::{self as service, Reason, Version};
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;
use std::fmt::Write as _;

/// A version in the list.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) script: String,
    pub(crate) version: String,
    pub(crate) agency: String,
    pub(crate) state: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) deployed_at: Vec<String>,
    pub(crate) uploaded: Moment,
    pub(crate) uploaded_by: String,
    pub(crate) size: String,
}

impl Row {
    pub(crate) fn of(c: &Ctx, version: Version) -> Self {
        let (state, tone) = state_of(c, version.state);
        Self {
            state,
            tone,
            uploaded: c.moment_of(&version.uploaded),
            size: format::bytes(c.lang, version.size_bytes),
            id: version.id,
            script: version.script,
            version: version.version,
            agency: version.agency,
            deployed_at: version.deployed_at,
            uploaded_by: version.uploaded_by,
        }
    }
}

fn state_of(c: &Ctx, state: VersionState) -> (&'static str, &'static str) {
    match state {
        VersionState::Checked => (c.t("version.state.checked"), "good"),
        VersionState::Waiting => (c.t("version.state.waiting"), "warn"),
        VersionState::Approved => (c.t("version.state.approved"), "good"),
        VersionState::Refused => (c.t("version.state.refused"), "bad"),
    }
}

/// All versions.
#[derive(Template)]
#[template(path = "versions.html")]
pub(crate) struct VersionsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
    pub(crate) may_upload: bool,
}

/// A name and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// What JSON says, for people: one fact for each name at the top.
pub(crate) fn facts_of(value: &serde_json::Value) -> Vec<Fact> {
    let Some(map) = value.as_object() else { return Vec::new() };
    map.iter().map(|(name, value)| Fact { name: name.clone(), value: in_words(value) }).collect()
}

/// JSON without its marks.
fn in_words(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => "—".to_owned(),
        Value::Bool(true) => "✓".to_owned(),
        Value::Bool(false) => "✗".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Value::Object(map) if map.is_empty() => "✓".to_owned(),
        Value::Object(map) => {
            let mut text = String::new();
            for (name, value) in map {
                let mark = if text.is_empty() { "" } else { "; " };
                let _ = write!(text, "{mark}{name}: {}", in_words(value));
            }
            text
        }
    }
}

/// Somebody agreed.
pub(crate) struct Agreed {
    pub(crate) by: String,
    pub(crate) at: Moment,
}

/// One version.
#[derive(Template)]
#[template(path = "version.html")]
pub(crate) struct VersionPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) v: &'a Version,
    pub(crate) state: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) kind: String,
    pub(crate) languages: String,
    pub(crate) uploaded: Moment,
    pub(crate) size: String,
    pub(crate) approvals: Vec<Agreed>,
    pub(crate) refused: Option<(Agreed, String)>,
    pub(crate) rights: Vec<Fact>,
    pub(crate) limits: Vec<Fact>,
    pub(crate) report: Report,
    pub(crate) may_deploy: bool,
    pub(crate) may_fetch: bool,
    pub(crate) may_delete: bool,
    pub(crate) may_approve: bool,
    pub(crate) approve_text: &'static str,
}

impl<'a> VersionPage<'a> {
    pub(crate) fn of(c: &'a Ctx, v: &'a Version, difference: Option<&Difference>, against: Option<&str>) -> Self {
        let (state, tone) = state_of(c, v.state);
        let agreed = |by: &str, at: &str| Agreed { by: by.to_owned(), at: c.moment_of(at) };
        let report = v.report.clone().unwrap_or_default();
        Self {
            state,
            tone,
            kind: c.word("version.kind", &v.kind),
            languages: if v.languages.is_empty() { "—".to_owned() } else { v.languages.join(", ") },
            uploaded: c.moment_of(&v.uploaded),
            size: format::bytes(c.lang, v.size_bytes),
            approvals: v.approvals.iter().map(|one| agreed(&one.by, &one.at)).collect(),
            refused: v.refused.as_ref().map(|one| (agreed(&one.by, &one.at), one.reason.clone())),
            rights: facts_of(&v.capabilities),
            limits: facts_of(&v.limits),
            report: Report::of(c, &report, difference, against),
            may_deploy: v.state.may_go_live() && c.may_in(Operation::Deploy, &v.agency),
            may_fetch: c.may_in(Operation::VersionBundle, &v.agency),
            may_delete: v.deployed_at.is_empty() && c.may_in(Operation::VersionDelete, &v.agency),
            may_approve: v.state == VersionState::Waiting && c.may_in(Operation::VersionApprove, &v.agency),
            approve_text: c.t(if v.approvals.is_empty() { "approve.text" } else { "approve.text.second" }),
            c,
            v,
        }
    }
}

/// `GET /console/versions`
pub(crate) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let c = &visit.c;
    let mut form = query.0.clone();
    let agency = form.parsed_some(c.lang, "agency");
    let script = form.parsed_some(c.lang, "script");
    let page = service::list(&visit.admin, &visit.me, agency.as_ref(), script.as_ref(), &query.page()).await?;
    let rows = if form.has_wrong() { Vec::new() } else { page.items };
    Ok(visit.page(&VersionsPage {
        c,
        agencies: lists::agency_filter(&visit).await?,
        form: form.or("agency", "").or("script", ""),
        rows: rows.into_iter().map(|version| Row::of(c, version)).collect(),
        next: query.next("/console/versions", page.next.as_deref()),
        may_upload: c.may(Operation::BundleUpload),
    }))
}

/// `GET /console/versions/{id}`
pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Outcome {
    let id: VersionHash = id.parse()?;
    let version = service::read(&visit.admin, &visit.me, &id).await?;
    // A difference that cannot be had now leaves the one that was kept when the bundle came.
    let difference = service::difference(&visit.admin, &visit.me, &id, None).await.ok();
    let against = match difference.as_ref().and_then(|difference| difference.against.as_ref()) {
        Some(against) => service::read(&visit.admin, &visit.me, &against.parse()?).await.ok().map(|v| v.version),
        None => None,
    };
    Ok(visit.page(&VersionPage::of(&visit.c, &version, difference.as_ref(), against.as_deref())))
}

fn here(id: &VersionHash) -> String {
    format!("/console/versions/{id}")
}

fn reason_of(form: &Form) -> Reason {
    let reason = form.text("reason");
    Reason { reason: (!reason.is_empty()).then_some(reason) }
}

/// `POST /console/versions/{id}/approve`
pub(crate) async fn approve(Path(id): Path<String>, Posted { visit, form }: Posted) -> Outcome {
    let id: VersionHash = id.parse()?;
    service::approve(&visit.admin, &visit.me, &id, reason_of(&form)).await?;
    Ok(go(&here(&id), Some("approved")))
}

/// `POST /console/versions/{id}/refuse`
pub(crate) async fn refuse(Path(id): Path<String>, Posted { visit, form }: Posted) -> Outcome {
    let id: VersionHash = id.parse()?;
    service::refuse(&visit.admin, &visit.me, &id, reason_of(&form)).await?;
    Ok(go(&here(&id), Some("refused")))
}

/// `GET /console/versions/{id}/delete`
pub(crate) async fn ask_delete(visit: Visit, headers: HeaderMap, Path(id): Path<String>) -> Outcome {
    let id: VersionHash = id.parse()?;
    let version = service::read(&visit.admin, &visit.me, &id).await?;
    let name = format!("{} {}", version.script, version.version);
    let ask = Ask::new(format!("{}/delete", here(&id)), here(&id))
        .title(visit.c.w("version.delete.title", [("name", name.as_str())]))
        .text(visit.c.t("version.delete.text"))
        .yes(visit.c.t("version.delete"));
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/versions/{id}/delete`
pub(crate) async fn delete(Path(id): Path<String>, Posted { visit, .. }: Posted) -> Outcome {
    service::delete(&visit.admin, &visit.me, &id.parse()?).await?;
    Ok(go("/console/versions", Some("deleted")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_said_in_words() {
        let json =
            serde_json::json!({ "http": { "hosts": ["a.example", "b.example"] }, "say": {}, "dial": null, "n": 5 });
        let facts: Vec<String> =
            facts_of(&json).into_iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect();
        assert_eq!(facts, ["dial=—", "http=hosts: a.example, b.example", "n=5", "say=✓"]);
        assert!(facts_of(&serde_json::json!([1])).is_empty());
    }
}
