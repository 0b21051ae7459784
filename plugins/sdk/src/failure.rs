//! What keeps a script from going on, and how its caller is looked after all the same.
//!
//! A script is a row of steps, each of which may end with somebody else having to take over. [`Talk`] is what such a step
//! answers, and `?` carries a [`Failure`] out of it: a form that nobody filled in, a back end that is not there, a key
//! pressed for a person, the end of the call. One line at the top turns it into words and an operator:
//!
//! ```
//! use gudok_sdk::prelude::*;
//!
//! gudok_sdk::service!(run);
//!
//! fn run(call: &Call) -> Result<Summary> {
//!     talk(call).or_operator(call, "operators")
//! }
//!
//! fn talk(call: &Call) -> Talk<Summary> {
//!     let number = Ask::digits("Номер заявления, шесть цифр.", 6..=6).ask(call)?.given()?;
//!     let answer = Request::get(format!("https://back-end.example/{number}")).send()?.success()?;
//!     call.say(prompt!["Состояние заявления:", answer.json::<String>()?, "."])?;
//!     call.hangup("До свидания.")?;
//!     Ok(Summary::served())
//! }
//! ```
//!
//! A script without operators of its own returns the failure as it is (`fn run(call: &Call) -> Talk<Summary>`): the host lands
//! the caller on the agency's fallback.

use crate::bindings::gudok::ivr::types::{CallError, EndReason};
use crate::prompt::{IntoPrompt, time};
use crate::queue::QueueOutcome;
use crate::{Call, Prompt, Result, ResultCode, Summary, words};
use core::fmt;

/// What a step of a script answers: a value, or why the script cannot go on by itself.
pub type Talk<T> = core::result::Result<T, Failure>;

/// Why a script cannot go on by itself. Whatever a host call answers becomes one with `?`.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The call is over: nobody is there to be looked after.
    Ended(EndReason),
    /// The caller wants a person.
    Operator,
    /// Nothing was entered, or nothing that fits, however often it was asked.
    NoAnswer,
    /// What was entered fits, but is not what it should be: not known, not verified, not confirmed, in any attempt.
    NotAccepted,
    /// A back end, or what else the script stands on, does not answer as it should.
    Unavailable(CallError),
}

impl Failure {
    /// True when the call is over: save what must be saved and return.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// One word, the same in every language's SDK: for logs, counters and call records.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ended(_) => "ended",
            Self::Operator => "operator",
            Self::NoAnswer => "no-answer",
            Self::NotAccepted => "not-accepted",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// What the host is told of it by a script that looks after nobody itself: either the end of the call, an error, or
    /// that the agency's fallback has to take the caller.
    ///
    /// # Errors
    /// The end of the call, and what a host call answered.
    pub(crate) fn told_to_host(self) -> Result<Summary> {
        match self {
            Self::Ended(reason) => Err(CallError::Ended(reason)),
            Self::Unavailable(error) => Err(error),
            Self::Operator | Self::NoAnswer | Self::NotAccepted => Ok(Summary::no_service().with("why", self.kind())),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Ended(reason) => Self::Ended(reason),
            other => Self::Unavailable(other),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(reason) => write!(f, "the call ended: {reason:?}"),
            Self::Operator => f.write_str("the caller wants an operator"),
            Self::NoAnswer => f.write_str("the caller gave no answer"),
            Self::NotAccepted => f.write_str("what the caller entered was not accepted"),
            Self::Unavailable(error) => write!(f, "unavailable: {error}"),
        }
    }
}

impl core::error::Error for Failure {}

/// Looks after the caller of a script that failed. For results of `run`, whichever error they have.
pub trait OrOperator {
    /// Apologises where something of ours failed, and lets the caller wait for an operator of that queue; says from when
    /// operators work, or that all are busy. Needs the capability "queues".
    ///
    /// # Errors
    /// The end of the call.
    fn or_operator(self, call: &Call, queue: &str) -> Result<Summary>;

    /// The same in the script's own words.
    ///
    /// # Errors
    /// The end of the call.
    fn or_land(self, call: &Call, landing: &Landing) -> Result<Summary>;

    /// Apologises and hangs up: for a script that has nobody to lead callers to.
    ///
    /// # Errors
    /// The end of the call.
    fn or_goodbye(self, call: &Call, words: impl IntoPrompt) -> Result<Summary>;
}

impl<E: Into<Failure>> OrOperator for core::result::Result<Summary, E> {
    fn or_operator(self, call: &Call, queue: &str) -> Result<Summary> {
        self.or_land(call, &Landing::at(queue))
    }

    fn or_land(self, call: &Call, landing: &Landing) -> Result<Summary> {
        match self.map_err(Into::into) {
            Ok(summary) => Ok(summary),
            Err(failure) => landing.of(call, &failure),
        }
    }

    fn or_goodbye(self, call: &Call, words: impl IntoPrompt) -> Result<Summary> {
        let failure = match self.map_err(Into::into) {
            Ok(summary) => return Ok(summary),
            Err(Failure::Ended(reason)) => return Err(CallError::Ended(reason)),
            Err(failure) => failure,
        };
        note(&failure);
        call.hangup(words)?;
        Ok(unserved(&failure))
    }
}

/// Where a caller is led whom the script cannot serve, and what they hear on the way.
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # fn talk(call: &Call) -> Talk<Summary> { Ok(Summary::served()) }
/// # fn run(call: &Call) -> Result<Summary> {
/// let landing = Landing::at("operators")
///     .topic("passport")
///     .sorry("Извините, сведения сейчас получить не удалось.")
///     .goodbye("Приходите, пожалуйста, лично. До свидания.");
/// talk(call).or_land(call, &landing)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Landing {
    queue: String,
    topic: Option<String>,
    sorry: Option<Prompt>,
    goodbye: Option<Prompt>,
}

impl Landing {
    /// At that queue's operators, with words in Russian and English.
    #[must_use]
    pub fn at(queue: &str) -> Self {
        Self { queue: queue.to_owned(), topic: None, sorry: None, goodbye: None }
    }

    /// Shown to the operator, in a word.
    #[must_use]
    pub fn topic(mut self, topic: &str) -> Self {
        self.topic = Some(topic.to_owned());
        self
    }

    /// Said where a back end failed.
    #[must_use]
    pub fn sorry(mut self, words: impl IntoPrompt) -> Self {
        self.sorry = Some(words.into_prompt());
        self
    }

    /// Said at the end to whom no operator could be given.
    #[must_use]
    pub fn goodbye(mut self, words: impl IntoPrompt) -> Self {
        self.goodbye = Some(words.into_prompt());
        self
    }

    /// Leads the caller there.
    ///
    /// # Errors
    /// The end of the call; a talk with an operator ends it, too.
    pub fn of(&self, call: &Call, failure: &Failure) -> Result<Summary> {
        if let Failure::Ended(reason) = failure {
            return Err(CallError::Ended(*reason));
        }
        note(failure);
        crate::host::step("operator");
        if let Failure::Unavailable(_) = failure {
            call.say(self.sorry.clone().unwrap_or_else(|| sorry(call)))?;
        }
        let mut wait = call.queue(&self.queue).show("why", failure.kind());
        if let Some(topic) = &self.topic {
            wait = wait.show("topic", topic.as_str());
        }
        let said = match CallError::unless_ended(wait.wait(), "the queue of the operators")? {
            Some(QueueOutcome::Returned { .. } | QueueOutcome::Peer(_)) => return Ok(Summary::transferred()),
            Some(QueueOutcome::Callback(_)) => return Ok(Summary::callback_booked()),
            Some(QueueOutcome::Closed(opens)) => {
                closed(call).with(opens.map(|opens| they_start(call).with(time(opens)).with(".")))
            }
            Some(QueueOutcome::Full | QueueOutcome::TimedOut) => busy(call),
            // Without the queue there is the agency's fallback.
            None => return Ok(Summary::no_service().with("why", failure.kind())),
        };
        call.hangup(said.with(self.goodbye.clone().unwrap_or_else(|| goodbye(call))))?;
        Ok(unserved(failure))
    }
}

/// For the author: a caller who wants a person is usual, a back end that fails is not.
fn note(failure: &Failure) {
    crate::host::count(failure.kind(), 1);
    match failure {
        Failure::Unavailable(error) => crate::host::warn(&format!("landed: {error}")),
        other => crate::host::info(&format!("landed: {other}")),
    }
}

fn unserved(failure: &Failure) -> Summary {
    Summary::new(ResultCode::Custom("no-operator".to_owned())).with("why", failure.kind())
}

fn sorry(call: &Call) -> Prompt {
    words!(call,
        "ru" => ["Извините, сведения сейчас получить не удалось."],
        "en" => ["I am sorry, the information is not available now."],
    )
}

fn closed(call: &Call) -> Prompt {
    words!(call, "ru" => ["Операторы сейчас не работают."], "en" => ["The operators are not at work now."])
}

fn they_start(call: &Call) -> Prompt {
    words!(call, "ru" => ["Они начинают работу в"], "en" => ["They start at"])
}

fn busy(call: &Call) -> Prompt {
    words!(call, "ru" => ["Сейчас все операторы заняты."], "en" => ["All operators are busy now."])
}

fn goodbye(call: &Call) -> Prompt {
    words!(call,
        "ru" => ["Позвоните, пожалуйста, позже. До свидания."],
        "en" => ["Please call again later. Goodbye."],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_call_stays_one_on_its_way_out() {
        let ended = Failure::from(CallError::Ended(EndReason::CallerHangup));
        assert!(ended.is_end());
        assert_eq!(ended.told_to_host(), Err(CallError::Ended(EndReason::CallerHangup)));
    }

    #[test]
    fn what_a_host_call_answered_reaches_the_host_again() {
        for error in [CallError::Timeout, CallError::Unavailable("500".to_owned()), CallError::Denied("x".to_owned())] {
            assert_eq!(Failure::from(error.clone()), Failure::Unavailable(error.clone()));
            assert_eq!(Failure::from(error.clone()).told_to_host(), Err(error));
        }
    }

    #[test]
    fn a_caller_whom_nobody_looked_after_is_left_to_the_fallback() {
        for failure in [Failure::Operator, Failure::NoAnswer, Failure::NotAccepted] {
            let kind = failure.kind();
            let told = failure.told_to_host().map(|summary| (summary.code, summary.fields));
            let Ok((ResultCode::NoService, fields)) = told else { unreachable!("{kind} is no error of a host call") };
            assert!(fields.iter().any(|field| field.name == "why" && field.value == kind), "{fields:?}");
        }
    }

    #[test]
    fn question_marks_carry_both_kinds_of_errors() {
        fn step(host: Result<u8>) -> Talk<u8> {
            let value = host?;
            if value == 0 { Err(Failure::NotAccepted) } else { Ok(value) }
        }
        assert_eq!(step(Ok(1)), Ok(1));
        assert_eq!(step(Ok(0)), Err(Failure::NotAccepted));
        assert_eq!(step(Err(CallError::Timeout)), Err(Failure::Unavailable(CallError::Timeout)));
    }
}
