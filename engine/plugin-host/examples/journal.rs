//! What keeping a journal costs a call: `cargo run --release -p gudok-plugin-host --example journal [BUNDLE.ivr …]`.
//!
//! The same call of a sample, with its journal and without, by turns in one run; the script only: no sound, no signalling.
//! That is the worst case, since whatever else a call costs has no journal.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a measuring tool")]

#[path = "../tests/support/mod.rs"]
mod support;

use gudok_core::input::{Collected, Grammar, Outcome, Value};
use gudok_core::privacy::Keys;
use gudok_core::script::{CallError, EndReason, HandleId, PlaybackEnd, Reply, Request};
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::journal::{CallJournal, Journal, Wants};
use gudok_plugin_host::ports::{BoxFuture, CallPort};
use gudok_plugin_host::replay::{Verdict, replay};
use gudok_plugin_host::{CallStart, RunReport, Version, run};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::*;

const ROUNDS: usize = 40;
const CALLS_PER_ROUND: usize = 100;
/// Questions until the caller hangs up.
const QUESTIONS: u32 = 6;

/// A caller who hears everything, presses the first key of every menu, and hangs up after some questions.
#[derive(Default)]
struct Hurried(AtomicU32);

impl CallPort for Hurried {
    fn request(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        let heard = PlaybackEnd { finished: true, interrupted_by: None, at: Duration::from_secs(2) };
        let gone = CallError::Ended(EndReason::CallerHangup);
        let answer = match request {
            _ if self.0.load(Relaxed) > QUESTIONS => Err(gone),
            Request::Say(_) | Request::PlayerWait(_) | Request::PlayerStop(_) => Ok(Reply::Playback(heard)),
            Request::PlayBackground { .. } => Ok(Reply::Handle(HandleId(1))),
            Request::Ended => Ok(Reply::EndReason(None)),
            Request::Collect(options) => match self.0.fetch_add(1, Relaxed) {
                QUESTIONS => Err(gone),
                _ => Ok(Reply::Outcome(entered(&options.grammar))),
            },
            Request::NextKey { .. } => Ok(Reply::Key(Some('1'))),
            Request::Transfer { .. } => Ok(Reply::Transfer(gudok_core::script::TransferOutcome::Busy)),
            Request::Enqueue(_) => Ok(Reply::Handle(HandleId(2))),
            Request::QueueNext { .. } => Ok(Reply::QueueEvent(None)),
            Request::OfferCallback(_) => Ok(Reply::CallbackOffered(None)),
            Request::RecordMessage(_) | Request::BookCallback(_) => Err(gone),
            _ => Ok(Reply::Done),
        };
        Box::pin(std::future::ready(answer))
    }
}

fn entered(grammar: &Grammar) -> Outcome {
    let collected =
        |keys: &str, value: Value| Outcome::Ok(Collected { value, raw: Keys::new(keys.to_owned()), attempt: 1 });
    match grammar {
        Grammar::Choices(choices) => match choices.first() {
            Some(choice) => collected(&choice.key, Value::Text(choice.value.clone())),
            None => Outcome::NoInput,
        },
        Grammar::YesNo => collected("1", Value::Flag(true)),
        Grammar::Digits { min, .. } => {
            let keys = "4321432143214321"[..usize::from(*min).min(16)].to_owned();
            collected(&keys, Value::Text(keys.clone()))
        }
        _ => Outcome::NoInput,
    }
}

/// Takes journals as the engine's does, and drops them.
#[derive(Default)]
struct Counted {
    bytes: AtomicUsize,
    last: Mutex<Option<CallJournal>>,
}

impl Journal for Counted {
    fn wants(&self) -> Wants {
        Wants::Whole { bytes_max: 1 << 20 }
    }
    fn keep(&self, journal: CallJournal) {
        self.bytes.fetch_add(journal.page().len(), Relaxed);
        *self.last.lock().unwrap() = Some(journal);
    }
}

fn main() {
    let bench = Bench::new(16);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let named: Vec<String> = std::env::args().skip(1).collect();
    let bundles = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/target/bundles/");
    // The others wait for a back end that this program does not have.
    let samples = ["centre", "mfc", "utilities"];
    let files = match named.is_empty() {
        true => samples.map(|name| format!("{bundles}{name}-1.0.0.ivr")).to_vec(),
        false => named,
    };
    for file in files {
        let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}; run scripts/build-plugins"));
        let bundle = Bundle::from_upload(&bytes, &BundleLimits::default()).unwrap();
        let version = bench.host.load(&bundle, &admission()).unwrap();
        measure(&runtime, &version);
    }
}

fn measure(runtime: &tokio::runtime::Runtime, version: &Arc<Version>) {
    let kept = Arc::new(Counted::default());
    let one = |journal: bool| {
        let journal = journal.then(|| Arc::clone(&kept) as Arc<dyn Journal>);
        let mut start: CallStart = start(Arc::new(Hurried::default()), ports(), journal);
        start.info.agency = gudok_core::ids::Agency::new(&version.manifest.agency);
        runtime.block_on(run(Arc::clone(version), start).1)
    };
    let warm: RunReport = one(true);
    let round = |journal: bool| {
        let began = Instant::now();
        for _ in 0..CALLS_PER_ROUND {
            one(journal);
        }
        began.elapsed().as_secs_f64() / CALLS_PER_ROUND as f64 * 1e6
    };
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(round(false));
        with.push(round(true));
    }
    // The best of many: what disturbs a measurement only ever makes it longer.
    let best = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let (without, with) = (best(&without), best(&with));
    let journal = kept.last.lock().unwrap().take().unwrap();
    let began = Instant::now();
    let report = runtime.block_on(replay(version, &journal)).unwrap();
    let replayed = began.elapsed();
    assert_eq!(report.verdict, Verdict::Identical, "{report:#?}");
    println!(
        "{}: {} host calls, a journal of {} bytes; a script's call {without:.1} µs, with its journal {with:.1} µs: {:+.1} %; replayed in {:.0} µs",
        version.id.script,
        warm.host_calls,
        journal.page().len(),
        (with / without - 1.0) * 100.0,
        replayed.as_secs_f64() * 1e6
    );
}
