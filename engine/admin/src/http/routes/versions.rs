//! `/versions`

use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::http::answer::{Answer, nothing, ok};
use crate::http::extract::{MaybeJson, Named, Params};
use crate::http::stream::{self, Sent};
use crate::names::{AgencyName, ScriptName, VersionHash};
use crate::ports::Difference;
use crate::service::flows::{self, FlowAsked, FlowLang, VersionFlow};
use crate::service::versions::{self, Reason, Version};
use crate::service::{Page, PageQuery};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which versions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionParams {
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// Of one script.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    script: Option<ScriptName>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Items in a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Compared with what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AgainstParams {
    /// A version of the same agency; the one that serves where it is missing.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{64}$")]
    against: Option<VersionHash>,
}

/// Versions, newest first.
#[utoipa::path(get, path = "/api/v1/versions", tag = "versions", params(VersionParams),
    responses((status = 200, description = "A page", body = Page<Version>)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(params): Params<VersionParams>) -> Answer {
    let page = PageQuery { cursor: params.cursor, limit: params.limit };
    ok(&versions::list(&admin, &who, params.agency.as_ref(), params.script.as_ref(), &page).await?)
}

/// One version, with the report of its check.
#[utoipa::path(get, path = "/api/v1/versions/{id}", tag = "versions", params(("id" = VersionHash, Path)),
    responses((status = 200, description = "The version", body = Version)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(id): Named<VersionHash>) -> Answer {
    ok(&versions::read(&admin, &who, &id).await?)
}

/// Deletes a version that nothing runs.
#[utoipa::path(delete, path = "/api/v1/versions/{id}", tag = "versions", params(("id" = VersionHash, Path)),
    responses((status = 204, description = "Deleted")))]
pub(crate) async fn delete(State(admin): State<Admin>, who: Principal, Named(id): Named<VersionHash>) -> Answer {
    versions::delete(&admin, &who, &id).await?;
    nothing()
}

/// What changes with a version: capabilities, limits, menus, media, numbers, configuration.
#[utoipa::path(get, path = "/api/v1/versions/{id}/difference", tag = "versions",
    params(("id" = VersionHash, Path), AgainstParams),
    responses((status = 200, description = "The difference", body = Difference)))]
pub(crate) async fn difference(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<VersionHash>,
    Params(params): Params<AgainstParams>,
) -> Answer {
    ok(&versions::difference(&admin, &who, &id, params.against.as_ref()).await?)
}

/// How a dialog is to be told.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FlowParams {
    /// The language of the picture's own words; Russian where it is missing.
    #[param(inline)]
    lang: Option<FlowLang>,
    /// Compared with this version of the same agency.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{64}$")]
    against: Option<VersionHash>,
    /// Compared with the version that serves, else with the last approved.
    compare: Option<bool>,
    /// Every place and every way, instead of what one follows with a finger.
    all: Option<bool>,
}

impl FlowParams {
    fn asked(self) -> FlowAsked {
        FlowAsked {
            lang: self.lang.unwrap_or_default(),
            against: self.against,
            against_live: self.compare.unwrap_or(false),
            all: self.all.unwrap_or(false),
        }
    }
}

/// A version's dialog: every place, what is said there, how to get there, where one goes from there, and what is wrong. The
/// engine finds it by trying every key in the simulator; the first time that takes up to some minutes.
#[utoipa::path(get, path = "/api/v1/versions/{id}/flow", tag = "versions",
    params(("id" = VersionHash, Path), FlowParams),
    responses((status = 200, description = "The dialog", body = VersionFlow)))]
pub(crate) async fn flow(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<VersionHash>,
    Params(params): Params<FlowParams>,
) -> Answer {
    let mut flow = flows::read(&admin, &who, Operation::VersionFlow, &id, params.asked()).await?;
    // The picture has a route of its own.
    (flow.drawing.svg, flow.drawing.style) = (String::new(), String::new());
    ok(&flow)
}

/// Only its own style, and nothing from elsewhere.
const PICTURE_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox");

/// The picture of a version's dialog.
#[utoipa::path(get, path = "/api/v1/versions/{id}/flow.svg", tag = "versions",
    params(("id" = VersionHash, Path), FlowParams),
    responses((status = 200, description = "The picture", content_type = "image/svg+xml", body = String)))]
pub(crate) async fn flow_picture(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<VersionHash>,
    Params(params): Params<FlowParams>,
) -> Answer {
    let drawing = flows::read(&admin, &who, Operation::VersionFlowPicture, &id, params.asked()).await?.drawing;
    let style = format!("</title><style>{}</style>", drawing.style);
    let svg = drawing.svg.replacen("</title>", &style, 1);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
        (header::CONTENT_SECURITY_POLICY, PICTURE_POLICY),
    ];
    Ok((headers, svg).into_response())
}

/// Agrees to a version's new rights.
#[utoipa::path(post, path = "/api/v1/versions/{id}/approve", tag = "versions", params(("id" = VersionHash, Path)),
    request_body = Option<Reason>, responses((status = 200, description = "Noted", body = Version)))]
pub(crate) async fn approve(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<VersionHash>,
    MaybeJson(reason): MaybeJson<Reason>,
) -> Answer {
    ok(&versions::approve(&admin, &who, &id, reason).await?)
}

/// Refuses a version, for good.
#[utoipa::path(post, path = "/api/v1/versions/{id}/refuse", tag = "versions", params(("id" = VersionHash, Path)),
    request_body = Option<Reason>, responses((status = 200, description = "Refused", body = Version)))]
pub(crate) async fn refuse(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<VersionHash>,
    MaybeJson(reason): MaybeJson<Reason>,
) -> Answer {
    ok(&versions::refuse(&admin, &who, &id, reason).await?)
}

/// The bytes of a version's bundle.
#[utoipa::path(get, path = "/api/v1/versions/{id}/bundle", tag = "versions", params(("id" = VersionHash, Path)),
    responses((status = 200, description = "The .ivr file", content_type = "application/octet-stream", body = String)))]
pub(crate) async fn bundle(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<VersionHash>,
    headers: HeaderMap,
) -> Answer {
    let file = versions::bundle(&admin, &who, &id).await?;
    let content_type = "application/octet-stream";
    stream::file(&admin, &headers, Sent { blob: file.blob, content_type, file_name: &file.name, in_parts: false }).await
}
