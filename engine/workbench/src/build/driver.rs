//! What the steps of JavaScript and Python share: the tools of a language, installed once into the author's cache, and the
//! driver in the SDK that does the work and answers in JSON.

use super::cache;
use super::fault::{Fault, Place, io};
use super::step::Step;
use gudok_plugin_host::manifest::{Capability, Kind};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) const STEP: &str = "compile";
/// Faults that are shown; the rest are counted.
const SHOWN_MAX: usize = 5;
/// Digits of the pins' hash in a folder's name.
const HASH_DIGITS: usize = 12;
/// Last in a folder of tools that is whole.
const WHOLE: &str = ".whole";
/// Lines before the place of a fault that are shown with it, and after it.
const LINES_AROUND: usize = 2;

/// Folders of a project that go into the bundle, or into tests, and not into the component.
const NOT_COMPILED: [&str; 2] = ["media", "tests"];

/// What a driver answers.
#[derive(Debug, Deserialize)]
struct Answer {
    problems: Vec<Problem>,
}

/// One fault, as a driver found it. Lines and columns count from 1; 0 is not known.
#[derive(Debug, Deserialize)]
struct Problem {
    file: Option<PathBuf>,
    line: usize,
    column: usize,
    width: usize,
    message: String,
    remedy: Option<String>,
}

/// The tools that these pins name, in the author's cache. Installed by `install` into a folder that is renamed when it is
/// whole: who looks at the same time sees all of it or nothing.
pub(super) fn tools(
    step: &mut Step<'_>,
    language: &str,
    pins: &Path,
    install: impl FnOnce(&mut Step<'_>, &Path) -> Result<(), Fault>,
) -> Result<PathBuf, Fault> {
    let text = std::fs::read(pins).map_err(|error| io("tools", "reading", pins, &error))?;
    let hash: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = cache()?.join("tools").join(format!("{language}-{}", &hash[..HASH_DIGITS]));
    if folder.join(WHOLE).is_file() {
        return Ok(folder);
    }
    // Python's tools know their own folder: they are installed in their place, and a broken one is removed first.
    let failed = |error: &std::io::Error| io("tools", "writing", &folder, error);
    let lock = Lock::take(&folder.with_extension("lock"))?;
    if folder.join(WHOLE).is_file() {
        return Ok(folder);
    }
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(&error)),
        _ => {}
    }
    std::fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    install(step, &folder)?;
    std::fs::write(folder.join(WHOLE), b"").map_err(|error| failed(&error))?;
    drop(lock);
    Ok(folder)
}

/// Held while tools are installed, so that two builds do not do it at once. The system frees it with its file.
struct Lock {
    _file: std::fs::File,
}

impl Lock {
    fn take(path: &Path) -> Result<Self, Fault> {
        let failed = |error: &std::io::Error| io("tools", "locking", path, error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        let file = std::fs::File::create(path).map_err(|error| failed(&error))?;
        file.lock().map_err(|error| failed(&error))?;
        Ok(Self { _file: file })
    }
}

/// Runs a driver over the project and gives the component that it made: the one of the last time where nothing changed that it
/// is made of, as an interpreter's takes its time and never has the same bytes twice.
pub(super) fn run(step: &mut Step<'_>, mut command: Command, tools: &Path) -> Result<Vec<u8>, Fault> {
    let out = step.project.target().join("script.wasm");
    let (note, made_of) = (out.with_extension("made-of"), made_of(step, tools));
    if std::fs::read_to_string(&note).is_ok_and(|before| before == made_of)
        && let Ok(component) = std::fs::read(&out)
    {
        return Ok(component);
    }
    // An older note must not vouch for what comes now.
    drop(std::fs::remove_file(&note));
    let manifest = &step.project.manifest;
    let kind = if manifest.kind == Kind::Campaign { "campaign" } else { "service" };
    let declared = Capability::ALL.into_iter().filter(|capability| manifest.capabilities.has(*capability));
    let capabilities: Vec<&str> = declared.map(Capability::as_str).collect();
    command
        .arg("--project")
        .arg(&step.project.folder)
        .arg("--wit")
        .arg(step.sdk.folder.join("wit"))
        .arg("--tools")
        .arg(tools)
        .args(["--kind", kind, "--capabilities", &capabilities.join(",")])
        .arg("--out")
        .arg(&out);
    let ran = step.run(&mut command, |_| None)?;
    let answer = ran.out.last().and_then(|line| serde_json::from_str::<Answer>(line).ok());
    match answer {
        Some(answer) if ran.status.success() && answer.problems.is_empty() => {
            let component = std::fs::read(&out).map_err(|error| io(STEP, "reading", &out, &error))?;
            std::fs::write(&note, made_of).map_err(|error| io(STEP, "writing", &note, &error))?;
            Ok(component)
        }
        Some(answer) if !answer.problems.is_empty() => Err(fault_of(&answer.problems, &step.project.folder)),
        _ => Err(Fault::of_machine(STEP, format!("the build ended with {} and no answer", ran.status))
            .said(ran.err)
            .remedy("`gudok doctor` says whether everything is there; the tools can be removed from the cache and come anew")),
    }
}

/// A hash of all that a component is made of: the author's files, the manifest, the SDK and the tools. Packages that were installed
/// beside the script count by the lock that names them.
fn made_of(step: &Step<'_>, tools: &Path) -> String {
    let mut hash = Sha256::new();
    for part in [&step.sdk.folder, tools] {
        hash.update(part.as_os_str().as_encoded_bytes());
        hash.update([0]);
    }
    let mut folders = vec![step.project.folder.clone()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let within = path.strip_prefix(&step.project.folder).unwrap_or(&path);
            if step.project.ignores(&path) || NOT_COMPILED.iter().any(|name| within.starts_with(name)) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap_or_default();
            hash.update(within.as_os_str().as_encoded_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(&bytes);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs a file of conversations, and gives what it printed.
pub(super) fn printed(step: &mut Step<'_>, command: &mut Command, file: &Path) -> Result<String, Fault> {
    let ran = step.run(command, |_| None)?;
    if ran.status.success() {
        return Ok(ran.out.join("\n"));
    }
    let answer = ran.out.last().and_then(|line| serde_json::from_str::<Answer>(line).ok());
    Err(match answer {
        Some(answer) if !answer.problems.is_empty() => fault_of(&answer.problems, &step.project.folder),
        _ => Fault::of_script(
            "tests",
            format!("the conversations cannot be read: {} ended with {}", file.display(), ran.status),
        )
        .at(Place::file(file))
        .said(ran.err)
        .remedy("Correct what is said above, and try again"),
    })
}

/// All that was found, the first one first, each with its lines.
fn fault_of(problems: &[Problem], folder: &Path) -> Fault {
    let Some(first) = problems.first() else { return Fault::of_script(STEP, "the script cannot be built") };
    let count = match problems.len() {
        1 => String::new(),
        more => format!(" ({more} errors)"),
    };
    let summary = first.message.lines().next().unwrap_or_default();
    let mut fault = Fault::of_script(STEP, format!("{summary}{count}"));
    if let Some(file) = &first.file {
        let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        let place = Place::line(file, &text, first.line);
        fault = fault.at(Place { column: first.column, length: first.width, ..place });
    }
    if first.message.lines().count() > 1 {
        fault = fault.said(first.message.lines().skip(1).map(str::to_owned));
    }
    if let Some(remedy) = &first.remedy {
        fault = fault.remedy(remedy.clone());
    }
    for problem in problems.iter().skip(1).take(SHOWN_MAX - 1) {
        fault = fault.said(frame(problem, folder));
        fault = problem
            .remedy
            .iter()
            .filter(|remedy| !fault.remedies.contains(remedy))
            .fold(fault.clone(), |fault, remedy| fault.remedy(remedy.clone()));
    }
    match problems.len().saturating_sub(SHOWN_MAX) {
        0 => fault,
        more => fault.note(format!("{more} more errors are not shown: mend these first")),
    }
}

/// A further fault as a compiler prints it: message, place, the lines around it.
fn frame(problem: &Problem, folder: &Path) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    lines.extend(problem.message.lines().map(str::to_owned));
    let Some(file) = &problem.file else { return lines };
    lines.push(format!("  --> {}:{}:{}", file.display(), problem.line, problem.column.max(1)));
    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    let from = problem.line.saturating_sub(LINES_AROUND + 1);
    for (index, line) in text.lines().enumerate().skip(from).take(2 * LINES_AROUND + 1) {
        lines.push(format!("{:>5} | {line}", index + 1));
        if index + 1 == problem.line && problem.column > 0 {
            let dash: String = line.chars().take(problem.column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect();
            lines.push(format!("      | {dash}{}", "^".repeat(problem.width.clamp(1, 80))));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(file: &str, line: usize, message: &str) -> Problem {
        Problem {
            file: Some(file.into()),
            line,
            column: 3,
            width: 4,
            message: message.into(),
            remedy: Some("Do it".into()),
        }
    }

    #[test]
    fn every_fault_is_told_with_its_place_and_its_remedy_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.ts"), "one\n  call.sey()\nthree\n").unwrap();
        let problems = [problem("main.ts", 2, "no such method"), problem("main.ts", 3, "another")];
        let told = fault_of(&problems, folder.path());
        assert_eq!(told.problem, "no such method (2 errors)");
        let place = told.place.as_ref().unwrap();
        assert_eq!((place.line, place.column, place.text.as_str()), (2, 3, "  call.sey()"));
        assert_eq!(told.remedies, ["Do it"]);
        assert!(told.said.iter().any(|line| line.contains("--> main.ts:3:3")), "{:?}", told.said);
    }

    #[test]
    fn many_faults_are_counted() {
        let problems: Vec<Problem> = (1..=9).map(|line| problem("gone.ts", line, "x")).collect();
        let told = fault_of(&problems, Path::new("/nowhere"));
        assert_eq!(told.notes, ["4 more errors are not shown: mend these first"]);
        assert_eq!(told.exit_code(), 1);
    }

    #[test]
    fn what_a_driver_says_is_read() {
        let line = r#"{"problems": [{"file": null, "line": 0, "column": 0, "width": 0, "message": "x", "remedy": null}], "imports": []}"#;
        let answer: Answer = serde_json::from_str(line).unwrap();
        assert_eq!(answer.problems.len(), 1);
        assert!(answer.problems[0].file.is_none());
    }
}
