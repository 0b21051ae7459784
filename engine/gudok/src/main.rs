//! `gudok`: the engine and its command line.
//!
//! `gudok serve` runs the engine; the other commands are tools for people who run it and write for it. `main.rs` reads
//! the command line and nothing else; each command has a module.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod books;
mod call;
mod campaigns;
mod centre;
mod check;
mod clock;
mod commands;
mod config;
mod director;
mod directory;
mod flow;
mod hex;
mod journals;
mod keep;
mod keys;
mod live;
mod metrics;
mod no_store;
mod overlays;
mod promises;
mod scripts;
mod serve;
mod spool;
mod voice;

use clap::{CommandFactory, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// A telephone engine: it answers SIP calls and runs each agency's call logic as a sandboxed WebAssembly script.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answers calls until SIGTERM. SIGHUP rereads the configuration.
    Serve {
        /// The configuration, a TOML file.
        #[arg(long, default_value = "gudok.toml")]
        config: PathBuf,
        /// Begin the engine's clock at this moment, "2026-05-05T02:30:00+07:00": to rehearse a night by day.
        #[arg(long)]
        at: Option<jiff::Timestamp>,
        /// Stop as by SIGTERM when standard input ends: whoever started the engine is gone then.
        #[arg(long, hide = true)]
        while_stdin: bool,
    },
    /// Reads the configuration and says what is wrong with it.
    CheckConfig {
        /// The configuration, a TOML file.
        #[arg(default_value = "gudok.toml")]
        config: PathBuf,
    },
    /// Calls a number and lets you hear and press keys in the terminal.
    Call(commands::call::Arguments),
    /// Answers calls by itself, as an operator in a demonstration.
    Answer(commands::answer::Arguments),
    /// Turns a prompt into words or sound.
    Say(commands::say::Arguments),
    /// Makes and reads bundles.
    #[command(subcommand)]
    Bundle(commands::bundle::Command),
    /// Prints call records, of a running engine or of a stopped one's store.
    Cdrs(commands::cdrs::Arguments),
    /// Prints what a shell needs to complete this program's commands.
    Completions(commands::completions::Arguments),
    /// Prints or writes the manual pages.
    Man(commands::man::Arguments),
    #[command(flatten)]
    Author(gudok_workbench::commands::AuthorCommand),
    #[command(flatten)]
    AuthorEngine(commands::author::Command),
    #[command(flatten)]
    Admin(commands::admin::Command),
    /// Compiles one component read from standard input. The engine starts it; people have no use for it.
    #[command(name = scripts::COMPILE_SUBCOMMAND, hide = true)]
    CompileChild {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Checks one bundle as standard input says. The engine starts it; people have no use for it.
    #[command(name = check::CHECK_SUBCOMMAND, hide = true)]
    CheckChild,
    /// Explores one bundle as standard input says. The engine starts it; people have no use for it.
    #[command(name = flow::FLOW_SUBCOMMAND, hide = true)]
    FlowChild,
    /// Runs calls again as standard input says. The engine starts it; people have no use for it.
    #[command(name = journals::REPLAY_SUBCOMMAND, hide = true)]
    ReplayChild,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve { config, at, while_stdin } => commands::serve::main(serve::Options { config, at, while_stdin }),
        Command::CheckConfig { config } => commands::serve::check_config(&config),
        Command::Call(arguments) => commands::call::main(&arguments),
        Command::Answer(arguments) => commands::answer::main(&arguments),
        Command::Say(arguments) => commands::say::main(&arguments),
        Command::Bundle(command) => commands::bundle::main(&command),
        Command::Cdrs(arguments) => commands::cdrs::main(&arguments),
        Command::Completions(arguments) => commands::completions::main(&arguments, Cli::command()),
        Command::Man(arguments) => commands::man::main(&arguments, Cli::command()),
        Command::Author(command) => gudok_workbench::commands::main(&command),
        Command::AuthorEngine(command) => commands::author::main(&command),
        Command::Admin(command) => commands::admin::main(&command),
        Command::CheckChild => check::child_main(),
        Command::FlowChild => flow::child_main(),
        Command::ReplayChild => journals::child_main(),
        Command::CompileChild { arguments } => gudok_plugin_host::compile_child_main(arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_whole() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_is_for() {
        fn check(command: &clap::Command, above: &str) {
            let name = format!("{above} {}", command.get_name());
            assert!(command.get_about().is_some() || command.is_hide_set(), "{name} has no help");
            let shown = command.get_arguments().filter(|argument| !argument.is_hide_set() && !command.is_hide_set());
            for argument in shown {
                let of_clap = ["help", "version"].contains(&argument.get_id().as_str());
                assert!(of_clap || argument.get_help().is_some(), "{name}: {} has no help", argument.get_id());
            }
            command.get_subcommands().for_each(|inner| check(inner, &name));
        }
        let cli = Cli::command();
        assert!(cli.get_subcommands().count() > 30, "the commands were not found");
        check(&cli, "");
    }
}
