//! The author's commands that need an engine or its API. What they share with the others is in `gudok-workbench`.

mod rehearse;
mod replay;
mod source;
mod steps;
mod up;
mod watch;

use super::remote::{Failure, online};
use anyhow::Context;
use bytes::Bytes;
use clap::Subcommand;
use gudok_workbench::build::OnScreen;
use gudok_workbench::project::Project;
use std::path::Path;
use std::process::ExitCode;

/// What an author may ask for that needs an engine.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts an engine on this machine with a script on a number, and puts you on the phone with it.
    Up(up::Arguments),
    /// Builds, tests and puts live whatever is changed in a project, for every `gudok up` of it.
    Watch(watch::Arguments),
    /// Runs a call again, on its own version or another one, and shows where they part.
    Replay(replay::Arguments),
    /// Runs the last calls of an agency on a version before it is released, and says whose outcome changes.
    Rehearse(rehearse::Arguments),
}

/// Carries a command out.
pub(crate) fn main(command: &Command) -> ExitCode {
    match command {
        Command::Up(a) => up::main(a),
        Command::Watch(a) => watch::main(a),
        Command::Replay(a) => replay::main(a),
        Command::Rehearse(a) => online(&a.remote, async |session| rehearse::run(session, a).await),
    }
}

/// The bytes of the bundle that is meant: a file, or a project, which is built first.
fn packed(path: &Path) -> Result<Bytes, Failure> {
    let file = if path.is_dir() {
        Project::open(path).map_err(anyhow::Error::from)?.build(&mut OnScreen::new()).map_err(anyhow::Error::from)?.path
    } else {
        path.to_owned()
    };
    let bytes = std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
    Ok(Bytes::from(bytes))
}
