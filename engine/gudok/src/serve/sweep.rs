//! What is kept no longer than it may be: scripts' storage, documents of the ledger, call records, recordings, traces.
//! What agencies' retention takes away stands in the audit, once it is gone from the disk.

use crate::call::CallHost;
use crate::director::Director;
use gudok_admin::documents::{RetentionDocument, kinds};
use gudok_admin::ports::Trace;
use gudok_plugin_host::ports::Clock;
use gudok_store::{AgencyId, AuditDraft, Deleted, LedgerChange, Put, Store, StoreError, UtcMs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// Removed in one step.
const ROWS_MAX: usize = 500;
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Retention is looked at so often, and whenever somebody has changed it.
const RETENTION_EVERY: Duration = Duration::from_secs(600);
/// Traces kept in one commit.
const TRACES_MAX: usize = 32;
/// Documents deleted in one commit.
const DELETES_MAX: usize = 64;
const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// Expired storage of scripts and expired documents are removed in small steps.
pub(super) async fn expired(host: Arc<CallHost>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let now = || UtcMs(host.clock.now().as_millis());
        while let Ok(swept) = host.store.buckets_sweep(now(), ROWS_MAX).await {
            if !swept.more {
                break;
            }
        }
        while let Ok(swept) = host.store.ledger_sweep(now(), ROWS_MAX).await {
            if !swept.more {
                break;
            }
        }
    }
}

/// Keeps the traces of landed calls, for as long as their agency's retention says.
pub(super) async fn keep_traces(host: Arc<CallHost>, mut landed: mpsc::Receiver<Trace>) {
    let mut some = Vec::new();
    while landed.recv_many(&mut some, TRACES_MAX).await > 0 {
        let now = host.clock.now().as_millis();
        let mut days: BTreeMap<String, u32> = BTreeMap::new();
        let mut puts = Vec::new();
        for trace in some.drain(..) {
            let days = match days.get(&trace.agency) {
                Some(days) => *days,
                None => {
                    let read = rules(&*host.store, &trace.agency, UtcMs(now)).await.unwrap_or_default().trace_days;
                    *days.entry(trace.agency.clone()).or_insert(read)
                }
            };
            // A day longer: what retention takes away stands in the audit, what expires does not.
            let expires = Some(UtcMs(now.saturating_add(u64::from(days).saturating_add(1).saturating_mul(DAY_MS))));
            let id = trace.id.clone();
            if let Some(body) = fitting(trace) {
                puts.push(Put { kind: kinds::TRACE.to_owned(), id, body, expires });
            }
        }
        let kept = host.store.ledger_commit(LedgerChange { puts, ..LedgerChange::default() }, UtcMs(now)).await;
        if let Err(error) = kept {
            crate::metrics::trace_not_kept();
            tracing::warn!(%error, "traces of landed calls were not kept");
        }
    }
}

/// As JSON, without as many lines of its middle as it takes to fit.
fn fitting(mut trace: Trace) -> Option<Vec<u8>> {
    loop {
        let body = serde_json::to_vec(&trace).ok()?;
        if body.len() <= gudok_store::limits::DOCUMENT_BYTES_MAX {
            return Some(body);
        }
        let (lines, middle) = (trace.lines.len(), trace.lines.len() / 2);
        let cut = middle..(middle + lines / 8 + 1).min(lines);
        trace.dropped = trace.dropped.saturating_add(u32::try_from(cut.len()).unwrap_or(u32::MAX));
        trace.lines.drain(cut);
    }
}

/// Takes away what agencies keep no longer, until the engine stops.
pub(super) async fn retention_of_all(host: Arc<CallHost>, director: Arc<Director>, changed: Arc<Notify>) {
    loop {
        for agency in agencies(&director) {
            let now_ms = host.clock.now().as_millis();
            let rules = rules(&*host.store, &agency, UtcMs(now_ms)).await;
            // By a rehearsal's clock everything is old: only what somebody has set counts then.
            if rules.is_none() && host.clock.is_rehearsal() {
                continue;
            }
            let kept = rules.unwrap_or_default();
            if let Some(journals) = &host.journals {
                // What a journal says is no less than what a trace says.
                let days = kept.trace_days.min(kept.cdr_days);
                let gone = journals.sweep(Some(&agency), days, host.clock.now()).await;
                let limit = UtcMs(now_ms.saturating_sub(u64::from(days).saturating_mul(DAY_MS)));
                if let Err(error) = note(&*host.store, &agency, "journal", gone, limit, 0, now_ms).await {
                    tracing::error!(agency, %error, "what retention took of journals does not stand in the audit");
                }
            }
            if let Err(error) = retention_of(&*host.store, &agency, rules.unwrap_or_default(), now_ms).await {
                tracing::error!(agency, %error, "retention was not carried out; trying again later");
            }
        }
        if let Some(journals) = host.journals.as_ref().filter(|_| !host.clock.is_rehearsal()) {
            // Those of agencies that are no more.
            journals.sweep(None, u32::MAX, host.clock.now()).await;
        }
        tokio::select! {
            () = tokio::time::sleep(RETENTION_EVERY) => {}
            () = changed.notified() => {}
        }
    }
}

/// Whose data there may be.
fn agencies(director: &Director) -> Vec<String> {
    let routes = director.routes();
    let names: BTreeSet<String> = routes.agencies.keys().map(|agency| agency.as_str().to_owned()).collect();
    names.into_iter().collect()
}

/// What somebody has set.
async fn rules(store: &dyn Store, agency: &str, now: UtcMs) -> Option<RetentionDocument> {
    let kept = store.ledger_get(kinds::RETENTION, agency, now).await.ok().flatten()?;
    serde_json::from_slice(&kept.body).ok()
}

/// One agency's.
async fn retention_of(
    store: &dyn Store,
    agency: &str,
    rules: RetentionDocument,
    now_ms: u64,
) -> Result<(), StoreError> {
    let before = |days: u32| UtcMs(now_ms.saturating_sub(u64::from(days).saturating_mul(DAY_MS)));
    let id = AgencyId::new(agency)?;

    let limit = before(rules.recording_days);
    let mut gone = Deleted::default();
    loop {
        let step = store.recordings_delete_before(Some(id.clone()), limit, UtcMs(now_ms), ROWS_MAX).await?;
        if !add(&mut gone, &step) {
            break;
        }
    }
    note(store, agency, "recording", gone.recordings, limit, gone.blobs_stuck, now_ms).await?;

    let limit = before(rules.cdr_days);
    let mut gone = Deleted::default();
    loop {
        let step = store.cdrs_delete_before(Some(id.clone()), limit, ROWS_MAX).await?;
        if !add(&mut gone, &step) {
            break;
        }
    }
    note(store, agency, "cdr", gone.cdrs, limit, gone.blobs_stuck, now_ms).await?;

    let limit = before(rules.trace_days);
    let traces = delete_traces(store, agency, limit, now_ms).await?;
    note(store, agency, "trace", traces, limit, 0, now_ms).await
}

/// Whether there may be more.
fn add(all: &mut Deleted, step: &Deleted) -> bool {
    all.cdrs += step.cdrs;
    all.recordings += step.recordings;
    all.blobs += step.blobs;
    // A file that cannot be deleted is met again at every step.
    all.blobs_stuck = all.blobs_stuck.max(step.blobs_stuck);
    step.more
}

async fn delete_traces(store: &dyn Store, agency: &str, before: UtcMs, now_ms: u64) -> Result<u64, StoreError> {
    let (mut after, mut deleted) = (None, 0);
    loop {
        let query = gudok_store::LedgerQuery { kind: kinds::TRACE.to_owned(), after, ..Default::default() };
        let page = store.ledger_list(query, UtcMs(now_ms)).await?;
        let old: Vec<(String, String)> = page
            .documents
            .iter()
            .filter(|document| {
                serde_json::from_slice::<Trace>(&document.body)
                    .is_ok_and(|trace| trace.agency == agency && trace.began_ms < before.0)
            })
            .map(|document| (document.kind.clone(), document.id.clone()))
            .collect();
        for some in old.chunks(DELETES_MAX) {
            let change = LedgerChange { deletes: some.to_vec(), urgent: true, ..LedgerChange::default() };
            store.ledger_commit(change, UtcMs(now_ms)).await?;
            deleted += some.len() as u64;
        }
        match page.more_after {
            Some(more) => after = Some(more),
            None => return Ok(deleted),
        }
    }
}

/// The audit says what is gone, and what should be and is not.
async fn note(
    store: &dyn Store,
    agency: &str,
    kind: &str,
    count: u64,
    before: UtcMs,
    stuck: u64,
    now_ms: u64,
) -> Result<(), StoreError> {
    if stuck > 0 {
        tracing::error!(
            agency,
            kind,
            files = stuck,
            "recordings past their retention are still on the disk; look at their folder's rights"
        );
    }
    if count == 0 {
        return Ok(());
    }
    let mut details = serde_json::json!({ "kind": kind, "count": count, "before_ms": before.0 });
    if stuck > 0 {
        details["files_not_deleted"] = stuck.into();
    }
    let draft = AuditDraft {
        actor: "engine".to_owned(),
        via: "engine".to_owned(),
        action: "retention.deleted".to_owned(),
        object: format!("retention:{agency}"),
        agency: Some(agency.to_owned()),
        details,
    };
    let change = LedgerChange { audit: vec![draft], urgent: true, ..LedgerChange::default() };
    store.ledger_commit(change, UtcMs(now_ms)).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_admin::ports::TraceLine;

    #[test]
    fn a_trace_that_is_too_long_loses_its_middle() {
        let line = |at_ms| TraceLine {
            at_ms,
            kind: "say".into(),
            text: "ы".repeat(400),
            took_ms: None,
            outcome: None,
            agency: None,
        };
        let trace = Trace {
            id: "1".into(),
            live: false,
            agency: "mfc".into(),
            entry: "desk".into(),
            versions: Vec::new(),
            began_ms: 0,
            lines: (0..400).map(line).collect(),
            dropped: 0,
        };
        let body = fitting(trace).unwrap();
        assert!(body.len() <= gudok_store::limits::DOCUMENT_BYTES_MAX);
        let kept: Trace = serde_json::from_slice(&body).unwrap();
        assert_eq!(kept.lines.len() + kept.dropped as usize, 400);
        assert_eq!((kept.lines[0].at_ms, kept.lines.last().unwrap().at_ms), (0, 399));
    }
}
