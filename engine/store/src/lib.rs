//! The durable room: call records, agency storage and blobs survive `kill -9` once they are acknowledged.
//!
//! What it is: the trait [`Store`], whose operations say *what is kept* (a leg began, a leg ended, a key of an
//! agency's bucket is set under its quota, a blob is put, a document of the ledger is changed together with its audit),
//! and [`SledStore`], the embedded backend. Each operation is one SQL transaction in another backend: none hands out
//! iterators, locks or transactions of its own.
//!
//! What it deliberately is not: a cache, a queue, or a raw key-value interface. It knows nothing of calls, scripts,
//! agencies or users beyond their names, and never asks the time: every operation that depends on the time takes `now`
//! as an argument.
//!
//! Four classes of writes:
//!
//! * **Promises** (agency storage, blobs): the returned [`Pending`] resolves after the bytes are on disk. Refused with
//!   [`StoreError::DiskLow`] when less than a tenth of the disk is free.
//! * **Call records** (`leg_began`, `leg_ended`): the call never waits. They are on disk within
//!   [`StoreOptions::soon_ms_max`] plus one flush, or at the next promise; [`Store::settled`] waits for all of them.
//!   They go on in the reserve below the promises' limit.
//! * **Campaigns** ([`Store::contact_write`]): a claim is a promise, its end goes on in the reserve as call records do.
//!   Many share one commit.
//! * **The ledger** ([`Store::ledger_commit`]): promises, of which the urgent ones go on in the reserve too. An answer
//!   means that the audit's head mark names the change's entries as well ([`audit`]).
//!
//! Main types: [`Store`], [`SledStore`], [`StoreOptions`], [`Cdr`], [`LegBegan`], [`CdrQuery`], [`Bucket`], [`Quota`],
//! [`BlobId`], [`LedgerChange`], [`Document`], [`AuditEntry`], [`Contact`], [`Attempt`], [`OptOut`], [`StoreError`].
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod api;
pub mod audit;
mod campaign;
mod cause;
mod cdr;
mod error;
mod export;
mod ledger;
mod names;
mod party;
mod pending;
mod sled_store;
mod space;

pub use api::{
    BackupSummary, Bucket, CdrCursor, CdrPage, CdrQuery, Deleted, Entry, Erased, KeyPage, KeyQuery, Quota, Store,
    StoreStats, Swept,
};
pub use campaign::{
    AnsweredBy, Attempt, AttemptEnd, AttemptPage, AttemptQuery, AttemptRow, CampaignSize, Contact, ContactPage,
    ContactQuery, ContactSeed, ContactState, ContactStateKind, ContactWrite, ContactsAdded, DISPOSITION_CANCELLED,
    Disposition, Happened, NewContact, NumberKey, OptOut, OptOutPage, OptOutQuery, OptOutScope, SealedContact,
    SeedPage, Spent,
};
pub use cause::HangupCause;
pub use cdr::{
    CampaignLeg, Cdr, Direction, EndedBy, Landing, LegBegan, LegEnded, LegId, MediaStats, Mode, QueueResult, QueueWait,
    Recording, Transfer, TransferKind, TransferResult, UtcMs,
};
pub use error::{QuotaKind, StoreError};
pub use export::{CSV_HEADER, write_csv, write_json_lines};
pub use ledger::{
    AuditDraft, AuditEntry, AuditFault, AuditHead, AuditPage, AuditQuery, AuditReport, Document, Expected,
    LedgerChange, LedgerDone, LedgerPage, LedgerQuery, Put, TRACE_KIND,
};
pub use names::{AgencyId, BlobId, BucketName, CallId, ScriptName};
pub use party::{Party, Sealed, SubjectHash, SubjectKey};
pub use pending::Pending;
pub use sled_store::{SledStore, StoreOptions};
pub use space::{FreeSpace, FreeSpaceOfDisk, SpaceLimits, SpaceNow};

/// Named limits of the room; each is tested where it is applied.
pub mod limits {
    /// Longest name of an agency, script or bucket.
    pub const NAME_BYTES_MAX: usize = 64;
    /// Longest call id.
    pub const CALL_ID_BYTES_MAX: usize = 128;
    /// Longest key in a bucket, whatever the agency's quota allows.
    pub const KEY_BYTES_MAX: usize = 512;
    /// Largest value in a bucket, whatever the agency's quota allows. Seventeen of these must fit in a quarter of a
    /// sled segment: beyond that sled moves a page into a file which it never fsyncs.
    pub const VALUE_BYTES_MAX: usize = 64 * 1024;
    /// Largest call record after trimming, encoded.
    pub const CDR_BYTES_MAX: usize = 56 * 1024;
    /// Longest name of a tag in a call record.
    pub const CDR_TAG_BYTES_MAX: usize = 64;
    /// Longest free text in a call record (a tag's value, a caller's number as shown, an entry's name).
    pub const CDR_TEXT_BYTES_MAX: usize = 256;
    /// Tags and recordings kept in one call record.
    pub const CDR_LIST_ITEMS_MAX: usize = 32;
    /// Steps kept in one call record.
    pub const CDR_STEPS_MAX: usize = 64;
    /// Call records in one page.
    pub const PAGE_ROWS_MAX: usize = 1_000;
    /// Keys in one answer of `bucket_list`.
    pub const LIST_KEYS_MAX: usize = 1_000;
    /// Rows that one query looks at before it hands out what it has and a cursor.
    pub const SCAN_ROWS_MAX: usize = 10_000;
    /// Rows that one step of sweeping or retention removes at most.
    pub const SWEEP_ROWS_MAX: usize = 1_000;
    /// Expired rows removed to make room when a write meets its agency's quota.
    pub const SWEEP_ON_QUOTA_ROWS_MAX: usize = 256;
    /// Legs alive at a time, far above what one machine carries: legs that never end must not eat the memory.
    pub const LIVE_LEGS_MAX: usize = 1_000_000;
    /// Writes waiting for the writer thread, by number.
    pub const QUEUE_WRITES_MAX: usize = 32_768;
    /// Writes waiting for the writer thread, by size.
    pub const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
    /// Writes of one durable commit.
    pub const COMMIT_WRITES_MAX: usize = 4_096;
    /// Rows of one atomic step inside a commit: sled's readers wait meanwhile, so it is short.
    pub const APPLY_ROWS_MAX: usize = 128;
    /// Jobs waiting for the reading thread, and for the thread that handles blob files.
    pub const QUEUE_JOBS_MAX: usize = 1_024;
    /// Largest blob held in memory (`blob_put`, `blob_read`); a file may be larger.
    pub const BLOB_BYTES_MAX: usize = 64 * 1024 * 1024;
    /// Largest document of the ledger; what is larger belongs into a blob.
    pub const DOCUMENT_BYTES_MAX: usize = VALUE_BYTES_MAX;
    /// Longest id of a document. Its kind is a name.
    pub const DOCUMENT_ID_BYTES_MAX: usize = 256;
    /// Expectations, and documents written and deleted, and entries of the audit, that one change of the ledger may have.
    pub const LEDGER_CHANGE_ITEMS_MAX: usize = 256;
    /// Documents' and audit entries' bytes in one change of the ledger.
    pub const LEDGER_CHANGE_BYTES_MAX: usize = 1024 * 1024;
    /// Documents' bytes after which a page of the ledger ends.
    pub const LEDGER_PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
    /// Longest text of an audit entry (actor, action, object, …); longer ones are cut.
    pub const AUDIT_TEXT_BYTES_MAX: usize = 256;
    /// Largest details of an audit entry, encoded.
    pub const AUDIT_DETAILS_BYTES_MAX: usize = 16 * 1024;
    /// Faults that one check of the audit lists.
    pub const AUDIT_FAULTS_MAX: usize = 100;
    /// Head marks that a damaged audit keeps as evidence, the oldest ones.
    pub const AUDIT_MARKS_KEPT_MAX: usize = 8;
    /// Longest line of an exported audit.
    pub const AUDIT_LINE_BYTES_MAX: usize = 256 * 1024;
    /// Longest text of a contact (id, masked number, zone, language, area), of a script's words about an attempt, and of
    /// how an opt-out came here.
    pub const CONTACT_TEXT_BYTES_MAX: usize = 256;
    /// Largest sealed part of a contact: number and fields.
    pub const CONTACT_SEALED_BYTES_MAX: usize = 8 * 1024;
    /// Contacts added at once.
    pub const CONTACTS_ADD_MAX: usize = 500;
    /// Contacts of one campaign.
    pub const CAMPAIGN_CONTACTS_MAX: u32 = 10_000_000;
    /// Seeds in one page.
    pub const SEEDS_PAGE_ROWS_MAX: usize = 10_000;
    /// Contacts that one query with a filter looks at before it hands out what it has and a cursor.
    pub const CONTACTS_SCAN_ROWS_MAX: usize = 50_000;
    /// Opt-outs kept at once.
    pub const OPT_OUTS_PUT_MAX: usize = 500;
    /// Longest line of a backup.
    pub const BACKUP_LINE_BYTES_MAX: usize = 1024 * 1024;
}
