//! The configuration file, read anew while calls run: by SIGHUP, or by an admin.

use crate::campaigns::Campaigns;
use crate::config::{self, changes};
use crate::director::{Director, internal};
use gudok_admin::ports::{Actor, EngineRefusal};
use gudok_plugin_host::ports::Clock;
use gudok_sip::SipEngine;
use gudok_store::{AuditDraft, LedgerChange, Store, UtcMs};
use std::path::PathBuf;
use std::sync::Arc;

/// Sections that are read at the start only.
const AT_THE_START: [&str; 8] = ["media", "speech", "http", "store", "scripts", "call", "prompts", "admin"];

/// Reads the file anew, one at a time.
pub(super) struct Reloading {
    path: PathBuf,
    director: Arc<Director>,
    sip: Arc<SipEngine>,
    campaigns: Campaigns,
    store: Arc<dyn Store>,
    clock: Arc<crate::clock::EngineClock>,
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl Reloading {
    pub(super) fn new(
        path: PathBuf,
        director: Arc<Director>,
        sip: Arc<SipEngine>,
        campaigns: Campaigns,
        store: Arc<dyn Store>,
        clock: Arc<crate::clock::EngineClock>,
    ) -> Self {
        Self { path, director, sip, campaigns, store, clock, one_at_a_time: tokio::sync::Mutex::default() }
    }

    /// Routes, trunks and settings anew; bundles that are others are deployed. What is wrong changes nothing.
    ///
    /// # Errors
    /// Every fault of the file; a bundle that is refused; listeners that need a restart.
    pub(super) async fn reload(&self, actor: Actor) -> Result<Vec<String>, EngineRefusal> {
        let _one_at_a_time = self.one_at_a_time.lock().await;
        let (path, before) = (self.path.clone(), self.director.config());
        let read = tokio::task::spawn_blocking(move || config::load(&path)).await;
        let read = read.map_err(|error| internal("reading the configuration", error))?;
        let config = Arc::new(read.map_err(|error| malformed(&error))?);
        let mut changed = changes(&before.effective, &config.effective);
        for change in &mut changed {
            if AT_THE_START.contains(&change.as_str()) {
                change.push_str(" (takes a restart)");
            }
        }
        let trunks = || {
            self.sip.reload(&self.director.sip_config(&config)).map_err(|error| {
                anyhow::anyhow!(
                    "the trunks were not reloaded: {error}; listeners are opened at the start: restart the engine"
                )
            })
        };
        let deployed = self.director.seed(&config, trunks).await.map_err(|error| EngineRefusal {
            code: "load-failed",
            status: 422,
            field: None,
            problem: format!("{error:#}"),
            remedy: "correct the configuration file or the bundle; what was in force stays in force".to_owned(),
            report: None,
        })?;
        changed.extend(deployed);
        let taken = self.director.take_config(Arc::clone(&config)).await;
        self.campaigns.configure(config.campaigns.clone());
        self.note(&actor, &changed, &config.facts.hash).await;
        taken?;
        tracing::info!(?changed, "configuration reloaded");
        Ok(changed)
    }

    async fn note(&self, actor: &Actor, changed: &[String], hash: &str) {
        let draft = AuditDraft {
            actor: actor.name.clone(),
            via: actor.via.to_owned(),
            action: "configuration.reload".to_owned(),
            object: "configuration".to_owned(),
            agency: None,
            details: serde_json::json!({ "changed": changed, "hash": hash }),
        };
        let change = LedgerChange { audit: vec![draft], urgent: true, ..LedgerChange::default() };
        let now = UtcMs(self.clock.now().as_millis());
        if let Err(error) = self.store.ledger_commit(change, now).await {
            tracing::error!(%error, "the audit has no entry of the reload");
        }
    }
}

/// A file that was refused, with every fault.
fn malformed(error: &config::ConfigError) -> EngineRefusal {
    let told = error.told();
    tracing::error!("the configuration was not reloaded: {}", told.join("; "));
    EngineRefusal {
        code: "configuration-refused",
        status: 422,
        field: told.first().and_then(|fault| fault.split_once(':')).map(|(place, _)| place.to_owned()),
        problem: told.join("\n"),
        remedy: "correct the file; `gudok check-config` shows each place".to_owned(),
        report: None,
    }
}
