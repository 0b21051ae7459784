//! Who is next, and what the operator should be good at.

use super::*;

#[test]
fn callers_are_served_in_the_order_in_which_they_came() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    assert_eq!(bench.enter(1), "1 #1 in 0s; 1 ring anna");
    assert_eq!(bench.enter(2), "2 #2");
    assert_eq!(bench.enter(3), "3 #3");
    assert_eq!(bench.answer(1, "anna"), "");
    assert_eq!(bench.talk_over(1), "2 ring anna");
}

#[test]
fn higher_priorities_go_first() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(1);
    bench.answer(1, "anna");
    bench.enter(2);
    assert_eq!(bench.enter_with(3, |waiting| waiting.priority = 1), "3 #1");
    assert_eq!(bench.enter_with(4, |waiting| waiting.priority = 9), "4 #1");
    assert_eq!(bench.talk_over(1), "4 ring anna");
}

#[test]
fn whom_a_campaign_has_called_goes_before_everybody_who_calls() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.enter(1);
    bench.answer(1, "anna");
    assert_eq!(bench.enter_with(2, |waiting| waiting.priority = 9), "2 #1");
    assert_eq!(bench.enter_with(3, |waiting| waiting.called = true), "3 #1");
    assert_eq!(bench.enter_with(4, |waiting| waiting.called = true), "4 #2");
    assert_eq!(bench.talk_over(1), "3 ring anna");
}

#[test]
fn a_caller_waits_for_somebody_who_is_good_enough() {
    let mut bench = Bench::at_work(&["anna", "boris"], |_| {});
    bench.configure(|settings| {
        let mut boris = operator("boris");
        boris.skills.insert(Skill::new("deutsch"), 2);
        settings.operators.insert(boris.name.clone(), Arc::new(boris));
    });
    assert_eq!(bench.enter_with(1, |waiting| waiting.skills = vec![skill("deutsch", 2)]), "1 #1 in 0s; 1 ring boris");
    // Boris rings already: the second waits, and the third is served before, since Anna will do.
    assert_eq!(bench.enter_with(2, |waiting| waiting.skills = vec![skill("deutsch", 2)]), "2 #2");
    assert_eq!(bench.enter(3), "3 #3; 3 ring anna");
    assert_eq!(bench.enter_with(4, |waiting| waiting.skills = vec![skill("deutsch", 3)]), "4 #4");
    bench.answer(1, "boris");
    assert_eq!(bench.talk_over(1), "2 ring boris");
}

#[test]
fn demands_on_skills_fall_with_time() {
    let relax = |after: u32, levels| SkillRelaxation { after: SECOND * after, levels };
    let mut bench = Bench::at_work(&["anna"], |queue| queue.relax = vec![relax(10, 1), relax(20, 3)]);
    assert_eq!(bench.enter_with(1, |waiting| waiting.skills = vec![skill("deutsch", 3)]), "1 #1 in 0s");
    assert_eq!(bench.enter_with(2, |waiting| waiting.skills = vec![skill("deutsch", 1)]), "2 #2");
    assert_eq!(bench.pass(SECOND * 15), "10s: 2 ring anna");
    bench.answer(2, "anna");
    assert_eq!(bench.talk_over(2), "");
    assert_eq!(bench.pass(SECOND * 10), "5s: 1 ring anna");
}

#[test]
fn an_operator_of_several_queues_goes_to_whoever_is_first_in_any() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.configure(|settings| {
        settings.queues.insert(Queue::new("other"), Arc::new(queue("other")));
        let mut anna = operator("anna");
        anna.queues.push(Queue::new("other"));
        settings.operators.insert(anna.name.clone(), Arc::new(anna));
    });
    bench.enter(1);
    bench.answer(1, "anna");
    assert_eq!(bench.enter_with(2, |waiting| waiting.queue = Queue::new("other")), "2 #1");
    assert_eq!(bench.enter(3), "3 #1");
    assert_eq!(bench.talk_over(1), "2 ring anna");
    bench.answer(2, "anna");
    assert_eq!(bench.over(2), "3 ring anna");
}

#[test]
fn a_full_queue_lets_nobody_in() {
    let mut bench = Bench::at_work(&[], |queue| queue.waiting_max = 2);
    assert_eq!(bench.enter(1), "1 #1");
    assert_eq!(bench.enter(2), "2 #2");
    assert_eq!(bench.enter(3), "3 full");
    // Entering again begins anew, and takes no second place.
    assert_eq!(bench.enter(1), "1 #2");
    bench.leave(2, LeaveReason::Abandoned);
    assert_eq!(bench.enter(3), "3 #2");
    assert_eq!(bench.enter_with(4, |waiting| waiting.queue = Queue::new("nowhere")), {
        "4 unknown: there is no queue \"nowhere\"; configure it under [[queue]]"
    });
}

#[test]
fn positions_and_the_expected_wait_are_said_as_often_as_the_queue_says() {
    let mut bench = Bench::at_work(&["anna", "boris"], |queue| {
        queue.announce_every = SECOND * 15;
        queue.wrap_up = SECOND * 20;
    });
    // Five talks of 40 s and 20 s of wrap-up; with two operators one is free every 30 s.
    bench.order("boris", OperatorOrder::Pause(PauseReason::Supervisor));
    for _ in 0..5 {
        bench.enter(1);
        bench.answer(1, "anna");
        bench.pass(SECOND * 40);
        bench.talk_over(1);
        bench.pass(SECOND * 20);
    }
    bench.order("boris", OperatorOrder::Ready);
    for call in [2, 3] {
        bench.enter(call);
    }
    bench.answer(2, "boris");
    bench.answer(3, "anna");
    assert_eq!(bench.enter(4), "4 #1 in 30s");
    assert_eq!(bench.enter(5), "5 #2 in 60s");
    assert_eq!(bench.pass(SECOND * 16), "15s: 4 say #1 in 30s; 5 say #2 in 60s");
    assert_eq!(bench.machine.queues(bench.now).next().unwrap().expected_wait, Some(SECOND * 90));
    // With the script's own patience.
    assert_eq!(bench.enter_with(6, |waiting| waiting.wait_max = Some(SECOND * 7)), "6 #3 in 90s");
    bench.leave(4, LeaveReason::Script);
    bench.leave(5, LeaveReason::Script);
    assert_eq!(bench.pass(SECOND * 16), "7s: 6 timed out");
}
