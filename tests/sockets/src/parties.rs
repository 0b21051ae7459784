//! Who is on the line: callers, operators, and the patience that tests have with them.

use gudok_phone::{Call, CallOptions, OnIncoming, Phone, PhoneConfig, TranscriptKind, tone};
use std::time::Duration;

/// How long a test waits for what should come at once; a busy machine takes its time.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Between two questions.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// A moment at which operators work; see [`crate::Engine::start_at`].
pub const NOON: &str = "2026-05-05T12:00:00+07:00";

/// A telephone to call with.
///
/// # Errors
/// Where no sockets are to be had.
pub async fn caller() -> anyhow::Result<Phone> {
    Ok(Phone::start(PhoneConfig::default()).await?)
}

/// A telephone that answers at once, with somebody who hums.
///
/// # Errors
/// Where no sockets are to be had.
pub async fn operator() -> anyhow::Result<Phone> {
    const HUM_MS: u32 = 20_000;
    let options = CallOptions { microphone: tone(&[440.0], HUM_MS), ..CallOptions::default() };
    let on_incoming = OnIncoming::Answer { after: Duration::ZERO };
    Ok(Phone::start(PhoneConfig { on_incoming, options, ..PhoneConfig::default() }).await?)
}

/// All that a caller heard so far, prompt by prompt.
#[must_use]
pub fn prompts(call: &Call) -> Vec<String> {
    call.transcript()
        .into_iter()
        .filter_map(|event| match event.kind {
            TranscriptKind::Prompt { text, .. } => Some(text),
            _ => None,
        })
        .collect()
}

/// Waits until the caller is put through to somebody.
///
/// # Errors
/// Where nobody answers.
pub async fn bridged(call: &Call) -> anyhow::Result<()> {
    bridged_within(call, PATIENCE).await
}

/// Waits so long until the caller is put through to somebody.
///
/// # Errors
/// Where nobody answers.
pub async fn bridged_within(call: &Call, limit: Duration) -> anyhow::Result<()> {
    let is_bridged = |kind: &TranscriptKind| matches!(kind, TranscriptKind::Other { event, .. } if event == "bridged");
    // A loop of its own: callers wait in tasks, where an async closure that borrows is not `Send`.
    let asking = async {
        let mut ticks = tokio::time::interval(ASK_EVERY);
        while !call.transcript().iter().any(|event| is_bridged(&event.kind)) {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(limit, asking).await.map_err(|_| anyhow::anyhow!("not in {limit:?}: put through"))
}

/// Asks again and again until the answer is yes: for what a program shows, but does not announce.
///
/// # Errors
/// Where it never is, or asking fails.
pub async fn until(what: &str, yes: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    until_within(PATIENCE, what, yes).await
}

/// Asks again and again for so long, until the answer is yes.
///
/// # Errors
/// Where it never is, or asking fails.
pub async fn until_within(
    limit: Duration,
    what: &str,
    mut yes: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(ASK_EVERY);
    let asking = async {
        loop {
            ticks.tick().await;
            if yes().await? {
                return Ok(());
            }
        }
    };
    tokio::time::timeout(limit, asking).await.map_err(|_| anyhow::anyhow!("not in {limit:?}: {what}"))?
}
