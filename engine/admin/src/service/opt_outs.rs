//! Opt-outs: who does not want to be called, by whom. The numbers themselves are not kept; an opt-out is found by the
//! number that somebody enters.

use super::lists::Incoming;
use super::{Page, PageQuery, agencies, callbacks, check_text, page};
use crate::Admin;
use crate::access::{Operation, Scope};
use crate::auth::Principal;
use crate::ledger::{Change, with_details};
use crate::limits::{CONTACTS_BYTES_MAX, TEXT_CHARS_MAX};
use crate::names::{AgencyName, OptOutName};
use crate::ports::{ContactsReport, OptOutOrder, OptOutRow, OptOutsImport, OptOutsQuery};
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use bytes::Bytes;
use futures_util::Stream;
use gudok_core::privacy::mask_digit_runs;
use serde::Deserialize;
use std::fmt::Display;
use utoipa::ToSchema;

/// The list that a cursor belongs to.
const LIST: &str = "opt-outs";

/// An opt-out to be noted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptOutBody {
    /// Who.
    #[schema(value_type = String, max_length = 64, write_only)]
    pub number: Redacted,
    /// By this agency; null: by nobody.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub agency: Option<AgencyName>,
    /// Not even in an emergency: the law says so.
    #[serde(default)]
    pub protected: bool,
    /// Why, in words; never a number.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason: String,
}

/// An opt-out to be taken back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawBody {
    /// Whose it is; null: the one that is by nobody.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub agency: Option<AgencyName>,
    /// Why, in words: somebody will ask.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// One page of opt-outs.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`; the engine's refusal.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    query: &PageQuery,
) -> Result<Page<OptOutRow>, Problem> {
    let scope = who.may(Operation::OptOutsList)?;
    let only = scope.narrow(agency)?;
    let (agencies, global) = within(&scope, only);
    let asked = OptOutsQuery { agencies, global, key: None, after: query.after(LIST)?, rows_max: query.items_max()? };
    let found = admin.engine().opt_outs(asked).await?;
    let next = found.more_after.map(|after| page::write_cursor(LIST, &after));
    Ok(Page { items: found.rows, next })
}

/// The opt-outs of a number.
///
/// # Errors
/// `forbidden`, `invalid-field`; the engine's refusal.
pub async fn find(admin: &Admin, who: &Principal, number: &Redacted) -> Result<Page<OptOutRow>, Problem> {
    let scope = who.may(Operation::OptOutsFind)?;
    let number = callbacks::number(admin, number)?;
    let key = key_of(admin, number.reveal())?;
    let (agencies, global) = within(&scope, None);
    let rows_max = crate::limits::PAGE_ITEMS_MAX;
    let asked = OptOutsQuery { agencies, global, key: Some(key.clone()), after: None, rows_max };
    let found = admin.engine().opt_outs(asked).await?;
    let details = serde_json::json!({ "found": found.rows.len() });
    let draft = with_details(who.audit("opt-out.find", format!("opt-out:{key}"), None), details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    Ok(Page { items: found.rows, next: None })
}

/// Notes that somebody does not want to be called; counts at once.
///
/// # Errors
/// `forbidden`, `invalid-field`, `unknown-reference`; the engine's refusal.
pub async fn add(admin: &Admin, who: &Principal, body: OptOutBody) -> Result<OptOutRow, Problem> {
    reaches(who, Operation::OptOutAdd, body.agency.as_ref())?;
    known(admin, body.agency.as_ref()).await?;
    check_text("reason", &body.reason, TEXT_CHARS_MAX)?;
    let number = callbacks::number(admin, &body.number)?;
    let key = key_of(admin, number.reveal())?;
    let reason = mask_digit_runs(&body.reason);
    let agency = body.agency.map(|agency| agency.to_string());
    let details = serde_json::json!({ "protected": body.protected, "reason": reason });
    let draft = with_details(who.audit("opt-out.add", format!("opt-out:{key}"), agency.as_deref()), details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    let order = OptOutOrder { number, agency, protected: body.protected, reason };
    Ok(admin.engine().opt_out_put(who.actor(), order).await?)
}

/// Somebody may be called again.
///
/// # Errors
/// `forbidden`, `not-found`, `invalid-field`; the engine's refusal.
pub async fn withdraw(admin: &Admin, who: &Principal, id: &OptOutName, body: WithdrawBody) -> Result<(), Problem> {
    reaches(who, Operation::OptOutWithdraw, body.agency.as_ref())?;
    check_text("reason", &body.reason, TEXT_CHARS_MAX)?;
    if body.reason.trim().is_empty() {
        let problem = Problem::invalid("reason", "Say why this person may be called again.");
        return Err(problem.remedy("Name the person's own word and when it came."));
    }
    let agency = body.agency.map(|agency| agency.to_string());
    let details = serde_json::json!({ "reason": mask_digit_runs(&body.reason) });
    let draft = with_details(who.audit("opt-out.withdraw", format!("opt-out:{id}"), agency.as_deref()), details);
    admin.ledger().commit(Change::new().audit(draft)).await?;
    let was_there = admin.engine().opt_out_delete(who.actor(), id.to_string(), agency).await?;
    if was_there { Ok(()) } else { Err(Problem::not_found("opt-out", id)) }
}

/// Takes a list of numbers that must not be called.
///
/// # Errors
/// `forbidden`, `too-many`, `too-large`, `timeout`, `unknown-reference`; the engine's refusal.
pub async fn import<E: Display + Send + 'static>(
    admin: &Admin,
    who: &Principal,
    import: OptOutsImport,
    bytes: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Result<ContactsReport, Problem> {
    let agency = import.agency.as_deref().map(str::parse::<AgencyName>).transpose()?;
    reaches(who, Operation::OptOutsImport, agency.as_ref())?;
    known(admin, agency.as_ref()).await?;
    let place = std::sync::Arc::clone(admin.imports()).try_acquire_owned();
    let _place = place.map_err(|_| Problem::new(&codes::TOO_MANY, "Other lists are being read.").retry_after_s(5))?;
    let draft = who.audit("opt-out.import", "opt-outs", import.agency.as_deref());
    let facts = serde_json::json!({
        "format": import.format, "protected": import.protected, "dry_run": import.dry_run,
    });
    let draft = with_details(draft, facts);
    admin.ledger().commit(Change::new().audit(draft.clone())).await?;
    let incoming = Incoming::new(bytes, CONTACTS_BYTES_MAX);
    let (broken, dry_run) = (incoming.broken(), import.dry_run);
    let taken = admin.engine().opt_outs_import(who.actor(), import, incoming.stream()).await;
    let report = taken.map_err(|refusal| broken.or(refusal))?;
    if !dry_run {
        let counts = serde_json::json!({ "rows": report.rows, "added": report.added, "bad": report.bad });
        let mut draft = with_details(draft, counts);
        "opt-out.imported".clone_into(&mut draft.action);
        admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    }
    Ok(report)
}

/// Of an agency within reach; those that are by nobody are for who reaches everything.
fn reaches(who: &Principal, operation: Operation, agency: Option<&AgencyName>) -> Result<(), Problem> {
    let scope = who.may(operation)?;
    match agency {
        Some(agency) => who.may_in(operation, agency.as_str()),
        None if scope == Scope::Everything => Ok(()),
        None => {
            let problem = Problem::invalid("agency", "Say which agency must not call.");
            Err(problem.remedy("Only an admin notes that nobody at all may call."))
        }
    }
}

async fn known(admin: &Admin, agency: Option<&AgencyName>) -> Result<(), Problem> {
    if let Some(agency) = agency
        && !agencies::exists(admin, agency).await?
    {
        return Err(Problem::new(&codes::UNKNOWN_REFERENCE, "There is no such agency.").field("agency"));
    }
    Ok(())
}

fn within(scope: &Scope, only: Option<String>) -> (Option<Vec<String>>, bool) {
    match (only, scope) {
        (Some(only), _) => (Some(vec![only]), false),
        (None, Scope::Everything) => (None, true),
        (None, Scope::Agencies(agencies)) => (Some(agencies.iter().cloned().collect()), false),
        (None, Scope::Me) => (Some(Vec::new()), false),
    }
}

fn key_of(admin: &Admin, number: &str) -> Result<String, Problem> {
    let key = admin.engine().opt_out_key(number);
    key.ok_or_else(|| Problem::from(crate::ports::EngineRefusal::not_served("opt-outs")))
}
