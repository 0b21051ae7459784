//! A person or a machine, by the shape of the first seconds.

use super::greeting::{self, GreetingEar};
use super::tone::{STEADY_FRAMES, ToneEar};
use super::{DECIDE_MS_MAX, FRAME_MS, Frame, HeardKind};

/// Frames that are remembered: all until it must be decided.
const FRAMES_MAX: usize = (DECIDE_MS_MAX / FRAME_MS) as usize;
/// Levels that a frame may have, in dB.
const LEVEL_MAX: u8 = 91;
const LEVELS: usize = LEVEL_MAX as usize + 1;
/// So many frames are louder than what is taken for the loudest speech.
const PEAK_FRAMES: u8 = 2;
/// Speech is that much louder than the line, and at least so loud (−38 dB below full scale).
const RANGE_DB_MIN: u8 = 7;
const SPEECH_DB_MIN: u8 = 52;
/// Frames in a row whose quietest mean is the line's silence.
const QUIET_FRAMES: usize = 4;
/// Frames at both ends of a tone that hold a part of it only.
const EDGE_FRAMES: u32 = 2;
/// Frames of one frequency that may become a tone: till it is known, they are no speech.
const MAYBE_FRAMES: usize = 2;
/// In the history: a frame of a tone, which is no speech.
const TONE: u8 = u8::MAX;

/// A line whose quietest moment is below this (−62 dB below full scale) carries a file, or a telephone that sends
/// nothing between words; above, a microphone is live.
const CLEAN_DB_MAX: u8 = 28;
/// Speech that is followed by such a pause was a person's: on a live line, after a word, after more. Recorded
/// sentences stand 300 to 550 ms apart.
const PAUSE_MS_LIVE: u32 = 140;
const PAUSE_MS_SHORT: u32 = 540;
const PAUSE_MS: u32 = 560;
/// A word or two.
const SHORT_MS: u32 = 1_000;
/// Speech that goes on for so long is a machine's; on a live line an office may still be telling its name.
const GREETING_MS: u32 = 1_180;
const GREETING_MS_LIVE: u32 = 2_180;
/// A machine begins sooner.
const LATE_MS: u32 = 920;
/// So much of a late word is enough where a microphone is live.
const LATE_WORD_MS: u32 = 100;
/// So long after the answer it is time to decide: on a clean line that somebody still speaks who has spoken for a while
/// is a machine; on a live one the smallest pause is a person's.
const HURRY_MS: u32 = 1_760;
const HURRY_SPAN_MS: u32 = 880;
const HURRY_QUIET_MS: u32 = 120;
const HURRY_PAUSE_MS: u32 = 100;

/// Listens to who answered.
#[derive(Debug)]
pub(super) struct PartyEar {
    /// The level of every frame so far.
    levels: [u8; FRAMES_MAX],
    frames: usize,
    bursts: u32,
    /// The levels of the last frames, with all that is below speech; and the mean of the quietest in a row.
    whole_db: [u8; QUIET_FRAMES],
    quietest_db: u8,
}

impl Default for PartyEar {
    fn default() -> Self {
        Self {
            levels: [0; FRAMES_MAX],
            frames: 0,
            bursts: 0,
            whole_db: [LEVEL_MAX; QUIET_FRAMES],
            quietest_db: LEVEL_MAX,
        }
    }
}

/// What the first seconds look like.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    /// The line when nobody speaks.
    noise_db: u8,
    /// The quietest moment: what is played from a file has one, a microphone seldom.
    quietest_db: u8,
    /// The first word's beginning; nothing if nobody has spoken.
    onset_ms: Option<u32>,
    /// From the first word to the end of the last, pauses and all.
    span_ms: u32,
    /// Since the last word.
    quiet_ms: u32,
}

impl PartyEar {
    pub(super) fn feed(&mut self, frame: Frame, tones: &ToneEar) -> Option<HeardKind> {
        if let Some(place) = self.levels.get_mut(self.frames) {
            *place = frame.level_db;
            self.frames += 1;
        }
        self.listen_to_line(frame);
        let open = self.mark_tones(tones);
        if tones.count() != self.bursts && greeting::beep(tones, &mut self.bursts).is_some() {
            return Some(HeardKind::Beep);
        }
        let shape = self.shape(self.frames - open);
        self.decide(&shape)
    }

    /// The ear for what follows, when a machine has answered.
    pub(super) fn greeting(&self) -> GreetingEar {
        GreetingEar::new(self.shape(self.frames).noise_db, self.bursts)
    }

    /// Follows how quiet the line gets. What did not come says nothing of it: neither a jitter buffer that fills, nor a
    /// telephone that sends no pauses.
    fn listen_to_line(&mut self, frame: Frame) {
        if !frame.real {
            self.whole_db = [LEVEL_MAX; QUIET_FRAMES];
            return;
        }
        self.whole_db.rotate_left(1);
        self.whole_db[QUIET_FRAMES - 1] = frame.whole_db;
        let sum: usize = self.whole_db.iter().map(|level| usize::from(*level)).sum();
        self.quietest_db = self.quietest_db.min(u8::try_from(sum / QUIET_FRAMES).unwrap_or(LEVEL_MAX));
    }

    /// Takes tones out of the history, with the frames at their edges. Gives how many frames at the end may still become
    /// a tone.
    fn mark_tones(&mut self, tones: &ToneEar) -> usize {
        let sounding = tones.sounding_frames();
        let behind = tones.count() > 0 && tones.since_burst_ms() <= EDGE_FRAMES * FRAME_MS;
        let marked = match sounding {
            STEADY_FRAMES.. => sounding + EDGE_FRAMES as usize,
            _ if behind => 1,
            _ => 0,
        };
        let from = self.frames.saturating_sub(marked);
        self.levels[from..self.frames].fill(TONE);
        if (MAYBE_FRAMES..STEADY_FRAMES).contains(&sounding) { sounding } else { 0 }
    }

    fn shape(&self, frames: usize) -> Shape {
        let levels = &self.levels[..frames];
        let mut counts = [0u8; LEVELS];
        let mut counted = 0u8;
        for level in levels.iter().filter(|level| **level != TONE) {
            counts[usize::from((*level).min(LEVEL_MAX))] += 1;
            counted += 1;
        }
        let noise_db = below(&counts, counted / 12);
        let peak_db = below(&counts, counted.saturating_sub(PEAK_FRAMES));
        let mut shape = Shape { noise_db, quietest_db: self.quietest_db, ..Shape::default() };
        let range = peak_db.saturating_sub(noise_db);
        if range < RANGE_DB_MIN || peak_db < SPEECH_DB_MIN {
            return shape;
        }
        let threshold = (noise_db + (range / 3).max(6)).max(40);
        // Words: runs of loud frames, over holes of two; what is shorter than three frames is a click.
        let (mut start, mut loud, mut hole) = (None, 0u32, 0u32);
        let mut end_word = |start: &mut Option<usize>, loud: &mut u32, end: usize| {
            if let Some(from) = start.take()
                && *loud >= 3
            {
                shape.onset_ms.get_or_insert(ms(from));
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
        let (now_ms, over) = (ms(self.frames), self.frames >= FRAMES_MAX);
        let Some(onset_ms) = shape.onset_ms else { return over.then_some(HeardKind::Silence) };
        let clean = shape.quietest_db <= CLEAN_DB_MAX;
        let late = onset_ms >= LATE_MS;
        let pause_ms = match (clean, shape.span_ms) {
            (false, _) => PAUSE_MS_LIVE,
            (true, ..SHORT_MS) => PAUSE_MS_SHORT,
            (true, _) => PAUSE_MS,
        };
        let live = late && !clean && shape.span_ms >= LATE_WORD_MS;
        if live || shape.quiet_ms >= pause_ms {
            return Some(HeardKind::Human);
        }
        if shape.span_ms >= if clean && !late { GREETING_MS } else { GREETING_MS_LIVE } {
            return Some(HeardKind::Machine);
        }
        if late {
            return over.then_some(HeardKind::Human);
        }
        let hurry = now_ms >= HURRY_MS;
        if hurry && clean && shape.quiet_ms < HURRY_QUIET_MS && shape.span_ms >= HURRY_SPAN_MS {
            return Some(HeardKind::Machine);
        }
        if hurry && !clean && shape.quiet_ms >= HURRY_PAUSE_MS {
            return Some(HeardKind::Human);
        }
        over.then_some(HeardKind::Machine)
    }
}

/// The level below which so many frames are.
fn below(counts: &[u8; LEVELS], frames: u8) -> u8 {
    let mut left = frames;
    let at = counts.iter().position(|count| {
        let here = *count > left;
        left = left.saturating_sub(*count);
        here
    });
    u8::try_from(at.unwrap_or(0)).unwrap_or(0)
}

#[expect(clippy::cast_possible_truncation, reason = "fewer than two hundred frames")]
const fn ms(frames: usize) -> u32 {
    frames as u32 * FRAME_MS
}
