//! Call records a second and CPU per record. `cargo run --release -p gudok-store --example throughput -- [seconds] [calls/s] [open calls]`
//!
//! Begins and ends legs at a steady pace (0: as fast as the store takes them) with a number of calls open at a time
//! (12,000: calls of 3 s; 40: answer and hang up), while one thread asks for an awaited write every 20 ms, as scripts
//! do. Prints the CPU of the whole process, making the records included, and how long the awaited writes waited.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use gudok_store::{
    AgencyId, Bucket, BucketName, CallId, Direction, EndedBy, HangupCause, LegBegan, LegEnded, MediaStats, Mode, Party,
    Quota, ScriptName, SledStore, Store, StoreError, StoreOptions, SubjectKey, UtcMs,
};

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().unwrap());
    let seconds = args.next().unwrap_or(10);
    let pace = args.next().unwrap_or(4_000);
    let open = args.next().unwrap_or(12_000);
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = Arc::new(SledStore::open(StoreOptions::at(folder.path().join("store"))).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let asker = std::thread::spawn({
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        move || ask(&store, &stop)
    });

    let cpu_before = cpu();
    let began = Instant::now();
    let mut calls = 0_u64;
    let mut refused = 0_u64;
    while began.elapsed() < Duration::from_secs(seconds) {
        let due =
            if pace == 0 { calls + 64 } else { u64::try_from(began.elapsed().as_millis()).unwrap() * pace / 1_000 };
        while calls < due {
            refused += u64::from(retry(|| store.leg_began(leg(calls))));
            if let Some(ending) = calls.checked_sub(open) {
                refused += u64::from(retry(|| store.leg_ended(leg(ending).ended(end(ending)))));
            }
            calls += 1;
        }
        std::thread::sleep(Duration::from_millis(if pace == 0 { 0 } else { 1 }));
    }
    store.settled().wait().unwrap();
    let (took, cpu) = (began.elapsed(), cpu() - cpu_before);
    stop.store(true, Relaxed);
    let mut waits = asker.join().unwrap();
    waits.sort_unstable();
    let stats = store.stats();
    let disk = size(folder.path());
    println!("records durable      {} in {took:.2?}: {:.0}/s", stats.cdrs, stats.cdrs as f64 / took.as_secs_f64());
    println!("legs begun           {calls}, waits for a full queue {refused}");
    println!(
        "CPU                  {cpu:.2?}: {:.1} µs a record, {:.1} % of a core",
        cpu.as_secs_f64() * 1e6 / stats.cdrs.max(1) as f64,
        100.0 * cpu.as_secs_f64() / took.as_secs_f64()
    );
    println!("commits              {}, longest {} µs", stats.commits, stats.commit_us_max);
    println!(
        "awaited writes       {}: p50 {} µs, p99 {} µs",
        waits.len(),
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100]
    );
    println!("disk                 {disk} bytes: {} a record", disk / stats.cdrs.max(1));
}

/// One awaited write every 20 ms: how long each took, in microseconds.
fn ask(store: &SledStore, stop: &AtomicBool) -> Vec<u128> {
    let bucket = Bucket {
        agency: AgencyId::new("mfc").unwrap(),
        script: ScriptName::new("booking").unwrap(),
        bucket: BucketName::new("slots").unwrap(),
    };
    let quota = Quota { bytes_max: 1 << 30, keys_max: 1 << 20, value_bytes_max: 4_096, key_bytes_max: 128 };
    let mut waits = Vec::new();
    while !stop.load(Relaxed) {
        let began = Instant::now();
        let slot = format!("slot-{}", waits.len() % 500);
        match store.bucket_set(&bucket, &slot, &[7; 200], None, quota, UtcMs(1)).wait() {
            Ok(_) | Err(StoreError::Busy { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        waits.push(began.elapsed().as_micros());
        std::thread::sleep(Duration::from_millis(20));
    }
    waits
}

/// Whether the store had to be waited for.
fn retry(work: impl Fn() -> Result<(), StoreError>) -> bool {
    let mut waited = false;
    loop {
        match work() {
            Ok(()) => return waited,
            Err(StoreError::Busy { .. }) => {
                waited = true;
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn leg(n: u64) -> LegBegan {
    let call_id = CallId::new(&format!("{:016x}-{:08x}", 1_700_000_000_000 + n / 4, n)).unwrap();
    let key = SubjectKey::new([7; 32]);
    LegBegan {
        call_id: call_id.clone(),
        leg: 0,
        parent: None,
        chain_id: call_id,
        agency: AgencyId::new(["mfc", "passport", "menu"][usize::try_from(n % 3).unwrap()]).unwrap(),
        entry: "main".to_owned(),
        script: "main-menu".to_owned(),
        script_version: "1.2.0".to_owned(),
        direction: Direction::Inbound,
        caller: Party::masked("+79131234567").with_hash(&key, "+79131234567"),
        called: Party::own_number("+73842000000"),
        trunk: "carrier".to_owned(),
        started_ms: UtcMs(1_700_000_000_000 + n / 4),
        mode: Mode::Attended,
        language: "ru".to_owned(),
        area: String::new(),
        campaign: None,
    }
}

fn end(n: u64) -> LegEnded {
    let at = |ms: u64| UtcMs(1_700_000_000_000 + n / 4 + ms);
    let mut end = LegEnded::new(at(3_000), HangupCause::Normal, EndedBy::Caller);
    end.ringing_ms = Some(at(1));
    end.answered_ms = Some(at(2));
    end.sip_status = Some(200);
    end.tags.insert("menu".to_owned(), "1-3".to_owned());
    end.media = Some(MediaStats {
        codec: "PCMA".to_owned(),
        packets_sent: 150,
        packets_received: 150,
        ..MediaStats::default()
    });
    end
}

/// CPU of this process so far.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

fn size(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    files.map(|file| if file.path().is_dir() { size(&file.path()) } else { file.metadata().unwrap().len() }).sum()
}
