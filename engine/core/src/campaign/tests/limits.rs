//! How fast, how many at once, how often.

use super::*;

fn named(name: &str) -> CampaignSettings {
    CampaignSettings { name: Campaign::new(name), ..campaign() }
}

fn seeds(from: u32, count: u32) -> Vec<ContactSeed> {
    (0..count).map(|no| ContactSeed { number: NumberKey(u128::from(from + no)), ..seed(no) }).collect()
}

fn of(rig: &Rig, name: &str) -> usize {
    rig.dials.iter().filter(|(_, start)| start.attempt.campaign.as_str() == name).count()
}

/// Ends whatever is on, as often as the rig is looked at.
fn run(rig: &mut Rig, span: Duration) {
    let end = rig.now + span;
    let mut ended = rig.attempts.values().filter(|record| record.ended.is_some()).count();
    while rig.now < end {
        rig.pass(Duration::from_millis(100));
        while ended < rig.dials.len() {
            let attempt = rig.dials[ended].1.attempt.clone();
            ended += 1;
            rig.end(&attempt, Disposition::Delivered);
        }
    }
}

fn most_in_a_second(rig: &Rig) -> usize {
    let dials: Vec<_> = rig.dials.iter().map(|(when, _)| *when).collect();
    let until = |from: usize| dials[from..].iter().take_while(|when| when.since(dials[from]) < SECOND).count();
    (0..dials.len()).map(until).max().unwrap_or(0)
}

#[test]
fn no_second_sees_more_than_the_pace() {
    let mut rig = Rig::running(campaign(), 300, noon());
    run(&mut rig, SECOND * 20);
    assert_eq!(most_in_a_second(&rig), 10);
    assert!(rig.dials.len() >= 175, "{}", rig.dials.len());
}

#[test]
fn campaigns_of_one_priority_share_a_trunk_fairly_and_it_holds() {
    let mut shared = shared();
    shared.trunks.get_mut(&trunk()).unwrap().calls_per_s_max = 8;
    let mut rig = Rig::new(shared, noon());
    rig.add(named("one"), seeds(0, 200));
    rig.add(named("two"), seeds(1_000, 200));
    run(&mut rig, SECOND * 20);
    assert_eq!(most_in_a_second(&rig), 8);
    let (one, two) = (of(&rig, "one"), of(&rig, "two"));
    assert!(one + two > 140 && one.abs_diff(two) <= 8, "{one} and {two}");
}

#[test]
fn the_engines_own_limit_holds_over_all_trunks() {
    let mut shared = shared();
    let share = shared.trunks[&trunk()];
    shared.trunks.insert(Trunk::new("other"), share);
    shared.calls_per_s_max = 5;
    let mut rig = Rig::new(shared, noon());
    rig.add(named("one"), seeds(0, 100));
    rig.add(CampaignSettings { trunk: Trunk::new("other"), ..named("two") }, seeds(1_000, 100));
    run(&mut rig, SECOND * 10);
    assert_eq!(most_in_a_second(&rig), 5);
}

#[test]
fn the_lower_priority_waits() {
    let mut shared = shared();
    shared.trunks.get_mut(&trunk()).unwrap().calls_per_s_max = 5;
    let mut rig = Rig::new(shared, noon());
    rig.add(CampaignSettings { priority: 9, ..named("low") }, seeds(0, 200));
    rig.add(CampaignSettings { priority: 1, ..named("high") }, seeds(1_000, 50));
    run(&mut rig, SECOND * 8);
    let (low, high) = (of(&rig, "low"), of(&rig, "high"));
    assert!(high >= 30 && low <= 3, "{low} and {high}");
    run(&mut rig, SECOND * 30);
    assert_eq!(of(&rig, "high"), 50);
    assert!(of(&rig, "low") > 60, "then its turn has come");
}

#[test]
fn an_emergency_overtakes_everybody() {
    let mut shared = shared();
    shared.trunks.get_mut(&trunk()).unwrap().calls_per_s_max = 5;
    let mut rig = Rig::new(shared, noon());
    rig.add(CampaignSettings { priority: 0, ..named("tax") }, seeds(0, 300));
    run(&mut rig, SECOND * 5);
    let before = of(&rig, "tax");
    let urgency = Urgency::Emergency { over_opt_outs: false };
    rig.add(CampaignSettings { urgency, priority: 9, ..named("flood") }, seeds(1_000, 40));
    run(&mut rig, SECOND * 8);
    assert!(of(&rig, "flood") >= 34, "{}", of(&rig, "flood"));
    assert!(of(&rig, "tax") - before <= 3);
}

#[test]
fn calls_at_once_are_limited() {
    let mut settings = campaign();
    settings.pace.calls_max = 3;
    let mut rig = Rig::running(settings, 10, noon());
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), 3);
    assert_eq!(rig.why(), Some(WhyIdle::CallsMax));
    let first = rig.dials[0].1.attempt.clone();
    rig.end(&first, Disposition::Delivered);
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), 4);
}

#[test]
fn inbound_calls_come_first() {
    let mut rig = Rig::running(campaign(), 50, noon());
    rig.pass(SECOND * 2);
    let load = |inbound_calls, closed| CampaignInput::Load(Load { inbound_calls, closed, queues: Vec::new() });
    rig.feed(load(71, false));
    let before = rig.dials.len();
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), before);
    assert_eq!(rig.why(), Some(WhyIdle::InboundBusy { calls: 71, calls_max: 70 }));
    let claimed = rig.contacts.values().filter(|(state, _)| matches!(state, ContactState::Claimed { .. }));
    assert_eq!(claimed.count(), before, "nobody stays claimed meanwhile but those who are in a call");
    rig.feed(load(0, true));
    rig.pass(MINUTE);
    assert_eq!((rig.dials.len(), rig.why()), (before, Some(WhyIdle::EngineClosed)));
    rig.feed(load(70, false));
    rig.pass(SECOND * 2);
    assert!(rig.dials.len() > before);
}

#[test]
fn a_number_is_in_one_call_over_all_campaigns() {
    let mut rig = Rig::new(shared(), noon());
    rig.add(named("one"), seeds(0, 1));
    rig.add(named("two"), seeds(0, 1));
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), 1);
    let first = rig.dials[0].1.attempt.clone();
    rig.end(&first, Disposition::Delivered);
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), 2);
}

#[test]
fn attempts_are_limited_by_the_contacts_own_day_and_in_all() {
    let mut settings = campaign();
    settings.retries.rules.get_mut("busy").unwrap().attempts_max = 9;
    let mut rig = Rig::running(settings, 1, at("2026-05-05T20:00:00+06:00"));
    let mut days = Vec::new();
    let mut ended = 0;
    for _ in 0..24 * 4 * 6 {
        rig.pass(MINUTE * 15);
        while ended < rig.dials.len() {
            let (when, start) = rig.dials[ended].clone();
            days.push(when);
            ended += 1;
            rig.end(&start.attempt, Disposition::Busy);
        }
    }
    let day = |when: Timestamp| when.since(at("2026-05-05T00:00:00+06:00")).as_secs() / 86_400;
    assert_eq!(days.into_iter().map(day).collect::<Vec<_>>(), [0, 0, 1, 1], "two a day, four in all");
    assert_eq!(rig.figures().run, RunState::Finished);
    assert!(matches!(rig.stored(0), ContactState::Done { disposition: 12, .. }));
}

#[test]
fn a_number_has_a_limit_by_day_over_all_campaigns() {
    let mut shared = shared();
    shared.attempts_per_number_per_day_max = 1;
    let mut rig = Rig::new(shared.clone(), noon());
    rig.add(named("one"), seeds(0, 1));
    rig.add(named("two"), seeds(0, 1));
    run(&mut rig, MINUTE * 3);
    assert_eq!(rig.dials.len(), 1);
    // A restart does not forget the day.
    let mut again = Rig::new(shared, rig.now);
    let load = |name: &str| {
        let (state, spent) =
            rig.contacts.get(&(Campaign::new(name), 0)).copied().unwrap_or((seed(0).state, Spent::default()));
        vec![ContactSeed { state, spent, number: NumberKey(0), ..seed(0) }]
    };
    again.add(named("one"), load("one"));
    again.add(named("two"), load("two"));
    again.pass(HOUR * 5);
    assert_eq!(again.dials.len(), 0);
    again.pass(HOUR * 24);
    assert_eq!(again.dials.len(), 1, "tomorrow");
}
