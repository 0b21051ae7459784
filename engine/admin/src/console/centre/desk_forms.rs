//! What the operator does at the desk. A page that goes on gets the part that the form stands in; a browser without
//! JavaScript gets the whole desk.

use super::desk::{
    BarFragment, Done, Forms, PromiseFragment, TicketFragment, TransferFragment, known_promise, known_ticket,
    known_transfer, ticket_kinds,
};
use super::desk_page::{choices, look, page};
use crate::console::form::{Choice, Form, wrong_of};
use crate::console::stream::rendered;
use crate::console::visit::{Outcome, Posted, Visit, go};
use crate::console::{format, lists};
use crate::names::{AgencyName, CallName, QueueName};
use crate::ports::OperatorRow;
use crate::problem::Problem;
use crate::redacted::Redacted;
use crate::service::callbacks::{self, CallbackBody};
use crate::service::desk::{self as service, PauseBody, TransferBody, WrapUpBody};
use crate::service::tickets::{self, TicketBody, TicketKind};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use std::collections::BTreeMap;

const DESK: &str = "/console/desk";

fn goes_on(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}

/// The bar after an order, with the reason where nothing came of it.
async fn barred(visit: &Visit, headers: &HeaderMap, done: Result<(), Problem>) -> Outcome {
    if !goes_on(headers) {
        done?;
        return Ok(go(DESK, None));
    }
    let mut now = look(visit, None).await?.now;
    now.bar.wrong = done.err().map(|problem| wrong_of(visit.c.lang, &problem));
    Ok(visit.page(&BarFragment { c: &visit.c, now: &now }))
}

fn ordered(done: Result<OperatorRow, Problem>) -> Result<(), Problem> {
    done.map(|_| ())
}

/// `POST /console/desk/login`
pub(super) async fn log_in(headers: HeaderMap, Posted { visit, .. }: Posted) -> Outcome {
    let done = service::log_in(&visit.admin, &visit.me).await;
    barred(&visit, &headers, ordered(done)).await
}

/// `POST /console/desk/ready`
pub(super) async fn ready(headers: HeaderMap, Posted { visit, .. }: Posted) -> Outcome {
    let done = service::ready(&visit.admin, &visit.me).await;
    barred(&visit, &headers, ordered(done)).await
}

/// `POST /console/desk/pause`
pub(super) async fn pause(headers: HeaderMap, Posted { visit, form }: Posted) -> Outcome {
    let reason = Some(form.text("reason")).filter(|reason| !reason.is_empty());
    let done = service::pause(&visit.admin, &visit.me, PauseBody { reason }).await;
    barred(&visit, &headers, ordered(done)).await
}

/// `POST /console/desk/logout`
pub(super) async fn log_out(headers: HeaderMap, Posted { visit, .. }: Posted) -> Outcome {
    let done = service::log_out(&visit.admin, &visit.me).await;
    barred(&visit, &headers, ordered(done)).await
}

/// `POST /console/desk/wrap-up`
pub(super) async fn wrap_up(headers: HeaderMap, Posted { visit, form }: Posted) -> Outcome {
    let body = WrapUpBody { code: form.text("code"), note: form.text("note") };
    let done = service::wrap_up(&visit.admin, &visit.me, body).await;
    barred(&visit, &headers, done).await
}

/// A part of the desk for a page that goes on, else all of it. What is wrong with a form is no success.
async fn answered(
    visit: &Visit,
    headers: &HeaderMap,
    forms: Forms,
    part: impl AsyncFnOnce(Forms) -> Result<String, Problem>,
    wrong: bool,
) -> Outcome {
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let html = if goes_on(headers) { part(forms).await? } else { page(visit, forms, None).await? };
    Ok(shown(status, html))
}

fn shown(status: StatusCode, html: String) -> Response {
    (status, Html(html)).into_response()
}

/// `POST /console/desk/transfer`
pub(super) async fn transfer(headers: HeaderMap, Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let chosen = form.text("target");
    let target = if chosen.is_empty() { format!("extension:{}", form.filled(c.lang, "other")) } else { chosen };
    let mut forms = Forms::default();
    if !form.has_wrong() {
        match service::transfer(&visit.admin, &visit.me, TransferBody { target: target.clone() }).await {
            Ok(()) => {
                let said = target.split_once(':').map_or(target.as_str(), |(_, name)| name);
                forms.transfer_done = Some(Done::well(c.w("transfer.done", [("target", said)])));
                form = Form::new("");
            }
            Err(problem) => forms.transfer_done = Some(Done::not(&wrong_of(c.lang, &problem))),
        }
    }
    let wrong = form.has_wrong();
    forms.transfer = form;
    let part = async |forms: Forms| {
        let desk = look(&visit, None).await?.desk;
        let targets = choices(&visit, &desk).await?.targets;
        let (transfer, transfer_done) = (known_transfer(forms.transfer), forms.transfer_done);
        Ok(rendered(&TransferFragment { c, transfer, transfer_done, targets }))
    };
    answered(&visit, &headers, forms, part, wrong).await
}

fn kind_of(form: &Form) -> Option<TicketKind> {
    let kinds = [TicketKind::Complaint, TicketKind::OutdatedInformation, TicketKind::Request];
    kinds.into_iter().find(|kind| kind.as_str() == form.text("kind"))
}

/// The call that a form was written in, where it is one.
fn call_of(form: &Form) -> Option<CallName> {
    form.text("call").parse().ok()
}

/// `POST /console/desk/ticket`
pub(super) async fn ticket(headers: HeaderMap, Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let text = form.filled(c.lang, "story");
    let agency = form.parsed_some::<AgencyName>(c.lang, "agency");
    let contact = form.text("contact");
    let mut forms = Forms::default();
    if let Some(kind) = kind_of(&form).filter(|_| !form.has_wrong()) {
        let body = TicketBody {
            kind,
            agency,
            topic: form.text("topic"),
            text,
            fields: BTreeMap::new(),
            number: (!contact.is_empty()).then(|| Redacted::new(contact)),
            call: call_of(&form),
            entry: None,
            entry_version: None,
            lang: None,
            idempotency_key: None,
        };
        match tickets::create(&visit.admin, &visit.me, body).await {
            Ok(made) => {
                forms.ticket_done = Some(Done::well(c.w("ticket.done", [("number", made.number.as_str())])));
                form = Form::new("");
            }
            Err(problem) => form.refused(c.lang, &renamed(problem)),
        }
    }
    let wrong = form.has_wrong();
    forms.ticket = form;
    let part = async |forms: Forms| {
        let agencies = Choice::all(lists::agencies(&visit).await?);
        let (ticket, ticket_done) = (known_ticket(forms.ticket), forms.ticket_done);
        let ticket_kinds = ticket_kinds(c);
        let fragment = TicketFragment { c, ticket, ticket_done, ticket_kinds, agencies };
        Ok(rendered(&fragment))
    };
    answered(&visit, &headers, forms, part, wrong).await
}

/// What the API calls a field that the desk calls otherwise.
fn renamed(problem: Problem) -> Problem {
    match problem.at() {
        Some("text") => problem.field("story"),
        Some("number") => problem.field("contact"),
        _ => problem,
    }
}

/// `POST /console/desk/wrong`: an answer of the directory is not true.
pub(super) async fn wrong(headers: HeaderMap, Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let text = form.filled(c.lang, "text");
    let done = match super::directory::blame(&visit, &form, text).await {
        _ if form.has_wrong() => Done::not(&form.wrongs()[0]),
        Ok(number) => Done::well(c.w("wrong.done", [("number", number.as_str())])),
        Err(problem) => Done::not(&wrong_of(c.lang, &problem)),
    };
    if goes_on(&headers) {
        return Ok(visit.page(&super::desk::DoneFragment { c, done }));
    }
    let forms = Forms { ticket_done: Some(done), ..Forms::default() };
    Ok(shown(StatusCode::OK, page(&visit, forms, None).await?))
}

/// `POST /console/desk/callback`
pub(super) async fn promise(headers: HeaderMap, Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let number = form.filled(c.lang, "number");
    let queue = form.parsed::<QueueName>(c.lang, "queue");
    let mut forms = Forms::default();
    if let Some(queue) = queue.filter(|_| !form.has_wrong()) {
        let topic = form.text("topic");
        let number = Redacted::new(number);
        let body = CallbackBody { queue, number, topic, agency: None, lang: None, earliest: None };
        match callbacks::book(&visit.admin, &visit.me, body).await {
            Ok(row) => {
                let due = format::hour(&c.zone, row.due_ms);
                forms.promise_done = Some(Done::well(c.w("promise.done", [("due", due.as_str())])));
                form = Form::new("");
            }
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let wrong = form.has_wrong();
    forms.promise = form;
    let part = async |forms: Forms| {
        let desk = look(&visit, None).await?.desk;
        let queues = choices(&visit, &desk).await?.queues;
        let (promise, promise_done) = (known_promise(forms.promise), forms.promise_done);
        Ok(rendered(&PromiseFragment { c, promise, promise_done, queues }))
    };
    answered(&visit, &headers, forms, part, wrong).await
}
