//! The author's workbench: from an idea to a tested script, before anybody calls it.
//!
//! Everything here works on one machine without an engine: a project is made, built, tried in the simulator's virtual time,
//! explored to a bound and drawn. What a script meets is the product's own: `gudok-plugin-host` runs the compiled bundle,
//! `gudok-core`'s machine has the call. Deliberately not here: sockets, a running engine, its API. Commands that need one
//! (`gudok up`, `publish`, `rehearse`) are the binary's.
//!
//! - [`local`]: a script host on this machine, and bundles loaded into it
//! - [`project`]: an author's folder; [`build`] makes a bundle of it, as a good compiler tells what is wrong, and checks it as a
//!   host does; [`sdk`]: what scripts are built against
//! - [`conversation`]: what an author expects of a script, as it is written down
//! - [`flow`]: a picture of what exploring finds: SVG, Mermaid, a page
//! - [`replays`]: journals of calls that nobody made, in files
//! - [`new`]: projects from templates; [`doctor`]: what a machine lacks
//! - [`inspect`]: what a bundle may do, in plain words; [`publish`]: bundles in OCI registries
//! - [`words`]: prompts as callers hear them
//! - [`talk`]: a call in the terminal
//! - [`commands`]: the command line of all this, which the binary takes in; [`out`]: how commands speak
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod build;
pub mod commands;
pub mod conversation;
pub mod doctor;
pub mod flow;
pub mod inspect;
pub mod local;
pub mod nearest;
pub mod new;
pub mod out;
pub mod project;
pub mod publish;
pub mod replays;
pub mod sdk;
pub mod talk;
#[cfg(test)]
mod told;
pub mod words;
