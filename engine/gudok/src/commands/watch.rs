//! Watching a new version: how its calls end beside those of the version that it replaces.

use super::arguments::Place;
use super::deployments::{find, rolled_back};
use super::remote::{Cell, Failure, Outcome, Paint, Progress, Session, Table, fields, plain};
use anyhow::anyhow;
use serde_json::Value;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// How calls ended, once.
pub(crate) async fn once(session: &Session, place: &Place) -> Outcome {
    let answer = session.client.get(&outcomes_path(place), &[]).await?;
    let found = find(session, place).await?;
    session.show(&answer, |screen, outcomes| {
        let deployment = found.map(|shown| shown.deployment).unwrap_or_default();
        screen.line(&head(place, &deployment));
        screen.table(&table(&deployment, outcomes));
    })
}

/// How calls end, until nothing is being tried any more.
pub(crate) async fn follow(session: &Session, place: &Place) -> Outcome {
    let mut lines = 0;
    let mut seen = String::new();
    let mut tried: Option<String> = None;
    loop {
        let Some(shown) = find(session, place).await? else {
            return Err(Failure::Failed(anyhow!("nothing is deployed at {place} any more")));
        };
        let outcomes = session.client.get(&outcomes_path(place), &[]).await?;
        let deployment = shown.deployment;
        if session.screen.json {
            if outcomes.body != seen {
                session.screen.raw(&outcomes.body);
                seen = outcomes.body;
            }
        } else {
            let table = table(&deployment, &outcomes.json()?);
            let now = format!("{}\n{}", head(place, &deployment), table.lines(false).join("\n"));
            // Elsewhere than on a terminal, only what is new is worth a line.
            if session.screen.terminal || now != seen {
                lines = session.screen.redraw(lines, &head(place, &deployment), &table);
                seen = now;
            }
        }
        let live = |part: &str| deployment[part]["version"].as_str().map(String::from);
        let newest = live("canary").or_else(|| live("stable"));
        if tried.is_none() {
            tried.clone_from(&newest);
        }
        if newest != tried {
            return ended(session, &deployment, tried.as_deref());
        }
        if deployment["state"] == "stable" {
            session.screen.note("nothing is being tried there: the stable version serves everybody");
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The version that was watched serves no more: taken back, or replaced by another.
fn ended(session: &Session, deployment: &Value, watched: Option<&str>) -> Outcome {
    let last = &deployment["last_rollback"];
    if last["from"].as_str() == watched {
        session.screen.note(&format!("rolled back: {}", plain(&rolled_back(last))));
    } else {
        session.screen.note("another version took its place");
    }
    Ok(ExitCode::FAILURE)
}

/// Waits until a version has as many calls behind it as its guard wants to see, or is gone.
pub(crate) async fn proved(
    session: &Session,
    place: &Place,
    version: &str,
    calls_before: u64,
    deadline: Instant,
) -> Outcome {
    let progress = Progress::new();
    loop {
        let Some(shown) = find(session, place).await? else {
            return Err(Failure::Failed(anyhow!("nothing is deployed at {place} any more")));
        };
        let deployment = shown.deployment;
        let is = |part: &str| deployment[part]["version"] == version;
        if !is("stable") && !is("canary") {
            drop(progress);
            return ended(session, &deployment, Some(version));
        }
        let sample = fields::count(&deployment["guard"], "sample_min");
        let calls = calls_ended(session, place, version).await.saturating_sub(calls_before);
        if calls >= sample || (is("stable") && deployment["state"] == "stable") {
            drop(progress);
            session.screen.note(&format!("it holds: {calls} calls ended, and nothing had to be taken back"));
            return Ok(ExitCode::SUCCESS);
        }
        if Instant::now() >= deadline {
            return Err(Failure::Failed(anyhow!(
                "too few calls to judge: {calls} of {sample}. It stays live, and the engine goes on watching it"
            )));
        }
        progress.tell(&format!("{place}: {calls} of {sample} calls ended"));
        tokio::time::sleep(PAUSE).await;
    }
}

/// Calls of a version that ended at an entry; 0 where nothing is known.
pub(crate) async fn calls_ended(session: &Session, place: &Place, version: &str) -> u64 {
    let Ok(answer) = session.client.get(&outcomes_path(place), &[]).await else { return 0 };
    let outcomes = answer.json().unwrap_or_default();
    let versions = outcomes["versions"].as_array().into_iter().flatten();
    versions.filter(|row| row["version"] == version).map(|row| total(row, "calls")).sum()
}

fn outcomes_path(place: &Place) -> [&str; 4] {
    ["deployments", &place.agency, &place.entry, "outcomes"]
}

fn total(row: &Value, field: &str) -> u64 {
    let counts = if row["total"].is_object() { &row["total"] } else { row };
    fields::count(counts, field)
}

fn head(place: &Place, deployment: &Value) -> String {
    let state = plain(&fields::text(deployment, "state"));
    match deployment["canary"]["share_percent"].as_u64() {
        Some(share) => format!("{place}: {state}, {share} % of callers"),
        None => format!("{place}: {state}"),
    }
}

fn table(deployment: &Value, outcomes: &Value) -> Table {
    let mut table = Table::new(&["", "VERSION", "LIVE", "ENDED", "SERVED", "LANDED", "TRAPPED", "ABANDONED", "CPU"]);
    for row in outcomes["versions"].as_array().into_iter().flatten() {
        let id = row["version"].as_str();
        let is = |part: &str| deployment[part]["version"].as_str() == id;
        let part = match (is("canary"), is("stable")) {
            (true, _) => "canary",
            (_, true) => "stable",
            _ => "",
        };
        let running = deployment["running"].as_array().into_iter().flatten();
        let live: u64 = running.filter(|at| at["version"].as_str() == id).map(|at| fields::count(at, "calls")).sum();
        let ended = total(row, "calls");
        let counted = |field: &str, bad: bool| {
            let count = total(row, field);
            let share = if count == 0 { String::new() } else { format!(" ({})", fields::percent(count, ended)) };
            let paint = if bad && count > 0 { Paint::Bad } else { Paint::Plain };
            Cell::figure(format!("{count}{share}")).paint(paint)
        };
        let cpu = row["cpu_ms_mean"].as_f64().map(|ms| format!("{ms:.1} ms")).unwrap_or_default();
        table.row([
            Cell::state(part),
            Cell::new(fields::label(row)),
            Cell::figure(live),
            Cell::figure(ended),
            counted("served", false),
            counted("landed", true),
            counted("trapped", true),
            counted("abandoned", false),
            Cell::figure(cpu),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outcomes_stand_beside_each_other() {
        let deployment = json!({
            "state": "canary",
            "stable": { "version": "aaaaaaaaaaaaaaaa", "label": "1.0.0" },
            "canary": { "version": "bbbbbbbbbbbbbbbb", "label": "2.0.0", "share_percent": 10 },
            "running": [{ "version": "bbbbbbbbbbbbbbbb", "calls": 3 }],
        });
        let outcomes = json!({ "versions": [
            { "version": "aaaaaaaaaaaaaaaa", "label": "1.0.0", "cpu_ms_mean": 1.25,
              "total": { "calls": 180, "served": 178, "landed": 0, "trapped": 0, "abandoned": 2 } },
            { "version": "bbbbbbbbbbbbbbbb", "label": "2.0.0", "calls": 20, "served": 10, "landed": 10, "trapped": 10 },
        ]});
        let place = Place { agency: "mfc".into(), entry: "desk".into() };
        assert_eq!(head(&place, &deployment), "mfc/desk: canary, 10 % of callers");
        let lines: Vec<String> = table(&deployment, &outcomes)
            .lines(false)
            .iter()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(lines[1], "stable 1.0.0 (aaaaaaaaaaaa) 0 180 178 (98.9 %) 0 0 2 (1.1 %) 1.2 ms");
        assert_eq!(lines[2], "canary 2.0.0 (bbbbbbbbbbbb) 3 20 10 (50.0 %) 10 (50.0 %) 10 (50.0 %) 0");
    }
}
