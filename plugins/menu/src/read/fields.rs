//! TOML with the place of every value, and a list that faults are told to.

use super::Fault;
use core::cell::RefCell;
use core::ops::RangeInclusive;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text, and what was found wrong with it.
pub(super) struct Source<'text> {
    text: &'text str,
    found: RefCell<Vec<Found>>,
}

/// A fault whose place is not put into words yet: a menu is read at the beginning of every call, and hardly ever has one.
struct Found {
    offset: usize,
    at: Identity,
    what: String,
}

/// Which value of the document it is, by its address; null is the document itself.
type Identity = *const ();

fn identity(value: &Spanned<DeValue<'_>>) -> Identity {
    core::ptr::from_ref(value).cast()
}

/// One value of the document.
pub(super) struct At<'doc, 'text> {
    source: &'doc Source<'text>,
    value: &'doc Spanned<DeValue<'text>>,
}

/// One table, read key by key; a key that nobody asks for is a fault.
pub(super) struct Fields<'doc, 'text> {
    source: &'doc Source<'text>,
    table: &'doc DeTable<'text>,
    offset: usize,
    at: Identity,
    asked: Vec<&'static str>,
}

impl<'text> Source<'text> {
    pub(super) const fn new(text: &'text str) -> Self {
        Self { text, found: RefCell::new(Vec::new()) }
    }

    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'text>>, Fault> {
        DeTable::parse(self.text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            Fault { line: self.line(offset), place: String::new(), what: error.message().replace('\n', ", ") }
        })
    }

    pub(super) fn fields<'doc>(&'doc self, document: &'doc Spanned<DeTable<'text>>) -> Fields<'doc, 'text> {
        Fields { source: self, table: document.get_ref(), offset: 0, at: core::ptr::null(), asked: Vec::new() }
    }

    /// All faults, each with its line and place in that document.
    pub(super) fn faults(&self, document: &Spanned<DeTable<'text>>) -> Vec<Fault> {
        let told = |found: &Found| Fault {
            line: self.line(found.offset),
            place: path_in_table(document.get_ref(), found.at).unwrap_or_default(),
            what: found.what.clone(),
        };
        self.found.borrow().iter().map(told).collect()
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    fn fault(&self, offset: usize, at: Identity, what: impl Into<String>) {
        self.found.borrow_mut().push(Found { offset, at, what: what.into() });
    }
}

/// The path to a value: "nodes.main.choices.3".
fn path_in_table(table: &DeTable<'_>, wanted: Identity) -> Option<String> {
    table.iter().find_map(|(key, value)| path_from(key.get_ref(), value, wanted))
}

fn path_from(name: &str, value: &Spanned<DeValue<'_>>, wanted: Identity) -> Option<String> {
    if identity(value) == wanted {
        return Some(name.to_owned());
    }
    let below = match value.get_ref() {
        DeValue::Table(table) => path_in_table(table, wanted),
        DeValue::Array(list) => {
            (1..).zip(list.iter()).find_map(|(number, value): (usize, _)| path_from(&number.to_string(), value, wanted))
        }
        _ => None,
    };
    below.map(|below| format!("{name}.{below}"))
}

impl<'doc, 'text> At<'doc, 'text> {
    pub(super) fn fault(&self, what: impl Into<String>) {
        self.source.fault(self.value.span().start, identity(self.value), what);
    }

    pub(super) fn text(&self) -> Option<&'doc str> {
        self.expect(self.value.get_ref().as_str(), "a text in quotes")
    }

    pub(super) fn truth(&self) -> Option<bool> {
        self.expect(self.value.get_ref().as_bool(), "true or false")
    }

    pub(super) fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let integer = self.value.get_ref().as_integer();
        let value = integer.and_then(|integer| i64::from_str_radix(integer.as_str(), integer.radix()).ok());
        let value = self.expect(value, "a whole number")?;
        if range.contains(&value) {
            return Some(value);
        }
        self.fault(format!("is {value}; from {} to {}", range.start(), range.end()));
        None
    }

    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let list = self.expect(self.value.get_ref().as_array(), "a list: [ … ]")?;
        Some(list.iter().map(|value| At { source: self.source, value }).collect())
    }

    pub(super) fn fields(&self) -> Option<Fields<'doc, 'text>> {
        let table = self.expect(self.value.get_ref().as_table(), "a table: { … } or [ … ] on a line of its own")?;
        let offset = self.value.span().start;
        Some(Fields { source: self.source, table, offset, at: identity(self.value), asked: Vec::new() })
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::String(_))
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Array(_))
    }

    fn expect<T>(&self, value: Option<T>, what: &str) -> Option<T> {
        if value.is_none() {
            self.fault(format!("is {}; give {what}", kind(self.value.get_ref())));
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
        self.table.contains_key(key)
    }

    /// All keys, in the order that nodes and tables are numbered in.
    pub(super) fn keys(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// All values with their keys, in the same order.
    pub(super) fn each(&self) -> Vec<(&'doc str, At<'doc, 'text>)> {
        self.table.iter().map(|(key, value)| (&**key.get_ref(), At { source: self.source, value })).collect()
    }

    /// Tells of the keys that nobody asked for.
    pub(super) fn finish(self) {
        for key in self.table.keys() {
            let name = &**key.get_ref();
            if !self.asked.contains(&name) {
                let what = format!("there is no {name:?} here; known are {}", self.asked.join(", "));
                self.source.fault(key.span().start, self.at, what);
            }
        }
    }

    fn at(&self, key: &str) -> Option<At<'doc, 'text>> {
        self.table.get(key).map(|value| At { source: self.source, value })
    }
}

const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
