//! The machine: what it is told, and what follows in which order.

use super::board::Board;
use super::book::Book;
use super::callback::CallbackRefusal;
use super::estimate::Estimates;
use super::face::{CallbackDecision, CallbackOrder, CentreCommand, CentreInput};
use super::line::{Line, Member};
use super::names::Names;
use super::operator::{OperatorOrder, OperatorRefusal};
use super::peers::Peers;
use super::ringing::{Rings, Talk};
use super::settings::{CentreSettings, QueueSettings};
use super::timers::{Timer, Timers};
use super::waiting::{LeaveReason, QueueNotice, QueueOrder, WaitRefusal};
use crate::ids::{CallId, CallbackId, Operator, Queue};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The whole centre. See the module's page.
///
/// Tell it what happens ([`CentreMachine::handle`], [`CentreMachine::order`], [`CentreMachine::decide`]); after each, drain
/// [`CentreMachine::poll_command`], then ask for the [`CentreMachine::deadline`] and call
/// [`CentreMachine::handle_timeout`] when it has come.
///
/// *Invariants*, watched by a checker from outside at every step of a seeded walk:
/// - an operator is in one state, is rung for one caller at a time, and only while ready and reachable;
/// - a caller who waits in an open queue is told of an operator, a peer centre or a callback by the queue's limit, and again
///   as often as the queue offers again;
/// - a callback is in one place: in the line, in one call, with a person, or over;
/// - a claim is granted once, to the call that was begun for the callback, after it was written down;
/// - nothing is said to a call that is over.
///
/// It does not compare moments of two clocks: `now` may stand still, and whatever is late is done at once.
#[derive(Clone, Debug)]
pub struct CentreMachine {
    pub(super) settings: Arc<CentreSettings>,
    /// Which queues are open, as of the last turn of their calendars.
    pub(super) open: BTreeMap<Queue, bool>,
    pub(super) line: Line,
    pub(super) board: Board,
    pub(super) rings: Rings,
    /// By call.
    pub(super) talks: BTreeMap<CallId, Talk>,
    /// Whom each queue rang last, for the round robin.
    pub(super) last_rung: BTreeMap<Queue, Operator>,
    pub(super) peers: Peers,
    pub(super) book: Book,
    pub(super) estimates: Estimates,
    pub(super) names: Names,
    pub(super) timers: Timers,
    commands: VecDeque<CentreCommand>,
    /// Queues whose line is another since the last input.
    pub(super) queues_changed: BTreeSet<Queue>,
    /// Callbacks whose state is another.
    pub(super) callbacks_changed: BTreeSet<CallbackId>,
}

impl CentreMachine {
    /// An empty centre. Ids of callbacks and of their calls are drawn from the seed: random in a real engine, and never the
    /// same twice.
    #[must_use]
    pub fn new(settings: Arc<CentreSettings>, seed: u128, now: Timestamp) -> Self {
        let mut machine = Self {
            settings: Arc::default(),
            open: BTreeMap::new(),
            line: Line::default(),
            board: Board::default(),
            rings: Rings::default(),
            talks: BTreeMap::new(),
            last_rung: BTreeMap::new(),
            peers: Peers::default(),
            book: Book::default(),
            estimates: Estimates::default(),
            names: Names::new(seed),
            timers: Timers::default(),
            commands: VecDeque::new(),
            queues_changed: BTreeSet::new(),
            callbacks_changed: BTreeSet::new(),
        };
        machine.configure(settings, now);
        machine.settle(now);
        machine
    }

    /// Something happened.
    pub fn handle(&mut self, input: CentreInput, now: Timestamp) {
        match input {
            CentreInput::Configured(settings) => self.configure(settings, now),
            CentreInput::Queue(call, order) => self.queue_order(call, order, now),
            CentreInput::Callback(call, CallbackOrder::Book(wish)) => self.book(call, *wish, now),
            CentreInput::Callback(call, CallbackOrder::Claim(id)) => self.claim(call, &id, now),
            CentreInput::Callback(call, CallbackOrder::Ended { callback, outcome }) => {
                self.attempt_ended(call, &callback, outcome, now);
            }
            CentreInput::CallOver(call) => self.call_over(call, now),
            CentreInput::Saved(save, result) => self.saved(save, result, now),
            CentreInput::Recovered(callbacks) => self.recover(callbacks, now),
        }
        self.settle(now);
    }

    /// An operator, or a supervisor for one, says something.
    ///
    /// # Errors
    /// [`OperatorRefusal`]; then nothing has changed.
    pub fn order(&mut self, operator: &Operator, order: OperatorOrder, now: Timestamp) -> Result<(), OperatorRefusal> {
        if let Some(ring) = self.board.order(operator, order, now)? {
            self.withdraw(ring, now);
        }
        self.settle(now);
        Ok(())
    }

    /// A person decides about a callback.
    ///
    /// # Errors
    /// [`CallbackRefusal::NotFound`] or [`CallbackRefusal::WrongState`]; then nothing has changed.
    pub fn decide(
        &mut self,
        callback: &CallbackId,
        decision: CallbackDecision,
        now: Timestamp,
    ) -> Result<(), CallbackRefusal> {
        self.decided(callback, decision, now)?;
        self.settle(now);
        Ok(())
    }

    /// The deadline has come, or may have.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        for timer in self.timers.take_due(now) {
            match timer {
                Timer::Limit(call) => self.act(call, now),
                Timer::Patience(call) => self.patience_over(call, now),
                Timer::Announce(call) => self.announce(call, now),
                Timer::Relaxed(member) => self.watch_demands(&member, now),
                Timer::Ring(offer) => self.ring_overdue(offer, now),
                Timer::WrapUp(operator) => self.board.wrap_up_over(&operator, now),
                // Looking for an operator again is all that these are for.
                Timer::Rested(_) => {}
                Timer::Turn(id) => self.put_in_line(&id, now),
                Timer::Due(id) => self.escalate(&id, now),
                Timer::SaveAgain(id) => self.save_again(&id),
                Timer::Calendar(queue) => self.follow_calendar(&queue, now),
            }
        }
        self.settle(now);
    }

    /// When [`CentreMachine::handle_timeout`] wants to be called at the latest. None: nothing comes due by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// The next thing to be done.
    pub fn poll_command(&mut self) -> Option<CentreCommand> {
        self.commands.pop_front()
    }

    pub(super) fn command(&mut self, command: CentreCommand) {
        self.commands.push_back(command);
    }

    pub(super) fn notice(&mut self, call: CallId, notice: QueueNotice) {
        self.commands.push_back(CentreCommand::Notice(call, notice));
    }

    /// The settings of a queue.
    pub(super) fn queue(&self, name: &Queue) -> Option<Arc<QueueSettings>> {
        self.settings.queues.get(name).cloned()
    }

    pub(super) fn is_open(&self, queue: &Queue) -> bool {
        self.open.get(queue).copied().unwrap_or(false)
    }

    fn queue_order(&mut self, call: CallId, order: QueueOrder, now: Timestamp) {
        match order {
            QueueOrder::Enter(waiting) => self.enter(call, waiting, now),
            QueueOrder::OfferEnded { offer, outcome } => self.offer_ended(call, offer, outcome, now),
            QueueOrder::TalkOver => self.talk_over(call, now),
            QueueOrder::PeerTried { peer, outcome } => self.peer_tried(call, &peer, &outcome, now),
            QueueOrder::CallbackOffered => self.callback_offered(call, now),
            QueueOrder::Leave(reason) => {
                self.leave(call, now);
                if reason != LeaveReason::Peer {
                    self.peers.release(call);
                }
            }
        }
    }

    /// Whoever is free is rung for whoever is next; then what has changed is said.
    fn settle(&mut self, now: Timestamp) {
        self.serve(now);
        let operators = self.board.take_changed();
        if !operators.is_empty() {
            self.hurry_where_nobody_is(now);
        }
        for operator in operators {
            self.command(CentreCommand::OperatorChanged(operator));
        }
        for queue in std::mem::take(&mut self.queues_changed) {
            self.command(CentreCommand::QueueChanged(queue));
        }
        for id in std::mem::take(&mut self.callbacks_changed) {
            self.command(CentreCommand::CallbackChanged(id));
        }
    }

    /// Other settings. Who waits goes on waiting under the new rules; who waits in a queue that is gone is put out; an
    /// operator who is gone ends the talk first.
    fn configure(&mut self, settings: Arc<CentreSettings>, now: Timestamp) {
        let before = std::mem::replace(&mut self.settings, settings);
        let settings = Arc::clone(&self.settings);
        for ring in self.board.configure(&settings.operators, now) {
            self.withdraw(ring, now);
        }
        for queue in before.queues.keys().filter(|queue| !settings.queues.contains_key(*queue)) {
            self.timers.clear(Timer::Calendar(queue.clone()));
            self.open.remove(queue);
            self.last_rung.remove(queue);
        }
        self.estimates.keep(|queue| settings.queues.contains_key(queue));
        self.peers.keep(|peer| settings.peers.contains_key(peer));
        for queue in settings.queues.keys() {
            self.follow_calendar(queue, now);
            self.queues_changed.insert(queue.clone());
        }
        let callers: Vec<_> = self.line.callers().map(|(call, waiter)| (call, waiter.wait.queue.clone())).collect();
        for (call, queue) in callers {
            match self.queue(&queue) {
                None => self.put_out(call, WaitRefusal::Unknown(no_queue(&queue)), now),
                Some(settings) => self.wait_by(call, &settings, now),
            }
        }
    }

    /// A queue opens or closes, or its calendar is another.
    fn follow_calendar(&mut self, name: &Queue, now: Timestamp) {
        let Some(queue) = self.queue(name) else { return };
        let open = queue.calendar.is_open(now);
        if self.open.insert(name.clone(), open) != Some(open) {
            self.queues_changed.insert(name.clone());
        }
        match queue.calendar.changes_at(now) {
            Some(at) => self.timers.set(Timer::Calendar(name.clone()), at),
            None => self.timers.clear(Timer::Calendar(name.clone())),
        }
    }

    /// Looks again when the demands of somebody who waits fall next.
    pub(super) fn watch_demands(&mut self, member: &Member, now: Timestamp) {
        let falls =
            self.line.wait(member).and_then(|wait| wait.relaxes_at(self.settings.queues.get(&wait.queue)?, now));
        match falls {
            Some(at) => self.timers.set(Timer::Relaxed(member.clone()), at),
            None => self.timers.clear(Timer::Relaxed(member.clone())),
        }
    }

    /// A call is over: whatever it left unsaid is taken for said.
    fn call_over(&mut self, call: CallId, now: Timestamp) {
        self.leave(call, now);
        self.end_rings(call, now);
        self.talk_over(call, now);
        self.peers.release(call);
        self.callback_call_over(call, now);
    }
}

/// What to configure.
pub(super) fn no_queue(queue: &Queue) -> String {
    format!("there is no queue {queue:?}; configure it under [[queue]]")
}
