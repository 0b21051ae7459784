//! Between the core's words and the ledger's documents.

use crate::clock::millis;
use gudok_admin::documents::{DeliveryDocument, DeliveryState as Written};
use gudok_core::ids::Agency;
use gudok_core::outbox::{DeadReason, Delivery, DeliveryId, DeliveryState};
use gudok_core::ticket::TicketNumber;
use gudok_core::time::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// Of a delivery's key: enough that no two tickets share one.
const KEY_BYTES: usize = 16;

/// How a delivery stands, as the ledger keeps it. `give_up_after` counts from the first attempt.
pub(super) fn delivery_document(delivery: &Delivery, give_up_after: Duration) -> DeliveryDocument {
    let (state, next, ended) = match delivery.state {
        DeliveryState::Waiting { not_before } => (Written::Waiting, Some(not_before), None),
        DeliveryState::Delivered { at } => (Written::Delivered, None, Some(at)),
        DeliveryState::Dead { at, .. } => (Written::Dead, None, Some(at)),
    };
    let ms = |at: Timestamp| at.as_millis();
    DeliveryDocument {
        state,
        key: key_of(&delivery.id),
        attempts: delivery.attempts,
        created_ms: delivery.created.as_millis(),
        next_ms: next.map(ms),
        deadline_ms: delivery.first_attempt.map(|first| ms(first + give_up_after)).unwrap_or_default(),
        ended_ms: ended.map(ms),
        last_status: delivery.status,
        last_error: delivery.problem.as_ref().map(ToString::to_string),
    }
}

/// By what an agency knows a ticket, in every attempt: it tells nobody on the way whose ticket it is.
pub(super) fn key_of(id: &DeliveryId) -> String {
    let hash = Sha256::digest(id.as_str());
    format!("msg_{}", crate::hex::hex(&hash[..KEY_BYTES]))
}

/// A delivery as it stood when it was written down; none of what has no number as its name.
pub(super) fn delivery(id: &str, document: &DeliveryDocument, give_up_after: Duration) -> Option<Delivery> {
    let (agency, number) = id.split_once('/')?;
    let give_up_ms = millis(give_up_after);
    let first_attempt = (document.deadline_ms > 0).then(|| document.deadline_ms.saturating_sub(give_up_ms));
    let at = Timestamp::from_millis(document.ended_ms.unwrap_or_default());
    Some(Delivery {
        id: DeliveryId::new(id),
        agency: Agency::new(agency),
        order: TicketNumber::parse(number)?.order(),
        created: Timestamp::from_millis(document.created_ms),
        attempts: document.attempts,
        first_attempt: first_attempt.map(Timestamp::from_millis),
        status: document.last_status,
        problem: document.last_error.as_deref().map(Arc::from),
        state: match document.state {
            Written::Waiting => DeliveryState::Waiting {
                not_before: Timestamp::from_millis(document.next_ms.unwrap_or(document.created_ms)),
            },
            Written::Delivered => DeliveryState::Delivered { at },
            Written::Dead => DeliveryState::Dead { at, reason: DeadReason::GivenUp },
        },
    })
}
