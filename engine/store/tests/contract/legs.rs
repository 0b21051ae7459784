//! Legs and their call records.
use std::collections::BTreeSet;

use gudok_store::{CallId, Cdr, CdrCursor, CdrQuery, HangupCause, Party, Store, StoreError, SubjectKey, UtcMs};

use crate::{agency, cdr, leg, open};

fn ids(cdrs: &[Cdr]) -> String {
    cdrs.iter().map(|cdr| cdr.id().to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_leg_has_one_record_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.leg_began(leg("mfc", "c", 0)).unwrap();
    store.leg_ended(cdr("mfc", "c", 0, 100)).unwrap();
    let again = |store: &dyn Store| {
        let second = store.leg_ended(cdr("passport", "c", 0, 200));
        assert!(matches!(second, Err(StoreError::AlreadyRecorded { leg: 0, .. })), "{second:?}");
    };
    again(&store);
    assert!(matches!(store.leg_began(leg("mfc", "c", 0)), Err(StoreError::AlreadyRecorded { .. })));
    store.settled().wait().unwrap();
    again(&store);
    drop(store);
    let store = open(folder.path());
    again(&store);
    // Even a leg that falsely began anew cannot replace the record, alive or after a crash.
    store.leg_began(leg("mfc", "c", 0)).unwrap();
    let _accepted_then_refused = store.leg_ended(cdr("mfc", "c", 0, 300));
    store.settled().wait().unwrap();
    assert_eq!(store.stats().cdrs_refused, 1);
    let kept = store.cdrs(CdrQuery::default()).wait().unwrap().cdrs;
    assert_eq!(kept, [cdr("mfc", "c", 0, 100)]);
}

#[test]
fn legs_alive_at_a_crash_get_their_record_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for n in 0..300 {
        store.leg_began(leg("mfc", &format!("c{n:03}"), 1)).unwrap();
    }
    let mut answered = leg("mfc", "c007", 1);
    answered.script_version = "2.0.0".to_owned();
    store.leg_began(answered).unwrap();
    store.leg_ended(cdr("mfc", "c000", 1, 50)).unwrap();
    store.settled().wait().unwrap();
    drop(store);

    let store = open(folder.path());
    // A new call before recovery is not a crashed one.
    store.leg_began(leg("mfc", "new", 0)).unwrap();
    let recovered = store.recover_crashed_legs(UtcMs(9_000)).wait().unwrap();
    assert_eq!(recovered.len(), 299);
    assert!(store.recover_crashed_legs(UtcMs(9_001)).wait().unwrap().is_empty());
    let query = CdrQuery { call_id: Some(CallId::new("c007").unwrap()), ..CdrQuery::default() };
    let page = store.cdrs(query).wait().unwrap();
    assert_eq!(page.cdrs[0].ended.cause, HangupCause::Crash);
    assert_eq!(page.cdrs[0].ended.ended_ms, UtcMs(9_000));
    assert_eq!(page.cdrs[0].began.script_version, "2.0.0", "the last that was known of it");
    store.leg_ended(cdr("mfc", "new", 0, 9_500)).unwrap();
    store.settled().wait().unwrap();
    assert_eq!(store.cdrs(CdrQuery::default()).wait().unwrap().cdrs.len(), 301);
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut expect = BTreeSet::new();
    for n in 0..200_u16 {
        // Many records in one millisecond, agencies with names of several lengths, legs of one call.
        let (who, call) = (["a", "bb", "zzz"][usize::from(n % 3)], format!("c{}", n / 2));
        let ended = 100 + u64::from(n / 20);
        store.leg_ended(cdr(who, &call, n % 2, ended)).unwrap();
        expect.insert(format!("{call}.{}", n % 2));
    }
    store.settled().wait().unwrap();
    for rows_max in [1, 7, 200, 0] {
        let mut query = CdrQuery { rows_max, ..CdrQuery::default() };
        let mut seen = Vec::new();
        loop {
            let page = store.cdrs(query.clone()).wait().unwrap();
            seen.extend(page.cdrs);
            let Some(next) = page.next else { break };
            query.cursor = Some(next);
        }
        assert_eq!(seen.len(), 200, "pages of {rows_max}");
        assert!(seen.is_sorted_by_key(|cdr| cdr.ended.ended_ms));
        assert_eq!(seen.iter().map(|cdr| cdr.id().to_string()).collect::<BTreeSet<_>>(), expect);
    }
}

#[test]
fn queries_select_by_time_agency_call_and_subject() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let key = SubjectKey::new([1; 32]);
    let mut known = cdr("mfc", "c3", 0, 130);
    known.began.caller = Party::masked("+79131234567").with_hash(&key, "+79131234567");
    for cdr in [cdr("mfc", "c1", 0, 110), cdr("mfc", "c1", 1, 120), known, cdr("passport", "c2", 0, 115)] {
        store.leg_ended(cdr).unwrap();
    }
    store.settled().wait().unwrap();
    let check = |query: CdrQuery, expect: &str| assert_eq!(ids(&store.cdrs(query).wait().unwrap().cdrs), expect);
    let all = CdrQuery::default;
    check(all(), "c1.0 c2.0 c1.1 c3.0");
    check(CdrQuery { from: UtcMs(115), until: Some(UtcMs(130)), ..all() }, "c2.0 c1.1");
    check(CdrQuery { from: UtcMs(130), until: Some(UtcMs(110)), ..all() }, "");
    check(CdrQuery { agency: Some(agency("mfc")), ..all() }, "c1.0 c1.1 c3.0");
    check(CdrQuery { agency: Some(agency("m")), ..all() }, "");
    check(CdrQuery { call_id: Some(CallId::new("c1").unwrap()), ..all() }, "c1.0 c1.1");
    check(CdrQuery { call_id: Some(CallId::new("c1").unwrap()), agency: Some(agency("passport")), ..all() }, "");
    check(CdrQuery { subject: Some(key.hash("+79131234567")), ..all() }, "c3.0");
    check(CdrQuery { subject: Some(SubjectKey::new([2; 32]).hash("+79131234567")), ..all() }, "");
    let one = store.cdrs(CdrQuery { call_id: Some(CallId::new("c1").unwrap()), rows_max: 1, ..all() }).wait().unwrap();
    check(CdrQuery { call_id: Some(CallId::new("c1").unwrap()), cursor: one.next, ..all() }, "c1.1");
    for bad in ["", "zz", "43", "4301", &"43".repeat(300)] {
        let query = CdrQuery { cursor: Some(CdrCursor(bad.to_owned())), ..all() };
        assert!(matches!(store.cdrs(query).wait(), Err(StoreError::BadName { .. })), "{bad:?}");
    }
}

#[test]
fn a_record_of_hostile_size_is_kept_trimmed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut huge = cdr("mfc", "c", 0, 100);
    huge.began.trunk = "\"\0".repeat(1 << 20);
    for n in 0..10_000 {
        huge.ended.tags.insert(n.to_string(), "\\".repeat(1_000));
    }
    store.leg_ended(huge).unwrap();
    store.settled().wait().unwrap();
    let kept = store.cdrs(CdrQuery::default()).wait().unwrap().cdrs;
    assert!(kept[0].trimmed && kept[0].ended.tags.len() == 32);
}
