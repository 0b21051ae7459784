//! TOML with the place of every value, and a list that faults are told to.

use super::Fault;
use super::document::{Name, Place, Value};
use core::cell::RefCell;
use core::ops::RangeInclusive;

/// What is read, and what was found wrong with it.
#[derive(Default)]
pub(super) struct Source {
    found: RefCell<Vec<Found>>,
}

/// A fault whose place is not put into words yet: a menu is read at the beginning of every call, and hardly ever has one.
struct Found {
    offset: u32,
    at: Identity,
    what: String,
}

/// Which value of the document it is, by its address.
type Identity = *const ();

fn identity(value: &Value<'_>) -> Identity {
    core::ptr::from_ref(value).cast()
}

/// One value of the document.
pub(super) struct At<'doc, 'text> {
    source: &'doc Source,
    place: &'doc Place<Value<'text>>,
}

/// One table, read key by key; a key that nobody asks for is a fault.
pub(super) struct Fields<'doc, 'text> {
    source: &'doc Source,
    table: &'doc [Entry<'text>],
    offset: u32,
    at: Identity,
    asked: Asked,
}

/// The keys that were asked for, without a list of their own to be made and thrown away for every table.
#[derive(Default)]
struct Asked {
    keys: [&'static str; ASKED_MAX],
    count: usize,
}

/// No kind of node knows more keys.
const ASKED_MAX: usize = 24;

impl Asked {
    fn push(&mut self, key: &'static str) {
        if let Some(place) = self.keys.get_mut(self.count) {
            *place = key;
            self.count += 1;
        }
    }

    fn all(&self) -> &[&'static str] {
        &self.keys[..self.count]
    }
}

/// A name and its value. They stand in the order of the names.
pub(super) type Entry<'text> = (Name<'text>, Place<Value<'text>>);

impl Source {
    pub(super) fn fields<'doc, 'text>(&'doc self, document: &'doc Place<Value<'text>>) -> Option<Fields<'doc, 'text>> {
        At { source: self, place: document }.fields()
    }

    pub(super) fn is_without_faults(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All faults, each with its line and place in that document.
    pub(super) fn faults(&self, text: &str, document: &Place<Value<'_>>) -> Vec<Fault> {
        let told = |found: &Found| Fault {
            line: line(text, found.offset),
            place: path(&document.value, found.at).unwrap_or_default(),
            what: found.what.clone(),
        };
        self.found.borrow().iter().map(told).collect()
    }

    fn fault(&self, offset: u32, at: Identity, what: impl Into<String>) {
        self.found.borrow_mut().push(Found { offset, at, what: what.into() });
    }
}

/// From 1.
pub(super) fn line(text: &str, offset: u32) -> usize {
    let before = usize::try_from(offset).unwrap_or(usize::MAX);
    1 + text.bytes().take(before).filter(|byte| *byte == b'\n').count()
}

/// The path to a value below another: "nodes.main.choices.3".
fn path(value: &Value<'_>, wanted: Identity) -> Option<String> {
    let below = |name: &str, value: &Value<'_>| {
        if identity(value) == wanted {
            return Some(name.to_owned());
        }
        path(value, wanted).map(|below| format!("{name}.{below}"))
    };
    match value {
        Value::Table(table) => table.iter().find_map(|(name, place)| below(&name.value, &place.value)),
        Value::List(list) => {
            (1..).zip(list).find_map(|(number, place): (usize, _)| below(&number.to_string(), &place.value))
        }
        _ => None,
    }
}

impl<'doc, 'text> At<'doc, 'text> {
    pub(super) fn fault(&self, what: impl Into<String>) {
        self.source.fault(self.place.at, identity(&self.place.value), what);
    }

    pub(super) fn text(&self) -> Option<&'doc str> {
        let text = match &self.place.value {
            Value::Text(text) => Some(&**text),
            _ => None,
        };
        self.expect(text, "a text in quotes")
    }

    pub(super) fn truth(&self) -> Option<bool> {
        let truth = match &self.place.value {
            Value::Truth(truth) => Some(*truth),
            _ => None,
        };
        self.expect(truth, "true or false")
    }

    pub(super) fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let value = match &self.place.value {
            Value::Integer(value) => Some(*value),
            _ => None,
        };
        let value = self.expect(value, "a whole number")?;
        if range.contains(&value) {
            return Some(value);
        }
        self.fault(format!("is {value}; from {} to {}", range.start(), range.end()));
        None
    }

    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let list = match &self.place.value {
            Value::List(list) => Some(list),
            _ => None,
        };
        let list = self.expect(list, "a list: [ … ]")?;
        Some(list.iter().map(|place| At { source: self.source, place }).collect())
    }

    pub(super) fn fields(&self) -> Option<Fields<'doc, 'text>> {
        let table = match &self.place.value {
            Value::Table(table) => Some(table),
            _ => None,
        };
        let table = self.expect(table, "a table: { … } or [ … ] on a line of its own")?;
        let at = identity(&self.place.value);
        Some(Fields { source: self.source, table, offset: self.place.at, at, asked: Asked::default() })
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.place.value, Value::Text(_))
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.place.value, Value::List(_))
    }

    fn expect<T>(&self, value: Option<T>, what: &str) -> Option<T> {
        if value.is_none() {
            self.fault(format!("is {}; give {what}", kind(&self.place.value)));
        }
        value
    }
}

impl<'doc, 'text> Fields<'doc, 'text> {
    pub(super) fn fault(&self, what: impl Into<String>) {
        self.source.fault(self.offset, self.at, what);
    }

    pub(super) fn optional(&mut self, key: &'static str) -> Option<At<'doc, 'text>> {
        self.asked.push(key);
        self.at(key)
    }

    pub(super) fn required(&mut self, key: &'static str) -> Option<At<'doc, 'text>> {
        let at = self.optional(key);
        if at.is_none() {
            self.fault(format!("has no {key}"));
        }
        at
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// All keys, in the order that nodes and tables are numbered in.
    pub(super) fn keys(&self) -> Vec<String> {
        self.table.iter().map(|(name, _)| name.value.to_string()).collect()
    }

    /// All values with their keys, in the same order.
    pub(super) fn each(&self) -> Vec<(&'doc str, At<'doc, 'text>)> {
        self.table.iter().map(|(name, place)| (&*name.value, At { source: self.source, place })).collect()
    }

    /// Tells of the keys that nobody asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.table {
            let name = &*key.value;
            if !self.asked.all().contains(&name) {
                let what = format!("there is no {name:?} here; known are {}", self.asked.all().join(", "));
                self.source.fault(key.at, self.at, what);
            }
        }
    }

    fn at(&self, key: &str) -> Option<At<'doc, 'text>> {
        self.entry(key).map(|(_, place)| At { source: self.source, place })
    }

    fn entry(&self, key: &str) -> Option<&'doc Entry<'text>> {
        // A few, most of them of another length: quicker than to search by their order.
        self.table.iter().find(|(name, _)| name.value == key)
    }
}

const fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Text(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Fraction => "a fraction",
        Value::Truth(_) => "true or false",
        Value::Time => "a date or time without quotes",
        Value::List(_) => "a list",
        Value::Table(_) => "a table",
    }
}
