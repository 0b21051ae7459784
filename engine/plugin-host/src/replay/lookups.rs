//! What is looked up: storage, back ends, the directory, secrets. The same question has the same answer, in whatever order
//! it is asked.

use super::follow::Entry;
use super::nowhere::text_at;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a version looked up: the function, and its arguments with names in the place of handles.
type Key = (String, Value);

/// The lookups of a journal, and those of the version that asks now.
#[derive(Default)]
pub(super) struct Lookups {
    /// Of each entry of the journal that is a lookup.
    keys: Vec<Option<Key>>,
    names: Names,
    /// What the version has written by now: bucket and key, and what stands there.
    written: BTreeMap<(String, String), Value>,
    /// Requests under way, by handle: the journal's entry that has their answer.
    pending: BTreeMap<u64, usize>,
}

/// What handles stand for.
#[derive(Default)]
struct Names {
    buckets: BTreeMap<u64, String>,
    secrets: BTreeMap<u64, String>,
}

/// What a lookup comes to.
pub(super) enum Found {
    /// This entry of the journal.
    Entry(usize),
    /// This answer, which stands in no entry as it is.
    Answer {
        result: Value,
        differs: Option<&'static str>,
    },
    /// The host's own answer: a handle.
    Own(usize),
    Nothing,
}

impl Names {
    /// Learns from a host call that was answered what its handle stands for.
    fn learn(&mut self, function: &str, args: &Value, result: Option<&Value>) {
        let handle = result.and_then(|result| result.get("ok")).and_then(Value::as_u64);
        let (Some(handle), Some(name)) = (handle, text_at(args, 0)) else { return };
        match function {
            "storage.bucket.open" => drop(self.buckets.insert(handle, name.to_owned())),
            "secrets.secret-named" => drop(self.secrets.insert(handle, name.to_owned())),
            _ => {}
        }
    }

    /// What is looked up, without handles.
    fn key(&self, function: &str, args: &Value) -> Key {
        let named = |names: &BTreeMap<u64, String>, handle: &Value| {
            json!(handle.as_u64().and_then(|handle| names.get(&handle)))
        };
        let mut args = args.clone();
        let Value::Array(items) = &mut args else { return (function.to_owned(), args) };
        match function {
            "storage.bucket.set" => items.truncate(2),
            // Whether it waits for the answer at once is no other request.
            "fetch.send" | "fetch.start" => {
                let request = &items[0];
                let asked = json!([request["method"], request["url"], request["body"], request["idempotency_key"]]);
                let secret = named(&self.secrets, items.get(1).unwrap_or(&Value::Null));
                return ("fetch".to_owned(), json!([asked, secret]));
            }
            _ => {}
        }
        if let Some(handle) = items.first_mut() {
            match function.split('.').next() {
                Some("storage") => *handle = named(&self.buckets, handle),
                Some("secrets-reveal") => *handle = named(&self.secrets, handle),
                _ => {}
            }
        }
        (function.to_owned(), args)
    }
}

impl Lookups {
    pub(super) fn new(entries: &[Entry]) -> Self {
        let mut names = Names::default();
        let keys = entries.iter().map(|entry| {
            let key = entry.is_lookup().then(|| names.key(&entry.function, &entry.args));
            names.learn(&entry.function, &entry.args, entry.result.as_ref());
            key
        });
        Self { keys: keys.collect(), ..Self::default() }
    }

    /// A host call was answered.
    pub(super) fn learn(&mut self, function: &str, args: &Value, result: &Value) {
        self.names.learn(function, args, Some(result));
        if function == "storage.bucket.set" && result.get("ok").is_some() {
            let written = json!({"value": args.get(2), "version": result["ok"]});
            self.written.insert(self.place(args), written);
        }
        if function == "storage.bucket.delete" {
            self.written.insert(self.place(args), Value::Null);
        }
    }

    fn place(&self, args: &Value) -> (String, String) {
        let bucket = args.get(0).and_then(Value::as_u64).and_then(|handle| self.names.buckets.get(&handle));
        (bucket.cloned().unwrap_or_default(), text_at(args, 1).unwrap_or_default().to_owned())
    }

    /// Looks it up. `own` is the host's own answer, where it has one.
    pub(super) fn find(&mut self, entries: &[Entry], function: &str, args: &Value, own: Option<&Value>) -> Found {
        if function == "fetch.pending.wait" {
            return self.awaited(entries, args);
        }
        let key = self.names.key(function, args);
        let same = |nth: &usize| self.keys[*nth].as_ref() == Some(&key);
        let fresh = (0..entries.len()).filter(|nth| !entries[*nth].used).find(same);
        let found = fresh.or_else(|| (0..entries.len()).rev().find(same).filter(|nth| is_repeatable(&entries[*nth])));
        match function {
            "fetch.send" => match found {
                Some(nth) if &*entries[nth].function == "fetch.send" => Found::Entry(nth),
                Some(nth) => final_answer(entries, nth),
                None => Found::Nothing,
            },
            "fetch.start" => match (found, own.and_then(|own| own.get("ok")).and_then(Value::as_u64)) {
                (Some(nth), Some(handle)) => {
                    self.pending.insert(handle, nth);
                    Found::Own(nth)
                }
                _ => Found::Nothing,
            },
            "storage.bucket.get" if fresh.is_none() => match self.written.get(&self.place(args)) {
                Some(written) => Found::Answer { result: json!({"ok": written}), differs: None },
                None => found.map_or(Found::Nothing, Found::Entry),
            },
            "storage.bucket.set" if fresh.is_none() => {
                let last = self.written.get(&self.place(args)).and_then(|entry| entry["version"].as_u64());
                Found::Answer {
                    result: json!({"ok": last.unwrap_or_default() + 1}),
                    differs: Some("stores what had not been stored; taken as written"),
                }
            }
            "storage.bucket.delete" if fresh.is_none() => Found::Answer {
                result: json!({"ok": null}),
                differs: Some("deletes what had not been deleted; taken as done"),
            },
            "storage.bucket.increment" | "storage.bucket.compare-and-set" => fresh.map_or(Found::Nothing, Found::Entry),
            _ => found.map_or(Found::Nothing, Found::Entry),
        }
    }

    /// The answer to a request that is under way.
    fn awaited(&self, entries: &[Entry], args: &Value) -> Found {
        let handle = args.get(0).and_then(Value::as_u64);
        let Some(&nth) = handle.and_then(|handle| self.pending.get(&handle)) else { return Found::Nothing };
        if &*entries[nth].function == "fetch.send" {
            let result = entries[nth].result.clone().unwrap_or_default();
            return Found::Answer { result, differs: None };
        }
        match waits_of(entries, nth).find(|wait| !entries[*wait].used) {
            Some(wait) => Found::Entry(wait),
            None => final_answer(entries, nth),
        }
    }
}

/// Asking once more tells the same, and does nothing.
fn is_repeatable(entry: &Entry) -> bool {
    match &*entry.function {
        "fetch.send" | "fetch.start" => {
            matches!(entry.args.get(0).map(|request| &request["method"]), Some(Value::String(method)) if method == "Get" || method == "Head")
        }
        "storage.bucket.get" | "storage.bucket.list-keys" | "secrets-reveal.reveal" => true,
        function => function.starts_with("directory."),
    }
}

/// The waits for the request that the entry `start` began. A handle is used again when its request is done.
fn waits_of(entries: &[Entry], start: usize) -> impl Iterator<Item = usize> {
    let handle = entries[start].result.as_ref().and_then(|result| result.get("ok")).cloned();
    let again = |entry: &Entry| {
        &*entry.function == "fetch.start" && entry.result.as_ref().and_then(|it| it.get("ok")) == handle.as_ref()
    };
    let end = (start + 1..entries.len()).find(|nth| again(&entries[*nth])).unwrap_or(entries.len());
    let is_wait = move |nth: &usize| {
        let entry = &entries[*nth];
        &*entry.function == "fetch.pending.wait" && entry.args.get(0) == handle.as_ref()
    };
    (start + 1..end).filter(is_wait)
}

/// What a request that was begun came to, for one that waits for it at once.
fn final_answer(entries: &[Entry], start: usize) -> Found {
    let answers = waits_of(entries, start).filter_map(|wait| entries[wait].result.as_ref());
    let last = answers.filter(|result| result.get("ok").is_none_or(|answer| !answer.is_null())).last();
    last.map_or(Found::Nothing, |result| Found::Answer { result: result.clone(), differs: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Value {
        json!({"method": method, "url": format!("http://127.0.0.1:8090/{path}"), "headers": [], "body": [],
            "timeout": 3000, "idempotency_key": null})
    }

    fn answer(status: u16) -> Value {
        json!({"ok": {"status": status, "headers": [], "body": []}})
    }

    fn result(entries: &[Entry], found: Found) -> Option<Value> {
        match found {
            Found::Entry(nth) | Found::Own(nth) => entries[nth].result.clone(),
            Found::Answer { result, .. } => Some(result),
            Found::Nothing => None,
        }
    }

    #[test]
    fn a_request_has_its_answer_whether_it_is_waited_for_at_once_or_later() {
        let entries = vec![
            Entry::of("fetch.start", json!([request("Get", "a"), null]), json!({"ok": 0})),
            Entry::of("fetch.pending.wait", json!([0, 100]), json!({"ok": null})),
            Entry::of("fetch.pending.wait", json!([0, 900]), answer(200)),
            Entry::of("fetch.pending.drop", json!([0]), Value::Null),
            // The handle is used again for another request.
            Entry::of("fetch.start", json!([request("Get", "b"), null]), json!({"ok": 0})),
            Entry::of("fetch.pending.wait", json!([0, 900]), answer(404)),
            Entry::of("fetch.send", json!([request("Post", "c"), null]), answer(201)),
        ];
        let mut lookups = Lookups::new(&entries);
        let mut look = |function: &str, args: Value, own: Option<Value>| {
            result(&entries, lookups.find(&entries, function, &args, own.as_ref()))
        };
        assert_eq!(look("fetch.send", json!([request("Get", "a"), null]), None), Some(answer(200)));
        assert_eq!(look("fetch.send", json!([request("Get", "b"), null]), None), Some(answer(404)));
        assert_eq!(look("fetch.start", json!([request("Post", "c"), null]), Some(json!({"ok": 5}))), Some(answer(201)));
        assert_eq!(look("fetch.pending.wait", json!([5, 10]), None), Some(answer(201)));
        assert_eq!(look("fetch.send", json!([request("Get", "d"), null]), None), None, "nobody asked that");
        assert_eq!(look("fetch.pending.wait", json!([6, 10]), None), None);
    }

    #[test]
    fn what_was_sent_is_not_sent_twice_and_what_was_read_may_be_read_again() {
        let mut entries = vec![
            Entry::of("fetch.send", json!([request("Post", "c"), null]), answer(201)),
            Entry::of("fetch.send", json!([request("Get", "a"), null]), answer(200)),
        ];
        entries.iter_mut().for_each(|entry| entry.used = true);
        let mut lookups = Lookups::new(&entries);
        let mut look = |method: &str, path: &str| {
            let args = json!([request(method, path), null]);
            result(&entries, lookups.find(&entries, "fetch.send", &args, None))
        };
        assert_eq!(look("Get", "a"), Some(answer(200)));
        assert_eq!(look("Post", "c"), None);
    }

    #[test]
    fn storage_is_known_by_bucket_and_key_and_what_is_written_is_read() {
        let entry = json!({"ok": {"value": [1], "version": 3}});
        let entries = vec![
            Entry::of("storage.bucket.open", json!(["visits"]), json!({"ok": 0})),
            Entry::of("storage.bucket.get", json!([0, "anna"]), entry.clone()),
            Entry::of("storage.bucket.set", json!([0, "anna", [2], null]), json!({"ok": 4})),
        ];
        let mut lookups = Lookups::new(&entries);
        // The other version opens another bucket first, so its handles are others.
        lookups.learn("storage.bucket.open", &json!(["other"]), &json!({"ok": 0}));
        lookups.learn("storage.bucket.open", &json!(["visits"]), &json!({"ok": 1}));
        let look = |lookups: &mut Lookups, function: &str, args: Value| {
            result(&entries, lookups.find(&entries, function, &args, None))
        };
        assert_eq!(look(&mut lookups, "storage.bucket.get", json!([1, "anna"])), Some(entry));
        assert_eq!(look(&mut lookups, "storage.bucket.get", json!([0, "anna"])), None, "of another bucket");
        assert_eq!(look(&mut lookups, "storage.bucket.set", json!([1, "anna", [9], null])), Some(json!({"ok": 4})));
        let args = json!([1, "boris", [7], null]);
        assert_eq!(look(&mut lookups, "storage.bucket.set", args.clone()), Some(json!({"ok": 1})), "taken as written");
        lookups.learn("storage.bucket.set", &args, &json!({"ok": 1}));
        let read = look(&mut lookups, "storage.bucket.get", json!([1, "boris"]));
        assert_eq!(read, Some(json!({"ok": {"value": [7], "version": 1}})));
        lookups.learn("storage.bucket.delete", &json!([1, "boris"]), &json!({"ok": null}));
        assert_eq!(look(&mut lookups, "storage.bucket.get", json!([1, "boris"])), Some(json!({"ok": null})));
        assert_eq!(look(&mut lookups, "storage.bucket.increment", json!([1, "count", 1])), None);
    }
}
