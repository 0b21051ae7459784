//! Figures, the estimate of the end, the dry run.

use super::*;

#[test]
fn the_estimate_of_the_end_knows_the_pace_and_the_night() {
    let mut settings = campaign();
    settings.pace = Pace { calls_per_s_max: 1, calls_max: 100 };
    settings.retries.rules.clear();
    let rig = Rig::running(settings.clone(), 3_000, noon());
    let ends = rig.figures().ends_at.unwrap();
    let expected = noon() + SECOND * 3_157;
    assert!(ends.since(expected).max(expected.since(ends)) < MINUTE * 16, "{ends:?}, not {expected:?}");
    // The same list in the evening is done tomorrow.
    let rig = Rig::running(settings, 3_000, at("2026-05-05T20:45:00+06:00"));
    let ends = rig.figures().ends_at.unwrap();
    let morning = at("2026-05-06T09:00:00+06:00");
    assert!(ends > morning && ends < morning + HOUR, "{ends:?}");
}

#[test]
fn a_dry_run_says_what_would_happen_when() {
    let mut machine = CampaignMachine::new(Arc::new(shared()), 1, noon());
    let opt_out = OptOut { number: seed(0).number, scope: OptOutScope::Global, protected: false };
    machine.handle(CampaignInput::OptOutsLoaded(vec![opt_out]), noon());
    let mut settings = campaign();
    settings.pace = Pace { calls_per_s_max: 1, calls_max: 50 };
    let mut seeds: Vec<_> = (0..5_000).map(seed).collect();
    seeds[1].state = ContactState::Done { disposition: 0, at: noon() };
    seeds[2].state = ContactState::Unknown { since: noon() };
    seeds[3].zone = ZoneNo(50);
    seeds[4].window = Some(9);
    seeds[5].spent.attempts = 4;
    for seed in &mut seeds[2_000..3_000] {
        seed.zone = ZoneNo(1);
    }
    let night = at("2026-05-05T03:10:00+06:00");
    let forecast = machine.plan(&settings, seeds, ForecastAssumptions::default(), night);
    assert_eq!((forecast.contacts, forecast.called), (5_000, 4_994), "{:?}", forecast.never);
    let never: Vec<_> = forecast.never.iter().map(|(why, count)| (why.as_str(), *count)).collect();
    let expected = ["done", "unknown", "opted-out", "no-attempts-left", "unknown-zone", "no-window"];
    assert_eq!(never, expected.map(|why| (why, 1)));
    assert_eq!(forecast.first, Some(at("2026-05-05T09:00:00+06:00")));
    assert!(forecast.hours.iter().all(|hour| hour.first_calls + hour.again <= 3_600));
    let first: u64 = forecast.hours.iter().map(|hour| hour.first_calls).sum();
    // Each hour is rounded by itself.
    assert!(first.abs_diff(4_994) <= forecast.hours.len() as u64, "{first}");
    let again: u64 = forecast.hours.iter().map(|hour| hour.again).sum();
    assert!((1_500..=4_500).contains(&again), "{again}");
    assert!(forecast.everybody_tried <= forecast.last && forecast.last < Some(at("2026-05-07T00:00:00+06:00")));
    // What is forecast for nobody's hours is nothing.
    let open = at("2026-05-05T09:00:00+06:00");
    assert!(forecast.hours.iter().all(|hour| hour.begins >= open));
}

#[test]
fn what_the_dry_run_says_comes_about() {
    let mut settings = campaign();
    settings.retries.rules.clear();
    settings.pace = Pace { calls_per_s_max: 2, calls_max: 100 };
    let seeds: Vec<_> = (0..2_000).map(|no| ContactSeed { zone: ZoneNo(u16::from(no % 2 == 1)), ..seed(no) }).collect();
    let begin = at("2026-05-05T08:00:00+06:00");
    let mut rig = Rig::new(shared(), begin);
    rig.add(settings, seeds);
    let forecast = rig.machine.forecast(&name(), ForecastAssumptions::default(), begin).unwrap();
    rig.end_all(&Disposition::Delivered, MINUTE);
    while rig.figures().run == RunState::Running {
        rig.pass(MINUTE);
        rig.end_all(&Disposition::Delivered, SECOND);
    }
    let (first, last) = (rig.dials[0].0, rig.dials.last().unwrap().0);
    assert!(first.since(forecast.first.unwrap()) < SECOND * 5);
    let said = forecast.last.unwrap();
    assert!(last.since(said).max(said.since(last)) < MINUTE * 20, "{last:?}, and {said:?} was said");
}

#[test]
fn a_contact_is_shown_as_it_stands() {
    let mut rig = Rig::running(campaign(), 2, noon());
    rig.pass(SECOND * 2);
    let (call, attempt) = (rig.dials[0].1.call, rig.dials[0].1.attempt.clone());
    let view = |rig: &Rig| rig.machine.contact(&name(), attempt.contact).unwrap();
    assert_eq!(view(&rig).stage, ContactStage::Ringing(call));
    assert_eq!(view(&rig).seed.state, ContactState::Claimed { call });
    rig.feed(CampaignInput::Answered(attempt.clone()));
    assert_eq!(view(&rig).stage, ContactStage::Answered(call));
    rig.end(&attempt, Disposition::Busy);
    assert_eq!(view(&rig).stage, ContactStage::Standing);
    assert_eq!(
        view(&rig).seed.spent,
        Spent { attempts: 1, today: 1, day: 20_578, last: Some(12), in_a_row: 1, claims: 1 }
    );
    assert!(rig.machine.contact(&name(), ContactNo(9)).is_none());
}

/// `cargo test -p gudok-core -- --nocapture a_million` says what the kernel counts, too; other tests run beside it.
#[test]
fn a_million_contacts_cost_few_bytes_and_little_time() {
    const CONTACTS: u32 = 1_000_000;
    let resident_kb = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = resident_kb();
    let mut rig = Rig::new(shared(), noon());
    rig.feed(CampaignInput::Put(Arc::new(campaign()), RunState::Running));
    for from in (0..CONTACTS).step_by(5_000) {
        rig.feed(CampaignInput::Loaded(name(), (from..from + 5_000).map(seed).collect()));
    }
    let resident = resident_kb().saturating_sub(before) * 1_024 / u64::from(CONTACTS);
    let counted = rig.machine.contacts_bytes() / usize::try_from(CONTACTS).unwrap();
    #[expect(clippy::print_stderr, reason = "what it is for")]
    {
        eprintln!("{resident} bytes a contact by the kernel's count, {counted} by ours");
    }
    assert!(counted <= 96, "{counted}");
}
