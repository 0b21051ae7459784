//! `/overlays`

use super::PageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created_revised, nothing, ok, revised};
use crate::http::extract::{Json, Named, Params, Seen, read_body};
use crate::limits::OVERLAY_AUDIO_BYTES_MAX;
use crate::names::OverlayName;
use crate::problem::{Problem, codes};
use crate::service::Page;
use crate::service::overlays::{self, Overlay, OverlayBody, RecordingFor};
use axum::extract::{Request, State};
use axum::http::header;
use serde::Deserialize;
use std::str::FromStr;
use utoipa::IntoParams;

/// Emergency announcements that admins set; those of the file are in `/configuration`.
#[utoipa::path(get, path = "/api/v1/overlays", tag = "overlays", params(PageParams),
    responses((status = 200, description = "A page", body = Page<Overlay>)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(page): Params<PageParams>) -> Answer {
    ok(&overlays::list(&admin, &who, &page.query()).await?)
}

/// One emergency announcement.
#[utoipa::path(get, path = "/api/v1/overlays/{name}", tag = "overlays", params(("name" = OverlayName, Path)),
    responses((status = 200, description = "The overlay", body = Overlay)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(name): Named<OverlayName>) -> Answer {
    revised(&overlays::read(&admin, &who, &name).await?)
}

/// Sets an emergency announcement, new or present. Every caller hears it first, from the next call on.
#[utoipa::path(put, path = "/api/v1/overlays/{name}", tag = "overlays", params(("name" = OverlayName, Path)),
    request_body = OverlayBody, responses((status = 200, description = "Changed", body = Overlay),
        (status = 201, description = "Made", body = Overlay)))]
pub(crate) async fn set(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<OverlayName>,
    Seen(seen): Seen,
    Json(body): Json<OverlayBody>,
) -> Answer {
    let set = overlays::set(&admin, &who, &name, body, seen).await?;
    if seen.is_some_and(|seen| seen > 0) {
        revised(&set)
    } else {
        created_revised(&format!("/api/v1/overlays/{name}"), &set)
    }
}

/// Takes an emergency announcement away.
#[utoipa::path(delete, path = "/api/v1/overlays/{name}", tag = "overlays", params(("name" = OverlayName, Path)),
    responses((status = 204, description = "Taken away")))]
pub(crate) async fn delete(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<OverlayName>,
    Seen(seen): Seen,
) -> Answer {
    overlays::delete(&admin, &who, &name, seen).await?;
    nothing()
}

/// Whom a recording is for, where the announcement is not there yet.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecordParams {
    /// Only callers of these agencies, divided by commas.
    #[param(max_length = 2048)]
    agencies: Option<String>,
    /// Only callers of numbers of these regions or municipalities, divided by commas.
    #[param(max_length = 2048)]
    areas: Option<String>,
    /// Only callers of these numbers, as dialled, divided by commas.
    #[param(max_length = 2048)]
    numbers: Option<String>,
    /// RFC 3339, silent from then on.
    expires: Option<String>,
}

/// Sets an emergency announcement's recording in one step: every caller hears it first, from the next call on.
///
/// WAV, MP3, Ogg or FLAC. The announcement is made where there is none of that name; of one that is there, only the
/// audio changes.
#[utoipa::path(post, path = "/api/v1/overlays/{name}/recording", tag = "overlays",
    params(("name" = OverlayName, Path), RecordParams),
    request_body(content = String, content_type = "application/octet-stream", description = "The audio's bytes"),
    responses((status = 200, description = "In force", body = Overlay)))]
pub(crate) async fn record(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<OverlayName>,
    Params(params): Params<RecordParams>,
    request: Request,
) -> Answer {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !(kind.starts_with("audio/") || kind.starts_with("application/octet-stream")) {
        let problem = Problem::new(&codes::UNSUPPORTED_TYPE, "Audio is sent as its bytes.").field("Content-Type");
        return Err(problem.remedy("Send Content-Type: audio/wav and the file as the body."));
    }
    let target = RecordingFor {
        agencies: listed(params.agencies.as_deref())?,
        areas: listed(params.areas.as_deref())?,
        numbers: listed(params.numbers.as_deref())?,
        expires: params.expires,
    };
    // Who may not is told before the audio is taken.
    who.may(crate::access::Operation::OverlayRecord)?;
    let audio = read_body(request.into_body(), OVERLAY_AUDIO_BYTES_MAX).await?;
    revised(&overlays::record(&admin, &who, &name, target, audio).await?)
}

fn listed<T: FromStr>(text: Option<&str>) -> Result<Vec<T>, Problem> {
    let parts = text.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty());
    let bad = |_| Problem::new(&codes::BAD_QUERY, "One of a list cannot be a name of its kind.");
    parts.map(|part| part.parse().map_err(bad)).collect()
}
