//! Telephones that register: RFC 3261, section 10, and what the hostile make of it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod peer;
mod telephone;

use gudok_core::ids::Trunk;
use gudok_core::leg::{DialTarget, HangupCause, LegEvent};
use gudok_core::privacy::PhoneNumber;
use gudok_sip::{
    Counter, DialRequest, LegHandle, Listener, RegistrarUser, Share, Signalling, SipConfig, SipEngine, Transport,
    TrunkConfig,
};
use peer::{Follow, MEDIA, Message, OFFER, freeze, start, take};
use std::time::Duration;
use telephone::{REALM, Telephone, event, gone, registered, registrar, started, user};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn dial(engine: &SipEngine, user: &str) -> (LegHandle, Follow) {
    let (leg, events) = engine.dial(DialRequest {
        target: DialTarget { trunk: Some(Trunk::new(Trunk::REGISTERED)), address: PhoneNumber::new(user) },
        caller: Some(PhoneNumber::new("+79130000001")),
        screen_pop: vec![("X-Gudok-Topic".into(), "passport".into())],
        chain: None,
        local_media: MEDIA.parse().unwrap(),
        share: Share::Calls,
    });
    (leg, Follow(events))
}

fn ended(cause: HangupCause, status: Option<u16>) -> LegEvent {
    LegEvent::Ended { cause, status }
}

#[tokio::test]
async fn a_telephone_registers_asks_refreshes_and_goes() {
    let (engine, _incoming, mut anna, mut events) = started(|_| {}).await;
    for sha256 in [false, true] {
        anna.sha256 = sha256;
        let contact = anna.contact();
        let ok = anna.register_here(120).await;
        assert_eq!(ok.field("Contact"), format!("{contact};expires=120"));
        assert!(!ok.tag("To").is_empty());
        assert_eq!(event(&mut events).await, registered("anna"));
        let telephones = engine.telephones();
        assert_eq!(telephones.len(), 1);
        assert_eq!((&*telephones[0].user, telephones[0].source), ("anna", anna.peer.address()));
        assert_eq!(anna.register("").await.field("Contact"), format!("{contact};expires=120"));
        anna.register_here(200).await;
        let bye = anna.register("Contact: *\r\nExpires: 0\r\n").await;
        assert_eq!((bye.start(), bye.field("Contact")), ("SIP/2.0 200 OK", ""));
        assert_eq!(event(&mut events).await, gone("anna"), "and nothing of the refresh");
        assert_eq!(anna.register("").await.field("Contact"), "");
    }
    anna.register_here(120).await;
    assert_eq!(event(&mut events).await, registered("anna"));
    // By its own Contact with 0; of another contact nothing is known, and nothing happens.
    let other = anna.register("Contact: <sip:anna@10.0.0.1>;expires=0\r\n").await;
    assert!(other.field("Contact").starts_with("<sip:anna@127.0.0.1"), "{}", other.0);
    let contact = anna.contact();
    assert_eq!(anna.register(&format!("Contact: {contact}\r\nExpires: 0\r\n")).await.field("Contact"), "");
    assert_eq!(event(&mut events).await, gone("anna"));
    assert_eq!(engine.telephones(), []);
    assert_eq!(engine.stats().count(Counter::Registered), 5);
    assert_eq!(engine.stats().count(Counter::Unregistered), 3);
}

#[tokio::test(start_paused = true)]
async fn a_telephone_that_says_nothing_more_is_gone_when_its_time_is_over() {
    let _frozen = freeze();
    let (engine, _incoming, mut anna, mut events) = started(|_| {}).await;
    anna.register_here(60).await;
    assert_eq!(event(&mut events).await, registered("anna"));
    tokio::time::advance(Duration::from_secs(40)).await;
    assert_eq!(anna.register("").await.field("Contact").split_once(";expires=").unwrap().1, "20");
    anna.register_here(60).await;
    tokio::time::advance(Duration::from_secs(40)).await;
    assert_eq!(engine.telephones().len(), 1, "the refresh counts");
    tokio::time::advance(Duration::from_secs(21)).await;
    assert_eq!(events.next().await, Some(gone("anna")));
    assert_eq!(engine.telephones(), []);
    let (_, mut follow) = dial(&engine, "anna");
    follow.expect(ended(HangupCause::Unavailable, None)).await;
}

#[tokio::test]
async fn wishes_are_refused_cut_or_read_as_an_hour() {
    let (_engine, _incoming, mut anna, _) = started(|config| registrar(config).expires_s_max = 3_600).await;
    let contact = anna.contact();
    let brief = anna.register(&format!("Contact: {contact}\r\nExpires: 59\r\n")).await;
    assert_eq!((brief.start(), brief.field("Min-Expires")), ("SIP/2.0 423 Interval Too Brief", "60"));
    for (wish, expect) in [
        (";expires=60", "60"),
        ("", "3600"),
        (";expires=99999", "3600"),
        (";expires=99999999999999999999999999", "3600"),
        (";expires=-1", "3600"),
        (";expires=soon", "3600"),
        (";expires=\"100\"", "3600"),
    ] {
        let ok = anna.register(&format!("Contact: {contact}{wish}\r\n")).await;
        assert_eq!(ok.field("Contact"), format!("{contact};expires={expect}"), "{wish:?}");
    }
    let of_all = anna.register(&format!("Expires: 90\r\nContact: {contact}\r\n")).await;
    assert_eq!(of_all.field("Contact"), format!("{contact};expires=90"));
    let own = anna.register(&format!("Expires: 90\r\nContact: {contact};expires=70;q=0.1\r\n")).await;
    assert_eq!(own.field("Contact"), format!("{contact};expires=70"));
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let (engine, _incoming, mut anna, _) = started(|_| {}).await;
    anna.register_here(100).await;
    let contact = anna.contact();
    let many = format!("Contact: {}\r\n", ["<sip:anna@127.0.0.1:9>"; 9].join(", "));
    let long = format!("Contact: <sip:{}@h>\r\n", "a".repeat(600));
    for (more, status) in [
        ("Contact: *\r\n", "400"),
        ("Contact: *\r\nExpires: 100\r\n", "400"),
        ("Contact: *;expires=0\r\nExpires: 0\r\n", "400"),
        (&format!("Contact: *, {contact}\r\nExpires: 0\r\n"), "400"),
        (&many, "400"),
        (&long, "400"),
        ("Contact: <sips:anna@127.0.0.1:9>\r\n", "400"),
        ("Contact: <tel:+79130000001>\r\n", "400"),
        ("Contact: <mailto:anna@h>\r\n", "400"),
        ("Contact: nonsense\r\n", "400"),
        ("Contact: <>\r\n", "400"),
        ("Contact: <sip:a b@h>\r\n", "400"),
        (&format!("Contact: {contact}\r\nRequire: gruu\r\n"), "420"),
    ] {
        let answer = if status == "420" {
            let text = anna.register_text(more);
            anna.peer.send(&text).await;
            anna.peer.expect("SIP/2.0").await
        } else {
            anna.register(more).await
        };
        assert!(answer.start().starts_with(&format!("SIP/2.0 {status} ")), "{more}: {}", answer.start());
        assert_eq!(engine.telephones()[0].source, anna.peer.address(), "{more}");
    }
    // An older one that comes late, and one for somebody else.
    anna.cseq = 0;
    assert_eq!(anna.register(&format!("Contact: {contact};expires=0\r\n")).await.start(), "SIP/2.0 400 Bad Request");
    assert_eq!(engine.telephones().len(), 1);
    anna.cseq = 100;
    let text = anna.register_text(&format!("Contact: {contact}\r\n"));
    anna.peer.send(&text.replace("To: <sip:anna@", "To: <sip:boris@")).await;
    let challenge = anna.peer.expect("SIP/2.0 401").await;
    let proof = anna.authorization(&challenge, "REGISTER", &format!("sip:{REALM}"));
    let text = anna.register_text(&format!("Contact: {contact}\r\n{proof}"));
    anna.peer.send(&text.replace("To: <sip:anna@", "To: <sip:boris@")).await;
    anna.peer.expect("SIP/2.0 403").await;
    assert_eq!(engine.telephones().iter().map(|t| &*t.user).collect::<Vec<_>>(), ["anna"]);
}

#[tokio::test]
async fn the_last_of_two_telephones_of_a_user_counts() {
    let (engine, _incoming, mut first, mut events) = started(|_| {}).await;
    let mut second = first.another("anna", "pass1").await;
    first.register_here(100).await;
    assert_eq!(event(&mut events).await, registered("anna"));
    second.register_here(100).await;
    assert_eq!(event(&mut events).await, registered("anna"), "somewhere else now");
    let (leg, _follow) = dial(&engine, "anna");
    let invite = second.peer.expect("INVITE").await;
    assert_eq!(invite.field("X-Gudok-Topic"), "passport");
    leg.hangup();
    // The first one takes leave: that is no word of the second.
    let contact = first.contact();
    first.register(&format!("Contact: {contact};expires=0\r\n")).await;
    assert_eq!(engine.telephones()[0].source, second.peer.address());
    // Two contacts in one REGISTER: the last that is wished for.
    let ok =
        second.register("Contact: <sip:anna@10.0.0.1>, <sip:anna@10.0.0.2>, <sip:anna@10.0.0.1>;expires=0\r\n").await;
    assert!(ok.field("Contact").starts_with("<sip:anna@10.0.0.2>"), "{}", ok.0);
}

/// Behind NAT: what it calls itself leads nowhere.
const PRIVATE: &str = "10.255.255.1:5062";

fn answer_as_private(invite: &Message) -> String {
    format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=anna\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: \"Anna\" <sip:anna@{PRIVATE};ob>;x=1\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{OFFER}",
        invite.field("Via"),
        invite.field("From"),
        invite.field("To"),
        invite.field("Call-ID"),
        invite.field("CSeq"),
        OFFER.len()
    )
}

#[tokio::test]
async fn a_telephone_behind_nat_is_called_where_it_registered_from() {
    let (engine, _incoming, mut anna, _) = started(|_| {}).await;
    let (_, mut nobody) = dial(&engine, "boris");
    nobody.expect(ended(HangupCause::Unavailable, None)).await;
    nobody.expect_end().await;
    let ok = anna.register(&format!("Contact: <sip:anna@{PRIVATE};ob>;expires=100\r\n")).await;
    assert_eq!(ok.field("Contact"), format!("<sip:anna@{PRIVATE};ob>;expires=100"));
    let (leg, mut follow) = dial(&engine, "anna");
    let invite = anna.peer.expect("INVITE").await;
    assert_eq!(invite.uri(), format!("sip:anna@{PRIVATE};ob"), "the request line is the contact");
    assert_eq!(invite.field("To"), format!("<sip:anna@{REALM}>"));
    assert!(invite.field("From").starts_with("<sip:+79130000001@"), "{}", invite.field("From"));
    anna.peer.send(&answer_as_private(&invite)).await;
    anna.peer.expect("ACK").await;
    follow.media().await;
    follow.expect(LegEvent::Answered).await;
    leg.hangup();
    let bye = anna.peer.expect("BYE").await;
    anna.peer.answer(&bye, "200 OK", "", "").await;
    follow.expect(ended(HangupCause::EngineHangup, None)).await;
}

#[tokio::test]
async fn a_registered_telephone_calls_and_is_known_by_its_digest() {
    let (engine, mut incoming, mut anna, _) = started(|_| {}).await;
    let uri = format!("sip:122@{}", anna.peer.engine);
    let kind = "Content-Type: application/sdp\r\n";
    let proven = |anna: &Telephone, challenge: &Message, cseq: u32| {
        let proof = anna.authorization(challenge, "INVITE", &uri);
        anna.peer.request("INVITE", cseq, &anna.peer.next_branch(), &format!("{kind}{proof}"), OFFER)
    };
    let ask = |anna: &Telephone, cseq: u32| anna.peer.request("INVITE", cseq, &anna.peer.next_branch(), kind, OFFER);
    anna.peer.send(&ask(&anna, 1)).await;
    let challenge = anna.peer.expect("SIP/2.0 401").await;
    anna.peer.remote_tag.clear();
    // It knows the password, but has not registered.
    anna.peer.send(&proven(&anna, &challenge, 2)).await;
    anna.peer.expect("SIP/2.0 403").await;
    anna.register_here(100).await;
    anna.peer.remote_tag.clear();
    anna.peer.send(&ask(&anna, 3)).await;
    let challenge = anna.peer.expect("SIP/2.0 401").await;
    anna.peer.remote_tag.clear();
    let invite = proven(&anna, &challenge, 4).replace("sip:peer@127.0.0.1", "sip:peer@10.255.255.1");
    anna.peer.send(&invite).await;
    let leg = take(&mut incoming).await;
    assert_eq!(leg.call.trunk, Trunk::new(Trunk::REGISTERED));
    assert_eq!(leg.call.caller.as_ref().map(PhoneNumber::reveal), Some("anna"), "whatever From says");
    assert_eq!(leg.call.called.reveal(), "122");
    leg.leg.answer(MEDIA.parse().unwrap());
    anna.peer.expect("SIP/2.0 200").await;
    anna.peer.ack(4, "").await;
    let mut follow = Follow(leg.events);
    follow.media().await;
    follow.expect(LegEvent::Answered).await;
    leg.leg.hangup();
    let bye = anna.peer.expect("BYE").await;
    anna.peer.answer(&bye, "200 OK", "", "").await;
    follow.expect(ended(HangupCause::EngineHangup, None)).await;
    assert_eq!(engine.stats().count(Counter::CallsIn), 1);
    assert_eq!(engine.stats().count(Counter::RegisterForbidden), 1);
}

#[tokio::test]
async fn a_caller_gives_up_before_the_answer() {
    let (_engine, mut incoming, mut anna, _) = started(|_| {}).await;
    anna.register_here(100).await;
    anna.peer.remote_tag.clear();
    anna.peer.invite("", OFFER).await;
    let challenge = anna.peer.expect("SIP/2.0 401").await;
    anna.peer.remote_tag.clear();
    let proof = anna.authorization(&challenge, "INVITE", &format!("sip:122@{}", anna.peer.engine));
    let branch = anna.peer.next_branch();
    let kind = format!("Content-Type: application/sdp\r\n{proof}");
    anna.peer.send(&anna.peer.request("INVITE", 2, &branch, &kind, OFFER)).await;
    let leg = take(&mut incoming).await;
    anna.peer.send(&anna.peer.request("CANCEL", 2, &branch, "", "")).await;
    let mut follow = Follow(leg.events);
    follow.expect(ended(HangupCause::Cancelled, Some(487))).await;
}

#[tokio::test]
async fn strangers_and_trunks_cannot_register() {
    let (engine, _incoming, peer, _) =
        started(|config| registrar(config).sources = vec!["10.0.0.0/8".parse().unwrap()]).await;
    let mut anna = peer;
    let text = anna.register_text("");
    anna.peer.send(&text).await;
    anna.peer.expect("SIP/2.0 403").await;
    assert_eq!(engine.stats().count(Counter::UnknownSource), 1);
    // A trunk's source, with and without a registrar.
    for with in [true, false] {
        let (_engine, _incoming, peer) = start(|config| {
            let trunks = config.trunks.clone();
            registrar(config).sources.clear();
            config.trunks = trunks;
            config.registrar = config.registrar.take().filter(|_| with);
        })
        .await;
        let mut anna = Telephone::new(peer, "anna", "pass1");
        let text = anna.register_text("");
        anna.peer.send(&text).await;
        anna.peer.expect("SIP/2.0 405").await;
    }
}

#[tokio::test]
async fn a_telephone_beside_a_trunk_is_known_by_the_way_it_registered() {
    let (_engine, mut incoming, peer) = start(|config| {
        let trunks = config.trunks.clone();
        registrar(config);
        config.trunks = trunks;
    })
    .await;
    let mut anna = Telephone::new(peer, "anna", "pass1");
    let line = anna.peer.another().await;
    line.invite("", OFFER).await;
    assert_eq!(take(&mut incoming).await.call.trunk, Trunk::new("peer"));
    anna.register_here(100).await;
    anna.peer.remote_tag.clear();
    anna.peer.invite("", OFFER).await;
    anna.peer.expect("SIP/2.0 401").await;
}

#[tokio::test]
async fn a_user_with_networks_of_its_own_comes_from_nowhere_else() {
    let (engine, _incoming, mut anna, _) = started(|config| {
        let elsewhere = RegistrarUser { sources: vec!["10.0.0.0/8".parse().unwrap()], ..user("anna", "pass1") };
        registrar(config).users[0] = elsewhere;
    })
    .await;
    let contact = anna.contact();
    assert!(anna.register(&format!("Contact: {contact}\r\n")).await.start().starts_with("SIP/2.0 403"));
    let mut boris = anna.another("boris", "pass2").await;
    boris.register_here(100).await;
    assert_eq!(engine.telephones().len(), 1);
}

#[tokio::test]
async fn guessing_is_counted_and_stopped() {
    let (engine, _incoming, mut thief, mut events) = started(|_| {}).await;
    let mut anna = thief.another("anna", "pass1").await;
    anna.register_here(100).await;
    assert_eq!(event(&mut events).await, registered("anna"));
    thief.password = "guess".into();
    let contact = thief.contact();
    let mut wrong = 0;
    let throttled = loop {
        let answer = thief.register(&format!("Contact: {contact}\r\n")).await;
        if answer.start().starts_with("SIP/2.0 401") {
            wrong += 1;
            assert!(answer.field("WWW-Authenticate").contains("nonce="), "{}", answer.0);
            continue;
        }
        break answer;
    };
    assert_eq!(throttled.start(), "SIP/2.0 503 Service Unavailable");
    assert_eq!(throttled.field("Retry-After"), "60");
    assert_eq!((wrong, engine.stats().count(Counter::DigestWrong)), (10, 10));
    assert_eq!(engine.stats().count(Counter::DigestThrottled), 1);
    assert_eq!(engine.telephones()[0].source, anna.peer.address(), "the right one stays");
    let mut boris = thief.another("boris", "pass2").await;
    boris.register_here(100).await;
}

#[tokio::test]
async fn an_overheard_register_is_worth_nothing() {
    let (engine, _incoming, mut anna, _) = started(|_| {}).await;
    anna.register_here(100).await;
    let text = anna.register_text("");
    anna.peer.send(&text).await;
    let challenge = anna.peer.expect("SIP/2.0 401").await;
    let proof = anna.authorization(&challenge, "REGISTER", &format!("sip:{REALM}"));
    let contact = anna.contact();
    let text = anna.register_text(&format!("Contact: {contact}\r\n{proof}"));
    anna.peer.send(&text).await;
    anna.peer.expect("SIP/2.0 200").await;
    let mut thief = anna.another("anna", "unknown to him").await;
    let to_thief = format!("Contact: {}\r\n{proof}", thief.contact());
    let text = thief.register_text(&to_thief);
    thief.peer.send(&text).await;
    let asked = thief.peer.expect("SIP/2.0 401").await;
    assert!(asked.field("WWW-Authenticate").contains("stale=true"), "{}", asked.0);
    assert_eq!(engine.telephones()[0].source, anna.peer.address());
    assert_eq!(engine.stats().count(Counter::DigestReplayed), 1);
}

#[tokio::test]
async fn a_nonce_serves_several_requests_by_its_count() {
    let (engine, _incoming, mut anna, _) = started(|_| {}).await;
    let text = anna.register_text("");
    anna.peer.send(&text).await;
    let challenge = anna.peer.expect("SIP/2.0 401").await;
    let nonce = challenge.field("WWW-Authenticate").split("nonce=\"").nth(1).unwrap();
    let nonce = nonce.split('"').next().unwrap().to_owned();
    for count in ["00000001", "00000002", "0000000f"] {
        let proof = anna.answer_to(&nonce, count, "REGISTER", &format!("sip:{REALM}"));
        let contact = anna.contact();
        let text = anna.register_text(&format!("Contact: {contact}\r\n{proof}"));
        anna.peer.send(&text).await;
        anna.peer.expect("SIP/2.0 200").await;
    }
    assert_eq!(engine.stats().count(Counter::DigestAsked), 1);
}

#[tokio::test]
async fn a_stream_is_used_again_and_its_end_is_noticed() {
    let tcp = Listener { transport: Transport::Tcp, address: "127.0.0.1:0".parse().unwrap() };
    let (engine, _incoming, mut anna, mut events) = started(|config| config.listeners.push(tcp)).await;
    let address = engine.local_addresses()[1].address;
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut buffer = vec![0; 65_536];
    let over_tcp = |text: String| text.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let text = over_tcp(anna.register_text(""));
    stream.write_all(text.as_bytes()).await.unwrap();
    let len = stream.read(&mut buffer).await.unwrap();
    let challenge = Message(String::from_utf8(buffer[..len].to_vec()).unwrap());
    let proof = anna.authorization(&challenge, "REGISTER", &format!("sip:{REALM}"));
    let text = anna.register_text(&format!("Contact: <sip:anna@{PRIVATE};transport=tcp>\r\n{proof}"));
    stream.write_all(over_tcp(text).as_bytes()).await.unwrap();
    let len = stream.read(&mut buffer).await.unwrap();
    assert!(buffer[..len].starts_with(b"SIP/2.0 200"));
    assert_eq!(event(&mut events).await, registered("anna"));
    assert_eq!(engine.telephones()[0].transport, Transport::Tcp);
    let (_leg, mut follow) = dial(&engine, "anna");
    let len = stream.read(&mut buffer).await.unwrap();
    let invite = Message(String::from_utf8(buffer[..len].to_vec()).unwrap());
    assert!(invite.start().starts_with("INVITE") && invite.field("Via").starts_with("SIP/2.0/TCP"), "{}", invite.0);
    stream.write_all(answer_as_private(&invite).as_bytes()).await.unwrap();
    let len = stream.read(&mut buffer).await.unwrap();
    assert!(buffer[..len].starts_with(b"ACK"), "by the same stream");
    follow.media().await;
    follow.expect(LegEvent::Answered).await;
    drop(stream);
    assert_eq!(event(&mut events).await, gone("anna"));
    let (_, mut follow) = dial(&engine, "anna");
    follow.expect(ended(HangupCause::Unavailable, None)).await;
}

#[tokio::test]
async fn a_reload_lets_go_of_who_may_no_longer() {
    let (engine, _incoming, mut anna, mut events) = started(|_| {}).await;
    let mut boris = anna.another("boris", "pass2").await;
    anna.register_here(100).await;
    boris.register_here(100).await;
    assert_eq!((event(&mut events).await, event(&mut events).await), (registered("anna"), registered("boris")));
    let mut config = SipConfig::on_udp("127.0.0.1:0".parse().unwrap());
    registrar(&mut config);
    engine.reload(&config).unwrap();
    assert_eq!(engine.telephones().len(), 2, "nothing has changed");
    registrar(&mut config).users[0] = user("anna", "another");
    engine.reload(&config).unwrap();
    assert_eq!(event(&mut events).await, gone("anna"));
    anna.password = "another".into();
    anna.register_here(100).await;
    assert_eq!(event(&mut events).await, registered("anna"));
    config.registrar = None;
    config.trunks = vec![TrunkConfig::by_address("line", vec!["127.0.0.0/8".parse().unwrap()])];
    engine.reload(&config).unwrap();
    assert_eq!((event(&mut events).await, event(&mut events).await), (gone("anna"), gone("boris")));
    let text = anna.register_text("");
    anna.peer.send(&text).await;
    anna.peer.expect("SIP/2.0 405").await;
}

#[tokio::test]
async fn hostile_registers_are_survived_and_register_nobody() {
    // Beside a trunk, whose sources may send more than telephones: else most of it would not come so far.
    let (engine, _incoming, mut anna, _) = started(|config| {
        config.trunks = vec![TrunkConfig::by_address("line", vec!["127.0.0.0/8".parse().unwrap()])];
    })
    .await;
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let text = anna.register_text("");
    anna.peer.send(&text).await;
    let challenge = anna.peer.expect("SIP/2.0 401").await;
    let signs = ["\"", "<", ">", ";", ",", "=", "%00", "*", "\r\n", "@", ":", "\u{7f}", "я", "expires=0", "%", "\\"];
    let guess = Telephone { password: "guess".into(), ..anna.another("anna", "").await };
    for _ in 0..2_000 {
        // One nonce for all, and no right password: nothing of this may register anybody.
        let proof = guess.authorization(&challenge, "REGISTER", &format!("sip:{REALM}"));
        let contact = anna.contact();
        let mut text = anna.register_text(&format!("Contact: {contact}\r\nExpires: 100\r\n{proof}"));
        for _ in 0..1 + random(4) {
            let at = (0..=random(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            text.insert_str(at, signs[random(signs.len())]);
        }
        anna.peer.send(&text).await;
        if random(50) == 0 {
            // Keep in step, so that nothing is lost for want of room.
            anna.peer.drain().await;
        }
    }
    anna.peer.drain().await;
    assert_eq!(engine.telephones(), []);
    assert_eq!(engine.stats().count(Counter::Registered), 0);
    let mut boris = anna.another("boris", "pass2").await;
    let text = boris.register_text("");
    boris.peer.send(&text).await;
    boris.peer.expect("SIP/2.0 401").await;
    let stats = engine.stats();
    assert!(stats.count(Counter::DigestAsked) > 100 && stats.count(Counter::DigestThrottled) > 100, "{stats:?}");
}
