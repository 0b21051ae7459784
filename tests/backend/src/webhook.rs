//! An agency's end of the webhook: takes tickets in, each once under its key, if their signature is right
//! (Standard Webhooks: HMAC-SHA256 over id, timestamp and body).

use crate::{Backend, lock};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde_json::Value;
use sha2::Sha256;
use std::collections::BTreeMap;

/// Keys that are remembered; more are refused.
const KEYS_MAX: usize = 100_000;
/// Bodies that are kept for who looks; of later ones only the key is.
const BODIES_MAX: usize = 1_000;
/// Where nobody gives another.
pub(crate) const SECRET_DEFAULT: &str = "whsec_c2FtcGxlLXdlYmhvb2stc2VjcmV0";

/// What came in.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    by_key: BTreeMap<String, Delivery>,
    refused: u64,
}

/// What came under one key.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Delivery {
    /// How often.
    pub times: u32,
    /// What, the first time.
    pub body: Option<Value>,
    /// Something else came under the same key later.
    pub changed: bool,
    #[serde(skip)]
    sha256: [u8; 32],
}

/// The inbox in figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct InboxFigures {
    /// Different keys.
    pub keys: usize,
    /// Deliveries in all, those that came again too.
    pub deliveries: u64,
    /// Keys under which something else came later.
    pub changed: usize,
    /// Without a right signature.
    pub refused: u64,
}

impl Backend {
    /// With another secret for the webhook, "whsec_…" or any text.
    #[must_use]
    pub fn webhook_secret(mut self, secret: &str) -> Self {
        self.webhook_secret = secret.trim().into();
        self
    }

    /// What came under a key.
    #[must_use]
    pub fn delivery(&self, key: &str) -> Option<Delivery> {
        lock(&self.inbox).by_key.get(key).cloned()
    }

    /// All that came, by key.
    #[must_use]
    pub fn deliveries(&self) -> BTreeMap<String, Delivery> {
        lock(&self.inbox).by_key.clone()
    }

    /// The inbox in figures.
    #[must_use]
    pub fn inbox(&self) -> InboxFigures {
        let inbox = lock(&self.inbox);
        InboxFigures {
            keys: inbox.by_key.len(),
            deliveries: inbox.by_key.values().map(|delivery| u64::from(delivery.times)).sum(),
            changed: inbox.by_key.values().filter(|delivery| delivery.changed).count(),
            refused: inbox.refused,
        }
    }
}

pub(crate) async fn receive(State(backend): State<Backend>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, timestamp) = (text("webhook-id"), text("webhook-timestamp"));
    let mut inbox = lock(&backend.inbox);
    let well_formed = !id.is_empty() && timestamp.parse::<u64>().is_ok();
    if !well_formed || !is_signed(&backend.webhook_secret, id, timestamp, &body, text("webhook-signature")) {
        inbox.refused += 1;
        tracing::warn!("webhook refused: no right signature");
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if inbox.by_key.len() >= KEYS_MAX && !inbox.by_key.contains_key(id) {
        return StatusCode::INSUFFICIENT_STORAGE.into_response();
    }
    let sha256: [u8; 32] = <Sha256 as sha2::Digest>::digest(&body).into();
    let keeps_body = inbox.by_key.len() < BODIES_MAX;
    let delivery = inbox.by_key.entry(id.to_owned()).or_insert_with(|| Delivery {
        body: if keeps_body { serde_json::from_slice(&body).ok() } else { None },
        sha256,
        ..Delivery::default()
    });
    delivery.times += 1;
    delivery.changed |= delivery.sha256 != sha256;
    StatusCode::NO_CONTENT.into_response()
}

pub(crate) async fn figures(State(backend): State<Backend>) -> Json<InboxFigures> {
    Json(backend.inbox())
}

pub(crate) async fn listed(State(backend): State<Backend>) -> Json<BTreeMap<String, Delivery>> {
    Json(backend.deliveries())
}

/// Whether one of the signatures in the header is right.
fn is_signed(secret: &str, id: &str, timestamp: &str, body: &[u8], header: &str) -> bool {
    let key = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).unwrap_or_default(),
        None => secret.as_bytes().to_vec(),
    };
    header.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).any(|signature| {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.verify_slice(&signature).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_right() {
        // From the specification of Standard Webhooks.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let (id, timestamp) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let check = |id: &str, body: &str, signature: &str, expected: bool| {
            assert_eq!(is_signed(secret, id, timestamp, body.as_bytes(), signature), expected, "{id} {signature}");
        };
        check(id, r#"{"test": 2432232314}"#, signature, true);
        check(id, r#"{"test": 2432232314}"#, &format!("v1a,x {signature}"), true);
        check(id, r#"{"test": 2432232315}"#, signature, false);
        check("msg_other", r#"{"test": 2432232314}"#, signature, false);
        check(id, r#"{"test": 2432232314}"#, "v1,", false);
        check(id, r#"{"test": 2432232314}"#, "", false);
    }
}
