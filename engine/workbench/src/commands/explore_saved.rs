//! What exploring found, as conversations for `gudok test`: each finding's way is gone once more, and written down as it went.
//! What the script ought to do instead is the author's to add.

use super::explore::Explored;
use crate::conversation::of_decisions::{asks, said, step};
use crate::conversation::{Conversation, Step, Tongue, of_call};
use crate::words::SpokenWords;
use gudok_simulator::decide::{ByList, Decider, Decision, Moment, SharedDecider, world_of};
use gudok_simulator::explore::Finding;
use gudok_simulator::words::PromptWords;
use gudok_simulator::{Line, World};
use parking_lot::Mutex;
use std::sync::Arc;

/// Each finding as a conversation, in a file.
///
/// # Errors
/// Where a recording of the bundle cannot be heard.
pub(super) fn conversations(explored: &Explored, tongue: Tongue) -> anyhow::Result<String> {
    let Explored { bundle, version, settings, report } = explored;
    // As `gudok test` hears them: "press one", not "press 1".
    let words: Arc<dyn PromptWords> = Arc::new(SpokenWords::of(bundle)?);
    let mut text = String::new();
    for (number, finding) in (1..).zip(&report.findings) {
        let mut written = Conversation::new(&format!("{number}. {}: {}", finding.kind.as_str(), finding.keys));
        let call = finding.call(&settings.call);
        written.settings = of_call::settings(&call, &settings.config);
        written.steps = steps(world_of(version, &call).words(Arc::clone(&words)), finding);
        // Of one line, whatever a message says.
        let message = finding.message.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!("# {message}\n# {}\n{}\n", finding.replay.replace('\n', " "), written.to_text(tongue)));
    }
    Ok(text)
}

fn steps(world: World, finding: &Finding) -> Vec<Step> {
    let writing = Arc::new(Mutex::new(Writing { list: ByList::new(finding.keys.clone()), steps: Vec::new() }));
    let _ = world.decided_by(Arc::clone(&writing) as SharedDecider).run();
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
