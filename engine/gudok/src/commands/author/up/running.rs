//! Where an engine of `gudok up` is, for `gudok watch` and for people. Each has a folder of its own, and holds a lock for as
//! long as it is there: a folder whose lock is free was left behind by one that was killed, and is removed.

use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

const FACTS: &str = "up.json";
const LOCK: &str = "lock";
/// How the name of a folder begins that is being made.
const HALF: &str = ".half-";

/// What others may know of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Running {
    /// The program that the author started.
    pub(crate) pid: u32,
    /// Where SIP listens.
    pub(crate) sip: SocketAddr,
    /// The console and the API.
    pub(crate) url: String,
    /// It leads to the script; none for a campaign's, which takes no calls.
    pub(crate) number: Option<String>,
    pub(crate) agency: String,
    pub(crate) entry: String,
    /// A file with a token for the API, for its owner only.
    pub(crate) token_file: PathBuf,
}

impl Running {
    /// All that are there now.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub(crate) fn all(engines: &Path) -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        for folder in folders(engines)? {
            if is_left_behind(&folder) {
                continue;
            }
            // One that is just starting has said nothing yet.
            let Ok(text) = std::fs::read(folder.join(FACTS)) else { continue };
            all.extend(serde_json::from_slice::<Self>(&text));
        }
        all.sort_by_key(|running| running.pid);
        Ok(all)
    }
}

/// A folder of one's own, and the lock on it.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    _lock: File,
}

impl Place {
    /// Makes it, and removes what was left behind by others.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub(super) fn make(engines: &Path, pid: u32) -> anyhow::Result<Self> {
        std::fs::create_dir_all(engines).with_context(|| format!("creating {}", engines.display()))?;
        for folder in folders(engines)?.into_iter().filter(|folder| is_left_behind(folder)) {
            let _ = std::fs::remove_dir_all(folder);
        }
        // It is seen under its name when its lock is held, and not before.
        let (folder, half) = (engines.join(pid.to_string()), engines.join(format!("{HALF}{pid}")));
        let _ = std::fs::remove_dir_all(&half);
        private_folder(&half).with_context(|| format!("creating {}", half.display()))?;
        let lock = File::create(half.join(LOCK)).context("creating the lock")?;
        lock.try_lock().context("locking one's own folder")?;
        std::fs::rename(&half, &folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Of a file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Says where the engine is.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn tell(&self, running: &Running) -> anyhow::Result<()> {
        let (path, half) = (self.folder.join(FACTS), self.folder.join("up.json.half"));
        std::fs::write(&half, serde_json::to_vec_pretty(running)?)
            .and_then(|()| std::fs::rename(&half, &path))
            .with_context(|| format!("writing {}", path.display()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next one.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn folders(engines: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(engines) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", engines.display())),
    };
    let whole = entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with(HALF));
    Ok(whole.map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
}

/// Whether nobody holds its lock.
fn is_left_behind(folder: &Path) -> bool {
    let Ok(lock) = File::open(folder.join(LOCK)) else { return false };
    match lock.try_lock_shared() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(pid: u32) -> Running {
        Running {
            pid,
            sip: "127.0.0.1:5070".parse().unwrap(),
            url: "http://127.0.0.1:8070".into(),
            number: Some("100".into()),
            agency: "mfc".into(),
            entry: "desk".into(),
            token_file: "token".into(),
        }
    }

    #[test]
    fn who_is_gone_is_not_found_and_leaves_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Running::all(&folder.path().join("none")).unwrap().is_empty());
        let (one, other) = (Place::make(folder.path(), 1).unwrap(), Place::make(folder.path(), 2).unwrap());
        assert!(Running::all(folder.path()).unwrap().is_empty(), "nobody has said where it is");
        one.tell(&running(1)).unwrap();
        other.tell(&running(2)).unwrap();
        let pids = || Running::all(folder.path()).unwrap().iter().map(|running| running.pid).collect::<Vec<_>>();
        assert_eq!(pids(), [1, 2]);
        // Killed: the lock is gone, the folder is not.
        let Place { folder: left, _lock } = &one;
        let left = left.clone();
        _lock.unlock().unwrap();
        assert_eq!(pids(), [2]);
        assert!(left.is_dir());
        let third = Place::make(folder.path(), 3).unwrap();
        assert!(!left.exists(), "the next one removes it");
        drop((other, third));
        assert!(Running::all(folder.path()).unwrap().is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
