//! kill -9 at random moments of callbacks and of an appointment: what was promised is kept or shown to people, and nobody is
//! called, and nothing is booked, twice. (Invariant: acknowledged means durable.)
//!
//! `GUDOK_KILLS=100` for as many moments as one has patience for.
#![allow(clippy::print_stderr, reason = "figures for people")]

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, OnIncoming, Phone, PhoneConfig, tone};
use gudok_sockets::parties::{self, NOON, PATIENCE, until, until_within};
use gudok_sockets::{Api, ConfigBuilder, Engine, SampleBackend, centre, http};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

const SEED: u64 = 4;
const KILLS_DEFAULT: u32 = 8;
/// From the booking to the talk: the operator is rung and hears whom the call is for, the caller is rung.
const WAY_MS: u64 = 12_000;
/// From the call to the code.
const BOOKING_MS: u64 = 9_000;
const TALK: Duration = Duration::from_secs(2);
const HUM_MS: u32 = 60_000;
const SHIFT: Duration = Duration::from_secs(900);

fn kills() -> u32 {
    std::env::var("GUDOK_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(KILLS_DEFAULT)
}

/// A telephone that answers everything, and how often each number was called there.
struct Town {
    phone: Arc<Phone>,
    calls: JoinHandle<BTreeMap<String, u32>>,
    stop: tokio::sync::oneshot::Sender<()>,
}

impl Town {
    async fn open() -> anyhow::Result<Self> {
        let options = CallOptions { microphone: tone(&[600.0], HUM_MS), ..CallOptions::default() };
        let on_incoming = OnIncoming::Answer { after: Duration::from_millis(300) };
        let bind = "127.0.0.2:0".parse()?;
        let phone = Arc::new(Phone::start(PhoneConfig { bind, on_incoming, options, ..PhoneConfig::default() }).await?);
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let rung = Arc::clone(&phone);
        let calls = tokio::spawn(async move {
            let mut calls = BTreeMap::new();
            loop {
                tokio::select! {
                    incoming = rung.incoming(SHIFT) => {
                        let Ok(incoming) = incoming else { return calls };
                        let uri = incoming.request_uri().to_owned();
                        let user = uri.trim_start_matches("sip:").split('@').next().unwrap_or_default().to_owned();
                        *calls.entry(user).or_insert(0) += 1;
                    }
                    _ = &mut stopped => return calls,
                }
            }
        });
        Ok(Self { phone, calls, stop })
    }

    async fn closed(self) -> anyhow::Result<BTreeMap<String, u32>> {
        let _ = self.stop.send(());
        Ok(self.calls.await?)
    }
}

/// An operator who talks for a moment with whoever is there.
async fn operator() -> anyhow::Result<(std::net::SocketAddr, JoinHandle<()>)> {
    let phone = parties::operator().await?;
    let at = phone.local_addr();
    let work = tokio::spawn(async move {
        while let Ok(incoming) = phone.incoming(SHIFT).await {
            let call = incoming.call();
            // The caller is there once somebody hums besides the host's own words; whoever waits longer gives up.
            if call.wait_ended(Duration::from_millis(WAY_MS) + TALK).await.is_err() {
                let _ = call.hangup();
            }
        }
    });
    Ok((at, work))
}

fn config(operators: &[std::net::SocketAddr], town: &Town) -> ConfigBuilder {
    let mut toml = format!(
        "[[trunk]]\nname = \"city\"\nproxy = \"{}\"\n\n\
         [[queue]]\nname = \"operators\"\nwrap_up_s = 0\n\
         callback = {{ trunk = \"city\", dialable = [\"+7\"], open_max = 1000 }}\n\n",
        town.phone.local_addr()
    );
    for (at, address) in operators.iter().enumerate() {
        toml.push_str(&format!(
            "[[operator]]\nname = \"operator-{at}\"\naddress = \"sip:o{at}@{address}\"\nqueues = [\"operators\"]\nalways_ready = true\n\n"
        ));
    }
    ConfigBuilder::new()
        .extra("[[agency]]\nname = \"centre\"\nfallback = \"operators\"\nqueue = \"operators\"\n")
        .extra(&toml)
}

async fn book(api: &Api, number: &str) -> anyhow::Result<()> {
    let body = json!({"queue": "operators", "agency": "centre", "number": number, "topic": "проверка"});
    api.post("/callbacks", &body).await?.expect(201).map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promised_callback_is_kept_or_shown_and_never_made_twice() -> anyhow::Result<()> {
    let mut dice = StdRng::seed_from_u64(SEED);
    let town = Town::open().await?;
    let (first, _first) = operator().await?;
    let (second, _second) = operator().await?;
    let mut engine = Engine::start(&config(&[first, second], &town)).await?;
    let mut promised = Vec::new();
    for kill in 0..kills() {
        let api = engine.api()?;
        let number = format!("+7913555{:04}", 3_000 + kill);
        book(&api, &number).await?;
        promised.push(number);
        let moment = Duration::from_millis(dice.random_range(0..WAY_MS));
        // Dead at that moment, or before it if the engine went by itself.
        let _ = tokio::time::timeout(moment, engine.ended()).await;
        engine = engine.kill_and_restart().await?;
    }
    let api = engine.api()?;
    let settled = |state: &Value| state == "connected" || state == "unknown" || state == "given-up";
    // Two operators, who give each caller the whole way and a talk.
    let settling = PATIENCE * 2 + Duration::from_millis(WAY_MS) * kills();
    until_within(settling, "every callback is kept or shown", async || {
        Ok(api.list("/callbacks?state=all").await?.iter().all(|callback| settled(&callback["state"])))
    })
    .await?;

    let all = api.list("/callbacks?state=all").await?;
    ensure!(all.len() == promised.len(), "{} promised, {} known: {all:?}", promised.len(), all.len());
    let calls = town.closed().await?;
    let mut states = BTreeMap::new();
    for callback in &all {
        *states.entry(callback["state"].as_str().unwrap_or_default().to_owned()).or_insert(0_u32) += 1;
    }
    eprintln!("{} kills: {states:?}; {} numbers were called", kills(), calls.len());
    ensure!(states.get("connected").is_some_and(|kept| *kept > 0), "none was kept: {states:?}");
    for number in &promised {
        let times = calls.iter().find(|(user, _)| user.ends_with(&number[1..])).map_or(0, |(_, times)| *times);
        ensure!(times <= 1, "{} was called {times} times", &number[number.len() - 2..]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appointment_is_made_once_or_not_at_all_whenever_the_engine_dies() -> anyhow::Result<()> {
    let mut dice = StdRng::seed_from_u64(SEED + 1);
    let back_end = SampleBackend::start().await?;
    let phone = parties::caller().await?;
    let mut engine = Engine::start_at(&centre::config(back_end.address)?, Some(NOON)).await?;
    let mut told = 0_usize;
    for _ in 0..kills() {
        let call = phone.call(&engine.uri(centre::NUMBER), CallOptions::default()).await?;
        let books = async {
            for (words, keys) in [
                ("Здравствуйте", "5"),
                ("Выберите услугу", "1"),
                ("Новокузнецк: нажмите три", "3"),
                ("Выберите день", "1"),
                ("Выберите время", "1"),
                ("Вы записываетесь", "1"),
            ] {
                call.heard(words, PATIENCE).await?;
                call.press(keys)?;
            }
            call.heard("Код записи", PATIENCE).await
        };
        let moment = Duration::from_millis(dice.random_range(0..BOOKING_MS));
        told += usize::from(tokio::time::timeout(moment, books).await.is_ok_and(|heard| heard.is_ok()));
        engine = engine.kill_and_restart_at(NOON).await?;
    }
    let made = http::get(back_end.address, "/mfc").await?.expect(200)?.json();
    let slots: Vec<&str> =
        made["appointments"].as_array().context("no list")?.iter().filter_map(|made| made["slot"].as_str()).collect();
    let mut once = slots.clone();
    once.sort_unstable();
    once.dedup();
    eprintln!("{} kills: {} codes told, {} appointments", kills(), told, slots.len());
    ensure!(once.len() == slots.len(), "a time was booked twice: {slots:?}");
    ensure!(slots.len() >= told, "a code was told without an appointment: {told} told, {slots:?}");
    // What was only held goes back by itself.
    http::post(back_end.address, "/mfc/expire", "{}").await?;
    until("nothing is held", async || Ok(http::get(back_end.address, "/mfc").await?.json()["held"] == 0)).await
}
