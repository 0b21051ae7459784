//! Reports: the figures that the API gives, as tables and charts.

use super::floor::Figure;
use crate::books::{CountsView, QueueView, ReportView, ScoresView};
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::versions::Fact;
use crate::console::visit::{Outcome, Visit, encoded};
use crate::console::{format, lists};
use crate::names::AgencyName;
use crate::service::reports::{self as service, ReportQuery};
use crate::time;
use askama::Template;

/// Nobody waits longer without an operator, a peer centre or the offer of a callback (decree, p5).
const LIMIT_S: u64 = 40;
/// Rows of one breakdown; the CSV has all.
const ROWS_MAX: usize = 30;
/// Steps of one funnel.
const STEPS_MAX: usize = 20;

/// Calls of one name.
pub(crate) struct CountsRow {
    pub(crate) name: String,
    pub(crate) calls: String,
    /// Of all, 0 to 100, for the bar.
    pub(crate) share: String,
    pub(crate) percent: String,
    pub(crate) served: String,
    pub(crate) landed: String,
    pub(crate) abandoned: String,
    pub(crate) talk: String,
}

impl CountsRow {
    fn of(c: &Ctx, group: &str, row: &CountsView, total: u64) -> Self {
        Self {
            name: named(c, group, &row.name),
            calls: c.number(row.calls),
            share: share(row.calls, total),
            percent: format::percent(c.lang, row.calls, total),
            served: c.number(row.served),
            landed: c.number(row.landed),
            abandoned: c.number(row.abandoned),
            talk: row.talk_s.checked_div(row.calls).map_or_else(|| "—".into(), |mean| format::duration(mean * 1_000)),
        }
    }
}

/// What has no name has none; what is an outcome or a kind has words.
fn named(c: &Ctx, group: &str, name: &str) -> String {
    match name {
        "-" | "" => "—".to_owned(),
        "(other)" => c.t("reports.other").to_owned(),
        name => c.word(group, name),
    }
}

/// In percent with a point, as SVG has it.
fn share(part: u64, whole: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "a bar is some hundred pixels wide")]
    let share = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    format!("{share:.1}")
}

/// A breakdown of calls.
pub(crate) struct Breakdown {
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<CountsRow>,
}

/// An hour of the day.
pub(crate) struct Hour {
    pub(crate) name: String,
    pub(crate) calls: u64,
    pub(crate) abandoned: u64,
}

/// A class of waits.
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) count: u64,
}

/// A queue's figures.
pub(crate) struct QueueRow {
    pub(crate) name: String,
    pub(crate) offered: String,
    pub(crate) answered: String,
    pub(crate) sl: String,
    pub(crate) sl2: String,
    pub(crate) abandon: String,
    pub(crate) kept: String,
    pub(crate) mean: String,
}

impl QueueRow {
    fn of(c: &Ctx, row: &QueueView) -> Self {
        Self {
            name: row.queue.clone(),
            offered: c.number(row.offered),
            answered: c.number(row.answered),
            sl: percent(c, row.sl_percent),
            sl2: percent(c, row.sl2_percent),
            abandon: percent(c, row.abandon_percent),
            kept: percent(c, row.limit_kept_percent),
            mean: row.waited_ms_mean.map_or_else(|| "—".into(), format::duration),
        }
    }
}

fn percent(c: &Ctx, percent: Option<f64>) -> String {
    percent.map_or_else(|| "—".into(), |percent| format::of_hundred(c.lang, percent))
}

/// How far callers came at one entry.
pub(crate) struct Funnel {
    pub(crate) name: String,
    pub(crate) steps: Vec<FunnelStep>,
}

/// One step of it.
pub(crate) struct FunnelStep {
    pub(crate) name: String,
    pub(crate) calls: String,
    pub(crate) share: String,
    pub(crate) percent: String,
}

/// Some figures with a heading.
pub(crate) struct List {
    pub(crate) title: &'static str,
    pub(crate) facts: Vec<Fact>,
}

/// A report, in words.
pub(crate) struct Shown {
    pub(crate) span: String,
    pub(crate) figures: Vec<Figure>,
    pub(crate) formulas: String,
    pub(crate) hours: Vec<Hour>,
    pub(crate) waits: Vec<Class>,
    /// Where the limit stands among the classes.
    pub(crate) limit_at: usize,
    pub(crate) queues: Vec<QueueRow>,
    pub(crate) tables: Vec<Breakdown>,
    pub(crate) funnels: Vec<Funnel>,
    pub(crate) lists: Vec<List>,
}

impl Shown {
    pub(crate) fn of(c: &Ctx, report: &ReportView) -> Self {
        let level = report.service_level_s.to_string();
        let span = report.first_ms.zip(report.last_ms).map(|(first, last)| {
            let (from, until) = (c.moment(first).people, c.moment(last).people);
            c.w("reports.span", [("from", from.as_str()), ("until", until.as_str())])
        });
        let hours = report.by_hour.iter().map(|row| Hour {
            name: row.name.clone(),
            calls: row.calls,
            abandoned: row.abandoned,
        });
        let within = |until: &Option<u64>| until.is_some_and(|until| until <= LIMIT_S);
        Self {
            span: span.unwrap_or_default(),
            figures: figures(c, report),
            formulas: c.w("reports.formulas", [("level", level.as_str())]),
            hours: hours.collect(),
            waits: classes(c, &report.waits),
            limit_at: report.waits.histogram.iter().filter(|class| within(&class.until_s)).count(),
            queues: report.queues.iter().map(|row| QueueRow::of(c, row)).collect(),
            tables: tables(c, report),
            funnels: funnels(c, report),
            lists: lists(c, report),
        }
    }
}

fn figures(c: &Ctx, report: &ReportView) -> Vec<Figure> {
    let waits = &report.waits;
    let figure = |tone, key: &str, value: String| Figure { tone, fact: Fact { name: c.t(key).to_owned(), value } };
    let kept_all = waits.limit_kept_percent.is_none_or(|percent| percent >= 100.0);
    let callbacks = &report.callbacks;
    let ended = callbacks.promised.saturating_sub(callbacks.open);
    vec![
        figure("", "reports.calls", c.number(report.total.calls)),
        figure("", "reports.served", format::percent(c.lang, report.total.served, report.total.calls)),
        figure("", "reports.sl", percent(c, waits.sl_percent)),
        figure("", "reports.sl2", percent(c, waits.sl2_percent)),
        figure("", "reports.abandon", percent(c, waits.abandon_percent)),
        figure(if kept_all { "good" } else { "bad" }, "reports.kept", percent(c, waits.limit_kept_percent)),
        figure("", "reports.mean", waits.waited_ms_mean.map_or_else(|| "—".into(), format::duration)),
        figure(
            if callbacks.escalated == 0 { "good" } else { "bad" },
            "reports.callbacks",
            format::percent(c.lang, callbacks.kept, ended),
        ),
    ]
}

fn classes(c: &Ctx, waits: &QueueView) -> Vec<Class> {
    let mut from = 0;
    let class = |class: &crate::books::WaitClassView| {
        let (low, count) = (c.number(from), class.waits);
        let name = match class.until_s {
            Some(until) => {
                from = until;
                let until = c.number(until);
                c.w("reports.wait.range", [("from", low.as_str()), ("until", until.as_str())])
            }
            None => c.w("reports.wait.over", [("from", low.as_str())]),
        };
        Class { name, count }
    };
    waits.histogram.iter().map(class).collect()
}

fn tables(c: &Ctx, report: &ReportView) -> Vec<Breakdown> {
    let all = [
        ("reports.by.agency", "", &report.by_agency),
        ("reports.by.service", "", &report.by_service),
        ("reports.by.area", "", &report.by_municipality),
        ("reports.by.outcome", "outcome", &report.by_outcome),
    ];
    let table = |(title, group, rows): (&str, &str, &Vec<CountsView>)| {
        let mut rows: Vec<&CountsView> = rows.iter().collect();
        rows.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.name.cmp(&b.name)));
        let rows = rows.into_iter().take(ROWS_MAX);
        Breakdown {
            title: c.t(title),
            rows: rows.map(|row| CountsRow::of(c, group, row, report.total.calls)).collect(),
        }
    };
    all.into_iter().filter(|(.., rows)| !rows.is_empty()).map(table).collect()
}

fn funnels(c: &Ctx, report: &ReportView) -> Vec<Funnel> {
    let funnel = |funnel: &crate::books::FunnelView| Funnel {
        name: format!("{} / {}", funnel.agency, funnel.entry),
        steps: funnel
            .steps
            .iter()
            .take(STEPS_MAX)
            .map(|step| FunnelStep {
                name: step.step.clone(),
                calls: c.number(step.calls),
                share: share(step.calls, funnel.calls),
                percent: format::percent(c.lang, step.calls, funnel.calls),
            })
            .collect(),
    };
    report.funnels.iter().filter(|one| !one.steps.is_empty()).take(ROWS_MAX).map(funnel).collect()
}

fn lists(c: &Ctx, report: &ReportView) -> Vec<List> {
    let callbacks = &report.callbacks;
    let counts = [
        ("reports.promised", callbacks.promised),
        ("reports.callbacks", callbacks.kept),
        ("reports.late", callbacks.late),
        ("reports.escalated", callbacks.escalated),
        ("reports.not_reached", callbacks.not_reached),
        ("reports.cancelled", callbacks.cancelled),
        ("floor.unknown", callbacks.unknown),
        ("reports.open", callbacks.open),
    ];
    let count = |(key, count): (&str, u64)| Fact { name: c.t(key).to_owned(), value: c.number(count) };
    let promised = if callbacks.promised == 0 { Vec::new() } else { counts.into_iter().map(count).collect() };
    let score = |scores: &ScoresView| {
        let mean = scores.mean.map_or_else(|| "—".into(), |mean| format::decimal(c.lang, mean, 2));
        let count = c.n("reports.answers", scores.count);
        let name = [scores.name.as_str(), scores.question.as_str()].into_iter().filter(|part| !part.is_empty());
        Fact {
            name: name.collect::<Vec<_>>().join(" · "),
            value: c.w("reports.score", [("mean", mean.as_str()), ("count", count.as_str())]),
        }
    };
    let ticket = |(kind, count): (&String, &u64)| Fact { name: c.word("ticket.kind", kind), value: c.number(count) };
    vec![
        List { title: c.t("reports.list.callbacks"), facts: promised },
        List { title: c.t("reports.list.tickets"), facts: report.tickets.iter().map(ticket).collect() },
        List { title: c.t("reports.list.surveys"), facts: report.surveys.iter().map(score).collect() },
        List { title: c.t("reports.list.marks"), facts: report.marks.iter().map(score).collect() },
    ]
}

/// A report, and what it is asked of.
#[derive(Template)]
#[template(path = "reports.html")]
pub(crate) struct ReportsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) csv: String,
    pub(crate) report: Option<Shown>,
}

/// `GET /console/reports`
pub(super) async fn show(visit: Visit, query: lists::Asked) -> Outcome {
    let c = &visit.c;
    let mut form = query.0.clone();
    let asked = ReportQuery {
        from: form.moment(c.lang, &c.zone, "from").map(time::written),
        until: form.moment(c.lang, &c.zone, "until").map(time::written),
        agency: form.parsed_some::<AgencyName>(c.lang, "agency"),
    };
    let mut report = None;
    if !form.has_wrong() {
        match service::make(&visit.admin, &visit.me, &asked).await {
            Ok(made) => report = Some(Shown::of(c, &made)),
            // A time that is no time is the reader's, and is said beside its field.
            Err(problem) if problem.at().is_some() => form.refused(c.lang, &problem),
            Err(problem) => return Err(problem.into()),
        }
    }
    let pairs =
        [("from", asked.from), ("until", asked.until), ("agency", asked.agency.map(|agency| agency.to_string()))];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("&{name}={}", encoded(&value?))));
    let csv = format!("/api/v1/reports?format=csv{}", pairs.collect::<String>());
    let form = ["from", "until", "agency"].into_iter().fold(form, |form, field| form.or(field, ""));
    Ok(visit.page(&ReportsPage { c, form, agencies: lists::agency_filter(&visit).await?, csv, report }))
}
