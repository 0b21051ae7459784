//! The store's folder: who may open it, and what must be tidied before sled sees it.
//!
//! ```text
//! lock          held by the process that has the store open; names it
//! sled/         the database
//! blobs/        ab/abcd…: files named by their SHA-256; tmp/: files being written
//! quarantine/   copies of damaged rows and blobs
//! set-aside/    half-written snapshots of sled
//! audit-head    the audit's head mark
//! ```
use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use crate::StoreError;

/// Files kept in `set-aside`; the oldest go.
const SET_ASIDE_FILES_MAX: usize = 16;
/// sled ends a snapshot with its length (8) and a CRC-32 (4).
const SNAPSHOT_TRAILER_BYTES: usize = 12;

/// Held while the store is open.
pub(super) struct FolderLock(#[expect(dead_code, reason = "closing the file releases the lock")] File);

/// Creates what is missing and locks the folder.
pub(super) fn prepare(root: &Path) -> Result<FolderLock, StoreError> {
    refuse_foreign(root)?;
    for part in ["sled", "blobs", "quarantine", "set-aside"] {
        let folder = root.join(part);
        fs::create_dir_all(&folder).map_err(|error| StoreError::io("creating", &folder, error))?;
    }
    let lock = lock(root)?;
    sync_folder(root)?;
    Ok(lock)
}

/// A mistyped path must not fill somebody's home.
fn refuse_foreign(root: &Path) -> Result<(), StoreError> {
    if root.join("sled").is_dir() || !root.exists() {
        return Ok(());
    }
    let listing = fs::read_dir(root).map_err(|error| StoreError::io("listing", root, error))?;
    for file in listing {
        let name = file.map_err(|error| StoreError::io("listing", root, error))?.file_name();
        let ours = ["lock", "sled", "blobs", "quarantine", "set-aside", crate::audit::HEAD_FILE];
        if !ours.iter().any(|ours| name == *ours) {
            return Err(StoreError::NotAStore { path: root.to_owned(), why: format!("it holds {}", name.display()) });
        }
    }
    Ok(())
}

fn lock(root: &Path) -> Result<FolderLock, StoreError> {
    let path = root.join("lock");
    let open = File::options().create(true).read(true).write(true).truncate(false).open(&path);
    let mut file = open.map_err(|error| StoreError::io("opening", &path, error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let known = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
            let holder = if known { holder.trim().to_owned() } else { "another process".to_owned() };
            return Err(StoreError::InUse { path: root.to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::io("locking", &path, error)),
    }
    let name = format!("process {}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.write_all(name.as_bytes()))
        .map_err(|error| StoreError::io("writing", &path, error))?;
    Ok(FolderLock(file))
}

/// Moves half-written and damaged snapshots out of sled's sight, keeping them: it would take the newest name for the
/// newest state and refuse to open. Without a snapshot it reads its whole log instead. Answers with how many.
pub(super) fn set_aside_torn_snapshots(root: &Path) -> Result<usize, StoreError> {
    let folder = root.join("sled");
    let mut moved = 0;
    for file in fs::read_dir(&folder).map_err(|error| StoreError::io("listing", &folder, error))? {
        let path = file.map_err(|error| StoreError::io("listing", &folder, error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let torn = name.starts_with("snap.") && (name.ends_with(".generating") || !snapshot_is_whole(&path)?);
        if !torn {
            continue;
        }
        let kept = free_name(&root.join("set-aside"), &name)?;
        tracing::warn!(name, kept = %kept.display(), "a snapshot of the database was half-written; set aside, reading the log instead");
        fs::rename(&path, &kept).map_err(|error| StoreError::io("setting aside", &path, error))?;
        moved += 1;
    }
    if moved > 0 {
        sync_folder(&root.join("set-aside"))?;
        sync_folder(&folder)?;
    }
    Ok(moved)
}

fn snapshot_is_whole(path: &Path) -> Result<bool, StoreError> {
    let bytes = fs::read(path).map_err(|error| StoreError::io("reading", path, error))?;
    let Some((body, trailer)) = bytes.split_last_chunk::<SNAPSHOT_TRAILER_BYTES>() else { return Ok(false) };
    let crc = u32::from_le_bytes([trailer[8], trailer[9], trailer[10], trailer[11]]);
    Ok(!body.is_empty() && crc == crc32fast::hash(body))
}

/// A name not taken yet: numbered, so that the oldest can go.
fn free_name(folder: &Path, name: &str) -> Result<std::path::PathBuf, StoreError> {
    let listing = fs::read_dir(folder).map_err(|error| StoreError::io("listing", folder, error))?;
    let mut kept: Vec<(u64, std::path::PathBuf)> = listing
        .filter_map(Result::ok)
        .filter_map(|file| Some((file.file_name().to_str()?.split('-').next()?.parse().ok()?, file.path())))
        .collect();
    kept.sort();
    let next = kept.last().map_or(1, |(number, _)| number + 1);
    let surplus = (kept.len() + 1).saturating_sub(SET_ASIDE_FILES_MAX);
    for (_, path) in kept.into_iter().take(surplus) {
        fs::remove_file(&path).map_err(|error| StoreError::io("removing", &path, error))?;
    }
    Ok(folder.join(format!("{next:06}-{name}")))
}

/// Makes names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| StoreError::io("syncing", folder, error))
}

/// Makes a file's bytes durable.
pub(super) fn sync_file(path: &Path) -> Result<(), StoreError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| StoreError::io("syncing", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_aside_keeps_a_bounded_number_of_copies() {
        let root = tempfile::tempdir().unwrap();
        let _lock = prepare(root.path()).unwrap();
        for n in 0..SET_ASIDE_FILES_MAX + 5 {
            fs::write(root.path().join("sled/snap.0000000000000001.generating"), format!("{n}")).unwrap();
            assert_eq!(set_aside_torn_snapshots(root.path()).unwrap(), 1);
        }
        let mut kept: Vec<_> =
            fs::read_dir(root.path().join("set-aside")).unwrap().map(|file| file.unwrap().path()).collect();
        kept.sort();
        assert_eq!(kept.len(), SET_ASIDE_FILES_MAX);
        assert_eq!(fs::read_to_string(kept.last().unwrap()).unwrap(), (SET_ASIDE_FILES_MAX + 4).to_string());
    }

    #[test]
    fn refuses_a_folder_with_other_things() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("thesis.txt"), "mine").unwrap();
        assert!(matches!(prepare(root.path()), Err(StoreError::NotAStore { .. })));
    }

    #[test]
    fn a_second_lock_names_the_holder() {
        let root = tempfile::tempdir().unwrap();
        let _lock = prepare(root.path()).unwrap();
        let Err(StoreError::InUse { holder, .. }) = prepare(root.path()) else { panic!("locked twice") };
        assert_eq!(holder, format!("process {}", std::process::id()));
    }
}
