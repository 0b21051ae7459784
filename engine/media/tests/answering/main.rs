//! How often the detector is right, and how soon: on recordings that are made here, reproducibly.
//!
//! Every recording is speech by espeak-ng (or a tone by the book) put on a made telephone line: see `set.rs` for who
//! answers and how often, `line.rs` for what the line does. A seed makes a set. The detector's rules were tuned on the
//! sets of the seeds 1 to 7; the figures that are asserted are measured on two others, which share no recording with
//! them.
//!
//! `ANSWERING=1 cargo test -p gudok-media --test answering -- --nocapture` measures that seed's set instead, and names
//! every mistake. `ANSWERING_KEEP=DIR` writes the recordings there, to be listened to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test tells its figures"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "samples, milliseconds and counts"
)]

mod dice;
mod line;
mod set;
mod texts;
mod voice;

use std::collections::BTreeMap;
use std::path::Path;

use gudok_media::detect::{Detector, Missing};
use gudok_media::{HeardKind, ListenFor};
use set::{Recording, Truth};

/// Of the sets that are measured; none of those that the rules were tuned on.
const MEASURING_SEEDS: [u64; 2] = [2_026, 2_027];
/// A beep is told at most so long after its end.
const BEEP_MS_MAX: u32 = 200;

/// What the detector told, and when.
#[derive(Debug, Default)]
struct Verdict {
    first: Option<(HeardKind, u32)>,
    second: Option<(HeardKind, u32)>,
}

fn listen(recording: &Recording) -> Verdict {
    let mut detector = Detector::new(ListenFor::Answer).unwrap();
    let mut verdict = Verdict::default();
    for (n, frame) in recording.samples.chunks_exact(160).enumerate() {
        let heard = if recording.lost.contains(&n) {
            detector.feed_missing(Missing::Lost)
        } else {
            detector.feed(frame.try_into().unwrap())
        };
        if let Some(what) = heard {
            let told = Some((what, detector.listened_ms()));
            if verdict.first.is_none() {
                verdict.first = told;
            } else {
                verdict.second = told;
            }
        }
        if detector.is_done() {
            break;
        }
    }
    verdict
}

fn right(truth: Truth) -> HeardKind {
    match truth {
        Truth::Human => HeardKind::Human,
        Truth::Machine => HeardKind::Machine,
        Truth::Fax => HeardKind::Fax,
        Truth::Busy => HeardKind::Busy,
        Truth::Intercept => HeardKind::Intercept,
        Truth::Silence => HeardKind::Silence,
    }
}

/// Whether the end of a machine's greeting was told rightly: its beep when it is over, or a pause behind its last word.
fn greeting_was_right(recording: &Recording, verdict: &Verdict) -> Option<bool> {
    let end_ms = recording.greeting_end_ms?;
    let (_, decided_ms) = verdict.first.filter(|(what, _)| *what == HeardKind::Machine)?;
    Some(match (recording.beep_end_ms, verdict.second) {
        (Some(beep_ms), Some((HeardKind::Beep, at_ms))) => {
            at_ms + 20 >= beep_ms && at_ms <= (beep_ms + BEEP_MS_MAX).max(decided_ms + 20)
        }
        (None, Some((HeardKind::GreetingOver, at_ms))) => at_ms >= end_ms,
        _ => false,
    })
}

fn percentile(times: &mut [u32], permille: usize) -> u32 {
    times.sort_unstable();
    times.get((times.len() * permille / 1_000).min(times.len().saturating_sub(1))).copied().unwrap_or(0)
}

/// Writes the recordings as WAV, with a list of what they are.
fn keep(recordings: &[Recording], folder: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut list = String::new();
    std::fs::create_dir_all(folder).unwrap();
    for (n, recording) in recordings.iter().enumerate() {
        let mut writer = hound::WavWriter::create(folder.join(format!("{n:04}.wav")), spec).unwrap();
        recording.samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
        writer.finalize().unwrap();
        let Recording { truth, class, recipe, lost, greeting_end_ms, beep_end_ms, .. } = recording;
        list += &format!("{n:04}\t{truth:?}\t{class}\t{greeting_end_ms:?}\t{beep_end_ms:?}\t{lost:?}\t{recipe}\n");
    }
    std::fs::write(folder.join("list.tsv"), list).unwrap();
}

#[derive(Default)]
struct Tally {
    all: usize,
    right: usize,
    heard: BTreeMap<String, usize>,
    times: Vec<u32>,
    greetings: (usize, usize),
}

impl Tally {
    fn percent(&self) -> f64 {
        100.0 * self.right as f64 / self.all.max(1) as f64
    }
}

#[test]
fn people_and_machines_are_told_apart() {
    let other: Option<u64> = std::env::var("ANSWERING").ok().map(|seed| seed.parse().expect("ANSWERING is a seed"));
    let tuning = other.is_some();
    let began = std::time::Instant::now();
    let seeds = other.map_or(MEASURING_SEEDS.to_vec(), |seed| vec![seed]);
    let recordings: Vec<Recording> = seeds.into_iter().flat_map(set::make).collect();
    println!("{} recordings made in {:.1} s", recordings.len(), began.elapsed().as_secs_f64());
    assert!(recordings.len() >= 500);
    if let Ok(folder) = std::env::var("ANSWERING_KEEP") {
        keep(&recordings, Path::new(&folder));
    }

    let mut classes: BTreeMap<(Truth, &str), Tally> = BTreeMap::new();
    let mut truths: BTreeMap<Truth, Tally> = BTreeMap::new();
    let mut audio_s = 0.0;
    let listening = std::time::Instant::now();
    for recording in &recordings {
        let verdict = listen(recording);
        let (what, at_ms) = verdict.first.unwrap_or((HeardKind::Silence, u32::MAX));
        let was_right = what == right(recording.truth);
        let greeting = greeting_was_right(recording, &verdict);
        audio_s += f64::from(verdict.second.or(verdict.first).map_or(0, |(_, at_ms)| at_ms)) / 1_000.0;
        if tuning && (!was_right || greeting == Some(false) || at_ms > 1_800) {
            let end = (recording.greeting_end_ms, recording.beep_end_ms);
            println!("{:?} {}: {verdict:?} {end:?} {}", recording.truth, recording.class, recording.recipe);
        }
        for tally in
            [classes.entry((recording.truth, recording.class)).or_default(), truths.entry(recording.truth).or_default()]
        {
            tally.all += 1;
            tally.right += usize::from(was_right);
            *tally.heard.entry(format!("{what:?}")).or_default() += 1;
            tally.times.push(at_ms);
            if let Some(greeting) = greeting {
                tally.greetings.0 += usize::from(greeting);
                tally.greetings.1 += 1;
            }
        }
    }
    let cost_us = listening.elapsed().as_secs_f64() * 1e6 / (audio_s * 50.0);
    println!("{:<10} {:<22} {:>4} {:>7} {:>6} {:>6} {:>6}  heard", "truth", "class", "n", "right", "p50", "p95", "max");
    for ((truth, class), tally) in &mut classes {
        let (p50, p95, most) =
            (percentile(&mut tally.times, 500), percentile(&mut tally.times, 950), percentile(&mut tally.times, 1_000));
        println!(
            "{:<10} {class:<22} {:>4} {:>5.1} % {p50:>6} {p95:>6} {most:>6}  {:?} greetings {:?}",
            format!("{truth:?}"),
            tally.all,
            tally.percent(),
            tally.heard,
            tally.greetings,
        );
    }
    let share = |truth| truths[&truth].percent();
    let mut times: Vec<u32> =
        [Truth::Human, Truth::Machine].iter().flat_map(|truth| truths[truth].times.clone()).collect();
    let p95_ms = percentile(&mut times, 950);
    let (ends_right, ends) = truths[&Truth::Machine].greetings;
    let ends_percent = 100.0 * ends_right as f64 / ends.max(1) as f64;
    println!(
        "humans {:.1} %, machines {:.1} %, ends of greetings {ends_percent:.1} %, decision p50 {} ms, p95 {p95_ms} ms, {cost_us:.1} µs a frame",
        share(Truth::Human),
        share(Truth::Machine),
        percentile(&mut times, 500),
    );
    for truth in [Truth::Fax, Truth::Busy, Truth::Intercept, Truth::Silence] {
        assert!(share(truth) >= 95.0, "{truth:?}: {:.1} %", share(truth));
    }
    assert!(share(Truth::Human) >= 99.0, "humans: {:.1} %", share(Truth::Human));
    assert!(share(Truth::Machine) >= 97.0, "machines: {:.1} %", share(Truth::Machine));
    assert!(p95_ms < 1_800, "decided within {p95_ms} ms for 95 %");
    assert!(ends_percent >= 95.0, "ends of greetings: {ends_percent:.1} %");
}
