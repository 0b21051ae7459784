//! Whom to ring for whom, and how rings and talks end.

use super::board::Desk;
use super::book::{Stage, dialable};
use super::callback::{AttemptOutcome, CallbackStart};
use super::face::CentreCommand;
use super::line::{Member, Wait};
use super::machine::CentreMachine;
use super::settings::{CallbackRules, DialFirst, QueueSettings, RingStrategy};
use super::timers::Timer;
use super::waiting::{Offer, OfferId, OfferOutcome, QueueNotice};
use crate::ids::{CallId, CallbackId, Operator, Queue};
use crate::leg::DialTarget;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Operators who are rung at once for one caller.
const RING_ALL_MAX: usize = 8;
/// Beyond its `ring_max` a ring is waited for so long, then it is taken for unanswered. The call ends rings itself: this is
/// for a call that does not.
const RING_SLACK: Duration = Duration::from_secs(5);
/// So long a call may take to confirm that a ring was withdrawn. Then the operator may be rung for others.
pub(super) const WITHDRAWAL_SLACK: Duration = Duration::from_secs(3);

/// Rings that are remembered after they were forgotten: their answers may still come.
const RINGS_PAST_MAX: usize = 256;

/// One ring of one operator.
#[derive(Clone, Debug)]
struct Ring {
    call: CallId,
    operator: Operator,
    queue: Queue,
    /// The call was told to stop ringing, and has not said yet that it did.
    withdrawn: bool,
}

/// All rings that are not over.
#[derive(Clone, Debug, Default)]
pub(super) struct Rings {
    rings: BTreeMap<OfferId, Ring>,
    /// The latest whose withdrawal was never confirmed.
    past: BTreeMap<OfferId, Ring>,
    given: u64,
}

impl Rings {
    fn take_past(&mut self, call: CallId, offer: OfferId) -> Option<Ring> {
        self.past.get(&offer).filter(|ring| ring.call == call)?;
        self.past.remove(&offer)
    }
}

/// An operator and a call who talk.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    operator: Operator,
    queue: Queue,
    since: Timestamp,
    /// With a caller: an operator who waits for a callback's caller has nobody yet, and nothing to write up.
    served: bool,
}

impl CentreMachine {
    /// Goes down the line, and rings whoever is free for whoever is next.
    pub(super) fn serve(&mut self, now: Timestamp) {
        if self.line.is_empty() {
            return;
        }
        let is_free = |machine: &Self| machine.board.desks().any(|(_, desk)| desk.is_free(now));
        let mut place = None;
        let mut under_way = BTreeMap::new();
        let mut free = is_free(self);
        while free && let Some((next, member)) = self.line.after(place) {
            place = Some(next);
            let rang = match &member {
                Member::Caller(call) => self.serve_caller(*call, now),
                Member::Callback(id) => self.serve_callback(id, &mut under_way, now),
            };
            if rang {
                free = is_free(self);
            }
        }
    }

    fn serve_caller(&mut self, call: CallId, now: Timestamp) -> bool {
        let Some(waiter) = self.line.caller(call).filter(|waiter| waiter.peer.is_none()) else { return false };
        let Some(queue) = self.queue(&waiter.wait.queue) else { return false };
        let at_once = if queue.strategy == RingStrategy::RingAll { RING_ALL_MAX } else { 1 };
        let more = at_once.saturating_sub(waiter.offers.len());
        let operators = self.choose(&waiter.wait, &waiter.rung, &queue, more, now);
        for operator in &operators {
            if let Some(offer) = self.ring(call, operator, &queue, now) {
                if let Some(waiter) = self.line.caller_mut(call) {
                    waiter.offers.insert(offer.id);
                }
                self.notice(call, QueueNotice::Offer(offer));
            }
        }
        if let Some(last) = operators.into_iter().next_back() {
            self.queues_changed.insert(queue.name.clone());
            self.last_rung.insert(queue.name.clone(), last);
            return true;
        }
        false
    }

    /// Begins the call of a callback whose turn it is, if somebody is free for it.
    fn serve_callback(&mut self, id: &CallbackId, under_way: &mut BTreeMap<Queue, usize>, now: Timestamp) -> bool {
        let Some(wait) = self.line.callback(id).filter(|wait| self.is_open(&wait.queue)) else { return false };
        let Some(queue) = self.queue(&wait.queue) else { return false };
        let Some(rules) = queue.callback.as_ref() else { return false };
        // The rules may be others than when it was promised; then a person decides.
        let may_dial = self.book.entry(id).is_some_and(|entry| dialable(rules, &entry.callback.wish.number));
        if !may_dial {
            return false;
        }
        let nobody = BTreeMap::new();
        match rules.dial_first {
            DialFirst::Operator => {
                let operator = self.choose(wait, &nobody, &queue, 1, now).into_iter().next();
                let Some(operator) = operator else { return false };
                let call = self.names.call();
                let Some(offer) = self.ring(call, &operator, &queue, now) else { return false };
                self.last_rung.insert(queue.name.clone(), operator);
                self.begin(id, call, Some(offer), rules);
            }
            DialFirst::Caller => {
                let line = &self.line;
                let in_line = |call: CallId| line.caller(call).is_some();
                let wanted = under_way.entry(queue.name.clone()).or_insert_with(|| {
                    self.book.under_way(&queue.name, |call| in_line(call) || self.talks.contains_key(&call))
                });
                // One operator is not promised to several callers who are being dialled.
                if self.choose(wait, &nobody, &queue, *wanted + 1, now).len() <= *wanted {
                    return false;
                }
                *wanted += 1;
                let call = self.names.call();
                self.begin(id, call, None, rules);
            }
        }
        true
    }

    fn begin(&mut self, id: &CallbackId, call: CallId, operator: Option<Offer>, rules: &CallbackRules) {
        let Some(wish) = self.book.entry(id).map(|entry| entry.callback.wish.clone()) else { return };
        self.take_from_line(id);
        self.book.begin(id, call);
        self.callbacks_changed.insert(id.clone());
        let target = DialTarget { trunk: Some(rules.trunk.clone()), address: wish.number.clone() };
        let (ring_max, shown) = (rules.ring_max, rules.shown.clone());
        let start = CallbackStart { callback: id.clone(), call, wish, operator, ring_max, target, shown };
        self.command(CentreCommand::Start(Box::new(start)));
    }

    /// Free operators who will do, in the order of the queue's strategy; who was rung in vain for this caller comes last.
    fn choose(
        &self,
        wait: &Wait,
        rung: &BTreeMap<Operator, u32>,
        queue: &QueueSettings,
        count: usize,
        now: Timestamp,
    ) -> Vec<Operator> {
        if count == 0 {
            return Vec::new();
        }
        let last = self.last_rung.get(&queue.name);
        let fits = |desk: &Desk| desk.is_free(now) && wait.fits(&desk.settings, queue, now);
        let mut found: Vec<_> = self.board.desks().filter(|(_, desk)| fits(desk)).collect();
        let in_vain = |operator: &Operator| rung.get(operator).copied().unwrap_or(0);
        found.sort_by_key(|(name, desk)| match queue.strategy {
            RingStrategy::LongestIdle | RingStrategy::RingAll => {
                (in_vain(name), false, desk.idle_since, (*name).clone())
            }
            RingStrategy::RoundRobin => {
                let before = last.is_some_and(|last| *name <= last);
                (in_vain(name), before, Timestamp::default(), (*name).clone())
            }
        });
        found.into_iter().take(count).map(|(name, _)| name.clone()).collect()
    }

    fn ring(&mut self, call: CallId, operator: &Operator, queue: &QueueSettings, now: Timestamp) -> Option<Offer> {
        let target = self.settings.operators.get(operator)?.target.clone();
        let id = OfferId(self.rings.given);
        self.rings.given += 1;
        let ring = Ring { call, operator: operator.clone(), queue: queue.name.clone(), withdrawn: false };
        self.rings.rings.insert(id, ring);
        self.board.ring(operator, id, call, now);
        self.timers.set(Timer::Ring(id), now + queue.ring_max + RING_SLACK);
        Some(Offer { id, operator: operator.clone(), target, ring_max: queue.ring_max })
    }

    /// A call says how a ring ended.
    pub(super) fn offer_ended(&mut self, call: CallId, offer: OfferId, outcome: OfferOutcome, now: Timestamp) {
        let ring = self.rings.rings.get(&offer).filter(|ring| ring.call == call).cloned();
        match (ring, outcome) {
            (Some(ring), OfferOutcome::Answered) if !self.talks.contains_key(&call) => {
                if self.board.is_talking(&ring.operator) {
                    // Answered two rings: the first one counts, and the call knows best that its caller waits no more.
                    self.ring_in_vain(offer, &ring, OfferOutcome::Withdrawn, now);
                    self.talks_already(call, None, now);
                } else {
                    self.answered(offer, ring, now);
                }
            }
            (Some(ring), _) => {
                let outcome = if ring.withdrawn { OfferOutcome::Withdrawn } else { outcome };
                self.ring_in_vain(offer, &ring, outcome, now);
            }
            (None, OfferOutcome::Answered) => self.answered_late(call, offer, now),
            (None, _) => _ = self.rings.take_past(call, offer),
        }
    }

    fn answered(&mut self, offer: OfferId, ring: Ring, now: Timestamp) {
        self.rings.rings.remove(&offer);
        self.timers.clear(Timer::Ring(offer));
        self.board.talk(&ring.operator, offer, ring.call, now);
        self.talk_begins(offer, ring, now);
    }

    /// The answer to a ring that was given up: the call knows that they talk, and it is so.
    fn answered_late(&mut self, call: CallId, offer: OfferId, now: Timestamp) {
        let past = self.rings.take_past(call, offer).filter(|_| !self.talks.contains_key(&call));
        match past.filter(|ring| self.board.talk_late(&ring.operator, call, now)) {
            Some(ring) => {
                let other = self.rings.rings.iter().find(|(_, other)| other.operator == ring.operator);
                if let Some(other) = other.map(|(other, _)| *other) {
                    self.withdraw(other, now);
                }
                self.talk_begins(offer, ring, now);
            }
            None => self.talks_already(call, None, now),
        }
    }

    fn talk_begins(&mut self, offer: OfferId, ring: Ring, now: Timestamp) {
        self.talks_already(ring.call, Some(offer), now);
        let callback = self.book.of_call(ring.call);
        let caller_is_there = match callback.as_ref().and_then(|id| self.book.entry(id)) {
            Some(entry) => matches!(entry.stage, Stage::Claimed(_)),
            None => true,
        };
        let talk = Talk { operator: ring.operator, queue: ring.queue, since: now, served: caller_is_there };
        self.talks.insert(ring.call, talk);
        if let Some(id) = callback.filter(|_| caller_is_there) {
            self.attempt_ended(ring.call, &id, AttemptOutcome::Connected, now);
        }
    }

    /// The caller has somebody, and waits no more: the other rings are taken back.
    fn talks_already(&mut self, call: CallId, answered: Option<OfferId>, now: Timestamp) {
        let Some(waiter) = self.out_of_line(call) else { return };
        for other in waiter.offers.into_iter().filter(|other| Some(*other) != answered) {
            self.withdraw(other, now);
        }
        self.peers.release(call);
    }

    fn ring_in_vain(&mut self, offer: OfferId, ring: &Ring, outcome: OfferOutcome, now: Timestamp) {
        self.rings.rings.remove(&offer);
        self.timers.clear(Timer::Ring(offer));
        self.board_ring_over(offer, ring, outcome, now);
        if let Some(waiter) = self.line.caller_mut(ring.call) {
            waiter.offers.remove(&offer);
            if outcome != OfferOutcome::Withdrawn {
                let count = waiter.rung.entry(ring.operator.clone()).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    fn board_ring_over(&mut self, offer: OfferId, ring: &Ring, outcome: OfferOutcome, now: Timestamp) {
        let misses_max = self.settings.queues.get(&ring.queue).map_or(0, |queue| queue.misses_max);
        if let Some(rested) = self.board.ring_over(&ring.operator, offer, outcome, misses_max, now) {
            self.timers.set(Timer::Rested(ring.operator.clone()), rested);
        }
    }

    /// Takes a ring back: the call is told, and the operator is rung for nobody else until it has confirmed that.
    pub(super) fn withdraw(&mut self, offer: OfferId, now: Timestamp) {
        let Some(ring) = self.rings.rings.get_mut(&offer).filter(|ring| !ring.withdrawn) else { return };
        ring.withdrawn = true;
        let call = ring.call;
        if let Some(waiter) = self.line.caller_mut(call) {
            waiter.offers.remove(&offer);
        }
        self.timers.set(Timer::Ring(offer), now + WITHDRAWAL_SLACK);
        self.notice(call, QueueNotice::Withdraw(offer));
    }

    /// A call has not said in time how a ring ended.
    pub(super) fn ring_overdue(&mut self, offer: OfferId, now: Timestamp) {
        let Some(ring) = self.rings.rings.get(&offer).cloned() else { return };
        if ring.withdrawn {
            self.forget_ring(offer, now);
            self.rings.past.insert(offer, ring);
            if self.rings.past.len() > RINGS_PAST_MAX {
                self.rings.past.pop_first();
            }
            return;
        }
        self.withdraw(offer, now);
        self.board_ring_over(offer, &ring, OfferOutcome::NoAnswer, now);
        self.board.hold(&ring.operator, offer);
        if let Some(waiter) = self.line.caller_mut(ring.call) {
            let count = waiter.rung.entry(ring.operator).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// A ring is over, and nothing is to be said of it.
    pub(super) fn forget_ring(&mut self, offer: OfferId, now: Timestamp) {
        if let Some(ring) = self.rings.rings.get(&offer).cloned() {
            self.ring_in_vain(offer, &ring, OfferOutcome::Withdrawn, now);
        }
    }

    /// Every ring of a call that is over.
    pub(super) fn end_rings(&mut self, call: CallId, now: Timestamp) {
        let of_call = self.rings.rings.iter().filter(|(_, ring)| ring.call == call).map(|(offer, _)| *offer);
        for offer in of_call.collect::<Vec<_>>() {
            self.forget_ring(offer, now);
        }
        self.rings.past.retain(|_, ring| ring.call != call);
    }

    /// The talk of a call with its operator is over.
    pub(super) fn talk_over(&mut self, call: CallId, now: Timestamp) {
        let Some(talk) = self.talks.remove(&call) else { return };
        let wrap_up = self.settings.queues.get(&talk.queue).map_or(Duration::ZERO, |queue| queue.wrap_up);
        let wrap_up = if talk.served { wrap_up } else { Duration::ZERO };
        if talk.served && self.settings.queues.contains_key(&talk.queue) {
            self.estimates.add(&talk.queue, now.since(talk.since) + wrap_up, now);
        }
        if let Some(until) = self.board.talk_over(&talk.operator, call, wrap_up, now) {
            self.timers.set(Timer::WrapUp(talk.operator), until);
        }
    }

    /// The caller of a callback has joined the operator.
    pub(super) fn served(&mut self, call: CallId) {
        if let Some(talk) = self.talks.get_mut(&call) {
            talk.served = true;
        }
    }

    /// What the wait will be at a position.
    pub(super) fn expected_wait(&self, queue: &Queue, position: u32, now: Timestamp) -> Option<Duration> {
        let of_queue = || self.board.desks().map(|(_, desk)| desk).filter(|desk| desk.settings.queues.contains(queue));
        let free = of_queue().filter(|desk| desk.is_free(now)).count();
        let at_work = of_queue().filter(|desk| desk.takes_callers()).count();
        self.estimates.wait(queue, position, free, at_work, now)
    }
}
