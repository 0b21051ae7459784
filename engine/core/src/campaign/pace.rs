//! How fast: never more than so many calls begun in any second, and evenly.

use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// In any stretch that is so long …
const STRETCH: Duration = Duration::from_secs(1);
/// … and so much longer: what lies between the command to dial and the INVITE on the wire may differ by so much from call
/// to call, and still no second on the wire sees one call too many.
pub(super) const GUARD: Duration = Duration::from_millis(50);
/// Whoever drives the machine may be late by so much without losing calls: they are caught up on.
const CATCH_UP: Duration = Duration::from_millis(100);
/// Nothing was heard for so long: perhaps the clock was set meanwhile.
const GAP: Duration = Duration::from_secs(2);
/// A step back that is smaller is taken for none.
const STEP_BACK: Duration = Duration::from_secs(1);

/// One limit of calls begun in any second.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    per_s_max: u32,
    /// The last so many.
    begun: VecDeque<Timestamp>,
    /// Evenly spread, the next one is due then.
    due: Timestamp,
}

impl Pace {
    pub(super) fn new(per_s_max: u32) -> Self {
        Self { per_s_max, ..Self::default() }
    }

    /// Another limit, from now on; what was begun under the old one counts.
    pub(super) fn limit(&mut self, per_s_max: u32) {
        self.per_s_max = per_s_max;
        self.forget();
        self.due = Timestamp::default();
    }

    pub(super) const fn per_s_max(&self) -> u32 {
        self.per_s_max
    }

    /// From then on the next one may be begun; none: never.
    pub(super) fn next(&self) -> Option<Timestamp> {
        if self.per_s_max == 0 {
            return None;
        }
        let even = Timestamp::from_micros(self.due.as_micros().saturating_sub(micros(CATCH_UP)));
        let max = usize::try_from(self.per_s_max).unwrap_or(usize::MAX);
        let exact = self.begun.len().checked_sub(max).and_then(|nth| self.begun.get(nth));
        Some(exact.map_or(even, |at| even.max(*at + STRETCH + GUARD)))
    }

    pub(super) fn begin(&mut self, now: Timestamp) {
        self.begun.push_back(now);
        self.forget();
        self.due = self.due.max(now) + (STRETCH + GUARD) / self.per_s_max.max(1);
    }

    /// The clock was set: moments before mean nothing. Whoever calls this holds everything for a [`Clock::hold`].
    pub(super) fn clock_moved(&mut self) {
        self.begun.clear();
        self.due = Timestamp::default();
    }

    fn forget(&mut self) {
        let max = usize::try_from(self.per_s_max).unwrap_or(usize::MAX).max(1);
        while self.begun.len() > max {
            self.begun.pop_front();
        }
    }
}

/// The clock that pacing goes by: it does not go back by a hair's breadth, and where the wall clock was set, or may have
/// been, nothing is begun for as long as a limit looks back. So no step of the clock is ever a burst.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    latest: Timestamp,
    held_until: Timestamp,
}

impl Clock {
    /// What a former process began in the last second is not known: it counts as too much.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { latest: now, held_until: now + STRETCH + GUARD }
    }

    /// True where the clock was set, or may have been.
    pub(super) fn tick(&mut self, now: Timestamp) -> bool {
        let set = now > self.latest + GAP || now + STEP_BACK < self.latest;
        if set {
            self.set(now);
        } else {
            self.latest = self.latest.max(now);
        }
        set
    }

    pub(super) fn set(&mut self, now: Timestamp) {
        self.latest = now;
        self.held_until = now + STRETCH + GUARD;
    }

    pub(super) const fn now(&self) -> Timestamp {
        self.latest
    }

    pub(super) const fn hold(&self) -> Timestamp {
        self.held_until
    }
}

/// Calls begun in the last minute.
#[derive(Clone, Debug, Default)]
pub(super) struct LastMinute(VecDeque<(u64, u64)>);

impl LastMinute {
    const SECONDS: u64 = 60;

    pub(super) fn begin(&mut self, now: Timestamp) {
        let second = now.as_millis() / 1_000;
        match self.0.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.0.push_back((second, 1)),
        }
        while self.0.len() > usize::try_from(Self::SECONDS).unwrap_or(usize::MAX) {
            self.0.pop_front();
        }
    }

    pub(super) fn count(&self, now: Timestamp) -> u64 {
        let second = now.as_millis() / 1_000;
        let recent = self.0.iter().filter(|(at, _)| *at <= second && second - at < Self::SECONDS);
        recent.map(|(_, count)| count).sum()
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + ms)
    }

    /// Begins as many as it may in so long, looked at every so often.
    fn run(per_s: u32, every_ms: u64, for_ms: u64) -> Vec<Timestamp> {
        let mut pace = Pace::new(per_s);
        let mut begun = Vec::new();
        for now in (0..for_ms).step_by(usize::try_from(every_ms).unwrap()).map(at) {
            while pace.next().is_some_and(|next| next <= now) {
                pace.begin(now);
                begun.push(now);
            }
        }
        begun
    }

    #[test]
    fn no_second_sees_one_too_many_and_none_is_wasted() {
        for per_s in [1, 2, 3, 7, 20, 50, 333] {
            for every_ms in [1, 5, 20, 70, 900] {
                let begun = run(per_s, every_ms, 60_000);
                let max = usize::try_from(per_s).unwrap();
                for window in begun.windows(max + 1) {
                    let span = window[max].since(window[0]);
                    assert!(span >= STRETCH + GUARD, "{per_s} a second, seen every {every_ms} ms: {span:?}");
                }
                if every_ms <= 20 {
                    let least = f64::from(per_s) * 60.0 * 0.93;
                    assert!(begun.len() as f64 >= least, "{per_s} a second, every {every_ms} ms: {}", begun.len());
                }
            }
        }
    }

    #[test]
    fn they_are_spread_evenly() {
        let begun = run(20, 1, 5_000);
        for window in begun.windows(5) {
            assert!(window[4].since(window[0]) >= Duration::from_millis(100), "{window:?}");
        }
    }

    #[test]
    fn another_limit_counts_what_was_begun() {
        let mut pace = Pace::new(10);
        for ms in 0..10 {
            pace.begin(at(ms * 90));
        }
        pace.limit(2);
        assert_eq!(pace.next(), Some(at(8 * 90) + STRETCH + GUARD));
        pace.limit(0);
        assert_eq!(pace.next(), None);
    }

    #[test]
    fn a_clock_that_is_set_holds_everything() {
        let mut clock = Clock::new(at(0));
        assert!(!clock.tick(at(1_500)));
        assert!(!clock.tick(at(1_400)), "a hair's breadth");
        assert_eq!(clock.now(), at(1_500));
        assert!(clock.tick(at(1_500) + Duration::from_hours(1)));
        assert_eq!(clock.hold(), at(1_500) + Duration::from_hours(1) + STRETCH + GUARD);
        assert!(clock.tick(at(1_600)));
        assert_eq!((clock.now(), clock.hold()), (at(1_600), at(1_600) + STRETCH + GUARD));
    }
}
