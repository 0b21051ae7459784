//! Versions 2 to 50 of a script are deployed one after another while callers call at a steady rate: good ones, ones that
//! are refused before anybody hears them, and ones whose fault shows among callers only. No call is dropped, none is
//! late, none hears two versions, and the memory of the old versions comes back.
//!
//! `GUDOK_CALLS_PER_S` says how many callers; `scripts/bench deploy` runs this on the release build with 200. Without it,
//! the rate is what a debug build carries beside the checks and compilers of fifty bundles on two cores.
#![allow(clippy::print_stderr, reason = "figures for people")]

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, OnIncoming, Party, Phone, PhoneConfig};
use gudok_sockets::load::Load;
use gudok_sockets::parties::{self, NOON, PATIENCE};
use gudok_sockets::{Api, Author, ConfigBuilder, Draft, Engine, bundle};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, JoinSet};

const CALLS_PER_S_DEFAULT: u32 = 40;
const VERSIONS: u32 = 50;
/// The memory is compared from here on: by then every kind of version has been there.
const WARM_VERSIONS: u32 = 10;
/// Callers a second whose telephones listen closely; the rest is SIPp.
const LISTENERS_PER_S: u32 = 5;
const PLACE: &str = "probe/twice";
const NUMBER: &str = "200";
/// Lights the fuse of the versions that fail among callers.
const LIGHTER: &str = "201";
/// Of callers, for versions that fail among them and for good ones that are tried first.
const SHARE_PERCENT: u8 = 25;
/// Longer than any test.
const ALL_DAY: Duration = Duration::from_secs(24 * 3_600);
const GROWTH_PERCENT_MAX: u64 = 10;
/// What the engine may keep of calls that are over, for their traces (`ENDED_BYTES_MAX` of the live calls' table): it fills
/// while the versions come and go, whatever becomes of them.
const TRACES_KIB_MAX: u64 = 32 * 1_024;

/// What is wrong with a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing: it takes everybody at once.
    Good,
    /// Nothing: it takes a share first, then everybody.
    Tried,
    /// The check before refuses it, at that step.
    Refused(&'static str),
    /// It is refused for whose name stands under it.
    Unsigned,
    /// It goes live and does that to its callers.
    Fails(&'static str),
}

fn fate(version: u32) -> Fate {
    const REFUSED: [&str; 5] = ["panic", "loop", "memory", "clock", "signature"];
    const FAILS: [&str; 3] = ["trap", "loop", "memory"];
    let round = (version / 10) as usize;
    match version % 10 {
        3 | 8 => Fate::Tried,
        4 if REFUSED[round % REFUSED.len()] == "signature" => Fate::Unsigned,
        4 => Fate::Refused(REFUSED[round % REFUSED.len()]),
        7 => Fate::Fails(FAILS[round % FAILS.len()]),
        _ => Fate::Good,
    }
}

fn label(version: u32) -> String {
    format!("1.0.{version}")
}

fn line(version: u32) -> String {
    format!("Версия {version}.")
}

/// A version of the script, with a component that nobody has compiled yet.
fn draft(version: u32) -> anyhow::Result<Draft> {
    let draft = Draft::of("probe")?.entry("twice")?.version(&label(version))?.file("data/line.txt", line(version));
    draft.not_compiled_yet(&label(version))
}

struct Town {
    engine: Engine,
    api: Api,
    author: Author,
    stranger: Author,
    operator: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Town {
    async fn open() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let first = folder.path().join("probe-1.0.1.ivr");
        std::fs::write(&first, draft(1)?.unsigned()?)?;
        let operator = Phone::start(PhoneConfig {
            on_incoming: OnIncoming::Answer { after: Duration::ZERO },
            ..PhoneConfig::default()
        })
        .await?;
        let approved = "approve = \"as-declared\"";
        let config = ConfigBuilder::new()
            .operator("anna", operator.local_addr())
            .script("probe", "twice", first, approved)
            .number(NUMBER, "probe", "twice")
            .script("probe", "count", bundle("probe")?, approved)
            .number(LIGHTER, "probe", "count")
            .media_ports(10_000, 19_999)
            .log("warn,gudok=info");
        let engine = Engine::start_at(&config, Some(NOON)).await?;
        let api = engine.api()?;
        let (author, stranger) = (Author::of("probe")?, Author::of("probe")?);
        api.add_key("probe", author.public_key()).await?;
        let phone = parties::caller().await?;
        let lighter = phone.call(&engine.uri(LIGHTER), CallOptions::default()).await?;
        lighter.heard("Звонок", PATIENCE).await?;
        lighter.hangup()?;
        lighter.wait_ended(PATIENCE).await?;
        Ok(Self { engine, api, author, stranger, operator: tokio::spawn(takes_calls(operator)), _folder: folder })
    }

    /// The version's bundle, good or bad.
    fn bundle(&self, version: u32) -> anyhow::Result<Vec<u8>> {
        match fate(version) {
            Fate::Good | Fate::Tried => self.author.bundle(&draft(version)?),
            Fate::Fails(fuse) => self.author.bundle(&draft(version)?.file("data/fuse.txt", fuse)),
            Fate::Unsigned => self.stranger.bundle(&draft(version)?),
            Fate::Refused("clock") => {
                let component = Draft::of("hostile-clock")?.component()?;
                self.author.bundle(&draft(version)?.file("script.wasm", component))
            }
            // The attack is the entry at which it is tried out.
            Fate::Refused(attack) => {
                let hostile = Draft::of("hostile")?.name("probe")?.entry(attack)?.version(&label(version))?;
                self.author.bundle(&hostile.not_compiled_yet(&label(version))?)
            }
        }
    }

    /// Brings a version to its end, whichever that is.
    async fn release(&self, version: u32) -> anyhow::Result<()> {
        let bundle = self.bundle(version)?;
        match fate(version) {
            Fate::Refused(_) | Fate::Unsigned => {
                let stable = self.api.deployment(PLACE).await?.0["stable"].clone();
                let refusal = self.api.upload("probe", &bundle).await?.expect(422)?.json();
                let step = |report: &Value| {
                    let steps = report["steps"].as_array().cloned().unwrap_or_default();
                    steps.into_iter().find(|step| step["result"] == "failed").map(|step| step["step"].clone())
                };
                let failed = step(&refusal["report"]).with_context(|| refusal.to_string())?;
                let expected = match fate(version) {
                    Fate::Unsigned => "signature",
                    Fate::Refused("clock") => "interface",
                    _ => "smoke",
                };
                ensure!(failed == expected, "{failed} instead of {expected}: {refusal}");
                ensure!(self.api.deployment(PLACE).await?.0["stable"] == stable, "a refused version changed something");
            }
            Fate::Good => {
                let id = self.api.publish("probe", &bundle).await?;
                let now = self.api.deploy(PLACE, &json!({ "version": id })).await?;
                ensure!(now["stable"]["label"] == label(version), "{now}");
            }
            Fate::Tried => {
                let id = self.api.publish("probe", &bundle).await?;
                self.api.deploy(PLACE, &json!({ "version": id, "share_percent": SHARE_PERCENT })).await?;
                let now =
                    self.api.post(&format!("/deployments/{PLACE}/release"), &json!({})).await?.expect(200)?.json();
                ensure!(now["stable"]["label"] == label(version) && now["canary"].is_null(), "{now}");
            }
            Fate::Fails(_) => {
                let id = self.api.publish("probe", &bundle).await?;
                self.api.deploy(PLACE, &json!({ "version": id, "share_percent": SHARE_PERCENT })).await?;
                let back = |deployment: &Value| {
                    deployment["canary"].is_null() && deployment["last_rollback"]["from"] == id.as_str()
                };
                let now = self.api.deployment_is(PLACE, "rolled back", back).await?;
                let reason = now["last_rollback"]["reason"].as_str().unwrap_or_default();
                ensure!(now["last_rollback"]["automatic"] == true, "{now}");
                ensure!(reason.contains("stopped by a fault of the script"), "{now}");
            }
        }
        Ok(())
    }
}

/// An operator for whom a greeting is enough.
async fn takes_calls(operator: Phone) {
    let mut talks = JoinSet::new();
    while let Ok(incoming) = operator.incoming(ALL_DAY).await {
        talks.spawn(async move {
            let call = incoming.call();
            let _ = call.answered(PATIENCE).await;
            let _ = call.hangup();
            let _ = call.wait_ended(PATIENCE).await;
        });
        while talks.try_join_next().is_some() {}
    }
}

/// What one close listener noticed.
struct Heard {
    prompts: Vec<String>,
    packets: u64,
    late_packets: u64,
    jumps: u64,
    late_max_ms: f64,
}

/// Of all packets heard. The listeners, the load, the compiler and the engine's debug build share two cores here, so a
/// listener may itself be late to look; `scripts/bench compile` measures lateness with the kernel's clock.
const LATE_PER_MILLE_MAX: u64 = 1;

/// One caller from the first ring to the engine's goodbye.
async fn listen(phone: &Phone, uri: &str, number: usize) -> anyhow::Result<Heard> {
    let options = CallOptions { from_user: format!("+7384200{number:04}"), uplink: false, ..CallOptions::default() };
    let call = phone.call(uri, options).await?;
    let end = call.wait_ended(PATIENCE).await?;
    ensure!(end.status == 200 && end.by == Party::Peer && end.oddities.is_empty(), "{end:?}");
    let stats = &end.stats;
    Ok(Heard {
        prompts: parties::prompts(&call),
        packets: stats.packets,
        late_packets: stats.late_packets,
        jumps: stats.discontinuities,
        late_max_ms: stats.late_max_ms,
    })
}

/// Close listeners, one after another, until it is enough.
async fn listeners(uri: String, enough: Arc<AtomicBool>) -> anyhow::Result<Vec<Heard>> {
    let phone = Arc::new(parties::caller().await?);
    let mut next = tokio::time::interval(Duration::from_secs(1) / LISTENERS_PER_S);
    let mut calls = JoinSet::new();
    while !enough.load(Ordering::Relaxed) {
        next.tick().await;
        let (phone, uri, number) = (Arc::clone(&phone), uri.clone(), calls.len());
        calls.spawn(async move { listen(&phone, &uri, number).await });
    }
    let mut all = Vec::new();
    while let Some(heard) = calls.join_next().await {
        all.push(heard??);
    }
    Ok(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_versions_come_and_go_and_no_caller_notices() -> anyhow::Result<()> {
    let town = Town::open().await?;
    let calls_per_s = match std::env::var("GUDOK_CALLS_PER_S") {
        Ok(rate) => rate.parse().context("GUDOK_CALLS_PER_S")?,
        Err(_) => CALLS_PER_S_DEFAULT,
    };
    let enough = Arc::new(AtomicBool::new(false));
    let listening = tokio::spawn(listeners(town.engine.uri(NUMBER), Arc::clone(&enough)));
    let load = Load::start(town.engine.sip, NUMBER, calls_per_s - LISTENERS_PER_S).await?;
    let (began, mut warm_kib) = (Instant::now(), 0);
    for version in 2..=VERSIONS {
        town.release(version).await.with_context(|| format!("version {version}, {:?}", fate(version)))?;
        if version == WARM_VERSIONS {
            warm_kib = town.engine.rss_kib()?;
        }
    }
    let took = began.elapsed();
    let loaded_kib = town.engine.rss_kib()?;
    enough.store(true, Ordering::Relaxed);
    let heard = listening.await?.context("a listener")?;
    let report = load.finish().await?;
    eprintln!(
        "{VERSIONS} versions in {took:.1?} at {calls_per_s} calls/s: {} served, {} failed, {} sent again; answered in \
         {:.0} ms (p50), {:.0} ms (p99), {:.0} ms (all); memory {warm_kib} KiB at version {WARM_VERSIONS}, {loaded_kib} KiB \
         at version {VERSIONS}",
        report.served,
        report.failed,
        report.sent_again,
        report.answered_within_ms(0.5),
        report.answered_within_ms(0.99),
        report.answered_within_ms(1.0),
    );
    ensure!(report.failed == 0, "{} calls were dropped: {}", report.failed, report.errors);
    ensure!(report.sent_again == 0, "{} messages were answered late", report.sent_again);
    let listened = heard.len() as u64;
    nobody_heard_two_versions(&heard)?;
    records_agree(&town.api, report.served + listened).await?;
    audit_agrees(&town.api).await?;
    let limit_kib = warm_kib + warm_kib * GROWTH_PERCENT_MAX / 100 + TRACES_KIB_MAX;
    ensure!(loaded_kib <= limit_kib, "memory grew from {warm_kib} to {loaded_kib} KiB");
    old_versions_are_freed(&town).await?;
    town.operator.abort();
    Ok(())
}

/// What close listeners heard: one version from the first word to the last, in time.
fn nobody_heard_two_versions(heard: &[Heard]) -> anyhow::Result<()> {
    let failing: BTreeSet<String> =
        (2..=VERSIONS).filter(|version| matches!(fate(*version), Fate::Fails(_))).map(line).collect();
    let (mut landed, mut late_max_ms) = (0, 0.0_f64);
    let (packets, late): (u64, u64) =
        heard.iter().fold((0, 0), |sum, one| (sum.0 + one.packets, sum.1 + one.late_packets));
    ensure!(late * 1_000 <= packets * LATE_PER_MILLE_MAX, "{late} of {packets} packets were late");
    for Heard { prompts, jumps, late_max_ms: late_ms, .. } in heard {
        late_max_ms = late_max_ms.max(*late_ms);
        ensure!(*jumps == 0, "{jumps} jumps: {prompts:?}");
        let first = prompts.first().context("a caller heard nothing")?;
        if failing.contains(first) {
            landed += 1;
            ensure!(prompts.iter().skip(1).all(|prompt| prompt != first), "it went on after its fault: {prompts:?}");
            ensure!(prompts.iter().any(|prompt| prompt.contains("Приносим извинения")), "not landed: {prompts:?}");
        } else {
            ensure!(prompts.len() == 2 && prompts[1] == *first, "two versions in one call: {prompts:?}");
        }
    }
    eprintln!("{} listened, {landed} of them were landed; latest packet {late_max_ms:.1} ms", heard.len());
    Ok(())
}

/// The records: every call that was begun is there, on the version that it was told at the answer.
async fn records_agree(api: &Api, calls: u64) -> anyhow::Result<()> {
    let mut of_version: BTreeMap<String, u32> = BTreeMap::new();
    let records = api.cdrs().await?;
    let of_callers = records.iter().filter(|record| record["began"]["leg"] == 0 && record["began"]["entry"] == "twice");
    for record in of_callers {
        let label = record["began"]["script_version"].as_str().unwrap_or_default();
        *of_version.entry(label.to_owned()).or_default() += 1;
        let version: u32 = label.rsplit('.').next().unwrap_or_default().parse().with_context(|| record.to_string())?;
        let (ended, tags) = (&record["ended"], &record["ended"]["tags"]);
        ensure!(tags["first"] == line(version), "told another version: {record:#}");
        match fate(version) {
            Fate::Fails(_) => {
                ensure!(!ended["landing"].is_null() && ended["transfer"]["result"] == "connected", "{record:#}");
            }
            Fate::Refused(_) | Fate::Unsigned => anyhow::bail!("a refused version had a call: {record:#}"),
            Fate::Good | Fate::Tried => {
                ensure!(tags["last"] == line(version) && ended["landing"].is_null(), "{record:#}");
                ensure!(ended["cause"] == "normal" && ended["ended_by"] == "script", "{record:#}");
            }
        }
    }
    let recorded = u64::from(of_version.values().sum::<u32>());
    ensure!(recorded == calls, "{calls} calls, {recorded} records");
    for version in (1..=VERSIONS).filter(|version| matches!(fate(*version), Fate::Good | Fate::Fails(_))) {
        ensure!(of_version.contains_key(&label(version)), "nobody was served by version {version}: {of_version:?}");
    }
    Ok(())
}

/// The audit: every step is there once, and the chain is whole.
async fn audit_agrees(api: &Api) -> anyhow::Result<()> {
    let entries = api.audit().await?;
    let count = |action: &str| {
        entries.iter().filter(|entry| entry["action"] == action && entry["object"].as_str() == Some(PLACE)).count()
    };
    let versions = |is: fn(Fate) -> bool| (2..=VERSIONS).filter(|version| is(fate(*version))).count();
    // The first version came with the file.
    let by_hand = entries.iter().filter(|entry| entry["action"] == "deploy" && entry["actor"] != "file");
    ensure!(by_hand.count() == versions(|fate| fate == Fate::Good), "deployments: {entries:#?}");
    ensure!(count("canary") == versions(|fate| matches!(fate, Fate::Tried | Fate::Fails(_))), "canaries");
    ensure!(count("release") == versions(|fate| fate == Fate::Tried), "releases");
    ensure!(count("rollback.automatic") == versions(|fate| matches!(fate, Fate::Fails(_))), "roll-backs");
    let refused = entries.iter().filter(|entry| entry["action"] == "bundle.refuse").count();
    ensure!(refused == versions(|fate| matches!(fate, Fate::Refused(_) | Fate::Unsigned)), "{refused} refused");
    api.audit_is_whole().await.map(drop)
}

/// Only what may be gone back to is still loaded, and no call is left on it.
async fn old_versions_are_freed(town: &Town) -> anyhow::Result<()> {
    const KEPT_MAX: usize = 8;
    let idle = |deployment: &Value| {
        let running = deployment["running"].as_array();
        running.is_some_and(|running| running.iter().all(|version| version["calls"] == 0))
    };
    let now = town.api.deployment_is(PLACE, "no call is left", idle).await?;
    let running = now["running"].as_array().context("no list")?;
    ensure!(running.len() <= KEPT_MAX, "{} versions are loaded: {now:#}", running.len());
    Ok(())
}
