//! What of a host call may be shown: the one place where values are masked for people.

use gudok_core::privacy::{PhoneNumber, mask_digit_runs};
use serde_json::Value;

/// Takes out of a host call's arguments what a script tells operators and agencies of a person, and what it says to the
/// caller once and for this ear only: it may be anything.
pub(crate) fn withhold(args: &mut Value) {
    match args {
        Value::Array(items) => items.iter_mut().for_each(withhold),
        Value::Object(fields) => {
            let private = fields.get("cacheable") == Some(&Value::Bool(false));
            for (name, field) in fields.iter_mut() {
                match (name.as_str(), &mut *field) {
                    ("segments", Value::Array(pieces)) if private => {
                        *field = Value::String(format!("<{} pieces>", pieces.len()));
                    }
                    ("fields" | "screen_pop", Value::Array(told)) => {
                        told.iter_mut().filter_map(|field| field.get_mut("value")).for_each(count_only);
                    }
                    _ => withhold(field),
                }
            }
            if fields.contains_key("question") {
                fields.get_mut("text").into_iter().for_each(count_only);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn count_only(value: &mut Value) {
    if let Value::String(text) = value {
        *text = format!("<{} characters>", text.chars().count());
    }
}

/// Takes out what must not be written down: numbers of telephones, keys, bodies, long digit runs, and what `scrub` finds
/// in a text. With `sensitive`, whatever a person entered.
pub(crate) fn redact(value: &mut Value, sensitive: bool, scrub: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = scrub(text),
        Value::Array(items) if items.len() > 4 && items.iter().all(Value::is_u64) => {
            *value = Value::String(format!("<{} bytes>", items.len()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, sensitive, scrub)),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match (name.as_str(), &mut *field) {
                    (
                        "caller" | "called" | "diversion" | "number" | "Number" | "phone" | "Phone" | "contact",
                        Value::String(number),
                    ) => {
                        *number = PhoneNumber::new(number).masked();
                    }
                    ("raw" | "NoMatch" | "interrupted_by", Value::String(keys)) => {
                        *keys = format!("<{} keys>", keys.chars().count());
                    }
                    ("body" | "value", Value::Array(bytes)) if bytes.iter().all(Value::is_u64) => {
                        *field = Value::String(format!("<{} bytes>", bytes.len()));
                    }
                    ("value", entered) if sensitive => *entered = Value::String("<sensitive>".into()),
                    ("url", Value::String(url)) => *url = url.split(['?', '#']).next().unwrap_or_default().to_owned(),
                    _ => redact(field, sensitive, scrub),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a collect's arguments say that its answer is sensitive.
pub(crate) fn is_sensitive(args: &Value) -> bool {
    let says = |arg: &Value| arg.get("sensitive").and_then(Value::as_bool).unwrap_or(false);
    args.as_array().is_some_and(|args| args.iter().any(says))
}

/// Texts that must not be shown wherever they stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hides {
    secrets: Vec<String>,
    personal: Vec<String>,
    entered: Vec<String>,
}

impl Hides {
    /// Shorter values say little of a person, and stand in many a word.
    const CHARS_MIN: usize = 4;

    /// With the secrets that a script had in its hands, and what it was told of a person.
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = &'a str>, personal: impl Iterator<Item = &'a str>) -> Self {
        let longest_first = |mut texts: Vec<String>| {
            // A longer value may hold a shorter one.
            texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
            texts
        };
        let secrets = secrets.filter(|text| !text.is_empty()).map(str::to_owned).collect();
        let personal = personal.filter(|text| text.chars().count() >= Self::CHARS_MIN).map(str::to_owned).collect();
        Self { secrets: longest_first(secrets), personal: longest_first(personal), entered: Vec::new() }
    }

    /// Remembers what was answered to a sensitive question, wherever in the answer it stands.
    pub(crate) fn learn(&mut self, answer: &Value) {
        match answer {
            // What a closed set of words has is no secret: "ByKeys".
            Value::String(text)
                if text.chars().count() >= Self::CHARS_MIN
                    && text.bytes().any(|byte| byte.is_ascii_digit())
                    && !self.entered.contains(text) =>
            {
                self.entered.push(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.learn(field)),
            _ => {}
        }
    }

    /// The text without what must not be shown.
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        let kinds = [(&self.secrets, "<secret>"), (&self.personal, "<contact>"), (&self.entered, "<sensitive>")];
        for (texts, instead) in kinds {
            for hidden in texts {
                if clean.contains(hidden.as_str()) {
                    clean = clean.replace(hidden.as_str(), instead);
                }
            }
        }
        mask_digit_runs(&clean)
    }

    /// A number that was entered under a sensitive question and is spoken or sent as one.
    pub(crate) fn hides_number(&self, number: &serde_json::Number) -> bool {
        let digits = number.to_string();
        let same = |entered: &String| entered.trim_start_matches('0') == digits;
        self.entered.iter().any(same)
    }
}

/// Takes the numbers out that must not be shown.
pub(crate) fn redact_numbers(value: &mut Value, hides: &Hides) {
    match value {
        Value::Number(number) if hides.hides_number(number) => *value = Value::String("<sensitive>".into()),
        Value::Array(items) => items.iter_mut().for_each(|item| redact_numbers(item, hides)),
        Value::Object(fields) => fields.values_mut().for_each(|field| redact_numbers(field, hides)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_must_not_be_written_down_is_not() {
        let check = |mut value: Value, sensitive: bool, expect: Value| {
            redact(&mut value, sensitive, &|text| mask_digit_runs(text));
            assert_eq!(value, expect);
        };
        check(json!({"caller": "+79131234567"}), false, json!({"caller": "+7********67"}));
        check(json!([{"Number": "+79131234567"}]), false, json!([{"Number": "+7********67"}]));
        check(
            json!({"ok": {"raw": "1234", "value": {"Text": "1234"}}}),
            false,
            json!({"ok": {"raw": "<4 keys>", "value": {"Text": "1234"}}}),
        );
        check(
            json!({"ok": {"raw": "1234", "value": {"Text": "1234"}}}),
            true,
            json!({"ok": {"raw": "<4 keys>", "value": "<sensitive>"}}),
        );
        check(
            json!({"body": [1, 2], "url": "https://x/y?token=1"}),
            false,
            json!({"body": "<2 bytes>", "url": "https://x/y"}),
        );
        check(json!("код 112-233-445 95"), false, json!("код ***-***-*** **"));
        check(json!([1, 2, 3, 4, 5]), false, json!("<5 bytes>"));
        check(json!([3, {"text": "да"}]), false, json!([3, {"text": "да"}]));
    }

    #[test]
    fn what_was_entered_under_a_sensitive_question_is_hidden_ever_after() {
        let mut hides = Hides::new(["hunter2"].into_iter(), ["Анна", "ул"].into_iter());
        hides.learn(&json!({"ok": {"Ok": {"raw": "04321", "mode": "ByKeys", "value": {"Text": "04321"}}}}));
        assert_eq!(hides.hide("key hunter2, Анна, ул, code 04321."), "key <secret>, <contact>, ул, code <sensitive>.");
        let mut said = json!([{"Number": {"value": 4321}}, {"Number": {"value": 43}}, "ByKeys"]);
        redact_numbers(&mut said, &hides);
        assert_eq!(said, json!([{"Number": {"value": "<sensitive>"}}, {"Number": {"value": 43}}, "ByKeys"]));
    }
}
