//! Call records that the store does not take: a line each in a file beside the store's folder, taken in at the next good
//! start. So a store that fails, or does not open, loses no record of a call that was served without it.

use crate::metrics;
use gudok_store::{Cdr, Store, StoreError};
use parking_lot::Mutex;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FILE: &str = "records.jsonl";
/// Above, records are lost, counted and logged: at some 2 KiB a record, a hundred thousand calls.
const BYTES_MAX: u64 = 256 << 20;
/// Records taken in before the store is waited for.
const BATCH: usize = 256;

/// The file.
pub(crate) struct Spool {
    path: PathBuf,
    /// The store did not open: the engine runs without it from the start.
    without_store: bool,
    file: Mutex<Option<File>>,
}

impl Spool {
    /// In that folder; made with the first record.
    pub(crate) fn new(dir: &Path, without_store: bool) -> Arc<Self> {
        Arc::new(Self { path: dir.join(FILE), without_store, file: Mutex::default() })
    }

    /// The engine runs without a store that takes what it is given.
    pub(crate) fn is_degraded(&self, store: &dyn Store) -> bool {
        self.without_store || store.stats().failed
    }

    /// Keeps a record in the store; where it is not taken, here.
    pub(crate) fn keep(&self, store: &dyn Store, cdr: Cdr) {
        let record = cdr.clone();
        match store.leg_ended(cdr) {
            Ok(()) | Err(StoreError::AlreadyRecorded { .. }) => {}
            Err(error) => match self.write(&record) {
                Ok(()) => metrics::record_spooled(),
                Err(problem) => {
                    metrics::record_refused();
                    tracing::error!(%error, %problem, "a call record was neither kept nor spooled");
                }
            },
        }
    }

    fn write(&self, record: &Cdr) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let mut file = self.file.lock();
        if file.is_none() {
            if let Some(dir) = self.path.parent() {
                std::fs::create_dir_all(dir)?;
            }
            *file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
        }
        let Some(file) = file.as_mut() else { return Ok(()) };
        if file.metadata()?.len() > BYTES_MAX {
            return Err(std::io::Error::other(format!("the spool has {BYTES_MAX} bytes already")));
        }
        file.write_all(&line)
    }

    /// Gives the store what was spooled; call it before legs that a crash cut off are closed. How many.
    ///
    /// # Errors
    /// Where the file cannot be read, or the store takes nothing; the file stays then.
    pub(crate) async fn take_in(&self, store: &dyn Store) -> anyhow::Result<usize> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let mut taken = 0;
        for line in BufReader::new(file).split(b'\n') {
            let Ok(record) = serde_json::from_slice::<Cdr>(&line?) else {
                tracing::warn!("a line of the spooled call records is damaged; it was cut off by a crash");
                continue;
            };
            match store.leg_ended(record) {
                Ok(()) => taken += 1,
                Err(StoreError::AlreadyRecorded { .. } | StoreError::BadName { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            if taken % BATCH == 0 {
                store.settled().await?;
            }
        }
        store.settled().await?;
        std::fs::remove_file(&self.path)?;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::no_store::NoStore;
    use gudok_store::{
        AgencyId, CallId, CdrQuery, Direction, EndedBy, HangupCause, LegBegan, LegEnded, Mode, Party, SledStore,
        StoreOptions, UtcMs,
    };

    fn record(call: &str) -> Cdr {
        let call_id = CallId::new(call).unwrap();
        let began = LegBegan {
            parent: None,
            chain_id: call_id.clone(),
            leg: 0,
            agency: AgencyId::new("mfc").unwrap(),
            entry: "desk".into(),
            script: String::new(),
            script_version: String::new(),
            direction: Direction::Inbound,
            caller: Party::masked("+79131234567"),
            called: Party::own_number("122"),
            trunk: "city".into(),
            started_ms: UtcMs(1_000),
            mode: Mode::Attended,
            language: "ru-RU".into(),
            area: String::new(),
            campaign: None,
            call_id,
        };
        began.ended(LegEnded::new(UtcMs(2_000), HangupCause::Normal, EndedBy::Caller))
    }

    #[tokio::test]
    async fn records_without_a_store_are_in_it_after_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let none = NoStore::new("gone".into());
        let spool = Spool::new(&dir.path().join("store-emergency"), true);
        assert!(spool.is_degraded(&none));
        spool.keep(&none, record("a1"));
        spool.keep(&none, record("a2"));
        // A crash in the middle of a line.
        let path = dir.path().join("store-emergency").join(FILE);
        let mut half = OpenOptions::new().append(true).open(&path).unwrap();
        half.write_all(b"{\"call").unwrap();

        let store = SledStore::open(StoreOptions::at(dir.path().join("records"))).unwrap();
        let spool = Spool::new(&dir.path().join("store-emergency"), false);
        assert!(!spool.is_degraded(&store));
        assert_eq!(spool.take_in(&store).await.unwrap(), 2);
        assert_eq!(spool.take_in(&store).await.unwrap(), 0, "nothing twice");
        let kept = store.cdrs(CdrQuery::default()).await.unwrap();
        assert_eq!(kept.cdrs.len(), 2);
    }
}
