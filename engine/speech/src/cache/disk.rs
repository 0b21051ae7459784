//! Speech that outlives a restart: one file an utterance, bounded in bytes, checked on every read.
//!
//! A file is written beside its place and renamed into it, so a reader sees all of it or nothing. What a crash or a bad
//! disk leaves behind fails its checksum, is deleted and spoken anew: no fsync is needed for a cache. All of it blocks:
//! call it from a blocking thread.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::CacheKey;
use crate::error::SpeechError;

const MAGIC: &[u8; 8] = b"GDKPCM\0\x01";
const CHECKSUM_BYTES: usize = 32;
const HEADER_BYTES: usize = MAGIC.len() + CHECKSUM_BYTES;
const EXTENSION: &str = "pcm";
const TEMPORARY: &str = "part";

/// A folder of utterances.
#[derive(Debug)]
pub(crate) struct DiskCache {
    folder: PathBuf,
    bytes_max: u64,
    index: Mutex<Index>,
    temporary: AtomicU64,
    evicted: AtomicU64,
}

/// What a look-up found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Loaded {
    Hit(Vec<i16>),
    Miss,
    /// It was damaged and is deleted.
    Corrupt,
}

/// Which files there are, by last use.
#[derive(Debug, Default)]
struct Index {
    entries: HashMap<PathBuf, Entry>,
    by_use: BTreeMap<u64, PathBuf>,
    next_use: u64,
    bytes: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    bytes: u64,
    used: u64,
}

impl Index {
    /// Puts an entry at the recent end.
    fn touch(&mut self, file: &Path, bytes: u64) {
        self.forget(file);
        let used = self.next_use;
        self.next_use += 1;
        self.bytes += bytes;
        self.entries.insert(file.to_owned(), Entry { bytes, used });
        self.by_use.insert(used, file.to_owned());
    }

    fn forget(&mut self, file: &Path) {
        if let Some(entry) = self.entries.remove(file) {
            self.by_use.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }

    fn oldest(&self) -> Option<PathBuf> {
        self.by_use.first_key_value().map(|(_, file)| file.clone())
    }
}

impl DiskCache {
    /// Opens or makes the folder, takes stock, and evicts down to the limit.
    pub(crate) fn open(folder: &Path, bytes_max: u64) -> Result<Self, SpeechError> {
        let cache = Self {
            folder: folder.to_owned(),
            bytes_max,
            index: Mutex::default(),
            temporary: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        };
        cache.take_stock().map_err(|error| SpeechError::CacheFolder {
            folder: folder.display().to_string(),
            problem: error.to_string(),
        })?;
        Ok(cache)
    }

    /// Looks an utterance up.
    pub(crate) fn load(&self, key: &CacheKey) -> Loaded {
        let file = file_of(key);
        let path = self.folder.join(&file);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.with_index(|index| index.forget(&file));
                return if error.kind() == io::ErrorKind::NotFound { Loaded::Miss } else { Loaded::Corrupt };
            }
        };
        let Some(samples) = unpack(&bytes) else {
            let _ = fs::remove_file(&path);
            self.with_index(|index| index.forget(&file));
            return Loaded::Corrupt;
        };
        self.with_index(|index| index.touch(&file, bytes.len() as u64));
        // Recency must outlive a restart; if the clock cannot be written, it is merely evicted earlier.
        let _ = File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Loaded::Hit(samples)
    }

    /// Keeps an utterance, unless it alone is larger than the limit.
    pub(crate) fn store(&self, key: &CacheKey, samples: &[i16]) -> io::Result<()> {
        let packed = pack(samples);
        let bytes = packed.len() as u64;
        if bytes > self.bytes_max {
            return Ok(());
        }
        let file = file_of(key);
        let path = self.folder.join(&file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.folder.join(format!("{}-{number}.{TEMPORARY}", std::process::id()));
        let written = File::create(&temporary)
            .and_then(|mut out| out.write_all(&packed))
            .and_then(|()| fs::rename(&temporary, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        self.with_index(|index| {
            index.touch(&file, bytes);
            self.evict(index);
        });
        Ok(())
    }

    /// Bytes kept now.
    pub(crate) fn bytes(&self) -> u64 {
        self.with_index(|index| index.bytes)
    }

    /// Files evicted since the folder was opened.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    fn evict(&self, index: &mut Index) {
        while index.bytes > self.bytes_max {
            let Some(file) = index.oldest() else { return };
            let _ = fs::remove_file(self.folder.join(&file));
            index.forget(&file);
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take_stock(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            if has_extension(&path, TEMPORARY) {
                let _ = fs::remove_file(path); // A crash left it.
            } else if entry.file_type()?.is_dir() {
                list_shelf(&path, &mut found)?;
            }
        }
        found.sort_by_key(|(_, _, used)| *used);
        self.with_index(|index| {
            for (path, bytes, _) in &found {
                index.touch(path.strip_prefix(&self.folder).unwrap_or(path), *bytes);
            }
            self.evict(index);
        });
        Ok(())
    }

    /// A panic while the index was held leaves counts at worst slightly off: go on with them.
    fn with_index<T>(&self, act: impl FnOnce(&mut Index) -> T) -> T {
        act(&mut self.index.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn list_shelf(shelf: &Path, found: &mut Vec<(PathBuf, u64, SystemTime)>) -> io::Result<()> {
    for entry in fs::read_dir(shelf)? {
        let entry = entry?;
        let data = entry.metadata()?;
        if data.is_file() && has_extension(&entry.path(), EXTENSION) {
            found.push((entry.path(), data.len(), data.modified().unwrap_or(SystemTime::UNIX_EPOCH)));
        }
    }
    Ok(())
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// 256 shelves: a folder with a hundred thousand files is slow to list.
fn file_of(key: &CacheKey) -> PathBuf {
    let name = key.to_string();
    Path::new(&name[..2]).join(format!("{name}.{EXTENSION}"))
}

fn pack(samples: &[i16]) -> Vec<u8> {
    let body: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut packed = Vec::with_capacity(HEADER_BYTES + body.len());
    packed.extend_from_slice(MAGIC);
    packed.extend_from_slice(&Sha256::digest(&body));
    packed.extend_from_slice(&body);
    packed
}

fn unpack(bytes: &[u8]) -> Option<Vec<i16>> {
    let (header, body) = bytes.split_at_checked(HEADER_BYTES)?;
    let sound =
        header.starts_with(MAGIC) && header[MAGIC.len()..] == *Sha256::digest(body) && body.len().is_multiple_of(2);
    sound.then(|| body.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> CacheKey {
        CacheKey::of_tone(&n.to_string())
    }

    const FILE_BYTES: u64 = HEADER_BYTES as u64 + 200;

    #[test]
    fn what_is_stored_is_found_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(folder.path(), 1 << 20).unwrap();
        assert_eq!(cache.load(&key(1)), Loaded::Miss);
        cache.store(&key(1), &[1, -2, i16::MIN]).unwrap();
        fs::write(folder.path().join("999-1.part"), "half a file").unwrap();
        let again = DiskCache::open(folder.path(), 1 << 20).unwrap();
        assert_eq!(again.load(&key(1)), Loaded::Hit(vec![1, -2, i16::MIN]));
        assert_eq!(again.bytes(), HEADER_BYTES as u64 + 6);
        assert!(!folder.path().join("999-1.part").exists());
    }

    #[test]
    fn the_least_recently_used_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(folder.path(), 3 * FILE_BYTES).unwrap();
        for n in 0..3 {
            cache.store(&key(n), &[0; 100]).unwrap();
        }
        assert!(matches!(cache.load(&key(0)), Loaded::Hit(_)));
        cache.store(&key(3), &[0; 100]).unwrap();
        assert_eq!(cache.load(&key(1)), Loaded::Miss);
        assert!(matches!(cache.load(&key(0)), Loaded::Hit(_)));
        assert_eq!((cache.bytes(), cache.evicted()), (3 * FILE_BYTES, 1));
        cache.store(&key(4), &vec![0; 10_000]).unwrap(); // Larger than the whole cache.
        assert_eq!((cache.bytes(), cache.load(&key(4))), (3 * FILE_BYTES, Loaded::Miss));
        cache.store(&key(3), &[1; 100]).unwrap(); // Stored twice, counted once.
        assert_eq!(cache.bytes(), 3 * FILE_BYTES);

        let smaller = DiskCache::open(folder.path(), FILE_BYTES).unwrap();
        assert_eq!((smaller.bytes(), smaller.evicted()), (FILE_BYTES, 2));
    }

    #[test]
    fn a_damaged_file_is_found_out_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(folder.path(), 1 << 20).unwrap();
        let path = folder.path().join(file_of(&key(1)));
        let whole = pack(&[5; 50]);
        let mut flipped = whole.clone();
        flipped[60] ^= 1;
        for damaged in
            [flipped, whole[..whole.len() - 2].to_vec(), whole[..10].to_vec(), Vec::new(), b"GARBAGE".repeat(20)]
        {
            cache.store(&key(1), &[5; 50]).unwrap();
            fs::write(&path, damaged).unwrap();
            assert_eq!(cache.load(&key(1)), Loaded::Corrupt);
            assert!(!path.exists());
            assert_eq!(cache.load(&key(1)), Loaded::Miss);
            assert_eq!(cache.bytes(), 0);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let message = DiskCache::open(&file, 1).unwrap_err().to_string();
        assert!(message.contains(&file.display().to_string()) && message.contains("make it writable"), "{message}");
    }
}
