//! `gudok directory`: what callers are told of offices, services and the rest.

use super::super::places::delete;
use super::super::remote::{Cell, Column, Outcome, Page, Paint, Remote, Screen, Session, Table, fields};
use super::{of_agency, read_bytes};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const COLUMNS: &[Column] = &[
    ("ENTRY", |entry| fields::cell(entry, "id")),
    ("KIND", |entry| fields::cell(entry, "kind")),
    ("AGENCY", |entry| fields::cell(entry, "agency")),
    ("MUNICIPALITY", |entry| fields::cell(entry, "municipality")),
    ("VERSION", |entry| Cell::figure(fields::count(entry, "version"))),
    ("UPDATED", |entry| fields::cell(entry, "updated")),
    ("TITLE", |entry| fields::cell(entry, "title")),
];

const PROBLEMS: &[Column] = &[
    ("ROW", |problem| Cell::figure(fields::count(problem, "row"))),
    ("FIELD", |problem| fields::cell(problem, "field")),
    ("VALUE", |problem| fields::cell(problem, "value")),
    ("PROBLEM", |problem| fields::cell(problem, "problem").paint(Paint::Bad)),
    ("REMEDY", |problem| fields::cell(problem, "remedy")),
];

/// What `gudok directory` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    filter: Filter,
    /// For this municipality, and what is for everywhere.
    #[arg(long)]
    municipality: Option<String>,
    #[command(flatten)]
    page: Page,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Filter {
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// Only of this kind: office, service, document, term, official, appeal, faq.
    #[arg(long)]
    kind: Option<String>,
}

impl Filter {
    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = of_agency(self.agency.as_ref());
        query.extend(self.kind.clone().map(|kind| ("kind", kind)));
        query
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Json,
}

impl Format {
    /// As it is asked for, else as the file's name says.
    fn of(asked: Option<Self>, path: &Path) -> Self {
        let json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        asked.unwrap_or(if json { Self::Json } else { Self::Csv })
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Finds entries by words in any form, the best first.
    Search {
        /// What a caller would ask.
        words: Vec<String>,
        #[command(flatten)]
        filter: Filter,
        /// For this municipality, and what is for everywhere.
        #[arg(long)]
        municipality: Option<String>,
        /// In this language, "ru-RU".
        #[arg(long)]
        lang: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=50))]
        limit: u32,
    },
    /// Shows one.
    Show {
        /// Its id.
        entry: String,
    },
    /// Deletes one.
    Delete {
        /// Its id.
        entry: String,
    },
    /// Takes a table's good rows and lists the bad ones. Deletes nothing; a second import of the same file changes nothing.
    /// Exit code 1 where there are bad rows.
    Import {
        /// The file, UTF-8; "-" is standard input.
        file: PathBuf,
        /// How it is written; as the file's name says where it is left out.
        #[arg(long, value_enum)]
        format: Option<Format>,
        /// Say what would happen, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Every entry as a table, which an import reads as it is.
    Export {
        /// Where it goes; "-" is standard output.
        file: PathBuf,
        /// How it is written; as the file's name says where it is left out.
        #[arg(long, value_enum)]
        format: Option<Format>,
        #[command(flatten)]
        filter: Filter,
    },
}

/// `gudok directory`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        None => {
            let mut query = arguments.filter.query();
            query.extend(arguments.municipality.clone().map(|place| ("municipality", place)));
            let none = "the directory is empty: gudok directory import";
            session.list(&["directory"], query, &arguments.page, COLUMNS, none).await
        }
        Some(Command::Search { words, filter, municipality, lang, limit }) => {
            let mut query = filter.query();
            query.push(("q", words.join(" ")));
            query.push(("limit", limit.to_string()));
            query.extend(municipality.clone().map(|place| ("municipality", place)));
            query.extend(lang.clone().map(|lang| ("lang", lang)));
            let answer = session.client.get(&["directory", "search"], &query).await?;
            session.print_list(&answer, COLUMNS, "nothing was found")
        }
        Some(Command::Show { entry }) => {
            let answer = session.client.get(&["directory", entry], &[]).await?;
            session.show(&answer, print)
        }
        Some(Command::Delete { entry }) => delete(session, &["directory", entry]).await,
        Some(Command::Import { file, format, dry_run }) => {
            let format = Format::of(*format, file);
            let query = [("format", format.as_str().to_owned()), ("dry_run", dry_run.to_string())];
            let kind = if format == Format::Json { "application/json" } else { "text/csv" };
            let bytes = read_bytes(file)?.into();
            let answer = session.client.send_file(&["directory", "import"], &query, kind, bytes).await?;
            session.show(&answer, print_import)?;
            let bad = answer.json()?["problems"].as_array().is_some_and(|problems| !problems.is_empty());
            Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Some(Command::Export { file, format, filter }) => {
            let mut query = filter.query();
            query.push(("format", Format::of(*format, file).as_str().to_owned()));
            let bytes = session.client.download(&["directory", "export"], &query, file).await?;
            session.screen.note(&format!("{}: {}", file.display(), fields::size(bytes)));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn print(screen: &Screen, entry: &Value) {
    let facts = entry["fields"].as_object().into_iter().flatten();
    let facts: Vec<String> = facts.map(|(name, value)| format!("{name}={}", fields::words(value))).collect();
    let names =
        ["kind", "agency", "municipality", "owner", "title", "text", "spoken", "phone", "address", "hours", "lang"];
    let mut all = vec![("entry", fields::cell(entry, "id"))];
    all.extend(names.map(|name| (name, fields::cell(entry, name))));
    all.extend([
        ("fields", Cell::new(facts.join("; "))),
        ("version", fields::cell(entry, "version")),
        ("updated", fields::cell(entry, "updated")),
    ]);
    screen.facts(&all);
}

fn print_import(screen: &Screen, report: &Value) {
    let problems = report["problems"].as_array().map_or(&[][..], Vec::as_slice);
    if !problems.is_empty() {
        screen.table(&Table::of(PROBLEMS, problems));
    }
    let count = |name: &str| fields::count(report, name);
    let would = if report["dry_run"] == true { "would be " } else { "" };
    screen.note(&format!(
        "{} rows: {would}added {}, {would}changed {}, the same as before {}, bad {}",
        count("rows"),
        count("added"),
        count("changed"),
        count("unchanged"),
        problems.len() as u64 + count("problems_more"),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_says_how_it_is_written() {
        assert_eq!(Format::of(None, Path::new("offices.JSON")), Format::Json);
        assert_eq!(Format::of(None, Path::new("offices.csv")), Format::Csv);
        assert_eq!(Format::of(Some(Format::Json), Path::new("-")), Format::Json);
    }
}
