//! All calls of a world: found by number and by id, asked for their deadlines without asking each of them, and forgotten
//! when they are over.

use crate::call::SimCall;
use gudok_core::ids::CallId;
use gudok_core::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The calls.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    /// None once it is over.
    calls: Vec<Option<Box<SimCall>>>,
    by_id: BTreeMap<CallId, usize>,
    deadlines: BTreeSet<(Timestamp, usize)>,
    /// As they are in `deadlines`, by number.
    deadline_of: Vec<Option<Timestamp>>,
    /// Something may have happened to these since the last look; a few, in their order.
    touched: Vec<usize>,
    steps_max: u32,
}

impl Crowd {
    /// The number of the next call.
    pub(crate) fn next_number(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn add(&mut self, call: SimCall) {
        let number = self.calls.len();
        self.by_id.insert(call.id(), number);
        self.calls.push(Some(Box::new(call)));
        self.deadline_of.push(None);
        self.touch(number);
    }

    /// Somebody called, and no call came of it.
    pub(crate) fn add_none(&mut self) {
        self.calls.push(None);
        self.deadline_of.push(None);
    }

    pub(crate) fn number_of(&self, id: CallId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn get(&self, number: usize) -> Option<&SimCall> {
        self.calls.get(number)?.as_deref()
    }

    /// To change it; its deadline is looked at again.
    pub(crate) fn get_mut(&mut self, number: usize) -> Option<&mut SimCall> {
        self.touch(number);
        self.calls.get_mut(number)?.as_deref_mut()
    }

    fn touch(&mut self, number: usize) {
        if let Err(place) = self.touched.binary_search(&number) {
            self.touched.insert(place, number);
        }
    }

    /// The next call that something may have happened to.
    pub(crate) fn take_touched(&mut self) -> Option<usize> {
        (!self.touched.is_empty()).then(|| self.touched.remove(0))
    }

    /// Looks at a call's deadline; forgets the call where it is over. True where that was now.
    pub(crate) fn look_at(&mut self, number: usize) -> bool {
        let Some(call) = self.calls.get_mut(number).and_then(Option::as_mut) else { return false };
        self.steps_max = self.steps_max.max(call.steps);
        if call.is_over() {
            self.by_id.remove(&call.id());
            self.calls[number] = None;
            self.is_due(number, None);
            return true;
        }
        let deadline = call.machine.deadline();
        self.is_due(number, deadline);
        false
    }

    fn is_due(&mut self, number: usize, deadline: Option<Timestamp>) {
        let Some(known) = self.deadline_of.get_mut(number).filter(|known| **known != deadline) else { return };
        if let Some(before) = std::mem::replace(known, deadline) {
            self.deadlines.remove(&(before, number));
        }
        self.deadlines.extend(deadline.map(|at| (at, number)));
    }

    /// Nothing more is to be done for it now, unless there was.
    pub(crate) fn untouched(&mut self, number: usize, busy: bool) {
        if !busy && let Ok(place) = self.touched.binary_search(&number) {
            self.touched.remove(place);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Whose deadline has come, in the order in which they came.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<usize> {
        let mut due: Vec<usize> = self.deadlines.range(..=(now, usize::MAX)).map(|(_, number)| *number).collect();
        due.sort_unstable();
        due
    }

    /// Those that are not over.
    pub(crate) fn live(&self) -> Vec<usize> {
        self.by_id.values().copied().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Calls that are not over.
    pub(crate) fn count(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The call with the most steps.
    pub(crate) const fn steps_max(&self) -> u32 {
        self.steps_max
    }

    /// The engine is gone, and this call with it.
    pub(crate) fn lose(&mut self, number: usize) {
        self.is_due(number, None);
        if let Some(call) = self.calls.get_mut(number).and_then(Option::take) {
            self.by_id.remove(&call.id());
        }
    }
}
