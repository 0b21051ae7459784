//! Random walks over the outbox, with an agency that fails and an engine that dies.

use super::*;
use std::collections::BTreeMap;

/// A small generator of our own: the same walk for the same seed, for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn settings() -> OutboxSettings {
    OutboxSettings {
        backoff: Backoff { first: Duration::from_secs(1), max: Duration::from_secs(60) },
        give_up_after: Duration::from_secs(3_600),
        sending_max: 4,
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn delivery(agency: &str, order: u64, now: Timestamp) -> Delivery {
    Delivery::new(DeliveryId::new(&format!("{agency}/{order}")), Agency::new(agency), order, now)
}

/// What stays when the process dies, and what the agencies have.
#[derive(Default)]
struct World {
    ledger: BTreeMap<DeliveryId, Delivery>,
    /// By key: how often it was accepted, and in which order each agency got them.
    accepted: BTreeMap<DeliveryId, u32>,
    arrivals: BTreeMap<Agency, Vec<u64>>,
    on_the_way: Vec<(DeliveryId, Agency)>,
    endpoints: BTreeMap<Agency, Endpoint>,
    crashes: u32,
}

impl World {
    fn drain(&mut self, machine: &mut OutboxMachine) {
        while let Some(command) = machine.poll_command() {
            match command {
                OutboxCommand::Send { id, agency, .. } => {
                    let endpoint = self.endpoints.get(&agency).expect("sent without an endpoint");
                    assert!(!self.on_the_way.iter().any(|(other, _)| *other == id), "{id} is on its way twice");
                    let beside = self.on_the_way.iter().filter(|(_, other)| *other == agency).count();
                    assert!(beside < if endpoint.ordered { 1 } else { endpoint.sending_max });
                    self.on_the_way.push((id, agency));
                    assert!(self.on_the_way.len() <= settings().sending_max);
                }
                OutboxCommand::Save(delivery) => {
                    self.ledger.insert(delivery.id.clone(), *delivery);
                }
                OutboxCommand::Died(id) => assert!(matches!(self.ledger[&id].state, DeliveryState::Dead { .. })),
            }
        }
    }

    /// An agency answers one of those on their way.
    fn answer(&mut self, machine: &mut OutboxMachine, dice: &mut Dice, now: Timestamp, fails_of_10: u64) {
        let which = usize::try_from(dice.roll(self.on_the_way.len() as u64)).unwrap();
        let (id, agency) = self.on_the_way.swap_remove(which);
        let outcome = match dice.roll(10) {
            roll if roll >= fails_of_10 => {
                *self.accepted.entry(id.clone()).or_insert(0) += 1;
                self.arrivals.entry(agency).or_default().push(self.ledger[&id].order);
                SendOutcome::Accepted { status: 204 }
            }
            0 => SendOutcome::Failed { status: None, problem: "503".into(), retry_after: Some(Duration::from_secs(7)) },
            _ => SendOutcome::Failed { status: None, problem: "no answer in time".into(), retry_after: None },
        };
        machine.handle(OutboxInput::Sent { id, outcome, dice: dice.roll(u64::from(u32::MAX)) }, now);
        self.drain(machine);
    }

    fn restart(&mut self, now: Timestamp) -> OutboxMachine {
        self.crashes += 1;
        self.on_the_way.clear();
        let mut machine = OutboxMachine::new(settings());
        for (agency, endpoint) in self.endpoints.clone() {
            machine.handle(OutboxInput::Endpoint(agency, Some(endpoint)), now);
        }
        let waits = |delivery: &&Delivery| matches!(delivery.state, DeliveryState::Waiting { .. });
        let open = self.ledger.values().filter(waits).cloned().collect();
        machine.handle(OutboxInput::Recovered(open), now);
        self.drain(&mut machine);
        machine
    }
}

fn walk(seed: u64, crashing: bool) {
    let mut dice = Dice(seed);
    let mut world = World::default();
    let (ordered, loose) = (Agency::new("ordered"), Agency::new("loose"));
    world.endpoints.insert(ordered.clone(), Endpoint { ordered: true, sending_max: 8 });
    world.endpoints.insert(loose.clone(), Endpoint { ordered: false, sending_max: 3 });
    let mut now = at(1);
    let mut machine = world.restart(now);
    let mut promised = 0;
    while promised < 60 || !world.on_the_way.is_empty() || machine.deadline().is_some() {
        match dice.roll(10) {
            0..=3 if promised < 60 => {
                promised += 1;
                let agency = if dice.roll(2) == 0 { "ordered" } else { "loose" };
                let new = delivery(agency, promised, now);
                world.ledger.insert(new.id.clone(), new.clone());
                machine.handle(OutboxInput::Add(Box::new(new)), now);
                world.drain(&mut machine);
            }
            4 if crashing && world.crashes < 5 => machine = world.restart(now),
            5..=8 if !world.on_the_way.is_empty() => world.answer(&mut machine, &mut dice, now, 5),
            _ => {
                now = machine.deadline().unwrap_or(now).max(now) + Duration::from_millis(dice.roll(3_000));
                machine.handle_timeout(now);
                world.drain(&mut machine);
            }
        }
    }
    assert_eq!(machine.counts(), OutboxCounts::default());
    for kept in world.ledger.values() {
        match kept.state {
            DeliveryState::Delivered { .. } => assert!(world.accepted[&kept.id] >= 1, "seed {seed}: {}", kept.id),
            DeliveryState::Dead { at, reason: DeadReason::GivenUp } => {
                assert!(kept.first_attempt.is_some_and(|first| at.since(first) > Duration::from_secs(3_000)));
            }
            other => panic!("seed {seed}: {} is left {other:?}", kept.id),
        }
        // Twice only where the engine died between the agency's answer and its own note of it.
        let twice = world.accepted.get(&kept.id).copied().unwrap_or(0);
        assert!(twice <= 1 + world.crashes, "seed {seed}: {} came {twice} times", kept.id);
    }
    let mut first_arrivals = Vec::new();
    for order in world.arrivals.get(&ordered).into_iter().flatten() {
        if !first_arrivals.contains(order) {
            first_arrivals.push(*order);
        }
    }
    assert!(first_arrivals.is_sorted(), "seed {seed}: {first_arrivals:?}");
}

#[test]
fn whatever_fails_each_is_delivered_or_dead_and_in_order_where_promised() {
    for seed in 0..1_000 {
        walk(seed, false);
        walk(seed, true);
    }
}

#[test]
fn a_delivery_that_nobody_takes_is_given_up_and_goes_again_when_somebody_says_so() {
    let mut machine = OutboxMachine::new(settings());
    let agency = Agency::new("mfc");
    let endpoint = Endpoint { ordered: false, sending_max: 2 };
    let mut now = at(0);
    machine.handle(OutboxInput::Endpoint(agency.clone(), Some(endpoint)), now);
    machine.handle(OutboxInput::Add(Box::new(delivery("mfc", 1, now))), now);
    let mut last = None;
    while machine.open(&DeliveryId::new("mfc/1")).is_some() {
        while let Some(command) = machine.poll_command() {
            match command {
                OutboxCommand::Send { id, .. } => {
                    let outcome = SendOutcome::Failed { status: None, problem: "500".into(), retry_after: None };
                    machine.handle(OutboxInput::Sent { id, outcome, dice: 7 }, now);
                }
                OutboxCommand::Save(delivery) => last = Some(*delivery),
                OutboxCommand::Died(_) => {}
            }
        }
        if let Some(deadline) = machine.deadline() {
            now = deadline;
            machine.handle_timeout(now);
        }
    }
    while let Some(command) = machine.poll_command() {
        if let OutboxCommand::Save(delivery) = command {
            last = Some(*delivery);
        }
    }
    let dead = last.unwrap();
    assert!(matches!(dead.state, DeliveryState::Dead { reason: DeadReason::GivenUp, .. }), "{dead:?}");
    assert!(now.since(at(0)) <= Duration::from_secs(3_600) && now.since(at(0)) > Duration::from_secs(3_400));
    machine.handle(OutboxInput::Add(Box::new(dead)), now);
    assert!(matches!(machine.poll_command(), Some(OutboxCommand::Send { attempt: 1, .. })));
}

#[test]
fn without_an_endpoint_deliveries_wait_and_none_dies() {
    let mut machine = OutboxMachine::new(settings());
    machine.handle(OutboxInput::Add(Box::new(delivery("mfc", 1, at(0)))), at(0));
    assert_eq!((machine.deadline(), machine.poll_command()), (None, None));
    assert_eq!(machine.counts(), OutboxCounts { waiting: 1, without_endpoint: 1, sending: 0 });
    let endpoint = Endpoint { ordered: true, sending_max: 1 };
    machine.handle(OutboxInput::Endpoint(Agency::new("mfc"), Some(endpoint)), at(1_000_000));
    assert!(matches!(machine.poll_command(), Some(OutboxCommand::Send { .. })));
    let gone = SendOutcome::Gone { problem: "410".into() };
    machine.handle(OutboxInput::Sent { id: DeliveryId::new("mfc/1"), outcome: gone, dice: 0 }, at(1_000_001));
    let Some(OutboxCommand::Save(saved)) = machine.poll_command() else { panic!("nothing is written down") };
    assert!(matches!(saved.state, DeliveryState::Dead { reason: DeadReason::Refused, .. }));
    // An answer that comes twice changes nothing.
    let late = SendOutcome::Accepted { status: 200 };
    machine.handle(OutboxInput::Sent { id: DeliveryId::new("mfc/1"), outcome: late, dice: 0 }, at(1_000_002));
    assert!(matches!(machine.poll_command(), Some(OutboxCommand::Died(_))));
    assert_eq!(machine.poll_command(), None);
}

#[test]
fn one_agencys_heap_does_not_hold_up_another() {
    let mut machine = OutboxMachine::new(settings());
    let endpoint = Endpoint { ordered: false, sending_max: 100 };
    for order in 0..50 {
        machine.handle(OutboxInput::Add(Box::new(delivery("heap", order, at(0)))), at(0));
    }
    machine.handle(OutboxInput::Add(Box::new(delivery("one", 1, at(0)))), at(0));
    machine.handle(OutboxInput::Endpoint(Agency::new("one"), Some(endpoint)), at(1));
    machine.handle(OutboxInput::Endpoint(Agency::new("heap"), Some(endpoint)), at(1));
    machine.handle(OutboxInput::Add(Box::new(delivery("one", 2, at(1)))), at(1));
    let mut sent = Vec::new();
    for _ in 0..12 {
        while let Some(command) = machine.poll_command() {
            if let OutboxCommand::Send { id, .. } = command {
                sent.push(id);
            }
        }
        let id = sent[sent.len() - 1].clone();
        machine.handle(OutboxInput::Sent { id, outcome: SendOutcome::Accepted { status: 200 }, dice: 0 }, at(2));
    }
    let place = sent.iter().position(|id| id.as_str() == "one/2").unwrap();
    assert!(place < 7, "{sent:?}");
}
