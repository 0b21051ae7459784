//! What the campaign machine promises to whoever drives it, as a checker from outside: it is shown every input, order,
//! decision and command, and says which promise was broken. Tests and the simulator use the same one.
//!
//! It believes nothing that the machine shows of itself but what it can compare with what it has seen: it knows the list,
//! reads calendars its own way, and counts calls by a clock that only runs while nobody can have set it.

mod dialling;

use super::contact::{AttemptId, ContactNo, ContactState, Disposition, NumberKey, OptOut, OptOutScope, Spent};
use super::face::{CampaignCommand, CampaignInput, CampaignOrder, CampaignSave, ContactDecision, Load, SaveId};
use super::machine::CampaignMachine;
use super::settings::{CampaignSettings, CampaignsSettings, RunState, TrunkShare, UnknownRule, Urgency, ZoneNo};
use crate::ids::{CallId, Campaign, Queue, Trunk};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Time that passes in a longer step may be no time at all: the clock may have been set.
const STEP_MAX: Duration = Duration::from_secs(2);

/// The promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the campaigns broke a promise: {0}")]
pub struct BrokenPromise(String);

type Kept = Result<(), BrokenPromise>;

/// What is known of the campaigns from outside.
///
/// Show it each input with [`Contract::input`] before the machine gets it, each order and decision with
/// [`Contract::ordered`] and [`Contract::decided`] after it was carried out and before its commands, each command with
/// [`Contract::command`], and the machine with [`Contract::settled`] when the commands are drained.
#[derive(Debug)]
pub struct Contract {
    shared: Arc<CampaignsSettings>,
    campaigns: BTreeMap<Campaign, Known>,
    opt_outs: BTreeMap<(NumberKey, OptOutScope), bool>,
    /// Dialled, and not over.
    calls: BTreeMap<AttemptId, Live>,
    /// Ended, and not written down yet.
    owed: BTreeSet<(Campaign, ContactNo)>,
    saves: BTreeMap<SaveId, CampaignSave>,
    save_next: u64,
    load: Load,
    /// Connected since the load was said, by queue.
    taken: BTreeMap<Queue, u32>,
    trunks: BTreeMap<Trunk, Way>,
    /// Calls begun, by the clock that only runs while nobody can have set it.
    begun: VecDeque<Duration>,
    /// Counted attempts to a number on its day.
    days: BTreeMap<NumberKey, (i64, u32)>,
    clock: Timestamp,
    passed: Duration,
}

#[derive(Debug, Default)]
struct Way {
    begun: VecDeque<Duration>,
    rests_until: Option<Timestamp>,
}

#[derive(Debug)]
struct Live {
    number: NumberKey,
    trunk: Trunk,
    /// While it has no operator.
    queue: Option<Queue>,
}

#[derive(Debug)]
struct Known {
    settings: Arc<CampaignSettings>,
    run: RunState,
    ready: bool,
    people: BTreeMap<ContactNo, Person>,
    begun: VecDeque<Duration>,
}

#[derive(Debug)]
struct Person {
    number: NumberKey,
    zone: ZoneNo,
    window: Option<u8>,
    /// As it was last to be written down.
    state: ContactState,
    attempts: u32,
    day: i64,
    today: u32,
    asked: Option<u16>,
    /// The claim that was said last, and whether it is durable.
    claim: Option<(u16, CallId, bool)>,
    /// What the campaign was when that claim was first said: an edit counts for later ones.
    under: Option<Arc<CampaignSettings>>,
    /// Claims by which somebody was dialled.
    dialled: BTreeSet<u16>,
    /// A crash cut an attempt off, and no person has said "once more".
    held: bool,
}

impl Contract {
    /// Of campaigns that begin so.
    #[must_use]
    pub fn new(shared: Arc<CampaignsSettings>, now: Timestamp) -> Self {
        Self {
            shared,
            campaigns: BTreeMap::new(),
            opt_outs: BTreeMap::new(),
            calls: BTreeMap::new(),
            owed: BTreeSet::new(),
            saves: BTreeMap::new(),
            save_next: 0,
            load: Load::default(),
            taken: BTreeMap::new(),
            trunks: BTreeMap::new(),
            begun: VecDeque::new(),
            days: BTreeMap::new(),
            clock: now,
            passed: Duration::ZERO,
        }
    }

    /// The engine was killed, and begins again: what was begun counts on; what the store has comes as input.
    #[must_use]
    pub fn restarted(mut self, now: Timestamp) -> Self {
        self.tick(now);
        let mut again = Self::new(Arc::clone(&self.shared), now);
        again.passed = self.passed;
        again.begun = self.begun;
        again.trunks = self.trunks;
        again.trunks.values_mut().for_each(|way| way.rests_until = None);
        again
    }

    /// What the machine is about to be told.
    pub fn input(&mut self, input: &CampaignInput, now: Timestamp) {
        self.tick(now);
        match input {
            CampaignInput::Configured(shared) => self.configured(shared),
            CampaignInput::Put(settings, run) => self.put(settings, *run),
            CampaignInput::Removed(name) => {
                self.campaigns.remove(name);
                self.owed.retain(|(of, _)| of != name);
                self.saves.retain(|_, save| campaign_of(save) != Some(name));
            }
            CampaignInput::Loaded(name, seeds) => {
                for seed in seeds {
                    self.loaded(name, seed, now);
                }
            }
            CampaignInput::Ready(name) => {
                if let Some(known) = self.campaigns.get_mut(name) {
                    known.ready = true;
                }
            }
            CampaignInput::Prepared(attempt, _) => {
                if let Some(person) = self.person(attempt).filter(|person| person.asked == Some(attempt.nth)) {
                    person.asked = None;
                }
            }
            CampaignInput::Saved(id, Ok(())) => self.saved(*id),
            CampaignInput::Saved(id, Err(_)) => _ = self.saves.remove(id),
            CampaignInput::Answered(attempt) => {
                if let Some(way) = self.calls.get(attempt).and_then(|live| self.trunks.get_mut(&live.trunk)) {
                    way.rests_until = None;
                }
            }
            CampaignInput::Connected(attempt) => {
                if let Some(queue) = self.calls.get_mut(attempt).and_then(|live| live.queue.take()) {
                    *self.taken.entry(queue).or_default() += 1;
                }
            }
            CampaignInput::Ended(attempt, end) => self.ended(attempt, end, now),
            CampaignInput::OptedOut(opt_out) => self.opted_out(opt_out),
            CampaignInput::OptOutsLoaded(all) => all.iter().for_each(|opt_out| self.opted_out(opt_out)),
            CampaignInput::OptedIn(opt_out) => _ = self.opt_outs.remove(&(opt_out.number, opt_out.scope.clone())),
            CampaignInput::Load(load) => {
                self.load = load.clone();
                self.taken.clear();
            }
            CampaignInput::ClockMoved => {}
        }
    }

    /// An order was carried out.
    pub fn ordered(&mut self, campaign: &Campaign, order: CampaignOrder) {
        if let Some(known) = self.campaigns.get_mut(campaign) {
            known.run = match order {
                CampaignOrder::Start | CampaignOrder::Resume => RunState::Running,
                CampaignOrder::Pause => RunState::Paused,
                CampaignOrder::Stop => RunState::Stopped,
            };
        }
    }

    /// A decision was carried out.
    pub fn decided(&mut self, campaign: &Campaign, contact: ContactNo, decision: ContactDecision) {
        let Some(known) = self.campaigns.get_mut(campaign) else { return };
        let max = u32::from(known.settings.retries.attempts_max.max(1));
        if let Some(person) = known.people.get_mut(&contact)
            && decision == ContactDecision::TryAgain
        {
            person.held = false;
            person.attempts = person.attempts.min(max - 1);
        }
    }

    /// What the machine says.
    ///
    /// # Errors
    /// The promise that this breaks.
    pub fn command(&mut self, command: &CampaignCommand, now: Timestamp) -> Kept {
        self.tick(now);
        match command {
            CampaignCommand::Prepare(attempt) => self.asked(attempt),
            CampaignCommand::Save(id, save) => self.save(*id, save),
            CampaignCommand::Dial(start) => self.dialled(start, now),
            CampaignCommand::Changed(name) => {
                promise(self.campaigns.contains_key(name), || format!("{name:?} changed, and is not there"))
            }
        }
    }

    /// The machine, when its commands are drained.
    ///
    /// # Errors
    /// The promise that it does not keep.
    pub fn settled(&mut self, machine: &CampaignMachine, now: Timestamp) -> Kept {
        self.tick(now);
        for (name, known) in &self.campaigns {
            let Some(figures) = machine.standing(name, now) else {
                return broken(format!("{name:?} is not there"));
            };
            let sum = figures.waiting + figures.in_hand + figures.unknown + figures.done;
            let people = known.people.len() as u64;
            promise(sum == people && figures.contacts == people, || {
                format!("{name:?} has {people} contacts, and counts {figures:?}")
            })?;
            promise(figures.dispositions.iter().sum::<u64>() == figures.done, || {
                format!("{name:?}: the done do not sum up: {figures:?}")
            })?;
            promise(figures.run == known.run, || format!("{name:?} is {:?}, and shows {:?}", known.run, figures.run))?;
            let live = self.calls.keys().filter(|attempt| attempt.campaign == *name && self.is_of(attempt)).count();
            let calls = figures.calls.ringing + figures.calls.answered + figures.calls.connected;
            promise(calls == live as u64, || format!("{name:?} has {live} calls, and shows {:?}", figures.calls))?;
            let waits = figures.in_hand > 0 || machine.deadline().is_some();
            promise(figures.why_idle.is_some() || waits, || format!("{name:?} rests, and nobody knows why"))?;
        }
        promise(self.owed.is_empty(), || format!("how these ended is not written down: {:?}", self.owed))
    }

    /// Whether a call is one of the campaign that has this name now, and not of one that was removed.
    fn is_of(&self, attempt: &AttemptId) -> bool {
        let person = self.campaigns.get(&attempt.campaign).and_then(|known| known.people.get(&attempt.contact));
        person.is_some_and(|person| person.dialled.contains(&attempt.nth))
    }

    fn tick(&mut self, now: Timestamp) {
        let step = now.since(self.clock);
        if now < self.clock || step > STEP_MAX {
            for way in self.trunks.values_mut() {
                way.rests_until = way.rests_until.map(|until| until.min(now + TrunkShare::REST_MAX));
            }
        } else {
            self.passed += step;
        }
        self.clock = now;
    }

    fn configured(&mut self, shared: &Arc<CampaignsSettings>) {
        let counted = self.shared.attempts_per_number_per_day_max > 0;
        self.shared = Arc::clone(shared);
        if shared.attempts_per_number_per_day_max == 0 {
            self.days.clear();
        } else if !counted {
            let people = self.campaigns.values().flat_map(|known| known.people.values());
            for (number, day, today) in people.map(|person| (person.number, person.day, person.today)) {
                count(&mut self.days, number, day, today);
            }
        }
    }

    fn put(&mut self, settings: &Arc<CampaignSettings>, run: RunState) {
        let known = self.campaigns.entry(settings.name.clone()).or_insert_with(|| Known {
            settings: Arc::clone(settings),
            run,
            ready: false,
            people: BTreeMap::new(),
            begun: VecDeque::new(),
        });
        known.settings = Arc::clone(settings);
    }

    fn loaded(&mut self, name: &Campaign, seed: &super::contact::ContactSeed, now: Timestamp) {
        let Some(known) = self.campaigns.get_mut(name) else { return };
        if known.people.contains_key(&seed.no) {
            return;
        }
        let Spent { attempts, today, day, .. } = seed.spent;
        let cut_off = matches!(seed.state, ContactState::Claimed { .. });
        let unknown = matches!(seed.state, ContactState::Unknown { .. });
        let mut person = Person {
            number: seed.number,
            zone: seed.zone,
            window: seed.window,
            state: seed.state,
            attempts: u32::from(attempts),
            day: i64::from(day),
            today: u32::from(today),
            asked: None,
            claim: None,
            under: None,
            dialled: BTreeSet::new(),
            held: unknown || cut_off && known.settings.unknown != UnknownRule::TakeForUnanswered,
        };
        if self.shared.attempts_per_number_per_day_max > 0 && today > 0 {
            count(&mut self.days, seed.number, i64::from(day), u32::from(today));
        }
        if cut_off {
            self.owed.insert((name.clone(), seed.no));
            count_attempt(&self.shared, &mut self.days, &mut person, now);
        }
        known.people.insert(seed.no, person);
    }

    fn person(&mut self, attempt: &AttemptId) -> Option<&mut Person> {
        self.campaigns.get_mut(&attempt.campaign)?.people.get_mut(&attempt.contact)
    }

    fn opted_out(&mut self, opt_out: &OptOut) {
        *self.opt_outs.entry((opt_out.number, opt_out.scope.clone())).or_default() |= opt_out.protected;
    }

    fn ended(&mut self, attempt: &AttemptId, end: &super::contact::AttemptEnd, now: Timestamp) {
        let Some(live) = self.calls.remove(attempt) else { return };
        let way = self.trunks.entry(live.trunk.clone()).or_default();
        let share = self.shared.trunks.get(&live.trunk);
        let its_own = matches!(end.status, None | Some(502..=504));
        match &end.disposition {
            Disposition::Unavailable if its_own && way.rests_until.is_none_or(|until| until <= now) => {
                way.rests_until = share.map(|share| now + share.rest_after_failure.min(TrunkShare::REST_MAX));
            }
            Disposition::Unavailable => {}
            other if other.counts() && *other != Disposition::ScriptFailed || end.answered.is_some() => {
                way.rests_until = None;
            }
            _ => {}
        }
        let Some(known) = self.campaigns.get_mut(&attempt.campaign) else { return };
        let Some(person) = known.people.get_mut(&attempt.contact) else { return };
        if !person.dialled.contains(&attempt.nth) {
            return;
        }
        self.owed.insert((attempt.campaign.clone(), attempt.contact));
        if end.disposition.counts() {
            count_attempt(&self.shared, &mut self.days, person, now);
        }
        if end.disposition == Disposition::DoNotCall {
            let (number, scope) = (person.number, OptOutScope::Agency(known.settings.agency.clone()));
            self.opted_out(&OptOut { number, scope, protected: false });
        }
    }

    fn asked(&mut self, attempt: &AttemptId) -> Kept {
        let live = self.calls.contains_key(attempt);
        let Some(person) = self.person(attempt) else {
            return broken(format!("{attempt:?} is asked about, and is not there"));
        };
        let waits = matches!(person.state, ContactState::Waiting { .. }) && person.asked.is_none();
        person.asked = Some(attempt.nth);
        promise(waits && !live, || format!("{attempt:?} is asked about, and does not wait"))
    }

    fn save(&mut self, id: SaveId, save: &CampaignSave) -> Kept {
        promise(id.0 >= self.save_next, || format!("{id:?} is said twice"))?;
        self.save_next = id.0 + 1;
        self.saves.insert(id, save.clone());
        match save {
            CampaignSave::Contact { campaign, contact, state, attempt, .. } => {
                let live = attempt.as_ref().is_some_and(|record| self.calls.contains_key(&record.attempt));
                let known = self
                    .campaigns
                    .get_mut(campaign)
                    .and_then(|known| Some((Arc::clone(&known.settings), known.people.get_mut(contact)?)));
                let Some((settings, person)) = known else {
                    return broken(format!("{campaign:?}, {contact:?} is written down, and is not there"));
                };
                promise(!live, || format!("{campaign:?}, {contact:?} is written down while it is in a call"))?;
                if let ContactState::Claimed { call } = state {
                    let Some(record) = attempt.as_ref().filter(|record| record.call == *call && record.end.is_none())
                    else {
                        return broken(format!("{campaign:?}, {contact:?} is claimed without its attempt"));
                    };
                    let nth = record.attempt.nth;
                    let again = person
                        .claim
                        .is_some_and(|(last, last_call, durable)| last == nth && (last_call != *call || durable));
                    let waits = matches!(person.state, ContactState::Waiting { .. }) || person.claim.is_some();
                    promise(waits && !again, || format!("{campaign:?}, {contact:?} is claimed, and is {person:?}"))?;
                    promise(!person.dialled.contains(&nth), || format!("the claim {nth} on {contact:?} comes twice"))?;
                    if person.claim.is_none() {
                        person.under = Some(settings);
                    }
                    person.claim = Some((nth, *call, false));
                } else {
                    person.claim = None;
                }
                person.state = *state;
                if attempt.as_ref().is_some_and(|record| record.end.is_some()) {
                    self.owed.remove(&(campaign.clone(), *contact));
                }
                Ok(())
            }
            CampaignSave::Run { campaign, state, .. } => {
                let Some(known) = self.campaigns.get_mut(campaign) else {
                    return broken(format!("{campaign:?} is {state:?}, and is not there"));
                };
                known.run = *state;
                Ok(())
            }
            CampaignSave::OptOut(opt_out, _) => {
                let known = self.opt_outs.contains_key(&(opt_out.number, opt_out.scope.clone()));
                promise(known, || format!("{opt_out:?} is written down, and nobody said so"))
            }
            CampaignSave::OptIn(opt_out, _) => {
                let known = self.opt_outs.contains_key(&(opt_out.number, opt_out.scope.clone()));
                promise(!known, || format!("{opt_out:?} is taken back, and nobody said so"))
            }
        }
    }

    fn saved(&mut self, id: SaveId) {
        if let Some(CampaignSave::Contact { campaign, contact, state: ContactState::Claimed { call }, .. }) =
            self.saves.remove(&id)
            && let Some(person) = self.campaigns.get_mut(&campaign).and_then(|known| known.people.get_mut(&contact))
            && let Some((_, _, durable)) = person.claim.as_mut().filter(|(_, claimed, _)| *claimed == call)
        {
            *durable = true;
        }
    }
}

fn count(days: &mut BTreeMap<NumberKey, (i64, u32)>, number: NumberKey, day: i64, attempts: u32) {
    let of = days.entry(number).or_default();
    if of.0 < day {
        *of = (day, 0);
    }
    of.1 += attempts;
}

fn count_attempt(
    shared: &CampaignsSettings,
    days: &mut BTreeMap<NumberKey, (i64, u32)>,
    person: &mut Person,
    now: Timestamp,
) {
    let day = dialling::day(shared, person.zone, now);
    person.attempts += 1;
    if person.day < day {
        (person.day, person.today) = (day, 0);
    }
    person.today += 1;
    if shared.attempts_per_number_per_day_max > 0 {
        count(days, person.number, day, 1);
    }
}

const fn campaign_of(save: &CampaignSave) -> Option<&Campaign> {
    match save {
        CampaignSave::Contact { campaign, .. } | CampaignSave::Run { campaign, .. } => Some(campaign),
        CampaignSave::OptOut(..) | CampaignSave::OptIn(..) => None,
    }
}

fn ordinary(settings: &CampaignSettings) -> bool {
    settings.urgency == Urgency::Ordinary
}

fn promise(kept: bool, otherwise: impl FnOnce() -> String) -> Kept {
    if kept { Ok(()) } else { Err(BrokenPromise(otherwise())) }
}

fn broken(how: String) -> Kept {
    Err(BrokenPromise(how))
}
