//! Other people's SIP clients, as real processes: SIPp and baresip. Both come with Debian (`sip-tester`, `baresip`).

use anyhow::{Context, bail, ensure};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// The longest that a client's part takes.
const CLIENT_MAX: Duration = Duration::from_secs(90);
/// One event of baresip.
const EVENT_BYTES_MAX: usize = 64 * 1024;

/// A UDP port that nobody has now.
///
/// # Errors
/// Where there is none.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A running SIPp.
#[derive(Debug)]
pub struct Sipp {
    child: Child,
    dir: TempDir,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Sipp {
    /// Starts SIPp with a scenario for one call; `arguments` are its further ones, such as whom to call.
    ///
    /// # Errors
    /// Where it is not installed.
    pub fn start(scenario: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_at(free_port()?, scenario, arguments)
    }

    /// As [`Sipp::start`], from a port that one has: where another scenario of the same telephone ran before.
    ///
    /// # Errors
    /// Where it is not installed.
    pub fn start_at(port: u16, scenario: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("scenario.xml");
        std::fs::write(&file, scenario)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut command = Command::new("sipp");
        command.args(arguments).arg("-sf").arg(&file).args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-m", "1"]);
        command.args(["-p", &address.port().to_string(), "-mp", &free_port()?.to_string()]);
        command.args(["-nostdin", "-trace_err", "-error_file"]).arg(dir.path().join("errors"));
        command.env("TERM", "dumb").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.kill_on_drop(true).spawn().context("starting sipp (Debian: sip-tester)")?;
        Ok(Self { child, dir, address })
    }

    /// Waits until its call is over, and looks whether it went as the scenario says.
    ///
    /// # Errors
    /// Where it did not; with SIPp's own words.
    pub async fn finished(mut self) -> anyhow::Result<()> {
        let status = tokio::time::timeout(CLIENT_MAX, self.child.wait()).await.context("sipp is not done")??;
        let errors = std::fs::read_to_string(self.dir.path().join("errors")).unwrap_or_default();
        ensure!(status.code() == Some(0), "sipp: {status}: {errors}");
        Ok(())
    }
}

/// A running baresip that speaks from a file and keeps what it hears. It is told what to do over `ctrl_tcp`.
#[derive(Debug)]
pub struct Baresip {
    child: Child,
    dir: TempDir,
    control: TcpStream,
    read: Vec<u8>,
}

impl Baresip {
    /// Starts it with something to say: 16 bit, mono, 8 kHz.
    ///
    /// # Errors
    /// Where it is not installed, or does not come up.
    pub async fn start(microphone: &[i16]) -> anyhow::Result<Self> {
        Self::start_as("<sip:baresip@127.0.0.1>;regint=0;audio_codecs=PCMA", microphone).await
    }

    /// As [`Baresip::start`], with a line of its accounts file: one that registers, and answers by itself.
    ///
    /// # Errors
    /// Where it is not installed, or does not come up.
    pub async fn start_as(account: &str, microphone: &[i16]) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let (wav, at) = (dir.path().join("microphone.wav"), free_port()?);
        gudok_phone::write_wav(&wav, microphone)?;
        let (wav, folder) = (wav.display(), dir.path().display());
        let modules = baresip_modules()?;
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:0\naudio_source aufile,{wav}\naudio_alert aufile,{wav}\n\
             module_path {}\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\nsnd_path {folder}\n\
             module_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{at}\n",
            modules.display()
        );
        std::fs::write(dir.path().join("config"), config)?;
        std::fs::write(dir.path().join("accounts"), format!("{account}\n"))?;
        std::fs::write(dir.path().join("contacts"), "")?;
        let log = std::fs::File::create(dir.path().join("log"))?;
        let mut command = Command::new("baresip");
        command.arg("-f").arg(dir.path()).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.kill_on_drop(true).spawn().context("starting baresip")?;
        let mut control = None;
        crate::parties::until("baresip listens to its control", async || {
            control = TcpStream::connect(("127.0.0.1", at)).await.ok();
            Ok(control.is_some())
        })
        .await?;
        Ok(Self { child, dir, control: control.context("no control")?, read: Vec::new() })
    }

    /// Says a command of baresip's menu: `dial`, `sndcode`, `hangup`, `quit`.
    ///
    /// # Errors
    /// Where it is gone.
    pub async fn command(&mut self, command: &str, params: &str) -> anyhow::Result<()> {
        let body = serde_json::json!({ "command": command, "params": params }).to_string();
        Ok(self.control.write_all(format!("{}:{body},", body.len()).as_bytes()).await?)
    }

    /// Waits for an event by its type: `CALL_ESTABLISHED`, `CALL_CLOSED`.
    ///
    /// # Errors
    /// Where it does not come, or another call event says that the call is over.
    pub async fn event(&mut self, kind: &str) -> anyhow::Result<()> {
        let wait = async {
            loop {
                let message = self.message().await?;
                match message["type"].as_str() {
                    Some(found) if found == kind => return Ok(()),
                    Some("CALL_CLOSED") => bail!("the call is over before {kind}: {message}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(CLIENT_MAX, wait).await.with_context(|| format!("no event {kind}"))?
    }

    /// Ends it, and gives what it heard, as samples at 8 kHz.
    ///
    /// # Errors
    /// Where it does not end, or has heard nothing.
    pub async fn heard(mut self) -> anyhow::Result<Vec<i16>> {
        self.command("quit", "").await?;
        tokio::time::timeout(CLIENT_MAX, self.child.wait()).await.context("baresip does not end")??;
        let path = self.recording()?.context("baresip has kept nothing of what it heard")?;
        Ok(gudok_phone::read_wav(&path)?)
    }

    /// How many bytes it has kept so far of what it hears.
    ///
    /// # Errors
    /// Where its folder cannot be read.
    pub fn kept_bytes(&self) -> anyhow::Result<u64> {
        Ok(self.recording()?.map_or(Ok(0), |path| path.metadata().map(|file| file.len()))?)
    }

    fn recording(&self) -> anyhow::Result<Option<PathBuf>> {
        let paths = std::fs::read_dir(self.dir.path())?.flatten().map(|entry| entry.path());
        Ok(paths.into_iter().find(|path| path.to_string_lossy().ends_with("-dec.wav")))
    }

    /// One netstring of JSON.
    async fn message(&mut self) -> anyhow::Result<serde_json::Value> {
        loop {
            if let Some(colon) = self.read.iter().position(|byte| *byte == b':') {
                let length: usize = std::str::from_utf8(&self.read[..colon])?.parse()?;
                ensure!(length <= EVENT_BYTES_MAX, "baresip says too much at once");
                let end = colon + 1 + length;
                if self.read.len() > end {
                    let message = serde_json::from_slice(&self.read[colon + 1..end])?;
                    self.read.drain(..=end);
                    return Ok(message);
                }
            }
            ensure!(self.control.read_buf(&mut self.read).await? > 0, "baresip has hung up its control");
        }
    }
}

/// Debian keeps them below the architecture in newer releases.
fn baresip_modules() -> anyhow::Result<PathBuf> {
    let below_arch = std::fs::read_dir("/usr/lib")?.flatten().map(|entry| entry.path().join("baresip/modules"));
    let mut places = std::iter::once(Path::new("/usr/lib/baresip/modules").to_path_buf()).chain(below_arch);
    places.find(|path| path.join("menu.so").is_file()).context("baresip's modules are not below /usr/lib")
}
