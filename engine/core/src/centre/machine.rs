//! The machine's public face, before its inside: types as they stay, and a centre in which nobody works yet.

use super::callback::{Callback, CallbackRefusal};
use super::face::{CallbackDecision, CallbackOrder, CentreCommand, CentreInput, OperatorView, PeerView, QueueView};
use super::operator::{OperatorOrder, OperatorRefusal};
use super::settings::CentreSettings;
use super::waiting::{QueueNotice, QueueOrder, WaitRefusal};
use crate::ids::{CallbackId, Operator};
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The whole centre. See the module's page.
///
/// Tell it what happens ([`CentreMachine::handle`], [`CentreMachine::order`], [`CentreMachine::decide`]); after each, drain
/// [`CentreMachine::poll_command`], then ask for the [`CentreMachine::deadline`] and call
/// [`CentreMachine::handle_timeout`] when it has come.
#[derive(Debug)]
pub struct CentreMachine {
    settings: Arc<CentreSettings>,
    book: BTreeMap<CallbackId, Callback>,
    commands: VecDeque<CentreCommand>,
}

impl CentreMachine {
    /// An empty centre. Ids of callbacks and of their calls are drawn from the seed: random in a real engine.
    #[must_use]
    pub fn new(settings: Arc<CentreSettings>, _seed: u128, _now: Timestamp) -> Self {
        Self { settings, book: BTreeMap::new(), commands: VecDeque::new() }
    }

    /// Something happened.
    pub fn handle(&mut self, input: CentreInput, _now: Timestamp) {
        match input {
            CentreInput::Configured(settings) => self.settings = settings,
            CentreInput::Queue(call, QueueOrder::Enter(waiting)) => {
                let refusal = WaitRefusal::Unknown(format!("queue {:?}", waiting.queue));
                self.commands.push_back(CentreCommand::Notice(call, QueueNotice::Refused(refusal)));
            }
            CentreInput::Callback(call, CallbackOrder::Book(wish)) => {
                let result = Err(CallbackRefusal::NoQueue(wish.queue));
                self.commands.push_back(CentreCommand::Booked { call, result });
            }
            CentreInput::Callback(call, CallbackOrder::Claim(_)) => {
                self.commands.push_back(CentreCommand::Claimed { call, granted: false });
            }
            _ => {}
        }
    }

    /// An operator, or a supervisor for one, says something.
    ///
    /// # Errors
    /// [`OperatorRefusal`]; then nothing has changed.
    pub fn order(
        &mut self,
        operator: &Operator,
        _order: OperatorOrder,
        _now: Timestamp,
    ) -> Result<(), OperatorRefusal> {
        Err(OperatorRefusal::Unknown(operator.clone()))
    }

    /// A person decides about a callback.
    ///
    /// # Errors
    /// [`CallbackRefusal::NotFound`] or [`CallbackRefusal::WrongState`]; then nothing has changed.
    pub fn decide(
        &mut self,
        callback: &CallbackId,
        _decision: CallbackDecision,
        _now: Timestamp,
    ) -> Result<(), CallbackRefusal> {
        Err(CallbackRefusal::NotFound(callback.clone()))
    }

    /// The deadline has come, or may have.
    pub fn handle_timeout(&mut self, _now: Timestamp) {}

    /// When [`CentreMachine::handle_timeout`] wants to be called at the latest. None: nothing comes due by itself.
    #[must_use]
    pub const fn deadline(&self) -> Option<Timestamp> {
        None
    }

    /// The next thing to be done.
    pub fn poll_command(&mut self) -> Option<CentreCommand> {
        self.commands.pop_front()
    }

    /// Every queue of the settings, by name.
    pub fn queues(&self, _now: Timestamp) -> impl Iterator<Item = QueueView> {
        std::iter::empty()
    }

    /// Every operator, by login.
    pub fn operators(&self) -> impl Iterator<Item = OperatorView> {
        std::iter::empty()
    }

    /// Every peer centre, by name.
    pub fn peers(&self, _now: Timestamp) -> impl Iterator<Item = PeerView> {
        std::iter::empty()
    }

    /// Every callback that is open, and the latest of those that are over; by id.
    pub fn callbacks(&self) -> impl Iterator<Item = &Callback> {
        self.book.values()
    }

    /// One callback.
    #[must_use]
    pub fn callback(&self, id: &CallbackId) -> Option<&Callback> {
        self.book.get(id)
    }
}
