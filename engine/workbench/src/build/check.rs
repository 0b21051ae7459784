//! The check that a host makes before a bundle goes live, on the author's machine: the same code, the same callers.

use super::fault::Fault;
use super::{limits, refused, slow};
use crate::build::Place;
use crate::build::progress::Progress;
use crate::local::LocalHost;
use crate::nearest::nearest;
use crate::project::Project;
use gudok_core::ids::{Agency, Entry};
use gudok_core::time::Timestamp;
use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::check::{Candidate, Outcome, StepName, Trust};
use gudok_plugin_host::manifest::Kind;
use gudok_plugin_host::{Admission, Finding, Version};
use gudok_simulator::Caller;
use gudok_simulator::World;
use gudok_simulator::smoke::{self, SmokeSettings};
use gudok_speech::{MediaLibrary, MediaLimits};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the one caller dials who makes a menu tell its faults.
const DIALLED: &str = "check";

/// Why a signature is not looked at here.
const UNSIGNED: &str = "`gudok deploy` and `publish` sign";

/// How a check went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CheckReport {
    /// Every step, in order.
    pub steps: Vec<CheckedStep>,
    /// What failed.
    pub faults: Vec<Fault>,
    /// Callers of the simulator who called.
    pub callers: usize,
    /// CPU of the script for all of them.
    pub cpu_ms: u64,
}

/// A step of it.
#[derive(Clone, Debug, Serialize)]
pub struct CheckedStep {
    /// Which.
    pub name: &'static str,
    /// "ok", "failed" or "skipped".
    pub result: &'static str,
    /// Why it was skipped; empty otherwise.
    pub why: String,
    /// How long it took.
    pub took_ms: u64,
}

/// Looks at a bundle as a host does: archive, manifest, signature, interface, grants, media, compile, smoke. `file` is the
/// bundle's file.
///
/// # Errors
/// Where it cannot be looked at: the file, the script host of this machine. What is wrong with the bundle is in the report.
pub fn check(project: &Project, file: &Path, progress: &mut dyn Progress) -> Result<CheckReport, Fault> {
    let bytes = std::fs::read(file).map_err(|error| super::fault::io("check", "reading", file, &error))?;
    progress.begins("checking");
    let began = Instant::now();
    let host = open_host()?;
    let admission = Admission { config: project.manifest.config.clone(), ..Admission::as_declared() };
    let candidate = Candidate {
        bytes: &bytes,
        file_name: file.file_name().and_then(|name| name.to_str()),
        agency: &project.manifest.agency,
        trust: Trust::File,
        known: &[],
        allow_downgrade: true,
        admission: &admission,
        limits: &limits(),
        now: Timestamp::default(),
    };
    let checked = gudok_plugin_host::check::check(host.host(), &candidate);
    let mut report = CheckReport::default();
    for step in &checked.steps {
        let heard = match (&step.outcome, step.name, &checked.bundle) {
            (Outcome::Ok, StepName::Media, Some(bundle)) => hear(bundle),
            _ => None,
        };
        let finding = match (&step.outcome, &heard) {
            (Outcome::Failed(finding), _) => Some(finding),
            (_, heard) => heard.as_ref(),
        };
        let (result, why) = match (&step.outcome, finding) {
            // Whoever builds a bundle signs it afterwards.
            (Outcome::Skipped(_), _) if step.name == StepName::Signature => ("skipped", UNSIGNED.to_owned()),
            (Outcome::Skipped(why), _) => ("skipped", why.clone()),
            (_, Some(_)) => ("failed", String::new()),
            (_, None) => ("ok", String::new()),
        };
        report.steps.push(CheckedStep { name: step.name.as_str(), result, why, took_ms: ms(step.took) });
        let component = checked.bundle.as_ref().map_or(&[][..], |bundle| &bundle.component);
        report.faults.extend(finding.map(|finding| refused::by_host(step.name, finding, project, component)));
    }
    progress.at("the simulator's first callers");
    match &checked.version {
        Some(version) if report.faults.is_empty() => try_out(version, project, &mut report),
        _ => report.steps.push(CheckedStep {
            name: StepName::Smoke.as_str(),
            result: "skipped",
            why: "nothing is tried out that is refused anyway".to_owned(),
            took_ms: 0,
        }),
    }
    progress.ends("checking", began.elapsed());
    Ok(report)
}

/// Whether a menu as data serves its callers, and nothing else of a [`check`]: quick enough for every change of it. What is no
/// menu passes.
///
/// # Errors
/// What the menu says of itself; where there is no script host on this machine.
pub fn check_menu(project: &Project, bundle: &Bundle) -> Result<(), Fault> {
    if !project.is_menu() {
        return Ok(());
    }
    // What is refused, whoever was to run it tells.
    let Ok(version) = open_host()?.load(bundle, project.manifest.config.clone()) else { return Ok(()) };
    let (agency, entry) = place_of(&version);
    menu_fault(&version, project, &agency, &entry).map_or(Ok(()), Err)
}

fn open_host() -> Result<LocalHost, Fault> {
    LocalHost::open().map_err(|error| {
        Fault::of_machine("check", format!("{error:#}")).remedy("`gudok doctor` looks at what is missing here")
    })
}

/// Where it is called.
fn place_of(version: &Version) -> (Agency, Entry) {
    let entry = version.manifest.entries.first().map_or("main", String::as_str);
    (Agency::new(&version.manifest.agency), Entry::new(entry))
}

/// The first recording that cannot be heard.
fn hear(bundle: &Bundle) -> Option<Finding> {
    let mut library = MediaLibrary::default();
    bundle.media.iter().find_map(|(name, media)| {
        let place = format!("{}/{}.{}", name.lang, name.name, media.ending);
        let error = library.add(&place, media.bytes.to_vec(), &MediaLimits::default()).err()?;
        Some(Finding {
            field: format!("media/{place}"),
            problem: format!("media/{place} cannot be played: {error}"),
            remedy: "Save it as WAV, MP3, Ogg Vorbis or FLAC of at most ten minutes".to_owned(),
        })
    })
}

/// Lets the simulator's first callers call it.
fn try_out(version: &Arc<Version>, project: &Project, report: &mut CheckReport) {
    let began = Instant::now();
    let mut step = CheckedStep { name: StepName::Smoke.as_str(), result: "ok", why: String::new(), took_ms: 0 };
    let (agency, entry) = place_of(version);
    if let Some(fault) = menu_fault(version, project, &agency, &entry) {
        report.faults.push(fault);
        step.result = "failed";
    } else {
        let went = smoke::run(version, &agency, &entry, &SmokeSettings::default());
        report.callers = went.callers;
        report.cpu_ms = ms(went.cpu);
        match slow::of_smoke(&went, project) {
            Some(fault) => {
                report.faults.push(fault);
                step.result = "failed";
            }
            None if version.kind() == Kind::Campaign && went.callers == 0 => {
                step.result = "skipped";
                step.why =
                    "`prepare` skips a contact without columns: put some rows into data/contacts.jsonl".to_owned();
            }
            None => {}
        }
    }
    step.took_ms = ms(began.elapsed());
    report.steps.push(step);
}

/// A menu with a fault serves nobody, and tells all its faults in its log: "data/menu.toml line 3, nodes.main: …".
fn menu_fault(version: &Arc<Version>, project: &Project, agency: &Agency, entry: &Entry) -> Option<Fault> {
    const FILE: &str = "data/menu.toml";
    if !project.is_menu() {
        return None;
    }
    let went = World::new(1)
        .number(DIALLED, agency.as_str(), entry.as_str())
        .bundle(agency.as_str(), entry.as_str(), Arc::clone(version))
        .caller(Caller::dials(DIALLED))
        .run();
    let text = std::fs::read_to_string(project.folder.join(FILE)).unwrap_or_default();
    let faults: Vec<(Place, String)> = went.log.iter().filter_map(|line| of_menu(line, FILE, &text)).collect();
    let (place, what) = faults.first()?.clone();
    let fault = Fault::of_script("menu", what).at(place);
    let fault = faults
        .iter()
        .skip(1)
        .fold(fault, |fault, (place, what)| fault.note(format!("{}:{}: {what}", place.file.display(), place.line)));
    let fault = match faults.first().and_then(|(_, what)| meant(what)) {
        Some(meant) => fault.remedy(format!("Did you mean {meant:?}?")),
        None => fault,
    };
    Some(fault.remedy("README.md of the project shows what each kind of node may have"))
}

/// The name nearest to the one of which there is none: `there is no node "mian"; known are address, main`.
fn meant(what: &str) -> Option<&str> {
    let (before, known) = what.split_once("known are ")?;
    let unknown = before.split('"').nth(1)?;
    nearest(unknown, known.split(", "))
}

fn of_menu(line: &str, file: &str, text: &str) -> Option<(Place, String)> {
    let (_, rest) = line.split_once(&format!(" {file} line "))?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number = rest[..digits].parse().ok()?;
    let what = rest[digits..].trim_start_matches([',', ':', ' ']);
    Some((Place::line(file, text, number), what.to_owned()))
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_menu_s_fault_is_found_in_its_log() {
        let check = |line: &str, expect: Option<(usize, &str)>| {
            let found = of_menu(line, "data/menu.toml", "a\nb = 1\n");
            let found = found.as_ref().map(|(place, what)| (place.line, what.as_str()));
            assert_eq!(found, expect, "{line}");
        };
        check("Error desk data/menu.toml line 2, nodes.main: no such node", Some((2, "nodes.main: no such node")));
        check("Error desk data/menu.toml line 1: not TOML", Some((1, "not TOML")));
        check("Info desk hello", None);
    }

    #[test]
    fn a_node_s_name_is_guessed() {
        assert_eq!(meant("nodes.a.then: there is no node \"mian\"; known are @back, goodbye, main"), Some("main"));
        assert_eq!(meant("nodes.a: say is missing"), None);
    }
}
