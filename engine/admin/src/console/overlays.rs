//! Emergency announcements.

use super::confirm::{Ask, confirm};
use super::context::Ctx;
use super::form::Form;
use super::format::{self, Moment};
use super::lists;
use super::visit::{Outcome, Posted, Visit, go};
use crate::access::Operation;
use crate::names::{AgencyName, Number, OverlayName};
use crate::problem::{Problem, codes};
use crate::service::PageQuery;
use crate::service::overlays::{self as service, Overlay, OverlayBody};
use crate::time;
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;

/// Overlays shown: a caller who must hear more than these hears none of them to the end.
const ROWS_MAX: usize = 100;

/// An announcement in the list.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) lang: String,
    pub(crate) agencies: String,
    pub(crate) expires: Option<Moment>,
    pub(crate) may_edit: bool,
}

impl Row {
    pub(crate) fn of(c: &Ctx, overlay: Overlay) -> Self {
        Self {
            may_edit: c.may(Operation::OverlaySet),
            expires: overlay.expires.as_deref().map(|at| c.moment_of(at)),
            agencies: overlay.agencies.join(", "),
            lang: overlay.lang.unwrap_or_default(),
            name: overlay.name,
            text: overlay.text,
        }
    }
}

/// All announcements.
#[derive(Template)]
#[template(path = "overlays.html")]
pub(crate) struct OverlaysPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) rows: Vec<Row>,
    pub(crate) of_file: usize,
    pub(crate) may_create: bool,
}

/// One announcement, or a new one.
#[derive(Template)]
#[template(path = "overlay.html")]
pub(crate) struct OverlayPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) heading: String,
    pub(crate) action: String,
    pub(crate) form: Form,
    pub(crate) is_new: bool,
    pub(crate) revision: u64,
    pub(crate) agencies: Vec<String>,
}

impl<'a> OverlayPage<'a> {
    pub(crate) fn of(c: &'a Ctx, overlay: Option<(&str, u64)>, form: Form, agencies: Vec<String>) -> Self {
        let form = ["name", "text", "lang", "expires", "areas", "numbers", "recording"]
            .into_iter()
            .fold(form, |form, field| form.or(field, ""));
        Self {
            c,
            heading: overlay
                .map_or_else(|| c.t("overlay.new").to_owned(), |(name, _)| c.w("overlay.edit", [("name", name)])),
            action: overlay
                .map_or_else(|| "/console/overlays/new".to_owned(), |(name, _)| format!("/console/overlays/{name}")),
            is_new: overlay.is_none(),
            revision: overlay.map_or(0, |(_, revision)| revision),
            form,
            agencies,
        }
    }
}

fn body(c: &Ctx, form: &mut Form) -> Option<OverlayBody> {
    // What is recorded needs no words.
    let text = if form.text("recording").is_empty() { form.filled(c.lang, "text") } else { form.text("text") };
    let lang = form.parsed_some(c.lang, "lang");
    let expires = form.moment(c.lang, &c.zone, "expires").map(time::written);
    let agencies: Result<Vec<AgencyName>, _> = form.all("agencies").into_iter().map(str::parse).collect();
    let agencies = match agencies {
        Ok(agencies) => agencies,
        Err(problem) => {
            form.refused(c.lang, &problem.field("agencies"));
            return None;
        }
    };
    let words = |name: &str| -> Vec<String> {
        let text = form.text(name);
        text.split([',', ';']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let areas = words("areas");
    let recording = Some(form.text("recording")).filter(|hash| !hash.is_empty());
    let numbers: Result<Vec<Number>, Problem> = words("numbers").iter().map(|number| number.parse()).collect();
    let numbers = match numbers {
        Ok(numbers) => numbers,
        Err(problem) => {
            form.refused(c.lang, &problem.field("numbers"));
            return None;
        }
    };
    let body = OverlayBody { text, lang, agencies, areas, numbers, recording, expires, ..OverlayBody::default() };
    (!form.has_wrong()).then_some(body)
}

/// `GET /console/overlays`
pub(crate) async fn list(visit: Visit) -> Outcome {
    let query = PageQuery { cursor: None, limit: Some(ROWS_MAX) };
    let page = service::list(&visit.admin, &visit.me, &query).await?;
    Ok(visit.page(&OverlaysPage {
        c: &visit.c,
        rows: page.items.into_iter().map(|overlay| Row::of(&visit.c, overlay)).collect(),
        of_file: visit.admin.engine().file().overlays,
        may_create: visit.c.may(Operation::OverlaySet),
    }))
}

/// Whom an announcement may be for. The emergency officer sees all agencies.
async fn agencies(visit: &Visit) -> Result<Vec<String>, Problem> {
    lists::agencies(visit).await
}

/// `GET /console/overlays/new`
pub(crate) async fn blank(visit: Visit) -> Outcome {
    visit.me.may(Operation::OverlaySet)?;
    let agencies = agencies(&visit).await?;
    Ok(visit.page(&OverlayPage::of(&visit.c, None, Form::new(""), agencies)))
}

/// `POST /console/overlays/new`
pub(crate) async fn create(Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let name = form.parsed::<OverlayName>(c.lang, "name");
    if let (Some(name), Some(body)) = (name, body(c, &mut form)) {
        match service::set(&visit.admin, &visit.me, &name, body, None).await {
            Ok(_) => return Ok(go("/console/overlays", Some("created"))),
            // Without a revision only a new one is made: the name is taken.
            Err(problem) if problem.is(&codes::PRECONDITION_REQUIRED) => form.blame(c.lang, "name", "exists", &[]),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let agencies = agencies(&visit).await?;
    Ok(visit.again(&OverlayPage::of(c, None, form, agencies)))
}

/// `GET /console/overlays/{name}`
pub(crate) async fn show(visit: Visit, Path(name): Path<String>) -> Outcome {
    visit.me.may(Operation::OverlaySet)?;
    let name: OverlayName = name.parse()?;
    let read = service::read(&visit.admin, &visit.me, &name).await?;
    let overlay = read.value;
    let expires = overlay.expires.as_deref().and_then(|at| time::read("expires", at).ok());
    let mut form = Form::new("")
        .with("text", overlay.text)
        .with("areas", overlay.areas.join(", "))
        .with("numbers", overlay.numbers.join(", "))
        .with("recording", overlay.recording.unwrap_or_default())
        .with("lang", overlay.lang.unwrap_or_default())
        .with("expires", expires.map(|ms| format::local_input(&visit.c.zone, ms)).unwrap_or_default());
    for agency in overlay.agencies {
        form = form.with("agencies", agency);
    }
    let agencies = agencies(&visit).await?;
    Ok(visit.page(&OverlayPage::of(&visit.c, Some((name.as_str(), read.revision)), form, agencies)))
}

/// `POST /console/overlays/{name}`
pub(crate) async fn update(Path(name): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let name: OverlayName = name.parse()?;
    if let Some(body) = body(c, &mut form) {
        match service::set(&visit.admin, &visit.me, &name, body, form.revision()).await {
            Ok(_) => return Ok(go("/console/overlays", Some("saved"))),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let revision = service::read(&visit.admin, &visit.me, &name).await?.revision;
    let agencies = agencies(&visit).await?;
    Ok(visit.again(&OverlayPage::of(c, Some((name.as_str(), revision)), form, agencies)))
}

/// `GET /console/overlays/{name}/delete`
pub(crate) async fn ask_delete(visit: Visit, headers: HeaderMap, Path(name): Path<String>) -> Outcome {
    let name: OverlayName = name.parse()?;
    let read = service::read(&visit.admin, &visit.me, &name).await?;
    let ask = Ask::new(format!("/console/overlays/{name}/delete"), "/console/overlays")
        .title(visit.c.w("overlay.delete.title", [("name", name.as_str())]))
        .text(visit.c.t("overlay.delete.text"))
        .yes(visit.c.t("form.delete"))
        .hidden("revision", read.revision.to_string());
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/overlays/{name}/delete`
pub(crate) async fn delete(Path(name): Path<String>, Posted { visit, form }: Posted) -> Outcome {
    service::delete(&visit.admin, &visit.me, &name.parse()?, form.revision()).await?;
    Ok(go("/console/overlays", Some("deleted")))
}
