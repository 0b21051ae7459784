//! How much fuel a millisecond is: `cargo run --release -p gudok-plugin-host --example fuel`.
//!
//! Runs the same work as live code, where the thread's CPU clock counts, and as code that counts fuel, and prints fuel per
//! millisecond of live CPU. `FUEL_PER_MS` is what comes of it.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a measuring tool")]

#[path = "../tests/support/mod.rs"]
mod support;

use gudok_core::script::ScriptEnd;
use gudok_plugin_host::Metering;
use support::*;

const LIMITS: &str = "[limits]\ncpu_ms_per_step = 1000\ncpu_ms_per_call = 60000\nhost_calls_max = 1000000";
const TRIES: usize = 5;

fn main() {
    let loop_of = |count: u32, body: &str| {
        format!(
            "(local $i i32) (local $h i32) (local $f f64) (local.set $i (i32.const {count}))
             (loop $l {body} (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
             (i32.store (i32.const 4000) (local.get $h)) (f64.store (i32.const 4008) (local.get $f))"
        )
    };
    let hash = "(local.set $h (i32.mul (i32.xor (local.get $h) (local.get $i)) (i32.const 16777619)))";
    let bytes = "(i32.store8 (i32.add (i32.const 70000) (i32.and (local.get $i) (i32.const 32767)))
                   (i32.add (local.get $i) (i32.load8_u (i32.add (i32.const 70001) (i32.and (local.get $h) (i32.const 32767))))))
                 (local.set $h (i32.add (local.get $h) (i32.load8_u (i32.add (i32.const 70000) (i32.and (local.get $i) (i32.const 32767))))))";
    let floats =
        "(local.set $f (f64.add (f64.mul (local.get $f) (f64.const 0.99)) (f64.convert_i32_u (local.get $i))))";
    let calls = "(local.set $h (i32.add (local.get $h) (call $failed)))";
    let host = CALL_WAIT.to_string();
    for (name, imports, count, body) in [
        ("arithmetic", "", 40_000_000, hash),
        ("memory", "", 15_000_000, bytes),
        ("floats", "", 20_000_000, floats),
        ("calls", "", 30_000_000, calls),
        ("host calls", WAIT, 100_000, host.as_str()),
    ] {
        let wat = guest(imports, "", &loop_of(count, body));
        let run = |metering: Metering| {
            let version = Bench::with(|config| config.metering = metering).load(&wat, LIMITS);
            (0..TRIES)
                .map(|_| {
                    let report = run_simply(&version);
                    assert!(matches!(report.end, ScriptEnd::Returned(_)), "{report:?}");
                    (report.cpu_us, report.fuel)
                })
                .min()
                .unwrap()
        };
        let (live_us, _) = run(Metering::Epochs);
        let Some(fuel) = run(Metering::Fuel).1 else { panic!("fuel is counted") };
        println!("{name:12} {live_us:>8} µs  {fuel:>12} units  {:>10} units/ms", fuel * 1_000 / live_us.max(1));
    }
}
