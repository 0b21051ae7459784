//! The audit: pages, its chain over restarts, an exported copy, and the head mark's file.
use std::path::Path;

use gudok_store::audit::{HEAD_FILE, HeadMarks, verify_json_lines, write_json_lines};
use gudok_store::{
    AuditDraft, AuditEntry, AuditQuery, AuditReport, LedgerChange, SledStore, Store, StoreOptions, UtcMs,
};

use crate::NOW;
use crate::ledger::draft;

const KEY: [u8; 32] = [9; 32];

fn open(folder: &Path) -> SledStore {
    SledStore::open(StoreOptions { audit_key: Some(KEY), ..StoreOptions::at(folder) }).unwrap()
}

fn log(store: &SledStore, drafts: Vec<AuditDraft>) -> Vec<AuditEntry> {
    let change = LedgerChange { audit: drafts, ..LedgerChange::default() };
    store.ledger_commit(change, NOW).wait().unwrap().audit
}

/// A store with this many entries.
fn filled(folder: &Path, entries: u64) -> SledStore {
    let store = open(folder);
    for n in 0..entries {
        log(&store, vec![draft("deploy", &n.to_string())]);
    }
    store
}

fn problems(report: &AuditReport) -> String {
    report.faults.iter().map(|fault| format!("{}: {}\n", fault.seq, fault.problem)).collect()
}

fn whole(store: &SledStore) -> AuditReport {
    let report = store.audit_verify().wait().unwrap();
    assert!(report.is_whole(), "{}", problems(&report));
    report
}

fn all(store: &SledStore) -> Vec<AuditEntry> {
    store.audit(AuditQuery::default()).wait().unwrap().entries
}

#[test]
fn the_chain_goes_on_over_restarts_and_reaches_its_mark() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(store.audit_head().wait().unwrap(), gudok_store::AuditHead::default());
    whole(&store);
    drop(store);
    for round in 1..4 {
        let store = open(folder.path());
        log(&store, vec![draft("login", "anna"), draft("deploy", "mfc/desk")]);
        let report = whole(&store);
        assert_eq!((report.entries, report.head.clone()), (round * 2, store.audit_head().wait().unwrap()));
        let marks = HeadMarks::read(&folder.path().join(HEAD_FILE)).unwrap().unwrap();
        let mark = &marks.marks[0];
        assert_eq!((marks.marks.len(), mark.seq, &mark.hash), (1, round * 2, &report.head.hash));
        assert!(mark.is_signed_by(&KEY));
    }
    let entries = all(&open(folder.path()));
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert!(entries.iter().all(|entry| entry.at_ms == NOW && entry.hash.len() == 64));
}

#[test]
fn pages_select_by_actor_action_agency_and_go_either_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for n in 0..20 {
        let action = ["user.create", "user.delete", "deploy"][n % 3];
        let agency = (n % 2 == 0).then(|| "mfc".to_owned());
        let actor = if n < 10 { "anna" } else { "boris" };
        log(&store, vec![AuditDraft { actor: actor.to_owned(), agency, ..draft(action, "o") }]);
    }
    let seqs = |query: AuditQuery| {
        let page = store.audit(query).wait().unwrap();
        (page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), page.next_seq)
    };
    let query = AuditQuery::default;
    assert_eq!(seqs(AuditQuery { from_seq: 18, ..query() }), (vec![18, 19, 20], None));
    assert_eq!(seqs(AuditQuery { newest_first: true, from_seq: 3, ..query() }), (vec![3, 2, 1], None));
    assert_eq!(seqs(AuditQuery { newest_first: true, rows_max: 2, ..query() }), (vec![20, 19], Some(18)));
    assert_eq!(seqs(AuditQuery { rows_max: 2, ..query() }), (vec![1, 2], Some(3)));
    assert_eq!(seqs(AuditQuery { rows_max: 20, ..query() }).1, None);
    let of = |actor: &str, action: &str| AuditQuery {
        actor: Some(actor.to_owned()),
        action: Some(action.to_owned()),
        ..query()
    };
    assert_eq!(seqs(of("anna", "user.")).0, [1, 2, 4, 5, 7, 8, 10]);
    assert_eq!(seqs(AuditQuery { agency: Some("mfc".to_owned()), ..of("boris", "deploy") }).0, [15]);
    assert_eq!(seqs(AuditQuery { from_seq: 99, ..query() }), (vec![], None));
    assert_eq!(seqs(AuditQuery { from_seq: u64::MAX, newest_first: true, rows_max: 1, ..query() }).0, [20]);
    let mut paged = Vec::new();
    let mut next = AuditQuery { rows_max: 3, newest_first: true, ..query() };
    loop {
        let (page, after) = seqs(next.clone());
        paged.extend(page);
        let Some(after) = after else { break };
        next.from_seq = after;
    }
    assert_eq!(paged, (1..=20).rev().collect::<Vec<_>>());
}

#[test]
fn a_tampered_copy_of_an_export_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 9);
    let path = folder.path().join("audit.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    write_json_lines(&all(&store), &mut file).unwrap();
    let marks = HeadMarks::read(&folder.path().join(HEAD_FILE)).unwrap().unwrap();
    let check = |lines: Vec<String>| {
        std::fs::write(&path, lines.concat()).unwrap();
        let mut copy = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
        problems(&verify_json_lines(&mut copy, Some(&marks), Some(&KEY)).unwrap())
    };
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    assert_eq!(check(lines.clone()), "");
    // Another order of keys, and spaces, are no change of an entry.
    let again: Vec<String> = lines
        .iter()
        .map(|line| serde_json::to_string(&serde_json::from_str::<serde_json::Value>(line).unwrap()).unwrap() + " \n")
        .collect();
    assert_eq!(check(again), "");
    let edited = |from: &str, to: &str| {
        let mut lines = lines.clone();
        assert!(lines[4].contains(from));
        lines[4] = lines[4].replacen(from, to, 1);
        lines
    };
    assert!(check(edited("\"anna\"", "\"boris\"")).starts_with("5: its contents do not have its hash"));
    assert!(check(edited("\"test\"", "\"none\"")).starts_with("5: its contents do not have its hash"));
    assert!(check(edited("\"at_ms\":1", "\"at_ms\":2")).starts_with("5: its contents"));
    assert!(check([&lines[..4], &lines[5..]].concat()).starts_with("6: entry 5 is missing"));
    assert!(check(lines[..7].to_vec()).starts_with("9: the audit ends at entry 7, the head mark says 9"));
    assert!(check(lines[2..].to_vec()).starts_with("3: entries 1 to 2 are missing"));
    assert!(check([&lines[..5], &lines[2..]].concat()).starts_with("3: it stands behind entry 5"));
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    assert!(check(swapped).starts_with("5: entry 4 is missing before it: deleted or moved\n4: it stands behind"));
    assert!(check(vec!["{}\n".to_owned()]).contains("line 1 is not an entry"));
}

#[test]
fn a_mark_that_was_tampered_with_is_found_out_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path(), 5));
    let path = folder.path().join(HEAD_FILE);
    let sound = std::fs::read_to_string(&path).unwrap();
    let found = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let store = open(folder.path());
        let found = problems(&store.audit_verify().wait().unwrap());
        // The engine goes on, and what it found is not forgotten with the next mark or the next start.
        log(&store, vec![draft("login", "anna")]);
        assert_eq!(problems(&store.audit_verify().wait().unwrap()), found);
        drop(store);
        assert_eq!(problems(&open(folder.path()).audit_verify().wait().unwrap()), found);
        found
    };
    assert_eq!(found(&sound), "", "the chain is longer than its mark: a crash between the two");
    let set_back = sound.replacen("\"seq\":5", "\"seq\":3", 1);
    assert!(found(&set_back).starts_with("3: the head mark is not signed by this node's key\n3: it is not the entry"));
    assert!(
        found("garbage").contains("the head mark was missing or unreadable when the store was opened at this entry")
    );
    assert!(found("").contains("missing or unreadable"));
}

#[test]
fn a_mark_that_is_gone_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 3);
    std::fs::remove_file(folder.path().join(HEAD_FILE)).unwrap();
    assert!(problems(&store.audit_verify().wait().unwrap()).contains("the head mark is missing"));
    drop(store);
    let found = problems(&open(folder.path()).audit_verify().wait().unwrap());
    assert!(found.starts_with("3: the head mark was missing or unreadable when the store was opened"), "{found}");
}

#[test]
fn another_key_counts_as_forged_and_no_key_keeps_the_evidence() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path(), 2));
    let before = std::fs::read(folder.path().join(HEAD_FILE)).unwrap();
    let without = SledStore::open(StoreOptions::at(folder.path())).unwrap();
    assert!(without.audit_verify().wait().unwrap().is_whole());
    drop(without);
    assert_eq!(std::fs::read(folder.path().join(HEAD_FILE)).unwrap(), before, "who only looks changes nothing");
    let other = SledStore::open(StoreOptions { audit_key: Some([1; 32]), ..StoreOptions::at(folder.path()) }).unwrap();
    assert!(
        problems(&other.audit_verify().wait().unwrap()).contains("2: the head mark is not signed by this node's key")
    );
}

#[test]
fn entries_are_chained_in_one_order_whoever_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..50 {
                    log(store, vec![draft("look", &format!("{writer}-{n}"))]);
                }
            });
        }
    });
    assert_eq!(whole(&store).entries, 400);
    let page = store.audit(AuditQuery { from_seq: 1, ..AuditQuery::default() }).wait().unwrap();
    assert!(page.entries.iter().all(|entry| entry.at_ms == UtcMs(NOW.0)));
}
