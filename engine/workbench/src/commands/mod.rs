//! The author's commands. Each has a module; here is the list of them, and what they share.

mod build;
mod doctor;
mod explore;
mod explore_saved;
pub mod inspect;
mod new;
mod screen;
mod test;

use clap::Subcommand;
use std::process::ExitCode;

/// What an author may ask for.
#[derive(Debug, Subcommand)]
pub enum AuthorCommand {
    /// Tries every way through a script, tells what is wrong, and draws its flow.
    Explore(Box<explore::Arguments>),
    /// Makes a new project: a script that works, with its tests. Asks what is not said.
    New(new::Arguments),
    /// Builds a project's bundle and checks it as a host would.
    Build(build::Arguments),
    /// Says what is missing on this machine, and the command that mends it.
    Doctor(doctor::Arguments),
    /// Says in plain words what a bundle may do, who signed it and what is unusual about it.
    Inspect(inspect::Arguments),
    /// Tries a script's conversations: what is said and pressed, and what must be true then.
    Test(test::Arguments),
}

/// Carries a command out.
pub fn main(command: &AuthorCommand) -> ExitCode {
    match command {
        AuthorCommand::Explore(arguments) => explore::main(arguments),
        AuthorCommand::New(arguments) => new::main(arguments),
        AuthorCommand::Build(arguments) => build::main(arguments),
        AuthorCommand::Doctor(arguments) => doctor::main(arguments),
        AuthorCommand::Inspect(arguments) => inspect::main(arguments),
        AuthorCommand::Test(arguments) => test::main(arguments),
    }
}
