//! HTTP with the patience of a call: checks and accounts here, the network behind [`crate::ports::FetchPort`].

use super::{Pending, SecretHandle};
use crate::bindings::{fetch, types};
use crate::host_call::{Room, WaitsFor};
use crate::ports::{BoxFuture, FetchError, FetchMethod, FetchRequest, FetchResponse};
use crate::state::{CallState, Fetch};
use gudok_core::script::CallError;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Resource, ResourceType};

type Answer<T> = Result<T, types::CallError>;
type Params = (fetch::Request, Option<Resource<SecretHandle>>);

/// What the host writes into requests itself, or what would change their framing.
const HEADERS_OF_THE_HOST: [&str; 11] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "authorization",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
];

pub(super) fn link(room: &mut Room<'_>) -> wasmtime::Result<()> {
    room.instance.resource("pending", ResourceType::host::<Pending>(), |mut store, slot| {
        // Dropping the slot cancels the request.
        store.data_mut().fetches.remove(slot);
        Ok(())
    })?;
    room.waits("send", WaitsFor::BackEnd, send)?;
    room.answers("start", start)?;
    room.waits("[method]pending.wait", WaitsFor::BackEnd, wait)
}

fn send(state: &mut CallState, (request, auth): Params) -> BoxFuture<'_, Answer<fetch::Response>> {
    Box::pin(async move {
        let request = checked(state, request, auth.as_ref())?;
        let answer = state.ports.fetch.fetch(request).await;
        Ok(to_wit(answer)?)
    })
}

fn start(state: &mut CallState, (request, auth): Params) -> Answer<Resource<Pending>> {
    let max = state.limits().http_pending_max;
    if state.fetches.count() >= max as usize {
        return Err(CallError::Quota(format!("fetch: http_pending_max = {max} requests on their way")).into());
    }
    let request = checked(state, request, auth.as_ref())?;
    let runtime = tokio::runtime::Handle::try_current().map_err(|_| CallError::Internal("fetch-runtime".into()))?;
    let task = runtime.spawn(state.ports.fetch.fetch(request));
    Ok(Resource::new_own(state.fetches.insert(Fetch { task: Some(task) })))
}

fn wait(
    state: &mut CallState,
    (pending, timeout): (Resource<Pending>, u32),
) -> BoxFuture<'_, Answer<Option<fetch::Response>>> {
    Box::pin(async move {
        let ports = Arc::clone(&state.ports);
        let patience = Duration::from_millis(timeout.min(state.limits().http_ms_max).into());
        let slot = state.fetches.get_mut(pending.rep()).ok_or_else(|| CallError::Internal("fetch-slot".into()))?;
        let taken = || CallError::Invalid("the answer of this request was taken already".into());
        let task = slot.task.as_mut().ok_or_else(taken)?;
        let answer = tokio::select! {
            biased;
            answer = task => answer,
            () = ports.clock.sleep(patience) => return Ok(None),
        };
        slot.task = None;
        let answer = answer.map_err(|_| CallError::Internal("fetch-task".into()))?;
        Ok(Some(to_wit(answer)?))
    })
}

/// Grant, quota and form of a request. Counts it.
fn checked(
    state: &mut CallState,
    request: fetch::Request,
    auth: Option<&Resource<SecretHandle>>,
) -> Result<FetchRequest, CallError> {
    let limits = *state.limits();
    if state.usage.http_requests >= limits.http_requests_max {
        return Err(CallError::Quota(format!(
            "fetch: http_requests_max = {} requests of this call",
            limits.http_requests_max
        )));
    }
    let body_max = limits.http_request_kib_max;
    if request.body.len() > body_max as usize * 1024 {
        return Err(CallError::Quota(format!(
            "fetch: body has {} bytes; http_request_kib_max = {body_max}",
            request.body.len()
        )));
    }
    let url = parse_url(&state.reader().text("url", request.url)?)?;
    state.version.gate.origin(&url)?;
    let mut headers = parse_headers(state, &request.headers)?;
    if let Some(key) = request.idempotency_key {
        headers.push(header("idempotency-key".into(), state.reader().text("idempotency-key", key)?)?);
    }
    let authorization = match auth {
        Some(handle) => {
            Some(state.secrets.get(handle.rep()).ok_or_else(|| CallError::Internal("secret-slot".into()))?.clone())
        }
        None => None,
    };
    state.usage.http_requests += 1;
    Ok(FetchRequest {
        agency: state.info.agency.clone(),
        method: match request.method {
            fetch::Method::Get => FetchMethod::Get,
            fetch::Method::Head => FetchMethod::Head,
            fetch::Method::Post => FetchMethod::Post,
            fetch::Method::Put => FetchMethod::Put,
            fetch::Method::Patch => FetchMethod::Patch,
            fetch::Method::Delete => FetchMethod::Delete,
        },
        url,
        headers,
        body: request.body,
        timeout: Duration::from_millis(request.timeout.min(limits.http_ms_max).into()),
        authorization,
        response_bytes_max: u64::from(limits.http_response_kib_max) * 1024,
        origins: state.version.gate.origin_rule(),
    })
}

fn parse_url(text: &str) -> Result<Url, CallError> {
    // What exactly is wrong with it is not repeated: a URL may hold what must not be written down.
    let url = Url::parse(text).map_err(|error| CallError::Invalid(format!("url: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(CallError::Invalid("url: only http and https are spoken".into()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(CallError::Invalid("url: no user and password in it; use a secret as `auth`".into()));
    }
    Ok(url)
}

fn parse_headers(state: &CallState, fields: &[types::Field]) -> Result<Vec<(String, String)>, CallError> {
    let fields = state.reader().fields("headers", fields)?;
    fields.iter().map(|(name, value)| header(name.to_ascii_lowercase(), value.to_string())).collect()
}

/// A header field that a script may set, and that cannot end its line early.
fn header(name: String, value: String) -> Result<(String, String), CallError> {
    if HEADERS_OF_THE_HOST.contains(&name.as_str()) {
        return Err(CallError::Invalid(format!(
            "header {name} is written by the host; for authorization use a secret as `auth`"
        )));
    }
    if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(&value).is_err() {
        return Err(CallError::Invalid("a header's name or value has characters that HTTP does not allow".into()));
    }
    Ok((name, value))
}

fn to_wit(answer: Result<FetchResponse, FetchError>) -> Result<fetch::Response, CallError> {
    let answer = answer?;
    let headers = answer.headers.into_iter().map(|(name, value)| types::Field { name, value }).collect();
    Ok(fetch::Response { status: answer.status, headers, body: answer.body })
}

impl From<FetchError> for CallError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Timeout => Self::Timeout,
            FetchError::Unreachable { .. } | FetchError::Broken { .. } => Self::Unavailable(error.to_string()),
            FetchError::TooLarge { .. } => Self::Quota(error.to_string()),
            FetchError::RedirectNotGranted { .. } | FetchError::Forbidden { .. } => Self::Denied(error.to_string()),
            FetchError::Busy { .. } => Self::BusyResource(error.to_string()),
        }
    }
}
