//! Chance, drawn from a seed: calls' ids, and the jitter of retries.

use crate::ids::CallId;
use std::time::Duration;

/// `SplitMix64`, twice: ids need to be different, not secret.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    high: u64,
    low: u64,
}

impl Dice {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    pub(super) const fn new(seed: u128) -> Self {
        Self { high: (seed >> 64) as u64, low: seed as u64 }
    }

    pub(super) fn call(&mut self) -> CallId {
        CallId::from_random(u128::from(mix(&mut self.high)) << 64 | u128::from(mix(&mut self.low)))
    }

    /// From nothing up to so long, in whole milliseconds.
    pub(super) fn up_to(&mut self, longest: Duration) -> Duration {
        let longest_ms = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX - 1);
        Duration::from_millis(mix(&mut self.low) % longest_ms.saturating_add(1).max(1))
    }
}

const fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
