//! `/desk`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, nothing, ok, with_status};
use crate::http::extract::{Json, MaybeJson};
use crate::ports::OperatorRow;
use crate::service::desk::{self, Desk, PauseBody, TransferBody, WrapUpBody};
use axum::extract::State;
use axum::http::StatusCode;

/// One's own desk: state, the call on it, what to say, to whom callers may be given.
#[utoipa::path(get, path = "/api/v1/desk", tag = "desk",
    responses((status = 200, description = "The desk", body = Desk),
        (status = 404, description = "`not-found`: the user sits at no desk", body = crate::problem::ProblemBody, content_type = "application/problem+json")))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal) -> Answer {
    ok(&desk::read(&admin, &who).await?)
}

/// At work, and ready. A second log-in takes the first one's place.
#[utoipa::path(post, path = "/api/v1/desk/login", tag = "desk",
    responses((status = 202, description = "Ordered", body = OperatorRow)))]
pub(crate) async fn login(State(admin): State<Admin>, who: Principal) -> Answer {
    with_status(StatusCode::ACCEPTED, &desk::log_in(&admin, &who).await?)
}

/// Ready again: ends a pause or a wrap-up.
#[utoipa::path(post, path = "/api/v1/desk/ready", tag = "desk",
    responses((status = 202, description = "Ordered", body = OperatorRow)))]
pub(crate) async fn ready(State(admin): State<Admin>, who: Principal) -> Answer {
    with_status(StatusCode::ACCEPTED, &desk::ready(&admin, &who).await?)
}

/// Not to be rung for a while. While on a call, it begins after it.
#[utoipa::path(post, path = "/api/v1/desk/pause", tag = "desk", request_body = Option<PauseBody>,
    responses((status = 202, description = "Ordered", body = OperatorRow)))]
pub(crate) async fn pause(State(admin): State<Admin>, who: Principal, MaybeJson(body): MaybeJson<PauseBody>) -> Answer {
    with_status(StatusCode::ACCEPTED, &desk::pause(&admin, &who, body).await?)
}

/// At work no more. While on a call, after it.
#[utoipa::path(post, path = "/api/v1/desk/logout", tag = "desk",
    responses((status = 202, description = "Ordered", body = OperatorRow)))]
pub(crate) async fn logout(State(admin): State<Admin>, who: Principal) -> Answer {
    with_status(StatusCode::ACCEPTED, &desk::log_out(&admin, &who).await?)
}

/// Says what the call was about.
#[utoipa::path(post, path = "/api/v1/desk/wrap-up", tag = "desk", request_body = WrapUpBody,
    responses((status = 204, description = "Noted")))]
pub(crate) async fn wrap_up(State(admin): State<Admin>, who: Principal, Json(body): Json<WrapUpBody>) -> Answer {
    desk::wrap_up(&admin, &who, body).await?;
    nothing()
}

/// Gives the caller to somebody else.
#[utoipa::path(post, path = "/api/v1/desk/transfer", tag = "desk", request_body = TransferBody,
    responses((status = 204, description = "Ordered")))]
pub(crate) async fn transfer(State(admin): State<Admin>, who: Principal, Json(body): Json<TransferBody>) -> Answer {
    desk::transfer(&admin, &who, body).await?;
    nothing()
}
