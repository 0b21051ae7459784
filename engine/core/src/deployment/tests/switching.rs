//! What an admin does, and what becomes of the versions that are replaced.

use super::*;

#[test]
fn a_version_goes_from_canary_to_everybody_to_good() {
    let mut bench = Bench::good();
    bench.deploy(2, 10);
    bench.shows("1.0.0 + 2.0.0 10 %", "");
    assert_eq!(bench.machine.state().as_str(), "canary");
    bench.deploy(2, 50);
    bench.shows("1.0.0 + 2.0.0 50 %", "");
    bench.machine.release(bench.now).unwrap();
    bench.shows("2.0.0", "1.0.0*");
    assert_eq!(bench.machine.state().as_str(), "watching");
    assert!((0..1_000).all(|caller| bench.machine.choose(caller) == key(2)));
    bench.check(MINUTE * 59, "");
    bench.check(MINUTE, "good 2.0.0");
    assert_eq!(bench.machine.state().as_str(), "stable");
    assert_eq!(bench.machine.deadline(), None);
}

#[test]
fn everybody_may_be_given_a_new_version_at_once() {
    let mut bench = Bench::good();
    bench.deploy(2, 100);
    bench.shows("2.0.0", "1.0.0*");
    // One that had neither a watch to its end nor enough calls has proved nothing.
    bench.deploy(3, 100);
    bench.shows("3.0.0", "1.0.0* 2.0.0");
    assert_eq!(bench.machine.state().last_good(), Some(&named(1)));
    assert_eq!(bench.machine.state().before(), Some(&named(2)));
    bench.calls(3, 20, SERVED, "");
    bench.deploy(4, 100);
    bench.shows("4.0.0", "2.0.0 3.0.0*");
    assert_eq!(bench.decided(), "released 1.0.0");
}

#[test]
fn an_admin_takes_a_canary_back_and_then_the_stable_version() {
    let mut bench = Bench::good();
    bench.deploy(2, 100);
    bench.deploy(3, 100);
    bench.deploy(4, 10);
    let taken = bench.machine.roll_back("a wrong number is read out", bench.now).unwrap();
    assert_eq!((taken.from, taken.to, taken.automatic), (named(4), named(3), false));
    bench.shows("3.0.0", "1.0.0* 2.0.0");
    let taken = bench.machine.roll_back("", bench.now).unwrap();
    assert_eq!((taken.from, taken.to), (named(3), named(2)));
    assert_eq!(bench.machine.state().as_str(), "watching");
    let taken = bench.machine.roll_back("", bench.now).unwrap();
    assert_eq!((taken.from, taken.to), (named(2), named(1)));
    bench.shows("1.0.0", "");
    // It was good, and is so again without a watch.
    assert_eq!(bench.machine.state().as_str(), "stable");
    let nothing = bench.machine.roll_back("", bench.now).unwrap_err();
    assert_eq!(nothing.to_string(), "there is no version before 1.0.0 here");
    assert_eq!(bench.machine.state().last_rollback.as_ref().map(|taken| &taken.from), Some(&named(2)));
    assert_eq!(bench.decided(), "released 4.0.0; released 3.0.0; released 2.0.0");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut bench = Bench::good();
    let before = bench.machine.state().clone();
    let refused = bench.machine.deploy(named(1), Share::from_percent(10).unwrap(), Guard::default(), None, bench.now);
    assert_eq!(refused.unwrap_err(), DeploymentRefusal::AlreadyStable { label: Arc::from("1.0.0") });
    assert_eq!(bench.machine.release(bench.now), Err(DeploymentRefusal::NoCanary));
    assert_eq!(bench.machine.state(), &before);
}

#[test]
fn the_same_version_again_takes_over_guard_and_drain_only() {
    let mut bench = Bench::with_canary();
    bench.begin(2);
    let guard = Guard { sample_min: 50, ..Guard::default() };
    bench.deploy_with(1, 100, guard, Some(MINUTE));
    bench.shows("1.0.0", "");
    assert_eq!((bench.machine.state().as_str(), bench.machine.state().guard), ("stable", guard));
    bench.check(MINUTE, "move 2.0.0");
    bench.end(2, DRAINED, "released 2.0.0");
}

#[test]
fn a_version_is_in_one_place_only() {
    let mut bench = Bench::good();
    bench.deploy(2, 100);
    // Back to the first one by deploying it.
    bench.deploy(1, 100);
    bench.shows("1.0.0", "2.0.0");
    bench.deploy(2, 10);
    bench.shows("1.0.0 + 2.0.0 10 %", "2.0.0");
    bench.machine.release(bench.now).unwrap();
    bench.shows("2.0.0", "1.0.0");
    assert_eq!(bench.decided(), "");
}

#[test]
fn a_replaced_version_is_freed_with_its_last_call() {
    let mut bench = Bench::good();
    bench.begin(1);
    bench.begin(1);
    for version in 2..=4 {
        bench.deploy(version, 100);
    }
    // Nothing refers to version 2 any more, and it has no call; version 1 has two.
    bench.shows("4.0.0", "1.0.0* 3.0.0");
    assert_eq!(bench.decided(), "released 2.0.0");
    bench.check(MINUTE * 61, "good 4.0.0");
    bench.deploy(5, 100);
    bench.shows("5.0.0", "3.0.0 4.0.0*");
    bench.end(1, SERVED, "");
    bench.end(1, ABANDONED, "released 1.0.0");
    // An end that had no beginning.
    bench.end(1, TRAPPED, "");
    assert!(bench.machine.running().all(|running| running.version != named(1) && running.calls == 0));
}

#[test]
fn fifty_versions_one_after_another_leave_three_behind() {
    let mut bench = Bench::good();
    let mut freed = Vec::new();
    for version in 2..=50 {
        bench.begin(version - 1);
        bench.deploy(version, if version % 3 == 0 { 10 } else { 100 });
        bench.machine.call_ended(key(version - 1), SERVED, CPU, bench.now);
        freed.extend(bench.decided().split("; ").filter(|line| !line.is_empty()).map(str::to_owned));
        assert!(bench.machine.running().count() <= 4);
    }
    assert_eq!(freed.len(), 50 - bench.machine.running().count(), "{freed:?}");
}

#[test]
fn a_drain_deadline_moves_what_is_left_once() {
    let mut bench = Bench::good();
    bench.deploy_with(2, 100, Guard::default(), Some(MINUTE * 5));
    // There was nothing to drain; a call that was given the old version before begins only now.
    assert_eq!(bench.machine.deadline(), Some(bench.now + Guard::default().watch));
    bench.begin(1);
    bench.begin(1);
    let deadline = bench.now + MINUTE * 5;
    let old = bench.machine.running().find(|running| running.version == named(1)).unwrap();
    assert_eq!((old.calls, old.draining, old.deadline), (2, true, Some(deadline)));
    bench.end(1, SERVED, "");
    bench.check(MINUTE * 5, "move 1.0.0");
    bench.check(MINUTE * 5, "");
    // Who talks to an operator goes on talking; the version is there as long.
    bench.end(1, DRAINED, "");
    assert!(bench.machine.running().any(|running| running.version == named(1)));
}

#[test]
fn a_version_without_calls_has_nothing_to_drain() {
    let mut bench = Bench::good();
    bench.begin(1);
    bench.deploy_with(2, 100, Guard::default(), Some(MINUTE));
    bench.end(1, SERVED, "");
    bench.check(MINUTE * 2, "");
}

#[test]
fn who_comes_back_into_service_is_not_drained() {
    let mut bench = Bench::good();
    bench.begin(1);
    bench.deploy_with(2, 100, Guard::default(), Some(MINUTE));
    bench.begin(2);
    bench.check(SECOND * 30, "");
    bench.machine.roll_back("", bench.now).unwrap();
    bench.check(SECOND * 59, "");
    // The version that was taken back drains in its turn.
    bench.check(SECOND, "move 2.0.0");
    bench.end(2, DRAINED, "released 2.0.0");
    bench.end(1, SERVED, "");
}

#[test]
fn after_a_restart_it_is_what_was_kept() {
    let mut bench = Bench::with_canary();
    bench.restart();
    bench.shows("1.0.0 + 2.0.0 10 %", "");
    // What is loaded before the first call.
    assert_eq!(bench.machine.running().map(|running| running.version).collect::<Vec<_>>(), [named(1), named(2)]);
    bench.machine.release(bench.now).unwrap();
    bench.check(MINUTE * 30, "");
    bench.restart();
    bench.check(MINUTE * 29, "");
    bench.check(MINUTE, "good 2.0.0");
}

#[test]
fn a_kept_state_that_contradicts_itself_is_put_in_order() {
    let mut state = Bench::with_canary().machine.state().clone();
    let stable = Earlier { live: state.stable.clone(), good: true };
    let other =
        |version, good| Earlier { live: LiveVersion { version: named(version), since: START, baseline: None }, good };
    state.earlier = vec![other(7, true), other(8, false), stable, other(7, false), other(9, false)];
    state.canary = state.canary.map(|canary| Canary { version: named(1), ..canary });
    let machine = DeploymentMachine::new(state);
    assert_eq!(machine.state().canary, None);
    let earlier: Vec<_> = machine.state().earlier.iter().map(|earlier| &*earlier.live.version.label).collect();
    assert_eq!(earlier, ["7.0.0", "9.0.0"]);
}
