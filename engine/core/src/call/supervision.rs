//! A supervisor takes part in a talk: a leg of its own, which ends with the talk.

use super::CallMachine;
use super::input::{Command, Supervision};
use super::legs::LEGS_MAX;
use crate::ids::LegId;
use crate::leg::{DialTarget, HangupCause, LegCommand};
use crate::time::Timestamp;
use std::time::Duration;

/// So long a supervisor's telephone rings.
const RING_MAX: Duration = Duration::from_secs(30);

/// The supervisor of a call; one at a time.
#[derive(Debug)]
pub(super) struct Supervisor {
    leg: LegId,
    how: Supervision,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Ringing {
        deadline: Timestamp,
    },
    /// On the line while the caller is being passed on.
    Apart,
    /// Takes part.
    Joined,
}

impl CallMachine {
    /// Rings a supervisor. Does nothing where nobody talks, or one takes part already.
    pub(super) fn supervise(&mut self, target: DialTarget, how: Supervision, now: Timestamp) {
        if self.ended.is_some() || self.supervisor.is_some() || self.talking_leg().is_none() {
            return;
        }
        let Some((leg, record)) = self.legs.outbound(&target, LEGS_MAX, now) else { return };
        self.command(Command::LegBegan(Box::new(record)));
        let dial = LegCommand::Dial { target, caller: None, screen_pop: Vec::new(), chain: None };
        self.leg_command(leg, dial);
        self.supervisor = Some(Supervisor { leg, how, stage: Stage::Ringing { deadline: now + RING_MAX } });
    }

    /// The supervisor takes part in another way.
    pub(super) fn supervise_how(&mut self, how: Supervision) {
        let Some(supervisor) = &mut self.supervisor else { return };
        supervisor.how = how;
        if supervisor.stage == Stage::Joined {
            self.join_supervisor();
        }
    }

    /// The talk is over, or the supervisor is to leave.
    pub(super) fn supervision_over(&mut self, now: Timestamp) {
        self.part_supervisor();
        if let Some(supervisor) = self.supervisor.take() {
            self.drop_leg(supervisor.leg, HangupCause::EngineHangup, now);
        }
    }

    /// A leg was answered. False where it is not the supervisor's.
    pub(super) fn supervisor_answered(&mut self, leg: LegId) -> bool {
        let Some(supervisor) = self.supervisor.as_mut().filter(|supervisor| supervisor.leg == leg) else {
            return false;
        };
        supervisor.stage = Stage::Apart;
        self.join_supervisor();
        true
    }

    /// A leg ended. False where it is not the supervisor's.
    pub(super) fn supervisor_left(&mut self, leg: LegId) -> bool {
        if self.supervisor.as_ref().is_none_or(|supervisor| supervisor.leg != leg) {
            return false;
        }
        self.part_supervisor();
        self.supervisor = None;
        true
    }

    /// Caller and operator talk, perhaps another operator than before: whoever listens goes on listening.
    pub(super) fn join_supervisor(&mut self) {
        let Some(operator) = self.talking_leg() else { return };
        let Some(supervisor) = &mut self.supervisor else { return };
        if matches!(supervisor.stage, Stage::Ringing { .. }) {
            return;
        }
        supervisor.stage = Stage::Joined;
        let (leg, how) = (supervisor.leg, supervisor.how);
        self.command(Command::Supervise { leg, operator, how });
    }

    /// The two whom the supervisor hears are parted: before they are.
    pub(super) fn part_supervisor(&mut self) {
        if let Some(supervisor) = &mut self.supervisor
            && supervisor.stage == Stage::Joined
        {
            supervisor.stage = Stage::Apart;
            let leg = supervisor.leg;
            self.command(Command::Unsupervise(leg));
        }
    }

    pub(super) fn supervisor_deadline(&self) -> Option<Timestamp> {
        match self.supervisor.as_ref()?.stage {
            Stage::Ringing { deadline } => Some(deadline),
            Stage::Apart | Stage::Joined => None,
        }
    }

    pub(super) fn supervisor_timeout(&mut self, now: Timestamp) {
        if self.supervisor_deadline().is_some_and(|deadline| now >= deadline)
            && let Some(supervisor) = self.supervisor.take()
        {
            self.drop_leg(supervisor.leg, HangupCause::NoAnswer, now);
        }
    }
}
