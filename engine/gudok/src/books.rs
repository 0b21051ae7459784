//! What the centre knows and what it owes: the directory, and promises.

use crate::clock::EngineClock;
use crate::config::Config;
use crate::director::Director;
use crate::directory::LiveDirectory;
use crate::keys::Subjects;
use crate::live::LiveCalls;
use crate::promises::{self, Promises};
use anyhow::Context;
use gudok_core::outbox::OutboxSettings;
use gudok_plugin_host::http::{HttpConfig, HttpFetch};
use gudok_store::Store;
use std::sync::Arc;

/// Requests of one agency's webhook at once; the outbox has fewer.
const WEBHOOK_REQUESTS_MAX: usize = 64;

/// Both of them.
#[derive(Clone)]
pub(crate) struct Books {
    pub(crate) directory: Arc<LiveDirectory>,
    pub(crate) promises: Arc<Promises>,
}

impl Books {
    /// Opens them; nothing is sent, and nothing is found, before [`Books::begin`].
    ///
    /// # Errors
    /// Where HTTP is not to be had.
    pub(crate) fn open(
        config: &Config,
        store: &Arc<dyn Store>,
        clock: &Arc<EngineClock>,
        live: &Arc<LiveCalls>,
        subjects: &Subjects,
    ) -> anyhow::Result<Self> {
        let (zone, lang) = (config.time_zone.clone(), Arc::clone(&config.lang));
        let http = HttpFetch::new(HttpConfig {
            allowed: config.fetch_allowed.clone(),
            concurrent_per_agency_max: WEBHOOK_REQUESTS_MAX,
            ..HttpConfig::default()
        });
        let promises = Promises::start(promises::Parts {
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            live: Arc::clone(live),
            subjects: subjects.clone(),
            plan: config.routes.plan.clone(),
            zone: zone.clone(),
            http: http.context("HTTP for webhooks")?,
            settings: OutboxSettings::default(),
        });
        let directory = LiveDirectory::new(Arc::clone(store), Arc::clone(clock), zone, lang);
        Ok(Self { directory, promises })
    }

    /// Reads the directory, and lets the outbox know where tickets go. Without a store both stay empty.
    pub(crate) async fn begin(&self, director: &Arc<Director>) {
        self.directory.attach(director);
        match self.directory.load().await {
            Ok(entries) => tracing::info!(entries, "the directory is read"),
            Err(error) => tracing::error!(%error, "the directory cannot be read: it answers nothing"),
        }
        tokio::spawn(Arc::clone(&self.promises).follow(Arc::clone(director)));
    }
}
