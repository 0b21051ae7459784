//! The part of the contract that is between a campaign's call and its campaign: one dial, nothing said before it is known
//! who has answered, one end.

use super::contract::{Kept, promise};
use super::input::{CallStart, Input, MediaCommand, MediaEvent, Purpose};
use crate::campaign::{CampaignReport, Heard, Listen};
use crate::ids::LegId;
use crate::leg::{LegCommand, LegEvent};

/// What is known of one campaign's call; nothing of any other.
#[derive(Debug)]
pub(super) struct CampaignContract(Option<Attempt>);

#[derive(Debug, Default)]
struct Attempt {
    dialled: bool,
    answered: bool,
    /// What is listened for.
    listens: Option<Listen>,
    /// It was said to the campaign.
    said_answered: bool,
    said_connected: bool,
    said_ended: bool,
}

impl CampaignContract {
    pub(super) fn new(start: &CallStart) -> Self {
        Self(matches!(start.purpose, Purpose::Campaign(_)).then(Attempt::default))
    }

    /// `caller_gone`: what comes now is too late to count.
    pub(super) fn input(&mut self, input: &Input, caller_gone: bool) {
        let Some(attempt) = self.0.as_mut().filter(|attempt| attempt.dialled && !caller_gone) else { return };
        match input {
            Input::Leg(LegId::FIRST, LegEvent::Answered) => attempt.answered = true,
            // Whoever has heard a person, or that nobody speaks, listens no more; from here on the machine may speak.
            Input::Media(LegId::FIRST, MediaEvent::Heard(heard)) if *heard != Heard::Machine => {
                attempt.listens = attempt.listens.filter(|listens| *listens == Listen::Tones);
            }
            _ => {}
        }
    }

    /// Whether this is a campaign's call, and so the callee's leg is dialled.
    pub(super) const fn is_one(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn callee_is_there(&self) -> bool {
        self.0.as_ref().is_none_or(|attempt| attempt.dialled)
    }

    /// The callee's leg is told something.
    pub(super) fn leg(&mut self, command: &LegCommand) -> Kept {
        let Some(attempt) = &mut self.0 else { return Ok(()) };
        match command {
            LegCommand::Dial { .. } => {
                promise(!std::mem::replace(&mut attempt.dialled, true), || "dials a contact twice".into())
            }
            // What a contact's agent asks is refused at any time.
            LegCommand::Hangup | LegCommand::ReferOutcome { .. } => {
                promise(attempt.dialled, || format!("{command:?} for a contact who was not dialled"))
            }
            _ => promise(attempt.answered, || format!("{command:?} for a contact who has not answered")),
        }
    }

    /// The callee's media is told something.
    pub(super) fn media(&mut self, command: &MediaCommand) -> Kept {
        let Some(attempt) = &mut self.0 else {
            return promise(!matches!(command, MediaCommand::Listen(_)), || "listens to whoever has called".into());
        };
        promise(attempt.dialled, || format!("{command:?} for a contact who was not dialled"))?;
        match command {
            MediaCommand::Listen(Listen::Stop) => {
                attempt.listens = None;
                Ok(())
            }
            MediaCommand::Listen(listen) => {
                let fits = (*listen == Listen::Answer) == attempt.answered;
                let again = attempt.listens.replace(*listen) == Some(*listen);
                promise(fits && !again, || format!("listens for {listen:?}, answered: {}", attempt.answered))
            }
            _ => promise(attempt.answered && attempt.listens.is_none(), || {
                format!("{command:?}, and nobody knows who has answered")
            }),
        }
    }

    /// A script begins.
    pub(super) fn script(&self) -> Kept {
        let Some(attempt) = &self.0 else { return Ok(()) };
        promise(attempt.answered, || "a script starts for a contact who has not answered".into())?;
        promise(attempt.listens.is_none(), || "a script starts, and nobody knows who has answered".into())
    }

    pub(super) fn report(&mut self, report: &CampaignReport) -> Kept {
        let Some(attempt) = &mut self.0 else {
            return promise(false, || format!("{report:?} of no campaign's call"));
        };
        promise(!attempt.said_ended, || format!("{report:?} after the end"))?;
        match report {
            CampaignReport::Answered => {
                let before = std::mem::replace(&mut attempt.said_answered, true);
                promise(attempt.answered && !before, || "answered twice, or not at all".into())
            }
            CampaignReport::Connected => {
                let before = std::mem::replace(&mut attempt.said_connected, true);
                promise(attempt.said_answered && !before, || "connected twice, or before the answer".into())
            }
            CampaignReport::Ended(end) => {
                attempt.said_ended = true;
                let same = end.answered.is_some() == attempt.said_answered
                    && end.answered_by.is_some() == attempt.said_answered;
                promise(same, || format!("ends with {end:?}, answered: {}", attempt.said_answered))?;
                promise(end.answered.is_none() || end.disposition.counts(), || {
                    format!("somebody has answered, and {:?} does not count", end.disposition)
                })
            }
        }
    }

    pub(super) fn over(&self) -> Kept {
        let told = self.0.as_ref().is_none_or(|attempt| attempt.said_ended);
        promise(told, || "over, and the campaign was not told how".into())
    }
}
