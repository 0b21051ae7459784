//! From an author's project to a bundle, and what a host would say of it.
//!
//! [`build`] compiles and packs; [`check`] looks at the bundle as a host does before it goes live. Each language has a module
//! that finds its compiler, runs it and gives back WebAssembly. What is wrong is a [`Fault`]: place, reason, remedy.
//! Nothing is installed unless that was asked for, and nothing of the author's is written but `target/` and the link `.gudok`.

mod check;
mod driver;
pub(crate) mod fault;
mod foreign;
pub(crate) mod javascript;
mod menu;
mod pack;
mod progress;
pub(crate) mod python;
pub(crate) mod refused;
mod rust;
mod slow;
mod step;
pub(crate) mod tools;

pub use check::{CheckReport, CheckedStep, check, check_menu};
pub use fault::{Fault, FaultOf, Place};
pub use progress::{OnScreen, Progress, Silent};
pub use step::{BuildOptions, Ran, Step};

use crate::local::cache_folder;
use crate::project::{Language, Project};
use crate::sdk::Sdk;
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The link in a project that leads to the SDK.
pub const SDK_LINK: &str = ".gudok";

/// A bundle that was built.
#[derive(Clone, Debug)]
pub struct BuiltBundle {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub bundle: Bundle,
    /// How large the file is.
    pub bytes: u64,
    /// How long it took, phase by phase.
    pub phases: Vec<(&'static str, Duration)>,
    /// Whether it is the same as the one that was there.
    pub unchanged: bool,
    /// What is no fault, and still worth a word.
    pub warnings: Vec<Fault>,
}

/// Compiles a project and packs its bundle.
///
/// # Errors
/// What is wrong with the script, or missing on this machine.
pub fn build(project: &Project, options: BuildOptions, progress: &mut dyn Progress) -> Result<BuiltBundle, Fault> {
    let mut phases = Vec::new();
    let sdk = timed(&mut phases, progress, "laying out the SDK", |_| Sdk::lay_out())?;
    if project.language != Language::Menu {
        sdk.link_from(&project.folder.join(SDK_LINK))?;
    }
    let wasm = timed(&mut phases, progress, "compiling", |progress| {
        let mut step = Step::new(project, &sdk, options, progress);
        compile(&mut step)
    })?;
    timed(&mut phases, progress, "packing", |_| pack::pack_project(project, &wasm)).map(|packed| BuiltBundle {
        path: packed.path,
        bundle: packed.bundle,
        bytes: packed.bytes,
        phases,
        unchanged: packed.unchanged,
        warnings: packed.warnings,
    })
}

/// What a file of conversations in JavaScript, TypeScript or Python prints: `tests/conversations.ts`, within the project.
///
/// # Errors
/// What is wrong with the file, or missing on this machine.
pub fn printed_conversations(project: &Project, file: &Path, progress: &mut dyn Progress) -> Result<String, Fault> {
    let sdk = Sdk::lay_out()?;
    sdk.link_from(&project.folder.join(SDK_LINK))?;
    let mut step = Step::new(project, &sdk, BuildOptions::default(), progress);
    match file.extension().and_then(std::ffi::OsStr::to_str) {
        Some("py") => python::conversations(&mut step, file),
        Some("ts" | "js" | "mjs") => javascript::conversations(&mut step, file),
        _ => Err(Fault::of_script(
            "tests",
            format!("{} is in no language that conversations are written in", file.display()),
        )
        .remedy("Name it tests/conversations.ts, .js or .py")),
    }
}

/// By the language: a core module or a component.
fn compile(step: &mut Step<'_>) -> Result<Vec<u8>, Fault> {
    match step.project.language {
        Language::Rust => rust::compile(step),
        Language::Menu => menu::compile(step),
        Language::JavaScript | Language::TypeScript => javascript::compile(step),
        Language::Python => python::compile(step),
    }
}

/// The author's cache, as a fault where there is none.
pub(crate) fn cache() -> Result<PathBuf, Fault> {
    cache_folder().map_err(|error| {
        Fault::of_machine("tools", error.to_string()).remedy("Set GUDOK_CACHE to a folder that you may write to")
    })
}

/// The limits that a host has where nobody set others.
pub(crate) fn limits() -> BundleLimits {
    BundleLimits::default()
}

fn timed<T>(
    phases: &mut Vec<(&'static str, Duration)>,
    progress: &mut dyn Progress,
    phase: &'static str,
    work: impl FnOnce(&mut dyn Progress) -> Result<T, Fault>,
) -> Result<T, Fault> {
    progress.begins(phase);
    let began = Instant::now();
    let done = work(progress);
    let took = began.elapsed();
    progress.ends(phase, took);
    phases.push((phase, took));
    done
}
