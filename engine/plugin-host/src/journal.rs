//! The journal: what a script asked and what it was told, in order, fit to be written down.

use crate::bindings::{
    directory, fetch, input, promises, prompts, queues, recording, storage, telephony, transfer, types,
};
use gudok_core::ids::CallId;
use gudok_core::privacy::PhoneNumber;
use gudok_core::time::Timestamp;
use serde_json::Value;
use wasmtime::component::Resource;

/// Takes the host calls of one call as they happen. Called on the script's thread: hand over and return.
pub trait Journal: Send + Sync {
    /// A host call is over.
    fn record(&self, entry: JournalEntry<'_>);
}

/// One host call.
#[derive(Clone, PartialEq, Debug)]
pub struct JournalEntry<'a> {
    /// The call.
    pub call: CallId,
    /// From 1, without gaps.
    pub seq: u32,
    /// When it was answered; virtual in the simulator.
    pub at: Timestamp,
    /// As in the WIT: "telephony.call.say".
    pub function: &'a str,
    /// A list with the arguments, redacted.
    pub args: Value,
    /// The result, redacted.
    pub result: Value,
}

/// What can stand in a journal. Redaction comes after it, in one place: [`redact`].
pub(crate) trait Recorded {
    fn to_json(&self) -> Value;
}

macro_rules! recorded_by_serde {
    ($($type:ty),* $(,)?) => {
        $(impl Recorded for $type {
            fn to_json(&self) -> Value {
                serde_json::to_value(self).unwrap_or(Value::Null)
            }
        })*
    };
}

recorded_by_serde!(
    (),
    bool,
    char,
    u8,
    u16,
    u32,
    u64,
    i64,
    String,
    Vec<u8>,
    Vec<String>,
    Vec<types::Field>,
    types::CallError,
    types::EndReason,
    types::Datetime,
    types::Promise,
    prompts::Prompt,
    input::CollectOptions,
    input::Outcome,
    telephony::CallInfo,
    telephony::PlaybackEnd,
    telephony::RejectCause,
    telephony::Pace,
    queues::QueueOptions,
    queues::QueueEvent,
    promises::CallbackRequest,
    promises::CallbackOffer,
    promises::Ticket,
    Vec<promises::SurveyAnswer>,
    directory::EntryKind,
    Vec<directory::Office>,
    Vec<directory::Entry>,
    Vec<directory::Answer>,
    recording::RecordOptions,
    recording::Recording,
    transfer::Target,
    transfer::TransferOptions,
    transfer::TransferOutcome,
    storage::Entry,
    storage::CasError,
    fetch::Request,
    fetch::Response,
    crate::bindings::host::Level,
);

impl<T: 'static> Recorded for Resource<T> {
    fn to_json(&self) -> Value {
        Value::from(self.rep())
    }
}

impl<T: Recorded> Recorded for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Recorded::to_json)
    }
}

impl<T: Recorded, E: Recorded> Recorded for Result<T, E> {
    fn to_json(&self) -> Value {
        let (name, value) = match self {
            Ok(value) => ("ok", value.to_json()),
            Err(error) => ("error", error.to_json()),
        };
        Value::Object([(name.to_owned(), value)].into_iter().collect())
    }
}

macro_rules! recorded_tuple {
    ($($name:ident)+) => {
        impl<$($name: Recorded),+> Recorded for ($($name,)+) {
            #[expect(non_snake_case, reason = "one name for the type and its value")]
            fn to_json(&self) -> Value {
                let ($($name,)+) = self;
                Value::Array(vec![$($name.to_json()),+])
            }
        }
    };
}
recorded_tuple!(A);
recorded_tuple!(A B);
recorded_tuple!(A B C);
recorded_tuple!(A B C D);
recorded_tuple!(A B C D E);

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

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::privacy::mask_digit_runs;
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
}
