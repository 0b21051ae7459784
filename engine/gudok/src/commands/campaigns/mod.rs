//! `gudok campaigns`: made from a file, filled with a list, tried dry, started, watched, decided about.

mod contacts;
mod document;
mod lists;
pub(crate) mod opt_outs;
mod show;

use super::places::delete;
use super::remote::{Cell, Column, Failure, Outcome, Page, Remote, Screen, Session, Write, fields};
use clap::{Args, Subcommand, ValueEnum};
use lists::Format;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

const COLUMNS: &[Column] = &[
    ("CAMPAIGN", |campaign| fields::cell(campaign, "name")),
    ("AGENCY", |campaign| fields::cell(&campaign["document"], "agency")),
    ("STATE", |campaign| show::state(campaign)),
    ("CONTACTS", |campaign| Cell::figure(fields::count(&campaign["figures"], "contacts"))),
    ("DONE", |campaign| Cell::figure(show::done(campaign))),
    ("CALLS", |campaign| Cell::figure(fields::count(&campaign["figures"], "live_calls"))),
    ("PER S", |campaign| Cell::figure(show::rate(campaign))),
    ("ENDS", |campaign| fields::moment(&campaign["figures"], "ends_ms")),
    ("NOW", |campaign| Cell::new(show::idle(campaign))),
    ("TITLE", |campaign| fields::cell(&campaign["document"], "title")),
];

/// What `gudok campaigns` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    #[command(flatten)]
    page: Page,
    #[command(subcommand)]
    command: Option<Command>,
}

/// A campaign.
#[derive(Debug, Args)]
struct Named {
    /// Its name.
    campaign: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints a campaign's file with every field, its default and its meaning.
    Example,
    /// Says what campaigns may use here: trunks, queues, zones.
    Facts,
    /// Makes one, as a draft, from a TOML or JSON file.
    Create {
        /// Its name, a-z, 0-9 and -.
        campaign: String,
        /// What is decided; "-" is standard input.
        file: PathBuf,
    },
    /// Changes one, also while it runs: by a file, or field by field. Attempts that are claimed already are not touched.
    Edit {
        /// Its name.
        campaign: String,
        /// What is decided from now on; "-" is standard input. Left out: as it is, but for --set.
        file: Option<PathBuf>,
        /// One field: calls_per_s_max=3, retries.busy.after_s=900, deadline="2026-05-30T20:00:00+07:00".
        #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = super::arguments::pair)]
        set: Vec<(String, String)>,
    },
    /// Shows one, with what is going on.
    Show {
        /// Its name.
        campaign: String,
        /// Go on, until it is over.
        #[arg(long, short)]
        watch: bool,
    },
    /// Prints what is decided about one, as a TOML file that `edit` takes.
    Document(Named),
    /// Takes a list of contacts, CSV or JSON Lines, of any length. Exit code 1 where there are bad rows.
    Import {
        /// Its name.
        campaign: String,
        /// The list; "-" is standard input.
        file: PathBuf,
        /// How it is written; as the file's name says where it is left out.
        #[arg(long, value_enum)]
        format: Option<Format>,
    },
    /// Says what would happen when, and does nothing: with the contacts that there are, with a list, or by another file.
    DryRun {
        /// Its name.
        campaign: String,
        /// A list of contacts that is read and not kept; "-" is standard input.
        list: Option<PathBuf>,
        /// How the list is written.
        #[arg(long, value_enum, requires = "list")]
        format: Option<Format>,
        /// If what is decided were this: a TOML or JSON file.
        #[arg(long, value_name = "FILE", conflicts_with = "list")]
        by: Option<PathBuf>,
    },
    /// Adds the contacts of another campaign: lists for emergencies are kept ready in one that is never started.
    Copy {
        /// Its name.
        campaign: String,
        /// The campaign that they are taken from.
        #[arg(long)]
        from: String,
        /// Only of this area; may be given several times.
        #[arg(long = "area", value_name = "AREA")]
        areas: Vec<String>,
    },
    /// Starts a draft. Exit code 1 where a second officer must start it, too.
    Start(Named),
    /// Dials nothing new; calls that are on go on.
    Pause(Named),
    /// Goes on after a pause.
    Resume(Named),
    /// Ends it for good; calls that are on go on.
    Stop(Named),
    /// Lists its contacts, numbers masked.
    Contacts(contacts::List),
    /// Shows one contact with its attempts.
    Contact {
        /// The campaign.
        campaign: String,
        /// Its place in the list, as `contacts` shows it.
        no: u32,
    },
    /// Decides about contacts: about one, or about all whose attempt a crash cut off.
    Decide {
        /// The campaign.
        campaign: String,
        /// What.
        #[arg(value_enum)]
        decision: Decision,
        /// About this one, by its place in the list.
        #[arg(required_unless_present = "all_unknown")]
        no: Option<u32>,
        /// About every contact that is unknown.
        #[arg(long, conflicts_with = "no")]
        all_unknown: bool,
    },
    /// Fetches what came of the attempts, as a table.
    Results {
        /// Its name.
        campaign: String,
        /// Where it goes; "-" is standard output.
        file: PathBuf,
        /// How it is written; as the file's name says where it is left out.
        #[arg(long, value_enum)]
        format: Option<Format>,
        /// Only what came after this cursor: that of the last line that you have.
        #[arg(long)]
        after: Option<u64>,
    },
    /// Says how attempts ended over time.
    Series {
        /// Its name.
        campaign: String,
        /// The length of a step.
        #[arg(long, default_value = "1h")]
        step: super::arguments::Seconds,
    },
    /// Takes one away with its contacts and results; the opt-outs stay.
    Delete(Named),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Decision {
    /// Of an unknown attempt: it is taken for made.
    TakeForMade,
    /// Once more.
    TryAgain,
    /// Never.
    Cancel,
}

impl Arguments {
    /// The one thing that needs no engine.
    pub(crate) const fn asks_for_example(&self) -> bool {
        matches!(self.command, Some(Command::Example))
    }
}

impl Decision {
    const fn as_str(self) -> &'static str {
        match self {
            Self::TakeForMade => "take-for-made",
            Self::TryAgain => "try-again",
            Self::Cancel => "cancel",
        }
    }
}

/// `gudok campaigns example`.
pub(crate) fn example(screen: &Screen) -> Outcome {
    screen.raw(document::EXAMPLE);
    Ok(ExitCode::SUCCESS)
}

/// `gudok campaigns`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let Some(command) = &arguments.command else {
        let query = arguments.agency.clone().map(|agency| ("agency", agency)).into_iter().collect();
        let none = "no campaigns: gudok campaigns example > spring.toml; gudok campaigns create spring spring.toml";
        return session.list(&["campaigns"], query, &arguments.page, COLUMNS, none).await;
    };
    match command {
        Command::Example => example(&session.screen),
        Command::Facts => {
            let answer = session.client.get(&["campaign-facts"], &[]).await?;
            session.show(&answer, show::print_facts)
        }
        Command::Create { campaign, file } => {
            let path = ["campaigns", campaign.as_str()];
            let answer = session.client.write(Write::put(&path, document::read(file)?)).await?;
            session.show(&answer, show::print)
        }
        Command::Edit { campaign, file, set } => edit(session, campaign, file.as_ref(), set).await,
        Command::Show { campaign, watch: true } => show::watch(session, campaign).await,
        Command::Show { campaign, watch: false } => {
            let answer = session.client.get(&["campaigns", campaign], &[]).await?;
            session.show(&answer, show::print)
        }
        Command::Document(Named { campaign }) => {
            let answer = session.client.get(&["campaigns", campaign], &[]).await?;
            let document = answer.json()?["document"].take();
            session.screen.raw(&if session.screen.json { document.to_string() } else { document::written(&document)? });
            Ok(ExitCode::SUCCESS)
        }
        Command::Import { campaign, file, format } => {
            lists::import(session, &["campaigns", campaign, "contacts"], Vec::new(), file, *format).await
        }
        Command::DryRun { campaign, list: Some(list), format, by: _ } => {
            let query = vec![("dry_run", "true".to_owned())];
            lists::import(session, &["campaigns", campaign, "contacts"], query, list, *format).await
        }
        Command::DryRun { campaign, list: None, format: _, by } => {
            let path = ["campaigns", campaign.as_str(), "forecast"];
            let answer = match by {
                Some(file) => session.client.write(Write::post(&path).body(document::read(file)?)).await?,
                None => session.client.get(&path, &[]).await?,
            };
            session.show(&answer, show::print_forecast)
        }
        Command::Copy { campaign, from, areas } => {
            let path = ["campaigns", campaign.as_str(), "contacts", "copy"];
            let body = json!({ "from": from, "areas": areas });
            let answer = session.client.write(Write::post(&path).body(body)).await?;
            session.show(&answer, lists::print_report)
        }
        Command::Start(Named { campaign }) => start(session, campaign).await,
        Command::Pause(Named { campaign }) => order(session, campaign, "pause").await,
        Command::Resume(Named { campaign }) => order(session, campaign, "resume").await,
        Command::Stop(Named { campaign }) => order(session, campaign, "stop").await,
        Command::Contacts(list) => contacts::list(session, list).await,
        Command::Contact { campaign, no } => contacts::show(session, campaign, *no).await,
        Command::Decide { campaign, decision, no: Some(no), .. } => {
            contacts::decide(session, campaign, *no, decision.as_str()).await
        }
        Command::Decide { campaign, decision, no: None, .. } => {
            contacts::decide_all(session, campaign, decision.as_str()).await
        }
        Command::Results { campaign, file, format, after } => {
            let mut query = vec![("format", Format::of(*format, file).as_str().to_owned())];
            query.extend(after.map(|after| ("after", after.to_string())));
            let bytes = session.client.download(&["campaigns", campaign, "results"], &query, file).await?;
            session.screen.note(&format!("{}: {}", file.display(), fields::size(bytes)));
            Ok(ExitCode::SUCCESS)
        }
        Command::Series { campaign, step } => {
            let query = [("step_s", step.0.to_string())];
            let answer = session.client.get(&["campaigns", campaign, "series"], &query).await?;
            session.show(&answer, show::print_series)
        }
        Command::Delete(Named { campaign }) => delete(session, &["campaigns", campaign]).await,
    }
}

async fn edit(session: &Session, campaign: &str, file: Option<&PathBuf>, set: &[(String, String)]) -> Outcome {
    if file.is_none() && set.is_empty() {
        return Err(Failure::Usage("say what changes: a file, or --set FIELD=VALUE".into()));
    }
    let path = ["campaigns", campaign];
    let found = session.client.get(&path, &[]).await?;
    let mut document = match file {
        Some(file) => document::read(file)?,
        None => found.json()?["document"].take(),
    };
    for (field, value) in set {
        document::set(&mut document, field, value)?;
    }
    let answer = session.client.write(Write::put(&path, document).if_match(found.etag)).await?;
    session.show(&answer, show::print)
}

async fn start(session: &Session, campaign: &str) -> Outcome {
    let path = ["campaigns", campaign, "start"];
    let answer = session.client.write(Write::post(&path)).await?;
    session.show(&answer, show::print)?;
    let started = answer.json()?;
    if started["figures"]["state"] == "draft" {
        let by = started["approvals"].as_array().into_iter().flatten();
        let by: Vec<String> = by.map(|one| fields::text(one, "by")).collect();
        session
            .screen
            .note(&format!("not started yet: {} said so; another emergency officer must, too", by.join(", ")));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

async fn order(session: &Session, campaign: &str, order: &str) -> Outcome {
    let path = ["campaigns", campaign, order];
    let answer = session.client.write(Write::post(&path)).await?;
    session.show(&answer, show::print)
}

/// A list's items.
fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map_or(&[][..], Vec::as_slice)
}
