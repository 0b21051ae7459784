//! One sending: body, signature, HTTP.
//!
//! By Standard Webhooks (standardwebhooks.com): `webhook-id` is the same in every attempt, `webhook-timestamp` is the
//! attempt's own, `webhook-signature` is `v1,` and the base64 of HMAC-SHA-256 over "id.timestamp.body". Recordings go by
//! link and hash, never in the body.

use super::Webhook;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gudok_admin::documents::TicketDocument;
use gudok_core::ids::Agency;
use gudok_core::outbox::SendOutcome;
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_plugin_host::ports::{FetchError, FetchMethod, FetchPort, FetchRequest, FetchResponse, OriginRule, Voucher};
use hmac::{Hmac, Mac};
use reqwest::Url;
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;

/// For a whole request.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Of the answer, which is not read further.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// What an agency may ask us to wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Before a secret that is written in base64.
const SECRET_PREFIX: &str = "whsec_";

/// One attempt.
pub(super) struct Sending<'a> {
    pub(super) agency: &'a Agency,
    pub(super) webhook: &'a Webhook,
    /// The same in every attempt.
    pub(super) key: &'a str,
    /// Seconds since 1970.
    pub(super) now_s: u64,
    pub(super) body: Vec<u8>,
}

/// What the agency gets. The same bytes in every attempt.
pub(super) fn body(ticket: &TicketDocument, contact: Option<&PhoneNumber>) -> Vec<u8> {
    let recordings: Vec<serde_json::Value> = ticket
        .recordings
        .iter()
        .map(|recording| {
            let call = ticket.call.as_deref().unwrap_or_default();
            serde_json::json!({
                "name": recording.name,
                "sha256": recording.sha256,
                "duration_ms": recording.duration_ms,
                "audio": format!("/api/v1/calls/{call}/recordings/{}", recording.name),
            })
        })
        .collect();
    let registered = gudok_store::UtcMs(ticket.created_ms).to_rfc3339();
    let entry = ticket.entry.as_ref().map(|id| serde_json::json!({ "id": id, "version": ticket.entry_version }));
    let body = serde_json::json!({
        "type": "ticket.registered",
        "timestamp": registered,
        "data": {
            "agency": ticket.agency,
            "number": ticket.number,
            "kind": ticket.kind,
            "registered": registered,
            "topic": ticket.topic,
            "text": ticket.text,
            "fields": ticket.fields,
            "contact": contact.map(PhoneNumber::reveal),
            "lang": ticket.lang,
            "municipality": ticket.municipality,
            "entry": entry,
            "call": ticket.call,
            "recordings": recordings,
            "registered_by": ticket.created_by,
        },
    });
    body.to_string().into_bytes()
}

/// `v1,` and the signature.
pub(super) fn signature(secret: &Secret, key: &str, now_s: u64, body: &[u8]) -> String {
    let plain = secret.reveal();
    let decoded = plain.strip_prefix(SECRET_PREFIX).and_then(|coded| STANDARD.decode(coded).ok());
    let bytes = decoded.unwrap_or_else(|| plain.as_bytes().to_vec());
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(&bytes).expect("HMAC takes a key of any length");
    mac.update(format!("{key}.{now_s}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Sends once. The admin who wrote the address vouches for it, and for nothing else: redirects are not followed, since
/// only what may be repeated follows them.
pub(super) async fn send(http: &dyn FetchPort, sending: Sending<'_>) -> SendOutcome {
    let failed = |status, problem: &str| SendOutcome::Failed { status, problem: problem.into(), retry_after: None };
    let Ok(url) = Url::parse(&sending.webhook.url) else { return failed(None, "the webhook's address is none") };
    let origin = url.origin();
    let headers = vec![
        ("content-type".to_owned(), "application/json; charset=utf-8".to_owned()),
        ("webhook-id".to_owned(), sending.key.to_owned()),
        ("webhook-timestamp".to_owned(), sending.now_s.to_string()),
        ("webhook-signature".to_owned(), signature(&sending.webhook.secret, sending.key, sending.now_s, &sending.body)),
    ];
    let request = FetchRequest {
        agency: sending.agency.clone(),
        method: FetchMethod::Post,
        url,
        headers,
        body: sending.body,
        timeout: TIMEOUT,
        authorization: None,
        response_bytes_max: ANSWER_BYTES_MAX,
        origins: OriginRule::new(move |url| (url.origin() == origin).then_some(Voucher::Admin)),
    };
    match http.fetch(request).await {
        Ok(answer) => outcome(&answer),
        // The agency has answered something that we do not want to read: whether it took the ticket is not known.
        Err(error @ (FetchError::TooLarge { .. } | FetchError::Broken { .. })) => failed(None, &error.to_string()),
        Err(error) => failed(None, &error.to_string()),
    }
}

fn outcome(answer: &FetchResponse) -> SendOutcome {
    let status = answer.status;
    let problem: Arc<str> = match status {
        200..=299 => return SendOutcome::Accepted { status },
        410 => return SendOutcome::Gone { problem: "the agency's system says 410: it wants no more of it".into() },
        300..=399 => {
            format!("the agency's system says {status}; redirects are not followed, write the new address").into()
        }
        _ => format!("the agency's system says {status}").into(),
    };
    SendOutcome::Failed { status: Some(status), problem, retry_after: retry_after(answer) }
}

/// In seconds; a date is rare, and our own waits do for it.
fn retry_after(answer: &FetchResponse) -> Option<Duration> {
    let (_, value) = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    let seconds: u64 = value.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_the_standard_says() {
        // The example of the Standard Webhooks reference libraries.
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let plain = signature(&Secret::new("a plain secret"), "k", 1, b"{}");
        assert!(plain.starts_with("v1,") && plain != signature(&Secret::new("another"), "k", 1, b"{}"));
    }

    #[test]
    fn answers_are_taken_for_what_they_mean() {
        let answer = |status, headers: &[(&str, &str)]| FetchResponse {
            status,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Vec::new(),
        };
        assert_eq!(outcome(&answer(204, &[])), SendOutcome::Accepted { status: 204 });
        assert!(matches!(outcome(&answer(410, &[])), SendOutcome::Gone { .. }));
        let busy = outcome(&answer(503, &[("Retry-After", "7")]));
        assert!(
            matches!(busy, SendOutcome::Failed { status: Some(503), retry_after: Some(wait), .. } if wait.as_secs() == 7)
        );
        let moved = outcome(&answer(301, &[("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")]));
        assert!(matches!(moved, SendOutcome::Failed { retry_after: None, .. }));
    }
}
