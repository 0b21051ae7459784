//! What needs a look inside: damage done to the database behind the store's back.
mod campaigns;
mod ledger;

use std::time::Duration;

use super::*;
use crate::{
    AgencyId, BucketName, CallId, CdrQuery, Direction, EndedBy, HangupCause, KeyQuery, LegBegan, LegEnded, Mode, Party,
    ScriptName, Store, Swept,
};

const QUOTA: Quota = Quota { bytes_max: 1 << 40, keys_max: 1_000_000, value_bytes_max: 1 << 20, key_bytes_max: 1_000 };
const NOW: UtcMs = UtcMs(1_000);

fn open(folder: &tempfile::TempDir) -> SledStore {
    SledStore::open(StoreOptions { cache_bytes: 1 << 20, ..StoreOptions::at(folder.path()) }).unwrap()
}

fn bucket(agency: &str) -> Bucket {
    Bucket {
        agency: AgencyId::new(agency).unwrap(),
        script: ScriptName::new("s").unwrap(),
        bucket: BucketName::new("b").unwrap(),
    }
}

fn leg(call: &str) -> LegBegan {
    let call_id = CallId::new(call).unwrap();
    LegBegan {
        call_id: call_id.clone(),
        leg: 0,
        parent: None,
        chain_id: call_id,
        agency: AgencyId::new("mfc").unwrap(),
        entry: String::new(),
        script: String::new(),
        script_version: String::new(),
        direction: Direction::Inbound,
        caller: Party::withheld(),
        called: Party::own_number("100"),
        trunk: String::new(),
        started_ms: UtcMs(10),
        mode: Mode::Attended,
        language: String::new(),
        area: String::new(),
        campaign: None,
    }
}

fn end(at: u64) -> LegEnded {
    LegEnded::new(UtcMs(at), HangupCause::Normal, EndedBy::Caller)
}

/// Flips the last bit of a row's value.
fn damage(store: &SledStore, key: &[u8]) {
    let mut value = store.core.db.get(key).unwrap().unwrap().to_vec();
    *value.last_mut().unwrap() ^= 1;
    store.core.db.insert(key, value).unwrap();
}

#[test]
fn a_damaged_entry_is_reported_kept_aside_and_never_taken_for_absent() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let mfc = bucket("mfc");
    store.bucket_set(&mfc, "slot", b"taken", None, QUOTA, NOW).wait().unwrap();
    let row = keys::entry(&mfc, "slot");
    damage(&store, &row);
    let Err(StoreError::Corrupt { kept_at, .. }) = store.bucket_get(&mfc, "slot", NOW).wait() else { panic!("served") };
    let copy = std::fs::read(&kept_at).unwrap();
    assert!(copy.windows(row.len()).any(|part| part == row), "the copy names its row");
    // "Must not exist" does not hold for what cannot be read: the slot stays taken until somebody decides.
    let cas = store.bucket_compare_and_set(&mfc, "slot", 0, b"mine", None, QUOTA, NOW).wait();
    assert!(matches!(cas, Err(StoreError::Corrupt { .. })));
    assert!(matches!(store.bucket_increment(&mfc, "slot", 1, QUOTA, NOW).wait(), Err(StoreError::Corrupt { .. })));
    assert_eq!(store.bucket_list(&mfc, KeyQuery::default(), NOW).wait().unwrap().keys, ["slot"]);
    assert!(store.stats().corrupt >= 3);
    assert_eq!(
        std::fs::read_dir(folder.path().join("quarantine")).unwrap().count(),
        1,
        "one copy, however often it is met"
    );
    store.bucket_set(&mfc, "slot", b"free", None, QUOTA, NOW).wait().unwrap();
    assert_eq!(store.bucket_get(&mfc, "slot", NOW).wait().unwrap().unwrap().value, b"free");
    let usage = store.core.read(&keys::of_agency(keys::USAGE, &mfc.agency)).unwrap().unwrap();
    let usage = buckets::Usage::decode(&usage).unwrap();
    assert_eq!((usage.keys, usage.bytes), (1, 8));
}

#[test]
fn a_damaged_record_is_counted_and_the_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for n in 0..3 {
        store.leg_ended(leg(&format!("c{n}")).ended(end(100 + n))).unwrap();
    }
    store.settled().wait().unwrap();
    damage(&store, &keys::cdr(&AgencyId::new("mfc").unwrap(), 101, &keys::leg(&CallId::new("c1").unwrap(), 0)));
    let page = store.cdrs(CdrQuery::default()).wait().unwrap();
    assert_eq!((page.cdrs.len(), page.corrupt, page.next), (2, 1, None));
    let one = CdrQuery { call_id: Some(CallId::new("c1").unwrap()), ..CdrQuery::default() };
    assert_eq!(store.cdrs(one).wait().unwrap().corrupt, 1);
    // Still immutable, and retention still gets rid of it.
    assert!(matches!(store.leg_ended(leg("c1").ended(end(1))), Err(StoreError::AlreadyRecorded { .. })));
    assert_eq!(store.cdrs_delete_before(None, UtcMs(1_000), 10).wait().unwrap().cdrs, 3);
    assert!(
        store.core.db.scan_prefix([keys::CDR]).next().is_none()
            && store.core.db.scan_prefix([keys::LEG]).next().is_none()
    );
}

#[test]
fn a_damaged_usage_count_is_counted_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let mfc = bucket("mfc");
    let mut version = 0;
    for key in ["a", "b", "c"] {
        version = store.bucket_set(&mfc, key, b"12345", None, QUOTA, NOW).wait().unwrap();
    }
    damage(&store, &keys::of_agency(keys::USAGE, &mfc.agency));
    let three = Quota { keys_max: 3, ..QUOTA };
    assert!(matches!(
        store.bucket_set(&mfc, "d", b"1", None, three, NOW).wait(),
        Err(StoreError::Quota { needed: 4, .. })
    ));
    assert!(store.bucket_set(&mfc, "a", b"1", None, three, NOW).wait().unwrap() > version);
}

#[test]
fn a_damaged_begin_marker_does_not_stop_recovery() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for call in ["c1", "c2"] {
        store.leg_began(leg(call)).unwrap();
    }
    store.settled().wait().unwrap();
    damage(&store, &keys::tagged(keys::MARKER, &keys::leg(&CallId::new("c1").unwrap(), 0)));
    drop(store);
    let store = open(&folder);
    let recovered = store.recover_crashed_legs(UtcMs(500)).wait().unwrap();
    assert_eq!(recovered.iter().map(ToString::to_string).collect::<Vec<_>>(), ["c2.0"]);
    assert!(store.core.db.scan_prefix([keys::MARKER]).next().is_none());
}

#[test]
fn torn_snapshots_do_not_keep_the_store_shut() {
    let folder = tempfile::tempdir().unwrap();
    let mfc = bucket("mfc");
    for round in 0..4_u8 {
        let store = open(&folder);
        for n in 0..200 {
            store.bucket_delete(&mfc, &format!("old{n}"), NOW).wait().unwrap();
            let set = store.bucket_set(&mfc, &format!("k{n}"), &[round; 100], None, QUOTA, NOW);
            if n % 20 == 0 {
                set.wait().unwrap();
            }
        }
        drop(store);
    }
    let sled = folder.path().join("sled");
    let snapshots = || -> Vec<PathBuf> {
        let files = std::fs::read_dir(&sled).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap.")).collect()
    };
    let whole = snapshots();
    assert!(!whole.is_empty(), "sled wrote a snapshot");
    assert_eq!(std::fs::read_dir(folder.path().join("set-aside")).unwrap().count(), 0, "whole snapshots stay");
    let bytes = std::fs::read(&whole[0]).unwrap();
    // Half-written, as a full disk or a power cut leaves it; then the finished one torn as well.
    std::fs::write(sled.join("snap.7FFFFFFFFFFFFFFF.generating"), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(&whole[0], &bytes[..bytes.len() - 1]).unwrap();
    let store = open(&folder);
    for n in 0..200 {
        assert_eq!(store.bucket_get(&mfc, &format!("k{n}"), NOW).wait().unwrap().unwrap().value, [3; 100], "k{n}");
    }
    assert_eq!(std::fs::read_dir(folder.path().join("set-aside")).unwrap().count(), 2, "copies are kept");
}

#[test]
fn the_largest_values_never_leave_sleds_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let mfc = bucket("mfc");
    let value = vec![7; crate::limits::VALUE_BYTES_MAX];
    let pending: Vec<_> =
        (0..60).map(|n| store.bucket_set(&mfc, &format!("{n:0500}"), &value, None, QUOTA, NOW)).collect();
    for set in pending {
        set.wait().unwrap();
    }
    let unsynced = folder.path().join("sled/blobs");
    assert_eq!(std::fs::read_dir(unsynced).unwrap().count(), 0, "sled does not sync these files");
    drop(store);
    let store = open(&folder);
    assert_eq!(store.bucket_get(&mfc, &format!("{:0500}", 59), NOW).wait().unwrap().unwrap().value, value);
}

#[test]
fn what_retention_doomed_is_deleted_at_the_next_opening() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let doomed = store.blob_put(b"doomed".to_vec()).wait().unwrap();
    let used_again = store.blob_put(b"used again".to_vec()).wait().unwrap();
    // As if the engine had died between the commit and the deletion.
    for id in [doomed, used_again] {
        let key = blobs::doomed_key(&id);
        let value = envelope::seal(&key, &[]);
        store.core.db.insert(key, value).unwrap();
    }
    let key = keys::blob_use(&used_again, &keys::leg(&CallId::new("c").unwrap(), 0));
    store.core.db.insert(key.clone(), envelope::seal(&key, &[])).unwrap();
    drop(store);
    let store = open(&folder);
    assert!(matches!(store.blob_read(doomed).wait(), Err(StoreError::BlobMissing { .. })));
    assert_eq!(store.blob_read(used_again).wait().unwrap(), b"used again");
    store.settled().wait().unwrap();
    assert!(store.core.db.scan_prefix([keys::BLOB_DOOMED]).next().is_none());
}

#[test]
fn after_a_failure_nothing_more_is_acknowledged_and_reads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let mfc = bucket("mfc");
    store.bucket_set(&mfc, "k", b"v", None, QUOTA, NOW).wait().unwrap();
    store.core.fail("pulled the cable");
    assert!(matches!(store.bucket_set(&mfc, "k", b"w", None, QUOTA, NOW).wait(), Err(StoreError::Failed { .. })));
    assert!(matches!(store.leg_began(leg("c")), Err(StoreError::Failed { .. })));
    assert!(matches!(store.settled().wait(), Err(StoreError::Failed { .. })));
    assert!(store.stats().failed);
    assert_eq!(store.bucket_get(&mfc, "k", NOW).wait().unwrap().unwrap().value, b"v");
}

#[test]
fn a_read_of_a_value_under_way_waits_until_it_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let mfc = bucket("mfc");
    store.bucket_set(&mfc, "k", b"v", None, QUOTA, NOW).wait().unwrap();
    let commits = store.stats().commits;
    store.bucket_get(&mfc, "k", NOW).wait().unwrap();
    assert_eq!(store.stats().commits, commits, "a durable value is read at once");
    store.core.undurable.lock().insert(keys::entry(&mfc, "k"));
    store.bucket_get(&mfc, "k", NOW).wait().unwrap();
    assert_eq!(store.stats().commits, commits + 1, "it waited for a commit");
    store.core.undurable.lock().insert(keys::entry(&mfc, "k"));
    store.bucket_list(&mfc, KeyQuery::default(), NOW).wait().unwrap();
    assert_eq!(store.stats().commits, commits + 2);
}

#[test]
fn a_leg_that_begins_and_ends_within_the_window_never_writes_a_marker() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(StoreOptions { soon_ms_max: 60_000, ..StoreOptions::at(folder.path()) }).unwrap();
    store.leg_began(leg("short")).unwrap();
    store.leg_ended(leg("short").ended(end(20))).unwrap();
    store.leg_began(leg("long")).unwrap();
    store.settled().wait().unwrap();
    let markers = || store.core.db.scan_prefix([keys::MARKER]).count();
    assert_eq!((markers(), store.stats().cdrs, store.stats().commits), (1, 1, 1));
    store.leg_ended(leg("long").ended(end(30))).unwrap();
    store.settled().wait().unwrap();
    assert_eq!((markers(), store.stats().cdrs), (0, 2));
}

#[test]
fn sweeping_goes_in_bounded_steps_and_leaves_no_index_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let ttl = Some(Duration::from_millis(100));
    for agency in ["a", "b"] {
        let bucket = bucket(agency);
        let sets: Vec<_> =
            (0..30).map(|n| store.bucket_set(&bucket, &format!("k{n}"), b"v", ttl, QUOTA, NOW)).collect();
        for set in sets {
            set.wait().unwrap();
        }
        store.bucket_set(&bucket, "k0", b"for good", None, QUOTA, NOW).wait().unwrap();
    }
    let after = UtcMs(NOW.0 + 100);
    assert_eq!(store.buckets_sweep(UtcMs(after.0 - 1), 100).wait().unwrap(), Swept { removed: 0, more: false });
    assert_eq!(store.buckets_sweep(after, 40).wait().unwrap(), Swept { removed: 40, more: true });
    assert_eq!(store.buckets_sweep(after, 40).wait().unwrap(), Swept { removed: 18, more: false });
    let rows = |tag: u8| store.core.db.scan_prefix([tag]).count();
    assert_eq!((rows(keys::ENTRY), rows(keys::EXPIRY)), (2, 0));
    let usage = store.core.read(&keys::of_agency(keys::USAGE, &AgencyId::new("b").unwrap())).unwrap().unwrap();
    let usage = buckets::Usage::decode(&usage).unwrap();
    assert_eq!((usage.keys, usage.bytes), (1, 10));
}
