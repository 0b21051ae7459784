//! In-band DTMF: hearing keys in the audio, where telephone-event was not negotiated.
//!
//! Eight Goertzel filters over blocks of 102 samples (12.75 ms), a new block each 51 samples, so that the 40 ms of the
//! shortest valid key contain four whole blocks wherever they begin. A block can be a key's by its level, its twist
//! (ITU-T Q.24), how far the two tones stand out from the other six, and how much of the whole energy they hold. A key
//! is heard when four blocks in a row say the same, at a steady level, and at the right frequency: it is measured by
//! how much each tone's phase turns from block to block, and must stay the same while it is measured. With the
//! frequency known, the tones' share of the energy is known exactly too, and must be nearly all of it. That is what
//! speech and music do not pass (talk-off).

use std::f32::consts::{PI, TAU};

use crate::digit::Digit;

/// Samples of a block at 8 kHz.
const BLOCK: usize = 102;
/// Samples from one block to the next.
const HOP: usize = BLOCK / 2;
/// Blocks in a row that make a key.
const CONFIRMING: usize = 4;
const SAMPLE_RATE_HZ: f32 = 8_000.0;
/// Low group, then high group.
const TONES_HZ: [f32; 8] = [697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0];
/// The weakest tone heard: −40 dB below full scale.
const AMPLITUDE_MIN: f32 = 330.0;
/// The high tone may be stronger by this much on average (power ratio, 4 dB with a margin of 3) …
const TWIST_REVERSE_MAX: f32 = 5.0;
/// … and the low one by this much (8 dB with a margin of 1.5): lines attenuate high tones more.
const TWIST_NORMAL_MAX: f32 = 9.0;
/// How much further a single block may be off, as the tones leak into each other (power ratio, 3 dB).
const TWIST_OF_BLOCK: f32 = 2.0;
/// How far each tone stands out from the others of its group (power ratio, 4 dB): little, as the
/// stronger tone leaks into the weaker one's group. The share of the energy is the sharper test.
const PEAK_RATIO_MIN: f32 = 2.5;
/// The share of a block's energy in the two tones' bins, at least. A deviation of 1.5 % leaves 0.8 in the worst case,
/// and noise takes some more.
const BIN_SHARE_MIN: f32 = 0.65;
/// The same, corrected for the measured frequencies. Noise 15 dB below the key leaves 0.97.
const SHARE_MIN: f32 = 0.925;
/// Deviation of frequency that is accepted; Q.24 wants 1.5 % accepted and 3.5 % refused.
const DEVIATION_MAX: f32 = 0.02;
/// How much the two measurements of a frequency may differ.
const DRIFT_HZ_MAX: f32 = 7.0;
/// How much the level may change among the blocks of one key (power ratio, 5.5 dB). The stronger tone leaks into the
/// weaker one's bin and sways it by half of that.
const STEADY_RATIO_MAX: f32 = 3.5;
/// Blocks without the key before it counts as released: an interruption of 20 ms does not split a press, a pause of 40
/// does.
const RELEASE_BLOCKS: u8 = 5;
/// Lost audio that a press survives, in samples (60 ms).
const LOST_SAMPLES_MAX: usize = 480;

/// What the detector heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InBand {
    /// A key went down.
    Pressed(Digit),
    /// The key went up after so many milliseconds.
    Released(Digit, u32),
}

/// One block's opinion.
#[derive(Debug, Clone, Copy)]
struct Hit {
    low: usize,
    high: usize,
    low_tone: Tone,
    high_tone: Tone,
    energy: f32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tone {
    re: f32,
    im: f32,
}

impl Tone {
    fn power(self) -> f32 {
        self.re * self.re + self.im * self.im
    }
}

/// Hears keys in linear audio at 8 kHz.
#[derive(Debug)]
pub(crate) struct InBandDetector {
    block: [i16; BLOCK],
    filled: usize,
    /// The last blocks' opinions, the newest first.
    hits: [Option<Hit>; CONFIRMING],
    pressed: Option<Digit>,
    held_samples: usize,
    misses: u8,
    lost_samples: usize,
    coefficients: [f32; 8],
}

impl InBandDetector {
    pub(crate) fn new() -> Self {
        Self {
            block: [0; BLOCK],
            filled: 0,
            hits: [None; CONFIRMING],
            pressed: None,
            held_samples: 0,
            misses: 0,
            lost_samples: 0,
            coefficients: TONES_HZ.map(|tone| 2.0 * omega(tone).cos()),
        }
    }

    /// Takes audio; tells each change through `heard`.
    pub(crate) fn feed(&mut self, mut pcm: &[i16], mut heard: impl FnMut(InBand)) {
        self.lost_samples = 0;
        while !pcm.is_empty() {
            let take = pcm.len().min(BLOCK - self.filled);
            let (now, later) = pcm.split_at(take);
            self.block[self.filled..self.filled + take].copy_from_slice(now);
            self.filled += take;
            pcm = later;
            if self.filled == BLOCK {
                if let Some(change) = self.judge() {
                    heard(change);
                }
                self.block.copy_within(HOP.., 0);
                self.filled = BLOCK - HOP;
            }
        }
    }

    /// Audio that was lost says nothing: a key that was down stays down for a while.
    pub(crate) fn feed_lost(&mut self, samples: usize, mut heard: impl FnMut(InBand)) {
        self.filled = 0;
        self.hits = [None; CONFIRMING];
        self.lost_samples += samples;
        self.held_samples += samples;
        if self.lost_samples > LOST_SAMPLES_MAX
            && let Some(release) = self.release()
        {
            heard(release);
        }
    }

    fn judge(&mut self) -> Option<InBand> {
        let hit = self.analyse();
        self.hits.rotate_right(1);
        self.hits[0] = hit;
        self.held_samples += HOP;
        if self.pressed.is_some() {
            if hit.as_ref().map(Hit::digit) == self.pressed {
                self.misses = 0;
                return None;
            }
            self.misses += 1;
            return if self.misses >= RELEASE_BLOCKS { self.release() } else { None };
        }
        let digit = self.confirmed()?;
        self.pressed = Some(digit);
        self.misses = 0;
        self.held_samples = BLOCK + (CONFIRMING - 1) * HOP;
        Some(InBand::Pressed(digit))
    }

    fn release(&mut self) -> Option<InBand> {
        let digit = self.pressed.take()?;
        let held = self.held_samples.saturating_sub(usize::from(self.misses) * HOP + self.lost_samples);
        self.misses = 0;
        // The blocks that released this key must not confirm the next.
        self.hits = [None; CONFIRMING];
        Some(InBand::Released(digit, u32::try_from(held / 8).unwrap_or(u32::MAX)))
    }

    /// The key that the last blocks agree upon.
    fn confirmed(&self) -> Option<Digit> {
        let [Some(d), Some(c), Some(b), Some(a)] = &self.hits else { return None };
        let hits = [a, b, c, d];
        if hits.iter().any(|hit| (hit.low, hit.high) != (a.low, a.high)) {
            return None;
        }
        let low = frequency_hz(TONES_HZ[a.low], hits.map(|hit| hit.low_tone))?;
        let high = frequency_hz(TONES_HZ[a.high], hits.map(|hit| hit.high_tone))?;
        let low_gain = bin_gain(low - TONES_HZ[a.low]);
        let high_gain = bin_gain(high - TONES_HZ[a.high]);
        let sum = |part: fn(&Hit) -> f32| hits.into_iter().map(part).sum::<f32>();
        let low_power = sum(|hit| hit.low_tone.power()) / low_gain;
        let high_power = sum(|hit| hit.high_tone.power()) / high_gain;
        // Power of a pure tone is (A·N/2)², its energy A²·N/2.
        let whole = sum(|hit| hit.energy) * BLOCK as f32 / 2.0;
        let accepted = low_power + high_power >= SHARE_MIN * whole
            && high_power <= low_power * TWIST_REVERSE_MAX
            && low_power <= high_power * TWIST_NORMAL_MAX;
        accepted.then(|| a.digit())
    }

    /// The two tones of the block, if it holds a key and nothing else.
    fn analyse(&self) -> Option<Hit> {
        let energy: f32 = self.block.iter().map(|sample| f32::from(*sample).powi(2)).sum();
        let half_block = BLOCK as f32 / 2.0;
        // Both tones at the least level: cheap refusal of silence.
        if energy < AMPLITUDE_MIN * AMPLITUDE_MIN * half_block {
            return None;
        }
        let tones: [Tone; 8] = std::array::from_fn(|at| goertzel(&self.block, TONES_HZ[at], self.coefficients[at]));
        let powers = tones.map(Tone::power);
        let (low, high) = (loudest(&powers[..4]), 4 + loudest(&powers[4..]));
        let power_min = (AMPLITUDE_MIN * half_block).powi(2) * 0.5;
        let stands_out = |best: usize, group: std::ops::Range<usize>| {
            group.filter(|at| *at != best).all(|at| powers[best] >= PEAK_RATIO_MIN * powers[at])
        };
        // Power of a pure tone is (A·N/2)², its energy A²·N/2.
        let share = (powers[low] + powers[high]) / (half_block * energy);
        let accepted = powers[low] >= power_min
            && powers[high] >= power_min
            && powers[high] <= powers[low] * TWIST_REVERSE_MAX * TWIST_OF_BLOCK
            && powers[low] <= powers[high] * TWIST_NORMAL_MAX * TWIST_OF_BLOCK
            && stands_out(low, 0..4)
            && stands_out(high, 4..8)
            && share >= BIN_SHARE_MIN;
        accepted.then_some(Hit { low, high, low_tone: tones[low], high_tone: tones[high], energy })
    }
}

impl Hit {
    fn digit(&self) -> Digit {
        const KEYS: [[u8; 4]; 4] = [[1, 2, 3, 12], [4, 5, 6, 13], [7, 8, 9, 14], [10, 0, 11, 15]];
        let event = KEYS[self.low][self.high - 4];
        // The table holds event codes below 16 only.
        Digit::from_event(event).unwrap_or_else(|| unreachable!("a table of digits"))
    }
}

fn omega(frequency_hz: f32) -> f32 {
    TAU * frequency_hz / SAMPLE_RATE_HZ
}

fn goertzel(block: &[i16; BLOCK], frequency_hz: f32, coefficient: f32) -> Tone {
    let (mut before, mut last) = (0.0f32, 0.0f32);
    for sample in block {
        let next = coefficient.mul_add(last, f32::from(*sample) - before);
        (before, last) = (last, next);
    }
    let (sin, cos) = omega(frequency_hz).sin_cos();
    Tone { re: last - before * cos, im: before * sin }
}

fn loudest(powers: &[f32]) -> usize {
    (1..powers.len()).fold(0, |best, at| if powers[at] > powers[best] { at } else { best })
}

/// The tone's frequency over four blocks, if it is near the nominal one and it and the level are steady.
fn frequency_hz(nominal_hz: f32, tones: [Tone; CONFIRMING]) -> Option<f32> {
    let powers = tones.map(Tone::power);
    let loudest = powers.into_iter().fold(0.0, f32::max);
    if powers.into_iter().any(|power| power * STEADY_RATIO_MAX < loudest) {
        return None;
    }
    // Blocks that do not overlap.
    let earlier = deviation_hz(nominal_hz, tones[0], tones[2]);
    let later = deviation_hz(nominal_hz, tones[1], tones[3]);
    let deviation = (earlier + later) / 2.0;
    let right = deviation.abs() <= DEVIATION_MAX * nominal_hz && (earlier - later).abs() <= DRIFT_HZ_MAX;
    right.then_some(nominal_hz + deviation)
}

/// Compares the turn of phase over a block with the turn the nominal frequency would make. Unambiguous for ±39 Hz.
fn deviation_hz(nominal_hz: f32, before: Tone, now: Tone) -> f32 {
    // arg(now · conj(before)) − expected, brought to ±π.
    let re = now.re * before.re + now.im * before.im;
    let im = now.im * before.re - now.re * before.im;
    let turn = im.atan2(re) - omega(nominal_hz) * BLOCK as f32;
    let turn = turn - TAU * (turn / TAU).round();
    turn * SAMPLE_RATE_HZ / (TAU * BLOCK as f32)
}

/// The share of a tone's power that falls into a bin it misses by so much.
fn bin_gain(deviation_hz: f32) -> f32 {
    let x = PI * deviation_hz * BLOCK as f32 / SAMPLE_RATE_HZ;
    if x.abs() < 1e-3 { 1.0 } else { (x.sin() / x).powi(2).max(0.25) }
}

#[cfg(test)]
mod tests;
