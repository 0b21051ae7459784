//! Campaigns as the people who make and watch them see them, by the admins' room; and how busy the engine is, for the
//! campaigns.

use super::Calls;
use super::port::Port;
use crate::call::CallHost;
use crate::campaigns::{self, contacts, forecast, import, opt_outs, orders, results};
use gudok_admin::documents::CampaignDocument;
use gudok_admin::ports::{
    Actor, BoxFuture, ByteStream, CampaignFacts, CampaignForecast, CampaignRow, CampaignSeries, CampaignWrite,
    Campaigns, ContactDetails, ContactRow, ContactRows, ContactsImport, ContactsQuery, ContactsReport, EngineRefusal,
    OptOutOrder, OptOutRow, OptOutRows, OptOutsImport, OptOutsQuery, ResultsQuery,
};
use gudok_core::campaign::{CampaignOrder, ContactDecision, Load, QueueLoad};
use gudok_core::ids::Campaign;
use gudok_store::AuditDraft;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The campaigns hear so often how busy the engine is.
const LOAD_EVERY: Duration = Duration::from_millis(500);

impl Port {
    fn host(&self) -> &CallHost {
        &self.calls.host
    }
}

impl Campaigns for Port {
    fn campaign_facts(&self) -> Option<CampaignFacts> {
        Some(orders::facts(self.host()))
    }

    fn campaigns(&self) -> BoxFuture<'_, Result<Vec<CampaignRow>, EngineRefusal>> {
        Box::pin(orders::all(&self.host().campaigns))
    }

    fn campaign(&self, name: Campaign) -> BoxFuture<'_, Result<Option<CampaignRow>, EngineRefusal>> {
        Box::pin(orders::one(&self.host().campaigns, name))
    }

    fn campaign_put(&self, write: CampaignWrite) -> BoxFuture<'_, Result<CampaignRow, EngineRefusal>> {
        Box::pin(orders::put(self.host(), write))
    }

    fn campaign_remove(&self, name: Campaign, audit: AuditDraft) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        Box::pin(orders::remove(self.host(), name, audit))
    }

    fn campaign_order(
        &self,
        _actor: Actor,
        name: Campaign,
        order: CampaignOrder,
    ) -> BoxFuture<'_, Result<CampaignRow, EngineRefusal>> {
        Box::pin(orders::order(self.host(), name, order))
    }

    fn campaign_series(&self, name: Campaign, step_s: u32) -> BoxFuture<'_, Result<CampaignSeries, EngineRefusal>> {
        Box::pin(orders::series(&self.host().campaigns, name, step_s))
    }

    fn campaign_forecast(
        &self,
        name: Campaign,
        document: Option<Box<CampaignDocument>>,
    ) -> BoxFuture<'_, Result<CampaignForecast, EngineRefusal>> {
        Box::pin(forecast::of_campaign(self.host(), name, document))
    }

    fn contacts_import(
        &self,
        _actor: Actor,
        name: Campaign,
        import: ContactsImport,
        bytes: ByteStream,
    ) -> BoxFuture<'_, Result<ContactsReport, EngineRefusal>> {
        Box::pin(import::contacts(self.host(), name, import, bytes))
    }

    fn contacts_copy(
        &self,
        _actor: Actor,
        name: Campaign,
        from: Campaign,
        areas: Vec<String>,
    ) -> BoxFuture<'_, Result<ContactsReport, EngineRefusal>> {
        Box::pin(contacts::copy(self.host(), name, from, areas))
    }

    fn contacts(&self, name: Campaign, query: ContactsQuery) -> BoxFuture<'_, Result<ContactRows, EngineRefusal>> {
        Box::pin(contacts::page(self.host(), name, query))
    }

    fn contact(&self, name: Campaign, no: u32) -> BoxFuture<'_, Result<Option<ContactDetails>, EngineRefusal>> {
        Box::pin(contacts::details(self.host(), name, no))
    }

    fn contact_decide(
        &self,
        _actor: Actor,
        name: Campaign,
        no: u32,
        decision: ContactDecision,
    ) -> BoxFuture<'_, Result<ContactRow, EngineRefusal>> {
        Box::pin(contacts::decide(self.host(), name, no, decision))
    }

    fn campaign_results(
        &self,
        name: Campaign,
        query: ResultsQuery,
    ) -> BoxFuture<'_, Result<ByteStream, EngineRefusal>> {
        Box::pin(results::table(self.host(), name, query))
    }

    fn opt_outs(&self, query: OptOutsQuery) -> BoxFuture<'_, Result<OptOutRows, EngineRefusal>> {
        Box::pin(opt_outs::page(self.host(), query))
    }

    fn opt_out_put(&self, actor: Actor, order: OptOutOrder) -> BoxFuture<'_, Result<OptOutRow, EngineRefusal>> {
        Box::pin(async move { opt_outs::put(self.host(), &actor, order).await })
    }

    fn opt_out_delete(
        &self,
        _actor: Actor,
        key: String,
        agency: Option<String>,
    ) -> BoxFuture<'_, Result<bool, EngineRefusal>> {
        Box::pin(async move { opt_outs::delete(self.host(), &key, agency.as_deref()).await })
    }

    fn opt_outs_import(
        &self,
        actor: Actor,
        import: OptOutsImport,
        bytes: ByteStream,
    ) -> BoxFuture<'_, Result<ContactsReport, EngineRefusal>> {
        Box::pin(async move { import::opt_outs(self.host(), &actor, import, bytes).await })
    }

    fn opt_out_key(&self, number: &str) -> Option<String> {
        opt_outs::key_of(self.host(), number)
    }
}

/// Tells the campaigns how busy the engine is, for as long as it lives.
pub(super) async fn tell_load(calls: Arc<Calls>) {
    let mut tick = tokio::time::interval(LOAD_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        let queues = calls.host.centre.look(|machine, now| {
            let load = |view: gudok_core::centre::QueueView| QueueLoad {
                open: view.open,
                ready: u32::try_from(view.ready).unwrap_or(u32::MAX),
                waiting: u32::try_from(view.waiting.len()).unwrap_or(u32::MAX),
                queue: view.queue,
            };
            machine.queues(now).map(load).collect()
        });
        let Some(queues) = queues.await else { return };
        calls.host.campaigns.load(Load {
            inbound_calls: u32::try_from(calls.inbound.load(Ordering::Relaxed)).unwrap_or(u32::MAX),
            closed: calls.overloaded.load(Ordering::Relaxed) || calls.host.spool.is_degraded(&*calls.host.store),
            queues,
        });
    }
}

/// Begins the calls of contacts whose slot has come.
pub(super) async fn inform(calls: Arc<Calls>, mut starts: tokio::sync::mpsc::Receiver<Box<campaigns::CampaignStart>>) {
    while let Some(start) = starts.recv().await {
        calls.inform(*start);
    }
}
