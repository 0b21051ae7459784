//! Why the director does not do what was asked, in the admins' words.

use gudok_admin::ports::EngineRefusal;
use gudok_core::deployment::DeploymentRefusal;
use gudok_store::StoreError;

/// A refusal.
pub(crate) fn refused(
    code: &'static str,
    status: u16,
    field: Option<&str>,
    problem: impl Into<String>,
    remedy: impl Into<String>,
) -> EngineRefusal {
    EngineRefusal {
        code,
        status,
        field: field.map(str::to_owned),
        problem: problem.into(),
        remedy: remedy.into(),
        report: None,
    }
}

/// A fault of ours: the log has it, the answer names no more than that.
pub(crate) fn internal(doing: &str, error: impl std::fmt::Display) -> EngineRefusal {
    tracing::error!(%error, "{doing} failed");
    refused("internal", 500, None, format!("{doing} failed"), "look into the engine's log; it has the reason")
}

/// What the store says.
pub(crate) fn of_store(doing: &str, error: &StoreError) -> EngineRefusal {
    match error {
        StoreError::Stale { .. } => {
            refused("stale-revision", 412, None, error.to_string(), "read it again and decide anew")
        }
        StoreError::DiskLow { .. } | StoreError::DiskFull { .. } => refused(
            "disk-low",
            507,
            None,
            format!("{doing}: the disk is almost full"),
            "free space; calls go on meanwhile",
        ),
        StoreError::Busy { .. } => refused("internal", 503, None, format!("{doing}: the store is busy"), "try again"),
        StoreError::TooLarge { .. } => refused("bundle-refused", 413, None, error.to_string(), "make it smaller"),
        _ => internal(doing, error),
    }
}

/// What a machine says.
pub(super) fn of_machine(refusal: &DeploymentRefusal) -> EngineRefusal {
    match refusal {
        DeploymentRefusal::AlreadyStable { .. } => refused(
            "conflict",
            409,
            Some("share_percent"),
            refusal.to_string(),
            "deploy another version as the canary, or this one to everybody",
        ),
        DeploymentRefusal::NoCanary => {
            refused("no-canary", 409, None, refusal.to_string(), "deploy a version with share_percent below 100 first")
        }
        DeploymentRefusal::NothingBefore { .. } => {
            refused("nothing-before", 409, None, refusal.to_string(), "deploy the version that is to serve instead")
        }
    }
}
