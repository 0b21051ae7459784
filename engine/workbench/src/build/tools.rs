//! The programs that compile Rust for WebAssembly: where they are, which way of building they allow, how to get them.
//!
//! Two ways work. rustup's target `wasm32-unknown-unknown` is the usual one. Where rustup cannot download, Debian's packages
//! can: their compiler builds the standard library for WebAssembly itself, some minutes the first time.

use super::fault::Fault;
use super::step::Step;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What scripts are compiled for: no WASI, nothing but the interface.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// The oldest compiler that the SDK is built with.
pub(crate) const RUST_MIN: semver::Version = semver::Version::new(1, 95, 0);
/// What Debian calls its current Rust.
const DEBIAN_PACKAGES: &str = "rustc-web cargo-web rust-web-src";
const STEP: &str = "tools";

/// How Rust gets to WebAssembly on this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum RustWay {
    /// The compiler on the path has the target.
    Target {
        /// The compiler's version.
        version: semver::Version,
    },
    /// Debian's compiler with the sources of the standard library, and a linker.
    BuildStd {
        /// Of Debian's compiler.
        version: semver::Version,
        /// A linker for WebAssembly.
        linker: PathBuf,
    },
}

/// What was found of Rust.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct RustFound {
    /// The way that works, if one does.
    pub(crate) way: Option<RustWay>,
    /// `cargo` is on the path; its version.
    pub(crate) cargo: Option<String>,
    /// `rustup` is on the path.
    pub(crate) rustup: bool,
    /// `rustc` on the path is older than [`RUST_MIN`]: its version.
    pub(crate) too_old: Option<semver::Version>,
    /// A linker for WebAssembly, wherever it came from.
    pub(crate) linker: Option<PathBuf>,
    /// Debian's compiler and its sources are there.
    pub(crate) debian: bool,
}

impl RustFound {
    /// Looks around.
    pub(crate) fn look() -> Self {
        let rustc = Path::new("rustc");
        let version = rustc_version(rustc);
        let sysroot = said(Command::new(rustc).args(["--print", "sysroot"])).map(PathBuf::from);
        let new_enough = version.as_ref().is_some_and(|version| *version >= RUST_MIN);
        let has_target =
            sysroot.as_ref().is_some_and(|root| root.join("lib/rustlib").join(TARGET).join("lib").is_dir());
        let linker = linker(sysroot.as_deref());
        let debian = debian_version();
        let way = match (version.clone(), debian.clone(), linker.clone()) {
            (Some(version), ..) if new_enough && has_target => Some(RustWay::Target { version }),
            (_, Some(version), Some(linker)) => Some(RustWay::BuildStd { version, linker }),
            _ => None,
        };
        Self {
            way,
            cargo: said(Command::new("cargo").arg("--version")),
            rustup: said(Command::new("rustup").arg("--version")).is_some(),
            too_old: version.filter(|version| *version < RUST_MIN),
            linker,
            debian: debian.is_some(),
        }
    }

    /// What is missing, and the commands that mend it, the likeliest first.
    pub(crate) fn missing(&self) -> Option<(String, Vec<String>)> {
        if self.way.is_some() {
            return None;
        }
        if self.debian && self.linker.is_none() {
            let what = "Debian's Rust is here, but no linker for WebAssembly".to_owned();
            return Some((what, vec![format!("{}apt-get install lld", sudo())]));
        }
        if let Some(version) = &self.too_old {
            let what = format!("rustc {version} is too old: scripts want {RUST_MIN} or newer");
            return Some((what, vec!["rustup update stable".to_owned(), debian_command()]));
        }
        if self.rustup {
            let what = format!("the compiler has no target {TARGET}");
            return Some((what, vec![format!("rustup target add {TARGET}"), debian_command()]));
        }
        let what = "there is no Rust that compiles for WebAssembly".to_owned();
        let get = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -t";
        Some((what, vec![format!("{get} {TARGET}"), debian_command()]))
    }
}

fn debian_command() -> String {
    format!("{}apt-get install --no-install-recommends {DEBIAN_PACKAGES} lld", sudo())
}

/// Before a command that only root may give.
pub(crate) fn sudo() -> &'static str {
    let root = said(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    if root { "" } else { "sudo " }
}

/// The way that works; installs one only where that was asked for.
pub(crate) fn rust_way(step: &mut Step<'_>) -> Result<RustWay, Fault> {
    let found = RustFound::look();
    let Some((what, commands)) = found.missing() else {
        return found.way.ok_or_else(|| Fault::of_machine(STEP, "no compiler was found"));
    };
    if step.options.install {
        for command in &commands {
            step.at(command);
            let ran = step.run(Command::new("sh").args(["-c", command]), |line| Some(line.to_owned()));
            if ran.is_ok_and(|ran| ran.status.success())
                && let Some(way) = RustFound::look().way
            {
                return Ok(way);
            }
        }
        let fault = Fault::of_machine(STEP, format!("{what}, and installing it failed"));
        return Err(commands.iter().fold(fault, |fault, command| fault.remedy(format!("Try it yourself: {command}"))));
    }
    let fault = commands.iter().fold(Fault::of_machine(STEP, what), |fault, command| fault.remedy(command.clone()));
    Err(fault.remedy("`gudok build --install` does this for you; `gudok doctor` looks at everything else"))
}

impl RustWay {
    /// In words, for people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Target { version } => format!("rustc {version} with the target {TARGET}"),
            Self::BuildStd { version, .. } => {
                format!("Debian's rustc {version}, building the standard library for {TARGET}")
            }
        }
    }

    /// `cargo rustc` for WebAssembly, without the crate's arguments.
    pub(crate) fn cargo_rustc(&self) -> Command {
        match self {
            Self::Target { .. } => {
                let mut cargo = Command::new("cargo");
                cargo.args(["rustc", "--release", "--target", TARGET]);
                cargo
            }
            Self::BuildStd { linker, .. } => {
                let mut cargo = Command::new("/usr/bin/cargo");
                cargo
                    .args(["rustc", "--release", "--target", TARGET, "-Zbuild-std=std,panic_abort"])
                    .env_remove("RUSTC")
                    .env_remove("RUSTUP_TOOLCHAIN")
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("PATH", debian_first())
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                cargo
            }
        }
    }
}

fn debian_first() -> OsString {
    let mut path = OsString::from("/usr/bin:");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

fn rustc_version(rustc: &Path) -> Option<semver::Version> {
    let line = said(Command::new(rustc).arg("-V"))?;
    version_in(&line)
}

/// The second word of "rustc 1.95.0 (59807616e 2026-04-14)".
pub(crate) fn version_in(line: &str) -> Option<semver::Version> {
    semver::Version::parse(line.split(' ').nth(1)?).ok()
}

/// Debian's Rust, new enough and with the sources of the standard library.
fn debian_version() -> Option<semver::Version> {
    let rustc = Path::new("/usr/bin/rustc");
    let cargo = Path::new("/usr/bin/cargo").is_file();
    let version = rustc_version(rustc).filter(|version| cargo && *version >= RUST_MIN)?;
    let root = PathBuf::from(said(Command::new(rustc).args(["--print", "sysroot"]))?);
    root.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file().then_some(version)
}

/// rustup brings a linker for WebAssembly; Debian has one in the package `lld`.
fn linker(sysroot: Option<&Path>) -> Option<PathBuf> {
    let of_rustup = sysroot.and_then(|root| {
        let hosts = std::fs::read_dir(root.join("lib/rustlib")).ok()?;
        hosts.flatten().map(|host| host.path().join("bin/rust-lld")).find(|path| path.is_file())
    });
    of_rustup.or_else(|| on_path("wasm-ld"))
}

/// A program on the path.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// What a program says on standard output, where it ends well.
pub(crate) fn said(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_the_command_that_mends_it() {
        let check = |found: RustFound, says: &str, mends: &str| {
            let (what, commands) = found.missing().unwrap();
            assert!(what.contains(says), "{what}");
            assert!(commands[0].contains(mends), "{commands:?}");
        };
        let nothing = RustFound::default();
        check(nothing.clone(), "no Rust", "sh.rustup.rs");
        check(RustFound { rustup: true, ..nothing.clone() }, "no target", "rustup target add wasm32-unknown-unknown");
        let old = semver::Version::new(1, 63, 0);
        check(RustFound { too_old: Some(old), ..nothing.clone() }, "1.63.0 is too old", "rustup update");
        check(RustFound { debian: true, ..nothing.clone() }, "no linker", "apt-get install lld");
        let version = RUST_MIN;
        assert_eq!(RustFound { way: Some(RustWay::Target { version }), ..nothing }.missing(), None);
    }

    #[test]
    fn a_version_is_read_from_what_the_compiler_says() {
        assert_eq!(version_in("rustc 1.95.0 (59807616e 2026-04-14)"), Some(RUST_MIN));
        assert_eq!(version_in("rustc"), None);
        assert_eq!(version_in("what is this"), None);
    }
}
