//! What is going on in a campaign, and what would happen when.

use super::super::remote::{Cell, Column, Outcome, Paint, Screen, Session, Table, fields};
use super::lists::counts;
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest bar of a forecast's hour.
const BAR_CHARS_MAX: u64 = 40;

const SERIES: &[Column] = &[
    ("FROM", |point| fields::moment(point, "at_ms")),
    ("ENDED", |point| Cell::figure(all(&point["dispositions"]))),
    ("HOW", |point| Cell::new(counts(&point["dispositions"]))),
];

const TRUNKS: &[Column] = &[
    ("TRUNK", |trunk| fields::cell(trunk, "name")),
    ("CALLS PER S", |trunk| Cell::figure(fields::count(trunk, "calls_per_s_max"))),
    ("CALLS", |trunk| Cell::figure(fields::count(trunk, "calls_max"))),
];

fn all(value: &Value) -> u64 {
    value.as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum()
}

pub(super) fn state(campaign: &Value) -> Cell {
    let figures = &campaign["figures"];
    let text = fields::text(figures, "state");
    let paint = match text.as_str() {
        "running" => Paint::Good,
        "paused" => Paint::Warn,
        "stopped" => Paint::Bad,
        _ => Paint::Plain,
    };
    Cell::new(if figures["loading"] == true { format!("{text}, loading") } else { text }).paint(paint)
}

/// "1200 (24.0 %)"
pub(super) fn done(campaign: &Value) -> String {
    let figures = &campaign["figures"];
    let done = fields::count(&figures["states"], "done");
    match fields::percent(done, fields::count(figures, "contacts")) {
        share if share.is_empty() => done.to_string(),
        share => format!("{done} ({share})"),
    }
}

pub(super) fn rate(campaign: &Value) -> String {
    campaign["figures"]["calls_per_s"].as_f64().map(|rate| format!("{rate:.1}")).unwrap_or_default()
}

/// Why nothing is dialled, and until when.
pub(super) fn idle(campaign: &Value) -> String {
    let idle = &campaign["figures"]["idle"];
    let (code, about) = (fields::text(idle, "code"), fields::text(idle, "about"));
    let mut words = vec![code, about];
    words.retain(|word| !word.is_empty());
    if !idle["until_ms"].is_null() {
        words.push(format!("until {}", fields::local(&idle["until_ms"])));
    }
    words.join(" ")
}

/// One campaign.
pub(super) fn print(screen: &Screen, campaign: &Value) {
    screen.facts(&facts(campaign));
}

fn facts(campaign: &Value) -> Vec<(&'static str, Cell)> {
    let (document, figures) = (&campaign["document"], &campaign["figures"]);
    let pace =
        format!("{}/s, {} at once", fields::text(document, "calls_per_s_max"), fields::text(document, "calls_max"));
    let leads = format!("{}/{}", fields::text(document, "agency"), fields::text(document, "entry"));
    let approvals = campaign["approvals"].as_array().into_iter().flatten();
    let approvals: Vec<String> = approvals.map(|one| fields::text(one, "by")).collect();
    let permille = figures["abandoned_permille"].as_u64();
    vec![
        ("campaign", fields::cell(campaign, "name")),
        ("title", fields::cell(document, "title")),
        ("script", Cell::new(leads)),
        ("emergency", fields::yes(document, "emergency", Paint::Bad)),
        ("state", state(campaign)),
        ("since", fields::moment(figures, "state_ms")),
        ("because", fields::cell(figures, "reason")),
        ("officers", Cell::new(approvals.join(", "))),
        ("nothing is dialled", Cell::new(idle(campaign)).paint(Paint::Warn)),
        ("contacts", Cell::new(fields::count(figures, "contacts").to_string())),
        ("stand", Cell::new(counts(&figures["states"]))),
        ("done", Cell::new(done(campaign))),
        ("dispositions", Cell::new(counts(&figures["dispositions"]))),
        ("attempts", Cell::new(fields::count(figures, "attempts").to_string())),
        ("calls now", Cell::new(fields::count(figures, "live_calls").to_string())),
        ("calls per second", Cell::new(rate(campaign))),
        ("got no operator", Cell::new(permille.map(|permille| format!("{permille} ‰")).unwrap_or_default())),
        ("next window", fields::moment(figures, "next_window_ms")),
        ("ends about", fields::moment(figures, "ends_ms")),
        ("window", fields::cell(document, "window")),
        ("pace", Cell::new(pace)),
        ("trunk", fields::cell(document, "trunk")),
        ("starts", fields::moment(document, "starts")),
        ("deadline", fields::moment(document, "deadline")),
        ("made by", fields::cell(campaign, "created_by")),
        ("revision", fields::cell(campaign, "revision")),
    ]
}

/// One campaign, until it is over. Exit code 0 where everybody is done, 1 where a person ended it.
pub(super) async fn watch(session: &Session, campaign: &str) -> Outcome {
    let mut lines = 0;
    let mut seen = String::new();
    loop {
        let answer = session.client.get(&["campaigns", campaign], &[]).await?;
        let shown = answer.json()?;
        if session.screen.json {
            if answer.body != seen {
                session.screen.raw(&answer.body);
            }
        } else {
            let mut table = Table::new(&["", ""]);
            for (name, value) in facts(&shown).into_iter().filter(|(_, value)| *value != Cell::new("")) {
                table.row([Cell::new(name).paint(Paint::Faint), value]);
            }
            if session.screen.terminal || answer.body != seen {
                lines = session.screen.redraw(lines, "", &table);
            }
        }
        seen = answer.body;
        match shown["figures"]["state"].as_str() {
            Some("finished") => return Ok(ExitCode::SUCCESS),
            Some("stopped") => return Ok(ExitCode::FAILURE),
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// What would happen when.
pub(super) fn print_forecast(screen: &Screen, forecast: &Value) {
    let hours = forecast["hours"].as_array().map_or(&[][..], Vec::as_slice);
    let calls = |hour: &Value| fields::count(hour, "first") + fields::count(hour, "again");
    let most = hours.iter().map(calls).max().unwrap_or(0).max(1);
    let mut table = Table::new(&["HOUR", "FIRST", "AGAIN", ""]);
    for hour in hours {
        let bar = (calls(hour) * BAR_CHARS_MAX).div_ceil(most);
        table.row([
            fields::moment(hour, "at_ms"),
            Cell::figure(fields::count(hour, "first")),
            Cell::figure(fields::count(hour, "again")),
            Cell::new("█".repeat(usize::try_from(bar).unwrap_or(0))),
        ]);
    }
    if !table.is_empty() {
        screen.table(&table);
    }
    screen.facts(&[
        ("contacts", Cell::new(fields::count(forecast, "contacts").to_string())),
        ("first call", fields::moment(forecast, "first_ms")),
        ("last call", fields::moment(forecast, "last_ms")),
        ("never called", Cell::new(counts(&forecast["never"])).paint(Paint::Warn)),
        ("zones", Cell::new(counts(&forecast["zones"]))),
        ("assumed", fields::cell(forecast, "assumptions")),
    ]);
    if hours.is_empty() {
        screen.note("nobody would be called");
    }
}

/// How attempts ended over time.
pub(super) fn print_series(screen: &Screen, series: &Value) {
    let points = series["points"].as_array().map_or(&[][..], Vec::as_slice);
    if points.is_empty() {
        screen.note("no attempt has ended yet");
    } else {
        screen.table(&Table::of(SERIES, points));
    }
}

/// What campaigns may use.
pub(super) fn print_facts(screen: &Screen, facts: &Value) {
    screen.table(&Table::of(TRUNKS, facts["trunks"].as_array().map_or(&[][..], Vec::as_slice)));
    screen.facts(&[
        ("calls of all campaigns per second", fields::cell(facts, "calls_per_s_max")),
        ("calls of all campaigns at once", fields::cell(facts, "calls_max")),
        ("queues", fields::cell(facts, "queues")),
        ("zones", fields::cell(facts, "zones")),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_campaign_in_a_line() {
        let campaign = json!({ "figures": {
            "state": "running", "contacts": 5_000, "states": { "done": 1_200 }, "calls_per_s": 4.96,
            "idle": { "code": "trunk-resting", "about": "city" },
        }});
        assert_eq!(done(&campaign), "1200 (24.0 %)");
        assert_eq!((rate(&campaign), idle(&campaign)), ("5.0".to_owned(), "trunk-resting city".to_owned()));
        assert_eq!(idle(&json!({ "figures": { "idle": null } })), "");
    }
}
