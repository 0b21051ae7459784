//! Phone calls phone over loopback: what the other crates' tests lean on.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use gudok_phone::relay::{LossyRelay, RelayConfig, Trouble};
use gudok_phone::{
    Algorithm, Call, CallOptions, ChallengeConfig, Codec, Conversation, Credentials, DigitMethod, Direction,
    IncomingCall, KeyStep, OnIncoming, OnRefer, Party, Phone, PhoneConfig, PhoneError, RegistrarConfig,
    RegistrationStatus, Reinvite, Reliable, Timing, TranscriptKind, Transport, tone,
};

const LIMIT: Duration = Duration::from_secs(10);

async fn phone(config: PhoneConfig) -> Phone {
    Phone::start(config).await.unwrap()
}

async fn pair() -> (Phone, Phone) {
    (phone(PhoneConfig::default()).await, phone(PhoneConfig::default()).await)
}

/// A dials B, B answers.
async fn talk(a: &Phone, b: &Phone, options: CallOptions) -> (Call, Call) {
    let (call, incoming) = ring(a, b, options).await;
    let other = incoming.answer().unwrap();
    call.answered(LIMIT).await.unwrap();
    other.answered(LIMIT).await.unwrap();
    (call, other)
}

async fn ring(a: &Phone, b: &Phone, options: CallOptions) -> (Call, IncomingCall) {
    let call = a.call(&b.uri(), options).await.unwrap();
    (call, b.incoming(LIMIT).await.unwrap())
}

/// Both ends agree that it ended, who ended it, and that nothing odd happened.
async fn ended_cleanly(by: &Call, other: &Call) {
    let mine = by.wait_ended(LIMIT).await.unwrap();
    let theirs = other.wait_ended(LIMIT).await.unwrap();
    assert_eq!((mine.by, mine.status), (Party::Us, 200));
    assert_eq!((theirs.by, theirs.status), (Party::Peer, 200));
    assert_eq!((mine.oddities, theirs.oddities), (vec![], vec![]));
}

#[tokio::test]
async fn a_call_with_digits_both_ways_and_sound() {
    let (a, b) = pair().await;
    let options = CallOptions { record: true, ..CallOptions::default() };
    let (call, other) = talk(&a, &b, options).await;
    other.speak(tone(&[440.0], 600)).unwrap();
    call.press("1*#D").unwrap();
    other.press("90").unwrap();
    assert_eq!(other.digits(4, LIMIT).await.unwrap(), "1*#D");
    assert_eq!(call.digits(2, LIMIT).await.unwrap(), "90");
    call.audible(LIMIT).await.unwrap();
    call.quiet(Duration::from_millis(100), LIMIT).await.unwrap();
    call.hangup().unwrap();
    let report = call.wait_ended(LIMIT).await.unwrap();
    assert!(report.stats.packets > 20 && report.stats.lost == 0, "{:?}", report.stats);
    assert_eq!(report.stats.digits.len(), 4);
    assert!(report.recording.iter().any(|s| s.unsigned_abs() > 5_000), "the tone is in the recording");
    ended_cleanly(&call, &other).await;
}

#[tokio::test]
async fn digits_by_info_and_without_events_in_band() {
    let (a, b) = pair().await;
    let options = CallOptions { digits: DigitMethod::Info, ..CallOptions::default() };
    let (call, other) = talk(&a, &b, options).await;
    call.press("42").unwrap();
    assert_eq!(other.digits(2, LIMIT).await.unwrap(), "42");
    assert_eq!(call.infos_answered(2, LIMIT).await.unwrap(), [200, 200]);
    call.hangup().unwrap();
    ended_cleanly(&call, &other).await;

    let options = CallOptions { telephone_event: false, uplink: false, ..CallOptions::default() };
    let (call, other) = talk(&a, &b, options).await;
    call.press("5").unwrap();
    other.audible(LIMIT).await.unwrap();
    other.hangup().unwrap();
    ended_cleanly(&other, &call).await;
    assert!(matches!(call.press("x"), Err(PhoneError::NotAKey('x'))));
}

#[tokio::test]
async fn codecs_are_negotiated() {
    let (a, b) = pair().await;
    let options = CallOptions { codecs: vec![Codec::G722, Codec::Pcmu], ..CallOptions::default() };
    let (call, other) = talk(&a, &b, options).await;
    assert_eq!((call.codec(), other.codec()), (Some(Codec::Pcmu), Some(Codec::Pcmu)));
    call.speak(tone(&[500.0], 200)).unwrap();
    other.audible(LIMIT).await.unwrap();
    call.hangup().unwrap();
    ended_cleanly(&call, &other).await;

    let config = PhoneConfig {
        options: CallOptions { codecs: vec![Codec::G722], ..CallOptions::default() },
        ..PhoneConfig::default()
    };
    let wide = phone(config).await;
    let options = CallOptions { codecs: vec![Codec::G722], ..CallOptions::default() };
    let (call, other) = talk(&a, &wide, options).await;
    call.speak(tone(&[500.0], 200)).unwrap();
    other.audible(LIMIT).await.unwrap();
    call.hangup().unwrap();
    ended_cleanly(&call, &other).await;

    let call = a.call(&wide.uri(), CallOptions::default()).await.unwrap();
    wide.incoming(LIMIT).await.unwrap().answer().unwrap();
    assert_eq!(call.wait_ended(LIMIT).await.unwrap().status, 488);
}

#[tokio::test]
async fn late_offer_early_media_and_100rel() {
    let (a, b) = pair().await;
    let (call, other) = talk(&a, &b, CallOptions { late_offer: true, ..CallOptions::default() }).await;
    other.speak(tone(&[440.0], 200)).unwrap();
    call.audible(LIMIT).await.unwrap();
    call.hangup().unwrap();
    ended_cleanly(&call, &other).await;

    let options = CallOptions { reliable: Reliable::Required, ..CallOptions::default() };
    let (call, incoming) = ring(&a, &b, options).await;
    incoming.ring().unwrap();
    assert_eq!(call.ringing(LIMIT).await.unwrap(), 180);
    assert!(call.saw_reliable_progress());
    let other = incoming.answer().unwrap();
    call.answered(LIMIT).await.unwrap();
    other.answered(LIMIT).await.unwrap();
    other.hangup().unwrap();
    ended_cleanly(&other, &call).await;

    let (call, incoming) = ring(&a, &b, CallOptions::default()).await;
    let other = incoming.early_media(tone(&[440.0], 300)).unwrap();
    assert_eq!(call.ringing(LIMIT).await.unwrap(), 183);
    call.audible(LIMIT).await.unwrap();
    incoming.answer().unwrap();
    call.answered(LIMIT).await.unwrap();
    call.hangup().unwrap();
    let report = call.wait_ended(LIMIT).await.unwrap();
    assert!(report.stats.first_packet_after_answer_ms.unwrap() < 0.0, "early: {:?}", report.stats);
    ended_cleanly(&call, &other).await;
}

#[tokio::test]
async fn refusals_cancel_and_redirection() {
    let (a, b) = pair().await;
    for status in [486, 603, 503] {
        let (call, incoming) = ring(&a, &b, CallOptions::default()).await;
        incoming.reject(status).unwrap();
        let report = call.wait_ended(LIMIT).await.unwrap();
        assert_eq!((report.status, report.by, report.oddities), (status, Party::Peer, vec![]));
    }
    let (call, incoming) = ring(&a, &b, CallOptions::default()).await;
    incoming.redirect("sip:elsewhere@127.0.0.1:5099").unwrap();
    let report = call.wait_ended(LIMIT).await.unwrap();
    assert_eq!((report.status, report.contacts), (302, vec!["sip:elsewhere@127.0.0.1:5099".to_owned()]));

    let (call, incoming) = ring(&a, &b, CallOptions::default()).await;
    incoming.ring().unwrap();
    call.ringing(LIMIT).await.unwrap();
    call.hangup().unwrap();
    let report = call.wait_ended(LIMIT).await.unwrap();
    assert_eq!((report.status, report.by, report.oddities), (487, Party::Us, vec![]));
    let report = incoming.call().wait_ended(LIMIT).await.unwrap();
    assert_eq!((report.status, report.by, report.oddities), (487, Party::Peer, vec![]));

    let reject = OnIncoming::Reject { status: 503, retry_after_s: Some(7) };
    let full = phone(PhoneConfig { on_incoming: reject, ..PhoneConfig::default() }).await;
    let report = a.call(&full.uri(), CallOptions::default()).await.unwrap().wait_ended(LIMIT).await.unwrap();
    assert_eq!((report.status, report.retry_after_s), (503, Some(7)));
}

#[tokio::test]
async fn hold_resume_and_moved_media() {
    let (a, b) = pair().await;
    let (call, other) = talk(&a, &b, CallOptions::default()).await;
    assert_eq!(call.hold(LIMIT).await.unwrap(), 200);
    other.peer_direction(Direction::SendOnly, LIMIT).await.unwrap();
    assert_eq!(call.resume(LIMIT).await.unwrap(), 200);
    other.peer_direction(Direction::SendRecv, LIMIT).await.unwrap();
    let moved = Reinvite { move_media: true, ..Reinvite::default() };
    assert_eq!(call.send_reinvite(moved, LIMIT).await.unwrap(), 200);
    other.speak(tone(&[440.0], 300)).unwrap();
    call.audible(LIMIT).await.unwrap();
    let late = Reinvite { late_offer: true, ..Reinvite::default() };
    assert_eq!(other.send_reinvite(late, LIMIT).await.unwrap(), 200);
    call.hangup().unwrap();
    ended_cleanly(&call, &other).await;
}

#[tokio::test]
async fn tcp_calls_and_many_on_one_connection() {
    let config = PhoneConfig { transport: Transport::Tcp, ..PhoneConfig::default() };
    let (a, b) = (phone(config.clone()).await, phone(config).await);
    for _ in 0..3 {
        let (call, other) = talk(&a, &b, CallOptions::default()).await;
        call.press("7").unwrap();
        assert_eq!(other.digits(1, LIMIT).await.unwrap(), "7");
        other.hangup().unwrap();
        ended_cleanly(&other, &call).await;
    }
    assert_eq!((a.oddities(), b.oddities()), (vec![], vec![]));
}

#[tokio::test]
async fn blind_transfer_and_its_refusal() {
    let (a, b) = pair().await;
    let on_incoming = OnIncoming::Answer { after: Duration::from_millis(20) };
    let c = phone(PhoneConfig { on_incoming, user: "third".into(), ..PhoneConfig::default() }).await;
    let (call, other) = talk(&a, &b, CallOptions::default()).await;
    // B sends A to C.
    assert_eq!(other.refer(&c.uri(), LIMIT).await.unwrap(), 202);
    let transferred = call.transferred(LIMIT).await.unwrap();
    transferred.answered(LIMIT).await.unwrap();
    assert_eq!(other.transfer_result(LIMIT).await.unwrap(), 200);
    other.hangup().unwrap();
    ended_cleanly(&other, &call).await;
    let third = c.incoming(LIMIT).await.unwrap().call();
    third.answered(LIMIT).await.unwrap();
    third.hangup().unwrap();
    ended_cleanly(&third, &transferred).await;

    let busy = phone(PhoneConfig {
        on_incoming: OnIncoming::Reject { status: 486, retry_after_s: None },
        ..PhoneConfig::default()
    })
    .await;
    let (call, other) = talk(&a, &b, CallOptions::default()).await;
    assert_eq!(other.refer(&busy.uri(), LIMIT).await.unwrap(), 202);
    assert_eq!(other.transfer_result(LIMIT).await.unwrap(), 486);
    call.hangup().unwrap();
    ended_cleanly(&call, &other).await;

    let (call, other) = talk(&a, &b, CallOptions::default()).await;
    assert_eq!(other.refer("sip:nobody@no-such-host.invalid", LIMIT).await.unwrap(), 202);
    assert_eq!(other.transfer_result(LIMIT).await.unwrap(), 400);
    call.hangup().unwrap();
    ended_cleanly(&call, &other).await;

    let proud = phone(PhoneConfig { on_refer: OnRefer::Refuse(603), ..PhoneConfig::default() }).await;
    let (call, other) = talk(&proud, &b, CallOptions::default()).await;
    assert_eq!(other.refer(&c.uri(), LIMIT).await.unwrap(), 603);
    call.hangup().unwrap();
    ended_cleanly(&call, &other).await;
}

#[tokio::test]
async fn attended_transfer() {
    let (a, b) = pair().await;
    let on_incoming = OnIncoming::Answer { after: Duration::ZERO };
    let c = phone(PhoneConfig { on_incoming, ..PhoneConfig::default() }).await;
    // A talks to B, B asks C, then B connects A with C.
    let (call, other) = talk(&a, &b, CallOptions::default()).await;
    let asking = b.call(&c.uri(), CallOptions::default()).await.unwrap();
    asking.answered(LIMIT).await.unwrap();
    let asked = c.incoming(LIMIT).await.unwrap().call();
    asked.answered(LIMIT).await.unwrap();
    assert_eq!(other.refer_replacing(&c.uri(), &asking, LIMIT).await.unwrap(), 202);
    let transferred = call.transferred(LIMIT).await.unwrap();
    transferred.answered(LIMIT).await.unwrap();
    let replacing = c.incoming(LIMIT).await.unwrap();
    assert!(replacing.replaces());
    // C ends the call that was replaced.
    ended_cleanly(&asked, &asking).await;
    assert_eq!(other.transfer_result(LIMIT).await.unwrap(), 200);
    other.hangup().unwrap();
    ended_cleanly(&other, &call).await;
    transferred.press("3").unwrap();
    assert_eq!(replacing.call().digits(1, LIMIT).await.unwrap(), "3");
    transferred.hangup().unwrap();
    ended_cleanly(&transferred, &replacing.call()).await;
}

#[tokio::test]
async fn digest_for_invite_and_register() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let users = vec![Credentials::new("trunk", "secret")];
        let realm = "centre".to_owned();
        let proxy = phone(PhoneConfig {
            challenge: Some(ChallengeConfig { realm: realm.clone(), users: users.clone(), algorithm }),
            registrar: Some(RegistrarConfig {
                realm,
                users: users.clone(),
                algorithm,
                expires_s_max: 60,
                refuse: None,
            }),
            ..PhoneConfig::default()
        })
        .await;
        let known = phone(PhoneConfig { credentials: Some(users[0].clone()), ..PhoneConfig::default() }).await;
        let (call, other) = talk(&known, &proxy, CallOptions::default()).await;
        call.hangup().unwrap();
        ended_cleanly(&call, &other).await;
        let registrar = format!("sip:{}", proxy.local_addr());
        assert_eq!(known.register(&registrar, 300, LIMIT).await.unwrap(), (200, Some(60)));
        let bindings = proxy.registered(1, LIMIT).await.unwrap();
        assert_eq!((bindings[0].contact.as_str(), bindings[0].expires_s), (known.uri().as_str(), 60));
        assert_eq!(known.options(&registrar, LIMIT).await.unwrap(), 200);

        let wrong = Some(Credentials::new("trunk", "guess"));
        let unknown = phone(PhoneConfig { credentials: wrong, ..PhoneConfig::default() }).await;
        let report = unknown.call(&proxy.uri(), CallOptions::default()).await.unwrap().wait_ended(LIMIT).await.unwrap();
        assert_eq!((report.status, report.oddities), (407, vec![]));
        assert_eq!(unknown.register(&registrar, 300, LIMIT).await.unwrap().0, 401);
        assert_eq!((proxy.oddities(), known.oddities()), (vec![], vec![]));
    }
}

#[tokio::test]
async fn a_phone_stays_registered_and_takes_leave_or_vanishes() {
    let users = vec![Credentials::new("anna", "secret")];
    let registrar = phone(PhoneConfig {
        registrar: Some(RegistrarConfig {
            realm: "centre".to_owned(),
            users: users.clone(),
            algorithm: Algorithm::Sha256,
            expires_s_max: 1,
            refuse: None,
        }),
        ..PhoneConfig::default()
    })
    .await;
    let uri = format!("sip:{}", registrar.local_addr());
    let anna = |password: &str| PhoneConfig {
        user: "anna".to_owned(),
        credentials: Some(Credentials::new("anna", password)),
        registrar_uri: Some(uri.clone()),
        ..PhoneConfig::default()
    };
    let staying = phone(anna("secret")).await;
    assert_eq!(staying.wait_registered(LIMIT).await.unwrap(), 1);
    let bindings = registrar.registered(3, LIMIT).await.unwrap();
    assert!(bindings.iter().all(|binding| binding.contact == staying.uri() && binding.expires_s == 1));
    assert_eq!(staying.unregister(LIMIT).await.unwrap(), 200);
    let last = registrar.registered(4, LIMIT).await.unwrap().pop().unwrap();
    assert_eq!(last.expires_s, 0);
    assert!(staying.unregister(LIMIT).await.is_err(), "once");

    let wrong = phone(PhoneConfig { registrar_uri: None, ..anna("guess") }).await;
    let mut refused = wrong.keep_registered(&uri, 60);
    let error = refused.registered(Duration::from_millis(500)).await.unwrap_err();
    assert!(error.to_string().contains("401"), "{error}");
    assert_eq!(refused.status(), RegistrationStatus::Failed { status: 401 });
    assert_eq!((registrar.oddities(), staying.oddities(), wrong.oddities()), (vec![], vec![], vec![]));
}

#[tokio::test]
async fn transcripts_are_collected_and_unknown_packages_refused() {
    let (a, b) = pair().await;
    let (call, other) = talk(&a, &b, CallOptions::default()).await;
    let send = |json: &str| other.info_package("gudok-transcript", json).unwrap();
    send(r#"{"seq":1,"event":"prompt","text":"Здравствуйте, это центр","lang":"ru-RU"}"#);
    send(r#"{"seq":2,"event":"collect","keys":"1,2"}"#);
    send(r#"{"seq":3,"event":"novelty"}"#);
    assert_eq!(call.heard("ЗДРАВСТВУЙТЕ", LIMIT).await.unwrap(), "Здравствуйте, это центр");
    assert_eq!(call.collecting(LIMIT).await.unwrap(), "1,2");
    let brief = Duration::from_millis(50);
    assert!(call.heard("Здравствуйте", brief).await.is_err(), "each wait begins behind the last");
    other.info_package("unknown", "{}").unwrap();
    assert_eq!(other.infos_answered(4, LIMIT).await.unwrap(), [200, 200, 200, 469]);
    assert!(matches!(call.transcript()[2].kind, TranscriptKind::Other { .. }));
    assert_eq!(call.oddities().len(), 1, "the unknown package is odd");
    call.hangup().unwrap();
    call.wait_ended(LIMIT).await.unwrap();
}

#[tokio::test]
async fn conversations_by_script() {
    let (a, b) = pair().await;
    // With a transcript: keys are pressed when they are asked for.
    let script = Conversation { steps: KeyStep::parse_list("1,3").unwrap(), ..Conversation::default() };
    let (call, incoming) = ring(&a, &b, CallOptions::default()).await;
    let engine = async {
        let other = incoming.answer().unwrap();
        for expect in ["1", "3"] {
            other.answered(LIMIT).await.unwrap();
            other.info_package("gudok-transcript", r#"{"event":"prompt","text":"…"}"#).unwrap();
            other.info_package("gudok-transcript", r#"{"event":"collect","keys":"1,2,3"}"#).unwrap();
            assert_eq!(other.digits(1, LIMIT).await.unwrap(), expect);
        }
        other.hangup().unwrap();
    };
    let (report, ()) = tokio::join!(script.run(&call), engine);
    let report = report.unwrap();
    assert!(report.is_complete() && report.steps_done == 2, "{report:?}");

    // Without: when it has gone quiet.
    let quiet = Duration::from_millis(150);
    let steps = KeyStep::parse_list("7").unwrap();
    let script =
        Conversation { steps, quiet, hang_up_after: Some(Duration::from_millis(50)), ..Conversation::default() };
    let (call, incoming) = ring(&a, &b, CallOptions::default()).await;
    let engine = async {
        let other = incoming.answer().unwrap();
        other.answered(LIMIT).await.unwrap();
        other.speak(tone(&[440.0], 300)).unwrap();
        assert_eq!(other.digits(1, LIMIT).await.unwrap(), "7");
    };
    let (report, ()) = tokio::join!(script.run(&call), engine);
    assert!(report.unwrap().is_complete());

    // The other side hangs up too early: the report says so.
    let (call, incoming) = ring(&a, &b, CallOptions::default()).await;
    let engine = async {
        let other = incoming.answer().unwrap();
        other.answered(LIMIT).await.unwrap();
        other.hangup().unwrap();
    };
    let (report, ()) = tokio::join!(script.run(&call), engine);
    let report = report.unwrap();
    assert!(!report.is_complete() && report.steps_done == 0 && report.missed.is_some());
}

#[tokio::test]
async fn through_a_lossy_relay() {
    // Short timers: retransmissions are what is tested, not patience.
    let timing = Timing { t1: Duration::from_millis(80), ..Timing::default() };
    let b = phone(PhoneConfig { timing, ..PhoneConfig::default() }).await;
    let relay = LossyRelay::start(RelayConfig::new(7, Trouble::share(0.05)), b.local_addr()).await.unwrap();
    let a = phone(PhoneConfig {
        outbound_proxy: Some(relay.near),
        advertised: Some(relay.far),
        timing,
        ..PhoneConfig::default()
    })
    .await;
    // Eight calls share the trouble; each digit comes once.
    for _ in 0..8 {
        let (call, incoming) = ring(&a, &b, CallOptions::default()).await;
        let other = incoming.answer().unwrap();
        call.answered(LIMIT).await.unwrap();
        other.answered(LIMIT).await.unwrap();
        call.press("12").unwrap();
        assert_eq!(other.digits(2, LIMIT).await.unwrap(), "12");
        call.hangup().unwrap();
        call.wait_ended(LIMIT).await.unwrap();
        let report = other.wait_ended(Duration::from_secs(40)).await.unwrap();
        assert!(report.stats.bad_packets == 0 && report.stats.packets > 0, "media went through the relay");
    }
    let counts = relay.counts();
    let seen = |c: &std::sync::atomic::AtomicU64| c.load(std::sync::atomic::Ordering::Relaxed);
    assert!(seen(&counts.lost) > 0 && seen(&counts.doubled) > 0 && seen(&counts.held) > 0, "{counts:?}");
}
