//! What a script costs: `cargo run --release -p gudok-plugin-host --example instantiate`.
//!
//! Prints times of an instance's life and of a host call, and the memory of parked calls that have touched 64 KiB.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a measuring tool")]

#[path = "../tests/support/mod.rs"]
mod support;

use gudok_core::script::ScriptEnd;
use gudok_plugin_host::{CallStart, Version, run};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::*;

const RUNS: usize = 20_000;
const PARKED: usize = 2_000;
const HOST_CALLS: u32 = 100_000;

fn call(then: Then) -> CallStart {
    start(FakeCall::then(then), ports(), None)
}

fn main() {
    let bench = Bench::new(u32::try_from(PARKED).unwrap() + 10);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    let trivial = bench.load(&guest("", "", ""), "");
    let mut times = runtime.block_on(async {
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let start = call(Then::Done);
            let began = Instant::now();
            let report = run(Arc::clone(&trivial), start).1.await;
            times.push(began.elapsed());
            assert!(matches!(report.end, ScriptEnd::Returned(_)));
        }
        times
    });
    times.sort_unstable();
    let at = |per_mille: usize| times[(RUNS - 1) * per_mille / 1_000].as_secs_f64() * 1e6;
    println!("instantiate, run, drop: p50 {:.1} µs, p99 {:.1} µs, p99.9 {:.1} µs", at(500), at(990), at(999));

    let none = time_host_calls(&runtime, &bench, 0);
    for (name, imports, one_call) in [
        (
            "now-millis",
            r#"(import "gudok:ivr/host@0.1.0" "now-millis" (func $now (result i64)))"#,
            "(drop (call $now))",
        ),
        ("call.wait, answered at once", WAIT, CALL_WAIT),
    ] {
        let took = time_loop(&runtime, &bench, imports, one_call, HOST_CALLS).saturating_sub(none);
        println!("host call {name}: {:.0} ns", took.as_secs_f64() * 1e9 / f64::from(HOST_CALLS));
    }

    let touching = "(memory.fill (i32.const 65536) (i32.const 1) (i32.const 65536))";
    let parked = bench.load(&guest(WAIT, "", &format!("{touching} {CALL_WAIT}")), "");
    runtime.block_on(park(parked));
}

fn time_host_calls(runtime: &tokio::runtime::Runtime, bench: &Bench, count: u32) -> Duration {
    time_loop(runtime, bench, WAIT, CALL_WAIT, count)
}

/// How long a script takes that does this so often.
fn time_loop(runtime: &tokio::runtime::Runtime, bench: &Bench, imports: &str, one: &str, count: u32) -> Duration {
    let body = format!(
        "(local $i i32) (local.set $i (i32.const {count}))
         (block $done (loop $l (br_if $done (i32.eqz (local.get $i))) {one}
           (local.set $i (i32.sub (local.get $i) (i32.const 1))) (br $l)))"
    );
    let version = bench.load(&guest(imports, "", &body), "[limits]\nhost_calls_max = 1000000");
    let start = call(Then::Done);
    let began = Instant::now();
    let report = runtime.block_on(run(version, start).1);
    assert!(matches!(report.end, ScriptEnd::Returned(_)), "{report:?}");
    began.elapsed()
}

async fn park(version: Arc<Version>) {
    let (before, mappings_before) = (resident_kib(), mappings());
    let port = FakeCall::then(Then::Hang);
    let begin = || run(Arc::clone(&version), start(Arc::clone(&port) as _, ports(), None)).1;
    let calls: Vec<_> = (0..PARKED).map(|_| tokio::spawn(begin())).collect();
    while port.asked.lock().unwrap().len() < PARKED {
        tokio::task::yield_now().await;
    }
    let (during, mappings_during) = (resident_kib(), mappings());
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let per_call = |difference: usize| difference as f64 / PARKED as f64;
    println!("parked, 64 KiB touched: {:.1} KiB resident a call", per_call(during - before));
    println!("parked: {:.1} mappings a call", per_call(mappings_during - mappings_before));
    for call in &calls {
        call.abort();
    }
    for call in calls {
        assert!(call.await.unwrap_err().is_cancelled());
    }
    let after = resident_kib();
    println!("after {PARKED} calls: {} KiB more resident than before", after.saturating_sub(before));
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}
