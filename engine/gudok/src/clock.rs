//! The engine's clock: the machine's, or one that began at a moment of the admin's choice (`serve --at`), so that a
//! night at the centre can be rehearsed by day.

use gudok_core::ids::Agency;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::{BoxFuture, Clock, LocalTime, SystemClock};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A duration in whole milliseconds, as records, documents and the API have it.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Runs as fast as the machine's clock, from its own beginning.
#[derive(Debug)]
pub(crate) struct EngineClock {
    system: SystemClock,
    /// Microseconds ahead of the machine's clock.
    ahead_us: i64,
}

impl EngineClock {
    /// In the centre's zone; at `start` now, or with the machine.
    pub(crate) fn new(zone: TimeZone, start: Option<jiff::Timestamp>) -> Arc<Self> {
        let system = SystemClock::new(zone, BTreeMap::new());
        let now = i64::try_from(system.now().as_micros()).unwrap_or(i64::MAX);
        let ahead_us = start.map_or(0, |start| start.as_microsecond().saturating_sub(now));
        Arc::new(Self { system, ahead_us })
    }

    /// Whether it is a rehearsal's: ahead of the machine's by more than a clock is ever wrong.
    pub(crate) const fn is_rehearsal(&self) -> bool {
        const DAY_US: i64 = 24 * 3_600 * 1_000_000;
        self.ahead_us > DAY_US
    }

    /// The moment at which a timer of tokio's for `deadline` is due.
    pub(crate) fn instant(&self, deadline: Timestamp) -> tokio::time::Instant {
        tokio::time::Instant::now() + deadline.since(self.now())
    }
}

impl Clock for EngineClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.system.now().as_micros().saturating_add_signed(self.ahead_us))
    }

    fn local(&self, agency: &Agency, at: Timestamp) -> LocalTime {
        self.system.local(agency, at)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.system.sleep(duration)
    }
}
