//! Which figures a version is compared with, and what follows from it.

use super::{Baseline, DeploymentCommand, DeploymentMachine, Phase};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// The breaker looks at a version all day long, so it takes that many samples before it believes its eyes.
const BREAKER_SAMPLES: u64 = 3;
/// A version that does badly at the end of its watch, with too few calls to be judged, is watched on; at least so long.
const WATCH_MORE_MIN: Duration = Duration::from_mins(1);

impl DeploymentMachine {
    pub(super) fn judge_canary(&mut self, now: Timestamp) {
        let Some(reason) = self.canary_fault() else { return };
        let Some(canary) = self.state.canary.take() else { return };
        let key = canary.version.key;
        // Where it was good once, it is not what the breaker may go back to now.
        self.state.earlier.retain(|earlier| earlier.live.version.key != key);
        let taken = self.took_back(canary.version, reason.clone(), true, now);
        self.commands.push_back(DeploymentCommand::RollBack { from: key, to: taken.to.key, reason });
        self.follow_state(now);
    }

    fn canary_fault(&self) -> Option<String> {
        let canary = self.state.canary.as_ref()?;
        let sample = self.state.guard.sample();
        let counts = &self.canary.total;
        let usual = self.usual_of_stable();
        let reason = self.state.guard.fault(counts, usual.as_ref(), sample)?;
        let stable = &self.state.stable.version;
        let meanwhile =
            Baseline { label: Arc::clone(&stable.label), counts: self.ring.total(stable.key, canary.since) };
        if meanwhile.counts.judged() < sample {
            return Some(reason);
        }
        self.state.guard.fault(counts, Some(&meanwhile), sample)
    }

    pub(super) fn judge_stable(&mut self, now: Timestamp) {
        let Some(reason) = self.stable_fault(now) else { return self.learn_usual(now) };
        let from = self.state.stable.version.key;
        match self.state.last_good_place() {
            Some(place) => {
                let old = self.restore(place, true, now);
                let taken = self.took_back(old, reason.clone(), true, now);
                self.commands.push_back(DeploymentCommand::RollBack { from, to: taken.to.key, reason });
                self.follow_state(now);
            }
            None if !self.alarmed => {
                self.alarmed = true;
                self.commands.push_back(DeploymentCommand::Alarm { version: from, reason });
            }
            None => {}
        }
    }

    fn stable_fault(&self, now: Timestamp) -> Option<String> {
        let (guard, usual) = (&self.state.guard, self.state.stable.baseline.as_ref());
        let in_window = || {
            let calls_min = guard.sample() * BREAKER_SAMPLES;
            guard.fault(&self.stable.recent(calls_min, now), usual, calls_min)
        };
        match self.state.phase {
            Phase::Watching { .. } => guard.fault(&self.stable.total, usual, guard.sample()).or_else(in_window),
            Phase::Good => in_window(),
            Phase::Restored { .. } => None,
        }
    }

    /// The watch is over, or the breaker has been open for long enough.
    pub(super) fn watch_over(&mut self, now: Timestamp) {
        let guard = self.state.guard;
        let recent = self.stable.recent(guard.sample(), now);
        // However few calls there were: what would be too bad with more of them is not called good.
        if guard.fault(&recent, self.state.stable.baseline.as_ref(), 1).is_some() {
            let until = now + guard.watch.max(WATCH_MORE_MIN);
            self.state.phase = match self.state.phase {
                Phase::Restored { .. } => Phase::Restored { until },
                _ => Phase::Watching { until },
            };
        } else {
            self.take_own_baseline(guard.sample(), now);
            self.state.phase = Phase::Good;
            self.commands.push_back(DeploymentCommand::Good { version: self.state.stable.version.key });
        }
        self.follow_state(now);
    }

    /// A good version that had nothing to be compared with has had enough calls for that now. Nobody is told: after a
    /// restart it is learned again.
    fn learn_usual(&mut self, now: Timestamp) {
        let sample = self.state.guard.sample();
        let known = self.state.stable.baseline.as_ref().map_or(0, |usual| usual.counts.judged());
        let calls_min = sample * BREAKER_SAMPLES;
        let learns = self.state.phase == Phase::Good && known < sample && self.stable.total.judged() >= calls_min;
        if learns {
            self.take_own_baseline(calls_min, now);
        }
    }

    /// From now on the stable version is compared with itself: with all of its calls, or, where these include a bad time
    /// that is over, with the last ones. Nothing changes where there are too few.
    fn take_own_baseline(&mut self, calls_min: u64, now: Timestamp) {
        let usual = self.state.stable.baseline.as_ref();
        let had_bad_time = self.state.guard.fault(&self.stable.total, usual, 1).is_some();
        let counts = if had_bad_time { self.stable.recent(calls_min, now) } else { self.stable.total };
        if counts.judged() >= calls_min {
            let label = Arc::clone(&self.state.stable.version.label);
            self.state.stable.baseline = Some(Baseline { label, counts });
        }
    }

    /// Whether the stable version may be what the breaker goes back to.
    pub(super) fn stable_is_good(&self) -> bool {
        let guard = &self.state.guard;
        match self.state.phase {
            Phase::Good | Phase::Restored { .. } => true,
            Phase::Watching { .. } => {
                let usual = self.state.stable.baseline.as_ref();
                let tried = self.stable.total.judged() >= guard.sample();
                tried && guard.fault(&self.stable.total, usual, guard.sample()).is_none()
            }
        }
    }

    /// How calls usually go on the stable version: its last day, or what is known from before where that was more.
    pub(super) fn usual_of_stable(&self) -> Option<Baseline> {
        let stable = &self.state.stable;
        let day = self.ring.total(stable.version.key, Timestamp::default());
        let known = stable.baseline.clone();
        if day.judged() >= self.state.guard.sample() {
            return Some(Baseline { label: Arc::clone(&stable.version.label), counts: day });
        }
        known.filter(|known| known.counts.judged() >= day.judged()).or_else(|| {
            let has_calls = day.judged() > 0;
            has_calls.then(|| Baseline { label: Arc::clone(&stable.version.label), counts: day })
        })
    }
}
