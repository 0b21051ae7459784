//! What an author's machine has and what it lacks, and the command that mends each lack.

mod cache;
mod languages;

pub use cache::cache_bytes;

use serde::Serialize;

/// How much a lack matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is there.
    Ok,
    /// It is not, and something that an author may want does not work.
    Lacks,
    /// It is not, and what this project needs does not work.
    Fails,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Looked {
    /// For what it is wanted: "rust", "sound", "engine".
    pub area: &'static str,
    /// What it is.
    pub what: String,
    /// How it is.
    pub state: State,
    /// Its version, or what is wrong.
    pub found: String,
    /// The command that mends it.
    pub mend: Vec<String>,
}

impl Looked {
    pub(crate) fn ok(area: &'static str, what: &str, found: impl Into<String>) -> Self {
        Self { area, what: what.to_owned(), state: State::Ok, found: found.into(), mend: Vec::new() }
    }

    pub(crate) fn lacks(area: &'static str, what: &str, found: impl Into<String>, mend: Vec<String>) -> Self {
        Self { area, what: what.to_owned(), state: State::Lacks, found: found.into(), mend }
    }

    /// Without it nothing works.
    pub(crate) fn fails(area: &'static str, what: &str, found: impl Into<String>, mend: Vec<String>) -> Self {
        Self { state: State::Fails, ..Self::lacks(area, what, found, mend) }
    }
}

/// Looks at everything but the engine, which needs the network. Lacks of the area that is needed fail.
#[must_use]
pub fn look(needed: Option<&str>) -> Vec<Looked> {
    let mut all = languages::rust();
    all.extend(languages::javascript());
    all.extend(languages::python());
    all.push(languages::menus());
    all.extend(languages::sound());
    all.extend(cache::look());
    for looked in &mut all {
        if looked.state == State::Lacks && Some(looked.area) == needed {
            looked.state = State::Fails;
        }
    }
    all
}
