//! What the charts are drawn from.

use super::*;

#[test]
fn outcomes_are_counted_by_version_and_step() {
    let mut bench = Bench::with_canary();
    bench.check(MINUTE, "");
    bench.calls(1, 3, SERVED, "");
    bench.calls(2, 2, ABANDONED, "");
    bench.check(MINUTE * 2, "");
    bench.calls(1, 1, FAILED, "");
    let outcomes = bench.machine.outcomes(START, MINUTE);
    let versions: Vec<_> = outcomes.iter().map(|outcomes| &*outcomes.version.label).collect();
    assert_eq!(versions, ["1.0.0", "2.0.0"]);
    let calls = |at: usize| outcomes[at].series.iter().map(|point| point.counts.calls).collect::<Vec<_>>();
    assert_eq!((calls(0), calls(1)), (vec![200, 3, 1], vec![2]));
    let at = |index: usize| outcomes[0].series[index].at;
    assert_eq!((at(1).since(at(0)), at(2).since(at(1))), (MINUTE * 2, MINUTE * 2));
    assert_eq!(outcomes[0].total.landed, 2);
    // A wider step has them together, a later beginning leaves the first ones out.
    let wide = bench.machine.outcomes(START, MINUTE * 60);
    assert_eq!(wide[0].series.iter().map(|point| point.counts.calls).sum::<u64>(), 204);
    assert_eq!(bench.machine.outcomes(bench.now, MINUTE)[0].total.calls, 1);
    // No step and an endless one are taken for the nearest that there is.
    assert_eq!(bench.machine.outcomes(START, Duration::ZERO)[0].total.calls, 204);
    assert_eq!(bench.machine.outcomes(START, Duration::MAX)[0].total.calls, 204);
}

#[test]
fn the_ring_is_bounded_and_forgets_after_a_day() {
    let mut bench = Bench::good();
    bench.machine.state.guard.sample_min = u32::MAX;
    for version in (2..=250).cycle().take(20_000) {
        bench.begin(version);
        bench.machine.call_ended(key(version), SERVED, CPU, bench.now);
        bench.now = bench.now + SECOND * 2;
    }
    bench.decided();
    assert!(bench.machine.ring.len() <= 4_096);
    bench.now = bench.now + MINUTE * 60 * 24;
    bench.calls(1, 1, SERVED, "");
    assert!(bench.machine.outcomes(Timestamp::default(), MINUTE).len() > 1);
    bench.now = bench.now + MINUTE;
    bench.calls(1, 1, SERVED, "");
    assert_eq!(bench.machine.outcomes(Timestamp::default(), MINUTE).len(), 1);
}

#[test]
fn a_clock_that_is_set_back_spoils_nothing() {
    let mut bench = Bench::with_canary();
    bench.calls(2, 1, SERVED, "");
    bench.now = START;
    bench.calls(2, 17, SERVED, "");
    let outcomes = bench.machine.outcomes(START, MINUTE);
    assert!(outcomes.iter().all(|outcomes| outcomes.series.is_sorted_by_key(|point| point.at)));
    bench.machine.state.guard.trap_permille_over = 0;
    bench.machine.call_began(key(2), Timestamp::default());
    bench.machine.call_ended(key(2), TRAPPED, CPU, Timestamp::default());
    bench.machine.call_began(key(2), Timestamp::from_micros(u64::MAX));
    bench.machine.call_ended(key(2), TRAPPED, Duration::MAX, Timestamp::from_micros(u64::MAX));
    bench.shows("1.0.0", "");
    bench.machine.handle_timeout(Timestamp::from_micros(u64::MAX));
}
