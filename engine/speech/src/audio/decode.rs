//! Sound files to samples: WAV by hound, everything else by symphonia, any rate by rubato.

use std::io::Cursor;

use symphonia::core::audio::SampleBuffer;
use symphonia::core::codecs::{CODEC_TYPE_NULL, DecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::FormatOptions;
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::probe::Hint;

use super::resample::resample;
use super::to_i16;

/// Rates that a recording may have.
const SOURCE_RATE_HZ: std::ops::RangeInclusive<u32> = 4_000..=192_000;
/// Channels that are mixed down to one.
const CHANNELS_MAX: usize = 8;
/// Damaged packets passed over before a file is given up.
const BAD_PACKETS_MAX: usize = 16;

/// Why a sound file could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// Longer than the limit, in milliseconds.
    TooLong { limit_ms: u32 },
    /// No sound in it.
    Empty,
    /// Not a format that is read here, or damaged.
    Format(String),
}

/// Decodes a file to 16 kHz mono.
///
/// The WAV header of a program that writes to a pipe may lie about its length: what is there is taken.
pub(crate) fn decode(bytes: Vec<u8>, limit_ms: u32) -> Result<Vec<i16>, DecodeError> {
    let mono = match bytes.get(..4) {
        Some(b"RIFF") => decode_wav(bytes, limit_ms)?,
        _ => decode_other(bytes, limit_ms)?,
    };
    if mono.samples.is_empty() {
        return Err(DecodeError::Empty);
    }
    let samples = resample(mono.samples, mono.rate_hz).map_err(DecodeError::Format)?;
    Ok(samples.into_iter().map(to_i16).collect())
}

/// One channel at the file's own rate.
struct Mono {
    samples: Vec<f32>,
    rate_hz: u32,
}

/// Collects frames of several channels into one, within a limit.
struct Downmix {
    mono: Mono,
    channels: usize,
    limit_ms: u32,
    frames_max: usize,
}

impl Downmix {
    fn new(rate_hz: u32, channels: usize, limit_ms: u32) -> Result<Self, DecodeError> {
        if !SOURCE_RATE_HZ.contains(&rate_hz) {
            return Err(DecodeError::Format(format!(
                "{rate_hz} Hz is outside {} to {} Hz",
                SOURCE_RATE_HZ.start(),
                SOURCE_RATE_HZ.end()
            )));
        }
        if channels == 0 || channels > CHANNELS_MAX {
            return Err(DecodeError::Format(format!("{channels} channels: 1 to {CHANNELS_MAX} are taken")));
        }
        let frames_max = usize::try_from(u64::from(rate_hz) * u64::from(limit_ms) / 1000).unwrap_or(usize::MAX);
        Ok(Self { mono: Mono { samples: Vec::new(), rate_hz }, channels, limit_ms, frames_max })
    }

    fn push_frame(&mut self, sum: f32) -> Result<(), DecodeError> {
        if self.mono.samples.len() >= self.frames_max {
            return Err(DecodeError::TooLong { limit_ms: self.limit_ms });
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 8 channels")]
        let channels = self.channels as f32;
        self.mono.samples.push(sum / channels);
        Ok(())
    }

    fn push_interleaved(&mut self, samples: &[f32]) -> Result<(), DecodeError> {
        samples.chunks_exact(self.channels).try_for_each(|frame| self.push_frame(frame.iter().sum()))
    }
}

fn decode_wav(mut bytes: Vec<u8>, limit_ms: u32) -> Result<Mono, DecodeError> {
    mend_streamed_header(&mut bytes);
    let mut reader = match hound::WavReader::new(Cursor::new(bytes.as_slice())) {
        Ok(reader) => reader,
        // A-law, mu-law and ADPCM are WAV too, but not hound's.
        Err(hound::Error::Unsupported) => return decode_other(bytes, limit_ms),
        Err(error) => return Err(DecodeError::Format(error.to_string())),
    };
    let spec = reader.spec();
    let mut mix = Downmix::new(spec.sample_rate, usize::from(spec.channels), limit_ms)?;
    let failed = |error: hound::Error| DecodeError::Format(error.to_string());
    let mut frame = Vec::with_capacity(mix.channels);
    let mut push = |sample: f32| {
        frame.push(sample);
        if frame.len() < mix.channels {
            return Ok(());
        }
        let sum = frame.drain(..).sum();
        mix.push_frame(sum)
    };
    match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().try_for_each(|sample| push(sample.map_err(failed)?))?,
        hound::SampleFormat::Int => {
            let full = 2_f32.powi(i32::from(spec.bits_per_sample) - 1);
            #[expect(clippy::cast_precision_loss, reason = "audio keeps 24 bits at most")]
            reader.samples::<i32>().try_for_each(|sample| push(sample.map_err(failed)? as f32 / full))?;
        }
    }
    Ok(mix.mono)
}

/// Writes the true length into the data chunk of a WAV that came through a pipe.
fn mend_streamed_header(bytes: &mut [u8]) {
    let mut at = 12;
    while let Some(header) = bytes.get(at..at + 8) {
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let there = bytes.len() - at - 8;
        if &header[..4] == b"data" {
            if length > there {
                let frame_bytes =
                    bytes.get(32..34).map_or(1, |align| usize::from(u16::from_le_bytes([align[0], align[1]])).max(1));
                let whole = u32::try_from(there - there % frame_bytes).unwrap_or(u32::MAX);
                bytes[at + 4..at + 8].copy_from_slice(&whole.to_le_bytes());
            }
            return;
        }
        let Some(next) = length.checked_add(length % 2).and_then(|skip| at.checked_add(8)?.checked_add(skip)) else {
            return;
        };
        at = next;
    }
}

fn decode_other(bytes: Vec<u8>, limit_ms: u32) -> Result<Mono, DecodeError> {
    let failed = |error: SymphoniaError| DecodeError::Format(error.to_string());
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    // Gapless: an MP3 begins with silence that its encoder added.
    let options = FormatOptions { enable_gapless: true, ..FormatOptions::default() };
    let probed = symphonia::default::get_probe()
        .format(&Hint::new(), stream, &options, &MetadataOptions::default())
        .map_err(|_| DecodeError::Format("neither WAV, MP3, Ogg Vorbis nor FLAC".to_owned()))?;
    let mut format = probed.format;
    let track = format.tracks().iter().find(|track| track.codec_params.codec != CODEC_TYPE_NULL);
    let track = track.ok_or_else(|| DecodeError::Format("there is no sound track in it".to_owned()))?;
    let track_id = track.id;
    let mut decoder =
        symphonia::default::get_codecs().make(&track.codec_params, &DecoderOptions::default()).map_err(failed)?;
    let mut mix: Option<Downmix> = None;
    let mut bad_packets = 0;
    loop {
        let packet = match format.next_packet() {
            Ok(packet) => packet,
            // The reader says "unexpected end" at the end of every file.
            Err(SymphoniaError::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(failed(error)),
        };
        if packet.track_id() != track_id {
            continue;
        }
        let decoded = match decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(SymphoniaError::DecodeError(_)) if bad_packets < BAD_PACKETS_MAX => {
                bad_packets += 1;
                continue;
            }
            Err(error) => return Err(failed(error)),
        };
        let spec = *decoded.spec();
        if mix.is_none() {
            mix = Some(Downmix::new(spec.rate, spec.channels.count(), limit_ms)?);
        }
        let Some(mix) = mix.as_mut() else { break };
        if (spec.rate, spec.channels.count()) != (mix.mono.rate_hz, mix.channels) {
            return Err(DecodeError::Format("the rate or the channels change on the way".to_owned()));
        }
        let mut samples = SampleBuffer::<f32>::new(decoded.capacity() as u64, spec);
        samples.copy_interleaved_ref(decoded);
        mix.push_interleaved(samples.samples())?;
    }
    mix.map(|mix| mix.mono).ok_or(DecodeError::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Audio, Clip, Piece, SAMPLE_RATE_HZ};

    fn wav(rate_hz: u32, channels: u16, frames: usize, sample: impl Fn(usize, u16) -> i16) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate_hz,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
        for frame in 0..frames {
            for channel in 0..channels {
                writer.write_sample(sample(frame, channel)).unwrap();
            }
        }
        writer.finalize().unwrap();
        file.into_inner()
    }

    #[test]
    fn its_own_format_comes_back_unchanged() {
        let samples: Vec<i16> = (0..1600).map(|n| (n * 37 % 4001 - 2000) as i16).collect();
        let audio = Audio::new(vec![Piece::Pcm(Clip::new(samples.clone())), Piece::Silence { ms: 10 }]);
        let decoded = decode(audio.to_wav().unwrap(), 1000).unwrap();
        assert_eq!(decoded[..1600], samples);
        assert_eq!(decoded[1600..], [0; 160]);
        assert_eq!(audio.duration_ms(), 110);
    }

    #[test]
    fn stereo_is_mixed_and_rates_keep_length_and_pitch() {
        for rate_hz in [8_000, 11_025, 22_050, 44_100, 44_101, 48_000] {
            let second = rate_hz as usize;
            let sine = |frame: usize, _| {
                (10_000.0 * (frame as f64 * 440.0 * std::f64::consts::TAU / f64::from(rate_hz)).sin()) as i16
            };
            let decoded = decode(wav(rate_hz, 2, second, sine), 2000).unwrap();
            assert_eq!(decoded.len(), SAMPLE_RATE_HZ as usize, "{rate_hz}");
            let rising = decoded.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
            assert!((438..=441).contains(&rising), "{rate_hz}: {rising} periods of 440");
            let peak = decoded[1000..15000].iter().map(|s| s.unsigned_abs()).max().unwrap();
            assert!((9_700..10_300).contains(&peak), "{rate_hz}: peak {peak}");
        }
        let opposite =
            decode(wav(16_000, 2, 100, |_, channel| if channel == 0 { 5_000 } else { -5_000 }), 100).unwrap();
        assert!(opposite.iter().all(|sample| *sample == 0));
    }

    #[test]
    fn a_header_written_into_a_pipe_is_mended() {
        let mut bytes = wav(16_000, 1, 320, |frame, _| frame as i16);
        bytes[4..8].copy_from_slice(&0x7fff_f024_u32.to_le_bytes());
        bytes[40..44].copy_from_slice(&0x7fff_f000_u32.to_le_bytes());
        bytes.push(7); // Half a sample, cut off by the pipe.
        assert_eq!(decode(bytes, 1000).unwrap(), (0..320).collect::<Vec<i16>>());
    }

    #[test]
    fn what_is_no_sound_is_refused_and_never_panics() {
        assert!(matches!(decode(Vec::new(), 1000), Err(DecodeError::Format(_))));
        assert!(matches!(decode(b"<html>".repeat(100), 1000), Err(DecodeError::Format(_))));
        assert_eq!(decode(wav(16_000, 1, 0, |_, _| 0), 1000), Err(DecodeError::Empty));
        assert_eq!(decode(wav(16_000, 1, 1601, |_, _| 0), 100), Err(DecodeError::TooLong { limit_ms: 100 }));
        assert!(matches!(decode(wav(1_000, 1, 100, |_, _| 0), 1000), Err(DecodeError::Format(_))));
        let whole = wav(16_000, 2, 50, |frame, _| frame as i16);
        for cut in 0..whole.len() {
            let _ = decode(whole[..cut].to_vec(), 1000);
        }
        for at in 0..44 {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bent = whole.clone();
                bent[at] = value;
                let _ = decode(bent, 1000);
            }
        }
    }
}
