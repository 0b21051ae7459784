//! The embedded backend: sled for rows, files for blobs, four threads.
//!
//! sled 0.34 keeps what it was given through `kill -9`, with these precautions around it: its `flush` does not reach the
//! disk, so the writer syncs its log before it acknowledges; a half-written snapshot is set aside before opening;
//! every value carries a checksum and a schema; values stay small enough never to leave the log for sled's unsynced
//! blob files; and writing stops before the disk is full.

mod backup;
mod blobs;
mod buckets;
mod campaigns;
mod chain;
mod core;
mod envelope;
mod erase;
mod folder;
mod keys;
mod ledger;
mod legs;
mod operations;
mod query;
mod queue;
mod schema;
#[cfg(test)]
mod tests;
mod tx;
mod worker;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use self::buckets::{Change, Set};
use self::core::{Core, Queue};
use self::queue::{Urgency, WriteQueue};
use self::worker::Worker;
use self::writer::{Deletion, Reply, Write, Writer};
use crate::{BlobId, Bucket, FreeSpace, FreeSpaceOfDisk, Pending, Quota, SpaceLimits, StoreError, UtcMs};

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
    /// The node's key that signs the audit's head mark. Without one the mark finds accidents, not an attacker; and who
    /// writes to the audit without the key that it was opened with before leaves a mark that counts as forged.
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

/// Where the writer is asked.
#[derive(Clone)]
struct Desk {
    queue: Queue,
    core: Arc<Core>,
}

impl Desk {
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

    /// Deletes the files of doomed blobs, then their rows. Answers with how many files are gone and how many are not.
    /// For the long jobs alone: two at a time would count the same files.
    fn delete_doomed_blobs(&self) -> Result<(u64, u64), StoreError> {
        let (settled, gone, stuck) = blobs::delete_doomed(&self.core)?;
        if !settled.is_empty() {
            self.ask(0, |reply| Write::Deletion(Deletion::BlobsGone { blobs: settled, reply })).wait()?;
        }
        Ok((gone, stuck))
    }
}

/// The embedded store. Dropping it writes what waits and closes it.
pub struct SledStore {
    desk: Desk,
    core: Arc<Core>,
    writer: Option<JoinHandle<()>>,
    reads: Worker,
    files: Worker,
    /// For what reads everything, or waits for the writer and for files in turn.
    long: Worker,
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
        let queue: Queue = Arc::new(WriteQueue::new());
        let writer = Writer::new(Arc::clone(&core), Arc::clone(&queue))?;
        let thread = |error| StoreError::io("starting a thread for", &path, error);
        let writer = std::thread::Builder::new().name("gudok-store-write".to_owned()).spawn(move || writer.run());
        Ok(Self {
            desk: Desk { queue, core: Arc::clone(&core) },
            core,
            writer: Some(writer.map_err(thread)?),
            reads: Worker::start("gudok-store-read").map_err(thread)?,
            files: Worker::start("gudok-store-blob").map_err(thread)?,
            long: Worker::start("gudok-store-long").map_err(thread)?,
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

    /// See [`Desk::push`].
    fn push(&self, write: Write, bytes: usize, urgency: Urgency) -> Result<(), StoreError> {
        self.desk.push(write, bytes, urgency)
    }

    /// See [`Desk::ask`].
    fn ask<T: Send + 'static>(&self, bytes: usize, write: impl FnOnce(Reply<T>) -> Write) -> Pending<T> {
        self.desk.ask(bytes, write)
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

    /// A read of rows some of which may not be durable yet, as the job says: then its answer waits until they are.
    fn read_durably<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Core) -> Result<(T, bool), StoreError> + Send + 'static,
    ) -> Pending<T> {
        let desk = self.desk.clone();
        let found = self.reads.run(move || {
            let (found, undurable) = job(&desk.core)?;
            Ok((found, undurable.then(|| desk.ask(0, Write::Settled))))
        });
        Pending::new(async move {
            let (found, durable) = found.await?;
            match durable {
                None => Ok(found),
                Some(durable) => durable.await.map(|()| found),
            }
        })
    }

    /// Runs on the thread for long jobs, which may ask the writer and wait for it.
    fn long_job<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Desk) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let desk = self.desk.clone();
        self.long.run(move || desk.core.check_open().and_then(|()| job(&desk)))
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

impl Drop for SledStore {
    fn drop(&mut self) {
        self.core.closing.store(true, Relaxed);
        self.desk.queue.close();
        if let Some(writer) = self.writer.take() {
            let _panicked = writer.join();
        }
        self.files.stop();
        self.reads.stop();
        self.long.stop();
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
