//! The call that a script serves.

use crate::bindings::gudok::ivr::telephony;
use crate::bindings::gudok::ivr::telephony::{CallInfo, Pace, PlaybackEnd, Player, RejectCause};
use crate::bindings::gudok::ivr::types::{EndReason, Field};
use crate::prompt::IntoPrompt;
use crate::{Prompt, Result};
use core::cell::RefCell;
use core::time::Duration;

/// The call that a script serves. It ends with the script: who returns without handing the caller over hangs up; who
/// returns before ever answering, or with `no-service`, leaves the caller to the agency's fallback.
pub struct Call {
    inner: telephony::Call,
    info: CallInfo,
    language: RefCell<String>,
}

impl Call {
    pub(crate) fn new(inner: telephony::Call) -> Self {
        let info = inner.info();
        let language = RefCell::new(info.lang.clone());
        Self { inner, info, language }
    }

    /// Who calls whom, and which entry of the agency it led to.
    #[must_use]
    pub const fn info(&self) -> &CallInfo {
        &self.info
    }

    /// The language the caller is spoken to in, as a tag: "ru-RU".
    #[must_use]
    pub fn language(&self) -> String {
        self.language.borrow().clone()
    }

    /// Whether the caller is spoken to in this language, whatever the country: "en".
    #[must_use]
    pub fn speaks(&self, language: &str) -> bool {
        crate::language::primary(&self.language.borrow()).eq_ignore_ascii_case(crate::language::primary(language))
    }

    /// Speaks another language from here on; the host's own prompts too.
    ///
    /// # Errors
    /// As every host call.
    pub fn set_language(&self, tag: &str) -> Result<()> {
        self.inner.set_language(tag)?;
        tag.clone_into(&mut self.language.borrow_mut());
        Ok(())
    }

    /// Speaks the first of these languages, unless the caller is spoken to in one of them already: a voice of one language
    /// reading another's words is not understood.
    ///
    /// # Errors
    /// As every host call.
    pub fn speak_one_of(&self, tags: &[&str]) -> Result<()> {
        match tags.first() {
            Some(first) if !tags.iter().any(|tag| self.speaks(tag)) => self.set_language(first),
            _ => Ok(()),
        }
    }

    /// Speaks slower from here on, waits longer and says everything twice; or as usual again.
    ///
    /// # Errors
    /// As every host call.
    pub fn set_pace(&self, pace: Pace) -> Result<()> {
        self.inner.set_pace(pace)
    }

    /// Answers. Not needed before [`say`](Self::say), which does it.
    ///
    /// # Errors
    /// As every host call.
    pub fn answer(&self) -> Result<()> {
        self.inner.answer()
    }

    /// Lets prompts be heard before the call is answered and charged.
    ///
    /// # Errors
    /// As every host call.
    pub fn early_media(&self) -> Result<()> {
        self.inner.early_media()
    }

    /// Refuses the call.
    ///
    /// # Errors
    /// As every host call.
    pub fn reject(&self, cause: RejectCause) -> Result<()> {
        self.inner.reject(cause)
    }

    /// Says something and waits for its end, or for the key that interrupts it: that key stays for the next question.
    ///
    /// # Errors
    /// As every host call.
    pub fn say(&self, what: impl IntoPrompt) -> Result<PlaybackEnd> {
        self.inner.say(&what.into_prompt())
    }

    /// Plays while the script goes on; dropping the player stops the sound.
    ///
    /// # Errors
    /// As every host call.
    pub fn play_in_background(&self, what: impl IntoPrompt, loop_forever: bool) -> Result<Player> {
        self.inner.play_background(&what.into_prompt(), loop_forever)
    }

    /// Says goodbye to its end and hangs up.
    ///
    /// # Errors
    /// As every host call.
    pub fn hangup(&self, goodbye: impl IntoPrompt) -> Result<()> {
        let goodbye: Prompt = goodbye.into_prompt();
        self.inner.hangup((!goodbye.segments.is_empty()).then_some(&goodbye))
    }

    /// Hangs up without a word.
    ///
    /// # Errors
    /// As every host call.
    pub fn hangup_now(&self) -> Result<()> {
        self.inner.hangup(None)
    }

    /// Why the call ended; none while it lives.
    #[must_use]
    pub fn ended(&self) -> Option<EndReason> {
        self.inner.ended()
    }

    /// Silence for a while.
    ///
    /// # Errors
    /// As every host call.
    pub fn wait(&self, length: Duration) -> Result<()> {
        self.inner.wait(millis(length))
    }

    /// Keeps values with the call record; they survive a transfer. Nothing personal belongs here.
    ///
    /// # Errors
    /// As every host call.
    pub fn tag(&self, values: &[(&str, &str)]) -> Result<()> {
        self.inner.tag(&fields(values))
    }

    /// The call as wit-bindgen made it: for what has no comfortable form here.
    #[must_use]
    pub const fn raw(&self) -> &telephony::Call {
        &self.inner
    }
}

/// The interface counts milliseconds in 32 bits; what is longer is as long as that can say.
pub(crate) fn millis(length: Duration) -> u32 {
    u32::try_from(length.as_millis()).unwrap_or(u32::MAX)
}

pub(crate) fn fields(values: &[(&str, &str)]) -> Vec<Field> {
    values.iter().map(|(name, value)| Field { name: (*name).to_owned(), value: (*value).to_owned() }).collect()
}
