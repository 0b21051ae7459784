//! As much HTTP as asking a server on loopback takes. It sends what it is told, well-formed or not.

use anyhow::{Context, ensure};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest that an answer may take: an upload's waits for a compiler.
const ANSWER_MAX: Duration = Duration::from_secs(180);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The head, as it came.
    pub head: String,
    /// The body, as text.
    pub body: String,
    /// The body, as it came.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// A field of the head, by its name in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Itself, where the status is that one.
    ///
    /// # Errors
    /// Where it is another; with what the server said.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        ensure!(self.status == status, "{} instead of {status}: {}", self.status, self.body);
        Ok(self)
    }
}

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// Without a body and without more than the head must have.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// One more field of the head.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body of JSON.
    #[must_use]
    pub fn json(self, json: &serde_json::Value) -> Self {
        self.body("application/json", json.to_string().into_bytes())
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, kind: &str, bytes: Vec<u8>) -> Self {
        self.body = bytes;
        self.header("Content-Type", kind)
    }

    /// Asks.
    ///
    /// # Errors
    /// Where nobody answers, or not HTTP.
    pub async fn send(&self, server: SocketAddr) -> anyhow::Result<Answer> {
        let answer = tokio::time::timeout(ANSWER_MAX, self.exchange(server)).await;
        let asked = || format!("{} {}", self.method, self.path);
        answer.with_context(|| format!("no answer in {ANSWER_MAX:?}: {}", asked()))?.with_context(asked)
    }

    /// Asks, and gives what has come after that time, head and all: for answers that do not end.
    ///
    /// # Errors
    /// Where nobody answers.
    pub async fn begun(&self, server: SocketAddr, time: Duration) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(self.head(server).as_bytes()).await?;
        let mut bytes = Vec::new();
        // Whether it ends or goes on: what is there is there.
        let _ = tokio::time::timeout(time, stream.read_to_end(&mut bytes)).await;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn head(&self, server: SocketAddr) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if !self.body.is_empty() || self.method != "GET" {
            let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        }
        head + "\r\n"
    }

    async fn exchange(&self, server: SocketAddr) -> anyhow::Result<Answer> {
        let mut stream = TcpStream::connect(server).await?;
        let head = self.head(server);
        // A server that has read enough may answer and close before all of the body is sent.
        let sent = async {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&self.body).await
        };
        let sent = sent.await;
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes).await;
        if bytes.is_empty() {
            sent?;
            read?;
        }
        answer(&bytes)
    }
}

/// GET.
///
/// # Errors
/// Where nobody answers, or not HTTP.
pub async fn get(server: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    Request::new("GET", path).send(server).await
}

/// POST of JSON.
///
/// # Errors
/// Where nobody answers, or not HTTP.
pub async fn post(server: SocketAddr, path: &str, json: &str) -> anyhow::Result<Answer> {
    Request::new("POST", path).body("application/json", json.as_bytes().to_vec()).send(server).await
}

fn answer(bytes: &[u8]) -> anyhow::Result<Answer> {
    const END_OF_HEAD: &[u8] = b"\r\n\r\n";
    let end = bytes.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD).context("no HTTP answer")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split_whitespace().nth(1).context("no status")?.parse()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = &bytes[end + END_OF_HEAD.len()..];
    let bytes = if chunked { dechunked(body) } else { body.to_vec() };
    Ok(Answer { status, head, body: String::from_utf8_lossy(&bytes).into_owned(), bytes })
}

fn dechunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&body[..end]).ok().and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let rest = &body[end + 2..];
        let Some(chunk) = size.filter(|size| *size > 0).and_then(|size| rest.get(..size)) else { break };
        whole.extend_from_slice(chunk);
        body = rest[chunk.len()..].strip_prefix(b"\r\n").unwrap_or_default();
    }
    whole
}
