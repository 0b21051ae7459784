//! Story 8, utilities complaint. The address code, a message of 60 s, the number read back digit by digit. Delivered once,
//! although the webhook answers 500 several times; the audio's hash is kept.

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, tone};
use gudok_sockets::http;
use gudok_sockets::parties::{NOON, until};
use gudok_stories::{CALLER, Line, Story, webhook};
use std::time::Duration;

/// The code on the caller's bill.
const ADDRESS_CODE: &str = "4217";
/// Longer than a message may be: the minute ends it.
const SPEAKS_MS: u32 = 75_000;
const MESSAGE: Duration = Duration::from_secs(60);
/// The beep, and a machine that is busy.
const SLACK: Duration = Duration::from_secs(20);
const FAILURES: u32 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complaint_is_delivered_once_though_the_webhook_fails() -> anyhow::Result<()> {
    let story = Story::with(NOON, |back_end| {
        Ok(gudok_sockets::centre::config(back_end)?.agency("utilities", &webhook(back_end)?).log("info"))
    })
    .await?;
    story.back_end.fault(&format!(r#"{{"route":"/webhook","kind":"500","times":{FAILURES}}}"#)).await?;
    let options =
        CallOptions { from_user: CALLER.to_owned(), microphone: tone(&[600.0], SPEAKS_MS), ..CallOptions::default() };
    let line = Line(story.caller().call(&story.engine.uri(gudok_sockets::centre::NUMBER), options).await?);
    line.asked("Здравствуйте", "4").await?;
    line.asked("Введите код адреса", &format!("{ADDRESS_CODE}#")).await?;
    let read_back = line.asked("Код адреса", "1").await?;
    ensure!(read_back.contains("четыре, два, один, семь"), "read back digit by digit: {read_back:?}");
    line.asked("Ваше сообщение будет записано", "1").await?;
    let told = line.0.heard("Ваше обращение зарегистрировано", MESSAGE + SLACK).await?;
    line.asked("Закончить разговор", "#").await?;
    line.ended().await?;

    let api = story.engine.api()?;
    let tickets = api.list("/tickets").await?;
    ensure!(tickets.len() == 1 && tickets[0]["kind"] == "complaint", "{tickets:?}");
    let number = tickets[0]["number"].as_str().context("no number")?.to_owned();
    let last = number.chars().last().and_then(|digit| digit.to_digit(10)).context("no digit")?;
    ensure!(last == 1 && told.trim_end_matches('.').ends_with("один"), "{number:?} was read as {told:?}");
    until("the complaint is delivered", async || Ok(seen(&story).await?["deliveries"] == 1)).await?;

    // Once under its key, and never again.
    let figures = seen(&story).await?;
    ensure!(figures["keys"] == 1 && figures["changed"] == 0 && figures["refused"] == 0, "{figures}");
    let delivered = http::get(story.back_end.address, "/webhook/deliveries").await?.expect(200)?.json();
    let body = &delivered.as_object().and_then(|all| all.values().next()).context("no delivery")?["body"];
    ensure!(body["data"]["number"] == number.as_str(), "{body}");
    ensure!(body["data"]["fields"].to_string().contains(ADDRESS_CODE), "the agency gets the code: {body}");
    let sha256 = body["data"]["recordings"][0]["sha256"].as_str().context("no hash of the audio")?.to_owned();
    let records = story.engine.cdrs().await?;
    let recording = &records[0]["ended"]["recordings"][0];
    ensure!(recording["sha256"] == sha256.as_str(), "{recording}");
    let lasts = recording["duration_ms"].as_u64().context("no duration")?;
    ensure!(Duration::from_millis(lasts).abs_diff(MESSAGE) < Duration::from_secs(2), "{lasts} ms");
    until("the status says so", async || Ok(api.list("/tickets").await?[0]["delivery"]["state"] == "delivered"))
        .await?;
    let log = story.engine.log();
    ensure!(!log.contains(&CALLER[2..]) && !log.contains(ADDRESS_CODE), "the log tells too much");
    story.was_well_behaved()
}

async fn seen(story: &Story) -> anyhow::Result<serde_json::Value> {
    Ok(http::get(story.back_end.address, "/webhook").await?.expect(200)?.json())
}
