//! What becomes of those whom a campaign calls when its script fails them: an apology and goodbye, never silence.

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, IncomingCall, OnIncoming, Phone, PhoneConfig};
use gudok_sockets::parties::{NOON, PATIENCE, until};
use gudok_sockets::{Api, ConfigBuilder, Engine, bundle};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Where telephones are that the engine calls: an address of their own tells them from its callers.
const ELSEWHERE: &str = "127.0.0.2:0";
const APOLOGY: &str = "Приносим извинения: произошёл технический сбой";
/// What each script does to its contact, and what comes of it.
const ATTACKS: [(&str, &str); 7] = [
    ("run-panic", "script-failed"),
    ("run-loop", "script-failed"),
    ("run-memory", "script-failed"),
    ("run-error", "script-failed"),
    ("run-silent", "delivered"),
    ("run-linger", "hung-up"),
    ("", "confirmed"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_a_campaigns_script_fails_is_told_so_and_hung_up_on() -> anyhow::Result<()> {
    let on_incoming = OnIncoming::Answer { after: Duration::from_millis(100) };
    let bind = ELSEWHERE.parse()?;
    let options = CallOptions::default();
    let town = Phone::start(PhoneConfig { bind, on_incoming, options, ..PhoneConfig::default() }).await?;
    let engine = Engine::start_at(&config(&town)?, Some(NOON)).await?;
    let api = engine.api()?;
    let document = json!({
        "agency": "hostile", "entry": "calls", "trunk": "city", "window": "mon-sun 00:00-24:00", "calls_per_s_max": 5,
        "calls_max": 1, "ring_s": 10, "attempts_max": 1, "attempts_per_day_max": 1, "retries": {},
        "on_machine": "ignore", "script_failures_max": 0,
    });
    let request = api.request("PUT", "/campaigns/attacks").json(&document);
    api.send_patiently(request).await?.expect(201)?;
    let mut list = String::from("number,attack\n");
    for (at, (attack, _)) in ATTACKS.iter().enumerate() {
        let _ = writeln!(list, "+791355500{at:02},{attack}");
    }
    let import = api.request("POST", "/campaigns/attacks/contacts?format=csv").body("text/csv", list.into_bytes());
    api.send_patiently(import).await?.expect(200)?;
    api.post("/campaigns/attacks/start", &json!({})).await?.expect(200)?;
    // One at a time, in the order of the list.
    for (attack, _) in ATTACKS {
        let rung = town.incoming(PATIENCE).await.with_context(|| engine.log())?;
        is_not_left_alone(&rung, attack).await.with_context(|| format!("{attack:?}: {}", engine.log()))?;
    }
    until("the campaign is over", async || Ok(api.read("/campaigns/attacks").await?["figures"]["state"] == "finished"))
        .await
        .with_context(|| engine.log())?;
    let expected: BTreeMap<u64, &str> = (0_u64..).zip(ATTACKS.map(|(_, disposition)| disposition)).collect();
    ensure!(dispositions(&api).await? == expected.iter().map(|(at, word)| (*at, (*word).to_owned())).collect());
    the_records_say_the_same(&api, &expected).await
}

fn config(town: &Phone) -> anyhow::Result<ConfigBuilder> {
    let city = format!(
        "[[trunk]]\nname = \"city\"\nproxy = \"{}\"\ntranscript = true\n\
         campaigns = {{ calls_max = 10, calls_per_s_max = 10 }}\n",
        town.local_addr()
    );
    Ok(ConfigBuilder::new()
        .script("hostile", "calls", bundle("hostile-campaign")?, "approve = \"as-declared\"")
        .extra("[campaigns]\ncalls_max = 10\ncalls_per_s_max = 10\n")
        .extra(&city))
}

/// Whatever the script does: words of the host's or of the script's own, and then a hang-up; or the callee's.
async fn is_not_left_alone(rung: &IncomingCall, attack: &str) -> anyhow::Result<()> {
    let call = rung.call();
    call.answered(PATIENCE).await?;
    match attack {
        "run-silent" => drop(call.heard("До свидания", PATIENCE).await?),
        "run-linger" => {
            call.heard("Проверка", PATIENCE).await?;
            call.hangup()?;
        }
        "" => {
            call.heard("нажмите один", PATIENCE).await?;
            call.press("1")?;
            call.heard("До свидания", PATIENCE).await?;
        }
        _ => drop(call.heard(APOLOGY, PATIENCE).await?),
    }
    call.wait_ended(PATIENCE).await.map(drop).map_err(Into::into)
}

/// By the place in the list.
async fn dispositions(api: &Api) -> anyhow::Result<BTreeMap<u64, String>> {
    let contacts = api.list("/campaigns/attacks/contacts").await?;
    let of = |contact: &Value| Some((contact["no"].as_u64()?, contact["disposition"].as_str()?.to_owned()));
    contacts.iter().map(|contact| of(contact).with_context(|| contact.to_string())).collect()
}

async fn the_records_say_the_same(api: &Api, expected: &BTreeMap<u64, &str>) -> anyhow::Result<()> {
    let mut found = BTreeMap::new();
    for record in api.cdrs().await? {
        let (began, ended) = (&record["began"], &record["ended"]);
        ensure!(began["campaign"]["campaign"] == "attacks", "{record}");
        ensure!(began["campaign"]["attempt"] == 1 && ended["answered_by"] != "machine", "{record}");
        let contact = began["campaign"]["contact"].as_u64().with_context(|| record.to_string())?;
        found.insert(contact, ended["disposition"].as_str().unwrap_or_default().to_owned());
        ensure!(!record.to_string().contains("791355500"), "a number in clear: {record}");
    }
    let expected: BTreeMap<u64, String> = expected.iter().map(|(at, word)| (*at, (*word).to_owned())).collect();
    ensure!(found == expected, "{found:?}");
    Ok(())
}
