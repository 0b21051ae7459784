//! The end of a machine's greeting: a beep, or a pause that is too long for one between sentences.

use super::tone::ToneEar;
use super::{FRAME_MS, Frame, GREETING_MS_MAX, HeardKind, signal};

/// A beep: one stationary tone of this frequency and length.
pub(super) const BEEP_HZ: std::ops::RangeInclusive<f32> = 380.0..=2_050.0;
pub(super) const BEEP_MS: std::ops::RangeInclusive<u32> = 120..=2_500;
/// A tone is a beep if no other follows for so long: longer where it may be the busy tone.
const LONE_MS: u32 = 120;
const LONE_MS_BUSY: u32 = 700;
/// A pause that ends a greeting without a beep.
const OVER_MS: u32 = 2_400;
/// How far above the noise somebody speaks.
const SPEECH_ABOVE_NOISE_DB: u8 = 8;
/// The quietest speech.
const SPEECH_DB_MIN: u8 = 38;
/// Above this it is speech, however loud the noise.
const SPEECH_DB_SURE: u8 = 62;
/// The noise is taken to be this loud at most when a louder frame comes, so many frames later by a dB.
const NOISE_RISE_FRAMES: u32 = 12;

/// Waits for the end of a greeting.
#[derive(Debug)]
pub(super) struct GreetingEar {
    frames: u32,
    noise_db: u8,
    quiet_frames: u32,
    /// Bursts that had ended before.
    bursts: u32,
}

impl GreetingEar {
    pub(super) const fn new(noise_db: u8, bursts: u32) -> Self {
        Self { frames: 0, noise_db, quiet_frames: 0, bursts }
    }

    pub(super) fn feed(&mut self, frame: Frame, tones: &ToneEar) -> Option<HeardKind> {
        self.frames += 1;
        if let Some(beep) = self.beep(tones) {
            return Some(beep);
        }
        if frame.level_db < self.noise_db {
            self.noise_db = frame.level_db;
        } else if self.frames.is_multiple_of(NOISE_RISE_FRAMES) {
            self.noise_db += 1;
        }
        let threshold = (self.noise_db + SPEECH_ABOVE_NOISE_DB).clamp(SPEECH_DB_MIN, SPEECH_DB_SURE);
        if frame.level_db > threshold {
            self.quiet_frames = self.quiet_frames.saturating_sub(2);
            if tones.sounding().is_some() || self.quiet_frames < 5 {
                self.quiet_frames = 0;
            }
        } else {
            self.quiet_frames += 1;
        }
        let over = self.quiet_frames * FRAME_MS >= OVER_MS || self.frames * FRAME_MS >= GREETING_MS_MAX;
        over.then_some(HeardKind::GreetingOver)
    }

    /// The newest burst, if it was a beep.
    fn beep(&mut self, tones: &ToneEar) -> Option<HeardKind> {
        if tones.count() == self.bursts {
            return None;
        }
        beep(tones, &mut self.bursts)
    }
}

/// Whether the newest burst was a beep, once no other followed for a while; `bursts` is moved on when that is decided.
pub(super) fn beep(tones: &ToneEar, bursts: &mut u32) -> Option<HeardKind> {
    let [.., burst] = tones.bursts();
    let pause_ms = if signal::may_be_busy(burst.hz) { LONE_MS_BUSY } else { LONE_MS };
    let fits = BEEP_HZ.contains(&burst.hz) && BEEP_MS.contains(&burst.ms);
    if fits && (tones.since_burst_ms() < pause_ms || tones.sounding_frames() > 0) {
        return None;
    }
    *bursts = tones.count();
    fits.then_some(HeardKind::Beep)
}
