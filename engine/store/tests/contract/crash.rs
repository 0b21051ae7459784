//! Acknowledged means durable: a child process writes and says what was acknowledged, and is killed in mid-work.
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gudok_store::audit::{HEAD_FILE, HeadMarks};
use gudok_store::{
    AttemptQuery, AuditQuery, CallId, CdrQuery, ContactState, HangupCause, LedgerChange, LedgerQuery, LegId,
    OptOutQuery, OptOutScope, SledStore, Store, StoreError, StoreOptions, UtcMs,
};

use crate::ledger::{draft, expect, put};
use crate::{NOW, QUOTA, bucket, bucket_of, campaigns, cdr, leg, open};

const CHILD_ENV: &str = "GUDOK_STORE_CRASH_TEST";
const ROUNDS: u64 = 20;
const WRITERS: u64 = 4;

/// What one writer of the child leaves behind for number `n`: an entry, a counter, a CDR, a live leg, a blob.
fn names(round: u64, writer: u64, n: u64) -> (String, String, String) {
    (format!("{round}-{writer}-{n}"), format!("ended-{round}-{writer}-{n}"), format!("alive-{round}-{writer}-{n}"))
}

/// Not a test of its own: the process that the others start and kill.
#[test]
fn child() {
    let Ok(task) = std::env::var(CHILD_ENV) else { return };
    let (round, folder) = task.split_once(':').unwrap();
    let round: u64 = round.parse().unwrap();
    let store = open(Path::new(folder));
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = &store;
            scope.spawn(move || write(store, round, writer));
        }
    });
}

fn write(store: &SledStore, round: u64, writer: u64) {
    let counters = bucket_of("mfc", "s", "counters");
    let mut revision = 0;
    for n in 0.. {
        let (key, ended, alive) = names(round, writer, n);
        store.bucket_set(&bucket(), &key, key.as_bytes(), None, QUOTA, NOW).wait().unwrap();
        acknowledge("entry", writer, n);
        let count = store.bucket_increment(&counters, &format!("{round}-{writer}"), 1, QUOTA, NOW).wait().unwrap();
        assert_eq!(count.unsigned_abs(), n + 1);
        acknowledge("count", writer, n);
        store.leg_began(leg("mfc", &ended, 0)).unwrap();
        store.leg_ended(cdr("mfc", &ended, 0, 20 + n)).unwrap();
        store.leg_began(leg("mfc", &alive, 0)).unwrap();
        store.settled().wait().unwrap();
        acknowledge("legs", writer, n);
        revision = change_ledger(store, &format!("{round}-{writer}"), n, revision);
        acknowledge("ledger", writer, n);
        try_contact(store, &format!("{round}-{writer}"), writer, n);
        if n.is_multiple_of(8) {
            store.blob_put(key.into_bytes()).wait().unwrap();
            acknowledge("blob", writer, n);
        }
    }
}

/// One attempt as the engine makes it: the contact is there, the claim is durable before anybody is dialled, then its end.
fn try_contact(store: &SledStore, campaign: &str, writer: u64, n: u64) {
    let places = campaigns::add(store, campaign, [u128::from(n)]);
    assert_eq!(places, [u32::try_from(n).ok()]);
    let no = places[0].unwrap();
    store.contact_write(campaigns::claim(campaign, no, 1), NOW).wait().unwrap();
    acknowledge("claim", writer, n);
    store.contact_write(campaigns::end(campaign, no, 1, 0), NOW).wait().unwrap();
    acknowledge("end", writer, n);
    let number = u128::from(writer << 32 | n);
    store.opt_outs_put(vec![campaigns::opt_out(number, OptOutScope::Global)]).wait().unwrap();
    acknowledge("optout", writer, n);
}

/// One change as the admins' room makes them: a document at an expected revision, another one that is new, and two
/// entries of the audit that name the change.
fn change_ledger(store: &SledStore, writer: &str, n: u64, revision: u64) -> u64 {
    let key = format!("{writer}-{n}");
    let change = LedgerChange {
        expect: vec![expect("current", writer, revision), expect("step", &key, 0)],
        puts: vec![put("current", writer, &n.to_string()), put("step", &key, "{}")],
        audit: vec![draft("first", &key), draft("second", &key)],
        ..LedgerChange::default()
    };
    store.ledger_commit(change, NOW).wait().unwrap().revisions[0]
}

/// To the parent, through the harness's back: one whole line at once.
fn acknowledge(what: &str, writer: u64, n: u64) {
    use std::io::Write;
    let line = format!("\nack {what} {writer} {n}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    std::io::stdout().lock().flush().unwrap();
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn start(folder: &Path, round: u64) -> Killed {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture", "--test-threads=1"])
        .env(CHILD_ENV, format!("{round}:{}", folder.display()))
        .stdout(Stdio::piped())
        .spawn();
    Killed(child.unwrap())
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    // xorshift64: the moments differ, the run can be repeated.
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let lines_max = 1 + random % 150;
        let mut child = start(folder.path(), round);
        let lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
        let mut acks = Vec::new();
        for line in lines {
            acks.extend(line.unwrap().strip_prefix("ack ").map(str::to_owned));
            if acks.len() as u64 >= lines_max {
                break;
            }
        }
        drop(child);
        assert_eq!(acks.len() as u64, lines_max, "round {round}: the child ended by itself");
        let marks = HeadMarks::read(&folder.path().join(HEAD_FILE)).unwrap().unwrap();
        check(&open(folder.path()), marks.marks[0].seq, round, &acks);
        acknowledged += acks.len();
    }
    assert!(acknowledged > 500, "{acknowledged}");
}

fn check(store: &SledStore, marked: u64, round: u64, acks: &[String]) {
    let now = UtcMs(1_000_000 + round);
    let recovered = store.recover_crashed_legs(now).wait().unwrap();
    assert!(store.recover_crashed_legs(now).wait().unwrap().is_empty(), "recovery is done once");
    let counters = bucket_of("mfc", "s", "counters");
    for ack in acks {
        let parts: Vec<_> = ack.split(' ').collect();
        let (writer, n) = (parts[1].parse::<u64>().unwrap(), parts[2].parse::<u64>().unwrap());
        let (key, ended, alive) = names(round, writer, n);
        let lost = format!("round {round}: lost {ack}");
        match parts[0] {
            "entry" => {
                let entry = store.bucket_get(&bucket(), &key, NOW).wait().unwrap().expect(&lost);
                assert_eq!(entry.value, key.as_bytes());
            }
            "count" => {
                let counter =
                    store.bucket_get(&counters, &format!("{round}-{writer}"), NOW).wait().unwrap().expect(&lost);
                assert!(String::from_utf8(counter.value).unwrap().parse::<u64>().unwrap() > n, "{lost}");
            }
            "legs" => {
                assert_eq!(cause(store, &ended), Some(HangupCause::Normal), "{lost}");
                assert_eq!(cause(store, &alive), Some(HangupCause::Crash), "{lost}");
                assert!(recovered.contains(&LegId { call_id: CallId::new(&alive).unwrap(), leg: 0 }), "{lost}");
            }
            // The audit's entry is looked for in `check_ledger`: every document has its two.
            "ledger" => {
                let step = store.ledger_get("step", &key, NOW).wait().unwrap().expect(&lost);
                let current = store.ledger_get("current", &format!("{round}-{writer}"), NOW).wait().unwrap();
                let current: u64 = String::from_utf8(current.expect(&lost).body).unwrap().parse().unwrap();
                assert!(current >= n && step.body == b"{}", "{lost}");
            }
            "claim" | "end" => check_contact(store, &format!("{round}-{writer}"), n, parts[0] == "end"),
            "optout" => {
                let number = Some(gudok_store::NumberKey(u128::from(writer << 32 | n)));
                let page = store.opt_outs(OptOutQuery { number, ..OptOutQuery::default() }).wait().unwrap();
                assert_eq!(page.opt_outs.len(), 1, "{lost}");
            }
            _ => {
                let id = gudok_store::BlobId::of(key.as_bytes());
                assert_eq!(store.blob_read(id).wait().expect(&lost), key.as_bytes());
            }
        }
    }
    for writer in 0..WRITERS {
        check_campaign(store, &format!("{round}-{writer}"));
    }
    let acknowledged = acks.iter().filter_map(|ack| ack.strip_prefix("ledger "));
    check_ledger(store, marked, round, acknowledged);
    assert_eq!(store.stats().corrupt, 0);
}

/// What was acknowledged of an attempt is there, and a second claim of it is refused.
fn check_contact(store: &SledStore, campaign: &str, n: u64, over: bool) {
    let no = u32::try_from(n).unwrap();
    let kept = store.contact(campaign, no).wait().unwrap().expect("the contact is lost");
    let done = matches!(kept.state, ContactState::Done { .. });
    assert!(done || matches!(kept.state, ContactState::Claimed { .. }), "{campaign} {n}: the claim is lost");
    assert!(done || !over, "{campaign} {n}: the end is lost");
    let again = store.contact_write(campaigns::claim(campaign, no, 1), NOW).wait();
    assert!(matches!(again, Err(StoreError::AlreadyClaimed { .. })), "{campaign} {n}: it would be dialled twice");
}

/// No contact and no attempt is there half, and the counts agree with the rows.
fn check_campaign(store: &SledStore, campaign: &str) {
    let size = store.campaign_size(campaign).wait().unwrap();
    let seeds = store.contact_seeds(campaign, None, 0).wait().unwrap();
    assert_eq!((seeds.seeds.len(), seeds.corrupt), (usize::try_from(size.contacts).unwrap(), 0), "{campaign}");
    let ends = store.attempts(campaign, AttemptQuery::Ends { after: 0, rows_max: 0 }).wait().unwrap();
    let numbers: Vec<_> = ends.attempts.iter().map(|row| row.seq.unwrap()).collect();
    assert_eq!(numbers, (1..=size.ends).collect::<Vec<_>>(), "{campaign}");
    for seed in seeds.seeds {
        let rows = store.attempts(campaign, AttemptQuery::Contact(seed.no)).wait().unwrap().attempts;
        let ended = rows.first().map(|row| row.seq.is_some());
        let expect = match seed.state {
            ContactState::Waiting { .. } => None,
            ContactState::Claimed { .. } => Some(false),
            _ => Some(true),
        };
        assert_eq!(ended, expect, "{campaign}: contact {} and its attempt disagree", seed.no);
        let twice = store.contacts_add(campaign, vec![campaigns::contact(seed.number.0)], NOW).wait().unwrap();
        assert_eq!(twice.places, [None], "{campaign}: the number of {} is not taken", seed.no);
    }
}

/// No change is there half: its documents and its entries agree, of this round and of all before; the chain is whole; and
/// the head mark that the killed process left names what it had acknowledged.
fn check_ledger<'a>(store: &SledStore, marked: u64, round: u64, acks: impl Iterator<Item = &'a str>) {
    let report = store.audit_verify().wait().unwrap();
    assert!(report.is_whole(), "round {round}: {report:?}");
    let (steps, entries) = (steps(store), entries(store));
    assert!(entries.keys().eq(&steps), "round {round}: documents without entries, or entries without documents");
    let both = |actions: &Vec<(u64, String)>| actions.iter().map(|(_, action)| action).eq(["first", "second"]);
    assert!(entries.values().all(both), "round {round}");
    for ack in acks {
        let (writer, n) = ack.split_once(' ').unwrap();
        assert!(entries[&format!("{round}-{writer}-{n}")][1].0 <= marked, "round {round}: {ack} is behind the mark");
    }
    let mut writers = BTreeMap::<&str, Vec<u64>>::new();
    for (writer, n) in steps.iter().map(|step| step.rsplit_once('-').unwrap()) {
        writers.entry(writer).or_default().push(n.parse().unwrap());
    }
    for (writer, steps) in writers {
        let current = store.ledger_get("current", writer, NOW).wait().unwrap().unwrap();
        let last = steps.iter().max().unwrap();
        assert_eq!(String::from_utf8(current.body).unwrap(), last.to_string(), "round {round}");
        assert_eq!(steps.len() as u64, last + 1, "round {round}: no change before it is missing");
    }
}

/// The ids of all changes' own documents.
fn steps(store: &SledStore) -> BTreeSet<String> {
    let mut steps = BTreeSet::new();
    let mut query = LedgerQuery { kind: "step".to_owned(), ..LedgerQuery::default() };
    loop {
        let page = store.ledger_list(query.clone(), NOW).wait().unwrap();
        steps.extend(page.documents.into_iter().map(|document| document.id));
        query.after = page.more_after;
        if query.after.is_none() {
            return steps;
        }
    }
}

/// The audit's entries of each change: number and action.
fn entries(store: &SledStore) -> BTreeMap<String, Vec<(u64, String)>> {
    let mut entries = BTreeMap::<String, Vec<_>>::new();
    let mut query = AuditQuery::default();
    loop {
        let page = store.audit(query.clone()).wait().unwrap();
        for entry in page.entries {
            entries.entry(entry.draft.object).or_default().push((entry.seq, entry.draft.action));
        }
        let Some(next) = page.next_seq else { return entries };
        query.from_seq = next;
    }
}

fn cause(store: &SledStore, call: &str) -> Option<HangupCause> {
    let query = CdrQuery { call_id: Some(CallId::new(call).unwrap()), ..CdrQuery::default() };
    let page = store.cdrs(query).wait().unwrap();
    assert!(page.cdrs.len() <= 1);
    page.cdrs.into_iter().next().map(|cdr| cdr.ended.cause)
}

#[test]
fn a_second_process_is_told_who_has_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(folder.path(), 0);
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().starts_with("ack ")).unwrap().unwrap();
    let error = SledStore::open(StoreOptions::at(folder.path())).unwrap_err();
    let StoreError::InUse { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(*holder, format!("process {}", child.0.id()));
    drop(child);
    open(folder.path());
}
