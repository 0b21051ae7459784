//! Tables of entries: CSV and JSON, in and out.
//!
//! CSV is RFC 4180 in UTF-8 with a header line; a comma, a semicolon or a tab between the columns, as the header has it. JSON
//! is an array of objects with the same names. A file in another encoding is refused with the encoding that it looks like:
//! guessing would put wrong letters where callers hear them.

use gudok_core::directory::{COLUMNS, DirectoryEntry, ENTRIES_MAX, ImportPlan, RawRow, RowProblem};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Bytes of a file.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The columns without which nothing can be read.
const COLUMNS_NEEDED: [&str; 4] = ["id", "kind", "agency", "title"];

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TableFormat {
    /// RFC 4180.
    Csv,
    /// An array of objects.
    Json,
}

/// A table that was read; lines that are no rows are among the problems.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The rows.
    pub rows: Vec<RawRow>,
    /// What could not be read; row 0 is the file as a whole, and then there are no rows.
    pub problems: Vec<RowProblem>,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportReport {
    /// Nothing was written.
    pub dry_run: bool,
    /// Rows read.
    pub rows: u64,
    /// Entries that were not there.
    pub added: u64,
    /// Entries that say something else now; each with a new version.
    pub changed: u64,
    /// Rows that say what the directory says already.
    pub unchanged: u64,
    /// What is wrong: these rows were not taken. At most 1000.
    pub problems: Vec<ImportProblem>,
    /// Problems beyond those listed.
    pub problems_more: u64,
}

/// Something wrong in a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportProblem {
    /// The line of a CSV file, the element of a JSON array (from 1); 0: the file as a whole.
    pub row: u64,
    /// Which column.
    pub field: String,
    /// What stands there, shortened.
    pub value: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl From<&RowProblem> for ImportProblem {
    fn from(problem: &RowProblem) -> Self {
        let RowProblem { row, field, value, problem, remedy } = problem.clone();
        Self { row, field, value, problem, remedy }
    }
}

impl ImportReport {
    /// Of a plan, and of what could not be read before it.
    #[must_use]
    pub fn of(plan: &ImportPlan, unread: &[RowProblem], dry_run: bool) -> Self {
        let (added, changed) = plan.counts();
        let mut problems: Vec<ImportProblem> = unread.iter().chain(&plan.problems).map(ImportProblem::from).collect();
        problems.sort_by_key(|problem| problem.row);
        Self {
            dry_run,
            rows: plan.rows + unread.iter().filter(|problem| problem.row > 0).count() as u64,
            added,
            changed,
            unchanged: plan.unchanged,
            problems,
            problems_more: plan.problems_more,
        }
    }
}

impl Table {
    /// Reads a file.
    #[must_use]
    pub fn read(format: TableFormat, bytes: &[u8]) -> Self {
        let read = text_of(bytes).and_then(|text| match format {
            TableFormat::Csv => read_csv(text),
            TableFormat::Json => read_json(text),
        });
        match read {
            Ok(table) => table,
            Err(problem) => Self { rows: Vec::new(), problems: vec![*problem] },
        }
    }
}

/// About the file as a whole.
fn file(field: &str, value: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Box<RowProblem> {
    Box::new(RowProblem::new(0, field, value, problem, remedy))
}

fn text_of(bytes: &[u8]) -> Result<&str, Box<RowProblem>> {
    if bytes.len() > FILE_BYTES_MAX {
        let problem = format!("has {} bytes", bytes.len());
        return Err(file("file", "", problem, format!("at most {FILE_BYTES_MAX} are read; split it")));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(not_utf8("UTF-16"));
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| not_utf8(looks_like(bytes)))?;
    if text.contains('\0') {
        return Err(file(
            "file",
            "",
            "has zero bytes in it: it is no text",
            "export the table as CSV or JSON, not as .xls",
        ));
    }
    if text.trim().is_empty() {
        return Err(file("file", "", "is empty", "choose the file with the entries"));
    }
    Ok(text)
}

fn not_utf8(encoding: &str) -> Box<RowProblem> {
    let remedy = format!(
        "save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\"), or: iconv -f {encoding} -t UTF-8 old.csv > new.csv"
    );
    file("encoding", encoding, format!("is not UTF-8; it looks like {encoding}"), remedy)
}

/// Which of the old Cyrillic encodings a text is in: the one whose small letters are most.
fn looks_like(bytes: &[u8]) -> &'static str {
    let count = |is: fn(u8) -> bool| bytes.iter().filter(|byte| is(**byte)).count();
    [
        ("WINDOWS-1251", count(|byte| byte >= 0xe0)),
        ("KOI8-R", count(|byte| (0xc0..=0xdf).contains(&byte))),
        ("CP866", count(|byte| matches!(byte, 0xa0..=0xaf))),
    ]
    .into_iter()
    .rev()
    .max_by_key(|(_, letters)| *letters)
    .map_or("WINDOWS-1251", |(name, _)| name)
}

fn read_csv(text: &str) -> Result<Table, Box<RowProblem>> {
    let header = text.lines().next().unwrap_or_default();
    let delimiter =
        [b';', b'\t', b','].into_iter().max_by_key(|mark| header.bytes().filter(|byte| byte == mark).count());
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter.unwrap_or(b',')).flexible(true).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| file("header", header, error.to_string(), "see docs/OPERATING.md"))?;
    let names: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
    check_columns(&names)?;
    let mut table = Table::default();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let row = error.position().map_or(0, csv::Position::line);
                table.problems.push(RowProblem::new(row, "row", "", error.to_string(), "mend the line"));
                continue;
            }
        };
        let row = record.position().map_or(0, csv::Position::line);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if table.rows.len() >= ENTRIES_MAX {
            return Err(file("file", "", "has too many rows", format!("at most {ENTRIES_MAX} are read; split it")));
        }
        if record.len() != names.len() {
            let problem = format!("has {} cells, the header has {}", record.len(), names.len());
            let remedy = "put texts with separators or line breaks into double quotes";
            table.problems.push(RowProblem::new(row, "row", record.get(0).unwrap_or_default(), problem, remedy));
            continue;
        }
        let cells = names.iter().cloned().zip(record.iter().map(unarmed));
        table.rows.push(RawRow { row, values: cells.collect() });
    }
    Ok(table)
}

/// What the export wrote before what a spreadsheet would take for a formula.
fn unarmed(cell: &str) -> String {
    let formula = |rest: &str| rest.starts_with(['=', '+', '-', '@']);
    cell.strip_prefix('\'').filter(|rest| formula(rest)).unwrap_or(cell).to_owned()
}

fn check_columns(names: &[String]) -> Result<(), Box<RowProblem>> {
    let known = COLUMNS.join(", ");
    if let Some(unknown) = names.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        let remedy = format!("the columns are: {known}; put anything else into \"fields\" as name=value");
        return Err(file("header", unknown, "is no column of the directory", remedy));
    }
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(file("header", twice.1, "stands there twice", "keep one of the two columns"));
    }
    match COLUMNS_NEEDED.iter().find(|needed| !names.iter().any(|name| name == *needed)) {
        Some(missing) => Err(file("header", missing, "is missing", format!("the columns are: {known}"))),
        None => Ok(()),
    }
}

fn read_json(text: &str) -> Result<Table, Box<RowProblem>> {
    let remedy = "write an array of objects: [{\"id\": \"mfc-1\", \"kind\": \"office\", …}]";
    let value: Value = serde_json::from_str(text).map_err(|error| file("file", "", error.to_string(), remedy))?;
    let Value::Array(elements) = value else { return Err(file("file", "", "is no array", remedy)) };
    if elements.len() > ENTRIES_MAX {
        return Err(file("file", "", "has too many rows", format!("at most {ENTRIES_MAX} are read; split it")));
    }
    let mut table = Table::default();
    for (row, element) in (1..).zip(elements) {
        match element {
            Value::Object(object) => match row_of_json(row, &object) {
                Ok(row) => table.rows.push(row),
                Err(problem) => table.problems.push(*problem),
            },
            other => table.problems.push(RowProblem::new(row, "row", &other.to_string(), "is no object", remedy)),
        }
    }
    Ok(table)
}

/// One entry as a JSON object: the same names as a table's columns; `fields` may be an object, anything else is text.
///
/// # Errors
/// What is wrong with its form; what it says is judged by [`ImportPlan`].
pub fn row_of_json(row: u64, object: &Map<String, Value>) -> Result<RawRow, Box<RowProblem>> {
    let wrong = |name: &str, value: &Value, problem: &str, remedy: &str| {
        Box::new(RowProblem::new(row, name, &value.to_string(), problem, remedy))
    };
    let mut values = BTreeMap::new();
    for (name, value) in object {
        if !COLUMNS.contains(&name.as_str()) {
            let remedy = "put anything else into \"fields\"";
            return Err(wrong(name, value, "is no field of an entry", remedy));
        }
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Object(fields) if name == "fields" => {
                let mut parts = Vec::new();
                for (key, value) in fields {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    if key.contains(['=', ';']) || text.contains(';') {
                        return Err(wrong(name, value, "has a \"=\" or \";\" in it", "write it with other words"));
                    }
                    parts.push(format!("{key}={text}"));
                }
                parts.join(";")
            }
            other => return Err(wrong(name, other, "is no text", "write it in double quotes")),
        };
        values.insert(name.clone(), text);
    }
    Ok(RawRow { row, values })
}

/// Writes entries so that an import reads them as they are. In CSV, a cell that a spreadsheet would take for a formula gets a
/// `'` before it, which the import takes away.
///
/// # Errors
/// Of writing.
pub fn write_table<'a>(
    format: TableFormat,
    entries: impl IntoIterator<Item = &'a DirectoryEntry>,
) -> Result<Vec<u8>, std::io::Error> {
    match format {
        TableFormat::Json => {
            let all: Vec<Value> = entries.into_iter().map(json_of).collect::<Result<_, _>>()?;
            Ok(serde_json::to_vec_pretty(&all)?)
        }
        TableFormat::Csv => {
            let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
            csv.write_record(COLUMNS)?;
            for entry in entries {
                csv.write_record(cells(entry).map(disarmed))?;
            }
            csv.into_inner().map_err(|error| std::io::Error::other(error.to_string()))
        }
    }
}

fn json_of(entry: &DirectoryEntry) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(super::DirectoryDocument::from(entry))?;
    value["id"] = Value::String(entry.id.to_string());
    Ok(value)
}

fn cells(entry: &DirectoryEntry) -> [String; COLUMNS.len()] {
    let fields: Vec<String> = entry.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = |text: &Option<std::sync::Arc<str>>| text.as_ref().map(ToString::to_string).unwrap_or_default();
    [
        entry.id.to_string(),
        entry.kind.to_string(),
        entry.agency.to_string(),
        text(&entry.municipality),
        entry.owner.to_string(),
        entry.title.to_string(),
        entry.spoken.to_string(),
        entry.text.to_string(),
        text(&entry.phone),
        text(&entry.address),
        entry.hours.as_ref().map(ToString::to_string).unwrap_or_default(),
        fields.join("; "),
        entry.lang.to_string(),
        entry.version.to_string(),
        entry.updated.to_string(),
    ]
}

fn disarmed(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const HEADER: &str = "id;kind;agency;title;phone;hours;fields";

    fn imported(format: TableFormat, bytes: &[u8]) -> (ImportPlan, Vec<RowProblem>) {
        let table = Table::read(format, bytes);
        (ImportPlan::of(&table.rows, |_| None, |_| true, date(2026, 5, 5)), table.problems)
    }

    fn file_problem(format: TableFormat, bytes: &[u8], problem: &str, remedy: &str) {
        let table = Table::read(format, bytes);
        let [found] = table.problems.as_slice() else { panic!("{:?}", table.problems) };
        let right = found.row == 0 && found.problem.contains(problem) && found.remedy.contains(remedy);
        assert!(right && table.rows.is_empty(), "{found}");
    }

    /// Russian text in an old encoding: only the letters а to я and А to Я.
    fn encoded(text: &str, lower: fn(u32) -> u8, upper: fn(u32) -> u8) -> Vec<u8> {
        let byte = |c: char| match c {
            'а'..='я' => lower(u32::from(c) - u32::from('а')),
            'А'..='Я' => upper(u32::from(c) - u32::from('А')),
            _ => u8::try_from(u32::from(c)).unwrap(),
        };
        text.chars().map(byte).collect()
    }

    #[test]
    fn a_wrong_encoding_is_named_and_nothing_is_guessed() {
        let text = format!("{HEADER}\r\nmfc-1;office;mfc;Центр на улице Северной;;;\r\n");
        let cp1251 = encoded(&text, |n| 0xe0 + u8::try_from(n).unwrap(), |n| 0xc0 + u8::try_from(n).unwrap());
        file_problem(TableFormat::Csv, &cp1251, "looks like WINDOWS-1251", "iconv -f WINDOWS-1251 -t UTF-8");
        let koi = encoded(&text, |n| 0xc0 + u8::try_from(n).unwrap() % 32, |n| 0xe0 + u8::try_from(n).unwrap() % 32);
        file_problem(TableFormat::Csv, &koi, "looks like KOI8-R", "UTF-8");
        let dos = |n: u32| u8::try_from(if n < 16 { 0xa0 + n } else { 0xe0 + n - 16 }).unwrap();
        file_problem(TableFormat::Csv, &encoded(&text, dos, |n| 0x80 + u8::try_from(n).unwrap()), "CP866", "UTF-8");
        let utf16: Vec<u8> = [0xfeff_u16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        file_problem(TableFormat::Csv, &utf16, "looks like UTF-16", "UTF-8");
        file_problem(TableFormat::Csv, b"PK\x03\x04\0\0", "no text", "not as .xls");
        let (plan, unread) = imported(TableFormat::Csv, format!("\u{feff}{text}").as_bytes());
        assert_eq!((plan.counts(), unread.len()), ((1, 0), 0), "a byte order mark of UTF-8 is no harm");
    }

    #[test]
    fn a_file_that_is_no_table_says_what_is_wrong_with_it() {
        file_problem(TableFormat::Csv, b"", "is empty", "choose");
        file_problem(
            TableFormat::Csv,
            b"id,kind,agency,title,colour\n",
            "no column",
            "put anything else into \"fields\"",
        );
        file_problem(TableFormat::Csv, b"id,kind,agency\n", "is missing", "the columns are");
        file_problem(TableFormat::Csv, b"id,kind,agency,title,title\n", "twice", "keep one");
        file_problem(TableFormat::Json, b"{}", "no array", "array of objects");
        file_problem(TableFormat::Json, b"[{", "EOF", "array of objects");
    }

    #[test]
    fn rows_that_are_none_are_listed_by_line_and_the_others_are_taken() {
        let text = format!(
            "{HEADER}\n\
             mfc-1;office;mfc;\"МФЦ; на\nСеверной\";+7 3842 00-00-00;пн-пт 09:00-18:00;service=паспорт\n\
             mfc-2;office;mfc\n\
             ;;;;;;\n\
             mfc-3;shop;mfc;Третий;;;\n\
             mfc-1;office;mfc;Ещё один;;;\n\
             mfc-4;office;mfc;Четвёртый;;;\n"
        );
        let (plan, unread) = imported(TableFormat::Csv, text.as_bytes());
        let report = ImportReport::of(&plan, &unread, true);
        let seen: Vec<String> =
            report.problems.iter().map(|at| format!("{} {}: {}", at.row, at.field, at.problem)).collect();
        assert_eq!(
            seen,
            ["4 row: has 3 cells, the header has 7", "6 kind: is no kind of entry", "7 id: stands in row 2 already"]
        );
        assert_eq!((report.rows, report.added, report.dry_run), (5, 2, true));
        assert!(report.problems.iter().all(|problem| !problem.remedy.is_empty()));
    }

    #[test]
    fn what_is_exported_is_imported_as_it_was() {
        let text = format!(
            "{HEADER}\nmfc-1;office;mfc;\"=МФЦ; \"\"на\"\" Северной\";+7 3842 00-00-00;пн-пт 09:00-18:00;a=1; b=2\nfaq-1;faq;mfc;Вопрос?;;;\n"
        )
        .replace("a=1; b=2", "\"a=1; b=2\"");
        let (plan, _) = imported(TableFormat::Csv, text.as_bytes());
        let entries: Vec<DirectoryEntry> = plan.writes.into_iter().map(|(_, entry)| entry).collect();
        assert_eq!(entries.len(), 2);
        for format in [TableFormat::Csv, TableFormat::Json] {
            let written = write_table(format, &entries).unwrap();
            let table = Table::read(format, &written);
            let present = |id: &str| entries.iter().find(|entry| &*entry.id == id).cloned().map(std::sync::Arc::new);
            let again = ImportPlan::of(&table.rows, present, |_| true, date(2027, 1, 1));
            assert_eq!((again.unchanged, again.writes.len(), again.problems.len()), (2, 0, 0), "{format:?}");
        }
        let csv = String::from_utf8(write_table(TableFormat::Csv, &entries).unwrap()).unwrap();
        assert!(csv.contains("\"'=МФЦ; \"\"на\"\" Северной\"") && csv.contains("'+7 3842"), "{csv}");
        for entry in &entries {
            assert_eq!(super::super::DirectoryDocument::from(entry).entry(&entry.id).unwrap(), *entry);
        }
    }

    #[test]
    fn json_entries_may_have_their_fields_as_an_object() {
        let text = r#"[{"id": "a", "kind": "faq", "agency": "mfc", "title": "?", "fields": {"topic": "passport"}},
                       {"id": "b", "kind": "faq", "agency": "mfc", "title": ["?"]}, 7,
                       {"id": "c", "kind": "faq", "agency": "mfc", "title": "!", "colour": "red"}]"#;
        let (plan, unread) = imported(TableFormat::Json, text.as_bytes());
        assert_eq!(plan.writes[0].1.field("topic"), Some("passport"));
        let places: Vec<(u64, &str)> = unread.iter().map(|problem| (problem.row, problem.field.as_str())).collect();
        assert_eq!(places, [(2, "title"), (3, "row"), (4, "colour")]);
    }
}
