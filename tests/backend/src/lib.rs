//! The back end of the sample agencies: passport applications, kindergarten queues, appointments and a webhook's receiver,
//! and every fault that a back end can have, on request.
//!
//! | route | |
//! | --- | --- |
//! | `POST /passport/applications` | `{"application":"12345678","check":"1234"}` answers `{"state":"ready","since":"2026-05-05"}`; 404 for any other pair |
//! | `POST /kindergarten/places` | `{"application":"123456","born":"2023-05-05"}` answers `{"place":21}`; 404 for any other pair |
//! | `POST /mfc/slots` | `{"office":"novokuznetsk","service":"passport","today":"2026-11-23"}` answers `{"slots":[{"id":"…","date":"2026-11-24","time":"09:00"},…]}` |
//! | `POST /mfc/holds` | `{"slot":"…"}` answers 201 `{"hold":"h-1","expires_s":300}`; the same Idempotency-Key the same hold; 409 where it is taken |
//! | `POST /mfc/confirm` | `{"hold":"h-1"}` answers `{"code":"4821"}`, the same however often; 410 where it was held for too long or given back |
//! | `POST /mfc/release` | `{"hold":"h-1"}`: 204, the same however often; 409 once it is confirmed |
//! | `POST /webhook` | a signed delivery (Standard Webhooks): 204; 401 without a right signature |
//! | `GET /webhook`, `GET /webhook/deliveries` | what came, in figures and by key |
//! | `GET /mfc` | `{"appointments":[…],"held":0}` |
//! | `POST /mfc/take` | `{"times":1}`: so many next holds find that somebody else was faster |
//! | `POST /mfc/expire` | whatever is held now was held for too long |
//! | `POST /flaky` | `{"route":"/webhook","kind":"500","percent":50,"seed":1}`: fails by chance ([`Flaky`]) |
//! | `POST /faults` | `{"route":"/passport/applications","kind":"hang","times":2}`: that many next requests fail so ([`FaultKind`]) |
//! | `DELETE /faults` | no more faults |
//! | `GET /seen` | how many requests each route had, failed ones too |
//! | `GET /health` | 200 |
//!
//! The routes of passport, kindergarten and mfc want the Authorization header that [`Backend::new`] names. Tests run it in their own process with
//! [`serve`], people with the binary.
//!
//! What it is not: a model of how an agency keeps its data. It holds a few made-up rows.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod booking;
mod fault;
mod records;
mod webhook;

pub use booking::Appointment;
pub use fault::{Fault, FaultKind, Faults, Flaky};
pub use webhook::{Delivery, InboxFigures};

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// Of a request's body: an inquiry has some sixty bytes, a delivery some thousand.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Routes that are counted; requests to more are not.
const ROUTES_SEEN_MAX: usize = 64;

/// The back end's state.
#[derive(Debug, Clone)]
pub struct Backend {
    authorization: Arc<str>,
    faults: Arc<Mutex<Faults>>,
    seen: Arc<Mutex<BTreeMap<String, u64>>>,
    calendar: Arc<Mutex<booking::Calendar>>,
    inbox: Arc<Mutex<webhook::Inbox>>,
    webhook_secret: Arc<str>,
}

impl Backend {
    /// A back end that wants exactly this Authorization header, "Bearer …".
    #[must_use]
    pub fn new(authorization: &str) -> Self {
        Self {
            authorization: authorization.into(),
            faults: Arc::default(),
            seen: Arc::default(),
            calendar: Arc::default(),
            inbox: Arc::default(),
            webhook_secret: webhook::SECRET_DEFAULT.into(),
        }
    }

    /// Lets the next requests to a route fail.
    ///
    /// # Errors
    /// What is wrong with the fault.
    pub fn break_down(&self, fault: &Fault) -> Result<(), String> {
        lock(&self.faults).add(fault)
    }

    /// Lets a route fail by chance from here on.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn make_flaky(&self, flaky: Flaky) -> Result<(), String> {
        lock(&self.faults).set_flaky(flaky)
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
            .route("/mfc/slots", post(booking::slots))
            .route("/mfc/holds", post(booking::hold))
            .route("/mfc/confirm", post(booking::confirm))
            .route("/mfc/release", post(booking::release))
            .layer(middleware::from_fn_with_state(self.clone(), authorize))
            .layer(middleware::from_fn_with_state(self.clone(), fail_on_request));
        let open = Router::new()
            .route("/webhook", post(webhook::receive))
            .route("/offices/{id}/queue", get(records::waiting))
            .layer(middleware::from_fn_with_state(self.clone(), fail_on_request));
        Router::new()
            .route("/faults", post(add_fault).delete(clear_faults))
            .route("/flaky", post(add_flaky))
            .route("/webhook", get(webhook::figures))
            .route("/webhook/deliveries", get(webhook::listed))
            .route("/mfc", get(appointments))
            .route("/mfc/take", post(take_next))
            .route(
                "/mfc/expire",
                post(|State(backend): State<Self>| async move {
                    backend.expire_holds();
                    StatusCode::NO_CONTENT
                }),
            )
            .route("/seen", get(|State(backend): State<Self>| async move { Json(lock(&backend.seen).clone()) }))
            .route("/health", get(|| async { "well" }))
            .merge(guarded)
            .merge(open)
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

async fn add_flaky(State(backend): State<Backend>, Json(flaky): Json<Flaky>) -> Response {
    match backend.make_flaky(flaky) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(what) => (StatusCode::UNPROCESSABLE_ENTITY, what).into_response(),
    }
}

async fn appointments(State(backend): State<Backend>) -> Json<Value> {
    Json(json!({ "appointments": backend.appointments(), "held": backend.held() }))
}

#[derive(Deserialize)]
struct TakeOrder {
    times: usize,
}

async fn take_next(State(backend): State<Backend>, Json(order): Json<TakeOrder>) -> StatusCode {
    backend.take_next(order.times);
    StatusCode::NO_CONTENT
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
            if fault.kind == FaultKind::Expire {
                backend.expire_holds();
            }
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
