//! `gudok up` and `gudok watch` as an author has them: the real binary, a script on a number, changes while calls are up.
#![allow(clippy::unwrap_used, clippy::panic)]

use anyhow::{Context, ensure};
use gudok_phone::{Call, CallOptions, Phone};
use gudok_sockets::desk::draft;
use gudok_sockets::parties::{PATIENCE, caller, until};
use gudok_sockets::{Draft, program, root};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Compiling for the first time, on a busy machine.
const START_MAX: Duration = Duration::from_secs(180);
const VOICE_MS: u32 = 60_000;

/// An author's folder: a bundle that something builds, and a cache of their own.
struct Author {
    folder: TempDir,
}

impl Author {
    fn new(version: u32) -> anyhow::Result<Self> {
        let author = Self { folder: tempfile::tempdir()? };
        author.builds(&says(version)?.unsigned()?)?;
        Ok(author)
    }

    fn bundle(&self) -> PathBuf {
        self.folder.path().join("probe-1.0.0.ivr")
    }

    /// As a build does: the new file takes the place of the old one at once.
    fn builds(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let half = self.folder.path().join("half");
        std::fs::write(&half, bytes)?;
        Ok(std::fs::rename(half, self.bundle())?)
    }

    fn starts(&self, arguments: &[&str]) -> anyhow::Result<Program> {
        let mut command = Command::new(program("gudok")?);
        command.args(arguments).env("GUDOK_CACHE", self.folder.path().join("cache"));
        command.env("GUDOK_CACHE_DIR", root().join("target/test-cache"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("starting gudok")?;
        let out = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut errors = BufReader::new(child.stderr.take().context("no errors")?).lines();
        let (sender, told) = tokio::sync::watch::channel(String::new());
        tokio::spawn(async move {
            while let Ok(Some(line)) = errors.next_line().await {
                sender.send_modify(|all| all.push_str(&format!("{line}\n")));
            }
        });
        Ok(Program { child, out, told })
    }

    async fn up(&self, more: &[&str]) -> anyhow::Result<Up> {
        let bundle = self.bundle();
        let mut arguments = vec!["up", bundle.to_str().context("no path")?, "--no-phone", "--json"];
        arguments.extend(more);
        let mut program = self.starts(&arguments)?;
        let line = program.line("{").await?;
        Ok(Up { program, facts: serde_json::from_str(&line)? })
    }

    /// Folders of engines that are there, whole or half.
    fn engines(&self) -> usize {
        let below = |path: &Path| -> Vec<PathBuf> {
            std::fs::read_dir(path).map(|all| all.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
        };
        below(&self.folder.path().join("cache/up")).iter().map(|folder| below(folder).len()).sum()
    }
}

/// A version that says its number.
fn says(version: u32) -> anyhow::Result<Draft> {
    draft(version)?.version("1.0.0")
}

/// A command at work.
struct Program {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    told: tokio::sync::watch::Receiver<String>,
}

impl Program {
    /// The next line with these words.
    async fn line(&mut self, words: &str) -> anyhow::Result<String> {
        let mut seen = Vec::new();
        let wait = async {
            while let Some(line) = self.out.next_line().await? {
                if line.contains(words) {
                    return Ok(line);
                }
                seen.push(line);
            }
            anyhow::bail!("it ended before it said {words:?}: {}", self.told.borrow().as_str())
        };
        let found = tokio::time::timeout(START_MAX, wait).await;
        found.with_context(|| format!("not said: {words:?}"))?.with_context(|| seen.join("\n"))
    }

    async fn error(&mut self, words: &str) -> anyhow::Result<()> {
        tokio::time::timeout(PATIENCE, self.told.wait_for(|all| all.contains(words)))
            .await
            .with_context(|| format!("not said: {words:?}"))??;
        Ok(())
    }

    async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().context("it is gone")?.to_string();
        let status = Command::new("kill").arg(format!("-{name}")).arg(pid).status().await?;
        ensure!(status.success(), "kill -{name}: {status}");
        Ok(())
    }

    async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(tokio::time::timeout(PATIENCE, self.child.wait()).await.context("it does not end")??)
    }
}

/// A running `gudok up`, and what it said of itself.
struct Up {
    program: Program,
    facts: Value,
}

impl Up {
    fn text(&self, name: &str) -> String {
        self.facts[name].as_str().unwrap_or_default().to_owned()
    }

    fn http(&self) -> SocketAddr {
        self.text("url").trim_start_matches("http://").parse().unwrap()
    }

    /// Somebody calls, and hears which version they got.
    async fn call(&self, phone: &Phone) -> anyhow::Result<(Call, String)> {
        let microphone = gudok_phone::tone(&[600.0], VOICE_MS);
        let call = phone.call(&self.text("uri"), CallOptions { microphone, ..CallOptions::default() }).await?;
        let heard = call.heard("Версия", PATIENCE).await?;
        Ok((call, heard))
    }

    async fn answers(&self) -> bool {
        tokio::net::TcpStream::connect(self.http()).await.is_ok()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_call_uses_what_was_changed_and_a_call_that_is_up_keeps_its_version() {
    let author = Author::new(1).unwrap();
    let up = author.up(&[]).await.unwrap();
    let mut watch = author.starts(&["watch", author.bundle().to_str().unwrap()]).unwrap();
    watch.line("watching").await.unwrap();
    let phone = caller().await.unwrap();

    let (old, heard) = up.call(&phone).await.unwrap();
    assert!(heard.contains('1'), "{heard}");
    author.builds(&says(2).unwrap().unsigned().unwrap()).unwrap();
    let live = watch.line("live").await.unwrap();
    assert!(live.contains("keep the version they began with: 1"), "{live}");
    let (new, heard) = up.call(&phone).await.unwrap();
    assert!(heard.contains('2'), "{heard}");

    // Who called before it hears the old one to the end.
    old.press("1").unwrap();
    let again = old.heard("Версия", PATIENCE).await.unwrap();
    assert!(again.contains('1'), "{again}");

    // What a host would refuse changes nothing, and is told.
    author.builds(b"no bundle at all").unwrap();
    watch.line("the old version stays").await.unwrap();
    watch.error("probe-1.0.0.ivr").await.unwrap();
    let (third, heard) = up.call(&phone).await.unwrap();
    assert!(heard.contains('2'), "{heard}");
    for call in [new, third] {
        call.hangup().unwrap();
    }

    watch.signal("INT").await.unwrap();
    assert!(watch.ended().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_stand_beside_each_other_and_each_ends_with_its_author() {
    let author = Author::new(1).unwrap();
    let (mut one, mut other) = (author.up(&[]).await.unwrap(), author.up(&["--number", "200"]).await.unwrap());
    assert_ne!((one.text("sip"), one.text("url")), (other.text("sip"), other.text("url")));
    assert!(other.text("uri").starts_with("sip:200@"));
    assert_eq!(author.engines(), 2);
    let token = std::fs::read_to_string(one.text("token_file")).unwrap();
    let api = gudok_sockets::Api::new(one.http(), token.trim().to_owned());
    assert_eq!(api.read("/me").await.unwrap()["user"], "author");
    let phone = caller().await.unwrap();
    let (call, heard) = other.call(&phone).await.unwrap();
    assert!(heard.contains('1'), "{heard}");

    // One is told to end, with nobody on the line; the other is killed, with a caller.
    one.program.signal("INT").await.unwrap();
    assert!(one.program.ended().await.unwrap().success());
    assert!(!one.answers().await, "its engine went with it");
    assert_eq!(author.engines(), 1, "it left no folder");
    assert!(other.answers().await, "the other is nothing of its own");
    other.program.signal("KILL").await.unwrap();
    other.program.ended().await.unwrap();
    until("the engine of a killed author ends by itself", async || Ok(!other.answers().await)).await.unwrap();
    call.wait_ended(PATIENCE).await.unwrap();

    // What the killed one left is removed by the next.
    assert_eq!(author.engines(), 1);
    let next = author.up(&[]).await.unwrap();
    assert_eq!(author.engines(), 1);
    drop(next);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_pressed_and_the_end_is_the_calls() {
    let author = Author::new(1).unwrap();
    let mut up = author.starts(&["up", author.bundle().to_str().unwrap(), "--keys", "1"]).unwrap();
    let first = up.line("answers sip:100@").await.unwrap();
    assert!(first.starts_with("probe 1.0.0"), "{first}");
    up.line("gudok login --url").await.unwrap();
    up.line("Версия").await.unwrap();
    up.error("(the first words").await.unwrap();
    up.line("call over").await.unwrap();
    assert!(up.ended().await.unwrap().success());
    assert_eq!(author.engines(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_up_says_why() {
    let author = Author::new(1).unwrap();
    let bundle = author.bundle();
    let bundle = bundle.to_str().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, why) in [
        (vec!["up", "/nowhere"], "name a project's folder or a bundle's file"),
        (vec!["up", bundle, "--no-phone", "--http-port", port.as_str()], "choose a free address"),
        (vec!["up", bundle, "--secret", "unknown=/dev/null"], "names no such secret"),
        (vec!["watch", "/nowhere"], "name a project's folder or a bundle's file"),
    ] {
        let mut program = author.starts(&arguments).unwrap();
        program.error(why).await.unwrap_or_else(|error| panic!("{arguments:?}: {error:#}"));
        assert!(!program.ended().await.unwrap().success(), "{arguments:?}");
    }
    assert_eq!(author.engines(), 0);
}
