//! `/cdrs`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok};
use crate::http::extract::Params;
use crate::names::{AgencyName, CallName};
use crate::service::cdrs::{self, CdrFilter, Cdrs};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Where the next page of CSV begins; the header is missing at the end.
const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CdrParams {
    /// Ended at or after, milliseconds since 1970.
    from_ms: Option<u64>,
    /// Ended before, milliseconds since 1970.
    until_ms: Option<u64>,
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// Of one call.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{32}$")]
    call_id: Option<CallName>,
    /// `next` of the page before.
    #[param(max_length = 2048)]
    cursor: Option<String>,
    /// Records in a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// How they are written; JSON where it is missing.
    #[param(inline)]
    format: Option<CdrFormat>,
}

/// How records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CdrFormat {
    /// As one object.
    #[default]
    Json,
    /// As lines, with `X-Next-Cursor` for the next page.
    Csv,
}

/// Call records, by their end; numbers are masked. The audit names who looked.
#[utoipa::path(get, path = "/api/v1/cdrs", tag = "calls", params(CdrParams),
    responses((status = 200, description = "A page", content((Cdrs = "application/json"), (String = "text/csv")))))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(params): Params<CdrParams>) -> Answer {
    let filter = CdrFilter {
        from_ms: params.from_ms,
        until_ms: params.until_ms,
        agency: params.agency,
        call_id: params.call_id,
        cursor: params.cursor,
        limit: params.limit,
    };
    if params.format.unwrap_or_default() == CdrFormat::Json {
        return ok(&cdrs::list(&admin, &who, &filter).await?);
    }
    let (csv, next) = cdrs::csv(&admin, &who, &filter).await?;
    let mut response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv).into_response();
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(NEXT_CURSOR, next);
    }
    Ok(response)
}
