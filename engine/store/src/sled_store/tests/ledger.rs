//! Damage to the ledger and to the audit in the database itself, and stores of schema 1.
use super::*;
use crate::audit::{HEAD_FILE, hash_of};
use crate::{
    AuditDraft, AuditEntry, AuditHead, AuditQuery, LedgerChange, LedgerQuery, Put, Recording, Store, SubjectKey,
};

const KEY: [u8; 32] = [3; 32];

fn open_signed(folder: &tempfile::TempDir) -> SledStore {
    SledStore::open(StoreOptions { audit_key: Some(KEY), ..StoreOptions::at(folder.path()) }).unwrap()
}

fn set(store: &SledStore, id: &str) -> u64 {
    let put = Put { kind: "user".to_owned(), id: id.to_owned(), body: b"{}".to_vec(), expires: None };
    let draft = AuditDraft { actor: "anna".to_owned(), object: id.to_owned(), ..AuditDraft::default() };
    let change = LedgerChange { puts: vec![put], audit: vec![draft], ..LedgerChange::default() };
    store.ledger_commit(change, NOW).wait().unwrap().revisions[0]
}

/// Writes a row as the store would: with a sound envelope.
fn plant(db: &sled::Db, key: Vec<u8>, payload: &[u8]) {
    let value = envelope::seal(&key, payload);
    db.insert(key, value).unwrap();
}

fn entry(db: &sled::Db, seq: u64) -> AuditEntry {
    let key = keys::audit(seq);
    chain::decode(&key, &db.get(&key).unwrap().unwrap()).unwrap()
}

fn plant_entry(db: &sled::Db, at: u64, entry: &AuditEntry) {
    plant(db, keys::audit(at), &serde_json::to_vec(entry).unwrap());
}

fn remove(db: &sled::Db, seqs: std::ops::RangeInclusive<u64>) {
    seqs.for_each(|seq| drop(db.remove(keys::audit(seq)).unwrap()));
}

/// What is found when the database of a stopped store with six entries was tampered with: at once, after more entries
/// were added to it, and after another start. `expect` has its alternatives between bars.
fn check(tamper: impl FnOnce(&sled::Db), expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    let store = open_signed(&folder);
    for n in 0..6 {
        set(&store, &n.to_string());
    }
    assert!(store.audit_verify().wait().unwrap().is_whole());
    tamper(&store.core.db);
    drop(store);
    for round in 0..2 {
        let store = open_signed(&folder);
        for _ in 0..2 {
            let report = store.audit_verify().wait().unwrap();
            let found: String =
                report.faults.iter().map(|fault| format!("{}: {}\n", fault.seq, fault.problem)).collect();
            assert!(
                expect.split('|').any(|part| found.contains(part)),
                "{found}\nround {round}, but expected: {expect}"
            );
            set(&store, "later");
            set(&store, "later");
        }
    }
}

#[test]
fn an_audit_that_was_tampered_with_in_the_database_is_found_out() {
    let edited = |db: &sled::Db, rehash: bool| {
        let mut entry = entry(db, 3);
        entry.draft.actor = "boris".to_owned();
        if rehash {
            entry.hash = hash_of(entry.seq, entry.at_ms, &entry.draft, &entry.prev);
        }
        plant_entry(db, 3, &entry);
    };
    check(|db| edited(db, false), "3: its contents do not have its hash: it was edited");
    check(|db| edited(db, true), "4: it does not name the hash of the entry before it");
    check(|db| remove(db, 2..=3), "4: entries 2 to 3 are missing before it");
    check(|db| remove(db, 1..=1), "2: entry 1 is missing before it");
    // Cut off the end: the ledger's own count finds it, and the mark, and what comes later does not hide it.
    check(|db| remove(db, 5..=6), "6: the audit ends at entry 4|7: entries 5 to 6 are missing before it");
    let swapped = |db: &sled::Db| {
        let (three, four) = (entry(db, 3), entry(db, 4));
        plant_entry(db, 3, &four);
        plant_entry(db, 4, &three);
    };
    check(swapped, "3: its row holds entry 4");
    let damaged = |db: &sled::Db| {
        let key = keys::audit(4);
        let mut value = db.get(&key).unwrap().unwrap().to_vec();
        value[20] ^= 1;
        db.insert(key, value).unwrap();
    };
    check(damaged, "4: it is damaged and cannot be read");
    // Put in behind the end, chained as it should be.
    let put_in = |db: &sled::Db| {
        let draft = AuditDraft { actor: "boris".to_owned(), ..AuditDraft::default() };
        let forged = AuditEntry::after(&entry(db, 6).head(), NOW, draft);
        plant_entry(db, 7, &forged);
    };
    let folder = tempfile::tempdir().unwrap();
    let store = open_signed(&folder);
    for n in 0..6 {
        set(&store, &n.to_string());
    }
    put_in(&store.core.db);
    set(&store, "later");
    let report = store.audit_verify().wait().unwrap();
    assert_eq!(report.faults.len(), 1, "{report:?}");
    assert_eq!(report.faults[0].seq, 8, "the next sound entry does not name it");
}

#[test]
fn an_audit_cut_with_its_count_and_grown_anew_contradicts_its_mark() {
    let cut = |db: &sled::Db| {
        remove(db, 4..=6);
        plant(db, keys::META_AUDIT.to_vec(), &chain::encode_head(&entry(db, 3).head()));
    };
    check(cut, "6: ");
    let all_gone = |db: &sled::Db| {
        remove(db, 1..=6);
        db.remove(keys::META_AUDIT).unwrap();
    };
    check(all_gone, "6: ");
    let rewritten = |db: &sled::Db| {
        let mut head = AuditHead::default();
        for seq in 1..=6 {
            let mut entry = entry(db, seq);
            entry.draft.object = "nothing".to_owned();
            entry = AuditEntry::after(&head, entry.at_ms, entry.draft);
            plant_entry(db, seq, &entry);
            head = entry.head();
        }
        plant(db, keys::META_AUDIT.to_vec(), &chain::encode_head(&head));
    };
    check(rewritten, "6: it is not the entry that the head mark names: the audit was rewritten");
}

#[test]
fn a_damaged_document_is_never_taken_for_absent() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let revision = set(&store, "anna");
    set(&store, "boris");
    let key = keys::document("user", "anna");
    damage(&store, &key);
    assert!(matches!(store.ledger_get("user", "anna", NOW).wait(), Err(StoreError::Corrupt { .. })));
    let page = |store: &SledStore| {
        let query = LedgerQuery { kind: "user".to_owned(), ..LedgerQuery::default() };
        let page = store.ledger_list(query, NOW).wait().unwrap();
        (page.documents.len(), page.corrupt)
    };
    assert_eq!(page(&store), (1, 1), "the others are served");
    let must_not_exist = LedgerChange {
        expect: vec![crate::Expected { kind: "user".to_owned(), id: "anna".to_owned(), revision: 0 }],
        ..LedgerChange::default()
    };
    assert!(matches!(store.ledger_commit(must_not_exist, NOW).wait(), Err(StoreError::Corrupt { .. })));
    assert!(set(&store, "anna") > revision, "writing it anew heals it");
    assert_eq!(page(&store), (2, 0));
}

#[test]
fn damaged_counts_are_found_anew_and_repeat_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_signed(&folder);
    let last = set(&store, "anna");
    let gone = set(&store, "boris");
    let delete = LedgerChange { deletes: vec![("user".to_owned(), "boris".to_owned())], ..LedgerChange::default() };
    store.ledger_commit(delete, NOW).wait().unwrap();
    damage(&store, keys::META_REVISION);
    damage(&store, keys::META_AUDIT);
    let report = store.audit_verify().wait().unwrap();
    assert!(report.faults[0].problem.contains("count of entries is damaged"), "{report:?}");
    let next = set(&store, "boris");
    assert!(next > gone && gone > last);
    assert_eq!(store.audit_head().wait().unwrap().seq, 3);
    assert!(store.audit_verify().wait().unwrap().is_whole(), "the chain went on where it ended");
}

#[test]
fn a_read_of_the_ledger_waits_until_it_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    set(&store, "anna");
    let commits = || store.stats().commits;
    let before = commits();
    store.ledger_get("user", "anna", NOW).wait().unwrap();
    store.audit(AuditQuery::default()).wait().unwrap();
    assert_eq!(commits(), before, "what is durable is read at once");
    for key in [keys::document("user", "anna"), keys::audit(1)] {
        store.core.undurable.lock().insert(key.clone());
        let before = commits();
        if key[0] == keys::AUDIT {
            store.audit(AuditQuery::default()).wait().unwrap();
        } else {
            store.ledger_get("user", "anna", NOW).wait().unwrap();
        }
        assert_eq!(commits(), before + 1, "it waited for a commit");
    }
}

/// Makes a store what it was before there was a ledger.
fn back_to_schema_1(folder: &tempfile::TempDir, store: SledStore) {
    let db = &store.core.db;
    for tag in [keys::RECORDED, keys::DOCUMENT, keys::DOCUMENT_END, keys::AUDIT] {
        for key in db.scan_prefix([tag]).keys() {
            db.remove(key.unwrap()).unwrap();
        }
    }
    db.remove(keys::META_REVISION).unwrap();
    db.remove(keys::META_AUDIT).unwrap();
    plant(db, keys::META_SCHEMA.to_vec(), &1_u32.to_be_bytes());
    drop(store);
    std::fs::remove_file(folder.path().join(HEAD_FILE)).unwrap();
}

#[test]
fn a_store_of_schema_1_opens_and_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let blob = store.blob_put(b"message".to_vec()).wait().unwrap();
    let mut recorded = leg("recorded").ended(end(100));
    let recording = Recording { id: "m".to_owned(), sha256: blob, duration_ms: 5, deleted_ms: None };
    recorded.ended.recordings.push(recording);
    store.leg_ended(recorded).unwrap();
    for n in 0..300 {
        store.leg_ended(leg(&format!("c{n:03}")).ended(end(200 + n))).unwrap();
    }
    store.leg_began(leg("alive")).unwrap();
    let version = store.bucket_set(&bucket("mfc"), "k", b"v", None, QUOTA, NOW).wait().unwrap();
    store.settled().wait().unwrap();
    let records = store.cdrs(CdrQuery::default()).wait().unwrap().cdrs;
    back_to_schema_1(&folder, store);

    let store = open_signed(&folder);
    assert_eq!(store.cdrs(CdrQuery::default()).wait().unwrap().cdrs, records);
    let entry = store.bucket_get(&bucket("mfc"), "k", NOW).wait().unwrap().unwrap();
    assert_eq!((entry.value, entry.version), (b"v".to_vec(), version));
    assert_eq!(store.blob_read(blob).wait().unwrap(), b"message");
    assert_eq!(store.recover_crashed_legs(UtcMs(900)).wait().unwrap().len(), 1);
    // What schema 2 adds works on what was there.
    assert_eq!(store.audit_head().wait().unwrap(), AuditHead::default());
    set(&store, "anna");
    assert!(store.audit_verify().wait().unwrap().is_whole());
    let step = store.recordings_delete_before(None, UtcMs(150), NOW, 10).wait().unwrap();
    assert_eq!((step.recordings, step.blobs), (1, 1));
    drop(store);
    let store = open_signed(&folder);
    assert!(store.audit_verify().wait().unwrap().is_whole());
    assert_eq!(store.cdrs(CdrQuery::default()).wait().unwrap().cdrs.len(), records.len() + 1);
}

#[test]
fn a_damaged_record_keeps_no_recording_and_no_person_from_going() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let key = SubjectKey::new([1; 32]);
    let mut blobs = Vec::new();
    for n in 0..3 {
        let blob = store.blob_put(format!("audio {n}").into_bytes()).wait().unwrap();
        let mut cdr = leg(&format!("c{n}")).ended(end(100 + n));
        cdr.began.caller = Party::masked("+79131234567").with_hash(&key, "+79131234567");
        let recording = Recording { id: "m".to_owned(), sha256: blob, duration_ms: 5, deleted_ms: None };
        cdr.ended.recordings.push(recording);
        store.leg_ended(cdr).unwrap();
        blobs.push(blob);
    }
    store.settled().wait().unwrap();
    let row = |n: u64| {
        let leg = keys::leg(&CallId::new(&format!("c{n}")).unwrap(), 0);
        keys::cdr(&AgencyId::new("mfc").unwrap(), 100 + n, &leg)
    };
    (0..3).for_each(|n| damage(&store, &row(n)));
    let step = store.recordings_delete_before(None, UtcMs(101), NOW, 10).wait().unwrap();
    assert_eq!((step.recordings, step.blobs), (1, 1));
    let step = store.cdrs_delete_before(None, UtcMs(102), 10).wait().unwrap();
    assert_eq!((step.cdrs, step.recordings, step.blobs), (2, 1, 1));
    let erased = store.subject_erase(key.hash("+79131234567"), NOW, 10).wait().unwrap();
    assert_eq!((erased.cdrs, erased.recordings, erased.blobs), (1, 1, 1), "what cannot be read is deleted");
    assert!(blobs.iter().all(|blob| !store.blob_path(blob).exists()));
    assert!(store.core.db.get(row(2)).unwrap().is_none());
    let hash = key.hash("+79131234567").to_hex();
    for file in std::fs::read_dir(folder.path().join("quarantine")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(hash.len()).any(|part| part == hash.as_bytes()), "no copy of it is left");
    }
}
