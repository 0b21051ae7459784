//! `gudok logs`: what scripts log.

use super::calls;
use super::remote::{Outcome, Remote, Session, fields, plain};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// What `gudok logs` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// Only of this script.
    #[arg(long)]
    script: Option<String>,
    /// Go on as they come.
    #[arg(long, short)]
    follow: bool,
}

/// What `gudok faults` is told.
#[derive(Debug, Args)]
pub(crate) struct Faults {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
}

/// `gudok faults`.
pub(crate) async fn faults(session: &Session, arguments: &Faults) -> Outcome {
    let query: Vec<(&str, String)> = arguments.agency.iter().map(|agency| ("agency", agency.clone())).collect();
    let answer = session.client.get(&["faults"], &query).await?;
    session.show(&answer, |screen, answer| {
        let faults = answer["faults"].as_array().map_or(&[][..], Vec::as_slice);
        faults.iter().flat_map(fault).for_each(|line| screen.line(&line));
        if faults.is_empty() {
            screen.note("no script was stopped");
        }
    })
}

/// What stopped a script, and below it where in the script that was.
fn fault(fault: &Value) -> Vec<String> {
    let head = format!(
        "{} {} {} at {:?}, call {}: {}: {}",
        fields::text(fault, "agency"),
        fields::text(fault, "script"),
        fields::text(fault, "version"),
        fields::text(fault, "step"),
        fields::text(fault, "call"),
        fields::text(fault, "cause"),
        fields::text(fault, "message")
    );
    let backtrace = match &fault["backtrace"] {
        Value::String(text) => text.lines().map(String::from).collect(),
        Value::Array(lines) => lines.iter().map(fields::words).collect(),
        _ => Vec::new(),
    };
    let below = backtrace.into_iter().map(|line: String| format!("    {}", line.trim()));
    std::iter::once(head).chain(below).map(|line| plain(&line)).collect()
}

/// `gudok logs`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let agency = arguments.agency.as_ref().map(|agency| ("agency", agency.clone()));
    let script = arguments.script.as_ref().map(|script| ("script", script.clone()));
    let query: Vec<(&str, String)> = agency.into_iter().chain(script).collect();
    if !arguments.follow {
        let answer = session.client.get(&["logs"], &query).await?;
        return session.show(&answer, |screen, list| {
            let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
            items.iter().for_each(|item| screen.line(&line(item)));
            if items.is_empty() {
                screen.note("no script logged anything");
            }
        });
    }
    let mut events = calls::events(session, "logs", arguments.agency.as_deref()).await?;
    let before = session.client.get(&["logs"], &query).await?.json()?;
    let show = |item: &Value| {
        if session.screen.json { session.screen.raw(&item.to_string()) } else { session.screen.line(&line(item)) }
    };
    before["items"].as_array().into_iter().flatten().for_each(show);
    while let Some(event) = events.recv().await {
        let event = event?;
        if event.event == calls::MISSED {
            session.screen.note("some lines were missed");
            continue;
        }
        let Ok(item) = serde_json::from_str::<Value>(&event.data) else { continue };
        if arguments.script.as_deref().is_none_or(|script| item["script"] == script) {
            show(&item);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `2026-05-05 02:30:00 warn  migration passport 1.2.0 3f2a… back end slow took_ms=812`.
fn line(item: &Value) -> String {
    let mut text = format!(
        "{} {:<5} {} {} {} {} {}",
        fields::local(fields::first(item, &["at_ms", "at"])),
        fields::text(item, "level"),
        fields::text(item, "agency"),
        fields::text(item, "script"),
        fields::words(fields::first(item, &["label", "version"])),
        fields::text(item, "call"),
        fields::text(item, "message")
    );
    for (name, value) in item["fields"].as_object().into_iter().flatten() {
        text.push_str(&format!(" {name}={}", fields::words(value)));
    }
    plain(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_of_a_script_stays_one_line() {
        let item = json!({
            "at": "x", "level": "warn", "agency": "migration", "script": "passport", "label": "1.2.0", "call": "3f",
            "message": "slow\nand \u{1b}[31mred", "fields": { "took_ms": "812" },
        });
        assert_eq!(line(&item), "x warn  migration passport 1.2.0 3f slow\\nand \\u{1b}[31mred took_ms=812");
    }
}
