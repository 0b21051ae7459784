//! Story 7, kindergarten queue. The caller hears "двадцать первый". On a second call the back end hangs: an apology,
//! then an operator. The time-out holds, and callers of other agencies notice nothing.

use anyhow::ensure;
use gudok_phone::{CallOptions, EndReport, LATE_MS, Phone};
use gudok_sockets::parties::{self, NOON, PATIENCE};
use gudok_sockets::{Engine, centre};
use gudok_stories::{Line, Story};
use std::time::{Duration, Instant};

/// What the script lets its back end have (plugins/kindergarten).
const BACK_END_PATIENCE: Duration = Duration::from_secs(4);
/// From its end to the apology; a machine under test is busy.
const APOLOGY_IS_THERE: Duration = Duration::from_millis(1_500);
/// Callers of another agency while the back end hangs.
const OTHERS: usize = 5;
/// How long each of them listens to the last answer; the back end's time-out falls into it.
const LISTENS: Duration = Duration::from_secs(4);
/// From a key to the words that answer it.
const ANSWER_MAX: Duration = Duration::from_millis(1_000);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verified_caller_hears_the_place_in_the_queue() -> anyhow::Result<()> {
    let story = Story::at(NOON, "info").await?;
    let line = desk(&story).await?;
    let told = line.hears("Ваш номер в очереди").await?;
    ensure!(told.contains("двадцать первый"), "{told:?}");
    line.0.press("#")?;
    line.ended().await?;
    story.was_well_behaved()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_back_end_costs_its_own_callers_only() -> anyhow::Result<()> {
    let story = Story::at(NOON, "info").await?;
    story.back_end.fault(r#"{"route":"/kindergarten/places","kind":"hang","times":1}"#).await?;
    let line = desk(&story).await?;
    line.hears("Минуту, проверяю").await?;
    let asked = Instant::now();
    let others: Vec<_> =
        (0..OTHERS).map(|_| tokio::spawn(other_caller(story.engine.uri(centre::MFC_NUMBER)))).collect();

    line.hears("сведения сейчас получить не удалось").await?;
    let took = asked.elapsed();
    ensure!(took + APOLOGY_IS_THERE > BACK_END_PATIENCE, "the back end had its time: {took:?}");
    ensure!(took < BACK_END_PATIENCE + APOLOGY_IS_THERE, "the time-out held: {took:?}");
    line.hears("Соединяю с оператором").await?;
    let operator = story.operator.incoming(PATIENCE).await?.call();
    operator.answered(PATIENCE).await?;
    line.0.hangup()?;
    line.ended().await?;
    let end = operator.wait_ended(PATIENCE).await?;
    ensure!(end.oddities.is_empty(), "{:?}", end.oddities);

    for other in others {
        let (answers, end) = other.await??;
        let slowest = answers.iter().max().copied().unwrap_or_default();

        ensure!(slowest < ANSWER_MAX, "the menu answered late: {answers:?}");
        ensure!(end.stats.late_max_ms < LATE_MS && end.stats.gap_max_ms < LATE_MS, "{:?}", end.stats);
    }
    record_names_the_transfer(&story.engine).await?;
    story.was_well_behaved()
}

/// Goes through the desk of another agency: how long each key's answer took, and how the call ended.
async fn other_caller(uri: String) -> anyhow::Result<(Vec<Duration>, EndReport)> {
    let phone: Phone = parties::caller().await?;
    let line = Line(phone.call(&uri, CallOptions::default()).await?);
    line.hears("Выберите город").await?;
    let mut answers = Vec::new();
    for (keys, words) in [("3", "Новокузнецк. Адрес"), ("#", "Выберите город"), ("1", "Кемерово. Адрес")]
    {
        // Something is heard before the next key: barge-in, not type-ahead.
        line.0.audible(PATIENCE).await?;
        line.0.press(keys)?;
        let pressed = Instant::now();
        line.hears(words).await?;
        answers.push(pressed.elapsed());
    }
    ensure!(line.0.wait_ended(LISTENS).await.is_err(), "the caller listens, and nobody hangs up");
    line.0.hangup()?;
    Ok((answers, line.ended().await?))
}

async fn desk(story: &Story) -> anyhow::Result<Line> {
    let line = story.call().await?;
    // Who knows the menu presses ahead.
    line.asked("Здравствуйте", "3").await?;
    line.asked("цифр номера заявления", "123456").await?;
    line.asked("день рождения ребёнка", "05052023").await?;
    Ok(line)
}

async fn record_names_the_transfer(engine: &Engine) -> anyhow::Result<()> {
    let records = engine.cdrs().await?;
    let transferred = records.iter().filter(|record| !record["ended"]["transfer"].is_null());
    let transfers: Vec<_> = transferred.map(|record| &record["ended"]["transfer"]).collect();
    ensure!(transfers.len() == 1, "{transfers:?}");
    ensure!(transfers[0]["kind"] == "bridge" && transfers[0]["result"] == "connected", "{transfers:?}");
    ensure!(
        records.iter().all(|record| record["ended"]["landing"].is_null()),
        "a hanging back end is no script's fault"
    );
    Ok(())
}
