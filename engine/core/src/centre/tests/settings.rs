//! Settings are replaced while everything runs.

use super::*;

#[test]
fn who_waits_in_a_queue_that_is_gone_is_put_out() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(1);
    bench.enter(2);
    let said = bench.configure(|settings| _ = settings.queues.remove(&Queue::new("main")));
    let gone = "there is no queue \"main\"; configure it under [[queue]]";
    assert_eq!(said, format!("1 withdraw anna; 1 unknown: {gone}; 2 unknown: {gone}"));
    bench.rang(1, "anna", OfferOutcome::Withdrawn);
    assert_eq!(bench.state("anna"), "ready");
    assert_eq!(bench.pass(MINUTE * 10), "");
}

#[test]
fn an_operator_who_is_gone_ends_the_talk_first() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(1);
    bench.answer(1, "anna");
    bench.configure(|settings| _ = settings.operators.remove(&Operator::new("anna")));
    assert_eq!(bench.state("anna"), "on-call");
    assert_eq!(bench.order("anna", OperatorOrder::Ready), {
        "refused: there is no operator \"anna\"; add one in the settings"
    });
    bench.talk_over(1);
    assert_eq!(bench.state("anna"), "gone");
}

#[test]
fn an_operator_who_is_gone_is_rung_no_more() {
    let mut bench = Bench::at_work(&["anna", "boris"], |_| {});
    bench.enter(1);
    let said = bench.configure(|settings| _ = settings.operators.remove(&Operator::new("anna")));
    assert_eq!(said, "1 withdraw anna; 1 ring boris");
    assert_eq!(bench.rang(1, "anna", OfferOutcome::Withdrawn), "");
    assert_eq!(bench.state("anna"), "gone");
}

#[test]
fn an_operator_who_is_taken_out_and_in_again_in_mid_call_works_on() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(1);
    bench.answer(1, "anna");
    let anna = bench.settings.operators[&Operator::new("anna")].clone();
    bench.configure(|settings| _ = settings.operators.remove(&Operator::new("anna")));
    bench.configure(|settings| _ = settings.operators.insert(Operator::new("anna"), anna));
    bench.talk_over(1);
    assert_eq!(bench.state("anna"), "ready");
}

#[test]
fn a_shorter_limit_counts_for_those_who_wait_already() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(9);
    bench.answer(9, "anna");
    bench.enter(1);
    bench.pass(SECOND * 10);
    bench.queue_settings(|queue| queue.wait_max = SECOND * 25);
    assert_eq!(bench.pass(SECOND * 10), "5s: 1 offer callback");
    bench.enter(2);
    bench.pass(SECOND * 10);
    bench.queue_settings(|queue| queue.wait_max = SECOND * 15);
    assert_eq!(bench.pass(SECOND), "0s: 2 offer callback");
}

#[test]
fn callbacks_of_a_queue_that_is_gone_wait_for_it_or_for_a_person() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.order("anna", OperatorOrder::Pause(PauseReason::Supervisor));
    bench.book(1, "+79130000001");
    bench.over(1);
    let main = bench.settings.queues[&Queue::new("main")].clone();
    bench.configure(|settings| _ = settings.queues.remove(&Queue::new("main")));
    bench.order("anna", OperatorOrder::Ready);
    assert_eq!(bench.pass(MINUTE * 11), "600s: cb1 escalated");
    let said = bench.configure(|settings| _ = settings.queues.insert(Queue::new("main"), main));
    assert_eq!(said, "start 1001 for cb1, anna first");
}

#[test]
fn a_number_that_is_barred_after_the_promise_is_not_dialled() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.order("anna", OperatorOrder::Pause(PauseReason::Supervisor));
    bench.book(1, "+79130000001");
    bench.queue_settings(|queue| {
        queue.callback = Some(CallbackRules { barred: vec!["+7913".into()], ..rules() });
    });
    assert_eq!(bench.order("anna", OperatorOrder::Ready), "");
    assert_eq!(bench.pass(MINUTE * 11), "600s: cb1 escalated");
}
