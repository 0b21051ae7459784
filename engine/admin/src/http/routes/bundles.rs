//! `/bundles`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created, ok};
use crate::http::extract::Params;
use crate::http::idempotency::{self, Asked, Begun, Keep};
use crate::names::AgencyName;
use crate::problem::{Problem, codes};
use crate::service::bundles::{self, Taken, Upload};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::IntoParams;

/// Whose bundle it is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadParams {
    /// Whose bundle it must be.
    #[param(value_type = String, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: AgencyName,
    /// An older version than the one that serves is meant.
    #[serde(default)]
    #[param(default = false)]
    allow_downgrade: bool,
}

/// Uploads a bundle.
///
/// It is checked as if it went live: signature, interface, grants, media, compile limits, a smoke run. What passes is a
/// version; what asks for rights that nobody approved waits for an admin.
#[utoipa::path(post, path = "/api/v1/bundles", tag = "versions", params(UploadParams),
    request_body(content = String, content_type = "application/octet-stream", description = "The bytes of the .ivr file"),
    responses((status = 201, description = "Taken as a new version", body = Taken),
        (status = 200, description = "The same bundle was here already", body = Taken)))]
pub(crate) async fn upload(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<UploadParams>,
    request: Request,
) -> Answer {
    check_type(request.headers())?;
    let key = idempotency::key(request.headers())?;
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let upload = Upload { agency: params.agency, allow_downgrade: params.allow_downgrade, length };
    let (parts, body) = request.into_parts();
    let received = bundles::receive(&admin, &who, upload, body.into_data_stream()).await?;
    let Some(key) = key else { return answer(&bundles::take(&admin, &who, received).await?) };
    let asked = Asked::new(&who, &key, idempotency::fingerprint_of_hash(&parts, received.sha256()));
    match asked.begin(&admin).await? {
        Begun::Before(before) => Ok(before),
        Begun::New(place) => {
            let taken = answer(&bundles::take(&admin, &who, received).await?)?;
            place.finish(&admin, taken, Keep::Whole).await
        }
    }
}

fn answer(taken: &Taken) -> Answer {
    if taken.fresh { created(&format!("/api/v1/versions/{}", taken.version.id), taken) } else { ok(taken) }
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/octet-stream")) {
        return Ok(());
    }
    let problem = Problem::new(&codes::UNSUPPORTED_TYPE, "A bundle is sent as its bytes.").field("Content-Type");
    Err(problem.remedy("Send Content-Type: application/octet-stream and the .ivr file as the body."))
}
