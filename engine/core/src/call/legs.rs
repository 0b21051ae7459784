//! The legs of a call and the records that they leave.

use super::input::{CallStart, Command, Purpose};
use super::outbound::fulfils;
use super::{CallMachine, MediaEvent, Operation};
use crate::ids::LegId;
use crate::leg::{DialTarget, HangupCause, LegCommand, LegEvent};
use crate::privacy::PhoneNumber;
use crate::records::{CampaignRecord, Direction, EndedBy, LegRecord};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// Legs of one call, ever: operators are rung for a waiting caller for as long as it takes.
pub(super) const LEGS_MAX: u16 = 1024;
/// Of these by transfers that scripts ask for: no script dials without end.
pub(super) const TRANSFER_LEGS_MAX: u16 = 64;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum LegPhase {
    /// A callback's caller, who is not dialled yet: there is no leg but in the records.
    Planned,
    /// An INVITE is open.
    Trying,
    /// Sound before the answer.
    EarlyMedia,
    /// 200 is out, ACK is not in.
    Answering,
    Answered,
    Ended,
}

#[derive(Debug)]
pub(super) struct Leg {
    pub(super) phase: LegPhase,
    /// Its party has us on hold and may send nothing. The caller's hold is the machine's `held_since`.
    held: bool,
    pub(super) record: LegRecord,
}

/// All legs; the first is the caller's.
#[derive(Debug)]
pub(super) struct Legs {
    legs: Vec<Leg>,
}

impl Legs {
    pub(super) fn begin(start: &CallStart, now: Timestamp) -> Self {
        let callback = fulfils(start);
        let (phase, direction) = match &start.purpose {
            Purpose::Callback(_) | Purpose::Campaign(_) => (LegPhase::Planned, Direction::Outbound),
            Purpose::Script | Purpose::CallbackNumber { .. } => (LegPhase::Trying, Direction::Inbound),
        };
        let campaign = match &start.purpose {
            Purpose::Campaign(call) => {
                let attempt = call.attempt.clone();
                Some(Box::new(CampaignRecord { attempt, answered_by: None, disposition: None }))
            }
            _ => None,
        };
        let record = LegRecord {
            call: start.id,
            leg: LegId::FIRST,
            direction,
            agency: start.agency.clone(),
            entry: start.entry.clone(),
            scripts: Vec::new(),
            trunk: Some(start.incoming.trunk.clone()),
            caller: start.incoming.caller.clone(),
            called: start.incoming.called.clone(),
            started: now,
            rang: None,
            answered: None,
            ended: now,
            cause: HangupCause::Crash,
            status: None,
            ended_by: EndedBy::Engine,
            mode: start.mode,
            lang: start.lang.clone(),
            result: None,
            landing: None,
            transfer: None,
            tags: Vec::new(),
            recordings: Vec::new(),
            overlay_heard: false,
            queue: None,
            callback: callback.map(|start| start.callback.clone()),
            chain: start.incoming.chain.as_ref().map(|chain| Arc::clone(&chain.id)),
            campaign,
        };
        Self { legs: vec![Leg { phase, held: false, record }] }
    }

    pub(super) fn first(&self) -> &Leg {
        &self.legs[0]
    }

    pub(super) fn first_mut(&mut self) -> &mut Leg {
        &mut self.legs[0]
    }

    fn find(&mut self, id: LegId) -> Option<&mut Leg> {
        self.legs.get_mut(usize::from(id.0))
    }

    /// A new outbound leg; none where the call has had as many as it may.
    pub(super) fn outbound(&mut self, target: &DialTarget, max: u16, now: Timestamp) -> Option<(LegId, LegRecord)> {
        let id = LegId(u16::try_from(self.legs.len()).ok().filter(|count| *count < max)?);
        let first = &self.first().record;
        let record = LegRecord {
            leg: id,
            direction: Direction::Outbound,
            scripts: Vec::new(),
            trunk: target.trunk.clone(),
            called: target.address.clone(),
            started: now,
            rang: None,
            answered: None,
            ended: now,
            cause: HangupCause::Crash,
            status: None,
            ended_by: EndedBy::Engine,
            result: None,
            landing: None,
            transfer: None,
            tags: Vec::new(),
            recordings: Vec::new(),
            overlay_heard: false,
            queue: None,
            campaign: None,
            ..first.clone()
        };
        self.legs.push(Leg { phase: LegPhase::Trying, held: false, record: record.clone() });
        Some((id, record))
    }

    pub(super) fn is_live(&self, id: LegId) -> bool {
        self.legs.get(usize::from(id.0)).is_some_and(|leg| leg.phase != LegPhase::Ended)
    }

    /// Marks the caller's leg as ended; its record goes out when the script is done as well.
    pub(super) fn end_first(&mut self, cause: HangupCause, status: Option<u16>, by: EndedBy, now: Timestamp) {
        self.first_mut().end(cause, status, by, now);
    }

    /// Marks an outbound leg as ended and hands out its record.
    pub(super) fn end_other(
        &mut self,
        id: LegId,
        (cause, status): (HangupCause, Option<u16>),
        by: EndedBy,
        now: Timestamp,
        commands: &mut VecDeque<Command>,
    ) {
        if id == LegId::FIRST || !self.is_live(id) {
            return;
        }
        if let Some(leg) = self.find(id) {
            leg.end(cause, status, by, now);
            commands.push_back(Command::LegEnded(Box::new(leg.record.clone())));
        }
    }

    /// Hangs up every outbound leg that still lives.
    pub(super) fn end_all_others(&mut self, now: Timestamp, commands: &mut VecDeque<Command>) {
        for at in 1..self.legs.len() {
            let id = LegId(u16::try_from(at).unwrap_or(LEGS_MAX));
            if self.is_live(id) {
                commands.push_back(Command::Leg(id, LegCommand::Hangup));
                self.end_other(id, (HangupCause::EngineHangup, None), EndedBy::Engine, now, commands);
            }
        }
    }

    /// Hands out the caller's record: the call is over.
    pub(super) fn close_first(&mut self, commands: &mut VecDeque<Command>) {
        commands.push_back(Command::LegEnded(Box::new(self.first().record.clone())));
    }
}

impl Leg {
    fn end(&mut self, cause: HangupCause, status: Option<u16>, by: EndedBy, now: Timestamp) {
        if self.phase == LegPhase::Ended {
            return;
        }
        self.phase = LegPhase::Ended;
        self.record.cause = cause;
        self.record.status = status;
        self.record.ended_by = by;
        self.record.ended = now;
    }

    pub(super) fn answered(&mut self, now: Timestamp) {
        if self.phase < LegPhase::Answered {
            self.phase = LegPhase::Answered;
            self.record.answered.get_or_insert(now);
        }
    }
}

impl CallMachine {
    pub(super) fn handle_leg(&mut self, id: LegId, event: LegEvent, now: Timestamp) {
        if !self.legs.is_live(id) || self.is_planned(id) {
            return;
        }
        if id == LegId::FIRST { self.handle_first_leg(event, now) } else { self.handle_other_leg(id, event, now) }
    }

    fn handle_first_leg(&mut self, event: LegEvent, now: Timestamp) {
        match event {
            LegEvent::Answered => {
                let phase = self.legs.first().phase;
                match phase {
                    LegPhase::Answering => {
                        self.legs.first_mut().answered(now);
                        self.answer_finished(now);
                    }
                    LegPhase::Trying if !self.callee_answered(now) => self.caller_answered(now),
                    _ => {}
                }
            }
            LegEvent::Held => {
                self.held_since.get_or_insert(now);
            }
            LegEvent::Resumed => self.resume_from_hold(now),
            LegEvent::Ended { cause, status } => {
                let by = if ended_by_party(cause) { EndedBy::Party } else { EndedBy::Engine };
                self.legs.end_first(cause, status, by, now);
                let moved = cause == HangupCause::PartyHangup && self.first_leg_ended_in_transfer(now);
                let reason = if moved { crate::script::EndReason::Moved } else { LegRecord::end_reason(cause) };
                self.caller_gone(reason, now);
            }
            LegEvent::ReferProgress { status } => self.refer_progress(status, now),
            LegEvent::TransferRequested { target } => self.party_asks_transfer(LegId::FIRST, &target, now),
            LegEvent::Ringing { early_media } => {
                let first = self.legs.first_mut();
                if first.record.direction == Direction::Outbound {
                    first.record.rang.get_or_insert(now);
                }
                self.callee_rings(early_media);
            }
        }
    }

    fn handle_other_leg(&mut self, id: LegId, event: LegEvent, now: Timestamp) {
        match event {
            LegEvent::Ringing { .. } => {
                if let Some(leg) = self.legs.find(id) {
                    leg.record.rang.get_or_insert(now);
                }
            }
            LegEvent::Answered => {
                // Once: a second report must not be taken for an answer that nobody waits for.
                if let Some(leg) = self.legs.find(id).filter(|leg| leg.phase < LegPhase::Answered) {
                    leg.answered(now);
                    self.party_answered(id, now);
                }
            }
            LegEvent::Ended { cause, status } => {
                let by = if ended_by_party(cause) { EndedBy::Party } else { EndedBy::Engine };
                // The BYE of a dialog that the caller's agent has just taken over often comes before the NOTIFY.
                let replaced = cause == HangupCause::PartyHangup && self.is_being_replaced(id);
                let recorded = if replaced { HangupCause::Transferred } else { cause };
                self.legs.end_other(id, (recorded, status), by, now, &mut self.commands);
                self.party_ended(id, cause, status, now);
            }
            LegEvent::TransferRequested { target } => self.party_asks_transfer(id, &target, now),
            LegEvent::Held => self.set_held(id, true),
            LegEvent::Resumed => self.set_held(id, false),
            LegEvent::ReferProgress { .. } => {}
        }
    }

    /// Somebody who was dialled has answered: an operator for a waiting caller, for a callback, or for a transfer, or a
    /// supervisor.
    fn party_answered(&mut self, leg: LegId, now: Timestamp) {
        let taken = self.ring_answered(leg, now) || self.supervisor_answered(leg) || self.own_operator_answered(leg);
        if !taken {
            self.target_answered(leg, now);
        }
    }

    fn party_ended(&mut self, leg: LegId, cause: HangupCause, status: Option<u16>, now: Timestamp) {
        let taken =
            self.ring_failed(leg, cause) || self.supervisor_left(leg) || self.own_operator_ended(leg, cause, now);
        if !taken {
            self.target_ended(leg, cause, status, now);
        }
    }

    /// A callback's caller who is not dialled yet: nothing can come from there.
    fn is_planned(&self, id: LegId) -> bool {
        id == LegId::FIRST && self.legs.first().phase == LegPhase::Planned
    }

    pub(super) fn handle_media(&mut self, id: LegId, event: MediaEvent, now: Timestamp) {
        if self.is_planned(id) {
            return;
        }
        if !self.legs.is_live(id) {
            // A recording that was finished by the hang-up is still kept, and its script still told.
            if let MediaEvent::RecordingEnded { .. } | MediaEvent::RecordingFailed { .. } = event {
                self.recording_event(event, now);
            }
            return;
        }
        match event {
            MediaEvent::Key { key, source } if id == LegId::FIRST => {
                if !self.callee_pressed(now) {
                    self.key(key, source, now);
                }
            }
            MediaEvent::Key { .. } => {}
            MediaEvent::PlaybackEnded { .. } | MediaEvent::PlaybackFailed { .. } => {
                self.playback_event(id, event, now);
            }
            MediaEvent::RecordingEnded { .. } | MediaEvent::RecordingFailed { .. } => self.recording_event(event, now),
            MediaEvent::KeysSent => {
                if id == LegId::FIRST && matches!(self.pending_operation(), Some(Operation::SendKeys)) {
                    self.finish(Ok(crate::script::Reply::Done), now);
                }
            }
            MediaEvent::Heard(heard) if id == LegId::FIRST => self.heard(heard, now),
            MediaEvent::Heard(_) => {}
            MediaEvent::Lost => self.media_lost(id, now),
        }
    }

    fn media_lost(&mut self, id: LegId, now: Timestamp) {
        if id == LegId::FIRST {
            // Many a machine sends nothing while it records.
            if self.held_since.is_none() && !self.is_for_machine() {
                self.hang_up(HangupCause::MediaLost, now);
            }
            return;
        }
        if self.legs.find(id).is_some_and(|leg| leg.held) {
            return;
        }
        self.leg_command(id, LegCommand::Hangup);
        self.handle_other_leg(id, LegEvent::Ended { cause: HangupCause::MediaLost, status: None }, now);
    }

    fn resume_from_hold(&mut self, now: Timestamp) {
        let Some(held) = self.held_since.take() else { return };
        let away = now.since(held);
        match self.pending.as_mut().map(|pending| &mut pending.operation) {
            Some(Operation::NextKey { deadline } | Operation::Wait { deadline }) => *deadline = *deadline + away,
            _ => {
                if let Some(question) = self.question_mut() {
                    question.delay(away);
                }
            }
        }
    }

    fn set_held(&mut self, id: LegId, held: bool) {
        if let Some(leg) = self.legs.find(id) {
            leg.held = held;
        }
    }

    /// The number that a target is shown as calling.
    pub(super) fn caller_number(&self) -> Option<PhoneNumber> {
        // Whom we have called is shown to the operator as the one who calls.
        let callback = fulfils(&self.start).map(|start| start.wish.number.clone());
        let called = || self.campaign().map(|_| self.start.incoming.called.clone());
        callback.or_else(called).or_else(|| self.start.incoming.caller.clone())
    }
}

const fn ended_by_party(cause: HangupCause) -> bool {
    !matches!(
        cause,
        HangupCause::EngineHangup
            | HangupCause::AdminKill
            | HangupCause::DrainTimeout
            | HangupCause::AdmissionLimit
            | HangupCause::MediaLost
            | HangupCause::SessionExpired
    )
}
