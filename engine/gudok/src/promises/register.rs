//! One ticket, one number, one change of the ledger.

use super::{Promises, paper};
use crate::clock::millis;
use gudok_admin::documents::{TicketDocument, kinds};
use gudok_core::ids::Agency;
use gudok_core::outbox::{Delivery, DeliveryId};
use gudok_core::ticket::{KEY_BYTES_MAX, TicketCounts, TicketKind, TicketNumber};
use gudok_store::{AuditDraft, Expected, LedgerChange, Put, StoreError, UtcMs};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The count of an agency's tickets, by agency.
const COUNT_KIND: &str = "ticket-count";
/// Which ticket an idempotency key stands for, by the hash of the key and of who used it.
const KEY_KIND: &str = "ticket-key";
/// A key is remembered for so long: whoever repeats a request does it sooner.
const KEY_KEPT: Duration = Duration::from_secs(180 * 24 * 3_600);
/// Somebody else had the number or the key: once more, and not for ever.
const ATTEMPTS_MAX: usize = 4;

/// Who asks, as far as the idempotency key minds: two who use the same key do not meet each other's tickets.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A script of an agency.
    Script { agency: Agency, script: Arc<str> },
    /// A person.
    Person { name: String, via: &'static str },
}

impl Origin {
    fn scope(&self) -> String {
        match self {
            Self::Script { agency, script } => format!("script\0{agency}\0{script}"),
            Self::Person { name, .. } => format!("person\0{name}"),
        }
    }
}

/// Why nothing was registered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unregistered {
    #[error("an idempotency key has 1 to {KEY_BYTES_MAX} bytes")]
    Key,
    #[error("{0} tickets wait for their agencies, as many as may; see the deliveries that fail")]
    Full(usize),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the ledger's {0} is not understood")]
    Damaged(&'static str),
}

#[derive(Serialize, Deserialize)]
struct CountDocument {
    counts: BTreeMap<i16, u64>,
}

#[derive(Serialize, Deserialize)]
struct KeyDocument {
    ticket: String,
}

impl Promises {
    /// Registers a ticket and answers its number once everything is durable. The same key of the same origin answers the
    /// number of the first ticket. The document's number and key are filled in here.
    pub(super) async fn register(
        &self,
        origin: &Origin,
        key: &str,
        kind: TicketKind,
        ticket: TicketDocument,
    ) -> Result<String, Unregistered> {
        if !(1..=KEY_BYTES_MAX).contains(&key.len()) {
            return Err(Unregistered::Key);
        }
        let key = crate::hex::hex(&Sha256::digest(format!("{}\0{key}", origin.scope())));
        for _ in 0..ATTEMPTS_MAX {
            if let Some(known) = self.known(&key).await? {
                return Ok(known);
            }
            if !self.outbox.has_room() {
                return Err(Unregistered::Full(gudok_core::outbox::OPEN_MAX));
            }
            match self.commit(origin, &key, kind, ticket.clone()).await {
                // Somebody registered under this key meanwhile; or a number that the ledger knows already was drawn.
                Err(Unregistered::Store(StoreError::Stale { .. })) => {}
                done => return done,
            }
        }
        Err(Unregistered::Store(StoreError::Busy { queue: "tickets", limit: ATTEMPTS_MAX }))
    }

    /// The number that a key stands for.
    async fn known(&self, key: &str) -> Result<Option<String>, Unregistered> {
        let Some(document) = self.store.ledger_get(KEY_KIND, key, self.now()).await? else { return Ok(None) };
        let document: KeyDocument =
            serde_json::from_slice(&document.body).map_err(|_| Unregistered::Damaged(KEY_KIND))?;
        let number = document.ticket.split_once('/').map(|(_, number)| number.to_owned());
        number.map(Some).ok_or(Unregistered::Damaged(KEY_KIND))
    }

    async fn commit(
        &self,
        origin: &Origin,
        key: &str,
        kind: TicketKind,
        mut ticket: TicketDocument,
    ) -> Result<String, Unregistered> {
        let agency = Agency::new(ticket.agency.as_str());
        let now = self.now();
        // Numbers are drawn and handed to the store in one turn: what is durable later has the higher number, and the
        // count that is written last is the highest. Nobody waits for the disk meanwhile.
        let mut all = self.counts.lock().await;
        if !all.contains_key(&agency) {
            let counts = self.counts_kept(&agency, now).await?;
            all.insert(agency.clone(), counts);
        }
        let counts = all.entry(agency.clone()).or_default();
        let number = counts.next(&self.prefixes, kind, self.year(now));
        ticket.number = number.to_string();
        ticket.created_ms = now.0;
        key.clone_into(&mut ticket.key_sha256);
        let id = format!("{agency}/{number}");
        let delivery = delivery(&id, &agency, &number, now);
        let mut change = LedgerChange::default();
        for (kind, id) in [(KEY_KIND, key), (kinds::TICKET, id.as_str())] {
            change.expect.push(Expected { kind: kind.to_owned(), id: id.to_owned(), revision: 0 });
        }
        let puts = [
            put(COUNT_KIND, agency.as_str(), &CountDocument { counts: counts.0.clone() }, None),
            put(KEY_KIND, key, &KeyDocument { ticket: id.clone() }, Some(now.0 + millis(KEY_KEPT))),
            put(kinds::TICKET, &id, &ticket, None),
            put(kinds::DELIVERY, &id, &paper::delivery_document(&delivery, Duration::ZERO), None),
        ];
        for put in puts {
            change.puts.push(put.map_err(|_| Unregistered::Damaged("ticket"))?);
        }
        change.audit.extend(audit(origin, &id, &ticket));
        let written = self.store.ledger_commit(change, now);
        drop(all);
        written.await?;
        super::figures::ticket_registered(&agency, kind);
        self.outbox.add(delivery);
        Ok(ticket.number)
    }

    async fn counts_kept(&self, agency: &Agency, now: UtcMs) -> Result<TicketCounts, Unregistered> {
        let Some(document) = self.store.ledger_get(COUNT_KIND, agency.as_str(), now).await? else {
            return Ok(TicketCounts::default());
        };
        let counts: Result<CountDocument, _> = serde_json::from_slice(&document.body);
        Ok(TicketCounts(counts.map_err(|_| Unregistered::Damaged(COUNT_KIND))?.counts))
    }

    fn year(&self, now: UtcMs) -> i16 {
        let moment = i64::try_from(now.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        self.zone.to_datetime(moment.unwrap_or(jiff::Timestamp::MAX)).year()
    }
}

fn delivery(id: &str, agency: &Agency, number: &TicketNumber, now: UtcMs) -> Delivery {
    let created = gudok_core::time::Timestamp::from_millis(now.0);
    Delivery::new(DeliveryId::new(id), agency.clone(), number.order(), created)
}

/// People are answerable for what they write; scripts' tickets say themselves whose they are.
fn audit(origin: &Origin, id: &str, ticket: &TicketDocument) -> Option<AuditDraft> {
    let Origin::Person { name, via } = origin else { return None };
    Some(AuditDraft {
        actor: name.clone(),
        via: (*via).to_owned(),
        action: "ticket.register".to_owned(),
        object: format!("ticket:{id}"),
        agency: Some(ticket.agency.to_string()),
        details: serde_json::json!({ "kind": ticket.kind, "call": ticket.call }),
    })
}

fn put(kind: &str, id: &str, body: &impl Serialize, expires_ms: Option<u64>) -> Result<Put, serde_json::Error> {
    let body = serde_json::to_vec(body)?;
    Ok(Put { kind: kind.to_owned(), id: id.to_owned(), body, expires: expires_ms.map(UtcMs) })
}
