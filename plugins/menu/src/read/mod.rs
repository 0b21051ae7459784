//! From `menu.toml` to a [`Tree`]. Everything is checked, and all faults are told at once, each with its line and place.

mod document;
mod fields;
mod hours;
mod nodes;
mod services;
mod words;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use crate::model::{Asking, KEY, Row, Target, Tree, is_own_value};
use core::fmt;
use fields::{Fields, Source};
use nodes::Names;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The format that this menu reads.
const FORMAT: i64 = 1;
const NODES_MAX: usize = 1_000;
/// A menu with more rows than this is not for the ear.
const ROWS_MAX: usize = 100;

/// What is wrong with a menu's data, and where.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// The path to it: "nodes.main.choices.3"; empty for the file itself.
    pub place: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.place.is_empty() {
            write!(f, ", {}", self.place)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Reads and checks a menu.
///
/// # Errors
/// Every fault that was found, in the order of their lines.
pub fn read(text: &str) -> Result<Tree, Vec<Fault>> {
    let source = Source::default();
    let document = document::of_text(text).map_err(|fault| vec![fault])?;
    let tree = source.fields(&document).and_then(tree);
    match tree {
        Some(tree) if source.is_without_faults() => Ok(tree),
        _ => {
            let mut faults = source.faults(text, &document);
            faults.sort();
            Err(faults)
        }
    }
}

/// The same from the tree that the host has made of the text, which says nothing of faults: none where there are any.
#[must_use]
pub fn read_tree(parsed: &[u8]) -> Option<Tree> {
    let source = Source::default();
    let document = document::of_tree(parsed)?;
    let tree = source.fields(&document).and_then(tree);
    // An instance lives for one call, which begins here: to give this little back costs more than it is worth.
    core::mem::forget(document);
    tree.filter(|_| source.is_without_faults())
}

/// The defaults of all questions, from `[asking]`.
struct Defaults {
    asking: Asking,
    otherwise: Option<Target>,
}

fn tree(mut top: Fields<'_, '_>) -> Option<Tree> {
    let format = top.required("format").and_then(|format| format.integer(0..=i64::MAX));
    if let Some(format) = format.filter(|format| *format != FORMAT) {
        top.fault(format!("format is {format}; this menu reads format = {FORMAT}"));
    }
    let languages = languages(&mut top);
    let nodes = top.required("nodes").and_then(|nodes| nodes.fields());
    let tables = top.optional("tables").and_then(|tables| tables.fields());
    let names = Names {
        nodes: nodes.as_ref().map(Fields::keys).unwrap_or_default(),
        tables: tables.as_ref().map(Fields::keys).unwrap_or_default(),
        languages: languages.clone(),
        no_language: Rc::from(""),
    };
    let start = top.required("start").and_then(|start| start.text()).and_then(|name| {
        let known = names.node(name);
        if known.is_none() {
            top.fault(format!("start: there is no node {name:?}"));
        }
        known
    });
    let defaults = defaults(&mut top, &names, start);
    let keys = top.optional("keys").and_then(|keys| keys.fields()).map(|keys| nodes::targets(&keys, &names, start, 1));
    let tables = tables.map(|tables| read_tables(&tables, &names)).unwrap_or_default();
    let nodes = nodes.map(|nodes| read_nodes(&nodes, &names, &defaults, start)).unwrap_or_default();
    top.finish();
    Some(Tree { start: start?, languages, keys: keys.unwrap_or_default(), nodes, tables })
}

fn languages(top: &mut Fields<'_, '_>) -> Vec<Rc<str>> {
    let list = top.required("languages").and_then(|languages| languages.list()).unwrap_or_default();
    if list.is_empty() {
        top.fault("languages: name at least one, such as [\"ru-RU\"]; the first is the default");
    }
    list.iter().filter_map(fields::At::text).map(Rc::from).collect()
}

fn defaults(top: &mut Fields<'_, '_>, names: &Names, start: Option<usize>) -> Defaults {
    let plain = Asking {
        attempts: 3,
        first_timeout_ms: 6_000,
        digit_gap_ms: 4_000,
        no_input: Rc::default(),
        no_match: Rc::default(),
    };
    let mut defaults = Defaults { asking: plain, otherwise: None };
    if let Some(mut asking) = top.optional("asking").and_then(|asking| asking.fields()) {
        (defaults.asking, defaults.otherwise) = nodes::asking(&mut asking, names, &defaults, start);
        asking.finish();
    }
    defaults
}

fn read_nodes(
    fields: &Fields<'_, '_>,
    names: &Names,
    defaults: &Defaults,
    start: Option<usize>,
) -> Vec<crate::model::Node> {
    if names.nodes.len() > NODES_MAX {
        fields.fault(format!("{} nodes; at most {NODES_MAX}", names.nodes.len()));
    }
    fields.each().into_iter().filter_map(|(name, at)| nodes::node(name, at.fields()?, names, defaults, start)).collect()
}

fn read_tables(fields: &Fields<'_, '_>, names: &Names) -> Vec<Vec<Row>> {
    fields.each().into_iter().map(|(_, at)| rows(&at, names)).collect()
}

fn rows(at: &fields::At<'_, '_>, names: &Names) -> Vec<Row> {
    let list = at.list().unwrap_or_default();
    if list.is_empty() || list.len() > ROWS_MAX {
        at.fault(format!("has {} rows; from 1 to {ROWS_MAX}", list.len()));
    }
    let mut rows: Vec<Row> = Vec::new();
    for row in &list {
        let Some(mut fields) = row.fields() else { continue };
        let Some(key) = fields.required("key").and_then(|key| nodes::key_row(&key)) else { continue };
        if rows.iter().any(|other| other.key == key) {
            row.fault(format!("key {key:?} is there twice in this table"));
        }
        let mut cells = BTreeMap::new();
        for (name, cell) in fields.each() {
            if is_own_value(name) {
                cell.fault("is the name of a value that nodes set by themselves; take another");
            } else if name != KEY {
                cells.insert(name.to_owned(), words::words(&cell, names, words::Allow::Segments));
            }
        }
        rows.push(Row { key: key.to_owned(), cells });
    }
    rows
}
