//! Rust: cargo, with one build folder for all of an author's projects, and what it says told as faults.
//!
//! What is common to projects (the SDK's crates, the standard library where it has to be built) is compiled once and lies in
//! the cache; a second project compiles itself alone. What comes out lies in the project's own `target/`.

use super::cache;
use super::fault::{Fault, Place, io};
use super::step::Step;
use super::tools::{RustWay, rust_way};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

const STEP: &str = "compile";
/// Errors of the compiler that are shown; the first says most.
const ERRORS_TOLD: usize = 5;
/// Lines of what cargo itself says.
const LINES_TOLD: usize = 12;

/// The project's module.
pub(super) fn compile(step: &mut Step<'_>) -> Result<Vec<u8>, Fault> {
    let folder = step.project.folder.clone();
    let locked: &[&str] = if step.options.release_check { &["--locked"] } else { &[] };
    cargo(step, &folder, locked)
}

/// Builds the library of a crate and gives its module.
pub(super) fn cargo(step: &mut Step<'_>, folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, Fault> {
    let way = rust_way(step)?;
    if matches!(way, RustWay::BuildStd { .. }) {
        step.at("with Debian's Rust; the standard library takes some minutes the first time");
    }
    // Not shared between SDKs: cargo tells them apart by the age of their files, and an older one may be meant.
    let sdk = step.sdk.folder.file_name().unwrap_or_default();
    let common = cache()?.join("rust").join(sdk);
    let mut command = way.cargo_rustc();
    command
        .args(["--lib", "--message-format=json-diagnostic-rendered-ansi"])
        .args(arguments)
        .args(["--", "--cfg", &folder_mark(folder)])
        .current_dir(folder)
        .env("CARGO_BUILD_BUILD_DIR", &common)
        .env("CARGO_TARGET_DIR", target(step, folder))
        .env("CARGO_TERM_PROGRESS_WHEN", "never");
    let (mut built, mut heard) = (0_usize, Heard::default());
    let ran = step.run(&mut command, |line| {
        let Ok(message) = serde_json::from_str::<Message>(line) else {
            // Cargo's own words: "Downloading 3 crates", "Blocking waiting for file lock on build directory".
            let words = line.trim();
            let at_work = ["Downloading", "Updating", "Blocking", "Downloaded", "Locking"];
            return at_work.iter().any(|word| words.starts_with(word)).then(|| words.to_owned());
        };
        heard.take(message).map(|name| {
            built += 1;
            format!("{name} ({built} done)")
        })
    });
    let ran = ran.map_err(|fault| fault.remedy("Install Rust: https://rustup.rs"))?;
    if !ran.status.success() {
        return Err(heard.fault(folder).unwrap_or_else(|| of_cargo(&ran.err)));
    }
    let Some(module) = heard.module else {
        return Err(Fault::of_script(STEP, "the crate compiles, but to no WebAssembly module")
            .at(Place::file("Cargo.toml"))
            .note("a script is a library of the kind `cdylib`")
            .remedy("Add to Cargo.toml: [lib] with crate-type = [\"cdylib\", \"rlib\"]"));
    };
    std::fs::read(&module).map_err(|error| io(STEP, "reading", &module, &error))
}

/// Cargo tells the crates of a common build folder apart by name and version only: two projects of one name would be taken
/// for each other. This tells it whose crate it is, and nothing of it is in the module.
fn folder_mark(folder: &Path) -> String {
    let hash = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("gudok_project=\"{digits}\"")
}

/// The project's own target folder; what is built from the SDK's folder goes to the cache.
fn target(step: &Step<'_>, folder: &Path) -> PathBuf {
    if folder == step.project.folder {
        return step.project.target();
    }
    cache().map_or_else(|_| step.project.target(), |cache| cache.join("rust-sdk"))
}

/// What cargo says, a line of JSON each.
#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-artifact")]
    Compiled { target: Target, filenames: Vec<PathBuf>, fresh: bool },
    #[serde(rename = "compiler-message")]
    Said { message: Diagnostic },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Diagnostic {
    message: String,
    level: String,
    rendered: Option<String>,
    code: Option<Code>,
    spans: Vec<Span>,
    children: Vec<Child>,
}

#[derive(Clone, Debug, Deserialize)]
struct Code {
    code: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Span {
    file_name: PathBuf,
    line_start: usize,
    column_start: usize,
    column_end: usize,
    is_primary: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Child {
    message: String,
    level: String,
}

#[derive(Default)]
struct Heard {
    errors: Vec<Diagnostic>,
    module: Option<PathBuf>,
}

impl Heard {
    /// Takes a message in; gives the crate's name where one was compiled.
    fn take(&mut self, message: Message) -> Option<String> {
        match message {
            Message::Compiled { target, filenames, fresh } => {
                let module = filenames.into_iter().find(|file| file.extension().is_some_and(|ending| ending == "wasm"));
                // The script's own comes last: what it stands on is built before it.
                self.module = module.or(self.module.take());
                (!fresh).then_some(target.name)
            }
            Message::Said { message } => {
                // "aborting due to 2 previous errors" has no place and says nothing new.
                if message.level.starts_with("error") && !message.message.starts_with("aborting due to") {
                    self.errors.push(message);
                }
                None
            }
            Message::Other => None,
        }
    }

    fn fault(&self, folder: &Path) -> Option<Fault> {
        let first = self.errors.first()?;
        let count = match self.errors.len() {
            1 => String::new(),
            more => format!(" ({more} errors)"),
        };
        let problem = first.message.lines().next().unwrap_or_default();
        let mut fault = Fault::of_script(STEP, format!("the script does not compile{count}: {problem}"));
        if let Some(span) = first.spans.iter().find(|span| span.is_primary) {
            let file = span.file_name.strip_prefix(folder).unwrap_or(&span.file_name);
            let length = span.column_end.saturating_sub(span.column_start);
            fault = fault.at(Place { line: span.line_start, column: span.column_start, length, ..Place::file(file) });
        }
        let shown = self.errors.iter().take(ERRORS_TOLD).filter_map(|error| error.rendered.as_deref());
        fault = fault.said(shown.map(|text| plain(text).trim_end().to_owned()));
        fault = match self.errors.len().saturating_sub(ERRORS_TOLD) {
            0 => fault,
            more => fault.note(format!("{more} more errors are not shown: mend these first")),
        };
        Some(with_remedy(fault, first))
    }
}

/// The compiler's own help where it has some; for the errors that authors make most, ours.
fn with_remedy(fault: Fault, error: &Diagnostic) -> Fault {
    let code = error.code.as_ref().map(|code| code.code.as_str()).unwrap_or_default();
    let help = error.children.iter().find(|child| child.level == "help").map(|child| child.message.clone());
    let fault = match help {
        Some(help) => fault.remedy(help),
        None => fault,
    };
    match code {
        "E0433" | "E0432" | "E0425" | "E0412" if fault.remedies.is_empty() => fault
            .remedy("Begin with `use gudok_sdk::prelude::*;`: it has what scripts usually need")
            .remedy("Look the name up: cargo doc --target wasm32-unknown-unknown -p gudok-sdk --open"),
        "E0277" if error.message.contains("CallError") => {
            fault.remedy("`?` needs an error that is a `CallError`: turn it into one with map_err")
        }
        "" if fault.remedies.is_empty() => fault.remedy("Correct it there, and build again"),
        _ if fault.remedies.is_empty() => fault.remedy(format!("The compiler explains it: rustc --explain {code}")),
        _ => fault,
    }
}

/// What cargo itself did not like.
fn of_cargo(lines: &[String]) -> Fault {
    let told = || {
        let worth = lines.iter().map(|line| plain(line)).filter(|line| {
            let line = line.trim_start();
            !line.is_empty() && !["Compiling", "Downloading", "Updating", "Locking"].iter().any(|w| line.starts_with(w))
        });
        let told: Vec<String> = worth.collect();
        told[told.len().saturating_sub(LINES_TOLD)..].to_vec()
    };
    let all = lines.join("\n");
    let says = |words: &[&str]| words.iter().any(|word| all.contains(word));
    if says(&["--locked was passed", "cannot update the lock file"]) {
        return Fault::of_script(STEP, "Cargo.lock does not fit Cargo.toml")
            .at(Place::file("Cargo.lock"))
            .note("a release is built from the very versions that were tried")
            .remedy("Build once without --release-check, and keep the Cargo.lock that it writes in git");
    }
    if says(&["gudok/rust/plugins/sdk", "no matching package named `gudok-sdk`"]) {
        return Fault::of_script(STEP, "the SDK is not where Cargo.toml looks for it")
            .at(Place::file("Cargo.toml"))
            .said(told())
            .remedy("Write: gudok-sdk = { path = \".gudok/rust/plugins/sdk\" }; `gudok build` sets the link .gudok");
    }
    let network =
        ["failed to download", "Could not resolve host", "failed to fetch", "spurious network error", "timed out"];
    if says(&network) {
        return Fault::of_machine(STEP, "cargo cannot reach the registry of crates")
            .said(told())
            .note("only a first build needs it: what was downloaded once is used again")
            .remedy("Check the network and the proxy (HTTPS_PROXY), and build again")
            .remedy("A registry of your own: https://doc.rust-lang.org/cargo/reference/source-replacement.html");
    }
    if says(&["No space left on device"]) {
        return Fault::of_machine(STEP, "the disk is full")
            .remedy("`gudok doctor` says how large the cache is; it can be removed at any time");
    }
    let of_toml = says(&["failed to parse manifest", "Cargo.toml"]);
    let fault = Fault::of_script(STEP, "cargo does not build it").said(told());
    let fault = if of_toml { fault.at(Place::file("Cargo.toml")) } else { fault };
    fault.remedy("Correct what cargo says above, and build again")
}

/// Without colours: they are the terminal's, and this may go to a file.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Heard {
        let mut heard = Heard::default();
        for line in lines {
            heard.take(serde_json::from_str(line).unwrap());
        }
        heard
    }

    #[test]
    fn what_the_compiler_says_is_told_with_its_place_and_remedy() {
        let lines = include_str!("told/rustc.jsonl").lines().collect::<Vec<_>>();
        let told = heard(&lines).fault(Path::new("/p")).unwrap().rendered(false);
        crate::told::expect_told("build/told/rustc.txt", &told);
    }

    #[test]
    fn what_cargo_says_is_told_with_a_remedy() {
        let check = |said: &str, problem: &str, remedy: &str, exit: u8| {
            let lines: Vec<String> = said.lines().map(str::to_owned).collect();
            let fault = of_cargo(&lines);
            assert!(fault.problem.contains(problem), "{fault}");
            assert!(fault.remedies[0].contains(remedy), "{fault}");
            assert_eq!(fault.exit_code(), exit, "{fault}");
        };
        check(
            "error: cannot update the lock file /p/Cargo.lock because --locked was passed to prevent this",
            "Cargo.lock does not fit",
            "without --release-check",
            1,
        );
        check(
            "error: failed to download `serde`\n  Could not resolve host: crates.io",
            "registry",
            "Check the network",
            2,
        );
        check("error: no matching package named `gudok-sdk` found", "the SDK is not where", "path = \".gudok", 1);
        check("error: failed to parse manifest at `/p/Cargo.toml`", "cargo does not build it", "Correct what", 1);
        check("error: No space left on device (os error 28)", "disk is full", "doctor", 2);
    }

    #[test]
    fn the_module_is_the_last_one() {
        let heard = heard(&[
            r#"{"reason":"compiler-artifact","target":{"name":"serde"},"filenames":["/t/libserde.rlib"],"fresh":true}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"a"},"filenames":["/t/a.wasm","/t/liba.rlib"],"fresh":false}"#,
            r#"{"reason":"build-finished","success":true}"#,
        ]);
        assert_eq!(heard.module.as_deref(), Some(Path::new("/t/a.wasm")));
    }

    #[test]
    fn colours_are_left_to_the_terminal() {
        assert_eq!(plain("\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: x"), "error: x");
    }
}
