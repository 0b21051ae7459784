//! A caller by script: what the person does, step by step, and when.

use crate::decide::Decision;
use gudok_core::call::KeySource;
use gudok_core::leg::Chain;
use gudok_core::privacy::PhoneNumber;
use std::collections::VecDeque;
use std::time::Duration;

/// One caller. Steps are done in order, each when its time has come; a caller without steps left listens to the end.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) dials: String,
    pub(crate) number: Option<PhoneNumber>,
    pub(crate) comes_after: Duration,
    pub(crate) key_source: KeySource,
    pub(crate) refer_status: u16,
    /// The way through other centres.
    pub(crate) chain: Option<Chain>,
    pub(crate) steps: VecDeque<Step>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Presses(String),
    Interrupts(String),
    TypesAhead(String),
    StaysSilent,
    Hears(String),
    Speaks(Duration),
    Holds(Duration),
    Waits(Duration),
    HangsUp,
}

/// What a caller does at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    /// The first of these keys.
    Press(String),
    Hold(Duration),
    Resume,
    /// The step is over.
    Done,
    HangUp,
}

impl Caller {
    /// Somebody who dials that, at the world's beginning, with a number of the world's own.
    #[must_use]
    pub fn dials(number: &str) -> Self {
        Self {
            dials: number.into(),
            number: Some(PhoneNumber::new("+79990000001")),
            comes_after: Duration::ZERO,
            key_source: KeySource::Media,
            refer_status: 200,
            chain: None,
            steps: VecDeque::new(),
        }
    }

    /// Somebody who does not call, but is called: see [`crate::Callee`].
    #[must_use]
    pub fn called() -> Self {
        Self::dials("")
    }

    /// Calls from that number.
    #[must_use]
    pub fn from(mut self, number: &str) -> Self {
        self.number = Some(PhoneNumber::new(number));
        self
    }

    /// Withholds the number.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.number = None;
        self
    }

    /// Calls so long after the world's beginning.
    #[must_use]
    pub const fn after(mut self, time: Duration) -> Self {
        self.comes_after = time;
        self
    }

    /// Comes through so many other centres.
    #[must_use]
    pub fn through_centres(mut self, id: &str, hops: u8) -> Self {
        self.chain = Some(Chain { id: id.into(), hops });
        self
    }

    /// Sends keys by SIP INFO, not in the media.
    #[must_use]
    pub const fn by_info(mut self) -> Self {
        self.key_source = KeySource::Info;
        self
    }

    /// Answers a blind or attended transfer with that status instead of 200.
    #[must_use]
    pub const fn refuses_refer(mut self, status: u16) -> Self {
        self.refer_status = status;
        self
    }

    /// When asked for keys, and not before the prompt is over: presses these.
    #[must_use]
    pub fn presses(self, keys: &str) -> Self {
        self.step(Step::Presses(keys.into()))
    }

    /// When asked for keys, in the middle of the prompt: presses these.
    #[must_use]
    pub fn interrupts(self, keys: &str) -> Self {
        self.step(Step::Interrupts(keys.into()))
    }

    /// Without being asked: presses these.
    #[must_use]
    pub fn types_ahead(self, keys: &str) -> Self {
        self.step(Step::TypesAhead(keys.into()))
    }

    /// Lets one question pass.
    #[must_use]
    pub fn stays_silent(self) -> Self {
        self.step(Step::StaysSilent)
    }

    /// Waits until a prompt begins that has these words in it.
    #[must_use]
    pub fn hears(self, words: &str) -> Self {
        self.step(Step::Hears(words.into()))
    }

    /// When a message is recorded: speaks for so long.
    #[must_use]
    pub fn speaks(self, time: Duration) -> Self {
        self.step(Step::Speaks(time))
    }

    /// Puts us on hold for so long.
    #[must_use]
    pub fn holds(self, time: Duration) -> Self {
        self.step(Step::Holds(time))
    }

    /// Lets time pass.
    #[must_use]
    pub fn waits(self, time: Duration) -> Self {
        self.step(Step::Waits(time))
    }

    /// Hangs up.
    #[must_use]
    pub fn hangs_up(self) -> Self {
        self.step(Step::HangsUp)
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push_back(step);
        self
    }
}

/// From being asked to pressing the first key.
const REACTION: Duration = Duration::from_millis(600);
/// Into a prompt that is interrupted.
const INTERRUPTION: Duration = Duration::from_millis(400);
/// From key to key.
pub(crate) const KEY_GAP: Duration = Duration::from_millis(200);

/// A caller in a call.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) caller: Caller,
    /// Keys are waited for.
    pub(crate) asked: bool,
    /// On the way to do something.
    busy: bool,
}

impl Person {
    pub(crate) const fn new(caller: Caller) -> Self {
        Self { caller, asked: false, busy: false }
    }

    /// What the person does next, and after which time, seeing that a prompt plays or not.
    pub(crate) fn decides(&mut self, prompt_plays: bool) -> Option<(Duration, Act)> {
        if self.busy {
            return None;
        }
        let decision = loop {
            break match self.caller.steps.front()? {
                Step::StaysSilent if self.asked => {
                    self.asked = false;
                    self.caller.steps.pop_front();
                    continue;
                }
                Step::Presses(keys) if self.asked && !prompt_plays => (REACTION, Act::Press(keys.clone())),
                Step::Interrupts(keys) if self.asked => {
                    let after = if prompt_plays { INTERRUPTION } else { REACTION };
                    (after, Act::Press(keys.clone()))
                }
                Step::TypesAhead(keys) => (REACTION, Act::Press(keys.clone())),
                Step::Holds(time) => (REACTION, Act::Hold(*time)),
                Step::Waits(time) => (*time, Act::Done),
                Step::HangsUp => (REACTION, Act::HangUp),
                Step::StaysSilent | Step::Presses(_) | Step::Interrupts(_) | Step::Hears(_) | Step::Speaks(_) => {
                    return None;
                }
            };
        };
        self.busy = true;
        Some(decision)
    }

    /// The step that the person was busy with is over.
    pub(crate) fn done(&mut self) {
        if std::mem::take(&mut self.busy) {
            self.caller.steps.pop_front();
        }
    }

    /// There is something to do yet.
    pub(crate) fn has_steps(&self) -> bool {
        !self.caller.steps.is_empty()
    }

    /// What was to be done is not done any more.
    pub(crate) fn forgets(&mut self) {
        self.caller.steps.clear();
        self.busy = false;
    }

    /// Takes a decision for the next step. False where it asks for nothing.
    pub(crate) fn takes(&mut self, decision: &Decision) -> bool {
        let step = match decision {
            Decision::Keys(keys) => Step::Presses(keys.clone()),
            Decision::Ahead(keys) => Step::TypesAhead(keys.clone()),
            Decision::Silence => Step::StaysSilent,
            Decision::HangUp => Step::HangsUp,
            _ => return false,
        };
        self.caller.steps.push_back(step);
        true
    }

    /// A prompt begins.
    pub(crate) fn hears(&mut self, words: &str) {
        if matches!(self.caller.steps.front(), Some(Step::Hears(wanted)) if words.contains(wanted.as_str())) {
            self.caller.steps.pop_front();
        }
    }

    /// A message is recorded: for how long the person speaks.
    pub(crate) fn speaks(&mut self) -> Duration {
        match self.caller.steps.front() {
            Some(Step::Speaks(time)) => {
                let time = *time;
                self.caller.steps.pop_front();
                time
            }
            _ => Duration::ZERO,
        }
    }
}
