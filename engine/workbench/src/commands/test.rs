//! `gudok test`: a project's conversations, each in a world of its own.

use crate::build::{Fault, OnScreen};
use crate::conversation::coverage::Coverage;
use crate::conversation::gather::{self, NotUnderstood};
use crate::conversation::junit::junit;
use crate::conversation::report::{self, Colours};
use crate::conversation::run::{Bench, Outcome, Trial};
use crate::local::{LocalHost, read_bundle};
use crate::out;
use crate::project::Project;
use anyhow::Context;
use clap::Args;
use gudok_plugin_host::bundle::Bundle;
use gudok_simulator::explore::{ExploreReport, ExploreSettings, explore};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A conversation failed, or is not understood.
const FAILED: u8 = 1;
/// The command line or the machine is at fault.
const UNUSABLE: u8 = 2;
/// For what there is to be covered, the script is explored so long at most.
const EXPLORE_MS_MAX: u64 = 10_000;

/// What is tried, and how it is told.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A project's folder, which is built first, or a bundle: NAME-VERSION.ivr.
    #[arg(default_value = ".")]
    script: PathBuf,
    /// Only conversations that have this in their title or file.
    filter: Option<String>,
    /// Conversations are in this folder; in the project's `tests` where it is left out.
    #[arg(long, value_name = "FOLDER")]
    tests: Option<PathBuf>,
    /// Print the whole report as JSON.
    #[arg(long)]
    json: bool,
    /// Write what a CI shows: JUnit's XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Tell which steps, questions and keys were reached, of all that exploring finds.
    #[arg(long)]
    coverage: bool,
    /// So many conversations at once; as many as there are cores where it is left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Try all of them so often, and compare every run with the first, byte by byte.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    repeat: u32,
    /// Tell every conversation from its first line, what the script logged in it, and what was used.
    #[arg(long, short)]
    verbose: bool,
}

/// Carries the command out.
pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match run(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            out::note(&format!("{error:#}"));
            let of_build = error.downcast_ref::<Fault>().map(Fault::exit_code);
            let of_talk = error.downcast_ref::<NotUnderstood>().map(|_| FAILED);
            ExitCode::from(of_build.or(of_talk).unwrap_or(UNUSABLE))
        }
    }
}

/// Whether all passed.
fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let colours = colours();
    let (bundle, mut trials) = subject(arguments, colours.0)?;
    if let Some(filter) = &arguments.filter {
        let filter = filter.to_lowercase();
        let wanted = |text: &str| text.to_lowercase().contains(&filter);
        trials.retain(|trial| wanted(&trial.conversation.title) || wanted(&trial.file));
        anyhow::ensure!(!trials.is_empty(), "no conversation has {filter:?} in its title or file");
    }
    anyhow::ensure!(
        !trials.is_empty(),
        "there are no conversations: write one into tests/first.talk, or save one with `gudok call --local`"
    );
    let host = LocalHost::open()?;
    let bench = Bench::new(&host, &bundle)?;
    let jobs = arguments.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let outcomes = bench.try_all(&trials, jobs)?;
    let other = repeat(&bench, &trials, jobs, arguments.repeat, &outcomes)?;
    let explored = if arguments.coverage { Some(explored(&bench)?) } else { None };
    let coverage = arguments.coverage.then(|| {
        // Where exploring found nothing, what was met is all that is known.
        Coverage::of(&outcomes, explored.as_ref().filter(|explored| explored.paths > 0))
    });
    if let Some(file) = &arguments.junit {
        let xml = junit(&bundle.manifest.name, &outcomes)?;
        std::fs::write(file, xml).with_context(|| format!("writing {}", file.display()))?;
    }
    let passed = outcomes.iter().all(Outcome::passed) && other.is_none();
    let said = if arguments.json {
        in_json(&bundle, &outcomes, coverage.as_ref(), arguments.repeat, other.is_none())?
    } else {
        in_words(arguments, &outcomes, coverage.as_ref(), other.as_deref(), colours)
    };
    out::bytes(said.as_bytes());
    Ok(passed)
}

/// The bundle, and what is expected of it.
fn subject(arguments: &Arguments, colours: bool) -> anyhow::Result<(Bundle, Vec<Trial>)> {
    let script = &arguments.script;
    if script.is_dir() {
        let project = Project::open(script)?;
        let mut progress = OnScreen::new();
        // What is written is looked at first: it is quicker than a compiler.
        let trials = match &arguments.tests {
            Some(folder) => gather::files(folder, Path::new(""), colours)?,
            None => gather::of_project(&project, colours, &mut progress)?,
        };
        return Ok((project.build(&mut progress)?.bundle, trials));
    }
    let bundle = read_bundle(script)?;
    let folder = match &arguments.tests {
        Some(folder) => folder.clone(),
        None => beside(script).with_context(|| {
            format!("{} lies in no project: say where the conversations are, --tests FOLDER", script.display())
        })?,
    };
    Ok((bundle, gather::files(&folder, Path::new(""), colours)?))
}

/// The tests of the project in whose `target` a bundle lies.
fn beside(bundle: &Path) -> Option<PathBuf> {
    let target = bundle.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "target"))?;
    Some(target.parent().unwrap_or(Path::new(".")).join(gather::FOLDER)).filter(|folder| folder.is_dir())
}

/// The run that is not the first once more, and what is different in it.
fn repeat(
    bench: &Bench<'_>,
    trials: &[Trial],
    jobs: usize,
    times: u32,
    first: &[Outcome],
) -> anyhow::Result<Option<String>> {
    if times < 2 {
        return Ok(None);
    }
    let first = serde_json::to_string(first)?;
    for time in 2..=times {
        let again = serde_json::to_string(&bench.try_all(trials, jobs)?)?;
        if again != first {
            let at = again.bytes().zip(first.bytes()).position(|(a, b)| a != b).unwrap_or(first.len().min(again.len()));
            return Ok(Some(format!("run {time} is another than the first, from byte {at} of its report on")));
        }
    }
    Ok(None)
}

fn explored(bench: &Bench<'_>) -> anyhow::Result<ExploreReport> {
    let version = bench.version(BTreeMap::new())?;
    let mut settings = ExploreSettings::new(&version.manifest.name);
    settings.bounds.time_max_ms = EXPLORE_MS_MAX;
    Ok(explore(&version, &settings, &mut |_| ControlFlow::Continue(())))
}

fn in_json(
    bundle: &Bundle,
    outcomes: &[Outcome],
    coverage: Option<&Coverage>,
    runs: u32,
    identical: bool,
) -> anyhow::Result<String> {
    let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    let mut json = serde_json::json!({
        "script": bundle.manifest.name,
        "version": bundle.manifest.version.to_string(),
        "passed": passed,
        "failed": outcomes.len() - passed,
        "conversations": outcomes,
    });
    if let Some(fields) = json.as_object_mut() {
        if let Some(coverage) = coverage {
            fields.insert("coverage".into(), serde_json::to_value(coverage)?);
        }
        if runs > 1 {
            fields.insert("repeated".into(), serde_json::json!({ "runs": runs, "identical": identical }));
        }
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&json)?))
}

fn in_words(
    arguments: &Arguments,
    outcomes: &[Outcome],
    coverage: Option<&Coverage>,
    other: Option<&str>,
    colours: Colours,
) -> String {
    let mut text = report::outcomes(outcomes, arguments.verbose, colours);
    text.push('\n');
    if arguments.verbose {
        text.push_str(&report::usage(outcomes, colours));
        text.push('\n');
    }
    if let Some(coverage) = coverage {
        text.push_str(&report::coverage(coverage, colours));
        text.push('\n');
    }
    text.push_str(&report::summary(outcomes, colours));
    text.push('\n');
    match (other, arguments.repeat) {
        (Some(other), _) => text.push_str(&format!("{other}: please report it, it must not be\n")),
        (None, 2..) => text.push_str(&format!("{} runs, each the same to the last byte\n", arguments.repeat)),
        (None, _) => {}
    }
    text
}

fn colours() -> Colours {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Colours(!no_color && std::io::stdout().is_terminal())
}
