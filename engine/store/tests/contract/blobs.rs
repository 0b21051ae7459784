//! Blobs as files.
use std::io::{Read, Seek, Write};

use gudok_store::{BlobId, Store, StoreError};

use crate::open;

#[test]
fn bytes_come_back_under_their_hash_and_survive_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let audio: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let id = store.blob_put(audio.clone()).wait().unwrap();
    assert_eq!(id, BlobId::of(&audio));
    assert_eq!(store.blob_put(audio.clone()).wait().unwrap(), id, "again is the same");
    let empty = store.blob_put(Vec::new()).wait().unwrap();
    drop(store);
    // What a crash left half-written is cleared.
    std::fs::write(folder.path().join("blobs/tmp/7"), "half").unwrap();
    let store = open(folder.path());
    assert_eq!(store.blob_read(id).wait().unwrap(), audio);
    assert_eq!(store.blob_read(empty).wait().unwrap(), b"");
    assert_eq!(std::fs::read_dir(folder.path().join("blobs/tmp")).unwrap().count(), 0);
    assert!(store.blob_delete(id).wait().unwrap());
    assert!(!store.blob_delete(id).wait().unwrap());
    assert!(matches!(store.blob_read(id).wait(), Err(StoreError::BlobMissing { .. })));
}

#[test]
fn a_damaged_blob_is_found_by_its_hash_and_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let id = store.blob_put(b"recorded by the caller".to_vec()).wait().unwrap();
    let mut file = std::fs::File::options().write(true).open(store.blob_path(&id)).unwrap();
    file.seek(std::io::SeekFrom::Start(3)).unwrap();
    file.write_all(b"X").unwrap();
    let Err(StoreError::BlobDamaged { kept_at, .. }) = store.blob_read(id).wait() else { panic!("served") };
    assert_eq!(std::fs::read(kept_at).unwrap(), b"recXrded by the caller");
    assert_eq!(store.stats().corrupt, 1);
    assert!(matches!(store.blob_read(id).wait(), Err(StoreError::BlobMissing { .. })));
    store.blob_put(b"recorded by the caller".to_vec()).wait().unwrap();
    store.verify_blob(id).wait().unwrap();
}

#[test]
fn an_opened_blob_was_checked_and_a_damaged_one_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let id = store.blob_put(b"recorded by the caller".to_vec()).wait().unwrap();
    let mut text = String::new();
    store.blob_open(id).wait().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "recorded by the caller");
    std::fs::write(store.blob_path(&id), "recorded by somebody").unwrap();
    assert!(matches!(store.blob_open(id).wait(), Err(StoreError::BlobDamaged { .. })));
    assert!(matches!(store.blob_open(id).wait(), Err(StoreError::BlobMissing { .. })));
}

#[test]
fn a_finished_file_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let path = elsewhere.path().join("message.wav");
    std::fs::write(&path, "RIFF").unwrap();
    let id = store.blob_take_file(path.clone()).wait().unwrap();
    assert!(!path.exists());
    assert_eq!(store.blob_read(id).wait().unwrap(), b"RIFF");
    let missing = store.blob_take_file(path).wait();
    assert!(matches!(missing, Err(StoreError::Io { .. })), "{missing:?}");
}
