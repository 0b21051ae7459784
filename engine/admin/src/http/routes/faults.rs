//! `/faults`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok};
use crate::http::extract::Params;
use crate::names::AgencyName;
use crate::service::logs::{self, Faults};
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

/// Of one agency.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AgencyParams {
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
}

/// Why scripts were stopped, oldest first.
#[utoipa::path(get, path = "/api/v1/faults", tag = "logs", params(AgencyParams),
    responses((status = 200, description = "The last faults", body = Faults)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(params): Params<AgencyParams>) -> Answer {
    ok(&logs::faults(&admin, &who, params.agency.as_ref())?)
}
