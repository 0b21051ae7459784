//! Whatever a script does: its caller hears the apology and gets an operator, other agencies' calls notice nothing, and
//! the memory that it took comes back. (Invariants: every caller is landed; media owes nothing to scripts.)
#![allow(clippy::print_stderr, reason = "figures for people")]

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, Phone};
use gudok_sockets::parties::{self, NOON, PATIENCE, until};
use gudok_sockets::{ConfigBuilder, Engine, bundle};
use std::time::Duration;
use tokio::task::JoinSet;

/// What an attack comes to.
#[derive(Clone, Copy, Debug)]
enum Expect {
    /// The host takes the caller from the script; the call record says why.
    Landed(&'static str),
    /// The script's request is refused; it says so and hangs up by itself.
    Withstood,
}

const ATTACKS: [(&str, Expect); 18] = [
    ("loop", Expect::Landed("loop")),
    ("memory", Expect::Landed("memory")),
    ("memory-slow", Expect::Landed("memory")),
    ("recursion", Expect::Landed("trap")),
    ("large-frames", Expect::Landed("trap")),
    ("panic", Expect::Landed("trap")),
    ("storm", Expect::Landed("quota")),
    ("huge-text", Expect::Landed("quota")),
    ("spin-between-prompts", Expect::Landed("loop")),
    ("no-answer", Expect::Landed("error")),
    ("silent-return", Expect::Withstood),
    ("many-handles", Expect::Withstood),
    ("log-flood", Expect::Withstood),
    ("many-segments", Expect::Withstood),
    ("long-text", Expect::Withstood),
    ("many-choices", Expect::Withstood),
    ("foreign-bucket", Expect::Withstood),
    ("foreign-origin", Expect::Withstood),
];

/// Callers of another agency, who listen to a prompt of 30 s meanwhile.
const LISTENERS: usize = 100;
/// A script that spins between prompts has five seconds of CPU, and others beside it.
const LANDED_WITHIN: Duration = Duration::from_secs(60);
const APOLOGY: &str = "Приносим извинения";

fn number(attack: usize) -> String {
    format!("2{attack:02}")
}

fn config(operator: &Phone) -> anyhow::Result<ConfigBuilder> {
    let mut config = ConfigBuilder::new()
        .operator("anna", operator.local_addr())
        .script("bench", "l30", bundle("bench")?, "approve = \"as-declared\"")
        .number("130", "bench", "l30");
    for (at, (attack, _)) in ATTACKS.into_iter().enumerate() {
        config = config.script("hostile", attack, bundle("hostile")?, "approve = \"as-declared\"").number(
            &number(at),
            "hostile",
            attack,
        );
    }
    Ok(config
        .script("hostile", "linger", bundle("hostile")?, "approve = \"as-declared\"")
        .number("299", "hostile", "linger"))
}

/// One caller of an attack, to the end; says what was wrong.
async fn suffer(phone: &Phone, uri: &str, expect: Expect) -> anyhow::Result<()> {
    const VOICE_MS: u32 = 60_000;
    let microphone = gudok_phone::tone(&[600.0], VOICE_MS);
    let call = phone.call(uri, CallOptions { record: true, microphone, ..CallOptions::default() }).await?;
    if let Expect::Landed(_) = expect {
        call.heard(APOLOGY, LANDED_WITHIN).await?;
        parties::bridged(&call).await?;
        // The prompts are over: from here on it is the operator who is heard.
        call.quiet_from_now(Duration::from_secs(1), Duration::from_secs(2))
            .await
            .err()
            .context("the operator is not heard")?;
        call.hangup()?;
    }
    let end = call.wait_ended(LANDED_WITHIN).await?;
    ensure!(end.status == 200, "status {}", end.status);
    ensure!(end.oddities.is_empty(), "{:?}", end.oddities);
    Ok(())
}

/// The operator hears everybody who is put through.
async fn hear_out(operator: &Phone, callers: usize) -> anyhow::Result<()> {
    let mut calls = JoinSet::new();
    for _ in 0..callers {
        let call = operator.incoming(LANDED_WITHIN).await?.call();
        calls.spawn(async move { call.audible(PATIENCE).await });
    }
    while let Some(heard) = calls.join_next().await {
        heard?.context("the operator does not hear a caller")?;
    }
    Ok(())
}

/// All attacks at once while the listeners listen.
async fn round(engine: &Engine, operator: &Phone) -> anyhow::Result<()> {
    let (audience, victims) = (parties::caller().await?, parties::caller().await?);
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        let options = CallOptions { transcript: false, uplink: false, ..CallOptions::default() };
        listeners.push(audience.call(&engine.uri("130"), options).await?);
    }
    for listener in &listeners {
        listener.audible(PATIENCE).await?;
    }
    let landed = ATTACKS.iter().filter(|(_, expect)| matches!(expect, Expect::Landed(_))).count();
    let uris: Vec<String> = (0..ATTACKS.len()).map(|at| engine.uri(&number(at))).collect();
    let suffering = async {
        let mut wrong = Vec::new();
        let all = ATTACKS.iter().zip(&uris).map(|((_, expect), uri)| suffer(&victims, uri, *expect));
        for ((attack, _), outcome) in ATTACKS.iter().zip(futures_util::future::join_all(all).await) {
            if let Err(error) = outcome {
                wrong.push(format!("{attack}: {error:#}"));
            }
        }
        ensure!(wrong.is_empty(), "{wrong:#?}");
        Ok(())
    };
    tokio::try_join!(suffering, hear_out(operator, landed))?;
    let (mut gap_max_ms, mut late_max_ms, mut late, mut jumps) = (0.0_f64, 0.0_f64, 0, 0);
    for listener in &listeners {
        ensure!(!listener.is_ended(), "a listener lost the prompt");
        listener.hangup()?;
    }
    for listener in listeners {
        let stats = listener.wait_ended(PATIENCE).await?.stats;
        gap_max_ms = gap_max_ms.max(stats.gap_max_ms);
        late_max_ms = late_max_ms.max(stats.late_max_ms);
        late += stats.late_packets;
        jumps += stats.discontinuities;
    }
    eprintln!("{LISTENERS} listeners: longest gap {gap_max_ms:.1} ms, latest packet {late_max_ms:.1} ms");
    ensure!(late == 0 && jumps == 0, "{late} late packets, {jumps} jumps; latest {late_max_ms:.1} ms");
    until("no call is left", async || Ok(engine.metric("gudok_calls_live").await? == 0.0)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn attacked_callers_are_landed_and_nobody_else_notices() -> anyhow::Result<()> {
    let operator = parties::operator().await?;
    let engine = Engine::start_at(&config(&operator)?, Some(NOON)).await?;
    round(&engine, &operator).await.context("the first round")?;
    let before_kib = engine.rss_kib()?;
    round(&engine, &operator).await.context("the second round")?;
    let after_kib = engine.rss_kib()?;
    eprintln!("memory after the first round {before_kib} KiB, after the second {after_kib} KiB");
    ensure!(after_kib <= before_kib + before_kib / 10, "{before_kib} KiB before, {after_kib} KiB after");
    let records = engine.cdrs().await?;
    for (attack, expect) in ATTACKS {
        let landing = match expect {
            Expect::Landed(landing) => Some(landing),
            Expect::Withstood => None,
        };
        let of_attack: Vec<_> =
            records.iter().filter(|r| r["began"]["entry"] == attack && r["began"]["leg"] == 0).collect();
        ensure!(of_attack.len() == 2, "{attack}: {} records", of_attack.len());
        for record in of_attack {
            ensure!(record["ended"]["landing"].as_str() == landing, "{attack}: {record:#}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_outlives_its_caller_is_stopped() -> anyhow::Result<()> {
    let operator = parties::operator().await?;
    let engine = Engine::start_at(&config(&operator)?, Some(NOON)).await?;
    let phone = parties::caller().await?;
    let call = phone.call(&engine.uri("299"), CallOptions::default()).await?;
    call.heard("Проверка", PATIENCE).await?;
    // The prompt is over: the script waits, and learns from that wait that its caller is gone.
    call.quiet(Duration::from_millis(500), PATIENCE).await?;
    call.hangup()?;
    call.wait_ended(PATIENCE).await?;
    until("the script was stopped", async || Ok(engine.log().contains("script stopped"))).await?;
    let next = phone.call(&engine.uri("299"), CallOptions::default()).await?;
    next.heard("Проверка", PATIENCE).await?;
    next.hangup()?;
    next.wait_ended(PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_import_is_refused_at_load() -> anyhow::Result<()> {
    let config = ConfigBuilder::new()
        .script("hostile", "clock", bundle("hostile-clock")?, "approve = \"as-declared\"")
        .number("100", "hostile", "clock");
    let refusal = Engine::start(&config).await.err().context("the engine started")?;
    let refusal = format!("{refusal:#}");
    for word in ["wasi:clocks/monotonic-clock", "hostile-clock-1.0.0.ivr", "Build"] {
        ensure!(refusal.contains(word), "{word} is not in: {refusal}");
    }
    Ok(())
}
