//! From a contact's turn to its call: asked about, claimed, dialled; or let go.
//!
//! Little is in hand at a time, so that little is lost when something changes: contacts for about two seconds are asked
//! about, claims for about half a second are durable. What a campaign shares is taken with the claim; so whoever waits to
//! be claimed holds up nobody.

use super::contact::{AttemptEnd, ContactNo, Disposition};
use super::face::{AttemptStart, CampaignCommand, CampaignSave};
use super::figures::WhyIdle;
use super::machine::CampaignMachine;
use super::operators::may_hold;
use super::retry;
use super::rows::Place;
use super::saves::Saving;
use super::settings::{RunState, Urgency};
use super::turns::NoTurn;
use super::windows::{day_in, next_day_in};
use super::work::{Claim, Hand, Stage, Work, WorkKey, queue_of};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Contacts of one campaign that are asked about, or were and are not claimed yet.
const AHEAD_MAX: u32 = 512;
/// A script's word on a contact is older than this: it is asked again.
const PREPARED_MAX: Duration = Duration::from_secs(60);
/// A contact whose number is in another call comes again after so long.
const NUMBER_BUSY_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Contacts of one campaign whose new place is not durable yet: more, and the store is left to catch up.
const ENDING_MAX: u32 = 1_024;
/// Contacts looked at in one step: a list of a million that all opted out does not stop the engine.
const LOOKED_AT_MAX: usize = 512;

/// What came of looking for one more.
enum Look {
    /// One is being asked about.
    Picked,
    /// One was passed over.
    Passed,
    /// There is none for now.
    Nothing,
}

impl CampaignMachine {
    /// Dials, claims and picks until nothing more may be done. False where there is more than one step may take.
    pub(super) fn run(&mut self, now: Timestamp) -> bool {
        let mut order: Vec<usize> = Vec::new();
        for at in 0..self.works.len() {
            self.works[at].next_turn = None;
            if self.closed(&self.works[at], now).is_some() {
                self.let_all_go(at, now);
            } else {
                order.push(at);
            }
        }
        while self.dial_next(now) {}
        order.sort_by_key(|at| self.works[*at].rank());
        let mut left = LOOKED_AT_MAX;
        loop {
            while self.claim_next(&mut order, now) {
                while self.dial_next(now) {}
            }
            let before = left;
            for at in order.iter().copied() {
                while left > 0 && !matches!(self.pick(at, now), Look::Nothing) {
                    left -= 1;
                }
            }
            if left == 0 {
                return false;
            }
            if left == before {
                return true;
            }
        }
    }

    /// Why nothing of a campaign may be begun, and nothing that was claimed may be dialled.
    pub(super) fn closed(&self, work: &Work, now: Timestamp) -> Option<WhyIdle> {
        let (settings, shares) = (&work.settings, &self.shares);
        match work.run {
            RunState::Draft => return Some(WhyIdle::Draft),
            RunState::Paused => return Some(WhyIdle::Paused),
            RunState::Stopped => return Some(WhyIdle::Stopped),
            RunState::Finished => return Some(WhyIdle::Finished),
            RunState::Running => {}
        }
        if !work.ready || self.others_count_and_load(work) {
            return Some(WhyIdle::Loading);
        }
        if let Some(starts) = settings.starts.filter(|starts| now < *starts) {
            return Some(WhyIdle::NotBefore(starts));
        }
        if work.deadline_passed(now) {
            return Some(WhyIdle::Finished);
        }
        if shares.closed {
            return Some(WhyIdle::EngineClosed);
        }
        let (calls, calls_max) = (shares.inbound_calls, self.settings.inbound_calls_max);
        if calls > calls_max {
            return Some(WhyIdle::InboundBusy { calls, calls_max });
        }
        let trunk = shares.trunks.get(&settings.trunk).filter(|_| self.settings.trunks.contains_key(&settings.trunk));
        let Some(trunk) = trunk else { return Some(WhyIdle::NoTrunk(settings.trunk.clone())) };
        if let Some(until) = trunk.rests_until.filter(|until| now < *until) {
            return Some(WhyIdle::TrunkResting { until });
        }
        let queue = queue_of(&settings.mode)?;
        let open = shares.queues.get(queue).is_some_and(|queue| queue.open);
        (!open).then_some(WhyIdle::QueueClosed)
    }

    /// A number's attempts of today may be in a list that is not read yet.
    fn others_count_and_load(&self, work: &Work) -> bool {
        let counts = self.settings.attempts_per_number_per_day_max > 0 && work.settings.urgency == Urgency::Ordinary;
        counts && self.works.iter().any(|other| !other.ready)
    }

    /// Why no more may be claimed than is; with so many that are to be claimed already.
    pub(super) fn no_room(&self, work: &Work, ahead: u32, now: Timestamp) -> Option<WhyIdle> {
        let (settings, shares) = (&work.settings, &self.shares);
        if shares.calls.saturating_add(ahead) >= self.settings.calls_max || shares.pace.next().is_none() {
            return Some(WhyIdle::EngineCallsMax);
        }
        let Some(trunk) = shares.trunks.get(&settings.trunk) else {
            return Some(WhyIdle::NoTrunk(settings.trunk.clone()));
        };
        if trunk.calls.saturating_add(ahead) >= trunk.share.calls_max || trunk.pace.next().is_none() {
            return Some(WhyIdle::TrunkCallsMax);
        }
        if trunk.is_failing() && trunk.calls.saturating_add(ahead) > 0 {
            return Some(WhyIdle::TrunkProbed);
        }
        if work.calls.saturating_add(ahead) >= settings.pace.calls_max || work.pace.next().is_none() {
            return Some(WhyIdle::CallsMax);
        }
        let queue = queue_of(&settings.mode)?;
        let of = shares.queues.get(queue).copied().unwrap_or_default();
        let lines = of.lines.saturating_add(ahead).saturating_add(1);
        (!may_hold(lines, &of, &settings.mode, &work.answers, now)).then_some(WhyIdle::NoOperators)
    }

    /// Dials the next whose slot has come: emergencies first, then who was claimed first. False where there is none.
    fn dial_next(&mut self, now: Timestamp) -> bool {
        let clock = self.clock.now();
        let comes = |at: Option<Timestamp>| at.is_some_and(|at| at <= clock);
        if clock < self.clock.hold() || !comes(self.shares.pace.next()) {
            return false;
        }
        let first = |work: &Work| {
            let no = *work.claimed.front()?;
            let claim = work.hands.get(&no)?.claim.as_ref()?;
            let trunk = self.shares.trunks.get(&claim.settings.trunk)?;
            let due = comes(work.pace.next()) && comes(trunk.pace.next());
            due.then_some((work.settings.urgency == Urgency::Ordinary, claim.order))
        };
        let ranked = self.works.iter().enumerate().filter_map(|(at, work)| Some((first(work)?, at)));
        let Some((_, at)) = ranked.min() else { return false };
        let Some(no) = self.works[at].claimed.pop_front() else { return false };
        match self.forbidden(at, no, now) {
            Some(disposition) => self.let_go(at, no, disposition, now),
            None => self.dial(at, no, now),
        }
        true
    }

    fn dial(&mut self, at: usize, no: ContactNo, now: Timestamp) {
        let clock = self.clock.now();
        let work = &mut self.works[at];
        let Some(hand) = work.hands.get_mut(&no) else { return };
        let nth = hand.nth;
        let Some(claim) = hand.claim.as_mut() else { return };
        claim.dialled = Some(now);
        let (call, settings) = (claim.call, Arc::clone(&claim.settings));
        work.stage(no, Stage::Ringing, now);
        work.claims = work.claims.saturating_sub(1);
        work.pace.begin(clock);
        work.begun.begin(now);
        work.changed = true;
        let attempt = work.attempt_id(no, nth);
        self.shares.claim_over(&settings.trunk);
        self.shares.pace.begin(clock);
        if let Some(trunk) = self.shares.trunks.get_mut(&settings.trunk) {
            trunk.pace.begin(clock);
        }
        let start = AttemptStart {
            attempt,
            call,
            agency: settings.agency.clone(),
            entry: settings.entry.clone(),
            lang: settings.lang.clone(),
            trunk: settings.trunk.clone(),
            shown: settings.shown.clone(),
            ring_max: settings.ring_max,
            on_machine: settings.on_machine,
            queue: queue_of(&settings.mode).cloned(),
        };
        self.command(CampaignCommand::Dial(Box::new(start)));
    }

    /// Why a claimed contact may not be dialled after all.
    fn forbidden(&mut self, at: usize, no: ContactNo, now: Timestamp) -> Option<Disposition> {
        if let Some(why) = self.unwanted(at, no, now) {
            return Some(why);
        }
        let work = &self.works[at];
        let claim = work.hands.get(&no)?.claim.as_ref()?;
        let trunk = self.shares.trunks.get(&claim.settings.trunk)?;
        // Limits may have been lowered since the claim.
        let too_many = self.shares.calls > self.settings.calls_max
            || trunk.calls > trunk.share.calls_max
            || work.calls > work.settings.pace.calls_max
            || trunk.is_resting(now)
            || trunk.is_failing() && trunk.calls > 1;
        let operators = claim.queue().is_none_or(|queue| {
            let of = self.shares.queues.get(queue).copied().unwrap_or_default();
            of.open && may_hold(of.lines, &of, &claim.settings.mode, &work.answers, now)
        });
        (too_many || !operators).then_some(Disposition::NotDialled)
    }

    /// Why a contact may not be called: by a person's word, its own, or the hour.
    fn unwanted(&mut self, at: usize, no: ContactNo, now: Timestamp) -> Option<Disposition> {
        let work = &mut self.works[at];
        let row = work.rows.get(no)?;
        if work.hands.get(&no).is_some_and(|hand| hand.cancelled) {
            return Some(Disposition::Cancelled);
        }
        if self.opt_outs.forbid(row.number(), &work.settings) {
            return Some(Disposition::OptedOut);
        }
        // The clock may have gone back since.
        let due = row.not_before().is_none_or(|at| at <= now);
        let open = work.turns.is_open(row, &work.settings, &self.settings, now);
        (!open || !due).then_some(Disposition::NotDialled)
    }

    /// A claimed contact is not dialled.
    fn let_go(&mut self, at: usize, no: ContactNo, disposition: Disposition, now: Timestamp) {
        let work = &mut self.works[at];
        work.claims = work.claims.saturating_sub(1);
        if let Some(claim) = work.hands.get(&no).and_then(|hand| hand.claim.as_ref()) {
            self.shares.claim_over(&claim.settings.trunk);
        }
        self.call_over(at, no, Stage::Claimed);
        let end = AttemptEnd { disposition, answered_by: None, answered: None, status: None };
        self.end_attempt(at, no, end, now);
    }

    /// Nothing of a campaign may be begun: whoever is claimed is let go, whoever was asked about comes next again.
    fn let_all_go(&mut self, at: usize, now: Timestamp) {
        while let Some(no) = self.works[at].prepared.pop_back() {
            self.put_back(at, no);
        }
        while let Some(no) = self.works[at].claimed.pop_back() {
            let disposition = match self.unwanted(at, no, now) {
                Some(disposition) if disposition != Disposition::NotDialled => disposition,
                _ if self.works[at].deadline_passed(now) => Disposition::Expired,
                _ => Disposition::NotDialled,
            };
            self.let_go(at, no, disposition, now);
        }
    }

    /// Claims one more: of the first campaign that may. It stands last of its priority then.
    fn claim_next(&mut self, order: &mut [usize], now: Timestamp) -> bool {
        const fn near(per_s_max: u32) -> u32 {
            1 + per_s_max / 2
        }
        let mut place = 0;
        while let Some(at) = order.get(place).copied() {
            let work = &self.works[at];
            let Some(no) = work.prepared.front().copied() else {
                place += 1;
                continue;
            };
            let trunk = self.shares.trunks.get(&work.settings.trunk);
            let too_far = work.claims >= near(work.pace.per_s_max())
                || self.shares.claims >= near(self.shares.pace.per_s_max())
                || trunk.is_none_or(|trunk| trunk.claims >= near(trunk.pace.per_s_max()));
            if too_far || self.no_room(work, 0, now).is_some() {
                place += 1;
                continue;
            }
            self.works[at].prepared.pop_front();
            if self.may_claim(at, no, now) {
                self.claim(at, no, now);
                order.sort_by_key(|at| self.works[*at].rank());
                return true;
            }
        }
        false
    }

    /// Whether somebody who was asked about may be claimed; where not, it has another place by then.
    fn may_claim(&mut self, at: usize, no: ContactNo, now: Timestamp) -> bool {
        match self.unwanted(at, no, now) {
            None => {}
            Some(Disposition::NotDialled) => {
                self.put_back(at, no);
                return false;
            }
            Some(disposition) => {
                self.end_without_call(at, no, &disposition, now);
                return false;
            }
        }
        let work = &self.works[at];
        let stale = work.hands.get(&no).is_none_or(|hand| now.since(hand.since) > PREPARED_MAX);
        if stale {
            self.put_back(at, no);
            return false;
        }
        if let Some(later) = self.number_is_taken(at, no, now) {
            self.works[at].hands.remove(&no);
            self.put_off(at, no, later);
            return false;
        }
        true
    }

    /// When a number that may not be called now may be asked about again: it is in a call, or has had its attempts of the day.
    fn number_is_taken(&self, at: usize, no: ContactNo, now: Timestamp) -> Option<Timestamp> {
        let work = &self.works[at];
        let row = work.rows.get(no)?;
        let per_day = self.settings.attempts_per_number_per_day_max;
        let ordinary = work.settings.urgency == Urgency::Ordinary;
        if ordinary && per_day > 0 {
            let day = day_in(&self.settings, row.zone(), now);
            if self.shares.on_day(row.number(), day) >= per_day {
                return Some(next_day_in(&self.settings, row.zone(), now));
            }
        }
        let nth = row.spent().claims.saturating_add(1);
        let busy = self.shares.numbers.contains(&row.number()) || self.orphans.contains_key(&work.attempt_id(no, nth));
        busy.then(|| now + NUMBER_BUSY_AGAIN_AFTER)
    }

    /// A contact stands again, from another time on than its own.
    fn put_off(&mut self, at: usize, no: ContactNo, later: Timestamp) {
        let work = &mut self.works[at];
        if let Some(row) = work.rows.get(no) {
            work.turns.put_later(no, row, later, &work.settings, &self.settings);
        }
    }

    fn claim(&mut self, at: usize, no: ContactNo, now: Timestamp) {
        let (order, call) = (self.next_order(), self.dice.call());
        let work = &mut self.works[at];
        work.served = order;
        let settings = Arc::clone(&work.settings);
        let Some(row) = work.rows.get_mut(no) else { return };
        let Some(hand) = work.hands.get_mut(&no) else { return };
        let mut spent = row.spent();
        spent.claims = hand.nth;
        row.spend(spent);
        let number = row.number();
        hand.claim = Some(Claim { call, at: now, dialled: None, settings: Arc::clone(&settings), order });
        work.stage(no, Stage::Claiming, now);
        work.claims += 1;
        work.calls += 1;
        self.shares.claim(number, &settings.trunk, queue_of(&settings.mode));
        let work = &self.works[at];
        let save = CampaignSave::Contact {
            campaign: settings.name.clone(),
            contact: no,
            state: super::contact::ContactState::Claimed { call },
            spent,
            attempt: work.record(no),
            ended: None,
        };
        self.save(Saving::Claim(work.key, no), save);
    }

    /// A claim that could not be written down is written down again, or taken back in writing: perhaps it was, after all.
    pub(super) fn claim_again(&mut self, key: WorkKey, no: ContactNo, save: Box<CampaignSave>, now: Timestamp) {
        let Some(at) = self.place_of_key(key) else { return };
        if self.works[at].hands.get(&no).is_none_or(|hand| hand.stage != Stage::ClaimFailed) {
            return;
        }
        if self.closed(&self.works[at], now).is_some() || self.unwanted(at, no, now).is_some() {
            let disposition = self.unwanted(at, no, now).unwrap_or(Disposition::NotDialled);
            self.let_go(at, no, disposition, now);
            return;
        }
        self.works[at].stage(no, Stage::Claiming, now);
        self.save(Saving::Claim(key, no), *save);
    }

    /// How many of a campaign may be asked about at once.
    fn ahead_max(&self, work: &Work) -> u32 {
        let trunk = self.shares.trunks.get(&work.settings.trunk).map_or(0, |trunk| trunk.pace.per_s_max());
        let rate = work.pace.per_s_max().min(trunk).min(self.shares.pace.per_s_max());
        rate.saturating_mul(2).saturating_add(2).min(AHEAD_MAX)
    }

    /// Asks about one more.
    fn pick(&mut self, at: usize, now: Timestamp) -> Look {
        let work = &self.works[at];
        let ahead = work.preparing + u32::try_from(work.prepared.len()).unwrap_or(u32::MAX);
        if ahead >= self.ahead_max(work) || work.ending >= ENDING_MAX || self.no_room(work, ahead, now).is_some() {
            return Look::Nothing;
        }
        if let Some(until) = work.store_rests_until.filter(|until| now < *until) {
            self.works[at].next_turn = Some(until);
            return Look::Nothing;
        }
        let work = &mut self.works[at];
        let no = match work.turns.take(work.settings.urgency, now) {
            Ok(no) => no,
            Err(NoTurn::Closed { opens: next } | NoTurn::NotDue { at: next }) => {
                work.next_turn = next;
                return Look::Nothing;
            }
            Err(NoTurn::Empty) => return Look::Nothing,
        };
        self.look_at(at, no, now)
    }

    fn look_at(&mut self, at: usize, no: ContactNo, now: Timestamp) -> Look {
        let work = &mut self.works[at];
        let Some(row) = work.rows.get(no).copied().filter(|row| row.place() == Place::Waiting) else {
            return Look::Passed;
        };
        if work.hands.contains_key(&no) {
            return Look::Passed;
        }
        if let Some(not_before) = row.not_before().filter(|at| now < *at) {
            self.put_off(at, no, not_before);
            return Look::Passed;
        }
        let (spent, settings) = (row.spent(), Arc::clone(&work.settings));
        if self.opt_outs.forbid(row.number(), &settings) {
            self.end_without_call(at, no, &Disposition::OptedOut, now);
            return Look::Passed;
        }
        // Claims are told apart by their number: after the last number there is no other.
        if spent.attempts >= retry::attempts_max(&settings) || spent.claims == u16::MAX {
            let last = spent.last.unwrap_or(Disposition::NoAnswer.kind());
            work.change(no, |row| row.done(last, now));
            self.write_down(at, no, None, None, now);
            return Look::Passed;
        }
        let day = day_in(&self.settings, row.zone(), now);
        let of_day = retry::today(&spent, day) >= retry::attempts_per_day_max(&settings);
        if of_day && settings.urgency == Urgency::Ordinary {
            self.put_off(at, no, next_day_in(&self.settings, row.zone(), now));
            return Look::Passed;
        }
        if let Some(later) = self.number_is_taken(at, no, now) {
            self.put_off(at, no, later);
            return Look::Passed;
        }
        let work = &mut self.works[at];
        let nth = spent.claims.saturating_add(1);
        let hand = Hand { nth, stage: Stage::Preparing, since: now, edit: work.edit, cancelled: false, claim: None };
        work.hands.insert(no, hand);
        work.preparing += 1;
        let attempt = work.attempt_id(no, nth);
        self.command(CampaignCommand::Prepare(attempt));
        Look::Picked
    }

    /// When something comes due by itself.
    pub(super) fn wakes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let mut next = self.saves.next_due();
        let mut at = |moment: Option<Timestamp>| {
            if let Some(moment) = moment {
                next = Some(next.map_or(moment, |next| next.min(moment)));
            }
        };
        for work in &self.works {
            if matches!(work.run, RunState::Running | RunState::Paused) {
                at(work.settings.deadline.filter(|deadline| now < *deadline));
            }
            match self.closed(work, now) {
                Some(WhyIdle::NotBefore(until) | WhyIdle::TrunkResting { until }) => at(Some(until)),
                Some(_) => {}
                None => {
                    at(self.slot(work));
                    at(work.next_turn);
                }
            }
        }
        next
    }

    /// When the first that is claimed may be dialled.
    pub(super) fn slot(&self, work: &Work) -> Option<Timestamp> {
        let no = work.claimed.front()?;
        let claim = work.hands.get(no)?.claim.as_ref()?;
        let trunk = self.shares.trunks.get(&claim.settings.trunk)?;
        let paces = [work.pace.next()?, trunk.pace.next()?, self.shares.pace.next()?];
        Some(paces.into_iter().fold(self.clock.hold(), Timestamp::max))
    }
}
