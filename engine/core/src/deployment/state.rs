//! What a deployment is, as plain data: whoever drives the machine keeps it, and brings it back after a restart.

use super::{Counts, Guard, Share};
use crate::time::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Versions that a deployment can go back to: the one before, and the last good one behind it. Each is kept loaded.
pub(super) const EARLIER_MAX: usize = 2;

/// A version, by the hash of its bundle's content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionKey(pub [u8; 32]);

impl fmt::Display for VersionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for VersionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A version and what people call it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedVersion {
    /// Which.
    pub key: VersionKey,
    /// As in its manifest: "1.2.0".
    pub label: Arc<str>,
}

/// How calls went on a version, for another one to be compared with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Baseline {
    /// The version that they went on.
    pub label: Arc<str>,
    /// How they ended.
    pub counts: Counts,
}

/// A version that takes calls, or took them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveVersion {
    /// Which.
    pub version: NamedVersion,
    /// It has taken calls since.
    pub since: Timestamp,
    /// What it is measured by: the version that it replaced; once it is good, its own usual figures.
    pub baseline: Option<Baseline>,
}

/// A version that takes a share of callers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Canary {
    /// Which.
    pub version: NamedVersion,
    /// It has taken calls since.
    pub since: Timestamp,
    /// Of callers.
    pub share: Share,
}

/// A version that the deployment can go back to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Earlier {
    /// Which, and how it was doing.
    pub live: LiveVersion,
    /// It had been watched to the end, or had enough calls without anything against it.
    pub good: bool,
}

/// How far the stable version is to be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It is new: compared with the version that it replaced.
    Watching {
        /// Then it is good.
        until: Timestamp,
    },
    /// The engine went back to it. Nothing is judged meanwhile: what makes one version after the other look bad, such as a
    /// back end that is down, is not the versions' doing.
    Restored {
        /// Then it is judged again, if it does well.
        until: Timestamp,
    },
    /// Compared with its own usual figures.
    Good,
}

/// A version was taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakenBack {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub from: NamedVersion,
    /// What serves instead.
    pub to: NamedVersion,
    /// In words, with figures.
    pub reason: String,
    /// By the machine itself.
    pub automatic: bool,
}

/// What is live at one entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeploymentState {
    /// Takes the callers who are not the canary's.
    pub stable: LiveVersion,
    /// How far the stable version is to be trusted.
    pub phase: Phase,
    /// Takes its share.
    pub canary: Option<Canary>,
    /// What can be gone back to, newest last.
    pub earlier: Vec<Earlier>,
    /// When a version is taken back.
    pub guard: Guard,
    /// How long calls on a replaced version may go on; for ever where none is given.
    pub drain: Option<Duration>,
    /// The last time that a version was taken back.
    pub last_rollback: Option<TakenBack>,
}

impl DeploymentState {
    /// The first version of an entry: there is nothing to compare it with, and nothing to go back to.
    #[must_use]
    pub fn first(version: NamedVersion, guard: Guard, drain: Option<Duration>, now: Timestamp) -> Self {
        Self {
            stable: LiveVersion { version, since: now, baseline: None },
            phase: Phase::Watching { until: now + guard.watch },
            canary: None,
            earlier: Vec::new(),
            guard,
            drain,
            last_rollback: None,
        }
    }

    /// Where the circuit breaker goes: the newest earlier version that proved good, else the newest.
    #[must_use]
    pub fn last_good(&self) -> Option<&NamedVersion> {
        self.earlier.get(self.last_good_place()?).map(|earlier| &earlier.live.version)
    }

    /// Where an admin's roll-back of the stable version goes: the version before it.
    #[must_use]
    pub fn before(&self) -> Option<&NamedVersion> {
        self.earlier.last().map(|earlier| &earlier.live.version)
    }

    /// Every version that may be given a call, now or after a roll-back: these stay loaded.
    pub fn referenced(&self) -> impl Iterator<Item = &NamedVersion> {
        let canary = self.canary.as_ref().map(|canary| &canary.version);
        let earlier = self.earlier.iter().map(|earlier| &earlier.live.version);
        std::iter::once(&self.stable.version).chain(canary).chain(earlier)
    }

    /// `canary`, `watching` or `stable`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match (&self.canary, self.phase) {
            (Some(_), _) => "canary",
            (None, Phase::Good) => "stable",
            (None, Phase::Watching { .. } | Phase::Restored { .. }) => "watching",
        }
    }

    pub(super) fn last_good_place(&self) -> Option<usize> {
        let good = self.earlier.iter().rposition(|earlier| earlier.good);
        good.or(self.earlier.len().checked_sub(1))
    }

    pub(super) fn takes_calls(&self, key: VersionKey) -> bool {
        self.stable.version.key == key || self.canary.as_ref().is_some_and(|canary| canary.version.key == key)
    }

    pub(super) fn refers_to(&self, key: VersionKey) -> bool {
        self.referenced().any(|version| version.key == key)
    }

    /// No version is in two places, and no more than are kept.
    pub(super) fn tidy(&mut self) {
        let stable = self.stable.version.key;
        self.canary.take_if(|canary| canary.version.key == stable);
        let mut seen = vec![stable];
        // Newest first, so that the newest mention of a version is the one that stays.
        self.earlier.reverse();
        self.earlier.retain(|earlier| {
            let key = earlier.live.version.key;
            let new = !seen.contains(&key);
            seen.push(key);
            new
        });
        self.earlier.reverse();
        while self.earlier.len() > EARLIER_MAX {
            // The newest one that proved good is what the breaker needs: it goes last.
            let kept = self.last_good_place();
            let oldest = (0..self.earlier.len()).find(|place| Some(*place) != kept).unwrap_or(0);
            self.earlier.remove(oldest);
        }
    }
}
