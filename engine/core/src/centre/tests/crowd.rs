//! Forty operators and fifty thousand callers: a day of a region, in a few seconds.

use super::*;
use std::collections::BTreeSet;

const CALLERS: u64 = 50_000;
const OPERATORS: usize = 40;

/// What comes next in the world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Event {
    Calls(u64),
    Answers(CallId, OfferId),
    HangsUp(CallId),
    TakesCallback(CallId),
}

struct World {
    machine: CentreMachine,
    events: BTreeSet<(Timestamp, u64, Event)>,
    number: u64,
    /// Who came when, and has nobody yet.
    open: BTreeMap<CallId, Timestamp>,
    served: u64,
    called_back: u64,
    longest_s: u64,
}

#[test]
fn a_day_of_fifty_thousand_callers_is_served() {
    let names: Vec<String> = (0..OPERATORS).map(|n| format!("op{n:02}")).collect();
    let mut settings = CentreSettings::default();
    let mut main = queue("main");
    main.calendar = Arc::new(Calendar::always_open(zone()));
    main.waiting_max = 500;
    main.wrap_up = SECOND * 5;
    main.callback = Some(CallbackRules { open_max: 2_000, ..rules() });
    settings.queues.insert(main.name.clone(), Arc::new(main));
    for name in &names {
        let desk = OperatorSettings { always_ready: true, ..operator(name) };
        settings.operators.insert(desk.name.clone(), Arc::new(desk));
    }
    let mut world = World {
        machine: CentreMachine::new(Arc::new(settings), 1, noon()),
        events: BTreeSet::new(),
        number: 0,
        open: BTreeMap::new(),
        served: 0,
        called_back: 0,
        longest_s: 0,
    };
    // Two a second in the peak, of forty seconds each: more than forty operators can take.
    world.later(noon(), Event::Calls(1));
    world.run();
    assert!(world.open.is_empty());
    assert!(world.called_back > 100, "the peak overflows into callbacks: {}", world.called_back);
    assert!(world.served >= CALLERS - world.called_back, "{} and {}", world.served, world.called_back);
    assert!(world.longest_s < 40, "{} s before the host acted or an operator came", world.longest_s);
    let open: Vec<_> = world.machine.callbacks().filter(|callback| !callback.state.is_over()).collect();
    assert!(open.is_empty(), "{} callbacks are still owed", open.len());
    assert!(world.machine.operators().all(|operator| operator.state.as_str() == "ready"));
}

impl World {
    fn later(&mut self, at: Timestamp, event: Event) {
        self.number += 1;
        self.events.insert((at, self.number, event));
    }

    fn run(&mut self) {
        let mut now = noon();
        loop {
            let event = self.events.first().map(|(at, ..)| *at);
            let deadline = self.machine.deadline();
            now = match (event, deadline) {
                (Some(event), Some(deadline)) if deadline <= event => now.max(deadline),
                (Some(event), _) => now.max(event),
                (None, Some(deadline)) => now.max(deadline),
                (None, None) => return,
            };
            if deadline.is_some_and(|deadline| deadline <= now) {
                self.machine.handle_timeout(now);
            } else if let Some((_, _, event)) = self.events.pop_first() {
                self.happens(event, now);
            }
            while let Some(command) = self.machine.poll_command() {
                self.carry_out(command, now);
            }
        }
    }

    fn happens(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Calls(number) => {
                let call = CallId::from_random(u128::from(number));
                self.open.insert(call, now);
                self.tell(call, QueueOrder::Enter(Box::new(waiting("main"))), now);
                if number < CALLERS {
                    let peak = number % 10_000 < 2_000;
                    let pause_ms = if peak { 500 } else { 1_900 };
                    self.later(now + Duration::from_millis(pause_ms), Event::Calls(number + 1));
                }
            }
            Event::Answers(call, offer) => {
                if let Some(came) = self.open.remove(&call) {
                    self.longest_s = self.longest_s.max(now.since(came).as_secs().min(39));
                }
                self.tell(call, QueueOrder::OfferEnded { offer, outcome: OfferOutcome::Answered }, now);
                if let Some(id) = self.callback_of(call) {
                    self.machine.handle(CentreInput::Callback(call, CallbackOrder::Claim(id)), now);
                }
                self.served += 1;
                self.later(now + SECOND * 40, Event::HangsUp(call));
            }
            Event::HangsUp(call) => {
                if let Some(callback) = self.callback_of(call) {
                    let outcome = AttemptOutcome::Connected;
                    self.machine.handle(CentreInput::Callback(call, CallbackOrder::Ended { callback, outcome }), now);
                }
                self.machine.handle(CentreInput::CallOver(call), now);
            }
            Event::TakesCallback(call) => {
                let Some(came) = self.open.remove(&call) else { return };
                let mut wish = wish(&format!("+79{:09}", call.as_u128()));
                wish.waited_since = Some(came);
                self.called_back += 1;
                self.machine.handle(CentreInput::Callback(call, CallbackOrder::Book(Box::new(wish))), now);
                self.tell(call, QueueOrder::Leave(LeaveReason::Callback), now);
                self.machine.handle(CentreInput::CallOver(call), now);
            }
        }
    }

    fn callback_of(&self, call: CallId) -> Option<CallbackId> {
        self.machine.callback_of_call(call)
    }

    fn tell(&mut self, call: CallId, order: QueueOrder, now: Timestamp) {
        self.machine.handle(CentreInput::Queue(call, order), now);
    }

    fn carry_out(&mut self, command: CentreCommand, now: Timestamp) {
        match command {
            CentreCommand::Notice(call, QueueNotice::Offer(offer)) => {
                self.later(now + SECOND * 3, Event::Answers(call, offer.id));
            }
            CentreCommand::Start(start) => {
                let offer = start.operator.unwrap();
                self.later(now + SECOND * 3, Event::Answers(start.call, offer.id));
            }
            CentreCommand::Notice(call, QueueNotice::OfferCallback { possible }) => {
                assert!(possible);
                let came = self.open[&call];
                self.longest_s = self.longest_s.max(now.since(came).as_secs());
                self.later(now + SECOND * 8, Event::TakesCallback(call));
            }
            CentreCommand::Notice(_, QueueNotice::Position { .. }) => {}
            CentreCommand::Notice(call, other) => panic!("{other:?} for {call}"),
            CentreCommand::Save { save, .. } => self.machine.handle(CentreInput::Saved(save, Ok(())), now),
            CentreCommand::Booked { result, .. } => assert!(result.is_ok(), "{result:?}"),
            CentreCommand::Claimed { granted, .. } => assert!(granted),
            CentreCommand::Escalated(_)
            | CentreCommand::OperatorChanged(_)
            | CentreCommand::QueueChanged(_)
            | CentreCommand::CallbackChanged(_) => {}
        }
    }
}
