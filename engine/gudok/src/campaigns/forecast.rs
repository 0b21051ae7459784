//! The dry run: what would happen when. Reckoned on a machine of its own, off the task, since it looks at everybody.

use super::convert::{opt_out_to_core, seed_to_core};
use super::orders::{settings, unknown};
use super::zones::Zones;
use crate::call::CallHost;
use crate::director::{internal, of_store};
use gudok_admin::documents::CampaignDocument;
use gudok_admin::ports::{CampaignForecast, EngineRefusal, ForecastHour};
use gudok_core::campaign::{
    CampaignInput, CampaignMachine, CampaignSettings, CampaignsSettings, ContactSeed, Forecast, ForecastAssumptions,
    OptOut,
};
use gudok_core::ids::Campaign;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::Clock;
use gudok_store::OptOutQuery;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What would happen with the contacts that a campaign has, by its own document or by another.
///
/// # Errors
/// Where there is no such campaign, the document means nothing, or the store does not answer.
pub(crate) async fn of_campaign(
    host: &CallHost,
    name: Campaign,
    document: Option<Box<CampaignDocument>>,
) -> Result<CampaignForecast, EngineRefusal> {
    let wanted = name.clone();
    let own = host.campaigns.ask(move |task| task.known.get(&wanted).map(|known| Arc::clone(&known.settings))).await?;
    let own = own.ok_or_else(|| unknown(&name))?;
    let by = match document {
        Some(document) => Arc::new(settings(host, &name, &document)?),
        None => own,
    };
    let mut zones = Zones::default();
    let seeds = seeds_of(host, &name, &mut zones).await?;
    reckon(host, by, zones, seeds).await
}

/// The contacts that a campaign has.
///
/// # Errors
/// Where the store does not answer.
pub(super) async fn seeds_of(
    host: &CallHost,
    name: &Campaign,
    zones: &mut Zones,
) -> Result<Vec<ContactSeed>, EngineRefusal> {
    let (mut seeds, mut after) = (Vec::new(), None);
    loop {
        let page = host.store.contact_seeds(name.as_str(), after, 0).await;
        let page = page.map_err(|error| of_store("reading contacts", &error))?;
        let numbers: Vec<_> = page.zones.iter().map(|zone| zones.no(zone).0).collect();
        let zone = |seed: &gudok_store::ContactSeed| numbers.get(usize::from(seed.zone)).copied();
        seeds.extend(page.seeds.iter().filter_map(|seed| Some(seed_to_core(seed, zone(seed)?))));
        match page.more_after {
            Some(more) => after = Some(more),
            None => return Ok(seeds),
        }
    }
}

/// What would happen with these contacts.
///
/// # Errors
/// Where the store does not answer.
pub(super) async fn reckon(
    host: &CallHost,
    settings: Arc<CampaignSettings>,
    zones: Zones,
    seeds: Vec<ContactSeed>,
) -> Result<CampaignForecast, EngineRefusal> {
    let opt_outs = opt_outs(host).await?;
    let config = host.director.config();
    let shared = CampaignsSettings { zones: zones.rules(), ..CampaignsSettings::clone(&config.campaigns.settings) };
    let now = host.clock.now();
    let reckoned = tokio::task::spawn_blocking(move || {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for seed in &seeds {
            if let Some(name) = zones.name(seed.zone) {
                *counts.entry(name.to_string()).or_default() += 1;
            }
        }
        let mut machine = CampaignMachine::new(Arc::new(shared), 0, now);
        machine.handle(CampaignInput::OptOutsLoaded(opt_outs), now);
        let forecast = machine.plan(&settings, seeds, ForecastAssumptions::default(), now);
        CampaignForecast { zones: counts, ..view(&forecast, now) }
    });
    reckoned.await.map_err(|error| internal("reckoning a forecast", error))
}

async fn opt_outs(host: &CallHost) -> Result<Vec<OptOut>, EngineRefusal> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = host.store.opt_outs(OptOutQuery { after, ..OptOutQuery::default() }).await;
        let page = page.map_err(|error| of_store("reading opt-outs", &error))?;
        all.extend(page.opt_outs.iter().map(opt_out_to_core));
        match page.more_after {
            Some(more) => after = Some(more),
            None => return Ok(all),
        }
    }
}

fn view(forecast: &Forecast, now: Timestamp) -> CampaignForecast {
    let hours = forecast.hours.iter().map(|hour| ForecastHour {
        at_ms: hour.begins.as_millis(),
        first: hour.first_calls,
        again: hour.again,
    });
    let never = forecast.never.iter().map(|(why, count)| (why.as_str().to_owned(), *count));
    let assumed = forecast.assumed;
    CampaignForecast {
        from_ms: now.as_millis(),
        contacts: forecast.contacts,
        hours: hours.collect(),
        first_ms: forecast.first.map(Timestamp::as_millis),
        last_ms: forecast.last.map(Timestamp::as_millis),
        never: never.collect(),
        zones: BTreeMap::new(),
        assumptions: vec![
            format!("{} of 1000 calls are to be repeated, where the retry rules let them", assumed.again_permille),
            format!("a call occupies its line for {} s", assumed.call_s),
            "the campaign has its lines for itself".to_owned(),
        ],
    }
}
