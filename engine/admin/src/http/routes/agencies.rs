//! `/agencies`

use super::PageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created_revised, nothing, ok, revised};
use crate::http::extract::{Json, Named, Params, Seen};
use crate::names::AgencyName;
use crate::service::Page;
use crate::service::agencies::{self, Agency, AgencyBody};
use axum::extract::State;

/// Agencies, by name.
#[utoipa::path(get, path = "/api/v1/agencies", tag = "agencies", params(PageParams),
    responses((status = 200, description = "A page", body = Page<Agency>)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(page): Params<PageParams>) -> Answer {
    ok(&agencies::list(&admin, &who, &page.query()).await?)
}

/// Makes an agency.
#[utoipa::path(post, path = "/api/v1/agencies", tag = "agencies", request_body = AgencyBody,
    responses((status = 201, description = "Made", body = Agency)))]
pub(crate) async fn create(State(admin): State<Admin>, who: Principal, Json(body): Json<AgencyBody>) -> Answer {
    let made = agencies::create(&admin, &who, body).await?;
    created_revised(&format!("/api/v1/agencies/{}", made.value.name), &made)
}

/// One agency.
#[utoipa::path(get, path = "/api/v1/agencies/{agency}", tag = "agencies", params(("agency" = AgencyName, Path)),
    responses((status = 200, description = "The agency", body = Agency)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(agency): Named<AgencyName>) -> Answer {
    revised(&agencies::read(&admin, &who, &agency).await?)
}

/// Changes an agency.
#[utoipa::path(put, path = "/api/v1/agencies/{agency}", tag = "agencies", params(("agency" = AgencyName, Path)),
    request_body = AgencyBody, responses((status = 200, description = "Changed", body = Agency)))]
pub(crate) async fn update(
    State(admin): State<Admin>,
    who: Principal,
    Named(agency): Named<AgencyName>,
    Seen(seen): Seen,
    Json(body): Json<AgencyBody>,
) -> Answer {
    revised(&agencies::update(&admin, &who, &agency, body, seen).await?)
}

/// Deletes an agency that nothing leads to.
#[utoipa::path(delete, path = "/api/v1/agencies/{agency}", tag = "agencies", params(("agency" = AgencyName, Path)),
    responses((status = 204, description = "Deleted")))]
pub(crate) async fn delete(
    State(admin): State<Admin>,
    who: Principal,
    Named(agency): Named<AgencyName>,
    Seen(seen): Seen,
) -> Answer {
    agencies::delete(&admin, &who, &agency, seen).await?;
    nothing()
}
