//! Asking the agency's back end over HTTP, with the patience of a call. Needs the capability "fetch".
//!
//! ```
//! # use gudok_sdk::prelude::*;
//! # use core::time::Duration;
//! #[derive(serde::Deserialize)]
//! struct Place { place: u32 }
//!
//! # fn script(call: &Call) -> Result<()> {
//! let request = Request::get("https://queue.example/places/17")
//!     .secret("queue-token")?
//!     .timeout(Duration::from_secs(3));
//! let place: Place = request.send_while(call, "Минуту, ищу вашу заявку.")?.success()?.json()?;
//! call.say(prompt!["Вы", ordinal(place.place), "в очереди."])?;
//! # Ok(()) }
//! ```

use crate::bindings::gudok::ivr::fetch;
pub use crate::bindings::gudok::ivr::fetch::Method;
use crate::bindings::gudok::ivr::secrets::{Secret, secret_named};
use crate::bindings::gudok::ivr::types::{CallError, Field};
use crate::call::millis;
use crate::prompt::IntoPrompt;
use crate::{Call, Result};
use core::time::Duration;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long a back end is waited for where the script does not say: a caller takes silence for a dropped call soon.
pub const TIMEOUT_DEFAULT_MS: u32 = 5_000;

/// A request before it is sent.
pub struct Request {
    inner: fetch::Request,
    secret: Option<Secret>,
}

/// What the back end answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<Field>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Request {
    /// A GET.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// A POST with a JSON body.
    ///
    /// # Errors
    /// [`CallError::Invalid`] for a value that has no JSON, such as a map with keys that are no strings.
    pub fn post(url: impl Into<String>, body: &impl Serialize) -> Result<Self> {
        let mut request = Self::new(Method::Post, url).header("content-type", "application/json");
        request.inner.body = serde_json::to_vec(body).map_err(|error| CallError::Invalid(format!("body: {error}")))?;
        Ok(request)
    }

    /// Any method, without a body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        let inner = fetch::Request {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: TIMEOUT_DEFAULT_MS,
            idempotency_key: None,
        };
        Self { inner, secret: None }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.inner.headers.push(Field { name: name.to_owned(), value: value.into() });
        self
    }

    /// With the secret of this name in the Authorization header; the script never sees it. Needs the capability
    /// "secrets": who never calls this does without it.
    ///
    /// # Errors
    /// [`CallError::Denied`] for a name that is not granted, [`CallError::NotFound`] for one that no admin has set.
    pub fn secret(mut self, name: &str) -> Result<Self> {
        self.secret = Some(secret_named(name)?);
        Ok(self)
    }

    /// For everything, from the first packet to the last byte.
    #[must_use]
    pub fn timeout(mut self, patience: Duration) -> Self {
        self.inner.timeout = millis(patience);
        self
    }

    /// Lets the back end see that two requests are one.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.inner.idempotency_key = Some(key.into());
        self
    }

    /// Sends it and waits.
    ///
    /// # Errors
    /// [`CallError::Timeout`], [`CallError::Unavailable`], and as every host call.
    pub fn send(self) -> Result<Response> {
        fetch::send(&self.inner, self.secret.as_ref()).map(Response::from)
    }

    /// Sends it, talks meanwhile, and waits for what is left.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_while(self, call: &Call, what: impl IntoPrompt) -> Result<Response> {
        let pending = fetch::start(&self.inner, self.secret.as_ref())?;
        call.say(what)?;
        let answered = pending.wait(self.inner.timeout)?;
        answered.map(Response::from).ok_or(CallError::Timeout)
    }
}

impl Response {
    /// The body of a response with a 2xx status.
    ///
    /// # Errors
    /// [`CallError::Unavailable`] for any other status.
    pub fn success(self) -> Result<Self> {
        if (200..300).contains(&self.status) {
            Ok(self)
        } else {
            Err(CallError::Unavailable(format!("the back end answered with status {}", self.status)))
        }
    }

    /// The response with a 2xx status; none with 404, which back ends answer for what they do not know.
    ///
    /// # Errors
    /// [`CallError::Unavailable`] for any other status.
    pub fn found(self) -> Result<Option<Self>> {
        if self.status == 404 { Ok(None) } else { self.success().map(Some) }
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`CallError::Unavailable`] for a body that is not what the script expects. The error names the place, not the
    /// text: it may be personal.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let what = match error.classify() {
                serde_json::error::Category::Data => "JSON of another shape",
                _ => "what is not JSON",
            };
            CallError::Unavailable(format!("the back end answered {what} (line {line}, column {column})"))
        })
    }
}

impl From<fetch::Response> for Response {
    fn from(response: fetch::Response) -> Self {
        Self { status: response.status, headers: response.headers, body: response.body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn only_2xx_is_success() {
        for (status, ok) in
            [(199, false), (200, true), (204, true), (299, true), (302, false), (404, false), (500, false)]
        {
            assert_eq!(response(status, "").success().is_ok(), ok, "{status}");
        }
    }

    #[test]
    fn what_is_not_known_is_no_fault() {
        assert!(matches!(response(404, "").found(), Ok(None)));
        assert!(matches!(response(200, "").found(), Ok(Some(_))));
        assert!(response(500, "").found().is_err());
        assert!(response(410, "").found().is_err());
    }

    #[test]
    fn rubbish_is_a_fault_of_the_back_end_and_is_not_repeated() {
        for body in ["", "<html>", "{\"place\":", "{\"place\":\"Иванов\"}", "{}"] {
            let result: Result<std::collections::HashMap<String, u32>> = response(200, body).json();
            if body == "{}" {
                assert!(result.is_ok());
                continue;
            }
            let Err(CallError::Unavailable(text)) = result else { unreachable!("{body} was read") };
            assert!(!text.contains("Иванов"), "{text}");
        }
    }
}
