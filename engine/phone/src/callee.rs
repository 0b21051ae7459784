//! A telephone that is called: what it does, without a task's or thread's attention of its own until it is called.
//!
//! Campaign tests call thousands of people. Each of them behaves by a [`Behaviour`], chosen for each call by whoever
//! runs [`Phone::answer_calls`]: one task takes the phone's calls, and each answered call is one task more, on tokio,
//! for as long as it lasts. What is played is shared: a greeting that was [`Sound::made`] is there once for all who
//! speak it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::call::{Call, EndReport, IncomingCall};
use crate::error::PhoneError;
use crate::media::tone;
use crate::phone::Phone;

/// How long a callee waits for the next call before it looks again whether anybody wants it still.
const INCOMING_WAIT: Duration = Duration::from_secs(60);
/// How long after its end a call is waited for: its ports are watched that long.
const END_LIMIT: Duration = Duration::from_secs(10);
/// The longest that a callee stays on a call that nobody ends.
const CALL_LIMIT: Duration = Duration::from_secs(900);
/// Samples of a millisecond.
const SAMPLES_PER_MS: usize = 8;

/// What a callee says, in order: mono at 8 kHz.
#[derive(Clone, Default)]
pub struct Sound {
    parts: Vec<Part>,
}

#[derive(Clone)]
enum Part {
    Samples(Arc<[i16]>),
    Silence(u32),
}

impl std::fmt::Debug for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sound({} ms)", self.duration_ms())
    }
}

impl Sound {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Then these samples: a greeting from a WAV ([`crate::read_wav`]), or whatever a test makes.
    #[must_use]
    pub fn samples(mut self, samples: impl Into<Arc<[i16]>>) -> Self {
        self.parts.push(Part::Samples(samples.into()));
        self
    }

    /// Then silence.
    #[must_use]
    pub fn silence(mut self, ms: u32) -> Self {
        self.parts.push(Part::Silence(ms));
        self
    }

    /// Then a machine's beep of 1,000 Hz.
    #[must_use]
    pub fn beep(self, ms: u32) -> Self {
        self.samples(tone(&[1_000.0], ms))
    }

    /// Then the busy tone, so many times: 425 Hz, 350 ms on and 350 ms off.
    #[must_use]
    pub fn busy(mut self, times: u32) -> Self {
        let burst: Arc<[i16]> = tone(&[425.0], 350).into();
        for _ in 0..times {
            self = self.samples(Arc::clone(&burst)).silence(350);
        }
        self
    }

    /// Then an answering fax: 2,100 Hz.
    #[must_use]
    pub fn fax(self) -> Self {
        self.silence(300).samples(tone(&[2_100.0], 3_000))
    }

    /// Then the three tones before an intercept announcement.
    #[must_use]
    pub fn intercept(mut self) -> Self {
        for hz in [950.0, 1_400.0, 1_800.0] {
            self = self.samples(tone(&[hz], 330));
        }
        self
    }

    /// Then something like a voice: syllables of a hummed 150 Hz with its overtones, for tests without espeak-ng. A
    /// word or two are a person's; five seconds of it are a machine's greeting.
    #[must_use]
    pub fn voice(self, ms: u32) -> Self {
        self.samples(hummed(ms))
    }

    /// Then white noise, so many dB below full scale.
    #[must_use]
    pub fn noise(self, ms: u32, level_db: f64) -> Self {
        self.samples(noise(ms, level_db, 1))
    }

    /// This, with live noise of a microphone under all of it and for `after_ms` more: what tells a person's telephone
    /// from a file.
    #[must_use]
    pub fn live(self, level_db: f64, after_ms: u32) -> Self {
        let mut samples = self.silence(after_ms).to_samples();
        let ms = u32::try_from(samples.len() / SAMPLES_PER_MS).unwrap_or(u32::MAX);
        for (sample, noise) in samples.iter_mut().zip(noise(ms, level_db, 2)) {
            *sample = sample.saturating_add(noise);
        }
        Self::new().samples(samples)
    }

    /// Its length.
    #[must_use]
    pub fn duration_ms(&self) -> u32 {
        self.parts.iter().map(Part::ms).sum()
    }

    /// This in one piece, which all who play it share.
    #[must_use]
    pub fn made(self) -> Self {
        Self::new().samples(self.play())
    }

    fn play(&self) -> Arc<[i16]> {
        match &self.parts[..] {
            [Part::Samples(samples)] => Arc::clone(samples),
            _ => self.to_samples().into(),
        }
    }

    fn to_samples(&self) -> Vec<i16> {
        let mut all = Vec::with_capacity(self.duration_ms() as usize * SAMPLES_PER_MS);
        for part in &self.parts {
            match part {
                Part::Samples(samples) => all.extend_from_slice(samples),
                Part::Silence(ms) => all.resize(all.len() + *ms as usize * SAMPLES_PER_MS, 0),
            }
        }
        all
    }
}

impl Part {
    fn ms(&self) -> u32 {
        match self {
            Self::Samples(samples) => u32::try_from(samples.len() / SAMPLES_PER_MS).unwrap_or(u32::MAX),
            Self::Silence(ms) => *ms,
        }
    }
}

/// What a callee does with a call.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Rings until the caller gives up.
    RingForEver,
    /// Refuses at once: 486, 603, 404, 503, …
    Refuse(u16),
    /// Sends this as early media (183), and then refuses.
    RefuseAfter {
        /// What the network says.
        sound: Sound,
        /// The status.
        status: u16,
    },
    /// Answers.
    Answer(Answer),
}

/// How a callee behaves that answers.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Rings for so long first.
    pub after: Duration,
    /// What is said at once, if anything.
    pub greeting: Sound,
    /// What is pressed, step by step.
    pub keys: Vec<AnswerKeys>,
    /// Hangs up so long after the answer; never, if `None`.
    pub hang_up_after: Option<Duration>,
}

/// Keys that a callee presses.
#[derive(Debug, Clone)]
pub struct AnswerKeys {
    /// The keys.
    pub keys: String,
    /// When.
    pub when: When,
}

/// When a callee presses keys.
#[derive(Debug, Clone)]
pub enum When {
    /// When a prompt with these words has begun (by the engine's transcript).
    Heard(String),
    /// When keys are collected (by the engine's transcript).
    Asked,
    /// So long after the step before, or the greeting's end.
    After(Duration),
    /// When something was audible, and then nothing for so long.
    Quiet(Duration),
}

/// What became of one call of a callee.
#[derive(Debug)]
pub struct CalleeReport {
    /// The number or user that was called: the user of the request's URI.
    pub user: String,
    /// How many steps of keys were taken.
    pub keys_done: usize,
    /// Why not all were, for people.
    pub missed: Option<String>,
    /// How it ended; [`EndReport::recording`] is what was heard, if the phone's options record.
    pub end: EndReport,
}

impl Phone {
    /// Takes this phone's calls for as long as the phone lives (or `reports` is wanted): `behave` says for each, by its
    /// request URI's user, what is done with it. The phone must be set to [`crate::OnIncoming::Ask`]. A call that ends
    /// is reported; a report that finds no room is dropped.
    ///
    /// # Errors
    /// When the phone is stopped.
    pub async fn answer_calls(
        &self,
        mut behave: impl FnMut(&IncomingCall) -> Behaviour + Send,
        reports: mpsc::Sender<CalleeReport>,
    ) -> Result<(), PhoneError> {
        while !reports.is_closed() {
            let incoming = match self.incoming(INCOMING_WAIT).await {
                Ok(incoming) => incoming,
                Err(PhoneError::TimedOut { .. }) => continue,
                Err(error) => return Err(error),
            };
            let (behaviour, reports) = (behave(&incoming), reports.clone());
            tokio::spawn(async move {
                if let Ok(report) = behaviour.run(&incoming).await {
                    // Whoever counts reports gives them room.
                    let _ = reports.try_send(report);
                }
            });
        }
        Ok(())
    }
}

impl Behaviour {
    /// Does with a call what is to be done, to its end.
    ///
    /// # Errors
    /// When the phone is stopped or busy, or the call does not end.
    pub async fn run(&self, incoming: &IncomingCall) -> Result<CalleeReport, PhoneError> {
        let call = incoming.call();
        let (mut keys_done, mut missed) = (0, None);
        match self {
            Self::RingForEver => incoming.ring()?,
            Self::Refuse(status) => incoming.reject(*status)?,
            Self::RefuseAfter { sound, status } => {
                incoming.early_media(sound.play())?;
                // The caller may hang up first: then there is nothing to refuse any more.
                if ended_within(&call, Duration::from_millis(sound.duration_ms().into())).await.is_none() {
                    incoming.reject(*status)?;
                }
            }
            Self::Answer(answer) => {
                incoming.ring()?;
                if ended_within(&call, answer.after).await.is_none() {
                    incoming.answer()?;
                    (keys_done, missed) = answer.talk(&call).await?;
                }
            }
        }
        let end = call.wait_ended(CALL_LIMIT).await?;
        let user = incoming.user().to_owned();
        Ok(CalleeReport { user, keys_done, missed, end })
    }
}

impl Answer {
    /// Talks until it is time to hang up, or the other side did.
    async fn talk(&self, call: &Call) -> Result<(usize, Option<String>), PhoneError> {
        call.answered(END_LIMIT).await?;
        if !self.greeting.parts.is_empty() {
            call.speak(self.greeting.play())?;
        }
        let mut keys_done = 0;
        let talk = async {
            ended_within(call, Duration::from_millis(self.greeting.duration_ms().into())).await;
            for step in &self.keys {
                step.when.come(call).await?;
                call.press(&step.keys)?;
                keys_done += 1;
            }
            call.wait_ended(CALL_LIMIT).await.map(|_| ())
        };
        let outcome = match self.hang_up_after {
            Some(after) => tokio::time::timeout(after, talk).await.unwrap_or(Ok(())),
            None => talk.await,
        };
        if !call.is_ended() {
            call.hangup()?;
        }
        Ok((keys_done, outcome.err().map(|error| error.to_string())))
    }
}

impl When {
    async fn come(&self, call: &Call) -> Result<(), PhoneError> {
        match self {
            Self::Heard(fragment) => call.heard(fragment, CALL_LIMIT).await.map(|_| ()),
            Self::Asked => call.collecting(CALL_LIMIT).await.map(|_| ()),
            Self::Quiet(quiet) => call.quiet_from_now(*quiet, CALL_LIMIT).await,
            Self::After(time) => match ended_within(call, *time).await {
                None => Ok(()),
                Some(end) => Err(PhoneError::Ended { what: "keys".into(), status: end.status, seen: String::new() }),
            },
        }
    }
}

/// The call's end, if it comes in so long.
async fn ended_within(call: &Call, time: Duration) -> Option<EndReport> {
    call.wait_ended(time).await.ok()
}

/// Syllables of 180 ms with 40 ms between them, on a falling pitch.
fn hummed(ms: u32) -> Vec<i16> {
    let samples = ms as usize * SAMPLES_PER_MS;
    let mut phase = 0.0f64;
    (0..samples)
        .map(|n| {
            let at_ms = n / SAMPLES_PER_MS;
            let (syllable, within_ms) = (at_ms / 220, at_ms % 220);
            // The pitch glides, as a voice's does: no stationary tone.
            let hz = 130.0 + f64::from(u32::try_from(syllable % 5).unwrap_or(0)) * 9.0 + within_ms as f64 * 0.15;
            phase += std::f64::consts::TAU * hz / 8_000.0;
            let envelope = if within_ms < 180 { (within_ms as f64 * std::f64::consts::PI / 180.0).sin() } else { 0.0 };
            let wave: f64 = (2..=9).map(|k| (phase * f64::from(k)).sin() / f64::from(k)).sum();
            rounded(wave * envelope * 5_000.0)
        })
        .collect()
}

/// White noise by a linear congruence: the same each time.
fn noise(ms: u32, level_db: f64, seed: u32) -> Vec<i16> {
    let peak = 32_767.0 * 10f64.powf(level_db / 20.0) * 3f64.sqrt();
    let mut state = seed;
    (0..ms as usize * SAMPLES_PER_MS)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            rounded((f64::from(state >> 8) / f64::from(1u32 << 23) - 1.0) * peak)
        })
        .collect()
}

fn rounded(value: f64) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    {
        value.round() as i16
    }
}
