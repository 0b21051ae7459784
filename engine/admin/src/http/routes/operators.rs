//! `/operators`

use super::AgencyPageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created_revised, nothing, ok, revised, with_status};
use crate::http::extract::{Json, Named, Params, Seen};
use crate::names::OperatorName;
use crate::ports::OperatorRow;
use crate::service::Page;
use crate::service::operators::{self, Operator, OperatorBody, StateBody};
use axum::extract::State;
use axum::http::StatusCode;

/// Operators and what they are doing, by name. An operator sees oneself.
#[utoipa::path(get, path = "/api/v1/operators", tag = "operators", params(AgencyPageParams),
    responses((status = 200, description = "A page", body = Page<OperatorRow>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<AgencyPageParams>,
) -> Answer {
    let (agency, page) = params.split();
    ok(&operators::list(&admin, &who, agency.as_ref(), &page).await?)
}

/// Makes an operator; the user of that name with the role `operator` sits at the desk.
#[utoipa::path(post, path = "/api/v1/operators", tag = "operators", request_body = OperatorBody,
    responses((status = 201, description = "Made", body = Operator)))]
pub(crate) async fn create(State(admin): State<Admin>, who: Principal, Json(body): Json<OperatorBody>) -> Answer {
    let made = operators::create(&admin, &who, body).await?;
    created_revised(&format!("/api/v1/operators/{}", made.value.name), &made)
}

/// One operator.
#[utoipa::path(get, path = "/api/v1/operators/{name}", tag = "operators", params(("name" = OperatorName, Path)),
    responses((status = 200, description = "The operator", body = Operator)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(name): Named<OperatorName>) -> Answer {
    revised(&operators::read(&admin, &who, &name).await?)
}

/// Changes an operator. A talk goes on under the old settings.
#[utoipa::path(put, path = "/api/v1/operators/{name}", tag = "operators", params(("name" = OperatorName, Path)),
    request_body = OperatorBody, responses((status = 200, description = "Changed", body = Operator)))]
pub(crate) async fn update(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<OperatorName>,
    Seen(seen): Seen,
    Json(body): Json<OperatorBody>,
) -> Answer {
    revised(&operators::update(&admin, &who, &name, body, seen).await?)
}

/// Deletes an operator; the user stays.
#[utoipa::path(delete, path = "/api/v1/operators/{name}", tag = "operators", params(("name" = OperatorName, Path)),
    responses((status = 204, description = "Deleted")))]
pub(crate) async fn delete(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<OperatorName>,
    Seen(seen): Seen,
) -> Answer {
    operators::delete(&admin, &who, &name, seen).await?;
    nothing()
}

/// Says what an operator is to do: a supervisor for one of the agency, an operator for oneself.
#[utoipa::path(post, path = "/api/v1/operators/{name}/state", tag = "operators", params(("name" = OperatorName, Path)),
    request_body = StateBody, responses((status = 202, description = "Ordered", body = OperatorRow)))]
pub(crate) async fn state(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<OperatorName>,
    Json(body): Json<StateBody>,
) -> Answer {
    with_status(StatusCode::ACCEPTED, &operators::order(&admin, &who, &name, body).await?)
}
