//! Story 2, forty seconds. 20 callers press 0, 5 operators are logged in. Each has an operator, a callback or a peer by
//! second 40; the histogram agrees with the call records.

use anyhow::{Context, ensure};
use gudok_phone::{Call, CallOptions, Phone, PhoneConfig, tone};
use gudok_sockets::parties::{self, NOON, PATIENCE, until};
use gudok_sockets::{Api, centre};
use gudok_stories::Story;
use gudok_stories::desks::{self, Desk, QUEUE, QueueRules};
use serde_json::Value;
use std::time::{Duration, Instant};

const CALLERS: u32 = 20;
const OPERATORS: usize = 5;
/// Longer than a caller's whole wait may be, for most: not everybody can have an operator in time.
const TALK: Duration = Duration::from_secs(18);
const WAIT_MAX: Duration = Duration::from_secs(40);
/// From the key to the queue, and for a machine under test.
const SLACK: Duration = Duration::from_secs(4);
const VOICE_MS: u32 = 60_000;

/// What a caller got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Got {
    Operator,
    Callback,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_past_forty_seconds_without_an_offer() -> anyhow::Result<()> {
    let mut desks = Vec::new();
    for at in 0..OPERATORS {
        desks.push(Desk::open(&format!("operator-{at}"), TALK).await?);
    }
    // Callbacks of this story are not due before it is over: nobody answers the trunk.
    let city = Phone::start(PhoneConfig { bind: desks::ELSEWHERE, ..PhoneConfig::default() }).await?;
    let trunk = format!("[[trunk]]\nname = \"city\"\nproxy = {:?}\n", city.local_addr().to_string());
    let rules = QueueRules { callback_trunk: Some("city"), ..QueueRules::default() };
    let story = Story::with(NOON, |back_end| Ok(desks::config(back_end, &rules, &desks)?.extra(&trunk))).await?;
    let api = story.engine.api()?;
    for desk in &desks {
        desk.log_in(&api).await?;
    }

    let callers: Vec<_> = (0..CALLERS).map(|at| tokio::spawn(caller(at, story.engine.uri(centre::NUMBER)))).collect();
    let mut got = Vec::new();
    for caller in callers {
        let (what, took) = caller.await??;
        ensure!(took < WAIT_MAX + SLACK, "{what:?} after {took:?}");
        got.push(what);
    }
    ensure!(got.contains(&Got::Operator), "nobody had an operator: {got:?}");
    ensure!(got.contains(&Got::Callback), "nobody was offered a callback, so the limit was not tried: {got:?}");
    until("every call is over", async || Ok(api.list("/calls").await?.is_empty())).await?;

    records_agree(&api, &got).await?;
    for desk in &desks {
        desk.was_well_treated()?;
        let mut talks = desk.talks();
        talks.sort_by_key(|talk| talk.rang);
        for pair in talks.windows(2) {
            ensure!(pair[0].rang + pair[0].talked <= pair[1].rang, "{} had two callers at once", desk.name);
        }
    }
    story.was_well_behaved()
}

/// Presses 0, waits, and takes whatever comes first; a callback that is offered is taken.
async fn caller(at: u32, uri: String) -> anyhow::Result<(Got, Duration)> {
    let phone: Phone = parties::caller().await?;
    let from_user = format!("+7913555{:04}", 1_000 + at);
    let options = CallOptions { from_user, microphone: tone(&[600.0], VOICE_MS), ..CallOptions::default() };
    let call = phone.call(&uri, options).await?;
    call.heard("Здравствуйте", PATIENCE).await?;
    call.press("0")?;
    let pressed = Instant::now();
    let got = tokio::select! {
        answered = talks(&call) => { answered?; Got::Operator }
        offered = call.heard("Мы можем вам перезвонить", WAIT_MAX + SLACK) => { offered?; Got::Callback }
    };
    let took = pressed.elapsed();
    if got == Got::Callback {
        call.press("1")?;
        tokio::select! {
            promised = call.heard("Мы вам перезвоним", PATIENCE) => { promised?; }
            // Free at the very moment: an operator is better than a promise.
            answered = talks(&call) => { answered?; }
        }
    }
    call.wait_ended(TALK + PATIENCE).await?;
    Ok((got, took))
}

/// Done when the caller is put through.
async fn talks(call: &Call) -> anyhow::Result<()> {
    parties::bridged_within(call, WAIT_MAX + SLACK).await
}

async fn records_agree(api: &Api, got: &[Got]) -> anyhow::Result<()> {
    let records = api.cdrs().await?;
    // The calls of the callbacks are not these callers' waits.
    let of_a_caller = |record: &&Value| record["began"]["leg"] == 0 && record["began"]["direction"] == "inbound";
    let waits: Vec<&Value> = records.iter().filter(of_a_caller).map(|record| &record["ended"]["queue"]).collect();
    ensure!(waits.len() == got.len(), "{} callers, {} waits in the records", got.len(), waits.len());
    for wait in &waits {
        ensure!(wait["queue"] == QUEUE, "{wait}");
        let waited_ms = wait["waited_ms"].as_u64().with_context(|| wait.to_string())?;
        let acted = !wait["acted_ms"].is_null();
        ensure!(acted || Duration::from_millis(waited_ms) <= WAIT_MAX, "nothing was done by second 40: {wait}");
    }

    // The report's histogram counts the same waits.
    let report = api.read("/reports").await?;
    let counted: u64 = report["waits"]["histogram"]
        .as_array()
        .with_context(|| report.to_string())?
        .iter()
        .filter_map(|bar| bar["waits"].as_u64())
        .sum();
    ensure!(report["waits"]["limit_kept"] == report["waits"]["offered"], "{}", report["waits"]);
    ensure!(counted == waits.len() as u64, "{counted} waits in the histogram, {} in the records", waits.len());
    Ok(())
}
