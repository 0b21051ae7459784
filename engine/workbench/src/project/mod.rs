//! An author's project: a folder with a manifest and the script's source.
//!
//! ```text
//! my-script/
//!   manifest.toml             who it is, what it asks for (docs/BUNDLE.md)
//!   Cargo.toml                Rust; package.json: JavaScript or TypeScript; pyproject.toml: Python; none: a menu as data
//!   src/  data/  media/LANG/
//!   tests/*.talk              conversations
//!   .gudok                    link to the SDK of this tool, kept up to date by every build; not in git
//!   target/NAME-VERSION.ivr   what a build makes; not in git
//! ```
//!
//! Nothing says the language but what is there, so that nothing can say it wrongly.

mod manifest;

pub use manifest::read_manifest;

use crate::build::{self, BuildOptions, BuiltBundle, Fault, OnScreen, Progress, fault};
use crate::local::read_bundle;
use anyhow::Context;
use gudok_plugin_host::bundle::{Bundle, MANIFEST};
use gudok_plugin_host::manifest::Manifest;
use std::path::{Path, PathBuf};

/// What a project's script is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// Cargo.toml.
    Rust,
    /// package.json and src/main.js.
    JavaScript,
    /// package.json and src/main.ts.
    TypeScript,
    /// pyproject.toml and src/main.py.
    Python,
    /// No code: data/menu.toml.
    Menu,
}

impl Language {
    /// As options and reports write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::Python => "python",
            Self::Menu => "menu",
        }
    }

    /// By what is there.
    fn of(folder: &Path) -> Result<Self, Fault> {
        let has = |name: &str| folder.join(name).is_file();
        if has("Cargo.toml") {
            return Ok(Self::Rust);
        }
        if has("package.json") {
            return match (has("src/main.ts"), has("src/main.js")) {
                (true, _) => Ok(Self::TypeScript),
                (false, true) => Ok(Self::JavaScript),
                (false, false) => Err(missing(folder, "package.json is here, but neither src/main.ts nor src/main.js")
                    .remedy("Write the script into src/main.ts or src/main.js")),
            };
        }
        if has("pyproject.toml") {
            return if has("src/main.py") {
                Ok(Self::Python)
            } else {
                Err(missing(folder, "pyproject.toml is here, but no src/main.py")
                    .remedy("Write the script into src/main.py"))
            };
        }
        if has("data/menu.toml") {
            return Ok(Self::Menu);
        }
        Err(missing(folder, "there is a manifest, but no source of a script")
            .note("Cargo.toml is a script in Rust, package.json in JavaScript or TypeScript, pyproject.toml in Python")
            .note("a menu as data has data/menu.toml and none of these")
            .remedy("See what a new project has: `gudok new NAME --dir /tmp/NAME`"))
    }
}

fn missing(folder: &Path, problem: &str) -> Fault {
    Fault::of_script("project", format!("{}: {problem}", folder.display()))
}

/// An author's project that was found on disk.
#[derive(Clone, Debug)]
pub struct Project {
    /// Where: an absolute path.
    pub folder: PathBuf,
    /// In what it is written.
    pub language: Language,
    /// Who it is.
    pub manifest: Manifest,
}

impl Project {
    /// Opens the project in a folder, or in the nearest one above it.
    ///
    /// # Errors
    /// Where there is none, its manifest is faulty, or it has no source.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let start = std::path::absolute(folder).map_err(|error| fault::io("project", "finding", folder, &error))?;
        let found = start.ancestors().find(|folder| folder.join(MANIFEST).is_file());
        let Some(folder) = found else {
            return Err(Fault::of_machine("project", format!("{}: no project is here", start.display()))
                .note("a project has a file manifest.toml")
                .remedy("Make one: `gudok new my-script`")
                .remedy("Name its folder, or a bundle's file NAME-VERSION.ivr"));
        };
        let manifest = read_manifest(&folder.join(MANIFEST), Path::new(MANIFEST))?;
        Ok(Self { language: Language::of(folder)?, manifest, folder: folder.to_owned() })
    }

    /// Where builds go.
    #[must_use]
    pub fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// Where its bundle goes.
    #[must_use]
    pub fn bundle_path(&self) -> PathBuf {
        self.target().join(self.manifest.file_name())
    }

    /// Whether a file is not the author's own: what is built, installed or kept by tools.
    #[must_use]
    pub fn ignores(&self, path: &Path) -> bool {
        const NOT_OWN: [&str; 6] = ["target", "node_modules", ".git", build::SDK_LINK, ".venv", "__pycache__"];
        let within = path.strip_prefix(&self.folder).unwrap_or(path);
        within.components().any(|part| NOT_OWN.iter().any(|name| part.as_os_str() == *name))
    }

    /// Compiles the script and packs the bundle. What a host checks beyond its form is [`build::check`].
    ///
    /// # Errors
    /// What is wrong with the script, or missing on this machine.
    pub fn build(&self, progress: &mut dyn Progress) -> Result<BuiltBundle, Fault> {
        build::build(self, BuildOptions::default(), progress)
    }
}

/// The bundle that is meant: a file `NAME-VERSION.ivr`, or the project in a folder, which is built first.
///
/// # Errors
/// What [`Project::open`], [`Project::build`] and [`read_bundle`] say; as text it is whole, with place and remedy.
pub fn bundle_of(path: &Path) -> anyhow::Result<Bundle> {
    if path.is_dir() {
        return Ok(Project::open(path)?.build(&mut OnScreen::new())?.bundle);
    }
    if !path.exists() {
        anyhow::bail!("{} is not there: name a project's folder or a bundle's file NAME-VERSION.ivr", path.display());
    }
    read_bundle(path).with_context(|| format!("{} is no bundle that can be used", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST_TEXT: &str = "format = 1\nname = \"a\"\nversion = \"0.1.0\"\nkind = \"service\"\ninterface = \"0.1\"\n\
                                 agency = \"b\"\nlanguages = [\"ru-RU\"]\n";

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_language_is_what_is_there() {
        let check = |files: &[&str], expect: Language| {
            let files: Vec<_> =
                files.iter().map(|name| (*name, "")).chain([("manifest.toml", MANIFEST_TEXT)]).collect();
            let folder = project(&files);
            assert_eq!(Project::open(folder.path()).unwrap().language, expect, "{files:?}");
        };
        check(&["Cargo.toml", "data/menu.toml"], Language::Rust);
        check(&["package.json", "src/main.js"], Language::JavaScript);
        check(&["package.json", "src/main.ts"], Language::TypeScript);
        check(&["pyproject.toml", "src/main.py"], Language::Python);
        check(&["data/menu.toml"], Language::Menu);
    }

    #[test]
    fn what_is_no_project_says_what_one_is() {
        let check = |files: &[(&str, &str)], says: &str| {
            let folder = project(files);
            let fault = Project::open(folder.path()).unwrap_err();
            assert!(fault.to_string().contains(says) && !fault.remedies.is_empty(), "{fault}");
        };
        check(&[], "no project is here");
        check(&[("manifest.toml", MANIFEST_TEXT)], "no source of a script");
        check(&[("manifest.toml", MANIFEST_TEXT), ("package.json", "{}")], "neither src/main.ts nor src/main.js");
        check(&[("manifest.toml", MANIFEST_TEXT), ("pyproject.toml", "")], "no src/main.py");
    }

    #[test]
    fn a_project_is_found_from_within() {
        let folder = project(&[("manifest.toml", MANIFEST_TEXT), ("Cargo.toml", ""), ("src/deep/x.rs", "")]);
        let opened = Project::open(&folder.path().join("src/deep")).unwrap();
        assert_eq!(opened.folder, folder.path());
        assert_eq!(opened.bundle_path(), folder.path().join("target/a-0.1.0.ivr"));
    }
}
