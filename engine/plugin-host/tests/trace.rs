//! What a call's trace is made of: every host call with its outcome and its time, also the one that was never answered.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::script::{CallError, LandingCause, Reply, ScriptEnd};
use gudok_plugin_host::ports::{LogLevel, Ports, ScriptSink, Source};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

/// Keeps what happened in its order.
#[derive(Default)]
struct Trace(Mutex<Vec<(String, Duration)>>);

impl ScriptSink for Trace {
    fn log(&self, _: Source<'_>, _: LogLevel, message: &str, _: &[(String, String)]) {
        self.0.lock().unwrap().push((format!("log {message}"), Duration::ZERO));
    }
    fn step(&self, _: Source<'_>, name: &str) {
        self.0.lock().unwrap().push((format!("step {name}"), Duration::ZERO));
    }
    fn host_call(&self, source: Source<'_>, function: &str, outcome: &'static str, took: Duration) {
        assert_eq!((source.agency.as_str(), source.version.script.as_str()), ("one", "trial"));
        self.0.lock().unwrap().push((format!("{function} {outcome}"), took));
    }
}

impl Trace {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }
}

fn traced() -> (Arc<Trace>, Ports) {
    let trace = Arc::new(Trace::default());
    let sink = Arc::clone(&trace) as Arc<dyn ScriptSink>;
    (trace, Ports { sink, ..ports() })
}

const STEP: &str = r#"(import "gudok:ivr/host@0.1.0" "step" (func $step (param i32 i32)))"#;
const EARLY_MEDIA: &str =
    r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.early-media" (func $early (param i32 i32)))"#;

#[test]
fn every_host_call_is_told_with_its_outcome() {
    let imports = format!("{STEP} {WAIT}");
    let body = format!("(call $step (i32.const 3000) (i32.const 5)) {CALL_WAIT} {CALL_WAIT}");
    let version = Bench::new(2).load(&guest(&imports, "(data (i32.const 3000) \"hello\")", &body), "");
    let (trace, ports) = traced();
    let call = FakeCall::answering([Ok(Reply::Done), Err(CallError::Denied("no".into()))]);
    run_paused(&version, start(call, ports, None));
    assert_eq!(trace.lines(), ["step hello", "host.step ok", "telephony.call.wait ok", "telephony.call.wait denied"]);
}

#[test]
fn a_host_call_that_is_never_answered_is_told_too() {
    let version = Bench::new(2).load(&guest(EARLY_MEDIA, "", "(call $early (local.get $call) (global.get $ret))"), "");
    let (trace, ports) = traced();
    let report = run_paused(&version, start(FakeCall::then(Then::Hang), ports, None));
    assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Timeout));
    assert_eq!(trace.lines(), ["telephony.call.early-media timeout"]);
}

#[tokio::test]
async fn a_script_that_is_stopped_in_a_host_call_leaves_its_trace() {
    let version = Bench::new(2).load(&guest(WAIT, "", CALL_WAIT), "");
    let (trace, ports) = traced();
    let call = FakeCall::then(Then::Hang);
    let (control, run) = gudok_plugin_host::run(version, start(Arc::clone(&call) as _, ports, None));
    let run = tokio::spawn(run);
    while call.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    control.stop();
    let report = run.await.unwrap();
    assert!(report.fault.unwrap().message.contains("from outside"));
    assert_eq!(trace.lines(), ["telephony.call.wait stopped"]);
}
