//! Callbacks: promised, kept, escalated, decided about. Numbers are masked; showing one is in the audit.

use super::commit::{Look, looked};
use super::{Page, PageQuery, agencies, check_text, page, queues};
use crate::Admin;
use crate::access::{Operation, Scope};
use crate::auth::Principal;
use crate::ledger::{Change, with_details};
use crate::limits::TEXT_CHARS_MAX;
use crate::names::{AgencyName, CallbackName, Lang, QueueName};
use crate::ports::{CallbackBooking, CallbackRow, CallbackWhich};
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use crate::time;
use gudok_core::centre::CallbackDecision;
use gudok_core::ids::{CallbackId, Queue};
use gudok_core::privacy::PhoneNumber;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest number that is looked at.
const NUMBER_BYTES_MAX: usize = 64;

/// Which callbacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CallbackState {
    /// Waiting, under way, or unknown.
    #[default]
    Open,
    /// Connected or given up.
    Ended,
    /// Open ones first.
    All,
    /// Wait for their turn.
    Waiting,
    /// Under way.
    Claimed,
    /// The engine went down in the middle of an attempt: somebody must decide.
    Unknown,
    /// The caller talked to an operator.
    Connected,
    /// Nobody will call any more.
    GivenUp,
    /// Open, and not kept in time.
    Escalated,
}

impl CallbackState {
    const fn which(self) -> CallbackWhich {
        match self {
            Self::Open | Self::Waiting | Self::Claimed | Self::Unknown | Self::Escalated => CallbackWhich::Open,
            Self::Ended | Self::Connected | Self::GivenUp => CallbackWhich::Ended,
            Self::All => CallbackWhich::All,
        }
    }

    fn fits(self, row: &CallbackRow) -> bool {
        match self {
            Self::Open | Self::Ended | Self::All => true,
            Self::Waiting => row.state == "waiting",
            Self::Claimed => row.state == "claimed",
            Self::Unknown => row.state == "unknown",
            Self::Connected => row.state == "connected",
            Self::GivenUp => row.state == "given-up",
            Self::Escalated => row.escalated_ms.is_some(),
        }
    }
}

/// A callback to be promised.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackBody {
    /// By which queue's operators.
    #[schema(value_type = String)]
    pub queue: QueueName,
    /// Whom to call, as written here or with a plus.
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    pub number: Redacted,
    /// In a few words, for the operator who calls.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub topic: String,
    /// Whose caller; the queue's agency, or the only one within reach, where it is missing.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub agency: Option<AgencyName>,
    /// In which language the caller is spoken to; the centre's where it is missing.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub lang: Option<Lang>,
    /// Not before, RFC 3339.
    #[serde(default)]
    pub earliest: Option<String>,
}

/// A callback's number in clear.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CallbackNumber {
    /// The callback.
    pub id: String,
    /// E.164.
    #[serde(serialize_with = "crate::redacted::show_once")]
    #[schema(value_type = String)]
    pub number: Redacted,
}

/// One page of callbacks, those due first at the beginning.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    state: CallbackState,
    agency: Option<&AgencyName>,
    query: &PageQuery,
) -> Result<Page<CallbackRow>, Problem> {
    let scope = who.may(Operation::CallbacksList)?;
    let only = scope.narrow(agency)?;
    let mut rows = admin.engine().callbacks(state.which()).await?;
    rows.retain(|row| {
        scope.includes(&row.agency) && only.as_ref().is_none_or(|only| *only == row.agency) && state.fits(row)
    });
    page::of_ordered("callbacks", rows, query)
}

/// One callback.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, id: &CallbackName) -> Result<CallbackRow, Problem> {
    seen(admin, who, Operation::CallbackRead, id).await
}

/// Promises a callback for a caller.
///
/// # Errors
/// `forbidden`, `invalid-field`, `unknown-reference`; the engine's refusal.
pub async fn book(admin: &Admin, who: &Principal, body: CallbackBody) -> Result<CallbackRow, Problem> {
    let scope = who.may(Operation::CallbackBook)?;
    check_text("topic", &body.topic, TEXT_CHARS_MAX)?;
    if let Some(agency) = &body.agency {
        who.may_in(Operation::CallbackBook, agency.as_str())?;
        if !agencies::exists(admin, agency).await? {
            return Err(Problem::new(&codes::UNKNOWN_REFERENCE, "There is no such agency.").field("agency"));
        }
    }
    let queue = queues::must_see(admin, &scope, &body.queue).await?;
    let agency = agency_of(&scope, body.agency.as_ref(), queue.agency.as_deref())?;
    let number = number(admin, &body.number)?;
    let earliest_ms = time::read_some("earliest", body.earliest.as_deref())?;
    let details = serde_json::json!({
        "queue": body.queue, "number": number.masked(), "topic": body.topic, "earliest_ms": earliest_ms,
    });
    note(admin, who, "callback.book", format!("queue:{}", body.queue), &agency, details).await?;
    let booking = CallbackBooking {
        queue: Queue::new(body.queue.as_str()),
        agency,
        number,
        topic: body.topic,
        lang: body.lang.map(|lang| lang.to_string()),
        earliest_ms,
    };
    Ok(admin.engine().callback_book(who.actor(), booking).await?)
}

/// Nobody calls any more.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict` where it has ended.
pub async fn cancel(admin: &Admin, who: &Principal, id: &CallbackName) -> Result<CallbackRow, Problem> {
    let decision = CallbackDecision::Cancel { by: who.user.as_str().into() };
    decide(admin, who, id, Operation::CallbackCancel, decision).await
}

/// Of an unknown or given-up one: once more.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict`.
pub async fn try_again(admin: &Admin, who: &Principal, id: &CallbackName) -> Result<CallbackRow, Problem> {
    decide(admin, who, id, Operation::CallbackTryAgain, CallbackDecision::TryAgain).await
}

/// Of an unknown one: the caller was reached.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict`.
pub async fn take_as_connected(admin: &Admin, who: &Principal, id: &CallbackName) -> Result<CallbackRow, Problem> {
    decide(admin, who, id, Operation::CallbackConnected, CallbackDecision::TakeAsConnected).await
}

/// The number of a callback in clear, for somebody who must dial it by hand. The audit names who looked.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn reveal(admin: &Admin, who: &Principal, id: &CallbackName) -> Result<CallbackNumber, Problem> {
    let row = seen(admin, who, Operation::CallbackNumber, id).await?;
    let (action, agency) = ("callback.number", Some(row.agency.as_str()));
    let details = serde_json::json!({ "state": row.state });
    looked(admin, who, Look { action, object: format!("callback:{id}"), agency, details }).await?;
    let number = admin.engine().callback_number(core(id)).await?;
    Ok(CallbackNumber { id: row.id, number: Redacted::new(number.reveal().to_owned()) })
}

async fn decide(
    admin: &Admin,
    who: &Principal,
    id: &CallbackName,
    operation: Operation,
    decision: CallbackDecision,
) -> Result<CallbackRow, Problem> {
    let row = seen(admin, who, operation, id).await?;
    let action = match &decision {
        CallbackDecision::Cancel { .. } => "callback.cancel",
        CallbackDecision::TryAgain => "callback.try-again",
        CallbackDecision::TakeAsConnected => "callback.connected",
    };
    let details = serde_json::json!({ "state": row.state, "attempts": row.attempts.len() });
    note(admin, who, action, format!("callback:{id}"), &row.agency, details).await?;
    Ok(admin.engine().callback_decide(who.actor(), core(id), decision).await?)
}

async fn seen(admin: &Admin, who: &Principal, operation: Operation, id: &CallbackName) -> Result<CallbackRow, Problem> {
    who.may(operation)?;
    let row = admin.engine().callback(core(id)).await?.ok_or_else(|| Problem::not_found("callback", id))?;
    who.sees(operation, &row.agency, "callback", id.as_str())?;
    Ok(row)
}

/// The audit first: a promise that cannot be written down is not given.
async fn note(
    admin: &Admin,
    who: &Principal,
    action: &str,
    object: String,
    agency: &str,
    details: serde_json::Value,
) -> Result<(), Problem> {
    let draft = with_details(who.audit(action, object, Some(agency)), details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await.map(|_| ())
}

/// Whose caller it is: as asked, as the queue is, or as the only role says.
pub(crate) fn agency_of(scope: &Scope, asked: Option<&AgencyName>, of_queue: Option<&str>) -> Result<String, Problem> {
    let missing = || {
        let problem = Problem::invalid("agency", "Say whose caller it is.");
        problem.remedy("The queue is the centre's own: callers of every agency wait there.")
    };
    match (asked, of_queue, scope) {
        (Some(asked), Some(of_queue), _) if asked.as_str() != of_queue => {
            Err(Problem::invalid("agency", "The queue is another agency's."))
        }
        (Some(asked), ..) => Ok(asked.to_string()),
        (None, Some(of_queue), _) => Ok(of_queue.to_owned()),
        (None, None, Scope::Agencies(agencies)) if agencies.len() == 1 => agencies.first().cloned().ok_or_else(missing),
        (None, None, _) => Err(missing()),
    }
}

/// A telephone number in the one form that is dialled.
pub(crate) fn number(admin: &Admin, number: &Redacted) -> Result<PhoneNumber, Problem> {
    let text = number.reveal().trim();
    let canonical = if text.len() <= NUMBER_BYTES_MAX { admin.engine().canonical_number(text) } else { None };
    let canonical = canonical.ok_or_else(|| {
        let problem = Problem::new(&codes::INVALID, "It is not a whole telephone number.").field("number");
        problem.remedy("Write it as it is dialled here, or with a plus and the country's code.")
    })?;
    Ok(PhoneNumber::new(&canonical))
}

fn core(id: &CallbackName) -> CallbackId {
    CallbackId::new(id.as_str())
}
