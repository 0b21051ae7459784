//! Server-sent events: what happens, as it happens. A connection that breaks is made anew behind the last event seen.

use super::client::Client;
use super::failure::Failure;
use reqwest::Response;
use std::time::Duration;

/// The engine sends a heartbeat every 15 s: after three missed ones nobody is there.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// Between two tries to connect.
const PAUSE: Duration = Duration::from_secs(1);
/// Tries in a row before giving up: an engine's restart takes less.
const TRIES_MAX: u32 = 60;
/// An event has at most so many bytes.
const EVENT_BYTES_MAX: usize = 1_024 * 1_024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    /// `call`, `deployment`, `log`.
    pub(crate) event: String,
    /// JSON.
    pub(crate) data: String,
}

/// Events, one after the other, for as long as somebody asks.
pub(crate) struct Events {
    client: Client,
    query: Vec<(&'static str, String)>,
    response: Option<Response>,
    parser: Parser,
    last_id: Option<String>,
}

impl Events {
    pub(super) fn new(client: Client, query: Vec<(&'static str, String)>) -> Self {
        Self { client, query, response: None, parser: Parser::default(), last_id: None }
    }

    /// Comes back when the engine tells.
    pub(crate) async fn connect(&mut self) -> Result<(), Failure> {
        let opened = self.open().await?;
        self.response = Some(opened);
        Ok(())
    }

    /// The next one; fails where the engine refuses, or is gone for a minute.
    pub(crate) async fn next(&mut self) -> Result<Frame, Failure> {
        loop {
            if let Some((id, frame)) = self.parser.next() {
                if id.is_some() {
                    self.last_id = id;
                }
                return Ok(frame);
            }
            let response = match &mut self.response {
                Some(response) => response,
                None => {
                    let opened = self.open().await?;
                    self.response.insert(opened)
                }
            };
            match tokio::time::timeout(SILENCE_MAX, response.chunk()).await {
                Ok(Ok(Some(bytes))) if self.parser.held() + bytes.len() <= EVENT_BYTES_MAX => self.parser.push(&bytes),
                Ok(Ok(Some(_))) => return Err(Failure::Failed(anyhow::anyhow!("an event of over 1 MiB"))),
                // Ended, broken or silent.
                _ => self.response = None,
            }
        }
    }

    /// Connects; the first try fails at once where nobody is there, later ones wait for an engine that restarts.
    async fn open(&mut self) -> Result<Response, Failure> {
        let again = self.parser.was_used();
        self.parser = Parser { used: true, ..Parser::default() };
        let mut tries = 0;
        loop {
            match self.client.open_events(&self.query, self.last_id.as_deref()).await {
                Err(Failure::NotConnected(_)) if again && tries < TRIES_MAX => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }
}

/// The wire's lines, made into events.
#[derive(Debug, Default)]
struct Parser {
    bytes: Vec<u8>,
    used: bool,
    id: Option<String>,
    event: String,
    data: Vec<String>,
}

impl Parser {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn held(&self) -> usize {
        self.bytes.len() + self.data.iter().map(String::len).sum::<usize>()
    }

    const fn was_used(&self) -> bool {
        self.used
    }

    /// The next whole event and its id.
    fn next(&mut self) -> Option<(Option<String>, Frame)> {
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if !line.is_empty() {
                self.field(line);
            } else if !self.data.is_empty() {
                let frame = Frame { event: std::mem::take(&mut self.event), data: self.data.join("\n") };
                self.data.clear();
                return Some((self.id.take(), frame));
            }
        }
        None
    }

    fn field(&mut self, line: &str) {
        // A line that begins with a colon is a heartbeat.
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.event),
            "data" => self.data.push(value.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_however_they_arrive() {
        let wire =
            ": heartbeat\n\nid: 7\nevent: call\ndata: {\"id\":\"а\"}\n\nevent: log\r\ndata: 1\r\ndata: 2\r\n\r\ndata";
        for step in [1, 2, 5, 1_000] {
            let mut parser = Parser::default();
            let mut seen = Vec::new();
            for chunk in wire.as_bytes().chunks(step) {
                parser.push(chunk);
                seen.extend(std::iter::from_fn(|| parser.next()));
            }
            let frame = |event: &str, data: &str| Frame { event: event.into(), data: data.into() };
            assert_eq!(
                seen,
                [(Some("7".into()), frame("call", "{\"id\":\"а\"}")), (None, frame("log", "1\n2"))],
                "in steps of {step}"
            );
            assert_eq!(parser.held(), 4);
        }
    }
}
