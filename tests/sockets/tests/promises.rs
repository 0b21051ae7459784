//! kill -9 while tickets are being registered and delivered: what was answered is kept and arrives, and nothing is there
//! twice. (Invariant: acknowledged means durable.)
#![allow(clippy::print_stderr, reason = "figures for people")]

use anyhow::{Context, ensure};
use gudok_sockets::parties::until;
use gudok_sockets::{Api, ConfigBuilder, Engine, SampleBackend};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tokio::sync::mpsc;

const SEED: u64 = 8;
/// Times that the engine is killed.
const KILLS: usize = 100;
/// People who register tickets at once.
const CLERKS: usize = 4;
/// Tickets that are answered before a kill, at most.
const ANSWERED_MAX: usize = 6;
const AGENCY: &str = "water";
/// What the sample back end's receiver expects.
const SECRET: &str = "whsec_c2FtcGxlLXdlYmhvb2stc2VjcmV0";

fn config(backend: &SampleBackend, folder: &Path) -> anyhow::Result<ConfigBuilder> {
    let secret = folder.join("webhook-secret");
    std::fs::write(&secret, SECRET)?;
    let url = format!("http://{}/webhook", backend.address);
    let webhook = format!("webhook = {{ url = {url:?}, secret_file = {secret:?} }}");
    Ok(ConfigBuilder::new().extra(&format!("[[agency]]\nname = {AGENCY:?}\nfallback = \"operators\"\n{webhook}\n")))
}

/// The number, where the engine lived to answer.
async fn register(api: &Api, key: &str) -> anyhow::Result<String> {
    let body =
        json!({ "kind": "complaint", "agency": AGENCY, "text": format!("нет воды, {key}"), "idempotency_key": key });
    let answer = api.send_patiently(api.request("POST", "/tickets").json(&body)).await?;
    let number = answer.expect(201)?.json();
    Ok(number["number"].as_str().context("no number")?.to_owned())
}

/// Registers ticket after ticket until the engine is gone, and tells every key before it is used and every answer.
async fn clerk(api: Api, name: String, told: mpsc::UnboundedSender<(String, Option<String>)>) {
    for at in 0.. {
        let key = format!("{name}-{at}");
        if told.send((key.clone(), None)).is_err() {
            return;
        }
        let Ok(number) = register(&api, &key).await else { return };
        if told.send((key, Some(number))).is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_survive_kill_9_and_arrive_each_under_its_own_key() -> anyhow::Result<()> {
    let mut dice = StdRng::seed_from_u64(SEED);
    let (backend, folder) = (SampleBackend::start().await?, tempfile::tempdir()?);
    gudok_sockets::http::post(backend.address, "/flaky", r#"{"route":"/webhook","kind":"500","percent":10,"seed":8}"#)
        .await?
        .expect(204)?;
    let mut engine = Engine::start(&config(&backend, folder.path())?).await?;
    let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
    for kill in 0..KILLS {
        let (told, mut hear) = mpsc::unbounded_channel();
        let api = engine.api()?;
        let clerks: Vec<_> =
            (0..CLERKS).map(|at| tokio::spawn(clerk(api.clone(), format!("{kill}-{at}"), told.clone()))).collect();
        drop(told);
        let enough = dice.random_range(1..=ANSWERED_MAX);
        let mut answered = 0;
        while answered < enough {
            let (key, number) = hear.recv().await.context("nobody registers any more")?;
            answered += usize::from(number.is_some());
            known.insert(key, number);
        }
        engine = engine.kill_and_restart().await?;
        for clerk in clerks {
            clerk.await?;
        }
        while let Some((key, number)) = hear.recv().await {
            known.insert(key, number);
        }
    }
    let api = engine.api()?;
    let mut numbers = BTreeSet::new();
    let answered = known.values().flatten().count();
    for (key, before) in &known {
        let number = register(&api, key).await.with_context(|| key.clone())?;
        ensure!(before.as_ref().is_none_or(|before| *before == number), "{key} was {before:?} and is {number}");
        ensure!(numbers.insert(number.clone()), "{number} stands for two keys");
    }
    let tickets = api.list(&format!("/tickets?agency={AGENCY}")).await?;
    let kept: BTreeSet<String> =
        tickets.iter().filter_map(|ticket| ticket["number"].as_str().map(str::to_owned)).collect();
    ensure!(kept == numbers && tickets.len() == numbers.len(), "{} tickets for {} keys", tickets.len(), numbers.len());
    until("every ticket has arrived", async || {
        let figures = gudok_sockets::http::get(backend.address, "/webhook").await?.json();
        Ok(figures["keys"].as_u64() == Some(numbers.len() as u64))
    })
    .await?;
    let arrived = gudok_sockets::http::get(backend.address, "/webhook/deliveries").await?.json();
    let arrived = arrived.as_object().context("no deliveries")?;
    let of = |delivery: &serde_json::Value| delivery["body"]["data"]["number"].as_str().map(str::to_owned);
    let there: BTreeSet<String> = arrived.values().filter_map(of).collect();
    ensure!(there == numbers && arrived.len() == numbers.len(), "each ticket under one key, and each key one ticket");
    ensure!(arrived.values().all(|delivery| delivery["changed"] == false), "a key means the same thing for ever");
    let again = arrived.values().filter(|delivery| delivery["times"].as_u64() > Some(1)).count();
    eprintln!(
        "{KILLS} kills: {answered} tickets answered, {} unanswered and asked again; {again} came more than once, under their key",
        known.len() - answered
    );
    Ok(())
}
