//! All timers of a deployment.

use super::VersionKey;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// What comes due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Timer {
    /// The stable version has been watched for as long as its guard says, or the breaker has been open as long.
    Watch,
    /// A replaced version has had the time that its calls were given: what is left moves to an operator.
    Drain(VersionKey),
}

/// When each comes due; at most one a kind and version.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers(BTreeMap<Timer, Timestamp>);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Timestamp) {
        self.0.insert(timer, at);
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.0.remove(&timer);
    }

    pub(super) fn get(&self, timer: Timer) -> Option<Timestamp> {
        self.0.get(&timer).copied()
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.values().min().copied()
    }

    /// Takes all that are due.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Timer> {
        let due: Vec<_> = self.0.iter().filter(|(_, at)| **at <= now).map(|(timer, _)| *timer).collect();
        due.iter().for_each(|timer| self.clear(*timer));
        due
    }
}
