//! Calls of the host's own: callbacks, and the number that is dialled to be called back. No script takes part.
//!
//! A callback's first leg is the caller's, and does not exist before its `Dial`. With the operator first, the operator
//! hears who is called; only then is the attempt claimed, and only when the claim is durable is the caller dialled. Where
//! the operator is gone by the time the caller answers, and where the caller is dialled first, the caller waits at the
//! queue's head.

use super::callback_offer::{Because, Wanted};
use super::input::{CallStart, Command, PlaybackId, Purpose, TranscriptLine};
use super::landing::Landing;
use super::legs::{LEGS_MAX, LegPhase};
use super::rings::offer_outcome;
use super::transfer::Transfer;
use super::{CallMachine, Initiator, Operation, Pending, ScriptState};
use crate::centre::{AttemptOutcome, CallbackOrder, CallbackStart, OfferId, OfferOutcome, QueueOrder};
use crate::ids::{CallbackId, LegId};
use crate::leg::{HangupCause, LegCommand};
use crate::prompt::{HostPrompt, PromptSource};
use crate::records::EndedBy;
use crate::script::{CallError, EndReason, QueueWish, Reply};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// So long a claim may take to be written down; then nobody is dialled.
const CLAIM_MAX: Duration = Duration::from_secs(10);

/// Where a call of the host's own is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outbound {
    /// The operator's telephone rings.
    Operator { leg: LegId, offer: OfferId, deadline: Timestamp },
    /// The operator hears who is called.
    Whisper { leg: LegId, playback: PlaybackId },
    /// The attempt is being written down.
    Claiming { operator: Option<LegId>, deadline: Timestamp },
    /// The caller's telephone rings, and the operator hears it.
    Caller { operator: Option<(LegId, PlaybackId)>, deadline: Timestamp },
    /// The caller is greeted.
    Greeting,
    /// The caller waits, talks, or has talked.
    Served,
    /// The callback number was dialled, and rings.
    Ringing { deadline: Timestamp },
    /// The caller held on, or hides the number: we have answered.
    Answered,
}

impl CallMachine {
    /// Begins a call that no script answers, or that we make; false where a script answers.
    pub(super) fn begin_own_call(&mut self, now: Timestamp) -> bool {
        match self.start.purpose.clone() {
            Purpose::Script => return false,
            Purpose::CallbackNumber { ring_max, .. } => {
                self.script = ScriptState::Finished;
                self.leg_command(LegId::FIRST, LegCommand::Ring);
                // Who cannot be called back without being asked is answered at once.
                let rings = if self.own_number().is_some() { ring_max } else { Duration::ZERO };
                self.outbound = Some(Outbound::Ringing { deadline: now + rings });
            }
            Purpose::Callback(start) => {
                self.script = ScriptState::Finished;
                self.begin_callback(&start, now);
            }
            Purpose::Campaign(call) => self.begin_campaign(&call, now),
        }
        true
    }

    fn begin_callback(&mut self, start: &CallbackStart, now: Timestamp) {
        let Some(offer) = &start.operator else {
            self.claim(None, now);
            return;
        };
        let Some((leg, record)) = self.legs.outbound(&offer.target, LEGS_MAX, now) else { return };
        self.command(Command::LegBegan(Box::new(record)));
        let mut screen_pop = start.wish.fields.clone();
        if !start.wish.topic.is_empty() {
            screen_pop.push((Arc::from("topic"), Arc::clone(&start.wish.topic)));
        }
        let (target, caller) = (offer.target.clone(), self.caller_number());
        self.leg_command(leg, LegCommand::Dial { target, caller, screen_pop, chain: None });
        self.outbound = Some(Outbound::Operator { leg, offer: offer.id, deadline: now + offer.ring_max });
    }

    fn claim(&mut self, operator: Option<LegId>, now: Timestamp) {
        let Some(callback) = self.fulfilled_callback() else { return };
        self.outbound = Some(Outbound::Claiming { operator, deadline: now + CLAIM_MAX });
        self.command(Command::Callback(CallbackOrder::Claim(callback)));
    }

    /// The attempt may be made, or may not.
    pub(super) fn claimed(&mut self, granted: bool, now: Timestamp) {
        let Some(Outbound::Claiming { operator, .. }) = self.outbound else { return };
        if self.ended.is_some() {
            return;
        }
        let Purpose::Callback(start) = self.start.purpose.clone() else { return };
        if !granted {
            self.not_reached(HangupCause::Cancelled, AttemptOutcome::OperatorGone, now);
            return;
        }
        self.legs.first_mut().phase = LegPhase::Trying;
        let dial = LegCommand::Dial { target: start.target, caller: start.shown, screen_pop: Vec::new(), chain: None };
        self.leg_command(LegId::FIRST, dial);
        let operator = operator.map(|leg| {
            let playback = self.playbacks.next_id();
            self.play(leg, playback, vec![PromptSource::Music(None)], false, true);
            (leg, playback)
        });
        self.outbound = Some(Outbound::Caller { operator, deadline: now + start.ring_max });
    }

    /// The first leg of a callback was answered: the caller is there.
    pub(super) fn caller_answered(&mut self, now: Timestamp) {
        let Some(Outbound::Caller { operator, .. }) = self.outbound else { return };
        self.legs.first_mut().answered(now);
        match operator {
            Some((leg, tone)) => {
                self.outbound = Some(Outbound::Served);
                self.media_command(leg, super::MediaCommand::Stop(tone));
                let label = match &self.start.purpose {
                    Purpose::Callback(start) => start.operator.as_ref().map(|offer| offer.operator.clone()),
                    _ => None,
                };
                let label: Arc<str> = label.map_or_else(|| Arc::from(""), |operator| Arc::from(operator.as_str()));
                let talk = Transfer::talking(label, leg, &self.callback_wish(), now);
                let operation = Operation::Transfer(Box::new(talk));
                self.pending = Some(Pending { initiator: Initiator::Queue, operation });
                self.command(Command::Bridge(LegId::FIRST, leg));
                self.transcribe(TranscriptLine::Bridged);
                self.callback_connected();
            }
            None => {
                self.outbound = Some(Outbound::Greeting);
                self.play_foreground(vec![PromptSource::Host(HostPrompt::CallbackGreeting)], false);
                self.pending = Some(Pending { initiator: Initiator::Host, operation: Operation::Say });
            }
        }
    }

    /// Something that the host said or asked in a call of its own is over.
    pub(super) fn own_operation_finished(&mut self, result: &Result<Reply, CallError>, now: Timestamp) {
        match (&self.outbound, result) {
            (_, Ok(Reply::CallbackOffered(_))) => self.hang_up(HangupCause::EngineHangup, now),
            _ if matches!(self.landing, Some(Landing::Farewell)) => self.hang_up(HangupCause::EngineHangup, now),
            (Some(Outbound::Greeting), _) => {
                self.outbound = Some(Outbound::Served);
                let wish = self.callback_wish();
                self.enqueue(Initiator::Host, wish, now);
            }
            // Answered: the announcement first, if there is one, then what the caller came for.
            (Some(Outbound::Ringing { .. }), _) => {
                self.outbound = Some(Outbound::Answered);
                match self.start.overlay.clone() {
                    Some(overlay) => {
                        self.play_foreground(vec![PromptSource::Script(overlay.prompt)], false);
                        self.pending = Some(Pending { initiator: Initiator::Host, operation: Operation::Say });
                    }
                    None => self.promise_to_number(now),
                }
            }
            (Some(Outbound::Answered), Ok(Reply::Playback(end))) => {
                self.legs.first_mut().record.overlay_heard = end.finished;
                self.promise_to_number(now);
            }
            (Some(Outbound::Answered), _) => self.promise_to_number(now),
            _ => self.hang_up(HangupCause::EngineHangup, now),
        }
    }

    fn promise_to_number(&mut self, now: Timestamp) {
        let Purpose::CallbackNumber { queue, .. } = self.start.purpose.clone() else { return };
        self.offer_callback(Initiator::Host, Because::Number, Wanted::of(queue), now);
    }

    /// An operator who was dialled first has answered. False where this leg is not theirs.
    pub(super) fn own_operator_answered(&mut self, leg: LegId) -> bool {
        let Some(Outbound::Operator { leg: operator, offer, .. }) = self.outbound else { return false };
        let Purpose::Callback(start) = &self.start.purpose else { return false };
        if leg != operator {
            return false;
        }
        let words =
            HostPrompt::CallbackWhisper { number: start.wish.number.clone(), topic: Arc::clone(&start.wish.topic) };
        self.command(Command::Queue(QueueOrder::OfferEnded { offer, outcome: OfferOutcome::Answered }));
        self.operator_talks = true;
        let playback = self.playbacks.next_id();
        self.play(leg, playback, vec![PromptSource::Host(words)], false, false);
        self.outbound = Some(Outbound::Whisper { leg, playback });
        true
    }

    /// The operator has heard who is called. False where that was not what was playing.
    pub(super) fn own_whisper_ended(&mut self, leg: LegId, playback: PlaybackId, now: Timestamp) -> bool {
        if self.outbound != Some(Outbound::Whisper { leg, playback }) {
            return false;
        }
        self.claim(Some(leg), now);
        true
    }

    /// An operator who was dialled first is not to be had, or gone. False where this leg is not theirs.
    pub(super) fn own_operator_ended(&mut self, leg: LegId, cause: HangupCause, now: Timestamp) -> bool {
        match self.outbound {
            Some(Outbound::Operator { leg: operator, offer, .. }) if operator == leg => {
                let outcome = offer_outcome(cause);
                self.command(Command::Queue(QueueOrder::OfferEnded { offer, outcome }));
                self.not_reached(HangupCause::Cancelled, AttemptOutcome::OperatorGone, now);
            }
            Some(Outbound::Whisper { leg: operator, .. } | Outbound::Claiming { operator: Some(operator), .. })
                if operator == leg =>
            {
                self.not_reached(HangupCause::Cancelled, AttemptOutcome::OperatorGone, now);
            }
            // The caller's telephone rings: whoever answers is not left alone, but goes to the queue's head.
            Some(Outbound::Caller { operator: Some((operator, _)), deadline }) if operator == leg => {
                self.outbound = Some(Outbound::Caller { operator: None, deadline });
                self.operator_free();
            }
            _ => return false,
        }
        true
    }

    pub(super) fn own_deadline(&self) -> Option<Timestamp> {
        match self.outbound.as_ref().filter(|_| self.ended.is_none())? {
            Outbound::Operator { deadline, .. }
            | Outbound::Claiming { deadline, .. }
            | Outbound::Caller { deadline, .. } => Some(*deadline),
            Outbound::Ringing { deadline } => self.pending.is_none().then_some(*deadline),
            _ => None,
        }
    }

    pub(super) fn own_timeout(&mut self, now: Timestamp) {
        if self.own_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.outbound {
            Some(Outbound::Operator { leg, offer, .. }) => {
                self.drop_leg(leg, HangupCause::NoAnswer, now);
                let ended = QueueOrder::OfferEnded { offer, outcome: OfferOutcome::NoAnswer };
                self.command(Command::Queue(ended));
                self.not_reached(HangupCause::Cancelled, AttemptOutcome::OperatorGone, now);
            }
            Some(Outbound::Claiming { .. }) => {
                self.not_reached(HangupCause::Cancelled, AttemptOutcome::OperatorGone, now);
            }
            Some(Outbound::Caller { .. }) => self.not_reached(HangupCause::NoAnswer, AttemptOutcome::NoAnswer, now),
            Some(Outbound::Ringing { .. }) => self.begin_answer(Initiator::Host, None),
            _ => {}
        }
    }

    /// The caller was not reached, or was not dialled: the call is over.
    fn not_reached(&mut self, cause: HangupCause, outcome: AttemptOutcome, now: Timestamp) {
        self.attempt_over(outcome);
        self.end_first_leg(cause, EndReason::HostLimit, now);
    }

    /// Hangs up on the first leg, if that is there, and ends the call.
    pub(super) fn end_first_leg(&mut self, cause: HangupCause, reason: EndReason, now: Timestamp) {
        if self.ended.is_some() {
            return;
        }
        if self.legs.first().phase > LegPhase::Planned {
            self.leg_command(LegId::FIRST, LegCommand::Hangup);
        }
        self.legs.end_first(cause, None, EndedBy::Engine, now);
        self.caller_gone(reason, now);
    }

    /// Says how the attempt went, once.
    fn attempt_over(&mut self, outcome: AttemptOutcome) {
        if let Some(callback) = self.fulfilled_callback().filter(|_| !self.attempt_told) {
            self.attempt_told = true;
            self.command(Command::Callback(CallbackOrder::Ended { callback, outcome }));
        }
    }

    /// Caller and operator talk: said at once, so that a crash in the middle of the talk does not make it unknown.
    pub(super) fn callback_connected(&mut self) {
        self.attempt_over(AttemptOutcome::Connected);
    }

    /// The first leg is over, however that came.
    pub(super) fn own_call_over(&mut self, now: Timestamp) {
        let Some(outbound) = self.outbound.clone() else { return };
        let cause = self.legs.first().record.cause;
        match outbound {
            Outbound::Operator { offer, .. } => {
                if !self.attempt_told {
                    let ended = QueueOrder::OfferEnded { offer, outcome: OfferOutcome::Withdrawn };
                    self.command(Command::Queue(ended));
                }
                self.attempt_over(AttemptOutcome::OperatorGone);
            }
            Outbound::Whisper { .. } | Outbound::Claiming { .. } => self.attempt_over(AttemptOutcome::OperatorGone),
            Outbound::Caller { .. } => self.attempt_over(attempt_outcome(cause)),
            Outbound::Greeting | Outbound::Served => self.attempt_over(AttemptOutcome::Left),
            Outbound::Ringing { .. } | Outbound::Answered => {
                // Dialled, and hung up: that is how the number is used. Who has heard more has had an answer.
                let unheard = matches!(outbound, Outbound::Ringing { .. })
                    || matches!(self.pending_operation(), Some(Operation::Say));
                if unheard && let Purpose::CallbackNumber { queue, .. } = self.start.purpose.clone() {
                    self.book_for_number(queue, now);
                }
            }
        }
    }

    /// The callback that this call fulfils.
    pub(super) fn fulfilled_callback(&self) -> Option<CallbackId> {
        fulfils(&self.start).map(|start| start.callback.clone())
    }

    fn callback_wish(&self) -> QueueWish {
        let wish = fulfils(&self.start).map(|start| start.wish.clone());
        let (skills, screen_pop) =
            wish.as_ref().map(|wish| (wish.skills.clone(), wish.fields.clone())).unwrap_or_default();
        let queue = wish.map_or_else(|| crate::ids::Queue::new(""), |wish| wish.queue);
        QueueWish {
            queue,
            priority: 0,
            skills,
            music: None,
            wait_max: None,
            screen_pop,
            announce: true,
            return_on_end: false,
        }
    }
}

/// What a call fulfils.
pub(super) fn fulfils(start: &CallStart) -> Option<&CallbackStart> {
    match &start.purpose {
        Purpose::Callback(callback) => Some(callback),
        Purpose::Script | Purpose::CallbackNumber { .. } | Purpose::Campaign(_) => None,
    }
}

/// The caller's telephone rang, or did not.
const fn attempt_outcome(cause: HangupCause) -> AttemptOutcome {
    match cause {
        HangupCause::Busy => AttemptOutcome::Busy,
        HangupCause::Rejected | HangupCause::NotFound | HangupCause::NoCommonMedia => AttemptOutcome::Rejected,
        HangupCause::Unavailable | HangupCause::ProtocolError | HangupCause::AdmissionLimit => {
            AttemptOutcome::Unavailable
        }
        _ => AttemptOutcome::NoAnswer,
    }
}
