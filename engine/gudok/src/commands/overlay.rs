//! `gudok overlay`: the emergency announcement that every caller hears first.

use super::arguments::Moment;
use super::places::delete;
use super::remote::{Cell, Column, Failure, Outcome, Page, Remote, Screen, Session, Write, ask, fields};
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

const COLUMNS: &[Column] = &[
    ("NAME", |overlay| fields::cell(overlay, "name")),
    ("LANGUAGE", |overlay| fields::cell(overlay, "lang")),
    ("CALLERS", |overlay| Cell::new(callers(overlay))),
    ("HEARD", |overlay| Cell::figure(fields::count(overlay, "heard"))),
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
        /// Only callers of numbers of this region or municipality; may be given several times.
        #[arg(long = "area", value_name = "AREA")]
        areas: Vec<String>,
        /// Only callers of this number, as dialled; may be given several times.
        #[arg(long = "number", value_name = "NUMBER")]
        numbers: Vec<String>,
        /// It ends by itself: a moment, or so long from now.
        #[arg(long)]
        expires: Option<Moment>,
    },
    /// Puts a recording before every call from now on, in one step; of an announcement that is there, it changes the
    /// sound only.
    Record {
        /// Its name, for you.
        name: String,
        /// A sound file: WAV.
        sound: PathBuf,
        /// Only callers of this agency hear it; may be given several times.
        #[arg(long = "agency", value_name = "AGENCY")]
        agencies: Vec<String>,
        /// Only callers of numbers of this region or municipality; may be given several times.
        #[arg(long = "area", value_name = "AREA")]
        areas: Vec<String>,
        /// Only callers of this number, as dialled; may be given several times.
        #[arg(long = "number", value_name = "NUMBER")]
        numbers: Vec<String>,
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
        Command::Set { name, text, lang, agencies, areas, numbers, expires } => {
            let text = text.clone().map_or_else(|| ask("Text: "), Ok)?;
            if text.trim().is_empty() {
                return Err(Failure::Usage("an announcement has words: --text".into()));
            }
            let path = ["overlays", name.as_str()];
            let etag = session.client.find(&path).await?.and_then(|answer| answer.etag);
            let mut body = json!({
                "name": name, "text": text, "agencies": agencies, "areas": areas, "numbers": numbers,
            });
            if let Some(lang) = lang {
                body["lang"] = lang.as_str().into();
            }
            if let Some(expires) = expires {
                body["expires"] = expires.text()?.into();
            }
            let answer = session.client.write(Write::put(&path, body).if_match(etag)).await?;
            session.show(&answer, print)
        }
        Command::Record { name, sound, agencies, areas, numbers, expires } => {
            let mut query = Vec::new();
            for (name, values) in [("agencies", agencies), ("areas", areas), ("numbers", numbers)] {
                if !values.is_empty() {
                    query.push((name, values.join(",")));
                }
            }
            if let Some(expires) = expires {
                query.push(("expires", expires.text()?));
            }
            let bytes = std::fs::read(sound).with_context(|| format!("reading {}", sound.display()))?;
            let path = ["overlays", name.as_str(), "recording"];
            let answer = session.client.send_file(&path, &query, "audio/wav", bytes.into()).await?;
            session.show(&answer, print)
        }
        Command::Delete { name } => delete(session, &["overlays", name]).await,
    }
}

/// Who hears it.
fn callers(overlay: &Value) -> String {
    let named = ["agencies", "areas", "numbers"].map(|field| fields::text(overlay, field));
    let named: Vec<String> = named.into_iter().filter(|named| !named.is_empty()).collect();
    if named.is_empty() { "all".to_owned() } else { named.join("; ") }
}

fn print(screen: &Screen, overlay: &Value) {
    screen.facts(&[
        ("overlay", fields::cell(overlay, "name")),
        ("text", fields::cell(overlay, "text")),
        ("language", fields::cell(overlay, "lang")),
        ("recording", fields::cell(overlay, "recording")),
        ("callers", Cell::new(callers(overlay))),
        ("heard", fields::cell(overlay, "heard")),
        ("since", fields::moment(overlay, "since")),
        ("expires", fields::moment(overlay, "expires")),
    ]);
}
