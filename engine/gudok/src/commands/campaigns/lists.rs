//! Lists that go in as they lie on the disk, and what is said of their rows.

use super::super::remote::{Cell, Column, Outcome, Paint, Screen, Session, Table, fields};
use super::show::print_forecast;
use clap::ValueEnum;
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;

const PROBLEMS: &[Column] = &[
    ("LINE", |problem| Cell::figure(fields::count(problem, "line"))),
    ("COLUMN", |problem| fields::cell(problem, "column")),
    ("KIND", |problem| fields::cell(problem, "kind")),
    ("PROBLEM", |problem| fields::cell(problem, "problem").paint(Paint::Bad)),
    ("REMEDY", |problem| fields::cell(problem, "remedy")),
];

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Comma or semicolon; the first row names the columns.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

impl Format {
    /// As it is asked for, else as the file's name says.
    pub(super) fn of(asked: Option<Self>, path: &Path) -> Self {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        asked.unwrap_or(if ["jsonl", "ndjson", "json"].contains(&ending.as_str()) { Self::Jsonl } else { Self::Csv })
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Jsonl => "application/x-ndjson",
        }
    }
}

/// Sends a list piece by piece, and says what became of its rows. Exit code 1 where there are bad ones.
pub(super) async fn import(
    session: &Session,
    path: &[&str],
    mut query: Vec<(&str, String)>,
    file: &Path,
    format: Option<Format>,
) -> Outcome {
    let format = Format::of(format, file);
    query.push(("format", format.as_str().to_owned()));
    let answer = session.client.send_list(path, &query, format.media_type(), file).await?;
    session.show(&answer, print_report)?;
    let bad = fields::count(&answer.json()?, "bad") > 0;
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What became of a list's rows.
pub(super) fn print_report(screen: &Screen, report: &Value) {
    let problems = report["problems"].as_array().map_or(&[][..], Vec::as_slice);
    if !problems.is_empty() {
        screen.table(&Table::of(PROBLEMS, problems));
    }
    let (kinds, zones) = (counts(&report["kinds"]), counts(&report["zones"]));
    let would = if report["dry_run"] == true { "would be added" } else { "added" };
    screen.facts(&[
        ("rows", Cell::new(fields::count(report, "rows").to_string())),
        (would, Cell::new(fields::count(report, "added").to_string()).paint(Paint::Good)),
        ("there already", Cell::new(fields::count(report, "duplicates").to_string())),
        ("bad", bad(fields::count(report, "bad"))),
        ("not taken", Cell::new(kinds)),
        ("read as", fields::cell(report, "charset")),
        ("to the script", fields::cell(report, "fields")),
        ("zones", Cell::new(zones)),
    ]);
    let shown = problems.len() as u64;
    let all = fields::count(report, "bad");
    if all > shown {
        screen.note(&format!("{shown} of {all} bad rows are shown; mend them and send the list again"));
    }
    if report["forecast"].is_object() {
        print_forecast(screen, &report["forecast"]);
    }
}

fn bad(count: u64) -> Cell {
    Cell::new(count.to_string()).paint(if count > 0 { Paint::Bad } else { Paint::Plain })
}

/// "busy 3, no-answer 12", the largest first.
pub(super) fn counts(value: &Value) -> String {
    let mut counts: Vec<(&String, u64)> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, count)| (name, count.as_u64().unwrap_or(0)))
        .filter(|(_, count)| *count > 0)
        .collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_files_name_says_how_it_is_written() {
        assert_eq!(Format::of(None, Path::new("people.JSONL")), Format::Jsonl);
        assert_eq!(Format::of(None, Path::new("people.csv")), Format::Csv);
        assert_eq!(Format::of(None, Path::new("-")), Format::Csv);
        assert_eq!(Format::of(Some(Format::Jsonl), Path::new("-")), Format::Jsonl);
    }

    #[test]
    fn the_largest_count_stands_first() {
        assert_eq!(
            counts(&json!({ "busy": 1, "confirmed": 3, "fax": 0, "answer": 1 })),
            "confirmed 3, answer 1, busy 1"
        );
        assert_eq!(counts(&Value::Null), "");
    }
}
