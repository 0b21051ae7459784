//! `/calls/{id}/supervise`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, nothing, with_status};
use crate::http::extract::{Json, Named};
use crate::names::CallName;
use crate::service::calls::Ordered;
use crate::service::supervision::{self, SuperviseBody};
use axum::extract::State;
use axum::http::StatusCode;

/// Takes part in a talk: the supervisor's telephone is rung. Said again, it changes how.
#[utoipa::path(post, path = "/api/v1/calls/{id}/supervise", tag = "calls", params(("id" = CallName, Path)),
    request_body = SuperviseBody, responses((status = 202, description = "Ordered", body = Ordered)))]
pub(crate) async fn begin(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<CallName>,
    Json(body): Json<SuperviseBody>,
) -> Answer {
    with_status(StatusCode::ACCEPTED, &supervision::begin(&admin, &who, &id, body).await?)
}

/// Leaves a talk.
#[utoipa::path(delete, path = "/api/v1/calls/{id}/supervise", tag = "calls", params(("id" = CallName, Path)),
    responses((status = 204, description = "Ordered")))]
pub(crate) async fn end(State(admin): State<Admin>, who: Principal, Named(id): Named<CallName>) -> Answer {
    supervision::end(&admin, &who, &id).await?;
    nothing()
}
