//! `gudok build`: from the project in a folder to a bundle that a host would take.

use super::screen::{colour, line, note, table, tell};
use crate::build::{BuildOptions, BuiltBundle, CheckReport, Fault, OnScreen, Progress, Silent, build, check};
use crate::project::Project;
use clap::Args;
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What `gudok build` is told.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The project's folder.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// As for a release: from the very versions in the lock file, and with warnings as faults.
    #[arg(long)]
    release_check: bool,
    /// Install the compiler where it is missing.
    #[arg(long)]
    install: bool,
    /// Only compile and pack; do not check the bundle as a host would.
    #[arg(long, conflicts_with = "release_check")]
    no_check: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// How it went.
struct Went {
    built: BuiltBundle,
    report: Option<CheckReport>,
    took: Duration,
}

impl Went {
    /// What keeps it from being released.
    fn faults(&self, release_check: bool) -> Vec<&Fault> {
        let of_check = self.report.iter().flat_map(|report| &report.faults);
        let warnings = self.built.warnings.iter().filter(|_| release_check);
        of_check.chain(warnings).collect()
    }
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let mut on_screen = OnScreen::new();
    let mut silent = Silent;
    let progress: &mut dyn Progress = if arguments.json { &mut silent } else { &mut on_screen };
    match work(arguments, progress) {
        Ok(went) if arguments.json => say_json(&went, arguments.release_check),
        Ok(went) => say(&went, arguments.release_check),
        Err(fault) if arguments.json => {
            line(&format!("{:#}", json!({ "ok": false, "faults": [fault] })));
            ExitCode::from(fault.exit_code())
        }
        Err(fault) => tell(&fault),
    }
}

fn work(arguments: &Arguments, progress: &mut dyn Progress) -> Result<Went, Fault> {
    let began = Instant::now();
    let project = Project::open(&arguments.dir)?;
    let options = BuildOptions { install: arguments.install, release_check: arguments.release_check };
    let built = build(&project, options, progress)?;
    let report = if arguments.no_check { None } else { Some(check(&project, &built.path, progress)?) };
    Ok(Went { built, report, took: began.elapsed() })
}

fn say(went: &Went, release_check: bool) -> ExitCode {
    let built = &went.built;
    let mut rows: Vec<Vec<String>> =
        built.phases.iter().map(|(phase, took)| vec![(*phase).to_owned(), seconds(*took)]).collect();
    if let Some(report) = &went.report {
        for step in &report.steps {
            let took = seconds(Duration::from_millis(step.took_ms));
            let why = if step.why.is_empty() { String::new() } else { format!(": {}", step.why) };
            rows.push(vec![format!("check: {}", step.name), took, format!("{}{why}", step.result)]);
        }
    }
    for text in table(&rows) {
        note(&format!("  {text}"));
    }
    let paint = colour(std::io::stderr().is_terminal());
    for warning in built.warnings.iter().filter(|_| !release_check) {
        note(&warning.rendered(paint).replacen("error", "warning", 1));
    }
    let faults = went.faults(release_check);
    for fault in &faults {
        note(&fault.rendered(paint));
    }
    if let Some(fault) = faults.first() {
        return ExitCode::from(fault.exit_code());
    }
    let how = if built.unchanged { "unchanged" } else { "built" };
    line(&format!(
        "{}  {} KiB, script {} KiB, {how} in {}",
        built.path.display(),
        built.bytes.div_ceil(1024),
        built.bundle.component.len().div_ceil(1024),
        seconds(went.took),
    ));
    ExitCode::SUCCESS
}

fn say_json(went: &Went, release_check: bool) -> ExitCode {
    let faults = went.faults(release_check);
    let phases: Vec<Value> =
        went.built.phases.iter().map(|(name, took)| json!({ "name": name, "ms": took.as_millis() })).collect();
    let answer = json!({
        "ok": faults.is_empty(),
        "bundle": went.built.path,
        "bytes": went.built.bytes,
        "component_bytes": went.built.bundle.component.len(),
        "content_sha256": hex(&went.built.bundle.content_sha256),
        "unchanged": went.built.unchanged,
        "took_ms": went.took.as_millis(),
        "phases": phases,
        "check": went.report,
        "warnings": went.built.warnings,
        "faults": faults,
    });
    line(&format!("{answer:#}"));
    faults.first().map_or(ExitCode::SUCCESS, |fault| ExitCode::from(fault.exit_code()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
