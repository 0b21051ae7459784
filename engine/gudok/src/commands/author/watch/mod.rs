//! `gudok watch`: whatever is changed in a project is built and tested, and the next call uses it. A project that does not
//! build, or a menu that would serve nobody, changes nothing: what was live stays live.

mod changes;
mod reload;

use super::source::Source;
use super::up::Running;
use crate::commands::remote::{Failure, Outcome, Remote, Screen, anonymous, plain};
use anyhow::Context;
use changes::{Changes, Concern, Round};
use clap::Args;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use reload::Reloaded;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Changes that wait to be looked at; beyond them, one is as good as many.
const CHANGES_WAITING_MAX: usize = 1_024;
/// Paths of one round that are named.
const PATHS_TOLD_MAX: usize = 3;

/// What `gudok watch` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A project's folder, or a bundle's file that something else builds.
    #[arg(value_name = "PROJECT|FILE.ivr", default_value = ".")]
    path: PathBuf,
    /// Changes are over when nothing has changed for so many milliseconds.
    #[arg(long, default_value_t = 150, value_name = "MS")]
    quiet_ms: u64,
    /// Leave the conversations out.
    #[arg(long)]
    no_test: bool,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    anonymous(&Remote::default(), async |screen| watch(screen, arguments).await)
}

async fn watch(screen: &Screen, arguments: &Arguments) -> Outcome {
    let source = Source::at(&arguments.path)?;
    let (sender, mut changed) = mpsc::channel(CHANGES_WAITING_MAX);
    // It watches for as long as it is held.
    let _watcher = watcher(&source, sender)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut desk = Desk { screen: *screen, source, tests: !arguments.no_test, live: None };
    let mut changes = Changes::new(Duration::from_millis(arguments.quiet_ms));
    desk.round(&Round { concern: Concern::Bundle, paths: Vec::new() }).await;
    screen.line(&format!("watching {} (Ctrl-C ends it)", desk.source.path().display()));
    loop {
        let due = changes.due();
        let over = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            change = changed.recv() => match change {
                Some((path, concern)) => changes.add(path, concern, Instant::now()),
                None => return Err(Failure::Failed(anyhow::anyhow!("the system watches no more"))),
            },
            () = over => if let Some(round) = changes.take(Instant::now()) {
                desk.round(&round).await;
            },
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
            _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// Tells of every change that matters.
fn watcher(source: &Source, sender: mpsc::Sender<(PathBuf, Concern)>) -> anyhow::Result<RecommendedWatcher> {
    let root = source.path().to_owned();
    let project = source.is_project();
    // A file is often replaced by another one: its folder is what is watched.
    let (folder, mode) = match root.parent() {
        Some(parent) if !project => (parent.to_owned(), RecursiveMode::NonRecursive),
        _ => (root.clone(), RecursiveMode::Recursive),
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        for path in event.paths {
            let concern = if project {
                path.strip_prefix(&root).ok().and_then(changes::concern)
            } else {
                (path == root).then_some(Concern::Bundle)
            };
            if let Some(concern) = concern {
                // Where a thousand wait already, this one changes nothing.
                let _ = sender.try_send((path, concern));
            }
        }
    })
    .context("asking the system to watch files")?;
    watcher.watch(&folder, mode).with_context(|| format!("watching {}", folder.display()))?;
    Ok(watcher)
}

/// What one round after another works with.
struct Desk {
    screen: Screen,
    source: Source,
    tests: bool,
    /// The content of the bundle that was built last.
    live: Option<[u8; 32]>,
}

impl Desk {
    /// Builds, tests, puts live. What goes wrong is told, and the next change is waited for.
    async fn round(&mut self, round: &Round) {
        if !round.paths.is_empty() {
            self.screen.line(&format!("{} changed: {}", self.now(), self.told(&round.paths)));
        }
        if let Err(failure) = self.try_round(round).await {
            failure.tell();
            self.screen.line("  the old version stays");
        }
    }

    async fn try_round(&mut self, round: &Round) -> Result<(), Failure> {
        let begun = Instant::now();
        let (source, live) = (self.source.clone(), self.live);
        let building = tokio::task::spawn_blocking(move || {
            let built = source.build()?;
            if live != Some(built.bundle.content_sha256) {
                source.check_menu(&built)?;
            }
            anyhow::Ok(built)
        });
        let built = building.await.context("building")??;
        let name = built.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.stage("built", begun, &name);
        let content = built.bundle.content_sha256;
        let bytes = std::fs::read(&built.path).with_context(|| format!("reading {}", built.path.display()))?;
        if self.tests && self.source.is_project() {
            self.test().await?;
        }
        if self.live == Some(content) {
            if round.concern == Concern::Bundle {
                self.screen.line("  the bundle is the same as before");
            }
            return Ok(());
        }
        self.reload(&bytes).await?;
        self.live = Some(content);
        Ok(())
    }

    /// Runs the project's conversations, where it has any: as `gudok test` does, in a program of its own. A conversation that
    /// fails is told, and keeps nobody from hearing the new version.
    async fn test(&self) -> Result<(), Failure> {
        let folder = self.source.path();
        if !has_conversations(&folder.join("tests")) {
            return Ok(());
        }
        let begun = Instant::now();
        let program = std::env::current_exe().context("finding this program")?;
        let mut command = tokio::process::Command::new(program);
        command.arg("test").arg(folder).stdin(std::process::Stdio::null()).kill_on_drop(true);
        let output = command.output().await.context("starting gudok test")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = said.trim_end().lines().last().unwrap_or_default();
        self.stage("tested", begun, last);
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            for line in errors.lines().chain(said.lines()) {
                self.screen.line(&format!("    {}", plain(line)));
            }
        }
        Ok(())
    }

    async fn reload(&self, bundle: &[u8]) -> Result<(), Failure> {
        let engines = Running::all(&self.source.engines()?)?;
        if engines.is_empty() {
            self.screen.line("  no engine has it: gudok up starts one");
        }
        for running in engines {
            let begun = Instant::now();
            let to = running.number.as_ref().map_or_else(
                || format!("{}/{} at {}", running.agency, running.entry, running.url),
                |number| format!("sip:{number}@{}", running.sip),
            );
            match reload::reload(&running, bundle).await? {
                Reloaded::Live { old_calls: 0 } => self.stage("live", begun, &to),
                Reloaded::Live { old_calls } => {
                    self.stage(
                        "live",
                        begun,
                        &format!("{to}; calls that keep the version they began with: {old_calls}"),
                    );
                }
                Reloaded::Same => self.stage("live", begun, &format!("{to}, as before")),
            }
        }
        Ok(())
    }

    fn stage(&self, what: &str, begun: Instant, detail: &str) {
        self.screen.line(&format!("  {what:<8}{:>7.2} s  {}", begun.elapsed().as_secs_f32(), plain(detail)));
    }

    fn now(&self) -> String {
        jiff::Zoned::now().strftime("%H:%M:%S").to_string()
    }

    fn told(&self, paths: &[PathBuf]) -> String {
        let root = self.source.path();
        let below = |path: &PathBuf| {
            let below = path.strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty());
            plain(&below.unwrap_or(Path::new(path.file_name().unwrap_or_default())).to_string_lossy())
        };
        let mut told: Vec<String> = paths.iter().take(PATHS_TOLD_MAX).map(below).collect();
        if paths.len() > PATHS_TOLD_MAX {
            told.push(format!("and {} more", paths.len() - PATHS_TOLD_MAX));
        }
        told.join(", ")
    }
}

/// Whether there are conversations in a project's folder, written down or as code.
fn has_conversations(tests: &Path) -> bool {
    let is_one = |path: &Path| {
        let ends = |ending: &str| path.extension().is_some_and(|found| found == ending);
        ends("talk") || path.file_stem().is_some_and(|stem| stem == "conversations")
    };
    std::fs::read_dir(tests).is_ok_and(|entries| entries.flatten().any(|entry| is_one(&entry.path())))
}
