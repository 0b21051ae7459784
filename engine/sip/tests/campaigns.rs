//! Campaigns' calls beside the others: whose places they take, and the transcript of those whom we call.

#![allow(clippy::unwrap_used, clippy::panic)]

mod peer;

use gudok_core::ids::Trunk;
use gudok_core::leg::{DialTarget, HangupCause, LegEvent};
use gudok_core::privacy::PhoneNumber;
use gudok_sip::{Counter, DialRequest, LegHandle, Share, Signalling, SipConfig, SipEngine};
use peer::{Follow, MEDIA, OFFER, start, take};

fn dial(engine: &SipEngine, share: Share) -> (LegHandle, Follow) {
    let (leg, events) = engine.dial(DialRequest {
        target: DialTarget { trunk: Some(Trunk::new("peer")), address: PhoneNumber::new("+79130000412") },
        caller: None,
        screen_pop: vec![],
        chain: None,
        local_media: MEDIA.parse().unwrap(),
        share,
    });
    (leg, Follow(events))
}

/// No place is left: the leg ends before its INVITE.
async fn finds_no_place(engine: &SipEngine, share: Share) {
    let (_leg, mut follow) = dial(engine, share);
    follow.expect(LegEvent::Ended { cause: HangupCause::AdmissionLimit, status: None }).await;
}

/// A campaign fills what there is, and a call that comes in is taken all the same; the campaign has no place any more.
async fn nobody_is_refused_because_of_a_campaign(change: impl FnOnce(&mut SipConfig)) {
    let (engine, mut incoming, mut peer) = start(change).await;
    let mut legs = Vec::new();
    for _ in 0..2 {
        let mut callee = peer.another().await;
        let (leg, follow) = dial(&engine, Share::Campaigns);
        let invite = peer.expect("INVITE").await;
        callee.adopt(&invite);
        peer.answer(&invite, "180 Ringing", "", "").await;
        legs.push((leg, follow, callee));
    }
    finds_no_place(&engine, Share::Campaigns).await;
    // Twice, since it is two calls that come in.
    let (_first, _followed) = peer.establish(&mut incoming, "").await;
    let other = peer.another().await;
    other.invite("", OFFER).await;
    let _second = take(&mut incoming).await;
    assert_eq!(engine.stats().legs, 4);
    // The limit itself holds.
    let mut third = peer.another().await;
    third.invite("", OFFER).await;
    third.expect("SIP/2.0 503").await;
    let refused = |counter| engine.stats().counts.iter().find(|(what, _)| *what == counter).unwrap().1;
    assert_eq!(refused(Counter::RefusedLimit), 1);
}

#[tokio::test]
async fn no_call_is_refused_because_of_a_campaign_in_the_engine() {
    nobody_is_refused_because_of_a_campaign(|config| config.limits.calls_max = 2).await;
}

#[tokio::test]
async fn no_call_is_refused_because_of_a_campaign_on_its_trunk() {
    nobody_is_refused_because_of_a_campaign(|config| config.trunks[0].calls_max = Some(2)).await;
}

#[tokio::test]
async fn whom_we_call_follows_the_transcript_where_the_trunk_allows_it() {
    let (engine, _incoming, mut peer) = start(|config| config.trunks[0].allows_transcript = true).await;
    assert!(engine.allows_transcript(&Trunk::new("peer")));
    assert!(!engine.allows_transcript(&Trunk::new("nowhere")));
    let (leg, mut follow) = dial(&engine, Share::Campaigns);
    peer.be_answered(&mut follow, "Recv-Info: gudok-transcript\r\n").await;
    leg.send_transcript("{\"n\":1}".into());
    let piece = peer.expect("INFO").await;
    assert_eq!((piece.field("Info-Package"), piece.body()), ("gudok-transcript", "{\"n\":1}"));
    peer.answer(&piece, "200 OK", "", "").await;
}

#[tokio::test]
async fn who_did_not_ask_gets_no_transcript_and_neither_does_a_trunk_that_may_not() {
    for (allows, asks) in [(true, ""), (false, "Recv-Info: gudok-transcript\r\n")] {
        let (engine, _incoming, mut peer) = start(move |config| config.trunks[0].allows_transcript = allows).await;
        let (leg, mut follow) = dial(&engine, Share::Calls);
        peer.be_answered(&mut follow, asks).await;
        leg.send_transcript("{\"n\":1}".into());
        peer.expect_nothing().await;
        leg.hangup();
        peer.expect("BYE").await;
    }
}
