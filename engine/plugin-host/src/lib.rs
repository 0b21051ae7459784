//! Runs an agency's script in its sandbox.
//!
//! A script is a WebAssembly component that came in a bundle. This crate reads the bundle as if an enemy had packed it,
//! compiles it where compiling can be stopped, links what is granted and nothing else, and runs one instance a call with
//! a limit on everything. Whatever a script does, its call gets an answer: a [`RunReport`] with the machine's
//! [`ScriptEnd`](gudok_core::script::ScriptEnd), and for its author a [`ScriptFault`].
//!
//! Deliberately not here: what a call does (gudok-core), how anything is stored, spoken or sent. Those come in by
//! [`ports`]. No WASI: a script sees what wit/ says, and all of it passes one place, `host_call`.
//!
//! - [`bundle`]: reading and packing `NAME-VERSION.ivr`
//! - [`manifest`]: what a bundle says of itself, capabilities, limits
//! - [`signature`]: who stands behind a bundle
//! - [`difference`]: what changes when one bundle takes the place of another
//! - [`check()`](check::check): everything that is looked at before a bundle goes live
//! - [`gate`]: the one gate for capabilities and their parameters
//! - [`ScriptHost`] loads, [`Version`] is what it loads, [`Registry`] says which one new calls take
//! - [`ScriptRuntime`] runs; [`run()`] is the same for who brings threads of their own
//! - [`prepare()`]: a campaign's script is asked about a contact, before dialling
//! - [`journal`]: what a call's script asked and was told
//! - [`replay`]: a call's script once more, on the same or another version, answered from the journal
//! - [`http`]: the real `fetch`
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod bindings;
pub mod bundle;
pub mod check;
mod compile;
mod control;
mod convert;
mod data;
pub mod difference;
mod engine;
mod error;
mod fault;
mod finding;
pub mod gate;
mod host;
mod host_call;
pub mod http;
mod interface;
pub mod journal;
pub mod manifest;
mod metering;
pub mod ports;
mod prepare;
mod registry;
pub mod replay;
mod run;
mod runtime;
pub mod signature;
mod state;
mod surface;
mod text;
mod version;

pub use compile::{CompileConfig, compile_child_main};
pub use engine::{EPOCH_TICK, TooFewMappings, check_map_count};
pub use error::{CompileRefusal, Error, LoadRefusal};
pub use fault::ScriptFault;
pub use finding::Finding;
pub use host::{Admission, HostConfig, ScriptHost};
pub use metering::{FUEL_PER_MS, Metering, StepUse, fuel_us};
pub use prepare::{PrepareReport, PrepareStart, prepare};
pub use registry::{Registry, Split};
pub use run::{CallStart, RunControl, RunReport, run};
pub use runtime::{PreparingScript, RunningScript, ScriptRuntime};
pub use version::Version;
