//! `/numbers`

use super::AgencyPageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created_revised, nothing, ok, revised};
use crate::http::extract::{Json, Named, Params, Seen};
use crate::names::Number;
use crate::service::Page;
use crate::service::numbers::{self, NumberBody, NumberRoute};
use axum::extract::State;

/// Numbers and where they lead.
#[utoipa::path(get, path = "/api/v1/numbers", tag = "numbers", params(AgencyPageParams),
    responses((status = 200, description = "A page", body = Page<NumberRoute>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<AgencyPageParams>,
) -> Answer {
    let (agency, page) = params.split();
    ok(&numbers::list(&admin, &who, agency.as_ref(), &page).await?)
}

/// Gives a number out.
#[utoipa::path(post, path = "/api/v1/numbers", tag = "numbers", request_body = NumberBody,
    responses((status = 201, description = "Given out", body = NumberRoute)))]
pub(crate) async fn create(State(admin): State<Admin>, who: Principal, Json(body): Json<NumberBody>) -> Answer {
    let made = numbers::create(&admin, &who, body).await?;
    created_revised(&format!("/api/v1/numbers/{}", made.value.number), &made)
}

/// One number.
#[utoipa::path(get, path = "/api/v1/numbers/{number}", tag = "numbers", params(("number" = Number, Path)),
    responses((status = 200, description = "Where it leads", body = NumberRoute)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(number): Named<Number>) -> Answer {
    revised(&numbers::read(&admin, &who, &number).await?)
}

/// Leads a number elsewhere.
#[utoipa::path(put, path = "/api/v1/numbers/{number}", tag = "numbers", params(("number" = Number, Path)),
    request_body = NumberBody, responses((status = 200, description = "Changed", body = NumberRoute)))]
pub(crate) async fn update(
    State(admin): State<Admin>,
    who: Principal,
    Named(number): Named<Number>,
    Seen(seen): Seen,
    Json(body): Json<NumberBody>,
) -> Answer {
    revised(&numbers::update(&admin, &who, &number, body, seen).await?)
}

/// Takes a number back.
#[utoipa::path(delete, path = "/api/v1/numbers/{number}", tag = "numbers", params(("number" = Number, Path)),
    responses((status = 204, description = "Taken back")))]
pub(crate) async fn delete(
    State(admin): State<Admin>,
    who: Principal,
    Named(number): Named<Number>,
    Seen(seen): Seen,
) -> Answer {
    numbers::delete(&admin, &who, &number, seen).await?;
    nothing()
}
