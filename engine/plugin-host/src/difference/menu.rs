//! The menu, node by node: any TOML or JSON tree, told by place.

use super::{Change, Changed};
use crate::bundle::Bundle;
use crate::text::shown;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The files under data/ that a menu may be in.
const MENU_TOML: &str = "menu.toml";
const MENU_JSON: &str = "menu.json";
/// Changes told of one menu; the rest is counted.
const MENU_CHANGES_MAX: usize = 500;

/// Whether a data file is told here.
pub(super) fn is_menu(name: &str) -> bool {
    matches!(name, MENU_TOML | MENU_JSON)
}

/// What changes in the menu of a bundle.
pub(super) fn changes(old: Option<&Bundle>, new: &Bundle) -> Vec<Changed> {
    let (was, is) = (old.and_then(read), read(new));
    match (was, is) {
        (None, None) => Vec::new(),
        (Some(Ok(was)), Some(Ok(is))) => {
            let mut walk = Walk::default();
            walk.value("", &was, &is);
            walk.told()
        }
        (was, is) => Changed::between("menu", was.map(summary), is.map(summary)).into_iter().collect(),
    }
}

/// The tree, or why there is none.
fn read(bundle: &Bundle) -> Option<Result<Value, String>> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned());
    if let Some(bytes) = bundle.data.get(MENU_TOML) {
        return Some(text(bytes).and_then(|text| toml::from_str(text).map_err(|error| error.message().to_owned())));
    }
    let bytes = bundle.data.get(MENU_JSON)?;
    Some(serde_json::from_slice(bytes).map_err(|error| error.to_string()))
}

fn summary(menu: Result<Value, String>) -> String {
    match menu {
        Ok(tree) => match tree.get("nodes").and_then(Value::as_object) {
            Some(nodes) => format!("{} nodes", nodes.len()),
            None => "no nodes".to_owned(),
        },
        Err(why) => format!("cannot be read: {}", shown(&why)),
    }
}

#[derive(Default)]
struct Walk {
    changes: Vec<Changed>,
    untold: usize,
}

impl Walk {
    fn value(&mut self, place: &str, was: &Value, is: &Value) {
        if was == is {
            return;
        }
        match (was, is) {
            (Value::Object(was), Value::Object(is)) => self.fields(place, was, is),
            (Value::Array(was), Value::Array(is)) => self.items(place, was, is),
            _ => self.tell(place, Some(was), Some(is)),
        }
    }

    fn fields(&mut self, place: &str, was: &Map<String, Value>, is: &Map<String, Value>) {
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for name in names {
            self.option(&below(place, name), was.get(name), is.get(name));
        }
    }

    fn items(&mut self, place: &str, was: &[Value], is: &[Value]) {
        if let (Some(was), Some(is)) = (by_key(was), by_key(is)) {
            self.fields(place, &was, &is);
        } else if was.len() == is.len() {
            for (index, (was, is)) in was.iter().zip(is).enumerate() {
                self.value(&format!("{place}[{index}]"), was, is);
            }
        } else {
            self.tell(place, Some(&Value::from(was)), Some(&Value::from(is)));
        }
    }

    fn option(&mut self, place: &str, was: Option<&Value>, is: Option<&Value>) {
        match (was, is) {
            (Some(was), Some(is)) => self.value(place, was, is),
            _ => self.tell(place, was, is),
        }
    }

    fn tell(&mut self, place: &str, was: Option<&Value>, is: Option<&Value>) {
        if self.changes.len() >= MENU_CHANGES_MAX {
            self.untold += 1;
            return;
        }
        let change = match (was, is) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            _ => Change::Changed,
        };
        let name = place.to_owned();
        self.changes.push(Changed { name, change, from: was.map(text), to: is.map(text) });
    }

    fn told(mut self) -> Vec<Changed> {
        if self.untold > 0 {
            let to = Some(format!("{} more changes", self.untold));
            self.changes.push(Changed { name: "…".to_owned(), change: Change::Changed, from: None, to });
        }
        self.changes
    }
}

/// Rows of a table are known by their key, wherever they stand.
fn by_key(rows: &[Value]) -> Option<Map<String, Value>> {
    let mut named = Map::new();
    for row in rows {
        let key = row.get("key")?.as_str()?.to_owned();
        if named.insert(key, row.clone()).is_some() {
            return None;
        }
    }
    (!named.is_empty()).then_some(named)
}

fn below(place: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let name = if plain { name.to_owned() } else { format!("\"{}\"", shown(name)) };
    if place.is_empty() { name } else { format!("{place}.{name}") }
}

/// A text as it stands; everything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text),
        other => shown(&other.to_string()),
    }
}
