//! The author's commands alone, without the engine: quick to build while working on them.

use clap::{Args, Parser, Subcommand};
use gudok_workbench::commands::{self, AuthorCommand};
use gudok_workbench::local::COMPILE_SUBCOMMAND;
use gudok_workbench::talk::{self, Talk, TalkOptions};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "gudok")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Author(AuthorCommand),
    /// A call without an engine; `gudok call` has one with an engine, too.
    Call(Call),
}

#[derive(Debug, Args)]
struct Call {
    #[arg(default_value = ".")]
    target: PathBuf,
    #[arg(long)]
    keys: Option<String>,
    #[arg(long)]
    from: Option<String>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: TalkOptions,
}

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == COMPILE_SUBCOMMAND) {
        return gudok_plugin_host::compile_child_main(args);
    }
    match Cli::parse().command {
        Command::Author(command) => commands::main(&command),
        Command::Call(call) => talk::main(&Talk {
            target: &call.target,
            keys: call.keys.as_deref(),
            from: call.from.as_deref(),
            json: call.json,
            options: &call.options,
        }),
    }
}
