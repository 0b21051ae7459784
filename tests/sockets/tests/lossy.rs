//! SIP and RTP over a line that loses, doubles and reorders five datagrams of a hundred, each way.
#![allow(clippy::print_stderr, reason = "figures for people")]

use anyhow::{Context, ensure};
use gudok_phone::relay::{LossyRelay, RelayConfig, Trouble};
use gudok_phone::{CallOptions, Phone, PhoneConfig};
use gudok_sockets::{ConfigBuilder, Engine, bundle};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;

const TROUBLE: f64 = 0.05;
const CALLS: usize = 300;
/// RFC 3261's timer B, and a little.
const SET_UP_WITHIN: Duration = Duration::from_secs(35);

const TYPISTS: usize = 25;
const ROWS: usize = 5;
const ROW: &str = "12345678901234567890";
/// A row takes five seconds to press, and its echo may be lost twice.
const ROW_WITHIN: Duration = Duration::from_secs(30);

/// A telephone at the far end of a bad line.
async fn behind(relay: &LossyRelay) -> anyhow::Result<Phone> {
    let config =
        PhoneConfig { outbound_proxy: Some(relay.near), advertised: Some(relay.far), ..PhoneConfig::default() };
    Ok(Phone::start(config).await?)
}

fn config() -> anyhow::Result<ConfigBuilder> {
    Ok(ConfigBuilder::new()
        .script("bench", "sig", bundle("bench")?, "")
        .number("100", "bench", "sig")
        .script("probe", "echo", bundle("probe")?, "approve = \"as-declared\"")
        .number("200", "probe", "echo"))
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_set_up_over_a_bad_line() -> anyhow::Result<()> {
    let engine = Engine::start(&config()?).await?;
    let relay = LossyRelay::start(RelayConfig::new(1, Trouble::share(TROUBLE)), engine.sip).await?;
    let phone = behind(&relay).await?;
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let call = phone.call(&engine.uri("100"), CallOptions::default()).await?;
        calls.spawn(async move { call.answered(SET_UP_WITHIN).await.is_ok() });
    }
    let set_up = calls.join_all().await.into_iter().filter(|answered| *answered).count();
    let counts = relay.counts();
    let lost = counts.lost.load(Ordering::Relaxed);
    eprintln!("{set_up} of {CALLS} calls set up; {lost} datagrams lost");
    ensure!(lost > 0 && counts.doubled.load(Ordering::Relaxed) > 0, "the line was too good");
    ensure!(set_up * 100 >= CALLS * 99, "{set_up} of {CALLS}");
    // The engine counts a call once, however often its INVITE came.
    let taken = engine.metric("gudok_sip_events{event=\"calls-in\"}").await?;
    ensure!(taken <= f64::from(u32::try_from(CALLS)?), "{taken} calls out of {CALLS} INVITEs");
    Ok(())
}

/// Presses rows of keys, each when the one before has come back, and gives what came back.
async fn type_rows(phone: &Phone, uri: &str) -> anyhow::Result<String> {
    let call = phone.call(uri, CallOptions::default()).await?;
    call.heard("Слушаю", SET_UP_WITHIN).await?;
    let mut came = String::new();
    for _ in 0..ROWS {
        call.press(ROW)?;
        let heard = call.heard("Принято", ROW_WITHIN).await?;
        came.extend(heard.chars().filter(char::is_ascii_digit));
    }
    call.hangup()?;
    Ok(came)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_arrive_once_over_a_bad_line() -> anyhow::Result<()> {
    let engine = Engine::start(&config()?).await?;
    let relay = LossyRelay::start(RelayConfig::new(2, Trouble::share(TROUBLE)), engine.sip).await?;
    let phone = behind(&relay).await?;
    let uri = engine.uri("200");
    let typed = futures_util::future::join_all((0..TYPISTS).map(|_| type_rows(&phone, &uri))).await;
    let (mut arrived, mut doubled) = (0, 0);
    for row in typed {
        let row = row.context("a typist did not get through")?;
        // No two neighbours in a row are equal: two that are, are one key that came twice.
        doubled += row.as_bytes().windows(2).filter(|pair| pair[0] == pair[1]).count();
        arrived += row.len();
    }
    let sent = TYPISTS * ROWS * ROW.len();
    eprintln!("{arrived} of {sent} keys arrived, {doubled} twice");
    ensure!(doubled == 0 && arrived <= sent, "{doubled} keys came twice, {arrived} of {sent}");
    ensure!(arrived * 1000 >= sent * 995, "{arrived} of {sent} keys arrived");
    Ok(())
}
