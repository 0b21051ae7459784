//! The audit: who did what, and who looked at what. It is read here and never written by hand.

use super::page::{Page, read_cursor, write_cursor};
use super::{PageQuery, commit::Look, commit::looked};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::names::AgencyName;
use crate::problem::{Problem, codes};
use crate::time;
use bytes::Bytes;
use futures_util::{Stream, stream};
use gudok_store::{AuditEntry, AuditQuery, AuditReport};
use serde::Serialize;
use utoipa::ToSchema;

const LIST: &str = "audit";
const FILTER_CHARS_MAX: usize = 256;

/// An entry of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditShown {
    /// From 1, without gaps.
    pub seq: u64,
    /// RFC 3339.
    pub at: String,
    /// Milliseconds since 1970: what the hash is made of.
    pub at_ms: u64,
    /// Who.
    pub actor: String,
    /// By which way.
    pub via: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// Whose; null: nobody's in particular.
    pub agency: Option<String>,
    /// Facts.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
    /// The hash of the entry before.
    pub prev: String,
    /// Its own.
    pub hash: String,
}

/// What a check of the audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditChecked {
    /// Nothing is wrong.
    pub ok: bool,
    /// Entries read.
    pub entries: u64,
    /// The last of them.
    pub head: HeadShown,
    /// What is wrong.
    pub faults: Vec<FaultShown>,
}

/// The audit's last entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeadShown {
    /// Its number; 0: there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

/// A place where the audit was tampered with or damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FaultShown {
    /// The entry at or before which it was found.
    pub seq: u64,
    /// What is wrong.
    pub problem: String,
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// From this one on, or down from it where newest come first.
    pub from_seq: Option<u64>,
    /// By this actor.
    pub actor: Option<String>,
    /// Whose action begins so: `user.`.
    pub action: Option<String>,
    /// Of this agency.
    pub agency: Option<AgencyName>,
    /// Newest first.
    pub newest_first: bool,
}

impl AuditFilter {
    fn checked(&self) -> Result<AuditQuery, Problem> {
        for (field, text) in [("actor", &self.actor), ("action", &self.action)] {
            if text.as_ref().is_some_and(|text| text.len() > FILTER_CHARS_MAX) {
                return Err(Problem::new(&codes::BAD_QUERY, format!("At most {FILTER_CHARS_MAX} bytes.")).field(field));
            }
        }
        Ok(AuditQuery {
            from_seq: self.from_seq.unwrap_or(0),
            actor: self.actor.clone(),
            action: self.action.clone(),
            agency: self.agency.as_ref().map(ToString::to_string),
            newest_first: self.newest_first,
            rows_max: 0,
        })
    }
}

/// One page of the audit.
///
/// # Errors
/// `forbidden`, `bad-query`, `bad-cursor`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    filter: &AuditFilter,
    query: &PageQuery,
) -> Result<Page<AuditShown>, Problem> {
    who.may(Operation::AuditList)?;
    let mut wanted = filter.checked()?;
    wanted.rows_max = query.items_max()?;
    if let Some(cursor) = &query.cursor {
        let from = read_cursor(LIST, cursor)?.parse();
        wanted.from_seq =
            from.map_err(|_| Problem::new(&codes::BAD_CURSOR, "It does not belong to this list.").field("cursor"))?;
    }
    let page = admin.store().audit(wanted).await?;
    let next = page.next_seq.map(|seq| write_cursor(LIST, &seq.to_string()));
    Ok(Page { items: page.entries.into_iter().map(view).collect(), next })
}

/// The whole audit as JSON Lines, oldest first, each line as `gudok audit verify` reads it. That somebody took it is in
/// the audit, and in the export.
///
/// # Errors
/// `forbidden`. A failure later breaks the stream off: a line that is not whole is no entry.
pub async fn export(
    admin: &Admin,
    who: &Principal,
) -> Result<impl Stream<Item = Result<Bytes, Problem>> + Send + 'static, Problem> {
    who.may(Operation::AuditExport)?;
    let details = serde_json::json!({});
    looked(admin, who, Look { action: "audit.export", object: "audit".to_owned(), agency: None, details }).await?;
    let store = std::sync::Arc::clone(admin.store());
    Ok(stream::try_unfold(Some(0), move |from_seq| {
        let store = std::sync::Arc::clone(&store);
        async move {
            let Some(from_seq) = from_seq else { return Ok(None) };
            let page = store.audit(AuditQuery { from_seq, ..AuditQuery::default() }).await?;
            Ok(Some((lines(&page.entries)?, page.next_seq)))
        }
    }))
}

fn lines(entries: &[AuditEntry]) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut bytes, entry).map_err(|error| Problem::internal("writing the audit", error))?;
        bytes.push(b'\n');
    }
    Ok(Bytes::from(bytes))
}

/// Reads the whole audit and checks its chain and its head mark.
///
/// # Errors
/// `forbidden`.
pub async fn verify(admin: &Admin, who: &Principal) -> Result<AuditChecked, Problem> {
    who.may(Operation::AuditVerify)?;
    let report: AuditReport = admin.store().audit_verify().await?;
    let faults = report.faults.iter().map(|fault| FaultShown { seq: fault.seq, problem: fault.problem.clone() });
    Ok(AuditChecked {
        ok: report.is_whole(),
        entries: report.entries,
        head: HeadShown { seq: report.head.seq, hash: report.head.hash.clone() },
        faults: faults.collect(),
    })
}

fn view(entry: AuditEntry) -> AuditShown {
    AuditShown {
        seq: entry.seq,
        at: time::written(entry.at_ms.0),
        at_ms: entry.at_ms.0,
        actor: entry.draft.actor,
        via: entry.draft.via,
        action: entry.draft.action,
        object: entry.draft.object,
        agency: entry.draft.agency,
        details: entry.draft.details,
        prev: entry.prev,
        hash: entry.hash,
    }
}
