//! Who may call now: the decision is made before anything is parsed, once for each INVITE, and repeated for its
//! retransmissions.

use crate::config::Limits;
use crate::signalling::Share;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a decision is remembered, at least: 64 × T1, as long as a peer may retransmit.
const DECISION_KEPT: Duration = Duration::from_secs(32);
/// Decisions remembered in one generation. Above, the older generation goes early.
const DECISIONS_MAX: usize = 200_000;
/// The share of a second's calls that may come at one instant, as a divisor.
const BURST_SHARE: u32 = 10;

/// Why a call is not admitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    Limit,
    Draining,
}

pub(crate) struct Admission {
    places: PlaceCount,
    calls_max: AtomicUsize,
    rate: arc_swap::ArcSwap<DefaultDirectRateLimiter>,
    draining: AtomicBool,
    decisions: Mutex<Decisions>,
}

/// Places that are taken: calls and campaigns' calls apart, since the latter take nobody's place.
#[derive(Debug, Default)]
pub(crate) struct PlaceCount {
    calls: Arc<AtomicUsize>,
    campaigns: Arc<AtomicUsize>,
}

impl PlaceCount {
    /// Takes a place of `max`. A campaign's call gets one only while all together are fewer; any other, while the others
    /// are.
    pub(crate) fn take(&self, share: Share, max: usize) -> Result<Permit, Refused> {
        let (mine, beside) = match share {
            Share::Calls => (&self.calls, 0),
            Share::Campaigns => (&self.campaigns, self.calls.load(Ordering::Acquire)),
        };
        let more = |count: usize| (count.saturating_add(beside) < max).then_some(count + 1);
        match mine.fetch_update(Ordering::AcqRel, Ordering::Acquire, more) {
            Ok(_) => Ok(Permit { calls: Arc::clone(mine) }),
            Err(_) => Err(Refused::Limit),
        }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Acquire)
    }

    fn all(&self) -> usize {
        self.calls() + self.campaigns.load(Ordering::Acquire)
    }
}

/// One call's place. Free again when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    calls: Arc<AtomicUsize>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.calls.fetch_sub(1, Ordering::AcqRel);
    }
}

#[derive(Default)]
struct Decisions {
    young: HashMap<u64, Option<Refused>>,
    old: HashMap<u64, Option<Refused>>,
    turned_at: Option<Instant>,
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            places: PlaceCount::default(),
            calls_max: AtomicUsize::new(limits.calls_max),
            rate: arc_swap::ArcSwap::from_pointee(rate_limiter(limits.calls_per_s_max)),
            draining: AtomicBool::new(false),
            decisions: Mutex::new(Decisions::default()),
        }
    }

    pub(crate) fn reload(&self, limits: &Limits) {
        self.calls_max.store(limits.calls_max, Ordering::Release);
        self.rate.store(Arc::new(rate_limiter(limits.calls_per_s_max)));
    }

    pub(crate) fn set_draining(&self, draining: bool) {
        self.draining.store(draining, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Legs that are up, of campaigns too.
    pub(crate) fn legs(&self) -> usize {
        self.places.all()
    }

    /// Decides about the INVITE that `key` stands for; a retransmission gets the decision of the first.
    pub(crate) fn decide(&self, key: u64, now: Instant) -> Result<(), Refused> {
        let mut decisions = self.decisions.lock();
        decisions.turn(now);
        if let Some(earlier) = decisions.young.get(&key).or_else(|| decisions.old.get(&key)) {
            return earlier.map_or(Ok(()), Err);
        }
        let refused = if self.is_draining() {
            Some(Refused::Draining)
        } else if self.places.calls() >= self.calls_max.load(Ordering::Acquire) || self.rate.load().check().is_err() {
            Some(Refused::Limit)
        } else {
            None
        };
        decisions.young.insert(key, refused);
        refused.map_or(Ok(()), Err)
    }

    /// Takes a place for a call, in or out.
    pub(crate) fn enter(&self, share: Share) -> Result<Permit, Refused> {
        self.places.take(share, self.calls_max.load(Ordering::Acquire))
    }
}

impl Decisions {
    fn turn(&mut self, now: Instant) {
        let due = self.turned_at.is_none_or(|at| now.duration_since(at) >= DECISION_KEPT);
        if due || self.young.len() >= DECISIONS_MAX {
            self.old = std::mem::take(&mut self.young);
            self.turned_at = Some(now);
        }
    }
}

pub(crate) fn rate_limiter(per_s: u32) -> DefaultDirectRateLimiter {
    let rate = NonZeroU32::new(per_s).unwrap_or(NonZeroU32::MIN);
    let burst = NonZeroU32::new(per_s / BURST_SHARE).unwrap_or(NonZeroU32::MIN);
    RateLimiter::direct(Quota::per_second(rate).allow_burst(burst))
}

/// A rate in a second for each key, the keys bounded.
pub(crate) struct KeyedRate<K: std::hash::Hash + Eq + Clone> {
    limiter: governor::RateLimiter<K, governor::state::keyed::HashMapStateStore<K>, governor::clock::DefaultClock>,
    keys_max: usize,
    swept_at: Mutex<Option<Instant>>,
}

impl<K: std::hash::Hash + Eq + Clone> KeyedRate<K> {
    pub(crate) fn new(per_s: u32, keys_max: usize) -> Self {
        let quota = Quota::per_second(NonZeroU32::new(per_s).unwrap_or(NonZeroU32::MIN));
        let store = governor::state::keyed::HashMapStateStore::default();
        let limiter = RateLimiter::new(quota, store, governor::clock::DefaultClock::default());
        Self { limiter, keys_max, swept_at: Mutex::new(None) }
    }

    /// While there are too many keys, none is allowed: who sends from so many sources is no friend.
    pub(crate) fn allows(&self, key: &K, now: Instant) -> bool {
        if self.limiter.len() >= self.keys_max && !self.sweep(now) {
            return false;
        }
        self.limiter.check_key(key).is_ok()
    }

    /// Makes room, at most once in a second: a flood must not make us sweep for each of its messages.
    fn sweep(&self, now: Instant) -> bool {
        const SWEEP_EVERY: Duration = Duration::from_secs(1);
        let mut swept_at = self.swept_at.lock();
        if swept_at.is_some_and(|at| now.duration_since(at) < SWEEP_EVERY) {
            return false;
        }
        *swept_at = Some(now);
        self.limiter.retain_recent();
        self.limiter.len() < self.keys_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(calls_max: usize, calls_per_s_max: u32) -> Admission {
        Admission::new(&Limits { calls_max, calls_per_s_max, ..Limits::default() })
    }

    #[test]
    fn a_retransmission_gets_the_decision_of_the_first() {
        let admission = admission(1, 1_000);
        let now = Instant::now();
        assert_eq!(admission.decide(1, now), Ok(()));
        let place = admission.enter(Share::Calls).unwrap();
        assert_eq!(admission.decide(1, now), Ok(()), "retransmission of the admitted call");
        assert_eq!(admission.decide(2, now), Err(Refused::Limit));
        assert_eq!(admission.enter(Share::Calls).unwrap_err(), Refused::Limit);
        drop(place);
        assert_eq!(admission.decide(2, now), Err(Refused::Limit), "retransmission of the refused call");
        assert_eq!(admission.decide(3, now), Ok(()));
        let later = now + DECISION_KEPT * 2;
        assert_eq!(admission.decide(4, later), Ok(()));
        assert_eq!(admission.decide(5, later + DECISION_KEPT), Ok(()));
        assert_eq!(admission.decide(2, later + DECISION_KEPT), Ok(()), "forgotten after the retransmission time");
    }

    #[test]
    fn campaigns_take_what_is_free_and_nobodys_place() {
        let admission = admission(3, 1_000);
        let now = Instant::now();
        let campaigns: Vec<_> = (0..3).map(|_| admission.enter(Share::Campaigns).unwrap()).collect();
        assert_eq!(admission.enter(Share::Campaigns).unwrap_err(), Refused::Limit, "nothing is free");
        for key in 0..3 {
            assert_eq!(admission.decide(key, now), Ok(()), "the campaign's calls are beside the limit");
            std::mem::forget(admission.enter(Share::Calls).unwrap());
        }
        assert_eq!(admission.legs(), 6, "all are counted where the end is waited for");
        assert_eq!(admission.decide(9, now), Err(Refused::Limit), "the limit itself holds");
        drop(campaigns);
        assert_eq!(admission.enter(Share::Campaigns).unwrap_err(), Refused::Limit, "calls that came in are in the way");
    }

    #[test]
    fn draining_refuses_new_calls_only() {
        let admission = admission(10, 1_000);
        let now = Instant::now();
        assert_eq!(admission.decide(1, now), Ok(()));
        admission.set_draining(true);
        assert_eq!(admission.decide(1, now), Ok(()));
        assert_eq!(admission.decide(2, now), Err(Refused::Draining));
        admission.set_draining(false);
        assert_eq!(admission.decide(3, now), Ok(()));
    }

    #[test]
    fn calls_in_a_second_are_bounded() {
        let admission = admission(1_000, 100);
        let now = Instant::now();
        let admitted = (0..100).filter(|key| admission.decide(*key, now).is_ok()).count();
        assert!((10..30).contains(&admitted), "a burst of a tenth of a second, not {admitted}");
    }

    #[test]
    fn keys_of_a_rate_are_bounded() {
        let rate = KeyedRate::new(1, 3);
        let now = Instant::now();
        for key in 0..3 {
            assert!(rate.allows(&key, now));
        }
        assert!(!rate.allows(&3, now), "no room for a fourth source while three are recent");
        let roomy = KeyedRate::new(1, 9);
        assert!(roomy.allows(&0, now));
        assert!(!roomy.allows(&0, now), "one in a second");
    }
}
