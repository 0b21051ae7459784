//! Time as the media room counts it.

use std::ops::{Add, Sub};
use std::time::Duration;

/// Microseconds of one RTP tick: every codec here has an RTP clock of 8 kHz.
const TICK_US: u64 = 125;

/// A point of monotonic time, in microseconds since the engine started.
///
/// Nothing in the deciding part of this crate asks for the time: it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct MediaTime(u64);

impl MediaTime {
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) const fn from_us(us: u64) -> Self {
        Self(us)
    }

    pub(crate) const fn from_ms(ms: u64) -> Self {
        Self(ms * 1_000)
    }

    pub(crate) const fn us(self) -> u64 {
        self.0
    }

    pub(crate) const fn ms(self) -> u64 {
        self.0 / 1_000
    }

    /// Milliseconds since `earlier`; zero if that lies in the future.
    pub(crate) const fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }

    /// The 8 kHz RTP clock at this time, wrapping as RFC 3550 has it.
    #[expect(clippy::cast_possible_truncation, reason = "an RTP timestamp is the clock modulo 2^32")]
    pub(crate) const fn ticks(self) -> u32 {
        (self.0 / TICK_US) as u32
    }
}

impl Add<Duration> for MediaTime {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub for MediaTime {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_milliseconds_are_160_ticks_and_the_clock_wraps() {
        let start = MediaTime::from_ms(1_000);
        let later = start + Duration::from_millis(20);
        assert_eq!(later.ticks() - start.ticks(), 160);
        let wrap = MediaTime::from_us((1 << 32) * TICK_US);
        assert_eq!(wrap.ticks(), 0);
    }
}
