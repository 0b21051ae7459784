//! kill -9 at random moments of a running campaign: no contact is dialled twice for one attempt, and none is forgotten.
//! (Invariant: acknowledged means durable; a claim is durable before anybody is dialled.)
//!
//! `GUDOK_KILLS=200` for as many moments as one has patience for.
#![allow(clippy::print_stderr, reason = "figures for people")]

use anyhow::{Context, ensure};
use gudok_sockets::campaigns::{Campaign, counts};
use gudok_sockets::{ConfigBuilder, Engine, Farm};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

const SEED: u64 = 5;
const KILLS_DEFAULT: u32 = 10;
/// Everybody may be called: it is noon where the numbers are.
const NOON: &str = "2026-05-05T12:00:00+07:00";
/// Between two deaths at most.
const LIFE_MS: u64 = 3_000;
const CALLS_PER_S: u32 = 20;
/// Enough that the campaign is still running at the last death.
const CONTACTS_PER_KILL: u32 = 60;
const PRESSES_AFTER: Duration = Duration::from_secs(1);
/// What is left after the last death.
const REST_MAX: Duration = Duration::from_secs(900);

fn kills() -> u32 {
    std::env::var("GUDOK_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(KILLS_DEFAULT)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_the_engine_dies_nobody_is_dialled_twice_for_an_attempt_and_nobody_is_forgotten() -> anyhow::Result<()>
{
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut town = Farm::open(PRESSES_AFTER).await?;
    let config = ConfigBuilder::new()
        .script("emergency", "flood", gudok_sockets::bundle("flood")?, "approve = \"as-declared\"")
        .extra("[campaigns]\ncalls_max = 400\ncalls_per_s_max = 100\n")
        .extra(&town.trunk("city", "campaigns = { calls_max = 400, calls_per_s_max = 100 }"))
        .log("gudok=warn");
    let mut engine = Engine::start_at(&config, Some(NOON)).await?;
    let contacts = CONTACTS_PER_KILL * kills();
    let campaign = {
        let document = json!({
            "agency": "emergency", "entry": "flood", "trunk": "city", "window": "mon-sun 00:00-24:00",
            "calls_per_s_max": CALLS_PER_S, "calls_max": 400, "ring_s": 5, "attempts_max": 1, "attempts_per_day_max": 1,
            "unknown": "ask", "retries": {},
        });
        let campaign = Campaign::make(&engine.api()?, "kills", &document).await?;
        let mut list = String::from("number,id,message\n");
        for number in 0..contacts {
            let _ = writeln!(list, "+7914{number:07},c{number},Проверка.");
        }
        campaign.import(&list).await?;
        campaign.order("start").await?;
        campaign
    };
    for _ in 0..kills() {
        let moment = Duration::from_millis(dice.random_range(0..LIFE_MS));
        // Dead at that moment, or before it if the engine went by itself.
        let _ = tokio::time::timeout(moment, engine.ended()).await;
        engine = engine.kill_and_restart_at(NOON).await?;
    }
    let campaign = campaign.again(&engine.api()?);
    let left = |figures: &serde_json::Value| {
        let states = counts(&figures["states"]);
        ["waiting", "claimed"].iter().filter_map(|state| states.get(*state)).sum::<u64>()
    };
    let figures = campaign
        .until(REST_MAX, "everybody was called, or is shown", |figures| {
            figures["loading"] == false && left(figures) == 0
        })
        .await
        .with_context(|| engine.log())?;
    town.is_open()?;

    let rung = town.times()?;
    let all = campaign.contacts().await?;
    ensure!(all.len() == usize::try_from(contacts)?, "{} contacts of {contacts}", all.len());
    let mut standing = BTreeMap::new();
    for contact in &all {
        *standing.entry(contact["state"].as_str().unwrap_or_default().to_owned()).or_insert(0_u32) += 1;
    }
    let dialled: u32 = rung.values().sum();
    eprintln!("{} kills: {standing:?}, {dialled} dialled", kills());
    for (number, times) in &rung {
        ensure!(*times == 1, "…{} was dialled {times} times for one attempt", &number[number.len() - 3..]);
    }
    // Whoever was dialled is done or shown to people; whoever is done by a call was dialled.
    let unknown = standing.get("unknown").copied().unwrap_or(0);
    ensure!(standing.get("done").copied().unwrap_or(0) + unknown == contacts, "{standing:?}: {figures}");
    ensure!(unknown > 0, "no death came in the middle of a call: {standing:?}");
    ensure!(dialled + unknown >= contacts && dialled <= contacts, "{dialled} of {contacts} dialled, {unknown} unknown");

    // A person's word, and only that, has them called again.
    let first = all.iter().find(|contact| contact["state"] == "unknown").context("none")?;
    let decide = format!("/campaigns/kills/contacts/{}/decide", first["no"]);
    let decision = json!({ "decision": "take-for-made" });
    let decided = campaign.api.post(&decide, &decision).await?.expect(200)?.json();
    ensure!(decided["state"] == "done" && decided["disposition"] == "unknown", "{decided}");
    Ok(())
}
