//! What exploring found, as conversations for `gudok test`: each finding's way is gone once more, and written down as it went.
//! What the script ought to do instead is the author's to add.

use crate::conversation::of_decisions::{asks, said, step};
use crate::conversation::{Conversation, Step, Tongue, of_call};
use gudok_plugin_host::Version;
use gudok_simulator::Line;
use gudok_simulator::decide::{ByList, CallOf, Decider, Decision, Moment, SharedDecider, world_of};
use gudok_simulator::explore::Finding;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Each finding as a conversation, in a file; of the call that was explored, of a version with that configuration.
pub(super) fn conversations(
    version: &Arc<Version>,
    (explored, config): (&CallOf, &BTreeMap<String, String>),
    findings: &[Finding],
    tongue: Tongue,
) -> String {
    let mut text = String::new();
    for (number, finding) in (1..).zip(findings) {
        let mut written = Conversation::new(&format!("{number}. {}: {}", finding.kind.as_str(), finding.keys));
        let call = finding.call(explored);
        written.settings = of_call::settings(&call, config);
        written.steps = steps(version, &call, finding);
        // Of one line, whatever a message says.
        let message = finding.message.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!("# {message}\n# {}\n{}\n", finding.replay.replace('\n', " "), written.to_text(tongue)));
    }
    text
}

fn steps(version: &Arc<Version>, call: &CallOf, finding: &Finding) -> Vec<Step> {
    let writing = Arc::new(Mutex::new(Writing { list: ByList::new(finding.keys.clone()), steps: Vec::new() }));
    let _ = world_of(version, call).decided_by(Arc::clone(&writing) as SharedDecider).run();
    std::mem::take(&mut writing.lock().steps)
}

/// Decides by the finding's list, and writes down what happens.
struct Writing {
    list: ByList,
    steps: Vec<Step>,
}

impl Decider for Writing {
    fn decide(&mut self, moment: &Moment) -> Decision {
        let decision = self.list.decide(moment);
        if let Moment::Asked(_) = moment {
            asks(&mut self.steps);
        }
        // What went its usual way is not written down.
        self.steps.extend(step(moment, &decision));
        decision
    }

    fn line(&mut self, line: &Line) {
        self.steps.extend(said(&line.text));
    }
}
