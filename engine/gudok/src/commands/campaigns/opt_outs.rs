//! `gudok opt-outs`: who does not want to be called.

use super::super::remote::{Cell, Column, Failure, Outcome, Page, Remote, Session, Table, Write, ask, fields};
use super::lists::{self, Format};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

const COLUMNS: &[Column] = &[
    ("OPT-OUT", |row| fields::cell(row, "id")),
    ("BY", |row| {
        let agency = fields::text(row, "agency");
        Cell::new(if agency.is_empty() { "anybody".to_owned() } else { agency })
    }),
    ("BY LAW", |row| fields::yes(row, "protected", super::super::remote::Paint::Plain)),
    ("SINCE", |row| fields::moment(row, "since_ms")),
    ("FROM", |row| fields::cell(row, "source")),
    ("REASON", |row| fields::cell(row, "reason")),
];

/// What `gudok opt-outs` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    #[command(flatten)]
    page: Page,
    #[command(subcommand)]
    command: Option<Command>,
}

/// By whom somebody must not be called.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Scope {
    /// By this agency.
    #[arg(long)]
    agency: Option<String>,
    /// By anybody; for admins.
    #[arg(long)]
    global: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Notes one; counts at once, in campaigns that run, too.
    Add {
        /// The number; "-" reads it from standard input, so that it stays out of the shell's history.
        number: String,
        #[command(flatten)]
        scope: Scope,
        /// Not even in an emergency: the law says so.
        #[arg(long)]
        protected: bool,
        /// Why, in words.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Says which opt-outs a number has.
    Find {
        /// The number; "-" reads it from standard input.
        number: String,
    },
    /// Takes one back: this person may be called again.
    Withdraw {
        /// As the list names it.
        id: String,
        #[command(flatten)]
        scope: Scope,
        /// Why: the person's own word, and when it came.
        #[arg(long)]
        reason: String,
    },
    /// Takes a list of numbers (column "number"), CSV or JSON Lines. Exit code 1 where there are bad rows.
    Import {
        /// The list; "-" is standard input.
        file: PathBuf,
        /// How it is written; as the file's name says where it is left out.
        #[arg(long, value_enum)]
        format: Option<Format>,
        #[command(flatten)]
        scope: Scope,
        /// Not even in an emergency: the law says so.
        #[arg(long)]
        protected: bool,
        /// Read everything, and keep nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// A number as it was given, or from standard input.
pub(super) fn number(given: &str) -> Result<String, Failure> {
    if given == "-" { ask("Number: ") } else { Ok(given.to_owned()) }
}

/// `gudok opt-outs`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        None => {
            let query = arguments.agency.clone().map(|agency| ("agency", agency)).into_iter().collect();
            session.list(&["opt-outs"], query, &arguments.page, COLUMNS, "nobody has opted out").await
        }
        Some(Command::Add { number: given, scope, protected, reason }) => {
            let body = json!({
                "number": number(given)?, "agency": scope.agency, "protected": protected, "reason": reason,
            });
            let answer = session.client.write(Write::post(&["opt-outs"]).body(body)).await?;
            session.show(&answer, |screen, row| screen.table(&Table::of(COLUMNS, std::slice::from_ref(row))))
        }
        Some(Command::Find { number: given }) => {
            let body = json!({ "number": number(given)? });
            let answer = session.client.write(Write::post(&["opt-outs", "find"]).body(body)).await?;
            session.print_list(&answer, COLUMNS, "the number has none: it may be called")
        }
        Some(Command::Withdraw { id, scope, reason }) => {
            let path = ["opt-outs", id.as_str(), "withdraw"];
            let body = json!({ "agency": scope.agency, "reason": reason });
            session.client.write(Write::post(&path).body(body)).await?;
            session.screen.note("taken back: this person may be called again");
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Import { file, format, scope, protected, dry_run }) => {
            let mut query = vec![("protected", protected.to_string()), ("dry_run", dry_run.to_string())];
            query.extend(scope.agency.clone().map(|agency| ("agency", agency)));
            lists::import(session, &["opt-outs", "import"], query, file, *format).await
        }
    }
}
