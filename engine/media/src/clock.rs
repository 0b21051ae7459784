//! The one place that asks for the time.

use rustix::time::{ClockId, Timespec};

use crate::time::MediaTime;

/// The clock all pacers share: monotonic, starting at one second so that zero can mean "never".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    zero_ns: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { zero_ns: monotonic_ns().saturating_sub(1_000_000_000) }
    }

    pub(crate) fn now(self) -> MediaTime {
        MediaTime::from_us(monotonic_ns().saturating_sub(self.zero_ns) / 1_000)
    }

    pub(crate) fn sleep_until(self, at: MediaTime) {
        let ns = self.zero_ns.saturating_add(at.us() * 1_000);
        let seconds = i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX);
        let nanoseconds = i64::try_from(ns % 1_000_000_000).unwrap_or(0);
        let at = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
        // Interrupted by a signal: the turn comes early, which does no harm.
        let _ = rustix::thread::clock_nanosleep_absolute(ClockId::Monotonic, &at);
    }
}

fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
