//! Story 1, night information. At 02:30 the caller presses 1 (the public service centres) and 3 (Novokuznetsk), hears
//! address and hours, presses 0 and hears that operators start at 06:00. No operator was rung; the call record says
//! automatic mode.
//!
//! What waits: the caller leaves a number, and a callback is due by 06:10 (durable promises).

use anyhow::ensure;
use gudok_phone::{Party, PhoneError};
use gudok_sockets::parties::PATIENCE;
use gudok_stories::{CALLER, Story};
use std::time::Duration;

const NIGHT: &str = "2026-05-05T02:30:00+07:00";
const NIGHT_MS: u64 = 1_777_923_000_000;
/// Longer than a pause inside a prompt, shorter than the patience of a question.
const PROMPT_IS_OVER: Duration = Duration::from_millis(1_500);
/// Loud enough to be speech.
const AUDIBLE: i16 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_caller_gets_information_and_is_told_when_operators_start() -> anyhow::Result<()> {
    let story = Story::at(NIGHT, "info").await?;
    let line = story.call().await?;
    line.asked("Здравствуйте", "1").await?;
    line.asked("Новокузнецк: нажмите три", "3").await?;
    let told = line.hears("Новокузнецк. Адрес").await?;
    for words in ["улица Кирова, дом семьдесят один", "с понедельника по пятницу", "восемь часов тридцать минут"]
    {
        ensure!(told.to_lowercase().contains(&words.to_lowercase()), "{words:?} is not in {told:?}");
    }
    // The caller listens to all of it.
    line.0.quiet_from_now(PROMPT_IS_OVER, PATIENCE).await?;
    line.0.press("0")?;
    let closed = line.hears("Операторы сейчас не работают").await?;
    ensure!(closed.contains("Они начинают работу в шесть часов"), "{closed:?}");
    line.asked("Закончить разговор: нажмите два", "2").await?;
    line.hears("До свидания").await?;

    let end = line.ended().await?;
    ensure!(end.by == Party::Peer, "the engine hangs up after its goodbye");
    let audible = end.recording.iter().filter(|sample| sample.unsigned_abs() > AUDIBLE.unsigned_abs()).count();
    ensure!(audible > 16_000, "address and hours are heard, not only written: {audible} samples are audible");
    let nobody_rang = story.operator.incoming(Duration::from_millis(1)).await;
    ensure!(matches!(nobody_rang, Err(PhoneError::TimedOut { .. })), "an operator was rung: {nobody_rang:?}");
    record_says_automatic(&story).await?;
    story.was_well_behaved()
}

async fn record_says_automatic(story: &Story) -> anyhow::Result<()> {
    let records = story.engine.cdrs().await?;
    ensure!(records.len() == 1, "one leg, one record: {records:?}");
    let (began, ended) = (&records[0]["began"], &records[0]["ended"]);
    ensure!(began["mode"] == "automatic", "{began}");
    ensure!(
        began["started_ms"].as_u64().is_some_and(|at| at.abs_diff(NIGHT_MS) < 600_000),
        "the engine's clock is the story's: {began}"
    );
    ensure!(ended["transfer"]["result"] == "closed", "{ended}");
    ensure!(ended["cause"] == "normal" && ended["ended_by"] == "script", "{ended}");
    ensure!(ended["tags"]["municipality"] == "Новокузнецк", "{ended}");
    ensure!(!records[0].to_string().contains(&CALLER[2..]), "the caller's number is masked in the record");
    Ok(())
}
