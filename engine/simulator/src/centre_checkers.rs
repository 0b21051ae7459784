//! What the centre promises to callers, watched from outside at every step (decree, p5).
//!
//! - nobody waits past the queue's limit without an operator, a peer centre or the offer of a callback
//! - a callback is durable before it is promised, and before its caller is dialled
//! - one caller is dialled once for an attempt, and never again after they have talked
//! - what is due is connected or escalated
//! - no operator is rung outside the queue's hours

use gudok_core::call::{Command, Purpose};
use gudok_core::centre::{
    AttemptOutcome, Callback, CallbackOrder, CallbackState, CentreMachine, CentreSettings, OfferOutcome, QueueNotice,
    QueueOrder,
};
use gudok_core::ids::{CallId, CallbackId, LegId, Queue};
use gudok_core::leg::LegCommand;
use gudok_core::script::TransferOutcome;
use gudok_core::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Beyond a queue's closing, whoever waits is served on for so long at most.
const SERVED_ON_MAX: Duration = Duration::from_secs(120);

/// What is known of the centre from outside.
#[derive(Debug, Default)]
pub(crate) struct CentreCheckers {
    settings: Arc<CentreSettings>,
    waits: BTreeMap<CallId, Wait>,
    /// By when somebody must act for whom.
    limits: BTreeSet<(Timestamp, CallId)>,
    /// Which callback each of our own calls is for, and for which queue's operators a call rings.
    callback_of: BTreeMap<CallId, CallbackId>,
    queue_of: BTreeMap<CallId, Queue>,
    callbacks: BTreeMap<CallbackId, Promise>,
    /// Promised, and neither connected nor given up nor escalated.
    due: BTreeSet<(Timestamp, CallbackId)>,
}

#[derive(Debug)]
struct Wait {
    limit: Timestamp,
}

#[derive(Clone, Debug, Default)]
struct Promise {
    /// In which live call the caller is dialled.
    dialled_in: Option<CallId>,
    connected: u32,
}

impl CentreCheckers {
    pub(crate) fn new(settings: Arc<CentreSettings>) -> Self {
        Self { settings, ..Self::default() }
    }

    /// A call of our own begins.
    pub(crate) fn call_began(&mut self, call: CallId, purpose: &Purpose) {
        if let Purpose::Callback(start) = purpose {
            self.callback_of.insert(call, start.callback.clone());
            self.queue_of.insert(call, start.wish.queue.clone());
        }
    }

    /// The centre says something to a call.
    pub(crate) fn notice(&mut self, call: CallId, notice: &QueueNotice) {
        match notice {
            // Said within the same moment: the call's own contract watches that.
            QueueNotice::TryPeer(_) | QueueNotice::OfferCallback { .. } => self.acted(call),
            QueueNotice::Refused(_) | QueueNotice::TimedOut => self.waits_no_more(call),
            QueueNotice::Position { .. } | QueueNotice::Offer(_) | QueueNotice::Withdraw(_) => {}
        }
    }

    /// A call says something.
    pub(crate) fn command(
        &mut self,
        call: CallId,
        command: &Command,
        ledger: &BTreeMap<CallbackId, Callback>,
        now: Timestamp,
    ) -> Option<String> {
        match command {
            Command::Queue(order) => {
                self.queue_order(call, order, now);
                None
            }
            Command::Callback(CallbackOrder::Ended { callback, outcome: AttemptOutcome::Connected }) => {
                let promise = self.callbacks.entry(callback.clone()).or_default();
                promise.connected += 1;
                (promise.connected > 1).then(|| format!("{callback:?} was connected twice"))
            }
            Command::Leg(leg, LegCommand::Dial { .. }) => self.dials(call, *leg, ledger, now),
            Command::Over => {
                self.call_over(call);
                None
            }
            _ => None,
        }
    }

    fn queue_order(&mut self, call: CallId, order: &QueueOrder, now: Timestamp) {
        match order {
            QueueOrder::Enter(waiting) => {
                self.waits_no_more(call);
                self.queue_of.insert(call, waiting.queue.clone());
                if let Some(queue) = self.settings.queues.get(&waiting.queue) {
                    let limit = now + queue.wait_max;
                    self.limits.insert((limit, call));
                    self.waits.insert(call, Wait { limit });
                }
            }
            QueueOrder::OfferEnded { outcome: OfferOutcome::Answered, .. } | QueueOrder::Leave(_) => {
                self.waits_no_more(call);
            }
            QueueOrder::PeerTried { outcome: TransferOutcome::Moved, .. } => self.waits_no_more(call),
            QueueOrder::CallbackOffered => self.acted(call),
            QueueOrder::OfferEnded { .. } | QueueOrder::PeerTried { .. } | QueueOrder::TalkOver => {}
        }
    }

    fn acted(&mut self, call: CallId) {
        if let Some(wait) = self.waits.get(&call) {
            self.limits.remove(&(wait.limit, call));
        }
    }

    fn waits_no_more(&mut self, call: CallId) {
        self.acted(call);
        self.waits.remove(&call);
    }

    fn dials(
        &mut self,
        call: CallId,
        leg: LegId,
        ledger: &BTreeMap<CallbackId, Callback>,
        now: Timestamp,
    ) -> Option<String> {
        if leg != LegId::FIRST {
            let queue = self.queue_of.get(&call).and_then(|queue| self.settings.queues.get(queue))?;
            let before = Timestamp::from_micros(
                now.as_micros().saturating_sub(u64::try_from(SERVED_ON_MAX.as_micros()).unwrap_or_default()),
            );
            let works = queue.calendar.is_open(now) || queue.calendar.is_open(before);
            return (!works).then(|| format!("somebody of {:?} is rung while it is closed", queue.name));
        }
        let id = self.callback_of.get(&call)?;
        let promise = self.callbacks.entry(id.clone()).or_default();
        if promise.connected > 0 {
            return Some(format!("{id:?} is dialled again after they have talked"));
        }
        if let Some(other) = promise.dialled_in.replace(call) {
            return Some(format!("{id:?} is dialled in two calls at once: {other} and this one"));
        }
        let durable = ledger.get(id).map(|callback| &callback.state);
        (durable != Some(&CallbackState::Claimed)).then(|| format!("{id:?} is dialled while {durable:?} is durable"))
    }

    fn call_over(&mut self, call: CallId) {
        self.waits_no_more(call);
        self.queue_of.remove(&call);
        if let Some(id) = self.callback_of.remove(&call)
            && let Some(promise) = self.callbacks.get_mut(&id)
        {
            promise.dialled_in = None;
        }
    }

    /// The engine went down with this call in it.
    pub(crate) fn call_lost(&mut self, call: CallId) {
        self.call_over(call);
    }

    /// A callback was promised: it must be durable by now.
    pub(crate) fn promised(
        &mut self,
        id: &CallbackId,
        due: Timestamp,
        ledger: &BTreeMap<CallbackId, Callback>,
    ) -> Option<String> {
        self.due.insert((due, id.clone()));
        (!ledger.contains_key(id)).then(|| format!("{id:?} is promised, and nothing of it is durable"))
    }

    /// At every step: what is due now has been done.
    pub(crate) fn look(
        &mut self,
        machine: &CentreMachine,
        ledger: &BTreeMap<CallbackId, Callback>,
        now: Timestamp,
    ) -> Option<(Option<CallId>, String)> {
        if let Some((limit, call)) = self.limits.first().copied().filter(|(limit, _)| now > *limit) {
            let late = now.since(limit);
            return Some((Some(call), format!("has waited {late:?} past the limit, and nobody has acted")));
        }
        while let Some((due, id)) = self.due.first().cloned().filter(|(due, _)| now > *due) {
            // What was over long ago, or in a former life of the engine, is in the ledger alone.
            let kept = match machine.callback(&id).or_else(|| ledger.get(&id)) {
                None => false,
                Some(callback) => {
                    let in_time = matches!(callback.state, CallbackState::Connected { at } if at <= due);
                    in_time || callback.escalated.is_some() || callback.state.is_over()
                }
            };
            if !kept {
                let stands = machine.callback(&id).or_else(|| ledger.get(&id)).map(|callback| &callback.state);
                return Some((None, format!("{id:?} was due at {due:?}, and is {stands:?}, not escalated")));
            }
            self.due.remove(&(due, id));
        }
        None
    }

    /// Callers of callbacks who have talked.
    pub(crate) fn connected(&self) -> usize {
        self.callbacks.values().filter(|promise| promise.connected > 0).count()
    }
}
