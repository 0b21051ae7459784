//! Writes by cookie come from our own pages only: the cookie is `SameSite=Strict`, the browser's own word on where a
//! request comes from is heeded, and a token that another site cannot know must come along.

use super::{SESSION_COOKIE, session_cookie};
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use axum::http::{HeaderMap, HeaderName, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The header field that carries the token.
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// The form field that carries the token.
pub const CSRF_FIELD: &str = "csrf";
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A session's token: a hash of its cookie, so that it needs no place of its own and does not tell the cookie.
#[must_use]
pub fn token_of(cookie: &Redacted) -> Redacted {
    let mut hasher = Sha256::new();
    hasher.update(b"gudok csrf\0");
    hasher.update(cookie.reveal().as_bytes());
    Redacted::new(URL_SAFE_NO_PAD.encode(hasher.finalize()))
}

/// What a request must show before it may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing: it reads, or it carries a token of its own.
    Passed,
    /// This, in the header or in the form.
    Needs(Redacted),
}

/// Looks at a request's head.
///
/// # Errors
/// `csrf`, where another site sent it or its header carries a wrong token.
pub(crate) fn look(method: &Method, headers: &HeaderMap) -> Result<Check, Problem> {
    if method.is_safe() || headers.contains_key(header::AUTHORIZATION) {
        return Ok(Check::Passed);
    }
    same_origin(headers)?;
    let Some(cookie) = session_cookie(headers) else { return Ok(Check::Passed) };
    let expected = token_of(&cookie);
    match headers.get(CSRF_HEADER) {
        Some(found) if is(found.to_str().unwrap_or_default(), &expected) => Ok(Check::Passed),
        Some(_) => Err(refused("The X-CSRF-Token is not this session's.")),
        None => Ok(Check::Needs(expected)),
    }
}

pub(crate) fn is(found: &str, expected: &Redacted) -> bool {
    Redacted::new(found.to_owned()) == *expected
}

pub(crate) fn refused(detail: &str) -> Problem {
    Problem::new(&codes::CSRF, detail).field("X-CSRF-Token")
}

fn same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(&FETCH_SITE).is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(refused("The browser says that another site sent this."));
    }
    let Some(origin) = text(&header::ORIGIN) else { return Ok(()) };
    let host = text(&header::HOST).unwrap_or_default();
    let of_origin = origin.split_once("://").map_or("", |(_, rest)| rest);
    if !host.is_empty() && of_origin.eq_ignore_ascii_case(host) {
        Ok(())
    } else {
        Err(refused("The Origin is not this engine."))
    }
}

/// The header that gives a browser its session.
#[must_use]
pub fn set_cookie(cookie: &Redacted, life_s: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Strict{secure}", cookie.reveal())
}

/// The header that takes it back.
#[must_use]
pub fn clear_cookie(secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn a_cookies_write_needs_its_token_and_our_own_page() {
        let cookie = Redacted::new("c".repeat(43));
        let token = token_of(&cookie);
        let with = |more: &[(&str, &str)]| {
            let cookie = format!("{SESSION_COOKIE}={}", cookie.reveal());
            let mut all = vec![("cookie", cookie.as_str()), ("host", "127.0.0.1:8070")];
            all.extend_from_slice(more);
            look(&Method::POST, &headers(&all))
        };
        assert!(matches!(with(&[]), Ok(Check::Needs(_))));
        assert_eq!(with(&[("x-csrf-token", token.reveal())]).unwrap(), Check::Passed);
        assert!(with(&[("x-csrf-token", "wrong")]).is_err());
        assert!(with(&[("origin", "http://evil.example"), ("x-csrf-token", token.reveal())]).is_err());
        assert!(with(&[("sec-fetch-site", "cross-site"), ("x-csrf-token", token.reveal())]).is_err());
        assert!(with(&[("origin", "http://127.0.0.1:8070"), ("x-csrf-token", token.reveal())]).is_ok());
        assert_eq!(look(&Method::GET, &headers(&[])).unwrap(), Check::Passed);
    }
}
