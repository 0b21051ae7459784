//! Answers of back ends that the project's conversations have ready: offered where a script asks its back end.

use crate::conversation::request::is_path;
use crate::conversation::{self, Conversation, Setting, Step};
use gudok_simulator::decide::{BackEndChoice, Decision, Fetches};
use serde_json::Value;
use std::path::Path;

/// Answers that are offered at once.
const OFFERED_MAX: usize = 9;

/// All that there are.
#[derive(Debug, Default)]
pub(super) struct Examples(Vec<Example>);

#[derive(Clone, PartialEq, Debug)]
struct Example {
    method: String,
    path: String,
    answer: Decision,
}

impl Examples {
    /// Of a project's folder `tests`. A file that is not understood is left out: `gudok test` says what is wrong with it.
    pub(super) fn of_folder(tests: &Path) -> Self {
        let mut files: Vec<_> = std::fs::read_dir(tests)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "talk"));
        files.sort();
        let mut examples = Vec::new();
        for path in files {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let written = conversation::parse(&path.to_string_lossy(), &text).unwrap_or_default();
            examples.extend(written.iter().flat_map(|one| of_conversation(&one.conversation)));
        }
        Self(examples)
    }

    /// Those for a request, each once, the first one first.
    pub(super) fn of(&self, request: &Fetches) -> Vec<Decision> {
        let mut found: Vec<Decision> = Vec::new();
        for example in self.0.iter().filter(|example| example.is_for(request)) {
            if !found.contains(&example.answer) && found.len() < OFFERED_MAX {
                found.push(example.answer.clone());
            }
        }
        found
    }
}

impl Example {
    fn is_for(&self, request: &Fetches) -> bool {
        self.method.eq_ignore_ascii_case(request.method.as_str()) && is_path(&self.path, &request.url)
    }
}

fn of_conversation(conversation: &Conversation) -> Vec<Example> {
    let example = |method: &str, path: &str, status: u16, body: Option<&Value>| Example {
        method: method.to_owned(),
        path: path.to_owned(),
        answer: Decision::BackEnd(BackEndChoice::Answers(status, body.map(text_of).unwrap_or_default())),
    };
    let ready = conversation.settings.iter().filter_map(|setting| match setting {
        Setting::BackEndAnswers { method, path, status, body } => Some(example(method, path, *status, body.as_ref())),
        _ => None,
    });
    let told = conversation.steps.iter().filter_map(|step| match step {
        Step::BackEndAnswers { method, path, status, body, .. } => Some(example(method, path, *status, body.as_ref())),
        _ => None,
    });
    ready.chain(told).collect()
}

/// A text is sent as it is, anything else as JSON.
fn text_of(body: &Value) -> String {
    body.as_str().map_or_else(|| body.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_plugin_host::ports::FetchMethod;
    use std::time::Duration;

    fn asks(method: FetchMethod, url: &str) -> Fetches {
        Fetches { method, url: url.into(), body: Vec::new(), timeout: Duration::from_secs(5), step: None }
    }

    #[test]
    fn the_projects_own_answers_are_offered() {
        let folder = tempfile::tempdir().unwrap();
        let mut conversation = Conversation::new("Slots");
        let body = serde_json::json!({ "free": [1] });
        conversation.settings.push(Setting::BackEndAnswers {
            method: "GET".into(),
            path: "/slots…".into(),
            status: 200,
            body: Some(body),
        });
        conversation.steps.push(Step::BackEndAnswers {
            method: "GET".into(),
            path: "/slots?day=5".into(),
            sent: None,
            status: 503,
            body: None,
        });
        let text = conversation.to_text(conversation::Tongue::English);
        std::fs::write(folder.path().join("a.talk"), text).unwrap();
        std::fs::write(folder.path().join("broken.talk"), "== x\nno such thing\n").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "nothing").unwrap();
        let examples = Examples::of_folder(folder.path());
        let words = |method, url| examples.of(&asks(method, url)).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            words(FetchMethod::Get, "https://x.example/slots?day=5"),
            ["back-end:200:{\"free\":[1]}", "back-end:503"]
        );
        assert!(words(FetchMethod::Post, "https://x.example/slots?day=5").is_empty());
        assert!(Examples::of_folder(&folder.path().join("none")).of(&asks(FetchMethod::Get, "/")).is_empty());
    }
}
