//! `gudok man`: the manual pages, one a command.

use anyhow::Context;
use clap::{Args, Command};
use clap_mangen::Man;
use gudok_workbench::out;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `gudok man` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write every page into this folder: gudok.1, gudok-deploy.1, … Without it, gudok.1 goes to standard output.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// `gudok man`.
pub(crate) fn main(arguments: &Arguments, command: Command) -> ExitCode {
    super::told(match &arguments.out {
        Some(folder) => write_all(folder, command),
        None => page(&whole(command)).map(|(_, page)| {
            out::bytes(&page);
            ExitCode::SUCCESS
        }),
    })
}

fn write_all(folder: &Path, command: Command) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let pages = pages(command)?;
    for (name, page) in &pages {
        let path = folder.join(name);
        std::fs::write(&path, page).with_context(|| format!("writing {}", path.display()))?;
    }
    let (count, first) = (pages.len(), folder.join("gudok.1"));
    out::line(&format!("{count} pages in {}: man -l {}", folder.display(), first.display()));
    Ok(ExitCode::SUCCESS)
}

/// Every page by its file's name: the program's, and one for each command that is not hidden.
fn pages(command: Command) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    collect(&whole(command), &mut pages)?;
    Ok(pages)
}

/// With the names by which each command inside is called: "gudok-versions-show", run as `gudok versions show`.
fn whole(command: Command) -> Command {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    command
}

fn collect(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> anyhow::Result<()> {
    pages.push(page(command)?);
    command.get_subcommands().filter(|inner| !inner.is_hide_set()).try_for_each(|inner| collect(inner, pages))
}

/// A page and its file's name.
fn page(command: &Command) -> anyhow::Result<(String, Vec<u8>)> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page).context("writing a page")?;
    Ok((man.get_filename(), page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn there_is_a_page_for_every_command() {
        let pages = pages(crate::Cli::command()).unwrap();
        let page = |name: &str| {
            let (_, page) = pages.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no page {name}"));
            String::from_utf8(page.clone()).unwrap()
        };
        assert!(page("gudok.1").contains("telephone engine"));
        for command in crate::Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let text = page(&format!("gudok-{}.1", command.get_name()));
            assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{text}");
        }
        assert!(page("gudok-versions-show.1").contains("gudok versions show"));
        assert!(pages.iter().all(|(name, _)| !name.contains("compile-child")), "hidden commands have no page");
    }
}
