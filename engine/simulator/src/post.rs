//! The post room of a world: tickets get numbers, and are delivered to agencies that answer, or do not, by the world's dice.
//! What is written down survives the engine.

use crate::decide::{Decision, Moment, Promised, SharedDecider};
use crate::dice::Dice;
use crate::tasks::SharedDesk;
use gudok_core::ids::Agency;
use gudok_core::outbox::{
    Delivery, DeliveryId, Endpoint, OutboxCommand, OutboxInput, OutboxMachine, OutboxSettings, SendOutcome,
};
use gudok_core::ticket::{TicketCounts, TicketKind, TicketPrefixes};
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::{
    BoxFuture, NewTicket, PromiseError, PromisesPort, SurveyResult, TicketKind as PortTicketKind,
};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Deliveries on their way at once to one agency.
const SENDING_MAX: usize = 8;
/// The agency's answer may take so long.
const ANSWER_MAX: Duration = Duration::from_secs(5);
const STATUS_ACCEPTED: u16 = 202;
const STATUS_FAILED: u16 = 500;
/// Tickets of one world are of one year: the world's clock says which does not matter to anybody in it.
const YEAR: i16 = 2026;

/// A ticket that was registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimTicket {
    /// "К-2026-000123".
    pub number: Arc<str>,
    /// As the script registered it.
    pub ticket: NewTicket,
    /// How often its agency took it; more than once only where an answer got lost, and then under the same key.
    pub taken: u32,
}

/// The post room.
#[derive(Debug)]
pub(crate) struct Post {
    outbox: OutboxMachine,
    dice: Dice,
    failing_percent: u8,
    counts: BTreeMap<Agency, TicketCounts>,
    tickets: BTreeMap<DeliveryId, SimTicket>,
    by_key: BTreeMap<(Agency, Arc<str>), Arc<str>>,
    /// As it was written down last.
    ledger: BTreeMap<DeliveryId, Delivery>,
    surveys: Vec<SurveyResult>,
    now: Timestamp,
}

/// An answer that is on its way back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) after: Duration,
    id: DeliveryId,
    outcome: SendOutcome,
    taken: bool,
}

impl Post {
    pub(crate) fn new(dice: Dice, failing_percent: u8, now: Timestamp) -> Self {
        Self {
            outbox: OutboxMachine::new(OutboxSettings::default()),
            dice,
            failing_percent,
            counts: BTreeMap::new(),
            tickets: BTreeMap::new(),
            by_key: BTreeMap::new(),
            ledger: BTreeMap::new(),
            surveys: Vec::new(),
            now,
        }
    }

    fn register(&mut self, ticket: NewTicket) -> Arc<str> {
        let key = (ticket.source.agency.clone(), Arc::clone(&ticket.idempotency_key));
        if let Some(number) = self.by_key.get(&key) {
            return Arc::clone(number);
        }
        let to = ticket.to_agency.clone();
        let number =
            self.counts.entry(to.clone()).or_default().next(&TicketPrefixes::default(), kind(ticket.kind), YEAR);
        let (order, text): (u64, Arc<str>) = (number.order(), number.to_string().into());
        let id = DeliveryId::new(&format!("{to}/{text}"));
        let delivery = Delivery::new(id.clone(), to.clone(), order, self.now);
        self.ledger.insert(id.clone(), delivery.clone());
        self.by_key.insert(key, Arc::clone(&text));
        self.tickets.insert(id, SimTicket { number: Arc::clone(&text), ticket, taken: 0 });
        let endpoint = Endpoint { ordered: false, sending_max: SENDING_MAX };
        self.outbox.handle(OutboxInput::Endpoint(to, Some(endpoint)), self.now);
        self.outbox.handle(OutboxInput::Add(Box::new(delivery)), self.now);
        text
    }

    /// What goes out now, with the answers that will come.
    pub(crate) fn drain(&mut self, now: Timestamp) -> Vec<Answer> {
        self.now = now;
        let mut answers = Vec::new();
        while let Some(command) = self.outbox.poll_command() {
            match command {
                OutboxCommand::Send { id, .. } => answers.push(self.send(id)),
                OutboxCommand::Save(delivery) => drop(self.ledger.insert(delivery.id.clone(), *delivery)),
                OutboxCommand::Died(_) => {}
            }
        }
        answers
    }

    fn send(&mut self, id: DeliveryId) -> Answer {
        let fails = self.dice.percent(self.failing_percent);
        // Of the failures, some are answers that got lost: the agency has it, and hears of it again.
        let taken = !fails || self.dice.percent(25);
        let outcome = if fails {
            SendOutcome::Failed { status: Some(STATUS_FAILED), problem: Arc::from("500"), retry_after: None }
        } else {
            SendOutcome::Accepted { status: STATUS_ACCEPTED }
        };
        Answer { after: self.dice.up_to(ANSWER_MAX), id, outcome, taken }
    }

    pub(crate) fn answered(&mut self, answer: Answer, now: Timestamp) {
        self.now = now;
        if answer.taken
            && let Some(ticket) = self.tickets.get_mut(&answer.id)
        {
            ticket.taken += 1;
        }
        let dice = self.dice.roll();
        self.outbox.handle(OutboxInput::Sent { id: answer.id, outcome: answer.outcome, dice }, now);
    }

    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.outbox.deadline()
    }

    pub(crate) fn handle_timeout(&mut self, now: Timestamp) {
        self.now = now;
        self.outbox.handle_timeout(now);
    }

    /// The engine is gone: what was on its way is sent again from what is written down.
    pub(crate) fn restarts(&mut self, now: Timestamp) {
        self.now = now;
        self.outbox = OutboxMachine::new(OutboxSettings::default());
        let endpoint = Endpoint { ordered: false, sending_max: SENDING_MAX };
        for agency in self.counts.keys().cloned().collect::<Vec<_>>() {
            self.outbox.handle(OutboxInput::Endpoint(agency, Some(endpoint)), now);
        }
        self.outbox.handle(OutboxInput::Recovered(self.ledger.values().cloned().collect()), now);
    }

    /// On their way, or to be sent.
    pub(crate) fn open(&self) -> usize {
        let counts = self.outbox.counts();
        counts.waiting + counts.sending
    }

    pub(crate) fn tickets(&self) -> Vec<SimTicket> {
        self.tickets.values().cloned().collect()
    }

    pub(crate) fn surveys(&self) -> Vec<SurveyResult> {
        self.surveys.clone()
    }
}

const fn kind(kind: PortTicketKind) -> TicketKind {
    match kind {
        PortTicketKind::Complaint => TicketKind::Complaint,
        PortTicketKind::OutdatedInformation => TicketKind::OutdatedInformation,
        PortTicketKind::Request => TicketKind::Request,
    }
}

/// The scripts' way to the post room.
pub(crate) struct SimPromises {
    pub(crate) post: Arc<Mutex<Post>>,
    pub(crate) desk: SharedDesk,
    pub(crate) decider: Option<SharedDecider>,
}

impl SimPromises {
    /// Promises are kept, as far as nobody decides otherwise.
    fn decided(&self, promised: Promised) -> Result<(), PromiseError> {
        let Some(decider) = &self.decider else { return Ok(()) };
        match decider.lock().decide(&Moment::Promises(promised)) {
            Decision::NoPromise => Err(PromiseError::Unavailable("decided so".into())),
            Decision::HangUp => {
                self.desk.lock().leaves = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl PromisesPort for SimPromises {
    fn submit_ticket(&self, ticket: NewTicket) -> BoxFuture<'_, Result<Arc<str>, PromiseError>> {
        let decided = self.decided(Promised::Ticket(ticket.kind, Arc::from(ticket.to_agency.as_str())));
        Box::pin(std::future::ready(decided.map(|()| self.post.lock().register(ticket))))
    }

    fn submit_survey(&self, survey: SurveyResult) -> BoxFuture<'_, Result<(), PromiseError>> {
        if let Err(error) = self.decided(Promised::Survey(Arc::clone(&survey.survey))) {
            return Box::pin(std::future::ready(Err(error)));
        }
        let surveys = &mut self.post.lock().surveys;
        surveys.retain(|kept| kept.source.call != survey.source.call || kept.survey != survey.survey);
        surveys.push(survey);
        Box::pin(std::future::ready(Ok(())))
    }
}
