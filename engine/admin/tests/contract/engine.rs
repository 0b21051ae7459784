//! An engine for tests: it remembers what it was told, and its clock is turned by hand. A bundle is a JSON object.

use gudok_admin::documents::{VersionDocument, kinds};
use gudok_admin::ports::{
    Actor, BoxFuture, BundleCheck, BundleFacts, BundleReport, Change, CheckStep, CheckedBundle, DeployOrder,
    Deployment, DeploymentStep, Difference, Engine, EngineRefusal, Event, FileAgency, FileFacts, FlowDrawing,
    FlowFinding, FlowOrder, FlowPlace, FlowWay, Guard, Journal, JournalRow, JournalStep, Journals, LiveCall,
    LiveVersion, LogLine, OutcomeCounts, OutcomePoint, Rehearsal, RehearsalOrder, Replay, ReplayOn, ReplayOutcome,
    ReplayVersion, Trace, VersionId, VersionOutcomes,
};
use gudok_core::ids::{Agency, CallId, Entry};
use gudok_store::{AuditDraft, LedgerChange, Store, UtcMs};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::broadcast;

/// A secret that the configuration's file would hold; it must never be seen.
pub const CONFIGURED_SECRET: &str = "configured-secret-2718281828";

pub struct FakeEngine {
    store: Arc<dyn Store>,
    now_ms: AtomicU64,
    events: broadcast::Sender<Event>,
    pub state: Mutex<State>,
}

#[derive(Default)]
pub struct State {
    pub deployments: BTreeMap<(String, String), Deployment>,
    pub calls: Vec<LiveCall>,
    pub traces: BTreeMap<String, Trace>,
    pub orders: Vec<(String, &'static str)>,
    pub routes_made: usize,
    pub refuse_routes: bool,
    pub not_ready: bool,
    /// What operators were told to be.
    pub operator_states: BTreeMap<String, String>,
    /// What the centre was told, in words.
    pub centre_orders: Vec<String>,
    /// Dialogs that were asked for.
    pub flows: Vec<FlowOrder>,
    /// Its campaigns.
    pub campaigns: crate::campaign_engine::FakeCampaigns,
    /// Tickets by their key.
    pub tickets: BTreeMap<String, usize>,
}

impl FakeEngine {
    pub fn new(store: Arc<dyn Store>, now_ms: u64) -> Self {
        let (events, _) = broadcast::channel(64);
        Self { store, now_ms: AtomicU64::new(now_ms), events, state: Mutex::default() }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn tell(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }

    async fn document(&self, id: &str) -> Result<VersionDocument, EngineRefusal> {
        let kept = self.store.ledger_get(kinds::VERSION, id, UtcMs(self.now_ms())).await.unwrap();
        kept.map(|kept| serde_json::from_slice(&kept.body).unwrap()).ok_or_else(|| refusal("unknown-version", 422))
    }

    async fn change(
        &self,
        actor: Actor,
        action: &str,
        agency: &Agency,
        entry: &Entry,
        change: impl FnOnce(&mut Deployment) -> Result<(), EngineRefusal>,
        fresh: Option<LiveVersion>,
    ) -> Result<Deployment, EngineRefusal> {
        let key = (agency.to_string(), entry.to_string());
        let draft = AuditDraft {
            actor: actor.name,
            via: actor.via.to_owned(),
            action: action.to_owned(),
            object: format!("{agency}/{entry}"),
            agency: Some(agency.to_string()),
            details: serde_json::json!({}),
        };
        let change_of = LedgerChange { audit: vec![draft], urgent: true, ..LedgerChange::default() };
        self.store.ledger_commit(change_of, UtcMs(self.now_ms())).await.unwrap();
        let mut state = self.state.lock();
        let deployment = match (state.deployments.get_mut(&key), fresh) {
            (Some(deployment), _) => deployment,
            (None, Some(stable)) => state.deployments.entry(key).or_insert(first(agency, entry, stable)),
            (None, None) => return Err(refusal("nothing-before", 409)),
        };
        change(deployment)?;
        deployment.revision += 1;
        Ok(deployment.clone())
    }
}

fn first(agency: &Agency, entry: &Entry, stable: LiveVersion) -> Deployment {
    Deployment {
        agency: agency.to_string(),
        entry: entry.to_string(),
        revision: 0,
        state: "stable".into(),
        stable,
        canary: None,
        last_good: None,
        guard: Guard::default(),
        running: Vec::new(),
        last_rollback: None,
    }
}

fn refusal(code: &'static str, status: u16) -> EngineRefusal {
    let (problem, remedy) = ("The engine does not do that.".to_owned(), "Do something else.".to_owned());
    EngineRefusal { code, status, field: None, problem, remedy, report: None }
}

fn step(name: &str, problem: Option<&str>) -> CheckStep {
    CheckStep {
        step: name.into(),
        result: if problem.is_some() { "failed" } else { "ok" }.into(),
        field: problem.map(|_| name.to_owned()),
        problem: problem.map(str::to_owned),
        remedy: problem.map(|_| "Mend it.".to_owned()),
        took_ms: 1,
    }
}

fn checked(check: &BundleCheck) -> Result<CheckedBundle, EngineRefusal> {
    let bytes = std::fs::read(&check.file).unwrap();
    let refuse = |name: &str, problem: &str| {
        let report = BundleReport { steps: vec![step(name, Some(problem))], difference: None };
        EngineRefusal { field: Some(name.into()), report: Some(Box::new(report)), ..refusal("bundle-refused", 422) }
    };
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(&bytes) else {
        return Err(refuse("archive", "It is no archive."));
    };
    let text = |field: &str| json[field].as_str().unwrap_or_default().to_owned();
    if text("agency") != check.agency.as_str() {
        return Err(refuse("manifest", "It is another agency's."));
    }
    let signed_by = json["signed_by"].as_str().map(str::to_owned);
    match &signed_by {
        Some(id) if !check.keys.iter().any(|key| key.id == *id && !key.revoked) => {
            return Err(refuse("signature", "Nobody who may has signed it."));
        }
        None if !check.unsigned_allowed => return Err(refuse("signature", "It is not signed.")),
        _ => {}
    }
    let capabilities = json["capabilities"].clone();
    let against = check.against_by_script.get(&text("script")).cloned();
    let names: Vec<String> = capabilities.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let change = |name: &String| Change { name: name.clone(), change: "added".into(), from: None, to: None };
    let difference = Difference {
        against: against.clone(),
        capabilities: names.iter().map(change).collect(),
        new_rights: json["new_rights"].as_bool().unwrap_or(!names.is_empty()),
        ..Difference::default()
    };
    let entries = json["entries"].as_array().into_iter().flatten().map(|entry| entry.as_str().unwrap().to_owned());
    Ok(CheckedBundle {
        facts: BundleFacts {
            id: gudok_store::BlobId::of(&bytes).to_hex(),
            agency: text("agency"),
            script: text("script"),
            version: text("version"),
            kind: "service".into(),
            interface: "0.1".into(),
            entries: entries.collect(),
            languages: vec!["ru-RU".into()],
            signed_by,
            capabilities,
            limits: serde_json::json!({}),
            size_bytes: bytes.len() as u64,
        },
        report: BundleReport { steps: vec![step("archive", None), step("smoke", None)], difference: Some(difference) },
    })
}

/// A dialog of two places. Its words are such as a script might say to break a page.
fn drawing(order: &FlowOrder) -> FlowDrawing {
    let finding = FlowFinding {
        kind: "dead-end".into(),
        name: "Тупик".into(),
        keys: "1".into(),
        message: "<b>Nobody</b> gets out.".into(),
        replay: "gudok call --local desk.ivr --keys 1".into(),
    };
    let place = |id: &str, title: &str| FlowPlace {
        id: id.into(),
        kind: "question".into(),
        kind_name: "Вопрос".into(),
        title: title.into(),
        said: format!("{title} <script>alert(1)</script>"),
        change: if order.against.is_some() { "added" } else { "same" }.into(),
        ..FlowPlace::default()
    };
    let way = FlowWay {
        keys: vec!["1".into()],
        text: "паспорт".into(),
        to: "p1".into(),
        to_title: "Вторая".into(),
        ..FlowWay::default()
    };
    FlowDrawing {
        paths: 42,
        paths_per_second: 5_000.0,
        covered: [("states".to_owned(), 2)].into(),
        left_out: if order.all { vec!["Не всё.".into()] } else { Vec::new() },
        findings: vec![finding.clone()],
        places: vec![
            FlowPlace { ways: vec![way], ..place("p0", "Первая") },
            FlowPlace {
                findings: vec![finding],
                keys: "1".into(),
                replay: "gudok call".into(),
                ..place("p1", "Вторая")
            },
        ],
        differences: order.against.iter().map(|against| format!("from {against}")).collect(),
        svg: format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><title>x</title><a href=\"#p1\" id=\"box-p1\"/>{}</svg>",
            order.lang
        ),
        style: ".flow{fill:red}".into(),
    }
}

impl Engine for FakeEngine {
    fn check_bundle(&self, check: BundleCheck) -> BoxFuture<'_, Result<CheckedBundle, EngineRefusal>> {
        Box::pin(async move { checked(&check) })
    }

    fn difference(&self, from: Option<VersionId>, to: VersionId) -> BoxFuture<'_, Result<Difference, EngineRefusal>> {
        Box::pin(async move {
            self.document(&to).await?;
            Ok(Difference { against: from, ..Difference::default() })
        })
    }

    fn flow(&self, order: FlowOrder) -> BoxFuture<'_, Result<FlowDrawing, EngineRefusal>> {
        Box::pin(async move {
            self.document(&order.version).await?;
            self.state.lock().flows.push(order.clone());
            Ok(drawing(&order))
        })
    }

    fn deployments(&self, agency: Option<&Agency>) -> Vec<Deployment> {
        let state = self.state.lock();
        let all = state.deployments.values();
        all.filter(|one| agency.is_none_or(|agency| agency.as_str() == one.agency)).cloned().collect()
    }

    fn deployment(&self, agency: &Agency, entry: &Entry) -> Option<Deployment> {
        self.state.lock().deployments.get(&(agency.to_string(), entry.to_string())).cloned()
    }

    fn deploy(
        &self,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        order: DeployOrder,
    ) -> BoxFuture<'_, Result<Deployment, EngineRefusal>> {
        Box::pin(async move {
            let version = self.document(&order.version).await?;
            let live = LiveVersion {
                version: order.version,
                label: version.facts.version,
                script: version.facts.script,
                since: "2026-05-04T19:30:00.000Z".into(),
                by: actor.name.clone(),
                share_percent: order.share_percent,
            };
            let fresh = Some(live.clone());
            let put = |deployment: &mut Deployment| {
                if order.share_percent < 100 && deployment.revision > 0 {
                    deployment.canary = Some(live);
                } else {
                    deployment.last_good = Some(std::mem::replace(&mut deployment.stable, live));
                    deployment.canary = None;
                }
                Ok(())
            };
            self.change(actor, "deploy", &agency, &entry, put, fresh).await
        })
    }

    fn release(
        &self,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        _: Option<u64>,
    ) -> BoxFuture<'_, Result<Deployment, EngineRefusal>> {
        let put = |deployment: &mut Deployment| {
            let canary = deployment.canary.take().ok_or_else(|| refusal("no-canary", 409))?;
            deployment.last_good = Some(std::mem::replace(&mut deployment.stable, canary));
            Ok(())
        };
        Box::pin(async move { self.change(actor, "release", &agency, &entry, put, None).await })
    }

    fn roll_back(
        &self,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        _: Option<String>,
        _: Option<u64>,
    ) -> BoxFuture<'_, Result<Deployment, EngineRefusal>> {
        let put = |deployment: &mut Deployment| {
            if let Some(good) = deployment.last_good.clone() {
                deployment.stable = good;
            }
            Ok(())
        };
        Box::pin(async move { self.change(actor, "rollback", &agency, &entry, put, None).await })
    }

    fn history(&self, agency: &Agency, entry: &Entry) -> BoxFuture<'_, Result<Vec<DeploymentStep>, EngineRefusal>> {
        let step = self.deployment(agency, entry).map(|deployment| DeploymentStep {
            at: "2026-05-04T19:30:00.000Z".into(),
            by: "anna".into(),
            action: "deploy".into(),
            from: None,
            to: deployment.stable.version,
            share_percent: 100,
            reason: None,
        });
        Box::pin(async move { Ok(step.into_iter().collect()) })
    }

    fn outcomes(&self, _: &Agency, _: &Entry, _: u32) -> Vec<VersionOutcomes> {
        let counts = OutcomeCounts { calls: 10, served: 8, landed: 1, trapped: 1, abandoned: 1 };
        let series = vec![OutcomePoint { at_ms: 1, counts }, OutcomePoint { at_ms: self.now_ms(), counts }];
        let (version, label) = ("f".repeat(64), "1.0.0".into());
        vec![VersionOutcomes { version, label, total: counts, cpu_ms_mean: f64::NAN, series }]
    }

    fn live_calls(&self, agency: Option<&Agency>) -> Vec<LiveCall> {
        let state = self.state.lock();
        state.calls.iter().filter(|call| agency.is_none_or(|agency| agency.as_str() == call.agency)).cloned().collect()
    }

    fn trace(&self, call: CallId) -> BoxFuture<'_, Option<Trace>> {
        let trace = self.state.lock().traces.get(&call.to_string()).cloned();
        Box::pin(async move { trace })
    }

    fn hang_up(&self, call: CallId) -> bool {
        self.state.lock().orders.push((call.to_string(), "hangup"));
        true
    }

    fn land(&self, call: CallId) -> bool {
        self.state.lock().orders.push((call.to_string(), "land"));
        true
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn script_log(&self, agency: Option<&Agency>, _: usize) -> Vec<LogLine> {
        let agencies = ["mfc", "zags"].into_iter();
        agencies.filter(|name| agency.is_none_or(|agency| agency.as_str() == *name)).map(log_line).collect()
    }

    fn faults(&self, agency: Option<&Agency>) -> Vec<serde_json::Value> {
        let agencies = ["mfc", "zags"].into_iter();
        let asked = agencies.filter(|name| agency.is_none_or(|agency| agency.as_str() == *name));
        asked.map(|name| serde_json::json!({ "agency": name, "cause": "trap" })).collect()
    }

    fn ledger_changed(&self) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        let mut state = self.state.lock();
        state.routes_made += 1;
        // It refuses a change once; what is taken back passes.
        let refused = std::mem::take(&mut state.refuse_routes);
        Box::pin(async move { if refused { Err(refusal("conflict", 409)) } else { Ok(()) } })
    }

    fn file(&self) -> FileFacts {
        FileFacts {
            hash: "a".repeat(64),
            agencies: vec![FileAgency {
                name: "filed".into(),
                fallback: "operators".into(),
                reachable: BTreeMap::new(),
                outbound: None,
                queue: None,
            }],
            numbers: vec![("100".into(), "filed".into(), "main".into(), "ru-RU".into())],
            entries: vec![("filed".into(), "main".into())],
            groups: vec!["operators".into()],
            trunks: vec!["city".into()],
            overlays: 0,
            queues: vec!["help".into(), "births".into(), "common".into()],
            operators: vec!["desk-of-file".into()],
            webhooks: Vec::new(),
        }
    }

    fn configuration(&self) -> serde_json::Value {
        serde_json::json!({ "node": { "lang": "ru-RU" } })
    }

    fn reload(&self, actor: Actor) -> BoxFuture<'_, Result<Vec<String>, EngineRefusal>> {
        Box::pin(async move {
            let draft = AuditDraft {
                actor: actor.name,
                via: actor.via.to_owned(),
                action: "configuration.reload".into(),
                object: "file".into(),
                agency: None,
                details: serde_json::json!({}),
            };
            let change = LedgerChange { audit: vec![draft], ..LedgerChange::default() };
            self.store.ledger_commit(change, UtcMs(self.now_ms())).await.unwrap();
            Ok(Vec::new())
        })
    }

    fn metrics(&self) -> String {
        "gudok_calls_live 0\n".into()
    }

    fn is_ready(&self) -> bool {
        !self.state.lock().not_ready
    }

    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}

pub fn log_line(agency: &str) -> LogLine {
    LogLine {
        at_ms: 1,
        agency: agency.into(),
        script: "desk".into(),
        label: "1.0.0".into(),
        call: "0".repeat(32),
        level: "info".into(),
        message: "hello".into(),
        fields: BTreeMap::new(),
    }
}

pub fn live_call(id: &str, agency: &str) -> LiveCall {
    LiveCall {
        id: id.into(),
        agency: agency.into(),
        entry: "main".into(),
        script: "desk".into(),
        version: "f".repeat(64),
        label: "1.0.0".into(),
        caller: "+7********21".into(),
        called: "100".into(),
        since_ms: 1,
        step: "menu".into(),
        state: "script".into(),
        lang: "ru-RU".into(),
    }
}

/// One journal of each past call.
impl Journals for FakeEngine {
    fn journals_of(&self, call: CallId) -> BoxFuture<'_, Vec<JournalRow>> {
        let of = self.state.lock().traces.get(&call.to_string()).map(|trace| trace.agency.clone());
        let row = of.map(|agency| JournalRow {
            call: call.to_string(),
            run: 1,
            agency,
            entry: "main".into(),
            script: "desk".into(),
            version: "f".repeat(64),
            label: "1.0.0".into(),
            began_ms: 1,
            ended_ms: 2,
            host_calls: 1,
            cut: false,
        });
        Box::pin(async move { row.into_iter().collect() })
    }

    fn journal(&self, call: CallId, _: u32) -> BoxFuture<'_, Result<Journal, EngineRefusal>> {
        Box::pin(async move {
            let row = self.journals_of(call).await.pop().ok_or_else(|| refusal("not-found", 404))?;
            let step = JournalStep {
                seq: 1,
                at_ms: 1,
                step: "menu".into(),
                function: "telephony.call.say".into(),
                line: "say “hello” → heard".into(),
                args: serde_json::json!([0]),
                result: Some(serde_json::json!({ "ok": null })),
            };
            Ok(Journal { row, end: "served".into(), steps: vec![step] })
        })
    }

    fn replay(&self, call: CallId, _: u32, on: ReplayOn) -> BoxFuture<'_, Result<Replay, EngineRefusal>> {
        let version = || ReplayVersion { script: "desk".into(), version: "1.0.0".into(), bundle: "f".repeat(64) };
        let bundle = matches!(on, ReplayOn::File(file) if file.exists());
        Box::pin(async move {
            let row = self.journals_of(call).await.pop().ok_or_else(|| refusal("not-found", 404))?;
            Ok(Replay {
                call: row.call,
                agency: row.agency,
                entry: row.entry,
                was: version(),
                is: version(),
                verdict: if bundle { "same-outcome" } else { "identical" }.into(),
                same_calls: 1,
                host_calls: 1,
                parting: None,
                differences: Vec::new(),
                outcome: ReplayOutcome::default(),
                replayed: Some(ReplayOutcome::default()),
                changes: Vec::new(),
                steps: Vec::new(),
            })
        })
    }

    fn rehearse(&self, order: RehearsalOrder) -> BoxFuture<'_, Result<Rehearsal, EngineRefusal>> {
        Box::pin(async move {
            Ok(Rehearsal {
                agency: order.agency.to_string(),
                script: order.script,
                version: "1.0.0".into(),
                calls: 2,
                identical: 2,
                same_outcome: 0,
                journal_ends: 0,
                changed: 0,
                parted: 0,
                not_replayed: 0,
                changes: Vec::new(),
                problems: Vec::new(),
            })
        })
    }
}
