//! `gudok replay`: a call once more, on its own version or another one.

use super::{packed, steps};
use crate::commands::remote::{Answer, Failure, Outcome, Remote, Screen, Session, anonymous, fields, online, plain};
use anyhow::Context;
use clap::Args;
use gudok_core::ids::CallId;
use gudok_plugin_host::journal::CallJournal;
use gudok_workbench::replays;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `gudok replay` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// The call's id, as gudok cdrs has it; or the file of a journal that a call of yours left (gudok call --local --journal).
    #[arg(value_name = "CALL|FILE")]
    target: String,
    /// On this bundle or project; else on the version that the call ran on.
    #[arg(long, value_name = "FILE.ivr|PROJECT", conflicts_with = "version")]
    bundle: Option<PathBuf>,
    /// On this version of the agency's script: its id, or its number as in the manifest.
    #[arg(long, value_name = "V")]
    version: Option<String>,
    /// Which of the call's scripts, from 1.
    #[arg(long, value_name = "N")]
    run: Option<u32>,
    /// Back and forth through the host calls: n, p, a number, l, q.
    #[arg(long, conflicts_with = "json")]
    step: bool,
}

pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    if CallId::parse(&arguments.target).is_none() {
        return anonymous(&arguments.remote, async |screen| of_file(screen, arguments).await);
    }
    online(&arguments.remote, async |session| of_engine(session, arguments).await)
}

/// Of a running engine.
async fn of_engine(session: &Session, arguments: &Arguments) -> Outcome {
    let call = arguments.target.as_str();
    let mut query: Vec<(&str, String)> = arguments.run.map(|run| ("run", run.to_string())).into_iter().collect();
    let own = arguments.bundle.is_none() && arguments.version.is_none();
    if own && arguments.step {
        let journal = session.client.get(&["calls", call, "journal"], &query).await?.json()?;
        return steps::walk(&session.screen, list(&journal, "steps"));
    }
    let path = ["calls", call, "replay"];
    let body = arguments.bundle.as_deref().map(packed).transpose()?.unwrap_or_default();
    if let Some(version) = &arguments.version {
        query.push(("version", version_id(session, call, version, arguments.run).await?));
    }
    let kind = "application/octet-stream";
    show(&session.screen, &session.client.send_file(&path, &query, kind, body).await?, arguments)
}

/// The id of a version of the script that the call ran on.
async fn version_id(session: &Session, call: &str, version: &str, run: Option<u32>) -> Result<String, Failure> {
    const ID_CHARS: usize = 64;
    if version.len() == ID_CHARS && version.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(version.to_owned());
    }
    let query: Vec<(&str, String)> = run.map(|run| ("run", run.to_string())).into_iter().collect();
    let journal = session.client.get(&["calls", call, "journal"], &query).await?.json()?;
    let (agency, script) = (fields::text(&journal, "agency"), fields::text(&journal, "script"));
    let all = session.all(&["versions"], &[("agency", agency.clone())]).await?;
    let known = all.iter().filter(|one| fields::text(one, "script") == script);
    let found =
        known.filter(|one| fields::text(one, "version") == version).max_by_key(|one| fields::count(one, "uploaded_ms"));
    found.map(|one| fields::text(one, "id")).ok_or_else(|| {
        Failure::Usage(format!("{agency} has no version {version} of {script}: gudok versions --agency {agency}"))
    })
}

fn show(screen: &Screen, answer: &Answer, arguments: &Arguments) -> Outcome {
    if screen.json {
        screen.raw(&answer.body);
        return Ok(exit_code(&answer.json()?));
    }
    let report = answer.json()?;
    told(screen, &report, arguments.step)
}

/// Of a file, with no engine.
async fn of_file(screen: &Screen, arguments: &Arguments) -> Outcome {
    let path = Path::new(&arguments.target);
    if !path.exists() {
        let why = format!(
            "{}: it is no call's id of 32 hexadecimal digits, and no file of that name is here",
            arguments.target
        );
        return Err(Failure::Usage(why));
    }
    if arguments.version.is_some() {
        return Err(Failure::Usage("--version is an engine's; for a file, name the bundle: --bundle FILE.ivr".into()));
    }
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let journal = CallJournal::from_bytes(&bytes).map_err(|error| {
        let sealed = "what an engine keeps is sealed, and opened by that engine only: gudok replay CALL";
        Failure::Failed(anyhow::anyhow!("{}: {error}; {sealed}", path.display()))
    })?;
    let Some(bundle) = &arguments.bundle else {
        let all: Vec<Value> = replays::steps(&journal)?;
        if arguments.step {
            return steps::walk(screen, &all);
        }
        match screen.json {
            true => screen.raw(&Value::Array(all).to_string()),
            false => steps::print(screen, &all),
        }
        return Ok(ExitCode::SUCCESS);
    };
    let bundle = gudok_workbench::project::bundle_of(bundle)?;
    let report = replays::replay_on(&bundle, &journal).await?;
    if screen.json {
        screen.raw(&report.to_string());
        return Ok(exit_code(&report));
    }
    told(screen, &report, arguments.step)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// 1 where something else came of the call.
fn exit_code(report: &Value) -> ExitCode {
    ExitCode::from(u8::from(matches!(report["verdict"].as_str(), Some("outcome-changed" | "parted"))))
}

/// A report for a person: the conversation, what differs, where they part, what came of it.
fn told(screen: &Screen, report: &Value, step: bool) -> Outcome {
    let say = |text: String| screen.line(&plain(&text));
    if step {
        steps::walk(screen, list(report, "steps"))?;
    } else {
        steps::print(screen, list(report, "steps"));
    }
    let version = |name: &str| {
        let version = &report[name];
        format!(
            "{} {} ({})",
            fields::text(version, "script"),
            fields::text(version, "version"),
            fields::short(&fields::text(version, "bundle"))
        )
    };
    say(String::new());
    say(format!(
        "call {} at {}/{}",
        fields::text(report, "call"),
        fields::text(report, "agency"),
        fields::text(report, "entry")
    ));
    say(format!("ran on {}, and again on {}", version("was"), version("is")));
    for difference in list(report, "differences") {
        say(format!(
            "  differs at {}{}: {}",
            fields::count(difference, "seq"),
            in_step(difference),
            fields::text(difference, "what")
        ));
    }
    say(format!(
        "{}: {} of {} host calls were the same from the beginning",
        verdict(report),
        fields::count(report, "same_calls"),
        fields::count(report, "host_calls")
    ));
    let parting = &report["parting"];
    if parting.is_object() {
        let or_nothing = |name: &str| parting[name].as_str().unwrap_or("nothing more").to_owned();
        say(format!(
            "they part at host call {}{}: {}",
            fields::count(parting, "seq"),
            in_step(parting),
            fields::text(parting, "why")
        ));
        say(format!("  the call:   {}", or_nothing("expected")));
        say(format!("  the replay: {}", or_nothing("found")));
    }
    for change in list(report, "changes") {
        say(format!(
            "  {}: {} → {}",
            fields::text(change, "what"),
            fields::text(change, "was"),
            fields::text(change, "is")
        ));
    }
    Ok(exit_code(report))
}

fn in_step(value: &Value) -> String {
    match fields::text(value, "step") {
        step if step.is_empty() => String::new(),
        step => format!(", step {step}"),
    }
}

fn verdict(report: &Value) -> &'static str {
    match report["verdict"].as_str() {
        Some("identical") => "identical",
        Some("same-outcome") => "the same came of it, on another way",
        Some("journal-ends") => "the same as far as the journal goes",
        Some("outcome-changed") => "something else came of it",
        _ => "they part",
    }
}
