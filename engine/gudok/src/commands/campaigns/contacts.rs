//! A campaign's contacts: who is on the list, what was tried, what people decide.

use super::super::remote::{Cell, Column, Outcome, Page, Paint, Session, Table, Write, fields};
use super::items;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::process::ExitCode;

const COLUMNS: &[Column] = &[
    ("NO", |contact| Cell::figure(fields::text(contact, "no"))),
    ("ID", |contact| fields::cell(contact, "id")),
    ("NUMBER", |contact| fields::cell(contact, "number")),
    ("ZONE", |contact| fields::cell(contact, "zone")),
    ("AREA", |contact| fields::cell(contact, "area")),
    ("STATE", |contact| state(contact)),
    ("DISPOSITION", |contact| fields::cell(contact, "disposition")),
    ("TRIED", |contact| Cell::figure(fields::count(contact, "attempts"))),
    ("SINCE / NOT BEFORE", |contact| fields::moment(contact, "state_ms")),
];

const TRIES: &[Column] = &[
    ("NTH", |attempt| Cell::figure(fields::text(attempt, "nth"))),
    ("CLAIMED", |attempt| fields::moment(attempt, "claimed_ms")),
    ("DIALLED", |attempt| fields::moment(attempt, "dialled_ms")),
    ("ANSWERED", |attempt| fields::moment(attempt, "answered_ms")),
    ("BY", |attempt| fields::cell(attempt, "answered_by")),
    ("ENDED", |attempt| fields::moment(attempt, "ended_ms")),
    ("DISPOSITION", |attempt| fields::cell(attempt, "disposition")),
    ("WORDS", |attempt| fields::cell(attempt, "words")),
    ("SIP", |attempt| fields::cell(attempt, "status")),
    ("CALL", |attempt| fields::cell(attempt, "call")),
];

/// Which contacts.
#[derive(Debug, Args)]
pub(super) struct List {
    /// The campaign.
    campaign: String,
    /// Only who stand there.
    #[arg(long, value_enum)]
    state: Option<Standing>,
    /// Only who are done, with this as their last disposition: confirmed, busy, no-answer, …
    #[arg(long)]
    disposition: Option<String>,
    /// Only of this area.
    #[arg(long)]
    area: Option<String>,
    /// Only the one with this number; "-" reads it from standard input, so that it stays out of the shell's history.
    #[arg(long, conflicts_with_all = ["state", "disposition", "area"])]
    number: Option<String>,
    #[command(flatten)]
    page: Page,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Standing {
    Waiting,
    Claimed,
    Unknown,
    Done,
}

impl Standing {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Claimed => "claimed",
            Self::Unknown => "unknown",
            Self::Done => "done",
        }
    }
}

fn state(contact: &Value) -> Cell {
    let text = fields::text(contact, "state");
    let paint = match text.as_str() {
        "unknown" => Paint::Warn,
        "claimed" => Paint::Good,
        _ => Paint::Plain,
    };
    Cell::new(text).paint(paint)
}

/// A page of them.
pub(super) async fn list(session: &Session, list: &List) -> Outcome {
    let none = "no such contacts";
    if let Some(number) = &list.number {
        let body = json!({ "number": super::opt_outs::number(number)? });
        let path = ["campaigns", list.campaign.as_str(), "contacts", "find"];
        let answer = session.client.write(Write::post(&path).body(body)).await?;
        return session.print_list(&answer, COLUMNS, none);
    }
    let mut query = Vec::new();
    query.extend(list.state.map(|state| ("state", state.as_str().to_owned())));
    query.extend(list.disposition.clone().map(|disposition| ("disposition", disposition)));
    query.extend(list.area.clone().map(|area| ("area", area)));
    session.list(&["campaigns", &list.campaign, "contacts"], query, &list.page, COLUMNS, none).await
}

/// One of them.
pub(super) async fn show(session: &Session, campaign: &str, no: u32) -> Outcome {
    let answer = session.client.get(&["campaigns", campaign, "contacts", &no.to_string()], &[]).await?;
    session.show(&answer, |screen, contact| {
        let names = ["no", "id", "number", "zone", "window", "lang", "area"];
        let mut facts: Vec<_> = names.into_iter().map(|name| (name, fields::cell(contact, name))).collect();
        facts.extend([
            ("state", state(contact)),
            ("since / not before", fields::moment(contact, "state_ms")),
            ("disposition", fields::cell(contact, "disposition")),
            ("attempts", fields::cell(contact, "attempts")),
        ]);
        screen.facts(&facts);
        let tries = contact["tries"].as_array().map_or(&[][..], Vec::as_slice);
        if !tries.is_empty() {
            screen.table(&Table::of(TRIES, tries));
        }
    })
}

/// A decision about one.
pub(super) async fn decide(session: &Session, campaign: &str, no: u32, decision: &str) -> Outcome {
    let no = no.to_string();
    let path = ["campaigns", campaign, "contacts", no.as_str(), "decide"];
    let answer = session.client.write(Write::post(&path).body(json!({ "decision": decision }))).await?;
    session.show(&answer, |screen, contact| screen.table(&Table::of(COLUMNS, std::slice::from_ref(contact))))
}

/// A decision about all that are unknown.
pub(super) async fn decide_all(session: &Session, campaign: &str, decision: &str) -> Outcome {
    let path = ["campaigns", campaign, "contacts"];
    let mut decided = 0;
    let mut query = vec![("state", "unknown".to_owned()), ("limit", "1000".to_owned())];
    loop {
        let page = session.client.get(&path, &query).await?.json()?;
        for contact in items(&page) {
            let no = fields::text(contact, "no");
            let path = ["campaigns", campaign, "contacts", no.as_str(), "decide"];
            session.client.write(Write::post(&path).body(json!({ "decision": decision }))).await?;
            decided += 1;
        }
        let Some(next) = page["next"].as_str() else { break };
        query.truncate(2);
        query.push(("cursor", next.to_owned()));
    }
    if session.screen.json {
        session.screen.raw(&json!({ "decided": decided }).to_string());
    }
    session.screen.note(&format!("decided about {decided} contacts: {decision}"));
    Ok(ExitCode::SUCCESS)
}
