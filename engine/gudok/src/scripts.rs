//! The host of the agencies' scripts: loads their versions, runs them for calls, hears what they tell their authors.
//! Which version a call gets is the director's business.

use crate::books::Books;
use crate::clock::EngineClock;
use crate::config::Config;
use crate::director::{Pinned, RunTicket};
use crate::journals::Journals;
use crate::keep::AgencyStorage;
use crate::live::{LiveCalls, ScriptLog, TraceKind};
use crate::metrics;
use anyhow::Context;
use futures_util::future::BoxFuture;
use gudok_admin::ports::{Event, LogLine};
use gudok_core::campaign::CampaignContact;
use gudok_core::ids::{Agency, CallId, Entry};
use gudok_core::privacy::Secret;
use gudok_core::prompt::LanguageTag;
use gudok_core::script::ScriptEnd;
use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::http::{HttpConfig, HttpFetch};
use gudok_plugin_host::journal::Journal;
use gudok_plugin_host::manifest::Limits;
use gudok_plugin_host::ports::{
    CallInfo, CallPort, Clock, DirectoryPort, LogLevel, Ports, PromisesPort, ScriptSink, SecretsPort, Source,
    SystemRandom, TracingSink,
};
use gudok_plugin_host::{
    Admission, CallStart, CompileConfig, Error, HostConfig, PrepareReport, PrepareStart, RunControl, ScriptHost,
    ScriptRuntime, Version,
};
use gudok_store::Store;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The hidden subcommand that makes this program the compile child.
pub(crate) const COMPILE_SUBCOMMAND: &str = gudok_workbench::local::COMPILE_SUBCOMMAND;

/// All scripts of the engine.
pub(crate) struct Scripts {
    host: ScriptHost,
    runtime: ScriptRuntime,
    ports: Arc<Ports>,
    secrets: Arc<Secrets>,
    clock: Arc<EngineClock>,
    log: Arc<ScriptLog>,
    journals: Option<Arc<Journals>>,
}

/// What a campaign's script is asked before dialling.
pub(crate) struct PrepareAsk {
    /// Under which id its log stands.
    pub(crate) call: CallId,
    pub(crate) contact: CampaignContact,
    pub(crate) agency: Agency,
    pub(crate) entry: Entry,
    /// In which language the call is to begin.
    pub(crate) lang: LanguageTag,
}

/// Where a run's end goes: how it ended, its CPU, and the ticket that its version is judged by.
pub(crate) type Ended = Box<dyn FnOnce(ScriptEnd, Duration, RunTicket) -> BoxFuture<'static, ()> + Send>;

/// What no script gets more than.
pub(crate) fn caps(config: &Config) -> Limits {
    Limits {
        memory_mib: config.scripts.memory_mib_max,
        cpu_ms_per_step: config.scripts.cpu_ms_per_step_max,
        wall_s_per_call: config.scripts.wall_s_per_call_max,
        ..Limits::caps_default()
    }
}

impl Scripts {
    /// Starts the host of scripts; nothing is loaded yet.
    ///
    /// # Errors
    /// Where wasmtime, its cache folder or its threads are not to be had.
    pub(crate) fn start(
        config: &Config,
        cache_dir: &Path,
        store: Arc<dyn Store>,
        clock: Arc<EngineClock>,
        live: Arc<LiveCalls>,
        books: &Books,
        journals: Option<Arc<Journals>>,
    ) -> anyhow::Result<Arc<Self>> {
        let program = std::env::current_exe().context("finding this program, to compile scripts in a child")?;
        let compile = CompileConfig::new(program, vec![COMPILE_SUBCOMMAND.into()]);
        let host = ScriptHost::start(HostConfig {
            instances_max: config.scripts.instances_max,
            caps: caps(config),
            grace: config.call_limits.grace_max,
            ..HostConfig::new(cache_dir.join("compiled"), compile)
        })?;
        let runtime = ScriptRuntime::start(config.scripts.threads)?;
        let (secrets, log) = (Arc::new(Secrets::default()), Arc::new(ScriptLog::default()));
        let ports = Arc::new(Ports {
            storage: Arc::new(AgencyStorage::new(store, Arc::clone(&clock))),
            fetch: Arc::new(HttpFetch::new(HttpConfig {
                allowed: config.fetch_allowed.clone(),
                ..HttpConfig::default()
            })?),
            promises: Arc::clone(&books.promises) as Arc<dyn PromisesPort>,
            directory: Arc::clone(&books.directory) as Arc<dyn DirectoryPort>,
            secrets: Arc::clone(&secrets) as Arc<dyn SecretsPort>,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SystemRandom),
            sink: Arc::new(Sink { live, log: Arc::clone(&log), clock: Arc::clone(&clock) }),
        });
        Ok(Arc::new(Self { host, runtime, ports, secrets, clock, log, journals }))
    }

    /// Makes a bundle ready for calls. Blocks while it compiles.
    ///
    /// # Errors
    /// With the reason.
    pub(crate) fn load(&self, bundle: &Bundle, admission: &Admission) -> Result<Arc<Version>, Error> {
        self.host.load(bundle, admission)
    }

    /// Secrets that scripts may use from now on, of all agencies.
    pub(crate) fn take_secrets(&self, secrets: BTreeMap<(Agency, String), Secret>) {
        *self.secrets.0.write() = secrets;
    }

    /// Starts a version for a call, of a campaign where there is a contact. `ended` is told how it ended, on a thread of
    /// scripts.
    pub(crate) fn start_call(
        &self,
        pinned: Pinned,
        info: CallInfo,
        contact: Option<CampaignContact>,
        call: Arc<dyn CallPort>,
        ended: Ended,
    ) -> RunControl {
        let (version, ticket) = pinned.into_parts();
        let (id, agency) = (info.id, info.agency.clone());
        let journal = self.journals.clone().map(|journals| journals as Arc<dyn Journal>);
        let start = CallStart { info, contact, call, ports: Arc::clone(&self.ports), journal };
        let (control, run) = gudok_plugin_host::run(version, start);
        let (log, clock) = (Arc::clone(&self.log), Arc::clone(&self.clock));
        self.runtime.handle().spawn(async move {
            let report = run.await;
            let cpu = Duration::from_micros(report.cpu_us);
            metrics::script_cpu(cpu.as_secs_f64());
            if let Some(fault) = report.fault {
                log.fault(&agency, id, clock.now(), fault);
            }
            ended(report.end, cpu, ticket).await;
        });
        control
    }

    /// Asks a campaign's script about a contact, before dialling. A fault is told to its author.
    pub(crate) async fn prepare(&self, version: Arc<Version>, ask: PrepareAsk) -> PrepareReport {
        let (id, agency) = (ask.call, ask.agency.clone());
        let start = PrepareStart {
            call: ask.call,
            contact: ask.contact,
            agency: ask.agency,
            entry: ask.entry,
            lang: ask.lang,
            ports: Arc::clone(&self.ports),
            journal: None,
        };
        let report = self.runtime.prepare(version, start).join().await;
        metrics::script_cpu(Duration::from_micros(report.cpu_us).as_secs_f64());
        if let Some(fault) = &report.fault {
            self.log.fault(&agency, id, self.clock.now(), fault.clone());
        }
        report
    }

    /// Tells every script that asks that the engine is stopping.
    pub(crate) fn drain(&self) {
        self.host.drain();
    }

    /// What the scripts have told their authors lately.
    pub(crate) fn log(&self) -> &ScriptLog {
        &self.log
    }
}

/// The secrets of all agencies; replaced as a whole at reload.
#[derive(Default)]
struct Secrets(RwLock<BTreeMap<(Agency, String), Secret>>);

impl SecretsPort for Secrets {
    fn secret(&self, agency: &Agency, name: &str) -> Option<Secret> {
        self.0.read().get(&(agency.clone(), name.to_owned())).cloned()
    }
}

/// What scripts tell: their logs go to `tracing`, to the log's ring and to their call's trace; their counters to the
/// metrics.
struct Sink {
    live: Arc<LiveCalls>,
    log: Arc<ScriptLog>,
    clock: Arc<EngineClock>,
}

const fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

impl ScriptSink for Sink {
    fn log(&self, source: Source<'_>, level: LogLevel, message: &str, fields: &[(String, String)]) {
        TracingSink.log(source, level, message, fields);
        let now = self.clock.now();
        if let Some(watch) = self.live.watch(source.call) {
            watch.line(now, TraceKind::Log, format!("{}: {message}", level_name(level)));
        }
        let line = LogLine {
            at_ms: now.as_millis(),
            agency: source.agency.as_str().to_owned(),
            script: source.version.script.as_str().to_owned(),
            label: source.version.version.to_string(),
            call: source.call.to_string(),
            level: level_name(level).to_owned(),
            message: message.to_owned(),
            fields: fields.iter().cloned().collect(),
        };
        self.live.tell(|| Event::Log(line.clone()));
        self.log.push(line);
    }

    fn step(&self, source: Source<'_>, name: &str) {
        tracing::debug!(target: "gudok::script", call = %source.call, agency = %source.agency, step = name, "step");
        if let Some(watch) = self.live.watch(source.call) {
            watch.step(name, self.clock.now());
        }
    }

    fn count(&self, source: Source<'_>, event: &str, by: u32) {
        metrics::script_event(source.agency, event, by);
    }

    fn host_call(&self, source: Source<'_>, function: &str, outcome: &'static str, took: Duration) {
        metrics::host_call(function, outcome, took);
        if let Some(watch) = self.live.watch(source.call) {
            watch.outcome(self.clock.now(), TraceKind::Host, function, took, outcome);
        }
    }
}
