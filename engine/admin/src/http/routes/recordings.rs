//! `/calls/{id}/recordings`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok, revised};
use crate::http::extract::{Json, Named, Seen};
use crate::http::stream::{self, Sent};
use crate::names::{CallName, RecordingName};
use crate::service::marks::{self, Mark, MarkBody};
use crate::service::recordings::{self, Recordings};
use axum::extract::State;
use axum::http::HeaderMap;

/// A past call's recordings.
#[utoipa::path(get, path = "/api/v1/calls/{id}/recordings", tag = "calls", params(("id" = CallName, Path)),
    responses((status = 200, description = "The recordings", body = Recordings)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Named(call): Named<CallName>) -> Answer {
    ok(&recordings::list(&admin, &who, &call).await?)
}

/// One recording's audio. The audit names who listened.
#[utoipa::path(get, path = "/api/v1/calls/{id}/recordings/{name}", tag = "calls",
    params(("id" = CallName, Path), ("name" = RecordingName, Path),
        ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses((status = 200, description = "The audio", content_type = "audio/wav", body = String),
        (status = 206, description = "A part of it", content_type = "audio/wav", body = String),
        (status = 416, description = "`range`", body = crate::problem::ProblemBody, content_type = "application/problem+json")))]
pub(crate) async fn play(
    State(admin): State<Admin>,
    who: Principal,
    Named((call, name)): Named<(CallName, RecordingName)>,
    headers: HeaderMap,
) -> Answer {
    let blob = recordings::play(&admin, &who, &call, &name).await?;
    let file_name = format!("{call}-{name}.wav");
    stream::file(&admin, &headers, Sent { blob, content_type: "audio/wav", file_name: &file_name, in_parts: true })
        .await
}

/// How good a recorded talk was.
#[utoipa::path(get, path = "/api/v1/calls/{id}/recordings/{name}/mark", tag = "calls",
    params(("id" = CallName, Path), ("name" = RecordingName, Path)),
    responses((status = 200, description = "The mark", body = Mark)))]
pub(crate) async fn mark(
    State(admin): State<Admin>,
    who: Principal,
    Named((call, name)): Named<(CallName, RecordingName)>,
) -> Answer {
    revised(&marks::read(&admin, &who, &call, &name).await?)
}

/// Marks a recorded talk.
#[utoipa::path(put, path = "/api/v1/calls/{id}/recordings/{name}/mark", tag = "calls",
    params(("id" = CallName, Path), ("name" = RecordingName, Path)), request_body = MarkBody,
    responses((status = 200, description = "Marked", body = Mark)))]
pub(crate) async fn set_mark(
    State(admin): State<Admin>,
    who: Principal,
    Named((call, name)): Named<(CallName, RecordingName)>,
    Seen(seen): Seen,
    Json(body): Json<MarkBody>,
) -> Answer {
    revised(&marks::set(&admin, &who, &call, &name, body, seen).await?)
}
