//! A list of contacts comes in by a form: its fields first, then the file, which goes on as it comes and is never kept.

use super::live::title_of;
use super::view::{May, Report};
use crate::Admin;
use crate::auth::csrf;
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::visit::{self, Outcome, Posted, Refused, Visit};
use crate::names::CampaignName;
use crate::ports::{ContactsImport, ListFormat};
use crate::problem::{Problem, codes};
use crate::service::PageQuery;
use crate::service::campaigns::{self, Campaign, contacts};
use askama::Template;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header;

/// Longest field before the file.
const FIELD_BYTES_MAX: u64 = 4_096;
/// Fields before the file.
const FIELDS_MAX: usize = 12;
/// Campaigns to choose from, whose contacts may be taken.
const SOURCES_MAX: usize = 1_000;

/// The form, and what came of a list.
#[derive(Template)]
#[template(path = "campaign_import.html")]
pub(crate) struct ImportPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) form: Form,
    pub(crate) copy: Form,
    pub(crate) sources: Vec<Choice>,
    pub(crate) formats: Vec<Choice>,
    pub(crate) report: Option<Report>,
    pub(crate) may: May,
}

impl<'a> ImportPage<'a> {
    pub(crate) fn of(
        c: &'a Ctx,
        campaign: &Campaign,
        form: Form,
        sources: Vec<Choice>,
        report: Option<Report>,
    ) -> Self {
        Self {
            c,
            name: campaign.row.name.clone(),
            title: title_of(campaign),
            copy: Form::new("copy-").with("from", form.value("from")).with("areas", form.value("areas")),
            form: form.or("format", "csv").or("dry_run", "true").or("file", ""),
            sources,
            formats: formats(),
            report,
            may: May::of(c, campaign),
        }
    }
}

pub(super) fn formats() -> Vec<Choice> {
    vec![Choice::new("csv", "CSV"), Choice::new("jsonl", "JSON Lines")]
}

pub(super) fn format_of(form: &Form) -> ListFormat {
    if form.value("format") == "jsonl" { ListFormat::Jsonl } else { ListFormat::Csv }
}

/// Campaigns whose contacts may be taken: of the same agency; of all for an emergency.
async fn sources(visit: &Visit, campaign: &Campaign) -> Result<Vec<Choice>, Problem> {
    let query = PageQuery { cursor: None, limit: Some(SOURCES_MAX) };
    let all = campaigns::list(&visit.admin, &visit.me, None, &query).await?.items;
    let row = &campaign.row;
    let fits = |other: &&Campaign| {
        other.row.name != row.name && (row.document.emergency || other.row.document.agency == row.document.agency)
    };
    Ok(Choice::all(all.iter().filter(fits).map(|other| other.row.name.as_str())))
}

/// `GET /console/campaigns/{name}/import`
pub(super) async fn ask(visit: Visit, Path(name): Path<String>) -> Outcome {
    let name: CampaignName = name.parse()?;
    let campaign = campaigns::read(&visit.admin, &visit.me, &name).await?.value;
    let sources = sources(&visit, &campaign).await?;
    Ok(visit.page(&ImportPage::of(&visit.c, &campaign, Form::new(""), sources, None)))
}

/// A form whose fields were read up to its file.
pub(super) struct Opened {
    pub(super) visit: Visit,
    pub(super) form: Form,
    /// Nothing where none was chosen.
    pub(super) file: Option<multer::Field<'static>>,
}

/// Reads the fields in the order in which they come; nothing of the file is read before the token is right.
pub(super) async fn open(admin: &Admin, request: Request) -> Result<Opened, Refused> {
    let (mut parts, body) = request.into_parts();
    let visit = Visit::from_request_parts(&mut parts, admin).await?;
    let check = csrf::look(&parts.method, &parts.headers)?;
    let boundary = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary = boundary.and_then(|kind| multer::parse_boundary(kind).ok());
    let boundary =
        boundary.ok_or_else(|| Problem::new(&codes::UNSUPPORTED_TYPE, "The form is not multipart/form-data."))?;
    let names = [csrf::CSRF_FIELD, "format", "dry_run", "agency", "protected"];
    // The file's own limit is the service's, which says it in words.
    let limit = names.into_iter().fold(multer::SizeLimit::new(), |limit, name| limit.for_field(name, FIELD_BYTES_MAX));
    let constraints = multer::Constraints::new().size_limit(limit);
    let mut multipart = multer::Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
    let mut form = Form::new("");
    for _ in 0..FIELDS_MAX {
        let Some(field) = multipart.next_field().await.map_err(|error| broken(&error))? else { break };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            visit::verify(&check, form.value(csrf::CSRF_FIELD))?;
            let chosen = field.file_name().is_some_and(|name| !name.is_empty());
            return Ok(Opened { visit, form, file: chosen.then_some(field) });
        }
        let value = field.text().await.map_err(|error| broken(&error))?;
        form = form.with(&name, value);
    }
    visit::verify(&check, form.value(csrf::CSRF_FIELD))?;
    Ok(Opened { visit, form, file: None })
}

fn broken(error: &multer::Error) -> Problem {
    Problem::new(&codes::TIMEOUT, format!("The form could not be read: {error}."))
}

/// `POST /console/campaigns/{name}/import`
pub(super) async fn take(State(admin): State<Admin>, Path(name): Path<String>, request: Request) -> Outcome {
    let name: CampaignName = name.parse()?;
    let Opened { visit, mut form, file } = open(&admin, request).await?;
    let import = ContactsImport { format: format_of(&form), dry_run: form.checked("dry_run") };
    let mut report = None;
    match file {
        None => form.blame(visit.c.lang, "file", "table", &[]),
        Some(file) => match contacts::import(&visit.admin, &visit.me, &name, import, file).await {
            Ok(taken) => report = Some(Report::of(&visit.c, &taken)),
            Err(problem) => form.refused(visit.c.lang, &problem),
        },
    }
    if report.is_none() || !import.dry_run {
        // Unchecked boxes are not sent: what was asked for stays asked for.
        form = form.or("dry_run", "false");
    }
    let campaign = campaigns::read(&visit.admin, &visit.me, &name).await?.value;
    let sources = sources(&visit, &campaign).await?;
    let wrong = form.has_wrong();
    let page = ImportPage::of(&visit.c, &campaign, form, sources, report);
    Ok(if wrong { visit.again(&page) } else { visit.page(&page) })
}

/// `POST /console/campaigns/{name}/copy`
pub(super) async fn copy(Path(name): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let name: CampaignName = name.parse()?;
    let from: Option<CampaignName> = form.parsed(visit.c.lang, "from");
    let areas: Vec<String> = form
        .text("areas")
        .split([',', '\n'])
        .map(str::trim)
        .filter(|area| !area.is_empty())
        .map(str::to_owned)
        .collect();
    let mut report = None;
    if let Some(from) = from {
        match contacts::copy(&visit.admin, &visit.me, &name, &from, areas).await {
            Ok(copied) => report = Some(Report::of(&visit.c, &copied)),
            Err(problem) => form.refused(visit.c.lang, &problem),
        }
    }
    let campaign = campaigns::read(&visit.admin, &visit.me, &name).await?.value;
    let sources = sources(&visit, &campaign).await?;
    let wrong = form.has_wrong();
    let page = ImportPage::of(&visit.c, &campaign, form, sources, report);
    Ok(if wrong { visit.again(&page) } else { visit.page(&page) })
}
