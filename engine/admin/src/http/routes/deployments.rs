//! `/deployments`

use super::{AgencyPageParams, PageParams};
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok, revised};
use crate::http::extract::{Json, MaybeJson, Named, Params, Seen};
use crate::names::{AgencyName, EntryName};
use crate::ports::{Deployment, DeploymentStep};
use crate::service::Page;
use crate::service::deployments::{self, DeployBody, Outcomes};
use crate::service::versions::Reason;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

type Place = Named<(AgencyName, EntryName)>;

/// Since when, in which steps.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OutcomeParams {
    /// RFC 3339.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Seconds in a step; 60 where it is missing.
    #[param(minimum = 1, maximum = 86400)]
    step_s: Option<u32>,
}

/// What is live, by agency and entry.
#[utoipa::path(get, path = "/api/v1/deployments", tag = "deployments", params(AgencyPageParams),
    responses((status = 200, description = "A page", body = Page<Deployment>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<AgencyPageParams>,
) -> Answer {
    let (agency, page) = params.split();
    ok(&deployments::list(&admin, &who, agency.as_ref(), &page)?)
}

/// What is live at an entry.
#[utoipa::path(get, path = "/api/v1/deployments/{agency}/{entry}", tag = "deployments",
    params(("agency" = AgencyName, Path), ("entry" = EntryName, Path)),
    responses((status = 200, description = "The deployment", body = Deployment)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named((agency, entry)): Place) -> Answer {
    revised(&deployments::read(&admin, &who, &agency, &entry)?)
}

/// Puts a version live, for all callers or for a share of them.
#[utoipa::path(put, path = "/api/v1/deployments/{agency}/{entry}", tag = "deployments",
    params(("agency" = AgencyName, Path), ("entry" = EntryName, Path)), request_body = DeployBody,
    responses((status = 200, description = "Live", body = Deployment)))]
pub(crate) async fn deploy(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, entry)): Place,
    Seen(seen): Seen,
    Json(body): Json<DeployBody>,
) -> Answer {
    revised(&deployments::deploy(&admin, &who, &agency, &entry, body, seen).await?)
}

/// The canary takes all calls.
#[utoipa::path(post, path = "/api/v1/deployments/{agency}/{entry}/release", tag = "deployments",
    params(("agency" = AgencyName, Path), ("entry" = EntryName, Path)),
    responses((status = 200, description = "Released", body = Deployment)))]
pub(crate) async fn release(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, entry)): Place,
    Seen(seen): Seen,
) -> Answer {
    revised(&deployments::release(&admin, &who, &agency, &entry, seen).await?)
}

/// Back to the version before, in one step.
#[utoipa::path(post, path = "/api/v1/deployments/{agency}/{entry}/rollback", tag = "deployments",
    params(("agency" = AgencyName, Path), ("entry" = EntryName, Path)), request_body = Option<Reason>,
    responses((status = 200, description = "Rolled back", body = Deployment)))]
pub(crate) async fn roll_back(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, entry)): Place,
    Seen(seen): Seen,
    MaybeJson(reason): MaybeJson<Reason>,
) -> Answer {
    revised(&deployments::roll_back(&admin, &who, &agency, &entry, reason, seen).await?)
}

/// What happened at an entry, newest first.
#[utoipa::path(get, path = "/api/v1/deployments/{agency}/{entry}/history", tag = "deployments",
    params(("agency" = AgencyName, Path), ("entry" = EntryName, Path), PageParams),
    responses((status = 200, description = "A page", body = Page<DeploymentStep>)))]
pub(crate) async fn history(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, entry)): Place,
    Params(page): Params<PageParams>,
) -> Answer {
    ok(&deployments::history(&admin, &who, &agency, &entry, &page.query()).await?)
}

/// How calls ended, per version.
#[utoipa::path(get, path = "/api/v1/deployments/{agency}/{entry}/outcomes", tag = "deployments",
    params(("agency" = AgencyName, Path), ("entry" = EntryName, Path), OutcomeParams),
    responses((status = 200, description = "Counts", body = Outcomes)))]
pub(crate) async fn outcomes(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, entry)): Place,
    Params(params): Params<OutcomeParams>,
) -> Answer {
    ok(&deployments::outcomes(&admin, &who, &agency, &entry, params.from.as_deref(), params.step_s)?)
}
