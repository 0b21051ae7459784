//! The machine: what it is told, and what follows in which order.

use super::contact::{AttemptId, ContactNo, NumberKey, OptOut};
use super::dice::Dice;
use super::face::{CampaignCommand, CampaignInput, CampaignOrder, CampaignRefusal, CampaignSave, ContactDecision};
use super::opt_outs::OptOuts;
use super::pace::Clock;
use super::saves::{Saves, Saving};
use super::settings::CampaignsSettings;
use super::shares::Shares;
use super::work::{Work, WorkKey};
use crate::ids::{Campaign, Queue, Trunk};
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// All campaigns. See the module's page.
///
/// Tell it what happens ([`CampaignMachine::handle`], [`CampaignMachine::order`], [`CampaignMachine::decide`]); after each,
/// drain [`CampaignMachine::poll_command`], then ask for the [`CampaignMachine::deadline`] and call
/// [`CampaignMachine::handle_timeout`] when it has come.
///
/// *Invariants*, watched by a checker from outside at every step of a seeded walk:
/// - nobody is dialled but by a claim that is durable, once a claim, and never again by itself after a crash cut it off;
/// - nobody is dialled outside the window in all of the contact's zones, on a holiday, after an opt-out, or more often than
///   the campaign and the day allow;
/// - a number is in one call at most, whatever campaigns it is on;
/// - no second sees more calls begun than a campaign, its trunk and the engine may, however the clock is set;
/// - whatever was begun is written down until it is durable, unless its campaign is removed;
/// - everybody on a list is counted in one place.
///
/// Its deadline is no list of timers: it is worked out after each step from what each campaign waits for. A timer for each
/// contact would cost more than the contact.
#[derive(Debug)]
pub struct CampaignMachine {
    pub(super) settings: Arc<CampaignsSettings>,
    pub(super) works: Vec<Work>,
    /// Their places.
    index: BTreeMap<Campaign, usize>,
    keys: u64,
    pub(super) shares: Shares,
    pub(super) opt_outs: OptOuts,
    pub(super) saves: Saves,
    /// Calls of campaigns that were removed: they count until they are over.
    pub(super) orphans: BTreeMap<AttemptId, Orphan>,
    pub(super) clock: Clock,
    pub(super) dice: Dice,
    /// Of claims, and of turns.
    pub(super) orders: u64,
    commands: VecDeque<CampaignCommand>,
    pub(super) wakes: Option<Timestamp>,
}

/// A call whose campaign was removed.
#[derive(Clone, Debug)]
pub(super) struct Orphan {
    pub(super) number: NumberKey,
    pub(super) trunk: Trunk,
    /// Its queue, while it has no operator.
    pub(super) queue: Option<Queue>,
}

impl CampaignMachine {
    /// No campaigns yet. Ids of calls, and chance in retries, are drawn from the seed: random in a real engine, and never the
    /// same twice.
    #[must_use]
    pub fn new(settings: Arc<CampaignsSettings>, seed: u128, now: Timestamp) -> Self {
        let mut shares = Shares::default();
        shares.configure(&settings);
        Self {
            settings,
            works: Vec::new(),
            index: BTreeMap::new(),
            keys: 0,
            shares,
            opt_outs: OptOuts::default(),
            saves: Saves::default(),
            orphans: BTreeMap::new(),
            clock: Clock::new(now),
            dice: Dice::new(seed),
            orders: 0,
            commands: VecDeque::new(),
            wakes: None,
        }
    }

    /// Something happened.
    pub fn handle(&mut self, input: CampaignInput, now: Timestamp) {
        self.tick(now);
        match input {
            CampaignInput::Configured(settings) => self.configure(settings),
            CampaignInput::Put(settings, run) => self.put(settings, run, now),
            CampaignInput::Removed(campaign) => self.remove(&campaign),
            CampaignInput::Loaded(campaign, seeds) => self.load(&campaign, &seeds, now),
            CampaignInput::Ready(campaign) => {
                if let Some(at) = self.place_of(&campaign) {
                    (self.works[at].ready, self.works[at].changed) = (true, true);
                    self.revive(at, now);
                }
            }
            CampaignInput::Prepared(attempt, answer) => self.prepared(&attempt, answer, now),
            CampaignInput::Saved(save, Ok(())) => {
                if let Some(saving) = self.saves.done(save) {
                    self.saved(&saving, now);
                }
            }
            CampaignInput::Saved(save, Err(_)) => {
                if let Some(saving) = self.saves.fail(save, now) {
                    self.not_saved(&saving, now);
                }
            }
            CampaignInput::Answered(attempt) => self.answered(&attempt, now),
            CampaignInput::Connected(attempt) => self.connected(&attempt, now),
            CampaignInput::Ended(attempt, end) => self.ended(&attempt, end, now),
            CampaignInput::OptedOut(opt_out) => self.opt_out(opt_out, now),
            CampaignInput::OptOutsLoaded(opt_outs) => {
                for opt_out in &opt_outs {
                    self.opt_outs.add(opt_out);
                }
            }
            CampaignInput::OptedIn(opt_out) => {
                if self.opt_outs.remove(&opt_out) {
                    let saving = Saving::OptOut(opt_out.number, opt_out.scope.clone());
                    self.save(saving, CampaignSave::OptIn(opt_out, now));
                }
            }
            CampaignInput::Load(load) => self.shares.load(load),
            CampaignInput::ClockMoved => self.clock_moved(now),
        }
        self.settle(now);
    }

    /// Somebody says something to a campaign.
    ///
    /// # Errors
    /// [`CampaignRefusal::Unknown`], [`CampaignRefusal::WrongState`] or [`CampaignRefusal::Empty`]; then nothing has changed.
    pub fn order(&mut self, campaign: &Campaign, order: CampaignOrder, now: Timestamp) -> Result<(), CampaignRefusal> {
        self.tick(now);
        self.ordered(campaign, order)?;
        self.settle(now);
        Ok(())
    }

    /// Somebody decides about a contact.
    ///
    /// # Errors
    /// [`CampaignRefusal::Unknown`], [`CampaignRefusal::NoContact`] or [`CampaignRefusal::WrongContact`]; then nothing has
    /// changed.
    pub fn decide(
        &mut self,
        campaign: &Campaign,
        contact: ContactNo,
        decision: ContactDecision,
        now: Timestamp,
    ) -> Result<(), CampaignRefusal> {
        self.tick(now);
        self.decided(campaign, contact, decision, now)?;
        self.settle(now);
        Ok(())
    }

    /// The deadline has come, or may have.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.tick(now);
        self.settle(now);
    }

    /// When [`CampaignMachine::handle_timeout`] wants to be called at the latest. None: nothing comes due by itself.
    #[must_use]
    pub const fn deadline(&self) -> Option<Timestamp> {
        self.wakes
    }

    /// The next thing to be done.
    pub fn poll_command(&mut self) -> Option<CampaignCommand> {
        self.commands.pop_front()
    }

    /// What campaigns share.
    #[must_use]
    pub const fn settings(&self) -> &Arc<CampaignsSettings> {
        &self.settings
    }

    pub(super) fn command(&mut self, command: CampaignCommand) {
        self.commands.push_back(command);
    }

    pub(super) fn save(&mut self, saving: Saving, save: CampaignSave) {
        self.save_box(saving, Box::new(save));
    }

    fn save_box(&mut self, saving: Saving, save: Box<CampaignSave>) {
        let id = self.saves.begin(saving, save.clone());
        self.command(CampaignCommand::Save(id, save));
    }

    pub(super) fn place_of(&self, campaign: &Campaign) -> Option<usize> {
        self.index.get(campaign).copied()
    }

    pub(super) fn place_of_key(&self, key: WorkKey) -> Option<usize> {
        self.works.iter().position(|work| work.key == key)
    }

    pub(super) fn work(&self, campaign: &Campaign) -> Option<&Work> {
        self.works.get(self.place_of(campaign)?)
    }

    pub(super) fn next_order(&mut self) -> u64 {
        self.orders += 1;
        self.orders
    }

    pub(super) fn new_key(&mut self) -> WorkKey {
        self.keys += 1;
        WorkKey(self.keys)
    }

    pub(super) fn add_work(&mut self, work: Work) -> usize {
        self.index.insert(work.settings.name.clone(), self.works.len());
        self.works.push(work);
        self.works.len() - 1
    }

    pub(super) fn take_work(&mut self, campaign: &Campaign) -> Option<Work> {
        let at = self.index.remove(campaign)?;
        let work = self.works.swap_remove(at);
        if let Some(moved) = self.works.get(at) {
            self.index.insert(moved.settings.name.clone(), at);
        }
        Some(work)
    }

    fn tick(&mut self, now: Timestamp) {
        if self.clock.tick(now) {
            self.clock_moved(now);
        }
        self.shares.sweep_days(now);
    }

    fn clock_moved(&mut self, now: Timestamp) {
        self.clock.set(now);
        self.shares.clock_moved(now);
        self.saves.clock_moved(now);
        for work in &mut self.works {
            work.pace.clock_moved();
            work.store_rests_until = None;
        }
    }

    /// Whatever may be done now is done; then the next moment is worked out, and what has changed is said.
    fn settle(&mut self, now: Timestamp) {
        for at in 0..self.works.len() {
            self.tend(at, now);
        }
        while let Some((saving, save)) = self.saves.take_due(now) {
            self.save_again(saving, save, now);
        }
        let all_done = self.run(now);
        for at in 0..self.works.len() {
            self.finish_if_over(at);
        }
        self.wakes = if all_done { self.wakes_at(now) } else { Some(now) };
        for at in 0..self.works.len() {
            if std::mem::take(&mut self.works[at].changed) {
                let name = self.works[at].settings.name.clone();
                self.command(CampaignCommand::Changed(name));
            }
        }
    }

    /// What failed is written down again, as it stands now.
    fn save_again(&mut self, saving: Saving, save: Box<CampaignSave>, now: Timestamp) {
        match &saving {
            Saving::Claim(key, no) => {
                let (key, no) = (*key, *no);
                self.claim_again(key, no, save, now);
            }
            Saving::Contact(..) => self.save_box(saving, save),
            Saving::Run(key) => {
                if let Some(at) = self.place_of_key(*key) {
                    self.save_run(at);
                }
            }
            Saving::OptOut(number, scope) => {
                let protected = self.opt_outs.get(*number, scope);
                let opt_out = OptOut { number: *number, scope: scope.clone(), protected: protected.unwrap_or(false) };
                let save = if protected.is_some() {
                    CampaignSave::OptOut(opt_out, now)
                } else {
                    CampaignSave::OptIn(opt_out, now)
                };
                self.save(saving, save);
            }
        }
    }

    pub(super) fn save_run(&mut self, at: usize) {
        let work = &self.works[at];
        let (key, campaign, state, reason) = (work.key, work.settings.name.clone(), work.run, work.reason.clone());
        self.save(Saving::Run(key), CampaignSave::Run { campaign, state, reason });
    }

    /// Somebody does not want to be called any more.
    pub(super) fn opt_out(&mut self, opt_out: OptOut, now: Timestamp) {
        if self.opt_outs.add(&opt_out) {
            let saving = Saving::OptOut(opt_out.number, opt_out.scope.clone());
            self.save(saving, CampaignSave::OptOut(opt_out, now));
        }
    }
}
