//! What goes: records and recordings past their time, and persons who ask to be forgotten.
use gudok_store::{
    BlobId, Cdr, CdrQuery, LedgerChange, LedgerQuery, Party, Recording, Sealed, SledStore, Store, StoreError,
    SubjectKey, UtcMs,
};

use crate::ledger::put;
use crate::{NOW, agency, cdr, leg, open};

const ANNA: &str = "+79131234567";

fn with(mut cdr: Cdr, blobs: &[BlobId]) -> Cdr {
    let recording = |id: &BlobId| Recording { id: "message".to_owned(), sha256: *id, duration_ms: 1, deleted_ms: None };
    cdr.ended.recordings = blobs.iter().map(recording).collect();
    cdr
}

fn records(store: &SledStore) -> Vec<Cdr> {
    store.cdrs(CdrQuery::default()).wait().unwrap().cdrs
}

fn blob(store: &SledStore, text: &str) -> BlobId {
    store.blob_put(text.as_bytes().to_vec()).wait().unwrap()
}

#[test]
fn retention_deletes_records_and_the_recordings_that_nothing_names_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let alone = store.blob_put(b"alone".to_vec()).wait().unwrap();
    let shared = store.blob_put(b"shared".to_vec()).wait().unwrap();
    store.leg_ended(with(cdr("mfc", "old", 0, 100), &[alone, shared])).unwrap();
    store.leg_ended(with(cdr("mfc", "new", 0, 200), &[shared])).unwrap();
    store.leg_ended(cdr("passport", "old2", 0, 100)).unwrap();
    assert_eq!(store.cdrs_delete_before(Some(agency("mfc")), UtcMs(100), 10).wait().unwrap().cdrs, 0, "not before");
    let step = store.cdrs_delete_before(None, UtcMs(200), 1).wait().unwrap();
    assert_eq!((step.cdrs, step.more), (1, true));
    let rest = store.cdrs_delete_before(None, UtcMs(200), 10).wait().unwrap();
    assert_eq!((step.cdrs + rest.cdrs, step.blobs + rest.blobs, rest.more), (2, 1, false));
    assert!(matches!(store.blob_read(alone).wait(), Err(StoreError::BlobMissing { .. })));
    assert_eq!(store.blob_read(shared).wait().unwrap(), b"shared");
    assert_eq!(records(&store).iter().map(|cdr| cdr.id().to_string()).collect::<Vec<_>>(), ["new.0"]);
    assert_eq!(store.cdrs_delete_before(None, UtcMs(201), 10).wait().unwrap().blobs, 1);
}

#[test]
fn recordings_go_and_their_records_stay_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (alone, shared, young) = (blob(&store, "alone"), blob(&store, "shared"), blob(&store, "young"));
    store.leg_ended(with(cdr("mfc", "a", 0, 100), &[alone, shared])).unwrap();
    store.leg_ended(with(cdr("passport", "b", 0, 150), &[shared])).unwrap();
    store.leg_ended(with(cdr("mfc", "c", 0, 200), &[young])).unwrap();
    store.leg_ended(cdr("mfc", "without", 0, 50)).unwrap();
    store.settled().wait().unwrap();
    let step = |agency, before| store.recordings_delete_before(agency, UtcMs(before), NOW, 10).wait().unwrap();

    let first = step(Some(agency("mfc")), 200);
    assert_eq!((first.cdrs, first.recordings, first.blobs, first.blobs_stuck, first.more), (0, 2, 1, 0, false));
    assert!(!store.blob_path(&alone).exists(), "proven: gone from the disk when the answer comes");
    assert!(store.blob_path(&shared).exists(), "another record names it");
    let deleted = |id: &str| {
        let record = records(&store).into_iter().find(|cdr| cdr.id().to_string() == id).unwrap();
        record.ended.recordings.iter().map(|recording| (recording.sha256, recording.deleted_ms)).collect::<Vec<_>>()
    };
    assert_eq!(deleted("a.0"), [(alone, Some(NOW)), (shared, Some(NOW))]);
    assert_eq!(deleted("b.0"), [(shared, None)]);
    assert_eq!(step(Some(agency("mfc")), 200).recordings, 0, "once is enough");

    // It goes with the last record that names it.
    let second = step(None, 200);
    assert_eq!((second.recordings, second.blobs), (1, 1));
    assert!(!store.blob_path(&shared).exists() && store.blob_path(&young).exists());
    assert_eq!(records(&store).len(), 4);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.blob_read(young).wait().unwrap(), b"young");
    assert_eq!(store.cdrs_delete_before(None, UtcMs(1_000), 10).wait().unwrap().recordings, 1, "the others are gone");
}

#[test]
fn recordings_go_in_bounded_steps() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for n in 0..25 {
        let id = blob(&store, &format!("audio {n}"));
        store.leg_ended(with(cdr("mfc", &format!("c{n}"), 0, 100 + n), &[id])).unwrap();
    }
    store.settled().wait().unwrap();
    let mut steps = Vec::new();
    loop {
        let step = store.recordings_delete_before(None, UtcMs(1_000), NOW, 10).wait().unwrap();
        steps.push((step.recordings, step.blobs));
        if !step.more {
            break;
        }
    }
    assert_eq!(steps, [(10, 10), (10, 10), (5, 5)]);
    let files = std::fs::read_dir(folder.path().join("blobs")).unwrap().map(|folder| folder.unwrap().path());
    assert_eq!(files.map(|folder| std::fs::read_dir(folder).unwrap().count()).sum::<usize>(), 0);
}

#[test]
fn a_file_that_cannot_be_deleted_is_counted_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let id = blob(&store, "stuck");
    store.leg_ended(with(cdr("mfc", "c", 0, 100), &[id])).unwrap();
    store.settled().wait().unwrap();
    // A folder in its place cannot be deleted as a file, not even by root.
    let path = store.blob_path(&id);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let step = store.recordings_delete_before(None, UtcMs(200), NOW, 10).wait().unwrap();
    assert_eq!((step.recordings, step.blobs, step.blobs_stuck), (1, 0, 1));
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, "stuck").unwrap();
    let step = store.recordings_delete_before(None, UtcMs(200), NOW, 10).wait().unwrap();
    assert_eq!((step.recordings, step.blobs, step.blobs_stuck), (0, 1, 0));
    assert!(!path.exists());
}

/// A leg in which Anna calls.
fn of_anna(key: &SubjectKey, agency: &str, call: &str, number: u16, ended: u64) -> Cdr {
    let mut cdr = cdr(agency, call, number, ended);
    let sealed = Sealed::from_ciphertext(b"sealed".to_vec());
    cdr.began.caller = Party::masked(ANNA).with_hash(key, ANNA).with_sealed(sealed);
    cdr
}

#[test]
fn a_person_is_erased_from_records_recordings_and_traces() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let key = SubjectKey::new([1; 32]);
    let (anna, boris) = (key.hash(ANNA), key.hash("+79990000000"));
    let (message, answer, others) = (blob(&store, "message"), blob(&store, "answer"), blob(&store, "others"));
    store.leg_ended(with(of_anna(&key, "mfc", "a", 0, 100), &[message])).unwrap();
    // The operator's leg of the same call: her voice is on it, her number is not.
    store.leg_ended(with(cdr("mfc", "a", 1, 110), &[answer, others])).unwrap();
    let mut called = cdr("passport", "b", 0, 120);
    called.began.called = Party::masked(ANNA).with_hash(&key, ANNA);
    called.began.caller = Party::masked("+79990000000").with_hash(&key, "+79990000000");
    store.leg_ended(called).unwrap();
    store.leg_ended(with(cdr("mfc", "c", 0, 130), &[others])).unwrap();
    let trace = |call: &str| put(gudok_store::TRACE_KIND, call, "{}");
    let puts = vec![trace("a"), trace("b"), trace("c")];
    store.ledger_commit(LedgerChange { puts, ..LedgerChange::default() }, NOW).wait().unwrap();

    let erased = store.subject_erase(anna, NOW, 10).wait().unwrap();
    assert_eq!((erased.cdrs, erased.recordings, erased.traces, erased.more), (2, 3, 2, false));
    assert_eq!((erased.blobs, erased.blobs_stuck), (2, 0), "one audio is named by another call too");
    assert_eq!(erased.calls.iter().map(gudok_store::CallId::as_str).collect::<Vec<_>>(), ["a", "b"]);
    assert!(!store.blob_path(&message).exists() && !store.blob_path(&answer).exists());
    assert!(store.blob_path(&others).exists());
    let of = |subject| store.cdrs(CdrQuery { subject: Some(subject), ..CdrQuery::default() }).wait().unwrap().cdrs;
    assert!(of(anna).is_empty(), "nothing leads to her any more");
    let kept = of(boris);
    assert_eq!((kept.len(), kept[0].began.called.shown()), (1, "erased"), "the other party is not touched");
    let all = records(&store);
    let first = &all[0];
    assert_eq!((first.began.caller.shown(), first.began.caller.sealed()), ("erased", None));
    assert_eq!((first.ended.recordings[0].deleted_ms, first.ended.ended_ms), (Some(NOW), UtcMs(100)));
    assert!(all[1].ended.recordings.iter().all(|recording| recording.deleted_ms == Some(NOW)));
    assert_eq!(all[3].ended.recordings[0].deleted_ms, None);
    let query = LedgerQuery { kind: gudok_store::TRACE_KIND.to_owned(), ..LedgerQuery::default() };
    assert_eq!(store.ledger_list(query, NOW).wait().unwrap().documents.len(), 1);
    assert_eq!(store.subject_erase(anna, NOW, 10).wait().unwrap(), gudok_store::Erased::default());
    assert_eq!(store.recordings_delete_before(None, UtcMs(1_000), NOW, 10).wait().unwrap().blobs, 1);
}

#[test]
fn a_person_with_many_calls_is_erased_in_bounded_steps() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let key = SubjectKey::new([1; 32]);
    for n in 0..25 {
        store.leg_ended(of_anna(&key, ["mfc", "passport"][n % 2], &format!("c{n}"), 0, 100)).unwrap();
        store.leg_ended(cdr("mfc", &format!("other{n}"), 0, 100)).unwrap();
    }
    // A call that is going on keeps its marker; its record comes later and can be erased then.
    let mut alive = leg("mfc", "alive", 0);
    alive.caller = Party::masked(ANNA).with_hash(&key, ANNA);
    store.leg_began(alive).unwrap();
    let mut steps = Vec::new();
    loop {
        let step = store.subject_erase(key.hash(ANNA), NOW, 10).wait().unwrap();
        steps.push(step.cdrs);
        if !step.more {
            break;
        }
    }
    assert_eq!(steps, [10, 10, 5]);
    store.leg_ended(of_anna(&key, "mfc", "alive", 0, 500)).unwrap();
    assert_eq!(store.subject_erase(key.hash(ANNA), NOW, 10).wait().unwrap().cdrs, 1);
    let shown = records(&store);
    assert_eq!(shown.iter().filter(|cdr| cdr.began.caller.shown() == "erased").count(), 26);
    assert_eq!(shown.iter().filter(|cdr| cdr.began.caller.shown() == "+7********21").count(), 25);
}
