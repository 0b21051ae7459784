//! `gudok configuration`: what the engine runs with, and reading its file anew.

use super::remote::{Outcome, Remote, Session, Write, fields};
use clap::{Args, Subcommand};

/// What `gudok configuration` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The configuration in force, without secrets, as JSON.
    Show,
    /// Reads gudok.toml anew, as SIGHUP does; one with faults changes nothing.
    Reload,
}

/// `gudok configuration`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match arguments.command {
        Command::Show => {
            let answer = session.client.get(&["configuration"], &[]).await?;
            session.show(&answer, |screen, configuration| screen.line(&format!("{configuration:#}")))
        }
        Command::Reload => {
            let answer = session.client.write(Write::post(&["configuration", "reload"])).await?;
            session.show(&answer, |screen, answer| {
                let changed = answer["changed"].as_array().map_or(&[][..], Vec::as_slice);
                changed.iter().for_each(|what| screen.line(&super::remote::plain(&fields::words(what))));
                if changed.is_empty() {
                    screen.note("read; nothing in it is new");
                }
            })
        }
    }
}
