//! What an author works at: a project's folder, or a bundle that is built already.

use anyhow::Context;
use gudok_plugin_host::bundle::Bundle;
use gudok_workbench::build::{OnScreen, check_menu};
use gudok_workbench::local;
use gudok_workbench::project::Project;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Below a project's folder, or the cache: where engines are that `gudok up` has started.
const ENGINES: &str = "up";
/// Of a path's hash, so much is enough to tell bundles apart.
const FOLDER_BYTES: usize = 8;

/// A project or a bundle.
#[derive(Clone, Debug)]
pub(super) struct Source {
    path: PathBuf,
    kind: SourceKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceKind {
    Project,
    Bundle,
}

/// A bundle that may be put live.
#[derive(Debug)]
pub(super) struct Built {
    /// Where it is.
    pub(super) path: PathBuf,
    pub(super) bundle: Bundle,
}

impl Source {
    /// What is there. Below a project's folder, it is the project.
    ///
    /// # Errors
    /// Where there is nothing, or nothing that an author works at.
    pub(super) fn at(path: &Path) -> anyhow::Result<Self> {
        let full = std::fs::canonicalize(path)
            .with_context(|| format!("{}: name a project's folder or a bundle's file", path.display()))?;
        if full.is_dir() {
            return Ok(Self { path: Project::open(&full)?.folder, kind: SourceKind::Project });
        }
        Ok(Self { path: full, kind: SourceKind::Bundle })
    }

    /// The folder or file itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a folder with sources.
    pub(super) fn is_project(&self) -> bool {
        self.kind == SourceKind::Project
    }

    /// Its bundle as it is now; a project is built.
    ///
    /// # Errors
    /// What the compiler or the packer says.
    pub(super) fn build(&self) -> anyhow::Result<Built> {
        match self.kind {
            SourceKind::Bundle => Ok(Built { path: self.path.clone(), bundle: local::read_bundle(&self.path)? }),
            SourceKind::Project => {
                // Read anew: the manifest may be what has changed.
                let built = Project::open(&self.path)?.build(&mut OnScreen::new())?;
                Ok(Built { path: built.path, bundle: built.bundle })
            }
        }
    }

    /// What a menu as data in a project's bundle says of itself when it is called. An engine takes a faulty one, and its callers
    /// hear an apology: only a log would tell the author why.
    ///
    /// # Errors
    /// What is wrong with the menu, and in which line.
    pub(super) fn check_menu(&self, built: &Built) -> anyhow::Result<()> {
        if self.is_project() {
            check_menu(&Project::open(&self.path)?, &built.bundle)?;
        }
        Ok(())
    }

    /// Where the engines are that serve it: each in a folder of its own.
    ///
    /// # Errors
    /// Where there is no cache folder.
    pub(super) fn engines(&self) -> anyhow::Result<PathBuf> {
        Ok(match self.kind {
            SourceKind::Project => self.path.join("target").join(ENGINES),
            SourceKind::Bundle => {
                let hash = Sha256::digest(self.path.as_os_str().as_encoded_bytes());
                local::cache_folder()?.join(ENGINES).join(crate::hex::hex(&hash[..FOLDER_BYTES]))
            }
        })
    }
}
