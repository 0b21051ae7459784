//! Health, readiness, metrics, and the API's description.

use crate::Admin;
use crate::http::answer::Answer;
use crate::problem::{Problem, codes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "meta",
    responses((status = 200, description = "OpenAPI", content_type = "application/json", body = Object)))]
pub(crate) async fn openapi(State(admin): State<Admin>) -> Answer {
    let json = admin.openapi().get().cloned().unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// The process answers. On a loopback listener without token.
#[utoipa::path(get, path = "/health", tag = "meta",
    responses((status = 200, description = "Alive", content_type = "text/plain", body = String)))]
pub(crate) async fn health() -> Answer {
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "alive\n").into_response())
}

/// The engine takes calls; "degraded": without its store. On a loopback listener without token.
#[utoipa::path(get, path = "/ready", tag = "meta",
    responses((status = 200, description = "Ready", content_type = "text/plain", body = String)))]
pub(crate) async fn ready(State(admin): State<Admin>) -> Answer {
    if admin.engine().is_ready() {
        let word = if admin.engine().is_degraded() { "degraded\n" } else { "ready\n" };
        Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], word).into_response())
    } else {
        Err(Problem::new(&codes::NOT_READY, "The engine takes no calls now.").retry_after_s(1))
    }
}

/// Prometheus text. On a loopback listener without token.
#[utoipa::path(get, path = "/metrics", tag = "meta",
    responses((status = 200, description = "Metrics", content_type = "text/plain", body = String)))]
pub(crate) async fn metrics(State(admin): State<Admin>) -> Answer {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], admin.engine().metrics()).into_response())
}
