//! How long an agency's data is kept.

use super::{Revised, agencies, check_revision};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{RetentionDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::names::AgencyName;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest time that anything is kept.
const DAYS_MAX: u32 = 3_650;

/// How long an agency's data is kept; then it is deleted, and the audit says what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Call records, with all that belongs to them.
    #[schema(minimum = 1, maximum = 3650)]
    pub cdr_days: u32,
    /// Recordings; the call records say that they were deleted.
    #[schema(minimum = 1, maximum = 3650)]
    pub recording_days: u32,
    /// Traces of calls.
    #[schema(minimum = 1, maximum = 3650)]
    pub trace_days: u32,
}

/// One agency's; the default where nobody has said.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, agency: &AgencyName) -> Result<Revised<Retention>, Problem> {
    who.may_in(Operation::RetentionRead, agency.as_str())?;
    agencies::must_exist(admin, agency).await?;
    let (body, revision) = of_agency(admin, agency.as_str()).await?;
    Ok(Revised { value: view(body), revision })
}

/// Sets one agency's. The engine carries it out at once, and every few minutes from then on.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`, `precondition-required`, `invalid-field`.
pub async fn set(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    wanted: Retention,
    seen: Option<u64>,
) -> Result<Revised<Retention>, Problem> {
    who.may_in(Operation::RetentionSet, agency.as_str())?;
    agencies::must_exist(admin, agency).await?;
    let days =
        [("cdr_days", wanted.cdr_days), ("recording_days", wanted.recording_days), ("trace_days", wanted.trace_days)];
    for (field, days) in days {
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(Problem::invalid(field, format!("It is 1 to {DAYS_MAX} days.")));
        }
    }
    let (before, revision) = of_agency(admin, agency.as_str()).await?;
    check_revision(seen, revision)?;
    let body = RetentionDocument {
        cdr_days: wanted.cdr_days,
        recording_days: wanted.recording_days,
        trace_days: wanted.trace_days,
    };
    let details = serde_json::json!({ "from": before, "to": body });
    let draft = with_details(who.audit("retention.set", format!("agency:{agency}"), Some(agency.as_str())), details);
    let change = Change::new()
        .expect(kinds::RETENTION, agency.as_str(), revision)
        .put(kinds::RETENTION, agency.as_str(), &body)
        .audit(draft);
    let done = admin.ledger().commit(change).await?;
    if let Err(refusal) = admin.engine().ledger_changed().await {
        tracing::warn!(problem = %refusal.problem, "new retention is carried out at its next turn, not at once");
    }
    Ok(Revised { value: wanted, revision: done.revision() })
}

pub(crate) async fn of_agency(admin: &Admin, agency: &str) -> Result<(RetentionDocument, u64), Problem> {
    let kept: Option<Kept<RetentionDocument>> = admin.ledger().get(kinds::RETENTION, agency).await?;
    Ok(kept.map_or_else(|| (RetentionDocument::default(), 0), |kept| (kept.body, kept.revision)))
}

fn view(body: RetentionDocument) -> Retention {
    Retention { cdr_days: body.cdr_days, recording_days: body.recording_days, trace_days: body.trace_days }
}
