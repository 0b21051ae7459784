//! Campaigns: made, changed, started, watched. The rules of dialling are the core's; what there is now is the engine's.

pub mod contacts;
mod hand;

use super::{Page, PageQuery, Revised, agencies, check_revision, check_revision_if_seen, check_text, page};
use crate::Admin;
use crate::access::{Operation, Role};
use crate::auth::Principal;
use crate::books::{BadCampaign, campaign_settings};
use crate::documents::{Approval, CampaignApprovalDocument, CampaignDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::{CAMPAIGN_STEP_S_MAX, TEXT_CHARS_MAX};
use crate::names::{AgencyName, CampaignName};
use crate::ports::{CampaignFacts, CampaignForecast, CampaignRow, CampaignSeries, CampaignWrite};
use crate::problem::{Problem, codes};
use crate::service::versions::ApprovalShown;
use crate::time;
use gudok_core::campaign::CampaignOrder;
use gudok_core::prompt::LanguageTag;
use hand::check_hand;
use serde::Serialize;
use utoipa::ToSchema;

/// A campaign, with what is going on in it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Campaign {
    /// What the engine says of it.
    #[serde(flatten)]
    pub row: CampaignRow,
    /// Of an emergency that two officers must start: who has said so.
    pub approvals: Vec<ApprovalShown>,
    /// How many must; 1 where one may.
    pub approvals_needed: u8,
}

/// Whether an order was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered {
    /// The campaign then.
    pub campaign: Campaign,
    /// False: a second officer must say so, too.
    pub done: bool,
}

/// What a campaign may be made of here.
///
/// # Errors
/// `forbidden`, `not-served`.
pub fn facts(admin: &Admin, who: &Principal) -> Result<CampaignFacts, Problem> {
    who.may(Operation::CampaignFacts)?;
    let facts = admin.engine().campaign_facts();
    facts.ok_or_else(|| Problem::from(crate::ports::EngineRefusal::not_served("campaigns")))
}

/// One page of campaigns, by name.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`; the engine's refusal.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    query: &PageQuery,
) -> Result<Page<Campaign>, Problem> {
    let scope = who.may(Operation::CampaignsList)?;
    let only = scope.narrow(agency)?;
    let mut rows = admin.engine().campaigns().await?;
    rows.retain(|row| {
        let of = row.document.agency.as_str();
        scope.includes(of) && only.as_ref().is_none_or(|only| only == of)
    });
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let page = page::of_sorted("campaigns", rows, query, |row| row.name.clone())?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(view(admin, row).await?);
    }
    Ok(Page { items, next: page.next })
}

/// One campaign.
///
/// # Errors
/// `forbidden`, `not-found`; the engine's refusal.
pub async fn read(admin: &Admin, who: &Principal, name: &CampaignName) -> Result<Revised<Campaign>, Problem> {
    let row = seen(admin, who, Operation::CampaignRead, name).await?;
    revised(admin, row).await
}

/// Makes a campaign, or changes what is decided about it; one that runs goes on by the new word.
///
/// # Errors
/// `forbidden`, `exists`, `stale-revision`, `precondition-required`, `invalid-field`, `unknown-reference`; the engine's
/// refusal.
pub async fn set(
    admin: &Admin,
    who: &Principal,
    name: &CampaignName,
    document: CampaignDocument,
    revision: Option<u64>,
) -> Result<Revised<Campaign>, Problem> {
    let agency = document.agency.clone();
    who.may_in(Operation::CampaignSet, agency.as_str())?;
    check_hand(who, Operation::CampaignSet, agency.as_str(), document.emergency)?;
    let before = admin.engine().campaign(name.to_core()).await?;
    if let Some(before) = &before {
        if !who.may(Operation::CampaignSet)?.includes(before.document.agency.as_str()) {
            return Err(Problem::new(&codes::EXISTS, "A campaign has this name already.").field("name"));
        }
        check_hand(who, Operation::CampaignSet, before.document.agency.as_str(), before.document.emergency)?;
    }
    check_revision(revision, before.as_ref().map_or(0, |row| row.revision))?;
    check(admin, name, &document).await?;
    if let Some(before) = &before {
        check_change(before, &document)?;
    }
    let action = if before.is_some() { "campaign.change" } else { "campaign.create" };
    let written = serde_json::to_value(&document).map_err(|error| Problem::internal("writing a campaign", error))?;
    let audit = who.audit(action, object(name), Some(agency.as_str()));
    let write = CampaignWrite {
        name: name.to_core(),
        document,
        expected_revision: before.map_or(0, |row| row.revision),
        actor: who.actor(),
        audit: with_details(audit, serde_json::json!({ "document": written })),
    };
    let row = admin.engine().campaign_put(write).await?;
    revised(admin, row).await
}

/// Takes a campaign away, with its contacts and results.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`, `conflict` while it runs; the engine's refusal.
pub async fn delete(admin: &Admin, who: &Principal, name: &CampaignName, revision: Option<u64>) -> Result<(), Problem> {
    let row = at_hand(admin, who, Operation::CampaignDelete, name).await?;
    check_revision_if_seen(revision, row.revision)?;
    let figures = &row.figures;
    let details = serde_json::json!({ "state": figures.state, "contacts": figures.contacts });
    let draft = with_details(draft(who, "campaign.delete", &row), details);
    admin.engine().campaign_remove(name.to_core(), draft).await?;
    Ok(())
}

/// Starts a campaign. An emergency needs a second officer where the configuration says so: the first one's word is kept.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict`, `already-approved`; the engine's refusal.
pub async fn start(admin: &Admin, who: &Principal, name: &CampaignName) -> Result<Ordered, Problem> {
    let _turn = admin.turn().await;
    let row = at_hand(admin, who, Operation::CampaignStart, name).await?;
    let (agency, entry) = (row.document.agency.to_core(), row.document.entry.to_core());
    if admin.engine().deployment(&agency, &entry).is_none() {
        let detail = format!("No script is active at {agency}/{entry}.");
        let problem = Problem::new(&codes::CONFLICTING, detail).field("entry");
        return Err(problem.remedy("Deploy a campaign's script there, or give the campaign another entry."));
    }
    if row.figures.contacts == 0 {
        let problem = Problem::new(&codes::CONFLICTING, "The campaign has no contacts.");
        return Err(problem.remedy("Import contacts first."));
    }
    let kept = approval(admin, &row).await?;
    let needed = needed(admin, &row);
    if needed > 1 && row.figures.state == "draft" {
        let approvals = hand::said(who, kept.as_ref(), &row, admin.now_ms())?;
        if approvals.approvals.len() < usize::from(needed) {
            let draft = with_details(draft(who, "campaign.start-asked", &row), figures_of(&row));
            let change = Change::new()
                .expect(kinds::CAMPAIGN_APPROVAL, name.as_str(), hand::revision(admin, name).await?)
                .put(kinds::CAMPAIGN_APPROVAL, name.as_str(), &approvals)
                .audit(draft)
                .urgent();
            admin.ledger().commit(change).await?;
            return Ok(Ordered { campaign: view(admin, row).await?, done: false });
        }
    }
    let by: Vec<&str> = kept.iter().flat_map(|kept| &kept.body.approvals).map(|one| one.by.as_str()).collect();
    let mut details = figures_of(&row);
    details["asked_by"] = by.into();
    let draft = with_details(draft(who, "campaign.start", &row), details);
    let change = Change::new().audit(draft).urgent();
    admin.ledger().commit(change).await?;
    let row = admin.engine().campaign_order(who.actor(), name.to_core(), CampaignOrder::Start).await?;
    Ok(Ordered { campaign: view(admin, row).await?, done: true })
}

/// Pause, resume, or stop.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict`; the engine's refusal.
pub async fn order(
    admin: &Admin,
    who: &Principal,
    name: &CampaignName,
    order: CampaignOrder,
) -> Result<Campaign, Problem> {
    let (operation, action) = match order {
        CampaignOrder::Start => return start(admin, who, name).await.map(|ordered| ordered.campaign),
        CampaignOrder::Pause => (Operation::CampaignPause, "campaign.pause"),
        CampaignOrder::Resume => (Operation::CampaignResume, "campaign.resume"),
        CampaignOrder::Stop => (Operation::CampaignStop, "campaign.stop"),
    };
    let row = at_hand(admin, who, operation, name).await?;
    let draft = with_details(draft(who, action, &row), figures_of(&row));
    admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    let row = admin.engine().campaign_order(who.actor(), name.to_core(), order).await?;
    view(admin, row).await
}

/// What happened over time.
///
/// # Errors
/// `forbidden`, `not-found`, `bad-query`; the engine's refusal.
pub async fn series(
    admin: &Admin,
    who: &Principal,
    name: &CampaignName,
    step_s: u32,
) -> Result<CampaignSeries, Problem> {
    seen(admin, who, Operation::CampaignSeries, name).await?;
    if !(1..=CAMPAIGN_STEP_S_MAX).contains(&step_s) {
        let detail = format!("A step is 1 to {CAMPAIGN_STEP_S_MAX} seconds.");
        return Err(Problem::new(&codes::BAD_QUERY, detail).field("step_s"));
    }
    Ok(admin.engine().campaign_series(name.to_core(), step_s).await?)
}

/// What would happen when, by the campaign's own document.
///
/// # Errors
/// `forbidden`, `not-found`; the engine's refusal.
pub async fn forecast(admin: &Admin, who: &Principal, name: &CampaignName) -> Result<CampaignForecast, Problem> {
    seen(admin, who, Operation::CampaignForecast, name).await?;
    Ok(admin.engine().campaign_forecast(name.to_core(), None).await?)
}

/// What would happen when, if the campaign's document were another; nothing is changed.
///
/// # Errors
/// `forbidden`, `not-found`, `invalid-field`; the engine's refusal.
pub async fn forecast_of(
    admin: &Admin,
    who: &Principal,
    name: &CampaignName,
    document: CampaignDocument,
) -> Result<CampaignForecast, Problem> {
    let row = seen(admin, who, Operation::CampaignForecastOf, name).await?;
    check(admin, name, &document).await?;
    check_change(&row, &document)?;
    let draft = draft(who, "campaign.forecast", &row);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    Ok(admin.engine().campaign_forecast(name.to_core(), Some(Box::new(document))).await?)
}

async fn check(admin: &Admin, name: &CampaignName, document: &CampaignDocument) -> Result<(), Problem> {
    check_text("title", &document.title, TEXT_CHARS_MAX)?;
    if !agencies::exists(admin, &document.agency).await? {
        return Err(Problem::new(&codes::UNKNOWN_REFERENCE, "There is no such agency.").field("agency"));
    }
    campaign_settings(name.as_str(), document, &LanguageTag::from("und")).map_err(Problem::from)?;
    let deadline = time::read_some("deadline", document.deadline.as_deref())?;
    if deadline.is_some_and(|at| at <= admin.now_ms()) {
        return Err(Problem::invalid("deadline", "It has passed: nobody would be called."));
    }
    Ok(())
}

/// What cannot be another while there are contacts.
fn check_change(before: &CampaignRow, document: &CampaignDocument) -> Result<(), Problem> {
    if before.document.agency != document.agency {
        let problem = Problem::invalid("agency", "The campaign is another agency's.");
        return Err(problem.remedy("Make a campaign of another name for that agency."));
    }
    let names = |document: &CampaignDocument| -> Vec<String> {
        document.windows.iter().map(|window| window.name.clone()).collect()
    };
    let (old, new) = (names(&before.document), names(document));
    if before.figures.contacts > 0 && !new.starts_with(&old) {
        let problem = Problem::invalid("windows", "The campaign has contacts that refer to windows by their place.");
        return Err(problem.remedy("Leave the names as they are and in their order, and add new ones at the end."));
    }
    Ok(())
}

impl From<BadCampaign> for Problem {
    fn from(bad: BadCampaign) -> Self {
        Self::invalid(bad.field, bad.problem).remedy(bad.remedy)
    }
}

/// A campaign that this principal sees.
async fn seen(
    admin: &Admin,
    who: &Principal,
    operation: Operation,
    name: &CampaignName,
) -> Result<CampaignRow, Problem> {
    who.may(operation)?;
    let row = admin.engine().campaign(name.to_core()).await?;
    let row = row.ok_or_else(|| Problem::not_found("campaign", name))?;
    who.sees(operation, row.document.agency.as_str(), "campaign", name.as_str())?;
    Ok(row)
}

/// A campaign that this principal sees and may work with.
async fn at_hand(
    admin: &Admin,
    who: &Principal,
    operation: Operation,
    name: &CampaignName,
) -> Result<CampaignRow, Problem> {
    let row = seen(admin, who, operation, name).await?;
    check_hand(who, operation, row.document.agency.as_str(), row.document.emergency)?;
    Ok(row)
}

fn needed(admin: &Admin, row: &CampaignRow) -> u8 {
    if row.document.emergency && admin.config().emergency_two_person { 2 } else { 1 }
}

async fn approval(admin: &Admin, row: &CampaignRow) -> Result<Option<Kept<CampaignApprovalDocument>>, Problem> {
    let kept = admin.ledger().get::<CampaignApprovalDocument>(kinds::CAMPAIGN_APPROVAL, &row.name).await?;
    Ok(kept.filter(|kept| kept.body.is_about(row)))
}

async fn view(admin: &Admin, row: CampaignRow) -> Result<Campaign, Problem> {
    let needed = needed(admin, &row);
    let kept = if needed > 1 { approval(admin, &row).await? } else { None };
    let shown = |one: Approval| ApprovalShown { by: one.by, at: time::written(one.at_ms) };
    let approvals = kept.map(|kept| kept.body.approvals).unwrap_or_default();
    Ok(Campaign { row, approvals: approvals.into_iter().map(shown).collect(), approvals_needed: needed })
}

async fn revised(admin: &Admin, row: CampaignRow) -> Result<Revised<Campaign>, Problem> {
    let revision = row.revision;
    Ok(Revised { value: view(admin, row).await?, revision })
}

fn draft(who: &Principal, action: &str, row: &CampaignRow) -> gudok_store::AuditDraft {
    let draft = who.audit(action, format!("campaign:{}", row.name), Some(row.document.agency.as_str()));
    with_details(draft, serde_json::json!({ "emergency": row.document.emergency, "revision": row.revision }))
}

fn figures_of(row: &CampaignRow) -> serde_json::Value {
    serde_json::json!({ "contacts": row.figures.contacts, "state": row.figures.state })
}

fn object(name: &CampaignName) -> String {
    format!("campaign:{name}")
}

/// Whether somebody may make or lead campaigns of an emergency.
#[must_use]
pub fn is_officer(who: &Principal) -> bool {
    who.has(Role::EmergencyOfficer)
}
