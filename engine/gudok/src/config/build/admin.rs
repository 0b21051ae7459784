//! What the admins' room is told of the configuration: its settings, the file's own agencies and numbers, and the whole
//! of it without secrets.

use super::super::Faults;
use super::super::schema::{self, File, Unsigned};
use super::HttpConfig;
use gudok_admin::ports::{FileAgency, FileFacts};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Lines of one call's trace.
const TRACE_EVENTS_MIN: usize = 16;
const TRACE_EVENTS_MAX: usize = 5_000;
/// Settings of scripts whose names say so are not shown: a secret belongs under `secrets`, and may stand there anyway.
const SECRET_WORDS: [&str; 7] = ["password", "passwd", "secret", "token", "credential", "apikey", "api_key"];
const HIDDEN: &str = "<hidden>";

/// For the admins' room.
#[derive(Clone, Debug)]
pub(crate) struct AdminSettings {
    pub(crate) unsigned_allowed: bool,
    pub(crate) two_person: bool,
    pub(crate) emergency_two_person: bool,
    pub(crate) trace_events_max: usize,
    /// The folder that `file:` secrets are in.
    pub(crate) secrets_dir: PathBuf,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

pub(super) fn settings(admin: &schema::Admin, folder: &Path, faults: &mut Faults<'_>) -> AdminSettings {
    let lines = *admin.trace_events_max.get_ref();
    if !(TRACE_EVENTS_MIN..=TRACE_EVENTS_MAX).contains(&lines) {
        faults.add(
            admin.trace_events_max.span(),
            format!("a trace of {lines} lines is not to be had"),
            format!("choose {TRACE_EVENTS_MIN} to {TRACE_EVENTS_MAX}"),
        );
    }
    AdminSettings {
        unsigned_allowed: admin.unsigned == Unsigned::Allow,
        two_person: admin.two_person,
        emergency_two_person: admin.emergency_two_person,
        trace_events_max: lines,
        secrets_dir: folder.join(&admin.secrets_dir),
    }
}

pub(super) fn http(http: &schema::Http, folder: &Path, faults: &mut Faults<'_>) -> HttpConfig {
    let tls = http.tls.as_ref().map(|tls| {
        let files = tls.get_ref();
        for (what, file) in [("certificate", &files.certificate), ("key", &files.key)] {
            if !folder.join(file).is_file() {
                faults.add(
                    tls.span(),
                    format!("no {what} is at {}", folder.join(file).display()),
                    "give the paths of two PEM files, relative to this file",
                );
            }
        }
        TlsFiles { certificate: folder.join(&files.certificate), key: folder.join(&files.key) }
    });
    if let Some(listen) = http.listen.as_ref().filter(|listen| tls.is_none() && !listen.get_ref().ip().is_loopback()) {
        faults.add(
            listen.span(),
            format!("{} is not on loopback, and this is plain HTTP", listen.get_ref()),
            "add tls = { certificate = \"cert.pem\", key = \"key.pem\" } under [http], or listen on 127.0.0.1",
        );
    }
    HttpConfig { listen: http.listen.as_ref().map(|listen| *listen.get_ref()), tls, hosts: http.hosts.clone() }
}

/// What the file has of the things that the API manages too.
pub(super) fn facts(file: &File, text: &str) -> FileFacts {
    let agencies = file.agency.iter().map(|agency| FileAgency {
        name: agency.name.get_ref().clone(),
        fallback: agency.fallback.get_ref().clone(),
        reachable: agency.reachable.iter().map(|(name, place)| (name.clone(), place.get_ref().clone())).collect(),
        outbound: agency.outbound.as_ref().map(|trunk| trunk.get_ref().clone()),
        queue: None,
    });
    let numbers = file.number.iter().map(|number| {
        let lang = number.lang.clone().unwrap_or_else(|| file.node.lang.clone());
        let entry = number.entry.as_ref().map_or(super::routes::CALLBACK_ENTRY, |entry| entry.get_ref().as_str());
        (number.number.get_ref().clone(), number.agency.get_ref().clone(), entry.to_owned(), lang)
    });
    let entries = file.agency.iter().flat_map(|agency| {
        agency.script.iter().map(|script| (agency.name.get_ref().clone(), script.entry.get_ref().clone()))
    });
    FileFacts {
        hash: crate::hex::hex(&Sha256::digest(text)),
        agencies: agencies.collect(),
        numbers: numbers.collect(),
        entries: entries.collect(),
        groups: file.group.iter().map(|group| group.name.get_ref().clone()).collect(),
        trunks: file.trunk.iter().map(|trunk| trunk.name.get_ref().clone()).collect(),
        overlays: file.overlay.len(),
        queues: file.queue.iter().map(|queue| queue.name.get_ref().clone()).collect(),
        operators: file.operator.iter().map(|operator| operator.name.get_ref().clone()).collect(),
        webhooks: file
            .agency
            .iter()
            .filter(|agency| agency.webhook.is_some())
            .map(|agency| agency.name.get_ref().clone())
            .collect(),
    }
}

/// Every field with its value in force. Secrets are in files of their own and not in here; what looks like one that went
/// astray is hidden.
pub(super) fn effective(file: &File) -> Value {
    let mut value = serde_json::to_value(file).unwrap_or_default();
    hide(&mut value);
    value
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let low = name.to_lowercase();
                let telling = SECRET_WORDS.iter().any(|word| low.contains(word))
                    && !low.ends_with("_file")
                    && !low.ends_with("_dir");
                match field {
                    Value::String(text) if telling => HIDDEN.clone_into(text),
                    Value::String(text) => *text = without_credentials(text),
                    _ => hide(field),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if let Value::String(text) = item {
                    *text = without_credentials(text);
                } else {
                    hide(item);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An address without user, password and query.
fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// What differs between two effective configurations: names of sections, and of the things in lists that have a name.
pub(crate) fn changes(before: &Value, after: &Value) -> Vec<String> {
    let empty = serde_json::Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let mut changed = Vec::new();
    for (section, new) in after {
        let old = before.get(section).unwrap_or(&Value::Null);
        if old == new {
            continue;
        }
        match (old, new) {
            (Value::Array(old), Value::Array(new)) => changed.extend(changed_items(section, old, new)),
            _ => changed.push(section.clone()),
        }
    }
    changed
}

fn changed_items(section: &str, old: &[Value], new: &[Value]) -> Vec<String> {
    let (old, new) = (by_name(old), by_name(new));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let word = |name: &&String| match (old.get(*name), new.get(*name)) {
        (None, Some(_)) => Some("added"),
        (Some(_), None) => Some("removed"),
        (old, new) if old != new => Some("changed"),
        _ => None,
    };
    names.iter().filter_map(|name| word(name).map(|word| format!("{section} {name:?} {word}"))).collect()
}

fn by_name(items: &[Value]) -> BTreeMap<String, &Value> {
    let name = |at: usize, item: &Value| {
        let field = ["name", "number"].iter().find_map(|field| item.get(field).and_then(Value::as_str));
        field.map_or_else(|| format!("#{}", at + 1), str::to_owned)
    };
    items.iter().enumerate().map(|(at, item)| (name(at, item), item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_looks_like_a_secret_is_hidden() {
        let mut value = json!({
            "agency": [{ "script": [{ "config": { "api_token": "hunter2", "office": "1" } }] }],
            "trunk": [{ "password_file": "secrets/trunk" }],
            "speech": { "url": "https://user:hunter2@tts.example/say?key=hunter2" },
        });
        hide(&mut value);
        assert!(!value.to_string().contains("hunter2"), "{value}");
        assert_eq!(value["trunk"][0]["password_file"], "secrets/trunk");
        assert_eq!(value["speech"]["url"], "https://tts.example/say");
        assert_eq!(value["agency"][0]["script"][0]["config"]["office"], "1");
    }

    #[test]
    fn a_reload_says_what_is_different() {
        let before =
            json!({ "node": { "lang": "ru-RU" }, "number": [{ "number": "1" }, { "number": "2" }], "overlay": [] });
        let after = json!({
            "node": { "lang": "en" },
            "number": [{ "number": "2", "lang": "en" }, { "number": "3" }],
            "overlay": [{ "text": "x" }],
        });
        let expect =
            ["node", "number \"1\" removed", "number \"2\" changed", "number \"3\" added", "overlay \"#1\" added"];
        assert_eq!(changes(&before, &after), expect);
        assert!(changes(&after, &after).is_empty());
    }
}
