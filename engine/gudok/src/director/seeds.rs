//! Bundles that the configuration file names: taken in as versions, and deployed where the file says something new.
//!
//! The file is the seed of an entry, not its master: once an admin has deployed something else there, that stands, until
//! the file names another bundle.

use super::Director;
use super::orders::{Brought, Forward, Plan, check_version, name, put};
use super::settings::file_settings;
use crate::config::{Config, EntryConfig};
use anyhow::Context;
use gudok_admin::documents::{VersionDocument, VersionState, kinds};
use gudok_admin::ports::{Actor, BundleReport, EngineRefusal};
use gudok_core::deployment::{Guard, NamedVersion, Share, VersionKey};
use gudok_core::routing::Routes;
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::gate::Approval;
use gudok_store::{AuditDraft, LedgerChange, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

/// Who puts a seed there.
pub(crate) const FILE: &str = "file";
/// Which bundle the file last deployed at an entry.
const SEED_KIND: &str = "seed";
/// Deployments of one commit.
const PLANS_MAX: usize = 16;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seed {
    hash: String,
}

/// A seed that says something new.
struct Sprout {
    entry: usize,
    id: String,
    brought: Brought,
    version: VersionDocument,
}

fn file() -> Actor {
    Actor { name: FILE.to_owned(), via: FILE }
}

impl Director {
    /// Takes in what the file names, and deploys what is new in it. Says what it deployed. `between` is done when all of it
    /// can be deployed and nothing is yet.
    ///
    /// # Errors
    /// The first bundle that is refused, or what `between` says: nothing of the file is deployed then.
    pub(crate) async fn seed(
        self: &Arc<Self>,
        config: &Arc<Config>,
        between: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<String>> {
        let mut sprouts = Vec::new();
        for (at, entry) in config.entries.iter().enumerate() {
            sprouts.extend(self.sprout(at, entry, &config.routes).await?);
        }
        between()?;
        let mut deployed = Vec::new();
        for some in sprouts.chunks(PLANS_MAX) {
            self.plant(config, some, &mut deployed).await?;
        }
        Ok(deployed)
    }

    /// Reads a seed, and loads it where it says something new.
    async fn sprout(&self, at: usize, entry: &EntryConfig, routes: &Routes) -> anyhow::Result<Option<Sprout>> {
        let path = entry.bundle.clone();
        let read = self.loader.run(move || read(&path)).await?;
        let (bytes, bundle) = read.with_context(|| format!("the bundle {}", entry.bundle.display()))?;
        let id = crate::hex::hex(&bundle.content_sha256);
        let slot = self.slot_or_new(&entry.agency, &entry.entry);
        let seed: Option<Seed> = self.document(SEED_KIND, &slot.id()).await.map_err(plain)?;
        let is_live = slot.seen().is_some();
        if is_live && seed.is_some_and(|seed| seed.hash == id) {
            return Ok(None);
        }
        let version = self.take_in(&bytes, &bundle, entry, &id).await?;
        check_version(&version, &entry.agency, &entry.entry)
            .and_then(|()| self.check_kind(&version, &entry.agency, &entry.entry, routes))
            .map_err(plain)
            .with_context(|| format!("{} at {}/{}", entry.bundle.display(), entry.agency, entry.entry))?;
        let settings = Arc::new(file_settings(entry));
        let key = VersionKey(bundle.content_sha256);
        let loaded = self
            .load_bundle(bundle, version.clone(), &settings)
            .await
            .map_err(plain)
            .with_context(|| format!("loading {}", entry.bundle.display()))?;
        let brought = Brought { key, name: name(&version, &file()), loaded, settings };
        Ok(Some(Sprout { entry: at, id, brought, version }))
    }

    /// Keeps a seed's bundle and writes its version down, where neither was done before.
    async fn take_in(
        &self,
        bytes: &[u8],
        bundle: &Bundle,
        entry: &EntryConfig,
        id: &str,
    ) -> anyhow::Result<VersionDocument> {
        if let Some(known) = self.document::<VersionDocument>(kinds::VERSION, id).await.map_err(plain)? {
            return Ok(known);
        }
        let state = if entry.approval == Approval::AsDeclared { VersionState::Approved } else { VersionState::Checked };
        let mut version = VersionDocument {
            facts: crate::check::facts(bundle, None, bytes.len() as u64),
            blob: String::new(),
            state,
            uploaded_ms: self.now().as_millis(),
            uploaded_by: FILE.to_owned(),
            approvals: Vec::new(),
            refused: None,
            report: BundleReport::default(),
            allow_downgrade: false,
        };
        let blob = match self.store.blob_put(bytes.to_vec()).await {
            Ok(blob) => blob,
            Err(error) if is_disk(&error) => {
                tracing::error!(%error, bundle = %entry.bundle.display(), "the bundle is served from its file, and not kept");
                return Ok(version);
            }
            Err(error) => return Err(error).context("keeping the bundle"),
        };
        version.blob = blob.to_hex();
        let change = LedgerChange {
            puts: vec![put(kinds::VERSION, id, &version).map_err(plain)?],
            audit: vec![AuditDraft {
                actor: FILE.to_owned(),
                via: FILE.to_owned(),
                action: "bundle.upload".to_owned(),
                object: format!("version:{id}"),
                agency: Some(version.facts.agency.clone()),
                details: json!({ "script": version.facts.script, "version": version.facts.version }),
            }],
            ..LedgerChange::default()
        };
        match self.store.ledger_commit(change, self.utc()).await {
            Ok(_) => Ok(version),
            Err(error) if is_disk(&error) => {
                tracing::error!(%error, "the version of the file is not written down");
                Ok(version)
            }
            Err(error) => Err(error).context("writing the version down"),
        }
    }

    /// Deploys seeds. On a disk that is too full to write it down they are live all the same.
    async fn plant(
        self: &Arc<Self>,
        config: &Arc<Config>,
        sprouts: &[Sprout],
        deployed: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let (mut plans, mut puts) = (Vec::new(), Vec::new());
        for sprout in sprouts {
            let entry = &config.entries[sprout.entry];
            let slot = self.slot_or_new(&entry.agency, &entry.entry);
            puts.push(put(SEED_KIND, &slot.id(), &Seed { hash: sprout.id.clone() }).map_err(plain)?);
            if slot.look(|live| live.machine.state().stable.version.key) == Some(sprout.brought.key) {
                continue;
            }
            let kept = Arc::clone(&slot.kept).lock_owned().await;
            let label = Arc::from(sprout.version.facts.version.as_str());
            let forward = Forward::Deploy {
                version: NamedVersion { key: sprout.brought.key, label },
                share: Share::ALL,
                guard: Guard::default(),
                drain: None,
            };
            deployed.push(format!(
                "{} runs {} {}",
                slot.id(),
                sprout.version.facts.script,
                sprout.version.facts.version
            ));
            plans.push(self.plan(slot, kept, forward, Some(sprout.brought.clone()), &file()).map_err(plain)?);
        }
        match self.go(plans, puts).await {
            Ok(()) => Ok(()),
            Err((refusal, plans)) if refusal.code == "disk-low" => {
                tracing::error!(problem = refusal.problem, "the file's scripts are live, and not written down");
                let take = |plan: Plan| {
                    let revision = plan.revision();
                    self.take(plan, revision)
                };
                plans.into_iter().try_for_each(take).map_err(plain)
            }
            Err((refusal, _)) => Err(plain(refusal)),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<(Vec<u8>, Bundle)> {
    let limits = BundleLimits { file_bytes_max: gudok_store::limits::BLOB_BYTES_MAX as u64, ..BundleLimits::default() };
    let bundle = Bundle::open(path, &limits)?;
    Ok((std::fs::read(path)?, bundle))
}

const fn is_disk(error: &StoreError) -> bool {
    matches!(error, StoreError::DiskLow { .. } | StoreError::DiskFull { .. })
}

#[expect(clippy::needless_pass_by_value, reason = "the end of a map_err")]
fn plain(refusal: EngineRefusal) -> anyhow::Error {
    anyhow::anyhow!("{}; {}", refusal.problem, refusal.remedy)
}
