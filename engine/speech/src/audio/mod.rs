//! Sound: 16 kHz, one channel, 16 bit. Everything that enters is brought to that.

mod decode;
mod resample;
mod tone;

use std::fmt;
use std::io::Cursor;
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub(crate) use decode::{DecodeError, decode};
pub use tone::ToneSpec;

/// Samples a second of all audio in this crate.
pub const SAMPLE_RATE_HZ: u32 = 16_000;
const SAMPLES_PER_MS: usize = SAMPLE_RATE_HZ as usize / 1000;

/// A clip's identity: two clips of one key have the same samples, on every machine and run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentKey([u8; 16]);

impl ContentKey {
    fn of(samples: &[i16]) -> Self {
        let mut hash = Sha256::new();
        for sample in samples {
            hash.update(sample.to_le_bytes());
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        Self(key)
    }

    /// The key as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Samples, shared and named by their content, so that a codec encodes them once.
#[derive(Clone, PartialEq, Eq)]
pub struct Clip {
    key: ContentKey,
    samples: Arc<[i16]>,
}

impl Clip {
    /// A clip of 16 kHz mono samples.
    #[must_use]
    pub fn new(samples: Vec<i16>) -> Self {
        Self { key: ContentKey::of(&samples), samples: samples.into() }
    }

    /// The content's identity.
    #[must_use]
    pub fn key(&self) -> ContentKey {
        self.key
    }

    /// The samples. Cloning the `Arc` copies nothing.
    #[must_use]
    pub fn samples(&self) -> &Arc<[i16]> {
        &self.samples
    }

    /// Length in milliseconds, rounded down.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        (self.samples.len() / SAMPLES_PER_MS) as u64
    }
}

impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clip({}, {} ms)", self.key, self.duration_ms())
    }
}

/// One stretch of a rendered prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Sound.
    Pcm(Clip),
    /// No sound.
    Silence {
        /// For so long, in milliseconds.
        ms: u32,
    },
}

/// A rendered prompt, ready to be encoded and played piece after piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audio {
    /// [`SAMPLE_RATE_HZ`].
    pub sample_rate_hz: u32,
    /// In the order of playing.
    pub pieces: Vec<Piece>,
}

impl Audio {
    /// Audio of these pieces.
    #[must_use]
    pub fn new(pieces: Vec<Piece>) -> Self {
        Self { sample_rate_hz: SAMPLE_RATE_HZ, pieces }
    }

    /// Length in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Pcm(clip) => clip.duration_ms(),
                Piece::Silence { ms } => u64::from(*ms),
            })
            .sum()
    }

    /// The whole as one WAV file.
    ///
    /// # Errors
    /// hound's, when the audio is longer than a WAV file can be (4 GiB).
    pub fn to_wav(&self) -> Result<Vec<u8>, hound::Error> {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: self.sample_rate_hz,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut file, spec)?;
        for piece in &self.pieces {
            match piece {
                Piece::Pcm(clip) => clip.samples.iter().try_for_each(|sample| writer.write_sample(*sample))?,
                Piece::Silence { ms } => {
                    (0..*ms as usize * SAMPLES_PER_MS).try_for_each(|_| writer.write_sample(0_i16))?;
                }
            }
        }
        writer.finalize()?;
        Ok(file.into_inner())
    }
}

/// A sample in -1.0..=1.0 as 16 bit.
fn to_i16(sample: f32) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16; NaN becomes 0")]
    let narrow = (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
    narrow
}
