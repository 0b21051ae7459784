//! Promises: tickets and surveys, durable before they are answered, and the outbox that brings tickets to their agencies.
//!
//! A ticket, the count that its number came from, its delivery and its idempotency key are one change of the ledger. The
//! driver of the outbox is told of it afterwards; where the process dies in between, the next one finds the delivery
//! in the ledger.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `register` | one ticket, one number, one change of the ledger |
//! | `paper` | the core's words and the ledger's documents |
//! | `port` | scripts' and people's ways in |
//! | `outbox` | the task around [`gudok_core::outbox::OutboxMachine`] |
//! | `webhook` | one sending: body, signature, HTTP |
//! | `endpoints`, `follow` | where agencies' tickets go, by file and ledger |

mod endpoints;
mod figures;
mod follow;
mod outbox;
mod paper;
mod port;
mod register;
mod webhook;

pub(crate) use endpoints::Webhook;
pub(crate) use follow::webhooks;
pub(crate) use outbox::Outbox;
pub(crate) use register::Origin;

use crate::clock::EngineClock;
use crate::keys::Subjects;
use crate::live::LiveCalls;
use gudok_core::ids::Agency;
use gudok_core::outbox::{OutboxSettings, SendOutcome};
use gudok_core::routing::NumberPlan;
use gudok_core::ticket::{TicketCounts, TicketPrefixes};
use gudok_plugin_host::http::HttpFetch;
use gudok_plugin_host::ports::Clock;
use gudok_store::{Store, UtcMs};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::Arc;
use webhook::Sending;

/// What promises are made with.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<EngineClock>,
    pub(crate) live: Arc<LiveCalls>,
    pub(crate) subjects: Subjects,
    pub(crate) plan: NumberPlan,
    /// Whose years the numbers have.
    pub(crate) zone: TimeZone,
    /// By which tickets are sent: the guard of scripts' HTTP, with connections of its own.
    pub(crate) http: HttpFetch,
    pub(crate) settings: OutboxSettings,
}

/// Makes promises.
pub(crate) struct Promises {
    store: Arc<dyn Store>,
    clock: Arc<EngineClock>,
    live: Arc<LiveCalls>,
    subjects: Subjects,
    plan: NumberPlan,
    zone: TimeZone,
    prefixes: TicketPrefixes,
    /// Numbers given out, by agency. Taken from the ledger with an agency's first ticket, and ahead of it from then on by
    /// what is on its way to the disk.
    counts: tokio::sync::Mutex<HashMap<Agency, TicketCounts>>,
    outbox: Outbox,
    http: HttpFetch,
}

impl Promises {
    /// Starts the outbox: what a former process left is sent, once it is known where to.
    pub(crate) fn start(parts: Parts) -> Arc<Self> {
        figures::describe();
        let outbox = Outbox::start(&parts);
        Arc::new(Self {
            store: parts.store,
            clock: parts.clock,
            live: parts.live,
            subjects: parts.subjects,
            plan: parts.plan,
            zone: parts.zone,
            prefixes: TicketPrefixes::default(),
            counts: tokio::sync::Mutex::default(),
            outbox,
            http: parts.http,
        })
    }

    /// Where agencies' tickets go from now on.
    pub(crate) fn take_webhooks(&self, webhooks: HashMap<Agency, Webhook>) {
        self.outbox.take_webhooks(webhooks);
    }

    /// Sends something else than a ticket to an agency's webhook, once. `key` is the same in every attempt.
    pub(crate) async fn send(
        &self,
        agency: &Agency,
        webhook: &Webhook,
        key: &str,
        now_s: u64,
        body: Vec<u8>,
    ) -> SendOutcome {
        webhook::send(&self.http, Sending { agency, webhook, key, now_s, body }).await
    }

    fn now(&self) -> UtcMs {
        UtcMs(self.clock.now().as_millis())
    }
}

#[cfg(test)]
mod tests;
