//! Calls through several centres: the chain that they carry, and loops.

#![allow(clippy::unwrap_used, clippy::panic)]

mod peer;

use gudok_core::ids::Trunk;
use gudok_core::leg::{Chain, DialTarget, HangupCause, LegEvent};
use gudok_core::privacy::PhoneNumber;
use gudok_sip::{Counter, DialRequest, LegHandle, Share, Signalling, SipEngine};
use peer::{Follow, MEDIA, OFFER, Peer, start, take};
use std::sync::Arc;

fn chain(id: &str, hops: u8) -> Chain {
    Chain { id: Arc::from(id), hops }
}

fn dial(engine: &SipEngine, chain: Option<Chain>) -> (LegHandle, Follow) {
    let (leg, events) = engine.dial(DialRequest {
        target: DialTarget { trunk: Some(Trunk::new("peer")), address: PhoneNumber::new("122") },
        caller: None,
        screen_pop: vec![("X-Gudok-Chain".into(), "forged;hops=9".into())],
        chain,
        local_media: MEDIA.parse().unwrap(),
        share: Share::Calls,
    });
    (leg, Follow(events))
}

/// Another caller on the same trunk, whose INVITE is sent.
async fn invited(peer: &Peer, more: &str) -> Peer {
    let other = peer.another().await;
    other.invite(more, OFFER).await;
    other
}

#[tokio::test]
async fn a_peer_centre_is_told_of_the_way_and_others_are_not() {
    for is_peer in [true, false] {
        let (engine, _incoming, mut peer) = start(|config| config.trunks[0].peer = is_peer).await;
        let (leg, mut follow) = dial(&engine, Some(chain("0a-b", 2)));
        let invite = peer.expect("INVITE").await;
        let expect: &[&str] = if is_peer { &["0a-b;hops=2"] } else { &[] };
        assert_eq!(invite.fields("X-Gudok-Chain"), expect, "a script cannot say it either");
        assert_eq!(invite.field("Max-Forwards"), "70");
        peer.adopt(&invite);
        peer.answer(&invite, "486 Busy Here", "", "").await;
        follow.expect(LegEvent::Ended { cause: HangupCause::Busy, status: Some(486) }).await;
        drop(leg);
    }
}

#[tokio::test]
async fn only_a_peer_centre_is_believed_and_only_what_can_be_read() {
    for (is_peer, more, expect, bad) in [
        (true, "X-Gudok-Chain: 0a-b;hops=2\r\n", Some(chain("0a-b", 2)), 0),
        (false, "X-Gudok-Chain: 0a-b;hops=2\r\n", None, 0),
        (true, "", None, 0),
        (true, "X-Gudok-Chain: 0a-b\r\n", None, 1),
        (true, "X-Gudok-Chain: A;hops=1\r\n", None, 1),
        (true, "X-Gudok-Chain: a;hops=1\r\nX-Gudok-Chain: b;hops=1\r\n", None, 1),
    ] {
        let (engine, mut incoming, peer) = start(|config| config.trunks[0].peer = is_peer).await;
        peer.invite(more, OFFER).await;
        assert_eq!(take(&mut incoming).await.call.chain, expect, "{more}");
        assert_eq!(engine.stats().count(Counter::ChainBad), bad, "{more}");
    }
}

#[tokio::test]
async fn a_call_that_comes_back_is_refused_as_long_as_it_lives() {
    let (engine, mut incoming, mut peer) = start(|config| config.trunks[0].peer = true).await;
    let (leg, mut follow) = dial(&engine, Some(chain("loop", 1)));
    let invite = peer.expect("INVITE").await;
    let mut back = invited(&peer, "X-Gudok-Chain: loop;hops=2\r\n").await;
    assert_eq!(back.expect("SIP/2.0 4").await.start().split(' ').nth(1), Some("482"));
    assert_eq!(engine.stats().count(Counter::RefusedLoop), 1);
    let _other = invited(&peer, "X-Gudok-Chain: another;hops=2\r\n").await;
    let other = take(&mut incoming).await;
    assert_eq!(other.call.chain, Some(chain("another", 2)));
    // One that is passing through here comes round as well.
    let mut round = invited(&peer, "X-Gudok-Chain: another;hops=4\r\n").await;
    assert_eq!(round.expect("SIP/2.0 4").await.start().split(' ').nth(1), Some("482"));
    peer.adopt(&invite);
    peer.answer(&invite, "503 Service Unavailable", "", "").await;
    follow.expect(LegEvent::Ended { cause: HangupCause::Unavailable, status: Some(503) }).await;
    drop(leg);
    // The first way is over: the same call may come by another.
    let _again = invited(&peer, "X-Gudok-Chain: loop;hops=2\r\n").await;
    assert_eq!(take(&mut incoming).await.call.chain, Some(chain("loop", 2)));
}

#[tokio::test]
async fn what_is_left_of_max_forwards_is_passed_on_and_ends() {
    let (engine, mut incoming, mut peer) = start(|config| config.trunks[0].peer = true).await;
    for (said, expect) in [("7", Some("6")), ("1", None)] {
        let other = peer.another().await;
        let id = format!("a{said}");
        let kind = format!("Content-Type: application/sdp\r\nX-Gudok-Chain: {id};hops=1\r\n");
        let text = other.request("INVITE", 1, &other.next_branch(), &kind, OFFER);
        other.send(&text.replace("Max-Forwards: 70", &format!("Max-Forwards: {said}"))).await;
        let _leg = take(&mut incoming).await;
        let (_out, mut follow) = dial(&engine, Some(chain(&id, 2)));
        match expect {
            Some(left) => assert_eq!(peer.expect("INVITE").await.field("Max-Forwards"), left),
            None => follow.expect(LegEvent::Ended { cause: HangupCause::Rejected, status: Some(483) }).await,
        }
    }
}
