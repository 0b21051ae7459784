//! `gudok recordings`: what was recorded in a call. The audit names who listened.

use super::remote::{Cell, Column, Outcome, Remote, Session, fields};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

const COLUMNS: &[Column] = &[
    ("RECORDING", |recording| fields::cell(recording, "name")),
    ("AGENCY", |recording| fields::cell(recording, "agency")),
    ("LENGTH", |recording| Cell::figure(format!("{} s", fields::count(recording, "duration_ms") / 1_000))),
    ("DELETED", |recording| fields::moment(recording, "deleted")),
    ("SHA256", |recording| fields::cell(recording, "sha256")),
];

/// What `gudok recordings` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// The call's id, as the call records have it.
    call: String,
    /// Fetch this one.
    #[arg(requires = "out")]
    name: Option<String>,
    /// Where its sound goes, a WAV file.
    #[arg(long, requires = "name")]
    out: Option<PathBuf>,
}

/// `gudok recordings`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let call = arguments.call.as_str();
    let (Some(name), Some(out)) = (&arguments.name, &arguments.out) else {
        let answer = session.client.get(&["calls", call, "recordings"], &[]).await?;
        return session.print_list(&answer, COLUMNS, "nothing was recorded in that call");
    };
    let bytes = session.client.download(&["calls", call, "recordings", name], &[], out).await?;
    session.screen.note(&format!("{}: {}", out.display(), fields::size(bytes)));
    Ok(ExitCode::SUCCESS)
}
