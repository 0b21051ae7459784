//! Tickets and how they get to their agencies.

use crate::access::Operation;
use crate::console::calls::{Heard, party};
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::format::{self, Moment};
use crate::console::lists;
use crate::console::versions::Fact;
use crate::console::visit::{Outcome, Posted, Visit, encoded, go};
use crate::documents::DeliveryState;
use crate::names::AgencyName;
use crate::service::deliveries::{self, Delivery};
use crate::service::tickets::{self as service, Ticket, TicketFilter, TicketKind};
use askama::Template;
use axum::extract::Path;

/// Of a ticket's text, so much is shown in a list where nobody said what it is about.
const TOPIC_CHARS: usize = 80;
const STATES: [&str; 3] = ["waiting", "delivered", "dead"];

fn state_of(c: &Ctx, delivery: Option<&Delivery>) -> (&'static str, String) {
    let (tone, state) = match delivery.map(|delivery| delivery.state) {
        None => ("off", "none"),
        Some(DeliveryState::Waiting) => ("info", "waiting"),
        Some(DeliveryState::Delivered) => ("good", "delivered"),
        Some(DeliveryState::Dead) => ("bad", "dead"),
    };
    (tone, c.t(&format!("delivery.state.{state}")).to_owned())
}

/// The last answer of an agency's system, in words.
fn last_of(delivery: &Delivery) -> String {
    let status = delivery.last_status.map(|status| status.to_string());
    let parts: Vec<String> = status.into_iter().chain(delivery.last_error.clone()).collect();
    if parts.is_empty() { "—".to_owned() } else { parts.join(" · ") }
}

fn href(agency: &str, number: &str) -> String {
    format!("{}/{}", encoded(agency), encoded(number))
}

/// A ticket in the list.
pub(crate) struct Row {
    pub(crate) href: String,
    pub(crate) number: String,
    pub(crate) agency: String,
    pub(crate) kind: String,
    pub(crate) topic: String,
    pub(crate) caller: String,
    pub(crate) created: Moment,
    pub(crate) by: String,
    pub(crate) tone: &'static str,
    pub(crate) delivery: String,
}

impl Row {
    pub(crate) fn of(c: &Ctx, ticket: &Ticket) -> Self {
        let (tone, delivery) = state_of(c, ticket.delivery.as_ref());
        let short: String = ticket.text.chars().take(TOPIC_CHARS).collect();
        Self {
            href: href(&ticket.agency, &ticket.number),
            number: ticket.number.clone(),
            agency: ticket.agency.clone(),
            kind: c.word("ticket.kind", &ticket.kind),
            topic: if ticket.topic.is_empty() { short } else { ticket.topic.clone() },
            caller: party(c, &ticket.caller),
            created: c.moment_of(&ticket.created),
            by: ticket.created_by.clone(),
            tone,
            delivery,
        }
    }
}

/// All tickets.
#[derive(Template)]
#[template(path = "tickets.html")]
pub(crate) struct TicketsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) kinds: Vec<Choice>,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
    pub(crate) may_deliveries: bool,
}

/// How a ticket's delivery stands.
pub(crate) struct DeliveryNow {
    pub(crate) tone: &'static str,
    pub(crate) state: String,
    pub(crate) facts: Vec<Fact>,
    pub(crate) may_retry: bool,
    pub(crate) retry: String,
}

impl DeliveryNow {
    fn of(c: &Ctx, ticket: &Ticket) -> Self {
        let (tone, state) = state_of(c, ticket.delivery.as_ref());
        let fact = |key: &str, value: String| Fact { name: c.t(key).to_owned(), value };
        let moment = |at: &Option<String>| at.as_deref().map(|at| c.moment_of(at).people);
        let mut facts = Vec::new();
        if let Some(delivery) = &ticket.delivery {
            facts.push(fact("delivery.attempts", c.number(delivery.attempts)));
            facts.extend(moment(&delivery.next).map(|at| fact("delivery.next", at)));
            facts.extend(moment(&delivery.ended).map(|at| fact("delivery.ended", at)));
            facts.extend(moment(&delivery.deadline).map(|at| fact("delivery.deadline", at)));
            facts.push(fact("delivery.last", last_of(delivery)));
        }
        let dead = ticket.delivery.as_ref().is_some_and(|delivery| delivery.state == DeliveryState::Dead);
        Self {
            tone,
            state,
            facts,
            may_retry: dead && c.may_in(Operation::DeliveryRetry, &ticket.agency),
            retry: format!("/console/tickets/{}/retry", href(&ticket.agency, &ticket.number)),
        }
    }
}

/// One ticket.
#[derive(Template)]
#[template(path = "ticket.html")]
pub(crate) struct TicketPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) heading: String,
    pub(crate) facts: Vec<Fact>,
    pub(crate) text: String,
    pub(crate) call: Option<String>,
    pub(crate) entry: Option<String>,
    pub(crate) recordings: Vec<Heard>,
    pub(crate) delivery: DeliveryNow,
}

impl<'a> TicketPage<'a> {
    pub(crate) fn of(c: &'a Ctx, ticket: &Ticket) -> Self {
        let fact = |name: &str, value: &str| Fact { name: name.to_owned(), value: value.to_owned() };
        let kind = c.word("ticket.kind", &ticket.kind);
        let created = c.moment_of(&ticket.created).people;
        let mut facts = vec![
            fact(c.t("field.agency"), &ticket.agency),
            fact(c.t("ticket.kind"), &kind),
            fact(c.t("ticket.caller"), &party(c, &ticket.caller)),
            fact(c.t("ticket.created"), &created),
            fact(c.t("ticket.by"), &ticket.created_by),
        ];
        facts.extend(ticket.municipality.as_deref().map(|at| fact(c.t("field.municipality"), at)));
        facts.extend((!ticket.topic.is_empty()).then(|| fact(c.t("ticket.topic"), &ticket.topic)));
        facts.extend(ticket.entry_version.map(|version| {
            let version = version.to_string();
            fact(c.t("directory.version"), &c.w("ticket.version", [("version", version.as_str())]))
        }));
        facts.extend(ticket.fields.iter().map(|(name, value)| fact(name, value)));
        let call = ticket.call.clone();
        let heard = |recording: &service::TicketRecording| Heard {
            name: recording.name.clone(),
            facts: format::duration(recording.duration_ms),
            href: format!("/api/v1/calls/{}/recordings/{}", call.as_deref().unwrap_or("-"), encoded(&recording.name)),
            may_play: call.is_some() && c.may_in(Operation::RecordingPlay, &ticket.agency),
            mark: None,
        };
        Self {
            heading: c.w("ticket.title", [("number", ticket.number.as_str())]),
            text: ticket.text.clone(),
            entry: ticket.entry.clone().filter(|_| c.may(Operation::DirectoryRead)),
            recordings: ticket.recordings.iter().map(heard).collect(),
            delivery: DeliveryNow::of(c, ticket),
            call: call.filter(|_| c.may_in(Operation::CallTrace, &ticket.agency)),
            facts,
            c,
        }
    }
}

/// A delivery in the list.
pub(crate) struct DeliveryRow {
    pub(crate) href: String,
    pub(crate) number: String,
    pub(crate) agency: String,
    pub(crate) tone: &'static str,
    pub(crate) state: String,
    pub(crate) when: String,
    pub(crate) attempts: String,
    pub(crate) last: String,
    pub(crate) may_retry: bool,
    pub(crate) retry: String,
}

impl DeliveryRow {
    pub(crate) fn of(c: &Ctx, delivery: &Delivery) -> Self {
        let (tone, state) = state_of(c, Some(delivery));
        let (key, at) = match (&delivery.ended, &delivery.next) {
            (Some(at), _) => ("delivery.ended", at),
            (None, Some(at)) => ("delivery.next", at),
            (None, None) => ("delivery.deadline", delivery.deadline.as_ref().unwrap_or(&delivery.created)),
        };
        let href = href(&delivery.agency, &delivery.number);
        let dead = delivery.state == DeliveryState::Dead;
        Self {
            number: delivery.number.clone(),
            agency: delivery.agency.clone(),
            tone,
            state,
            when: format!("{}: {}", c.t(key), c.moment_of(at).people),
            attempts: c.number(delivery.attempts),
            last: last_of(delivery),
            may_retry: dead && c.may_in(Operation::DeliveryRetry, &delivery.agency),
            retry: format!("/console/tickets/{href}/retry"),
            href,
        }
    }
}

/// All deliveries.
#[derive(Template)]
#[template(path = "deliveries.html")]
pub(crate) struct DeliveriesPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) states: Vec<Choice>,
    pub(crate) rows: Vec<DeliveryRow>,
    pub(crate) next: Option<String>,
}

pub(crate) fn kinds(c: &Ctx) -> Vec<Choice> {
    let mut choices = vec![Choice::new("", c.t("list.any"))];
    choices.extend(super::desk::ticket_kinds(c));
    choices
}

pub(crate) fn states(c: &Ctx) -> Vec<Choice> {
    let mut choices = vec![Choice::new("", c.t("list.any"))];
    choices.extend(STATES.map(|state| Choice::new(state, c.t(&format!("delivery.state.{state}")))));
    choices
}

/// `GET /console/tickets`
pub(super) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let c = &visit.c;
    let mut form = query.0.clone();
    let kinds_known = [TicketKind::Complaint, TicketKind::OutdatedInformation, TicketKind::Request];
    let kind = kinds_known.into_iter().find(|kind| kind.as_str() == form.text("kind"));
    let filter = TicketFilter { agency: form.parsed_some::<AgencyName>(c.lang, "agency"), kind };
    let page = service::list(&visit.admin, &visit.me, &filter, &query.page()).await?;
    Ok(visit.page(&TicketsPage {
        c,
        form: form.or("agency", "").or("kind", ""),
        agencies: lists::agency_filter(&visit).await?,
        kinds: kinds(c),
        rows: page.items.iter().map(|ticket| Row::of(c, ticket)).collect(),
        next: query.next("/console/tickets", page.next.as_deref()),
        may_deliveries: c.may(Operation::DeliveriesList),
    }))
}

/// `GET /console/tickets/{agency}/{number}`
pub(super) async fn show(visit: Visit, Path((agency, number)): Path<(String, String)>) -> Outcome {
    let ticket = service::read(&visit.admin, &visit.me, &agency.parse()?, &number.parse()?).await?;
    Ok(visit.page(&TicketPage::of(&visit.c, &ticket)))
}

/// `POST /console/tickets/{agency}/{number}/retry`
pub(super) async fn retry(Path((agency, number)): Path<(String, String)>, Posted { visit, .. }: Posted) -> Outcome {
    deliveries::retry(&visit.admin, &visit.me, &agency.parse()?, &number.parse()?).await?;
    Ok(go("/console/deliveries", Some("retried")))
}

/// `GET /console/deliveries`
pub(super) async fn deliveries(visit: Visit, query: lists::Asked) -> Outcome {
    let c = &visit.c;
    let mut form = query.0.clone();
    let agency = form.parsed_some::<AgencyName>(c.lang, "agency");
    let state = match form.value("state") {
        "waiting" => Some(DeliveryState::Waiting),
        "delivered" => Some(DeliveryState::Delivered),
        "dead" => Some(DeliveryState::Dead),
        _ => None,
    };
    let page = deliveries::list(&visit.admin, &visit.me, agency.as_ref(), state, &query.page()).await?;
    Ok(visit.page(&DeliveriesPage {
        c,
        form: form.or("agency", "").or("state", ""),
        agencies: lists::agency_filter(&visit).await?,
        states: states(c),
        rows: page.items.iter().map(|delivery| DeliveryRow::of(c, delivery)).collect(),
        next: query.next("/console/deliveries", page.next.as_deref()),
    }))
}
