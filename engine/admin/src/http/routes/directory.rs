//! `/directory`

use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::books::{ImportReport, TableFormat};
use crate::http::answer::{Answer, created_revised, nothing, ok, revised};
use crate::http::extract::{Json, Named, Params, Seen, read_body};
use crate::limits::IMPORT_BYTES_MAX;
use crate::names::{AgencyName, DirectoryId, Lang};
use crate::problem::{Problem, codes};
use crate::service::directory::{self, Entry, EntryBody, EntryFilter, Found, Kind, Search};
use crate::service::{Page, PageQuery};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DirectoryParams {
    /// Of one kind.
    #[param(inline)]
    kind: Option<Kind>,
    /// For one municipality, and those for everywhere.
    #[param(max_length = 64)]
    municipality: Option<String>,
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Items in a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// Words, in any form and order.
    #[param(max_length = 512)]
    q: String,
    /// In that language; in any where it is missing.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length = 35)]
    lang: Option<Lang>,
    /// Of one kind.
    #[param(inline)]
    kind: Option<Kind>,
    /// For one municipality, and what is for everywhere.
    #[param(max_length = 64)]
    municipality: Option<String>,
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// At most so many.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<usize>,
}

/// How a table is written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportParams {
    /// How the file is written.
    #[param(inline)]
    format: TableFormat,
    /// Say what would happen, and do nothing.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
}

/// Which entries, and how the table is written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParams {
    /// How the file is written; CSV where it is missing.
    #[param(inline)]
    format: Option<TableFormat>,
    /// Of one kind.
    #[param(inline)]
    kind: Option<Kind>,
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
}

/// Entries of the directory, by id.
#[utoipa::path(get, path = "/api/v1/directory", tag = "directory", params(DirectoryParams),
    responses((status = 200, description = "A page", body = Page<Entry>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<DirectoryParams>,
) -> Answer {
    let page = PageQuery { cursor: params.cursor, limit: params.limit };
    let filter = EntryFilter { agency: params.agency, kind: params.kind, municipality: params.municipality };
    ok(&directory::list(&admin, &who, &filter, &page).await?)
}

/// Finds entries by words in any form, the best first.
#[utoipa::path(get, path = "/api/v1/directory/search", tag = "directory", params(SearchParams),
    responses((status = 200, description = "What was found", body = Found)))]
pub(crate) async fn search(State(admin): State<Admin>, who: Principal, Params(params): Params<SearchParams>) -> Answer {
    let filter = EntryFilter { agency: params.agency, kind: params.kind, municipality: params.municipality };
    let search = Search { q: params.q, lang: params.lang, filter, limit: params.limit };
    ok(&directory::search(&admin, &who, &search).await?)
}

/// One entry.
#[utoipa::path(get, path = "/api/v1/directory/{id}", tag = "directory", params(("id" = DirectoryId, Path)),
    responses((status = 200, description = "The entry", body = Entry)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(id): Named<DirectoryId>) -> Answer {
    revised(&directory::read(&admin, &who, &id).await?)
}

/// Sets an entry, new or present; each change is a new version.
#[utoipa::path(put, path = "/api/v1/directory/{id}", tag = "directory", params(("id" = DirectoryId, Path)),
    request_body = EntryBody, responses((status = 200, description = "Changed", body = Entry),
        (status = 201, description = "Made", body = Entry)))]
pub(crate) async fn set(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<DirectoryId>,
    Seen(seen): Seen,
    Json(body): Json<EntryBody>,
) -> Answer {
    let set = directory::set(&admin, &who, &id, body, seen).await?;
    if seen.is_some_and(|seen| seen > 0) {
        return revised(&set);
    }
    let escaped: String = id.as_str().bytes().map(super::tickets::escaped).collect();
    created_revised(&format!("/api/v1/directory/{escaped}"), &set)
}

/// Takes an entry away.
#[utoipa::path(delete, path = "/api/v1/directory/{id}", tag = "directory", params(("id" = DirectoryId, Path)),
    responses((status = 204, description = "Taken away")))]
pub(crate) async fn delete(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<DirectoryId>,
    Seen(seen): Seen,
) -> Answer {
    directory::delete(&admin, &who, &id, seen).await?;
    nothing()
}

/// Takes a table's good rows, and says what is wrong with the others.
///
/// An import deletes nothing, and importing the same file again changes nothing.
#[utoipa::path(post, path = "/api/v1/directory/import", tag = "directory", params(ImportParams),
    request_body(content = String, content_type = "application/octet-stream", description = "The file's bytes, UTF-8"),
    responses((status = 200, description = "What was done, and every bad row", body = ImportReport)))]
pub(crate) async fn import(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<ImportParams>,
    request: Request,
) -> Answer {
    who.may(Operation::DirectoryImport)?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !["text/csv", "application/json", "application/octet-stream"].contains(&kind) {
        let problem = Problem::new(&codes::UNSUPPORTED_TYPE, "A table is sent as its bytes.").field("Content-Type");
        return Err(problem.remedy("Send Content-Type: text/csv or application/json, and the file as the body."));
    }
    let file = read_body(request.into_body(), IMPORT_BYTES_MAX).await?;
    ok(&directory::import(&admin, &who, params.format, params.dry_run, file).await?)
}

/// Every entry within reach as a table, which an import reads as it is.
#[utoipa::path(get, path = "/api/v1/directory/export", tag = "directory", params(ExportParams),
    responses((status = 200, description = "The table", content((String = "text/csv"), (Vec<Entry> = "application/json")))))]
pub(crate) async fn export(State(admin): State<Admin>, who: Principal, Params(params): Params<ExportParams>) -> Answer {
    let format = params.format.unwrap_or(TableFormat::Csv);
    let filter = EntryFilter { agency: params.agency, kind: params.kind, municipality: None };
    let chunks = directory::export(&admin, &who, filter, format)?;
    let (kind, name) = match format {
        TableFormat::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"directory.csv\""),
        TableFormat::Json => ("application/json", "attachment; filename=\"directory.json\""),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(chunks)).into_response())
}
