//! A bundle that is to be handed over: out of a file, a project that is built for it, or a registry.

use super::remote::{Failure, Screen, plain};
use super::signing;
use super::versions::check_size;
use anyhow::Context;
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_workbench::build::{Fault, FaultOf, OnScreen};
use gudok_workbench::project::Project;
use gudok_workbench::publish::{OciPlace, pull};
use std::path::Path;

/// A bundle, read and found whole.
pub(crate) struct Wares {
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// Whose script it is, by its manifest.
    pub(crate) agency: String,
    /// "desk 1.2.0".
    pub(crate) name: String,
    /// It is the author's own, built this moment: their key signs it.
    own: bool,
    signed: bool,
}

impl Wares {
    /// What is meant, where a folder, a file or a place in a registry is meant and not a version.
    ///
    /// # Errors
    /// What the compiler, the packer, the disk or the registry says.
    pub(crate) async fn take(what: &str) -> Result<Option<Self>, Failure> {
        if OciPlace::is_meant(what) {
            return from_registry(what).await.map(Some);
        }
        let path = Path::new(what);
        if path.is_dir() {
            return tokio::task::block_in_place(|| from_project(path)).map(Some);
        }
        if is_file(what) { from_file(path).map(Some) } else { Ok(None) }
    }

    /// With a signature: by the key that is named; a project's also by the author's own, if there is one.
    ///
    /// # Errors
    /// Of the key and its password.
    pub(crate) fn signed(self, named: Option<&Path>, screen: &Screen) -> Result<Self, Failure> {
        let key = if named.is_some() || self.own { signing::author_key(named)? } else { None };
        let Some(key) = key else {
            if !self.signed {
                screen.note("it is not signed: gudok keygen makes your author's key, --sign names another");
            }
            return Ok(self);
        };
        let (bytes, comment) = signing::signed(&self.bytes, &key, None)?;
        screen.note(&format!("signed as {}", plain(&comment)));
        Ok(Self { bytes, signed: true, ..self })
    }
}

/// Whether a bundle's file is meant and not a version.
fn is_file(what: &str) -> bool {
    let path = Path::new(what);
    let named_so = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("ivr"));
    named_so || what.contains('/') || path.is_file()
}

fn from_project(folder: &Path) -> Result<Wares, Failure> {
    let told = |fault: Fault| match fault.of {
        FaultOf::Script => Failure::Failed(anyhow::anyhow!("{fault}")),
        FaultOf::Machine => Failure::Usage(fault.to_string()),
    };
    let built = Project::open(folder).and_then(|project| project.build(&mut OnScreen::new())).map_err(told)?;
    let bytes = std::fs::read(&built.path).with_context(|| format!("reading {}", built.path.display()))?;
    wares(bytes, &built.path.display(), true)
}

fn from_file(path: &Path) -> Result<Wares, Failure> {
    let size = std::fs::metadata(path).with_context(|| format!("reading {}", path.display()))?.len();
    check_size(size, &path.display())?;
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    wares(bytes, &path.display(), false)
}

async fn from_registry(what: &str) -> Result<Wares, Failure> {
    let place: OciPlace = what.parse().map_err(|error| Failure::Usage(format!("{error}")))?;
    let pulled = pull(&place).await.map_err(anyhow::Error::new)?;
    wares(pulled.bytes, &pulled.pinned, false)
}

fn wares(bytes: Vec<u8>, of: &dyn std::fmt::Display, own: bool) -> Result<Wares, Failure> {
    let bundle = Bundle::from_upload(&bytes, &BundleLimits::default()).with_context(|| of.to_string())?;
    let manifest = &bundle.manifest;
    Ok(Wares {
        agency: manifest.agency.clone(),
        name: format!("{} {}", manifest.name, manifest.version),
        own,
        signed: bundle.signature.is_some(),
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_a_version() {
        for path in ["passport-1.2.0.ivr", "./passport", "bundles/p-1.0.0.ivr"] {
            assert!(is_file(path), "{path}");
        }
        for version in ["1.2.0", "passport@1.2.0", "3f2a9cd01122"] {
            assert!(!is_file(version), "{version}");
        }
    }
}
