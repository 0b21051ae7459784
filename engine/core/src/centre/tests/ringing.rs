//! Whom to ring, and how rings end.

use super::*;

#[test]
fn the_one_without_a_call_for_longest_is_rung() {
    let mut bench = Bench::with(&["anna", "boris", "clara"], |_| {});
    for name in ["clara", "anna", "boris"] {
        bench.order(name, OperatorOrder::LogIn);
        bench.pass(SECOND);
    }
    assert_eq!(bench.enter(1), "1 #1 in 0s; 1 ring clara");
    assert_eq!(bench.enter(2), "2 #2 in 0s; 2 ring anna");
    bench.answer(1, "clara");
    bench.pass(SECOND);
    bench.talk_over(1);
    bench.leave(2, LeaveReason::Abandoned);
    // Anna was rung, and has talked to nobody.
    assert_eq!(bench.enter(3), "3 #1 in 0s; 3 ring anna");
}

#[test]
fn a_round_goes_by_name_from_where_it_stopped() {
    let mut bench = Bench::at_work(&["anna", "boris", "clara"], |queue| queue.strategy = RingStrategy::RoundRobin);
    for (call, name) in [(1, "anna"), (2, "boris"), (3, "clara"), (4, "anna")] {
        assert!(bench.enter(call).ends_with(&format!("{call} ring {name}")), "{call}");
        bench.answer(call, name);
        bench.talk_over(call);
    }
}

#[test]
fn ringing_all_rings_everybody_and_the_first_answer_wins() {
    let mut bench = Bench::at_work(&["anna", "boris", "clara"], |queue| queue.strategy = RingStrategy::RingAll);
    assert_eq!(bench.enter(1), "1 #1 in 0s; 1 ring anna; 1 ring boris; 1 ring clara");
    assert_eq!(bench.enter(2), "2 #2");
    assert_eq!(bench.answer(1, "boris"), "1 withdraw anna; 1 withdraw clara");
    assert_eq!(bench.state("boris"), "on-call");
    // Whoever is being taken back is rung for nobody else before that is confirmed.
    assert_eq!(bench.rang(1, "clara", OfferOutcome::Withdrawn), "2 ring clara");
    assert_eq!(bench.rang(1, "anna", OfferOutcome::Withdrawn), "2 ring anna");
    assert_eq!(bench.machine.operator(&Operator::new("anna")).unwrap().missed, 0);
}

#[test]
fn ringing_all_stops_at_a_limit() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let mut bench = Bench::at_work(&names, |queue| queue.strategy = RingStrategy::RingAll);
    assert_eq!(bench.enter(1).matches("ring").count(), 8);
    assert_eq!(bench.enter(2).matches("ring").count(), 2);
}

#[test]
fn who_does_not_answer_is_followed_by_the_next_who_has_not_been_tried() {
    let mut bench = Bench::at_work(&["anna", "boris", "clara"], |queue| queue.misses_max = 0);
    assert_eq!(bench.enter(1), "1 #1 in 0s; 1 ring anna");
    bench.pass(SECOND * 15);
    assert_eq!(bench.rang(1, "anna", OfferOutcome::NoAnswer), "1 ring boris");
    assert_eq!(bench.state("anna"), "ready");
    bench.pass(SECOND * 14);
    // Anna has been idle for longest, and is tried again only after Clara.
    assert_eq!(bench.rang(1, "boris", OfferOutcome::NoAnswer), "1 ring clara");
    assert_eq!(bench.rang(1, "clara", OfferOutcome::NoAnswer), "1 ring anna");
}

#[test]
fn who_misses_too_many_is_paused_until_ready_again() {
    let mut bench = Bench::at_work(&["anna"], |queue| queue.misses_max = 2);
    bench.enter(1);
    assert_eq!(bench.rang(1, "anna", OfferOutcome::NoAnswer), "");
    assert_eq!(bench.pass(SECOND * 5), "3s: 1 ring anna");
    bench.rang(1, "anna", OfferOutcome::NoAnswer);
    assert_eq!(bench.state("anna"), "paused missed");
    assert_eq!(bench.pass(SECOND * 10), "");
    assert_eq!(bench.order("anna", OperatorOrder::Ready), "1 ring anna");
    bench.answer(1, "anna");
    bench.talk_over(1);
    // The row was broken by the answer.
    bench.enter(2);
    bench.rang(2, "anna", OfferOutcome::NoAnswer);
    assert_eq!(bench.state("anna"), "ready");
}

#[test]
fn who_refuses_is_left_alone_for_a_moment_and_misses_nothing() {
    let mut bench = Bench::at_work(&["anna"], |queue| queue.misses_max = 1);
    bench.enter(1);
    assert_eq!(bench.rang(1, "anna", OfferOutcome::Rejected), "");
    assert_eq!(bench.state("anna"), "ready");
    assert_eq!(bench.enter(2), "2 #2");
    assert_eq!(bench.pass(SECOND * 11), "10s: 1 ring anna");
    assert_eq!(bench.rang(1, "anna", OfferOutcome::Busy), "");
    assert_eq!(bench.pass(SECOND * 11), "10s: 1 ring anna");
}

#[test]
fn a_telephone_without_a_page_is_not_paused_but_left_alone() {
    let mut settings = Bench::new(&[]).settings;
    let desk = OperatorSettings { always_ready: true, ..operator("desk") };
    settings.operators.insert(desk.name.clone(), Arc::new(desk));
    let mut bench = Bench::of(settings, noon());
    bench.queue_settings(|queue| {
        queue.misses_max = 1;
        queue.callback = None;
    });
    assert_eq!(bench.enter(1), "1 #1 in 0s; 1 ring desk");
    bench.rang(1, "desk", OfferOutcome::Unavailable);
    assert_eq!(bench.state("desk"), "ready");
    assert_eq!(bench.pass(SECOND * 61), "30s: 1 say that it takes longer | 60s: 1 ring desk");
}

#[test]
fn a_call_that_leaves_ends_its_rings() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(1);
    bench.enter(2);
    assert_eq!(bench.leave(1, LeaveReason::Abandoned), "2 ring anna");
    assert_eq!(bench.over(2), "");
    assert_eq!(bench.state("anna"), "ready");
    // What it says of them afterwards changes nothing.
    bench.enter(3);
    assert_eq!(bench.rang(1, "anna", OfferOutcome::NoAnswer), "");
    assert_eq!(bench.state("anna"), "ringing");
}

#[test]
fn a_call_that_says_nothing_of_a_ring_is_not_waited_for() {
    let mut bench = Bench::at_work(&["anna", "boris"], |_| {});
    bench.enter(1);
    // 15 s of ringing, 5 s of patience; then the next one is rung at once.
    assert_eq!(bench.pass(SECOND * 21), "20s: 1 withdraw anna; 1 ring boris");
    assert_eq!(bench.enter(2), "2 #2");
    // Its withdrawal is not confirmed either.
    assert_eq!(bench.pass(SECOND * 5), "2s: 2 ring anna");
    // The answer was faster than the withdrawal after all: they talk, and wait no more.
    bench.order("boris", OperatorOrder::Pause(PauseReason::Supervisor));
    assert_eq!(bench.answer(1, "boris"), "");
    assert_eq!(bench.state("boris"), "on-call");
    bench.talk_over(1);
    assert_eq!(bench.state("boris"), "paused supervisor");
}

#[test]
fn an_answer_to_a_ring_that_was_given_up_counts_all_the_same() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(1);
    assert_eq!(bench.order("anna", OperatorOrder::Reachable(false)), "1 withdraw anna");
    bench.order("anna", OperatorOrder::Reachable(true));
    // The call never confirms; Anna is rung for it once more, and then answers the first ring.
    let first = bench.offers[&(1, "anna".to_owned())];
    assert_eq!(bench.pass(SECOND * 4), "3s: 1 ring anna");
    let answered = QueueOrder::OfferEnded { offer: first, outcome: OfferOutcome::Answered };
    assert_eq!(bench.queue_order(1, answered), "1 withdraw anna");
    assert_eq!(bench.state("anna"), "on-call");
    assert_eq!(bench.rang(1, "anna", OfferOutcome::Withdrawn), "");
    assert_eq!(bench.state("anna"), "on-call");
    bench.talk_over(1);
    assert_eq!(bench.state("anna"), "ready");
}
