//! `gudok guide`: what operators say and ask, by topic.

use super::super::arguments::Place;
use super::super::places::delete;
use super::super::remote::{Cell, Column, Outcome, Page, Remote, Screen, Session, Write, fields};
use super::{of_agency, read_text};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

const COLUMNS: &[Column] = &[
    ("GUIDE", |guide| Cell::new(format!("{}/{}", fields::text(guide, "agency"), fields::text(guide, "topic")))),
    ("TITLE", |guide| fields::cell(guide, "title")),
    ("CODES", |guide| fields::cell(guide, "wrap_up_codes")),
    ("UPDATED", |guide| fields::moment(guide, "updated")),
    ("BY", |guide| fields::cell(guide, "updated_by")),
];

/// What `gudok guide` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists guides.
    List {
        /// Only of this agency.
        #[arg(long)]
        agency: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Shows one.
    Show {
        /// Which: mfc/passport. The topic "default" is for everything that has no guide of its own.
        #[arg(value_name = "AGENCY/TOPIC")]
        guide: Place,
    },
    /// Sets one, new or present.
    Set {
        /// Which: mfc/passport.
        #[arg(value_name = "AGENCY/TOPIC")]
        guide: Place,
        /// A file with the words, plain text; "-" is standard input.
        #[arg(long)]
        file: PathBuf,
        /// The heading.
        #[arg(long)]
        title: Option<String>,
        /// A code that the operator may choose in the wrap-up; may be given several times. Any where none is given.
        #[arg(long = "code", value_name = "CODE")]
        codes: Vec<String>,
    },
    /// Deletes one.
    Delete {
        /// Which: mfc/passport.
        #[arg(value_name = "AGENCY/TOPIC")]
        guide: Place,
    },
}

/// `gudok guide`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::List { agency, page } => {
            let query = of_agency(agency.as_ref());
            session.list(&["guides"], query, page, COLUMNS, "no guides: gudok guide set").await
        }
        Command::Show { guide } => {
            let answer = session.client.get(&["guides", &guide.agency, &guide.entry], &[]).await?;
            session.show(&answer, print)
        }
        Command::Set { guide, file, title, codes } => {
            let path = ["guides", guide.agency.as_str(), guide.entry.as_str()];
            let found = session.client.find(&path).await?;
            let mut body = match &found {
                Some(answer) => answer.json()?,
                None => json!({}),
            };
            body["text"] = read_text(file)?.replace("\r\n", "\n").into();
            if let Some(title) = title {
                body["title"] = title.as_str().into();
            }
            if !codes.is_empty() {
                body["wrap_up_codes"] = codes.clone().into();
            }
            let etag = found.and_then(|answer| answer.etag);
            let answer = session.client.write(Write::put(&path, body).if_match(etag)).await?;
            session.show(&answer, print)
        }
        Command::Delete { guide } => delete(session, &["guides", &guide.agency, &guide.entry]).await,
    }
}

fn print(screen: &Screen, guide: &Value) {
    screen.facts(&[
        ("guide", Cell::new(format!("{}/{}", fields::text(guide, "agency"), fields::text(guide, "topic")))),
        ("title", fields::cell(guide, "title")),
        ("wrap-up codes", fields::cell(guide, "wrap_up_codes")),
        ("updated", fields::moment(guide, "updated")),
        ("by", fields::cell(guide, "updated_by")),
    ]);
    for line in fields::text(guide, "text").lines() {
        screen.line(&super::super::remote::plain(line));
    }
}
