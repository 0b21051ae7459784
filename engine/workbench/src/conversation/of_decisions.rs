//! A call that was decided in the simulator, as the steps of a conversation: for whoever writes down what happened.

use super::Step;
use super::request::path_of;
use gudok_simulator::decide::{BackEndChoice, Decision, DirectoryChoice, Fetches, Moment, QueueChoice, TransferChoice};
use serde_json::Value;

/// What a transcript's line says, where the script says it; the rest follows from what is decided.
pub(crate) fn said(line: &str) -> Option<Step> {
    line.strip_prefix("host: ").map(|words| Step::Says { words: words.to_owned() })
}

/// What was said last was a question.
pub(crate) fn asks(steps: &mut [Step]) {
    if let Some(last) = steps.last_mut()
        && let Step::Says { words } = last
    {
        *last = Step::Asks { words: std::mem::take(words) };
    }
}

/// What was decided at a moment. None where no line says it: things went their usual way, or the decision is for another
/// moment.
pub(crate) fn step(moment: &Moment, decision: &Decision) -> Option<Step> {
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
    let (method, path) = (request.method.as_str().to_owned(), path_of(&request.url).to_owned());
    let (status, body) = match choice {
        BackEndChoice::Answers(status, body) => (*status, (!body.is_empty()).then(|| body_of(body))),
        BackEndChoice::Nonsense => (200, Some(Value::String("{]".to_owned()))),
        BackEndChoice::Unreachable => return Step::BackEndFails { method, path, sent: None },
        BackEndChoice::Hangs => return Step::BackEndNeverAnswers { method, path, sent: None },
    };
    Step::BackEndAnswers { method, path, sent: None, status, body }
}

/// JSON stays JSON: an author reads that. All else is a text, a bare JSON string too, which would lose its quotation marks
/// as a value.
fn body_of(body: &str) -> Value {
    serde_json::from_str(body)
        .ok()
        .filter(|value: &Value| !value.is_string())
        .unwrap_or_else(|| Value::String(body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_plugin_host::ports::FetchMethod;
    use std::time::Duration;

    fn asked() -> Moment {
        Moment::Fetches(Fetches {
            method: FetchMethod::Post,
            url: "https://agency.example/places?day=1".into(),
            body: Vec::new(),
            timeout: Duration::from_secs(1),
            step: None,
        })
    }

    #[test]
    fn decisions_are_steps() {
        let of = |decision: &str| step(&asked(), &decision.parse().unwrap());
        assert_eq!(of("go-on"), None);
        assert_eq!(of("12#"), Some(Step::Presses { keys: "12#".into() }));
        assert_eq!(of("transfer:unavailable"), Some(Step::OperatorUnreachable));
        let (method, path) = ("POST".to_owned(), "/places?day=1".to_owned());
        assert_eq!(of("back-end:hangs"), Some(Step::BackEndNeverAnswers { method, path, sent: None }));
        assert_eq!(step(&Moment::Directory("faq"), &"back-end:hangs".parse().unwrap()), None);
    }

    #[test]
    fn a_body_is_json_or_a_text() {
        let check = |body: &str, expect: Option<Value>| {
            let decision = Decision::BackEnd(BackEndChoice::Answers(200, body.to_owned()));
            let (method, path) = ("POST".to_owned(), "/places?day=1".to_owned());
            let expect = Step::BackEndAnswers { method, path, sent: None, status: 200, body: expect };
            assert_eq!(step(&asked(), &decision), Some(expect), "{body}");
        };
        check("", None);
        check("{\"place\":3}", Some(serde_json::json!({ "place": 3 })));
        check("[1]", Some(serde_json::json!([1])));
        check("closed today", Some(Value::String("closed today".into())));
        check("\"closed\"", Some(Value::String("\"closed\"".into())));
    }

    #[test]
    fn what_was_said_last_was_a_question() {
        let mut steps: Vec<Step> =
            ["host: Good day.", "caller: 1", "host: Press 1."].into_iter().filter_map(said).collect();
        asks(&mut steps);
        asks(&mut steps);
        assert_eq!(steps, [Step::Says { words: "Good day.".into() }, Step::Asks { words: "Press 1.".into() }]);
        asks(&mut []);
    }
}
