//! Blobs as files named by their SHA-256: written aside, synced, renamed, the folder synced; read only if the hash is right.
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sha2::{Digest, Sha256};

use super::core::{Core, read_failed};
use super::{folder, keys};
use crate::limits::BLOB_BYTES_MAX;
use crate::{BlobId, StoreError};

/// Bytes copied or hashed at a time.
const CHUNK_BYTES: usize = 64 * 1024;

pub(super) fn put(core: &Core, bytes: &[u8]) -> Result<BlobId, StoreError> {
    if bytes.len() > BLOB_BYTES_MAX {
        return Err(StoreError::TooLarge { what: "blob", bytes: bytes.len(), limit: BLOB_BYTES_MAX });
    }
    checked_space(core)?;
    let id = BlobId::of(bytes);
    let aside = aside(core);
    let write = || -> std::io::Result<()> {
        let mut file = File::create_new(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| StoreError::io("writing", &aside, error))?;
    place(core, &aside, &id)?;
    Ok(id)
}

pub(super) fn take_file(core: &Core, source: &Path) -> Result<BlobId, StoreError> {
    checked_space(core)?;
    let id = hash_file(source)?;
    folder::sync_file(source)?;
    let aside = aside(core);
    if let Err(error) = fs::rename(source, &aside) {
        if error.kind() != std::io::ErrorKind::CrossesDevices {
            return Err(StoreError::io("moving into the store", source, error));
        }
        fs::copy(source, &aside).map_err(|error| StoreError::io("copying into the store", source, error))?;
        if hash_file(&aside)? != id {
            return Err(StoreError::BadName {
                what: "blob",
                why: "the file changed while it was copied: finish it first".to_owned(),
            });
        }
        folder::sync_file(&aside)?;
        place(core, &aside, &id)?;
        fs::remove_file(source).map_err(|error| StoreError::io("removing", source, error))?;
        return Ok(id);
    }
    place(core, &aside, &id)?;
    Ok(id)
}

pub(super) fn read(core: &Core, id: &BlobId) -> Result<Vec<u8>, StoreError> {
    let path = path(core, id);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::BlobMissing { id: id.to_hex() });
        }
        Err(error) => return Err(StoreError::io("opening", &path, error)),
    };
    let mut bytes = Vec::new();
    let read = Read::by_ref(&mut file).take(BLOB_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| StoreError::io("reading", &path, error))?;
    if bytes.len() > BLOB_BYTES_MAX {
        return Err(StoreError::TooLarge { what: "blob", bytes: bytes.len(), limit: BLOB_BYTES_MAX });
    }
    if BlobId::of(&bytes) != *id { Err(quarantine(core, &path, id)) } else { Ok(bytes) }
}

/// The same file that was checked, whatever happens to its name meanwhile.
pub(super) fn open(core: &Core, id: &BlobId) -> Result<File, StoreError> {
    let path = path(core, id);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::BlobMissing { id: id.to_hex() });
        }
        Err(error) => return Err(StoreError::io("opening", &path, error)),
    };
    let found = hash_of(&mut file).map_err(|error| StoreError::io("reading", &path, error))?;
    if found != *id {
        return Err(quarantine(core, &path, id));
    }
    file.rewind().map_err(|error| StoreError::io("reading", &path, error))?;
    Ok(file)
}

pub(super) fn delete(core: &Core, id: &BlobId) -> Result<bool, StoreError> {
    let path = path(core, id);
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("deleting", &path, error)),
    }
}

pub(super) fn doomed_key(id: &BlobId) -> Vec<u8> {
    keys::tagged(keys::BLOB_DOOMED, id.as_sha256())
}

/// Deletes the files that retention or an erasure has doomed and makes their absence durable. Answers with the blobs
/// whose rows can go, how many files are gone, and how many could not be deleted.
pub(super) fn delete_doomed(core: &Core) -> Result<(Vec<BlobId>, u64, u64), StoreError> {
    let (mut settled, mut gone, mut stuck) = (Vec::new(), Vec::new(), 0);
    for key in core.db.scan_prefix([keys::BLOB_DOOMED]).keys() {
        let key = key.map_err(|error| read_failed(&error))?;
        let Ok(hash) = <[u8; 32]>::try_from(&key[1..]) else { continue };
        let id = BlobId::from_sha256(hash);
        if is_used(core, &id)? {
            settled.push(id);
            continue;
        }
        match delete(core, &id) {
            Ok(_) => gone.push(id),
            Err(error) => {
                stuck += 1;
                tracing::error!(%error, "a recording that must go could not be deleted; the next step of retention and the next start try again");
            }
        }
    }
    let folders: BTreeSet<_> = gone.iter().filter_map(|id| path(core, id).parent().map(Path::to_owned)).collect();
    for folder in folders.iter().filter(|folder| folder.exists()) {
        folder::sync_folder(folder)?;
    }
    let count = gone.len() as u64;
    settled.extend(gone);
    Ok((settled, count, stuck))
}

fn is_used(core: &Core, id: &BlobId) -> Result<bool, StoreError> {
    let use_of_it = core.db.scan_prefix(keys::blob_uses(id)).next().transpose();
    use_of_it.map(|row| row.is_some()).map_err(|error| read_failed(&error))
}

/// At opening: clears what was being written, and deletes what retention had doomed. Answers with what is gone.
pub(super) fn tidy(core: &Core) -> Result<Vec<BlobId>, StoreError> {
    let aside = aside_folder(core);
    if aside.exists() {
        fs::remove_dir_all(&aside).map_err(|error| StoreError::io("clearing", &aside, error))?;
    }
    fs::create_dir_all(&aside).map_err(|error| StoreError::io("creating", &aside, error))?;
    let mut gone = Vec::new();
    for key in core.db.scan_prefix([keys::BLOB_DOOMED]).keys() {
        let key = key.map_err(|error| read_failed(&error))?;
        let Ok(hash) = <[u8; 32]>::try_from(&key[1..]) else { continue };
        let id = BlobId::from_sha256(hash);
        if !is_used(core, &id)? {
            delete(core, &id)?;
        }
        gone.push(id);
    }
    Ok(gone)
}

/// All blobs, for a backup.
pub(super) fn list(core: &Core) -> Result<Vec<BlobId>, StoreError> {
    let mut ids = Vec::new();
    let root = core.options.path.join("blobs");
    for folder in fs::read_dir(&root).map_err(|error| StoreError::io("listing", &root, error))? {
        let folder = folder.map_err(|error| StoreError::io("listing", &root, error))?.path();
        if !folder.is_dir() || folder == aside_folder(core) {
            continue;
        }
        for file in fs::read_dir(&folder).map_err(|error| StoreError::io("listing", &folder, error))? {
            let name = file.map_err(|error| StoreError::io("listing", &folder, error))?.file_name();
            ids.extend(name.to_str().and_then(|name| BlobId::from_hex(name).ok()));
        }
    }
    ids.sort_unstable();
    Ok(ids)
}

pub(super) fn path(core: &Core, id: &BlobId) -> PathBuf {
    let name = id.to_hex();
    core.options.path.join("blobs").join(&name[..2]).join(name)
}

/// Checks a blob of any size; a damaged one is set aside.
pub(super) fn verify(core: &Core, id: &BlobId) -> Result<(), StoreError> {
    let path = path(core, id);
    if hash_file(&path)? == *id { Ok(()) } else { Err(quarantine(core, &path, id)) }
}

fn checked_space(core: &Core) -> Result<(), StoreError> {
    core.check_promise(core.space())
}

fn aside_folder(core: &Core) -> PathBuf {
    core.options.path.join("blobs").join("tmp")
}

pub(super) fn aside(core: &Core) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    aside_folder(core).join(NEXT.fetch_add(1, Relaxed).to_string())
}

/// Gives a finished and synced file its name.
pub(super) fn place(core: &Core, aside: &Path, id: &BlobId) -> Result<(), StoreError> {
    let path = path(core, id);
    let root = core.options.path.join("blobs");
    let folder = path.parent().unwrap_or(&root);
    if !folder.exists() {
        fs::create_dir_all(folder).map_err(|error| StoreError::io("creating", folder, error))?;
        folder::sync_folder(&root)?;
    }
    fs::rename(aside, &path).map_err(|error| StoreError::io("naming", &path, error))?;
    folder::sync_folder(folder)
}

fn hash_file(path: &Path) -> Result<BlobId, StoreError> {
    let hash = File::open(path).and_then(|mut file| hash_of(&mut file));
    hash.map_err(|error| StoreError::io("reading", path, error))
}

fn hash_of(file: &mut File) -> std::io::Result<BlobId> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let len = file.read(&mut chunk)?;
        if len == 0 {
            return Ok(BlobId::from_sha256(hasher.finalize().into()));
        }
        hasher.update(&chunk[..len]);
    }
}

fn quarantine(core: &Core, path: &Path, id: &BlobId) -> StoreError {
    core.counters.corrupt.fetch_add(1, Relaxed);
    let kept_at = core.quarantine_folder().join(format!("blob-{id}"));
    tracing::error!(kept_at = %kept_at.display(), "a blob is damaged; restore it from a backup");
    match fs::rename(path, &kept_at) {
        Ok(()) => StoreError::BlobDamaged { id: id.to_hex(), kept_at },
        Err(error) => StoreError::io("setting aside", path, error),
    }
}
