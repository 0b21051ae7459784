//! `gudok callbacks`: who is owed a call, by when, and what was tried.

use super::super::arguments::Moment;
use super::super::remote::{Cell, Column, Outcome, Page, Paint, Remote, Screen, Session, Table, Write, fields};
use super::{of_agency, until};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

const COLUMNS: &[Column] = &[
    ("CALLBACK", |callback| fields::cell(callback, "id")),
    ("QUEUE", |callback| fields::cell(callback, "queue")),
    ("AGENCY", |callback| fields::cell(callback, "agency")),
    ("NUMBER", |callback| fields::cell(callback, "number")),
    ("STATE", |callback| state(callback)),
    ("DUE IN", |callback| due(callback)),
    ("TRIED", |callback| Cell::figure(callback["attempts"].as_array().map_or(0, Vec::len))),
    ("TOPIC", |callback| fields::cell(callback, "topic")),
];

const ATTEMPTS: &[Column] = &[
    ("TRIED AT", |attempt| fields::moment(attempt, "claimed_ms")),
    ("CALL", |attempt| fields::cell(attempt, "call")),
    ("OUTCOME", |attempt| fields::cell(attempt, "outcome")),
];

/// What `gudok callbacks` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// Only in this state.
    #[arg(long, value_enum, default_value_t = State::Open)]
    state: State,
    #[command(flatten)]
    page: Page,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Open,
    Ended,
    All,
    Waiting,
    Claimed,
    Unknown,
    Connected,
    GivenUp,
    Escalated,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ended => "ended",
            Self::All => "all",
            Self::Waiting => "waiting",
            Self::Claimed => "claimed",
            Self::Unknown => "unknown",
            Self::Connected => "connected",
            Self::GivenUp => "given-up",
            Self::Escalated => "escalated",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows one, attempt by attempt.
    Show {
        /// Its id.
        callback: String,
    },
    /// Promises a caller a call.
    Book {
        /// By which queue's operators.
        queue: String,
        /// Whom to call, as written here or with a plus.
        number: String,
        /// In a few words, for the operator who calls.
        #[arg(long, default_value = "")]
        topic: String,
        /// Whose caller; the queue's agency where it is left out.
        #[arg(long)]
        agency: Option<String>,
        /// Not before: a moment, or so long from now.
        #[arg(long)]
        earliest: Option<Moment>,
    },
    /// The number in clear, to dial it by hand. The audit names who looked.
    Number {
        /// Its id.
        callback: String,
    },
    /// Nobody calls any more.
    Cancel {
        /// Its id.
        callback: String,
    },
    /// Of one that is unknown or given up: once more.
    TryAgain {
        /// Its id.
        callback: String,
    },
    /// Of one that is unknown: the caller was reached.
    Connected {
        /// Its id.
        callback: String,
    },
}

/// `gudok callbacks`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        None => {
            let mut query = of_agency(arguments.agency.as_ref());
            query.push(("state", arguments.state.as_str().to_owned()));
            session.list(&["callbacks"], query, &arguments.page, COLUMNS, "nobody is owed a call").await
        }
        Some(Command::Show { callback }) => {
            let answer = session.client.get(&["callbacks", callback], &[]).await?;
            session.show(&answer, print)
        }
        Some(Command::Book { queue, number, topic, agency, earliest }) => {
            let mut body = json!({ "queue": queue, "number": number, "topic": topic });
            if let Some(agency) = agency {
                body["agency"] = agency.as_str().into();
            }
            if let Some(earliest) = earliest {
                body["earliest"] = earliest.text()?.into();
            }
            let answer = session.client.write(Write::post(&["callbacks"]).body(body)).await?;
            session.show(&answer, print)
        }
        Some(Command::Number { callback }) => {
            let answer = session.client.get(&["callbacks", callback, "number"], &[]).await?;
            session.show(&answer, |screen, number| screen.line(&fields::text(number, "number")))
        }
        Some(Command::Cancel { callback }) => decide(session, callback, "cancel").await,
        Some(Command::TryAgain { callback }) => decide(session, callback, "try-again").await,
        Some(Command::Connected { callback }) => decide(session, callback, "connected").await,
    }
}

async fn decide(session: &Session, callback: &str, verb: &str) -> Outcome {
    let answer = session.client.write(Write::post(&["callbacks", callback, verb])).await?;
    session.show(&answer, print)
}

fn state(callback: &Value) -> Cell {
    let text = fields::text(callback, "state");
    let paint = match text.as_str() {
        _ if !callback["escalated_ms"].is_null() && text != "connected" => Paint::Bad,
        "unknown" => Paint::Bad,
        "connected" => Paint::Good,
        "claimed" => Paint::Warn,
        _ => Paint::Plain,
    };
    Cell::new(text).paint(paint)
}

fn due(callback: &Value) -> Cell {
    if matches!(callback["state"].as_str(), Some("connected" | "given-up")) {
        return Cell::figure("");
    }
    let left = until(&callback["due_ms"], Timestamp::now());
    let late = left.starts_with('-');
    Cell::figure(left).paint(if late { Paint::Bad } else { Paint::Plain })
}

fn print(screen: &Screen, callback: &Value) {
    screen.facts(&[
        ("callback", fields::cell(callback, "id")),
        ("queue", fields::cell(callback, "queue")),
        ("agency", fields::cell(callback, "agency")),
        ("number", fields::cell(callback, "number")),
        ("topic", fields::cell(callback, "topic")),
        ("state", state(callback)),
        ("given up", fields::cell(callback, "given_up")),
        ("cancelled by", fields::cell(callback, "cancelled_by")),
        ("asked for", fields::moment(callback, "requested_ms")),
        ("by", fields::cell(callback, "origin")),
        ("not before", fields::moment(callback, "earliest_ms")),
        ("due", fields::moment(callback, "due_ms")),
        ("escalated", fields::moment(callback, "escalated_ms")),
    ]);
    let attempts = callback["attempts"].as_array().map_or(&[][..], Vec::as_slice);
    if !attempts.is_empty() {
        screen.table(&Table::of(ATTEMPTS, attempts));
    }
}
