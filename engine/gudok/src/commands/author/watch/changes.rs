//! Which changes matter, and when they are over: an editor saves in several steps, a checkout changes a hundred files.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

/// However long changes go on coming, after so many times the quiet that is waited for a round begins.
const IMPATIENCE: u32 = 20;

/// What a change asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Concern {
    /// The conversations are others now.
    Tests,
    /// The bundle is another one now.
    Bundle,
}

/// What a file of a project is to its bundle, by its place below the project's folder; none where it is nothing to it.
pub(super) fn concern(below: &Path) -> Option<Concern> {
    const FOLDERS: [&str; 4] = ["src", "data", "media", "wit"];
    const FILES: [&str; 7] = [
        "manifest.toml",
        "Cargo.toml",
        "build.rs",
        "package.json",
        "tsconfig.json",
        "pyproject.toml",
        "requirements.txt",
    ];
    const NOBODYS: [&str; 5] = ["target", "node_modules", "__pycache__", "dist", ".venv"];
    let names: Vec<String> = below
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    let (first, last) = (names.first()?, names.last()?);
    // What editors leave beside the file that they save.
    let passing = last.starts_with('.') || last.ends_with('~') || last.ends_with(".swp") || last.ends_with(".tmp");
    if passing || names.iter().any(|name| NOBODYS.contains(&name.as_str()) || name.starts_with('.')) {
        return None;
    }
    match first.as_str() {
        "tests" => Some(Concern::Tests),
        folder if FOLDERS.contains(&folder) => Some(Concern::Bundle),
        file if names.len() == 1 && FILES.contains(&file) => Some(Concern::Bundle),
        _ => None,
    }
}

/// Changes that come one after another are one.
#[derive(Debug)]
pub(super) struct Changes {
    quiet: Duration,
    since: Option<Instant>,
    last: Option<Instant>,
    concern: Option<Concern>,
    paths: BTreeSet<PathBuf>,
}

/// What was changed together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) concern: Concern,
    pub(super) paths: Vec<PathBuf>,
}

impl Changes {
    /// They are over when nothing has changed for so long.
    pub(super) const fn new(quiet: Duration) -> Self {
        Self { quiet, since: None, last: None, concern: None, paths: BTreeSet::new() }
    }

    /// A file has changed.
    pub(super) fn add(&mut self, path: PathBuf, concern: Concern, now: Instant) {
        self.since.get_or_insert(now);
        self.last = Some(now);
        self.concern = self.concern.max(Some(concern));
        self.paths.insert(path);
    }

    /// When they are over, if there are any and no more come.
    pub(super) fn due(&self) -> Option<Instant> {
        let patient = self.since? + self.quiet * IMPATIENCE;
        Some(patient.min(self.last? + self.quiet))
    }

    /// What was changed, where that is over.
    pub(super) fn take(&mut self, now: Instant) -> Option<Round> {
        self.due().filter(|due| *due <= now)?;
        let taken = std::mem::replace(self, Self::new(self.quiet));
        Some(Round { concern: taken.concern?, paths: taken.paths.into_iter().collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_and_what_editors_leave_is_nothing_to_a_bundle() {
        let check = |path: &str, expect: Option<Concern>| assert_eq!(concern(Path::new(path)), expect, "{path}");
        for path in ["src/lib.rs", "src/talk/mod.rs", "data/menu.toml", "media/ru-RU/hello.wav", "manifest.toml"] {
            check(path, Some(Concern::Bundle));
        }
        check("tests/first.talk", Some(Concern::Tests));
        for path in [
            "target/my-0.1.0.ivr",
            "target/up/12/up.json",
            "README.md",
            "src/.lib.rs.swp",
            "data/menu.toml~",
            "node_modules/a/package.json",
            ".git/index",
            "src/__pycache__/main.pyc",
            "sub/manifest.toml",
            "Cargo.lock",
            "",
        ] {
            check(path, None);
        }
    }

    #[test]
    fn a_burst_is_one_round_and_an_endless_one_is_cut() {
        let (quiet, start) = (Duration::from_millis(100), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut changes = Changes::new(quiet);
        assert_eq!((changes.due(), changes.take(at(0))), (None, None));
        changes.add("tests/a.talk".into(), Concern::Tests, at(0));
        changes.add("src/lib.rs".into(), Concern::Bundle, at(90));
        changes.add("tests/b.talk".into(), Concern::Tests, at(180));
        assert_eq!(changes.take(at(279)), None, "the last one was 99 ms ago");
        let round = changes.take(at(280)).unwrap();
        assert_eq!(round.concern, Concern::Bundle, "the greater concern");
        assert_eq!(round.paths.len(), 3);
        assert_eq!(changes.due(), None);
        for ms in (0..5_000).step_by(50) {
            changes.add("src/lib.rs".into(), Concern::Bundle, at(ms));
        }
        assert_eq!(changes.due(), Some(at(2_000)));
    }
}
