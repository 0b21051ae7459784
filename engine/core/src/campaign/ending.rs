//! How attempts end: what becomes of the contact, and how it is written down.

use super::contact::{
    AnsweredBy, AttemptEnd, AttemptId, AttemptRecord, ContactNo, Disposition, OptOut, OptOutScope, Plan,
};
use super::face::{CampaignSave, PrepareFailure};
use super::machine::CampaignMachine;
use super::retry::{self, AGAIN_AFTER_MIN, Next};
use super::rows::Place;
use super::saves::Saving;
use super::settings::{RunState, UnknownRule};
use super::work::{Hand, Stage};
use crate::ids::CallId;
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// A contact that could not be read is not fetched again sooner; nor is another of its campaign.
const FETCH_AGAIN_AFTER: Duration = Duration::from_secs(5);

impl CampaignMachine {
    /// The hand of an attempt that goes on.
    fn in_hand(&self, attempt: &AttemptId) -> Option<(usize, Stage)> {
        let at = self.place_of(&attempt.campaign)?;
        let hand = self.works[at].hands.get(&attempt.contact).filter(|hand| hand.nth == attempt.nth)?;
        Some((at, hand.stage))
    }

    /// The script has said what it thinks of a contact.
    pub(super) fn prepared(&mut self, attempt: &AttemptId, answer: Result<Plan, PrepareFailure>, now: Timestamp) {
        let Some((at, Stage::Preparing)) = self.in_hand(attempt) else { return };
        let no = attempt.contact;
        let work = &mut self.works[at];
        work.preparing = work.preparing.saturating_sub(1);
        let Some(hand) = work.hands.get(&no) else { return };
        if hand.cancelled {
            return self.end_without_call(at, no, &Disposition::Cancelled, now);
        }
        if hand.edit != work.edit {
            return self.put_back(at, no);
        }
        if !matches!(answer, Err(PrepareFailure::Script)) {
            work.prepare_failures.clear();
        }
        match answer {
            Ok(Plan::Dial) => {
                work.stage(no, Stage::Prepared, now);
                work.prepared.push_back(no);
            }
            Ok(Plan::Skip(words)) => self.end_without_call(at, no, &Disposition::Skipped(words), now),
            Ok(Plan::NotBefore(when)) => {
                let when = when.max(now + AGAIN_AFTER_MIN);
                work.change(no, |row| row.wait(Some(when)));
                self.write_down(at, no, None, None, now);
            }
            Err(PrepareFailure::Script) => {
                self.end_without_call(at, no, &Disposition::ScriptFailed, now);
                self.script_failed(at, no, false);
            }
            Err(PrepareFailure::NoScript) => {
                self.put_back(at, no);
                if self.works[at].run == RunState::Running {
                    let entry = &self.works[at].settings.entry;
                    let reason = format!("no script is active for the entry {entry:?}; deploy one, then resume");
                    self.set_run(at, RunState::Paused, Some(Arc::from(reason)));
                }
            }
            Err(PrepareFailure::Store(_)) => {
                self.put_back(at, no);
                self.works[at].store_rests_until = Some(now + FETCH_AGAIN_AFTER);
            }
        }
    }

    /// A contact that nothing was written down of comes next again.
    pub(super) fn put_back(&mut self, at: usize, no: ContactNo) {
        let work = &mut self.works[at];
        work.hands.remove(&no);
        if let Some(row) = work.rows.get(no).filter(|row| row.place() == Place::Waiting) {
            work.turns.put_front(no, row, &work.settings, &self.settings);
        }
    }

    /// A contact that was not claimed comes to something without a call.
    pub(super) fn end_without_call(&mut self, at: usize, no: ContactNo, disposition: &Disposition, now: Timestamp) {
        self.works[at].ends[usize::from(disposition.kind())] += 1;
        let next = self.next_of(at, no, disposition, false, now);
        self.place(at, no, next, disposition, now);
        let ended = (next == Next::Done).then(|| disposition.clone());
        self.write_down(at, no, None, ended, now);
    }

    /// What the rules make of a contact; what it spent is written into its row.
    fn next_of(&mut self, at: usize, no: ContactNo, disposition: &Disposition, counts: bool, now: Timestamp) -> Next {
        let day = self.day_of(at, no, now);
        let work = &mut self.works[at];
        let Some(row) = work.rows.get(no) else { return Next::Done };
        let (mut spent, number) = (row.spent(), row.number());
        retry::spend(&mut spent, disposition, counts, day);
        work.change(no, |row| row.spend(spent));
        let next = retry::next(&work.settings, &spent, disposition, &mut self.dice, now);
        if counts && self.settings.attempts_per_number_per_day_max > 0 {
            self.shares.count_on_day(number, day, 1);
        }
        next
    }

    fn place(&mut self, at: usize, no: ContactNo, next: Next, disposition: &Disposition, now: Timestamp) {
        self.works[at].change(no, |row| match next {
            Next::Wait(not_before) => row.wait(not_before),
            Next::Done => row.done(disposition.kind(), now),
        });
    }

    /// Where a contact stands now is written down; until it is durable, the contact is in hand.
    pub(super) fn write_down(
        &mut self,
        at: usize,
        no: ContactNo,
        attempt: Option<AttemptRecord>,
        ended: Option<Disposition>,
        now: Timestamp,
    ) {
        let work = &mut self.works[at];
        let Some((state, spent)) = work.rows.get(no).map(|row| (row.state(), row.spent())) else { return };
        let edit = work.edit;
        let hand = work.hands.entry(no).or_insert_with(|| Hand {
            nth: spent.claims,
            stage: Stage::Ending,
            since: now,
            edit,
            cancelled: false,
            claim: None,
        });
        (hand.stage, hand.since, hand.claim) = (Stage::Ending, now, None);
        work.ending += 1;
        let (key, campaign) = (work.key, work.settings.name.clone());
        let save = CampaignSave::Contact { campaign, contact: no, state, spent, attempt, ended };
        self.save(Saving::Contact(key, no), save);
    }

    /// Something is durable.
    pub(super) fn saved(&mut self, saving: &Saving, now: Timestamp) {
        match saving {
            Saving::Claim(key, no) => {
                let Some(at) = self.place_of_key(*key) else { return };
                self.works[at].stage(*no, Stage::Claimed, now);
                self.works[at].claimed.push_back(*no);
            }
            Saving::Contact(key, no) => {
                let Some(at) = self.place_of_key(*key) else { return };
                self.written_down(at, *no, now);
            }
            Saving::Run(_) | Saving::OptOut(..) => {}
        }
    }

    fn written_down(&mut self, at: usize, no: ContactNo, now: Timestamp) {
        let work = &mut self.works[at];
        work.ending = work.ending.saturating_sub(1);
        work.changed = true;
        let Some(hand) = work.hands.remove(&no) else { return };
        let place = work.rows.get(no).map(super::rows::Row::place);
        if hand.cancelled && matches!(place, Some(Place::Waiting | Place::Unknown)) {
            work.change(no, |row| row.done(Disposition::Cancelled.kind(), now));
            self.write_down(at, no, None, Some(Disposition::Cancelled), now);
        } else {
            self.stand(at, no);
        }
    }

    /// Something is not durable, and is tried again.
    pub(super) fn not_saved(&mut self, saving: &Saving, now: Timestamp) {
        if let Saving::Claim(key, no) = saving
            && let Some(at) = self.place_of_key(*key)
        {
            self.works[at].stage(*no, Stage::ClaimFailed, now);
        }
    }

    /// The call of an attempt was answered.
    pub(super) fn answered(&mut self, attempt: &AttemptId, now: Timestamp) {
        let Some((at, Stage::Ringing)) = self.in_hand(attempt) else { return };
        let work = &mut self.works[at];
        work.stage(attempt.contact, Stage::Answered, now);
        work.changed = true;
        let Some(claim) = work.hands.get(&attempt.contact).and_then(|hand| hand.claim.as_ref()) else { return };
        if let Some(trunk) = self.shares.trunks.get_mut(&claim.settings.trunk) {
            trunk.works(claim.dialled);
        }
    }

    /// The call of an attempt is with an operator.
    pub(super) fn connected(&mut self, attempt: &AttemptId, now: Timestamp) {
        if let Some(orphan) = self.orphans.get_mut(attempt) {
            if let Some(queue) = orphan.queue.take().and_then(|queue| self.shares.queues.get_mut(&queue)) {
                queue.connected();
            }
            return;
        }
        let Some((at, Stage::Ringing | Stage::Answered)) = self.in_hand(attempt) else { return };
        let work = &mut self.works[at];
        work.stage(attempt.contact, Stage::Connected, now);
        work.changed = true;
        let claim = work.hands.get(&attempt.contact).and_then(|hand| hand.claim.as_ref());
        let queue = claim.and_then(super::work::Claim::queue);
        if let Some(queue) = queue.and_then(|queue| self.shares.queues.get_mut(queue)) {
            queue.connected();
        }
    }

    /// The call of an attempt is over.
    pub(super) fn ended(&mut self, attempt: &AttemptId, end: AttemptEnd, now: Timestamp) {
        if let Some(orphan) = self.orphans.remove(attempt) {
            self.shares.release(orphan.number, &orphan.trunk, orphan.queue.as_ref());
            return;
        }
        let Some((at, stage @ (Stage::Ringing | Stage::Answered | Stage::Connected))) = self.in_hand(attempt) else {
            return;
        };
        let no = attempt.contact;
        self.heed_trunk(at, no, &end, now);
        self.call_over(at, no, stage);
        let work = &mut self.works[at];
        let by_person = !matches!(end.answered_by, Some(AnsweredBy::Machine | AnsweredBy::Fax));
        if end.answered.is_some() && by_person {
            work.answers.count(end.disposition == Disposition::Abandoned, now);
        }
        match &end.disposition {
            Disposition::ScriptFailed => self.script_failed(at, no, true),
            // The script ran, and said something.
            disposition if disposition.kind() <= Disposition::HungUp.kind() => work.run_failures.clear(),
            _ => {}
        }
        if end.disposition == Disposition::DoNotCall
            && let Some(number) = self.works[at].rows.get(no).map(super::rows::Row::number)
        {
            let scope = OptOutScope::Agency(self.works[at].settings.agency.clone());
            self.opt_out(OptOut { number, scope, protected: false }, now);
        }
        self.end_attempt(at, no, end, now);
    }

    /// An attempt that was claimed is over, dialled or not: what it came to is written down.
    pub(super) fn end_attempt(&mut self, at: usize, no: ContactNo, end: AttemptEnd, now: Timestamp) {
        let Some(mut record) = self.works[at].record(no) else { return };
        let disposition = end.disposition.clone();
        self.works[at].ends[usize::from(disposition.kind())] += 1;
        let cancelled = self.works[at].hands.get(&no).is_some_and(|hand| hand.cancelled);
        let counts = disposition.counts() && record.dialled.is_some();
        let mut next = self.next_of(at, no, &disposition, counts, now);
        if record.dialled.is_none() && matches!(disposition, Disposition::NotDialled | Disposition::Expired) {
            // It was the machine that let it go: it comes next again.
            next = Next::Wait(self.works[at].rows.get(no).and_then(super::rows::Row::not_before));
        }
        if cancelled {
            next = Next::Done;
        }
        let last = if cancelled && !counts { Disposition::Cancelled } else { disposition };
        self.place(at, no, next, &last, now);
        record.ended = Some(now);
        record.end = Some(end);
        self.write_down(at, no, Some(record), None, now);
    }

    /// A crash cut an attempt off: what the campaign's rule makes of it.
    pub(super) fn cut_off(&mut self, at: usize, no: ContactNo, call: CallId, now: Timestamp) {
        let rule = self.works[at].settings.unknown;
        let like = match rule {
            UnknownRule::TakeForUnanswered => Disposition::NoAnswer,
            UnknownRule::Ask | UnknownRule::TakeForMade => Disposition::Unknown,
        };
        let next = self.next_of(at, no, &like, true, now);
        let work = &mut self.works[at];
        match rule {
            UnknownRule::Ask => work.change(no, |row| row.unknown(now)),
            UnknownRule::TakeForMade => work.change(no, |row| row.done(Disposition::Unknown.kind(), now)),
            UnknownRule::TakeForUnanswered => self.place(at, no, next, &Disposition::Unknown, now),
        }
        let work = &mut self.works[at];
        work.ends[usize::from(Disposition::Unknown.kind())] += 1;
        let nth = work.rows.get(no).map_or(1, |row| row.spent().claims.max(1));
        let end = AttemptEnd { disposition: Disposition::Unknown, answered_by: None, answered: None, status: None };
        let record = AttemptRecord {
            attempt: work.attempt_id(no, nth),
            call,
            claimed: Timestamp::default(),
            dialled: None,
            ended: Some(now),
            end: Some(end),
        };
        self.write_down(at, no, Some(record), None, now);
    }

    /// What a call's end says of its trunk.
    fn heed_trunk(&mut self, at: usize, no: ContactNo, end: &AttemptEnd, now: Timestamp) {
        let Some(claim) = self.works[at].hands.get(&no).and_then(|hand| hand.claim.as_ref()) else { return };
        let Some(trunk) = self.shares.trunks.get_mut(&claim.settings.trunk) else { return };
        match end.disposition {
            Disposition::Unavailable => trunk.failed(end.status, now),
            _ if end.disposition.counts() && end.disposition != Disposition::ScriptFailed || end.answered.is_some() => {
                trunk.works(claim.dialled);
            }
            _ => {}
        }
    }

    /// Lines, operators and the number are free again.
    pub(super) fn call_over(&mut self, at: usize, no: ContactNo, stage: Stage) {
        let work = &mut self.works[at];
        work.calls = work.calls.saturating_sub(1);
        let Some(number) = work.rows.get(no).map(super::rows::Row::number) else { return };
        let Some(claim) = work.hands.get(&no).and_then(|hand| hand.claim.as_ref()) else { return };
        let queue = claim.queue().filter(|_| stage != Stage::Connected);
        self.shares.release(number, &claim.settings.trunk, queue);
    }

    /// Too many contacts in a row whom it fails hold the campaign: the next one would fare no better.
    fn script_failed(&mut self, at: usize, no: ContactNo, on_call: bool) {
        let work = &mut self.works[at];
        let max = usize::from(work.settings.script_failures_max);
        if max == 0 || work.run != RunState::Running {
            return;
        }
        let failures = if on_call { &mut work.run_failures } else { &mut work.prepare_failures };
        failures.insert(no);
        let failures = failures.len();
        if failures >= max {
            let reason = format!("its script failed {failures} contacts in a row; mend or roll it back, then resume");
            self.set_run(at, RunState::Paused, Some(Arc::from(reason)));
        }
    }
}
