//! Promising callbacks: what is written down, and what is told when it is.

use super::callback_offer::Wanted;
use super::input::Command;
use super::waiting::WaitStage;
use super::{CallMachine, Initiator, Operation, Pending};
use crate::centre::{CallbackOrder, CallbackOrigin, CallbackReceipt, CallbackRefusal, CallbackWish, LeaveReason};
use crate::privacy::PhoneNumber;
use crate::records::QueueOutcome;
use crate::script::{CallError, CallbackRequest, HandleId, Reply};
use crate::time::Timestamp;
use std::time::Duration;

/// So long a callback may take to be written down; then it is not promised.
const BOOKING_MAX: Duration = Duration::from_secs(10);

/// A callback is being written down.
#[derive(Debug)]
pub(super) struct Booking {
    deadline: Timestamp,
}

impl CallMachine {
    /// Asks for a callback to be written down; one at a time.
    pub(super) fn book(&mut self, wanted: Wanted, number: PhoneNumber, origin: CallbackOrigin, now: Timestamp) {
        let wish = CallbackWish {
            queue: wanted.queue,
            agency: self.start.agency.clone(),
            number,
            topic: wanted.topic,
            lang: self.lang().clone(),
            fields: wanted.fields,
            earliest: wanted.earliest,
            call: self.start.id,
            origin,
            waited_since: wanted.waited_since,
            skills: wanted.skills,
        };
        self.booking = Some(Booking { deadline: now + BOOKING_MAX });
        self.command(Command::Callback(CallbackOrder::Book(Box::new(wish))));
    }

    /// A script books one by itself.
    pub(super) fn book_for_script(&mut self, initiator: Initiator, request: CallbackRequest, now: Timestamp) {
        let Some(number) = self.start.routes.plan.normalise(request.number.reveal()) else {
            let error = CallError::Invalid(format!("number: {} is not a whole telephone number", request.number));
            self.answer(initiator, Err(error), now);
            return;
        };
        if self.booking.is_some() {
            self.answer(initiator, Err(one_at_a_time()), now);
            return;
        }
        let wanted = Wanted {
            topic: request.topic,
            fields: request.fields,
            earliest: request.earliest,
            ..Wanted::of(request.queue)
        };
        self.pending = Some(Pending { initiator, operation: Operation::Booking { leaves_queue: false } });
        self.book(wanted, number, CallbackOrigin::Script, now);
    }

    /// The caller gives the place in the queue for a callback.
    pub(super) fn convert(
        &mut self,
        initiator: Initiator,
        handle: HandleId,
        number: Option<PhoneNumber>,
        now: Timestamp,
    ) -> Result<(), CallError> {
        if !self.is_in_line(handle) {
            return Err(CallError::NotFound("the caller does not wait any more".into()));
        }
        if self.booking.is_some() {
            return Err(one_at_a_time());
        }
        if self.waiting.as_ref().is_some_and(|wait| matches!(wait.stage, WaitStage::Peer { .. })) {
            return Err(CallError::BusyResource("the caller is being connected elsewhere".into()));
        }
        let number = match number {
            Some(number) => self.start.routes.plan.normalise(number.reveal()),
            None => self.own_number(),
        };
        let number = number.ok_or_else(|| CallError::Invalid("number: not a whole telephone number".into()))?;
        let wanted = self.wanted_in_wait().ok_or_else(|| CallError::NotFound("this wait is over".into()))?;
        self.take_the_ear(now);
        self.pending = Some(Pending { initiator, operation: Operation::Booking { leaves_queue: true } });
        self.book(wanted, number, CallbackOrigin::Script, now);
        Ok(())
    }

    /// The caller's own number, where it is known and whole.
    pub(super) fn own_number(&self) -> Option<PhoneNumber> {
        let incoming = &self.start.incoming;
        let own = if self.campaign().is_some() { &incoming.called } else { incoming.caller.as_ref()? };
        self.start.routes.plan.normalise(own.reveal())
    }

    pub(super) fn booking_deadline(&self) -> Option<Timestamp> {
        self.booking.as_ref().map(|booking| booking.deadline)
    }

    pub(super) fn booking_timeout(&mut self, now: Timestamp) {
        if self.booking_deadline().is_some_and(|deadline| now >= deadline) {
            self.booked(Err(CallbackRefusal::Store("no answer in time".into())), now);
        }
    }

    /// It is durable, or is not promised.
    pub(super) fn booked(&mut self, result: Result<CallbackReceipt, CallbackRefusal>, now: Timestamp) {
        if self.booking.take().is_none() {
            return;
        }
        if let Ok(receipt) = &result {
            let record = &mut self.legs.first_mut().record;
            record.callback = Some(receipt.id.clone());
            // Whoever hung up in this very moment did not leave without an answer.
            if let Some(queue) = record.queue.as_mut().filter(|queue| queue.outcome == Some(QueueOutcome::Abandoned)) {
                queue.outcome = Some(QueueOutcome::Callback);
            }
        }
        if self.ended.is_some() {
            return;
        }
        match self.pending_operation() {
            Some(Operation::Booking { leaves_queue }) => {
                if *leaves_queue && result.is_ok() {
                    self.leave_line(QueueOutcome::Callback, Some(LeaveReason::Callback), now);
                }
                self.finish(result.map(Reply::Callback).map_err(|refusal| call_error(&refusal)), now);
            }
            Some(Operation::Dialog(_)) => self.dialog_booked(result, now),
            _ => {}
        }
        self.after_booking(now);
    }
}

fn one_at_a_time() -> CallError {
    CallError::BusyResource("a callback is being written down; one at a time".into())
}

/// For the script's author.
fn call_error(refusal: &CallbackRefusal) -> CallError {
    let what = refusal.to_string();
    match refusal {
        CallbackRefusal::NoQueue(_) | CallbackRefusal::NotFound(_) => CallError::NotFound(what),
        CallbackRefusal::TooMany(_) | CallbackRefusal::TooManyToNumber(_) => CallError::Quota(what),
        CallbackRefusal::Store(_) => CallError::Unavailable(what),
        CallbackRefusal::NotDialable
        | CallbackRefusal::NeverOpen(_)
        | CallbackRefusal::TooFar(_)
        | CallbackRefusal::WrongState { .. } => CallError::Invalid(what),
    }
}
