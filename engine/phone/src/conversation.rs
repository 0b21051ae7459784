//! A conversation by script: which keys are pressed when. `gudok call --keys 1,3` and tests run it.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;

use crate::call::{Call, CallEvent, EndReport};
use crate::error::PhoneError;

/// How many steps one conversation may have.
const STEPS_MAX: usize = 256;

/// When a step's keys are pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trigger {
    /// When the engine says that it collects keys; where it says nothing, when it has gone quiet.
    #[default]
    Asked,
    /// At once: type-ahead, or barge-in.
    AtOnce,
    /// This long after the step before.
    After(Duration),
}

/// Keys to press, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStep {
    /// The keys, pressed one after the other.
    pub keys: String,
    /// When.
    pub trigger: Trigger,
}

impl KeyStep {
    /// Reads `1,3,*,12#`: keys separated by commas, each group pressed when asked for.
    ///
    /// # Errors
    /// When something else than keys and commas is in it.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, PhoneError> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let fine = |keys: &&str| {
            !keys.is_empty()
                && keys.chars().all(|c| matches!(c.to_ascii_uppercase(), '0'..='9' | '*' | '#' | 'A'..='D'))
        };
        let steps: Vec<_> = text.split(',').map(str::trim).take(STEPS_MAX + 1).collect();
        let first_bad = steps.iter().position(|s| !fine(s)).or((steps.len() > STEPS_MAX).then_some(STEPS_MAX));
        if let Some(index) = first_bad {
            return Err(PhoneError::BadKeys { step: index + 1, limit: STEPS_MAX });
        }
        Ok(steps.into_iter().map(|keys| Self { keys: keys.to_owned(), trigger: Trigger::Asked }).collect())
    }
}

/// A scripted conversation.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// What is pressed, in order.
    pub steps: Vec<KeyStep>,
    /// Without a transcript, this long a silence counts as being asked.
    pub quiet: Duration,
    /// The longest wait for a step's cue, and for the answer.
    pub step_limit: Duration,
    /// Hang up this long after the last step; `None` waits until the other side does.
    pub hang_up_after: Option<Duration>,
    /// The longest whole call.
    pub call_limit: Duration,
}

impl Default for Conversation {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            quiet: Duration::from_millis(1_200),
            step_limit: Duration::from_secs(60),
            hang_up_after: None,
            call_limit: Duration::from_secs(600),
        }
    }
}

/// How a conversation went.
#[derive(Debug, Clone)]
pub struct ConversationReport {
    /// How many steps were taken.
    pub steps_done: usize,
    /// Why a step was not taken, for people.
    pub missed: Option<String>,
    /// What remains of the call.
    pub end: EndReport,
}

impl ConversationReport {
    /// Whether all steps were taken and the call was answered and ended in order.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missed.is_none() && self.end.status == 200
    }
}

impl Conversation {
    /// Holds the conversation on a call that was just dialled, to its end.
    ///
    /// # Errors
    /// When the phone is stopped, or the call does not even end when hung up.
    pub async fn run(&self, call: &Call) -> Result<ConversationReport, PhoneError> {
        let mut steps_done = 0;
        let talk = async {
            call.answered(self.step_limit).await?;
            for step in &self.steps {
                self.cue(call, step.trigger).await?;
                call.press(&step.keys)?;
                steps_done += 1;
            }
            // The last keys are still being sent.
            let sending = self.steps.last().map_or(Duration::ZERO, |step| call.sending_time(&step.keys));
            let rest = self.hang_up_after.map_or(self.call_limit, |after| after + sending);
            match call.wait_ended(rest).await {
                Err(PhoneError::TimedOut { .. }) if self.hang_up_after.is_some() => Ok(()),
                other => other.map(|_| ()),
            }
        };
        let missed = match tokio::time::timeout(self.call_limit, talk).await {
            Ok(Ok(())) => None,
            Ok(Err(PhoneError::Stopped)) => return Err(PhoneError::Stopped),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("the call lasted longer than {:?}", self.call_limit)),
        };
        if !call.is_ended() {
            call.hangup()?;
        }
        let end = call.wait_ended(self.step_limit).await?;
        Ok(ConversationReport { steps_done, missed, end })
    }

    async fn cue(&self, call: &Call, trigger: Trigger) -> Result<(), PhoneError> {
        match trigger {
            Trigger::AtOnce => Ok(()),
            Trigger::Asked => self.asked(call).await,
            Trigger::After(time) => match call.wait_ended(time).await {
                Err(PhoneError::TimedOut { .. }) => Ok(()),
                Err(error) => Err(error),
                Ok(end) => Err(PhoneError::Ended { what: "a step".into(), status: end.status, seen: String::new() }),
            },
        }
    }

    /// A collect that the transcript tells of, or silence where there is no transcript.
    async fn asked(&self, call: &Call) -> Result<(), PhoneError> {
        tokio::select! {
            collecting = call.collecting(self.step_limit) => collecting.map(|_| ()),
            quiet = self.silent_without_transcript(call) => quiet,
        }
    }

    async fn silent_without_transcript(&self, call: &Call) -> Result<(), PhoneError> {
        if call.transcript().is_empty() {
            let told = async {
                let mut events = call.events();
                loop {
                    match events.recv().await {
                        Ok(CallEvent::Transcript(_)) | Err(RecvError::Closed) => return,
                        Ok(_) | Err(RecvError::Lagged(_)) => {}
                    }
                }
            };
            tokio::select! {
                quiet = call.quiet_from_now(self.quiet, self.step_limit) => return quiet,
                () = told => {}
            }
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_keys() {
        let check = |text: &str, expect: Option<&[&str]>| {
            let got = KeyStep::parse_list(text).ok();
            let got = got.as_ref().map(|steps| steps.iter().map(|s| s.keys.as_str()).collect::<Vec<_>>());
            assert_eq!(got.as_deref(), expect, "{text}");
        };
        check("", Some(&[]));
        check("1, 3,*,12#", Some(&["1", "3", "*", "12#"]));
        check("1,,3", None);
        check("1;3", None);
        check("один", None);
        check(&"1,".repeat(1_000), None);
    }
}
