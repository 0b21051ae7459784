//! The directory: what operators look up, and what its keepers change.

use super::desk::Found;
use super::floor::Figure;
use crate::Admin;
use crate::access::Operation;
use crate::books::{ImportProblem, ImportReport, TableFormat};
use crate::console::confirm::{Ask, confirm};
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::lists;
use crate::console::multipart::{self, Long, Sent};
use crate::console::versions::Fact;
use crate::console::visit::{Outcome, Posted, Visit, go};
use crate::limits::IMPORT_BYTES_MAX;
use crate::names::DirectoryId;
use crate::problem::{Problem, codes};
use crate::service::directory::{self as service, Entry, EntryBody, EntryFilter, Kind, Search};
use crate::service::tickets::{self, TicketBody, TicketKind};
use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use std::collections::BTreeMap;

const PAGE: &str = "/console/directory";
/// Answers beside a talk: nobody reads more while somebody waits.
const FOUND_MAX: usize = 8;
/// Entries that a search of the list shows.
const ROWS_MAX: usize = 50;
/// Bad rows that are shown.
const PROBLEMS_MAX: usize = 200;
/// A text of this size goes along with the check's answer, to be imported without choosing the file again.
const AGAIN_BYTES_MAX: usize = 4 * 1024 * 1024;
const KINDS: [Kind; 7] =
    [Kind::Office, Kind::Service, Kind::Document, Kind::Term, Kind::Official, Kind::Appeal, Kind::Faq];
const FIELDS: [&str; 13] = [
    "id",
    "title",
    "kind",
    "agency",
    "municipality",
    "owner",
    "spoken",
    "text",
    "phone",
    "address",
    "hours",
    "fields",
    "lang",
];

/// What is said of an entry.
fn spoken(entry: &Entry) -> String {
    entry.entry.entry(&entry.id).map_or_else(|_| entry.entry.title.clone(), |entry| entry.spoken_text())
}

fn filled(text: Option<&String>) -> Option<&String> {
    text.filter(|text| !text.is_empty())
}

impl Found {
    fn of(c: &Ctx, entry: &Entry) -> Self {
        let document = &entry.entry;
        let parts = [
            ("search.phone", &document.phone),
            ("search.address", &document.address),
            ("search.hours", &document.hours),
        ];
        let fact = |(key, value): (&str, &Option<String>)| {
            Some(Fact { name: c.t(key).to_owned(), value: filled(value.as_ref())?.clone() })
        };
        let owner = if document.owner.is_empty() { &document.agency } else { &document.owner };
        let version = document.version.to_string();
        let values = [("owner", owner.as_str()), ("version", version.as_str()), ("updated", document.updated.as_str())];
        Self {
            id: entry.id.clone(),
            version: u64::from(document.version),
            title: document.title.clone(),
            lang: document.lang.clone(),
            spoken: spoken(entry),
            text: document.text.clone(),
            facts: parts.into_iter().filter_map(fact).collect(),
            of: c.w("search.of", values),
            may_blame: c.may_in(Operation::TicketCreate, &document.agency),
        }
    }
}

fn search_of(form: &Form, limit: usize) -> Search {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let kind = KINDS.into_iter().find(|kind| kind.as_str() == form.value("kind"));
    let agency = form.text("agency").parse().ok();
    let filter = EntryFilter { agency, kind, municipality: some(form.text("municipality")) };
    Search { q: form.text("q"), lang: None, filter, limit: Some(limit) }
}

/// What was found for the words of a form; nothing where it has none.
pub(super) async fn found(visit: &Visit, form: &Form) -> Result<Option<Vec<Found>>, Problem> {
    let search = search_of(form, FOUND_MAX);
    if search.q.is_empty() {
        return Ok(None);
    }
    let found = service::search(&visit.admin, &visit.me, &search).await?;
    Ok(Some(found.items.iter().map(|found| Found::of(&visit.c, &found.entry)).collect()))
}

/// Tells an entry's agency that it is wrong. The notice's number.
pub(super) async fn blame(visit: &Visit, form: &Form, text: String) -> Result<String, Problem> {
    let id: DirectoryId = form.text("entry").parse()?;
    let entry = service::read(&visit.admin, &visit.me, &id).await?.value.entry;
    let body = TicketBody {
        kind: TicketKind::OutdatedInformation,
        agency: Some(entry.agency.parse()?),
        topic: entry.title,
        text,
        fields: BTreeMap::new(),
        number: None,
        call: form.text("call").parse().ok(),
        entry: Some(id),
        // The version that was read, which may not be the present one.
        entry_version: form.text("version").parse().ok().or(Some(u64::from(entry.version))),
        lang: None,
        idempotency_key: None,
    };
    Ok(tickets::create(&visit.admin, &visit.me, body).await?.number)
}

/// An entry in the list.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) spoken: String,
    pub(crate) kind: String,
    pub(crate) municipality: String,
    pub(crate) agency: String,
    pub(crate) version: String,
    pub(crate) updated: String,
}

impl Row {
    pub(crate) fn of(c: &Ctx, entry: Entry) -> Self {
        let spoken = entry.entry.spoken.clone();
        Self {
            id: entry.id,
            spoken,
            kind: c.word("directory.kind", &entry.entry.kind),
            municipality: entry.entry.municipality.unwrap_or_default(),
            agency: entry.entry.agency,
            version: entry.entry.version.to_string(),
            updated: entry.entry.updated,
            title: entry.entry.title,
        }
    }
}

/// All entries, or those that were found.
#[derive(Template)]
#[template(path = "directory.html")]
pub(crate) struct DirectoryPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) kinds: Vec<Choice>,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
    pub(crate) may_edit: bool,
}

/// One entry, or a new one.
#[derive(Template)]
#[template(path = "directory_entry.html")]
pub(crate) struct EntryPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) heading: String,
    pub(crate) of: String,
    pub(crate) action: String,
    pub(crate) form: Form,
    pub(crate) is_new: bool,
    pub(crate) revision: u64,
    pub(crate) kinds: Vec<Choice>,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) may_edit: bool,
    pub(crate) may_delete: bool,
}

impl<'a> EntryPage<'a> {
    pub(crate) fn of(c: &'a Ctx, entry: Option<(&Entry, u64)>, form: Form, agencies: &[String]) -> Self {
        let form = FIELDS.into_iter().fold(form, |form, field| form.or(field, ""));
        let may = |operation| match entry {
            Some((entry, _)) => c.may_in(operation, &entry.entry.agency),
            None => c.may(operation),
        };
        let of = |(entry, _): (&Entry, u64)| {
            let version = entry.entry.version.to_string();
            c.w("directory.of", [("version", version.as_str()), ("updated", entry.entry.updated.as_str())])
        };
        let shown = FIELDS.into_iter().filter(|field| *field != "id" && !form.value(field).is_empty());
        let label = |field: &str| Form::label(field).map_or(field, |key| c.t(key)).to_owned();
        Self {
            heading: entry.map_or_else(|| c.t("directory.new").to_owned(), |(entry, _)| entry.entry.title.clone()),
            of: entry.map(of).unwrap_or_default(),
            action: entry.map_or_else(|| format!("{PAGE}/new"), |(entry, _)| format!("{PAGE}/{}", entry.id)),
            is_new: entry.is_none(),
            revision: entry.map_or(0, |(_, revision)| revision),
            kinds: kinds(c),
            agencies: Choice::all(agencies.iter().filter(|agency| c.may_in(Operation::DirectorySet, agency))),
            facts: shown.map(|field| Fact { name: label(field), value: form.value(field).to_owned() }).collect(),
            may_edit: may(Operation::DirectorySet),
            may_delete: entry.is_some() && may(Operation::DirectoryDelete),
            form,
            c,
        }
    }
}

/// What an import did, or would do.
pub(crate) struct Imported {
    pub(crate) title: &'static str,
    pub(crate) figures: Vec<Figure>,
    pub(crate) rows: Vec<ImportProblem>,
    pub(crate) more: usize,
    /// The checked text, to be imported by one more click.
    pub(crate) again: Option<String>,
}

impl Imported {
    pub(crate) fn of(c: &Ctx, report: ImportReport, text: Option<String>) -> Self {
        let figure = |tone, key: &str, count: u64| Figure {
            tone,
            fact: Fact { name: c.t(key).to_owned(), value: c.number(count) },
        };
        let bad = report.problems.len();
        let rest = usize::try_from(report.problems_more).unwrap_or(usize::MAX);
        let changes = report.added + report.changed > 0;
        Self {
            title: c.t(if report.dry_run { "directory.checked" } else { "directory.imported" }),
            figures: vec![
                figure("", "directory.count.rows", report.rows),
                figure("good", "directory.count.new", report.added),
                figure("good", "directory.count.changed", report.changed),
                figure("", "directory.count.same", report.unchanged),
                figure(if bad > 0 { "bad" } else { "" }, "directory.count.bad", bad as u64 + report.problems_more),
            ],
            more: bad.saturating_sub(PROBLEMS_MAX).saturating_add(rest),
            again: text.filter(|_| report.dry_run && changes),
            rows: report.problems.into_iter().take(PROBLEMS_MAX).collect(),
        }
    }
}

/// The form of an import, and what came of it.
#[derive(Template)]
#[template(path = "directory_import.html")]
pub(crate) struct ImportPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) formats: Vec<Choice>,
    pub(crate) report: Option<Imported>,
}

impl<'a> ImportPage<'a> {
    pub(crate) fn of(c: &'a Ctx, form: Form, report: Option<Imported>) -> Self {
        let formats = vec![Choice::new("csv", "CSV"), Choice::new("json", "JSON")];
        Self { c, form: form.or("format", "csv").or("file", ""), formats, report }
    }
}

pub(crate) fn kinds(c: &Ctx) -> Vec<Choice> {
    KINDS.map(|kind| Choice::new(kind.as_str(), c.t(&format!("directory.kind.{}", kind.as_str())))).to_vec()
}

/// `GET /console/directory`
pub(super) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let c = &visit.c;
    let form = query.0.clone();
    let search = search_of(&form, ROWS_MAX);
    let (entries, next) = if search.q.is_empty() {
        let page = service::list(&visit.admin, &visit.me, &search.filter, &query.page()).await?;
        (page.items, query.next(PAGE, page.next.as_deref()))
    } else {
        let found = service::search(&visit.admin, &visit.me, &search).await?;
        (found.items.into_iter().map(|found| found.entry).collect(), None)
    };
    let mut known = vec![Choice::new("", c.t("list.any"))];
    known.extend(kinds(c));
    let form = ["q", "kind", "municipality", "agency"].into_iter().fold(form, |form, field| form.or(field, ""));
    Ok(visit.page(&DirectoryPage {
        c,
        form,
        kinds: known,
        agencies: lists::agency_filter(&visit).await?,
        rows: entries.into_iter().map(|entry| Row::of(c, entry)).collect(),
        next,
        may_edit: c.may(Operation::DirectorySet),
    }))
}

fn form_of(entry: &Entry) -> Form {
    let document = &entry.entry;
    let lines: Vec<String> = document.fields.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    Form::new("")
        .with("title", document.title.as_str())
        .with("kind", document.kind.as_str())
        .with("agency", document.agency.as_str())
        .with("municipality", some(&document.municipality))
        .with("owner", document.owner.as_str())
        .with("spoken", document.spoken.as_str())
        .with("text", document.text.as_str())
        .with("phone", some(&document.phone))
        .with("address", some(&document.address))
        .with("hours", some(&document.hours))
        .with("fields", lines.join("\n"))
        .with("lang", document.lang.as_str())
}

fn body(c: &Ctx, form: &mut Form) -> Option<EntryBody> {
    let title = form.filled(c.lang, "title");
    let lang = form.parsed_some(c.lang, "lang");
    let mut fields = BTreeMap::new();
    for line in form.text("fields").lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once('=') {
            Some((name, value)) => {
                fields.insert(name.trim().to_owned(), value.trim().to_owned());
            }
            None => form.blame(c.lang, "fields", "setting", &[("line", line)]),
        }
    }
    let some = |text: String| (!text.is_empty()).then_some(text);
    (!form.has_wrong()).then(|| EntryBody {
        kind: form.text("kind"),
        agency: form.text("agency"),
        municipality: some(form.text("municipality")),
        owner: form.text("owner"),
        title,
        spoken: form.text("spoken"),
        text: form.text("text").replace("\r\n", "\n"),
        phone: some(form.text("phone")),
        address: some(form.text("address")),
        hours: some(form.text("hours")),
        fields,
        lang,
        ..EntryBody::default()
    })
}

/// `GET /console/directory/new`
pub(super) async fn blank(visit: Visit) -> Outcome {
    visit.me.may(Operation::DirectorySet)?;
    let agencies = lists::agencies(&visit).await?;
    let form = Form::new("").with("lang", "ru-RU");
    Ok(visit.page(&EntryPage::of(&visit.c, None, form, &agencies)))
}

/// `POST /console/directory/new`
pub(super) async fn create(Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let id = form.parsed::<DirectoryId>(c.lang, "id");
    if let (Some(id), Some(body)) = (id, body(c, &mut form)) {
        match service::set(&visit.admin, &visit.me, &id, body, None).await {
            Ok(_) => return Ok(go(&format!("{PAGE}/{id}"), Some("created"))),
            // Without a revision only a new one is made: the name is taken.
            Err(problem) if problem.is(&codes::PRECONDITION_REQUIRED) => form.blame(c.lang, "id", "exists", &[]),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.again(&EntryPage::of(c, None, form, &agencies)))
}

/// `GET /console/directory/{id}`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Outcome {
    let read = service::read(&visit.admin, &visit.me, &id.parse()?).await?;
    let agencies = lists::agencies(&visit).await?;
    let form = form_of(&read.value);
    Ok(visit.page(&EntryPage::of(&visit.c, Some((&read.value, read.revision)), form, &agencies)))
}

/// `POST /console/directory/{id}`
pub(super) async fn update(Path(id): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let id: DirectoryId = id.parse()?;
    if let Some(body) = body(&visit.c, &mut form) {
        match service::set(&visit.admin, &visit.me, &id, body, form.revision()).await {
            Ok(_) => return Ok(go(&format!("{PAGE}/{id}"), Some("saved"))),
            Err(problem) => form.refused(visit.c.lang, &problem),
        }
    }
    let read = service::read(&visit.admin, &visit.me, &id).await?;
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.again(&EntryPage::of(&visit.c, Some((&read.value, read.revision)), form, &agencies)))
}

/// `GET /console/directory/{id}/delete`
pub(super) async fn ask_delete(visit: Visit, headers: HeaderMap, Path(id): Path<String>) -> Outcome {
    let id: DirectoryId = id.parse()?;
    let read = service::read(&visit.admin, &visit.me, &id).await?;
    let here = format!("{PAGE}/{id}");
    let ask = Ask::new(format!("{here}/delete"), &here)
        .title(visit.c.w("directory.delete.title", [("name", read.value.entry.title.as_str())]))
        .text(visit.c.t("directory.delete.text"))
        .yes(visit.c.t("form.delete"))
        .hidden("revision", read.revision.to_string());
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/directory/{id}/delete`
pub(super) async fn delete(Path(id): Path<String>, Posted { visit, form }: Posted) -> Outcome {
    service::delete(&visit.admin, &visit.me, &id.parse()?, form.revision()).await?;
    Ok(go(PAGE, Some("deleted")))
}

/// `GET /console/directory/import`
pub(crate) async fn ask_import(visit: Visit) -> Outcome {
    visit.me.may(Operation::DirectoryImport)?;
    Ok(visit.page(&ImportPage::of(&visit.c, Form::new(""), None)))
}

/// `POST /console/directory/import`: checked first, then imported from the same text.
pub(crate) async fn import(State(admin): State<Admin>, request: Request) -> Outcome {
    let long = Long { names: ["file", "rows"], bytes_max: IMPORT_BYTES_MAX };
    let Sent { visit, mut form, file } = multipart::read(&admin, request, &long).await?;
    visit.me.may(Operation::DirectoryImport)?;
    let c = &visit.c;
    let Some(file) = file else {
        form.blame(c.lang, "file", "table", &[]);
        return Ok(visit.again(&ImportPage::of(c, form, None)));
    };
    let dry_run = form.checked("dry_run");
    let format = if form.value("format") == "json" { TableFormat::Json } else { TableFormat::Csv };
    let again = (file.len() <= AGAIN_BYTES_MAX).then(|| std::str::from_utf8(&file).map(str::to_owned).ok()).flatten();
    match service::import(&visit.admin, &visit.me, format, dry_run, file).await {
        Ok(report) => {
            let report = Imported::of(c, report, again);
            Ok(visit.page(&ImportPage::of(c, form, Some(report))))
        }
        Err(problem) => {
            form.refused(c.lang, &problem);
            Ok(visit.again(&ImportPage::of(c, form, None)))
        }
    }
}
