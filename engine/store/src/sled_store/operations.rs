//! [`Store`]'s operations on the embedded backend: each is handed to the thread that does it.
use std::io::{BufRead, Write as IoWrite};
use std::path::PathBuf;
use std::time::Duration;

use super::buckets::{Change, Set};
use super::queue::Urgency;
use super::writer::{Deletion, Write};
use super::{SledStore, backup, blobs, buckets, campaigns, chain, erase, keys, ledger, legs, query};
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
            let (records, more_records) = erase::records_of(&desk.core, &subject, rows_max)?;
            let (contacts, more_contacts) = campaigns::contacts_of(&desk.core, NumberKey::from(&subject), rows_max)?;
            let erased = desk
                .ask(0, |reply| Write::Deletion(Deletion::Subject { subject, records, contacts, now, reply }))
                .wait()?;
            let more = more_records || more_contacts;
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

    fn contacts_add(&self, campaign: &str, rows: Vec<NewContact>, now: UtcMs) -> Pending<ContactsAdded> {
        match campaigns::Add::new(campaign, rows, now) {
            Ok(add) => self.ask(add.bytes(), |reply| Write::ContactsAdd(Box::new(add), reply)),
            Err(error) => self.refuse(error),
        }
    }

    fn contact(&self, campaign: &str, no: u32) -> Pending<Option<Contact>> {
        let checked = campaigns::check_campaign(campaign);
        Pending::ready(checked.and_then(|()| campaigns::contact(&self.core, campaign, no)))
    }

    fn contacts_page(&self, query: ContactQuery) -> Pending<ContactPage> {
        match campaigns::check_campaign(&query.campaign) {
            Ok(()) => self.read_job(move |core| campaigns::contacts(core, &query)),
            Err(error) => self.refuse(error),
        }
    }

    fn contact_seeds(&self, campaign: &str, after: Option<u32>, rows_max: usize) -> Pending<SeedPage> {
        let name = campaign.to_owned();
        match campaigns::check_campaign(campaign) {
            Ok(()) => self.read_job(move |core| campaigns::seeds(core, &name, after, rows_max)),
            Err(error) => self.refuse(error),
        }
    }

    fn contact_write(&self, write: ContactWrite, now: UtcMs) -> Pending<()> {
        match campaigns::Change::new(write, now) {
            Ok(change) => self.ask(change.bytes(), |reply| Write::Contact(Box::new(change), reply)),
            Err(error) => self.refuse(error),
        }
    }

    fn attempts(&self, campaign: &str, query: AttemptQuery) -> Pending<AttemptPage> {
        let name = campaign.to_owned();
        match campaigns::check_campaign(campaign) {
            Ok(()) => self.read_durably(move |core| campaigns::attempts(core, &name, query)),
            Err(error) => self.refuse(error),
        }
    }

    fn campaign_size(&self, campaign: &str) -> Pending<CampaignSize> {
        let checked = campaigns::check_campaign(campaign);
        Pending::ready(checked.and_then(|()| campaigns::size(&self.core, campaign)))
    }

    fn campaign_erase(&self, campaign: &str, rows_max: usize) -> Pending<Swept> {
        let name = campaign.to_owned();
        match campaigns::check_campaign(campaign) {
            Ok(()) => self.ask(0, |reply| Write::Deletion(Deletion::Campaign { campaign: name, rows_max, reply })),
            Err(error) => self.refuse(error),
        }
    }

    fn opt_outs_put(&self, opt_outs: Vec<OptOut>) -> Pending<u64> {
        match campaigns::OptOutRows::new(opt_outs) {
            Ok(rows) => self.ask(rows.bytes(), |reply| Write::OptOuts(rows, reply)),
            Err(error) => self.refuse(error),
        }
    }

    fn opt_out_delete(&self, number: NumberKey, scope: OptOutScope) -> Pending<bool> {
        self.ask(0, |reply| Write::OptOutDelete { number, scope, reply })
    }

    fn opt_outs(&self, query: OptOutQuery) -> Pending<OptOutPage> {
        self.read_job(move |core| campaigns::opt_outs(core, &query))
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
