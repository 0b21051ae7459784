//! The agencies' scripts: loaded from their bundles, active at their entries, started for calls.

use crate::clock::EngineClock;
use crate::config::{Config, EntryConfig};
use crate::keep::AgencyStorage;
use crate::metrics;
use anyhow::Context;
use gudok_core::ids::{Agency, ScriptVersion};
use gudok_core::privacy::Secret;
use gudok_core::script::ScriptEnd;
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::http::{HttpConfig, HttpFetch};
use gudok_plugin_host::manifest::Limits;
use gudok_plugin_host::ports::{
    CallInfo, CallPort, LogLevel, Ports, ScriptSink, SecretsPort, Source, SystemRandom, TracingSink,
};
use gudok_plugin_host::{
    Admission, CallStart, CompileConfig, HostConfig, Registry, RunControl, ScriptFault, ScriptHost, ScriptRuntime,
};
use gudok_speech::{MediaLibrary, MediaLimits, MediaSource};
use gudok_store::Store;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The hidden subcommand that makes this program the compile child.
pub(crate) const COMPILE_SUBCOMMAND: &str = "compile-child";
/// Faults kept for authors; the oldest go first.
const FAULTS_MAX: usize = 256;

/// All scripts of the engine.
pub(crate) struct Scripts {
    host: ScriptHost,
    runtime: ScriptRuntime,
    registry: Registry,
    ports: Arc<Ports>,
    secrets: Arc<Secrets>,
    /// Recordings by the bundle's hash.
    media: RwLock<HashMap<[u8; 32], Arc<dyn MediaSource>>>,
    faults: Arc<Mutex<VecDeque<ScriptFault>>>,
}

/// A script that runs for a call.
pub(crate) struct Started {
    pub(crate) version: ScriptVersion,
    pub(crate) media: Arc<dyn MediaSource>,
    pub(crate) control: RunControl,
}

/// Why no script runs for a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartRefused {
    /// None is active at the entry.
    NoScript,
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
    ) -> anyhow::Result<Arc<Self>> {
        let program = std::env::current_exe().context("finding this program, to compile scripts in a child")?;
        let compile = CompileConfig::new(program, vec![COMPILE_SUBCOMMAND.into()]);
        let caps = Limits {
            memory_mib: config.scripts.memory_mib_max,
            cpu_ms_per_step: config.scripts.cpu_ms_per_step_max,
            wall_s_per_call: config.scripts.wall_s_per_call_max,
            ..Limits::caps_default()
        };
        let host = ScriptHost::start(HostConfig {
            instances_max: config.scripts.instances_max,
            caps,
            grace: config.call_limits.grace_max,
            ..HostConfig::new(cache_dir.join("compiled"), compile)
        })?;
        let runtime = ScriptRuntime::start(config.scripts.threads)?;
        let secrets = Arc::new(Secrets::default());
        let ports = Arc::new(Ports {
            storage: Arc::new(AgencyStorage::new(store, Arc::clone(&clock))),
            fetch: Arc::new(HttpFetch::new(HttpConfig::default())?),
            secrets: Arc::clone(&secrets) as Arc<dyn SecretsPort>,
            clock,
            random: Arc::new(SystemRandom),
            sink: Arc::new(Sink),
        });
        let (media, faults) = (RwLock::default(), Arc::default());
        Ok(Arc::new(Self { host, runtime, registry: Registry::default(), ports, secrets, media, faults }))
    }

    /// Loads what the configuration names and makes it active. Blocks while bundles compile.
    ///
    /// # Errors
    /// The first bundle that is refused; what was active before stays active.
    pub(crate) fn load(&self, entries: &[EntryConfig]) -> anyhow::Result<()> {
        let mut loaded = Vec::new();
        for entry in entries {
            loaded.push((entry, self.load_one(entry)?));
        }
        let mut secrets = BTreeMap::new();
        for (entry, (version, media)) in loaded {
            for (name, secret) in &entry.secrets {
                secrets.insert((entry.agency.clone(), name.clone()), secret.clone());
            }
            self.media.write().insert(version.id.bundle_sha256, media);
            tracing::info!(
                agency = %entry.agency,
                entry = %entry.entry,
                script = %version.id.script,
                version = %version.id.version,
                "script active"
            );
            self.registry.activate(&entry.agency, &entry.entry, version);
        }
        *self.secrets.0.write() = secrets;
        Ok(())
    }

    fn load_one(&self, entry: &EntryConfig) -> anyhow::Result<(Arc<gudok_plugin_host::Version>, Arc<dyn MediaSource>)> {
        let bundle = Bundle::open(&entry.bundle, &BundleLimits::default())?;
        let of_agency = bundle.manifest.agency == entry.agency.as_str();
        anyhow::ensure!(
            of_agency,
            "{} is a bundle of the agency {:?} and cannot serve {:?}; configure it there",
            entry.bundle.display(),
            bundle.manifest.agency,
            entry.agency.as_str()
        );
        let entries = &bundle.manifest.entries;
        anyhow::ensure!(
            entries.is_empty() || entries.iter().any(|name| name == entry.entry.as_str()),
            "{} may be active under {} only, and is configured at {:?}",
            entry.bundle.display(),
            entries.join(", "),
            entry.entry.as_str()
        );
        let mut library = MediaLibrary::default();
        for (name, media) in &bundle.media {
            let path = format!("{}/{}.{}", name.lang, name.name, media.ending);
            library
                .add(&path, media.bytes.to_vec(), &MediaLimits::default())
                .with_context(|| format!("media/{path} in {}", entry.bundle.display()))?;
        }
        let admission = Admission {
            approval: entry.approval.clone(),
            config: entry.config.clone(),
            consent_required: false,
        };
        let version =
            self.host.load(&bundle, &admission).with_context(|| format!("loading {}", entry.bundle.display()))?;
        Ok((version, Arc::new(library)))
    }

    /// Starts the script that is active at the call's entry now. `ended` is told how it ended, on a thread of scripts.
    ///
    /// # Errors
    /// Where none is.
    pub(crate) fn start_call(
        &self,
        info: CallInfo,
        call: Arc<dyn CallPort>,
        ended: impl FnOnce(ScriptEnd) -> futures_util::future::BoxFuture<'static, ()> + Send + 'static,
    ) -> Result<Started, StartRefused> {
        let version = self.registry.current(&info.agency, &info.entry, 0).ok_or(StartRefused::NoScript)?;
        let media = self.media.read().get(&version.id.bundle_sha256).cloned().ok_or(StartRefused::NoScript)?;
        let id = version.id.clone();
        let start = CallStart { info, call, ports: Arc::clone(&self.ports), journal: None };
        let (control, run) = gudok_plugin_host::run(version, start);
        let faults = Arc::clone(&self.faults);
        self.runtime.handle().spawn(async move {
            let report = run.await;
            metrics::script_cpu(Duration::from_micros(report.cpu_us).as_secs_f64());
            if let Some(fault) = report.fault {
                keep_fault(&faults, fault);
            }
            ended(report.end).await;
        });
        Ok(Started { version: id, media, control })
    }

    /// Tells every script that asks that the engine is stopping.
    pub(crate) fn drain(&self) {
        self.host.drain();
    }

    /// The last faults, newest last: for authors.
    pub(crate) fn faults(&self) -> Vec<ScriptFault> {
        self.faults.lock().iter().cloned().collect()
    }
}

fn keep_fault(faults: &Mutex<VecDeque<ScriptFault>>, fault: ScriptFault) {
    tracing::warn!(
        script = %fault.version.script,
        version = %fault.version.version,
        cause = fault.cause.as_str(),
        step = fault.step,
        message = fault.message,
        backtrace = fault.backtrace,
        "script stopped"
    );
    let mut faults = faults.lock();
    if faults.len() >= FAULTS_MAX {
        faults.pop_front();
    }
    faults.push_back(fault);
}

/// The secrets of all agencies; replaced as a whole at reload.
#[derive(Default)]
struct Secrets(RwLock<BTreeMap<(Agency, String), Secret>>);

impl SecretsPort for Secrets {
    fn secret(&self, agency: &Agency, name: &str) -> Option<Secret> {
        self.0.read().get(&(agency.clone(), name.to_owned())).cloned()
    }
}

/// Scripts' logs go to `tracing`, their counters to the metrics.
struct Sink;

impl ScriptSink for Sink {
    fn log(&self, source: Source<'_>, level: LogLevel, message: &str, fields: &[(String, String)]) {
        TracingSink.log(source, level, message, fields);
    }

    fn step(&self, source: Source<'_>, name: &str) {
        tracing::debug!(target: "gudok::script", call = %source.call, agency = %source.agency, step = name, "step");
    }

    fn count(&self, source: Source<'_>, event: &str, by: u32) {
        metrics::script_event(source.agency, event, by);
    }

    fn host_call(&self, _: Source<'_>, function: &str, outcome: &'static str, took: Duration) {
        metrics::host_call(function, outcome, took);
    }
}
