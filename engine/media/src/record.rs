//! Recording, as the pacer sees it: when it begins, what goes in, when it ends. The file is the writer's business.

use std::path::PathBuf;

use crate::codec::{Codec, Decoder, FRAME_MS, FRAME_TICKS};
use crate::digit::{Digit, KeySet};
use crate::error::MediaError;
use crate::event::{RecordingEnd, RecordingId};
use crate::listener::Pcm;
use crate::playback::Playback;
use crate::writer::{Job, WriterHandle};

/// The longest recording.
pub const RECORDING_MS_MAX: u64 = 4 * 60 * 60 * 1_000;
/// Samples handed to the writer at once: 200 ms.
const CHUNK_SAMPLES: usize = 1_600;

/// Whose voice is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RecordSource {
    /// The session's party.
    #[default]
    Received,
    /// The session's party and what it is sent, mixed: prompts, and the other party of a bridge.
    Mixed,
}

/// How to record.
#[derive(Debug, Clone)]
pub struct RecordingSpec {
    /// The file to write: WAV, linear 16 bit, 8 kHz, one channel. It appears under this name only when it is complete.
    pub path: PathBuf,
    /// Whose voice.
    pub source: RecordSource,
    /// Play a beep first, and begin after it.
    pub beep: bool,
    /// End after so much silence, counted from the beginning if nothing is said.
    pub silence_stop_ms: Option<u32>,
    /// End after so much audio; at most [`RECORDING_MS_MAX`].
    pub duration_ms_max: u64,
    /// Keys that end it.
    pub stop_keys: KeySet,
}

impl RecordingSpec {
    /// A recording of the party's voice without a beep, until it is finished by command or after `duration_ms_max`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, duration_ms_max: u64) -> Self {
        Self {
            path: path.into(),
            source: RecordSource::Received,
            beep: false,
            silence_stop_ms: None,
            duration_ms_max,
            stop_keys: KeySet::NONE,
        }
    }

    pub(crate) fn check(&self) -> Result<(), MediaError> {
        if self.path.file_name().is_none() {
            return Err(MediaError::InvalidRequest("a recording needs a path that ends in a file name"));
        }
        if self.duration_ms_max == 0 || self.duration_ms_max > RECORDING_MS_MAX {
            return Err(MediaError::InvalidRequest("a recording lasts at most four hours, and more than nothing"));
        }
        Ok(())
    }
}

/// A recording in progress. Dropped without [`Recorder::finish`], it leaves no file.
pub(crate) struct Recorder {
    pub(crate) id: RecordingId,
    pub(crate) paused: bool,
    /// The beep, until it is over.
    pub(crate) beep: Option<Box<Playback>>,
    started: bool,
    source: RecordSource,
    silence_stop_ms: Option<u32>,
    duration_ms_max: u64,
    stop_keys: KeySet,
    silence: SilenceMeter,
    recorded_ms: u64,
    chunk: Vec<i16>,
    writer: WriterHandle,
    job: Option<Job>,
    /// Decodes what is sent, for a mixed recording.
    sent_decoder: Option<(Codec, Decoder)>,
}

impl Recorder {
    pub(crate) fn new(
        id: RecordingId,
        spec: &RecordingSpec,
        beep: Option<Box<Playback>>,
        writer: WriterHandle,
        job: Job,
    ) -> Self {
        Self {
            id,
            paused: false,
            beep,
            started: false,
            source: spec.source,
            silence_stop_ms: spec.silence_stop_ms,
            duration_ms_max: spec.duration_ms_max,
            stop_keys: spec.stop_keys,
            silence: SilenceMeter::default(),
            recorded_ms: 0,
            chunk: Vec::new(),
            writer,
            job: Some(job),
            sent_decoder: None,
        }
    }

    /// True once, when the beep is over and recording begins.
    pub(crate) fn begins(&mut self) -> bool {
        self.beep.is_none() && !std::mem::replace(&mut self.started, true)
    }

    pub(crate) const fn is_mixed(&self) -> bool {
        matches!(self.source, RecordSource::Mixed)
    }

    /// Whether frames are wanted now.
    pub(crate) const fn is_running(&self) -> bool {
        self.beep.is_none() && !self.paused
    }

    /// Linear audio of a frame that is sent.
    pub(crate) fn decode_sent(&mut self, codec: Codec, bytes: &[u8; FRAME_TICKS]) -> Pcm {
        if self.sent_decoder.as_ref().is_none_or(|(known, _)| *known != codec) {
            self.sent_decoder = Some((codec, Decoder::new(codec)));
        }
        let mut pcm = [0; FRAME_TICKS];
        if let Some((_, decoder)) = &mut self.sent_decoder {
            decoder.decode(bytes, &mut pcm);
        }
        pcm
    }

    /// Takes a frame of the party's voice and, for a mixed recording, of what it is sent. `masked` writes silence
    /// instead. Gives the reason if the recording ends with it.
    pub(crate) fn feed(&mut self, received: &Pcm, sent: Option<&Pcm>, masked: bool) -> Option<RecordingEnd> {
        let silent_ms = self.silence.feed(received);
        if self.chunk.capacity() == 0 {
            self.chunk.reserve_exact(CHUNK_SAMPLES);
        }
        if masked {
            self.chunk.extend([0; FRAME_TICKS]);
        } else if let Some(sent) = sent {
            self.chunk.extend(received.iter().zip(sent).map(|(a, b)| a.saturating_add(*b)));
        } else {
            self.chunk.extend(received);
        }
        self.recorded_ms += FRAME_MS;
        if self.chunk.len() >= CHUNK_SAMPLES {
            self.flush();
        }
        if self.recorded_ms >= self.duration_ms_max {
            Some(RecordingEnd::DurationMax)
        } else if self.silence_stop_ms.is_some_and(|limit_ms| silent_ms >= u64::from(limit_ms)) {
            Some(RecordingEnd::Silence)
        } else {
            None
        }
    }

    /// Whether this key ends the recording.
    pub(crate) const fn stops_at(&self, digit: Digit) -> bool {
        self.stop_keys.contains(digit)
    }

    /// Ends the recording; the writer tells when it is on disk.
    pub(crate) fn finish(&mut self, stopped_by: RecordingEnd) {
        self.flush();
        if let Some(job) = self.job.take() {
            self.writer.finish(job, stopped_by, self.recorded_ms);
        }
    }

    fn flush(&mut self) {
        if let Some(job) = &mut self.job
            && !self.chunk.is_empty()
        {
            let chunk = std::mem::take(&mut self.chunk);
            self.writer.samples(job, chunk);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            self.writer.discard(job);
        }
    }
}

/// Mean square of a frame at −50 dB below full scale: below it, nobody speaks.
const QUIET_MEAN_SQUARE: u64 = 10_737;
/// Mean square at −30 dB: above it, somebody does, however noisy the line.
const LOUD_MEAN_SQUARE: u64 = 1_073_741;
/// Speech is so many times (12 dB) above the line's noise.
const SPEECH_ABOVE_NOISE: u64 = 16;

/// Measures how long nobody has spoken, against the noise of the line.
#[derive(Debug, Default)]
struct SilenceMeter {
    /// Mean square of the noise; follows quieter frames at once and louder ones slowly.
    noise: u64,
    silent_ms: u64,
}

impl SilenceMeter {
    fn feed(&mut self, pcm: &Pcm) -> u64 {
        let sum: u64 = pcm.iter().map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum();
        let mean_square = sum / FRAME_TICKS as u64;
        self.noise = if self.noise == 0 || mean_square < self.noise {
            mean_square
        } else {
            // Doubles in about three seconds.
            self.noise + self.noise.div_ceil(200)
        };
        let threshold = (self.noise * SPEECH_ABOVE_NOISE).clamp(QUIET_MEAN_SQUARE, LOUD_MEAN_SQUARE);
        if mean_square > threshold {
            self.silent_ms = 0;
        } else {
            self.silent_ms += FRAME_MS;
        }
        self.silent_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(amplitude: i16) -> Pcm {
        std::array::from_fn(|n| if n % 8 < 4 { amplitude } else { -amplitude })
    }

    #[test]
    fn silence_is_measured_from_the_last_word() {
        let mut meter = SilenceMeter::default();
        for _ in 0..50 {
            meter.feed(&frame(20));
        }
        assert_eq!(meter.silent_ms, 1_000);
        assert_eq!(meter.feed(&frame(2_000)), 0);
        assert_eq!(meter.feed(&frame(20)), 20);
    }

    #[test]
    fn a_noisy_line_is_not_taken_for_speech() {
        let mut meter = SilenceMeter::default();
        for n in 0..200 {
            meter.feed(&frame(300 + n % 7));
        }
        assert_eq!(meter.silent_ms, 4_000);
        assert_eq!(meter.feed(&frame(3_000)), 0);
    }

    #[test]
    fn a_long_speech_is_not_taken_for_noise() {
        let mut meter = SilenceMeter::default();
        let mut silent_longest = 0;
        for n in 0..3_000 {
            // Words of 400 ms with gaps of 100 ms.
            let amplitude = if n % 25 < 20 { 2_500 } else { 15 };
            silent_longest = silent_longest.max(meter.feed(&frame(amplitude)));
        }
        assert!(silent_longest <= 100, "{silent_longest}");
    }

    #[test]
    fn impossible_recordings_are_refused() {
        assert!(RecordingSpec::new("a.wav", 0).check().is_err());
        assert!(RecordingSpec::new("a.wav", RECORDING_MS_MAX + 1).check().is_err());
        assert!(RecordingSpec::new("/", 1).check().is_err());
        assert!(RecordingSpec::new("a.wav", 1).check().is_ok());
    }
}
