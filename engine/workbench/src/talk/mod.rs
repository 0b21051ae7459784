//! `gudok call --local`: a call with a script in the terminal, without an engine.
//!
//! The script is the compiled one, the call machine the engine's own; the clock is virtual, so that a time-out takes no
//! time. The author decides what is open: which keys, how a transfer goes, what a back end answers. A call is what was
//! decided in it: to go back, it is run again with fewer decisions, which gives the very same call up to there.
//!
//! - [`Talk`], [`TalkOptions`]: what the command line says
//! - [`main`] talks
//!
//! Deliberately not here: an engine, a telephone (`gudok up` has both), and what a caller's impatience does in the middle of
//! a prompt: keys are pressed when the script asks.

mod console;
mod examples;
mod save;
mod session;
mod sound;
mod talker;
mod told;
mod trace;
mod typed;
mod words;

pub use words::UiLang;

use crate::out;
use anyhow::Context;
use clap::Args;
use gudok_core::time::Timestamp;
use gudok_simulator::decide::CallOf;
use session::Session;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Says that the caller shows no number.
const WITHHELD: &str = "withheld";
/// The exit code of wrong usage and of a machine on which something is missing.
const USAGE: u8 = 2;

/// What only a local call is told.
#[derive(Clone, Debug, Default, Args)]
pub struct TalkOptions {
    /// No engine: the script runs in the simulator, and you decide what happens.
    #[arg(long)]
    pub local: bool,
    /// With --keys: end there instead of asking on.
    #[arg(long, requires = "local")]
    pub end: bool,
    /// When the call comes: "2026-05-05 12:00" (UTC) or "2026-05-05T02:30:00+07:00"; noon of a Tuesday where it is missing.
    #[arg(long, requires = "local", value_name = "TIME", value_parser = moment)]
    pub at: Option<Timestamp>,
    /// In which language the call begins; the script's first where it is missing.
    #[arg(long, requires = "local", value_name = "TAG")]
    pub lang: Option<String>,
    /// Under which of its entries the script is called.
    #[arg(long, requires = "local")]
    pub entry: Option<String>,
    /// A setting over the manifest's. May be given several times.
    #[arg(long = "config", requires = "local", value_name = "KEY=VALUE", value_parser = pair)]
    pub config: Vec<(String, String)>,
    /// Of a campaign's script: the contact's columns, {"debt": "1 234,56"}.
    #[arg(long, requires = "local", value_name = "JSON", value_parser = columns)]
    pub contact: Option<Columns>,
    /// Of a campaign's script: an answering machine takes the call.
    #[arg(long, requires = "local")]
    pub on_machine: bool,
    /// Hear the prompts: played, or kept as sound where the machine has no player.
    #[arg(long, requires = "local")]
    pub audio: bool,
    /// Everything that is left to chance comes from it.
    #[arg(long, requires = "local")]
    pub seed: Option<u64>,
    /// Write the call's journal there when it is over, in clear: gudok replay FILE runs it again, --bundle on another version.
    #[arg(long, requires = "local", value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

/// The columns of a campaign's contact.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Columns(pub Vec<(String, String)>);

/// A local call, as the command line has it.
#[derive(Clone, Copy, Debug)]
pub struct Talk<'a> {
    /// A project's folder, or a bundle's file.
    pub target: &'a Path,
    /// What happens first, by blanks: "1 3 silence transfer:busy".
    pub keys: Option<&'a str>,
    /// The caller's number, or "withheld".
    pub from: Option<&'a str>,
    /// The talk as JSON when it is over, and nothing else.
    pub json: bool,
    /// The rest.
    pub options: &'a TalkOptions,
}

impl Talk<'_> {
    /// The call that is meant.
    fn call(&self) -> CallOf {
        let options = self.options;
        let anonymous = self.from == Some(WITHHELD);
        CallOf {
            entry: options.entry.clone(),
            lang: options.lang.clone(),
            at: options.at,
            caller: self.from.filter(|_| !anonymous).map(str::to_owned),
            anonymous,
            seed: options.seed.unwrap_or_else(|| CallOf::default().seed),
            contact: options.contact.clone().unwrap_or_default().0,
            callee: options.on_machine.then(gudok_simulator::Callee::answering_machine),
            ..CallOf::default()
        }
    }

    fn config(&self) -> BTreeMap<String, String> {
        self.options.config.iter().cloned().collect()
    }
}

/// Talks. The exit code is 0 where the script did well or the author left, 1 where it was stopped or failed, 2 where it
/// could not be called.
#[must_use]
pub fn main(talk: &Talk<'_>) -> ExitCode {
    let talked = Session::open(talk).and_then(|mut session| session.talk(talk));
    talked.unwrap_or_else(|error| {
        out::note(&format!("gudok: {error:#}"));
        ExitCode::from(USAGE)
    })
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let at = text.parse::<jiff::Timestamp>().or_else(|_| {
        let civil = text.parse::<jiff::civil::DateTime>();
        civil.and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC)).map(|zoned| zoned.timestamp())
    });
    let ms = at.ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
    let ms = ms.ok_or_else(|| "write \"2026-05-05 12:00\" or \"2026-05-05T12:00:00+07:00\"".to_owned())?;
    Ok(Timestamp::from_millis(ms))
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

fn columns(text: &str) -> Result<Columns, String> {
    let fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).context("write {\"column\": \"value\"}").map_err(|error| format!("{error:#}"))?;
    let text_of = |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(Columns(fields.into_iter().map(|(name, value)| (name, text_of(value))).collect()))
}
