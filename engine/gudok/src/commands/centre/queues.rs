//! `gudok queues`: who waits, how long, and which peer centres take callers over.

use super::super::remote::{Cell, Column, Outcome, Page, Paint, Remote, Screen, Session, Table, fields};
use super::of_agency;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::Value;

const COLUMNS: &[Column] = &[
    ("QUEUE", |queue| fields::cell(queue, "name")),
    ("AGENCY", |queue| Cell::new(agency(queue))),
    ("OPEN", |queue| Cell::new(if queue["open"] == true { "yes" } else { "no" })),
    ("WAIT", |queue| Cell::figure(waiting(queue).count())),
    ("LONGEST", |queue| longest(queue)),
    ("EXPECTED", |queue| Cell::figure(seconds(&queue["expected_wait_ms"]))),
    ("READY", |queue| Cell::figure(fields::count(queue, "ready"))),
    ("AT WORK", |queue| Cell::figure(fields::count(queue, "logged_in"))),
];

const WAITING: &[Column] = &[
    ("CALL", |waiting| fields::cell(waiting, "call")),
    ("AGENCY", |waiting| fields::cell(waiting, "agency")),
    ("CALLER", |waiting| fields::cell(waiting, "caller")),
    ("WAITS", |waiting| Cell::figure(fields::age(&waiting["since_ms"], Timestamp::now()))),
    ("PRIORITY", |waiting| Cell::figure(fields::count(waiting, "priority"))),
    ("LANGUAGE", |waiting| fields::cell(waiting, "lang")),
    ("CALLBACK", |waiting| fields::cell(waiting, "callback")),
    ("OFFERED", |waiting| fields::moment(waiting, "acted_ms")),
];

const PEERS: &[Column] = &[
    ("PEER", |peer| fields::cell(peer, "name")),
    ("AREAS", |peer| fields::cell(peer, "areas")),
    ("CALLS", |peer| Cell::figure(fields::count(peer, "calls"))),
    ("AT MOST", |peer| Cell::figure(fields::count(peer, "calls_max"))),
    ("RESTS UNTIL", |peer| fields::moment(peer, "rests_until_ms").paint(Paint::Bad)),
];

/// What `gudok queues` is told.
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

#[derive(Debug, Subcommand)]
enum Command {
    /// One queue, caller by caller.
    Show {
        /// Which.
        queue: String,
    },
    /// Peer centres that take callers over.
    Peers {
        #[command(flatten)]
        page: Page,
    },
}

/// `gudok queues`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        None => {
            let query = of_agency(arguments.agency.as_ref());
            session.list(&["queues"], query, &arguments.page, COLUMNS, "no queues: [[queue]] in gudok.toml").await
        }
        Some(Command::Show { queue }) => {
            let answer = session.client.get(&["queues", queue], &[]).await?;
            session.show(&answer, print)
        }
        Some(Command::Peers { page }) => {
            session.list(&["peers"], Vec::new(), page, PEERS, "no peer centres: [[peer]] in gudok.toml").await
        }
    }
}

fn print(screen: &Screen, queue: &Value) {
    screen.facts(&[
        ("queue", fields::cell(queue, "name")),
        ("agency", Cell::new(agency(queue))),
        ("open", fields::cell(queue, "open")),
        ("opens", fields::moment(queue, "opens_ms")),
        ("operators ready", fields::cell(queue, "ready")),
        ("operators at work", fields::cell(queue, "logged_in")),
        ("expected wait", Cell::new(seconds(&queue["expected_wait_ms"]))),
        ("offer at the latest after", Cell::new(seconds(&queue["wait_ms_max"]))),
        ("calls back", fields::cell(queue, "calls_back")),
        ("overflows to", fields::cell(queue, "peers")),
    ]);
    let all: Vec<Value> = waiting(queue).cloned().collect();
    if all.is_empty() {
        screen.note("nobody waits");
    } else {
        screen.table(&Table::of(WAITING, &all));
    }
}

fn waiting(queue: &Value) -> impl Iterator<Item = &Value> {
    queue["waiting"].as_array().into_iter().flatten()
}

fn agency(queue: &Value) -> String {
    let agency = fields::text(queue, "agency");
    if agency.is_empty() { "all".to_owned() } else { agency }
}

/// Past the queue's limit it is red.
fn longest(queue: &Value) -> Cell {
    let now = Timestamp::now();
    let first = waiting(queue).filter_map(|waiting| waiting["since_ms"].as_i64()).min();
    let Some(first) = first else { return Cell::figure("") };
    let over = now.as_millisecond().saturating_sub(first) > queue["wait_ms_max"].as_i64().unwrap_or(i64::MAX);
    Cell::figure(fields::age(&first.into(), now)).paint(if over { Paint::Bad } else { Paint::Plain })
}

/// Milliseconds as seconds.
fn seconds(ms: &Value) -> String {
    ms.as_u64().map_or_else(String::new, |ms| format!("{} s", ms.div_ceil(1_000)))
}
