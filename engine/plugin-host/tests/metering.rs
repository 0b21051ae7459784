//! Where fuel is counted, a limit is met in the same place every time, and a run costs the same to the last unit.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::script::{LandingCause, ScriptEnd};
use gudok_plugin_host::{FUEL_PER_MS, Metering, RunReport, fuel_us};
use support::*;

const STEP: &str = r#"(import "gudok:ivr/host@0.1.0" "step" (func $step (param i32 i32)))"#;
const NAMES: &str = r#"(data (i32.const 3000) "menuaddress")"#;

fn fuel_bench() -> Bench {
    Bench::with(|config| config.metering = Metering::Fuel)
}

fn turns(count: u32) -> String {
    format!(
        "(local.set $i (i32.const {count}))
         (loop $l (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"
    )
}

#[test]
fn an_endless_loop_is_stopped_at_the_same_unit() {
    let limits = "[limits]\ncpu_ms_per_step = 30";
    let bench = fuel_bench();
    let version = bench.load(&guest("", "", "(loop $l (br $l))"), limits);
    let reports: Vec<RunReport> = (0..3).map(|_| run_simply(&version)).collect();
    assert_eq!(reports[0].end, ScriptEnd::Stopped(LandingCause::Cpu));
    let fault = reports[0].fault.as_ref().unwrap();
    assert_eq!(fault.message, "it used more CPU than cpu_ms_per_step = 30 allows; an endless loop?");
    assert!(fault.backtrace.contains("run"), "{fault:?}");
    assert_eq!((reports[0].fuel, reports[0].cpu_us), (Some(30 * FUEL_PER_MS), 30_000));
    assert!(reports.iter().all(|report| *report == reports[0]), "{reports:?}");
}

#[test]
fn many_short_steps_use_up_the_fuel_of_the_call() {
    let body = format!("(local $i i32) (loop $again {} {CALL_WAIT} (br $again))", turns(10_000_000));
    let limits = "[limits]\ncpu_ms_per_step = 1000\ncpu_ms_per_call = 80";
    let report = run_simply(&fuel_bench().load(&guest(WAIT, "", &body), limits));
    assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Cpu));
    assert!(report.fault.unwrap().message.contains("cpu_ms_per_call = 80"));
    assert_eq!(report.cpu_us, 80_000);
}

#[test]
fn fuel_is_told_by_the_steps_that_the_script_named() {
    let body = format!(
        "(local $i i32) {} (call $step (i32.const 3000) (i32.const 4)) {}
         (call $step (i32.const 3004) (i32.const 7)) {} (call $step (i32.const 3000) (i32.const 4))",
        turns(10),
        turns(100_000),
        turns(10_000)
    );
    let version = fuel_bench().load(&guest(STEP, NAMES, &body), "");
    let report = run_simply(&version);
    let named: Vec<(&str, u32)> = report.steps.iter().map(|step| (&*step.name, step.host_calls)).collect();
    assert_eq!(named, [("", 1), ("menu", 1), ("address", 1)]);
    assert_eq!(report.steps.iter().map(|step| step.fuel).sum::<u64>(), report.fuel.unwrap());
    let [before, menu, address] = [0, 1, 2].map(|at| report.steps[at].fuel);
    assert!(before < 1_000 && menu > 400_000 && (40_000..menu / 5).contains(&address), "{:?}", report.steps);
    assert_eq!(report.steps[1].memory_bytes, 2 * 65_536);
    assert_eq!(report.cpu_us, fuel_us(report.fuel.unwrap()));
    assert_eq!(run_simply(&version), report);
}

/// Nothing of it is there where calls are live.
#[test]
fn without_fuel_nothing_is_told_of_it() {
    let report = run_simply(&Bench::new(2).load(&guest("", "", ""), ""));
    assert_eq!((report.fuel, report.steps), (None, Vec::new()));
}

/// Code that counts fuel is other code: neither kind is taken for the other.
#[test]
fn each_kind_of_code_is_cached_for_itself() {
    let live = Bench::new(2);
    live.load(&guest("", "", ""), "");
    let cache = live.folder.path().join("cache");
    let host = Bench::with(|config| {
        config.metering = Metering::Fuel;
        config.cache_folder.clone_from(&cache);
    });
    let compiled = || {
        std::fs::read_dir(&cache)
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|e| e == "cwasm"))
            .count()
    };
    assert_eq!(compiled(), 1);
    let version = host.load(&guest("", "", "(loop $l (br $l))").replace("(loop $l (br $l))", ""), "");
    assert_eq!(compiled(), 2);
    assert!(run_simply(&version).fuel.is_some());
}
