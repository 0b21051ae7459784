//! What a script hears of its caller's wait, and what it may ask meanwhile.

use super::input::ScriptRun;
use super::{CallMachine, Initiator, within};
use crate::centre::LeaveReason;
use crate::records::QueueOutcome;
use crate::script::{CallError, HandleId, QueueEvent, Reply, Request};
use crate::time::Timestamp;
use std::time::Duration;

impl CallMachine {
    /// Something of the wait, for the script: at once where it is asking, else when it asks.
    pub(super) fn queue_event(&mut self, event: QueueEvent, now: Timestamp) {
        let Some(wait) = &mut self.waiting else { return };
        if !matches!(wait.owner, Initiator::Script(_)) {
            return;
        }
        wait.keep_event(event);
        self.tell_next_event(now);
    }

    fn tell_next_event(&mut self, now: Timestamp) {
        let Some(wait) = &mut self.waiting else { return };
        if let Some((run, _)) = wait.asking
            && let Some(event) = wait.events.pop_front()
        {
            wait.asking = None;
            self.answer(Initiator::Script(run), Ok(Reply::QueueEvent(Some(event))), now);
        }
    }

    /// What the script asked meanwhile is begun.
    pub(super) fn unpark(&mut self, now: Timestamp) {
        if self.pending.is_none()
            && let Some((run, request)) = self.waiting.as_mut().and_then(|wait| wait.parked.take())
        {
            self.go_on_with(run, request, now);
        }
    }

    /// Whether the script waits for an answer that is not that of the pending operation.
    pub(super) fn script_asks_of_wait(&self) -> bool {
        self.waiting.as_ref().is_some_and(|wait| wait.asking.is_some() || wait.parked.is_some())
    }

    /// What a script asks while its caller waits, or did; none where that is dealt with.
    pub(super) fn request_in_wait(&mut self, run: ScriptRun, request: Request, now: Timestamp) -> Option<Request> {
        let initiator = Initiator::Script(run);
        let result = match request {
            Request::QueueNext { handle, timeout } => return self.next_event(run, handle, timeout, now),
            Request::QueueLeave(handle) => self.leave_at_will(handle, now),
            Request::QueueConvert { handle, number } => match self.convert(initiator, handle, number, now) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            request if self.pending.is_some() => {
                if let Some(wait) = &mut self.waiting {
                    wait.parked = Some((run, request));
                }
                return None;
            }
            request if !self.waiting.as_ref().is_some_and(|wait| wait.is_in_line()) => return Some(request),
            Request::Hangup { .. } => {
                self.leave_line(QueueOutcome::Left, Some(LeaveReason::Script), now);
                return Some(request);
            }
            Request::Transfer { .. } | Request::RecordMessage(_) | Request::StartRecording(_) | Request::Enqueue(_) => {
                Err(CallError::BusyResource("the caller waits in a queue; leave it first".into()))
            }
            request => return Some(request),
        };
        self.answer(initiator, result, now);
        None
    }

    fn next_event(&mut self, run: ScriptRun, handle: HandleId, timeout: Duration, now: Timestamp) -> Option<Request> {
        let limit = self.start.limits.wait_max;
        let deadline = self.caller_clock(now);
        let found = self.waiting.as_mut().filter(|wait| wait.handle == handle);
        let result = match (found, within("timeout", timeout, limit)) {
            (None, _) => Err(CallError::NotFound("this wait is over".into())),
            (_, Err(error)) => Err(error),
            (Some(wait), Ok(timeout)) => {
                let in_line = wait.is_in_line();
                let key = || if in_line { self.keys_ahead.take_first().map(QueueEvent::Key) } else { None };
                match wait.events.pop_front().or_else(key) {
                    Some(event) => Ok(Reply::QueueEvent(Some(event))),
                    None if wait.is_over() && wait.put_out.is_none() && self.pending.is_none() => {
                        Err(CallError::NotFound("this wait is over".into()))
                    }
                    None => {
                        wait.asking = Some((run, deadline + timeout));
                        return None;
                    }
                }
            }
        };
        self.answer(Initiator::Script(run), result, now);
        None
    }

    fn leave_at_will(&mut self, handle: HandleId, now: Timestamp) -> Result<Reply, CallError> {
        let Some(wait) = self.waiting.as_ref().filter(|wait| wait.handle == handle) else { return Ok(Reply::Done) };
        if wait.is_in_line() && self.booking.is_none() {
            self.take_the_ear(now);
            self.leave_line(QueueOutcome::Left, Some(LeaveReason::Script), now);
            return Ok(Reply::Done);
        }
        if wait.is_over() {
            return Ok(Reply::Done);
        }
        Err(CallError::BusyResource("the caller is with somebody already".into()))
    }

    /// Whether the caller waits under this handle.
    pub(super) fn is_in_line(&self, handle: HandleId) -> bool {
        self.waiting.as_ref().is_some_and(|wait| wait.handle == handle && wait.is_in_line())
    }

    /// A key of a waiting caller that nothing asks for: the script's next event.
    pub(super) fn key_in_wait(&mut self, key: char, now: Timestamp) -> bool {
        let asks = self.waiting.as_ref().is_some_and(|wait| wait.is_in_line() && wait.asking.is_some());
        if asks && self.pending.is_none() {
            self.queue_event(QueueEvent::Key(key), now);
        }
        asks
    }
}
