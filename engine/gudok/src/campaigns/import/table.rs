//! Text to rows.
//!
//! CSV: the first row names the columns; the sign between them (comma, semicolon, tab) is the one that the first row has
//! most of; cells in quotes may hold line ends. JSON Lines: one object a line, empty lines aside.
//!
//! `number`, `id`, `zone`, `window`, `lang` and `area` are the list's own columns, in any order and in any case; every other
//! column is a field for the script.

use super::charset::{Charset, Decoder};
use super::{Bad, COLUMN_NAME_BYTES_MAX, COLUMNS_MAX, ROW_BYTES_MAX, Unreadable};
use gudok_admin::ports::ListFormat;
use std::cell::Cell;
use std::io::{BufRead, BufReader, Chain, Cursor, Read};
use std::rc::Rc;
use std::sync::Arc;

/// Text read at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// One row, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) number: String,
    pub(super) id: String,
    pub(super) zone: String,
    pub(super) window: String,
    pub(super) lang: String,
    pub(super) area: String,
    /// For the script.
    pub(super) fields: Vec<(Arc<str>, String)>,
}

impl Row {
    /// Puts a cell where it belongs.
    fn set(&mut self, column: &Column, cell: String) {
        let own = match column {
            Column::Number => &mut self.number,
            Column::Id => &mut self.id,
            Column::Zone => &mut self.zone,
            Column::Window => &mut self.window,
            Column::Lang => &mut self.lang,
            Column::Area => &mut self.area,
            Column::Field(name) => {
                self.fields.push((Arc::clone(name), cell));
                return;
            }
        };
        cell.trim().clone_into(own);
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Number,
    Id,
    Zone,
    Window,
    Lang,
    Area,
    Field(Arc<str>),
}

impl Column {
    fn of(name: &str) -> Self {
        match name.to_lowercase().as_str() {
            "number" => Self::Number,
            "id" => Self::Id,
            "zone" => Self::Zone,
            "window" => Self::Window,
            "lang" => Self::Lang,
            "area" => Self::Area,
            _ => Self::Field(Arc::from(name)),
        }
    }
}

/// A row with its line, from 1.
pub(super) struct Read1 {
    pub(super) line: u64,
    pub(super) row: Result<Row, Bad>,
}

/// A list that is being read.
pub(super) enum Table<R: Read> {
    Csv(Box<Csv<R>>),
    Jsonl(Box<Jsonl<R>>),
}

impl<R: Read> Table<R> {
    /// # Errors
    /// Where the list has no heading that can be used.
    pub(super) fn open(format: ListFormat, input: R) -> Result<Self, Unreadable> {
        let text = BufReader::with_capacity(BUFFER_BYTES, Decoder::new(input));
        Ok(match format {
            ListFormat::Csv => Self::Csv(Box::new(Csv::open(text)?)),
            ListFormat::Jsonl => Self::Jsonl(Box::new(Jsonl { text, line: 0, fields: Vec::new() })),
        })
    }

    pub(super) fn charset(&self) -> Charset {
        match self {
            Self::Csv(csv) => csv.rows.get_ref().inner.get_ref().1.get_ref().charset(),
            Self::Jsonl(jsonl) => jsonl.text.get_ref().charset(),
        }
    }

    /// The script's columns: all of CSV's; JSON Lines' as they were met.
    pub(super) fn fields(&self) -> Vec<String> {
        match self {
            Self::Csv(csv) => csv
                .columns
                .iter()
                .filter_map(|column| match column {
                    Column::Field(name) => Some(name.to_string()),
                    _ => None,
                })
                .collect(),
            Self::Jsonl(jsonl) => jsonl.fields.iter().map(ToString::to_string).collect(),
        }
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// Where the list cannot be read on.
    pub(super) fn next(&mut self) -> Result<Option<Read1>, Unreadable> {
        match self {
            Self::Csv(csv) => csv.next(),
            Self::Jsonl(jsonl) => jsonl.next(),
        }
    }
}

type Text<R> = BufReader<Decoder<R>>;

/// Fails when a row is longer than it may be: a quote that is never closed would take in the rest of the list.
pub(super) struct Guard<R> {
    inner: R,
    since_row: Rc<Cell<usize>>,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let len = self.inner.read(into)?;
        let since = self.since_row.get() + len;
        self.since_row.set(since);
        // The reader before us may hold a buffer of rows that come later.
        if since > ROW_BYTES_MAX + 2 * BUFFER_BYTES {
            let problem = format!("A row is longer than {ROW_BYTES_MAX} bytes.");
            return Err(Unreadable::new(problem, "Look for a quote that is not closed.").into_io());
        }
        Ok(len)
    }
}

/// The heading, which was read already, and what comes after it.
type Whole<R> = Chain<Cursor<Vec<u8>>, Text<R>>;

pub(super) struct Csv<R: Read> {
    rows: csv::Reader<Guard<Whole<R>>>,
    since_row: Rc<Cell<usize>>,
    columns: Vec<Column>,
    record: csv::ByteRecord,
}

impl<R: Read> Csv<R> {
    fn open(mut text: Text<R>) -> Result<Self, Unreadable> {
        let mut first = Vec::new();
        let read = text.by_ref().take(ROW_BYTES_MAX as u64).read_until(b'\n', &mut first);
        read.map_err(|error| Unreadable::from_io(&error))?;
        let since_row = Rc::new(Cell::new(0));
        let guard = Guard { inner: Cursor::new(first.clone()).chain(text), since_row: Rc::clone(&since_row) };
        let rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter(&first))
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(guard);
        let mut csv = Self { rows, since_row, columns: Vec::new(), record: csv::ByteRecord::new() };
        if !csv.advance()? {
            return Err(Unreadable::new("The list is empty.", "Name the columns in its first row: number, id, …"));
        }
        csv.columns = columns(&csv.record)?;
        Ok(csv)
    }

    fn advance(&mut self) -> Result<bool, Unreadable> {
        self.since_row.set(0);
        self.rows.read_byte_record(&mut self.record).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => Unreadable::from_io(&error),
            other => Unreadable::new(format!("The list is no CSV: {other:?}."), "Save it anew as CSV."),
        })
    }

    fn next(&mut self) -> Result<Option<Read1>, Unreadable> {
        while self.advance()? {
            let line = self.record.position().map_or(0, csv::Position::line);
            // What a spreadsheet leaves of emptied rows.
            if self.record.iter().all(<[u8]>::is_empty) {
                continue;
            }
            return Ok(Some(Read1 { line, row: self.row() }));
        }
        Ok(None)
    }

    fn row(&self) -> Result<Row, Bad> {
        let (has, wants) = (self.record.len(), self.columns.len());
        if has > wants && self.record.iter().skip(wants).any(|cell| !cell.is_empty()) {
            let problem = format!("The row has {has} cells, and the heading {wants}.");
            return Err(Bad::new("", "row-cells", problem, "Put cells that hold the sign between cells into quotes."));
        }
        if self.record.as_slice().len() > ROW_BYTES_MAX {
            return Err(too_long());
        }
        let mut row = Row::default();
        for (column, cell) in self.columns.iter().zip(&self.record) {
            let cell = std::str::from_utf8(cell).map_err(|_| not_utf8())?;
            row.set(column, cell.trim().to_owned());
        }
        Ok(row)
    }
}

fn not_utf8() -> Bad {
    Bad::new("", "charset", "The row is not UTF-8, as the rows before it are.", "Save the whole list as UTF-8.")
}

fn too_long() -> Bad {
    let problem = format!("The row is longer than {ROW_BYTES_MAX} bytes.");
    Bad::new("", "row-long", problem, "Leave columns out that the script does not need.")
}

/// The sign between cells.
fn delimiter(first: &[u8]) -> u8 {
    let count = |sign: u8| {
        let mut quoted = false;
        let outside = first.iter().filter(|byte| {
            quoted ^= **byte == b'"';
            !quoted && **byte == sign
        });
        outside.count()
    };
    // Of equals the last.
    [b'\t', b';', b','].into_iter().max_by_key(|sign| count(*sign)).unwrap_or(b',')
}

fn columns(record: &csv::ByteRecord) -> Result<Vec<Column>, Unreadable> {
    const REMEDY: &str = "Name each column once in the list's first row.";
    let mut columns: Vec<Column> = Vec::new();
    for (cell, place) in record.iter().zip(1..) {
        let name = std::str::from_utf8(cell).map(str::trim).unwrap_or_default();
        if name.is_empty() {
            return Err(Unreadable::new(format!("Column {place} has no name."), REMEDY));
        }
        if name.len() > COLUMN_NAME_BYTES_MAX || place > COLUMNS_MAX {
            let problem = format!(
                "Column {place} is one too many, or its name is too long: {COLUMNS_MAX} columns are read, with names of \
                 {COLUMN_NAME_BYTES_MAX} bytes."
            );
            return Err(Unreadable::new(problem, "Leave columns out that the script does not need."));
        }
        let column = Column::of(name);
        if columns.contains(&column) {
            return Err(Unreadable::new(format!("Two columns are called {name}."), REMEDY));
        }
        columns.push(column);
    }
    if columns.contains(&Column::Number) {
        return Ok(columns);
    }
    // A number in the heading means that there is none; it is not repeated.
    let names = columns.iter().filter_map(|column| match column {
        Column::Field(name) if !name.chars().any(|c| c.is_ascii_digit()) => Some(&**name),
        _ => None,
    });
    let names: Vec<_> = names.collect();
    let problem = format!("No column is called number; there are: {}.", names.join(", "));
    Err(Unreadable::new(problem, "Name the column with the telephone numbers \"number\" in the list's first row."))
}

pub(super) struct Jsonl<R: Read> {
    text: Text<R>,
    line: u64,
    /// Names that were met, each once, so that a million rows share them.
    fields: Vec<Arc<str>>,
}

impl<R: Read> Jsonl<R> {
    fn next(&mut self) -> Result<Option<Read1>, Unreadable> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = self.text.by_ref().take(ROW_BYTES_MAX as u64 + 1).read_until(b'\n', &mut bytes);
            read.map_err(|error| Unreadable::from_io(&error))?;
            if bytes.is_empty() {
                return Ok(None);
            }
            self.line += 1;
            if bytes.len() > ROW_BYTES_MAX {
                if bytes.last() != Some(&b'\n') {
                    self.text.skip_until(b'\n').map_err(|error| Unreadable::from_io(&error))?;
                }
                return Ok(Some(Read1 { line: self.line, row: Err(too_long()) }));
            }
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(Read1 { line: self.line, row: self.row(&bytes) }));
            }
        }
    }

    fn row(&mut self, bytes: &[u8]) -> Result<Row, Bad> {
        const REMEDY: &str = "Write one object a line: {\"number\": \"+79130000000\", \"id\": \"17\"}.";
        if std::str::from_utf8(bytes).is_err() {
            return Err(not_utf8());
        }
        let parsed: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_slice(bytes);
        let object = parsed.map_err(|_| Bad::new("", "row-json", "The line is no JSON object.", REMEDY))?;
        if object.len() > COLUMNS_MAX {
            let problem = format!("The row has more than {COLUMNS_MAX} fields.");
            return Err(Bad::new("", "row-cells", problem, "Leave fields out that the script does not need."));
        }
        let mut row = Row::default();
        for (name, value) in object {
            let name = name.trim();
            if name.is_empty() || name.len() > COLUMN_NAME_BYTES_MAX {
                let problem = format!("A field has no name, or one of more than {COLUMN_NAME_BYTES_MAX} bytes.");
                return Err(Bad::new("", "field-name", problem, "Give every field a short name."));
            }
            let column = match Column::of(name) {
                Column::Field(_) => Column::Field(self.name(name)),
                own => own,
            };
            let cell = match value {
                serde_json::Value::Null => continue,
                serde_json::Value::String(text) => text,
                serde_json::Value::Bool(_) | serde_json::Value::Number(_) => value.to_string(),
                serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                    let problem = "The field is a list or an object.";
                    return Err(Bad::new(name, "field-nested", problem, "Write texts and numbers only."));
                }
            };
            row.set(&column, cell);
        }
        Ok(row)
    }

    /// One copy of a field's name. Rows with names of their own each do not fill the memory: then they keep their own.
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.fields.iter().find(|known| ***known == *name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = Arc::from(name);
        if self.fields.len() < COLUMNS_MAX {
            self.fields.push(Arc::clone(&name));
        }
        name
    }
}
