//! Plays a prompt of 30 s to one address from many sessions, each on its own port: for profiling and for the sink that
//! measures lateness.
//!
//! `playout SESSIONS REMOTE [SECONDS] [SESSIONS_A_SECOND]` tells at the end what a call cost and how late slots were.
#![allow(clippy::print_stdout, reason = "an example tells its result")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use gudok_media::{
    BargeIn, Clip, Codec, MediaConfig, MediaEngine, MediaEvent, PlaybackEnd, PlaybackId, Playlist, StreamParams,
};

type AnyError = Box<dyn std::error::Error>;

fn main() -> Result<(), AnyError> {
    let mut arguments = std::env::args().skip(1);
    let sessions: u64 = arguments.next().ok_or("how many sessions?")?.parse()?;
    let remote: SocketAddr = arguments.next().ok_or("to which address?")?.parse()?;
    let seconds: u32 = arguments.next().map_or(Ok(30), |text| text.parse())?;
    let a_second: u64 = arguments.next().map_or(Ok(400), |text| text.parse())?;

    let engine = MediaEngine::start(MediaConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        ports: 10_000..=29_999,
        sessions_max: usize::try_from(sessions)?,
        ..MediaConfig::default()
    })?;
    let clip = Arc::new(Clip::tone([440.0, 554.0], seconds * 1_000)?);
    let (sender, ended) = mpsc::channel();
    let unfinished = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&unfinished);
    let sink = Arc::new(move |label: u64, event: MediaEvent| {
        if let MediaEvent::PlaybackEnded { reason, .. } = event {
            if reason != PlaybackEnd::Finished {
                count.fetch_add(1, Ordering::Relaxed);
            }
            let _ = sender.send((label, Instant::now()));
        }
    });

    let mut open = vec![];
    for label in 0..sessions {
        let session = engine.open(label, Arc::clone(&sink) as _)?;
        session.configure(StreamParams::new(remote, Codec::Pcma).with_telephone_event(101))?;
        session.play(PlaybackId(label), &Playlist::clip(Arc::clone(&clip)), BargeIn::AnyDigit)?;
        open.push((session, Instant::now()));
        std::thread::sleep(Duration::from_micros(1_000_000 / a_second));
    }
    println!("all {sessions} are playing; resident {:.1} MB", resident_mb());
    let (began, spent) = (Instant::now(), cpu_seconds());
    let plateau = Duration::from_secs(u64::from(seconds).saturating_sub(sessions / a_second + 2).max(1));
    std::thread::sleep(plateau);
    let cpu = 100.0 * (cpu_seconds() - spent) / began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let per_hundred = cpu * 100.0 / sessions as f64;
    println!("CPU while all play: {cpu:.1} % of a core, {per_hundred:.2} % for 100 calls");

    let mut lengths: Vec<f64> = vec![];
    for _ in 0..sessions {
        let (label, at) = ended.recv()?;
        lengths.push((at - open[usize::try_from(label)?].1).as_secs_f64());
    }
    lengths.sort_by(f64::total_cmp);
    println!(
        "play to end: {:.3} to {:.3} s, {} not finished",
        lengths.first().unwrap_or(&0.0),
        lengths.last().unwrap_or(&0.0),
        unfinished.load(Ordering::Relaxed)
    );
    println!("{:#?}", engine.stats());
    Ok(())
}

/// User and system time of this process, from the kernel's own account.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn resident_mb() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(0.0) * 4_096.0 / 1e6
}
