//! A seeded random walk: any input in any order, with what must always hold looked at after every step.

use super::*;
use std::collections::BTreeMap;

const WALKS: u64 = 2_000;
const STEPS: usize = 400;
const VERSIONS: u64 = 7;

/// What an onlooker knows.
#[derive(Default)]
struct Onlooker {
    calls: BTreeMap<VersionKey, u32>,
    /// Taken back by the engine, and not deployed since.
    banned: Vec<VersionKey>,
    /// Freed, and not deployed since.
    freed: Vec<VersionKey>,
    ended: u64,
}

#[test]
fn whatever_happens_a_call_gets_a_live_version_and_none_is_freed_under_a_call() {
    let mut rolled_back = 0;
    for seed in 0..WALKS {
        rolled_back +=
            std::panic::catch_unwind(|| walk(seed)).unwrap_or_else(|_| panic!("the walk failed with seed {seed}"));
    }
    // A walk in which nothing is ever decided would prove little.
    assert!(rolled_back > WALKS / 4, "{rolled_back} versions were taken back in {WALKS} walks");
}

fn walk(seed: u64) -> u64 {
    let mut dice = Dice(seed);
    let mut bench = Bench::first(any_guard(&mut dice), any_drain(&mut dice));
    let mut seen = Onlooker::default();
    let mut rolled_back = 0;
    for _ in 0..STEPS {
        step(&mut bench, &mut seen, &mut dice);
        rolled_back += look(&mut bench, &mut seen);
    }
    // All calls end: nothing is left but what may be given a call.
    for (version, calls) in std::mem::take(&mut seen.calls) {
        for _ in 0..calls {
            bench.machine.call_ended(version, DRAINED, CPU, bench.now);
            seen.ended += 1;
        }
    }
    look(&mut bench, &mut seen);
    let running: Vec<_> = bench.machine.running().map(|running| running.version.key).collect();
    let referenced: Vec<_> = bench.machine.state().referenced().map(|version| version.key).collect();
    assert!(running.iter().all(|key| referenced.contains(key)), "{running:?} for {referenced:?}");
    let counted: u64 = bench.machine.outcomes(Timestamp::default(), MINUTE).iter().map(|of| of.total.calls).sum();
    assert!(counted <= seen.ended);
    rolled_back
}

fn step(bench: &mut Bench, seen: &mut Onlooker, dice: &mut Dice) {
    let version = u8::try_from(dice.below(VERSIONS)).unwrap();
    match dice.below(40) {
        0 => {
            let share = Share::from_percent(dice.pick(&[1, 10, 50, 100, 100])).unwrap();
            let (guard, drain) = (any_guard(dice), any_drain(dice));
            if bench.machine.deploy(named(version), share, guard, drain, bench.now).is_ok() {
                seen.banned.retain(|banned| *banned != key(version));
                seen.freed.retain(|freed| *freed != key(version));
            }
        }
        1 => _ = bench.machine.release(bench.now),
        2 if dice.below(3) == 0 => {
            _ = bench.machine.roll_back("because", bench.now);
        }
        3 => bench.restart_forgetting(seen),
        4 => bench.machine.handle_timeout(bench.now),
        5..=6 => {
            bench.now = bench.now + dice.pick(&[SECOND, MINUTE, MINUTE * 20, MINUTE * 300]);
            bench.machine.handle_timeout(bench.now);
        }
        // One that was chosen, and begins late.
        7 => begin(bench, seen, key(version)),
        8 => bench.machine.call_ended(key(99), any_end(dice, 0), CPU, bench.now),
        9..=24 => {
            let chosen = bench.machine.choose(dice.roll());
            begin(bench, seen, chosen);
        }
        _ => {
            let ending = if dice.below(2) == 0 { bench.machine.choose(dice.roll()) } else { key(version) };
            if let Some(calls) = seen.calls.get_mut(&ending).filter(|calls| **calls > 0) {
                *calls -= 1;
                seen.ended += 1;
            }
            let cpu = dice.pick(&[Duration::ZERO, CPU, CPU * 10]);
            bench.machine.call_ended(ending, any_end(dice, ending.0[0]), cpu, bench.now);
        }
    }
}

fn begin(bench: &mut Bench, seen: &mut Onlooker, version: VersionKey) {
    bench.machine.call_began(version, bench.now);
    *seen.calls.entry(version).or_default() += 1;
    // Beginning late, it is loaded again by whoever kept it.
    seen.freed.retain(|freed| *freed != version);
}

/// What must hold after every step; how many versions the engine took back in this one.
fn look(bench: &mut Bench, seen: &mut Onlooker) -> u64 {
    let mut rolled_back = 0;
    while let Some(command) = bench.machine.poll_command() {
        match command {
            DeploymentCommand::RollBack { from, to, reason } => {
                assert!(!reason.is_empty() && from != to);
                seen.banned.push(from);
                rolled_back += 1;
            }
            DeploymentCommand::Released { version } => {
                assert_eq!(seen.calls.get(&version).copied().unwrap_or(0), 0, "{version:?} is freed under a call");
                seen.freed.push(version);
            }
            DeploymentCommand::MoveToOperator { version } => {
                assert!(!bench.machine.state().takes_calls(version), "{version:?} takes calls and drains");
            }
            DeploymentCommand::Alarm { .. } | DeploymentCommand::Good { .. } => {}
        }
    }
    let state = bench.machine.state();
    for sticky in [0, u64::MAX / 2, u64::MAX] {
        let chosen = bench.machine.choose(sticky);
        assert!(!seen.freed.contains(&chosen), "{chosen:?} was freed");
        assert!(!seen.banned.contains(&chosen), "{chosen:?} was taken back");
        assert!(state.takes_calls(chosen));
    }
    let referenced: Vec<_> = state.referenced().map(|version| version.key).collect();
    assert!(referenced.iter().all(|key| !seen.banned.contains(key) && !seen.freed.contains(key)));
    assert!(state.earlier.len() <= 2);
    let running: BTreeMap<_, _> = bench.machine.running().map(|of| (of.version.key, of)).collect();
    for (version, calls) in &seen.calls {
        assert_eq!(running.get(version).map_or(0, |of| of.calls), *calls, "{version:?}");
    }
    for (version, of) in &running {
        assert!(of.calls > 0 || referenced.contains(version), "{version:?} is kept for nothing");
        assert_eq!(of.draining, !state.takes_calls(*version));
        assert!(of.deadline.is_none() || (of.draining && of.calls > 0));
    }
    assert!(referenced.iter().all(|key| running.contains_key(key)));
    for of in bench.machine.outcomes(Timestamp::default(), MINUTE) {
        let Counts { calls, served, landed, trapped, abandoned, moved, .. } = of.total;
        assert_eq!(calls, served + landed + abandoned + moved);
        assert!(trapped <= landed);
    }
    rolled_back
}

impl Bench {
    fn restart_forgetting(&mut self, seen: &mut Onlooker) {
        self.restart();
        *seen = Onlooker { banned: std::mem::take(&mut seen.banned), ..Onlooker::default() };
    }
}

/// Higher versions do worse.
fn any_end(dice: &mut Dice, version: u8) -> CallEnd {
    if dice.below(10) < u64::from(version) {
        dice.pick(&[TRAPPED, FAILED, ABANDONED, TRAPPED])
    } else {
        dice.pick(&[SERVED, SERVED, SERVED, SERVED, ABANDONED, DRAINED])
    }
}

fn any_guard(dice: &mut Dice) -> Guard {
    Guard {
        sample_min: dice.pick(&[0, 1, 3, 20]),
        trap_permille_over: dice.pick(&[0, 20, 300]),
        watch: dice.pick(&[Duration::ZERO, MINUTE, MINUTE * 60]),
        ..Guard::default()
    }
}

fn any_drain(dice: &mut Dice) -> Option<Duration> {
    dice.pick(&[None, Some(Duration::ZERO), Some(MINUTE * 5)])
}
