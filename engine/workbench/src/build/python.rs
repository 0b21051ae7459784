//! Python: the driver in the SDK looks the sources over and embeds them into a component with CPython in it.

use super::driver;
use super::fault::Fault;
use super::step::Step;
use super::tools::{said, sudo};
use std::path::Path;
use std::process::Command;

/// The oldest Python that the driver runs on. Scripts have their own.
pub(crate) const PYTHON_MIN: (u32, u32) = (3, 10);

/// What is missing on this machine for Python, and the commands that mend it, the likeliest first.
pub(crate) fn missing() -> Option<(String, Vec<String>)> {
    let install = format!("{}apt-get install --no-install-recommends python3 python3-venv", sudo());
    let asks = "import sys, ensurepip, venv; print(*sys.version_info[:2])";
    match said(Command::new("python3").args(["-c", asks])) {
        Some(version) => {
            let mut parts = version.split(' ').map_while(|part| part.parse::<u32>().ok());
            let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
            (version < PYTHON_MIN).then(|| {
                let what = format!(
                    "Python {}.{} is too old: scripts are built with 3.{} or newer",
                    version.0, version.1, PYTHON_MIN.1
                );
                (what, vec![install])
            })
        }
        None if said(Command::new("python3").arg("--version")).is_none() => {
            Some(("there is no Python (`python3`) here".to_owned(), vec![install]))
        }
        None => Some((
            "Python is here without the module venv, which the build tools are installed with".to_owned(),
            vec![install],
        )),
    }
}

/// The script's component.
pub(super) fn compile(step: &mut Step<'_>) -> Result<Vec<u8>, Fault> {
    if let Some((what, commands)) = missing() {
        return Err(commands.into_iter().fold(Fault::of_machine("tools", what), Fault::remedy));
    }
    let build = step.sdk.folder.join("py/build");
    let pins = build.join("requirements.txt");
    let tools = driver::tools(step, "py", &pins, |step, folder| install(step, &pins, folder))?;
    step.at("embedding the script and Python (some ten seconds)");
    let mut command = Command::new("python3");
    // Nothing is written beside the SDK's files.
    command.arg("-B").arg(build.join("build.py"));
    driver::run(step, command, &tools)
}

/// What a file of conversations prints. The SDK's own interface stands in for a host's: nothing of it is called.
pub(super) fn conversations(step: &mut Step<'_>, file: &Path) -> Result<String, Fault> {
    if let Some((what, commands)) = missing() {
        return Err(commands.into_iter().fold(Fault::of_machine("tools", what), Fault::remedy));
    }
    let sdk = step.sdk.folder.join("py");
    let path = std::env::join_paths([sdk.clone(), sdk.join("interface"), step.project.folder.join("src")]);
    let path = path.map_err(|error| Fault::of_machine("tests", format!("PYTHONPATH cannot be set: {error}")))?;
    let mut command = Command::new("python3");
    command.arg("-B").arg(file).current_dir(&step.project.folder).env("PYTHONPATH", path);
    driver::printed(step, &mut command, file)
}

fn install(step: &mut Step<'_>, pins: &Path, folder: &Path) -> Result<(), Fault> {
    step.at("installing componentize-py into the cache, once");
    let made = step.run(Command::new("python3").args(["-m", "venv"]).arg(folder), |_| None)?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]).arg(pins);
    let ran = if made.status.success() { step.run(&mut pip, |_| None)? } else { made };
    if ran.status.success() {
        return Ok(());
    }
    Err(Fault::of_machine("tools", "pip cannot install componentize-py")
        .said(ran.err)
        .note("only a first build needs the network: what was installed once is used again")
        .remedy("Check the network and the proxy (HTTPS_PROXY, PIP_INDEX_URL), and build again"))
}
