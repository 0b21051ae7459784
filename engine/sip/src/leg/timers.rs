//! All timers of a leg, apart from the session timer, which has a machine of its own.

use std::time::Instant;

/// A timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum Timer {
    /// 100, where the host takes its time (RFC 3261, section 17.2.1: within 200 ms).
    Trying,
    /// A provisional response again, so that proxies keep waiting (section 13.3.1.1).
    Progress,
    /// An unacknowledged reliable response again (RFC 3262).
    Reliable,
    /// A re-INVITE or UPDATE again after 491 (section 14.1).
    Glare,
    /// The end of waiting for NOTIFY.
    Refer,
    /// The end of waiting for the INVITE's answer after CANCEL.
    Cancel,
    /// The end of waiting for the answer to a transcript.
    Transcript,
}

const TIMERS: [Timer; 7] =
    [Timer::Trying, Timer::Progress, Timer::Reliable, Timer::Glare, Timer::Refer, Timer::Cancel, Timer::Transcript];

/// When each goes off.
#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Instant>; TIMERS.len()]);

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = Some(at);
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// One that has gone off; it is stopped with that.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Timer> {
        let due = TIMERS.into_iter().find(|timer| self.0[*timer as usize].is_some_and(|at| at <= now))?;
        self.stop(due);
        Some(due)
    }
}
