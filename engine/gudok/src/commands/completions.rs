//! `gudok completions`: what a shell needs to complete the commands and their options.

use clap::{Args, Command, ValueEnum};
use clap_complete::Shell;
use std::process::ExitCode;

/// What `gudok completions` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which shell. bash: write it to ~/.local/share/bash-completion/completions/gudok; zsh: to a folder of $fpath as _gudok;
    /// fish: to ~/.config/fish/completions/gudok.fish.
    #[arg(value_enum)]
    shell: Supported,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Supported {
    Bash,
    Zsh,
    Fish,
}

/// `gudok completions`.
pub(crate) fn main(arguments: &Arguments, command: Command) -> ExitCode {
    gudok_workbench::out::bytes(&script(arguments.shell, command));
    ExitCode::SUCCESS
}

fn script(shell: Supported, mut command: Command) -> Vec<u8> {
    let shell = match shell {
        Supported::Bash => Shell::Bash,
        Supported::Zsh => Shell::Zsh,
        Supported::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "gudok", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_shell_knows_every_command() {
        for shell in [Supported::Bash, Supported::Zsh, Supported::Fish] {
            let text = String::from_utf8(script(shell, crate::Cli::command())).unwrap();
            for command in crate::Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
                assert!(text.contains(command.get_name()), "{shell:?} knows nothing of {}", command.get_name());
            }
        }
    }
}
