//! What an entry's scripts are given: from the configuration file, or from the ledger with secrets by reference.

use super::Director;
use super::loading::Settings;
use super::refusal::refused;
use crate::config::{Config, EntryConfig};
use gudok_admin::documents::{AgencyDocument, EntryDocument, kinds};
use gudok_admin::ports::EngineRefusal;
use gudok_core::ids::{Agency, Entry};
use gudok_core::privacy::Secret;
use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

/// Of one secret's file.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

impl Director {
    /// What the scripts of an entry are given.
    ///
    /// # Errors
    /// Where the agency is not known, or a secret is not to be had.
    pub(super) async fn settings(&self, agency: &Agency, entry: &Entry) -> Result<Arc<Settings>, EngineRefusal> {
        let config = self.config();
        if let Some(found) = of_file(&config, agency, entry) {
            return Ok(Arc::new(file_settings(found)));
        }
        let in_file = config.facts.agencies.iter().any(|known| known.name == agency.as_str());
        let of_ledger: Option<AgencyDocument> = self.document(kinds::AGENCY, agency.as_str()).await?;
        if !in_file && of_ledger.is_none() {
            let problem = format!("no agency is called {:?}", agency.as_str());
            return Err(refused("not-found", 404, Some("agency"), problem, "make the agency first"));
        }
        let document: Option<EntryDocument> = self.document(kinds::ENTRY, &format!("{agency}/{entry}")).await?;
        let document = document.unwrap_or_default();
        Ok(Arc::new(Settings {
            approval: None,
            recording_consent: of_ledger.is_some_and(|agency| agency.recording_consent),
            secrets: secrets(&config, &document)?,
            config: document.config,
        }))
    }

    /// Every secret of every agency takes the place of those that scripts had: of the file, and of the ledger.
    pub(super) async fn merge_secrets(&self) -> Result<(), EngineRefusal> {
        let config = self.config();
        let mut all = BTreeMap::new();
        for (id, _, document) in self.documents::<EntryDocument>(kinds::ENTRY).await? {
            let Some((agency, entry)) = id.split_once('/') else { continue };
            match secrets(&config, &document) {
                Ok(found) => {
                    all.extend(found.into_iter().map(|(name, secret)| ((Agency::new(agency), name), secret)));
                }
                Err(refusal) => tracing::error!(agency, entry, problem = refusal.problem, "a secret is missing"),
            }
        }
        for entry in &config.entries {
            for (name, secret) in &entry.secrets {
                all.insert((entry.agency.clone(), name.clone()), secret.clone());
            }
        }
        self.scripts.take_secrets(all);
        Ok(())
    }
}

pub(super) fn of_file<'a>(config: &'a Config, agency: &Agency, entry: &Entry) -> Option<&'a EntryConfig> {
    config.entries.iter().find(|known| known.agency == *agency && known.entry == *entry)
}

pub(super) fn file_settings(entry: &EntryConfig) -> Settings {
    Settings {
        approval: Some(entry.approval.clone()),
        recording_consent: false,
        config: entry.config.clone(),
        secrets: entry.secrets.clone(),
    }
}

fn secrets(config: &Config, document: &EntryDocument) -> Result<BTreeMap<String, Secret>, EngineRefusal> {
    let read = |(name, reference): (&String, &String)| {
        let secret = secret(&config.admin.secrets_dir, reference).map_err(|problem| {
            refused(
                "load-failed",
                422,
                Some(&format!("secrets.{name}")),
                format!("the secret {name:?}: {problem}"),
                "write env:NAME of a variable of the engine, or file:NAME of a file in [admin] secrets_dir",
            )
        })?;
        Ok((name.clone(), secret))
    };
    document.secrets.iter().map(read).collect()
}

/// Reads what a reference names. Says nothing of what is in it.
pub(crate) fn secret(dir: &Path, reference: &str) -> Result<Secret, String> {
    let text = if let Some(name) = reference.strip_prefix("env:") {
        std::env::var(name).map_err(|_| format!("the engine has no variable {name:?}"))?
    } else if let Some(name) = reference.strip_prefix("file:") {
        read_inside(dir, name)?
    } else {
        return Err("it is neither env:NAME nor file:NAME".to_owned());
    };
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

/// An admin's file name reaches nothing outside the folder of secrets: not the node's key, not another program's files.
fn read_inside(dir: &Path, name: &str) -> Result<String, String> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_))) && !name.is_empty();
    if !plain {
        return Err(format!("{name:?} is no name below the folder of secrets"));
    }
    let unreadable = |error: std::io::Error| format!("{name:?} cannot be read: {}", error.kind());
    let (dir, path) = (dir.canonicalize().map_err(unreadable)?, dir.join(path).canonicalize().map_err(unreadable)?);
    if !path.starts_with(&dir) {
        return Err(format!("{name:?} leads out of the folder of secrets"));
    }
    if path.metadata().map_err(unreadable)?.len() > SECRET_BYTES_MAX {
        return Err(format!("{name:?} is larger than {SECRET_BYTES_MAX} bytes"));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_its_folder_and_from_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = dir.path().join("secrets");
        std::fs::create_dir(&secrets).unwrap();
        std::fs::write(secrets.join("back-end"), "hunter2\n").unwrap();
        std::fs::write(dir.path().join("node-key"), "hunter3").unwrap();
        std::os::unix::fs::symlink(dir.path().join("node-key"), secrets.join("way-out")).unwrap();
        assert_eq!(secret(&secrets, "file:back-end").unwrap().reveal(), "hunter2");
        let absolute = format!("file:{}", dir.path().join("node-key").display());
        for bad in ["file:../node-key", &absolute, "file:way-out", "file:", "file:none", "env:GUDOK_NO_SUCH", "plain"] {
            let refused = secret(&secrets, bad).unwrap_err();
            assert!(!refused.contains("hunter"), "{refused}");
        }
    }
}
