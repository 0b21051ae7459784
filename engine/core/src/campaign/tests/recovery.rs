//! What a crash or a store that fails leaves.

use super::*;

fn cut_off(no: u32) -> ContactSeed {
    let spent = Spent { claims: 3, attempts: 1, ..Spent::default() };
    ContactSeed { state: ContactState::Claimed { call: crate::ids::CallId::from_random(9) }, spent, ..seed(no) }
}

fn restarted(rule: UnknownRule) -> Rig {
    let mut rig = Rig::new(shared(), noon());
    rig.add(CampaignSettings { unknown: rule, ..campaign() }, vec![cut_off(0)]);
    rig
}

#[test]
fn an_attempt_that_was_cut_off_is_asked_about_and_never_dialled_by_itself() {
    let mut rig = restarted(UnknownRule::Ask);
    rig.pass(HOUR * 24 * 3);
    assert_eq!(rig.dialled(), [0; 0]);
    assert_eq!(rig.stored(0), ContactState::Unknown { since: noon() });
    let record = rig.attempts.values().next().unwrap();
    assert_eq!((record.attempt.nth, record.end.as_ref().unwrap().disposition.clone()), (3, Disposition::Unknown));
    assert_eq!((rig.why(), rig.figures().run), (Some(WhyIdle::PeopleDecide), RunState::Running));
    rig.machine.decide(&name(), ContactNo(0), ContactDecision::TryAgain, rig.now).unwrap();
    rig.drain();
    rig.pass(HOUR * 24);
    assert_eq!(rig.dials[0].1.attempt.nth, 4, "its claim is another");
}

#[test]
fn a_person_takes_it_for_made() {
    let mut rig = restarted(UnknownRule::Ask);
    rig.machine.decide(&name(), ContactNo(0), ContactDecision::TakeForMade, rig.now).unwrap();
    rig.drain();
    assert_eq!(rig.figures().run, RunState::Finished);
    let again = rig.machine.decide(&name(), ContactNo(0), ContactDecision::TakeForMade, rig.now);
    assert_eq!(again, Err(CampaignRefusal::WrongContact("done")));
}

#[test]
fn a_rule_takes_it_for_made() {
    let mut rig = restarted(UnknownRule::TakeForMade);
    rig.pass(HOUR * 24);
    assert_eq!(rig.dialled(), [0; 0]);
    assert!(matches!(rig.stored(0), ContactState::Done { disposition: 20, .. }));
}

#[test]
fn a_rule_takes_it_for_unanswered_and_spaces_it() {
    let mut rig = restarted(UnknownRule::TakeForUnanswered);
    rig.pass(MINUTE * 29);
    assert_eq!(rig.dialled(), [0; 0]);
    rig.pass(MINUTE * 20);
    assert_eq!(rig.dialled(), [0]);
    assert_eq!(rig.figures().attempts, 2, "what was cut off counts");
}

#[test]
fn nobody_is_dialled_before_the_claim_is_durable() {
    let mut rig = Rig::new(shared(), noon());
    rig.store_works = false;
    rig.add(campaign(), (0..5).map(seed).collect());
    rig.pass(MINUTE);
    assert_eq!(rig.dialled(), [0; 0]);
    assert!(rig.failed_saves > 10, "they are tried again");
    assert_eq!(rig.why(), Some(WhyIdle::StoreFails));
    rig.store_works = true;
    rig.pass(SECOND * 10);
    let mut dialled = rig.dialled();
    dialled.sort_unstable();
    assert_eq!(dialled, [0, 1, 2, 3, 4]);
    assert!(rig.dials.iter().all(|(_, start)| start.attempt.nth == 1));
}

#[test]
fn a_claim_that_may_have_been_written_is_taken_back_in_writing() {
    let mut rig = Rig::new(shared(), noon());
    rig.store_works = false;
    rig.add(campaign(), vec![seed(0)]);
    rig.machine.order(&name(), CampaignOrder::Pause, rig.now).unwrap();
    rig.drain();
    rig.store_works = true;
    rig.pass(MINUTE);
    assert_eq!(rig.dialled(), [0; 0]);
    assert_eq!(rig.stored(0), ContactState::Waiting { not_before: None });
}

#[test]
fn how_a_call_ended_is_written_down_until_it_is_durable() {
    let mut rig = Rig::running(campaign(), 1, noon());
    rig.pass(SECOND * 2);
    rig.store_works = false;
    let attempt = rig.dials[0].1.attempt.clone();
    rig.end(&attempt, Disposition::Busy);
    rig.pass(HOUR * 2);
    assert_eq!(rig.dials.len(), 1, "not again before it is durable");
    rig.store_works = true;
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), 2);
    assert!(rig.attempts[&attempt].ended.is_some());
}

#[test]
fn nothing_is_dialled_before_everything_is_loaded() {
    let mut rig = Rig::new(shared(), noon());
    rig.feed(CampaignInput::Put(Arc::new(campaign()), RunState::Running));
    rig.feed(CampaignInput::Loaded(name(), (0..5).map(seed).collect()));
    rig.pass(HOUR);
    assert_eq!((rig.dials.len(), rig.why()), (0, Some(WhyIdle::Loading)));
    rig.feed(CampaignInput::Ready(name()));
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), 5);
}
