//! What campaigns promise to people, watched from outside at every step, with rules of its own and not the machine's:
//!
//! - nobody is dialled whose claim is not durable, nor twice for one claim, nor in two calls at once
//! - nobody is dialled outside the window in their own zone, on a holiday, before they asked to be, after an opt-out, after
//!   the deadline, more often than allowed, or while the campaign is held or the engine is closed
//! - no second and no moment has more calls than it may: of a campaign, a trunk, all
//! - what a crash cut off is not dialled again unless the rule or a person says so
//! - whoever may still be tried is not given up, and what is written down is what was told

mod contact;
mod dialling;

use super::ledger::Ledger;
use super::lines::Line;
use super::numbers::{self, Number};
use super::report::{CampaignOutcome, LineUse};
use contact::{Stands, WatchedContact};
use gudok_core::campaign::{
    AttemptEnd, AttemptId, AttemptRecord, CampaignSave, CampaignSettings, CampaignsSettings, ContactDecision,
    ContactNo, ContactSeed, ContactState, Disposition, Load, OptOut, OptOutScope, RunState, Spent,
};
use gudok_core::ids::{CallId, Campaign, Trunk};
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A moment: what a stopwatch shows, and what the wall clock shows, which people set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moment {
    pub(crate) stopwatch: Timestamp,
    pub(crate) wall: Timestamp,
}

/// Broken promises that are kept; after the first the world stops.
const BROKEN_MAX: usize = 20;

/// The checkers.
#[derive(Debug)]
pub(crate) struct CampaignCheckers {
    shared: Arc<CampaignsSettings>,
    pub(super) campaigns: BTreeMap<Campaign, Watch>,
    numbers: Vec<WatchedNumber>,
    /// With whether the law protects it.
    opt_outs: BTreeMap<(Number, OptOutScope), bool>,
    pub(super) engine: Line,
    pub(super) trunks: BTreeMap<Trunk, Line>,
    load: Load,
    broken: Vec<String>,
}

/// A campaign.
#[derive(Debug)]
pub(super) struct Watch {
    settings: Arc<CampaignSettings>,
    run: RunState,
    /// The machine knows all of it.
    ready: bool,
    pub(super) line: Line,
    contacts: Vec<WatchedContact>,
    live: BTreeMap<u32, Live>,
    pub(super) ends: [u64; Disposition::KINDS.len()],
    pub(super) answered: u64,
    /// Attempts that a crash cut off, and those of them that had been dialled.
    pub(super) lost: u64,
    lost_calls: u64,
    /// Ends of calls that were begun.
    rung_ends: u64,
}

/// An attempt under way.
#[derive(Debug)]
struct Live {
    nth: u16,
    call: CallId,
    /// As they were when it was claimed.
    settings: Arc<CampaignSettings>,
    durable: bool,
    /// The last writing of it failed: it is said again.
    failed: bool,
    dialled: Option<Moment>,
    told: Option<(Disposition, Moment)>,
    end_said: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct WatchedNumber {
    day: u16,
    today: u8,
    in_call: bool,
}

impl CampaignCheckers {
    pub(crate) fn new(shared: Arc<CampaignsSettings>) -> Self {
        Self {
            shared,
            campaigns: BTreeMap::new(),
            numbers: Vec::new(),
            opt_outs: BTreeMap::new(),
            engine: Line::default(),
            trunks: BTreeMap::new(),
            load: Load::default(),
            broken: Vec::new(),
        }
    }

    pub(crate) fn broken(&self) -> &[String] {
        &self.broken
    }

    pub(crate) fn found(&mut self, what: String) {
        if self.broken.len() < BROKEN_MAX {
            self.broken.push(what);
        }
    }

    pub(crate) fn configured(&mut self, shared: Arc<CampaignsSettings>) {
        self.shared = shared;
    }

    pub(crate) fn put(&mut self, settings: Arc<CampaignSettings>, run: RunState) {
        let name = settings.name.clone();
        if let Some(watch) = self.campaigns.get_mut(&name) {
            watch.settings = settings;
            return;
        }
        let watch = Watch {
            settings,
            run,
            ready: false,
            line: Line::default(),
            contacts: Vec::new(),
            live: BTreeMap::new(),
            ends: [0; Disposition::KINDS.len()],
            answered: 0,
            lost: 0,
            lost_calls: 0,
            rung_ends: 0,
        };
        self.campaigns.insert(name, watch);
    }

    /// Contacts that are new to the world.
    pub(crate) fn added(&mut self, campaign: &Campaign, seeds: &[ContactSeed]) {
        let Some(watch) = self.campaigns.get_mut(campaign) else { return };
        for seed in seeds {
            let number = numbers::number(seed.number);
            let most = self.numbers.len().max(number.0 as usize + 1);
            self.numbers.resize(most, WatchedNumber::default());
            watch.contacts.push(WatchedContact::new(number, seed));
        }
    }

    pub(crate) fn ready(&mut self, campaign: &Campaign) {
        if let Some(watch) = self.campaigns.get_mut(campaign) {
            watch.ready = true;
        }
    }

    /// A person's order was taken.
    pub(crate) fn runs(&mut self, campaign: &Campaign, run: RunState) {
        if let Some(watch) = self.campaigns.get_mut(campaign) {
            watch.run = run;
        }
    }

    /// A person's decision was taken.
    pub(crate) fn decided(&mut self, campaign: &Campaign, contact: ContactNo, decision: ContactDecision) {
        let contact = self.campaigns.get_mut(campaign).and_then(|watch| watch.contacts.get_mut(contact.0 as usize));
        if let (Some(contact), ContactDecision::TryAgain) = (contact, decision) {
            contact.allowed += 1;
            contact.stands = Stands::Free;
            contact.not_before = Timestamp::default();
        }
    }

    pub(crate) fn load(&mut self, load: Load) {
        self.load = load;
    }

    pub(crate) fn opted_out(&mut self, opt_out: &OptOut) {
        self.opt_outs.insert((numbers::number(opt_out.number), opt_out.scope.clone()), opt_out.protected);
    }

    pub(crate) fn opted_in(&mut self, opt_out: &OptOut) {
        self.opt_outs.remove(&(numbers::number(opt_out.number), opt_out.scope.clone()));
    }

    pub(crate) fn answered(&mut self, attempt: &AttemptId) {
        if let Some(watch) = self.campaigns.get_mut(&attempt.campaign) {
            watch.answered += 1;
        }
    }

    /// The call of an attempt is over, the machine is told.
    pub(crate) fn ended(&mut self, attempt: &AttemptId, end: &AttemptEnd, now: Moment) {
        let Some(watch) = self.campaigns.get_mut(&attempt.campaign) else { return };
        let trunk = watch.settings.trunk.clone();
        watch.line.ends();
        watch.rung_ends += 1;
        let mut line = trunk;
        let contact = watch.contacts.get(attempt.contact.0 as usize).copied();
        if let Some(live) = watch.live.get_mut(&attempt.contact.0) {
            line = live.settings.trunk.clone();
            live.told = Some((end.disposition.clone(), now));
        }
        let agency = watch.settings.agency.clone();
        self.engine.ends();
        if let Some(line) = self.trunks.get_mut(&line) {
            line.ends();
        }
        let Some(contact) = contact else { return };
        self.numbers[contact.number.0 as usize].in_call = false;
        if end.disposition == Disposition::DoNotCall {
            self.opt_outs.entry((contact.number, OptOutScope::Agency(agency))).or_insert(false);
        }
        if !end.disposition.counts() {
            self.uncount(attempt);
        }
    }

    /// Nobody was rung after all.
    fn uncount(&mut self, attempt: &AttemptId) {
        let Some(watch) = self.campaigns.get_mut(&attempt.campaign) else { return };
        let Some(contact) = watch.contacts.get_mut(attempt.contact.0 as usize) else { return };
        contact.counted = contact.counted.saturating_sub(1);
        contact.today = contact.today.saturating_sub(1);
        let number = &mut self.numbers[contact.number.0 as usize];
        number.today = number.today.saturating_sub(1);
    }

    /// Something is to be written down.
    pub(crate) fn save(&mut self, what: &CampaignSave, now: Moment) {
        match what {
            CampaignSave::Contact { campaign, contact, state, spent, attempt, ended } => {
                let result = match attempt {
                    Some(record) if record.end.is_none() => self.claims(record, state, now),
                    Some(record) => self.ends(record, state, spent, now),
                    None => self.stands((campaign, *contact), (state, spent), ended.as_ref(), now),
                };
                // Whoever is tried again by a person's word has one attempt less on the account.
                let counted = self
                    .campaigns
                    .get(campaign)
                    .and_then(|watch| watch.contacts.get(contact.0 as usize))
                    .map_or(0, |contact| contact.counted.saturating_sub(contact.allowed));
                if let Err(broken) = result {
                    self.found(format!("{campaign} contact {}: {broken}", contact.0));
                } else if !matches!(state, ContactState::Claimed { .. }) && spent.attempts < counted {
                    self.found(format!(
                        "{campaign} contact {}: {} attempts are written down, {counted} were made",
                        contact.0, spent.attempts
                    ));
                }
            }
            CampaignSave::Run { campaign, state, .. } => self.runs(campaign, *state),
            CampaignSave::OptOut(opt_out, _) => self.opted_out(opt_out),
            CampaignSave::OptIn(opt_out, _) => self.opted_in(opt_out),
        }
    }

    fn claims(&mut self, record: &AttemptRecord, state: &ContactState, now: Moment) -> Result<(), String> {
        let AttemptId { campaign, contact: no, nth } = &record.attempt;
        let watch = self.campaigns.get_mut(campaign).ok_or("the campaign is not there")?;
        let contact = watch.contacts.get_mut(no.0 as usize).ok_or("is not there")?;
        if *state != (ContactState::Claimed { call: record.call }) {
            return Err(format!("a claim is written down with the state {state:?}"));
        }
        if let Some(live) = watch.live.get_mut(&no.0) {
            if live.failed && !live.durable && live.nth == *nth {
                (live.failed, live.call) = (false, record.call);
                return Ok(());
            }
            return Err(format!("claim {nth} while {live:?}"));
        }
        if contact.stands != Stands::Free || *nth != contact.claims + 1 {
            return Err(format!("claim {nth} of {contact:?}"));
        }
        if now.wall < contact.not_before {
            return Err(format!("is claimed {:?} too early", contact.not_before.since(now.wall)));
        }
        contact.claims = *nth;
        contact.stands = Stands::Claimed;
        let live = Live {
            nth: *nth,
            call: record.call,
            settings: Arc::clone(&watch.settings),
            durable: false,
            failed: false,
            dialled: None,
            told: None,
            end_said: false,
        };
        watch.live.insert(no.0, live);
        Ok(())
    }

    fn ends(&mut self, record: &AttemptRecord, state: &ContactState, spent: &Spent, now: Moment) -> Result<(), String> {
        let AttemptId { campaign, contact: no, nth } = &record.attempt;
        let watch = self.campaigns.get_mut(campaign).ok_or("the campaign is not there")?;
        let contact = watch.contacts.get_mut(no.0 as usize).ok_or("is not there")?;
        let Some(end) = &record.end else { return Ok(()) };
        // Said again, where it was not written down the first time.
        if contact.stands == Stands::CutOff || contact.cut_off == *nth && !watch.live.contains_key(&no.0) {
            return contact.after_crash(&watch.settings, state, spent);
        }
        let live = watch.live.get_mut(&no.0).filter(|live| live.nth == *nth).ok_or("an end without an attempt")?;
        if live.dialled.is_some() != record.dialled.is_some() {
            return Err(format!("dialled at {:?}, it says {:?}", live.dialled, record.dialled));
        }
        let at = match (&live.told, live.dialled) {
            (Some((told, at)), Some(_)) if *told == end.disposition => *at,
            (None, None) if !end.disposition.counts() => now,
            (told, dialled) => {
                return Err(format!("{:?} is written down, told was {told:?}, dialled {dialled:?}", end.disposition));
            }
        };
        if live.end_said && !live.failed {
            return Err("its end is written down twice".into());
        }
        let again = std::mem::replace(&mut live.end_said, true);
        live.failed = false;
        if !again {
            watch.ends[end.disposition.kind() as usize] += 1;
            contact.comes_to(&end.disposition);
        }
        let settings = [Arc::clone(&live.settings), Arc::clone(&watch.settings)];
        contact.goes_on(&settings, &end.disposition, state, at.wall, now.wall)
    }

    /// A contact stands elsewhere, without an attempt.
    fn stands(
        &mut self,
        (campaign, no): (&Campaign, ContactNo),
        (state, spent): (&ContactState, &Spent),
        ended: Option<&Disposition>,
        now: Moment,
    ) -> Result<(), String> {
        let watch = self.campaigns.get_mut(campaign).ok_or("the campaign is not there")?;
        let contact = watch.contacts.get_mut(no.0 as usize).ok_or("is not there")?;
        if contact.stands == Stands::CutOff {
            return contact.after_crash(&watch.settings, state, spent);
        }
        if watch.live.contains_key(&no.0) {
            return Err(format!("goes to {state:?} in the middle of an attempt"));
        }
        match state {
            ContactState::Waiting { not_before } => {
                contact.stands = Stands::Free;
                contact.not_before = not_before.unwrap_or_default();
            }
            ContactState::Done { .. } => {
                contact.stands = Stands::Over;
                let expired = matches!(ended, Some(Disposition::Expired));
                if expired && watch.settings.deadline.is_none_or(|deadline| now.wall < deadline) {
                    return Err("has expired before the deadline".into());
                }
            }
            ContactState::Unknown { .. } | ContactState::Claimed { .. } => {
                return Err(format!("goes to {state:?} without a crash"));
            }
        }
        Ok(())
    }

    /// A writing came to its end.
    pub(crate) fn saved(&mut self, what: &CampaignSave, well: bool) {
        let CampaignSave::Contact { campaign, contact, attempt: Some(record), .. } = what else { return };
        let Some(watch) = self.campaigns.get_mut(campaign) else { return };
        let Some(live) = watch.live.get_mut(&contact.0).filter(|live| live.nth == record.attempt.nth) else { return };
        live.failed = !well;
        if !well {
            return;
        }
        if record.end.is_none() {
            live.durable = true;
        } else {
            watch.live.remove(&contact.0);
        }
    }

    /// The engine is killed: calls are cut off, and what was not durable is forgotten; `kept` became so in the last moment.
    pub(crate) fn dies(&mut self, kept: &[CampaignSave], durable_runs: impl Fn(&Campaign) -> RunState) {
        for what in kept {
            self.saved(what, true);
        }
        self.engine.live = 0;
        for line in self.trunks.values_mut() {
            line.live = 0;
        }
        for (name, watch) in &mut self.campaigns {
            (watch.ready, watch.run, watch.line.live) = (false, durable_runs(name), 0);
            for (no, live) in std::mem::take(&mut watch.live) {
                let contact = &mut watch.contacts[no as usize];
                self.numbers[contact.number.0 as usize].in_call = false;
                watch.lost_calls += u64::from(live.dialled.is_some() && live.told.is_none());
                if live.durable {
                    // It is not known whether it was dialled: it counts.
                    let uncounted = live.told.as_ref().is_some_and(|(told, _)| !told.counts());
                    if live.dialled.is_none() || uncounted {
                        contact.counted = contact.counted.saturating_add(1);
                    }
                    (contact.stands, contact.cut_off) = (Stands::CutOff, live.nth);
                    watch.lost += 1;
                } else {
                    contact.claims -= 1;
                    contact.stands = Stands::Free;
                }
            }
        }
        self.load = Load::default();
    }

    /// Opt-outs that nobody was told are kept are forgotten.
    pub(crate) fn opt_outs_are(&mut self, durable: impl Iterator<Item = OptOut>) {
        self.opt_outs.clear();
        for opt_out in durable {
            self.opted_out(&opt_out);
        }
    }

    /// Every end that was told is written down, and no other: as many as there were calls that no crash cut off.
    pub(crate) fn ends_are(&mut self, ledger: &Ledger) {
        let mut broken = Vec::new();
        for (name, watch) in &self.campaigns {
            let Some(kept) = ledger.campaigns.get(name) else { continue };
            let lost = |kind: usize| Disposition::KINDS[kind] == "unknown";
            let differ = (0..watch.ends.len()).find(|kind| !lost(*kind) && watch.ends[*kind] < kept.ends[*kind]);
            if let Some(kind) = differ {
                broken.push(format!(
                    "{name}: {} ends are {}, {} are written down",
                    watch.ends[kind],
                    Disposition::KINDS[kind],
                    kept.ends[kind]
                ));
            }
            let (begun, ends): (u64, u64) = (watch.line.begun, watch.rung_ends);
            if watch.live.is_empty() && begun != ends + watch.lost_calls {
                broken
                    .push(format!("{name}: {begun} calls were begun, {ends} ended, {} were cut off", watch.lost_calls));
            }
        }
        for broken in broken {
            self.found(broken);
        }
    }

    pub(crate) fn any_runs(&self) -> bool {
        self.campaigns.values().any(|watch| watch.run == RunState::Running)
    }

    /// How each campaign ended, as far as it is seen from outside.
    pub(crate) fn outcomes(
        &self,
        complete: impl Fn(&Campaign, CampaignOutcome) -> CampaignOutcome,
    ) -> BTreeMap<Campaign, CampaignOutcome> {
        let outcome = |watch: &Watch| CampaignOutcome {
            run: watch.run,
            figures: None,
            line: watch.line.used(),
            answered: watch.answered,
            lost: watch.lost,
            ends: watch.ends,
            between: None,
        };
        self.campaigns.iter().map(|(name, watch)| (name.clone(), complete(name, outcome(watch)))).collect()
    }

    pub(crate) fn lines(&self) -> (LineUse, BTreeMap<Trunk, LineUse>) {
        (self.engine.used(), self.trunks.iter().map(|(name, line)| (name.clone(), line.used())).collect())
    }

    /// Attempts whose end is owed.
    pub(crate) fn live(&self) -> usize {
        self.campaigns.values().map(|watch| watch.live.len()).sum()
    }
}

#[cfg(test)]
mod tests;
