//! The pages of calls, and what keeps them and a deployment's page up to date.

use super::calls::{CallPage, CallsPage, CallsTable, Heard, Table, caller_of};
use super::centre::marks::{self, Marked};
use super::confirm::{Ask, confirm};
use super::context::Ctx;
use super::deployments::{Now, NowFragment, RunningFragment};
use super::form::Form;
use super::format;
use super::lists;
use super::stream::{Live, rendered};
use super::visit::{Outcome, Posted, Visit, encoded, go};
use crate::access::Operation;
use crate::names::{AgencyName, CallName, EntryName};
use crate::problem::{Problem, codes};
use crate::service::{PageQuery, calls as service, deployments, journals, recordings, versions};
use axum::extract::Path;
use axum::http::HeaderMap;

/// Versions whose names are looked up for a trace.
const VERSIONS_MAX: usize = 1_000;

fn agency_of(query: &lists::Asked, c: &Ctx) -> (Form, Option<AgencyName>) {
    let mut form = query.0.clone();
    let agency = form.parsed_some(c.lang, "agency");
    (form, agency)
}

/// `GET /console/calls`
pub(crate) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let (form, agency) = agency_of(&query, &visit.c);
    let calls = service::all(&visit.admin, &visit.me, agency.as_ref())?;
    let filter = agency.as_ref().map(|agency| format!("?agency={}", encoded(agency.as_str())));
    Ok(visit.page(&CallsPage {
        c: &visit.c,
        form: form.or("agency", ""),
        agencies: lists::agency_filter(&visit).await?,
        table: Table::of(&visit.c, &calls),
        stream: format!("/console/calls/stream{}", filter.unwrap_or_default()),
    }))
}

/// `GET /console/calls/stream`
pub(crate) async fn stream_calls(visit: Visit, query: lists::Asked) -> Outcome {
    let (_, agency) = agency_of(&query, &visit.c);
    let draw = move |visit: Visit| {
        let agency = agency.clone();
        async move {
            let calls = service::all(&visit.admin, &visit.me, agency.as_ref())?;
            let table = Table::of(&visit.c, &calls);
            let count = visit.c.n("calls.count", table.total);
            Ok(vec![("count", count), ("calls", rendered(&CallsTable { c: &visit.c, table }))])
        }
    };
    Live::of("calls", draw).begin(visit).await
}

/// `GET /console/deployments/{agency}/{entry}/stream`
pub(crate) async fn stream_deployment(visit: Visit, Path((agency, entry)): Path<(String, String)>) -> Outcome {
    let agency: AgencyName = agency.parse()?;
    let entry: EntryName = entry.parse()?;
    deployments::read(&visit.admin, &visit.me, &agency, &entry)?;
    let draw = move |visit: Visit| {
        let (agency, entry) = (agency.clone(), entry.clone());
        async move {
            let deployment = deployments::read(&visit.admin, &visit.me, &agency, &entry)?.value;
            let now = || Now::of(&visit.c, &deployment, &std::collections::BTreeMap::new());
            Ok(vec![
                ("now", rendered(&NowFragment { c: &visit.c, now: now() })),
                ("running", rendered(&RunningFragment { c: &visit.c, now: now() })),
            ])
        }
    };
    Live::of("deployments,calls", draw).begin(visit).await
}

/// `GET /console/calls/{id}`
pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Outcome {
    let id: CallName = id.parse()?;
    let trace = service::trace(&visit.admin, &visit.me, &id).await?;
    let query = PageQuery { cursor: None, limit: Some(VERSIONS_MAX) };
    let versions = match visit.c.may(Operation::VersionsList) {
        true => versions::list(&visit.admin, &visit.me, None, None, &query).await?.items,
        false => Vec::new(),
    };
    let name = |version: versions::Version| (version.id, format!("{} {}", version.script, version.version));
    let names = versions.into_iter().map(name).collect();
    let heard = if trace.live { Vec::new() } else { heard(&visit, &id).await? };
    let has_journal =
        visit.c.may(Operation::CallJournal) && !journals::rows(&visit.admin, &visit.me, &id).await?.is_empty();
    Ok(visit.page(&CallPage::of(&visit.c, &trace, &names, heard).with_journal(has_journal)))
}

/// A past call's recordings, for those who may know of them.
async fn heard(visit: &Visit, id: &CallName) -> Result<Vec<Heard>, Problem> {
    let c = &visit.c;
    if !c.may(Operation::RecordingsList) {
        return Ok(Vec::new());
    }
    let items = match recordings::list(&visit.admin, &visit.me, id).await {
        Ok(recordings) => recordings.items,
        // A trace may outlive the records of its call.
        Err(problem) if problem.is(&codes::NOT_FOUND) => Vec::new(),
        Err(problem) => return Err(problem),
    };
    let mut all = Vec::with_capacity(items.len());
    for recording in items {
        let deleted = recording.deleted.as_deref().map(|at| c.moment_of(at).people);
        let name = recording.name.parse()?;
        let mark = marks::read(visit, id, &name).await?;
        all.push(Heard {
            facts: match &deleted {
                Some(at) => c.w("recording.deleted", [("at", at.as_str())]),
                None => format::duration(recording.duration_ms),
            },
            href: format!("/api/v1/calls/{id}/recordings/{}", encoded(&recording.name)),
            may_play: deleted.is_none() && c.may_in(Operation::RecordingPlay, &recording.agency),
            mark: Some(Marked::of(c, id.as_str(), &recording.name, &recording.agency, mark.as_ref())),
            name: recording.name,
        });
    }
    Ok(all)
}

fn ask(visit: &Visit, headers: &HeaderMap, id: &str, what: &str, operation: Operation) -> Outcome {
    let id: CallName = id.parse()?;
    visit.me.may(operation)?;
    let calls = service::all(&visit.admin, &visit.me, None)?;
    let Some(call) = calls.iter().find(|call| call.id == id.as_str()) else {
        return Ok(go("/console/calls", Some("call_over")));
    };
    visit.me.may_in(operation, &call.agency)?;
    let caller = caller_of(&visit.c, call);
    let ask = Ask::new(format!("/console/calls/{id}/{what}"), "/console/calls")
        .title(visit.c.t(&format!("{what}.title")))
        .text(visit.c.w(&format!("{what}.text"), [("caller", caller.as_str())]))
        .yes(visit.c.t(&format!("{what}.yes")));
    Ok(confirm(visit, headers, if operation == Operation::CallLand { ask.calm() } else { ask }))
}

/// `GET /console/calls/{id}/hangup`
pub(crate) async fn ask_hangup(visit: Visit, headers: HeaderMap, Path(id): Path<String>) -> Outcome {
    ask(&visit, &headers, &id, "hangup", Operation::CallHangUp)
}

/// `GET /console/calls/{id}/land`
pub(crate) async fn ask_land(visit: Visit, headers: HeaderMap, Path(id): Path<String>) -> Outcome {
    ask(&visit, &headers, &id, "land", Operation::CallLand)
}

fn ordered(done: Result<service::Ordered, Problem>, notice: &str) -> Outcome {
    match done {
        Ok(_) => Ok(go("/console/calls", Some(notice))),
        // It ended while somebody was asking.
        Err(problem) if problem.is(&codes::NOT_FOUND) || problem.is(&codes::CONFLICTING) => {
            Ok(go("/console/calls", Some("call_over")))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /console/calls/{id}/hangup`
pub(crate) async fn hang_up(Path(id): Path<String>, Posted { visit, .. }: Posted) -> Outcome {
    ordered(service::hang_up(&visit.admin, &visit.me, &id.parse()?).await, "hangup")
}

/// `POST /console/calls/{id}/land`
pub(crate) async fn land(Path(id): Path<String>, Posted { visit, .. }: Posted) -> Outcome {
    ordered(service::land(&visit.admin, &visit.me, &id.parse()?).await, "land")
}
