//! How many calls are let in: concurrent ones, and new ones a second. What is above is told 503 and when to come back.

use crate::time::Timestamp;
use std::time::Duration;

/// The limits of [`Admission`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdmissionLimits {
    /// Calls at once.
    pub concurrent_calls_max: u32,
    /// New calls in one second; a burst of a tenth of that on top.
    pub new_calls_per_s_max: u32,
}

/// A token bucket and a counter.
#[derive(Debug)]
pub struct Admission {
    limits: AdmissionLimits,
    concurrent: u32,
    /// Micro-tokens: a million is one call.
    tokens: u64,
    filled: Timestamp,
    draining: bool,
}

/// Why a call is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// As many calls as there may be.
    Concurrent,
    /// Too many new calls in this second.
    Rate,
    /// The engine is stopping.
    Draining,
}

impl Refused {
    /// When to come back, for Retry-After.
    #[must_use]
    pub const fn retry_after(self) -> Duration {
        match self {
            Self::Rate => Duration::from_secs(1),
            Self::Concurrent => Duration::from_secs(5),
            Self::Draining => Duration::from_secs(30),
        }
    }

    /// The word for it in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Concurrent => "concurrent",
            Self::Rate => "rate",
            Self::Draining => "draining",
        }
    }
}

const TOKEN: u64 = 1_000_000;

impl Admission {
    /// With nothing running and a full bucket.
    #[must_use]
    pub fn new(limits: AdmissionLimits, now: Timestamp) -> Self {
        Self { limits, concurrent: 0, tokens: Self::burst(limits), filled: now, draining: false }
    }

    /// Lets a call in, or says why not. Whoever is let in is given back by [`Admission::release`].
    ///
    /// # Errors
    /// Which limit was met.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), Refused> {
        if self.draining {
            return Err(Refused::Draining);
        }
        if self.concurrent >= self.limits.concurrent_calls_max {
            return Err(Refused::Concurrent);
        }
        let elapsed_us = u64::try_from(now.since(self.filled).as_micros()).unwrap_or(u64::MAX);
        let gained = elapsed_us.saturating_mul(u64::from(self.limits.new_calls_per_s_max));
        self.tokens = self.tokens.saturating_add(gained).min(Self::burst(self.limits));
        self.filled = self.filled.max(now);
        self.tokens = self.tokens.checked_sub(TOKEN).ok_or(Refused::Rate)?;
        self.concurrent += 1;
        Ok(())
    }

    /// A call that was let in is over.
    pub fn release(&mut self) {
        self.concurrent = self.concurrent.saturating_sub(1);
    }

    /// From now on nobody is let in, or again.
    pub fn set_draining(&mut self, draining: bool) {
        self.draining = draining;
    }

    /// New limits; calls that are in stay in.
    pub fn set_limits(&mut self, limits: AdmissionLimits) {
        self.limits = limits;
    }

    /// Calls that are in.
    #[must_use]
    pub const fn concurrent(&self) -> u32 {
        self.concurrent
    }

    fn burst(limits: AdmissionLimits) -> u64 {
        let calls = u64::from(limits.new_calls_per_s_max / 10).max(1);
        calls.saturating_mul(TOKEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: AdmissionLimits = AdmissionLimits { concurrent_calls_max: 3, new_calls_per_s_max: 10 };

    #[test]
    fn calls_come_at_the_rate_and_up_to_the_number() {
        let at = Timestamp::from_millis;
        let mut admission = Admission::new(LIMITS, at(0));
        assert_eq!(admission.admit(at(0)), Ok(()));
        assert_eq!(admission.admit(at(50)), Err(Refused::Rate));
        assert_eq!(admission.admit(at(100)), Ok(()));
        assert_eq!(admission.admit(at(900)), Ok(()));
        assert_eq!(admission.admit(at(2_000)), Err(Refused::Concurrent));
        admission.release();
        assert_eq!(admission.admit(at(2_000)), Ok(()));
        admission.release();
        admission.set_draining(true);
        assert_eq!(admission.admit(at(9_000)), Err(Refused::Draining));
    }

    #[test]
    fn a_clock_that_steps_back_lets_nobody_extra_in() {
        let at = Timestamp::from_millis;
        let mut admission = Admission::new(LIMITS, at(10_000));
        assert_eq!(admission.admit(at(10_000)), Ok(()));
        assert_eq!(admission.admit(at(1_000)), Err(Refused::Rate));
        assert_eq!(admission.admit(at(10_050)), Err(Refused::Rate));
    }
}
