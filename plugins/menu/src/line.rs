//! The call, as the walk through the menu sees it.

use crate::model::Asking;
use core::time::Duration;
use gudok_sdk::{Answer, Call, CallError, Datetime, Menu, Prompt, Result, Transfer, TransferOutcome};

/// What the walk needs of a call.
pub trait Line {
    /// The language the caller is spoken to in.
    fn language(&self) -> String;
    /// The moment in the agency's time zone.
    fn now(&self) -> Datetime;
    /// Names a step of the dialog.
    fn step(&mut self, name: &str);
    /// Speaks another language.
    ///
    /// # Errors
    /// As every host call; so with all that follow.
    fn set_language(&mut self, tag: &str) -> Result<()>;
    /// Says something.
    ///
    /// # Errors
    /// As every host call.
    fn say(&mut self, prompt: Prompt) -> Result<()>;
    /// Asks, and answers with the place of the key among `keys` or `global_keys`.
    ///
    /// # Errors
    /// As every host call.
    fn ask(&mut self, ask: Ask<'_>) -> Result<Answer<usize>>;
    /// Hands the caller over.
    ///
    /// # Errors
    /// As every host call.
    fn transfer(&mut self, transfer: Transfer) -> Result<TransferOutcome>;
    /// Says goodbye and hangs up.
    ///
    /// # Errors
    /// As every host call.
    fn hangup(&mut self, goodbye: Prompt) -> Result<()>;
    /// Tells the author what a caller got to feel.
    fn complain(&mut self, what: &str);
}

/// One question of the walk.
pub struct Ask<'tree> {
    /// What is asked.
    pub prompt: Prompt,
    /// The keys of the choices.
    pub keys: Vec<&'tree str>,
    /// The keys that leave the question at once.
    pub global_keys: Vec<&'tree str>,
    /// Said before asking again.
    pub no_input: Prompt,
    /// Said before asking again.
    pub no_match: Prompt,
    pub(crate) asking: &'tree Asking,
}

/// The real thing.
pub(crate) struct OverCall<'call> {
    call: &'call Call,
}

impl<'call> OverCall<'call> {
    pub(crate) const fn new(call: &'call Call) -> Self {
        Self { call }
    }
}

impl Line for OverCall<'_> {
    fn language(&self) -> String {
        self.call.language()
    }

    fn now(&self) -> Datetime {
        gudok_sdk::host::now()
    }

    fn step(&mut self, name: &str) {
        gudok_sdk::host::step(name);
    }

    fn set_language(&mut self, tag: &str) -> Result<()> {
        self.call.set_language(tag)
    }

    fn say(&mut self, prompt: Prompt) -> Result<()> {
        self.call.say(prompt).map(drop)
    }

    fn ask(&mut self, ask: Ask<'_>) -> Result<Answer<usize>> {
        let mut menu = Menu::new(ask.prompt)
            .attempts(ask.asking.attempts)
            .first_timeout(Duration::from_millis(ask.asking.first_timeout_ms.into()))
            .digit_gap(Duration::from_millis(ask.asking.digit_gap_ms.into()));
        for (place, key) in ask.keys.into_iter().enumerate() {
            menu = menu.on(key, place);
        }
        for (place, key) in ask.global_keys.into_iter().enumerate() {
            menu = menu.global(key, place);
        }
        if !ask.no_input.segments.is_empty() {
            menu = menu.no_input(ask.no_input);
        }
        if !ask.no_match.segments.is_empty() {
            menu = menu.no_match(ask.no_match);
        }
        menu.ask(self.call)
    }

    fn transfer(&mut self, transfer: Transfer) -> Result<TransferOutcome> {
        match transfer.of(self.call) {
            Err(error @ CallError::Ended(_)) => Err(error),
            Err(error) => {
                self.complain(&format!("transfer: {error}"));
                Ok(TransferOutcome::Unavailable)
            }
            outcome => outcome,
        }
    }

    fn hangup(&mut self, goodbye: Prompt) -> Result<()> {
        self.call.hangup(goodbye)
    }

    fn complain(&mut self, what: &str) {
        gudok_sdk::host::error(what);
    }
}
