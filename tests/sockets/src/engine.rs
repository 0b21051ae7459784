//! Programs under test: started, told apart by what they print, killed by the id that was started.

use crate::api::Api;
use crate::config::ConfigBuilder;
use anyhow::{Context, ensure};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

/// A start compiles the bundles; on a busy machine of two cores that takes its time.
const START_MAX: Duration = Duration::from_secs(120);
const STOP_MAX: Duration = Duration::from_secs(30);

/// How an engine is started.
#[derive(Debug, Clone, Copy, Default)]
struct Start<'a> {
    /// Where its clock begins.
    moment: Option<&'a str>,
    /// What it logs.
    filter: Option<&'a str>,
    /// Where it dies.
    die_at: Option<&'a str>,
}

/// A running `gudok serve`.
#[derive(Debug)]
pub struct Engine {
    child: Child,
    /// Where SIP listens.
    pub sip: SocketAddr,
    /// Where SIP listens over TCP.
    pub sip_tcp: SocketAddr,
    /// Where health, metrics and call records are.
    pub http: SocketAddr,
    /// The configuration.
    pub config: PathBuf,
    dir: TempDir,
}

impl Engine {
    /// Starts the engine.
    ///
    /// # Errors
    /// Where it does not come up; with the end of its log.
    pub async fn start(config: &ConfigBuilder) -> anyhow::Result<Self> {
        Self::start_at(config, None).await
    }

    /// Starts the engine with its clock at a moment, "2026-05-05T02:30:00+07:00".
    ///
    /// # Errors
    /// Where it does not come up; with the end of its log.
    pub async fn start_at(config: &ConfigBuilder, moment: Option<&str>) -> anyhow::Result<Self> {
        let (dir, file) = Self::written(config)?;
        Self::launch(dir, file, Start { moment, filter: config.log.as_deref(), die_at: None }).await
    }

    /// Starts the engine so that it dies, as by `kill -9`, where its code says that it may: at a point by its name.
    ///
    /// # Errors
    /// Where it does not come up; with the end of its log.
    pub async fn start_to_die_at(config: &ConfigBuilder, point: &str) -> anyhow::Result<Self> {
        let (dir, file) = Self::written(config)?;
        Self::launch(dir, file, Start { die_at: Some(point), ..Start::default() }).await
    }

    /// Kills the engine with SIGKILL and starts it again on the same store.
    ///
    /// # Errors
    /// Where it does not come up; with the end of its log.
    pub async fn kill_and_restart(self) -> anyhow::Result<Self> {
        self.kill_and_restart_to_die_at(None).await
    }

    /// Kills the engine with SIGKILL and starts it again on the same store, with its clock at a moment.
    ///
    /// # Errors
    /// Where it does not come up; with the end of its log.
    pub async fn kill_and_restart_at(mut self, moment: &str) -> anyhow::Result<Self> {
        if self.child.id().is_some() {
            self.child.kill().await?;
        }
        Self::launch(self.dir, self.config, Start { moment: Some(moment), ..Start::default() }).await
    }

    /// Kills the engine, or waits for it to be dead, and starts it again so that it dies at a point by its name.
    ///
    /// # Errors
    /// Where it does not come up; with the end of its log.
    pub async fn kill_and_restart_to_die_at(mut self, point: Option<&str>) -> anyhow::Result<Self> {
        // Whoever is dead already has been waited for.
        if self.child.id().is_some() {
            self.child.kill().await?;
        }
        Self::launch(self.dir, self.config, Start { die_at: point, ..Start::default() }).await
    }

    /// Kills the engine with SIGKILL, does something to what it left, and starts it again.
    ///
    /// # Errors
    /// Where that fails, or it does not come up; with the end of its log.
    pub async fn kill_then(mut self, between: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Self> {
        self.child.kill().await?;
        between()?;
        Self::launch(self.dir, self.config, Start::default()).await
    }

    /// Stops the engine by SIGTERM, and gives the folder in which its store is, for as long as that is held.
    ///
    /// # Errors
    /// Where it does not stop.
    pub async fn stop(mut self) -> anyhow::Result<TempDir> {
        self.signal("TERM").await?;
        let status = self.ended().await?;
        ensure!(status.success(), "{status}: {}", self.log());
        Ok(self.dir)
    }

    fn written(config: &ConfigBuilder) -> anyhow::Result<(TempDir, PathBuf)> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("gudok.toml");
        std::fs::write(&file, config.text(dir.path()))?;
        Ok((dir, file))
    }

    async fn launch(dir: TempDir, config: PathBuf, start: Start<'_>) -> anyhow::Result<Self> {
        let log = dir.path().join("engine.log");
        let mut command = Command::new(crate::program("gudok")?);
        command.arg("serve").arg("--config").arg(&config);
        if let Some(moment) = start.moment {
            command.arg("--at").arg(moment);
        }
        if let Some(filter) = start.filter {
            command.env("RUST_LOG", filter);
        }
        if let Some(point) = start.die_at {
            command.env("GUDOK_TEST_DIE_AT", point);
        }
        command.env("GUDOK_CACHE_DIR", shared_cache()).stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(std::fs::OpenOptions::new().create(true).append(true).open(&log)?).kill_on_drop(true);
        let mut child = command.spawn().context("starting the engine")?;
        let stdout = child.stdout.take().context("the engine's output")?;
        let ready = tokio::time::timeout(START_MAX, first_line(stdout, "gudok: ready"))
            .await
            .with_context(|| format!("the engine was not ready in {START_MAX:?}: {}", tail(&log)))?;
        let ready = ready.with_context(|| format!("the engine stopped: {}", tail(&log)))?;
        Ok(Self {
            child,
            sip: field(&ready, "udp=")?,
            sip_tcp: field(&ready, "tcp=")?,
            http: field(&ready, "http=")?,
            config,
            dir,
        })
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// Memory that the process holds, in KiB.
    ///
    /// # Errors
    /// Where the process is gone.
    pub fn rss_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("no figure")?.parse()?)
    }

    /// Sends a signal by its number.
    ///
    /// # Errors
    /// Where the process is gone.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().await?;
        ensure!(status.success(), "kill -{name} failed");
        Ok(())
    }

    /// Waits until the process has ended by itself.
    ///
    /// # Errors
    /// Where it does not in 30 s.
    pub async fn ended(&mut self) -> anyhow::Result<std::process::ExitStatus> {
        Ok(tokio::time::timeout(STOP_MAX, self.child.wait()).await.context("the engine did not stop")??)
    }

    /// The address to dial for a number.
    #[must_use]
    pub fn uri(&self, number: &str) -> String {
        format!("sip:{number}@{}", self.sip)
    }

    /// What the engine logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("engine.log")).unwrap_or_default()
    }

    /// The store's folder.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// The admins' API, asked with the token of the first start.
    ///
    /// # Errors
    /// Where the engine has written none.
    pub fn api(&self) -> anyhow::Result<Api> {
        let path = self.store().join("first-token");
        let token = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(Api::new(self.http, token.trim().to_owned()))
    }

    /// The call records, as JSON.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn cdrs(&self) -> anyhow::Result<Vec<serde_json::Value>> {
        self.api()?.cdrs().await
    }

    /// The call records, as CSV.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn cdrs_as_csv(&self) -> anyhow::Result<String> {
        Ok(self.api()?.get("/cdrs?format=csv").await?.expect(200)?.body)
    }

    /// A metric's value by its name and labels as Prometheus writes them; 0 where it was never counted.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let answer = crate::http::get(self.http, "/metrics").await?;
        let line = answer.body.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        Ok(line.and_then(|line| line.rsplit(' ').next()).map_or(Ok(0.0), str::parse)?)
    }
}

/// Compiled bundles are shared between the tests' engines: the same bundle is compiled once.
fn shared_cache() -> PathBuf {
    crate::root().join("target/test-cache")
}

/// A running `gudok-sample-backend`.
#[derive(Debug)]
pub struct SampleBackend {
    _child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl SampleBackend {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// Where it does not come up.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_wanting(None).await
    }

    /// Starts it on a free port; who asks must show what is in that file as Authorization.
    ///
    /// # Errors
    /// Where it does not come up.
    pub async fn start_wanting(authorization: Option<&Path>) -> anyhow::Result<Self> {
        let mut command = Command::new(crate::program("gudok-sample-backend")?);
        if let Some(file) = authorization {
            command.arg("--authorization-file").arg(file);
        }
        command.args(["--listen", "127.0.0.1:0"]).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("starting the back end")?;
        let stdout = child.stdout.take().context("the back end's output")?;
        let line = tokio::time::timeout(STOP_MAX, first_line(stdout, "listening on "))
            .await
            .context("the back end did not come up")??;
        let address = line.split("listening on ").nth(1).unwrap_or_default().trim();
        let address = address.trim_start_matches("http://").parse().with_context(|| line.clone())?;
        Ok(Self { _child: child, address })
    }

    /// Arranges a fault: `{"route":…,"kind":"hang","times":1}`.
    ///
    /// # Errors
    /// Where the back end refuses.
    pub async fn fault(&self, json: &str) -> anyhow::Result<()> {
        let answer = crate::http::post(self.address, "/faults", json).await?;
        ensure!(answer.status < 300, "{}: {}", answer.status, answer.body);
        Ok(())
    }
}

/// The first line that has `word` in it; what follows is read and thrown away, so that the program never waits for us.
async fn first_line(stream: impl AsyncRead + Unpin + Send + 'static, word: &str) -> anyhow::Result<String> {
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next_line().await? {
        if line.contains(word) {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(line);
        }
    }
    anyhow::bail!("it ended before it said {word:?}")
}

fn field(line: &str, name: &str) -> anyhow::Result<SocketAddr> {
    let value = line.split_whitespace().find_map(|word| word.strip_prefix(name));
    Ok(value.with_context(|| format!("{name} is missing in {line:?}"))?.parse()?)
}

fn tail(log: &Path) -> String {
    const SHOWN_LINES: usize = 30;
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
