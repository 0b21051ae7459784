//! Projects are made, built and checked as an author does it, and spoiled as authors do: what is told each time is in
//! `told/`, read by a person. `GUDOK_WRITE=1` writes those files anew.
//!
//! A program of its own, without the usual test harness: the script host compiles in a child process, and this program is
//! that child too. What is common to builds lies in this workspace's target folder: a second run is quick.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use gudok_workbench::build::{BuildOptions, Fault, Silent, build, check, check_menu};
use gudok_workbench::local::COMPILE_SUBCOMMAND;
use gudok_workbench::new::{NewLanguage, NewProject, Template, create};
use gudok_workbench::project::Project;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Set for the program itself: the author's tools read it.
const CACHE_VARIABLE: &str = "GUDOK_CACHE";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == COMPILE_SUBCOMMAND) {
        return gudok_plugin_host::compile_child_main(args);
    }
    if std::env::var_os(CACHE_VARIABLE).is_none() {
        // The environment is read by threads that are not there yet; still, a new process is the clean way to set it.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("author-cache");
        let program = std::env::current_exe().unwrap();
        let again =
            Command::new(program).args(std::env::args_os().skip(1)).env(CACHE_VARIABLE, cache).status().unwrap();
        return if again.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let only = std::env::args().nth(1).unwrap_or_default();
    for (name, test) in TESTS.into_iter().filter(|(name, _)| name.contains(&only)) {
        test();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

const TESTS: [(&str, fn()); 6] = [
    ("every_template_is_built_and_passes_the_host_s_check", every_template_is_built_and_passes_the_host_s_check),
    ("a_build_that_changes_nothing_writes_nothing", a_build_that_changes_nothing_writes_nothing),
    ("a_project_is_not_mistaken_for_another_of_its_name", a_project_is_not_mistaken_for_another_of_its_name),
    ("what_is_wrong_with_a_program_is_told", what_is_wrong_with_a_program_is_told),
    ("what_is_wrong_with_a_menu_is_told", what_is_wrong_with_a_menu_is_told),
    ("a_release_is_built_from_its_lock", a_release_is_built_from_its_lock),
];

/// A new project in a folder of its own.
struct Made {
    _folder: tempfile::TempDir,
    at: PathBuf,
}

impl Made {
    fn new(template: Template) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("desk");
        let new = NewProject {
            name: "desk".to_owned(),
            template,
            language: NewLanguage::Rust,
            agency: "clinic".to_owned(),
            folder: at.clone(),
        };
        create(&new).unwrap();
        Self { _folder: folder, at }
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.at.join(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.at.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{from} is not in {file}");
        self.write(file, &text.replacen(from, to, 1));
    }

    /// As `gudok build`: the first fault, if there is one.
    fn build(&self) -> Result<(), Fault> {
        let project = Project::open(&self.at)?;
        let built = build(&project, BuildOptions::default(), &mut Silent)?;
        let report = check(&project, &built.path, &mut Silent)?;
        assert!(report.callers > 0 || !report.faults.is_empty(), "nobody called");
        report.faults.into_iter().next().map_or(Ok(()), Err)
    }

    /// What is told of an edit, which is taken back afterwards.
    fn told(&self, file: &str, from: &str, to: &str, expect: &str) {
        let before = self.read(file);
        self.edit(file, from, to);
        let fault = self.build().unwrap_err();
        self.write(file, &before);
        expect_told(expect, &fault.rendered(false).replace(self.at.to_str().unwrap(), "/p"));
    }
}

fn expect_told(name: &str, told: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/told/{name}.txt"));
    if std::env::var_os("GUDOK_WRITE").is_some() {
        std::fs::write(&path, format!("{}\n", told.trim_end())).unwrap();
    }
    let expect = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(told.trim_end(), expect.trim_end(), "{name} says something else now:\n{told}\n");
}

fn every_template_is_built_and_passes_the_host_s_check() {
    for template in [Template::Menu, Template::Service, Template::Campaign] {
        if let Err(fault) = Made::new(template).build() {
            panic!("{template:?}: {fault}");
        }
    }
}

fn a_build_that_changes_nothing_writes_nothing() {
    let made = Made::new(Template::Menu);
    let project = Project::open(&made.at).unwrap();
    let first = project.build(&mut Silent).unwrap();
    let second = project.build(&mut Silent).unwrap();
    assert!(!first.unchanged && second.unchanged);
    assert_eq!(first.bundle.content_sha256, second.bundle.content_sha256);
}

fn a_project_is_not_mistaken_for_another_of_its_name() {
    let (first, second, third) =
        (Made::new(Template::Campaign), Made::new(Template::Campaign), Made::new(Template::Campaign));
    second.edit("src/lib.rs", "Спасибо, ждём вас.", "Спасибо, приходите.");
    let says = |made: &Made, words: &str| {
        let bundle = Project::open(&made.at).unwrap().build(&mut Silent).unwrap().bundle;
        let found = bundle.component.windows(words.len()).any(|window| window == words.as_bytes());
        assert!(found, "the module does not say {words:?}");
        bundle.content_sha256
    };
    let one = says(&first, "Спасибо, ждём вас.");
    says(&second, "Спасибо, приходите.");
    // Nothing was touched since: it is still its own.
    assert_eq!(says(&first, "Спасибо, ждём вас."), one);
    assert_eq!(says(&third, "Спасибо, ждём вас."), one, "the same sources give another bundle in another folder");
}

fn what_is_wrong_with_a_program_is_told() {
    let made = Made::new(Template::Service);
    let lib = "src/lib.rs";
    made.told(lib, "call.say(\"Здравствуйте", "call.sey(\"Здравствуйте", "does-not-compile");
    let begin = "    let office = office()?;\n";
    let slow = "    let office = office()?;\n    step(\"adding\");\n    let mut sum = 0_u64;\n    \
                while sum != 1 { sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7)); }\n";
    made.told(lib, begin, slow, "slow");
    let panics = "    let office = office()?;\n    let none: Option<u32> = office.hours.first().and_then(|_| None);\n    \
                  step(&none.expect(\"there is a number\").to_string());\n";
    made.told(lib, begin, panics, "panics");
    let asks = "    let office = office()?;\n    Request::get(\"https://api.example.org\").send()?;\n";
    made.told(lib, begin, asks, "not-declared");
    let of_c = "    let office = office()?;\n    unsafe extern \"C\" { safe fn sqlite3_open(x: u32) -> u32; }\n    \
                if sqlite3_open(1) == 1 { return Ok(Summary::served()); }\n";
    made.told(lib, begin, of_c, "imports-of-c");
    made.told("Cargo.toml", "crate-type = [\"cdylib\", \"rlib\"]", "crate-type = [\"rlib\"]", "no-module");
    made.told("manifest.toml", "kind = \"service\"", "kind = \"campaign\"", "another-kind");
    made.write("media/ru-RU/welcome.wav", "");
    made.write("media/en-US/welcom.wav", "");
    made.told("manifest.toml", "[\"ru-RU\"]", "[\"ru-RU\", \"en-US\"]", "no-recording");
    // As it was, it is good again.
    std::fs::remove_dir_all(made.at.join("media")).unwrap();
    made.build().unwrap();
}

fn what_is_wrong_with_a_menu_is_told() {
    let made = Made::new(Template::Menu);
    made.told("data/menu.toml", "then = \"main\"", "then = \"mian\"", "menu-no-node");
    made.told("data/menu.toml", "do = \"hangup\"", "do = \"hangap\"", "menu-no-such-thing");
    // Whoever looks at nothing else is told the same.
    let look = || {
        let project = Project::open(&made.at).unwrap();
        let built = project.build(&mut Silent).unwrap();
        check_menu(&project, &built.bundle)
    };
    look().unwrap();
    made.edit("data/menu.toml", "then = \"main\"", "then = \"mian\"");
    expect_told("menu-no-node", &look().unwrap_err().rendered(false).replace(made.at.to_str().unwrap(), "/p"));
}

fn a_release_is_built_from_its_lock() {
    let made = Made::new(Template::Service);
    let release = BuildOptions { release_check: true, ..BuildOptions::default() };
    let project = Project::open(&made.at).unwrap();
    let first = build(&project, release, &mut Silent).unwrap();
    assert!(project.build(&mut Silent).unwrap().unchanged, "a release is another bundle than the usual build");
    made.edit("Cargo.toml", "serde_json = \"1\"", "serde_json = \"1\"\nsemver = \"1\"");
    let fault = build(&project, release, &mut Silent).unwrap_err();
    assert!(fault.to_string().contains("Cargo.lock does not fit"), "{fault}");
    assert!(first.path.is_file());
}
