//! Stationary single tones: is this frame one, at which frequency, and for how long has it been?
//!
//! A frame's frequency is guessed from its correlation with itself one and two samples later (Pisarenko's way, which
//! noise does not bias), refined by how far the phase turns between the frame's halves, and proved by the share of the frame's energy that a
//! Goertzel filter at that frequency finds. Vowels pass that now and then, but not at a steady frequency and level for
//! a tenth of a second.

use std::f32::consts::TAU;

use super::{FRAME_MS, Missing};
use crate::codec::FRAME_TICKS;

const SAMPLE_RATE_HZ: f32 = 8_000.0;
/// The quietest tone that is heard (−48 dB below full scale).
const LEVEL_DB_MIN: u8 = 42;
/// The share of a frame's energy in the tone, at least: noise 6 dB below it leaves 0.8.
const SHARE_MIN: f32 = 0.8;
/// How far the frequency may be from the run's (relative, and at least so many hertz).
const DRIFT_MAX: f32 = 0.02;
const DRIFT_HZ_MIN: f32 = 12.0;
/// How far the level may be from the run's.
const LEVEL_DRIFT_DB_MAX: u8 = 3;
/// Frames that a run survives without the tone: a phase reversal of ANSam, a lost packet.
const HOLES_MAX: u8 = 1;
/// Frames of one frequency from which on it is a tone and no vowel.
pub(super) const STEADY_FRAMES: usize = 6;
/// Bursts that are remembered.
const BURSTS: usize = 4;

/// A tone that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Burst {
    pub(super) hz: f32,
    pub(super) ms: u32,
    /// The pause before it: since the burst before.
    pub(super) pause_ms: u32,
}

/// A tone that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Run {
    hz: f32,
    level_db: u8,
    frames: usize,
    holes: u8,
    pause_ms: u32,
}

impl Run {
    fn ms(&self) -> u32 {
        u32::try_from(self.frames).unwrap_or(u32::MAX).saturating_mul(FRAME_MS)
    }
}

/// Follows tones. See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct ToneEar {
    run: Option<Run>,
    /// The newest last.
    bursts: [Burst; BURSTS],
    /// Bursts so far.
    count: u32,
    since_burst_frames: u32,
    last_level_db: u8,
}

impl ToneEar {
    pub(super) fn feed(&mut self, pcm: &[i16; FRAME_TICKS], level_db: u8) {
        self.last_level_db = level_db;
        let tone = if level_db >= LEVEL_DB_MIN { frequency_hz(pcm) } else { None };
        self.follow(tone, level_db);
    }

    pub(super) fn feed_missing(&mut self, missing: Missing) {
        match missing {
            Missing::Lost => self.follow(None, self.last_level_db),
            Missing::Unsent => {
                self.last_level_db = 0;
                self.follow(None, 0);
            }
        }
    }

    pub(super) const fn last_level_db(&self) -> u8 {
        self.last_level_db
    }

    /// The tone that sounds now, as if it ended now: long enough to be one.
    pub(super) fn sounding(&self) -> Option<Burst> {
        let run = self.run.filter(|run| run.frames >= STEADY_FRAMES)?;
        Some(Burst { hz: run.hz, ms: run.ms(), pause_ms: run.pause_ms })
    }

    /// Frames of the tone that may be one, now: for taking back what was held for speech.
    pub(super) fn sounding_frames(&self) -> usize {
        self.run.map_or(0, |run| run.frames + usize::from(run.holes))
    }

    /// The bursts, the newest last; those not yet heard have no length.
    pub(super) const fn bursts(&self) -> &[Burst; BURSTS] {
        &self.bursts
    }

    /// How many bursts have ended.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Since the newest burst ended.
    pub(super) const fn since_burst_ms(&self) -> u32 {
        self.since_burst_frames * FRAME_MS
    }

    fn follow(&mut self, tone: Option<f32>, level_db: u8) {
        self.since_burst_frames = self.since_burst_frames.saturating_add(1);
        if let Some(run) = &mut self.run {
            let same = tone.filter(|hz| {
                (hz - run.hz).abs() <= (DRIFT_MAX * run.hz).max(DRIFT_HZ_MIN)
                    && level_db.abs_diff(run.level_db) <= LEVEL_DRIFT_DB_MAX
            });
            if let Some(hz) = same {
                run.frames += 1 + usize::from(run.holes);
                run.holes = 0;
                // The first frame is the edge: what follows knows better.
                let weight = 1.0 / run.frames.min(8) as f32;
                run.hz += (hz - run.hz) * weight;
                if run.frames <= 2 {
                    run.level_db = level_db;
                }
                return;
            }
            // A loss of one frame does not end a tone; a change does.
            let silent = level_db.saturating_add(12) < run.level_db;
            if tone.is_none() && !silent && run.holes < HOLES_MAX && run.frames >= STEADY_FRAMES {
                run.holes += 1;
                return;
            }
        }
        self.end_run();
        self.run = tone.map(|hz| Run {
            hz,
            level_db,
            frames: 1,
            holes: 0,
            pause_ms: self.since_burst_frames.saturating_sub(1) * FRAME_MS,
        });
    }

    fn end_run(&mut self) {
        let Some(run) = self.run.take().filter(|run| run.frames >= STEADY_FRAMES) else { return };
        self.bursts.rotate_left(1);
        if let Some(newest) = self.bursts.last_mut() {
            *newest = Burst { hz: run.hz, ms: run.ms(), pause_ms: run.pause_ms };
        }
        self.count = self.count.saturating_add(1);
        self.since_burst_frames = u32::from(run.holes) + 1;
    }
}

/// The frame's frequency, if it is a single tone.
fn frequency_hz(pcm: &[i16; FRAME_TICKS]) -> Option<f32> {
    let samples: [f32; FRAME_TICKS] = std::array::from_fn(|n| f32::from(pcm[n]));
    let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
    let (mut one, mut two) = (0.0f32, 0.0f32);
    for window in samples.windows(3) {
        one += window[2] * window[1];
        two += window[2] * window[0];
    }
    // Of a sine: one ~ cos ω, two ~ cos 2ω. White noise is in neither.
    let root = (two * two + 8.0 * one * one).sqrt();
    let cosine = if two > 0.0 { (two + root) / (4.0 * one) } else { 2.0 * one / (root - two) };
    if !cosine.is_finite() {
        return None;
    }
    let guess = cosine.clamp(-1.0, 1.0).acos();
    let (first, second) = samples.split_at(FRAME_TICKS / 2);
    let (one, other) = (goertzel(first, guess), goertzel(second, guess));
    // arg(other · conj(one)), less what the guess itself turns in half a frame.
    let turn = (other.1 * one.0 - other.0 * one.1).atan2(other.0 * one.0 + other.1 * one.1);
    let half = (FRAME_TICKS / 2) as f32;
    let off = turn - guess * half;
    let off = off - TAU * (off / TAU).round();
    let omega = guess + off / half;
    let (re, im) = goertzel(&samples, omega);
    // Power of a pure tone is (A·N/2)², its energy A²·N/2.
    let share = (re * re + im * im) / (FRAME_TICKS as f32 / 2.0 * energy);
    (share >= SHARE_MIN).then_some(omega * SAMPLE_RATE_HZ / TAU).filter(|hz| (300.0..3_400.0).contains(hz))
}

fn goertzel(samples: &[f32], omega: f32) -> (f32, f32) {
    let (sin, cos) = omega.sin_cos();
    let coefficient = 2.0 * cos;
    let (mut before, mut last) = (0.0f32, 0.0f32);
    for sample in samples {
        let next = coefficient.mul_add(last, sample - before);
        (before, last) = (last, next);
    }
    (last - before * cos, before * sin)
}
