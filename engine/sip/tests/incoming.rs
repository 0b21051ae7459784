//! Calls in: what RFC 3261, 3262 and 3264 ask of the side that is called.

#![allow(clippy::unwrap_used, clippy::panic)]

mod peer;

use gudok_core::leg::{HangupCause, LegEvent};
use gudok_sip::{Codec, Counter};
use peer::{Follow, MEDIA, OFFER, freeze, start, take};
use std::time::Duration;

const ENDED: fn(HangupCause, Option<u16>) -> LegEvent = |cause, status| LegEvent::Ended { cause, status };

#[tokio::test]
async fn a_call_is_answered_and_the_caller_hangs_up() {
    let (engine, mut incoming, mut peer) = start(|_| {}).await;
    peer.invite("", OFFER).await;
    let leg = take(&mut incoming).await;
    assert_eq!(leg.call.called.reveal(), "122");
    assert_eq!(leg.call.caller.as_ref().unwrap().reveal(), "+79130000001");
    assert_eq!(leg.source, peer.address());
    assert_eq!(leg.offer.unwrap().codec, Codec::Pcma);
    leg.leg.ring();
    let ringing = peer.expect("SIP/2.0 180").await;
    assert!(ringing.field("Contact").starts_with("<sip:"));
    leg.leg.answer(MEDIA.parse().unwrap());
    let ok = peer.expect("SIP/2.0 200").await;
    assert_eq!(ok.tag("To"), ringing.tag("To"));
    assert!(ok.body().contains("m=audio 20000 RTP/AVP 8 101\r\n"), "{}", ok.body());
    assert_eq!(ok.field("Content-Length"), ok.body().len().to_string());
    let mut follow = Follow(leg.events);
    assert_eq!(follow.media().await.remote, "127.0.0.1:4000".parse().unwrap());
    peer.ack(1, "").await;
    follow.expect(LegEvent::Answered).await;
    peer.ask("BYE", 2, "", "").await;
    peer.expect("SIP/2.0 200").await;
    follow.expect(ENDED(HangupCause::PartyHangup, None)).await;
    follow.expect_end().await;
    peer.ask("BYE", 3, "", "").await;
    peer.expect("SIP/2.0 481").await;
    assert_eq!(engine.stats().legs, 0);
}

#[tokio::test]
async fn we_hang_up() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    let (leg, mut follow) = peer.establish(&mut incoming, "Record-Route: <sip:127.0.0.1:1;lr>\r\n").await;
    leg.hangup();
    follow.expect(ENDED(HangupCause::EngineHangup, None)).await;
    follow.expect_end().await;
}

#[tokio::test]
async fn a_bye_of_ours_reaches_the_contact() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    let (leg, mut follow) = peer.establish(&mut incoming, "").await;
    leg.hangup();
    let bye = peer.expect("BYE").await;
    assert_eq!(bye.uri(), format!("sip:peer@{}", peer.address()));
    assert_eq!(bye.tag("To"), peer.tag);
    assert_eq!(bye.tag("From"), peer.remote_tag);
    peer.answer(&bye, "200 OK", "", "").await;
    follow.expect(ENDED(HangupCause::EngineHangup, None)).await;
    follow.expect_end().await;
}

#[tokio::test]
async fn a_late_offer_is_ours_and_the_ack_answers_it() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    peer.invite("", "").await;
    let leg = take(&mut incoming).await;
    assert_eq!(leg.offer, None);
    leg.leg.answer(MEDIA.parse().unwrap());
    let ok = peer.expect("SIP/2.0 200").await;
    assert!(ok.body().contains("m=audio 20000 RTP/AVP 8 0 9 101\r\n"), "{}", ok.body());
    peer.ack(1, &OFFER.replace("AVP 8", "AVP 0")).await;
    let mut follow = Follow(leg.events);
    assert_eq!(follow.media().await.codec, Codec::Pcmu);
    follow.expect(LegEvent::Answered).await;
}

#[tokio::test]
async fn a_late_offer_without_an_answer_ends_the_call() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    peer.invite("", "").await;
    let leg = take(&mut incoming).await;
    leg.leg.answer(MEDIA.parse().unwrap());
    peer.expect("SIP/2.0 200").await;
    peer.ack(1, "").await;
    let bye = peer.expect("BYE").await;
    peer.answer(&bye, "200 OK", "", "").await;
    Follow(leg.events).expect(ENDED(HangupCause::NoCommonMedia, None)).await;
}

#[tokio::test]
async fn early_media_is_shown_and_repeated_in_the_answer() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    peer.invite("", OFFER).await;
    let leg = take(&mut incoming).await;
    leg.leg.early_media(MEDIA.parse().unwrap());
    let progress = peer.expect("SIP/2.0 183").await;
    assert_eq!(progress.field("RSeq"), "");
    leg.leg.answer(MEDIA.parse().unwrap());
    let ok = peer.expect("SIP/2.0 200").await;
    assert_eq!(ok.body(), progress.body());
    let mut follow = Follow(leg.events);
    follow.media().await;
    peer.ack(1, "").await;
    follow.expect(LegEvent::Answered).await;
}

#[tokio::test]
async fn reliable_responses_wait_for_their_prack() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    peer.invite("Supported: 100rel\r\n", OFFER).await;
    let leg = take(&mut incoming).await;
    leg.leg.early_media(MEDIA.parse().unwrap());
    let progress = peer.expect("SIP/2.0 183").await;
    assert_eq!(progress.field("Require"), "100rel");
    let rseq = progress.field("RSeq").to_owned();
    leg.leg.answer(MEDIA.parse().unwrap());
    peer.expect_nothing().await;
    peer.ask("PRACK", 2, &format!("RAck: {rseq} 9 INVITE\r\n"), "").await;
    peer.expect("SIP/2.0 481").await;
    peer.ask("PRACK", 3, &format!("RAck: {rseq} 1 INVITE\r\n"), "").await;
    let mut answers = [peer.next().await, peer.next().await];
    answers.sort_by_key(|answer| answer.field("CSeq").to_owned());
    assert_eq!((answers[0].field("CSeq"), answers[1].field("CSeq")), ("1 INVITE", "3 PRACK"));
    assert_eq!(answers[0].start(), "SIP/2.0 200 OK");
    assert_eq!(answers[0].body(), "", "offer and answer are done");
    peer.ack(1, "").await;
    let mut follow = Follow(leg.events);
    follow.media().await;
    follow.expect(LegEvent::Answered).await;
}

#[tokio::test(start_paused = true)]
async fn a_reliable_response_is_repeated_until_its_prack() {
    let _frozen = freeze();
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    peer.invite("Require: 100rel\r\n", OFFER).await;
    let leg = take(&mut incoming).await;
    leg.leg.ring();
    let first = peer.expect("SIP/2.0 180").await;
    for wait_ms in [600, 1_100] {
        tokio::time::advance(Duration::from_millis(wait_ms)).await;
        assert_eq!(peer.next().await.0, first.0);
    }
    peer.ask("PRACK", 2, &format!("RAck: {} 1 INVITE\r\n", first.field("RSeq")), "").await;
    peer.expect("SIP/2.0 200").await;
    tokio::time::advance(Duration::from_secs(5)).await;
    peer.expect_nothing().await;
}

#[tokio::test]
async fn a_cancelled_call_ends() {
    let (engine, mut incoming, mut peer) = start(|_| {}).await;
    let invite = peer.invite("", OFFER).await;
    let leg = take(&mut incoming).await;
    peer.send(
        &invite
            .replace("INVITE sip:", "CANCEL sip:")
            .replace("1 INVITE", "1 CANCEL")
            .replace("Content-Type: application/sdp\r\n", "")
            .replace(OFFER, "")
            .replace(&format!("Content-Length: {}", OFFER.len()), "Content-Length: 0"),
    )
    .await;
    let ok = peer.expect("SIP/2.0 200").await;
    assert_eq!(ok.field("CSeq"), "1 CANCEL");
    let cancelled = peer.expect("SIP/2.0 487").await;
    let mut follow = Follow(leg.events);
    follow.expect(ENDED(HangupCause::Cancelled, Some(487))).await;
    peer.send(&ack_of(&invite, &cancelled)).await;
    follow.expect_end().await;
    assert_eq!(engine.stats().legs, 0);
}

/// The ACK of a refusal: in the transaction of its INVITE.
fn ack_of(invite: &str, answer: &peer::Message) -> String {
    let head = invite.split("\r\n\r\n").next().unwrap();
    let lines = head.lines().filter(|line| !line.starts_with("Content-")).map(|line| match line {
        line if line.starts_with("INVITE") => line.replacen("INVITE", "ACK", 1),
        line if line.starts_with("CSeq") => "CSeq: 1 ACK".to_owned(),
        line if line.starts_with("To:") => format!("To: {}", answer.field("To")),
        line => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\r\n") + "\r\nContent-Length: 0\r\n\r\n"
}

#[tokio::test]
async fn a_call_can_be_refused() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    let invite = peer.invite("", OFFER).await;
    let leg = take(&mut incoming).await;
    leg.leg.reject(486, None);
    leg.leg.answer(MEDIA.parse().unwrap());
    let busy = peer.expect("SIP/2.0 486").await;
    peer.send(&ack_of(&invite, &busy)).await;
    let mut follow = Follow(leg.events);
    follow.expect(ENDED(HangupCause::EngineHangup, Some(486))).await;
    follow.expect_end().await;
}

#[tokio::test]
async fn a_host_that_drops_a_leg_hangs_it_up() {
    let (_engine, mut incoming, mut peer) = start(|_| {}).await;
    peer.invite("", OFFER).await;
    drop(take(&mut incoming).await);
    peer.expect("SIP/2.0 480").await;
}

#[tokio::test]
async fn what_cannot_be_served_never_reaches_the_host() {
    let check = |more: &'static str, body: String, expect: &'static str, counter: Counter| async move {
        let (engine, mut incoming, mut peer) = start(|_| {}).await;
        peer.invite(more, &body).await;
        let answer = peer.expect(&format!("SIP/2.0 {expect}")).await;
        assert!(incoming.try_recv().is_err(), "{expect}");
        assert_eq!(engine.stats().count(counter), 1, "{expect}");
        answer
    };
    let offer = || OFFER.to_owned();
    check("", OFFER.replace("RTP/AVP", "RTP/SAVP"), "488", Counter::RefusedMedia).await;
    check("", OFFER.replace("AVP 8 101", "AVP 18"), "488", Counter::RefusedMedia).await;
    let answer = check("Require: timer, dance\r\n", offer(), "420", Counter::RefusedExtension).await;
    assert_eq!(answer.field("Unsupported"), "dance");
    let answer =
        check("Supported: timer\r\nSession-Expires: 60\r\n", offer(), "422", Counter::RefusedSessionInterval).await;
    assert_eq!(answer.field("Min-SE"), "90");
    check("Content-Encoding: gzip\r\n", offer(), "415", Counter::BadContentType).await;
}

#[tokio::test]
async fn limits_and_draining_answer_503() {
    let (engine, mut incoming, mut peer) = start(|config| config.limits.calls_max = 1).await;
    let (_leg, _follow) = peer.establish(&mut incoming, "").await;
    let mut second = peer.another().await;
    let invite = second.invite("", OFFER).await;
    let refused = second.expect("SIP/2.0 503").await;
    assert_eq!(refused.field("Retry-After"), "5");
    second.send(&invite).await;
    assert_eq!(second.next().await.0, refused.0, "a retransmission gets the same answer");
    assert_eq!(
        engine.stats().count(Counter::RefusedLimit),
        1 + u64::from(engine.stats().count(Counter::RefusedLimit) > 1)
    );
    engine.set_draining(true);
    let mut third = peer.another().await;
    third.invite("", OFFER).await;
    third.expect("SIP/2.0 503").await;
    assert_eq!(engine.stats().count(Counter::RefusedDraining), 1);
    peer.ask("OPTIONS", 2, "", "").await;
    peer.expect("SIP/2.0 200").await;
}

#[tokio::test]
async fn a_trunk_has_its_own_limit() {
    let (_engine, mut incoming, mut peer) = start(|config| config.trunks[0].calls_max = Some(1)).await;
    let (_leg, _follow) = peer.establish(&mut incoming, "").await;
    let mut second = peer.another().await;
    second.invite("", OFFER).await;
    second.expect("SIP/2.0 503").await;
}

#[tokio::test]
async fn retransmissions_and_merged_requests() {
    let (engine, mut incoming, mut peer) = start(|_| {}).await;
    let invite = peer.invite("", OFFER).await;
    let leg = take(&mut incoming).await;
    peer.send(&invite.replace("branch=z9hG4bK", "branch=z9hG4bKother")).await;
    peer.expect("SIP/2.0 482").await;
    leg.leg.answer(MEDIA.parse().unwrap());
    let ok = peer.expect("SIP/2.0 200").await;
    assert_ne!(ok.tag("To"), peer.remote_tag);
    peer.send(&invite).await;
    assert!(incoming.try_recv().is_err());
    assert_eq!(engine.stats().count(Counter::CallsIn), 1);
    assert_eq!(engine.stats().count(Counter::RefusedMerged), 1);
}

#[tokio::test]
async fn requests_for_no_dialog_get_481() {
    let (engine, _incoming, mut peer) = start(|_| {}).await;
    peer.ask("BYE", 1, "", "").await;
    peer.expect("SIP/2.0 481").await;
    peer.remote_tag = "0123456789abcdef".into();
    peer.ask("INFO", 2, "", "").await;
    peer.expect("SIP/2.0 481").await;
    assert_eq!(engine.stats().count(Counter::UnknownDialog), 2);
}

#[tokio::test]
async fn a_message_that_the_stack_cannot_read_gets_400() {
    let (engine, mut incoming, mut peer) = start(|_| {}).await;
    let text = peer.request("INVITE", 1, "z9hG4bKodd", "", "").replace("sip:122@", "sip:122@[::zz]");
    peer.send(&text).await;
    peer.expect("SIP/2.0 400").await;
    peer.remote_tag.clear();
    assert_eq!(engine.stats().count(Counter::BadForStack), 1);
    let mut broken = peer.request("INVITE", 1, "z9hG4bKlatin", "Subject: X\r\n", OFFER).into_bytes();
    let at = broken.windows(10).position(|window| window == b"Subject: X").unwrap() + 9;
    broken[at] = 0xE9;
    let length = format!("Content-Length: {}\r\n", OFFER.len());
    let at = broken.windows(length.len()).position(|window| window == length.as_bytes()).unwrap();
    broken.drain(at..at + length.len());
    peer.send_bytes(&broken).await;
    let leg = take(&mut incoming).await;
    assert!(leg.offer.is_some(), "the SDP behind the broken line, without Content-Length, is read");
}

#[tokio::test]
async fn a_200_is_repeated_and_given_up_without_ack() {
    let (_engine, mut incoming, mut peer) = start(|config| config.t1 = Duration::from_millis(5)).await;
    peer.invite("", OFFER).await;
    let leg = take(&mut incoming).await;
    leg.leg.answer(MEDIA.parse().unwrap());
    let ok = peer.expect("SIP/2.0 200").await;
    assert_eq!(peer.next().await.0, ok.0);
    let mut follow = Follow(leg.events);
    follow.media().await;
    follow.expect(ENDED(HangupCause::ProtocolError, None)).await;
    peer.expect("BYE").await;
}
