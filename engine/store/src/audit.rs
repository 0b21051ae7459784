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
use std::io::{BufRead, Read, Write};
use std::path::Path;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::limits::{AUDIT_FAULTS_MAX, AUDIT_LINE_BYTES_MAX};
use crate::names::{hex, unhex};
use crate::{AuditDraft, AuditEntry, AuditFault, AuditHead, AuditReport, StoreError, UtcMs};

/// What the first entry names as the hash before it.
pub const FIRST_PREV: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The head mark's file, in the store's folder.
pub const HEAD_FILE: &str = "audit-head";
/// The head mark's file is a few lines.
const HEAD_FILE_BYTES_MAX: u64 = 64 * 1024;

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

/// A head mark: the entry that was the last one when it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadMark {
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
    /// No readable mark was found when the store was opened, at this entry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmarked: bool,
    /// HMAC-SHA-256 by the node's key, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac: Option<String>,
}

impl HeadMark {
    /// A mark of this head, signed if there is a key.
    #[must_use]
    pub fn of(head: &AuditHead, unmarked: bool, key: Option<&[u8; 32]>) -> Self {
        let mut mark = Self { seq: head.seq, hash: head.hash.clone(), unmarked, hmac: None };
        mark.hmac = key.map(|key| hex(&mark.mac(key).finalize().into_bytes()));
        mark
    }

    fn mac(&self, key: &[u8; 32]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(format!("gudok audit head\n{}\n{}\n{}", self.seq, self.hash, self.unmarked).as_bytes());
        mac
    }

    /// Whether this key signed it. Before the first entry a mark claims nothing and needs no signature.
    #[must_use]
    pub fn is_signed_by(&self, key: &[u8; 32]) -> bool {
        let signature = self.hmac.as_deref().and_then(unhex);
        (self.seq == 0 && !self.unmarked) || signature.is_some_and(|bytes| self.mac(key).verify_slice(&bytes).is_ok())
    }
}

/// What the head mark's file says: one mark, and before it those that an earlier opening found the audit to contradict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadMarks {
    /// The marks, the current one last.
    pub marks: Vec<HeadMark>,
    /// A line could not be read.
    pub unreadable: bool,
}

impl HeadMarks {
    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("opening", path, error)),
        };
        let mut bytes = Vec::new();
        let read = file.take(HEAD_FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
        read.map_err(|error| StoreError::io("reading", path, error))?;
        Ok(Some(Self::parse(&bytes)))
    }

    /// From the file's bytes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut marks = Self { marks: Vec::new(), unreadable: bytes.len() as u64 > HEAD_FILE_BYTES_MAX };
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(mark) => marks.marks.push(mark),
                Err(_) => marks.unreadable = true,
            }
        }
        marks.unreadable |= marks.marks.is_empty();
        marks
    }

    /// As the file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for mark in &self.marks {
            bytes.extend(serde_json::to_vec(mark).unwrap_or_default());
            bytes.push(b'\n');
        }
        bytes
    }
}

/// Checks entries one by one, in their order, from the first one on.
#[derive(Debug)]
pub struct Verifier {
    report: AuditReport,
    faults_more: u64,
    claims: Vec<Claim>,
}

/// What a head mark says, and what the chain said to it so far.
#[derive(Debug)]
struct Claim {
    by: &'static str,
    head: AuditHead,
    holds: Option<bool>,
}

impl Verifier {
    /// Without marks only the chain is checked. Without a key, a mark's signature is not.
    #[must_use]
    pub fn new(marks: Option<&HeadMarks>, key: Option<&[u8; 32]>) -> Self {
        let mut verifier = Self { report: AuditReport::default(), faults_more: 0, claims: Vec::new() };
        let Some(marks) = marks else { return verifier };
        if marks.unreadable {
            verifier.fault(0, "the head mark cannot be read: entries cut off the end cannot be told".to_owned());
        }
        for mark in &marks.marks {
            if key.is_some_and(|key| !mark.is_signed_by(key)) {
                verifier.fault(mark.seq, "the head mark is not signed by this node's key".to_owned());
            }
            if mark.unmarked {
                let problem = "the head mark was missing or unreadable when the store was opened at this entry: \
                               entries cut off the end before cannot be told";
                verifier.fault(mark.seq, problem.to_owned());
            }
            verifier.claim("the head mark", AuditHead { seq: mark.seq, hash: mark.hash.clone() });
        }
        verifier
    }

    /// Somebody says that the chain reaches this entry.
    pub(crate) fn claim(&mut self, by: &'static str, head: AuditHead) {
        if head.seq > 0 && !self.claims.iter().any(|claim| claim.head == head) {
            self.claims.push(Claim { by, head, holds: None });
        }
    }

    /// The next entry.
    pub fn entry(&mut self, entry: &AuditEntry) {
        self.report.entries += 1;
        for claim in self.claims.iter_mut().filter(|claim| claim.head.seq == entry.seq) {
            claim.holds = Some(claim.holds.unwrap_or(true) && claim.head.hash == entry.hash);
        }
        if hash_of(entry.seq, entry.at_ms, &entry.draft, &entry.prev) != entry.hash {
            self.fault(entry.seq, "its contents do not have its hash: it was edited".to_owned());
        }
        let expected = self.report.head.seq.saturating_add(1);
        if entry.seq < expected {
            let problem = format!("it stands behind entry {}: it was moved or put in", expected - 1);
            return self.fault(entry.seq, problem);
        }
        if entry.seq > expected {
            let missing = if entry.seq - expected == 1 {
                format!("entry {expected} is missing before it")
            } else {
                format!("entries {expected} to {} are missing before it", entry.seq - 1)
            };
            self.fault(entry.seq, format!("{missing}: deleted or moved"));
        } else if entry.prev != self.report.head.hash {
            let problem = "it does not name the hash of the entry before it: one of the two was edited or put in";
            self.fault(entry.seq, problem.to_owned());
        }
        self.report.head = entry.head();
    }

    /// An entry that cannot be read.
    pub fn fault(&mut self, seq: u64, problem: String) {
        if self.report.faults.len() < AUDIT_FAULTS_MAX {
            self.report.faults.push(AuditFault { seq, problem });
        } else {
            self.faults_more += 1;
        }
    }

    /// After the last entry.
    #[must_use]
    pub fn finish(mut self) -> AuditReport {
        let end = self.report.head.seq;
        for claim in std::mem::take(&mut self.claims) {
            let seq = claim.head.seq;
            if seq > end {
                let problem =
                    format!("the audit ends at entry {end}, {} says {seq}: entries were cut off its end", claim.by);
                self.fault(seq, problem);
            } else if claim.holds == Some(false) {
                self.fault(seq, format!("it is not the entry that {} names: the audit was rewritten", claim.by));
            }
        }
        if self.faults_more > 0 {
            let problem = format!("{} more faults are not listed", self.faults_more);
            self.report.faults.push(AuditFault { seq: end, problem });
        }
        self.report
    }
}

/// Checks a whole audit. An item that could not be read is its fault.
pub fn verify(
    entries: impl IntoIterator<Item = Result<AuditEntry, AuditFault>>,
    marks: Option<&HeadMarks>,
    key: Option<&[u8; 32]>,
) -> AuditReport {
    let mut verifier = Verifier::new(marks, key);
    for entry in entries {
        match entry {
            Ok(entry) => verifier.entry(&entry),
            Err(fault) => verifier.fault(fault.seq, fault.problem),
        }
    }
    verifier.finish()
}

/// Checks an exported audit: one entry a line, from the first one on.
///
/// # Errors
/// [`StoreError::Io`] of reading; what is wrong with a line is in the report.
pub fn verify_json_lines(
    input: &mut dyn BufRead,
    marks: Option<&HeadMarks>,
    key: Option<&[u8; 32]>,
) -> Result<AuditReport, StoreError> {
    let failed = |error| StoreError::io("reading", Path::new("the exported audit"), error);
    let mut verifier = Verifier::new(marks, key);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let input: &mut dyn BufRead = &mut *input;
        let read = input.take(AUDIT_LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut line);
        if read.map_err(failed)? == 0 {
            break;
        }
        if line.len() > AUDIT_LINE_BYTES_MAX {
            verifier.fault(number, format!("line {number} is too long: this is not an exported audit"));
            break;
        }
        match serde_json::from_slice::<AuditEntry>(&line) {
            Ok(entry) => verifier.entry(&entry),
            Err(_) if line.iter().all(u8::is_ascii_whitespace) => {}
            Err(error) => verifier.fault(number, format!("line {number} is not an entry of the audit: {error}")),
        }
    }
    Ok(verifier.finish())
}

/// Writes entries as an export: one a line.
///
/// # Errors
/// [`StoreError::Io`] of writing.
pub fn write_json_lines<'a>(
    entries: impl IntoIterator<Item = &'a AuditEntry>,
    out: &mut dyn Write,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("writing", Path::new("the exported audit"), error);
    for entry in entries {
        let mut line = serde_json::to_vec(entry).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        out.write_all(&line).map_err(failed)?;
    }
    Ok(())
}
