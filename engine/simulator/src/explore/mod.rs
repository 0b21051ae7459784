//! Every way through a script, to a bound, with what no caller should meet.
//!
//! The compiled script itself is driven: one call after another in a world of virtual time, each from the answer to its
//! end. Whatever is left open in a call (a key, a transfer's outcome, a back end's answer) is decided, until every decision
//! was tried at every place. The nearest place first: a call goes by the shortest way that is known, tries one decision, and
//! hangs up, so that ways stay short however a menu goes round. Two moments of which all that is observable is the same (what
//! is said and asked, in which language and step, what was stored, how often it was met) are one place; each is tried once
//! more from other ways in, and where it answers otherwise the way counts from then on. In the end whoever can come back to a
//! question does so until the call is as long as it may be, for what adds up. What is found is told with the shortest
//! decisions that lead to it, and these are tried before they are told.
//!
//! Deliberately not here: keys in the middle of a prompt (the machine answers them as those after it), and the host's own
//! dialogs beyond their first questions.
//!
//! ```no_run
//! # fn show(version: &std::sync::Arc<gudok_plugin_host::Version>) {
//! use gudok_simulator::explore::{ExploreSettings, explore};
//! use std::ops::ControlFlow;
//!
//! let report = explore(version, &ExploreSettings::new("."), &mut |progress| {
//!     eprintln!("{} calls, {} places", progress.paths, progress.states);
//!     ControlFlow::Continue(())
//! });
//! for finding in &report.findings {
//!     println!("{} ({}): {}\n  {}", finding.kind.as_str(), finding.keys, finding.message, finding.replay);
//! }
//! # }
//! ```

mod announced;
mod checks;
mod diff;
mod flow;
mod graph;
mod inputs;
mod judge;
mod place;
mod replay_command;
mod report;
mod rounds;
mod search;
mod settings;
mod shortest;
mod telling;
mod trying;
mod walk;

pub use diff::diff;
pub use report::{
    ChangedNode, Covered, ExploreReport, Finding, FindingKind, Flow, FlowDiff, FlowEdge, FlowLabel, FlowNode, LeftOut,
    NodeKind,
};
pub use settings::{Bounds, ExampleReply, ExploreSettings, Progress, Rules};

use crate::Caller;
use crate::callee::Callee;
use crate::decide::{CallOf, world_of};
use crate::script::SimScript;
use crate::smoke::campaign::{CONTACTS, rows};
use crate::world::World;
use gudok_core::call::CallLimits;
use gudok_plugin_host::Version;
use gudok_plugin_host::manifest::{Capabilities, Kind};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use telling::Teller;

/// Who is told how far exploring has come, and may end it.
pub type Watch<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// Explores a compiled script, on this thread. Not from within a tokio runtime: use a thread that may block.
///
/// The same version, settings and seed give the same report but for its times, as long as neither `time_max_ms` nor the
/// watcher cuts it short.
#[must_use]
pub fn explore(version: &Arc<Version>, settings: &ExploreSettings, watch: &mut Watch<'_>) -> ExploreReport {
    let (agency, entry) = settings.call.place(version);
    let manifest = &version.manifest;
    let calls = calls(version, &settings.call);
    let mut teller = Teller::new(
        [manifest.name.clone(), manifest.version.to_string(), agency.to_string(), entry.to_string()],
        settings,
        (has_people(&manifest.capabilities) && version.kind() != Kind::Campaign, version.kind() == Kind::Campaign),
    );
    for (number, (about, call)) in calls.iter().enumerate() {
        let world = || bounded(world_of(version, call), settings);
        if teller.goes_on(watch) {
            teller.explore(number, (about, call), &world, watch);
        }
    }
    teller.tell()
}

/// Explores a script in Rust: for tests of what exploring finds.
#[must_use]
pub fn explore_in_rust(script: &Arc<dyn SimScript>, people: &[&str], settings: &ExploreSettings) -> ExploreReport {
    let manifest_less = |name: &str| name.to_owned();
    let mut teller =
        Teller::new(["script", "1.0.0", "agency", "main"].map(manifest_less), settings, (!people.is_empty(), false));
    let world = || {
        let world = people.iter().fold(World::new(settings.call.seed), |world, group| world.operators(group, &[group]));
        bounded(
            world.number("100", "agency", "main").shared_script("agency", "main", script).caller(Caller::dials("100")),
            settings,
        )
    };
    teller.explore(0, ("", &settings.call), &world, &mut |_| ControlFlow::Continue(()));
    teller.tell()
}

fn bounded(world: World, settings: &ExploreSettings) -> World {
    let call_duration_max = Duration::from_secs(u64::from(settings.bounds.call_s_max));
    let world = world.limits(CallLimits { call_duration_max, ..CallLimits::default() });
    match &settings.directory {
        Some(directory) => world.directory(Arc::clone(directory)),
        None => world,
    }
}

/// The calls to begin with: of a campaign's script one for each sort of contact, as a row of its list has it.
fn calls(version: &Arc<Version>, call: &CallOf) -> Vec<(String, CallOf)> {
    if version.kind() != Kind::Campaign {
        return vec![(String::new(), call.clone())];
    }
    if !call.contact.is_empty() {
        return vec![("the contact".into(), call.clone())];
    }
    let list = version.data(CONTACTS).and_then(|list| rows(list).ok()).unwrap_or_default();
    let mut contacts: Vec<(String, Vec<(String, String)>)> = list
        .into_iter()
        .enumerate()
        .map(|(at, row)| (format!("row {} of data/{CONTACTS}", at + 1), row.fields))
        .collect();
    if contacts.is_empty() {
        contacts.push(("a contact without columns".into(), Vec::new()));
    }
    let machine = contacts.first().map(|(about, contact)| {
        let callee = Some(Callee::answering_machine());
        (format!("{about}, an answering machine"), CallOf { contact: contact.clone(), callee, ..call.clone() })
    });
    let people = contacts.into_iter().map(|(about, contact)| (about, CallOf { contact, ..call.clone() }));
    people.chain(machine).collect()
}

/// The manifest names somebody to whom callers may be handed.
fn has_people(capabilities: &Capabilities) -> bool {
    let transfer = capabilities.transfer.as_ref().is_some_and(|rights| {
        !(rights.groups.is_empty()
            && rights.operators.is_empty()
            && rights.extensions.is_empty()
            && rights.numbers.is_empty())
    });
    transfer || capabilities.queues.as_ref().is_some_and(|rights| !rights.names.is_empty())
}
