//! Tampering with a chain and with a copy of its export.
use super::*;
use crate::limits::{AUDIT_FAULTS_MAX, AUDIT_LINE_BYTES_MAX};

const KEY: [u8; 32] = [7; 32];

fn draft(action: &str, details: Value) -> AuditDraft {
    AuditDraft {
        actor: "anna".to_owned(),
        via: "api".to_owned(),
        action: action.to_owned(),
        object: "mfc/desk".to_owned(),
        agency: Some("mfc".to_owned()),
        details,
    }
}

fn chain(len: u64) -> Vec<AuditEntry> {
    let mut head = AuditHead::default();
    let entry = |n| {
        let entry = AuditEntry::after(&head, UtcMs(1_000 + n), draft("deploy", serde_json::json!({ "n": n })));
        head = entry.head();
        entry
    };
    (0..len).map(entry).collect()
}

/// Gives an entry the hash of its contents, as somebody would who knows how.
fn rehash(entry: &mut AuditEntry) {
    entry.hash = hash_of(entry.seq, entry.at_ms, &entry.draft, &entry.prev);
}

fn marks(entry: &AuditEntry) -> HeadMarks {
    HeadMarks { marks: vec![HeadMark::of(&entry.head(), false, Some(&KEY))], unreadable: false }
}

/// The faults of a chain of six, after something was done to a copy of its export, one a line.
fn check(tamper: impl FnOnce(&mut Vec<AuditEntry>), expect: &str) {
    let mut entries = chain(6);
    let marks = marks(&entries[5]);
    tamper(&mut entries);
    let mut export = Vec::new();
    write_json_lines(&entries, &mut export).unwrap();
    let report = verify_json_lines(&mut &export[..], Some(&marks), Some(&KEY)).unwrap();
    let faults: Vec<_> = report.faults.iter().map(|fault| format!("{}: {}", fault.seq, fault.problem)).collect();
    let begins = |(fault, expect): (&String, &str)| fault.starts_with(expect);
    let expected: Vec<_> = expect.lines().map(str::trim).collect();
    assert!(
        faults.len() == expected.len() && faults.iter().zip(expected).all(begins),
        "{}\nbut expected:\n{expect}",
        faults.join("\n")
    );
    assert_eq!(report, verify(entries.into_iter().map(Ok), Some(&marks), Some(&KEY)));
}

#[test]
fn a_hash_is_what_others_compute() {
    // By Python: json.dumps(entry without hash, sort_keys=True, separators=(",", ":"), ensure_ascii=False).
    let details = serde_json::json!({ "я": [1, -2, 0.5, { "b": null, "a": true }], "a\"\n": "ё\u{1}" });
    let at = UtcMs(1_764_000_000_000);
    let first = hash_of(1, at, &draft("deploy", details.clone()), FIRST_PREV);
    assert_eq!(first, "0d89ca480046550e2530b7eee681408757ff65d0270e4bc268bc6309f2e46061");
    let without_agency = AuditDraft { agency: None, ..draft("deploy", details) };
    let second = hash_of(2, at, &without_agency, &first);
    assert_eq!(second, "884fc544d5587c6305a2b31e5e6777696a6067e382dea07a85efa6dfda3f83c5");
}

#[test]
fn a_whole_chain_is_whole_and_a_longer_one_than_its_mark_too() {
    check(|_| {}, "");
    let entries = chain(6);
    let report = verify(entries.iter().cloned().map(Ok), Some(&marks(&entries[3])), Some(&KEY));
    assert!(report.is_whole() && report.entries == 6 && report.head == entries[5].head(), "{report:?}");
    assert!(verify([], None, None).is_whole());
}

#[test]
fn edited_entries_are_found() {
    check(|entries| entries[2].draft.actor = "boris".to_owned(), "3: its contents do not have its hash");
    check(|entries| entries[2].at_ms = UtcMs(0), "3: its contents do not have its hash");
    check(|entries| entries[2].draft.details = Value::Null, "3: its contents do not have its hash");
    check(|entries| entries[2].draft.agency = None, "3: its contents do not have its hash");
    let rehashed = |entries: &mut Vec<AuditEntry>, n: usize| {
        entries[n].draft.actor = "boris".to_owned();
        rehash(&mut entries[n]);
    };
    check(|entries| rehashed(entries, 2), "4: it does not name the hash of the entry before");
    check(|entries| rehashed(entries, 5), "6: it is not the entry that the head mark names");
    // The whole rest chained anew.
    let rechained = |entries: &mut Vec<AuditEntry>| {
        entries[2].draft.actor = "boris".to_owned();
        for n in 2..6 {
            entries[n].prev = entries[n - 1].hash.clone();
            rehash(&mut entries[n]);
        }
    };
    check(rechained, "6: it is not the entry that the head mark names");
}

#[test]
fn deleted_cut_moved_and_inserted_entries_are_found() {
    check(|entries| drop(entries.remove(0)), "2: entry 1 is missing before it");
    check(|entries| drop(entries.drain(1..3)), "4: entries 2 to 3 are missing before it");
    check(|entries| entries.truncate(5), "6: the audit ends at entry 5, the head mark says 6");
    check(Vec::clear, "6: the audit ends at entry 0, the head mark says 6");
    check(|entries| entries.swap(1, 2), "3: entry 2 is missing before it\n2: it stands behind entry 3");
    check(|entries| entries.insert(3, entries[1].clone()), "2: it stands behind entry 3");
    let inserted = |entries: &mut Vec<AuditEntry>| {
        let put_in = AuditEntry::after(&entries[2].head(), UtcMs(5), draft("approve", Value::Null));
        entries.insert(3, put_in);
    };
    check(inserted, "4: it stands behind entry 4\n5: it does not name the hash of the entry before");
    let deleted_and_renumbered = |entries: &mut Vec<AuditEntry>| {
        entries.remove(2);
        for entry in &mut entries[2..] {
            entry.seq -= 1;
            rehash(entry);
        }
    };
    check(
        deleted_and_renumbered,
        "3: it does not name the hash of the entry before\n4: it does not name the hash of the entry before\n\
         5: it does not name the hash of the entry before\n6: the audit ends at entry 5",
    );
}

#[test]
fn a_text_that_is_no_export_is_told_by_its_line() {
    let mut export = Vec::new();
    write_json_lines(&chain(2), &mut export).unwrap();
    export.extend(b"\nhello\n");
    let report = verify_json_lines(&mut &export[..], None, None).unwrap();
    assert_eq!((report.entries, report.faults.len()), (2, 1));
    assert!(report.faults[0].problem.starts_with("line 4 is not an entry"), "{report:?}");
    let long = vec![b'x'; AUDIT_LINE_BYTES_MAX + 1];
    assert!(!verify_json_lines(&mut &long[..], None, None).unwrap().is_whole());
}

#[test]
fn the_list_of_faults_is_bounded() {
    let mut entries = chain(500);
    entries.iter_mut().for_each(|entry| entry.draft.actor.push('x'));
    let report = verify(entries.into_iter().map(Ok), None, None);
    assert_eq!(report.faults.len(), AUDIT_FAULTS_MAX + 1);
    assert_eq!(report.faults[AUDIT_FAULTS_MAX].problem, "400 more faults are not listed");
}

#[test]
fn a_mark_is_signed() {
    let head = chain(3)[2].head();
    let mark = HeadMark::of(&head, false, Some(&KEY));
    assert!(mark.is_signed_by(&KEY) && !mark.is_signed_by(&[8; 32]));
    let moved = HeadMark { seq: 2, ..mark.clone() };
    let cleared = HeadMark { unmarked: true, ..mark.clone() };
    let stripped = HeadMark { hmac: None, ..mark.clone() };
    assert!([&moved, &cleared, &stripped].iter().all(|forged| !forged.is_signed_by(&KEY)));
    let of_nothing = HeadMark::of(&AuditHead::default(), false, None);
    assert!(of_nothing.is_signed_by(&KEY), "it claims nothing");
    let file = HeadMarks { marks: vec![moved, mark], unreadable: false };
    assert_eq!(HeadMarks::parse(&file.to_bytes()), file);
    assert!(HeadMarks::parse(b"").unreadable && HeadMarks::parse(b"{}\n").unreadable);
    let report = verify(chain(3).into_iter().map(Ok), Some(&file), Some(&KEY));
    let problems: Vec<_> = report.faults.iter().map(|fault| fault.problem.as_str()).collect();
    assert_eq!(
        problems,
        [
            "the head mark is not signed by this node's key",
            "it is not the entry that the head mark names: the audit was rewritten"
        ]
    );
}

#[test]
fn details_read_back_as_they_were_written() {
    // Fractions of all sizes: whatever a reader makes of them, what is kept is what it reads again.
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..20_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let fraction = f64::from_bits(random);
        if !fraction.is_finite() {
            continue;
        }
        let kept = settle_details(serde_json::json!({ "share": [fraction, 12.5, 3] })).unwrap();
        let text = kept.to_string();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap().to_string(), text);
        let entry = AuditEntry::after(&AuditHead::default(), UtcMs(1), draft("rollback", kept));
        let line = serde_json::to_string(&entry).unwrap();
        assert!(verify([Ok(serde_json::from_str(&line).unwrap())], None, None).is_whole(), "{line}");
    }
    let mut deep = Value::Null;
    for _ in 0..200 {
        deep = Value::Array(vec![deep]);
    }
    assert_eq!(settle_details(deep), None);
}
