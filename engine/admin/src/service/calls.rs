//! Calls that are up, and what happened in one.

use super::commit::{Look, looked};
use super::{Page, PageQuery, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::ledger::{Change, with_details};
use crate::names::{AgencyName, CallName};
use crate::ports::{LiveCall, Trace};
use crate::problem::{Problem, codes};
use gudok_core::ids::CallId;
use gudok_store::Cdr;
use serde::Serialize;
use utoipa::ToSchema;

/// What a call's state says when it is over.
const ENDED: &str = "ended";

/// An order that was given to a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Ordered {
    /// The call.
    pub id: String,
    /// `hangup` or `land`.
    pub order: String,
}

/// One page of the calls that are up, newest first.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    query: &PageQuery,
) -> Result<Page<LiveCall>, Problem> {
    let scope = who.may(Operation::CallsList)?;
    let only = scope.narrow(agency)?;
    let core = only.as_deref().map(gudok_core::ids::Agency::new);
    let mut calls = admin.engine().live_calls(core.as_ref());
    calls.retain(|call| scope.includes(&call.agency));
    let name = |call: &LiveCall| format!("{:020}-{}", u64::MAX - call.since_ms, call.id);
    calls.sort_by_key(name);
    page::of_sorted("calls", calls, query, name)
}

/// Every call that is up and within reach, in no order: for a page that shows them all.
///
/// # Errors
/// `forbidden`.
pub fn all(admin: &Admin, who: &Principal, agency: Option<&AgencyName>) -> Result<Vec<LiveCall>, Problem> {
    let scope = who.may(Operation::CallsList)?;
    let only = scope.narrow(agency)?;
    let core = only.as_deref().map(gudok_core::ids::Agency::new);
    let mut calls = admin.engine().live_calls(core.as_ref());
    calls.retain(|call| scope.includes(&call.agency));
    Ok(calls)
}

/// One call, live or past. A past one is a look at a caller's data, and goes to the audit.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, id: &CallName) -> Result<LiveCall, Problem> {
    who.may(Operation::CallRead)?;
    if let Some(call) = live(admin, id) {
        who.sees(Operation::CallRead, &call.agency, "call", id.as_str())?;
        return Ok(call);
    }
    let cdrs = super::cdrs::of_call(admin, id).await?;
    let first = cdrs.iter().min_by_key(|cdr| cdr.began.leg).ok_or_else(|| Problem::not_found("call", id))?;
    let agency = first.began.agency.as_str();
    who.sees(Operation::CallRead, agency, "call", id.as_str())?;
    let details = serde_json::json!({ "call": id });
    let look = Look { action: "cdr.read", object: format!("call:{id}"), agency: Some(agency), details };
    looked(admin, who, look).await?;
    Ok(past(first))
}

/// What happened in a call. It is a look at a caller's data, and goes to the audit.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn trace(admin: &Admin, who: &Principal, id: &CallName) -> Result<Trace, Problem> {
    who.may(Operation::CallTrace)?;
    let mut trace = admin.engine().trace(core(id)?).await.ok_or_else(|| Problem::not_found("trace of a call", id))?;
    let theirs = |agency: &str| who.may_in(Operation::CallTrace, agency).is_ok();
    // A caller who was handed from agency to agency is each one's for a part of the way.
    let own = trace.lines.iter().filter_map(|line| line.agency.as_deref()).find(|agency| theirs(agency));
    who.sees(Operation::CallTrace, own.unwrap_or(&trace.agency), "trace of a call", id.as_str())?;
    trace.lines.retain(|line| line.agency.as_deref().is_none_or(theirs));
    let object = format!("call:{id}");
    let details = serde_json::json!({ "live": trace.live });
    looked(admin, who, Look { action: "trace.read", object, agency: Some(&trace.agency), details }).await?;
    Ok(trace)
}

/// Ends a call.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict` where it is over.
pub async fn hang_up(admin: &Admin, who: &Principal, id: &CallName) -> Result<Ordered, Problem> {
    order(admin, who, id, Operation::CallHangUp).await
}

/// Takes a caller out of the script's hands, to an operator.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict` where it is over.
pub async fn land(admin: &Admin, who: &Principal, id: &CallName) -> Result<Ordered, Problem> {
    order(admin, who, id, Operation::CallLand).await
}

async fn order(admin: &Admin, who: &Principal, id: &CallName, operation: Operation) -> Result<Ordered, Problem> {
    who.may(operation)?;
    let call = live(admin, id).ok_or_else(|| Problem::not_found("live call", id))?;
    who.sees(operation, &call.agency, "live call", id.as_str())?;
    let (action, order) =
        if operation == Operation::CallHangUp { ("call.hangup", "hangup") } else { ("call.land", "land") };
    // The audit first: an order that cannot be written down is not given.
    let draft = who.audit(action, format!("call:{id}"), Some(&call.agency));
    let draft = with_details(draft, serde_json::json!({ "entry": call.entry, "step": call.step, "state": call.state }));
    admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    let call = core(id)?;
    let heard =
        if operation == Operation::CallHangUp { admin.engine().hang_up(call) } else { admin.engine().land(call) };
    if heard {
        Ok(Ordered { id: id.to_string(), order: order.to_owned() })
    } else {
        Err(Problem::new(&codes::CONFLICTING, "The call was over before the order reached it."))
    }
}

pub(crate) fn core(id: &CallName) -> Result<CallId, Problem> {
    CallId::parse(id.as_str()).ok_or_else(|| Problem::not_found("call", id))
}

pub(crate) fn live(admin: &Admin, id: &CallName) -> Option<LiveCall> {
    admin.engine().live_calls(None).into_iter().find(|call| call.id == id.as_str())
}

fn past(cdr: &Cdr) -> LiveCall {
    let began = &cdr.began;
    LiveCall {
        id: began.call_id.to_string(),
        agency: began.agency.to_string(),
        entry: began.entry.clone(),
        script: began.script.clone(),
        version: String::new(),
        label: began.script_version.clone(),
        caller: began.caller.shown().to_owned(),
        called: began.called.shown().to_owned(),
        since_ms: began.started_ms.0,
        step: String::new(),
        state: ENDED.to_owned(),
        lang: began.language.clone(),
    }
}
