//! The bounded queue before the writer thread. Call records do not wake the writer one by one: it wakes for the first,
//! then gathers until a promise arrives, the loss window is over, or a commit is full.
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::StoreError;
use crate::limits::{COMMIT_WRITES_MAX, QUEUE_BYTES_MAX, QUEUE_WRITES_MAX};

pub(super) struct WriteQueue<W> {
    state: Mutex<State<W>>,
    ready: Condvar,
}

struct State<W> {
    writes: VecDeque<(W, usize)>,
    bytes: usize,
    /// Somebody awaits one of the writes.
    urgent: bool,
    closed: bool,
}

/// How soon a write must be on disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Somebody awaits it.
    Now,
    /// Within the loss window.
    Soon,
}

impl<W> WriteQueue<W> {
    pub(super) fn new() -> Self {
        let state = State { writes: VecDeque::new(), bytes: 0, urgent: false, closed: false };
        Self { state: Mutex::new(state), ready: Condvar::new() }
    }

    pub(super) fn push(&self, write: W, bytes: usize, urgency: Urgency) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(StoreError::Closed);
        }
        if state.writes.len() >= QUEUE_WRITES_MAX || state.bytes + bytes > QUEUE_BYTES_MAX {
            return Err(StoreError::Busy { queue: "write", limit: QUEUE_WRITES_MAX });
        }
        state.writes.push_back((write, bytes));
        state.bytes += bytes;
        state.urgent |= urgency == Urgency::Now;
        let len = state.writes.len();
        let wake = urgency == Urgency::Now || len == 1 || len == COMMIT_WRITES_MAX;
        drop(state);
        if wake {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Waits for writes and moves one commit's worth into `into`. `false` when closed and empty.
    pub(super) fn take(&self, soon: Duration, into: &mut Vec<W>) -> bool {
        let mut state = self.state.lock();
        while state.writes.is_empty() && !state.closed {
            self.ready.wait(&mut state);
        }
        let deadline = Instant::now() + soon;
        while !state.urgent && !state.closed && state.writes.len() < COMMIT_WRITES_MAX {
            if self.ready.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        let count = state.writes.len().min(COMMIT_WRITES_MAX);
        let mut bytes = 0;
        into.extend(state.writes.drain(..count).map(|(write, size)| {
            bytes += size;
            write
        }));
        state.bytes -= bytes;
        // What is left may hold an awaited write: do not let it wait for the window.
        state.urgent = !state.writes.is_empty() && state.urgent;
        count > 0
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.ready.notify_one();
    }

    /// Writes and bytes waiting.
    pub(super) fn depth(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.writes.len(), state.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_by_number_and_by_size_and_after_close() {
        let queue = WriteQueue::new();
        for n in 0..QUEUE_WRITES_MAX {
            queue.push(n, 1, Urgency::Soon).unwrap();
        }
        assert!(matches!(queue.push(0, 1, Urgency::Now), Err(StoreError::Busy { .. })));
        let mut taken = Vec::new();
        assert!(queue.take(Duration::ZERO, &mut taken));
        assert_eq!(taken, (0..COMMIT_WRITES_MAX).collect::<Vec<_>>());
        assert!(matches!(queue.push(0, QUEUE_BYTES_MAX, Urgency::Now), Err(StoreError::Busy { .. })));
        queue.close();
        assert!(matches!(queue.push(0, 1, Urgency::Now), Err(StoreError::Closed)));
        let mut rest = Vec::new();
        while queue.take(Duration::from_secs(3600), &mut rest) {}
        assert_eq!(rest.len(), QUEUE_WRITES_MAX - COMMIT_WRITES_MAX, "what was accepted is still written");
    }

    #[test]
    fn an_awaited_write_does_not_wait_for_the_window() {
        let queue = WriteQueue::new();
        queue.push(1, 1, Urgency::Soon).unwrap();
        queue.push(2, 1, Urgency::Now).unwrap();
        let mut taken = Vec::new();
        assert!(queue.take(Duration::from_secs(3600), &mut taken));
        assert_eq!(taken, [1, 2]);
    }
}
