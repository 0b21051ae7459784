//! From draft to finished.

use super::*;

#[test]
fn everybody_is_called_once_and_the_report_sums_up() {
    let mut rig = Rig::running(campaign(), 50, noon());
    rig.end_all(&Disposition::Delivered, MINUTE);
    let mut dialled = rig.dialled();
    dialled.sort_unstable();
    assert_eq!(dialled, (0..50).collect::<Vec<_>>());
    let figures = rig.figures();
    assert_eq!((figures.run, figures.done, figures.attempts), (RunState::Finished, 50, 50));
    assert_eq!(figures.dispositions[0], 50);
    assert_eq!(figures.why_idle, Some(WhyIdle::Finished));
    assert!(rig.attempts.values().all(|record| record.ended.is_some() && record.dialled.is_some()));
    assert_eq!(rig.runs.last().unwrap().1, RunState::Finished);
}

fn order(rig: &mut Rig, order: CampaignOrder) -> Result<(), CampaignRefusal> {
    let result = rig.machine.order(&name(), order, rig.now);
    rig.drain();
    result
}

#[test]
fn orders_come_in_their_order() {
    use CampaignOrder::{Pause, Resume, Start, Stop};
    let mut rig = Rig::new(shared(), noon());
    assert!(matches!(order(&mut rig, Start), Err(CampaignRefusal::Unknown(_))));
    rig.feed(CampaignInput::Put(Arc::new(campaign()), RunState::Draft));
    rig.feed(CampaignInput::Ready(name()));
    assert_eq!(order(&mut rig, Start), Err(CampaignRefusal::Empty));
    rig.feed(CampaignInput::Loaded(name(), (0..30).map(seed).collect()));
    rig.pass(MINUTE);
    assert_eq!((rig.dials.len(), rig.why()), (0, Some(WhyIdle::Draft)));
    let refused = CampaignRefusal::WrongState { state: "draft", order: "pause" };
    assert_eq!(order(&mut rig, Pause), Err(refused));
    order(&mut rig, Start).unwrap();
    rig.pass(SECOND * 2);
    order(&mut rig, Pause).unwrap();
    let before = rig.dials.len();
    assert!(before > 0);
    rig.pass(HOUR);
    assert_eq!(rig.dials.len(), before);
    order(&mut rig, Resume).unwrap();
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), 20, "calls that were on count");
    order(&mut rig, Stop).unwrap();
    assert!(matches!(order(&mut rig, Resume), Err(CampaignRefusal::WrongState { .. })));
    let states: Vec<_> = rig.runs.iter().map(|(_, state, _)| *state).collect();
    assert_eq!(states, [RunState::Running, RunState::Paused, RunState::Running, RunState::Stopped]);
    for attempt in rig.dials.iter().map(|(_, start)| start.attempt.clone()).collect::<Vec<_>>() {
        rig.end(&attempt, Disposition::Delivered);
    }
    assert_eq!(rig.figures().done, 20, "how they ended is kept");
}

#[test]
fn a_deadline_ends_it_and_a_later_one_revives_it() {
    let mut settings = CampaignSettings { deadline: Some(noon() + MINUTE), ..campaign() };
    settings.pace = Pace { calls_per_s_max: 1, calls_max: 5 };
    let mut rig = Rig::running(settings.clone(), 10, noon());
    rig.pass(MINUTE * 10);
    assert_eq!((rig.dials.len(), rig.figures().run), (5, RunState::Finished));
    assert_eq!(rig.figures().reason.as_deref(), Some("its deadline has passed"));
    for attempt in rig.dials.iter().map(|(_, start)| start.attempt.clone()).collect::<Vec<_>>() {
        rig.end(&attempt, Disposition::Delivered);
    }
    rig.pass(MINUTE);
    assert_eq!((rig.dials.len(), rig.figures().waiting), (5, 5));
    settings.deadline = Some(rig.now + HOUR);
    rig.feed(CampaignInput::Put(Arc::new(settings), RunState::Finished));
    rig.end_all(&Disposition::Delivered, MINUTE);
    assert_eq!(rig.figures().done, 10);
}

#[test]
fn it_begins_at_its_time() {
    let starts = noon() + HOUR;
    let mut rig = Rig::running(CampaignSettings { starts: Some(starts), ..campaign() }, 3, noon());
    rig.pass(MINUTE * 59);
    assert_eq!((rig.dials.len(), rig.why()), (0, Some(WhyIdle::NotBefore(starts))));
    rig.pass(MINUTE * 2);
    assert_eq!(rig.dials.len(), 3);
}

#[test]
fn more_contacts_set_it_running_again() {
    let mut rig = Rig::running(campaign(), 3, noon());
    rig.end_all(&Disposition::Delivered, MINUTE);
    assert_eq!(rig.figures().run, RunState::Finished);
    rig.feed(CampaignInput::Loaded(name(), (2..6).map(seed).collect()));
    rig.end_all(&Disposition::Delivered, MINUTE);
    assert_eq!(rig.dialled(), [0, 1, 2, 3, 4, 5], "a place that is known is ignored");
    assert_eq!(rig.figures().run, RunState::Finished);
}

#[test]
fn an_edit_counts_for_whoever_is_not_claimed() {
    let mut rig = Rig::running(campaign(), 100, noon());
    rig.pass(SECOND * 2);
    let mut settings = campaign();
    settings.pace = Pace { calls_per_s_max: 1, calls_max: 100 };
    settings.window = window(14, 15);
    settings.ring_max = SECOND * 7;
    rig.feed(CampaignInput::Put(Arc::new(settings), RunState::Draft));
    assert_eq!(rig.figures().run, RunState::Running, "a known campaign keeps its state");
    let before = rig.dials.len();
    rig.pass(HOUR);
    assert_eq!(rig.dials.len(), before, "the window is another now");
    rig.pass(HOUR + SECOND * 30);
    let late = &rig.dials[before..];
    assert!((25..=31).contains(&late.len()), "{}", late.len());
    assert!(late.iter().all(|(when, start)| *when >= noon() + HOUR * 2 && start.ring_max == SECOND * 7));
}

#[test]
fn a_removed_campaign_saves_nothing_and_its_calls_count_until_they_end() {
    let mut shared = shared();
    shared.calls_max = 3;
    let mut rig = Rig::new(shared, noon());
    rig.add(campaign(), (0..10).map(seed).collect());
    rig.pass(SECOND * 5);
    assert_eq!(rig.dials.len(), 3);
    rig.feed(CampaignInput::Removed(name()));
    let kept = rig.contacts.len();
    // Another of the same name, with the same numbers.
    rig.add(campaign(), (0..10).map(seed).collect());
    rig.pass(MINUTE);
    assert_eq!((rig.dials.len(), rig.why()), (3, Some(WhyIdle::EngineCallsMax)));
    for attempt in rig.dials.iter().map(|(_, start)| start.attempt.clone()).collect::<Vec<_>>() {
        rig.end(&attempt, Disposition::Delivered);
    }
    assert_eq!(rig.contacts.len(), kept);
    rig.pass(MINUTE);
    assert_eq!((rig.dials.len(), rig.figures().done), (6, 0));
}

#[test]
fn a_person_takes_somebody_off_the_list() {
    let mut rig = Rig::running(campaign(), 20, noon());
    rig.pass(SECOND);
    let cancel = |rig: &mut Rig, no| {
        let result = rig.machine.decide(&name(), ContactNo(no), ContactDecision::Cancel, rig.now);
        rig.drain();
        result
    };
    for no in 0..20 {
        cancel(&mut rig, no).unwrap();
    }
    assert!(matches!(cancel(&mut rig, 77), Err(CampaignRefusal::NoContact(_))));
    let on = rig.dials.len();
    for attempt in rig.dials.iter().map(|(_, start)| start.attempt.clone()).collect::<Vec<_>>() {
        rig.end(&attempt, Disposition::Busy);
    }
    rig.pass(HOUR * 48);
    assert_eq!(rig.dials.len(), on, "nobody is dialled any more");
    let figures = rig.figures();
    assert_eq!((figures.run, figures.done), (RunState::Finished, 20));
    assert_eq!(figures.dispositions[23] + figures.dispositions[12], 20);
}

#[test]
fn tried_before_come_first_and_in_an_emergency_last() {
    for (urgency, first) in [(Urgency::Ordinary, 7), (Urgency::Emergency { over_opt_outs: false }, 0)] {
        let mut seeds: Vec<_> = (0..8).map(seed).collect();
        seeds[7].spent = Spent { attempts: 1, claims: 1, last: Some(12), in_a_row: 1, ..Spent::default() };
        let mut rig = Rig::new(shared(), noon());
        rig.add(CampaignSettings { urgency, ..campaign() }, seeds);
        rig.pass(SECOND * 5);
        assert_eq!(rig.dialled()[0], first);
    }
}

#[test]
fn a_million_opt_outs_do_not_stop_the_engine() {
    let mut rig = Rig::new(shared(), noon());
    let count = 5_000;
    let opt_out = |no| OptOut { number: seed(no).number, scope: OptOutScope::Global, protected: false };
    rig.feed(CampaignInput::OptOutsLoaded((0..count).map(opt_out).collect()));
    rig.feed(CampaignInput::Put(Arc::new(campaign()), RunState::Running));
    rig.feed(CampaignInput::Loaded(name(), (0..count + 5).map(seed).collect()));
    rig.machine.handle(CampaignInput::Ready(name()), rig.now);
    let mut said = 0;
    while rig.machine.poll_command().is_some() {
        said += 1;
    }
    assert!((500..1_100).contains(&said), "one step does {said} things");
    assert_eq!(rig.machine.deadline(), Some(rig.now), "and wants to go on at once");
}

#[test]
fn ids_of_calls_differ() {
    let mut rig = Rig::running(campaign(), 200, noon());
    rig.end_all(&Disposition::Delivered, MINUTE);
    let ids: std::collections::BTreeSet<crate::ids::CallId> = rig.dials.iter().map(|(_, start)| start.call).collect();
    assert_eq!(ids.len(), 200);
}
