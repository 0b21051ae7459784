//! Story 6, passport readiness. The caller enters the application's number and its check digits and hears how it
//! stands. Three times wrong, and an operator takes over. Nothing is disclosed unverified, and the digits are masked
//! wherever something is written down.

use anyhow::{Context, ensure};
use gudok_phone::Party;
use gudok_sockets::parties::{NOON, PATIENCE};
use gudok_sockets::{centre, http};
use gudok_stories::{CALLER, Line, Story};

/// Applications and check digits that the sample back end does not know together: the first exists, the second does
/// not, the third is asked for with the check digits of another.
const WRONG: [(&str, &str); 3] = [("12345678", "6093"), ("84613957", "1234"), ("23456789", "3456")];
/// What a back end's answer would be told with.
const STATUS_WORDS: [&str; 5] = ["Ваш паспорт", "можно получить", "не готов", "выдан", "Ожидаемый день"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verified_caller_hears_the_state_and_a_guesser_gets_a_person() -> anyhow::Result<()> {
    // Authors and admins look closer than usual; the digits are masked all the same.
    let story = Story::at(NOON, "info,gudok=debug,gudok_sip=debug,gudok_plugin_host=debug,gudok_media=debug").await?;
    tokio::try_join!(verified(&story), guessing(&story))?;
    nothing_is_written_down(&story).await?;
    story.was_well_behaved()
}

async fn verified(story: &Story) -> anyhow::Result<()> {
    let line = desk(story).await?;
    enter(&line, "12345678", "1234").await?;
    let before = line.said();
    let told = line.hears("Ваш паспорт готов").await?;
    ensure!(told.contains("с пятого мая две тысячи двадцать шестого года"), "{told:?}");
    ensure!(STATUS_WORDS.iter().all(|words| !before.contains(words)), "told before it was verified: {before:?}");
    line.0.press("#")?;
    line.hears("До свидания").await?;
    ensure!(line.ended().await?.by == Party::Peer);
    Ok(())
}

async fn guessing(story: &Story) -> anyhow::Result<()> {
    let line = desk(story).await?;
    let mut answers = Vec::new();
    for (application, check) in WRONG {
        enter(&line, application, check).await?;
        answers.push(line.hears("не совпадают").await?);
    }
    ensure!(answers.iter().all(|answer| *answer == answers[0]), "what was wrong is not told: {answers:?}");
    line.hears("Соединяю с оператором").await?;
    let operator = story.operator.incoming(PATIENCE).await?.call();
    operator.answered(PATIENCE).await?;
    line.0.audible(PATIENCE).await?;
    operator.hangup()?;
    ensure!(line.ended().await?.by == Party::Peer);
    let heard = operator.wait_ended(PATIENCE).await?;
    ensure!(heard.oddities.is_empty(), "{:?}", heard.oddities);
    let said = line.said();
    ensure!(STATUS_WORDS.iter().all(|words| !said.contains(words)), "disclosed: {said:?}");
    Ok(())
}

async fn desk(story: &Story) -> anyhow::Result<Line> {
    let line = story.call().await?;
    // Who knows the menu presses ahead.
    line.asked("Здравствуйте", "2").await?;
    Ok(line)
}

async fn enter(line: &Line, application: &str, check: &str) -> anyhow::Result<()> {
    line.asked("цифр номера заявления", application).await?;
    line.asked("контрольные цифры", check).await?;
    Ok(())
}

/// Looks through what the engine wrote for everything that was entered, and for the caller's number.
async fn nothing_is_written_down(story: &Story) -> anyhow::Result<()> {
    let records = serde_json::to_string(&story.engine.cdrs().await?)?;
    let csv = story.engine.cdrs_as_csv().await?;
    let metrics = http::get(story.engine.http, "/metrics").await?.body;
    let log = story.engine.log();
    ensure!(log.contains("passport") && records.contains("passport"), "there is something to look through");
    ensure!(metrics.contains("gudok_script_events_total"), "there is something to look through");
    let entered = WRONG.iter().chain(&[("12345678", "1234")]).flat_map(|(application, check)| [*application, *check]);
    let secrets: Vec<&str> = entered.chain([&CALLER[1..], &CALLER[2..]]).collect();
    for (name, text) in [("log", &log), ("records", &records), ("CSV", &csv), ("metrics", &metrics)] {
        let found = text.lines().find_map(|line| secrets.iter().find(|digits| holds(line, digits)).map(|_| line));
        ensure!(found.is_none(), "the {name} holds digits of a caller: {}", found.context("the line")?);
    }
    ensure!(records.contains(centre::NUMBER), "the centre's own number is no secret");
    Ok(())
}

/// Long rows anywhere; short ones as a word of their own, since times and ids have digits too.
fn holds(line: &str, digits: &str) -> bool {
    const SHORT: usize = 4;
    match digits.len() {
        ..=SHORT => line.split(|c: char| !c.is_alphanumeric()).any(|word| word == digits),
        _ => line.contains(digits),
    }
}
