//! `gudok rehearse`: the last calls of an agency on a version that is not released yet.

use super::packed;
use crate::commands::remote::{Cell, Failure, Outcome, Remote, Screen, Session, Table, fields, plain};
use bytes::Bytes;
use clap::Args;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `gudok rehearse` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Whose last calls: the agency and the script, "mfc/desk".
    #[arg(value_name = "AGENCY/SCRIPT")]
    whose: String,
    /// The new version: a bundle, a project, or the id of a version that was uploaded.
    #[arg(value_name = "BUNDLE|PROJECT|VERSION")]
    on: PathBuf,
    /// How many calls, the last ones.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    last: u32,
}

/// `gudok rehearse`. Exit code 1 where outcomes change.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let Some((agency, script)) = arguments.whose.split_once('/') else {
        let why = format!("{:?} names no script: AGENCY/SCRIPT, as gudok versions lists them", arguments.whose);
        return Err(Failure::Usage(why));
    };
    let mut query = vec![("script", script.to_owned()), ("last", arguments.last.to_string())];
    let body = match version_id(&arguments.on) {
        Some(id) => {
            query.push(("version", id));
            Bytes::new()
        }
        None => packed(&arguments.on)?,
    };
    let path = ["agencies", agency, "rehearsals"];
    let answer = session.client.send_file(&path, &query, "application/octet-stream", body).await?;
    let rehearsal = answer.json()?;
    if session.screen.json {
        session.screen.raw(&answer.body);
    } else {
        told(&session.screen, &rehearsal);
    }
    let changes = fields::count(&rehearsal, "changed") + fields::count(&rehearsal, "parted");
    Ok(ExitCode::from(u8::from(changes > 0)))
}

/// A version's id is no name of a file that anybody has.
fn version_id(on: &Path) -> Option<String> {
    const ID_CHARS: usize = 64;
    let text = on.to_str()?;
    let is_id = text.len() == ID_CHARS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && !on.exists()).then(|| text.to_owned())
}

fn told(screen: &Screen, rehearsal: &Value) {
    let say = |text: String| screen.line(&plain(&text));
    say(format!(
        "{} calls of {}/{} again on version {}",
        fields::count(rehearsal, "calls"),
        fields::text(rehearsal, "agency"),
        fields::text(rehearsal, "script"),
        fields::text(rehearsal, "version")
    ));
    let mut table = Table::new(&["CALLS", ""]);
    let rows = [
        ("identical", "every host call and the end are the same"),
        ("same_outcome", "the same came of them, on another way"),
        ("journal_ends", "the same as far as their journal goes"),
        ("changed", "something else came of them"),
        ("parted", "the version asks what the call has no answer for"),
        ("not_replayed", "could not be run again"),
    ];
    for (name, words) in rows {
        table.row([Cell::figure(fields::count(rehearsal, name)), Cell::new(words)]);
    }
    screen.table(&table);
    for change in rehearsal["changes"].as_array().into_iter().flatten() {
        say(String::new());
        say(format!("{} calls: {}", fields::count(change, "calls"), fields::text(change, "what")));
        let parting = &change["parting"];
        if parting.is_object() {
            let or_nothing = |name: &str| parting[name].as_str().unwrap_or("nothing more").to_owned();
            say(format!("  the call:      {}", or_nothing("expected")));
            say(format!("  the rehearsal: {}", or_nothing("found")));
        }
        for one in change["changes"].as_array().into_iter().flatten() {
            say(format!("  {}: {} → {}", fields::text(one, "what"), fields::text(one, "was"), fields::text(one, "is")));
        }
        say(format!(
            "  see it: gudok replay {} --run {} --bundle …",
            fields::text(change, "example"),
            fields::count(change, "run")
        ));
    }
    for problem in rehearsal["problems"].as_array().into_iter().flatten() {
        screen.note(&plain(problem.as_str().unwrap_or_default()));
    }
}
