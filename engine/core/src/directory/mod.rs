//! The directory: offices, services, documents, terms, officials, ways to appeal, and frequent questions, by municipality.
//!
//! [`Directory`] is one immutable value: whoever changes an entry builds another one, and a call keeps the one that it
//! began to read. Full text is found by words' stems (Snowball, Russian and English) and ranked by BM25; both are libraries.
//!
//! Each entry says its version and the day of its last change, and every answer carries them, so that a caller who says
//! "this is wrong" says of what.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `entry` | an entry, and its spoken form |
//! | `hours` | opening hours as people write them |
//! | `index` | finding entries |
//! | `words` | text to stems |
//! | `import` | rows of a table to entries, and what is wrong with them |

mod entry;
mod hours;
mod import;
mod index;
mod words;

pub use entry::{DirectoryEntry, EntryKind};
pub use hours::{BadHours, OpeningHours};
pub use import::{COLUMNS, ImportAction, ImportPlan, RawRow, RowProblem};
pub use index::{Directory, Found, Query};

/// Entries of a directory.
pub const ENTRIES_MAX: usize = 100_000;
/// Bytes of an entry's id.
pub const ID_BYTES_MAX: usize = 128;
/// Bytes of a short text: title, owner, municipality, phone, address.
pub const SHORT_TEXT_BYTES_MAX: usize = 1_024;
/// Bytes of a long text: the text itself, the spoken form.
pub const LONG_TEXT_BYTES_MAX: usize = 16 * 1_024;
/// Fields of an entry.
pub const ENTRY_FIELDS_MAX: usize = 32;
/// Entries in one answer.
pub const ANSWERS_MAX: usize = 50;
/// Bytes of a question; what is longer is cut.
pub const QUESTION_BYTES_MAX: usize = 512;
