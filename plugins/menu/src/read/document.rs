//! The document, read from its text or, in no time, as the tree that the host has made of it.

use super::Fault;
use super::fields::{Entry, line};
use serde::Deserialize;
use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value, and its first byte in the text.
#[derive(PartialEq, Debug, Deserialize)]
pub(super) struct Place<T> {
    pub(super) at: u32,
    pub(super) value: T,
}

/// A name, and its first byte in the text.
#[derive(PartialEq, Debug, Deserialize)]
pub(super) struct Name<'text> {
    pub(super) at: u32,
    #[serde(borrow)]
    pub(super) value: Cow<'text, str>,
}

/// What TOML knows, in the order in which the host counts it (`host.data` of the WIT).
#[derive(PartialEq, Debug, Deserialize)]
pub(super) enum Value<'text> {
    Text(#[serde(borrow)] Cow<'text, str>),
    Integer(i64),
    Truth(bool),
    Fraction,
    Time,
    List(#[serde(borrow)] Vec<Place<Value<'text>>>),
    Table(#[serde(borrow)] Vec<Entry<'text>>),
}

/// From the text, with the place of what is no TOML.
pub(super) fn of_text(text: &str) -> Result<Place<Value<'_>>, Fault> {
    let no_toml = |offset: usize, what: String| {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Fault { line: line(text, offset), place: String::new(), what }
    };
    let document = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        no_toml(offset, error.message().replace('\n', ", "))
    })?;
    Ok(Place { at: 0, value: table(document.into_inner()) })
}

/// From the host's tree; none where it is of another kind.
pub(super) fn of_tree(tree: &[u8]) -> Option<Place<Value<'_>>> {
    postcard::from_bytes(tree).ok()
}

fn table<'text>(table: DeTable<'text>) -> Value<'text> {
    let entry = |(name, value): (Spanned<Cow<'text, str>>, _)| {
        (Name { at: offset(name.span().start), value: name.into_inner() }, place(value))
    };
    Value::Table(table.into_iter().map(entry).collect())
}

fn place(value: Spanned<DeValue<'_>>) -> Place<Value<'_>> {
    let at = offset(value.span().start);
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text),
        // What is larger than anybody counts is no whole number here.
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Fraction, Value::Integer)
        }
        DeValue::Boolean(truth) => Value::Truth(truth),
        DeValue::Float(_) => Value::Fraction,
        DeValue::Datetime(_) => Value::Time,
        DeValue::Array(list) => Value::List(list.into_iter().map(place).collect()),
        DeValue::Table(inner) => table(inner),
    };
    Place { at, value }
}

/// A data file has less than 4 GiB.
fn offset(start: usize) -> u32 {
    u32::try_from(start).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_host_s_tree_is_what_the_text_says() {
        // As the host makes it of this text (gudok-plugin-host, `data.rs`).
        let text = "a = [1, \"b\"]\n[t]\nyes = true\n";
        let (string, integer, truth, list, table) = (0, 1, 2, 5, 6);
        #[rustfmt::skip]
        let tree = [
            0, table, 2,
            0, 1, b'a', 4, list, 2, 5, integer, 2, 8, string, 1, b'b',
            14, 1, b't', 13, table, 1, 17, 3, b'y', b'e', b's', 23, truth, 1,
        ];
        assert_eq!(of_tree(&tree).unwrap(), of_text(text).unwrap());
        assert!(of_tree(b"something else").is_none());
    }
}
