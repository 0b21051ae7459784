//! The real binary with real clients: what the tests that do so share.
//!
//! [`Engine`] starts `gudok serve` on free ports with a configuration of its own and tells where it listens;
//! [`SampleBackend`] is an agency's back end with its faults on request; [`http`] asks a server on loopback;
//! [`Api`] is the admins' way in; [`author`] makes, signs and spoils versions of scripts; [`Desk`] is an engine with one
//! script and its author; [`bundles`] makes bundles out of the sample agencies'; [`parties`] are callers and operators;
//! [`centre`] is the whole sample centre; [`clients`] are other people's SIP clients; [`load`] is many callers a second;
//! [`farm`] is a town of telephones to be called; [`campaigns`] is who has them called; [`guide`] reads the snippets of `docs/`,
//! and [`home`] is where an author works.
//! Nothing here waits by sleeping: a start is over when the program says so.
#![forbid(unsafe_code)]

pub mod api;
pub mod author;
pub mod bundles;
pub mod campaigns;
pub mod centre;
pub mod clients;
pub mod config;
pub mod desk;
mod engine;
pub mod farm;
pub mod guide;
pub mod home;
pub mod http;
pub mod load;
pub mod parties;

pub use api::Api;
pub use author::{Author, Draft};
pub use campaigns::Campaign;
pub use config::{ConfigBuilder, Operator};
pub use desk::Desk;
pub use engine::{Engine, SampleBackend};
pub use farm::Farm;

use std::path::PathBuf;

/// The checkout's root.
#[must_use]
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.join("../..").canonicalize().unwrap_or(here)
}

/// A sample agency's bundle by its name.
///
/// # Errors
/// Where it was not built; says which command builds it.
pub fn bundle(name: &str) -> anyhow::Result<PathBuf> {
    let folder = root().join("plugins/target/bundles");
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map_err(|error| anyhow::anyhow!("{}: {error}; run scripts/build-plugins first", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let file = path.file_name().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
            let version = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
            version
                .is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()) && version.ends_with(".ivr"))
        })
        .collect();
    found.sort();
    found.pop().ok_or_else(|| anyhow::anyhow!("no bundle {name} in {}; run scripts/build-plugins", folder.display()))
}

/// A program of this workspace, built beside the test that asks.
///
/// # Errors
/// Where it was not built; says which command builds it.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(std::path::Path::parent).unwrap_or(&test);
    let path = folder.join(name);
    anyhow::ensure!(path.is_file(), "{} is not built; run cargo build --workspace first", path.display());
    Ok(path)
}
