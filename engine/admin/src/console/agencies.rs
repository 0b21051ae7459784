//! Agencies: the list, and one of them with its keys and how long its data is kept.

use super::confirm::{Ask, confirm};
use super::context::Ctx;
use super::form::{Choice, Form};
use super::format::Moment;
use super::lists;
use super::visit::{Outcome, Posted, Refused, Visit, go};
use crate::access::Operation;
use crate::names::{AgencyName, GroupName, TrunkName};
use crate::ports::FileFacts;
use crate::service::agencies::{self as service, Agency, AgencyBody};
use crate::service::keys::{self, Key, NewKey};
use crate::service::retention::{self, Retention};
use crate::service::{PageQuery, Revised, Source};
use crate::time;
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;
use std::collections::BTreeMap;

/// Keys shown; an agency has a few.
const KEYS_MAX: usize = 256;
const DAYS_MAX: u32 = 3_650;
const FIELDS: [&str; 7] = ["name", "title", "fallback", "outbound", "reachable", "two_person", "recording_consent"];

/// An agency in the list.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) fallback: String,
    pub(crate) source: &'static str,
}

impl Row {
    pub(crate) fn of(agency: Agency) -> Self {
        let title = if agency.title == agency.name { String::new() } else { agency.title };
        Self { name: agency.name, title, fallback: agency.fallback, source: lists::source(agency.source) }
    }
}

/// All agencies.
#[derive(Template)]
#[template(path = "agencies.html")]
pub(crate) struct AgenciesPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
    pub(crate) may_create: bool,
}

/// A new agency.
#[derive(Template)]
#[template(path = "agency_new.html")]
pub(crate) struct NewAgencyPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) groups: Vec<Choice>,
    pub(crate) trunks: Vec<Choice>,
}

impl<'a> NewAgencyPage<'a> {
    pub(crate) fn of(c: &'a Ctx, form: Form, file: &FileFacts) -> Self {
        Self { c, form: known(form), groups: Choice::all(&file.groups), trunks: trunks(c, file) }
    }
}

fn known(form: Form) -> Form {
    FIELDS.into_iter().fold(form, |form, field| form.or(field, ""))
}

fn trunks(c: &Ctx, file: &FileFacts) -> Vec<Choice> {
    Choice::or(c.t("form.none"), &file.trunks)
}

/// A key, as its row shows it.
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) comment: String,
    pub(crate) state: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) from: Option<Moment>,
    pub(crate) until: Option<Moment>,
    pub(crate) may_revoke: bool,
}

impl KeyRow {
    pub(crate) fn of(c: &Ctx, agency: &str, key: Key) -> Self {
        let ms = |at: &Option<String>| at.as_deref().and_then(|at| time::read("", at).ok());
        let ended = ms(&key.expires).is_some_and(|expires| expires <= c.now_ms);
        let early = ms(&key.not_before).is_some_and(|from| from > c.now_ms);
        let (state, tone) = match (key.revoked.is_some(), ended, early) {
            (true, ..) => ("key.state.revoked", "bad"),
            (_, true, _) => ("key.state.expired", "off"),
            (.., true) => ("key.state.early", "info"),
            _ => ("key.state.valid", "good"),
        };
        Self {
            state: c.t(state),
            tone,
            from: key.not_before.as_deref().map(|at| c.moment_of(at)),
            until: key.expires.as_deref().map(|at| c.moment_of(at)),
            may_revoke: key.revoked.is_none() && c.may_in(Operation::KeyRevoke, agency),
            id: key.id,
            comment: key.comment,
        }
    }
}

/// One agency.
#[derive(Template)]
#[template(path = "agency.html")]
pub(crate) struct AgencyPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) name: String,
    pub(crate) heading: String,
    pub(crate) from_file: bool,
    pub(crate) may_edit: bool,
    pub(crate) may_delete: bool,
    pub(crate) form: Form,
    pub(crate) revision: u64,
    pub(crate) groups: Vec<Choice>,
    pub(crate) trunks: Vec<Choice>,
    pub(crate) may_see_keys: bool,
    pub(crate) keys: Vec<KeyRow>,
    pub(crate) may_add_key: bool,
    pub(crate) key_form: Form,
    pub(crate) may_see_retention: bool,
    pub(crate) may_retain: bool,
    pub(crate) retention_form: Form,
    pub(crate) retention_revision: u64,
    pub(crate) entries: Vec<String>,
    pub(crate) may_see_settings: bool,
    pub(crate) may_records: bool,
}

/// Forms of an agency's page that came back with something wrong in them.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) details: Option<Form>,
    pub(crate) key: Option<Form>,
    pub(crate) retention: Option<Form>,
}

/// What an agency's page is made of.
pub(crate) struct Facts {
    pub(crate) agency: Revised<Agency>,
    pub(crate) file: FileFacts,
    pub(crate) keys: Option<Vec<Key>>,
    pub(crate) retention: Option<Revised<Retention>>,
    pub(crate) entries: Vec<String>,
}

impl<'a> AgencyPage<'a> {
    pub(crate) fn of(c: &'a Ctx, facts: Facts, sent: Sent) -> Self {
        let Facts { agency: Revised { value: agency, revision }, file, keys, retention, entries } = facts;
        let name = agency.name.clone();
        let ours = agency.source == Source::Api;
        let heading = if agency.title.is_empty() { name.clone() } else { agency.title.clone() };
        let retained = retention.as_ref().map(|retention| form_of_retention(&retention.value));
        Self {
            heading,
            from_file: !ours,
            may_edit: ours && c.may_in(Operation::AgencyUpdate, &name),
            may_delete: ours && c.may_in(Operation::AgencyDelete, &name),
            form: known(sent.details.unwrap_or_else(|| form_of(&agency))),
            revision,
            groups: Choice::all(&file.groups),
            trunks: trunks(c, &file),
            may_see_keys: keys.is_some(),
            keys: keys.unwrap_or_default().into_iter().map(|key| KeyRow::of(c, &name, key)).collect(),
            may_add_key: c.may_in(Operation::KeyAdd, &name),
            key_form: known_key(sent.key.unwrap_or_default()),
            may_see_retention: retention.is_some(),
            may_retain: c.may_in(Operation::RetentionSet, &name),
            retention_form: sent.retention.or(retained).unwrap_or_default().named("retention-"),
            retention_revision: retention.map_or(0, |retention| retention.revision),
            entries,
            may_see_settings: c.may_in(Operation::EntryRead, &name),
            may_records: c.may_in(Operation::CdrsList, &name),
            name,
            c,
        }
    }
}

fn known_key(form: Form) -> Form {
    let fields = ["public_key", "comment", "not_before", "expires"];
    fields.into_iter().fold(form.named("key-"), |form, field| form.or(field, ""))
}

fn form_of(agency: &Agency) -> Form {
    let lines: Vec<String> = agency.reachable.iter().map(|(name, target)| format!("{name} = {target}")).collect();
    let mark = |on: bool| if on { "true" } else { "" };
    Form::new("")
        .with("title", agency.title.as_str())
        .with("fallback", agency.fallback.as_str())
        .with("outbound", agency.outbound.as_deref().unwrap_or_default())
        .with("reachable", lines.join("\n"))
        .with("two_person", mark(agency.two_person))
        .with("recording_consent", mark(agency.recording_consent))
}

fn form_of_retention(retention: &Retention) -> Form {
    Form::new("retention-")
        .with("cdr_days", retention.cdr_days.to_string())
        .with("recording_days", retention.recording_days.to_string())
        .with("trace_days", retention.trace_days.to_string())
}

/// "name = agency/entry", line by line.
fn reachable(c: &Ctx, form: &mut Form) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for line in form.text("reachable").lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once('=') {
            Some((name, target)) => {
                map.insert(name.trim().to_owned(), target.trim().to_owned());
            }
            None => form.blame(c.lang, "reachable", "line", &[("line", line)]),
        }
    }
    map
}

fn body(c: &Ctx, form: &mut Form, name: Option<AgencyName>) -> Option<AgencyBody> {
    let fallback = form.parsed::<GroupName>(c.lang, "fallback");
    let outbound = form.parsed_some::<TrunkName>(c.lang, "outbound");
    let reachable = reachable(c, form);
    if form.has_wrong() {
        return None;
    }
    Some(AgencyBody {
        name,
        title: form.text("title"),
        fallback: fallback?,
        outbound,
        reachable,
        two_person: form.checked("two_person"),
        recording_consent: form.checked("recording_consent"),
        queue: None,
        information: String::new(),
        source: None,
    })
}

/// `GET /console/agencies`
pub(crate) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let page = service::list(&visit.admin, &visit.me, &query.page()).await?;
    Ok(visit.page(&AgenciesPage {
        c: &visit.c,
        rows: page.items.into_iter().map(Row::of).collect(),
        next: query.next("/console/agencies", page.next.as_deref()),
        may_create: visit.c.may(Operation::AgencyCreate),
    }))
}

/// `GET /console/agencies/new`
pub(crate) async fn blank(visit: Visit) -> Outcome {
    visit.me.may(Operation::AgencyCreate)?;
    Ok(visit.page(&NewAgencyPage::of(&visit.c, Form::new(""), &visit.admin.engine().file())))
}

/// `POST /console/agencies/new`
pub(crate) async fn create(Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let name = form.parsed::<AgencyName>(c.lang, "name");
    if let Some(body) = body(c, &mut form, name) {
        match service::create(&visit.admin, &visit.me, body).await {
            Ok(made) => return Ok(go(&format!("/console/agencies/{}", made.value.name), Some("created"))),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    Ok(visit.again(&NewAgencyPage::of(c, form, &visit.admin.engine().file())))
}

async fn facts(visit: &Visit, name: &AgencyName) -> Result<Facts, Refused> {
    let (admin, me, c) = (&visit.admin, &visit.me, &visit.c);
    let agency = service::read(admin, me, name).await?;
    let keys = if c.may_in(Operation::KeysList, name.as_str()) {
        let all = PageQuery { cursor: None, limit: Some(KEYS_MAX) };
        Some(keys::list(admin, me, name, &all).await?.items)
    } else {
        None
    };
    let retention = if c.may_in(Operation::RetentionRead, name.as_str()) {
        Some(retention::read(admin, me, name).await?)
    } else {
        None
    };
    let deployments = admin.engine().deployments(Some(&name.to_core()));
    let entries = deployments.into_iter().map(|deployment| deployment.entry).collect();
    Ok(Facts { agency, file: admin.engine().file(), keys, retention, entries })
}

/// `GET /console/agencies/{agency}`
pub(crate) async fn show(visit: Visit, Path(name): Path<String>) -> Outcome {
    let facts = facts(&visit, &name.parse()?).await?;
    Ok(visit.page(&AgencyPage::of(&visit.c, facts, Sent::default())))
}

async fn again(visit: &Visit, name: &AgencyName, sent: Sent) -> Outcome {
    let facts = facts(visit, name).await?;
    Ok(visit.again(&AgencyPage::of(&visit.c, facts, sent)))
}

fn here(name: &AgencyName) -> String {
    format!("/console/agencies/{name}")
}

/// `POST /console/agencies/{agency}`
pub(crate) async fn update(Path(name): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let name: AgencyName = name.parse()?;
    if let Some(body) = body(&visit.c, &mut form, None) {
        match service::update(&visit.admin, &visit.me, &name, body, form.revision()).await {
            Ok(_) => return Ok(go(&here(&name), Some("saved"))),
            Err(problem) => form.refused(visit.c.lang, &problem),
        }
    }
    again(&visit, &name, Sent { details: Some(form), ..Sent::default() }).await
}

/// `GET /console/agencies/{agency}/delete`
pub(crate) async fn ask_delete(visit: Visit, headers: HeaderMap, Path(name): Path<String>) -> Outcome {
    let name: AgencyName = name.parse()?;
    let agency = service::read(&visit.admin, &visit.me, &name).await?;
    let ask = Ask::new(format!("{}/delete", here(&name)), here(&name))
        .title(visit.c.w("agency.delete.title", [("name", name.as_str())]))
        .text(visit.c.t("agency.delete.text"))
        .yes(visit.c.t("agency.delete"))
        .hidden("revision", agency.revision.to_string());
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/agencies/{agency}/delete`
pub(crate) async fn delete(Path(name): Path<String>, Posted { visit, form }: Posted) -> Outcome {
    service::delete(&visit.admin, &visit.me, &name.parse()?, form.revision()).await?;
    Ok(go("/console/agencies", Some("deleted")))
}

/// `POST /console/agencies/{agency}/retention`
pub(crate) async fn retain(Path(name): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let name: AgencyName = name.parse()?;
    let lang = visit.c.lang;
    let days = ["cdr_days", "recording_days", "trace_days"].map(|field| {
        let days = form.whole(lang, field, (1, DAYS_MAX));
        if days.is_none() && form.text(field).is_empty() {
            form.blame(lang, field, "required", &[]);
        }
        days
    });
    if let [Some(cdr_days), Some(recording_days), Some(trace_days)] = days {
        let wanted = Retention { cdr_days, recording_days, trace_days };
        match retention::set(&visit.admin, &visit.me, &name, wanted, form.revision()).await {
            Ok(_) => return Ok(go(&here(&name), Some("saved"))),
            Err(problem) => form.refused(lang, &problem),
        }
    }
    again(&visit, &name, Sent { retention: Some(form), ..Sent::default() }).await
}

/// `POST /console/agencies/{agency}/keys`
pub(crate) async fn add_key(Path(name): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let name: AgencyName = name.parse()?;
    let c = &visit.c;
    let public_key = form.filled(c.lang, "public_key");
    let not_before = form.moment(c.lang, &c.zone, "not_before").map(time::written);
    let expires = form.moment(c.lang, &c.zone, "expires").map(time::written);
    if !form.has_wrong() {
        let new = NewKey { public_key, comment: form.text("comment"), not_before, expires };
        match keys::add(&visit.admin, &visit.me, &name, new).await {
            Ok(_) => return Ok(go(&here(&name), Some("saved"))),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    again(&visit, &name, Sent { key: Some(form), ..Sent::default() }).await
}

/// `GET /console/agencies/{agency}/keys/{key}/revoke`
pub(crate) async fn ask_revoke(visit: Visit, headers: HeaderMap, Path((name, key)): Path<(String, String)>) -> Outcome {
    let name: AgencyName = name.parse()?;
    let key: crate::names::KeyName = key.parse()?;
    let ask = Ask::new(format!("{}/keys/{}/revoke", here(&name), key.canonical()), here(&name))
        .title(visit.c.w("key.revoke.title", [("id", key.as_str())]))
        .text(visit.c.t("key.revoke.text"))
        .yes(visit.c.t("key.revoke"));
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/agencies/{agency}/keys/{key}/revoke`
pub(crate) async fn revoke(Path((name, key)): Path<(String, String)>, Posted { visit, .. }: Posted) -> Outcome {
    let name: AgencyName = name.parse()?;
    keys::revoke(&visit.admin, &visit.me, &name, &key.parse()?).await?;
    Ok(go(&here(&name), Some("revoked")))
}
