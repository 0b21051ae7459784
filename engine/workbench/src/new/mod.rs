//! New projects from the templates that this tool carries: each a small script that works, in words that people hear.

mod fill;
mod lock;

use crate::build::{Fault, SDK_LINK, fault::io};
use crate::project::Language;
use crate::sdk::{self, FILES, Sdk, TEMPLATES};
use fill::Values;
use std::io::Write;
use std::path::{Path, PathBuf};

const STEP: &str = "new";
const NAME_CHARS_MAX: usize = 64;

/// What kind of script a project begins as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Template {
    /// Answers calls, by a program.
    Service,
    /// Answers calls, by a menu that is only data: no program.
    Menu,
    /// Calls people from a list.
    Campaign,
}

/// In what a new project is written. A menu is written in nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum NewLanguage {
    /// Rust.
    Rust,
    /// JavaScript.
    #[value(alias = "js")]
    Javascript,
    /// TypeScript.
    #[value(alias = "ts")]
    Typescript,
    /// Python.
    #[value(alias = "py")]
    Python,
}

impl NewLanguage {
    const fn folder(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Javascript => "js",
            Self::Typescript => "ts",
            Self::Python => "py",
        }
    }

    /// As projects say it.
    #[must_use]
    pub const fn language(self) -> Language {
        match self {
            Self::Rust => Language::Rust,
            Self::Javascript => Language::JavaScript,
            Self::Typescript => Language::TypeScript,
            Self::Python => Language::Python,
        }
    }
}

/// A project that is to be.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its script's name.
    pub name: String,
    /// As what it begins.
    pub template: Template,
    /// In what it is written.
    pub language: NewLanguage,
    /// Whose script it is.
    pub agency: String,
    /// Where: a folder that is not there, or empty.
    pub folder: PathBuf,
}

/// Makes it; gives the files that it wrote, by their places in the project.
///
/// # Errors
/// A bad name, a folder that is not empty, a disk that is full. What was begun is taken away again.
pub fn create(new: &NewProject) -> Result<Vec<String>, Fault> {
    check_name("name", &new.name)?;
    check_name("agency", &new.agency)?;
    let template = template_folder(new);
    let files = files_of(&template);
    if files.is_empty() {
        return Err(Fault::of_machine(STEP, format!("this tool carries no template {template}"))
            .note(format!("it carries {}", templates().join(", ")))
            .remedy("Choose another language, or use a newer gudok"));
    }
    let was_there = is_there(&new.folder)?;
    let written = write_all(new, &files);
    if written.is_err() && !was_there {
        // What is half made helps nobody; the folder is ours alone.
        let _ = std::fs::remove_dir_all(&new.folder);
    }
    written
}

/// Whether a name can be a script's or an agency's.
///
/// # Errors
/// What names look like.
pub fn check_name(what: &str, name: &str) -> Result<(), Fault> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    if begins && name.len() <= NAME_CHARS_MAX && name.bytes().all(legal) {
        return Ok(());
    }
    let fault = Fault::of_machine(STEP, format!("{name:?} is no {what}")).note(format!(
        "a {what} is of a-z, 0-9 and -, begins with a letter, and has at most {NAME_CHARS_MAX} characters"
    ));
    let better: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .skip_while(|c| !c.is_ascii_lowercase())
        .take(NAME_CHARS_MAX)
        .collect();
    let better = better.trim_end_matches('-');
    Err(if better.is_empty() { fault.remedy("Such as: my-script") } else { fault.remedy(format!("Such as: {better}")) })
}

fn template_folder(new: &NewProject) -> String {
    match new.template {
        Template::Menu => "menu-data".to_owned(),
        Template::Service => format!("{}-service", new.language.folder()),
        Template::Campaign => format!("{}-campaign", new.language.folder()),
    }
}

/// The templates that there are.
#[must_use]
pub fn templates() -> Vec<&'static str> {
    let of = |place: &'static str| place.strip_prefix(TEMPLATES)?.split('/').next();
    let mut all: Vec<&str> = FILES.iter().filter_map(|(place, _)| of(place)).collect();
    all.dedup();
    all
}

fn files_of(template: &str) -> Vec<(&'static str, &'static [u8])> {
    let prefix = format!("{TEMPLATES}{template}/");
    let of = |(place, bytes): &(&'static str, &'static [u8])| Some((place.strip_prefix(&prefix)?, *bytes));
    FILES.iter().filter_map(of).collect()
}

/// Whether the folder is there, empty; one that holds something is nobody's to write into.
fn is_there(folder: &Path) -> Result<bool, Fault> {
    match std::fs::read_dir(folder).map(Iterator::count) {
        Ok(0) => Ok(true),
        Ok(_) => Err(Fault::of_machine(STEP, format!("{} is not empty, and nothing was written", folder.display()))
            .remedy("Choose another name, or another folder with --dir")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            Err(Fault::of_machine(STEP, format!("{} is a file, and nothing was written", folder.display()))
                .remedy("Choose another name, or another folder with --dir"))
        }
        Err(error) => Err(io(STEP, "looking into", folder, &error)),
    }
}

fn write_all(new: &NewProject, files: &[(&str, &[u8])]) -> Result<Vec<String>, Fault> {
    let values = Values::of(new);
    let mut written = Vec::new();
    for (place, bytes) in files {
        let (place, bytes) = values.file(place, bytes);
        write_new(&new.folder.join(&place), &bytes)?;
        written.push(place);
    }
    if new.template != Template::Menu {
        if let Some(lock) = rust_lock(new) {
            write_new(&new.folder.join("Cargo.lock"), lock.as_bytes())?;
            written.push("Cargo.lock".to_owned());
        }
        Sdk::lay_out()?.link_from(&new.folder.join(SDK_LINK))?;
    }
    Ok(written)
}

/// For the crates that its Cargo.toml names.
fn rust_lock(new: &NewProject) -> Option<String> {
    let manifest: toml::Table = std::fs::read_to_string(new.folder.join("Cargo.toml")).ok()?.parse().ok()?;
    let version = manifest.get("package")?.get("version")?.as_str()?;
    let dependencies: Vec<String> = manifest.get("dependencies")?.as_table()?.keys().cloned().collect();
    lock::lock_of(&new.name, version, &dependencies, &sdk::rust_lock())
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let failed = |error: &std::io::Error| io(STEP, "writing", path, error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let mut file = std::fs::File::create_new(path).map_err(|error| failed(&error))?;
    file.write_all(bytes).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    fn new(name: &str, template: Template, language: NewLanguage, folder: PathBuf) -> NewProject {
        NewProject { name: name.to_owned(), template, language, agency: "clinic".to_owned(), folder }
    }

    #[test]
    fn every_template_is_a_project() {
        let folder = tempfile::tempdir().unwrap();
        let check = |template: Template, language: NewLanguage, expect: Language| {
            let at = folder.path().join(format!("{template:?}-{language:?}"));
            let written = create(&new("front-desk", template, language, at.clone())).unwrap();
            let project = Project::open(&at).unwrap();
            assert_eq!(project.language, expect);
            assert_eq!(project.manifest.file_name(), "front-desk-0.1.0.ivr");
            assert_eq!(project.manifest.agency, "clinic");
            for file in ["README.md", ".gitignore", ".gitlab-ci.yml", "manifest.toml"] {
                assert!(written.iter().any(|name| name == file), "{file} of {written:?}");
            }
            assert!(written.iter().any(|name| name.ends_with(".talk")), "{written:?}");
            for name in &written {
                let text = std::fs::read_to_string(at.join(name)).unwrap();
                for place in ["{{name}}", "{{agency}}", "{{title}}", "{{crate}}", "{{version}}"] {
                    assert!(!text.contains(place), "{name} still has {place}");
                }
            }
        };
        check(Template::Service, NewLanguage::Rust, Language::Rust);
        check(Template::Campaign, NewLanguage::Rust, Language::Rust);
        check(Template::Menu, NewLanguage::Rust, Language::Menu);
        for (language, expect) in [
            (NewLanguage::Javascript, Language::JavaScript),
            (NewLanguage::Typescript, Language::TypeScript),
            (NewLanguage::Python, Language::Python),
        ] {
            check(Template::Service, language, expect);
            check(Template::Campaign, language, expect);
        }
    }

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine"), "").unwrap();
        let fault = create(&new("a", Template::Menu, NewLanguage::Rust, folder.path().to_owned())).unwrap_err();
        assert!(fault.to_string().contains("is not empty, and nothing was written"), "{fault}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let file = folder.path().join("mine");
        assert!(
            create(&new("a", Template::Menu, NewLanguage::Rust, file)).unwrap_err().to_string().contains("is a file")
        );
    }

    #[test]
    fn a_name_that_is_none_is_told_with_a_better_one() {
        let check = |name: &str, better: &str| {
            let fault = check_name("name", name).unwrap_err();
            assert_eq!(fault.remedies, [format!("Such as: {better}")], "{fault}");
            assert_eq!(fault.exit_code(), 2);
        };
        check("Front Desk", "front-desk");
        check("1desk", "desk");
        check("Справка", "my-script");
        check("", "my-script");
        check("../etc", "etc");
        assert!(check_name("name", "front-desk-2").is_ok());
    }
}
