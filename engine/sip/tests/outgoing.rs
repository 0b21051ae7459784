//! Calls out, registrations, and TCP.

#![allow(clippy::unwrap_used, clippy::panic)]

mod peer;

use gudok_core::ids::Trunk;
use gudok_core::leg::{DialTarget, HangupCause, LegEvent};
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_sip::{
    Codec, Counter, Credentials, DialRequest, LegHandle, Listener, RegistrationConfig, RegistrationState, Share,
    Signalling, SipConfig, SipEngine, Transport,
};
use peer::{Follow, MEDIA, Message, OFFER, freeze, start, take};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn request(address: &str) -> DialRequest {
    DialRequest {
        target: DialTarget { trunk: Some(Trunk::new("peer")), address: PhoneNumber::new(address) },
        caller: Some(PhoneNumber::new("+73842000000")),
        screen_pop: vec![
            (Arc::from("X-Gudok-Script"), Arc::from("passport")),
            (Arc::from("Route"), Arc::from("<sip:evil>")),
            (Arc::from("X-Gudok-Bad"), Arc::from("a\r\nb")),
        ],
        chain: None,
        local_media: MEDIA.parse().unwrap(),
        share: Share::Calls,
    }
}

fn dial(engine: &SipEngine, address: &str) -> (LegHandle, Follow) {
    let (leg, events) = engine.dial(request(address));
    (leg, Follow(events))
}

fn ended(cause: HangupCause, status: Option<u16>) -> LegEvent {
    LegEvent::Ended { cause, status }
}

#[tokio::test]
async fn a_call_rings_is_answered_and_ends() {
    let (engine, _incoming, mut peer) = start(|config| config.trunks[0].trusts_identity = true).await;
    let (leg, mut follow) = dial(&engine, "301");
    let invite = peer.expect("INVITE").await;
    peer.adopt(&invite);
    assert_eq!(invite.uri(), format!("sip:301@{}", peer.address()));
    assert!(invite.field("From").starts_with("<sip:+73842000000@127.0.0.1>;tag="), "{}", invite.field("From"));
    assert_eq!(invite.field("P-Asserted-Identity"), "<sip:+73842000000@127.0.0.1>");
    assert_eq!(invite.field("X-Gudok-Script"), "passport");
    assert_eq!((invite.field("Route"), invite.field("X-Gudok-Bad")), ("", ""));
    assert!(invite.body().contains("m=audio 20000 RTP/AVP 8 0 9 101\r\n"));
    peer.answer(&invite, "180 Ringing", "", "").await;
    follow.expect(LegEvent::Ringing { early_media: false }).await;
    peer.answer(&invite, "183 Session Progress", "", OFFER).await;
    assert_eq!(follow.media().await.codec, Codec::Pcma);
    follow.expect(LegEvent::Ringing { early_media: true }).await;
    peer.answer(&invite, "200 OK", "", &OFFER.replace("4000", "4002")).await;
    let ack = peer.expect("ACK").await;
    assert_eq!(ack.uri(), format!("sip:peer@{}", peer.address()));
    assert_eq!(follow.media().await.remote.port(), 4002);
    follow.expect(LegEvent::Answered).await;
    peer.answer(&invite, "200 OK", "", &OFFER.replace("4000", "4002")).await;
    assert_eq!(peer.next().await.0, ack.0, "a repeated 2xx gets the same ACK");
    leg.hangup();
    let bye = peer.expect("BYE").await;
    assert_eq!(bye.tag("To"), peer.tag);
    peer.answer(&bye, "200 OK", "", "").await;
    follow.expect(ended(HangupCause::EngineHangup, None)).await;
    follow.expect_end().await;
}

#[tokio::test]
async fn refusals_become_causes() {
    let (engine, _incoming, mut peer) = start(|_| {}).await;
    for (status, cause) in [
        ("486 Busy Here", HangupCause::Busy),
        ("480 Temporarily Unavailable", HangupCause::NoAnswer),
        ("404 Not Found", HangupCause::NotFound),
        ("488 Not Acceptable Here", HangupCause::NoCommonMedia),
        ("503 Service Unavailable", HangupCause::Unavailable),
        ("603 Decline", HangupCause::Rejected),
    ] {
        let (_leg, mut follow) = dial(&engine, "301");
        let invite = peer.expect("INVITE").await;
        peer.answer(&invite, status, "", "").await;
        let ack = peer.expect("ACK").await;
        assert_eq!(ack.field("Via"), invite.field("Via"));
        follow.expect(ended(cause, status[..3].parse().ok())).await;
        follow.expect_end().await;
    }
    let stranger = DialTarget { trunk: Some(Trunk::new("none")), address: PhoneNumber::new("1") };
    let (_, mut events) = engine.dial(DialRequest { target: stranger, ..request("1") });
    assert_eq!(events.recv().await, Some(gudok_sip::SipEvent::Leg(ended(HangupCause::NotFound, None))));
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let (engine, _incoming, mut peer) = start(|config| config.t1 = Duration::from_millis(5)).await;
    let (_leg, mut follow) = dial(&engine, "301");
    let invite = peer.expect("INVITE").await;
    assert_eq!(peer.next().await.0, invite.0, "retransmitted");
    follow.expect(ended(HangupCause::Unavailable, Some(408))).await;
}

#[tokio::test]
async fn cancel_waits_for_a_provisional_response() {
    let (engine, _incoming, mut peer) = start(|_| {}).await;
    let (leg, mut follow) = dial(&engine, "301");
    let invite = peer.expect("INVITE").await;
    leg.hangup();
    follow.expect(ended(HangupCause::EngineHangup, None)).await;
    peer.expect_nothing().await;
    peer.answer(&invite, "180 Ringing", "", "").await;
    let cancel = peer.expect("CANCEL").await;
    assert_eq!(cancel.field("Via"), invite.field("Via"));
    assert_eq!(cancel.field("CSeq").split(' ').next(), invite.field("CSeq").split(' ').next());
    peer.answer(&cancel, "200 OK", "", "").await;
    peer.answer(&invite, "487 Request Terminated", "", "").await;
    peer.expect("ACK").await;
    peer.expect_nothing().await;
}

#[tokio::test]
async fn an_answer_that_crosses_the_cancel_is_hung_up() {
    let (engine, _incoming, mut peer) = start(|_| {}).await;
    let (leg, _follow) = dial(&engine, "301");
    let invite = peer.expect("INVITE").await;
    leg.hangup();
    peer.expect_nothing().await;
    peer.answer(&invite, "200 OK", "", OFFER).await;
    let mut both = [peer.next().await, peer.next().await];
    both.sort_by_key(|message| message.start().to_owned());
    assert!(both[0].start().starts_with("ACK") && both[1].start().starts_with("BYE"), "{both:?}");
}

#[tokio::test]
async fn a_challenge_is_answered_once() {
    let credentials = || Credentials { username: PhoneNumber::new("line7"), password: Secret::new("secret") };
    let (engine, _incoming, mut peer) = start(|config| config.trunks[0].credentials = Some(credentials())).await;
    for (status, asks, answers) in [
        ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
        ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
    ] {
        let (_leg, mut follow) = dial(&engine, "301");
        let first = peer.expect("INVITE").await;
        let challenge = format!("{asks}: Digest realm=\"r\", nonce=\"n1\", qop=\"auth,auth-int\"\r\n");
        peer.answer(&first, status, &challenge, "").await;
        peer.expect("ACK").await;
        let second = peer.expect("INVITE").await;
        assert_eq!(second.field("Call-ID"), first.field("Call-ID"));
        assert_ne!(second.field("Via"), first.field("Via"));
        assert_ne!(second.field("CSeq"), first.field("CSeq"));
        let answer = second.field(answers);
        assert!(answer.starts_with("Digest username=\"line7\", realm=\"r\", nonce=\"n1\""), "{answer}");
        peer.answer(&second, status, &challenge, "").await;
        peer.expect("ACK").await;
        follow.expect(ended(HangupCause::Rejected, status[..3].parse().ok())).await;
    }
}

#[tokio::test]
async fn reliable_responses_are_pracked() {
    let (engine, _incoming, mut peer) = start(|_| {}).await;
    let (_leg, mut follow) = dial(&engine, "301");
    let invite = peer.expect("INVITE").await;
    peer.answer(&invite, "183 Session Progress", "Require: 100rel\r\nRSeq: 7\r\n", OFFER).await;
    let prack = peer.expect("PRACK").await;
    let cseq = invite.field("CSeq").split(' ').next().unwrap();
    assert_eq!(prack.field("RAck"), format!("7 {cseq} INVITE"));
    peer.answer(&prack, "200 OK", "", "").await;
    follow.media().await;
    follow.expect(LegEvent::Ringing { early_media: true }).await;
    peer.answer(&invite, "200 OK", "", "").await;
    peer.expect("ACK").await;
    follow.expect(LegEvent::Answered).await;
}

#[tokio::test]
async fn of_two_forks_that_answer_one_is_hung_up() {
    let (engine, _incoming, mut peer) = start(|_| {}).await;
    let (_leg, mut follow) = dial(&engine, "301");
    let invite = peer.expect("INVITE").await;
    let own = std::mem::replace(&mut peer.tag, "fork1".into());
    peer.answer(&invite, "180 Ringing", "", "").await;
    follow.expect(LegEvent::Ringing { early_media: false }).await;
    peer.tag = "fork2".into();
    peer.answer(&invite, "180 Ringing", "", "").await;
    peer.answer(&invite, "200 OK", "", OFFER).await;
    assert_eq!(peer.expect("ACK").await.tag("To"), "fork2");
    follow.media().await;
    follow.expect(LegEvent::Answered).await;
    peer.tag = "fork1".into();
    peer.answer(&invite, "200 OK", "", OFFER).await;
    assert_eq!(peer.expect("ACK").await.tag("To"), "fork1");
    let bye = peer.expect("BYE").await;
    assert_eq!(bye.tag("To"), "fork1");
    peer.answer(&bye, "200 OK", "", "").await;
    peer.answer(&invite, "200 OK", "", OFFER).await;
    assert!(peer.next().await.start().starts_with("ACK"), "no second BYE");
    peer.tag = own;
    peer.expect_nothing().await;
}

#[tokio::test]
async fn a_longer_session_is_asked_for_after_422() {
    let (engine, _incoming, mut peer) = start(|_| {}).await;
    let (_leg, mut follow) = dial(&engine, "301");
    let first = peer.expect("INVITE").await;
    assert_eq!(first.field("Session-Expires"), "1800");
    peer.answer(&first, "422 Session Interval Too Small", "Min-SE: 3600\r\n", "").await;
    peer.expect("ACK").await;
    let second = peer.expect("INVITE").await;
    assert_eq!((second.field("Session-Expires"), second.field("Min-SE")), ("3600", "3600"));
    peer.answer(&second, "422 Session Interval Too Small", "Min-SE: 3600\r\n", "").await;
    peer.expect("ACK").await;
    follow.expect(ended(HangupCause::Rejected, Some(422))).await;
}

#[tokio::test]
async fn an_answer_without_common_media_is_hung_up() {
    let (engine, _incoming, mut peer) = start(|_| {}).await;
    let (_leg, mut follow) = dial(&engine, "301");
    let invite = peer.expect("INVITE").await;
    peer.answer(&invite, "200 OK", "", &OFFER.replace("AVP 8 101", "AVP 18")).await;
    let mut both = [peer.next().await, peer.next().await];
    both.sort_by_key(|message| message.start().to_owned());
    assert!(both[0].start().starts_with("ACK") && both[1].start().starts_with("BYE"), "{both:?}");
    follow.expect(ended(HangupCause::NoCommonMedia, None)).await;
}

fn registering(config: &mut SipConfig) {
    let trunk = &mut config.trunks[0];
    trunk.registration = Some(RegistrationConfig { user: PhoneNumber::new("line7"), expires_s: 300 });
    trunk.credentials = Some(Credentials { username: PhoneNumber::new("line7"), password: Secret::new("secret") });
}

#[tokio::test]
async fn a_registration_is_kept_and_taken_back() {
    let (engine, mut incoming, mut peer) = start(registering).await;
    let first = peer.expect("REGISTER").await;
    assert_eq!(engine.registrations(), [(Trunk::new("peer"), RegistrationState::Registering)]);
    assert_eq!((first.uri(), first.field("Expires")), ("sip:127.0.0.1", "300"));
    peer.answer(&first, "401 Unauthorized", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", "").await;
    let second = peer.expect("REGISTER").await;
    assert!(second.field("Authorization").contains("uri=\"sip:127.0.0.1\""));
    let contact = second.field("Contact").to_owned();
    assert!(contact.starts_with("<sip:line7@127.0.0.1:"), "{contact}");
    peer.answer(&second, "200 OK", &format!("Contact: <sip:other@h>;expires=9, {contact};expires=120\r\n"), "").await;
    let registered = [(Trunk::new("peer"), RegistrationState::Registered { expires_s: 120 })];
    while engine.registrations() != registered {
        tokio::task::yield_now().await;
    }
    // The registrar calls the contact; the number is in To.
    let uri = format!("sip:122@{}", peer.engine);
    let invite = peer.request("INVITE", 1, "z9hG4bKreg", "Content-Type: application/sdp\r\n", OFFER);
    peer.send(&invite.replacen(&uri, contact.trim_matches(['<', '>']), 1)).await;
    assert_eq!(take(&mut incoming).await.call.called.reveal(), "122");
    let answered = async {
        loop {
            let message = peer.next().await;
            if message.start().starts_with("REGISTER") {
                assert_eq!(message.field("Expires"), "0");
                peer.answer(&message, "200 OK", "", "").await;
                break;
            }
        }
    };
    tokio::join!(engine.shutdown(), answered);
    assert_eq!(engine.registrations(), [(Trunk::new("peer"), RegistrationState::Unregistered)]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_registration_is_tried_again() {
    let _frozen = freeze();
    let (engine, _incoming, mut peer) = start(registering).await;
    for _ in 0..3 {
        let register = peer.expect("REGISTER").await;
        peer.answer(&register, "503 Busy", "", "").await;
        let failed = RegistrationState::Failed { status: Some(503) };
        while engine.registrations()[0].1 != failed {
            tokio::task::yield_now().await;
        }
        peer.expect_nothing().await;
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    let register = peer.expect("REGISTER").await;
    peer.answer(&register, "200 OK", "Expires: 60\r\n", "").await;
    while engine.registrations()[0].1 != (RegistrationState::Registered { expires_s: 60 }) {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(Duration::from_secs(55)).await;
    let refresh = peer.expect("REGISTER").await;
    peer.answer(&refresh, "423 Interval Too Brief", "Min-Expires: 900\r\n", "").await;
    assert_eq!(peer.expect("REGISTER").await.field("Expires"), "900");
}

#[tokio::test]
async fn trunks_are_reloaded() {
    let (engine, mut incoming, mut peer) = start(|config| config.trunks.clear()).await;
    peer.invite("", OFFER).await;
    peer.expect("SIP/2.0 403").await;
    assert_eq!(engine.stats().count(Counter::UnknownSource), 1);
    let mut config = SipConfig::on_udp("127.0.0.1:0".parse().unwrap());
    config.trunks = vec![gudok_sip::TrunkConfig::by_address("late", vec!["127.0.0.1/32".parse().unwrap()])];
    engine.reload(&config).unwrap();
    peer.remote_tag.clear();
    peer.invite("", OFFER).await;
    assert_eq!(take(&mut incoming).await.call.trunk, Trunk::new("late"));
}

/// A stream peer: sends text, reads whole messages.
struct Stream(tokio::net::TcpStream, Vec<u8>);

impl Stream {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        loop {
            let text = String::from_utf8_lossy(&self.1).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let message = Message(format!("{head}\r\n\r\n"));
                let len: usize = message.field("Content-Length").parse().unwrap_or(0);
                if body.len() >= len {
                    self.1.drain(..head.len() + 4 + len);
                    return Message(message.0 + &body[..len]);
                }
            }
            let mut buffer = [0; 4096];
            let count = tokio::time::timeout(Duration::from_secs(5), self.0.read(&mut buffer)).await.unwrap().unwrap();
            assert_ne!(count, 0, "the connection is open");
            self.1.extend_from_slice(&buffer[..count]);
        }
    }
}

#[tokio::test]
async fn a_call_over_tcp() {
    let tcp = Listener { transport: Transport::Tcp, address: "127.0.0.1:0".parse().unwrap() };
    let (engine, mut incoming, peer) = start(|config| config.listeners.push(tcp)).await;
    let address = engine.local_addresses()[1].address;
    let mut stream = Stream(tokio::net::TcpStream::connect(address).await.unwrap(), Vec::new());
    let over_tcp = |text: String| text.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let invite = over_tcp(peer.request("INVITE", 1, "z9hG4bKtcp1", "Content-Type: application/sdp\r\n", OFFER));
    let (front, back) = invite.split_at(100);
    stream.send(front).await;
    stream.send(&format!("{back}\r\n")).await;
    let leg = take(&mut incoming).await;
    leg.leg.answer(MEDIA.parse().unwrap());
    let ok = stream.next().await;
    assert_eq!(ok.start(), "SIP/2.0 200 OK");
    assert!(ok.field("Contact").contains(";transport=tcp"), "{}", ok.field("Contact"));
    let to = format!("To: {}\r\n", ok.field("To"));
    let ack = over_tcp(peer.request("ACK", 1, "z9hG4bKtcp2", "", ""));
    let to_line = ack.lines().find(|line| line.starts_with("To:")).unwrap().to_owned() + "\r\n";
    stream.send(&ack.replace(&to_line, &to)).await;
    let mut follow = Follow(leg.events);
    follow.media().await;
    follow.expect(LegEvent::Answered).await;
    stream.send("FOO sip:x@y SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKf\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: f\r\nCSeq: 1 FOO\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(stream.next().await.start(), "SIP/2.0 501 Not Implemented");
    leg.leg.hangup();
    let bye = stream.next().await;
    assert!(bye.start().starts_with("BYE") && bye.field("Via").starts_with("SIP/2.0/TCP"), "{}", bye.0);
    follow.expect(ended(HangupCause::EngineHangup, None)).await;
}

#[tokio::test]
async fn a_call_out_over_tcp() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (engine, _incoming, peer) = start(|config| {
        config.trunks[0].transport = Transport::Tcp;
        config.trunks[0].proxy = Some(address.to_string());
    })
    .await;
    let (_leg, mut follow) = dial(&engine, "301");
    let (socket, _) = listener.accept().await.unwrap();
    let mut stream = Stream(socket, Vec::new());
    let invite = stream.next().await;
    assert!(invite.field("Via").starts_with("SIP/2.0/TCP"));
    let answer = format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=x\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <sip:op@{address};transport=tcp>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{OFFER}",
        invite.field("Via"),
        invite.field("From"),
        invite.field("To"),
        invite.field("Call-ID"),
        invite.field("CSeq"),
        OFFER.len()
    );
    stream.send(&answer).await;
    assert!(stream.next().await.start().starts_with("ACK"));
    follow.media().await;
    follow.expect(LegEvent::Answered).await;
    drop(peer);
}
