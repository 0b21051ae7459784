//! Calls that are up, and the trace of one call.

use super::centre::marks::Marked;
use super::context::Ctx;
use super::form::{Choice, Form};
use super::format::{self, Moment};
use crate::access::Operation;
use crate::ports::{LiveCall, Trace, TraceLine, VersionId};
use askama::Template;
use std::collections::BTreeMap;

/// Rows of the live table: more would not be read, and each is drawn anew at every change.
pub(crate) const ROWS_MAX: usize = 200;
/// Of a call's id, so many digits name it in a heading.
pub(crate) const SHORT_ID_CHARS: usize = 8;

/// A live call, as its row shows it.
pub(crate) struct Row<'a> {
    pub(crate) call: &'a LiveCall,
    pub(crate) since: String,
    pub(crate) lasts: String,
    pub(crate) caller: String,
    pub(crate) state: String,
    pub(crate) tone: &'static str,
    pub(crate) may_act: bool,
    pub(crate) may_listen: bool,
}

/// The live table: the longest calls first, so that rows stay where they are while calls come.
pub(crate) struct Table<'a> {
    pub(crate) rows: Vec<Row<'a>>,
    pub(crate) total: usize,
    pub(crate) left_out: usize,
}

impl<'a> Table<'a> {
    pub(crate) fn of(c: &Ctx, calls: &'a [LiveCall]) -> Self {
        let mut sorted: Vec<&LiveCall> = calls.iter().collect();
        sorted.sort_by(|a, b| (a.since_ms, &a.id).cmp(&(b.since_ms, &b.id)));
        let rows: Vec<Row<'a>> = sorted.into_iter().take(ROWS_MAX).map(|call| Row::of(c, call)).collect();
        Self { total: calls.len(), left_out: calls.len() - rows.len(), rows }
    }
}

impl<'a> Row<'a> {
    fn of(c: &Ctx, call: &'a LiveCall) -> Self {
        let (known, tone) = match call.state.as_str() {
            "dialling" => ("dialling", "info"),
            "announcement" => ("announcement", "info"),
            "script" => ("script", "good"),
            "bridged" => ("bridged", "info"),
            "queued" => ("queued", "warn"),
            "landed" => ("landed", "warn"),
            _ => ("other", "off"),
        };
        Self {
            call,
            since: format::clock(&c.zone, call.since_ms),
            lasts: format::duration(c.now_ms.saturating_sub(call.since_ms)),
            caller: caller_of(c, call),
            state: c.t(&format!("calls.state.{known}")).to_owned(),
            tone,
            may_act: c.may_in(Operation::CallHangUp, &call.agency),
            may_listen: call.state == "bridged" && c.may_in(Operation::Supervise, &call.agency),
        }
    }
}

/// The caller, masked; in words where the number was withheld.
pub(crate) fn caller_of(c: &Ctx, call: &LiveCall) -> String {
    party(c, &call.caller)
}

/// A number as people may see it; in words where there is none.
pub(crate) fn party(c: &Ctx, shown: &str) -> String {
    c.word("party", if shown.is_empty() { "withheld" } else { shown })
}

/// Calls that are up.
#[derive(Template)]
#[template(path = "calls.html")]
pub(crate) struct CallsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) table: Table<'a>,
    pub(crate) stream: String,
}

/// The table alone, for the stream.
#[derive(Template)]
#[template(path = "calls_table.html")]
pub(crate) struct CallsTable<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) table: Table<'a>,
}

/// A line of a trace, in words.
pub(crate) struct Line<'a> {
    pub(crate) class: &'static str,
    pub(crate) at: String,
    pub(crate) kind: String,
    pub(crate) text: &'a str,
    pub(crate) outcome: Option<&'a str>,
    pub(crate) took: Option<String>,
}

impl<'a> Line<'a> {
    pub(crate) fn of(c: &Ctx, line: &'a TraceLine) -> Self {
        let failed = line.outcome.as_deref().is_some_and(is_fault);
        let class = match line.kind.as_str() {
            "step" => "step",
            "key" => "key",
            "say" => "say",
            _ if failed => "fault",
            _ => "other",
        };
        Self {
            class,
            at: format::offset(c.lang, line.at_ms),
            kind: c.word("trace.kind", &line.kind),
            text: &line.text,
            outcome: line.outcome.as_deref().filter(|outcome| !outcome.is_empty()),
            took: line.took_ms.map(|ms| format::took(c.lang, u64::from(ms))),
        }
    }
}

/// Outcomes that stand out in a timeline.
fn is_fault(outcome: &str) -> bool {
    ["trap", "loop", "memory", "timeout", "quota", "refus", "denied", "error", "fail", "stopped"]
        .iter()
        .any(|word| outcome.contains(word))
}

/// A version that ran in a call.
pub(crate) struct Ran {
    pub(crate) id: VersionId,
    pub(crate) text: String,
}

impl Ran {
    /// By its name where that is known, else by the beginning of its hash.
    pub(crate) fn of(id: &VersionId, names: &BTreeMap<VersionId, String>) -> Self {
        let short = || id.chars().take(SHORT_ID_CHARS).collect();
        Self { id: id.clone(), text: names.get(id).cloned().unwrap_or_else(short) }
    }
}

/// A recording of a call.
pub(crate) struct Heard {
    pub(crate) name: String,
    pub(crate) facts: String,
    pub(crate) href: String,
    pub(crate) may_play: bool,
    pub(crate) mark: Option<Marked>,
}

/// What happened in a call.
#[derive(Template)]
#[template(path = "call.html")]
pub(crate) struct CallPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) trace: &'a Trace,
    pub(crate) short: String,
    pub(crate) began: Moment,
    pub(crate) lines: Vec<Line<'a>>,
    pub(crate) versions: Vec<Ran>,
    pub(crate) recordings: Vec<Heard>,
    pub(crate) may_act: bool,
    /// Its scripts' host calls can be looked at.
    pub(crate) has_journal: bool,
}

impl<'a> CallPage<'a> {
    pub(crate) fn of(
        c: &'a Ctx,
        trace: &'a Trace,
        names: &BTreeMap<VersionId, String>,
        recordings: Vec<Heard>,
    ) -> Self {
        Self {
            c,
            short: trace.id.chars().take(SHORT_ID_CHARS).collect(),
            began: c.moment(trace.began_ms),
            lines: trace.lines.iter().map(|line| Line::of(c, line)).collect(),
            versions: trace.versions.iter().map(|id| Ran::of(id, names)).collect(),
            recordings,
            may_act: c.may_in(Operation::CallHangUp, &trace.agency),
            has_journal: false,
            trace,
        }
    }

    pub(crate) fn with_journal(self, has_journal: bool) -> Self {
        Self { has_journal, ..self }
    }
}
