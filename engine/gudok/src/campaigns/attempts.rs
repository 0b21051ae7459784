//! Attempts whose calls are on: each ends once.

use super::Campaigns;
use gudok_core::campaign::{AttemptEnd, AttemptId, CampaignReport, Disposition};
use parking_lot::Mutex;
use std::collections::HashSet;

/// Those that have not said their end.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashSet<AttemptId>>);

impl Attempts {
    pub(super) fn begin(&self, attempt: AttemptId) {
        self.0.lock().insert(attempt);
    }

    pub(super) fn is_open(&self, attempt: &AttemptId) -> bool {
        self.0.lock().contains(attempt)
    }

    /// Whether this is its first end.
    pub(super) fn end(&self, attempt: &AttemptId) -> bool {
        self.0.lock().remove(attempt)
    }
}

/// An attempt's call, for as long as its task lives.
pub(crate) struct Attempting {
    campaigns: Campaigns,
    attempt: AttemptId,
}

impl Attempting {
    pub(super) const fn new(campaigns: Campaigns, attempt: AttemptId) -> Self {
        Self { campaigns, attempt }
    }
}

impl Drop for Attempting {
    fn drop(&mut self) {
        if !self.campaigns.attempts.is_open(&self.attempt) {
            return;
        }
        // Its task is gone without a word: whether somebody was rung is not known.
        tracing::error!(campaign = %self.attempt.campaign, contact = self.attempt.contact.0, "a campaign's call was lost");
        let end = AttemptEnd { disposition: Disposition::Unknown, answered_by: None, answered: None, status: None };
        self.campaigns.report(self.attempt.clone(), CampaignReport::Ended(end));
    }
}
