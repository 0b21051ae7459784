//! Which version new calls take.

use crate::version::Version;
use arc_swap::ArcSwap;
use gudok_core::deployment::{Share, takes_canary};
use gudok_core::ids::{Agency, Entry};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

type Key = (Agency, Entry);
type Entries = HashMap<Key, Split>;

/// What new calls at an entry take.
#[derive(Clone, Debug)]
pub struct Split {
    /// Everybody's who is not the canary's.
    pub stable: Arc<Version>,
    /// The version beside it, for a share of callers.
    pub canary: Option<(Arc<Version>, Share)>,
}

impl Split {
    /// The version of one caller. `sticky` is the same for the same caller at the same entry.
    fn choose(&self, sticky: u64) -> &Arc<Version> {
        match &self.canary {
            Some((canary, share)) if takes_canary(sticky, *share) => canary,
            _ => &self.stable,
        }
    }

    fn versions(&self) -> impl Iterator<Item = &Arc<Version>> {
        std::iter::once(&self.stable).chain(self.canary.iter().map(|(canary, _)| canary))
    }
}

/// The active versions of each agency's entry. A switch touches new calls only: a running call holds the version that it
/// began with, and with the last of them the old version's memory goes.
///
/// A call that begins waits for nobody: it reads a table that is replaced as a whole. Who switches pays for the copy.
#[derive(Debug, Default)]
pub struct Registry {
    entries: ArcSwap<Entries>,
    switching: Mutex<()>,
}

impl Registry {
    /// Makes a version the one that new calls take. Answers with what was before.
    pub fn activate(&self, agency: &Agency, entry: &Entry, version: Arc<Version>) -> Option<Split> {
        self.activate_split(agency, entry, version, None)
    }

    /// Makes a version the one that new calls take, but for a share of callers, who take the canary. Answers with what was
    /// before.
    pub fn activate_split(
        &self,
        agency: &Agency,
        entry: &Entry,
        stable: Arc<Version>,
        canary: Option<(Arc<Version>, Share)>,
    ) -> Option<Split> {
        let split = Split { stable, canary };
        // Before a call can have them, and before the old ones go: a version that stays is at no moment out of use.
        for version in split.versions() {
            version.active.fetch_add(1, Relaxed);
            version.was_active.store(true, Relaxed);
        }
        retired(self.switch(|entries| entries.insert((agency.clone(), entry.clone()), split)))
    }

    /// Leaves an entry without a version. Answers with what was there.
    pub fn deactivate(&self, agency: &Agency, entry: &Entry) -> Option<Split> {
        retired(self.switch(|entries| entries.remove(&(agency.clone(), entry.clone()))))
    }

    /// What a new call takes. `sticky` is the same for the same caller at the same entry.
    #[must_use]
    pub fn current(&self, agency: &Agency, entry: &Entry, sticky: u64) -> Option<Arc<Version>> {
        // The key is two shared strings: cloning them copies no text.
        let entries = self.entries.load();
        entries.get(&(agency.clone(), entry.clone())).map(|split| Arc::clone(split.choose(sticky)))
    }

    /// What is active at an entry now.
    #[must_use]
    pub fn split(&self, agency: &Agency, entry: &Entry) -> Option<Split> {
        self.entries.load().get(&(agency.clone(), entry.clone())).cloned()
    }

    /// Everything that is active now.
    #[must_use]
    pub fn active(&self) -> Vec<(Agency, Entry, Split)> {
        let entries = self.entries.load();
        entries.iter().map(|((agency, entry), split)| (agency.clone(), entry.clone(), split.clone())).collect()
    }

    fn switch<R>(&self, change: impl FnOnce(&mut Entries) -> R) -> R {
        let _one_at_a_time = self.switching.lock();
        let mut entries = Entries::clone(&self.entries.load());
        let answer = change(&mut entries);
        self.entries.store(Arc::new(entries));
        answer
    }
}

fn retired(split: Option<Split>) -> Option<Split> {
    split.inspect(|split| {
        for version in split.versions() {
            version.active.fetch_sub(1, Relaxed);
        }
    })
}
