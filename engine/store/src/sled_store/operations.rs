//! [`Store`]'s operations on the embedded backend: each is handed to the thread that does it.
use std::io::{BufRead, Write as IoWrite};
use std::path::PathBuf;
use std::time::Duration;

use super::buckets::{Change, Set};
use super::queue::Urgency;
use super::writer::{Deletion, Write};
use super::{SledStore, backup, blobs, buckets, chain, erase, keys, ledger, legs, query};
use crate::limits::{LIVE_LEGS_MAX, NAME_BYTES_MAX};
use crate::{
    AgencyId, AttemptPage, AttemptQuery, AuditHead, AuditPage, AuditQuery, AuditReport, BackupSummary, BlobId, Bucket,
    CampaignSize, Cdr, CdrPage, CdrQuery, Contact, ContactPage, ContactQuery, ContactWrite, ContactsAdded, Deleted,
    Document, Entry, Erased, KeyPage, KeyQuery, LedgerChange, LedgerDone, LedgerPage, LedgerQuery, LegBegan, LegId,
    NewContact, NumberKey, OptOut, OptOutPage, OptOutQuery, OptOutScope, Pending, Quota, SeedPage, Store, StoreError,
    StoreStats, SubjectHash, Swept, UtcMs,
};

impl Store for SledStore {
    fn leg_began(&self, mut leg: LegBegan) -> Result<(), StoreError> {
        leg.clamp();
        let payload = legs::encode(&leg)?;
        let key = keys::leg(&leg.call_id, leg.leg);
        let bytes = payload.len() + key.len();
        self.core.check_record_cheaply().map_err(|error| self.refused(error))?;
        let mut legs = self.core.legs.lock();
        if legs.settling.contains(&key) {
            return Err(legs::already(&key));
        }
        if legs.live.len() >= LIVE_LEGS_MAX {
            return Err(self.refused(StoreError::Busy { queue: "live legs", limit: LIVE_LEGS_MAX }));
        }
        // The lock is held over both: what is in the queue and what the sets say must agree.
        self.push(Write::LegBegan { leg: key.clone(), payload }, bytes, Urgency::Soon)?;
        legs.live.insert(key);
        Ok(())
    }

    fn leg_ended(&self, mut cdr: Cdr) -> Result<(), StoreError> {
        cdr.clamp();
        let ended = legs::Ended::of(&cdr)?;
        let key = ended.leg.clone();
        let bytes = ended.payload.len() + key.len();
        self.core.check_record_cheaply().map_err(|error| self.refused(error))?;
        let mut legs = self.core.legs.lock();
        // A live leg has no record, which spares a look into the database; the writer makes sure.
        let was_live = legs.live.contains(&key);
        if legs.settling.contains(&key) || (!was_live && self.core.read(&keys::tagged(keys::LEG, &key))?.is_some()) {
            return Err(legs::already(&key));
        }
        self.push(Write::LegEnded(Box::new(ended)), bytes, Urgency::Soon)?;
        legs.live.remove(&key);
        legs.settling.insert(key);
        Ok(())
    }

    fn settled(&self) -> Pending<()> {
        self.ask(0, Write::Settled)
    }

    fn recover_crashed_legs(&self, now: UtcMs) -> Pending<Vec<LegId>> {
        self.ask(0, |reply| Write::Recover { now, reply })
    }

    fn cdrs(&self, query: CdrQuery) -> Pending<CdrPage> {
        self.read_job(move |core| query::cdrs(core, &query))
    }

    fn cdrs_delete_before(&self, agency: Option<AgencyId>, before: UtcMs, rows_max: usize) -> Pending<Deleted> {
        self.long_job(move |desk| {
            let deleted =
                desk.ask(0, |reply| Write::Deletion(Deletion::Cdrs { agency, before, rows_max, reply })).wait()?;
            let (blobs, blobs_stuck) = desk.delete_doomed_blobs()?;
            Ok(Deleted { blobs, blobs_stuck, ..deleted })
        })
    }

    fn recordings_delete_before(
        &self,
        agency: Option<AgencyId>,
        before: UtcMs,
        now: UtcMs,
        rows_max: usize,
    ) -> Pending<Deleted> {
        self.long_job(move |desk| {
            let deleted = desk
                .ask(0, |reply| Write::Deletion(Deletion::Recordings { agency, before, now, rows_max, reply }))
                .wait()?;
            let (blobs, blobs_stuck) = desk.delete_doomed_blobs()?;
            Ok(Deleted { blobs, blobs_stuck, ..deleted })
        })
    }

    fn subject_erase(&self, subject: SubjectHash, now: UtcMs, rows_max: usize) -> Pending<Erased> {
        self.long_job(move |desk| {
            // What was handed over before is among what is looked through.
            desk.ask(0, Write::Settled).wait()?;
            let (records, more) = erase::records_of(&desk.core, &subject, rows_max)?;
            let erased =
                desk.ask(0, |reply| Write::Deletion(Deletion::Subject { subject, records, now, reply })).wait()?;
            erase::erase_quarantine(&desk.core, &subject)?;
            let (blobs, blobs_stuck) = desk.delete_doomed_blobs()?;
            Ok(Erased { blobs, blobs_stuck, more, ..erased })
        })
    }

    fn ledger_get(&self, kind: &str, id: &str, now: UtcMs) -> Pending<Option<Document>> {
        let key = match ledger::document_key(kind, id) {
            Ok(key) => key,
            Err(error) => return self.refuse(error),
        };
        let found = ledger::get(&self.core, &key, now);
        // Looked at after reading, as in `bucket_get`.
        if !self.core.undurable.lock().contains(&key) {
            return Pending::ready(found);
        }
        let durable = self.settled();
        Pending::new(async move { durable.await.and(found) })
    }

    fn ledger_list(&self, query: LedgerQuery, now: UtcMs) -> Pending<LedgerPage> {
        match crate::names::check_name("kind of document", &query.kind, NAME_BYTES_MAX) {
            Ok(()) => self.read_durably(move |core| ledger::list(core, &query, now)),
            Err(error) => self.refuse(error),
        }
    }

    fn ledger_commit(&self, change: LedgerChange, now: UtcMs) -> Pending<LedgerDone> {
        match ledger::Change::new(change, now) {
            Ok(change) => self.ask(change.bytes(), |reply| Write::Ledger(Box::new(change), reply)),
            Err(error) => self.refuse(error),
        }
    }

    fn ledger_sweep(&self, now: UtcMs, rows_max: usize) -> Pending<Swept> {
        self.ask(0, |reply| Write::LedgerSweep { now, rows_max, reply })
    }

    fn audit(&self, query: AuditQuery) -> Pending<AuditPage> {
        self.read_durably(move |core| Ok((chain::page(core, &query)?, core.is_undurable(&[keys::AUDIT]))))
    }

    fn audit_head(&self) -> Pending<AuditHead> {
        self.read_durably(move |core| Ok((chain::head(core)?, core.is_undurable(&[keys::AUDIT]))))
    }

    fn audit_verify(&self) -> Pending<AuditReport> {
        self.long_job(|desk| chain::verify(&desk.core))
    }

    fn bucket_get(&self, bucket: &Bucket, key: &str, now: UtcMs) -> Pending<Option<Entry>> {
        if let Err(error) = buckets::check_key(&bucket.agency, key, u64::MAX) {
            return self.refuse(error);
        }
        let row = keys::entry(bucket, key);
        let found = match self.core.db.get(&row) {
            Ok(None) => Ok(None),
            Ok(Some(raw)) => buckets::read(&self.core, &row, &raw).map(|kept| {
                let visible = kept.visible(now);
                visible.then_some(Entry { value: kept.value, version: kept.version })
            }),
            Err(error) => Err(super::core::read_failed(&error)),
        };
        // Looked at after reading: a value of a commit under way was announced before it could be read.
        if !self.core.undurable.lock().contains(&row) {
            return Pending::ready(found);
        }
        let durable = self.settled();
        Pending::new(async move { durable.await.and(found) })
    }

    fn bucket_set(
        &self,
        bucket: &Bucket,
        key: &str,
        value: &[u8],
        ttl: Option<Duration>,
        quota: Quota,
        now: UtcMs,
    ) -> Pending<u64> {
        let set = Set { expected: None, value: value.to_vec(), expires_ms: buckets::expires_ms(now, ttl) };
        self.set(bucket, key, set, quota, now)
    }

    fn bucket_compare_and_set(
        &self,
        bucket: &Bucket,
        key: &str,
        expected: u64,
        value: &[u8],
        ttl: Option<Duration>,
        quota: Quota,
        now: UtcMs,
    ) -> Pending<u64> {
        let set = Set { expected: Some(expected), value: value.to_vec(), expires_ms: buckets::expires_ms(now, ttl) };
        self.set(bucket, key, set, quota, now)
    }

    fn bucket_increment(&self, bucket: &Bucket, key: &str, delta: i64, quota: Quota, now: UtcMs) -> Pending<i64> {
        match Change::new(bucket, key, quota, now, delta) {
            Ok(change) => self.ask(change.bytes(), |reply| Write::Increment(Box::new(change), reply)),
            Err(error) => self.refuse(error),
        }
    }

    fn bucket_delete(&self, bucket: &Bucket, key: &str, now: UtcMs) -> Pending<bool> {
        let unlimited =
            Quota { bytes_max: u64::MAX, keys_max: u64::MAX, value_bytes_max: u64::MAX, key_bytes_max: u64::MAX };
        match Change::new(bucket, key, unlimited, now, ()) {
            Ok(change) => self.ask(change.bytes(), |reply| Write::Delete(Box::new(change), reply)),
            Err(error) => self.refuse(error),
        }
    }

    fn bucket_list(&self, bucket: &Bucket, query: KeyQuery, now: UtcMs) -> Pending<KeyPage> {
        let bucket = bucket.clone();
        self.read_durably(move |core| query::list_keys(core, &bucket, &query, now))
    }

    fn buckets_sweep(&self, now: UtcMs, rows_max: usize) -> Pending<Swept> {
        self.ask(0, |reply| Write::Sweep { now, rows_max, reply })
    }

    fn blob_put(&self, bytes: Vec<u8>) -> Pending<BlobId> {
        self.file_job(move |core| blobs::put(core, &bytes))
    }

    fn blob_take_file(&self, path: PathBuf) -> Pending<BlobId> {
        self.file_job(move |core| blobs::take_file(core, &path))
    }

    fn blob_read(&self, id: BlobId) -> Pending<Vec<u8>> {
        self.file_job(move |core| blobs::read(core, &id))
    }

    fn blob_open(&self, id: BlobId) -> Pending<std::fs::File> {
        self.file_job(move |core| blobs::open(core, &id))
    }

    fn blob_delete(&self, id: BlobId) -> Pending<bool> {
        self.file_job(move |core| blobs::delete(core, &id))
    }

    fn contacts_add(&self, _: &str, _: Vec<NewContact>, _: UtcMs) -> Pending<ContactsAdded> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn contact(&self, _: &str, _: u32) -> Pending<Option<Contact>> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn contacts_page(&self, _: ContactQuery) -> Pending<ContactPage> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn contact_seeds(&self, _: &str, _: Option<u32>, _: usize) -> Pending<SeedPage> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn contact_write(&self, _: ContactWrite, _: UtcMs) -> Pending<()> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn attempts(&self, _: &str, _: AttemptQuery) -> Pending<AttemptPage> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn campaign_size(&self, _: &str) -> Pending<CampaignSize> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn campaign_erase(&self, _: &str, _: usize) -> Pending<Swept> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn opt_outs_put(&self, _: Vec<OptOut>) -> Pending<u64> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn opt_out_delete(&self, _: NumberKey, _: OptOutScope) -> Pending<bool> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn opt_outs(&self, _: OptOutQuery) -> Pending<OptOutPage> {
        self.refuse(StoreError::Failed { why: "campaigns are not kept yet".to_owned() })
    }

    fn export(&self, out: &mut dyn IoWrite) -> Result<BackupSummary, StoreError> {
        self.settled().wait()?;
        backup::export(&self.core, out)
    }

    fn import(&self, input: &mut dyn BufRead) -> Result<BackupSummary, StoreError> {
        let write = |rows, end| self.ask(0, |reply| Write::Import { rows, end, reply }).wait();
        backup::import(&self.core, input, &write)
    }

    fn stats(&self) -> StoreStats {
        self.core.stats(&self.desk.queue)
    }
}
