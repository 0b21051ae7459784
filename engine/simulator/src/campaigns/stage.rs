//! The world of campaigns at work: one loop over events and the machine's deadline, on one thread and in one order.

use super::callees::{Callees, Meeting};
use super::checkers::Moment;
use super::desk::Desk;
use super::numbers::Number;
use super::office::{Errand, Office};
use super::report::{CampaignsReport, LineUse};
use super::world::{CampaignWorld, Incident, SimCampaign};
use crate::agenda::Agenda;
use crate::dice::Dice;
use gudok_core::campaign::{
    AttemptEnd, AttemptId, AttemptStart, CampaignInput, CampaignMode, CampaignOrder, ContactDecision, ContactNo,
    ContactState, Disposition, Load, Plan, PrepareFailure, ZoneNo,
};
use gudok_core::ids::{Campaign, Trunk};
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Between readings of the store after a start.
const READS_EVERY: Duration = Duration::from_millis(20);
/// People look at what a crash cut off so long after the engine is back.
const PEOPLE_DECIDE_AFTER: Duration = Duration::from_mins(10);
/// From a failing trunk's answer to us.
const TRUNK_ANSWERS_MAX: Duration = Duration::from_millis(250);
/// From an operator's first word to the callee's hearing it.
const CONNECTS: Duration = Duration::from_millis(200);
const OPERATOR_TALKS: Duration = Duration::from_secs(60);
const OPERATOR_TALKS_LONGER_MAX: Duration = Duration::from_secs(120);
const OPERATOR_WRITES: Duration = Duration::from_secs(5);
/// Of a hundred contacts, those with a window of their own.
const OWN_WINDOW_PERCENT: u64 = 2;

enum Event {
    Incident(Box<Incident>),
    Loads,
    Prepared(AttemptId, Result<Plan, PrepareFailure>),
    Saved,
    Answered(AttemptId),
    /// With how long the callee has waited for one already.
    WantsOperator(AttemptId, AttemptEnd, Duration),
    Connected(AttemptId),
    Ended(AttemptId, AttemptEnd),
    OperatorIsFree(usize),
    Lives,
    PeopleDecide,
    LoadIsTold,
    Ends,
}

/// A world at work.
pub(super) struct Stage {
    world: CampaignWorld,
    office: Office,
    dice: Dice,
    stopwatch: Timestamp,
    /// The wall clock is so many microseconds before or behind the stopwatch.
    set_by: i64,
    events: Agenda<(u32, Event)>,
    to_come: usize,
    last_saved: Timestamp,
    failing: BTreeMap<Trunk, Timestamp>,
    inbound: u32,
    closed: bool,
    desks: Vec<Desk>,
    load_is_others: bool,
    callees: BTreeMap<Campaign, (Callees, u32)>,
    between: BTreeMap<Campaign, (Timestamp, Timestamp)>,
    deaths: u32,
    ending: bool,
}

impl Stage {
    pub(super) fn new(world: CampaignWorld) -> Self {
        let mut dice = Dice::new(world.seed);
        let begins = world.begins;
        let office = Office::new(Arc::clone(&world.shared), dice.split(), world.trouble, world.quiet, begins);
        let desks = world.operators.iter().map(|(queue, operators)| Desk::new(queue.clone(), *operators)).collect();
        let mut stage = Self {
            office,
            dice,
            stopwatch: begins,
            set_by: 0,
            events: Agenda::new(),
            to_come: 0,
            last_saved: begins,
            failing: BTreeMap::new(),
            inbound: 0,
            closed: false,
            desks,
            load_is_others: true,
            callees: BTreeMap::new(),
            between: BTreeMap::new(),
            deaths: 0,
            ending: false,
            world,
        };
        stage.set();
        stage
    }

    fn set(&mut self) {
        for campaign in std::mem::take(&mut self.world.campaigns) {
            self.makes(&campaign);
        }
        for (after, incident) in std::mem::take(&mut self.world.incidents) {
            self.after(after, Event::Incident(Box::new(incident)));
        }
        let lasts = self.world.lasts;
        self.after(lasts, Event::Ends);
        if !self.desks.is_empty() {
            self.after(Duration::from_secs(1), Event::LoadIsTold);
        }
    }

    fn makes(&mut self, campaign: &SimCampaign) {
        let now = self.now();
        let name = campaign.settings.name.clone();
        self.callees.insert(name.clone(), (campaign.callees, campaign.first_number));
        self.office.makes(&campaign.settings, now);
        let contacts = self.contacts(campaign.contacts, campaign.first_number, &campaign.zones, &campaign.settings);
        self.office.imports(&name, contacts, now);
        if let Some(after) = campaign.starts_after {
            self.after(after, Event::Incident(Box::new(Incident::Order(name, CampaignOrder::Start))));
        }
    }

    /// Where somebody is, and whether they have a window of their own, is the number's own: the same in every list.
    fn contacts(
        &self,
        contacts: u32,
        first: u32,
        zones: &[ZoneNo],
        settings: &gudok_core::campaign::CampaignSettings,
    ) -> Vec<(Number, ZoneNo, Option<u8>)> {
        let all: Vec<ZoneNo> =
            (0..self.world.shared.zones.len()).filter_map(|zone| u16::try_from(zone).ok().map(ZoneNo)).collect();
        let zones = if zones.is_empty() { &all } else { zones };
        (first..first + contacts)
            .map(|number| {
                let mut dice = Dice::new(self.world.seed.rotate_left(17) ^ u64::from(number));
                let zone = usize::try_from(dice.roll() % (zones.len().max(1) as u64)).unwrap_or_default();
                let own = !settings.windows.is_empty() && dice.roll() % 100 < OWN_WINDOW_PERCENT;
                (Number(number), zones.get(zone).copied().unwrap_or(ZoneNo(0)), own.then_some(0))
            })
            .collect()
    }

    pub(super) fn run(mut self) -> CampaignsReport {
        loop {
            self.settle();
            if !self.office.checkers.broken().is_empty() || self.is_done() {
                break;
            }
            let Some(at) = self.next() else { break };
            self.stopwatch = self.stopwatch.max(at);
            if let Some((life, event)) = self.events.pop_due(self.stopwatch) {
                self.happens(life, event);
            } else {
                let now = self.now();
                self.office.looks_at_the_clock(now);
            }
            if self.world.trouble.dies_at_step.is_some_and(|step| self.office.steps >= step) && self.deaths == 0 {
                self.dies(self.world.trouble.down_for);
            }
        }
        self.report()
    }

    fn now(&self) -> Moment {
        Moment { stopwatch: self.stopwatch, wall: shifted(self.stopwatch, self.set_by) }
    }

    fn next(&self) -> Option<Timestamp> {
        let event = self.events.next();
        let deadline = self.office.deadline().map(|wall| shifted(wall, -self.set_by));
        [event, deadline].into_iter().flatten().min()
    }

    fn is_done(&self) -> bool {
        let nothing_to_come = self.ending || self.to_come == 0;
        let up = self.office.machine().is_some() && !self.office.is_loading();
        nothing_to_come && up && self.office.is_quiet() && (self.ending || !self.office.checkers.any_runs())
    }

    fn after(&mut self, after: Duration, event: Event) {
        self.at(self.stopwatch + after, event);
    }

    fn at(&mut self, at: Timestamp, event: Event) {
        self.to_come += usize::from(event.must_come());
        self.events.at(at, (self.office.life, event));
    }

    fn settle(&mut self) {
        let now = self.now();
        while let Some(errand) = self.office.poll(now) {
            match errand {
                Errand::Prepare(attempt) => self.prepares(attempt),
                Errand::Saves(after) => {
                    self.last_saved = self.last_saved.max(self.stopwatch + after);
                    self.at(self.last_saved, Event::Saved);
                }
                Errand::Dial(start) => self.dials(&start),
            }
        }
        if std::mem::take(&mut self.load_is_others) {
            self.tells_load();
            self.settle();
        }
    }

    fn tells_load(&mut self) {
        let queues = self.desks.iter().map(Desk::load).collect();
        let load = Load { inbound_calls: self.inbound, closed: self.closed || self.ending, queues };
        let now = self.now();
        if self.office.machine().is_some() {
            self.office.tell(CampaignInput::Load(load), now);
        }
    }

    /// The contact is fetched, and its script asked.
    fn prepares(&mut self, attempt: AttemptId) {
        let trouble = self.world.trouble;
        let after = self.dice.up_to(trouble.slow_prepares_max);
        let number = self.office.ledger.number(&attempt).map_or(0, |number| number.0);
        let mut nature = Dice::new(self.world.seed.rotate_left(31) ^ u64::from(number));
        let (fails, skips) = (nature.percent(trouble.failing_scripts_percent), nature.percent(trouble.skipped_percent));
        let result = if self.dice.percent(trouble.failing_prepares_percent) {
            Err(PrepareFailure::Store("it does not answer".into()))
        } else if fails {
            Err(PrepareFailure::Script)
        } else if skips {
            Ok(Plan::Skip(Arc::from("paid already")))
        } else if self.dice.percent(trouble.put_off_percent) {
            Ok(Plan::NotBefore(self.now().wall + Duration::from_hours(1)))
        } else {
            Ok(Plan::Dial)
        };
        self.after(after, Event::Prepared(attempt, result));
    }

    fn dials(&mut self, start: &AttemptStart) {
        let attempt = start.attempt.clone();
        let between = self.between.entry(attempt.campaign.clone()).or_insert((self.stopwatch, self.stopwatch));
        between.1 = self.stopwatch;
        if self.failing.get(&start.trunk).is_some_and(|until| self.stopwatch < *until) {
            let end = AttemptEnd {
                disposition: Disposition::Unavailable,
                answered_by: None,
                answered: None,
                status: Some(503),
            };
            let after = self.dice.up_to(TRUNK_ANSWERS_MAX);
            self.after(after, Event::Ended(attempt, end));
            return;
        }
        let wall = self.now().wall;
        let number = self.office.ledger.number(&attempt).map_or(0, |number| number.0);
        let (callees, _) = self.callees.get(&attempt.campaign).copied().unwrap_or((Callees::USUAL, 0));
        let met = callees.meet(self.world.seed, number, start.ring_max, wall, &mut self.dice);
        let Meeting { rings, answered_by, talks, wants_operator, disposition, status } = met;
        let answered = answered_by.map(|_| wall + rings);
        let end = AttemptEnd { disposition, answered_by, answered, status };
        if answered_by.is_some() {
            self.after(rings, Event::Answered(attempt.clone()));
        }
        let over = rings.saturating_add(talks);
        if wants_operator && start.queue.is_some() {
            // Whoever is called for an operator gets one at once, or should.
            self.after(rings + CONNECTS, Event::WantsOperator(attempt, end, Duration::ZERO));
        } else {
            self.after(over, Event::Ended(attempt, end));
        }
    }

    fn happens(&mut self, life: u32, event: Event) {
        self.to_come -= usize::from(event.must_come());
        let now = self.now();
        let stale = life != self.office.life;
        match event {
            Event::Incident(incident) => self.incident(*incident),
            Event::Lives => {
                self.office.lives(now);
                self.load_is_others = true;
                self.after(READS_EVERY, Event::Loads);
                self.after(PEOPLE_DECIDE_AFTER, Event::PeopleDecide);
            }
            Event::OperatorIsFree(desk) => {
                if let Some(desk) = self.desks.get_mut(desk) {
                    desk.gives_back();
                }
                self.load_is_others = true;
            }
            Event::LoadIsTold => {
                self.load_is_others = true;
                self.after(Duration::from_secs(1), Event::LoadIsTold);
            }
            Event::Ends => {
                self.ending = true;
                self.load_is_others = true;
            }
            _ if stale => {}
            Event::Loads => {
                self.office.loads_more(now);
                if self.office.is_loading() {
                    self.after(READS_EVERY, Event::Loads);
                }
            }
            Event::Prepared(attempt, result) => self.office.tell(CampaignInput::Prepared(attempt, result), now),
            Event::Saved => self.office.saved(now),
            Event::Answered(attempt) => self.office.tell(CampaignInput::Answered(attempt), now),
            Event::WantsOperator(attempt, end, waited) => self.wants_operator(attempt, end, waited),
            Event::Connected(attempt) => self.office.tell(CampaignInput::Connected(attempt), now),
            Event::Ended(attempt, end) => self.office.tell(CampaignInput::Ended(attempt, end), now),
            Event::PeopleDecide => self.people_decide(),
        }
    }

    fn wants_operator(&mut self, attempt: AttemptId, mut end: AttemptEnd, waited: Duration) {
        const LOOKS_EVERY: Duration = Duration::from_millis(100);
        let queue = self.office.ledger.campaigns.get(&attempt.campaign).map(|kept| kept.settings.mode.clone());
        let Some(CampaignMode::Operators { queue, .. }) = queue else { return };
        let Some(at) = self.desks.iter().position(|desk| *desk.queue() == queue) else { return };
        if self.desks[at].takes() {
            self.load_is_others = true;
            let talks = OPERATOR_TALKS + self.dice.up_to(OPERATOR_TALKS_LONGER_MAX);
            self.after(CONNECTS, Event::Connected(attempt.clone()));
            self.after(CONNECTS + talks, Event::Ended(attempt, end));
            self.after(CONNECTS + talks + OPERATOR_WRITES, Event::OperatorIsFree(at));
        } else if waited >= CampaignMode::CONNECT_MAX {
            end.disposition = Disposition::Abandoned;
            self.after(Duration::ZERO, Event::Ended(attempt, end));
        } else {
            self.after(LOOKS_EVERY, Event::WantsOperator(attempt, end, waited + LOOKS_EVERY));
        }
    }

    fn incident(&mut self, incident: Incident) {
        let now = self.now();
        let up = self.office.machine().is_some();
        match incident {
            Incident::Dies(down) if up => self.dies(down),
            Incident::TrunkFails(trunk, lasts) => drop(self.failing.insert(trunk, self.stopwatch + lasts)),
            Incident::ClockMoves { seconds } => {
                self.set_by += seconds * 1_000_000;
                let now = self.now();
                if up {
                    self.office.tell(CampaignInput::ClockMoved, now);
                }
            }
            Incident::Inbound(calls) => {
                self.inbound = calls;
                self.load_is_others = true;
            }
            Incident::Closed(closed) => {
                self.closed = closed;
                self.load_is_others = true;
            }
            // What people want of an engine that is down they are refused.
            _ if !up => {}
            Incident::Order(campaign, order) => drop(self.office.order(&campaign, order, now)),
            Incident::Edit(settings) => self.office.puts(&settings, now),
            Incident::Configure(shared) => self.office.configures(shared, now),
            Incident::Import { campaign, contacts, first_number } => {
                let Some(kept) = self.office.ledger.campaigns.get(&campaign) else { return };
                let contacts = self.contacts(contacts, first_number, &[], &Arc::clone(&kept.settings));
                self.office.imports(&campaign, contacts, now);
            }
            Incident::OptOut(opt_out) => self.office.tell(CampaignInput::OptedOut(opt_out), now),
            Incident::Dies(_) => {}
        }
    }

    fn dies(&mut self, down: Duration) {
        self.deaths += 1;
        let now = self.now();
        self.office.dies(now);
        for desk in &mut self.desks {
            *desk = Desk::new(desk.queue().clone(), desk.load().ready);
        }
        self.after(down, Event::Lives);
    }

    fn people_decide(&mut self) {
        let now = self.now();
        let unknown: Vec<(Campaign, usize)> = self
            .office
            .ledger
            .campaigns
            .iter()
            .flat_map(|(name, kept)| {
                let contacts = kept.contacts.iter().enumerate();
                let unknown = contacts.filter(|(_, contact)| matches!(contact.state, ContactState::Unknown { .. }));
                unknown.map(move |(no, _)| (name.clone(), no))
            })
            .collect();
        for (campaign, no) in unknown {
            let again = self.dice.percent(self.world.trouble.tried_again_percent);
            let decision = if again { ContactDecision::TryAgain } else { ContactDecision::TakeForMade };
            let contact = ContactNo(u32::try_from(no).unwrap_or(u32::MAX));
            // Of somebody who is unknown no more, there is nothing to decide.
            drop(self.office.decide(&campaign, contact, decision, now));
        }
    }

    fn report(mut self) -> CampaignsReport {
        let now = self.now();
        if self.office.checkers.broken().is_empty() {
            self.office.adds_up(now);
        }
        let begins = self.world.begins;
        let mut campaigns = self.office.outcomes(now);
        for (name, outcome) in &mut campaigns {
            outcome.between = self.between.get(name).map(|(first, last)| (first.since(begins), last.since(begins)));
        }
        let (engine, trunks): (LineUse, _) = self.office.checkers.lines();
        CampaignsReport {
            seed: self.world.seed,
            campaigns,
            engine,
            trunks,
            steps: self.office.steps,
            written: self.office.ledger.written,
            failed: self.office.ledger.failed,
            deaths: self.deaths,
            lasted: self.stopwatch.since(begins),
            ended: now.wall,
            digest: self.office.digest,
            broken: self.office.checkers.broken().to_vec(),
            trace: self.office.trace.take().unwrap_or_default(),
        }
    }
}

impl Event {
    /// The world does not end before it.
    const fn must_come(&self) -> bool {
        matches!(self, Self::Incident(_) | Self::Lives | Self::Loads | Self::PeopleDecide)
    }
}

fn shifted(at: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros().saturating_add_signed(micros))
}
