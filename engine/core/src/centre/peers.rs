//! Peer centres: which is tried for whom, how many calls are there, and which has failed lately.

use super::line::Waiter;
use super::settings::{CentreSettings, PeerSettings, QueueSettings};
use crate::ids::{CallId, Peer};
use crate::leg::Chain;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All peer centres.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers {
    states: BTreeMap<Peer, State>,
    of_call: BTreeMap<CallId, Peer>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// There, or being dialled.
    calls: BTreeSet<CallId>,
    rests_until: Timestamp,
}

impl Peers {
    /// The peer to be tried for a waiting caller: in the queue's order, those first that answer for the caller's area.
    /// Not one that is full, rests after a failure, or was tried since the last offer of a callback; none at all for a call
    /// that has come through as many centres as it may, or that we made ourselves to call somebody back.
    pub(super) fn next(
        &self,
        settings: &CentreSettings,
        queue: &QueueSettings,
        waiter: &Waiter,
        now: Timestamp,
    ) -> Option<Arc<PeerSettings>> {
        let local = self.local(settings, queue, waiter, now);
        local.or_else(|| self.candidates(settings, queue, waiter, now).next().cloned())
    }

    /// The peer that answers for the caller's area, if it is to be had.
    pub(super) fn local(
        &self,
        settings: &CentreSettings,
        queue: &QueueSettings,
        waiter: &Waiter,
        now: Timestamp,
    ) -> Option<Arc<PeerSettings>> {
        let area = waiter.waiting.area.as_ref()?;
        self.candidates(settings, queue, waiter, now).find(|peer| peer.areas.contains(area)).cloned()
    }

    fn candidates<'a>(
        &'a self,
        settings: &'a CentreSettings,
        queue: &'a QueueSettings,
        waiter: &'a Waiter,
        now: Timestamp,
    ) -> impl Iterator<Item = &'a Arc<PeerSettings>> {
        let may = waiter.waiting.hops < Chain::HOPS_MAX && waiter.waiting.callback.is_none();
        let peers = queue.peers.iter().filter(move |_| may);
        peers.filter(|peer| !waiter.peers_tried.contains(*peer)).filter_map(|peer| settings.peers.get(peer)).filter(
            move |peer| {
                self.states
                    .get(&peer.name)
                    .map_or(peer.calls_max > 0, |state| state.calls.len() < peer.calls_max && state.rests_until <= now)
            },
        )
    }

    /// The call is being sent there.
    pub(super) fn send(&mut self, call: CallId, peer: &Peer) {
        self.release(call);
        self.states.entry(peer.clone()).or_default().calls.insert(call);
        self.of_call.insert(call, peer.clone());
    }

    /// The call is not there any more.
    pub(super) fn release(&mut self, call: CallId) {
        if let Some(peer) = self.of_call.remove(&call)
            && let Some(state) = self.states.get_mut(&peer)
        {
            state.calls.remove(&call);
        }
    }

    /// It did not take a caller: left alone until then.
    pub(super) fn failed(&mut self, peer: &Peer, rests_until: Timestamp) {
        self.states.entry(peer.clone()).or_default().rests_until = rests_until;
    }

    pub(super) fn calls(&self, peer: &Peer) -> usize {
        self.states.get(peer).map_or(0, |state| state.calls.len())
    }

    pub(super) fn rests_until(&self, peer: &Peer, now: Timestamp) -> Option<Timestamp> {
        self.states.get(peer).map(|state| state.rests_until).filter(|until| *until > now)
    }

    /// Peers that are gone are forgotten when none of our calls is there.
    pub(super) fn keep(&mut self, is_there: impl Fn(&Peer) -> bool) {
        self.states.retain(|peer, state| is_there(peer) || !state.calls.is_empty());
    }
}
