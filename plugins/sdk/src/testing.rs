//! Conversations as code: what the caller does, what the script says, what must be true then.
//!
//! A project's `tests/conversations.rs` gives them to [`print()`] in a test of its own, and `gudok test` tries them beside the
//! files `tests/*.talk`:
//!
//! ```
//! use gudok_sdk::testing::{Conversation, print};
//!
//! # /*
//! #[test]
//! # */
//! fn conversations() {
//!     print((1..=3).map(|key| {
//!         Conversation::new(&format!("Key {key} leads to an office"))
//!             .asks("Choose an office…")
//!             .presses(&key.to_string())
//!             .says("The office is open…")
//!             .then_result("served")
//!     }));
//! }
//! # conversations();
//! ```
//!
//! Words are compared as they are heard: case and punctuation do not count, and `…` stands for any words. What happens is
//! written in its order, and what must be true then comes last.

use serde_json::{Map, Value, json};
use std::io::Write;

/// The version of what is printed.
const FORMAT: u32 = 1;
/// `gudok test` says in it to which file the conversations go.
const OUT: &str = "GUDOK_CONVERSATIONS";

/// One call, told in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Conversation {
    title: String,
    settings: Vec<Value>,
    steps: Vec<Value>,
}

/// Prints conversations for `gudok test`.
///
/// # Panics
/// Where the file that `gudok test` named cannot be written: the test fails then.
pub fn print(conversations: impl IntoIterator<Item = Conversation>) {
    let all: Vec<Value> = conversations.into_iter().map(Conversation::into_json).collect();
    let text = json!({ "format": FORMAT, "conversations": all }).to_string();
    match std::env::var_os(OUT) {
        Some(file) => std::fs::write(&file, text).expect("the file is one of gudok's own"),
        None => {
            // Nobody reads it where standard output is gone.
            let _ = writeln!(std::io::stdout().lock(), "{text}");
        }
    }
}

impl Conversation {
    /// With that title: what it shows, in a few words.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), settings: Vec::new(), steps: Vec::new() }
    }

    fn into_json(self) -> Value {
        json!({ "title": self.title, "settings": self.settings, "steps": self.steps })
    }

    fn setting(mut self, name: &str, fields: Value) -> Self {
        self.settings.push(tagged("setting", name, fields));
        self
    }

    fn step(mut self, name: &str, fields: Value) -> Self {
        self.steps.push(tagged("step", name, fields));
        self
    }

    /// The call begins then: "2026-05-05 12:00".
    #[must_use]
    pub fn at(self, time: &str) -> Self {
        self.setting("at", json!({ "time": time }))
    }

    /// In that time zone: "Europe/Moscow".
    #[must_use]
    pub fn zone(self, zone: &str) -> Self {
        self.setting("zone", json!({ "zone": zone }))
    }

    /// The caller's number: "+79990000001".
    #[must_use]
    pub fn from(self, number: &str) -> Self {
        self.setting("from", json!({ "number": number }))
    }

    /// The caller withholds the number.
    #[must_use]
    pub fn withheld(self) -> Self {
        self.setting("withheld", json!({}))
    }

    /// The call begins in that language: "ru-RU".
    #[must_use]
    pub fn language(self, language: &str) -> Self {
        self.setting("language", json!({ "language": language }))
    }

    /// The script is called under that entry.
    #[must_use]
    pub fn entry(self, entry: &str) -> Self {
        self.setting("entry", json!({ "entry": entry }))
    }

    /// A value of the configuration.
    #[must_use]
    pub fn config(self, key: &str, value: &str) -> Self {
        self.setting("config", json!({ "key": key, "value": value }))
    }

    /// A secret's text: "Bearer abc".
    #[must_use]
    pub fn secret(self, name: &str, value: &str) -> Self {
        self.setting("secret", json!({ "name": name, "value": value }))
    }

    /// What is stored beforehand; a text as it is, anything else as JSON.
    #[must_use]
    pub fn stored(self, bucket: &str, key: &str, value: impl Into<Value>) -> Self {
        self.setting("stored", json!({ "bucket": bucket, "key": key, "value": value.into() }))
    }

    /// A column of the contact whom a campaign calls.
    #[must_use]
    pub fn contact(self, name: &str, value: &str) -> Self {
        self.setting("contact", json!({ "name": name, "value": value }))
    }

    /// An answering machine takes the call.
    #[must_use]
    pub fn answered_by_machine(self) -> Self {
        self.setting("answered-by-machine", json!({}))
    }

    /// What the back end answers to every such request that no step is for.
    #[must_use]
    pub fn back_end(self, method: &str, path: &str, status: u16, body: impl Into<Value>) -> Self {
        self.setting("back-end-answers", answered(method, path, status, body.into()))
    }

    /// What is left to chance comes from here.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.setting("seed", json!({ "seed": seed }))
    }

    /// The script says so.
    #[must_use]
    pub fn says(self, words: &str) -> Self {
        self.step("says", json!({ "words": words }))
    }

    /// The script asks with these words, and waits for keys.
    #[must_use]
    pub fn asks(self, words: &str) -> Self {
        self.step("asks", json!({ "words": words }))
    }

    /// Asked, the caller presses these keys.
    #[must_use]
    pub fn presses(self, keys: &str) -> Self {
        self.step("presses", json!({ "keys": keys }))
    }

    /// While something is said that asks for nothing, the caller presses these keys.
    #[must_use]
    pub fn interrupts(self, keys: &str) -> Self {
        self.step("interrupts", json!({ "keys": keys }))
    }

    /// Asked, the caller presses nothing: once.
    #[must_use]
    pub fn silent(self) -> Self {
        self.step("silent", json!({}))
    }

    /// The caller hangs up.
    #[must_use]
    pub fn hangs_up(self) -> Self {
        self.step("hangs-up", json!({}))
    }

    /// While a message is recorded, the caller speaks for so long.
    #[must_use]
    pub fn speaks(self, seconds: u32) -> Self {
        self.step("speaks", json!({ "seconds": seconds }))
    }

    /// The script asks its back end, which answers; `()` or `Value::Null` is no body.
    #[must_use]
    pub fn back_end_answers(self, method: &str, path: &str, status: u16, body: impl Into<Value>) -> Self {
        self.step("back-end-answers", answered(method, path, status, body.into()))
    }

    /// The same, and that must have been sent: of an object these fields, and it may have more.
    #[must_use]
    pub fn back_end_gets(
        self,
        method: &str,
        path: &str,
        sent: impl Into<Value>,
        status: u16,
        body: impl Into<Value>,
    ) -> Self {
        let mut fields = answered(method, path, status, body.into());
        fields["sent"] = sent.into();
        self.step("back-end-answers", fields)
    }

    /// The script asks its back end, which cannot be reached.
    #[must_use]
    pub fn back_end_fails(self, method: &str, path: &str) -> Self {
        self.step("back-end-fails", json!({ "method": method, "path": path }))
    }

    /// The script asks its back end, which never answers.
    #[must_use]
    pub fn back_end_never_answers(self, method: &str, path: &str) -> Self {
        self.step("back-end-never-answers", json!({ "method": method, "path": path }))
    }

    /// Whom the caller is handed to answers, and talks for so long.
    #[must_use]
    pub fn operator_answers(self, seconds: u32) -> Self {
        self.step("operator-answers", json!({ "seconds": seconds }))
    }

    /// An operator of the queue answers, and talks for so long.
    #[must_use]
    pub fn queue_answers(self, seconds: u32) -> Self {
        self.step("queue-answers", json!({ "seconds": seconds }))
    }

    /// Then the result is that: "served", a code of its own; of a campaign "delivered", "confirmed".
    #[must_use]
    pub fn then_result(self, code: &str) -> Self {
        self.step("then-result", json!({ "code": code }))
    }

    /// Then the result has that field.
    #[must_use]
    pub fn then_field(self, name: &str, value: &str) -> Self {
        self.step("then-field", json!({ "name": name, "value": value }))
    }

    /// Then the script named that step.
    #[must_use]
    pub fn then_reached(self, name: &str) -> Self {
        self.step("then-reached", json!({ "name": name }))
    }

    /// Then the script did not name that step.
    #[must_use]
    pub fn then_not_reached(self, name: &str) -> Self {
        self.step("then-not-reached", json!({ "name": name }))
    }

    /// Then that is stored.
    #[must_use]
    pub fn then_stored(self, bucket: &str, key: &str, value: impl Into<Value>) -> Self {
        self.step("then-stored", json!({ "bucket": bucket, "key": key, "value": value.into() }))
    }

    /// Then nothing is stored there.
    #[must_use]
    pub fn then_not_stored(self, bucket: &str, key: &str) -> Self {
        self.step("then-not-stored", json!({ "bucket": bucket, "key": key }))
    }

    /// Then such a ticket is registered: "complaint".
    #[must_use]
    pub fn then_ticket(self, kind: &str, agency: &str) -> Self {
        self.step("then-ticket", json!({ "kind": kind, "agency": agency }))
    }

    /// Then that mark was given.
    #[must_use]
    pub fn then_survey(self, survey: &str, question: &str, score: i64) -> Self {
        self.step("then-survey", json!({ "survey": survey, "question": question, "score": score }))
    }

    /// Then a callback is promised by that queue.
    #[must_use]
    pub fn then_callback(self, queue: &str) -> Self {
        self.step("then-callback", json!({ "queue": queue }))
    }

    /// Then the caller was connected to that one.
    #[must_use]
    pub fn then_connected(self, name: &str) -> Self {
        self.step("then-connected", json!({ "name": name }))
    }

    /// Then the caller heard these words.
    #[must_use]
    pub fn then_heard(self, words: &str) -> Self {
        self.step("then-heard", json!({ "words": words }))
    }

    /// Then the caller heard these words from nobody.
    #[must_use]
    pub fn then_never_heard(self, words: &str) -> Self {
        self.step("then-never-heard", json!({ "words": words }))
    }

    /// Then the call took at most so long.
    #[must_use]
    pub fn then_at_most(self, seconds: u32) -> Self {
        self.step("then-at-most", json!({ "seconds": seconds }))
    }

    /// Then the script's processor time is under that.
    #[must_use]
    pub fn then_cpu_under(self, ms: u32) -> Self {
        self.step("then-cpu", json!({ "ms": ms }))
    }

    /// Then the script's memory is under that.
    #[must_use]
    pub fn then_memory_under(self, kib: u32) -> Self {
        self.step("then-memory", json!({ "kib": kib }))
    }

    /// Then a campaign's `prepare` said that: "dial", "skip", "not-before".
    #[must_use]
    pub fn then_plan(self, plan: &str) -> Self {
        self.step("then-plan", json!({ "plan": plan }))
    }
}

/// The steps that have no fields.
macro_rules! plain_steps {
    ($($method:ident $name:literal $doc:literal),* $(,)?) => {
        impl Conversation {
            $(#[doc = $doc]
            #[must_use]
            pub fn $method(self) -> Self {
                self.step($name, json!({}))
            })*
        }
    };
}
plain_steps!(
    operator_busy "operator-busy" "Whom the caller is handed to is busy.",
    operator_silent "operator-silent" "Whom the caller is handed to lets it ring.",
    operator_rejects "operator-rejects" "Whom the caller is handed to refuses.",
    operator_unreachable "operator-unreachable" "The telephone of whom the caller is handed to is not on the net.",
    operator_missing "operator-missing" "There is nobody of the name that the caller is handed to.",
    operators_closed "operators-closed" "Nobody works in the group that the caller is handed to.",
    queue_nobody "queue-nobody" "Nobody of the queue answers in time.",
    queue_closed "queue-closed" "Nobody works in the queue.",
    queue_full "queue-full" "As many wait in the queue as may.",
    queue_missing "queue-missing" "There is no queue of that name.",
    storage_unavailable "storage-unavailable" "The next use of what scripts keep fails.",
    promises_unavailable "promises-unavailable" "The next ticket, callback or mark cannot be written down.",
    directory_unavailable "directory-unavailable" "The next look into the reference data fails.",
    directory_knows_nothing "directory-knows-nothing" "The reference data has nothing of what the script looks for next.",
    then_no_ticket "then-no-ticket" "Then no ticket is registered.",
    then_no_callback "then-no-callback" "Then no callback is promised.",
);

fn answered(method: &str, path: &str, status: u16, body: Value) -> Value {
    let mut fields = json!({ "method": method, "path": path, "status": status });
    if !body.is_null() {
        fields["body"] = body;
    }
    fields
}

fn tagged(tag: &str, name: &str, fields: Value) -> Value {
    let mut tagged = Map::from_iter([(tag.to_owned(), Value::from(name))]);
    if let Value::Object(fields) = fields {
        tagged.extend(fields);
    }
    Value::Object(tagged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_what_gudok_test_reads() {
        let told = Conversation::new("A passport that is ready")
            .config("office", "1")
            .asks("Enter…")
            .presses("1")
            .back_end_gets("POST", "/x", json!({ "a": 1 }), 404, ())
            .queue_full()
            .then_result("served")
            .into_json();
        assert_eq!(
            told,
            json!({
                "title": "A passport that is ready",
                "settings": [{ "setting": "config", "key": "office", "value": "1" }],
                "steps": [
                    { "step": "asks", "words": "Enter…" },
                    { "step": "presses", "keys": "1" },
                    { "step": "back-end-answers", "method": "POST", "path": "/x", "status": 404, "sent": { "a": 1 } },
                    { "step": "queue-full" },
                    { "step": "then-result", "code": "served" }
                ]
            })
        );
    }
}
