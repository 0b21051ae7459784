//! A report as people read it in a terminal.

use super::{Counts, NONE, QueueFigures, Report, WAIT_EDGES_S};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

/// The first column.
const NAME_CHARS: usize = 28;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "calls in {}, out {}, in automatic hours {}, heard the announcement {}",
            self.total.calls, self.outbound, self.automatic, self.overlay_heard
        )?;
        counts_table(f, "by agency", &self.by_agency)?;
        counts_table(f, "by service", &self.by_service)?;
        counts_table(f, "by municipality", &self.by_area)?;
        let hours = self.by_hour.iter().enumerate().filter(|(_, counts)| counts.calls > 0);
        let hours: BTreeMap<Arc<str>, Counts> =
            hours.map(|(hour, counts)| (Arc::from(format!("{hour:02}:00")), *counts)).collect();
        counts_table(f, "by hour", &hours)?;
        counts_table(f, "by outcome", &self.by_outcome)?;
        funnels(self, f)?;
        queues(self, f)?;
        callbacks(self, f)?;
        scores(self, f)
    }
}

fn counts_table(f: &mut Formatter<'_>, title: &str, rows: &BTreeMap<Arc<str>, Counts>) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let heads = ["calls", "served", "landed", "abandoned", "talk, s"];
    head(f, title, &heads)?;
    for (name, counts) in rows {
        let mean = counts.talk_s.checked_div(counts.calls).unwrap_or(0);
        let cells = [counts.calls, counts.served, counts.landed, counts.abandoned, mean];
        row(f, name, &cells.map(|cell| cell.to_string()))?;
    }
    Ok(())
}

fn funnels(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    for (key, funnel) in report.funnels.iter().filter(|(_, funnel)| !funnel.steps.is_empty()) {
        head(f, &format!("steps of {}/{}", key.agency, key.entry), &["calls", "%"])?;
        row(f, "(came in)", &[funnel.calls.to_string(), "100.0".to_owned()])?;
        for (step, count) in &funnel.steps {
            row(f, step, &[count.to_string(), percent(super::percent(*count, funnel.calls))])?;
        }
    }
    Ok(())
}

fn queues(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    if report.queues.is_empty() {
        return Ok(());
    }
    let level = format!("service level {} s", report.service_level.as_secs());
    let heads = ["offered", "answered", "peer", "callback", "abandoned", "SL %", "SL2 %", "40 s %", "max, s"];
    head(f, &format!("queues, {level}"), &heads)?;
    let figures = |queue: &QueueFigures| {
        [
            queue.offered.to_string(),
            queue.answered.to_string(),
            queue.peer.to_string(),
            queue.callback.to_string(),
            queue.abandoned.to_string(),
            percent(queue.sl_percent()),
            percent(queue.sl2_percent()),
            percent(queue.limit_kept_percent()),
            format!("{}.{}", queue.waited_ms_max / 1_000, queue.waited_ms_max % 1_000 / 100),
        ]
    };
    for (name, queue) in &report.queues {
        row(f, name, &figures(queue))?;
    }
    row(f, "(all)", &figures(&report.waits))?;
    let mut edges: Vec<String> = WAIT_EDGES_S.iter().map(|edge| format!("≤{edge} s")).collect();
    edges.push("longer".to_owned());
    head(f, "waits", &edges.iter().map(String::as_str).collect::<Vec<_>>())?;
    for (name, queue) in &report.queues {
        row(f, name, &queue.histogram.map(|count| count.to_string()))?;
    }
    Ok(())
}

fn callbacks(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    let all = report.callbacks;
    if all.promised == 0 {
        return Ok(());
    }
    let heads = ["promised", "kept", "late", "escalated", "missed", "cancelled", "unknown", "open"];
    head(f, "callbacks", &heads)?;
    let cells =
        [all.promised, all.kept, all.late, all.escalated, all.not_reached, all.cancelled, all.unknown, all.open];
    row(f, "(all)", &cells.map(|cell| cell.to_string()))
}

fn scores(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    let mean = |mean: Option<f64>| mean.map_or_else(|| NONE.to_owned(), |mean| format!("{mean:.2}"));
    if !report.surveys.is_empty() {
        head(f, "surveys", &["answers", "mean"])?;
        for ((survey, question), scores) in &report.surveys {
            row(f, &format!("{survey}: {question}"), &[scores.count.to_string(), mean(scores.mean())])?;
        }
    }
    if !report.marks.is_empty() {
        head(f, "quality marks", &["marks", "mean"])?;
        for (operator, scores) in &report.marks {
            row(f, operator, &[scores.count.to_string(), mean(scores.mean())])?;
        }
    }
    if !report.tickets.is_empty() {
        head(f, "tickets", &["registered"])?;
        for (kind, count) in &report.tickets {
            row(f, kind, &[count.to_string()])?;
        }
    }
    Ok(())
}

fn percent(percent: Option<f64>) -> String {
    percent.map_or_else(|| NONE.to_owned(), |percent| format!("{percent:.1}"))
}

fn head(f: &mut Formatter<'_>, title: &str, heads: &[&str]) -> fmt::Result {
    writeln!(f)?;
    line(f, title, heads)
}

fn row(f: &mut Formatter<'_>, name: &str, cells: &[String]) -> fmt::Result {
    line(f, name, &cells.iter().map(String::as_str).collect::<Vec<_>>())
}

fn line(f: &mut Formatter<'_>, name: &str, cells: &[&str]) -> fmt::Result {
    let shown: String = name.chars().take(NAME_CHARS).collect();
    write!(f, "{shown:<NAME_CHARS$}")?;
    for cell in cells {
        write!(f, " {cell:>9}")?;
    }
    writeln!(f)
}
