//! A bundle comes in by a form: its fields first, then the file, which goes straight to the checker's folder.

use super::context::Ctx;
use super::form::{Choice, Form};
use super::lists;
use super::report::Report;
use super::visit::{self, Outcome, Refused, Visit, go};
use crate::Admin;
use crate::access::Operation;
use crate::auth::csrf;
use crate::names::AgencyName;
use crate::problem::{Problem, codes};
use crate::service::bundles::{self as service, Taken, Upload};
use askama::Template;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header;

/// Longest field before the file.
const FIELD_BYTES_MAX: u64 = 4_096;
/// Fields before the file.
const FIELDS_MAX: usize = 8;

/// The form, and the report of a bundle that was refused.
#[derive(Template)]
#[template(path = "upload.html")]
pub(crate) struct UploadPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) report: Option<Report>,
}

impl<'a> UploadPage<'a> {
    pub(crate) fn of(c: &'a Ctx, form: Form, agencies: &[String], report: Option<Report>) -> Self {
        let may = |agency: &&String| c.may_in(Operation::BundleUpload, agency);
        let form = ["agency", "allow_downgrade", "bundle"].into_iter().fold(form, |form, field| form.or(field, ""));
        Self { c, form, agencies: Choice::all(agencies.iter().filter(may)), report }
    }
}

/// `GET /console/versions/upload`
pub(crate) async fn blank(visit: Visit, query: lists::Asked) -> Outcome {
    visit.me.may(Operation::BundleUpload)?;
    let form = Form::new("").with("agency", query.0.value("agency"));
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.page(&UploadPage::of(&visit.c, form, &agencies, None)))
}

/// `POST /console/versions/upload`
pub(crate) async fn upload(State(admin): State<Admin>, request: Request) -> Outcome {
    let (mut parts, body) = request.into_parts();
    let visit = Visit::from_request_parts(&mut parts, &admin).await?;
    let check = csrf::look(&parts.method, &parts.headers)?;
    let boundary = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary = boundary.and_then(|kind| multer::parse_boundary(kind).ok());
    let boundary =
        boundary.ok_or_else(|| Problem::new(&codes::UNSUPPORTED_TYPE, "The form is not multipart/form-data."))?;
    let mut multipart = multer::Multipart::with_constraints(body.into_data_stream(), boundary, constraints());
    let mut form = Form::new("");
    match read(&visit, &check, &mut multipart, &mut form).await {
        Ok(Some(taken)) => {
            let notice = if taken.fresh { "uploaded" } else { "uploaded_before" };
            Ok(go(&format!("/console/versions/{}", taken.version.id), Some(notice)))
        }
        Ok(None) => {
            form.blame(visit.c.lang, "bundle", "file", &[]);
            again(&visit, form, None).await
        }
        Err(problem) if problem.is(&codes::CSRF) => Err(problem.into()),
        Err(problem) => {
            form.refused(visit.c.lang, &problem);
            let report = problem.steps().map(|report| Report::of(&visit.c, report, None, None));
            again(&visit, form, report).await
        }
    }
}

fn constraints() -> multer::Constraints {
    // The file's own limit is the service's, which says it in words.
    let limit = multer::SizeLimit::new()
        .for_field(csrf::CSRF_FIELD, FIELD_BYTES_MAX)
        .for_field("agency", FIELD_BYTES_MAX)
        .for_field("allow_downgrade", FIELD_BYTES_MAX);
    let fields = vec![csrf::CSRF_FIELD, "agency", "allow_downgrade", "bundle"];
    multer::Constraints::new().allowed_fields(fields).size_limit(limit)
}

/// The fields in the order in which they come; nothing of the file is read before the rest is right.
async fn read(
    visit: &Visit,
    check: &csrf::Check,
    multipart: &mut multer::Multipart<'_>,
    form: &mut Form,
) -> Result<Option<Taken>, Problem> {
    for _ in 0..FIELDS_MAX {
        let Some(field) = multipart.next_field().await.map_err(|error| broken(&error))? else { break };
        let name = field.name().unwrap_or_default().to_owned();
        if name != "bundle" {
            let value = field.text().await.map_err(|error| broken(&error))?;
            *form = std::mem::take(form).with(&name, value);
            continue;
        }
        visit::verify(check, form.value(csrf::CSRF_FIELD))?;
        let agency: AgencyName = form.text("agency").parse()?;
        if field.file_name().unwrap_or_default().is_empty() {
            return Ok(None);
        }
        let upload = Upload { agency, allow_downgrade: form.checked("allow_downgrade"), length: None };
        let received = service::receive(&visit.admin, &visit.me, upload, field).await?;
        return service::take(&visit.admin, &visit.me, received).await.map(Some);
    }
    visit::verify(check, form.value(csrf::CSRF_FIELD))?;
    Ok(None)
}

fn broken(error: &multer::Error) -> Problem {
    Problem::new(&codes::TIMEOUT, format!("The upload could not be read: {error}."))
}

async fn again(visit: &Visit, form: Form, report: Option<Report>) -> Result<axum::response::Response, Refused> {
    let agencies = lists::agencies(visit).await?;
    Ok(visit.again(&UploadPage::of(&visit.c, form, &agencies, report)))
}
