//! One commit as it grows: what its operations have written so far, over what the database holds.
use std::collections::{HashMap, HashSet};

use super::{core::Core, envelope, keys};
use crate::StoreError;
use crate::limits::APPLY_ROWS_MAX;

/// Why an operation did not happen.
pub(super) enum Fail {
    /// The operation is refused; the commit goes on.
    Refused(StoreError),
    /// The database failed; nothing may be acknowledged any more.
    Fatal(sled::Error),
}

impl From<StoreError> for Fail {
    fn from(error: StoreError) -> Self {
        Fail::Refused(error)
    }
}

impl From<sled::Error> for Fail {
    fn from(error: sled::Error) -> Self {
        Fail::Fatal(error)
    }
}

pub(super) type Step<T> = Result<T, Fail>;

pub(super) struct Tx<'a> {
    pub(super) core: &'a Core,
    /// Rows of whole operations, not yet applied.
    rows: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// Rows of the operation under way: forgotten when it is refused.
    draft: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// Legs whose begin-marker is in the database. Kept over commits.
    markers: &'a mut HashSet<Vec<u8>>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(core: &'a Core, markers: &'a mut HashSet<Vec<u8>>) -> Self {
        Self { core, rows: HashMap::new(), draft: HashMap::new(), markers }
    }

    /// The value as it would be after all operations so far, still in its envelope.
    pub(super) fn raw(&self, key: &[u8]) -> Step<Option<Vec<u8>>> {
        if let Some(value) = self.draft.get(key).or_else(|| self.rows.get(key)) {
            return Ok(value.clone());
        }
        Ok(self.core.db.get(key)?.map(|value| value.to_vec()))
    }

    pub(super) fn exists(&self, key: &[u8]) -> Step<bool> {
        if let Some(value) = self.draft.get(key).or_else(|| self.rows.get(key)) {
            return Ok(value.is_some());
        }
        Ok(self.core.db.contains_key(key)?)
    }

    pub(super) fn put(&mut self, key: Vec<u8>, payload: &[u8]) {
        let value = envelope::seal(&key, payload);
        self.draft.insert(key, Some(value));
    }

    pub(super) fn delete(&mut self, key: Vec<u8>) {
        self.draft.insert(key, None);
    }

    /// Deletes a leg's begin-marker; costs nothing when it never reached the database.
    pub(super) fn delete_marker(&mut self, leg: &[u8]) {
        let key = keys::tagged(keys::MARKER, leg);
        if self.markers.contains(leg) {
            self.delete(key);
        } else {
            self.draft.remove(&key);
            self.rows.remove(&key);
        }
    }

    /// The operation is whole.
    pub(super) fn finish(&mut self) -> Result<(), sled::Error> {
        self.rows.extend(self.draft.drain());
        if self.rows.len() >= APPLY_ROWS_MAX { self.apply() } else { Ok(()) }
    }

    /// The operation is refused.
    pub(super) fn forget(&mut self) {
        self.draft.clear();
    }

    /// Hands the rows of whole operations to the database, all or none. Not durable yet.
    pub(super) fn apply(&mut self) -> Result<(), sled::Error> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let read_at_once =
            |key: &&Vec<u8>| matches!(key.first(), Some(&(keys::ENTRY | keys::DOCUMENT | keys::AUDIT | keys::END)));
        self.core.undurable.lock().extend(self.rows.keys().filter(read_at_once).cloned());
        let mut batch = sled::Batch::default();
        for (key, value) in self.rows.drain() {
            if let Some(leg) = key.strip_prefix(&[keys::MARKER]) {
                let leg = leg.to_vec();
                if value.is_some() {
                    self.markers.insert(leg)
                } else {
                    self.markers.remove(&leg)
                };
            }
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.core.db.apply_batch(batch)
    }
}
