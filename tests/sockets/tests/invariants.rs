//! Invariants of the house that need the whole engine to be seen: the emergency overlay, and the version that a call
//! keeps. docs/ARCHITECTURE.md names the test of every invariant.

use anyhow::{Context, ensure};
use gudok_phone::{Call, CallOptions, TranscriptKind};
use gudok_sockets::parties::{self, NOON, PATIENCE, until};
use gudok_sockets::{ConfigBuilder, Engine, SampleBackend, bundle, bundles};
use std::time::{Duration, Instant};

const OVERLAY: &str = "Внимание. Угроза паводка. Следуйте указаниям спасателей.";
const APPROVED: &str = "approve = \"as-declared\"";
/// Transcript and sound take different ways.
const TOLERANCE: Duration = Duration::from_millis(300);

fn overlaid(config: ConfigBuilder) -> ConfigBuilder {
    config.extra(&format!("[[overlay]]\ntext = {OVERLAY:?}\n"))
}

/// How long the overlay lasts when it is heard to its end.
async fn overlay_length() -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    let (prompt, sound) = (folder.path().join("overlay.json"), folder.path().join("overlay.wav"));
    std::fs::write(&prompt, serde_json::json!([{ "text": OVERLAY }]).to_string())?;
    let mut say = tokio::process::Command::new(gudok_sockets::program("gudok")?);
    let said = say.arg("say").arg(&prompt).arg("--wav").arg(&sound).output().await?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let sound = hound::WavReader::open(&sound)?;
    Ok(Duration::from_millis(u64::from(sound.duration()) * 1_000 / u64::from(sound.spec().sample_rate)))
}

/// Whatever keys the caller presses from the first moment, the overlay comes first and is heard to its end. `next` is
/// what comes behind it: the keys skip what may be skipped.
async fn overlay_is_heard(call: &Call, whole: Duration, keys: &str, next: &str) -> anyhow::Result<()> {
    call.answered(PATIENCE).await?;
    call.press(keys)?;
    call.heard(OVERLAY, PATIENCE).await?;
    let began = Instant::now();
    call.press(keys)?;
    call.heard(next, PATIENCE).await?;
    let lasted = began.elapsed();
    let heard = parties::prompts(call);
    ensure!(heard.first().map(String::as_str) == Some(OVERLAY), "{heard:?}");
    ensure!(lasted + TOLERANCE >= whole, "the overlay of {whole:?} was over after {lasted:?}");
    let first_two: Vec<_> = call.transcript().into_iter().map(|event| event.kind).take(2).collect();
    ensure!(!first_two.contains(&TranscriptKind::Interrupted), "{first_two:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_script_and_no_key_skips_the_overlay() -> anyhow::Result<()> {
    let operator = parties::operator().await?;
    let config = ConfigBuilder::new()
        .operator("anna", operator.local_addr())
        .script("hostile", "loop", bundle("hostile")?, APPROVED)
        .number("100", "hostile", "loop")
        .script("hostile", "no-answer", bundle("hostile")?, APPROVED)
        .number("101", "hostile", "no-answer");
    let engine = Engine::start_at(&overlaid(config), Some(NOON)).await?;
    let (phone, whole) = (parties::caller().await?, overlay_length().await?);
    for (number, keys, next) in
        [("100", "0*#1", "Приносим извинения"), ("101", "123", "Приносим извинения"), ("100", "", "Проверка")]
    {
        let call = phone.call(&engine.uri(number), CallOptions::default()).await?;
        overlay_is_heard(&call, whole, keys, next).await.with_context(|| format!("{number} {keys}"))?;
        call.hangup()?;
        call.wait_ended(PATIENCE).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overlay_is_heard_without_back_end_and_without_store() -> anyhow::Result<()> {
    let (folder, operator) = (tempfile::tempdir()?, parties::operator().await?);
    let back_end = SampleBackend::start().await?;
    let (passport, extra) = bundles::with_back_end("passport", back_end.address, folder.path())?;
    drop(back_end);
    let config = ConfigBuilder::new()
        .operator("anna", operator.local_addr())
        .script("migration", "passport", passport, &extra)
        .number("100", "migration", "passport")
        .script("probe", "keep", bundle("probe")?, APPROVED)
        .number("101", "probe", "keep")
        // Nothing new is promised below this, and no disk has as much free.
        .free_percent_min(100);
    let engine = Engine::start_at(&overlaid(config), Some(NOON)).await?;
    // The store's folder goes away under the engine's feet.
    let store = engine.config.with_file_name("store");
    std::fs::rename(&store, store.with_file_name("gone"))?;
    std::fs::write(&store, "")?;
    let (phone, whole) = (parties::caller().await?, overlay_length().await?);
    for (number, next) in [("100", "Готовность паспорта"), ("101", "Не записано")] {
        let call = phone.call(&engine.uri(number), CallOptions::default()).await?;
        overlay_is_heard(&call, whole, "", next).await.with_context(|| number.to_owned())?;
        call.hangup()?;
        call.wait_ended(PATIENCE).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_for_one_agency_is_not_heard_by_another() -> anyhow::Result<()> {
    let config = ConfigBuilder::new()
        .script("probe", "tell", bundle("probe")?, APPROVED)
        .number("100", "probe", "tell")
        .script("hostile", "log-flood", bundle("hostile")?, APPROVED)
        .number("101", "hostile", "log-flood")
        .extra(&format!("[[overlay]]\ntext = {OVERLAY:?}\nagencies = [\"hostile\"]\n"));
    let engine = Engine::start_at(&config, Some(NOON)).await?;
    let phone = parties::caller().await?;
    for (number, first) in [("100", "Первая версия."), ("101", OVERLAY)] {
        let call = phone.call(&engine.uri(number), CallOptions::default()).await?;
        call.heard("", PATIENCE).await?;
        ensure!(parties::prompts(&call)[0] == first, "{:?}", parties::prompts(&call));
        call.hangup()?;
        call.wait_ended(PATIENCE).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_keeps_the_version_that_it_began_with() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let old = bundle("probe")?;
    let new = bundles::changed("probe", folder.path(), |files| {
        bundles::edit_manifest(files, "1.0.0", "1.1.0");
        files.insert("data/line.txt".to_owned(), "Вторая версия.".into());
    })?;
    let config = ConfigBuilder::new().script("probe", "tell", old.clone(), APPROVED).number("100", "probe", "tell");
    let engine = Engine::start(&config).await?;
    let phone = parties::caller().await?;
    let before = phone.call(&engine.uri("100"), CallOptions::default()).await?;
    before.heard("Первая версия", PATIENCE).await?;
    let text = std::fs::read_to_string(&engine.config)?;
    let deployed = text.replace(&*old.to_string_lossy(), &new.to_string_lossy());
    ensure!(deployed != text, "{text}");
    std::fs::write(&engine.config, deployed)?;
    engine.signal("HUP").await?;
    until("reloaded", async || Ok(engine.log().contains("configuration reloaded"))).await?;
    let after = phone.call(&engine.uri("100"), CallOptions::default()).await?;
    after.heard("Вторая версия", PATIENCE).await?;
    for (call, line) in [(&before, "Первая версия"), (&after, "Вторая версия")] {
        call.press("1")?;
        call.heard(line, PATIENCE).await?;
        ensure!(call.wait_ended(PATIENCE).await?.status == 200, "{line}");
        ensure!(parties::prompts(call).iter().all(|prompt| prompt.starts_with(line)), "{:?}", parties::prompts(call));
    }
    let records = engine.cdrs().await?;
    let mut versions: Vec<_> = records.iter().filter_map(|record| record["began"]["script_version"].as_str()).collect();
    versions.sort_unstable();
    ensure!(versions == ["1.0.0", "1.1.0"], "{records:#?}");
    Ok(())
}
