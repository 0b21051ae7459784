//! Call records: masked, and every look at them is in the audit.

use super::commit::{Look, looked};
use crate::Admin;
use crate::access::{Operation, Scope};
use crate::auth::Principal;
use crate::limits::PAGE_ITEMS_MAX;
use crate::names::{AgencyName, CallName};
use crate::problem::{Problem, codes};
use gudok_store::{AgencyId, CallId, Cdr, CdrCursor, CdrPage, CdrQuery, StoreError, UtcMs};
use serde::Serialize;
use utoipa::ToSchema;

/// Longest cursor that the store gives out.
const CURSOR_CHARS_MAX: usize = 2_048;

/// Which call records. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct CdrFilter {
    /// Ended at or after.
    pub from_ms: Option<u64>,
    /// Ended before.
    pub until_ms: Option<u64>,
    /// Of one agency.
    pub agency: Option<AgencyName>,
    /// Of one call.
    pub call_id: Option<CallName>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// At most this many.
    pub limit: Option<usize>,
}

/// A page of call records.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Cdrs {
    /// The records, by their end.
    #[schema(value_type = Vec<Object>)]
    pub cdrs: Vec<serde_json::Value>,
    /// Give it to the next request; null at the end.
    pub next: Option<String>,
}

/// One page of call records. Fewer than asked does not mean the end; `next` does.
///
/// # Errors
/// `forbidden`, `bad-query`, `bad-cursor`.
pub async fn list(admin: &Admin, who: &Principal, filter: &CdrFilter) -> Result<Cdrs, Problem> {
    let page = page(admin, who, filter).await?;
    Ok(Cdrs { cdrs: page.cdrs.iter().map(shown).collect::<Result<_, _>>()?, next: page.next.map(|cursor| cursor.0) })
}

/// The same page as CSV, with its header line.
///
/// # Errors
/// As [`list`].
pub async fn csv(admin: &Admin, who: &Principal, filter: &CdrFilter) -> Result<(Vec<u8>, Option<String>), Problem> {
    let page = page(admin, who, filter).await?;
    let mut body = Vec::new();
    gudok_store::write_csv(&page.cdrs, true, &mut body)?;
    Ok((body, page.next.map(|cursor| cursor.0)))
}

async fn page(admin: &Admin, who: &Principal, filter: &CdrFilter) -> Result<CdrPage, Problem> {
    let scope = who.may(Operation::CdrsList)?;
    let agency = scope.narrow(filter.agency.as_ref())?;
    let rows_max = filter.limit.unwrap_or(PAGE_ITEMS_MAX);
    if !(1..=PAGE_ITEMS_MAX).contains(&rows_max) {
        let problem = Problem::new(&codes::BAD_QUERY, format!("A page has 1 to {PAGE_ITEMS_MAX} records."));
        return Err(problem.field("limit"));
    }
    if filter.cursor.as_ref().is_some_and(|cursor| cursor.len() > CURSOR_CHARS_MAX) {
        return Err(Problem::new(&codes::BAD_CURSOR, "It does not belong to this list.").field("cursor"));
    }
    let query = CdrQuery {
        from: UtcMs(filter.from_ms.unwrap_or(0)),
        until: filter.until_ms.map(UtcMs),
        agency: agency.as_deref().map(AgencyId::new).transpose()?,
        call_id: filter.call_id.as_ref().map(|call| CallId::new(call.as_str())).transpose()?,
        subject: None,
        rows_max,
        cursor: filter.cursor.clone().map(CdrCursor),
    };
    admin.store().settled().await?;
    let mut page = admin.store().cdrs(query).await.map_err(cursor_problem)?;
    page.cdrs.retain(|cdr| scope.includes(cdr.began.agency.as_str()));
    let details = serde_json::json!({
        "from_ms": filter.from_ms, "until_ms": filter.until_ms, "call": filter.call_id, "records": page.cdrs.len(),
        "agencies": agencies_of(&scope),
    });
    let object = filter.call_id.as_ref().map_or_else(|| "cdrs".to_owned(), |call| format!("call:{call}"));
    looked(admin, who, Look { action: "cdr.read", object, agency: agency.as_deref(), details }).await?;
    Ok(page)
}

fn cursor_problem(error: StoreError) -> Problem {
    match error {
        StoreError::BadName { what: "cursor", .. } => {
            Problem::new(&codes::BAD_CURSOR, "It does not belong to this list.").field("cursor")
        }
        error => error.into(),
    }
}

fn agencies_of(scope: &Scope) -> serde_json::Value {
    match scope {
        Scope::Agencies(agencies) => serde_json::json!(agencies),
        Scope::Everything | Scope::Me => serde_json::Value::Null,
    }
}

/// Every record of one call; nobody's look yet.
pub(crate) async fn of_call(admin: &Admin, id: &CallName) -> Result<Vec<Cdr>, Problem> {
    let query = CdrQuery { call_id: Some(CallId::new(id.as_str())?), ..CdrQuery::default() };
    admin.store().settled().await?;
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = admin.store().cdrs(CdrQuery { cursor, ..query.clone() }).await?;
        all.extend(page.cdrs);
        cursor = page.next;
        if cursor.is_none() || all.len() > PAGE_ITEMS_MAX {
            return Ok(all);
        }
    }
}

/// A record as it leaves: the sealed number stays.
pub(crate) fn shown(cdr: &Cdr) -> Result<serde_json::Value, Problem> {
    let mut value = serde_json::to_value(cdr).map_err(|error| Problem::internal("writing a call record", error))?;
    for party in ["caller", "called"] {
        if let Some(party) = value.pointer_mut(&format!("/began/{party}")).and_then(serde_json::Value::as_object_mut) {
            party.remove("sealed");
        }
    }
    Ok(value)
}
