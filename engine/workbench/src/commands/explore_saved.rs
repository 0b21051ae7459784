//! What exploring found, as conversations for `gudok test`: each finding's way is gone once more, and written down as it went.
//! What the script ought to do instead is the author's to add.

use crate::conversation::{Conversation, Step, Tongue};
use gudok_plugin_host::Version;
use gudok_plugin_host::ports::FetchMethod;
use gudok_simulator::Line;
use gudok_simulator::decide::{
    BackEndChoice, ByList, CallOf, Decider, Decision, DirectoryChoice, Fetches, Moment, QueueChoice, SharedDecider,
    TransferChoice, world_of,
};
use gudok_simulator::explore::Finding;
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::Arc;

/// Each finding as a conversation, in a file.
pub(super) fn conversations(version: &Arc<Version>, call: &CallOf, findings: &[Finding], tongue: Tongue) -> String {
    let mut text = String::new();
    for (number, finding) in (1..).zip(findings) {
        let mut written = Conversation::new(&format!("{number}. {}: {}", finding.kind.as_str(), finding.keys));
        written.steps = steps(version, call, finding);
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
        if let (Moment::Asked(_), Some(last)) = (moment, self.steps.last_mut())
            && let Step::Says { words } = last
        {
            // What was said last was the question.
            *last = Step::Asks { words: std::mem::take(words) };
        }
        self.steps.extend(step(moment, &decision));
        decision
    }

    fn line(&mut self, line: &Line) {
        if let Some(words) = line.text.strip_prefix("host: ") {
            self.steps.push(Step::Says { words: words.to_owned() });
        }
    }
}

/// None where things went their usual way.
fn step(moment: &Moment, decision: &Decision) -> Option<Step> {
    Some(match decision {
        Decision::GoOn => return None,
        Decision::Keys(keys) => Step::Presses { keys: keys.clone() },
        Decision::Ahead(keys) => Step::Interrupts { keys: keys.clone() },
        Decision::Silence => Step::Silent,
        Decision::HangUp => Step::HangsUp,
        Decision::Speak(time) => Step::Speaks { seconds: u32::try_from(time.as_secs()).unwrap_or(u32::MAX) },
        Decision::Transfer(choice) => match choice {
            TransferChoice::Answered => Step::OperatorAnswers { seconds: None },
            TransferChoice::Busy => Step::OperatorBusy,
            TransferChoice::NoAnswer => Step::OperatorSilent,
            TransferChoice::Rejected => Step::OperatorRejects,
            TransferChoice::Closed => Step::OperatorsClosed,
            TransferChoice::Unavailable => Step::OperatorUnreachable,
            TransferChoice::Failed => Step::OperatorMissing,
        },
        Decision::Queue(choice) => match choice {
            QueueChoice::Answered => Step::QueueAnswers { seconds: None },
            QueueChoice::Nobody => Step::QueueNobody,
            QueueChoice::Closed => Step::QueueClosed,
            QueueChoice::Full => Step::QueueFull,
            QueueChoice::Failed => Step::QueueMissing,
        },
        Decision::BackEnd(choice) => {
            let Moment::Fetches(request) = moment else { return None };
            back_end(request, choice)
        }
        Decision::NoStore => Step::StorageUnavailable,
        Decision::NoPromise => Step::PromisesUnavailable,
        Decision::Directory(DirectoryChoice::Nothing) => Step::DirectoryKnowsNothing,
        Decision::Directory(DirectoryChoice::Unavailable) => Step::DirectoryUnavailable,
    })
}

fn back_end(request: &Fetches, choice: &BackEndChoice) -> Step {
    let method = match request.method {
        FetchMethod::Get => "GET",
        FetchMethod::Head => "HEAD",
        FetchMethod::Post => "POST",
        FetchMethod::Put => "PUT",
        FetchMethod::Patch => "PATCH",
        FetchMethod::Delete => "DELETE",
    };
    let (method, path) = (method.to_owned(), path_of(&request.url).to_owned());
    let answers = |status: u16, body: Option<Value>| Step::BackEndAnswers {
        method: method.clone(),
        path: path.clone(),
        sent: None,
        status,
        body,
    };
    match choice {
        BackEndChoice::Answers(status, body) if body.is_empty() => answers(*status, None),
        BackEndChoice::Answers(status, body) => {
            // What is no JSON is a text.
            answers(*status, Some(serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.clone()))))
        }
        BackEndChoice::Nonsense => answers(200, Some(Value::String("{]".to_owned()))),
        BackEndChoice::Unreachable => Step::BackEndFails { method, path, sent: None },
        BackEndChoice::Hangs => Step::BackEndNeverAnswers { method, path, sent: None },
    }
}

/// Path and query of an address.
fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').map_or("/", |at| &after_scheme[at..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn decisions_are_steps() {
        let request = Fetches {
            method: FetchMethod::Post,
            url: "https://agency.example/places?day=1".into(),
            body: Vec::new(),
            timeout: Duration::from_secs(1),
            step: None,
        };
        let at = Moment::Fetches(request);
        let of = |decision: &str| step(&at, &decision.parse().unwrap());
        assert_eq!(of("go-on"), None);
        assert_eq!(of("12#"), Some(Step::Presses { keys: "12#".into() }));
        assert_eq!(of("transfer:unavailable"), Some(Step::OperatorUnreachable));
        let (method, path) = ("POST".to_owned(), "/places?day=1".to_owned());
        let body = Some(serde_json::json!({ "place": 3 }));
        let answers =
            Step::BackEndAnswers { method: method.clone(), path: path.clone(), sent: None, status: 200, body };
        assert_eq!(of("back-end:200:{\"place\":3}"), Some(answers));
        assert_eq!(of("back-end:hangs"), Some(Step::BackEndNeverAnswers { method, path, sent: None }));
        assert_eq!(path_of("https://agency.example"), "/");
    }
}
