//! The ledger: what admins change while the engine runs, and who changed it.
//!
//! A document is JSON under a kind and an id, with a revision. One commit checks what it expects, changes documents and
//! adds entries to the audit, all or nothing. The audit's entries are chained by hash: entry n names the hash of entry
//! n − 1, so that an edited, deleted or cut entry is found by the audit module.

use crate::UtcMs;
use crate::audit::FIRST_PREV;
use serde::{Deserialize, Serialize};

/// The kind of documents that are traces of calls, each under its call's id: they go when their caller is erased.
pub const TRACE_KIND: &str = "trace";

/// A document of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is: `agency`, `user`, `deployment`, …
    pub kind: String,
    /// Its name within the kind.
    pub id: String,
    /// Grows with every change and never repeats for the same kind and id, not even after a delete.
    pub revision: u64,
    /// JSON.
    pub body: Vec<u8>,
    /// Gone from then on.
    pub expires: Option<UtcMs>,
}

/// One commit: all of it happens, or nothing.
#[derive(Clone, Debug, Default)]
pub struct LedgerChange {
    /// Documents that must be at these revisions; 0: must not exist.
    pub expect: Vec<Expected>,
    /// Documents to be written.
    pub puts: Vec<Put>,
    /// Documents to be deleted, by kind and id.
    pub deletes: Vec<(String, String)>,
    /// Entries for the audit.
    pub audit: Vec<AuditDraft>,
    /// Goes on when the disk is low (roll-backs, revocations, the audit of looks); anything else is refused then.
    pub urgent: bool,
}

/// A document's revision that a change relies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its revision; 0: it must not exist.
    pub revision: u64,
}

/// A document to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// JSON.
    pub body: Vec<u8>,
    /// Gone from then on.
    pub expires: Option<UtcMs>,
}

/// What a commit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerDone {
    /// The new revisions, in the order of the puts.
    pub revisions: Vec<u64>,
    /// The audit's new entries.
    pub audit: Vec<AuditEntry>,
}

/// Which documents.
#[derive(Clone, Debug, Default)]
pub struct LedgerQuery {
    /// Of this kind.
    pub kind: String,
    /// Whose id begins so.
    pub prefix: String,
    /// Only ids after this one.
    pub after: Option<String>,
    /// At most this many, and at most [`crate::limits::PAGE_ROWS_MAX`]; 0 means that limit.
    pub rows_max: usize,
}

/// A page of documents, by id.
#[derive(Clone, Debug, Default)]
pub struct LedgerPage {
    /// The documents.
    pub documents: Vec<Document>,
    /// There may be more after this id.
    pub more_after: Option<String>,
    /// Damaged documents met: set aside, logged and left out. Whoever takes "none" for an answer looks at this too.
    pub corrupt: u64,
}

/// An entry for the audit, before it has its place in the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDraft {
    /// Who: a user's name, `file`, `engine`, `first-token`.
    pub actor: String,
    /// By which way: `api`, `console`, `cli`, `file`, `engine`.
    pub via: String,
    /// What: `deploy`, `user.create`, …
    pub action: String,
    /// To what: "mfc/desk", "user:anna".
    pub object: String,
    /// Whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// Facts, as JSON; never a secret, never a caller's number.
    pub details: serde_json::Value,
}

/// An entry of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// From 1, without gaps.
    pub seq: u64,
    /// When.
    pub at_ms: UtcMs,
    /// What.
    #[serde(flatten)]
    pub draft: AuditDraft,
    /// The hash of the entry before; 64 zeros for the first.
    pub prev: String,
    /// SHA-256, in hexadecimal, of what `hash_of` says.
    pub hash: String,
}

/// Which entries of the audit.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// From this one on (or down from it, newest first); 0: from the end that the order begins with.
    pub from_seq: u64,
    /// By this actor.
    pub actor: Option<String>,
    /// Whose action begins so: `user.`.
    pub action: Option<String>,
    /// Of this agency.
    pub agency: Option<String>,
    /// Newest first.
    pub newest_first: bool,
    /// At most this many, and at most [`crate::limits::PAGE_ROWS_MAX`]; 0 means that limit.
    pub rows_max: usize,
}

/// A page of the audit.
#[derive(Clone, Debug, Default)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Where the next page begins; none at the end.
    pub next_seq: Option<u64>,
}

/// The audit's last entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Its number; 0 when there is none yet.
    pub seq: u64,
    /// Its hash; 64 zeros when there is none yet.
    pub hash: String,
}

impl Default for AuditHead {
    fn default() -> Self {
        Self { seq: 0, hash: FIRST_PREV.to_owned() }
    }
}

/// What a check of the audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Entries read.
    pub entries: u64,
    /// The last of them.
    pub head: AuditHead,
    /// What is wrong, at most [`crate::limits::AUDIT_FAULTS_MAX`] and then one that counts the rest; none: it is whole.
    pub faults: Vec<AuditFault>,
}

impl AuditReport {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A place where the audit was tampered with or damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFault {
    /// The entry at or before which it was found.
    pub seq: u64,
    /// What is wrong, for people.
    pub problem: String,
}
