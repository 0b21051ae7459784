//! Which version new calls take.

use crate::version::Version;
use arc_swap::ArcSwapOption;
use gudok_core::ids::{Agency, Entry};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

type Key = (Agency, Entry);
type Slot = Arc<ArcSwapOption<Version>>;

/// The active version of each agency's entry. A switch touches new calls only: a running call holds the version that it
/// began with, and with the last of them the old version's memory goes.
#[derive(Debug, Default)]
pub struct Registry {
    entries: RwLock<HashMap<Key, Slot>>,
}

impl Registry {
    /// Makes a version the one that new calls take. Answers with the one before.
    pub fn activate(&self, agency: &Agency, entry: &Entry, version: Arc<Version>) -> Option<Arc<Version>> {
        let slot = Arc::clone(self.entries.write().entry((agency.clone(), entry.clone())).or_default());
        version.was_active.store(true, Relaxed);
        version.active.fetch_add(1, Relaxed);
        retired(slot.swap(Some(version)))
    }

    /// Leaves an entry without a version. Answers with the one that was there.
    pub fn deactivate(&self, agency: &Agency, entry: &Entry) -> Option<Arc<Version>> {
        let slot = self.entries.write().remove(&(agency.clone(), entry.clone()))?;
        retired(slot.swap(None))
    }

    /// What a new call takes.
    #[must_use]
    pub fn current(&self, agency: &Agency, entry: &Entry) -> Option<Arc<Version>> {
        // The key is two shared strings: cloning them copies no text.
        let slot = Arc::clone(self.entries.read().get(&(agency.clone(), entry.clone()))?);
        slot.load_full()
    }

    /// Everything that is active now.
    #[must_use]
    pub fn active(&self) -> Vec<(Agency, Entry, Arc<Version>)> {
        let entries = self.entries.read();
        let active = |((agency, entry), slot): (&Key, &Slot)| Some((agency.clone(), entry.clone(), slot.load_full()?));
        entries.iter().filter_map(active).collect()
    }
}

fn retired(version: Option<Arc<Version>>) -> Option<Arc<Version>> {
    version.inspect(|version| {
        version.active.fetch_sub(1, Relaxed);
    })
}
