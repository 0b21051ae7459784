//! Campaigns in whole calls: the campaign machine, the call machine and the centre together, with callees of every sort, and
//! everything that goes wrong. Stories run under 1,000 seeds (or as many as `GUDOK_SEEDS` says) with the checkers on.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use gudok_core::calendar::Calendar;
use gudok_core::campaign::{
    AnsweredBy, CampaignMode, CampaignOrder, CampaignSettings, Disposition, Heard, OnMachine, OptOut, OptOutScope,
    RunState, UnknownRule,
};
use gudok_core::centre::{CentreSettings, OperatorSettings, QueueSettings, RingStrategy};
use gudok_core::ids::{LegId, Operator as Login, Queue};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::PhoneNumber;
use gudok_core::script::{CallError, ScriptEnd};
use gudok_simulator::campaigns::samples;
use gudok_simulator::{Callee, Caller, Dice, Operator, Report, ScriptCall, SimContact, Trouble, World};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SEEDS: u64 = 1_000;

fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("GUDOK_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS)
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn number(at: usize) -> String {
    format!("+79130{at:06}")
}

fn kept(report: Report) -> Report {
    if let Err(failure) = report.verdict() {
        panic!("{failure}");
    }
    report
}

fn settings() -> CampaignSettings {
    CampaignSettings { on_machine: OnMachine::Message, ..samples::campaign("flood") }
}

/// A warning: one confirms; machines get the message; zero is for a person.
async fn flood(call: ScriptCall) -> Result<ScriptEnd, CallError> {
    if call.answered_by() == AnsweredBy::Machine {
        call.say("!High water. Call 122.").await?;
        return Ok(ScriptEnd::Informed(Disposition::Voicemail));
    }
    let choices = [("1", "understood"), ("9", "never"), ("0", "person")];
    Ok(ScriptEnd::Informed(match call.ask("High water. Understood: 1.", &choices).await?.as_deref() {
        Some("understood") => Disposition::Confirmed(Arc::from("understood")),
        Some("never") => Disposition::DoNotCall,
        Some(_) => {
            call.wait_in_queue("desk").await?;
            Disposition::Delivered
        }
        None => Disposition::Delivered,
    }))
}

fn world(seed: u64, contacts: Vec<SimContact>) -> World {
    World::new(seed)
        .campaigns(samples::shared(&["Etc/UTC"]), Duration::from_hours(30))
        .script("region", "flood", flood)
        .campaign(settings(), Duration::ZERO, contacts)
}

fn willing() -> Callee {
    Callee::person(Caller::called().presses("1"))
}

fn ends(report: &Report, contact: u32) -> Vec<&str> {
    let of_contact = report.attempts.iter().filter(|attempt| attempt.attempt.contact.0 == contact);
    of_contact.map(|attempt| attempt.end.as_ref().map_or("lost", |end| end.disposition.as_str())).collect()
}

#[test]
fn a_person_is_informed_and_says_so() {
    let report = kept(world(1, vec![SimContact::new(&number(1), willing())]).run());
    report
        .check("host → +7********01\n+7********01 answers\nhost: High water. Understood: 1.\ncaller: 1\nhost hangs up");
    let end = report.attempts[0].end.as_ref().unwrap();
    assert_eq!(end.disposition, Disposition::Confirmed(Arc::from("understood")));
    assert_eq!((end.answered_by, end.status), (Some(AnsweredBy::Human), None));
    let outcome = report.campaigns.values().next().unwrap();
    assert_eq!((outcome.run, outcome.done("confirmed"), outcome.answered), (RunState::Finished, 1, 1));
    assert!(!report.trace.contains(&number(1)), "numbers are in no trace");
}

/// Whoever, or whatever, is at the telephone: what comes of it, attempt by attempt.
#[test]
fn every_sort_of_callee_has_its_disposition() {
    let person = |does: Caller| Callee::person(does);
    for (callee, expect) in [
        (person(Caller::called().presses("1")), vec!["confirmed"]),
        (person(Caller::called()), vec!["delivered"]),
        (person(Caller::called().presses("9")), vec!["do-not-call"]),
        (person(Caller::called().hears("High water").hangs_up()), vec!["hung-up", "hung-up"]),
        (person(Caller::called().waits(Duration::from_millis(300)).hangs_up()), vec!["hung-up", "hung-up"]),
        (Callee::silent(Caller::called().presses("1")), vec!["confirmed"]),
        (Callee::machine(s(6)), vec!["voicemail"]),
        (Callee::machine(s(1)), vec!["voicemail"]),
        (Callee::machine(s(60)), vec!["voicemail"]),
        (Callee::machine_without_beep(s(6)), vec!["voicemail"]),
        (Callee::fax(), vec!["fax"]),
        (Callee::busy(), vec!["busy", "busy", "busy"]),
        (Callee::tone(Heard::Busy), vec!["busy", "busy", "busy"]),
        (Callee::tone(Heard::Intercept), vec!["no-such-number"]),
        (Callee::rejects(404), vec!["no-such-number"]),
        (Callee::rejects(603), vec!["rejected", "rejected"]),
        (Callee::no_answer(), vec!["no-answer", "no-answer", "no-answer"]),
    ] {
        let shown = format!("{callee:?}");
        let report = kept(world(1, vec![SimContact::new(&number(1), callee)]).run());
        assert_eq!(ends(&report, 0), expect, "{shown}\n{}", report.timed_transcript());
        assert_eq!(report.campaigns.values().next().unwrap().run, RunState::Finished, "{shown}");
    }
}

#[test]
fn whoever_is_busy_is_called_again_and_reached() {
    let contact = SimContact::new(&number(1), Callee::busy()).then(Callee::no_answer()).then(willing());
    let report = kept(world(1, vec![contact]).run());
    assert_eq!(ends(&report, 0), ["busy", "no-answer", "confirmed"]);
    let [first, second, third] = &report.attempts[..] else { panic!("{:?}", report.attempts) };
    assert!(second.dialled.since(first.dialled) >= Duration::from_mins(10));
    // Two attempts a day, and the third on the next.
    assert!(third.dialled.since(second.dialled) >= Duration::from_hours(2));
}

#[test]
fn an_opt_out_in_mid_campaign_is_heeded() {
    let contact = |at| SimContact::new(&number(at), Callee::busy()).then(willing());
    let report = kept(
        world(1, vec![contact(1), contact(2)])
            .opts_out(s(60), &number(1), |number| OptOut { number, scope: OptOutScope::Global, protected: false })
            .run(),
    );
    assert_eq!((ends(&report, 0), ends(&report, 1)), (vec!["busy"], vec!["busy", "confirmed"]));
    assert_eq!(report.campaigns.values().next().unwrap().done("opted-out"), 1);
}

/// A script that is not there, or fails for a contact: nobody is left in silence.
#[test]
fn a_script_that_fails_is_apologised_for() {
    let fails = |call: ScriptCall| async move {
        call.say("Good day.").await?;
        Err::<ScriptEnd, _>(CallError::Timeout)
    };
    let report = kept(
        World::new(1)
            .campaigns(samples::shared(&["Etc/UTC"]), Duration::from_hours(2))
            .script("region", "flood", fails)
            .campaign(settings(), Duration::ZERO, vec![SimContact::new(&number(1), willing())])
            .run(),
    );
    assert_eq!(ends(&report, 0), ["script-failed"]);
    assert!(report.transcript().contains("host: [campaign apology]"), "{}", report.transcript());
    let nobody = kept(
        World::new(1)
            .campaigns(samples::shared(&["Etc/UTC"]), Duration::from_hours(2))
            .campaign(settings(), Duration::ZERO, vec![SimContact::new(&number(1), willing())])
            .run(),
    );
    assert!(nobody.attempts.is_empty(), "{:?}", nobody.attempts);
}

fn centre(operators: &[String]) -> CentreSettings {
    let desk = Queue::new("desk");
    let queue = QueueSettings {
        name: desk.clone(),
        agency: None,
        calendar: Arc::new(Calendar::always_open(TimeZone::UTC)),
        strategy: RingStrategy::LongestIdle,
        waiting_max: 100,
        wait_max: s(40),
        act_before: s(12),
        offer_again_after: s(60),
        announce_every: s(15),
        ring_max: s(12),
        wrap_up: s(5),
        misses_max: 3,
        relax: vec![],
        peers: vec![],
        callback: None,
        service_level: s(20),
    };
    let operator = |name: &String| {
        let settings = OperatorSettings {
            name: Login::new(name),
            shown_name: Arc::from(name.as_str()),
            target: DialTarget { trunk: None, address: PhoneNumber::new(name) },
            queues: vec![desk.clone()],
            skills: BTreeMap::new(),
            always_ready: true,
        };
        (Login::new(name), Arc::new(settings))
    };
    CentreSettings {
        queues: BTreeMap::from([(desk.clone(), Arc::new(queue))]),
        operators: operators.iter().map(operator).collect(),
        peers: BTreeMap::new(),
    }
}

/// Hands over at once: an operator was to be free.
async fn survey(call: ScriptCall) -> Result<ScriptEnd, CallError> {
    call.wait_in_queue("desk").await?;
    Ok(ScriptEnd::Informed(Disposition::Delivered))
}

async fn desk(call: ScriptCall) -> Result<ScriptEnd, CallError> {
    call.wait_in_queue("desk").await?;
    Ok(gudok_simulator::returned("served"))
}

/// Operators who are at once there, callers from outside beside, and a list for whom they are called.
fn progressive(seed: u64, tenths: u16, contacts: usize, callers: u64) -> World {
    let names: Vec<String> = (1..=6).map(|at| format!("operator-{at}")).collect();
    let mut dice = Dice::new(seed);
    let callee = |dice: &mut Dice| match dice.roll() % 10 {
        0..6 => Callee::person(Caller::called()),
        6 => Callee::machine(s(5)),
        7 => Callee::busy(),
        _ => Callee::no_answer(),
    };
    let contacts: Vec<_> = (0..contacts).map(|at| SimContact::new(&number(at), callee(&mut dice))).collect();
    let mode = CampaignMode::Operators {
        queue: Queue::new("desk"),
        abandoned_permille_max: 30,
        lines_per_operator_tenths_max: tenths,
    };
    let settings = CampaignSettings { mode, on_machine: OnMachine::HangUp, ..samples::campaign("survey") };
    let mut world = World::new(seed)
        .centre(centre(&names))
        .campaigns(samples::shared(&["Etc/UTC"]), Duration::from_hours(6))
        .number("122", "city", "main")
        .landing("city", Some("desk"), None)
        .script("city", "main", desk)
        .script("region", "survey", survey)
        .campaign(settings, Duration::ZERO, contacts)
        .quiet();
    for name in &names {
        let answers = Operator::answers_after(Duration::from_millis(400)).and_talks_s(30).and_up_to_s_more(60);
        world = world.operator(name, answers);
    }
    for at in 0..callers {
        world = world.caller(Caller::dials("122").after(s(at * 60)));
    }
    world
}

#[test]
fn whom_a_campaign_calls_for_operators_finds_one() {
    for (tenths, callers) in [(10, 0), (10, 60), (15, 0), (20, 30)] {
        let report = kept(progressive(3, tenths, 400, callers).run());
        let outcome = report.campaigns.values().next().unwrap();
        let (answered, abandoned) = (outcome.answered, outcome.ends("abandoned"));
        assert!(answered > 200, "{tenths} {callers}: {outcome:?}");
        assert!(abandoned * 1_000 <= answered * 30, "{tenths} {callers}: {abandoned} of {answered} were abandoned");
        let machines = outcome.ends("machine");
        assert_eq!(outcome.ends("delivered") + abandoned + machines, answered, "{outcome:?}");
        // Callers from outside have an operator within the queue's limit: the centre's checkers hold it.
        let from_outside = report.records.iter().filter(|record| record.leg == LegId::FIRST && record.queue.is_some());
        assert!(from_outside.count() as u64 >= callers);
    }
}

/// The engine is killed at a random moment, and whatever else goes wrong: nobody is called twice for one attempt.
#[test]
fn killed_at_any_moment() {
    let mut lost = 0;
    for seed in seeds() {
        let mut dice = Dice::new(seed);
        let callees = |dice: &mut Dice| match dice.roll() % 8 {
            0..3 => willing(),
            3 => Callee::person(Caller::called().presses("9")),
            4 => Callee::machine(s(5)),
            5 => Callee::busy(),
            6 => Callee::no_answer(),
            _ => Callee::person(Caller::called().waits(s(2)).hangs_up()),
        };
        let contacts = (0..8).map(|at| SimContact::new(&number(at), callees(&mut dice)).then(callees(&mut dice)));
        let contacts: Vec<_> = contacts.collect();
        let unknown = [UnknownRule::Ask, UnknownRule::TakeForMade, UnknownRule::TakeForUnanswered];
        let unknown = unknown[usize::try_from(dice.roll() % 3).unwrap()];
        let world = World::new(seed)
            .trouble(Trouble::bad_day())
            .campaigns(samples::shared(&["Etc/UTC"]), Duration::from_hours(30))
            .script("region", "flood", flood)
            .campaign(CampaignSettings { unknown, ..settings() }, Duration::ZERO, contacts)
            .engine_dies(Duration::from_millis(dice.roll() % 60_000), s(5))
            .campaign_is_told(s(90), "flood", CampaignOrder::Start);
        let report = kept(world.run());
        lost += report.attempts.iter().filter(|attempt| attempt.end.is_none()).count();
        let outcome = report.campaigns.values().next().unwrap();
        let figures = outcome.figures.as_ref().unwrap();
        let forgotten = figures.contacts - figures.done - figures.unknown;
        assert_eq!(forgotten, 0, "seed {seed}: {outcome:?}");
        assert!(figures.unknown == 0 || unknown == UnknownRule::Ask, "seed {seed}");
    }
    assert!(lost > 0, "no attempt was cut off in any world");
}

#[test]
fn one_seed_replays_exactly() {
    let run = || world(7, (0..20).map(|at| SimContact::new(&number(at), willing())).collect()).run().trace;
    assert!(run().len() > 1_000);
    assert_eq!(run(), run());
}
