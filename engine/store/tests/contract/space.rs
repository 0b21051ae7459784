//! A disk that runs full, through the probe.
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use gudok_store::{CdrQuery, FreeSpace, LedgerChange, SledStore, SpaceNow, Store, StoreError, StoreOptions};

use crate::ledger::{draft, put};
use crate::{NOW, QUOTA, bucket, campaigns, cdr, leg};

#[derive(Default)]
struct Disk {
    free_percent: AtomicU64,
}

impl FreeSpace for Disk {
    fn probe(&self, _: &Path) -> std::io::Result<SpaceNow> {
        Ok(SpaceNow { free_bytes: self.free_percent.load(SeqCst), total_bytes: 100 })
    }
}

#[test]
fn promises_stop_first_then_records_and_reads_never() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let store =
        SledStore::open(StoreOptions { probe: Arc::clone(&disk) as _, ..StoreOptions::at(folder.path()) }).unwrap();
    let set = |key: &str| store.bucket_set(&bucket(), key, b"1", None, QUOTA, NOW).wait();
    disk.free_percent.store(10, SeqCst);
    set("k").unwrap();
    set("old").unwrap();
    let blob = store.blob_put(b"audio".to_vec()).wait().unwrap();

    disk.free_percent.store(9, SeqCst);
    let error = set("new").unwrap_err();
    assert!(matches!(error, StoreError::DiskLow { free_percent: 9, limit_percent: 10, .. }));
    assert!(error.to_string().contains("Free space"), "{error}");
    assert!(matches!(store.bucket_increment(&bucket(), "k", 1, QUOTA, NOW).wait(), Err(StoreError::DiskLow { .. })));
    let cas = store.bucket_compare_and_set(&bucket(), "k", 1, b"2", None, QUOTA, NOW).wait();
    assert!(matches!(cas, Err(StoreError::DiskLow { .. })));
    assert!(matches!(store.blob_put(b"more".to_vec()).wait(), Err(StoreError::DiskLow { .. })));
    assert!(store.bucket_delete(&bucket(), "old", NOW).wait().unwrap(), "making room is allowed");
    store.leg_began(leg("mfc", "reserve", 0)).unwrap();
    store.leg_ended(cdr("mfc", "reserve", 0, 100)).unwrap();
    store.leg_began(leg("mfc", "alive", 0)).unwrap();
    store.settled().wait().unwrap();

    disk.free_percent.store(1, SeqCst);
    store.settled().wait().unwrap();
    assert!(matches!(store.leg_began(leg("mfc", "lost", 0)), Err(StoreError::DiskFull { free_percent: 1, .. })));
    assert!(matches!(store.leg_ended(cdr("mfc", "alive", 0, 200)), Err(StoreError::DiskFull { .. })));
    assert_eq!(store.bucket_get(&bucket(), "k", NOW).wait().unwrap().unwrap().value, b"1");
    assert_eq!(store.blob_read(blob).wait().unwrap(), b"audio");
    assert_eq!(store.cdrs(CdrQuery::default()).wait().unwrap().cdrs.len(), 1);
    assert!(store.cdrs_delete_before(None, NOW, 10).wait().unwrap().cdrs == 1, "retention is the cure");

    disk.free_percent.store(50, SeqCst);
    store.leg_ended(cdr("mfc", "alive", 0, 200)).unwrap();
    set("new").unwrap();
    assert_eq!(store.cdrs(CdrQuery::default()).wait().unwrap().cdrs.len(), 1);
    assert_eq!(store.stats().refused_space, 6);
}

#[test]
fn urgent_changes_of_the_ledger_go_on_in_the_reserve() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let store =
        SledStore::open(StoreOptions { probe: Arc::clone(&disk) as _, ..StoreOptions::at(folder.path()) }).unwrap();
    let commit = |urgent: bool| {
        let (puts, audit) = (vec![put("deployment", "mfc/desk", "{}")], vec![draft("rollback", "mfc/desk")]);
        store.ledger_commit(LedgerChange { puts, audit, urgent, ..LedgerChange::default() }, NOW).wait()
    };
    disk.free_percent.store(9, SeqCst);
    assert!(matches!(commit(false), Err(StoreError::DiskLow { free_percent: 9, .. })));
    commit(true).unwrap();
    disk.free_percent.store(1, SeqCst);
    assert!(matches!(commit(false), Err(StoreError::DiskLow { .. })));
    assert!(matches!(commit(true), Err(StoreError::DiskFull { free_percent: 1, .. })));
    assert!(store.ledger_get("deployment", "mfc/desk", NOW).wait().unwrap().is_some(), "reads go on");
    assert!(!store.ledger_sweep(NOW, 10).wait().unwrap().more, "and so does making room");
    assert_eq!(store.recordings_delete_before(None, NOW, NOW, 10).wait().unwrap().recordings, 0);
    disk.free_percent.store(50, SeqCst);
    commit(false).unwrap();
    let report = store.audit_verify().wait().unwrap();
    assert_eq!((report.entries, report.is_whole()), (2, true), "what was refused left no entry");
}

#[test]
fn a_disk_that_cannot_be_asked_takes_records_and_no_promises() {
    struct Gone;
    impl FreeSpace for Gone {
        fn probe(&self, _: &Path) -> std::io::Result<SpaceNow> {
            Err(std::io::ErrorKind::NotFound.into())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(StoreOptions { probe: Arc::new(Gone), ..StoreOptions::at(folder.path()) }).unwrap();
    let set = store.bucket_set(&bucket(), "k", b"1", None, QUOTA, NOW).wait();
    assert!(matches!(set, Err(StoreError::DiskLow { .. })), "{set:?}");
    store.leg_began(leg("mfc", "goes-on", 0)).unwrap();
    store.leg_ended(cdr("mfc", "goes-on", 0, 100)).unwrap();
    store.settled().wait().unwrap();
    assert_eq!(store.cdrs(CdrQuery::default()).wait().unwrap().cdrs.len(), 1);
}

#[test]
fn on_a_low_disk_nobody_new_is_dialled_and_what_was_begun_is_still_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let store =
        SledStore::open(StoreOptions { probe: Arc::clone(&disk) as _, ..StoreOptions::at(folder.path()) }).unwrap();
    let write = |write| store.contact_write(write, NOW).wait();
    disk.free_percent.store(10, SeqCst);
    campaigns::add(&store, "flood", [1, 2]);
    write(campaigns::claim("flood", 0, 1)).unwrap();

    disk.free_percent.store(9, SeqCst);
    let add = store.contacts_add("flood", vec![campaigns::contact(3)], NOW).wait();
    assert!(matches!(add, Err(StoreError::DiskLow { .. })));
    assert!(matches!(write(campaigns::claim("flood", 1, 1)), Err(StoreError::DiskLow { .. })));
    write(campaigns::end("flood", 0, 1, 0)).unwrap();
    let opt_out = || vec![campaigns::opt_out(1, gudok_store::OptOutScope::Global)];
    assert_eq!(store.opt_outs_put(opt_out()).wait().unwrap(), 1, "it protects people");

    disk.free_percent.store(1, SeqCst);
    assert!(matches!(write(campaigns::end("flood", 0, 1, 12)), Err(StoreError::DiskFull { .. })));
    assert!(matches!(store.opt_outs_put(opt_out()).wait(), Err(StoreError::DiskFull { .. })));
    assert!(store.contact("flood", 1).wait().unwrap().is_some());
    assert!(!store.campaign_erase("flood", 1_000).wait().unwrap().more, "making room is allowed");
}
