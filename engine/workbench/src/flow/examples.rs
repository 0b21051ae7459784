//! What exploring is told beside the script: answers of back ends that the script can work with, and digits that fit its
//! questions. They come from the bundle's `data/replies.jsonl`, one object a line
//! (`{"url": "/places", "status": 200, "body": {"place": 3}}`, `{"digits": "123456"}`), and from a project's conversations,
//! where back ends answer and callers press.

use crate::conversation::{self, Setting, Step};
use gudok_plugin_host::Version;
use gudok_simulator::explore::{ExampleReply, ExploreSettings};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The file in a bundle, below `data/`.
const REPLIES: &str = "replies.jsonl";
/// Where a project has its conversations, and how their names end.
const TESTS: &str = "tests";
const TALK: &str = "talk";
/// Of one kind; each multiplies the ways through a script.
const EXAMPLES_MAX: usize = 32;
/// Fewer digits are a key of a menu.
const DIGITS_MIN: usize = 2;

/// What exploring is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examples {
    /// Answers of back ends.
    pub replies: Vec<ExampleReply>,
    /// Digits that fit.
    pub digits: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    url: String,
    status: Option<u16>,
    #[serde(default)]
    body: Value,
    digits: Option<String>,
}

impl Examples {
    /// Those of a bundle.
    ///
    /// # Errors
    /// Where its file cannot be read: the line, and what is wrong with it.
    pub fn of_version(version: &Version) -> Result<Self, String> {
        version.data(REPLIES).map_or_else(|| Ok(Self::default()), Self::of_lines)
    }

    fn of_lines(bytes: &[u8]) -> Result<Self, String> {
        let mut examples = Self::default();
        for (number, line) in (1..).zip(String::from_utf8_lossy(bytes).lines()) {
            if line.trim().is_empty() {
                continue;
            }
            let row: Row = serde_json::from_str(line).map_err(|error| {
                format!(
                    "data/{REPLIES}:{number}: {error}; a line is {{\"url\", \"status\", \"body\"}} or {{\"digits\"}}"
                )
            })?;
            if let Some(status) = row.status {
                examples.reply(&row.url, status, &row.body);
            }
            examples.digits.extend(row.digits);
        }
        Ok(examples)
    }

    /// Those of a project's conversations. A file that is not understood is `gudok test`'s to tell of.
    #[must_use]
    pub fn of_project(folder: &Path) -> Self {
        let mut examples = Self::default();
        let Ok(files) = std::fs::read_dir(folder.join(TESTS)) else { return examples };
        let mut files: Vec<_> = files.filter_map(Result::ok).map(|file| file.path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == TALK));
        files.sort();
        for file in files {
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            let known = conversation::parse(&file.to_string_lossy(), &text).unwrap_or_default();
            for written in known {
                examples.hear(&written.conversation);
            }
        }
        examples
    }

    fn hear(&mut self, conversation: &conversation::Conversation) {
        let nothing = Value::Null;
        for setting in &conversation.settings {
            if let Setting::BackEndAnswers { path, status, body, .. } = setting {
                self.reply(path, *status, body.as_ref().unwrap_or(&nothing));
            }
        }
        for step in &conversation.steps {
            match step {
                Step::BackEndAnswers { path, status, body, .. } => {
                    self.reply(path, *status, body.as_ref().unwrap_or(&nothing));
                }
                Step::Presses { keys } if keys.len() >= DIGITS_MIN && !self.digits.contains(keys) => {
                    self.digits.push(keys.clone());
                }
                _ => {}
            }
        }
    }

    fn reply(&mut self, url: &str, status: u16, body: &Value) {
        // What is asked for and what is left out is not part of the address.
        let url_part = url.split(['?', '…']).next().unwrap_or_default().to_owned();
        let body = match body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        let reply = ExampleReply { url_part, status, body };
        if !self.replies.contains(&reply) {
            self.replies.push(reply);
        }
    }

    /// Tells exploring of them, after what it was told already.
    pub fn tell(self, settings: &mut ExploreSettings) {
        for reply in self.replies {
            if !settings.replies.contains(&reply) && settings.replies.len() < EXAMPLES_MAX {
                settings.replies.push(reply);
            }
        }
        for digits in self.digits {
            if !settings.entries.contains(&digits) && settings.entries.len() < EXAMPLES_MAX {
                settings.entries.push(digits);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(url_part: &str, status: u16, body: &str) -> ExampleReply {
        ExampleReply { url_part: url_part.to_owned(), status, body: body.to_owned() }
    }

    #[test]
    fn a_bundle_has_a_line_for_each() {
        let lines = "{\"url\":\"/places\",\"status\":200,\"body\":{\"place\":3}}\n\n{\"status\":404}\n{\"digits\":\"123456\"}\n";
        let examples = Examples::of_lines(lines.as_bytes()).unwrap();
        assert_eq!(examples.replies, [reply("/places", 200, "{\"place\":3}"), reply("", 404, "")]);
        assert_eq!(examples.digits, ["123456"]);
        let error = Examples::of_lines(b"{\"status\":200}\n{\"code\":1}").unwrap_err();
        assert!(error.starts_with("data/replies.jsonl:2:") && error.contains("code"), "{error}");
    }

    #[test]
    fn a_project_s_conversations_know_more() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(TESTS)).unwrap();
        let mut told = conversation::Conversation::new("A place in the queue");
        told.settings.push(Setting::BackEndAnswers {
            method: "GET".into(),
            path: "/open?day=1".into(),
            status: 204,
            body: None,
        });
        told.steps.push(Step::Presses { keys: "1".into() });
        told.steps.push(Step::Presses { keys: "123456".into() });
        told.steps.push(Step::BackEndAnswers {
            method: "POST".into(),
            path: "/places".into(),
            sent: None,
            status: 200,
            body: Some(serde_json::json!({ "place": 3 })),
        });
        let text = told.to_text(conversation::Tongue::English);
        std::fs::write(folder.path().join("tests/a.talk"), text).unwrap();
        std::fs::write(folder.path().join("tests/b.talk"), "nonsense").unwrap();
        let examples = Examples::of_project(folder.path());
        assert_eq!(examples.replies, [reply("/open", 204, ""), reply("/places", 200, "{\"place\":3}")]);
        assert_eq!(examples.digits, ["123456"]);
        let mut settings = ExploreSettings::new(".");
        settings.entries.push("123456".to_owned());
        examples.tell(&mut settings);
        assert_eq!((settings.replies.len(), settings.entries.len()), (2, 1));
        assert_eq!(Examples::of_project(&folder.path().join("nowhere")), Examples::default());
    }
}
