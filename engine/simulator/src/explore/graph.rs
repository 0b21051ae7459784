//! What is known of a dialog: its states, and where each decision leads.

use super::place::Place;
use crate::decide::{Decision, Moment};
use std::collections::{HashMap, HashSet};

/// A state's number, in the order in which they were met.
pub(super) type StateNo = usize;

/// Ways into a state beside the first that are looked into: whether it is the same whichever way one comes.
const PROBES_MAX: u8 = 2;

/// All that is known.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) states: Vec<State>,
    by_key: HashMap<Key, StateNo>,
    /// Places that turned out not to be the same whichever way one comes: the state before counts.
    split: HashSet<u64>,
    pub(super) ends: Vec<End>,
    pub(super) splits: u64,
    pub(super) probes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    place: u64,
    /// How often it was met on the way, up to a limit.
    visit: u8,
    before: Option<StateNo>,
}

/// A place, as it was met so often on some way.
pub(super) struct State {
    pub(super) place: Place,
    /// In the order in which they are tried.
    pub(super) inputs: Vec<Decision>,
    /// Where each leads; none where it was not tried.
    pub(super) leads: Vec<Option<To>>,
    next: usize,
    /// The first way there.
    pub(super) way: Vec<Decision>,
    /// From which states, by which input.
    pub(super) from: Vec<(StateNo, usize)>,
    probed: u8,
}

/// Where a decision leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum To {
    State(StateNo),
    End(usize),
}

/// How a call ended, as far as its script is concerned.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum End {
    /// The script let go of its caller, saying that of it.
    Returned(String),
    /// Another script has the caller.
    HandedOver(String),
    /// The caller hung up, and the script ended.
    CallerLeft,
    /// It failed: in what way.
    Failed(String),
}

/// Another way into a state, by which each of its inputs is to be tried once more.
pub(super) struct Probe {
    pub(super) state: StateNo,
    pub(super) way: Vec<Decision>,
}

/// What makes a state of a place that was not known.
pub(super) struct New {
    pub(super) moment: Moment,
    pub(super) inputs: Vec<Decision>,
    pub(super) way: Vec<Decision>,
}

/// What came of meeting a place.
pub(super) struct Met {
    pub(super) state: StateNo,
    pub(super) is_new: bool,
    /// It was met before, from elsewhere, and is to be looked at from here too.
    pub(super) to_probe: bool,
}

impl Graph {
    /// A place is met, for the so-manieth time, from a state by an input.
    pub(super) fn meets(
        &mut self,
        (place, visit): (u64, u8),
        from: Option<(StateNo, usize)>,
        make: impl FnOnce(&Self) -> New,
    ) -> Met {
        let before = if self.split.contains(&place) { from.map(|(state, _)| state) } else { None };
        let key = Key { place, visit, before };
        if let Some(state) = self.by_key.get(&key).copied() {
            let new_way = self.arrives(state, from);
            let known = &mut self.states[state];
            let to_probe = new_way && known.probed < PROBES_MAX;
            known.probed += u8::from(to_probe);
            return Met { state, is_new: false, to_probe };
        }
        let New { moment, inputs, way } = make(self);
        let state = self.states.len();
        let leads = vec![None; inputs.len()];
        let place = Place { key: place, moment };
        self.states.push(State { place, inputs, leads, next: 0, way, from: Vec::new(), probed: 0 });
        self.by_key.insert(key, state);
        self.arrives(state, from);
        Met { state, is_new: true, to_probe: false }
    }

    fn arrives(&mut self, state: StateNo, from: Option<(StateNo, usize)>) -> bool {
        let Some((before, input)) = from else { return false };
        self.states[before].leads[input] = Some(To::State(state));
        let ways = &mut self.states[state].from;
        let new = !ways.contains(&(before, input));
        if new {
            ways.push((before, input));
        }
        new
    }

    /// The call is over.
    pub(super) fn ends(&mut self, end: End, from: (StateNo, usize)) -> usize {
        let number = self.ends.iter().position(|known| *known == end).unwrap_or_else(|| {
            self.ends.push(end);
            self.ends.len() - 1
        });
        self.states[from.0].leads[from.1] = Some(To::End(number));
        number
    }

    /// The next input that was not tried.
    pub(super) fn next_input(&mut self, state: StateNo) -> Option<usize> {
        let known = &mut self.states[state];
        while known.next < known.inputs.len() {
            let input = known.next;
            known.next += 1;
            if known.leads[input].is_none() {
                return Some(input);
            }
        }
        None
    }

    pub(super) fn is_open(&self, state: StateNo) -> bool {
        let known = &self.states[state];
        known.leads.iter().skip(known.next).any(Option::is_none)
    }

    /// Inputs that were not tried.
    pub(super) fn untried(&self, state: StateNo) -> u64 {
        self.states[state].leads.iter().filter(|lead| lead.is_none()).count() as u64
    }

    /// The same place answered otherwise when it was reached from elsewhere: from now on the way counts. The states that
    /// led there and are to be tried again.
    pub(super) fn split(&mut self, state: StateNo) -> Vec<StateNo> {
        let place = self.states[state].place.key;
        if !self.split.insert(place) {
            return Vec::new();
        }
        self.splits += 1;
        let mut again = Vec::new();
        let visits: Vec<(Key, StateNo)> =
            self.by_key.iter().filter(|(key, _)| key.place == place).map(|(key, state)| (*key, *state)).collect();
        let mut visits = visits;
        visits.sort_by_key(|(_, state)| *state);
        for (key, merged) in visits {
            let ways = std::mem::take(&mut self.states[merged].from);
            // The first way keeps the state; the others find their own.
            for (nth, (before, input)) in ways.iter().copied().enumerate() {
                if nth == 0 {
                    self.by_key.insert(Key { before: Some(before), ..key }, merged);
                    self.states[merged].from.push((before, input));
                } else {
                    self.states[before].leads[input] = None;
                    self.states[before].next = self.states[before].next.min(input);
                    again.push(before);
                }
            }
        }
        again
    }
}
