//! Scripts in JavaScript, TypeScript and Python, from a template to a bundle that a host takes, and their faults from a source
//! to words that help. Without a harness, because this program is the compile child, too.
//!
//! Wants Node and Python, which `scripts/install-deps --test` installs; the build tools come from the registries the first time
//! and stay in target/test-cache.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test")]

mod at_once;
mod faults;
mod runtime;

use gudok_workbench::build::{self, Silent};
use gudok_workbench::local::COMPILE_SUBCOMMAND;
use gudok_workbench::project::Project;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == COMPILE_SUBCOMMAND) {
        return gudok_plugin_host::compile_child_main(args);
    }
    // As a harness would: `cargo test NAME` runs what has that in its name, `--list` runs nothing.
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let wanted = words.iter().find(|word| !word.starts_with('-'));
    let cache = root().join("target/test-cache");
    // SAFETY: nobody else runs yet in this process.
    #[expect(unsafe_code, reason = "the cache's place is told by the environment, and no thread reads it yet")]
    unsafe {
        std::env::set_var("GUDOK_CACHE", cache);
    }
    let tests: Vec<(String, Box<dyn Fn()>)> = templates()
        .into_iter()
        .map(|template| {
            let name = format!("the_template_{template}_serves_its_callers");
            (name, Box::new(move || a_template_serves_its_callers(&template)) as Box<dyn Fn()>)
        })
        .chain(faults::tests())
        .chain(runtime::tests())
        .collect();
    for (name, test) in tests {
        if wanted.is_none_or(|wanted| name.contains(wanted.as_str())) {
            println!("test {name} …");
            test();
            println!("test {name} ok");
        }
    }
    ExitCode::SUCCESS
}

pub(crate) fn root() -> PathBuf {
    std::path::absolute(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

fn templates() -> Vec<String> {
    let languages = ["js", "ts", "py"];
    languages.iter().flat_map(|language| ["service", "campaign"].map(|kind| format!("{language}-{kind}"))).collect()
}

/// Built, looked at as a host looks at a bundle, and called by the simulator's first callers.
fn a_template_serves_its_callers(template: &str) {
    let folder = tempfile::tempdir().unwrap();
    lay_out(&root().join("engine/workbench/templates").join(template), folder.path());
    let project = Project::open(folder.path()).unwrap_or_else(|fault| panic!("{fault}"));
    let built = project.build(&mut Silent).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(built.path.is_file());
    let report = build::check(&project, &built.path, &mut Silent).unwrap_or_else(|fault| panic!("{fault}"));
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{template}:\n{}", faults.join("\n"));
    assert!(report.callers > 0, "{template}: nobody called");
    let again = project.build(&mut Silent).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(again.unchanged, "{template}: what is made of the same is the same");
    if template.ends_with("-service") {
        at_once::hold(&again.bundle);
    }
}

/// A template with its blanks filled in, as `gudok new` does it.
fn lay_out(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            lay_out(&entry.path(), &to.join(name));
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let text = text.replace("{{name}}", "trial").replace("{{agency}}", "one").replace("{{title}}", "trial");
        assert!(!text.contains("{{"), "{name} has a blank that nobody fills in");
        let name = name.strip_suffix(".in").unwrap_or(&name).replace("dot-", ".");
        std::fs::write(to.join(name), text).unwrap();
    }
}
