//! `/reports`

use crate::Admin;
use crate::auth::Principal;
use crate::books::{ReportView, TableFormat};
use crate::http::answer::{Answer, ok};
use crate::http::extract::Params;
use crate::names::AgencyName;
use crate::service::reports::{self, ReportQuery, ReportTable};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::IntoParams;

/// Of which time, and whose calls.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportParams {
    /// Calls that ended at or after, RFC 3339; the beginning of the centre's day where it is missing.
    from: Option<String>,
    /// Calls that ended before, RFC 3339; now where it is missing.
    until: Option<String>,
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// Which table, where it is written as CSV.
    #[param(inline)]
    by: Option<ReportTable>,
    /// How it is written; JSON, with all tables, where it is missing.
    #[param(inline)]
    format: Option<TableFormat>,
}

/// What a time came to: calls, queues and their service levels, callbacks, surveys, marks, tickets.
///
/// SL = answered by an operator within the service level / offered; SL2 = ended in any way within it / offered. A report
/// of the same time is made anew after 10 s.
#[utoipa::path(get, path = "/api/v1/reports", tag = "reports", params(ReportParams),
    responses((status = 200, description = "The report", content((ReportView = "application/json"), (String = "text/csv")))))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Params(params): Params<ReportParams>) -> Answer {
    let query = ReportQuery { from: params.from, until: params.until, agency: params.agency };
    let report = reports::make(&admin, &who, &query).await?;
    if params.format.unwrap_or(TableFormat::Json) == TableFormat::Json {
        return ok(&*report);
    }
    let csv = reports::csv(&report, params.by.unwrap_or_default())?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"report.csv\""),
    ];
    Ok((headers, csv).into_response())
}
