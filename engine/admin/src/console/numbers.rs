//! Numbers: which one leads where.

use super::confirm::{Ask, confirm};
use super::context::Ctx;
use super::form::{Choice, Form};
use super::lists;
use super::visit::{Outcome, Posted, Refused, Visit, encoded, go};
use crate::access::Operation;
use crate::names::Number;
use crate::service::Source;
use crate::service::numbers::{self as service, NumberBody, NumberRoute};
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;

/// A number in the list.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) href: String,
    pub(crate) number: String,
    pub(crate) agency: String,
    pub(crate) entry: String,
    pub(crate) lang: String,
    pub(crate) source: &'static str,
    pub(crate) may_edit: bool,
}

impl Row {
    pub(crate) fn of(c: &Ctx, route: NumberRoute) -> Self {
        Self {
            id: route.number.chars().filter(char::is_ascii_alphanumeric).collect(),
            href: format!("/console/numbers/{}", encoded(&route.number)),
            source: lists::source(route.source),
            may_edit: route.source == Source::Api && c.may_in(Operation::NumberUpdate, &route.agency),
            number: route.number,
            agency: route.agency,
            entry: route.entry,
            lang: route.lang.unwrap_or_default(),
        }
    }
}

/// All numbers.
#[derive(Template)]
#[template(path = "numbers.html")]
pub(crate) struct NumbersPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
    pub(crate) may_create: bool,
}

/// One number, or a new one.
#[derive(Template)]
#[template(path = "number.html")]
pub(crate) struct NumberPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) heading: String,
    pub(crate) action: String,
    pub(crate) form: Form,
    pub(crate) is_new: bool,
    pub(crate) revision: u64,
    pub(crate) agencies: Vec<Choice>,
}

impl<'a> NumberPage<'a> {
    pub(crate) fn of(c: &'a Ctx, number: Option<(&str, u64)>, form: Form, agencies: &[String]) -> Self {
        let form = ["number", "agency", "entry", "lang"].into_iter().fold(form, |form, field| form.or(field, ""));
        Self {
            c,
            heading: number
                .map_or_else(|| c.t("number.new").to_owned(), |(number, _)| c.w("number.edit", [("number", number)])),
            action: number.map_or_else(
                || "/console/numbers/new".to_owned(),
                |(number, _)| format!("/console/numbers/{}", encoded(number)),
            ),
            form,
            is_new: number.is_none(),
            revision: number.map_or(0, |(_, revision)| revision),
            agencies: Choice::all(agencies),
        }
    }
}

fn body(c: &Ctx, form: &mut Form, number: Option<Number>) -> Option<NumberBody> {
    let agency = form.parsed(c.lang, "agency");
    let entry = form.parsed(c.lang, "entry");
    let lang = form.parsed_some(c.lang, "lang");
    if form.has_wrong() {
        return None;
    }
    Some(NumberBody { number, agency: agency?, entry: entry?, lang, area: None, callback: None, source: None })
}

/// `GET /console/numbers`
pub(crate) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let page = service::list(&visit.admin, &visit.me, None, &query.page()).await?;
    Ok(visit.page(&NumbersPage {
        c: &visit.c,
        rows: page.items.into_iter().map(|route| Row::of(&visit.c, route)).collect(),
        next: query.next("/console/numbers", page.next.as_deref()),
        may_create: visit.c.may(Operation::NumberCreate),
    }))
}

/// `GET /console/numbers/new`
pub(crate) async fn blank(visit: Visit) -> Outcome {
    visit.me.may(Operation::NumberCreate)?;
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.page(&NumberPage::of(&visit.c, None, Form::new(""), &agencies)))
}

/// `POST /console/numbers/new`
pub(crate) async fn create(Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let number = form.parsed::<Number>(c.lang, "number");
    if let Some(body) = body(c, &mut form, number) {
        match service::create(&visit.admin, &visit.me, body).await {
            Ok(_) => return Ok(go("/console/numbers", Some("created"))),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.again(&NumberPage::of(c, None, form, &agencies)))
}

async fn read(visit: &Visit, number: &Number) -> Result<(NumberRoute, u64), Refused> {
    let read = service::read(&visit.admin, &visit.me, number).await?;
    Ok((read.value, read.revision))
}

/// `GET /console/numbers/{number}`
pub(crate) async fn show(visit: Visit, Path(number): Path<String>) -> Outcome {
    let number: Number = number.parse()?;
    let (route, revision) = read(&visit, &number).await?;
    visit.me.may_in(Operation::NumberUpdate, &route.agency)?;
    let form = Form::new("")
        .with("agency", route.agency)
        .with("entry", route.entry)
        .with("lang", route.lang.unwrap_or_default());
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.page(&NumberPage::of(&visit.c, Some((number.as_str(), revision)), form, &agencies)))
}

/// `POST /console/numbers/{number}`
pub(crate) async fn update(Path(number): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let number: Number = number.parse()?;
    if let Some(body) = body(c, &mut form, None) {
        match service::update(&visit.admin, &visit.me, &number, body, form.revision()).await {
            Ok(_) => return Ok(go("/console/numbers", Some("saved"))),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let (_, revision) = read(&visit, &number).await?;
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.again(&NumberPage::of(c, Some((number.as_str(), revision)), form, &agencies)))
}

/// `GET /console/numbers/{number}/delete`
pub(crate) async fn ask_delete(visit: Visit, headers: HeaderMap, Path(number): Path<String>) -> Outcome {
    let number: Number = number.parse()?;
    let (_, revision) = read(&visit, &number).await?;
    let ask = Ask::new(format!("/console/numbers/{}/delete", encoded(number.as_str())), "/console/numbers")
        .title(visit.c.w("number.delete.title", [("number", number.as_str())]))
        .text(visit.c.t("number.delete.text"))
        .yes(visit.c.t("form.delete"))
        .hidden("revision", revision.to_string());
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/numbers/{number}/delete`
pub(crate) async fn delete(Path(number): Path<String>, Posted { visit, form }: Posted) -> Outcome {
    service::delete(&visit.admin, &visit.me, &number.parse()?, form.revision()).await?;
    Ok(go("/console/numbers", Some("deleted")))
}
