//! A town of telephones to be called: SIPp with a scenario that tells them apart by the last digit of their numbers, and
//! writes down when each was called, as the wire had it.

use crate::clients::free_port;
use anyhow::{Context, ensure};
use audio_codec::{CodecType, create_encoder};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// An address of its own tells the town's telephones from the engine's callers.
const TOWN: &str = "127.0.0.2";
/// Callees' media ports, beside those of any engine.
const MEDIA_PORT_FIRST: u16 = 45_000;
const RATE_HZ: u32 = 8_000;
const BEEP_HZ: f64 = 1_000.0;
const BEEP_MS: u32 = 500;
const KEY_MS: u32 = 200;
/// So long a machine records.
const RECORDS_S: usize = 60;
const START_MAX: Duration = Duration::from_secs(10);

/// What a person says who picks up.
const HELLO: &str = "Алло?";
/// What an answering machine says.
const GREETING: &str = "Здравствуйте. Вы позвонили на автоответчик. Сейчас мы не можем подойти к телефону. \
                        Оставьте, пожалуйста, сообщение после звукового сигнала.";

/// What the telephone of a number does when it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Says hello, listens, and presses 1.
    Presses,
    /// Says hello and only listens.
    Listens,
    /// Is busy: 486.
    Busy,
    /// Rings, and nobody comes.
    Away,
    /// An answering machine.
    Machine,
    /// Refuses: 603.
    Refuses,
    /// Says hello and hangs up.
    HangsUp,
}

impl Kind {
    /// By the last digit of the number, as the scenario has it.
    #[must_use]
    pub fn of(number: &str) -> Self {
        match number.bytes().last() {
            Some(b'4') => Self::Listens,
            Some(b'5') => Self::Busy,
            Some(b'6') => Self::Away,
            Some(b'7') => Self::Machine,
            Some(b'8') => Self::Refuses,
            Some(b'9') => Self::HangsUp,
            _ => Self::Presses,
        }
    }
}

/// One INVITE, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// The number that was called.
    pub number: String,
    /// By the town's clock.
    pub at: Duration,
}

/// The town.
#[derive(Debug)]
pub struct Farm {
    child: Child,
    dir: TempDir,
    /// Where it is called.
    pub address: SocketAddr,
}

impl Farm {
    /// Opens the town; whoever presses does so that long after hello.
    ///
    /// # Errors
    /// Where SIPp or the voice is not installed.
    pub async fn open(presses_after: Duration) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let hello = spoken(HELLO).await?;
        let mut machine = spoken(GREETING).await?;
        machine.extend(gudok_phone::tone(&[BEEP_HZ], BEEP_MS));
        // It goes on sending while it records: a line without any packets counts as lost.
        machine.resize(machine.len() + RECORDS_S * RATE_HZ as usize, 0);
        let one = gudok_phone::tone(&[697.0, 1_209.0], KEY_MS);
        for (name, samples) in [("human.al", hello), ("machine.al", machine), ("one.al", one)] {
            std::fs::write(dir.path().join(name), create_encoder(CodecType::PCMA).encode(&samples))?;
        }
        let scenario = std::fs::read_to_string(scenario())?;
        let scenario = scenario.replace("PRESSES_AFTER_MS", &presses_after.as_millis().to_string());
        std::fs::write(dir.path().join("callees.xml"), scenario)?;
        let port = free_port()?;
        let mut command = Command::new("sipp");
        command.args(["-sf", "callees.xml", "-i", TOWN, "-mi", TOWN, "-p", &port.to_string()]);
        command.args(["-mp", &MEDIA_PORT_FIRST.to_string(), "-nostdin", "-buff_size", "4194304", "-l", "100000"]);
        command.args(["-trace_logs", "-log_file", "rung", "-trace_err", "-error_file", "errors"]);
        command.current_dir(dir.path()).env("TERM", "dumb");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.kill_on_drop(true).spawn().context("starting sipp (Debian: sip-tester)")?;
        let address = format!("{TOWN}:{port}").parse()?;
        let farm = Self { child, dir, address };
        let listens = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            while std::net::UdpSocket::bind(address).is_ok() {
                ticks.tick().await;
            }
        };
        tokio::time::timeout(START_MAX, listens).await.context("sipp does not listen")?;
        Ok(farm)
    }

    /// A trunk of the engine's that leads there.
    #[must_use]
    pub fn trunk(&self, name: &str, extra: &str) -> String {
        format!("[[trunk]]\nname = {name:?}\nproxy = \"{}\"\n{extra}\n", self.address)
    }

    /// Every INVITE so far, in order.
    ///
    /// # Errors
    /// Where the town has written something else.
    pub fn rung(&self) -> anyhow::Result<Vec<Rung>> {
        let text = std::fs::read_to_string(self.dir.path().join("rung")).unwrap_or_default();
        // The last line may still be growing.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(line).collect()
    }

    /// How often each number was called.
    ///
    /// # Errors
    /// As [`Farm::rung`].
    pub fn times(&self) -> anyhow::Result<BTreeMap<String, u32>> {
        let mut times = BTreeMap::new();
        for rung in self.rung()? {
            *times.entry(rung.number).or_insert(0) += 1;
        }
        Ok(times)
    }

    /// The most INVITEs that came in any such stretch of time.
    ///
    /// # Errors
    /// As [`Farm::rung`].
    pub fn most_within(&self, stretch: Duration) -> anyhow::Result<usize> {
        let mut at: Vec<_> = self.rung()?.into_iter().map(|rung| rung.at).collect();
        at.sort_unstable();
        let mut first = 0;
        let mut most = 0;
        for (last, moment) in at.iter().enumerate() {
            while *moment - at[first] >= stretch {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        Ok(most)
    }

    /// What SIPp complained of.
    #[must_use]
    pub fn errors(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("errors")).unwrap_or_default()
    }

    /// Is it still there?
    ///
    /// # Errors
    /// Where SIPp has ended; with its own words.
    pub fn is_open(&mut self) -> anyhow::Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "sipp has ended with {ended:?}: {}", self.errors());
        Ok(())
    }
}

/// `INVITE +79130000001 1512`
fn line(text: &str) -> anyhow::Result<Rung> {
    let mut words = text.split_whitespace();
    let mut next = || words.next().with_context(|| format!("{text:?} is no line of the town's"));
    ensure!(next()? == "INVITE", "{text:?} is no line of the town's");
    Ok(Rung { number: next()?.to_owned(), at: Duration::from_millis(next()?.parse()?) })
}

/// Russian words as sound, at 8 kHz.
///
/// # Errors
/// Where the voice is not installed.
pub async fn spoken(words: &str) -> anyhow::Result<Vec<i16>> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("voice.wav");
    let mut voice = Command::new("espeak-ng");
    voice.args(["-v", "ru", "-w"]).arg(&file).arg(words).stdin(Stdio::null());
    let status = voice.status().await.context("starting espeak-ng")?;
    ensure!(status.success(), "espeak-ng: {status}");
    let mut wav = hound::WavReader::open(&file)?;
    let rate = wav.spec().sample_rate;
    let samples = wav.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
    Ok(audio_codec::resampler::resample(&samples, rate, RATE_HZ))
}

fn scenario() -> PathBuf {
    crate::root().join("tests/sockets/tests/scenarios/callees.xml")
}
