//! What the writer does when records, recordings and persons go: retention and erasure.
//!
//! A record that lets go of a blob leaves a row that dooms it, in the same transaction; the row goes when the file is
//! gone, or when another record turns out to name the blob.
use std::collections::{BTreeSet, HashSet};

use super::core::{Core, read_failed};
use super::tx::{Step, Tx};
use super::{blobs, campaigns, envelope, keys, ledger, legs};
use crate::limits::SWEEP_ROWS_MAX;
use crate::{AgencyId, BlobId, Cdr, Deleted, Erased, NumberKey, Party, StoreError, SubjectHash, TRACE_KIND, UtcMs};

/// Rows between two looks whether the store is being closed.
const ROWS_PER_LOOK: usize = 1_024;
/// Largest file of the quarantine that is looked into for a person's hash: no row is larger.
const QUARANTINED_ROW_BYTES_MAX: u64 = 256 * 1024;

/// Blobs that records of this operation let go of.
#[derive(Default)]
struct LetGo(HashSet<BlobId>);

impl LetGo {
    /// A leg's record names this blob no more.
    fn blob(&mut self, tx: &mut Tx<'_>, blob: BlobId, leg: &[u8]) {
        tx.delete(keys::blob_use(&blob, leg));
        tx.put(blobs::doomed_key(&blob), &[]);
        self.0.insert(blob);
    }

    /// All that a leg's record names, found without the record: it is damaged.
    fn all_of_leg(&mut self, tx: &mut Tx<'_>, leg: &[u8]) -> Step<u64> {
        let core = tx.core;
        let mut count = 0;
        for key in core.db.scan_prefix([keys::BLOB_USE]).keys() {
            let key = key?;
            if let Some((blob, of)) = keys::read_blob_use(&key)
                && of == leg
            {
                self.blob(tx, blob, leg);
                count += 1;
            }
        }
        Ok(count)
    }

    /// The recordings of a record that still has some: they are marked deleted. Answers with how many.
    fn recordings(&mut self, tx: &mut Tx<'_>, cdr: &mut Cdr, leg: &[u8], now: UtcMs) -> u64 {
        let mut count = 0;
        for recording in cdr.ended.recordings.iter_mut().filter(|recording| recording.deleted_ms.is_none()) {
            recording.deleted_ms = Some(now);
            self.blob(tx, recording.sha256, leg);
            count += 1;
        }
        count
    }

    /// Forgets those that another record names.
    fn settle(self, tx: &mut Tx<'_>) -> Step<()> {
        tx.finish()?;
        tx.apply()?;
        let core = tx.core;
        for blob in self.0 {
            if core.db.scan_prefix(keys::blob_uses(&blob)).next().transpose()?.is_some() {
                tx.delete(blobs::doomed_key(&blob));
            }
        }
        Ok(())
    }
}

/// Reads a record as the operation would see it. `None`: it is damaged, or there is none.
fn record(tx: &Tx<'_>, key: &[u8]) -> Step<Option<Cdr>> {
    Ok(tx.raw(key)?.and_then(|raw| sound(key, &raw)))
}

fn sound(key: &[u8], raw: &[u8]) -> Option<Cdr> {
    envelope::open(key, raw).and_then(|payload| serde_json::from_slice(payload).ok())
}

/// Writes a changed record back. It was within its limits before, and erasing adds a few bytes a recording at most.
fn put_back(tx: &mut Tx<'_>, key: Vec<u8>, cdr: &Cdr) -> Result<(), StoreError> {
    let payload = serde_json::to_vec(cdr)
        .map_err(|error| StoreError::BadName { what: "record", why: format!("cannot be written as JSON: {error}") })?;
    tx.put(key, &payload);
    Ok(())
}

/// One step of retention of records.
pub(super) fn cdrs_before(tx: &mut Tx<'_>, agency: Option<&AgencyId>, before: UtcMs, rows_max: usize) -> Step<Deleted> {
    tx.apply()?;
    let core = tx.core;
    let rows_max = rows_max.min(SWEEP_ROWS_MAX);
    let mut deleted = Deleted::default();
    let mut let_go = LetGo::default();
    'agencies: for agency in agencies(core, agency, keys::CDR)? {
        for row in core.db.range(keys::cdrs_from(&agency, 0)..keys::cdrs_from(&agency, before.0)) {
            if deleted.cdrs >= rows_max as u64 {
                deleted.more = true;
                break 'agencies;
            }
            let (key, raw) = row?;
            deleted.recordings += delete_record(tx, &key, &raw, &mut let_go)?;
            tx.finish()?;
            deleted.cdrs += 1;
        }
    }
    let_go.settle(tx)?;
    Ok(deleted)
}

/// Deletes a record with its rows, and lets go of its recordings: how many.
fn delete_record(tx: &mut Tx<'_>, key: &[u8], raw: &[u8], let_go: &mut LetGo) -> Step<u64> {
    let Some((_, _, leg)) = keys::read_cdr(key) else { return Ok(0) };
    let recordings = match sound(key, raw) {
        // What is deleted is not worth a date.
        Some(mut cdr) => let_go.recordings(tx, &mut cdr, leg, UtcMs::default()),
        None => {
            tx.core.quarantine(key, raw);
            let_go.all_of_leg(tx, leg)?
        }
    };
    tx.delete(keys::tagged(keys::LEG, leg));
    tx.delete(keys::retagged(keys::RECORDED, key));
    tx.delete(key.to_vec());
    Ok(recordings)
}

/// One step of retention of recordings.
pub(super) fn recordings_before(
    tx: &mut Tx<'_>,
    agency: Option<&AgencyId>,
    before: UtcMs,
    now: UtcMs,
    rows_max: usize,
) -> Step<Deleted> {
    tx.apply()?;
    let core = tx.core;
    let rows_max = rows_max.clamp(1, SWEEP_ROWS_MAX);
    let mut deleted = Deleted::default();
    let mut let_go = LetGo::default();
    let mut rows = 0;
    'agencies: for agency in agencies(core, agency, keys::RECORDED)? {
        let from = keys::retagged(keys::RECORDED, &keys::cdrs_from(&agency, 0));
        let until = keys::retagged(keys::RECORDED, &keys::cdrs_from(&agency, before.0));
        for row in core.db.range(from..until) {
            if rows >= rows_max {
                deleted.more = true;
                break 'agencies;
            }
            let (recorded, _) = row?;
            deleted.recordings += delete_recordings(tx, &keys::retagged(keys::CDR, &recorded), now, &mut let_go)?;
            tx.finish()?;
            rows += 1;
        }
    }
    let_go.settle(tx)?;
    Ok(deleted)
}

/// Takes its recordings from a record: how many.
fn delete_recordings(tx: &mut Tx<'_>, key: &[u8], now: UtcMs, let_go: &mut LetGo) -> Step<u64> {
    let Some((_, _, leg)) = keys::read_cdr(key) else { return Ok(0) };
    let count = match record(tx, key)? {
        Some(mut cdr) => {
            let count = let_go.recordings(tx, &mut cdr, leg, now);
            if count > 0 {
                put_back(tx, key.to_vec(), &cdr)?;
            }
            count
        }
        None => let_go.all_of_leg(tx, leg)?,
    };
    tx.delete(keys::retagged(keys::RECORDED, key));
    Ok(count)
}

fn agencies(core: &Core, one: Option<&AgencyId>, tag: u8) -> Result<Vec<AgencyId>, sled::Error> {
    one.map_or_else(|| legs::agencies_of(core, tag), |agency| Ok(vec![agency.clone()]))
}

/// Records that hold a person's hash, at most `rows_max` of them, and whether there may be more. Reads all records: a
/// person is erased seldom, and an index would cost every call a write at a random place.
pub(super) fn records_of(
    core: &Core,
    subject: &SubjectHash,
    rows_max: usize,
) -> Result<(Vec<Vec<u8>>, bool), StoreError> {
    let hash = subject.to_hex();
    let mut found = Vec::new();
    for (n, row) in core.db.scan_prefix([keys::CDR]).enumerate() {
        if n % ROWS_PER_LOOK == 0 {
            core.check_open()?;
        }
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        // Decoding is slower than looking. A damaged record that holds the hash is one to erase.
        let of_subject = |party: &Party| party.hash() == Some(subject);
        let theirs = contains(&raw, hash.as_bytes())
            && sound(&key, &raw).is_none_or(|cdr| of_subject(&cdr.began.caller) || of_subject(&cdr.began.called));
        if !theirs {
            continue;
        }
        if found.len() >= rows_max.clamp(1, SWEEP_ROWS_MAX) {
            return Ok((found, true));
        }
        found.push(key.to_vec());
    }
    Ok((found, false))
}

/// Erases a person from these records and contacts.
pub(super) fn erase(
    tx: &mut Tx<'_>,
    subject: &SubjectHash,
    records: &[Vec<u8>],
    contacts: &[campaigns::Place],
    now: UtcMs,
) -> Step<Erased> {
    let mut erased = Erased::default();
    let mut calls = BTreeSet::new();
    let mut let_go = LetGo::default();
    for key in records {
        let Some((_, _, leg)) = keys::read_cdr(key) else { continue };
        // Deleted by retention meanwhile.
        let Some(raw) = tx.raw(key)? else { continue };
        match sound(key, &raw) {
            Some(mut cdr) => {
                let parties = [&mut cdr.began.caller, &mut cdr.began.called];
                for party in parties.into_iter().filter(|party| party.hash() == Some(subject)) {
                    *party = Party::erased();
                }
                put_back(tx, key.clone(), &cdr)?;
            }
            // It cannot be read, so it serves nobody; and what may not be kept is in it.
            None => erased.recordings += delete_record(tx, key, &raw, &mut let_go)?,
        }
        erased.cdrs += 1;
        if let Some(leg) = keys::read_leg(leg)
            && calls.insert(leg.call_id.clone())
        {
            erased.recordings += erase_recordings(tx, &leg.call_id, now, &mut let_go)?;
            let trace = keys::document(TRACE_KIND, leg.call_id.as_str());
            erased.traces += u64::from(ledger::delete(tx, &trace)?);
        }
        tx.finish()?;
    }
    let_go.settle(tx)?;
    campaigns::erase_persons(tx, NumberKey::from(subject), contacts, now, &mut erased)?;
    erased.calls = calls.into_iter().collect();
    Ok(erased)
}

/// Takes the recordings from all legs of a call.
fn erase_recordings(tx: &mut Tx<'_>, call: &crate::CallId, now: UtcMs, let_go: &mut LetGo) -> Step<u64> {
    let core = tx.core;
    let mut count = 0;
    for row in core.db.scan_prefix(keys::legs_of_call(call)) {
        let (index, raw) = row?;
        let place = envelope::open(&index, &raw).and_then(keys::read_leg_payload);
        let Some((agency, ended_ms)) = place else { continue };
        let key = keys::cdr(&agency, ended_ms, &index[1..]);
        if tx.exists(&keys::retagged(keys::RECORDED, &key))? {
            count += delete_recordings(tx, &key, now, let_go)?;
        }
    }
    Ok(count)
}

/// Deletes copies of damaged rows that hold a person's hash, or their number's key.
pub(super) fn erase_quarantine(core: &Core, subject: &SubjectHash) -> Result<(), StoreError> {
    let folder = core.quarantine_folder();
    let (hash, key) = (subject.to_hex(), NumberKey::from(subject).0.to_be_bytes());
    let failed = |error| StoreError::io("looking through", &folder, error);
    for file in std::fs::read_dir(&folder).map_err(failed)? {
        let file = file.map_err(failed)?;
        let is_row = file.file_name().to_string_lossy().starts_with("row-");
        if !is_row || file.metadata().map_err(failed)?.len() > QUARANTINED_ROW_BYTES_MAX {
            continue;
        }
        let bytes = std::fs::read(file.path()).map_err(failed)?;
        if contains(&bytes, hash.as_bytes()) || contains(&bytes, &key) {
            std::fs::remove_file(file.path()).map_err(failed)?;
        }
    }
    Ok(())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
