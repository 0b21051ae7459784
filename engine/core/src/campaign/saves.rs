//! What is being written down, and what has to be written down again.

use super::contact::{ContactNo, NumberKey, OptOutScope};
use super::face::{CampaignSave, SaveId};
use super::work::WorkKey;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// What could not be written down is tried again after so long.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What a writing-down is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Saving {
    /// The claim on an attempt: nobody is dialled before.
    Claim(WorkKey, ContactNo),
    /// Where a contact stands now.
    Contact(WorkKey, ContactNo),
    /// Whether a campaign works.
    Run(WorkKey),
    /// Whether somebody may be called.
    OptOut(NumberKey, OptOutScope),
}

impl Saving {
    const fn work(&self) -> Option<WorkKey> {
        match self {
            Self::Claim(key, _) | Self::Contact(key, _) | Self::Run(key) => Some(*key),
            Self::OptOut(..) => None,
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Saves {
    next: u64,
    open: BTreeMap<SaveId, (Saving, Box<CampaignSave>)>,
    failed: BTreeMap<(Timestamp, u64), (Saving, Box<CampaignSave>)>,
}

impl Saves {
    pub(super) fn begin(&mut self, saving: Saving, save: Box<CampaignSave>) -> SaveId {
        let id = SaveId(self.next);
        self.next += 1;
        self.open.insert(id, (saving, save));
        id
    }

    /// One is durable.
    pub(super) fn done(&mut self, id: SaveId) -> Option<Saving> {
        self.open.remove(&id).map(|(saving, _)| saving)
    }

    /// One is not: it comes again.
    pub(super) fn fail(&mut self, id: SaveId, now: Timestamp) -> Option<Saving> {
        let (saving, save) = self.open.remove(&id)?;
        self.failed.insert((now + AGAIN_AFTER, id.0), (saving.clone(), save));
        Some(saving)
    }

    /// One that is to be tried again.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<(Saving, Box<CampaignSave>)> {
        let (key, _) = self.failed.first_key_value().filter(|((at, _), _)| *at <= now)?;
        let key = *key;
        self.failed.remove(&key)
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.failed.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn any_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Nothing is saved of a campaign that is no more.
    pub(super) fn forget(&mut self, key: WorkKey) {
        self.open.retain(|_, (saving, _)| saving.work() != Some(key));
        self.failed.retain(|_, (saving, _)| saving.work() != Some(key));
    }

    /// The clock was set: whatever waits is tried at once.
    pub(super) fn clock_moved(&mut self, now: Timestamp) {
        let failed = std::mem::take(&mut self.failed);
        self.failed = failed.into_iter().map(|((at, id), save)| ((at.min(now), id), save)).collect();
    }
}
