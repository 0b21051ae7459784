//! Handing the caller to a person or to another script.

use crate::bindings::gudok::ivr::transfer::{Target, TransferMode, TransferOptions, TransferOutcome, transfer};
use crate::bindings::gudok::ivr::types::Field;
use crate::call::millis;
use crate::prompt::IntoPrompt;
use crate::{Call, Result};
use core::time::Duration;

/// How long is rung where the script does not say.
const RING_TIMEOUT_DEFAULT_MS: u32 = 30_000;

/// A transfer before it is made. Needs the capability "transfer".
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # fn script(call: &Call) -> Result<Summary> {
/// let outcome = Transfer::to_group("operators").show("topic", "passport").of(call)?;
/// match outcome {
///     TransferOutcome::Moved => return Ok(Summary::transferred()),
///     TransferOutcome::Closed(_) => call.hangup("Операторы сейчас не работают. До свидания.")?,
///     _ => call.hangup("Все операторы заняты. Позвоните, пожалуйста, позже.")?,
/// }
/// # Ok(Summary::served()) }
/// ```
pub struct Transfer {
    target: Target,
    options: TransferOptions,
}

impl Transfer {
    /// To a group of operators.
    #[must_use]
    pub fn to_group(name: &str) -> Self {
        Self::to(Target::Group(name.to_owned()))
    }

    /// To one operator.
    #[must_use]
    pub fn to_operator(name: &str) -> Self {
        Self::to(Target::Operator(name.to_owned()))
    }

    /// To an extension of the centre.
    #[must_use]
    pub fn to_extension(number: &str) -> Self {
        Self::to(Target::Extension(number.to_owned()))
    }

    /// To a telephone number, "+73842…".
    #[must_use]
    pub fn to_number(number: &str) -> Self {
        Self::to(Target::Number(number.to_owned()))
    }

    /// To another entry of the agency: its script takes the call over.
    #[must_use]
    pub fn to_script(entry: &str) -> Self {
        Self::to(Target::Script(entry.to_owned()))
    }

    fn to(target: Target) -> Self {
        let options = TransferOptions {
            mode: TransferMode::Bridge,
            ring_timeout: RING_TIMEOUT_DEFAULT_MS,
            music: None,
            whisper: None,
            screen_pop: Vec::new(),
            return_on_end: false,
        };
        Self { target, options }
    }

    /// The caller's side dials the target itself, and the engine is out (REFER).
    #[must_use]
    pub const fn blind(mut self) -> Self {
        self.options.mode = TransferMode::Blind;
        self
    }

    /// The target is asked first, then the two are joined (REFER with Replaces).
    #[must_use]
    pub const fn attended(mut self) -> Self {
        self.options.mode = TransferMode::Attended;
        self
    }

    /// When the target hangs up, the caller comes back to the script.
    #[must_use]
    pub const fn and_back(mut self) -> Self {
        self.options.return_on_end = true;
        self
    }

    /// How long is rung.
    #[must_use]
    pub fn ring_for(mut self, patience: Duration) -> Self {
        self.options.ring_timeout = millis(patience);
        self
    }

    /// A recording of the bundle to wait with, in place of ringing.
    #[must_use]
    pub fn music(mut self, name: &str) -> Self {
        self.options.music = Some(name.to_owned());
        self
    }

    /// What the target hears before being joined.
    #[must_use]
    pub fn whisper(mut self, what: impl IntoPrompt) -> Self {
        self.options.whisper = Some(what.into_prompt());
        self
    }

    /// Shown to the operator.
    #[must_use]
    pub fn show(mut self, name: &str, value: impl Into<String>) -> Self {
        self.options.screen_pop.push(Field { name: name.to_owned(), value: value.into() });
        self
    }

    /// Hands the caller of this call over. On every outcome but `Moved` the caller is back with the script.
    ///
    /// # Errors
    /// As every host call; [`CallError::Denied`](crate::CallError::Denied) for a target that is not granted.
    pub fn of(self, call: &Call) -> Result<TransferOutcome> {
        transfer(call.raw(), &self.target, &self.options)
    }
}
