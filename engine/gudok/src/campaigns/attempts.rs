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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::{Heard, Inbox};
    use gudok_core::campaign::ContactNo;
    use gudok_core::ids::Campaign;

    fn attempt(contact: u32) -> AttemptId {
        AttemptId { campaign: Campaign::new("flood"), contact: ContactNo(contact), nth: 1 }
    }

    fn ended(disposition: Disposition) -> CampaignReport {
        CampaignReport::Ended(AttemptEnd { disposition, answered_by: None, answered: None, status: None })
    }

    fn heard(inbox: &mut Inbox) -> Vec<(AttemptId, CampaignReport)> {
        let mut all = Vec::new();
        while let Ok(Heard::Report(attempt, report)) = inbox.heard.try_recv() {
            all.push((attempt, report));
        }
        all
    }

    #[test]
    fn an_end_is_heard_once_whatever_becomes_of_the_call() {
        let (campaigns, mut inbox) = Campaigns::new();
        let first = campaigns.begin(attempt(1));
        campaigns.report(attempt(1), CampaignReport::Answered);
        campaigns.report(attempt(1), ended(Disposition::Delivered));
        campaigns.report(attempt(1), ended(Disposition::HungUp));
        campaigns.report(attempt(1), CampaignReport::Connected);
        drop(first);
        drop(campaigns.begin(attempt(2)));
        campaigns.report(attempt(3), ended(Disposition::Delivered));
        let expected = vec![
            (attempt(1), CampaignReport::Answered),
            (attempt(1), ended(Disposition::Delivered)),
            (attempt(2), ended(Disposition::Unknown)),
        ];
        assert_eq!(heard(&mut inbox), expected, "a lost call may have rung; one that nobody began says nothing");
    }
}
