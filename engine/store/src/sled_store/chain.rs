//! The audit in the database: appended by the writer, read page by page, checked as a whole; and its head mark's file.
use std::io::Write;
use std::path::{Path, PathBuf};

use super::core::{Core, read_failed};
use super::tx::{Step, Tx};
use super::{envelope, folder, keys, legs};
use crate::audit::{HEAD_FILE, HeadMark, HeadMarks, Verifier};
use crate::limits::{AUDIT_MARKS_KEPT_MAX, PAGE_ROWS_MAX, SCAN_ROWS_MAX};
use crate::names::{hex, unhex};
use crate::{AuditDraft, AuditEntry, AuditHead, AuditPage, AuditQuery, AuditReport, StoreError, UtcMs};

/// Rows between two looks whether the store is being closed.
const ROWS_PER_LOOK: u64 = 1_024;

/// Adds entries behind the head.
pub(super) fn append(tx: &mut Tx<'_>, drafts: &[AuditDraft], now: UtcMs) -> Step<Vec<AuditEntry>> {
    let mut entries = Vec::with_capacity(drafts.len());
    if drafts.is_empty() {
        return Ok(entries);
    }
    let mut head = last_head(tx)?;
    for draft in drafts {
        // A row where none can be was put in by somebody: it stays, for the check to find.
        while tx.exists(&keys::audit(head.seq + 1))? {
            head.seq += 1;
        }
        let entry = AuditEntry::after(&head, now, draft.clone());
        tx.put(keys::audit(entry.seq), &legs::encode(&entry)?);
        head = entry.head();
        entries.push(entry);
    }
    tx.put(keys::META_AUDIT.to_vec(), &encode_head(&head));
    Ok(entries)
}

/// The head as the writer knows it; found anew when its row is damaged.
fn last_head(tx: &mut Tx<'_>) -> Step<AuditHead> {
    let Some(raw) = tx.raw(keys::META_AUDIT)? else {
        tx.apply()?;
        return Ok(last_row(tx.core)?);
    };
    if let Some(head) = envelope::open(keys::META_AUDIT, &raw).and_then(decode_head) {
        return Ok(head);
    }
    tx.core.quarantine(keys::META_AUDIT, &raw);
    tx.apply()?;
    Ok(last_row(tx.core)?)
}

/// The head as the last readable entry says.
fn last_row(core: &Core) -> Result<AuditHead, sled::Error> {
    for row in core.db.scan_prefix([keys::AUDIT]).rev() {
        let (key, raw) = row?;
        if let Some(entry) = decode(&key, &raw) {
            return Ok(entry.head());
        }
    }
    Ok(AuditHead::default())
}

pub(super) fn head(core: &Core) -> Result<AuditHead, StoreError> {
    let row = core.db.get(keys::META_AUDIT).map_err(|error| read_failed(&error))?;
    match row.and_then(|raw| envelope::open(keys::META_AUDIT, &raw).and_then(decode_head)) {
        Some(head) => Ok(head),
        None => last_row(core).map_err(|error| read_failed(&error)),
    }
}

pub(super) fn encode_head(head: &AuditHead) -> Vec<u8> {
    let mut payload = head.seq.to_be_bytes().to_vec();
    payload.extend(unhex(&head.hash).unwrap_or_default());
    payload
}

fn decode_head(payload: &[u8]) -> Option<AuditHead> {
    let (seq, hash) = payload.split_first_chunk::<8>()?;
    (hash.len() == 32).then(|| AuditHead { seq: u64::from_be_bytes(*seq), hash: hex(hash) })
}

pub(super) fn decode(key: &[u8], raw: &[u8]) -> Option<AuditEntry> {
    envelope::open(key, raw).and_then(|payload| serde_json::from_slice(payload).ok())
}

pub(super) fn page(core: &Core, query: &AuditQuery) -> Result<AuditPage, StoreError> {
    let rows_max = if query.rows_max == 0 { PAGE_ROWS_MAX } else { query.rows_max.min(PAGE_ROWS_MAX) };
    let rows: Box<dyn Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>> =
        match (query.newest_first, query.from_seq) {
            (false, from) => Box::new(core.db.range(keys::audit(from)..vec![keys::AUDIT + 1])),
            (true, 0) => Box::new(core.db.scan_prefix([keys::AUDIT]).rev()),
            (true, from) => Box::new(core.db.range(vec![keys::AUDIT]..=keys::audit(from)).rev()),
        };
    let mut page = AuditPage::default();
    for (scanned, row) in rows.enumerate() {
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        if page.entries.len() >= rows_max || scanned >= SCAN_ROWS_MAX {
            page.next_seq = keys::read_audit(&key);
            break;
        }
        match decode(&key, &raw) {
            Some(entry) if matches(query, &entry.draft) => page.entries.push(entry),
            Some(_) => {}
            // Copied and logged; the others are served, and the check tells which is missing.
            None => drop(core.quarantine(&key, &raw)),
        }
    }
    Ok(page)
}

fn matches(query: &AuditQuery, draft: &AuditDraft) -> bool {
    query.actor.as_ref().is_none_or(|actor| *actor == draft.actor)
        && query.action.as_ref().is_none_or(|action| draft.action.starts_with(action))
        && query.agency.as_ref().is_none_or(|agency| draft.agency.as_ref() == Some(agency))
}

pub(super) fn verify(core: &Core) -> Result<AuditReport, StoreError> {
    // Marks and head first: entries that are added meanwhile are behind them.
    let marks = HeadMarks::read(&core.options.path.join(HEAD_FILE))?;
    let mut verifier = Verifier::new(marks.as_ref(), core.options.audit_key.as_ref());
    let row = core.db.get(keys::META_AUDIT).map_err(|error| read_failed(&error))?;
    let counted = row.as_ref().map(|raw| envelope::open(keys::META_AUDIT, raw).and_then(decode_head));
    if marks.is_none() && row.is_some() {
        verifier.fault(0, "the head mark is missing: entries cut off the end cannot be told".to_owned());
    }
    match counted {
        Some(Some(head)) => verifier.claim("the ledger's own count", head),
        Some(None) => verifier.fault(0, "the ledger's own count of entries is damaged".to_owned()),
        None => {}
    }
    let mut rows = 0_u64;
    for row in core.db.scan_prefix([keys::AUDIT]) {
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        rows += 1;
        if rows.is_multiple_of(ROWS_PER_LOOK) {
            core.check_open()?;
        }
        let seq = keys::read_audit(&key).unwrap_or_default();
        match decode(&key, &raw) {
            Some(entry) => {
                if entry.seq != seq {
                    verifier.fault(seq, format!("its row holds entry {}", entry.seq));
                }
                verifier.entry(&entry);
            }
            None => verifier.fault(seq, "it is damaged and cannot be read".to_owned()),
        }
    }
    if rows > 0 && row.is_none() {
        verifier.fault(0, "the ledger's own count of entries is missing".to_owned());
    }
    Ok(verifier.finish())
}

/// The head mark's file as the writer keeps it.
pub(super) struct MarkFile {
    path: PathBuf,
    key: Option<[u8; 32]>,
    /// Marks that the audit contradicts, found at an opening: evidence, kept before the current one.
    kept: Vec<HeadMark>,
}

impl MarkFile {
    /// Reads the file and holds it against the audit. What does not agree is kept as evidence, and logged: the engine
    /// starts all the same, and every check finds it.
    pub(super) fn open(core: &Core) -> Result<Self, StoreError> {
        let path = core.options.path.join(HEAD_FILE);
        let mut file = Self { path, key: core.options.audit_key, kept: Vec::new() };
        let head = head(core)?;
        let found = HeadMarks::read(&file.path)?;
        let missing = found.is_none();
        let unreadable = found.as_ref().is_some_and(|found| found.unreadable);
        let mut evidence = found.map(|found| found.marks).unwrap_or_default();
        let current = evidence.pop();
        let evidence_before = evidence.len();
        // Evidence stays, whatever key the store is opened with now.
        file.kept = evidence;
        file.kept.truncate(AUDIT_MARKS_KEPT_MAX);
        if let Some(mark) = current {
            file.keep_if_contradicted(core, &mark)?;
        }
        if (missing || unreadable) && head.seq > 0 {
            file.keep(HeadMark::of(&head, true, file.key.as_ref()));
        }
        if !file.kept.is_empty() {
            tracing::error!("the audit does not agree with its head mark: run `gudok audit verify`");
        }
        if missing || unreadable || file.kept.len() != evidence_before {
            file.write(&head);
        }
        Ok(file)
    }

    /// Marks that came with a backup: those of this node that its audit contradicts are evidence.
    pub(super) fn adopt(&mut self, core: &Core, marks: &[HeadMark]) -> Result<(), StoreError> {
        for mark in marks {
            if self.key.as_ref().is_none_or(|key| mark.is_signed_by(key)) {
                self.keep_if_contradicted(core, mark)?;
            }
        }
        Ok(())
    }

    fn keep_if_contradicted(&mut self, core: &Core, mark: &HeadMark) -> Result<(), StoreError> {
        let signed = self.key.as_ref().is_none_or(|key| mark.is_signed_by(key));
        if !signed || mark.unmarked || !holds(core, mark)? {
            self.keep(mark.clone());
        }
        Ok(())
    }

    fn keep(&mut self, mark: HeadMark) {
        if self.kept.len() < AUDIT_MARKS_KEPT_MAX && !self.kept.contains(&mark) {
            self.kept.push(mark);
        }
    }

    /// Writes the mark of this head. A failure is logged: the chain is then longer than the mark, which is sound.
    pub(super) fn write(&self, head: &AuditHead) {
        let mut marks = HeadMarks { marks: self.kept.clone(), unreadable: false };
        marks.marks.push(HeadMark::of(head, false, self.key.as_ref()));
        if let Err(error) = replace(&self.path, &marks.to_bytes()) {
            tracing::error!(%error, "the audit's head mark could not be written; trying again with the next entry");
        }
    }
}

/// Whether the audit has the entry that a mark names.
fn holds(core: &Core, mark: &HeadMark) -> Result<bool, StoreError> {
    if mark.seq == 0 {
        return Ok(true);
    }
    let key = keys::audit(mark.seq);
    let row = core.db.get(&key).map_err(|error| read_failed(&error))?;
    Ok(row.and_then(|raw| decode(&key, &raw)).is_some_and(|entry| entry.hash == mark.hash))
}

/// Writes a file aside, makes it durable and gives it its name.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let aside = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_data()
    };
    write().map_err(|error| StoreError::io("writing", &aside, error))?;
    std::fs::rename(&aside, path).map_err(|error| StoreError::io("naming", path, error))?;
    path.parent().map_or(Ok(()), folder::sync_folder)
}
