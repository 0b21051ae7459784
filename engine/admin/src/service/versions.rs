//! Versions: bundles that passed their check, what they ask for, and who agreed.

use super::bundles::{forget_blob, last_approved, of_agency};
use super::{Page, PageQuery, agencies, check_text, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::{FIRST_TOKEN_USER, Principal};
use crate::documents::{Approval, Refused, VersionDocument, VersionState, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::TEXT_CHARS_MAX;
use crate::names::{AgencyName, ScriptName, VersionHash};
use crate::ports::{BundleReport, Deployment, Difference};
use crate::problem::{Problem, codes};
use crate::time;
use gudok_store::BlobId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A version.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Version {
    /// The hash of its content.
    pub id: String,
    /// Whose.
    pub agency: String,
    /// The script's name.
    pub script: String,
    /// As in its manifest.
    pub version: String,
    /// `service`, `menu`, `campaign`.
    pub kind: String,
    /// The script interface's version.
    pub interface: String,
    /// Under which entries it may be active; any where empty.
    pub entries: Vec<String>,
    /// BCP 47.
    pub languages: Vec<String>,
    /// The key that signed it; null: nobody.
    pub signed_by: Option<String>,
    /// Whether it may go live.
    pub state: VersionState,
    /// RFC 3339.
    pub uploaded: String,
    /// Who brought it.
    pub uploaded_by: String,
    /// Who agreed to its rights.
    pub approvals: Vec<ApprovalShown>,
    /// Who refused it; null: nobody.
    pub refused: Option<RefusalShown>,
    /// Of the file.
    pub size_bytes: u64,
    /// What it asks for, as its manifest has it.
    #[schema(value_type = Object)]
    pub capabilities: serde_json::Value,
    /// What it gets at most.
    #[schema(value_type = Object)]
    pub limits: serde_json::Value,
    /// How its check went; null in lists.
    pub report: Option<BundleReport>,
    /// Entries where it takes calls now.
    pub deployed_at: Vec<String>,
}

/// An admin agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApprovalShown {
    /// Who.
    pub by: String,
    /// RFC 3339.
    pub at: String,
}

/// An admin refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefusalShown {
    /// Who.
    pub by: String,
    /// RFC 3339.
    pub at: String,
    /// Why.
    pub reason: String,
}

/// Why somebody decides so.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In words.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl Reason {
    pub(crate) fn checked(self) -> Result<Option<String>, Problem> {
        if let Some(reason) = &self.reason {
            check_text("reason", reason, TEXT_CHARS_MAX)?;
        }
        Ok(self.reason.filter(|reason| !reason.trim().is_empty()))
    }
}

/// One page of versions, newest first.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    script: Option<&ScriptName>,
    query: &PageQuery,
) -> Result<Page<Version>, Problem> {
    let scope = who.may(Operation::VersionsList)?;
    let only = scope.narrow(agency)?;
    let mut all = admin.ledger().all::<VersionDocument>(kinds::VERSION, "").await?;
    all.retain(|kept| {
        let facts = &kept.body.facts;
        scope.includes(&facts.agency)
            && only.as_ref().is_none_or(|only| *only == facts.agency)
            && script.is_none_or(|script| script.as_str() == facts.script)
    });
    let name = |kept: &Kept<VersionDocument>| format!("{:020}-{}", u64::MAX - kept.body.uploaded_ms, kept.id);
    all.sort_by_key(name);
    let page = page::of_sorted("versions", all, query, name)?;
    let deployments = admin.engine().deployments(None);
    let items = page.items.iter().map(|kept| view_with(kept, &deployments, false)).collect();
    Ok(Page { items, next: page.next })
}

/// One version.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, id: &VersionHash) -> Result<Version, Problem> {
    let kept = seen(admin, who, Operation::VersionRead, id).await?;
    Ok(view(admin, &kept, true))
}

/// Deletes a version that nothing runs.
///
/// # Errors
/// `forbidden`, `not-found`, `in-use`.
pub async fn delete(admin: &Admin, who: &Principal, id: &VersionHash) -> Result<(), Problem> {
    let _turn = admin.turn().await;
    let kept = seen(admin, who, Operation::VersionDelete, id).await?;
    not_in_use(admin, &kept)?;
    let draft = draft(who, "version.delete", &kept);
    let change = Change::new()
        .expect(kinds::VERSION, id.as_str(), kept.revision)
        .delete(kinds::VERSION, id.as_str())
        .audit(draft)
        .urgent();
    admin.ledger().commit(change).await?;
    let all = admin.ledger().all::<VersionDocument>(kinds::VERSION, "").await?;
    if !all.iter().any(|other| other.body.blob == kept.body.blob) {
        forget_blob(admin, &kept.body.blob).await;
    }
    Ok(())
}

/// What changes from a version (where none is named: from the one that serves, else from the last approved) to this one.
///
/// # Errors
/// `forbidden`, `not-found`; the engine's refusal.
pub async fn difference(
    admin: &Admin,
    who: &Principal,
    id: &VersionHash,
    against: Option<&VersionHash>,
) -> Result<Difference, Problem> {
    let kept = seen(admin, who, Operation::VersionDifference, id).await?;
    let from = match against {
        Some(against) => Some(seen(admin, who, Operation::VersionDifference, against).await?.id),
        None => before(admin, &kept).await?,
    };
    Ok(admin.engine().difference(from, id.to_string()).await?)
}

/// Agrees to a version's new rights. Where two must, the second one's word makes it approved.
///
/// # Errors
/// `forbidden`, `not-found`, `conflict`, `already-approved`.
pub async fn approve(admin: &Admin, who: &Principal, id: &VersionHash, reason: Reason) -> Result<Version, Problem> {
    let reason = reason.checked()?;
    let _turn = admin.turn().await;
    let mut kept = seen(admin, who, Operation::VersionApprove, id).await?;
    match kept.body.state {
        VersionState::Waiting => {}
        VersionState::Refused => {
            return Err(Problem::new(&codes::NOT_APPROVED, "The version was refused; that is final."));
        }
        VersionState::Checked | VersionState::Approved => {
            let problem = Problem::new(&codes::CONFLICTING, "The version needs no approval: it may go live.");
            return Err(problem.remedy("Deploy it."));
        }
    }
    if kept.body.approvals.iter().any(|approval| approval.by == who.user) {
        return Err(Problem::new(&codes::ALREADY_APPROVED, "Your approval is there; a second admin's is missing."));
    }
    let needed = approvals_needed(admin, &kept.body.facts.agency).await?;
    if needed > 1 && who.user == FIRST_TOKEN_USER {
        let problem = Problem::new(&codes::FORBIDDEN, "Where two people must agree, the first token is none of them.");
        return Err(problem.remedy("Make users with the role admin."));
    }
    kept.body.approvals.push(Approval { by: who.user.clone(), at_ms: admin.now_ms() });
    if kept.body.approvals.len() >= needed {
        kept.body.state = VersionState::Approved;
    }
    let details = serde_json::json!({ "reason": reason, "state": kept.body.state, "needed": needed });
    let draft = with_details(draft(who, "version.approve", &kept), details);
    put(admin, kept, draft).await
}

/// Refuses a version: it may not go live.
///
/// # Errors
/// `forbidden`, `not-found`, `in-use`, `conflict`.
pub async fn refuse(admin: &Admin, who: &Principal, id: &VersionHash, reason: Reason) -> Result<Version, Problem> {
    let reason = reason.checked()?.unwrap_or_default();
    let _turn = admin.turn().await;
    let mut kept = seen(admin, who, Operation::VersionRefuse, id).await?;
    if kept.body.state == VersionState::Refused {
        return Err(Problem::new(&codes::CONFLICTING, "The version was refused already."));
    }
    not_in_use(admin, &kept)?;
    kept.body.state = VersionState::Refused;
    kept.body.refused = Some(Refused { by: who.user.clone(), at_ms: admin.now_ms(), reason: reason.clone() });
    let draft = with_details(draft(who, "version.refuse", &kept), serde_json::json!({ "reason": reason }));
    put(admin, kept, draft).await
}

/// The file of a version: its blob, its name and its size.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn bundle(admin: &Admin, who: &Principal, id: &VersionHash) -> Result<BundleFile, Problem> {
    let kept = seen(admin, who, Operation::VersionBundle, id).await?;
    let blob = BlobId::from_hex(&kept.body.blob).map_err(|error| Problem::internal("finding a bundle", error))?;
    let facts = kept.body.facts;
    Ok(BundleFile { blob, name: format!("{}-{}.ivr", facts.script, facts.version) })
}

/// Where a version's bytes are.
#[derive(Clone, Debug)]
pub struct BundleFile {
    /// In the store.
    pub blob: BlobId,
    /// As BUNDLE.md names it.
    pub name: String,
}

/// A version that was named by its id and that this principal may see.
pub(super) async fn seen(
    admin: &Admin,
    who: &Principal,
    operation: Operation,
    id: &VersionHash,
) -> Result<Kept<VersionDocument>, Problem> {
    who.may(operation)?;
    let kept: Option<Kept<VersionDocument>> = admin.ledger().get(kinds::VERSION, id.as_str()).await?;
    let kept = kept.ok_or_else(|| Problem::not_found("version", id))?;
    who.sees(operation, &kept.body.facts.agency, "version", id.as_str())?;
    Ok(kept)
}

/// The id of a version of that agency.
///
/// # Errors
/// `not-found`, also where it is another agency's.
pub(super) async fn of_agency_by_id(admin: &Admin, agency: &str, id: &VersionHash) -> Result<String, Problem> {
    let kept: Option<Kept<VersionDocument>> = admin.ledger().get(kinds::VERSION, id.as_str()).await?;
    let own = kept.filter(|kept| kept.body.facts.agency == agency);
    own.map(|kept| kept.id).ok_or_else(|| Problem::not_found("version", id))
}

pub(super) async fn before(admin: &Admin, kept: &Kept<VersionDocument>) -> Result<Option<String>, Problem> {
    let facts = &kept.body.facts;
    let agency: AgencyName = facts.agency.parse()?;
    let deployments = admin.engine().deployments(Some(&agency.to_core()));
    let serving = deployments.into_iter().find(|d| d.stable.script == facts.script && d.stable.version != kept.id);
    if let Some(deployment) = serving {
        return Ok(Some(deployment.stable.version));
    }
    let mut others = of_agency(admin, &agency).await?;
    others.retain(|other| other.id != kept.id);
    Ok(last_approved(&others).remove(&facts.script))
}

async fn approvals_needed(admin: &Admin, agency: &str) -> Result<usize, Problem> {
    let all = agencies::all(admin).await?;
    let two = admin.config().two_person || all.iter().any(|known| known.name == agency && known.two_person);
    Ok(if two { 2 } else { 1 })
}

fn not_in_use(admin: &Admin, kept: &Kept<VersionDocument>) -> Result<(), Problem> {
    for deployment in admin.engine().deployments(None) {
        let live = [Some(&deployment.stable), deployment.canary.as_ref(), deployment.last_good.as_ref()];
        let needs = live.into_iter().flatten().any(|live| live.version == kept.id)
            || deployment.running.iter().any(|running| running.version == kept.id);
        if needs {
            let detail =
                format!("It is live, running or the last good one at {}/{}.", deployment.agency, deployment.entry);
            return Err(Problem::new(&codes::IN_USE, detail).remedy("Deploy another version there first."));
        }
    }
    Ok(())
}

async fn put(admin: &Admin, kept: Kept<VersionDocument>, draft: gudok_store::AuditDraft) -> Result<Version, Problem> {
    let change = Change::new()
        .expect(kinds::VERSION, &kept.id, kept.revision)
        .put(kinds::VERSION, &kept.id, &kept.body)
        .audit(draft);
    admin.ledger().commit(change).await?;
    Ok(view(admin, &kept, true))
}

fn draft(who: &Principal, action: &str, kept: &Kept<VersionDocument>) -> gudok_store::AuditDraft {
    let facts = &kept.body.facts;
    let draft = who.audit(action, format!("version:{}", kept.id), Some(&facts.agency));
    with_details(draft, serde_json::json!({ "script": facts.script, "version": facts.version }))
}

pub(super) fn view(admin: &Admin, kept: &Kept<VersionDocument>, with_report: bool) -> Version {
    view_with(kept, &admin.engine().deployments(None), with_report)
}

fn view_with(kept: &Kept<VersionDocument>, deployments: &[Deployment], with_report: bool) -> Version {
    let (facts, body) = (&kept.body.facts, &kept.body);
    let takes_calls = |deployment: &&Deployment| {
        deployment.agency == facts.agency
            && (deployment.stable.version == kept.id
                || deployment.canary.as_ref().is_some_and(|canary| canary.version == kept.id))
    };
    let approvals = body.approvals.iter();
    Version {
        id: kept.id.clone(),
        agency: facts.agency.clone(),
        script: facts.script.clone(),
        version: facts.version.clone(),
        kind: facts.kind.clone(),
        interface: facts.interface.clone(),
        entries: facts.entries.clone(),
        languages: facts.languages.clone(),
        signed_by: facts.signed_by.clone(),
        state: body.state,
        uploaded: time::written(body.uploaded_ms),
        uploaded_by: body.uploaded_by.clone(),
        approvals: approvals.map(|one| ApprovalShown { by: one.by.clone(), at: time::written(one.at_ms) }).collect(),
        refused: body.refused.as_ref().map(|refused| RefusalShown {
            by: refused.by.clone(),
            at: time::written(refused.at_ms),
            reason: refused.reason.clone(),
        }),
        size_bytes: facts.size_bytes,
        capabilities: facts.capabilities.clone(),
        limits: facts.limits.clone(),
        report: with_report.then(|| body.report.clone()),
        deployed_at: deployments.iter().filter(takes_calls).map(|deployment| deployment.entry.clone()).collect(),
    }
}
