//! What a deployment costs the calls that begin: `cargo run --release -p gudok-plugin-host --example switch`.
//!
//! The switch itself, the first call after it, and calls while another version compiles.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use gudok_core::deployment::Share;
use gudok_core::ids::{Agency, Entry};
use gudok_plugin_host::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use support::*;

const SWITCHES: usize = 20_000;

fn told(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |permille: usize| took[(took.len() - 1) * permille / 1_000].as_nanos();
    println!("{what:<46} p50 {:>7} ns   p99 {:>7} ns   max {:>9} ns", at(500), at(990), at(1_000));
}

/// A component that takes the compiler a while.
fn heavy() -> Vec<u8> {
    const INSTRUCTIONS: usize = 60_000;
    let line =
        "(local.set $x (i64.add (i64.mul (local.get $x) (i64.const 3)) (i64.load (i32.wrap_i64 (local.get $x)))))";
    let functions = format!("(func (local $x i64) {}) (memory (export", line.repeat(INSTRUCTIONS));
    component(&guest("", "", "").replace("(memory (export", &functions), "service")
}

/// Calls, one after another, until told to stop; or so many.
fn calls(version: &Arc<gudok_plugin_host::Version>, stop: impl Fn(usize) -> bool) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut took = Vec::new();
    while !stop(took.len()) {
        let start = start(FakeCall::then(Then::Done), ports(), None);
        let began = Instant::now();
        runtime.block_on(gudok_plugin_host::run(Arc::clone(version), start).1);
        took.push(began.elapsed());
    }
    took
}

fn compiling(bench: &Bench) {
    let version = bench.load(&guest("", "", ""), "");
    let bundle = bundle(&manifest(""), heavy());
    told("calls, nothing compiles", calls(&version, |count| count >= SWITCHES));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let began = Instant::now();
            bench.host.load(&bundle, &admission()).unwrap();
            done.store(true, Relaxed);
            println!("compiled in {:?}", began.elapsed());
        });
        told("calls while a version compiles", calls(&version, |_| done.load(Relaxed)));
    });
}

fn main() {
    let bench = Bench::new(4);
    compiling(&bench);
    let [a, b] = [0, 1].map(|_| bench.load(&guest("", "", ""), ""));
    let share = Share::from_percent(10).unwrap();
    for entries in [1, 1_000] {
        let (registry, agency) = (Registry::default(), Agency::new("one"));
        let names: Vec<Entry> = (0..entries).map(|count| Entry::new(&format!("entry-{count}"))).collect();
        for name in &names {
            registry.activate(&agency, name, Arc::clone(&a));
        }
        let entry = &names[0];
        let (mut switching, mut first, mut next) = (Vec::new(), Vec::new(), Vec::new());
        let stop = AtomicBool::new(false);
        let mut beside = Vec::new();
        std::thread::scope(|scope| {
            // Calls begin all the time on another thread.
            let calls = scope.spawn(|| {
                let mut took = Vec::new();
                while !stop.load(Relaxed) {
                    let began = Instant::now();
                    drop(registry.current(&agency, entry, took.len() as u64));
                    took.push(began.elapsed());
                }
                took
            });
            for count in 0..SWITCHES {
                let (stable, canary) = if count % 2 == 0 { (&a, &b) } else { (&b, &a) };
                let began = Instant::now();
                let was =
                    registry.activate_split(&agency, entry, Arc::clone(stable), Some((Arc::clone(canary), share)));
                switching.push(began.elapsed());
                drop(was);
                for times in [&mut first, &mut next] {
                    let began = Instant::now();
                    drop(registry.current(&agency, entry, count as u64));
                    times.push(began.elapsed());
                }
            }
            stop.store(true, Relaxed);
            beside = calls.join().unwrap();
        });
        println!("{entries} entries, {SWITCHES} switches");
        told("  the switch itself", switching);
        told("  the first call after it", first);
        told("  the call after that", next);
        told("  calls on another thread meanwhile", beside);
    }
}
