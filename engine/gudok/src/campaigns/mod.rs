//! Campaigns, carried out: one task owns the machine, and everybody else talks to it through a channel.
//!
//! *Architecture Invariant:* a campaign's call waits for nothing here. What it says is taken in its order, and its end is
//! heard exactly once, whatever becomes of its task.

mod attempts;

pub(crate) use attempts::Attempting;

use attempts::Attempts;
use gudok_core::campaign::{AttemptId, CampaignReport};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What is said to the task.
#[derive(Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "the task that hears it comes with the machine"))]
pub(crate) enum Said {
    /// A call of a campaign says something of itself.
    Report(AttemptId, CampaignReport),
}

/// The way to the campaigns' task.
#[derive(Clone)]
pub(crate) struct Campaigns {
    /// Unbounded as a channel, bounded by what goes in: three reports a call.
    inbox: mpsc::UnboundedSender<Said>,
    attempts: Arc<Attempts>,
}

impl Campaigns {
    /// With what the task hears.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Said>) {
        let (inbox, said) = mpsc::unbounded_channel();
        (Self { inbox, attempts: Arc::default() }, said)
    }

    /// What an attempt's call says of itself. Waits for nobody; nothing is lost and nothing overtakes. What is said after
    /// [`CampaignReport::Ended`] is not heard.
    pub(crate) fn report(&self, attempt: AttemptId, report: CampaignReport) {
        let heard = match &report {
            CampaignReport::Ended(_) => self.attempts.end(&attempt),
            CampaignReport::Answered | CampaignReport::Connected => self.attempts.is_open(&attempt),
        };
        if heard {
            // The task lives as long as the process; what it is not told, the next one finds claimed.
            let _ = self.inbox.send(Said::Report(attempt, report));
        }
    }

    /// An attempt's call begins; until the guard is dropped, which says that it ended, where the call itself has not.
    pub(crate) fn begin(&self, attempt: AttemptId) -> Attempting {
        self.attempts.begin(attempt.clone());
        Attempting::new(self.clone(), attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::campaign::{AttemptEnd, ContactNo, Disposition};
    use gudok_core::ids::Campaign;

    fn attempt(contact: u32) -> AttemptId {
        AttemptId { campaign: Campaign::new("flood"), contact: ContactNo(contact), nth: 1 }
    }

    fn ended(disposition: Disposition) -> CampaignReport {
        CampaignReport::Ended(AttemptEnd { disposition, answered_by: None, answered: None, status: None })
    }

    fn heard(said: &mut mpsc::UnboundedReceiver<Said>) -> Vec<(AttemptId, CampaignReport)> {
        let mut all = Vec::new();
        while let Ok(Said::Report(attempt, report)) = said.try_recv() {
            all.push((attempt, report));
        }
        all
    }

    #[test]
    fn an_end_is_heard_once_whatever_becomes_of_the_call() {
        let (campaigns, mut said) = Campaigns::new();
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
        assert_eq!(heard(&mut said), expected, "a lost call may have rung; one that nobody began says nothing");
    }
}
