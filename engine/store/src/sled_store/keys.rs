//! How rows are named. Every part but the last carries its length, so no name can reach into another's namespace.
//!
//! | row | key | payload |
//! | --- | --- | --- |
//! | call record | `C` agency, end, call, leg | [`crate::Cdr`] as JSON |
//! | leg's record | `L` call, leg | agency, end |
//! | begin-marker | `M` call, leg | [`crate::LegBegan`] as JSON |
//! | use of a blob | `B` hash, call, leg | – |
//! | blob to delete | `X` hash | – |
//! | record with recordings | `R` agency, end, call, leg | – (since schema 2) |
//! | entry | `S` agency, script, bucket, key | version, end of life, value |
//! | end of life | `E` agency, time, script, bucket, key | – |
//! | usage | `U` agency | bytes, keys, last version |
//! | document | `D` kind, id | revision, end of life, JSON (since schema 2) |
//! | end of life of a document | `T` time, kind, id | – (since schema 2) |
//! | entry of the audit | `A` number | [`crate::AuditEntry`] as JSON (since schema 2) |
//! | campaign's counts | `G` campaign | places given, last end (since schema 3, as all that follow) |
//! | contact | `P` campaign, place | who it is: sealed, and what may be seen |
//! | where a contact stands | `W` campaign, place | state, what was tried, number's key, zone |
//! | contact by number | `N` campaign, number's key | place |
//! | attempt | `K` campaign, place, attempt | its end's number, what happened |
//! | end of an attempt | `V` campaign, end's number | place, attempt |
//! | opt-out | `O` number's key, agency or nothing | protected, since when, from where |
//! | about the store | `0` name | schema; import under way; last revision, audit's head (since schema 2) |
use crate::{AgencyId, BlobId, Bucket, CallId, LegId};

pub(super) const CDR: u8 = b'C';
pub(super) const LEG: u8 = b'L';
pub(super) const MARKER: u8 = b'M';
pub(super) const BLOB_USE: u8 = b'B';
pub(super) const BLOB_DOOMED: u8 = b'X';
pub(super) const ENTRY: u8 = b'S';
pub(super) const EXPIRY: u8 = b'E';
pub(super) const USAGE: u8 = b'U';
pub(super) const RECORDED: u8 = b'R';
pub(super) const DOCUMENT: u8 = b'D';
pub(super) const DOCUMENT_END: u8 = b'T';
pub(super) const AUDIT: u8 = b'A';
pub(super) const CAMPAIGN: u8 = b'G';
pub(super) const CONTACT: u8 = b'P';
pub(super) const STAND: u8 = b'W';
pub(super) const NUMBER: u8 = b'N';
pub(super) const ATTEMPT: u8 = b'K';
pub(super) const END: u8 = b'V';
pub(super) const OPT_OUT: u8 = b'O';
pub(super) const META_SCHEMA: &[u8] = b"0schema";
pub(super) const META_IMPORTING: &[u8] = b"0importing";
pub(super) const META_REVISION: &[u8] = b"0revision";
pub(super) const META_AUDIT: &[u8] = b"0audit";

/// What a row is, for people.
pub(super) fn what(key: &[u8]) -> &'static str {
    match key.first() {
        Some(&CDR) => "call record",
        Some(&LEG) => "index of call records",
        Some(&MARKER) => "begin-marker of a leg",
        Some(&ENTRY) => "entry of an agency's bucket",
        Some(&USAGE) => "usage count of an agency",
        Some(&DOCUMENT) => "document of the ledger",
        Some(&AUDIT) => "entry of the audit",
        Some(&CAMPAIGN) => "count of a campaign",
        Some(&CONTACT | &STAND | &NUMBER) => "contact of a campaign",
        Some(&ATTEMPT | &END) => "attempt of a campaign",
        Some(&OPT_OUT) => "opt-out",
        _ => "row",
    }
}

pub(super) fn push(key: &mut Vec<u8>, name: &str) {
    // Names are checked where they enter (`names.rs`): at most 128 bytes.
    key.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    key.extend_from_slice(name.as_bytes());
}

/// Takes a name off the front.
pub(super) fn pull<'a>(key: &mut &'a [u8]) -> Option<&'a str> {
    let (len, rest) = key.split_first()?;
    let name = rest.get(..usize::from(*len))?;
    *key = &rest[name.len()..];
    std::str::from_utf8(name).ok()
}

fn pull_u64(key: &mut &[u8]) -> Option<u64> {
    let (head, rest) = key.split_first_chunk::<8>()?;
    *key = rest;
    Some(u64::from_be_bytes(*head))
}

/// Call and leg, as every key about a leg ends.
pub(super) fn leg(call: &CallId, leg: u16) -> Vec<u8> {
    let mut key = Vec::with_capacity(call.as_str().len() + 3);
    push(&mut key, call.as_str());
    key.extend_from_slice(&leg.to_be_bytes());
    key
}

pub(super) fn read_leg(mut key: &[u8]) -> Option<LegId> {
    let call_id = CallId::new(pull(&mut key)?).ok()?;
    let leg = u16::from_be_bytes(key.try_into().ok()?);
    Some(LegId { call_id, leg })
}

/// `tag`, then what [`leg`] made.
pub(super) fn tagged(tag: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(rest.len() + 1);
    key.push(tag);
    key.extend_from_slice(rest);
    key
}

/// All legs of a call.
pub(super) fn legs_of_call(call: &CallId) -> Vec<u8> {
    let mut key = vec![LEG];
    push(&mut key, call.as_str());
    key
}

pub(super) fn cdr(agency: &AgencyId, ended_ms: u64, leg: &[u8]) -> Vec<u8> {
    let mut key = cdrs_from(agency, ended_ms);
    key.extend_from_slice(leg);
    key
}

/// Where an agency's call records that ended at or after `ended_ms` begin.
pub(super) fn cdrs_from(agency: &AgencyId, ended_ms: u64) -> Vec<u8> {
    let mut key = of_agency(CDR, agency);
    key.extend_from_slice(&ended_ms.to_be_bytes());
    key
}

/// A call record's key in parts: agency, end, call and leg.
pub(super) fn read_cdr(key: &[u8]) -> Option<(AgencyId, u64, &[u8])> {
    let mut rest = key.strip_prefix(&[CDR])?;
    let agency = AgencyId::new(pull(&mut rest)?).ok()?;
    let ended_ms = pull_u64(&mut rest)?;
    Some((agency, ended_ms, rest))
}

/// The row that says of a call record that it has recordings, and the other way round: they differ in their tag only.
pub(super) fn retagged(tag: u8, key: &[u8]) -> Vec<u8> {
    tagged(tag, key.get(1..).unwrap_or_default())
}

/// The payload of a leg's row: where its record is.
pub(super) fn leg_payload(agency: &AgencyId, ended_ms: u64) -> Vec<u8> {
    let mut payload = Vec::new();
    push(&mut payload, agency.as_str());
    payload.extend_from_slice(&ended_ms.to_be_bytes());
    payload
}

pub(super) fn read_leg_payload(mut payload: &[u8]) -> Option<(AgencyId, u64)> {
    let agency = AgencyId::new(pull(&mut payload)?).ok()?;
    Some((agency, pull_u64(&mut payload)?))
}

pub(super) fn of_agency(tag: u8, agency: &AgencyId) -> Vec<u8> {
    let mut key = vec![tag];
    push(&mut key, agency.as_str());
    key
}

/// The agency of a key whose first name it is.
pub(super) fn read_agency(key: &[u8]) -> Option<AgencyId> {
    let mut rest = key.get(1..)?;
    AgencyId::new(pull(&mut rest)?).ok()
}

pub(super) fn blob_uses(blob: &BlobId) -> Vec<u8> {
    tagged(BLOB_USE, blob.as_sha256())
}

pub(super) fn blob_use(blob: &BlobId, leg: &[u8]) -> Vec<u8> {
    let mut key = blob_uses(blob);
    key.extend_from_slice(leg);
    key
}

/// The leg of a row that says where a blob is used.
pub(super) fn read_blob_use(key: &[u8]) -> Option<(BlobId, &[u8])> {
    let (hash, leg) = key.strip_prefix(&[BLOB_USE])?.split_first_chunk::<32>()?;
    Some((BlobId::from_sha256(*hash), leg))
}

/// Where a kind's documents begin whose ids begin with `prefix`.
pub(super) fn documents(kind: &str, prefix: &str) -> Vec<u8> {
    let mut key = vec![DOCUMENT];
    push(&mut key, kind);
    key.extend_from_slice(prefix.as_bytes());
    key
}

pub(super) fn document(kind: &str, id: &str) -> Vec<u8> {
    documents(kind, id)
}

/// A document's kind and id.
pub(super) fn read_document(key: &[u8]) -> Option<(&str, &str)> {
    let mut rest = key.strip_prefix(&[DOCUMENT])?;
    let kind = pull(&mut rest)?;
    Some((kind, std::str::from_utf8(rest).ok()?))
}

/// Where documents begin whose life ends at or after a time.
pub(super) fn document_ends_from(expires_ms: u64) -> Vec<u8> {
    tagged(DOCUMENT_END, &expires_ms.to_be_bytes())
}

/// The end-of-life row of a document.
pub(super) fn document_end(expires_ms: u64, document: &[u8]) -> Vec<u8> {
    let mut key = document_ends_from(expires_ms);
    key.extend_from_slice(document.get(1..).unwrap_or_default());
    key
}

/// The document whose end-of-life row this is, and its time.
pub(super) fn read_document_end(key: &[u8]) -> Option<(u64, Vec<u8>)> {
    let mut rest = key.strip_prefix(&[DOCUMENT_END])?;
    let expires_ms = pull_u64(&mut rest)?;
    Some((expires_ms, tagged(DOCUMENT, rest)))
}

pub(super) fn audit(seq: u64) -> Vec<u8> {
    tagged(AUDIT, &seq.to_be_bytes())
}

pub(super) fn read_audit(key: &[u8]) -> Option<u64> {
    let mut rest = key.strip_prefix(&[AUDIT])?;
    let seq = pull_u64(&mut rest)?;
    rest.is_empty().then_some(seq)
}

pub(super) fn bucket(bucket: &Bucket) -> Vec<u8> {
    let mut key = of_agency(ENTRY, &bucket.agency);
    push(&mut key, bucket.script.as_str());
    push(&mut key, bucket.bucket.as_str());
    key
}

pub(super) fn entry(of: &Bucket, name: &str) -> Vec<u8> {
    let mut key = bucket(of);
    key.extend_from_slice(name.as_bytes());
    key
}

/// An entry's key in parts: agency, script, bucket, key.
pub(super) fn read_entry(key: &[u8]) -> Option<(&str, &str, &str, &str)> {
    let mut rest = key.strip_prefix(&[ENTRY])?;
    let parts = (pull(&mut rest)?, pull(&mut rest)?, pull(&mut rest)?);
    Some((parts.0, parts.1, parts.2, std::str::from_utf8(rest).ok()?))
}

/// The end-of-life row of an entry.
pub(super) fn expiry(agency: &AgencyId, expires_ms: u64, entry: &[u8]) -> Vec<u8> {
    let mut key = of_agency(EXPIRY, agency);
    let rest = entry.get(key.len()..).unwrap_or_default();
    key.extend_from_slice(&expires_ms.to_be_bytes());
    key.extend_from_slice(rest);
    key
}

/// An end-of-life row's time and the key of its entry.
pub(super) fn read_expiry(key: &[u8]) -> Option<(u64, Vec<u8>)> {
    let agency = read_agency(key)?;
    let mut entry = of_agency(ENTRY, &agency);
    let mut rest = key.get(entry.len()..)?;
    let expires_ms = pull_u64(&mut rest)?;
    entry.extend_from_slice(rest);
    Some((expires_ms, entry))
}

/// The first key behind all keys that begin with `prefix`.
pub(super) fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return end;
        }
    }
    vec![u8::MAX; prefix.len() + 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BucketName, ScriptName};

    fn address(agency: &str, script: &str, bucket: &str) -> Bucket {
        Bucket {
            agency: AgencyId::new(agency).unwrap(),
            script: ScriptName::new(script).unwrap(),
            bucket: BucketName::new(bucket).unwrap(),
        }
    }

    #[test]
    fn hostile_names_stay_in_their_namespace() {
        let names = ["a", "ab", "a/b", "..", "\0", "\u{1}a", "\u{1}a\u{1}b", "S", "я", "a\0b", "\u{7f}", " "];
        let mut seen = std::collections::HashMap::new();
        for agency in names {
            for script in names {
                for bucket_name in names {
                    let of = address(agency, script, bucket_name);
                    for key in names.iter().copied().chain([""]) {
                        let row = entry(&of, key);
                        assert_eq!(read_entry(&row), Some((agency, script, bucket_name, key)));
                        let expiry = expiry(&of.agency, 7, &row);
                        assert_eq!(read_expiry(&expiry), Some((7, row.clone())));
                        assert!(seen.insert(row, (agency, script, bucket_name, key)).is_none());
                    }
                }
            }
        }
        let mine = bucket(&address("a", "b", "c"));
        let inside = seen.iter().filter(|(row, _)| row.starts_with(&mine)).count();
        assert_eq!(inside, 0, "bucket c does not exist");
        let mine = bucket(&address("a", "ab", "a"));
        let inside: Vec<_> = seen.iter().filter(|(row, _)| row.starts_with(&mine)).collect();
        assert_eq!(inside.len(), names.len() + 1);
        assert!(inside.iter().all(|(_, parts)| (parts.0, parts.1, parts.2) == ("a", "ab", "a")));
    }

    #[test]
    fn torn_keys_are_refused_not_read() {
        let row = cdr(&AgencyId::new("mfc").unwrap(), 5, &leg(&CallId::new("c").unwrap(), 3));
        assert!(read_cdr(&row).is_some());
        for len in 0..row.len() {
            let torn = read_cdr(&row[..len]).and_then(|(_, _, leg)| read_leg(leg));
            assert!(torn.is_none(), "{len}");
        }
        assert!(read_entry(b"S\xff").is_none() && read_expiry(b"E\x01a").is_none());
    }

    #[test]
    fn documents_stay_in_their_kind() {
        let names = ["a", "ab", "a/b", "\0", "\u{1}a", "я"];
        let mut seen = std::collections::HashSet::new();
        for kind in names {
            for id in names {
                let row = document(kind, id);
                assert_eq!(read_document(&row), Some((kind, id)));
                assert_eq!(read_document_end(&document_end(9, &row)), Some((9, row.clone())));
                assert!(seen.insert(row));
            }
            let inside = seen.iter().filter(|row| row.starts_with(&documents(kind, "")));
            assert_eq!(inside.count(), names.len(), "{kind:?}");
        }
        assert_eq!((read_audit(&audit(7)), read_audit(b"A1234567"), read_audit(b"A123456789")), (Some(7), None, None));
    }

    #[test]
    fn behind_is_behind() {
        assert_eq!(behind(b"ab"), b"ac");
        assert_eq!(behind(&[1, 255]), [2]);
        assert!(behind(&[255, 255]) > vec![255, 255, 255 - 1]);
    }
}
