//! Agencies' buckets.
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use gudok_store::{AgencyId, Entry, KeyQuery, Quota, QuotaKind, Store, StoreError, UtcMs};

use crate::{NOW, QUOTA, bucket, bucket_of, open};

fn value(entry: Option<Entry>) -> Option<String> {
    entry.map(|entry| String::from_utf8(entry.value).unwrap())
}

#[test]
fn set_get_delete_and_versions_never_repeat() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (one, other) = (bucket(), bucket_of("passport", "booking", "slots"));
    let first = store.bucket_set(&one, "k", b"v", None, QUOTA, NOW).wait().unwrap();
    assert_eq!(value(store.bucket_get(&other, "k", NOW).wait().unwrap()), None, "another agency sees nothing");
    assert!(store.bucket_delete(&one, "k", NOW).wait().unwrap());
    assert!(!store.bucket_delete(&one, "k", NOW).wait().unwrap());
    assert_eq!(store.bucket_get(&one, "k", NOW).wait().unwrap(), None);
    let again = store.bucket_compare_and_set(&one, "k", 0, b"w", None, QUOTA, NOW).wait().unwrap();
    assert!(again > first, "who remembers version {first} must not overwrite {again}");
    let stale = store.bucket_compare_and_set(&one, "k", first, b"x", None, QUOTA, NOW).wait();
    assert!(matches!(stale, Err(StoreError::Conflict { actual }) if actual == again));
    drop(store);
    let store = open(folder.path());
    let entry = store.bucket_get(&one, "k", NOW).wait().unwrap().unwrap();
    assert_eq!(entry, Entry { value: b"w".to_vec(), version: again });
    assert!(store.bucket_set(&one, "k", b"y", None, QUOTA, NOW).wait().unwrap() > again);
}

#[test]
fn an_entry_ends_at_its_time_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let ttl = Some(Duration::from_millis(500));
    let version = store.bucket_set(&bucket(), "k", b"7", ttl, QUOTA, NOW).wait().unwrap();
    let (last, end) = (UtcMs(NOW.0 + 499), UtcMs(NOW.0 + 500));
    assert_eq!(value(store.bucket_get(&bucket(), "k", last).wait().unwrap()).unwrap(), "7");
    assert_eq!(value(store.bucket_get(&bucket(), "k", end).wait().unwrap()), None);
    assert_eq!(store.bucket_list(&bucket(), KeyQuery::default(), end).wait().unwrap().keys, Vec::<String>::new());
    let late = store.bucket_compare_and_set(&bucket(), "k", version, b"8", None, QUOTA, end).wait();
    assert!(matches!(late, Err(StoreError::Conflict { actual: 0 })));
    assert!(!store.bucket_delete(&bucket(), "k", end).wait().unwrap(), "it was not there any more");

    store.bucket_set(&bucket(), "n", b"7", ttl, QUOTA, NOW).wait().unwrap();
    assert_eq!(store.bucket_increment(&bucket(), "n", 1, QUOTA, last).wait().unwrap(), 8);
    assert_eq!(value(store.bucket_get(&bucket(), "n", end).wait().unwrap()), None, "counting does not prolong");
    assert_eq!(store.bucket_increment(&bucket(), "n", 1, QUOTA, end).wait().unwrap(), 1, "a new counter");
    assert_eq!(value(store.bucket_get(&bucket(), "n", UtcMs(u64::MAX)).wait().unwrap()).unwrap(), "1");

    store.bucket_set(&bucket(), "m", b"v", ttl, QUOTA, NOW).wait().unwrap();
    store.bucket_set(&bucket(), "m", b"w", None, QUOTA, NOW).wait().unwrap();
    assert_eq!(store.buckets_sweep(end, 10).wait().unwrap().removed, 0, "setting it anew took its end away");
    assert_eq!(value(store.bucket_get(&bucket(), "m", end).wait().unwrap()).unwrap(), "w");
    store.bucket_set(&bucket(), "m", b"x", Some(Duration::MAX), QUOTA, UtcMs(u64::MAX)).wait().unwrap();
}

#[test]
fn counters_refuse_what_they_cannot_count() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let add = |key: &str, delta| store.bucket_increment(&bucket(), key, delta, QUOTA, NOW).wait();
    assert_eq!(add("n", -5).unwrap(), -5);
    assert_eq!(add("n", i64::MAX).unwrap(), i64::MAX - 5);
    assert!(matches!(add("n", 6), Err(StoreError::Overflow)));
    assert_eq!(add("n", 5).unwrap(), i64::MAX);
    for text in [&b"seven"[..], b"", b"7.0", b"\xff", b"9223372036854775808"] {
        store.bucket_set(&bucket(), "t", text, None, QUOTA, NOW).wait().unwrap();
        assert!(matches!(add("t", 1), Err(StoreError::NotANumber)), "{text:?}");
    }
}

#[test]
fn each_quota_is_named_and_exact() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let quota = Quota { bytes_max: 20, keys_max: 3, value_bytes_max: 10, key_bytes_max: 4 };
    let set = |bucket: &str, key: &str, value: &str| {
        store.bucket_set(&bucket_of("mfc", "s", bucket), key, value.as_bytes(), None, quota, NOW).wait()
    };
    let refused = |answer: Result<u64, StoreError>| match answer.unwrap_err() {
        StoreError::Quota { quota, limit, needed, .. } => (quota, limit, needed),
        error => panic!("{error}"),
    };
    assert_eq!(refused(set("b", "12345", "")), (QuotaKind::KeyBytes, 4, 5));
    assert_eq!(refused(set("b", "k", "12345678901")), (QuotaKind::ValueBytes, 10, 11));
    assert!(matches!(set("b", "", "v"), Err(StoreError::BadName { .. })));
    set("b", "a", "123456789").unwrap();
    set("c", "a", "12345678").unwrap();
    assert_eq!(refused(set("b", "b", "1")), (QuotaKind::Bytes, 20, 21));
    set("b", "b", "").unwrap();
    assert_eq!(refused(set("c", "a", "123456789")), (QuotaKind::Bytes, 20, 21));
    set("c", "a", "1").unwrap();
    assert_eq!(refused(set("b", "c", "")), (QuotaKind::Keys, 3, 4));
    store.bucket_delete(&bucket_of("mfc", "s", "b"), "b", NOW).wait().unwrap();
    set("b", "c", "").unwrap();
    // A quota lowered below what is kept still lets the agency shrink.
    let lower = Quota { bytes_max: 1, keys_max: 1, ..quota };
    store.bucket_set(&bucket_of("mfc", "s", "b"), "a", b"1", None, lower, NOW).wait().unwrap();
    assert_eq!(store.stats().refused_quota, 5);
}

#[test]
fn what_has_ended_does_not_use_up_a_quota() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let quota = Quota { keys_max: 5, ..QUOTA };
    for n in 0..5 {
        store
            .bucket_set(&bucket(), &format!("k{n}"), b"v", Some(Duration::from_millis(10)), quota, NOW)
            .wait()
            .unwrap();
    }
    let full = store.bucket_set(&bucket(), "new", b"v", None, quota, UtcMs(NOW.0 + 9)).wait();
    assert!(matches!(full, Err(StoreError::Quota { quota: QuotaKind::Keys, .. })));
    store.bucket_set(&bucket(), "new", b"v", None, quota, UtcMs(NOW.0 + 10)).wait().unwrap();
}

#[test]
fn a_quota_holds_against_many_writers_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let quota = Quota { keys_max: 50, ..QUOTA };
    let kept: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let store = &store;
                scope.spawn(move || {
                    let sets: Vec<_> = (0..20)
                        .map(|n| store.bucket_set(&bucket(), &format!("{writer}-{n}"), b"v", None, quota, NOW))
                        .collect();
                    sets.into_iter().map(gudok_store::Pending::wait).filter(Result::is_ok).count()
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(kept, 50);
    let listed = store.bucket_list(&bucket(), KeyQuery::default(), NOW).wait().unwrap().keys;
    assert_eq!(listed.len(), 50);
    assert_eq!(store.stats().refused_quota, 8 * 20 - 50);
}

#[test]
fn compare_and_set_is_linearizable() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let versions: Vec<u64> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8).map(|_| scope.spawn(|| count_by_cas(&store, 15))).collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let entry = store.bucket_get(&bucket(), "n", NOW).wait().unwrap().unwrap();
    assert_eq!(entry.value, b"120", "no step was lost or done twice");
    assert_eq!(versions.iter().collect::<HashSet<_>>().len(), 120, "one winner a version");
    assert_eq!(versions.iter().max(), Some(&entry.version));
}

fn count_by_cas(store: &impl Store, times: usize) -> Vec<u64> {
    let mut won = Vec::new();
    while won.len() < times {
        let seen = store.bucket_get(&bucket(), "n", NOW).wait().unwrap();
        let (number, version) = seen
            .map_or((0, 0), |entry| (String::from_utf8(entry.value).unwrap().parse::<u64>().unwrap(), entry.version));
        let next = (number + 1).to_string();
        match store.bucket_compare_and_set(&bucket(), "n", version, next.as_bytes(), None, QUOTA, NOW).wait() {
            Ok(version) => won.push(version),
            Err(StoreError::Conflict { actual }) => assert_ne!(actual, version),
            Err(error) => panic!("{error}"),
        }
    }
    won
}

#[test]
fn keys_are_listed_page_by_page_inside_their_bucket_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for (bucket, key) in
        [("b", "a1"), ("b", "a2"), ("b", "a3"), ("b", "b1"), ("b", "\u{10FFFF}"), ("bb", "a4"), ("a", "a5")]
    {
        store.bucket_set(&bucket_of("mfc", "s", bucket), key, b"", None, QUOTA, NOW).wait().unwrap();
    }
    let list = |prefix: &str, after: Option<&str>, keys_max| {
        let query = KeyQuery { prefix: prefix.to_owned(), after: after.map(str::to_owned), keys_max };
        let page = store.bucket_list(&bucket_of("mfc", "s", "b"), query, NOW).wait().unwrap();
        (page.keys.join(" "), page.more_after)
    };
    assert_eq!(list("", None, 0), ("a1 a2 a3 b1 \u{10FFFF}".to_owned(), None));
    assert_eq!(list("a", None, 2), ("a1 a2".to_owned(), Some("a2".to_owned())));
    assert_eq!(list("a", Some("a2"), 2), ("a3".to_owned(), None));
    assert_eq!(list("a", None, 3), ("a1 a2 a3".to_owned(), None), "exactly full is not more");
    assert_eq!(list("", Some("a"), 1), ("a1".to_owned(), Some("a1".to_owned())));
    assert_eq!(list("a", Some("b"), 9), (String::new(), None));
    assert_eq!(list("zzz", None, 9), (String::new(), None));
}

#[tokio::test]
async fn an_answer_that_nobody_awaits_is_still_done() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(open(folder.path()));
    drop(store.bucket_set(&bucket(), "k", b"v", None, QUOTA, NOW));
    assert_eq!(store.bucket_increment(&bucket(), "n", 2, QUOTA, NOW).await.unwrap(), 2);
    assert_eq!(value(store.bucket_get(&bucket(), "k", NOW).await.unwrap()).unwrap(), "v");
    let pending = store.bucket_set(&bucket(), "late", b"v", None, QUOTA, NOW);
    drop(store);
    pending.await.unwrap();
    let store = open(folder.path());
    assert_eq!(
        value(store.bucket_get(&bucket(), "late", NOW).await.unwrap()).unwrap(),
        "v",
        "closing writes what waits"
    );
}

#[test]
fn agencies_do_not_share_quotas() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let one = Quota { keys_max: 1, ..QUOTA };
    // Names that would collide if they were only joined.
    for (agency, script, bucket) in [("a", "bc", "d"), ("ab", "c", "d"), ("a\0b", "c", "d"), ("a/b", "c", "d")] {
        let bucket = bucket_of(agency, script, bucket);
        store.bucket_set(&bucket, "k", agency.as_bytes(), None, one, NOW).wait().unwrap();
        let kept = store.bucket_get(&bucket, "k", NOW).wait().unwrap().unwrap();
        assert_eq!(kept.value, AgencyId::new(agency).unwrap().as_str().as_bytes());
    }
}
