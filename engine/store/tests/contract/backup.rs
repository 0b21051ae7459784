//! Export and import.
use std::path::Path;
use std::time::Duration;

use gudok_store::{
    AttemptQuery, AuditQuery, BackupSummary, CdrQuery, ContactState, ContactWrite, Disposition, KeyQuery, LedgerChange,
    NumberKey, OptOutScope, Party, Put, Recording, Sealed, SledStore, Store, StoreError, StoreOptions, SubjectKey,
    UtcMs,
};

use crate::ledger::{draft, put, set};
use crate::{NOW, QUOTA, bucket, bucket_of, campaigns, cdr, leg, open};

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
    set(&store, "user", "gone", "{}");
    set(&store, "user", "anna", "{\"name\": \"Анна\"}");
    let puts = vec![Put { expires: Some(UtcMs(NOW.0 + 5)), ..put("token", "t", "{}") }];
    let deletes = vec![("user".to_owned(), "gone".to_owned())];
    let audit = vec![draft("token.create", "t")];
    store.ledger_commit(LedgerChange { puts, deletes, audit, ..LedgerChange::default() }, NOW).wait().unwrap();
    fill_campaigns(&store);
    (store, big)
}

/// A contact in each state, one whose person is erased, ends with and without an attempt, opt-outs.
fn fill_campaigns(store: &SledStore) {
    let anna = SubjectKey::new([3; 32]).hash("+79131234521");
    campaigns::add(store, "flood", [1, 2, 3, NumberKey::from(&anna).0]);
    let write = |write| store.contact_write(write, NOW).wait().unwrap();
    write(campaigns::claim("flood", 0, 1));
    write(campaigns::end("flood", 0, 1, 0));
    write(campaigns::claim("flood", 1, 1));
    let state = ContactState::Done { disposition: 21, at: NOW };
    let ended = Some(Disposition { kind: 21, words: None, at: None });
    write(ContactWrite { attempt: None, ended, state, ..campaigns::claim("flood", 2, 0) });
    store.subject_erase(anna, NOW, 10).wait().unwrap();
    let mfc = OptOutScope::Agency(crate::agency("mfc"));
    let rows = vec![campaigns::opt_out(1, OptOutScope::Global), campaigns::opt_out(2, mfc)];
    store.opt_outs_put(rows).wait().unwrap();
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
    let expect = BackupSummary {
        cdrs: 50,
        legs: 1,
        entries: 2,
        blobs: 1,
        documents: 2,
        audit: 3,
        contacts: 4,
        attempts: 3,
        opt_outs: 2,
        corrupt: 0,
    };
    assert_eq!(summary, expect);
    let seeds = |store: &SledStore| store.contact_seeds("flood", None, 0).wait().unwrap();
    assert_eq!(seeds(&copy), seeds(&store));
    assert_eq!(copy.contact("flood", 1).wait().unwrap(), store.contact("flood", 1).wait().unwrap());
    let ends = |store: &SledStore| {
        store.attempts("flood", AttemptQuery::Ends { after: 0, rows_max: 0 }).wait().unwrap().attempts
    };
    assert_eq!((ends(&copy), ends(&copy).len()), (ends(&store), 2));
    assert_eq!(backup(&copy), bytes, "a backup of the copy is the same");
    assert_eq!(campaigns::add(&copy, "flood", [2, 9]), [None, Some(4)], "numbers and places came along");
    assert_eq!(campaigns::add(&store, "flood", [9]), [Some(4)]);
    let all = |store: &SledStore| store.cdrs(CdrQuery::default()).wait().unwrap().cdrs;
    assert_eq!(all(&copy), all(&store));
    assert_eq!(copy.blob_read(blob).wait().unwrap(), vec![7; 600_000]);
    let entry = |store: &SledStore| store.bucket_get(&bucket(), "binary", NOW).wait().unwrap().unwrap();
    assert_eq!(entry(&copy), entry(&store));
    assert_eq!(copy.buckets_sweep(UtcMs(NOW.0 + 5), 10).wait().unwrap().removed, 1);
    let next = |store: &SledStore| store.bucket_set(&bucket(), "next", b"", None, QUOTA, NOW).wait().unwrap();
    assert_eq!(next(&copy), next(&store), "versions go on where they were");
    let user = |store: &SledStore| store.ledger_get("user", "anna", NOW).wait().unwrap().unwrap();
    assert_eq!(user(&copy), user(&store));
    assert_eq!(copy.audit_head().wait().unwrap(), store.audit_head().wait().unwrap());
    assert!(copy.audit_verify().wait().unwrap().is_whole());
    assert_eq!(copy.ledger_sweep(UtcMs(NOW.0 + 5), 10).wait().unwrap().removed, 1);
    assert_eq!(set(&copy, "user", "next", "{}"), set(&store, "user", "next", "{}"), "revisions go on where they were");
    drop(copy);
    let copy = open(to.path());
    assert_eq!(copy.audit_verify().wait().unwrap().entries, 4);
    assert!(copy.audit_verify().wait().unwrap().is_whole(), "so does the audit");
    assert_eq!(copy.recordings_delete_before(None, UtcMs(101), NOW, 9).wait().unwrap().recordings, 1);
    assert_eq!(copy.recover_crashed_legs(UtcMs(1)).wait().unwrap().len(), 1);
    assert!(!copy.blob_path(&blob).exists(), "uses of blobs came along");
    assert_eq!(copy.cdrs_delete_before(None, UtcMs(101), 9).wait().unwrap().cdrs, 2, "it, and the one that crashed");
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
fn a_backup_whose_audit_was_tampered_with_comes_back_and_is_found_out() {
    let (from, key) = (tempfile::tempdir().unwrap(), Some([5; 32]));
    let open = |folder: &Path| SledStore::open(StoreOptions { audit_key: key, ..StoreOptions::at(folder) }).unwrap();
    let store = open(from.path());
    for n in 0..5 {
        set(&store, "user", &n.to_string(), "{}");
    }
    let text = String::from_utf8(backup(&store)).unwrap();
    // As somebody would who knows the format: without the last two entries, the counts and the end made anew.
    let head = store.audit(AuditQuery { from_seq: 3, ..AuditQuery::default() }).wait().unwrap().entries[0].head();
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with("{\"end\"")) {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(ledger) = line.get_mut("ledger") {
            ledger["head"] = serde_json::to_value(&head).unwrap();
        }
        if line["audit"]["seq"].as_u64().is_none_or(|seq| seq <= 3) {
            lines.push(format!("{line}\n"));
        }
    }
    let sha256 = gudok_store::BlobId::of(lines.concat().as_bytes());
    let end = format!("{{\"end\":{{\"records\":{},\"sha256\":\"{sha256}\"}}}}\n", lines.len() - 1);
    let to = tempfile::tempdir().unwrap();
    let copy = open(to.path());
    assert_eq!(copy.import(&mut (lines.concat() + &end).as_bytes()).unwrap().audit, 3);
    set(&copy, "user", "a", "{}");
    let cut = |store: &SledStore| store.audit_verify().wait().unwrap();
    assert!(cut(&copy).faults[0].problem.contains("the audit ends at entry 4, the head mark says 5"));
    // And still when the audit has grown over the place.
    set(&copy, "user", "b", "{}");
    set(&copy, "user", "c", "{}");
    drop(copy);
    assert!(cut(&open(to.path())).faults[0].problem.contains("it is not the entry that the head mark names"));
}

#[test]
fn a_backup_of_schema_1_is_read() {
    let to = tempfile::tempdir().unwrap();
    let store = open(to.path());
    let header = "{\"gudok_backup\":1,\"schema\":1}\n";
    let end = format!("{{\"end\":{{\"records\":0,\"sha256\":\"{}\"}}}}\n", gudok_store::BlobId::of(header.as_bytes()));
    assert_eq!(store.import(&mut (header.to_owned() + &end).as_bytes()).unwrap(), BackupSummary::default());
    set(&store, "user", "anna", "{}");
    assert!(store.audit_verify().wait().unwrap().is_whole());
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
