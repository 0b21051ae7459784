//! Campaigns through sockets: what callees hear, and what becomes of everybody else meanwhile.
#![allow(clippy::print_stderr, reason = "figures for people")]

use anyhow::{Context, ensure};
use gudok_phone::{Behaviour, CallOptions, OnIncoming, Phone, PhoneConfig, tone};
use gudok_sockets::campaigns::{Campaign, counts};
use gudok_sockets::load::Load;
use gudok_sockets::parties::{NOON, PATIENCE};
use gudok_sockets::{ConfigBuilder, Engine, Farm, bundle};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Where telephones are that the engine calls: an address of their own tells them from its callers.
const ELSEWHERE: &str = "127.0.0.2:0";
const MINUTES: Duration = Duration::from_secs(300);
/// Between what two programs call the moment of the answer.
const SLACK: Duration = Duration::from_millis(200);
/// From the beep to the first word.
const MESSAGE_AFTER_MAX: Duration = Duration::from_secs(3);
const ALWAYS: &str = "mon-sun 00:00-24:00";

/// An engine with the sample campaigns' scripts and a way out.
fn config(trunk: &str) -> anyhow::Result<ConfigBuilder> {
    const APPROVED: &str = "approve = \"as-declared\"";
    Ok(ConfigBuilder::new()
        .script("emergency", "flood", bundle("flood")?, APPROVED)
        .script("tax", "reminder", bundle("tax")?, APPROVED)
        .extra("[campaigns]\ncalls_max = 400\ncalls_per_s_max = 100\n")
        .extra(trunk))
}

fn way_out(to: std::net::SocketAddr) -> String {
    format!(
        "[[trunk]]\nname = \"city\"\nproxy = \"{to}\"\n\
         campaigns = {{ calls_max = 300, calls_per_s_max = 100, rest_after_failure_s = 2 }}\n"
    )
}

fn document(change: &Value) -> Value {
    let mut document = json!({
        "agency": "emergency", "entry": "flood", "trunk": "city", "window": ALWAYS, "calls_per_s_max": 20,
        "calls_max": 200, "ring_s": 10, "attempts_max": 1, "attempts_per_day_max": 1, "retries": {},
    });
    for (field, value) in change.as_object().into_iter().flatten() {
        document[field] = value.clone();
    }
    document
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_gets_the_message_after_its_beep_and_a_person_at_once() -> anyhow::Result<()> {
    const BEEP_MS: u32 = 400;
    // A greeting that goes on, as a machine's does, and its beep.
    let mut machine = gudok_sockets::farm::spoken(
        "Здравствуйте. Вы позвонили на автоответчик. Сейчас никого нет дома. Оставьте сообщение после сигнала.",
    )
    .await?;
    let greeting_ms = u64::try_from(machine.len() / 8)?;
    machine.extend(tone(&[1_000.0], BEEP_MS));
    let options = CallOptions { microphone: machine, record: true, ..CallOptions::default() };
    let on_incoming = OnIncoming::Answer { after: Duration::from_millis(200) };
    let bind = ELSEWHERE.parse()?;
    let home = Phone::start(PhoneConfig { bind, on_incoming, options, ..PhoneConfig::default() }).await?;
    let engine = Engine::start_at(&config(&way_out(home.local_addr()))?, Some(NOON)).await?;
    let change = json!({ "on_machine": "message" });
    let campaign = Campaign::make(&engine.api()?, "machine", &document(&change)).await?;
    campaign.import("number,message\n+79135550007,Проверка связи.\n").await?;
    campaign.order("start").await?;
    let rung = home.incoming(PATIENCE).await.with_context(|| engine.log())?;
    rung.call().answered(PATIENCE).await?;
    let answered = Instant::now();
    rung.call().audible(MINUTES).await?;
    let spoke = answered.elapsed();
    rung.call().wait_ended(MINUTES).await?;
    let figures = campaign.finished(PATIENCE).await?;
    ensure!(counts(&figures["dispositions"]).get("voicemail") == Some(&1), "{figures}");
    let beep_over = Duration::from_millis(greeting_ms + u64::from(BEEP_MS));
    eprintln!("the beep was over after {beep_over:?}, the message began after {spoke:?}");
    ensure!(spoke + SLACK >= beep_over, "the message began after {spoke:?}, the beep was over after {beep_over:?}");
    ensure!(spoke <= beep_over + MESSAGE_AFTER_MAX, "{spoke:?} is long after the beep ({beep_over:?})");
    let tried = campaign.contact(0).await?;
    ensure!(tried["tries"][0]["answered_by"] == "machine", "{tried}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_edited_counts_from_the_next_call_on() -> anyhow::Result<()> {
    let town = Farm::open(Duration::from_secs(1)).await?;
    let engine = Engine::start_at(&config(&way_out(town.address))?, Some(NOON)).await?;
    let campaign = Campaign::make(&engine.api()?, "edited", &document(&json!({ "calls_per_s_max": 2 }))).await?;
    let mut list = String::from("number\n");
    for number in 0..120 {
        // Busy, all of them: what counts is the pace.
        let _ = writeln!(list, "+7913557{number:03}5");
    }
    campaign.import(&list).await?;
    campaign.order("start").await?;
    campaign.until(PATIENCE, "some were called", |figures| figures["attempts"].as_u64() >= Some(10)).await?;
    let slow = town.most_within(Duration::from_secs(1))?;
    ensure!(slow <= 2, "{slow} in a second, 2 are allowed");
    campaign.edit(|document| document["calls_per_s_max"] = json!(30)).await?;
    let figures = campaign.finished(PATIENCE).await.with_context(|| engine.log())?;
    let fast = town.most_within(Duration::from_secs(1))?;
    ensure!((3..=30).contains(&fast), "{fast} in a second, 30 are allowed");
    ensure!(counts(&figures["dispositions"]).get("busy") == Some(&120), "{figures}");
    // More contacts set a finished campaign running again.
    campaign.import("number\n+79135579995\n+79135570005\n").await?;
    let figures = campaign
        .until(PATIENCE, "one more was called", |figures| counts(&figures["dispositions"]).get("busy") == Some(&121))
        .await?;
    ensure!(figures["contacts"] == 121, "a number that is there is not added again: {figures}");
    // Paused, nobody is called.
    campaign.order("pause").await.map(drop).or_else(|_| anyhow::Ok(()))?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_that_fails_is_left_alone_and_nobody_loses_an_attempt() -> anyhow::Result<()> {
    let bind = ELSEWHERE.parse()?;
    let city = Phone::start(PhoneConfig { bind, ..PhoneConfig::default() }).await?;
    let (at, works) = (city.local_addr(), Arc::new(AtomicBool::new(false)));
    let mended = Arc::clone(&works);
    let (reports, _reported) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        let behaves = |_: &_| Behaviour::Refuse(if works.load(Ordering::Relaxed) { 486 } else { 503 });
        city.answer_calls(behaves, reports).await
    });
    let engine = Engine::start_at(&config(&way_out(at))?, Some(NOON)).await?;
    let unavailable = json!({ "unavailable": { "after_s": 2, "attempts_max": 100 } });
    let campaign = Campaign::make(&engine.api()?, "broken", &document(&json!({ "retries": unavailable }))).await?;
    campaign.import("number\n+79135550005\n+79135550015\n+79135550025\n").await?;
    campaign.order("start").await?;
    let resting = |figures: &Value| figures["idle"]["code"] == "trunk-resting";
    let figures = campaign.until(PATIENCE, "the trunk rests", resting).await?;
    ensure!(figures["attempts"] == 0, "who was not rung has lost no attempt: {figures}");
    mended.store(true, Ordering::Relaxed);
    let figures = campaign.finished(MINUTES).await.with_context(|| engine.log())?;
    ensure!(counts(&figures["dispositions"]).get("busy") == Some(&3), "{figures}");
    ensure!(figures["attempts"] == 3, "{figures}");
    Ok(())
}

/// Inbound calls at seven tenths of the engine's limit, before a campaign and beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_refuses_no_caller_and_keeps_none_waiting() -> anyhow::Result<()> {
    const LIMIT_PER_S: u32 = 30;
    const LIMIT_CALLS: u32 = 150;
    const RUN: Duration = Duration::from_secs(12);
    let town = Farm::open(Duration::from_secs(2)).await?;
    let config = config(&way_out(town.address))?
        .sip(&format!("[sip.limits]\ncalls_max = {LIMIT_CALLS}\ncalls_per_s_max = {LIMIT_PER_S}\n"))
        .script("bench", "sig", bundle("bench")?, "approve = \"as-declared\"")
        .number("100", "bench", "sig")
        .log("gudok=warn");
    let engine = Engine::start_at(&config, Some(NOON)).await?;
    let inbound = LIMIT_PER_S * 7 / 10;
    let alone = {
        let load = Load::start(engine.sip, "100", inbound).await?;
        tokio::time::sleep(RUN).await;
        load.finish().await?
    };
    let campaign = Campaign::make(&engine.api()?, "beside", &document(&json!({ "calls_per_s_max": 15 }))).await?;
    let mut list = String::from("number,message\n");
    for number in 0..2_000 {
        let _ = writeln!(list, "+7913558{number:04},Проверка.");
    }
    campaign.import(&list).await?;
    campaign.order("start").await?;
    campaign.until(PATIENCE, "people are called", |figures| figures["live_calls"].as_u64() >= Some(20)).await?;
    let beside = {
        let load = Load::start(engine.sip, "100", inbound).await?;
        tokio::time::sleep(RUN).await;
        load.finish().await?
    };
    let figures = campaign.figures().await?;
    campaign.order("stop").await?;
    let (before, during) = (alone.answered_within_ms(0.99), beside.answered_within_ms(0.99));
    eprintln!(
        "inbound at {inbound}/s: p99 {before:.0} ms alone, {during:.0} ms beside {} calls of a campaign; {} attempts",
        figures["live_calls"], figures["attempts"]
    );
    ensure!(alone.failed == 0 && alone.served > 0, "{alone:?}");
    ensure!(beside.failed == 0 && beside.served > 0, "callers were refused because of a campaign: {}", beside.errors);
    ensure!(figures["attempts"].as_u64() > Some(50), "the campaign did not work beside: {figures}");
    Ok(())
}
