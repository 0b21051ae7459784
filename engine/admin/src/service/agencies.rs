//! Agencies: those of the file, and those that admins made.

use super::commit::Routed;
use super::{Page, PageQuery, Revised, Source, check_len, check_revision, check_text, managed_by_file, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{AgencyDocument, NumberDocument, kinds};
use crate::ledger::{Kept, with_details};
use crate::limits::{OVERLAY_CHARS_MAX, TEXT_CHARS_MAX};
use crate::names::{AgencyName, EntryName, GroupName, QueueName, ScriptName, TrunkName};
use crate::ports::FileAgency;
use crate::problem::{Problem, codes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Agency {
    /// Unique; never changes.
    pub name: String,
    /// For people.
    pub title: String,
    /// The group where callers land whose script failed.
    pub fallback: String,
    /// By which trunk it dials; null: it cannot.
    pub outbound: Option<String>,
    /// Scripts of others that it may hand callers to, by its own names for them: "mvd/readiness".
    pub reachable: BTreeMap<String, String>,
    /// New rights of its scripts need two admins.
    pub two_person: bool,
    /// Its scripts must ask the caller before they record.
    pub recording_consent: bool,
    /// The queue where callers wait who need an operator; null: the fallback group is rung.
    pub queue: Option<String>,
    /// What the host's own minimal menu tells callers when the agency's script fails; empty: nothing but the apology.
    pub information: String,
    /// Who says so.
    pub source: Source,
}

/// What an agency is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgencyBody {
    /// Unique; never changes. In a change it may be left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Option<AgencyName>,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub title: String,
    /// A group of the configuration's file: where callers land whose script failed.
    #[schema(value_type = String)]
    pub fallback: GroupName,
    /// A trunk of the configuration's file.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub outbound: Option<TrunkName>,
    /// Scripts of others that it may hand callers to, by its own names for them: "mvd/readiness".
    #[serde(default)]
    pub reachable: BTreeMap<String, String>,
    /// New rights of its scripts need two admins.
    #[serde(default)]
    pub two_person: bool,
    /// Its scripts must ask the caller before they record.
    #[serde(default)]
    pub recording_consent: bool,
    /// A queue of the configuration's file: where callers wait who need an operator.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub queue: Option<QueueName>,
    /// What the host's own minimal menu tells callers when the agency's script fails.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub information: String,
    /// Ignored: what a GET shows may be sent back.
    #[serde(default)]
    #[schema(read_only)]
    pub source: Option<Source>,
}

/// One page of agencies, by name.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(admin: &Admin, who: &Principal, query: &PageQuery) -> Result<Page<Agency>, Problem> {
    let scope = who.may(Operation::AgenciesList)?;
    let mut all: Vec<Agency> = all(admin).await?.into_iter().filter(|agency| scope.includes(&agency.name)).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    page::of_sorted("agencies", all, query, |agency| agency.name.clone())
}

/// One agency.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, name: &AgencyName) -> Result<Revised<Agency>, Problem> {
    who.may_in(Operation::AgencyRead, name.as_str())?;
    match find(admin, name).await? {
        Some(Found::File(agency)) => Ok(Revised { value: of_file(&agency), revision: 0 }),
        Some(Found::Api(kept)) => Ok(Revised { revision: kept.revision, value: of_document(&kept.id, kept.body) }),
        None => Err(Problem::not_found("agency", name)),
    }
}

/// Makes an agency.
///
/// # Errors
/// `forbidden`, `exists`, `invalid-field`, `unknown-reference`; the engine's refusal.
pub async fn create(admin: &Admin, who: &Principal, body: AgencyBody) -> Result<Revised<Agency>, Problem> {
    who.may(Operation::AgencyCreate)?;
    let name = body.name.clone().ok_or_else(|| Problem::invalid("name", "An agency needs a name."))?;
    let document = checked(admin, body)?;
    let _turn = admin.turn().await;
    if find(admin, &name).await?.is_some() {
        return Err(Problem::new(&codes::EXISTS, format!("There is an agency {name}.")).field("name"));
    }
    let audit = with_details(who.audit("agency.create", object(&name), Some(name.as_str())), facts(&document));
    let revision = routed(&name, None, Some(document.clone()), audit).commit(admin).await?;
    Ok(Revised { value: of_document(name.as_str(), document), revision })
}

/// Changes an agency.
///
/// # Errors
/// `forbidden`, `not-found`, `managed-by-file`, `stale-revision`, `precondition-required`, `unknown-reference`.
pub async fn update(
    admin: &Admin,
    who: &Principal,
    name: &AgencyName,
    body: AgencyBody,
    seen: Option<u64>,
) -> Result<Revised<Agency>, Problem> {
    who.may(Operation::AgencyUpdate)?;
    if body.name.as_ref().is_some_and(|given| given != name) {
        return Err(Problem::invalid("name", "An agency's name never changes."));
    }
    let _turn = admin.turn().await;
    let before = of_api(admin, name).await?;
    check_revision(seen, before.revision)?;
    let document = checked(admin, body)?;
    let audit = with_details(who.audit("agency.update", object(name), Some(name.as_str())), facts(&document));
    let before = Some((before.body, before.revision));
    let revision = routed(name, before, Some(document.clone()), audit).commit(admin).await?;
    Ok(Revised { value: of_document(name.as_str(), document), revision })
}

/// Deletes an agency that nothing leads to. Its keys, entries and retention stay until somebody makes one of its name.
///
/// # Errors
/// `forbidden`, `not-found`, `managed-by-file`, `stale-revision`, `in-use`.
pub async fn delete(admin: &Admin, who: &Principal, name: &AgencyName, seen: Option<u64>) -> Result<(), Problem> {
    who.may(Operation::AgencyDelete)?;
    let _turn = admin.turn().await;
    let before = of_api(admin, name).await?;
    super::check_revision_if_seen(seen, before.revision)?;
    unused(admin, name).await?;
    let audit = who.audit("agency.delete", object(name), Some(name.as_str()));
    routed(name, Some((before.body, before.revision)), None, audit).commit(admin).await.map(|_| ())
}

/// An agency, wherever it stands.
pub(crate) enum Found {
    File(FileAgency),
    Api(Kept<AgencyDocument>),
}

pub(crate) async fn find(admin: &Admin, name: &AgencyName) -> Result<Option<Found>, Problem> {
    let file = admin.engine().file().agencies.into_iter().find(|agency| agency.name == name.as_str());
    match file {
        Some(agency) => Ok(Some(Found::File(agency))),
        None => Ok(admin.ledger().get(kinds::AGENCY, name.as_str()).await?.map(Found::Api)),
    }
}

pub(crate) async fn exists(admin: &Admin, name: &AgencyName) -> Result<bool, Problem> {
    Ok(find(admin, name).await?.is_some())
}

/// An agency that a request named and that must be there.
pub(crate) async fn must_exist(admin: &Admin, name: &AgencyName) -> Result<(), Problem> {
    if exists(admin, name).await? { Ok(()) } else { Err(Problem::not_found("agency", name)) }
}

/// Every agency; they are few.
pub(crate) async fn all(admin: &Admin) -> Result<Vec<Agency>, Problem> {
    let mut all: Vec<Agency> = admin.engine().file().agencies.iter().map(of_file).collect();
    for kept in admin.ledger().all::<AgencyDocument>(kinds::AGENCY, "").await? {
        if !all.iter().any(|agency| agency.name == kept.id) {
            all.push(of_document(&kept.id, kept.body));
        }
    }
    Ok(all)
}

async fn of_api(admin: &Admin, name: &AgencyName) -> Result<Kept<AgencyDocument>, Problem> {
    match find(admin, name).await? {
        Some(Found::Api(kept)) => Ok(kept),
        Some(Found::File(_)) => Err(managed_by_file("The agency", name.as_str())),
        None => Err(Problem::not_found("agency", name)),
    }
}

fn routed<'a>(
    name: &'a AgencyName,
    before: Option<(AgencyDocument, u64)>,
    after: Option<AgencyDocument>,
    audit: gudok_store::AuditDraft,
) -> Routed<'a, AgencyDocument> {
    Routed { kind: kinds::AGENCY, id: name.as_str(), before, after, expires_ms: None, audit, urgent: false }
}

fn checked(admin: &Admin, body: AgencyBody) -> Result<AgencyDocument, Problem> {
    check_text("title", &body.title, TEXT_CHARS_MAX)?;
    let file = admin.engine().file();
    let unknown = |field: &str, what: &str, known: &[String]| {
        let problem = Problem::new(&codes::UNKNOWN_REFERENCE, format!("The configuration's file has no such {what}."));
        problem.field(field).remedy(format!("It has {}. Others go into gudok.toml first.", listed(known)))
    };
    if !file.groups.iter().any(|group| group == body.fallback.as_str()) {
        return Err(unknown("fallback", "group", &file.groups));
    }
    let known = |trunk: &TrunkName| file.trunks.iter().any(|known| known == trunk.as_str());
    if body.outbound.as_ref().is_some_and(|trunk| !known(trunk)) {
        return Err(unknown("outbound", "trunk", &file.trunks));
    }
    if body.queue.as_ref().is_some_and(|queue| !file.queues.iter().any(|known| known == queue.as_str())) {
        return Err(unknown("queue", "queue", &file.queues));
    }
    check_text("information", &body.information, OVERLAY_CHARS_MAX)?;
    check_len("reachable", body.reachable.len())?;
    for (name, target) in &body.reachable {
        let well_formed = name.parse::<ScriptName>().is_ok()
            && target.split_once('/').is_some_and(|(agency, entry)| {
                agency.parse::<AgencyName>().is_ok() && entry.parse::<EntryName>().is_ok()
            });
        if !well_formed {
            let detail = "It maps a name to \"agency/entry\", all of a-z, 0-9 and -.";
            return Err(Problem::invalid("reachable", detail));
        }
    }
    Ok(AgencyDocument {
        title: body.title,
        fallback: body.fallback,
        outbound: body.outbound,
        reachable: body.reachable,
        two_person: body.two_person,
        recording_consent: body.recording_consent,
        queue: body.queue,
        information: body.information,
    })
}

fn listed(names: &[String]) -> String {
    const SHOWN_MAX: usize = 20;
    match names.len() {
        0 => "none".to_owned(),
        count if count > SHOWN_MAX => format!("{} and {} more", names[..SHOWN_MAX].join(", "), count - SHOWN_MAX),
        _ => names.join(", "),
    }
}

async fn unused(admin: &Admin, name: &AgencyName) -> Result<(), Problem> {
    let in_use = |by: String| Problem::new(&codes::IN_USE, format!("{by} needs the agency {name}."));
    for (number, agency, ..) in admin.engine().file().numbers {
        if agency == name.as_str() {
            return Err(in_use(format!("The number {number} of the file")));
        }
    }
    for number in admin.ledger().all::<NumberDocument>(kinds::NUMBER, "").await? {
        if number.body.agency == *name {
            return Err(in_use(format!("The number {}", number.id)));
        }
    }
    for agency in all(admin).await?.iter().filter(|agency| agency.name != name.as_str()) {
        let reaches = |target: &String| target.split('/').next() == Some(name.as_str());
        if agency.reachable.values().any(reaches) {
            return Err(in_use(format!("reachable of {}", agency.name)));
        }
    }
    match admin.engine().live_calls(Some(&name.to_core())).len() {
        0 => Ok(()),
        calls => Err(in_use(format!("A call ({calls} are up)"))),
    }
}

fn of_file(agency: &FileAgency) -> Agency {
    Agency {
        name: agency.name.clone(),
        title: agency.name.clone(),
        fallback: agency.fallback.clone(),
        outbound: agency.outbound.clone(),
        reachable: agency.reachable.clone(),
        two_person: false,
        recording_consent: false,
        queue: agency.queue.clone(),
        information: String::new(),
        source: Source::File,
    }
}

fn of_document(name: &str, document: AgencyDocument) -> Agency {
    Agency {
        name: name.to_owned(),
        title: document.title,
        fallback: document.fallback.to_string(),
        outbound: document.outbound.map(|trunk| trunk.to_string()),
        reachable: document.reachable,
        two_person: document.two_person,
        recording_consent: document.recording_consent,
        queue: document.queue.map(|queue| queue.to_string()),
        information: document.information,
        source: Source::Api,
    }
}

fn object(name: &AgencyName) -> String {
    format!("agency:{name}")
}

fn facts(document: &AgencyDocument) -> serde_json::Value {
    serde_json::to_value(document).unwrap_or_default()
}
