//! Callbacks: promised once durable, in one place each, dialled once a claim, never again by themselves once unknown.

use super::{Contract, Kept, Promise, broken, promise};
use crate::centre::callback::{Callback, CallbackStart, CallbackState};
use crate::centre::face::SaveId;
use crate::centre::machine::CentreMachine;
use crate::ids::{CallId, CallbackId};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

impl Contract {
    /// Each callback is in one place.
    pub(super) fn callbacks_settled(&self, machine: &CentreMachine, now: Timestamp) -> Kept {
        let mut in_line: BTreeMap<CallbackId, usize> = BTreeMap::new();
        for waiting in machine.queues(now).flat_map(|queue| queue.waiting) {
            if let Some(id) = waiting.callback {
                *in_line.entry(id).or_default() += 1;
            }
        }
        for callback in machine.callbacks() {
            let id = &callback.id;
            let count = in_line.remove(id).unwrap_or(0);
            let begun = self.callbacks.get(id).is_some_and(|known| known.begun.is_some());
            let fits = match callback.state {
                CallbackState::Waiting { not_before } => {
                    // Where its queue is gone, it stands in a line that nobody shows.
                    let shown = self.settings.queues.contains_key(&callback.wish.queue);
                    let stands = usize::from(!begun && not_before <= now && shown);
                    count == stands || (count <= 1 && !begun && machine.deadline().is_some_and(|at| at <= now))
                }
                CallbackState::Claimed => begun && count == 0,
                CallbackState::Connected { .. } => count == 0,
                CallbackState::Unknown { .. } | CallbackState::GivenUp { .. } => !begun && count == 0,
            };
            promise(fits, || format!("{id:?} is {:?}, begun: {begun}, {count} times in the line", callback.state))?;
        }
        promise(in_line.is_empty(), || format!("{in_line:?} stand in the line, and are unknown"))
    }

    pub(super) fn start(&mut self, start: &CallbackStart, now: Timestamp) -> Kept {
        let id = &start.callback;
        let Some(known) = self.callbacks.get_mut(id).filter(|known| known.durable.is_some()) else {
            return broken(format!("{id:?} is begun, and was never promised"));
        };
        promise(known.begun.is_none(), || format!("{id:?} is begun, and {:?} is under way", known.begun))?;
        let waits = matches!(known.last.state, CallbackState::Waiting { .. });
        promise(waits, || format!("{id:?} is begun by itself, and is {:?}", known.last.state))?;
        promise(known.last.earliest <= now, || format!("{id:?} is begun too soon"))?;
        known.begun = Some(start.call);
        let wish = &known.last.wish;
        let queue = self.settings.queues.get(&wish.queue);
        let may = queue.filter(|queue| queue.calendar.is_open(now)).and_then(|queue| queue.callback.as_ref());
        let number = start.target.address.reveal();
        let dialable = may.is_some_and(|rules| {
            let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| number.starts_with(prefix));
            begins(&rules.dialable) && !begins(&rules.barred)
        });
        promise(dialable, || format!("{id:?} is begun at night, or for a number that may not be dialled"))?;
        match &start.operator {
            Some(offer) => {
                let queue = wish.queue.clone();
                self.ring(start.call, &queue, offer)
            }
            None => Ok(()),
        }
    }

    pub(super) fn save(&mut self, save: SaveId, callback: &Callback) -> Kept {
        let known = self.callbacks.entry(callback.id.clone()).or_insert_with(|| Promise {
            last: callback.clone(),
            durable: None,
            begun: None,
            claims_granted: BTreeSet::new(),
            escalated: false,
        });
        let was_connected = matches!(known.last.state, CallbackState::Connected { .. });
        let is_connected = matches!(callback.state, CallbackState::Connected { .. });
        promise(!was_connected || is_connected, || format!("{:?} was connected, and is owed again", callback.id))?;
        known.last = callback.clone();
        let new = self.saves.insert(save, callback.clone()).is_none();
        promise(new, || format!("{save:?} twice"))
    }

    pub(super) fn granted(&mut self, call: CallId) -> Kept {
        promise(!self.over.contains(&call), || format!("{call} is over, and is granted a claim"))?;
        let known = self.callbacks.iter_mut().find(|(_, known)| known.begun == Some(call));
        let Some((id, known)) = known else { return broken(format!("{call} is granted a claim on nothing")) };
        let durable = known.durable.as_ref().and_then(|durable| durable.attempts.last());
        promise(durable.is_some_and(|attempt| attempt.call == call && attempt.outcome.is_none()), || {
            format!("{call} is granted {id:?} before that was written down")
        })?;
        promise(known.claims_granted.insert(call), || format!("{call} is granted {id:?} twice"))
    }
}
