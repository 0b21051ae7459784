//! `gudok cdrs`: the call records of a store whose engine is stopped. A running engine gives them at /api/v1/cdrs.

use crate::config;
use anyhow::Context;
use clap::Args;
use gudok_store::{AgencyId, CallId, CdrQuery, SledStore, Store, StoreOptions, UtcMs};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `gudok cdrs` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration, a TOML file.
    #[arg(long, default_value = "gudok.toml")]
    config: PathBuf,
    /// As CSV with a header; else one JSON object a line.
    #[arg(long)]
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
}

pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    super::told(print(arguments))
}

fn print(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config =
        config::load(&arguments.config).map_err(|error| anyhow::anyhow!("{:?}", miette::Report::new(error)))?;
    let store = SledStore::open(StoreOptions::at(config.store.dir.join("records")))
        .context("while the engine runs, ask it: GET /api/v1/cdrs on its HTTP address")?;
    let utc = |moment: jiff::Timestamp| UtcMs(u64::try_from(moment.as_millisecond()).unwrap_or(0));
    let mut query = CdrQuery {
        from: arguments.from.map(utc).unwrap_or_default(),
        until: arguments.until.map(utc),
        agency: arguments.agency.as_deref().map(AgencyId::new).transpose()?,
        call_id: arguments.call.as_deref().map(CallId::new).transpose()?,
        ..CdrQuery::default()
    };
    let mut out = std::io::stdout().lock();
    let mut header = true;
    loop {
        let page = store.cdrs(query.clone()).wait()?;
        if arguments.csv {
            gudok_store::write_csv(&page.cdrs, header, &mut out)?;
            header = false;
        } else {
            gudok_store::write_json_lines(&page.cdrs, &mut out)?;
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
