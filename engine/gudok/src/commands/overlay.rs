//! `gudok overlay`: the emergency announcement that every caller hears first.

use super::arguments::Moment;
use super::places::delete;
use super::remote::{Cell, Column, Failure, Outcome, Page, Remote, Screen, Session, Write, ask, fields};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

const COLUMNS: &[Column] = &[
    ("NAME", |overlay| fields::cell(overlay, "name")),
    ("LANGUAGE", |overlay| fields::cell(overlay, "lang")),
    ("AGENCIES", |overlay| Cell::new(agencies(overlay))),
    ("EXPIRES", |overlay| fields::moment(overlay, "expires")),
    ("TEXT", |overlay| fields::cell(overlay, "text")),
];

/// What `gudok overlay` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the announcements that are on.
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Shows one.
    Show {
        /// Which.
        name: String,
    },
    /// Puts an announcement before every call from now on, or changes it.
    Set {
        /// Its name, for you.
        name: String,
        /// What callers hear; read from standard input where it is left out.
        #[arg(long)]
        text: Option<String>,
        /// The text's language, "ru-RU".
        #[arg(long)]
        lang: Option<String>,
        /// Only callers of this agency hear it; may be given several times. All callers where none is given.
        #[arg(long = "agency", value_name = "AGENCY")]
        agencies: Vec<String>,
        /// It ends by itself: a moment, or so long from now.
        #[arg(long)]
        expires: Option<Moment>,
    },
    /// Takes it away.
    Delete {
        /// Which.
        name: String,
    },
}

/// `gudok overlay`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::List { page } => {
            session.list(&["overlays"], Vec::new(), page, COLUMNS, "no emergency announcement is on").await
        }
        Command::Show { name } => {
            let answer = session.client.get(&["overlays", name], &[]).await?;
            session.show(&answer, print)
        }
        Command::Set { name, text, lang, agencies, expires } => {
            let text = text.clone().map_or_else(|| ask("Text: "), Ok)?;
            if text.trim().is_empty() {
                return Err(Failure::Usage("an announcement has words: --text".into()));
            }
            let path = ["overlays", name.as_str()];
            let etag = session.client.find(&path).await?.and_then(|answer| answer.etag);
            let mut body = json!({ "name": name, "text": text, "agencies": agencies });
            if let Some(lang) = lang {
                body["lang"] = lang.as_str().into();
            }
            if let Some(expires) = expires {
                body["expires"] = expires.text()?.into();
            }
            let answer = session.client.write(Write::put(&path, body).if_match(etag)).await?;
            session.show(&answer, print)
        }
        Command::Delete { name } => delete(session, &["overlays", name]).await,
    }
}

fn agencies(overlay: &Value) -> String {
    let named = fields::text(overlay, "agencies");
    if named.is_empty() { "all".to_owned() } else { named }
}

fn print(screen: &Screen, overlay: &Value) {
    screen.facts(&[
        ("overlay", fields::cell(overlay, "name")),
        ("text", fields::cell(overlay, "text")),
        ("language", fields::cell(overlay, "lang")),
        ("agencies", Cell::new(agencies(overlay))),
        ("expires", fields::moment(overlay, "expires")),
    ]);
}
