//! The limit of the wait: before it is reached, a peer centre is tried, or a callback offered.
//!
//! At `wait_max − act_before` the host acts for a caller who still waits:
//!
//! 1. Peer centres are tried one after another. Meanwhile nobody is rung for the caller; a peer that fails is left alone, and
//!    the caller has kept the place. While an operator's telephone rings for the caller, and a callback can be offered, that
//!    goes before a peer: the answer is likely, and interrupts the offer.
//! 2. Where no peer takes the caller, a callback is offered; who does not take it waits on, and the host acts again after
//!    `offer_again_after`.
//! 3. Where the queue has closed meanwhile, the caller is told so instead, and is out.
//!
//! A caller whose area a peer answers for is sent there at once, and waits here only if the peer fails.

use super::line::Waiter;
use super::machine::{CentreMachine, no_queue};
use super::settings::{PeerSettings, QueueSettings};
use super::timers::Timer;
use super::waiting::{PeerRoute, QueueNotice, WaitRefusal};
use crate::ids::{CallId, Peer};
use crate::script::TransferOutcome;
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// The host does not act again sooner.
const OFFER_AGAIN_AFTER_MIN: Duration = Duration::from_secs(5);

impl CentreMachine {
    /// The limit is coming, or a peer that was tried for it has failed.
    pub(super) fn act(&mut self, call: CallId, now: Timestamp) {
        let Some(waiter) = self.line.caller(call).filter(|waiter| waiter.peer.is_none()) else { return };
        let name = waiter.wait.queue.clone();
        let Some(queue) = self.queue(&name) else {
            self.put_out(call, WaitRefusal::Unknown(no_queue(&name)), now);
            return;
        };
        let limit = waiter.entered + queue.wait_max.saturating_sub(queue.act_before);
        if waiter.acted.is_none() && now < limit && !self.nobody_is_here(&name) {
            // Hurried while nobody was at work; somebody has come since.
            if let Some(waiter) = self.line.caller_mut(call) {
                waiter.acts_at = limit;
                self.timers.set(Timer::Limit(call), limit);
            }
            return;
        }
        let open = self.is_open(&name);
        let possible = self.may_offer(waiter, &queue);
        let an_answer_is_likely = !waiter.offers.is_empty() && open && possible;
        let peer = self.peers.next(&self.settings, &queue, waiter, now).filter(|_| !an_answer_is_likely);
        if let Some(waiter) = self.line.caller_mut(call) {
            waiter.acted.get_or_insert(now);
        }
        self.queues_changed.insert(name);
        match peer {
            Some(peer) => self.try_peer(call, &peer, now),
            None if open => {
                self.act_again_later(call, &queue, now);
                self.notice(call, QueueNotice::OfferCallback { possible });
            }
            None => self.put_out(call, WaitRefusal::Closed { opens: queue.calendar.opens_at(now) }, now),
        }
    }

    /// Whether a callback would be promised, as far as is known before the caller has chosen a number. Who is being called
    /// back is not offered another.
    fn may_offer(&self, waiter: &Waiter, queue: &QueueSettings) -> bool {
        let rules = queue.callback.as_ref().filter(|_| waiter.waiting.callback.is_none());
        rules.is_some_and(|rules| self.book.count(&queue.name) < rules.open_max)
    }

    fn act_again_later(&mut self, call: CallId, queue: &QueueSettings, now: Timestamp) {
        if let Some(waiter) = self.line.caller_mut(call) {
            waiter.peers_tried.clear();
            waiter.acts_at = now + queue.offer_again_after.max(OFFER_AGAIN_AFTER_MIN);
            self.timers.set(Timer::Limit(call), waiter.acts_at);
        }
    }

    /// The caller has heard the offer, and waits on.
    pub(super) fn callback_offered(&mut self, call: CallId, now: Timestamp) {
        let acted = |waiter: &&Waiter| waiter.acted.is_some() && waiter.peer.is_none();
        let name = self.line.caller(call).filter(acted).map(|waiter| waiter.wait.queue.clone());
        if let Some(queue) = name.and_then(|name| self.queue(&name)) {
            self.act_again_later(call, &queue, now);
        }
    }

    /// A caller whose area a peer answers for goes there first.
    pub(super) fn localise(&mut self, call: CallId, queue: &QueueSettings, now: Timestamp) {
        let Some(waiter) = self.line.caller(call) else { return };
        if let Some(peer) = self.peers.local(&self.settings, queue, waiter, now) {
            self.try_peer(call, &peer, now);
        }
    }

    fn try_peer(&mut self, call: CallId, peer: &Arc<PeerSettings>, now: Timestamp) {
        let Some(waiter) = self.line.caller_mut(call) else { return };
        waiter.peer = Some(peer.name.clone());
        waiter.peers_tried.insert(peer.name.clone());
        for offer in std::mem::take(&mut waiter.offers) {
            self.withdraw(offer, now);
        }
        self.peers.send(call, &peer.name);
        let route = PeerRoute { peer: peer.name.clone(), target: peer.target.clone(), ring_max: peer.ring_max };
        self.notice(call, QueueNotice::TryPeer(route));
    }

    /// How it went at a peer.
    pub(super) fn peer_tried(&mut self, call: CallId, peer: &Peer, outcome: &TransferOutcome, now: Timestamp) {
        match outcome {
            TransferOutcome::Moved => self.left_for_peer(call, peer, now),
            TransferOutcome::BridgedThenReturned(_) => {
                self.left_for_peer(call, peer, now);
                self.peers.release(call);
            }
            TransferOutcome::Busy
            | TransferOutcome::NoAnswer
            | TransferOutcome::Rejected(_)
            | TransferOutcome::Unavailable
            | TransferOutcome::Closed(_) => self.peer_failed(call, peer, now),
        }
    }

    fn left_for_peer(&mut self, call: CallId, peer: &Peer, now: Timestamp) {
        if self.line.caller(call).is_some_and(|waiter| waiter.peer.as_ref() == Some(peer)) {
            self.leave(call, now);
        }
    }

    /// The caller has kept the place; where the limit is there, the next one is tried at once.
    fn peer_failed(&mut self, call: CallId, peer: &Peer, now: Timestamp) {
        let Some(waiter) = self.line.caller_mut(call).filter(|waiter| waiter.peer.as_ref() == Some(peer)) else {
            return;
        };
        waiter.peer = None;
        let at_the_limit = waiter.acts_at <= now;
        self.peers.release(call);
        if let Some(settings) = self.settings.peers.get(peer) {
            self.peers.failed(peer, now + settings.rest_after_failure);
        }
        if at_the_limit {
            self.act(call, now);
        }
    }
}
