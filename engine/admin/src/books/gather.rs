//! A report from what the store keeps. Callbacks are the engine's own: whoever asks adds them.

use super::row_of_cdr;
use crate::documents::{MarkDocument, SurveyDocument, TicketDocument, kinds};
use gudok_core::report::{ReportBuilder, ReportSettings};
use gudok_store::{AgencyId, CdrQuery, LedgerQuery, Store, StoreError, UtcMs};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Which time: of call records by their end, of everything else by when it was written down.
#[derive(Clone, Debug)]
pub struct ReportTime {
    /// From then on.
    pub from: UtcMs,
    /// Up to then.
    pub until: Option<UtcMs>,
}

impl ReportTime {
    fn has(&self, at_ms: u64) -> bool {
        at_ms >= self.from.0 && self.until.is_none_or(|until| at_ms < until.0)
    }
}

/// Reads a time's call records, surveys, marks and tickets, page by page. Of one agency where the settings say so.
///
/// # Errors
/// Of the store.
pub async fn gather(
    store: &Arc<dyn Store>,
    settings: ReportSettings,
    time: &ReportTime,
    now: UtcMs,
) -> Result<ReportBuilder, StoreError> {
    let agency = settings.agency.clone();
    let mut builder = ReportBuilder::new(settings);
    store.settled().await?;
    let mut query = CdrQuery {
        from: time.from,
        until: time.until,
        agency: agency.as_deref().map(AgencyId::new).transpose()?,
        ..CdrQuery::default()
    };
    loop {
        let page = store.cdrs(query.clone()).await?;
        page.cdrs.iter().filter_map(row_of_cdr).for_each(|row| builder.call(&row));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    let mine = |whose: &str| agency.as_deref().is_none_or(|agency| agency == whose);
    let prefix = agency.as_deref().map(|agency| format!("{agency}/")).unwrap_or_default();
    each(store, kinds::SURVEY, &prefix, now, |survey: SurveyDocument| {
        if !time.has(survey.at_ms) || !mine(survey.agency.as_str()) {
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
    each(store, kinds::MARK, "", now, |mark: MarkDocument| {
        if time.has(mark.at_ms) && mine(mark.agency.as_str()) {
            builder.mark(&Arc::from(mark.operator.as_deref().unwrap_or("-")), i32::from(mark.score));
        }
    })
    .await?;
    each(store, kinds::TICKET, &prefix, now, |ticket: TicketDocument| {
        if time.has(ticket.created_ms) && mine(ticket.agency.as_str()) {
            builder.ticket(&Arc::from(ticket.kind.as_str()));
        }
    })
    .await?;
    Ok(builder)
}

/// Every document of a kind. One that cannot be read is left out, and the log says which.
async fn each<T: DeserializeOwned>(
    store: &Arc<dyn Store>,
    kind: &str,
    prefix: &str,
    now: UtcMs,
    mut take: impl FnMut(T),
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let query = LedgerQuery { kind: kind.to_owned(), prefix: prefix.to_owned(), after, rows_max: 0 };
        let page = store.ledger_list(query, now).await?;
        for document in &page.documents {
            match serde_json::from_slice(&document.body) {
                Ok(body) => take(body),
                Err(error) => tracing::error!(kind, id = document.id, %error, "a document is not understood"),
            }
        }
        match page.more_after {
            Some(more) => after = Some(more),
            None => return Ok(()),
        }
    }
}
