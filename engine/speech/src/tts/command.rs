//! Speech by a program: text on its standard input, a WAV file on its standard output.

use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::{Spoken, SpokenFuture, TtsProvider, Utterance};
use crate::config::CommandConfig;
use crate::error::SpeechError;

/// What the program learns of the engine's environment: not its secrets.
const ENVIRONMENT: [&str; 7] = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "XDG_DATA_HOME", "ESPEAK_DATA_PATH"];
/// How much of the program's complaints is read, and told.
const COMPLAINT_BYTES_MAX: u64 = 4_096;
const COMPLAINT_CHARS_MAX: usize = 200;

/// The provider `command`: espeak-ng, or any program of that manner.
#[derive(Debug, Clone)]
pub struct CommandTts {
    config: CommandConfig,
    answer_bytes_max: u64,
}

impl CommandTts {
    /// A provider that runs the program once for each utterance and takes no more than so many bytes from it.
    #[must_use]
    pub fn new(config: CommandConfig, answer_bytes_max: u64) -> Self {
        Self { config, answer_bytes_max }
    }

    async fn run(&self, utterance: &Utterance) -> Result<Spoken, SpeechError> {
        let voice = utterance.voice.as_ref().map_or(utterance.lang.primary(), |voice| voice.as_str());
        let mut child = self.start(voice, utterance)?;
        let (Some(mut input), Some(output), Some(complaints)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(self.failed("its pipes could not be opened".to_owned()));
        };
        let text = format!("{}\n", utterance.text.replace("[[", "[ [")); // To espeak, "[[" begins phonemes.
        let write = async move {
            // A program that ends before it has read all breaks the pipe; its exit status tells why.
            let _ = input.write_all(text.as_bytes()).await;
            let _ = input.shutdown().await;
            Ok(())
        };
        // All three at once: a full pipe on one side must not hold up the others.
        let ((), sound, complaint) = tokio::try_join!(write, self.sound(output), complaint(complaints))?;
        let status = child.wait().await.map_err(|error| self.failed(error.to_string()))?;
        if !status.success() {
            return Err(self.failed(format!("{}, voice `{voice}`", told(status, &complaint))));
        }
        if sound.is_empty() {
            return Err(self.failed(format!("it wrote no sound, voice `{voice}`: {}", first_line(&complaint))));
        }
        Ok(Spoken::File(sound))
    }

    /// All that the program writes, unless that is too much: then the caller gives up and the child is killed.
    async fn sound(&self, output: ChildStdout) -> Result<Vec<u8>, SpeechError> {
        let mut sound = Vec::new();
        let read = output.take(self.answer_bytes_max + 1).read_to_end(&mut sound).await;
        read.map_err(|error| self.failed(error.to_string()))?;
        if sound.len() as u64 > self.answer_bytes_max {
            return Err(self.failed(format!("it wrote more than {} bytes and was stopped", self.answer_bytes_max)));
        }
        Ok(sound)
    }

    fn start(&self, voice: &str, utterance: &Utterance) -> Result<Child, SpeechError> {
        let pace = u32::from(self.config.words_per_minute) * u32::from(utterance.rate.as_percent()) / 100;
        let pace = pace.to_string();
        let args =
            self.config.args.iter().map(|arg| arg.replace("{voice}", voice).replace("{words_per_minute}", &pace));
        let environment = ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        Command::new(&self.config.command)
            .args(args)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => SpeechError::TtsMissing {
                    command: self.config.command.clone(),
                    package: self.config.package.clone(),
                },
                _ => self.failed(format!("it could not be started: {error}")),
            })
    }

    fn failed(&self, problem: String) -> SpeechError {
        SpeechError::TtsFailed { provider: self.name(), problem }
    }
}

impl TtsProvider for CommandTts {
    fn identity(&self) -> String {
        format!("command:{}:{}:{}", self.config.command, self.config.args.join(" "), self.config.words_per_minute)
    }

    fn name(&self) -> String {
        format!("`{}`", self.config.command)
    }

    fn speak<'a>(&'a self, utterance: &'a Utterance) -> SpokenFuture<'a> {
        Box::pin(self.run(utterance))
    }
}

/// The start of what the program complains of; the rest is read and dropped, or it would stop at a full pipe.
async fn complaint(mut complaints: ChildStderr) -> Result<Vec<u8>, SpeechError> {
    let mut start = Vec::new();
    let _ = (&mut complaints).take(COMPLAINT_BYTES_MAX).read_to_end(&mut start).await;
    let _ = tokio::io::copy(&mut complaints, &mut tokio::io::sink()).await;
    Ok(start)
}

fn told(status: ExitStatus, complaint: &[u8]) -> String {
    match first_line(complaint) {
        line if line.is_empty() => status.to_string(),
        line => format!("{status}: {line}"),
    }
}

fn first_line(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(COMPLAINT_CHARS_MAX).collect()
}
