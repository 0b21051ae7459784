//! Deliveries: how tickets get to their agencies, and those that somebody must look at.

use super::{Page, PageQuery, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{DeliveryDocument, DeliveryState, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::names::{AgencyName, TicketName};
use crate::problem::{Problem, codes};
use crate::time;
use serde::Serialize;
use utoipa::ToSchema;

/// How the delivery of a ticket stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Delivery {
    /// Whose ticket.
    pub agency: String,
    /// Its number.
    pub number: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// RFC 3339.
    pub created: String,
    /// Of a waiting one: when it is tried next, RFC 3339.
    pub next: Option<String>,
    /// Given up then, RFC 3339; null: not before it was tried once.
    pub deadline: Option<String>,
    /// When it was taken, or given up, RFC 3339.
    pub ended: Option<String>,
    /// The receiver's last HTTP status.
    pub last_status: Option<u16>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// One page of deliveries, newest first.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    state: Option<DeliveryState>,
    query: &PageQuery,
) -> Result<Page<Delivery>, Problem> {
    let scope = who.may(Operation::DeliveriesList)?;
    let prefix = scope.narrow(agency)?.map(|only| format!("{only}/")).unwrap_or_default();
    let fits = |kept: &Kept<DeliveryDocument>| {
        let ours = scope.includes(kept.id.split('/').next().unwrap_or_default());
        (ours && state.is_none_or(|state| state == kept.body.state)).then_some(kept.body.created_ms)
    };
    let page = page::newest_of_documents(admin, kinds::DELIVERY, &prefix, query, fits).await?;
    Ok(Page { items: page.items.into_iter().map(|kept| view(&kept.id, kept.body)).collect(), next: page.next })
}

/// Tries a delivery again that was given up.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict` where it was not given up.
pub async fn retry(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    number: &TicketName,
) -> Result<Delivery, Problem> {
    who.may_in(Operation::DeliveryRetry, agency.as_str())?;
    let id = format!("{agency}/{number}");
    let present = of_ticket(admin, &id).await?.ok_or_else(|| Problem::not_found("delivery", number))?;
    if present.state != DeliveryState::Dead {
        let problem = Problem::new(&codes::CONFLICTING, "The delivery was not given up.");
        return Err(problem.remedy("Wait: the engine tries it by itself."));
    }
    let details = serde_json::json!({ "attempts": present.attempts, "last_status": present.last_status });
    let draft = with_details(who.audit("delivery.retry", format!("ticket:{id}"), Some(agency.as_str())), details);
    admin.ledger().commit(Change::new().audit(draft)).await?;
    admin.engine().delivery_retry(who.actor(), id.clone()).await?;
    of_ticket(admin, &id).await?.ok_or_else(|| Problem::not_found("delivery", number))
}

/// The delivery of a ticket, where there is one.
pub(crate) async fn of_ticket(admin: &Admin, id: &str) -> Result<Option<Delivery>, Problem> {
    let kept: Option<Kept<DeliveryDocument>> = admin.ledger().get(kinds::DELIVERY, id).await?;
    Ok(kept.map(|kept| view(&kept.id, kept.body)))
}

fn view(id: &str, document: DeliveryDocument) -> Delivery {
    let (agency, number) = id.split_once('/').unwrap_or((id, ""));
    Delivery {
        agency: agency.to_owned(),
        number: number.to_owned(),
        state: document.state,
        attempts: document.attempts,
        created: time::written(document.created_ms),
        next: document.next_ms.map(time::written),
        deadline: (document.deadline_ms > 0).then(|| time::written(document.deadline_ms)),
        ended: document.ended_ms.map(time::written),
        last_status: document.last_status,
        last_error: document.last_error,
    }
}
