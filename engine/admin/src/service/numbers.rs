//! Numbers: which one leads where.

use super::commit::Routed;
use super::{Page, PageQuery, Revised, Source, agencies, check_area, check_revision, managed_by_file, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{EntryDocument, NumberDocument, VersionDocument, kinds};
use crate::ledger::{Kept, with_details};
use crate::names::{AgencyName, EntryName, Lang, Number, QueueName};
use crate::problem::{Problem, codes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a number leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NumberRoute {
    /// As dialled; `*` is any other.
    pub number: String,
    /// Whose.
    pub agency: String,
    /// Which script answers.
    pub entry: String,
    /// In which language the host's own words begin; null: the centre's.
    pub lang: Option<String>,
    /// The region or municipality that it stands for; null: none.
    pub area: Option<String>,
    /// Who dials it is called back by that queue, and no script answers; null: the script answers.
    pub callback: Option<String>,
    /// Who says so.
    pub source: Source,
}

/// Where a number is to lead.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberBody {
    /// As dialled; `*` is any other. In a change it may be left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub number: Option<Number>,
    /// Whose.
    #[schema(value_type = String)]
    pub agency: AgencyName,
    /// Which script answers.
    #[schema(value_type = String)]
    pub entry: EntryName,
    /// In which language the host's own words begin.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub lang: Option<Lang>,
    /// The region or municipality that it stands for.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub area: Option<String>,
    /// A queue of the configuration's file: who dials the number is called back by it, and no script answers.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub callback: Option<QueueName>,
    /// Ignored: what a GET shows may be sent back.
    #[serde(default)]
    #[schema(read_only)]
    pub source: Option<Source>,
}

/// One page of numbers.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    query: &PageQuery,
) -> Result<Page<NumberRoute>, Problem> {
    let scope = who.may(Operation::NumbersList)?;
    let only = scope.narrow(agency)?;
    let mut all: Vec<NumberRoute> = of_file(admin);
    for kept in admin.ledger().all::<NumberDocument>(kinds::NUMBER, "").await? {
        if !all.iter().any(|route| route.number == kept.id) {
            all.push(of_document(&kept.id, &kept.body));
        }
    }
    all.retain(|route| scope.includes(&route.agency) && only.as_ref().is_none_or(|only| *only == route.agency));
    all.sort_by(|a, b| a.number.cmp(&b.number));
    page::of_sorted("numbers", all, query, |route| route.number.clone())
}

/// One number.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, number: &Number) -> Result<Revised<NumberRoute>, Problem> {
    who.may(Operation::NumberRead)?;
    let found = if let Some(route) = in_file(admin, number) {
        Revised { value: route, revision: 0 }
    } else {
        let kept = of_api(admin, number).await?;
        Revised { value: of_document(&kept.id, &kept.body), revision: kept.revision }
    };
    who.sees(Operation::NumberRead, &found.value.agency, "number", number.as_str())?;
    Ok(found)
}

/// Gives a number out.
///
/// # Errors
/// `forbidden`, `exists`, `unknown-reference`; the engine's refusal.
pub async fn create(admin: &Admin, who: &Principal, body: NumberBody) -> Result<Revised<NumberRoute>, Problem> {
    who.may(Operation::NumberCreate)?;
    let number = body.number.clone().ok_or_else(|| Problem::invalid("number", "Say which number."))?;
    let document = checked(admin, body).await?;
    let _turn = admin.turn().await;
    let kept: Option<Kept<NumberDocument>> = admin.ledger().get(kinds::NUMBER, number.as_str()).await?;
    if kept.is_some() || in_file(admin, &number).is_some() {
        return Err(
            Problem::new(&codes::EXISTS, format!("The number {number} leads somewhere already.")).field("number")
        );
    }
    put(admin, who, &number, None, document, "number.create").await
}

/// Leads a number elsewhere.
///
/// # Errors
/// `forbidden`, `not-found`, `managed-by-file`, `stale-revision`, `precondition-required`, `unknown-reference`.
pub async fn update(
    admin: &Admin,
    who: &Principal,
    number: &Number,
    body: NumberBody,
    seen: Option<u64>,
) -> Result<Revised<NumberRoute>, Problem> {
    who.may(Operation::NumberUpdate)?;
    if body.number.as_ref().is_some_and(|given| given != number) {
        return Err(Problem::invalid("number", "It is not the number in the path."));
    }
    if in_file(admin, number).is_some() {
        return Err(managed_by_file("The number", number.as_str()));
    }
    let _turn = admin.turn().await;
    let before = of_api(admin, number).await?;
    check_revision(seen, before.revision)?;
    let document = checked(admin, body).await?;
    put(admin, who, number, Some((before.body, before.revision)), document, "number.update").await
}

/// Takes a number back.
///
/// # Errors
/// `forbidden`, `not-found`, `managed-by-file`, `stale-revision`.
pub async fn delete(admin: &Admin, who: &Principal, number: &Number, seen: Option<u64>) -> Result<(), Problem> {
    who.may(Operation::NumberDelete)?;
    if in_file(admin, number).is_some() {
        return Err(managed_by_file("The number", number.as_str()));
    }
    let _turn = admin.turn().await;
    let before = of_api(admin, number).await?;
    super::check_revision_if_seen(seen, before.revision)?;
    let agency = before.body.agency.clone();
    let audit = who.audit("number.delete", object(number), Some(agency.as_str()));
    let change = Routed {
        kind: kinds::NUMBER,
        id: number.as_str(),
        before: Some((before.body, before.revision)),
        after: None,
        expires_ms: None,
        audit,
        urgent: false,
    };
    change.commit(admin).await.map(|_| ())
}

async fn put(
    admin: &Admin,
    who: &Principal,
    number: &Number,
    before: Option<(NumberDocument, u64)>,
    after: NumberDocument,
    action: &str,
) -> Result<Revised<NumberRoute>, Problem> {
    let details = serde_json::json!({ "entry": after.entry, "lang": after.lang });
    let audit = with_details(who.audit(action, object(number), Some(after.agency.as_str())), details);
    let value = of_document(number.as_str(), &after);
    let (kind, id) = (kinds::NUMBER, number.as_str());
    let change = Routed { kind, id, before, after: Some(after), expires_ms: None, audit, urgent: false };
    Ok(Revised { value, revision: change.commit(admin).await? })
}

async fn checked(admin: &Admin, body: NumberBody) -> Result<NumberDocument, Problem> {
    let unknown = |field: &str, detail: &str| Problem::new(&codes::UNKNOWN_REFERENCE, detail).field(field);
    if !agencies::exists(admin, &body.agency).await? {
        return Err(unknown("agency", "There is no such agency."));
    }
    if !entry_exists(admin, &body.agency, &body.entry).await? {
        let problem = unknown("entry", "The agency has no such entry.");
        return Err(problem.remedy("Deploy a version there first: a number that leads nowhere serves nobody."));
    }
    if is_campaign(admin, &body.agency, &body.entry).await? {
        let detail = format!("{}/{} is a campaign's entry: it calls, and takes no calls.", body.agency, body.entry);
        let problem = Problem::new(&codes::CONFLICTING, detail).field("entry");
        return Err(problem.remedy("Lead the number to an entry whose script is a service or a menu."));
    }
    check_area("area", body.area.as_deref())?;
    let queues = admin.engine().file().queues;
    if body.callback.as_ref().is_some_and(|queue| !queues.iter().any(|known| known == queue.as_str())) {
        return Err(unknown("callback", "The configuration's file has no such queue."));
    }
    let NumberBody { agency, entry, lang, area, callback, .. } = body;
    Ok(NumberDocument { agency, entry, lang, area, callback })
}

async fn entry_exists(admin: &Admin, agency: &AgencyName, entry: &EntryName) -> Result<bool, Problem> {
    let in_file =
        admin.engine().file().entries.iter().any(|(of, name)| of == agency.as_str() && name == entry.as_str());
    if in_file || admin.engine().deployment(&agency.to_core(), &entry.to_core()).is_some() {
        return Ok(true);
    }
    let kept: Option<Kept<EntryDocument>> = admin.ledger().get(kinds::ENTRY, &format!("{agency}/{entry}")).await?;
    Ok(kept.is_some())
}

/// Whether a campaign's script is live there.
async fn is_campaign(admin: &Admin, agency: &AgencyName, entry: &EntryName) -> Result<bool, Problem> {
    let Some(live) = admin.engine().deployment(&agency.to_core(), &entry.to_core()) else { return Ok(false) };
    let kept: Option<Kept<VersionDocument>> = admin.ledger().get(kinds::VERSION, &live.stable.version).await?;
    Ok(kept.is_some_and(|kept| kept.body.facts.kind == "campaign"))
}

fn of_file(admin: &Admin) -> Vec<NumberRoute> {
    let numbers = admin.engine().file().numbers.into_iter();
    let route = |(number, agency, entry, lang): (String, String, String, String)| NumberRoute {
        number,
        agency,
        entry,
        lang: Some(lang).filter(|lang| !lang.is_empty()),
        area: None,
        callback: None,
        source: Source::File,
    };
    numbers.map(route).collect()
}

fn in_file(admin: &Admin, number: &Number) -> Option<NumberRoute> {
    of_file(admin).into_iter().find(|route| route.number == number.as_str())
}

async fn of_api(admin: &Admin, number: &Number) -> Result<Kept<NumberDocument>, Problem> {
    let kept = admin.ledger().get(kinds::NUMBER, number.as_str()).await?;
    kept.ok_or_else(|| Problem::not_found("number", number))
}

fn of_document(number: &str, document: &NumberDocument) -> NumberRoute {
    NumberRoute {
        number: number.to_owned(),
        agency: document.agency.to_string(),
        entry: document.entry.to_string(),
        lang: document.lang.as_ref().map(ToString::to_string),
        area: document.area.clone(),
        callback: document.callback.as_ref().map(ToString::to_string),
        source: Source::Api,
    }
}

fn object(number: &Number) -> String {
    format!("number:{number}")
}
