//! The directory: entries one by one, found by words, in from tables and out into them. The rules are the core's.

mod export;

pub use export::export;

use super::{Page, PageQuery, Revised, agencies, check_area, check_revision, page};
use crate::Admin;
use crate::access::{Operation, Scope};
use crate::auth::Principal;
use crate::books::{DirectoryDocument, ImportReport, Table, TableFormat, row_of_json};
use crate::documents::kinds;
use crate::ledger::{Change, Kept, with_details};
use crate::limits::{IMPORT_BATCH_BYTES_MAX, IMPORT_BATCH_ENTRIES_MAX, IMPORT_PROBE_ROWS};
use crate::names::{AgencyName, DirectoryId, Lang};
use crate::ports::DirectorySearch;
use crate::problem::{Problem, codes};
use bytes::Bytes;
use gudok_core::directory::{ANSWERS_MAX, DirectoryEntry, EntryKind, ImportAction, ImportPlan, QUESTION_BYTES_MAX};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use utoipa::ToSchema;

/// The index is told ids up to so many; beyond them it is made anew.
const TOLD_IDS_MAX: usize = 1_000;

/// An entry of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Entry {
    /// Its name, the same in every version.
    pub id: String,
    /// What it says.
    #[serde(flatten)]
    pub entry: DirectoryDocument,
}

/// What an entry is to be.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryBody {
    /// What it is about.
    pub kind: String,
    /// Whose.
    pub agency: String,
    /// For whom: a municipality's code; everywhere where it is missing.
    #[serde(default)]
    pub municipality: Option<String>,
    /// Who answers for it, for notices that it is wrong.
    #[serde(default)]
    pub owner: String,
    /// In a few words; a question, for frequent ones.
    #[schema(min_length = 1, max_length = 1024)]
    pub title: String,
    /// What is said in place of title, address, text and phone.
    #[serde(default)]
    pub spoken: String,
    /// The text.
    #[serde(default)]
    pub text: String,
    /// Of an office or an official.
    #[serde(default)]
    pub phone: Option<String>,
    /// Of an office.
    #[serde(default)]
    pub address: Option<String>,
    /// `mon-fri 09:00-18:00; sat 10:00-14:00; 2026-05-09 closed`.
    #[serde(default)]
    pub hours: Option<String>,
    /// Anything else, by name.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// The texts' language; Russian where it is missing.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub lang: Option<Lang>,
    /// Ignored: what a GET shows may be sent back.
    #[serde(default, skip_serializing)]
    #[schema(read_only)]
    pub id: Option<String>,
    /// Ignored.
    #[serde(default, skip_serializing)]
    #[schema(read_only)]
    pub version: Option<u32>,
    /// Ignored.
    #[serde(default, skip_serializing)]
    #[schema(read_only)]
    pub updated: Option<String>,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the core explains them")]
pub enum Kind {
    Office,
    Service,
    Document,
    Term,
    Official,
    Appeal,
    Faq,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Office => EntryKind::Office.as_str(),
            Self::Service => EntryKind::Service.as_str(),
            Self::Document => EntryKind::Document.as_str(),
            Self::Term => EntryKind::Term.as_str(),
            Self::Official => EntryKind::Official.as_str(),
            Self::Appeal => EntryKind::Appeal.as_str(),
            Self::Faq => EntryKind::Faq.as_str(),
        }
    }
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// Of one agency.
    pub agency: Option<AgencyName>,
    /// Of one kind.
    pub kind: Option<Kind>,
    /// For one municipality, and those for everywhere.
    pub municipality: Option<String>,
}

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Words, in any form and order.
    pub q: String,
    /// In that language; in any where it is missing.
    pub lang: Option<Lang>,
    /// Narrower.
    pub filter: EntryFilter,
    /// At most so many.
    pub limit: Option<usize>,
}

/// What was found, the best first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Found {
    /// Entries.
    pub items: Vec<FoundEntry>,
}

/// An entry that was found.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FoundEntry {
    /// How well it fits; only of use beside others of the same answer.
    pub score: f64,
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
}

/// One page of entries, by id.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    filter: &EntryFilter,
    query: &PageQuery,
) -> Result<Page<Entry>, Problem> {
    let scope = who.may(Operation::DirectoryList)?;
    let only = scope.narrow(filter.agency.as_ref())?;
    let see = |kept: Kept<DirectoryDocument>| {
        let entry = &kept.body;
        let fits = scope.includes(&entry.agency)
            && only.as_ref().is_none_or(|only| *only == entry.agency)
            && filter.kind.is_none_or(|kind| kind.as_str() == entry.kind)
            && (entry.municipality.is_none()
                || filter.municipality.is_none()
                || entry.municipality == filter.municipality);
        fits.then_some(Entry { id: kept.id, entry: kept.body })
    };
    page::of_documents(admin, kinds::DIRECTORY, "", query, see).await
}

/// One entry.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, id: &DirectoryId) -> Result<Revised<Entry>, Problem> {
    let kept = seen(admin, who, Operation::DirectoryRead, id).await?;
    Ok(Revised { value: Entry { id: kept.id, entry: kept.body }, revision: kept.revision })
}

/// Finds entries by words.
///
/// # Errors
/// `forbidden`, `bad-query`; the engine's refusal.
pub async fn search(admin: &Admin, who: &Principal, search: &Search) -> Result<Found, Problem> {
    let scope = who.may(Operation::DirectorySearch)?;
    let only = scope.narrow(search.filter.agency.as_ref())?;
    check_area("municipality", search.filter.municipality.as_deref())?;
    let limit = search.limit.unwrap_or(10);
    let bad = |field: &str, detail: String| Err(Problem::new(&codes::BAD_QUERY, detail).field(field));
    if !(1..=ANSWERS_MAX).contains(&limit) {
        return bad("limit", format!("It is 1 to {ANSWERS_MAX}."));
    }
    if search.q.len() > QUESTION_BYTES_MAX {
        return bad("q", format!("It has at most {QUESTION_BYTES_MAX} bytes."));
    }
    let agencies = match (&scope, &only) {
        (_, Some(only)) => Some(vec![only.clone()]),
        (Scope::Agencies(agencies), None) => Some(agencies.iter().cloned().collect()),
        (Scope::Everything | Scope::Me, None) => None,
    };
    let asked = DirectorySearch {
        text: search.q.clone(),
        lang: search.lang.as_ref().map(ToString::to_string),
        kind: search.filter.kind.map(|kind| kind.as_str().to_owned()),
        municipality: search.filter.municipality.clone(),
        agencies,
        limit,
    };
    let mut items = Vec::new();
    for hit in admin.engine().search_directory(asked).await? {
        // The index may be a moment behind the ledger.
        let kept: Option<Kept<DirectoryDocument>> = admin.ledger().get(kinds::DIRECTORY, &hit.id).await?;
        if let Some(kept) = kept.filter(|kept| scope.includes(&kept.body.agency)) {
            items.push(FoundEntry { score: hit.score, entry: Entry { id: kept.id, entry: kept.body } });
        }
    }
    Ok(Found { items })
}

/// Sets an entry, new or present; each change is a new version.
///
/// # Errors
/// `forbidden`, `stale-revision`, `precondition-required`, `invalid-field`, `unknown-reference`.
pub async fn set(
    admin: &Admin,
    who: &Principal,
    id: &DirectoryId,
    body: EntryBody,
    seen: Option<u64>,
) -> Result<Revised<Entry>, Problem> {
    let scope = who.may(Operation::DirectorySet)?;
    let before = kept(admin, id).await?;
    // An entry of others does not exist; its name is taken all the same.
    if before.as_ref().is_some_and(|before| !scope.includes(&before.body.agency)) {
        return Err(Problem::new(&codes::EXISTS, "The id is taken.").field("id").remedy("Choose another id."));
    }
    who.may_in(Operation::DirectorySet, &body.agency)?;
    let agency: AgencyName = body.agency.parse()?;
    if !agencies::exists(admin, &agency).await? {
        return Err(Problem::new(&codes::UNKNOWN_REFERENCE, "There is no such agency.").field("agency"));
    }
    let revision = before.as_ref().map_or(0, |before| before.revision);
    check_revision(seen, revision)?;
    let entry = planned(admin, id, &body, before.as_ref())?;
    let Some(entry) = entry else {
        let before = before.ok_or_else(|| Problem::not_found("entry", id))?;
        return Ok(Revised { value: Entry { id: before.id, entry: before.body }, revision });
    };
    let document = DirectoryDocument::from(&entry);
    let details = serde_json::json!({ "kind": document.kind, "title": document.title, "version": document.version });
    let draft = with_details(who.audit("directory.set", object(id), Some(agency.as_str())), details);
    let change = Change::new()
        .expect(kinds::DIRECTORY, id.as_str(), revision)
        .put(kinds::DIRECTORY, id.as_str(), &document)
        .audit(draft);
    let done = admin.ledger().commit(change).await?;
    told(admin, vec![id.to_string()]).await;
    Ok(Revised { value: Entry { id: id.to_string(), entry: document }, revision: done.revision() })
}

/// Takes an entry away.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`.
pub async fn delete(admin: &Admin, who: &Principal, id: &DirectoryId, seen: Option<u64>) -> Result<(), Problem> {
    let before = self::seen(admin, who, Operation::DirectoryDelete, id).await?;
    super::check_revision_if_seen(seen, before.revision)?;
    let details = serde_json::json!({ "title": before.body.title, "version": before.body.version });
    let draft = with_details(who.audit("directory.delete", object(id), Some(&before.body.agency)), details);
    let change = Change::new()
        .expect(kinds::DIRECTORY, id.as_str(), before.revision)
        .delete(kinds::DIRECTORY, id.as_str())
        .audit(draft);
    admin.ledger().commit(change).await?;
    told(admin, vec![id.to_string()]).await;
    Ok(())
}

/// Takes a table's good rows, and says what is wrong with the others. Nothing is deleted, and a second import of the same
/// file changes nothing.
///
/// # Errors
/// `forbidden`, `disk-low`; `stale-revision` where somebody changes entries at the same time: then the rest is taken by
/// importing once more.
pub async fn import(
    admin: &Admin,
    who: &Principal,
    format: TableFormat,
    dry_run: bool,
    file: Bytes,
) -> Result<ImportReport, Problem> {
    let scope = who.may(Operation::DirectoryImport)?;
    // Reading a large table is work for a thread of its own.
    let table = tokio::task::spawn_blocking(move || Table::read(format, &file)).await;
    let table = table.map_err(|error| Problem::internal("reading a table", error))?;
    let known = known_agencies(admin).await?;
    let mut present: HashMap<String, (Arc<DirectoryEntry>, u64)> = HashMap::new();
    for (at, row) in table.rows.iter().enumerate() {
        if at % IMPORT_PROBE_ROWS == 0 {
            tokio::task::yield_now().await;
        }
        let Some(id) = row.values.get("id").map(|id| id.trim()).filter(|id| id.parse::<DirectoryId>().is_ok()) else {
            continue;
        };
        if let Some(kept) = admin.ledger().get::<DirectoryDocument>(kinds::DIRECTORY, id).await? {
            present.insert(kept.id.clone(), (Arc::new(entry_of(&kept.id, &kept.body)?), kept.revision));
        }
    }
    let may = |agency: &gudok_core::ids::Agency| scope.includes(agency.as_str()) && known.contains(agency.as_str());
    let find = |id: &str| present.get(id).map(|(entry, _)| Arc::clone(entry));
    let plan = ImportPlan::of(&table.rows, find, may, today(admin));
    let report = ImportReport::of(&plan, &table.problems, dry_run);
    if dry_run {
        return Ok(report);
    }
    let revisions = present.into_iter().map(|(id, (_, revision))| (id, revision)).collect();
    write(admin, who, &plan, &revisions, &report).await?;
    Ok(report)
}

/// Writes what a plan says, in commits that fit the ledger; each has its entry in the audit.
async fn write(
    admin: &Admin,
    who: &Principal,
    plan: &ImportPlan,
    revisions: &HashMap<String, u64>,
    report: &ImportReport,
) -> Result<(), Problem> {
    let mut written = Vec::new();
    let mut rest = plan.writes.as_slice();
    loop {
        let (batch, more) = batch(rest);
        rest = more;
        let (mut change, mut added) = (Change::new(), 0_u64);
        for (action, entry) in batch {
            let revision = revisions.get(&*entry.id).copied().unwrap_or(0);
            added += u64::from(*action == ImportAction::Add);
            change = change.expect(kinds::DIRECTORY, &entry.id, revision);
            change = change.put(kinds::DIRECTORY, &entry.id, &DirectoryDocument::from(entry));
            written.push(entry.id.to_string());
        }
        let agencies: BTreeSet<&str> = batch.iter().map(|(_, entry)| entry.agency.as_str()).collect();
        let agency = agencies.first().copied().filter(|_| agencies.len() == 1);
        let details = serde_json::json!({
            "added": added, "changed": batch.len() as u64 - added, "rows": report.rows, "bad_rows": report.problems.len(),
            "agencies": agencies,
        });
        let draft = with_details(who.audit("directory.import", "directory", agency), details);
        admin.ledger().commit(change.audit(draft)).await?;
        if rest.is_empty() {
            break;
        }
    }
    if !written.is_empty() {
        let ids = if written.len() > TOLD_IDS_MAX { Vec::new() } else { written };
        told(admin, ids).await;
    }
    Ok(())
}

type Writes = [(ImportAction, DirectoryEntry)];

fn batch(writes: &Writes) -> (&Writes, &Writes) {
    let mut bytes = 0;
    let end = writes.iter().position(|(_, entry)| {
        bytes += entry.text.len() + entry.spoken.len() + entry.title.len() + 2_048;
        bytes > IMPORT_BATCH_BYTES_MAX
    });
    writes.split_at(end.unwrap_or(writes.len()).clamp(1, IMPORT_BATCH_ENTRIES_MAX).min(writes.len()))
}

/// The entry that a body comes to; none where it says what there is.
fn planned(
    admin: &Admin,
    id: &DirectoryId,
    body: &EntryBody,
    before: Option<&Kept<DirectoryDocument>>,
) -> Result<Option<DirectoryEntry>, Problem> {
    let value = serde_json::to_value(body).map_err(|error| Problem::internal("reading an entry", error))?;
    let serde_json::Value::Object(mut object) = value else {
        return Err(Problem::invalid("body", "It is an object."));
    };
    object.insert("id".to_owned(), id.as_str().into());
    let wrong = |problem: &gudok_core::directory::RowProblem| {
        let detail = format!("It {}.", problem.problem);
        Problem::invalid(problem.field.clone(), detail).remedy(problem.remedy.clone())
    };
    let row = row_of_json(1, &object).map_err(|problem| wrong(&problem))?;
    let present = before.map(|before| entry_of(&before.id, &before.body)).transpose()?.map(Arc::new);
    let mut plan = ImportPlan::of(&[row], |_| present.clone(), |_| true, today(admin));
    match (plan.problems.first(), plan.writes.pop()) {
        (Some(problem), _) => Err(wrong(problem)),
        (None, write) => Ok(write.map(|(_, entry)| entry)),
    }
}

async fn seen(
    admin: &Admin,
    who: &Principal,
    operation: Operation,
    id: &DirectoryId,
) -> Result<Kept<DirectoryDocument>, Problem> {
    who.may(operation)?;
    let kept = kept(admin, id).await?.ok_or_else(|| Problem::not_found("entry", id))?;
    who.sees(operation, &kept.body.agency, "entry", id.as_str())?;
    Ok(kept)
}

async fn kept(admin: &Admin, id: &DirectoryId) -> Result<Option<Kept<DirectoryDocument>>, Problem> {
    admin.ledger().get(kinds::DIRECTORY, id.as_str()).await
}

fn entry_of(id: &str, document: &DirectoryDocument) -> Result<DirectoryEntry, Problem> {
    document.entry(id).map_err(|error| Problem::internal("reading the directory", format!("{id}: {error}")))
}

async fn known_agencies(admin: &Admin) -> Result<BTreeSet<String>, Problem> {
    Ok(agencies::all(admin).await?.into_iter().map(|agency| agency.name).collect())
}

/// The index follows; where it cannot, it is made anew at its next turn, and what is kept is right.
async fn told(admin: &Admin, ids: Vec<String>) {
    if let Err(refusal) = admin.engine().directory_changed(ids).await {
        tracing::warn!(problem = %refusal.problem, "the directory's index does not follow its entries");
    }
}

fn today(admin: &Admin) -> Date {
    let now = i64::try_from(admin.now_ms()).unwrap_or(i64::MAX);
    let now = jiff::Timestamp::from_millisecond(now).unwrap_or(jiff::Timestamp::MAX);
    admin.config().zone.to_datetime(now).date()
}

fn object(id: &DirectoryId) -> String {
    format!("directory:{id}")
}
