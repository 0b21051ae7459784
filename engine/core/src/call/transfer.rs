//! Handing the caller over: dial the targets in order, whisper, then bridge or REFER; back to whoever asked on failure.

use super::input::{Command, MediaCommand, PlaybackId, TranscriptLine};
use super::{CallMachine, Initiator, Operation, Pending, within};
use crate::ids::LegId;
use crate::leg::{DialTarget, HangupCause, LegCommand};
use crate::prompt::PromptSource;
use crate::records::{EndedBy, TransferRecord};
use crate::routing::Resolution;
use crate::script::{CallError, EndReason, Reply, TransferMode, TransferOptions, TransferOutcome, TransferTarget};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// To a party's transfer that the engine does not allow.
const STATUS_FORBIDDEN: u16 = 403;
const STATUS_BUSY: u16 = 486;

/// One transfer.
#[derive(Debug)]
pub(super) struct Transfer {
    /// For the record.
    to: Arc<str>,
    options: TransferOptions,
    targets: VecDeque<DialTarget>,
    stage: Stage,
    last_failure: TransferOutcome,
}

#[derive(Debug)]
enum Stage {
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
    pub(super) const fn deadline(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Dialling { deadline, .. }
            | Stage::PassingOn { deadline, .. }
            | Stage::Referring { deadline, .. } => Some(deadline),
            Stage::Whispering { .. } | Stage::Bridged { .. } => None,
        }
    }

    fn record(&self, outcome: TransferOutcome) -> TransferRecord {
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
    fn transfer_finished(&mut self, outcome: TransferOutcome, now: Timestamp) {
        self.stop_music();
        if let Some(Pending { initiator, operation: Operation::Transfer(transfer) }) = self.pending.take() {
            self.transfer_over(initiator, &transfer, outcome, now);
        }
    }

    fn dial_next(&mut self, now: Timestamp) {
        let Some(transfer) = self.transfer_mut() else { return };
        let next = transfer.targets.pop_front();
        let (ring_timeout, failure) = (transfer.options.ring_timeout, transfer.last_failure.clone());
        let dialled = next.and_then(|target| self.dial(target, now));
        match (dialled, self.transfer_mut()) {
            (Some(leg), Some(transfer)) => transfer.stage = Stage::Dialling { leg, deadline: now + ring_timeout },
            _ => self.transfer_finished(failure, now),
        }
    }

    fn dial(&mut self, target: DialTarget, now: Timestamp) -> Option<LegId> {
        let (leg, record) = self.legs.outbound(&target, now)?;
        let screen_pop = self.transfer_mut().map(|transfer| transfer.options.screen_pop.clone()).unwrap_or_default();
        let caller = self.caller_number();
        self.command(Command::LegBegan(Box::new(record)));
        self.leg_command(leg, LegCommand::Dial { target, caller, screen_pop, chain: None });
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
            self.command(Command::Bridge(LegId::FIRST, leg));
            self.transcribe(TranscriptLine::Bridged);
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
        self.command(Command::Unbridge(LegId::FIRST, leg));
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
        self.transfer_finished(TransferOutcome::Moved, now);
        true
    }

    /// A party of a bridge sends REFER. An operator may pass the caller on to the centre's own telephones and operators;
    /// a caller may pass nobody on, else the centre would pay for anybody's calls.
    pub(super) fn party_asks_transfer(&mut self, by: LegId, target: &DialTarget, now: Timestamp) {
        let Some(Stage::Bridged { leg, since }) = self.transfer_stage() else {
            self.leg_command(by, LegCommand::ReferOutcome { status: STATUS_FORBIDDEN });
            return;
        };
        let (leg, since) = (*leg, *since);
        let allowed = (by == leg).then(|| self.own_telephone(target.address.reveal())).flatten();
        let next = allowed.and_then(|target| self.dial(target, now));
        let ring_timeout = self.transfer_mut().map(|transfer| transfer.options.ring_timeout).unwrap_or_default();
        match (next, self.transfer_mut()) {
            (Some(next), Some(transfer)) => {
                transfer.stage = Stage::PassingOn { leg, next, since, deadline: now + ring_timeout };
                self.leg_command(by, LegCommand::ReferOutcome { status: 100 });
            }
            _ => self.leg_command(by, LegCommand::ReferOutcome { status: STATUS_FORBIDDEN }),
        }
    }

    fn own_telephone(&self, address: &str) -> Option<DialTarget> {
        let user = address.strip_prefix("sips:").or_else(|| address.strip_prefix("sip:")).unwrap_or(address);
        let user = user.split(['@', ';', '?']).next().unwrap_or(user);
        let routes = &self.start.routes;
        routes.extensions.get(user).cloned().or_else(|| {
            let operators = routes.groups.values().flat_map(|group| &group.operators);
            operators.into_iter().find(|operator| &*operator.name == user).map(|operator| operator.target.clone())
        })
    }

    fn passed_on(&mut self, old: LegId, new: LegId, since: Timestamp, now: Timestamp) {
        self.command(Command::Unbridge(LegId::FIRST, old));
        self.leg_command(old, LegCommand::ReferOutcome { status: 200 });
        self.drop_leg(old, HangupCause::Transferred, now);
        self.command(Command::Bridge(LegId::FIRST, new));
        if let Some(transfer) = self.transfer_mut() {
            transfer.stage = Stage::Bridged { leg: new, since };
        }
    }

    /// The operator has left before the next one answered, as many telephones do: the caller waits for that one.
    fn keep_passing_on(&mut self, old: LegId, next: LegId, deadline: Timestamp) {
        self.command(Command::Unbridge(LegId::FIRST, old));
        let Some(transfer) = self.transfer_mut() else { return };
        transfer.stage = Stage::Dialling { leg: next, deadline };
        // Whoever was next in order was not asked for.
        transfer.targets.clear();
        let music = transfer.options.music.clone();
        self.start_music(music);
    }

    fn not_passed_on(&mut self, status: u16) {
        let Some(Stage::PassingOn { leg, since, .. }) = self.transfer_stage() else { return };
        let (leg, since) = (*leg, *since);
        self.leg_command(leg, LegCommand::ReferOutcome { status });
        if let Some(transfer) = self.transfer_mut() {
            transfer.stage = Stage::Bridged { leg, since };
        }
    }

    fn drop_leg(&mut self, leg: LegId, cause: HangupCause, now: Timestamp) {
        if self.legs.is_live(leg) {
            self.leg_command(leg, LegCommand::Hangup);
            self.legs.end_other(leg, (cause, None), EndedBy::Engine, now, &mut self.commands);
        }
    }

    /// What the caller hears while waiting for a person.
    pub(super) fn start_music(&mut self, music: Option<Arc<str>>) {
        self.stop_music();
        let playback = self.playbacks.next_id();
        self.play(LegId::FIRST, playback, vec![PromptSource::Music(music)], false, true);
        self.music = Some(playback);
    }

    pub(super) fn stop_music(&mut self) {
        if let Some(music) = self.music.take()
            && self.legs.is_live(LegId::FIRST)
        {
            self.media_command(LegId::FIRST, MediaCommand::Stop(music));
        }
    }

    /// What is pending goes no further; whoever asked is not told here.
    pub(super) fn abandon_operation(&mut self, now: Timestamp) {
        self.stop_music();
        self.stop_foreground();
        if let Some(Stage::Bridged { leg, since } | Stage::PassingOn { leg, since, .. }) = self.transfer_stage() {
            let (leg, since) = (*leg, *since);
            self.conversation_broken_off(leg, since, now);
        }
        if self.legs.is_live(LegId::FIRST) {
            self.unmask();
        }
        self.legs.end_all_others(now, &mut self.commands);
        if let Some(Operation::Record(message)) = self.pending_operation()
            && let Some(recording) = message.running()
        {
            self.media_command(LegId::FIRST, MediaCommand::FinishRecording(recording));
        }
    }

    fn conversation_broken_off(&mut self, leg: LegId, since: Timestamp, now: Timestamp) {
        if !self.legs.is_live(leg) {
            return;
        }
        self.command(Command::Unbridge(LegId::FIRST, leg));
        let talked = TransferOutcome::BridgedThenReturned(now.since(since));
        let record = self.transfer_mut().map(|transfer| transfer.record(talked));
        self.legs.first_mut().record.transfer = record;
    }

    /// The caller hung up in a recording: it ends, is kept, and still answers the script. False where none runs.
    pub(super) fn keep_running_recording(&mut self) -> bool {
        match self.pending_operation() {
            Some(Operation::Record(message)) => match message.running() {
                Some(recording) => {
                    self.media_command(LegId::FIRST, MediaCommand::FinishRecording(recording));
                    true
                }
                None => false,
            },
            Some(Operation::FinishRecorder(_)) => true,
            _ => false,
        }
    }

    /// The script is gone while its caller talks to somebody: they go on, and the call ends with their talk.
    pub(super) fn keep_conversation(&mut self) -> bool {
        let Some(pending) = &mut self.pending else { return false };
        match &mut pending.operation {
            Operation::Transfer(transfer) if transfer.is_bridged() => {
                transfer.options.return_on_end = false;
                pending.initiator = Initiator::Host;
                true
            }
            _ => false,
        }
    }

    /// The script is taken out of the call: what it has begun with others goes on, and the host answers for the rest.
    pub(super) fn keep_transfer(&mut self) -> bool {
        let Some(pending) = &mut self.pending else { return false };
        let Operation::Transfer(transfer) = &mut pending.operation else { return false };
        transfer.options.return_on_end = false;
        pending.initiator = Initiator::Host;
        true
    }

    fn transfer_stage(&self) -> Option<&Stage> {
        match self.pending_operation() {
            Some(Operation::Transfer(transfer)) => Some(&transfer.stage),
            _ => None,
        }
    }

    fn transfer_mut(&mut self) -> Option<&mut Transfer> {
        match &mut self.pending.as_mut()?.operation {
            Operation::Transfer(transfer) => Some(transfer),
            _ => None,
        }
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
