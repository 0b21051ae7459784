//! A call ends on the version that it began with, and takes that version's memory with it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::ids::{Agency, Entry};
use gudok_core::script::{CallError, Reply, Request, ScriptEnd};
use gudok_plugin_host::ports::{BoxFuture, CallPort};
use gudok_plugin_host::{Registry, ScriptRuntime, Version};
use std::sync::Arc;
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
    assert!(registry.current(&agency, &entry).is_none());
    let runtime = ScriptRuntime::start(2).unwrap();
    let (open, gate) = watch::channel(false);
    let (waiting, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let call = || Arc::new(Gated { open: gate.clone(), waiting: waiting.clone() });
    let begin = || runtime.run_call(registry.current(&agency, &entry).unwrap(), start(call(), ports(), None));

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
    assert!(was.is_draining() && !registry.current(&agency, &entry).unwrap().is_draining());
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
    assert!(registry.current(&agency, &entry).is_none());
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
