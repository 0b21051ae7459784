//! `/tickets`, `/deliveries`

use crate::Admin;
use crate::auth::Principal;
use crate::documents::DeliveryState;
use crate::http::answer::{Answer, created, ok};
use crate::http::extract::{Json, Named, Params};
use crate::names::{AgencyName, TicketName};
use crate::service::deliveries::{self as sent, Delivery};
use crate::service::tickets::{self, Registered, Ticket, TicketBody, TicketFilter, TicketKind};
use crate::service::{Page, PageQuery};
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which tickets.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TicketParams {
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// Of one kind.
    #[param(inline)]
    kind: Option<TicketKind>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Items in a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryParams {
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// In one state: `dead` are those that somebody must look at.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Items in a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Tickets, newest first; numbers are masked. The audit names who looked.
#[utoipa::path(get, path = "/api/v1/tickets", tag = "tickets", params(TicketParams),
    responses((status = 200, description = "A page", body = Page<Ticket>)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(params): Params<TicketParams>) -> Answer {
    let page = PageQuery { cursor: params.cursor, limit: params.limit };
    let filter = TicketFilter { agency: params.agency, kind: params.kind };
    ok(&tickets::list(&admin, &who, &filter, &page).await?)
}

/// Registers a ticket for a caller; durable when it is answered.
#[utoipa::path(post, path = "/api/v1/tickets", tag = "tickets", request_body = TicketBody,
    responses((status = 201, description = "Registered", body = Registered)))]
pub(crate) async fn create(State(admin): State<Admin>, who: Principal, Json(body): Json<TicketBody>) -> Answer {
    let registered = tickets::create(&admin, &who, body).await?;
    let number: String = registered.number.bytes().map(escaped).collect();
    created(&format!("/api/v1/tickets/{}/{number}", registered.agency), &registered)
}

/// As a path has it.
pub(super) fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || byte == b'-' { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

/// One ticket, with its delivery. The audit names who looked.
#[utoipa::path(get, path = "/api/v1/tickets/{agency}/{number}", tag = "tickets",
    params(("agency" = AgencyName, Path), ("number" = TicketName, Path)),
    responses((status = 200, description = "The ticket", body = Ticket)))]
pub(crate) async fn read(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, number)): Named<(AgencyName, TicketName)>,
) -> Answer {
    ok(&tickets::read(&admin, &who, &agency, &number).await?)
}

/// Deliveries of tickets, newest first.
#[utoipa::path(get, path = "/api/v1/deliveries", tag = "tickets", params(DeliveryParams),
    responses((status = 200, description = "A page", body = Page<Delivery>)))]
pub(crate) async fn deliveries(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<DeliveryParams>,
) -> Answer {
    let page = PageQuery { cursor: params.cursor, limit: params.limit };
    ok(&sent::list(&admin, &who, params.agency.as_ref(), params.state, &page).await?)
}

/// Tries a delivery again that was given up.
#[utoipa::path(post, path = "/api/v1/deliveries/{agency}/{number}/retry", tag = "tickets",
    params(("agency" = AgencyName, Path), ("number" = TicketName, Path)),
    responses((status = 200, description = "Waits again", body = Delivery)))]
pub(crate) async fn retry(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, number)): Named<(AgencyName, TicketName)>,
) -> Answer {
    ok(&sent::retry(&admin, &who, &agency, &number).await?)
}
