//! Where journals lie: a shelf for each version of each agency, with files that are only added to and go as a whole.
//!
//! What there is, is known in memory, and read from the files' heads at start. A file that a crash cut off keeps its
//! whole records.

use super::record::{self, FRAME_BYTES, Found, Head};
use super::settings::JournalSettings;
use crate::keys::JournalKey;
use anyhow::Context;
use gudok_core::ids::{Agency, CallId};
use gudok_plugin_host::journal::{CallJournal, JournalHeader};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A shelf's files: as many as that, so that what goes is never much.
const FILES_PER_SHELF: u64 = 8;
/// Files of one shelf that are counted up to; more calls a day than that there are not.
const FILE_ENDING: &str = "journals";
const DAY_MS: u64 = 24 * 3_600 * 1_000;
/// Read and write, and enter, for the owner only.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;
/// Of one file, when it is read at start.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// Whose journals stand on one shelf: an agency's, of one bundle.
type ShelfKey = (Agency, [u8; 32]);

/// All journals of the engine.
pub(super) struct Shelves {
    dir: PathBuf,
    settings: JournalSettings,
    key: JournalKey,
    shelves: BTreeMap<ShelfKey, Shelf>,
    calls: HashMap<CallId, Vec<Arc<Place>>>,
    bytes: u64,
    /// A file's number is never used twice.
    next_file: u64,
}

#[derive(Default)]
struct Shelf {
    files: VecDeque<Shelved>,
    bytes: u64,
    places: u64,
}

/// One file of a shelf.
struct Shelved {
    path: PathBuf,
    /// Open while it is added to.
    file: Option<File>,
    bytes: u64,
    first_ms: u64,
    last_ms: u64,
    places: Vec<Arc<Place>>,
}

/// Where one journal is.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) header: JournalHeader,
    subject: Option<[u8; 32]>,
    path: PathBuf,
    at: u64,
    len: u64,
}

/// What was thrown away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Gone {
    pub(super) journals: u64,
}

/// How much there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) journals: u64,
    pub(crate) bytes: u64,
}

impl Shelves {
    /// Reads what there is. A file that cannot be read is left where it is, and said.
    pub(super) fn open(dir: &Path, settings: JournalSettings, key: JournalKey) -> anyhow::Result<Self> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(dir);
        made.with_context(|| format!("creating the journals' folder {}", dir.display()))?;
        let mut shelves = Self {
            dir: dir.to_owned(),
            settings,
            key,
            shelves: BTreeMap::new(),
            calls: HashMap::new(),
            bytes: 0,
            next_file: 1,
        };
        let mut paths = Vec::new();
        for folder in std::fs::read_dir(dir)?.filter_map(Result::ok) {
            if folder.file_type().is_ok_and(|kind| kind.is_dir()) {
                paths.extend(std::fs::read_dir(folder.path())?.filter_map(Result::ok).map(|file| file.path()));
            }
        }
        // By their numbers: the oldest first.
        paths.sort_by_key(|path| number(path));
        for path in paths {
            match number(&path) {
                Some(number) => shelves.next_file = shelves.next_file.max(number + 1),
                None => continue,
            }
            if let Err(error) = shelves.take_in(&path) {
                tracing::warn!(file = %path.display(), %error, "journals of calls cannot be read; they are left where they are");
            }
        }
        Ok(shelves)
    }

    fn take_in(&mut self, path: &Path) -> io::Result<()> {
        let mut bytes = Vec::new();
        File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        let mut file = Shelved::new(path.to_owned());
        let mut shelf_key = None;
        let mut at = 0;
        while let Some((begins, found)) = record::next(&bytes, at) {
            at = found.end();
            if let Found::Record { head, .. } = found {
                shelf_key.get_or_insert_with(|| shelf_key_of(&head.header));
                file.note(&head, begins as u64, (at - begins) as u64);
            }
        }
        // A half record at the end is no part of the file: what comes next is written over it.
        file.bytes = at as u64;
        let Some(shelf_key) = shelf_key else {
            // Nothing in it is whole, or everything is erased.
            return std::fs::remove_file(path);
        };
        for place in &file.places {
            self.calls.entry(place.header.call).or_default().push(Arc::clone(place));
        }
        self.bytes += file.bytes;
        let shelf = self.shelves.entry(shelf_key).or_default();
        shelf.bytes += file.bytes;
        shelf.places += file.places.len() as u64;
        shelf.files.push_back(file);
        Ok(())
    }

    /// Puts a journal on its shelf, and takes away what no longer has room.
    ///
    /// # Errors
    /// Where the disk does not take it; nothing of it is there then.
    pub(super) fn put(&mut self, journal: &CallJournal, head: &Head, record: &[u8], now_ms: u64) -> io::Result<Gone> {
        let shelf_key = shelf_key_of(&journal.header);
        let len = record.len() as u64;
        let file_bytes_max = (self.settings.bytes_max / FILES_PER_SHELF).max(len);
        let file_places_max = (u64::from(self.settings.calls_max) / FILES_PER_SHELF).max(1);
        let shelf = self.shelves.entry(shelf_key.clone()).or_default();
        let full = shelf.files.back().is_none_or(|file| {
            file.bytes + len > file_bytes_max
                || file.places.len() as u64 >= file_places_max
                || now_ms / DAY_MS != file.first_ms / DAY_MS
        });
        if full {
            if let Some(last) = shelf.files.back_mut() {
                last.file = None;
            }
            let folder = self.dir.join(folder_name(&shelf_key));
            std::fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&folder)?;
            shelf.files.push_back(Shelved::new(folder.join(format!("{:012}.{FILE_ENDING}", self.next_file))));
            self.next_file += 1;
        }
        let Some(file) = shelf.files.back_mut() else { return Ok(Gone::default()) };
        let added = file.add(head, record);
        if added.is_err() && file.places.is_empty() {
            // A file with nothing in it is not worth its name.
            let _ = std::fs::remove_file(&file.path);
            shelf.files.pop_back();
        }
        let place = added?;
        shelf.bytes += len;
        shelf.places += 1;
        self.bytes += len;
        self.calls.entry(place.header.call).or_default().push(place);
        Ok(self.make_room(&shelf_key))
    }

    /// Takes the oldest files away until the shelf, and all of them together, are within their limits.
    fn make_room(&mut self, shelf_key: &ShelfKey) -> Gone {
        let mut gone = Gone::default();
        while let Some(shelf) = self.shelves.get(shelf_key) {
            let Some(oldest) = shelf.files.front().filter(|_| shelf.files.len() > 1) else { break };
            let enough = shelf.places - oldest.places.len() as u64 >= u64::from(self.settings.calls_max);
            if !enough && shelf.bytes <= self.settings.bytes_max {
                break;
            }
            gone.journals += self.drop_oldest(shelf_key);
        }
        while self.bytes > self.settings.bytes_max_total {
            let age = |shelf: &Shelf| shelf.files.front().map_or(u64::MAX, |file| file.last_ms);
            let oldest = self.shelves.iter().min_by_key(|(_, shelf)| age(shelf)).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            gone.journals += self.drop_oldest(&oldest);
        }
        gone
    }

    /// Takes away what is older than it may be, of an agency or of all.
    pub(super) fn sweep(&mut self, now_ms: u64, agency: Option<&Agency>, days: u32) -> Gone {
        let mut gone = Gone::default();
        let days = u64::from(days.min(self.settings.days_max));
        let keys = self.shelves.keys().filter(|(of, _)| agency.is_none_or(|agency| agency == of));
        for shelf_key in keys.cloned().collect::<Vec<_>>() {
            let before = now_ms.saturating_sub(days * DAY_MS);
            // The whole file with its oldest one: what is kept too long is worse than what goes some hours early.
            while self
                .shelves
                .get(&shelf_key)
                .and_then(|shelf| shelf.files.front())
                .is_some_and(|file| file.first_ms < before)
            {
                gone.journals += self.drop_oldest(&shelf_key);
            }
        }
        gone
    }

    fn drop_oldest(&mut self, shelf_key: &ShelfKey) -> u64 {
        let Some(shelf) = self.shelves.get_mut(shelf_key) else { return 0 };
        let Some(file) = shelf.files.pop_front() else { return 0 };
        if let Err(error) = std::fs::remove_file(&file.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(file = %file.path.display(), %error, "a file of journals cannot be removed");
        }
        shelf.bytes -= file.bytes;
        shelf.places -= file.places.len() as u64;
        self.bytes -= file.bytes;
        if shelf.files.is_empty() {
            self.shelves.remove(shelf_key);
            // It goes where it is empty, and stays where somebody else put something.
            let _ = std::fs::remove_dir(self.dir.join(folder_name(shelf_key)));
        }
        for place in &file.places {
            self.forget(place);
        }
        file.places.len() as u64
    }

    fn forget(&mut self, place: &Arc<Place>) {
        if let Some(places) = self.calls.get_mut(&place.header.call) {
            places.retain(|known| !Arc::ptr_eq(known, place));
            if places.is_empty() {
                self.calls.remove(&place.header.call);
            }
        }
    }

    /// Overwrites what is kept of a person. How many journals.
    ///
    /// # Errors
    /// Where the disk does not take it; what was overwritten by then is.
    pub(super) fn erase(&mut self, subject: &[u8; 32]) -> io::Result<u64> {
        let mut found = Vec::new();
        for shelf in self.shelves.values_mut() {
            for file in &mut shelf.files {
                let before = file.places.len();
                for place in file.places.iter().filter(|place| place.subject.as_ref() == Some(subject)) {
                    overwrite(place)?;
                    found.push(Arc::clone(place));
                }
                file.places.retain(|place| place.subject.as_ref() != Some(subject));
                shelf.places -= (before - file.places.len()) as u64;
            }
        }
        for place in &found {
            self.forget(place);
        }
        Ok(found.len() as u64)
    }

    /// The journals of a call, one for each script that it had, in their order.
    pub(super) fn of_call(&self, call: CallId) -> Vec<Arc<Place>> {
        self.calls.get(&call).cloned().unwrap_or_default()
    }

    /// The journals of a person's calls, each with its place among its call's, from 1.
    pub(super) fn of_subject(&self, subject: &[u8; 32]) -> Vec<(u32, Arc<Place>)> {
        let theirs = |place: &Place| place.subject.as_ref() == Some(subject);
        let mut places: Vec<_> = self
            .calls
            .values()
            .flat_map(|places| (1..).zip(places).filter(|(_, place)| theirs(place)))
            .map(|(run, place)| (run, Arc::clone(place)))
            .collect();
        places.sort_by_key(|(run, place)| (place.header.began, *run));
        places
    }

    /// The last journals of a script of an agency, the newest first.
    pub(super) fn last(&self, agency: &Agency, script: &str, count_max: usize) -> Vec<Arc<Place>> {
        let shelves = self.shelves.iter().filter(|((of, _), _)| of == agency).map(|(_, shelf)| shelf);
        let places = shelves.flat_map(|shelf| shelf.files.iter().flat_map(|file| &file.places));
        let mut places: Vec<_> =
            places.filter(|place| place.header.script.script.as_str() == script).cloned().collect();
        places.sort_by_key(|place| std::cmp::Reverse(place.header.ended));
        places.truncate(count_max);
        places
    }

    pub(super) fn kept(&self) -> Kept {
        Kept { journals: self.shelves.values().map(|shelf| shelf.places).sum(), bytes: self.bytes }
    }

    pub(super) fn key(&self) -> JournalKey {
        self.key.clone()
    }
}

impl Place {
    /// Reads the journal there. None where it is damaged, or gone.
    pub(super) fn read(&self, key: &JournalKey) -> Option<CallJournal> {
        let mut bytes = vec![0; usize::try_from(self.len).ok()?];
        File::open(&self.path).ok()?.read_exact_at(&mut bytes, self.at).ok()?;
        record::open(&bytes, key)
    }
}

impl Shelved {
    const fn new(path: PathBuf) -> Self {
        Self { path, file: None, bytes: 0, first_ms: u64::MAX, last_ms: 0, places: Vec::new() }
    }

    fn add(&mut self, head: &Head, record: &[u8]) -> io::Result<Arc<Place>> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let mut file =
                    OpenOptions::new().create(true).write(true).truncate(false).mode(FILE_MODE).open(&self.path)?;
                // What a crash left behind the last whole record must not take what comes for its own.
                file.set_len(self.bytes)?;
                file.seek(SeekFrom::Start(self.bytes))?;
                file
            }
        };
        if let Err(error) = file.write_all(record) {
            // A half record on a full disk only takes room.
            let _ = file.set_len(self.bytes);
            return Err(error);
        }
        self.file = Some(file);
        let place = self.note(head, self.bytes, record.len() as u64);
        self.bytes += record.len() as u64;
        Ok(place)
    }

    fn note(&mut self, head: &Head, at: u64, len: u64) -> Arc<Place> {
        let place =
            Arc::new(Place { header: head.header.clone(), subject: head.subject, path: self.path.clone(), at, len });
        let ended_ms = head.header.ended.as_millis();
        self.first_ms = self.first_ms.min(ended_ms);
        self.last_ms = self.last_ms.max(ended_ms);
        self.places.push(Arc::clone(&place));
        place
    }
}

fn overwrite(place: &Place) -> io::Result<()> {
    let Ok(len) = usize::try_from(place.len) else { return Ok(()) };
    let file = match OpenOptions::new().write(true).open(&place.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    file.write_all_at(&record::erased(len.max(FRAME_BYTES)), place.at)?;
    file.sync_data()
}

fn shelf_key_of(header: &JournalHeader) -> ShelfKey {
    (header.agency.clone(), header.script.bundle_sha256)
}

/// Agencies' names are of small letters, digits and dashes; whatever else one may be, it names no other folder.
fn folder_name((agency, bundle): &ShelfKey) -> String {
    const BUNDLE_CHARS: usize = 16;
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let agency: String = agency.as_str().chars().map(legal).collect();
    format!("{agency}-{}", &crate::hex::hex(bundle)[..BUNDLE_CHARS])
}

fn number(path: &Path) -> Option<u64> {
    let is_ours = path.extension().is_some_and(|ending| ending == FILE_ENDING);
    path.file_stem().filter(|_| is_ours)?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::journal;
    use super::*;
    use crate::keys::NodeKey;

    const PAGE_BYTES: usize = 1_000;

    fn settings() -> JournalSettings {
        JournalSettings {
            enabled: true,
            calls_max: 16,
            bytes_max: 1 << 20,
            bytes_max_total: 1 << 20,
            days_max: 14,
            call_bytes_max: 1 << 20,
            queue_bytes_max: 1 << 20,
            free_percent_min: 0,
        }
    }

    /// Puts a call's journal there; the person is the call's number modulo three.
    fn put(shelves: &mut Shelves, call: u128, now_ms: u64) -> io::Result<Gone> {
        let mut journal = journal(call, &[7; PAGE_BYTES]);
        journal.header.ended = gudok_core::time::Timestamp::from_millis(now_ms);
        let subject = Some([u8::try_from(call % 3).unwrap(); 32]);
        let head = Head { header: journal.header.clone(), subject };
        let record = record::write(&journal, &head, &shelves.key).unwrap();
        shelves.put(&journal, &head, &record, now_ms)
    }

    fn calls(shelves: &Shelves) -> Vec<u128> {
        let all = shelves.last(&Agency::new("mfc"), "mfc", usize::MAX);
        let mut calls: Vec<u128> = all.iter().map(|place| place.header.call.as_u128()).collect();
        calls.sort_unstable();
        calls
    }

    #[test]
    fn the_last_calls_are_kept_over_a_restart_and_the_oldest_go() {
        let (dir, key) = (tempfile::tempdir().unwrap(), NodeKey::ephemeral().journal());
        let mut shelves = Shelves::open(dir.path(), settings(), key.clone()).unwrap();
        for call in 1..=100 {
            put(&mut shelves, call, 1_000).unwrap();
        }
        let kept = calls(&shelves);
        assert!(kept.len() >= 16 && kept.len() <= 18 && kept.last() == Some(&100), "{kept:?}");
        // A crash in the middle of a record.
        let file = shelves.shelves.values().next().unwrap().files.back().unwrap().path.clone();
        let mut bytes = std::fs::read(&file).unwrap();
        let half = bytes.len() - 10;
        bytes.truncate(half);
        std::fs::write(&file, &bytes).unwrap();
        let mut shelves = Shelves::open(dir.path(), settings(), key.clone()).unwrap();
        assert_eq!(calls(&shelves), kept[..kept.len() - 1], "all but the half one");
        put(&mut shelves, 101, 1_000).unwrap();
        let shelves = Shelves::open(dir.path(), settings(), key.clone()).unwrap();
        assert_eq!(calls(&shelves).last(), Some(&101), "what comes behind the half one is found");
        let place = shelves.of_call(CallId::from_random(101)).pop().unwrap();
        assert_eq!(place.read(&key).unwrap().page(), [7; PAGE_BYTES]);
        assert!(place.read(&NodeKey::ephemeral().journal()).is_none(), "with another key nothing is read");
    }

    #[test]
    fn bytes_and_days_are_bounded() {
        let (dir, key) = (tempfile::tempdir().unwrap(), NodeKey::ephemeral().journal());
        let small = JournalSettings { calls_max: 1_000, bytes_max: 40_000, bytes_max_total: 30_000, ..settings() };
        let mut shelves = Shelves::open(dir.path(), small, key).unwrap();
        for call in 1..=100 {
            put(&mut shelves, call, DAY_MS * 20).unwrap();
            assert!(shelves.kept().bytes <= 30_000);
        }
        let on_disk: u64 = std::fs::read_dir(dir.path())
            .unwrap()
            .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum();
        assert_eq!(on_disk, shelves.kept().bytes);
        put(&mut shelves, 101, DAY_MS * 30).unwrap();
        assert_eq!(shelves.sweep(DAY_MS * 30, Some(&Agency::new("other")), 1), Gone::default());
        assert!(shelves.sweep(DAY_MS * 30, Some(&Agency::new("mfc")), 9).journals > 10);
        assert_eq!(calls(&shelves), [101], "a file has one day's");
        assert_eq!(shelves.sweep(DAY_MS * 60, None, u32::MAX).journals, 1, "longer than days_max nothing stays");
        assert_eq!((shelves.kept(), std::fs::read_dir(dir.path()).unwrap().count()), (Kept::default(), 0));
    }

    #[test]
    fn a_person_is_overwritten_and_nobody_else() {
        let (dir, key) = (tempfile::tempdir().unwrap(), NodeKey::ephemeral().journal());
        let mut shelves = Shelves::open(dir.path(), settings(), key.clone()).unwrap();
        for call in 1..=9 {
            put(&mut shelves, call, 1_000).unwrap();
        }
        let place = shelves.of_call(CallId::from_random(3)).pop().unwrap();
        assert_eq!(shelves.erase(&[0; 32]).unwrap(), 3);
        assert_eq!(calls(&shelves), [1, 2, 4, 5, 7, 8]);
        let bytes = std::fs::read(&place.path).unwrap();
        let at = usize::try_from(place.at).unwrap() + FRAME_BYTES;
        let end = usize::try_from(place.at + place.len).unwrap();
        assert!(bytes[at..end].iter().all(|byte| *byte == 0));
        let shelves = Shelves::open(dir.path(), settings(), key).unwrap();
        assert_eq!(calls(&shelves), [1, 2, 4, 5, 7, 8], "nor after a restart");
    }

    #[test]
    fn what_the_disk_does_not_take_leaves_nothing_behind() {
        let (dir, key) = (tempfile::tempdir().unwrap(), NodeKey::ephemeral().journal());
        let mut shelves = Shelves::open(dir.path(), settings(), key.clone()).unwrap();
        let folder = dir.path().join(folder_name(&shelf_key_of(&journal(1, &[]).header)));
        std::fs::write(&folder, "no folder can be made here").unwrap();
        assert!(put(&mut shelves, 1, 1_000).is_err());
        assert!(shelves.of_call(CallId::from_random(1)).is_empty() && shelves.kept() == Kept::default());
        std::fs::remove_file(&folder).unwrap();
        put(&mut shelves, 2, 1_000).unwrap();
        assert_eq!(calls(&Shelves::open(dir.path(), settings(), key).unwrap()), [2]);
    }
}
