//! `/audit`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok};
use crate::http::extract::Params;
use crate::names::AgencyName;
use crate::service::audit::{self, AuditChecked, AuditFilter, AuditShown};
use crate::service::{Page, PageQuery};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// From this one on, or down from it.
    from_seq: Option<u64>,
    /// By this actor.
    #[param(max_length = 256)]
    actor: Option<String>,
    /// Whose action begins so: `user.`
    #[param(max_length = 256)]
    action: Option<String>,
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// `newest` or `oldest` first; newest where it is missing.
    #[param(inline)]
    order: Option<AuditOrder>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Entries in a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Which entries come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuditOrder {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

/// Who did what, and who looked at what.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditParams),
    responses((status = 200, description = "A page", body = Page<AuditShown>)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(params): Params<AuditParams>) -> Answer {
    let filter = AuditFilter {
        from_seq: params.from_seq,
        actor: params.actor,
        action: params.action,
        agency: params.agency,
        newest_first: params.order.unwrap_or_default() == AuditOrder::Newest,
    };
    let page = PageQuery { cursor: params.cursor, limit: params.limit };
    ok(&audit::list(&admin, &who, &filter, &page).await?)
}

/// The whole audit as JSON Lines, as `gudok audit verify` reads it.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit",
    responses((status = 200, description = "One entry a line", content_type = "application/x-ndjson", body = String)))]
pub(crate) async fn export(State(admin): State<Admin>, who: Principal) -> Answer {
    let lines = audit::export(&admin, &who).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// Checks the audit's chain, and that nothing was cut off its end.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit",
    responses((status = 200, description = "What was found", body = AuditChecked)))]
pub(crate) async fn verify(State(admin): State<Admin>, who: Principal) -> Answer {
    ok(&audit::verify(&admin, &who).await?)
}
