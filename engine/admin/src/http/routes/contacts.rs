//! `/campaigns/{name}/contacts`, `/campaigns/{name}/results`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok};
use crate::http::extract::{Json, Named, Params};
use crate::names::CampaignName;
use crate::ports::{ContactDetails, ContactRow, ContactsImport, ContactsReport, ListFormat};
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use crate::service::campaigns::contacts::{self, ContactChoice, ContactFilter, ContactStanding};
use crate::service::{Page, PageQuery};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// How a list is written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportParams {
    /// How the file is written.
    #[param(inline)]
    format: ListFormat,
    /// Read everything, keep nothing, and say what would happen when.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
}

/// Which contacts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ContactParams {
    /// Who stand there.
    #[param(inline)]
    state: Option<ContactStanding>,
    /// Who are done, with this as their last disposition.
    #[param(max_length = 32)]
    disposition: Option<String>,
    /// Of this area.
    #[param(max_length = 64)]
    area: Option<String>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Items in a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Which results, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ResultParams {
    /// How they are written; CSV where it is missing.
    #[param(inline)]
    format: Option<ListFormat>,
    /// After this one: `cursor` of the last line that you have.
    after: Option<u64>,
}

/// A number that is looked for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindBody {
    /// As it is dialled, or with a plus and the country's code.
    #[schema(value_type = String, max_length = 64, write_only)]
    pub(crate) number: Redacted,
}

/// Whose contacts are added.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopyBody {
    /// From this campaign.
    #[schema(value_type = String)]
    from: CampaignName,
    /// Of these areas; of all where it is empty.
    #[serde(default)]
    areas: Vec<String>,
}

/// What a person decides.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideBody {
    /// What.
    decision: ContactChoice,
}

/// Contacts in the list's order; numbers are masked. The audit names who looked.
#[utoipa::path(get, path = "/api/v1/campaigns/{name}/contacts", tag = "campaigns",
    params(("name" = CampaignName, Path), ContactParams),
    responses((status = 200, description = "A page; a filter may leave it short where there is more", body = Page<ContactRow>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<CampaignName>,
    Params(params): Params<ContactParams>,
) -> Answer {
    let page = PageQuery { cursor: params.cursor, limit: params.limit };
    let filter = ContactFilter { state: params.state, disposition: params.disposition, area: params.area };
    ok(&contacts::list(&admin, &who, &name, &filter, &page).await?)
}

/// Takes a list of contacts of any length, as its bytes come.
///
/// Columns: `number` (needed), `id`, `zone`, `window`, `lang`, `area`; every other one goes to the script. Good rows are
/// added, bad ones are reported with what to do; a number that the campaign has already is not added again, so that the
/// same list may be sent twice.
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/contacts", tag = "campaigns",
    params(("name" = CampaignName, Path), ImportParams),
    request_body(content = String, content_type = "application/octet-stream", description = "The file's bytes"),
    responses((status = 200, description = "What was taken, and what was not", body = ContactsReport)))]
pub(crate) async fn import(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<CampaignName>,
    Params(params): Params<ImportParams>,
    request: Request,
) -> Answer {
    check_list_type(request.headers())?;
    let import = ContactsImport { format: params.format, dry_run: params.dry_run };
    ok(&contacts::import(&admin, &who, &name, import, request.into_body().into_data_stream()).await?)
}

pub(super) fn check_list_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if ["text/csv", "application/jsonl", "application/x-ndjson", "application/octet-stream"].contains(&kind.as_str()) {
        return Ok(());
    }
    let problem = Problem::new(&codes::UNSUPPORTED_TYPE, "A list is sent as its bytes.").field("Content-Type");
    Err(problem.remedy("Send Content-Type: text/csv or application/x-ndjson, and the file as the body."))
}

/// Adds the contacts of another campaign, of these areas: lists for emergencies are kept ready in campaigns of their own.
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/contacts/copy", tag = "campaigns",
    params(("name" = CampaignName, Path)), request_body = CopyBody,
    responses((status = 200, description = "What was added", body = ContactsReport)))]
pub(crate) async fn copy(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<CampaignName>,
    Json(body): Json<CopyBody>,
) -> Answer {
    ok(&contacts::copy(&admin, &who, &name, &body.from, body.areas).await?)
}

/// The contact with a number. The audit names who looked.
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/contacts/find", tag = "campaigns",
    params(("name" = CampaignName, Path)), request_body = FindBody,
    responses((status = 200, description = "One contact, or none", body = Page<ContactRow>)))]
pub(crate) async fn find(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<CampaignName>,
    Json(body): Json<FindBody>,
) -> Answer {
    ok(&contacts::find(&admin, &who, &name, &body.number).await?)
}

/// One contact with its attempts. The audit names who looked.
#[utoipa::path(get, path = "/api/v1/campaigns/{name}/contacts/{no}", tag = "campaigns",
    params(("name" = CampaignName, Path), ("no" = u32, Path)),
    responses((status = 200, description = "The contact", body = ContactDetails)))]
pub(crate) async fn read(
    State(admin): State<Admin>,
    who: Principal,
    Named((name, no)): Named<(CampaignName, u32)>,
) -> Answer {
    ok(&contacts::read(&admin, &who, &name, no).await?)
}

/// Decides about a contact: an unknown attempt is taken for made, or it is tried again, or never.
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/contacts/{no}/decide", tag = "campaigns",
    params(("name" = CampaignName, Path), ("no" = u32, Path)), request_body = DecideBody,
    responses((status = 200, description = "The contact then", body = ContactRow)))]
pub(crate) async fn decide(
    State(admin): State<Admin>,
    who: Principal,
    Named((name, no)): Named<(CampaignName, u32)>,
    Json(body): Json<DecideBody>,
) -> Answer {
    ok(&contacts::decide(&admin, &who, &name, no, body.decision).await?)
}

/// Attempts that ended, in the order of their ends. The audit names who looked.
#[utoipa::path(get, path = "/api/v1/campaigns/{name}/results", tag = "campaigns",
    params(("name" = CampaignName, Path), ResultParams),
    responses((status = 200, description = "The table", content((String = "text/csv"), (String = "application/x-ndjson")))))]
pub(crate) async fn results(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<CampaignName>,
    Params(params): Params<ResultParams>,
) -> Answer {
    let format = params.format.unwrap_or_default();
    let chunks = contacts::results(&admin, &who, &name, format, params.after).await?;
    let (kind, ending) = match format {
        ListFormat::Csv => ("text/csv; charset=utf-8", "csv"),
        ListFormat::Jsonl => ("application/x-ndjson", "jsonl"),
    };
    let file = format!("attachment; filename=\"{name}-results.{ending}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, file)];
    Ok((headers, Body::from_stream(chunks)).into_response())
}
