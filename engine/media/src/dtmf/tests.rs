//! The detector against ITU-T Q.24 and against things that are not keys.

use std::f64::consts::TAU;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

struct Key {
    digit: Digit,
    duration_ms: usize,
    /// Decibels below full scale, of the low and the high tone.
    levels_db: [f64; 2],
    /// Factor on the low and the high frequency.
    detune: [f64; 2],
    noise_db: f64,
}

impl Key {
    fn new(digit: Digit) -> Self {
        Self { digit, duration_ms: 60, levels_db: [-12.0, -12.0], detune: [1.0, 1.0], noise_db: -90.0 }
    }

    /// Silence of `lead` samples, the key, silence.
    fn samples(&self, lead: usize, random: &mut StdRng) -> Vec<i16> {
        let (low, high) = self.digit.frequencies_hz();
        let tones = [f64::from(low) * self.detune[0], f64::from(high) * self.detune[1]];
        let peak = |db: f64| 32_767.0 * 10f64.powf(db / 20.0);
        let phases = [random.random_range(0.0..TAU), random.random_range(0.0..TAU)];
        (0..lead + self.duration_ms * 8 + 800)
            .map(|n| {
                let noise = peak(self.noise_db) * 1.22 * (random.random::<f64>() * 2.0 - 1.0);
                let on = n >= lead && n < lead + self.duration_ms * 8;
                let wave: f64 = (0..2)
                    .map(|t| peak(self.levels_db[t]) * (TAU * tones[t] * n as f64 / 8_000.0 + phases[t]).sin())
                    .sum();
                ((if on { wave } else { 0.0 }) + noise) as i16
            })
            .collect()
    }
}

fn hear(pcm: &[i16]) -> String {
    let mut keys = String::new();
    let mut detector = InBandDetector::new();
    for frame in pcm.chunks(160) {
        detector.feed(frame, |heard| {
            if let InBand::Pressed(digit) = heard {
                keys.push(digit.as_char());
            }
        });
    }
    keys
}

/// Each key once at each of several offsets against the blocks; the share of exact hearings.
fn heard_exactly(mut shape: impl FnMut(&mut Key)) -> f64 {
    let mut random = StdRng::seed_from_u64(24);
    let (mut right, mut all) = (0, 0);
    for digit in Digit::all() {
        for lead in [0, 17, 34, 51, 68, 85, 99] {
            let mut key = Key::new(digit);
            shape(&mut key);
            right += usize::from(hear(&key.samples(lead, &mut random)) == digit.as_char().to_string());
            all += 1;
        }
    }
    right as f64 / f64::from(all)
}

/// The share of cases in which anything at all was heard.
fn heard_anything(mut shape: impl FnMut(&mut Key)) -> f64 {
    let mut random = StdRng::seed_from_u64(25);
    let (mut some, mut all) = (0, 0);
    for digit in Digit::all() {
        for lead in [0, 25, 50, 75] {
            let mut key = Key::new(digit);
            shape(&mut key);
            some += usize::from(!hear(&key.samples(lead, &mut random)).is_empty());
            all += 1;
        }
    }
    some as f64 / f64::from(all)
}

#[test]
fn every_key_is_heard_once_at_every_offset() {
    for duration_ms in [40, 50, 80, 200, 1_000] {
        assert_eq!(heard_exactly(|key| key.duration_ms = duration_ms), 1.0, "{duration_ms} ms");
    }
}

#[test]
fn too_short_is_no_key() {
    assert_eq!(heard_anything(|key| key.duration_ms = 20), 0.0);
}

#[test]
fn levels_from_loud_to_faint() {
    for level_db in [-6.1, -20.0, -30.0, -38.0] {
        assert_eq!(heard_exactly(|key| key.levels_db = [level_db; 2]), 1.0, "{level_db} dB");
    }
    assert_eq!(heard_anything(|key| key.levels_db = [-50.0; 2]), 0.0);
}

#[test]
fn frequencies_within_tolerance_are_heard() {
    for detune in [[1.015, 1.015], [0.985, 0.985], [1.015, 0.985], [0.985, 1.015]] {
        assert_eq!(heard_exactly(|key| key.detune = detune), 1.0, "{detune:?}");
    }
}

#[test]
fn frequencies_outside_tolerance_are_not() {
    for detune in [[1.035, 1.0], [0.965, 1.0], [1.0, 1.035], [1.0, 0.965], [1.035, 1.035], [0.965, 0.965]] {
        assert_eq!(heard_anything(|key| key.detune = detune), 0.0, "{detune:?}");
    }
}

#[test]
fn twist_within_limits_is_heard_and_beyond_them_not() {
    for levels_db in [[-12.0, -20.0], [-16.0, -12.0]] {
        assert_eq!(heard_exactly(|key| key.levels_db = levels_db), 1.0, "{levels_db:?}");
    }
    for levels_db in [[-10.0, -22.0], [-22.0, -10.0], [-10.0, -90.0], [-90.0, -10.0]] {
        assert_eq!(heard_anything(|key| key.levels_db = levels_db), 0.0, "{levels_db:?}");
    }
}

#[test]
fn keys_are_heard_through_noise() {
    // 15 dB below the key's own level.
    assert!(heard_exactly(|key| (key.duration_ms, key.noise_db) = (80, -24.0)) >= 0.995);
}

#[test]
fn a_short_interruption_does_not_split_and_a_pause_does() {
    let mut random = StdRng::seed_from_u64(3);
    for (gap_ms, expect) in [(8, "5"), (50, "55")] {
        let key = Key { duration_ms: 80, ..Key::new(Digit::from_char('5').unwrap()) };
        let tone = &key.samples(0, &mut random)[..640];
        let pcm = [tone, &vec![0; gap_ms * 8], tone, &[0; 800]].concat();
        assert_eq!(hear(&pcm), expect, "{gap_ms} ms");
    }
}

#[test]
fn a_lost_frame_in_mid_press_does_not_double_it() {
    let mut random = StdRng::seed_from_u64(4);
    let pcm = Key { duration_ms: 140, ..Key::new(Digit::from_char('8').unwrap()) }.samples(0, &mut random);
    for lost in 0..7 {
        let (mut pressed, mut released) = (0, 0);
        let mut detector = InBandDetector::new();
        let mut count = |heard| match heard {
            InBand::Pressed(_) => pressed += 1,
            InBand::Released(..) => released += 1,
        };
        for (n, frame) in pcm.chunks(160).enumerate() {
            if n == lost { detector.feed_lost(frame.len(), &mut count) } else { detector.feed(frame, &mut count) }
        }
        assert_eq!((pressed, released), (1, 1), "frame {lost}");
    }
}

#[test]
fn the_duration_of_a_press_is_told() {
    let pcm =
        Key { duration_ms: 200, ..Key::new(Digit::from_char('1').unwrap()) }.samples(0, &mut StdRng::seed_from_u64(5));
    let mut held = None;
    InBandDetector::new().feed(&pcm, |heard| {
        if let InBand::Released(_, ms) = heard {
            held = Some(ms);
        }
    });
    assert!(held.is_some_and(|ms| (180..=220).contains(&ms)), "{held:?}");
}

/// A voiced sound: a pitch that glides, its harmonics shaped by three formants that move.
fn voice(random: &mut StdRng, seconds: usize) -> Vec<i16> {
    let mut pcm = Vec::with_capacity(seconds * 8_000);
    let mut phase = 0.0f64;
    while pcm.len() < seconds * 8_000 {
        let samples = random.random_range(400..2_400);
        let pitch = [random.random_range(80.0..320.0), random.random_range(80.0..320.0)];
        let formant = |random: &mut StdRng| {
            [
                random.random_range(300.0..900.0),
                random.random_range(900.0..1_800.0),
                random.random_range(2_000.0..3_200.0),
            ]
        };
        let (from, to) = (formant(random), formant(random));
        let (loudness, voiced) = (random.random_range(500.0..9_000.0), random.random_bool(0.85));
        for n in 0..samples {
            let along = f64::from(n) / f64::from(samples);
            let f0 = pitch[0] + (pitch[1] - pitch[0]) * along;
            phase = (phase + f0 / 8_000.0).fract();
            let mut wave = 0.0;
            let mut harmonic = 1.0;
            while voiced && harmonic * f0 < 3_600.0 {
                let f = harmonic * f0;
                let gain: f64 = (0..3)
                    .map(|k| {
                        let formant = from[k] + (to[k] - from[k]) * along;
                        [1.0, 0.5, 0.2][k] / (1.0 + ((f - formant) / 90.0).powi(2))
                    })
                    .sum();
                wave += gain * (TAU * phase * harmonic).sin();
                harmonic += 1.0;
            }
            if !voiced {
                wave = 0.3 * (random.random::<f64>() * 2.0 - 1.0);
            }
            let envelope = (along * 12.0).min(1.0).min((1.0 - along) * 12.0);
            pcm.push((loudness * envelope * wave) as i16);
        }
    }
    pcm
}

#[test]
fn speech_is_no_key() {
    let mut random = StdRng::seed_from_u64(6);
    let heard = hear(&voice(&mut random, 240));
    assert_eq!(heard, "", "talk-off in four minutes of voice");
}

#[test]
fn chords_and_sweeps_are_no_keys() {
    let mut random = StdRng::seed_from_u64(7);
    let mut pcm = vec![];
    for _ in 0..600 {
        let notes: Vec<f64> = (0..random.random_range(1..5))
            .map(|_| 220.0 * 2f64.powf(f64::from(random.random_range(0..36)) / 12.0))
            .collect();
        pcm.extend((0..1_600).map(|n| {
            let wave: f64 = notes
                .iter()
                .map(|f| {
                    [1.0, 0.5, 0.33]
                        .iter()
                        .enumerate()
                        .map(|(h, a)| a * (TAU * f * (h + 1) as f64 * f64::from(n) / 8_000.0).sin())
                        .sum::<f64>()
                })
                .sum();
            (4_000.0 * wave / notes.len() as f64) as i16
        }));
    }
    let sweep = (0..80_000).map(|n| {
        let t = f64::from(n) / 8_000.0;
        (8_000.0 * (TAU * (300.0 * t + 160.0 * t * t)).sin()) as i16
    });
    pcm.extend(sweep);
    assert_eq!(hear(&pcm), "", "in two minutes of chords and a sweep");
}
