//! Bundles come in: received under a limit, checked as if they went live, and kept as a version, or refused whole.
//!
//! The file's name is drawn here; nothing that the client says becomes a path.

use super::agencies;
use super::versions::{Version, view};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{VersionDocument, VersionState, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::{DOCUMENT_BYTES_MAX, UPLOAD_IDLE_MAX, UPLOAD_PROBE_EVERY_BYTES};
use crate::names::{AgencyName, VersionHash};
use crate::ports::{BundleCheck, BundleFacts, BundleReport, Change as Difference, CheckedBundle, EngineRefusal};
use crate::problem::{Problem, codes};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use gudok_store::BlobId;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use tokio::io::AsyncWriteExt;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

/// Changes of one kind that a kept report lists.
const CHANGES_KEPT_MAX: usize = 100;
const FOLDER: &str = "uploads";
const PREFIX: &str = "upload-";

/// What an upload says of itself.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Whose bundle it must be.
    pub agency: AgencyName,
    /// An older version than the one that serves is meant.
    pub allow_downgrade: bool,
    /// As announced.
    pub length: Option<u64>,
}

/// A bundle that lies in a file of its own; gone when dropped.
#[derive(Debug)]
pub struct Received {
    upload: Upload,
    file: tempfile::TempPath,
    sha256: [u8; 32],
    /// Others may upload when this one is done.
    _place: OwnedSemaphorePermit,
}

impl Received {
    /// The hash of the bytes.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Where it lies while this lives.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.file.to_path_buf()
    }
}

/// A bundle that was taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Taken {
    /// The version that it is.
    pub version: Version,
    /// How its check went.
    pub report: BundleReport,
    /// False where the same bundle was here already.
    #[serde(skip)]
    pub fresh: bool,
}

/// Writes the body of an upload to a file, within the limits of size, time and disk.
///
/// # Errors
/// `forbidden`, `not-found`, `too-large`, `disk-low`, `too-many`, `timeout`.
pub async fn receive<E: Display>(
    admin: &Admin,
    who: &Principal,
    upload: Upload,
    body: impl Stream<Item = Result<Bytes, E>> + Send,
) -> Result<Received, Problem> {
    who.may_in(Operation::BundleUpload, upload.agency.as_str())?;
    agencies::must_exist(admin, &upload.agency).await?;
    check_size(admin, upload.length.unwrap_or(0))?;
    let place = std::sync::Arc::clone(admin.uploads()).try_acquire_owned();
    let place = place.map_err(|_| {
        Problem::new(&codes::TOO_MANY, "Other bundles are being uploaded and checked.").retry_after_s(5)
    })?;
    let folder = folder(admin);
    let failed = |error: std::io::Error| failure("keeping an upload", &error);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    check_space(admin, upload.length.unwrap_or(0))?;
    let file = tempfile::Builder::new().prefix(PREFIX).suffix(".ivr").tempfile_in(&folder).map_err(failed)?;
    let (file, path) = file.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut hasher = Sha256::new();
    let (mut size, mut probed) = (0_u64, 0_u64);
    let mut body = std::pin::pin!(body);
    while let Some(chunk) = next(&mut body).await? {
        size += chunk.len() as u64;
        check_size(admin, size)?;
        if size - probed >= UPLOAD_PROBE_EVERY_BYTES {
            check_space(admin, 0)?;
            probed = size;
        }
        hasher.update(&chunk);
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.sync_all().await.map_err(failed)?;
    if size == 0 {
        return Err(Problem::invalid("body", "The upload is empty.").remedy("Send the bytes of the .ivr file."));
    }
    Ok(Received { upload, file: path, sha256: hasher.finalize().into(), _place: place })
}

async fn next<E: Display>(body: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin)) -> Result<Option<Bytes>, Problem> {
    match tokio::time::timeout(UPLOAD_IDLE_MAX, body.next()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
        Ok(Some(Err(error))) => {
            tracing::info!(%error, "an upload broke off");
            Err(Problem::new(&codes::TIMEOUT, "The upload broke off."))
        }
        Err(_) => Err(Problem::new(&codes::TIMEOUT, "The upload paused for too long.")),
    }
}

/// Checks a received bundle, and keeps it as a version.
///
/// # Errors
/// `bundle-refused` with its report, `version-exists`, `downgrade`, `disk-low`.
pub async fn take(admin: &Admin, who: &Principal, received: Received) -> Result<Taken, Problem> {
    who.may_in(Operation::BundleUpload, received.upload.agency.as_str())?;
    let versions = of_agency(admin, &received.upload.agency).await?;
    let check = as_if_live(admin, &received, last_approved(&versions)).await?;
    let checked = match admin.engine().check_bundle(check).await {
        Ok(checked) => checked,
        Err(refusal) => return Err(refused(admin, who, &received, refusal).await),
    };
    keep(admin, who, received, checked).await
}

/// Checks a received bundle that is only tried out: it is kept nowhere.
///
/// # Errors
/// `bundle-refused` with its report.
pub(crate) async fn check(admin: &Admin, received: &Received) -> Result<BundleFacts, Problem> {
    let check = as_if_live(admin, received, BTreeMap::new()).await?;
    Ok(admin.engine().check_bundle(check).await?.facts)
}

async fn as_if_live(
    admin: &Admin,
    received: &Received,
    against_by_script: BTreeMap<String, String>,
) -> Result<BundleCheck, Problem> {
    let agency = &received.upload.agency;
    Ok(BundleCheck {
        file: received.file.to_path_buf(),
        agency: agency.to_core(),
        keys: super::keys::of_agency(admin, agency).await?,
        unsigned_allowed: admin.config().unsigned_allowed,
        against: None,
        against_by_script,
        now_ms: admin.now_ms(),
    })
}

async fn keep(admin: &Admin, who: &Principal, received: Received, checked: CheckedBundle) -> Result<Taken, Problem> {
    let CheckedBundle { facts, report } = checked;
    let upload = received.upload.clone();
    let id: VersionHash = facts.id.parse().map_err(|_| Problem::internal("reading a bundle's hash", &facts.id))?;
    if facts.agency != upload.agency.as_str() {
        let problem =
            Problem::new(&codes::BUNDLE_REFUSED, format!("Its manifest says that it is of {}.", facts.agency));
        return Err(problem.field("agency").report(report));
    }
    let _turn = admin.turn().await;
    let versions = of_agency(admin, &upload.agency).await?;
    if let Some(kept) = versions.iter().find(|kept| kept.id == id.as_str()) {
        if kept.body.state == VersionState::Refused {
            let problem = Problem::new(&codes::NOT_APPROVED, "An admin has refused this very bundle.");
            return Err(problem.remedy("Change what the refusal names, raise the version, and upload that."));
        }
        return Ok(Taken { version: view(admin, kept, true), report, fresh: false });
    }
    no_replay(admin, &upload, &facts, &versions)?;
    let new_rights = asks_for_new_rights(&facts, &report, &versions);
    let blob = admin.store().blob_take_file(received.file.to_path_buf()).await?;
    let document = VersionDocument {
        blob: blob.to_hex(),
        state: if new_rights { VersionState::Waiting } else { VersionState::Checked },
        uploaded_ms: admin.now_ms(),
        uploaded_by: who.user.clone(),
        approvals: Vec::new(),
        refused: None,
        report: shortened(report),
        allow_downgrade: upload.allow_downgrade,
        facts,
    };
    let kept = commit(admin, who, &id, document).await?;
    Ok(Taken { version: view(admin, &kept, true), report: kept.body.report, fresh: true })
}

async fn commit(
    admin: &Admin,
    who: &Principal,
    id: &VersionHash,
    document: VersionDocument,
) -> Result<Kept<VersionDocument>, Problem> {
    let agency = document.facts.agency.clone();
    let details = serde_json::json!({
        "script": document.facts.script, "version": document.facts.version, "state": document.state,
        "signed_by": document.facts.signed_by, "size_bytes": document.facts.size_bytes,
        "allow_downgrade": document.allow_downgrade,
    });
    let draft = with_details(who.audit("bundle.upload", format!("version:{id}"), Some(&agency)), details);
    let change =
        Change::new().expect(kinds::VERSION, id.as_str(), 0).put(kinds::VERSION, id.as_str(), &document).audit(draft);
    match admin.ledger().commit(change).await {
        Ok(done) => Ok(Kept { id: id.to_string(), revision: done.revision(), body: document }),
        Err(problem) => {
            forget_blob(admin, &document.blob).await;
            Err(problem)
        }
    }
}

/// The same name and version is the same bundle for ever, and an old one does not come back unless it is meant to.
fn no_replay(
    admin: &Admin,
    upload: &Upload,
    facts: &BundleFacts,
    versions: &[Kept<VersionDocument>],
) -> Result<(), Problem> {
    let same = |kept: &&Kept<VersionDocument>| {
        kept.body.facts.script == facts.script && kept.body.facts.version == facts.version
    };
    if let Some(kept) = versions.iter().find(same) {
        let detail = format!("{} {} is here with other content, as {}.", facts.script, facts.version, kept.id);
        return Err(Problem::new(&codes::VERSION_EXISTS, detail).field("version"));
    }
    if upload.allow_downgrade {
        return Ok(());
    }
    let Ok(new) = facts.version.parse::<semver::Version>() else { return Ok(()) };
    for deployment in admin.engine().deployments(Some(&upload.agency.to_core())) {
        for live in [Some(&deployment.stable), deployment.last_good.as_ref()].into_iter().flatten() {
            let newer = live.label.parse::<semver::Version>().is_ok_and(|released| released >= new);
            if live.script == facts.script && newer {
                let detail = format!(
                    "{} {} was released at {}/{}; this one is {}.",
                    facts.script, live.label, deployment.agency, deployment.entry, facts.version
                );
                return Err(Problem::new(&codes::DOWNGRADE, detail).field("version"));
            }
        }
    }
    Ok(())
}

/// Measured against the last version whose rights stand. Without a difference, equality is what counts: in doubt an
/// admin looks.
fn asks_for_new_rights(facts: &BundleFacts, report: &BundleReport, versions: &[Kept<VersionDocument>]) -> bool {
    let base = last_approved(versions).remove(&facts.script);
    if let Some(difference) = &report.difference
        && difference.against == base
    {
        return difference.new_rights;
    }
    let of_base = base.and_then(|id| versions.iter().find(|kept| kept.id == id));
    match of_base {
        Some(kept) => kept.body.facts.capabilities != facts.capabilities,
        None => facts.capabilities.as_object().is_none_or(|asked| !asked.is_empty()),
    }
}

/// By script, the newest version whose rights stand.
pub(super) fn last_approved(versions: &[Kept<VersionDocument>]) -> BTreeMap<String, String> {
    let mut standing: Vec<_> = versions.iter().filter(|kept| kept.body.state.may_go_live()).collect();
    standing.sort_by_key(|kept| kept.body.uploaded_ms);
    standing.into_iter().map(|kept| (kept.body.facts.script.clone(), kept.id.clone())).collect()
}

pub(super) async fn of_agency(admin: &Admin, agency: &AgencyName) -> Result<Vec<Kept<VersionDocument>>, Problem> {
    let all = admin.ledger().all::<VersionDocument>(kinds::VERSION, "").await?;
    Ok(all.into_iter().filter(|kept| kept.body.facts.agency == agency.as_str()).collect())
}

async fn refused(admin: &Admin, who: &Principal, received: &Received, refusal: EngineRefusal) -> Problem {
    let step = refusal.report.as_ref().and_then(|report| report.steps.iter().find(|step| step.result == "failed"));
    let details = serde_json::json!({
        "code": refusal.code, "step": step.map(|step| step.step.clone()),
        "field": refusal.field, "sha256": crate::auth::hex(&received.sha256),
    });
    let agency = received.upload.agency.as_str();
    let draft = with_details(who.audit("bundle.refuse", format!("agency:{agency}"), Some(agency)), details);
    if let Err(problem) = admin.ledger().commit(Change::new().audit(draft)).await {
        tracing::warn!(%problem, "a refused bundle could not be written to the audit");
    }
    refusal.into()
}

/// A file that no version needs.
pub(super) async fn forget_blob(admin: &Admin, blob: &str) {
    let Ok(id) = BlobId::from_hex(blob) else { return };
    if let Err(error) = admin.store().blob_delete(id).await {
        tracing::warn!(%error, blob, "the file of a version that is gone could not be deleted");
    }
}

/// So that it can be kept: the ledger takes no larger document.
fn shortened(mut report: BundleReport) -> BundleReport {
    if let Some(difference) = &mut report.difference {
        let lists = [
            &mut difference.capabilities,
            &mut difference.limits,
            &mut difference.menus,
            &mut difference.media,
            &mut difference.numbers,
            &mut difference.config,
        ];
        for list in lists {
            shorten(list, CHANGES_KEPT_MAX);
        }
    }
    let size = |report: &BundleReport| serde_json::to_vec(report).map_or(usize::MAX, |json| json.len());
    if size(&report) > DOCUMENT_BYTES_MAX / 2
        && let Some(difference) = &mut report.difference
    {
        // What new rights there are is what an admin must see; the rest can be computed again.
        for list in [&mut difference.menus, &mut difference.media, &mut difference.config, &mut difference.limits] {
            shorten(list, 0);
        }
    }
    report
}

fn shorten(list: &mut Vec<Difference>, max: usize) {
    let left_out = list.len().saturating_sub(max);
    if left_out > 0 {
        list.truncate(max);
        let name = format!("{left_out} more, see the difference of the version");
        list.push(Difference { name, change: "changed".to_owned(), from: None, to: None });
    }
}

fn folder(admin: &Admin) -> PathBuf {
    admin.config().store_dir.join(FOLDER)
}

/// Removes what a process that was killed has left.
pub(crate) fn tidy(admin: &Admin) {
    for entry in std::fs::read_dir(folder(admin)).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX)
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "a broken-off upload could not be removed");
        }
    }
}

fn check_size(admin: &Admin, bytes: u64) -> Result<(), Problem> {
    let max = admin.config().bundle_bytes_max;
    if bytes > max {
        return Err(Problem::new(&codes::TOO_LARGE, format!("A bundle has at most {max} bytes.")));
    }
    Ok(())
}

/// Refuses early what the store would refuse in the end, so that an upload never fills the disk of calls.
fn check_space(admin: &Admin, coming_bytes: u64) -> Result<(), Problem> {
    let low = || Problem::new(&codes::DISK_LOW, "Too little of the disk is free for a bundle.");
    let space = admin.config().probe.probe(&folder(admin)).map_err(|error| {
        tracing::warn!(%error, "the disk cannot be asked for its free space; no upload is taken");
        low()
    })?;
    let then = gudok_store::SpaceNow { free_bytes: space.free_bytes.saturating_sub(coming_bytes), ..space };
    let enough = then.free_percent() >= admin.config().space.promises_free_percent_min;
    if enough { Ok(()) } else { Err(low()) }
}

fn failure(doing: &str, error: &std::io::Error) -> Problem {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Problem::new(&codes::DISK_LOW, "The disk is full.");
    }
    Problem::internal(doing, error)
}
