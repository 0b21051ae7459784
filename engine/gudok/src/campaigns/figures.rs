//! What campaigns count. Labels are names of campaigns and words of closed sets.

use super::prepare::OpenContact;
use gudok_admin::ports::CampaignFigures;
use gudok_core::campaign::{Disposition, Plan, PrepareFailure};
use gudok_core::ids::{Agency, Campaign};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use std::time::Duration;

/// Says what each is; once, at the start.
pub(crate) fn describe() {
    describe_counter!("gudok_campaign_attempts_total", "Attempts that ended, by campaign and disposition");
    describe_gauge!("gudok_campaign_contacts", "Contacts, by campaign and where they stand");
    describe_gauge!("gudok_campaign_calls", "Calls now, by campaign");
    describe_gauge!("gudok_campaign_calls_per_second", "Calls begun per second over the last minute, by campaign");
    describe_counter!("gudok_campaign_prepared_total", "Contacts that scripts were asked about, by campaign and plan");
    describe_histogram!("gudok_campaign_prepare_seconds", "How long it took to open a contact and ask its script");
    describe_counter!(
        "gudok_campaign_not_kept_total",
        "Claims and ends of attempts that were not written down at once"
    );
    describe_counter!("gudok_campaign_results_sent_total", "Results told to agencies' webhooks, by agency");
}

pub(super) fn ended(campaign: &Campaign, disposition: &Disposition) {
    let disposition = disposition.as_str();
    counter!("gudok_campaign_attempts_total", "campaign" => campaign.to_string(), "disposition" => disposition)
        .increment(1);
}

pub(super) fn prepared(
    campaign: &Campaign,
    prepared: &Result<(Plan, Option<OpenContact>), PrepareFailure>,
    took: Duration,
) {
    let plan = match prepared {
        Ok((Plan::Dial, _)) => "dial",
        Ok((Plan::Skip(_), _)) => "skip",
        Ok((Plan::NotBefore(_), _)) => "not-before",
        Err(PrepareFailure::Script) => "script-failed",
        Err(PrepareFailure::NoScript) => "no-script",
        Err(PrepareFailure::Store(_)) => "store-failed",
    };
    counter!("gudok_campaign_prepared_total", "campaign" => campaign.to_string(), "plan" => plan).increment(1);
    histogram!("gudok_campaign_prepare_seconds").record(took.as_secs_f64());
}

pub(super) fn told(agency: &Agency, results: usize) {
    counter!("gudok_campaign_results_sent_total", "agency" => agency.to_string()).increment(results as u64);
}

pub(super) fn not_kept() {
    counter!("gudok_campaign_not_kept_total").increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; no count here comes near 2^52")]
pub(super) fn show(campaign: &Campaign, figures: &CampaignFigures) {
    for (state, count) in &figures.states {
        gauge!("gudok_campaign_contacts", "campaign" => campaign.to_string(), "state" => state.clone())
            .set(*count as f64);
    }
    gauge!("gudok_campaign_calls", "campaign" => campaign.to_string()).set(f64::from(figures.live_calls));
    gauge!("gudok_campaign_calls_per_second", "campaign" => campaign.to_string()).set(figures.calls_per_s);
}

/// A campaign that is no more has nothing on.
pub(super) fn forget(campaign: &Campaign) {
    for state in super::views::STATES {
        gauge!("gudok_campaign_contacts", "campaign" => campaign.to_string(), "state" => state).set(0.0);
    }
    show(campaign, &CampaignFigures::default());
}
