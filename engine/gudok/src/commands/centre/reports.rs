//! `gudok reports`, `gudok surveys`: what a time came to, and what callers thought of it.

use super::super::remote::{Cell, Column, Outcome, Page, Remote, Session, Table, fields};
use super::of_agency;
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::process::ExitCode;

const COUNTS: &[Column] = &[
    ("", |counts| fields::cell(counts, "name")),
    ("CALLS", |counts| Cell::figure(fields::count(counts, "calls"))),
    ("SERVED", |counts| Cell::figure(fields::count(counts, "served"))),
    ("LANDED", |counts| Cell::figure(fields::count(counts, "landed"))),
    ("ABANDONED", |counts| Cell::figure(fields::count(counts, "abandoned"))),
    ("TALK", |counts| Cell::figure(talk(counts))),
];

const QUEUES: &[Column] = &[
    ("QUEUE", |queue| Cell::new(name(queue, "queue"))),
    ("OFFERED", |queue| Cell::figure(fields::count(queue, "offered"))),
    ("ANSWERED", |queue| Cell::figure(fields::count(queue, "answered"))),
    ("PEER", |queue| Cell::figure(fields::count(queue, "peer"))),
    ("CALLBACK", |queue| Cell::figure(fields::count(queue, "callback"))),
    ("ABANDONED", |queue| Cell::figure(fields::count(queue, "abandoned"))),
    ("SL", |queue| Cell::figure(percent(&queue["sl_percent"]))),
    ("SL2", |queue| Cell::figure(percent(&queue["sl2_percent"]))),
    ("IN 40 s", |queue| Cell::figure(percent(&queue["limit_kept_percent"]))),
    ("LONGEST", |queue| Cell::figure(format!("{} s", fields::count(queue, "waited_ms_max").div_ceil(1_000)))),
];

const SCORES: &[Column] = &[
    ("", |scores| fields::cell(scores, "name")),
    ("QUESTION", |scores| fields::cell(scores, "question")),
    ("ANSWERS", |scores| Cell::figure(fields::count(scores, "count"))),
    ("MEAN", |scores| Cell::figure(scores["mean"].as_f64().map_or_else(String::new, |mean| format!("{mean:.2}")))),
];

const SURVEYS: &[Column] = &[
    ("AT", |survey| fields::moment(survey, "at")),
    ("SURVEY", |survey| Cell::new(format!("{}/{}", fields::text(survey, "agency"), fields::text(survey, "survey")))),
    ("CALL", |survey| fields::cell(survey, "call")),
    ("ANSWERS", |survey| Cell::new(answers(survey))),
];

/// What `gudok reports` is told.
#[derive(Debug, Args)]
pub(crate) struct Reports {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Calls that ended at or after this moment; the beginning of the centre's day where it is left out.
    #[arg(long)]
    from: Option<jiff::Timestamp>,
    /// Calls that ended before this moment; now where it is left out.
    #[arg(long)]
    until: Option<jiff::Timestamp>,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// Only this table.
    #[arg(long, value_enum)]
    by: Option<By>,
    /// As CSV, one table: that of --by, else calls by agency.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Agency,
    Service,
    Municipality,
    Hour,
    Outcome,
    Funnel,
    Queue,
    Callback,
    Survey,
    Mark,
    Ticket,
}

impl By {
    const ALL: [Self; 11] = [
        Self::Agency,
        Self::Service,
        Self::Municipality,
        Self::Hour,
        Self::Outcome,
        Self::Funnel,
        Self::Queue,
        Self::Callback,
        Self::Survey,
        Self::Mark,
        Self::Ticket,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::Service => "service",
            Self::Municipality => "municipality",
            Self::Hour => "hour",
            Self::Outcome => "outcome",
            Self::Funnel => "funnel",
            Self::Queue => "queue",
            Self::Callback => "callback",
            Self::Survey => "survey",
            Self::Mark => "mark",
            Self::Ticket => "ticket",
        }
    }
}

/// What `gudok surveys` is told.
#[derive(Debug, Args)]
pub(crate) struct Surveys {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    #[command(flatten)]
    page: Page,
}

/// `gudok reports`.
pub(crate) async fn reports(session: &Session, arguments: &Reports) -> Outcome {
    let mut query = of_agency(arguments.agency.as_ref());
    query.extend(arguments.from.map(|from| ("from", from.to_string())));
    query.extend(arguments.until.map(|until| ("until", until.to_string())));
    if arguments.csv {
        query.push(("format", "csv".to_owned()));
        query.extend(arguments.by.map(|by| ("by", by.as_str().to_owned())));
        let answer = session.client.get(&["reports"], &query).await?;
        session.screen.raw(&answer.body);
        return Ok(ExitCode::SUCCESS);
    }
    let answer = session.client.get(&["reports"], &query).await?;
    session.show(&answer, |screen, report| {
        screen.line(&format!(
            "calls in {}, out {}, while nobody worked {}, heard the announcement {}",
            fields::count(&report["total"], "calls"),
            fields::count(report, "outbound"),
            fields::count(report, "automatic"),
            fields::count(report, "overlay_heard"),
        ));
        for by in By::ALL.into_iter().filter(|by| arguments.by.is_none_or(|only| only == *by)) {
            let table = table(report, by);
            if !table.is_empty() {
                screen.line("");
                screen.line(&format!("by {}", by.as_str()));
                screen.table(&table);
            }
        }
    })
}

/// `gudok surveys`.
pub(crate) async fn surveys(session: &Session, arguments: &Surveys) -> Outcome {
    let query = of_agency(arguments.agency.as_ref());
    session.list(&["surveys"], query, &arguments.page, SURVEYS, "nobody answered a survey").await
}

fn table(report: &Value, by: By) -> Table {
    let all = |name: &str| report[name].as_array().cloned().unwrap_or_default();
    match by {
        By::Agency => Table::of(COUNTS, &all("by_agency")),
        By::Service => Table::of(COUNTS, &all("by_service")),
        By::Municipality => Table::of(COUNTS, &all("by_municipality")),
        By::Outcome => Table::of(COUNTS, &all("by_outcome")),
        By::Hour => {
            let mut hours = all("by_hour");
            hours.retain(|hour| fields::count(hour, "calls") > 0);
            Table::of(COUNTS, &hours)
        }
        By::Queue => {
            let mut queues = all("queues");
            if !queues.is_empty() {
                queues.push(report["waits"].clone());
            }
            Table::of(QUEUES, &queues)
        }
        By::Survey => Table::of(SCORES, &all("surveys")),
        By::Mark => Table::of(SCORES, &all("marks")),
        By::Funnel => funnel(&all("funnels")),
        By::Callback => figures(&report["callbacks"], &["CALLBACKS", ""]),
        By::Ticket => figures(&report["tickets"], &["TICKETS", ""]),
    }
}

fn funnel(funnels: &[Value]) -> Table {
    let mut table = Table::new(&["ENTRY", "STEP", "CALLS", "OF CALLS"]);
    for funnel in funnels {
        let entry = format!("{}/{}", fields::text(funnel, "agency"), fields::text(funnel, "entry"));
        for step in funnel["steps"].as_array().into_iter().flatten() {
            let calls = fields::count(step, "calls");
            table.row([
                Cell::new(&entry),
                fields::cell(step, "step"),
                Cell::figure(calls),
                Cell::figure(fields::percent(calls, fields::count(funnel, "calls"))),
            ]);
        }
    }
    table
}

/// A row for each figure that is not zero.
fn figures(values: &Value, head: &[&'static str]) -> Table {
    let mut table = Table::new(head);
    for (name, value) in values.as_object().into_iter().flatten() {
        if value.as_u64().is_some_and(|count| count > 0) {
            table.row([Cell::new(name.replace('_', " ")), Cell::figure(fields::words(value))]);
        }
    }
    table
}

fn name(value: &Value, field: &str) -> String {
    let name = fields::text(value, field);
    if name.is_empty() { "(all)".to_owned() } else { name }
}

fn percent(value: &Value) -> String {
    value.as_f64().map_or_else(String::new, |percent| format!("{percent:.1} %"))
}

/// Of one call, the mean.
fn talk(counts: &Value) -> String {
    let mean = fields::count(counts, "talk_s").checked_div(fields::count(counts, "calls")).unwrap_or(0);
    format!("{}:{:02}", mean / 60, mean % 60)
}

fn answers(survey: &Value) -> String {
    let answers = survey["answers"].as_array().into_iter().flatten();
    let answers = answers.map(|answer| {
        let said = if answer["score"].is_null() { &answer["text"] } else { &answer["score"] };
        format!("{}: {}", fields::text(answer, "question"), fields::words(said))
    });
    answers.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tables_leave_out_what_did_not_happen() {
        let report = json!({
            "by_hour": [{ "name": "09", "calls": 0 }, { "name": "10", "calls": 7, "talk_s": 700 }],
            "callbacks": { "promised": 2, "kept": 2, "late": 0 },
            "queues": [], "waits": { "offered": 0 },
        });
        let lines = table(&report, By::Hour).lines(false);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("10") && lines[1].ends_with("1:40"), "{lines:?}");
        assert_eq!(table(&report, By::Callback).lines(false).len(), 3);
        assert!(table(&report, By::Queue).is_empty() && table(&report, By::Ticket).is_empty());
    }
}
