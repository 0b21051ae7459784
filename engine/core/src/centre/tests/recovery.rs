//! What a crash leaves, and what becomes of it.

use super::*;

#[test]
fn those_that_wait_go_on_with_their_due_time() {
    let mut bench = Bench::new(&["anna"]);
    bench.book(1, "+79130000001");
    bench.pass(MINUTE * 4);
    assert_eq!(bench.restart(), "");
    assert_eq!(bench.order("anna", OperatorOrder::LogIn), "start 1001 for cb1, anna first");
    assert_eq!(bench.machine.callback(&bench.callbacks[0]).map(|of| clock(of.due)), Some("12:10".into()));
    assert_eq!(bench.pass(MINUTE * 7), "20s: 1001 withdraw anna | 360s: cb1 escalated");
}

#[test]
fn one_that_was_begun_and_not_claimed_is_begun_again() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.book(1, "+79130000001");
    bench.answer(1001, "anna");
    bench.restart();
    assert_eq!(bench.order("anna", OperatorOrder::LogIn), "start 1002 for cb1, anna first");
}

#[test]
fn a_claim_that_was_cut_off_is_unknown_and_asked_about() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.book(1, "+79130000001");
    bench.answer(1001, "anna");
    bench.claim(1001, 1);
    bench.restart();
    assert_eq!(bench.callback_state(1), "unknown");
    assert!(matches!(bench.stored[&bench.callbacks[0]].state, CallbackState::Unknown { .. }));
    assert_eq!(bench.order("anna", OperatorOrder::LogIn), "");
    // Also after a second crash.
    bench.restart();
    bench.order("anna", OperatorOrder::LogIn);
    assert_eq!(bench.pass(MINUTE * 60), "600s: cb1 escalated");
    assert_eq!(bench.decide(1, CallbackDecision::TryAgain), "start 1002 for cb1, anna first");
    let attempts = &bench.machine.callback(&bench.callbacks[0]).unwrap().attempts;
    assert_eq!(attempts.len(), 1, "the one that was cut off is still told of");
    assert_eq!(attempts[0].outcome, None);
}

#[test]
fn by_the_other_rule_it_is_taken_for_made() {
    let mut bench = Bench::at_work(&["anna"], |queue| {
        queue.callback = Some(CallbackRules { unknown: UnknownRule::GiveUp, ..rules() });
    });
    bench.book(1, "+79130000001");
    bench.answer(1001, "anna");
    bench.claim(1001, 1);
    bench.restart();
    assert_eq!(bench.callback_state(1), "given-up");
    assert_eq!(bench.pass(MINUTE * 60), "");
}

#[test]
fn a_claim_that_was_not_durable_was_never_granted() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.book(1, "+79130000001");
    bench.answer(1001, "anna");
    bench.saves = Saves::Hang;
    assert_eq!(bench.claim(1001, 1), "");
    bench.saves = Saves::Work;
    bench.restart();
    assert_eq!(bench.order("anna", OperatorOrder::LogIn), "start 1002 for cb1, anna first");
}

#[test]
fn what_fell_due_while_the_engine_was_down_is_escalated_at_once() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.order("anna", OperatorOrder::Pause(PauseReason::Supervisor));
    bench.book(1, "+79130000001");
    bench.now = bench.now + MINUTE * 30;
    assert_eq!(bench.restart(), "");
    assert_eq!(bench.pass(Duration::ZERO), "0s: cb1 escalated");
    // And not once more after the next crash.
    bench.restart();
    assert_eq!(bench.pass(MINUTE), "");
    assert_eq!(bench.order("anna", OperatorOrder::LogIn), "start 1001 for cb1, anna first");
}

#[test]
fn a_retry_is_waited_for_over_a_crash() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.book(1, "+79130000001");
    bench.answer(1001, "anna");
    bench.claim(1001, 1);
    bench.ended(1001, 1, AttemptOutcome::NoAnswer);
    bench.pass(MINUTE);
    bench.restart();
    assert_eq!(bench.order("anna", OperatorOrder::LogIn), "");
    assert_eq!(bench.pass(SECOND * 70), "60s: start 1002 for cb1, anna first");
}

#[test]
fn telling_twice_what_was_left_changes_nothing() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.book(1, "+79130000001");
    bench.answer(1001, "anna");
    let left: Vec<_> = bench.stored.values().cloned().collect();
    assert_eq!(bench.handle(CentreInput::Recovered(left)), "");
    assert_eq!(bench.claim(1001, 1), "1001 granted");
}
