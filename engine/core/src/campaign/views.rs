//! Campaigns as people see them.

use super::contact::{ContactNo, ContactSeed, ContactState};
use super::figures::{ContactStage, ContactView, Figures, Forecast, ForecastAssumptions, LiveCalls, WhyIdle};
use super::forecast::{self, Demand, Lines};
use super::machine::CampaignMachine;
use super::operators::may_hold;
use super::settings::{CampaignMode, CampaignSettings, RunState};
use super::turns::NoTurn;
use super::work::{Stage, Work, queue_of};
use crate::ids::Campaign;
use crate::time::Timestamp;
use std::sync::Arc;

/// From so many attempts on, what came of them says how many are tried again.
const ATTEMPTS_TELLING: u64 = 50;
const PERMILLE: u64 = 1_000;

impl CampaignMachine {
    /// All campaigns, in no order.
    pub fn campaigns(&self) -> impl Iterator<Item = &Arc<CampaignSettings>> {
        self.works.iter().map(|work| &work.settings)
    }

    /// Whether a campaign works.
    #[must_use]
    pub fn run_state(&self, campaign: &Campaign) -> Option<RunState> {
        self.work(campaign).map(|work| work.run)
    }

    /// How a campaign stands; none where there is none of that name. Looks at no contact but those in hand and those who
    /// are to be tried again.
    #[must_use]
    pub fn figures(&self, campaign: &Campaign, now: Timestamp) -> Option<Figures> {
        let work = self.work(campaign)?;
        let mut figures = self.standing(campaign, now)?;
        figures.ends_at = (work.run == RunState::Running).then(|| self.ends_at(work, now)).flatten();
        Some(figures)
    }

    /// The same without the estimate of the end: cheap.
    #[must_use]
    pub fn standing(&self, campaign: &Campaign, now: Timestamp) -> Option<Figures> {
        let work = self.work(campaign)?;
        let in_hand = self.waiting_in_hand(work);
        let mut calls = LiveCalls::default();
        for hand in work.hands.values() {
            match hand.stage {
                Stage::Ringing => calls.ringing += 1,
                Stage::Answered => calls.answered += 1,
                Stage::Connected => calls.connected += 1,
                _ => {}
            }
        }
        let next_opening = match work.turns.look(now) {
            Some(NoTurn::Closed { opens }) => opens,
            _ => None,
        };
        let operators = matches!(work.settings.mode, CampaignMode::Operators { .. });
        Some(Figures {
            run: work.run,
            reason: work.reason.clone(),
            contacts: work.rows.len(),
            waiting: work.counts.waiting - in_hand,
            in_hand,
            unknown: work.counts.unknown,
            done: work.counts.done,
            dispositions: work.counts.dispositions,
            attempts: work.attempts,
            ends: work.ends,
            calls,
            begun_last_minute: work.begun.count(now),
            abandoned_permille: work.answers.abandoned_permille(now).filter(|_| operators),
            next_opening,
            ends_at: None,
            why_idle: self.why_idle(work, now),
        })
    }

    /// Those in hand who wait by their rows.
    fn waiting_in_hand(&self, work: &Work) -> u64 {
        let waits = |no: &&ContactNo| work.rows.get(**no).is_some_and(|row| row.place() == super::rows::Place::Waiting);
        work.hands.keys().filter(waits).count() as u64
    }

    /// One contact.
    #[must_use]
    pub fn contact(&self, campaign: &Campaign, contact: ContactNo) -> Option<ContactView> {
        let work = self.work(campaign)?;
        let mut seed = work.rows.get(contact)?.seed(contact);
        let hand = work.hands.get(&contact);
        let call = hand.and_then(|hand| hand.claim.as_ref()).map(|claim| claim.call);
        if let Some(call) = call {
            seed.state = ContactState::Claimed { call };
        }
        let stage = match (hand.map(|hand| hand.stage), call) {
            (None, _) => ContactStage::Standing,
            (Some(Stage::Ending), _) => ContactStage::Ending,
            (Some(Stage::Ringing), Some(call)) => ContactStage::Ringing(call),
            (Some(Stage::Answered), Some(call)) => ContactStage::Answered(call),
            (Some(Stage::Connected), Some(call)) => ContactStage::Connected(call),
            (Some(_), Some(_)) => ContactStage::Claimed,
            (Some(_), None) => ContactStage::Preparing,
        };
        Some(ContactView { seed, stage })
    }

    /// The dry run of a list that need not be here: what would happen when, if the campaign began at `now` and had the lines
    /// for itself. By windows, opt-outs, pace and retries; looks at every contact once.
    pub fn plan(
        &self,
        campaign: &CampaignSettings,
        contacts: impl IntoIterator<Item = ContactSeed>,
        assumed: ForecastAssumptions,
        now: Timestamp,
    ) -> Forecast {
        let lines = Lines::new(campaign, &self.settings);
        let mut demand = Demand::new(campaign, &self.settings, now);
        for seed in contacts {
            demand.add(&seed, self.opt_outs.forbid(seed.number, campaign));
        }
        forecast::forecast(demand, campaign, lines, assumed, now)
    }

    /// The same for the contacts that are here.
    #[must_use]
    pub fn forecast(&self, campaign: &Campaign, assumed: ForecastAssumptions, now: Timestamp) -> Option<Forecast> {
        let work = self.work(campaign)?;
        let contacts = work.rows.iter().map(|(no, row)| row.seed(no));
        Some(self.plan(&work.settings, contacts, assumed, now))
    }

    /// The bytes that the contacts of all campaigns cost here, opt-outs without their indexes included.
    #[must_use]
    pub fn contacts_bytes(&self) -> usize {
        const OPT_OUT_BYTES: usize = 48;
        let works = self.works.iter().map(|work| work.rows.bytes() + work.turns.bytes());
        works.sum::<usize>() + self.opt_outs.len() * OPT_OUT_BYTES
    }

    /// When everybody will be done, from how many stand where.
    fn ends_at(&self, work: &Work, now: Timestamp) -> Option<Timestamp> {
        let mut demand = Demand::new(&work.settings, &self.settings, now);
        for class in work.turns.classes() {
            demand.add_class(class);
        }
        demand.add_in_hand(self.waiting_in_hand(work));
        let mut assumed = ForecastAssumptions::default();
        let ended: u64 = work.ends.iter().sum();
        if ended >= ATTEMPTS_TELLING {
            let done = work.counts.done.min(work.attempts);
            let again = PERMILLE - (done * PERMILLE).checked_div(work.attempts).unwrap_or(PERMILLE);
            assumed.again_permille = u16::try_from(again).unwrap_or(assumed.again_permille);
        }
        let lines = Lines::new(&work.settings, &self.settings);
        let forecast = forecast::forecast(demand, &work.settings, lines, assumed, now);
        forecast.last.filter(|_| forecast.never.is_empty())
    }

    fn why_idle(&self, work: &Work, now: Timestamp) -> Option<WhyIdle> {
        if let Some(closed) = self.closed(work, now) {
            return Some(closed);
        }
        let claimed_slot = self.slot(work).filter(|slot| now < *slot);
        if let Some(until) = claimed_slot {
            return Some(WhyIdle::Paced { until });
        }
        if self.saves.any_failed() {
            return Some(WhyIdle::StoreFails);
        }
        if let Some(full) = self.no_room(work, 0, now) {
            return Some(full);
        }
        if work.store_rests_until.is_some_and(|until| now < until) {
            return Some(WhyIdle::StoreFails);
        }
        if !work.prepared.is_empty() || work.claims > 0 {
            let until = self.clock.hold();
            return (now < until).then_some(WhyIdle::Paced { until });
        }
        if work.preparing > 0 {
            return Some(WhyIdle::Preparing);
        }
        match work.turns.look(now)? {
            NoTurn::Closed { opens } => Some(WhyIdle::WindowsClosed { opens }),
            NoTurn::NotDue { at } => Some(WhyIdle::NothingDue { at }),
            NoTurn::Empty if !work.hands.is_empty() => Some(WhyIdle::InHand),
            NoTurn::Empty if work.counts.unknown > 0 => Some(WhyIdle::PeopleDecide),
            NoTurn::Empty => Some(WhyIdle::NothingDue { at: None }),
        }
    }

    /// Operators whom another call of a campaign could have now; none where it wants none.
    #[must_use]
    pub fn operators_free(&self, campaign: &Campaign, now: Timestamp) -> Option<bool> {
        let work = self.work(campaign)?;
        let queue = queue_of(&work.settings.mode)?;
        let of = self.shares.queues.get(queue).copied().unwrap_or_default();
        Some(may_hold(of.lines + 1, &of, &work.settings.mode, &work.answers, now))
    }
}
