//! `/guides`

use super::AgencyPageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created_revised, nothing, ok, revised};
use crate::http::extract::{Json, Named, Params, Seen};
use crate::names::{AgencyName, TopicName};
use crate::service::Page;
use crate::service::guides::{self, Guide, GuideBody};
use axum::extract::State;

/// What operators say and ask, by agency and topic.
#[utoipa::path(get, path = "/api/v1/guides", tag = "guides", params(AgencyPageParams),
    responses((status = 200, description = "A page", body = Page<Guide>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<AgencyPageParams>,
) -> Answer {
    let (agency, page) = params.split();
    ok(&guides::list(&admin, &who, agency.as_ref(), &page).await?)
}

/// One guide.
#[utoipa::path(get, path = "/api/v1/guides/{agency}/{topic}", tag = "guides",
    params(("agency" = AgencyName, Path), ("topic" = TopicName, Path)),
    responses((status = 200, description = "The guide", body = Guide)))]
pub(crate) async fn read(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, topic)): Named<(AgencyName, TopicName)>,
) -> Answer {
    revised(&guides::read(&admin, &who, &agency, &topic).await?)
}

/// Sets a guide, new or present.
#[utoipa::path(put, path = "/api/v1/guides/{agency}/{topic}", tag = "guides",
    params(("agency" = AgencyName, Path), ("topic" = TopicName, Path)), request_body = GuideBody,
    responses((status = 200, description = "Changed", body = Guide), (status = 201, description = "Made", body = Guide)))]
pub(crate) async fn set(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, topic)): Named<(AgencyName, TopicName)>,
    Seen(seen): Seen,
    Json(body): Json<GuideBody>,
) -> Answer {
    let set = guides::set(&admin, &who, &agency, &topic, body, seen).await?;
    if seen.is_some_and(|seen| seen > 0) {
        revised(&set)
    } else {
        created_revised(&format!("/api/v1/guides/{agency}/{topic}"), &set)
    }
}

/// Takes a guide away.
#[utoipa::path(delete, path = "/api/v1/guides/{agency}/{topic}", tag = "guides",
    params(("agency" = AgencyName, Path), ("topic" = TopicName, Path)),
    responses((status = 204, description = "Taken away")))]
pub(crate) async fn delete(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, topic)): Named<(AgencyName, TopicName)>,
    Seen(seen): Seen,
) -> Answer {
    guides::delete(&admin, &who, &agency, &topic, seen).await?;
    nothing()
}
