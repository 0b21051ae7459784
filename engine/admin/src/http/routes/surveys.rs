//! `/surveys`

use super::AgencyPageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok};
use crate::http::extract::Params;
use crate::service::Page;
use crate::service::surveys::{self, Survey};
use axum::extract::State;

/// What callers answered after their calls, newest first.
#[utoipa::path(get, path = "/api/v1/surveys", tag = "reports", params(AgencyPageParams),
    responses((status = 200, description = "A page", body = Page<Survey>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<AgencyPageParams>,
) -> Answer {
    let (agency, page) = params.split();
    ok(&surveys::list(&admin, &who, agency.as_ref(), &page).await?)
}
