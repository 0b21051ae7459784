//! Health, readiness, metrics and call records over plain HTTP on loopback. The admin's API, with its users and roles,
//! stands on this later; call records are masked already.

use crate::metrics;
use crate::scripts::Scripts;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gudok_store::{AgencyId, CallId, CdrCursor, CdrQuery, Store, StoreError, UtcMs};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) prometheus: PrometheusHandle,
    /// False while the engine starts or drains: a balancer sends nothing new.
    pub(crate) ready: Arc<AtomicBool>,
    /// Brings gauges up to date before they are read.
    pub(crate) refresh: Arc<dyn Fn() + Send + Sync>,
}

/// The routes.
pub(crate) fn router(http: Http) -> Router {
    Router::new()
        .route("/health", get(|| async { "alive\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics_page))
        .route("/api/v1/cdrs", get(cdrs))
        .route("/api/v1/faults", get(faults))
        .with_state(http)
}

async fn ready(State(http): State<Http>) -> Response {
    if http.ready.load(Ordering::Acquire) {
        (StatusCode::OK, "ready\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not taking calls\n").into_response()
    }
}

async fn metrics_page(State(http): State<Http>) -> Response {
    (http.refresh)();
    let headers = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (headers, http.prometheus.render()).into_response()
}

/// Why scripts were stopped, newest last: for their authors. Numbers and secrets are masked where a fault is made.
async fn faults(State(http): State<Http>) -> Response {
    let faults: Vec<serde_json::Value> = http
        .scripts
        .faults()
        .iter()
        .map(|fault| {
            serde_json::json!({
                "script": fault.version.script.as_str(),
                "version": &*fault.version.version,
                "cause": fault.cause.as_str(),
                "message": fault.message,
                "step": fault.step,
                "backtrace": fault.backtrace,
            })
        })
        .collect();
    axum::Json(serde_json::json!({ "faults": faults })).into_response()
}

/// What of the records is asked for. Times are milliseconds since 1970 in UTC.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CdrParams {
    from_ms: Option<u64>,
    until_ms: Option<u64>,
    agency: Option<String>,
    call_id: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
    /// `json` (the default) or `csv`.
    format: Option<String>,
}

async fn cdrs(State(http): State<Http>, Query(params): Query<CdrParams>) -> Response {
    match records(&http, params).await {
        Ok(response) => response,
        Err(error) => problem(&error),
    }
}

async fn records(http: &Http, params: CdrParams) -> Result<Response, StoreError> {
    let csv = params.format.as_deref() == Some("csv");
    let query = CdrQuery {
        from: UtcMs(params.from_ms.unwrap_or(0)),
        until: params.until_ms.map(UtcMs),
        agency: params.agency.as_deref().map(AgencyId::new).transpose()?,
        call_id: params.call_id.as_deref().map(CallId::new).transpose()?,
        subject: None,
        rows_max: params.limit.unwrap_or(0),
        cursor: params.cursor.map(CdrCursor),
    };
    http.store.settled().await?;
    let page = http.store.cdrs(query).await?;
    if csv {
        let mut body = Vec::new();
        gudok_store::write_csv(&page.cdrs, true, &mut body)?;
        return Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], body).into_response());
    }
    let next = page.next.map(|cursor| cursor.0);
    Ok(axum::Json(serde_json::json!({ "cdrs": page.cdrs, "next": next })).into_response())
}

/// RFC 9457.
fn problem(error: &StoreError) -> Response {
    metrics::http_problem();
    let status = match error {
        StoreError::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        StoreError::BadName { .. } => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": error.to_string(),
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
