//! What an admin does with the engine: watch it, change it, stop it, read its records, try a prompt.

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, Party};
use gudok_sockets::parties::{self, PATIENCE, until};
use gudok_sockets::{ConfigBuilder, Engine, bundle, http};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// A caller's number that must be seen nowhere.
const CALLER: &str = "79131234567";
/// What [`ConfigBuilder`] lets a drain take.
const DRAIN_MAX: Duration = Duration::from_secs(5);

fn config() -> anyhow::Result<ConfigBuilder> {
    let bench = bundle("bench")?;
    Ok(["sig", "ivr", "l30"]
        .into_iter()
        .zip(["100", "101", "102"])
        .fold(ConfigBuilder::new(), |config, (entry, number)| {
            config.script("bench", entry, bench.clone(), "").number(number, "bench", entry)
        }))
}

async fn served_call(engine: &Engine, number: &str) -> anyhow::Result<()> {
    let phone = parties::caller().await?;
    let options = CallOptions { from_user: CALLER.to_owned(), ..CallOptions::default() };
    let call = phone.call(&engine.uri(number), options).await?;
    call.answered(PATIENCE).await?;
    let end = call.wait_ended(PATIENCE).await?;
    ensure!(end.by == Party::Peer && end.oddities.is_empty(), "{end:?}");
    Ok(())
}

/// Every value of every label on the page, with its label's name.
fn labels(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.lines().filter(|line| !line.starts_with('#')).flat_map(|line| {
        let inside = line.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map_or("", |(inside, _)| inside);
        inside
            .split("\",")
            .filter_map(|pair| pair.split_once("=\""))
            .map(|(name, value)| (name, value.trim_end_matches('"')))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_are_there_and_name_nobody() -> anyhow::Result<()> {
    let engine = Engine::start(&config()?).await?;
    for (path, body) in [("/health", "alive"), ("/ready", "ready")] {
        let answer = http::get(engine.http, path).await?;
        ensure!(answer.status == 200 && answer.body.contains(body), "{path}: {answer:?}");
    }
    served_call(&engine, "100").await?;
    let records = engine.cdrs().await?;
    let call_id = records[0]["began"]["call_id"].as_str().context("a record without call")?.to_owned();
    let page = http::get(engine.http, "/metrics").await?.body;
    for name in
        ["gudok_calls_total", "gudok_calls_live", "gudok_legs_total", "gudok_media_packets_sent", "gudok_sip_events"]
    {
        ensure!(page.contains(name), "{name} is missing: {page}");
    }
    ensure!(page.contains("gudok_calls_total{agency=\"bench\",outcome=\"served\"} 1"), "{page}");
    ensure!(page.lines().all(|line| line.starts_with('#') || line.is_empty() || line.starts_with("gudok_")), "{page}");
    ensure!(!page.contains(&call_id) && !page.contains(CALLER), "{page}");
    let mut seen = 0;
    for (name, value) in labels(&page).filter(|(name, _)| !matches!(*name, "le" | "quantile")) {
        seen += 1;
        let digits = value.chars().filter(char::is_ascii_digit).count();
        ensure!(digits <= 3, "the label {name} has the value {value:?}: is that a number or an id?");
    }
    ensure!(seen > 0, "no label was looked at: {page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_calls_finish_and_takes_no_more() -> anyhow::Result<()> {
    let mut engine = Engine::start(&config()?).await?;
    let phone = parties::caller().await?;
    let call = phone.call(&engine.uri("101"), CallOptions::default()).await?;
    call.audible(PATIENCE).await?;
    engine.signal("TERM").await?;
    until("not ready any more", async || Ok(http::get(engine.http, "/ready").await?.status == 503)).await?;
    let refused = phone.call(&engine.uri("100"), CallOptions::default()).await?.wait_ended(PATIENCE).await?;
    ensure!(refused.status == 503 && refused.retry_after_s.is_some(), "{refused:?}");
    call.press("1")?;
    call.heard("p1", PATIENCE).await?;
    let end = call.wait_ended(PATIENCE).await?;
    ensure!(end.by == Party::Peer && end.status == 200, "{end:?}");
    let one_second = 50;
    ensure!(end.stats.packets >= one_second && end.stats.late_packets == 0, "{:?}", end.stats);
    ensure!(engine.ended().await?.success(), "{}", engine.log());
    let records = cdrs_of_stopped(&engine, &[]).await?;
    ensure!(records.lines().count() == 1 && records.contains("\"normal"), "{records}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drain_deadline_ends_calls_that_go_on() -> anyhow::Result<()> {
    let mut engine = Engine::start(&config()?).await?;
    let phone = parties::caller().await?;
    let call = phone.call(&engine.uri("102"), CallOptions::default()).await?;
    call.audible(PATIENCE).await?;
    let told = Instant::now();
    engine.signal("TERM").await?;
    let end = call.wait_ended(PATIENCE).await?;
    let went_on = told.elapsed();
    ensure!(end.by == Party::Peer, "{end:?}");
    ensure!(went_on >= DRAIN_MAX && went_on < DRAIN_MAX * 2, "the call went on for {went_on:?}");
    ensure!(engine.ended().await?.success(), "{}", engine.log());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sigterm_does_not_wait() -> anyhow::Result<()> {
    let mut engine = Engine::start(&config()?).await?;
    let phone = parties::caller().await?;
    let call = phone.call(&engine.uri("102"), CallOptions::default()).await?;
    call.audible(PATIENCE).await?;
    let told = Instant::now();
    engine.signal("TERM").await?;
    until("draining", async || Ok(engine.log().contains("draining"))).await?;
    engine.signal("TERM").await?;
    call.wait_ended(PATIENCE).await?;
    ensure!(engine.ended().await?.success(), "{}", engine.log());
    ensure!(told.elapsed() < DRAIN_MAX, "{:?}", told.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_rereads_the_file_and_a_faulty_one_changes_nothing() -> anyhow::Result<()> {
    let engine = Engine::start(&config()?).await?;
    let phone = parties::caller().await?;
    let status = async |number: &str| -> anyhow::Result<u16> {
        Ok(phone.call(&engine.uri(number), CallOptions::default()).await?.wait_ended(PATIENCE).await?.status)
    };
    ensure!(status("777").await? == 404, "the number is there too early");
    let text = std::fs::read_to_string(&engine.config)?;
    let more = format!("{text}\n[[number]]\nnumber = \"777\"\nagency = \"bench\"\nentry = \"sig\"\n");
    std::fs::write(&engine.config, &more)?;
    engine.signal("HUP").await?;
    until("reloaded", async || Ok(engine.log().contains("configuration reloaded"))).await?;
    ensure!(status("777").await? == 200, "the new number does not work");
    std::fs::write(
        &engine.config,
        format!("{more}\n[[number]]\nnumber = \"778\"\nagency = \"nobody\"\nentry = \"x\"\n"),
    )?;
    engine.signal("HUP").await?;
    until("refused", async || Ok(engine.log().contains("the configuration was not reloaded"))).await?;
    until("why", async || Ok(engine.log().contains("no agency is called \"nobody\""))).await?;
    ensure!(status("777").await? == 200 && status("778").await? == 404, "a faulty file changed something");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_has_one_span_in_the_log_and_no_number() -> anyhow::Result<()> {
    let engine = Engine::start(&config()?.log("info,gudok=debug,rsipstack=error,sled=warn")).await?;
    for _ in 0..2 {
        served_call(&engine, "100").await?;
    }
    let records = engine.cdrs().await?;
    let log = plain(&engine.log());
    let spans: BTreeSet<&str> = log
        .lines()
        .filter_map(|line| line.split_once("call{id=")?.1.split_once([' ', '}']))
        .map(|(id, _)| id)
        .collect();
    let calls: BTreeSet<&str> = records.iter().filter_map(|record| record["began"]["call_id"].as_str()).collect();
    ensure!(calls.len() == 2 && spans == calls, "spans {spans:?}, calls {calls:?}: {log}");
    for line in log.lines().filter(|line| line.contains("leg ended")) {
        ensure!(line.matches("call{id=").count() == 1, "{line}");
        ensure!(line.contains("agency=bench") && line.contains("entry=sig"), "{line}");
    }
    ensure!(!log.contains(CALLER) && !log.contains(&CALLER[1..]), "{log}");
    Ok(())
}

/// Without the colours of a terminal.
fn plain(log: &str) -> String {
    let mut text = String::with_capacity(log.len());
    let mut rest = log;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        text.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    text + rest
}

/// A program's answer: whether it succeeded, and all that it said.
async fn gudok(arguments: &[&str], folder: &Path) -> anyhow::Result<(bool, String)> {
    let output = Command::new(gudok_sockets::program("gudok")?)
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(std::process::Stdio::null())
        .output()
        .await?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8(said)?))
}

#[tokio::test]
async fn check_config_names_line_and_remedy_of_every_fault() -> anyhow::Result<()> {
    const FAULTY: &str = "[sip]\nlisten = [\"ftp://127.0.0.1:5070\"]\n\n[store]\ndir = \"data\"\n\n\
        [[group]]\nname = \"operators\"\ncalendar = \"day\"\n\n\
        [[agency]]\nname = \"mfc\"\nfallback = \"operators\"\n\n\
        [[number]]\nnumber = \"122\"\nagency = \"mfc\"\nentry = \"desk\"\n";
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("faulty.toml"), FAULTY)?;
    let (fine, said) = gudok(&["check-config", "faulty.toml"], folder.path()).await?;
    ensure!(!fine, "{said}");
    for (line, fault, remedy) in [
        (2, "\"ftp://127.0.0.1:5070\" is nothing to listen on", "write \"udp://127.0.0.1:5060\""),
        (9, "no calendar is called \"day\"", "add a [[calendar]] with that name"),
        (18, "the agency \"mfc\" has no script at the entry \"desk\"", "add a [[agency.script]] with that entry"),
    ] {
        for part in [&format!("faulty.toml:{line}:"), fault, remedy] {
            ensure!(said.contains(part), "{part} is not in: {said}");
        }
    }
    let good = config()?.text(folder.path());
    std::fs::write(folder.path().join("good.toml"), good)?;
    let (fine, said) = gudok(&["check-config", "good.toml"], folder.path()).await?;
    ensure!(fine && said.contains("good.toml is in order") && said.contains("bench/sig"), "{said}");
    let (fine, said) = gudok(&["check-config", "none.toml"], folder.path()).await?;
    ensure!(!fine && said.contains("none.toml") && said.contains("OPERATING.md"), "{said}");
    Ok(())
}

#[tokio::test]
async fn say_gives_words_and_sound() -> anyhow::Result<()> {
    const PROMPT: &str = r#"[{"text": "Вы"}, {"ordinal": {"value": 21}}, {"text": "в очереди."}]"#;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("prompt.json"), PROMPT)?;
    let (fine, said) = gudok(&["say", "prompt.json", "--text"], folder.path()).await?;
    ensure!(fine && said.trim() == "Вы двадцать первый в очереди.", "{said}");
    let (fine, said) = gudok(&["say", "prompt.json", "--wav", "prompt.wav"], folder.path()).await?;
    ensure!(fine, "{said}");
    let mut sound = hound::WavReader::open(folder.path().join("prompt.wav"))?;
    let form = sound.spec();
    ensure!((form.sample_rate, form.channels, form.bits_per_sample) == (16_000, 1, 16), "{form:?}");
    let samples = sound.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
    let loud = samples.iter().filter(|sample| sample.unsigned_abs() > 1_000).count();
    ensure!(samples.len() > 16_000 && loud > samples.len() / 20, "{loud} loud of {} samples", samples.len());
    std::fs::write(folder.path().join("bad.json"), r#"[{"ordinol": 1}]"#)?;
    let (fine, said) = gudok(&["say", "bad.json"], folder.path()).await?;
    ensure!(!fine && said.contains("ordinol"), "{said}");
    Ok(())
}

/// What `gudok cdrs` prints of an engine that has stopped.
async fn cdrs_of_stopped(engine: &Engine, more: &[&str]) -> anyhow::Result<String> {
    let folder = engine.config.parent().context("the configuration's folder")?;
    let (fine, said) = gudok(&[&["cdrs", "--config", "gudok.toml"], more].concat(), folder).await?;
    ensure!(fine, "{said}");
    Ok(said)
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_stopped_engine_are_read_as_json_and_csv() -> anyhow::Result<()> {
    const CALLS: usize = 3;
    let mut engine = Engine::start(&config()?).await?;
    for _ in 0..CALLS {
        served_call(&engine, "100").await?;
    }
    let folder = engine.config.parent().context("the configuration's folder")?.to_owned();
    let (fine, said) = gudok(&["cdrs", "--config", "gudok.toml"], &folder).await?;
    ensure!(!fine && said.contains("/api/v1/cdrs"), "a running engine is asked otherwise: {said}");
    let over_http = engine.cdrs().await?;
    let csv_over_http = engine.cdrs_as_csv().await?;
    engine.signal("TERM").await?;
    ensure!(engine.ended().await?.success(), "{}", engine.log());
    let lines = cdrs_of_stopped(&engine, &[]).await?;
    let records = lines.lines().map(serde_json::from_str).collect::<Result<Vec<serde_json::Value>, _>>()?;
    let mut ids: Vec<_> = records.iter().map(|record| record["call_id"].clone()).collect();
    let mut ids_over_http: Vec<_> = over_http.iter().map(|record| record["began"]["call_id"].clone()).collect();
    ids.sort_by_key(ToString::to_string);
    ids_over_http.sort_by_key(ToString::to_string);
    ensure!(ids == ids_over_http && ids.len() == CALLS, "{records:#?}");
    let csv = cdrs_of_stopped(&engine, &["--csv"]).await?;
    ensure!(csv.lines().count() == CALLS + 1 && csv.trim() == csv_over_http.trim(), "{csv}");
    let header = csv.lines().next().unwrap_or_default();
    ensure!(["call_id", "agency", "cause"].iter().all(|column| header.contains(column)), "{header}");
    ensure!(!lines.contains(CALLER) && !csv.contains(CALLER), "a caller's number is in the records");
    let other = cdrs_of_stopped(&engine, &["--agency", "nobody"]).await?;
    ensure!(other.is_empty(), "{other}");
    Ok(())
}

#[tokio::test]
async fn a_bundle_is_packed_and_says_what_it_is() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let stage = gudok_sockets::root().join("plugins/target/stages/probe");
    let (content, module) = (stage.join("folder"), stage.join("module.wasm"));
    let pack = ["bundle", "pack", &content.to_string_lossy(), "--module", &module.to_string_lossy()];
    let (fine, said) = gudok(&pack, folder.path()).await?;
    ensure!(fine && said.contains("probe-1.0.0.ivr"), "{said}");
    let packed = std::fs::read(folder.path().join("probe-1.0.0.ivr"))?;
    ensure!(packed == std::fs::read(bundle("probe")?)?, "the same content gives other bytes");
    let (fine, said) = gudok(&["bundle", "inspect", "probe-1.0.0.ivr", "--lang", "en"], folder.path()).await?;
    ensure!(fine && said.starts_with("probe 1.0.0, of the agency probe: answers calls"), "{said}");
    ensure!(said.contains("keep data between calls in the buckets probe") && said.contains("data files  1"), "{said}");
    let (fine, said) = gudok(&["bundle", "inspect", "probe-1.0.0.ivr", "--json"], folder.path()).await?;
    let answer: serde_json::Value = serde_json::from_str(&said)?;
    ensure!(fine && answer["name"] == "probe" && answer["data"][0] == "line.txt", "{answer:#}");
    Ok(())
}
