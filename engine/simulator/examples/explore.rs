//! Explores a bundle and prints what was found, and how fast: `explore plugins/target/bundles/centre-1.0.0.ivr main`.
//!
//! Settings of the script follow as KEY=VALUE, bounds as --NAME=VALUE (`--paths_max=20000`).
#![allow(clippy::print_stdout)]

use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::{Admission, CompileConfig, HostConfig, Metering, ScriptHost, compile_child_main};
use gudok_simulator::decide::CallOf;
use gudok_simulator::explore::{Bounds, ExploreSettings, explore};
use std::collections::BTreeMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

const COMPILE_CHILD: &str = "compile-child";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == COMPILE_CHILD) {
        return compile_child_main(args);
    }
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<(), Box<dyn Error>> {
    let file = args.first().ok_or("which bundle?")?;
    let entry = args.get(1).cloned();
    let bounds: BTreeMap<&str, u64> = args
        .iter()
        .filter_map(|arg| arg.strip_prefix("--")?.split_once('='))
        .map(|(name, value)| Ok((name, value.parse()?)))
        .collect::<Result<_, std::num::ParseIntError>>()?;
    let config: BTreeMap<String, String> = args
        .iter()
        .skip(2)
        .filter(|arg| !arg.starts_with("--"))
        .filter_map(|arg| arg.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let folder = tempfile::tempdir()?;
    let child = CompileConfig::new(std::env::current_exe()?, vec![COMPILE_CHILD.into()]);
    // As `gudok explore` does.
    let mut of_host = HostConfig::new(folder.path().join("cache"), child);
    of_host.metering = Metering::Fuel;
    let host = ScriptHost::start(of_host)?;
    let name = Path::new(file).file_name().and_then(|name| name.to_str()).unwrap_or(file);
    let bundle = Bundle::from_bytes(name, &std::fs::read(Path::new(file))?, &BundleLimits::default())?;
    let version = host.load(&bundle, &Admission { config, ..Admission::as_declared() })?;
    let bound = |name: &str, usual: u64| bounds.get(name).copied().unwrap_or(usual);
    let usual = Bounds::default();
    let bounds = Bounds {
        paths_max: bound("paths_max", usual.paths_max),
        depth_max: u32::try_from(bound("depth_max", usual.depth_max.into()))?,
        visits_max: u8::try_from(bound("visits_max", usual.visits_max.into()))?,
        time_max_ms: bound("time_max_ms", usual.time_max_ms),
        ..usual
    };
    let call = CallOf { entry, ..CallOf::default() };
    let settings = ExploreSettings { call, bounds, ..ExploreSettings::new(file) };
    let report = explore(&version, &settings, &mut |_| ControlFlow::Continue(()));
    println!("{} paths in {} ms: {} a second", report.paths, report.took_ms, report.paths_per_second);
    println!("{:?}", report.covered);
    for left in &report.left_out {
        println!("left out by {} = {}: {} ({})", left.bound, left.max, left.decisions, left.what);
    }
    for finding in &report.findings {
        println!("{} [{}] {}", finding.kind.as_str(), finding.keys, finding.message);
        println!("    {}", finding.replay);
        for line in finding.heard.iter().rev().take(4).rev() {
            println!("    | {line}");
        }
    }
    println!("{} nodes, {} edges", report.flow.nodes.len(), report.flow.edges.len());
    for node in report.flow.nodes.iter().take(200).filter(|_| std::env::var_os("NODES").is_some()) {
        println!("{} {:?} {:?} {} <{}> [{}]", node.id, node.kind, node.step, node.title, node.lang, node.reached_by);
    }
    Ok(())
}
