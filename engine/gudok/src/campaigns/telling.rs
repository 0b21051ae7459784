//! Results told to agencies' webhooks, for campaigns that want it.
//!
//! In batches, in the order of the ends, each at least once: the next batch is sent when the one before was taken, and
//! where the reading goes on is kept in the ledger. A batch that is sent again has the same id, so that whoever gets it twice
//! knows; only that it may have grown meanwhile is avoided by keeping its end with it.

use super::keep::Book;
use super::orders::wanting_results;
use super::results::{self, ResultLine};
use super::{Campaigns, figures};
use crate::call::CallHost;
use crate::director::Director;
use crate::promises::{Promises, Webhook, webhooks};
use gudok_core::ids::{Agency, Campaign};
use gudok_core::outbox::SendOutcome;
use gudok_store::{LedgerChange, Put, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How far an agency was told, by campaign.
const TOLD_KIND: &str = "campaign-told";
/// Results are looked for so often.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Results of one batch.
const BATCH_MAX: usize = 100;
/// Batches of one campaign in one look: others get their turn.
const BATCHES_MAX: usize = 20;
/// After a failure; twice as long after the next, up to [`REST_MAX`].
const REST: Duration = Duration::from_secs(5);
const REST_MAX: Duration = Duration::from_secs(10 * 60);

/// How far a campaign's results were told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    /// Everything up to this result.
    cursor: u64,
    /// A batch was sent, up to this one, and nobody knows whether it came: it goes out again as it was.
    #[serde(default)]
    trying: Option<u64>,
}

/// What tells results.
struct Telling {
    book: Book,
    campaigns: Campaigns,
    director: Arc<Director>,
    promises: Arc<Promises>,
}

/// A webhook that failed, until when it is left alone.
struct Rest {
    until: Instant,
    last: Duration,
}

/// Tells what there is to tell, for as long as the engine lives.
pub(crate) async fn tell(host: Arc<CallHost>) {
    let book = Book { store: Arc::clone(&host.store), clock: Arc::clone(&host.clock), subjects: host.subjects.clone() };
    let (director, promises) = (Arc::clone(&host.director), Arc::clone(&host.books.promises));
    Telling { book, campaigns: host.campaigns.clone(), director, promises }.tell().await;
}

impl Telling {
    async fn tell(self) {
        let mut rests: BTreeMap<Campaign, Rest> = BTreeMap::new();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Ok(wanting) = wanting_results(&self.campaigns).await else { return };
            if wanting.is_empty() {
                continue;
            }
            let webhooks = match webhooks(&self.director).await {
                Ok(webhooks) => webhooks,
                Err(problem) => {
                    tracing::error!(problem, "the agencies' webhooks cannot be read; results wait");
                    continue;
                }
            };
            for (campaign, agency) in wanting {
                if rests.get(&campaign).is_some_and(|rest| rest.until > Instant::now()) {
                    continue;
                }
                match self.tell_one(&campaign, &agency, &webhooks).await {
                    Ok(()) => {
                        rests.remove(&campaign);
                    }
                    Err((problem, retry_after)) => {
                        let last = rests.get(&campaign).map_or(REST, |rest| (rest.last * 2).min(REST_MAX));
                        let wait = retry_after.unwrap_or(last).max(REST);
                        tracing::warn!(%campaign, %agency, problem, wait_s = wait.as_secs(), "results were not told; they wait");
                        rests.insert(campaign, Rest { until: Instant::now() + wait, last });
                    }
                }
            }
        }
    }

    async fn tell_one(
        &self,
        campaign: &Campaign,
        agency: &Agency,
        webhooks: &HashMap<Agency, Webhook>,
    ) -> Result<(), (String, Option<Duration>)> {
        let webhook = webhooks.get(agency).ok_or_else(|| ("the agency has no webhook".to_owned(), None))?;
        let plain = |error: StoreError| (error.to_string(), None);
        let mut told = self.told(campaign).await.map_err(plain)?;
        for _ in 0..BATCHES_MAX {
            let read = results::page(&*self.book.store, campaign, told.cursor, BATCH_MAX).await;
            let mut lines = read.map_err(plain)?.0;
            if let Some(up_to) = told.trying {
                lines.retain(|line| line.cursor <= up_to);
            }
            let Some(last) = lines.last().map(|line| line.cursor) else { return Ok(()) };
            if told.trying != Some(last) {
                told.trying = Some(last);
                self.keep(campaign, &told).await.map_err(plain)?;
            }
            let body = body(campaign, agency, &lines, self.book.utc());
            let key = key(campaign, told.cursor, last);
            match self.promises.send(agency, webhook, &key, self.book.utc().0 / 1_000, body).await {
                SendOutcome::Accepted { .. } => {
                    figures::told(agency, lines.len());
                    told = Told { cursor: last, trying: None };
                    self.keep(campaign, &told).await.map_err(plain)?;
                }
                SendOutcome::Failed { problem, retry_after, .. } => return Err((problem.to_string(), retry_after)),
                SendOutcome::Gone { problem } => return Err((problem.to_string(), Some(REST_MAX))),
            }
        }
        Ok(())
    }

    async fn told(&self, campaign: &Campaign) -> Result<Told, StoreError> {
        let kept = self.book.store.ledger_get(TOLD_KIND, campaign.as_str(), self.book.utc()).await?;
        // What is not understood is told once more: at least once is what was promised.
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept.body).ok()).unwrap_or_default())
    }

    async fn keep(&self, campaign: &Campaign, told: &Told) -> Result<(), StoreError> {
        let body = serde_json::to_vec(told).unwrap_or_default();
        let put = Put { kind: TOLD_KIND.to_owned(), id: campaign.as_str().to_owned(), body, expires: None };
        let change = LedgerChange { puts: vec![put], urgent: true, ..LedgerChange::default() };
        self.book.store.ledger_commit(change, self.book.utc()).await.map(|_| ())
    }
}

/// What goes with a campaign that is erased.
pub(super) fn forgotten(campaign: &Campaign) -> (String, String) {
    (TOLD_KIND.to_owned(), campaign.as_str().to_owned())
}

/// The same for the same batch, whenever it is sent.
fn key(campaign: &Campaign, after: u64, last: u64) -> String {
    format!("results_{campaign}_{after}_{last}")
}

/// What the agency gets: no number in clear, contacts by the list's own ids.
fn body(campaign: &Campaign, agency: &Agency, lines: &[ResultLine], now: gudok_store::UtcMs) -> Vec<u8> {
    let body = serde_json::json!({
        "type": "campaign.results",
        "timestamp": now.to_rfc3339(),
        "data": { "campaign": campaign.as_str(), "agency": agency.as_str(), "results": lines },
    });
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_goes_out_again_has_the_same_id() {
        let campaign = Campaign::new("tax");
        assert_eq!(key(&campaign, 100, 200), "results_tax_100_200");
        assert_ne!(key(&campaign, 100, 200), key(&campaign, 100, 150));
        let kept: Told = serde_json::from_str(r#"{"cursor":7}"#).unwrap();
        assert_eq!(kept, Told { cursor: 7, trying: None });
    }

    #[test]
    fn an_agency_gets_ids_and_no_numbers() {
        let line = ResultLine { cursor: 1, id: "42".into(), number: "+7********21".into(), ..ResultLine::default() };
        let body = body(&Campaign::new("tax"), &Agency::new("tax"), &[line], gudok_store::UtcMs(1_000));
        let parsed: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(parsed["type"], "campaign.results");
        assert_eq!(parsed["data"]["results"][0]["id"], "42");
        assert_eq!(parsed["data"]["results"][0]["number"], "+7********21");
    }
}
