//! What the author's commands have in common: faults and tables as they are told, and questions to a person.

pub(super) use crate::out::{line, note};

use crate::build::Fault;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Tells a fault; gives its exit code.
pub(super) fn tell(fault: &Fault) -> ExitCode {
    note(&fault.rendered(colour(std::io::stderr().is_terminal())));
    ExitCode::from(fault.exit_code())
}

/// Whether to paint, where a person looks.
pub(super) fn colour(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether a person can answer.
pub(super) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Of an answer to a question.
const ANSWER_BYTES_MAX: usize = 4_096;

/// Asks a person for a line; what is in brackets is meant where they press return alone.
pub(super) fn ask(question: &str, usual: &str) -> Option<String> {
    let mut stderr = std::io::stderr().lock();
    let brackets = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
    let _ = write!(stderr, "{question}{brackets}: ").and_then(|()| stderr.flush());
    drop(stderr);
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line).ok()?;
    if read == 0 || line.len() > ANSWER_BYTES_MAX {
        return None;
    }
    let line = line.trim();
    Some(if line.is_empty() { usual.to_owned() } else { line.to_owned() })
}

/// Columns below each other.
pub(super) fn table(rows: &[Vec<String>]) -> Vec<String> {
    use unicode_width::UnicodeWidthStr;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let lay = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let text: String = cells.map(|(cell, width)| format!("{cell}{}  ", " ".repeat(width - cell.width()))).collect();
        text.trim_end().to_owned()
    };
    rows.iter().map(lay).collect()
}
