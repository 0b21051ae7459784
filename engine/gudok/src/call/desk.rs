//! The call's part in the centre: its caller waits, operators are rung, supervisors take part.

use super::{CallTask, ToCall};
use crate::centre::Joined;
use crate::live::{TraceKind, Wait};
use crate::metrics;
use gudok_core::call::{Input, Supervision};
use gudok_core::centre::{LeaveReason, OfferOutcome, QueueNotice, QueueOrder};
use gudok_core::ids::LegId;
use gudok_core::leg::{DialTarget, LegEvent};
use gudok_core::records::LegRecord;
use gudok_core::script::TransferOutcome;
use gudok_plugin_host::ports::Clock;

impl CallTask {
    /// The call's way to the centre.
    pub(super) fn centre(&mut self) -> &Joined {
        let (host, id, inbox) = (&self.host, self.machine.id(), &self.inbox);
        self.joined.get_or_insert_with(|| host.centre.join(id, ToCall(inbox.clone())))
    }

    /// What the machine says of its waiting caller.
    pub(super) fn queue(&mut self, order: QueueOrder) {
        self.note_order(&order);
        self.centre().queue(order);
    }

    fn note_order(&mut self, order: &QueueOrder) {
        match order {
            QueueOrder::Enter(waiting) => {
                self.queued = true;
                self.watch.waits(Wait {
                    queue: Some(waiting.queue.clone()),
                    since: Some(self.host.clock.now()),
                    callback: waiting.callback.clone(),
                });
                self.note(TraceKind::Host, format!("waits in the queue {:?}", waiting.queue.as_str()));
            }
            QueueOrder::OfferEnded { outcome: OfferOutcome::Answered, .. } => self.queued = false,
            QueueOrder::PeerTried { peer, outcome } => {
                let taken = matches!(outcome, TransferOutcome::Moved | TransferOutcome::BridgedThenReturned(_));
                self.queued &= !taken;
                let how = if taken { "took the caller" } else { "did not take the caller" };
                self.note(TraceKind::Host, format!("the peer centre {:?} {how}", peer.as_str()));
            }
            QueueOrder::CallbackOffered => self.note(TraceKind::Host, "a callback was offered"),
            QueueOrder::Leave(reason) => {
                self.queued = false;
                let why = match reason {
                    LeaveReason::Abandoned => "the caller is gone",
                    LeaveReason::Callback => "the caller is called back",
                    LeaveReason::Peer => "a peer centre has the caller",
                    LeaveReason::Script => "the script took the caller out",
                    LeaveReason::Host => "the host took the caller out",
                };
                self.note(TraceKind::Host, format!("waits no more: {why}"));
            }
            QueueOrder::OfferEnded { .. } | QueueOrder::TalkOver => {}
        }
    }

    /// What the centre says.
    pub(super) fn centre_says(&mut self, input: Input) {
        match &input {
            Input::Queue(QueueNotice::Offer(offer)) => {
                self.note(TraceKind::Host, format!("the operator {:?} is rung", offer.operator.as_str()));
            }
            Input::Queue(QueueNotice::Refused(_) | QueueNotice::TimedOut) => self.queued = false,
            Input::CallbackBooked(booked) => {
                let how = if booked.is_ok() { "is promised" } else { "is not promised" };
                self.note(TraceKind::Host, format!("a callback {how}"));
            }
            _ => {}
        }
        self.input(input);
    }

    /// A supervisor takes part, or in another way than before.
    pub(super) fn supervisor_comes(&mut self, target: DialTarget, how: Supervision) {
        let input = if self.supervised.is_some() { Input::SuperviseHow(how) } else { Input::Supervise { target, how } };
        self.input(input);
    }

    pub(super) fn supervise(&mut self, leg: LegId, operator: LegId, how: Supervision) {
        self.supervised = Some(how);
        let of = |id: LegId| self.legs.get(usize::from(id.0)).and_then(|leg| leg.session());
        let (Some(supervisor), Some(caller), Some(operator)) = (of(leg), of(LegId::FIRST), of(operator)) else {
            return;
        };
        let how = match how {
            Supervision::Listen => gudok_media::Supervision::Listen,
            Supervision::Whisper => gudok_media::Supervision::Whisper,
            Supervision::Barge => gudok_media::Supervision::Barge,
        };
        if let Err(error) = self.host.media.supervise(supervisor, caller, operator, how) {
            tracing::error!(%error, "a supervisor cannot take part");
        }
    }

    pub(super) fn unsupervise(&mut self, leg: LegId) {
        self.supervised = None;
        let Some(supervisor) = self.legs.get(usize::from(leg.0)).and_then(|leg| leg.session()) else { return };
        if let Err(error) = self.host.media.unsupervise(supervisor) {
            tracing::debug!(%error, "a supervisor was gone already");
        }
    }

    /// As if the operator's telephone had asked for it.
    pub(super) fn give_to(&mut self, target: DialTarget) {
        if let Some(operator) = self.bridged {
            self.note(TraceKind::Leg, "the operator gives the caller to somebody else");
            self.input(Input::Leg(operator, LegEvent::TransferRequested { target }));
        }
    }

    /// A wait for an operator that is over, and an announcement that was heard.
    pub(super) fn count_wait(&self, record: &LegRecord) {
        if record.leg != LegId::FIRST {
            return;
        }
        if let Some(wait) = &record.queue {
            let queue = self.routes.centre.queues.get(&wait.queue);
            metrics::waited(wait, queue.map_or(std::time::Duration::ZERO, |queue| queue.service_level));
        }
        if let Some(name) = self.overlay.as_ref().filter(|_| record.overlay_heard) {
            metrics::overlay_heard(name);
            self.host.overlays.heard(name);
        }
    }
}
