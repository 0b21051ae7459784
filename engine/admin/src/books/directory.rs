//! An entry of the directory as the ledger keeps it: kind `directory`, by its id.

use gudok_core::directory::{DirectoryEntry, EntryKind, OpeningHours};
use gudok_core::ids::Agency;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// An entry of the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectoryDocument {
    /// `office`, `service`, `document`, `term`, `official`, `appeal`, `faq`.
    pub kind: String,
    /// Whose.
    pub agency: String,
    /// For whom: a municipality's code; everywhere where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub municipality: Option<String>,
    /// Who answers for it.
    #[serde(default)]
    pub owner: String,
    /// In a few words; a question, for frequent ones.
    pub title: String,
    /// What is said in place of title, address, text and phone.
    #[serde(default)]
    pub spoken: String,
    /// The text.
    #[serde(default)]
    pub text: String,
    /// Of an office or an official.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Of an office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `mon-fri 09:00-18:00; sat 10:00-14:00; 2026-05-09 closed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// Anything else, by name.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// The texts' language, BCP 47.
    pub lang: String,
    /// From 1; grows with every change.
    pub version: u32,
    /// The day of the last change, `2026-05-05`.
    pub updated: String,
}

/// A document that is no entry: of another engine, or damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its {field} is not understood: {value:?}")]
pub struct BadEntry {
    /// Which field.
    pub field: &'static str,
    /// What it says.
    pub value: String,
}

impl From<&DirectoryEntry> for DirectoryDocument {
    fn from(entry: &DirectoryEntry) -> Self {
        let text = |text: &Option<Arc<str>>| text.as_ref().map(ToString::to_string);
        Self {
            kind: entry.kind.as_str().to_owned(),
            agency: entry.agency.as_str().to_owned(),
            municipality: text(&entry.municipality),
            owner: entry.owner.to_string(),
            title: entry.title.to_string(),
            spoken: entry.spoken.to_string(),
            text: entry.text.to_string(),
            phone: text(&entry.phone),
            address: text(&entry.address),
            hours: entry.hours.as_ref().map(ToString::to_string),
            fields: entry.fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            lang: entry.lang.to_string(),
            version: entry.version,
            updated: entry.updated.to_string(),
        }
    }
}

impl DirectoryDocument {
    /// The entry of that id.
    ///
    /// # Errors
    /// Where the document is none.
    pub fn entry(&self, id: &str) -> Result<DirectoryEntry, BadEntry> {
        let bad = |field, value: &str| BadEntry { field, value: value.to_owned() };
        let text = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(Arc::from);
        let hours = self.hours.as_deref().filter(|hours| !hours.is_empty());
        Ok(DirectoryEntry {
            id: id.into(),
            version: self.version,
            updated: self.updated.parse().map_err(|_| bad("updated", &self.updated))?,
            kind: EntryKind::parse(&self.kind).ok_or_else(|| bad("kind", &self.kind))?,
            agency: Agency::new(&self.agency),
            municipality: text(&self.municipality),
            owner: self.owner.as_str().into(),
            title: self.title.as_str().into(),
            spoken: self.spoken.as_str().into(),
            text: self.text.as_str().into(),
            phone: text(&self.phone),
            address: text(&self.address),
            hours: hours
                .map(|hours| OpeningHours::parse(hours).map_err(|error| bad("hours", &error.part)))
                .transpose()?,
            fields: self.fields.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect(),
            lang: self.lang.as_str().into(),
        })
    }
}
