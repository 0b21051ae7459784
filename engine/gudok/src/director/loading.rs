//! From a version's bundle to something that calls can run: with which settings, with which approval, by which limits.

use crate::scripts::Scripts;
use anyhow::Context;
use gudok_admin::documents::VersionDocument;
use gudok_core::deployment::VersionKey;
use gudok_core::privacy::Secret;
use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::gate::Approval;
use gudok_plugin_host::{Admission, Version};
use gudok_speech::{MediaLibrary, MediaLimits, MediaSource, SpeechError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A version that can take calls.
pub(crate) struct Loaded {
    pub(crate) version: Arc<Version>,
    /// Its recordings.
    pub(crate) media: Arc<dyn MediaSource>,
}

/// What an entry's scripts are given besides their bundle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Settings {
    /// What the file approves; none for an entry that the file does not have.
    pub(crate) approval: Option<Approval>,
    /// A script must ask the caller before it records.
    pub(crate) recording_consent: bool,
    /// Over the manifest's defaults.
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, Secret>,
}

impl Settings {
    /// What a version may do at this entry.
    ///
    /// What an admin approved through the API goes as it declares: that is what was approved. What nobody approved there
    /// came in because it asks for nothing new, or with the file: the file's word counts for it.
    fn approval(&self, version: &VersionDocument) -> Approval {
        let approved = !version.approvals.is_empty();
        match &self.approval {
            Some(approval) if !approved => approval.clone(),
            None if !approved && version.uploaded_by == super::seeds::FILE => Approval::Only(Box::default()),
            _ => Approval::AsDeclared,
        }
    }
}

/// Loads a version. Takes as long as compiling does where it was never compiled before: call it on a loader's thread.
///
/// # Errors
/// With what is wrong and what to do.
pub(super) fn load(
    scripts: &Scripts,
    bundle: &Bundle,
    version: &VersionDocument,
    settings: &Settings,
) -> anyhow::Result<Arc<Loaded>> {
    let name = format!("{} {}", bundle.manifest.name, bundle.manifest.version);
    let media = recordings(bundle).with_context(|| format!("the recordings of {name}"))?;
    let admission = Admission {
        approval: settings.approval(version),
        config: settings.config.clone(),
        consent_required: settings.recording_consent,
    };
    let version = scripts.load(bundle, &admission)?;
    Ok(Arc::new(Loaded { version, media: Arc::new(media) }))
}

/// A bundle's recordings, decoded.
///
/// # Errors
/// The first that is no sound, or too long.
pub(crate) fn recordings(bundle: &Bundle) -> Result<MediaLibrary, BadRecording> {
    let mut library = MediaLibrary::default();
    for (name, media) in &bundle.media {
        let path = format!("{}/{}.{}", name.lang, name.name, media.ending);
        let added = library.add(&path, media.bytes.to_vec(), &MediaLimits::default());
        added.map_err(|error| BadRecording { file: format!("media/{path}"), error })?;
    }
    Ok(library)
}

/// A recording of a bundle that cannot be played.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {error}")]
pub(crate) struct BadRecording {
    /// Its place in the bundle.
    pub(crate) file: String,
    /// What is wrong with it, and what to do.
    pub(crate) error: SpeechError,
}

/// A version's key, from its id in hexadecimal.
pub(super) fn key(id: &str) -> Option<VersionKey> {
    crate::hex::hash(id).map(VersionKey)
}
