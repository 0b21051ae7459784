//! The board of operators: what each is doing, and what follows from what they and their telephones say.

use super::operator::{LogoutReason, OperatorOrder, OperatorRefusal, OperatorState, PauseReason};
use super::settings::OperatorSettings;
use super::waiting::{OfferId, OfferOutcome};
use crate::ids::{CallId, Operator, Trunk};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// An operator who refused a ring is left alone for so long.
const REST_AFTER_REJECTION: Duration = Duration::from_secs(10);
/// One who missed a ring, so that somebody else is rung first.
const REST_AFTER_MISS: Duration = Duration::from_secs(3);
/// One whose telephone was busy or could not be reached.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(10);
/// A telephone that nobody works a page beside is not paused for missed rings, since nobody could end the pause: it is
/// left alone for so long instead.
const REST_OF_ALWAYS_READY: Duration = Duration::from_secs(60);

/// Registered telephones that are remembered, those of no operator included.
const REGISTERED_MAX: usize = 10_000;

/// What follows an operator's talk.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Next {
    /// Wrap-up, then the next caller.
    Caller,
    Pause(PauseReason),
    LogOut,
}

/// One operator.
///
/// *Invariant:* rung for at most one caller at a time: `ring` stands until the call has said how the ring ended (or the
/// machine has waited for that long enough), whatever the state is meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) settings: Arc<OperatorSettings>,
    pub(super) state: OperatorState,
    pub(super) reachable: bool,
    ring: Option<OfferId>,
    next: Next,
    /// The end of the last talk, or the login.
    pub(super) idle_since: Timestamp,
    pub(super) rests_until: Timestamp,
    misses_in_row: u8,
    pub(super) answered: u32,
    pub(super) missed: u32,
    /// Taken out of the settings; goes with the talk.
    removed: bool,
}

impl Desk {
    fn new(settings: &Arc<OperatorSettings>, registered: bool, now: Timestamp) -> Self {
        let reachable = registered || !registers(settings);
        let mut desk = Self {
            settings: Arc::clone(settings),
            state: OperatorState::LoggedOut,
            reachable,
            ring: None,
            next: Next::Caller,
            idle_since: now,
            rests_until: Timestamp::default(),
            misses_in_row: 0,
            answered: 0,
            missed: 0,
            removed: false,
        };
        if settings.always_ready {
            desk.rest(now);
        }
        desk
    }

    /// May be rung now.
    pub(super) fn is_free(&self, now: Timestamp) -> bool {
        matches!(self.state, OperatorState::Ready { .. })
            && self.reachable
            && self.ring.is_none()
            && self.rests_until <= now
    }

    /// At work: logged in, and with a telephone that can be rung.
    pub(super) fn is_here(&self) -> bool {
        self.reachable && !self.removed && !matches!(self.state, OperatorState::LoggedOut)
    }

    /// Takes callers, now or when this one is served.
    pub(super) fn takes_callers(&self) -> bool {
        self.is_here() && !matches!(self.state, OperatorState::Paused { .. }) && self.next == Next::Caller
    }

    /// Ready, as far as the telephone allows.
    fn rest(&mut self, now: Timestamp) {
        self.state = if self.reachable {
            OperatorState::Ready { since: now }
        } else {
            OperatorState::Paused { reason: PauseReason::Unreachable, since: now }
        };
    }

    /// Busy with a caller: what is ordered now takes effect afterwards.
    fn is_talking(&self) -> bool {
        matches!(self.state, OperatorState::OnCall { .. })
    }

    fn talk(&mut self, call: CallId, now: Timestamp) {
        self.misses_in_row = 0;
        self.answered = self.answered.saturating_add(1);
        let before = std::mem::replace(&mut self.state, OperatorState::OnCall { call, since: now });
        self.next = match before {
            OperatorState::LoggedOut => Next::LogOut,
            OperatorState::Paused { reason: PauseReason::Unreachable, .. } => Next::Caller,
            OperatorState::Paused { reason, .. } => Next::Pause(reason),
            _ => Next::Caller,
        };
    }

    fn log_in(&mut self, now: Timestamp) {
        (self.answered, self.missed, self.misses_in_row) = (0, 0, 0);
        self.rests_until = Timestamp::default();
        match self.state {
            OperatorState::LoggedOut => {
                self.idle_since = now;
                self.rest(now);
            }
            OperatorState::Paused { .. } => self.rest(now),
            OperatorState::OnCall { .. } => self.next = Next::Caller,
            OperatorState::Ready { .. } | OperatorState::Ringing { .. } | OperatorState::WrapUp { .. } => {}
        }
    }

    fn ready(&mut self, now: Timestamp) {
        self.misses_in_row = 0;
        match self.state {
            OperatorState::Paused { .. } | OperatorState::WrapUp { .. } => self.rest(now),
            OperatorState::OnCall { .. } => self.next = Next::Caller,
            OperatorState::LoggedOut | OperatorState::Ready { .. } | OperatorState::Ringing { .. } => {}
        }
    }

    fn pause(&mut self, reason: PauseReason, now: Timestamp) {
        if self.is_talking() {
            self.next = Next::Pause(reason);
        } else {
            self.state = OperatorState::Paused { reason, since: now };
        }
    }

    fn log_out(&mut self) {
        if self.is_talking() {
            self.next = Next::LogOut;
        } else {
            self.state = OperatorState::LoggedOut;
        }
    }

    fn set_reachable(&mut self, reachable: bool, now: Timestamp) {
        self.reachable = reachable;
        let unreachable = matches!(self.state, OperatorState::Paused { reason: PauseReason::Unreachable, .. });
        if !reachable && matches!(self.state, OperatorState::Ready { .. } | OperatorState::Ringing { .. })
            || reachable && unreachable
        {
            self.rest(now);
        }
    }
}

/// Whether the telephone has to register before it can be rung.
fn registers(settings: &OperatorSettings) -> bool {
    settings.target.trunk.as_ref().is_some_and(|trunk| trunk.as_str() == Trunk::REGISTERED)
}

/// All operators.
#[derive(Clone, Debug, Default)]
pub(super) struct Board {
    desks: BTreeMap<Operator, Desk>,
    /// Whose telephones are registered, operators or not yet: one may register before the settings know its operator.
    registered: BTreeSet<Operator>,
    changed: BTreeSet<Operator>,
}

impl Board {
    /// Takes new settings over; gives the rings that are to be taken back.
    pub(super) fn configure(
        &mut self,
        settings: &BTreeMap<Operator, Arc<OperatorSettings>>,
        now: Timestamp,
    ) -> Vec<OfferId> {
        let mut rings = Vec::new();
        for (name, desk) in &mut self.desks {
            match settings.get(name) {
                Some(settings) => {
                    let before = std::mem::replace(&mut desk.settings, Arc::clone(settings));
                    if std::mem::replace(&mut desk.removed, false) && desk.is_talking() {
                        desk.next = Next::Caller;
                    }
                    if registers(&before) != registers(settings) {
                        desk.set_reachable(!registers(settings) || self.registered.contains(name), now);
                    }
                    if settings.always_ready && !before.always_ready && desk.state == OperatorState::LoggedOut {
                        desk.rest(now);
                    }
                }
                None => {
                    desk.removed = true;
                    desk.log_out();
                }
            }
            if !matches!(desk.state, OperatorState::Ringing { .. }) {
                rings.extend(desk.ring);
            }
        }
        let new = settings.iter().filter(|(name, _)| !self.desks.contains_key(*name)).collect::<Vec<_>>();
        self.changed.extend(settings.keys().cloned());
        self.changed.extend(self.desks.keys().cloned());
        for (name, settings) in new {
            let registered = self.registered.contains(name);
            self.desks.insert(name.clone(), Desk::new(settings, registered, now));
        }
        self.forget_removed();
        rings
    }

    /// Carries an order out; gives the ring that is to be taken back.
    pub(super) fn order(
        &mut self,
        operator: &Operator,
        order: OperatorOrder,
        now: Timestamp,
    ) -> Result<Option<OfferId>, OperatorRefusal> {
        match order {
            OperatorOrder::Reachable(true) if self.registered.len() < REGISTERED_MAX => {
                self.registered.insert(operator.clone());
            }
            OperatorOrder::Reachable(false) => _ = self.registered.remove(operator),
            _ => {}
        }
        let unknown = || OperatorRefusal::Unknown(operator.clone());
        let desk = self.desks.get_mut(operator).filter(|desk| !desk.removed).ok_or_else(unknown)?;
        let logged_out = desk.state == OperatorState::LoggedOut;
        let before = desk.state.clone();
        match order {
            OperatorOrder::LogIn => desk.log_in(now),
            OperatorOrder::Ready | OperatorOrder::Pause(_) if logged_out => {
                return Err(OperatorRefusal::LoggedOut(operator.clone()));
            }
            OperatorOrder::Ready => desk.ready(now),
            OperatorOrder::Pause(reason) => desk.pause(reason, now),
            // The page that was there before is the host's to close: who has logged in since works on.
            OperatorOrder::LogOut(LogoutReason::Elsewhere) => {}
            OperatorOrder::LogOut(_) => desk.log_out(),
            OperatorOrder::Reachable(reachable) => desk.set_reachable(reachable, now),
        }
        let stopped = matches!(before, OperatorState::Ringing { .. }) && desk.state != before;
        let ring = desk.ring.filter(|_| stopped);
        self.changed.insert(operator.clone());
        Ok(ring)
    }

    /// A ring begins.
    pub(super) fn ring(&mut self, operator: &Operator, offer: OfferId, call: CallId, now: Timestamp) {
        if let Some(desk) = self.desks.get_mut(operator) {
            desk.ring = Some(offer);
            desk.state = OperatorState::Ringing { call, since: now };
            self.changed.insert(operator.clone());
        }
    }

    /// A ring is over without an answer: counted, and the operator is left alone for a moment. Gives until when.
    pub(super) fn ring_over(
        &mut self,
        operator: &Operator,
        offer: OfferId,
        outcome: OfferOutcome,
        misses_max: u8,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let desk = self.desks.get_mut(operator).filter(|desk| desk.ring == Some(offer))?;
        desk.ring = None;
        self.changed.insert(operator.clone());
        if !matches!(desk.state, OperatorState::Ringing { .. }) {
            self.forget_removed();
            return None;
        }
        desk.rest(now);
        let rest = match outcome {
            OfferOutcome::Answered | OfferOutcome::Withdrawn => return None,
            OfferOutcome::Rejected => REST_AFTER_REJECTION,
            OfferOutcome::Busy => REST_AFTER_FAILURE,
            OfferOutcome::NoAnswer | OfferOutcome::Unavailable => {
                desk.missed = desk.missed.saturating_add(1);
                desk.misses_in_row = desk.misses_in_row.saturating_add(1);
                let too_often = misses_max > 0 && desk.misses_in_row >= misses_max;
                if too_often && !desk.settings.always_ready {
                    desk.pause(PauseReason::Missed, now);
                }
                match (too_often, outcome) {
                    (true, _) => REST_OF_ALWAYS_READY,
                    (false, OfferOutcome::Unavailable) => REST_AFTER_FAILURE,
                    (false, _) => REST_AFTER_MISS,
                }
            }
        };
        // Who is paused says by the order that ends it when there is rest enough.
        if matches!(desk.state, OperatorState::Paused { .. }) {
            return None;
        }
        desk.rests_until = now + rest;
        Some(desk.rests_until)
    }

    /// The ring is over as far as the operator's state goes; until its withdrawal is confirmed, nobody else is rung for.
    pub(super) fn hold(&mut self, operator: &Operator, offer: OfferId) {
        if let Some(desk) = self.desks.get_mut(operator) {
            desk.ring = Some(offer);
        }
    }

    /// The ring was answered: they talk. What was ordered while the answer was on its way takes effect afterwards.
    pub(super) fn talk(&mut self, operator: &Operator, offer: OfferId, call: CallId, now: Timestamp) {
        let Some(desk) = self.desks.get_mut(operator).filter(|desk| desk.ring == Some(offer)) else { return };
        desk.ring = None;
        desk.talk(call, now);
        self.changed.insert(operator.clone());
    }

    pub(super) fn is_talking(&self, operator: &Operator) -> bool {
        self.desks.get(operator).is_some_and(Desk::is_talking)
    }

    /// A ring that was given up was answered after all. False where the operator talks to somebody else, or is gone.
    pub(super) fn talk_late(&mut self, operator: &Operator, call: CallId, now: Timestamp) -> bool {
        let Some(desk) = self.desks.get_mut(operator).filter(|desk| !desk.is_talking() && !desk.removed) else {
            return false;
        };
        desk.talk(call, now);
        self.changed.insert(operator.clone());
        true
    }

    /// The talk is over; gives when the wrap-up will be.
    pub(super) fn talk_over(
        &mut self,
        operator: &Operator,
        call: CallId,
        wrap_up: Duration,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let talks = |desk: &&mut Desk| matches!(desk.state, OperatorState::OnCall { call: with, .. } if with == call);
        let desk = self.desks.get_mut(operator).filter(talks)?;
        desk.idle_since = now;
        self.changed.insert(operator.clone());
        match std::mem::replace(&mut desk.next, Next::Caller) {
            Next::LogOut => {
                desk.state = OperatorState::LoggedOut;
                self.forget_removed();
                None
            }
            Next::Pause(reason) => {
                desk.state = OperatorState::Paused { reason, since: now };
                None
            }
            Next::Caller if wrap_up.is_zero() => {
                desk.rest(now);
                None
            }
            Next::Caller => {
                let until = now + wrap_up;
                desk.state = OperatorState::WrapUp { call, since: now, until };
                Some(until)
            }
        }
    }

    /// The time for writing up has come to its end, or may have.
    pub(super) fn wrap_up_over(&mut self, operator: &Operator, now: Timestamp) {
        if let Some(desk) = self.desks.get_mut(operator)
            && matches!(desk.state, OperatorState::WrapUp { until, .. } if until <= now)
        {
            desk.rest(now);
            self.changed.insert(operator.clone());
        }
    }

    pub(super) fn desks(&self) -> impl Iterator<Item = (&Operator, &Desk)> {
        self.desks.iter()
    }

    pub(super) fn take_changed(&mut self) -> BTreeSet<Operator> {
        std::mem::take(&mut self.changed)
    }

    /// Who was taken out of the settings goes when nothing of theirs is left.
    fn forget_removed(&mut self) {
        self.desks.retain(|_, desk| !desk.removed || desk.is_talking() || desk.ring.is_some());
    }
}
