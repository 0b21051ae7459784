//! `/calls`

use super::AgencyPageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok, with_status};
use crate::http::extract::{Named, Params};
use crate::names::CallName;
use crate::ports::{LiveCall, Trace};
use crate::service::Page;
use crate::service::calls::{self, Ordered};
use axum::extract::State;
use axum::http::StatusCode;

/// Calls that are up, newest first.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls", params(AgencyPageParams),
    responses((status = 200, description = "A page", body = Page<LiveCall>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<AgencyPageParams>,
) -> Answer {
    let (agency, page) = params.split();
    ok(&calls::list(&admin, &who, agency.as_ref(), &page)?)
}

/// One call, live or past.
#[utoipa::path(get, path = "/api/v1/calls/{id}", tag = "calls", params(("id" = CallName, Path)),
    responses((status = 200, description = "The call", body = LiveCall)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(id): Named<CallName>) -> Answer {
    ok(&calls::read(&admin, &who, &id).await?)
}

/// Ends a call.
#[utoipa::path(post, path = "/api/v1/calls/{id}/hangup", tag = "calls", params(("id" = CallName, Path)),
    responses((status = 202, description = "Ordered", body = Ordered)))]
pub(crate) async fn hang_up(State(admin): State<Admin>, who: Principal, Named(id): Named<CallName>) -> Answer {
    with_status(StatusCode::ACCEPTED, &calls::hang_up(&admin, &who, &id).await?)
}

/// Takes a caller out of the script's hands, to an operator.
#[utoipa::path(post, path = "/api/v1/calls/{id}/land", tag = "calls", params(("id" = CallName, Path)),
    responses((status = 202, description = "Ordered", body = Ordered)))]
pub(crate) async fn land(State(admin): State<Admin>, who: Principal, Named(id): Named<CallName>) -> Answer {
    with_status(StatusCode::ACCEPTED, &calls::land(&admin, &who, &id).await?)
}

/// What happened in a call. The audit names who looked.
#[utoipa::path(get, path = "/api/v1/calls/{id}/trace", tag = "calls", params(("id" = CallName, Path)),
    responses((status = 200, description = "The trace", body = Trace)))]
pub(crate) async fn trace(State(admin): State<Admin>, who: Principal, Named(id): Named<CallName>) -> Answer {
    ok(&calls::trace(&admin, &who, &id).await?)
}
