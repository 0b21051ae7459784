//! A simulated day of a region: 50,000 calls, 40 operators, peaks, a night, one emergency, one killed engine. Prints the
//! report that the API would give, and ends with 1 where a promise was broken.
//!
//! `cargo run -p gudok-simulator --example day [-- SEED [CALLS]]`: the seed replays the day exactly.
//! `cargo run -p gudok-simulator --example day -- seeds 1000`: that many small days, one a seed.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for people")]

use gudok_core::calendar::{Calendar, Hours};
use gudok_core::centre::{
    CallbackRules, CallbackState, CentreSettings, DialFirst, OperatorSettings, PeerSettings, QueueSettings,
    RingStrategy, UnknownRule,
};
use gudok_core::ids::{LegId, Operator as Login, Peer, Queue, Trunk};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::PhoneNumber;
use gudok_core::report::{CallRow, CallbackFacts, ReportBuilder, ReportSettings};
use gudok_core::script::{CallError, QueueEvent, ScriptEnd};
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::TicketKind;
use gudok_simulator::{Caller, Dice, Operator, Report, ScriptCall, TicketParts, Trouble, World, returned};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CALLS: u64 = 50_000;
const CALLS_OF_SMALL_DAY: u64 = 400;
const OPERATORS: usize = 40;
const HOUR: Duration = Duration::from_hours(1);
/// Midnight of Tuesday, 5 May 2026, seven hours east.
const MIDNIGHT: Timestamp = Timestamp::from_millis(1_777_914_000_000);
/// Calls of each hour in a thousand of the day's.
const SHAPE: [u64; 24] = [6, 4, 3, 3, 3, 6, 15, 30, 60, 85, 95, 90, 70, 65, 80, 85, 75, 60, 45, 38, 30, 24, 16, 12];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|argument| argument.parse::<u64>().ok());
    if arguments.first().is_some_and(|first| first == "seeds") {
        return many(number(1).unwrap_or(1_000));
    }
    let (seed, calls) = (number(0).unwrap_or(1), number(1).unwrap_or(CALLS));
    println!("a day of {calls} calls and {OPERATORS} operators, seed {seed}");
    let started = Instant::now();
    let report = day(seed, calls, OPERATORS).quiet().run();
    tell(&report, calls);
    println!("simulated in {:.1} s", started.elapsed().as_secs_f32());
    end(&report)
}

/// Small days, so that one seed's failure can be read: it is run again with its trace.
fn many(seeds: u64) -> ExitCode {
    for seed in 0..seeds {
        let report = day(seed, CALLS_OF_SMALL_DAY, 3).quiet().run();
        if report.verdict().is_err() {
            let again = day(seed, CALLS_OF_SMALL_DAY, 3).run();
            return end(&again);
        }
    }
    println!("{seeds} days of {CALLS_OF_SMALL_DAY} calls, every promise kept");
    ExitCode::SUCCESS
}

fn end(report: &Report) -> ExitCode {
    let lost = report.tickets.iter().filter(|ticket| ticket.taken == 0).count();
    match report.verdict() {
        Ok(_) if lost == 0 => ExitCode::SUCCESS,
        Ok(_) => {
            eprintln!("{lost} tickets were not delivered; seed {}", report.seed);
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn tell(report: &Report, calls: u64) {
    let settings = ReportSettings {
        zone: zone(),
        service_level: Duration::from_secs(20),
        service_levels: BTreeMap::new(),
        agency: None,
    };
    let mut builder = ReportBuilder::new(settings);
    for record in report.records.iter().filter(|record| record.leg == LegId::FIRST) {
        if let Some(row) = CallRow::of_leg(record, None, Vec::new()) {
            builder.call(&row);
        }
    }
    for callback in &report.callbacks {
        builder.callback(&CallbackFacts::from(callback));
    }
    for ticket in &report.tickets {
        builder.ticket(&Arc::from(ticket.ticket.kind.as_str()));
    }
    println!("{}", builder.finish());
    let state =
        |wanted: fn(&CallbackState) -> bool| report.callbacks.iter().filter(|callback| wanted(&callback.state)).count();
    println!(
        "of {calls} callers {} were cut off when the engine was killed; {} callbacks, {} connected, {} with a person to decide; \
         {} tickets, none lost: {}",
        report.lost,
        report.callbacks.len(),
        state(|state| matches!(state, CallbackState::Connected { .. })),
        state(|state| matches!(state, CallbackState::Unknown { .. })),
        report.tickets.len(),
        report.tickets.iter().all(|ticket| ticket.taken > 0),
    );
}

fn day(seed: u64, calls: u64, operators: usize) -> World {
    let mut dice = Dice::new(seed);
    let names: Vec<String> = (1..=operators).map(|number| format!("operator-{number:02}")).collect();
    let trouble = Trouble {
        slow_saves_max: Duration::from_millis(200),
        failing_saves_percent: 1,
        failing_webhooks_percent: 50,
        lost_keys_percent: 1,
        ..Trouble::NONE
    };
    let mut world = World::new(seed)
        .starts_at(MIDNIGHT)
        .zone(zone())
        .centre(centre(&names))
        .trouble(trouble)
        .number("122", "region", "main")
        .callback_number("123", "region", "desk")
        .landing("region", Some("desk"), Some("Operators work from six to midnight."))
        .script("region", "main", region)
        .announces(HOUR * 14, HOUR, "!Attention. High water on the Tom. Stay away from the river.")
        .engine_dies(HOUR * 15 + Duration::from_secs(1_800), Duration::from_secs(8));
    for name in &names {
        world = world.operator(name, Operator::answers().and_talks_s(30).and_up_to_s_more(150).or_else(3, 2, 1));
    }
    world = world
        .operator("tomsk", Operator::answers().and_talks_s(60).and_up_to_s_more(120).or_else(10, 20, 1))
        .operator("omsk", Operator::answers().and_talks_s(60).and_up_to_s_more(120).or_else(10, 10, 1));
    // Whoever is called back: by the last two digits of the number.
    for last in 0..100 {
        let behaves = match last {
            0..70 => Operator::answers(),
            70..85 => Operator::no_answer(),
            85..95 => Operator::busy(),
            _ => Operator::rejects(603),
        };
        world = world.operator(&PhoneNumber::new(&format!("+791300000{last:02}")).masked(), behaves);
    }
    for _ in 0..calls {
        world = world.caller(somebody(&mut dice));
    }
    world
}

fn somebody(dice: &mut Dice) -> Caller {
    let mut place = dice.roll() % SHAPE.iter().sum::<u64>();
    let hour = SHAPE.iter().position(|share| match place.checked_sub(*share) {
        Some(rest) => {
            place = rest;
            false
        }
        None => true,
    });
    let hour = u32::try_from(hour.unwrap_or_default()).unwrap_or_default();
    let at = HOUR * hour + Duration::from_millis(dice.roll() % 3_600_000);
    let number = format!("+7913{:07}", dice.roll() % 10_000_000);
    let caller = Caller::dials("122").from(&number).after(at);
    let caller = match dice.roll() % 40 {
        0 | 1 => caller.anonymous(),
        2 => caller.from("+4930123456789"),
        _ => caller,
    };
    let seconds = Duration::from_secs(1 + dice.roll() % 90);
    match dice.roll() % 100 {
        0..14 => caller.presses("0"),
        14..26 => caller.presses("0").hears("[callback offer").presses("1"),
        26..31 => caller.presses("0").hears("[callback offer").presses("2").presses("89130000012#").presses("1"),
        31..36 => caller.presses("0").waits(seconds).hangs_up(),
        36..66 => caller.presses("1"),
        66..74 => caller.interrupts("1").waits(Duration::from_secs(2)).hangs_up(),
        74..80 => caller.presses("8").speaks(seconds),
        80..84 => caller.presses("7"),
        84..87 => caller.types_ahead("12345678901234567890123456789012345678901234567890"),
        87..89 => caller.presses("*").presses("#").presses("*#*#"),
        // A telephone without keys.
        89..91 => caller,
        91..93 => Caller::dials("123").from(&number).after(at).waits(Duration::from_secs(5)).hangs_up(),
        _ => caller.waits(Duration::from_millis(dice.roll() % 8_000)).hangs_up(),
    }
}

/// The region's menu.
async fn region(call: ScriptCall) -> Result<ScriptEnd, CallError> {
    const MENU: &str = "Hours: one. It is wrong: seven. Complaint: eight. A person: zero.";
    call.say("Good day. The region's centre.").await?;
    let choices = [("1", "hours"), ("7", "wrong"), ("8", "complaint"), ("0", "person")];
    let key = call.info().id.to_string();
    match call.ask(MENU, &choices).await?.as_deref() {
        Some("hours") => {
            call.tag("service", "hours").await?;
            call.say("The office works from eight to five, on Saturdays to one.").await?;
            Ok(returned("served"))
        }
        Some("wrong") => {
            let parts = TicketParts { key: &key, entry: Some(("office-17", 3)), ..TicketParts::default() };
            call.submit_ticket(TicketKind::OutdatedInformation, "region", parts).await?;
            call.say("Thank you, we shall look.").await?;
            Ok(returned("outdated"))
        }
        Some("complaint") => {
            let recording = call.record_message().await?;
            let parts = TicketParts { key: &key, recordings: &[&recording.id], ..TicketParts::default() };
            let number = call.submit_ticket(TicketKind::Complaint, "region", parts).await?;
            call.say(&format!("Registered as {number}.")).await?;
            Ok(returned("complaint"))
        }
        Some(_) => match call.wait_in_queue("desk").await? {
            Some(QueueEvent::Closed(_)) => {
                call.say("Operators work from six.").await?;
                let promised = call.offer_callback("desk", "night").await?;
                Ok(returned(if promised.is_some() { "callback" } else { "closed" }))
            }
            _ => Ok(returned("waited")),
        },
        None => Ok(returned("no-service")),
    }
}

fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(7))
}

fn centre(operators: &[String]) -> CentreSettings {
    let desk = Queue::new("desk");
    let week = Hours::new(jiff::civil::time(6, 0, 0, 0), jiff::civil::Time::midnight()).into_iter().collect::<Vec<_>>();
    let calendar = Calendar::new(zone(), std::array::from_fn(|_| week.clone()), BTreeMap::new());
    let at = |name: &str| DialTarget { trunk: None, address: PhoneNumber::new(name) };
    let queue = QueueSettings {
        name: desk.clone(),
        agency: None,
        calendar: Arc::new(calendar),
        strategy: RingStrategy::LongestIdle,
        waiting_max: 500,
        wait_max: Duration::from_secs(40),
        act_before: Duration::from_secs(12),
        offer_again_after: Duration::from_secs(60),
        announce_every: Duration::from_secs(30),
        ring_max: Duration::from_secs(12),
        wrap_up: Duration::from_secs(10),
        misses_max: 0,
        relax: Vec::new(),
        peers: vec![Peer::new("tomsk"), Peer::new("omsk")],
        callback: Some(CallbackRules {
            dial_first: DialFirst::Operator,
            within: Duration::from_mins(10),
            attempts_max: 3,
            retry_after: Duration::from_mins(2),
            ring_max: Duration::from_secs(25),
            unknown: UnknownRule::Ask,
            open_max: 2_000,
            per_number_max: 3,
            trunk: Trunk::new("city"),
            shown: None,
            dialable: vec!["+7".into()],
            barred: Vec::new(),
        }),
        service_level: Duration::from_secs(20),
    };
    let operator = |name: &String| {
        let settings = OperatorSettings {
            name: Login::new(name),
            shown_name: Arc::from(name.as_str()),
            target: at(name),
            queues: vec![desk.clone()],
            skills: BTreeMap::new(),
            always_ready: false,
        };
        (Login::new(name), Arc::new(settings))
    };
    let peer = |name: &str| {
        let settings = PeerSettings {
            name: Peer::new(name),
            target: at(name),
            calls_max: 20,
            ring_max: Duration::from_secs(10),
            rest_after_failure: Duration::from_secs(60),
            areas: Vec::new(),
        };
        (Peer::new(name), Arc::new(settings))
    };
    CentreSettings {
        queues: BTreeMap::from([(desk.clone(), Arc::new(queue))]),
        operators: operators.iter().map(operator).collect(),
        peers: ["tomsk", "omsk"].map(peer).into_iter().collect(),
    }
}
