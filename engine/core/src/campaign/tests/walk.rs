//! A seeded random walk: any input in any order, also nonsense, clocks that are set and crashes, with the contract watched
//! at every step; and at the end, when the trouble is over, everybody is called who may be.

use super::any::{Dice, any_campaign, any_shared, with_berlin};
use super::*;
use crate::campaign::contract::Contract;
use crate::ids::Queue;

const WALKS: u64 = 3_000;
const STEPS: usize = 250;
const NAMES: [&str; 3] = ["tax", "flood", "survey"];
const CONTACTS: u32 = 12;
const NUMBERS: usize = 20;

/// What came about in all walks: a walk in which nothing happens would prove little.
#[derive(Default, Debug)]
struct Tally {
    asked: u32,
    claimed: u32,
    dialled: u32,
    again: u32,
    connected: u32,
    let_go: u32,
    opted_out: u32,
    unknown: u32,
    paused: u32,
    finished: u32,
    crashes: u32,
    clocks: u32,
    removed: u32,
    rested: u32,
}

/// One campaign's list, as the store has it.
#[derive(Default)]
struct Stored {
    settings: Option<Arc<CampaignSettings>>,
    run: RunState,
    contacts: BTreeMap<u32, ContactSeed>,
}

struct Walk {
    machine: CampaignMachine,
    contract: Contract,
    shared: CampaignsSettings,
    now: Timestamp,
    dice: Dice,
    store: BTreeMap<Campaign, Stored>,
    opt_outs: Vec<OptOut>,
    /// To be answered.
    saves: Vec<(SaveId, CampaignSave)>,
    prepares: Vec<AttemptId>,
    calls: Vec<AttemptId>,
    /// Every attempt that was ever said, for nonsense.
    seen: Vec<AttemptId>,
    next_no: u32,
    starts: u128,
    tally: Tally,
}

#[test]
fn any_input_in_any_order_breaks_no_promise() {
    let mut all = Tally::default();
    // One of them again: WALK=17.
    let one = std::env::var("WALK").ok().and_then(|seed| seed.parse().ok());
    for seed in one.map_or(0..WALKS, |seed| seed..seed + 1) {
        let walked = std::panic::catch_unwind(|| walk(seed));
        let tally = walked.unwrap_or_else(|_| panic!("the walk failed with seed {seed}"));
        all.asked += tally.asked;
        all.claimed += tally.claimed;
        all.dialled += tally.dialled;
        all.again += tally.again;
        all.connected += tally.connected;
        all.let_go += tally.let_go;
        all.opted_out += tally.opted_out;
        all.unknown += tally.unknown;
        all.paused += tally.paused;
        all.finished += tally.finished;
        all.crashes += tally.crashes;
        all.clocks += tally.clocks;
        all.removed += tally.removed;
        all.rested += tally.rested;
    }
    if one.is_some() {
        return;
    }
    let walks = u32::try_from(WALKS).unwrap();
    for often in [all.asked, all.claimed, all.dialled] {
        assert!(often > walks * 10, "{all:?}");
    }
    for now_and_then in [all.again, all.let_go, all.finished, all.clocks, all.crashes] {
        assert!(now_and_then > walks / 2, "{all:?}");
    }
    for seldom in [all.connected, all.opted_out, all.unknown, all.paused, all.removed, all.rested] {
        assert!(seldom > walks / 10, "{all:?}");
    }
}

fn walk(seed: u64) -> Tally {
    let mut dice = Dice(seed);
    let shared = any_shared(&mut dice);
    let now = dice.pick(&[noon(), noon(), at("2026-05-08T20:50:00+06:00"), at("2026-10-25T00:30:00Z")]);
    let mut walk = Walk {
        machine: CampaignMachine::new(Arc::new(shared.clone()), u128::from(seed), now),
        contract: Contract::new(Arc::new(shared.clone()), now),
        shared,
        now,
        dice,
        store: BTreeMap::new(),
        opt_outs: Vec::new(),
        saves: Vec::new(),
        prepares: Vec::new(),
        calls: Vec::new(),
        seen: Vec::new(),
        next_no: 0,
        starts: 0,
        tally: Tally::default(),
    };
    for name in NAMES {
        walk.put(&Campaign::new(name));
        walk.load(&Campaign::new(name));
        walk.feed(CampaignInput::Ready(Campaign::new(name)));
    }
    for _ in 0..STEPS {
        walk.step();
    }
    walk.end();
    walk.tally
}

impl Walk {
    fn step(&mut self) {
        match self.dice.below(64) {
            0..=15 => {
                let ms = self.dice.pick(&[0, 1, 40, 200, 700, 1_100, 5_000, 31_000, 400_000, 3_600_000, 25_000_000]);
                self.pass(Duration::from_millis(ms));
            }
            16..=27 => self.save(),
            28..=37 => self.prepare(),
            38..=49 => self.call(),
            50 => self.set_clock(),
            51 if self.dice.chance(3) => self.crash(),
            52 => self.order(),
            53 => self.decide(),
            54 => {
                let name = self.any_name();
                self.put(&name);
            }
            55 if self.dice.chance(3) => {
                self.shared = any_shared(&mut self.dice);
                self.feed(CampaignInput::Configured(Arc::new(self.shared.clone())));
            }
            56 => {
                let name = self.any_name();
                self.load(&name);
            }
            57 if self.dice.chance(4) => self.remove(),
            58 | 59 => self.opt(),
            60 => self.say_load(),
            _ => {
                let input = self.nonsense();
                self.feed(input);
            }
        }
    }

    fn any_name(&mut self) -> Campaign {
        Campaign::new(self.dice.pick(&NAMES))
    }

    fn feed(&mut self, input: CampaignInput) {
        self.contract.input(&input, self.now);
        self.machine.handle(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(command) = self.machine.poll_command() {
            self.contract.command(&command, self.now).unwrap();
            match command {
                CampaignCommand::Prepare(attempt) => {
                    self.tally.asked += 1;
                    self.prepares.push(attempt.clone());
                    self.seen.push(attempt);
                }
                CampaignCommand::Save(id, save) => {
                    self.count(&save);
                    self.saves.push((id, *save));
                }
                CampaignCommand::Dial(start) => {
                    self.tally.dialled += 1;
                    self.tally.again += u32::from(start.attempt.nth > 1);
                    self.calls.push(start.attempt);
                }
                CampaignCommand::Changed(_) => {}
            }
        }
        self.contract.settled(&self.machine, self.now).unwrap();
    }

    fn count(&mut self, save: &CampaignSave) {
        match save {
            CampaignSave::Contact { state: ContactState::Claimed { .. }, .. } => self.tally.claimed += 1,
            CampaignSave::Contact { state: ContactState::Unknown { .. }, .. } => self.tally.unknown += 1,
            CampaignSave::Contact { attempt: Some(AttemptRecord { dialled: None, end: Some(_), .. }), .. } => {
                self.tally.let_go += 1;
            }
            CampaignSave::Contact { ended: Some(Disposition::OptedOut), .. } => self.tally.opted_out += 1,
            CampaignSave::Run { state: RunState::Paused, reason: Some(_), .. } => self.tally.paused += 1,
            CampaignSave::Run { state: RunState::Finished, .. } => self.tally.finished += 1,
            _ => {}
        }
    }

    /// What a save leaves in the store.
    fn keep(&mut self, save: &CampaignSave) {
        match save {
            CampaignSave::Contact { campaign, contact, state, spent, .. } => {
                let stored = self.store.get_mut(campaign).and_then(|stored| stored.contacts.get_mut(&contact.0));
                if let Some(seed) = stored {
                    (seed.state, seed.spent) = (*state, *spent);
                }
            }
            CampaignSave::Run { campaign, state, .. } => {
                if let Some(stored) = self.store.get_mut(campaign) {
                    stored.run = *state;
                }
            }
            CampaignSave::OptOut(opt_out, _) => {
                self.opt_outs.retain(|kept| kept.number != opt_out.number || kept.scope != opt_out.scope);
                self.opt_outs.push(opt_out.clone());
            }
            CampaignSave::OptIn(opt_out, _) => {
                self.opt_outs.retain(|kept| kept.number != opt_out.number || kept.scope != opt_out.scope);
            }
        }
    }

    /// Some of what is to be written down is, in order; now and then it fails.
    fn save(&mut self) {
        let some = self.dice.below(4) + 1;
        for _ in 0..some {
            if self.saves.is_empty() {
                return;
            }
            let (id, save) = self.saves.remove(0);
            if self.dice.chance(12) {
                if self.dice.chance(2) {
                    // It was, though nobody knows.
                    self.keep(&save);
                }
                self.feed(CampaignInput::Saved(id, Err("the disk is full".to_owned())));
            } else {
                self.keep(&save);
                self.feed(CampaignInput::Saved(id, Ok(())));
            }
        }
    }

    fn prepare(&mut self) {
        if self.prepares.is_empty() {
            return;
        }
        let nth = self.dice.below(self.prepares.len());
        let attempt = self.prepares.swap_remove(nth);
        let answer = match self.dice.below(24) {
            0 => Err(PrepareFailure::Script),
            1 if self.dice.chance(3) => Err(PrepareFailure::NoScript),
            2 => Err(PrepareFailure::Store("it does not answer".to_owned())),
            3 => Ok(Plan::Skip(Arc::from("has paid"))),
            4 => Ok(Plan::NotBefore(self.any_moment())),
            _ => Ok(Plan::Dial),
        };
        self.feed(CampaignInput::Prepared(attempt, answer));
    }

    fn any_moment(&mut self) -> Timestamp {
        let hours = self.dice.below(50);
        Timestamp::from_micros(self.now.as_micros().saturating_sub(3_600_000_000))
            + HOUR * u32::try_from(hours).unwrap()
    }

    fn call(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        let nth = self.dice.below(self.calls.len());
        let attempt = self.calls[nth].clone();
        match self.dice.below(5) {
            0 => self.feed(CampaignInput::Answered(attempt)),
            1 => {
                self.tally.connected += 1;
                self.feed(CampaignInput::Connected(attempt));
            }
            _ => {
                self.calls.swap_remove(nth);
                let end = self.any_end();
                self.tally.rested += u32::from(end.disposition == Disposition::Unavailable);
                self.feed(CampaignInput::Ended(attempt, end));
            }
        }
    }

    fn any_end(&mut self) -> AttemptEnd {
        let words: Arc<str> = Arc::from("understood");
        let moment = self.any_moment();
        let disposition = self.dice.pick(&[
            Disposition::Delivered,
            Disposition::Confirmed(Arc::clone(&words)),
            Disposition::Declined,
            Disposition::Voicemail,
            Disposition::WrongPerson,
            Disposition::RetryAt(moment),
            Disposition::DoNotCall,
            Disposition::Failed(words),
            Disposition::HungUp,
            Disposition::Abandoned,
            Disposition::Machine,
            Disposition::Fax,
            Disposition::Busy,
            Disposition::Busy,
            Disposition::NoAnswer,
            Disposition::NoAnswer,
            Disposition::NoAnswer,
            Disposition::Rejected,
            Disposition::NoSuchNumber,
            Disposition::Unavailable,
            Disposition::Unavailable,
            Disposition::NotDialled,
            Disposition::ScriptFailed,
            Disposition::Expired,
            Disposition::Cancelled,
        ]);
        let mut end = end(disposition);
        end.status = self.dice.pick(&[None, Some(503), Some(500), Some(486)]);
        end
    }

    fn nonsense(&mut self) -> CampaignInput {
        let mut attempt = if self.seen.is_empty() {
            AttemptId { campaign: name(), contact: ContactNo(3), nth: 1 }
        } else {
            let nth = self.dice.below(self.seen.len());
            self.seen[nth].clone()
        };
        // One that goes on is no nonsense.
        if self.calls.contains(&attempt) || self.prepares.contains(&attempt) {
            attempt.nth += 7;
        }
        match self.dice.below(9) {
            0 => CampaignInput::Prepared(attempt, Ok(Plan::Dial)),
            1 => CampaignInput::Answered(attempt),
            2 => CampaignInput::Connected(attempt),
            3 | 4 => CampaignInput::Ended(attempt, self.any_end()),
            5 => CampaignInput::Saved(SaveId(u64::MAX), Ok(())),
            6 => CampaignInput::Saved(SaveId(u64::MAX - 1), Err("no".to_owned())),
            7 => CampaignInput::Ready(Campaign::new("nowhere")),
            _ => CampaignInput::Loaded(Campaign::new("nowhere"), vec![seed(1)]),
        }
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        if self.dice.chance(4) {
            // Whoever drives the machine is late, or the clock was set and nobody said so.
            self.now = end;
        }
        let mut timeouts = 0;
        while let Some(next) = self.machine.deadline().filter(|next| *next <= end && timeouts < 300) {
            timeouts += 1;
            self.now = self.now.max(next);
            self.machine.handle_timeout(self.now);
            self.drain();
        }
        assert!(timeouts < 300 || span > MINUTE, "it does not come to rest");
        self.now = self.now.max(end);
        self.machine.handle_timeout(self.now);
        self.drain();
    }

    fn set_clock(&mut self) {
        self.tally.clocks += 1;
        let back = self.dice.chance(2);
        let micros = self.now.as_micros();
        let hour = u64::try_from(HOUR.as_micros()).unwrap();
        self.now = Timestamp::from_micros(if back { micros - hour } else { micros + hour });
        if self.dice.chance(2) {
            self.feed(CampaignInput::ClockMoved);
        } else {
            self.machine.handle_timeout(self.now);
            self.drain();
        }
    }

    fn crash(&mut self) {
        self.tally.crashes += 1;
        // Some of what was to be written down was.
        let some = self.dice.below(self.saves.len() + 1);
        for (_, save) in std::mem::take(&mut self.saves).into_iter().take(some) {
            self.keep(&save);
        }
        self.prepares.clear();
        self.calls.clear();
        let pause = self.dice.pick(&[0, 300, 5_000]);
        self.now = self.now + Duration::from_millis(pause);
        self.starts += 1;
        let shared = Arc::new(self.shared.clone());
        self.machine = CampaignMachine::new(shared, (self.starts << 64) + u128::from(self.dice.roll()), self.now);
        let contract = Contract::new(Arc::new(self.shared.clone()), self.now);
        self.contract = std::mem::replace(&mut self.contract, contract).restarted(self.now);
        let kept: Vec<_> = self
            .store
            .iter()
            .filter_map(|(name, stored)| {
                let seeds: Vec<_> = stored.contacts.values().copied().collect();
                Some((name.clone(), stored.settings.clone()?, stored.run, seeds))
            })
            .collect();
        self.feed(CampaignInput::OptOutsLoaded(self.opt_outs.clone()));
        for (name, settings, run, seeds) in kept {
            self.feed(CampaignInput::Put(settings, run));
            for some in seeds.chunks(5) {
                self.feed(CampaignInput::Loaded(name.clone(), some.to_vec()));
            }
            self.feed(CampaignInput::Ready(name));
        }
        self.load_now();
    }

    fn order(&mut self) {
        use CampaignOrder::{Pause, Resume, Start, Stop};
        let name = self.any_name();
        let order = self.dice.pick(&[Start, Start, Pause, Resume, Resume, Resume, Stop]);
        if order == Stop && !self.dice.chance(6) {
            return;
        }
        if self.machine.order(&name, order, self.now).is_ok() {
            self.contract.ordered(&name, order);
        }
        self.drain();
    }

    fn decide(&mut self) {
        use ContactDecision::{Cancel, TakeForMade, TryAgain};
        let name = self.any_name();
        let no = ContactNo(u32::try_from(self.dice.below(usize::try_from(self.next_no + 2).unwrap())).unwrap());
        let decision = self.dice.pick(&[TakeForMade, TryAgain, TryAgain, Cancel]);
        if self.machine.decide(&name, no, decision, self.now).is_ok() {
            self.contract.decided(&name, no, decision);
        }
        self.drain();
    }

    fn put(&mut self, name: &Campaign) {
        let settings = Arc::new(any_campaign(&mut self.dice, name.as_str(), self.now));
        let new = !self.store.contains_key(name);
        let stored = self.store.entry(name.clone()).or_default();
        stored.settings = Some(Arc::clone(&settings));
        if new {
            stored.run = self.dice.pick(&[RunState::Draft, RunState::Running, RunState::Running]);
        }
        let run = stored.run;
        self.feed(CampaignInput::Put(settings, run));
        if new {
            self.feed(CampaignInput::Ready(name.clone()));
        }
    }

    fn load(&mut self, name: &Campaign) {
        let Some(stored) = self.store.get(name) else { return };
        if stored.contacts.len() > 40 {
            return;
        }
        let some = u32::try_from(self.dice.below(usize::try_from(CONTACTS).unwrap()) + 1).unwrap();
        let mut seeds = Vec::new();
        for _ in 0..some {
            let mut seed = seed(self.next_no);
            self.next_no += 1;
            seed.number = NumberKey(u128::try_from(self.dice.below(NUMBERS)).unwrap());
            seed.zone = ZoneNo(self.dice.pick(&[0, 0, 0, 1, 2, 3, 77]));
            seed.window = self.dice.pick(&[None, None, None, Some(0), Some(9)]);
            seeds.push(seed);
        }
        if let Some(stored) = self.store.get_mut(name) {
            stored.contacts.extend(seeds.iter().map(|seed| (seed.no.0, *seed)));
        }
        self.feed(CampaignInput::Loaded(name.clone(), seeds));
    }

    fn remove(&mut self) {
        let name = self.any_name();
        self.tally.removed += u32::from(self.store.remove(&name).is_some());
        self.saves.retain(|(_, save)| match save {
            CampaignSave::Contact { campaign, .. } | CampaignSave::Run { campaign, .. } => *campaign != name,
            _ => true,
        });
        self.prepares.retain(|attempt| attempt.campaign != name);
        self.feed(CampaignInput::Removed(name.clone()));
        if self.dice.chance(2) {
            self.put(&name);
            self.load(&name);
        }
    }

    fn opt(&mut self) {
        let number = NumberKey(u128::try_from(self.dice.below(NUMBERS * 3)).unwrap());
        let agency = Agency::new(self.dice.pick(&["revenue", "rescue"]));
        let scope = self.dice.pick(&[OptOutScope::Global, OptOutScope::Agency(agency)]);
        let opt_out = OptOut { number, scope, protected: self.dice.chance(3) };
        let input =
            if self.dice.chance(3) { CampaignInput::OptedIn(opt_out) } else { CampaignInput::OptedOut(opt_out) };
        self.feed(input);
    }

    fn say_load(&mut self) {
        let queue = |name: &str, dice: &mut Dice| QueueLoad {
            queue: Queue::new(name),
            open: !dice.chance(6),
            ready: u32::try_from(dice.below(5)).unwrap(),
            waiting: u32::try_from(dice.below(3)).unwrap(),
        };
        let queues = vec![queue("main", &mut self.dice), queue("other", &mut self.dice)];
        let load = Load { inbound_calls: self.dice.pick(&[0, 3, 60, 90]), closed: self.dice.chance(8), queues };
        self.feed(CampaignInput::Load(load));
    }

    fn load_now(&mut self) {
        let queue = |name: &str| QueueLoad { queue: Queue::new(name), open: true, ready: 4, waiting: 0 };
        let load = Load { inbound_calls: 0, closed: false, queues: vec![queue("main"), queue("other")] };
        self.feed(CampaignInput::Load(load));
    }

    /// The trouble is over: the store works, callees confirm, operators are there. Then nobody who may be called is left,
    /// and nothing is in hand.
    fn end(&mut self) {
        self.shared = with_berlin(shared());
        let share = self.shared.trunks[&trunk()];
        self.shared.trunks.insert(Trunk::new("other"), share);
        self.feed(CampaignInput::Configured(Arc::new(self.shared.clone())));
        let names: Vec<_> = self.store.keys().cloned().collect();
        for name in &names {
            for order in [CampaignOrder::Start, CampaignOrder::Resume] {
                if self.machine.order(name, order, self.now).is_ok() {
                    self.contract.ordered(name, order);
                }
                self.drain();
            }
        }
        for _ in 0..24 * 8 {
            for _ in 0..60 {
                self.load_now();
                let mut busy = false;
                while !self.saves.is_empty() {
                    let (id, save) = self.saves.remove(0);
                    self.keep(&save);
                    self.feed(CampaignInput::Saved(id, Ok(())));
                    busy = true;
                }
                while let Some(attempt) = self.prepares.pop() {
                    self.feed(CampaignInput::Prepared(attempt, Ok(Plan::Dial)));
                    busy = true;
                }
                while let Some(attempt) = self.calls.pop() {
                    self.feed(CampaignInput::Ended(attempt, end(Disposition::Confirmed(Arc::from("yes")))));
                    busy = true;
                }
                if !busy {
                    break;
                }
                self.pass(Duration::from_millis(1_200));
            }
            let left = names.iter().any(|name| self.left(name));
            if !left {
                return;
            }
            self.pass(HOUR);
        }
        let left: Vec<_> = names.iter().map(|name| (name, self.machine.figures(name, self.now))).collect();
        panic!("somebody is forgotten: {left:#?}");
    }

    /// Whether somebody of a campaign is still to be called.
    fn left(&self, name: &Campaign) -> bool {
        let Some(figures) = self.machine.standing(name, self.now) else { return false };
        if figures.run != RunState::Running {
            return false;
        }
        if figures.in_hand > 0 {
            return true;
        }
        // Those who never have a window wait for an edit, and say so.
        let never = matches!(figures.why_idle, Some(WhyIdle::WindowsClosed { opens: None }));
        let people = matches!(figures.why_idle, Some(WhyIdle::PeopleDecide));
        figures.waiting > 0 && !never && !people
    }
}
