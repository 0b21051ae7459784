//! Export and import.
use std::path::Path;
use std::time::Duration;

use gudok_store::{
    BackupSummary, CdrQuery, KeyQuery, Party, Recording, Sealed, SledStore, Store, StoreError, StoreOptions, UtcMs,
};

use crate::{NOW, QUOTA, bucket, bucket_of, cdr, leg, open};

fn filled(folder: &Path) -> (SledStore, gudok_store::BlobId) {
    let store = open(folder);
    let big = store.blob_put(vec![7; 600_000]).wait().unwrap();
    let mut recorded = cdr("mfc", "c0", 0, 100);
    recorded.ended.recordings.push(Recording { id: "m".to_owned(), sha256: big, duration_ms: 5, deleted_ms: None });
    recorded.began.caller = Party::masked("+79131234567").with_sealed(Sealed::from_ciphertext(vec![1, 2, 3]));
    store.leg_ended(recorded).unwrap();
    for n in 1..50 {
        store.leg_ended(cdr("passport", &format!("c{n}"), 0, 100 + n)).unwrap();
    }
    store.leg_began(leg("mfc", "alive", 0)).unwrap();
    store.bucket_set(&bucket(), "binary", &[0, 255, 10, 13], None, QUOTA, NOW).wait().unwrap();
    store.bucket_set(&bucket(), "gone", b"", None, QUOTA, NOW).wait().unwrap();
    store.bucket_delete(&bucket(), "gone", NOW).wait().unwrap();
    store
        .bucket_set(&bucket_of("mfc", "s", "b"), "ends", b"v", Some(Duration::from_millis(5)), QUOTA, NOW)
        .wait()
        .unwrap();
    (store, big)
}

fn backup(store: &SledStore) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.export(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_backup_brings_everything_back() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, blob) = filled(from.path());
    let bytes = backup(&store);
    let copy = open(to.path());
    let summary = copy.import(&mut &bytes[..]).unwrap();
    assert_eq!(summary, BackupSummary { cdrs: 50, legs: 1, entries: 2, blobs: 1, corrupt: 0 });
    assert_eq!(backup(&copy), bytes, "a backup of the copy is the same");
    let all = |store: &SledStore| store.cdrs(CdrQuery::default()).wait().unwrap().cdrs;
    assert_eq!(all(&copy), all(&store));
    assert_eq!(copy.blob_read(blob).wait().unwrap(), vec![7; 600_000]);
    let entry = |store: &SledStore| store.bucket_get(&bucket(), "binary", NOW).wait().unwrap().unwrap();
    assert_eq!(entry(&copy), entry(&store));
    assert_eq!(copy.buckets_sweep(UtcMs(NOW.0 + 5), 10).wait().unwrap().removed, 1);
    let next = |store: &SledStore| store.bucket_set(&bucket(), "next", b"", None, QUOTA, NOW).wait().unwrap();
    assert_eq!(next(&copy), next(&store), "versions go on where they were");
    drop(copy);
    let copy = open(to.path());
    assert_eq!(copy.recover_crashed_legs(UtcMs(1)).wait().unwrap().len(), 1);
    assert_eq!(copy.cdrs_delete_before(None, UtcMs(101), 9).wait().unwrap().blobs, 1, "uses of blobs came along");
    assert!(matches!(copy.import(&mut &bytes[..]), Err(StoreError::NotEmpty)));
}

#[test]
fn a_damaged_backup_is_refused_and_half_an_import_does_not_open() {
    let from = tempfile::tempdir().unwrap();
    let bytes = backup(&filled(from.path()).0);
    let text = String::from_utf8(bytes.clone()).unwrap();
    let cut_between_lines = text.trim_end().rfind('\n').unwrap() + 1;
    let half = &bytes[..bytes.len() / 2];
    let changed = text.replacen("c17", "c18", 1).into_bytes();
    let without_a_line: String =
        text.lines().filter(|line| !line.contains("\"c3\"")).map(|line| format!("{line}\n")).collect();
    let long = [&bytes[..100], &vec![b'x'; 2 << 20]].concat();
    for damaged in [half, &bytes[..cut_between_lines], &changed, without_a_line.as_bytes(), &long] {
        let to = tempfile::tempdir().unwrap();
        let copy = open(to.path());
        let error = copy.import(&mut &damaged[..]).unwrap_err();
        assert!(matches!(error, StoreError::Backup { .. }), "{error}");
        drop(copy);
        let reopened = SledStore::open(StoreOptions::at(to.path()));
        assert!(matches!(reopened, Err(StoreError::ImportUnfinished { .. })));
    }
}

#[test]
fn a_backup_of_a_newer_engine_is_refused_before_anything_is_written() {
    let to = tempfile::tempdir().unwrap();
    let store = open(to.path());
    for header in ["{\"gudok_backup\":2,\"schema\":1}\n", "{\"gudok_backup\":1,\"schema\":99}\n"] {
        let error = store.import(&mut header.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("newer engine"), "{error}");
    }
    assert!(matches!(store.import(&mut &b"hello\n"[..]), Err(StoreError::Backup { line: 1, .. })));
    drop(store);
    let store = open(to.path());
    assert!(store.bucket_list(&bucket(), KeyQuery::default(), NOW).wait().unwrap().keys.is_empty());
}
