//! How calls ended: counted, by version and step of time.

use super::{NamedVersion, VersionKey};
use crate::script::{CallError, EndReason, LandingCause, ScriptEnd, Summary};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// A cell of the ring spans so much time.
const STEP: Duration = Duration::from_secs(30);
/// Older cells are dropped.
const KEPT: Duration = Duration::from_hours(24);
/// Of one entry, over all versions: a day of one version, half a day of two.
const CELLS_MAX: usize = 4_096;
/// Points of one series as it is handed out.
const POINTS_MAX: u64 = 2_880;
/// What the sliding window looks at before it looks further back for enough calls.
const WINDOW: Duration = Duration::from_mins(15);
/// A step of the sliding window.
const WINDOW_STEP: Duration = Duration::from_mins(1);
/// Steps with calls that the sliding window remembers.
const WINDOW_STEPS_MAX: usize = 256;

/// How one run of a script ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallEnd {
    /// The script did its work.
    Served,
    /// The host took the caller over.
    Landed {
        /// Why.
        cause: LandingCause,
    },
    /// The caller hung up before being served.
    Abandoned,
}

impl CallEnd {
    /// What a script's end means for its version. Where the machine lands the caller of a script that returned,
    /// that counts instead.
    #[must_use]
    pub fn of(end: &ScriptEnd) -> Self {
        match end {
            ScriptEnd::Returned(Summary { code, .. }) if &**code == "abandoned" => Self::Abandoned,
            ScriptEnd::Returned(Summary { code, .. }) if &**code == "no-service" => {
                Self::Landed { cause: LandingCause::Abandoned }
            }
            ScriptEnd::Returned(_) | ScriptEnd::Informed(_) => Self::Served,
            // Handed on, or ended by the host: the caller did not give up.
            ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup | EndReason::MediaLost)) => Self::Abandoned,
            ScriptEnd::Failed(CallError::Ended(_)) => Self::Served,
            ScriptEnd::Failed(_) => Self::Landed { cause: LandingCause::Error },
            ScriptEnd::Stopped(cause) => Self::Landed { cause: *cause },
        }
    }
}

/// Ends of calls, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// All that ended.
    pub calls: u64,
    /// The script did its work.
    pub served: u64,
    /// The host took the caller over because of the script.
    pub landed: u64,
    /// Of these: the script was stopped by a fault.
    pub trapped: u64,
    /// The caller hung up before being served.
    pub abandoned: u64,
    /// Taken out of the script's hands by an admin or a drain deadline: nothing for or against the version.
    pub moved: u64,
    /// Of all calls that were not moved, together.
    pub cpu_us: u64,
}

impl Counts {
    /// The calls that say something about the version.
    #[must_use]
    pub const fn judged(&self) -> u64 {
        self.calls.saturating_sub(self.moved)
    }

    /// Of one call, rounded down; zero where there was none.
    #[must_use]
    pub const fn cpu_mean(&self) -> Duration {
        match self.cpu_us.checked_div(self.judged()) {
            Some(mean) => Duration::from_micros(mean),
            None => Duration::ZERO,
        }
    }

    /// Counts one more.
    pub fn add(&mut self, end: CallEnd, cpu: Duration) {
        self.calls += 1;
        match end {
            CallEnd::Served => self.served += 1,
            CallEnd::Abandoned => self.abandoned += 1,
            CallEnd::Landed { cause } if cause.is_taken_over() => {
                self.moved += 1;
                return;
            }
            CallEnd::Landed { cause } => {
                self.landed += 1;
                self.trapped += u64::from(cause.is_fault());
            }
        }
        self.cpu_us = self.cpu_us.saturating_add(u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts all of these as well.
    pub fn add_all(&mut self, other: &Self) {
        self.calls += other.calls;
        self.served += other.served;
        self.landed += other.landed;
        self.trapped += other.trapped;
        self.abandoned += other.abandoned;
        self.moved += other.moved;
        self.cpu_us = self.cpu_us.saturating_add(other.cpu_us);
    }
}

/// How calls of one version ended, over time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionOutcomes {
    /// Which.
    pub version: NamedVersion,
    /// All that the series have.
    pub total: Counts,
    /// By step, oldest first; a step in which nothing ended is left out.
    pub series: Vec<OutcomePoint>,
}

/// What ended in one step of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutcomePoint {
    /// The step's beginning.
    pub at: Timestamp,
    /// What ended in it.
    pub counts: Counts,
}

/// A day of outcomes, by version and step.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    cells: VecDeque<Cell>,
}

#[derive(Clone, Debug)]
struct Cell {
    step: u64,
    version: Arc<NamedVersion>,
    counts: Counts,
}

impl Ring {
    pub(super) fn add(&mut self, version: &Arc<NamedVersion>, end: CallEnd, cpu: Duration, now: Timestamp) {
        let last = self.cells.back().map_or(0, |cell| cell.step);
        // A clock that was set back makes no earlier cells.
        let step = step_of(now, STEP).max(last);
        let known = self.cells.iter_mut().rev().take_while(|cell| cell.step == step);
        match known.into_iter().find(|cell| cell.version.key == version.key) {
            Some(cell) => cell.counts.add(end, cpu),
            None => {
                let mut counts = Counts::default();
                counts.add(end, cpu);
                self.cells.push_back(Cell { step, version: Arc::clone(version), counts });
            }
        }
        let oldest = step.saturating_sub(steps_in(KEPT, STEP));
        while self.cells.len() > CELLS_MAX || self.cells.front().is_some_and(|cell| cell.step < oldest) {
            self.cells.pop_front();
        }
    }

    /// How a version's calls ended since then, as far back as the ring goes.
    pub(super) fn total(&self, version: VersionKey, since: Timestamp) -> Counts {
        let first = step_of(since, STEP);
        let mut total = Counts::default();
        for cell in self.cells.iter().rev().take_while(|cell| cell.step >= first) {
            if cell.version.key == version {
                total.add_all(&cell.counts);
            }
        }
        total
    }

    pub(super) fn outcomes(&self, since: Timestamp, step: Duration) -> Vec<VersionOutcomes> {
        let width =
            u64::try_from(step.as_micros().div_ceil(STEP.as_micros())).unwrap_or(POINTS_MAX).clamp(1, POINTS_MAX);
        let first = step_of(since, STEP);
        let mut outcomes: Vec<VersionOutcomes> = Vec::new();
        for cell in self.cells.iter().filter(|cell| cell.step >= first) {
            let place = outcomes.iter().position(|known| known.version.key == cell.version.key);
            let place = place.unwrap_or_else(|| {
                let version = NamedVersion::clone(&cell.version);
                outcomes.push(VersionOutcomes { version, total: Counts::default(), series: Vec::new() });
                outcomes.len() - 1
            });
            let known = &mut outcomes[place];
            known.total.add_all(&cell.counts);
            let at = beginning(cell.step - cell.step % width);
            match known.series.last_mut().filter(|point| point.at == at) {
                Some(point) => point.counts.add_all(&cell.counts),
                None => known.series.push(OutcomePoint { at, counts: cell.counts }),
            }
        }
        outcomes
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }
}

/// What a version that takes calls is judged by.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Since it was put there.
    pub(super) total: Counts,
    window: VecDeque<(u64, Counts)>,
}

impl Tally {
    pub(super) fn add(&mut self, end: CallEnd, cpu: Duration, now: Timestamp) {
        self.total.add(end, cpu);
        let step = step_of(now, WINDOW_STEP).max(self.window.back().map_or(0, |(step, _)| *step));
        if self.window.back().is_none_or(|(last, _)| *last != step) {
            self.window.push_back((step, Counts::default()));
        }
        if let Some((_, counts)) = self.window.back_mut() {
            counts.add(end, cpu);
        }
        if self.window.len() > WINDOW_STEPS_MAX {
            self.window.pop_front();
        }
    }

    /// The last quarter of an hour, or as much more as it takes to have enough calls.
    pub(super) fn recent(&self, calls_min: u64, now: Timestamp) -> Counts {
        let first = step_of(now, WINDOW_STEP).saturating_sub(steps_in(WINDOW, WINDOW_STEP));
        let mut recent = Counts::default();
        for (step, counts) in self.window.iter().rev() {
            if *step < first && recent.judged() >= calls_min {
                break;
            }
            recent.add_all(counts);
        }
        recent
    }
}

fn step_of(at: Timestamp, step: Duration) -> u64 {
    at.as_micros() / micros(step)
}

fn beginning(step: u64) -> Timestamp {
    Timestamp::from_micros(step.saturating_mul(micros(STEP)))
}

fn steps_in(time: Duration, step: Duration) -> u64 {
    micros(time) / micros(step)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
