//! Campaigns against a store and callees that do as they are told.

use super::*;
use crate::calendar::Hours;
use crate::ids::{Agency, Campaign, Entry, Trunk};
use crate::time::Timestamp;
use jiff::civil::time;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

mod any;
mod lifecycle;
mod limits;
mod operators;
mod recovery;
mod retries;
mod views;
mod walk;
mod windows;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn at(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_micros(moment.as_microsecond().try_into().unwrap())
}

/// A Tuesday, noon in Omsk.
fn noon() -> Timestamp {
    at("2026-05-05T12:00:00+06:00")
}

fn name() -> Campaign {
    Campaign::new("tax")
}

fn trunk() -> Trunk {
    Trunk::new("city")
}

/// Zones: 0 Omsk (+6), 1 Moscow (+3), 2 both of them.
fn shared() -> CampaignsSettings {
    let zone = |name: &str| TimeZone::get(name).unwrap();
    let rule = |name: &str, zones: Vec<TimeZone>| ZoneRule { name: Arc::from(name), zones };
    let share = TrunkShare { calls_max: 100, calls_per_s_max: 50, rest_after_failure: SECOND * 10 };
    CampaignsSettings {
        trunks: BTreeMap::from([(trunk(), share)]),
        calls_max: 100,
        calls_per_s_max: 50,
        inbound_calls_max: 70,
        zones: vec![
            rule("Asia/Omsk", vec![zone("Asia/Omsk")]),
            rule("Europe/Moscow", vec![zone("Europe/Moscow")]),
            rule("both", vec![zone("Asia/Omsk"), zone("Europe/Moscow")]),
        ],
        holidays: vec![jiff::civil::date(2026, 5, 9)],
        attempts_per_number_per_day_max: 0,
    }
}

fn window(from: i8, to: i8) -> CallWindow {
    let hours = Hours::new(time(from, 0, 0, 0), time(to % 24, 0, 0, 0)).unwrap();
    CallWindow { week: std::array::from_fn(|_| vec![hours]), exceptions: BTreeMap::new() }
}

fn campaign() -> CampaignSettings {
    let rule = RetryRule { after: MINUTE * 30, jitter: MINUTE * 10, attempts_max: 5 };
    CampaignSettings {
        name: name(),
        agency: Agency::new("revenue"),
        entry: Entry::new("tax"),
        lang: Arc::from("ru"),
        urgency: Urgency::Ordinary,
        mode: CampaignMode::Agentless,
        priority: 5,
        window: window(9, 21),
        windows: vec![window(10, 12)],
        pace: Pace { calls_per_s_max: 10, calls_max: 20 },
        trunk: trunk(),
        shown: None,
        ring_max: SECOND * 30,
        retries: Retries {
            attempts_max: 4,
            attempts_per_day_max: 2,
            rules: BTreeMap::from([("busy", rule), ("no-answer", rule), ("script-failed", rule)]),
        },
        unknown: UnknownRule::Ask,
        on_machine: OnMachine::HangUp,
        confirm: false,
        starts: None,
        deadline: None,
        script_failures_max: 5,
    }
}

fn seed(no: u32) -> ContactSeed {
    ContactSeed {
        no: ContactNo(no),
        number: NumberKey(u128::from(no) + 1_000),
        zone: ZoneNo(0),
        window: None,
        state: ContactState::Waiting { not_before: None },
        spent: Spent::default(),
    }
}

fn end(disposition: Disposition) -> AttemptEnd {
    let talked = disposition.kind() <= Disposition::Abandoned.kind();
    AttemptEnd {
        disposition,
        answered_by: talked.then_some(AnsweredBy::Human),
        answered: talked.then_some(Timestamp::from_millis(1)),
        status: None,
    }
}

/// What a script says of a contact; none: it is still being asked.
type Script = dyn Fn(&AttemptId) -> Option<Result<Plan, PrepareFailure>>;

/// The machine, with a store that saves at once and scripts that say "dial", unless told otherwise.
struct Rig {
    machine: CampaignMachine,
    now: Timestamp,
    store_works: bool,
    plan: Box<Script>,
    /// As the store has them.
    contacts: BTreeMap<(Campaign, u32), (ContactState, Spent)>,
    attempts: BTreeMap<AttemptId, AttemptRecord>,
    runs: Vec<(Campaign, RunState, Option<Arc<str>>)>,
    opt_outs: Vec<(OptOut, bool)>,
    dials: Vec<(Timestamp, AttemptStart)>,
    /// Not answered yet, while the store does not work or prepares are held.
    prepares: Vec<AttemptId>,
    failed_saves: usize,
}

impl Rig {
    fn new(shared: CampaignsSettings, now: Timestamp) -> Self {
        let machine = CampaignMachine::new(Arc::new(shared), 7, now);
        let mut rig = Self {
            machine,
            now,
            store_works: true,
            plan: Box::new(|_| Some(Ok(Plan::Dial))),
            contacts: BTreeMap::new(),
            attempts: BTreeMap::new(),
            runs: Vec::new(),
            opt_outs: Vec::new(),
            dials: Vec::new(),
            prepares: Vec::new(),
            failed_saves: 0,
        };
        rig.drain();
        rig
    }

    /// Running, with so many contacts.
    fn running(settings: CampaignSettings, contacts: u32, now: Timestamp) -> Self {
        let mut rig = Self::new(shared(), now);
        rig.add(settings, (0..contacts).map(seed).collect());
        rig
    }

    fn add(&mut self, settings: CampaignSettings, seeds: Vec<ContactSeed>) {
        let name = settings.name.clone();
        self.feed(CampaignInput::Put(Arc::new(settings), RunState::Running));
        self.feed(CampaignInput::Loaded(name.clone(), seeds));
        self.feed(CampaignInput::Ready(name));
    }

    fn feed(&mut self, input: CampaignInput) {
        self.machine.handle(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(command) = self.machine.poll_command() {
            match command {
                CampaignCommand::Prepare(attempt) => match (self.plan)(&attempt) {
                    Some(answer) => self.machine.handle(CampaignInput::Prepared(attempt, answer), self.now),
                    None => self.prepares.push(attempt),
                },
                CampaignCommand::Save(id, save) => {
                    let result = if self.store_works { Ok(()) } else { Err("the disk is full".to_owned()) };
                    if self.store_works {
                        self.keep(*save);
                    } else {
                        self.failed_saves += 1;
                    }
                    self.machine.handle(CampaignInput::Saved(id, result), self.now);
                }
                CampaignCommand::Dial(start) => self.dials.push((self.now, *start)),
                CampaignCommand::Changed(_) => {}
            }
        }
    }

    fn keep(&mut self, save: CampaignSave) {
        match save {
            CampaignSave::Contact { campaign, contact, state, spent, attempt, .. } => {
                self.contacts.insert((campaign, contact.0), (state, spent));
                if let Some(record) = attempt {
                    self.attempts.insert(record.attempt.clone(), record);
                }
            }
            CampaignSave::Run { campaign, state, reason } => self.runs.push((campaign, state, reason)),
            CampaignSave::OptOut(opt_out, _) => self.opt_outs.push((opt_out, true)),
            CampaignSave::OptIn(opt_out, _) => self.opt_outs.push((opt_out, false)),
        }
    }

    /// Time passes; what comes due is done in time.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(next) = self.machine.deadline().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.machine.handle_timeout(self.now);
            self.drain();
        }
        // Somebody says something about once a second, as in a real engine.
        self.now = end;
        self.machine.handle_timeout(self.now);
        self.drain();
    }

    fn end(&mut self, attempt: &AttemptId, disposition: Disposition) {
        self.feed(CampaignInput::Ended(attempt.clone(), end(disposition)));
    }

    /// Ends all calls that were dialled, one after another, until nobody is dialled any more for so long.
    fn end_all(&mut self, disposition: &Disposition, quiet: Duration) {
        let mut ended = 0;
        loop {
            while ended < self.dials.len() {
                let attempt = self.dials[ended].1.attempt.clone();
                ended += 1;
                self.end(&attempt, disposition.clone());
            }
            self.pass(quiet);
            if ended == self.dials.len() {
                return;
            }
        }
    }

    fn dialled(&self) -> Vec<u32> {
        self.dials.iter().map(|(_, start)| start.attempt.contact.0).collect()
    }

    fn figures(&self) -> Figures {
        self.machine.figures(&name(), self.now).unwrap()
    }

    fn why(&self) -> Option<WhyIdle> {
        self.figures().why_idle
    }

    fn stored(&self, no: u32) -> ContactState {
        self.contacts[&(name(), no)].0
    }
}
