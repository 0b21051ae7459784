//! A campaign's life: put, loaded, started, held, finished, removed.

use super::contact::{ContactNo, ContactSeed, ContactState, Disposition};
use super::face::{CampaignOrder, CampaignRefusal, ContactDecision};
use super::machine::{CampaignMachine, Orphan};
use super::retry;
use super::rows::Place;
use super::settings::{CampaignSettings, CampaignsSettings, RunState};
use super::windows::day_in;
use super::work::{Stage, Work};
use crate::ids::Campaign;
use crate::time::Timestamp;
use std::sync::Arc;

impl CampaignMachine {
    /// Other limits, zones or holidays.
    pub(super) fn configure(&mut self, settings: Arc<CampaignsSettings>) {
        let counted = self.settings.attempts_per_number_per_day_max > 0;
        self.settings = settings;
        self.shares.configure(&self.settings);
        for work in &mut self.works {
            work.turns.reopen(&work.settings, &self.settings);
            work.changed = true;
        }
        let counts = self.settings.attempts_per_number_per_day_max > 0;
        if counts && !counted {
            let days = self.works.iter().flat_map(|work| work.rows.iter()).map(|(_, row)| (row.number(), row.spent()));
            for (number, spent) in days.filter(|(_, spent)| spent.today > 0) {
                self.shares.count_on_day(number, spent.day, spent.today);
            }
        } else if !counts {
            self.shares.forget_days();
        }
    }

    /// A campaign is there, or is another.
    pub(super) fn put(&mut self, settings: Arc<CampaignSettings>, run: RunState, now: Timestamp) {
        let Some(at) = self.place_of(&settings.name) else {
            let key = self.new_key();
            let mut work = Work::new(key, settings, run);
            work.changed = true;
            self.add_work(work);
            return;
        };
        let work = &mut self.works[at];
        let before = std::mem::replace(&mut work.settings, settings);
        work.edit += 1;
        work.changed = true;
        if before.pace.calls_per_s_max != work.settings.pace.calls_per_s_max {
            work.pace.limit(work.settings.pace.calls_per_s_max);
        }
        while let Some(no) = work.prepared.pop_front() {
            // Asked under the old settings: it is asked again.
            work.hands.remove(&no);
        }
        let hands = &work.hands;
        work.turns.rebuild(&work.rows, |no| hands.contains_key(&no), &work.settings, &self.settings);
        self.revive(at, now);
    }

    /// A campaign is no more.
    pub(super) fn remove(&mut self, campaign: &Campaign) {
        let Some(mut work) = self.take_work(campaign) else { return };
        self.saves.forget(work.key);
        for (no, hand) in std::mem::take(&mut work.hands) {
            let Some(number) = work.rows.get(no).map(super::rows::Row::number) else { continue };
            let Some(claim) = hand.claim.as_ref() else { continue };
            let trunk = claim.settings.trunk.clone();
            match hand.stage {
                Stage::Claiming | Stage::ClaimFailed | Stage::Claimed => {
                    self.shares.claim_over(&trunk);
                    self.shares.release(number, &trunk, claim.queue());
                }
                Stage::Ringing | Stage::Answered | Stage::Connected => {
                    let queue = claim.queue().filter(|_| hand.stage != Stage::Connected).cloned();
                    self.orphans.insert(work.attempt_id(no, hand.nth), Orphan { number, trunk, queue });
                }
                Stage::Preparing | Stage::Prepared | Stage::Ending => {}
            }
        }
    }

    /// Contacts come: new ones, or at the start all of them.
    pub(super) fn load(&mut self, campaign: &Campaign, seeds: &[ContactSeed], now: Timestamp) {
        let Some(at) = self.place_of(campaign) else { return };
        for seed in seeds {
            let work = &mut self.works[at];
            if !work.insert(seed) {
                continue;
            }
            work.changed = true;
            if seed.spent.today > 0 && self.settings.attempts_per_number_per_day_max > 0 {
                self.shares.count_on_day(seed.number, seed.spent.day, seed.spent.today);
            }
            match seed.state {
                ContactState::Waiting { .. } => self.stand(at, seed.no),
                ContactState::Claimed { call } => self.cut_off(at, seed.no, call, now),
                ContactState::Unknown { .. } | ContactState::Done { .. } => {}
            }
        }
        self.revive(at, now);
    }

    /// A contact that waits takes its place in the turns.
    pub(super) fn stand(&mut self, at: usize, no: ContactNo) {
        let work = &mut self.works[at];
        if let Some(row) = work.rows.get(no).filter(|row| row.place() == Place::Waiting) {
            work.turns.put(no, row, &work.settings, &self.settings);
        }
    }

    /// What was finished works again, where somebody waits and the deadline lets it.
    pub(super) fn revive(&mut self, at: usize, now: Timestamp) {
        let work = &self.works[at];
        if work.run == RunState::Finished && work.ready && work.counts.waiting > 0 && !work.deadline_passed(now) {
            self.set_run(at, RunState::Running, None);
        }
    }

    /// Another run state, written down.
    pub(super) fn set_run(&mut self, at: usize, run: RunState, reason: Option<Arc<str>>) {
        let work = &mut self.works[at];
        (work.run, work.reason, work.changed) = (run, reason, true);
        if run == RunState::Running {
            work.prepare_failures.clear();
            work.run_failures.clear();
        }
        self.save_run(at);
    }

    /// Its deadline passes.
    pub(super) fn tend(&mut self, at: usize, now: Timestamp) {
        let work = &self.works[at];
        if matches!(work.run, RunState::Running | RunState::Paused) && work.deadline_passed(now) {
            self.set_run(at, RunState::Finished, Some(Arc::from("its deadline has passed")));
        }
    }

    /// Everybody is done.
    pub(super) fn finish_if_over(&mut self, at: usize) {
        let work = &self.works[at];
        if work.run == RunState::Running && work.ready && work.is_over() {
            self.set_run(at, RunState::Finished, None);
        }
    }

    pub(super) fn ordered(&mut self, campaign: &Campaign, order: CampaignOrder) -> Result<(), CampaignRefusal> {
        let at = self.place_of(campaign).ok_or_else(|| CampaignRefusal::Unknown(campaign.clone()))?;
        let work = &self.works[at];
        let (run, word) = match (order, work.run) {
            (CampaignOrder::Start, RunState::Draft) if work.ready && work.rows.len() == 0 => {
                return Err(CampaignRefusal::Empty);
            }
            (CampaignOrder::Start, RunState::Draft) | (CampaignOrder::Resume, RunState::Paused) => {
                (RunState::Running, "")
            }
            (CampaignOrder::Pause, RunState::Running) => (RunState::Paused, ""),
            (CampaignOrder::Stop, state) if state != RunState::Stopped => (RunState::Stopped, ""),
            (CampaignOrder::Start, state) => (state, "start"),
            (CampaignOrder::Pause, state) => (state, "pause"),
            (CampaignOrder::Resume, state) => (state, "resume"),
            (CampaignOrder::Stop, state) => (state, "stop"),
        };
        if !word.is_empty() {
            return Err(CampaignRefusal::WrongState { state: run.as_str(), order: word });
        }
        self.set_run(at, run, None);
        Ok(())
    }

    pub(super) fn decided(
        &mut self,
        campaign: &Campaign,
        no: ContactNo,
        decision: ContactDecision,
        now: Timestamp,
    ) -> Result<(), CampaignRefusal> {
        let at = self.place_of(campaign).ok_or_else(|| CampaignRefusal::Unknown(campaign.clone()))?;
        let work = &mut self.works[at];
        let place = work.rows.get(no).ok_or(CampaignRefusal::NoContact(no))?.place();
        let stage = work.hands.get(&no).map(|hand| hand.stage);
        match (decision, place, stage) {
            (ContactDecision::TakeForMade, Place::Unknown, None) => {
                work.change(no, |row| row.done(Disposition::Unknown.kind(), now));
                self.write_down(at, no, None, Some(Disposition::Unknown), now);
            }
            (ContactDecision::TryAgain, Place::Unknown | Place::Done, None) => {
                let attempts_max = retry::attempts_max(&work.settings);
                work.change(no, |row| {
                    let mut spent = row.spent();
                    // "Once more" is a person's word against the limit.
                    spent.attempts = spent.attempts.min(attempts_max - 1);
                    spent.in_a_row = 0;
                    row.spend(spent);
                    row.wait(None);
                });
                self.write_down(at, no, None, None, now);
                self.revive(at, now);
            }
            (ContactDecision::Cancel, Place::Waiting | Place::Unknown, None | Some(Stage::Prepared)) => {
                work.prepared.retain(|prepared| *prepared != no);
                work.change(no, |row| row.done(Disposition::Cancelled.kind(), now));
                self.write_down(at, no, None, Some(Disposition::Cancelled), now);
            }
            // What goes on goes on; there is nothing after it.
            (ContactDecision::Cancel, Place::Waiting | Place::Unknown, Some(_)) => {
                if let Some(hand) = work.hands.get_mut(&no) {
                    hand.cancelled = true;
                }
            }
            (_, _, Some(Stage::Ending)) => return Err(CampaignRefusal::WrongContact("being written down")),
            (_, _, Some(_)) => return Err(CampaignRefusal::WrongContact("in hand")),
            (_, Place::Waiting, None) => return Err(CampaignRefusal::WrongContact("waiting")),
            (_, Place::Done, None) => return Err(CampaignRefusal::WrongContact("done")),
        }
        Ok(())
    }

    /// The day of a contact.
    pub(super) fn day_of(&self, at: usize, no: ContactNo, now: Timestamp) -> u16 {
        let zone = self.works[at].rows.get(no).map(super::rows::Row::zone);
        zone.map_or(0, |zone| day_in(&self.settings, zone, now))
    }
}
