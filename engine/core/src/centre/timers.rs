//! All timers of the centre.

use super::line::Member;
use super::waiting::OfferId;
use crate::ids::{CallId, CallbackId, Operator, Queue};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What comes due.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Timer {
    /// A caller's wait is coming to the queue's limit: the host acts. Then again, as often as the queue offers again.
    Limit(CallId),
    /// The script's own patience with its caller's wait is at its end.
    Patience(CallId),
    /// It is time to tell a caller the position.
    Announce(CallId),
    /// The demands of somebody who waits have fallen: an operator may do who did not before.
    Relaxed(Member),
    /// A ring should have ended long ago, or its withdrawal should have been confirmed.
    Ring(OfferId),
    /// An operator has written up the last call.
    WrapUp(Operator),
    /// An operator who refused, missed or failed a ring has been left alone for long enough.
    Rested(Operator),
    /// A callback may be begun from now on.
    Turn(CallbackId),
    /// A callback should have been kept by now.
    Due(CallbackId),
    /// A callback whose last writing-down failed is written down again.
    SaveAgain(CallbackId),
    /// A queue opens or closes by its calendar.
    Calendar(Queue),
}

/// When each comes due; at most one of a kind and name. Ordered both ways: thousands run at once, and one is asked for
/// after every input.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    by_name: BTreeMap<Timer, Timestamp>,
    by_time: BTreeSet<(Timestamp, Timer)>,
}

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Timestamp) {
        if let Some(before) = self.by_name.insert(timer.clone(), at) {
            self.by_time.remove(&(before, timer.clone()));
        }
        self.by_time.insert((at, timer));
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.by_name.remove(&timer) {
            self.by_time.remove(&(at, timer));
        }
    }

    pub(super) fn is_set(&self, timer: &Timer) -> bool {
        self.by_name.contains_key(timer)
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes all that are due, in order.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Timer> {
        let mut due = Vec::new();
        while let Some((_, timer)) = self.by_time.first().filter(|(at, _)| *at <= now).cloned() {
            self.clear(timer.clone());
            due.push(timer);
        }
        due
    }
}
