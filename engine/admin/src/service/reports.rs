//! Reports: what a time came to, from the records of its calls. The figures are the core's; the simulator prints the
//! same.

use crate::Admin;
use crate::access::{Operation, Scope};
use crate::auth::Principal;
use crate::books::{ReportView, row_of_cdr};
use crate::documents::{MarkDocument, SurveyDocument, TicketDocument, kinds};
use crate::limits::{PAGE_ITEMS_MAX, REPORT_DAYS_MAX, REPORT_KEPT, REPORTS_KEPT_MAX};
use crate::names::AgencyName;
use crate::problem::{Problem, codes};
use crate::time;
use gudok_core::report::{CallbackEnd, CallbackFacts, NONE, Report, ReportBuilder, ReportSettings};
use gudok_core::time::Timestamp;
use gudok_store::{AgencyId, CdrQuery, UtcMs};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

mod table;

pub use table::csv;

/// Of SL and SL2, for queues that say nothing else (decree, p5).
const SERVICE_LEVEL: Duration = Duration::from_secs(40);
/// Documents read in one step.
const STEP_ROWS: usize = 500;

/// Of which time, and whose calls.
#[derive(Clone, Debug, Default)]
pub struct ReportQuery {
    /// Calls that ended at or after, RFC 3339; the beginning of the centre's day where it is missing.
    pub from: Option<String>,
    /// Calls that ended before, RFC 3339; now where it is missing.
    pub until: Option<String>,
    /// Of one agency.
    pub agency: Option<AgencyName>,
}

/// Which table of a report is written as CSV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReportTable {
    /// Calls by agency.
    #[default]
    Agency,
    /// Calls by service.
    Service,
    /// Calls by municipality.
    Municipality,
    /// Calls by hour.
    Hour,
    /// Calls by what became of them.
    Outcome,
    /// How far callers came, step by step.
    Funnel,
    /// Waits, service levels and the histogram by queue.
    Queue,
    /// Callbacks.
    Callback,
    /// Means of surveys.
    Survey,
    /// Means of marks by operator.
    Mark,
    /// Tickets by kind.
    Ticket,
}

/// Reports of a moment ago, and the turn of whoever makes the next one: reading a year of records is work, and calls need
/// the cores.
#[derive(Debug, Default)]
pub(crate) struct Reports(tokio::sync::Mutex<Vec<KeptReport>>);

#[derive(Debug)]
struct KeptReport {
    key: String,
    made_ms: u64,
    report: Arc<ReportView>,
}

/// What a time came to. Of a whole time that ended a while ago it is always the same.
///
/// # Errors
/// `forbidden`, `bad-query`.
pub async fn make(admin: &Admin, who: &Principal, query: &ReportQuery) -> Result<Arc<ReportView>, Problem> {
    let scope = who.may(Operation::ReportRead)?;
    let only = scope.narrow(query.agency.as_ref())?;
    let span = Span::of(admin, query)?;
    let key = format!("{}-{} {only:?} {scope:?}", span.from_ms, span.until_ms);
    let now = admin.now_ms();
    let mut kept = admin.reports().0.lock().await;
    kept.retain(|one| now.saturating_sub(one.made_ms) < time::ms(REPORT_KEPT));
    if let Some(known) = kept.iter().find(|one| one.key == key) {
        return Ok(Arc::clone(&known.report));
    }
    let report = counted(admin, &scope, only.as_deref(), span).await?;
    let report = Arc::new(ReportView::from(&report));
    if kept.len() >= REPORTS_KEPT_MAX {
        kept.remove(0);
    }
    kept.push(KeptReport { key, made_ms: now, report: Arc::clone(&report) });
    Ok(report)
}

#[derive(Clone, Copy)]
struct Span {
    from_ms: u64,
    until_ms: u64,
}

impl Span {
    fn of(admin: &Admin, query: &ReportQuery) -> Result<Self, Problem> {
        let read = |field: &str, text: &Option<String>| {
            let read = time::read_some(field, text.as_deref());
            read.map_err(|problem| Problem::new(&codes::BAD_QUERY, problem.detail()).field(field))
        };
        let now = admin.now_ms();
        // A whole minute, so that who asks again a moment later meets the same report.
        let until_ms = read("until", &query.until)?.unwrap_or(now - now % 60_000 + 60_000);
        let from_ms = read("from", &query.from)?.unwrap_or_else(|| midnight(admin, until_ms.min(now)));
        let days = until_ms.saturating_sub(from_ms) / 86_400_000;
        if from_ms >= until_ms || days > REPORT_DAYS_MAX {
            let detail =
                format!("A report is of a time that ends after its beginning, of {REPORT_DAYS_MAX} days at most.");
            return Err(Problem::new(&codes::BAD_QUERY, detail).field("from"));
        }
        Ok(Self { from_ms, until_ms })
    }

    const fn has(self, at_ms: u64) -> bool {
        self.from_ms <= at_ms && at_ms < self.until_ms
    }
}

/// The beginning of the centre's day.
fn midnight(admin: &Admin, at_ms: u64) -> u64 {
    let zone = admin.config().zone.clone();
    let at = jiff::Timestamp::from_millisecond(i64::try_from(at_ms).unwrap_or(i64::MAX));
    let day = at.ok().and_then(|at| at.to_zoned(zone).start_of_day().ok());
    let ms = day.and_then(|day| u64::try_from(day.timestamp().as_millisecond()).ok());
    ms.unwrap_or(at_ms.saturating_sub(86_400_000))
}

async fn counted(admin: &Admin, scope: &Scope, only: Option<&str>, span: Span) -> Result<Report, Problem> {
    let queues = admin.engine().queues().await.into_iter();
    let levels: BTreeMap<Arc<str>, Duration> =
        queues.map(|queue| (Arc::from(queue.name), Duration::from_millis(queue.service_level_ms))).collect();
    let mut builder = ReportBuilder::new(ReportSettings {
        zone: admin.config().zone.clone(),
        service_level: SERVICE_LEVEL,
        service_levels: levels.into_iter().filter(|(_, level)| !level.is_zero()).collect(),
        agency: only.map(Arc::from),
    });
    let ours = |agency: &str| scope.includes(agency) && only.is_none_or(|only| only == agency);
    calls(admin, only, span, &ours, &mut builder).await?;
    each::<CallbackKept>(admin, kinds::CALLBACK, "", |kept| {
        if ours(&kept.agency) && span.has(kept.requested_us / 1_000) {
            builder.callback(&kept.facts());
        }
    })
    .await?;
    let prefix = only.map(|only| format!("{only}/")).unwrap_or_default();
    each::<SurveyDocument>(admin, kinds::SURVEY, &prefix, |survey| {
        if !ours(survey.agency.as_str()) || !span.has(survey.at_ms) {
            return;
        }
        let name = Arc::from(survey.survey.as_str());
        for answer in &survey.answers {
            if let Some(score) = answer.score {
                builder.survey(&name, &Arc::from(answer.question.as_str()), i32::from(score));
            }
        }
    })
    .await?;
    each::<MarkDocument>(admin, kinds::MARK, "", |mark| {
        if ours(mark.agency.as_str()) && span.has(mark.at_ms) {
            builder.mark(&Arc::from(mark.operator.as_deref().unwrap_or(NONE)), i32::from(mark.score));
        }
    })
    .await?;
    each::<TicketDocument>(admin, kinds::TICKET, &prefix, |ticket| {
        if ours(ticket.agency.as_str()) && span.has(ticket.created_ms) {
            builder.ticket(&Arc::from(ticket.kind.as_str()));
        }
    })
    .await?;
    Ok(builder.finish())
}

/// Reads the records of a time page by page, and keeps none of them.
async fn calls(
    admin: &Admin,
    only: Option<&str>,
    span: Span,
    ours: &(dyn Fn(&str) -> bool + Sync),
    builder: &mut ReportBuilder,
) -> Result<(), Problem> {
    admin.store().settled().await?;
    let query = CdrQuery {
        from: UtcMs(span.from_ms),
        until: Some(UtcMs(span.until_ms)),
        agency: only.map(AgencyId::new).transpose()?,
        rows_max: PAGE_ITEMS_MAX,
        ..CdrQuery::default()
    };
    let mut cursor = None;
    loop {
        let page = admin.store().cdrs(CdrQuery { cursor, ..query.clone() }).await?;
        for cdr in page.cdrs.iter().filter(|cdr| ours(cdr.began.agency.as_str())) {
            if let Some(row) = row_of_cdr(cdr) {
                builder.call(&row);
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// Every document of a kind, one after another.
async fn each<T: serde::de::DeserializeOwned>(
    admin: &Admin,
    kind: &str,
    prefix: &str,
    mut take: impl FnMut(&T),
) -> Result<(), Problem> {
    let mut after = None;
    loop {
        let page = admin.ledger().page::<serde_json::Value>(kind, prefix, after, STEP_ROWS).await?;
        for kept in page.documents {
            match serde_json::from_value(kept.body) {
                Ok(body) => take(&body),
                Err(error) => tracing::warn!(kind, id = kept.id, %error, "a document is not counted in a report"),
            }
        }
        after = page.more_after;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Of a callback's document, what a report counts; the rest is the engine's.
#[derive(Debug, Deserialize)]
struct CallbackKept {
    agency: String,
    requested_us: u64,
    due_us: u64,
    state: CallbackWord,
    #[serde(default)]
    escalated_us: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
enum CallbackWord {
    Waiting,
    Claimed,
    Connected { at_us: u64 },
    Unknown,
    NotReached,
    Cancelled,
    TakenForMade,
}

impl CallbackKept {
    fn facts(&self) -> CallbackFacts {
        CallbackFacts {
            agency: Arc::from(self.agency.as_str()),
            due: Timestamp::from_micros(self.due_us),
            escalated: self.escalated_us.is_some(),
            end: match self.state {
                CallbackWord::Waiting | CallbackWord::Claimed => CallbackEnd::Open,
                CallbackWord::Connected { at_us } => CallbackEnd::Connected { at: Timestamp::from_micros(at_us) },
                CallbackWord::Unknown | CallbackWord::TakenForMade => CallbackEnd::Unknown,
                CallbackWord::NotReached => CallbackEnd::NotReached,
                CallbackWord::Cancelled => CallbackEnd::Cancelled,
            },
        }
    }
}
