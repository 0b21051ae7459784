//! What the centre promises to whoever drives it, as a checker from outside: it is shown every input, order, decision and
//! command, and says which promise was broken. Tests and the simulator use the same one.
//!
//! It believes nothing that the machine shows of itself but what it can compare with what it has seen.

mod promises;

use super::callback::{Callback, CallbackState};
use super::face::{CallbackDecision, CallbackOrder, CentreCommand, CentreInput, SaveId};
use super::machine::CentreMachine;
use super::operator::{LogoutReason, OperatorOrder, OperatorState};
use super::ringing::WITHDRAWAL_SLACK;
use super::settings::{CentreSettings, OperatorSettings, RingStrategy};
use super::waiting::{Offer, OfferId, OfferOutcome, QueueNotice, QueueOrder, Waiting};
use crate::ids::{CallId, CallbackId, Operator, Peer, Queue, Trunk};
use crate::leg::Chain;
use crate::script::TransferOutcome;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The host acts no more often than that, whatever a queue's settings say.
const ACTS_AGAIN_AFTER_MIN: Duration = Duration::from_secs(5);
/// Operators rung at once for one caller.
const RUNG_AT_ONCE_MAX: usize = 8;

/// The promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the centre broke a promise: {0}")]
pub struct BrokenPromise(String);

type Kept = Result<(), BrokenPromise>;

/// What is known of the centre from outside.
///
/// Show it each input with [`Contract::input`] before the machine gets it, each order and decision with
/// [`Contract::ordered`] and [`Contract::decided`] after it was carried out and before its commands, each command with
/// [`Contract::command`], and the machine with [`Contract::settled`] when the commands are drained and its deadlines were
/// kept.
#[derive(Debug)]
pub struct Contract {
    settings: Arc<CentreSettings>,
    operators: BTreeMap<Operator, Known>,
    waiting: BTreeMap<CallId, Waits>,
    /// Said to wait, and not yet let in.
    entering: BTreeMap<CallId, Waiting>,
    offers: BTreeMap<OfferId, Ring>,
    talks: BTreeMap<CallId, Operator>,
    callbacks: BTreeMap<CallbackId, Promise>,
    saves: BTreeMap<SaveId, Callback>,
    over: BTreeSet<CallId>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Known {
    reachable: bool,
    /// The last word was to be rung.
    willing: bool,
}

#[derive(Debug)]
struct Waits {
    queue: Queue,
    entered: Timestamp,
    callback: Option<CallbackId>,
    hops: u8,
    /// The host has to act by then, unless a peer is being tried.
    act_by: Timestamp,
    acted: bool,
    at_peer: Option<Peer>,
}

#[derive(Debug)]
struct Ring {
    call: CallId,
    operator: Operator,
    withdrawn: Option<Timestamp>,
}

#[derive(Debug)]
struct Promise {
    /// As it was last to be written down.
    last: Callback,
    /// As the store has it; none: it was never acknowledged.
    durable: Option<Callback>,
    /// In which call it is being kept.
    begun: Option<CallId>,
    claims_granted: BTreeSet<CallId>,
    escalated: bool,
}

impl Contract {
    /// Of a centre that begins so.
    #[must_use]
    pub fn new(settings: Arc<CentreSettings>) -> Self {
        let mut contract = Self {
            settings: Arc::default(),
            operators: BTreeMap::new(),
            waiting: BTreeMap::new(),
            entering: BTreeMap::new(),
            offers: BTreeMap::new(),
            talks: BTreeMap::new(),
            callbacks: BTreeMap::new(),
            saves: BTreeMap::new(),
            over: BTreeSet::new(),
        };
        contract.configured(settings);
        contract
    }

    /// The engine was killed, and begins again: only what was written down is left.
    #[must_use]
    pub fn restarted(self) -> Self {
        let mut again = Self::new(self.settings);
        again.callbacks = self.callbacks;
        again.callbacks.retain(|_, known| known.durable.is_some());
        again.callbacks.values_mut().for_each(|known| known.begun = None);
        again
    }

    /// What the machine is about to be told.
    pub fn input(&mut self, input: &CentreInput, now: Timestamp) {
        match input {
            CentreInput::Configured(settings) => self.configured(Arc::clone(settings)),
            CentreInput::Queue(call, order) => {
                self.over.remove(call);
                self.queue_order(*call, order, now);
            }
            CentreInput::Callback(call, order) => {
                self.over.remove(call);
                if let CallbackOrder::Ended { callback, .. } = order
                    && let Some(promise) = self.callbacks.get_mut(callback).filter(|known| known.begun == Some(*call))
                {
                    promise.begun = None;
                }
            }
            CentreInput::CallOver(call) => {
                self.gone(*call);
                self.talks.remove(call);
                self.offers.retain(|_, ring| ring.call != *call);
                for promise in self.callbacks.values_mut().filter(|promise| promise.begun == Some(*call)) {
                    promise.begun = None;
                }
                self.over.insert(*call);
            }
            CentreInput::Saved(save, result) => {
                if let Some(saved) = self.saves.remove(save)
                    && result.is_ok()
                    && let Some(promise) = self.callbacks.get_mut(&saved.id)
                {
                    promise.durable = Some(saved);
                }
            }
            CentreInput::Recovered(callbacks) => {
                for callback in callbacks {
                    let known = self.callbacks.entry(callback.id.clone()).or_insert_with(|| Promise {
                        last: callback.clone(),
                        durable: None,
                        begun: None,
                        claims_granted: BTreeSet::new(),
                        escalated: false,
                    });
                    known.last = callback.clone();
                    known.durable = Some(callback.clone());
                    known.escalated = callback.escalated.is_some();
                }
            }
        }
    }

    /// An order was carried out; of a telephone, also one that was refused since nobody knows the operator.
    pub fn ordered(&mut self, operator: &Operator, order: &OperatorOrder) {
        let known = self.operators.entry(operator.clone()).or_default();
        match order {
            OperatorOrder::LogIn | OperatorOrder::Ready => known.willing = true,
            OperatorOrder::LogOut(LogoutReason::Elsewhere) => {}
            OperatorOrder::Pause(_) | OperatorOrder::LogOut(_) => known.willing = false,
            OperatorOrder::Reachable(reachable) => known.reachable = *reachable,
        }
    }

    /// A decision was carried out: an unknown one may be begun again by [`CallbackDecision::TryAgain`] only, and one that was
    /// cancelled is nobody's call any more.
    pub fn decided(&mut self, id: &CallbackId, decision: &CallbackDecision) {
        if let Some(promise) =
            self.callbacks.get_mut(id).filter(|_| matches!(decision, CallbackDecision::Cancel { .. }))
        {
            promise.begun = None;
        }
    }

    /// What the machine says.
    ///
    /// # Errors
    /// The promise that this breaks.
    pub fn command(&mut self, command: &CentreCommand, now: Timestamp) -> Kept {
        match command {
            CentreCommand::Notice(call, notice) => {
                promise(!self.over.contains(call), || format!("{notice:?} for {call}, which is over"))?;
                self.notice(*call, notice, now)
            }
            CentreCommand::Save { save, callback } => self.save(*save, callback),
            CentreCommand::Booked { call, result } => {
                promise(!self.over.contains(call), || format!("{result:?} for {call}, which is over"))?;
                let Ok(receipt) = result else { return Ok(()) };
                let durable = self.callbacks.get(&receipt.id).and_then(|known| known.durable.as_ref());
                promise(durable.is_some_and(|callback| callback.due == receipt.due), || {
                    format!("{:?} is promised before it was written down", receipt.id)
                })
            }
            CentreCommand::Claimed { call, granted: true } => self.granted(*call),
            CentreCommand::Start(start) => self.start(start, now),
            CentreCommand::Escalated(id) => {
                let known = self.callbacks.get_mut(id).filter(|known| known.durable.is_some());
                let Some(known) = known else { return broken(format!("{id:?} is escalated, and was never promised")) };
                let first = !std::mem::replace(&mut known.escalated, true);
                promise(first && known.last.due <= now, || format!("{id:?} is escalated twice, or too soon"))
            }
            CentreCommand::Claimed { granted: false, .. }
            | CentreCommand::OperatorChanged(_)
            | CentreCommand::QueueChanged(_)
            | CentreCommand::CallbackChanged(_) => Ok(()),
        }
    }

    /// The commands are drained; what holds between two inputs. Of limits only where nothing is due by now.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn settled(&self, machine: &CentreMachine, now: Timestamp) -> Kept {
        self.operators_settled(machine)?;
        self.callbacks_settled(machine, now)?;
        if machine.deadline().is_some_and(|deadline| deadline <= now) {
            return Ok(());
        }
        for (call, waits) in self.waiting.iter().filter(|(_, waits)| waits.at_peer.is_none()) {
            promise(now <= waits.act_by, || format!("{call} waits since {:?}, and nothing was done", waits.entered))?;
        }
        for (id, _) in self.callbacks.iter().filter(|(_, known)| known.durable.is_some() && !known.escalated) {
            let late = machine.callback(id).is_some_and(|callback| !callback.state.is_over() && callback.due <= now);
            promise(!late, || format!("{id:?} is late, and nobody was told"))?;
        }
        Ok(())
    }

    fn operators_settled(&self, machine: &CentreMachine) -> Kept {
        for view in machine.operators() {
            let (name, state) = (&view.operator, &view.state);
            let fits = match state {
                OperatorState::Ready { .. } => view.reachable && !self.talks.values().any(|talking| talking == name),
                OperatorState::Ringing { call, .. } => {
                    self.offers.values().any(|ring| ring.operator == *name && ring.call == *call)
                }
                OperatorState::OnCall { call, .. } => self.talks.get(call) == Some(name),
                _ => !self.talks.values().any(|talking| talking == name),
            };
            promise(fits, || format!("{name:?} is shown as {state:?}"))?;
        }
        Ok(())
    }

    fn configured(&mut self, settings: Arc<CentreSettings>) {
        let talking: BTreeSet<_> = self.talks.values().cloned().collect();
        for (_, known) in self.operators.iter_mut().filter(|(name, _)| !settings.operators.contains_key(*name)) {
            known.willing = false;
        }
        for (name, new) in &settings.operators {
            let before = self.settings.operators.get(name);
            let first = !self.operators.contains_key(name);
            let known = self.operators.entry(name.clone()).or_default();
            let other = before.is_some_and(|before| registers(before) != registers(new));
            // One who was taken out and comes back may have kept the registration.
            if first || other || before.is_none() && !registers(new) {
                known.reachable = !registers(new);
            }
            if before.is_none_or(|before| !before.always_ready) && new.always_ready
                || before.is_none() && talking.contains(name)
            {
                known.willing = true;
            }
        }
        for waits in self.waiting.values_mut().filter(|waits| !waits.acted) {
            if let Some(queue) = settings.queues.get(&waits.queue) {
                waits.act_by = waits.entered + queue.wait_max;
            }
        }
        self.settings = settings;
    }

    fn queue_order(&mut self, call: CallId, order: &QueueOrder, now: Timestamp) {
        match order {
            QueueOrder::Enter(waiting) => {
                self.gone(call);
                self.talks.remove(&call);
                self.offers.retain(|_, ring| ring.call != call);
                self.entering.insert(call, Waiting::clone(waiting));
            }
            QueueOrder::OfferEnded { offer, outcome } => {
                let ring = self.offers.get(offer).filter(|ring| ring.call == call);
                // A withdrawal that was not confirmed in time is taken for confirmed; an answer counts all the same, if the
                // operator talks to nobody else by then.
                let counts = |ring: &&Ring| {
                    let in_time = ring.withdrawn.is_none_or(|at| now < at + WITHDRAWAL_SLACK);
                    let talking = self.talks.values().any(|talking| *talking == ring.operator);
                    !talking && (in_time || self.settings.operators.contains_key(&ring.operator))
                };
                let operator = ring.filter(counts).map(|ring| ring.operator.clone());
                if ring.is_some() {
                    self.offers.remove(offer);
                }
                if *outcome != OfferOutcome::Answered || self.talks.contains_key(&call) {
                    return;
                }
                self.waiting.remove(&call);
                if let Some(operator) = operator {
                    self.talks.insert(call, operator);
                }
            }
            QueueOrder::TalkOver => _ = self.talks.remove(&call),
            QueueOrder::PeerTried { peer, outcome } => {
                let took = matches!(outcome, TransferOutcome::Moved | TransferOutcome::BridgedThenReturned(_));
                if self.waiting.get(&call).is_some_and(|waits| waits.at_peer.as_ref() == Some(peer)) {
                    if took {
                        self.gone(call);
                    } else if let Some(waits) = self.waiting.get_mut(&call) {
                        waits.at_peer = None;
                    }
                }
            }
            QueueOrder::CallbackOffered => {
                // The next offer counts from here.
                if let Some(waits) = self.waiting.get_mut(&call).filter(|waits| waits.acted && waits.at_peer.is_none())
                    && let Some(queue) = self.settings.queues.get(&waits.queue)
                {
                    waits.act_by = now + queue.offer_again_after.max(ACTS_AGAIN_AFTER_MIN);
                }
            }
            QueueOrder::Leave(_) => self.gone(call),
        }
    }

    /// The call waits no more, and rings nobody for its caller.
    fn gone(&mut self, call: CallId) {
        if self.waiting.remove(&call).is_some() {
            self.offers.retain(|_, ring| ring.call != call || ring.withdrawn.is_some());
        }
        self.entering.remove(&call);
    }

    fn notice(&mut self, call: CallId, notice: &QueueNotice, now: Timestamp) -> Kept {
        match notice {
            QueueNotice::Position { .. } => {
                if let Some(waiting) = self.entering.remove(&call) {
                    self.let_in(call, waiting, now)?;
                }
                self.waits(call, notice).map(|_| ())
            }
            QueueNotice::Offer(offer) => {
                let waits = self.waits(call, notice)?;
                promise(waits.at_peer.is_none(), || format!("{call} is at a peer, and somebody is rung"))?;
                let queue = waits.queue.clone();
                let at_once = self.offers.values().filter(|ring| ring.call == call && ring.withdrawn.is_none()).count();
                let all = self.settings.queues.get(&queue).is_some_and(|of| of.strategy == RingStrategy::RingAll);
                let max = if all { RUNG_AT_ONCE_MAX } else { 1 };
                promise(at_once < max, || format!("{at_once} operators ring for {call} already"))?;
                self.ring(call, &queue, offer)
            }
            QueueNotice::Withdraw(offer) => {
                let ring = self.offers.get_mut(offer).filter(|ring| ring.call == call);
                let first = ring.is_some_and(|ring| ring.withdrawn.replace(now).is_none());
                promise(first, || format!("{offer:?} of {call} is withdrawn twice, or was never made"))
            }
            QueueNotice::TryPeer(route) => {
                let waits = self.waits(call, notice)?;
                let may = waits.at_peer.is_none() && waits.hops < Chain::HOPS_MAX && waits.callback.is_none();
                waits.at_peer = Some(route.peer.clone());
                let rings = self.offers.values().any(|ring| ring.call == call && ring.withdrawn.is_none());
                promise(may && !rings, || format!("{call} is sent to {:?}, and should not be", route.peer))
            }
            QueueNotice::OfferCallback { .. } => {
                let waits = self.waits(call, notice)?;
                let queue = waits.queue.clone();
                let again = self.settings.queues.get(&queue).map(|queue| queue.offer_again_after).unwrap_or_default();
                let waits = self.waits(call, notice)?;
                (waits.acted, waits.act_by) = (true, now + again.max(ACTS_AGAIN_AFTER_MIN));
                promise(waits.at_peer.is_none(), || format!("{call} is at a peer, and is offered a callback"))
            }
            QueueNotice::TimedOut | QueueNotice::Refused(_) => {
                let known = self.entering.remove(&call).is_some() || self.waiting.contains_key(&call);
                self.waiting.remove(&call);
                let rings = self.offers.values().any(|ring| ring.call == call && ring.withdrawn.is_none());
                promise(known && !rings, || format!("{call} is put out, waiting: {known}, rings: {rings}"))
            }
        }
    }

    fn waits(&mut self, call: CallId, notice: &QueueNotice) -> Result<&mut Waits, BrokenPromise> {
        self.waiting.get_mut(&call).ok_or_else(|| BrokenPromise(format!("{notice:?} for {call}, which does not wait")))
    }

    fn let_in(&mut self, call: CallId, waiting: Waiting, now: Timestamp) -> Kept {
        let Some(queue) = self.settings.queues.get(&waiting.queue) else {
            return broken(format!("{call} is let into a queue that is not there"));
        };
        let claimed = |id: &CallbackId| {
            let granted = |known: &Promise| known.begun == Some(call) && known.claims_granted.contains(&call);
            let claimed = |known: &Promise| granted(known) && known.last.state == CallbackState::Claimed;
            self.callbacks.get(id).is_some_and(claimed)
        };
        let callback = waiting.callback.filter(claimed);
        let others = self.waiting.values().filter(|waits| waits.queue == waiting.queue && waits.callback.is_none());
        let others = others.count();
        promise(callback.is_some() || others < queue.waiting_max && queue.calendar.is_open(now), || {
            format!("{call} is let in, with {others} there, open: {}", queue.calendar.is_open(now))
        })?;
        let act_by = now + queue.wait_max;
        let waits = Waits {
            queue: waiting.queue,
            entered: now,
            callback,
            hops: waiting.hops,
            act_by,
            acted: false,
            at_peer: None,
        };
        self.waiting.insert(call, waits);
        Ok(())
    }

    fn ring(&mut self, call: CallId, queue: &Queue, offer: &Offer) -> Kept {
        let name = &offer.operator;
        let serves = self.settings.operators.get(name).is_some_and(|operator| operator.queues.contains(queue));
        promise(serves, || format!("{name:?} is rung for {queue:?}, and does not serve it"))?;
        let known = self.operators.get(name).copied().unwrap_or_default();
        promise(known.reachable && known.willing, || format!("{name:?} is rung, and is {known:?}"))?;
        let talking = self.talks.values().any(|talking| talking == name);
        promise(!talking, || format!("{name:?} is rung, and is talking"))?;
        let rung = self.offers.values().find(|ring| ring.operator == *name && ring.withdrawn.is_none());
        promise(rung.is_none(), || format!("{name:?} is rung for {call}, and for {rung:?}"))?;
        let ring = Ring { call, operator: name.clone(), withdrawn: None };
        let new = self.offers.insert(offer.id, ring).is_none();
        promise(new, || format!("{:?} twice", offer.id))
    }
}

fn registers(operator: &OperatorSettings) -> bool {
    operator.target.trunk.as_ref().is_some_and(|trunk| trunk.as_str() == Trunk::REGISTERED)
}

fn promise(kept: bool, otherwise: impl FnOnce() -> String) -> Kept {
    if kept { Ok(()) } else { Err(BrokenPromise(otherwise())) }
}

fn broken(how: String) -> Kept {
    Err(BrokenPromise(how))
}
