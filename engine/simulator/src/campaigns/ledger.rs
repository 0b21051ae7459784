//! What is durable of campaigns: written down in order, sometimes late, sometimes not at all, and kept when the engine is
//! killed.

use super::numbers::{self, Number};
use crate::dice::Dice;
use gudok_core::campaign::{
    AttemptId, CampaignSave, CampaignSettings, ContactNo, ContactSeed, ContactState, Disposition, OptOut, OptOutScope,
    RunState, SaveId, Spent, ZoneNo,
};
use gudok_core::ids::Campaign;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A contact as it is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptContact {
    pub(crate) number: Number,
    pub(crate) zone: ZoneNo,
    pub(crate) window: Option<u8>,
    pub(crate) state: ContactState,
    pub(crate) spent: Spent,
}

impl KeptContact {
    pub(crate) fn seed(&self, no: usize) -> ContactSeed {
        ContactSeed {
            no: ContactNo(u32::try_from(no).unwrap_or(u32::MAX)),
            number: numbers::key(self.number),
            zone: self.zone,
            window: self.window,
            state: self.state,
            spent: self.spent,
        }
    }
}

/// A campaign as it is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) settings: Arc<CampaignSettings>,
    pub(crate) run: RunState,
    pub(crate) contacts: Vec<KeptContact>,
    /// Attempts whose end is written down, by the kind of their disposition.
    pub(crate) ends: [u64; Disposition::KINDS.len()],
    /// Claims that are written down.
    pub(crate) claims: u64,
}

/// What is durable, and what is being written.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) campaigns: BTreeMap<Campaign, Kept>,
    pub(crate) opt_outs: BTreeMap<(Number, OptOutScope), OptOut>,
    writing: VecDeque<(SaveId, Result<(), String>, Box<CampaignSave>)>,
    pub(crate) written: u64,
    pub(crate) failed: u64,
}

impl Ledger {
    pub(crate) fn number(&self, attempt: &AttemptId) -> Option<Number> {
        Some(self.campaigns.get(&attempt.campaign)?.contacts.get(attempt.contact.0 as usize)?.number)
    }

    /// Attempts that counted.
    pub(crate) fn counted(&self, attempt: &AttemptId) -> u8 {
        let contact = || self.campaigns.get(&attempt.campaign)?.contacts.get(attempt.contact.0 as usize);
        contact().map_or(0, |contact| contact.spent.attempts)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.writing.is_empty()
    }

    pub(crate) fn writes(&mut self, save: SaveId, result: Result<(), String>, what: Box<CampaignSave>) {
        self.writing.push_back((save, result, what));
    }

    /// The oldest writing comes to its end.
    pub(crate) fn comes_to_its_end(&mut self) -> Option<(SaveId, Result<(), String>, Box<CampaignSave>)> {
        let (save, result, what) = self.writing.pop_front()?;
        match &result {
            Ok(()) => self.keep(&what),
            Err(_) => self.failed += 1,
        }
        Some((save, result, what))
    }

    /// The engine is killed: of what was being written, the disk has it all up to some place. What it has is answered.
    pub(crate) fn cut_off(&mut self, dice: &mut Dice) -> Vec<CampaignSave> {
        let mut kept = Vec::new();
        for (_, result, what) in std::mem::take(&mut self.writing) {
            if dice.percent(40) {
                break;
            }
            if result.is_ok() {
                self.keep(&what);
                kept.push(*what);
            }
        }
        kept
    }

    fn keep(&mut self, what: &CampaignSave) {
        self.written += 1;
        match what {
            CampaignSave::Contact { campaign, contact, state, spent, attempt, .. } => {
                let Some(kept) = self.campaigns.get_mut(campaign) else { return };
                if let Some(contact) = kept.contacts.get_mut(contact.0 as usize) {
                    (contact.state, contact.spent) = (*state, *spent);
                }
                match attempt.as_ref().map(|attempt| &attempt.end) {
                    Some(Some(end)) => kept.ends[end.disposition.kind() as usize] += 1,
                    Some(None) => kept.claims += 1,
                    None => {}
                }
            }
            CampaignSave::Run { campaign, state, .. } => {
                if let Some(kept) = self.campaigns.get_mut(campaign) {
                    kept.run = *state;
                }
            }
            CampaignSave::OptOut(opt_out, _) => {
                let place = (numbers::number(opt_out.number), opt_out.scope.clone());
                self.opt_outs.insert(place, opt_out.clone());
            }
            CampaignSave::OptIn(opt_out, _) => {
                self.opt_outs.remove(&(numbers::number(opt_out.number), opt_out.scope.clone()));
            }
        }
    }
}
