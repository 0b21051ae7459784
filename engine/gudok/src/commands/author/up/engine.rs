//! The engine as a child of this program: it ends with it, even where this one is killed.

use crate::commands::remote::plain;
use anyhow::{Context, bail};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// Compiling a script for the first time takes its time on a busy machine.
const START_MAX: Duration = Duration::from_secs(180);
/// From being told to stop to being gone.
const STOP_MAX: Duration = Duration::from_secs(15);
/// Lines of its log that are shown where it does not come up.
const LOG_LINES_TOLD: usize = 15;
/// The engine's folder for what it can make again.
const CACHE_VARIABLE: &str = "GUDOK_CACHE_DIR";

/// A running `gudok serve`.
#[derive(Debug)]
pub(super) struct Engine {
    child: Child,
    /// For as long as it is open, the engine stays. Held apart: who waits for a child closes it.
    stdin: Option<ChildStdin>,
    log: PathBuf,
    /// Where SIP listens.
    pub(super) sip: SocketAddr,
    /// Where the console and the API are.
    pub(super) http: SocketAddr,
}

impl Engine {
    /// Starts it, and comes back when it says that it is ready.
    ///
    /// # Errors
    /// Where it does not come up: with the end of its log.
    pub(super) async fn start(config: &Path, log: PathBuf) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("finding this program")?;
        let errors = std::fs::File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let mut command = std::process::Command::new(program);
        command.arg("serve").arg("--config").arg(config).arg("--while-stdin");
        if std::env::var_os(CACHE_VARIABLE).is_none() {
            command.env(CACHE_VARIABLE, gudok_workbench::local::cache_folder()?);
        }
        // A group of its own: Ctrl-C is for us, and we end it in good order.
        command.env("NO_COLOR", "1").process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = Command::from(command).kill_on_drop(true).spawn().context("starting the engine")?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("the engine's output")?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if line.starts_with("gudok: ready") {
                    return Ok(line);
                }
            }
            bail!("the engine stopped:\n{}", tail(&log))
        };
        let ready = tokio::time::timeout(START_MAX, ready).await;
        let ready = ready.with_context(|| format!("the engine was not ready in {START_MAX:?}:\n{}", tail(&log)))??;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let address = |name: &str| -> anyhow::Result<SocketAddr> {
            let value = ready.split_whitespace().find_map(|word| word.strip_prefix(name));
            value.and_then(|value| value.parse().ok()).with_context(|| format!("{name} is missing in {ready:?}"))
        };
        Ok(Self { sip: address("udp=")?, http: address("http=")?, child, stdin, log })
    }

    /// Comes back when it has ended by itself, and says why.
    pub(super) async fn died(&mut self) -> anyhow::Error {
        let how = self.child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
        anyhow::anyhow!("the engine stopped ({how}):\n{}", tail(&self.log))
    }

    /// Ends it: its callers are told goodbye.
    pub(super) async fn stop(mut self) {
        drop(self.stdin.take());
        if tokio::time::timeout(STOP_MAX, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

/// The end of its log.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES_TOLD)..];
    last.iter().map(|line| format!("  {}", plain(line))).collect::<Vec<_>>().join("\n")
}
