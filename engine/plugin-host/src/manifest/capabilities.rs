//! The capabilities and their parameters, as the manifest and the admin's approval write them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A right that is granted one by one. Its name is the interface's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "each is the interface of its name")]
pub enum Capability {
    Recording,
    Transfer,
    Queues,
    Directory,
    Promises,
    Storage,
    Fetch,
    Secrets,
    SecretsReveal,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Recording,
        Self::Transfer,
        Self::Queues,
        Self::Directory,
        Self::Promises,
        Self::Storage,
        Self::Fetch,
        Self::Secrets,
        Self::SecretsReveal,
    ];

    /// The interface's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Transfer => "transfer",
            Self::Queues => "queues",
            Self::Directory => "directory",
            Self::Promises => "promises",
            Self::Storage => "storage",
            Self::Fetch => "fetch",
            Self::Secrets => "secrets",
            Self::SecretsReveal => "secrets-reveal",
        }
    }

    /// Whether the one module of all menus imports it, whichever of it a menu uses. For a menu it is linked without a
    /// grant, and answers `denied` then.
    #[must_use]
    pub const fn is_of_every_menu(self) -> bool {
        match self {
            Self::Recording | Self::Transfer | Self::Queues | Self::Directory | Self::Promises => true,
            Self::Storage | Self::Fetch | Self::Secrets | Self::SecretsReveal => false,
        }
    }

    /// By the interface's name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == name)
    }
}

/// The capabilities that a manifest declares, or that an admin approves.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the interface of its name")]
pub struct Capabilities {
    pub recording: Option<RecordingRights>,
    pub transfer: Option<TransferRights>,
    pub queues: Option<QueueRights>,
    pub directory: Option<NoParameters>,
    pub promises: Option<PromiseRights>,
    pub storage: Option<StorageRights>,
    pub fetch: Option<FetchRights>,
    pub secrets: Option<SecretRights>,
}

/// Of a capability that is granted whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

/// What may be recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingRights {
    /// Recordings are kept no longer, whatever the script asks for.
    #[serde(default = "RecordingRights::retention_days_default")]
    pub retention_days_max: u16,
    /// Nothing is recorded unless the caller was asked first and said yes.
    #[serde(default)]
    pub consent_required: bool,
}

impl Default for RecordingRights {
    fn default() -> Self {
        Self { retention_days_max: Self::retention_days_default(), consent_required: false }
    }
}

impl RecordingRights {
    const fn retention_days_default() -> u16 {
        30
    }
}

/// To whom a caller may be handed. A list that is missing or empty allows nobody.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransferRights {
    /// Groups of operators by name.
    pub groups: Vec<String>,
    /// Operators by name.
    pub operators: Vec<String>,
    /// Extensions of the centre.
    pub extensions: Vec<String>,
    /// What a number must begin with, "+7495".
    pub numbers: Vec<String>,
    /// Other entries of the agency.
    pub scripts: Vec<String>,
    /// Ways to hand over.
    pub modes: Vec<TransferModeName>,
}

/// The WIT's `transfer-mode`, as TOML writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum TransferModeName {
    Blind,
    Attended,
    Bridge,
}

impl TransferModeName {
    /// As TOML writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Attended => "attended",
            Self::Bridge => "bridge",
        }
    }
}

/// In which queues a script may let callers wait. A list that is missing or empty allows none.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueRights {
    /// By name.
    pub names: Vec<String>,
}

/// What a script may promise. A list that is missing or empty allows nothing of its kind.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PromiseRights {
    /// Queues whose operators call back.
    pub callback_queues: Vec<String>,
    /// Agencies that tickets may be addressed to.
    pub ticket_agencies: Vec<String>,
    /// Surveys, by name.
    pub surveys: Vec<String>,
    /// What a number must begin with that the script has called back, "+7": also one that it converts a wait to.
    pub dialable: Vec<String>,
}

/// Which buckets.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StorageRights {
    /// By name.
    pub buckets: Vec<String>,
}

/// Where HTTP may go.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FetchRights {
    /// Scheme, host and port, `https://api.example.org`; or `config:KEY`, the origin that the script's configuration
    /// has under that key.
    pub origins: Vec<String>,
}

/// An origin that begins so is in the script's configuration.
pub(crate) const FROM_CONFIG: &str = "config:";

/// Which secrets.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SecretRights {
    /// By name.
    pub names: Vec<String>,
    /// Whether the script may read their text, not only hand them to `fetch`.
    #[serde(default)]
    pub reveal: bool,
}

/// Field, fault, remedy.
type Fault = (&'static str, String, &'static str);

const PARAMETERS_MAX: usize = 256;
const PARAMETER_CHARS_MAX: usize = 256;

impl Capabilities {
    /// Whether it is here at all.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::Recording => self.recording.is_some(),
            Capability::Transfer => self.transfer.is_some(),
            Capability::Queues => self.queues.is_some(),
            Capability::Directory => self.directory.is_some(),
            Capability::Promises => self.promises.is_some(),
            Capability::Storage => self.storage.is_some(),
            Capability::Fetch => self.fetch.is_some(),
            Capability::Secrets => self.secrets.is_some(),
            Capability::SecretsReveal => self.secrets.as_ref().is_some_and(|secrets| secrets.reveal),
        }
    }

    /// What the types do not say.
    pub(super) fn check(&self) -> Result<(), Fault> {
        for (field, list) in self.lists() {
            let well_formed = |name: &String| {
                (1..=PARAMETER_CHARS_MAX).contains(&name.len())
                    && name.bytes().all(|b| b.is_ascii_graphic())
                    && !name.contains('/')
            };
            if list.len() > PARAMETERS_MAX {
                return Err((field, "has a list that is too long".into(), "At most 256 parameters a list"));
            }
            if let Some(name) = list.iter().find(|name| !well_formed(name)) {
                let why = format!("names {name:?}, which is not a name");
                return Err((field, why, "Use visible ASCII characters without /, at most 256"));
            }
        }
        let of_transfer = self.transfer.iter().flat_map(|rights| &rights.numbers).map(|prefix| ("transfer", prefix));
        let of_promises = self.promises.iter().flat_map(|rights| &rights.dialable).map(|prefix| ("promises", prefix));
        for (field, prefix) in of_transfer.chain(of_promises) {
            let digits =
                prefix.strip_prefix('+').filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
            if digits.is_none() {
                let why = format!("has the number prefix {prefix:?}");
                return Err((field, why, "Write + and the first digits of E.164, such as \"+7495\""));
            }
        }
        let origins = self.fetch.as_ref().map(|fetch| fetch.origins.as_slice()).unwrap_or_default();
        match origins.iter().find(|origin| !is_origin(origin) && !is_key_of_config(origin)) {
            Some(origin) => {
                let why = format!("has the origin {origin:?}");
                Err((
                    "fetch",
                    why,
                    "Write scheme, host and port only, without a slash at the end: \"https://api.example.org\", or config:KEY",
                ))
            }
            None if origins.len() > PARAMETERS_MAX => Err(("fetch", "has too many origins".into(), "At most 256")),
            None => Ok(()),
        }
    }

    /// With the origins that stand in `config` in the place of their keys.
    pub(crate) fn with_origins_of(&self, config: &BTreeMap<String, String>) -> Result<Self, UnknownOrigin> {
        let mut resolved = self.clone();
        for origin in resolved.fetch.iter_mut().flat_map(|fetch| &mut fetch.origins) {
            let Some(key) = origin.strip_prefix(FROM_CONFIG) else { continue };
            match config.get(key) {
                Some(value) if is_origin(value) => *origin = value.clone(),
                found => return Err(UnknownOrigin { key: key.to_owned(), found: found.cloned() }),
            }
        }
        Ok(resolved)
    }

    /// The origins that are declared by their keys and stand in `config`.
    pub(crate) fn origins_set_in(&self, config: &BTreeMap<String, String>) -> Vec<String> {
        let origins = self.fetch.iter().flat_map(|fetch| &fetch.origins);
        origins.filter_map(|origin| config.get(origin.strip_prefix(FROM_CONFIG)?)).cloned().collect()
    }

    fn lists(&self) -> Vec<(&'static str, &Vec<String>)> {
        let mut lists = Vec::new();
        if let Some(transfer) = &self.transfer {
            lists.extend(
                [&transfer.groups, &transfer.operators, &transfer.extensions, &transfer.numbers, &transfer.scripts]
                    .map(|list| ("transfer", list)),
            );
        }
        lists.extend(self.queues.iter().map(|rights| ("queues", &rights.names)));
        if let Some(promises) = &self.promises {
            lists.extend(
                [&promises.callback_queues, &promises.ticket_agencies, &promises.surveys, &promises.dialable]
                    .map(|list| ("promises", list)),
            );
        }
        lists.extend(self.storage.iter().map(|rights| ("storage", &rights.buckets)));
        lists.extend(self.secrets.iter().map(|rights| ("secrets", &rights.names)));
        lists
    }
}

/// A `config:KEY` for which the configuration has no origin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct UnknownOrigin {
    pub(crate) key: String,
    pub(crate) found: Option<String>,
}

fn is_key_of_config(text: &str) -> bool {
    let key = text.strip_prefix(FROM_CONFIG).unwrap_or_default();
    (1..=PARAMETER_CHARS_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
}

/// An origin and nothing else: what URL parsing makes of it is what stands there.
fn is_origin(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && !text.contains('*') && url.origin().ascii_serialization() == text
    })
}
