//! Who or what is at the other end: a person, an answering machine, a fax, a tone of the network.
//!
//! For legs that we called. A [`Detector`] takes decoded frames of 20 ms and tells what it hears; it has no clock, no
//! thread and no socket, holds about a kilobyte, and allocates nothing after its birth. It lives only while something
//! is listened for.
//!
//! - `tone` finds stationary single tones in the audio and tells their bursts.
//! - `signal` knows the tones of the network and of faxes by frequency and cadence.
//! - `party` tells a person from a machine by the shape of the first seconds: what the line sounds like when nobody
//!   speaks, when speech begins, how long it goes on, how long it then pauses.
//! - `greeting` waits for the end of a machine's greeting, and for its beep.

mod greeting;
mod party;
mod signal;
mod tone;

use crate::codec::FRAME_TICKS;
use greeting::GreetingEar;
use party::PartyEar;
use tone::ToneEar;

/// Milliseconds of a frame.
const FRAME_MS: u32 = 20;

/// By then it is decided who answered, in milliseconds from the beginning of listening.
pub const DECIDE_MS_MAX: u32 = 3_500;
/// A greeting that is longer is taken for over, in milliseconds from the decision.
pub const GREETING_MS_MAX: u32 = 40_000;

/// What to listen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenFor {
    /// Before the answer: [`HeardKind::Busy`] and [`HeardKind::Intercept`], once.
    Tones,
    /// From the answer on: who or what answered, once and within [`DECIDE_MS_MAX`]; after [`HeardKind::Machine`] then
    /// [`HeardKind::Beep`] or [`HeardKind::GreetingOver`], once and within [`GREETING_MS_MAX`].
    Answer,
    /// Nothing any more.
    Stop,
}

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeardKind {
    /// A person.
    Human,
    /// An answering machine's greeting, or a company's automatic operator.
    Machine,
    /// Nobody said a word.
    Silence,
    /// A fax or modem: CNG (1,100 Hz) or CED (2,100 Hz) of ITU-T T.30 and V.25.
    Fax,
    /// The busy or congestion tone (ITU-T E.180; 425 Hz).
    Busy,
    /// The special information tone before an intercept announcement (ITU-T E.180: 950, 1,400 and 1,800 Hz).
    Intercept,
    /// The machine's beep is over: speak now.
    Beep,
    /// The machine's greeting is over, and no beep came.
    GreetingOver,
}

/// Why there is no audio for a frame's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Packets were lost.
    Lost,
    /// The other side sends nothing.
    Unsent,
}

/// Hears who or what answers. See the module's documentation.
#[derive(Debug)]
pub struct Detector {
    frames: u32,
    tones: ToneEar,
    high_pass: HighPass,
    stage: Stage,
    /// Told at the next frame: a machine that only beeps is two things heard at once.
    next: Option<HeardKind>,
}

#[derive(Debug)]
enum Stage {
    /// Before the answer.
    Tones,
    /// Who answered?
    Party(Box<PartyEar>),
    /// A machine did.
    Greeting(GreetingEar),
    Done,
}

/// What is known of a frame.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// Mean power in dB above one step of 16 bit audio, without what is below speech: 90 is full scale.
    level_db: u8,
    /// The same, with what is below speech.
    whole_db: u8,
    /// Whether it is really from the other side: not a guess at what was lost, not the silence of nothing sent.
    real: bool,
}

impl Detector {
    /// A detector, unless there is nothing to listen for.
    #[must_use]
    pub fn new(listen_for: ListenFor) -> Option<Self> {
        let stage = match listen_for {
            ListenFor::Tones => Stage::Tones,
            ListenFor::Answer => Stage::Party(Box::default()),
            ListenFor::Stop => return None,
        };
        Some(Self { frames: 0, tones: ToneEar::default(), high_pass: HighPass::default(), stage, next: None })
    }

    /// Takes the next 20 ms at 8 kHz; tells what has been heard with it.
    pub fn feed(&mut self, pcm: &[i16; FRAME_TICKS]) -> Option<HeardKind> {
        let whole_db = level_db(pcm.iter().map(|sample| f32::from(*sample)));
        self.tones.feed(pcm, whole_db);
        let high_pass = &mut self.high_pass;
        let level_db = level_db(pcm.iter().map(|sample| high_pass.feed(f32::from(*sample))));
        self.judge(Frame { level_db, whole_db, real: true })
    }

    /// The next 20 ms have no audio.
    pub fn feed_missing(&mut self, missing: Missing) -> Option<HeardKind> {
        let level_db = match missing {
            Missing::Lost => self.tones.last_level_db(),
            Missing::Unsent => 0,
        };
        self.tones.feed_missing(missing);
        self.judge(Frame { level_db, whole_db: level_db, real: false })
    }

    /// How long it has listened, in milliseconds.
    #[must_use]
    pub const fn listened_ms(&self) -> u32 {
        self.frames * FRAME_MS
    }

    /// Whether nothing more will be told.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done) && self.next.is_none()
    }

    fn judge(&mut self, frame: Frame) -> Option<HeardKind> {
        self.frames = self.frames.saturating_add(1);
        if let Some(next) = self.next.take() {
            return Some(next);
        }
        let signal = match self.stage {
            Stage::Done => return None,
            // The greeting's beep, or what the network sends when the machine has hung up: not a new answer.
            Stage::Greeting(_) => None,
            Stage::Tones => signal::heard(&self.tones).filter(|heard| *heard != HeardKind::Fax),
            Stage::Party(_) => signal::heard(&self.tones),
        };
        if signal.is_some() {
            self.stage = Stage::Done;
            return signal;
        }
        let heard = match &mut self.stage {
            Stage::Party(ear) => ear.feed(frame, &self.tones),
            Stage::Greeting(ear) => ear.feed(frame, &self.tones),
            Stage::Tones | Stage::Done => None,
        };
        match (heard, &self.stage) {
            (Some(HeardKind::Beep), Stage::Party(_)) => {
                self.stage = Stage::Done;
                self.next = Some(HeardKind::Beep);
                return Some(HeardKind::Machine);
            }
            (Some(HeardKind::Machine), Stage::Party(ear)) => self.stage = Stage::Greeting(ear.greeting()),
            (Some(_), _) => self.stage = Stage::Done,
            (None, _) => {}
        }
        heard
    }
}

/// Takes away what is below speech: cars, wind, mains hum sway the level of a pause.
#[derive(Debug, Default)]
struct HighPass {
    input: f32,
    output: f32,
}

impl HighPass {
    /// A pole for 300 Hz.
    const POLE: f32 = 0.8;

    fn feed(&mut self, input: f32) -> f32 {
        self.output = Self::POLE * self.output + (input - self.input);
        self.input = input;
        self.output
    }
}

/// Mean power of a frame in dB above one step.
fn level_db(samples: impl Iterator<Item = f32>) -> u8 {
    let mean = samples.map(|sample| sample * sample).sum::<f32>() / FRAME_TICKS as f32;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 91")]
    {
        (10.0 * (mean + 1.0).log10()).round() as u8
    }
}

const _: () = assert!(FRAME_MS as u64 == crate::codec::FRAME_MS);

#[cfg(test)]
mod tests;
