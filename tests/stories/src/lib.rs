//! The twelve caller stories, one file each.
