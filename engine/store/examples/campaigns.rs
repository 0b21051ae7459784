//! Contacts a second, and claims with their ends. `cargo run --release -p gudok-store --example campaigns -- [contacts] [attempts] [attempts/s] [cache MiB]`
//!
//! Adds contacts as an import does (batches of 500, some of them in flight), reads every seed as a start does, then makes
//! attempts: a claim that is awaited, and its end (attempts/s 0: as fast as 256 of them in flight go). Prints times, the
//! CPU of the whole process with the making of the rows, and the peak of its memory.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use gudok_store::{
    AnsweredBy, Attempt, AttemptEnd, AttemptQuery, CallId, ContactState, ContactWrite, Disposition, NewContact,
    NumberKey, SealedContact, SledStore, Spent, Store, StoreOptions, SubjectKey, UtcMs,
};

const CAMPAIGN: &str = "flood";
const BATCH: usize = gudok_store::limits::CONTACTS_ADD_MAX;
const BATCHES_IN_FLIGHT: usize = 4;
const ATTEMPTS_IN_FLIGHT: usize = 256;
const START_MS: u64 = 1_764_000_000_000;

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u32>().unwrap());
    let contacts = args.next().unwrap_or(1_000_000);
    let attempts = args.next().unwrap_or(20_000).min(contacts);
    let pace = args.next().unwrap_or(0);
    let cache_bytes = u64::from(args.next().unwrap_or(64)) << 20;
    let folder = tempfile::tempdir_in(".").unwrap();
    let options = StoreOptions { cache_bytes, ..StoreOptions::at(folder.path().join("store")) };
    let store = SledStore::open(options).unwrap();

    let (began, before) = (Instant::now(), cpu());
    let added = import(&store, contacts);
    let (took, used) = (began.elapsed(), cpu() - before);
    say("contacts added", added.into(), took, used);
    let (began, before) = (Instant::now(), cpu());
    say("seeds read", seeds(&store), began.elapsed(), cpu() - before);
    println!("disk                 {} bytes a contact", size(folder.path()) / u64::from(contacts.max(1)));
    println!("memory               {} MiB at most", peak_kib() / 1024);

    let before_stats = store.stats();
    let (began, before) = (Instant::now(), cpu());
    let mut waits = tries(&store, contacts, attempts, pace);
    let (took, used) = (began.elapsed(), cpu() - before);
    say("attempts", attempts.into(), took, used);
    waits.sort_unstable();
    let at = |permille: usize| waits.get(waits.len() * permille / 1_000).copied().unwrap_or_default();
    println!("claim durable after  p50 {} µs, p99 {} µs", at(500), at(990));
    println!("commits              {}", store.stats().commits - before_stats.commits);
    let (began, before) = (Instant::now(), cpu());
    say("ends read", ends(&store), began.elapsed(), cpu() - before);
}

fn say(what: &str, count: u64, took: Duration, cpu: Duration) {
    println!(
        "{what:<20} {count} in {took:.2?}: {:.0}/s; CPU {:.1} µs each, {:.1} % of a core",
        count as f64 / took.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / count.max(1) as f64,
        100.0 * cpu.as_secs_f64() / took.as_secs_f64()
    );
}

fn import(store: &SledStore, contacts: u32) -> u32 {
    let key = SubjectKey::new([7; 32]);
    let mut in_flight = VecDeque::new();
    let mut added = 0;
    let mut settle = |pending: gudok_store::Pending<gudok_store::ContactsAdded>| {
        added += u32::try_from(pending.wait().unwrap().places.iter().flatten().count()).unwrap();
    };
    for from in (0..contacts).step_by(BATCH) {
        let rows = (from..contacts.min(from + u32::try_from(BATCH).unwrap())).map(|n| contact(&key, n)).collect();
        in_flight.push_back(store.contacts_add(CAMPAIGN, rows, UtcMs(START_MS)));
        if in_flight.len() >= BATCHES_IN_FLIGHT {
            settle(in_flight.pop_front().unwrap());
        }
    }
    in_flight.into_iter().for_each(&mut settle);
    added
}

fn contact(key: &SubjectKey, n: u32) -> NewContact {
    let number = format!("+79{n:09}");
    const ZONES: [&str; 4] = ["Asia/Omsk", "Europe/Samara", "Asia/Vladivostok", "Asia/Yekaterinburg"];
    NewContact {
        id: format!("{n}"),
        number: NumberKey::from(&key.hash(&number)),
        sealed: SealedContact(vec![7; 150]),
        masked: "+7********21".to_owned(),
        zone: ZONES[n as usize / 250 % 4].to_owned(),
        window: None,
        lang: None,
        area: Some("42/zarechny".to_owned()),
    }
}

fn seeds(store: &SledStore) -> u64 {
    let (mut count, mut after) = (0, None);
    loop {
        let page = store.contact_seeds(CAMPAIGN, after, 0).wait().unwrap();
        count += page.seeds.len() as u64;
        after = page.more_after;
        if after.is_none() {
            return count;
        }
    }
}

fn ends(store: &SledStore) -> u64 {
    let (mut count, mut after) = (0, 0);
    loop {
        let page = store.attempts(CAMPAIGN, AttemptQuery::Ends { after, rows_max: 0 }).wait().unwrap();
        count += page.attempts.len() as u64;
        match page.more_after {
            Some(more) => after = more,
            None => return count,
        }
    }
}

/// Claims, and ends them in order. How long each claim took to be durable, in microseconds.
fn tries(store: &SledStore, contacts: u32, attempts: u32, pace: u32) -> Vec<u128> {
    let began = Instant::now();
    let mut waits = Vec::new();
    let mut in_flight = VecDeque::new();
    let mut ending = VecDeque::new();
    for n in 0..attempts {
        if pace > 0 {
            let due = began + Duration::from_secs(1) * n / pace;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        // As a campaign over zones goes through its list: not one after the other.
        let no = u32::try_from(u64::from(n) * 7_919 % u64::from(contacts)).unwrap();
        in_flight.push_back((Instant::now(), no, store.contact_write(claim(no, n), UtcMs(START_MS))));
        if in_flight.len() >= if pace > 0 { 1 } else { ATTEMPTS_IN_FLIGHT } {
            let (asked, no, claimed) = in_flight.pop_front().unwrap();
            claimed.wait().unwrap();
            waits.push(asked.elapsed().as_micros());
            ending.push_back(store.contact_write(end(no, n), UtcMs(START_MS)));
        }
        if ending.len() > ATTEMPTS_IN_FLIGHT {
            ending.pop_front().unwrap().wait().unwrap();
        }
    }
    for (asked, no, claimed) in in_flight {
        claimed.wait().unwrap();
        waits.push(asked.elapsed().as_micros());
        ending.push_back(store.contact_write(end(no, no), UtcMs(START_MS)));
    }
    ending.into_iter().for_each(|end| end.wait().unwrap());
    waits
}

fn attempt(n: u32) -> Attempt {
    let call = CallId::new(&format!("{:032x}", u128::from(n) << 64)).unwrap();
    Attempt { nth: 1, call, claimed: UtcMs(START_MS), dialled: None, ended: None, end: None }
}

fn claim(no: u32, n: u32) -> ContactWrite {
    let attempt = attempt(n);
    ContactWrite {
        campaign: CAMPAIGN.to_owned(),
        no,
        state: ContactState::Claimed { call: attempt.call.clone() },
        spent: Spent { claims: 1, ..Spent::default() },
        attempt: Some(attempt),
        ended: None,
    }
}

fn end(no: u32, n: u32) -> ContactWrite {
    let end = AttemptEnd {
        disposition: Disposition { kind: 1, words: Some("понятно".to_owned()), at: None },
        answered_by: Some(AnsweredBy::Human),
        answered: Some(UtcMs(START_MS + 4_000)),
        status: Some(200),
    };
    let at = UtcMs(START_MS + 30_000);
    let attempt = Attempt { dialled: Some(UtcMs(START_MS + 10)), ended: Some(at), end: Some(end), ..attempt(n) };
    let spent = Spent { attempts: 1, today: 1, day: 20_000, last: None, in_a_row: 1, claims: 1 };
    let state = ContactState::Done { disposition: 1, at };
    ContactWrite { campaign: CAMPAIGN.to_owned(), no, state, spent, attempt: Some(attempt), ended: None }
}

/// CPU of this process so far.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

/// The most memory that this process had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

fn size(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    files.map(|file| if file.path().is_dir() { size(&file.path()) } else { file.metadata().unwrap().len() }).sum()
}
