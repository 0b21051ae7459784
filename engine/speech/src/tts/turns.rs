//! Turns at a provider: so many at once, so many waiting, everyone else is refused at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::TtsLimits;
use crate::error::SpeechError;

/// The queue before a provider.
#[derive(Debug)]
pub(crate) struct Turns {
    places: Semaphore,
    waiting: AtomicUsize,
    waiting_max: usize,
    waiting_time_max: Duration,
}

/// Counts a waiting text until it is dropped: a caller who hangs up leaves the queue.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turns {
    pub(crate) fn new(limits: &TtsLimits) -> Self {
        Self {
            places: Semaphore::new(limits.concurrency_max.min(Semaphore::MAX_PERMITS)),
            waiting: AtomicUsize::new(0),
            waiting_max: limits.waiting_max,
            waiting_time_max: Duration::from_millis(limits.waiting_ms_max),
        }
    }

    /// Waits for a place, first come first served.
    pub(crate) async fn take(&self) -> Result<SemaphorePermit<'_>, SpeechError> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _counted = Waiting(&self.waiting);
        let busy = SpeechError::TtsBusy { waiting };
        if waiting >= self.waiting_max {
            return Err(busy);
        }
        match tokio::time::timeout(self.waiting_time_max, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(SpeechError::WorkerStopped),
            Err(_) => Err(busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn more_than_may_wait_are_refused_and_leavers_free_their_place() {
        let turns =
            Turns::new(&TtsLimits { concurrency_max: 1, waiting_max: 1, waiting_ms_max: 500, ..TtsLimits::default() });
        let first = turns.take().await.unwrap();
        {
            let mut second = Box::pin(turns.take());
            assert!(tokio::time::timeout(Duration::from_millis(1), &mut second).await.is_err());
            assert_eq!(turns.take().await.unwrap_err(), SpeechError::TtsBusy { waiting: 1 });
        }
        // The second left; a third may wait, but not for ever.
        assert_eq!(turns.take().await.unwrap_err(), SpeechError::TtsBusy { waiting: 0 });
        drop(first);
        assert!(turns.take().await.is_ok());
        assert_eq!(turns.waiting.load(Ordering::Relaxed), 0);
    }
}
