//! What the writer does with legs and their records.
use std::collections::HashSet;

use super::core::{Core, read_failed};
use super::tx::{Fail, Step, Tx};
use super::writer::Write;
use super::{envelope, keys};
use crate::space::SpaceLevel;
use crate::{AgencyId, BlobId, Cdr, EndedBy, HangupCause, LegBegan, LegEnded, LegId, StoreError, UtcMs};

/// A record, encoded by who handed it over.
pub(super) struct Ended {
    pub(super) leg: Vec<u8>,
    pub(super) agency: AgencyId,
    pub(super) ended_ms: u64,
    pub(super) payload: Vec<u8>,
    pub(super) blobs: Vec<BlobId>,
}

impl Ended {
    pub(super) fn of(cdr: &Cdr) -> Result<Self, StoreError> {
        Ok(Self {
            leg: keys::leg(&cdr.began.call_id, cdr.began.leg),
            agency: cdr.began.agency.clone(),
            ended_ms: cdr.ended.ended_ms.0,
            payload: encode(cdr)?,
            blobs: cdr
                .ended
                .recordings
                .iter()
                .filter(|kept| kept.deleted_ms.is_none())
                .map(|kept| kept.sha256)
                .collect(),
        })
    }

    /// The rows of this record.
    pub(super) fn rows(&self) -> Vec<(Vec<u8>, &[u8], Vec<u8>)> {
        let mut rows = vec![
            (keys::cdr(&self.agency, self.ended_ms, &self.leg), self.payload.as_slice(), Vec::new()),
            (keys::tagged(keys::LEG, &self.leg), &[][..], keys::leg_payload(&self.agency, self.ended_ms)),
        ];
        if !self.blobs.is_empty() {
            rows.push((keys::retagged(keys::RECORDED, &rows[0].0), &[][..], Vec::new()));
        }
        rows.extend(self.blobs.iter().map(|blob| (keys::blob_use(blob, &self.leg), &[][..], Vec::new())));
        rows
    }
}

/// JSON: it says what it holds, and a later engine reads it with fields added.
pub(super) fn encode<T: serde::Serialize>(record: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(1_024);
    serde_json::to_writer(&mut bytes, record)
        .map_err(|error| StoreError::BadName { what: "record", why: format!("cannot be written as JSON: {error}") })?;
    if bytes.len() > crate::limits::CDR_BYTES_MAX {
        return Err(StoreError::TooLarge {
            what: "call record",
            bytes: bytes.len(),
            limit: crate::limits::CDR_BYTES_MAX,
        });
    }
    Ok(bytes)
}

/// Legs that end within this commit: their begin-markers need not be written at all.
pub(super) fn ending(writes: &[Write]) -> HashSet<Vec<u8>> {
    let ended = writes.iter().filter_map(|write| match write {
        Write::LegEnded(ended) => Some(ended.leg.clone()),
        _ => None,
    });
    ended.collect()
}

pub(super) fn began(
    tx: &mut Tx<'_>,
    leg: &[u8],
    payload: &[u8],
    space: SpaceLevel,
    ending: &HashSet<Vec<u8>>,
) -> Step<()> {
    tx.core.check_record(space)?;
    if !ending.contains(leg) {
        tx.put(keys::tagged(keys::MARKER, leg), payload);
    }
    Ok(())
}

pub(super) fn ended(tx: &mut Tx<'_>, ended: &Ended, space: SpaceLevel) -> Step<()> {
    tx.core.check_record(space)?;
    if tx.exists(&keys::tagged(keys::LEG, &ended.leg))? {
        tracing::error!("a second call record for one leg was refused: a fault of the engine, please report it");
        return Err(Fail::Refused(already(&ended.leg)));
    }
    put_record(tx, ended);
    Ok(())
}

fn put_record(tx: &mut Tx<'_>, ended: &Ended) {
    for (key, borrowed, owned) in ended.rows() {
        tx.put(key, if owned.is_empty() { borrowed } else { &owned });
    }
    tx.delete_marker(&ended.leg);
}

pub(super) fn already(leg: &[u8]) -> StoreError {
    let (call_id, leg) = keys::read_leg(leg).map_or((String::new(), 0), |leg| (leg.call_id.to_string(), leg.leg));
    StoreError::AlreadyRecorded { call_id, leg }
}

/// Legs of a former process: marked, not alive here.
pub(super) fn recover(tx: &mut Tx<'_>, now: UtcMs, space: SpaceLevel) -> Step<Vec<LegId>> {
    tx.core.check_record(space)?;
    tx.apply()?;
    let core = tx.core;
    let mut legs = Vec::new();
    for row in core.db.scan_prefix([keys::MARKER]) {
        let (key, value) = row?;
        let leg = &key[1..];
        if core.legs.lock().live.contains(leg) {
            continue;
        }
        let Ok(began) = decode::<LegBegan>(core, &key, &value) else {
            // Its bytes are set aside; without them there is no agency to keep a record under.
            tx.delete_marker(leg);
            tx.finish()?;
            continue;
        };
        let cdr = began.ended(LegEnded::new(now, HangupCause::Crash, EndedBy::Engine));
        if tx.exists(&keys::tagged(keys::LEG, leg))? {
            tx.delete_marker(leg);
        } else {
            put_record(tx, &Ended::of(&cdr)?);
            legs.push(cdr.id());
        }
        tx.finish()?;
    }
    Ok(legs)
}

/// The agencies that have rows of this kind: one seek for each.
pub(super) fn agencies_of(core: &Core, tag: u8) -> Result<Vec<AgencyId>, sled::Error> {
    let mut agencies = Vec::new();
    let mut from = vec![tag];
    let end = vec![tag + 1];
    while let Some(row) = core.db.range(from.clone()..end.clone()).next() {
        let (key, _) = row?;
        match keys::read_agency(&key) {
            Some(agency) => {
                from = keys::behind(&keys::of_agency(tag, &agency));
                agencies.push(agency);
            }
            // Not one of ours: step over it.
            None => {
                from = key.to_vec();
                from.push(0);
            }
        }
    }
    Ok(agencies)
}

/// Begin-markers that a former process left.
pub(super) fn markers(db: &sled::Db) -> Result<HashSet<Vec<u8>>, StoreError> {
    let keys = db.scan_prefix([keys::MARKER]).keys();
    keys.map(|key| key.map(|key| key[1..].to_vec()).map_err(|error| read_failed(&error))).collect()
}

/// A begin-marker or record read back.
pub(super) fn decode<T: serde::de::DeserializeOwned>(core: &Core, key: &[u8], value: &[u8]) -> Result<T, StoreError> {
    let payload = envelope::open(key, value).and_then(|payload| serde_json::from_slice(payload).ok());
    payload.ok_or_else(|| core.quarantine(key, value))
}
