//! What telephones do with a call besides talking, against the whole engine: hold, moved media, late offers, digits in
//! every way, TCP, giving up, session timers, registrations, digest, and the limit of calls.

use anyhow::{Context, ensure};
use gudok_phone::{
    Algorithm, Call, CallEvent, CallOptions, ChallengeConfig, Credentials, DigitMethod, EndReport, OnIncoming, Party,
    Phone, PhoneConfig, RegistrarConfig, Reinvite, Transport,
};
use gudok_sockets::bundles::{changed, edit_manifest};
use gudok_sockets::parties::{self, NOON, PATIENCE, until};
use gudok_sockets::{ConfigBuilder, Engine, bundle};
use std::time::Duration;

const APPROVED: &str = "approve = \"as-declared\"";
/// Says the keys back.
const ECHO: &str = "100";
/// Waits and does not answer.
const RING: &str = "101";
/// Says something, and waits for a minute.
const COUNT: &str = "102";
/// Thirty seconds of sound.
const L30: &str = "110";
/// Packets that may be on their way when a change is agreed on.
const PACKETS_UNDER_WAY: u64 = 5;

fn config() -> anyhow::Result<ConfigBuilder> {
    let (probe, bench) = (bundle("probe")?, bundle("bench")?);
    Ok(ConfigBuilder::new()
        .script("probe", "echo", probe.clone(), APPROVED)
        .script("probe", "ring", probe.clone(), APPROVED)
        .script("probe", "count", probe, APPROVED)
        .script("bench", "l30", bench, APPROVED)
        .number(ECHO, "probe", "echo")
        .number(RING, "probe", "ring")
        .number(COUNT, "probe", "count")
        .number(L30, "bench", "l30"))
}

async fn engine() -> anyhow::Result<Engine> {
    Engine::start_at(&config()?, Some(NOON)).await
}

/// The call ends, and the engine has kept to the rules in it.
async fn end(call: &Call) -> anyhow::Result<EndReport> {
    let end = call.wait_ended(PATIENCE).await?;
    ensure!(end.oddities.is_empty(), "{:?}", end.oddities);
    Ok(end)
}

fn quiet_at_the_sockets(phones: &[&Phone]) -> anyhow::Result<()> {
    for phone in phones {
        ensure!(phone.oddities().is_empty(), "{:?}", phone.oddities());
    }
    Ok(())
}

/// Presses keys, hears them said back, and ends the call with a star.
async fn echoes(call: &Call, keys: &str) -> anyhow::Result<EndReport> {
    call.heard("Слушаю", PATIENCE).await?;
    call.collecting(PATIENCE).await?;
    call.press(keys)?;
    let said = call.heard("Принято", PATIENCE).await?;
    ensure!(said.contains(&format!("Принято {keys}.")), "pressed {keys}: {said:?}");
    call.press("*")?;
    let end = end(call).await?;
    ensure!(end.by == Party::Peer && end.status == 200, "{end:?}");
    Ok(end)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hold_stops_the_sound_and_resume_brings_it_back() -> anyhow::Result<()> {
    const HELD: Duration = Duration::from_millis(600);
    let (engine, phone) = (engine().await?, parties::caller().await?);
    let call = phone.call(&engine.uri(L30), CallOptions::default()).await?;
    call.audible(PATIENCE).await?;
    ensure!(call.hold(PATIENCE).await? == 200, "hold is agreed on");
    let (before, _) = call.packets();
    call.quiet_from_now(HELD, PATIENCE).await?;
    let (held, _) = call.packets();
    ensure!(held <= before + PACKETS_UNDER_WAY, "{before} packets before, {held} while held");
    let mut events = call.events();
    ensure!(call.resume(PATIENCE).await? == 200, "resume is agreed on");
    while events.recv().await? != CallEvent::Sound {}
    until("sound flows again", async || Ok(call.packets().0 > held + 25)).await?;
    call.hangup()?;
    end(&call).await?;
    quiet_at_the_sockets(&[&phone])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_follows_a_telephone_that_moves() -> anyhow::Result<()> {
    let (engine, phone) = (engine().await?, parties::caller().await?);
    let call = phone.call(&engine.uri(L30), CallOptions::default()).await?;
    call.audible(PATIENCE).await?;
    let before = call.media_addr();
    ensure!(call.send_reinvite(Reinvite { move_media: true, ..Reinvite::default() }, PATIENCE).await? == 200);
    ensure!(call.media_addr() != before, "the telephone has other ports now");
    let (moved, _) = call.packets();
    until("sound arrives at the new place", async || Ok(call.packets().0 > moved + 25)).await?;
    call.hangup()?;
    ensure!(end(&call).await?.stats.ssrc_changes == 0, "the stream is the same");

    let call = phone.call(&engine.uri(ECHO), CallOptions::default()).await?;
    call.answered(PATIENCE).await?;
    ensure!(call.send_reinvite(Reinvite { move_media: true, ..Reinvite::default() }, PATIENCE).await? == 200);
    echoes(&call, "2580").await.context("digits from the new place")?;
    quiet_at_the_sockets(&[&phone])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digits_arrive_in_every_way() -> anyhow::Result<()> {
    const KEYS: &str = "1590#73246";
    let engine = engine().await?;
    let by = |digits| CallOptions { digits, telephone_event: digits == DigitMethod::Event, ..CallOptions::default() };
    let ways = [
        ("events", by(DigitMethod::Event), Transport::Udp),
        ("tones", by(DigitMethod::InBand), Transport::Udp),
        ("INFO", by(DigitMethod::Info), Transport::Udp),
        ("events, late offer", CallOptions { late_offer: true, ..by(DigitMethod::Event) }, Transport::Udp),
        ("events, TCP", by(DigitMethod::Event), Transport::Tcp),
    ];
    for (way, options, transport) in ways {
        let phone = Phone::start(PhoneConfig { transport, ..PhoneConfig::default() }).await?;
        let at = if transport == Transport::Tcp { engine.sip_tcp } else { engine.sip };
        let keys = KEYS.replace('#', "");
        let info = options.digits == DigitMethod::Info;
        let call = phone.call(&format!("sip:{ECHO}@{at}"), options).await?;
        echoes(&call, &keys).await.context(way)?;
        if info {
            let answers = call.infos_answered(keys.len() + 1, PATIENCE).await?;
            ensure!(answers.iter().all(|status| *status == 200), "{answers:?}");
        }
        quiet_at_the_sockets(&[&phone]).context(way)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_are_answered_and_a_caller_may_give_up() -> anyhow::Result<()> {
    let (engine, phone) = (engine().await?, parties::caller().await?);
    ensure!(phone.options(&format!("sip:{}", engine.sip), PATIENCE).await? == 200);
    let call = phone.call(&engine.uri(RING), CallOptions::default()).await?;
    until("the script has the call", async || Ok(engine.metric("gudok_calls_live").await? > 0.0)).await?;
    call.hangup()?;
    ensure!(end(&call).await?.status == 487, "cancelled");
    until("the call's record", async || Ok(!engine.cdrs().await?.is_empty())).await?;
    let records = engine.cdrs().await?;
    ensure!(records.len() == 1 && records[0]["ended"]["cause"] == "cancelled", "{records:?}");
    ensure!(records[0]["ended"]["answered_ms"].is_null(), "{records:?}");
    quiet_at_the_sockets(&[&phone])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn above_the_limit_callers_are_told_when_to_try_again() -> anyhow::Result<()> {
    let config = config()?.sip("[sip.limits]\ncalls_max = 2\nretry_after_s = 7");
    let (engine, phone) = (Engine::start_at(&config, Some(NOON)).await?, parties::caller().await?);
    let uri = engine.uri(COUNT);
    let dial = || phone.call(&uri, CallOptions::default());
    let (first, second) = (dial().await?, dial().await?);
    first.answered(PATIENCE).await?;
    second.answered(PATIENCE).await?;
    let refused = end(&dial().await?).await?;
    ensure!(refused.status == 503 && refused.retry_after_s == Some(7), "{refused:?}");
    first.hangup()?;
    end(&first).await?;
    until("there is room", async || Ok(engine.metric("gudok_calls_live").await? < 2.0)).await?;
    let third = dial().await?;
    third.answered(PATIENCE).await?;
    for call in [&second, &third] {
        call.hangup()?;
        end(call).await?;
    }
    quiet_at_the_sockets(&[&phone])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_refreshed_on_both_legs_behind_a_challenging_trunk() -> anyhow::Result<()> {
    /// The least that RFC 4028 allows; it is refreshed at its half.
    const EXPIRES_S: u32 = 90;
    const REFRESHED: Duration = Duration::from_secs(60);
    let folder = tempfile::tempdir()?;
    let operator = Phone::start(PhoneConfig {
        on_incoming: OnIncoming::Answer { after: Duration::ZERO },
        challenge: Some(ChallengeConfig { realm: "trunk".into(), users: vec![account()], algorithm: Algorithm::Md5 }),
        ..PhoneConfig::default()
    })
    .await?;
    let menu = "format = 1\nstart = \"go\"\nlanguages = [\"ru-RU\"]\n[asking]\notherwise = \"bye\"\n\
                [nodes.go]\ndo = \"transfer\"\ngroup = \"desk\"\nclosed = \"bye\"\nfailed = \"bye\"\n\
                [nodes.bye]\ndo = \"hangup\"\nsay = \"До свидания.\"\n";
    let bundle = changed("centre", folder.path(), |files| {
        files.insert("data/menu.toml".into(), menu.into());
        edit_manifest(files, "[\"operators\"]", "[\"desk\"]");
    })?;
    let trunk = trunk("timed", &operator, folder.path(), &format!("session_expires_s = {EXPIRES_S}"))?;
    let group = "[[group]]\nname = \"desk\"\noperators = [{ name = \"anna\", address = \"701\", trunk = \"timed\" }]";
    let config = ConfigBuilder::new()
        .script("centre", "main", bundle, APPROVED)
        .number(ECHO, "centre", "main")
        .extra(&trunk)
        .extra(group);
    let (engine, phone) = (Engine::start_at(&config, Some(NOON)).await?, parties::caller().await?);
    let options = CallOptions { session_expires_s: Some(EXPIRES_S), ..CallOptions::default() };
    let call = phone.call(&engine.uri(ECHO), options).await?;
    let taken = operator.incoming(PATIENCE).await?.call();
    taken.answered(PATIENCE).await?;
    let (ours, engines) = tokio::join!(call.refreshed(REFRESHED), taken.refreshed(REFRESHED));
    ensure!(ours? && !engines?, "the caller refreshes its session, the engine its own");
    call.hangup()?;
    end(&call).await?;
    end(&taken).await?;
    quiet_at_the_sockets(&[&phone, &operator])
}

fn account() -> Credentials {
    Credentials::new("gudok", "a-long-password")
}

/// A trunk to that telephone, with the account.
fn trunk(name: &str, to: &Phone, folder: &std::path::Path, more: &str) -> anyhow::Result<String> {
    let password = folder.join("password");
    std::fs::write(&password, "a-long-password")?;
    let at = to.local_addr();
    Ok(format!(
        "[[trunk]]\nname = {name:?}\nproxy = \"{at}\"\ndomain = \"{at}\"\nusername = \"gudok\"\n\
         password_file = {password:?}\n{more}\n"
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_trunks_register_and_bring_calls() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut config = config()?;
    let mut registrars = Vec::new();
    for (user, algorithm) in [(ECHO, Algorithm::Md5), (COUNT, Algorithm::Sha256)] {
        let registrar = RegistrarConfig {
            realm: "centre".into(),
            users: vec![account()],
            algorithm,
            expires_s_max: 600,
            refuse: None,
        };
        let phone = Phone::start(PhoneConfig { registrar: Some(registrar), ..PhoneConfig::default() }).await?;
        config = config.extra(&trunk(&format!("to-{user}"), &phone, folder.path(), &format!("register = {user:?}"))?);
        registrars.push((user, phone));
    }
    let mut engine = Engine::start_at(&config, Some(NOON)).await?;
    for (user, phone) in &registrars {
        let bindings = phone.registered(1, PATIENCE).await?;
        ensure!(bindings[0].expires_s > 0 && bindings[0].contact.contains(user), "it registers {user}");
        let call = phone.call(&bindings[0].contact, CallOptions::default()).await?;
        call.answered(PATIENCE).await?;
        call.hangup()?;
        end(&call).await?;
    }
    engine.signal("TERM").await?;
    engine.ended().await?;
    for (_, phone) in &registrars {
        let bindings = phone.registered(2, PATIENCE).await?;
        ensure!(
            bindings.last().is_some_and(|binding| binding.expires_s == 0),
            "it takes its binding back: {bindings:?}"
        );
        quiet_at_the_sockets(&[phone])?;
    }
    Ok(())
}
