//! How a promise is kept: begun, claimed, tried again, escalated.

use super::*;

/// One callback is begun, and Anna is rung first.
fn begun() -> Bench {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    assert_eq!(bench.book(1, "+79130000001"), "1 booked cb1 by 12:10; start 1001 for cb1, anna first");
    bench.over(1);
    bench
}

/// And Anna has answered.
fn answered() -> Bench {
    let mut bench = begun();
    assert_eq!(bench.answer(1001, "anna"), "");
    bench
}

fn caller_first() -> Bench {
    let mut bench = Bench::at_work(&["anna"], |queue| {
        queue.callback = Some(CallbackRules { dial_first: DialFirst::Caller, ..rules() });
    });
    assert_eq!(bench.book(1, "+79130000001"), "1 booked cb1 by 12:10; start 1001 for cb1, caller first");
    bench
}

#[test]
fn the_operator_first_then_the_caller_once_the_claim_is_durable() {
    let mut bench = answered();
    let start = &bench.starts[0];
    assert_eq!(start.target.address.reveal(), "+79130000001");
    assert_eq!((start.ring_max, start.target.trunk.clone()), (SECOND * 30, Some(Trunk::new("city"))));
    bench.saves = Saves::Hang;
    assert_eq!(bench.claim(1001, 1), "");
    assert_eq!(bench.save(Ok(())), "1001 granted");
    assert_eq!(bench.callback_state(1), "claimed");
    bench.saves = Saves::Work;
    assert_eq!(bench.ended(1001, 1, AttemptOutcome::Connected), "");
    assert_eq!(bench.callback_state(1), "connected");
    bench.pass(MINUTE);
    // What comes after it changes nothing.
    assert_eq!(bench.ended(1001, 1, AttemptOutcome::Left), "");
    assert_eq!(bench.claim(1001, 1), "1001 not granted");
    bench.talk_over(1001);
    bench.over(1001);
    assert_eq!(bench.callback_state(1), "connected");
    assert_eq!(bench.state("anna"), "ready");
    assert_eq!(bench.pass(MINUTE * 60), "");
    assert!(matches!(bench.stored[&bench.callbacks[0]].state, CallbackState::Connected { .. }));
}

#[test]
fn a_claim_that_cannot_be_written_down_is_not_granted() {
    let mut bench = answered();
    bench.saves = Saves::Fail;
    assert_eq!(bench.claim(1001, 1), "1001 not granted");
    assert_eq!(bench.callback_state(1), "waiting");
    // Tried once more in the same call.
    bench.saves = Saves::Work;
    assert_eq!(bench.claim(1001, 1), "1001 granted");
    assert_eq!(bench.claim(1001, 1), "1001 not granted", "granted once");
    bench.ended(1001, 1, AttemptOutcome::NoAnswer);
    assert_eq!(bench.machine.callback(&bench.callbacks[0]).unwrap().attempts.len(), 1);
}

#[test]
fn only_the_call_that_was_begun_may_claim() {
    let mut bench = begun();
    assert_eq!(bench.claim(5, 1), "5 not granted");
    assert_eq!(bench.ended(5, 1, AttemptOutcome::Connected), "");
    assert_eq!(bench.callback_state(1), "waiting");
}

#[test]
fn an_operator_who_does_not_answer_is_followed_by_another() {
    let mut bench = begun();
    bench.order("anna", OperatorOrder::Pause(PauseReason::Supervisor));
    bench.configure(|settings| _ = settings.operators.insert(Operator::new("boris"), Arc::new(operator("boris"))));
    bench.order("boris", OperatorOrder::LogIn);
    bench.rang(1001, "anna", OfferOutcome::Withdrawn);
    assert_eq!(bench.ended(1001, 1, AttemptOutcome::OperatorGone), "");
    bench.over(1001);
    assert_eq!(bench.pass(SECOND * 10), "5s: start 1002 for cb1, boris first");
    assert!(bench.machine.callback(&bench.callbacks[0]).unwrap().attempts.is_empty(), "nobody was dialled");
}

#[test]
fn an_operator_who_waits_in_vain_has_nothing_to_write_up() {
    let mut bench = answered();
    bench.queue_settings(|queue| queue.wrap_up = MINUTE);
    bench.claim(1001, 1);
    bench.ended(1001, 1, AttemptOutcome::NoAnswer);
    bench.over(1001);
    assert_eq!(bench.state("anna"), "ready");
}

#[test]
fn a_caller_who_does_not_answer_is_tried_again_and_given_up_in_the_end() {
    let mut bench = answered();
    bench.claim(1001, 1);
    bench.ended(1001, 1, AttemptOutcome::NoAnswer);
    bench.over(1001);
    assert_eq!(bench.pass(MINUTE * 2), "120s: start 1002 for cb1, anna first");
    bench.answer(1002, "anna");
    bench.claim(1002, 1);
    // The way out fails: nobody was rung, so it does not count.
    bench.ended(1002, 1, AttemptOutcome::Unavailable);
    bench.over(1002);
    bench.pass(MINUTE * 2);
    bench.answer(1003, "anna");
    bench.claim(1003, 1);
    bench.ended(1003, 1, AttemptOutcome::Busy);
    bench.over(1003);
    bench.pass(MINUTE * 2);
    bench.answer(1004, "anna");
    bench.claim(1004, 1);
    bench.ended(1004, 1, AttemptOutcome::Rejected);
    assert_eq!(bench.callback_state(1), "given-up");
    bench.over(1004);
    assert_eq!(bench.pass(MINUTE * 60), "");
    assert_eq!(bench.decide(1, CallbackDecision::TryAgain), "start 1005 for cb1, anna first");
    // That was the last word on its due time too.
    assert_eq!(bench.pass(SECOND), "0s: cb1 escalated");
}

#[test]
fn callbacks_wait_at_the_head_with_their_place_kept() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(9);
    bench.answer(9, "anna");
    let came = bench.now;
    bench.enter(1);
    bench.pass(SECOND * 20);
    bench.enter(2);
    bench.book(3, "+79130000003");
    bench.book_with(1, "+79130000001", |wish| wish.waited_since = Some(came));
    bench.leave(1, LeaveReason::Callback);
    let line = bench.machine.queues(bench.now).next().unwrap().waiting;
    assert_eq!(line.iter().map(|waiting| waiting.callback.is_some()).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(bench.enter(4), "4 #4");
    assert_eq!(bench.talk_over(9), "start 1001 for cb2, anna first");
}

#[test]
fn a_late_one_goes_before_everybody_and_asks_for_nothing() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(9);
    bench.answer(9, "anna");
    bench.book_with(1, "+79130000001", |wish| wish.skills = vec![skill("deutsch", 5)]);
    bench.pass(MINUTE);
    bench.book(2, "+79130000002");
    assert_eq!(bench.pass(MINUTE * 9), "540s: cb1 escalated");
    assert_eq!(bench.machine.callback(&bench.callbacks[0]).unwrap().escalated, Some(bench.now));
    assert_eq!(bench.talk_over(9), "start 1001 for cb1, anna first");
    assert!(bench.stored[&bench.callbacks[0]].escalated.is_some());
    assert_eq!(bench.pass(MINUTE), {
        "20s: 1001 withdraw anna | 23s: start 1002 for cb2, anna first | 43s: 1002 withdraw anna | 60s: cb2 escalated"
    });
}

#[test]
fn the_caller_first_then_waits_at_the_head() {
    let mut bench = caller_first();
    assert_eq!(bench.state("anna"), "ready", "nobody is rung yet");
    // Another waits, and Anna talks to him meanwhile.
    assert_eq!(bench.enter(5), "5 #1 in 0s; 5 ring anna");
    bench.answer(5, "anna");
    bench.enter(6);
    assert_eq!(bench.claim(1001, 1), "1001 granted");
    let id = bench.callbacks[0].clone();
    assert_eq!(bench.enter_with(1001, |waiting| waiting.callback = Some(id)), "1001 #1");
    assert_eq!(bench.talk_over(5), "1001 ring anna");
    bench.answer(1001, "anna");
    // They talk: that is the promise kept, and durable at once.
    assert_eq!(bench.callback_state(1), "connected");
    assert!(matches!(bench.stored[&bench.callbacks[0]].state, CallbackState::Connected { .. }));
    bench.over(1001);
    assert_eq!(bench.callback_state(1), "connected");
}

#[test]
fn one_operator_is_not_promised_to_two_callers_who_are_dialled() {
    let mut bench = caller_first();
    assert_eq!(bench.book(2, "+79130000002"), "2 booked cb2 by 12:10");
    bench.order("anna", OperatorOrder::Pause(PauseReason::Supervisor));
    bench.order("anna", OperatorOrder::Ready);
    assert_eq!(bench.claim(1001, 1), "1001 granted");
    // The first did not answer: the second's turn.
    assert_eq!(bench.ended(1001, 1, AttemptOutcome::NoAnswer), "start 1002 for cb2, caller first");
}

#[test]
fn a_caller_who_leaves_before_an_operator_came_is_called_again() {
    let mut bench = caller_first();
    bench.claim(1001, 1);
    bench.order("anna", OperatorOrder::Pause(PauseReason::Supervisor));
    let id = bench.callbacks[0].clone();
    bench.enter_with(1001, |waiting| waiting.callback = Some(id));
    // The limit acts for this caller too; another callback is not offered.
    assert_eq!(bench.pass(SECOND * 31), "30s: 1001 say that it takes longer");
    bench.leave(1001, LeaveReason::Abandoned);
    bench.ended(1001, 1, AttemptOutcome::Left);
    bench.over(1001);
    bench.order("anna", OperatorOrder::Ready);
    assert_eq!(bench.pass(MINUTE * 3), "120s: start 1002 for cb1, caller first");
}

#[test]
fn somebody_else_s_callback_gives_nobody_a_better_place() {
    let mut bench = Bench::at_work(&["anna"], |queue| queue.waiting_max = 2);
    bench.order("anna", OperatorOrder::Pause(PauseReason::Supervisor));
    bench.book(1, "+79130000001");
    bench.enter(2);
    let id = bench.callbacks[0].clone();
    assert_eq!(bench.enter_with(3, |waiting| waiting.callback = Some(id.clone())), "3 #3");
    assert_eq!(bench.enter_with(4, |waiting| waiting.callback = Some(id)), "4 full");
}

#[test]
fn a_call_that_ends_with_a_claim_and_no_word_leaves_an_unknown_one() {
    let mut bench = answered();
    bench.claim(1001, 1);
    bench.over(1001);
    assert_eq!(bench.callback_state(1), "unknown");
    assert_eq!(bench.pass(MINUTE * 60), "600s: cb1 escalated", "never begun again by itself");
    assert_eq!(bench.decide(1, CallbackDecision::TryAgain), "start 1002 for cb1, anna first");
}

#[test]
fn a_call_that_ends_while_its_claim_is_written_down_has_tried_nothing() {
    let mut bench = answered();
    bench.saves = Saves::Hang;
    bench.claim(1001, 1);
    bench.over(1001);
    assert_eq!(bench.callback_state(1), "waiting");
    assert_eq!(bench.save(Ok(())), "");
    assert_eq!(bench.save(Ok(())), "");
    assert_eq!(bench.pass(SECOND * 6), "5s: start 1002 for cb1, anna first");
    let attempts = &bench.machine.callback(&bench.callbacks[0]).unwrap().attempts;
    assert_eq!(attempts[0].outcome, Some(AttemptOutcome::OperatorGone));
}

#[test]
fn what_could_not_be_written_down_is_written_later() {
    let mut bench = answered();
    bench.claim(1001, 1);
    bench.saves = Saves::Fail;
    bench.ended(1001, 1, AttemptOutcome::Connected);
    assert!(matches!(bench.stored[&bench.callbacks[0]].state, CallbackState::Claimed));
    bench.pass(SECOND * 25);
    bench.saves = Saves::Work;
    bench.pass(SECOND * 10);
    assert!(matches!(bench.stored[&bench.callbacks[0]].state, CallbackState::Connected { .. }));
    assert_eq!(bench.machine.deadline().map(clock), Some("00:00".to_owned()), "nothing is left but the night");
}

#[test]
fn people_decide_what_fits_where_it_stands() {
    let mut bench = begun();
    let cancel = || CallbackDecision::Cancel { by: "boss".into() };
    assert!(bench.decide(1, CallbackDecision::TryAgain).starts_with("refused: the callback is waiting"));
    assert!(bench.decide(1, CallbackDecision::TakeAsConnected).starts_with("refused: the callback is waiting"));
    bench.answer(1001, "anna");
    bench.claim(1001, 1);
    assert!(bench.decide(1, cancel()).starts_with("refused: the callback is claimed"));
    bench.over(1001);
    assert_eq!(bench.decide(1, CallbackDecision::TakeAsConnected), "");
    assert_eq!(bench.callback_state(1), "connected");
    assert!(bench.decide(1, CallbackDecision::TryAgain).starts_with("refused: the callback is connected"));
}

#[test]
fn a_cancelled_one_is_claimed_by_nobody() {
    let mut bench = answered();
    assert_eq!(bench.decide(1, CallbackDecision::Cancel { by: "boss".into() }), "");
    assert_eq!(bench.claim(1001, 1), "1001 not granted");
    bench.over(1001);
    assert_eq!(bench.callback_state(1), "given-up");
    assert_eq!(bench.pass(MINUTE * 60), "");
}

#[test]
fn a_call_that_cannot_be_begun_is_not_begun_in_a_loop() {
    let mut bench = begun();
    let mut begun = 1;
    for _ in 0..60 {
        bench.over(1000 + begun);
        if !bench.pass(SECOND).is_empty() {
            begun += 1;
        }
    }
    assert_eq!(begun, 13, "every five seconds");
}
