//! What operators and their telephones say.

use super::*;

fn own(reason: &str) -> OperatorOrder {
    OperatorOrder::Pause(PauseReason::Own(reason.into()))
}

#[test]
fn who_is_not_logged_in_is_rung_by_nobody_and_told_so() {
    let mut bench = Bench::new(&["anna"]);
    assert_eq!(bench.enter(1), "1 #1");
    assert_eq!(bench.order("anna", own("lunch")), "refused: operator \"anna\" is not logged in; log in first");
    assert_eq!(bench.order("anna", OperatorOrder::Ready), "refused: operator \"anna\" is not logged in; log in first");
    assert_eq!(bench.order("nobody", OperatorOrder::LogIn), {
        "refused: there is no operator \"nobody\"; add one in the settings"
    });
    assert_eq!(bench.order("anna", OperatorOrder::LogIn), "1 ring anna");
}

#[test]
fn a_pause_in_mid_call_begins_after_it() {
    let mut bench = Bench::at_work(&["anna"], |queue| queue.wrap_up = SECOND * 30);
    bench.enter(1);
    bench.answer(1, "anna");
    assert_eq!(bench.order("anna", own("lunch")), "");
    assert_eq!(bench.state("anna"), "on-call");
    bench.talk_over(1);
    assert_eq!(bench.state("anna"), "paused own(\"lunch\")");
    bench.enter(2);
    assert_eq!(bench.order("anna", OperatorOrder::Ready), "2 ring anna");
    bench.answer(2, "anna");
    // Changed her mind.
    bench.order("anna", own("lunch"));
    bench.order("anna", OperatorOrder::Ready);
    bench.talk_over(2);
    assert_eq!(bench.state("anna"), "wrap-up");
}

#[test]
fn a_logout_in_mid_call_takes_effect_after_it() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(1);
    bench.answer(1, "anna");
    bench.order("anna", OperatorOrder::LogOut(LogoutReason::Own));
    assert_eq!(bench.state("anna"), "on-call");
    bench.over(1);
    assert_eq!(bench.state("anna"), "logged-out");
}

#[test]
fn wrap_up_leaves_an_operator_alone_and_can_be_cut_short() {
    let mut bench = Bench::at_work(&["anna"], |queue| queue.wrap_up = SECOND * 30);
    bench.enter(1);
    bench.answer(1, "anna");
    bench.enter(2);
    bench.talk_over(1);
    assert_eq!(bench.state("anna"), "wrap-up");
    assert_eq!(bench.pass(SECOND * 29), "");
    assert_eq!(bench.pass(SECOND), "1s: 2 offer callback; 2 ring anna");
    bench.answer(2, "anna");
    bench.enter(3);
    bench.talk_over(2);
    assert_eq!(bench.order("anna", OperatorOrder::Ready), "3 ring anna");
}

#[test]
fn an_operator_who_vanishes_while_ringing_is_followed_by_the_next() {
    let mut bench = Bench::at_work(&["anna", "boris"], |_| {});
    assert_eq!(bench.enter(1), "1 #1 in 0s; 1 ring anna");
    assert_eq!(bench.order("anna", OperatorOrder::Reachable(false)), "1 withdraw anna; 1 ring boris");
    assert_eq!(bench.state("anna"), "paused unreachable");
    bench.rang(1, "anna", OfferOutcome::Withdrawn);
    bench.enter(2);
    assert_eq!(bench.order("anna", OperatorOrder::Reachable(true)), "2 ring anna");
}

#[test]
fn an_operator_who_pauses_or_leaves_while_ringing_is_taken_back() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(1);
    assert_eq!(bench.order("anna", own("lunch")), "1 withdraw anna");
    // Ready again before the call has confirmed: not rung twice at once.
    assert_eq!(bench.order("anna", OperatorOrder::Ready), "");
    assert_eq!(bench.rang(1, "anna", OfferOutcome::Withdrawn), "1 ring anna");
    assert_eq!(bench.order("anna", OperatorOrder::LogOut(LogoutReason::Supervisor)), "1 withdraw anna");
    // The answer was faster: they talk, and the logout waits.
    assert_eq!(bench.answer(1, "anna"), "");
    assert_eq!(bench.state("anna"), "on-call");
    bench.talk_over(1);
    assert_eq!(bench.state("anna"), "logged-out");
}

#[test]
fn who_vanishes_in_mid_call_is_not_rung_afterwards() {
    let mut bench = Bench::at_work(&["anna"], |queue| queue.wrap_up = SECOND);
    bench.enter(1);
    bench.answer(1, "anna");
    bench.order("anna", OperatorOrder::Reachable(false));
    assert_eq!(bench.state("anna"), "on-call");
    bench.talk_over(1);
    bench.pass(SECOND * 2);
    assert_eq!(bench.state("anna"), "paused unreachable");
    // Her word alone does not bring the telephone back.
    bench.order("anna", OperatorOrder::Ready);
    assert_eq!(bench.state("anna"), "paused unreachable");
    bench.order("anna", OperatorOrder::Reachable(true));
    assert_eq!(bench.state("anna"), "ready");
}

#[test]
fn a_pause_outlives_the_telephone_s_absence() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.order("anna", own("lunch"));
    bench.order("anna", OperatorOrder::Reachable(false));
    bench.order("anna", OperatorOrder::Reachable(true));
    assert_eq!(bench.state("anna"), "paused own(\"lunch\")");
}

#[test]
fn the_last_login_counts() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(1);
    bench.answer(1, "anna");
    // From a second page, while she talks; the first page is told, and its end is not hers.
    bench.order("anna", OperatorOrder::LogIn);
    bench.order("anna", OperatorOrder::LogOut(LogoutReason::Elsewhere));
    assert_eq!(bench.state("anna"), "on-call");
    assert_eq!(bench.machine.operator(&Operator::new("anna")).unwrap().answered, 0, "counted since login");
    bench.talk_over(1);
    assert_eq!(bench.state("anna"), "ready");
    bench.order("anna", own("lunch"));
    bench.order("anna", OperatorOrder::LogIn);
    assert_eq!(bench.state("anna"), "ready");
}

#[test]
fn a_telephone_that_registers_is_rung_once_it_has() {
    let mut settings = Bench::new(&[]).settings;
    let target = DialTarget { trunk: Some(Trunk::new(Trunk::REGISTERED)), address: PhoneNumber::new("anna") };
    let anna = OperatorSettings { target, ..operator("anna") };
    settings.operators.insert(anna.name.clone(), Arc::new(anna));
    let mut bench = Bench::of(settings, noon());
    bench.enter(1);
    assert_eq!(bench.order("anna", OperatorOrder::LogIn), "");
    assert_eq!(bench.state("anna"), "paused unreachable");
    assert_eq!(bench.order("anna", OperatorOrder::Reachable(true)), "1 ring anna");
}

#[test]
fn an_operator_is_not_taken_for_another_call_s_words() {
    let mut bench = Bench::at_work(&["anna", "boris"], |_| {});
    bench.enter(1);
    bench.enter(2);
    let offer = bench.offers[&(1, "anna".to_owned())];
    assert_eq!(bench.queue_order(2, QueueOrder::OfferEnded { offer, outcome: OfferOutcome::Rejected }), "");
    assert_eq!(bench.state("anna"), "ringing");
    bench.answer(1, "anna");
    assert_eq!(bench.talk_over(2), "");
    assert_eq!(bench.state("anna"), "on-call");
}

#[test]
fn a_telephone_may_register_before_its_operator_is_known() {
    let mut bench = Bench::new(&[]);
    assert!(bench.order("anna", OperatorOrder::Reachable(true)).starts_with("refused"));
    assert!(bench.order("boris", OperatorOrder::Reachable(true)).starts_with("refused"));
    assert!(bench.order("boris", OperatorOrder::Reachable(false)).starts_with("refused"));
    bench.configure(|settings| {
        for name in ["anna", "boris"] {
            let target = DialTarget { trunk: Some(Trunk::new(Trunk::REGISTERED)), address: PhoneNumber::new(name) };
            settings.operators.insert(Operator::new(name), Arc::new(OperatorSettings { target, ..operator(name) }));
        }
    });
    bench.order("anna", OperatorOrder::LogIn);
    bench.order("boris", OperatorOrder::LogIn);
    assert_eq!((bench.state("anna").as_str(), bench.state("boris").as_str()), ("ready", "paused unreachable"));
}
