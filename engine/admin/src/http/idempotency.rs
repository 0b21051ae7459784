//! A write that is sent twice is done once: the first answer is kept under the client's key, and given again.

use crate::Admin;
use crate::auth::{Principal, hex};
use crate::documents::{IdempotencyDocument, kinds};
use crate::ledger::{Change, Kept};
use crate::limits::{IDEMPOTENCY_ANSWER_BYTES_MAX, IDEMPOTENCY_KEPT, IDEMPOTENCY_KEY_CHARS_MAX};
use crate::problem::{Problem, codes};
use crate::time;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gudok_store::UtcMs;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

pub(crate) const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED_HEADER: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Answers are buffered while they are kept; none of these is larger.
const ANSWER_READ_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Keys whose requests are being carried out.
#[derive(Clone, Debug, Default)]
pub struct UnderWay(Arc<Mutex<HashSet<String>>>);

/// The client's key.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(&KEY_HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let well_formed = !text.is_empty()
        && text.len() <= IDEMPOTENCY_KEY_CHARS_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && values.next().is_none();
    if well_formed {
        return Ok(Some(text.to_owned()));
    }
    let detail = format!("It is one text of at most {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters.");
    Err(Problem::new(&codes::BAD_HEADER, detail).field("Idempotency-Key").remedy("A random UUID does."))
}

/// The hash of what makes a request the same one.
pub(super) fn fingerprint(parts: &Parts, body: &[u8]) -> String {
    let mut hasher = head(parts);
    hasher.update(Sha256::digest(body));
    hex(&hasher.finalize())
}

/// As [`fingerprint`], of a body that was hashed as it came.
pub(super) fn fingerprint_of_hash(parts: &Parts, body_sha256: &[u8; 32]) -> String {
    let mut hasher = head(parts);
    hasher.update(body_sha256);
    hex(&hasher.finalize())
}

fn head(parts: &Parts) -> Sha256 {
    let mut hasher = Sha256::new();
    let if_match = parts.headers.get(header::IF_MATCH).map(HeaderValue::as_bytes).unwrap_or_default();
    for part in [parts.method.as_str().as_bytes(), parts.uri.to_string().as_bytes(), if_match] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher
}

/// A request with a key.
pub(super) struct Asked {
    document: String,
    request: String,
}

/// What is known of it.
pub(super) enum Begun {
    /// It was answered before: so.
    Before(Response),
    /// It is new.
    New(Place),
}

/// A request under way.
pub(super) struct Place {
    asked: Asked,
    under_way: UnderWay,
}

/// What of an answer is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// All of it.
    Whole,
    /// That it was given: it holds a secret.
    WithoutSecret,
}

impl Asked {
    /// Another user's key is another key.
    pub(super) fn new(principal: &Principal, key: &str, request: String) -> Self {
        let document = hex(&Sha256::digest(format!("{}\0{key}", principal.user)));
        Self { document, request }
    }

    pub(super) async fn begin(self, admin: &Admin) -> Result<Begun, Problem> {
        // First the place, then the look: whoever finishes between the two is seen.
        if !admin.under_way().0.lock().insert(self.document.clone()) {
            return Err(Problem::new(&codes::UNDER_WAY, "The first one is not answered yet.").retry_after_s(1));
        }
        let place = Place { under_way: admin.under_way().clone(), asked: self };
        let kept: Option<Kept<IdempotencyDocument>> =
            admin.ledger().get(kinds::IDEMPOTENCY, &place.asked.document).await?;
        let Some(Kept { body: kept, .. }) = kept else { return Ok(Begun::New(place)) };
        if kept.request != place.asked.request {
            let problem =
                Problem::new(&codes::KEY_REUSED, "Method, path, If-Match or body differ from the first time.");
            return Err(problem.field("Idempotency-Key"));
        }
        replay(&kept).map(Begun::Before)
    }
}

fn replay(kept: &IdempotencyDocument) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let Some(body) = &kept.body else {
        let why = if kept.secret { "The token was shown then." } else { "Its answer was too large to be kept." };
        return Err(Problem::new(&codes::DONE_ALREADY, why).field("Idempotency-Key"));
    };
    let mut response = (status, body.clone()).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in &kept.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED_HEADER, HeaderValue::from_static("true"));
    Ok(response)
}

impl Place {
    /// Keeps a good answer. A refusal changed nothing and may be tried again with the same key.
    pub(super) async fn finish(self, admin: &Admin, response: Response, keep: Keep) -> Result<Response, Problem> {
        if !response.status().is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, ANSWER_READ_BYTES_MAX).await;
        let body = body.map_err(|error| Problem::internal("keeping an answer", error))?;
        let secret = keep == Keep::WithoutSecret;
        let document = IdempotencyDocument {
            request: self.asked.request.clone(),
            status: parts.status.as_u16(),
            headers: headers_of(&parts.headers),
            body: text_of(&body).filter(|_| !secret),
            secret,
        };
        let expires = UtcMs(admin.now_ms().saturating_add(time::ms(IDEMPOTENCY_KEPT)));
        let change =
            Change::new().put_until(kinds::IDEMPOTENCY, &self.asked.document, &document, Some(expires)).urgent();
        if let Err(problem) = admin.ledger().commit(change).await {
            // It was done: the answer goes out, and a second request will find what it did.
            tracing::warn!(%problem, "the answer to a write could not be kept for its repetition");
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.under_way.0.lock().remove(&self.asked.document);
    }
}

fn headers_of(headers: &HeaderMap) -> BTreeMap<String, String> {
    let kept = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];
    let pair = |name: HeaderName| Some((name.to_string(), headers.get(&name)?.to_str().ok()?.to_owned()));
    kept.into_iter().filter_map(pair).collect()
}

fn text_of(body: &Bytes) -> Option<String> {
    let fits = body.len() <= IDEMPOTENCY_ANSWER_BYTES_MAX;
    fits.then(|| std::str::from_utf8(body).ok().map(str::to_owned)).flatten()
}
