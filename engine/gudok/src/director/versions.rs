//! Versions in the ledger, and their bundles in the store.

use super::refusal::{internal, of_store, refused};
use super::{Director, loading};
use gudok_admin::documents::{VersionDocument, kinds};
use gudok_admin::ports::EngineRefusal;
use gudok_core::deployment::VersionKey;
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_store::{BlobId, LedgerQuery};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

impl Director {
    /// What the ledger has of a version.
    pub(crate) async fn version(&self, id: &str) -> Result<VersionDocument, EngineRefusal> {
        let unknown = || {
            refused(
                "unknown-version",
                404,
                Some("version"),
                format!("no version {:?} is known", id.chars().take(80).collect::<String>()),
                "take the id from the list of versions, or upload the bundle first",
            )
        };
        if loading::key(id).is_none() {
            return Err(unknown());
        }
        self.document(kinds::VERSION, id).await?.ok_or_else(unknown)
    }

    /// A version's bundle.
    pub(crate) async fn bundle(&self, version: &VersionDocument) -> Result<Bundle, EngineRefusal> {
        let mut file = self.bundle_file(version).await?;
        let read = move || -> anyhow::Result<Bundle> {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(Bundle::from_upload(&bytes, &BundleLimits::default())?)
        };
        let read = self.loader.run(read).await.map_err(|error| internal("reading a bundle", error))?;
        read.map_err(|refusal| internal("reading a bundle that was taken in", refusal))
    }

    /// A version's bundle file, open at its beginning.
    pub(crate) async fn bundle_file(&self, version: &VersionDocument) -> Result<File, EngineRefusal> {
        let blob = BlobId::from_hex(&version.blob).map_err(|error| internal("reading a version", error))?;
        self.store.blob_open(blob).await.map_err(|error| of_store("reading a bundle", &error))
    }

    /// A version, loaded for an entry with these settings.
    pub(super) async fn load(
        &self,
        id: &str,
        version: &VersionDocument,
        settings: &Arc<loading::Settings>,
    ) -> Result<Arc<loading::Loaded>, EngineRefusal> {
        let bundle = self.bundle(version).await?;
        if loading::key(id) != Some(VersionKey(bundle.content_sha256)) {
            return Err(internal("reading a bundle", "it is another one than the version says"));
        }
        self.load_bundle(bundle, version.clone(), settings).await
    }

    /// The same, of a bundle that was read already.
    pub(super) async fn load_bundle(
        &self,
        bundle: Bundle,
        version: VersionDocument,
        settings: &Arc<loading::Settings>,
    ) -> Result<Arc<loading::Loaded>, EngineRefusal> {
        let (scripts, settings) = (Arc::clone(&self.scripts), Arc::clone(settings));
        let loaded = self.loader.run(move || loading::load(&scripts, &bundle, &version, &settings)).await;
        let loaded = loaded.map_err(|error| internal("loading a version", error))?;
        loaded.map_err(|error| {
            refused(
                "load-failed",
                422,
                Some("version"),
                format!("{error:#}"),
                "correct the bundle, the entry's config, or what the configuration file approves for it",
            )
        })
    }

    /// A document of the ledger. One that cannot be read is a fault.
    pub(super) async fn document<T: DeserializeOwned>(&self, kind: &str, id: &str) -> Result<Option<T>, EngineRefusal> {
        let found = self.store.ledger_get(kind, id, self.utc()).await;
        let found = found.map_err(|error| of_store("reading the ledger", &error))?;
        let read = |document: gudok_store::Document| serde_json::from_slice(&document.body);
        found.map(read).transpose().map_err(|error| internal("reading the ledger", format!("{kind}:{id}: {error}")))
    }

    /// All documents of a kind, with their ids and revisions. One that cannot be read is left out, and logged.
    pub(crate) async fn documents<T: DeserializeOwned>(
        &self,
        kind: &str,
    ) -> Result<Vec<(String, u64, T)>, EngineRefusal> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let query = LedgerQuery { kind: kind.to_owned(), after, ..LedgerQuery::default() };
            let page = self.store.ledger_list(query, self.utc()).await;
            let page = page.map_err(|error| of_store("reading the ledger", &error))?;
            for document in page.documents {
                match serde_json::from_slice(&document.body) {
                    Ok(body) => all.push((document.id, document.revision, body)),
                    Err(error) => {
                        tracing::error!(kind, id = document.id, %error, "a document of the ledger is damaged");
                    }
                }
            }
            match page.more_after {
                Some(more) => after = Some(more),
                None => return Ok(all),
            }
        }
    }
}
