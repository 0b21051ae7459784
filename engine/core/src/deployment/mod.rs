//! What is live at one entry: which script version takes a call, and when a new one is taken back.
//!
//! [`DeploymentMachine`] is told what an admin wants ([`DeploymentMachine::deploy`], [`DeploymentMachine::release`],
//! [`DeploymentMachine::roll_back`]) and how calls begin and end; it says which version a caller gets
//! ([`DeploymentMachine::choose`]) and what it has decided by itself ([`DeploymentMachine::poll_command`]). After every
//! input, drain the commands, then ask for the [`DeploymentMachine::deadline`].
//!
//! What it is, is plain data ([`DeploymentState`]): whoever drives it keeps that, and builds the machine from it again. How
//! many calls a version has, and how they ended, is not kept: after a restart it is counted anew.
//!
//! How a version is judged:
//!
//! - A **canary** is compared with the stable version: with its day, and with its calls since the canary began. It must be
//!   worse than both, so that a back end that fails for everybody takes nobody's version back.
//! - A **released** version is compared with the one that it replaced, for as long as the guard watches it.
//! - A **good** version is compared with its own usual figures, over a sliding window (the circuit breaker).
//!
//! *Architecture Invariant:* a version that the machine took back is nowhere in the state but in `last_rollback`: nothing
//! but a new `deploy` brings it back. A version that has calls, or may be given one, is never [`DeploymentCommand::Released`].
//!
//! | module | what it holds |
//! | --- | --- |
//! | `state` | what is live, as plain data |
//! | `share` | which callers the canary takes |
//! | `counts` | how calls ended: the ring for charts, the tallies for judging |
//! | `guard` | when a version is worse than it may be, and the sentence that says so |
//! | `judge` | which figures are compared, and what follows |
//! | `timers` | the watch, the drain deadlines |

mod counts;
mod guard;
mod judge;
mod share;
mod state;
mod timers;

#[cfg(test)]
mod tests;

pub use counts::{CallEnd, Counts, OutcomePoint, VersionOutcomes};
pub use guard::Guard;
pub use share::{Share, takes_canary};
pub use state::{Baseline, Canary, DeploymentState, Earlier, LiveVersion, NamedVersion, Phase, TakenBack, VersionKey};

use crate::time::Timestamp;
use counts::{Ring, Tally};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use timers::{Timer, Timers};

/// Why an admin's wish is not carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DeploymentRefusal {
    /// A share was asked for a version that takes everybody who is not the canary's.
    #[error("{label} is the stable version already: it cannot be its own canary")]
    AlreadyStable {
        /// Its label.
        label: Arc<str>,
    },
    /// There is no canary to be released.
    #[error("there is no canary here")]
    NoCanary,
    /// There is nothing to go back to.
    #[error("there is no version before {label} here")]
    NothingBefore {
        /// The stable version's label.
        label: Arc<str>,
    },
}

/// What the machine has decided, or noticed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeploymentCommand {
    /// New calls go to another version from now on; the state says which. Only of roll-backs that nobody asked for.
    RollBack {
        /// The version taken back.
        from: VersionKey,
        /// The version that serves instead.
        to: VersionKey,
        /// In words, with figures.
        reason: String,
    },
    /// The stable version is worse than it may be, and there is nothing to go back to. Said once.
    Alarm {
        /// The stable version.
        version: VersionKey,
        /// In words, with figures.
        reason: String,
    },
    /// The stable version has proved good; the state has changed.
    Good {
        /// The stable version.
        version: VersionKey,
    },
    /// The version has no calls and gets none: it can be freed.
    Released {
        /// Which.
        version: VersionKey,
    },
    /// The time given to the calls of a replaced version is over: those that still run move to an operator.
    MoveToOperator {
        /// Which.
        version: VersionKey,
    },
}

/// A version that is loaded here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunningVersion {
    /// Which.
    pub version: NamedVersion,
    /// On it now.
    pub calls: u32,
    /// It takes no new ones.
    pub draining: bool,
    /// When the rest moves to an operator.
    pub deadline: Option<Timestamp>,
}

/// One entry's deployment. See the module's page.
#[derive(Clone, Debug)]
pub struct DeploymentMachine {
    state: DeploymentState,
    running: BTreeMap<VersionKey, Running>,
    stable: Tally,
    canary: Tally,
    ring: Ring,
    timers: Timers,
    /// Nothing to go back to was said of the stable version.
    alarmed: bool,
    commands: VecDeque<DeploymentCommand>,
}

#[derive(Clone, Debug)]
struct Running {
    version: Arc<NamedVersion>,
    calls: u32,
    takes_calls: bool,
}

impl DeploymentMachine {
    /// A deployment as it was kept, without calls.
    #[must_use]
    pub fn new(mut state: DeploymentState) -> Self {
        state.tidy();
        let mut machine = Self {
            state,
            running: BTreeMap::new(),
            stable: Tally::default(),
            canary: Tally::default(),
            ring: Ring::default(),
            timers: Timers::default(),
            alarmed: false,
            commands: VecDeque::new(),
        };
        // Nothing runs yet, so there is no drain deadline to be reckoned from a `now`.
        machine.follow_state(Timestamp::default());
        machine
    }

    /// What is live; to be kept whenever it has changed.
    #[must_use]
    pub const fn state(&self) -> &DeploymentState {
        &self.state
    }

    /// The version that a new call gets. `sticky` is the same for the same caller.
    #[must_use]
    pub fn choose(&self, sticky: u64) -> VersionKey {
        match &self.state.canary {
            Some(canary) if takes_canary(sticky, canary.share) => canary.version.key,
            _ => self.state.stable.version.key,
        }
    }

    /// Puts a version live: for everybody, or for a share of callers beside the stable version.
    ///
    /// A canary that was there is replaced; the same one again gets the new share. The stable version again, for
    /// everybody, only takes the guard and the drain over, and ends a canary.
    ///
    /// # Errors
    /// [`DeploymentRefusal::AlreadyStable`].
    pub fn deploy(
        &mut self,
        version: NamedVersion,
        share: Share,
        guard: Guard,
        drain: Option<Duration>,
        now: Timestamp,
    ) -> Result<(), DeploymentRefusal> {
        let is_stable = self.state.stable.version.key == version.key;
        if is_stable && !share.is_all() {
            return Err(DeploymentRefusal::AlreadyStable { label: version.label });
        }
        (self.state.guard, self.state.drain) = (guard, drain);
        if is_stable {
            self.state.canary = None;
        } else if !share.is_all() {
            self.put_canary(version, share, now);
        } else if self.state.canary.as_ref().is_some_and(|canary| canary.version.key == version.key) {
            let tally = std::mem::take(&mut self.canary);
            self.put_stable(version, tally, now);
        } else {
            self.put_stable(version, Tally::default(), now);
        }
        self.follow_state(now);
        Ok(())
    }

    /// The canary takes all calls.
    ///
    /// # Errors
    /// [`DeploymentRefusal::NoCanary`].
    pub fn release(&mut self, now: Timestamp) -> Result<(), DeploymentRefusal> {
        let canary = self.state.canary.take().ok_or(DeploymentRefusal::NoCanary)?;
        let tally = std::mem::take(&mut self.canary);
        self.put_stable(canary.version, tally, now);
        self.follow_state(now);
        Ok(())
    }

    /// An admin takes a version back: the canary where there is one, else the stable version in favour of the one before.
    ///
    /// # Errors
    /// [`DeploymentRefusal::NothingBefore`].
    pub fn roll_back(&mut self, reason: &str, now: Timestamp) -> Result<TakenBack, DeploymentRefusal> {
        let taken = match self.state.canary.take() {
            Some(canary) => self.took_back(canary.version, reason.to_owned(), false, now),
            None => {
                let nothing =
                    || DeploymentRefusal::NothingBefore { label: Arc::clone(&self.state.stable.version.label) };
                let place = self.state.earlier.len().checked_sub(1).ok_or_else(nothing)?;
                let from = self.restore(place, false, now);
                self.took_back(from, reason.to_owned(), false, now)
            }
        };
        self.follow_state(now);
        Ok(taken)
    }

    /// A call has begun on the version that [`DeploymentMachine::choose`] gave it.
    pub fn call_began(&mut self, version: VersionKey, now: Timestamp) {
        // One that was chosen, and replaced and freed before it began, is nobody's known label any more.
        let unknown = || Running {
            version: Arc::new(NamedVersion { key: version, label: Arc::from("") }),
            calls: 0,
            takes_calls: false,
        };
        let running = self.running.entry(version).or_insert_with(unknown);
        running.calls = running.calls.saturating_add(1);
        if let Some(drain) = self.state.drain.filter(|_| !running.takes_calls)
            && self.timers.get(Timer::Drain(version)).is_none()
        {
            self.timers.set(Timer::Drain(version), now + drain);
        }
    }

    /// A run of a script that began as a call on that version is over. Said of a version without calls it changes nothing.
    pub fn call_ended(&mut self, version: VersionKey, end: CallEnd, cpu: Duration, now: Timestamp) {
        let Some(running) = self.running.get_mut(&version).filter(|running| running.calls > 0) else { return };
        running.calls -= 1;
        self.ring.add(&running.version, end, cpu, now);
        if self.state.stable.version.key == version {
            self.stable.add(end, cpu, now);
            self.judge_stable(now);
        } else if self.state.canary.as_ref().is_some_and(|canary| canary.version.key == version) {
            self.canary.add(end, cpu, now);
            self.judge_canary(now);
        }
        self.free(version);
    }

    /// The deadline has come, or may have.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        for timer in self.timers.take_due(now) {
            match timer {
                Timer::Watch => self.watch_over(now),
                Timer::Drain(version) => self.drain_over(version),
            }
        }
    }

    /// When [`DeploymentMachine::handle_timeout`] wants to be called at the latest. None: nothing comes due by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// The next thing that the machine has decided.
    pub fn poll_command(&mut self) -> Option<DeploymentCommand> {
        self.commands.pop_front()
    }

    /// Every version that is loaded here: those that have calls, and those that may be given one.
    pub fn running(&self) -> impl Iterator<Item = RunningVersion> {
        self.running.iter().map(|(key, running)| RunningVersion {
            version: NamedVersion::clone(&running.version),
            calls: running.calls,
            draining: !running.takes_calls,
            deadline: self.timers.get(Timer::Drain(*key)),
        })
    }

    /// How calls ended since then, by version and in steps of about that width; for charts. The last day at most.
    #[must_use]
    pub fn outcomes(&self, since: Timestamp, step: Duration) -> Vec<VersionOutcomes> {
        self.ring.outcomes(since, step)
    }

    fn put_canary(&mut self, version: NamedVersion, share: Share, now: Timestamp) {
        match &mut self.state.canary {
            Some(canary) if canary.version.key == version.key => canary.share = share,
            canary => {
                *canary = Some(Canary { version, since: now, share });
                self.canary = Tally::default();
            }
        }
    }

    /// A version takes everybody, and is watched. The one that it replaces can be gone back to.
    fn put_stable(&mut self, version: NamedVersion, tally: Tally, now: Timestamp) {
        let good = self.stable_is_good();
        let baseline = self.usual_of_stable();
        let live = LiveVersion { version, since: now, baseline: baseline.clone() };
        let mut old = std::mem::replace(&mut self.state.stable, live);
        // Its own figures where it has any.
        if let Some(baseline) = baseline.filter(|baseline| baseline.label == old.version.label) {
            old.baseline = Some(baseline);
        }
        self.state.earlier.push(Earlier { live: old, good });
        self.state.canary = None;
        self.state.phase = Phase::Watching { until: now + self.state.guard.watch };
        self.state.tidy();
        (self.stable, self.canary, self.alarmed) = (tally, Tally::default(), false);
    }

    /// An earlier version takes everybody again; the versions after it are forgotten. Gives the version that it replaces.
    fn restore(&mut self, place: usize, automatic: bool, now: Timestamp) -> NamedVersion {
        self.state.earlier.truncate(place + 1);
        let Some(Earlier { mut live, good }) = self.state.earlier.pop() else {
            // Nobody asks for a place that is not there.
            return self.state.stable.version.clone();
        };
        live.since = now;
        let old = std::mem::replace(&mut self.state.stable, live);
        let until = now + self.state.guard.watch;
        self.state.phase = match (good, automatic) {
            (true, false) => Phase::Good,
            (true, true) => Phase::Restored { until },
            (false, _) => Phase::Watching { until },
        };
        self.state.tidy();
        if self.state.canary.is_none() {
            self.canary = Tally::default();
        }
        (self.stable, self.alarmed) = (Tally::default(), false);
        old.version
    }

    fn took_back(&mut self, from: NamedVersion, reason: String, automatic: bool, now: Timestamp) -> TakenBack {
        let to = self.state.stable.version.clone();
        let taken = TakenBack { at: now, from, to, reason, automatic };
        self.state.last_rollback = Some(taken.clone());
        taken
    }

    /// Versions are loaded, drained, freed and watched as the state says.
    fn follow_state(&mut self, now: Timestamp) {
        for version in self.state.referenced() {
            let fresh = || Running { version: Arc::new(version.clone()), calls: 0, takes_calls: false };
            self.running.entry(version.key).or_insert_with(fresh);
        }
        for (key, running) in &mut self.running {
            let takes_calls = self.state.takes_calls(*key);
            if takes_calls {
                self.timers.clear(Timer::Drain(*key));
            } else if let Some(drain) = self.state.drain.filter(|_| running.takes_calls) {
                self.timers.set(Timer::Drain(*key), now + drain);
            }
            running.takes_calls = takes_calls;
        }
        match self.state.phase {
            Phase::Watching { until } | Phase::Restored { until } => self.timers.set(Timer::Watch, until),
            Phase::Good => self.timers.clear(Timer::Watch),
        }
        let keys: Vec<_> = self.running.keys().copied().collect();
        keys.into_iter().for_each(|key| self.free(key));
    }

    /// Frees a version that has no calls and may get none.
    fn free(&mut self, version: VersionKey) {
        let idle = self.running.get(&version).is_some_and(|running| running.calls == 0);
        if idle {
            // Nothing is left to be moved.
            self.timers.clear(Timer::Drain(version));
        }
        if idle && !self.state.refers_to(version) {
            self.running.remove(&version);
            self.commands.push_back(DeploymentCommand::Released { version });
        }
    }

    fn drain_over(&mut self, version: VersionKey) {
        if self.running.get(&version).is_some_and(|running| running.calls > 0 && !running.takes_calls) {
            self.commands.push_back(DeploymentCommand::MoveToOperator { version });
        }
    }
}
