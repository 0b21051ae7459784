//! The operator's own desk: state, the call that is on it, what to say, to whom callers may be given.

use super::guides::{self, Guide};
use super::{check_text, operators, queues};
use crate::Admin;
use crate::access::{Operation, Scope};
use crate::auth::Principal;
use crate::ledger::{Change, with_details};
use crate::limits::TEXT_CHARS_MAX;
use crate::names::{OperatorName, QueueName};
use crate::ports::{DeskCall, DeskTarget, OperatorRow, WrapUp};
use crate::problem::{Problem, codes};
use gudok_core::centre::{LogoutReason, OperatorOrder};
use gudok_core::ids::{Operator, Queue};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An operator's own desk.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Desk {
    /// The operator.
    pub operator: OperatorRow,
    /// The call that rings, is talked in, or is written up; null: none.
    pub call: Option<DeskCall>,
    /// What to say and ask, for the call's topic.
    pub guide: Option<Guide>,
    /// The queues that the operator serves.
    pub queues: Vec<DeskQueue>,
    /// To whom the caller may be given.
    pub transfer_to: Vec<TransferTo>,
    /// Words for a pause.
    pub pause_reasons: Vec<String>,
    /// Words for the end of a call.
    pub wrap_up_codes: Vec<String>,
}

/// A queue, as the operators who serve it see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeskQueue {
    /// Its name.
    pub name: String,
    /// Operators work by the calendar.
    pub open: bool,
    /// Callers who wait, and callbacks that do.
    pub waiting: usize,
    /// Since when the first one has waited, milliseconds since 1970.
    pub longest_since_ms: Option<u64>,
    /// Operators who are ready.
    pub ready: u32,
}

/// Somebody to whom a caller may be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TransferTo {
    /// As a transfer names it: `operator:anna`, `queue:help`.
    pub target: String,
    /// For people.
    pub shown_name: String,
    /// Whether somebody is free there.
    pub free: bool,
}

/// Why an operator is away for a while.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseBody {
    /// One word: break, lunch.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub reason: Option<String>,
}

/// What a call was about.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrapUpBody {
    /// Of the guide's list, where it has one.
    #[schema(min_length = 1, max_length = 64)]
    pub code: String,
    /// In own words; never a caller's number.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub note: String,
}

/// To whom the caller goes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferBody {
    /// `operator:anna`, `queue:help`, `extension:122`.
    #[schema(pattern = "^(operator|queue|extension):.+$", max_length = 80)]
    pub target: String,
}

/// Words for the end of a call where no guide has others.
const WRAP_UP_CODES: [&str; 6] = ["solved", "ticket", "passed-on", "call-back", "wrong-number", "no-answer"];

/// The desk of the operator who asks.
///
/// # Errors
/// `forbidden`, `not-found` where the user sits at no desk.
pub async fn read(admin: &Admin, who: &Principal) -> Result<Desk, Problem> {
    let name = own(who, Operation::DeskRead)?;
    let rows = admin.engine().operators().await;
    let operator = rows.iter().find(|row| row.name == who.user).cloned().ok_or_else(|| no_desk(who))?;
    let mut call = admin.engine().desk(&operators::core(&name)).await;
    if let Some(call) = &mut call {
        // What another agency's script did with the caller is no part of this one's desk.
        let theirs = |agency: &Option<String>| agency.as_ref().is_none_or(|of| *of == call.agency);
        call.so_far.retain(|line| theirs(&line.agency));
    }
    let guide = match &call {
        Some(call) => guides::for_desk(admin, &call.agency, &call.topic).await?,
        None => None,
    };
    let served = queues::seen(admin, &Scope::Everything).await;
    let served: Vec<_> = served.into_iter().filter(|queue| operator.queues.contains(&queue.name)).collect();
    let wrap_up_codes = match &guide {
        Some(guide) if !guide.wrap_up_codes.is_empty() => guide.wrap_up_codes.clone(),
        _ => WRAP_UP_CODES.map(str::to_owned).to_vec(),
    };
    Ok(Desk {
        transfer_to: targets(&operator, &rows, &served),
        queues: served.iter().map(line).collect(),
        pause_reasons: operators::PAUSE_REASONS.map(str::to_owned).to_vec(),
        operator,
        call,
        guide,
        wrap_up_codes,
    })
}

/// At work, and ready.
///
/// # Errors
/// `forbidden`, `not-found`; the engine's refusal.
pub async fn log_in(admin: &Admin, who: &Principal) -> Result<OperatorRow, Problem> {
    order(admin, who, Operation::DeskLogin, OperatorOrder::LogIn, "desk.login").await
}

/// Ready again: ends a pause or a wrap-up.
///
/// # Errors
/// As [`log_in`].
pub async fn ready(admin: &Admin, who: &Principal) -> Result<OperatorRow, Problem> {
    order(admin, who, Operation::DeskReady, OperatorOrder::Ready, "desk.ready").await
}

/// Not to be rung for a while. While on a call, it begins after it.
///
/// # Errors
/// As [`log_in`]; `invalid-field`.
pub async fn pause(admin: &Admin, who: &Principal, body: PauseBody) -> Result<OperatorRow, Problem> {
    who.may(Operation::DeskPause)?;
    let reason = operators::own_reason(body.reason.as_deref())?;
    order(admin, who, Operation::DeskPause, OperatorOrder::Pause(reason), "desk.pause").await
}

/// At work no more. While on a call, after it.
///
/// # Errors
/// As [`log_in`].
pub async fn log_out(admin: &Admin, who: &Principal) -> Result<OperatorRow, Problem> {
    order(admin, who, Operation::DeskLogout, OperatorOrder::LogOut(LogoutReason::Own), "desk.logout").await
}

/// Says what the call that is written up, or talked in, was about.
///
/// # Errors
/// `forbidden`, `not-found`, `invalid-field`, `conflict` where there is no such call.
pub async fn wrap_up(admin: &Admin, who: &Principal, body: WrapUpBody) -> Result<(), Problem> {
    let name = own(who, Operation::DeskWrapUp)?;
    const CODE_CHARS_MAX: usize = 64;
    let code = body.code.trim().to_owned();
    check_text("code", &code, CODE_CHARS_MAX)?;
    check_text("note", &body.note, TEXT_CHARS_MAX)?;
    if code.is_empty() {
        return Err(Problem::invalid("code", "A code says something."));
    }
    let call = on_desk(admin, who, &name).await?;
    let guide = guides::for_desk(admin, &call.agency, &call.topic).await?;
    let codes = guide.map(|guide| guide.wrap_up_codes).unwrap_or_default();
    if !codes.is_empty() && !codes.contains(&code) {
        let problem = Problem::invalid("code", "The guide's list does not have it.");
        return Err(problem.remedy(format!("Say {}.", codes.join(", "))));
    }
    // A number that slipped into the note is not kept.
    let note = gudok_core::privacy::mask_digit_runs(&body.note);
    let details = serde_json::json!({ "call": call.call, "code": code });
    let draft = with_details(who.audit("desk.wrap-up", format!("call:{}", call.call), Some(&call.agency)), details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    Ok(admin.engine().desk_wrap_up(operators::core(&name), WrapUp { code, note }).await?)
}

/// Gives the caller to somebody else.
///
/// # Errors
/// `forbidden`, `not-found`, `invalid-field`, `unknown-reference`, `conflict` where nobody is on the line.
pub async fn transfer(admin: &Admin, who: &Principal, body: TransferBody) -> Result<(), Problem> {
    let name = own(who, Operation::DeskTransfer)?;
    let target = target(admin, &body.target).await?;
    let call = on_desk(admin, who, &name).await?;
    let details = serde_json::json!({ "call": call.call, "target": body.target });
    let draft = with_details(who.audit("desk.transfer", format!("call:{}", call.call), Some(&call.agency)), details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    Ok(admin.engine().desk_transfer(who.actor(), operators::core(&name), target).await?)
}

/// The desk's own name, where the user may sit at one.
fn own(who: &Principal, operation: Operation) -> Result<OperatorName, Problem> {
    who.may(operation)?;
    who.user.parse().map_err(|_| no_desk(who))
}

fn no_desk(who: &Principal) -> Problem {
    let problem = Problem::not_found("operator", &who.user);
    problem.remedy("An admin makes one of the user's name: gudok operators add, or [[operator]] in gudok.toml.")
}

async fn order(
    admin: &Admin,
    who: &Principal,
    operation: Operation,
    order: OperatorOrder,
    action: &str,
) -> Result<OperatorRow, Problem> {
    let name = own(who, operation)?;
    operators::row(admin, &name).await.ok_or_else(|| no_desk(who))?;
    operators::tell(admin, who, &name, order, action).await
}

async fn on_desk(admin: &Admin, who: &Principal, name: &OperatorName) -> Result<DeskCall, Problem> {
    operators::row(admin, name).await.ok_or_else(|| no_desk(who))?;
    let call = admin.engine().desk(&operators::core(name)).await;
    call.ok_or_else(|| {
        let problem = Problem::new(&codes::CONFLICTING, "There is no call on the desk.");
        problem.remedy("Wait for the next caller.")
    })
}

async fn target(admin: &Admin, text: &str) -> Result<DeskTarget, Problem> {
    let unknown = |what: &str| {
        Problem::new(&codes::UNKNOWN_REFERENCE, format!("There is no such {what}."))
            .field("target")
            .remedy("GET /api/v1/desk lists to whom callers may be given.")
    };
    let (kind, name) = text.split_once(':').unwrap_or_default();
    match kind {
        "operator" => {
            let name: OperatorName = name.parse().map_err(|_| unknown("operator"))?;
            operators::row(admin, &name).await.ok_or_else(|| unknown("operator"))?;
            Ok(DeskTarget::Operator(Operator::new(name.as_str())))
        }
        "queue" => {
            let name: QueueName = name.parse().map_err(|_| unknown("queue"))?;
            let known = admin.engine().queues().await.iter().any(|queue| queue.name == name.as_str());
            if known { Ok(DeskTarget::Queue(Queue::new(name.as_str()))) } else { Err(unknown("queue")) }
        }
        // Telephones of the centre only: a caller is not sent out into the world by hand.
        "extension" if admin.engine().phone(name).is_some() => Ok(DeskTarget::Extension(name.to_owned())),
        "extension" => Err(unknown("extension")),
        _ => Err(Problem::invalid("target", "It is operator:NAME, queue:NAME or extension:NUMBER.")),
    }
}

fn targets(own: &OperatorRow, rows: &[OperatorRow], served: &[crate::ports::QueueRow]) -> Vec<TransferTo> {
    let colleagues = rows.iter().filter(|row| {
        row.name != own.name && row.state != "logged-out" && row.queues.iter().any(|queue| own.queues.contains(queue))
    });
    let colleagues = colleagues.map(|row| TransferTo {
        target: format!("operator:{}", row.name),
        shown_name: row.shown_name.clone(),
        free: row.state == "ready",
    });
    let queues = served.iter().map(|queue| TransferTo {
        target: format!("queue:{}", queue.name),
        shown_name: queue.name.clone(),
        free: queue.ready > 0,
    });
    colleagues.chain(queues).collect()
}

fn line(queue: &crate::ports::QueueRow) -> DeskQueue {
    DeskQueue {
        name: queue.name.clone(),
        open: queue.open,
        waiting: queue.waiting.len(),
        longest_since_ms: queue.waiting.iter().map(|waiting| waiting.since_ms).min(),
        ready: queue.ready,
    }
}
