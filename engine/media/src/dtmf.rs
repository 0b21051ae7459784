//! In-band DTMF: hearing keys in the audio, where telephone-event was not negotiated.
//!
//! Eight Goertzel filters over blocks of 102 samples (12.75 ms), so that the 40 ms of the shortest valid key contain
//! two whole blocks wherever they begin. A key is heard when two blocks in a row say the same and agree with it in:
//! level, twist (ITU-T Q.24), how far the two tones stand out from the other six, how much of the whole energy they
//! hold, steadiness, and the exact frequency, measured by how much each tone's phase turns between the blocks. The
//! last three are what speech and music do not pass (talk-off).

use crate::digit::Digit;

/// Samples of a block at 8 kHz.
const BLOCK: usize = 102;
const SAMPLE_RATE_HZ: f32 = 8_000.0;
/// Low group, then high group.
const TONES_HZ: [f32; 8] = [697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0];
/// The weakest tone heard: −40 dB below full scale.
const AMPLITUDE_MIN: f32 = 330.0;
/// The high tone may be stronger by this much (power ratio, 6 dB with a margin) …
const TWIST_REVERSE_MAX: f32 = 5.0;
/// … and the low one by this much (8 dB with a margin): lines attenuate high tones more.
const TWIST_NORMAL_MAX: f32 = 8.0;
/// How far each tone stands out from the others of its group (power ratio, 8 dB).
const PEAK_RATIO_MIN: f32 = 6.3;
/// The share of the block's energy that the two tones hold, at least. Both exactly on frequency would hold all of it;
/// a deviation of 1.5 % leaves 0.8 in the worst case, and noise takes some more.
const ENERGY_SHARE_MIN: f32 = 0.70;
/// Deviation of frequency that is accepted; Q.24 wants 1.5 % accepted and 3.5 % refused.
const DEVIATION_MAX: f32 = 0.024;
/// How much the level may change between two blocks of one key (power ratio, 6 dB).
const STEADY_RATIO_MAX: f32 = 4.0;
/// Blocks without the key before it counts as released: a shorter interruption does not split a press.
const RELEASE_BLOCKS: u8 = 2;
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
    last_hit: Option<Hit>,
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
            last_hit: None,
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
                self.filled = 0;
                if let Some(change) = self.judge() {
                    heard(change);
                }
            }
        }
    }

    /// Audio that was lost says nothing: a key that was down stays down for a while.
    pub(crate) fn feed_lost(&mut self, samples: usize, mut heard: impl FnMut(InBand)) {
        self.filled = 0;
        self.last_hit = None;
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
        let confirmed = match (&self.last_hit, &hit) {
            (Some(before), Some(now)) if before.agrees_with(now) => Some(now.digit()),
            _ => None,
        };
        let same_key = hit.as_ref().map(Hit::digit) == self.pressed;
        self.last_hit = hit;
        self.held_samples += BLOCK;
        if self.pressed.is_some() {
            if same_key {
                self.misses = 0;
                return None;
            }
            self.misses += 1;
            return if self.misses >= RELEASE_BLOCKS { self.release() } else { None };
        }
        let digit = confirmed?;
        self.pressed = Some(digit);
        self.misses = 0;
        self.held_samples = 2 * BLOCK;
        Some(InBand::Pressed(digit))
    }

    fn release(&mut self) -> Option<InBand> {
        let digit = self.pressed.take()?;
        let held = self.held_samples.saturating_sub(usize::from(self.misses) * BLOCK + self.lost_samples);
        self.misses = 0;
        Some(InBand::Released(digit, u32::try_from(held / 8).unwrap_or(u32::MAX)))
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
            && powers[high] <= powers[low] * TWIST_REVERSE_MAX
            && powers[low] <= powers[high] * TWIST_NORMAL_MAX
            && stands_out(low, 0..4)
            && stands_out(high, 4..8)
            && share >= ENERGY_SHARE_MIN;
        accepted.then_some(Hit { low, high, low_tone: tones[low], high_tone: tones[high] })
    }
}

impl Hit {
    fn digit(&self) -> Digit {
        const KEYS: [[u8; 4]; 4] = [[1, 2, 3, 12], [4, 5, 6, 13], [7, 8, 9, 14], [10, 0, 11, 15]];
        let event = KEYS[self.low][self.high - 4];
        // The table holds event codes below 16 only.
        Digit::from_event(event).unwrap_or_else(|| unreachable!("a table of digits"))
    }

    fn agrees_with(&self, next: &Self) -> bool {
        self.low == next.low
            && self.high == next.high
            && steady(self.low_tone, next.low_tone)
            && steady(self.high_tone, next.high_tone)
            && on_frequency(TONES_HZ[self.low], self.low_tone, next.low_tone)
            && on_frequency(TONES_HZ[self.high], self.high_tone, next.high_tone)
    }
}

fn omega(frequency_hz: f32) -> f32 {
    std::f32::consts::TAU * frequency_hz / SAMPLE_RATE_HZ
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

fn steady(before: Tone, now: Tone) -> bool {
    let (a, b) = (before.power(), now.power());
    a <= b * STEADY_RATIO_MAX && b <= a * STEADY_RATIO_MAX
}

/// Compares the turn of phase between two blocks with the turn the nominal frequency would make.
fn on_frequency(nominal_hz: f32, before: Tone, now: Tone) -> bool {
    // arg(now · conj(before)) − expected, brought to ±π: unambiguous for ±39 Hz.
    let re = now.re * before.re + now.im * before.im;
    let im = now.im * before.re - now.re * before.im;
    let turn = im.atan2(re) - omega(nominal_hz) * BLOCK as f32;
    let turn = turn - std::f32::consts::TAU * (turn / std::f32::consts::TAU).round();
    let deviation_hz = turn * SAMPLE_RATE_HZ / (std::f32::consts::TAU * BLOCK as f32);
    deviation_hz.abs() <= DEVIATION_MAX * nominal_hz
}

#[cfg(test)]
mod tests;
