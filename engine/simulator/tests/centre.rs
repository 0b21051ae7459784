//! The centre in a world: operators, queues, peers, callbacks, tickets, and everything that goes wrong with them. Each story
//! runs under 1,000 seeds (or as many as `GUDOK_SEEDS` says) with the checkers on at every step.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use gudok_core::calendar::{Calendar, Hours};
use gudok_core::centre::{
    CallbackRules, CallbackState, CentreSettings, DialFirst, LogoutReason, OperatorOrder, OperatorSettings,
    PauseReason, PeerSettings, QueueSettings, RingStrategy, UnknownRule,
};
use gudok_core::ids::{Agency, LegId, Operator as Login, Peer, Queue, Trunk};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::PhoneNumber;
use gudok_core::records::{LegRecord, Mode, QueueOutcome};
use gudok_core::report::{CallRow, ReportBuilder, ReportSettings};
use gudok_core::script::{CallError, QueueEvent, ScriptEnd};
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::TicketKind;
use gudok_simulator::{Caller, Dice, Operator, Report, ScriptCall, TicketParts, Trouble, World, returned};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SEEDS: u64 = 1_000;
const LIMIT: Duration = Duration::from_secs(40);
/// Tuesday, 5 May 2026, 02:30 seven hours east.
const NIGHT: Timestamp = Timestamp::from_millis(1_777_923_000_000);

fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("GUDOK_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS)
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn target(user: &str) -> DialTarget {
    DialTarget { trunk: None, address: PhoneNumber::new(user) }
}

fn seven_hours_east() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(7))
}

/// The queue `desk` with these operators and peers, and the rules of the decree.
fn centre(operators: &[&str], peers: &[&str], calendar: Calendar) -> CentreSettings {
    let desk = Queue::new("desk");
    let queue = QueueSettings {
        name: desk.clone(),
        agency: None,
        calendar: Arc::new(calendar),
        strategy: RingStrategy::LongestIdle,
        waiting_max: 100,
        wait_max: LIMIT,
        act_before: s(12),
        offer_again_after: s(60),
        announce_every: s(15),
        ring_max: s(12),
        wrap_up: s(5),
        misses_max: 3,
        relax: vec![],
        peers: peers.iter().map(|peer| Peer::new(peer)).collect(),
        callback: Some(CallbackRules {
            dial_first: DialFirst::Operator,
            within: s(600),
            attempts_max: 3,
            retry_after: s(90),
            ring_max: s(25),
            unknown: UnknownRule::Ask,
            open_max: 1_000,
            per_number_max: 3,
            trunk: Trunk::new("city"),
            shown: None,
            dialable: vec!["+7".into()],
            barred: vec!["+7809".into()],
        }),
        service_level: s(20),
    };
    let operator = |name: &&str| {
        let settings = OperatorSettings {
            name: Login::new(name),
            shown_name: Arc::from(*name),
            target: target(name),
            queues: vec![desk.clone()],
            skills: BTreeMap::new(),
            always_ready: false,
        };
        (Login::new(name), Arc::new(settings))
    };
    let peer = |name: &&str| {
        let settings = PeerSettings {
            name: Peer::new(name),
            target: target(name),
            calls_max: 10,
            ring_max: s(10),
            rest_after_failure: s(60),
            areas: vec![],
        };
        (Peer::new(name), Arc::new(settings))
    };
    CentreSettings {
        queues: BTreeMap::from([(desk.clone(), Arc::new(queue))]),
        operators: operators.iter().map(operator).collect(),
        peers: peers.iter().map(peer).collect(),
    }
}

/// Zero for a person; everything else is the agency's own business.
async fn menu(call: ScriptCall) -> Result<ScriptEnd, CallError> {
    call.say("Good day.").await?;
    match call.ask("Hours: 1. A person: 0.", &[("1", "hours"), ("0", "person")]).await?.as_deref() {
        Some("hours") => {
            call.say("From eight to five.").await?;
            Ok(returned("served"))
        }
        Some(_) => match call.wait_in_queue("desk").await? {
            Some(QueueEvent::Closed(_)) => {
                call.say("Nobody works now.").await?;
                let promised = call.offer_callback("desk", "night").await?;
                Ok(returned(if promised.is_some() { "callback" } else { "closed" }))
            }
            _ => Ok(returned("waited")),
        },
        None => Ok(returned("no-service")),
    }
}

fn world(seed: u64, settings: CentreSettings) -> World {
    World::new(seed)
        .centre(settings)
        .number("122", "city", "main")
        .callback_number("123", "city", "desk")
        .landing("city", Some("desk"), Some("We work from six."))
        .script("city", "main", menu)
}

fn open() -> Calendar {
    Calendar::always_open(TimeZone::UTC)
}

fn callers(report: &Report) -> Vec<&LegRecord> {
    report.records.iter().filter(|record| record.leg == LegId::FIRST).collect()
}

fn kept(report: Report) -> Report {
    if let Err(failure) = report.verdict() {
        panic!("{failure}");
    }
    report
}

/// Story 2. 20 callers press 0, 5 operators are logged in.
fn forty_seconds(seed: u64, trouble: Trouble) -> World {
    let operators = ["anna", "boris", "vera", "galina", "dina"];
    let mut world = world(seed, centre(&operators, &["tomsk"], open())).trouble(trouble);
    for name in operators {
        world = world.operator(name, Operator::answers().and_talks_s(20).and_up_to_s_more(120));
    }
    world = world.operator("tomsk", Operator::answers().and_talks_s(60).or_else(30, 30, 0));
    for (at, number) in (0..20_u64).zip(10..) {
        let caller = Caller::dials("122").from(&format!("+791300000{number}")).after(s(at / 2)).presses("0");
        world = world.caller(match at % 3 {
            0 => caller.hears("[callback offer]").presses("1"),
            1 => caller.hears("[callback offer]").presses("2").presses("89130000412#").presses("1"),
            _ => caller,
        });
    }
    world
}

#[test]
fn story_2_everybody_has_an_operator_a_callback_or_a_peer_by_second_40() {
    let report = kept(forty_seconds(1, Trouble::NONE).run());
    let waits: Vec<_> = callers(&report).into_iter().filter_map(|record| record.queue.as_ref()).collect();
    assert_eq!(waits.len(), 20);
    for wait in &waits {
        let acted = wait.acted.map(|acted| acted.since(wait.entered));
        assert!(wait.waited <= LIMIT || acted.is_some_and(|acted| acted <= LIMIT), "{wait:?}");
    }
    let outcomes = |wanted: fn(&QueueOutcome) -> bool| {
        waits.iter().filter(|wait| wait.outcome.as_ref().is_some_and(wanted)).count()
    };
    assert!(outcomes(|outcome| matches!(outcome, QueueOutcome::Answered(_))) >= 5, "the operators work");
    assert!(outcomes(|outcome| matches!(outcome, QueueOutcome::Callback)) > 0, "callbacks are promised");
    // The histogram that the API gives agrees with the call records, class by class.
    let mut builder = ReportBuilder::new(ReportSettings {
        zone: TimeZone::UTC,
        service_level: s(20),
        service_levels: BTreeMap::new(),
        agency: None,
    });
    for record in callers(&report) {
        builder.call(&CallRow::of_leg(record, None, vec![]).unwrap());
    }
    let told = builder.finish();
    let below_5 = waits.iter().filter(|wait| wait.waited <= s(5)).count();
    assert_eq!(told.waits.offered, 20);
    assert_eq!(told.waits.limit_kept, 20);
    assert_eq!(usize::try_from(told.waits.histogram[0]).unwrap(), below_5);
    // Everybody who was promised a call has had it, once.
    assert!(report.callbacks.iter().all(|callback| matches!(callback.state, CallbackState::Connected { .. })));
    assert_eq!(report.connected_callbacks, report.callbacks.len());
}

#[test]
fn story_2_holds_on_bad_days() {
    for seed in seeds() {
        kept(forty_seconds(seed, Trouble::bad_day()).run());
    }
}

/// Story 3. The first peer answers 503, the second answers; nobody is at work here.
fn peak_to_a_peer(seed: u64) -> World {
    world(seed, centre(&["anna"], &["tomsk", "omsk"], open()))
        .nobody_at_work()
        .operator("tomsk", Operator::rejects(503))
        .caller(Caller::dials("122").presses("0"))
}

#[test]
fn story_3_the_second_peer_takes_the_caller_in_one_chain() {
    let report = kept(peak_to_a_peer(1).run());
    let transcript = report.transcript();
    assert!(
        transcript.contains(
            "host: [connecting elsewhere]\nhost → tomsk\ntomsk is unavailable\nhost: [connecting elsewhere]\nhost → \
             omsk\nomsk answers\ncaller ↔ omsk"
        ),
        "{transcript}"
    );
    let chain = callers(&report)[0].chain.clone().unwrap();
    assert!(
        report.records.iter().filter(|record| record.leg != LegId(1)).all(|record| record.chain == Some(chain.clone()))
    );
    assert_eq!(callers(&report)[0].queue.as_ref().unwrap().outcome, Some(QueueOutcome::Peer(Peer::new("omsk"))));
}

#[test]
fn story_3_holds_on_bad_days() {
    for seed in seeds() {
        kept(peak_to_a_peer(seed).trouble(Trouble::bad_day()).run());
    }
}

#[test]
fn a_call_that_has_come_far_enough_goes_no_further() {
    let came_far = Caller::dials("122").through_centres("first", 3).presses("0").hears("[callback offer]").presses("1");
    let report = kept(world(1, centre(&["anna"], &["tomsk"], open())).nobody_at_work().caller(came_far).run());
    assert!(!report.transcript().contains("tomsk"), "no loop\n{}", report.transcript());
}

/// Story 4. Presses 1 (the host's offer), enters another number, confirms; the host is killed and started again.
fn callback(seed: u64, killed_after: Option<Duration>, trouble: Trouble) -> World {
    let world = world(seed, centre(&["anna"], &[], open()))
        .trouble(trouble)
        .operator("anna", Operator::answers().and_talks_s(50))
        .caller(Caller::dials("122").from("+79130000001").presses("0"))
        .caller(
            Caller::dials("122")
                .from("+79130000002")
                .after(s(2))
                .presses("0")
                .hears("[callback offer]")
                .presses("2")
                .presses("89130000412#")
                .presses("1"),
        );
    match killed_after {
        Some(after) => world.engine_dies(after, s(20)),
        None => world,
    }
}

#[test]
fn story_4_is_connected_once_within_ten_minutes() {
    let report = kept(callback(1, None, Trouble::NONE).run());
    let promised = report.callbacks.first().unwrap();
    assert_eq!(promised.wish.number.reveal(), "+79130000412");
    let CallbackState::Connected { at } = promised.state else { panic!("{promised:?}\n{}", report.timed_transcript()) };
    assert!(at <= promised.due && promised.due.since(promised.requested) <= s(600));
    assert_eq!((report.callbacks.len(), report.connected_callbacks), (1, 1));
    assert!(report.transcript().contains("[callback read back +7********12]"), "{}", report.transcript());
}

#[test]
fn story_4_survives_a_kill_at_any_moment() {
    let (mut connected, mut unknown) = (0, 0);
    for seed in seeds() {
        let killed_after = Duration::from_millis(Dice::new(seed).roll() % 180_000);
        let report = kept(callback(seed, Some(killed_after), Trouble::bad_day()).run());
        for promised in &report.callbacks {
            match promised.state {
                CallbackState::Connected { .. } => connected += 1,
                // Nobody knows whether the caller was reached: a person decides, and nobody dials by himself.
                CallbackState::Unknown { .. } => unknown += 1,
                _ => assert!(promised.escalated.is_some(), "seed {seed}: {promised:?}"),
            }
        }
    }
    assert!(connected > 0, "no callback was connected in any world ({unknown} unknown)");
}

/// Story 1. 02:30: operators begin at six; a callback is due by 06:10.
#[test]
fn story_1_at_night_nobody_is_rung_and_a_callback_is_due_by_ten_past_six() {
    let day = Hours::new(jiff::civil::time(6, 0, 0, 0), jiff::civil::Time::midnight()).unwrap();
    let calendar = Calendar::new(seven_hours_east(), std::array::from_fn(|_| vec![day]), BTreeMap::new());
    for seed in seeds() {
        let report = kept(
            world(seed, centre(&["anna"], &["tomsk"], calendar.clone()))
                .starts_at(NIGHT)
                .zone(seven_hours_east())
                .caller(Caller::dials("122").presses("0").hears("[callback offer]").presses("1"))
                .run(),
        );
        let called = callers(&report);
        assert_eq!(called[0].mode, Mode::Automatic);
        assert_eq!(report.records.iter().filter(|record| record.call == called[0].call).count(), 1, "nobody is rung");
        let promised = report.callbacks.first().unwrap();
        let due = calendar.local(promised.due);
        assert_eq!((due.hour(), due.minute()), (6, 10));
        assert!(matches!(promised.state, CallbackState::Connected { at } if at <= promised.due), "{promised:?}");
        assert!(report.transcript().contains("[callback promised by 06:10]"), "{}", report.transcript());
    }
}

/// A complaint with a recording and a read-back (story 8, without media), and the key for wrong information (story 9).
async fn utilities(call: ScriptCall) -> Result<ScriptEnd, CallError> {
    call.say("Lenina, 1. From eight to five.").await?;
    match call.ask("Complaint: 8. This is wrong: 7.", &[("8", "complaint"), ("7", "wrong")]).await?.as_deref() {
        Some("complaint") => {
            let recording = call.record_message().await?;
            let key = format!("complaint-{}", call.info().id);
            let parts =
                TicketParts { key: &key, recordings: &[&recording.id], fields: &[("address", "412")], entry: None };
            let number = call.submit_ticket(TicketKind::Complaint, "utilities", parts).await?;
            // A caller who asks again is told the same number.
            assert_eq!(call.submit_ticket(TicketKind::Complaint, "utilities", parts).await?, number);
            call.say(&format!("Registered as {number}.")).await?;
            Ok(returned("complaint"))
        }
        Some(_) => {
            let key = format!("wrong-{}", call.info().id);
            let parts = TicketParts { key: &key, entry: Some(("office-17", 3)), ..TicketParts::default() };
            call.submit_ticket(TicketKind::OutdatedInformation, "mfc", parts).await?;
            call.say("Thank you.").await?;
            Ok(returned("outdated"))
        }
        None => Ok(returned("nothing")),
    }
}

fn tickets(seed: u64, trouble: Trouble) -> World {
    let mut world = World::new(seed)
        .number("122", "utilities", "main")
        .operators("operators", &["anna"])
        .script("utilities", "main", utilities)
        .trouble(trouble);
    for at in 0..8 {
        let caller = Caller::dials("122").after(s(at));
        world = world.caller(if at % 2 == 0 { caller.presses("8").speaks(s(20)) } else { caller.presses("7") });
    }
    world
}

#[test]
fn stories_8_and_9_every_ticket_is_delivered_once_under_its_key() {
    let report = kept(tickets(1, Trouble::NONE).run());
    let numbers: Vec<&str> = report.tickets.iter().map(|ticket| &*ticket.number).collect();
    assert_eq!(numbers.len(), 8, "{numbers:?}");
    assert!(report.tickets.iter().all(|ticket| ticket.taken == 1));
    let wrong = report.tickets.iter().filter(|ticket| ticket.ticket.kind == TicketKind::OutdatedInformation);
    let entries: Vec<_> = wrong.map(|ticket| ticket.ticket.entry.clone().unwrap()).collect();
    assert!(entries.len() == 4 && entries.iter().all(|entry| &*entry.id == "office-17" && entry.version == 3));
}

#[test]
fn no_ticket_is_lost_by_failing_agencies_or_a_killed_engine() {
    for seed in seeds() {
        let killed_after = Duration::from_millis(Dice::new(seed).roll() % 90_000);
        let report = kept(tickets(seed, Trouble::bad_day()).engine_dies(killed_after, s(10)).run());
        let lost: Vec<_> = report.tickets.iter().filter(|ticket| ticket.taken == 0).collect();
        assert!(lost.is_empty(), "seed {seed}: {lost:?}");
    }
}

#[test]
fn a_hang_up_at_every_step_of_every_story_breaks_nothing() {
    type Story = fn(Trouble) -> World;
    let stories: [(&str, Story); 4] = [
        ("peer", |trouble| peak_to_a_peer(1).trouble(trouble)),
        ("callback", |trouble| callback(1, None, trouble)),
        ("forty seconds", |trouble| forty_seconds(1, trouble)),
        ("tickets", |trouble| tickets(1, trouble)),
    ];
    for (name, story) in stories {
        let steps = kept(story(Trouble::NONE).run()).steps;
        assert!(steps > 5, "{name}");
        for step in 0..=steps {
            let report = story(Trouble::hang_up_at(step)).run();
            if let Err(failure) = report.verdict() {
                panic!("{name}, hang-up at step {step}: {failure}");
            }
        }
    }
}

#[test]
fn a_hang_up_at_any_step_of_a_bad_day_breaks_nothing() {
    /// More than the longest of these stories has.
    const STEPS_MAX: u64 = 40;
    for seed in seeds() {
        let step = u32::try_from(Dice::new(seed).roll() % STEPS_MAX).unwrap();
        let trouble = Trouble { hang_up_at_step: Some(step), ..Trouble::bad_day() };
        kept(peak_to_a_peer(seed).trouble(trouble).run());
        kept(callback(seed, None, trouble).run());
        kept(tickets(seed, trouble).run());
    }
}

#[test]
fn operators_who_vanish_ignore_reject_and_drop_keep_nobody_waiting() {
    for seed in seeds() {
        let mut dice = Dice::new(seed);
        let names = ["anna", "boris", "vera"];
        let mut world = world(seed, centre(&names, &["tomsk"], open())).trouble(Trouble::bad_day());
        for name in names {
            world = world.operator(name, Operator::answers().and_talks_s(15).and_up_to_s_more(40).or_else(20, 20, 20));
            for _ in 0..4 {
                let after = Duration::from_millis(dice.roll() % 240_000);
                let order = match dice.roll() % 8 {
                    0 => OperatorOrder::Reachable(false),
                    1 | 2 => OperatorOrder::Reachable(true),
                    3 => OperatorOrder::Pause(PauseReason::Own(Arc::from("lunch"))),
                    4 => OperatorOrder::LogOut(LogoutReason::Own),
                    5 => OperatorOrder::LogIn,
                    6 => OperatorOrder::Pause(PauseReason::Supervisor),
                    _ => OperatorOrder::Ready,
                };
                world = world.operator_does(after, name, order);
            }
        }
        world = world.operator("tomsk", Operator::answers().and_talks_s(30).or_else(30, 30, 10));
        for at in 0..12 {
            let caller = Caller::dials("122").from(&format!("+7913000{}", 1_000 + at)).after(s(at * 5)).presses("0");
            world = world.caller(match dice.roll() % 4 {
                0 => caller.hears("[callback offer]").presses("1"),
                1 => caller.waits(Duration::from_millis(dice.roll() % 60_000)).hangs_up(),
                _ => caller,
            });
        }
        kept(world.run());
    }
}

#[test]
fn whatever_callers_press_has_a_sensible_end() {
    const KEYS: [char; 12] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'];
    for seed in seeds() {
        let mut dice = Dice::new(seed);
        let mut world =
            world(seed, centre(&["anna"], &[], open())).operator("anna", Operator::answers().and_talks_s(45));
        for at in 0..8 {
            let mut keys = |count: u64| -> String {
                (0..count).map(|_| KEYS[usize::try_from(dice.roll() % 12).unwrap()]).collect()
            };
            let mut caller = Caller::dials(if at % 5 == 4 { "123" } else { "122" }).after(s(at * 3));
            caller = match at % 4 {
                // A telephone without keys.
                0 => caller,
                1 => caller.types_ahead(&keys(50)).presses("0").hears("[callback offer]").presses(&keys(50)),
                2 => caller.presses("0").hears("[callback offer]").presses("2").presses(&keys(12)).presses(&keys(2)),
                _ => caller.anonymous().presses("0").hears("[callback offer").presses("*#").types_ahead(&keys(30)),
            };
            world = world.caller(caller);
        }
        let report = kept(world.run());
        // Whoever sends no digits at all comes to a person.
        let silent = callers(&report)[..].iter().filter(|record| record.landing.is_some()).count();
        assert!(silent > 0, "seed {seed}");
    }
}

#[test]
fn callees_who_are_busy_away_or_refuse_are_tried_again_and_escalated() {
    for (behaves, least) in [(Operator::busy(), 2), (Operator::no_answer(), 2), (Operator::rejects(603), 1)] {
        let report = kept(
            world(3, centre(&["anna"], &[], open()))
                .operator("+7********07", behaves)
                .caller(Caller::dials("123").from("+79130000007").waits(s(4)).hangs_up())
                .run(),
        );
        let promised = report.callbacks.first().unwrap();
        assert!(promised.attempts.len() >= least, "{promised:?}\n{}", report.timed_transcript());
        assert!(!matches!(promised.state, CallbackState::Connected { .. }));
    }
}

#[test]
fn one_seed_replays_exactly() {
    let run = || callback(7, Some(s(61)), Trouble::bad_day()).run().trace;
    assert_eq!(run(), run());
    assert!(Agency::new("a") != Agency::new("b"));
}
