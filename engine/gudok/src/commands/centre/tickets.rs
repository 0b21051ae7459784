//! `gudok tickets`, `gudok deliveries`: what callers were promised in writing, and whether their agencies have it.

use super::super::arguments::{Place, pair};
use super::super::remote::{Cell, Column, Outcome, Page, Paint, Remote, Screen, Session, Write, ask, fields};
use super::of_agency;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

const TICKETS: &[Column] = &[
    ("TICKET", |ticket| Cell::new(id(ticket))),
    ("KIND", |ticket| fields::cell(ticket, "kind")),
    ("REGISTERED", |ticket| fields::moment(ticket, "created")),
    ("CALLER", |ticket| fields::cell(ticket, "caller")),
    ("DELIVERY", |ticket| state(&ticket["delivery"])),
    ("TOPIC", |ticket| fields::cell(ticket, "topic")),
];

const DELIVERIES: &[Column] = &[
    ("TICKET", |delivery| Cell::new(id(delivery))),
    ("STATE", |delivery| state(delivery)),
    ("TRIED", |delivery| Cell::figure(fields::count(delivery, "attempts"))),
    ("NEXT", |delivery| fields::moment(delivery, "next")),
    ("GIVEN UP AT", |delivery| fields::moment(delivery, "deadline")),
    ("STATUS", |delivery| fields::cell(delivery, "last_status")),
    ("PROBLEM", |delivery| fields::cell(delivery, "last_error")),
];

/// What `gudok tickets` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Tickets {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// Only of this kind.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    #[command(flatten)]
    page: Page,
    #[command(subcommand)]
    command: Option<TicketCommand>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Complaint,
    OutdatedInformation,
    Request,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::OutdatedInformation => "outdated-information",
            Self::Request => "request",
        }
    }
}

#[derive(Debug, Subcommand)]
enum TicketCommand {
    /// Shows one, with its delivery.
    Show {
        /// AGENCY/NUMBER, such as mfc/К-2026-000123.
        #[arg(value_name = "AGENCY/NUMBER")]
        ticket: Place,
    },
    /// Registers one for a caller.
    Add {
        /// What it is.
        #[arg(value_enum)]
        kind: Kind,
        /// Whose.
        #[arg(long)]
        agency: Option<String>,
        /// In a few words.
        #[arg(long, default_value = "")]
        topic: String,
        /// What the caller says; read from standard input where it is left out.
        #[arg(long)]
        text: Option<String>,
        /// The caller's own number.
        #[arg(long)]
        number: Option<String>,
        /// The call that it belongs to.
        #[arg(long)]
        call: Option<String>,
        /// Of outdated information: which entry of the directory.
        #[arg(long)]
        entry: Option<String>,
        /// A further fact; may be given several times.
        #[arg(long = "field", value_name = "NAME=VALUE", value_parser = pair)]
        fields: Vec<(String, String)>,
        /// The same key gives the same number.
        #[arg(long)]
        key: Option<String>,
    },
}

/// What `gudok deliveries` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Deliveries {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// Only in this state: dead ones are those that somebody must look at.
    #[arg(long, value_enum)]
    state: Option<DeliveryState>,
    #[command(flatten)]
    page: Page,
    #[command(subcommand)]
    command: Option<DeliveryCommand>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DeliveryState {
    Waiting,
    Delivered,
    Dead,
}

impl DeliveryState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

#[derive(Debug, Subcommand)]
enum DeliveryCommand {
    /// Tries one again that was given up.
    Retry {
        /// AGENCY/NUMBER of its ticket.
        #[arg(value_name = "AGENCY/NUMBER")]
        ticket: Place,
    },
}

/// `gudok tickets`.
pub(crate) async fn tickets(session: &Session, arguments: &Tickets) -> Outcome {
    match &arguments.command {
        None => {
            let mut query = of_agency(arguments.agency.as_ref());
            query.extend(arguments.kind.map(|kind| ("kind", kind.as_str().to_owned())));
            session.list(&["tickets"], query, &arguments.page, TICKETS, "no tickets").await
        }
        Some(TicketCommand::Show { ticket }) => {
            let answer = session.client.get(&["tickets", &ticket.agency, &ticket.entry], &[]).await?;
            session.show(&answer, print)
        }
        Some(TicketCommand::Add { kind, agency, topic, text, number, call, entry, fields, key }) => {
            let text = text.clone().map_or_else(|| ask("Text: "), Ok)?;
            let mut body = json!({ "kind": kind.as_str(), "topic": topic, "text": text });
            let given = [("agency", agency), ("number", number), ("call", call), ("entry", entry)];
            for (name, value) in given.into_iter().chain([("idempotency_key", key)]) {
                if let Some(value) = value {
                    body[name] = value.as_str().into();
                }
            }
            let facts = fields.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
            body["fields"] = Value::Object(facts.collect::<Map<_, _>>());
            let answer = session.client.write(Write::post(&["tickets"]).body(body)).await?;
            session.show(&answer, |screen, ticket| screen.line(&id(ticket)))
        }
    }
}

/// `gudok deliveries`.
pub(crate) async fn deliveries(session: &Session, arguments: &Deliveries) -> Outcome {
    match &arguments.command {
        None => {
            let mut query = of_agency(arguments.agency.as_ref());
            query.extend(arguments.state.map(|state| ("state", state.as_str().to_owned())));
            session.list(&["deliveries"], query, &arguments.page, DELIVERIES, "no deliveries").await
        }
        Some(DeliveryCommand::Retry { ticket }) => {
            let path = ["deliveries", ticket.agency.as_str(), ticket.entry.as_str(), "retry"];
            let answer = session.client.write(Write::post(&path)).await?;
            session.show(&answer, |screen, _| screen.note(&format!("{ticket} is tried again")))
        }
    }
}

fn id(ticket: &Value) -> String {
    format!("{}/{}", fields::text(ticket, "agency"), fields::text(ticket, "number"))
}

fn state(delivery: &Value) -> Cell {
    let text = fields::text(delivery, "state");
    let paint = match text.as_str() {
        "delivered" => Paint::Good,
        "waiting" => Paint::Warn,
        "dead" => Paint::Bad,
        _ => Paint::Plain,
    };
    Cell::new(text).paint(paint)
}

fn print(screen: &Screen, ticket: &Value) {
    let facts = ticket["fields"].as_object().into_iter().flatten();
    let facts: Vec<String> = facts.map(|(name, value)| format!("{name}={}", fields::words(value))).collect();
    let delivery = &ticket["delivery"];
    screen.facts(&[
        ("ticket", Cell::new(id(ticket))),
        ("kind", fields::cell(ticket, "kind")),
        ("topic", fields::cell(ticket, "topic")),
        ("text", fields::cell(ticket, "text")),
        ("facts", Cell::new(facts.join(", "))),
        ("caller", fields::cell(ticket, "caller")),
        ("call", fields::cell(ticket, "call")),
        ("entry", fields::cell(ticket, "entry")),
        ("registered", fields::moment(ticket, "created")),
        ("by", fields::cell(ticket, "created_by")),
        ("delivery", state(delivery)),
        ("tried", fields::cell(delivery, "attempts")),
        ("problem", fields::cell(delivery, "last_error")),
    ]);
}
