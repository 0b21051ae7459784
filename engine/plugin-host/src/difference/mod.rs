//! What changes when one bundle takes the place of another, in words that an admin can decide by.
//!
//! Nothing is run and nothing is believed: texts of a bundle are shown with their odd characters written out, and cut.

mod menu;
mod rights;
#[cfg(test)]
mod tests;

pub use rights::rights;

use crate::bundle::{Bundle, hex};
use crate::manifest::{Limits, Manifest};
use crate::text::shown;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What became of one thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another, and neither more nor less.
    Changed,
    /// It allows more. Where it allows more here and less there, too.
    Widened,
    /// It allows less.
    Narrowed,
}

impl Change {
    /// As the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
        }
    }
}

/// One thing that changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    /// Its place: "transfer.numbers", "nodes.main.choices.9", "ru-RU/welcome".
    pub name: String,
    /// What became of it.
    pub change: Change,
    /// What it was, to be read by people.
    pub from: Option<String>,
    /// What it is.
    pub to: Option<String>,
}

impl Changed {
    /// None where nothing changed.
    fn between(name: &str, from: Option<String>, to: Option<String>) -> Option<Self> {
        let change = match (&from, &to) {
            (None, Some(_)) => Change::Added,
            (Some(_), None) => Change::Removed,
            (Some(from), Some(to)) if from != to => Change::Changed,
            _ => return None,
        };
        Some(Self { name: name.to_owned(), change, from, to })
    }
}

/// All that changes between two bundles.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    /// Version, kind, interface, languages and the component itself.
    pub general: Vec<Changed>,
    /// Rights: capabilities by name, their parameters as "transfer.numbers".
    pub capabilities: Vec<Changed>,
    /// What it asks for, before the host's caps.
    pub limits: Vec<Changed>,
    /// The menu's nodes, by their place in data/menu.toml.
    pub menus: Vec<Changed>,
    /// Recordings as "ru-RU/welcome".
    pub media: Vec<Changed>,
    /// Other files under data/.
    pub data: Vec<Changed>,
    /// At which entries it may be active, and which numbers it may dial.
    pub numbers: Vec<Changed>,
    /// Defaults of its configuration.
    pub config: Vec<Changed>,
    /// Whether it may do more than before: what an admin has to approve.
    pub new_rights: bool,
}

/// What changes when `new` takes the place of `old`, or comes where nothing was.
#[must_use]
pub fn between(old: Option<&Bundle>, new: &Bundle) -> Difference {
    let before = old.map(|old| &old.manifest);
    let capabilities = rights(before, &new.manifest);
    let numbers = capabilities.iter().filter(|changed| changed.name == "transfer.numbers").cloned();
    Difference {
        general: general(old, new),
        new_rights: capabilities.iter().any(|changed| matches!(changed.change, Change::Added | Change::Widened)),
        limits: limits(before, &new.manifest),
        menus: menu::changes(old, new),
        media: files(old.map(media), &media(new)),
        data: files(old.map(data), &data(new)),
        numbers: entries(before, &new.manifest).into_iter().chain(numbers).collect(),
        config: config(before, &new.manifest),
        capabilities,
    }
}

fn general(old: Option<&Bundle>, new: &Bundle) -> Vec<Changed> {
    type Field = (&'static str, fn(&Bundle) -> String);
    const FIELDS: [Field; 5] = [
        ("version", |bundle| bundle.manifest.version.to_string()),
        ("kind", |bundle| bundle.manifest.kind.as_str().to_owned()),
        ("interface", |bundle| bundle.manifest.interface.clone()),
        ("languages", |bundle| bundle.manifest.languages.join(", ")),
        ("script.wasm", |bundle| file_text(&bundle.component)),
    ];
    let changed = |(name, text): Field| Changed::between(name, old.map(text), Some(text(new)));
    FIELDS.into_iter().filter_map(changed).collect()
}

/// A limit of a script for which nothing was before is what it asks for; all others it has by default.
fn limits(old: Option<&Manifest>, new: &Manifest) -> Vec<Changed> {
    // Without the host's caps: what is asked for.
    let asked = |manifest: &Manifest| Limits::of(&manifest.limits, &Limits::uncapped());
    let before = old.map_or_else(Limits::default, asked).rows();
    let changed = |((name, was), (_, is)): ((&str, u64), (&str, u64))| {
        let change = match is.cmp(&was) {
            std::cmp::Ordering::Greater => Change::Widened,
            std::cmp::Ordering::Less => Change::Narrowed,
            std::cmp::Ordering::Equal => return None,
        };
        Some(Changed { name: name.to_owned(), change, from: Some(was.to_string()), to: Some(is.to_string()) })
    };
    before.into_iter().zip(asked(new).rows()).filter_map(changed).collect()
}

fn entries(old: Option<&Manifest>, new: &Manifest) -> Option<Changed> {
    let text = |manifest: &Manifest| match manifest.entries.as_slice() {
        [] => "any".to_owned(),
        names => sorted(names).join(", "),
    };
    Changed::between("entries", old.map(text), Some(text(new)))
}

fn config(old: Option<&Manifest>, new: &Manifest) -> Vec<Changed> {
    let empty = BTreeMap::new();
    let (before, after) = (old.map_or(&empty, |old| &old.config), &new.config);
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let text = |values: &BTreeMap<String, String>, key: &String| values.get(key).map(|value| shown(value));
    keys.into_iter().filter_map(|key| Changed::between(&shown(key), text(before, key), text(after, key))).collect()
}

type Files = BTreeMap<String, String>;

fn media(bundle: &Bundle) -> Files {
    let text = |media: &crate::bundle::Media| format!("{}, {}", media.ending, file_text(&media.bytes));
    bundle.media.iter().map(|(name, media)| (format!("{}/{}", name.lang, name.name), text(media))).collect()
}

/// The menu is told node by node, not as a file.
fn data(bundle: &Bundle) -> Files {
    let other = bundle.data.iter().filter(|(name, _)| !menu::is_menu(name));
    other.map(|(name, bytes)| (name.clone(), file_text(bytes))).collect()
}

fn files(old: Option<Files>, new: &Files) -> Vec<Changed> {
    let old = old.unwrap_or_default();
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = |name: &String| Changed::between(name, old.get(name).cloned(), new.get(name).cloned());
    names.into_iter().filter_map(changed).collect()
}

/// A file for people: how large, and enough of its hash to tell it from another.
fn file_text(bytes: &[u8]) -> String {
    const HASH_BYTES_SHOWN: usize = 8;
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    format!("{} KiB, sha256 {}…", bytes.len().div_ceil(1024), hex(&hash[..HASH_BYTES_SHOWN]))
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}
