//! An engine with one script that says which version it is, and its author: where most tests of deployments begin.

use crate::{Api, Author, ConfigBuilder, Draft, Engine};
use anyhow::Context;
use gudok_phone::{Call, CallOptions, Phone};
use serde_json::Value;
use tempfile::TempDir;

/// Where the script is.
pub const PLACE: &str = "probe/tell";
/// Its agency.
pub const AGENCY: &str = "probe";
/// Leads to it.
pub const NUMBER: &str = "100";

/// The engine, its admin and an author whose key the admin knows. Version 1 is live, from the configuration's file.
#[derive(Debug)]
pub struct Desk {
    /// The engine.
    pub engine: Engine,
    /// The admin.
    pub api: Api,
    /// The author.
    pub author: Author,
    folder: TempDir,
}

impl Desk {
    /// Opens it; `moment` is where the engine's clock begins.
    ///
    /// # Errors
    /// Where the engine does not come up.
    pub async fn open(moment: Option<&str>) -> anyhow::Result<Self> {
        Self::open_with(moment, |config| config).await
    }

    /// Opens it with more in the configuration.
    ///
    /// # Errors
    /// Where the engine does not come up.
    pub async fn open_with(
        moment: Option<&str>,
        more: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let first = folder.path().join("probe-1.0.1.ivr");
        std::fs::write(&first, draft(1)?.unsigned()?)?;
        let config = ConfigBuilder::new().script(AGENCY, "tell", first, "approve = \"as-declared\"");
        let engine = Engine::start_at(&more(config.number(NUMBER, AGENCY, "tell")), moment).await?;
        let (api, author) = (engine.api()?, Author::of(AGENCY)?);
        api.add_key(AGENCY, author.public_key()).await?;
        Ok(Self { engine, api, author, folder })
    }

    /// A folder that lasts as long as the desk.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The signed bundle of a version.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn bundle(&self, version: u32) -> anyhow::Result<Vec<u8>> {
        self.author.bundle(&draft(version)?)
    }

    /// Hands a version in, and gives its id.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn publish(&self, version: u32) -> anyhow::Result<String> {
        self.api.publish(AGENCY, &self.bundle(version)?).await
    }

    /// Somebody calls, and hears which version they got.
    ///
    /// # Errors
    /// Where they do not hear it.
    pub async fn call(&self, phone: &Phone) -> anyhow::Result<(Call, u32)> {
        let microphone = gudok_phone::tone(&[600.0], VOICE_MS);
        let options = CallOptions { microphone, ..CallOptions::default() };
        let call = phone.call(&self.engine.uri(NUMBER), options).await?;
        let heard = call.heard("Версия", crate::parties::PATIENCE).await?;
        let number: String = heard.chars().filter(char::is_ascii_digit).collect();
        let version = number.parse().with_context(|| heard.clone())?;
        Ok((call, version))
    }
}

const VOICE_MS: u32 = 60_000;

/// A version: it says its number, waits for a key, and says it again.
///
/// # Errors
/// Where the probe was not built.
pub fn draft(version: u32) -> anyhow::Result<Draft> {
    let draft = Draft::of("probe")?.entry("tell")?.version(&format!("1.0.{version}"))?;
    Ok(draft.file("data/line.txt", format!("Версия {version}.")))
}

/// An entry of the audit without what differs between two engines, two moments and two ways in: the same deed is the same
/// entry, whether it was done by curl, by the command line or in the console.
#[must_use]
pub fn deed(entry: &Value) -> Value {
    let mut deed = entry.clone();
    if let Some(fields) = deed.as_object_mut() {
        for field in ["seq", "at", "at_ms", "prev", "hash", "via"] {
            fields.remove(field);
        }
    }
    deed
}

/// What was done to scripts here, as deeds, oldest first: uploads, approvals, deployments.
///
/// # Errors
/// Where the engine does not answer.
pub async fn deeds(api: &Api) -> anyhow::Result<Vec<Value>> {
    const OF_SCRIPTS: [&str; 6] = ["bundle.", "version.", "deploy", "canary", "release", "rollback"];
    let entries = api.audit().await?;
    let of_scripts = |entry: &&Value| {
        let action = entry["action"].as_str().unwrap_or_default();
        entry["actor"] != "file" && OF_SCRIPTS.iter().any(|kind| action.starts_with(kind))
    };
    Ok(entries.iter().filter(of_scripts).map(deed).collect())
}
