//! What the store's threads share.
use std::collections::HashSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use super::{envelope, keys, queue::WriteQueue, writer::Write};
use crate::space::SpaceLevel;
use crate::{StoreError, StoreOptions, StoreStats};

pub(super) struct Core {
    pub(super) options: StoreOptions,
    pub(super) db: sled::Db,
    /// sled's log, opened once more: sled's flush does not reach the disk.
    pub(super) log: File,
    pub(super) legs: Mutex<Legs>,
    /// Entries, documents, entries of the audit and ends of attempts that are applied and not yet durable: who reads one
    /// waits for its commit.
    pub(super) undurable: Mutex<HashSet<Vec<u8>>>,
    pub(super) counters: Counters,
    /// The first failure of the disk; nothing is written after it.
    pub(super) failed: OnceLock<String>,
    /// The writer found the disk full: who hands over a call record looks again first.
    pub(super) disk_full: AtomicBool,
    probe_failed: AtomicBool,
    /// The store is being closed: long jobs stop.
    pub(super) closing: AtomicBool,
}

/// The queue is apart from [`Core`], so that an answer on its way does not keep the database open.
pub(super) type Queue = std::sync::Arc<WriteQueue<Write>>;

#[derive(Default)]
pub(super) struct Legs {
    /// Legs that began in this process and have not ended.
    pub(super) live: HashSet<Vec<u8>>,
    /// Legs whose record is handed over and not yet readable.
    pub(super) settling: HashSet<Vec<u8>>,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) writes: AtomicU64,
    pub(super) cdrs: AtomicU64,
    pub(super) cdrs_refused: AtomicU64,
    pub(super) refused_busy: AtomicU64,
    pub(super) refused_space: AtomicU64,
    pub(super) refused_quota: AtomicU64,
    pub(super) corrupt: AtomicU64,
    pub(super) commit_us_last: AtomicU64,
    pub(super) commit_us_max: AtomicU64,
}

impl Counters {
    /// Every refusal leaves through here.
    pub(super) fn count(&self, error: &StoreError) {
        let counter = match error {
            StoreError::Busy { .. } => &self.refused_busy,
            StoreError::DiskLow { .. } | StoreError::DiskFull { .. } => &self.refused_space,
            StoreError::Quota { .. } => &self.refused_quota,
            _ => return,
        };
        counter.fetch_add(1, Relaxed);
    }
}

impl Core {
    pub(super) fn new(options: StoreOptions, db: sled::Db, log: File) -> Self {
        Self {
            options,
            db,
            log,
            legs: Mutex::default(),
            undurable: Mutex::default(),
            counters: Counters::default(),
            failed: OnceLock::new(),
            disk_full: AtomicBool::new(false),
            probe_failed: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        }
    }

    pub(super) fn stats(&self, queue: &Queue) -> StoreStats {
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        let (writes, bytes) = queue.depth();
        let counters = &self.counters;
        StoreStats {
            queue_writes: writes as u64,
            queue_bytes: bytes as u64,
            commits: of(&counters.commits),
            writes: of(&counters.writes),
            cdrs: of(&counters.cdrs),
            legs_live: self.legs.lock().live.len() as u64,
            cdrs_refused: of(&counters.cdrs_refused),
            refused_busy: of(&counters.refused_busy),
            refused_space: of(&counters.refused_space),
            refused_quota: of(&counters.refused_quota),
            corrupt: of(&counters.corrupt),
            commit_us_last: of(&counters.commit_us_last),
            commit_us_max: of(&counters.commit_us_max),
            failed: self.failed.get().is_some(),
        }
    }

    /// An error when an earlier failure stopped all writes.
    pub(super) fn check_working(&self) -> Result<(), StoreError> {
        self.failed.get().map_or(Ok(()), |why| Err(StoreError::Failed { why: why.clone() }))
    }

    /// An error when the store is being closed; a long job asks now and then.
    pub(super) fn check_open(&self) -> Result<(), StoreError> {
        if self.closing.load(Relaxed) { Err(StoreError::Closed) } else { Ok(()) }
    }

    /// Whether a row of this beginning is applied and not yet durable.
    pub(super) fn is_undurable(&self, prefix: &[u8]) -> bool {
        self.undurable.lock().iter().any(|key| key.starts_with(prefix))
    }

    /// Remembers the first failure of the disk.
    pub(super) fn fail(&self, why: &str) {
        if self.failed.set(why.to_owned()).is_ok() {
            tracing::error!(why, "the store stops writing: check the disk, then start the engine again");
        }
    }

    pub(super) fn space(&self) -> SpaceLevel {
        match self.options.probe.probe(&self.options.path) {
            Ok(now) => self.options.space.level(now),
            Err(error) => {
                if !self.probe_failed.swap(true, Relaxed) {
                    tracing::warn!(%error, "cannot tell how much of the disk is free: is the store's folder there? Call records are written on, nothing new is promised");
                }
                SpaceLevel::Low(0)
            }
        }
    }

    /// Whether something new may be promised.
    pub(super) fn check_promise(&self, space: SpaceLevel) -> Result<(), StoreError> {
        match space {
            SpaceLevel::Enough => Ok(()),
            SpaceLevel::Low(free_percent) | SpaceLevel::Full(free_percent) => Err(StoreError::DiskLow {
                path: self.options.path.clone(),
                free_percent,
                limit_percent: self.options.space.promises_free_percent_min,
            }),
        }
    }

    /// Whether a call record may be written.
    pub(super) fn check_record(&self, space: SpaceLevel) -> Result<(), StoreError> {
        match space {
            SpaceLevel::Enough | SpaceLevel::Low(_) => Ok(()),
            SpaceLevel::Full(free_percent) => Err(StoreError::DiskFull {
                path: self.options.path.clone(),
                free_percent,
                limit_percent: self.options.space.records_free_percent_min,
            }),
        }
    }

    /// As `check_record`, without asking the system while all is well.
    pub(super) fn check_record_cheaply(&self) -> Result<(), StoreError> {
        if self.disk_full.load(Relaxed) { self.check_record(self.space()) } else { Ok(()) }
    }

    /// Reads a row and opens its envelope. A damaged one is set aside and reported.
    pub(super) fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.db.get(key).map_err(|error| read_failed(&error))? {
            None => Ok(None),
            Some(value) => self.open(key, &value).map(|payload| Some(payload.to_vec())),
        }
    }

    /// Opens a row's envelope. A damaged one is set aside and reported.
    pub(super) fn open<'a>(&self, key: &[u8], value: &'a [u8]) -> Result<&'a [u8], StoreError> {
        envelope::open(key, value).ok_or_else(|| self.quarantine(key, value))
    }

    /// Copies a damaged row out for study; it stays where it is, so that nobody takes it for absent, until it is
    /// overwritten or deleted.
    pub(super) fn quarantine(&self, key: &[u8], value: &[u8]) -> StoreError {
        self.counters.corrupt.fetch_add(1, Relaxed);
        let what = keys::what(key);
        let mut bytes = Vec::with_capacity(key.len() + value.len() + 4);
        bytes.extend_from_slice(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
        let kept_at = self.quarantine_folder().join(format!("row-{}", crate::BlobId::of(&bytes)));
        if !kept_at.exists() {
            tracing::error!(what, kept_at = %kept_at.display(), "a kept value is damaged; restore it from a backup");
            if let Err(error) = std::fs::write(&kept_at, &bytes) {
                tracing::error!(%error, "the damaged value could not be copied");
            }
        }
        StoreError::Corrupt { what, kept_at }
    }

    pub(super) fn quarantine_folder(&self) -> PathBuf {
        self.options.path.join("quarantine")
    }
}

pub(super) fn read_failed(error: &sled::Error) -> StoreError {
    StoreError::Failed { why: format!("reading: {error}") }
}
