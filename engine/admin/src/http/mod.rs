//! HTTP around the services: the router made of the table, what every request passes, and how answers are written.

mod answer;
mod docs;
mod extract;
mod front;
mod gate;
mod idempotency;
mod openapi;
pub(crate) mod routes;
mod stream;

pub use front::{Nonce, RequestId};
pub use gate::address_of;
pub use idempotency::UnderWay;

use crate::Admin;
use crate::access::ROUTES;
use crate::problem::{Problem, codes};
use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use gate::{Facts, Gate};
use std::sync::Arc;

impl Admin {
    /// Everything that is served: the API, its documentation, health and metrics, and the console.
    pub fn router(&self) -> Router {
        let mut api = Router::<Self>::new();
        let mut documents = openapi::Collected::default();
        for route in ROUTES {
            let (schemas, paths, handler) = (route.mount)();
            let operation = openapi::operation(route, paths);
            let gate = Gate { admin: self.clone(), facts: Arc::new(Facts::of(route, &operation)) };
            documents.add(route, operation, schemas);
            // On the handler alone: what is no method of the path is refused without looking at who asks.
            api = api.route(route.path, handler.route_layer(from_fn_with_state(gate, gate::pass)));
        }
        let json = documents.finish();
        self.openapi().get_or_init(|| json);
        api.merge(crate::console::router(self))
            .route("/api/docs", get(docs::to_index))
            .route("/api/docs/", get(docs::index))
            .route(crate::problem::PROBLEMS_PAGE, get(docs::problems))
            .route("/api/docs/{*file}", get(docs::file))
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .with_state(self.clone())
            .layer(from_fn_with_state(self.clone(), front::pass))
            .layer(from_fn(front::catch))
    }
}

async fn not_found(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::new(&codes::NOT_FOUND, format!("There is nothing at {path}."))
        .remedy("GET /api/v1/openapi.json names all.")
}

async fn method_not_allowed(method: Method) -> Problem {
    Problem::new(&codes::METHOD_NOT_ALLOWED, format!("{method} is not for this path."))
}
