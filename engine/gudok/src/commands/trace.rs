//! `gudok trace`: what happened in a call, line by line.

use super::calls;
use super::remote::{Outcome, Remote, Session, fields, plain};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

/// The engine audits each look into a call: without news of the call, the next look waits so long.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What `gudok trace` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// The call's id, as gudok calls and the call records have it.
    call: String,
    /// Go on until the call is over.
    #[arg(long, short)]
    follow: bool,
}

/// `gudok trace`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let path = ["calls", &arguments.call, "trace"];
    if !arguments.follow {
        let answer = session.client.get(&path, &[]).await?;
        return session.show(&answer, |screen, trace| {
            screen.line(&head(trace));
            lines(trace).iter().for_each(|line| screen.line(line));
            if fields::count(trace, "dropped") > 0 {
                screen.note(&format!("{} lines were left out for length", fields::count(trace, "dropped")));
            }
        });
    }
    let mut events = calls::events(session, "calls", None).await?;
    let mut shown = 0;
    let mut first = true;
    loop {
        let trace = session.client.get(&path, &[]).await?.json()?;
        if std::mem::take(&mut first) && !session.screen.json {
            session.screen.line(&head(&trace));
        }
        let all = trace["lines"].as_array().map_or(&[][..], Vec::as_slice);
        if session.screen.json {
            all.iter().skip(shown).for_each(|line| session.screen.raw(&line.to_string()));
        } else {
            lines(&trace).iter().skip(shown).for_each(|line| session.screen.line(line));
        }
        shown = all.len();
        if trace["live"] != true {
            return Ok(ExitCode::SUCCESS);
        }
        // News of this call, or some time.
        let news = async {
            while let Some(Ok(event)) = events.recv().await {
                let about = serde_json::from_str::<Value>(&event.data).unwrap_or_default();
                if about["id"] == arguments.call.as_str() {
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        // Running out of time is what it is for.
        let _ = tokio::time::timeout(LOOK_EVERY, news).await;
    }
}

fn head(trace: &Value) -> String {
    let versions = trace["versions"].as_array().into_iter().flatten();
    let versions: Vec<String> = versions.filter_map(Value::as_str).map(|id| fields::short(id).to_owned()).collect();
    let state = if trace["live"] == true { "still up" } else { "over" };
    plain(&format!(
        "{} at {}/{}, began {}, {state}; versions: {}",
        fields::text(trace, "id"),
        fields::text(trace, "agency"),
        fields::text(trace, "entry"),
        fields::local(fields::first(trace, &["began_ms", "began"])),
        versions.join(", ")
    ))
}

fn lines(trace: &Value) -> Vec<String> {
    trace["lines"].as_array().into_iter().flatten().map(line).collect()
}

/// `0:01.250  host    fetch GET https://… · 12 ms · ok`.
fn line(line: &Value) -> String {
    let at_ms = fields::count(line, "at_ms");
    let clock = format!("{}:{:02}.{:03}", at_ms / 60_000, at_ms / 1_000 % 60, at_ms % 1_000);
    let mut text = format!("{clock:>10}  {:<6}  {}", fields::text(line, "kind"), fields::text(line, "text"));
    if let Some(took_ms) = line["took_ms"].as_u64() {
        text.push_str(&format!(" · {took_ms} ms"));
    }
    if let Some(outcome) = line["outcome"].as_str().filter(|outcome| !outcome.is_empty()) {
        text.push_str(&format!(" · {outcome}"));
    }
    plain(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_has_its_time_and_its_outcome() {
        let host = json!({ "at_ms": 61_250, "kind": "host", "text": "fetch", "took_ms": 12, "outcome": "ok" });
        assert_eq!(line(&host), "  1:01.250  host    fetch · 12 ms · ok");
        let say = json!({ "at_ms": 5, "kind": "say", "text": "Здравствуйте" });
        assert_eq!(line(&say), "  0:00.005  say     Здравствуйте");
    }
}
