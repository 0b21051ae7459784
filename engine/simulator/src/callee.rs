//! Whom a campaign calls, leg by leg: a person, an answering machine, a fax, or nobody.

use crate::call::{Happening, SimCall};
use crate::caller::Caller;
use crate::operator::Operator;
use crate::props::Props;
use gudok_core::call::{Input, MediaEvent};
use gudok_core::campaign::{Heard, Listen};
use gudok_core::ids::LegId;
use gudok_core::leg::LegEvent;
use std::time::Duration;

/// Whoever, or whatever, is at a contact's telephone.
#[derive(Clone, Debug)]
pub struct Callee {
    pub(crate) answers: Operator,
    pub(crate) sort: Sort,
    pub(crate) does: Caller,
}

/// What is heard of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sort {
    Person,
    Machine {
        greeting: Duration,
        beeps: bool,
    },
    Fax,
    Silent,
    /// A tone before any answer.
    Tone(Heard),
}

/// How long an answering machine's greeting usually is.
pub(crate) const GREETING: Duration = Duration::from_secs(5);
/// From the answer until the media room knows, in its middle: a word and the pause after it, a fax's tone, nothing at all.
const PERSON_HEARD: Duration = Duration::from_millis(900);
const MACHINE_HEARD: Duration = Duration::from_millis(1_700);
const FAX_HEARD: Duration = Duration::from_millis(700);
const SILENCE_HEARD: Duration = Duration::from_millis(3_400);
const TONE_HEARD: Duration = Duration::from_millis(1_500);
/// From the end of a greeting without a beep until it is taken for over.
const GREETING_OVER: Duration = Duration::from_millis(1_200);

impl Callee {
    const fn of(sort: Sort, answers: Operator, does: Caller) -> Self {
        Self { answers, sort, does }
    }

    /// A person who answers after three seconds and does that: see [`Caller::called`].
    #[must_use]
    pub const fn person(does: Caller) -> Self {
        Self::of(Sort::Person, Operator::answers(), does)
    }

    /// An answering machine with a greeting of that length, and a beep after it.
    #[must_use]
    pub fn machine(greeting: Duration) -> Self {
        Self::of(Sort::Machine { greeting, beeps: true }, Operator::answers(), Caller::called())
    }

    /// One that does not beep.
    #[must_use]
    pub fn machine_without_beep(greeting: Duration) -> Self {
        Self::of(Sort::Machine { greeting, beeps: false }, Operator::answers(), Caller::called())
    }

    /// A fax.
    #[must_use]
    pub fn fax() -> Self {
        Self::of(Sort::Fax, Operator::answers(), Caller::called())
    }

    /// Somebody who answers and says nothing, and then does that.
    #[must_use]
    pub const fn silent(does: Caller) -> Self {
        Self::of(Sort::Silent, Operator::answers(), does)
    }

    /// Busy (486).
    #[must_use]
    pub fn busy() -> Self {
        Self::rejects(486)
    }

    /// Refused with that status: 603, 404, 503.
    #[must_use]
    pub fn rejects(status: u16) -> Self {
        Self::of(Sort::Person, Operator::rejects(status), Caller::called())
    }

    /// Rings on.
    #[must_use]
    pub fn no_answer() -> Self {
        Self::of(Sort::Person, Operator::no_answer(), Caller::called())
    }

    /// An exchange that says so by a tone before any answer: [`Heard::Busy`] or [`Heard::Intercept`].
    #[must_use]
    pub fn tone(tone: Heard) -> Self {
        Self::of(Sort::Tone(tone), Operator::no_answer(), Caller::called())
    }

    /// An answering machine with a greeting of the usual length, and a beep.
    #[must_use]
    pub fn answering_machine() -> Self {
        Self::machine(GREETING)
    }

    /// Answers as that one does.
    #[must_use]
    pub fn answering(mut self, answers: Operator) -> Self {
        self.answers = answers;
        self
    }
}

impl SimCall {
    /// What is heard, if it is listened for, and after which time.
    pub(crate) fn listen(&mut self, listen: Listen, props: &mut Props) {
        self.listening += 1;
        let Some(sort) = self.callee.as_ref().map(|callee| callee.sort) else { return };
        let heard: &[(Duration, Heard)] = match (listen, sort) {
            (Listen::Tones, Sort::Tone(tone)) => &[(TONE_HEARD, tone)],
            (Listen::Answer, Sort::Person) => &[(PERSON_HEARD, Heard::Human)],
            (Listen::Answer, Sort::Silent) => &[(SILENCE_HEARD, Heard::Silence)],
            (Listen::Answer, Sort::Fax) => &[(FAX_HEARD, Heard::Fax)],
            (Listen::Answer, Sort::Machine { greeting, beeps: true }) => {
                &[(MACHINE_HEARD, Heard::Machine), (greeting.max(MACHINE_HEARD), Heard::Beep)]
            }
            (Listen::Answer, Sort::Machine { greeting, beeps: false }) => {
                &[(MACHINE_HEARD, Heard::Machine), (greeting.max(MACHINE_HEARD) + GREETING_OVER, Heard::GreetingOver)]
            }
            _ => &[],
        };
        for (after, what) in heard {
            props.plan(*after, self.number, Happening::Heard(self.listening, *what));
        }
    }

    /// It was heard, if it is listened for still.
    pub(crate) fn heard(&self, listening: u32, heard: Heard) -> Option<Input> {
        (listening == self.listening).then_some(Input::Media(LegId::FIRST, MediaEvent::Heard(heard)))
    }

    /// The exchange, or the telephone, says that it rings: with media where a tone is to come.
    pub(crate) fn rings(&self) -> Option<Input> {
        let early_media = matches!(self.callee.as_ref()?.sort, Sort::Tone(_));
        Some(Input::Leg(LegId::FIRST, LegEvent::Ringing { early_media }))
    }
}
