//! Story 4, callback. The caller wants to be called back at another number, enters and confirms it. The host is killed and
//! started again. Connected within 10:00, exactly once.

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, OnIncoming, Party, Phone, PhoneConfig, PhoneError, tone};
use gudok_sockets::parties::{NOON, PATIENCE, until};
use gudok_stories::desks::{self, Desk, ELSEWHERE, QueueRules};
use gudok_stories::{CALLER, Story};
use serde_json::Value;
use std::time::Duration;

const A_MINUTE_LATER: &str = "2026-05-05T12:01:00+07:00";
const HUM_MS: u32 = 60_000;
/// The operator hears whom the call is for, and talks.
const TALK: Duration = Duration::from_secs(15);
/// As the caller enters it, with the country's own prefix.
const OTHER_NUMBER: &str = "89135550199";
/// Long enough for a second call to come, if one were to come.
const NOBODY_CALLS_AGAIN: Duration = Duration::from_secs(5);
const SHORT: QueueRules<'static> =
    QueueRules { wait_s_max: 12, act_before_s: 10, wrap_up_s: 1, peers: &[], callback_trunk: Some("city") };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promise_to_call_back_survives_the_hosts_death_and_is_kept_once() -> anyhow::Result<()> {
    let desk = [Desk::open("anna", TALK).await?];
    let options = CallOptions { microphone: tone(&[600.0], HUM_MS), ..CallOptions::default() };
    let on_incoming = OnIncoming::Answer { after: Duration::from_millis(200) };
    let home = Phone::start(PhoneConfig { bind: ELSEWHERE, on_incoming, options, ..PhoneConfig::default() }).await?;
    let trunk = format!("[[trunk]]\nname = \"city\"\nproxy = {:?}\n", home.local_addr().to_string());
    let story = Story::with(NOON, |back_end| Ok(desks::config(back_end, &SHORT, &desk)?.extra(&trunk))).await?;

    // Nobody is logged in: the limit acts, and the host offers to call back.
    let line = story.call().await?;
    line.asked("Здравствуйте", "0").await?;
    line.asked("Мы можем вам перезвонить", "2").await?;
    line.asked("Введите номер", &format!("{OTHER_NUMBER}#")).await?;
    let read_back = line.hears("Вы ввели номер").await?;
    ensure!(read_back.contains("девять, один, три"), "read back digit by digit: {read_back:?}");
    line.0.press("1")?;
    line.hears("Мы вам перезвоним").await?;
    let end = line.ended().await?;
    ensure!(end.by == Party::Peer, "the engine hangs up after its promise");

    let story = story.killed_until(A_MINUTE_LATER).await?;
    let api = story.engine.api()?;
    let open = api.list("/callbacks").await?;
    ensure!(open.len() == 1 && open[0]["state"] == "waiting", "{open:?}");
    desk[0].log_in(&api).await?;
    let rung = home.incoming(PATIENCE).await.with_context(|| story.engine.log())?;
    rung.call().answered(PATIENCE).await?;
    rung.call().audible(PATIENCE).await?;
    until("the callback is kept", async || Ok(api.list("/callbacks?state=all").await?[0]["state"] == "connected"))
        .await?;
    rung.call().wait_ended(PATIENCE).await?;

    let again = home.incoming(NOBODY_CALLS_AGAIN).await;
    ensure!(matches!(again, Err(PhoneError::TimedOut { .. })), "called twice: {again:?}");
    until("the talk is over", async || Ok(desk[0].talks().len() == 1)).await?;
    let kept = api.list("/callbacks?state=all").await?;
    in_time(&kept[0])?;
    let seen = format!("{}{}", kept[0], api.read("/cdrs").await?);
    ensure!(!seen.contains(&OTHER_NUMBER[1..]) && !seen.contains(&CALLER[2..]), "a number in clear");
    desk[0].was_well_treated()?;
    story.was_well_behaved()
}

fn in_time(callback: &Value) -> anyhow::Result<()> {
    let at = |field: &str| callback[field].as_u64().with_context(|| callback.to_string());
    ensure!(at("state_ms")? <= at("due_ms")?, "connected after it was due: {callback}");
    ensure!(at("due_ms")? - at("requested_ms")? == 600_000, "due in ten minutes: {callback}");
    ensure!(callback["attempts"].as_array().is_some_and(|attempts| attempts.len() == 1), "{callback}");
    ensure!(callback["escalated_ms"].is_null(), "{callback}");
    Ok(())
}
