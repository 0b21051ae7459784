//! What a script says to its call, and what it hears: both ways over the boundary, in order.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::input::{Collected, Grammar, Outcome, Value};
use gudok_core::privacy::Keys;
use gudok_core::prompt::Segment;
use gudok_core::script::{CallError, EndReason, HandleId, PlaybackEnd, Reply, Request, ScriptEnd};
use gudok_plugin_host::journal::{Journal, JournalEntry};
use gudok_plugin_host::ports::Ports;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

const SAY: &str = r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.say"
    (func $say (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;

/// One segment with a text: its case, and where the text lies.
fn segment(at: u32, case: u32, text_at: u32, text_len: usize) -> String {
    format!(
        "(i32.store8 (i32.const {at}) (i32.const {case})) (i32.store offset=8 (i32.const {at}) (i32.const {text_at}))
         (i32.store offset=12 (i32.const {at}) (i32.const {text_len}))"
    )
}

/// Says the segments at 4096; interruptible by keys, not kept.
fn say(count: u32) -> String {
    format!(
        "(call $say (local.get $call) (i32.const 4096) (i32.const {count}) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (global.get $ret))
         (if (call $failed) (then (return (call $fail))))"
    )
}

#[test]
fn a_prompt_arrives_as_it_was_said() {
    let text = "Здравствуйте";
    let data = format!("(data (i32.const 3000) \"{text}welcome\")");
    let name_at = 3000 + u32::try_from(text.len()).unwrap();
    let body = format!(
        "{} {} (i32.store8 (i32.const 4208) (i32.const 3)) (i64.store (i32.const 4216) (i64.const 21)) {}",
        segment(4096, 0, 3000, text.len()),
        segment(4152, 2, name_at, "welcome".len()),
        say(3)
    );
    let version = Bench::new(2).load(&guest(SAY, &data, &body), "");
    let heard = PlaybackEnd { finished: true, interrupted_by: Some('1'), at: Duration::from_millis(5) };
    let call = FakeCall::answering([Ok(Reply::Playback(heard))]);
    let report = run_paused(&version, start(Arc::clone(&call) as _, ports(), None));
    assert!(matches!(report.end, ScriptEnd::Returned(_)), "{report:?}");
    let asked = call.asked();
    let [Request::Say(prompt)] = asked.as_slice() else { panic!("{asked:?}") };
    let [Segment::Text(said), Segment::Media(name), Segment::Number { value: 21, .. }] = prompt.segments.as_slice()
    else {
        panic!("{prompt:?}")
    };
    assert_eq!((said.as_str(), name.as_str()), (text, "welcome"));
    assert!(prompt.barge_in.dtmf && !prompt.barge_in.speech && !prompt.cacheable && prompt.lang.is_none());
}

#[test]
fn a_recording_that_is_not_there_is_found_before_play() {
    let body = format!("{} {}", segment(4096, 2, 3000, 7), say(1));
    let version = Bench::new(2).load(&guest(SAY, "(data (i32.const 3000) \"missing\")", &body), "");
    let call = FakeCall::then(Then::Done);
    let report = run_paused(&version, start(Arc::clone(&call) as _, ports(), None));
    let ScriptEnd::Failed(CallError::NotFound(what)) = report.end else { panic!("{report:?}") };
    assert!(what.contains("missing"));
    assert!(call.asked().is_empty());
}

#[test]
fn a_background_player_is_dropped_with_its_handle() {
    let imports = r#"
        (import "gudok:ivr/telephony@0.1.0" "[method]call.play-background"
            (func $play (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
        (import "gudok:ivr/telephony@0.1.0" "[method]player.pause" (func $pause (param i32 i32)))
        (import "gudok:ivr/telephony@0.1.0" "[resource-drop]player" (func $drop (param i32)))"#;
    let body = "(call $play (local.get $call) (i32.const 4096) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (global.get $ret))
        (if (call $failed) (then (return (call $fail))))
        (call $pause (i32.load offset=4 (global.get $ret)) (i32.const 4200))
        (call $drop (i32.load offset=4 (global.get $ret)))";
    let version = Bench::new(2).load(&guest(imports, "", body), "");
    let call = FakeCall::answering([Ok(Reply::Handle(HandleId(77)))]);
    run_paused(&version, start(Arc::clone(&call) as _, ports(), None));
    let asked = call.asked();
    assert!(matches!(asked[0], Request::PlayBackground { loop_forever: true, .. }));
    assert_eq!(asked[1..], [Request::PlayerPause(HandleId(77)), Request::PlayerDrop(HandleId(77))]);
}

const COLLECT: &str = r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.collect" (func $collect (param i32 i32)))"#;

/// Asks a question whose options are zeros but for what `change` stores. The options begin at 4100.
fn collect(change: &str) -> String {
    format!(
        "(i32.store (i32.const 4096) (local.get $call)) {change}
         (call $collect (i32.const 4096) (global.get $ret))
         (if (call $failed) (then (return (call $fail))))"
    )
}

#[test]
fn a_question_brings_an_answer() {
    let version = Bench::new(2).load(&guest(COLLECT, "", &collect("")), "");
    let answer = Outcome::Ok(Collected { value: Value::Text("12".into()), raw: Keys::new("12".into()), attempt: 1 });
    let call = FakeCall::answering([Ok(Reply::Outcome(answer))]);
    let report = run_paused(&version, start(Arc::clone(&call) as _, ports(), None));
    assert!(matches!(report.end, ScriptEnd::Returned(_)), "{report:?}");
    let asked = call.asked();
    let [Request::Collect(options)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(options.grammar, Grammar::Digits { min: 0, max: 0, terminators: String::new() });
    assert!(!options.dtmf && !options.sensitive && options.prompt.is_none());
}

#[test]
fn a_machine_that_answers_another_question_is_a_host_fault() {
    let version = Bench::new(2).load(&guest(WAIT, "", CALL_WAIT), "");
    let call = FakeCall::answering([Ok(Reply::Key(None))]);
    let report = run_paused(&version, start(call, ports(), None));
    assert_eq!(report.end, ScriptEnd::Failed(CallError::Internal("reply-key".into())));
}

#[test]
fn every_error_reaches_the_script_as_it_is() {
    let version = Bench::new(2).load(&guest(WAIT, "", CALL_WAIT), "");
    let text = || "что-то".to_owned();
    for error in [
        CallError::Ended(EndReason::Moved),
        CallError::Ended(EndReason::CallerHangup),
        CallError::Denied(text()),
        CallError::Quota(text()),
        CallError::Invalid(text()),
        CallError::NotFound(text()),
        CallError::BusyResource(text()),
        CallError::Timeout,
        CallError::Unavailable(text()),
        CallError::Internal(text()),
    ] {
        let report = run_paused(&version, start(FakeCall::then(Then::Fail(error.clone())), ports(), None));
        assert_eq!(report.end, ScriptEnd::Failed(error));
    }
}

#[test]
fn the_surroundings_are_the_embedders() {
    let imports = r#"
        (import "gudok:ivr/host@0.1.0" "config" (func $config (param i32 i32 i32)))
        (import "gudok:ivr/host@0.1.0" "data" (func $data (param i32 i32 i32)))
        (import "gudok:ivr/host@0.1.0" "step" (func $step (param i32 i32)))
        (import "gudok:ivr/host@0.1.0" "count" (func $count (param i32 i32 i32)))
        (import "gudok:ivr/host@0.1.0" "now-millis" (func $now (result i64)))
        (import "gudok:ivr/host@0.1.0" "random-u64" (func $random (result i64)))
        (import "gudok:ivr/host@0.1.0" "granted" (func $granted (param i32 i32) (result i32)))
        (import "gudok:ivr/host@0.1.0" "draining" (func $draining (result i32)))"#;
    let data = r#"(data (i32.const 3000) "officewords.txtfetchtelephonystep +7 913 123-45-67asked 1")"#;
    let body = "(call $step (i32.const 3029) (i32.const 21)) (call $count (i32.const 3050) (i32.const 7) (i32.const 3))
        (if (i64.ne (call $now) (i64.const 1700000000123)) (then (unreachable)))
        (if (i64.ne (call $random) (i64.const 7)) (then (unreachable)))
        (if (call $granted (i32.const 3015) (i32.const 5)) (then (unreachable)))
        (if (i32.eqz (call $granted (i32.const 3020) (i32.const 9))) (then (unreachable)))
        (if (call $draining) (then (unreachable)))
        (call $data (i32.const 3006) (i32.const 9) (global.get $ret))
        (if (i32.ne (i32.load offset=8 (global.get $ret)) (i32.const 10)) (then (unreachable)))
        (call $config (i32.const 3000) (i32.const 6) (global.get $ret))
        (if (call $failed) (then (return (call $custom (i32.load offset=4 (global.get $ret)) (i32.load offset=8 (global.get $ret))))))";
    let told = Arc::new(Told::default());
    let version = Bench::new(2).load(&guest(imports, data, body), "[config]\noffice = \"Центральный\"");
    let report = run_paused(
        &version,
        start(FakeCall::then(Then::Done), Ports { sink: Arc::clone(&told) as _, ..ports() }, None),
    );
    let ScriptEnd::Returned(summary) = report.end else { panic!("{report:?}") };
    assert_eq!(&*summary.code, "Центральный");
    assert_eq!(*told.steps.lock().unwrap(), ["step +* *** ***-**-**"], "numbers are masked");
    assert_eq!(*told.counts.lock().unwrap(), [("asked".to_owned(), 3)], "only a closed alphabet gets into labels");
    assert!(told.calls.lock().unwrap().contains(&("host.config".to_owned(), "ok")));
}

#[derive(Default)]
struct Kept(Mutex<Vec<(u32, String, String, String)>>);

impl Journal for Kept {
    fn record(&self, entry: JournalEntry<'_>) {
        let line = (entry.seq, entry.function.to_owned(), entry.args.to_string(), entry.result.to_string());
        self.0.lock().unwrap().push(line);
    }
}

#[test]
fn the_journal_has_every_host_call_in_order_and_redacted() {
    let imports = format!(
        r#"{COLLECT} {WAIT} (import "gudok:ivr/telephony@0.1.0" "[method]call.info" (func $info (param i32 i32)))"#
    );
    // `sensitive` lies behind grammar (16), modes, prompt, two timeouts and retry.
    let body = format!(
        "(call $info (local.get $call) (i32.const 8192)) {CALL_WAIT} {} {CALL_WAIT}",
        collect("(i32.store8 (i32.const 4252) (i32.const 1))")
    );
    let version = Bench::new(2).load(&guest(&imports, "", &body), "");
    let secret =
        Outcome::Ok(Collected { value: Value::Text("4321".into()), raw: Keys::new("4321".into()), attempt: 1 });
    let call = FakeCall::answering([Ok(Reply::Done), Ok(Reply::Outcome(secret))]);
    let kept = Arc::new(Kept::default());
    let report = run_paused(&version, start(Arc::clone(&call) as _, ports(), Some(Arc::clone(&kept) as _)));
    assert!(matches!(report.end, ScriptEnd::Returned(_)), "{report:?}");
    let journal = kept.0.lock().unwrap();
    let order: Vec<(u32, &str)> = journal.iter().map(|(seq, function, ..)| (*seq, function.as_str())).collect();
    let expect = [
        (1, "telephony.call.info"),
        (2, "telephony.call.wait"),
        (3, "telephony.call.collect"),
        (4, "telephony.call.wait"),
    ];
    assert_eq!(order, expect);
    let Request::Collect(options) = call.asked().swap_remove(1) else { panic!() };
    assert!(options.sensitive, "the guest sets the right byte");
    let everything = format!("{journal:?}");
    assert!(!everything.contains("4321") && !everything.contains("9131234567"), "{everything}");
    assert!(everything.contains("+7********67") && everything.contains("<4 keys>"), "{everything}");
}
