//! Story 9, outdated information. After an address, 7 is "this is wrong". The notice carries the entry's id and version;
//! the statistics count one more.
//!
//! It waits for the directory: reference data with ids and versions, and notices about them.
