//! Every attack of plugins/hostile, built as scripts are built, ends as the engine wants it to end.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use gudok_core::script::{LandingCause, ScriptEnd};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Caller, Centre};

/// The slowest attack burns the whole CPU of a call, on a busy machine.
const WITHSTOOD_WITHIN: Duration = Duration::from_secs(60);

/// What an attack comes to.
enum Expect {
    /// The host stops the script.
    Stopped(LandingCause),
    /// A host call is refused, and the script goes on.
    Returned(&'static str),
}

/// What is wrong with how an attack ended.
async fn attack(centre: &Centre, attack: &str, expect: &Expect) -> Result<(), String> {
    let hostile = centre.load("hostile").unwrap();
    let caller = Caller::entering(&[]);
    let caller = Arc::new(if attack == "linger" { caller.leaving_in_the_first_wait() } else { caller });
    let began = Instant::now();
    let report = centre.call(&hostile, attack, &caller).await;
    if began.elapsed() > WITHSTOOD_WITHIN {
        return Err(format!("took {:?}", began.elapsed()));
    }
    let lines = centre.told.lines.lock().join("\n");
    if lines.contains("was opened") || lines.contains("was fetched") {
        return Err(lines);
    }
    match (expect, &report.end) {
        (Expect::Stopped(cause), ScriptEnd::Stopped(stopped)) if stopped == cause => Ok(()),
        (Expect::Returned(code), ScriptEnd::Returned(summary)) if *summary.code == **code => Ok(()),
        (_, end) => Err(format!("{end:?} {:?}", report.fault.map(|fault| fault.message))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_is_withstood() {
    let centre = Centre::new().await;
    let mut wrong = Vec::new();
    for (name, expect) in [
        ("loop", Expect::Stopped(LandingCause::Cpu)),
        ("memory", Expect::Stopped(LandingCause::Memory)),
        ("memory-slow", Expect::Stopped(LandingCause::Memory)),
        ("recursion", Expect::Stopped(LandingCause::Stack)),
        ("large-frames", Expect::Stopped(LandingCause::Trap)),
        ("panic", Expect::Stopped(LandingCause::Trap)),
        ("storm", Expect::Stopped(LandingCause::Quota)),
        ("log-flood", Expect::Returned("harmless")),
        ("many-segments", Expect::Returned("refused")),
        ("long-text", Expect::Returned("refused")),
        ("huge-text", Expect::Stopped(LandingCause::Quota)),
        ("many-handles", Expect::Stopped(LandingCause::Quota)),
        ("linger", Expect::Stopped(LandingCause::Cpu)),
        ("many-choices", Expect::Returned("refused")),
        ("spin-between-prompts", Expect::Stopped(LandingCause::Cpu)),
        ("silent-return", Expect::Returned("harmless")),
        ("no-answer", Expect::Returned("harmless")),
        ("foreign-bucket", Expect::Returned("refused")),
        ("foreign-origin", Expect::Returned("refused")),
    ] {
        if let Err(what) = attack(&centre, name, &expect).await {
            wrong.push(format!("{name}: {what}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_tells_the_author_what_and_where() {
    let centre = Centre::new().await;
    attack(&centre, "panic", &Expect::Stopped(LandingCause::Trap)).await.unwrap();
    let lines = centre.told.lines.lock().join("\n");
    assert!(
        lines.contains("hostile/src/lib.rs") && lines.contains("a script may have a fault like this one"),
        "{lines}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_wasi_is_refused_by_name() {
    let centre = Centre::new().await;
    let refusal = centre.load("hostile-clock").unwrap_err().to_string();
    assert!(refusal.contains("wasi:clocks/monotonic-clock"), "{refusal}");
}
