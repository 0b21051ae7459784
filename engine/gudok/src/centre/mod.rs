//! The centre, carried out: one task owns [`CentreMachine`], and everybody else talks to it through a bounded channel.
//!
//! It waits for the earliest of: something said by a call, an operator's page or the SIP room; the store's word that a
//! callback is durable; other settings; the machine's deadline. It feeds one input, carries out the commands, and goes
//! back to waiting. It waits for no disk and no call: what is slow answers later, through the same channel.
//!
//! *Architecture Invariant:* what waits does not depend on the store. Where it fails, bookings are refused, and callers
//! who wait go on waiting, being rung for and being answered.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `task` | the loop, and what becomes of each command |
//! | `keep` | callbacks in the ledger: written in order, read at the start |
//! | `document` | a callback as the ledger has it |
//! | `views` | all of it in the admins' words |

mod document;
mod keep;
mod task;
mod views;

pub(crate) use keep::{ended, kept, recover};
pub(crate) use task::{Parts, start};
pub(crate) use views::{callback_row, operator_row, peer_row, queue_row};

use crate::call::ToCall;
use crate::metrics;
use gudok_admin::ports::Actor;
use gudok_core::call::Input;
use gudok_core::centre::{
    Callback, CallbackDecision, CallbackOrder, CallbackReceipt, CallbackRefusal, CallbackWish, CentreMachine,
    OperatorOrder, OperatorRefusal, QueueOrder,
};
use gudok_core::ids::{CallId, CallbackId, Operator};
use gudok_core::time::Timestamp;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Things said to the centre that wait for its task.
const INBOX_MAX: usize = 8_192;

/// What is said to the task.
enum Said {
    Queue(CallId, QueueOrder),
    Callback(CallId, CallbackOrder),
    CallOver(CallId),
    Order { operator: Operator, order: OperatorOrder, answer: oneshot::Sender<Result<(), OperatorRefusal>> },
    Book { actor: Actor, wish: Box<CallbackWish>, answer: oneshot::Sender<Result<CallbackReceipt, CallbackRefusal>> },
    Decide { actor: Actor, callback: CallbackId, decision: CallbackDecision, answer: Decided },
    Look(Look),
}

/// Somebody looks at the machine as it is now.
type Look = Box<dyn FnOnce(&CentreMachine, Timestamp) + Send>;

/// Where the answer to a decision goes, once it is durable.
type Decided = oneshot::Sender<Result<Callback, CallbackRefusal>>;

/// The way to the centre's task.
#[derive(Clone)]
pub(crate) struct Centre {
    inbox: mpsc::Sender<Said>,
    calls: Arc<RwLock<HashMap<CallId, ToCall>>>,
}

impl Centre {
    fn new() -> (Self, mpsc::Receiver<Said>) {
        let (inbox, said) = mpsc::channel(INBOX_MAX);
        (Self { inbox, calls: Arc::default() }, said)
    }

    /// A call that will have to do with the centre; until the guard is dropped, which says that the call is over.
    pub(crate) fn join(&self, call: CallId, to_call: ToCall) -> Joined {
        self.calls.write().insert(call, to_call);
        Joined { centre: self.clone(), call }
    }

    /// An operator, or somebody for one, says something.
    ///
    /// # Errors
    /// Why nothing has changed.
    pub(crate) async fn order(&self, operator: Operator, order: OperatorOrder) -> Result<(), OperatorRefusal> {
        let (answer, answered) = oneshot::channel();
        let unknown = OperatorRefusal::Unknown(operator.clone());
        let _ = self.inbox.send(Said::Order { operator, order, answer }).await;
        answered.await.unwrap_or(Err(unknown))
    }

    /// A person books a callback; answered when it is durable.
    ///
    /// # Errors
    /// Why it is not promised.
    pub(crate) async fn book(&self, actor: Actor, wish: CallbackWish) -> Result<CallbackReceipt, CallbackRefusal> {
        let (answer, answered) = oneshot::channel();
        let _ = self.inbox.send(Said::Book { actor, wish: Box::new(wish), answer }).await;
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// A person decides about a callback; answered when it is durable.
    ///
    /// # Errors
    /// Why nothing has changed.
    pub(crate) async fn decide(
        &self,
        actor: Actor,
        callback: CallbackId,
        decision: CallbackDecision,
    ) -> Result<Callback, CallbackRefusal> {
        let (answer, answered) = oneshot::channel();
        let _ = self.inbox.send(Said::Decide { actor, callback, decision, answer }).await;
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Looks at the centre as it is now. None while the engine stops.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&CentreMachine, Timestamp) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let look = Box::new(move |machine: &CentreMachine, now| {
            // Whoever asked may have gone.
            let _ = answer.send(look(machine, now));
        });
        self.inbox.send(Said::Look(look)).await.ok()?;
        answered.await.ok()
    }

    /// The centre's word for a call. Waits for nobody.
    fn tell(&self, call: CallId, input: Input) {
        if let Some(to_call) = self.calls.read().get(&call) {
            to_call.tell(input);
        }
    }

    /// What a call says. It must not be lost, and its task must not wait.
    fn say(&self, said: Said) {
        if let Err(mpsc::error::TrySendError::Full(said)) = self.inbox.try_send(said) {
            metrics::centre_word_late();
            let inbox = self.inbox.clone();
            tokio::spawn(async move { inbox.send(said).await });
        }
    }
}

fn stopping() -> CallbackRefusal {
    CallbackRefusal::Store("the engine stops".to_owned())
}

/// A call's part in the centre, for as long as its task lives.
pub(crate) struct Joined {
    centre: Centre,
    call: CallId,
}

impl Joined {
    /// Of the waiting caller.
    pub(crate) fn queue(&self, order: QueueOrder) {
        self.centre.say(Said::Queue(self.call, order));
    }

    /// Of a callback.
    pub(crate) fn callback(&self, order: CallbackOrder) {
        self.centre.say(Said::Callback(self.call, order));
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.centre.calls.write().remove(&self.call);
        self.centre.say(Said::CallOver(self.call));
    }
}
