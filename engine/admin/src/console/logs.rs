//! What scripts logged last, and why they were stopped.

use super::context::Ctx;
use super::form::{Choice, Form};
use super::lists;
use super::stream::{Live, rendered};
use super::versions::Fact;
use super::visit::{Outcome, Visit, encoded};
use crate::names::{AgencyName, ScriptName};
use crate::ports::LogLine;
use crate::problem::Problem;
use crate::service::logs as service;
use askama::Template;
use serde_json::Value;

/// Lines of the live table, the newest first.
const ROWS_MAX: usize = 200;

/// A line.
pub(crate) struct Row {
    pub(crate) at: String,
    pub(crate) call: String,
    pub(crate) tone: &'static str,
    pub(crate) level: String,
    pub(crate) script: String,
    pub(crate) agency: String,
    pub(crate) message: String,
    pub(crate) fields: Vec<Fact>,
}

impl Row {
    pub(crate) fn of(c: &Ctx, line: LogLine) -> Self {
        let tone = match line.level.as_str() {
            "error" => "bad",
            "warn" => "warn",
            "info" => "info",
            _ => "off",
        };
        Self {
            at: c.moment(line.at_ms).people,
            call: line.call,
            tone,
            level: c.word("logs.level", &line.level),
            script: format!("{} {}", line.script, line.label),
            agency: line.agency,
            message: line.message,
            fields: line.fields.into_iter().map(|(name, value)| Fact { name, value }).collect(),
        }
    }
}

/// The last lines.
#[derive(Template)]
#[template(path = "logs.html")]
pub(crate) struct LogsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) rows: Vec<Row>,
    pub(crate) stream: String,
}

/// The table alone.
#[derive(Template)]
#[template(path = "logs_table.html")]
struct LogsTable<'a> {
    c: &'a Ctx,
    rows: Vec<Row>,
}

type Filter = (Option<AgencyName>, Option<ScriptName>);

fn asked(c: &Ctx, query: &lists::Asked) -> (Form, Filter) {
    let mut form = query.0.clone();
    let agency = form.parsed_some(c.lang, "agency");
    let script = form.parsed_some(c.lang, "script");
    (form, (agency, script))
}

fn rows(visit: &Visit, (agency, script): &Filter) -> Result<Vec<Row>, Problem> {
    let logs = service::list(&visit.admin, &visit.me, agency.as_ref(), script.as_ref())?;
    Ok(logs.items.into_iter().rev().take(ROWS_MAX).map(|line| Row::of(&visit.c, line)).collect())
}

/// `GET /console/logs`
pub(crate) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let (form, filter) = asked(&visit.c, &query);
    let pairs =
        [("agency", filter.0.as_ref().map(AgencyName::as_str)), ("script", filter.1.as_ref().map(ScriptName::as_str))];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", encoded(value?))));
    Ok(visit.page(&LogsPage {
        c: &visit.c,
        rows: rows(&visit, &filter)?,
        form: form.or("agency", "").or("script", ""),
        agencies: lists::agency_filter(&visit).await?,
        stream: format!("/console/logs/stream?{}", pairs.collect::<Vec<_>>().join("&")),
    }))
}

/// `GET /console/logs/stream`
pub(crate) async fn stream(visit: Visit, query: lists::Asked) -> Outcome {
    let (_, filter) = asked(&visit.c, &query);
    let draw = move |visit: Visit| {
        let filter = filter.clone();
        async move {
            let rows = rows(&visit, &filter)?;
            Ok(vec![("logs", rendered(&LogsTable { c: &visit.c, rows }))])
        }
    };
    Live::of("logs", draw).begin(visit).await
}

/// A fault.
pub(crate) struct FaultRow {
    pub(crate) at: String,
    pub(crate) call: String,
    pub(crate) place: String,
    pub(crate) why: String,
    pub(crate) facts: Vec<Fact>,
}

impl FaultRow {
    pub(crate) fn of(c: &Ctx, fault: &Value) -> Self {
        let text = |name: &str| fault[name].as_str().unwrap_or_default().to_owned();
        let cause = c.word("landing", &text("cause"));
        let message = text("message");
        let lines = match &fault["backtrace"] {
            Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" · "),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let place = [text("agency"), format!("{} {}", text("script"), text("version")), text("step")];
        let place: Vec<String> = place.into_iter().filter(|part| !part.trim().is_empty()).collect();
        Self {
            at: fault["at_ms"].as_u64().map_or_else(String::new, |ms| c.moment(ms).people),
            call: text("call"),
            place: place.join(" · "),
            why: if message.is_empty() { cause } else { format!("{cause}: {message}") },
            facts: if lines.is_empty() {
                Vec::new()
            } else {
                vec![Fact { name: c.t("faults.where").to_owned(), value: lines }]
            },
        }
    }
}

/// The last faults.
#[derive(Template)]
#[template(path = "faults.html")]
pub(crate) struct FaultsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) rows: Vec<FaultRow>,
}

/// `GET /console/faults`
pub(crate) async fn faults(visit: Visit, query: lists::Asked) -> Outcome {
    let c = &visit.c;
    let (form, (agency, _)) = asked(c, &query);
    let faults = service::faults(&visit.admin, &visit.me, agency.as_ref())?.faults;
    Ok(visit.page(&FaultsPage {
        c,
        form: form.or("agency", ""),
        agencies: lists::agency_filter(&visit).await?,
        rows: faults.iter().rev().take(ROWS_MAX).map(|fault| FaultRow::of(c, fault)).collect(),
    }))
}
