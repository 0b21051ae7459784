//! How callbacks are promised, begun, claimed, tried again, escalated, and found again after a crash.
//!
//! A callback waits in the line from the time at which it may be begun. Its turn is a call of its own
//! ([`CentreCommand::Start`]). In that call the caller is dialled only after [`CallbackOrder::Claim`] was granted, and it is
//! granted only after it was written down; so whatever a crash leaves tells whether somebody may have been rung.
//!
//! [`CallbackOrder::Claim`]: super::CallbackOrder::Claim

use super::book::{ATTEMPTS_KEPT_MAX, Entry, Saving, Stage, bounded};
use super::callback::{
    AttemptOutcome, Callback, CallbackAttempt, CallbackReceipt, CallbackRefusal, CallbackState, CallbackWish, GivenUp,
    UnknownRule,
};
use super::entering::place_of;
use super::face::{CallbackDecision, CentreCommand, SaveId};
use super::line::{Member, Wait};
use super::machine::CentreMachine;
use super::timers::Timer;
use crate::ids::{CallId, CallbackId};
use crate::time::Timestamp;
use std::time::Duration;

/// A call that was begun and claimed nothing is not begun again sooner.
const BEGIN_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// What could not be written down is tried again after so long.
const SAVE_AGAIN_AFTER: Duration = Duration::from_secs(10);

impl CentreMachine {
    /// Promises a callback, if it may be promised, once it is written down.
    pub(super) fn book(&mut self, call: CallId, wish: CallbackWish, now: Timestamp) {
        let queue = self.queue(&wish.queue);
        let (earliest, due) = match self.book.check(&wish, queue.as_deref(), now) {
            Ok(times) => times,
            Err(refusal) => {
                self.command(CentreCommand::Booked { call, result: Err(refusal) });
                return;
            }
        };
        let mut id = self.names.callback();
        while self.book.knows(&id) {
            id = self.names.callback();
        }
        let callback = Callback {
            id: id.clone(),
            wish: bounded(wish),
            requested: now,
            earliest,
            due,
            state: CallbackState::Waiting { not_before: earliest },
            escalated: None,
            attempts: Vec::new(),
        };
        self.book.insert(Entry { callback, stage: Stage::Booking(Some(call)) });
        self.save(Saving::Booking(id));
    }

    /// The caller is about to be dialled: granted once, to the call that was begun for this callback.
    pub(super) fn claim(&mut self, call: CallId, id: &CallbackId, now: Timestamp) {
        let entry = self.book.entry_mut(id).filter(|entry| {
            entry.stage == Stage::Begun(call) && matches!(entry.callback.state, CallbackState::Waiting { .. })
        });
        let Some(entry) = entry else {
            self.command(CentreCommand::Claimed { call, granted: false });
            return;
        };
        entry.stage = Stage::Claiming(call);
        entry.callback.state = CallbackState::Claimed;
        entry.callback.attempts.push(CallbackAttempt { call, claimed: now, outcome: None });
        self.save(Saving::Claim(id.clone(), call));
    }

    /// The attempt is over.
    pub(super) fn attempt_ended(&mut self, call: CallId, id: &CallbackId, outcome: AttemptOutcome, now: Timestamp) {
        let Some(entry) = self.book.entry_mut(id).filter(|entry| entry.call() == Some(call)) else { return };
        match entry.stage {
            Stage::Booking(_) | Stage::Standing => {}
            Stage::Begun(_) => self.nothing_was_tried(id, now),
            Stage::Claiming(_) => {
                // Not granted yet, so nobody was dialled, whatever the call says.
                entry.end_attempt(AttemptOutcome::OperatorGone);
                entry.stage = Stage::Standing;
                self.wait_again(id, now + BEGIN_AGAIN_AFTER, now);
                self.save(Saving::Change(id.clone()));
            }
            Stage::Claimed(_) => self.claimed_ended(call, id, outcome, now),
        }
    }

    fn claimed_ended(&mut self, call: CallId, id: &CallbackId, outcome: AttemptOutcome, now: Timestamp) {
        let Some(entry) = self.book.entry_mut(id) else { return };
        entry.end_attempt(outcome);
        entry.stage = Stage::Standing;
        let queue = self.settings.queues.get(&entry.callback.wish.queue);
        let rules = queue.and_then(|queue| queue.callback.as_ref());
        let (attempts_max, retry_after) =
            rules.map_or((1, Duration::ZERO), |rules| (rules.attempts_max, rules.retry_after));
        let tried_enough =
            entry.attempts_counted() >= usize::from(attempts_max) || entry.callback.attempts.len() >= ATTEMPTS_KEPT_MAX;
        if outcome == AttemptOutcome::Connected {
            entry.callback.state = CallbackState::Connected { at: now };
            self.served(call);
            self.is_over(id);
        } else if tried_enough {
            entry.callback.state = CallbackState::GivenUp { reason: GivenUp::NotReached, at: now };
            self.is_over(id);
        } else {
            let pause = if outcome == AttemptOutcome::OperatorGone { BEGIN_AGAIN_AFTER } else { retry_after };
            self.wait_again(id, now + pause.max(BEGIN_AGAIN_AFTER), now);
        }
        self.save(Saving::Change(id.clone()));
    }

    /// A call that was begun ends without a claim.
    fn nothing_was_tried(&mut self, id: &CallbackId, now: Timestamp) {
        if let Some(entry) = self.book.entry_mut(id) {
            entry.stage = Stage::Standing;
        }
        self.wait_again(id, now + BEGIN_AGAIN_AFTER, now);
    }

    /// Back into the line, not before a time.
    fn wait_again(&mut self, id: &CallbackId, not_before: Timestamp, now: Timestamp) {
        let Some(entry) = self.book.entry_mut(id) else { return };
        let not_before = not_before.max(entry.callback.earliest);
        entry.callback.state = CallbackState::Waiting { not_before };
        self.callbacks_changed.insert(id.clone());
        if not_before <= now {
            self.put_in_line(id, now);
        } else {
            self.timers.set(Timer::Turn(id.clone()), not_before);
        }
    }

    /// Its time has come: it stands in the line, at the kept place.
    pub(super) fn put_in_line(&mut self, id: &CallbackId, now: Timestamp) {
        let Some(entry) = self.book.entry(id) else { return };
        if entry.stage != Stage::Standing || !matches!(entry.callback.state, CallbackState::Waiting { .. }) {
            return;
        }
        let (rank, since) = place_of(&entry.callback);
        let (queue, skills) = (entry.callback.wish.queue.clone(), entry.callback.wish.skills.clone());
        let place = self.line.place(rank, since);
        self.queues_changed.insert(queue.clone());
        self.line.put_callback(id.clone(), Wait { queue, place, skills });
        self.watch_demands(&Member::Callback(id.clone()), now);
    }

    pub(super) fn take_from_line(&mut self, id: &CallbackId) {
        self.timers.clear(Timer::Turn(id.clone()));
        self.timers.clear(Timer::Relaxed(Member::Callback(id.clone())));
        if let Some(wait) = self.line.take_callback(id) {
            self.queues_changed.insert(wait.queue);
        }
    }

    /// It was not kept in time: before everybody from now on, and said.
    pub(super) fn escalate(&mut self, id: &CallbackId, now: Timestamp) {
        let Some(entry) = self.book.entry_mut(id).filter(|entry| entry.callback.escalated.is_none()) else { return };
        entry.callback.escalated = Some(now);
        let call = entry.call();
        self.line.escalate(id, call);
        self.timers.clear(Timer::Relaxed(Member::Callback(id.clone())));
        self.callbacks_changed.insert(id.clone());
        self.command(CentreCommand::Escalated(id.clone()));
        self.save(Saving::Change(id.clone()));
    }

    /// Nothing more comes of it.
    fn is_over(&mut self, id: &CallbackId) {
        self.take_from_line(id);
        self.timers.clear(Timer::Due(id.clone()));
        self.callbacks_changed.insert(id.clone());
    }

    /// A call is over: what it was begun for did not happen, or nobody knows.
    pub(super) fn callback_call_over(&mut self, call: CallId, now: Timestamp) {
        for entry in self.book.entries_mut() {
            if entry.stage == Stage::Booking(Some(call)) {
                entry.stage = Stage::Booking(None);
            }
        }
        let Some(id) = self.book.of_call(call) else { return };
        self.book.end_call(call);
        let Some(entry) = self.book.entry_mut(&id).filter(|entry| entry.call() == Some(call)) else { return };
        if entry.stage != Stage::Claimed(call) {
            self.attempt_ended(call, &id, AttemptOutcome::OperatorGone, now);
            return;
        }
        let rule = unknown_rule(self.settings.queues.get(&entry.callback.wish.queue).map(AsRef::as_ref));
        entry.cut_off(rule, now);
        self.changed_by_hand(&id);
    }

    /// Its state was set as it is to stay, for the time being.
    fn changed_by_hand(&mut self, id: &CallbackId) {
        self.take_from_line(id);
        if self.book.entry(id).is_some_and(|entry| entry.callback.state.is_over()) {
            self.is_over(id);
        }
        self.callbacks_changed.insert(id.clone());
        self.save(Saving::Change(id.clone()));
    }

    /// A person decides.
    pub(super) fn decided(
        &mut self,
        id: &CallbackId,
        decision: CallbackDecision,
        now: Timestamp,
    ) -> Result<(), CallbackRefusal> {
        let state = self.book.get(id).ok_or_else(|| CallbackRefusal::NotFound(id.clone()))?.state.clone();
        let wrong = |state: &CallbackState| Err(CallbackRefusal::WrongState { state: state.as_str() });
        match (decision, state) {
            (CallbackDecision::Cancel { by }, CallbackState::Waiting { .. } | CallbackState::Unknown { .. }) => {
                if let Some(entry) = self.book.entry_mut(id) {
                    // A call that was begun claims nothing any more.
                    entry.stage = Stage::Standing;
                    entry.callback.state = CallbackState::GivenUp { reason: GivenUp::Cancelled { by }, at: now };
                }
                self.changed_by_hand(id);
            }
            (CallbackDecision::TryAgain, CallbackState::Unknown { .. } | CallbackState::GivenUp { .. }) => {
                self.book.reopen(id);
                self.wait_again(id, now, now);
                if let Some(due) = self.book.entry(id).map(|entry| entry.callback.due) {
                    self.timers.set(Timer::Due(id.clone()), due.max(now));
                }
                self.save(Saving::Change(id.clone()));
            }
            (CallbackDecision::TakeAsConnected, CallbackState::Unknown { .. }) => {
                if let Some(entry) = self.book.entry_mut(id) {
                    entry.end_attempt(AttemptOutcome::Connected);
                    entry.callback.state = CallbackState::Connected { at: now };
                }
                self.changed_by_hand(id);
            }
            (_, state) => return wrong(&state),
        }
        Ok(())
    }

    fn save(&mut self, saving: Saving) {
        let (Saving::Booking(id) | Saving::Claim(id, _) | Saving::Change(id)) = &saving;
        let id = id.clone();
        let Some(callback) = self.book.entry(&id).map(|entry| entry.callback.clone()) else { return };
        let save = self.book.save(saving);
        self.command(CentreCommand::Save { save, callback: Box::new(callback) });
        self.book.settle(&id);
    }

    /// What could not be written down, once more, as it is by now.
    pub(super) fn save_again(&mut self, id: &CallbackId) {
        let Some(callback) = self.book.get(id).cloned() else { return };
        let save = self.book.save(Saving::Change(id.clone()));
        self.command(CentreCommand::Save { save, callback: Box::new(callback) });
    }

    /// Something was written down, or could not be.
    pub(super) fn saved(&mut self, save: SaveId, result: Result<(), String>, now: Timestamp) {
        match (self.book.saved(save), result) {
            (Some(Saving::Booking(id)), result) => self.booking_saved(&id, result, now),
            (Some(Saving::Claim(id, call)), result) => self.claim_saved(&id, call, result.is_ok()),
            (Some(Saving::Change(id)), Err(_)) => self.save_later(id, now),
            (Some(Saving::Change(_)), Ok(())) | (None, _) => {}
        }
    }

    fn save_later(&mut self, id: CallbackId, now: Timestamp) {
        self.timers.set(Timer::SaveAgain(id), now + SAVE_AGAIN_AFTER);
    }

    fn booking_saved(&mut self, id: &CallbackId, result: Result<(), String>, now: Timestamp) {
        let Some(entry) = self.book.entry_mut(id) else { return };
        let Stage::Booking(call) = entry.stage else { return };
        let told = match result {
            Ok(()) => {
                entry.stage = Stage::Standing;
                let callback = &entry.callback;
                let (due, not_before) = (callback.due, callback.earliest);
                self.timers.set(Timer::Due(id.clone()), due);
                self.wait_again(id, not_before, now);
                Ok(CallbackReceipt { id: id.clone(), due })
            }
            Err(error) => {
                self.book.remove(id);
                Err(CallbackRefusal::Store(error))
            }
        };
        if let Some(call) = call {
            self.command(CentreCommand::Booked { call, result: told });
        }
    }

    fn claim_saved(&mut self, id: &CallbackId, call: CallId, durable: bool) {
        let Some(entry) = self.book.entry_mut(id).filter(|entry| entry.stage == Stage::Claiming(call)) else { return };
        if durable {
            entry.stage = Stage::Claimed(call);
        } else {
            entry.callback.attempts.pop();
            entry.stage = Stage::Begun(call);
            entry.callback.state = CallbackState::Waiting { not_before: entry.callback.earliest };
            // The store may hold the claim or not by now.
            self.save(Saving::Change(id.clone()));
        }
        self.callbacks_changed.insert(id.clone());
        self.command(CentreCommand::Claimed { call, granted: durable });
    }

    /// What a former process left. Those that wait go on with their due time; claims that it did not end are unknown.
    pub(super) fn recover(&mut self, callbacks: Vec<Callback>, now: Timestamp) {
        for callback in callbacks {
            if self.book.knows(&callback.id) {
                continue;
            }
            if callback.state.is_over() {
                self.book.put_over(callback);
                continue;
            }
            let (id, due) = (callback.id.clone(), callback.due);
            let rule = unknown_rule(self.settings.queues.get(&callback.wish.queue).map(AsRef::as_ref));
            let (state, escalated) = (callback.state.clone(), callback.escalated);
            self.book.insert(Entry { callback, stage: Stage::Standing });
            if escalated.is_none() {
                self.timers.set(Timer::Due(id.clone()), due.max(now));
            }
            match state {
                CallbackState::Waiting { not_before } => self.wait_again(&id, not_before, now),
                CallbackState::Claimed => {
                    if let Some(entry) = self.book.entry_mut(&id) {
                        entry.cut_off(rule, now);
                    }
                    self.changed_by_hand(&id);
                }
                CallbackState::Unknown { .. } | CallbackState::Connected { .. } | CallbackState::GivenUp { .. } => {
                    self.callbacks_changed.insert(id);
                }
            }
        }
    }
}

fn unknown_rule(queue: Option<&super::settings::QueueSettings>) -> UnknownRule {
    queue.and_then(|queue| queue.callback.as_ref()).map_or(UnknownRule::Ask, |rules| rules.unknown)
}
