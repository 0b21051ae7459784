//! The three codecs of the telephone network, seen as streams of 64 kbit/s.
//!
//! PCMA, PCMU and G.722 have one thing in common that the whole crate leans on: one byte is one tick of the 8 kHz RTP
//! clock. So a duration, a byte count and a timestamp difference are the same number, whatever the packet time.
//! Inside the engine, audio that must be looked at (recording, in-band digits, transcoding) is linear at 8 kHz;
//! G.722 gives that as its own low band, without a resampler. Wideband stays wideband where audio passes through
//! untouched: clips at 16 kHz towards a G.722 caller, and a bridge of two G.722 legs.

use std::sync::OnceLock;

use audio_codec::g722::{Bitrate, G722Decoder, G722Encoder};
use audio_codec::pcma::PcmaDecoder;
use audio_codec::pcmu::{PcmuDecoder, PcmuEncoder};
use audio_codec::{BoxedResampler, Decoder as _, Encoder as _};

/// Bytes, RTP ticks and linear 8 kHz samples of the 20 ms that every pacer tick handles.
pub(crate) const FRAME_TICKS: usize = 160;
/// The pacer's period.
pub(crate) const FRAME_MS: u64 = 20;
/// RTP ticks (and bytes, and 8 kHz samples) of a millisecond.
pub(crate) const TICKS_PER_MS: usize = 8;

/// A codec the engine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// G.711 µ-law, static payload type 0.
    Pcmu,
    /// G.722 at 64 kbit/s, static payload type 9. Its RTP clock is 8 kHz by a historical error (RFC 3551, 4.5.2).
    G722,
}

impl Codec {
    /// All codecs, the preferred first.
    pub const ALL: [Self; 3] = [Self::Pcma, Self::Pcmu, Self::G722];

    /// The static RTP payload type (RFC 3551, table 4).
    #[must_use]
    pub const fn static_payload_type(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
            Self::G722 => 9,
        }
    }

    /// The codec with this static payload type.
    #[must_use]
    pub fn from_static_payload_type(payload_type: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.static_payload_type() == payload_type)
    }

    /// The encoding name as SDP writes it.
    #[must_use]
    pub const fn encoding_name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
        }
    }

    /// The codec with this SDP encoding name, in either case.
    #[must_use]
    pub fn from_encoding_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.encoding_name().eq_ignore_ascii_case(name))
    }

    /// The RTP clock rate for `a=rtpmap`, in hertz.
    #[must_use]
    pub const fn clock_rate_hz(self) -> u32 {
        8_000
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Pcma => 0,
            Self::Pcmu => 1,
            Self::G722 => 2,
        }
    }

    /// 20 ms of silence.
    pub(crate) fn silence(self) -> &'static [u8; FRAME_TICKS] {
        static SILENCE: OnceLock<[[u8; FRAME_TICKS]; 3]> = OnceLock::new();
        &SILENCE.get_or_init(|| {
            Self::ALL.map(|codec| {
                let (mut frame, mut encoder) = ([0; FRAME_TICKS], Encoder::new(codec));
                // G.722 needs a while until it has settled.
                for _ in 0..50 {
                    encoder.encode(&[0; FRAME_TICKS], &mut frame);
                }
                frame
            })
        })[self.index()]
    }
}

/// Encodes linear 8 kHz audio, one byte for each sample.
pub(crate) enum Encoder {
    Pcma,
    Pcmu(PcmuEncoder),
    /// The library's own mode for 8 kHz writes a constant, so audio is brought to 16 kHz first.
    G722 {
        resampler: Box<BoxedResampler>,
        encoder: Box<G722Encoder>,
    },
    /// Without a resampler, which is only refused for rates of zero: silence.
    Mute,
}

impl Encoder {
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::Pcma,
            Codec::Pcmu => Self::Pcmu(PcmuEncoder::new()),
            Codec::G722 => match BoxedResampler::new(8_000, 16_000) {
                Ok(resampler) => Self::G722 { resampler: Box::new(resampler), encoder: Box::new(G722Encoder::new()) },
                Err(_) => Self::Mute,
            },
        }
    }

    /// Encodes `pcm` into as many bytes; `out` is at least as long.
    pub(crate) fn encode(&mut self, pcm: &[i16], out: &mut [u8]) {
        let encoded = match self {
            Self::Pcma => {
                for (byte, sample) in out.iter_mut().zip(pcm) {
                    *byte = alaw(*sample);
                }
                Ok(pcm.len())
            }
            Self::Pcmu(encoder) => encoder.encode_into(pcm, out),
            Self::G722 { resampler, encoder } => {
                let mut wide = [0; 2 * FRAME_TICKS];
                for (narrow, bytes) in pcm.chunks(FRAME_TICKS).zip(out.chunks_mut(FRAME_TICKS)) {
                    let wide = &mut wide[..2 * narrow.len()];
                    let encoded = resampler.resample_into(narrow, wide).and_then(|_| encoder.encode_into(wide, bytes));
                    debug_assert!(encoded.is_ok_and(|bytes| bytes == narrow.len()), "one byte for each sample");
                }
                Ok(pcm.len())
            }
            Self::Mute => {
                out.fill(0);
                Ok(pcm.len())
            }
        };
        debug_assert!(encoded.is_ok_and(|bytes| bytes == pcm.len()), "one byte for each sample");
    }
}

/// Decodes to linear 8 kHz audio, one sample for each byte.
pub(crate) enum Decoder {
    Pcma(PcmaDecoder),
    Pcmu(PcmuDecoder),
    G722(Box<G722Decoder>),
}

impl Decoder {
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::Pcma(PcmaDecoder::new()),
            Codec::Pcmu => Self::Pcmu(PcmuDecoder::new()),
            Codec::G722 => Self::G722(Box::new(G722Decoder::with_options(Bitrate::Mode1_64000, false, true))),
        }
    }

    /// Decodes `bytes` into as many samples; `out` is at least as long.
    pub(crate) fn decode(&mut self, bytes: &[u8], out: &mut [i16]) {
        let decoded = match self {
            Self::Pcma(decoder) => decoder.decode_into(bytes, out),
            Self::Pcmu(decoder) => decoder.decode_into(bytes, out),
            Self::G722(decoder) => decoder.decode_into(bytes, out),
        };
        debug_assert!(decoded.is_ok_and(|samples| samples == bytes.len()), "one sample for each byte");
    }
}

/// Encodes a whole piece of audio at 16 kHz as G.722, wideband. An odd last sample is dropped.
pub(crate) fn encode_g722_wideband(pcm: &[i16]) -> Vec<u8> {
    let even = &pcm[..pcm.len() & !1];
    let mut out = vec![0; even.len() / 2];
    let encoded = G722Encoder::with_options(Bitrate::Mode1_64000, false, false).encode_into(even, &mut out);
    debug_assert!(encoded.is_ok_and(|bytes| bytes == out.len()), "one byte for two samples");
    out
}

/// A-law by the rule of ITU-T G.711 as the reference software (G.191, `alaw_compress`) writes it.
///
/// Not the codec library's: its table rounds negative samples away from the nearest level (−23 becomes −8, not −24),
/// which the exhaustive test below would not let through.
const fn alaw(sample: i16) -> u8 {
    let negative = sample < 0;
    // One's complement, then twelve bits of magnitude.
    let magnitude = (if negative { !sample } else { sample } >> 4).cast_unsigned();
    let code = if magnitude > 15 {
        let exponent = magnitude.ilog2() - 4;
        let mantissa = (magnitude >> exponent) & 0x0f;
        #[expect(clippy::cast_possible_truncation, reason = "seven exponents and sixteen mantissas fill seven bits")]
        {
            (((exponent + 1) << 4) as u8) | mantissa as u8
        }
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "at most 15")]
        {
            magnitude as u8
        }
    };
    (if negative { code } else { code | 0x80 }) ^ 0x55
}

#[cfg(test)]
mod tests;
