//! Queues and peer centres, as they are now.

use super::{Page, PageQuery, page};
use crate::Admin;
use crate::access::{Operation, Scope};
use crate::auth::Principal;
use crate::names::{AgencyName, QueueName};
use crate::ports::{PeerRow, QueueRow};
use crate::problem::Problem;

/// One page of queues with their lines, by name. Of the centre's own queues, where callers of every agency wait, one sees
/// the callers of agencies within reach.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    query: &PageQuery,
) -> Result<Page<QueueRow>, Problem> {
    let scope = who.may(Operation::QueuesList)?;
    let only = scope.narrow(agency)?;
    let mut rows = seen(admin, &scope).await;
    rows.retain(|row| row.agency.is_none() || only.is_none() || row.agency == only);
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    page::of_sorted("queues", rows, query, |row| row.name.clone())
}

/// One queue with its line.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, queue: &QueueName) -> Result<QueueRow, Problem> {
    let scope = who.may(Operation::QueueRead)?;
    let rows = seen(admin, &scope).await;
    rows.into_iter().find(|row| row.name == queue.as_str()).ok_or_else(|| Problem::not_found("queue", queue))
}

/// One page of peer centres, by name.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn peers(admin: &Admin, who: &Principal, query: &PageQuery) -> Result<Page<PeerRow>, Problem> {
    who.may(Operation::PeersList)?;
    let mut rows = admin.engine().peers().await;
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    page::of_sorted("peers", rows, query, |row| row.name.clone())
}

/// Every queue of which somebody may see something.
pub(crate) async fn seen(admin: &Admin, scope: &Scope) -> Vec<QueueRow> {
    admin.engine().queues().await.into_iter().filter_map(|row| within(row, scope)).collect()
}

/// A queue without the callers of others; nothing where the queue is another agency's.
pub(crate) fn within(mut row: QueueRow, scope: &Scope) -> Option<QueueRow> {
    match &row.agency {
        Some(agency) if !scope.includes(agency) => return None,
        Some(_) => {}
        None => row.waiting.retain(|waiting| scope.includes(&waiting.agency)),
    }
    Some(row)
}

/// A queue that a request named and whose callers are within reach.
pub(crate) async fn must_see(admin: &Admin, scope: &Scope, queue: &QueueName) -> Result<QueueRow, Problem> {
    let rows = seen(admin, scope).await;
    let unknown = || {
        let problem = Problem::new(&crate::problem::codes::UNKNOWN_REFERENCE, "There is no such queue.");
        problem.field("queue").remedy("GET /api/v1/queues lists them.")
    };
    rows.into_iter().find(|row| row.name == queue.as_str()).ok_or_else(unknown)
}
