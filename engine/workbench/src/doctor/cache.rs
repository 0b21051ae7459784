//! The cache: whether it can be written, how large it is, what is old in it.

use super::Looked;
use crate::local::cache_folder;
use crate::sdk;
use std::path::Path;

const AREA: &str = "cache";
/// Larger than this is worth a word.
const LARGE_BYTES: u64 = 4 << 30;
/// Files that are counted; a cache with more is large whatever they come to.
const FILES_MAX: usize = 500_000;

pub(super) fn look() -> Vec<Looked> {
    let folder = match cache_folder() {
        Ok(folder) => folder,
        Err(error) => {
            let mend = vec!["export GUDOK_CACHE=$HOME/.cache/gudok".to_owned()];
            return vec![Looked::fails(AREA, "folder", format!("{error:#}"), mend)];
        }
    };
    let shown = folder.display();
    let writable = std::fs::create_dir_all(&folder).and_then(|()| tempfile::NamedTempFile::new_in(&folder).map(drop));
    if let Err(error) = writable {
        let mend = vec![format!("mkdir -p {shown} && chown $USER {shown}"), "or set GUDOK_CACHE".to_owned()];
        return vec![Looked::fails(AREA, "folder", format!("{shown} cannot be written: {error}"), mend)];
    }
    let bytes = cache_bytes(&folder);
    let size = format!("{shown}, {} MiB", bytes.div_ceil(1 << 20));
    let size = if bytes > LARGE_BYTES {
        Looked::lacks(AREA, "size", format!("{size}: it can be removed at any time"), vec![format!("rm -r {shown}")])
    } else {
        Looked::ok(AREA, "size", size)
    };
    vec![size, Looked::ok(AREA, "SDK of this tool", sdk::version())]
}

/// How large a folder is, links not followed.
#[must_use]
pub fn cache_bytes(folder: &Path) -> u64 {
    let (mut open, mut bytes, mut files) = (vec![folder.to_owned()], 0_u64, 0_usize);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            files += 1;
            if files > FILES_MAX {
                return bytes;
            }
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => open.push(entry.path()),
                Ok(meta) => bytes += meta.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_s_size_is_its_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/b"), [0; 1000]).unwrap();
        std::os::unix::fs::symlink("/usr", folder.path().join("c")).unwrap();
        let bytes = cache_bytes(folder.path());
        assert!((1000..2000).contains(&bytes), "{bytes}");
    }
}
