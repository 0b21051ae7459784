//! The head mark: which entry was the last one, signed by the node's key.
use std::io::Read;
use std::path::Path;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::names::{hex, unhex};
use crate::{AuditHead, StoreError};

/// The head mark's file is a few lines.
const HEAD_FILE_BYTES_MAX: u64 = 64 * 1024;

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
