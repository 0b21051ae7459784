//! Replays and rehearsals: a child process of the lowest priority runs the scripts, so that no call is delayed and a
//! stranger's script can be killed.

use super::{Journals, REPLAY_SUBCOMMAND};
use crate::check::{Caps, settings_of};
use crate::director::{Director, internal, refused};
use gudok_admin::ports::{EngineRefusal, ReplayOn};
use gudok_core::ids::Agency;
use gudok_plugin_host::journal::CallJournal;
use gudok_plugin_host::replay::ReplayReport;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};
use tokio::sync::Semaphore;

/// Children at a time: they are of low priority, and still they want memory.
const CHILDREN_MAX: usize = 1;
/// From a child's start to its end, compiling included.
const CHILD_MAX: Duration = Duration::from_secs(900);
/// Of what a child says.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// What the child is told, on its standard input, before the journals.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// All calls are replayed on this bundle …
    pub(super) target: Option<PathBuf>,
    /// … or each on its own version, by the bundle's hash.
    pub(super) bundles: BTreeMap<String, PathBuf>,
    pub(super) agency: String,
    /// Settings that the agency's entries have.
    pub(super) config: BTreeMap<String, String>,
    pub(super) cache_dir: PathBuf,
    pub(super) caps: Caps,
    /// With the replay's host calls.
    pub(super) with_steps: bool,
    pub(super) journals: usize,
}

/// What the child answers, on its standard output.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    /// One for each journal, in their order.
    pub(super) replayed: Vec<Replayed>,
    /// The version that all were replayed on, as in its manifest.
    pub(super) is: Option<String>,
}

/// What became of one journal.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Replayed {
    Report(Box<ReplayReport>),
    /// It could not be run again; says why.
    Not(String),
}

/// Runs calls again.
pub(crate) struct Replays {
    pub(super) journals: Option<Arc<Journals>>,
    pub(super) director: Arc<Director>,
    cache_dir: PathBuf,
    permits: Semaphore,
}

impl Replays {
    pub(crate) fn new(journals: Option<Arc<Journals>>, director: Arc<Director>, cache_dir: PathBuf) -> Self {
        Self { journals, director, cache_dir, permits: Semaphore::new(CHILDREN_MAX) }
    }

    /// Runs these calls of one agency again.
    pub(super) async fn run(
        &self,
        agency: &Agency,
        journals: &[CallJournal],
        on: &ReplayOn,
        with_steps: bool,
    ) -> Result<Answer, EngineRefusal> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(internal("replaying a call", "the engine is stopping"));
        };
        let mut open = Vec::new();
        let target = match on {
            ReplayOn::Own => None,
            ReplayOn::Version(id) => Some(self.bundle(id, &mut open).await?),
            // The child has another working directory.
            ReplayOn::File(file) => {
                Some(std::path::absolute(file).map_err(|error| internal("replaying a call", error))?)
            }
        };
        let mut bundles = BTreeMap::new();
        if target.is_none() {
            let own = journals.iter().map(|journal| crate::hex::hex(&journal.header.script.bundle_sha256));
            for id in own.collect::<BTreeSet<_>>() {
                bundles.insert(id.clone(), self.bundle(&id, &mut open).await?);
            }
        }
        let order = Order {
            target,
            bundles,
            agency: agency.as_str().to_owned(),
            config: settings_of(&self.director, agency.as_str()).await?,
            cache_dir: self.cache_dir.clone(),
            caps: Caps::of(&self.director.config().scripts),
            with_steps,
            journals: journals.len(),
        };
        match tokio::time::timeout(CHILD_MAX, ask_child(&order, journals)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), "a replay was not finished");
                Err(unfinished("its process ended early; the engine's log has the reason"))
            }
            Err(_) => Err(unfinished(&format!("it took longer than {} s", CHILD_MAX.as_secs()))),
        }
    }

    /// A version's bundle, where the child may open it while `open` lives.
    async fn bundle(&self, id: &str, open: &mut Vec<File>) -> Result<PathBuf, EngineRefusal> {
        let file = self.director.bundle_file(&self.director.version(id).await?).await?;
        // Another process of the same user may open what this one has open.
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
        open.push(file);
        Ok(path)
    }
}

fn unfinished(why: &str) -> EngineRefusal {
    let remedy = "replay fewer calls, or one of them; if the bundle is slow, gudok test says where";
    refused("conflict", 409, None, format!("the replay was not finished: {why}"), remedy)
}

async fn ask_child(order: &Order, journals: &[CallJournal]) -> anyhow::Result<Answer> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(REPLAY_SUBCOMMAND)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let tell = async {
        if let Some(mut stdin) = stdin {
            // A child that gives up early says so on the other pipe.
            let _ = tell(&mut stdin, order, journals).await;
        }
        Ok(())
    };
    let read_out = async {
        if let Some(stdout) = stdout {
            stdout.take(ANSWER_BYTES_MAX).read_to_end(&mut said).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    let read_err = async {
        if let Some(stderr) = stderr {
            stderr.take(ANSWER_BYTES_MAX).read_to_end(&mut complained).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    tokio::try_join!(tell, read_out, read_err)?;
    let status = child.wait().await?;
    let complaint = String::from_utf8_lossy(&complained);
    anyhow::ensure!(status.success(), "it ended by itself ({status}): {}", complaint.trim());
    Ok(serde_json::from_slice(&said)?)
}

async fn tell(stdin: &mut ChildStdin, order: &Order, journals: &[CallJournal]) -> anyhow::Result<()> {
    send(stdin, &serde_json::to_vec(order)?).await?;
    for journal in journals {
        send(stdin, &journal.to_bytes()).await?;
    }
    Ok(stdin.shutdown().await?)
}

async fn send(stdin: &mut ChildStdin, bytes: &[u8]) -> std::io::Result<()> {
    stdin.write_all(&(bytes.len() as u64).to_le_bytes()).await?;
    stdin.write_all(bytes).await
}
