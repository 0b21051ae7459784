//! Callbacks: who is owed a call, and what people decide where the engine may not.

use super::desk::{Decide, Owed};
use super::desk_page::decide;
use super::operators::done;
use crate::console::calls::party;
use crate::console::confirm::{Ask, confirm};
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::lists;
use crate::console::stream::{Live, rendered};
use crate::console::visit::{Outcome, Posted, Visit};
use crate::names::CallbackName;
use crate::ports::CallbackRow;
use crate::problem::Problem;
use crate::service::PageQuery;
use crate::service::callbacks::{self as service, CallbackState};
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;
use std::time::Duration;

const PAGE: &str = "/console/callbacks";
/// Due times pass by themselves.
const REDRAW_EVERY: Duration = Duration::from_secs(10);

/// Rows of the live table.
const ROWS_MAX: usize = 200;

/// The table that moves.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Owed>,
    pub(crate) left_out: usize,
}

impl Table {
    pub(crate) fn of(c: &Ctx, rows: &[CallbackRow], decide: Decide) -> Self {
        let shown: Vec<Owed> = rows.iter().take(ROWS_MAX).map(|row| Owed::of(c, row, decide)).collect();
        Self { left_out: rows.len() - shown.len(), rows: shown }
    }
}

/// All callbacks of a state.
#[derive(Template)]
#[template(path = "callbacks.html")]
pub(crate) struct CallbacksPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) states: Vec<Choice>,
    pub(crate) rows: Vec<Owed>,
    pub(crate) left_out: usize,
    pub(crate) stream: String,
}

/// The table alone.
#[derive(Template)]
#[template(path = "callbacks_list.html")]
pub(crate) struct CallbacksFragment<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) rows: &'a [Owed],
    pub(crate) left_out: usize,
}

/// Which callbacks a reader may ask for.
pub(crate) fn states(c: &Ctx) -> Vec<Choice> {
    ["open", "ended", "all"].map(|state| Choice::new(state, c.t(&format!("callbacks.which.{state}")))).to_vec()
}

fn state_of(form: &Form) -> CallbackState {
    match form.value("state") {
        "ended" => CallbackState::Ended,
        "all" => CallbackState::All,
        _ => CallbackState::Open,
    }
}

async fn rows(visit: &Visit, state: CallbackState) -> Result<Vec<CallbackRow>, Problem> {
    let query = PageQuery { cursor: None, limit: Some(crate::limits::PAGE_ITEMS_MAX) };
    Ok(service::list(&visit.admin, &visit.me, state, None, &query).await?.items)
}

/// `GET /console/callbacks`
pub(super) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let form = query.0.clone().or("state", "open");
    let rows = rows(&visit, state_of(&form)).await?;
    let Table { rows, left_out } = Table::of(&visit.c, &rows, decide(&visit));
    let known = match state_of(&form) {
        CallbackState::Ended => "ended",
        CallbackState::All => "all",
        _ => "open",
    };
    let stream = format!("{PAGE}/stream?state={known}");
    Ok(visit.page(&CallbacksPage { c: &visit.c, form, states: states(&visit.c), rows, left_out, stream }))
}

/// `GET /console/callbacks/stream`
pub(super) async fn stream(visit: Visit, query: lists::Asked) -> Outcome {
    let state = state_of(&query.0);
    let draw = move |visit: Visit| async move {
        let table = Table::of(&visit.c, &rows(&visit, state).await?, decide(&visit));
        let fragment = CallbacksFragment { c: &visit.c, rows: &table.rows, left_out: table.left_out };
        Ok(vec![("callbacks", rendered(&fragment))])
    };
    Live::of("callbacks", draw).also_every(REDRAW_EVERY).begin(visit).await
}

/// `POST /console/callbacks/{id}/connected`
pub(super) async fn connected(Path(id): Path<String>, headers: HeaderMap, Posted { visit, .. }: Posted) -> Outcome {
    service::take_as_connected(&visit.admin, &visit.me, &id.parse()?).await?;
    done(&headers, PAGE)
}

/// `POST /console/callbacks/{id}/try-again`
pub(super) async fn try_again(Path(id): Path<String>, headers: HeaderMap, Posted { visit, .. }: Posted) -> Outcome {
    service::try_again(&visit.admin, &visit.me, &id.parse()?).await?;
    done(&headers, PAGE)
}

/// `GET /console/callbacks/{id}/cancel`
pub(super) async fn ask_cancel(visit: Visit, headers: HeaderMap, Path(id): Path<String>) -> Outcome {
    let id: CallbackName = id.parse()?;
    let row = service::read(&visit.admin, &visit.me, &id).await?;
    let number = party(&visit.c, &row.number);
    let ask = Ask::new(format!("{PAGE}/{id}/cancel"), PAGE)
        .title(visit.c.w("callback.cancel.title", [("number", number.as_str())]))
        .text(visit.c.t("callback.cancel.text"))
        .yes(visit.c.t("callback.cancel"))
        .into_part("#refused");
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/callbacks/{id}/cancel`
pub(super) async fn cancel(Path(id): Path<String>, headers: HeaderMap, Posted { visit, .. }: Posted) -> Outcome {
    service::cancel(&visit.admin, &visit.me, &id.parse()?).await?;
    done(&headers, PAGE)
}
