//! Journals of calls that nobody made: kept in a file by the simulator, and replayed without an engine.

use crate::local::LocalHost;
use anyhow::Context;
use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::journal::{CallJournal, Journal, Wants};
use gudok_plugin_host::replay::replay;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Of one journal.
const JOURNAL_BYTES_MAX: usize = 16 << 20;

/// Keeps the journal of a world's last script in a file. Give it to `World::journal`; what is wrong with the file is told
/// by [`JournalFile::written`].
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    written: Mutex<Option<std::io::Result<()>>>,
}

impl JournalFile {
    /// Into that file.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), written: Mutex::default() }
    }

    /// Whether a journal was written.
    ///
    /// # Errors
    /// Where the file could not be written, or no script has run.
    pub fn written(&self) -> anyhow::Result<()> {
        let written = self.written.lock().take().context("no script has run, so there is no journal")?;
        written.with_context(|| format!("writing {}", self.path.display()))
    }
}

impl Journal for JournalFile {
    fn wants(&self) -> Wants {
        Wants::Whole { bytes_max: JOURNAL_BYTES_MAX }
    }

    /// In clear: its callers are the author's own.
    fn keep(&self, journal: CallJournal) {
        *self.written.lock() = Some(std::fs::write(&self.path, journal.to_bytes()));
    }
}

/// A journal's host calls, masked, as the API gives them.
///
/// # Errors
/// Where the journal cannot be read.
pub fn steps(journal: &CallJournal) -> anyhow::Result<Vec<Value>> {
    journal.steps()?.iter().map(|step| Ok(serde_json::to_value(step)?)).collect()
}

/// Runs a journal's script again on a bundle; the report as the API gives it.
///
/// # Errors
/// Where the bundle cannot be loaded, or the journal cannot be read.
pub async fn replay_on(bundle: &Bundle, journal: &CallJournal) -> anyhow::Result<Value> {
    let host = LocalHost::open()?;
    let version = host.load(bundle, BTreeMap::new())?;
    Ok(serde_json::to_value(replay(&version, journal).await?)?)
}
