//! The author's commands. Each has a module; here is the list of them, and what they share.

use clap::Subcommand;
use std::process::ExitCode;

/// What an author may ask for.
#[derive(Debug, Subcommand)]
pub enum AuthorCommand {}

/// Carries a command out.
pub fn main(command: &AuthorCommand) -> ExitCode {
    match *command {}
}
