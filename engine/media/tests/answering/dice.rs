//! Randomness that is the same everywhere: SplitMix64.

/// A seeded source of randomness.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A source for one recording of a set: whatever the seeds, no two have anything in common.
    pub(crate) const fn of(seed: u64, recording: u64) -> Self {
        let mut first = Self::new(seed);
        let mut second = Self::new(first.next() ^ recording);
        Self::new(second.next())
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[(self.next() % from.len() as u64) as usize]
    }

    /// About normal, with a standard deviation of 1.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Around a median, never below `low` or above `high`; most are within a factor of `spread`.
    pub(crate) fn around(&mut self, median: f64, spread: f64, low: f64, high: f64) -> f64 {
        (median * spread.powf(self.normal())).clamp(low, high)
    }
}
