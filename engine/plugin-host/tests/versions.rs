//! A call ends on the version that it began with, and takes that version's memory with it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::deployment::{Share, takes_canary};
use gudok_core::ids::{Agency, Entry};
use gudok_core::script::{CallError, Reply, Request, ScriptEnd};
use gudok_plugin_host::ports::{BoxFuture, CallPort};
use gudok_plugin_host::{Registry, RunningScript, ScriptRuntime, Version};
use std::sync::{Arc, Weak};
use support::*;
use tokio::sync::watch;

const CALLS: usize = 1_000;

/// A call whose every wait lasts until the gate opens.
struct Gated {
    open: watch::Receiver<bool>,
    waiting: tokio::sync::mpsc::UnboundedSender<()>,
}

impl CallPort for Gated {
    fn request(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        let mut open = self.open.clone();
        assert!(matches!(request, Request::Wait(_)));
        self.waiting.send(()).unwrap();
        Box::pin(async move {
            open.wait_for(|open| *open).await.unwrap();
            Ok(Reply::Done)
        })
    }
}

/// Waits, then says which version it is.
fn version(bench: &Bench, name: &str) -> Arc<Version> {
    let data = format!("(data (i32.const 3000) \"{name}\")");
    let body = format!("{CALL_WAIT} (return (call $custom (i32.const 3000) (i32.const {})))", name.len());
    bench.load(&guest(WAIT, &data, &body), "")
}

#[test]
fn a_switch_touches_new_calls_only() {
    let bench = Bench::new(u32::try_from(CALLS).unwrap() + 10);
    let (agency, entry, registry) = (Agency::new("one"), Entry::new("main"), Registry::default());
    assert!(registry.current(&agency, &entry, 0).is_none());
    let runtime = ScriptRuntime::start(2).unwrap();
    let (open, gate) = watch::channel(false);
    let (waiting, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let call = || Arc::new(Gated { open: gate.clone(), waiting: waiting.clone() });
    let begin = || runtime.run_call(registry.current(&agency, &entry, 0).unwrap(), start(call(), ports(), None));

    let old = version(&bench, "old");
    let old_alive = Arc::downgrade(&old);
    assert!(registry.activate(&agency, &entry, old).is_none());
    let running: Vec<_> = (0..CALLS).map(|_| begin()).collect();
    runtime.handle().block_on(async {
        for _ in 0..CALLS {
            waits.recv().await.unwrap();
        }
    });
    let was = registry.activate(&agency, &entry, version(&bench, "new")).unwrap();
    assert!(was.stable.is_draining() && !registry.current(&agency, &entry, 0).unwrap().is_draining());
    drop(was);
    assert!(old_alive.upgrade().is_some(), "its calls hold it");
    let newer = begin();
    open.send(true).unwrap();

    let codes: Vec<_> = runtime.handle().block_on(async {
        let mut codes = Vec::new();
        for call in running {
            let ScriptEnd::Returned(summary) = call.join().await.end else { panic!() };
            codes.push(summary.code);
        }
        let ScriptEnd::Returned(summary) = newer.join().await.end else { panic!() };
        assert_eq!(&*summary.code, "new");
        codes
    });
    assert_eq!(codes.len(), CALLS);
    assert!(codes.iter().all(|code| &**code == "old"));
    assert!(old_alive.upgrade().is_none(), "with the last call its memory goes");
    assert!(registry.deactivate(&agency, &entry).is_some());
    assert!(registry.current(&agency, &entry, 0).is_none());
}

/// A bench that tells its calls apart and holds them as long as it likes.
struct Calls {
    runtime: ScriptRuntime,
    open: watch::Sender<bool>,
    gate: watch::Receiver<bool>,
    waiting: tokio::sync::mpsc::UnboundedSender<()>,
    waits: tokio::sync::mpsc::UnboundedReceiver<()>,
    running: Vec<(u64, RunningScript)>,
}

impl Calls {
    fn new() -> Self {
        let (open, gate) = watch::channel(false);
        let (waiting, waits) = tokio::sync::mpsc::unbounded_channel();
        Self { runtime: ScriptRuntime::start(2).unwrap(), open, gate, waiting, waits, running: Vec::new() }
    }

    /// A call that is in the middle of its script when this returns.
    fn begin(&mut self, version: Arc<Version>, sticky: u64) {
        let call = Arc::new(Gated { open: self.gate.clone(), waiting: self.waiting.clone() });
        self.running.push((sticky, self.runtime.run_call(version, start(call, ports(), None))));
        self.runtime.handle().block_on(self.waits.recv()).unwrap();
    }

    /// Lets all of them go on, and says which version each ended on.
    fn finish(mut self) -> Vec<(u64, String)> {
        self.open.send(true).unwrap();
        let running = std::mem::take(&mut self.running);
        self.runtime.handle().block_on(async {
            let mut ends = Vec::new();
            for (sticky, call) in running {
                let ScriptEnd::Returned(summary) = call.join().await.end else { panic!() };
                ends.push((sticky, summary.code.to_string()));
            }
            ends
        })
    }
}

#[test]
fn a_canary_gets_its_share_and_the_same_callers() {
    let (bench, registry) = (Bench::new(300), Registry::default());
    let (agency, entry) = (Agency::new("one"), Entry::new("main"));
    let share = Share::from_percent(10).unwrap();
    let names = ["stable", "canary", "next"];
    let [stable, canary, next] = names.map(|name| version(&bench, name));
    let alive: Vec<Weak<Version>> = [&stable, &canary, &next].map(Arc::downgrade).into();
    let mut calls = Calls::new();
    let mut expected = Vec::new();
    let mut begin = |registry: &Registry, calls: &mut Calls, sticky: u64, expect: &str| {
        calls.begin(registry.current(&agency, &entry, sticky).unwrap(), sticky);
        expected.push((sticky, expect.to_owned()));
    };
    assert!(registry.activate(&agency, &entry, Arc::clone(&stable)).is_none());
    for sticky in 0..20 {
        begin(&registry, &mut calls, sticky, "stable");
    }
    registry.activate_split(&agency, &entry, Arc::clone(&stable), Some((Arc::clone(&canary), share))).unwrap();
    assert!(!stable.is_draining() && !canary.is_draining());
    let mut of_canary = 0;
    for sticky in 0..200 {
        let takes = takes_canary(sticky, share);
        of_canary += u32::from(takes);
        begin(&registry, &mut calls, sticky, if takes { "canary" } else { "stable" });
    }
    assert!((8..=35).contains(&of_canary), "{of_canary} of 200");
    // Rolled back, with another version next.
    let was = registry.activate(&agency, &entry, Arc::clone(&next)).unwrap();
    assert!(was.stable.is_draining() && was.canary.unwrap().0.is_draining() && !next.is_draining());
    begin(&registry, &mut calls, 7, "next");
    drop((was.stable, stable, canary, next));
    assert!(alive.iter().all(|version| version.upgrade().is_some()), "their calls hold them");
    let ends = calls.finish();
    assert_eq!(ends, expected, "each on the version that it began with");
    let left: Vec<bool> = alive.iter().map(|version| version.upgrade().is_some()).collect();
    assert_eq!(left, [false, false, true], "with their last calls they are gone");
    registry.deactivate(&agency, &entry).unwrap();
    assert!(alive[2].upgrade().is_none());
}

#[test]
fn a_version_drains_when_its_last_entry_lets_it_go() {
    let (bench, registry) = (Bench::new(4), Registry::default());
    let agency = Agency::new("one");
    let [main, night, other] = ["main", "night", "other"].map(Entry::new);
    let (a, b) = (version(&bench, "a"), version(&bench, "b"));
    let half = Share::from_percent(50).unwrap();
    let draining = |expect_a: bool, expect_b: bool| {
        assert_eq!((a.is_draining(), b.is_draining()), (expect_a, expect_b));
    };
    draining(false, false);
    registry.activate(&agency, &main, Arc::clone(&a));
    registry.activate(&agency, &night, Arc::clone(&a));
    registry.activate_split(&agency, &other, Arc::clone(&b), Some((Arc::clone(&a), half)));
    registry.activate(&agency, &main, Arc::clone(&b));
    draining(false, false);
    registry.activate(&agency, &night, Arc::clone(&b));
    draining(false, false);
    // The same again changes nothing; the canary becomes the stable one; both are one.
    registry.activate_split(&agency, &other, Arc::clone(&b), Some((Arc::clone(&a), half)));
    draining(false, false);
    registry.activate(&agency, &other, Arc::clone(&a));
    draining(false, false);
    registry.activate_split(&agency, &other, Arc::clone(&a), Some((Arc::clone(&a), half)));
    draining(false, false);
    registry.deactivate(&agency, &other);
    draining(true, false);
    registry.deactivate(&agency, &main);
    draining(true, false);
    registry.deactivate(&agency, &night);
    draining(true, true);
    assert!(registry.deactivate(&agency, &night).is_none());
    registry.activate(&agency, &main, Arc::clone(&a));
    draining(false, true);
    assert_eq!(registry.active().len(), 1);
    assert!(registry.split(&agency, &main).is_some() && registry.split(&agency, &night).is_none());
}

#[test]
fn switching_and_calling_at_once_loses_nothing() {
    const SWITCHES: usize = 2_000;
    let (bench, registry) = (Bench::new(4), Registry::default());
    let agency = Agency::new("one");
    let entries = ["main", "night"].map(Entry::new);
    let versions = [version(&bench, "a"), version(&bench, "b")];
    for entry in &entries {
        registry.activate(&agency, entry, Arc::clone(&versions[0]));
    }
    std::thread::scope(|scope| {
        for entry in &entries {
            scope.spawn(|| {
                for count in 0..SWITCHES {
                    let canary = count.is_multiple_of(3).then(|| (Arc::clone(&versions[0]), Share::ALL));
                    registry.activate_split(&agency, entry, Arc::clone(&versions[count % 2]), canary);
                }
            });
        }
        for reader in 0..2 {
            let (registry, agency, entries, versions) = (&registry, &agency, &entries, &versions);
            scope.spawn(move || {
                for sticky in 0..20_000 {
                    let taken = registry.current(agency, &entries[reader], sticky).expect("there always is one");
                    assert!(versions.iter().any(|version| Arc::ptr_eq(version, &taken)));
                }
            });
        }
    });
    let last = &versions[(SWITCHES - 1) % 2];
    for entry in &entries {
        let split = registry.deactivate(&agency, entry).unwrap();
        assert!(Arc::ptr_eq(&split.stable, last));
    }
    assert!(versions.iter().all(|version| version.is_draining()), "every use was taken back");
    assert!(versions.iter().all(|version| Arc::strong_count(version) == 1));
}

#[test]
fn a_host_that_stops_tells_every_script() {
    let bench = Bench::new(1);
    let version = version(&bench, "one");
    assert!(!version.is_draining());
    bench.host.drain();
    assert!(version.is_draining());
}

#[test]
fn spinning_scripts_do_not_delay_the_others() {
    let bench = Bench::new(8);
    let spin = bench.load(&guest("", "", "(loop $l (br $l))"), "[limits]\ncpu_ms_per_step = 300");
    let quick = bench.load(&guest("", "", ""), "");
    let runtime = ScriptRuntime::start(1).unwrap();
    let call = || start(FakeCall::then(Then::Done), ports(), None);
    let spinning: Vec<_> = (0..2).map(|_| runtime.run_call(Arc::clone(&spin), call())).collect();
    // On the same single thread: without a yield at every tick it would come only after both have used up their CPU.
    let (quick, stopped) = runtime.handle().block_on(async {
        let report = runtime.run_call(quick, call()).join().await;
        let control = spinning[1].control();
        control.stop();
        let mut ends = Vec::new();
        for script in spinning {
            ends.push(script.join().await.fault.unwrap().message);
        }
        (report, ends[1].clone())
    });
    assert!(matches!(quick.end, ScriptEnd::Returned(_)));
    assert!(stopped.contains("from outside"), "the quick one was done while they span: {stopped}");
}
