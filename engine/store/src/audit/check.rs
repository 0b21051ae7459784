//! Checking a chain: the entries one after the other, then what the head marks say of its end.
use std::io::{BufRead, Read, Write};
use std::path::Path;

use super::{HeadMarks, hash_of};
use crate::limits::{AUDIT_FAULTS_MAX, AUDIT_LINE_BYTES_MAX};
use crate::{AuditEntry, AuditFault, AuditHead, AuditReport, StoreError};

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
