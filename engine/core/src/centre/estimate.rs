//! How long a wait will be, from the recent past.

use crate::ids::Queue;
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Talks that an estimate goes by, per queue.
const SAMPLES_MAX: usize = 32;
/// Fewer say nothing.
const SAMPLES_MIN: usize = 5;
/// Older ones say nothing.
const SAMPLE_AGE_MAX: Duration = Duration::from_hours(2);

/// How long operators were busy with a caller, by queue: talk and wrap-up.
#[derive(Clone, Debug, Default)]
pub(super) struct Estimates(BTreeMap<Queue, VecDeque<(Timestamp, Duration)>>);

impl Estimates {
    pub(super) fn add(&mut self, queue: &Queue, busy: Duration, now: Timestamp) {
        let samples = self.0.entry(queue.clone()).or_default();
        samples.push_back((now, busy));
        if samples.len() > SAMPLES_MAX {
            samples.pop_front();
        }
    }

    /// The wait of whoever is at a position, counted from 1: with so many operators at work, one becomes free every
    /// so-manieth part of the time that a caller takes. None where there is too little to go by.
    pub(super) fn wait(
        &self,
        queue: &Queue,
        position: u32,
        free: usize,
        at_work: usize,
        now: Timestamp,
    ) -> Option<Duration> {
        if usize::try_from(position).is_ok_and(|position| position <= free) {
            return Some(Duration::ZERO);
        }
        let samples = self.0.get(queue)?.iter().filter(|(at, _)| now.since(*at) <= SAMPLE_AGE_MAX);
        let (count, sum) = samples.fold((0_u32, Duration::ZERO), |(count, sum), (_, busy)| (count + 1, sum + *busy));
        let at_work = u32::try_from(at_work).ok().filter(|at_work| *at_work > 0)?;
        let enough = usize::try_from(count).is_ok_and(|count| count >= SAMPLES_MIN);
        enough.then(|| (sum / count).saturating_mul(position) / at_work)
    }

    /// Queues that are gone are forgotten.
    pub(super) fn keep(&mut self, is_there: impl Fn(&Queue) -> bool) {
        self.0.retain(|queue, _| is_there(queue));
    }
}
