//! The configuration's file: shown without its secrets, and read anew on request.

use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

/// The configuration in force.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Configuration {
    /// The hash of the file that it came from.
    pub file_sha256: String,
    /// What is in force, without secrets.
    #[schema(value_type = Object)]
    pub configuration: serde_json::Value,
}

/// What a reload changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reloaded {
    /// In words, one change each; empty: the file says what was in force.
    pub changed: Vec<String>,
}

/// The configuration in force.
///
/// # Errors
/// `forbidden`.
pub fn read(admin: &Admin, who: &Principal) -> Result<Configuration, Problem> {
    who.may(Operation::ConfigurationRead)?;
    Ok(Configuration { file_sha256: admin.engine().file().hash, configuration: admin.engine().configuration() })
}

/// Reads the file anew, as SIGHUP does. The engine writes the audit.
///
/// # Errors
/// `forbidden`, `configuration-refused`; nothing has changed then.
pub async fn reload(admin: &Admin, who: &Principal) -> Result<Reloaded, Problem> {
    who.may(Operation::ConfigurationReload)?;
    let changed = admin.engine().reload(who.actor()).await?;
    admin.reload_certificate().await?;
    Ok(Reloaded { changed })
}
