//! Campaigns in a world of whole calls: the campaign machine's wishes carried out by real calls and real scripts.

use crate::call::SimCall;
use crate::callee::Callee;
use crate::campaigns::{CampaignOutcome, CampaignTrouble, Errand, Moment, Number, Office, number_key};
use crate::dice::Dice;
use crate::props::Props;
use crate::stage::{Event, Scripted, Stage};
use crate::tasks::TaskId;
use gudok_core::call::{CallStart, Purpose, ScriptRun};
use gudok_core::campaign::{
    AttemptEnd, AttemptId, AttemptStart, CampaignCall, CampaignContact, CampaignInput, CampaignOrder, CampaignReport,
    CampaignSettings, CampaignsSettings, Load, NumberKey, OptOut, Plan, PrepareFailure, QueueLoad, ZoneNo,
};
use gudok_core::ids::{CallId, Campaign};
use gudok_core::leg::{DialTarget, IncomingCall};
use gudok_core::privacy::PhoneNumber;
use gudok_core::records::Mode;
use gudok_core::script::{CallError, EndReason, ScriptEnd};
use gudok_core::time::Timestamp;
use gudok_plugin_host::{PrepareStart, Version};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Fetching a contact from the store.
const FETCHES: Duration = Duration::from_millis(5);
/// How long a writing takes.
const SAVES_MAX: Duration = Duration::from_millis(6);

/// A contact of a list, and who is at its telephone.
#[derive(Clone, Debug)]
pub struct SimContact {
    pub(crate) number: PhoneNumber,
    pub(crate) zone: ZoneNo,
    pub(crate) fields: Vec<(Arc<str>, Arc<str>)>,
    /// By attempt; the last one stays.
    pub(crate) callees: Vec<Callee>,
}

impl SimContact {
    /// At that number (E.164), in the first zone.
    #[must_use]
    pub fn new(number: &str, callee: Callee) -> Self {
        Self { number: PhoneNumber::new(number), zone: ZoneNo(0), fields: Vec::new(), callees: vec![callee] }
    }

    /// In another zone.
    #[must_use]
    pub const fn zone(mut self, zone: ZoneNo) -> Self {
        self.zone = zone;
        self
    }

    /// With another column of the list.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((Arc::from(name), Arc::from(value)));
        self
    }

    /// The next time, somebody else is there.
    #[must_use]
    pub fn then(mut self, callee: Callee) -> Self {
        self.callees.push(callee);
        self
    }
}

/// One attempt of a campaign, seen from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimAttempt {
    /// Which.
    pub attempt: AttemptId,
    /// In which call, counted from 0 as they came.
    pub call: usize,
    /// Dialled when.
    pub dialled: Timestamp,
    /// None where the engine was killed in its middle.
    pub end: Option<AttemptEnd>,
}

/// A campaign that is to be in a world.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) settings: Arc<CampaignSettings>,
    pub(crate) contacts: Vec<SimContact>,
    pub(crate) starts_after: Duration,
}

/// By whom somebody does not want to be called.
type OptsOut = fn(NumberKey) -> OptOut;

/// What there is of campaigns, before the world runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct CampaignPlan {
    pub(crate) shared: CampaignsSettings,
    pub(crate) lasts: Duration,
    pub(crate) planned: Vec<Planned>,
    pub(crate) orders: Vec<(Duration, Campaign, CampaignOrder)>,
    pub(crate) opt_outs: Vec<(Duration, PhoneNumber, OptsOut)>,
}

impl CampaignPlan {
    /// What happens to campaigns by itself.
    pub(crate) fn events(&self, now: Timestamp, props: &mut Props) {
        if self.planned.is_empty() {
            return;
        }
        for planned in &self.planned {
            let start = Event::Orders(planned.settings.name.clone(), CampaignOrder::Start);
            props.at(now + planned.starts_after, start);
        }
        for (after, campaign, order) in &self.orders {
            props.at(now + *after, Event::Orders(campaign.clone(), *order));
        }
        let numbers = self.numbers();
        for (after, number, opt_out) in &self.opt_outs {
            if let Some(number) = numbers.get(number.reveal()) {
                props.at(now + *after, Event::OptsOut(opt_out(number_key(number.0))));
            }
        }
        props.at(now + self.lasts, Event::CampaignsEnd);
    }

    /// Numbers by their places: the same number in two lists is the same person.
    fn numbers(&self) -> BTreeMap<String, Number> {
        let mut numbers = BTreeMap::new();
        for contact in self.planned.iter().flat_map(|planned| &planned.contacts) {
            let next = Number(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
            numbers.entry(contact.number.reveal().to_owned()).or_insert(next);
        }
        numbers
    }
}

/// Campaigns at work.
#[derive(Debug)]
pub(crate) struct Informing {
    pub(crate) office: Office,
    lists: BTreeMap<Campaign, Vec<SimContact>>,
    /// Which of `attempts` a call is.
    calls: BTreeMap<CallId, usize>,
    pub(crate) attempts: Vec<SimAttempt>,
    last_saved: Timestamp,
    /// Scripts that were asked so far: each is a task of its own.
    asked: usize,
    told: Option<Load>,
    pub(crate) ending: bool,
}

impl Informing {
    pub(crate) fn new(plan: &CampaignPlan, dice: Dice, quiet: bool, now: Timestamp) -> Self {
        let trouble = CampaignTrouble { slow_saves_max: SAVES_MAX, ..CampaignTrouble::NONE };
        Self {
            office: Office::new(Arc::new(plan.shared.clone()), dice, trouble, quiet, now),
            lists: BTreeMap::new(),
            calls: BTreeMap::new(),
            attempts: Vec::new(),
            last_saved: now,
            asked: 0,
            told: None,
            ending: false,
        }
    }

    /// Campaigns with their lists.
    pub(crate) fn begins(&mut self, plan: CampaignPlan, now: Timestamp) {
        let numbers = plan.numbers();
        for Planned { settings, contacts, .. } in plan.planned {
            let number = |contact: &SimContact| numbers.get(contact.number.reveal()).copied();
            let rows = contacts.iter().filter_map(|contact| Some((number(contact)?, contact.zone, None))).collect();
            self.office.makes(&settings, at(now));
            self.office.imports(&settings.name, rows, at(now));
            self.lists.insert(settings.name.clone(), contacts);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Nothing more comes of campaigns.
    pub(crate) fn is_done(&self) -> bool {
        let up = self.office.machine().is_some() && !self.office.is_loading();
        self.is_empty() || up && self.office.is_quiet() && (self.ending || !self.office.checkers.any_runs())
    }

    pub(crate) fn outcomes(&self, now: Timestamp) -> BTreeMap<Campaign, CampaignOutcome> {
        self.office.outcomes(at(now))
    }

    fn contact(&self, attempt: &AttemptId) -> Option<(&SimContact, CampaignContact)> {
        let contact = self.lists.get(&attempt.campaign)?.get(attempt.contact.0 as usize)?;
        let counted = self.office.ledger.counted(attempt);
        let told = CampaignContact {
            id: Arc::from(attempt.contact.0.to_string()),
            number: contact.number.clone(),
            attempt: counted.saturating_add(1),
            fields: contact.fields.clone(),
        };
        Some((contact, told))
    }
}

/// In a world of whole calls nobody sets the clock.
const fn at(now: Timestamp) -> Moment {
    Moment { stopwatch: now, wall: now }
}

impl Stage {
    /// What campaigns and the rest of the world have for each other. True where there was any of it.
    pub(crate) fn campaigns_exchange(&mut self) -> bool {
        if self.informing.is_empty() {
            return false;
        }
        let mut any = false;
        let now = self.props.now;
        for (call, report) in std::mem::take(&mut self.props.to_campaigns) {
            any = true;
            self.campaign_hears(call, report);
        }
        let plans = std::mem::take(&mut self.desk.lock().plans);
        for (attempt, plan) in plans {
            any = true;
            self.informing.office.tell(CampaignInput::Prepared(attempt, plan), at(now));
        }
        self.tells_campaigns_load();
        while let Some(errand) = self.informing.office.poll(at(now)) {
            any = true;
            match errand {
                Errand::Prepare(attempt) => {
                    let life = self.informing.office.life;
                    self.props.at(now + FETCHES, Event::Asks(life, attempt));
                }
                Errand::Saves(after) => {
                    self.informing.last_saved = self.informing.last_saved.max(now + after);
                    self.props.at(self.informing.last_saved, Event::CampaignSaved(self.informing.office.life));
                }
                Errand::Dial(start) => self.calls_contact(*start),
            }
        }
        let broken = self.informing.office.checkers.broken().first().cloned();
        self.checkers.found_if(CallId::from_random(0), broken);
        any
    }

    fn campaign_hears(&mut self, call: CallId, report: CampaignReport) {
        let now = at(self.props.now);
        let Some(place) = self.informing.calls.get(&call).copied() else { return };
        let attempt = self.informing.attempts[place].attempt.clone();
        let input = match report {
            CampaignReport::Answered => CampaignInput::Answered(attempt),
            CampaignReport::Connected => CampaignInput::Connected(attempt),
            CampaignReport::Ended(end) => {
                self.informing.calls.remove(&call);
                self.informing.attempts[place].end = Some(end.clone());
                CampaignInput::Ended(attempt, end)
            }
        };
        self.informing.office.tell(input, now);
    }

    /// How busy the engine is, where that has changed.
    fn tells_campaigns_load(&mut self) {
        let ours = self.informing.calls.len();
        let inbound = self.calls.count().saturating_sub(ours);
        let Some(centre) = self.centre.machine() else { return };
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let queues = centre.queues(self.props.now).map(|queue| QueueLoad {
            queue: queue.queue,
            open: queue.open,
            ready: count(queue.ready),
            waiting: count(queue.waiting.len()),
        });
        let load = Load { inbound_calls: count(inbound), closed: self.informing.ending, queues: queues.collect() };
        if self.informing.told.as_ref() != Some(&load) {
            self.informing.told = Some(load.clone());
            self.informing.office.tell(CampaignInput::Load(load), at(self.props.now));
        }
    }

    /// A contact's script is asked before dialling.
    pub(crate) fn asks(&mut self, life: u32, attempt: AttemptId) {
        if life != self.informing.office.life {
            return;
        }
        let settings =
            self.informing.office.ledger.campaigns.get(&attempt.campaign).map(|kept| Arc::clone(&kept.settings));
        let (Some(settings), Some((_, contact))) = (settings, self.informing.contact(&attempt)) else { return };
        let script = self.scripts.get(&(settings.agency.clone(), settings.entry.clone())).cloned();
        let plan = match script {
            None => Err(PrepareFailure::NoScript),
            // Scripts in Rust dial whoever is on the list.
            Some(Scripted::InRust { .. }) => Ok(Plan::Dial),
            Some(Scripted::Bundle(version)) => {
                self.asks_bundle(attempt, &version, contact, &settings);
                return;
            }
        };
        self.desk.lock().plans.push((attempt, plan));
    }

    fn asks_bundle(
        &mut self,
        attempt: AttemptId,
        version: &Arc<Version>,
        contact: CampaignContact,
        settings: &CampaignSettings,
    ) {
        let start = PrepareStart {
            call: CallId::from_random(u128::from(self.props.dice.roll())),
            contact,
            agency: settings.agency.clone(),
            entry: settings.entry.clone(),
            lang: Arc::clone(&settings.lang),
            ports: Arc::clone(&self.ports),
            journal: None,
        };
        let (control, work) = gudok_plugin_host::prepare(Arc::clone(version), start);
        let desk = Arc::clone(&self.desk);
        let work = async move {
            let report = work.await;
            let mut desk = desk.lock();
            desk.log.extend(report.fault.iter().map(|fault| format!("Fault {}", fault.message)));
            desk.plans.push((attempt, report.plan));
            // No call waits for this end.
            ScriptEnd::Failed(CallError::Ended(EndReason::Moved))
        };
        // Numbers of calls count up from 0, these down from the end.
        let task = (usize::MAX - self.informing.asked, ScriptRun(0));
        self.informing.asked += 1;
        self.tasks.start(task, Box::pin(work), Some(control));
    }

    /// Whom a campaign's script has reached; its own first run alone is told.
    pub(crate) fn contact_of(&self, (number, run): TaskId) -> Option<CampaignContact> {
        let call = self.calls.get(number)?.id();
        let attempt = self.informing.attempts.get(*self.informing.calls.get(&call)?)?;
        (run == ScriptRun(0)).then(|| self.informing.contact(&attempt.attempt).map(|(_, told)| told)).flatten()
    }

    /// A contact is called.
    fn calls_contact(&mut self, start: AttemptStart) {
        let Some((contact, told)) = self.informing.contact(&start.attempt) else { return };
        let nth = usize::from(told.attempt).saturating_sub(1).min(contact.callees.len() - 1);
        let callee = contact.callees[nth].clone();
        let number = self.calls.next_number();
        let attempt = SimAttempt { attempt: start.attempt.clone(), call: number, dialled: self.props.now, end: None };
        self.informing.calls.insert(start.call, self.informing.attempts.len());
        self.informing.attempts.push(attempt);
        let call_start = CallStart {
            id: start.call,
            incoming: IncomingCall {
                trunk: start.trunk.clone(),
                caller: start.shown,
                called: told.number.clone(),
                diversion: None,
                headers: Vec::new(),
                chain: None,
                wants_transcript: true,
            },
            overlay: None,
            agency: start.agency,
            entry: start.entry,
            lang: start.lang,
            mode: Mode::Automatic,
            limits: self.limits,
            routes: Arc::clone(&self.props.routes),
            purpose: Purpose::Campaign(Box::new(CampaignCall {
                attempt: start.attempt,
                target: DialTarget { trunk: Some(start.trunk), address: told.number.clone() },
                contact: told,
                ring_max: start.ring_max,
                on_machine: start.on_machine,
                queue: start.queue,
            })),
        };
        self.centre_checkers.call_began(call_start.id, &call_start.purpose);
        let call = SimCall::calls(number, callee, call_start, &mut self.props, &mut self.checkers);
        self.calls.add(call);
    }

    pub(crate) fn campaign_saved(&mut self, life: u32) {
        if life == self.informing.office.life {
            self.informing.office.saved(at(self.props.now));
        }
    }

    pub(crate) fn orders(&mut self, campaign: &Campaign, order: CampaignOrder) {
        // What people want of an engine that is down, or of a campaign that does not fit, they are refused.
        drop(self.informing.office.order(campaign, order, at(self.props.now)));
    }

    pub(crate) fn opts_out(&mut self, opt_out: OptOut) {
        if self.informing.office.machine().is_some() {
            self.informing.office.tell(CampaignInput::OptedOut(opt_out), at(self.props.now));
        }
    }

    /// Campaigns look at the clock, where their time has come.
    pub(crate) fn campaigns_timeout(&mut self) {
        self.informing.office.looks_at_the_clock(at(self.props.now));
    }

    pub(crate) fn campaigns_die(&mut self) {
        for asked in 0..self.informing.asked {
            self.tasks.stop((usize::MAX - asked, ScriptRun(0)));
        }
        self.informing.calls.clear();
        self.informing.told = None;
        self.desk.lock().plans.clear();
        self.informing.office.dies(at(self.props.now));
    }

    pub(crate) fn campaigns_live(&mut self) {
        let now = at(self.props.now);
        self.informing.office.lives(now);
        while self.informing.office.is_loading() {
            self.informing.office.loads_more(now);
        }
    }

    /// At the world's end: what is said, kept and seen is the same.
    pub(crate) fn campaigns_add_up(&mut self) {
        if !self.informing.is_empty() && self.informing.office.checkers.broken().is_empty() {
            self.informing.office.adds_up(at(self.props.now));
            let broken = self.informing.office.checkers.broken().first().cloned();
            self.checkers.found_if(CallId::from_random(0), broken);
        }
    }
}
