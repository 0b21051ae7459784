//! What the commands print: the API's JSON as it came, or tables whose columns stand below each other.

use gudok_workbench::out;
use serde_json::Value;
use std::io::IsTerminal;
use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: &str = "  ";

/// Text as a terminal may have it: characters that a terminal obeys are shown, not sent. Names, steps and log lines come
/// from scripts and callers.
pub(crate) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let obeyed = character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if obeyed { safe.extend(character.escape_default()) } else { safe.push(character) }
    }
    safe
}

/// A colour, by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Good,
    Warn,
    Bad,
    Faint,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "\x1b[32m",
            Self::Warn => "\x1b[33m",
            Self::Bad => "\x1b[31m",
            Self::Faint => "\x1b[2m",
        }
    }
}

/// One field of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    paint: Paint,
    /// Figures stand at the right.
    right: bool,
}

impl Cell {
    /// Words.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self { text: plain(text.as_ref()), paint: Paint::Plain, right: false }
    }

    /// A figure.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "figures and texts made for the cell; a reference would be in every call"
    )]
    pub(crate) fn figure(text: impl ToString) -> Self {
        Self { right: true, ..Self::new(text.to_string()) }
    }

    /// In a colour.
    pub(crate) fn paint(self, paint: Paint) -> Self {
        Self { paint, ..self }
    }

    /// A state, in the colour that says whether somebody must do something.
    pub(crate) fn state(text: impl AsRef<str>) -> Self {
        let paint = match text.as_ref() {
            "ok" | "checked" | "approved" | "stable" | "served" | "script" => Paint::Good,
            "waiting" | "canary" | "watching" | "skipped" | "warn" | "widened" | "added" => Paint::Warn,
            "failed" | "refused" | "revoked" | "disabled" | "landed" | "error" | "rolled back" | "expired" => {
                Paint::Bad
            }
            _ => Paint::Plain,
        };
        Self::new(text).paint(paint)
    }

    fn width(&self) -> usize {
        self.text.width()
    }
}

/// A column of a list: its head, and what of an item stands in it.
pub(crate) type Column = (&'static str, fn(&Value) -> Cell);

/// Rows below a head.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty one.
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    /// A list of the API.
    pub(crate) fn of(columns: &[Column], items: &[Value]) -> Self {
        let head = columns.iter().map(|(head, _)| *head).collect();
        let rows = items.iter().map(|item| columns.iter().map(|(_, cell)| cell(item)).collect()).collect();
        Self { head, rows }
    }

    /// One more row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As lines.
    pub(crate) fn lines(&self, colour: bool) -> Vec<String> {
        let head: Vec<Cell> = self.head.iter().map(|text| Cell::new(text).paint(Paint::Faint)).collect();
        let columns = self.rows.iter().map(Vec::len).chain([head.len()]).max().unwrap_or(0);
        let mut widths = vec![0; columns];
        let mut right = vec![false; columns];
        for row in &self.rows {
            for (at, cell) in row.iter().enumerate() {
                widths[at] = widths[at].max(cell.width());
                right[at] |= cell.right;
            }
        }
        for (at, cell) in head.iter().enumerate() {
            widths[at] = widths[at].max(cell.width());
        }
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        if head.iter().any(|cell| !cell.text.is_empty()) {
            lines.push(line(&head, &widths, &right, colour));
        }
        lines.extend(self.rows.iter().map(|row| line(row, &widths, &right, colour)));
        lines
    }
}

fn line(cells: &[Cell], widths: &[usize], right: &[bool], colour: bool) -> String {
    let mut text = String::new();
    for (at, cell) in cells.iter().enumerate() {
        let space = " ".repeat(widths[at].saturating_sub(cell.width()));
        let (before, after) = if right[at] { (space.as_str(), "") } else { ("", space.as_str()) };
        if at > 0 {
            text.push_str(GAP);
        }
        text.push_str(before);
        if colour && cell.paint != Paint::Plain && !cell.text.is_empty() {
            text.push_str(cell.paint.code());
            text.push_str(&cell.text);
            text.push_str("\x1b[0m");
        } else {
            text.push_str(&cell.text);
        }
        text.push_str(after);
    }
    text.truncate(text.trim_end().len());
    text
}

/// Standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// JSON was asked for: nothing else goes to standard output.
    pub(crate) json: bool,
    /// A person looks at it.
    pub(crate) terminal: bool,
    colour: bool,
}

impl Screen {
    /// The program's own.
    pub(crate) fn new(json: bool) -> Self {
        let terminal = std::io::stdout().is_terminal() && !json;
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { json, terminal, colour: terminal && wanted }
    }

    /// A line.
    pub(crate) fn line(&self, text: &str) {
        out::line(text);
    }

    /// A table.
    pub(crate) fn table(&self, table: &Table) {
        for line in table.lines(self.colour) {
            self.line(&line);
        }
    }

    /// Names and values below each other; those without value are left out.
    pub(crate) fn facts(&self, facts: &[(&'static str, Cell)]) {
        let mut table = Table::new(&["", ""]);
        for (name, value) in facts.iter().filter(|(_, value)| !value.text.is_empty()) {
            table.row([Cell::new(name).paint(Paint::Faint), Cell { right: false, ..value.clone() }]);
        }
        self.table(&table);
    }

    /// An answer's body, unchanged.
    pub(crate) fn raw(&self, body: &str) {
        if !body.is_empty() {
            self.line(body.trim_end_matches('\n'));
        }
    }

    /// A word beside the answer, for a person; on standard error, so that it is never taken for the answer.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            out::note(text);
        }
    }

    /// A table in the place of the one before: on a terminal it is drawn anew, elsewhere it follows.
    pub(crate) fn redraw(&self, lines_before: usize, head: &str, table: &Table) -> usize {
        let lines = table.lines(self.colour);
        if self.terminal {
            // Up, everything below is gone, and long lines end at the edge: one line of ours is one of the terminal's.
            let up = if lines_before > 0 { format!("\x1b[{lines_before}A") } else { String::new() };
            out::bytes(format!("{up}\x1b[J\x1b[?7l").as_bytes());
        }
        if !head.is_empty() {
            self.line(head);
        }
        for line in &lines {
            self.line(line);
        }
        if self.terminal {
            out::bytes(b"\x1b[?7h");
        }
        lines.len() + usize::from(!head.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_in_any_script() {
        let mut table = Table::new(&["НОМЕР", "CALLS", "STATE"]);
        table.row([Cell::new("122"), Cell::figure(7), Cell::state("ok")]);
        table.row([Cell::new("пожарные"), Cell::figure(1200), Cell::state("failed")]);
        assert_eq!(table.lines(false), ["НОМЕР     CALLS  STATE", "122           7  ok", "пожарные   1200  failed"]);
        let coloured = table.lines(true);
        assert!(coloured[1].ends_with("\x1b[32mok\x1b[0m"), "{coloured:?}");
    }

    #[test]
    fn a_terminal_is_never_told_what_a_script_wrote() {
        assert_eq!(Cell::new("a\x1b[31mb\nc\u{202e}d").text, "a\\u{1b}[31mb\\nc\\u{202e}d");
    }
}
