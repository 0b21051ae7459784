//! `gudok audit`: who did what, and whether the record of it is whole.

use super::remote::{Cell, Column, Outcome, Paint, Remote, Screen, Session, Table, anonymous, fields, online, plain};
use super::stopped;
use anyhow::Context;
use clap::{Args, Subcommand};
use gudok_store::Store;
use gudok_store::audit::{HeadMarks, verify_json_lines};
use serde_json::{Value, json};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const COLUMNS: &[Column] = &[
    ("SEQ", |entry| Cell::figure(fields::text(entry, "seq"))),
    ("AT", |entry| Cell::new(fields::local(fields::first(entry, &["at", "at_ms"])))),
    ("ACTOR", |entry| fields::cell(entry, "actor")),
    ("VIA", |entry| fields::cell(entry, "via")),
    ("ACTION", |entry| fields::cell(entry, "action")),
    ("OBJECT", |entry| Cell::new(fields::with_short_hashes(&fields::text(entry, "object")))),
    ("DETAILS", |entry| Cell::new(details(&entry["details"]))),
];
/// Of an entry's details, so much stands in the table; --json has all.
const DETAILS_CHARS_MAX: usize = 100;
/// Entries that are listed where nobody says how many.
const ENTRIES: u32 = 50;

/// What `gudok audit` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    list: List,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists entries, the newest first.
    List(List),
    /// Checks that no entry was edited, deleted or cut off. Exit code 1 where one was.
    Verify(Verify),
    /// Writes the whole audit, one entry a line as JSON.
    Export {
        /// Where it goes; "-" is standard output.
        #[arg(long, default_value = "-")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
struct List {
    /// Only by this user.
    #[arg(long)]
    actor: Option<String>,
    /// Only actions that begin so: deploy, user., recording.play.
    #[arg(long)]
    action: Option<String>,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// Beginning with this entry.
    #[arg(long)]
    from_seq: Option<u64>,
    /// The oldest first.
    #[arg(long)]
    oldest_first: bool,
    /// Go on where the page before ended.
    #[arg(long)]
    cursor: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = ENTRIES, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// Without options, the running engine checks its own; an outsider's check is better done on an export.
#[derive(Debug, Args)]
struct Verify {
    /// Check the store of this configuration, whose engine is stopped.
    #[arg(long, value_name = "gudok.toml", conflicts_with = "file")]
    config: Option<PathBuf>,
    /// Check an export: a file of `gudok audit export`.
    #[arg(long, value_name = "EXPORT")]
    file: Option<PathBuf>,
    /// With --file: the head mark to check it against, a copy of the store's file audit-head.
    #[arg(long, value_name = "FILE", requires = "file")]
    head: Option<PathBuf>,
}

/// `gudok audit`.
pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        None => online(&arguments.remote, async |session| list(session, &arguments.list).await),
        Some(Command::List(query)) => online(&arguments.remote, async |session| list(session, query).await),
        Some(Command::Export { out }) => online(&arguments.remote, async |session| {
            let bytes = session.client.download(&["audit", "export"], &[], out).await?;
            session.screen.note(&format!("the audit: {}", fields::size(bytes)));
            Ok(ExitCode::SUCCESS)
        }),
        Some(Command::Verify(Verify { config: Some(config), .. })) => {
            anonymous(&arguments.remote, async |screen| of_stopped(screen, config))
        }
        Some(Command::Verify(Verify { file: Some(file), head, .. })) => {
            anonymous(&arguments.remote, async |screen| exported(screen, file, head.as_deref()))
        }
        Some(Command::Verify(_)) => online(&arguments.remote, async |session| {
            let answer = session.client.get(&["audit", "verify"], &[]).await?;
            judged(&session.screen, &answer.json()?, &answer.body)
        }),
    }
}

async fn list(session: &Session, list: &List) -> Outcome {
    let order = if list.oldest_first { "oldest" } else { "newest" };
    let mut query = vec![("order", order.to_owned()), ("limit", list.limit.to_string())];
    for (name, value) in
        [("actor", &list.actor), ("action", &list.action), ("agency", &list.agency), ("cursor", &list.cursor)]
    {
        query.extend(value.clone().map(|value| (name, value)));
    }
    query.extend(list.from_seq.map(|seq| ("from_seq", seq.to_string())));
    let answer = session.client.get(&["audit"], &query).await?;
    session.show(&answer, |screen, page| {
        let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
        if items.is_empty() {
            screen.note("no entries");
        } else {
            screen.table(&Table::of(COLUMNS, items));
        }
        if let Some(cursor) = page["next"].as_str() {
            screen.note(&format!("there is more: --cursor {}", plain(cursor)));
        }
    })
}

fn details(details: &Value) -> String {
    let facts = details.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let text = facts.map(|(name, value)| format!("{name}={}", fields::words(value))).collect::<Vec<_>>().join(" ");
    let text = fields::with_short_hashes(&text);
    match text.char_indices().nth(DETAILS_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn of_stopped(screen: &Screen, config: &Path) -> Outcome {
    let store = stopped::store(config, stopped::Key::Needed, "gudok audit verify")?;
    let report = store.audit_verify().wait().context("checking the audit")?;
    told(screen, &report)
}

fn exported(screen: &Screen, file: &Path, head: Option<&Path>) -> Outcome {
    let marks = match head {
        Some(head) => {
            let marks = HeadMarks::read(head).context("reading the head mark")?;
            Some(marks.with_context(|| format!("{} is not there", head.display()))?)
        }
        None => None,
    };
    let input = std::fs::File::open(file).with_context(|| format!("opening {}", file.display()))?;
    let report = verify_json_lines(&mut BufReader::new(input), marks.as_ref(), None).context("reading the export")?;
    if marks.is_none() {
        screen
            .note("without --head, entries cut off the end are not found: compare the head below with one kept apart");
    }
    told(screen, &report)
}

fn told(screen: &Screen, report: &gudok_store::AuditReport) -> Outcome {
    let report = json!({
        "ok": report.is_whole(), "entries": report.entries, "head": report.head, "faults": report.faults,
    });
    judged(screen, &report, &report.to_string())
}

/// Whole, or not and where.
fn judged(screen: &Screen, report: &Value, body: &str) -> Outcome {
    let whole = report["ok"] == true;
    if screen.json {
        screen.raw(body);
    } else {
        let faults = report["faults"].as_array().map_or(&[][..], Vec::as_slice);
        let mut table = Table::new(&["ENTRY", "FAULT"]);
        for fault in faults {
            table.row([
                Cell::figure(fields::text(fault, "seq")),
                Cell::new(fields::text(fault, "problem")).paint(Paint::Bad),
            ]);
        }
        if !table.is_empty() {
            screen.table(&table);
        }
        let head = &report["head"];
        screen.facts(&[
            ("audit", Cell::state(if whole { "ok" } else { "failed" })),
            ("entries", fields::cell(report, "entries")),
            ("head", Cell::new(head_text(head))),
        ]);
    }
    if whole { Ok(ExitCode::SUCCESS) } else { Ok(ExitCode::FAILURE) }
}

/// "17 3f2a…": the number and the hash to keep apart.
fn head_text(head: &Value) -> String {
    if head.is_object() {
        format!("{} {}", fields::text(head, "seq"), fields::text(head, "hash"))
    } else {
        fields::words(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_short_in_a_table() {
        assert_eq!(details(&json!({ "share": 10, "to": "1.2.0", "reason": null })), "share=10 to=1.2.0");
        assert_eq!(details(&Value::Null), "");
        let long = details(&json!({ "reason": "я".repeat(300) }));
        assert_eq!(long.chars().count(), DETAILS_CHARS_MAX + 1);
    }
}
