//! A call's script once more, from its journal: the same to the bit on the same version, followed and told on another.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::input::{Collected, Outcome, Value};
use gudok_core::privacy::Keys;
use gudok_core::script::{CallError, EndReason, LandingCause, PlaybackEnd, Reply, ScriptEnd, TransferOutcome};
use gudok_plugin_host::journal::{CallJournal, Journal, JournalEnd, JournalError, Wants};
use gudok_plugin_host::ports::Ports;
use gudok_plugin_host::replay::{ReplayReport, Verdict, replay};
use gudok_plugin_host::{CallStart, RunReport, Version};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Bench, CALL_WAIT, FakeCall, Then, WAIT, guest, ports, run_paused, start};

const BYTES_MAX: usize = 64 * 1024;

/// Keeps whole journals.
struct Shelf {
    bytes_max: usize,
    kept: Mutex<Vec<CallJournal>>,
}

impl Journal for Shelf {
    fn wants(&self) -> Wants {
        Wants::Whole { bytes_max: self.bytes_max }
    }
    fn keep(&self, journal: CallJournal) {
        self.kept.lock().unwrap().push(journal);
    }
}

fn shelf(bytes_max: usize) -> Arc<Shelf> {
    Arc::new(Shelf { bytes_max, kept: Mutex::default() })
}

/// Runs a call and keeps its journal.
fn journaled(version: &Arc<Version>, call: Arc<FakeCall>, ports: Ports, bytes_max: usize) -> (RunReport, CallJournal) {
    let shelf = shelf(bytes_max);
    let report = run_paused(version, start(call, ports, Some(Arc::clone(&shelf) as _)));
    let journal = shelf.kept.lock().unwrap().pop().unwrap();
    (report, journal)
}

fn replayed(version: &Arc<Version>, journal: &CallJournal) -> ReplayReport {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(replay(version, journal)).unwrap()
}

const SAY: &str = r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.say"
    (func $say (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;
const STEP: &str = r#"(import "gudok:ivr/host@0.1.0" "step" (func $step (param i32 i32)))"#;
const CLOCK: &str = r#"(import "gudok:ivr/host@0.1.0" "now-millis" (func $now (result i64)))
    (import "gudok:ivr/host@0.1.0" "random-u64" (func $random (result i64)))
    (import "gudok:ivr/host@0.1.0" "data" (func $data (param i32 i32 i32)))"#;
const COLLECT: &str = r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.collect" (func $collect (param i32 i32)))"#;
const TEXTS: &str = r#"(data (i32.const 3000) "menu") (data (i32.const 3010) "words.txt") (data (i32.const 3030) "welcome") (data (i32.const 3040) "goodbye")"#;
const STEP_MENU: &str = "(call $step (i32.const 3000) (i32.const 4))";
const LOOK_AROUND: &str =
    "(drop (call $now)) (drop (call $random)) (call $data (i32.const 3010) (i32.const 9) (global.get $ret))";

/// Says the text at a place, which may be kept.
fn say(at: u32) -> String {
    format!(
        "(i32.store8 (i32.const 5000) (i32.const 0)) (i32.store (i32.const 5008) (i32.const {at})) (i32.store (i32.const 5012) (i32.const 7))
         (call $say (local.get $call) (i32.const 5000) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1) (global.get $ret))
         (if (call $failed) (then (return (call $fail))))"
    )
}

/// Asks for so many digits; `sensitive` lies behind grammar (16), modes, prompt, two timeouts and retry.
fn ask(max: u32) -> String {
    format!(
        "(i32.store (i32.const 4096) (local.get $call))
         (i32.store8 (i32.const 4100) (i32.const 0)) (i32.store8 (i32.const 4104) (i32.const 1)) (i32.store8 (i32.const 4105) (i32.const {max}))
         (i32.store8 (i32.const 4252) (i32.const 1))
         (call $collect (i32.const 4096) (global.get $ret))
         (if (call $failed) (then (return (call $fail))))"
    )
}

fn heard() -> Result<Reply, CallError> {
    Ok(Reply::Playback(PlaybackEnd { finished: true, interrupted_by: None, at: Duration::from_millis(900) }))
}

fn entered(keys: &str) -> Result<Reply, CallError> {
    let value = Value::Text(keys.to_owned());
    Ok(Reply::Outcome(Outcome::Ok(Collected { value, raw: Keys::new(keys.to_owned()), attempt: 1 })))
}

fn imports() -> String {
    format!("{WAIT} {SAY} {STEP} {CLOCK} {COLLECT}")
}

#[test]
fn the_same_version_is_the_same_to_the_bit() {
    let body = format!("{LOOK_AROUND} {STEP_MENU} {} {} {CALL_WAIT}", say(3030), ask(4));
    let version = Bench::new(2).load(&guest(&imports(), TEXTS, &body), "");
    let call = FakeCall::answering([heard(), entered("4321"), Ok(Reply::Done)]);
    let (report, journal) = journaled(&version, call, ports(), BYTES_MAX);
    assert!(matches!(report.end, ScriptEnd::Returned(_)), "{report:?}");
    let replay = replayed(&version, &journal);
    assert_eq!(replay.verdict, Verdict::Identical, "{replay:#?}");
    assert_eq!((replay.same_calls, replay.host_calls), (7, 7));
    // By way of its bytes, as a pipe or a file has them.
    let again = CallJournal::from_bytes(&journal.to_bytes()).unwrap();
    assert_eq!(again.header, journal.header);
    assert_eq!(replayed(&version, &again), replay);
    assert_eq!(CallJournal::from_bytes(&journal.to_bytes()[1..]).unwrap_err(), JournalError::Damaged);
    // What people see of it.
    let steps = journal.steps().unwrap();
    let shown = serde_json::to_string(&steps).unwrap();
    assert!(!shown.contains("4321"), "{shown}");
    assert_eq!(steps[3].line, "step menu");
    assert_eq!(steps[4].line, "say “welcome” → heard");
    assert!(steps[5].line.contains("sensitive") && steps[5].step == "menu", "{}", steps[5].line);
    // The bundle's file is in no journal: the journal knows the bundle.
    assert!(!String::from_utf8_lossy(journal.page()).contains("слова"));
}

#[test]
fn what_the_host_stopped_stops_at_the_same_host_call() {
    let body = format!("{STEP_MENU} {CALL_WAIT} {CALL_WAIT}");
    let version = Bench::new(2).load(&guest(&imports(), TEXTS, &body), "[limits]\nwall_s_per_call = 60");
    let call = FakeCall::answering([Ok(Reply::Done)]);
    *call.then.lock().unwrap() = Then::Hang;
    let (report, journal) = journaled(&version, call, ports(), BYTES_MAX);
    assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Timeout));
    let replay = replayed(&version, &journal);
    assert_eq!(replay.verdict, Verdict::Identical, "{replay:#?}");
    assert_eq!(replay.outcome.by_host.as_deref(), Some("timeout"));
    let trap = Bench::new(2).load(&guest(&imports(), TEXTS, &format!("{CALL_WAIT} (unreachable)")), "");
    let (report, journal) = journaled(&trap, FakeCall::then(Then::Done), ports(), BYTES_MAX);
    assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Trap));
    assert_eq!(replayed(&trap, &journal).verdict, Verdict::Identical);
}

#[test]
fn another_version_is_followed_until_it_asks_something_else() {
    let bench = Bench::new(4);
    let load = |version: &str, body: &str| {
        let manifest = support::manifest("").replace("1.0.0", version);
        let component = support::component(&guest(&imports(), TEXTS, body), "service");
        bench.host.load(&support::bundle(&manifest, component), &support::admission()).unwrap()
    };
    let first = load("1.0.0", &format!("{STEP_MENU} {} {} {CALL_WAIT}", say(3030), ask(4)));
    let call = FakeCall::answering([heard(), entered("4321"), Ok(Reply::Done)]);
    let (_, journal) = journaled(&first, call, ports(), BYTES_MAX);

    let other_words = load("1.1.0", &format!("{STEP_MENU} {} {} {CALL_WAIT}", say(3040), ask(6)));
    let report = replayed(&other_words, &journal);
    assert_eq!((report.verdict, report.changes.len()), (Verdict::SameOutcome, 0), "{report:#?}");
    let told: Vec<&str> = report.differences.iter().map(|difference| difference.what.as_str()).collect();
    assert!(told[0].contains("goodbye") && told[0].contains("welcome"), "{told:?}");
    assert_eq!((report.same_calls, report.was.version.as_str(), report.is.version.as_str()), (1, "1.0.0", "1.1.0"));

    let more_words = load("1.2.0", &format!("{STEP_MENU} {} {} {} {CALL_WAIT}", say(3030), say(3040), ask(4)));
    let report = replayed(&more_words, &journal);
    assert_eq!(report.verdict, Verdict::SameOutcome, "{report:#?}");

    let fewer_words = load("1.3.0", &format!("{} {LOOK_AROUND} {CALL_WAIT}", ask(4)));
    let report = replayed(&fewer_words, &journal);
    assert_eq!(report.verdict, Verdict::SameOutcome, "{report:#?}");
    assert!(report.differences[0].what.contains("leaves out"), "{report:#?}");

    let shorter = load("1.4.0", &format!("{STEP_MENU} {} {} {CALL_WAIT}", say(3030), ask(3)));
    let report = replayed(&shorter, &journal);
    let parting = report.parting.clone().unwrap();
    assert_eq!((report.verdict, parting.seq, parting.step.as_str()), (Verdict::Parted, 3, "menu"), "{report:#?}");
    assert!(parting.why.contains("too long"), "{parting:?}");

    let asks_twice = load("1.5.0", &format!("{STEP_MENU} {} {} {}", say(3030), ask(4), ask(4)));
    let report = replayed(&asks_twice, &journal);
    let parting = report.parting.clone().unwrap();
    assert!(parting.expected.is_none() && parting.found.unwrap().contains("collect"), "{}", parting.why);

    let ends_early = load("1.6.0", &format!("{STEP_MENU} {}", say(3030)));
    let parting = replayed(&ends_early, &journal).parting.unwrap();
    assert!(parting.expected.unwrap().contains("collect") && parting.found.is_none(), "{}", parting.why);
    assert!(!format!("{report:?}").contains("4321"), "what was entered is in no report");
}

#[test]
fn who_hung_up_has_hung_up_in_the_other_version_too() {
    let bench = Bench::new(4);
    let load = |version: &str, body: &str| {
        let manifest = support::manifest("").replace("1.0.0", version);
        let component = support::component(&guest(&imports(), TEXTS, body), "service");
        bench.host.load(&support::bundle(&manifest, component), &support::admission()).unwrap()
    };
    let first = load("1.0.0", &format!("{} {}", say(3030), ask(4)));
    let gone = CallError::Ended(EndReason::CallerHangup);
    let (report, journal) = journaled(&first, FakeCall::answering([Err(gone.clone())]), ports(), BYTES_MAX);
    assert_eq!(report.end, ScriptEnd::Failed(gone));
    assert_eq!(replayed(&first, &journal).verdict, Verdict::Identical);
    // It does not say what the caller hung up in.
    let second = load("1.1.0", &ask(4));
    let report = replayed(&second, &journal);
    assert_eq!(report.verdict, Verdict::SameOutcome, "{report:#?}");
    assert!(report.outcome.result.contains("ended"), "{report:#?}");
}

#[test]
fn a_journal_that_is_too_long_says_so_and_what_was_let_go_is_kept() {
    let body = format!("(loop $again {STEP_MENU} {CALL_WAIT} (br $again))");
    let version = Bench::new(2).load(&guest(&imports(), TEXTS, &body), "[limits]\nhost_calls_max = 200");
    let (report, journal) = journaled(&version, FakeCall::then(Then::Done), ports(), 1_000);
    assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Quota));
    assert!(journal.header.is_cut && journal.header.host_calls == 200, "{:?}", journal.header);
    let replay = replayed(&version, &journal);
    assert_eq!(replay.verdict, Verdict::JournalEnds, "{replay:#?}");
    assert!(replay.same_calls > 10 && replay.same_calls < 200, "{}", replay.same_calls);

    let shelf = shelf(BYTES_MAX);
    let start: CallStart = start(FakeCall::then(Then::Hang), ports(), Some(Arc::clone(&shelf) as _));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (_control, run) = gudok_plugin_host::run(Arc::clone(&version), start);
    runtime.block_on(async {
        let mut run = std::pin::pin!(run);
        tokio::select! {
            biased;
            _ = &mut run => panic!("it waits for ever"),
            () = tokio::task::yield_now() => {}
        }
    });
    let journal = shelf.kept.lock().unwrap().pop().unwrap();
    assert_eq!(journal.end().unwrap(), JournalEnd::Dropped);
    assert_eq!(journal.steps().unwrap().len(), 2);
    let replay = replayed(&version, &journal);
    assert_eq!(replay.verdict, Verdict::JournalEnds, "{replay:#?}");
}

#[test]
fn a_caller_who_is_handed_to_somebody_else_is_told_of() {
    const TRANSFER: &str = r#"(import "gudok:ivr/transfer@0.1.0" "transfer" (func $transfer (param i32 i32)))"#;
    let bench = Bench::new(4);
    let rights = "[capabilities]\ntransfer = { groups = [\"operators\", \"nightdesk\"], modes = [\"bridge\"] }";
    let hand = |at: u32, len: u32| {
        format!(
            "(i32.store (i32.const 4096) (local.get $call)) (i32.store8 (i32.const 4100) (i32.const 0))
             (i32.store (i32.const 4104) (i32.const {at})) (i32.store (i32.const 4108) (i32.const {len}))
             (i32.store8 (i32.const 4112) (i32.const 2)) (i32.store (i32.const 4116) (i32.const 1000))
             (call $transfer (i32.const 4096) (global.get $ret))
             (if (call $failed) (then (return (call $fail))))"
        )
    };
    let data = "(data (i32.const 3000) \"operatorsnightdesk\")";
    let load = |version: &str, body: &str| {
        let manifest = support::manifest(rights).replace("1.0.0", version);
        let component = support::component(&guest(TRANSFER, data, body), "service");
        bench.host.load(&support::bundle(&manifest, component), &support::admission()).unwrap()
    };
    let first = load("1.0.0", &hand(3000, 9));
    let call = FakeCall::answering([Ok(Reply::Transfer(TransferOutcome::Busy))]);
    let (report, journal) = journaled(&first, call, ports(), BYTES_MAX);
    assert!(matches!(report.end, ScriptEnd::Returned(_)), "{report:?}");
    let same = replayed(&first, &journal);
    assert_eq!((same.verdict, same.outcome.transfers.len()), (Verdict::Identical, 1), "{same:#?}");
    let second = load("1.1.0", &hand(3009, 9));
    let parting = replayed(&second, &journal).parting.unwrap();
    assert!(parting.expected.unwrap().contains("operators") && parting.found.unwrap().contains("nightdesk"));
    // What another version may not do is refused to it, and it goes on with that.
    let third = {
        let manifest =
            support::manifest("[capabilities]\ntransfer = { groups = [\"operators\"], modes = [\"bridge\"] }")
                .replace("1.0.0", "1.2.0");
        let component = support::component(&guest(TRANSFER, data, &hand(3009, 9)), "service");
        bench.host.load(&support::bundle(&manifest, component), &support::admission()).unwrap()
    };
    let report = replayed(&third, &journal);
    assert!(report.differences.iter().any(|difference| difference.what.contains("is refused")), "{report:#?}");
}
