//! What a telephone line does to a voice: noise, echo, the band, clicks, codecs. And its tones.

use std::f64::consts::TAU;

use audio_codec::g722::{Bitrate, G722Decoder, G722Encoder};
use audio_codec::pcma::{PcmaDecoder, PcmaEncoder};
use audio_codec::pcmu::{PcmuDecoder, PcmuEncoder};
use audio_codec::{Decoder as _, Encoder as _};

use crate::dice::Dice;

pub(crate) const RATE: f64 = 8_000.0;

pub(crate) fn samples_of(ms: f64) -> usize {
    (ms * 8.0) as usize
}

/// A level in dB below full scale, as a factor.
pub(crate) fn factor(db: f64) -> f32 {
    10f64.powf(db / 20.0) as f32
}

/// Kinds of background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noise {
    /// A room, a fan: pink.
    Room,
    /// The line itself: white.
    Line,
    /// A car: brown.
    Car,
    /// Mains hum and its harmonics, with a little white.
    Hum,
    /// Other people, a television.
    Babble,
}

/// So much noise of a kind, with a root mean square of 1.
pub(crate) fn noise(dice: &mut Dice, kind: Noise, babble: &[f32], length: usize) -> Vec<f32> {
    let mut pink = [0.0f64; 3];
    let (mut brown, phase) = (0.0f64, dice.unit() * TAU);
    let offset = dice.next() as usize;
    let sway = dice.between(0.1, 0.5);
    let mut samples: Vec<f32> = (0..length)
        .map(|n| {
            let white = dice.between(-1.0, 1.0);
            let at = n as f64 / RATE;
            let value = match kind {
                Noise::Line => white,
                Noise::Room => {
                    // Paul Kellet's economy filter.
                    pink[0] = 0.997_65 * pink[0] + white * 0.099_046;
                    pink[1] = 0.963 * pink[1] + white * 0.296_516_4;
                    pink[2] = 0.57 * pink[2] + white * 1.052_691_3;
                    (pink.iter().sum::<f64>() + white * 0.1848) * (1.0 + 0.2 * (TAU * sway * at + phase).sin())
                }
                Noise::Car => {
                    brown = 0.985 * brown + white * 0.15;
                    brown * (1.0 + 0.3 * (TAU * sway * at + phase).sin()) + 0.05 * white
                }
                Noise::Hum => {
                    let hum: f64 = [(50.0, 0.3), (100.0, 1.0), (150.0, 0.8), (300.0, 0.5), (450.0, 0.3)]
                        .iter()
                        .map(|(hz, gain)| gain * (TAU * hz * at + phase * hz).sin())
                        .sum();
                    hum + 0.5 * white
                }
                Noise::Babble => f64::from(babble[(offset + n) % babble.len()]) + 0.02 * white,
            };
            value as f32
        })
        .collect();
    scale_to(&mut samples, 1.0);
    samples
}

/// Root mean square.
pub(crate) fn rms(samples: &[f32]) -> f32 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt() as f32
}

/// The level of speech while somebody speaks (as ITU-T P.56 means it): frames within 25 dB of the loudest.
pub(crate) fn speech_level(samples: &[f32]) -> f32 {
    let frames: Vec<f32> = samples.chunks(160).map(rms).collect();
    let loudest = frames.iter().copied().fold(0.0, f32::max);
    let active: Vec<f32> = frames.into_iter().filter(|level| *level > loudest * 0.056).collect();
    let sum: f32 = active.iter().map(|level| level * level).sum();
    (sum / active.len().max(1) as f32).sqrt()
}

fn scale_to(samples: &mut [f32], level: f32) {
    let gain = level / rms(samples).max(1e-9);
    samples.iter_mut().for_each(|sample| *sample *= gain);
}

/// Brings speech to a level, in dB below full scale.
pub(crate) fn set_speech_level(samples: &mut [f32], db: f64) {
    let gain = factor(db) / speech_level(samples).max(1e-9);
    samples.iter_mut().for_each(|sample| *sample *= gain);
}

/// Adds `what` from a place on, at a gain.
pub(crate) fn add(to: &mut [f32], at: usize, what: &[f32], gain: f32) {
    for (place, sample) in to.iter_mut().skip(at).zip(what) {
        *place += sample * gain;
    }
}

/// A stationary tone with soft edges.
pub(crate) fn tone(hz: &[f64], ms: f64, level_db: f64) -> Vec<f32> {
    let length = samples_of(ms);
    let peak = factor(level_db + 3.0);
    (0..length)
        .map(|n| {
            let edge = (n.min(length - 1 - n) as f32 / 24.0).min(1.0);
            let wave: f64 = hz.iter().map(|hz| (TAU * hz * n as f64 / RATE).sin()).sum::<f64>() / hz.len() as f64;
            wave as f32 * peak * edge
        })
        .collect()
}

/// A phrase of a few chords, as companies begin with.
pub(crate) fn jingle(dice: &mut Dice) -> Vec<f32> {
    let notes = [262.0, 330.0, 392.0, 523.0, 659.0, 784.0];
    let mut samples = vec![];
    for _ in 0..3 + dice.next() % 4 {
        let chord = [*dice.pick(&notes), *dice.pick(&notes) * 1.5, *dice.pick(&notes) * 2.01];
        let note_ms = dice.between(120.0, 260.0);
        let mut note = tone(&chord, note_ms, -14.0);
        let length = note.len() as f32;
        note.iter_mut().enumerate().for_each(|(n, sample)| *sample *= (-2.5 * n as f32 / length).exp());
        samples.extend(note);
    }
    samples
}

/// A room with hard walls: a few reflections that fade.
pub(crate) fn echo(dice: &mut Dice, samples: &mut [f32]) {
    let dry = samples.to_vec();
    let mut gain = dice.between(0.25, 0.5) as f32;
    let mut delay_ms = dice.between(18.0, 60.0);
    for _ in 0..5 {
        add(samples, samples_of(delay_ms), &dry, gain);
        gain *= 0.6;
        delay_ms += dice.between(15.0, 55.0);
    }
}

/// The telephone's band: 300 to 3,400 Hz, by two biquads.
pub(crate) fn telephone_band(samples: &mut [f32]) {
    biquad(samples, true, 280.0);
    biquad(samples, false, 3_300.0);
}

fn biquad(samples: &mut [f32], high_pass: bool, hz: f64) {
    let omega = TAU * hz / RATE;
    let (sin, cos) = omega.sin_cos();
    let alpha = sin / (2.0 * 0.707);
    let (b0, b1) = if high_pass { ((1.0 + cos) / 2.0, -(1.0 + cos)) } else { ((1.0 - cos) / 2.0, 1.0 - cos) };
    let (a0, a1, a2) = (1.0 + alpha, -2.0 * cos, 1.0 - alpha);
    let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
    for sample in samples {
        let x = f64::from(*sample);
        let y = (b0 * x + b1 * x1 + b0 * x2 - a1 * y1 - a2 * y2) / a0;
        (x2, x1, y2, y1) = (x1, x, y1, y);
        *sample = y as f32;
    }
}

/// What the line's codec leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineCodec {
    Pcma,
    Pcmu,
    G722,
    /// G.711 of both laws in turn, as between networks.
    Tandem,
}

pub(crate) fn through(codec: LineCodec, samples: &[f32]) -> Vec<i16> {
    let pcm: Vec<i16> =
        samples.iter().map(|sample| (sample * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16).collect();
    match codec {
        LineCodec::Pcma => PcmaDecoder::new().decode(&PcmaEncoder::new().encode(&pcm)),
        LineCodec::Pcmu => PcmuDecoder::new().decode(&PcmuEncoder::new().encode(&pcm)),
        LineCodec::Tandem => {
            let first = PcmuDecoder::new().decode(&PcmuEncoder::new().encode(&pcm));
            PcmaDecoder::new().decode(&PcmaEncoder::new().encode(&first))
        }
        LineCodec::G722 => {
            let wide = audio_codec::resample(&pcm, 8_000, 16_000);
            let even = &wide[..wide.len() & !1];
            let bytes = G722Encoder::with_options(Bitrate::Mode1_64000, false, false).encode(even);
            G722Decoder::with_options(Bitrate::Mode1_64000, false, true).decode(&bytes)
        }
    }
}
