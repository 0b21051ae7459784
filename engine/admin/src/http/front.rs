//! What every request passes first and every answer last: limits of the head, the Host, cross-site writes, and header
//! fields that keep browsers safe.

use crate::Admin;
use crate::auth::csrf::{self, CSRF_FIELD, Check};
use crate::limits::{BODY_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX, URI_BYTES_MAX};
use crate::problem::{Problem, codes};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::panic::AssertUnwindSafe;
use tracing::Instrument;

/// What inline scripts of this answer must carry; a page's template writes it into `<script nonce="…">`.
#[derive(Clone, Debug)]
pub struct Nonce(pub String);

/// The request's number, in every answer and every line of the log about it.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const FORM: &str = "application/x-www-form-urlencoded";
/// Two years: long enough for browsers never to ask without TLS.
const HSTS: &str = "max-age=63072000";

/// A bug in a handler becomes an answer, and ends nothing else.
pub(super) async fn catch(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => Problem::internal("answering", "a handler panicked; its message stands above").into_response(),
    }
}

/// Passes a request on, or refuses it; and dresses the answer.
pub(super) async fn pass(State(admin): State<Admin>, mut request: Request, next: Next) -> Response {
    let id = format!("{:016x}", rand::random::<u64>());
    let nonce = format!("{:032x}", rand::random::<u128>());
    let span = tracing::info_span!("http", id, method = %request.method());
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(Nonce(nonce.clone()));
    let reader = crate::console::Reader::of(&request);
    let answered = async {
        match (checked(&admin, request).await, reader) {
            (Ok(request), _) => next.run(request).await,
            (Err(problem), Some(reader)) => reader.is_told(&admin, &problem),
            (Err(problem), None) => problem.into_response(),
        }
    };
    let mut response = answered.instrument(span).await;
    dress(&admin, response.headers_mut(), &id, &nonce);
    response
}

async fn checked(admin: &Admin, request: Request) -> Result<Request, Problem> {
    check_head(request.uri(), request.headers())?;
    check_host(admin, request.uri(), request.headers())?;
    match csrf::look(request.method(), request.headers())? {
        Check::Passed => Ok(request),
        // A bundle is too large to be looked into here: the page that takes it checks its form's token itself, before
        // it reads the file.
        Check::Needs(_) if crate::console::is_upload(request.uri()) => Ok(request),
        Check::Needs(expected) => in_form(request, &expected).await,
    }
}

fn check_head(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let uri_bytes = uri.path_and_query().map_or(0, |path| path.as_str().len());
    if uri_bytes > URI_BYTES_MAX {
        let detail = format!("Path and query have {uri_bytes} bytes, at most {URI_BYTES_MAX} are read.");
        return Err(Problem::new(&codes::URI_TOO_LONG, detail));
    }
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum();
    if bytes > HEADER_BYTES_MAX || headers.len() > HEADERS_MAX {
        let detail = format!(
            "{} header fields with {bytes} bytes; at most {HEADERS_MAX} with {HEADER_BYTES_MAX} bytes are read.",
            headers.len()
        );
        return Err(Problem::new(&codes::HEADERS_TOO_LARGE, detail));
    }
    Ok(())
}

/// A page of another site that a name server points at this machine must not talk to a loopback listener: the browser
/// still names that site in Host.
fn check_host(admin: &Admin, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let of_header = headers.get(header::HOST).map(|host| host.to_str().unwrap_or("?"));
    for host in [of_header, uri.authority().map(axum::http::uri::Authority::as_str)].into_iter().flatten() {
        if !is_ours(admin, host) {
            return Err(Problem::new(&codes::MISDIRECTED, "The request names another host.").field("Host"));
        }
    }
    Ok(())
}

fn is_ours(admin: &Admin, authority: &str) -> bool {
    let config = admin.config();
    let host = host_of(authority);
    if config.hosts.iter().any(|name| name.eq_ignore_ascii_case(host)) {
        return true;
    }
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    if config.loopback {
        let loopback =
            |address: IpAddr| address == IpAddr::V4(Ipv4Addr::LOCALHOST) || address == IpAddr::V6(Ipv6Addr::LOCALHOST);
        return host.eq_ignore_ascii_case("localhost") || address.is_some_and(loopback);
    }
    // Off loopback a certificate stands for the name; names are checked where the admin has listed them.
    address.is_some() || config.hosts.is_empty()
}

fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // An IPv6 address in brackets has colons of its own.
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}

/// A form may carry the session's token in a field, for pages that work without scripts.
async fn in_form(request: Request, expected: &crate::redacted::Redacted) -> Result<Request, Problem> {
    let is_form = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = is_form.is_some_and(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == FORM));
    if !is_form {
        return Err(csrf::refused("The session's write has no X-CSRF-Token."));
    }
    let (parts, body) = request.into_parts();
    let bytes = super::extract::read_body(body, BODY_BYTES_MAX).await?;
    let fields: Vec<(String, String)> = super::extract::pairs(&bytes);
    if !fields.iter().any(|(name, value)| name == CSRF_FIELD && csrf::is(value, expected)) {
        return Err(csrf::refused("The form has no csrf field, or not this session's."));
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn dress(admin: &Admin, headers: &mut HeaderMap, id: &str, nonce: &str) {
    let is_html = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = if is_html {
        format!(
            "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        )
    } else {
        "default-src 'none'; frame-ancestors 'none'".to_owned()
    };
    let mut unless_set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.entry(name).or_insert(value);
        }
    };
    unless_set(header::CONTENT_SECURITY_POLICY, &policy);
    unless_set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_set(header::X_FRAME_OPTIONS, "DENY");
    unless_set(header::REFERRER_POLICY, "no-referrer");
    unless_set(OPENER_POLICY, "same-origin");
    unless_set(RESOURCE_POLICY, "same-origin");
    unless_set(PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=()");
    unless_set(header::CACHE_CONTROL, "no-store");
    unless_set(REQUEST_ID, id);
    if admin.config().tls {
        unless_set(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_answer() {
        async fn broken() -> &'static str {
            panic!("a bug, on purpose")
        }
        let router = axum::Router::new().route("/", axum::routing::get(broken)).layer(axum::middleware::from_fn(catch));
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
        assert_eq!(response.status(), 500);
        let body = super::super::extract::read_body(response.into_body(), 10_000).await.unwrap();
        let problem: crate::problem::ProblemBody = serde_json::from_slice(&body).unwrap();
        assert!(problem.correlation.is_some() && !problem.detail.contains("on purpose"), "{problem:?}");
    }

    #[test]
    fn a_host_is_told_from_its_port() {
        for (authority, host) in [
            ("localhost", "localhost"),
            ("localhost:8070", "localhost"),
            ("127.0.0.1:8070", "127.0.0.1"),
            ("[::1]:8070", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(host_of(authority), host);
        }
    }
}
