//! Guides: what operators say and ask, by topic.

use super::desk::Step;
use crate::access::Operation;
use crate::console::confirm::{Ask, confirm};
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::format::Moment;
use crate::console::lists;
use crate::console::visit::{Outcome, Posted, Visit, go};
use crate::names::{AgencyName, TopicName};
use crate::problem::{Problem, codes};
use crate::service::guides::{self as service, Guide, GuideBody};
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;

const PAGE: &str = "/console/guides";

/// A guide in the list.
pub(crate) struct Row {
    pub(crate) agency: String,
    pub(crate) topic: String,
    pub(crate) title: String,
    pub(crate) updated: Moment,
    pub(crate) by: String,
}

impl Row {
    pub(crate) fn of(c: &Ctx, guide: Guide) -> Self {
        let updated = c.moment_of(&guide.updated);
        Self { agency: guide.agency, topic: guide.topic, title: guide.title, updated, by: guide.updated_by }
    }
}

/// All guides.
#[derive(Template)]
#[template(path = "guides.html")]
pub(crate) struct GuidesPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
    pub(crate) may_edit: bool,
}

/// One guide, or a new one.
#[derive(Template)]
#[template(path = "guide.html")]
pub(crate) struct GuidePage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) heading: String,
    pub(crate) action: String,
    pub(crate) form: Form,
    pub(crate) is_new: bool,
    pub(crate) revision: u64,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) steps: Vec<Step>,
    pub(crate) may_edit: bool,
    pub(crate) may_delete: bool,
}

impl<'a> GuidePage<'a> {
    /// `guide`: agency, topic and revision of the one that is there.
    pub(crate) fn of(c: &'a Ctx, guide: Option<(&str, &str, u64)>, form: Form, agencies: &[String]) -> Self {
        let fields = ["agency", "topic", "title", "text", "wrap_up_codes"];
        let form = fields.into_iter().fold(form, |form, field| form.or(field, ""));
        let may = |operation| match guide {
            Some((agency, ..)) => c.may_in(operation, agency),
            None => c.may(operation),
        };
        Self {
            heading: guide.map_or_else(
                || c.t("guides.new").to_owned(),
                |(agency, topic, _)| c.w("guide.edit", [("agency", agency), ("topic", topic)]),
            ),
            action: guide
                .map_or_else(|| format!("{PAGE}/new"), |(agency, topic, _)| format!("{PAGE}/{agency}/{topic}")),
            is_new: guide.is_none(),
            revision: guide.map_or(0, |(.., revision)| revision),
            agencies: Choice::all(agencies.iter().filter(|agency| c.may_in(Operation::GuideSet, agency))),
            steps: Step::all(form.value("text")),
            may_edit: may(Operation::GuideSet),
            may_delete: guide.is_some() && may(Operation::GuideDelete),
            form,
            c,
        }
    }
}

fn form_of(guide: &Guide) -> Form {
    let codes = guide.wrap_up_codes.join("\n");
    Form::new("").with("title", guide.title.as_str()).with("text", guide.text.as_str()).with("wrap_up_codes", codes)
}

fn body(c: &Ctx, form: &mut Form) -> Option<GuideBody> {
    let text = form.filled(c.lang, "text").replace("\r\n", "\n");
    let codes = form.text("wrap_up_codes");
    let codes = codes.lines().map(str::trim).filter(|code| !code.is_empty()).map(str::to_owned).collect();
    let title = form.text("title");
    (!form.has_wrong()).then_some(GuideBody {
        title,
        text,
        wrap_up_codes: codes,
        agency: None,
        topic: None,
        updated: None,
        updated_by: None,
    })
}

/// `GET /console/guides`
pub(super) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let page = service::list(&visit.admin, &visit.me, None, &query.page()).await?;
    Ok(visit.page(&GuidesPage {
        c: &visit.c,
        rows: page.items.into_iter().map(|guide| Row::of(&visit.c, guide)).collect(),
        next: query.next(PAGE, page.next.as_deref()),
        may_edit: visit.c.may(Operation::GuideSet),
    }))
}

/// `GET /console/guides/new`
pub(super) async fn blank(visit: Visit) -> Outcome {
    visit.me.may(Operation::GuideSet)?;
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.page(&GuidePage::of(&visit.c, None, Form::new(""), &agencies)))
}

/// `POST /console/guides/new`
pub(super) async fn create(Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let agency = form.parsed::<AgencyName>(c.lang, "agency");
    let topic = form.parsed::<TopicName>(c.lang, "topic");
    if let (Some(agency), Some(topic), Some(body)) = (agency, topic, body(c, &mut form)) {
        match service::set(&visit.admin, &visit.me, &agency, &topic, body, None).await {
            Ok(_) => return Ok(go(PAGE, Some("created"))),
            // Without a revision only a new one is made: the name is taken.
            Err(problem) if problem.is(&codes::PRECONDITION_REQUIRED) => form.blame(c.lang, "topic", "exists", &[]),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.again(&GuidePage::of(c, None, form, &agencies)))
}

fn at((agency, topic): &(String, String)) -> Result<(AgencyName, TopicName), Problem> {
    Ok((agency.parse()?, topic.parse()?))
}

/// `GET /console/guides/{agency}/{topic}`
pub(super) async fn show(visit: Visit, Path(place): Path<(String, String)>) -> Outcome {
    let (agency, topic) = at(&place)?;
    let read = service::read(&visit.admin, &visit.me, &agency, &topic).await?;
    let of = Some((agency.as_str(), topic.as_str(), read.revision));
    Ok(visit.page(&GuidePage::of(&visit.c, of, form_of(&read.value), &[])))
}

/// `POST /console/guides/{agency}/{topic}`
pub(super) async fn update(Path(place): Path<(String, String)>, Posted { visit, mut form }: Posted) -> Outcome {
    let (agency, topic) = at(&place)?;
    if let Some(body) = body(&visit.c, &mut form) {
        match service::set(&visit.admin, &visit.me, &agency, &topic, body, form.revision()).await {
            Ok(_) => return Ok(go(PAGE, Some("saved"))),
            Err(problem) => form.refused(visit.c.lang, &problem),
        }
    }
    let revision = service::read(&visit.admin, &visit.me, &agency, &topic).await?.revision;
    let of = Some((agency.as_str(), topic.as_str(), revision));
    Ok(visit.again(&GuidePage::of(&visit.c, of, form, &[])))
}

/// `GET /console/guides/{agency}/{topic}/delete`
pub(super) async fn ask_delete(visit: Visit, headers: HeaderMap, Path(place): Path<(String, String)>) -> Outcome {
    let (agency, topic) = at(&place)?;
    let read = service::read(&visit.admin, &visit.me, &agency, &topic).await?;
    let here = format!("{PAGE}/{agency}/{topic}");
    let name = format!("{agency}/{topic}");
    let ask = Ask::new(format!("{here}/delete"), &here)
        .title(visit.c.w("guide.delete.title", [("name", name.as_str())]))
        .text(visit.c.t("guide.delete.text"))
        .yes(visit.c.t("form.delete"))
        .hidden("revision", read.revision.to_string());
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/guides/{agency}/{topic}/delete`
pub(super) async fn delete(Path(place): Path<(String, String)>, Posted { visit, form }: Posted) -> Outcome {
    let (agency, topic) = at(&place)?;
    service::delete(&visit.admin, &visit.me, &agency, &topic, form.revision()).await?;
    Ok(go(PAGE, Some("deleted")))
}
