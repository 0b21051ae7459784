//! The centre as people see it.

use super::callback::Callback;
use super::face::{OperatorView, PeerView, QueueView, WaitingView};
use super::line::Member;
use super::machine::CentreMachine;
use super::operator::OperatorState;
use super::settings::QueueSettings;
use crate::ids::{CallId, CallbackId, Operator, Queue};
use crate::time::Timestamp;

impl CentreMachine {
    /// Every queue of the settings, by name.
    pub fn queues(&self, now: Timestamp) -> impl Iterator<Item = QueueView> {
        self.settings.queues.values().map(move |queue| self.view_of(queue, now))
    }

    /// One queue.
    #[must_use]
    pub fn queue_view(&self, name: &Queue, now: Timestamp) -> Option<QueueView> {
        self.settings.queues.get(name).map(|queue| self.view_of(queue, now))
    }

    /// Every operator, by login; also one who was taken out of the settings in mid-call.
    pub fn operators(&self) -> impl Iterator<Item = OperatorView> {
        self.board.desks().map(|(name, desk)| OperatorView {
            operator: name.clone(),
            shown_name: desk.settings.shown_name.clone(),
            state: desk.state.clone(),
            reachable: desk.reachable,
            queues: desk.settings.queues.clone(),
            answered: desk.answered,
            missed: desk.missed,
        })
    }

    /// One operator.
    #[must_use]
    pub fn operator(&self, name: &Operator) -> Option<OperatorView> {
        self.operators().find(|view| view.operator == *name)
    }

    /// Every peer centre, by name.
    pub fn peers(&self, now: Timestamp) -> impl Iterator<Item = PeerView> {
        self.settings.peers.values().map(move |peer| PeerView {
            peer: peer.name.clone(),
            calls: self.peers.calls(&peer.name),
            calls_max: peer.calls_max,
            rests_until: self.peers.rests_until(&peer.name, now),
        })
    }

    /// Every callback that is open, and the latest of those that are over.
    pub fn callbacks(&self) -> impl Iterator<Item = &Callback> {
        self.book.callbacks()
    }

    /// One of them.
    #[must_use]
    pub fn callback(&self, id: &CallbackId) -> Option<&Callback> {
        self.book.get(id)
    }

    /// The callback for which a call was begun.
    #[must_use]
    pub fn callback_of_call(&self, call: CallId) -> Option<CallbackId> {
        self.book.of_call(call)
    }

    fn view_of(&self, queue: &QueueSettings, now: Timestamp) -> QueueView {
        let waiting: Vec<_> = self.line.of_queue(&queue.name).filter_map(|member| self.waiting_view(member)).collect();
        let position = u32::try_from(waiting.len()).unwrap_or(u32::MAX).saturating_add(1);
        let desks =
            || self.board.desks().map(|(_, desk)| desk).filter(|desk| desk.settings.queues.contains(&queue.name));
        QueueView {
            queue: queue.name.clone(),
            expected_wait: self.expected_wait(&queue.name, position, now),
            logged_in: desks().filter(|desk| desk.state != OperatorState::LoggedOut).count(),
            ready: desks().filter(|desk| desk.is_free(now)).count(),
            open: queue.calendar.is_open(now),
            waiting,
        }
    }

    fn waiting_view(&self, member: &Member) -> Option<WaitingView> {
        match member {
            Member::Caller(call) => self.line.caller(*call).map(|waiter| WaitingView {
                call: *call,
                since: waiter.entered,
                priority: waiter.waiting.priority,
                callback: None,
                acted: waiter.acted,
            }),
            Member::Callback(id) => self.book.get(id).map(|callback| WaitingView {
                call: callback.wish.call,
                since: callback.wish.waited_since.unwrap_or(callback.requested),
                priority: 0,
                callback: Some(id.clone()),
                acted: None,
            }),
        }
    }
}
