//! `/queues`, `/peers`

use super::{AgencyPageParams, PageParams};
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok};
use crate::http::extract::{Named, Params};
use crate::names::QueueName;
use crate::ports::{PeerRow, QueueRow};
use crate::service::Page;
use crate::service::queues;
use axum::extract::State;

/// Queues with their lines, by name.
#[utoipa::path(get, path = "/api/v1/queues", tag = "queues", params(AgencyPageParams),
    responses((status = 200, description = "A page", body = Page<QueueRow>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<AgencyPageParams>,
) -> Answer {
    let (agency, page) = params.split();
    ok(&queues::list(&admin, &who, agency.as_ref(), &page).await?)
}

/// One queue with its line.
#[utoipa::path(get, path = "/api/v1/queues/{queue}", tag = "queues", params(("queue" = QueueName, Path)),
    responses((status = 200, description = "The queue", body = QueueRow)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(queue): Named<QueueName>) -> Answer {
    ok(&queues::read(&admin, &who, &queue).await?)
}

/// Peer centres, by name.
#[utoipa::path(get, path = "/api/v1/peers", tag = "queues", params(PageParams),
    responses((status = 200, description = "A page", body = Page<PeerRow>)))]
pub(crate) async fn peers(State(admin): State<Admin>, who: Principal, Params(page): Params<PageParams>) -> Answer {
    ok(&queues::peers(&admin, &who, &page.query()).await?)
}
