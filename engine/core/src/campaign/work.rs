//! One campaign at work.

use super::contact::{AttemptId, AttemptRecord, ContactNo, ContactSeed, Disposition};
use super::figures::ByDisposition;
use super::operators::Answers;
use super::pace::{LastMinute, Pace};
use super::rows::{Place, Row, Rows};
use super::settings::{CampaignMode, CampaignSettings, RunState, Urgency};
use super::turns::Turns;
use crate::ids::{CallId, Queue};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Tells a campaign from one of the same name that was removed before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct WorkKey(pub(super) u64);

/// Where a contact in hand is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Its script is asked.
    Preparing,
    /// It may be dialled; the claim waits until a slot is near.
    Prepared,
    /// The claim is being written down.
    Claiming,
    /// The claim could not be written down, and perhaps was: it is tried again, or taken back in writing.
    ClaimFailed,
    /// The claim is durable; its slot comes in a moment.
    Claimed,
    /// Dialled.
    Ringing,
    /// Answered.
    Answered,
    /// With an operator.
    Connected,
    /// Where it stands now is being written down.
    Ending,
}

/// A contact in hand.
#[derive(Clone, Debug)]
pub(super) struct Hand {
    pub(super) nth: u16,
    pub(super) stage: Stage,
    /// In this stage since then.
    pub(super) since: Timestamp,
    /// Under which edit of the campaign it was begun.
    pub(super) edit: u64,
    /// A person took it off the list meanwhile.
    pub(super) cancelled: bool,
    pub(super) claim: Option<Claim>,
}

/// An attempt that is claimed.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) call: CallId,
    pub(super) at: Timestamp,
    pub(super) dialled: Option<Timestamp>,
    /// What it was claimed under: edits count for later ones.
    pub(super) settings: Arc<CampaignSettings>,
    /// Which of all claims.
    pub(super) order: u64,
}

impl Claim {
    pub(super) fn queue(&self) -> Option<&Queue> {
        queue_of(&self.settings.mode)
    }
}

pub(super) const fn queue_of(mode: &CampaignMode) -> Option<&Queue> {
    match mode {
        CampaignMode::Agentless => None,
        CampaignMode::Operators { queue, .. } => Some(queue),
    }
}

/// How many stand where.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Those in hand included.
    pub(super) waiting: u64,
    pub(super) unknown: u64,
    pub(super) done: u64,
    pub(super) dispositions: ByDisposition,
}

/// One campaign.
///
/// *Invariant:* a contact that waits is in hand, or stands in a turn; never is one in hand twice.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) key: WorkKey,
    pub(super) settings: Arc<CampaignSettings>,
    pub(super) edit: u64,
    pub(super) run: RunState,
    pub(super) reason: Option<Arc<str>>,
    /// Everything that there was at the start is loaded.
    pub(super) ready: bool,
    pub(super) rows: Rows,
    pub(super) turns: Turns,
    pub(super) counts: Counts,
    pub(super) hands: BTreeMap<ContactNo, Hand>,
    /// In [`Stage::Prepared`], the first first.
    pub(super) prepared: VecDeque<ContactNo>,
    /// In [`Stage::Claimed`], the first first.
    pub(super) claimed: VecDeque<ContactNo>,
    pub(super) preparing: u32,
    pub(super) ending: u32,
    /// Claimed and not dialled.
    pub(super) claims: u32,
    /// From the claim to the end.
    pub(super) calls: u32,
    pub(super) pace: Pace,
    /// When it was served last, among all campaigns.
    pub(super) served: u64,
    /// Contacts whom its script failed one after another, before dialling …
    pub(super) prepare_failures: BTreeSet<ContactNo>,
    /// … and on calls. One that fails again and again by itself says nothing of the others.
    pub(super) run_failures: BTreeSet<ContactNo>,
    /// The store did not answer: contacts are fetched again from then on.
    pub(super) store_rests_until: Option<Timestamp>,
    pub(super) answers: Answers,
    pub(super) ends: ByDisposition,
    pub(super) attempts: u64,
    pub(super) begun: LastMinute,
    /// By itself somebody has a turn then.
    pub(super) next_turn: Option<Timestamp>,
    pub(super) changed: bool,
}

impl Work {
    pub(super) fn new(key: WorkKey, settings: Arc<CampaignSettings>, run: RunState) -> Self {
        let pace = Pace::new(settings.pace.calls_per_s_max);
        Self {
            key,
            settings,
            edit: 0,
            run,
            reason: None,
            ready: false,
            rows: Rows::default(),
            turns: Turns::default(),
            counts: Counts::default(),
            hands: BTreeMap::new(),
            prepared: VecDeque::new(),
            claimed: VecDeque::new(),
            preparing: 0,
            ending: 0,
            claims: 0,
            calls: 0,
            pace,
            served: 0,
            prepare_failures: BTreeSet::new(),
            run_failures: BTreeSet::new(),
            store_rests_until: None,
            answers: Answers::default(),
            ends: [0; Disposition::KINDS.len()],
            attempts: 0,
            begun: LastMinute::default(),
            next_turn: None,
            changed: false,
        }
    }

    /// Emergencies first, then by priority, then who was served longest ago.
    pub(super) fn rank(&self) -> (u8, u8, u64) {
        (u8::from(self.settings.urgency == Urgency::Ordinary), self.settings.priority, self.served)
    }

    /// True where the place was free.
    pub(super) fn insert(&mut self, seed: &ContactSeed) -> bool {
        let new = self.rows.insert(seed);
        if new {
            self.attempts += u64::from(seed.spent.attempts);
            self.count(seed.no, true);
        }
        new
    }

    /// Changes where a contact stands. The only way: it keeps the counts.
    pub(super) fn change(&mut self, no: ContactNo, how: impl FnOnce(&mut Row)) {
        let Some(attempts) = self.rows.get(no).map(|row| row.spent().attempts) else { return };
        self.count(no, false);
        if let Some(row) = self.rows.get_mut(no) {
            how(row);
            let after = row.spent().attempts;
            self.attempts = (self.attempts + u64::from(after)).saturating_sub(u64::from(attempts));
        }
        self.count(no, true);
        self.changed = true;
    }

    fn count(&mut self, no: ContactNo, more: bool) {
        let Some(row) = self.rows.get(no) else { return };
        let counts = &mut self.counts;
        let step = |of: &mut u64| *of = if more { *of + 1 } else { of.saturating_sub(1) };
        match row.place() {
            Place::Waiting => step(&mut counts.waiting),
            Place::Unknown => step(&mut counts.unknown),
            Place::Done => {
                step(&mut counts.done);
                if let Some(of) = counts.dispositions.get_mut(usize::from(row.disposition())) {
                    step(of);
                }
            }
        }
    }

    pub(super) fn attempt_id(&self, no: ContactNo, nth: u16) -> AttemptId {
        AttemptId { campaign: self.settings.name.clone(), contact: no, nth }
    }

    /// The record of a claimed attempt that goes on.
    pub(super) fn record(&self, no: ContactNo) -> Option<AttemptRecord> {
        let hand = self.hands.get(&no)?;
        let claim = hand.claim.as_ref()?;
        Some(AttemptRecord {
            attempt: self.attempt_id(no, hand.nth),
            call: claim.call,
            claimed: claim.at,
            dialled: claim.dialled,
            ended: None,
            end: None,
        })
    }

    /// Moves a contact in hand to another stage.
    pub(super) fn stage(&mut self, no: ContactNo, stage: Stage, now: Timestamp) {
        if let Some(hand) = self.hands.get_mut(&no) {
            (hand.stage, hand.since) = (stage, now);
        }
    }

    /// Nobody is in hand any more, nobody waits, and nobody has to be decided about.
    pub(super) fn is_over(&self) -> bool {
        self.rows.len() > 0 && self.counts.waiting == 0 && self.counts.unknown == 0 && self.hands.is_empty()
    }

    pub(super) fn deadline_passed(&self, now: Timestamp) -> bool {
        self.settings.deadline.is_some_and(|deadline| deadline <= now)
    }
}
