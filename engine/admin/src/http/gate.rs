//! What stands before every handler of the table: who asks, how often, for what, and whether it was asked before. What is
//! checked is what the route's documentation says.

use super::extract::{pairs, read_body};
use super::idempotency;
use crate::Admin;
use crate::access::{Gate as Asked, Operation, Route};
use crate::auth::{Principal, authenticate};
use crate::limits::BODY_BYTES_MAX;
use crate::problem::{PROBLEM_JSON, Problem, codes};
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::sync::Arc;
use tracing::Instrument;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation as Documented, ParameterIn};

/// A route's gate.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) admin: Admin,
    pub(super) facts: Arc<Facts>,
}

/// What a route's documentation says of its requests and answers.
pub(super) struct Facts {
    route: &'static Route,
    /// Parameters of the query.
    query: Vec<String>,
    /// Media types of good answers; empty where there is no body.
    produces: Vec<String>,
}

impl Facts {
    pub(super) fn of(route: &'static Route, documented: &Documented) -> Self {
        let parameters = documented.parameters.iter().flatten();
        let query = parameters.filter_map(|parameter| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.clone()),
            _ => None,
        });
        let answers = documented.responses.responses.iter().filter(|(status, _)| status.starts_with('2'));
        let produces = answers.filter_map(|(_, answer)| match answer {
            RefOr::T(answer) => Some(answer.content.keys().cloned()),
            RefOr::Ref(_) => None,
        });
        Self { route, query: query.collect(), produces: produces.flatten().collect() }
    }
}

/// The address that a request came from, as text.
#[must_use]
pub fn address_of(extensions: &Extensions) -> String {
    let address = extensions.get::<ConnectInfo<SocketAddr>>();
    address.map_or_else(|| "local".to_owned(), |ConnectInfo(address)| address.ip().to_string())
}

/// Passes a request on to its handler, or refuses it.
pub(super) async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let passed = async {
        let (request, principal) = recognised(&gate.admin, gate.facts.route, request).await?;
        check_query(&gate.facts, request.uri().query())?;
        check_accept(&gate.facts, request.headers())?;
        Ok::<_, Problem>((request, principal))
    };
    let response = match passed.await {
        Ok((request, principal)) => carried_out(&gate, principal, request, next).await,
        Err(problem) => Err(problem),
    };
    let response = response.unwrap_or_else(IntoResponse::into_response);
    let status = response.status().as_u16().to_string();
    metrics::counter!("gudok_http_requests_total", "route" => gate.facts.route.path, "status" => status).increment(1);
    response
}

/// A read ends with its client. A write that was begun is brought to its end, whether its client still listens or not:
/// what is committed must be taken over by the engine, and its answer kept.
async fn carried_out(
    gate: &Gate,
    principal: Option<Principal>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if !gate.facts.route.method.writes() {
        return Ok(next.run(request).await);
    }
    let gate = gate.clone();
    let task = async move {
        match principal {
            Some(principal) if repeats(gate.facts.route) => {
                once(&gate.admin, &gate.facts, &principal, request, next).await
            }
            _ => Ok(next.run(request).await),
        }
    };
    let task = tokio::spawn(task.in_current_span());
    task.await.map_err(|error| Problem::internal("carrying out a write", error))?
}

/// Whether an Idempotency-Key means something here. A bundle's upload looks itself: its body is not kept in memory. To
/// send an overlay's audio, a replay's bundle, a table of the directory or a list of contacts twice is to send it once.
fn repeats(route: &Route) -> bool {
    let alone = matches!(
        route.operation,
        Operation::Login
            | Operation::Logout
            | Operation::BundleUpload
            | Operation::CallReplay
            | Operation::Rehearse
            | Operation::OverlayRecord
            | Operation::DirectoryImport
            | Operation::ContactsImport
            | Operation::OptOutsImport
    );
    route.method.writes() && !alone
}

async fn once(
    admin: &Admin,
    facts: &Facts,
    principal: &Principal,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(key) = idempotency::key(request.headers())? else { return Ok(next.run(request).await) };
    let (parts, body) = request.into_parts();
    let body = read_body(body, BODY_BYTES_MAX).await?;
    let asked = idempotency::Asked::new(principal, &key, idempotency::fingerprint(&parts, &body));
    match asked.begin(admin).await? {
        idempotency::Begun::Before(answer) => Ok(answer),
        idempotency::Begun::New(place) => {
            let response = next.run(Request::from_parts(parts, Body::from(body))).await;
            let keep = match facts.route.operation {
                Operation::TokenCreate => idempotency::Keep::WithoutSecret,
                // A person's data is not kept a second time.
                Operation::SubjectExport => return Ok(response),
                _ => idempotency::Keep::Whole,
            };
            place.finish(admin, response, keep).await
        }
    }
}

async fn recognised(
    admin: &Admin,
    route: &Route,
    mut request: Request,
) -> Result<(Request, Option<Principal>), Problem> {
    let asked = match route.gate {
        Asked::Open => false,
        Asked::Local => !admin.config().loopback,
        Asked::Signed => true,
    };
    if !asked {
        return Ok((request, None));
    }
    let principal = match authenticate(admin, request.headers()).await {
        Ok(principal) => principal,
        Err(problem) if problem.is(&codes::UNAUTHENTICATED) => {
            admin.rates().stranger(&address_of(request.extensions()))?;
            return Err(problem);
        }
        Err(problem) => return Err(problem),
    };
    admin.rates().request(principal.credential.hash())?;
    principal.may(route.operation)?;
    request.extensions_mut().insert(principal.clone());
    Ok((request, Some(principal)))
}

fn check_query(facts: &Facts, query: Option<&str>) -> Result<(), Problem> {
    let Some(query) = query.filter(|query| !query.is_empty()) else { return Ok(()) };
    let mut seen = Vec::new();
    for (name, _) in pairs(query.as_bytes()) {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        if !facts.query.contains(&name) {
            let known = if facts.query.is_empty() { "none".to_owned() } else { facts.query.join(", ") };
            let problem = Problem::new(&codes::BAD_QUERY, "There is no such parameter.").field(shown);
            return Err(problem.remedy(format!("Parameters here: {known}.")));
        }
        if seen.contains(&name) {
            return Err(Problem::new(&codes::BAD_QUERY, "The parameter is there twice.").field(shown));
        }
        seen.push(name);
    }
    if seen.is_empty() {
        return Err(Problem::new(&codes::BAD_QUERY, "It is not a query."));
    }
    Ok(())
}

/// A refusal is always `application/problem+json`; what is looked at is whether a good answer would be welcome.
fn check_accept(facts: &Facts, headers: &HeaderMap) -> Result<(), Problem> {
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        let text = value.to_str().map_err(|_| Problem::new(&codes::BAD_HEADER, "It is not text.").field("Accept"))?;
        ranges.extend(text.split(',').filter_map(range).collect::<Vec<_>>());
    }
    if ranges.is_empty() || facts.produces.is_empty() {
        return Ok(());
    }
    let welcome = |kind: &String| ranges.iter().any(|range| fits(range, kind) || range == PROBLEM_JSON);
    if facts.produces.iter().any(welcome) {
        return Ok(());
    }
    let problem = Problem::new(&codes::NOT_ACCEPTABLE, "Accept leaves out what is here.").field("Accept");
    Err(problem.remedy(format!("This answer is {}.", facts.produces.join(" or "))))
}

/// A media range that is not switched off by `q=0`.
fn range(text: &str) -> Option<String> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?.to_ascii_lowercase();
    let off = parts.any(|part| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0));
    (!off).then_some(range)
}

fn fits(range: &str, kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match range.split_once('/') {
        Some(("*", "*")) => true,
        Some((family, "*")) => kind.split('/').next() == Some(family),
        Some(_) => range == kind,
        None => range == "*",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_fit_their_kinds() {
        assert!(fits("*/*", "application/json") && fits("application/*", "application/json"));
        assert!(fits("application/json", "application/json") && !fits("text/html", "application/json"));
        assert_eq!(range("text/html;q=0"), None);
        assert_eq!(range(" Text/HTML ; q=0.5"), Some("text/html".to_owned()));
    }
}
