//! The audit's chain: how an entry is hashed, and how a chain is checked.
//!
//! Each entry holds the hash of the entry before it, so that editing, deleting, inserting or reordering entries breaks the
//! chain where it was done. Cutting entries off the end leaves a sound, shorter chain: that is what the head mark is for,
//! a small file beside the store that names the last entry, signed by the node's key, and written anew after each commit
//! and before its answer. A chain that goes on behind the mark is sound: the engine was killed between the two.
//!
//! What this does not find: entries added at the very end, correctly chained, by somebody who can write to the database
//! of a stopped store; and anything done by who has the node's key.
//!
//! An entry's hash is the SHA-256 of its canonical form: the entry as JSON without `hash`, keys sorted by their bytes at
//! every level, without spaces, `agency` left out when there is none. `jq -cSj 'del(.hash)' | sha256sum` agrees.

mod check;
mod mark;
#[cfg(test)]
mod tests;

pub use self::check::{Verifier, verify, verify_json_lines, write_json_lines};
pub use self::mark::{HeadMark, HeadMarks};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::names::hex;
use crate::{AuditDraft, AuditEntry, AuditHead, UtcMs};

/// What the first entry names as the hash before it.
pub const FIRST_PREV: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The head mark's file, in the store's folder.
pub const HEAD_FILE: &str = "audit-head";

/// An entry's hash, in hexadecimal.
#[must_use]
pub fn hash_of(seq: u64, at: UtcMs, draft: &AuditDraft, prev: &str) -> String {
    hex(&Sha256::digest(canonical(seq, at, draft, prev)))
}

impl AuditEntry {
    /// The entry that follows `head`.
    #[must_use]
    pub fn after(head: &AuditHead, at: UtcMs, draft: AuditDraft) -> Self {
        let seq = head.seq.saturating_add(1);
        let hash = hash_of(seq, at, &draft, &head.hash);
        Self { seq, at_ms: at, draft, prev: head.hash.clone(), hash }
    }

    /// The head of a chain that ends with this entry.
    #[must_use]
    pub fn head(&self) -> AuditHead {
        AuditHead { seq: self.seq, hash: self.hash.clone() }
    }
}

/// The canonical form: see the module.
fn canonical(seq: u64, at: UtcMs, draft: &AuditDraft, prev: &str) -> String {
    let mut fields = vec![
        ("action", Value::from(draft.action.as_str())),
        ("actor", Value::from(draft.actor.as_str())),
        ("at_ms", Value::from(at.0)),
        ("details", draft.details.clone()),
        ("object", Value::from(draft.object.as_str())),
        ("prev", Value::from(prev)),
        ("seq", Value::from(seq)),
        ("via", Value::from(draft.via.as_str())),
    ];
    if let Some(agency) = &draft.agency {
        fields.insert(2, ("agency", Value::from(agency.as_str())));
    }
    let mut out = String::with_capacity(512);
    write_object(&mut out, fields.iter().map(|(name, value)| (*name, value)));
    out
}

fn write_object<'a>(out: &mut String, fields: impl Iterator<Item = (&'a str, &'a Value)>) {
    out.push('{');
    for (n, (name, value)) in fields.enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(name).to_string());
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            // Some crate may have asked serde_json to keep keys as they came: sort them here.
            let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            write_object(out, fields.into_iter());
        }
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// The details in a form that reads back as it was written: a fraction that does not becomes text. `None` when they
/// are nested too deeply to be read at all.
pub(crate) fn settle_details(mut details: Value) -> Option<Value> {
    /// Reading and writing a fraction settles in one round or never.
    const ROUNDS_MAX: usize = 4;
    for _ in 0..ROUNDS_MAX {
        let again: Value = serde_json::from_str(&details.to_string()).ok()?;
        if again == details {
            return Some(details);
        }
        details = again;
    }
    fractions_to_text(&mut details);
    Some(details)
}

fn fractions_to_text(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => *value = Value::from(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(fractions_to_text),
        Value::Object(fields) => fields.values_mut().for_each(fractions_to_text),
        _ => {}
    }
}
