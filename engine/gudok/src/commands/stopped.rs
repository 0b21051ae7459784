//! The store of an engine that is stopped.

use crate::config;
use crate::keys::{NODE_KEY_FILE, NodeKey};
use anyhow::Context;
use gudok_store::{SledStore, StoreOptions};
use std::path::Path;

/// Whether the node's key must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// To check what it signed.
    Needed,
    /// To leave what it signed as it is.
    IfThere,
}

/// Opens the store of a configuration; `instead` says how a running engine is asked.
pub(crate) fn store(config: &Path, key: Key, instead: &str) -> anyhow::Result<SledStore> {
    let config = config::load(config).map_err(|error| anyhow::anyhow!("{:?}", miette::Report::new(error)))?;
    let mut options = StoreOptions::at(config.store.dir.join("records"));
    let node_key = NodeKey::read(&config.store.dir.join(NODE_KEY_FILE));
    options.audit_key = match key {
        Key::Needed => Some(node_key.context("the node's key, which signs the audit's head")?.audit()),
        Key::IfThere => node_key.ok().map(|key| key.audit()),
    };
    SledStore::open(options).with_context(|| format!("while the engine runs, ask it: {instead}"))
}
