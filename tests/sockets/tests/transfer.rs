//! Callers handed over: blind, attended and bridged, to another telephone and to SIPp; and back to the script, which says
//! so, where nobody takes them.

use anyhow::{Context, ensure};
use gudok_phone::{Call, CallOptions, EndReport, OnIncoming, OnRefer, Phone, PhoneConfig, tone};
use gudok_sockets::bundles::{changed, edit_manifest};
use gudok_sockets::clients::Sipp;
use gudok_sockets::parties::{self, NOON, PATIENCE};
use gudok_sockets::{ConfigBuilder, Engine};
use serde_json::Value;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;

const NUMBER: &str = "130";
/// What the caller hums, and what operators do (`parties::operator`).
const CALLER_HZ: f64 = 700.0;
const OPERATOR_HZ: f64 = 440.0;
const MODES: [(&str, &str); 4] = [("1", "blind"), ("2", "attended"), ("3", "bridge"), ("4", "bridge-and-back")];
/// Patience of the menu with a telephone that rings.
const RING_MS: u32 = 1_500;
/// How long two people talk.
const TALK: Duration = Duration::from_millis(800);
const SIPP_OPERATOR: &str = include_str!("scenarios/operator.xml");

/// An engine whose menu hands over in every mode to every group: 23 is mode 2 to the third group.
struct Exchange {
    engine: Engine,
    _folder: TempDir,
}

impl Exchange {
    async fn open(operators: &[SocketAddr]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let groups: Vec<String> = (1..=operators.len()).map(|group| format!("group{group}")).collect();
        let bundle = changed("centre", folder.path(), |files| {
            files.insert("data/menu.toml".into(), menu(&groups).into_bytes());
            edit_manifest(files, "[\"operators\"]", &format!("{groups:?}"));
            edit_manifest(files, "modes = [\"bridge\"]", "modes = [\"blind\", \"attended\", \"bridge\"]");
        })?;
        let mut config = ConfigBuilder::new().script("centre", "main", bundle, "approve = \"as-declared\"");
        for (group, at) in groups.iter().zip(operators) {
            let operator = format!("{{ name = {group:?}, address = \"sip:{group}@{at}\" }}");
            config = config.extra(&format!("[[group]]\nname = {group:?}\noperators = [{operator}]\n"));
        }
        let config = config.number(NUMBER, "centre", "main");
        Ok(Self { engine: Engine::start_at(&config, Some(NOON)).await?, _folder: folder })
    }

    /// Calls and asks for a transfer by the menu's keys.
    async fn ask(&self, caller: &Phone, keys: &str) -> anyhow::Result<Call> {
        let call = caller.call(&self.engine.uri(NUMBER), options()).await?;
        call.heard("Кого позвать", PATIENCE).await?;
        call.press(keys)?;
        Ok(call)
    }

    /// The records of the only call so far, by leg.
    async fn records(&self, legs: usize) -> anyhow::Result<Vec<Value>> {
        let mut records = self.engine.cdrs().await?;
        records.sort_by_key(|record| record["began"]["leg"].as_u64());
        ensure!(records.len() == legs, "{legs} legs: {records:?}");
        for record in &records {
            ensure!(record["began"]["chain_id"] == records[0]["began"]["chain_id"], "one chain: {records:?}");
        }
        for record in records.iter().skip(1) {
            ensure!(record["began"]["parent"]["leg"] == 0 && record["began"]["direction"] == "outbound", "{record}");
        }
        Ok(records)
    }
}

/// Every mode to every group, and words where nobody takes the caller.
fn menu(groups: &[String]) -> String {
    let (mut choices, mut nodes) = (String::new(), String::new());
    for (mode_key, mode) in MODES {
        for (at, group) in groups.iter().enumerate() {
            let _ = write!(choices, "\"{mode_key}{}\" = \"{mode}_{group}\", ", at + 1);
            let _ = write!(
                nodes,
                "[nodes.{mode}_{group}]\ndo = \"transfer\"\ngroup = {group:?}\nmode = {mode:?}\nclosed = \"failed\"\n\
                 failed = \"failed\"\nring_timeout_ms = {RING_MS}\n"
            );
        }
    }
    format!(
        "format = 1\nstart = \"main\"\nlanguages = [\"ru-RU\"]\n[asking]\notherwise = \"bye\"\n\
         [nodes.main]\ndo = \"menu\"\nsay = \"Кого позвать?\"\nchoices = {{ {choices} }}\n{nodes}\
         [nodes.failed]\ndo = \"menu\"\nsay = \"Соединить не удалось.\"\nchoices = {{ \"9\" = \"bye\" }}\n\
         [nodes.bye]\ndo = \"hangup\"\nsay = \"До свидания.\"\n"
    )
}

fn options() -> CallOptions {
    const HUM_MS: u32 = 20_000;
    CallOptions { microphone: tone(&[CALLER_HZ], HUM_MS), record: true, ..CallOptions::default() }
}

/// Takes calls and transfers humming, and keeps what it hears.
async fn caller(on_refer: OnRefer) -> anyhow::Result<Phone> {
    Ok(Phone::start(PhoneConfig { on_refer, options: options(), ..PhoneConfig::default() }).await?)
}

async fn operator(on_incoming: OnIncoming) -> anyhow::Result<Phone> {
    const HUM_MS: u32 = 20_000;
    let options = CallOptions { microphone: tone(&[OPERATOR_HZ], HUM_MS), record: true, ..CallOptions::default() };
    Ok(Phone::start(PhoneConfig { on_incoming, options, ..PhoneConfig::default() }).await?)
}

const AT_ONCE: OnIncoming = OnIncoming::Answer { after: Duration::ZERO };

/// They talk for a moment.
async fn talk(call: &Call) -> anyhow::Result<()> {
    call.audible(PATIENCE).await?;
    // Nothing ends the call meanwhile: the time is the conversation's.
    ensure!(call.wait_ended(TALK).await.is_err(), "nobody has hung up");
    Ok(())
}

async fn end(call: &Call) -> anyhow::Result<EndReport> {
    let end = call.wait_ended(PATIENCE).await?;
    ensure!(end.oddities.is_empty(), "{:?}", end.oddities);
    Ok(end)
}

fn quiet_at_the_sockets(phones: &[&Phone]) -> anyhow::Result<()> {
    for phone in phones {
        ensure!(phone.oddities().is_empty(), "{:?}", phone.oddities());
    }
    Ok(())
}

/// Whether a voice of that frequency is in it, louder than one of the other (Goertzel over the second half).
fn hears(end: &EndReport, hz: f64, not_hz: f64) -> anyhow::Result<()> {
    let heard = &end.recording[end.recording.len() / 2..];
    let power = |hz: f64| {
        let coefficient = 2.0 * (std::f64::consts::TAU * hz / 8_000.0).cos();
        let (a, b) = heard.iter().fold((0.0, 0.0), |(a, b), sample| (coefficient * a - b + f64::from(*sample), a));
        (a * a + b * b - coefficient * a * b) / (heard.len().max(1) as f64).powi(2)
    };
    let (wanted, other) = (power(hz), power(not_hz));
    ensure!(wanted > 100_000.0 && wanted > 100.0 * other, "{hz} Hz: {wanted:.0}, {not_hz} Hz: {other:.0}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blind_transfer_leaves_the_caller_with_the_operator() -> anyhow::Result<()> {
    let (caller, operator) = (caller(OnRefer::Follow).await?, operator(AT_ONCE).await?);
    let exchange = Exchange::open(&[operator.local_addr()]).await?;
    let call = exchange.ask(&caller, "11").await?;
    let with_operator = call.transferred(PATIENCE).await?;
    let taken = operator.incoming(PATIENCE).await?.call();
    end(&call).await?;
    talk(&with_operator).await?;
    with_operator.hangup()?;
    hears(&end(&with_operator).await?, OPERATOR_HZ, CALLER_HZ)?;
    hears(&end(&taken).await?, CALLER_HZ, OPERATOR_HZ)?;
    let records = exchange.records(1).await?;
    let ended = &records[0]["ended"];
    ensure!(ended["transfer"]["kind"] == "blind" && ended["transfer"]["result"] == "connected", "{ended}");
    ensure!(ended["transfer"]["to"] == "group1" && ended["cause"] == "transferred", "{ended}");
    quiet_at_the_sockets(&[&caller, &operator])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attended_transfer_replaces_the_engines_call() -> anyhow::Result<()> {
    let (caller, operator) = (caller(OnRefer::Follow).await?, operator(AT_ONCE).await?);
    let exchange = Exchange::open(&[operator.local_addr()]).await?;
    let call = exchange.ask(&caller, "21").await?;
    let from_engine = operator.incoming(PATIENCE).await?;
    ensure!(!from_engine.replaces(), "the engine asks first");
    let with_operator = call.transferred(PATIENCE).await?;
    let from_caller = operator.incoming(PATIENCE).await?;
    ensure!(from_caller.replaces(), "the caller takes the engine's place");
    end(&call).await?;
    end(&from_engine.call()).await?;
    talk(&with_operator).await?;
    with_operator.hangup()?;
    hears(&end(&with_operator).await?, OPERATOR_HZ, CALLER_HZ)?;
    hears(&end(&from_caller.call()).await?, CALLER_HZ, OPERATOR_HZ)?;
    let records = exchange.records(2).await?;
    let transfer = &records[0]["ended"]["transfer"];
    ensure!(transfer["kind"] == "attended" && transfer["result"] == "connected", "{transfer}");
    for record in &records {
        ensure!(record["ended"]["cause"] == "transferred", "{record}");
    }
    quiet_at_the_sockets(&[&caller, &operator])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_carries_both_voices_and_may_come_back() -> anyhow::Result<()> {
    let (caller, operator) = (caller(OnRefer::Follow).await?, operator(AT_ONCE).await?);
    let exchange = Exchange::open(&[operator.local_addr()]).await?;
    let call = exchange.ask(&caller, "41").await?;
    let first = operator.incoming(PATIENCE).await?.call();
    talk(&first).await?;
    first.hangup()?;
    hears(&end(&first).await?, CALLER_HZ, OPERATOR_HZ)?;
    // Back at the question; the second time it ends with the talk.
    call.heard("Кого позвать", PATIENCE).await?;
    call.press("31")?;
    let second = operator.incoming(PATIENCE).await?.call();
    talk(&second).await?;
    second.hangup()?;
    hears(&end(&call).await?, OPERATOR_HZ, CALLER_HZ)?;
    hears(&end(&second).await?, CALLER_HZ, OPERATOR_HZ)?;
    let records = exchange.records(3).await?;
    let transfer = &records[0]["ended"]["transfer"];
    ensure!(transfer["kind"] == "bridge" && transfer["result"] == "connected", "{transfer}");
    for record in &records[1..] {
        ensure!(record["ended"]["ended_by"] == "callee" && record["ended"]["cause"] == "normal", "{record}");
    }
    quiet_at_the_sockets(&[&caller, &operator])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_takes_a_caller_and_echoes() -> anyhow::Result<()> {
    let caller = caller(OnRefer::Follow).await?;
    let sipp = Sipp::start(SIPP_OPERATOR, &["-rtp_echo"])?;
    let exchange = Exchange::open(&[sipp.address]).await?;
    let call = exchange.ask(&caller, "31").await?;
    // What the caller hums comes back from SIPp.
    sipp.finished().await?;
    hears(&end(&call).await?, CALLER_HZ, OPERATOR_HZ)?;
    let records = exchange.records(2).await?;
    ensure!(records[0]["ended"]["transfer"]["result"] == "connected", "{records:?}");
    quiet_at_the_sockets(&[&caller])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_taken_comes_back_to_the_script() -> anyhow::Result<()> {
    let caller = caller(OnRefer::Follow).await?;
    let reject = |status| OnIncoming::Reject { status, retry_after_s: None };
    let busy = operator(reject(486)).await?;
    let silent = operator(OnIncoming::Ring).await?;
    let refusing = operator(reject(603)).await?;
    let phones = [&busy, &silent, &refusing];
    let exchange = Exchange::open(&phones.map(Phone::local_addr)).await?;
    // How long a blind transfer rings is for the caller's telephone to say, not for the menu.
    let checks: [(&str, &str, &str, Option<u64>); 8] = [
        ("11", "blind", "busy", None),
        ("13", "blind", "failed", Some(603)),
        ("21", "attended", "busy", None),
        ("22", "attended", "no_answer", None),
        ("23", "attended", "failed", Some(603)),
        ("31", "bridge", "busy", None),
        ("32", "bridge", "no_answer", None),
        ("33", "bridge", "failed", Some(603)),
    ];
    for (keys, kind, result, status) in checks {
        let call = exchange.ask(&caller, keys).await?;
        call.heard("Соединить не удалось", PATIENCE).await.with_context(|| format!("{kind} {result}"))?;
        exchange.newest(&call, kind, result, status).await.with_context(|| format!("{kind} {result}"))?;
    }
    quiet_at_the_sockets(&[&caller, &busy, &silent, &refusing])
}

impl Exchange {
    /// Hangs up and looks at the record of the call that began last.
    async fn newest(&self, call: &Call, kind: &str, result: &str, status: Option<u64>) -> anyhow::Result<()> {
        call.hangup()?;
        end(call).await?;
        let mut last = None;
        parties::until("the call's record", async || {
            let records = self.engine.cdrs().await?.into_iter().filter(|record| record["began"]["leg"] == 0);
            last = records.max_by_key(|record| record["began"]["started_ms"].as_u64());
            Ok(last.as_ref().is_some_and(|record| record["ended"]["transfer"]["kind"] == kind))
        })
        .await?;
        let transfer = last.context("no record")?["ended"]["transfer"].clone();
        ensure!(transfer["result"] == result && transfer["sip_status"].as_u64() == status, "{transfer}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_whose_telephone_refuses_to_move_comes_back() -> anyhow::Result<()> {
    let (caller, operator) = (caller(OnRefer::Refuse(405)).await?, operator(AT_ONCE).await?);
    let exchange = Exchange::open(&[operator.local_addr()]).await?;
    for keys in ["11", "21"] {
        let call = exchange.ask(&caller, keys).await?;
        call.heard("Соединить не удалось", PATIENCE).await?;
        call.hangup()?;
        end(&call).await?;
    }
    quiet_at_the_sockets(&[&caller, &operator])
}
