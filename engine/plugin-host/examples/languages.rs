//! What a script costs by the language that it is written in:
//! `cargo run --release -p gudok-plugin-host --example languages -- Rust=FILE.ivr JavaScript=FILE.ivr Python=FILE.ivr`.
//!
//! Prints, for each bundle: time from a call's beginning to the first word that its script says, CPU of a call that ends there,
//! linear memory, and what each of 500 calls keeps resident that are on at once, parked in their first question.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a measuring tool")]

#[path = "../tests/support/mod.rs"]
mod support;

use gudok_core::script::{CallError, EndReason, PlaybackEnd, Reply, Request};
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::ports::{BoxFuture, CallPort};
use gudok_plugin_host::{Admission, CompileConfig, HostConfig, ScriptHost, Version, run};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{ports, start};

const CALLS_AT_ONCE: usize = 500;
const RUNS: usize = 300;

/// Says "done" to everything until the caller is asked something, and then never answers: or hangs up at once.
struct Caller {
    hangs_up: bool,
    /// The moment of the first host call.
    heard: Mutex<Option<Instant>>,
    parked: AtomicUsize,
}

impl CallPort for Caller {
    fn request(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        self.heard.lock().unwrap().get_or_insert_with(Instant::now);
        if self.hangs_up {
            return Box::pin(std::future::ready(Err(CallError::Ended(EndReason::CallerHangup))));
        }
        if matches!(request, Request::Collect(_)) {
            self.parked.fetch_add(1, Relaxed);
            return Box::pin(std::future::pending());
        }
        let heard = PlaybackEnd { finished: true, interrupted_by: None, at: Duration::from_secs(1) };
        let reply = if matches!(request, Request::Say(_)) { Reply::Playback(heard) } else { Reply::Done };
        Box::pin(std::future::ready(Ok(reply)))
    }
}

fn caller(hangs_up: bool) -> Arc<Caller> {
    Arc::new(Caller { hangs_up, heard: Mutex::default(), parked: AtomicUsize::new(0) })
}

fn main() -> std::process::ExitCode {
    let mut args = std::env::args_os().skip(1).peekable();
    if args.peek().is_some_and(|first| first == "compile-child") {
        return gudok_plugin_host::compile_child_main(args.skip(1));
    }
    let files: Vec<String> = args.map(|arg| arg.into_string().unwrap()).collect();
    assert!(!files.is_empty(), "usage: languages NAME=FILE.ivr …");
    println!(
        "language      component  code      start p50   start p99   CPU      memory    resident, {CALLS_AT_ONCE} at once"
    );
    for file in files {
        let (name, path) = file.split_once('=').expect("NAME=FILE.ivr");
        measure(name, Path::new(path));
    }
    std::process::ExitCode::SUCCESS
}

fn measure(name: &str, path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    let file = path.file_name().unwrap().to_str().unwrap();
    let bundle = Bundle::from_bytes(file, &bytes, &BundleLimits::default()).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let compile = CompileConfig::new(std::env::current_exe().unwrap(), vec!["compile-child".into()]);
    let mut config = HostConfig::new(cache.path().join("cache"), compile);
    config.instances_max = u32::try_from(CALLS_AT_ONCE).unwrap() + 10;
    let host = ScriptHost::start(config).unwrap();
    let began = Instant::now();
    let version = host.load(&bundle, &Admission::as_declared()).unwrap();
    let compiled = began.elapsed();
    let code: u64 = std::fs::read_dir(cache.path().join("cache"))
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    let mut starts = Vec::with_capacity(RUNS);
    let mut cpu_us = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let port = caller(true);
        let began = Instant::now();
        let report = runtime.block_on(run(Arc::clone(&version), start(Arc::clone(&port) as _, ports(), None)).1);
        starts.push(port.heard.lock().unwrap().unwrap() - began);
        cpu_us.push(report.cpu_us);
    }
    starts.sort_unstable();
    cpu_us.sort_unstable();
    let at = |per_mille: usize| starts[(RUNS - 1) * per_mille / 1_000].as_secs_f64() * 1e3;
    let (kib, maps, memory) = runtime.block_on(park(&version));
    println!(
        "{name:<12} {:>7.2} MB {:>6.1} MB {:>8.2} ms {:>8.2} ms {:>5.2} ms {:>6.1} MB  {kib:>8.0} KiB and {maps:.1} mappings a call; compiled in {:.1} s",
        mb(bundle.component.len() as u64),
        mb(code),
        at(500),
        at(990),
        Duration::from_micros(cpu_us[RUNS / 2]).as_secs_f64() * 1e3,
        mb(memory as u64),
        compiled.as_secs_f64(),
    );
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Lets the calls wait in their first question, all at once: what each keeps resident, how many mappings it has, and what one has of
/// linear memory.
async fn park(version: &Arc<Version>) -> (f64, f64, usize) {
    let port = caller(false);
    let (before, mappings_before) = (resident_kib(), mappings());
    let mut controls = Vec::new();
    let mut calls = Vec::new();
    for _ in 0..CALLS_AT_ONCE {
        let (control, call) = run(Arc::clone(version), start(Arc::clone(&port) as _, ports(), None));
        controls.push(control);
        calls.push(tokio::spawn(call));
    }
    while port.parked.load(Relaxed) < CALLS_AT_ONCE {
        tokio::task::yield_now().await;
        if let Some(ended) = calls.iter().position(tokio::task::JoinHandle::is_finished) {
            panic!("a call ended instead of waiting: {:?}", calls.swap_remove(ended).await.unwrap());
        }
    }
    let (during, mappings_during) = (resident_kib(), mappings());
    for control in controls {
        control.stop();
    }
    let mut memory = 0;
    for call in calls {
        memory = memory.max(call.await.unwrap().memory_bytes_max);
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let a_call = |difference: usize| difference as f64 / CALLS_AT_ONCE as f64;
    (a_call(during - before), a_call(mappings_during - mappings_before), memory)
}

/// What this process has of the machine's memory. Not `VmRSS`: that counts a page of a script's image once for each instance that
/// reads it, and they all read the same one.
fn resident_kib() -> usize {
    let memory = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = memory.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}
