//! What follows after each disposition.

use super::*;

/// One contact, whose first attempt ended so; and when it is dialled again within a week.
fn again_after(settings: CampaignSettings, disposition: Disposition) -> (Rig, Option<Duration>) {
    let mut rig = Rig::running(settings, 1, noon());
    rig.pass(SECOND * 2);
    let first = rig.dials[0].1.attempt.clone();
    let ended = rig.now;
    rig.end(&first, disposition);
    rig.pass(HOUR * 24 * 7);
    let again = rig.dials.get(1).map(|(when, _)| when.since(ended));
    (rig, again)
}

fn done(rig: &Rig, kind: &str) -> bool {
    matches!(rig.stored(0), ContactState::Done { disposition, .. } if Disposition::KINDS[usize::from(disposition)] == kind)
}

#[test]
fn busy_is_tried_again_by_its_rule_with_chance() {
    let mut waits = Vec::new();
    let mut rig = Rig::running(campaign(), 20, noon());
    rig.pass(SECOND * 4);
    let ended = rig.now;
    for attempt in rig.dials.iter().map(|(_, start)| start.attempt.clone()).collect::<Vec<_>>() {
        rig.end(&attempt, Disposition::Busy);
    }
    rig.pass(HOUR);
    waits.extend(rig.dials[20..].iter().map(|(when, _)| when.since(ended)));
    assert_eq!(waits.len(), 20);
    assert!(waits.iter().all(|wait| (MINUTE * 30..MINUTE * 41).contains(wait)), "{waits:?}");
    assert!(waits.iter().max().unwrap().abs_diff(*waits.iter().min().unwrap()) > MINUTE * 4, "{waits:?}");
}

#[test]
fn what_has_no_rule_is_the_end() {
    for disposition in [Disposition::NoSuchNumber, Disposition::Rejected, Disposition::Machine, Disposition::HungUp] {
        let kind = disposition.as_str();
        let (rig, again) = again_after(campaign(), disposition);
        assert_eq!(again, None);
        assert!(done(&rig, kind), "{kind}: {:?}", rig.stored(0));
        assert_eq!(rig.figures().run, RunState::Finished);
    }
}

#[test]
fn a_rule_is_for_so_many_in_a_row() {
    let mut settings = campaign();
    settings.retries.rules.get_mut("busy").unwrap().attempts_max = 1;
    let (rig, again) = again_after(settings, Disposition::Busy);
    assert!(again.is_some());
    let mut rig = rig;
    let second = rig.dials[1].1.attempt.clone();
    rig.end(&second, Disposition::Busy);
    rig.pass(HOUR * 48);
    assert_eq!(rig.dials.len(), 2);
    assert!(done(&rig, "busy"));
}

#[test]
fn whoever_asks_for_another_time_gets_it() {
    let wish = noon() + HOUR * 5;
    let (rig, again) = again_after(campaign(), Disposition::RetryAt(wish));
    assert!(again.is_some());
    assert!(rig.dials[1].0 >= wish && rig.dials[1].0 < wish + SECOND * 5);
}

#[test]
fn only_a_confirmation_is_enough_where_it_is_asked_for() {
    let mut settings = campaign();
    let rule = RetryRule { after: MINUTE * 5, jitter: Duration::ZERO, attempts_max: 9 };
    settings.retries.rules.insert("delivered", rule);
    let (_, again) = again_after(settings.clone(), Disposition::Delivered);
    assert_eq!(again, None);
    settings.confirm = true;
    let (_, again) = again_after(settings.clone(), Disposition::Delivered);
    assert!(again.is_some_and(|after| after < MINUTE * 6));
    let (_, again) = again_after(settings, Disposition::Confirmed(Arc::from("understood")));
    assert_eq!(again, None);
}

#[test]
fn do_not_call_is_heard_by_all_campaigns_of_the_agency() {
    let mut rig = Rig::running(campaign(), 1, noon());
    rig.pass(SECOND * 2);
    let mut other = CampaignSettings { name: Campaign::new("other"), ..campaign() };
    rig.add(other.clone(), vec![seed(0)]);
    other.name = Campaign::new("theirs");
    other.agency = Agency::new("rescue");
    rig.add(other, vec![seed(0)]);
    let first = rig.dials[0].1.attempt.clone();
    rig.end(&first, Disposition::DoNotCall);
    rig.end_all(&Disposition::Delivered, HOUR);
    let called: Vec<_> = rig.dials.iter().map(|(_, start)| start.attempt.campaign.as_str().to_owned()).collect();
    assert_eq!(called, ["tax", "theirs"]);
    assert_eq!(rig.opt_outs.len(), 1);
    assert_eq!(rig.opt_outs[0].0.scope, OptOutScope::Agency(Agency::new("revenue")));
    let other = rig.machine.figures(&Campaign::new("other"), rig.now).unwrap();
    assert_eq!((other.done, other.dispositions[21], other.attempts), (1, 1, 0));
}

#[test]
fn an_opt_out_between_the_claim_and_the_dial_is_heard() {
    let mut rig = Rig::running(campaign(), 1, noon());
    assert!(matches!(rig.stored(0), ContactState::Claimed { .. }));
    let opt_out = OptOut { number: seed(0).number, scope: OptOutScope::Global, protected: false };
    rig.feed(CampaignInput::OptedOut(opt_out.clone()));
    rig.pass(HOUR);
    assert_eq!(rig.dialled(), [0; 0]);
    assert!(done(&rig, "opted-out"));
    // Taken back, and a person says "once more".
    rig.feed(CampaignInput::OptedIn(opt_out));
    rig.machine.decide(&name(), ContactNo(0), ContactDecision::TryAgain, rig.now).unwrap();
    rig.drain();
    rig.pass(MINUTE);
    assert_eq!(rig.dialled(), [0]);
    assert_eq!(rig.opt_outs.iter().map(|(_, out)| *out).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn what_the_law_protects_counts_in_an_emergency_too() {
    let opt_out = |no, protected| OptOut { number: seed(no).number, scope: OptOutScope::Global, protected };
    for (over_opt_outs, called) in [(false, vec![2]), (true, vec![1, 2])] {
        let mut rig = Rig::new(shared(), noon());
        rig.feed(CampaignInput::OptOutsLoaded(vec![opt_out(0, true), opt_out(1, false)]));
        // Said again without protection: it stays.
        rig.feed(CampaignInput::OptedOut(opt_out(0, false)));
        rig.add(
            CampaignSettings { urgency: Urgency::Emergency { over_opt_outs }, ..campaign() },
            (0..3).map(seed).collect(),
        );
        rig.end_all(&Disposition::Delivered, MINUTE);
        let mut dialled = rig.dialled();
        dialled.sort_unstable();
        assert_eq!(dialled, called);
    }
}

#[test]
fn a_trunk_that_fails_for_an_hour_is_left_alone_and_nobody_is_lost() {
    let mut rig = Rig::running(campaign(), 30, noon());
    let repaired = noon() + HOUR;
    let (mut ended, mut failed) = (0, 0);
    while rig.figures().run == RunState::Running && rig.now < noon() + HOUR * 8 {
        rig.pass(SECOND);
        while ended < rig.dials.len() {
            let attempt = rig.dials[ended].1.attempt.clone();
            ended += 1;
            if rig.now < repaired {
                failed += 1;
                let end = AttemptEnd { status: Some(503), ..end(Disposition::Unavailable) };
                rig.feed(CampaignInput::Ended(attempt, end));
            } else {
                rig.end(&attempt, Disposition::Delivered);
            }
        }
    }
    // At first what was on; then after 10, 20, 40, 80, 160 and each 300 seconds one.
    assert!((15..=45).contains(&failed), "{failed}");
    assert_eq!((rig.figures().done, rig.figures().attempts), (30, 30), "what the trunk failed does not count");
}

#[test]
fn a_trunk_that_rests_says_so() {
    let mut rig = Rig::running(campaign(), 30, noon());
    rig.pass(SECOND * 2);
    let first = rig.dials[0].1.attempt.clone();
    rig.feed(CampaignInput::Ended(first, end(Disposition::Unavailable)));
    assert_eq!(rig.why(), Some(WhyIdle::TrunkResting { until: rig.now + SECOND * 10 }));
    let before = rig.dials.len();
    rig.pass(SECOND * 9);
    assert_eq!(rig.dials.len(), before);
}

#[test]
fn a_script_that_fails_for_one_contact_fails_for_one() {
    let mut rig = Rig::new(shared(), noon());
    rig.plan =
        Box::new(|attempt| Some(if attempt.contact.0 == 3 { Err(PrepareFailure::Script) } else { Ok(Plan::Dial) }));
    rig.add(campaign(), (0..20).map(seed).collect());
    rig.end_all(&Disposition::Delivered, MINUTE);
    for _ in 0..24 * 7 {
        rig.pass(HOUR);
    }
    assert!(!rig.dialled().contains(&3));
    let figures = rig.figures();
    assert_eq!((figures.run, figures.done, figures.dispositions[19]), (RunState::Finished, 20, 1));
    assert_eq!(figures.attempts, 19, "nobody was rung for it");
}

#[test]
fn a_script_that_always_fails_holds_the_campaign() {
    let mut rig = Rig::new(shared(), noon());
    rig.plan = Box::new(|_| Some(Err(PrepareFailure::Script)));
    rig.add(campaign(), (0..20).map(seed).collect());
    rig.pass(MINUTE);
    let (_, run, reason) = rig.runs.last().unwrap();
    assert_eq!(*run, RunState::Paused);
    assert!(reason.as_ref().unwrap().contains("5 contacts in a row"), "{reason:?}");
    assert_eq!(rig.why(), Some(WhyIdle::Paused));
    rig.plan = Box::new(|_| Some(Ok(Plan::Dial)));
    rig.machine.order(&name(), CampaignOrder::Resume, rig.now).unwrap();
    rig.drain();
    rig.pass(HOUR);
    assert!(!rig.dials.is_empty());
}

#[test]
fn a_script_that_fails_on_calls_holds_the_campaign() {
    let mut rig = Rig::running(campaign(), 20, noon());
    let mut ended = 0;
    while rig.figures().run == RunState::Running {
        rig.pass(SECOND);
        while ended < rig.dials.len() {
            let attempt = rig.dials[ended].1.attempt.clone();
            ended += 1;
            rig.end(&attempt, Disposition::ScriptFailed);
        }
    }
    assert_eq!(rig.figures().run, RunState::Paused);
}

#[test]
fn without_a_script_it_waits_for_one() {
    let mut rig = Rig::new(shared(), noon());
    rig.plan = Box::new(|_| Some(Err(PrepareFailure::NoScript)));
    rig.add(campaign(), (0..3).map(seed).collect());
    rig.pass(MINUTE);
    let (_, run, reason) = rig.runs.last().unwrap();
    assert_eq!(*run, RunState::Paused);
    assert!(reason.as_ref().unwrap().contains("deploy one"), "{reason:?}");
    assert_eq!(rig.figures().waiting, 3);
}

#[test]
fn a_script_may_skip_and_put_off() {
    let mut rig = Rig::new(shared(), noon());
    let later = noon() + HOUR * 2;
    rig.plan = Box::new(move |attempt| {
        Some(Ok(match attempt.contact.0 {
            0 => Plan::Skip(Arc::from("has paid")),
            1 if attempt.nth == 1 => Plan::NotBefore(later),
            _ => Plan::Dial,
        }))
    });
    rig.add(campaign(), (0..2).map(seed).collect());
    rig.pass(HOUR);
    assert!(done(&rig, "skipped"));
    assert_eq!(rig.stored(1), ContactState::Waiting { not_before: Some(later) });
    assert_eq!(rig.why(), Some(WhyIdle::NothingDue { at: Some(later) }));
}
