//! The author's commands alone, without the engine: quick to build while working on them.

use clap::Parser;
use gudok_workbench::commands::{self, AuthorCommand};
use gudok_workbench::local::COMPILE_SUBCOMMAND;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "gudok")]
struct Cli {
    #[command(subcommand)]
    command: AuthorCommand,
}

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == COMPILE_SUBCOMMAND) {
        return gudok_plugin_host::compile_child_main(args);
    }
    commands::main(&Cli::parse().command)
}
