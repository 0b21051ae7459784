//! How long to wait before the next attempt.

use std::time::Duration;

/// Doubles from the first wait to the longest, each drawn from its upper half.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// Never longer.
    pub max: Duration,
}

impl Backoff {
    /// After so many failed attempts; `dice` is random. Jitter keeps a thousand deliveries that failed together from coming
    /// back together.
    #[must_use]
    pub fn after(&self, attempts: u32, dice: u64) -> Duration {
        const SHIFT_MAX: u32 = 30;
        let doubled = self.first.saturating_mul(1 << attempts.saturating_sub(1).min(SHIFT_MAX)).min(self.max);
        let half = doubled / 2;
        let span = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
        half + Duration::from_micros(if span == 0 { 0 } else { dice % (span + 1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_spread() {
        let backoff = Backoff { first: Duration::from_secs(2), max: Duration::from_secs(60) };
        for (attempts, least, most) in [(1, 1, 2), (2, 2, 4), (3, 4, 8), (6, 30, 60), (40, 30, 60), (u32::MAX, 30, 60)]
        {
            for dice in [0, 1, 999_999, 7_777_777, u64::MAX] {
                let wait = backoff.after(attempts, dice);
                let range = Duration::from_secs(least)..=Duration::from_secs(most);
                assert!(range.contains(&wait), "{attempts} {dice}: {wait:?}");
            }
        }
        assert_ne!(backoff.after(6, 1), backoff.after(6, 2_000_000));
        assert_eq!(Backoff { first: Duration::ZERO, max: Duration::ZERO }.after(3, 5), Duration::ZERO);
    }
}
