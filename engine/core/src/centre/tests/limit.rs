//! Forty seconds: an operator, a peer centre, or the offer of a callback.

use super::*;

#[test]
fn a_callback_is_offered_before_the_limit_and_again_later() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(9);
    bench.answer(9, "anna");
    bench.enter(1);
    assert_eq!(bench.pass(SECOND * 30), "30s: 1 offer callback");
    bench.pass(SECOND * 5);
    // Heard; waits on. The next offer counts from there.
    bench.queue_order(1, QueueOrder::CallbackOffered);
    assert_eq!(bench.pass(SECOND * 130), "60s: 1 offer callback | 120s: 1 offer callback");
    assert_eq!(bench.talk_over(9), "1 ring anna", "the place is kept");
    bench.answer(1, "anna");
    assert_eq!(bench.pass(MINUTE * 10), "");
}

#[test]
fn a_queue_that_calls_nobody_back_says_that_it_takes_longer() {
    let mut bench = Bench::at_work(&["anna"], |queue| queue.callback = None);
    bench.enter(9);
    bench.answer(9, "anna");
    bench.enter(1);
    assert_eq!(bench.pass(SECOND * 100), "30s: 1 say that it takes longer | 90s: 1 say that it takes longer");
}

#[test]
fn a_callback_is_not_offered_where_it_would_not_be_promised() {
    let mut bench = Bench::at_work(&["anna"], |queue| {
        queue.callback = Some(CallbackRules { open_max: 1, ..rules() });
    });
    bench.enter(9);
    bench.answer(9, "anna");
    bench.book(8, "+79130000001");
    bench.enter(1);
    assert_eq!(bench.pass(SECOND * 30), "30s: 1 say that it takes longer");
}

#[test]
fn where_nobody_is_at_work_the_host_acts_at_once() {
    let mut bench = Bench::new(&["anna"]);
    bench.enter(1);
    assert_eq!(bench.pass(SECOND * 30), "2s: 1 offer callback");
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(9);
    bench.answer(9, "anna");
    bench.enter(1);
    bench.pass(SECOND * 5);
    bench.order("anna", OperatorOrder::LogOut(LogoutReason::Own));
    assert_eq!(bench.pass(SECOND * 5), "", "she still talks, and is here");
    bench.talk_over(9);
    assert_eq!(bench.pass(SECOND * 30), "2s: 1 offer callback");
}

#[test]
fn the_limit_acts_while_an_operator_is_being_rung() {
    let mut bench = Bench::at_work(&["anna"], |queue| queue.ring_max = SECOND * 60);
    bench.enter(1);
    assert_eq!(bench.pass(SECOND * 40), "30s: 1 offer callback");
    assert_eq!(bench.answer(1, "anna"), "");
    assert_eq!(bench.state("anna"), "on-call");
}

#[test]
fn the_limit_acts_whatever_the_script_s_patience() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(9);
    bench.answer(9, "anna");
    bench.enter_with(1, |waiting| waiting.wait_max = Some(MINUTE * 5));
    bench.enter_with(2, |waiting| waiting.wait_max = Some(SECOND * 10));
    assert_eq!(bench.pass(SECOND * 30), "10s: 2 timed out | 30s: 1 offer callback");
}

#[test]
fn twenty_callers_and_five_operators() {
    let mut bench = Bench::at_work(&["a", "b", "c", "d", "e"], |_| {});
    for call in 1..=20 {
        bench.enter(call);
    }
    for (call, operator) in (1..).zip(["a", "b", "c", "d", "e"]) {
        bench.answer(call, operator);
    }
    let said = bench.pass(SECOND * 40);
    for call in 6..=20 {
        assert!(said.contains(&format!("{call} offer callback")), "{call}: {said}");
    }
    assert!(said.starts_with("30s: ") && !said.contains('|'), "{said}");
    let acted = bench.machine.queues(bench.now).next().unwrap();
    assert_eq!(acted.waiting.iter().filter(|waiting| waiting.acted.is_some()).count(), 15);
}
