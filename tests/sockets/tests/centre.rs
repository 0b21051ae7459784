//! The centre on the real binary: many callers and a few operators, a callback over `kill -9`, and an announcement that is
//! heard though the store is gone.

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use gudok_phone::{CallOptions, Credentials, OnIncoming, Phone, PhoneConfig, tone};
use gudok_sockets::bundles::changed;
use gudok_sockets::parties::{self, NOON, PATIENCE, until};
use gudok_sockets::{ConfigBuilder, Engine};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;

const NUMBER: &str = "122";
const CALLBACK_NUMBER: &str = "123";
const CALLER: &str = "+79130000021";
const HUM_MS: u32 = 120_000;

/// Waits at once for an operator.
const MENU: &str = r#"
format = 1
start = "wait"
languages = ["ru-RU"]
[asking]
otherwise = "bye"
[nodes.wait]
do = "queue"
say = "Соединяю."
queue = "operators"
then = "bye"
closed = "bye"
full = "bye"
failed = "bye"
[nodes.bye]
do = "hangup"
say = "До свидания."
"#;

/// A centre whose callers wait in the queue `operators`; `queue` is more of its TOML.
fn centre(
    folder: &TempDir,
    operators: &[(&str, SocketAddr)],
    queue: &str,
    ready: bool,
) -> anyhow::Result<ConfigBuilder> {
    let bundle = changed("centre", folder.path(), |files| {
        files.insert("data/menu.toml".into(), MENU.as_bytes().to_vec());
    })?;
    let mut config = ConfigBuilder::new()
        .script("centre", "main", bundle, "approve = \"as-declared\"")
        .agency("centre", "queue = \"operators\"\ninformation = \"Справочная работает с перебоями.\"")
        .number(NUMBER, "centre", "main")
        .extra(&format!("[[queue]]\nname = \"operators\"\nwrap_up_s = 0\n{queue}"));
    for (name, at) in operators {
        config = config.extra(&format!(
            "[[operator]]\nname = {name:?}\naddress = \"sip:{name}@{at}\"\nqueues = [\"operators\"]\nalways_ready = {ready}\n"
        ));
    }
    Ok(config)
}

fn humming() -> CallOptions {
    CallOptions { microphone: tone(&[440.0], HUM_MS), ..CallOptions::default() }
}

/// Takes every call at once, talks for a while, and hangs up. Where it is.
async fn busy_operator(talk: Duration) -> anyhow::Result<SocketAddr> {
    let config = PhoneConfig { on_incoming: OnIncoming::Ask, options: humming(), ..PhoneConfig::default() };
    let phone = Phone::start(config).await?;
    let at = phone.local_addr();
    tokio::spawn(async move {
        while let Ok(incoming) = phone.incoming(PATIENCE * 4).await {
            if let Ok(call) = incoming.answer()
                && call.wait_ended(talk).await.is_err()
            {
                // Gone already, perhaps.
                let _ = call.hangup();
            }
        }
    });
    Ok(at)
}

/// The first legs' records, all with a wait.
async fn waits(engine: &Engine, count: usize) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    until("every call has its record", async || {
        found = engine.cdrs().await?.into_iter().filter(|record| record["began"]["leg"] == 0).collect();
        Ok(found.len() == count)
    })
    .await?;
    found.iter().map(|record| Ok(record["ended"]["queue"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_histogram_of_twenty_callers_and_five_operators_is_that_of_their_records() -> anyhow::Result<()> {
    const CALLERS: usize = 20;
    const LIMIT_S: u64 = 4;
    const TALK: Duration = Duration::from_millis(1_200);
    let folder = tempfile::tempdir()?;
    let phones = try_join_all((0..5).map(|_| busy_operator(TALK))).await?;
    let names = ["anna", "boris", "vera", "galina", "denis"];
    let operators: Vec<(&str, SocketAddr)> = names.into_iter().zip(phones).collect();
    let queue = format!("wait_s_max = {LIMIT_S}\nact_before_s = 2\nannounce_every_s = 0\nservice_level_s = 2\n");
    let engine = Engine::start_at(&centre(&folder, &operators, &queue, true)?, Some(NOON)).await?;

    let caller = parties::caller().await?;
    let uri = engine.uri(NUMBER);
    let calls = try_join_all((0..CALLERS).map(|_| caller.call(&uri, humming()))).await?;
    let ended = try_join_all(calls.iter().map(|call| call.wait_ended(PATIENCE * 2))).await?;
    ensure!(ended.iter().all(|end| end.status == 200), "every caller was answered");

    let waits = waits(&engine, CALLERS).await?;
    let millis = |wait: &Value| wait["waited_ms"].as_u64().context("a wait without a length");
    for wait in &waits {
        ensure!(wait["result"] == "answered", "nobody was lost: {wait}");
        if millis(wait)? > LIMIT_S * 1_000 {
            let acted = wait["acted_ms"].as_u64().zip(wait["entered_ms"].as_u64()).map(|(at, from)| at - from);
            let acted = acted.with_context(|| format!("waited past the limit without an offer: {wait}"))?;
            ensure!(acted <= LIMIT_S * 1_000, "the offer came after {acted} ms: {wait}");
        }
    }
    for bucket in [1_u64, 2, 5, 10, 40] {
        let of_records = waits.iter().map(millis).collect::<anyhow::Result<Vec<_>>>()?;
        let of_records = of_records.into_iter().filter(|waited| *waited <= bucket * 1_000).count();
        let name =
            format!("gudok_queue_wait_seconds_bucket{{queue=\"operators\",outcome=\"answered\",le=\"{bucket}\"}}");
        let of_metric = engine.metric(&name).await?;
        #[expect(clippy::cast_precision_loss, reason = "twenty callers")]
        let of_records = of_records as f64;
        ensure!(
            (of_metric - of_records).abs() < 0.5,
            "up to {bucket} s: {of_metric} by the metric, {of_records} by the records"
        );
    }
    let served: f64 = engine.metric("gudok_queue_service_level_total{queue=\"operators\",what=\"offered\"}").await?;
    ensure!((served - 20.0).abs() < 0.5, "offered: {served}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_kept_once_over_kill_9() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // Another address than the trunk of the callers, so that each is told from the other.
    let away = PhoneConfig {
        bind: "127.0.0.2:0".parse()?,
        on_incoming: OnIncoming::Ask,
        options: humming(),
        ..PhoneConfig::default()
    };
    let home = Phone::start(away).await?;
    let operator = parties::operator().await?;
    let rules = "[queue.callback]\ntrunk = \"city\"\ndialable = [\"+7\"]\n";
    let config = centre(&folder, &[("anna", operator.local_addr())], rules, false)?
        .extra(&format!("[[trunk]]\nname = \"city\"\nproxy = \"{}\"", home.local_addr()))
        .extra(&format!("[[number]]\nnumber = {CALLBACK_NUMBER:?}\nagency = \"centre\"\ncallback = \"operators\""));
    let engine = Engine::start_at(&config, None).await?;

    // Whoever cannot pay dials, and hangs up.
    let caller = parties::caller().await?;
    let options = CallOptions { from_user: CALLER.to_owned(), ..humming() };
    let call = caller.call(&engine.uri(CALLBACK_NUMBER), options).await?;
    call.ringing(PATIENCE).await?;
    call.hangup()?;
    let promised = promised(&engine).await?;
    ensure!(promised["state"] == "waiting" && promised["origin"] == "number", "{promised}");
    ensure!(!promised.to_string().contains("0000021"), "the number is masked: {promised}");

    let engine = engine.kill_and_restart().await?;
    let again = self::promised(&engine).await?;
    ensure!(again["id"] == promised["id"] && again["due_ms"] == promised["due_ms"], "{promised} became {again}");
    let api = engine.api()?;
    api.post("/operators/anna/state", &json!({ "state": "ready" })).await?.expect(202)?;
    let called_back = home.incoming(PATIENCE).await?;
    let line = called_back.answer()?;
    line.audible(PATIENCE).await?;
    let id = promised["id"].as_str().context("an id")?.to_owned();
    let state = async |engine: &Engine| -> anyhow::Result<String> {
        Ok(engine.api()?.read(&format!("/callbacks/{id}")).await?["state"].as_str().unwrap_or_default().to_owned())
    };
    until("the callback is kept", async || Ok(state(&engine).await? == "connected")).await?;

    let engine = engine.kill_and_restart().await?;
    ensure!(state(&engine).await? == "connected", "what was kept stays kept");
    engine.api()?.post("/operators/anna/state", &json!({ "state": "ready" })).await?.expect(202)?;
    ensure!(home.incoming(Duration::from_secs(2)).await.is_err(), "nobody is called twice");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_of_the_api_is_rung_where_the_telephone_has_registered() -> anyhow::Result<()> {
    const PASSWORD: &str = "correct-horse-battery";
    let folder = tempfile::tempdir()?;
    let at_home = PhoneConfig {
        bind: "127.0.0.3:0".parse()?,
        user: "boris".into(),
        credentials: Some(Credentials::new("boris", PASSWORD)),
        on_incoming: OnIncoming::Answer { after: Duration::ZERO },
        options: humming(),
        ..PhoneConfig::default()
    };
    let telephone = Phone::start(at_home).await?;
    let config =
        centre(&folder, &[], "", false)?.extra("[registrar]\nrealm = \"centre.example\"\nsources = [\"127.0.0.3\"]");
    let engine = Engine::start_at(&config, Some(NOON)).await?;
    let (api, registrar) = (engine.api()?, format!("sip:{}", engine.sip));
    let refused = telephone.register(&registrar, 60, PATIENCE).await?;
    ensure!(refused.0 >= 400, "nobody is known yet: {refused:?}");

    let boris = json!({ "name": "boris", "phone": { "kind": "registers" }, "phone_password": PASSWORD,
        "queues": ["operators"] });
    api.post("/operators", &boris).await?.expect(201)?;
    until("the telephone registers", async || Ok(telephone.register(&registrar, 60, PATIENCE).await?.0 == 200)).await?;
    let shown = async || api.read("/operators/boris").await;
    until("the centre sees the telephone", async || Ok(shown().await?["now"]["reachable"] == true)).await?;
    api.post("/operators/boris/state", &json!({ "state": "ready" })).await?.expect(202)?;

    let caller = parties::caller().await?;
    let call = caller.call(&engine.uri(NUMBER), humming()).await?;
    parties::bridged(&call).await?;
    ensure!(shown().await?["now"]["state"] == "on-call", "{}", shown().await?);
    call.hangup()?;
    let waits = waits(&engine, 1).await?;
    ensure!(waits[0]["by"] == "boris", "{waits:?}");
    ensure!(!engine.log().contains(PASSWORD), "the password is in the log");
    Ok(())
}

/// The only callback that is open.
async fn promised(engine: &Engine) -> anyhow::Result<Value> {
    let mut found = Value::Null;
    until("a callback is promised", async || {
        let open = engine.api()?.list("/callbacks").await?;
        found = open.first().cloned().unwrap_or_default();
        Ok(open.len() == 1)
    })
    .await?;
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_hear_the_announcement_and_reach_an_operator_without_the_store() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let operator = parties::operator().await?;
    let config = centre(&folder, &[("anna", operator.local_addr())], "", true)?;
    let engine = Engine::start_at(&config, Some(NOON)).await?;
    let overlay = json!({ "text": "Внимание: паводок.", "lang": "ru-RU" });
    let put = engine.api()?.request("PUT", "/overlays/flood").json(&overlay);
    let status = engine.api()?.send(put).await?.status;
    ensure!(status < 300, "the announcement was refused: {status}");

    let store = engine.store();
    let aside = store.with_extension("aside");
    let engine = engine.kill_then(|| Ok(std::fs::rename(&store, &aside)?)).await?;
    let ready = gudok_sockets::http::get(engine.http, "/ready").await?;
    ensure!(ready.status == 200 && ready.body.trim() == "degraded", "{}: {}", ready.status, ready.body);

    let caller = parties::caller().await?;
    let call = caller.call(&engine.uri(NUMBER), humming()).await?;
    call.heard("паводок", PATIENCE).await?;
    parties::bridged(&call).await?;
    call.hangup()?;
    until("the record is spooled", async || Ok(engine.metric("gudok_records_spooled_total").await? >= 2.0)).await?;

    let engine = engine.kill_then(|| Ok(std::fs::rename(&aside, &store)?)).await?;
    let ready = gudok_sockets::http::get(engine.http, "/ready").await?;
    ensure!(ready.body.trim() == "ready", "{}", ready.body);
    let records = engine.cdrs().await?;
    let first = records.iter().find(|record| record["began"]["leg"] == 0).context("the call has its record")?;
    ensure!(first["ended"]["tags"]["overlay"] == "heard", "{first}");
    Ok(())
}
