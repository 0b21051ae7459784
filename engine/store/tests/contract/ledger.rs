//! Documents of the ledger: revisions, expectations, ends of life, limits.
use gudok_store::{
    AuditDraft, AuditQuery, Document, Expected, LedgerChange, LedgerQuery, Put, SledStore, Store, StoreError, UtcMs,
    limits,
};

use crate::{NOW, open};

pub(crate) fn put(kind: &str, id: &str, body: &str) -> Put {
    Put { kind: kind.to_owned(), id: id.to_owned(), body: body.as_bytes().to_vec(), expires: None }
}

pub(crate) fn expect(kind: &str, id: &str, revision: u64) -> Expected {
    Expected { kind: kind.to_owned(), id: id.to_owned(), revision }
}

pub(crate) fn draft(action: &str, object: &str) -> AuditDraft {
    AuditDraft {
        actor: "anna".to_owned(),
        via: "api".to_owned(),
        action: action.to_owned(),
        object: object.to_owned(),
        agency: None,
        details: serde_json::json!({ "why": "test" }),
    }
}

/// Writes one document and its audit entry; answers with the revision.
pub(crate) fn set(store: &SledStore, kind: &str, id: &str, body: &str) -> u64 {
    let change =
        LedgerChange { puts: vec![put(kind, id, body)], audit: vec![draft("set", id)], ..LedgerChange::default() };
    store.ledger_commit(change, NOW).wait().unwrap().revisions[0]
}

fn delete(store: &SledStore, kind: &str, id: &str) {
    let change = LedgerChange { deletes: vec![(kind.to_owned(), id.to_owned())], ..LedgerChange::default() };
    store.ledger_commit(change, NOW).wait().unwrap();
}

fn get(store: &SledStore, kind: &str, id: &str) -> Option<Document> {
    store.ledger_get(kind, id, NOW).wait().unwrap()
}

fn ids(store: &SledStore, query: LedgerQuery) -> String {
    let page = store.ledger_list(query, NOW).wait().unwrap();
    page.documents.iter().map(|document| document.id.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_revision_never_repeats_not_even_after_a_delete_or_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut last = 0;
    for round in 0..3 {
        let revision = set(&store, "user", "anna", &format!("{{\"round\":{round}}}"));
        assert!(revision > last, "round {round}");
        last = revision;
        let document = get(&store, "user", "anna").unwrap();
        assert_eq!((document.revision, document.kind, document.id), (last, "user".to_owned(), "anna".to_owned()));
        assert_eq!((document.body, document.expires), (format!("{{\"round\":{round}}}").into_bytes(), None));
        delete(&store, "user", "anna");
        assert_eq!(get(&store, "user", "anna"), None);
        delete(&store, "user", "anna");
    }
    drop(store);
    let store = open(folder.path());
    assert!(set(&store, "user", "anna", "{}") > last);
}

#[test]
fn a_change_happens_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let old = set(&store, "agency", "mfc", "1");
    let new = set(&store, "agency", "mfc", "2");
    let change = |revision| LedgerChange {
        expect: vec![expect("agency", "mfc", revision), expect("number", "100", 0)],
        puts: vec![put("agency", "mfc", "3"), put("number", "100", "\"mfc\"")],
        deletes: vec![("number".to_owned(), "101".to_owned())],
        audit: vec![draft("agency.update", "mfc"), draft("number.create", "100")],
        urgent: false,
    };
    set(&store, "number", "101", "{}");
    let entries = |store: &SledStore| store.audit(AuditQuery::default()).wait().unwrap().entries.len();
    let before = entries(&store);
    let refused = store.ledger_commit(change(old), NOW).wait().unwrap_err();
    let StoreError::Stale { kind, id, expected, actual } = &refused else { panic!("{refused}") };
    assert_eq!((kind.as_str(), id.as_str(), *expected, *actual), ("agency", "mfc", old, new));
    assert!(refused.to_string().contains("read it again"), "{refused}");
    assert_eq!(get(&store, "agency", "mfc").unwrap().body, b"2");
    assert_eq!((get(&store, "number", "100"), entries(&store)), (None, before));

    let done = store.ledger_commit(change(new), NOW).wait().unwrap();
    assert!(done.revisions.len() == 2 && done.revisions[1] > done.revisions[0] && done.revisions[0] > new);
    assert_eq!(get(&store, "agency", "mfc").unwrap().revision, done.revisions[0]);
    assert_eq!(get(&store, "number", "101"), None);
    let objects: Vec<_> = done.audit.iter().map(|entry| (entry.seq, entry.draft.object.as_str())).collect();
    assert_eq!(objects, [(before as u64 + 1, "mfc"), (before as u64 + 2, "100")]);
    // "Must not exist" fails now.
    let again = store.ledger_commit(change(done.revisions[0]), NOW).wait().unwrap_err();
    assert!(matches!(again, StoreError::Stale { expected: 0, .. }), "{again}");
}

#[test]
fn of_two_who_change_the_same_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut revision = set(&store, "deployment", "mfc/desk", "0");
    for _ in 0..50 {
        let change = |body: &str| LedgerChange {
            expect: vec![expect("deployment", "mfc/desk", revision)],
            puts: vec![put("deployment", "mfc/desk", body)],
            audit: vec![draft("deploy", body)],
            ..LedgerChange::default()
        };
        // Both are handed over before either is decided: they share a commit.
        let (one, two) = (store.ledger_commit(change("1"), NOW), store.ledger_commit(change("2"), NOW));
        let results = [one.wait(), two.wait()];
        let won: Vec<_> = results.iter().flatten().collect();
        assert_eq!(won.len(), 1, "{results:?}");
        revision = won[0].revisions[0];
        assert_eq!(get(&store, "deployment", "mfc/desk").unwrap().revision, revision);
    }
    assert_eq!(store.audit_head().wait().unwrap().seq, 51, "a change that was refused leaves no entry");
    assert!(store.audit_verify().wait().unwrap().is_whole());
}

#[test]
fn a_document_ends_at_its_time_and_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let until = |id: &str, expires: u64| Put { expires: Some(UtcMs(expires)), ..put("token", id, "{}") };
    let puts = (0..10).map(|n| until(&format!("t{n}"), NOW.0 + 10 + n)).collect();
    store.ledger_commit(LedgerChange { puts, ..LedgerChange::default() }, NOW).wait().unwrap();
    let revision = set(&store, "token", "t9", "{}");
    let at = |id: &str, now| store.ledger_get("token", id, UtcMs(now)).wait().unwrap();
    assert_eq!(at("t3", NOW.0 + 12).unwrap().expires, Some(UtcMs(NOW.0 + 13)));
    assert!(at("t3", NOW.0 + 13).is_none(), "gone from then on");
    let list = |now| {
        let query = LedgerQuery { kind: "token".to_owned(), ..LedgerQuery::default() };
        store.ledger_list(query, UtcMs(now)).wait().unwrap().documents.len()
    };
    assert_eq!((list(NOW.0), list(NOW.0 + 13)), (10, 6));
    // What has ended counts as not there.
    let anew = LedgerChange {
        expect: vec![expect("token", "t0", 0), expect("token", "t9", revision)],
        puts: vec![until("t0", NOW.0 + 100)],
        ..LedgerChange::default()
    };
    store.ledger_commit(anew, UtcMs(NOW.0 + 50)).wait().unwrap();
    let after = UtcMs(NOW.0 + 50);
    let steps: Vec<_> = (0..3).map(|_| store.ledger_sweep(after, 5).wait().unwrap()).collect();
    assert_eq!(steps.iter().map(|step| step.removed).collect::<Vec<_>>(), [5, 3, 0]);
    assert_eq!(steps.iter().map(|step| step.more).collect::<Vec<_>>(), [true, false, false]);
    assert!(at("t0", NOW.0 + 50).is_some() && at("t9", NOW.0 + 50).is_some(), "replaced ones live on");
    assert_eq!(list(NOW.0), 2);
}

#[test]
fn lists_go_by_kind_and_beginning_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for id in ["mfc/desk", "mfc/night", "mfc", "passport/desk", "m"] {
        set(&store, "deployment", id, "{}");
        set(&store, "deploymen", id, "{}");
    }
    let query = |prefix: &str| LedgerQuery {
        kind: "deployment".to_owned(),
        prefix: prefix.to_owned(),
        ..LedgerQuery::default()
    };
    assert_eq!(ids(&store, query("")), "m mfc mfc/desk mfc/night passport/desk");
    assert_eq!(ids(&store, query("mfc/")), "mfc/desk mfc/night");
    assert_eq!(ids(&store, query("x")), "");
    assert_eq!(ids(&store, LedgerQuery { kind: "nothing".to_owned(), ..query("") }), "");
    assert_eq!(ids(&store, LedgerQuery { after: Some("mfc/desk".to_owned()), ..query("mfc") }), "mfc/night");
    let mut seen = Vec::new();
    let mut page_query = LedgerQuery { rows_max: 2, ..query("") };
    loop {
        let page = store.ledger_list(page_query.clone(), NOW).wait().unwrap();
        assert!(page.documents.len() <= 2);
        seen.extend(page.documents.into_iter().map(|document| document.id));
        page_query.after = page.more_after;
        if page_query.after.is_none() {
            break;
        }
    }
    assert_eq!(seen.join(" "), "m mfc mfc/desk mfc/night passport/desk");
}

#[test]
fn a_page_of_large_documents_ends_before_it_fills_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let large = format!("\"{}\"", "x".repeat(limits::DOCUMENT_BYTES_MAX - 2));
    for n in 0..80 {
        set(&store, "version", &format!("{n:03}"), &large);
    }
    let query = LedgerQuery { kind: "version".to_owned(), ..LedgerQuery::default() };
    let first = store.ledger_list(query.clone(), NOW).wait().unwrap();
    assert_eq!(first.documents.len(), limits::LEDGER_PAGE_BYTES_MAX / limits::DOCUMENT_BYTES_MAX);
    let rest = store.ledger_list(LedgerQuery { after: first.more_after, ..query }, NOW).wait().unwrap();
    assert_eq!((first.documents.len() + rest.documents.len(), rest.more_after), (80, None));
}

#[test]
fn what_a_change_may_carry_is_limited() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let refused = |change: LedgerChange| store.ledger_commit(change, NOW).wait().unwrap_err();
    let of = |puts: Vec<Put>| LedgerChange { puts, ..LedgerChange::default() };
    let large = "1".repeat(limits::DOCUMENT_BYTES_MAX);
    set(&store, "k", &"i".repeat(limits::DOCUMENT_ID_BYTES_MAX), &large);
    assert!(matches!(refused(of(vec![put("k", "i", &format!("{large}1"))])), StoreError::TooLarge { .. }));
    for (kind, id, body) in [
        ("", "i", "{}"),
        ("k", "", "{}"),
        (&*"k".repeat(limits::NAME_BYTES_MAX + 1), "i", "{}"),
        ("k", &*"i".repeat(limits::DOCUMENT_ID_BYTES_MAX + 1), "{}"),
        ("k", "i", ""),
        ("k", "i", "{"),
        ("k", "i", "{} {}"),
    ] {
        let error = refused(of(vec![put(kind, id, body)]));
        assert!(matches!(error, StoreError::BadName { .. }), "{kind:.3} {id:.3} {body}: {error}");
    }
    let twice = LedgerChange { deletes: vec![("k".to_owned(), "i".to_owned())], ..of(vec![put("k", "i", "1")]) };
    assert!(refused(twice).to_string().contains("twice"));
    let many = (0..=limits::LEDGER_CHANGE_ITEMS_MAX).map(|n| put("k", &n.to_string(), "1")).collect();
    assert!(matches!(refused(of(many)), StoreError::BadName { .. }));
    let heavy = (0..17).map(|n| put("k", &n.to_string(), &large)).collect();
    assert!(matches!(refused(of(heavy)), StoreError::TooLarge { .. }));
    assert!(matches!(store.ledger_get("k", "", NOW).wait(), Err(StoreError::BadName { .. })));
    assert!(matches!(store.ledger_list(LedgerQuery::default(), NOW).wait(), Err(StoreError::BadName { .. })));

    let details = |details| LedgerChange { audit: vec![AuditDraft { details, ..draft("a", "o") }], ..of(Vec::new()) };
    let fits = "d".repeat(limits::AUDIT_DETAILS_BYTES_MAX - 2);
    store.ledger_commit(details(fits.clone().into()), NOW).wait().unwrap();
    assert!(matches!(refused(details((fits + "d").into())), StoreError::TooLarge { .. }));
    // What a caller or a guest typed must not keep the entry out: it is cut.
    let typed = LedgerChange { audit: vec![draft("login.failed", &"\n\"я".repeat(10_000))], ..of(Vec::new()) };
    let kept = &store.ledger_commit(typed, NOW).wait().unwrap().audit[0];
    assert!(kept.draft.object.len() <= limits::AUDIT_TEXT_BYTES_MAX && kept.draft.object.ends_with('…'));
    assert!(!kept.draft.object.contains('\n') && store.audit_verify().wait().unwrap().is_whole());
}

#[test]
fn the_largest_change_is_one_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let count = limits::LEDGER_CHANGE_ITEMS_MAX / 2;
    let puts = (0..count).map(|n| put("k", &format!("{n:03}"), "{}")).collect();
    let audit = (0..count).map(|n| draft("set", &n.to_string())).collect();
    let done = store.ledger_commit(LedgerChange { puts, audit, ..LedgerChange::default() }, NOW).wait().unwrap();
    assert_eq!((done.revisions.len(), done.audit.len()), (count, count));
    assert!(done.revisions.is_sorted() && done.audit.is_sorted_by_key(|entry| entry.seq));
    drop(store);
    let store = open(folder.path());
    let query = LedgerQuery { kind: "k".to_owned(), ..LedgerQuery::default() };
    assert_eq!(store.ledger_list(query, NOW).wait().unwrap().documents.len(), count);
    let report = store.audit_verify().wait().unwrap();
    assert_eq!((report.entries, report.is_whole()), (count as u64, true));
}
