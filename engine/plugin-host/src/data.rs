//! Data files as scripts read them: as they were packed, and TOML as a tree besides.
//!
//! A menu is data, and every call begins by reading it. The host parses what is TOML once, when it loads a version: under
//! `NAME.toml.tree` scripts find what `NAME.toml` says, in the wire format of postcard 1.0. What is no valid TOML has no
//! tree; whoever wants to tell why reads the text.

use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const TOML: &str = ".toml";
const TREE: &str = ".tree";
/// As large as a data file may be.
const TREE_BYTES_MAX: usize = 1024 * 1024;

/// The files of a bundle, with the trees of those that have one. A file of that name goes before.
pub(crate) fn with_trees(packed: &BTreeMap<String, Arc<[u8]>>) -> BTreeMap<String, Arc<[u8]>> {
    let mut files = packed.clone();
    for (name, bytes) in packed.iter().filter(|(name, _)| name.ends_with(TOML)) {
        if let Some(tree) = std::str::from_utf8(bytes).ok().and_then(tree) {
            files.entry(format!("{name}{TREE}")).or_insert_with(|| tree.into());
        }
    }
    files
}

/// A value, and its first byte in the text.
#[derive(Serialize)]
struct Place<T> {
    at: u32,
    value: T,
}

/// What TOML knows. Of fractions and times only that they are there: who wants their value reads the text.
#[derive(Serialize)]
enum Value<'text> {
    Text(&'text str),
    Integer(i64),
    Truth(bool),
    Fraction,
    Time,
    List(Vec<Place<Value<'text>>>),
    /// By their names, in the order of these.
    Table(Vec<(Place<&'text str>, Place<Value<'text>>)>),
}

fn tree(text: &str) -> Option<Vec<u8>> {
    let document = DeTable::parse(text).ok()?;
    let root = Place { at: 0, value: table(document.get_ref())? };
    let bytes = postcard::to_extend(&root, Vec::new()).ok()?;
    (bytes.len() <= TREE_BYTES_MAX).then_some(bytes)
}

fn table<'text>(table: &'text DeTable<'_>) -> Option<Value<'text>> {
    let entries = table.iter().map(|(name, value)| {
        let name = Place { at: offset(name.span().start)?, value: &**name.get_ref() };
        Some((name, place(value)?))
    });
    Some(Value::Table(entries.collect::<Option<_>>()?))
}

fn place<'text>(spot: &'text Spanned<DeValue<'_>>) -> Option<Place<Value<'text>>> {
    let value = match spot.get_ref() {
        DeValue::String(text) => Value::Text(text),
        // None where it is larger than anybody counts.
        DeValue::Integer(number) => Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()?),
        DeValue::Boolean(truth) => Value::Truth(*truth),
        DeValue::Float(_) => Value::Fraction,
        DeValue::Datetime(_) => Value::Time,
        DeValue::Array(list) => Value::List(list.iter().map(place).collect::<Option<_>>()?),
        DeValue::Table(inner) => table(inner)?,
    };
    Some(Place { at: offset(spot.span().start)?, value })
}

fn offset(start: usize) -> Option<u32> {
    u32::try_from(start).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn files(packed: &[(&str, &str)]) -> BTreeMap<String, Arc<[u8]>> {
        let packed = packed.iter().map(|(name, text)| ((*name).to_owned(), Arc::from(text.as_bytes())));
        with_trees(&packed.collect())
    }

    #[test]
    fn what_is_toml_has_a_tree() {
        let files =
            files(&[("menu.toml", "a = [1, \"b\"]\n[t]\nyes = true\n"), ("menu.json", "{}"), ("bad.toml", "a =")]);
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["bad.toml", "menu.json", "menu.toml", "menu.toml.tree"]);
        // Byte for byte, since scripts that are built long ago read it: postcard's varints, zigzag numbers, tags in order.
        let (text, integer, truth, list, table) = (0, 1, 2, 5, 6);
        #[rustfmt::skip]
        let tree = [
            0, table, 2,
            0, 1, b'a', 4, list, 2, 5, integer, 2, 8, text, 1, b'b',
            14, 1, b't', 13, table, 1, 17, 3, b'y', b'e', b's', 23, truth, 1,
        ];
        assert_eq!(&*files["menu.toml.tree"], tree);
    }

    #[test]
    fn a_packed_file_goes_before_and_large_numbers_have_no_tree() {
        let files = files(&[("a.toml", "a = 1"), ("a.toml.tree", "own"), ("b.toml", "b = 99999999999999999999")]);
        assert_eq!(&*files["a.toml.tree"], b"own");
        assert!(!files.contains_key("b.toml.tree"));
    }
}
