//! Many callers a second: SIPp with the scenario that the engine is measured with.

use crate::clients::free_port;
use anyhow::{Context, ensure};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::UdpSocket;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// From the last call's beginning to its end.
const LAST_CALL_MAX: Duration = Duration::from_secs(120);

/// Callers who call at a steady rate until they are told to stop, listen, and wait for the engine to hang up.
#[derive(Debug)]
pub struct Load {
    child: Child,
    dir: TempDir,
    listens: JoinHandle<()>,
}

/// How the load's calls went.
#[derive(Debug, Clone, Default)]
pub struct LoadReport {
    /// Calls that went as the scenario says: answered, then hung up by the engine.
    pub served: u64,
    /// Calls that did not.
    pub failed: u64,
    /// SIP messages that had to be sent again: the answer took longer than 500 ms, or was lost.
    pub sent_again: u64,
    /// From INVITE to 200, in milliseconds, as they came.
    pub answer_ms: Vec<f64>,
    /// What SIPp complained of.
    pub errors: String,
}

impl LoadReport {
    /// The time within which that share of calls was answered, of 1.
    #[must_use]
    pub fn answered_within_ms(&self, share: f64) -> f64 {
        let mut times = self.answer_ms.clone();
        times.sort_by(f64::total_cmp);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
        let place = (share * times.len() as f64) as usize;
        times.get(place.min(times.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }
}

impl Load {
    /// Begins to call a number at so many calls a second.
    ///
    /// # Errors
    /// Where SIPp is not installed, or its scenario is not there.
    pub async fn start(engine: SocketAddr, number: &str, calls_per_s: u32) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let (ear, reports) = ears().await?;
        let heard_at = ear.local_addr()?.port().to_string();
        let listens = tokio::spawn(async move {
            tokio::join!(hear(ear), hear(reports));
        });
        let mut command = Command::new("sipp");
        command.arg(engine.to_string()).args(["-i", "127.0.0.1", "-p", &free_port()?.to_string()]);
        command.arg("-sf").arg(scenario()).args(["-s", number, "-r", &calls_per_s.to_string(), "-l", "100000"]);
        command.args(["-key", "sinkip", "127.0.0.1", "-key", "sinkport", &heard_at, "-nostdin"]);
        command.args(["-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_rtt", "-rtt_freq", "1"]);
        command.args(["-trace_err", "-error_file", "errors", "-buff_size", "4194304"]);
        command.current_dir(dir.path()).env("TERM", "dumb");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.kill_on_drop(true).spawn().context("starting sipp (Debian: sip-tester)")?;
        Ok(Self { child, dir, listens })
    }

    /// Begins no more calls, waits for the last one's end, and tells how they went.
    ///
    /// # Errors
    /// Where SIPp does not end.
    pub async fn finish(mut self) -> anyhow::Result<LoadReport> {
        let pid = self.child.id().context("sipp has ended before it was told to")?;
        let told = Command::new("kill").args(["-USR1", &pid.to_string()]).status().await?;
        ensure!(told.success(), "sipp cannot be told to stop");
        tokio::time::timeout(LAST_CALL_MAX, self.child.wait()).await.context("sipp is not done")??;
        self.listens.abort();
        self.report()
    }

    fn report(&self) -> anyhow::Result<LoadReport> {
        let stat = std::fs::read_to_string(self.dir.path().join("stat.csv"))?;
        let names: Vec<&str> = stat.lines().next().context("sipp has counted nothing")?.split(';').collect();
        let last: Vec<&str> = stat.lines().last().unwrap_or_default().split(';').collect();
        let count = |name: &str| -> anyhow::Result<u64> {
            let place = names.iter().position(|found| *found == name).with_context(|| name.to_owned())?;
            Ok(last.get(place).context("a short line")?.parse()?)
        };
        let mut answer_ms = Vec::new();
        for entry in std::fs::read_dir(self.dir.path())?.flatten() {
            if entry.file_name().to_string_lossy().contains("_rtt") {
                answer_ms.extend(std::fs::read_to_string(entry.path())?.lines().filter_map(answer_time));
            }
        }
        Ok(LoadReport {
            served: count("SuccessfulCall(C)")?,
            failed: count("FailedCall(C)")?,
            sent_again: count("Retransmissions(C)")?,
            answer_ms,
            errors: std::fs::read_to_string(self.dir.path().join("errors")).unwrap_or_default(),
        })
    }
}

/// Whatever the engine plays and reports (RTP, and RTCP a port above it) arrives somewhere: a port that nobody has would
/// answer that it is closed, or would be some other telephone's.
async fn ears() -> anyhow::Result<(UdpSocket, UdpSocket)> {
    const TRIES: usize = 100;
    for _ in 0..TRIES {
        let ear = UdpSocket::bind("127.0.0.1:0").await?;
        let above = ear.local_addr()?.port().checked_add(1);
        if let Some(above) = above
            && let Ok(reports) = UdpSocket::bind(("127.0.0.1", above)).await
        {
            return Ok((ear, reports));
        }
    }
    anyhow::bail!("no two ports in a row are free")
}

async fn hear(socket: UdpSocket) {
    const DATAGRAM_BYTES: usize = 2_048;
    let mut bytes = vec![0; DATAGRAM_BYTES];
    while socket.recv(&mut bytes).await.is_ok() {}
}

/// `Date_ms;response_time_ms;rtd_name`; the scenario's first is INVITE to 200.
fn answer_time(line: &str) -> Option<f64> {
    let mut fields = line.split(';');
    let time = fields.nth(1)?;
    (fields.next()?.trim() == "1").then(|| time.parse().ok())?
}

fn scenario() -> PathBuf {
    crate::root().join("tests/load/scenarios/caller.xml")
}
