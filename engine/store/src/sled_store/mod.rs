//! The embedded backend: sled for rows, files for blobs, three threads.
//!
//! sled 0.34 keeps what it was given through `kill -9`, with these precautions around it: its `flush` does not reach the
//! disk, so the writer syncs its log before it acknowledges; a half-written snapshot is set aside before opening;
//! every value carries a checksum and a schema; values stay small enough never to leave the log for sled's unsynced
//! blob files; and writing stops before the disk is full.

mod backup;
mod blobs;
mod buckets;
mod core;
mod envelope;
mod folder;
mod keys;
mod legs;
mod query;
mod queue;
mod schema;
#[cfg(test)]
mod tests;
mod tx;
mod worker;
mod writer;

use std::io::{BufRead, Write as IoWrite};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use self::buckets::{Change, Set};
use self::core::{Core, Queue};
use self::queue::{Urgency, WriteQueue};
use self::worker::Worker;
use self::writer::{Reply, Write, Writer};
use crate::limits::LIVE_LEGS_MAX;
use crate::{
    AgencyId, AuditHead, AuditPage, AuditQuery, AuditReport, BackupSummary, BlobId, Bucket, Cdr, CdrPage, CdrQuery,
    Deleted, Document, Entry, Erased, FreeSpace, FreeSpaceOfDisk, KeyPage, KeyQuery, LedgerChange, LedgerDone,
    LedgerPage, LedgerQuery, LegBegan, LegId, Pending, Quota, SpaceLimits, Store, StoreError, StoreStats, SubjectHash,
    Swept, UtcMs,
};

/// sled's unit of log. A page may hold 17 values; above a quarter of this it would leave the log for a file that sled
/// never syncs.
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;
const _: () = assert!(17 * (crate::limits::VALUE_BYTES_MAX + 1024) < SEGMENT_BYTES / 4);

/// How to open a [`SledStore`].
#[derive(Clone)]
pub struct StoreOptions {
    /// The store's folder, created if missing.
    pub path: PathBuf,
    /// The loss window of call records: what was handed over longer ago than this plus one commit is on disk.
    pub soon_ms_max: u64,
    /// sled's page cache.
    pub cache_bytes: u64,
    /// How much of the disk must stay free.
    pub space: SpaceLimits,
    /// Who knows how much is free.
    pub probe: Arc<dyn FreeSpace>,
    /// The node's key that signs the audit's head mark. Without one the mark finds accidents, not an attacker.
    pub audit_key: Option<[u8; 32]>,
}

impl StoreOptions {
    /// The defaults: 200 ms, 64 MiB, 10 % and 2 % free.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            soon_ms_max: 200,
            cache_bytes: 64 * 1024 * 1024,
            space: SpaceLimits::default(),
            probe: Arc::new(FreeSpaceOfDisk),
            audit_key: None,
        }
    }
}

/// The embedded store. Dropping it writes what waits and closes it.
pub struct SledStore {
    queue: Queue,
    core: Arc<Core>,
    writer: Option<JoinHandle<()>>,
    reads: Worker,
    files: Worker,
    // Last: released when the database is closed.
    _lock: folder::FolderLock,
}

impl SledStore {
    /// Opens or creates the store: locks its folder, sets torn snapshots aside, checks and migrates its schema.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::NotAStore`], [`StoreError::NewerSchema`], [`StoreError::ImportUnfinished`],
    /// [`StoreError::Unreadable`], [`StoreError::Io`].
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let lock = folder::prepare(&options.path)?;
        folder::set_aside_torn_snapshots(&options.path)?;
        let db = open_database(&options)?;
        let sled_folder = options.path.join("sled");
        let log_path = sled_folder.join("db");
        let log = std::fs::File::open(&log_path).map_err(|error| StoreError::io("opening", &log_path, error))?;
        schema::check(&options.path, &db, schema::SCHEMA, schema::MIGRATIONS)?;
        db.flush().map_err(|error| StoreError::Unreadable { path: options.path.clone(), why: error.to_string() })?;
        for file in ["db", "conf"] {
            folder::sync_file(&sled_folder.join(file))?;
        }
        folder::sync_folder(&sled_folder)?;

        let path = options.path.clone();
        let core = Arc::new(Core::new(options, db, log));
        let deleted_blobs = blobs::tidy(&core)?;
        let markers = legs::markers(&core.db)?;
        let queue: Queue = Arc::new(WriteQueue::new());
        let writer = Writer::new(Arc::clone(&core), Arc::clone(&queue), markers, deleted_blobs);
        let thread = |error| StoreError::io("starting a thread for", &path, error);
        let writer = std::thread::Builder::new().name("gudok-store-write".to_owned()).spawn(move || writer.run());
        Ok(Self {
            queue,
            core,
            writer: Some(writer.map_err(thread)?),
            reads: Worker::start("gudok-store-read").map_err(thread)?,
            files: Worker::start("gudok-store-blob").map_err(thread)?,
            _lock: lock,
        })
    }

    /// The file of a blob, for streaming: check it with [`SledStore::verify_blob`] first.
    #[must_use]
    pub fn blob_path(&self, id: &BlobId) -> PathBuf {
        blobs::path(&self.core, id)
    }

    /// Checks a blob of any size against its hash; a damaged one is set aside.
    pub fn verify_blob(&self, id: BlobId) -> Pending<()> {
        self.file_job(move |core| blobs::verify(core, &id))
    }

    fn push(&self, write: Write, bytes: usize, urgency: Urgency) -> Result<(), StoreError> {
        let pushed = self.core.check_working().and_then(|()| self.queue.push(write, bytes, urgency));
        pushed.inspect_err(|error| self.core.counters.count(error))
    }

    /// Hands a write over whose answer somebody awaits.
    fn ask<T: Send + 'static>(&self, bytes: usize, write: impl FnOnce(Reply<T>) -> Write) -> Pending<T> {
        let (reply, answer) = oneshot::channel();
        match self.push(write(reply), bytes, Urgency::Now) {
            Ok(()) => Pending::new(async move { answer.await.unwrap_or(Err(StoreError::Closed)) }),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    fn refused(&self, error: StoreError) -> StoreError {
        self.core.counters.count(&error);
        error
    }

    fn refuse<T: Send + 'static>(&self, error: StoreError) -> Pending<T> {
        Pending::ready(Err(self.refused(error)))
    }

    fn read_job<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Core) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let core = Arc::clone(&self.core);
        self.reads.run(move || job(&core))
    }

    fn file_job<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Core) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let core = Arc::clone(&self.core);
        self.files.run(move || job(&core).inspect_err(|error| core.counters.count(error)))
    }

    fn set(&self, bucket: &Bucket, key: &str, set: Set, quota: Quota, now: UtcMs) -> Pending<u64> {
        let checked = buckets::check_value(&bucket.agency, &set.value, quota);
        match checked.and_then(|()| Change::new(bucket, key, quota, now, set)) {
            Ok(change) => {
                let bytes = change.bytes() + change.what.value.len();
                self.ask(bytes, |reply| Write::Set(Box::new(change), reply))
            }
            Err(error) => self.refuse(error),
        }
    }
}

impl Store for SledStore {
    fn leg_began(&self, mut leg: LegBegan) -> Result<(), StoreError> {
        leg.clamp();
        let payload = legs::encode(&leg)?;
        let key = keys::leg(&leg.call_id, leg.leg);
        let bytes = payload.len() + key.len();
        self.core.check_record_cheaply().map_err(|error| self.refused(error))?;
        let mut legs = self.core.legs.lock();
        if legs.settling.contains(&key) {
            return Err(legs::already(&key));
        }
        if legs.live.len() >= LIVE_LEGS_MAX {
            return Err(self.refused(StoreError::Busy { queue: "live legs", limit: LIVE_LEGS_MAX }));
        }
        // The lock is held over both: what is in the queue and what the sets say must agree.
        self.push(Write::LegBegan { leg: key.clone(), payload }, bytes, Urgency::Soon)?;
        legs.live.insert(key);
        Ok(())
    }

    fn leg_ended(&self, mut cdr: Cdr) -> Result<(), StoreError> {
        cdr.clamp();
        let ended = legs::Ended::of(&cdr)?;
        let key = ended.leg.clone();
        let bytes = ended.payload.len() + key.len();
        self.core.check_record_cheaply().map_err(|error| self.refused(error))?;
        let mut legs = self.core.legs.lock();
        // A live leg has no record, which spares a look into the database; the writer makes sure.
        let was_live = legs.live.contains(&key);
        if legs.settling.contains(&key) || (!was_live && self.core.read(&keys::tagged(keys::LEG, &key))?.is_some()) {
            return Err(legs::already(&key));
        }
        self.push(Write::LegEnded(Box::new(ended)), bytes, Urgency::Soon)?;
        legs.live.remove(&key);
        legs.settling.insert(key);
        Ok(())
    }

    fn settled(&self) -> Pending<()> {
        self.ask(0, Write::Settled)
    }

    fn recover_crashed_legs(&self, now: UtcMs) -> Pending<Vec<LegId>> {
        self.ask(0, |reply| Write::Recover { now, reply })
    }

    fn cdrs(&self, query: CdrQuery) -> Pending<CdrPage> {
        self.read_job(move |core| query::cdrs(core, &query))
    }

    fn cdrs_delete_before(&self, agency: Option<AgencyId>, before: UtcMs, rows_max: usize) -> Pending<Deleted> {
        self.ask(0, |reply| Write::DeleteCdrs { agency, before, rows_max, reply })
    }

    fn recordings_delete_before(
        &self,
        _agency: Option<AgencyId>,
        _before: UtcMs,
        _now: UtcMs,
        _rows_max: usize,
    ) -> Pending<Deleted> {
        self.refuse(StoreError::Closed)
    }

    fn subject_erase(&self, _subject: SubjectHash, _now: UtcMs, _rows_max: usize) -> Pending<Erased> {
        self.refuse(StoreError::Closed)
    }

    fn ledger_get(&self, _kind: &str, _id: &str, _now: UtcMs) -> Pending<Option<Document>> {
        self.refuse(StoreError::Closed)
    }

    fn ledger_list(&self, _query: LedgerQuery, _now: UtcMs) -> Pending<LedgerPage> {
        self.refuse(StoreError::Closed)
    }

    fn ledger_commit(&self, _change: LedgerChange, _now: UtcMs) -> Pending<LedgerDone> {
        self.refuse(StoreError::Closed)
    }

    fn ledger_sweep(&self, _now: UtcMs, _rows_max: usize) -> Pending<Swept> {
        self.refuse(StoreError::Closed)
    }

    fn audit(&self, _query: AuditQuery) -> Pending<AuditPage> {
        self.refuse(StoreError::Closed)
    }

    fn audit_head(&self) -> Pending<AuditHead> {
        self.refuse(StoreError::Closed)
    }

    fn audit_verify(&self) -> Pending<AuditReport> {
        self.refuse(StoreError::Closed)
    }

    fn bucket_get(&self, bucket: &Bucket, key: &str, now: UtcMs) -> Pending<Option<Entry>> {
        if let Err(error) = buckets::check_key(&bucket.agency, key, u64::MAX) {
            return self.refuse(error);
        }
        let row = keys::entry(bucket, key);
        let found = match self.core.db.get(&row) {
            Ok(None) => Ok(None),
            Ok(Some(raw)) => buckets::read(&self.core, &row, &raw).map(|kept| {
                let visible = kept.visible(now);
                visible.then_some(Entry { value: kept.value, version: kept.version })
            }),
            Err(error) => Err(self::core::read_failed(&error)),
        };
        // Looked at after reading: a value of a commit under way was announced before it could be read.
        if !self.core.undurable.lock().contains(&row) {
            return Pending::ready(found);
        }
        let durable = self.settled();
        Pending::new(async move { durable.await.and(found) })
    }

    fn bucket_set(
        &self,
        bucket: &Bucket,
        key: &str,
        value: &[u8],
        ttl: Option<Duration>,
        quota: Quota,
        now: UtcMs,
    ) -> Pending<u64> {
        let set = Set { expected: None, value: value.to_vec(), expires_ms: buckets::expires_ms(now, ttl) };
        self.set(bucket, key, set, quota, now)
    }

    fn bucket_compare_and_set(
        &self,
        bucket: &Bucket,
        key: &str,
        expected: u64,
        value: &[u8],
        ttl: Option<Duration>,
        quota: Quota,
        now: UtcMs,
    ) -> Pending<u64> {
        let set = Set { expected: Some(expected), value: value.to_vec(), expires_ms: buckets::expires_ms(now, ttl) };
        self.set(bucket, key, set, quota, now)
    }

    fn bucket_increment(&self, bucket: &Bucket, key: &str, delta: i64, quota: Quota, now: UtcMs) -> Pending<i64> {
        match Change::new(bucket, key, quota, now, delta) {
            Ok(change) => self.ask(change.bytes(), |reply| Write::Increment(Box::new(change), reply)),
            Err(error) => self.refuse(error),
        }
    }

    fn bucket_delete(&self, bucket: &Bucket, key: &str, now: UtcMs) -> Pending<bool> {
        let unlimited =
            Quota { bytes_max: u64::MAX, keys_max: u64::MAX, value_bytes_max: u64::MAX, key_bytes_max: u64::MAX };
        match Change::new(bucket, key, unlimited, now, ()) {
            Ok(change) => self.ask(change.bytes(), |reply| Write::Delete(Box::new(change), reply)),
            Err(error) => self.refuse(error),
        }
    }

    fn bucket_list(&self, bucket: &Bucket, query: KeyQuery, now: UtcMs) -> Pending<KeyPage> {
        let bucket = bucket.clone();
        let queue = Arc::clone(&self.queue);
        let page = self.read_job(move |core| {
            let (page, undurable) = query::list_keys(core, &bucket, &query, now)?;
            if !undurable {
                return Ok((page, None));
            }
            let (reply, durable) = oneshot::channel();
            queue.push(Write::Settled(reply), 0, Urgency::Now)?;
            Ok((page, Some(durable)))
        });
        Pending::new(async move {
            let (page, durable) = page.await?;
            match durable {
                None => Ok(page),
                Some(durable) => durable.await.unwrap_or(Err(StoreError::Closed)).map(|()| page),
            }
        })
    }

    fn buckets_sweep(&self, now: UtcMs, rows_max: usize) -> Pending<Swept> {
        self.ask(0, |reply| Write::Sweep { now, rows_max, reply })
    }

    fn blob_put(&self, bytes: Vec<u8>) -> Pending<BlobId> {
        self.file_job(move |core| blobs::put(core, &bytes))
    }

    fn blob_take_file(&self, path: PathBuf) -> Pending<BlobId> {
        self.file_job(move |core| blobs::take_file(core, &path))
    }

    fn blob_read(&self, id: BlobId) -> Pending<Vec<u8>> {
        self.file_job(move |core| blobs::read(core, &id))
    }

    fn blob_open(&self, id: BlobId) -> Pending<std::fs::File> {
        self.file_job(move |core| blobs::open(core, &id))
    }

    fn blob_delete(&self, id: BlobId) -> Pending<bool> {
        self.file_job(move |core| blobs::delete(core, &id))
    }

    fn export(&self, out: &mut dyn IoWrite) -> Result<BackupSummary, StoreError> {
        self.settled().wait()?;
        backup::export(&self.core, out)
    }

    fn import(&self, input: &mut dyn BufRead) -> Result<BackupSummary, StoreError> {
        let write = |rows, delete| self.ask(0, |reply| Write::Import { rows, delete, reply }).wait();
        backup::import(&self.core, input, &write)
    }

    fn stats(&self) -> StoreStats {
        self.core.stats(&self.queue)
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            let _panicked = writer.join();
        }
        self.files.stop();
        self.reads.stop();
    }
}

impl std::fmt::Debug for SledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledStore").field("path", &self.core.options.path).finish_non_exhaustive()
    }
}

fn open_database(options: &StoreOptions) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(options.path.join("sled"))
        .segment_size(SEGMENT_BYTES)
        .cache_capacity(options.cache_bytes)
        .mode(sled::Mode::HighThroughput)
        // The writer flushes; a second flusher would only sync in its way.
        .flush_every_ms(None);
    let unreadable = |why: String| StoreError::Unreadable { path: Path::to_owned(&options.path), why };
    // sled answers some damage with a panic.
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| config.open())) {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) => Err(unreadable(error.to_string())),
        Err(_) => Err(unreadable("the database panicked while opening".to_owned())),
    }
}
