//! Callers come into the line, and leave it.

use super::book::Stage;
use super::line::{Member, Rank, Wait, Waiter};
use super::machine::{CentreMachine, no_queue};
use super::settings::QueueSettings;
use super::timers::Timer;
use super::waiting::{QueueNotice, WaitRefusal, Waiting};
use crate::ids::{CallId, Queue};
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Where nobody is at work in an open queue, waiting to the limit is no use: the host acts after so long.
const NOBODY_HERE_AFTER: Duration = Duration::from_secs(2);
/// Positions are not said more often.
const ANNOUNCE_EVERY_MIN: Duration = Duration::from_secs(5);

impl CentreMachine {
    /// A caller waits from now on. A call that waits already begins anew.
    pub(super) fn enter(&mut self, call: CallId, mut waiting: Box<Waiting>, now: Timestamp) {
        self.leave(call, now);
        self.end_rings(call, now);
        self.talk_over(call, now);
        self.peers.release(call);
        let callback = self.callback_of(call, &waiting);
        waiting.callback = callback.as_ref().map(|(id, ..)| id.clone());
        let queue = match self.door(&waiting, now) {
            Ok(queue) => queue,
            Err(refusal) => {
                self.notice(call, QueueNotice::Refused(refusal));
                return;
            }
        };
        let place = match callback {
            Some((_, rank, since)) => self.line.place(rank, since),
            None if waiting.called => self.line.place(Rank::Called, now),
            None => self.line.place(Rank::Caller(Reverse(waiting.priority)), now),
        };
        let skills = std::mem::take(&mut waiting.skills);
        let wait = Wait { queue: waiting.queue.clone(), place, skills };
        if let Some(patience) = waiting.wait_max {
            self.timers.set(Timer::Patience(call), now + patience);
        }
        let waiter = Waiter {
            wait,
            waiting,
            entered: now,
            acts_at: now,
            acted: None,
            offers: BTreeSet::new(),
            peer: None,
            peers_tried: BTreeSet::new(),
            rung: BTreeMap::new(),
        };
        let name = waiter.wait.queue.clone();
        self.line.enter(call, waiter);
        self.wait_by(call, &queue, now);
        self.say_position(call, &name, false, now);
        self.queues_changed.insert(name);
        self.localise(call, &queue, now);
    }

    /// Who is let in. A caller whom we called back is always let in: full or closed is no answer to a promise.
    fn door(&self, waiting: &Waiting, now: Timestamp) -> Result<std::sync::Arc<QueueSettings>, WaitRefusal> {
        let name = &waiting.queue;
        let queue = self.queue(name).ok_or_else(|| WaitRefusal::Unknown(no_queue(name)))?;
        if waiting.callback.is_none() {
            if !queue.calendar.is_open(now) {
                return Err(WaitRefusal::Closed { opens: queue.calendar.opens_at(now) });
            }
            if self.line.count(name) >= queue.waiting_max {
                return Err(WaitRefusal::Full);
            }
        }
        Ok(queue)
    }

    /// The callback that this wait fulfils, its rank and its kept place; none where the call was not begun for it.
    fn callback_of(&self, call: CallId, waiting: &Waiting) -> Option<(crate::ids::CallbackId, Rank, Timestamp)> {
        let id = waiting.callback.as_ref()?;
        let entry = self.book.entry(id).filter(|entry| entry.stage == Stage::Claimed(call))?;
        let (rank, since) = place_of(&entry.callback);
        Some((id.clone(), rank, since))
    }

    /// Sets the timers of a waiting caller by the rules of the queue.
    pub(super) fn wait_by(&mut self, call: CallId, queue: &QueueSettings, now: Timestamp) {
        let nobody = self.nobody_is_here(&queue.name);
        let Some(waiter) = self.line.caller_mut(call) else { return };
        if waiter.acted.is_none() {
            let limit = waiter.entered + queue.wait_max.saturating_sub(queue.act_before);
            waiter.acts_at = if nobody { limit.min(now + NOBODY_HERE_AFTER) } else { limit };
            self.timers.set(Timer::Limit(call), waiter.acts_at);
        }
        match announce_every(queue) {
            None => self.timers.clear(Timer::Announce(call)),
            Some(every) if !self.timers.is_set(&Timer::Announce(call)) => {
                self.timers.set(Timer::Announce(call), now + every);
            }
            Some(_) => {}
        }
        self.watch_demands(&Member::Caller(call), now);
    }

    /// The last operator of a queue has gone: the host acts for those who wait sooner than at their limit.
    pub(super) fn hurry_where_nobody_is(&mut self, now: Timestamp) {
        let nobody: BTreeSet<Queue> = self.line.queues().filter(|queue| self.nobody_is_here(queue)).cloned().collect();
        if nobody.is_empty() {
            return;
        }
        let soon = now + NOBODY_HERE_AFTER;
        let hurried = self.line.callers().filter(|(_, waiter)| {
            waiter.acted.is_none() && waiter.acts_at > soon && nobody.contains(&waiter.wait.queue)
        });
        for call in hurried.map(|(call, _)| call).collect::<Vec<_>>() {
            if let Some(waiter) = self.line.caller_mut(call) {
                waiter.acts_at = soon;
                self.timers.set(Timer::Limit(call), soon);
            }
        }
    }

    pub(super) fn nobody_is_here(&self, queue: &Queue) -> bool {
        !self.board.desks().any(|(_, desk)| desk.is_here() && desk.settings.queues.contains(queue))
    }

    /// The caller waits no more. Rings for the caller are over, since the call that says so has ended them.
    pub(super) fn leave(&mut self, call: CallId, now: Timestamp) -> bool {
        let Some(waiter) = self.out_of_line(call) else { return false };
        for offer in waiter.offers {
            self.forget_ring(offer, now);
        }
        true
    }

    /// The machine puts the caller out: the call is told, and ends the rings.
    pub(super) fn put_out(&mut self, call: CallId, refusal: WaitRefusal, now: Timestamp) {
        self.put_out_with(call, QueueNotice::Refused(refusal), now);
    }

    fn put_out_with(&mut self, call: CallId, notice: QueueNotice, now: Timestamp) {
        let Some(waiter) = self.out_of_line(call) else { return };
        for offer in waiter.offers {
            self.withdraw(offer, now);
        }
        self.peers.release(call);
        self.notice(call, notice);
    }

    /// Takes the caller out of the line with all timers of the wait; rings are the caller's of this function to end.
    pub(super) fn out_of_line(&mut self, call: CallId) -> Option<Waiter> {
        let waiter = self.line.leave(call)?;
        for timer in
            [Timer::Limit(call), Timer::Patience(call), Timer::Announce(call), Timer::Relaxed(Member::Caller(call))]
        {
            self.timers.clear(timer);
        }
        self.queues_changed.insert(waiter.wait.queue.clone());
        Some(waiter)
    }

    /// The script's patience is at its end. A peer centre that is being dialled is waited for.
    pub(super) fn patience_over(&mut self, call: CallId, now: Timestamp) {
        const LOOK_AGAIN: Duration = Duration::from_secs(1);
        match self.line.caller(call) {
            Some(waiter) if waiter.peer.is_some() => self.timers.set(Timer::Patience(call), now + LOOK_AGAIN),
            Some(_) => self.put_out_with(call, QueueNotice::TimedOut, now),
            None => {}
        }
    }

    /// It is time to say the position.
    pub(super) fn announce(&mut self, call: CallId, now: Timestamp) {
        let Some(name) = self.line.caller(call).map(|waiter| waiter.wait.queue.clone()) else { return };
        let Some(every) = self.settings.queues.get(&name).and_then(|queue| announce_every(queue)) else { return };
        self.timers.set(Timer::Announce(call), now + every);
        self.say_position(call, &name, true, now);
    }

    fn say_position(&mut self, call: CallId, queue: &Queue, announce: bool, now: Timestamp) {
        let position = self.line.position(queue, call);
        let expected_wait = self.expected_wait(queue, position, now);
        self.notice(call, QueueNotice::Position { position, expected_wait, announce });
    }
}

/// Where a callback stands in the line.
pub(super) fn place_of(callback: &super::callback::Callback) -> (Rank, Timestamp) {
    let rank = if callback.escalated.is_some() { Rank::Escalated } else { Rank::Callback };
    (rank, callback.wish.waited_since.unwrap_or(callback.requested))
}

fn announce_every(queue: &QueueSettings) -> Option<Duration> {
    (!queue.announce_every.is_zero()).then(|| queue.announce_every.max(ANNOUNCE_EVERY_MIN))
}
