//! Stories 10 and 11 with the sample campaigns' real bundles: a flood warning at night, and a tax reminder.

use crate::{Scripts, check};
use gudok_core::campaign::{
    CampaignSettings, CampaignsSettings, Disposition, OnMachine, OptOut, OptOutScope, Pace, RetryRule, RunState,
    UnknownRule, Urgency, ZoneNo,
};
use gudok_core::ids::{Agency, Entry, LegId};
use gudok_core::records::Direction;
use gudok_core::time::Timestamp;
use gudok_simulator::campaigns::samples;
use gudok_simulator::{Callee, Caller, Dice, Report, SimContact, World};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Tuesday, 5 May 2026, 02:30 seven hours east.
const NIGHT: Timestamp = Timestamp::from_millis(1_777_923_000_000);
const HOUR: Duration = Duration::from_hours(1);
const FLOOD_CONTACTS: usize = 5_000;
const PACE_MAX: u32 = 20;
const OVERLAY: &str = "!Внимание! Высокая вода.";

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn number(at: usize) -> String {
    format!("+79131{at:06}")
}

fn dispositions(report: &Report, campaign: &str, contact: u32) -> Vec<&'static str> {
    let of_contact = report
        .attempts
        .iter()
        .filter(|one| one.attempt.contact.0 == contact && one.attempt.campaign.as_str() == campaign);
    of_contact.map(|one| one.end.as_ref().map_or("lost", |end| end.disposition.as_str())).collect()
}

fn shared() -> CampaignsSettings {
    let mut shared = samples::shared(&["Asia/Omsk", "Europe/Kaliningrad", "Asia/Kamchatka"]);
    if let Some(trunk) = shared.trunks.values_mut().next() {
        trunk.calls_per_s_max = PACE_MAX;
    }
    shared
}

/// Repeated until it is confirmed, at any hour.
fn flood() -> CampaignSettings {
    let mut settings = CampaignSettings {
        agency: Agency::new("emergency"),
        entry: Entry::new("flood"),
        urgency: Urgency::Emergency { over_opt_outs: true },
        confirm: true,
        on_machine: OnMachine::Message,
        // Each of them is a script at work, and the tests' host has room for so many.
        pace: Pace { calls_per_s_max: 50, calls_max: 240 },
        ..samples::campaign("flood")
    };
    let soon = RetryRule { after: s(300), jitter: s(60), attempts_max: 2 };
    settings.retries.rules =
        BTreeMap::from(["busy", "no-answer", "rejected", "hung-up", "delivered"].map(|kind| (kind, soon)));
    settings
}

fn tax() -> CampaignSettings {
    CampaignSettings {
        agency: Agency::new("tax"),
        entry: Entry::new("tax"),
        unknown: UnknownRule::TakeForMade,
        windows: vec![],
        ..samples::campaign("tax")
    }
}

/// Of a hundred: most understand at once, some want to hear it again, some are away, busy, or say nothing.
fn neighbour(dice: &mut Dice) -> Vec<Callee> {
    let understands = || Callee::person(Caller::called().presses("1"));
    match dice.roll() % 100 {
        0..55 => vec![understands()],
        55..63 => vec![Callee::person(Caller::called().presses("2").presses("1"))],
        63..75 => vec![Callee::machine(s(4 + dice.roll() % 10))],
        75..83 => vec![Callee::busy(), understands()],
        83..91 => vec![Callee::no_answer(), understands()],
        91..95 => vec![Callee::person(Caller::called()), understands()],
        95..98 => vec![Callee::person(Caller::called().hears("Внимание").hangs_up()), understands()],
        98 => vec![Callee::rejects(603)],
        _ => vec![Callee::rejects(404)],
    }
}

/// Story 10, at 02:30.
pub(crate) fn story_10_flood_warning(scripts: &Scripts) {
    let mut dice = Dice::new(10);
    let contacts: Vec<SimContact> = (0..FLOOD_CONTACTS)
        .map(|at| {
            let mut callees = neighbour(&mut dice).into_iter();
            let first = callees.next().unwrap_or_else(Callee::busy);
            let contact = SimContact::new(&number(at), first).field("level_cm", "21");
            callees.fold(contact, SimContact::then)
        })
        .collect();
    let debtor = debtor(1, &["1"], Caller::called().presses("1"));
    let mut world = World::new(10)
        .starts_at(NIGHT)
        .zone(TimeZone::fixed(jiff::tz::offset(7)))
        .overlay(OVERLAY)
        .campaigns(shared(), HOUR * 3)
        .bundle("emergency", "flood", Arc::clone(&scripts.flood))
        .bundle("tax", "tax", Arc::clone(&scripts.tax))
        .number("122", "region", "main")
        .operators("operators", &["anna"])
        .bundle("region", "main", Arc::clone(&scripts.centre))
        .campaign(flood(), s(60), contacts)
        // Nobody is reminded of taxes at night.
        .campaign(tax(), Duration::ZERO, vec![debtor]);
    for at in 0..60 {
        world = world.caller(Caller::dials("122").after(s(at * 10)).presses("1").hangs_up());
    }
    let report = world.quiet().run();
    report.verdict().unwrap_or_else(|failure| panic!("{failure}"));
    let campaign = |name: &str| report.campaigns.iter().find(|(of, _)| of.as_str() == name).unwrap().1;
    let outcome = campaign("flood");
    println!("     flood: {} calls, {} answered, {:?}", outcome.line.calls, outcome.answered, outcome.figures);
    assert_eq!(outcome.run, RunState::Finished);
    assert_eq!(outcome.line.per_second_peak, PACE_MAX);
    assert_eq!(campaign("tax").line.calls, 0);
    // Who was there has confirmed, machines have the message, and of the rest it is known why.
    let done = |kinds: &[&str]| kinds.iter().map(|kind| outcome.done(kind)).sum::<u64>();
    assert_eq!(done(&["confirmed", "voicemail", "rejected", "no-such-number"]), FLOOD_CONTACTS as u64, "{outcome:?}");
    assert!(done(&["confirmed"]) > 4_000 && done(&["voicemail"]) > 500, "{outcome:?}");
    for unacknowledged in ["delivered", "busy", "no-answer", "hung-up"] {
        assert!(outcome.ends(unacknowledged) > 100, "{unacknowledged}: {outcome:?}");
    }
    assert!(report.runs.iter().all(|run| run.fault.is_none()), "a script failed");
    // Every caller from outside has heard the announcement first, and none was turned away.
    let from_outside = report.records.iter().filter(|record| record.direction == Direction::Inbound);
    let heard: Vec<bool> =
        from_outside.filter(|record| record.leg == LegId::FIRST).map(|one| one.overlay_heard).collect();
    assert_eq!((heard.len(), heard.iter().filter(|heard| **heard).count()), (60, 60));
}

fn debtor(at: usize, debts: &[&str], does: Caller) -> SimContact {
    let contact = SimContact::new(&number(at), Callee::person(does)).field("due", "2026-12-01");
    debts.iter().fold(contact.field("birth_year", "1961"), |contact, debt| contact.field("debt", debt))
}

fn tax_world(scripts: &Scripts, seed: u64, contacts: Vec<SimContact>) -> World {
    World::new(seed)
        .starts_at(NIGHT)
        .campaigns(shared(), HOUR * 72)
        .bundle("tax", "tax", Arc::clone(&scripts.tax))
        .campaign(tax(), Duration::ZERO, contacts)
}

/// Story 11: verified, told, opted out; within everybody's own hours.
pub(crate) fn story_11_tax_reminder(scripts: &Scripts) {
    let verified = || Caller::called().presses("1").presses("1961").presses("1");
    let opts_out = || Caller::called().presses("9").presses("1");
    let contacts = vec![
        debtor(1, &["1"], verified()),
        debtor(2, &["2"], verified()).zone(ZoneNo(1)),
        debtor(3, &["5"], verified()).zone(ZoneNo(2)),
        debtor(4, &["21"], opts_out()),
        debtor(5, &["5"], Caller::called().presses("1").presses("1960").presses("1962").presses("1963")),
        debtor(6, &["0"], verified()),
        debtor(7, &["5"], verified()),
    ];
    // The same people on the agency's next list.
    let next = CampaignSettings { starts: Some(NIGHT + HOUR * 24), priority: 9, ..tax() };
    let next = CampaignSettings { name: gudok_core::ids::Campaign::new("next"), ..next };
    let again = vec![debtor(4, &["21"], verified()), debtor(7, &["5"], verified()), debtor(8, &["5"], verified())];
    let report = tax_world(scripts, 11, contacts)
        .campaign(next, s(1), again)
        .opts_out(HOUR * 20, &number(7), |number| OptOut {
            number,
            scope: OptOutScope::Agency(Agency::new("tax")),
            protected: false,
        })
        .run();
    check(&report, &[]);
    let of = |contact| dispositions(&report, "tax", contact);
    assert_eq!(
        [of(0), of(1), of(2), of(6)],
        [["confirmed"]; 4].map(|one| one.to_vec()),
        "{}",
        report.timed_transcript()
    );
    assert_eq!(of(3), ["do-not-call"]);
    assert_eq!(of(4), ["failed"], "nothing is said unverified");
    assert_eq!(of(5), [""; 0], "who owes nothing is not called");
    let next = |contact| dispositions(&report, "next", contact);
    assert_eq!((next(0), next(1), next(2)), (vec![], vec![], vec!["confirmed"]), "whoever opted out is never called");
    // What is private is said after the digits, and the digits are nowhere.
    for call in report.attempts.iter().filter(|one| one.attempt.contact.0 < 3).map(|one| one.call) {
        let said: Vec<&str> =
            report.lines.iter().filter(|line| line.call == call).map(|line| line.text.as_str()).collect();
        let digits = said.iter().position(|line| line.starts_with("caller: *")).unwrap();
        let debt = said.iter().position(|line| line.contains("задолженности")).unwrap();
        assert!(digits < debt, "{said:#?}");
    }
    let unverified = report.attempts.iter().find(|one| one.attempt.contact.0 == 4).unwrap().call;
    assert!(report.lines.iter().all(|line| line.call != unverified || !line.text.contains("задолженности")));
    assert!(!report.trace.contains("1961") && !report.trace.contains(&number(1)), "personal data in the trace");
}

/// Story 11, and the engine is killed in the middle of it: nobody is called twice for one attempt.
pub(crate) fn story_11_survives_a_kill_at_any_moment(scripts: &Scripts) {
    let mut lost = 0;
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let verified = || Caller::called().presses("1").presses("1961").presses("1");
        let contacts = (0..6).map(|at| debtor(at, &["5"], verified())).collect();
        // Windows in the first zone open seven and a half hours later, at nine.
        let opens = Duration::from_mins(450);
        let report = tax_world(scripts, seed, contacts)
            .engine_dies(opens + Duration::from_millis(dice.roll() % 90_000), s(5))
            .quiet()
            .run();
        report.verdict().unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
        for contact in 0..6 {
            let ends = dispositions(&report, "tax", contact);
            // None where the claim was written down and the engine died before it dialled: nobody knows that it did not.
            assert!(ends.len() <= 1, "seed {seed}, contact {contact}: {ends:?}");
            lost += usize::from(ends == ["lost"]);
        }
        let outcome = report.campaigns.values().next().unwrap();
        let known = outcome.done("confirmed") + outcome.done(Disposition::Unknown.as_str());
        assert_eq!((outcome.run, known), (RunState::Finished, 6), "seed {seed}: {outcome:?}");
    }
    assert!(lost > 50, "the engine died beside the campaign: {lost}");
}
