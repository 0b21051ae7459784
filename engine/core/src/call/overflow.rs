//! The limit of the wait: a peer centre, or the offer of a callback. It acts whatever the script does.

use super::callback_offer::{Because, Wanted};
use super::input::Command;
use super::transfer::Transfer;
use super::waiting::WaitStage;
use super::{CallMachine, Initiator, Operation, Pending};
use crate::centre::{OfferOutcome, PeerRoute, QueueNotice, QueueOrder};
use crate::ids::Queue;
use crate::leg::{Chain, HangupCause};
use crate::prompt::{HostPrompt, PromptSource};
use crate::records::QueueOutcome;
use crate::script::{QueueEvent, TransferOutcome};
use crate::time::Timestamp;
use std::sync::Arc;

impl CallMachine {
    /// The caller hears of being connected, and the peer centre is dialled; operators go on being rung.
    pub(super) fn try_peer(&mut self, route: &PeerRoute, now: Timestamp) {
        if !self.waiting.as_ref().is_some_and(|wait| wait.stage == WaitStage::InLine) {
            return;
        }
        self.take_the_ear(now);
        self.host_acted(now);
        let chain = self.chain_onwards();
        let Some(wait) = &mut self.waiting else { return };
        wait.stage = WaitStage::Peer { peer: route.peer.clone(), answered: false };
        let transfer = Transfer::to_peer(route, chain, &wait.wish, now);
        self.pending =
            Some(Pending { initiator: Initiator::Queue, operation: Operation::Transfer(Box::new(transfer)) });
        self.play_foreground(vec![PromptSource::Host(HostPrompt::ConnectingElsewhere)], false);
        self.dial_next(now);
    }

    /// The way so far, with this centre counted; every record of the call carries its id from now on.
    fn chain_onwards(&mut self) -> Chain {
        let hops = self.start.incoming.chain.as_ref().map_or(0, |chain| chain.hops);
        let own: Arc<str> = self.start.id.to_string().into();
        let id = Arc::clone(self.legs.first_mut().record.chain.get_or_insert(own));
        Chain { id, hops: hops.saturating_add(1) }
    }

    /// Two parties are bridged: where it is a peer centre, it has the caller now.
    pub(super) fn peer_answered(&mut self, now: Timestamp) {
        let Some(wait) = &mut self.waiting else { return };
        let WaitStage::Peer { peer, answered: answered @ false } = &mut wait.stage else { return };
        *answered = true;
        let peer = peer.clone();
        let rings = std::mem::take(&mut wait.rings);
        let tried = QueueOrder::PeerTried { peer: peer.clone(), outcome: TransferOutcome::Moved };
        self.command(Command::Queue(tried));
        for ring in rings {
            self.drop_leg(ring.leg, HangupCause::EngineHangup, now);
            let ended = QueueOrder::OfferEnded { offer: ring.offer, outcome: OfferOutcome::Withdrawn };
            self.command(Command::Queue(ended));
        }
        self.wait_outcome(QueueOutcome::Peer(peer.clone()), now);
        self.queue_event(QueueEvent::Peer(peer), now);
    }

    /// It is time for the offer of a callback.
    pub(super) fn limit_comes(&mut self, possible: bool, now: Timestamp) {
        let asked_already = matches!(self.pending_operation(), Some(Operation::Dialog(_)));
        if asked_already || !self.waiting.as_ref().is_some_and(|wait| wait.stage == WaitStage::InLine) {
            return;
        }
        self.host_acted(now);
        self.take_the_ear(now);
        // Whom we called back is not promised another call for it.
        if !possible || self.outbound.is_some() {
            self.host_announces(HostPrompt::TakesLonger);
            return;
        }
        if let Some(wanted) = self.wanted_in_wait() {
            self.offer_callback(Initiator::Queue, Because::Limit, wanted, now);
        }
    }

    /// The queue has closed while the caller waited.
    pub(super) fn offer_after_closing(&mut self, queue: &Queue, event: &QueueEvent, now: Timestamp) {
        let opens = match event {
            QueueEvent::Closed(opens) => opens.clone(),
            _ => None,
        };
        let wanted = self.wanted_in_wait().unwrap_or_else(|| Wanted::of(queue.clone()));
        self.host_acted(now);
        self.offer_callback(Initiator::Queue, Because::Closed { opens }, wanted, now);
    }

    /// The callback in place of the present wait.
    pub(super) fn wanted_in_wait(&self) -> Option<Wanted> {
        let wait = self.waiting.as_ref()?;
        let entered = self.legs.first().record.queue.as_ref().map(|queue| queue.entered);
        let topic = wait.wish.screen_pop.iter().find(|(name, _)| &**name == "topic");
        Some(Wanted {
            queue: wait.wish.queue.clone(),
            topic: topic.map_or_else(|| Arc::from(""), |(_, topic)| Arc::clone(topic)),
            fields: wait.wish.screen_pop.clone(),
            skills: wait.wish.skills.clone(),
            waited_since: entered,
            earliest: None,
        })
    }

    /// By the rules that the call began with.
    pub(super) fn calls_back(&self, queue: &Queue) -> bool {
        self.outbound.is_none()
            && self.start.routes.centre.queues.get(queue).is_some_and(|queue| queue.callback.is_some())
    }

    /// A callback was written down, or was not: an operator who has answered meanwhile has the caller, or the host does
    /// what it was told meanwhile.
    pub(super) fn after_booking(&mut self, now: Timestamp) {
        self.join_operator(now);
        let delayed = self.waiting.as_mut().and_then(|wait| wait.delayed.take());
        match delayed {
            Some(QueueNotice::TryPeer(route)) => self.try_peer(&route, now),
            Some(QueueNotice::OfferCallback { possible }) => self.limit_comes(possible, now),
            _ => {}
        }
    }
}
