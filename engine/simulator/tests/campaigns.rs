//! Campaigns in a world of their own, and everything that goes wrong with them. Worlds with trouble run under 1,000 seeds (or
//! as many as `GUDOK_SEEDS` says) with the checkers on at every step.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use gudok_core::campaign::{
    CallWindow, CampaignMode, CampaignOrder, CampaignSettings, CampaignsSettings, OptOutScope, Pace, RunState,
    TrunkShare, UnknownRule, Urgency,
};
use gudok_core::ids::{Agency, Campaign, Queue, Trunk};
use gudok_core::time::Timestamp;
use gudok_simulator::Dice;
use gudok_simulator::campaigns::{
    Callees, CampaignTrouble, CampaignWorld, CampaignsReport, Incident, SimCampaign, opt_out, samples,
};
use std::sync::Arc;
use std::time::Duration;

const SEEDS: u64 = 1_000;
const HOUR: Duration = Duration::from_hours(1);
/// Tuesday, 5 May 2026, midnight UTC.
const MIDNIGHT: Timestamp = Timestamp::from_millis(1_777_939_200_000);

fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("GUDOK_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS)
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn trunk() -> Trunk {
    Trunk::new(samples::TRUNK)
}

fn utc() -> Arc<CampaignsSettings> {
    Arc::new(samples::shared(&["Etc/UTC"]))
}

#[track_caller]
fn check(report: &CampaignsReport) -> &CampaignsReport {
    report.verdict().unwrap_or_else(|failure| panic!("{failure}"))
}

/// A campaign whose contacts all answer and confirm, and have no windows of their own.
fn willing(mut settings: CampaignSettings, contacts: u32) -> SimCampaign {
    settings.windows.clear();
    SimCampaign::new(Arc::new(settings), contacts).callees(Callees::WILLING)
}

#[test]
fn twenty_thousand_contacts_over_eleven_zones() {
    let shared = Arc::new(samples::shared(&samples::ELEVEN_ZONES));
    let report = CampaignWorld::new(1, shared)
        .campaign(SimCampaign::new(Arc::new(samples::campaign("reminder")), 15_000))
        .campaign(SimCampaign::new(Arc::new(samples::campaign("notice")), 5_000).numbers_from(12_000))
        .happens(HOUR * 5, Incident::TrunkFails(trunk(), HOUR))
        .happens(HOUR * 8, Incident::Dies(s(5)))
        .quiet()
        .run();
    check(&report);
    for (name, contacts) in [("reminder", 15_000), ("notice", 5_000)] {
        let figures = report.campaign(name).unwrap().figures.as_ref().unwrap();
        assert_eq!(figures.contacts, contacts, "{report}");
        assert!(figures.done * 100 > contacts * 95, "{report}");
        assert_eq!(figures.dispositions.iter().sum::<u64>(), figures.done, "{report}");
    }
}

/// Every contact of a list is called at the list's full pace, and not above.
#[test]
fn the_pace_is_kept_and_used() {
    for per_second in [1, 2, 7, 50] {
        let mut settings = samples::campaign("reminder");
        settings.pace = Pace { calls_per_s_max: per_second, calls_max: 10_000 };
        let contacts = per_second * 300;
        let report = CampaignWorld::new(5, utc()).campaign(willing(settings, contacts)).quiet().run();
        let outcome = check(&report).campaign("reminder").unwrap();
        assert_eq!((outcome.run, outcome.line.per_second_peak), (RunState::Finished, per_second), "{report}");
        let (first, last) = outcome.between.unwrap();
        let lasted = last.checked_sub(first).unwrap();
        // Five minutes' work, and what the guard between two calls takes.
        assert!(lasted >= s(298) && lasted < s(345), "{per_second}/s: {lasted:?}");
    }
}

#[test]
fn calls_at_once_are_capped() {
    let mut settings = samples::campaign("reminder");
    settings.pace = Pace { calls_per_s_max: 50, calls_max: 40 };
    let report = CampaignWorld::new(5, utc()).campaign(willing(settings, 1_000)).quiet().run();
    assert_eq!(check(&report).campaign("reminder").unwrap().line.at_once_peak, 40, "{report}");
}

/// Two campaigns of one priority share a trunk in halves; one of a lower priority gets what is left.
#[test]
fn campaigns_share_by_priority() {
    let mut shared = samples::shared(&["Etc/UTC"]);
    let share = TrunkShare { calls_max: 1_000, calls_per_s_max: 10, rest_after_failure: s(10) };
    shared.trunks.insert(trunk(), share);
    let list = |name: &str, priority| willing(CampaignSettings { priority, ..samples::campaign(name) }, 3_000);
    let report = CampaignWorld::new(5, Arc::new(shared))
        .campaign(list("one", 3))
        .campaign(list("two", 3))
        .campaign(list("later", 4))
        .lasts(s(300))
        .quiet()
        .run();
    check(&report);
    let calls = |name: &str| report.campaign(name).unwrap().line.calls;
    let (one, two, later) = (calls("one"), calls("two"), calls("later"));
    assert!(one.abs_diff(two) <= 20 && later <= 20, "{one} {two} {later}");
    assert!(one + two >= 2_700, "{one} {two} {later}");
}

/// An emergency comes before every other campaign, by day and by night.
#[test]
fn an_emergency_comes_first_and_at_night() {
    let mut shared = samples::shared(&["Etc/UTC"]);
    shared.calls_per_s_max = 10;
    let ordinary = CampaignSettings { priority: 0, ..samples::campaign("ordinary") };
    let flood = CampaignSettings {
        urgency: Urgency::Emergency { over_opt_outs: false },
        priority: 9,
        ..samples::campaign("flood")
    };
    let world = |begins| {
        CampaignWorld::new(5, Arc::new(shared.clone()))
            .begins_at(begins)
            .campaign(willing(ordinary.clone(), 20_000))
            .campaign(willing(flood.clone(), 1_000).numbers_from(50_000).starts(Some(s(600))))
            .lasts(s(1_200))
            .quiet()
            .run()
    };
    let day = world(MIDNIGHT + HOUR * 12);
    let (first, last) = check(&day).campaign("flood").unwrap().between.unwrap();
    assert!(first < s(605) && last < s(720), "{first:?} {last:?}");
    assert_eq!(day.campaign("flood").unwrap().done("confirmed"), 1_000);
    assert!(day.campaign("ordinary").unwrap().line.calls > 5_000, "{day}");
    let night = world(MIDNIGHT + HOUR * 2);
    assert_eq!(check(&night).campaign("ordinary").unwrap().line.calls, 0);
    assert_eq!(night.campaign("flood").unwrap().done("confirmed"), 1_000);
}

/// A trunk that answers 503 for an hour is tried now and then, nobody loses an attempt by it, and everybody is called after.
#[test]
fn a_trunk_that_fails_for_an_hour_costs_nobody_an_attempt() {
    let settings = samples::campaign("reminder");
    let report = CampaignWorld::new(5, utc())
        .campaign(willing(settings, 3_000))
        .happens(s(60), Incident::TrunkFails(trunk(), HOUR))
        .run();
    if let Ok(p) = std::env::var("DUMP") {
        std::fs::write(p, &report.trace).unwrap();
    }
    let outcome = check(&report).campaign("reminder").unwrap();
    assert_eq!((outcome.run, outcome.done("confirmed")), (RunState::Finished, 3_000), "{report}");
    let in_vain = outcome.ends("unavailable");
    assert!((5..=60).contains(&in_vain), "{in_vain} calls in vain");
}

/// While more inbound calls are on than campaigns may be beside, or the engine is closed, nothing new is begun.
#[test]
fn inbound_calls_come_first() {
    let report = CampaignWorld::new(5, utc())
        .campaign(willing(samples::campaign("reminder"), 3_000))
        .happens(s(60), Incident::Inbound(2_001))
        .happens(s(660), Incident::Inbound(2_000))
        .happens(s(700), Incident::Closed(true))
        .happens(s(1_000), Incident::Closed(false))
        .quiet()
        .run();
    let outcome = check(&report).campaign("reminder").unwrap();
    assert_eq!(outcome.done("confirmed"), 3_000, "{report}");
    let (_, last) = outcome.between.unwrap();
    assert!(last >= s(300 + 600 + 300), "{last:?}");
}

/// A person holds it, lets it go on, and ends it.
#[test]
fn orders_are_obeyed() {
    let order = |order| Incident::Order(Campaign::new("reminder"), order);
    let report = CampaignWorld::new(5, utc())
        .campaign(willing(samples::campaign("reminder"), 3_000))
        .happens(s(30), order(CampaignOrder::Pause))
        .happens(s(90), order(CampaignOrder::Resume))
        .happens(s(120), order(CampaignOrder::Stop))
        .happens(s(150), order(CampaignOrder::Resume))
        .lasts(s(600))
        .run();
    let outcome = check(&report).campaign("reminder").unwrap();
    assert_eq!(outcome.run, RunState::Stopped);
    assert!((500..=610).contains(&outcome.line.calls), "{report}");
}

/// With operators, nobody is called for whom none would be there.
#[test]
fn operators_are_there_when_somebody_answers() {
    for (tenths, least) in [(10, 200), (15, 250)] {
        let mut settings = samples::campaign("survey");
        settings.mode = CampaignMode::Operators {
            queue: Queue::new("desk"),
            abandoned_permille_max: 30,
            lines_per_operator_tenths_max: tenths,
        };
        let callees = Callees { operator_permille: 1_000, hung_up_permille: 0, later_permille: 0, ..Callees::USUAL };
        let report = CampaignWorld::new(5, utc())
            .campaign(SimCampaign::new(Arc::new(settings), 4_000).callees(callees))
            .operators("desk", 20)
            .lasts(HOUR * 4)
            .quiet()
            .run();
        let outcome = check(&report).campaign("survey").unwrap();
        let (answered, abandoned) = (outcome.answered, outcome.ends("abandoned"));
        assert!(answered > least, "{tenths}: {report}");
        assert!(abandoned * 1_000 <= answered * 30, "{tenths}: {abandoned} of {answered} abandoned");
    }
}

/// What is asked for in a small world with everything that goes wrong.
fn troubled(seed: u64) -> CampaignWorld {
    let mut dice = Dice::new(seed);
    let mut shared = samples::shared(&["Europe/Moscow", "Asia/Omsk", "Asia/Kamchatka", "Europe/Moscow&Asia/Omsk"]);
    shared.attempts_per_number_per_day_max = 3;
    shared.calls_per_s_max = 3;
    let unknown = [UnknownRule::Ask, UnknownRule::TakeForMade, UnknownRule::TakeForUnanswered];
    let unknown = |dice: &mut Dice| unknown[usize::try_from(dice.roll() % 3).unwrap()];
    let reminder = CampaignSettings {
        unknown: unknown(&mut dice),
        pace: Pace { calls_per_s_max: 2, calls_max: 8 },
        agency: Agency::new("tax"),
        deadline: dice.percent(30).then_some(MIDNIGHT + HOUR * 50),
        ..samples::campaign("reminder")
    };
    let notice =
        CampaignSettings { unknown: unknown(&mut dice), script_failures_max: 3, ..samples::campaign("notice") };
    let flood = CampaignSettings {
        unknown: unknown(&mut dice),
        urgency: Urgency::Emergency { over_opt_outs: dice.percent(50) },
        ..samples::campaign("flood")
    };
    let edited = CampaignSettings {
        pace: Pace { calls_per_s_max: 1, calls_max: 2 },
        window: CallWindow { week: std::array::from_fn(|_| vec![samples::hours(11, 15)]), ..samples::window() },
        ..reminder.clone()
    };
    let mut slower = shared.clone();
    slower.calls_per_s_max = 1;
    slower.calls_max = 3;
    let mut world = CampaignWorld::new(seed, Arc::new(shared))
        .begins_at(MIDNIGHT + dice.up_to(HOUR * 24))
        .trouble(CampaignTrouble::bad_day())
        .campaign(SimCampaign::new(Arc::new(reminder), 30))
        .campaign(SimCampaign::new(Arc::new(notice), 20).numbers_from(20))
        .campaign(SimCampaign::new(Arc::new(flood), 15).numbers_from(10).starts(Some(dice.up_to(HOUR * 30))));
    let mut at = |hours: u32| dice.up_to(HOUR * hours);
    world = world
        .happens(at(40), Incident::Edit(Arc::new(edited)))
        .happens(at(40), Incident::Configure(Arc::new(slower)))
        .happens(at(40), Incident::TrunkFails(trunk(), HOUR))
        .happens(at(40), Incident::ClockMoves { seconds: 3_600 })
        .happens(at(40), Incident::ClockMoves { seconds: -3_600 });
    let inbound = at(40);
    world = world.happens(inbound, Incident::Inbound(2_001)).happens(inbound + at(2), Incident::Inbound(10));
    let import = Incident::Import { campaign: Campaign::new("notice"), contacts: 10, first_number: 35 };
    world = world.happens(at(30), import);
    for order in [CampaignOrder::Pause, CampaignOrder::Resume, CampaignOrder::Pause, CampaignOrder::Resume] {
        world = world.happens(at(50), Incident::Order(Campaign::new("reminder"), order));
    }
    // Whatever it was left at, it goes on.
    world = world.happens(HOUR * 51, Incident::Order(Campaign::new("reminder"), CampaignOrder::Resume));
    for down in [1, 30] {
        world = world.happens(at(48), Incident::Dies(s(down)));
    }
    for number in 0..10 {
        let scope = if number % 2 == 0 { OptOutScope::Global } else { OptOutScope::Agency(Agency::new("tax")) };
        world = world.happens(at(48), Incident::OptOut(opt_out(number * 5, scope, number % 3 == 0)));
    }
    world
}

#[test]
fn whatever_goes_wrong_every_promise_is_kept() {
    let mut calls = 0;
    for seed in seeds() {
        let report = troubled(seed).run();
        calls += check(&report).engine.calls;
    }
    assert!(calls > seeds().end * 40, "{calls} calls in {} worlds", seeds().end);
}

/// The engine is killed at any step of a small campaign: nobody is called twice for one attempt, nobody is forgotten.
#[test]
fn killed_at_any_step() {
    for unknown in [UnknownRule::Ask, UnknownRule::TakeForMade, UnknownRule::TakeForUnanswered] {
        let world = |dies_at_step| {
            let settings = CampaignSettings { unknown, ..samples::campaign("reminder") };
            let trouble = CampaignTrouble { dies_at_step, down_for: s(2), ..CampaignTrouble::bad_day() };
            CampaignWorld::new(9, utc())
                .begins_at(MIDNIGHT + HOUR * 9)
                .trouble(trouble)
                .campaign(SimCampaign::new(Arc::new(settings), 12))
                .run()
        };
        let steps = check(&world(None)).steps;
        assert!(steps > 100, "{steps}");
        for step in 0..=steps {
            let report = world(Some(step));
            let outcome = check(&report).campaign("reminder").unwrap();
            let figures = outcome.figures.as_ref().unwrap();
            // A start that was not written down is no start.
            let forgotten = figures.contacts - figures.done;
            assert!(outcome.run == RunState::Draft || forgotten == 0, "killed at {step}: {report}");
        }
    }
}

#[test]
fn one_seed_replays_byte_for_byte() {
    for seed in 0..20 {
        let (one, two) = (troubled(seed).run(), troubled(seed).run());
        assert!(one.trace.len() > 10_000);
        assert!(one.trace == two.trace, "seed {seed}");
        assert_eq!(one.digest, troubled(seed).quiet().run().digest, "seed {seed}");
    }
}
