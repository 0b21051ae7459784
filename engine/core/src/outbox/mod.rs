//! The outbox: tickets on their way to their agencies, at least once, in order where that is promised.
//!
//! [`OutboxMachine`] is told of deliveries ([`OutboxInput::Add`]), of agencies' endpoints ([`OutboxInput::Endpoint`]) and of how
//! each sending went ([`OutboxInput::Sent`]); it says what to send now and what to write down
//! ([`OutboxMachine::poll_command`]). After every input, drain the commands, then ask for the
//! [`OutboxMachine::deadline`]. It holds what is open and nothing else: who is delivered or dead is in the ledger.
//!
//! *Architecture Invariant:* a delivery leaves the machine only as delivered or dead, and each of the two is said with a
//! [`OutboxCommand::Save`]. What is lost with a process is sent again under the same key: at least once, and once for a
//! receiver that minds the key.
//!
//! *Architecture Invariant:* a delivery is never on its way twice at a time; in an ordered stream nothing is on its way
//! while an older one is open.

mod backoff;
mod delivery;

#[cfg(test)]
mod tests;

pub use backoff::Backoff;
pub use delivery::{DeadReason, Delivery, DeliveryId, DeliveryState, SendOutcome};

use crate::ids::Agency;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

/// Open deliveries, of all agencies together; one more is refused, and its ticket with it.
pub const OPEN_MAX: usize = 100_000;

/// The status by which an agency says that it wants no more of it (RFC 9110, 15.5.11).
const GONE: u16 = 410;

/// How deliveries are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutboxSettings {
    /// Between attempts.
    pub backoff: Backoff,
    /// A delivery is given up so long after its first attempt.
    pub give_up_after: Duration,
    /// On their way at once, all agencies together.
    pub sending_max: usize,
}

impl Default for OutboxSettings {
    /// Three days: a back end that fails on Friday evening has Monday.
    fn default() -> Self {
        Self {
            backoff: Backoff { first: Duration::from_secs(2), max: Duration::from_secs(15 * 60) },
            give_up_after: Duration::from_secs(3 * 24 * 3_600),
            sending_max: 64,
        }
    }
}

/// Where an agency's deliveries go, as far as this machine minds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// One after another, in the order of their numbers: a later one waits for an earlier one, until that is dead.
    pub ordered: bool,
    /// On their way at once; 1 where they are ordered.
    pub sending_max: usize,
}

/// What happens to the outbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OutboxInput {
    /// At the start: what a former process left, all of it at once, so that the order holds.
    Recovered(Vec<Delivery>),
    /// A delivery that is durable already: a new one, in the order of their numbers, or a dead one that somebody sends again.
    Add(Box<Delivery>),
    /// An agency has an endpoint, another one, or none any more: then its deliveries wait, and none dies of it.
    Endpoint(Agency, Option<Endpoint>),
    /// How a sending went; `dice` is drawn anew each time, for the jitter.
    Sent {
        /// Which.
        id: DeliveryId,
        /// How.
        outcome: SendOutcome,
        /// Random.
        dice: u64,
    },
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OutboxCommand {
    /// Send it now. Answered with [`OutboxInput::Sent`].
    Send {
        /// Which.
        id: DeliveryId,
        /// Whose.
        agency: Agency,
        /// From 1.
        attempt: u32,
    },
    /// Write down how it stands now, in the order of the commands. A loss costs an attempt, never a delivery.
    Save(Box<Delivery>),
    /// It is dead: somebody should look.
    Died(DeliveryId),
}

/// Counts of what is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OutboxCounts {
    /// Wait for their time, or for an endpoint.
    pub waiting: usize,
    /// Of these, for an endpoint.
    pub without_endpoint: usize,
    /// On their way.
    pub sending: usize,
}

/// See the module's page.
#[derive(Clone, Debug)]
pub struct OutboxMachine {
    settings: OutboxSettings,
    open: HashMap<DeliveryId, Delivery>,
    streams: BTreeMap<Agency, Stream>,
    sending: usize,
    /// Who was served last: the next round begins behind.
    served: Option<Agency>,
    commands: VecDeque<OutboxCommand>,
}

/// One agency's deliveries.
#[derive(Clone, Debug, Default)]
struct Stream {
    endpoint: Option<Endpoint>,
    /// Those that wait, by when they may go.
    by_time: BTreeSet<(Timestamp, u64, DeliveryId)>,
    /// Every open one, by its number's order.
    by_order: BTreeSet<(u64, DeliveryId)>,
    sending: usize,
}

impl OutboxMachine {
    /// With nothing in it.
    #[must_use]
    pub fn new(settings: OutboxSettings) -> Self {
        Self {
            settings,
            open: HashMap::new(),
            streams: BTreeMap::new(),
            sending: 0,
            served: None,
            commands: VecDeque::new(),
        }
    }

    /// Whether one more may be promised.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.open.len() < OPEN_MAX
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: OutboxInput, now: Timestamp) {
        match input {
            OutboxInput::Recovered(deliveries) => deliveries.into_iter().for_each(|delivery| self.add(delivery, now)),
            OutboxInput::Add(delivery) => self.add(*delivery, now),
            OutboxInput::Endpoint(agency, endpoint) => {
                self.streams.entry(agency).or_default().endpoint = endpoint;
            }
            OutboxInput::Sent { id, outcome, dice } => self.sent(&id, outcome, dice, now),
        }
        self.send(now);
    }

    /// The deadline has come.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.send(now);
    }

    /// The next thing to do.
    pub fn poll_command(&mut self) -> Option<OutboxCommand> {
        self.commands.pop_front()
    }

    /// When [`OutboxMachine::handle_timeout`] is due; none while nothing waits for a time.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.sending >= self.settings.sending_max {
            return None;
        }
        self.streams.values().filter_map(|stream| self.next_of(stream)).map(|(at, _)| at).min()
    }

    /// How many are open.
    #[must_use]
    pub fn counts(&self) -> OutboxCounts {
        let homeless = |stream: &&Stream| stream.endpoint.is_none();
        OutboxCounts {
            waiting: self.open.len() - self.sending,
            without_endpoint: self.streams.values().filter(homeless).map(|stream| stream.by_time.len()).sum(),
            sending: self.sending,
        }
    }

    /// An open delivery.
    #[must_use]
    pub fn open(&self, id: &DeliveryId) -> Option<&Delivery> {
        self.open.get(id)
    }

    fn add(&mut self, mut delivery: Delivery, now: Timestamp) {
        if self.open.contains_key(&delivery.id) {
            return;
        }
        let not_before = match delivery.state {
            DeliveryState::Waiting { not_before } => not_before,
            // Somebody sends it again: from the beginning.
            DeliveryState::Dead { .. } => {
                delivery.attempts = 0;
                delivery.first_attempt = None;
                now
            }
            DeliveryState::Delivered { .. } => return,
        };
        delivery.state = DeliveryState::Waiting { not_before };
        let stream = self.streams.entry(delivery.agency.clone()).or_default();
        stream.by_time.insert((not_before, delivery.order, delivery.id.clone()));
        stream.by_order.insert((delivery.order, delivery.id.clone()));
        self.open.insert(delivery.id.clone(), delivery);
    }

    fn sent(&mut self, id: &DeliveryId, outcome: SendOutcome, dice: u64, now: Timestamp) {
        let Some(mut delivery) = self.open.get(id).cloned() else { return };
        let Some(stream) = self.streams.get_mut(&delivery.agency) else { return };
        let DeliveryState::Waiting { not_before } = delivery.state else { return };
        if stream.by_time.contains(&(not_before, delivery.order, id.clone())) {
            // It is not on its way: an answer that nobody waits for.
            return;
        }
        stream.sending -= 1;
        self.sending -= 1;
        let first = delivery.first_attempt.unwrap_or(now);
        delivery.first_attempt = Some(first);
        delivery.attempts = delivery.attempts.saturating_add(1);
        delivery.state = match outcome {
            SendOutcome::Accepted { status } => {
                delivery.status = Some(status);
                DeliveryState::Delivered { at: now }
            }
            SendOutcome::Gone { problem } => {
                (delivery.status, delivery.problem) = (Some(GONE), Some(problem));
                DeliveryState::Dead { at: now, reason: DeadReason::Refused }
            }
            SendOutcome::Failed { status, problem, retry_after } => {
                (delivery.status, delivery.problem) = (status, Some(problem));
                let wait = self.settings.backoff.after(delivery.attempts, dice).max(retry_after.unwrap_or_default());
                let next = now + wait.min(self.settings.backoff.max);
                if next.since(first) > self.settings.give_up_after {
                    DeliveryState::Dead { at: now, reason: DeadReason::GivenUp }
                } else {
                    DeliveryState::Waiting { not_before: next }
                }
            }
        };
        if let DeliveryState::Waiting { not_before } = delivery.state {
            stream.by_time.insert((not_before, delivery.order, id.clone()));
            self.open.insert(id.clone(), delivery.clone());
        } else {
            stream.by_order.remove(&(delivery.order, id.clone()));
            self.open.remove(id);
        }
        let died = matches!(delivery.state, DeliveryState::Dead { .. });
        self.commands.push_back(OutboxCommand::Save(Box::new(delivery)));
        if died {
            self.commands.push_back(OutboxCommand::Died(id.clone()));
        }
    }

    /// Whose turn it is in a stream, and from when on; none where nothing may go.
    fn next_of<'a>(&'a self, stream: &'a Stream) -> Option<(Timestamp, &'a DeliveryId)> {
        let endpoint = stream.endpoint?;
        if endpoint.ordered {
            let (_, id) = stream.by_order.first().filter(|_| stream.sending == 0)?;
            return match self.open.get(id)?.state {
                DeliveryState::Waiting { not_before } => Some((not_before, id)),
                _ => None,
            };
        }
        let room = stream.sending < endpoint.sending_max.max(1);
        stream.by_time.first().filter(|_| room).map(|(at, _, id)| (*at, id))
    }

    /// Sends what may go now: one of each agency in turn, so that nobody's heap holds up the others.
    fn send(&mut self, now: Timestamp) {
        while self.sending < self.settings.sending_max {
            let due = |(agency, stream): (&Agency, &Stream)| {
                self.next_of(stream).filter(|(at, _)| *at <= now).map(|(_, id)| (agency.clone(), id.clone()))
            };
            let behind = self.served.as_ref().map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
            let mut later = self.streams.range((behind, std::ops::Bound::Unbounded));
            let Some((agency, id)) = later.find_map(due).or_else(|| self.streams.iter().find_map(due)) else { return };
            self.start(&agency, &id);
            self.served = Some(agency);
        }
    }

    fn start(&mut self, agency: &Agency, id: &DeliveryId) {
        let (Some(delivery), Some(stream)) = (self.open.get(id), self.streams.get_mut(agency)) else { return };
        if let DeliveryState::Waiting { not_before } = delivery.state {
            stream.by_time.remove(&(not_before, delivery.order, id.clone()));
        }
        stream.sending += 1;
        self.sending += 1;
        let attempt = delivery.attempts.saturating_add(1);
        self.commands.push_back(OutboxCommand::Send { id: id.clone(), agency: agency.clone(), attempt });
    }
}
