//! A journal as it lies on the disk: a head that may be read without a key, and a sealed page.
//!
//! ```text
//! magic 4 · head's length 4 · body's length 4 · check 8 · head · body
//! ```
//! Lengths are little-endian. The check is of lengths and head, so that a record is recognised in a file that a crash has
//! cut off; the body has a seal of its own, which covers the head, too. An erased record keeps its place: zeros.

use crate::keys::JournalKey;
use gudok_plugin_host::journal::{CallJournal, JournalHeader};
use gudok_store::SubjectHash;
use sha2::{Digest, Sha256};
use std::ops::Range;

const MAGIC: &[u8; 4] = b"gjr1";
const MAGIC_ERASED: &[u8; 4] = b"gjr0";
const LEN_BYTES: usize = 4;
const CHECK_BYTES: usize = 8;
/// Magic, lengths and check.
pub(super) const FRAME_BYTES: usize = 4 + 2 * LEN_BYTES + CHECK_BYTES;
const SUBJECT_BYTES: usize = 32;

/// What may be known of a record without its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Head {
    pub(super) header: JournalHeader,
    /// The person's keyed hash; none where the number was withheld.
    pub(super) subject: Option<[u8; SUBJECT_BYTES]>,
}

impl Head {
    pub(super) fn new(header: JournalHeader, subject: Option<SubjectHash>) -> Self {
        Self { header, subject: subject.map(|hash| *hash.as_bytes()) }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.subject.unwrap_or_default().to_vec();
        bytes.extend(self.header.to_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (subject, header) = bytes.split_first_chunk::<SUBJECT_BYTES>()?;
        let subject = Some(*subject).filter(|subject| *subject != [0; SUBJECT_BYTES]);
        Some(Self { header: JournalHeader::from_bytes(header).ok()?, subject })
    }
}

/// A whole record. None where it does not fit into its lengths.
pub(super) fn write(journal: &CallJournal, head: &Head, key: &JournalKey) -> Option<Vec<u8>> {
    let head = head.to_bytes();
    let body = key.seal(&head, journal.page())?;
    let mut record = Vec::with_capacity(FRAME_BYTES + head.len() + body.len());
    record.extend(frame(MAGIC, u32::try_from(head.len()).ok()?, u32::try_from(body.len()).ok()?, &head));
    record.extend(head);
    record.extend(body);
    Some(record)
}

/// The journal of a record. None where a bit of it is not as it was written.
pub(super) fn open(record: &[u8], key: &JournalKey) -> Option<CallJournal> {
    let Found::Record { head, body, .. } = find(record, 0)? else { return None };
    let head_bytes = record.get(FRAME_BYTES..body.start)?;
    let page = key.open(head_bytes, record.get(body)?)?;
    Some(CallJournal::from_parts(head.header, page))
}

/// What takes the place of a record of so many bytes.
pub(super) fn erased(record_len: usize) -> Vec<u8> {
    let body_len = u32::try_from(record_len.saturating_sub(FRAME_BYTES)).unwrap_or(0);
    let mut record = frame(MAGIC_ERASED, 0, body_len, &[]);
    record.resize(record_len, 0);
    record
}

fn frame(magic: &[u8; 4], head_len: u32, body_len: u32, head: &[u8]) -> Vec<u8> {
    let lengths = [head_len.to_le_bytes(), body_len.to_le_bytes()].concat();
    [magic.as_slice(), &lengths, &check(magic, &lengths, head)].concat()
}

fn check(magic: &[u8], lengths: &[u8], head: &[u8]) -> [u8; CHECK_BYTES] {
    let hash = Sha256::new().chain_update(magic).chain_update(lengths).chain_update(head).finalize();
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&hash[..CHECK_BYTES]);
    check
}

/// What stands at a place of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Found {
    Record { head: Box<Head>, body: Range<usize>, end: usize },
    Erased { end: usize },
}

impl Found {
    pub(super) const fn end(&self) -> usize {
        match self {
            Self::Record { end, .. } | Self::Erased { end } => *end,
        }
    }
}

/// The record that begins at a place; none where there is none, or not whole.
pub(super) fn find(file: &[u8], at: usize) -> Option<Found> {
    let frame = file.get(at..at + FRAME_BYTES)?;
    let (magic, rest) = frame.split_at_checked(4)?;
    let (lengths, checked) = rest.split_at_checked(2 * LEN_BYTES)?;
    let len = |at: usize| Some(u32::from_le_bytes(lengths.get(at..at + LEN_BYTES)?.try_into().ok()?) as usize);
    let head_at = at + FRAME_BYTES;
    let body_at = head_at.checked_add(len(0)?)?;
    let end = body_at.checked_add(len(LEN_BYTES)?)?;
    let head = file.get(head_at..body_at)?;
    if end > file.len() || check(magic, lengths, head) != checked {
        return None;
    }
    match magic {
        magic if magic == MAGIC => {
            Some(Found::Record { head: Box::new(Head::from_bytes(head)?), body: body_at..end, end })
        }
        magic if magic == MAGIC_ERASED => Some(Found::Erased { end }),
        _ => None,
    }
}

/// Where the next record begins, at or behind a place: a damaged one is stepped over.
pub(super) fn next(file: &[u8], from: usize) -> Option<(usize, Found)> {
    (from..file.len().saturating_sub(FRAME_BYTES - 1))
        .filter(|at| file[*at..].starts_with(MAGIC) || file[*at..].starts_with(MAGIC_ERASED))
        .find_map(|at| find(file, at).map(|found| (at, found)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::keys::NodeKey;
    use gudok_core::ids::{Agency, CallId, Entry, ScriptName, ScriptVersion};
    use gudok_core::time::Timestamp;

    pub(in crate::journals) fn journal(call: u128, page: &[u8]) -> CallJournal {
        let header = JournalHeader {
            call: CallId::from_random(call),
            agency: Agency::new("mfc"),
            entry: Entry::new("main"),
            script: ScriptVersion { script: ScriptName::new("mfc"), version: "1.0.0".into(), bundle_sha256: [7; 32] },
            began: Timestamp::from_millis(1_000),
            ended: Timestamp::from_millis(2_000),
            host_calls: 3,
            is_cut: false,
        };
        CallJournal::from_parts(header, page.to_vec())
    }

    #[test]
    fn a_record_opens_as_it_was_written_and_a_flipped_bit_is_refused() {
        let key = NodeKey::ephemeral().journal();
        let journal = journal(1, b"the caller entered 4321, and her name is Anna");
        let head = Head { header: journal.header.clone(), subject: Some([3; 32]) };
        let record = write(&journal, &head, &key).unwrap();
        let opened = open(&record, &key).unwrap();
        assert_eq!((opened.header.clone(), opened.page().to_vec()), (journal.header.clone(), journal.page().to_vec()));
        assert!(!record.windows(4).any(|bytes| bytes == b"4321"));
        for at in 0..record.len() {
            let mut flipped = record.clone();
            flipped[at] ^= 1;
            assert!(open(&flipped, &key).is_none(), "bit of byte {at} of {}", record.len());
        }
        assert!(open(&record, &NodeKey::ephemeral().journal()).is_none(), "another node's key opens nothing");
    }

    #[test]
    fn records_are_found_behind_a_damaged_one_and_before_a_half_one() {
        let key = NodeKey::ephemeral().journal();
        let record = |call| {
            let journal = journal(call, &[9; 100]);
            let head = Head { header: journal.header.clone(), subject: None };
            write(&journal, &head, &key).unwrap()
        };
        let (first, second, third) = (record(1), record(2), record(3));
        let mut file = [first.clone(), second.clone(), third.clone()].concat();
        file.truncate(file.len() - 1);
        let calls = |file: &[u8]| {
            let (mut at, mut calls) = (0, Vec::new());
            while let Some((_, found)) = next(file, at) {
                at = found.end();
                calls.push(match found {
                    Found::Record { head, .. } => head.header.call.as_u128(),
                    Found::Erased { .. } => 0,
                });
            }
            calls
        };
        assert_eq!(calls(&file), [1, 2], "the last one is not whole");
        file[first.len() / 4] ^= 1;
        file.extend(&third[third.len() - 1..]);
        assert_eq!(calls(&file), [2, 3], "the first one's head is damaged");
        let end = first.len() + second.len();
        file[first.len()..end].copy_from_slice(&erased(second.len()));
        assert_eq!(calls(&file), [0, 3]);
    }
}
