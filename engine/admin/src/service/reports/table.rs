//! A report's tables as CSV.

use super::ReportTable;
use crate::books::{CountsView, QueueView, ReportView, ScoresView};
use crate::problem::Problem;

/// One table of a report, with its header line.
///
/// # Errors
/// Of writing.
pub fn csv(report: &ReportView, table: ReportTable) -> Result<Vec<u8>, Problem> {
    let rows = match table {
        ReportTable::Agency => counts("agency", &report.by_agency),
        ReportTable::Service => counts("service", &report.by_service),
        ReportTable::Municipality => counts("municipality", &report.by_municipality),
        ReportTable::Hour => counts("hour", &report.by_hour),
        ReportTable::Outcome => counts("outcome", &report.by_outcome),
        ReportTable::Funnel => funnels(report),
        ReportTable::Queue => queues(report),
        ReportTable::Callback => callbacks(report),
        ReportTable::Survey => scores("survey", &report.surveys),
        ReportTable::Mark => scores("operator", &report.marks),
        ReportTable::Ticket => tickets(report),
    };
    let failed = |error: &dyn std::fmt::Display| Problem::internal("writing a report", error);
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        csv.write_record(row.into_iter().map(disarmed)).map_err(|error| failed(&error))?;
    }
    csv.into_inner().map_err(|error| failed(&error))
}

type Rows = Vec<Vec<String>>;

/// A cell that a spreadsheet would take for a formula; names come from scripts.
fn disarmed(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@']) && cell.len() > 1 { format!("'{cell}") } else { cell }
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn counts(name: &str, all: &[CountsView]) -> Rows {
    let rows = all.iter().map(|counts| {
        let cells = [counts.calls, counts.served, counts.landed, counts.abandoned, counts.talk_s];
        std::iter::once(counts.name.clone()).chain(cells.map(|cell| cell.to_string())).collect()
    });
    std::iter::once(head(&[name, "calls", "served", "landed", "abandoned", "talk_s"])).chain(rows).collect()
}

fn funnels(report: &ReportView) -> Rows {
    let rows = report.funnels.iter().flat_map(|funnel| {
        funnel.steps.iter().map(|step| {
            let name = |text: &String| text.clone();
            vec![
                name(&funnel.agency),
                name(&funnel.entry),
                name(&step.step),
                step.calls.to_string(),
                funnel.calls.to_string(),
            ]
        })
    });
    std::iter::once(head(&["agency", "entry", "step", "calls", "calls_in"])).chain(rows).collect()
}

fn queues(report: &ReportView) -> Rows {
    let classes = report.waits.histogram.iter().map(|class| match class.until_s {
        Some(until) => format!("waited_to_{until}_s"),
        None => "waited_longer".to_owned(),
    });
    let names = [
        "queue",
        "offered",
        "answered",
        "answered_in_time",
        "ended_in_time",
        "peer",
        "callback",
        "abandoned",
        "left",
        "refused",
        "limit_kept",
        "sl_percent",
        "sl2_percent",
        "abandon_percent",
        "waited_ms_mean",
        "waited_ms_max",
    ];
    let header = head(&names).into_iter().chain(classes).collect();
    let all = report.queues.iter().chain(std::iter::once(&report.waits)).map(queue);
    std::iter::once(header).chain(all).collect()
}

fn queue(queue: &QueueView) -> Vec<String> {
    let counts = [
        queue.offered,
        queue.answered,
        queue.answered_in_time,
        queue.ended_in_time,
        queue.peer,
        queue.callback,
        queue.abandoned,
        queue.left,
        queue.refused,
        queue.limit_kept,
    ];
    let percents = [queue.sl_percent, queue.sl2_percent, queue.abandon_percent];
    let percents = percents.map(|percent| percent.map(|percent| format!("{percent:.1}")).unwrap_or_default());
    let name = if queue.queue.is_empty() { "(all)".to_owned() } else { queue.queue.clone() };
    let mean = queue.waited_ms_mean.map(|ms| ms.to_string()).unwrap_or_default();
    let waits = queue.histogram.iter().map(|class| class.waits.to_string());
    std::iter::once(name)
        .chain(counts.map(|count| count.to_string()))
        .chain(percents)
        .chain([mean, queue.waited_ms_max.to_string()])
        .chain(waits)
        .collect()
}

fn callbacks(report: &ReportView) -> Rows {
    let all = &report.callbacks;
    let names = ["promised", "kept", "late", "escalated", "not_reached", "cancelled", "unknown", "open"];
    let cells =
        [all.promised, all.kept, all.late, all.escalated, all.not_reached, all.cancelled, all.unknown, all.open];
    vec![head(&names), cells.map(|cell| cell.to_string()).to_vec()]
}

fn scores(name: &str, all: &[ScoresView]) -> Rows {
    let rows = all.iter().map(|scores| {
        let mean = scores.mean.map(|mean| format!("{mean:.2}")).unwrap_or_default();
        let own = vec![scores.name.clone(), scores.question.clone(), scores.count.to_string(), mean];
        own.into_iter().chain(scores.of_five.iter().map(ToString::to_string)).collect()
    });
    let header = head(&[name, "question", "count", "mean", "of_1", "of_2", "of_3", "of_4", "of_5"]);
    std::iter::once(header).chain(rows).collect()
}

fn tickets(report: &ReportView) -> Rows {
    let rows = report.tickets.iter().map(|(kind, count)| vec![kind.clone(), count.to_string()]);
    std::iter::once(head(&["kind", "tickets"])).chain(rows).collect()
}
