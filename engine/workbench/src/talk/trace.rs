//! What the script asked of the host, as the journal has it: for `log` and `why`. Numbers, keys and bodies are masked there.

use gudok_plugin_host::journal::{Journal, JournalEntry};
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::Arc;

/// Host calls that are kept of one call; the first go first.
const CALLS_MAX: usize = 5_000;
/// Of one call's arguments or result, so much is shown.
const CHARS_SHOWN: usize = 160;
const LOG: &str = "host.log";
const STEP: &str = "host.step";

/// The host calls of the call that is up.
#[derive(Debug, Default)]
pub(super) struct Trace(Mutex<Vec<HostCall>>);

/// One of them.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct HostCall {
    function: String,
    args: Value,
    result: Value,
}

impl Trace {
    /// How many there are so far.
    pub(super) fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// From that one on, a line each.
    pub(super) fn since(&self, first: usize) -> Vec<String> {
        self.0.lock().iter().skip(first).map(HostCall::line).collect()
    }

    /// What the script told its author: steps and log lines.
    pub(super) fn log(&self) -> Vec<String> {
        self.0.lock().iter().filter_map(HostCall::told).collect()
    }
}

impl Journal for Trace {
    fn record(&self, entry: JournalEntry<'_>) {
        let mut calls = self.0.lock();
        if calls.len() >= CALLS_MAX {
            calls.remove(0);
        }
        calls.push(HostCall { function: entry.function.to_owned(), args: entry.args, result: entry.result });
    }
}

/// For a world, which wants it as a journal.
pub(super) fn journal(trace: &Arc<Trace>) -> Arc<dyn Journal> {
    Arc::clone(trace) as Arc<dyn Journal>
}

impl HostCall {
    fn line(&self) -> String {
        let args = match &self.args {
            Value::Array(args) => {
                args.iter().skip(usize::from(self.has_self())).map(brief).collect::<Vec<_>>().join(", ")
            }
            other => brief(other),
        };
        let result = match self.result.get("ok") {
            Some(Value::Null) => String::new(),
            Some(value) => format!(" → {}", brief(value)),
            None if self.result.is_null() => String::new(),
            None => format!(" → {}", brief(&self.result)),
        };
        format!("{}({}){}", self.function, cut(&args), cut(&result))
    }

    /// A method's first argument is the handle that it is called on.
    fn has_self(&self) -> bool {
        self.function.split('.').count() > 2 && self.args.get(0).is_some_and(Value::is_u64)
    }

    fn told(&self) -> Option<String> {
        let text = |at: usize| self.args.get(at).map(|arg| arg.as_str().map_or_else(|| arg.to_string(), str::to_owned));
        match self.function.as_str() {
            STEP => Some(format!("step {}", text(0)?)),
            LOG => {
                let fields: Vec<String> =
                    self.args.get(2).and_then(Value::as_array).into_iter().flatten().map(field).collect();
                let level = text(0)?.to_lowercase();
                Some(format!("{level:<5} {} {}", text(1)?, fields.join(" ")).trim_end().to_owned())
            }
            _ => None,
        }
    }
}

fn field(field: &Value) -> String {
    let part = |name: &str| field.get(name).map(brief).unwrap_or_default();
    format!("{}={}", part("name"), part("value"))
}

/// Without quotes around a text, without what is not there.
fn brief(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let parts: Vec<String> = fields
                .iter()
                .filter(|(_, value)| !matches!(value, Value::Null))
                .map(|(name, value)| format!("{name}: {}", brief(value)))
                .collect();
            format!("{{{}}}", parts.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(brief).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(CHARS_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn call(function: &str, args: Value, result: Value) -> HostCall {
        HostCall { function: function.into(), args, result }
    }

    #[test]
    fn host_calls_are_read_as_a_script_writes_them() {
        let check = |call: HostCall, expect: &str| assert_eq!(call.line(), expect);
        check(
            call("telephony.call.say", json!([0, {"segments": [{"Text": "Да"}]}]), json!({"ok": "Finished"})),
            "telephony.call.say({segments: [{Text: Да}]}) → Finished",
        );
        check(
            call("storage.bucket.put", json!([3, "key", "<9 bytes>"]), json!({"ok": null})),
            "storage.bucket.put(key, <9 bytes>)",
        );
        check(
            call("fetch.fetch", json!([{"url": "https://x", "body": null}]), json!({"error": "Timeout"})),
            "fetch.fetch({url: https://x}) → {error: Timeout}",
        );
        let long = call("host.log", json!(["Info", "я".repeat(500), []]), Value::Null).line();
        assert!(long.chars().count() < 200 && long.ends_with("…)"), "{long}");
    }

    #[test]
    fn what_was_told_to_the_author_is_apart() {
        let step = call(STEP, json!(["menu"]), Value::Null);
        assert_eq!(step.told().unwrap(), "step menu");
        let log = call(LOG, json!(["Warn", "no slots", [{"name": "day", "value": "5"}]]), Value::Null);
        assert_eq!(log.told().unwrap(), "warn  no slots day=5");
        assert_eq!(call("telephony.call.say", json!([0]), Value::Null).told(), None);
        // Whatever shape it has.
        for args in [json!([]), json!(null), json!([1, 2, 3]), json!(["a", ["b"], {"c": 1}])] {
            let _ = (call(LOG, args.clone(), json!([])).told(), call(STEP, args, json!(1)).line());
        }
    }
}
