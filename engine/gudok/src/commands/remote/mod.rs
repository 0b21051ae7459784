//! What the commands that ask a running engine share: whom they ask, how they fail, what they print.

mod client;
mod credentials;
mod events;
mod failure;
pub(crate) mod fields;
mod output;
mod terminal;

pub(crate) use client::{Answer, Client, UPLOAD_BYTES_MAX, Write};
pub(crate) use credentials::{Credentials, Login, Server, config_folder, normal_url};
pub(crate) use events::Frame;
pub(crate) use failure::{Failure, Outcome};
pub(crate) use output::{Cell, Column, Paint, Screen, Table, plain};
pub(crate) use terminal::{Progress, ask, ask_secret, confirm, is_interactive, write_secret};

use clap::Args;
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

/// Items of a list that are asked for at once where nobody says otherwise.
const PAGE_ITEMS: u32 = 200;
/// Pages that are read when a whole list is needed: a hundred thousand items.
const PAGES_MAX: usize = 100;
/// The largest page that the engine gives.
const PAGE_ITEMS_MAX: u32 = 1_000;

/// Whom to ask, and how to print the answer.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Remote {
    /// The engine's address, https://… or http://127.0.0.1:…; else GUDOK_URL, else where `gudok login` went last.
    #[arg(long, global = true, value_name = "URL", help_heading = "Connection")]
    pub(crate) url: Option<String>,
    /// The certificate authority to trust instead of the public ones: a PEM file; else GUDOK_CA, else as at login.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Connection")]
    pub(crate) ca: Option<PathBuf>,
    /// Print the API's JSON, unchanged.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Which page of a list.
#[derive(Clone, Debug, Args)]
pub(crate) struct Page {
    /// At most so many, 1 to 1000.
    #[arg(long, default_value_t = PAGE_ITEMS, value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_ITEMS_MAX)))]
    pub(crate) limit: u32,
    /// Go on where the page before ended.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

impl Page {
    /// As parameters of a request.
    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = vec![("limit", self.limit.to_string())];
        query.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        query
    }
}

/// An engine that was logged in to, and the screen.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) screen: Screen,
}

impl Session {
    /// An answer in its raw form where `--json` asks for it, else what `human` makes of it.
    pub(crate) fn show(&self, answer: &Answer, human: impl FnOnce(&Screen, &Value)) -> Outcome {
        if self.screen.json {
            self.screen.raw(&answer.body);
        } else {
            human(&self.screen, &answer.json()?);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// One page of a list as a table.
    pub(crate) async fn list(
        &self,
        path: &[&str],
        mut query: Vec<(&str, String)>,
        page: &Page,
        columns: &[Column],
        none: &str,
    ) -> Outcome {
        query.extend(page.query());
        let answer = self.client.get(path, &query).await?;
        self.print_list(&answer, columns, none)
    }

    /// A list that was answered.
    pub(crate) fn print_list(&self, answer: &Answer, columns: &[Column], none: &str) -> Outcome {
        self.show(answer, |screen, list| {
            let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
            if items.is_empty() {
                screen.note(none);
            } else {
                screen.table(&Table::of(columns, items));
            }
            if let Some(cursor) = list["next"].as_str() {
                screen.note(&format!("there is more: --cursor {}", plain(cursor)));
            }
        })
    }

    /// A whole list, page by page.
    pub(crate) async fn all(&self, path: &[&str], query: &[(&str, String)]) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = query.to_vec();
            query.push(("limit", PAGE_ITEMS_MAX.to_string()));
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let mut page = self.client.get(path, &query).await?.json()?;
            if let Value::Array(more) = page["items"].take() {
                items.extend(more);
            }
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        Ok(items)
    }
}

/// Runs a command that asks an engine, and ends the program with its exit code.
pub(crate) fn online(remote: &Remote, work: impl AsyncFnOnce(&Session) -> Outcome) -> ExitCode {
    let screen = Screen::new(remote.json);
    let outcome = Credentials::load().and_then(|credentials| {
        let server = credentials.server(remote)?;
        let session = Session { client: Client::logged_in(&server)?, screen };
        finish(async || work(&session).await)
    });
    end(&screen, outcome)
}

/// The same for a command that needs no login.
pub(crate) fn anonymous(remote: &Remote, work: impl AsyncFnOnce(&Screen) -> Outcome) -> ExitCode {
    let screen = Screen::new(remote.json);
    end(&screen, finish(async || work(&screen).await))
}

fn finish(work: impl AsyncFnOnce() -> Outcome) -> Outcome {
    let runtime = super::runtime().map_err(Failure::Failed)?;
    let outcome = runtime.block_on(work());
    // A thread that waits for a terminal's line must not keep the program.
    runtime.shutdown_background();
    outcome
}

/// Tells a failure; gives the exit code.
pub(crate) fn end(screen: &Screen, outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            if screen.json
                && let Failure::Refused(problem) = &failure
            {
                screen.raw(&problem.body);
            }
            failure.tell();
            failure.exit_code()
        }
    }
}
