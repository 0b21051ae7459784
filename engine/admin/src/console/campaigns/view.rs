//! Campaigns, reports and forecasts in the reader's words.

use crate::access::Operation;
use crate::console::centre::floor::Figure;
use crate::console::context::Ctx;
use crate::console::format::{self, Moment};
use crate::console::texts::Lang;
use crate::console::versions::Fact;
use crate::ports::{CampaignForecast, CampaignIdle, CampaignSeries, ContactsReport, RowProblem};
use crate::service::campaigns::{Campaign, is_officer};
use std::collections::BTreeMap;

/// Hours of a forecast that are shown: three weeks.
const HOURS_MAX: usize = 21 * 24;
/// Steps of a chart.
const STEPS_MAX: usize = 96;
/// Dispositions that are what a campaign wants.
const REACHED: [&str; 3] = ["delivered", "confirmed", "voicemail"];

/// A campaign in the list.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) agency: String,
    pub(crate) emergency: bool,
    pub(crate) tone: &'static str,
    pub(crate) state: String,
    pub(crate) done: String,
    pub(crate) share: u64,
    pub(crate) calls: String,
    pub(crate) rate: String,
    pub(crate) ends: Option<Moment>,
    pub(crate) idle: Option<String>,
}

impl Row {
    pub(crate) fn of(c: &Ctx, campaign: &Campaign) -> Self {
        let (row, figures) = (&campaign.row, &campaign.row.figures);
        let (done, share) = progress(c, campaign);
        Self {
            name: row.name.clone(),
            title: row.document.title.clone(),
            agency: row.document.agency.to_string(),
            emergency: row.document.emergency,
            tone: tone(&figures.state),
            state: c.word("campaign.state", &figures.state),
            done,
            share,
            calls: c.number(figures.live_calls),
            rate: format::decimal(c.lang, figures.calls_per_s, 1),
            ends: figures.ends_ms.map(|at| c.moment(at)),
            idle: idle(c, figures.idle.as_ref()),
        }
    }
}

fn tone(state: &str) -> &'static str {
    match state {
        "running" => "good",
        "paused" => "warn",
        "draft" => "info",
        _ => "off",
    }
}

fn done_of(states: &BTreeMap<String, u64>) -> u64 {
    states.get("done").copied().unwrap_or(0)
}

/// "1 200 of 5 000 (24 %)", and the hundredths.
fn progress(c: &Ctx, campaign: &Campaign) -> (String, u64) {
    let figures = &campaign.row.figures;
    let done = done_of(&figures.states);
    let share = (done * 100).checked_div(figures.contacts).unwrap_or(0);
    let values = [
        ("done", c.number(done)),
        ("all", c.number(figures.contacts)),
        ("share", format::percent(c.lang, done, figures.contacts)),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    (c.w("campaign.progress", values), share)
}

/// Why nothing is dialled; nothing where it is, or where the state says it already.
fn idle(c: &Ctx, idle: Option<&CampaignIdle>) -> Option<String> {
    let idle = idle.filter(|idle| !["draft", "paused", "stopped", "finished"].contains(&idle.code.as_str()))?;
    let mut words = c.word("idle", &idle.code);
    if !idle.about.is_empty() {
        words = format!("{words} ({})", idle.about);
    }
    if let Some(until) = idle.until_ms {
        let until = c.moment(until).people;
        words = format!("{words} {}", c.w("idle.until", [("at", until.as_str())]));
    }
    Some(words)
}

/// A count with its share, as a bar.
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) count: String,
    pub(crate) share: u64,
    pub(crate) percent: String,
    /// Where such contacts are listed.
    pub(crate) href: Option<String>,
}

fn parts(c: &Ctx, group: &str, counts: &BTreeMap<String, u64>, href: impl Fn(&str) -> Option<String>) -> Vec<Part> {
    let all: u64 = counts.values().sum();
    let mut sorted: Vec<(&String, u64)> =
        counts.iter().map(|(name, count)| (name, *count)).filter(|(_, count)| *count > 0).collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let part = |(name, count): (&String, u64)| Part {
        name: c.word(group, name),
        count: c.number(count),
        share: (count * 100).checked_div(all).unwrap_or(0),
        percent: format::percent(c.lang, count, all),
        href: href(name),
    };
    sorted.into_iter().map(part).collect()
}

/// What moves on a campaign's page.
pub(crate) struct Now {
    pub(crate) name: String,
    pub(crate) tone: &'static str,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) idle: Option<String>,
    pub(crate) loading: bool,
    /// Of an emergency that a second officer must start.
    pub(crate) asked: Option<String>,
    pub(crate) done: String,
    pub(crate) share: u64,
    pub(crate) figures: Vec<Figure>,
    pub(crate) dispositions: Vec<Part>,
    pub(crate) unknown: u64,
    pub(crate) may: May,
}

/// What the reader may do with a campaign as it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct May {
    pub(crate) edit: bool,
    pub(crate) start: bool,
    pub(crate) pause: bool,
    pub(crate) resume: bool,
    pub(crate) stop: bool,
    pub(crate) delete: bool,
    pub(crate) import: bool,
    pub(crate) decide: bool,
}

impl May {
    pub(crate) fn of(c: &Ctx, campaign: &Campaign) -> Self {
        let document = &campaign.row.document;
        let officer = c.me.as_ref().is_some_and(is_officer);
        let may = |operation| {
            let hand = if document.emergency {
                officer
            } else {
                c.me.as_ref().is_some_and(|me| beside_officer(me, operation))
            };
            hand && c.may_in(operation, document.agency.as_str())
        };
        let state = campaign.row.figures.state.as_str();
        Self {
            edit: may(Operation::CampaignSet) && state != "stopped",
            start: may(Operation::CampaignStart) && state == "draft",
            pause: may(Operation::CampaignPause) && state == "running",
            resume: may(Operation::CampaignResume) && state == "paused",
            stop: may(Operation::CampaignStop) && ["running", "paused"].contains(&state),
            delete: may(Operation::CampaignDelete) && state != "running",
            import: may(Operation::ContactsImport) && state != "stopped",
            decide: may(Operation::ContactDecide),
        }
    }
}

/// Whether another role than the officer's reaches it: an ordinary campaign is not the officer's.
fn beside_officer(me: &crate::Principal, operation: Operation) -> bool {
    let others = me.roles.iter().filter(|grant| grant.role != crate::access::Role::EmergencyOfficer);
    others.into_iter().any(|grant| operation.route().reach_of(grant.role) >= crate::access::Reach::Own)
}

impl Now {
    pub(crate) fn of(c: &Ctx, campaign: &Campaign) -> Self {
        let (name, figures) = (&campaign.row.name, &campaign.row.figures);
        let (done, share) = progress(c, campaign);
        let by: Vec<&str> = campaign.approvals.iter().map(|one| one.by.as_str()).collect();
        let asked = (!by.is_empty() && figures.state == "draft").then(|| by.join(", "));
        let figure = |tone, key: &str, value: String| Figure { tone, fact: Fact { name: c.t(key).to_owned(), value } };
        let count = |state: &str| figures.states.get(state).copied().unwrap_or(0);
        let unknown = count("unknown");
        let moment = |at: Option<u64>| at.map_or_else(|| "—".to_owned(), |at| c.moment(at).people);
        let mut all = vec![
            figure("", "campaign.contacts", c.number(figures.contacts)),
            figure("", "campaign.waiting", c.number(count("waiting"))),
            figure("info", "campaign.calls", c.number(figures.live_calls)),
            figure("", "campaign.rate", format::decimal(c.lang, figures.calls_per_s, 1)),
            figure("", "campaign.attempts", c.number(figures.attempts)),
            figure(if unknown > 0 { "warn" } else { "" }, "campaign.unknown", c.number(unknown)),
        ];
        if let Some(permille) = figures.abandoned_permille {
            let limit = campaign.row.document.operators.as_ref().map_or(u16::MAX, |of| of.abandoned_permille_max);
            let share = format::percent(c.lang, permille.into(), 1_000);
            all.push(figure(if permille > limit { "bad" } else { "good" }, "campaign.abandoned", share));
        }
        all.push(figure("", "campaign.ends", moment(figures.ends_ms)));
        let href = |kind: &str| {
            c.may(Operation::ContactsList).then(|| format!("{}/{name}/contacts?disposition={kind}", super::PAGE))
        };
        Self {
            name: name.clone(),
            tone: tone(&figures.state),
            state: c.word("campaign.state", &figures.state),
            reason: figures.reason.clone(),
            idle: idle(c, figures.idle.as_ref()),
            loading: figures.loading,
            asked: asked.map(|by| c.w("campaign.asked", [("by", by.as_str())])),
            done,
            share,
            figures: all,
            dispositions: parts(c, "disposition", &figures.dispositions, href),
            unknown,
            may: May::of(c, campaign),
        }
    }
}

/// One step of a chart, and a row of the table that it is drawn from.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) first: u64,
    pub(crate) second: u64,
    pub(crate) words: String,
}

/// How attempts ended over time: all, and those that reached somebody.
pub(crate) fn steps(c: &Ctx, series: &CampaignSeries) -> Vec<Step> {
    let skip = series.points.len().saturating_sub(STEPS_MAX);
    let step = |point: &crate::ports::CampaignPoint| {
        let reached = REACHED.iter().filter_map(|kind| point.dispositions.get(*kind)).sum();
        let words = parts(c, "disposition", &point.dispositions, |_| None);
        let words: Vec<String> = words.into_iter().map(|part| format!("{} {}", part.name, part.count)).collect();
        Step {
            name: c.moment(point.at_ms).people,
            first: point.dispositions.values().sum(),
            second: reached,
            words: words.join(", "),
        }
    };
    series.points.iter().skip(skip).map(step).collect()
}

/// What would happen when.
pub(crate) struct Forecast {
    pub(crate) figures: Vec<Figure>,
    pub(crate) hours: Vec<Step>,
    pub(crate) more: usize,
    pub(crate) never: Vec<Part>,
    pub(crate) zones: Vec<Part>,
    pub(crate) assumptions: Vec<String>,
}

impl Forecast {
    pub(crate) fn of(c: &Ctx, forecast: &CampaignForecast) -> Self {
        let figure = |key: &str, value: String| Figure { tone: "", fact: Fact { name: c.t(key).to_owned(), value } };
        let moment = |at: Option<u64>| at.map_or_else(|| "—".to_owned(), |at| c.moment(at).people);
        let hour = |hour: &crate::ports::ForecastHour| Step {
            name: c.moment(hour.at_ms).people,
            first: hour.first + hour.again,
            second: hour.first,
            words: String::new(),
        };
        let calls: u64 = forecast.hours.iter().map(|hour| hour.first + hour.again).sum();
        Self {
            figures: vec![
                figure("campaign.contacts", c.number(forecast.contacts)),
                figure("forecast.calls", c.number(calls)),
                figure("forecast.first", moment(forecast.first_ms)),
                figure("forecast.last", moment(forecast.last_ms)),
            ],
            hours: forecast.hours.iter().take(HOURS_MAX).map(hour).collect(),
            more: forecast.hours.len().saturating_sub(HOURS_MAX),
            never: parts(c, "never", &forecast.never, |_| None),
            zones: parts(c, "zone-name", &forecast.zones, |_| None),
            assumptions: forecast.assumptions.clone(),
        }
    }
}

/// How a list was taken.
pub(crate) struct Report {
    pub(crate) title: &'static str,
    pub(crate) figures: Vec<Figure>,
    pub(crate) kinds: Vec<Part>,
    pub(crate) rows: Vec<Bad>,
    pub(crate) more: u64,
    pub(crate) facts: Vec<Fact>,
    pub(crate) forecast: Option<Forecast>,
}

/// A row that was not taken.
pub(crate) struct Bad {
    pub(crate) line: String,
    pub(crate) column: String,
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

impl Bad {
    /// The engine's words are English; others read the words of its kind.
    fn of(c: &Ctx, row: &RowProblem) -> Self {
        let known = |group: &str, said: &str| match c.lang {
            Lang::En => said.to_owned(),
            lang => lang.find(&format!("{group}.{}", row.kind)).unwrap_or(said).to_owned(),
        };
        Self {
            line: c.number(row.line),
            column: row.column.clone(),
            problem: known("row", &row.problem),
            remedy: known("row-remedy", &row.remedy),
        }
    }
}

impl Report {
    pub(crate) fn of(c: &Ctx, report: &ContactsReport) -> Self {
        let figure = |tone, key: &str, count: u64| Figure {
            tone,
            fact: Fact { name: c.t(key).to_owned(), value: c.number(count) },
        };
        let added = if report.dry_run { "lists.would" } else { "lists.added" };
        let facts = [("lists.charset", report.charset.clone()), ("lists.fields", report.fields.join(", "))];
        let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
        Self {
            title: c.t(if report.dry_run { "lists.checked" } else { "lists.taken" }),
            figures: vec![
                figure("", "lists.rows", report.rows),
                figure("good", added, report.added),
                figure("", "lists.duplicates", report.duplicates),
                figure(if report.bad > 0 { "bad" } else { "" }, "lists.bad", report.bad),
            ],
            kinds: parts(c, "row", &report.kinds, |_| None),
            more: report.bad.saturating_sub(report.problems.len() as u64),
            rows: report.problems.iter().map(|problem| Bad::of(c, problem)).collect(),
            facts: facts.map(|(key, value)| Fact { name: c.t(key).to_owned(), value }).collect(),
            forecast: report.forecast.as_ref().map(|forecast| Forecast::of(c, forecast)),
        }
    }
}
