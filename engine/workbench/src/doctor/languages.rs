//! The tools of each language, and what makes sound.

use super::Looked;
use crate::build::tools::{RustFound, on_path, said, sudo};
use crate::build::{javascript, python};
use crate::sdk::menu_module;
use std::process::Command;

/// Programs that `gudok call --local` plays sound with, any of them.
const PLAYERS: [&str; 3] = ["aplay", "paplay", "ffplay"];

pub(super) fn rust() -> Vec<Looked> {
    const AREA: &str = "rust";
    let found = RustFound::look();
    let mut looked = match &found.cargo {
        Some(version) => vec![Looked::ok(AREA, "cargo", version.trim_start_matches("cargo ").to_owned())],
        None if found.debian => vec![Looked::ok(AREA, "cargo", "Debian's")],
        None => vec![Looked::lacks(
            AREA,
            "cargo",
            "is not there",
            found.missing().map(|(_, mend)| mend).unwrap_or_default(),
        )],
    };
    looked.push(match (&found.way, found.missing()) {
        (Some(way), _) => Looked::ok(AREA, "compiler for WebAssembly", way.describe()),
        (None, Some((what, mend))) => Looked::lacks(AREA, "compiler for WebAssembly", what, mend),
        (None, None) => Looked::lacks(AREA, "compiler for WebAssembly", "was not found", Vec::new()),
    });
    looked
}

pub(super) fn javascript() -> Vec<Looked> {
    let version = |program: &str| said(Command::new(program).arg("--version")).unwrap_or_default();
    let found = format!("node {}, npm {}", version("node").trim_start_matches('v'), version("npm"));
    vec![of_language("javascript", "Node and npm", found, javascript::missing())]
}

pub(super) fn python() -> Vec<Looked> {
    let found = said(Command::new("python3").arg("--version")).unwrap_or_default();
    vec![of_language("python", "Python with venv", found, python::missing())]
}

/// What the language's own build step would say.
fn of_language(area: &'static str, what: &str, found: String, missing: Option<(String, Vec<String>)>) -> Looked {
    match missing {
        Some((lacks, mend)) => Looked::lacks(area, what, lacks, mend),
        None => Looked::ok(area, what, found),
    }
}

pub(super) fn menus() -> Looked {
    const AREA: &str = "menu";
    match menu_module() {
        Some(module) => {
            Looked::ok(AREA, "module of all menus", format!("{} KiB, in this program", module.len() / 1024))
        }
        None => Looked::lacks(
            AREA,
            "module of all menus",
            "this gudok was built without it: menus are compiled with Rust",
            vec!["use a gudok of a release, or build it after scripts/build-plugins".to_owned()],
        ),
    }
}

pub(super) fn sound() -> Vec<Looked> {
    const AREA: &str = "sound";
    let voice = match said(Command::new("espeak-ng").arg("--version")) {
        Some(version) => {
            Looked::ok(AREA, "espeak-ng, the voice", version.lines().next().unwrap_or_default().to_owned())
        }
        None => Looked::lacks(
            AREA,
            "espeak-ng, the voice",
            "is not there: prompts are shown and not heard",
            vec![format!("{}apt-get install espeak-ng", sudo())],
        ),
    };
    let player = match PLAYERS.iter().find(|name| on_path(name).is_some()) {
        Some(name) => Looked::ok(AREA, "a player", *name),
        None => Looked::lacks(
            AREA,
            "a player",
            format!("none of {} is there: calls have no sound", PLAYERS.join(", ")),
            vec![format!("{}apt-get install alsa-utils", sudo())],
        ),
    };
    vec![voice, player]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn whatever_is_lacking_has_a_command_that_mends_it() {
        for looked in rust().into_iter().chain(javascript()).chain(python()).chain([menus()]).chain(sound()) {
            assert!(!looked.found.is_empty(), "{looked:?}");
            assert_eq!(looked.state == State::Ok, looked.mend.is_empty(), "{looked:?}");
        }
    }
}
