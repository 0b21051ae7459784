//! Reading requests: body, query, path, revision. What is wrong is said in words, with the field, and never with the
//! value: it may be a secret in the wrong place.

use crate::limits::{BODY_BYTES_MAX, BODY_READ_MAX};
use crate::problem::{Problem, codes};
use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

const SAID_CHARS_MAX: usize = 300;

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

/// A JSON body that may be left out.
pub(crate) struct MaybeJson<T>(pub(crate) T);

/// The query; names that are not documented were refused before.
pub(crate) struct Params<T>(pub(crate) T);

/// The names in the path.
pub(crate) struct Named<T>(pub(crate) T);

/// The revision that the client saw: `If-Match`.
pub(crate) struct Seen(pub(crate) Option<u64>);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_type(request.headers())?;
        let bytes = read_body(request.into_body(), BODY_BYTES_MAX).await?;
        json(&bytes).map(Self)
    }
}

impl<S: Sync, T: DeserializeOwned + Default> FromRequest<S> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let typed = check_type(request.headers());
        let bytes = read_body(request.into_body(), BODY_BYTES_MAX).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        typed?;
        json::<Option<T>>(&bytes).map(|value| Self(value.unwrap_or_default()))
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::<T>::try_from_uri(&parts.uri).map(|Query(params)| Self(params)).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.split_once(": ").map_or(text.as_str(), |(_, text)| text);
            let (field, said) = match text.split_once(": ") {
                Some((field, said)) if !field.contains(' ') => (Some(field.to_owned()), said),
                _ => (named_in(text), text),
            };
            let problem = Problem::new(&codes::BAD_QUERY, spoken(said));
            match field {
                Some(field) => problem.field(field),
                None => problem,
            }
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(names)) => Ok(Self(names)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                use axum::extract::path::ErrorKind;
                let (field, said) = match error.kind() {
                    ErrorKind::DeserializeError { key, message, .. } => (Some(key.clone()), spoken(message)),
                    ErrorKind::ParseErrorAtKey { key, .. } => (Some(key.clone()), String::new()),
                    ErrorKind::InvalidUtf8InPathParam { key } => (Some(key.clone()), "It is not UTF-8.".to_owned()),
                    ErrorKind::Message(message) => (None, spoken(message)),
                    _ => (None, String::new()),
                };
                let said = if said.is_empty() { "It cannot be a name of its kind.".to_owned() } else { said };
                let problem = Problem::new(&codes::BAD_PATH, said);
                Err(match field {
                    Some(field) => problem.field(field),
                    None => problem,
                })
            }
            Err(error) => Err(Problem::internal("reading a path", error)),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Seen {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(header::IF_MATCH).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let bad = || {
            let problem = Problem::new(&codes::BAD_HEADER, "It is one ETag, such as \"7\".").field("If-Match");
            problem.remedy("Send the ETag that a GET answered; * would overwrite what nobody has looked at.")
        };
        if values.next().is_some() {
            return Err(bad());
        }
        let text = value.to_str().map_err(|_| bad())?.trim();
        let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let number = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        number.and_then(|number| number.parse().ok()).map(|seen| Self(Some(seen))).ok_or_else(bad)
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
        return Ok(());
    }
    let problem = Problem::new(&codes::UNSUPPORTED_TYPE, "The body is read as JSON only.").field("Content-Type");
    Err(problem.remedy("Send Content-Type: application/json."))
}

/// A whole body, within limits of size and time.
pub(crate) async fn read_body(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(&codes::TOO_LARGE, format!("The body has more than {bytes_max} bytes."));
    let read = async {
        let mut stream = body.into_data_stream();
        let mut all = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| Problem::new(&codes::TIMEOUT, "The body broke off."))?;
            if all.len() + chunk.len() > bytes_max {
                return Err(too_large());
            }
            all.extend_from_slice(&chunk);
        }
        Ok(Bytes::from(all))
    };
    match tokio::time::timeout(BODY_READ_MAX, read).await {
        Ok(read) => read,
        Err(_) => Err(Problem::new(&codes::TIMEOUT, "The body did not arrive in time.")),
    }
}

/// Reads JSON; what is wrong is said without the value.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read: Result<T, _> = serde_path_to_error::deserialize(&mut reader);
    let value = read.map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if !inner.is_data() {
            return syntax(&inner);
        }
        let message = inner.to_string();
        // The path names a field that is there; one that is missing is told by its parent's path and the message.
        let field = match named_in(&message).filter(|_| message.starts_with("missing")) {
            Some(name) if path == "." => name,
            Some(name) => format!("{path}.{name}"),
            None => path,
        };
        Problem::new(&codes::INVALID, spoken(&message)).field(field)
    })?;
    reader.end().map_err(|error| syntax(&error))?;
    Ok(value)
}

fn syntax(error: &serde_json::Error) -> Problem {
    let detail = format!("It stops being JSON at line {}, column {}.", error.line(), error.column());
    Problem::new(&codes::BAD_JSON, detail)
}

/// Of "missing field `x`" and its like, the field.
fn named_in(message: &str) -> Option<String> {
    let about_a_field = ["missing field `", "unknown field `", "duplicate field `"];
    let rest = about_a_field.iter().find_map(|prefix| message.strip_prefix(prefix))?;
    rest.split('`').next().map(|name| name.chars().take(64).collect())
}

/// What serde says, for people, without the value that it says it of.
fn spoken(message: &str) -> String {
    let message = match message.rfind(" at line ") {
        Some(at) => &message[..at],
        None => message,
    };
    let message = message.strip_prefix("invalid-field: ").unwrap_or(message);
    if let Some(name) = named_in(message) {
        let what = message.split(' ').next().unwrap_or_default();
        let known = message
            .split_once("expected ")
            .map(|(_, known)| format!(" There is {}.", known.trim_start_matches("one of ")));
        return format!("The field `{name}` is {what} here.{}", known.unwrap_or_default());
    }
    let of_a_value = ["invalid type", "invalid value", "invalid length", "unknown variant"];
    if of_a_value.iter().any(|start| message.starts_with(start)) {
        let expected = message.rsplit_once("expected ").map_or("something else", |(_, expected)| expected);
        return format!("It must be {}.", expected.trim_start_matches("one of "));
    }
    message.chars().take(SAID_CHARS_MAX).collect()
}

/// Name and value of a query or a form, decoded; nothing where it is not one.
pub(crate) fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    let Ok(text) = std::str::from_utf8(encoded) else { return Vec::new() };
    // A URI is what the decoder at hand reads; a form has the same form as its query.
    let escaped: String =
        text.chars().map(|c| if c.is_ascii_graphic() && c != '#' { c.to_string() } else { "%20".into() }).collect();
    let Ok(uri) = format!("/?{escaped}").parse::<Uri>() else { return Vec::new() };
    Query::<Vec<(String, String)>>::try_from_uri(&uri).map(|Query(pairs)| pairs).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        #[expect(dead_code, reason = "only read")]
        password: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        count: u8,
    }

    #[test]
    fn what_is_wrong_is_said_without_the_value() {
        let check = |body: &str, code: &str, field: Option<&str>| {
            let problem = json::<Thing>(body.as_bytes()).unwrap_err();
            assert_eq!((problem.code(), problem.at()), (code, field), "{problem}");
            assert!(!problem.to_string().contains("4711"), "{problem}");
        };
        check("{\"password\": 4711}", "invalid-field", Some("password"));
        check("{\"password\": \"x\", \"count\": 4711}", "invalid-field", Some("count"));
        check("{\"password\": \"x\", \"count\": \"4711\"}", "invalid-field", Some("count"));
        check("{}", "invalid-field", Some("password"));
        check("{\"passwort\": \"4711\"}", "invalid-field", Some("passwort"));
        check("{\"password\": \"4711\"", "bad-json", None);
        check("{\"password\": \"4711\"} {}", "bad-json", None);
        check("", "bad-json", None);
        check("[\"4711\", 4711]", "invalid-field", Some("[1]"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let stream = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let problem = read_body(Body::from_stream(stream), 100).await.unwrap_err();
        assert!(problem.is(&codes::TIMEOUT), "{problem}");
        let broken = futures_util::stream::iter([Ok(Bytes::from("{")), Err(std::io::Error::other("gone"))]);
        let problem = read_body(Body::from_stream(broken), 100).await.unwrap_err();
        assert!(problem.is(&codes::TIMEOUT), "{problem}");
    }

    #[test]
    fn forms_are_decoded() {
        let pairs = pairs("csrf=a%2Bb+c&user=анна".as_bytes());
        assert_eq!(pairs[0], ("csrf".to_owned(), "a+b c".to_owned()));
        assert_eq!(super::pairs(b"a=1&a=2").len(), 2);
        assert!(super::pairs(&[0xff, 0xfe]).is_empty());
    }
}
