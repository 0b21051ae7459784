//! As much HTTP as asking a server on loopback takes.

use anyhow::Context;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The head, as it came.
    pub head: String,
    /// The body, as text.
    pub body: String,
}

/// GET.
///
/// # Errors
/// Where nobody answers, or not HTTP.
pub async fn get(server: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    ask(server, &format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n")).await
}

/// POST of JSON.
///
/// # Errors
/// Where nobody answers, or not HTTP.
pub async fn post(server: SocketAddr, path: &str, json: &str) -> anyhow::Result<Answer> {
    let length = json.len();
    ask(
        server,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{json}"
        ),
    )
    .await
}

async fn ask(server: SocketAddr, request: &str) -> anyhow::Result<Answer> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.split_whitespace().nth(1).context("no status")?.parse()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { dechunked(body) } else { body.to_owned() };
    Ok(Answer { status, head: head.to_owned(), body })
}

fn dechunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let Some(chunk) =
            usize::from_str_radix(size.trim(), 16).ok().filter(|size| *size > 0).and_then(|size| rest.get(..size))
        else {
            break;
        };
        whole.push_str(chunk);
        body = rest[chunk.len()..].trim_start_matches("\r\n");
    }
    whole
}
