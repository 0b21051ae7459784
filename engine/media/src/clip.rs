//! Clips: audio that is encoded once for each codec and shared by all calls that play it.

use std::f32::consts::TAU;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::codec::{Codec, Encoder, encode_g722_wideband};
use crate::digit::Digit;
use crate::error::MediaError;

/// The longest clip, in milliseconds. A longer text is several clips.
pub const CLIP_DURATION_MS_MAX: u64 = 30 * 60 * 1_000;
/// The longest tone, in milliseconds.
pub const TONE_DURATION_MS_MAX: u32 = 60_000;
/// The level of each frequency of a tone, in dB below full scale, where none is given.
const TONE_LEVEL_DB: f32 = -12.0;
/// A tone swells and fades over this time: an edge would click and spread over the spectrum.
const TONE_RAMP_MS: u32 = 2;

/// A piece of audio: linear samples, and their encoding in each codec made on first use.
///
/// Encoding takes about a millisecond a minute for G.711 and a hundred for G.722, so it is done by whoever calls
/// [`Clip::encoded`] or [`crate::Session::play`], never by a pacer.
pub struct Clip {
    sample_rate: u32,
    samples: Vec<i16>,
    encoded: [OnceLock<Arc<[u8]>>; 3],
}

impl Clip {
    /// A clip of linear samples, one channel, at 8,000 or 16,000 Hz.
    ///
    /// # Errors
    /// [`MediaError::InvalidRequest`] for another rate or more than [`CLIP_DURATION_MS_MAX`].
    pub fn from_pcm(sample_rate: u32, samples: Vec<i16>) -> Result<Self, MediaError> {
        if sample_rate != 8_000 && sample_rate != 16_000 {
            return Err(MediaError::InvalidRequest("a clip has 8,000 or 16,000 samples a second; resample it first"));
        }
        let clip = Self { sample_rate, samples, encoded: Default::default() };
        if clip.duration_ms() > CLIP_DURATION_MS_MAX {
            return Err(MediaError::InvalidRequest("a clip lasts at most 30 minutes; cut it into several"));
        }
        Ok(clip)
    }

    /// A tone of one or two frequencies (0 for none), each 12 dB below full scale.
    ///
    /// # Errors
    /// [`MediaError::InvalidRequest`] if it is longer than [`TONE_DURATION_MS_MAX`].
    pub fn tone(frequencies_hz: [f32; 2], duration_ms: u32) -> Result<Self, MediaError> {
        if duration_ms > TONE_DURATION_MS_MAX {
            return Err(MediaError::InvalidRequest("a tone lasts at most a minute; repeat a shorter one"));
        }
        Self::from_pcm(8_000, tone_samples(frequencies_hz, duration_ms, TONE_LEVEL_DB))
    }

    /// The length in milliseconds, rounded up.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        (self.samples.len() as u64 * 1_000).div_ceil(u64::from(self.sample_rate))
    }

    #[cfg(test)]
    pub(crate) fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// The clip in a codec: one byte for each tick of the RTP clock. Encodes on the first call.
    #[must_use]
    pub fn encoded(&self, codec: Codec) -> Arc<[u8]> {
        Arc::clone(self.encoded[codec.index()].get_or_init(|| self.encode(codec)))
    }

    /// The encoding, if it has been made: what a pacer asks, as it must not encode.
    pub(crate) fn encoded_if_ready(&self, codec: Codec) -> Option<&Arc<[u8]>> {
        self.encoded[codec.index()].get()
    }

    /// The length in ticks of the RTP clock, which is the length in bytes of every encoding.
    pub(crate) fn ticks(&self) -> usize {
        if self.sample_rate == 8_000 { self.samples.len() } else { self.samples.len() / 2 }
    }

    fn encode(&self, codec: Codec) -> Arc<[u8]> {
        if self.sample_rate == 16_000 && codec == Codec::G722 {
            return encode_g722_wideband(&self.samples).into();
        }
        let narrow;
        let pcm: &[i16] = if self.sample_rate == 8_000 {
            &self.samples
        } else {
            let mut resampled = audio_codec::resample(&self.samples, self.sample_rate, 8_000);
            resampled.resize(self.ticks(), 0);
            narrow = resampled;
            &narrow
        };
        let mut bytes = vec![0; pcm.len()];
        Encoder::new(codec).encode(pcm, &mut bytes);
        bytes.into()
    }
}

impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clip")
            .field("sample_rate", &self.sample_rate)
            .field("duration_ms", &self.duration_ms())
            .finish_non_exhaustive()
    }
}

/// Samples of a tone at 8 kHz; a frequency of 0 is left out. `level_db` is each frequency's level below full scale.
pub(crate) fn tone_samples(frequencies_hz: [f32; 2], duration_ms: u32, level_db: f32) -> Vec<i16> {
    let samples = duration_ms * 8;
    let ramp = (TONE_RAMP_MS * 8).min(samples / 2).max(1);
    let peak = 32_767.0 * 10f32.powf(level_db / 20.0);
    (0..samples)
        .map(|n| {
            let edge = n.min(samples - 1 - n);
            #[expect(clippy::cast_precision_loss, reason = "a tone has fewer than 2^24 samples")]
            let (at, gain) = (n as f32 / 8_000.0, edge.min(ramp) as f32 / ramp as f32);
            let wave: f32 = frequencies_hz.iter().filter(|f| **f > 0.0).map(|f| (TAU * ((f * at) % 1.0)).sin()).sum();
            #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
            {
                (wave * peak * gain) as i16
            }
        })
        .collect()
}

/// A key's tone followed by a pause, for a party that takes no telephone-event.
pub(crate) fn digit_tone(digit: Digit, duration_ms: u32, gap_ms: u32) -> Vec<i16> {
    let (low, high) = digit.frequencies_hz();
    let mut samples = tone_samples([low, high], duration_ms, -9.0);
    samples.resize(samples.len() + gap_ms as usize * 8, 0);
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_has_a_byte_for_each_tick() {
        for (rate, samples, ticks) in
            [(8_000, 8_000, 8_000), (16_000, 16_000, 8_000), (8_000, 1, 1), (16_000, 333, 166)]
        {
            let clip = Clip::from_pcm(rate, vec![0; samples]).unwrap();
            for codec in Codec::ALL {
                assert_eq!(clip.encoded(codec).len(), ticks, "{rate} {codec:?}");
            }
            assert_eq!(clip.ticks(), ticks);
        }
    }

    #[test]
    fn an_encoding_is_made_once_and_shared() {
        let clip = Clip::tone([440.0, 0.0], 100).unwrap();
        assert!(clip.encoded_if_ready(Codec::Pcma).is_none());
        let first = clip.encoded(Codec::Pcma);
        assert!(Arc::ptr_eq(&first, &clip.encoded(Codec::Pcma)));
        assert!(clip.encoded_if_ready(Codec::Pcma).is_some());
        assert_eq!(clip.duration_ms(), 100);
    }

    #[test]
    fn impossible_clips_are_refused() {
        assert!(Clip::from_pcm(44_100, vec![]).is_err());
        assert!(Clip::tone([440.0, 0.0], TONE_DURATION_MS_MAX + 1).is_err());
        assert!(Clip::from_pcm(8_000, vec![0; 8 * 30 * 60 * 1_000 + 8]).is_err());
    }
}
