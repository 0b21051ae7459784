//! Messages that callers leave. Needs the capability "recording".

use crate::bindings::gudok::ivr::recording::{RecordOptions, record_message};
pub use crate::bindings::gudok::ivr::recording::{Recording, StoppedBy};
use crate::call::millis;
use crate::prompt::IntoPrompt;
use crate::{Call, Result};
use core::time::Duration;

/// Silence that ends a message where the script does not say.
const SILENCE_STOP_DEFAULT_MS: u32 = 4_000;
/// Kept so long where the script does not say.
const RETENTION_DAYS_DEFAULT: u16 = 30;

/// A message before it is recorded: after a beep, until silence, "#" or its longest time.
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # use core::time::Duration;
/// # fn script(call: &Call) -> Result<()> {
/// let recording = Message::of_at_most(Duration::from_secs(60)).record(call)?;
/// # Ok(()) }
/// ```
pub struct Message(RecordOptions);

impl Message {
    /// Longer is cut.
    #[must_use]
    pub fn of_at_most(length: Duration) -> Self {
        Self(RecordOptions {
            max: millis(length),
            silence_stop: SILENCE_STOP_DEFAULT_MS,
            beep: true,
            stop_keys: "#".to_owned(),
            consent_prompt: None,
            retention_days: RETENTION_DAYS_DEFAULT,
        })
    }

    /// So much silence ends it.
    #[must_use]
    pub fn until_silence_of(mut self, length: Duration) -> Self {
        self.0.silence_stop = millis(length);
        self
    }

    /// Asked first with yes (1) or no (2); on "no" nothing is recorded, and the answer is
    /// [`Denied`](crate::CallError::Denied).
    #[must_use]
    pub fn asking_consent(mut self, question: impl IntoPrompt) -> Self {
        self.0.consent_prompt = Some(question.into_prompt());
        self
    }

    /// Kept for so many days, capped by the agency's rule.
    #[must_use]
    pub const fn kept_days(mut self, days: u16) -> Self {
        self.0.retention_days = days;
        self
    }

    /// Records.
    ///
    /// # Errors
    /// As every host call; the end of the call is told as [`StoppedBy::Hangup`] where the message is kept.
    pub fn record(self, call: &Call) -> Result<Recording> {
        record_message(call.raw(), &self.0)
    }
}
