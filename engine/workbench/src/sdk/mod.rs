//! The SDKs and the interface, which this tool carries with it: laid out in the cache, one folder a version and content.
//!
//! ```text
//! sdk/0.1.0-1a2b3c4d5e6f/
//!   rust/plugins/sdk  rust/wit/v0.1.0     as in the repository: the crate finds the interface where it looks for it
//!   js/  py/                              the packages
//!   wit/                                  the interface alone
//! ```
//!
//! A project refers to it by its link `.gudok`, which each build points at the folder of the tool that builds. So a project
//! knows no path of a machine, and a newer tool needs nothing changed in it. Folders are written once and never changed: two
//! tools of different versions work side by side.

mod embedded;

use crate::build::{Fault, fault::io};
use crate::local::cache_folder;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub(crate) use embedded::{FILES, TEMPLATES, menu_module};

const STEP: &str = "sdk";
/// Digits of the content's hash in a folder's name.
const HASH_DIGITS: usize = 12;
/// Last in a folder that is whole.
const WHOLE: &str = ".whole";

/// The SDKs on disk.
#[derive(Clone, Debug)]
pub struct Sdk {
    /// `sdk/VERSION-HASH` in the cache.
    pub folder: PathBuf,
}

impl Sdk {
    /// Lays it out, unless it is there.
    ///
    /// # Errors
    /// Where the cache cannot be written.
    pub fn lay_out() -> Result<Self, Fault> {
        let cache = cache_folder().map_err(|error| {
            Fault::of_machine(STEP, error.to_string()).remedy("Set GUDOK_CACHE to a folder that you may write to")
        })?;
        Self::lay_out_in(&cache)
    }

    /// The same in a cache that is named.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn lay_out_in(cache: &Path) -> Result<Self, Fault> {
        let files = files();
        let folder = cache.join("sdk").join(name(&files));
        if folder.join(WHOLE).is_file() {
            return Ok(Self { folder });
        }
        let parent = cache.join("sdk");
        let failed = |path: &Path, error: &std::io::Error| io(STEP, "writing", path, error);
        std::fs::create_dir_all(&parent).map_err(|error| failed(&parent, &error))?;
        // Written beside it and renamed: whoever looks at the same time sees all of it or nothing.
        let fresh =
            tempfile::Builder::new().prefix(".new-").tempdir_in(&parent).map_err(|error| failed(&parent, &error))?;
        for (place, bytes) in &files {
            let path = fresh.path().join(place);
            let folder = path.parent().unwrap_or(fresh.path());
            std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
            std::fs::write(&path, bytes).map_err(|error| failed(&path, &error))?;
        }
        let whole = fresh.path().join(WHOLE);
        std::fs::write(&whole, b"").map_err(|error| failed(&whole, &error))?;
        match std::fs::rename(fresh.path(), &folder) {
            Ok(()) => drop(fresh.keep()),
            // Somebody else was quicker.
            Err(_) if folder.join(WHOLE).is_file() => {}
            Err(error) => return Err(failed(&folder, &error)),
        }
        Ok(Self { folder })
    }

    /// The Rust crate.
    #[must_use]
    pub fn rust(&self) -> PathBuf {
        self.folder.join("rust/plugins/sdk")
    }

    /// Points a project's link at it.
    ///
    /// # Errors
    /// Where something else is in the link's place, or the folder cannot be written.
    pub fn link_from(&self, link: &Path) -> Result<(), Fault> {
        match std::fs::symlink_metadata(link) {
            Ok(there) if there.is_symlink() => {
                if std::fs::read_link(link).is_ok_and(|to| to == self.folder) {
                    return Ok(());
                }
                std::fs::remove_file(link).map_err(|error| io(STEP, "replacing", link, &error))?;
            }
            Ok(_) => {
                return Err(Fault::of_script(STEP, format!("{} is no link", link.display()))
                    .note("it is the place of the link to the SDK, which every build sets")
                    .remedy(format!("Move it away: mv {0} {0}.old", link.display())));
            }
            Err(_) => {}
        }
        match std::os::unix::fs::symlink(&self.folder, link) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(io(STEP, "linking", link, &error)),
            // Another build of the same project set it this moment.
            _ => Ok(()),
        }
    }
}

/// The versions of crates that the Rust SDK was tested with, as a Cargo.lock.
#[must_use]
pub fn rust_lock() -> String {
    let lock = files().get("rust/plugins/Cargo.lock").cloned().unwrap_or_default();
    String::from_utf8_lossy(&lock).into_owned()
}

/// What this tool's SDK is called: version and content.
#[must_use]
pub fn version() -> String {
    name(&files())
}

fn name(files: &BTreeMap<String, Vec<u8>>) -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let mut hash = Sha256::new();
        for (place, bytes) in files {
            hash.update((place.len() as u64).to_le_bytes());
            hash.update(place);
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}", env!("CARGO_PKG_VERSION"), &digits[..HASH_DIGITS])
    })
    .clone()
}

/// Every file by its place under the folder.
fn files() -> BTreeMap<String, Vec<u8>> {
    let of_sdks = FILES.iter().filter(|(place, _)| !place.starts_with(TEMPLATES));
    let mut files: BTreeMap<String, Vec<u8>> =
        of_sdks.map(|(place, bytes)| ((*place).to_owned(), bytes.to_vec())).collect();
    // The crates' workspace, without the sample agencies.
    if let Some(workspace) = files.get_mut("rust/plugins/Cargo.toml") {
        *workspace = without_samples(&String::from_utf8_lossy(workspace)).into_bytes();
    }
    files
}

/// The workspace of the samples, without them.
fn without_samples(workspace: &str) -> String {
    let Ok(mut table) = workspace.parse::<toml::Table>() else { return workspace.to_owned() };
    if let Some(workspace) = table.get_mut("workspace").and_then(toml::Value::as_table_mut) {
        workspace.insert("members".to_owned(), toml::Value::Array(vec!["sdk".into(), "menu".into()]));
        if let Some(dependencies) = workspace.get_mut("dependencies").and_then(toml::Value::as_table_mut) {
            dependencies.retain(|name, _| !name.starts_with("gudok-") || name == "gudok-sdk");
        }
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_laid_out_whole_once_and_linked() {
        let cache = tempfile::tempdir().unwrap();
        let sdk = Sdk::lay_out_in(cache.path()).unwrap();
        for place in [
            "rust/plugins/sdk/Cargo.toml",
            "rust/plugins/sdk/src/lib.rs",
            "rust/wit/v0.1.0/package.wit",
            "wit/package.wit",
        ] {
            assert!(sdk.folder.join(place).is_file(), "{place}");
        }
        let workspace = std::fs::read_to_string(sdk.folder.join("rust/plugins/Cargo.toml")).unwrap();
        let workspace: toml::Table = workspace.parse().unwrap();
        assert_eq!(workspace["workspace"]["members"].as_array().unwrap().len(), 2);
        // Nothing else stays in the cache, and what is there is not written again.
        let marker = sdk.folder.join("marker");
        std::fs::write(&marker, "").unwrap();
        assert_eq!(Sdk::lay_out_in(cache.path()).unwrap().folder, sdk.folder);
        assert!(marker.is_file());
        assert_eq!(std::fs::read_dir(cache.path().join("sdk")).unwrap().count(), 1);
        let link = cache.path().join("link");
        std::os::unix::fs::symlink("/nowhere", &link).unwrap();
        sdk.link_from(&link).unwrap();
        assert!(link.join("wit/package.wit").is_file());
        let file = cache.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(sdk.link_from(&file).unwrap_err().to_string().contains("is no link"));
    }

    #[test]
    fn a_lock_for_new_projects_names_what_the_sdk_stands_on() {
        let lock: toml::Table = rust_lock().parse().unwrap();
        let names: Vec<&str> = lock["package"].as_array().unwrap().iter().filter_map(|p| p["name"].as_str()).collect();
        assert!(names.contains(&"wit-bindgen") && names.contains(&"serde_json"), "{names:?}");
    }
}
