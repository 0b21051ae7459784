//! Story 10, flood warning. 5,000 numbers, 1 is understood, 2 is repeat; inbound callers hear the overlay first. The
//! trunk's pace is never exceeded; answering machines get the message; the unacknowledged are retried; only the emergency
//! role bypasses calling hours.
//!
//! The callees are SIPp: a town in which every tenth telephone is busy, away, a machine, refuses, hangs up, or listens and
//! presses nothing. Its log of INVITEs is the wire's own word.

use anyhow::{Context, ensure};
use gudok_sockets::campaigns::{Campaign, counts};
use gudok_sockets::farm::{Farm, Kind};
use gudok_sockets::{Api, centre};
use gudok_stories::Story;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Nobody may be called now, but in an emergency.
const NIGHT: &str = "2026-05-05T02:30:00+07:00";
const CONTACTS: u64 = 5_000;
const CALLS_PER_S: u32 = 40;
const CALLS_MAX: u32 = 700;
const ATTEMPTS_MAX: u64 = 2;
/// Who says hello hears who calls, what it is about, and what to press.
const PRESSES_AFTER: Duration = Duration::from_secs(4);
/// Two passes at that pace, the second half a minute after the first; and a machine that is busy with other tests.
const CAMPAIGN_MAX: Duration = Duration::from_secs(900);
const WARNING: &str = "Ожидается подъём воды. Поднимитесь на верхние этажи.";
/// Everything is refused to the rest.
const TENTH: u64 = CONTACTS / 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_are_warned_of_a_flood_by_night() -> anyhow::Result<()> {
    let mut town = Farm::open(PRESSES_AFTER).await?;
    let city =
        town.trunk("city", &format!("campaigns = {{ calls_max = {CALLS_MAX}, calls_per_s_max = {CALLS_PER_S} }}"));
    let bundle = gudok_sockets::bundle("flood")?;
    let story = Story::with(NIGHT, |back_end| {
        Ok(centre::config(back_end)?
            .script("emergency", "flood", bundle, "approve = \"as-declared\"")
            .extra(&format!("[campaigns]\ncalls_max = {CALLS_MAX}\ncalls_per_s_max = 100\n"))
            .extra(&city)
            .media_ports(46_000, 49_999)
            .log("gudok=warn"))
    })
    .await?;
    let admin = story.engine.api()?.person("anna", &json!([{ "role": "admin" }])).await?;
    let officer = admin.person("olga", &json!([{ "role": "emergency-officer" }])).await?;
    let author = admin.person("boris", &json!([{ "role": "author", "agency": "emergency" }])).await?;

    // Whoever has not the role calls nobody by night.
    let refused = author.send(author.request("PUT", "/campaigns/flood").json(&document(true))).await?;
    ensure!(refused.status == 403, "{}: {}", refused.status, refused.body);
    let ordinary = Campaign::make(&author, "ordinary", &document(false)).await?;
    ordinary.import("number\n+79135550000\n").await?;
    ordinary.order("start").await?;

    let flood = Campaign::make(&officer, "flood", &document(true)).await?;
    let list = list();
    let dry = flood.dry_run(list.as_bytes()).await?;
    ensure!(dry["added"] == CONTACTS && dry["bad"] == 0 && dry["forecast"]["first_ms"].is_u64(), "{dry}");
    ensure!(flood.contacts().await?.is_empty(), "a dry run keeps nothing");
    let report = flood.import(&list).await?;
    ensure!(report["added"] == CONTACTS && report["duplicates"] == 0, "{report}");
    flood.order("start").await?;
    everybody_hears_the_overlay(&story, &officer).await?;
    let figures = flood.finished(CAMPAIGN_MAX).await.with_context(|| story.engine.log())?;
    town.is_open()?;

    the_wire_agrees(&town, &flood, &figures).await?;
    let done = counts(&figures["dispositions"]);
    ensure!(done.values().sum::<u64>() == CONTACTS, "{figures}");
    // Every tenth telephone: four presses, and one each of the rest. Detection may be wrong about one in a hundred.
    ensure!(done.get("confirmed").is_some_and(|confirmed| *confirmed >= 4 * TENTH * 99 / 100), "{done:?}");
    for (disposition, people) in [("rejected", TENTH), ("busy", TENTH), ("no-answer", TENTH), ("voicemail", TENTH)] {
        let count = done.get(disposition).copied().unwrap_or(0);
        ensure!(count >= people * 97 / 100, "{disposition}: {count} of {people}: {done:?}");
    }
    ensure!(ordinary.figures().await?["idle"]["code"] == "windows-closed", "an ordinary campaign waits for the day");
    ensure!(!town.times()?.contains_key("+79135550000"), "called by night, and no emergency");
    nobody_is_named(&story, &admin).await
}

/// A campaign of that kind: who does not confirm is called once more.
fn document(emergency: bool) -> Value {
    let soon = json!({ "after_s": 20, "jitter_s": 10, "attempts_max": ATTEMPTS_MAX });
    json!({
        "agency": "emergency", "entry": "flood", "title": "Паводок", "emergency": emergency, "trunk": "city",
        "calls_per_s_max": CALLS_PER_S, "calls_max": CALLS_MAX, "ring_s": 8, "attempts_max": ATTEMPTS_MAX,
        "attempts_per_day_max": ATTEMPTS_MAX, "confirm": true, "on_machine": "message",
        "retries": { "busy": soon, "no-answer": soon, "hung-up": soon, "delivered": soon, "not-dialled": soon },
    })
}

fn list() -> String {
    let mut csv = String::from("number;area;message\n");
    for number in 0..CONTACTS {
        let _ = writeln!(csv, "8913556{number:04};42/zarechny;{WARNING}");
    }
    csv
}

/// While the town is called, whoever calls the centre hears the announcement first, and is served.
async fn everybody_hears_the_overlay(story: &Story, officer: &Api) -> anyhow::Result<()> {
    let overlay = json!({ "text": "Внимание: паводок.", "lang": "ru-RU" });
    officer.send_patiently(officer.request("PUT", "/overlays/flood").json(&overlay)).await?.expect(201)?;
    let line = story.call().await?;
    let first = line.hears("").await?;
    ensure!(first.contains("Внимание: паводок"), "the first words are {first:?}");
    line.asked("Здравствуйте", "1").await?;
    line.hears("Выберите город").await?;
    line.0.hangup()?;
    line.ended().await.map(drop)
}

/// The town's log, the figures and the results say the same.
async fn the_wire_agrees(town: &Farm, flood: &Campaign, figures: &Value) -> anyhow::Result<()> {
    let most = town.most_within(Duration::from_secs(1))?;
    ensure!(most <= usize::try_from(CALLS_PER_S)?, "{most} INVITEs in one second, {CALLS_PER_S} are allowed");
    let rung = town.times()?;
    ensure!(u64::try_from(rung.len())? == CONTACTS, "{} of {CONTACTS} numbers were called", rung.len());
    let mut tried = BTreeMap::new();
    for result in flood.results().await? {
        *tried.entry(result["contact"].as_u64().context("no contact")?).or_insert(0_u64) += 1;
    }
    ensure!(rung.values().map(|times| u64::from(*times)).sum::<u64>() == tried.values().sum::<u64>(), "{figures}");
    ensure!(figures["attempts"] == tried.values().sum::<u64>(), "{figures}");
    for (number, times) in &rung {
        let times = u64::from(*times);
        ensure!(times <= ATTEMPTS_MAX, "{} was called {times} times", Kind::of(number) as u8);
        match Kind::of(number) {
            // Who refuses has said no; a message on a machine is a message.
            Kind::Refuses => ensure!(times == 1, "called again after a refusal"),
            Kind::Busy | Kind::Away | Kind::Listens | Kind::HangsUp => {
                ensure!(times == ATTEMPTS_MAX, "{:?} was called {times} times", Kind::of(number));
            }
            Kind::Presses | Kind::Machine => {}
        }
    }
    Ok(())
}

/// No number in clear in anything that is written down.
async fn nobody_is_named(story: &Story, admin: &Api) -> anyhow::Result<()> {
    let places = [
        ("the log", story.engine.log()),
        ("contacts", admin.read("/campaigns/flood/contacts?limit=1000").await?.to_string()),
        ("results", admin.get("/campaigns/flood/results?format=csv").await?.expect(200)?.body),
        ("call records", admin.read("/cdrs?limit=1000").await?.to_string()),
        ("the audit", admin.read("/audit?limit=1000").await?.to_string()),
    ];
    for (place, text) in places {
        ensure!(!text.contains("913556"), "a number in clear in {place}");
    }
    Ok(())
}
