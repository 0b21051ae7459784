//! In place of a store that does not open: nothing is kept, nothing is promised, and everybody is told why.

use gudok_store::{
    AgencyId, AttemptPage, AttemptQuery, AuditHead, AuditPage, AuditQuery, AuditReport, BackupSummary, BlobId, Bucket,
    CampaignSize, Cdr, CdrPage, CdrQuery, Contact, ContactPage, ContactQuery, ContactWrite, ContactsAdded, Deleted,
    Document, Entry, Erased, KeyPage, KeyQuery, LedgerChange, LedgerDone, LedgerPage, LedgerQuery, LegBegan, LegId,
    NewContact, NumberKey, OptOut, OptOutPage, OptOutQuery, OptOutScope, Pending, Quota, SeedPage, Store, StoreError,
    StoreStats, SubjectHash, Swept, UtcMs,
};
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Refuses all.
#[derive(Debug)]
pub(crate) struct NoStore {
    why: String,
}

impl NoStore {
    /// With the reason for which the store does not open.
    pub(crate) const fn new(why: String) -> Self {
        Self { why }
    }

    fn error(&self) -> StoreError {
        StoreError::Failed { why: self.why.clone() }
    }

    fn answer<T: Send + 'static>(&self) -> Pending<T> {
        Pending::ready(Err(self.error()))
    }
}

impl Store for NoStore {
    fn leg_began(&self, _: LegBegan) -> Result<(), StoreError> {
        Err(self.error())
    }

    fn leg_ended(&self, _: Cdr) -> Result<(), StoreError> {
        Err(self.error())
    }

    fn settled(&self) -> Pending<()> {
        self.answer()
    }

    fn recover_crashed_legs(&self, _: UtcMs) -> Pending<Vec<LegId>> {
        self.answer()
    }

    fn cdrs(&self, _: CdrQuery) -> Pending<CdrPage> {
        self.answer()
    }

    fn cdrs_delete_before(&self, _: Option<AgencyId>, _: UtcMs, _: usize) -> Pending<Deleted> {
        self.answer()
    }

    fn recordings_delete_before(&self, _: Option<AgencyId>, _: UtcMs, _: UtcMs, _: usize) -> Pending<Deleted> {
        self.answer()
    }

    fn subject_erase(&self, _: SubjectHash, _: UtcMs, _: usize) -> Pending<Erased> {
        self.answer()
    }

    fn bucket_get(&self, _: &Bucket, _: &str, _: UtcMs) -> Pending<Option<Entry>> {
        self.answer()
    }

    fn bucket_set(&self, _: &Bucket, _: &str, _: &[u8], _: Option<Duration>, _: Quota, _: UtcMs) -> Pending<u64> {
        self.answer()
    }

    fn bucket_compare_and_set(
        &self,
        _: &Bucket,
        _: &str,
        _: u64,
        _: &[u8],
        _: Option<Duration>,
        _: Quota,
        _: UtcMs,
    ) -> Pending<u64> {
        self.answer()
    }

    fn bucket_increment(&self, _: &Bucket, _: &str, _: i64, _: Quota, _: UtcMs) -> Pending<i64> {
        self.answer()
    }

    fn bucket_delete(&self, _: &Bucket, _: &str, _: UtcMs) -> Pending<bool> {
        self.answer()
    }

    fn bucket_list(&self, _: &Bucket, _: KeyQuery, _: UtcMs) -> Pending<KeyPage> {
        self.answer()
    }

    fn buckets_sweep(&self, _: UtcMs, _: usize) -> Pending<Swept> {
        self.answer()
    }

    fn blob_put(&self, _: Vec<u8>) -> Pending<BlobId> {
        self.answer()
    }

    fn blob_take_file(&self, _: PathBuf) -> Pending<BlobId> {
        self.answer()
    }

    fn blob_read(&self, _: BlobId) -> Pending<Vec<u8>> {
        self.answer()
    }

    fn blob_open(&self, _: BlobId) -> Pending<std::fs::File> {
        self.answer()
    }

    fn blob_delete(&self, _: BlobId) -> Pending<bool> {
        self.answer()
    }

    fn ledger_get(&self, _: &str, _: &str, _: UtcMs) -> Pending<Option<Document>> {
        self.answer()
    }

    fn ledger_list(&self, _: LedgerQuery, _: UtcMs) -> Pending<LedgerPage> {
        self.answer()
    }

    fn ledger_commit(&self, _: LedgerChange, _: UtcMs) -> Pending<LedgerDone> {
        self.answer()
    }

    fn ledger_sweep(&self, _: UtcMs, _: usize) -> Pending<Swept> {
        self.answer()
    }

    fn audit(&self, _: AuditQuery) -> Pending<AuditPage> {
        self.answer()
    }

    fn audit_head(&self) -> Pending<AuditHead> {
        self.answer()
    }

    fn audit_verify(&self) -> Pending<AuditReport> {
        self.answer()
    }

    fn contacts_add(&self, _: &str, _: Vec<NewContact>, _: UtcMs) -> Pending<ContactsAdded> {
        self.answer()
    }

    fn contact(&self, _: &str, _: u32) -> Pending<Option<Contact>> {
        self.answer()
    }

    fn contacts_page(&self, _: ContactQuery) -> Pending<ContactPage> {
        self.answer()
    }

    fn contact_seeds(&self, _: &str, _: Option<u32>, _: usize) -> Pending<SeedPage> {
        self.answer()
    }

    fn contact_write(&self, _: ContactWrite, _: UtcMs) -> Pending<()> {
        self.answer()
    }

    fn attempts(&self, _: &str, _: AttemptQuery) -> Pending<AttemptPage> {
        self.answer()
    }

    fn campaign_size(&self, _: &str) -> Pending<CampaignSize> {
        self.answer()
    }

    fn campaign_erase(&self, _: &str, _: usize) -> Pending<Swept> {
        self.answer()
    }

    fn opt_outs_put(&self, _: Vec<OptOut>) -> Pending<u64> {
        self.answer()
    }

    fn opt_out_delete(&self, _: NumberKey, _: OptOutScope) -> Pending<bool> {
        self.answer()
    }

    fn opt_outs(&self, _: OptOutQuery) -> Pending<OptOutPage> {
        self.answer()
    }

    fn export(&self, _: &mut dyn Write) -> Result<BackupSummary, StoreError> {
        Err(self.error())
    }

    fn import(&self, _: &mut dyn BufRead) -> Result<BackupSummary, StoreError> {
        Err(self.error())
    }

    fn stats(&self) -> StoreStats {
        StoreStats { failed: true, ..StoreStats::default() }
    }
}
