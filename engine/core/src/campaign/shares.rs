//! What campaigns share: trunks, operators, the engine, and people's telephones.

use super::contact::NumberKey;
use super::face::Load;
use super::pace::Pace;
use super::settings::{CampaignsSettings, TrunkShare};
use crate::ids::{Queue, Trunk};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Failures of the trunk itself leave it alone at once; of failures that may be the call's, so many in a row.
const DOUBTFUL_FAILURES_MAX: u32 = 3;
/// Doublings of a rest: more lead beyond [`TrunkShare::REST_MAX`] anyway.
const DOUBLINGS_MAX: u32 = 16;

/// One way out.
#[derive(Clone, Debug)]
pub(super) struct TrunkUse {
    pub(super) share: TrunkShare,
    pub(super) pace: Pace,
    /// From the claim to the end.
    pub(super) calls: u32,
    /// Claimed, and not dialled yet.
    pub(super) claims: u32,
    /// Failures of any kind without a call that went through.
    failures: u32,
    rests: u32,
    /// The last failure.
    failed_at: Option<Timestamp>,
    pub(super) rests_until: Option<Timestamp>,
}

impl TrunkUse {
    fn new(share: TrunkShare) -> Self {
        let pace = Pace::new(share.calls_per_s_max);
        Self { share, pace, calls: 0, claims: 0, failures: 0, rests: 0, failed_at: None, rests_until: None }
    }

    /// It failed, and nothing has gone through since.
    pub(super) const fn is_failing(&self) -> bool {
        self.rests > 0
    }

    pub(super) fn is_resting(&self, now: Timestamp) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// A call went through that was dialled then. One that was on before the trunk failed says nothing of it now.
    pub(super) fn works(&mut self, dialled: Option<Timestamp>) {
        if self.failed_at.is_none_or(|failed| dialled.is_some_and(|dialled| dialled >= failed)) {
            (self.failures, self.rests, self.failed_at, self.rests_until) = (0, 0, None, None);
        }
    }

    /// A call did not. Calls that were begun before it was left alone say nothing new.
    pub(super) fn failed(&mut self, status: Option<u16>, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now);
        // No route, or what RFC 3261, 21.5 says of the server and not of the call.
        let its_own = matches!(status, None | Some(502..=504));
        if self.is_resting(now) || !its_own && self.failures < DOUBTFUL_FAILURES_MAX {
            return;
        }
        let doubled = self.share.rest_after_failure.saturating_mul(1 << self.rests.min(DOUBLINGS_MAX));
        self.rests = self.rests.saturating_add(1);
        self.rests_until = Some(now + doubled.min(TrunkShare::REST_MAX));
    }
}

/// Operators of one queue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct QueueUse {
    pub(super) open: bool,
    ready: u32,
    waiting: u32,
    /// Got somebody since this was said.
    taken: u32,
    /// People who were claimed for its operators, and have none yet.
    pub(super) lines: u32,
}

impl QueueUse {
    /// Operators whom nobody else is owed.
    pub(super) const fn free(&self) -> u32 {
        self.ready.saturating_sub(self.waiting).saturating_sub(self.taken)
    }

    /// One of the lines has an operator now.
    pub(super) const fn connected(&mut self) {
        self.lines = self.lines.saturating_sub(1);
        self.taken = self.taken.saturating_add(1);
    }
}

/// Everything that campaigns share.
#[derive(Debug, Default)]
pub(super) struct Shares {
    pub(super) trunks: BTreeMap<Trunk, TrunkUse>,
    pub(super) queues: BTreeMap<Queue, QueueUse>,
    /// Of all together.
    pub(super) pace: Pace,
    pub(super) calls: u32,
    pub(super) claims: u32,
    /// Numbers that are in a call, or are claimed for one.
    pub(super) numbers: BTreeSet<NumberKey>,
    pub(super) inbound_calls: u32,
    pub(super) closed: bool,
    /// Attempts by number on its day.
    days: BTreeMap<NumberKey, (u16, u8)>,
    swept: u16,
}

impl Shares {
    /// Other settings. A trunk that is gone is forgotten when its last call is over.
    pub(super) fn configure(&mut self, settings: &CampaignsSettings) {
        self.pace.limit(settings.calls_per_s_max);
        for (name, trunk) in &mut self.trunks {
            let gone = TrunkShare { calls_max: 0, calls_per_s_max: 0, rest_after_failure: Duration::ZERO };
            trunk.share = settings.trunks.get(name).copied().unwrap_or(gone);
            trunk.pace.limit(trunk.share.calls_per_s_max);
        }
        for (name, share) in &settings.trunks {
            self.trunks.entry(name.clone()).or_insert_with(|| TrunkUse::new(*share));
        }
        self.trunks.retain(|name, trunk| trunk.calls > 0 || settings.trunks.contains_key(name));
    }

    pub(super) fn load(&mut self, load: Load) {
        (self.inbound_calls, self.closed) = (load.inbound_calls, load.closed);
        // A queue that is not told of any more is gone: nobody is there.
        for of in self.queues.values_mut() {
            *of = QueueUse { lines: of.lines, ..QueueUse::default() };
        }
        self.queues.retain(|_, of| of.lines > 0);
        for told in load.queues {
            let of = self.queues.entry(told.queue).or_default();
            (of.open, of.ready, of.waiting) = (told.open, told.ready, told.waiting);
        }
    }

    /// The clock was set: rests that were to end are not drawn out by it.
    pub(super) fn clock_moved(&mut self, now: Timestamp) {
        self.pace.clock_moved();
        for trunk in self.trunks.values_mut() {
            trunk.pace.clock_moved();
            trunk.failed_at = trunk.failed_at.map(|at| at.min(now));
            trunk.rests_until = trunk.rests_until.map(|until| until.min(now + TrunkShare::REST_MAX));
        }
    }

    /// Somebody is claimed.
    pub(super) fn claim(&mut self, number: NumberKey, trunk: &Trunk, queue: Option<&Queue>) {
        self.calls += 1;
        self.claims += 1;
        self.numbers.insert(number);
        if let Some(trunk) = self.trunks.get_mut(trunk) {
            trunk.calls += 1;
            trunk.claims += 1;
        }
        if let Some(queue) = queue {
            self.queues.entry(queue.clone()).or_default().lines += 1;
        }
    }

    /// A claim is over: dialled, or let go.
    pub(super) fn claim_over(&mut self, trunk: &Trunk) {
        self.claims = self.claims.saturating_sub(1);
        if let Some(trunk) = self.trunks.get_mut(trunk) {
            trunk.claims = trunk.claims.saturating_sub(1);
        }
    }

    /// The call of an attempt is over, or will never be; with its queue where it has no operator yet.
    pub(super) fn release(&mut self, number: NumberKey, trunk: &Trunk, queue: Option<&Queue>) {
        self.calls = self.calls.saturating_sub(1);
        self.numbers.remove(&number);
        if let Some(trunk) = self.trunks.get_mut(trunk) {
            trunk.calls = trunk.calls.saturating_sub(1);
        }
        if let Some(queue) = queue.and_then(|queue| self.queues.get_mut(queue)) {
            queue.lines = queue.lines.saturating_sub(1);
        }
    }

    /// Attempts to a number on its day, of all campaigns. After a clock that went back, the later day counts on.
    pub(super) fn on_day(&self, number: NumberKey, day: u16) -> u8 {
        self.days.get(&number).filter(|(of, _)| *of >= day).map_or(0, |(_, count)| *count)
    }

    /// So many more attempts to a number on a day.
    pub(super) fn count_on_day(&mut self, number: NumberKey, day: u16, attempts: u8) {
        let of = self.days.entry(number).or_default();
        if of.0 < day {
            *of = (day, 0);
        }
        of.1 = of.1.saturating_add(attempts);
    }

    /// Forgets days that are over, once a day.
    pub(super) fn sweep_days(&mut self, now: Timestamp) {
        const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
        /// In the farthest zone yesterday may still go on.
        const KEPT_DAYS: u16 = 2;
        let today = u16::try_from(now.as_millis() / DAY_MS).unwrap_or(u16::MAX);
        if today != self.swept {
            self.swept = today;
            self.days.retain(|_, (day, _)| day.saturating_add(KEPT_DAYS) > today);
        }
    }

    pub(super) fn forget_days(&mut self) {
        self.days.clear();
    }
}
