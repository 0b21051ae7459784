//! Peer centres: order, capacity, failures, loops.

use super::*;

fn with_peers(names: &[&str], change: impl Fn(&mut PeerSettings)) -> Bench {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.configure(|settings| {
        let mut queue = queue("main");
        queue.peers = names.iter().map(|name| Peer::new(name)).collect();
        settings.queues.insert(queue.name.clone(), Arc::new(queue));
        for name in names {
            let mut peer = peer(name);
            change(&mut peer);
            settings.peers.insert(peer.name.clone(), Arc::new(peer));
        }
    });
    bench.enter(9);
    bench.answer(9, "anna");
    bench
}

#[test]
fn peers_are_tried_in_order_and_a_callback_is_the_last_resort() {
    let mut bench = with_peers(&["tomsk", "altai"], |_| {});
    bench.enter(1);
    assert_eq!(bench.pass(SECOND * 30), "30s: 1 peer tomsk");
    assert_eq!(bench.tried(1, "tomsk", TransferOutcome::Unavailable), "1 peer altai");
    assert_eq!(bench.tried(1, "altai", TransferOutcome::NoAnswer), "1 offer callback");
    // Both have rested when the host acts again.
    assert_eq!(bench.pass(SECOND * 60), "60s: 1 peer tomsk");
    assert_eq!(bench.tried(1, "tomsk", TransferOutcome::Moved), "");
    assert_eq!(bench.talk_over(9), "", "the place is given up");
    assert_eq!(bench.machine.peers(bench.now).map(|peer| peer.calls).collect::<Vec<_>>(), [0, 1]);
    bench.over(1);
    assert_eq!(bench.machine.peers(bench.now).map(|peer| peer.calls).collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn a_peer_that_failed_is_left_alone() {
    let mut bench = with_peers(&["tomsk", "altai"], |_| {});
    bench.enter(1);
    bench.pass(SECOND * 10);
    bench.enter(2);
    assert_eq!(bench.pass(SECOND * 20), "20s: 1 peer tomsk");
    assert_eq!(bench.tried(1, "tomsk", TransferOutcome::Rejected(503)), "1 peer altai");
    assert_eq!(bench.pass(SECOND * 10), "10s: 2 peer altai");
}

#[test]
fn a_peer_that_is_full_is_left_alone() {
    let mut bench = with_peers(&["tomsk"], |peer| peer.calls_max = 1);
    bench.enter(1);
    bench.enter(2);
    assert_eq!(bench.pass(SECOND * 30), "30s: 1 peer tomsk; 2 offer callback");
    bench.tried(1, "tomsk", TransferOutcome::Moved);
    bench.queue_order(1, QueueOrder::Leave(LeaveReason::Peer));
    assert_eq!(bench.pass(SECOND * 60), "60s: 2 offer callback", "the call is still there");
    // It comes back to its script, and that ends it.
    bench.tried(1, "tomsk", TransferOutcome::BridgedThenReturned(MINUTE));
    assert_eq!(bench.pass(SECOND * 60), "60s: 2 peer tomsk");
    // The caller hangs up while it rings.
    bench.leave(2, LeaveReason::Abandoned);
    assert_eq!(bench.machine.peers(bench.now).next().unwrap().calls, 0);
}

#[test]
fn while_a_peer_is_dialled_nobody_is_rung_and_a_failure_keeps_the_place() {
    let mut bench = with_peers(&["tomsk"], |_| {});
    bench.enter(1);
    bench.enter(2);
    assert_eq!(bench.pass(SECOND * 30), "30s: 1 peer tomsk; 2 peer tomsk");
    assert_eq!(bench.talk_over(9), "");
    assert_eq!(bench.tried(2, "tomsk", TransferOutcome::Busy), "2 offer callback; 2 ring anna");
    assert_eq!(bench.tried(1, "tomsk", TransferOutcome::Busy), "1 offer callback");
    bench.answer(2, "anna");
    assert_eq!(bench.talk_over(2), "1 ring anna");
    // What comes late changes nothing.
    assert_eq!(bench.tried(1, "tomsk", TransferOutcome::Moved), "");
    assert_eq!(bench.answer(1, "anna"), "");
    assert_eq!(bench.state("anna"), "on-call");
}

#[test]
fn a_call_that_has_come_through_enough_centres_goes_to_no_other() {
    let mut bench = with_peers(&["tomsk"], |_| {});
    bench.enter_with(1, |waiting| waiting.hops = 3);
    bench.enter_with(2, |waiting| waiting.hops = 2);
    assert_eq!(bench.pass(SECOND * 30), "30s: 1 offer callback; 2 peer tomsk");
}

#[test]
fn a_caller_whose_area_a_peer_answers_for_goes_there_first() {
    let mut bench = with_peers(&["altai", "tomsk"], |peer| {
        if peer.name.as_str() == "tomsk" {
            peer.areas = vec!["70".into()];
        }
    });
    let area = |waiting: &mut Waiting| waiting.area = Some("70".into());
    assert_eq!(bench.enter_with(1, area), "1 #1; 1 peer tomsk");
    assert_eq!(bench.tried(1, "tomsk", TransferOutcome::Busy), "");
    assert_eq!(bench.talk_over(9), "1 ring anna", "the caller waits here then");
    bench.answer(1, "anna");
    bench.pass(MINUTE);
    // Later than the limit: the peer rang for long, and the next is tried at once.
    assert_eq!(bench.enter_with(2, area), "2 #1; 2 peer tomsk");
    assert_eq!(bench.pass(SECOND * 35), "");
    assert_eq!(bench.tried(2, "tomsk", TransferOutcome::NoAnswer), "2 peer altai");
}

#[test]
fn an_operator_who_rings_goes_before_a_peer_where_a_callback_can_be_offered_meanwhile() {
    let mut bench = with_peers(&["tomsk"], |_| {});
    bench.enter(1);
    bench.pass(SECOND * 20);
    assert_eq!(bench.talk_over(9), "1 ring anna");
    assert_eq!(bench.pass(SECOND * 10), "10s: 1 offer callback");
    bench.rang(1, "anna", OfferOutcome::NoAnswer);
    bench.queue_settings(|queue| queue.callback = None);
    bench.enter(2);
    bench.leave(1, LeaveReason::Abandoned);
    bench.pass(SECOND * 20);
    // No callback here: the peer is surer than one more ring.
    assert_eq!(bench.state("anna"), "ringing");
    assert_eq!(bench.pass(SECOND * 10), "3s: 2 withdraw anna | 6s: 2 ring anna | 10s: 2 withdraw anna; 2 peer tomsk");
}
