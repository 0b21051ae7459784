//! Supervisors take part in talks: they listen, whisper to the operator, or barge in. Every one of it is in the audit.

use super::calls::{self, Ordered};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::ledger::{Change, with_details};
use crate::names::CallName;
use crate::ports::LiveCall;
use crate::problem::{Problem, codes};
use gudok_core::call::Supervision;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a supervisor takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Hears both, is heard by nobody.
    Listen,
    /// Hears both, is heard by the operator.
    Whisper,
    /// Hears both, is heard by both.
    Barge,
}

impl How {
    const fn core(self) -> Supervision {
        match self {
            Self::Listen => Supervision::Listen,
            Self::Whisper => Supervision::Whisper,
            Self::Barge => Supervision::Barge,
        }
    }
}

/// A wish to take part.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuperviseBody {
    /// Said again, it changes how.
    pub how: How,
    /// The telephone that is rung: an operator's login or an extension; the supervisor's own login where it is missing.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub phone: Option<String>,
}

/// Takes part in a talk: the supervisor's telephone is rung.
///
/// # Errors
/// `forbidden`, `not-found`, `unknown-reference`, `conflict` where there is no talk.
pub async fn begin(admin: &Admin, who: &Principal, id: &CallName, body: SuperviseBody) -> Result<Ordered, Problem> {
    let call = seen(admin, who, Operation::Supervise, id)?;
    let phone = body.phone.as_deref().unwrap_or(&who.user);
    let target = admin.engine().phone(phone).ok_or_else(|| {
        let problem = Problem::new(&codes::UNKNOWN_REFERENCE, "There is no such telephone.").field("phone");
        problem.remedy("Name an operator's login, whose telephone registers, or an extension of the centre.")
    })?;
    let details = serde_json::json!({ "how": body.how, "phone": phone });
    note(admin, who, "call.supervise", &call, details).await?;
    admin.engine().supervise(who.actor(), calls::core(id)?, body.how.core(), target).await?;
    Ok(Ordered { id: id.to_string(), order: "supervise".to_owned() })
}

/// Leaves.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict` where nobody takes part.
pub async fn end(admin: &Admin, who: &Principal, id: &CallName) -> Result<(), Problem> {
    let call = seen(admin, who, Operation::SuperviseEnd, id)?;
    note(admin, who, "call.supervise-end", &call, serde_json::json!({})).await?;
    Ok(admin.engine().supervise_end(who.actor(), calls::core(id)?).await?)
}

fn seen(admin: &Admin, who: &Principal, operation: Operation, id: &CallName) -> Result<LiveCall, Problem> {
    who.may(operation)?;
    let call = calls::live(admin, id).ok_or_else(|| Problem::not_found("live call", id))?;
    who.sees(operation, &call.agency, "live call", id.as_str())?;
    Ok(call)
}

async fn note(
    admin: &Admin,
    who: &Principal,
    action: &str,
    call: &LiveCall,
    details: serde_json::Value,
) -> Result<(), Problem> {
    let draft = with_details(who.audit(action, format!("call:{}", call.id), Some(&call.agency)), details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await.map(|_| ())
}
