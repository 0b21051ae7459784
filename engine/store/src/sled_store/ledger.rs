//! What the writer does with the ledger's documents, and how they are read.
use std::collections::HashSet;

use super::buckets::{Kept, NEVER_MS};
use super::core::{Core, read_failed};
use super::tx::{Fail, Step, Tx};
use super::{chain, envelope, keys};
use crate::audit::settle_details;
use crate::cdr::clamp_text;
use crate::limits::{
    AUDIT_DETAILS_BYTES_MAX, AUDIT_TEXT_BYTES_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_ID_BYTES_MAX, LEDGER_CHANGE_BYTES_MAX,
    LEDGER_CHANGE_ITEMS_MAX, LEDGER_PAGE_BYTES_MAX, NAME_BYTES_MAX, PAGE_ROWS_MAX, SCAN_ROWS_MAX, SWEEP_ROWS_MAX,
};
use crate::space::SpaceLevel;
use crate::{
    AuditDraft, Document, Expected, LedgerChange, LedgerDone, LedgerPage, LedgerQuery, StoreError, Swept, UtcMs,
};

/// What a cut text of the audit ends with.
const CUT: &str = "…";

/// A change that is within all limits.
pub(super) struct Change {
    expect: Vec<(Vec<u8>, Expected)>,
    puts: Vec<PutRow>,
    deletes: Vec<Vec<u8>>,
    audit: Vec<AuditDraft>,
    urgent: bool,
    now: UtcMs,
    bytes: usize,
}

struct PutRow {
    key: Vec<u8>,
    body: Vec<u8>,
    expires_ms: u64,
}

impl Change {
    pub(super) fn new(change: LedgerChange, now: UtcMs) -> Result<Self, StoreError> {
        let items = change.expect.len() + change.puts.len() + change.deletes.len() + change.audit.len();
        if items > LEDGER_CHANGE_ITEMS_MAX {
            let why =
                format!("has {items} items, at most {LEDGER_CHANGE_ITEMS_MAX} are allowed: make it several changes");
            return Err(StoreError::BadName { what: "change of the ledger", why });
        }
        let mut checked = Self {
            expect: Vec::with_capacity(change.expect.len()),
            puts: Vec::with_capacity(change.puts.len()),
            deletes: Vec::with_capacity(change.deletes.len()),
            audit: Vec::with_capacity(change.audit.len()),
            urgent: change.urgent,
            now,
            bytes: 0,
        };
        for expected in change.expect {
            checked.expect.push((document_key(&expected.kind, &expected.id)?, expected));
        }
        let mut named = HashSet::new();
        for put in change.puts {
            check_body(&put.body)?;
            let key = named_once(&mut named, &put.kind, &put.id)?;
            checked.bytes += key.len() + put.body.len();
            let expires_ms = put.expires.map_or(NEVER_MS, |expires| expires.0);
            checked.puts.push(PutRow { key, body: put.body, expires_ms });
        }
        for (kind, id) in change.deletes {
            checked.deletes.push(named_once(&mut named, &kind, &id)?);
        }
        for draft in change.audit {
            let (draft, bytes) = checked_draft(draft)?;
            checked.bytes += bytes;
            checked.audit.push(draft);
        }
        if checked.bytes > LEDGER_CHANGE_BYTES_MAX {
            let (bytes, limit) = (checked.bytes, LEDGER_CHANGE_BYTES_MAX);
            return Err(StoreError::TooLarge { what: "change of the ledger", bytes, limit });
        }
        Ok(checked)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes + size_of::<Self>()
    }
}

/// The row of a document whose names can be used.
pub(super) fn document_key(kind: &str, id: &str) -> Result<Vec<u8>, StoreError> {
    crate::names::check_name("kind of document", kind, NAME_BYTES_MAX)?;
    crate::names::check_name("id of a document", id, DOCUMENT_ID_BYTES_MAX)?;
    Ok(keys::document(kind, id))
}

fn named_once(named: &mut HashSet<Vec<u8>>, kind: &str, id: &str) -> Result<Vec<u8>, StoreError> {
    let key = document_key(kind, id)?;
    if !named.insert(key.clone()) {
        let why = format!("names {kind} {id} twice: say once what becomes of it");
        return Err(StoreError::BadName { what: "change of the ledger", why });
    }
    Ok(key)
}

fn check_body(body: &[u8]) -> Result<(), StoreError> {
    if body.len() > DOCUMENT_BYTES_MAX {
        return Err(StoreError::TooLarge { what: "document", bytes: body.len(), limit: DOCUMENT_BYTES_MAX });
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(body)
        .map(|_| ())
        .map_err(|error| StoreError::BadName { what: "document", why: format!("is not JSON: {error}") })
}

/// The draft with its texts cut and its details in a form that reads back as it was written; and its bytes.
fn checked_draft(mut draft: AuditDraft) -> Result<(AuditDraft, usize), StoreError> {
    let mut bytes = 0;
    for text in
        [&mut draft.actor, &mut draft.via, &mut draft.action, &mut draft.object].into_iter().chain(&mut draft.agency)
    {
        if text.len() > AUDIT_TEXT_BYTES_MAX {
            text.truncate(text.floor_char_boundary(AUDIT_TEXT_BYTES_MAX - CUT.len()));
            text.push_str(CUT);
        }
        clamp_text(text, AUDIT_TEXT_BYTES_MAX);
        bytes += text.len();
    }
    let what = "details of an audit entry";
    let details = settle_details(draft.details);
    draft.details = details.ok_or_else(|| StoreError::BadName { what, why: "are nested too deeply".to_owned() })?;
    let details_bytes = draft.details.to_string().len();
    if details_bytes > AUDIT_DETAILS_BYTES_MAX {
        return Err(StoreError::TooLarge { what, bytes: details_bytes, limit: AUDIT_DETAILS_BYTES_MAX });
    }
    Ok((draft, bytes + details_bytes))
}

pub(super) fn commit(tx: &mut Tx<'_>, change: &Change, space: SpaceLevel) -> Step<LedgerDone> {
    if change.urgent {
        tx.core.check_record(space)?;
    } else {
        tx.core.check_promise(space)?;
    }
    for (key, expected) in &change.expect {
        let found = tx.raw(key)?.map(|raw| read(tx.core, key, &raw)).transpose()?;
        let actual = found.filter(|kept| kept.visible(change.now)).map_or(0, |kept| kept.version);
        if actual != expected.revision {
            let Expected { kind, id, revision } = expected.clone();
            return Err(Fail::Refused(StoreError::Stale { kind, id, expected: revision, actual }));
        }
    }
    let mut done = LedgerDone::default();
    if !change.puts.is_empty() {
        let mut revision = last_revision(tx)?;
        for put in &change.puts {
            revision += 1;
            forget_end(tx, &put.key)?;
            if put.expires_ms != NEVER_MS {
                tx.put(keys::document_end(put.expires_ms, &put.key), &[]);
            }
            tx.put(put.key.clone(), &Kept::encode(revision, put.expires_ms, &put.body));
            done.revisions.push(revision);
        }
        tx.put(keys::META_REVISION.to_vec(), &revision.to_be_bytes());
    }
    for key in &change.deletes {
        delete(tx, key)?;
    }
    done.audit = chain::append(tx, &change.audit, change.now)?;
    Ok(done)
}

/// Reads a document, visible or not.
fn read(core: &Core, key: &[u8], raw: &[u8]) -> Result<Kept, StoreError> {
    envelope::open(key, raw).and_then(Kept::decode).ok_or_else(|| core.quarantine(key, raw))
}

/// Deletes a document; says whether it was there.
pub(super) fn delete(tx: &mut Tx<'_>, key: &[u8]) -> Step<bool> {
    if !tx.exists(key)? {
        return Ok(false);
    }
    forget_end(tx, key)?;
    tx.delete(key.to_vec());
    Ok(true)
}

/// Deletes the row that would have ended the document which is being replaced.
fn forget_end(tx: &mut Tx<'_>, key: &[u8]) -> Step<()> {
    let kept = tx.raw(key)?.and_then(|raw| envelope::open(key, &raw).and_then(Kept::decode));
    if let Some(expires_ms) = kept.and_then(|kept| kept.mortal()) {
        tx.delete(keys::document_end(expires_ms, key));
    }
    Ok(())
}

/// The last revision given out, as its row says.
pub(super) fn last_revision_kept(core: &Core) -> u64 {
    let payload = core.read(keys::META_REVISION).unwrap_or_default();
    payload.and_then(|payload| payload.try_into().ok().map(u64::from_be_bytes)).unwrap_or_default()
}

/// The last revision given out; found anew when its row is damaged.
fn last_revision(tx: &mut Tx<'_>) -> Step<u64> {
    let key = keys::META_REVISION;
    let Some(raw) = tx.raw(key)? else { return recounted_revision(tx) };
    let kept = envelope::open(key, &raw).and_then(|payload| payload.try_into().ok().map(u64::from_be_bytes));
    match kept {
        Some(revision) => Ok(revision),
        None => {
            tx.core.quarantine(key, &raw);
            recounted_revision(tx)
        }
    }
}

fn recounted_revision(tx: &mut Tx<'_>) -> Step<u64> {
    tx.apply()?;
    let mut last = None;
    for row in tx.core.db.scan_prefix([keys::DOCUMENT]) {
        let (key, raw) = row?;
        let revision = envelope::open(&key, &raw).and_then(Kept::decode).map_or(0, |kept| kept.version);
        last = last.max(Some(revision));
    }
    // Deleted documents may have had higher revisions: leap over them rather than repeat one.
    Ok(last.map_or(0, |last| last + REVISIONS_SKIPPED_ON_RECOUNT))
}

/// No ledger is changed this often between two of its remaining documents' revisions.
const REVISIONS_SKIPPED_ON_RECOUNT: u64 = 1 << 40;

/// Removes documents whose time has passed.
pub(super) fn sweep(tx: &mut Tx<'_>, now: UtcMs, rows_max: usize) -> Step<Swept> {
    tx.apply()?;
    let rows_max = rows_max.min(SWEEP_ROWS_MAX);
    let mut swept = Swept::default();
    for row in tx.core.db.range(keys::document_ends_from(0)..keys::document_ends_from(now.0.saturating_add(1))) {
        if swept.removed >= rows_max as u64 {
            swept.more = true;
            break;
        }
        let (end, _) = row?;
        tx.delete(end.to_vec());
        if let Some((_, key)) = keys::read_document_end(&end)
            && let Some(raw) = tx.raw(&key)?
            && envelope::open(&key, &raw).and_then(Kept::decode).is_some_and(|kept| !kept.visible(now))
        {
            tx.delete(key);
        }
        tx.finish()?;
        swept.removed += 1;
    }
    Ok(swept)
}

pub(super) fn get(core: &Core, key: &[u8], now: UtcMs) -> Result<Option<Document>, StoreError> {
    let Some(raw) = core.db.get(key).map_err(|error| read_failed(&error))? else { return Ok(None) };
    let kept = read(core, key, &raw)?;
    Ok(kept.visible(now).then(|| document(key, kept)).flatten())
}

fn document(key: &[u8], kept: Kept) -> Option<Document> {
    let (kind, id) = keys::read_document(key)?;
    let expires = kept.mortal().map(UtcMs);
    Some(Document { kind: kind.to_owned(), id: id.to_owned(), revision: kept.version, body: kept.value, expires })
}

/// A page of documents, and whether one of the kind is not durable yet.
pub(super) fn list(core: &Core, query: &LedgerQuery, now: UtcMs) -> Result<(LedgerPage, bool), StoreError> {
    let inside = keys::documents(&query.kind, "");
    let prefix = keys::documents(&query.kind, &query.prefix);
    let mut from = prefix.clone();
    if let Some(after) = &query.after {
        from = from.max([&inside[..], after.as_bytes(), &[0]].concat());
    }
    let end = keys::behind(&prefix).max(from.clone());
    let rows_max = if query.rows_max == 0 { PAGE_ROWS_MAX } else { query.rows_max.min(PAGE_ROWS_MAX) };
    let mut page = LedgerPage::default();
    let (mut bytes, mut last) = (0, None);
    for (scanned, row) in core.db.range(from..end).enumerate() {
        if page.documents.len() >= rows_max || scanned >= SCAN_ROWS_MAX || bytes >= LEDGER_PAGE_BYTES_MAX {
            page.more_after = last;
            break;
        }
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        last = keys::read_document(&key).map(|(_, id)| id.to_owned()).or(last);
        let Ok(kept) = read(core, &key, &raw) else {
            page.corrupt += 1;
            continue;
        };
        bytes += kept.value.len();
        page.documents.extend(kept.visible(now).then(|| document(&key, kept)).flatten());
    }
    Ok((page, core.is_undurable(&inside)))
}
