//! The task around the outbox's machine: it reads the ledger at the start, sends what the machine says, writes down what
//! it says, and waits.

use super::webhook::{self, Sending};
use super::{Parts, Webhook, figures, paper};
use crate::clock::EngineClock;
use crate::clock::millis;
use crate::keys::Subjects;
use gudok_admin::documents::{DeliveryDocument, DeliveryState as Written, TicketDocument, kinds};
use gudok_core::ids::Agency;
use gudok_core::outbox::{
    Delivery, DeliveryId, DeliveryState, OPEN_MAX, OutboxCommand, OutboxInput, OutboxMachine, OutboxSettings,
    SendOutcome,
};
use gudok_plugin_host::http::HttpFetch;
use gudok_plugin_host::ports::Clock;
use gudok_store::{LedgerChange, LedgerQuery, Put, Store, StoreError, UtcMs};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// What could not be written down is tried again so often.
const SAVE_AGAIN_EVERY: Duration = Duration::from_secs(5);
/// The ledger is asked again so often, where it cannot be read at the start.
const RECOVER_AGAIN_EVERY: Duration = Duration::from_secs(10);
/// What became of a delivery is shown for so long.
const ENDED_KEPT: Duration = Duration::from_secs(180 * 24 * 3_600);

enum Message {
    Add(Box<Delivery>),
    Webhooks(HashMap<Agency, Webhook>),
    Sent { id: DeliveryId, outcome: SendOutcome },
    NotSaved(Box<Delivery>),
    Retry { id: String, answer: oneshot::Sender<Result<(), RetryRefusal>> },
}

/// Why a delivery is not sent again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetryRefusal {
    #[error("there is no such delivery")]
    Unknown,
    #[error("it was not given up")]
    NotDead,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The way to the task.
pub(crate) struct Outbox {
    inbox: mpsc::UnboundedSender<Message>,
    /// Promised and not ended: what bounds the inbox, too.
    open: Arc<AtomicUsize>,
}

impl Outbox {
    pub(super) fn start(parts: &Parts) -> Self {
        // Unbounded as a channel, bounded by what goes in: open deliveries, and one answer for each that is on its way.
        let (inbox, messages) = mpsc::unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let task = Task {
            store: Arc::clone(&parts.store),
            clock: Arc::clone(&parts.clock),
            subjects: parts.subjects.clone(),
            http: parts.http.clone(),
            settings: parts.settings,
            machine: OutboxMachine::new(parts.settings),
            webhooks: HashMap::new(),
            unsaved: HashMap::new(),
            inbox: inbox.clone(),
            open: Arc::clone(&open),
        };
        tokio::spawn(task.run(messages));
        Self { inbox, open }
    }

    /// Whether one more may be promised.
    pub(super) fn has_room(&self) -> bool {
        self.open.load(Ordering::Acquire) < OPEN_MAX
    }

    /// A delivery that is durable.
    pub(super) fn add(&self, delivery: Delivery) {
        self.open.fetch_add(1, Ordering::AcqRel);
        // The task lives as long as the process; what it is not told, the next one finds.
        let _ = self.inbox.send(Message::Add(Box::new(delivery)));
    }

    pub(super) fn take_webhooks(&self, webhooks: HashMap<Agency, Webhook>) {
        let _ = self.inbox.send(Message::Webhooks(webhooks));
    }

    /// A dead delivery is sent again, from the beginning.
    pub(crate) async fn retry(&self, id: String) -> Result<(), RetryRefusal> {
        let (answer, answered) = oneshot::channel();
        let _ = self.inbox.send(Message::Retry { id, answer });
        answered.await.unwrap_or(Err(RetryRefusal::Unknown))
    }
}

struct Task {
    store: Arc<dyn Store>,
    clock: Arc<EngineClock>,
    subjects: Subjects,
    http: HttpFetch,
    settings: OutboxSettings,
    machine: OutboxMachine,
    webhooks: HashMap<Agency, Webhook>,
    /// What could not be written down, the latest of each.
    unsaved: HashMap<DeliveryId, Delivery>,
    inbox: mpsc::UnboundedSender<Message>,
    open: Arc<AtomicUsize>,
}

impl Task {
    async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        self.recover().await;
        loop {
            self.obey();
            let due = self.machine.deadline().map(|deadline| self.clock.instant(deadline));
            let save = !self.unsaved.is_empty();
            tokio::select! {
                message = messages.recv() => match message {
                    Some(message) => self.hear(message).await,
                    None => return,
                },
                () = until(due) => self.machine.handle_timeout(self.clock.now()),
                () = tokio::time::sleep(SAVE_AGAIN_EVERY), if save => self.save_again(),
            }
        }
    }

    /// What a former process left. Without it nothing is sent: an older delivery of an ordered stream may be among it.
    async fn recover(&mut self) {
        loop {
            match self.left().await {
                Ok(left) => {
                    self.open.fetch_add(left.len(), Ordering::AcqRel);
                    if !left.is_empty() {
                        tracing::info!(tickets = left.len(), "tickets wait for their agencies since before the start");
                    }
                    return self.machine.handle(OutboxInput::Recovered(left), self.clock.now());
                }
                Err(error) => {
                    tracing::error!(%error, "the deliveries cannot be read; nothing is sent until they can be");
                    tokio::time::sleep(RECOVER_AGAIN_EVERY).await;
                }
            }
        }
    }

    async fn left(&self) -> Result<Vec<Delivery>, StoreError> {
        let (mut left, mut after) = (Vec::new(), None);
        loop {
            let query = LedgerQuery { kind: kinds::DELIVERY.to_owned(), after, ..LedgerQuery::default() };
            let page = self.store.ledger_list(query, self.now()).await?;
            for document in &page.documents {
                let read: Result<DeliveryDocument, _> = serde_json::from_slice(&document.body);
                let delivery =
                    read.ok().and_then(|read| paper::delivery(&document.id, &read, self.settings.give_up_after));
                match delivery {
                    Some(delivery) if matches!(delivery.state, DeliveryState::Waiting { .. }) => left.push(delivery),
                    Some(_) => {}
                    None => tracing::error!(id = document.id, "a delivery is not understood"),
                }
            }
            match page.more_after {
                Some(more) => after = Some(more),
                None => return Ok(left),
            }
        }
    }

    async fn hear(&mut self, message: Message) {
        let now = self.clock.now();
        match message {
            Message::Add(delivery) => self.machine.handle(OutboxInput::Add(delivery), now),
            Message::Sent { id, outcome } => {
                let dice = rand::random();
                self.machine.handle(OutboxInput::Sent { id, outcome, dice }, now);
            }
            Message::NotSaved(delivery) => {
                // How it stands by now: what is older must not take the place of what was written since.
                let ended = !matches!(delivery.state, DeliveryState::Waiting { .. });
                let latest = self.machine.open(&delivery.id).cloned().or_else(|| ended.then_some(*delivery));
                if let Some(latest) = latest {
                    self.unsaved.insert(latest.id.clone(), latest);
                }
            }
            Message::Webhooks(webhooks) => {
                let gone = self.webhooks.keys().filter(|agency| !webhooks.contains_key(*agency)).cloned();
                for agency in gone.collect::<Vec<_>>() {
                    self.machine.handle(OutboxInput::Endpoint(agency, None), now);
                }
                for (agency, webhook) in &webhooks {
                    self.machine.handle(OutboxInput::Endpoint(agency.clone(), Some(webhook.endpoint())), now);
                }
                self.webhooks = webhooks;
            }
            Message::Retry { id, answer } => {
                let retried = self.retry(&id).await;
                let _ = answer.send(retried);
            }
        }
    }

    async fn retry(&mut self, id: &str) -> Result<(), RetryRefusal> {
        let document = self.store.ledger_get(kinds::DELIVERY, id, self.now()).await?.ok_or(RetryRefusal::Unknown)?;
        let document: DeliveryDocument = serde_json::from_slice(&document.body).map_err(|_| RetryRefusal::Unknown)?;
        if document.state != Written::Dead || self.machine.open(&DeliveryId::new(id)).is_some() {
            return Err(RetryRefusal::NotDead);
        }
        let mut delivery = paper::delivery(id, &document, self.settings.give_up_after).ok_or(RetryRefusal::Unknown)?;
        let now = self.clock.now();
        delivery.state = DeliveryState::Waiting { not_before: now };
        (delivery.attempts, delivery.first_attempt) = (0, None);
        // Durable before it is answered: a person was told that it goes on.
        let put = self.put(&delivery).map_err(|_| RetryRefusal::Unknown)?;
        self.store.ledger_commit(LedgerChange { puts: vec![put], ..LedgerChange::default() }, self.now()).await?;
        self.open.fetch_add(1, Ordering::AcqRel);
        self.machine.handle(OutboxInput::Add(Box::new(delivery)), now);
        Ok(())
    }

    /// Carries out what the machine says.
    fn obey(&mut self) {
        while let Some(command) = self.machine.poll_command() {
            match command {
                OutboxCommand::Send { id, agency, attempt } => self.send(id, agency, attempt),
                OutboxCommand::Save(delivery) => {
                    if !matches!(delivery.state, DeliveryState::Waiting { .. }) {
                        self.open.fetch_sub(1, Ordering::AcqRel);
                        figures::delivery_ended(&delivery.agency, matches!(delivery.state, DeliveryState::Dead { .. }));
                    }
                    self.unsaved.remove(&delivery.id);
                    self.save(delivery);
                }
                OutboxCommand::Died(id) => tracing::error!(
                    ticket = %id,
                    "a ticket could not be delivered and is given up; see the deliveries, and send it again by the button there"
                ),
            }
        }
        figures::outbox(self.machine.counts());
    }

    fn send(&self, id: DeliveryId, agency: Agency, attempt: u32) {
        let Some(webhook) = self.webhooks.get(&agency).cloned() else {
            let outcome =
                SendOutcome::Failed { status: None, problem: "the agency has no webhook".into(), retry_after: None };
            let _ = self.inbox.send(Message::Sent { id, outcome });
            return;
        };
        let (store, subjects, http, inbox) =
            (Arc::clone(&self.store), self.subjects.clone(), self.http.clone(), self.inbox.clone());
        let (now, now_s) = (self.now(), self.now().0 / 1_000);
        tokio::spawn(async move {
            let outcome = match ticket(&*store, &id, now).await {
                Ok((ticket, key)) => {
                    let contact = ticket.caller.as_ref().and_then(|party| subjects.reveal(party));
                    let body = webhook::body(&ticket, contact.as_ref());
                    let sending = Sending { agency: &agency, webhook: &webhook, key: &key, now_s, body };
                    webhook::send(&http, sending).await
                }
                Err(problem) => SendOutcome::Failed { status: None, problem: problem.into(), retry_after: None },
            };
            figures::delivery_attempted(&agency, matches!(outcome, SendOutcome::Accepted { .. }));
            tracing::debug!(target: "gudok::outbox", ticket = %id, attempt, ?outcome, "sent");
            let _ = inbox.send(Message::Sent { id, outcome });
        });
    }

    fn save_again(&mut self) {
        let unsaved: Vec<Delivery> = self.unsaved.drain().map(|(_, delivery)| delivery).collect();
        unsaved.into_iter().for_each(|delivery| self.save(Box::new(delivery)));
    }

    /// Writes down how a delivery stands. Handed over in order; nobody waits for it.
    fn save(&self, delivery: Box<Delivery>) {
        let Ok(put) = self.put(&delivery) else { return };
        // Urgent: it takes the place of what is there, and a full disk must not make a ticket go out again and again.
        let change = LedgerChange { puts: vec![put], urgent: true, ..LedgerChange::default() };
        let written = self.store.ledger_commit(change, self.now());
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            if let Err(error) = written.await {
                tracing::error!(ticket = %delivery.id, %error, "how a delivery stands could not be written down");
                let _ = inbox.send(Message::NotSaved(delivery));
            }
        });
    }

    fn put(&self, delivery: &Delivery) -> Result<Put, serde_json::Error> {
        let document = paper::delivery_document(delivery, self.settings.give_up_after);
        let ended = !matches!(delivery.state, DeliveryState::Waiting { .. });
        let until = self.now().0 + millis(ENDED_KEPT);
        Ok(Put {
            kind: kinds::DELIVERY.to_owned(),
            id: delivery.id.as_str().to_owned(),
            body: serde_json::to_vec(&document)?,
            expires: ended.then_some(UtcMs(until)),
        })
    }

    fn now(&self) -> UtcMs {
        UtcMs(self.clock.now().as_millis())
    }
}

/// The ticket, and the key by which its agency knows it.
async fn ticket(store: &dyn Store, id: &DeliveryId, now: UtcMs) -> Result<(TicketDocument, String), String> {
    let document = store.ledger_get(kinds::TICKET, id.as_str(), now).await.map_err(|error| error.to_string())?;
    let document = document.ok_or("the ticket is not in the ledger any more")?;
    let ticket = serde_json::from_slice(&document.body).map_err(|_| "the ticket is not understood")?;
    Ok((ticket, paper::key_of(id)))
}

async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
