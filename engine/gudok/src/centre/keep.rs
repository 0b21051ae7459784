//! Callbacks in the ledger: written in the order of the machine's commands, read at the start.

use super::document::CallbackDocument;
use crate::clock::EngineClock;
use crate::keys::Subjects;
use gudok_admin::documents::kinds;
use gudok_core::centre::Callback;
use gudok_core::ids::CallbackId;
use gudok_plugin_host::ports::Clock;
use gudok_store::{AuditDraft, LedgerChange, LedgerQuery, Pending, Put, Store, StoreError, UtcMs};
use std::sync::Arc;
use std::time::Duration;

/// A callback that is over is kept so long, for whoever asks what became of it.
const ENDED_KEPT: Duration = Duration::from_hours(90 * 24);

/// Where callbacks are kept.
#[derive(Clone)]
pub(super) struct Book {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<EngineClock>,
    pub(super) subjects: Subjects,
}

impl Book {
    /// Begins to write a callback down; the answer comes later. What was promised already is written on a low disk too.
    pub(super) fn write(
        &self,
        callback: &Callback,
        audit: Option<AuditDraft>,
        promised: bool,
    ) -> Result<Pending<()>, String> {
        let document = CallbackDocument::of(callback, &self.subjects).ok_or("the number cannot be sealed")?;
        let body = serde_json::to_vec(&document).map_err(|error| error.to_string())?;
        let now = self.clock.now();
        let expires = callback.state.is_over().then(|| UtcMs((now + ENDED_KEPT).as_millis()));
        let put = Put { kind: kinds::CALLBACK.to_owned(), id: callback.id.as_str().to_owned(), body, expires };
        let change = LedgerChange {
            puts: vec![put],
            audit: audit.into_iter().collect(),
            urgent: promised,
            ..LedgerChange::default()
        };
        let written = self.store.ledger_commit(change, UtcMs(now.as_millis()));
        Ok(Pending::new(async move { written.await.map(|_| ()) }))
    }
}

/// What a former process left: every callback that is not over.
///
/// # Errors
/// Where the ledger cannot be read.
pub(crate) async fn recover(store: &dyn Store, subjects: &Subjects, now: UtcMs) -> Result<Vec<Callback>, StoreError> {
    let mut open = Vec::new();
    read(store, subjects, now, |callback| {
        if !callback.state.is_over() {
            open.push(callback);
        }
    })
    .await?;
    Ok(open)
}

/// Callbacks that are over, the latest first.
///
/// # Errors
/// Where the ledger cannot be read.
pub(crate) async fn ended(
    store: &dyn Store,
    subjects: &Subjects,
    now: UtcMs,
    rows_max: usize,
) -> Result<Vec<Callback>, StoreError> {
    let mut over = Vec::new();
    read(store, subjects, now, |callback| {
        if callback.state.is_over() {
            over.push(callback);
        }
    })
    .await?;
    over.sort_by(|a, b| (b.requested, &b.id).cmp(&(a.requested, &a.id)));
    over.truncate(rows_max);
    Ok(over)
}

/// One callback, whatever became of it.
///
/// # Errors
/// Where the ledger cannot be read.
pub(crate) async fn kept(
    store: &dyn Store,
    subjects: &Subjects,
    id: &CallbackId,
    now: UtcMs,
) -> Result<Option<Callback>, StoreError> {
    let document = store.ledger_get(kinds::CALLBACK, id.as_str(), now).await?;
    Ok(document.and_then(|document| {
        serde_json::from_slice::<CallbackDocument>(&document.body).ok()?.callback(&document.id, subjects)
    }))
}

async fn read(
    store: &dyn Store,
    subjects: &Subjects,
    now: UtcMs,
    mut each: impl FnMut(Callback),
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let query = LedgerQuery { kind: kinds::CALLBACK.to_owned(), after, ..LedgerQuery::default() };
        let page = store.ledger_list(query, now).await?;
        if page.corrupt > 0 {
            tracing::error!(count = page.corrupt, "callbacks in the store are damaged: their callers are not called");
        }
        for document in &page.documents {
            let read = serde_json::from_slice::<CallbackDocument>(&document.body).ok();
            match read.and_then(|read| read.callback(&document.id, subjects)) {
                Some(callback) => each(callback),
                None => tracing::warn!(callback = document.id, "a callback without a number that can be read is left"),
            }
        }
        match page.more_after {
            Some(more) => after = Some(more),
            None => return Ok(()),
        }
    }
}
