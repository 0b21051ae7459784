//! All timers of an agent in one heap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use super::CallKey;

/// Whose timer it is. The owner itself knows what is due.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum TimerKey {
    Client(Arc<str>),
    Server(Arc<str>),
    Call(CallKey),
}

/// The earliest deadline of each owner; entries that were replaced by an earlier one are skipped when they surface.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, TimerKey)>>,
    armed: HashMap<TimerKey, Instant>,
}

impl Timers {
    /// Makes sure that the owner is asked at `deadline` at the latest.
    pub(super) fn arm(&mut self, key: TimerKey, deadline: Option<Instant>) {
        let Some(at) = deadline else { return };
        if self.armed.get(&key).is_none_or(|armed| at < *armed) {
            self.armed.insert(key.clone(), at);
            self.heap.push(Reverse((at, key)));
        }
    }

    /// The next owner whose time has come. The owner arms itself again.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<TimerKey> {
        while let Some(Reverse((at, _))) = self.heap.peek() {
            if *at > now {
                return None;
            }
            let Reverse((at, key)) = self.heap.pop()?;
            if self.armed.get(&key) == Some(&at) {
                self.armed.remove(&key);
                return Some(key);
            }
        }
        None
    }

    /// When to look again. May be too early, never too late.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_earliest_arming_wins() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        let (a, b) = (TimerKey::Call(CallKey(1)), TimerKey::Call(CallKey(2)));
        timers.arm(a.clone(), Some(at(30)));
        timers.arm(b.clone(), Some(at(20)));
        timers.arm(a.clone(), Some(at(10)));
        timers.arm(b.clone(), None);
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop_due(at(9)), None);
        assert_eq!(timers.pop_due(at(50)), Some(a));
        assert_eq!(timers.pop_due(at(50)), Some(b));
        assert_eq!(timers.pop_due(at(50)), None);
    }
}
