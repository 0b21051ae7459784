//! Storage as scripts see it: entries with versions, in buckets of one agency's one script.

use super::{BoxFuture, Nothing};
use gudok_core::ids::{Agency, ScriptName};
use std::sync::Arc;
use std::time::Duration;

/// A bucket. A script names only the last part; the host puts the first two before it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BucketId {
    /// The tenant.
    pub agency: Agency,
    /// Its script.
    pub script: ScriptName,
    /// The bucket.
    pub bucket: Arc<str>,
}

/// What is kept under a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StorageEntry {
    /// The bytes.
    pub value: Vec<u8>,
    /// From 1, larger with every write.
    pub version: u64,
}

/// How much the script may keep, as its limits say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StorageQuota {
    /// Keys and values together.
    pub bytes_max: u64,
}

/// The answer to a conditional write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CasAnswer {
    /// Written; the new version.
    Written(u64),
    /// Not written; the version that is there (0 for none).
    Conflict(u64),
}

/// Which keys to list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRange {
    /// Only keys that begin so.
    pub prefix: String,
    /// Only keys after this one.
    pub after: Option<String>,
    /// At most so many.
    pub keys_max: u16,
}

/// Why storage did not do it. The texts reach the script: nothing of the host's own in them.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StorageError {
    /// An allowance is used up; names it.
    #[error("{0}")]
    Quota(String),
    /// The key, value or number makes no sense; says why.
    #[error("{0}")]
    Invalid(String),
    /// Disk full, busy or broken; says which.
    #[error("{0}")]
    Unavailable(String),
}

/// Agency storage. Every write is durable when it answers.
pub trait StoragePort: Send + Sync {
    /// The entry, if there is one.
    fn get<'a>(
        &'a self,
        bucket: &'a BucketId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StorageEntry>, StorageError>>;
    /// Writes; answers the new version.
    fn set<'a>(
        &'a self,
        bucket: &'a BucketId,
        key: &'a str,
        value: Vec<u8>,
        ttl: Option<Duration>,
        quota: StorageQuota,
    ) -> BoxFuture<'a, Result<u64, StorageError>>;
    /// Writes if the version is still `expected` (0: if there is none).
    fn compare_and_set<'a>(
        &'a self,
        bucket: &'a BucketId,
        key: &'a str,
        expected: u64,
        value: Vec<u8>,
        ttl: Option<Duration>,
        quota: StorageQuota,
    ) -> BoxFuture<'a, Result<CasAnswer, StorageError>>;
    /// Adds to a decimal number; answers the sum.
    fn increment<'a>(
        &'a self,
        bucket: &'a BucketId,
        key: &'a str,
        delta: i64,
        quota: StorageQuota,
    ) -> BoxFuture<'a, Result<i64, StorageError>>;
    /// Removes; nothing there is fine.
    fn delete<'a>(&'a self, bucket: &'a BucketId, key: &'a str) -> BoxFuture<'a, Result<(), StorageError>>;
    /// Keys in byte order.
    fn list_keys<'a>(
        &'a self,
        bucket: &'a BucketId,
        range: KeyRange,
    ) -> BoxFuture<'a, Result<Vec<String>, StorageError>>;
}

/// For hosts without storage.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStorage(pub Nothing);

impl NoStorage {
    fn answer<'a, T: Send + 'a>(self) -> BoxFuture<'a, Result<T, StorageError>> {
        self.0.answer(|| StorageError::Unavailable("this host keeps no storage".into()))
    }
}

impl StoragePort for NoStorage {
    fn get<'a>(&'a self, _: &'a BucketId, _: &'a str) -> BoxFuture<'a, Result<Option<StorageEntry>, StorageError>> {
        self.answer()
    }
    fn set<'a>(
        &'a self,
        _: &'a BucketId,
        _: &'a str,
        _: Vec<u8>,
        _: Option<Duration>,
        _: StorageQuota,
    ) -> BoxFuture<'a, Result<u64, StorageError>> {
        self.answer()
    }
    fn compare_and_set<'a>(
        &'a self,
        _: &'a BucketId,
        _: &'a str,
        _: u64,
        _: Vec<u8>,
        _: Option<Duration>,
        _: StorageQuota,
    ) -> BoxFuture<'a, Result<CasAnswer, StorageError>> {
        self.answer()
    }
    fn increment<'a>(
        &'a self,
        _: &'a BucketId,
        _: &'a str,
        _: i64,
        _: StorageQuota,
    ) -> BoxFuture<'a, Result<i64, StorageError>> {
        self.answer()
    }
    fn delete<'a>(&'a self, _: &'a BucketId, _: &'a str) -> BoxFuture<'a, Result<(), StorageError>> {
        self.answer()
    }
    fn list_keys<'a>(&'a self, _: &'a BucketId, _: KeyRange) -> BoxFuture<'a, Result<Vec<String>, StorageError>> {
        self.answer()
    }
}
