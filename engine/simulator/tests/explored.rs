//! Exploring scripts in Rust: places that are the same are merged, those that are not are split, and ways are shortest.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use gudok_core::script::{CallError, ScriptEnd, TransferOutcome};
use gudok_simulator::explore::{Bounds, ExploreReport, ExploreSettings, FindingKind, explore_in_rust};
use gudok_simulator::{ScriptCall, SimScript, returned};
use std::sync::Arc;

fn explored(script: impl SimScript, bounds: Bounds) -> ExploreReport {
    let settings = ExploreSettings { bounds, ..ExploreSettings::new(".") };
    explore_in_rust(&(Arc::new(script) as Arc<dyn SimScript>), &["operators"], &settings)
}

fn kinds(report: &ExploreReport) -> Vec<(FindingKind, String)> {
    // The scripts here speak English to everybody.
    let own = report.findings.iter().filter(|one| one.kind != FindingKind::MissingText);
    own.map(|one| (one.kind, one.keys.to_string())).collect()
}

async fn good(call: ScriptCall) -> Result<ScriptEnd, CallError> {
    for _ in 0..50 {
        match call.ask("Press 1, press 2, or press 0.", &[("1", "a"), ("2", "b"), ("0", "person")]).await?.as_deref() {
            Some("a" | "b") => call.say("Thank you.").await.map(drop)?,
            _ => {
                call.say("A person.").await?;
                // However it went, the caller hears a goodbye.
                drop(call.transfer_to_group("operators").await);
                call.hang_up("Goodbye.").await?;
                return Ok(returned("transferred"));
            }
        }
    }
    call.hang_up("Goodbye.").await?;
    Ok(returned("served"))
}

#[test]
fn places_that_are_the_same_are_one() {
    let report = explored(good, Bounds::default());
    assert_eq!(kinds(&report), [], "{:#?}", report.findings);
    // Fifty rounds are three: beyond that nothing new is observable.
    assert!(report.covered.states < 60, "{:?}", report.covered);
    assert!(report.left_out.is_empty(), "{:?}", report.left_out);
    assert_eq!(report.covered.splits, 0);
}

#[test]
fn what_a_script_keeps_in_secret_splits_a_place() {
    /// The question is the same whichever key came before, and the answer is not.
    async fn secretive(call: ScriptCall) -> Result<ScriptEnd, CallError> {
        let first = call.ask("Press 1 or press 2.", &[("1", "a"), ("2", "b")]).await?;
        call.ask("Once more: press 1 or press 2.", &[("1", "a"), ("2", "b")]).await?;
        if first.as_deref() == Some("b") {
            return Err(CallError::Invalid("the second way".into()));
        }
        call.transfer_to_group("operators").await?;
        call.hang_up("Goodbye.").await?;
        Ok(returned("served"))
    }
    let report = explored(secretive, Bounds::default());
    assert!(report.covered.splits > 0, "{:?}", report.covered);
    let found = report.findings.iter().find(|one| one.kind == FindingKind::ReturnedError).unwrap();
    assert_eq!(found.keys.to_string(), "2 1");
    assert_eq!(found.replay, "gudok call --local . --keys \"2 1\"");
    assert!(found.heard.iter().any(|line| line == "caller: 2"), "{found:?}");
}

#[test]
fn what_adds_up_is_found_in_a_long_call() {
    async fn tired(call: ScriptCall) -> Result<ScriptEnd, CallError> {
        for _ in 0..15 {
            let asked = call.ask("Press 1 to hear it again, or 0.", &[("1", "again"), ("0", "person")]).await?;
            if asked.as_deref() != Some("again") {
                call.transfer_to_group("operators").await?;
                call.hang_up("Goodbye.").await?;
                return Ok(returned("transferred"));
            }
        }
        Err(CallError::Quota("it has said enough".into()))
    }
    let report = explored(tired, Bounds::default());
    let found = report.findings.iter().find(|one| one.kind == FindingKind::ReturnedError).unwrap();
    assert_eq!(found.keys.to_string(), ["1"; 15].join(" "));
}

#[test]
fn a_shorter_way_on_which_the_caller_hears_goodbye_is_not_told() {
    /// Without a word by 2 and 1 only: by 1 alone it says goodbye.
    async fn curt(call: ScriptCall) -> Result<ScriptEnd, CallError> {
        call.say("Hello.").await?;
        let first = call.ask("Press 1 or press 2.", &[("1", "a"), ("2", "b")]).await?;
        let second = match first.as_deref() {
            Some("b") => call.ask("Press 1.", &[("1", "a")]).await?,
            _ => None,
        };
        if second.is_none() {
            call.hang_up("Goodbye.").await?;
        }
        Ok(returned("served"))
    }
    let report = explored(curt, Bounds::default());
    let found = report.findings.iter().find(|one| one.kind == FindingKind::DeadEnd).unwrap();
    assert_eq!(found.keys.to_string(), "2 1");
}

#[test]
fn how_the_host_lands_its_caller_is_not_judged() {
    async fn helpless(call: ScriptCall) -> Result<ScriptEnd, CallError> {
        call.ask("Press 0.", &[("0", "person")]).await?;
        if call.transfer_to_group("operators").await? == TransferOutcome::Busy {
            return Err(CallError::Invalid("nobody has looked into this".into()));
        }
        call.hang_up("Goodbye.").await?;
        Ok(returned("served"))
    }
    let report = explored(helpless, Bounds::default());
    let found = report.findings.iter().find(|one| one.keys.to_string() == "transfer:busy").unwrap();
    assert_eq!(found.kind, FindingKind::UnhandledTransferOutcome);
    // It was met again: what is told was heard.
    assert!(found.heard.iter().any(|line| line.starts_with("script: failed")), "{found:?}");
}

#[test]
fn what_a_bound_leaves_out_is_told() {
    let report = explored(good, Bounds { paths_max: 5, ..Bounds::default() });
    assert_eq!(report.paths, 5);
    let left = &report.left_out[0];
    assert!(left.bound == "paths_max" && left.max == 5 && left.decisions > 0, "{left:?}");
    let report = explored(good, Bounds { depth_max: 2, ..Bounds::default() });
    assert!(
        report.left_out.iter().any(|left| left.bound == "depth_max" && left.decisions > 0),
        "{:?}",
        report.left_out
    );
}

#[test]
fn the_flow_has_each_place_once() {
    let report = explored(good, Bounds::default());
    let said = |words: &str| report.flow.nodes.iter().filter(|node| node.said == words).count();
    assert_eq!((said("Press 1, press 2, or press 0."), said("Thank you."), said("A person.")), (1, 1, 1));
    let start = report.flow.nodes.iter().find(|node| Some(&node.id) == report.flow.start.as_ref()).unwrap();
    assert_eq!(start.said, "Press 1, press 2, or press 0.");
    let thanks = report.flow.nodes.iter().find(|node| node.said == "Thank you.").unwrap();
    let edge = report.flow.edges.iter().find(|edge| edge.from == start.id && edge.to == thanks.id).unwrap();
    let labels: Vec<_> = edge.labels.iter().map(|label| (&*label.decision, label.stands_for.as_deref())).collect();
    assert_eq!(labels, [("1", Some("a")), ("2", Some("b"))]);
    assert!(edge.usual);
}
