//! Conversations in a world: what scripts in Rust, callers and operators make of each other.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use gudok_core::calendar::Calendar;
use gudok_core::leg::HangupCause;
use gudok_core::script::{
    CallError, LandingCause, ScriptEnd, StoppedBy, TransferMode, TransferOutcome, TransferTarget,
};
use gudok_simulator::{Caller, Operator, Report, ScriptCall, Trouble, World, returned};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A centre whose menu leads to hours, a message, or a person.
async fn centre(call: ScriptCall) -> Result<ScriptEnd, CallError> {
    const MENU: &str = "Hours: 1. Message: 2. A person: 0.";
    call.say("Good day.").await?;
    let choices = [("1", "hours"), ("2", "message"), ("0", "person")];
    match call.ask(MENU, &choices).await?.as_deref() {
        Some("hours") => {
            call.say("From eight to five.").await?;
            call.hang_up("Goodbye.").await?;
            Ok(returned("served"))
        }
        Some("message") => {
            let message = call.record_message().await?;
            call.tag("message", &message.id).await?;
            call.say("Thank you.").await?;
            Ok(returned("served"))
        }
        Some("person") => {
            let outcome = call.transfer_to_group("operators").await?;
            if !matches!(outcome, TransferOutcome::BridgedThenReturned(_)) {
                call.say("Nobody is free.").await?;
            }
            Ok(returned("transferred"))
        }
        _ => Ok(returned("no-service")),
    }
}

fn world(seed: u64) -> World {
    World::new(seed)
        .number("122", "city", "main")
        .operators("operators", &["anna", "boris"])
        .script("city", "main", centre)
}

fn called(steps: impl FnOnce(Caller) -> Caller) -> World {
    world(1).caller(steps(Caller::dials("122")))
}

#[test]
fn a_caller_hears_the_hours() {
    called(|caller| caller.presses("1")).run().check(
        "host: Good day.\n\
         host: Hours: 1. Message: 2. A person: 0.\n\
         caller: 1\n\
         host: From eight to five.\n\
         host: Goodbye.\n\
         host hangs up",
    );
}

#[test]
fn who_knows_the_menu_does_not_listen_to_it() {
    let patient = called(|caller| caller.presses("1")).run();
    for by_info in [false, true] {
        let way = |caller: Caller| if by_info { caller.by_info() } else { caller };
        let interrupting = called(|caller| way(caller).interrupts("1")).run();
        interrupting.check(&patient.transcript());
        assert!(interrupting.ended.since(patient.ended).is_zero() && interrupting.ended < patient.ended);
        let ahead = called(|caller| way(caller).types_ahead("1")).run();
        ahead.check(
            "host: Good day.\n\
             caller: 1\n\
             host: From eight to five.\n\
             host: Goodbye.\n\
             host hangs up",
        );
    }
}

#[test]
fn silence_and_wrong_keys_are_asked_again_and_then_landed() {
    called(|caller| caller.stays_silent().presses("7").hears("[apology]").hangs_up()).run().check(
        "host: Good day.\n\
         host: Hours: 1. Message: 2. A person: 0.\n\
         host: Hours: 1. Message: 2. A person: 0.\n\
         caller: 7\n\
         host: Hours: 1. Message: 2. A person: 0.\n\
         host: [apology]\n\
         caller hangs up",
    );
}

#[test]
fn a_message_is_kept_however_it_ends() {
    let check = |steps: fn(Caller) -> Caller, by: StoppedBy| {
        let report = called(|caller| steps(caller.presses("2"))).run();
        report.verdict().unwrap();
        assert_eq!(report.records[0].recordings.iter().map(|kept| kept.stopped_by).collect::<Vec<_>>(), [by]);
        report
    };
    let report = check(|caller| caller.speaks(SECOND * 5), StoppedBy::Silence);
    assert!(report.transcript().contains("caller speaks for 5 s\nhost: Thank you."));
    assert_eq!(&*report.records[0].tags[0].1, "0-1");
    check(|caller| caller.speaks(SECOND * 100), StoppedBy::Max);
    check(|caller| caller.speaks(SECOND * 50).types_ahead("#"), StoppedBy::Key);
    check(|caller| caller.speaks(SECOND * 50).hangs_up(), StoppedBy::Hangup);
}

#[test]
fn the_first_operator_who_answers_has_the_caller() {
    let report = called(|caller| caller.presses("0")).run();
    assert!(report.transcript().contains("host → anna\nanna answers\ncaller ↔ anna\nanna hangs up\nhost hangs up"));

    let report = world(1)
        .operator("anna", Operator::busy())
        .operator("boris", Operator::no_answer())
        .caller(Caller::dials("122").presses("0"))
        .run();
    let expect = "host → anna\nanna is busy\nhost → boris\nboris does not answer\nhost: Nobody is free.";
    assert!(report.transcript().contains(expect), "{}", report.transcript());
    let causes: Vec<_> = report.records.iter().map(|record| record.cause).collect();
    assert_eq!(causes, [HangupCause::Busy, HangupCause::NoAnswer, HangupCause::EngineHangup]);
}

#[test]
fn an_operator_passes_the_caller_on() {
    let passing = Operator::answers().and_passes_on_after_s(20, "701");
    let report = world(1).extension("701").operator("anna", passing).caller(Caller::dials("122").presses("0")).run();
    let expect = "caller ↔ anna\nanna passes the caller on to 701\nhost → 701\n701 answers\ncaller ↔ 701\n701 hangs up";
    assert!(report.transcript().contains(expect), "{}", report.transcript());
    report.verdict().unwrap();
}

#[test]
fn at_night_a_failed_script_ends_in_words() {
    let never = Calendar::new(jiff::tz::TimeZone::UTC, std::array::from_fn(|_| vec![]), BTreeMap::new());
    World::new(1)
        .number("122", "city", "main")
        .operators_working("operators", &["anna"], never)
        .script("city", "main", |_| async { Ok(ScriptEnd::Stopped(LandingCause::Trap)) })
        .caller(Caller::dials("122"))
        .run()
        .check("script: stopped (trap)\nhost: [apology]\nhost: [closed]\nhost hangs up");
}

#[test]
fn a_blind_transfer_is_the_callers_own() {
    let script = |call: ScriptCall| async move {
        call.transfer(TransferTarget::Extension(Arc::from("701")), TransferMode::Blind).await?;
        Ok(returned("transferred"))
    };
    let run = |caller: Caller| {
        World::new(1).number("122", "city", "main").extension("701").script("city", "main", script).caller(caller).run()
    };
    run(Caller::dials("122")).check("host refers the caller to 701\nhost hangs up");
    let refused = run(Caller::dials("122").refuses_refer(603));
    assert_eq!(refused.records[0].transfer.as_ref().unwrap().outcome, TransferOutcome::Rejected(603));
}

#[test]
fn a_hold_stops_the_callers_clock_only() {
    let report = called(|caller| caller.hears("Hours").holds(SECOND * 120).presses("1")).run();
    let menus = report.lines.iter().filter(|line| line.text.starts_with("host: Hours")).count();
    assert_eq!(menus, 1, "{}", report.timed_transcript());
    report.verdict().unwrap();
}

#[test]
fn the_overlay_is_heard_first_by_everybody() {
    let report = world(1)
        .overlay("Flood!")
        .caller(Caller::dials("122").types_ahead("1"))
        .caller(Caller::dials("122").after(SECOND).presses("1"))
        .run();
    report.verdict().unwrap();
    for call in 0..2 {
        let first = report.lines.iter().find(|line| line.call == call && line.text.starts_with("host")).unwrap();
        assert_eq!(first.text, "host: Flood!");
    }
    assert!(report.records.iter().all(|record| record.overlay_heard));
}

#[test]
fn a_call_keeps_its_version_over_a_deployment() {
    let slow = |call: ScriptCall| async move {
        call.say("Old.").await?;
        call.wait(SECOND * 60).await?;
        call.say("Still old.").await?;
        Ok(returned("served"))
    };
    let new = |call: ScriptCall| async move {
        call.say("New.").await?;
        Ok(returned("served"))
    };
    let report = World::new(1)
        .number("122", "city", "main")
        .script("city", "main", slow)
        .deploys(SECOND * 30, "city", "main", "2.0.0", new)
        .caller(Caller::dials("122"))
        .caller(Caller::dials("122").after(SECOND * 40))
        .run();
    report.check(
        "#1 host: Old.\n\
         #2 host: New.\n\
         #2 host hangs up\n\
         #1 host: Still old.\n\
         #1 host hangs up",
    );
    let versions: Vec<_> = report.records.iter().map(|record| &*record.scripts[0].version).collect();
    assert_eq!(versions, ["2.0.0", "1.0.0"]);
}

#[test]
fn a_drain_deadline_moves_the_rest_to_an_operator_and_cuts_nobody_off() {
    let old = |call: ScriptCall| async move {
        if call.ask("Press one for anna.", &[("1", "anna")]).await?.is_some() {
            call.transfer_to_group("desk").await?;
        }
        call.wait(SECOND * 300).await?;
        Ok(returned("served"))
    };
    let report = World::new(1)
        .number("122", "city", "main")
        .operators("desk", &["anna"])
        .operators("operators", &["boris"])
        .operator("anna", Operator::answers().and_talks_s(90))
        .operator("boris", Operator::answers().and_talks_s(10))
        .script("city", "main", old)
        .drains(SECOND * 60)
        .caller(Caller::dials("122").presses("1"))
        .caller(Caller::dials("122").after(SECOND * 2).hears("connecting"))
        .run();
    report.verdict().unwrap();
    let of = |call: usize| -> Vec<&str> {
        report.lines.iter().filter(|line| line.call == call).map(|line| line.text.as_str()).collect()
    };
    // Who talks to an operator hears nothing of it, and talks to the end.
    let told = ["host: Press one for anna.", "caller: 1", "host → anna", "anna answers", "caller ↔ anna"];
    assert_eq!(of(0), [&told[..], &["anna hangs up", "host hangs up"]].concat());
    let moved =
        ["host: [connecting]", "host → boris", "boris answers", "caller ↔ boris", "boris hangs up", "host hangs up"];
    assert_eq!(of(1), [&["host: Press one for anna."; 3][..], &moved].concat());
    let landings: Vec<_> = report.records.iter().filter_map(|record| record.landing).collect();
    assert_eq!(landings, [LandingCause::Drained, LandingCause::Drained]);
}

#[test]
fn one_agency_hands_a_caller_to_another() {
    let front = |call: ScriptCall| async move {
        call.transfer_to_script("passport").await?;
        Ok(returned("transferred"))
    };
    let passport = |call: ScriptCall| async move {
        call.say("Passports.").await?;
        Ok(ScriptEnd::Stopped(LandingCause::Cpu))
    };
    let report = World::new(1)
        .number("122", "city", "main")
        .script("city", "main", front)
        .script("police", "desk", passport)
        .reaches("city", "passport", ("police", "desk"))
        .operators("station", &["vera"])
        .fallback("police", "station")
        .caller(Caller::dials("122"))
        .run();
    report.check(
        "host: Passports.\n\
         script: stopped (cpu)\n\
         host: [apology]\n\
         host → vera\n\
         vera answers\n\
         caller ↔ vera\n\
         vera hangs up\n\
         host hangs up",
    );
}

#[test]
fn a_script_that_never_waits_is_found() {
    let spinning = |call: ScriptCall| async move {
        loop {
            call.request(gudok_core::script::Request::Ended).await?;
        }
    };
    let report =
        World::new(5).number("122", "city", "main").script("city", "main", spinning).caller(Caller::dials("122")).run();
    let failure = report.verdict().unwrap_err();
    assert_eq!(failure.seed, 5);
    assert!(failure.what.contains("never waits"), "{failure}");
}

#[test]
fn numbers_and_entries_that_are_not_there() {
    world(1).caller(Caller::dials("999")).run().check("host rejects (404)");
    let report = World::new(1)
        .number("122", "city", "nothing")
        .operators("operators", &["anna"])
        .caller(Caller::dials("122").hears("apology").hangs_up())
        .run();
    report.check("script: stopped (refused)\nhost: [apology]\ncaller hangs up");
}

fn bad_day(seed: u64) -> Report {
    let mut world = world(seed)
        .trouble(Trouble::bad_day())
        .operator("anna", Operator::rejects(503))
        .operator("boris", Operator::answers().and_talks_s(15));
    for number in 0..6 {
        let caller = Caller::dials("122").after(SECOND * number);
        world = world.caller(match number {
            0 => caller.presses("1"),
            1 => caller.interrupts("2").speaks(SECOND * 3),
            2 => caller.presses("0"),
            3 => caller.stays_silent().presses("9").presses("0").waits(SECOND * 8).hangs_up(),
            4 => caller.holds(SECOND * 9).presses("1").by_info(),
            _ => caller.hears("Hours").hangs_up(),
        });
    }
    world.run()
}

#[test]
fn a_run_is_replayed_from_its_seed_byte_for_byte() {
    let mut different = 0;
    for seed in 0..40 {
        let (one, two) = (bad_day(seed), bad_day(seed));
        one.verdict().unwrap();
        assert_eq!(one.trace, two.trace);
        assert_eq!((one.timed_transcript(), &one.records), (two.timed_transcript(), &two.records));
        different += u32::from(one.transcript() != bad_day(seed + 1_000).transcript());
    }
    assert!(different > 20, "the seed changes nothing: only {different} of 40 differ");
}

#[test]
fn a_caller_may_hang_up_at_every_step() {
    for keys in ["1", "2", "0"] {
        let caller = || Caller::dials("122").presses(keys).speaks(SECOND * 4);
        let steps = world(1).caller(caller()).run().steps;
        assert!(steps > 5);
        for step in 0..steps {
            let report = world(1).trouble(Trouble::hang_up_at(step)).caller(caller()).run();
            report.verdict().unwrap_or_else(|failure| panic!("keys {keys}, step {step}: {failure}"));
            assert!(report.transcript().contains("caller hangs up"), "keys {keys}, step {step}");
        }
    }
}

#[test]
fn sensitive_keys_are_stars_everywhere() {
    use gudok_core::input::{CollectOptions, Grammar, Outcome, Retry};
    let script = |call: ScriptCall| async move {
        let options = CollectOptions {
            grammar: Grammar::Digits { min: 4, max: 4, terminators: String::new() },
            dtmf: true,
            speech: false,
            prompt: Some(gudok_simulator::prompt("Your code?")),
            first_timeout: SECOND * 5,
            inter_digit: SECOND * 5,
            retry: Retry { attempts: 1, no_input: None, no_match: None },
            sensitive: true,
            global_keys: vec![],
        };
        match call.collect(options).await? {
            Outcome::Ok(collected) => assert_eq!(collected.raw.reveal(), "8642"),
            other => panic!("{other:?}"),
        }
        call.say("Thank you.").await?;
        Ok(returned("served"))
    };
    for steps in [Caller::presses, Caller::interrupts] {
        let report = World::new(1)
            .number("122", "city", "main")
            .script("city", "main", script)
            .caller(steps(Caller::dials("122").anonymous(), "8642"))
            .run();
        assert!(report.transcript().contains("caller: *\ncaller: *\ncaller: *\ncaller: *\nhost: Thank you."));
        assert!(!report.trace.contains("'8'"), "{}", report.trace);
        report.verdict().unwrap();
    }
}
