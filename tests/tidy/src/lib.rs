//! Holds the house in order: the import table, file sizes, docs that name every crate.
