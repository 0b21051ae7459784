//! Journals of calls: looked at, replayed, and rehearsed on a version before it is released. Each is a look at callers'
//! data, and stands in the audit.

use super::bundles::{self, Received};
use super::calls::core;
use super::commit::{Look, looked};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::names::{AgencyName, CallName, ScriptName, VersionHash};
use crate::ports::{Journal, JournalRow, Rehearsal, RehearsalOrder, Replay, ReplayOn};
use crate::problem::{Problem, codes};

/// Calls of one rehearsal.
pub const REHEARSED_CALLS_MAX: usize = 1_000;
/// Where nobody says otherwise.
pub const REHEARSED_CALLS: usize = 100;

/// On what a call is to be run again, as it was asked.
#[derive(Debug, Default)]
pub struct On {
    /// A version that was taken in.
    pub version: Option<VersionHash>,
    /// A bundle that was received for this.
    pub bundle: Option<Received>,
}

/// A call's journal: of its first script, or of another one.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, id: &CallName, run: Option<u32>) -> Result<Journal, Problem> {
    let row = row(admin, who, Operation::CallJournal, id, run).await?;
    let details = serde_json::json!({ "run": row.run, "version": row.version });
    note(admin, who, "journal.read", format!("call:{id}"), &row.agency, details).await?;
    Ok(admin.engine().journal(core(id)?, row.run).await?)
}

/// The journals that a call has.
///
/// # Errors
/// `forbidden`.
pub async fn rows(admin: &Admin, who: &Principal, id: &CallName) -> Result<Vec<JournalRow>, Problem> {
    let scope = who.may(Operation::CallJournal)?;
    let mut rows = admin.engine().journals_of(core(id)?).await;
    rows.retain(|row| scope.includes(&row.agency));
    Ok(rows)
}

/// Whether this principal may replay that call, and whose it is: asked before a bundle is received.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn agency_of(admin: &Admin, who: &Principal, id: &CallName, run: Option<u32>) -> Result<AgencyName, Problem> {
    let row = row(admin, who, Operation::CallReplay, id, run).await?;
    row.agency.parse().map_err(|_| Problem::internal("reading an agency's name", &row.agency))
}

/// Runs a call's script again.
///
/// # Errors
/// `forbidden`, `not-found`, `bundle-refused`, and what the engine refuses.
pub async fn replay(
    admin: &Admin,
    who: &Principal,
    id: &CallName,
    run: Option<u32>,
    on: On,
) -> Result<Replay, Problem> {
    let row = row(admin, who, Operation::CallReplay, id, run).await?;
    let (on_what, _bundle, label) = checked(admin, &row.agency, on).await?;
    let details = serde_json::json!({ "run": row.run, "version": row.version, "on": label });
    note(admin, who, "journal.replay", format!("call:{id}"), &row.agency, details).await?;
    Ok(admin.engine().replay(core(id)?, row.run, on_what).await?)
}

/// Runs the last calls of a script on a version.
///
/// # Errors
/// `forbidden`, `not-found`, `bad-query`, `bundle-refused`, and what the engine refuses.
pub async fn rehearse(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    script: &ScriptName,
    last: Option<usize>,
    on: On,
) -> Result<Rehearsal, Problem> {
    who.may_in(Operation::Rehearse, agency.as_str())?;
    super::agencies::must_exist(admin, agency).await?;
    let last = last.unwrap_or(REHEARSED_CALLS);
    if !(1..=REHEARSED_CALLS_MAX).contains(&last) {
        let problem = format!("A rehearsal has 1 to {REHEARSED_CALLS_MAX} calls.");
        return Err(Problem::new(&codes::BAD_QUERY, problem).field("last"));
    }
    if on.version.is_none() && on.bundle.is_none() {
        let problem = Problem::new(&codes::BAD_QUERY, "Nothing is said to rehearse.").field("version");
        return Err(problem.remedy("Name a version that was uploaded, or send the bundle as the body."));
    }
    let (on, _bundle, label) = checked(admin, agency.as_str(), on).await?;
    let details = serde_json::json!({ "script": script, "last": last, "on": label });
    note(admin, who, "journal.rehearse", format!("agency:{agency}"), agency.as_str(), details).await?;
    let order = RehearsalOrder { agency: agency.to_core(), script: script.to_string(), last, on };
    Ok(admin.engine().rehearse(order).await?)
}

/// What is run must be what may be uploaded: a bundle is checked as if it came to stay, and a version is the agency's.
/// The file lives as long as what is answered with.
async fn checked(admin: &Admin, agency: &str, on: On) -> Result<(ReplayOn, Option<Received>, String), Problem> {
    match on {
        On { bundle: Some(received), .. } => {
            let facts = bundles::check(admin, &received).await?;
            if facts.agency != agency {
                let problem = format!("The bundle is of the agency {}, and the calls are of {agency}.", facts.agency);
                return Err(Problem::new(&codes::BUNDLE_REFUSED, problem).field("agency"));
            }
            Ok((ReplayOn::File(received.path()), Some(received), facts.id))
        }
        On { version: Some(version), .. } => {
            let kept = super::versions::of_agency_by_id(admin, agency, &version).await?;
            Ok((ReplayOn::Version(kept.clone()), None, kept))
        }
        On { version: None, bundle: None } => Ok((ReplayOn::Own, None, "own".to_owned())),
    }
}

/// The row that was asked for; where nobody says which, the first one within reach.
async fn row(
    admin: &Admin,
    who: &Principal,
    operation: Operation,
    id: &CallName,
    run: Option<u32>,
) -> Result<JournalRow, Problem> {
    let scope = who.may(operation)?;
    let rows = admin.engine().journals_of(core(id)?).await;
    let asked = |row: &JournalRow| run.is_none_or(|run| row.run == run) && scope.includes(&row.agency);
    rows.into_iter().find(asked).ok_or_else(|| {
        Problem::not_found("journal of a call", id).remedy(
            "Journals are kept of the last calls of each agency and version, as [journal] in gudok.toml says, and of \
             calls whose script has ended.",
        )
    })
}

async fn note(
    admin: &Admin,
    who: &Principal,
    action: &str,
    object: String,
    agency: &str,
    details: serde_json::Value,
) -> Result<(), Problem> {
    looked(admin, who, Look { action, object, agency: Some(agency), details }).await
}
