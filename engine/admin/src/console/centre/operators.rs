//! What supervisors say to operators from the floor. The floor draws itself anew by its stream.

use crate::console::confirm::{Ask, confirm};
use crate::console::visit::{Outcome, Posted, Visit, go};
use crate::names::OperatorName;
use crate::problem::Problem;
use crate::service::PageQuery;
use crate::service::operators::{self as service, StateBody, StateWord};
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;

const FLOOR: &str = "/console/floor";

/// Done: a page that goes on is told by its stream, another one is asked for.
pub(super) fn done(headers: &HeaderMap, back: &str) -> Outcome {
    if headers.contains_key("hx-request") { Ok(StatusCode::NO_CONTENT.into_response()) } else { Ok(go(back, None)) }
}

async fn order(visit: &Visit, headers: &HeaderMap, name: &str, state: StateWord) -> Outcome {
    let name: OperatorName = name.parse()?;
    service::order(&visit.admin, &visit.me, &name, StateBody { state, reason: None }).await?;
    done(headers, FLOOR)
}

/// `POST /console/operators/{name}/ready`
pub(super) async fn ready(Path(name): Path<String>, headers: HeaderMap, Posted { visit, .. }: Posted) -> Outcome {
    order(&visit, &headers, &name, StateWord::Ready).await
}

/// `POST /console/operators/{name}/pause`
pub(super) async fn pause(Path(name): Path<String>, headers: HeaderMap, Posted { visit, .. }: Posted) -> Outcome {
    order(&visit, &headers, &name, StateWord::Pause).await
}

/// `GET /console/operators/{name}/logout`
pub(super) async fn ask_log_out(visit: Visit, headers: HeaderMap, Path(name): Path<String>) -> Outcome {
    let name: OperatorName = name.parse()?;
    let all = PageQuery { cursor: None, limit: Some(crate::limits::PAGE_ITEMS_MAX) };
    let rows = service::list(&visit.admin, &visit.me, None, &all).await?.items;
    let row = rows.into_iter().find(|row| row.name == name.as_str());
    let row = row.ok_or_else(|| Problem::not_found("operator", &name))?;
    let shown = if row.shown_name.is_empty() { row.name } else { row.shown_name };
    let ask = Ask::new(format!("/console/operators/{name}/logout"), FLOOR)
        .title(visit.c.w("operators.logout.title", [("name", shown.as_str())]))
        .text(visit.c.t("operators.logout.text"))
        .yes(visit.c.t("operators.logout"))
        .into_part("#operators");
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/operators/{name}/logout`
pub(super) async fn log_out(Path(name): Path<String>, headers: HeaderMap, Posted { visit, .. }: Posted) -> Outcome {
    order(&visit, &headers, &name, StateWord::LoggedOut).await
}
