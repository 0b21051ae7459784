//! Randomness from a seed, the same on every machine and in every version: a run must be replayed years later.

use gudok_plugin_host::ports::Random;
use parking_lot::Mutex;
use std::time::Duration;

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// True so often out of a hundred times. A zero costs no roll.
    pub const fn percent(&mut self, percent: u8) -> bool {
        percent > 0 && self.roll() % 100 < percent as u64
    }

    /// Up to `max`, in milliseconds. A zero costs no roll.
    pub fn up_to(&mut self, max: Duration) -> Duration {
        let max_ms = u64::try_from(max.as_millis()).unwrap_or(u64::MAX - 1);
        if max_ms == 0 { Duration::ZERO } else { Duration::from_millis(self.roll() % (max_ms + 1)) }
    }

    /// Dice of their own, for somebody whose rolls should not move everybody else's.
    #[must_use]
    pub const fn split(&mut self) -> Self {
        Self(self.roll())
    }
}

/// What scripts get as randomness.
#[derive(Debug)]
pub(crate) struct SeededRandom(pub(crate) Mutex<Dice>);

impl Random for SeededRandom {
    fn next_u64(&self) -> u64 {
        self.0.lock().roll()
    }
}
