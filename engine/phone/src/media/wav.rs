//! Audio files and tones: a microphone from a WAV, what was heard into a WAV, in-band digits.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::PhoneError;

/// The longest audio that a microphone or a recording holds, in seconds.
pub(crate) const AUDIO_S_MAX: u32 = 1_800;
/// Samples in a second of what the phone sends and keeps.
pub(crate) const RATE_HZ: u32 = 8_000;
/// Peak of each of the two frequencies of an in-band digit: about -9 dBm0.
const TONE_PEAK: f64 = 6_000.0;

/// Reads a WAV as mono at 8 kHz.
///
/// # Errors
/// When the file cannot be read, is too long, or has a format that we do not know.
pub fn read_wav(path: &Path) -> Result<Vec<i16>, PhoneError> {
    let fail = |reason: String| PhoneError::Wav { path: path.display().to_string(), reason, limit_s: AUDIO_S_MAX };
    let mut reader = hound::WavReader::open(path).map_err(|e| fail(e.to_string()))?;
    let spec = reader.spec();
    if !(8_000..=48_000).contains(&spec.sample_rate) || spec.channels == 0 || spec.channels > 2 {
        return Err(fail(format!("{} Hz, {} channels", spec.sample_rate, spec.channels)));
    }
    if reader.duration() / spec.sample_rate >= AUDIO_S_MAX {
        return Err(fail("too long".to_owned()));
    }
    let shift = u32::from(spec.bits_per_sample).saturating_sub(16);
    let samples: Vec<i16> = match spec.sample_format {
        hound::SampleFormat::Int if spec.bits_per_sample == 8 => {
            reader.samples::<i32>().map(|s| s.map(|s| clamp(s << 8))).collect::<Result<_, _>>()
        }
        hound::SampleFormat::Int => reader.samples::<i32>().map(|s| s.map(|s| clamp(s >> shift))).collect(),
        hound::SampleFormat::Float => {
            reader.samples::<f32>().map(|s| s.map(|s| round(f64::from(s) * 32_767.0))).collect()
        }
    }
    .map_err(|e| fail(e.to_string()))?;
    let mono: Vec<i16> = samples
        .chunks_exact(usize::from(spec.channels))
        .map(|frame| clamp(frame.iter().map(|s| i32::from(*s)).sum::<i32>() / i32::from(spec.channels)))
        .collect();
    Ok(resample(&mono, spec.sample_rate, RATE_HZ))
}

/// Writes mono at 8 kHz.
///
/// # Errors
/// When the file cannot be written.
pub fn write_wav(path: &Path, samples: &[i16]) -> Result<(), PhoneError> {
    let fail = |e: hound::Error| PhoneError::Wav {
        path: path.display().to_string(),
        reason: e.to_string(),
        limit_s: AUDIO_S_MAX,
    };
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).map_err(fail)?;
    for sample in samples {
        writer.write_sample(*sample).map_err(fail)?;
    }
    writer.finalize().map_err(fail)
}

/// What was heard, laid out in the time of the call.
#[derive(Debug)]
pub(crate) struct Recorder {
    start: Instant,
    samples: Vec<i16>,
}

impl Recorder {
    pub(crate) fn new(start: Instant) -> Self {
        Self { start, samples: Vec::new() }
    }

    /// Appends audio; at a talkspurt's start, silence fills the time since the last one.
    pub(crate) fn hear(&mut self, at: Instant, spurt: bool, audio: &[i16]) {
        let limit = AUDIO_S_MAX as usize * RATE_HZ as usize;
        if spurt {
            let elapsed = at.saturating_duration_since(self.start).min(Duration::from_secs(AUDIO_S_MAX.into()));
            let place = usize::try_from(elapsed.as_millis()).unwrap_or(limit) * (RATE_HZ as usize / 1_000);
            if place > self.samples.len() {
                self.samples.resize(place.min(limit), 0);
            }
        }
        let room = limit.saturating_sub(self.samples.len()).min(audio.len());
        self.samples.extend_from_slice(&audio[..room]);
    }

    pub(crate) fn samples(&self) -> &[i16] {
        &self.samples
    }
}

/// Linear interpolation (and averaging downwards): good enough for a microphone that tests speak into.
pub(crate) fn resample(samples: &[i16], from_hz: u32, to_hz: u32) -> Vec<i16> {
    if from_hz == to_hz || samples.is_empty() {
        return samples.to_vec();
    }
    let step = f64::from(from_hz) / f64::from(to_hz);
    let mut out = Vec::new();
    let mut at = 0.0_f64;
    loop {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index, never negative")]
        let i = at as usize;
        let Some(first) = samples.get(i) else { return out };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1, at most 6")]
        let width = (step.round() as usize).max(1);
        let value = if width > 1 {
            let window = &samples[i..(i + width).min(samples.len())];
            window.iter().map(|s| f64::from(*s)).sum::<f64>() / window.len() as f64
        } else {
            let next = f64::from(*samples.get(i + 1).unwrap_or(first));
            let part = at - at.floor();
            f64::from(*first) * (1.0 - part) + next * part
        };
        out.push(round(value));
        at += step;
    }
}

/// A digit as two frequencies (ITU-T Q.23).
pub(crate) fn digit_tone(key: char, duration_ms: u32) -> Vec<i16> {
    const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
    const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
    let Some(place) = "123A456B789C*0#D".find(key.to_ascii_uppercase()) else { return Vec::new() };
    tone(&[ROWS[place / 4], COLUMNS[place % 4]], duration_ms)
}

/// A tone of some frequencies.
pub fn tone(frequencies_hz: &[f64], duration_ms: u32) -> Vec<i16> {
    (0..duration_ms.saturating_mul(RATE_HZ / 1_000))
        .map(|n| {
            let t = f64::from(n) / f64::from(RATE_HZ);
            round(frequencies_hz.iter().map(|f| TONE_PEAK * (std::f64::consts::TAU * f * t).sin()).sum())
        })
        .collect()
}

fn clamp(value: i32) -> i16 {
    i16::try_from(value.clamp(i16::MIN.into(), i16::MAX.into())).unwrap_or_default()
}

fn round(value: f64) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16")]
    let rounded = value.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16;
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wav");
        let samples = tone(&[440.0], 100);
        write_wav(&path, &samples).unwrap();
        assert_eq!(read_wav(&path).unwrap(), samples);
        assert!(read_wav(&dir.path().join("none.wav")).is_err());
        std::fs::write(&path, b"RIFF no wav").unwrap();
        assert!(read_wav(&path).is_err());
    }

    #[test]
    fn resampling_keeps_length_and_level() {
        let low = tone(&[400.0], 200);
        let high = resample(&low, 8_000, 16_000);
        assert_eq!(high.len(), low.len() * 2);
        let back = resample(&high, 16_000, 8_000);
        assert_eq!(back.len(), low.len());
        let peak = |s: &[i16]| s.iter().map(|v| v.unsigned_abs()).max().unwrap();
        assert!(peak(&back) * 10 > peak(&low) * 9);
    }

    #[test]
    fn the_recording_keeps_pauses() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start);
        recorder.hear(start, true, &[1; 160]);
        recorder.hear(start + Duration::from_millis(35), false, &[2; 160]);
        recorder.hear(start + Duration::from_millis(100), true, &[3; 160]);
        assert_eq!(recorder.samples().len(), 960);
        assert_eq!((recorder.samples()[319], recorder.samples()[500], recorder.samples()[800]), (2, 0, 3));
        recorder.hear(start + Duration::from_secs(1_000_000), true, &[4; 160]);
        assert!(recorder.samples().len() <= AUDIO_S_MAX as usize * RATE_HZ as usize, "bounded");
    }
}
