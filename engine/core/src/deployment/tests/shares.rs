//! Which callers the canary takes.

use super::*;

const CALLERS: u64 = 100_000;

/// Callers as the engine names them (any 64 bits), and as nobody should: counted.
fn callers() -> [Vec<u64>; 2] {
    let mut dice = Dice(1);
    [(0..CALLERS).map(|_| dice.roll()).collect(), (0..CALLERS).collect()]
}

#[test]
fn the_canary_takes_its_share_of_callers() {
    for callers in callers() {
        for percent in [1, 5, 10, 25, 50, 75, 99] {
            let share = Share::from_percent(percent).unwrap();
            let taken = callers.iter().filter(|caller| takes_canary(**caller, share)).count() as u64;
            let expected = CALLERS * u64::from(percent) / 100;
            // Four standard deviations of so many draws.
            let spread = 4 * (expected * (100 - u64::from(percent)) / 100).isqrt();
            assert!(taken.abs_diff(expected) <= spread, "{percent} %: {taken} of {CALLERS}, {expected} ± {spread}");
        }
        assert!(callers.iter().all(|caller| takes_canary(*caller, Share::ALL)));
    }
}

#[test]
fn raising_the_share_keeps_who_is_on_the_canary() {
    for caller in callers().into_iter().flat_map(|callers| callers.into_iter().take(2_000)) {
        let taken: Vec<bool> =
            (1..=1_000).map(|permille| takes_canary(caller, Share::from_permille(permille).unwrap())).collect();
        assert!(taken.is_sorted(), "{caller} leaves the canary when its share is raised");
    }
}

#[test]
fn a_share_is_somebody_and_at_most_everybody() {
    assert_eq!((Share::from_percent(0), Share::from_percent(101)), (None, None));
    assert_eq!((Share::from_permille(0), Share::from_permille(1_001)), (None, None));
    assert_eq!(Share::from_percent(100), Some(Share::ALL));
    // What has callers is never shown as nothing.
    assert_eq!(Share::from_permille(1).map(Share::percent), Some(1));
    assert_eq!(
        (1..=100).filter_map(Share::from_percent).map(Share::percent).collect::<Vec<_>>(),
        (1..=100).collect::<Vec<_>>()
    );
}

#[test]
fn a_caller_meets_the_same_version_call_after_call() {
    let mut bench = Bench::with_canary();
    let of = |bench: &Bench| callers()[0].iter().map(|caller| bench.machine.choose(*caller)).collect::<Vec<_>>();
    let before = of(&bench);
    bench.calls(2, 5, SERVED, "");
    assert_eq!(before, of(&bench));
    bench.restart();
    assert_eq!(before, of(&bench));
    bench.deploy(2, 30);
    let moved_back = before.iter().zip(of(&bench)).filter(|(old, new)| **old == key(2) && *new == key(1)).count();
    assert_eq!(moved_back, 0);
}
