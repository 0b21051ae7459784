//! What can go wrong, and what the person reading it should do.
use std::path::PathBuf;

/// Why the store refused or failed. Each text says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Too many writes wait for the disk.
    #[error(
        "the store's {queue} queue is full ({limit} waiting): the disk is slower than the work; try again, or give the store a faster disk"
    )]
    Busy {
        /// Which queue.
        queue: &'static str,
        /// Its limit.
        limit: usize,
    },
    /// Free space is under the limit for new promises; call records go on.
    #[error("only {free_percent} % of the disk under {} is free, below {limit_percent} %: nothing new is promised to callers. Free space or move the store to a larger disk; call records and reads go on", path.display())]
    DiskLow {
        /// The store's folder.
        path: PathBuf,
        /// Percent free now, rounded down.
        free_percent: u8,
        /// Percent required.
        limit_percent: u8,
    },
    /// Free space is under the reserve: not even call records are written.
    #[error("only {free_percent} % of the disk under {} is free, below the reserve of {limit_percent} %: call records are being lost. Free space now", path.display())]
    DiskFull {
        /// The store's folder.
        path: PathBuf,
        /// Percent free now, rounded down.
        free_percent: u8,
        /// The reserve's lower end in percent.
        limit_percent: u8,
    },
    /// The write would exceed a quota of its agency.
    #[error(
        "agency {agency}: {quota} quota of {limit} reached ({needed} needed); delete keys, or ask the admin for a larger quota"
    )]
    Quota {
        /// Whose quota.
        agency: String,
        /// Which quota.
        quota: QuotaKind,
        /// The quota.
        limit: u64,
        /// What the write needs.
        needed: u64,
    },
    /// A compare-and-set met another version.
    #[error("the key is at version {actual} (0: it does not exist); read it again and decide anew")]
    Conflict {
        /// The version found; 0 when the key does not exist.
        actual: u64,
    },
    /// A change of the ledger expected a document at another revision.
    #[error(
        "{kind} {id} is at revision {actual}, not {expected} (0: it does not exist): somebody changed it; read it again and decide anew"
    )]
    Stale {
        /// The document's kind.
        kind: String,
        /// Its id.
        id: String,
        /// The revision expected.
        expected: u64,
        /// The revision found.
        actual: u64,
    },
    /// An increment met a value that is not a whole number.
    #[error("the key's value is not a whole number; delete it or use another key for the counter")]
    NotANumber,
    /// An increment left the range of 64 bits.
    #[error("the counter would leave the range of 64-bit whole numbers")]
    Overflow,
    /// A call record is immutable, and this leg already has one.
    #[error("leg {leg} of call {call_id} already has its call record; it is kept as it was")]
    AlreadyRecorded {
        /// The call.
        call_id: String,
        /// The leg.
        leg: u16,
    },
    /// An attempt is claimed once, and this one is.
    #[error("attempt {nth} of contact {contact} of campaign {campaign} is claimed already; it is not claimed again")]
    AlreadyClaimed {
        /// The campaign.
        campaign: String,
        /// The contact's place.
        contact: u32,
        /// The attempt.
        nth: u16,
    },
    /// A campaign has no such contact.
    #[error("campaign {campaign} has no contact {contact}; it was never added, or the campaign was erased")]
    NoContact {
        /// The campaign.
        campaign: String,
        /// The place.
        contact: u32,
    },
    /// A kept value fails its checksum or cannot be read. It is set aside, never served.
    #[error("a kept {what} is damaged; its bytes were copied to {} for study. Restore it from a backup, or delete or overwrite it", kept_at.display())]
    Corrupt {
        /// What kind of value.
        what: &'static str,
        /// Where the bytes were copied.
        kept_at: PathBuf,
    },
    /// Written by a newer engine.
    #[error("the store under {} has schema {found}, this engine knows up to {known}: start the newer engine, or restore a backup made by this one", path.display())]
    NewerSchema {
        /// The store's folder.
        path: PathBuf,
        /// Schema found.
        found: u32,
        /// Newest schema known here.
        known: u32,
    },
    /// The folder holds something that is not this store.
    #[error("{} is not a Gudok store ({why}): choose an empty folder", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The database in the folder cannot be opened.
    #[error("the store under {} cannot be read ({why}): keep a copy of the folder, then import the last backup into a new one", path.display())]
    Unreadable {
        /// The store's folder.
        path: PathBuf,
        /// What the database said.
        why: String,
    },
    /// An import stopped half-way.
    #[error("an import into {} did not finish: remove the folder and import again", path.display())]
    ImportUnfinished {
        /// The store's folder.
        path: PathBuf,
    },
    /// Another process has the store open.
    #[error("the store under {} is in use by {holder}: stop it first, or choose another folder", path.display())]
    InUse {
        /// The store's folder.
        path: PathBuf,
        /// The process, as far as known.
        holder: String,
    },
    /// No such blob.
    #[error("no blob {id} is kept here; restore it from a backup if it should be")]
    BlobMissing {
        /// The blob's hash.
        id: String,
    },
    /// The blob's bytes do not have its hash.
    #[error("blob {id} is damaged; it was moved to {}. Restore it from a backup", kept_at.display())]
    BlobDamaged {
        /// The blob's hash.
        id: String,
        /// Where the bytes are now.
        kept_at: PathBuf,
    },
    /// A name, key or cursor that cannot be used.
    #[error("{what}: {why}")]
    BadName {
        /// What was named.
        what: &'static str,
        /// Why it cannot be used, and what can.
        why: String,
    },
    /// Larger than a limit of the store (not of an agency).
    #[error("{what} has {bytes} bytes; at most {limit} can be kept")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A backup that cannot be read.
    #[error("backup, line {line}: {why}")]
    Backup {
        /// Line, from 1.
        line: u64,
        /// What is wrong and what to do.
        why: String,
    },
    /// Import wants an empty store.
    #[error("the store is not empty: import into a new folder")]
    NotEmpty,
    /// An earlier failure of the disk stopped all writes.
    #[error("the store stopped writing after a failure ({why}): check the disk, then start the engine again")]
    Failed {
        /// The first failure.
        why: String,
    },
    /// The store was closed while the work was waiting.
    #[error("the store is closed")]
    Closed,
    /// A file operation failed.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// The quotas of an agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaKind {
    /// Sum of the bytes of keys and values.
    Bytes,
    /// Number of keys.
    Keys,
    /// Bytes of one value.
    ValueBytes,
    /// Bytes of one key.
    KeyBytes,
}

impl std::fmt::Display for QuotaKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            QuotaKind::Bytes => "bytes",
            QuotaKind::Keys => "keys",
            QuotaKind::ValueBytes => "value bytes",
            QuotaKind::KeyBytes => "key bytes",
        })
    }
}

impl StoreError {
    pub(crate) fn io(doing: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        StoreError::Io { doing, path: path.to_owned(), source }
    }

    /// A short stable word for metrics: no names, no paths.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            StoreError::Busy { .. } => "busy",
            StoreError::DiskLow { .. } => "disk_low",
            StoreError::DiskFull { .. } => "disk_full",
            StoreError::Quota { .. } => "quota",
            StoreError::Conflict { .. } => "conflict",
            StoreError::Stale { .. } => "stale",
            StoreError::NotANumber => "not_a_number",
            StoreError::Overflow => "overflow",
            StoreError::AlreadyRecorded { .. } => "already_recorded",
            StoreError::AlreadyClaimed { .. } => "already_claimed",
            StoreError::NoContact { .. } => "no_contact",
            StoreError::Corrupt { .. } => "corrupt",
            StoreError::NewerSchema { .. } => "newer_schema",
            StoreError::NotAStore { .. } => "not_a_store",
            StoreError::Unreadable { .. } => "unreadable",
            StoreError::ImportUnfinished { .. } => "import_unfinished",
            StoreError::InUse { .. } => "in_use",
            StoreError::BlobMissing { .. } => "blob_missing",
            StoreError::BlobDamaged { .. } => "blob_damaged",
            StoreError::BadName { .. } => "bad_name",
            StoreError::TooLarge { .. } => "too_large",
            StoreError::Backup { .. } => "backup",
            StoreError::NotEmpty => "not_empty",
            StoreError::Failed { .. } => "failed",
            StoreError::Closed => "closed",
            StoreError::Io { .. } => "io",
        }
    }
}
