//! Story 5, MFC booking. The caller chooses service, day and time; the time is taken meanwhile and the next is offered; 1
//! confirms, and a code is heard. One booking; who hangs up half-way gives the time back.

use anyhow::{Context, ensure};
use gudok_sockets::http;
use gudok_sockets::parties::{NOON, until};
use gudok_stories::{Line, Story};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_that_was_taken_meanwhile_is_replaced_by_the_next_and_booked_once() -> anyhow::Result<()> {
    let story = Story::at(NOON, "info").await?;
    http::post(story.back_end.address, "/mfc/take", r#"{"times":1}"#).await?.expect(204)?;
    let line = to_the_times(&story).await?;
    line.0.press("1")?;
    let next = line.hears("Это время только что заняли").await?;
    ensure!(next.contains("десять часов тридцать минут"), "the time after nine o'clock: {next:?}");
    line.0.press("1")?;
    let read_back = line.asked("Вы записываетесь", "1").await?;
    ensure!(read_back.contains("Паспорт гражданина") && read_back.contains("Новокузнецк"), "{read_back:?}");
    let told = line.hears("Код записи").await?;
    line.asked("Закончить разговор", "#").await?;
    line.ended().await?;

    let made = booked(&story).await?;
    let appointments = made["appointments"].as_array().context("no list")?;
    ensure!(appointments.len() == 1 && made["held"] == 0, "{made}");
    let slot = appointments[0]["slot"].as_str().unwrap_or_default();
    ensure!(slot.starts_with("novokuznetsk/passport/") && slot.ends_with("T10:30"), "{slot}");
    ensure!(told.matches("Код записи").count() == 1, "{told:?}");
    story.was_well_behaved()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_half_way_gives_the_time_back() -> anyhow::Result<()> {
    let story = Story::at(NOON, "info").await?;
    let line = to_the_times(&story).await?;
    line.0.press("1")?;
    line.hears("Вы записываетесь").await?;
    ensure!(booked(&story).await?["held"] == 1, "the time is held while it is read back");
    line.0.hangup()?;
    line.ended().await?;
    until("the time is given back", async || Ok(booked(&story).await?["held"] == 0)).await?;
    ensure!(booked(&story).await?["appointments"].as_array().is_some_and(Vec::is_empty), "nothing was booked");

    // The next caller is offered the same time.
    let line = to_the_times(&story).await?;
    line.0.press("1")?;
    let read_back = line.asked("Вы записываетесь", "1").await?;
    ensure!(read_back.contains("девять часов"), "{read_back:?}");
    line.hears("Код записи").await?;
    line.0.hangup()?;
    line.ended().await?;
    let made = booked(&story).await?;
    ensure!(made["appointments"].as_array().is_some_and(|made| made.len() == 1), "{made}");
    story.was_well_behaved()
}

/// Through the menu to the times of the first day.
async fn to_the_times(story: &Story) -> anyhow::Result<Line> {
    let line = story.call().await?;
    line.asked("Здравствуйте", "5").await?;
    line.asked("Выберите услугу", "1").await?;
    line.asked("Новокузнецк: нажмите три", "3").await?;
    line.asked("Выберите день", "1").await?;
    line.hears("Выберите время").await?;
    Ok(line)
}

async fn booked(story: &Story) -> anyhow::Result<Value> {
    Ok(http::get(story.back_end.address, "/mfc").await?.expect(200)?.json())
}
