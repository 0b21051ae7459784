//! Lists of people that come in: contacts of a campaign, and numbers that must not be called.
//!
//! Bytes come as a stream and are read on a thread of their own, row by row: a list may be larger than the memory. What
//! is kept while it is read: a row, a batch, the keys of the numbers so far, and the first problems.
//!
//! The outcome of each row is one of: taken; a duplicate, in the list or in the campaign; bad, with a kind, what is wrong
//! and what to do. Nothing that a row holds is repeated in a problem. A list that cannot be read as a whole (its encoding,
//! its heading, a quote that is never closed) is refused, and says so; rows before that place are taken already.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `charset` | bytes to text: UTF-8 or windows-1251, by a stated rule |
//! | `table` | text to rows: CSV and JSON Lines |
//! | `number` | what is written for a number, and what becomes of it |
//! | `prefixes` | where a number is |
//! | `rows` | a row to a contact |
//! | `report` | what became of the rows |
//! | `run` | from the stream to the store |

mod charset;
mod number;
mod prefixes;
mod report;
mod rows;
mod run;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use prefixes::Prefixes;
pub(crate) use run::{contacts, opt_outs};

/// The longest row, in bytes as they came.
const ROW_BYTES_MAX: usize = 64 * 1024;
/// Columns of a list.
const COLUMNS_MAX: usize = 64;
/// The longest name of a column, in bytes.
const COLUMN_NAME_BYTES_MAX: usize = 64;
/// Problems that are told one by one; all are counted.
const PROBLEMS_MAX: usize = 100;

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bad {
    /// The column; empty where it is the row itself.
    column: String,
    /// For programs: "number-short".
    kind: &'static str,
    /// For people. Holds nothing of the row's.
    problem: String,
    /// What to do.
    remedy: &'static str,
}

impl Bad {
    fn new(column: &str, kind: &'static str, problem: impl Into<String>, remedy: &'static str) -> Self {
        Self { column: column.to_owned(), kind, problem: problem.into(), remedy }
    }
}

/// Why a list cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} {remedy}")]
struct Unreadable {
    problem: String,
    remedy: &'static str,
}

impl Unreadable {
    fn new(problem: impl Into<String>, remedy: &'static str) -> Self {
        Self { problem: problem.into(), remedy }
    }

    /// Through whoever reads in between.
    fn into_io(self) -> std::io::Error {
        std::io::Error::new(std::io::ErrorKind::InvalidData, self)
    }

    /// Back out of it. Any other failure means that the bytes broke off.
    fn from_io(error: &std::io::Error) -> Self {
        let own = error.get_ref().and_then(|error| error.downcast_ref::<Self>()).cloned();
        own.unwrap_or_else(|| {
            Self::new(format!("The list broke off: {error}."), "Send it again: what is there is not added twice.")
        })
    }
}
