//! Each limit, and what becomes of a script that goes over it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::script::{CallError, EndReason, LandingCause, ScriptEnd};
use gudok_plugin_host::RunReport;
use std::sync::Arc;
use support::*;

/// Runs a guest and checks how it is landed, and that its author is told.
fn check(bench: &Bench, wat: &str, extra: &str, cause: LandingCause, says: &str) -> RunReport {
    let version = bench.load(wat, extra);
    let report = run_simply(&version);
    assert_eq!(report.end, ScriptEnd::Stopped(cause), "{report:?}");
    let fault = report.fault.as_ref().unwrap();
    assert_eq!(fault.cause, cause);
    assert!(fault.message.contains(says), "{fault:?}");
    assert_eq!(fault.version, version.id);
    report
}

#[test]
fn a_trivial_script_is_served() {
    let report = run_simply(&Bench::new(2).load(&guest("", "", ""), ""));
    let ScriptEnd::Returned(summary) = &report.end else { panic!("{report:?}") };
    assert_eq!(&*summary.code, "served");
    assert_eq!(report.memory_bytes_max, 2 * 65536);
    assert_eq!(report.host_calls, 0);
}

#[test]
fn traps_land_with_a_backtrace() {
    let bench = Bench::new(2);
    let report = check(&bench, &guest("", "", "(unreachable)"), "", LandingCause::Trap, "unreachable");
    assert!(report.fault.unwrap().backtrace.contains("run"), "names the function");
    check(&bench, &guest("", "", "(drop (i32.load (i32.const -8)))"), "", LandingCause::Trap, "out of bounds");
    check(
        &bench,
        &guest("", "", "(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
        "",
        LandingCause::Trap,
        "divide by zero",
    );
}

#[test]
fn an_endless_loop_uses_up_its_cpu() {
    let bench = Bench::new(2);
    let limits = "[limits]\ncpu_ms_per_step = 30";
    let report = check(&bench, &guest("", "", "(loop $l (br $l))"), limits, LandingCause::Cpu, "cpu_ms_per_step = 30");
    assert!((20_000..400_000).contains(&report.cpu_us), "{report:?}");
    // Before its run, in the start function, too.
    let starts =
        guest("", "", "").replace("(memory (export", "(func $spin (loop $l (br $l))) (start $spin) (memory (export");
    check(&bench, &starts, limits, LandingCause::Cpu, "cpu_ms_per_step");
}

#[test]
fn many_short_steps_use_up_the_cpu_of_the_call() {
    let body = format!(
        "(local $i i32) (loop $again (local.set $i (i32.const 20000000))
           (loop $l (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
           {CALL_WAIT} (br $again))"
    );
    let limits = "[limits]\ncpu_ms_per_step = 1000\ncpu_ms_per_call = 80";
    check(&Bench::new(2), &guest(WAIT, "", &body), limits, LandingCause::Cpu, "cpu_ms_per_call = 80");
}

#[test]
fn a_memory_bomb_is_stopped() {
    let bench = Bench::new(2);
    let bomb = guest("", "", "(loop $l (drop (memory.grow (i32.const 16))) (br $l))");
    let report = check(&bench, &bomb, "[limits]\nmemory_mib = 4", LandingCause::Memory, "memory_mib = 4");
    assert!(report.memory_bytes_max <= 4 * 1024 * 1024);
    // One that wants it all from the start.
    let large = guest("", "", "").replace("(memory (export \"memory\") 2)", "(memory (export \"memory\") 100)");
    check(&bench, &large, "[limits]\nmemory_mib = 4", LandingCause::Memory, "memory_mib = 4");
    let table = guest("", "", "(loop $l (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $l))")
        .replace("(memory (export", "(table $t 1 funcref) (memory (export");
    check(&bench, &table, "[limits]\ntable_elements_max = 5000", LandingCause::Memory, "table_elements_max = 5000");
}

#[test]
fn recursion_without_end_overflows_its_own_stack() {
    let deep = guest("", "", "(call $deep)")
        .replace("(memory (export", "(func $deep (call $deep) (call $deep)) (memory (export");
    check(&Bench::new(2), &deep, "", LandingCause::Stack, "stack");
}

#[test]
fn a_storm_of_host_calls_is_counted() {
    let storm = guest(WAIT, "", &format!("(loop $l {CALL_WAIT} (br $l))"));
    let report =
        check(&Bench::new(2), &storm, "[limits]\nhost_calls_max = 500", LandingCause::Quota, "host_calls_max = 500");
    assert_eq!(report.host_calls, 501);
}

#[test]
fn what_a_host_call_carries_is_limited() {
    let log = r#"(import "gudok:ivr/host@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))"#;
    // A list of 8,192 fields, each of which says that it is 60,000 bytes long: all of them the same bytes.
    let body = "(local $at i32) (local.set $at (i32.const 65536))
        (loop $l
          (i32.store offset=4 (local.get $at) (i32.const 60000))
          (i32.store offset=12 (local.get $at) (i32.const 60000))
          (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (i32.const 131072))))
        (call $log (i32.const 2) (i32.const 0) (i32.const 10) (i32.const 65536) (i32.const 4096))";
    check(&Bench::new(2), &guest(log, "", body), "", LandingCause::Quota, "hostcalls has been exhausted");
}

#[test]
fn handles_are_counted() {
    let digits =
        r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.digits" (func $digits (param i32) (result i32)))"#;
    let body = "(loop $l (drop (call $digits (local.get $call))) (br $l))";
    check(&Bench::new(2), &guest(digits, "", body), "[limits]\nhandles_max = 50", LandingCause::Quota, "");
}

#[test]
fn a_huge_prompt_list_is_invalid() {
    let say = r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.say"
        (func $say (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;
    let say_segments = |count: u32| {
        format!(
            "(call $say (local.get $call) (i32.const 65536) (i32.const {count}) (i32.const 0) (i32.const 0) (i32.const 0)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (global.get $ret))
             (if (call $failed) (then (return (call $fail))))"
        )
    };
    let version = Bench::new(2).load(&guest(say, "", &say_segments(1000)), "");
    let report = run_simply(&version);
    let ScriptEnd::Failed(CallError::Invalid(why)) = &report.end else { panic!("{report:?}") };
    assert!(why.contains("prompt_segments_max = 128"), "{why}");
}

#[test]
fn a_host_call_that_hangs_is_left_behind() {
    let tag = r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.tag" (func $tag (param i32 i32 i32 i32)))"#;
    let body = "(call $tag (local.get $call) (i32.const 0) (i32.const 0) (global.get $ret))";
    let version = Bench::new(2).load(&guest(tag, "", body), "[limits]\nhost_call_ms_max = 700");
    let report = run_paused(&version, start(FakeCall::then(Then::Hang), ports(), None));
    assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Timeout));
    let fault = report.fault.unwrap();
    assert!(fault.message.contains("telephony.call.tag took longer than 700 ms"), "{fault:?}");
}

#[test]
fn a_call_does_not_last_for_ever() {
    let version = Bench::new(2).load(&guest(WAIT, "", CALL_WAIT), "[limits]\nwall_s_per_call = 60");
    let report = run_paused(&version, start(FakeCall::then(Then::Hang), ports(), None));
    assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Timeout));
    assert!(report.fault.unwrap().message.contains("wall_s_per_call = 60"));
}

#[test]
fn whoever_goes_on_after_the_end_dies() {
    let bench = Bench::new(2);
    // It ignores the error and calls again; the port lets the second call hang.
    let deaf = guest(WAIT, "", "(loop $l (call $wait (local.get $call) (i32.const 1) (global.get $ret)) (br $l))");
    let version = bench.load(&deaf, "");
    let call = FakeCall::then(Then::Hang);
    call.answers.lock().unwrap().push_back(Err(CallError::Ended(EndReason::CallerHangup)));
    let report = run_paused(&version, start(call, ports(), None));
    assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Timeout));
    assert!(report.fault.unwrap().message.contains("2000 ms after the end"));

    // One that stops in time is heard.
    let tidy = bench.load(&guest(WAIT, "", CALL_WAIT), "");
    let ended = CallError::Ended(EndReason::CallerHangup);
    let report = run_paused(&tidy, start(FakeCall::then(Then::Fail(ended.clone())), ports(), None));
    assert_eq!(report.end, ScriptEnd::Failed(ended));
}

#[test]
fn a_script_is_ended_and_stopped_from_outside() {
    let version = Bench::new(2).load(&guest(WAIT, "", CALL_WAIT), "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let run = |act: fn(&gudok_plugin_host::RunControl)| {
        let (control, run) =
            gudok_plugin_host::run(Arc::clone(&version), start(FakeCall::then(Then::Hang), ports(), None));
        let report = runtime.block_on(async {
            let running = tokio::spawn(run);
            tokio::task::yield_now().await;
            act(&control);
            running.await.unwrap()
        });
        assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Timeout));
        report.fault.unwrap().message
    };
    assert!(run(|control| control.end(EndReason::MediaLost)).contains("after the end of its call"));
    assert!(run(gudok_plugin_host::RunControl::stop).contains("from outside"));
}

#[test]
fn an_exhausted_pool_refuses() {
    let version = Bench::new(2).load(&guest(WAIT, "", CALL_WAIT), "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let run = || {
            tokio::spawn(
                gudok_plugin_host::run(Arc::clone(&version), start(FakeCall::then(Then::Hang), ports(), None)).1,
            )
        };
        let held = [run(), run()];
        tokio::task::yield_now().await;
        let report = run().await.unwrap();
        assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Refused), "{report:?}");
        // Places are free again once the others are gone.
        held.each_ref().iter().for_each(|held| held.abort());
        for held in held {
            assert!(held.await.unwrap_err().is_cancelled());
        }
        let (control, run) =
            gudok_plugin_host::run(Arc::clone(&version), start(FakeCall::then(Then::Done), ports(), None));
        drop(control);
        assert!(matches!(run.await.end, ScriptEnd::Returned(_)));
    });
}

#[test]
fn a_flood_of_log_lines_is_dropped_and_counted() {
    let log = r#"(import "gudok:ivr/host@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))"#;
    let body = "(local $i i32) (local.set $i (i32.const 100))
        (loop $l (call $log (i32.const 2) (i32.const 0) (i32.const 1000) (i32.const 0) (i32.const 0))
          (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))";
    let told = Arc::new(Told::default());
    let ports = gudok_plugin_host::ports::Ports { sink: Arc::clone(&told) as _, ..ports() };
    let version = Bench::new(2).load(&guest(log, "", body), "[limits]\nlog_lines_max = 10\nlog_line_bytes_max = 64");
    let report = run_paused(&version, start(FakeCall::then(Then::Done), ports, None));
    assert!(matches!(report.end, ScriptEnd::Returned(_)));
    assert_eq!(report.log_lines_dropped, 90);
    let lines = told.lines.lock().unwrap();
    assert_eq!(lines.len(), 10);
    assert!(lines.iter().all(|line| line.len() < 100));
}
