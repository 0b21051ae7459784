//! Deployments: which version serves where. The engine's director keeps them and writes their audit; here is who may.

use super::versions::Reason;
use super::{Page, PageQuery, Revised, agencies, check_revision, check_revision_if_seen, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{VersionDocument, kinds};
use crate::ledger::Kept;
use crate::limits::OUTCOME_STEP_S_MAX;
use crate::names::{AgencyName, EntryName, VersionHash};
use crate::ports::{DeployOrder, Deployment, DeploymentStep, Guard, VersionOutcomes};
use crate::problem::{Problem, codes};
use crate::time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A drain ends within a day.
const DRAIN_S_MAX: u32 = 24 * 3_600;
const WATCH_S_MAX: u32 = 7 * 24 * 3_600;
const SAMPLE_MAX: u32 = 1_000_000;
const CPU_TIMES_MAX: f64 = 1_000.0;
const STEP_S_DEFAULT: u32 = 60;

/// What is to go live.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployBody {
    /// Which.
    #[schema(value_type = String)]
    pub version: VersionHash,
    /// Of callers. Below 100 it is a canary beside the version that serves.
    #[serde(default = "everybody")]
    #[schema(minimum = 1, maximum = 100)]
    pub share_percent: u8,
    /// When to roll back by itself; the default where it is missing.
    #[serde(default)]
    pub guard: Option<Guard>,
    /// Calls on replaced versions move to an operator after so many seconds; never where it is missing.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 86400)]
    pub drain_s: Option<u32>,
}

const fn everybody() -> u8 {
    100
}

/// How calls ended, per version.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Outcomes {
    /// Every version that had calls.
    pub versions: Vec<OutcomesOfVersion>,
}

/// How calls of one version ended.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OutcomesOfVersion {
    /// Its id.
    pub version: String,
    /// As in its manifest.
    pub label: String,
    /// All that ended.
    pub calls: u64,
    /// The script did its work.
    pub served: u64,
    /// The host took the caller over.
    pub landed: u64,
    /// Of these: the script was stopped by a fault.
    pub trapped: u64,
    /// The caller hung up before being served.
    pub abandoned: u64,
    /// Mean CPU of a call.
    pub cpu_ms_mean: f64,
    /// Over time, oldest first.
    pub series: Vec<OutcomeStep>,
}

/// Ends of calls in one step of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutcomeStep {
    /// Its beginning, RFC 3339.
    pub at: String,
    /// Its beginning, milliseconds since 1970.
    pub at_ms: u64,
    /// All that ended in it.
    pub calls: u64,
    /// The script did its work.
    pub served: u64,
    /// The host took the caller over.
    pub landed: u64,
    /// Of these: the script was stopped by a fault.
    pub trapped: u64,
    /// The caller hung up before being served.
    pub abandoned: u64,
}

/// One page of deployments, by agency and entry.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    query: &PageQuery,
) -> Result<Page<Deployment>, Problem> {
    let scope = who.may(Operation::DeploymentsList)?;
    let only = scope.narrow(agency)?;
    let core = only.as_deref().map(gudok_core::ids::Agency::new);
    let mut all = admin.engine().deployments(core.as_ref());
    all.retain(|deployment| scope.includes(&deployment.agency));
    let name = |deployment: &Deployment| format!("{}/{}", deployment.agency, deployment.entry);
    all.sort_by_key(name);
    page::of_sorted("deployments", all, query, name)
}

/// One deployment.
///
/// # Errors
/// `forbidden`, `not-found`.
pub fn read(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    entry: &EntryName,
) -> Result<Revised<Deployment>, Problem> {
    who.may_in(Operation::DeploymentRead, agency.as_str())?;
    present(admin, agency, entry).map(revised)
}

/// Puts a version live.
///
/// # Errors
/// `forbidden`, `not-found`, `unknown-version`, `not-approved`, `entry-not-allowed`, `stale-revision`,
/// `precondition-required`, `invalid-field`; the engine's refusal, and then nothing has changed.
pub async fn deploy(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    entry: &EntryName,
    body: DeployBody,
    seen: Option<u64>,
) -> Result<Revised<Deployment>, Problem> {
    who.may_in(Operation::Deploy, agency.as_str())?;
    agencies::must_exist(admin, agency).await?;
    check(&body)?;
    may_go_live(admin, agency, entry, &body.version).await?;
    let present = admin.engine().deployment(&agency.to_core(), &entry.to_core());
    check_revision(seen, present.as_ref().map_or(0, |deployment| deployment.revision))?;
    let order = DeployOrder {
        version: body.version.to_string(),
        share_percent: body.share_percent,
        guard: body.guard,
        drain_s: body.drain_s,
        expected_revision: seen.or(present.map(|deployment| deployment.revision)),
    };
    let done = admin.engine().deploy(who.actor(), agency.to_core(), entry.to_core(), order).await?;
    Ok(revised(done))
}

/// The canary takes all calls.
///
/// # Errors
/// `forbidden`, `not-found`, `no-canary`, `stale-revision`.
pub async fn release(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    entry: &EntryName,
    seen: Option<u64>,
) -> Result<Revised<Deployment>, Problem> {
    who.may_in(Operation::Release, agency.as_str())?;
    check_revision_if_seen(seen, present(admin, agency, entry)?.revision)?;
    let done = admin.engine().release(who.actor(), agency.to_core(), entry.to_core(), seen).await?;
    Ok(revised(done))
}

/// Back to the version before, in one step.
///
/// # Errors
/// `forbidden`, `not-found`, `nothing-before`, `stale-revision`.
pub async fn roll_back(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    entry: &EntryName,
    reason: Reason,
    seen: Option<u64>,
) -> Result<Revised<Deployment>, Problem> {
    who.may_in(Operation::RollBack, agency.as_str())?;
    let reason = reason.checked()?;
    check_revision_if_seen(seen, present(admin, agency, entry)?.revision)?;
    let done = admin.engine().roll_back(who.actor(), agency.to_core(), entry.to_core(), reason, seen).await?;
    Ok(revised(done))
}

/// One page of what happened at an entry, newest first.
///
/// # Errors
/// `forbidden`, `not-found`, `bad-cursor`.
pub async fn history(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    entry: &EntryName,
    query: &PageQuery,
) -> Result<Page<DeploymentStep>, Problem> {
    who.may_in(Operation::DeploymentHistory, agency.as_str())?;
    present(admin, agency, entry)?;
    let steps = admin.engine().history(&agency.to_core(), &entry.to_core()).await?;
    page::of_ordered("history", steps, query)
}

/// How calls ended, per version, since a moment, in steps.
///
/// # Errors
/// `forbidden`, `not-found`, `bad-query`.
pub fn outcomes(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    entry: &EntryName,
    from: Option<&str>,
    step_s: Option<u32>,
) -> Result<Outcomes, Problem> {
    who.may_in(Operation::DeploymentOutcomes, agency.as_str())?;
    present(admin, agency, entry)?;
    let from_ms = time::read_some("from", from);
    let from_ms =
        from_ms.map_err(|problem| Problem::new(&codes::BAD_QUERY, problem.detail()).field("from"))?.unwrap_or(0);
    let step_s = step_s.unwrap_or(STEP_S_DEFAULT);
    if !(1..=OUTCOME_STEP_S_MAX).contains(&step_s) {
        let problem = Problem::new(&codes::BAD_QUERY, format!("A step has 1 to {OUTCOME_STEP_S_MAX} seconds."));
        return Err(problem.field("step_s"));
    }
    let versions = admin.engine().outcomes(&agency.to_core(), &entry.to_core(), step_s);
    Ok(Outcomes { versions: versions.into_iter().map(|version| outcomes_of(version, from_ms)).collect() })
}

fn outcomes_of(version: VersionOutcomes, from_ms: u64) -> OutcomesOfVersion {
    let points = version.series.into_iter().filter(|point| point.at_ms >= from_ms);
    OutcomesOfVersion {
        version: version.version,
        label: version.label,
        calls: version.total.calls,
        served: version.total.served,
        landed: version.total.landed,
        trapped: version.total.trapped,
        abandoned: version.total.abandoned,
        cpu_ms_mean: if version.cpu_ms_mean.is_finite() { version.cpu_ms_mean } else { 0.0 },
        series: points
            .map(|point| OutcomeStep {
                at: time::written(point.at_ms),
                at_ms: point.at_ms,
                calls: point.counts.calls,
                served: point.counts.served,
                landed: point.counts.landed,
                trapped: point.counts.trapped,
                abandoned: point.counts.abandoned,
            })
            .collect(),
    }
}

fn present(admin: &Admin, agency: &AgencyName, entry: &EntryName) -> Result<Deployment, Problem> {
    let deployment = admin.engine().deployment(&agency.to_core(), &entry.to_core());
    deployment.ok_or_else(|| Problem::not_found("deployment", format!("{agency}/{entry}")))
}

fn revised(value: Deployment) -> Revised<Deployment> {
    Revised { revision: value.revision, value }
}

async fn may_go_live(
    admin: &Admin,
    agency: &AgencyName,
    entry: &EntryName,
    version: &VersionHash,
) -> Result<(), Problem> {
    let kept: Option<Kept<VersionDocument>> = admin.ledger().get(kinds::VERSION, version.as_str()).await?;
    let kept = kept.filter(|kept| kept.body.facts.agency == agency.as_str());
    let unknown = || Problem::new(&codes::UNKNOWN_VERSION, format!("The agency {agency} has no such version."));
    let version = kept.ok_or_else(|| unknown().field("version"))?.body;
    if !version.state.may_go_live() {
        let label = format!("{} {}", version.facts.script, version.facts.version);
        let detail = match version.state {
            crate::documents::VersionState::Refused => format!("{label} was refused."),
            _ => format!("{label} asks for new rights and waits for an admin's approval."),
        };
        return Err(Problem::new(&codes::NOT_APPROVED, detail).field("version"));
    }
    let entries = &version.facts.entries;
    if !entries.is_empty() && !entries.iter().any(|allowed| allowed == entry.as_str()) {
        let detail = format!("Its manifest allows {}.", entries.join(", "));
        return Err(Problem::new(&codes::ENTRY_NOT_ALLOWED, detail).field("entry"));
    }
    Ok(())
}

fn check(body: &DeployBody) -> Result<(), Problem> {
    if !(1..=100).contains(&body.share_percent) {
        return Err(Problem::invalid("share_percent", "A share is 1 to 100 percent."));
    }
    if body.drain_s.is_some_and(|seconds| !(1..=DRAIN_S_MAX).contains(&seconds)) {
        return Err(Problem::invalid("drain_s", format!("A drain takes 1 to {DRAIN_S_MAX} seconds.")));
    }
    let Some(guard) = &body.guard else { return Ok(()) };
    let percents = [
        ("guard.trap_percent_over", guard.trap_percent_over),
        ("guard.landing_percent_over", guard.landing_percent_over),
        ("guard.abandon_percent_over", guard.abandon_percent_over),
    ];
    for (field, percent) in percents {
        if !(0.0..=100.0).contains(&percent) {
            return Err(Problem::invalid(field, "It is 0 to 100 percentage points."));
        }
    }
    if !(1.0..=CPU_TIMES_MAX).contains(&guard.cpu_times_max) {
        return Err(Problem::invalid("guard.cpu_times_max", format!("It is 1 to {CPU_TIMES_MAX} times.")));
    }
    if !(1..=SAMPLE_MAX).contains(&guard.sample_min) {
        return Err(Problem::invalid("guard.sample_min", format!("It is 1 to {SAMPLE_MAX} calls.")));
    }
    if guard.watch_s > WATCH_S_MAX {
        return Err(Problem::invalid("guard.watch_s", format!("It is at most {WATCH_S_MAX} seconds.")));
    }
    Ok(())
}
