//! Rows of a table to entries. Reading the table's bytes is the host's; the rules are here.
//!
//! Good rows are taken and bad ones are not, each with its place, its problem and a remedy: a clerk mends the file and
//! imports it again, and nothing changes that is already as the file has it. An import deletes nothing.

use super::{
    DirectoryEntry, ENTRIES_MAX, ENTRY_FIELDS_MAX, EntryKind, ID_BYTES_MAX, LONG_TEXT_BYTES_MAX, OpeningHours,
    SHORT_TEXT_BYTES_MAX,
};
use crate::ids::Agency;
use jiff::civil::Date;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// The columns of a table of entries. `version` and `updated` are written at export; at import they are the engine's.
pub const COLUMNS: [&str; 15] = [
    "id",
    "kind",
    "agency",
    "municipality",
    "owner",
    "title",
    "spoken",
    "text",
    "phone",
    "address",
    "hours",
    "fields",
    "lang",
    "version",
    "updated",
];

/// Problems that an import lists; the rest is counted.
const PROBLEMS_MAX: usize = 1_000;
/// Characters of a wrong value that are shown.
const VALUE_CHARS_SHOWN: usize = 80;
/// What an entry's language is where nothing says it.
const LANG_DEFAULT: &str = "ru-RU";

/// A row as it was read: its place for people (a line, or an element from 1), and its values by column.
#[derive(Clone, Debug, Default)]
pub struct RawRow {
    /// The line of the file, or the element of the array.
    pub row: u64,
    /// By column; what is empty may be missing.
    pub values: BTreeMap<String, String>,
}

/// What is wrong with a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowProblem {
    /// Where: the line, or the element; 0 for the file as a whole.
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

impl RowProblem {
    /// One that is about a value.
    #[must_use]
    pub fn new(row: u64, field: &str, value: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        let value = match value.char_indices().nth(VALUE_CHARS_SHOWN) {
            Some((end, _)) => format!("{}…", &value[..end]),
            None => value.to_owned(),
        };
        Self { row, field: field.to_owned(), value, problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}, {}: {:?} {}; {}", self.row, self.field, self.value, self.problem, self.remedy)
    }
}

/// What an import does to an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportAction {
    /// It was not there.
    Add,
    /// It says something else.
    Change,
}

/// What an import would do, or did.
#[derive(Clone, Debug, Default)]
pub struct ImportPlan {
    /// Entries to be written, with their new versions.
    pub writes: Vec<(ImportAction, DirectoryEntry)>,
    /// Rows that say what the directory says already.
    pub unchanged: u64,
    /// Rows read.
    pub rows: u64,
    /// What is wrong, in the file's order.
    pub problems: Vec<RowProblem>,
    /// Problems beyond those listed.
    pub problems_more: u64,
}

impl ImportPlan {
    /// Judges rows against the directory as it is. `may` says whether whoever imports may write entries of an agency.
    #[must_use]
    pub fn of(
        rows: &[RawRow],
        present: impl Fn(&str) -> Option<Arc<DirectoryEntry>>,
        may: impl Fn(&Agency) -> bool,
        today: Date,
    ) -> Self {
        let mut plan = Self { rows: rows.len() as u64, ..Self::default() };
        let mut ids: HashMap<String, u64> = HashMap::new();
        let mut titles: HashMap<(EntryKind, String, String, String), u64> = HashMap::new();
        for row in rows {
            match entry_of(row, &may, today) {
                Err(problems) => problems.into_iter().for_each(|problem| plan.problem(problem)),
                Ok(entry) => {
                    if let Some(problem) = duplicate(row.row, &entry, &mut ids, &mut titles) {
                        plan.problem(problem);
                        continue;
                    }
                    plan.take(entry, row.row, &present, &may);
                }
            }
        }
        plan
    }

    /// Notes what is wrong.
    pub fn problem(&mut self, problem: RowProblem) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        } else {
            self.problems_more += 1;
        }
    }

    /// Entries that were not there, and such that say something else.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let added = self.writes.iter().filter(|(action, _)| *action == ImportAction::Add).count();
        (added as u64, (self.writes.len() - added) as u64)
    }

    fn take(
        &mut self,
        mut entry: DirectoryEntry,
        row: u64,
        present: &impl Fn(&str) -> Option<Arc<DirectoryEntry>>,
        may: &impl Fn(&Agency) -> bool,
    ) {
        if self.writes.len() >= ENTRIES_MAX {
            let remedy = format!("a directory has at most {ENTRIES_MAX} entries");
            return self.problem(RowProblem::new(row, "id", &entry.id, "is one entry too many", remedy));
        }
        match present(&entry.id) {
            None => self.writes.push((ImportAction::Add, entry)),
            Some(known) if !may(&known.agency) => {
                let remedy = "choose another id, or ask its agency";
                self.problem(RowProblem::new(row, "id", &entry.id, "is another agency's entry", remedy));
            }
            Some(known) if known.says_the_same(&entry) => self.unchanged += 1,
            Some(known) => {
                entry.version = known.version.saturating_add(1);
                self.writes.push((ImportAction::Change, entry));
            }
        }
    }
}

/// The same id twice, or the same thing under two ids: nobody would know which one is read to callers.
fn duplicate(
    row: u64,
    entry: &DirectoryEntry,
    ids: &mut HashMap<String, u64>,
    titles: &mut HashMap<(EntryKind, String, String, String), u64>,
) -> Option<RowProblem> {
    if let Some(first) = ids.get(&*entry.id) {
        let problem = format!("stands in row {first} already");
        return Some(RowProblem::new(
            row,
            "id",
            &entry.id,
            problem,
            "delete one of the two rows, or give it an id of its own",
        ));
    }
    let place = entry.municipality.as_deref().unwrap_or("").to_lowercase();
    let lang = entry.lang.to_lowercase();
    let title = format!("{}|{}|{}", entry.agency, entry.title.to_lowercase(), entry.address.as_deref().unwrap_or(""));
    let key = (entry.kind, title, place, lang);
    if let Some(first) = titles.get(&key) {
        let problem = format!("is what row {first} has already, under another id");
        return Some(RowProblem::new(row, "title", &entry.title, problem, "delete one of the two rows"));
    }
    ids.insert(entry.id.to_string(), row);
    titles.insert(key, row);
    None
}

/// Reads one row; every problem of it, not only the first.
fn entry_of(row: &RawRow, may: &impl Fn(&Agency) -> bool, today: Date) -> Result<DirectoryEntry, Vec<RowProblem>> {
    let mut reader = Reader { row, problems: Vec::new() };
    let id = reader.needed("id", ID_BYTES_MAX, "give every entry an id that stays the same");
    if id.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/') {
        reader.wrong("id", "has spaces, slashes or control characters", "write letters, digits, dots and dashes");
    }
    let kinds = EntryKind::ALL.map(EntryKind::as_str).join(", ");
    let word = reader.needed("kind", ID_BYTES_MAX, &format!("write one of: {kinds}"));
    let kind = EntryKind::parse(&word.to_lowercase());
    if kind.is_none() && !word.is_empty() {
        reader.wrong("kind", "is no kind of entry", &format!("write one of: {kinds}"));
    }
    let agency = Agency::new(&reader.needed("agency", ID_BYTES_MAX, "say whose entry it is"));
    if !agency.as_str().is_empty() && !may(&agency) {
        reader.wrong("agency", "is an agency that you may not write for", "leave its entries to its own people");
    }
    let title = reader.needed("title", SHORT_TEXT_BYTES_MAX, "say in a few words what it is");
    let text = reader.text("text", LONG_TEXT_BYTES_MAX);
    let spoken = reader.text("spoken", LONG_TEXT_BYTES_MAX);
    let [municipality, owner, phone, address, lang] =
        ["municipality", "owner", "phone", "address", "lang"].map(|name| reader.text(name, SHORT_TEXT_BYTES_MAX));
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    if !phone.is_empty() && (digits < 2 || phone.chars().any(|c| !(c.is_ascii_digit() || "+-() ,;.".contains(c)))) {
        reader.wrong("phone", "is no telephone number", "write it like +7 3842 00-00-00, without words");
    }
    let tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !lang.is_empty() && (!lang.chars().all(tag) || lang.len() > 35) {
        reader.wrong("lang", "is no language tag", "write it like ru-RU");
    }
    let hours = reader.hours();
    let fields = reader.fields();
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let optional = |text: String| (!text.is_empty()).then(|| Arc::from(text));
    Ok(DirectoryEntry {
        id: id.into(),
        version: 1,
        updated: today,
        kind: kind.unwrap_or(EntryKind::Faq),
        agency,
        municipality: optional(municipality),
        owner: owner.into(),
        title: title.into(),
        spoken: spoken.into(),
        text: text.into(),
        phone: optional(phone),
        address: optional(address),
        hours,
        fields,
        lang: if lang.is_empty() { LANG_DEFAULT.into() } else { lang.into() },
    })
}

struct Reader<'a> {
    row: &'a RawRow,
    problems: Vec<RowProblem>,
}

impl Reader<'_> {
    fn value(&self, name: &str) -> &str {
        self.row.values.get(name).map_or("", |value| value.trim())
    }

    fn wrong(&mut self, name: &str, problem: impl Into<String>, remedy: &str) {
        let problem = RowProblem::new(self.row.row, name, self.value(name), problem, remedy);
        self.problems.push(problem);
    }

    fn needed(&mut self, name: &str, bytes_max: usize, remedy: &str) -> String {
        let text = self.text(name, bytes_max);
        if text.is_empty() && self.value(name).is_empty() {
            self.wrong(name, "is missing", remedy);
        }
        text
    }

    /// Empty where it is wrong: then the problem is noted.
    fn text(&mut self, name: &str, bytes_max: usize) -> String {
        let text = self.value(name).to_owned();
        if text.len() > bytes_max {
            self.wrong(name, format!("has {} bytes", text.len()), &format!("at most {bytes_max} are kept; shorten it"));
            return String::new();
        }
        if text.contains('\u{fffd}') {
            self.wrong(
                name,
                "has characters that were lost in a wrong encoding",
                "save the file as UTF-8 from its source",
            );
            return String::new();
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.wrong(name, "has control characters", "delete them");
            return String::new();
        }
        text
    }

    fn hours(&mut self) -> Option<OpeningHours> {
        let text = self.text("hours", SHORT_TEXT_BYTES_MAX);
        if text.is_empty() {
            return None;
        }
        match OpeningHours::parse(&text) {
            Ok(hours) => Some(hours),
            Err(error) => {
                let remedy = "write days and times like \"mon-fri 09:00-18:00; sat 10:00-14:00; 2026-05-09 closed\"";
                self.wrong("hours", format!("in {:?}: {}", error.part, error.problem), remedy);
                None
            }
        }
    }

    /// `name=value`, separated by semicolons.
    fn fields(&mut self) -> Vec<(Arc<str>, Arc<str>)> {
        let text = self.text("fields", LONG_TEXT_BYTES_MAX);
        let mut fields: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let named = part.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
            match named.filter(|(name, _)| !name.is_empty()) {
                Some((name, _)) if fields.iter().any(|(known, _)| **known == *name) => {
                    self.wrong("fields", format!("has {name:?} twice"), "keep one of them");
                }
                Some((name, value)) => fields.push((name.into(), value.into())),
                None => self.wrong(
                    "fields",
                    format!("has a part without a name: {part:?}"),
                    "write \"name=value; name=value\"",
                ),
            }
        }
        if fields.len() > ENTRY_FIELDS_MAX {
            self.wrong("fields", "has too many", &format!("at most {ENTRY_FIELDS_MAX} are kept"));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn row(row: u64, values: &[(&str, &str)]) -> RawRow {
        let mut all = BTreeMap::from([("id", "o-1"), ("kind", "office"), ("agency", "mfc"), ("title", "МФЦ")]);
        all.extend(values.iter().copied());
        RawRow { row, values: all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect() }
    }

    fn plan(rows: &[RawRow], present: &[DirectoryEntry]) -> ImportPlan {
        let present = |id: &str| present.iter().find(|entry| &*entry.id == id).cloned().map(Arc::new);
        ImportPlan::of(rows, present, |agency| agency.as_str() != "mvd", date(2026, 5, 5))
    }

    #[test]
    fn a_second_import_changes_nothing_and_a_change_is_a_new_version() {
        let rows = [row(2, &[("hours", "mon-fri 09:00-18:00"), ("fields", "service=passport; floor=2")])];
        let first = plan(&rows, &[]);
        assert!(first.problems.is_empty(), "{:?}", first.problems);
        assert_eq!(first.counts(), (1, 0));
        let kept = first.writes[0].1.clone();
        assert_eq!((kept.version, kept.field("floor"), &*kept.lang), (1, Some("2"), "ru-RU"));
        let again = plan(&rows, std::slice::from_ref(&kept));
        assert_eq!((again.counts(), again.unchanged), ((0, 0), 1));
        let other = plan(&[row(2, &[("title", "МФЦ на Северной")])], &[kept]);
        assert_eq!((other.counts(), other.writes[0].1.version), ((0, 1), 2));
    }

    #[test]
    fn bad_rows_say_where_what_and_how_to_mend_it_and_good_ones_go_in() {
        let rows = [
            row(2, &[]),
            row(3, &[("id", "")]),
            row(4, &[("id", "o-4"), ("kind", "shop"), ("hours", "mon 9-18")]),
            row(5, &[("id", "o-1"), ("title", "Другой")]),
            row(6, &[("id", "o-6"), ("agency", "mvd")]),
            row(7, &[("id", "o-7")]),
            row(8, &[("id", "o-8"), ("title", "Р\u{fffd}")]),
            row(9, &[("id", "o 9"), ("title", "т"), ("phone", "звоните Анне"), ("fields", "=1; a=1; a=2")]),
            row(10, &[("id", "o-10"), ("title", &"д".repeat(1_000))]),
        ];
        let plan = plan(&rows, &[]);
        let seen: Vec<String> =
            plan.problems.iter().map(|at| format!("{} {} {}", at.row, at.field, at.problem)).collect();
        let expect = [
            "3 id is missing",
            "4 kind is no kind of entry",
            "4 hours in \"mon 9-18\": has a time that is not between 00:00 and 24:00",
            "5 id stands in row 2 already",
            "6 agency is an agency that you may not write for",
            "7 title is what row 2 has already, under another id",
            "8 title has characters that were lost in a wrong encoding",
            "9 id has spaces, slashes or control characters",
            "9 phone is no telephone number",
            "9 fields has a part without a name: \"=1\"",
            "9 fields has \"a\" twice",
            "10 title has 2000 bytes",
        ];
        assert_eq!(seen, expect);
        assert!(plan.problems.iter().all(|problem| !problem.remedy.is_empty()));
        assert!(plan.problems[11].value.chars().count() <= 81);
        assert_eq!((plan.rows, plan.counts()), (9, (1, 0)));
    }

    #[test]
    fn nobody_takes_another_agencys_entry_over_by_its_id() {
        let mut theirs = plan(&[row(2, &[])], &[]).writes[0].1.clone();
        theirs.agency = Agency::new("mvd");
        let plan = plan(&[row(2, &[])], &[theirs]);
        assert_eq!((plan.writes.len(), plan.problems[0].problem.as_str()), (0, "is another agency's entry"));
    }

    #[test]
    fn a_file_full_of_problems_lists_a_thousand_and_counts_the_rest() {
        let rows: Vec<RawRow> = (0..1_500).map(|at| row(at, &[("kind", "x")])).collect();
        let plan = plan(&rows, &[]);
        assert_eq!((plan.problems.len(), plan.problems_more), (1_000, 500));
    }
}
