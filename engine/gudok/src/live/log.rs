//! The last lines that scripts logged, and why scripts were stopped: for their authors.

use gudok_admin::ports::LogLine;
use gudok_core::ids::{Agency, CallId};
use gudok_core::time::Timestamp;
use gudok_plugin_host::ScriptFault;
use parking_lot::Mutex;
use std::collections::VecDeque;

/// Lines kept; the oldest go first.
const LINES_MAX: usize = 4_000;
/// Faults kept; the oldest go first.
const FAULTS_MAX: usize = 256;

/// What the scripts have told their authors lately.
#[derive(Default)]
pub(crate) struct ScriptLog {
    lines: Mutex<VecDeque<LogLine>>,
    faults: Mutex<VecDeque<Fault>>,
}

struct Fault {
    agency: Agency,
    call: CallId,
    at: Timestamp,
    fault: ScriptFault,
}

impl ScriptLog {
    /// One more line.
    pub(crate) fn push(&self, line: LogLine) {
        let mut lines = self.lines.lock();
        if lines.len() >= LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The last lines, oldest first.
    pub(crate) fn last(&self, agency: Option<&Agency>, lines_max: usize) -> Vec<LogLine> {
        let lines = self.lines.lock();
        let of_agency = |line: &&LogLine| agency.is_none_or(|agency| line.agency == agency.as_str());
        let mut last: Vec<LogLine> = lines.iter().rev().filter(of_agency).take(lines_max).cloned().collect();
        last.reverse();
        last
    }

    /// A script was stopped.
    pub(crate) fn fault(&self, agency: &Agency, call: CallId, at: Timestamp, fault: ScriptFault) {
        tracing::warn!(
            %call,
            script = %fault.version.script,
            version = %fault.version.version,
            cause = fault.cause.as_str(),
            step = fault.step,
            message = fault.message,
            backtrace = fault.backtrace,
            "script stopped"
        );
        let mut faults = self.faults.lock();
        if faults.len() >= FAULTS_MAX {
            faults.pop_front();
        }
        faults.push_back(Fault { agency: agency.clone(), call, at, fault });
    }

    /// The last faults, oldest first.
    pub(crate) fn faults(&self, agency: Option<&Agency>) -> Vec<serde_json::Value> {
        let faults = self.faults.lock();
        let of_agency = |fault: &&Fault| agency.is_none_or(|agency| fault.agency == *agency);
        let told = |Fault { agency, call, at, fault }: &Fault| {
            serde_json::json!({
                "agency": agency.as_str(),
                "call": call.to_string(),
                "at_ms": at.as_millis(),
                "script": fault.version.script.as_str(),
                "version": &*fault.version.version,
                "cause": fault.cause.as_str(),
                "message": fault.message,
                "step": fault.step,
                "backtrace": fault.backtrace,
            })
        };
        faults.iter().filter(of_agency).map(told).collect()
    }
}
