//! The replay child: takes an order and journals on standard input, runs scripts again, answers on standard output.
//!
//! Journals come in clear by the pipe, so that no key leaves the engine; the answer is masked.

use super::replays::{Answer, Order, Replayed};
use crate::scripts::COMPILE_SUBCOMMAND;
use anyhow::{Context, ensure};
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::gate::Approval;
use gudok_plugin_host::journal::CallJournal;
use gudok_plugin_host::manifest::Limits;
use gudok_plugin_host::replay::{ReplayReport, replay};
use gudok_plugin_host::{Admission, CompileConfig, HostConfig, Metering, ScriptHost, Version};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The last in every queue.
const NICE: i32 = 19;
/// CPU of the child, besides the compiler's, which has a limit of its own.
const CPU_S_MAX: u64 = 600;
/// Of an order without its journals.
const ORDER_BYTES_MAX: u64 = 4 << 20;
/// Of one journal.
const JOURNAL_BYTES_MAX: u64 = 128 << 20;
/// Scripts at once: one, and one that is being put away.
const INSTANCES: u32 = 4;
/// Differences that are told where many calls are replayed.
const DIFFERENCES_OF_MANY_MAX: usize = 3;

/// Does what it is told, once.
pub(crate) fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is gone.
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn work() -> anyhow::Result<()> {
    let _ = rustix::process::nice(NICE);
    for (resource, limit) in [(Resource::Cpu, CPU_S_MAX), (Resource::Core, 0)] {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) }).context("limiting itself")?;
    }
    let mut input = std::io::stdin().lock();
    let order: Order = serde_json::from_slice(&sized(&mut input, ORDER_BYTES_MAX)?).context("reading the order")?;
    let mut scripts = Scripts { host: host(&order)?, order: &order, loaded: BTreeMap::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut answer = Answer { replayed: Vec::new(), is: None };
    for _ in 0..order.journals {
        let bytes = sized(&mut input, JOURNAL_BYTES_MAX)?;
        answer.replayed.push(runtime.block_on(scripts.replay(&bytes)));
    }
    if let Some(Ok(target)) = scripts.target() {
        answer.is = Some(target.id.version.to_string());
    }
    Ok(std::io::stdout().lock().write_all(&serde_json::to_vec(&answer)?)?)
}

/// What stands next, behind its length.
fn sized(input: &mut impl Read, bytes_max: u64) -> anyhow::Result<Vec<u8>> {
    let mut len = [0; 8];
    input.read_exact(&mut len).context("reading a length")?;
    let len = u64::from_le_bytes(len);
    ensure!(len <= bytes_max, "what comes has {len} bytes; at most {bytes_max}");
    let mut bytes = Vec::new();
    input.take(len).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 == len, "the pipe broke off");
    Ok(bytes)
}

fn host(order: &Order) -> anyhow::Result<ScriptHost> {
    let compile = CompileConfig::new(std::env::current_exe()?, vec![COMPILE_SUBCOMMAND.into()]);
    let caps = Limits {
        memory_mib: order.caps.memory_mib,
        cpu_ms_per_step: order.caps.cpu_ms_per_step,
        wall_s_per_call: order.caps.wall_s_per_call,
        ..Limits::caps_default()
    };
    Ok(ScriptHost::start(HostConfig {
        instances_max: INSTANCES,
        warm_instances_max: 1,
        caps,
        // Two replays of a call end in the same place, whatever else this machine does.
        metering: Metering::Fuel,
        ..HostConfig::new(order.cache_dir.clone(), compile)
    })?)
}

/// The versions that calls are replayed on.
struct Scripts<'a> {
    host: ScriptHost,
    order: &'a Order,
    /// By the bundle's hash, or under no hash the one that all calls are replayed on.
    loaded: BTreeMap<String, Result<Arc<Version>, String>>,
}

impl Scripts<'_> {
    async fn replay(&mut self, bytes: &[u8]) -> Replayed {
        let journal = match CallJournal::from_bytes(bytes) {
            Ok(journal) => journal,
            Err(error) => return Replayed::Not(error.to_string()),
        };
        let own = crate::hex::hex(&journal.header.script.bundle_sha256);
        let version = self.target().unwrap_or_else(|| match self.order.bundles.get(&own) {
            Some(path) => self.load(&own, path),
            None => Err(format!("the version {} is not kept any more", journal.header.script.version)),
        });
        let version = match version {
            Ok(version) => version,
            Err(why) => return Replayed::Not(why),
        };
        match replay(&version, &journal).await {
            Ok(report) => Replayed::Report(Box::new(self.shortened(report))),
            Err(error) => Replayed::Not(error.to_string()),
        }
    }

    /// The version that all calls are replayed on, where there is one.
    fn target(&mut self) -> Option<Result<Arc<Version>, String>> {
        let path = self.order.target.clone()?;
        Some(self.load("", &path))
    }

    fn load(&mut self, name: &str, path: &Path) -> Result<Arc<Version>, String> {
        if let Some(loaded) = self.loaded.get(name) {
            return loaded.clone();
        }
        let loaded = self.read(path).map_err(|error| format!("{error:#}"));
        self.loaded.insert(name.to_owned(), loaded.clone());
        loaded
    }

    fn read(&self, path: &Path) -> anyhow::Result<Arc<Version>> {
        let bytes = std::fs::read(path).context("reading the bundle")?;
        let bundle = Bundle::from_upload(&bytes, &BundleLimits::default())?;
        ensure!(
            bundle.manifest.agency == self.order.agency,
            "the bundle is of the agency {}, and the calls are of {}",
            bundle.manifest.agency,
            self.order.agency
        );
        let config = self.order.config.clone();
        let admission = Admission { approval: Approval::AsDeclared, config, consent_required: false };
        Ok(self.host.load(&bundle, &admission)?)
    }

    fn shortened(&self, mut report: ReplayReport) -> ReplayReport {
        if !self.order.with_steps {
            report.steps = Vec::new();
            report.differences.truncate(DIFFERENCES_OF_MANY_MAX);
        }
        report
    }
}
