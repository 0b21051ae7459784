//! The author's commands. Each has a module; here is the list of them, and what they share.

mod explore;

use clap::Subcommand;
use std::process::ExitCode;

/// What an author may ask for.
#[derive(Debug, Subcommand)]
pub enum AuthorCommand {
    /// Tries every way through a script, tells what is wrong, and draws its flow.
    Explore(explore::Arguments),
}

/// Carries a command out.
pub fn main(command: &AuthorCommand) -> ExitCode {
    match command {
        AuthorCommand::Explore(arguments) => explore::main(arguments),
    }
}
