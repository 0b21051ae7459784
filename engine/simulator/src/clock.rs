//! The virtual clock: it stands still until the world moves it.

use gudok_core::ids::Agency;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::{BoxFuture, Clock, LocalTime, SystemClock};
use jiff::tz::TimeZone;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The time of the world, for its scripts and back ends.
#[derive(Clone)]
pub(crate) struct VirtualClock {
    state: Arc<Mutex<State>>,
    /// Only for what a wall clock shows at a given moment.
    calendar: Arc<SystemClock>,
}

struct State {
    now: Timestamp,
    next_timer: u64,
    /// In the order in which they come due, then in the order in which they were set.
    timers: BTreeMap<(Timestamp, u64), Waker>,
}

impl VirtualClock {
    pub(crate) fn new(now: Timestamp, zone: TimeZone) -> Self {
        Self {
            state: Arc::new(Mutex::new(State { now, next_timer: 0, timers: BTreeMap::new() })),
            calendar: Arc::new(SystemClock::new(zone, BTreeMap::new())),
        }
    }

    /// When the next sleeper wakes.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.state.lock().timers.keys().next().map(|(at, _)| *at)
    }

    /// Moves the time and wakes whoever slept until then.
    pub(crate) fn advance(&self, now: Timestamp) {
        let mut state = self.state.lock();
        state.now = state.now.max(now);
        let due = (state.now, u64::MAX);
        while let Some(timer) = state.timers.first_entry().filter(|timer| *timer.key() < due) {
            let waker = timer.remove();
            // Whoever wakes may look at the clock.
            parking_lot::MutexGuard::unlocked(&mut state, || waker.wake());
        }
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VirtualClock({:?})", self.now())
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.state.lock().now
    }

    fn local(&self, agency: &Agency, at: Timestamp) -> LocalTime {
        self.calendar.local(agency, at)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let at = self.now() + duration;
        Box::pin(Sleep { clock: self.clone(), at, timer: None })
    }
}

struct Sleep {
    clock: VirtualClock,
    at: Timestamp,
    timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state.lock();
        if state.now >= self.at {
            return Poll::Ready(());
        }
        let timer = self.timer.unwrap_or(state.next_timer);
        state.next_timer = state.next_timer.max(timer + 1);
        state.timers.insert((self.at, timer), cx.waker().clone());
        drop(state);
        self.timer = Some(timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.clock.state.lock().timers.remove(&(self.at, timer));
        }
    }
}
