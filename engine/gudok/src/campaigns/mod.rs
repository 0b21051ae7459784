//! Campaigns, carried out: one task owns the machine, and everybody else talks to it through channels.
//!
//! It waits for the earliest of: a call's report, a script's plan, the store's word that a claim or an end is durable, an
//! admin's order, the machine's deadline. It feeds one input, carries out the commands, and goes back to waiting. It waits
//! for no disk, no script and no call: what is slow answers later, through the same channels.
//!
//! A contact's number and fields are opened when its turn has come, live in memory until its call begins, and are in no
//! log, trace, event or metric.
//!
//! *Architecture Invariant:* a campaign's call waits for nothing here. What it says is taken in its order, and its end is
//! heard exactly once, whatever becomes of its task. Nobody is dialled whose claim is not durable.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `task` | the loop, and what becomes of each command |
//! | `attempts` | attempts whose calls are on: each ends once |
//! | `prepare` | a contact is opened, and its script asked |
//! | `keep` | what the machine says, written down |
//! | `recover` | what a former process left, read in the background |
//! | `zones` | the zones that contacts are in |
//! | `orders`, `contacts`, `opt_outs` | what people ask and decide |
//! | `import` | lists of people come in |
//! | `results`, `telling` | what came of attempts: as a table, to webhooks |
//! | `retention` | campaigns that ended long ago are taken away |
//! | `forecast` | what would happen when |
//! | `views`, `series` | all of it in the admins' words |
//! | `convert` | between the machine's words and the store's |

mod attempts;
pub(crate) mod contacts;
mod convert;
mod figures;
pub(crate) mod forecast;
pub(crate) mod import;
mod keep;
pub(crate) mod opt_outs;
pub(crate) mod orders;
mod prepare;
mod recover;
pub(crate) mod results;
pub(crate) mod retention;
mod series;
mod task;
pub(crate) mod telling;
mod views;
mod zones;

pub(crate) use attempts::Attempting;
pub(crate) use prepare::AskScript;
pub(crate) use task::{CampaignStart, Parts, start};
pub(crate) use zones::parse as parse_zone;

use crate::config::CampaignsConfig;
use crate::director::refused;
use attempts::Attempts;
use gudok_admin::ports::EngineRefusal;
use gudok_core::campaign::{AttemptId, CampaignReport, Load, Plan, PrepareFailure};
use prepare::OpenContact;
use std::sync::Arc;
use task::Task;
use tokio::sync::{mpsc, oneshot};

/// Orders and looks that wait for the task.
const ORDERS_MAX: usize = 1_024;

/// What the engine says to the task.
enum Heard {
    /// A call of a campaign says something of itself.
    Report(AttemptId, CampaignReport),
    /// A contact was opened, and its script asked.
    Prepared(AttemptId, Result<(Plan, Option<OpenContact>), PrepareFailure>),
    /// How busy the engine is.
    Load(Load),
    /// The engine stops: nothing new is begun.
    Drain,
    /// The file is another.
    Configured(Box<CampaignsConfig>),
}

/// Something to be done with the task's state, in its turn.
type Order = Box<dyn FnOnce(&mut Task) + Send>;

/// The way to the campaigns' task.
#[derive(Clone)]
pub(crate) struct Campaigns {
    /// Unbounded as a channel, bounded by what goes in: three reports a call, one answer for each contact in preparation.
    heard: mpsc::UnboundedSender<Heard>,
    orders: mpsc::Sender<Order>,
    attempts: Arc<Attempts>,
}

/// The task's ends of the channels.
struct Inbox {
    heard: mpsc::UnboundedReceiver<Heard>,
    orders: mpsc::Receiver<Order>,
}

impl Campaigns {
    fn new() -> (Self, Inbox) {
        let ((heard, in_heard), (orders, in_orders)) = (mpsc::unbounded_channel(), mpsc::channel(ORDERS_MAX));
        (Self { heard, orders, attempts: Arc::default() }, Inbox { heard: in_heard, orders: in_orders })
    }

    /// What an attempt's call says of itself. Waits for nobody; nothing is lost and nothing overtakes. What is said after
    /// [`CampaignReport::Ended`] is not heard.
    pub(crate) fn report(&self, attempt: AttemptId, report: CampaignReport) {
        let heard = match &report {
            CampaignReport::Ended(_) => self.attempts.end(&attempt),
            CampaignReport::Answered | CampaignReport::Connected => self.attempts.is_open(&attempt),
        };
        if heard {
            self.say(Heard::Report(attempt, report));
        }
    }

    /// How busy the engine is.
    pub(crate) fn load(&self, load: Load) {
        self.say(Heard::Load(load));
    }

    /// The engine stops: nobody is dialled any more.
    pub(crate) fn drain(&self) {
        self.say(Heard::Drain);
    }

    /// The file is another.
    pub(crate) fn configure(&self, config: CampaignsConfig) {
        self.say(Heard::Configured(Box::new(config)));
    }

    fn say(&self, heard: Heard) {
        // The task lives as long as the process; what it is not told, the next one finds claimed.
        let _ = self.heard.send(heard);
    }

    /// An attempt's call begins; until the guard is dropped, which says that it ended, where the call itself has not. Who hands
    /// the call over and who runs it may both hold one.
    pub(crate) fn begin(&self, attempt: AttemptId) -> Attempting {
        self.attempts.begin(attempt.clone());
        Attempting::new(self.clone(), attempt)
    }

    /// Does something in the task's turn.
    async fn ask<T: Send + 'static>(
        &self,
        order: impl FnOnce(&mut Task) -> T + Send + 'static,
    ) -> Result<T, EngineRefusal> {
        let (answer, answered) = oneshot::channel();
        let order = Box::new(move |task: &mut Task| {
            // Whoever asked may have gone.
            let _ = answer.send(order(task));
        });
        self.orders.send(order).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())
    }
}

fn stopping() -> EngineRefusal {
    refused("internal", 503, None, "the engine stops", "ask again when it is back")
}

#[cfg(test)]
mod tests;
