//! Operators' telephones that ring for a waiting caller: one, or several at once. The first who answers has the caller.

use super::input::{Command, TranscriptLine};
use super::legs::LEGS_MAX;
use super::transfer::Transfer;
use super::waiting::WaitStage;
use super::{CallMachine, Initiator, Operation, Pending};
use crate::centre::{LeaveReason, Offer, OfferId, OfferOutcome, QueueOrder};
use crate::ids::{LegId, Operator};
use crate::leg::{HangupCause, LegCommand};
use crate::records::QueueOutcome;
use crate::script::QueueEvent;
use crate::time::Timestamp;
use std::sync::Arc;

/// One telephone that rings.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    pub(super) offer: OfferId,
    operator: Operator,
    pub(super) leg: LegId,
    deadline: Timestamp,
    /// The operator is there already, while a callback is being written down for the caller.
    answered: bool,
}

impl Ring {
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        (!self.answered).then_some(self.deadline)
    }
}

impl CallMachine {
    /// Rings an operator.
    pub(super) fn ring(&mut self, offer: Offer, now: Timestamp) {
        let screen_pop = self.waiting.as_ref().map(|wait| wait.wish.screen_pop.clone()).unwrap_or_default();
        let Some((leg, record)) = self.legs.outbound(&offer.target, LEGS_MAX, now) else {
            // As many legs as a call may have: nobody can be rung for it any more.
            self.take_the_ear(now);
            self.offer_ended(offer.id, OfferOutcome::Unavailable);
            self.leave_line(QueueOutcome::Host, Some(LeaveReason::Host), now);
            self.wait_ends_with(QueueEvent::TimedOut, true, now);
            return;
        };
        let caller = self.caller_number();
        self.command(Command::LegBegan(Box::new(record)));
        self.leg_command(leg, LegCommand::Dial { target: offer.target, caller, screen_pop, chain: None });
        let ring =
            Ring { offer: offer.id, operator: offer.operator, leg, deadline: now + offer.ring_max, answered: false };
        if let Some(wait) = &mut self.waiting {
            wait.rings.push(ring);
        }
    }

    fn offer_ended(&mut self, offer: OfferId, outcome: OfferOutcome) {
        self.command(Command::Queue(QueueOrder::OfferEnded { offer, outcome }));
    }

    fn take_ring(&mut self, which: impl Fn(&Ring) -> bool) -> Option<Ring> {
        let wait = self.waiting.as_mut()?;
        let at = wait.rings.iter().position(which)?;
        Some(wait.rings.remove(at))
    }

    /// The centre takes a ring back.
    pub(super) fn withdraw_ring(&mut self, offer: OfferId, now: Timestamp) {
        if let Some(ring) = self.take_ring(|ring| ring.offer == offer) {
            self.drop_leg(ring.leg, HangupCause::EngineHangup, now);
            self.offer_ended(offer, OfferOutcome::Withdrawn);
        }
    }

    pub(super) fn ring_timeouts(&mut self, now: Timestamp) {
        while let Some(ring) = self.take_ring(|ring| ring.deadline().is_some_and(|deadline| now >= deadline)) {
            self.drop_leg(ring.leg, HangupCause::NoAnswer, now);
            self.offer_ended(ring.offer, OfferOutcome::NoAnswer);
        }
    }

    /// An operator's telephone rings no more, unanswered. False where this leg is none of them.
    pub(super) fn ring_failed(&mut self, leg: LegId, cause: HangupCause) -> bool {
        let Some(ring) = self.take_ring(|ring| ring.leg == leg) else { return false };
        self.offer_ended(ring.offer, offer_outcome(cause));
        true
    }

    /// A leg was answered. False where it is no operator's that rings for the caller.
    pub(super) fn ring_answered(&mut self, leg: LegId, now: Timestamp) -> bool {
        let busy = self.booking.is_some();
        let Some(wait) = &mut self.waiting else { return false };
        let Some(ring) = wait.rings.iter_mut().find(|ring| ring.leg == leg) else { return false };
        ring.answered = true;
        // The caller has just chosen a callback: whether it is promised decides.
        if !busy {
            self.join_operator(now);
        }
        true
    }

    /// The first operator who has answered has the caller.
    pub(super) fn join_operator(&mut self, now: Timestamp) {
        let Some(ring) = self.take_ring(|ring| ring.answered) else { return };
        self.take_the_ear(now);
        self.offer_ended(ring.offer, OfferOutcome::Answered);
        self.operator_talks = true;
        let Some(wait) = &mut self.waiting else { return };
        wait.stage = WaitStage::Talking;
        wait.delayed = None;
        let transfer = Transfer::talking(Arc::from(ring.operator.as_str()), ring.leg, &wait.wish, now);
        for other in std::mem::take(&mut wait.rings) {
            self.drop_leg(other.leg, HangupCause::EngineHangup, now);
            self.offer_ended(other.offer, OfferOutcome::Withdrawn);
        }
        self.stop_music();
        self.drop_all_players();
        self.keys_ahead.clear();
        self.wait_outcome(QueueOutcome::Answered(ring.operator.clone()), now);
        self.pending =
            Some(Pending { initiator: Initiator::Queue, operation: Operation::Transfer(Box::new(transfer)) });
        self.command(Command::Bridge(LegId::FIRST, ring.leg));
        self.transcribe(TranscriptLine::Bridged);
        self.callback_connected();
        self.callee_connected();
        self.queue_event(QueueEvent::Answered(ring.operator), now);
    }

    /// The operator is free again, as far as this call goes.
    pub(super) fn operator_free(&mut self) {
        if std::mem::take(&mut self.operator_talks) {
            self.command(Command::Queue(QueueOrder::TalkOver));
        }
    }
}

pub(super) const fn offer_outcome(cause: HangupCause) -> OfferOutcome {
    match cause {
        HangupCause::Busy => OfferOutcome::Busy,
        HangupCause::NoAnswer => OfferOutcome::NoAnswer,
        HangupCause::Rejected | HangupCause::PartyHangup => OfferOutcome::Rejected,
        _ => OfferOutcome::Unavailable,
    }
}
