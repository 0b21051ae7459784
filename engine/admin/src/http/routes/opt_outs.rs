//! `/opt-outs`

use super::AgencyPageParams;
use super::contacts::{FindBody, check_list_type};
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created, nothing, ok};
use crate::http::extract::{Json, Named, Params};
use crate::names::{AgencyName, OptOutName};
use crate::ports::{ContactsReport, ListFormat, OptOutRow, OptOutsImport};
use crate::service::Page;
use crate::service::opt_outs::{self, OptOutBody, WithdrawBody};
use axum::extract::{Request, State};
use serde::Deserialize;
use utoipa::IntoParams;

/// How a list is written, and whose opt-outs they are.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OptOutImportParams {
    /// How the file is written.
    #[param(inline)]
    format: ListFormat,
    /// By this agency; by nobody where it is missing.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// Not even in an emergency: the law says so.
    #[serde(default)]
    #[param(default = false)]
    protected: bool,
    /// Read everything, and keep nothing.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
}

/// Opt-outs. The numbers are not kept, only keys that nobody finds them from.
#[utoipa::path(get, path = "/api/v1/opt-outs", tag = "opt-outs", params(AgencyPageParams),
    responses((status = 200, description = "A page", body = Page<OptOutRow>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<AgencyPageParams>,
) -> Answer {
    let (agency, page) = params.split();
    ok(&opt_outs::list(&admin, &who, agency.as_ref(), &page).await?)
}

/// Notes that somebody does not want to be called; counts at once, in campaigns that run, too.
#[utoipa::path(post, path = "/api/v1/opt-outs", tag = "opt-outs", request_body = OptOutBody,
    responses((status = 201, description = "Noted", body = OptOutRow)))]
pub(crate) async fn add(State(admin): State<Admin>, who: Principal, Json(body): Json<OptOutBody>) -> Answer {
    created("/api/v1/opt-outs", &opt_outs::add(&admin, &who, body).await?)
}

/// The opt-outs of a number. The audit names who looked.
#[utoipa::path(post, path = "/api/v1/opt-outs/find", tag = "opt-outs", request_body = FindBody,
    responses((status = 200, description = "What there is", body = Page<OptOutRow>)))]
pub(crate) async fn find(State(admin): State<Admin>, who: Principal, Json(body): Json<FindBody>) -> Answer {
    ok(&opt_outs::find(&admin, &who, &body.number).await?)
}

/// Somebody may be called again, and the audit says why.
#[utoipa::path(post, path = "/api/v1/opt-outs/{id}/withdraw", tag = "opt-outs", params(("id" = OptOutName, Path)),
    request_body = WithdrawBody, responses((status = 204, description = "Taken back")))]
pub(crate) async fn withdraw(
    State(admin): State<Admin>,
    who: Principal,
    Named(id): Named<OptOutName>,
    Json(body): Json<WithdrawBody>,
) -> Answer {
    opt_outs::withdraw(&admin, &who, &id, body).await?;
    nothing()
}

/// Takes a list of numbers that must not be called; its column is `number`.
#[utoipa::path(post, path = "/api/v1/opt-outs/import", tag = "opt-outs", params(OptOutImportParams),
    request_body(content = String, content_type = "application/octet-stream", description = "The file's bytes"),
    responses((status = 200, description = "What was taken, and what was not", body = ContactsReport)))]
pub(crate) async fn import(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<OptOutImportParams>,
    request: Request,
) -> Answer {
    check_list_type(request.headers())?;
    let import = OptOutsImport {
        format: params.format,
        agency: params.agency.map(|agency| agency.to_string()),
        protected: params.protected,
        dry_run: params.dry_run,
    };
    ok(&opt_outs::import(&admin, &who, import, request.into_body().into_data_stream()).await?)
}
