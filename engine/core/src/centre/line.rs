//! Who waits, in which order, and what the operator should be good at.

use super::settings::{OperatorSettings, QueueSettings, SkillRelaxation};
use super::waiting::{OfferId, SkillWish, Waiting};
use crate::ids::{CallId, CallbackId, Operator, Peer, Queue};
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Somebody who waits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Member {
    /// On the line.
    Caller(CallId),
    /// Nobody is on the line: the call is begun when its turn comes.
    Callback(CallbackId),
}

/// Who goes before whom.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    /// A callback that was not kept in time: before everybody, whatever it wishes of the operator.
    Escalated,
    /// A callback, or its caller who is on the line.
    Callback,
    /// Somebody whom a campaign has called, and who was to find an operator free.
    Called,
    /// Anybody else, higher priorities first.
    Caller(Reverse<u8>),
}

/// A place in the line: one for all queues, since an operator may serve several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub(super) rank: Rank,
    /// Kept over a callback: since when the caller has waited. Demands on skills fall from then on.
    pub(super) since: Timestamp,
    /// Who came first at the same moment.
    pub(super) number: u64,
}

/// What one who waits asks for.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    pub(super) queue: Queue,
    pub(super) place: Place,
    pub(super) skills: Vec<SkillWish>,
}

impl Wait {
    /// Whether an operator will do at `now`.
    pub(super) fn fits(&self, operator: &OperatorSettings, queue: &QueueSettings, now: Timestamp) -> bool {
        if !operator.queues.contains(&self.queue) {
            return false;
        }
        if self.place.rank == Rank::Escalated {
            return true;
        }
        let off = self.relaxed(&queue.relax, now);
        let level = |wish: &SkillWish| operator.skills.get(&wish.skill).copied().unwrap_or(0);
        self.skills.iter().all(|wish| level(wish) >= wish.level.saturating_sub(off))
    }

    /// Levels taken off each wish by `now`: of the steps that were reached, the one that takes off most.
    fn relaxed(&self, steps: &[SkillRelaxation], now: Timestamp) -> u8 {
        let waited = now.since(self.place.since);
        steps.iter().filter(|step| step.after <= waited).map(|step| step.levels).max().unwrap_or(0)
    }

    /// When demands fall next; none where there are none, or they fall no more.
    pub(super) fn relaxes_at(&self, queue: &QueueSettings, now: Timestamp) -> Option<Timestamp> {
        if self.skills.is_empty() || self.place.rank == Rank::Escalated {
            return None;
        }
        queue.relax.iter().map(|step| self.place.since + step.after).filter(|at| *at > now).min()
    }
}

/// A caller on the line.
#[derive(Clone, Debug)]
pub(super) struct Waiter {
    pub(super) wait: Wait,
    /// As the call said it; the skills are in `wait`.
    pub(super) waiting: Box<Waiting>,
    /// The limit counts from then on.
    pub(super) entered: Timestamp,
    /// When the host acts, next.
    pub(super) acts_at: Timestamp,
    /// When the host first acted.
    pub(super) acted: Option<Timestamp>,
    /// Rings for this caller that go on.
    pub(super) offers: BTreeSet<OfferId>,
    /// The peer centre that is being tried: meanwhile nobody is rung.
    pub(super) peer: Option<Peer>,
    /// Since the last offer of a callback.
    pub(super) peers_tried: BTreeSet<Peer>,
    /// How often each operator was rung in vain for this caller: the others come first.
    pub(super) rung: BTreeMap<Operator, u32>,
}

/// Everybody who waits.
///
/// *Invariant:* `order` holds exactly the places of `callers` and `callbacks`.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    order: BTreeMap<Place, Member>,
    callers: BTreeMap<CallId, Waiter>,
    callbacks: BTreeMap<CallbackId, Wait>,
    /// Callers on the line by queue, those who are called back not counted: what `waiting_max` limits.
    counts: BTreeMap<Queue, usize>,
    places: u64,
}

impl Line {
    /// A place at the end of its rank's line, or at a kept time.
    pub(super) fn place(&mut self, rank: Rank, since: Timestamp) -> Place {
        self.places += 1;
        Place { rank, since, number: self.places }
    }

    pub(super) fn enter(&mut self, call: CallId, waiter: Waiter) {
        self.order.insert(waiter.wait.place, Member::Caller(call));
        if waiter.waiting.callback.is_none() {
            *self.counts.entry(waiter.wait.queue.clone()).or_default() += 1;
        }
        self.callers.insert(call, waiter);
    }

    pub(super) fn leave(&mut self, call: CallId) -> Option<Waiter> {
        let waiter = self.callers.remove(&call)?;
        self.order.remove(&waiter.wait.place);
        if waiter.waiting.callback.is_none()
            && let Some(count) = self.counts.get_mut(&waiter.wait.queue)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&waiter.wait.queue);
            }
        }
        Some(waiter)
    }

    pub(super) fn caller(&self, call: CallId) -> Option<&Waiter> {
        self.callers.get(&call)
    }

    pub(super) fn caller_mut(&mut self, call: CallId) -> Option<&mut Waiter> {
        self.callers.get_mut(&call)
    }

    pub(super) fn callers(&self) -> impl Iterator<Item = (CallId, &Waiter)> {
        self.callers.iter().map(|(call, waiter)| (*call, waiter))
    }

    /// Those in which callers wait, who are called back not counted.
    pub(super) fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.counts.keys()
    }

    pub(super) fn count(&self, queue: &Queue) -> usize {
        self.counts.get(queue).copied().unwrap_or(0)
    }

    pub(super) fn put_callback(&mut self, id: CallbackId, wait: Wait) {
        self.take_callback(&id);
        self.order.insert(wait.place, Member::Callback(id.clone()));
        self.callbacks.insert(id, wait);
    }

    pub(super) fn take_callback(&mut self, id: &CallbackId) -> Option<Wait> {
        let wait = self.callbacks.remove(id)?;
        self.order.remove(&wait.place);
        Some(wait)
    }

    pub(super) fn callback(&self, id: &CallbackId) -> Option<&Wait> {
        self.callbacks.get(id)
    }

    pub(super) fn wait(&self, member: &Member) -> Option<&Wait> {
        match member {
            Member::Caller(call) => self.callers.get(call).map(|waiter| &waiter.wait),
            Member::Callback(id) => self.callbacks.get(id),
        }
    }

    /// Puts a callback, and its caller who is on the line, before everybody.
    pub(super) fn escalate(&mut self, id: &CallbackId, caller: Option<CallId>) {
        if let Some(wait) = self.callbacks.get_mut(id) {
            self.order.remove(&wait.place);
            wait.place.rank = Rank::Escalated;
            self.order.insert(wait.place, Member::Callback(id.clone()));
        }
        if let Some((call, waiter)) = caller.and_then(|call| self.callers.get_mut(&call).map(|waiter| (call, waiter))) {
            self.order.remove(&waiter.wait.place);
            waiter.wait.place.rank = Rank::Escalated;
            self.order.insert(waiter.wait.place, Member::Caller(call));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The next one behind a place; the first where there is none.
    pub(super) fn after(&self, place: Option<Place>) -> Option<(Place, Member)> {
        let from = place.map_or(Bound::Unbounded, Bound::Excluded);
        self.order.range((from, Bound::Unbounded)).next().map(|(place, member)| (*place, member.clone()))
    }

    /// Everybody in one queue, the next first.
    pub(super) fn of_queue<'a>(&'a self, queue: &'a Queue) -> impl Iterator<Item = &'a Member> {
        self.order.values().filter(move |member| self.wait(member).is_some_and(|wait| wait.queue == *queue))
    }

    /// From 1; the end of the line for one who is not in it.
    pub(super) fn position(&self, queue: &Queue, call: CallId) -> u32 {
        let before = self.of_queue(queue).take_while(|member| **member != Member::Caller(call)).count();
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }
}
