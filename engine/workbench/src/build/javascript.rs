//! JavaScript and TypeScript: Node runs the driver in the SDK, which checks types, bundles, and embeds the bundle into a
//! component with QuickJS in it.

use super::driver;
use super::fault::Fault;
use super::step::Step;
use super::tools::{on_path, said, sudo};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Node that the driver runs on.
pub(crate) const NODE_MIN: u64 = 18;

/// What is missing on this machine for JavaScript and TypeScript, and the commands that mend it, the likeliest first.
pub(crate) fn missing() -> Option<(String, Vec<String>)> {
    let install = format!("{}apt-get install --no-install-recommends nodejs npm", sudo());
    let newer = "Install a newer Node: https://nodejs.org/en/download".to_owned();
    let version = said(Command::new("node").arg("--version"));
    let major = version.as_deref().and_then(|text| text.trim_start_matches('v').split('.').next()?.parse::<u64>().ok());
    match (version, major) {
        (None, _) => Some(("there is no Node (`node`) here".to_owned(), vec![install])),
        (Some(version), Some(major)) if major < NODE_MIN => {
            Some((format!("Node {version} is too old: scripts are built with {NODE_MIN} or newer"), vec![newer]))
        }
        _ if on_path("npm").is_none() => {
            Some(("there is no npm here, which installs the build tools".to_owned(), vec![install]))
        }
        _ => None,
    }
}

/// The script's component.
pub(super) fn compile(step: &mut Step<'_>) -> Result<Vec<u8>, Fault> {
    if let Some((what, commands)) = missing() {
        return Err(commands.into_iter().fold(Fault::of_machine("tools", what), Fault::remedy));
    }
    let build = step.sdk.folder.join("js/build");
    let tools =
        driver::tools(step, "js", &build.join("package-lock.json"), |step, folder| install(step, &build, folder))?;
    step.at("checking types, bundling, embedding");
    let mut command = Command::new("node");
    command.arg(build.join("build.mjs"));
    driver::run(step, command, &tools)
}

/// What a file of conversations prints.
pub(super) fn conversations(step: &mut Step<'_>, file: &Path) -> Result<String, Fault> {
    let (build, tools) = tools(step)?;
    let mut command = Command::new("node");
    command.arg(build.join("print.mjs")).arg("--project").arg(&step.project.folder);
    command.arg("--tools").arg(tools).arg("--file").arg(file);
    driver::printed(step, &mut command, file)
}

/// The driver's folder and the tools' folder.
fn tools(step: &mut Step<'_>) -> Result<(PathBuf, PathBuf), Fault> {
    if let Some((what, commands)) = missing() {
        return Err(commands.into_iter().fold(Fault::of_machine("tools", what), Fault::remedy));
    }
    let build = step.sdk.folder.join("js/build");
    let pins = build.join("package-lock.json");
    let tools = driver::tools(step, "js", &pins, |step, folder| install(step, &build, folder))?;
    Ok((build, tools))
}

fn install(step: &mut Step<'_>, build: &Path, folder: &Path) -> Result<(), Fault> {
    step.at("installing the build tools into the cache, once (esbuild, typescript, componentize-qjs; 72 MB)");
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(build.join(name), folder.join(name))
            .map_err(|error| super::fault::io("tools", "copying", &folder.join(name), &error))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(folder);
    let ran = step.run(&mut npm, |_| None)?;
    if ran.status.success() {
        return Ok(());
    }
    Err(Fault::of_machine("tools", "npm cannot install the build tools")
        .said(ran.err)
        .note("only a first build needs the network: what was installed once is used again")
        .remedy("Check the network and the proxy (HTTPS_PROXY, `npm config get registry`), and build again"))
}
