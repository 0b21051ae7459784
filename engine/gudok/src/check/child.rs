//! The check child: takes an order on standard input, looks at the bundle, answers on standard output.

use super::{Against, Answer, Caps, Order, facts, words};
use crate::director::recordings;
use crate::scripts::COMPILE_SUBCOMMAND;
use anyhow::Context;
use gudok_admin::ports::{BundleReport, Difference, SigningKey};
use gudok_core::ids::{Agency, Entry};
use gudok_core::time::Timestamp;
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::check::{Candidate, Checked, Outcome, Step, StepName, Trust, check};
use gudok_plugin_host::gate::Approval;
use gudok_plugin_host::manifest::{Kind, Limits};
use gudok_plugin_host::signature::{AgencyKey, PublicKey};
use gudok_plugin_host::{Admission, CompileConfig, Finding, HostConfig, ScriptHost};
use gudok_simulator::smoke::{self, SmokeSettings};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// The last in every queue.
const NICE: i32 = 19;
/// CPU of the child, besides the compiler's, which has a limit of its own.
const CPU_S_MAX: u64 = 180;
/// Of what it is told.
const ORDER_BYTES_MAX: u64 = 4 << 20;
/// Scripts that the simulator runs at once.
const INSTANCES: u32 = 8;
/// Faults of a smoke run that are told; the first says most.
const FAULTS_TOLD: usize = 3;

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
    limit_itself(CPU_S_MAX, None)?;
    let mut text = Vec::new();
    std::io::stdin().lock().take(ORDER_BYTES_MAX).read_to_end(&mut text)?;
    let order: Order = serde_json::from_slice(&text).context("reading the order")?;
    let answer = serde_json::to_vec(&look(&order)?)?;
    Ok(std::io::stdout().lock().write_all(&answer)?)
}

/// Makes this process the last in every queue, and bounds what it may use. Memory is what it writes to: wasmtime reserves
/// far more addresses than it uses.
pub(crate) fn limit_itself(cpu_s_max: u64, memory_bytes_max: Option<u64>) -> anyhow::Result<()> {
    let _ = rustix::process::nice(NICE);
    let memory = memory_bytes_max.map(|max| (Resource::Data, max));
    for (resource, limit) in [(Resource::Cpu, cpu_s_max), (Resource::Core, 0)].into_iter().chain(memory) {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) }).context("limiting itself")?;
    }
    Ok(())
}

fn look(order: &Order) -> anyhow::Result<Answer> {
    let bytes = std::fs::read(&order.file).context("reading the bundle")?;
    let host = host_for(&order.cache_dir, order.caps)?;
    let keys = keys(&order.agency, &order.keys);
    let limits = BundleLimits::default();
    let admission = Admission { approval: Approval::AsDeclared, config: order.config.clone(), consent_required: false };
    let mut checked = check(
        &host,
        &Candidate {
            bytes: &bytes,
            file_name: None,
            agency: &order.agency,
            trust: if order.unsigned_allowed { Trust::UnsignedToo(&keys) } else { Trust::Signed(&keys) },
            // What was taken in before is the admins' room's to compare.
            known: &[],
            allow_downgrade: true,
            admission: &admission,
            limits: &limits,
            now: Timestamp::from_millis(order.now_ms),
        },
    );
    hear(&mut checked);
    try_out(&mut checked, &order.agency);
    let difference = match &checked.bundle {
        Some(bundle) => Some(compare(bundle, &order.against, &limits)?),
        None => None,
    };
    let signed_by = checked.signed_by.map(|key| key.to_string());
    Ok(Answer {
        facts: checked.bundle.as_ref().map(|bundle| facts(bundle, signed_by, bytes.len() as u64)),
        report: BundleReport { steps: checked.steps.iter().map(words::step).collect(), difference },
    })
}

/// With the version that it would take the place of, or with nothing.
fn compare(bundle: &Bundle, against: &[Against], limits: &BundleLimits) -> anyhow::Result<Difference> {
    let fits = |against: &&Against| against.script.as_ref().is_none_or(|script| *script == bundle.manifest.name);
    let against = against.iter().find(fits);
    let old = match against {
        Some(against) => Some(Bundle::from_upload(&std::fs::read(&against.bundle)?, limits)?),
        None => None,
    };
    let found = gudok_plugin_host::difference::between(old.as_ref(), bundle);
    Ok(words::difference(against.map(|against| against.version.clone()), &found))
}

/// A host for scripts that are tried out.
pub(crate) fn host_for(cache_dir: &Path, caps: Caps) -> anyhow::Result<ScriptHost> {
    let Caps { memory_mib, cpu_ms_per_step, wall_s_per_call } = caps;
    let compile = CompileConfig::new(std::env::current_exe()?, vec![COMPILE_SUBCOMMAND.into()]);
    let caps = Limits { memory_mib, cpu_ms_per_step, wall_s_per_call, ..Limits::caps_default() };
    Ok(ScriptHost::start(HostConfig {
        instances_max: INSTANCES,
        warm_instances_max: 1,
        caps,
        ..HostConfig::new(cache_dir.to_owned(), compile)
    })?)
}

/// Keys that can be read; one that cannot signs nothing.
fn keys(agency: &str, keys: &[SigningKey]) -> Vec<AgencyKey> {
    let read = |key: &SigningKey| {
        Some(AgencyKey {
            key: PublicKey::parse(&key.public_key).ok()?,
            not_before: key.not_before_ms.map(Timestamp::from_millis),
            expires: key.expires_ms.map(Timestamp::from_millis),
            revoked: key.revoked,
            ..AgencyKey::new(agency, PublicKey::parse(&key.public_key).ok()?)
        })
    };
    keys.iter().filter_map(read).collect()
}

/// Whether every recording can be heard: names and languages were looked at already.
fn hear(checked: &mut Checked) {
    let Some(bundle) = &checked.bundle else { return };
    let began = Instant::now();
    let Err(error) = recordings(bundle) else { return };
    let finding = Finding {
        field: error.file,
        problem: error.error.to_string(),
        remedy: "Correct the recording: WAV, MP3, Ogg Vorbis or FLAC of at most ten minutes".to_owned(),
    };
    if let Some(step) = checked.steps.iter_mut().find(|step| step.name == StepName::Media) {
        step.outcome = Outcome::Failed(finding);
        step.took += began.elapsed();
    }
}

/// Lets the simulator's callers call it.
fn try_out(checked: &mut Checked, agency: &str) {
    let began = Instant::now();
    let outcome = match &checked.version {
        _ if checked.findings().next().is_some() => {
            Outcome::Skipped("nothing is tried out that is refused anyway".into())
        }
        None => Outcome::Skipped("there is nothing to be tried out".into()),
        Some(version) => {
            let entry = version.manifest.entries.first().map_or("main", String::as_str);
            let report = smoke::run(version, &Agency::new(agency), &Entry::new(entry), &SmokeSettings::default());
            let told: Vec<String> = report.faults.iter().take(FAULTS_TOLD).map(ToString::to_string).collect();
            match (told.is_empty(), version.kind()) {
                (true, Kind::Campaign) if report.callers == 0 => Outcome::Skipped(
                    "prepare skips a contact without columns: put some rows of a list into data/contacts.jsonl".into(),
                ),
                (true, _) => Outcome::Ok,
                (false, Kind::Campaign) => Outcome::Failed(Finding {
                    field: "script.wasm".to_owned(),
                    problem: format!("contacts of the simulator were badly informed: {}", told.join("; ")),
                    remedy: "Call it in the simulator with these contacts (docs/AUTHORING.md), and correct the script"
                        .to_owned(),
                }),
                (false, _) => Outcome::Failed(Finding {
                    field: "script.wasm".to_owned(),
                    problem: format!("callers of the simulator were badly served: {}", told.join("; ")),
                    remedy: "Call it in the simulator with these keys (docs/AUTHORING.md), and correct the script"
                        .to_owned(),
                }),
            }
        }
    };
    checked.steps.push(Step { name: StepName::Smoke, outcome, took: began.elapsed() });
}
