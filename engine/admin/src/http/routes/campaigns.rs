//! `/campaigns`

use super::AgencyPageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::documents::CampaignDocument;
use crate::http::answer::{Answer, created_revised, nothing, ok, revised, with_status};
use crate::http::extract::{Json, Named, Params, Seen};
use crate::names::CampaignName;
use crate::ports::{CampaignFacts, CampaignForecast, CampaignSeries};
use crate::service::Page;
use crate::service::campaigns::{self, Campaign};
use axum::extract::State;
use axum::http::StatusCode;
use gudok_core::campaign::CampaignOrder;
use serde::Deserialize;
use utoipa::IntoParams;

/// How finely.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SeriesParams {
    /// The length of a step.
    #[serde(default = "step_s")]
    #[param(minimum = 1, maximum = 86_400, default = 300)]
    step_s: u32,
}

fn step_s() -> u32 {
    300
}

/// What a campaign may be made of: trunks, queues, zones.
#[utoipa::path(get, path = "/api/v1/campaign-facts", tag = "campaigns",
    responses((status = 200, description = "What there is", body = CampaignFacts)))]
pub(crate) async fn facts(State(admin): State<Admin>, who: Principal) -> Answer {
    ok(&campaigns::facts(&admin, &who)?)
}

/// Campaigns by name, with their figures now.
#[utoipa::path(get, path = "/api/v1/campaigns", tag = "campaigns", params(AgencyPageParams),
    responses((status = 200, description = "A page", body = Page<Campaign>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<AgencyPageParams>,
) -> Answer {
    let (agency, page) = params.split();
    ok(&campaigns::list(&admin, &who, agency.as_ref(), &page).await?)
}

/// One campaign, with its figures now.
#[utoipa::path(get, path = "/api/v1/campaigns/{name}", tag = "campaigns", params(("name" = CampaignName, Path)),
    responses((status = 200, description = "The campaign", body = Campaign)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(name): Named<CampaignName>) -> Answer {
    revised(&campaigns::read(&admin, &who, &name).await?)
}

/// Makes a campaign, or changes what is decided about it. One that runs goes on by the new word.
#[utoipa::path(put, path = "/api/v1/campaigns/{name}", tag = "campaigns", params(("name" = CampaignName, Path)),
    request_body = CampaignDocument, responses((status = 200, description = "Changed", body = Campaign),
        (status = 201, description = "Made", body = Campaign)))]
pub(crate) async fn set(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<CampaignName>,
    Seen(seen): Seen,
    Json(document): Json<CampaignDocument>,
) -> Answer {
    let set = campaigns::set(&admin, &who, &name, document, seen).await?;
    if seen.is_some_and(|seen| seen > 0) {
        revised(&set)
    } else {
        created_revised(&format!("/api/v1/campaigns/{name}"), &set)
    }
}

/// Takes a campaign away with its contacts and results; the opt-outs stay.
#[utoipa::path(delete, path = "/api/v1/campaigns/{name}", tag = "campaigns", params(("name" = CampaignName, Path)),
    responses((status = 204, description = "Taken away")))]
pub(crate) async fn delete(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<CampaignName>,
    Seen(seen): Seen,
) -> Answer {
    campaigns::delete(&admin, &who, &name, seen).await?;
    nothing()
}

/// Starts a draft. An emergency's campaign needs a second officer's word where the configuration says so.
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/start", tag = "campaigns", params(("name" = CampaignName, Path)),
    responses((status = 200, description = "It runs", body = Campaign),
        (status = 202, description = "A second officer must start it, too", body = Campaign)))]
pub(crate) async fn start(State(admin): State<Admin>, who: Principal, Named(name): Named<CampaignName>) -> Answer {
    let ordered = campaigns::start(&admin, &who, &name).await?;
    with_status(if ordered.done { StatusCode::OK } else { StatusCode::ACCEPTED }, &ordered.campaign)
}

/// Dials nothing new; calls that are on go on.
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/pause", tag = "campaigns", params(("name" = CampaignName, Path)),
    responses((status = 200, description = "Paused", body = Campaign)))]
pub(crate) async fn pause(State(admin): State<Admin>, who: Principal, Named(name): Named<CampaignName>) -> Answer {
    ok(&campaigns::order(&admin, &who, &name, CampaignOrder::Pause).await?)
}

/// Goes on after a pause.
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/resume", tag = "campaigns", params(("name" = CampaignName, Path)),
    responses((status = 200, description = "It runs", body = Campaign)))]
pub(crate) async fn resume(State(admin): State<Admin>, who: Principal, Named(name): Named<CampaignName>) -> Answer {
    ok(&campaigns::order(&admin, &who, &name, CampaignOrder::Resume).await?)
}

/// Ends a campaign for good; calls that are on go on.
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/stop", tag = "campaigns", params(("name" = CampaignName, Path)),
    responses((status = 200, description = "Stopped", body = Campaign)))]
pub(crate) async fn stop(State(admin): State<Admin>, who: Principal, Named(name): Named<CampaignName>) -> Answer {
    ok(&campaigns::order(&admin, &who, &name, CampaignOrder::Stop).await?)
}

/// Attempts that ended, by disposition, over time.
#[utoipa::path(get, path = "/api/v1/campaigns/{name}/series", tag = "campaigns",
    params(("name" = CampaignName, Path), SeriesParams),
    responses((status = 200, description = "Oldest first", body = CampaignSeries)))]
pub(crate) async fn series(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<CampaignName>,
    Params(params): Params<SeriesParams>,
) -> Answer {
    ok(&campaigns::series(&admin, &who, &name, params.step_s).await?)
}

/// What would happen when, with the contacts that there are: the dry run.
#[utoipa::path(get, path = "/api/v1/campaigns/{name}/forecast", tag = "campaigns",
    params(("name" = CampaignName, Path)),
    responses((status = 200, description = "Calls by hour, and who is never called", body = CampaignForecast)))]
pub(crate) async fn forecast(State(admin): State<Admin>, who: Principal, Named(name): Named<CampaignName>) -> Answer {
    ok(&campaigns::forecast(&admin, &who, &name).await?)
}

/// What would happen when, if the campaign were changed so. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/forecast", tag = "campaigns",
    params(("name" = CampaignName, Path)), request_body = CampaignDocument,
    responses((status = 200, description = "Calls by hour, and who is never called", body = CampaignForecast)))]
pub(crate) async fn forecast_of(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<CampaignName>,
    Json(document): Json<CampaignDocument>,
) -> Answer {
    ok(&campaigns::forecast_of(&admin, &who, &name, document).await?)
}
