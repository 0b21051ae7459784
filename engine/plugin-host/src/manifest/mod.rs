//! The manifest: what a bundle says of itself, and what it asks for. docs/BUNDLE.md is the reference for authors.

mod capabilities;
mod limits;

pub use capabilities::{
    Capabilities, Capability, FetchRights, NoParameters, PromiseRights, QueueRights, RecordingRights, SecretRights,
    StorageRights, TransferModeName, TransferRights,
};
pub(crate) use capabilities::{FROM_CONFIG, UnknownOrigin};
pub use limits::{LimitWishes, Limits};

use crate::bundle::BundleRefusal;
use crate::text::shown;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The manifest format that this host reads.
pub const FORMAT: u32 = 1;
/// The interface that this host speaks, as manifests write it.
pub const INTERFACE: &str = "0.1";

/// What a script is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Answers calls, by code of its own.
    Service,
    /// Answers calls, by a tree in its data.
    Menu,
    /// Is told whom to call.
    Campaign,
}

impl Kind {
    /// As the manifest writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Menu => "menu",
            Self::Campaign => "campaign",
        }
    }
}

/// A bundle's manifest.toml.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of the manifest: 1.
    pub format: u32,
    /// Of the script: a-z, 0-9 and -, beginning with a letter.
    pub name: String,
    /// Of the script.
    pub version: semver::Version,
    /// What it is for.
    pub kind: Kind,
    /// Of `gudok:ivr`, "0.1".
    pub interface: String,
    /// Whose it is.
    pub agency: String,
    /// Language tags, the first one is the default.
    pub languages: Vec<String>,
    /// Under which entries it may be active; empty for any.
    #[serde(default)]
    pub entries: Vec<String>,
    /// Recordings that it cannot do without, besides those that are in the bundle.
    #[serde(default)]
    pub media: Vec<String>,
    /// What it asks for.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// How much it asks for.
    #[serde(default)]
    pub limits: LimitWishes,
    /// Its configuration where the host's says nothing.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
}

const NAME_CHARS_MAX: usize = 64;
const LIST_LEN_MAX: usize = 256;
const CONFIG_KEYS_MAX: usize = 256;
const CONFIG_VALUE_CHARS_MAX: usize = 4096;

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`BundleRefusal::Manifest`], which names line, field and remedy.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleRefusal> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            refusal(Some(line), "", "is not UTF-8", "Save it as UTF-8")
        })?;
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line =
                error.span().and_then(|span| text.get(..span.start)).map(|before| 1 + before.matches('\n').count());
            let why = shown(&error.message().replace('\n', ", "));
            refusal(line, "", &why, "docs/BUNDLE.md has every field")
        })?;
        manifest.check(text)?;
        Ok(manifest)
    }

    /// What the bundle's file is called.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}.ivr", self.name, self.version)
    }

    /// What the types do not say.
    fn check(&self, text: &str) -> Result<(), BundleRefusal> {
        let fail = |field: &str, why: &str, remedy: &str| {
            Err(refusal(line_of(text, field), &format!("{field} "), why, remedy))
        };
        if self.format != FORMAT {
            return fail("format", &format!("is {}", self.format), "This host reads format = 1");
        }
        if self.interface != INTERFACE {
            let why = format!("is \"{}\"", shown(&self.interface));
            return fail("interface", &why, "This host speaks interface = \"0.1\": build against wit/v0.1.0");
        }
        for (field, name) in [("name", &self.name), ("agency", &self.agency)] {
            if !is_name(name) {
                return fail(
                    field,
                    "is not a name",
                    "Use a-z, 0-9 and -, beginning with a letter, at most 64 characters",
                );
            }
        }
        if self.languages.is_empty() {
            return fail("languages", "is empty", "Name at least one, such as [\"ru-RU\"]");
        }
        for lang in &self.languages {
            if !is_language(lang) {
                return fail(
                    "languages",
                    "has something that is not a language tag",
                    "Write them like \"ru-RU\" (BCP 47)",
                );
            }
        }
        for (field, list) in [("languages", &self.languages), ("entries", &self.entries), ("media", &self.media)] {
            if list.len() > LIST_LEN_MAX {
                return fail(field, "is too long", "At most 256");
            }
        }
        if !self.entries.iter().all(|entry| is_name(entry)) {
            return fail("entries", "has something that is not a name", "Use a-z, 0-9 and -, beginning with a letter");
        }
        if self.config.len() > CONFIG_KEYS_MAX || self.config.values().any(|value| value.len() > CONFIG_VALUE_CHARS_MAX)
        {
            return fail("config", "is too large", "At most 256 keys of 4096 bytes; put more under data/");
        }
        if let Err((field, why, remedy)) = self.capabilities.check() {
            return fail(field, &why, remedy);
        }
        Ok(())
    }
}

/// Names of scripts, agencies and entries: safe in file names, URLs and metrics.
fn is_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= NAME_CHARS_MAX && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(legal)
}

/// The shape of a language tag: parts of 1 to 8 letters and digits, the first one of 2 or 3 letters.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The line on which a field is set, for messages.
fn line_of(text: &str, field: &str) -> Option<usize> {
    let name = field.rsplit('.').next().unwrap_or(field);
    let sets = |line: &str| line.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='));
    text.lines().position(sets).map(|index| index + 1)
}

fn refusal(line: Option<usize>, field: &str, why: &str, remedy: &str) -> BundleRefusal {
    BundleRefusal::Manifest { line, field: field.to_owned(), why: why.to_owned(), remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
format = 1
name = "passport"
version = "1.2.0"
kind = "service"
interface = "0.1"
agency = "mvd"
languages = ["ru-RU"]

[capabilities]
storage = { buckets = ["attempts"] }
fetch = { origins = ["https://api.example.org"] }
transfer = { groups = ["operators"], numbers = ["+7495"], modes = ["blind", "bridge"] }

[limits]
memory_mib = 8

[config]
office = "1"
"#;

    #[test]
    fn a_manifest_says_who_it_is() {
        let manifest = Manifest::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(manifest.file_name(), "passport-1.2.0.ivr");
        assert_eq!(manifest.kind, Kind::Service);
        assert_eq!(manifest.limits.memory_mib, Some(8));
        assert_eq!(manifest.capabilities.storage.unwrap().buckets, ["attempts"]);
    }

    #[test]
    fn an_error_names_line_field_and_remedy() {
        let check = |from: &str, to: &str, line: usize, says: &str| {
            assert!(GOOD.contains(from), "{from}");
            let refusal = Manifest::parse(GOOD.replace(from, to).as_bytes()).unwrap_err();
            let BundleRefusal::Manifest { line: found, ref remedy, .. } = refusal else { panic!("{refusal:?}") };
            let text = refusal.to_string();
            assert_eq!(found, Some(line), "{text}");
            assert!(text.contains(says), "{text}");
            assert!(!remedy.is_empty());
        };
        check("format = 1", "format = 2", 2, "format");
        check("\"passport\"", "\"../etc\"", 3, "name");
        check("1.2.0", "one", 4, "");
        check("\"service\"", "\"virus\"", 5, "virus");
        check("\"0.1\"", "\"9.9\"", 6, "interface");
        check("\"mvd\"", "\"МВД\"", 7, "agency");
        check("[\"ru-RU\"]", "[]", 8, "languages");
        check("[\"ru-RU\"]", "[\"../..\"]", 8, "languages");
        check("storage =", "wiretap =", 11, "wiretap");
        check("buckets", "baskets", 11, "baskets");
        check("[\"attempts\"]", "[\"a/b\"]", 11, "storage");
        check("https://api.example.org", "https://api.example.org/path", 12, "fetch");
        check("https://api.example.org", "ftp://api.example.org", 12, "fetch");
        check("https://api.example.org", "https://user@api.example.org", 12, "fetch");
        check("https://api.example.org", "https://*.example.org", 12, "fetch");
        check("https://api.example.org", "config:", 12, "fetch");
        check("https://api.example.org", "config:back end", 12, "fetch");
        check("\"+7495\"", "\"7495\"", 13, "transfer");
        check("\"bridge\"", "\"teleport\"", 13, "teleport");
        check("memory_mib = 8", "memory_mib = -8", 16, "");
        check("memory_mib = 8", "memory_pib = 8", 16, "memory_pib");
        check("office = \"1\"", "office = 1", 19, "");
    }
}
