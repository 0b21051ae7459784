//! What happens inside of a dialog: re-INVITE, UPDATE, glare, digits, transfers, session timers, transcript.

#![allow(clippy::unwrap_used, clippy::panic)]

mod peer;

use gudok_core::ids::Trunk;
use gudok_core::leg::{DialTarget, HangupCause, LegEvent};
use gudok_core::privacy::PhoneNumber;
use gudok_sip::{Counter, DialRequest, LegHandle, Share, Signalling, SipEvent};
use peer::{Follow, MEDIA, OFFER, freeze, start, take};
use std::time::Duration;

const SDP: &str = "Content-Type: application/sdp\r\n";

#[tokio::test]
async fn hold_resume_and_a_new_address() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    let (_leg, mut follow) = peer.establish(&mut incoming, "").await;
    peer.ask("INVITE", 2, SDP, &format!("{OFFER}a=sendonly\r\n")).await;
    let ok = peer.expect("SIP/2.0 200").await;
    assert!(ok.body().contains("a=recvonly"), "{}", ok.body());
    peer.ack(2, "").await;
    assert!(!follow.media().await.send);
    follow.expect(LegEvent::Held).await;
    peer.ask("INVITE", 3, SDP, &OFFER.replace("audio 4000", "audio 4100")).await;
    peer.expect("SIP/2.0 200").await;
    peer.ack(3, "").await;
    assert_eq!(follow.media().await.remote.port(), 4100);
    follow.expect(LegEvent::Resumed).await;
    // The same again: a refresh, of which the host hears nothing.
    peer.ask("INVITE", 4, SDP, &OFFER.replace("audio 4000", "audio 4100")).await;
    peer.expect("SIP/2.0 200").await;
    peer.ack(4, "").await;
    peer.ask("UPDATE", 5, SDP, OFFER).await;
    assert!(peer.expect("SIP/2.0 200").await.body().contains("m=audio 20000 RTP/AVP 8"));
    assert_eq!(follow.media().await.remote.port(), 4000);
    peer.ask("INVITE", 6, SDP, &OFFER.replace("AVP 8 101", "AVP 18")).await;
    peer.expect("SIP/2.0 488").await;
    peer.ask("INVITE", 7, "", "").await;
    assert!(peer.expect("SIP/2.0 200").await.body().contains("m=audio 20000 RTP/AVP 8 0 9 101"));
    peer.ask("UPDATE", 8, SDP, OFFER).await;
    peer.expect("SIP/2.0 500").await;
    peer.ack(7, &OFFER.replace("audio 4000", "audio 4200")).await;
    assert_eq!(follow.media().await.remote.port(), 4200);
    peer.ask("BYE", 9, "", "").await;
    peer.expect("SIP/2.0 200").await;
    follow.expect(LegEvent::Ended { cause: HangupCause::PartyHangup, status: None }).await;
}

#[tokio::test]
async fn digits_options_and_what_is_out_of_order() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    let (_leg, mut follow) = peer.establish(&mut incoming, "").await;
    peer.ask("INFO", 2, "Content-Type: application/dtmf-relay\r\n", "Signal=#\r\nDuration=120\r\n").await;
    peer.expect("SIP/2.0 200").await;
    assert_eq!(follow.next().await, SipEvent::Digit { digit: '#', duration_ms: Some(120) });
    peer.ask("OPTIONS", 3, "", "").await;
    assert!(peer.expect("SIP/2.0 200").await.field("Allow").contains("UPDATE"));
    peer.ask("OPTIONS", 3, "", "").await;
    peer.expect("SIP/2.0 500").await;
    peer.ask("INFO", 4, "Info-Package: foo\r\n", "").await;
    peer.expect("SIP/2.0 469").await;
    let own = peer.tag.clone();
    peer.tag = "someone-else".into();
    peer.ask("BYE", 5, "", "").await;
    peer.expect("SIP/2.0 481").await;
    peer.tag = own;
    peer.ask("BYE", 5, "Require: magic\r\n", "").await;
    peer.expect("SIP/2.0 420").await;
}

#[tokio::test]
async fn the_peer_asks_for_a_transfer() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    let (leg, mut follow) = peer.establish(&mut incoming, "").await;
    peer.ask("REFER", 2, "", "").await;
    peer.expect("SIP/2.0 400").await;
    let engine = peer.engine;
    peer.ask("REFER", 3, &format!("Refer-To: \"Desk\" <sip:301@{engine}>\r\n"), "").await;
    let mut both = [peer.next().await, peer.next().await];
    both.sort_by_key(|message| !message.start().starts_with("SIP/2.0 202"));
    assert!(both[1].start().starts_with("NOTIFY"), "{}", both[1].0);
    assert_eq!(both[1].body(), "SIP/2.0 100 Trying\r\n");
    assert!(both[1].field("Subscription-State").starts_with("active"));
    peer.answer(&both[1], "200 OK", "", "").await;
    let target = DialTarget { trunk: Some(Trunk::new("peer")), address: PhoneNumber::new("301") };
    follow.expect(LegEvent::TransferRequested { target }).await;
    leg.refer_outcome(200);
    let done = peer.expect("NOTIFY").await;
    assert_eq!(done.body(), "SIP/2.0 200 OK\r\n");
    assert_eq!(done.field("Subscription-State"), "terminated;reason=noresource");
    peer.answer(&done, "200 OK", "", "").await;
    peer.ask("BYE", 4, "", "").await;
    peer.expect("SIP/2.0 200").await;
    follow.expect(LegEvent::Ended { cause: HangupCause::Transferred, status: None }).await;
}

#[tokio::test]
async fn we_transfer_the_party() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    let (leg, mut follow) = peer.establish(&mut incoming, "").await;
    leg.refer(DialTarget { trunk: Some(Trunk::new("peer")), address: PhoneNumber::new("+7 384") });
    let refer = peer.expect("REFER").await;
    assert_eq!(refer.field("Refer-To"), format!("<sip:+7%20384@{}>", peer.address()));
    peer.answer(&refer, "202 Accepted", "", "").await;
    let event = "Event: refer\r\nContent-Type: message/sipfrag\r\n";
    peer.ask("NOTIFY", 2, &format!("{event}Subscription-State: active\r\n"), "SIP/2.0 180 Ringing\r\n").await;
    peer.expect("SIP/2.0 200").await;
    follow.expect(LegEvent::ReferProgress { status: 180 }).await;
    peer.ask(
        "NOTIFY",
        3,
        &format!("{event}Subscription-State: terminated;reason=noresource\r\n"),
        "SIP/2.0 200 OK\r\n",
    )
    .await;
    peer.expect("SIP/2.0 200").await;
    follow.expect(LegEvent::ReferProgress { status: 200 }).await;
    peer.ask("NOTIFY", 4, "Event: presence\r\n", "").await;
    peer.expect("SIP/2.0 481").await;
    peer.ask("BYE", 5, "", "").await;
    peer.expect("SIP/2.0 200").await;
    follow.expect(LegEvent::Ended { cause: HangupCause::Transferred, status: None }).await;
}

#[tokio::test]
async fn a_refused_transfer_leaves_the_call_up() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    let (leg, mut follow) = peer.establish(&mut incoming, "").await;
    leg.refer(DialTarget { trunk: None, address: PhoneNumber::new("sip:x@192.0.2.1") });
    let refer = peer.expect("REFER").await;
    assert_eq!(refer.field("Refer-To"), "<sip:x@192.0.2.1>");
    peer.answer(&refer, "603 Decline", "", "").await;
    follow.expect(LegEvent::ReferProgress { status: 603 }).await;
    leg.hangup();
    peer.expect("BYE").await;
    follow.expect(LegEvent::Ended { cause: HangupCause::EngineHangup, status: None }).await;
}

#[tokio::test]
async fn an_attended_transfer_names_the_other_dialog() {
    let (engine, mut incoming, mut peer) = start(|_| {}).await;
    let (leg, _follow) = peer.establish(&mut incoming, "").await;
    let mut other = peer.another().await;
    let address = format!("sip:op@{}", other.address());
    let request = DialRequest {
        target: DialTarget { trunk: None, address: PhoneNumber::new(&address) },
        caller: None,
        screen_pop: vec![],
        chain: None,
        local_media: MEDIA.parse().unwrap(),
        share: Share::Calls,
    };
    let (second, events) = engine.dial(request);
    let mut second_follow = Follow(events);
    let invite = other.be_answered(&mut second_follow, "").await;
    leg.refer_replacing(&second);
    let refer = peer.expect("REFER").await;
    let call_id = invite.field("Call-ID");
    let expect = format!(
        "<sip:peer@{}?Replaces={call_id}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>",
        other.address(),
        other.tag,
        invite.tag("From")
    );
    assert_eq!(refer.field("Refer-To"), expect);
}

/// A call of ours whose session we are to refresh after 45 seconds.
async fn refreshing(peer: &mut peer::Peer, engine: &gudok_sip::SipEngine, allow: &str) -> (LegHandle, Follow) {
    let request = DialRequest {
        target: DialTarget { trunk: Some(Trunk::new("peer")), address: PhoneNumber::new("301") },
        caller: None,
        screen_pop: vec![],
        chain: None,
        local_media: MEDIA.parse().unwrap(),
        share: Share::Calls,
    };
    let (leg, events) = engine.dial(request);
    let mut follow = Follow(events);
    let session = format!("Require: timer\r\nSession-Expires: 90;refresher=uac\r\n{allow}");
    let invite = peer.be_answered(&mut follow, &session).await;
    assert_eq!(invite.field("Session-Expires"), "1800");
    (leg, follow)
}

#[tokio::test(start_paused = true)]
async fn a_session_is_refreshed_by_update_or_reinvite() {
    let _frozen = freeze();
    for (allow, method) in [("Allow: INVITE, UPDATE\r\n", "UPDATE"), ("Allow: INVITE\r\n", "INVITE")] {
        let (engine, _incoming, mut peer) = start(|_| {}).await;
        let (_leg, mut follow) = refreshing(&mut peer, &engine, allow).await;
        tokio::time::advance(Duration::from_secs(46)).await;
        let refresh = peer.expect(method).await;
        assert_eq!(refresh.field("Session-Expires"), "90;refresher=uac");
        assert_eq!(refresh.body().is_empty(), method == "UPDATE");
        let answer = if method == "INVITE" { OFFER } else { "" };
        peer.answer(&refresh, "200 OK", "Session-Expires: 90;refresher=uac\r\n", answer).await;
        if method == "INVITE" {
            peer.expect("ACK").await;
        }
        // Answered by the leg itself: it has taken the answer to the refresh before.
        peer.ask("OPTIONS", 2, "", "").await;
        peer.expect("SIP/2.0 200").await;
        tokio::time::advance(Duration::from_secs(46)).await;
        let again = peer.expect(method).await;
        peer.answer(&again, "481 Gone", "", "").await;
        follow.expect(LegEvent::Ended { cause: HangupCause::SessionExpired, status: None }).await;
        assert_eq!(engine.stats().count(Counter::SessionExpired), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn glare_is_refused_and_retried() {
    let _frozen = freeze();
    let (engine, _incoming, mut peer) = start(|_| {}).await;
    let (_leg, _follow) = refreshing(&mut peer, &engine, "Allow: INVITE\r\n").await;
    tokio::time::advance(Duration::from_secs(46)).await;
    let ours = peer.expect("INVITE").await;
    peer.ask("INVITE", 7, SDP, OFFER).await;
    peer.expect("SIP/2.0 491").await;
    peer.answer(&ours, "491 Request Pending", "", "").await;
    peer.expect("ACK").await;
    // RFC 3261, section 14.1: the Call-ID is ours, so between 2.1 and 4 seconds.
    peer.expect_nothing().await;
    tokio::time::advance(Duration::from_millis(2_050)).await;
    peer.expect_nothing().await;
    tokio::time::advance(Duration::from_millis(2_000)).await;
    let again = peer.expect("INVITE").await;
    assert_ne!(again.field("CSeq"), ours.field("CSeq"));
    assert_eq!(engine.stats().count(Counter::Glare), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_refreshes_ends() {
    let _frozen = freeze();
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    let session = "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n";
    peer.invite(session, OFFER).await;
    let leg = take(&mut incoming).await;
    leg.leg.answer(MEDIA.parse().unwrap());
    let ok = peer.expect("SIP/2.0 200").await;
    assert_eq!((ok.field("Session-Expires"), ok.field("Require")), ("90;refresher=uac", "timer"));
    peer.ack(1, "").await;
    let mut follow = Follow(leg.events);
    follow.media().await;
    follow.expect(LegEvent::Answered).await;
    tokio::time::advance(Duration::from_secs(30)).await;
    peer.ask("UPDATE", 2, session, "").await;
    assert_eq!(peer.expect("SIP/2.0 200").await.field("Session-Expires"), "90;refresher=uac");
    tokio::time::advance(Duration::from_secs(59)).await;
    peer.expect_nothing().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    peer.expect("BYE").await;
    follow.expect(LegEvent::Ended { cause: HangupCause::SessionExpired, status: None }).await;
}

#[tokio::test]
async fn the_transcript_goes_out_piece_by_piece() {
    let (_engine, mut incoming, mut peer) = start(|config| config.trunks[0].allows_transcript = true).await;
    let (leg, mut follow) = peer.establish(&mut incoming, "Recv-Info: gudok-transcript\r\n").await;
    leg.send_transcript("{\"n\":1}".into());
    leg.send_transcript("{\"n\":2}".into());
    let first = peer.expect("INFO").await;
    assert_eq!((first.field("Info-Package"), first.body()), ("gudok-transcript", "{\"n\":1}"));
    assert_eq!(first.field("Content-Type"), "application/json");
    peer.expect_nothing().await;
    peer.answer(&first, "200 OK", "", "").await;
    let second = peer.expect("INFO").await;
    assert_eq!(second.body(), "{\"n\":2}");
    peer.answer(&second, "469 Bad Info Package", "", "").await;
    assert_eq!(follow.next().await, SipEvent::TranscriptFailed { status: Some(469) });
    leg.send_transcript("{\"n\":3}".into());
    peer.expect_nothing().await;
    leg.hangup();
    peer.expect("BYE").await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_never_answers_loses_the_transcript_only() {
    let _frozen = freeze();
    let (_engine, mut incoming, mut peer) = start(|config| config.trunks[0].allows_transcript = true).await;
    let (leg, mut follow) = peer.establish(&mut incoming, "Recv-Info: gudok-transcript\r\n").await;
    for n in 0..3 {
        leg.send_transcript(format!("{{\"n\":{n}}}"));
    }
    for n in 0..3 {
        assert_eq!(peer.expect("INFO").await.body(), format!("{{\"n\":{n}}}"));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(follow.next().await, SipEvent::TranscriptFailed { status: None });
    }
    leg.send_transcript("{}".into());
    peer.ask("OPTIONS", 2, "", "").await;
    loop {
        let message = peer.next().await;
        assert!(!message.0.ends_with("\r\n\r\n{}"), "no more after three failures");
        if message.start() == "SIP/2.0 200 OK" {
            break;
        }
    }
}

#[tokio::test]
async fn without_leave_there_is_no_transcript() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    let (leg, _follow) = peer.establish(&mut incoming, "Recv-Info: gudok-transcript\r\n").await;
    leg.send_transcript("{}".into());
    peer.ask("OPTIONS", 2, "", "").await;
    peer.expect("SIP/2.0 200").await;
    peer.expect_nothing().await;
}
