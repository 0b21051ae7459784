//! What the machine says, written down: contacts and attempts in the store's tables, the run of a campaign in the ledger.
//!
//! What people decide about a campaign is one document (`campaign`), what the engine says of it another (`campaign-run`):
//! so an edit and a pause never overwrite each other.

use super::convert::{
    attempt_to_store, disposition_to_store, number_to_store, scope_to_store, spent_to_store, state_to_store, utc,
};
use crate::clock::EngineClock;
use crate::keys::Subjects;
use gudok_core::campaign::{CampaignSave, OptOut, RunState};
use gudok_core::ids::Campaign;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::Clock;
use gudok_store::{
    self as store, AttemptQuery, ContactWrite, Happened, LedgerChange, Pending, Put, Store, StoreError, UtcMs,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The kind of [`RunDocument`]s.
pub(super) const RUN_KIND: &str = "campaign-run";
/// What the store calls an opt-out of which only a script spoke.
const BY_SCRIPT: &str = "script";

/// Where campaigns are kept.
#[derive(Clone)]
pub(super) struct Book {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<EngineClock>,
    pub(super) subjects: Subjects,
}

/// What the engine says of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunDocument {
    /// [`RunState::as_str`].
    pub(super) state: String,
    /// Since when.
    pub(super) since_ms: u64,
    /// Why, where no person said so.
    #[serde(default)]
    pub(super) reason: Option<String>,
    /// When the campaign was made, and by whom.
    pub(super) created_ms: u64,
    pub(super) created_by: String,
    /// The campaign was removed: its contacts are being erased, and then this document goes too.
    #[serde(default)]
    pub(super) gone: bool,
}

impl RunDocument {
    /// A new campaign's.
    pub(super) fn draft(now: Timestamp, by: &str) -> Self {
        Self {
            state: RunState::Draft.as_str().to_owned(),
            since_ms: now.as_millis(),
            created_ms: now.as_millis(),
            created_by: by.to_owned(),
            ..Self::default()
        }
    }

    /// A word that means nothing holds the campaign: nobody is dialled by mistake.
    pub(super) fn run(&self) -> RunState {
        let all = [RunState::Draft, RunState::Running, RunState::Paused, RunState::Stopped, RunState::Finished];
        all.into_iter().find(|state| state.as_str() == self.state).unwrap_or(RunState::Paused)
    }

    pub(super) fn put(&self, campaign: &Campaign) -> Result<Put, StoreError> {
        let body =
            serde_json::to_vec(self).map_err(|_| StoreError::BadName { what: "campaign", why: String::new() })?;
        Ok(Put { kind: RUN_KIND.to_owned(), id: campaign.as_str().to_owned(), body, expires: None })
    }
}

impl Book {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn utc(&self) -> UtcMs {
        utc(self.now())
    }

    /// Begins to write something down; the answer comes later. `run`: the campaign's document as it is to be.
    pub(super) fn write(&self, save: &CampaignSave, run: Option<&RunDocument>) -> Pending<()> {
        self.begin(save, run).unwrap_or_else(|error| Pending::ready(Err(error)))
    }

    fn begin(&self, save: &CampaignSave, run: Option<&RunDocument>) -> Result<Pending<()>, StoreError> {
        Ok(match save {
            CampaignSave::Contact { campaign, contact, state, spent, attempt, ended } => {
                let write = ContactWrite {
                    campaign: campaign.as_str().to_owned(),
                    no: contact.0,
                    state: state_to_store(*state)?,
                    spent: spent_to_store(*spent),
                    attempt: attempt.as_ref().map(attempt_to_store).transpose()?,
                    ended: ended.as_ref().map(disposition_to_store),
                };
                self.contact(write)
            }
            CampaignSave::Run { campaign, .. } => {
                let Some(run) = run else { return Ok(Pending::ready(Ok(()))) };
                let change = LedgerChange { puts: vec![run.put(campaign)?], urgent: true, ..LedgerChange::default() };
                let written = self.store.ledger_commit(change, self.utc());
                Pending::new(async move { written.await.map(|_| ()) })
            }
            CampaignSave::OptOut(opt_out, at) => {
                let written = self.store.opt_outs_put(vec![opt_out_to_store(opt_out, *at, BY_SCRIPT)?]);
                Pending::new(async move { written.await.map(|_| ()) })
            }
            CampaignSave::OptIn(opt_out, _) => {
                let scope = scope_to_store(&opt_out.scope)?;
                let written = self.store.opt_out_delete(number_to_store(opt_out.number), scope);
                Pending::new(async move { written.await.map(|_| ()) })
            }
        })
    }

    /// A claim that is durable already because its first answer was lost is ours, and stands; another's does not.
    fn contact(&self, write: ContactWrite) -> Pending<()> {
        let claim = write.attempt.as_ref().map(|attempt| (attempt.nth, attempt.call.clone()));
        let (campaign, no, store) = (write.campaign.clone(), write.no, Arc::clone(&self.store));
        let written = self.store.contact_write(write, self.utc());
        Pending::new(async move {
            match (written.await, claim) {
                (Err(refused @ StoreError::AlreadyClaimed { .. }), Some((nth, call))) => {
                    let kept = store.attempts(&campaign, AttemptQuery::Contact(no)).await?;
                    let ours = kept.attempts.iter().any(|row| match &row.what {
                        Happened::Attempt(attempt) => attempt.nth == nth && attempt.call == call,
                        Happened::Ended { .. } => false,
                    });
                    if ours { Ok(()) } else { Err(refused) }
                }
                (written, _) => written,
            }
        })
    }
}

/// An opt-out as the store has it, with how it came here.
pub(super) fn opt_out_to_store(opt_out: &OptOut, since: Timestamp, by: &str) -> Result<store::OptOut, StoreError> {
    Ok(store::OptOut {
        number: number_to_store(opt_out.number),
        scope: scope_to_store(&opt_out.scope)?,
        protected: opt_out.protected,
        since: utc(since),
        by: by.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_is_not_understood_dials_nobody() {
        let draft = RunDocument::draft(Timestamp::from_millis(7), "anna");
        assert_eq!(draft.run(), RunState::Draft);
        for state in [RunState::Draft, RunState::Running, RunState::Paused, RunState::Stopped, RunState::Finished] {
            assert_eq!(RunDocument { state: state.as_str().into(), ..draft.clone() }.run(), state);
        }
        assert_eq!(RunDocument { state: "resting".into(), ..draft }.run(), RunState::Paused);
    }
}
