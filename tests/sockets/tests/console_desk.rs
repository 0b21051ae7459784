//! The operator's desk in a real Chromium against the real engine, by keyboard alone: from the log-in to the end of the
//! shift, with a caller in between.

mod browser;

use anyhow::{Context, ensure};
use browser::{Browser, Screen};
use fantoccini::key::Key;
use gudok_phone::{CallOptions, OnIncoming, Phone, PhoneConfig, tone};
use gudok_sockets::Desk;
use gudok_sockets::desk::{AGENCY, NUMBER};
use gudok_sockets::parties::{self, NOON, PATIENCE, until};
use serde_json::{Value, json};
use std::time::Duration;

const USER: &str = "anna";
const PASSWORD: &str = "an-operator's-password-31";
/// So long an operator's telephone rings before somebody picks it up: the desk shows it ringing.
const RINGS: Duration = Duration::from_secs(3);
const HUM_MS: u32 = 60_000;

/// An operator's telephone that is picked up after a while.
async fn telephone() -> anyhow::Result<Phone> {
    let options = CallOptions { microphone: tone(&[440.0], HUM_MS), ..CallOptions::default() };
    let on_incoming = OnIncoming::Answer { after: RINGS };
    Ok(Phone::start(PhoneConfig { on_incoming, options, ..PhoneConfig::default() }).await?)
}

/// An engine with one queue, and anna who serves it.
async fn open(phone: &Phone) -> anyhow::Result<Desk> {
    let operator = format!(
        "[[queue]]\nname = \"help\"\n\n[[operator]]\nname = {USER:?}\nshown_name = \"Anna\"\n\
         address = \"sip:{USER}@{}\"\ntrunk = \"local\"\nqueues = [\"help\"]\n",
        phone.local_addr()
    );
    let desk = Desk::open_with(Some(NOON), |config| config.agency(AGENCY, "queue = \"help\"").extra(&operator)).await?;
    let anna = json!({
        "name": USER, "full_name": "Anna Petrova", "password": PASSWORD, "lang": "en",
        "roles": [{ "role": "operator", "agency": AGENCY }],
    });
    desk.api.post("/users", &anna).await?.expect(201)?;
    let entry = json!({
        "kind": "faq", "agency": AGENCY, "title": "Сколько делают паспорт?", "text": "Десять дней.", "lang": "ru-RU",
    });
    let put = desk.api.request("PUT", "/directory/passport-term").json(&entry);
    desk.api.send(put).await?.expect(201)?;
    Ok(desk)
}

/// The call that is up.
async fn live_call(desk: &Desk) -> anyhow::Result<String> {
    let calls = desk.api.get("/calls").await?.expect(200)?.json();
    let id = calls["items"][0]["id"].as_str().with_context(|| calls.to_string())?;
    Ok(id.to_owned())
}

async fn log_in(browser: &Browser) -> anyhow::Result<()> {
    browser.goto("/console/").await?;
    browser.tab_to("user").await?;
    browser.type_in(USER).await?;
    browser.tab_to("password").await?;
    browser.type_in(PASSWORD).await?;
    browser.press(Key::Enter).await?;
    browser.says(".bar-word", "Off shift").await?;
    ensure!(browser.path().await? == "/console/desk", "an operator begins at {}", browser.path().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_by_keyboard_alone() -> anyhow::Result<()> {
    let phone = telephone().await?;
    let desk = open(&phone).await?;
    let browser = Browser::open(desk.engine.http, Screen::Desk).await?;
    log_in(&browser).await?;
    browser.is_fine("desk-off").await?;
    browser.chord(Key::Alt, '1').await?;
    browser.says(".bar-word", "Ready").await?;

    // Somebody calls, and is handed to an operator: the desk rings without a touch.
    let caller = parties::caller().await?;
    let options = CallOptions { microphone: tone(&[600.0], HUM_MS), ..CallOptions::default() };
    let call = caller.call(&desk.engine.uri(NUMBER), options).await?;
    call.heard("Версия", PATIENCE).await?;
    let id = live_call(&desk).await?;
    desk.api.post(&format!("/calls/{id}/land"), &json!({})).await?.expect(202)?;
    browser.says(".bar-word", "Ringing").await?;
    browser.says("#desk-call", AGENCY).await?;
    browser.is_fine("desk-rings").await?;
    browser.says(".bar-word", "Talking").await?;
    parties::bridged(&call).await?;

    answer_and_write(&browser, &desk, &id).await?;

    call.hangup()?;
    call.wait_ended(PATIENCE).await?;
    browser.says(".bar-word", "Wrapping up").await?;
    browser.chord(Key::Alt, '3').await?;
    let audit = async |action: &str| -> anyhow::Result<bool> {
        Ok(desk.api.audit().await?.iter().any(|entry: &Value| entry["action"] == action && entry["actor"] == USER))
    };
    until("the talk's end in the audit", async || audit("desk.wrap-up").await).await?;
    browser.chord(Key::Alt, '1').await?;
    browser.says(".bar-word", "Ready").await?;
    browser.chord(Key::Alt, '2').await?;
    browser.says(".bar-word", "Paused").await?;
    browser.is_fine("desk-paused").await?;
    browser.chord(Key::Alt, '0').await?;
    browser.says(".bar-word", "Off shift").await?;
    ensure!(audit("desk.logout").await?, "nobody wrote down that the shift ended");
    browser.close().await
}

/// While they talk: an answer is looked up, and a ticket is made.
async fn answer_and_write(browser: &Browser, desk: &Desk, call: &str) -> anyhow::Result<()> {
    browser.chord(Key::Alt, '4').await?;
    ensure!(browser.focus().await? == "search-q", "the focus is on {:?}", browser.focus().await?);
    browser.type_in("паспорта").await?;
    browser.press(Key::Enter).await?;
    browser.says("#found .spoken", "Десять дней").await?;
    browser.chord(Key::Alt, '6').await?;
    ensure!(browser.focus().await? == "ticket-kind", "the focus is on {:?}", browser.focus().await?);
    browser.tab_to("ticket-story").await?;
    browser.type_in("The lift does not work.").await?;
    browser.tab_to("ticket-do").await?;
    browser.press(Key::Enter).await?;
    browser.says("#desk-ticket .note", "Registered as").await?;
    browser.is_fine("desk-talks").await?;
    let tickets = desk.api.get("/tickets").await?.expect(200)?.json();
    let ticket = &tickets["items"][0];
    ensure!(ticket["text"] == "The lift does not work." && ticket["call"] == call, "{tickets}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_page_gives_its_stream_back() -> anyhow::Result<()> {
    let phone = telephone().await?;
    let desk = open(&phone).await?;
    let browser = Browser::open(desk.engine.http, Screen::Phone).await?;
    browser.log_in(USER, PASSWORD).await?;
    browser.says(".bar-word", "Off shift").await?;
    browser.is_fine("desk").await?;
    // The state is what the page knows of; what it does about it is seen by the engine.
    let hide = |hidden: bool| {
        format!(
            "Object.defineProperty(document, 'hidden', {{ configurable: true, get: () => {hidden} }});
             document.dispatchEvent(new Event('visibilitychange'));"
        )
    };
    browser.ask(&hide(true)).await?;
    desk.api.post(&format!("/operators/{USER}/state"), &json!({ "state": "ready" })).await?.expect(202)?;
    browser.ask(&hide(false)).await?;
    // Nothing that happened meanwhile is lost.
    browser.says(".bar-word", "Ready").await?;
    browser.close().await
}
