//! A supervisor takes part in a call: listens, whispers to the operator, or speaks to both.

use crate::access::Operation;
use crate::console::calls::caller_of;
use crate::console::context::Ctx;
use crate::console::form::Form;
use crate::console::versions::Fact;
use crate::console::visit::{Outcome, Posted, Visit, go};
use crate::names::CallName;
use crate::ports::LiveCall;
use crate::problem::Problem;
use crate::service::calls;
use crate::service::supervision::{self as service, How, SuperviseBody};
use askama::Template;
use axum::extract::Path;

/// The call to take part in.
#[derive(Template)]
#[template(path = "supervise.html")]
pub(crate) struct SupervisePage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) call: String,
    pub(crate) facts: Vec<Fact>,
    pub(crate) form: Form,
}

impl<'a> SupervisePage<'a> {
    fn of(c: &'a Ctx, call: &LiveCall, form: Form) -> Self {
        let fact = |key: &str, value: String| Fact { name: c.t(key).to_owned(), value };
        let mut facts = vec![
            fact("supervise.caller", caller_of(c, call)),
            fact("calls.entry", format!("{} / {}", call.agency, call.entry)),
        ];
        if !call.step.is_empty() {
            facts.push(fact("calls.step", call.step.clone()));
        }
        Self { c, call: call.id.clone(), facts, form: form.or("phone", "").or("how", "listen") }
    }
}

fn live(visit: &Visit, id: &CallName) -> Result<LiveCall, Problem> {
    visit.me.may(Operation::Supervise)?;
    let call = calls::all(&visit.admin, &visit.me, None)?.into_iter().find(|call| call.id == id.as_str());
    let call = call.ok_or_else(|| Problem::not_found("live call", id))?;
    visit.me.may_in(Operation::Supervise, &call.agency)?;
    Ok(call)
}

/// `GET /console/calls/{id}/supervise`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Outcome {
    let call = live(&visit, &id.parse()?)?;
    let form = Form::new("").with("phone", visit.me.user.as_str());
    Ok(visit.page(&SupervisePage::of(&visit.c, &call, form)))
}

fn how(form: &Form) -> How {
    match form.value("how") {
        "whisper" => How::Whisper,
        "barge" => How::Barge,
        _ => How::Listen,
    }
}

/// `POST /console/calls/{id}/supervise`
pub(super) async fn begin(Path(id): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let id: CallName = id.parse()?;
    let call = live(&visit, &id)?;
    let phone = Some(form.text("phone")).filter(|phone| !phone.is_empty());
    match service::begin(&visit.admin, &visit.me, &id, SuperviseBody { how: how(&form), phone }).await {
        Ok(_) => Ok(go(&format!("/console/calls/{id}/supervise"), Some("supervised"))),
        Err(problem) => {
            form.refused(visit.c.lang, &problem);
            Ok(visit.again(&SupervisePage::of(&visit.c, &call, form)))
        }
    }
}

/// `POST /console/calls/{id}/supervise/end`
pub(super) async fn end(Path(id): Path<String>, Posted { visit, .. }: Posted) -> Outcome {
    service::end(&visit.admin, &visit.me, &id.parse()?).await?;
    Ok(go("/console/floor", Some("unsupervised")))
}
