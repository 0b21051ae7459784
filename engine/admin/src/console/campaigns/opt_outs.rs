//! Who does not want to be called.

use super::import::{Opened, format_of, formats, open};
use super::view::Report;
use crate::Admin;
use crate::access::Operation;
use crate::console::confirm::{Ask, confirm};
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::format::Moment;
use crate::console::lists;
use crate::console::visit::{Outcome, Posted, Visit, go};
use crate::names::{AgencyName, OptOutName};
use crate::ports::{OptOutRow, OptOutsImport};
use crate::problem::Problem;
use crate::redacted::Redacted;
use crate::service::opt_outs::{self as service, OptOutBody, WithdrawBody};
use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;

const PAGE: &str = "/console/opt-outs";

/// One of them.
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) by: String,
    pub(crate) agency: String,
    pub(crate) protected: bool,
    pub(crate) since: Moment,
    pub(crate) source: String,
    pub(crate) reason: String,
    pub(crate) may_withdraw: bool,
}

impl Line {
    pub(crate) fn of(c: &Ctx, row: &OptOutRow) -> Self {
        let by = row.agency.clone().unwrap_or_else(|| c.t("opt-outs.anybody").to_owned());
        let may_withdraw = match &row.agency {
            Some(agency) => c.may_in(Operation::OptOutWithdraw, agency),
            None => c.me.as_ref().is_some_and(|me| me.has(crate::access::Role::Admin)),
        };
        Self {
            id: row.id.clone(),
            by,
            agency: row.agency.clone().unwrap_or_default(),
            protected: row.protected,
            since: c.moment(row.since_ms),
            source: row.source.clone(),
            reason: row.reason.clone(),
            may_withdraw,
        }
    }
}

/// The list and its forms.
#[derive(Template)]
#[template(path = "opt_outs.html")]
pub(crate) struct OptOutsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) find: Form,
    pub(crate) add: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) scopes: Vec<Choice>,
    pub(crate) rows: Vec<Line>,
    pub(crate) next: Option<String>,
    /// Those of one number are shown.
    pub(crate) found: bool,
    pub(crate) may_find: bool,
    pub(crate) may_add: bool,
    pub(crate) may_import: bool,
}

/// The list's forms, as somebody has filled them.
#[derive(Default)]
pub(crate) struct Forms {
    pub(crate) filter: Form,
    pub(crate) find: Form,
    pub(crate) add: Form,
}

impl<'a> OptOutsPage<'a> {
    pub(crate) fn of(c: &'a Ctx, forms: Forms, agencies: &[String], rows: &[OptOutRow], next: Option<String>) -> Self {
        Self {
            c,
            form: forms.filter.or("agency", ""),
            // A number is never shown again.
            find: forms.find.named("find-").without("number").with("number", ""),
            add: forms
                .add
                .named("add-")
                .without("number")
                .with("number", "")
                .or("agency", "")
                .or("protected", "")
                .or("reason", ""),
            agencies: Choice::or(c.t("list.any"), agencies),
            scopes: scopes(c, agencies, Operation::OptOutAdd),
            rows: rows.iter().map(|row| Line::of(c, row)).collect(),
            next,
            found: false,
            may_find: c.may(Operation::OptOutsFind),
            may_add: c.may(Operation::OptOutAdd),
            may_import: c.may(Operation::OptOutsImport),
        }
    }
}

/// By whom somebody may not be called: the agencies within reach, and anybody for admins.
fn scopes(c: &Ctx, agencies: &[String], operation: Operation) -> Vec<Choice> {
    let mut all = Choice::all(agencies.iter().filter(|agency| c.may_in(operation, agency)));
    if c.me.as_ref().is_some_and(|me| me.has(crate::access::Role::Admin)) {
        all.push(Choice::new("", c.t("opt-outs.anybody")));
    }
    all
}

async fn listed(visit: &Visit, forms: Forms, query: &lists::Asked) -> Result<axum::response::Response, Problem> {
    let agencies = lists::agencies(visit).await?;
    let agency = query.filter("agency").and_then(|agency| agency.parse::<AgencyName>().ok());
    let (rows, next) = if visit.c.may(Operation::OptOutsList) {
        let page = service::list(&visit.admin, &visit.me, agency.as_ref(), &query.page()).await?;
        (page.items, query.next(PAGE, page.next.as_deref()))
    } else {
        (Vec::new(), None)
    };
    let wrong = forms.add.has_wrong() || forms.find.has_wrong();
    let page = OptOutsPage::of(&visit.c, forms, &agencies, &rows, next);
    Ok(if wrong { visit.again(&page) } else { visit.page(&page) })
}

/// `GET /console/opt-outs`
pub(super) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let forms = Forms { filter: query.0.clone(), ..Forms::default() };
    Ok(listed(&visit, forms, &query).await?)
}

/// `POST /console/opt-outs`: by number, which stands in no address.
pub(super) async fn find(Posted { visit, mut form }: Posted) -> Outcome {
    let number = form.filled(visit.c.lang, "number");
    if !form.has_wrong() {
        match service::find(&visit.admin, &visit.me, &Redacted::new(number)).await {
            Ok(found) => {
                let agencies = lists::agencies(&visit).await?;
                let forms = Forms { find: form, ..Forms::default() };
                let page = OptOutsPage::of(&visit.c, forms, &agencies, &found.items, None);
                return Ok(visit.page(&OptOutsPage { found: true, ..page }));
            }
            Err(problem) => form.refused(visit.c.lang, &problem),
        }
    }
    let forms = Forms { find: form, ..Forms::default() };
    Ok(listed(&visit, forms, &lists::Asked(Form::new(""))).await?)
}

/// `POST /console/opt-outs/add`
pub(super) async fn add(Posted { visit, mut form }: Posted) -> Outcome {
    let number = form.filled(visit.c.lang, "number");
    let agency = form.parsed_some(visit.c.lang, "agency");
    if !form.has_wrong() {
        let body = OptOutBody {
            number: Redacted::new(number),
            agency,
            protected: form.checked("protected"),
            reason: form.text("reason"),
        };
        match service::add(&visit.admin, &visit.me, body).await {
            Ok(_) => return Ok(go(PAGE, Some("opted_out"))),
            Err(problem) => form.refused(visit.c.lang, &problem),
        }
    }
    let forms = Forms { add: form, ..Forms::default() };
    Ok(listed(&visit, forms, &lists::Asked(Form::new(""))).await?)
}

/// `GET /console/opt-outs/{id}/withdraw`
pub(super) async fn ask_withdraw(
    visit: Visit,
    headers: HeaderMap,
    Path(id): Path<String>,
    query: lists::Asked,
) -> Outcome {
    let id: OptOutName = id.parse()?;
    let mut ask = Ask::new(format!("{PAGE}/{id}/withdraw"), PAGE)
        .title(visit.c.t("opt-outs.withdraw.title"))
        .text(visit.c.t("opt-outs.withdraw.text"))
        .yes(visit.c.t("opt-outs.withdraw"))
        .hidden("agency", query.0.text("agency"));
    ask.reason = true;
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/opt-outs/{id}/withdraw`
pub(super) async fn withdraw(Path(id): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let agency = form.parsed_some(visit.c.lang, "agency");
    let body = WithdrawBody { agency, reason: form.text("reason") };
    service::withdraw(&visit.admin, &visit.me, &id.parse()?, body).await?;
    Ok(go(PAGE, Some("opted_in")))
}

/// The form of a list, and what came of it.
#[derive(Template)]
#[template(path = "opt_outs_import.html")]
pub(crate) struct ImportPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) scopes: Vec<Choice>,
    pub(crate) formats: Vec<Choice>,
    pub(crate) report: Option<Report>,
}

impl<'a> ImportPage<'a> {
    pub(crate) fn of(c: &'a Ctx, form: Form, agencies: &[String], report: Option<Report>) -> Self {
        let form = form.or("format", "csv").or("agency", "").or("protected", "").or("dry_run", "true").or("file", "");
        Self { c, form, scopes: scopes(c, agencies, Operation::OptOutsImport), formats: formats(), report }
    }
}

/// `GET /console/opt-outs/import`
pub(super) async fn ask_import(visit: Visit) -> Outcome {
    visit.me.may(Operation::OptOutsImport)?;
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.page(&ImportPage::of(&visit.c, Form::new(""), &agencies, None)))
}

/// `POST /console/opt-outs/import`
pub(super) async fn import(State(admin): State<Admin>, request: Request) -> Outcome {
    let Opened { visit, mut form, file } = open(&admin, request).await?;
    let agency = form.text("agency");
    let import = OptOutsImport {
        format: format_of(&form),
        agency: (!agency.is_empty()).then_some(agency),
        protected: form.checked("protected"),
        dry_run: form.checked("dry_run"),
    };
    let dry_run = import.dry_run;
    let mut report = None;
    match file {
        None => form.blame(visit.c.lang, "file", "table", &[]),
        Some(file) => match service::import(&visit.admin, &visit.me, import, file).await {
            Ok(taken) => report = Some(Report::of(&visit.c, &taken)),
            Err(problem) => form.refused(visit.c.lang, &problem),
        },
    }
    if !dry_run {
        form = form.or("dry_run", "false");
    }
    let agencies = lists::agencies(&visit).await?;
    let wrong = form.has_wrong();
    let page = ImportPage::of(&visit.c, form, &agencies, report);
    Ok(if wrong { visit.again(&page) } else { visit.page(&page) })
}
