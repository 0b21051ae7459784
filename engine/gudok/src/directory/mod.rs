//! The directory of the running engine: read from the ledger at the start and after every change, as one value that is
//! replaced as a whole. A question waits for nobody.

mod port;

use crate::clock::EngineClock;
use crate::director::Director;
use arc_swap::ArcSwap;
use gudok_admin::books::DirectoryDocument;
use gudok_admin::documents::kinds;
use gudok_admin::ports::{DirectoryHit, DirectorySearch};
use gudok_core::calendar::Calendar;
use gudok_core::directory::{Directory, DirectoryEntry, ENTRIES_MAX, EntryKind, Query};
use gudok_core::ids::{Group, Queue};
use gudok_plugin_host::ports::Clock;
use gudok_store::{LedgerQuery, Store, StoreError, UtcMs};
use jiff::tz::TimeZone;
use std::sync::{Arc, OnceLock, Weak};

/// The directory, and what it is asked with.
pub(crate) struct LiveDirectory {
    store: Arc<dyn Store>,
    clock: Arc<EngineClock>,
    zone: TimeZone,
    /// The centre's own language.
    lang: Arc<str>,
    now: ArcSwap<Directory>,
    /// One reading at a time: what is read later is never replaced by what was read before.
    reading: tokio::sync::Mutex<()>,
    /// Knows the calendars; it is made later, and knows the scripts' ports.
    director: OnceLock<Weak<Director>>,
}

impl LiveDirectory {
    /// Empty, until it is loaded.
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<EngineClock>, zone: TimeZone, lang: Arc<str>) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            zone,
            lang,
            now: ArcSwap::default(),
            reading: tokio::sync::Mutex::default(),
            director: OnceLock::new(),
        })
    }

    /// Whom to ask for calendars.
    pub(crate) fn attach(&self, director: &Arc<Director>) {
        // Attached twice, it is the same one.
        let _ = self.director.set(Arc::downgrade(director));
    }

    /// Reads every entry anew. An entry that is not understood is left out, and the log says which.
    ///
    /// # Errors
    /// Of the store: then the directory stays as it was.
    pub(crate) async fn load(&self) -> Result<usize, StoreError> {
        let _one = self.reading.lock().await;
        let now = UtcMs(self.clock.now().as_millis());
        let (mut entries, mut after) = (Vec::new(), None);
        loop {
            let query = LedgerQuery { kind: kinds::DIRECTORY.to_owned(), after, ..LedgerQuery::default() };
            let page = self.store.ledger_list(query, now).await?;
            entries.extend(page.documents.iter().filter_map(|document| entry(&document.id, &document.body)));
            match page.more_after {
                Some(more) if entries.len() < ENTRIES_MAX => after = Some(more),
                Some(_) => {
                    tracing::error!(entries = entries.len(), "the directory has more entries than are read");
                    break;
                }
                None => break,
            }
        }
        let count = entries.len();
        // Making the index of a hundred thousand entries takes a second: not on a thread that serves calls.
        let directory = tokio::task::spawn_blocking(move || Directory::new(entries)).await.unwrap_or_default();
        self.now.store(Arc::new(directory));
        metrics::gauge!("gudok_directory_entries").set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        Ok(count)
    }

    /// As it is now.
    pub(crate) fn now(&self) -> Arc<Directory> {
        self.now.load_full()
    }

    /// What an operator is shown, the best first.
    pub(crate) fn search(&self, search: &DirectorySearch) -> Vec<DirectoryHit> {
        let kind = search.kind.as_deref().map(EntryKind::parse);
        let kinds = match kind {
            None => Vec::new(),
            Some(Some(kind)) => vec![kind],
            Some(None) => return Vec::new(),
        };
        let query = Query {
            kinds: &kinds,
            municipality: search.municipality.as_deref(),
            lang: search.lang.as_deref(),
            text: Some(&search.text),
            ..Query::default()
        };
        let mut found = self.now().find(&query);
        if let Some(agencies) = &search.agencies {
            found.retain(|found| agencies.iter().any(|agency| agency == found.entry.agency.as_str()));
        }
        found.truncate(search.limit.max(1));
        let hit = |found: gudok_core::directory::Found| DirectoryHit {
            id: found.entry.id.to_string(),
            score: f64::from(found.score),
        };
        found.into_iter().map(hit).collect()
    }

    /// A calendar by the name of its queue or group, or of its office in the directory.
    fn calendar(&self, name: &str) -> Option<Arc<Calendar>> {
        let routes = self.director.get().and_then(Weak::upgrade).map(|director| director.routes());
        if let Some(routes) = routes {
            let queue = routes.centre.queues.get(&Queue::new(name)).map(|queue| Arc::clone(&queue.calendar));
            let group = || routes.groups.get(&Group::new(name)).map(|group| Arc::clone(&group.calendar));
            if let Some(calendar) = queue.or_else(group) {
                return Some(calendar);
            }
        }
        let now = self.now();
        let hours = now.entry(name)?.hours.as_ref()?;
        Some(Arc::new(hours.calendar(self.zone.clone())))
    }
}

fn entry(id: &str, body: &[u8]) -> Option<DirectoryEntry> {
    let document: Result<DirectoryDocument, _> = serde_json::from_slice(body);
    let entry = document.map_err(|error| error.to_string()).and_then(|document| {
        let entry = document.entry(id);
        entry.map_err(|error| error.to_string())
    });
    match entry {
        Ok(entry) => Some(entry),
        Err(problem) => {
            tracing::error!(id, problem, "an entry of the directory is not understood; import it again");
            None
        }
    }
}

#[cfg(test)]
mod tests;
