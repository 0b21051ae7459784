//! A bench for the centre on a virtual clock: what the machine says comes out as readable lines.
//!
//! Calls are numbers: 1 is the first caller. Callbacks are named by the bench in the order of their promises, "cb1"; calls
//! that the centre begins itself are numbers from 1001.

mod callbacks;
mod calls_back;
mod closing;
mod crowd;
mod limit;
mod operators;
mod order;
mod peers;
mod recovery;
mod ringing;
mod settings;
mod walk;

use super::*;
use crate::calendar::{Calendar, Hours};
use crate::ids::{Agency, CallId, CallbackId, Operator, Peer, Queue, Skill, Trunk};
use crate::leg::DialTarget;
use crate::privacy::PhoneNumber;
use crate::script::TransferOutcome;
use crate::time::Timestamp;
use jiff::civil::{Time, time};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Calls that the centre begins are shown from here.
const BEGUN: u128 = 1_000;

/// 2026-05-05, noon in a zone seven hours east of Greenwich.
fn noon() -> Timestamp {
    at("2026-05-05T12:00:00+07:00")
}

fn at(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_micros(moment.as_microsecond().try_into().unwrap())
}

struct Bench {
    machine: CentreMachine,
    now: Timestamp,
    settings: CentreSettings,
    /// Answers [`CentreCommand::Save`] by itself.
    saves: Saves,
    unsaved: Vec<SaveId>,
    /// As the store has them.
    stored: BTreeMap<CallbackId, Callback>,
    offers: BTreeMap<(u128, String), OfferId>,
    callbacks: Vec<CallbackId>,
    begun: Vec<CallId>,
    starts: Vec<CallbackStart>,
    seed: u128,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Saves {
    Work,
    Fail,
    Hang,
}

impl Bench {
    /// The queue "main", and these operators in it, who are not logged in.
    fn new(operators: &[&str]) -> Self {
        Self::with(operators, |_| {})
    }

    fn with(operators: &[&str], change: impl FnOnce(&mut QueueSettings)) -> Self {
        let mut queue = queue("main");
        change(&mut queue);
        let mut settings = CentreSettings::default();
        settings.queues.insert(queue.name.clone(), Arc::new(queue));
        for name in operators {
            settings.operators.insert(Operator::new(name), Arc::new(operator(name)));
        }
        Self::of(settings, noon())
    }

    fn of(settings: CentreSettings, now: Timestamp) -> Self {
        let machine = CentreMachine::new(Arc::new(settings.clone()), 7, now);
        let mut bench = Self {
            machine,
            now,
            settings,
            saves: Saves::Work,
            unsaved: Vec::new(),
            stored: BTreeMap::new(),
            offers: BTreeMap::new(),
            callbacks: Vec::new(),
            begun: Vec::new(),
            starts: Vec::new(),
            seed: 7,
        };
        bench.drain();
        bench
    }

    /// The same, everybody logged in.
    fn at_work(operators: &[&str], change: impl FnOnce(&mut QueueSettings)) -> Self {
        let mut bench = Self::with(operators, change);
        for name in operators {
            bench.order(name, OperatorOrder::LogIn);
        }
        bench
    }

    fn queue_settings(&mut self, change: impl FnOnce(&mut QueueSettings)) -> String {
        self.configure(|settings| {
            let mut queue = QueueSettings::clone(&settings.queues[&Queue::new("main")]);
            change(&mut queue);
            settings.queues.insert(queue.name.clone(), Arc::new(queue));
        })
    }

    fn configure(&mut self, change: impl FnOnce(&mut CentreSettings)) -> String {
        change(&mut self.settings);
        self.handle(CentreInput::Configured(Arc::new(self.settings.clone())))
    }

    fn handle(&mut self, input: CentreInput) -> String {
        self.machine.handle(input, self.now);
        self.drain()
    }

    fn enter(&mut self, call: u128) -> String {
        self.enter_with(call, |_| {})
    }

    fn enter_with(&mut self, call: u128, change: impl FnOnce(&mut Waiting)) -> String {
        let mut waiting = waiting("main");
        change(&mut waiting);
        self.queue_order(call, QueueOrder::Enter(Box::new(waiting)))
    }

    fn queue_order(&mut self, call: u128, order: QueueOrder) -> String {
        let call = self.id_of(call);
        self.handle(CentreInput::Queue(call, order))
    }

    /// How the last ring of an operator for a call ended.
    fn rang(&mut self, call: u128, operator: &str, outcome: OfferOutcome) -> String {
        let offer = self.offers[&(call, operator.to_owned())];
        self.queue_order(call, QueueOrder::OfferEnded { offer, outcome })
    }

    fn answer(&mut self, call: u128, operator: &str) -> String {
        self.rang(call, operator, OfferOutcome::Answered)
    }

    fn talk_over(&mut self, call: u128) -> String {
        self.queue_order(call, QueueOrder::TalkOver)
    }

    fn leave(&mut self, call: u128, reason: LeaveReason) -> String {
        self.queue_order(call, QueueOrder::Leave(reason))
    }

    fn tried(&mut self, call: u128, peer: &str, outcome: TransferOutcome) -> String {
        self.queue_order(call, QueueOrder::PeerTried { peer: Peer::new(peer), outcome })
    }

    fn over(&mut self, call: u128) -> String {
        let call = self.id_of(call);
        self.handle(CentreInput::CallOver(call))
    }

    fn order(&mut self, operator: &str, order: OperatorOrder) -> String {
        match self.machine.order(&Operator::new(operator), order, self.now) {
            Ok(()) => self.drain(),
            Err(refusal) => format!("refused: {refusal}"),
        }
    }

    fn book(&mut self, call: u128, number: &str) -> String {
        self.book_with(call, number, |_| {})
    }

    fn book_with(&mut self, call: u128, number: &str, change: impl FnOnce(&mut CallbackWish)) -> String {
        let mut wish = wish(number);
        change(&mut wish);
        let call = self.id_of(call);
        self.handle(CentreInput::Callback(call, CallbackOrder::Book(Box::new(wish))))
    }

    fn claim(&mut self, call: u128, callback: usize) -> String {
        let (call, id) = (self.id_of(call), self.callbacks[callback - 1].clone());
        self.handle(CentreInput::Callback(call, CallbackOrder::Claim(id)))
    }

    fn ended(&mut self, call: u128, callback: usize, outcome: AttemptOutcome) -> String {
        let (call, callback) = (self.id_of(call), self.callbacks[callback - 1].clone());
        self.handle(CentreInput::Callback(call, CallbackOrder::Ended { callback, outcome }))
    }

    fn decide(&mut self, callback: usize, decision: CallbackDecision) -> String {
        let id = self.callbacks[callback - 1].clone();
        match self.machine.decide(&id, decision, self.now) {
            Ok(()) => self.drain(),
            Err(refusal) => format!("refused: {refusal}"),
        }
    }

    /// Answers the oldest writing-down that hangs.
    fn save(&mut self, result: Result<(), &str>) -> String {
        let save = self.unsaved.remove(0);
        self.handle(CentreInput::Saved(save, result.map_err(str::to_owned)))
    }

    /// Lets time pass; what was said meanwhile, with seconds since the beginning of the wait.
    fn pass(&mut self, time: Duration) -> String {
        let (begun, until) = (self.now, self.now + time);
        let mut said = Vec::new();
        while let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.machine.handle_timeout(self.now);
            let line = self.drain();
            if !line.is_empty() {
                said.push(format!("{}s: {line}", self.now.since(begun).as_secs()));
            }
            assert!(self.machine.deadline().is_none_or(|next| next > self.now), "the deadline stands still");
        }
        self.now = until;
        said.join(" | ")
    }

    /// The engine was killed and started again: only what was written down is left.
    fn restart(&mut self) -> String {
        self.seed += 1;
        self.machine = CentreMachine::new(Arc::new(self.settings.clone()), self.seed, self.now);
        self.unsaved.clear();
        self.drain();
        self.handle(CentreInput::Recovered(self.stored.values().cloned().collect()))
    }

    /// "ready", "paused missed", …
    fn state(&self, operator: &str) -> String {
        let view = self.machine.operator(&Operator::new(operator)).map(|view| view.state);
        match view {
            None => "gone".to_owned(),
            Some(OperatorState::Paused { reason, .. }) => format!("paused {reason:?}").to_lowercase(),
            Some(state) => state.as_str().to_owned(),
        }
    }

    fn callback_state(&self, callback: usize) -> &'static str {
        self.machine.callback(&self.callbacks[callback - 1]).map_or("gone", |callback| callback.state.as_str())
    }

    fn id_of(&self, call: u128) -> CallId {
        match call.checked_sub(BEGUN + 1) {
            Some(begun) => self.begun[usize::try_from(begun).unwrap()],
            None => CallId::from_random(call),
        }
    }

    fn number_of(&self, call: CallId) -> u128 {
        let begun = self.begun.iter().position(|begun| *begun == call);
        begun.map_or(call.as_u128(), |at| BEGUN + 1 + at as u128)
    }

    fn name_of(&mut self, id: &CallbackId) -> String {
        let known = self.callbacks.iter().position(|known| known == id);
        let at = known.unwrap_or_else(|| {
            self.callbacks.push(id.clone());
            self.callbacks.len() - 1
        });
        format!("cb{}", at + 1)
    }

    fn drain(&mut self) -> String {
        let mut lines = Vec::new();
        while let Some(command) = self.machine.poll_command() {
            lines.extend(self.say(command));
        }
        lines.join("; ")
    }

    /// What is said; changes of views are not.
    fn say(&mut self, command: CentreCommand) -> Option<String> {
        match command {
            CentreCommand::Notice(call, notice) => {
                let call = self.number_of(call);
                Some(format!("{call} {}", self.notice(call, notice)))
            }
            CentreCommand::Save { save, callback } => {
                self.write_down(save, *callback);
                None
            }
            CentreCommand::Booked { call, result } => {
                let call = self.number_of(call);
                Some(match result {
                    Ok(receipt) => format!("{call} booked {} by {}", self.name_of(&receipt.id), clock(receipt.due)),
                    Err(refusal) => format!("{call} not booked: {refusal}"),
                })
            }
            CentreCommand::Claimed { call, granted } => {
                let granted = if granted { "granted" } else { "not granted" };
                Some(format!("{} {granted}", self.number_of(call)))
            }
            CentreCommand::Start(start) => Some(self.start(*start)),
            CentreCommand::Escalated(id) => Some(format!("{} escalated", self.name_of(&id))),
            CentreCommand::OperatorChanged(_) | CentreCommand::QueueChanged(_) | CentreCommand::CallbackChanged(_) => {
                None
            }
        }
    }

    fn start(&mut self, start: CallbackStart) -> String {
        self.begun.push(start.call);
        let call = self.number_of(start.call);
        let name = self.name_of(&start.callback);
        let first = match &start.operator {
            Some(offer) => {
                self.offers.insert((call, offer.operator.as_str().to_owned()), offer.id);
                offer.operator.as_str().to_owned()
            }
            None => "caller".to_owned(),
        };
        self.starts.push(start);
        format!("start {call} for {name}, {first} first")
    }

    fn notice(&mut self, call: u128, notice: QueueNotice) -> String {
        match notice {
            QueueNotice::Position { position, expected_wait, announce } => {
                let wait = expected_wait.map(|wait| format!(" in {}s", wait.as_secs())).unwrap_or_default();
                let say = if announce { "say " } else { "" };
                format!("{say}#{position}{wait}")
            }
            QueueNotice::Offer(offer) => {
                self.offers.insert((call, offer.operator.as_str().to_owned()), offer.id);
                format!("ring {}", offer.operator)
            }
            QueueNotice::Withdraw(id) => {
                let whose = self.offers.iter().find(|(_, offer)| **offer == id).map(|((_, operator), _)| operator);
                format!("withdraw {}", whose.unwrap())
            }
            QueueNotice::TryPeer(route) => format!("peer {}", route.peer),
            QueueNotice::OfferCallback { possible: true } => "offer callback".to_owned(),
            QueueNotice::OfferCallback { possible: false } => "say that it takes longer".to_owned(),
            QueueNotice::TimedOut => "timed out".to_owned(),
            QueueNotice::Refused(WaitRefusal::Closed { opens }) => {
                format!("closed until {}", opens.map_or("ever".to_owned(), clock))
            }
            QueueNotice::Refused(WaitRefusal::Full) => "full".to_owned(),
            QueueNotice::Refused(WaitRefusal::Unknown(what)) => format!("unknown: {what}"),
        }
    }

    fn write_down(&mut self, save: SaveId, callback: Callback) {
        match self.saves {
            Saves::Work => {
                self.stored.insert(callback.id.clone(), callback);
                self.machine.handle(CentreInput::Saved(save, Ok(())), self.now);
            }
            Saves::Fail => self.machine.handle(CentreInput::Saved(save, Err("disk full".into())), self.now),
            Saves::Hang => self.unsaved.push(save),
        }
    }
}

/// "12:10"
fn clock(moment: Timestamp) -> String {
    let micros = i64::try_from(moment.as_micros()).unwrap();
    let local = zone().to_datetime(jiff::Timestamp::from_microsecond(micros).unwrap());
    format!("{:02}:{:02}", local.hour(), local.minute())
}

fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(7))
}

/// Open from six to midnight.
fn by_day() -> Arc<Calendar> {
    let hours = Hours::new(time(6, 0, 0, 0), Time::midnight()).unwrap();
    Arc::new(Calendar::new(zone(), std::array::from_fn(|_| vec![hours]), BTreeMap::new()))
}

fn queue(name: &str) -> QueueSettings {
    QueueSettings {
        name: Queue::new(name),
        agency: None,
        calendar: by_day(),
        strategy: RingStrategy::LongestIdle,
        waiting_max: 50,
        wait_max: SECOND * 40,
        act_before: SECOND * 10,
        offer_again_after: SECOND * 60,
        announce_every: Duration::ZERO,
        ring_max: SECOND * 15,
        wrap_up: Duration::ZERO,
        misses_max: 3,
        relax: vec![],
        peers: vec![],
        callback: Some(rules()),
        service_level: SECOND * 20,
    }
}

fn rules() -> CallbackRules {
    CallbackRules {
        dial_first: DialFirst::Operator,
        within: MINUTE * 10,
        attempts_max: 3,
        retry_after: MINUTE * 2,
        ring_max: SECOND * 30,
        unknown: UnknownRule::Ask,
        open_max: 10,
        per_number_max: 2,
        trunk: Trunk::new("city"),
        shown: None,
        dialable: vec!["+7".into()],
        barred: vec!["+7809".into()],
    }
}

fn operator(name: &str) -> OperatorSettings {
    OperatorSettings {
        name: Operator::new(name),
        shown_name: Arc::from(name),
        target: DialTarget { trunk: None, address: PhoneNumber::new(&format!("sip:{name}@desk")) },
        queues: vec![Queue::new("main")],
        skills: BTreeMap::new(),
        always_ready: false,
    }
}

fn peer(name: &str) -> PeerSettings {
    PeerSettings {
        name: Peer::new(name),
        target: DialTarget { trunk: Some(Trunk::new(name)), address: PhoneNumber::new("122") },
        calls_max: 2,
        ring_max: SECOND * 20,
        rest_after_failure: MINUTE,
        areas: vec![],
    }
}

fn waiting(queue: &str) -> Waiting {
    Waiting {
        queue: Queue::new(queue),
        agency: Agency::new("mfc"),
        priority: 0,
        skills: vec![],
        lang: Arc::from("ru"),
        wait_max: None,
        callback: None,
        called: false,
        area: None,
        hops: 0,
    }
}

fn wish(number: &str) -> CallbackWish {
    CallbackWish {
        queue: Queue::new("main"),
        agency: Agency::new("mfc"),
        number: PhoneNumber::new(number),
        topic: Arc::from("passport"),
        lang: Arc::from("ru"),
        fields: vec![],
        earliest: None,
        call: CallId::from_random(99),
        origin: CallbackOrigin::Offer,
        waited_since: None,
        skills: vec![],
    }
}

fn skill(name: &str, level: u8) -> SkillWish {
    SkillWish { skill: Skill::new(name), level }
}
