//! How fast one may ask, by the engine's clock.

use crate::admin::RateLimits;
use crate::limits::RATE_KEYS_MAX;
use crate::ports::Engine;
use crate::problem::{Problem, codes};
use governor::clock::{Clock, Reference};
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::ops::Add;
use std::sync::Arc;

type Limiter =
    RateLimiter<String, DefaultKeyedStateStore<String>, EngineClock, governor::middleware::NoOpMiddleware<At>>;

/// A moment of the engine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct At(u64);

impl Add<Nanos> for At {
    type Output = Self;
    fn add(self, other: Nanos) -> Self {
        Self(self.0.saturating_add(other.as_u64()))
    }
}

impl Reference for At {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.as_u64()).unwrap_or(self.0))
    }
}

#[derive(Clone)]
struct EngineClock(Arc<dyn Engine>);

impl Clock for EngineClock {
    type Instant = At;
    fn now(&self) -> At {
        At(self.0.now_ms().saturating_mul(1_000_000))
    }
}

/// All that is counted.
pub(crate) struct Rates {
    clock: EngineClock,
    requests: Limiter,
    logins: Limiter,
    logins_of_address: Limiter,
    strangers: Limiter,
}

impl Rates {
    pub(crate) fn new(limits: RateLimits, engine: Arc<dyn Engine>) -> Self {
        let clock = EngineClock(engine);
        let limiter = |quota: Quota| Limiter::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        Self {
            requests: limiter(
                Quota::per_second(at_least_one(limits.requests_per_s)).allow_burst(at_least_one(limits.requests_burst)),
            ),
            logins: limiter(Quota::per_minute(at_least_one(limits.logins_per_min))),
            logins_of_address: limiter(Quota::per_minute(at_least_one(limits.logins_per_address_per_min))),
            strangers: limiter(Quota::per_second(at_least_one(limits.strangers_per_s))),
            clock,
        }
    }

    /// A request of a credential, by its hash.
    ///
    /// # Errors
    /// `rate-limited`.
    pub(crate) fn request(&self, credential: &str) -> Result<(), Problem> {
        self.check(&self.requests, credential.to_owned())
    }

    /// A log-in, before the password is looked at.
    ///
    /// # Errors
    /// `rate-limited`.
    pub(crate) fn login(&self, user: &str, address: &str) -> Result<(), Problem> {
        self.check(&self.logins_of_address, address.to_owned())?;
        self.check(&self.logins, format!("{user}\0{address}"))
    }

    /// A request without a valid credential.
    ///
    /// # Errors
    /// `rate-limited`.
    pub(crate) fn stranger(&self, address: &str) -> Result<(), Problem> {
        self.check(&self.strangers, address.to_owned())
    }

    #[expect(clippy::needless_pass_by_value, reason = "the limiter's keys are Strings, and its look-up wants one")]
    fn check(&self, limiter: &Limiter, key: String) -> Result<(), Problem> {
        if limiter.len() >= RATE_KEYS_MAX {
            limiter.retain_recent();
        }
        limiter.check_key(&key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let detail = format!("Too many requests; the next one is taken in {} s.", seconds.max(1));
            Problem::new(&codes::RATE_LIMITED, detail).retry_after_s(seconds)
        })
    }
}

const fn at_least_one(count: u32) -> NonZeroU32 {
    match NonZeroU32::new(count) {
        Some(count) => count,
        None => NonZeroU32::MIN,
    }
}
