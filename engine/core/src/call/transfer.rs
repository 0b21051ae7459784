//! Handing the caller over: dial the targets in order, whisper, then bridge or REFER; back to whoever asked on failure.

use super::input::{Command, PlaybackId, TranscriptLine};
use super::legs::{LEGS_MAX, TRANSFER_LEGS_MAX};
use super::{CallMachine, Initiator, Operation, Pending, within};
use crate::centre::PeerRoute;
use crate::ids::LegId;
use crate::leg::{Chain, DialTarget, HangupCause, LegCommand};
use crate::prompt::PromptSource;
use crate::records::{EndedBy, TransferRecord};
use crate::routing::Resolution;
use crate::script::{
    CallError, EndReason, QueueWish, Reply, TransferMode, TransferOptions, TransferOutcome, TransferTarget,
};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// To a party's transfer to somebody who did not answer.
const STATUS_BUSY: u16 = 486;

/// One transfer.
#[derive(Debug)]
pub(super) struct Transfer {
    /// For the record.
    to: Arc<str>,
    pub(super) options: TransferOptions,
    pub(super) targets: VecDeque<DialTarget>,
    pub(super) stage: Stage,
    last_failure: TransferOutcome,
    /// The way so far, where it leads to another centre.
    chain: Option<Chain>,
}

#[derive(Debug)]
pub(super) enum Stage {
    Dialling {
        leg: LegId,
        deadline: Timestamp,
    },
    Whispering {
        leg: LegId,
        playback: PlaybackId,
    },
    /// They talk.
    Bridged {
        leg: LegId,
        since: Timestamp,
    },
    /// They talk, and the operator has asked that the caller be passed on.
    PassingOn {
        leg: LegId,
        next: LegId,
        since: Timestamp,
        deadline: Timestamp,
    },
    /// REFER is out.
    Referring {
        other: Option<LegId>,
        deadline: Timestamp,
    },
}

impl Transfer {
    /// A caller who has waited talks to somebody.
    pub(super) fn talking(to: Arc<str>, leg: LegId, wish: &QueueWish, now: Timestamp) -> Self {
        Self {
            to,
            options: options_in_queue(wish, RING_AGAIN),
            targets: VecDeque::new(),
            stage: Stage::Bridged { leg, since: now },
            last_failure: TransferOutcome::Unavailable,
            chain: None,
        }
    }

    /// A caller who waits is to go to a peer centre.
    pub(super) fn to_peer(route: &PeerRoute, chain: Chain, wish: &QueueWish, now: Timestamp) -> Self {
        Self {
            to: Arc::from(route.peer.as_str()),
            options: options_in_queue(wish, route.ring_max),
            targets: VecDeque::from([route.target.clone()]),
            stage: Stage::Referring { other: None, deadline: now },
            last_failure: TransferOutcome::Unavailable,
            chain: Some(chain),
        }
    }

    /// Whoever is being dialled.
    pub(super) const fn dialled(&self) -> Option<LegId> {
        match self.stage {
            Stage::Dialling { leg, .. } | Stage::Whispering { leg, .. } => Some(leg),
            _ => None,
        }
    }

    pub(super) const fn deadline(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Dialling { deadline, .. }
            | Stage::PassingOn { deadline, .. }
            | Stage::Referring { deadline, .. } => Some(deadline),
            Stage::Whispering { .. } | Stage::Bridged { .. } => None,
        }
    }

    pub(super) fn record(&self, outcome: TransferOutcome) -> TransferRecord {
        TransferRecord { mode: self.options.mode, to: Arc::clone(&self.to), outcome }
    }

    pub(super) const fn is_bridged(&self) -> bool {
        matches!(self.stage, Stage::Bridged { .. } | Stage::PassingOn { .. })
    }
}

impl CallMachine {
    /// Begins a transfer as the pending operation.
    pub(super) fn transfer(
        &mut self,
        initiator: Initiator,
        target: &TransferTarget,
        options: TransferOptions,
        now: Timestamp,
    ) {
        if let Err(error) = within("ring-timeout", options.ring_timeout, self.start.limits.ring_timeout_max) {
            self.answer(initiator, Err(error), now);
            return;
        }
        let mut transfer = Transfer {
            to: target.label(),
            options,
            targets: VecDeque::new(),
            stage: Stage::Referring { other: None, deadline: now },
            last_failure: TransferOutcome::Unavailable,
            chain: None,
        };
        match self.start.routes.resolve(&self.start.agency, target, now) {
            Resolution::NotFound(what) => self.answer(initiator, Err(CallError::NotFound(what)), now),
            Resolution::Script(agency, entry) => self.hand_over(initiator, agency, entry, now),
            Resolution::Closed(opens) => {
                self.transfer_over(initiator, &transfer, TransferOutcome::Closed(opens), now);
            }
            Resolution::Dial(targets) if targets.is_empty() => {
                self.transfer_over(initiator, &transfer, TransferOutcome::Unavailable, now);
            }
            Resolution::Dial(targets) => {
                transfer.targets = targets.into();
                self.transfer_begins(initiator, transfer, now);
            }
        }
    }

    fn transfer_begins(&mut self, initiator: Initiator, transfer: Transfer, now: Timestamp) {
        let blind = transfer.options.mode == TransferMode::Blind;
        let music = transfer.options.music.clone();
        self.pending = Some(Pending { initiator, operation: Operation::Transfer(Box::new(transfer)) });
        if blind {
            self.refer_next(now);
        } else {
            self.drop_all_players();
            self.start_music(music);
            self.dial_next(now);
        }
    }

    fn transfer_over(&mut self, initiator: Initiator, transfer: &Transfer, outcome: TransferOutcome, now: Timestamp) {
        self.legs.first_mut().record.transfer = Some(transfer.record(outcome.clone()));
        self.answer(initiator, Ok(Reply::Transfer(outcome)), now);
    }

    /// The pending transfer has come to its end; the caller is back, or gone for good.
    pub(super) fn transfer_finished(&mut self, outcome: TransferOutcome, now: Timestamp) {
        self.stop_music();
        if let Some(Pending { initiator, operation: Operation::Transfer(transfer) }) = self.pending.take() {
            self.transfer_over(initiator, &transfer, outcome, now);
        }
    }

    pub(super) fn dial_next(&mut self, now: Timestamp) {
        let Some(transfer) = self.transfer_mut() else { return };
        let next = transfer.targets.pop_front();
        let (ring_timeout, failure) = (transfer.options.ring_timeout, transfer.last_failure.clone());
        let dialled = next.and_then(|target| self.dial(target, now));
        match (dialled, self.transfer_mut()) {
            (Some(leg), Some(transfer)) => transfer.stage = Stage::Dialling { leg, deadline: now + ring_timeout },
            _ => self.transfer_finished(failure, now),
        }
    }

    pub(super) fn dial(&mut self, target: DialTarget, now: Timestamp) -> Option<LegId> {
        let in_queue = matches!(&self.pending, Some(Pending { initiator: Initiator::Queue, .. }));
        let max = if in_queue { LEGS_MAX } else { TRANSFER_LEGS_MAX };
        let (leg, record) = self.legs.outbound(&target, max, now)?;
        let transfer = self.transfer_mut();
        let (screen_pop, chain) =
            transfer.map(|transfer| (transfer.options.screen_pop.clone(), transfer.chain.clone())).unwrap_or_default();
        let caller = self.caller_number();
        self.command(Command::LegBegan(Box::new(record)));
        self.leg_command(leg, LegCommand::Dial { target, caller, screen_pop, chain });
        Some(leg)
    }

    fn refer_next(&mut self, now: Timestamp) {
        let deadline = now + self.start.limits.refer_timeout;
        let Some(transfer) = self.transfer_mut() else { return };
        match transfer.targets.pop_front() {
            Some(target) => {
                transfer.stage = Stage::Referring { other: None, deadline };
                self.leg_command(LegId::FIRST, LegCommand::Refer { target });
            }
            None => {
                let failure = transfer.last_failure.clone();
                self.transfer_finished(failure, now);
            }
        }
    }

    pub(super) fn target_answered(&mut self, leg: LegId, now: Timestamp) {
        match self.transfer_stage() {
            Some(Stage::Dialling { leg: dialled, .. }) if *dialled == leg => self.whisper_or_join(leg, now),
            Some(Stage::PassingOn { leg: old, next, since, .. }) if *next == leg => {
                let (old, since) = (*old, *since);
                self.passed_on(old, leg, since, now);
            }
            // Nobody waits for this one any more.
            _ => self.drop_leg(leg, HangupCause::EngineHangup, now),
        }
    }

    fn whisper_or_join(&mut self, leg: LegId, now: Timestamp) {
        let whisper = self.transfer_mut().and_then(|transfer| transfer.options.whisper.clone());
        match whisper {
            Some(prompt) => {
                let playback = self.playbacks.next_id();
                self.play(leg, playback, vec![PromptSource::Script(prompt)], false, false);
                if let Some(transfer) = self.transfer_mut() {
                    transfer.stage = Stage::Whispering { leg, playback };
                }
            }
            None => self.join(leg, now),
        }
    }

    pub(super) fn whisper_ended(&mut self, leg: LegId, playback: PlaybackId, now: Timestamp) {
        let expected = matches!(
            self.transfer_stage(),
            Some(Stage::Whispering { leg: whispered, playback: expected }) if *whispered == leg && *expected == playback
        );
        if expected {
            self.join(leg, now);
        }
    }

    fn join(&mut self, leg: LegId, now: Timestamp) {
        let deadline = now + self.start.limits.refer_timeout;
        let Some(transfer) = self.transfer_mut() else { return };
        if transfer.options.mode == TransferMode::Attended {
            transfer.stage = Stage::Referring { other: Some(leg), deadline };
            self.leg_command(LegId::FIRST, LegCommand::ReferReplacing { other: leg });
        } else {
            transfer.stage = Stage::Bridged { leg, since: now };
            self.stop_music();
            self.keys_ahead.clear();
            if self.is_speaking() {
                self.end_foreground();
            }
            self.command(Command::Bridge(LegId::FIRST, leg));
            self.transcribe(TranscriptLine::Bridged);
            // A peer's operators keep the promise of a callback as well as ours.
            self.callback_connected();
            self.callee_connected();
            self.peer_answered(now);
            self.join_supervisor();
        }
    }

    pub(super) fn transfer_timeout(&mut self, now: Timestamp) {
        match self.transfer_stage() {
            Some(Stage::Dialling { leg, .. }) => {
                let leg = *leg;
                self.drop_leg(leg, HangupCause::NoAnswer, now);
                self.target_failed(TransferOutcome::NoAnswer, now);
            }
            Some(Stage::Referring { .. }) => self.refer_failed(TransferOutcome::NoAnswer, now),
            Some(Stage::PassingOn { next, .. }) => {
                let next = *next;
                self.drop_leg(next, HangupCause::NoAnswer, now);
                self.not_passed_on(408);
            }
            _ => {}
        }
    }

    pub(super) fn target_ended(&mut self, leg: LegId, cause: HangupCause, status: Option<u16>, now: Timestamp) {
        match self.transfer_stage() {
            Some(Stage::Dialling { leg: dialled, .. } | Stage::Whispering { leg: dialled, .. }) if *dialled == leg => {
                self.target_failed(outcome_of(cause, status), now);
            }
            Some(Stage::Bridged { leg: talking, since }) if *talking == leg => {
                let since = *since;
                self.conversation_over(leg, since, now);
            }
            Some(Stage::PassingOn { leg: talking, next, deadline, .. }) => {
                let (talking, next, deadline) = (*talking, *next, *deadline);
                if leg == next {
                    self.not_passed_on(status.unwrap_or(STATUS_BUSY));
                } else if leg == talking {
                    self.keep_passing_on(leg, next, deadline);
                }
            }
            _ => {}
        }
    }

    fn target_failed(&mut self, outcome: TransferOutcome, now: Timestamp) {
        if let Some(transfer) = self.transfer_mut() {
            transfer.last_failure = outcome;
            self.dial_next(now);
        }
    }

    fn conversation_over(&mut self, leg: LegId, since: Timestamp, now: Timestamp) {
        self.supervision_over(now);
        self.command(Command::Unbridge(LegId::FIRST, leg));
        self.operator_free();
        let outcome = TransferOutcome::BridgedThenReturned(now.since(since));
        let returns = self.transfer_mut().is_some_and(|transfer| transfer.options.return_on_end);
        if returns {
            self.transfer_finished(outcome, now);
            return;
        }
        let record = self.transfer_mut().map(|transfer| transfer.record(outcome));
        self.legs.first_mut().record.transfer = record;
        self.leg_command(LegId::FIRST, LegCommand::Hangup);
        self.legs.end_first(HangupCause::EngineHangup, None, EndedBy::Engine, now);
        self.caller_gone(EndReason::FarEndHangup, now);
    }

    pub(super) fn refer_progress(&mut self, status: u16, now: Timestamp) {
        if status < 200 || !matches!(self.transfer_stage(), Some(Stage::Referring { .. })) {
            return;
        }
        if status < 300 {
            self.refer_done(now);
        } else {
            self.refer_failed(outcome_of(HangupCause::from_status(status), Some(status)), now);
        }
    }

    /// The caller's agent is with the target: our part of the call is over.
    fn refer_done(&mut self, now: Timestamp) {
        let Some(Stage::Referring { other, .. }) = self.transfer_stage() else { return };
        let other = *other;
        self.callee_connected();
        self.transfer_finished(TransferOutcome::Moved, now);
        if let Some(leg) = other {
            self.drop_leg(leg, HangupCause::Transferred, now);
        }
        self.leg_command(LegId::FIRST, LegCommand::Hangup);
        self.legs.end_first(HangupCause::Transferred, None, EndedBy::Engine, now);
        self.caller_gone(EndReason::Moved, now);
    }

    fn refer_failed(&mut self, outcome: TransferOutcome, now: Timestamp) {
        let Some(Stage::Referring { other, .. }) = self.transfer_stage() else { return };
        match *other {
            Some(leg) => {
                self.drop_leg(leg, HangupCause::EngineHangup, now);
                self.transfer_finished(outcome, now);
            }
            None => {
                if let Some(transfer) = self.transfer_mut() {
                    transfer.last_failure = outcome;
                    self.refer_next(now);
                }
            }
        }
    }

    /// The caller's agent has been asked to take this leg's dialog over.
    pub(super) fn is_being_replaced(&self, leg: LegId) -> bool {
        matches!(self.transfer_stage(), Some(Stage::Referring { other: Some(other), .. }) if *other == leg)
    }

    /// The caller's leg ended while a REFER was under way: the usual end of one that worked.
    pub(super) fn first_leg_ended_in_transfer(&mut self, now: Timestamp) -> bool {
        let Some(Stage::Referring { other, .. }) = self.transfer_stage() else { return false };
        if let Some(leg) = *other {
            self.drop_leg(leg, HangupCause::Transferred, now);
        }
        self.legs.first_mut().record.cause = HangupCause::Transferred;
        self.callee_connected();
        self.transfer_finished(TransferOutcome::Moved, now);
        true
    }

    pub(super) fn drop_leg(&mut self, leg: LegId, cause: HangupCause, now: Timestamp) {
        if self.legs.is_live(leg) {
            self.leg_command(leg, LegCommand::Hangup);
            self.legs.end_other(leg, (cause, None), EndedBy::Engine, now, &mut self.commands);
        }
    }

    pub(super) fn transfer_stage(&self) -> Option<&Stage> {
        match self.pending_operation() {
            Some(Operation::Transfer(transfer)) => Some(&transfer.stage),
            _ => None,
        }
    }

    pub(super) fn transfer_mut(&mut self) -> Option<&mut Transfer> {
        match &mut self.pending.as_mut()?.operation {
            Operation::Transfer(transfer) => Some(transfer),
            _ => None,
        }
    }
}

/// For an operator to whom a caller is passed on from a talk that a queue brought about.
const RING_AGAIN: Duration = Duration::from_secs(20);

fn options_in_queue(wish: &QueueWish, ring_timeout: Duration) -> TransferOptions {
    TransferOptions {
        mode: TransferMode::Bridge,
        ring_timeout,
        music: wish.music.clone(),
        whisper: None,
        screen_pop: Vec::new(),
        return_on_end: wish.return_on_end,
    }
}

fn outcome_of(cause: HangupCause, status: Option<u16>) -> TransferOutcome {
    match cause {
        HangupCause::Busy => TransferOutcome::Busy,
        HangupCause::NoAnswer => TransferOutcome::NoAnswer,
        HangupCause::Rejected | HangupCause::NotFound | HangupCause::NoCommonMedia => {
            status.map_or(TransferOutcome::Unavailable, TransferOutcome::Rejected)
        }
        _ => TransferOutcome::Unavailable,
    }
}
