//! The trait and what its operations take and give.
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::{
    AgencyId, AttemptPage, AttemptQuery, AuditHead, AuditPage, AuditQuery, AuditReport, BlobId, BucketName, CallId,
    CampaignSize, Cdr, Contact, ContactPage, ContactQuery, ContactWrite, ContactsAdded, Document, LedgerChange,
    LedgerDone, LedgerPage, LedgerQuery, LegBegan, LegId, NewContact, NumberKey, OptOut, OptOutPage, OptOutQuery,
    OptOutScope, Pending, ScriptName, SeedPage, StoreError, SubjectHash, UtcMs,
};

/// What is kept. Each operation is one transaction of whatever backend stands behind.
///
/// An operation begins when it is called; its [`Pending`] is only the answer. `now` is always an argument.
pub trait Store: Send + Sync + 'static {
    /// Records soon that a leg is alive. Calling it again while the leg lives replaces what is known of it.
    ///
    /// # Errors
    /// [`StoreError::Busy`], [`StoreError::DiskFull`], [`StoreError::Failed`]; [`StoreError::AlreadyRecorded`] when the
    /// leg has ended.
    fn leg_began(&self, leg: LegBegan) -> Result<(), StoreError>;

    /// Records soon that a leg has ended: its call record takes the place of its begin-marker in one transaction.
    ///
    /// # Errors
    /// As `leg_began`. After an error the leg still counts as alive, so that recovery will find it.
    fn leg_ended(&self, cdr: Cdr) -> Result<(), StoreError>;

    /// Resolves when everything handed over before is durable.
    fn settled(&self) -> Pending<()>;

    /// Gives every leg that a former process left alive its call record, with cause `crash` and ending at `now`.
    /// Answers with those legs. Call it once, after opening and before the first call.
    fn recover_crashed_legs(&self, now: UtcMs) -> Pending<Vec<LegId>>;

    /// One page of call records, by their end and then by agency, call and leg.
    fn cdrs(&self, query: CdrQuery) -> Pending<CdrPage>;

    /// Deletes up to `rows_max` records that ended before `before` (of one agency, or of all), and recordings that no
    /// remaining record names. Answers when their files are gone from the disk. Call again while [`Deleted::more`].
    fn cdrs_delete_before(&self, agency: Option<AgencyId>, before: UtcMs, rows_max: usize) -> Pending<Deleted>;

    /// Deletes the recordings of up to `rows_max` records that ended before `before` (of one agency, or of all). The
    /// records stay and say so ([`crate::Recording::deleted_ms`] is `now`). A blob that a later record names goes with
    /// the last. Answers when the files are gone from the disk. Call again while [`Deleted::more`].
    fn recordings_delete_before(
        &self,
        agency: Option<AgencyId>,
        before: UtcMs,
        now: UtcMs,
        rows_max: usize,
    ) -> Pending<Deleted>;

    /// Takes a person out of up to `rows_max` of their call records: their party becomes "erased", without hash and
    /// sealed number; the recordings of all legs of these calls are deleted as by `recordings_delete_before`, and so
    /// are the ledger's documents of kind [`crate::TRACE_KIND`] under these calls' ids, in the same transaction as
    /// each record. Answers when the files are gone from the disk. Call again while [`Erased::more`]. A call that is
    /// still going on is not touched; the database's file holds old bytes until it reuses their place; backups made
    /// before hold what they held.
    ///
    /// In campaigns their contacts and attempts go; a contact's place stays, done, so that the campaign's figures still
    /// sum up, and whatever is written of it later is let fall. Their opt-outs stay: they hold no more than a key, and
    /// protect the person.
    fn subject_erase(&self, subject: SubjectHash, now: UtcMs, rows_max: usize) -> Pending<Erased>;

    /// The entry, or `None` when there is none or its time has passed.
    fn bucket_get(&self, bucket: &Bucket, key: &str, now: UtcMs) -> Pending<Option<Entry>>;

    /// Sets a key for `ttl`, or for good. Answers with its new version.
    fn bucket_set(
        &self,
        bucket: &Bucket,
        key: &str,
        value: &[u8],
        ttl: Option<Duration>,
        quota: Quota,
        now: UtcMs,
    ) -> Pending<u64>;

    /// Sets a key only if it is at version `expected` (0: only if it does not exist), else [`StoreError::Conflict`].
    #[expect(clippy::too_many_arguments, reason = "each is one parameter of the transaction")]
    fn bucket_compare_and_set(
        &self,
        bucket: &Bucket,
        key: &str,
        expected: u64,
        value: &[u8],
        ttl: Option<Duration>,
        quota: Quota,
        now: UtcMs,
    ) -> Pending<u64>;

    /// Adds to a whole number kept as decimal text (missing: 0) and answers with the sum. Keeps the key's time to live.
    fn bucket_increment(&self, bucket: &Bucket, key: &str, delta: i64, quota: Quota, now: UtcMs) -> Pending<i64>;

    /// Deletes a key; says whether it was there. Works when the disk is low.
    fn bucket_delete(&self, bucket: &Bucket, key: &str, now: UtcMs) -> Pending<bool>;

    /// Keys in byte order.
    fn bucket_list(&self, bucket: &Bucket, query: KeyQuery, now: UtcMs) -> Pending<KeyPage>;

    /// Removes up to `rows_max` entries whose time has passed, of all agencies. They are invisible before that.
    fn buckets_sweep(&self, now: UtcMs, rows_max: usize) -> Pending<Swept>;

    /// Keeps bytes as a file under their hash. Putting the same bytes again changes nothing.
    fn blob_put(&self, bytes: Vec<u8>) -> Pending<BlobId>;

    /// Takes a finished file (a recording) over: it is moved into the store, or copied and removed when on another disk.
    fn blob_take_file(&self, path: PathBuf) -> Pending<BlobId>;

    /// The bytes, checked against their hash. A damaged blob is set aside.
    fn blob_read(&self, id: BlobId) -> Pending<Vec<u8>>;

    /// The blob as an open file, at its beginning, after its bytes were checked against their hash: for what is too large
    /// for memory, and for parts of it. A damaged blob is set aside.
    fn blob_open(&self, id: BlobId) -> Pending<std::fs::File>;

    /// Deletes a blob; says whether it was there.
    fn blob_delete(&self, id: BlobId) -> Pending<bool>;

    /// The document, or `None` when there is none or its time has passed.
    fn ledger_get(&self, kind: &str, id: &str, now: UtcMs) -> Pending<Option<Document>>;

    /// Documents of one kind, by their id in byte order.
    fn ledger_list(&self, query: LedgerQuery, now: UtcMs) -> Pending<LedgerPage>;

    /// Checks what the change expects, then writes and deletes its documents and adds its entries to the audit: all of
    /// it or nothing, durable when it resolves. A document may be named once; deleting what is not there is no fault.
    /// Texts of the audit are cut to their limit.
    ///
    /// Refused with [`StoreError::Stale`] when an expectation fails; with [`StoreError::DiskLow`] on a low disk unless
    /// the change is urgent, then with [`StoreError::DiskFull`]; with [`StoreError::BadName`] or
    /// [`StoreError::TooLarge`] for what [`crate::limits`] does not allow.
    fn ledger_commit(&self, change: LedgerChange, now: UtcMs) -> Pending<LedgerDone>;

    /// Removes up to `rows_max` documents whose time has passed. They are invisible before that.
    fn ledger_sweep(&self, now: UtcMs, rows_max: usize) -> Pending<Swept>;

    /// One page of the audit.
    fn audit(&self, query: AuditQuery) -> Pending<AuditPage>;

    /// The audit's last entry.
    fn audit_head(&self) -> Pending<AuditHead>;

    /// Reads the whole audit and checks its chain, and that it reaches the head mark.
    fn audit_verify(&self) -> Pending<AuditReport>;

    /// Adds up to [`crate::limits::CONTACTS_ADD_MAX`] contacts, waiting, at the end of a campaign's list. A number that the
    /// campaign has already is not added again. A crash before the answer may leave the first of them, each whole; adding
    /// all again then finds those as duplicates. Refused with [`StoreError::DiskLow`] on a low disk.
    fn contacts_add(&self, campaign: &str, rows: Vec<NewContact>, now: UtcMs) -> Pending<ContactsAdded>;

    /// One contact; none where there is no such place, or where its person was erased.
    fn contact(&self, campaign: &str, no: u32) -> Pending<Option<Contact>>;

    /// Contacts by their place. Those of erased persons are left out.
    fn contacts_page(&self, query: ContactQuery) -> Pending<ContactPage>;

    /// What is needed of every contact to go on with a campaign, by place; at most
    /// [`crate::limits::SEEDS_PAGE_ROWS_MAX`] (0 means that limit).
    fn contact_seeds(&self, campaign: &str, after: Option<u32>, rows_max: usize) -> Pending<SeedPage>;

    /// Writes down that a contact stands elsewhere, with its attempt: durable when it resolves. A claim that is there
    /// already is refused with [`StoreError::AlreadyClaimed`], so that nobody is dialled twice for one attempt. A claim
    /// is refused with [`StoreError::DiskLow`] on a low disk; an end goes on like call records.
    fn contact_write(&self, write: ContactWrite, now: UtcMs) -> Pending<()>;

    /// Attempts of one contact, or a campaign's ends in order.
    fn attempts(&self, campaign: &str, query: AttemptQuery) -> Pending<AttemptPage>;

    /// How many rows a campaign has had.
    fn campaign_size(&self, campaign: &str) -> Pending<CampaignSize>;

    /// Deletes up to `rows_max` contacts and attempts of a campaign, and at last what was counted of it: its name may
    /// then be used anew. Works when the disk is low. Call again while [`Swept::more`]; nothing may write to the campaign
    /// meanwhile.
    fn campaign_erase(&self, campaign: &str, rows_max: usize) -> Pending<Swept>;

    /// Keeps up to [`crate::limits::OPT_OUTS_PUT_MAX`] opt-outs; one that is there already is replaced, but keeps since
    /// when, and stays protected if it was. Answers with how many are new. Works when the disk is low.
    fn opt_outs_put(&self, opt_outs: Vec<OptOut>) -> Pending<u64>;

    /// Deletes an opt-out; says whether it was there.
    fn opt_out_delete(&self, number: NumberKey, scope: OptOutScope) -> Pending<bool>;

    /// One page of opt-outs.
    fn opt_outs(&self, query: OptOutQuery) -> Pending<OptOutPage>;

    /// Writes everything as JSON Lines: header, records, end with count and hash. Blocks; call it on a plain thread.
    /// Each record is whole; records written meanwhile may or may not be in it.
    ///
    /// # Errors
    /// Of writing; damaged values are set aside and counted, not fatal.
    fn export(&self, out: &mut dyn Write) -> Result<BackupSummary, StoreError>;

    /// Reads a backup into an empty store. Blocks; call it on a plain thread. If it fails, the folder refuses to open
    /// until removed: half a backup must not pass for a whole one.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], [`StoreError::Backup`] with the line.
    fn import(&self, backup: &mut dyn BufRead) -> Result<BackupSummary, StoreError>;

    /// Counters for metrics.
    fn stats(&self) -> StoreStats;
}

/// A bucket's address: one agency's, one script's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// The tenant.
    pub agency: AgencyId,
    /// Its script.
    pub script: ScriptName,
    /// The bucket.
    pub bucket: BucketName,
}

/// A value of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The bytes.
    pub value: Vec<u8>,
    /// Grows with every write of the agency and never repeats, not even after a delete.
    pub version: u64,
}

/// What an agency may keep in all its buckets together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Sum of the bytes of keys and values.
    pub bytes_max: u64,
    /// Number of keys.
    pub keys_max: u64,
    /// Bytes of one value; never above [`crate::limits::VALUE_BYTES_MAX`].
    pub value_bytes_max: u64,
    /// Bytes of one key; never above [`crate::limits::KEY_BYTES_MAX`].
    pub key_bytes_max: u64,
}

/// Which keys to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyQuery {
    /// Only keys that begin so.
    pub prefix: String,
    /// Only keys after this one: the last of the page before.
    pub after: Option<String>,
    /// At most this many, and at most [`crate::limits::LIST_KEYS_MAX`]; 0 means that limit.
    pub keys_max: usize,
}

/// A page of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<String>,
    /// There may be more after this key.
    pub more_after: Option<String>,
}

/// Which call records.
#[derive(Clone, Debug, Default)]
pub struct CdrQuery {
    /// Ended at or after.
    pub from: UtcMs,
    /// Ended before; `None`: no end.
    pub until: Option<UtcMs>,
    /// Of one agency.
    pub agency: Option<AgencyId>,
    /// Of one call.
    pub call_id: Option<CallId>,
    /// In which this subject called or was called.
    pub subject: Option<SubjectHash>,
    /// At most this many, and at most [`crate::limits::PAGE_ROWS_MAX`]; 0 means that limit.
    pub rows_max: usize,
    /// Where the page before ended.
    pub cursor: Option<CdrCursor>,
}

/// Where a page ended: opaque text, safe in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CdrCursor(pub String);

/// A page of call records.
#[derive(Clone, Debug, Default)]
pub struct CdrPage {
    /// The records. Fewer than asked does not mean the end; `next` does.
    pub cdrs: Vec<Cdr>,
    /// Give it to the next query; `None` at the end.
    pub next: Option<CdrCursor>,
    /// Damaged records met and set aside.
    pub corrupt: u64,
}

/// What a step of retention did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Records deleted.
    pub cdrs: u64,
    /// Recordings that their records no longer have.
    pub recordings: u64,
    /// Files of recordings that are gone from the disk. Fewer than recordings when another record names the same audio.
    pub blobs: u64,
    /// Files that should be gone and could not be deleted: the log says why, the next step and the next start try again.
    pub blobs_stuck: u64,
    /// There may be more.
    pub more: bool,
}

/// What a step of erasing a person did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Records in which the person's party was erased.
    pub cdrs: u64,
    /// Recordings that their records no longer have.
    pub recordings: u64,
    /// Files of recordings that are gone from the disk.
    pub blobs: u64,
    /// Files that should be gone and could not be deleted: the log says why, the next step and the next start try again.
    pub blobs_stuck: u64,
    /// Traces deleted from the ledger.
    pub traces: u64,
    /// The calls whose records were changed, each once.
    pub calls: Vec<CallId>,
    /// Contacts of campaigns that are gone: campaign and place. Whoever runs these campaigns is to be told.
    pub contacts: Vec<(String, u32)>,
    /// Attempts that went with them.
    pub attempts: u64,
    /// There may be more.
    pub more: bool,
}

/// What a step of sweeping did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Entries removed.
    pub removed: u64,
    /// There may be more.
    pub more: bool,
}

/// What a backup holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackupSummary {
    /// Call records.
    pub cdrs: u64,
    /// Begin-markers of live legs.
    pub legs: u64,
    /// Entries of buckets.
    pub entries: u64,
    /// Blobs.
    pub blobs: u64,
    /// Documents of the ledger.
    pub documents: u64,
    /// Entries of the audit.
    pub audit: u64,
    /// Contacts of campaigns, with the places of those whose persons were erased.
    pub contacts: u64,
    /// Attempts of campaigns, with the ends without one.
    pub attempts: u64,
    /// Opt-outs.
    pub opt_outs: u64,
    /// Damaged values left out.
    pub corrupt: u64,
}

/// Counters since the store was opened, and gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Writes waiting.
    pub queue_writes: u64,
    /// Bytes waiting.
    pub queue_bytes: u64,
    /// Durable commits.
    pub commits: u64,
    /// Writes made durable.
    pub writes: u64,
    /// Call records made durable.
    pub cdrs: u64,
    /// Legs alive.
    pub legs_live: u64,
    /// Call records refused after `leg_ended` had accepted them: a second for a leg, or a full disk.
    pub cdrs_refused: u64,
    /// Refusals because a queue was full.
    pub refused_busy: u64,
    /// Refusals because the disk was low or full.
    pub refused_space: u64,
    /// Refusals by quota.
    pub refused_quota: u64,
    /// Damaged values and blobs met.
    pub corrupt: u64,
    /// How long the last commit took, fsync included.
    pub commit_us_last: u64,
    /// How long the longest commit took.
    pub commit_us_max: u64,
    /// A failure of the disk stopped all writes.
    pub failed: bool,
}
