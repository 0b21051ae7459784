//! What a person may ask of us: what is kept about them, and that it goes. The number is in no page that we write.

use super::context::Ctx;
use super::form::Form;
use super::format;
use super::records::Row;
use super::visit::{Outcome, Posted, Visit};
use crate::access::Operation;
use crate::redacted::Redacted;
use crate::service::subjects::{self as service, SubjectErased, SubjectExport, SubjectRequest};
use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use gudok_store::Cdr;

/// Records that are shown; the file has all of them.
const ROWS_MAX: usize = 200;

/// What is kept about somebody.
pub(crate) struct Found {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) recordings: Vec<String>,
    /// Tickets and callbacks, counted.
    pub(crate) promises: String,
    pub(crate) truncated: bool,
}

impl Found {
    pub(crate) fn of(c: &Ctx, export: SubjectExport) -> Self {
        let total = export.cdrs.len();
        let [tickets, callbacks] = [export.tickets.len(), export.callbacks.len()].map(|count| c.number(count));
        let values = [("tickets", tickets.as_str()), ("callbacks", callbacks.as_str())];
        let records = export.cdrs.into_iter().filter_map(|value| serde_json::from_value::<Cdr>(value).ok());
        let recording = |one: service::SubjectRecording| {
            let length = format::duration(one.duration_ms);
            c.w("subjects.recording", [("name", one.name.as_str()), ("length", length.as_str())])
        };
        Self {
            title: c.n("subjects.found", total),
            rows: records.take(ROWS_MAX).map(|cdr| Row::of(c, &cdr)).collect(),
            recordings: export.recordings.into_iter().take(ROWS_MAX).map(recording).collect(),
            promises: c.w("subjects.promises", values),
            truncated: export.truncated || total > ROWS_MAX,
        }
    }
}

/// The form, and what came of it.
#[derive(Template)]
#[template(path = "subjects.html")]
pub(crate) struct SubjectsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) found: Option<Found>,
    pub(crate) erased: Option<String>,
}

impl<'a> SubjectsPage<'a> {
    pub(crate) fn of(c: &'a Ctx, form: Form) -> Self {
        // The number is written anew for every question: no page of ours holds it.
        let form =
            ["number", "reason", "sure"].into_iter().fold(form.without("number"), |form, field| form.or(field, ""));
        Self { c, form, found: None, erased: None }
    }
}

pub(crate) fn erased_in_words(c: &Ctx, done: &SubjectErased) -> String {
    let erased = &done.erased;
    let counts = [erased.cdrs, erased.recordings, erased.traces, erased.journals, erased.tickets, erased.callbacks];
    let counts = counts.map(|count| c.number(count));
    let [cdrs, recordings, traces, journals, tickets, callbacks] = counts.each_ref().map(String::as_str);
    let values = [
        ("cdrs", cdrs),
        ("recordings", recordings),
        ("traces", traces),
        ("journals", journals),
        ("tickets", tickets),
        ("callbacks", callbacks),
    ];
    c.w("subjects.erased", values)
}

/// `GET /console/subjects`
pub(crate) async fn show(visit: Visit) -> Outcome {
    visit.me.may(Operation::SubjectExport)?;
    Ok(visit.page(&SubjectsPage::of(&visit.c, Form::new(""))))
}

/// `POST /console/subjects`
pub(crate) async fn ask(Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    visit.me.may(Operation::SubjectExport)?;
    let number = form.filled(c.lang, "number");
    let reason = form.filled(c.lang, "reason");
    let wanted = form.text("do");
    if wanted == "erase" && !form.checked("sure") {
        form.blame(c.lang, "sure", "sure", &[]);
    }
    if form.has_wrong() {
        return Ok(visit.again(&SubjectsPage::of(c, form)));
    }
    let request = SubjectRequest { number: Redacted::new(number), reason: reason.clone() };
    let mut page = SubjectsPage::of(c, Form::new("").with("reason", reason));
    let problem = match wanted.as_str() {
        "erase" => match service::erase(&visit.admin, &visit.me, request).await {
            Ok(done) => {
                page.erased = Some(erased_in_words(c, &done));
                return Ok(visit.page(&page));
            }
            Err(problem) => problem,
        },
        _ => match service::export(&visit.admin, &visit.me, request).await {
            Ok(export) if wanted == "file" => return Ok(file(&export)),
            Ok(export) => {
                page.found = Some(Found::of(c, export));
                return Ok(visit.page(&page));
            }
            Err(problem) => problem,
        },
    };
    form.refused(c.lang, &problem);
    Ok(visit.again(&SubjectsPage::of(c, form)))
}

fn file(export: &SubjectExport) -> axum::response::Response {
    let mut response = axum::Json(export).into_response();
    let name = HeaderValue::from_static("attachment; filename=\"subject.json\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    response
}
