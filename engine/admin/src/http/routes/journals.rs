//! `/calls/{id}/journal`, `/calls/{id}/replay`, `/agencies/{agency}/rehearsals`

use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok};
use crate::http::extract::{Named, Params};
use crate::names::{AgencyName, CallName, ScriptName, VersionHash};
use crate::ports::{Journal, Rehearsal, Replay};
use crate::problem::{Problem, codes};
use crate::service::bundles::{self, Received, Upload};
use crate::service::journals::{self, On};
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::header;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which of a call's scripts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunParams {
    /// From 1, in their order; the first one of which there is a journal, where nobody says.
    #[param(minimum = 1)]
    run: Option<u32>,
}

/// On which version a call is run again.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReplayParams {
    /// From 1, in their order; the first one of which there is a journal, where nobody says.
    #[param(minimum = 1)]
    run: Option<u32>,
    /// A version of the agency; the call's own where there is neither this nor a body.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{64}$", max_length = 64)]
    version: Option<VersionHash>,
}

/// What is rehearsed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RehearseParams {
    /// Whose last calls.
    #[param(value_type = String, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    script: ScriptName,
    /// How many of them; 100 where nobody says.
    #[param(minimum = 1, maximum = 1000)]
    last: Option<usize>,
    /// A version of the agency; else the body is the bundle.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{64}$", max_length = 64)]
    version: Option<VersionHash>,
}

/// What a call's script asked and was told, masked. The audit names who looked.
#[utoipa::path(get, path = "/api/v1/calls/{id}/journal", tag = "calls", params(("id" = CallName, Path), RunParams),
    responses((status = 200, description = "The journal", body = Journal)))]
pub(crate) async fn read(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<CallName>,
    Params(params): Params<RunParams>,
) -> Answer {
    ok(&journals::read(&admin, &who, &id, params.run).await?)
}

/// Runs a call's script again: on its own version, on another one, or on the bundle in the body.
///
/// It runs in a process of the lowest priority, answered from the call's journal; nothing is sent anywhere. A bundle in
/// the body is checked as if it were uploaded, and whoever sends one must be allowed to upload it.
#[utoipa::path(post, path = "/api/v1/calls/{id}/replay", tag = "calls",
    params(("id" = CallName, Path), ReplayParams),
    request_body(content = String, content_type = "application/octet-stream", description = "The bytes of an .ivr file, or nothing"),
    responses((status = 200, description = "Where the two part, and what comes of it", body = Replay)))]
pub(crate) async fn replay(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<CallName>,
    Params(params): Params<ReplayParams>,
    request: Request,
) -> Answer {
    let agency = journals::agency_of(&admin, &who, &id, params.run).await?;
    let bundle = bundle(&admin, &who, agency, request).await?;
    let on = On { version: params.version, bundle };
    ok(&journals::replay(&admin, &who, &id, params.run, on).await?)
}

/// Runs the last calls of a script on a version that is not released yet, and says whose outcome changes.
#[utoipa::path(post, path = "/api/v1/agencies/{agency}/rehearsals", tag = "versions",
    params(("agency" = AgencyName, Path), RehearseParams),
    request_body(content = String, content_type = "application/octet-stream", description = "The bytes of an .ivr file, or nothing"),
    responses((status = 200, description = "What changes", body = Rehearsal)))]
pub(crate) async fn rehearse(
    State(admin): State<Admin>,
    who: Principal,
    Named(agency): Named<AgencyName>,
    Params(params): Params<RehearseParams>,
    request: Request,
) -> Answer {
    who.may_in(Operation::Rehearse, agency.as_str())?;
    let bundle = bundle(&admin, &who, agency.clone(), request).await?;
    let on = On { version: params.version, bundle };
    ok(&journals::rehearse(&admin, &who, &agency, &params.script, params.last, on).await?)
}

/// The bundle that the body is; none where it is empty.
async fn bundle(
    admin: &Admin,
    who: &Principal,
    agency: AgencyName,
    request: Request,
) -> Result<Option<Received>, Problem> {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return Ok(None);
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/octet-stream")) {
        let problem = Problem::new(&codes::UNSUPPORTED_TYPE, "A bundle is sent as its bytes.").field("Content-Type");
        return Err(problem.remedy("Send Content-Type: application/octet-stream and the .ivr file as the body."));
    }
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let upload = Upload { agency, allow_downgrade: true, length };
    bundles::receive(admin, who, upload, body.into_data_stream()).await.map(Some)
}
