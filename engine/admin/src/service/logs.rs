//! What scripts logged last, and why they were stopped: for their authors. Numbers are masked where a line is made.

use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::limits::LOG_LINES_MAX;
use crate::names::{AgencyName, ScriptName};
use crate::ports::LogLine;
use crate::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

/// The last lines.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Logs {
    /// Oldest first.
    pub items: Vec<LogLine>,
    /// Always null: only the last lines are kept.
    pub next: Option<String>,
}

/// Why scripts were stopped.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Faults {
    /// Oldest first.
    #[schema(value_type = Vec<Object>)]
    pub faults: Vec<serde_json::Value>,
}

/// The scripts' last lines.
///
/// # Errors
/// `forbidden`.
pub fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    script: Option<&ScriptName>,
) -> Result<Logs, Problem> {
    let scope = who.may(Operation::LogsList)?;
    let only = scope.narrow(agency)?;
    let core = only.as_deref().map(gudok_core::ids::Agency::new);
    let mut items = admin.engine().script_log(core.as_ref(), LOG_LINES_MAX);
    items.retain(|line| scope.includes(&line.agency) && script.is_none_or(|script| script.as_str() == line.script));
    Ok(Logs { items, next: None })
}

/// Why scripts were stopped.
///
/// # Errors
/// `forbidden`.
pub fn faults(admin: &Admin, who: &Principal, agency: Option<&AgencyName>) -> Result<Faults, Problem> {
    let scope = who.may(Operation::FaultsList)?;
    let only = scope.narrow(agency)?;
    let core = only.as_deref().map(gudok_core::ids::Agency::new);
    let mut faults = admin.engine().faults(core.as_ref());
    faults.retain(|fault| {
        let agency = fault.get("agency").and_then(serde_json::Value::as_str).unwrap_or_default();
        scope.includes(agency)
    });
    Ok(Faults { faults })
}
