//! A conversation as an author writes it.

use super::fields::PATTERNS;
use super::keywords::{TITLE, Tongue};
use super::{Conversation, Step};
use serde::Serialize;
use serde_json::{Map, Value};

pub(super) fn conversation(conversation: &Conversation, tongue: Tongue) -> String {
    let mut text = format!("{TITLE} {}\n", conversation.title);
    for setting in &conversation.settings {
        push_line(&mut text, setting, "setting", tongue);
    }
    if !conversation.settings.is_empty() {
        text.push('\n');
    }
    let mut judged = false;
    for step in &conversation.steps {
        // What must be true stands apart.
        if step.is_then() && !judged && !text.ends_with("\n\n") {
            text.push('\n');
        }
        judged |= step.is_then();
        push_line(&mut text, step, "step", tongue);
    }
    text
}

fn push_line(text: &mut String, written: &impl Serialize, tag: &str, tongue: Tongue) {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(written) else { return };
    let id = fields.remove(tag);
    let Some(id) = id.as_ref().and_then(Value::as_str) else { return };
    if let Some(line) = line(id, tag == "setting", &fields, tongue) {
        text.push_str(&line);
        text.push('\n');
    }
}

fn line(id: &str, setting: bool, fields: &Map<String, Value>, tongue: Tongue) -> Option<String> {
    let patterns = PATTERNS.iter();
    let of_row = patterns.filter(|one| one.row.id == id && one.setting == setting && one.tongue == tongue);
    of_row.into_iter().find_map(|pattern| pattern.write(fields))
}

/// A step alone, for reports.
pub(super) fn step(step: &Step, tongue: Tongue) -> String {
    let mut text = String::new();
    push_line(&mut text, step, "step", tongue);
    text.trim_end().to_owned()
}
