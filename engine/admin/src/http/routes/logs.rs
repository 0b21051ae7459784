//! `/logs`

use super::ScriptParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok};
use crate::http::extract::Params;
use crate::service::logs::{self, Logs};
use axum::extract::State;

/// What scripts logged last, oldest first. `/events?topics=logs` goes on from there.
#[utoipa::path(get, path = "/api/v1/logs", tag = "logs", params(ScriptParams),
    responses((status = 200, description = "The last lines", body = Logs)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(params): Params<ScriptParams>) -> Answer {
    ok(&logs::list(&admin, &who, params.agency.as_ref(), params.script.as_ref())?)
}
