//! The back end of the sample agencies: passport applications and kindergarten queues, and every fault that a back end
//! can have, on request.
//!
//! | route | |
//! | --- | --- |
//! | `POST /passport/applications` | `{"application":"12345678","check":"1234"}` answers `{"state":"ready","since":"2026-05-05"}`; 404 for any other pair |
//! | `POST /kindergarten/places` | `{"application":"123456","born":"2023-05-05"}` answers `{"place":21}`; 404 for any other pair |
//! | `POST /faults` | `{"route":"/passport/applications","kind":"hang","times":2}`: that many next requests fail so ([`FaultKind`]) |
//! | `DELETE /faults` | no more faults |
//! | `GET /seen` | how many requests each route had, failed ones too |
//! | `GET /health` | 200 |
//!
//! The first two want the Authorization header that [`Backend::new`] names. Tests run it in their own process with
//! [`serve`], people with the binary.
//!
//! What it is not: a model of how an agency keeps its data. It holds a few made-up rows.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod fault;
mod records;

pub use fault::{Fault, FaultKind, Faults};

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// Of a request's body; an inquiry has some sixty bytes.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// Routes that are counted; requests to more are not.
const ROUTES_SEEN_MAX: usize = 64;

/// The back end's state.
#[derive(Debug, Clone)]
pub struct Backend {
    authorization: Arc<str>,
    faults: Arc<Mutex<Faults>>,
    seen: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Backend {
    /// A back end that wants exactly this Authorization header, "Bearer …".
    #[must_use]
    pub fn new(authorization: &str) -> Self {
        Self { authorization: authorization.into(), faults: Arc::default(), seen: Arc::default() }
    }

    /// Lets the next requests to a route fail.
    ///
    /// # Errors
    /// What is wrong with the fault.
    pub fn break_down(&self, fault: &Fault) -> Result<(), String> {
        lock(&self.faults).add(fault)
    }

    /// How many requests a route had.
    #[must_use]
    pub fn seen(&self, route: &str) -> u64 {
        lock(&self.seen).get(route).copied().unwrap_or(0)
    }

    /// Its routes.
    pub fn router(&self) -> Router {
        let guarded = Router::new()
            .route("/passport/applications", post(records::passport))
            .route("/kindergarten/places", post(records::kindergarten))
            .layer(middleware::from_fn_with_state(self.clone(), authorize))
            .layer(middleware::from_fn_with_state(self.clone(), fail_on_request));
        Router::new()
            .route("/faults", post(add_fault).delete(clear_faults))
            .route("/seen", get(|State(backend): State<Self>| async move { Json(lock(&backend.seen).clone()) }))
            .route("/health", get(|| async { "well" }))
            .merge(guarded)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self.clone())
    }
}

/// Serves until the task is dropped.
///
/// # Errors
/// What the listener says.
pub async fn serve(listener: TcpListener, backend: &Backend) -> std::io::Result<()> {
    axum::serve(listener, backend.router()).await
}

async fn add_fault(State(backend): State<Backend>, Json(fault): Json<Fault>) -> Response {
    tracing::info!(route = fault.route, kind = ?fault.kind, times = fault.times, "fault requested");
    match backend.break_down(&fault) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(what) => (StatusCode::UNPROCESSABLE_ENTITY, what).into_response(),
    }
}

async fn clear_faults(State(backend): State<Backend>) -> StatusCode {
    *lock(&backend.faults) = Faults::default();
    StatusCode::NO_CONTENT
}

async fn authorize(State(backend): State<Backend>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
    if given == Some(backend.authorization.as_bytes()) {
        return next.run(request).await;
    }
    tracing::warn!(path = request.uri().path(), "refused: no Authorization header, or another one");
    StatusCode::UNAUTHORIZED.into_response()
}

async fn fail_on_request(State(backend): State<Backend>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    backend.count(&path);
    let fault = lock(&backend.faults).take(&path);
    match fault {
        Some(fault) => {
            tracing::info!(path, kind = ?fault.kind, "failing as requested");
            fault::fail(&fault, request, next).await
        }
        None => next.run(request).await,
    }
}

impl Backend {
    fn count(&self, path: &str) {
        let mut seen = lock(&self.seen);
        if seen.len() < ROUTES_SEEN_MAX || seen.contains_key(path) {
            *seen.entry(path.to_owned()).or_default() += 1;
        }
    }
}

/// The maps stay whole even if somebody panicked while holding them.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
