//! What the driver of a run and the script's own store share: CPU account, end of the call, order to stop.

use crate::metering::Metering;
use gudok_core::script::EndReason;
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use tokio::sync::Notify;

/// Of one run.
#[derive(Debug, Default)]
pub(crate) struct Control {
    cpu_used_ns: AtomicU64,
    slice_began_ns: AtomicU64,
    step_began_ns: AtomicU64,
    /// A host call came: the next look at the clock begins a new step.
    step_over: AtomicBool,
    ended: Mutex<Option<EndReason>>,
    stop: AtomicBool,
    changed: Notify,
}

impl Control {
    /// The call is over for the script. The first reason stays.
    pub(crate) fn end(&self, reason: EndReason) {
        let mut ended = self.ended.lock();
        if ended.is_none() {
            *ended = Some(reason);
            drop(ended);
            self.changed.notify_one();
        }
    }

    /// The script is to be stopped at once.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Relaxed);
        self.changed.notify_one();
    }

    pub(crate) fn ended(&self) -> Option<EndReason> {
        *self.ended.lock()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Done when [`Control::end`] or [`Control::stop`] was called since the last time.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// CPU of the run so far, in nanoseconds. Exact between polls; within one, [`Control::cpu_now_ns`] is.
    pub(crate) fn cpu_used_ns(&self) -> u64 {
        self.cpu_used_ns.load(Relaxed)
    }

    /// A host call is answered; reading the clock for it would cost more than the call.
    pub(crate) fn end_step(&self) {
        self.step_over.store(true, Relaxed);
    }

    /// CPU of the whole run and of the step, in nanoseconds, while the script is being polled on this thread.
    pub(crate) fn cpu_now_ns(&self) -> (u64, u64) {
        let slice = thread_cpu_ns().saturating_sub(self.slice_began_ns.load(Relaxed));
        let used = self.cpu_used_ns() + slice;
        if self.step_over.swap(false, Relaxed) {
            self.step_began_ns.store(used, Relaxed);
        }
        (used, used - self.step_began_ns.load(Relaxed))
    }
}

/// A future whose polls are charged to a run.
pub(crate) struct Metered<F> {
    pub(crate) inner: Pin<Box<F>>,
    pub(crate) control: Arc<Control>,
    pub(crate) metering: Metering,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.metering == Metering::Fuel {
            // The store counts.
            return self.inner.as_mut().poll(cx);
        }
        let began = thread_cpu_ns();
        self.control.slice_began_ns.store(began, Relaxed);
        let poll = self.inner.as_mut().poll(cx);
        self.control.cpu_used_ns.fetch_add(thread_cpu_ns().saturating_sub(began), Relaxed);
        poll
    }
}

fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // The clock begins at zero with the thread.
    let (seconds, nanoseconds) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    seconds * 1_000_000_000 + nanoseconds
}
