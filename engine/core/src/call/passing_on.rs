//! An operator passes the caller on (REFER): to the centre's own telephones and operators, and to nobody else.

use super::CallMachine;
use super::input::Command;
use super::transfer::Stage;
use crate::ids::{LegId, Operator};
use crate::leg::{DialTarget, HangupCause, LegCommand};
use crate::time::Timestamp;

/// To a party's transfer that the engine does not allow.
const STATUS_FORBIDDEN: u16 = 403;

impl CallMachine {
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
        let of_group = || {
            let operators = routes.groups.values().flat_map(|group| &group.operators);
            operators.into_iter().find(|operator| &*operator.name == user).map(|operator| operator.target.clone())
        };
        let of_queue = || routes.centre.operators.get(&Operator::new(user)).map(|operator| operator.target.clone());
        routes.extensions.get(user).cloned().or_else(of_group).or_else(of_queue)
    }

    pub(super) fn passed_on(&mut self, old: LegId, new: LegId, since: Timestamp, now: Timestamp) {
        self.part_supervisor();
        self.command(Command::Unbridge(LegId::FIRST, old));
        self.operator_free();
        self.leg_command(old, LegCommand::ReferOutcome { status: 200 });
        self.drop_leg(old, HangupCause::Transferred, now);
        self.command(Command::Bridge(LegId::FIRST, new));
        if let Some(transfer) = self.transfer_mut() {
            transfer.stage = Stage::Bridged { leg: new, since };
        }
        self.join_supervisor();
    }

    /// The operator has left before the next one answered, as many telephones do: the caller waits for that one.
    pub(super) fn keep_passing_on(&mut self, old: LegId, next: LegId, deadline: Timestamp) {
        self.part_supervisor();
        self.command(Command::Unbridge(LegId::FIRST, old));
        self.operator_free();
        let Some(transfer) = self.transfer_mut() else { return };
        transfer.stage = Stage::Dialling { leg: next, deadline };
        // Whoever was next in order was not asked for.
        transfer.targets.clear();
        let music = transfer.options.music.clone();
        self.start_music(music);
    }

    pub(super) fn not_passed_on(&mut self, status: u16) {
        let Some(Stage::PassingOn { leg, since, .. }) = self.transfer_stage() else { return };
        let (leg, since) = (*leg, *since);
        self.leg_command(leg, LegCommand::ReferOutcome { status });
        if let Some(transfer) = self.transfer_mut() {
            transfer.stage = Stage::Bridged { leg, since };
        }
    }

    /// Whom the caller talks to.
    pub(super) fn talking_leg(&self) -> Option<LegId> {
        match self.transfer_stage() {
            Some(Stage::Bridged { leg, .. } | Stage::PassingOn { leg, .. }) => Some(*leg),
            _ => None,
        }
    }
}
