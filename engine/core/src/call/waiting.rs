//! Waiting for an operator: into the queue, what is heard and told there, and out of it again.
//!
//! The centre decides who is rung; this machine rings. A script may go on saying and asking while its caller waits; it
//! hears of the wait by `queue-next`. When the host needs the caller's ear (an operator answers, the limit comes), what
//! the script was doing there ends as if nobody had said anything, and what it asks meanwhile waits.

use super::input::{Command, ScriptRun};
use super::rings::Ring;
use super::{CallMachine, Initiator, Operation, Pending, within};
use crate::centre::{LeaveReason, OfferOutcome, QueueNotice, QueueOrder, WaitRefusal, Waiting};
use crate::ids::Queue;
use crate::input::Outcome;
use crate::leg::HangupCause;
use crate::prompt::{HostPrompt, PromptSource};
use crate::records::{QueueOutcome, QueueRecord};
use crate::script::{CallError, HandleId, PlaybackEnd, QueueEvent, QueueWish, Reply, Request, TransferOutcome};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// So long the centre may take to say whether a caller is in; then there is no centre.
const ENTRY_MAX: Duration = Duration::from_secs(5);

/// One wait of the caller.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) handle: HandleId,
    /// The script that put the caller here; the host, where it did, or where the script is gone.
    pub(super) owner: Initiator,
    pub(super) wish: QueueWish,
    pub(super) stage: WaitStage,
    pub(super) rings: Vec<Ring>,
    /// What the script has not asked for yet; positions and expected waits only as they are now.
    pub(super) events: VecDeque<QueueEvent>,
    /// The script waits for the next event, up to a time.
    pub(super) asking: Option<(ScriptRun, Timestamp)>,
    /// What the script asks while the host has the caller.
    pub(super) parked: Option<(ScriptRun, Request)>,
    /// A notice that came while a callback was being written down.
    pub(super) delayed: Option<QueueNotice>,
    /// The queue has closed before the caller's turn, and the host offers a callback first.
    pub(super) put_out: Option<QueueEvent>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum WaitStage {
    /// The centre has not said whether the caller is in.
    Entering { deadline: Timestamp },
    /// The caller waits; operators may be rung.
    InLine,
    /// A peer centre is dialled, or has the caller.
    Peer { peer: crate::ids::Peer, answered: bool },
    /// With an operator.
    Talking,
    /// Out of the queue; the script may not know yet.
    Over,
}

impl Wait {
    /// The caller is in the queue, or on the way in.
    pub(super) const fn is_in_line(&self) -> bool {
        matches!(self.stage, WaitStage::Entering { .. } | WaitStage::InLine | WaitStage::Peer { answered: false, .. })
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == WaitStage::Over
    }

    fn deadline(&self) -> Option<Timestamp> {
        let entering = match self.stage {
            WaitStage::Entering { deadline } => Some(deadline),
            _ => None,
        };
        let rings = self.rings.iter().filter_map(Ring::deadline).min();
        let asking = self.asking.map(|(_, deadline)| deadline);
        [entering, rings, asking].into_iter().flatten().min()
    }

    pub(super) fn keep_event(&mut self, event: QueueEvent) {
        let same = |kept: &QueueEvent| std::mem::discriminant(kept) == std::mem::discriminant(&event);
        match self.events.iter_mut().find(|kept| same(kept)) {
            Some(kept) => *kept = event,
            None => self.events.push_back(event),
        }
    }
}

impl CallMachine {
    /// The caller waits from now on. Whoever asked is answered with the centre's first word.
    pub(super) fn enqueue(&mut self, initiator: Initiator, wish: QueueWish, now: Timestamp) {
        if let Some(patience) = wish.wait_max
            && let Err(error) = within("max-wait", patience, self.start.limits.wait_max)
        {
            self.answer(initiator, Err(error), now);
            return;
        }
        self.drop_all_players();
        let handle = self.playbacks.next_handle();
        self.waiting = Some(Box::new(Wait {
            handle,
            owner: initiator,
            wish,
            stage: WaitStage::Over,
            rings: Vec::new(),
            events: VecDeque::new(),
            asking: None,
            parked: None,
            delayed: None,
            put_out: None,
        }));
        self.pending = Some(Pending { initiator, operation: Operation::Enter });
        self.enter(now);
    }

    fn enter(&mut self, now: Timestamp) {
        let Some(wait) = &mut self.waiting else { return };
        wait.stage = WaitStage::Entering { deadline: now + ENTRY_MAX };
        let (wish, incoming) = (wait.wish.clone(), &self.start.incoming);
        let waiting = Waiting {
            queue: wish.queue.clone(),
            agency: self.start.agency.clone(),
            priority: wish.priority,
            skills: wish.skills,
            lang: self.lang().clone(),
            wait_max: wish.wait_max,
            callback: self.fulfilled_callback(),
            called: self.campaign().is_some_and(|call| call.queue.as_ref() == Some(&wish.queue)),
            area: self.start.routes.route(incoming.called.reveal()).and_then(|route| route.area.clone()),
            hops: incoming.chain.as_ref().map_or(0, |chain| chain.hops),
        };
        let queue = wish.queue;
        let record = QueueRecord { queue, entered: now, waited: Duration::ZERO, acted: None, outcome: None };
        self.legs.first_mut().record.queue = Some(record);
        self.command(Command::Queue(QueueOrder::Enter(Box::new(waiting))));
        self.start_music(wish.music);
    }

    /// The next operator did not answer whom an operator has passed the caller on to: the caller waits anew.
    pub(super) fn wait_anew(&mut self, now: Timestamp) {
        self.enter(now);
    }

    pub(super) fn handle_queue(&mut self, notice: QueueNotice, now: Timestamp) {
        let in_line = self.waiting.as_ref().is_some_and(|wait| wait.is_in_line());
        match notice {
            QueueNotice::Withdraw(offer) => self.withdraw_ring(offer, now),
            QueueNotice::Offer(offer) if !in_line => {
                let ended = QueueOrder::OfferEnded { offer: offer.id, outcome: OfferOutcome::Withdrawn };
                self.command(Command::Queue(ended));
            }
            _ if !in_line => {}
            QueueNotice::Refused(refusal) => self.put_out(refusal, now),
            QueueNotice::TimedOut => self.patience_over(now),
            notice @ (QueueNotice::TryPeer(_) | QueueNotice::OfferCallback { .. }) if self.booking.is_some() => {
                if let Some(wait) = &mut self.waiting {
                    wait.delayed = Some(notice);
                }
            }
            notice => {
                self.let_in(now);
                match notice {
                    QueueNotice::Position { position, expected_wait, announce } => {
                        self.position(position, expected_wait, announce, now);
                    }
                    QueueNotice::Offer(offer) => self.ring(offer, now),
                    QueueNotice::TryPeer(route) => self.try_peer(&route, now),
                    QueueNotice::OfferCallback { possible } => self.limit_comes(possible, now),
                    // Dealt with above.
                    QueueNotice::Withdraw(_) | QueueNotice::Refused(_) | QueueNotice::TimedOut => {}
                }
            }
        }
    }

    /// The centre has spoken: the caller is in.
    fn let_in(&mut self, now: Timestamp) {
        let Some(wait) = &mut self.waiting else { return };
        if matches!(wait.stage, WaitStage::Entering { .. }) {
            wait.stage = WaitStage::InLine;
            let handle = wait.handle;
            self.entered(Ok(Reply::Handle(handle)), now);
        }
    }

    /// Tells whoever asked for the wait, where it is not told yet.
    fn entered(&mut self, result: Result<Reply, CallError>, now: Timestamp) {
        if !matches!(self.pending_operation(), Some(Operation::Enter)) {
            return;
        }
        if let Some(Pending { initiator: initiator @ Initiator::Script(_), .. }) = self.pending.take() {
            self.answer(initiator, result, now);
        }
    }

    fn position(&mut self, position: u32, expected_wait: Option<Duration>, announce: bool, now: Timestamp) {
        self.queue_event(QueueEvent::Position(position), now);
        if let Some(wait) = expected_wait {
            self.queue_event(QueueEvent::EstimatedWait(wait), now);
        }
        let wanted = announce && self.waiting.as_ref().is_some_and(|wait| wait.wish.announce);
        // The host does not speak into what its script says or asks.
        if wanted && self.pending.is_none() && !self.is_speaking() {
            let minutes = expected_wait.map(minutes_of);
            self.host_announces(HostPrompt::QueuePosition { position, minutes });
        }
    }

    /// Says something to a waiting caller; nothing waits for its end.
    pub(super) fn host_announces(&mut self, words: HostPrompt) {
        self.play_foreground(vec![PromptSource::Host(words)], false);
    }

    /// Not let in, or put out.
    fn put_out(&mut self, refusal: WaitRefusal, now: Timestamp) {
        let Some(wait) = &self.waiting else { return };
        let (handle, queue) = (wait.handle, wait.wish.queue.clone());
        let was_in = !matches!(wait.stage, WaitStage::Entering { .. });
        let event = match &refusal {
            WaitRefusal::Unknown(_) => None,
            WaitRefusal::Full => Some(QueueEvent::Full),
            WaitRefusal::Closed { opens } => {
                Some(QueueEvent::Closed(opens.and_then(|opens| self.queue_clock(&queue, opens))))
            }
        };
        if was_in {
            self.take_the_ear(now);
        }
        self.leave_line(QueueOutcome::Refused, None, now);
        match (event, refusal) {
            // Who has waited is owed an offer, whatever the script does.
            (Some(event), WaitRefusal::Closed { .. }) if was_in && self.calls_back(&queue) => {
                if let Some(wait) = &mut self.waiting {
                    wait.put_out = Some(event.clone());
                }
                self.offer_after_closing(&queue, &event, now);
            }
            (event, refusal) => {
                let unknown = match refusal {
                    WaitRefusal::Unknown(what) => Err(CallError::NotFound(what)),
                    _ => Ok(Reply::Handle(handle)),
                };
                self.entered(unknown, now);
                self.wait_ends_with(event.unwrap_or(QueueEvent::TimedOut), was_in, now);
            }
        }
    }

    fn patience_over(&mut self, now: Timestamp) {
        self.let_in(now);
        self.take_the_ear(now);
        self.leave_line(QueueOutcome::Left, None, now);
        self.wait_ends_with(QueueEvent::TimedOut, true, now);
    }

    /// The wait is over without anybody: the script is told, or the host goes on.
    pub(super) fn wait_ends_with(&mut self, event: QueueEvent, was_in: bool, now: Timestamp) {
        if self.waiting.as_ref().is_some_and(|wait| matches!(wait.owner, Initiator::Script(_))) {
            self.queue_event(event, now);
            self.unpark(now);
        } else {
            self.pending = None;
            self.landed_wait_over(&event, was_in, now);
        }
    }

    /// Takes the caller out of the queue: nobody is rung any more. The centre is told the reason, unless it knows.
    pub(super) fn leave_line(&mut self, outcome: QueueOutcome, reason: Option<LeaveReason>, now: Timestamp) {
        let Some(wait) = &mut self.waiting else { return };
        wait.stage = WaitStage::Over;
        wait.delayed = None;
        let rings = std::mem::take(&mut wait.rings);
        if let Some(reason) = reason {
            self.command(Command::Queue(QueueOrder::Leave(reason)));
        }
        for ring in rings {
            self.drop_leg(ring.leg, HangupCause::EngineHangup, now);
            if reason.is_none() {
                let ended = QueueOrder::OfferEnded { offer: ring.offer, outcome: OfferOutcome::Withdrawn };
                self.command(Command::Queue(ended));
            }
        }
        self.stop_music();
        self.wait_outcome(outcome, now);
    }

    /// For the record: how the wait ended, and after how long.
    pub(super) fn wait_outcome(&mut self, outcome: QueueOutcome, now: Timestamp) {
        if let Some(queue) = &mut self.legs.first_mut().record.queue {
            queue.waited = now.since(queue.entered);
            queue.outcome = Some(outcome);
        }
    }

    /// The host tries a peer, or offers a callback: for the record.
    pub(super) fn host_acted(&mut self, now: Timestamp) {
        if let Some(queue) = &mut self.legs.first_mut().record.queue {
            queue.acted.get_or_insert(now);
        }
    }

    /// The host needs the caller's ear: what goes on there ends as if nobody had said anything.
    pub(super) fn take_the_ear(&mut self, now: Timestamp) {
        self.unmask();
        self.end_foreground();
        if matches!(self.pending_operation(), Some(Operation::Enter)) {
            return;
        }
        match self.pending.take() {
            Some(Pending { initiator: initiator @ Initiator::Script(_), operation }) => {
                self.answer(initiator, interrupted(&operation), now);
            }
            Some(Pending { operation: Operation::Transfer(transfer), .. }) => {
                if let Some(leg) = transfer.dialled() {
                    self.drop_leg(leg, HangupCause::EngineHangup, now);
                }
            }
            _ => {}
        }
    }

    /// What the host did with a waiting caller is done.
    pub(super) fn queue_operation_finished(&mut self, result: Result<Reply, CallError>, now: Timestamp) {
        if self.ended.is_some() {
            return;
        }
        match result {
            Ok(Reply::CallbackOffered(Some(receipt))) => {
                self.queue_event(QueueEvent::Callback(receipt.id), now);
                self.hang_up(HangupCause::EngineHangup, now);
            }
            Ok(Reply::Transfer(outcome)) => self.handed_back(outcome, now),
            _ => self.goes_on_waiting(now),
        }
    }

    fn goes_on_waiting(&mut self, now: Timestamp) {
        let Some(wait) = &mut self.waiting else { return };
        match wait.put_out.take() {
            Some(event) => self.wait_ends_with(event, true, now),
            None => self.unpark(now),
        }
    }

    /// A peer centre did not take the caller, or a talk is over and the caller back.
    fn handed_back(&mut self, outcome: TransferOutcome, now: Timestamp) {
        let Some(wait) = &mut self.waiting else { return };
        let talked = match outcome {
            TransferOutcome::BridgedThenReturned(talked) => Some(talked),
            _ => None,
        };
        match (wait.stage.clone(), talked) {
            (WaitStage::Peer { peer, answered: false }, _) => {
                wait.stage = WaitStage::InLine;
                let music = wait.wish.music.clone();
                self.start_music(music);
                self.command(Command::Queue(QueueOrder::PeerTried { peer, outcome }));
                self.unpark(now);
            }
            (stage, Some(talked)) => {
                wait.stage = WaitStage::Over;
                if let WaitStage::Peer { peer, .. } = stage {
                    self.command(Command::Queue(QueueOrder::PeerTried { peer, outcome }));
                }
                self.queue_event(QueueEvent::Returned(talked), now);
                self.unpark(now);
            }
            (WaitStage::Talking | WaitStage::Peer { .. }, None) => self.wait_anew(now),
            _ => self.unpark(now),
        }
    }

    pub(super) fn wait_deadline(&self) -> Option<Timestamp> {
        self.waiting.as_ref().and_then(|wait| wait.deadline())
    }

    pub(super) fn wait_timeout(&mut self, now: Timestamp) {
        let Some(wait) = &mut self.waiting else { return };
        if let Some((run, deadline)) = wait.asking
            && now >= deadline
        {
            wait.asking = None;
            self.answer(Initiator::Script(run), Ok(Reply::QueueEvent(None)), now);
        }
        let entering = self.waiting.as_ref().map(|wait| wait.stage.clone());
        if let Some(WaitStage::Entering { deadline }) = entering
            && now >= deadline
        {
            self.command(Command::Queue(QueueOrder::Leave(LeaveReason::Host)));
            self.put_out(WaitRefusal::Unknown("the centre does not answer".into()), now);
        }
        self.ring_timeouts(now);
    }

    /// The caller is gone: the centre is told, and so is a script that waits for an event.
    pub(super) fn wait_abandoned(&mut self, reason: crate::script::EndReason, now: Timestamp) {
        let Some(wait) = &mut self.waiting else { return };
        let told = [wait.asking.take().map(|(run, _)| run), wait.parked.take().map(|(run, _)| run)];
        if wait.is_in_line() {
            let host = matches!(
                reason,
                crate::script::EndReason::AdminKill
                    | crate::script::EndReason::DrainTimeout
                    | crate::script::EndReason::HostLimit
            );
            let (outcome, leaves) = if host {
                (QueueOutcome::Host, LeaveReason::Host)
            } else {
                (QueueOutcome::Abandoned, LeaveReason::Abandoned)
            };
            self.leave_line(outcome, Some(leaves), now);
        } else {
            wait.stage = WaitStage::Over;
        }
        for run in told.into_iter().flatten() {
            self.command(Command::Reply { run, result: Err(CallError::Ended(reason)) });
        }
    }

    /// The script is gone and its caller waits: the host takes the wait on. False where nobody waits.
    pub(super) fn keep_waiting(&mut self) -> bool {
        let hosted = matches!(&self.pending, Some(Pending { initiator: Initiator::Queue, .. }));
        let Some(wait) = &mut self.waiting else { return false };
        if !wait.is_in_line() && !hosted {
            return false;
        }
        wait.owner = Initiator::Host;
        // There is no script to come back to.
        wait.wish.return_on_end = false;
        (wait.asking, wait.parked) = (None, None);
        wait.events.clear();
        if let Some(pending) = &mut self.pending
            && matches!(pending.operation, Operation::Enter)
        {
            pending.initiator = Initiator::Host;
        }
        if matches!(&self.pending, Some(Pending { initiator: Initiator::Script(_), .. })) {
            self.unmask();
            self.end_foreground();
            self.pending = None;
        }
        true
    }

    fn queue_clock(&self, queue: &Queue, at: Timestamp) -> Option<std::sync::Arc<str>> {
        let calendar = &self.start.routes.centre.queues.get(queue)?.calendar;
        let local = calendar.local(at);
        Some(format!("{:02}:{:02}", local.hour(), local.minute()).into())
    }
}

/// For the ear: rounded up, and zero below half a minute.
fn minutes_of(wait: Duration) -> u32 {
    const SOON: Duration = Duration::from_secs(30);
    if wait <= SOON { 0 } else { u32::try_from(wait.as_secs().div_ceil(60)).unwrap_or(u32::MAX) }
}

/// The answer of an operation that the host cut short.
fn interrupted(operation: &Operation) -> Result<Reply, CallError> {
    match operation {
        Operation::Say | Operation::AwaitPlayer(_) => {
            Ok(Reply::Playback(PlaybackEnd { finished: false, interrupted_by: None, at: Duration::ZERO }))
        }
        Operation::Ask(_) => Ok(Reply::Outcome(Outcome::NoInput)),
        Operation::NextKey { .. } => Ok(Reply::Key(None)),
        Operation::Wait { .. } | Operation::SendKeys => Ok(Reply::Done),
        Operation::Dialog(_) => Ok(Reply::CallbackOffered(None)),
        _ => Err(CallError::BusyResource("the host has the caller now".into())),
    }
}
