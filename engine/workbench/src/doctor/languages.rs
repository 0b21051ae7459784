//! The tools of each language, and what makes sound.

use super::Looked;
use crate::build::tools::{RustFound, on_path, said, sudo};
use crate::sdk::menu_module;
use std::process::Command;

/// The oldest Node.js that the tools of the JavaScript SDK run on.
const NODE_MIN: u32 = 18;
/// The oldest Python that the tools of the Python SDK run on.
const PYTHON_MIN: (u32, u32) = (3, 10);
/// Programs that `gudok call` and `gudok say` play sound with, any of them.
const PLAYERS: [&str; 5] = ["pw-play", "paplay", "aplay", "ffplay", "play"];

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
    const AREA: &str = "javascript";
    let install = || vec![format!("{}apt-get install nodejs npm", sudo()), "or from https://nodejs.org".to_owned()];
    let node = said(Command::new("node").arg("--version"));
    let major: Option<u32> =
        node.as_deref().and_then(|version| version.trim_start_matches('v').split('.').next()?.parse().ok());
    let node = match (node, major) {
        (Some(version), Some(major)) if major >= NODE_MIN => Looked::ok(AREA, "node", version),
        (Some(version), _) => Looked::lacks(AREA, "node", format!("{version} is older than {NODE_MIN}"), install()),
        (None, _) => Looked::lacks(AREA, "node", "is not there", install()),
    };
    let npm = match said(Command::new("npm").arg("--version")) {
        Some(version) => Looked::ok(AREA, "npm", version),
        None => Looked::lacks(AREA, "npm", "is not there", install()),
    };
    vec![node, npm]
}

pub(super) fn python() -> Vec<Looked> {
    const AREA: &str = "python";
    let packages = format!("{}apt-get install python3 python3-venv", sudo());
    let version = said(Command::new("python3").arg("--version"));
    let number = version.as_deref().and_then(|version| {
        let mut parts = version.strip_prefix("Python ")?.split('.');
        Some((parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?))
    });
    let python = match (version, number) {
        (Some(version), Some(number)) if number >= PYTHON_MIN => {
            Looked::ok(AREA, "python3", version.trim_start_matches("Python ").to_owned())
        }
        (Some(version), _) => {
            let (major, minor) = PYTHON_MIN;
            Looked::lacks(AREA, "python3", format!("{version} is older than {major}.{minor}"), vec![packages.clone()])
        }
        (None, _) => Looked::lacks(AREA, "python3", "is not there", vec![packages.clone()]),
    };
    let venv = match said(Command::new("python3").args(["-c", "import ensurepip, venv; print('ok')"])) {
        Some(_) => Looked::ok(AREA, "python venv", "there"),
        None => Looked::lacks(AREA, "python venv", "is not there", vec![packages]),
    };
    vec![python, venv]
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
