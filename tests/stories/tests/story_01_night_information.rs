//! Story 1, night information. At 02:30 the caller presses 1 (the public service centres) and 3 (Novokuznetsk), hears
//! address and hours, presses 0, hears that operators start at 06:00, and leaves a number. No operator was rung; the call
//! record says automatic mode; a callback is due by 06:10.

use anyhow::ensure;
use gudok_phone::{Party, PhoneError};
use gudok_stories::desks::{self, Desk, QueueRules};
use gudok_stories::{CALLER, Story};
use std::time::Duration;

const NIGHT: &str = "2026-05-05T02:30:00+07:00";
const NIGHT_MS: u64 = 1_777_923_000_000;
/// Three hours and forty minutes later.
const TEN_PAST_SIX_MS: u64 = NIGHT_MS + 13_200_000;
/// Address, hours, and what can be pressed, on a busy machine.
const LONG_PROMPT_MAX: Duration = Duration::from_secs(60);
const TALK: Duration = Duration::from_secs(5);
/// Longer than a pause inside a prompt, shorter than the patience of a question.
const PROMPT_IS_OVER: Duration = Duration::from_millis(1_500);
/// Loud enough to be speech.
const AUDIBLE: i16 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_caller_gets_information_and_is_told_when_operators_start() -> anyhow::Result<()> {
    let desk = [Desk::open("anna", TALK).await?];
    let rules = QueueRules { callback_trunk: Some("city"), ..QueueRules::default() };
    let trunk = "[[trunk]]\nname = \"city\"\nproxy = \"127.0.0.2:9\"\n";
    let story = Story::with(NIGHT, |back_end| Ok(desks::config(back_end, &rules, &desk)?.extra(trunk))).await?;
    let api = story.engine.api()?;
    // Somebody forgot to log out: the night rings nobody all the same.
    desk[0].log_in(&api).await?;
    let line = story.call().await?;
    line.asked("Здравствуйте", "1").await?;
    line.asked("Новокузнецк: нажмите три", "3").await?;
    let told = line.hears("Новокузнецк. Адрес").await?;
    for words in ["улица Кирова, дом семьдесят один", "с понедельника по пятницу", "восемь часов тридцать минут"]
    {
        ensure!(told.to_lowercase().contains(&words.to_lowercase()), "{words:?} is not in {told:?}");
    }
    // The caller listens to all of it.
    line.0.quiet_from_now(PROMPT_IS_OVER, LONG_PROMPT_MAX).await?;
    line.0.press("0")?;
    let closed = line.hears("Операторы сейчас не работают").await?;
    ensure!(closed.contains("Они начинают работу в шесть часов"), "{closed:?}");
    line.asked("Мы можем вам перезвонить", "1").await?;
    let promised = line.hears("Мы вам перезвоним").await?;
    ensure!(promised.contains("шесть часов десять минут"), "{promised:?}");
    line.hears("До свидания").await?;

    let end = line.ended().await?;
    ensure!(end.by == Party::Peer, "the engine hangs up after its goodbye");
    let audible = end.recording.iter().filter(|sample| sample.unsigned_abs() > AUDIBLE.unsigned_abs()).count();
    ensure!(audible > 16_000, "address and hours are heard, not only written: {audible} samples are audible");
    let rang = story.operator.incoming(Duration::from_millis(1)).await;
    ensure!(matches!(rang, Err(PhoneError::TimedOut { .. })), "an operator was rung: {rang:?}");
    ensure!(desk[0].talks().is_empty(), "an operator was rung at night");
    let open = api.list("/callbacks").await?;
    ensure!(open.len() == 1 && open[0]["state"] == "waiting", "{open:?}");
    ensure!(open[0]["due_ms"] == TEN_PAST_SIX_MS, "due by 06:10: {}", open[0]);
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
    ensure!(ended["queue"]["result"] == "refused", "{ended}");
    ensure!(ended["callback"].is_string(), "the record names the promise: {ended}");
    ensure!(ended["cause"] == "normal" && ended["ended_by"] == "script", "{ended}");
    ensure!(ended["tags"]["municipality"] == "Новокузнецк", "{ended}");
    ensure!(!records[0].to_string().contains(&CALLER[2..]), "the caller's number is masked in the record");
    Ok(())
}
