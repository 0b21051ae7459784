//! The store and what lies in its folder, opened; or, where it does not open any more, what goes on without it.
//!
//! An engine that has had a good start before starts without its store too, and says so: callers hear the announcements
//! that are beside the store, the host's own menu, and operators. Nothing is promised, and records are spooled. One that
//! never had a good start refuses to start: then it is the configuration that is wrong.

use crate::clock::EngineClock;
use crate::config::Config;
use crate::keys::{NodeKey, Subjects};
use crate::metrics;
use crate::no_store::NoStore;
use crate::spool::Spool;
use anyhow::Context;
use gudok_plugin_host::ports::Clock;
use gudok_store::{SledStore, SpaceLimits, Store, StoreError, StoreOptions, UtcMs};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Beside the store: there was a good start.
const MARKER: &str = "store-is-known";
const RECORDS_DIR: &str = "records";

/// What the rooms stand on.
pub(super) struct Keeping {
    pub(super) store: Arc<dyn Store>,
    pub(super) space: SpaceLimits,
    pub(super) node_key: NodeKey,
    pub(super) subjects: Subjects,
    pub(super) spool: Arc<Spool>,
    /// Where recordings grow and caches are.
    pub(super) work_dir: PathBuf,
    pub(super) without_store: bool,
}

impl Keeping {
    /// Opens the store, or goes on without it.
    ///
    /// # Errors
    /// Where another process has the store, others may read the node's key, or there was no good start before.
    pub(super) async fn open(config: &Config, clock: &EngineClock) -> anyhow::Result<Self> {
        let beside = &config.store.emergency_dir;
        let known = beside.join(MARKER).exists();
        let error = match with_store(config, clock, known).await {
            Ok(keeping) => {
                if let Err(error) = mark(beside) {
                    tracing::warn!(
                        %error, folder = %beside.display(),
                        "nothing can be kept beside the store: without it, announcements would not be heard; let the engine write there, or set [store] emergency_dir"
                    );
                }
                metrics::degraded(false);
                return Ok(keeping);
            }
            Err(error) => error,
        };
        if !known || !is_of_the_disk(&error) {
            return Err(error);
        }
        tracing::error!(
            error = format!("{error:#}"),
            "the store does not open: the engine runs without it. Announcements, information and operators go on; nothing is promised, scripts do not run, records are spooled. Mend the store and start the engine again"
        );
        metrics::degraded(true);
        Ok(Self {
            store: Arc::new(NoStore::new(format!("{error:#}"))),
            space: SpaceLimits::default(),
            node_key: NodeKey::ephemeral(),
            subjects: Subjects::masked_only(),
            spool: Spool::new(beside, true),
            work_dir: work_dir(beside),
            without_store: true,
        })
    }
}

async fn with_store(config: &Config, clock: &EngineClock, known: bool) -> anyhow::Result<Keeping> {
    let dir = &config.store.dir;
    let beside = &config.store.emergency_dir;
    if known {
        let records = dir.join(RECORDS_DIR);
        // A folder that is not mounted must not pass for a new store.
        std::fs::read_dir(&records).with_context(|| {
            format!(
                "the store is not at {} any more; bring it back, or remove {} to begin with an empty one",
                records.display(),
                beside.join(MARKER).display()
            )
        })?;
    }
    std::fs::create_dir_all(dir).with_context(|| format!("creating the store's folder {}", dir.display()))?;
    let node_key = NodeKey::open(dir)?;
    let mut options = StoreOptions::at(dir.join(RECORDS_DIR));
    options.space = SpaceLimits { promises_free_percent_min: config.store.free_percent_min, ..options.space };
    options.audit_key = Some(node_key.audit());
    let space = options.space;
    let store = tokio::task::spawn_blocking(move || SledStore::open(options)).await??;
    let store: Arc<dyn Store> = Arc::new(store);
    let spool = Spool::new(beside, false);
    match spool.take_in(&*store).await {
        Ok(0) => {}
        Ok(records) => tracing::warn!(records, "call records of a time without the store were taken in"),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "spooled call records were not taken in; they stay");
        }
    }
    close_crashed(&*store, clock).await?;
    let recordings = dir.join("recording");
    std::fs::create_dir_all(&recordings).with_context(|| format!("creating {}", recordings.display()))?;
    Ok(Keeping {
        store,
        space,
        subjects: Subjects::new(&node_key),
        node_key,
        spool,
        work_dir: dir.clone(),
        without_store: false,
    })
}

/// Closes the records of legs that a crash cut off.
async fn close_crashed(store: &dyn Store, clock: &EngineClock) -> Result<(), StoreError> {
    let crashed = store.recover_crashed_legs(UtcMs(clock.now().as_millis())).await?;
    if !crashed.is_empty() {
        tracing::warn!(
            legs = crashed.len(),
            "the engine went down in the middle of calls; their records say \"crash\""
        );
    }
    Ok(())
}

fn mark(beside: &Path) -> std::io::Result<()> {
    let marker = beside.join(MARKER);
    if marker.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(beside)?;
    std::fs::write(
        marker,
        "The engine has had a good start with its store: see docs/OPERATING.md, \"Without the store\".\n",
    )
}

/// What a person must mend on the disk; the rest is a mistake that a start would only hide.
fn is_of_the_disk(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<StoreError>() {
        Some(StoreError::InUse { .. } | StoreError::NewerSchema { .. }) => false,
        Some(_) => true,
        None => error.chain().any(<dyn std::error::Error>::is::<std::io::Error>),
    }
}

/// Where there may be written without the store's folder.
fn work_dir(beside: &Path) -> PathBuf {
    let dir = beside.join("work");
    match std::fs::create_dir_all(dir.join("recording")) {
        Ok(()) => dir,
        Err(_) => {
            let dir = std::env::temp_dir().join(format!("gudok-{}", std::process::id()));
            // Where not even that is to be had, there is no cache, and recordings fail one by one.
            let _ = std::fs::create_dir_all(dir.join("recording"));
            dir
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_engine_does_not_run_beside_the_first() {
        let in_use = StoreError::InUse { path: PathBuf::from("x"), holder: "1".into() };
        assert!(!is_of_the_disk(&anyhow::Error::new(in_use)));
        let gone = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        assert!(is_of_the_disk(&anyhow::Error::new(gone).context("the node's key")));
        assert!(!is_of_the_disk(&anyhow::anyhow!("others may read it")));
    }
}
