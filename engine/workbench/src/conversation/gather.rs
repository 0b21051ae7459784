//! A project's conversations: its `tests/*.talk`, and what its `tests/conversations.rs`, `.ts`, `.js` or `.py` prints.

use super::run::Trial;
use super::{Conversations, check_printed, parse};
use crate::build::{Fault, Progress, printed_conversations};
use crate::project::{Language, Project};
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of a project that they are in.
pub const FOLDER: &str = "tests";
/// What a program's file is called.
const PROGRAM: &str = "conversations";
/// Tells a program in Rust into which file it is to print.
const OUT: &str = "GUDOK_CONVERSATIONS";
/// Files of one project.
const FILES_MAX: usize = 1_000;
/// Of what a compiler says.
const LINES_SHOWN: usize = 40;

/// A file of conversations that is not understood; its text is whole, with the place.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotUnderstood(pub String);

/// All of a folder's files `*.talk`, by name.
///
/// # Errors
/// [`NotUnderstood`], all files together; a file that cannot be read.
pub fn files(folder: &Path, shown_in: &Path, colours: bool) -> anyhow::Result<Vec<Trial>> {
    let mut paths: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("reading {}", folder.display())),
    };
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "talk"));
    paths.sort();
    anyhow::ensure!(paths.len() <= FILES_MAX, "{} has more than {FILES_MAX} files of conversations", folder.display());
    let (mut trials, mut faults) = (Vec::new(), String::new());
    for path in paths {
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let name = path.strip_prefix(shown_in).unwrap_or(&path).display().to_string();
        match parse(&name, &text) {
            Ok(written) => trials.extend(written.into_iter().map(|one| Trial {
                conversation: one.conversation,
                file: name.clone(),
                line: Some(one.line),
                step_lines: one.step_lines,
            })),
            Err(errors) => faults.push_str(&rendered(&errors, colours)),
        }
    }
    if faults.is_empty() { Ok(trials) } else { Err(NotUnderstood(faults).into()) }
}

fn rendered(errors: &super::TalkErrors, colours: bool) -> String {
    let theme = if colours { miette::GraphicalTheme::unicode() } else { miette::GraphicalTheme::unicode_nocolor() };
    let handler = miette::GraphicalReportHandler::new_themed(theme).with_links(false).with_width(120);
    let mut text = String::new();
    match handler.render_report(&mut text, errors) {
        Ok(()) => text,
        Err(_) => errors.errors.iter().map(|error| format!("{error}\n")).collect(),
    }
}

/// All conversations of a project.
///
/// # Errors
/// What is wrong with them, or with a program that prints them.
pub fn of_project(project: &Project, colours: bool, progress: &mut dyn Progress) -> anyhow::Result<Vec<Trial>> {
    let folder = project.folder.join(FOLDER);
    let mut trials = files(&folder, &project.folder, colours)?;
    let endings: &[&str] = match project.language {
        Language::Rust => &["rs"],
        Language::JavaScript | Language::TypeScript => &["ts", "js", "mjs"],
        Language::Python => &["py"],
        Language::Menu => &[],
    };
    for ending in endings {
        let name = format!("{FOLDER}/{PROGRAM}.{ending}");
        let file = project.folder.join(&name);
        if !file.is_file() {
            continue;
        }
        let printed = match project.language {
            Language::Rust => printed_by_rust(project, progress)?,
            _ => printed_conversations(project, &file, progress)?,
        };
        trials.extend(printed_trials(&name, &printed)?);
    }
    Ok(trials)
}

/// What a program printed.
///
/// # Errors
/// Where it is no JSON of conversations, or says what makes no sense.
pub fn printed_trials(name: &str, printed: &str) -> anyhow::Result<Vec<Trial>> {
    let all: Conversations = serde_json::from_str(printed).map_err(|error| {
        NotUnderstood(format!(
            "{name} prints no conversations: {error}\nThey are JSON, printed by the SDK's `testing`.\n"
        ))
    })?;
    check_printed(&all).map_err(|problem| NotUnderstood(format!("{name}: {problem}\n")))?;
    let trial = |conversation| Trial { conversation, file: name.to_owned(), line: None, step_lines: Vec::new() };
    Ok(all.conversations.into_iter().map(trial).collect())
}

/// The program is a test of the project's crate, built for this machine.
fn printed_by_rust(project: &Project, progress: &mut dyn Progress) -> anyhow::Result<String> {
    const PHASE: &str = "conversations in Rust";
    let began = std::time::Instant::now();
    progress.begins(PHASE);
    let out = tempfile::NamedTempFile::new().context("making a file for the conversations")?;
    let ran = Command::new("cargo")
        .args(["test", "--quiet", "--test", PROGRAM])
        .current_dir(&project.folder)
        .env("CARGO_TARGET_DIR", project.target().join("conversations"))
        .env("CARGO_TERM_COLOR", "never")
        .env(OUT, out.path())
        .output();
    progress.ends(PHASE, began.elapsed());
    let ran = ran.map_err(|error| {
        Fault::of_machine("tests", format!("cargo cannot be started: {error}"))
            .remedy("Install Rust: https://rustup.rs")
    })?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).take(LINES_SHOWN).collect();
        let problem = format!("{FOLDER}/{PROGRAM}.rs did not print its conversations:\n{}", lines.join("\n"));
        return Err(Fault::of_script("tests", problem).into());
    }
    let printed = std::fs::read_to_string(out.path()).context("reading the conversations")?;
    if printed.is_empty() {
        return Err(Fault::of_script("tests", format!("{FOLDER}/{PROGRAM}.rs printed nothing"))
            .remedy("Give them to the SDK in a test: #[test] fn conversations() { gudok_sdk::testing::print([…]) }")
            .into());
    }
    Ok(printed)
}
