//! The operator's desk: looks at it, and keeps it up to date.

use super::desk::{
    BarFragment, CallFragment, Choices, DayFragment, Decide, DeskPage, Forms, FoundFragment, GuideFragment, Now,
    OwedFragment, SaidFragment,
};
use crate::access::Operation;
use crate::console::form::Choice;
use crate::console::lists;
use crate::console::stream::{Drawn, Live, rendered};
use crate::console::visit::{Outcome, Visit};
use crate::ports::CallbackRow;
use crate::problem::Problem;
use crate::service::callbacks::{self, CallbackState};
use crate::service::desk::{self as service, Desk};
use crate::service::events::Seen;
use crate::service::guides::{self, Guide};
use crate::service::{PageQuery, queues};
use axum::http::HeaderMap;
use std::time::Duration;

/// A ringing call is on the desk before the telephone has rung twice.
const TOGETHER: Duration = Duration::from_millis(150);
/// Callbacks that are looked through for those of the operator's queues.
const CALLBACKS_MAX: usize = 500;
/// Guides to choose from.
const GUIDES_MAX: usize = 500;

/// What the desk is made of.
pub(super) struct Looked {
    pub(super) desk: Desk,
    pub(super) now: Now,
}

/// Looks at the reader's desk. `guide`: AGENCY/TOPIC, where another one than the call's own was asked for.
pub(super) async fn look(visit: &Visit, guide: Option<&str>) -> Result<Looked, Problem> {
    let desk = service::read(&visit.admin, &visit.me).await?;
    let owed = owed(visit, &desk).await?;
    let guides = all_guides(visit).await?;
    let named = |guide: &&Guide| wanted(guide, visit);
    let chosen = guide.filter(|name| !name.is_empty());
    let chosen = chosen.and_then(|name| guides.iter().find(|guide| named_as(guide, name)));
    let choices = guides.iter().filter(named).map(choice).collect();
    let now = Now::of(&visit.c, &desk, &owed, decide(visit), chosen, choices);
    Ok(Looked { desk, now })
}

fn wanted(guide: &Guide, visit: &Visit) -> bool {
    visit.c.may_in(Operation::GuideRead, &guide.agency)
}

fn named_as(guide: &Guide, name: &str) -> bool {
    name.split_once('/').is_some_and(|(agency, topic)| guide.agency == agency && guide.topic == topic)
}

fn choice(guide: &Guide) -> Choice {
    let title = if guide.title.is_empty() { &guide.topic } else { &guide.title };
    Choice::new(format!("{}/{}", guide.agency, guide.topic), format!("{} · {title}", guide.agency))
}

async fn all_guides(visit: &Visit) -> Result<Vec<Guide>, Problem> {
    if !visit.c.may(Operation::GuidesList) {
        return Ok(Vec::new());
    }
    let query = PageQuery { cursor: None, limit: Some(GUIDES_MAX) };
    Ok(guides::list(&visit.admin, &visit.me, None, &query).await?.items)
}

/// Callbacks of the operator's own queues, those due first at the beginning.
async fn owed(visit: &Visit, desk: &Desk) -> Result<Vec<CallbackRow>, Problem> {
    let query = PageQuery { cursor: None, limit: Some(CALLBACKS_MAX) };
    let page = callbacks::list(&visit.admin, &visit.me, CallbackState::Open, None, &query).await?;
    Ok(page.items.into_iter().filter(|row| desk.operator.queues.contains(&row.queue)).collect())
}

/// What the reader may decide about callbacks, as far as the role goes.
pub(super) fn decide(visit: &Visit) -> Decide {
    Decide {
        cancel: visit.c.may(Operation::CallbackCancel),
        retry: visit.c.may(Operation::CallbackTryAgain),
        connected: visit.c.may(Operation::CallbackConnected),
    }
}

/// What the forms choose from.
pub(super) async fn choices(visit: &Visit, desk: &Desk) -> Result<Choices, Problem> {
    let agencies = lists::agencies(visit).await?;
    let mut choices = Choices::of(&visit.c, desk, agencies);
    // Nobody is promised a call that no queue makes.
    let query = PageQuery { cursor: None, limit: Some(crate::limits::PAGE_ITEMS_MAX) };
    let rows = queues::list(&visit.admin, &visit.me, None, &query).await?.items;
    choices.queues.retain(|choice| rows.iter().any(|row| row.name == choice.value && row.calls_back));
    Ok(choices)
}

/// The whole desk, with what its forms have done or what is wrong in them.
pub(super) async fn page(visit: &Visit, forms: Forms, guide: Option<&str>) -> Result<String, Problem> {
    let looked = look(visit, guide).await?;
    let choices = choices(visit, &looked.desk).await?;
    Ok(rendered(&DeskPage::of(&visit.c, looked.now, forms, choices)))
}

/// `GET /console/desk`
pub(super) async fn show(visit: Visit, query: lists::Asked) -> Outcome {
    let looked = look(&visit, Some(query.0.value("guide"))).await?;
    let choices = choices(&visit, &looked.desk).await?;
    let found = super::directory::found(&visit, &query.0).await?;
    let forms = Forms { search: query.0.clone(), found, ..Forms::default() };
    Ok(visit.page(&DeskPage::of(&visit.c, looked.now, forms, choices)))
}

/// `GET /console/desk/search`
pub(super) async fn search(visit: Visit, query: lists::Asked) -> Outcome {
    let found = super::directory::found(&visit, &query.0).await?;
    Ok(visit.page(&FoundFragment { c: &visit.c, found }))
}

/// `GET /console/desk/guide`: another topic's. It stays until the desk is drawn anew.
pub(super) async fn guide(visit: Visit, headers: HeaderMap, query: lists::Asked) -> Outcome {
    if !headers.contains_key("hx-request") {
        return show(visit, query).await;
    }
    let looked = look(&visit, Some(query.0.value("guide"))).await?;
    Ok(visit.page(&GuideFragment { c: &visit.c, now: &looked.now }))
}

/// `GET /console/desk/stream`
pub(super) async fn stream(visit: Visit) -> Outcome {
    let live = Live::of("operators,callbacks,calls", draw).within(TOGETHER).only(matters);
    live.begin(visit).await
}

/// Of all that happens at the centre, what this desk shows.
fn matters(visit: &Visit, seen: &Seen) -> bool {
    match seen {
        Seen::Operator(row) => row.name == visit.me.user,
        Seen::Callback(_) | Seen::Lagged { .. } => true,
        // What the caller does before an operator answers; which calls are this desk's, the desk says itself.
        Seen::Call(call) => matches!(call.call.state.as_str(), "queued" | "ringing" | "bridged" | "landed"),
        _ => false,
    }
}

async fn draw(visit: Visit) -> Result<Drawn, Problem> {
    let now = &look(&visit, None).await?.now;
    let c = &visit.c;
    Ok(vec![
        ("said", rendered(&SaidFragment { c, now })),
        ("bar", rendered(&BarFragment { c, now })),
        ("call", rendered(&CallFragment { c, now })),
        ("owed", rendered(&OwedFragment { c, now })),
        ("day", rendered(&DayFragment { c, now })),
        ("guide", rendered(&GuideFragment { c, now })),
    ])
}
