//! The office that campaigns are run from: the product's own machine, a ledger that takes its time and survives the engine,
//! and the checkers between them and the world.

use super::checkers::{CampaignCheckers, Moment};
use super::ledger::{Kept, KeptContact, Ledger};
use super::report::CampaignOutcome;
use super::trouble::CampaignTrouble;
use crate::dice::Dice;
use gudok_core::campaign::{
    AttemptId, AttemptStart, CampaignCommand, CampaignInput, CampaignMachine, CampaignOrder, CampaignRefusal,
    CampaignSettings, CampaignsSettings, ContactDecision, ContactNo, ContactSeed, ContactState, Disposition, OptOut,
    RunState, Spent, ZoneNo,
};
use gudok_core::ids::Campaign;
use gudok_core::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// Contacts that are read from the store at once after a start.
const LOADED_AT_ONCE_MAX: usize = 5_000;
/// Times that the machine may be told of its deadline without the time moving: one that does not move its own is a fault.
const TIMEOUTS_AT_ONE_MOMENT_MAX: u32 = 10_000;

/// What the world is to do for the machine.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Somebody's script is to be asked.
    Prepare(AttemptId),
    /// A writing has begun, and will end after so long, in its turn.
    Saves(Duration),
    /// Somebody is to be called.
    Dial(Box<AttemptStart>),
}

/// The office.
#[derive(Debug)]
pub(crate) struct Office {
    shared: Arc<CampaignsSettings>,
    /// None while the engine is down.
    machine: Option<CampaignMachine>,
    pub(crate) ledger: Ledger,
    pub(crate) checkers: CampaignCheckers,
    /// Which life of the engine this is: what was under way in another comes too late.
    pub(crate) life: u32,
    dice: Dice,
    trouble: CampaignTrouble,
    /// What is still to be read after a start, and from where on.
    loading: VecDeque<(Campaign, usize)>,
    /// Every input and command; none where there are too many.
    pub(crate) trace: Option<String>,
    /// The same in one number, always.
    pub(crate) digest: u64,
    pub(crate) steps: u64,
    timeouts: (Timestamp, u32),
}

impl Office {
    pub(crate) fn new(
        shared: Arc<CampaignsSettings>,
        mut dice: Dice,
        trouble: CampaignTrouble,
        quiet: bool,
        wall: Timestamp,
    ) -> Self {
        let machine = CampaignMachine::new(Arc::clone(&shared), seed(&mut dice), wall);
        Self {
            checkers: CampaignCheckers::new(Arc::clone(&shared)),
            shared,
            machine: Some(machine),
            ledger: Ledger::default(),
            life: 0,
            dice,
            trouble,
            loading: VecDeque::new(),
            trace: (!quiet).then(String::new),
            digest: 0xCBF2_9CE4_8422_2325,
            steps: 0,
            timeouts: (Timestamp::default(), 0),
        }
    }

    pub(crate) fn machine(&self) -> Option<&CampaignMachine> {
        self.machine.as_ref()
    }

    pub(crate) fn is_loading(&self) -> bool {
        !self.loading.is_empty()
    }

    /// A campaign is made, without contacts.
    pub(crate) fn makes(&mut self, settings: &Arc<CampaignSettings>, now: Moment) {
        let kept = Kept {
            settings: Arc::clone(settings),
            run: RunState::Draft,
            contacts: Vec::new(),
            ends: [0; Disposition::KINDS.len()],
            claims: 0,
        };
        self.ledger.campaigns.insert(settings.name.clone(), kept);
        self.checkers.put(Arc::clone(settings), RunState::Draft);
        self.tell(CampaignInput::Put(Arc::clone(settings), RunState::Draft), now);
        self.tell(CampaignInput::Ready(settings.name.clone()), now);
    }

    /// Contacts are written down, and then the machine is told.
    pub(crate) fn imports(
        &mut self,
        campaign: &Campaign,
        contacts: Vec<(super::numbers::Number, ZoneNo, Option<u8>)>,
        now: Moment,
    ) {
        let Some(kept) = self.ledger.campaigns.get_mut(campaign) else { return };
        let first = kept.contacts.len();
        kept.contacts.extend(contacts.into_iter().map(|(number, zone, window)| KeptContact {
            number,
            zone,
            window,
            state: ContactState::Waiting { not_before: None },
            spent: Spent::default(),
        }));
        let mut at = first;
        while let Some(seeds) = self.seeds(campaign, &mut at) {
            self.checkers.added(campaign, &seeds);
            self.tell(CampaignInput::Loaded(campaign.clone(), seeds), now);
        }
    }

    /// The next contacts from that place on.
    fn seeds(&self, campaign: &Campaign, at: &mut usize) -> Option<Vec<ContactSeed>> {
        let kept = self.ledger.campaigns.get(campaign)?;
        let end = kept.contacts.len().min(*at + LOADED_AT_ONCE_MAX);
        let range = *at..end;
        *at = end;
        let seeds: Vec<_> = range.map(|no| kept.contacts[no].seed(no)).collect();
        (!seeds.is_empty()).then_some(seeds)
    }

    /// An edit.
    pub(crate) fn puts(&mut self, settings: &Arc<CampaignSettings>, now: Moment) {
        let Some(kept) = self.ledger.campaigns.get_mut(&settings.name) else { return };
        kept.settings = Arc::clone(settings);
        let run = kept.run;
        self.checkers.put(Arc::clone(settings), run);
        self.tell(CampaignInput::Put(Arc::clone(settings), run), now);
    }

    pub(crate) fn configures(&mut self, shared: Arc<CampaignsSettings>, now: Moment) {
        self.shared = Arc::clone(&shared);
        self.checkers.configured(Arc::clone(&shared));
        self.tell(CampaignInput::Configured(shared), now);
    }

    pub(crate) fn order(
        &mut self,
        campaign: &Campaign,
        order: CampaignOrder,
        now: Moment,
    ) -> Result<(), CampaignRefusal> {
        self.note(now, format_args!("! {campaign} {order:?}"), order as u64);
        let Some(machine) = &mut self.machine else { return Err(CampaignRefusal::Unknown(campaign.clone())) };
        machine.order(campaign, order, now.wall)?;
        let run = match order {
            CampaignOrder::Start | CampaignOrder::Resume => RunState::Running,
            CampaignOrder::Pause => RunState::Paused,
            CampaignOrder::Stop => RunState::Stopped,
        };
        self.checkers.runs(campaign, run);
        Ok(())
    }

    pub(crate) fn decide(
        &mut self,
        campaign: &Campaign,
        contact: ContactNo,
        decision: ContactDecision,
        now: Moment,
    ) -> Result<(), CampaignRefusal> {
        self.note(now, format_args!("! {campaign} {contact:?} {decision:?}"), u64::from(contact.0));
        let Some(machine) = &mut self.machine else { return Err(CampaignRefusal::Unknown(campaign.clone())) };
        machine.decide(campaign, contact, decision, now.wall)?;
        self.checkers.decided(campaign, contact, decision);
        Ok(())
    }

    /// Tells the machine; its checkers first.
    pub(crate) fn tell(&mut self, input: CampaignInput, now: Moment) {
        self.note(now, format_args!("< {input:?}"), mark(&input));
        match &input {
            CampaignInput::Ready(campaign) => self.checkers.ready(campaign),
            CampaignInput::Answered(attempt) => self.checkers.answered(attempt),
            CampaignInput::Ended(attempt, end) => self.checkers.ended(attempt, end, now),
            CampaignInput::OptedOut(opt_out) => self.checkers.opted_out(opt_out),
            CampaignInput::OptedIn(opt_out) => self.checkers.opted_in(opt_out),
            CampaignInput::Load(load) => self.checkers.load(load.clone()),
            _ => {}
        }
        if let Some(machine) = &mut self.machine {
            machine.handle(input, now.wall);
        }
    }

    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.machine.as_ref()?.deadline()
    }

    /// Tells the machine that its deadline has come, where it has.
    pub(crate) fn looks_at_the_clock(&mut self, now: Moment) {
        let Some(machine) = &mut self.machine else { return };
        if machine.deadline().is_some_and(|deadline| deadline <= now.wall) {
            self.steps += 1;
            machine.handle_timeout(now.wall);
            let (at, times) = self.timeouts;
            self.timeouts = (now.stopwatch, if at == now.stopwatch { times + 1 } else { 1 });
            if self.timeouts.1 > TIMEOUTS_AT_ONE_MOMENT_MAX {
                self.checkers.found("the machine's deadline stands still".into());
            }
        }
    }

    /// The machine's next wish.
    pub(crate) fn poll(&mut self, now: Moment) -> Option<Errand> {
        loop {
            let command = self.machine.as_mut()?.poll_command()?;
            match command {
                CampaignCommand::Changed(_) => {}
                CampaignCommand::Prepare(attempt) => {
                    self.note(now, format_args!("> prepare {attempt:?}"), u64::from(attempt.contact.0));
                    return Some(Errand::Prepare(attempt));
                }
                CampaignCommand::Save(save, what) => {
                    self.note(now, format_args!("> {save:?} {what:?}"), save.0);
                    self.checkers.save(&what, now);
                    let fails = self.dice.percent(self.trouble.failing_saves_percent);
                    let result = if fails { Err("the disk is full".to_owned()) } else { Ok(()) };
                    self.ledger.writes(save, result, what);
                    return Some(Errand::Saves(self.dice.up_to(self.trouble.slow_saves_max)));
                }
                CampaignCommand::Dial(start) => {
                    self.note(now, format_args!("> {start:?}"), u64::from(start.attempt.contact.0) << 16);
                    self.checkers.dials(&start, now);
                    return Some(Errand::Dial(start));
                }
            }
        }
    }

    /// The oldest writing comes to its end.
    pub(crate) fn saved(&mut self, now: Moment) {
        if let Some((save, result, what)) = self.ledger.comes_to_its_end() {
            self.checkers.saved(&what, result.is_ok());
            self.tell(CampaignInput::Saved(save, result), now);
        }
    }

    /// The engine is killed.
    pub(crate) fn dies(&mut self, now: Moment) {
        self.note(now, format_args!("! killed"), 1);
        self.life += 1;
        self.machine = None;
        self.loading.clear();
        let kept = self.ledger.cut_off(&mut self.dice);
        let ledger = &self.ledger;
        let run = |name: &Campaign| ledger.campaigns.get(name).map_or(RunState::Draft, |kept| kept.run);
        self.checkers.dies(&kept, run);
        self.checkers.opt_outs_are(ledger.opt_outs.values().cloned());
    }

    /// The engine is back, and begins to read what is kept.
    pub(crate) fn lives(&mut self, now: Moment) {
        self.note(now, format_args!("! back"), 2);
        self.machine = Some(CampaignMachine::new(Arc::clone(&self.shared), seed(&mut self.dice), now.wall));
        let opt_outs: Vec<OptOut> = self.ledger.opt_outs.values().cloned().collect();
        self.tell(CampaignInput::OptOutsLoaded(opt_outs), now);
        let campaigns: Vec<_> =
            self.ledger.campaigns.values().map(|kept| (Arc::clone(&kept.settings), kept.run)).collect();
        for (settings, run) in campaigns {
            self.loading.push_back((settings.name.clone(), 0));
            self.tell(CampaignInput::Put(settings, run), now);
        }
    }

    /// Some more of what is kept.
    pub(crate) fn loads_more(&mut self, now: Moment) {
        let Some((campaign, at)) = self.loading.front_mut() else { return };
        let (campaign, mut from) = (campaign.clone(), *at);
        let seeds = self.seeds(&campaign, &mut from);
        if let Some(seeds) = seeds {
            if let Some((_, at)) = self.loading.front_mut() {
                *at = from;
            }
            self.tell(CampaignInput::Loaded(campaign, seeds), now);
        } else {
            self.loading.pop_front();
            self.tell(CampaignInput::Ready(campaign), now);
        }
    }

    /// How each campaign ended.
    pub(crate) fn outcomes(&self, now: Moment) -> BTreeMap<Campaign, CampaignOutcome> {
        self.checkers.outcomes(|name, outcome| CampaignOutcome {
            run: self.ledger.campaigns.get(name).map_or(RunState::Draft, |kept| kept.run),
            figures: self.machine.as_ref().and_then(|machine| machine.figures(name, now.wall)),
            ..outcome
        })
    }

    /// The report sums up: what the machine says, what is written down, and what was seen from outside are the same.
    pub(crate) fn adds_up(&mut self, now: Moment) {
        let Some(machine) = &self.machine else { return };
        let mut broken = Vec::new();
        for (name, kept) in &self.ledger.campaigns {
            let Some(figures) = machine.figures(name, now.wall) else {
                broken.push(format!("{name}: there are no figures"));
                continue;
            };
            let mut done = [0; Disposition::KINDS.len()];
            let (mut waiting, mut claimed, mut unknown) = (0, 0, 0);
            for contact in &kept.contacts {
                match contact.state {
                    ContactState::Waiting { .. } => waiting += 1,
                    ContactState::Claimed { .. } => claimed += 1,
                    ContactState::Unknown { .. } => unknown += 1,
                    ContactState::Done { disposition, .. } => done[disposition as usize] += 1,
                }
            }
            let stand = [figures.waiting, figures.in_hand, figures.unknown, figures.done];
            let sum: u64 = stand.iter().sum();
            if sum != figures.contacts || figures.contacts != kept.contacts.len() as u64 {
                broken.push(format!("{name}: {stand:?} of {} do not sum up", figures.contacts));
            }
            let said = (figures.dispositions, figures.unknown, figures.waiting + figures.in_hand);
            if said != (done, unknown, waiting + claimed) {
                broken
                    .push(format!("{name}: {said:?} is said, {done:?} {unknown} {waiting} {claimed} is written down"));
            }
        }
        for broken in broken {
            self.checkers.found(broken);
        }
        self.checkers.ends_are(&self.ledger);
    }

    /// Is anything being written, or under way?
    pub(crate) fn is_quiet(&self) -> bool {
        self.checkers.live() == 0 && self.ledger.is_idle()
    }

    fn note(&mut self, now: Moment, text: std::fmt::Arguments<'_>, mark: u64) {
        self.steps += 1;
        for word in [now.stopwatch.as_micros(), mark] {
            self.digest = (self.digest ^ word).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(23);
        }
        if let Some(trace) = &mut self.trace {
            // Writing to a string does not fail.
            let _ = writeln!(trace, "{:?} {:?} {text}", now.stopwatch, now.wall);
        }
    }
}

/// Tells inputs apart in the digest.
fn mark(input: &CampaignInput) -> u64 {
    let of = |kind: u64, attempt: &AttemptId| kind << 48 | u64::from(attempt.contact.0) << 16 | u64::from(attempt.nth);
    match input {
        CampaignInput::Prepared(attempt, _) => of(1, attempt),
        CampaignInput::Saved(save, result) => 2 << 48 | save.0 << 1 | u64::from(result.is_ok()),
        CampaignInput::Answered(attempt) => of(3, attempt),
        CampaignInput::Connected(attempt) => of(4, attempt),
        CampaignInput::Ended(attempt, end) => of(5 + u64::from(end.disposition.kind()), attempt),
        _ => 40 << 48,
    }
}

fn seed(dice: &mut Dice) -> u128 {
    u128::from(dice.roll()) << 64 | u128::from(dice.roll())
}
