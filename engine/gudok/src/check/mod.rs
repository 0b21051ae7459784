//! The check of a bundle before it goes live, seen from the engine: a child process of the lowest priority does the
//! work, so that reading, compiling and trying a stranger's bundle out delays no call and can be killed.

mod child;
mod facts;
mod words;

pub(crate) use child::{host_for, limit_itself, main as child_main};
pub(crate) use facts::facts;
pub(crate) use words::difference;

use crate::director::{Director, internal};
use gudok_admin::documents::{EntryDocument, kinds};
use gudok_admin::ports::{
    BundleCheck, BundleFacts, BundleReport, CheckStep, CheckedBundle, Difference, EngineRefusal, SigningKey, VersionId,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

/// The hidden subcommand that makes this program the check child.
pub(crate) const CHECK_SUBCOMMAND: &str = "check-child";
/// Checks at a time: they are of low priority, and still they want memory.
const CHECKS_MAX: usize = 2;
/// From a check's start to its end, compiling and trying out included.
const CHECK_MAX: Duration = Duration::from_secs(420);
/// Of what a child says.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// What the child is told, on its standard input.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    file: PathBuf,
    /// The versions that it may take the place of: of any script, or of the one that it is.
    against: Vec<Against>,
    agency: String,
    keys: Vec<SigningKey>,
    unsigned_allowed: bool,
    now_ms: u64,
    /// Settings that the agency's entries have.
    config: BTreeMap<String, String>,
    cache_dir: PathBuf,
    caps: Caps,
}

#[derive(Debug, Serialize, Deserialize)]
struct Against {
    /// Only for this script.
    script: Option<String>,
    version: VersionId,
    bundle: PathBuf,
}

/// What no script gets more than.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Caps {
    pub(crate) memory_mib: u32,
    pub(crate) cpu_ms_per_step: u32,
    pub(crate) wall_s_per_call: u32,
}

impl Caps {
    /// Those of the configuration.
    pub(crate) fn of(scripts: &crate::config::Scripts) -> Self {
        Self {
            memory_mib: scripts.memory_mib_max,
            cpu_ms_per_step: scripts.cpu_ms_per_step_max,
            wall_s_per_call: scripts.wall_s_per_call_max,
        }
    }
}

/// What the child answers, on its standard output.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    facts: Option<BundleFacts>,
    report: BundleReport,
}

/// Checks bundles.
pub(crate) struct Checker {
    cache_dir: PathBuf,
    permits: Semaphore,
}

impl Checker {
    pub(crate) fn new(cache_dir: PathBuf) -> Self {
        Self { cache_dir, permits: Semaphore::new(CHECKS_MAX) }
    }

    /// Looks at a bundle as if it went live.
    pub(crate) async fn check(&self, director: &Director, check: BundleCheck) -> Result<CheckedBundle, EngineRefusal> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(internal("checking the bundle", "the engine is stopping"));
        };
        let (against, _open) = open_all(director, &check).await?;
        // The child has another working directory.
        let file = std::path::absolute(&check.file).map_err(|error| internal("checking the bundle", error))?;
        let config = director.config();
        let order = Order {
            file,
            against,
            config: settings_of(director, check.agency.as_str()).await?,
            agency: check.agency.as_str().to_owned(),
            keys: check.keys,
            unsigned_allowed: check.unsigned_allowed,
            now_ms: check.now_ms,
            cache_dir: self.cache_dir.clone(),
            caps: Caps::of(&config.scripts),
        };
        let said = tokio::time::timeout(CHECK_MAX, ask_child(CHECK_SUBCOMMAND, &order, ANSWER_BYTES_MAX)).await;
        match said {
            Ok(Ok(answer)) => judged(answer),
            Ok(Err(error)) => Err(of_report(unfinished(&format!("{error:#}")))),
            Err(_) => Err(of_report(unfinished(&format!("it took longer than {} s", CHECK_MAX.as_secs())))),
        }
    }
}

/// The bundles to compare with, and the files that keep them open for the child.
async fn open_all(director: &Director, check: &BundleCheck) -> Result<(Vec<Against>, Vec<File>), EngineRefusal> {
    let one = check.against.iter().map(|id| (None, id));
    let by_script = check.against_by_script.iter().map(|(script, id)| (Some(script.clone()), id));
    let (mut all, mut open) = (Vec::new(), Vec::new());
    for (script, id) in one.chain(by_script) {
        let file = director.bundle_file(&director.version(id).await?).await?;
        // Another process of the same user may open what this one has open.
        let bundle = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
        all.push(Against { script, version: id.clone(), bundle });
        open.push(file);
    }
    Ok((all, open))
}

/// Every setting that some entry of the agency has: a script's addresses are in there.
pub(crate) async fn settings_of(director: &Director, agency: &str) -> Result<BTreeMap<String, String>, EngineRefusal> {
    let mut all = BTreeMap::new();
    for (id, _, entry) in director.documents::<EntryDocument>(kinds::ENTRY).await? {
        if id.split_once('/').is_some_and(|(of, _)| of == agency) {
            all.extend(entry.config);
        }
    }
    for entry in director.config().entries.iter().filter(|entry| entry.agency.as_str() == agency) {
        all.extend(entry.config.clone());
    }
    Ok(all)
}

/// Starts this program as a child that does one thing, tells it what, and hears what came of it.
pub(crate) async fn ask_child<A: DeserializeOwned>(
    subcommand: &str,
    order: &impl Serialize,
    answer_bytes_max: u64,
) -> anyhow::Result<A> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(subcommand)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let text = serde_json::to_vec(order)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&text).await?;
    }
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let read_out = async {
        if let Some(stdout) = stdout {
            stdout.take(answer_bytes_max).read_to_end(&mut said).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    let read_err = async {
        if let Some(stderr) = stderr {
            stderr.take(answer_bytes_max).read_to_end(&mut complained).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    tokio::try_join!(read_out, read_err)?;
    let status = child.wait().await?;
    let complaint = String::from_utf8_lossy(&complained);
    anyhow::ensure!(status.success(), "it ended by itself ({status}): {}", complaint.trim());
    Ok(serde_json::from_slice(&said)?)
}

fn judged(answer: Answer) -> Result<CheckedBundle, EngineRefusal> {
    let passed = answer.report.steps.iter().all(|step| step.result != FAILED);
    match answer.facts {
        Some(facts) if passed => Ok(CheckedBundle { facts, report: answer.report }),
        _ => Err(of_report(answer.report)),
    }
}

const FAILED: &str = "failed";

/// The first step that failed speaks for the whole.
fn of_report(report: BundleReport) -> EngineRefusal {
    let failed = report.steps.iter().find(|step| step.result == FAILED);
    let (step, field, problem, remedy) = match failed {
        Some(step) => (step.step.as_str(), step.field.clone(), step.problem.clone(), step.remedy.clone()),
        None => ("check", None, None, None),
    };
    EngineRefusal {
        code: "bundle-refused",
        status: 422,
        field,
        problem: format!("{step}: {}", problem.unwrap_or_else(|| "it was not finished".to_owned())),
        remedy: remedy.unwrap_or_else(|| "look at the report, step by step".to_owned()),
        report: Some(Box::new(report)),
    }
}

/// The report of a check whose process did not come back with one.
fn unfinished(why: &str) -> BundleReport {
    let step = CheckStep {
        step: "check".to_owned(),
        result: FAILED.to_owned(),
        field: Some("bundle".to_owned()),
        problem: Some(format!("the check was not finished: {why}")),
        remedy: Some(
            "make the bundle smaller or simpler; if another bundle fails too, look into the engine's log".to_owned(),
        ),
        took_ms: 0,
    };
    tracing::warn!(why, "the check of a bundle was not finished");
    BundleReport { steps: vec![step], difference: None }
}

impl Director {
    /// What changes from one version to another.
    pub(crate) async fn difference(&self, from: Option<VersionId>, to: VersionId) -> Result<Difference, EngineRefusal> {
        let old = match &from {
            Some(id) => Some(self.bundle(&self.version(id).await?).await?),
            None => None,
        };
        let new = self.bundle(&self.version(&to).await?).await?;
        Ok(difference(from, &gudok_plugin_host::difference::between(old.as_ref(), &new)))
    }
}
