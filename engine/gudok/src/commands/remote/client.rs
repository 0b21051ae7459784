//! The admin API over HTTP: one place for the token, retries, idempotency, revisions and problems.

use super::credentials::{Server, is_loopback};
use super::events::Events;
use super::failure::{Failure, Problem};
use super::fields;
use super::terminal::Progress;
use anyhow::Context;
use bytes::Bytes;
use rand::Rng;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Where the API begins.
const API: [&str; 2] = ["api", "v1"];
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// An answer to an ordinary question.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// A bundle is compiled and run in the simulator before the engine answers.
const UPLOAD_MAX: Duration = Duration::from_secs(900);
/// A list of a million rows is read in about a minute; a slow line takes longer.
const LIST_MAX: Duration = Duration::from_secs(4 * 3_600);
/// A bundle has at most so many bytes (docs/BUNDLE.md).
pub(crate) const UPLOAD_BYTES_MAX: u64 = 256 * 1_024 * 1_024;
/// Of a bundle, so much is handed to the network at once.
const UPLOAD_CHUNK_BYTES: usize = 64 * 1_024;
/// An answer that is read into memory.
const ANSWER_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// An answer that is no refusal.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The document's revision, in quotes as it came.
    pub(crate) etag: Option<String>,
    /// Where the next page begins, of a list that is no JSON.
    pub(crate) next: Option<String>,
    /// As it came.
    pub(crate) body: String,
}

impl Answer {
    /// The body's document.
    pub(crate) fn json(&self) -> Result<Value, Failure> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        let document: Value = serde_json::from_str(&self.body).context("the engine's answer is no JSON")?;
        // Whatever is read or changed in it later relies on that.
        if !document.is_object() {
            return Err(Failure::Failed(anyhow::anyhow!("the engine's answer is no JSON object")));
        }
        Ok(document)
    }
}

/// A request that changes something.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    method: Method,
    path: &'a [&'a str],
    body: Option<Value>,
    if_match: Option<String>,
    keyed: bool,
}

impl<'a> Write<'a> {
    /// POST without body.
    pub(crate) fn post(path: &'a [&'a str]) -> Self {
        Self { method: Method::POST, path, body: None, if_match: None, keyed: true }
    }

    /// PUT of a document.
    pub(crate) fn put(path: &'a [&'a str], body: Value) -> Self {
        Self { method: Method::PUT, body: Some(body), ..Self::post(path) }
    }

    /// DELETE.
    pub(crate) fn delete(path: &'a [&'a str]) -> Self {
        Self { method: Method::DELETE, ..Self::post(path) }
    }

    /// With a document.
    pub(crate) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Only if the document is still as it was shown.
    pub(crate) fn if_match(self, etag: Option<String>) -> Self {
        Self { if_match: etag, ..self }
    }

    /// Without an idempotency key: logging in and out, which change nothing when they are done twice.
    pub(crate) fn without_key(self) -> Self {
        Self { keyed: false, ..self }
    }
}

/// A way to an engine.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: Url,
    token: Option<String>,
}

impl Client {
    /// To an engine that knows who asks.
    pub(crate) fn logged_in(server: &Server) -> Result<Self, Failure> {
        if server.token.is_none() {
            let url = server.url.as_str().trim_end_matches('/');
            return Err(Failure::NotConnected(format!(
                "nobody is logged in at {url}: gudok login --url {url}, or set GUDOK_URL and GUDOK_TOKEN"
            )));
        }
        Self::new(server)
    }

    /// To an engine.
    pub(crate) fn new(server: &Server) -> Result<Self, Failure> {
        // Somebody may have installed one before; ours is not better.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("gudok-cli/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_MAX)
            // A redirect would carry the token to where nobody meant it to go.
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&server.url) {
            builder = builder.no_proxy();
        }
        if let Some(path) = &server.ca {
            let pem = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            let ca = reqwest::Certificate::from_pem(&pem).with_context(|| format!("{} is no PEM", path.display()))?;
            builder = builder.tls_built_in_root_certs(false).add_root_certificate(ca);
        }
        let http = builder.build().context("preparing HTTP")?;
        Ok(Self { http, url: server.url.clone(), token: server.token.clone() })
    }

    /// The engine's address.
    pub(crate) fn address(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Asks.
    pub(crate) async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer, Failure> {
        answer(self.send(|| self.request(Method::GET, path, query).timeout(ANSWER_MAX)).await?).await
    }

    /// Asks for what may not be there.
    pub(crate) async fn find(&self, path: &[&str]) -> Result<Option<Answer>, Failure> {
        match self.get(path, &[]).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Refused(problem)) if problem.status == 404 => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Changes something, once: a second try after a broken connection carries the same key.
    pub(crate) async fn write(&self, write: Write<'_>) -> Result<Answer, Failure> {
        let mut headers = HeaderMap::new();
        if write.keyed {
            headers.insert("idempotency-key", idempotency_key());
        }
        if let Some(etag) = &write.if_match {
            headers.insert(header::IF_MATCH, HeaderValue::from_str(etag).context("the revision is no header value")?);
        }
        let body = write.body.as_ref().map(Value::to_string);
        let response = self.send(|| {
            let request =
                self.request(write.method.clone(), write.path, &[]).headers(headers.clone()).timeout(ANSWER_MAX);
            match &body {
                Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(body.clone()),
                None => request,
            }
        });
        answer(response.await?).await
    }

    /// Sends a file, and says how far it is.
    pub(crate) async fn upload(&self, path: &[&str], query: &[(&str, String)], file: Bytes) -> Result<Answer, Failure> {
        let key = idempotency_key();
        let response = self.send(|| {
            self.request(Method::POST, path, query)
                .header("idempotency-key", key.clone())
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .header(header::CONTENT_LENGTH, file.len())
                .body(with_progress(file.clone()))
                .timeout(UPLOAD_MAX)
        });
        answer(response.await?).await
    }

    /// Sends a small file that the engine reads at once. Sent twice it does the same.
    pub(crate) async fn send_file(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        kind: &'static str,
        file: Bytes,
    ) -> Result<Answer, Failure> {
        let response = self.send(|| {
            self.request(Method::POST, path, query)
                .header(header::CONTENT_TYPE, kind)
                .body(file.clone())
                .timeout(UPLOAD_MAX)
        });
        answer(response.await?).await
    }

    /// Sends a list of any length, piece by piece; `-` is standard input. Not sent again where the connection breaks: who
    /// sends the list once more adds nobody twice.
    pub(crate) async fn send_list(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        kind: &'static str,
        from: &Path,
    ) -> Result<Answer, Failure> {
        let (file, whole): (Box<dyn AsyncRead + Send + Unpin>, Option<u64>) = if from.as_os_str() == "-" {
            (Box::new(tokio::io::stdin()), None)
        } else {
            let wrong = |error: std::io::Error| Failure::Usage(format!("{}: {error}", from.display()));
            let file = tokio::fs::File::open(from).await.map_err(wrong)?;
            let whole = file.metadata().await.map_err(wrong)?;
            if whole.is_dir() {
                return Err(Failure::Usage(format!("{} is a folder", from.display())));
            }
            (Box::new(file), Some(whole.len()))
        };
        let request = self
            .request(Method::POST, path, query)
            .header(header::CONTENT_TYPE, kind)
            .body(reqwest::Body::wrap_stream(pieces(file, whole)))
            .timeout(LIST_MAX);
        answer(request.send().await.map_err(|error| self.broken(&error))?).await
    }

    /// Fetches a file to a place; `-` is standard output.
    pub(crate) async fn download(&self, path: &[&str], query: &[(&str, String)], to: &Path) -> Result<u64, Failure> {
        let request = || self.request(Method::GET, path, query).timeout(UPLOAD_MAX);
        let mut response = refused_or(self.send(request).await?).await?;
        let mut out: Box<dyn std::io::Write> = if to.as_os_str() == "-" {
            Box::new(gudok_workbench::out::stdout())
        } else {
            Box::new(std::fs::File::create(to).with_context(|| format!("creating {}", to.display()))?)
        };
        let mut bytes = 0;
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(&error))? {
            out.write_all(&chunk).with_context(|| format!("writing {}", to.display()))?;
            bytes += chunk.len() as u64;
        }
        out.flush().with_context(|| format!("writing {}", to.display()))?;
        Ok(bytes)
    }

    /// What happens from now on.
    pub(crate) fn events(&self, query: Vec<(&'static str, String)>) -> Events {
        Events::new(self.clone(), query)
    }

    /// Opens the stream of events, behind the last one that was seen.
    pub(super) async fn open_events(
        &self,
        query: &[(&'static str, String)],
        last_id: Option<&str>,
    ) -> Result<Response, Failure> {
        let mut request = self.request(Method::GET, &["events"], query).header(header::ACCEPT, "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        refused_or(request.send().await.map_err(|error| self.broken(&error))?).await
    }

    fn request(&self, method: Method, path: &[&str], query: &[(&str, String)]) -> RequestBuilder {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(API).extend(path);
        }
        let mut request = self.http.request(method, url).query(query);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request
    }

    /// Sends; a connection that breaks is tried once more.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Failure> {
        match request().send().await {
            Ok(response) => Ok(response),
            Err(error) if error.is_timeout() || error.is_builder() => Err(self.broken(&error)),
            Err(_) => request().send().await.map_err(|error| self.broken(&error)),
        }
    }

    pub(super) fn broken(&self, error: &reqwest::Error) -> Failure {
        let mut causes = Vec::new();
        let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
        while let Some(at) = cause {
            causes.push(at.to_string());
            cause = at.source();
        }
        let why = causes.last().cloned().unwrap_or_else(|| error.to_string());
        let why = if error.is_timeout() { "no answer in time".to_owned() } else { why };
        Failure::NotConnected(format!("{} does not answer: {why}. Does the engine run there?", self.address()))
    }
}

/// 128 bits: no two requests have the same.
fn idempotency_key() -> HeaderValue {
    let key = format!("cli-{:032x}", rand::rng().random::<u128>());
    HeaderValue::from_str(&key).unwrap_or(HeaderValue::from_static("cli"))
}

fn with_progress(file: Bytes) -> reqwest::Body {
    let progress = Progress::new();
    let whole = file.len();
    let chunks = (0..whole.div_ceil(UPLOAD_CHUNK_BYTES)).map(move |at| {
        let end = whole.min((at + 1) * UPLOAD_CHUNK_BYTES);
        if end == whole {
            progress.tell("checking: signature, rights, media, compiling, a run in the simulator …");
        } else {
            progress.tell(&format!("sending {} of {}", fields::size(end as u64), fields::size(whole as u64)));
        }
        Ok::<_, std::io::Error>(file.slice(at * UPLOAD_CHUNK_BYTES..end))
    });
    reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
}

/// A list in pieces, with how far it is.
fn pieces(
    file: Box<dyn AsyncRead + Send + Unpin>,
    whole: Option<u64>,
) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send {
    let begun = (file, Progress::new(), 0_u64);
    futures_util::stream::try_unfold(begun, move |(mut file, progress, sent)| async move {
        let mut piece = vec![0; UPLOAD_CHUNK_BYTES];
        let read = file.read(&mut piece).await?;
        if read == 0 {
            progress.tell("reading the last rows …");
            return Ok(None);
        }
        piece.truncate(read);
        let sent = sent + read as u64;
        let of = whole.map(|whole| format!(" of {}", fields::size(whole))).unwrap_or_default();
        progress.tell(&format!("sending {}{of}", fields::size(sent)));
        Ok(Some((Bytes::from(piece), (file, progress, sent))))
    })
}

async fn refused_or(response: Response) -> Result<Response, Failure> {
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status().as_u16();
    let waits = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).map(String::from);
    let mut problem = Problem::read(status, &read(response).await?);
    if let Some(seconds) = waits.filter(|_| problem.remedy.is_empty()) {
        problem.remedy = format!("try again in {seconds} s");
    }
    if status == 401 && problem.remedy.is_empty() {
        problem.remedy = "log in again: gudok login".into();
    }
    Err(Failure::Refused(Box::new(problem)))
}

async fn answer(response: Response) -> Result<Answer, Failure> {
    let response = refused_or(response).await?;
    let field = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(String::from);
    let (etag, next) = (field("etag"), field("x-next-cursor"));
    Ok(Answer { etag, next, body: read(response).await? })
}

async fn read(mut response: Response) -> Result<String, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.context("reading the engine's answer")? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Failure::Failed(anyhow::anyhow!("the engine's answer is over {} MiB", ANSWER_BYTES_MAX >> 20)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(body).context("the engine's answer is not UTF-8")?)
}
