//! The commands, one module each: arguments in, an exit code out. 0 is success, 1 a fault or a refusal that was told,
//! 2 wrong usage, 3 nobody answers or nobody is logged in, 141 that whoever was to read the answer is gone (`| head`).

pub(crate) mod admin;
pub(crate) mod answer;
mod arguments;
mod audit;
pub(crate) mod author;
pub(crate) mod bundle;
pub(crate) mod call;
mod calls;
mod campaigns;
pub(crate) mod cdrs;
mod centre;
pub(crate) mod completions;
mod configuration;
mod deploy;
mod deployments;
mod entries;
mod keys;
mod login;
mod logs;
pub(crate) mod man;
mod overlay;
mod people;
mod places;
mod privacy;
mod publish;
mod recordings;
mod remote;
mod report;
pub(crate) mod say;
pub(crate) mod serve;
mod signing;
mod stopped;
mod trace;
mod versions;
mod wares;
mod watch;

use std::process::ExitCode;

/// Tells a fault to the person, with its causes.
pub(crate) fn told(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        gudok_workbench::out::note(&format!("gudok: {error:#}"));
        ExitCode::FAILURE
    })
}

/// A runtime for commands that talk to the network.
///
/// # Errors
/// Where the system gives no threads.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
