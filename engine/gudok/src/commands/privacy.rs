//! `gudok subject`, `gudok retention`: what is kept about callers, for how long, and giving or erasing it when they ask.

use super::remote::{
    Cell, Failure, Outcome, Remote, Screen, Session, Table, Write, confirm, fields, is_interactive, write_secret,
};
use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// What `gudok subject` is told.
#[derive(Debug, Args)]
pub(crate) struct Subjects {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: SubjectCommand,
}

#[derive(Debug, Subcommand)]
enum SubjectCommand {
    /// Everything that is kept about a caller's number, as JSON.
    Export {
        /// The caller's number.
        number: String,
        /// Why you look; the audit keeps it.
        #[arg(long)]
        reason: String,
        /// Into this new file, readable for you only; else to standard output.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Erases what is kept about a caller's number. What is erased does not come back.
    Erase {
        /// The caller's number.
        number: String,
        /// Why; the audit keeps it.
        #[arg(long)]
        reason: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// `gudok subject`.
pub(crate) async fn subjects(session: &Session, arguments: &Subjects) -> Outcome {
    match &arguments.command {
        SubjectCommand::Export { number, reason, out } => {
            let body = json!({ "number": number, "reason": reason });
            let answer = session.client.write(Write::post(&["subjects", "export"]).body(body)).await?;
            match out {
                Some(out) => {
                    write_secret(out, answer.body.as_bytes())?;
                    session.screen.note(&format!("it is in {}", out.display()));
                }
                None => session.screen.raw(&answer.body),
            }
            Ok(ExitCode::SUCCESS)
        }
        SubjectCommand::Erase { number, reason, yes } => {
            if !yes {
                if !is_interactive() {
                    return Err(Failure::Usage("nobody can be asked here: --yes says that you mean it".into()));
                }
                if !confirm(&format!("Erase everything that is kept about {number}?"))? {
                    return Err(Failure::Failed(anyhow!("nothing was erased")));
                }
            }
            let body = json!({ "number": number, "reason": reason });
            let answer = session.client.write(Write::post(&["subjects", "erase"]).body(body)).await?;
            session.show(&answer, print_erased)
        }
    }
}

fn print_erased(screen: &Screen, answer: &Value) {
    let mut table = Table::new(&["ERASED", ""]);
    for (what, count) in answer["erased"].as_object().into_iter().flatten() {
        table.row([Cell::new(what), Cell::figure(fields::words(count))]);
    }
    screen.table(&table);
}

/// What `gudok retention` is told.
#[derive(Debug, Args)]
pub(crate) struct Retention {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: RetentionCommand,
}

#[derive(Debug, Subcommand)]
enum RetentionCommand {
    /// For how long an agency's data is kept.
    Show {
        /// Whose.
        agency: String,
    },
    /// Changes it: what is given, and nothing else. What is older goes at the next sweep.
    Set {
        /// Whose.
        agency: String,
        /// Call records, in days.
        #[arg(long)]
        cdr_days: Option<u32>,
        /// Recordings, in days; a script may keep its own for less, never longer.
        #[arg(long)]
        recording_days: Option<u32>,
        /// Traces of calls, in days.
        #[arg(long)]
        trace_days: Option<u32>,
    },
}

/// `gudok retention`.
pub(crate) async fn retention(session: &Session, arguments: &Retention) -> Outcome {
    match &arguments.command {
        RetentionCommand::Show { agency } => {
            let answer = session.client.get(&["agencies", agency, "retention"], &[]).await?;
            session.show(&answer, print_retention)
        }
        RetentionCommand::Set { agency, cdr_days, recording_days, trace_days } => {
            let given = [("cdr_days", cdr_days), ("recording_days", recording_days), ("trace_days", trace_days)];
            if given.iter().all(|(_, days)| days.is_none()) {
                return Err(Failure::Usage("what is to change? --cdr-days, --recording-days, --trace-days".into()));
            }
            let path = ["agencies", agency.as_str(), "retention"];
            let found = session.client.get(&path, &[]).await?;
            let mut document = found.json()?;
            for (name, days) in given {
                if let Some(days) = days {
                    document[name] = (*days).into();
                }
            }
            let answer = session.client.write(Write::put(&path, document).if_match(found.etag)).await?;
            session.show(&answer, print_retention)
        }
    }
}

fn print_retention(screen: &Screen, retention: &Value) {
    let days = |name: &str| match retention[name].as_u64() {
        Some(days) => Cell::new(format!("{days} days")),
        None => Cell::new("for ever"),
    };
    screen.facts(&[
        ("call records", days("cdr_days")),
        ("recordings", days("recording_days")),
        ("traces", days("trace_days")),
    ]);
}
