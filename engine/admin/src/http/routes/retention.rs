//! `/agencies/{agency}/retention`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, revised};
use crate::http::extract::{Json, Named, Seen};
use crate::names::AgencyName;
use crate::service::retention::{self, Retention};
use axum::extract::State;

/// How long an agency's data is kept.
#[utoipa::path(get, path = "/api/v1/agencies/{agency}/retention", tag = "agencies", params(("agency" = AgencyName, Path)),
    responses((status = 200, description = "In days", body = Retention)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(agency): Named<AgencyName>) -> Answer {
    revised(&retention::read(&admin, &who, &agency).await?)
}

/// Sets how long an agency's data is kept.
#[utoipa::path(put, path = "/api/v1/agencies/{agency}/retention", tag = "agencies", params(("agency" = AgencyName, Path)),
    request_body = Retention, responses((status = 200, description = "Set", body = Retention)))]
pub(crate) async fn set(
    State(admin): State<Admin>,
    who: Principal,
    Named(agency): Named<AgencyName>,
    Seen(seen): Seen,
    Json(wanted): Json<Retention>,
) -> Answer {
    revised(&retention::set(&admin, &who, &agency, wanted, seen).await?)
}
