//! A seeded random walk: any input in any order, also nonsense and crashes, with the contract watched at every step.

use super::*;
use crate::centre::contract::Contract;

const WALKS: u64 = 3_000;
const STEPS: usize = 250;
const OPERATORS: [&str; 4] = ["anna", "boris", "clara", "desk"];
const PEERS: [&str; 2] = ["tomsk", "altai"];
const QUEUES: [&str; 2] = ["main", "other"];

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(sides).unwrap()).unwrap()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

/// What came about in all walks: a walk in which nothing happens would prove little.
#[derive(Default, Debug)]
struct Tally {
    answered: u32,
    offered: u32,
    peers: u32,
    booked: u32,
    begun: u32,
    granted: u32,
    connected: u32,
    escalated: u32,
    unknown: u32,
    crashes: u32,
}

struct Walk {
    machine: CentreMachine,
    contract: Contract,
    settings: CentreSettings,
    now: Timestamp,
    dice: Dice,
    /// As the store has them.
    stored: BTreeMap<CallbackId, Callback>,
    /// To be answered.
    saves: Vec<(SaveId, Callback)>,
    calls: Vec<CallId>,
    next_call: u128,
    offers: Vec<(CallId, OfferId)>,
    peers: Vec<(CallId, Peer)>,
    starts: Vec<(CallId, CallbackId)>,
    callbacks: Vec<CallbackId>,
    tally: Tally,
}

#[test]
fn any_input_in_any_order_breaks_no_promise() {
    let mut all = Tally::default();
    for seed in 0..WALKS {
        let walked = std::panic::catch_unwind(|| walk(seed));
        let tally = walked.unwrap_or_else(|_| panic!("the walk failed with seed {seed}"));
        all.answered += tally.answered;
        all.offered += tally.offered;
        all.peers += tally.peers;
        all.booked += tally.booked;
        all.begun += tally.begun;
        all.granted += tally.granted;
        all.connected += tally.connected;
        all.escalated += tally.escalated;
        all.unknown += tally.unknown;
        all.crashes += tally.crashes;
    }
    let walks = u32::try_from(WALKS).unwrap();
    for often in [all.answered, all.offered, all.peers, all.booked, all.begun] {
        assert!(often > walks, "{all:?}");
    }
    for seldom in [all.granted, all.connected, all.escalated, all.unknown, all.crashes] {
        assert!(seldom > walks / 10, "{all:?}");
    }
}

fn walk(seed: u64) -> Tally {
    let mut dice = Dice(seed);
    let settings = any_settings(&mut dice);
    let now = dice.pick(&[noon(), noon(), at("2026-05-05T23:50:00+07:00"), at("2026-05-05T05:55:00+07:00")]);
    let shared = Arc::new(settings.clone());
    let mut walk = Walk {
        machine: CentreMachine::new(Arc::clone(&shared), u128::from(seed), now),
        contract: Contract::new(shared),
        settings,
        now,
        dice,
        stored: BTreeMap::new(),
        saves: Vec::new(),
        calls: Vec::new(),
        next_call: 0,
        offers: Vec::new(),
        peers: Vec::new(),
        starts: Vec::new(),
        callbacks: Vec::new(),
        tally: Tally::default(),
    };
    walk.drain();
    for _ in 0..STEPS {
        walk.step();
    }
    walk.end();
    walk.tally
}

impl Walk {
    fn step(&mut self) {
        match self.dice.below(40) {
            0..=4 => self.order(),
            5..=11 => {
                let ms = self.dice.pick(&[0, 1, 500, 3_000, 9_000, 20_000, 61_000, 400_000]);
                self.pass(Duration::from_millis(ms));
            }
            12..=15 => self.save(),
            16 if self.dice.chance(6) => self.crash(),
            17 => self.decide(),
            18 if self.dice.chance(2) => self.configure(),
            _ => {
                let input = self.any_input();
                self.feed(input);
            }
        }
    }

    fn any_input(&mut self) -> CentreInput {
        match self.dice.below(24) {
            0..=4 => {
                let call = self.new_call();
                CentreInput::Queue(call, QueueOrder::Enter(self.any_waiting(None)))
            }
            5..=10 => self.any_end_of_offer(),
            11 => {
                let call = self.any_call();
                CentreInput::Queue(call, QueueOrder::TalkOver)
            }
            12..=13 => self.any_end_at_peer(),
            14 => {
                let call = self.any_call();
                let reasons = [LeaveReason::Abandoned, LeaveReason::Callback, LeaveReason::Peer, LeaveReason::Script];
                CentreInput::Queue(call, QueueOrder::Leave(self.dice.pick(&reasons)))
            }
            15 => {
                let call = self.any_call();
                CentreInput::Queue(call, QueueOrder::CallbackOffered)
            }
            16..=17 => {
                let call = self.any_call();
                CentreInput::Callback(call, CallbackOrder::Book(Box::new(self.any_wish())))
            }
            18..=21 => self.any_word_on_callback(),
            22 => {
                let call = self.any_call();
                CentreInput::Queue(call, QueueOrder::Enter(self.any_waiting(None)))
            }
            _ => {
                let call = self.any_call();
                self.calls.retain(|known| *known != call);
                CentreInput::CallOver(call)
            }
        }
    }

    fn any_end_of_offer(&mut self) -> CentreInput {
        use OfferOutcome::{Answered, Busy, NoAnswer, Rejected, Unavailable, Withdrawn};
        let outcomes = [Answered, Answered, Answered, Busy, NoAnswer, Rejected, Unavailable, Withdrawn];
        let outcome = self.dice.pick(&outcomes);
        let (call, offer) = if self.offers.is_empty() || self.dice.chance(10) {
            (self.any_call(), OfferId(self.dice.roll() % 20))
        } else {
            self.dice.pick(&self.offers)
        };
        CentreInput::Queue(call, QueueOrder::OfferEnded { offer, outcome })
    }

    fn any_end_at_peer(&mut self) -> CentreInput {
        let (call, peer) = if self.peers.is_empty() || self.dice.chance(10) {
            (self.any_call(), Peer::new(self.dice.pick(&PEERS)))
        } else {
            self.dice.pick(&self.peers)
        };
        let outcome = match self.dice.below(6) {
            0 => TransferOutcome::Moved,
            1 => TransferOutcome::BridgedThenReturned(MINUTE),
            2 => TransferOutcome::Rejected(503),
            3 => TransferOutcome::NoAnswer,
            4 => TransferOutcome::Unavailable,
            _ => TransferOutcome::Busy,
        };
        CentreInput::Queue(call, QueueOrder::PeerTried { peer, outcome })
    }

    fn any_word_on_callback(&mut self) -> CentreInput {
        use AttemptOutcome::{Busy, Connected, Left, NoAnswer, OperatorGone, Rejected, Unavailable};
        if self.starts.is_empty() {
            return CentreInput::CallOver(CallId::from_random(u128::MAX));
        }
        let (mut call, callback) = self.dice.pick(&self.starts);
        if self.dice.chance(8) {
            call = self.any_call();
        }
        match self.dice.below(5) {
            0 | 1 => CentreInput::Callback(call, CallbackOrder::Claim(callback)),
            2 => CentreInput::Queue(call, QueueOrder::Enter(self.any_waiting(Some(callback)))),
            _ => {
                let outcomes = [Connected, Connected, NoAnswer, Busy, Rejected, Unavailable, Left, OperatorGone];
                let outcome = self.dice.pick(&outcomes);
                CentreInput::Callback(call, CallbackOrder::Ended { callback, outcome })
            }
        }
    }

    fn any_waiting(&mut self, callback: Option<CallbackId>) -> Box<Waiting> {
        let mut waiting = waiting(self.dice.pick(&["main", "main", "other", "nowhere"]));
        waiting.priority = self.dice.pick(&[0, 0, 1, 9]);
        waiting.callback = callback;
        waiting.hops = self.dice.pick(&[0, 0, 2, 3]);
        waiting.called = waiting.hops == 2;
        waiting.area = self.dice.chance(6).then(|| Arc::from("70"));
        waiting.wait_max = self.dice.chance(6).then_some(SECOND * 12);
        if self.dice.chance(3) {
            waiting.skills = vec![skill("deutsch", self.dice.pick(&[1, 2, 5]))];
        }
        Box::new(waiting)
    }

    fn any_wish(&mut self) -> CallbackWish {
        let mut wish = wish(self.dice.pick(&["+79130000001", "+79130000002", "+79130000003", "+78090000001", "911"]));
        wish.queue = Queue::new(self.dice.pick(&["main", "main", "other", "nowhere"]));
        wish.waited_since = self.dice.chance(3).then_some(self.now);
        wish.earliest = self.dice.chance(6).then(|| self.now + MINUTE * 3);
        if self.dice.chance(4) {
            wish.skills = vec![skill("deutsch", 5)];
        }
        wish
    }

    fn new_call(&mut self) -> CallId {
        self.next_call += 1;
        let call = CallId::from_random(self.next_call);
        self.calls.push(call);
        call
    }

    fn any_call(&mut self) -> CallId {
        if self.calls.is_empty() { self.new_call() } else { self.dice.pick(&self.calls) }
    }

    fn order(&mut self) {
        use OperatorOrder::{LogIn, LogOut, Pause, Reachable, Ready};
        let orders = [
            LogIn,
            LogIn,
            Ready,
            Pause(PauseReason::Supervisor),
            LogOut(LogoutReason::Own),
            LogOut(LogoutReason::Elsewhere),
            Reachable(false),
            Reachable(true),
            Reachable(true),
        ];
        let (operator, order) = (Operator::new(self.dice.pick(&OPERATORS)), self.dice.pick(&orders));
        let done = self.machine.order(&operator, order.clone(), self.now).is_ok();
        // A telephone is remembered though nobody knows its operator.
        if done || matches!(order, OperatorOrder::Reachable(_)) {
            self.contract.ordered(&operator, &order);
        }
        self.drain();
    }

    fn decide(&mut self) {
        if self.callbacks.is_empty() {
            return;
        }
        let id = self.dice.pick(&self.callbacks);
        let cancel = CallbackDecision::Cancel { by: "boss".into() };
        let decision = self.dice.pick(&[cancel, CallbackDecision::TryAgain, CallbackDecision::TakeAsConnected]);
        if self.machine.decide(&id, decision.clone(), self.now).is_ok() {
            self.contract.decided(&id, &decision);
        }
        self.drain();
    }

    fn configure(&mut self) {
        self.settings = any_settings(&mut self.dice);
        self.feed(CentreInput::Configured(Arc::new(self.settings.clone())));
    }

    /// The store answers one that it was given, in order.
    fn save(&mut self) {
        if self.saves.is_empty() {
            return;
        }
        let (save, callback) = self.saves.remove(0);
        // A failure may leave the new state, or the old one.
        let fails = self.dice.chance(6);
        if !fails || self.dice.chance(2) {
            self.stored.insert(callback.id.clone(), callback);
        }
        let result = if fails { Err("disk full".to_owned()) } else { Ok(()) };
        self.feed(CentreInput::Saved(save, result));
    }

    fn crash(&mut self) {
        self.tally.crashes += 1;
        // Of what was under way, some was written.
        let written = self.dice.below(self.saves.len() + 1);
        for (_, callback) in self.saves.drain(..).take(written) {
            self.stored.insert(callback.id.clone(), callback);
        }
        let settings = Arc::new(self.settings.clone());
        self.machine = CentreMachine::new(settings, u128::from(self.dice.roll()), self.now);
        let contract = std::mem::replace(&mut self.contract, Contract::new(Arc::default()));
        self.contract = contract.restarted();
        self.calls.clear();
        self.offers.clear();
        self.peers.clear();
        self.starts.clear();
        self.drain();
        self.feed(CentreInput::Recovered(self.stored.values().cloned().collect()));
    }

    fn feed(&mut self, input: CentreInput) {
        // Also a call that was over speaks again: then it lives.
        if let CentreInput::Queue(call, _) | CentreInput::Callback(call, _) = &input
            && !self.calls.contains(call)
        {
            self.calls.push(*call);
        }
        self.contract.input(&input, self.now);
        self.machine.handle(input, self.now);
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.machine.handle_timeout(self.now);
            self.drain();
            assert!(self.machine.deadline().is_none_or(|next| next > self.now), "the deadline stands still");
        }
        self.now = until;
    }

    /// Everybody works, the store too: every wait and every promise comes to its end.
    fn end(&mut self) {
        for call in std::mem::take(&mut self.calls) {
            self.feed(CentreInput::CallOver(call));
        }
        while !self.saves.is_empty() {
            let (save, callback) = self.saves.remove(0);
            self.stored.insert(callback.id.clone(), callback);
            self.feed(CentreInput::Saved(save, Ok(())));
        }
        self.pass(Duration::from_hours(30));
        let line = self.machine.queues(self.now).flat_map(|queue| queue.waiting);
        assert!(line.filter(|waiting| waiting.callback.is_none()).count() == 0, "somebody waits for ever");
        let ringing = self.machine.operators().filter(|view| matches!(view.state.as_str(), "ringing" | "on-call"));
        assert_eq!(ringing.count(), 0, "an operator is kept for nobody");
        assert!(self.machine.peers(self.now).all(|peer| peer.calls == 0), "a call is still at a peer");
    }

    fn drain(&mut self) {
        while let Some(command) = self.machine.poll_command() {
            if let Err(broken) = self.contract.command(&command, self.now) {
                panic!("{broken}");
            }
            self.note(command);
        }
        if let Err(broken) = self.contract.settled(&self.machine, self.now) {
            panic!("{broken}");
        }
    }

    fn note(&mut self, command: CentreCommand) {
        match command {
            CentreCommand::Notice(call, QueueNotice::Offer(offer)) => self.offers.push((call, offer.id)),
            CentreCommand::Notice(call, QueueNotice::TryPeer(route)) => {
                self.tally.peers += 1;
                self.peers.push((call, route.peer));
            }
            CentreCommand::Notice(_, QueueNotice::OfferCallback { .. }) => self.tally.offered += 1,
            CentreCommand::Save { save, callback } => {
                match callback.state {
                    CallbackState::Connected { .. } => self.tally.connected += 1,
                    CallbackState::Unknown { .. } => self.tally.unknown += 1,
                    _ => {}
                }
                self.saves.push((save, *callback));
            }
            CentreCommand::Booked { result: Ok(receipt), .. } => {
                self.tally.booked += 1;
                self.callbacks.push(receipt.id);
            }
            CentreCommand::Start(start) => {
                self.tally.begun += 1;
                self.calls.push(start.call);
                self.offers.extend(start.operator.map(|offer| (start.call, offer.id)));
                self.starts.push((start.call, start.callback));
            }
            CentreCommand::Claimed { granted: true, .. } => self.tally.granted += 1,
            CentreCommand::Escalated(_) => self.tally.escalated += 1,
            CentreCommand::OperatorChanged(name) => {
                let talks = self.machine.operator(&name).is_some_and(|view| view.state.as_str() == "on-call");
                self.tally.answered += u32::from(talks);
            }
            _ => {}
        }
    }
}

fn any_settings(dice: &mut Dice) -> CentreSettings {
    let mut settings = CentreSettings::default();
    for name in QUEUES {
        if dice.chance(8) {
            continue;
        }
        let mut queue = queue(name);
        queue.strategy = dice.pick(&[RingStrategy::LongestIdle, RingStrategy::RoundRobin, RingStrategy::RingAll]);
        queue.waiting_max = dice.pick(&[0, 2, 50]);
        queue.wait_max = dice.pick(&[SECOND * 40, SECOND * 20]);
        queue.act_before = dice.pick(&[SECOND * 10, SECOND * 5, SECOND * 60]);
        queue.offer_again_after = dice.pick(&[Duration::ZERO, SECOND * 30]);
        queue.announce_every = dice.pick(&[Duration::ZERO, SECOND * 15]);
        queue.wrap_up = dice.pick(&[Duration::ZERO, SECOND * 20]);
        queue.misses_max = dice.pick(&[0, 1, 3]);
        queue.relax = vec![SkillRelaxation { after: SECOND * 15, levels: 2 }];
        queue.peers = PEERS.iter().filter(|_| dice.chance(2)).map(|name| Peer::new(name)).collect();
        queue.callback = (!dice.chance(6)).then(|| CallbackRules {
            dial_first: dice.pick(&[DialFirst::Operator, DialFirst::Caller]),
            within: dice.pick(&[MINUTE * 10, MINUTE]),
            attempts_max: dice.pick(&[0, 1, 3]),
            unknown: dice.pick(&[UnknownRule::Ask, UnknownRule::Ask, UnknownRule::GiveUp]),
            open_max: dice.pick(&[1, 10]),
            ..rules()
        });
        settings.queues.insert(queue.name.clone(), Arc::new(queue));
    }
    for name in OPERATORS {
        if dice.chance(8) {
            continue;
        }
        let mut operator = operator(name);
        operator.always_ready = name == "desk";
        if name == "clara" {
            operator.target.trunk = Some(Trunk::new(Trunk::REGISTERED));
        }
        if dice.chance(2) {
            operator.queues.push(Queue::new("other"));
        }
        operator.skills.insert(Skill::new("deutsch"), dice.pick(&[0, 2, 5]));
        settings.operators.insert(operator.name.clone(), Arc::new(operator));
    }
    for name in PEERS {
        let mut peer = peer(name);
        peer.calls_max = dice.pick(&[0, 1, 3]);
        peer.areas = if dice.chance(3) { vec!["70".into()] } else { vec![] };
        if !dice.chance(6) {
            settings.peers.insert(peer.name.clone(), Arc::new(peer));
        }
    }
    settings
}
