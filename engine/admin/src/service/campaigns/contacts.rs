//! A campaign's contacts: lists in, as their bytes come; who is on them; what people decide; results out.

use super::{at_hand, draft, seen};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::ledger::{Change, with_details};
use crate::limits::{CONTACTS_BYTES_MAX, LIST_LEN_MAX};
use crate::names::CampaignName;
use crate::ports::{
    ByteStream, ContactDetails, ContactRow, ContactsImport, ContactsQuery, ContactsReport, ListFormat, ResultsQuery,
};
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use crate::service::commit::{Look, looked};
use crate::service::lists::Incoming;
use crate::service::{Page, PageQuery, callbacks, check_area, page};
use bytes::Bytes;
use futures_util::Stream;
use gudok_core::campaign::{ContactDecision, Disposition};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use utoipa::ToSchema;

/// The list that a cursor belongs to.
const LIST: &str = "contacts";

/// Where a contact stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContactStanding {
    /// Waits for its turn.
    Waiting,
    /// Is being dialled or talked to.
    Claimed,
    /// A crash cut its attempt off: a person decides.
    Unknown,
    /// The end.
    Done,
}

impl ContactStanding {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Claimed, Self::Unknown, Self::Done];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Claimed => "claimed",
            Self::Unknown => "unknown",
            Self::Done => "done",
        }
    }
}

/// What a person decides about a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContactChoice {
    /// Of an unknown attempt: it is taken for made.
    TakeForMade,
    /// Of an unknown attempt, or of a contact that is done: once more.
    TryAgain,
    /// Never.
    Cancel,
}

impl ContactChoice {
    const fn to_core(self) -> ContactDecision {
        match self {
            Self::TakeForMade => ContactDecision::TakeForMade,
            Self::TryAgain => ContactDecision::TryAgain,
            Self::Cancel => ContactDecision::Cancel,
        }
    }
}

/// Which contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactFilter {
    /// Who stand there.
    pub state: Option<ContactStanding>,
    /// Who are done, with this as their last disposition.
    pub disposition: Option<String>,
    /// Of this area.
    pub area: Option<String>,
}

/// Takes a list of contacts, as its bytes come.
///
/// # Errors
/// `forbidden`, `not-found`, `too-many`, `too-large`, `timeout`; the engine's refusal.
pub async fn import<E: Display + Send + 'static>(
    admin: &Admin,
    who: &Principal,
    name: &CampaignName,
    import: ContactsImport,
    bytes: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Result<ContactsReport, Problem> {
    let row = at_hand(admin, who, Operation::ContactsImport, name).await?;
    let place = std::sync::Arc::clone(admin.imports()).try_acquire_owned();
    let _place = place.map_err(|_| Problem::new(&codes::TOO_MANY, "Other lists are being read.").retry_after_s(5))?;
    let details = |report: Option<&ContactsReport>| {
        let report = report.map(|report| {
            serde_json::json!({ "rows": report.rows, "added": report.added, "duplicates": report.duplicates, "bad": report.bad })
        });
        serde_json::json!({ "format": import.format, "dry_run": import.dry_run, "report": report })
    };
    if !import.dry_run {
        let draft = with_details(draft(who, "contacts.import", &row), details(None));
        admin.ledger().commit(Change::new().audit(draft)).await?;
    }
    let incoming = Incoming::new(bytes, CONTACTS_BYTES_MAX);
    let broken = incoming.broken();
    let taken = admin.engine().contacts_import(who.actor(), name.to_core(), import, incoming.stream()).await;
    let report = taken.map_err(|refusal| broken.or(refusal))?;
    if !import.dry_run {
        let draft = with_details(draft(who, "contacts.imported", &row), details(Some(&report)));
        admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    }
    Ok(report)
}

/// Adds the contacts of another campaign, of these areas, or of all where none is named.
///
/// # Errors
/// `forbidden`, `not-found`, `invalid-field`; the engine's refusal.
pub async fn copy(
    admin: &Admin,
    who: &Principal,
    name: &CampaignName,
    from: &CampaignName,
    areas: Vec<String>,
) -> Result<ContactsReport, Problem> {
    let row = at_hand(admin, who, Operation::ContactsCopy, name).await?;
    let source = seen(admin, who, Operation::ContactsCopy, from).await.map_err(|problem| problem.field("from"))?;
    if name == from {
        return Err(Problem::invalid("from", "A campaign has its own contacts already."));
    }
    // Contacts are personal data of the agency that has them; an emergency is the officer's word.
    if source.document.agency != row.document.agency && !row.document.emergency {
        let problem = Problem::invalid("from", "Its contacts are another agency's.");
        return Err(problem.remedy("Only a campaign of an emergency takes them; else import a list of your own."));
    }
    if areas.len() > LIST_LEN_MAX {
        return Err(Problem::invalid("areas", format!("At most {LIST_LEN_MAX} areas are read.")));
    }
    for area in &areas {
        check_area("areas", Some(area))?;
    }
    let details = serde_json::json!({ "from": from, "areas": areas });
    let draft = with_details(draft(who, "contacts.copy", &row), details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    Ok(admin.engine().contacts_copy(who.actor(), name.to_core(), from.to_core(), areas).await?)
}

/// One page of contacts, in the list's order. It is a look at people's data, and goes to the audit.
///
/// # Errors
/// `forbidden`, `not-found`, `bad-cursor`, `bad-query`; the engine's refusal.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    name: &CampaignName,
    filter: &ContactFilter,
    query: &PageQuery,
) -> Result<Page<ContactRow>, Problem> {
    let row = seen(admin, who, Operation::ContactsList, name).await?;
    check_filter(filter)?;
    let bad = || Problem::new(&codes::BAD_CURSOR, "It does not belong to this list.").field("cursor");
    let after = query.after(LIST)?.map(|after| after.parse::<u32>().map_err(|_| bad())).transpose()?;
    let asked = ContactsQuery {
        after,
        rows_max: query.items_max()?,
        state: filter.state.map(|state| state.as_str().to_owned()),
        disposition: filter.disposition.clone(),
        area: filter.area.clone(),
        number: None,
    };
    let found = admin.engine().contacts(name.to_core(), asked).await?;
    let details = serde_json::json!({
        "contacts": found.rows.len(), "state": filter.state, "disposition": filter.disposition, "area": filter.area,
    });
    looked(admin, who, look("contacts.read", &row, details)).await?;
    let next = found.more_after.map(|after| page::write_cursor(LIST, &after.to_string()));
    Ok(Page { items: found.rows, next })
}

fn check_filter(filter: &ContactFilter) -> Result<(), Problem> {
    check_area("area", filter.area.as_deref())?;
    let known = |kind: &String| Disposition::KINDS.contains(&kind.as_str());
    if filter.disposition.as_ref().is_some_and(|kind| !known(kind)) {
        let problem = Problem::new(&codes::BAD_QUERY, "There is no such disposition.").field("disposition");
        return Err(problem.remedy(format!("Dispositions are {}.", Disposition::KINDS.join(", "))));
    }
    Ok(())
}

/// The contacts with a number: at most one, for a campaign has a number once. Goes to the audit.
///
/// # Errors
/// `forbidden`, `not-found`, `invalid-field`; the engine's refusal.
pub async fn find(
    admin: &Admin,
    who: &Principal,
    name: &CampaignName,
    number: &Redacted,
) -> Result<Page<ContactRow>, Problem> {
    let row = seen(admin, who, Operation::ContactsFind, name).await?;
    let number = callbacks::number(admin, number)?;
    let asked = ContactsQuery { rows_max: 1, number: Some(number), ..ContactsQuery::default() };
    let found = admin.engine().contacts(name.to_core(), asked).await?;
    let details = serde_json::json!({ "contacts": found.rows.len(), "by": "number" });
    looked(admin, who, look("contacts.read", &row, details)).await?;
    Ok(Page { items: found.rows, next: None })
}

/// One contact with its attempts. Goes to the audit.
///
/// # Errors
/// `forbidden`, `not-found`; the engine's refusal.
pub async fn read(admin: &Admin, who: &Principal, name: &CampaignName, no: u32) -> Result<ContactDetails, Problem> {
    let row = seen(admin, who, Operation::ContactRead, name).await?;
    let found = admin.engine().contact(name.to_core(), no).await?;
    let found = found.ok_or_else(|| Problem::not_found("contact", no))?;
    looked(admin, who, look("contacts.read", &row, serde_json::json!({ "contact": no }))).await?;
    Ok(found)
}

/// A person decides about a contact.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict`; the engine's refusal.
pub async fn decide(
    admin: &Admin,
    who: &Principal,
    name: &CampaignName,
    no: u32,
    choice: ContactChoice,
) -> Result<ContactRow, Problem> {
    let row = at_hand(admin, who, Operation::ContactDecide, name).await?;
    let details = serde_json::json!({ "contact": no, "decision": choice });
    let draft = with_details(draft(who, "contacts.decide", &row), details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    Ok(admin.engine().contact_decide(who.actor(), name.to_core(), no, choice.to_core()).await?)
}

/// Attempts that ended, as a table. Goes to the audit.
///
/// # Errors
/// `forbidden`, `not-found`; the engine's refusal.
pub async fn results(
    admin: &Admin,
    who: &Principal,
    name: &CampaignName,
    format: ListFormat,
    after: Option<u64>,
) -> Result<ByteStream, Problem> {
    let row = seen(admin, who, Operation::CampaignResults, name).await?;
    let details = serde_json::json!({ "format": format, "after": after });
    looked(admin, who, look("campaign.results", &row, details)).await?;
    Ok(admin.engine().campaign_results(name.to_core(), ResultsQuery { format, after }).await?)
}

fn look<'a>(action: &'a str, row: &'a crate::ports::CampaignRow, details: serde_json::Value) -> Look<'a> {
    Look { action, object: format!("campaign:{}", row.name), agency: Some(row.document.agency.as_str()), details }
}
