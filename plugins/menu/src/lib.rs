//! A menu that reads its whole tree from data: an agency without programmers writes no code.
//!
//! `data/menu.toml` of the bundle holds the tree; README.md describes it. [`read()`] checks all of it at once and names
//! the place of every fault, so that a menu is either whole or says at the first call what to mend. [`walk`] then leads
//! the caller through it; it sees the call as a [`Line`], which tests replace with a list of what the caller does.
//!
//! What it is not: a programming language. There are no variables but the cells of a table's row, no conditions but
//! opening hours and how a transfer ended. Who needs more writes a script.

mod advice;
mod line;
mod model;
mod read;
mod walk;

pub use advice::advice;
pub use line::{Ask, Booking, Line, Message, Notice, Told, Waiting};
pub use model::{LookupOf, Tree};
pub use read::{Fault, read, read_tree};
pub use walk::walk;

use gudok_sdk::prelude::*;

/// The data file that holds the tree.
pub const DATA_FILE: &str = "menu.toml";
/// The same, parsed by the host.
const PARSED_FILE: &str = "menu.toml.tree";

gudok_sdk::service!(run);

fn run(call: &Call) -> Result<Summary> {
    let parsed = gudok_sdk::host::data(PARSED_FILE);
    if let Some(tree) = parsed.as_deref().and_then(read_tree) {
        // With the call ends all that is in its memory.
        return walk(&core::mem::ManuallyDrop::new(tree), &mut line::OverCall::new(call));
    }
    // Only the text shows where a fault is.
    let text = gudok_sdk::host::data_text(DATA_FILE)?;
    match read(&text) {
        Ok(tree) => walk(&tree, &mut line::OverCall::new(call)),
        Err(faults) => {
            for fault in faults {
                gudok_sdk::error!("data/{DATA_FILE} {fault}");
            }
            Ok(Summary::no_service())
        }
    }
}
