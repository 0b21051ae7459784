//! Calls begun and calls on, of one campaign, one trunk, or all: counted from outside, by a stopwatch that nobody sets.

use super::report::LineUse;
use gudok_core::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Calls of one of them.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Begun in the last second.
    recent: VecDeque<Timestamp>,
    /// On now.
    pub(super) live: u32,
    pub(super) begun: u64,
    /// The most in any second, and at once.
    pub(super) per_second_peak: u32,
    pub(super) live_peak: u32,
}

impl Line {
    /// One more is begun. How many that makes in the second that ends now, and how many at once.
    pub(super) fn begins(&mut self, stopwatch: Timestamp) -> (u32, u32) {
        while self.recent.front().is_some_and(|first| stopwatch.since(*first) >= SECOND) {
            self.recent.pop_front();
        }
        self.recent.push_back(stopwatch);
        self.live += 1;
        self.begun += 1;
        let in_a_second = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
        self.per_second_peak = self.per_second_peak.max(in_a_second);
        self.live_peak = self.live_peak.max(self.live);
        (in_a_second, self.live)
    }

    pub(super) const fn used(&self) -> LineUse {
        LineUse { calls: self.begun, per_second_peak: self.per_second_peak, at_once_peak: self.live_peak }
    }

    pub(super) const fn ends(&mut self) {
        self.live = self.live.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_slides() {
        let mut line = Line::default();
        let at = |millis: u64| Timestamp::from_millis(5_000 + millis);
        assert_eq!([0, 500, 999].map(|millis| line.begins(at(millis)).0), [1, 2, 3]);
        line.ends();
        assert_eq!([1_000, 1_499, 1_500].map(|millis| line.begins(at(millis))), [(3, 3), (4, 4), (4, 5)]);
        assert_eq!((line.per_second_peak, line.live_peak, line.begun), (4, 5, 6));
    }
}
