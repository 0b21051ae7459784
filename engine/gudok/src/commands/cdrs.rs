//! `gudok cdrs`: call records, of a running engine or of a store whose engine is stopped.

use super::remote::{Failure, Outcome, Page, Remote, Screen, Session, anonymous, online};
use super::stopped;
use anyhow::Context;
use clap::Args;
use gudok_store::{AgencyId, CallId, CdrQuery, Store, UtcMs};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `gudok cdrs` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// Read the store of this configuration, whose engine is stopped; a running engine is asked without it.
    #[arg(long, value_name = "gudok.toml")]
    config: Option<PathBuf>,
    /// As CSV with a header; else one JSON object a line.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Only those of one call.
    #[arg(long)]
    call: Option<String>,
    /// Only those of one agency.
    #[arg(long)]
    agency: Option<String>,
    /// Only those that ended at or after this moment.
    #[arg(long)]
    from: Option<jiff::Timestamp>,
    /// Only those that ended before this moment.
    #[arg(long)]
    until: Option<jiff::Timestamp>,
    // Of a running engine; all records of a stopped one are printed.
    #[command(flatten)]
    page: Page,
}

pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    match &arguments.config {
        Some(config) => anonymous(&arguments.remote, async |screen| print(screen, arguments, config)),
        None => online(&arguments.remote, async |session| ask(session, arguments).await),
    }
}

fn ms(moment: jiff::Timestamp) -> u64 {
    u64::try_from(moment.as_millisecond()).unwrap_or(0)
}

async fn ask(session: &Session, arguments: &Arguments) -> Outcome {
    let mut query = arguments.page.query();
    query.extend(arguments.from.map(|from| ("from_ms", ms(from).to_string())));
    query.extend(arguments.until.map(|until| ("until_ms", ms(until).to_string())));
    query.extend(arguments.agency.clone().map(|agency| ("agency", agency)));
    query.extend(arguments.call.clone().map(|call| ("call_id", call)));
    if arguments.csv {
        query.push(("format", "csv".to_owned()));
        let answer = session.client.get(&["cdrs"], &query).await?;
        session.screen.raw(&answer.body);
        more(&session.screen, answer.next.as_deref());
        return Ok(ExitCode::SUCCESS);
    }
    let answer = session.client.get(&["cdrs"], &query).await?;
    session.show(&answer, |screen, page| {
        for cdr in page["cdrs"].as_array().into_iter().flatten() {
            screen.raw(&cdr.to_string());
        }
        more(screen, page["next"].as_str());
    })
}

fn more(screen: &Screen, next: Option<&str>) {
    if let Some(next) = next {
        screen.note(&format!("there is more: --cursor {}", super::remote::plain(next)));
    }
}

fn print(_: &Screen, arguments: &Arguments, config: &Path) -> Outcome {
    let failed = |error: gudok_store::StoreError| Failure::Failed(error.into());
    let store = stopped::store(config, stopped::Key::IfThere, "GET /api/v1/cdrs, or gudok cdrs without --config")?;
    let mut query = CdrQuery {
        from: arguments.from.map(|from| UtcMs(ms(from))).unwrap_or_default(),
        until: arguments.until.map(|until| UtcMs(ms(until))),
        agency: arguments.agency.as_deref().map(AgencyId::new).transpose().map_err(failed)?,
        call_id: arguments.call.as_deref().map(CallId::new).transpose().map_err(failed)?,
        ..CdrQuery::default()
    };
    let mut out = gudok_workbench::out::stdout();
    let mut header = true;
    loop {
        let page = store.cdrs(query.clone()).wait().map_err(failed)?;
        if arguments.csv {
            gudok_store::write_csv(&page.cdrs, header, &mut out).map_err(failed)?;
            header = false;
        } else {
            gudok_store::write_json_lines(&page.cdrs, &mut out).map_err(failed)?;
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    out.flush().context("writing")?;
    Ok(ExitCode::SUCCESS)
}
