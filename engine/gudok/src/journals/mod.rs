//! The journals of calls: sealed on the disk, bounded, and replayed in a child.
//!
//! A call's script hands its journal over at its end and goes its way; a thread of its own seals it and puts it on a
//! shelf. When that thread, or the disk, cannot keep up, whole journals are dropped and counted: no call waits for them,
//! and nothing of a call depends on them.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `settings` | how much is kept |
//! | `record` | one journal on the disk |
//! | `shelves` | all of them: files, limits, retention, erasure |
//! | `replays` | asks the child for replays and rehearsals |
//! | `child` | runs scripts again: the only place where a journal is in clear besides its call |
//! | `port` | all of it in the admins' words |

mod child;
mod port;
mod record;
mod replays;
mod settings;
mod shelves;

pub(crate) use child::main as child_main;
pub(crate) use replays::Replays;
pub(crate) use settings::JournalSettings;
pub(crate) use shelves::Kept;

use crate::keys::{JournalKey, NodeKey, Subjects};
use crate::metrics;
use gudok_core::ids::{Agency, CallId};
use gudok_core::privacy::PhoneNumber;
use gudok_core::time::Timestamp;
use gudok_plugin_host::journal::{CallJournal, Journal, Wants};
use gudok_plugin_host::ports::Clock;
use gudok_store::SubjectHash;
use parking_lot::Mutex;
use record::Head;
use shelves::{Place, Shelves};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The hidden subcommand that makes this program the replay child.
pub(crate) const REPLAY_SUBCOMMAND: &str = "replay-child";
/// Below the store's folder.
const FOLDER: &str = "journals";
/// Journals that wait to be written; their bytes have a limit of their own.
const QUEUE_MAX: usize = 8_192;
/// What is wrong with the disk is said so often.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// A person's number in its canonical form, by the number plan in force.
type Canonical = Box<dyn Fn(&PhoneNumber) -> PhoneNumber + Send + Sync>;

/// The journals of calls.
pub(crate) struct Journals {
    settings: JournalSettings,
    shelves: Arc<Mutex<Shelves>>,
    to_writer: SyncSender<Message>,
    queued_bytes: Arc<AtomicUsize>,
    canonical: Arc<OnceLock<Canonical>>,
}

enum Message {
    Keep(CallJournal),
    /// Everything before is written, or dropped.
    Settled(oneshot::Sender<()>),
}

impl Journals {
    /// Opens the shelves below a store's folder, and starts the writer. None where the configuration wants none, or they
    /// cannot be opened: calls go on without.
    pub(crate) fn open(
        store_dir: &Path,
        settings: JournalSettings,
        node_key: &NodeKey,
        subjects: &Subjects,
        clock: Arc<dyn Clock>,
    ) -> Option<Arc<Self>> {
        if !settings.enabled {
            return None;
        }
        let dir = store_dir.join(FOLDER);
        match Self::start(&dir, settings, node_key.journal(), subjects.clone(), clock) {
            Ok(journals) => Some(journals),
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "calls' journals cannot be kept: calls go on, and none of them can be replayed"
                );
                None
            }
        }
    }

    fn start(
        dir: &Path,
        settings: JournalSettings,
        key: JournalKey,
        subjects: Subjects,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Arc<Self>> {
        let shelves = Arc::new(Mutex::new(Shelves::open(dir, settings, key.clone())?));
        let (to_writer, messages) = mpsc::sync_channel(QUEUE_MAX);
        let (queued_bytes, canonical) = (Arc::new(AtomicUsize::new(0)), Arc::new(OnceLock::new()));
        let writer = Writer {
            dir: dir.to_owned(),
            settings,
            shelves: Arc::clone(&shelves),
            key,
            subjects,
            clock,
            queued_bytes: Arc::clone(&queued_bytes),
            canonical: Arc::clone(&canonical),
            said: None,
        };
        std::thread::Builder::new().name("gudok-journal".into()).spawn(move || writer.run(&messages))?;
        Ok(Arc::new(Self { settings, shelves, to_writer, queued_bytes, canonical }))
    }

    /// How numbers are written in their one form. Until it is known, they are taken as they come.
    pub(crate) fn take_canonical(&self, canonical: Canonical) {
        // Told once, at the engine's start.
        let _ = self.canonical.set(canonical);
    }

    /// Done when what was handed over by now is on its shelf.
    pub(crate) async fn settled(&self) {
        let (done, settled) = oneshot::channel();
        let to_writer = self.to_writer.clone();
        let told = tokio::task::spawn_blocking(move || to_writer.send(Message::Settled(done)).is_ok());
        if matches!(told.await, Ok(true)) {
            // A writer that is gone keeps nothing more.
            let _ = settled.await;
        }
    }

    /// How much there is.
    pub(crate) fn kept(&self) -> Kept {
        self.shelves.lock().kept()
    }

    async fn of_call(&self, call: CallId) -> Vec<Arc<Place>> {
        self.settled().await;
        self.shelves.lock().of_call(call)
    }

    /// Those of a person's calls, each with its place among its call's.
    async fn of_subject(&self, subject: SubjectHash) -> Vec<(u32, Arc<Place>)> {
        self.settled().await;
        self.shelves.lock().of_subject(subject.as_bytes())
    }

    async fn last(&self, agency: &Agency, script: &str, count_max: usize) -> Vec<Arc<Place>> {
        self.settled().await;
        self.shelves.lock().last(agency, script, count_max)
    }

    /// Reads one, away from threads that serve calls. None where it is damaged, or gone meanwhile.
    async fn read(&self, place: Arc<Place>) -> Option<CallJournal> {
        let key = self.shelves.lock().key();
        tokio::task::spawn_blocking(move || place.read(&key)).await.ok()?
    }

    /// Takes away an agency's, or everybody's, that are older than that, or than any may be. How many.
    pub(crate) async fn sweep(&self, agency: Option<&str>, days: u32, now: Timestamp) -> u64 {
        let (shelves, agency) = (Arc::clone(&self.shelves), agency.map(Agency::new));
        let swept = tokio::task::spawn_blocking(move || shelves.lock().sweep(now.as_millis(), agency.as_ref(), days));
        swept.await.map_or(0, |gone| gone.journals)
    }

    /// Overwrites what is kept of a person. How many.
    ///
    /// # Errors
    /// Where the disk does not take it.
    pub(crate) async fn erase(&self, subject: SubjectHash) -> std::io::Result<u64> {
        self.settled().await;
        let shelves = Arc::clone(&self.shelves);
        let erased = tokio::task::spawn_blocking(move || shelves.lock().erase(subject.as_bytes()));
        erased.await.map_err(std::io::Error::other)?
    }
}

impl Journal for Journals {
    fn wants(&self) -> Wants {
        Wants::Whole { bytes_max: self.settings.call_bytes_max }
    }

    fn keep(&self, journal: CallJournal) {
        let len = journal.page().len();
        if self.queued_bytes.fetch_add(len, Relaxed) + len > self.settings.queue_bytes_max {
            self.queued_bytes.fetch_sub(len, Relaxed);
            metrics::journal_dropped("queue");
            return;
        }
        match self.to_writer.try_send(Message::Keep(journal)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.queued_bytes.fetch_sub(len, Relaxed);
                metrics::journal_dropped("queue");
            }
        }
    }
}

/// The thread that seals and writes.
struct Writer {
    dir: PathBuf,
    settings: JournalSettings,
    shelves: Arc<Mutex<Shelves>>,
    key: JournalKey,
    subjects: Subjects,
    clock: Arc<dyn Clock>,
    queued_bytes: Arc<AtomicUsize>,
    canonical: Arc<OnceLock<Canonical>>,
    said: Option<Instant>,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>) {
        for message in messages {
            match message {
                Message::Keep(journal) => {
                    let len = journal.page().len();
                    self.keep(&journal);
                    self.queued_bytes.fetch_sub(len, Relaxed);
                }
                // Who asked may have gone.
                Message::Settled(done) => drop(done.send(())),
            }
        }
    }

    fn keep(&mut self, journal: &CallJournal) {
        if !self.has_room() {
            self.lost("disk", "too little of the disk is free");
            return;
        }
        let subject = journal.person().and_then(|number| {
            let canonical = self.canonical.get().map_or_else(|| number.clone(), |canonical| canonical(&number));
            self.subjects.hash(&canonical)
        });
        let head = Head::new(journal.header.clone(), subject);
        let Some(record) = record::write(journal, &head, &self.key) else {
            self.lost("seal", "it could not be sealed");
            return;
        };
        let now_ms = self.clock.now().as_millis();
        let put = self.shelves.lock().put(journal, &head, &record, now_ms);
        match put {
            Ok(_) => metrics::journal_kept(record.len() as u64),
            Err(error) => self.lost("disk", &error.to_string()),
        }
    }

    fn has_room(&self) -> bool {
        let Ok(disk) = rustix::fs::statvfs(&self.dir) else { return false };
        let free = u128::from(disk.f_bavail) * 100;
        free >= u128::from(disk.f_blocks) * u128::from(self.settings.free_percent_min)
    }

    fn lost(&mut self, reason: &'static str, why: &str) {
        metrics::journal_dropped(reason);
        if self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            tracing::warn!(why, "journals of calls are not kept; calls go on, and cannot be replayed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::record::tests::journal;
    use super::*;
    use gudok_plugin_host::ports::SystemClock;
    use std::collections::BTreeMap;

    fn settings() -> JournalSettings {
        JournalSettings {
            enabled: true,
            calls_max: 1_000,
            bytes_max: 1 << 20,
            bytes_max_total: 1 << 20,
            days_max: 14,
            call_bytes_max: 1 << 20,
            queue_bytes_max: 10_000,
            free_percent_min: 0,
        }
    }

    fn open(dir: &Path, settings: JournalSettings) -> Arc<Journals> {
        let key = NodeKey::ephemeral();
        let clock = Arc::new(SystemClock::new(jiff::tz::TimeZone::UTC, BTreeMap::new()));
        Journals::open(dir, settings, &key, &Subjects::new(&key), clock).unwrap()
    }

    #[tokio::test]
    async fn a_writer_that_is_slow_costs_journals_and_no_time() {
        let dir = tempfile::tempdir().unwrap();
        let journals = open(dir.path(), settings());
        let began = Instant::now();
        {
            // As if the disk took for ever.
            let _slow = journals.shelves.lock();
            (0..1_000).for_each(|call| journals.keep(journal(call, &[1; 1_000])));
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        journals.settled().await;
        let kept = journals.kept().journals;
        assert!((9..=11).contains(&kept), "what fits into the queue is kept, whole: {kept}");
        assert_eq!(journals.queued_bytes.load(Relaxed), 0);
    }

    #[tokio::test]
    async fn a_full_disk_costs_journals_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let full = open(dir.path(), JournalSettings { free_percent_min: 101, ..settings() });
        full.keep(journal(1, &[1; 10]));
        full.settled().await;
        assert_eq!(full.kept(), Kept::default());
        let none = JournalSettings { enabled: false, ..settings() };
        let key = NodeKey::ephemeral();
        let clock = Arc::new(SystemClock::new(jiff::tz::TimeZone::UTC, BTreeMap::new()));
        assert!(Journals::open(dir.path(), none, &key, &Subjects::new(&key), clock).is_none());
    }

    #[tokio::test]
    async fn what_is_kept_is_found_by_its_call_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let journals = open(dir.path(), settings());
        journals.keep(journal(7, b"first"));
        journals.keep(journal(7, b"second"));
        let places = journals.of_call(CallId::from_random(7)).await;
        let mut pages = Vec::new();
        for place in places {
            pages.push(journals.read(place).await.unwrap().page().to_vec());
        }
        assert_eq!(pages, [b"first".to_vec(), b"second".to_vec()]);
        assert_eq!(journals.last(&Agency::new("mfc"), "mfc", 1).await.len(), 1);
    }
}
