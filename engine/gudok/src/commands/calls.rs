//! `gudok calls`: who is on the line now.

use super::remote::{Cell, Column, Failure, Frame, Outcome, Page, Remote, Session, Table, Write, fields};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::mpsc;

/// The live table is drawn so often at most.
const DRAW_EVERY: Duration = Duration::from_millis(250);
/// Calls that the live table shows; more are only counted.
const ROWS_MAX: usize = 40;
/// The event that says that others were missed: what is shown must be read anew.
pub(crate) const MISSED: &str = "lagged";
/// Events that wait to be shown.
const EVENTS_MAX: usize = 1_024;

const COLUMNS: &[Column] = &[
    ("CALL", |call| fields::cell(call, "id")),
    ("SCRIPT", |call| Cell::new(format!("{}/{}", fields::text(call, "agency"), fields::text(call, "entry")))),
    ("VERSION", |call| Cell::new(version(call))),
    ("CALLER", |call| fields::cell(call, "caller")),
    ("CALLED", |call| fields::cell(call, "called")),
    ("TIME", |call| Cell::figure(fields::age(fields::first(call, &["since_ms", "since"]), Timestamp::now()))),
    ("STATE", |call| Cell::state(fields::text(call, "state"))),
    ("STEP", |call| fields::cell(call, "step")),
];

/// What `gudok calls` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// Go on: a table that keeps up with what happens; with --json, an event a line.
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    page: Page,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What is done with one call.
#[derive(Debug, Subcommand)]
enum Command {
    /// Ends a call.
    Hangup {
        /// Its id.
        call: String,
    },
    /// Takes a call out of its script's hands, to an operator.
    Land {
        /// Its id.
        call: String,
    },
}

/// `gudok calls`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Some(Command::Hangup { call }) => order(session, call, "hangup").await,
        Some(Command::Land { call }) => order(session, call, "land").await,
        None if arguments.follow => follow(session, arguments.agency.as_deref()).await,
        None => {
            let query = arguments.agency.iter().map(|agency| ("agency", agency.clone())).collect();
            session.list(&["calls"], query, &arguments.page, COLUMNS, "nobody is on the line").await
        }
    }
}

async fn order(session: &Session, call: &str, verb: &str) -> Outcome {
    let answer = session.client.write(Write::post(&["calls", call, verb])).await?;
    session.show(&answer, |screen, _| {
        screen.note(if verb == "land" { "the caller goes to an operator" } else { "the call ends" });
    })
}

/// What happens from now on, read beside whatever the command does. Comes back when the engine tells already.
pub(crate) async fn events(
    session: &Session,
    topics: &str,
    agency: Option<&str>,
) -> Result<mpsc::Receiver<Result<Frame, Failure>>, Failure> {
    let mut query = vec![("topics", topics.to_owned())];
    query.extend(agency.map(|agency| ("agency", agency.to_owned())));
    let mut events = session.client.events(query);
    events.connect().await?;
    let (sender, receiver) = mpsc::channel(EVENTS_MAX);
    tokio::spawn(async move {
        loop {
            let event = events.next().await;
            let over = event.is_err();
            if sender.send(event).await.is_err() || over {
                return;
            }
        }
    });
    Ok(receiver)
}

async fn follow(session: &Session, agency: Option<&str>) -> Outcome {
    // First the events, then what is there: nothing falls between.
    let mut events = events(session, "calls", agency).await?;
    if session.screen.json {
        while let Some(event) = events.recv().await {
            session.screen.raw(&event?.data);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let terminal = session.screen.terminal;
    let mut live = Live::read(session, agency).await?;
    if !terminal {
        live.calls.values().for_each(|call| session.screen.line(&told(call)));
    }
    let mut lines = 0;
    let mut tick = tokio::time::interval(DRAW_EVERY);
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else { return Ok(ExitCode::SUCCESS) };
                let event = event?;
                if event.event == MISSED {
                    live = Live::read(session, agency).await?;
                    continue;
                }
                let Ok(call) = serde_json::from_str::<Value>(&event.data) else { continue };
                if !terminal {
                    session.screen.line(&told(&call));
                }
                live.take(call);
            }
            _ = tick.tick(), if terminal => lines = session.screen.redraw(lines, &live.head(), &live.table()),
        }
    }
}

/// The calls that are up, oldest first.
struct Live {
    calls: BTreeMap<(Option<Timestamp>, String), Value>,
}

impl Live {
    async fn read(session: &Session, agency: Option<&str>) -> Result<Self, Failure> {
        let query: Vec<(&str, String)> = agency.map(|agency| ("agency", agency.to_owned())).into_iter().collect();
        let mut live = Self { calls: BTreeMap::new() };
        session.all(&["calls"], &query).await?.into_iter().for_each(|call| live.take(call));
        Ok(live)
    }

    fn take(&mut self, call: Value) {
        let since = fields::timestamp(fields::first(&call, &["since_ms", "since"]));
        let key = (since, fields::text(&call, "id"));
        if is_over(&call) {
            self.calls.remove(&key);
        } else {
            self.calls.insert(key, call);
        }
    }

    fn head(&self) -> String {
        match self.calls.len() {
            0 => "nobody is on the line".to_owned(),
            1 => "1 call".to_owned(),
            more if more > ROWS_MAX => format!("{more} calls, the oldest {ROWS_MAX} of them:"),
            more => format!("{more} calls"),
        }
    }

    fn table(&self) -> Table {
        let shown: Vec<Value> = self.calls.values().take(ROWS_MAX).cloned().collect();
        if shown.is_empty() { Table::default() } else { Table::of(COLUMNS, &shown) }
    }
}

/// The engine says so in the event of a call's end.
fn is_over(call: &Value) -> bool {
    !matches!(call["ended"], Value::Null | Value::Bool(false))
}

fn version(call: &Value) -> String {
    let label = fields::text(call, "label");
    if label.is_empty() { fields::short(&fields::text(call, "version")).to_owned() } else { label }
}

/// One line for a log.
fn told(call: &Value) -> String {
    let state = if is_over(call) { "ended".to_owned() } else { fields::text(call, "state") };
    let line = format!(
        "{} {}/{} {} {} {state} {}",
        fields::text(call, "id"),
        fields::text(call, "agency"),
        fields::text(call, "entry"),
        version(call),
        fields::text(call, "caller"),
        fields::text(call, "step")
    );
    super::remote::plain(line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_live_table_follows_a_call_to_its_end() {
        let mut live = Live { calls: BTreeMap::new() };
        for (id, since_ms) in [("b", 2_000), ("a", 3_000), ("c", 1_000)] {
            live.take(json!({ "id": id, "since_ms": since_ms, "state": "script" }));
        }
        live.take(json!({ "id": "b", "since_ms": 2_000, "state": "landed", "step": "menu" }));
        let ids: Vec<_> = live.calls.values().map(|call| fields::text(call, "id")).collect();
        assert_eq!(ids, ["c", "b", "a"], "oldest first");
        assert_eq!(live.calls.values().nth(1).unwrap()["step"], "menu");
        live.take(json!({ "id": "b", "since_ms": 2_000, "ended": true }));
        assert_eq!(live.head(), "2 calls");
    }
}
