//! What a switch costs the calls that begin: `cargo run --release -p gudok-plugin-host --example switch`.
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

fn main() {
    let bench = Bench::new(4);
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
