//! A person or a machine, by the shape of the first seconds.

use super::greeting::{self, GreetingEar, LONE_MS};
use super::tone::{STEADY_FRAMES, ToneEar};
use super::{DECIDE_MS_MAX, FRAME_MS, Frame, HeardKind};

/// Frames that are remembered: all until it must be decided.
const FRAMES_MAX: usize = (DECIDE_MS_MAX / FRAME_MS) as usize;
/// In the history: a frame of a tone, which is no speech.
const TONE: u8 = u8::MAX;
/// In the history: a frame that did not come.
const UNSENT: u8 = 0;

/// Listens to who answered.
#[derive(Debug)]
pub(super) struct PartyEar {
    /// The level of every frame so far.
    levels: [u8; FRAMES_MAX],
    frames: usize,
    bursts: u32,
}

impl Default for PartyEar {
    fn default() -> Self {
        Self { levels: [0; FRAMES_MAX], frames: 0, bursts: 0 }
    }
}

/// What the first seconds look like.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Shape {
    /// The line when nobody speaks.
    pub(super) noise_db: u8,
    /// The loudest speech.
    pub(super) peak_db: u8,
    /// The first word's beginning; nothing if nobody has spoken.
    pub(super) onset_ms: Option<u32>,
    /// From the first word to the end of the last, pauses and all.
    pub(super) span_ms: u32,
    /// Without pauses.
    pub(super) speech_ms: u32,
    /// Since the last word.
    pub(super) quiet_ms: u32,
}

impl PartyEar {
    pub(super) fn feed(&mut self, frame: Frame, tones: &ToneEar) -> Option<HeardKind> {
        if let Some(place) = self.levels.get_mut(self.frames) {
            *place = if frame.real { frame.level_db.max(UNSENT + 1) } else { frame.level_db };
            self.frames += 1;
        }
        self.mark_tone(tones);
        if tones.count() != self.bursts && greeting::beep(tones, LONE_MS, &mut self.bursts).is_some() {
            return Some(HeardKind::Beep);
        }
        let shape = self.shape();
        self.decide(&shape)
    }

    /// The ear for what follows, when a machine has answered.
    pub(super) fn greeting(&self) -> GreetingEar {
        GreetingEar::new(self.shape().noise_db, self.bursts)
    }

    fn mark_tone(&mut self, tones: &ToneEar) {
        let sounding = tones.sounding_frames();
        if sounding < STEADY_FRAMES {
            return;
        }
        let from = self.frames.saturating_sub(sounding as usize);
        for level in &mut self.levels[from..self.frames] {
            *level = TONE;
        }
    }

    fn shape(&self) -> Shape {
        let levels = &self.levels[..self.frames];
        let mut counts = [0u32; 92];
        let mut counted = 0;
        for level in levels.iter().filter(|level| **level != TONE) {
            counts[usize::from((*level).min(91))] += 1;
            counted += 1;
        }
        let percentile = |permille: u32| {
            let mut left = counted * permille / 1_000;
            let at = counts.iter().position(|count| {
                let here = *count > left;
                left = left.saturating_sub(*count);
                here
            });
            u8::try_from(at.unwrap_or(0)).unwrap_or(0)
        };
        let (noise_db, peak_db) = (percentile(80), percentile(960));
        let mut shape = Shape { noise_db, peak_db, ..Shape::default() };
        let range = peak_db.saturating_sub(noise_db);
        let threshold = (noise_db + (range / 3).max(6)).max(40);
        // Words: runs of loud frames, over holes of two; what is shorter than three frames is a click.
        let (mut start, mut loud, mut hole) = (None, 0u32, 0u32);
        let mut end_word = |start: &mut Option<usize>, loud: &mut u32, end: usize| {
            if let Some(from) = start.take()
                && *loud >= 3
            {
                shape.onset_ms.get_or_insert(ms(from));
                shape.speech_ms += ms(end - from);
                shape.span_ms = ms(end) - shape.onset_ms.unwrap_or(0);
            }
            *loud = 0;
        };
        for (at, level) in levels.iter().enumerate() {
            if *level > threshold && *level != TONE {
                start.get_or_insert(at);
                loud += 1;
                hole = 0;
            } else if start.is_some() {
                hole += 1;
                if hole > 2 {
                    end_word(&mut start, &mut loud, at + 1 - hole as usize);
                }
            }
        }
        end_word(&mut start, &mut loud, levels.len() - hole.min(2) as usize);
        shape.quiet_ms = shape.onset_ms.map_or(0, |onset| ms(levels.len()) - onset - shape.span_ms);
        shape
    }

    fn decide(&self, shape: &Shape) -> Option<HeardKind> {
        let over = self.frames >= FRAMES_MAX;
        if shape.onset_ms.is_none() {
            return over.then_some(HeardKind::Silence);
        }
        if shape.quiet_ms >= 600 {
            return Some(HeardKind::Human);
        }
        (shape.span_ms >= 1_400 || over).then_some(HeardKind::Machine)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "fewer than two hundred frames")]
const fn ms(frames: usize) -> u32 {
    frames as u32 * FRAME_MS
}
