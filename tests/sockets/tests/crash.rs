//! kill -9 in the middle of calls: no leg without a record, and nothing that was acknowledged is lost.
//! (Invariant: acknowledged means durable.)

use anyhow::{Context, ensure};
use gudok_phone::CallOptions;
use gudok_sockets::parties::{self, NOON, PATIENCE};
use gudok_sockets::{ConfigBuilder, Engine, bundle};

const CALLS: usize = 10;
const APPROVED: &str = "approve = \"as-declared\"";

fn config() -> anyhow::Result<ConfigBuilder> {
    Ok(ConfigBuilder::new().script("probe", "count", bundle("probe")?, APPROVED).number("100", "probe", "count"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_script_was_told_is_written_survives() -> anyhow::Result<()> {
    let engine = Engine::start(&config()?).await?;
    let phone = parties::caller().await?;
    let mut calls = Vec::new();
    for _ in 0..CALLS {
        calls.push(phone.call(&engine.uri("100"), CallOptions::default()).await?);
    }
    for call in &calls {
        call.heard("Звонок", PATIENCE).await?;
    }
    let engine = engine.kill_and_restart().await?;
    let caller = parties::caller().await?;
    let call = caller.call(&engine.uri("100"), CallOptions::default()).await?;
    let heard = call.heard("Звонок", PATIENCE).await?;
    ensure!(heard == format!("Звонок {}.", CALLS + 1), "{heard}");
    call.hangup()?;
    call.wait_ended(PATIENCE).await?;
    let records = engine.cdrs().await?;
    let crashed = records.iter().filter(|record| record["ended"]["cause"] == "crash");
    ensure!(crashed.clone().count() == CALLS, "{records:#?}");
    for record in crashed {
        let began = &record["began"];
        ensure!(began["agency"] == "probe" && began["entry"] == "count" && began["leg"] == 0, "{record:#}");
    }
    ensure!(records.len() == CALLS + 1, "one record a leg: {records:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_legs_of_a_bridge_have_their_records() -> anyhow::Result<()> {
    let operator = parties::operator().await?;
    let config = ConfigBuilder::new()
        .operator("anna", operator.local_addr())
        .script("hostile", "panic", bundle("hostile")?, APPROVED)
        .number("100", "hostile", "panic");
    let engine = Engine::start_at(&config, Some(NOON)).await?;
    let phone = parties::caller().await?;
    let microphone = gudok_phone::tone(&[600.0], 30_000);
    let call = phone.call(&engine.uri("100"), CallOptions { microphone, ..CallOptions::default() }).await?;
    call.answered(PATIENCE).await?;
    operator.incoming(PATIENCE).await?.call().audible(PATIENCE).await.context("the bridge")?;
    // Marks of legs that began reach the disk within `soon_ms_max`; whoever asks for records waits for them.
    ensure!(engine.cdrs().await?.is_empty(), "no leg has ended yet");
    let engine = engine.kill_and_restart().await?;
    let records = engine.cdrs().await?;
    let mut legs: Vec<_> = records.iter().map(|r| (r["began"]["leg"].as_u64(), r["ended"]["cause"].as_str())).collect();
    legs.sort_unstable();
    ensure!(legs == [(Some(0), Some("crash")), (Some(1), Some("crash"))], "{records:#?}");
    ensure!(records[0]["began"]["chain_id"] == records[1]["began"]["chain_id"], "one chain: {records:#?}");
    Ok(())
}
