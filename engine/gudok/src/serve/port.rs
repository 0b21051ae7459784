//! The engine as its admins' room sees it.

use super::Calls;
use super::reload::Reloading;
use crate::call::Control;
use crate::check::Checker;
use crate::director::Director;
use crate::flow::Flows;
use crate::journals::Replays;
use gudok_admin::documents::kinds;
use gudok_admin::ports::{
    Actor, BoxFuture, BundleCheck, CheckedBundle, DeployOrder, Deployment, DeploymentStep, Difference, Engine,
    EngineRefusal, Event, FileFacts, FlowDrawing, FlowOrder, Journal, JournalRow, Journals, LiveCall, LogLine,
    Rehearsal, RehearsalOrder, Replay, ReplayOn, Trace, VersionId, VersionOutcomes,
};
use gudok_core::ids::{Agency, CallId, Entry};
use gudok_core::script::LandingCause;
use gudok_plugin_host::ports::Clock;
use gudok_store::{SubjectHash, UtcMs};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::broadcast;

/// What the admins' room is given.
pub(super) struct Port {
    pub(super) director: Arc<Director>,
    pub(super) calls: Arc<Calls>,
    pub(super) reloading: Arc<Reloading>,
    pub(super) checker: Checker,
    pub(super) flows: Flows,
    pub(super) replays: Replays,
    pub(super) prometheus: PrometheusHandle,
    /// Brings gauges up to date before they are read.
    pub(super) refresh: Box<dyn Fn() + Send + Sync>,
    /// False while the engine drains: a balancer sends nothing new.
    pub(super) ready: Arc<AtomicBool>,
    /// Agencies' retention may have changed.
    pub(super) sweep: Arc<tokio::sync::Notify>,
}

impl Engine for Port {
    fn check_bundle(&self, check: BundleCheck) -> BoxFuture<'_, Result<CheckedBundle, EngineRefusal>> {
        Box::pin(self.checker.check(&self.director, check))
    }

    fn difference(&self, from: Option<VersionId>, to: VersionId) -> BoxFuture<'_, Result<Difference, EngineRefusal>> {
        Box::pin(self.director.difference(from, to))
    }

    fn flow(&self, order: FlowOrder) -> BoxFuture<'_, Result<FlowDrawing, EngineRefusal>> {
        Box::pin(self.flows.flow(&self.director, order))
    }

    fn deployments(&self, agency: Option<&Agency>) -> Vec<Deployment> {
        self.director.deployments(agency)
    }

    fn deployment(&self, agency: &Agency, entry: &Entry) -> Option<Deployment> {
        self.director.deployment(agency, entry)
    }

    fn deploy(
        &self,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        order: DeployOrder,
    ) -> BoxFuture<'_, Result<Deployment, EngineRefusal>> {
        Box::pin(self.director.deploy(actor, agency, entry, order))
    }

    fn release(
        &self,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        expected_revision: Option<u64>,
    ) -> BoxFuture<'_, Result<Deployment, EngineRefusal>> {
        Box::pin(self.director.release(actor, agency, entry, expected_revision))
    }

    fn roll_back(
        &self,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        reason: Option<String>,
        expected_revision: Option<u64>,
    ) -> BoxFuture<'_, Result<Deployment, EngineRefusal>> {
        Box::pin(self.director.roll_back(actor, agency, entry, reason, expected_revision))
    }

    fn history(&self, agency: &Agency, entry: &Entry) -> BoxFuture<'_, Result<Vec<DeploymentStep>, EngineRefusal>> {
        let (agency, entry) = (agency.clone(), entry.clone());
        Box::pin(async move { self.director.history(&agency, &entry).await })
    }

    fn outcomes(&self, agency: &Agency, entry: &Entry, step_s: u32) -> Vec<VersionOutcomes> {
        self.director.outcomes(agency, entry, step_s)
    }

    fn live_calls(&self, agency: Option<&Agency>) -> Vec<LiveCall> {
        self.calls.host.live.list(agency)
    }

    fn trace(&self, call: CallId) -> BoxFuture<'_, Option<Trace>> {
        Box::pin(async move {
            if let Some(trace) = self.calls.host.live.trace(call) {
                return Some(trace);
            }
            let now = UtcMs(self.now_ms());
            let kept = self.calls.host.store.ledger_get(kinds::TRACE, &call.to_string(), now).await.ok()??;
            serde_json::from_slice(&kept.body).ok()
        })
    }

    fn forget(&self, calls: &[CallId]) {
        self.calls.host.live.forget(calls);
    }

    fn hang_up(&self, call: CallId) -> bool {
        self.calls.host.live.say(call, Control::HangUp)
    }

    fn land(&self, call: CallId) -> bool {
        self.calls.host.live.say(call, Control::Land(LandingCause::Admin))
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.calls.host.live.events()
    }

    fn script_log(&self, agency: Option<&Agency>, lines_max: usize) -> Vec<LogLine> {
        self.calls.host.scripts.log().last(agency, lines_max)
    }

    fn faults(&self, agency: Option<&Agency>) -> Vec<serde_json::Value> {
        self.calls.host.scripts.log().faults(agency)
    }

    fn ledger_changed(&self) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        Box::pin(async {
            self.sweep.notify_one();
            self.director.ledger_changed().await
        })
    }

    fn file(&self) -> FileFacts {
        self.director.config().facts.clone()
    }

    fn configuration(&self) -> serde_json::Value {
        self.director.config().effective.clone()
    }

    fn reload(&self, actor: Actor) -> BoxFuture<'_, Result<Vec<String>, EngineRefusal>> {
        Box::pin(self.reloading.reload(actor))
    }

    fn metrics(&self) -> String {
        (self.refresh)();
        self.prometheus.render()
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    fn is_degraded(&self) -> bool {
        self.calls.host.spool.is_degraded(&*self.calls.host.store)
    }

    fn canonical_number(&self, number: &str) -> Option<String> {
        self.director.routes().plan.normalise(number).map(|number| number.reveal().to_owned())
    }

    fn now_ms(&self) -> u64 {
        self.calls.host.clock.now().as_millis()
    }
}

impl Journals for Port {
    fn journals_of(&self, call: CallId) -> BoxFuture<'_, Vec<JournalRow>> {
        Box::pin(self.replays.rows(call))
    }

    fn journals_of_subject(&self, subject: SubjectHash) -> BoxFuture<'_, Vec<JournalRow>> {
        Box::pin(self.replays.of_subject(subject))
    }

    fn journal(&self, call: CallId, run: u32) -> BoxFuture<'_, Result<Journal, EngineRefusal>> {
        Box::pin(self.replays.journal(call, run))
    }

    fn replay(&self, call: CallId, run: u32, on: ReplayOn) -> BoxFuture<'_, Result<Replay, EngineRefusal>> {
        Box::pin(self.replays.replay(call, run, on))
    }

    fn rehearse(&self, order: RehearsalOrder) -> BoxFuture<'_, Result<Rehearsal, EngineRefusal>> {
        Box::pin(self.replays.rehearse(order))
    }

    fn erase_journals(&self, subject: SubjectHash) -> BoxFuture<'_, Result<u64, EngineRefusal>> {
        Box::pin(self.replays.erase(subject))
    }
}
