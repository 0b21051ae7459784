//! What a former process left, read in the background: calls are answered meanwhile.
//!
//! First the campaigns, so that people see them; then the opt-outs; then the contacts, campaign by campaign, those that
//! run first. A campaign dials nobody before all of its contacts and all opt-outs are read.

use super::convert::{opt_out_to_core, seed_to_core};
use super::keep::{Book, RUN_KIND, RunDocument};
use super::{Campaigns, telling};
use gudok_admin::books::campaign_settings;
use gudok_admin::documents::{CampaignDocument, kinds};
use gudok_core::campaign::{CampaignInput, CampaignSettings, Urgency};
use gudok_core::ids::Campaign;
use gudok_core::prompt::LanguageTag;
use gudok_store::{AttemptQuery, Happened, LedgerQuery, OptOutQuery, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The store is asked again so often, where it cannot be read.
const AGAIN_EVERY: Duration = Duration::from_secs(10);
/// Seeds that the machine takes in one turn: between turns it dials.
const SEEDS_AT_ONCE_MAX: usize = 2_000;
/// Rows erased in one step.
const ERASED_AT_ONCE_MAX: usize = 1_000;

/// Why reading does not go on.
enum Stopped {
    Store(StoreError),
    /// The engine stops.
    Engine,
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Reads until everything is read; tries again where the store does not answer.
pub(super) async fn recover(campaigns: Campaigns, book: Book, lang: LanguageTag) {
    loop {
        match read(&campaigns, &book, &lang).await {
            Ok(()) | Err(Stopped::Engine) => return,
            Err(Stopped::Store(error)) => {
                tracing::error!(%error, "the campaigns cannot be read; nobody is called for them until they can be");
                tokio::time::sleep(AGAIN_EVERY).await;
            }
        }
    }
}

async fn read(campaigns: &Campaigns, book: &Book, lang: &LanguageTag) -> Result<(), Stopped> {
    let begun = std::time::Instant::now();
    let mut runs = runs(book).await?;
    let mut found = documents(book, lang).await?;
    for (revision, document, settings) in &found {
        let run = runs.remove(&settings.name).unwrap_or_else(|| RunDocument::draft(book.now(), "engine"));
        let (revision, document, settings) = (*revision, Arc::clone(document), Arc::clone(settings));
        tell(campaigns, move |task| task.put(revision, document, settings, run)).await?;
    }
    for (campaign, _) in runs.into_iter().filter(|(_, run)| run.gone) {
        begin_erasing(campaigns, book, campaign).await?;
    }
    let opt_outs = opt_outs(campaigns, book).await?;
    let runs_first = |settings: &CampaignSettings| matches!(settings.urgency, Urgency::Ordinary);
    found.sort_by_key(|(_, _, settings)| (runs_first(settings), settings.priority));
    let mut contacts = 0_u64;
    for (_, _, settings) in &found {
        contacts += seeds(campaigns, book, &settings.name).await?;
    }
    if !found.is_empty() {
        let ms = crate::clock::millis(begun.elapsed());
        tracing::info!(campaigns = found.len(), contacts, opt_outs, ms, "campaigns are read");
    }
    for (_, _, settings) in found {
        series(campaigns, book, &settings.name).await?;
    }
    Ok(())
}

async fn tell<T: Send + 'static>(
    campaigns: &Campaigns,
    order: impl FnOnce(&mut super::Task) -> T + Send + 'static,
) -> Result<T, Stopped> {
    campaigns.ask(order).await.map_err(|_| Stopped::Engine)
}

async fn runs(book: &Book) -> Result<BTreeMap<Campaign, RunDocument>, StoreError> {
    let (mut all, mut after) = (BTreeMap::new(), None);
    loop {
        let query = LedgerQuery { kind: RUN_KIND.to_owned(), after, ..LedgerQuery::default() };
        let page = book.store.ledger_list(query, book.utc()).await?;
        for document in page.documents {
            match serde_json::from_slice(&document.body) {
                Ok(run) => {
                    all.insert(Campaign::new(&document.id), run);
                }
                Err(error) => {
                    tracing::error!(campaign = document.id, %error, "how a campaign stands is not understood");
                }
            }
        }
        match page.more_after {
            Some(more) => after = Some(more),
            None => return Ok(all),
        }
    }
}

type Found = (u64, Arc<CampaignDocument>, Arc<CampaignSettings>);

async fn documents(book: &Book, lang: &LanguageTag) -> Result<Vec<Found>, StoreError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let query = LedgerQuery { kind: kinds::CAMPAIGN.to_owned(), after, ..LedgerQuery::default() };
        let page = book.store.ledger_list(query, book.utc()).await?;
        for kept in page.documents {
            let read = serde_json::from_slice::<CampaignDocument>(&kept.body).map_err(|error| error.to_string());
            let understood = read.and_then(|document| {
                let settings = campaign_settings(&kept.id, &document, lang).map_err(|bad| bad.to_string())?;
                Ok((kept.revision, Arc::new(document), Arc::new(settings)))
            });
            match understood {
                Ok(found) => all.push(found),
                Err(problem) => {
                    tracing::error!(campaign = kept.id, problem, "a campaign is not understood: it stands still");
                }
            }
        }
        match page.more_after {
            Some(more) => after = Some(more),
            None => return Ok(all),
        }
    }
}

async fn opt_outs(campaigns: &Campaigns, book: &Book) -> Result<u64, Stopped> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = book.store.opt_outs(OptOutQuery { after, ..OptOutQuery::default() }).await?;
        if page.corrupt > 0 {
            tracing::error!(
                count = page.corrupt,
                "opt-outs are damaged and set aside: these people may be called again; restore a backup"
            );
        }
        count += page.opt_outs.len() as u64;
        let some = page.opt_outs.iter().map(opt_out_to_core).collect();
        tell(campaigns, move |task| task.feed(CampaignInput::OptOutsLoaded(some))).await?;
        match page.more_after {
            Some(more) => after = Some(more),
            None => return Ok(count),
        }
    }
}

/// A campaign's contacts; then it may dial.
async fn seeds(campaigns: &Campaigns, book: &Book, campaign: &Campaign) -> Result<u64, Stopped> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = book.store.contact_seeds(campaign.as_str(), after, 0).await?;
        if page.corrupt > 0 {
            tracing::error!(%campaign, count = page.corrupt, "contacts are damaged: these people are not called");
        }
        count += page.seeds.len() as u64;
        let zones: Arc<[String]> = page.zones.into();
        for some in page.seeds.chunks(SEEDS_AT_ONCE_MAX) {
            let (campaign, some, zones) = (campaign.clone(), some.to_vec(), Arc::clone(&zones));
            let load = move |task: &mut super::Task| {
                let mut new = false;
                let mut number = |name: &str| {
                    let (no, is_new) = task.zones.no(name);
                    new |= is_new;
                    no
                };
                let numbers: Vec<_> = zones.iter().map(|name| number(name)).collect();
                let unknown = number("");
                let zone =
                    |seed: &gudok_store::ContactSeed| numbers.get(usize::from(seed.zone)).copied().unwrap_or(unknown);
                let seeds = some.iter().map(|seed| seed_to_core(seed, zone(seed))).collect();
                if new {
                    task.configure();
                }
                task.feed(CampaignInput::Loaded(campaign, seeds));
            };
            tell(campaigns, load).await?;
        }
        match page.more_after {
            Some(more) => after = Some(more),
            None => break,
        }
    }
    let campaign = campaign.clone();
    tell(campaigns, move |task| task.feed(CampaignInput::Ready(campaign))).await?;
    Ok(count)
}

/// How attempts ended before the start, for the chart: what the store has of the last of them.
async fn series(campaigns: &Campaigns, book: &Book, campaign: &Campaign) -> Result<(), Stopped> {
    let mut after = 0;
    loop {
        let query = AttemptQuery::Ends { after, rows_max: 0 };
        let page = book.store.attempts(campaign.as_str(), query).await?;
        let ends: Vec<_> = page.attempts.iter().filter_map(|row| ended(&row.what)).collect();
        let name = campaign.clone();
        tell(campaigns, move |task| {
            if let Some(known) = task.known.get_mut(&name) {
                ends.into_iter().for_each(|(at, kind)| known.series.add(at, kind));
            }
        })
        .await?;
        match page.more_after {
            Some(more) => after = more,
            None => return Ok(()),
        }
    }
}

fn ended(what: &Happened) -> Option<(gudok_core::time::Timestamp, u8)> {
    match what {
        Happened::Attempt(attempt) => {
            let (at, end) = (attempt.ended?, attempt.end.as_ref()?);
            Some((gudok_core::time::Timestamp::from_millis(at.0), end.disposition.kind))
        }
        Happened::Ended { .. } => None,
    }
}

/// A campaign that was removed: its contacts go in small steps, then its name is free again.
async fn begin_erasing(campaigns: &Campaigns, book: &Book, campaign: Campaign) -> Result<(), Stopped> {
    let name = campaign.clone();
    tell(campaigns, move |task| task.erasing.insert(name)).await?;
    tokio::spawn(erase(campaigns.clone(), book.clone(), campaign));
    Ok(())
}

/// Erases what is kept of a campaign.
pub(super) async fn erase(campaigns: Campaigns, book: Book, campaign: Campaign) {
    loop {
        match erase_all(&book, &campaign).await {
            Ok(rows) => {
                tracing::info!(%campaign, rows, "a campaign's contacts and results are erased");
                let _ = campaigns.ask(move |task| task.erasing.remove(&campaign)).await;
                return;
            }
            Err(error) => {
                tracing::error!(%campaign, %error, "a campaign's contacts cannot be erased; it is tried again");
                tokio::time::sleep(AGAIN_EVERY).await;
            }
        }
    }
}

async fn erase_all(book: &Book, campaign: &Campaign) -> Result<u64, StoreError> {
    let mut rows = 0;
    loop {
        let swept = book.store.campaign_erase(campaign.as_str(), ERASED_AT_ONCE_MAX).await?;
        rows += swept.removed;
        if !swept.more {
            break;
        }
    }
    let change = gudok_store::LedgerChange {
        deletes: vec![(RUN_KIND.to_owned(), campaign.as_str().to_owned()), telling::forgotten(campaign)],
        urgent: true,
        ..gudok_store::LedgerChange::default()
    };
    book.store.ledger_commit(change, book.utc()).await?;
    Ok(rows)
}
