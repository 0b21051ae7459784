//! Callees as campaigns meet them: phone calls phone over loopback.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::{Duration, Instant};

use gudok_phone::{
    Answer, AnswerKeys, Behaviour, CallOptions, CalleeReport, Party, Phone, PhoneConfig, Sound, When, tone,
};
use tokio::sync::mpsc;

const LIMIT: Duration = Duration::from_secs(20);

/// Who is called: the user says how they behave.
fn behave(user: &str) -> Behaviour {
    match user {
        "busy" => Behaviour::Refuse(486),
        "declines" => Behaviour::Refuse(603),
        "unknown" => Behaviour::Refuse(404),
        "overloaded" => Behaviour::Refuse(503),
        "rings" => Behaviour::RingForEver,
        "tone" => Behaviour::RefuseAfter { sound: Sound::new().busy(2), status: 486 },
        "machine" => Behaviour::Answer(Answer {
            greeting: Sound::new().voice(300).silence(100).beep(200).made(),
            ..Answer::default()
        }),
        "presses" => Behaviour::Answer(Answer {
            after: Duration::from_millis(100),
            greeting: Sound::new().voice(200).live(-45.0, 100),
            keys: vec![
                AnswerKeys { keys: "1".into(), when: When::Quiet(Duration::from_millis(200)) },
                AnswerKeys { keys: "29".into(), when: When::After(Duration::from_millis(50)) },
            ],
            hang_up_after: Some(Duration::from_secs(3)),
        }),
        _ => Behaviour::Answer(Answer { hang_up_after: Some(Duration::from_millis(300)), ..Answer::default() }),
    }
}

/// Somebody who calls, and the phone at which everybody is called.
struct Town {
    caller: Phone,
    callees: String,
    reports: mpsc::Receiver<CalleeReport>,
}

async fn town() -> Town {
    let options = CallOptions { record: true, ..CallOptions::default() };
    let callees = Phone::start(PhoneConfig { options, ..PhoneConfig::default() }).await.unwrap();
    let (sender, reports) = mpsc::channel(64);
    let address = callees.local_addr().to_string();
    tokio::spawn(async move { callees.answer_calls(|call| behave(call.user()), sender).await });
    Town { caller: Phone::start(PhoneConfig::default()).await.unwrap(), callees: address, reports }
}

impl Town {
    async fn call(&self, user: &str) -> gudok_phone::Call {
        let options = CallOptions { record: true, ..CallOptions::default() };
        self.caller.call(&format!("sip:{user}@{}", self.callees), options).await.unwrap()
    }

    async fn report(&mut self) -> CalleeReport {
        tokio::time::timeout(LIMIT, self.reports.recv()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn refusals_come_with_their_status() {
    let mut town = town().await;
    for (user, status) in [("busy", 486), ("declines", 603), ("unknown", 404), ("overloaded", 503), ("tone", 486)] {
        let call = town.call(user).await;
        assert_eq!(call.wait_ended(LIMIT).await.unwrap().status, status, "{user}");
        let report = town.report().await;
        assert_eq!((report.user.as_str(), report.end.status), (user, status));
    }
}

#[tokio::test]
async fn the_busy_tone_is_heard_before_the_refusal() {
    let town = town().await;
    let end = town.call("tone").await.wait_ended(LIMIT).await.unwrap();
    let loud = end.recording.iter().filter(|sample| sample.unsigned_abs() > 2_000).count();
    // Two bursts of 350 ms, of which most samples are loud.
    assert!((3_000..6_000).contains(&loud), "{loud}");
}

#[tokio::test]
async fn one_that_rings_for_ever_is_given_up() {
    let mut town = town().await;
    let call = town.call("rings").await;
    assert_eq!(call.ringing(LIMIT).await.unwrap(), 180);
    call.hangup().unwrap();
    assert_eq!(call.wait_ended(LIMIT).await.unwrap().status, 487);
    assert_eq!(town.report().await.end.by, Party::Peer);
}

#[tokio::test]
async fn a_machine_greets_beeps_and_records_what_it_hears() {
    let mut town = town().await;
    let call = town.call("machine").await;
    call.answered(LIMIT).await.unwrap();
    call.audible(LIMIT).await.unwrap();
    call.quiet(Duration::from_millis(400), LIMIT).await.unwrap();
    call.speak(tone(&[700.0], 300)).unwrap();
    call.quiet_from_now(Duration::from_millis(400), LIMIT).await.unwrap();
    call.hangup().unwrap();
    call.wait_ended(LIMIT).await.unwrap();
    let report = town.report().await;
    assert_eq!((report.end.by, report.end.status), (Party::Peer, 200));
    assert!(report.end.recording.iter().filter(|sample| sample.unsigned_abs() > 2_000).count() > 1_000);
}

#[tokio::test]
async fn keys_are_pressed_in_their_time_and_the_callee_hangs_up() {
    let mut town = town().await;
    let began = Instant::now();
    let call = town.call("presses").await;
    call.answered(LIMIT).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(100));
    call.speak(tone(&[500.0], 400)).unwrap();
    assert_eq!(call.digits(3, LIMIT).await.unwrap(), "129");
    let end = call.wait_ended(LIMIT).await.unwrap();
    assert_eq!((end.by, end.status), (Party::Peer, 200));
    let report = town.report().await;
    assert_eq!((report.keys_done, report.missed), (2, None));
}

#[tokio::test]
async fn hundreds_are_called_at_once() {
    const CALLS: usize = 300;
    let mut town = town().await;
    let mut calls = vec![];
    for n in 0..CALLS {
        calls.push(town.call(&format!("7{n:010}")).await);
        if n % 64 == 63 {
            // No more wait for reports than the channel holds.
            for _ in 0..64 {
                assert_eq!(town.report().await.end.status, 200);
            }
        }
    }
    for call in calls {
        let end = call.wait_ended(LIMIT).await.unwrap();
        assert_eq!((end.by, end.status), (Party::Peer, 200));
    }
}

#[test]
fn sounds_are_as_long_as_their_parts() {
    let sound = Sound::new().voice(500).silence(200).beep(300).busy(2).noise(100, -40.0);
    assert_eq!(sound.duration_ms(), 500 + 200 + 300 + 1_400 + 100);
    assert_eq!(sound.clone().made().duration_ms(), sound.duration_ms());
    assert_eq!(sound.live(-50.0, 400).duration_ms(), 2_900);
}
