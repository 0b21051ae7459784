//! The shortest way to each place, over all that is known, and the words for it.

use super::graph::{Graph, StateNo, To};
use crate::decide::{Decision, Decisions, Moment};
use std::collections::VecDeque;

/// Shortest ways from the beginning: first by what the caller does and what goes wrong, then by moments.
pub(super) struct Ways {
    before: Vec<Option<(StateNo, usize)>>,
    reached: Vec<bool>,
    order: Vec<StateNo>,
}

impl Ways {
    pub(super) fn of(graph: &Graph) -> Self {
        let count = graph.states.len();
        let mut ways = Self { before: vec![None; count], reached: vec![false; count], order: Vec::new() };
        if count == 0 {
            return ways;
        }
        // What costs nothing (going on) is looked at before what costs a decision.
        let mut cost = vec![u32::MAX; count];
        let mut open = VecDeque::from([0]);
        cost[0] = 0;
        while let Some(state) = open.pop_front() {
            if std::mem::replace(&mut ways.reached[state], true) {
                continue;
            }
            ways.order.push(state);
            let known = &graph.states[state];
            for (input, lead) in known.leads.iter().enumerate() {
                let Some(To::State(to)) = lead else { continue };
                let free = known.inputs[input] == Decision::GoOn;
                let there = cost[state] + u32::from(!free);
                if there < cost[*to] {
                    cost[*to] = there;
                    ways.before[*to] = Some((state, input));
                    if free { open.push_front(*to) } else { open.push_back(*to) }
                }
            }
        }
        ways
    }

    /// States in the order in which they are reached.
    pub(super) fn order(&self) -> &[StateNo] {
        &self.order
    }

    pub(super) fn reaches(&self, state: StateNo) -> bool {
        self.reached[state]
    }

    /// From state to state by inputs, from the beginning.
    fn path_to(&self, state: StateNo) -> Vec<(StateNo, usize)> {
        let mut path = Vec::new();
        let mut at = state;
        while let Some((before, input)) = self.before[at] {
            path.push((before, input));
            at = before;
            if path.len() > self.before.len() {
                break;
            }
        }
        path.reverse();
        path
    }

    pub(super) fn tokens_to(&self, graph: &Graph, state: StateNo) -> Decisions {
        in_words(&self.moments(graph, &self.path_to(state)))
    }

    /// With that input there.
    pub(super) fn tokens(&self, graph: &Graph, state: StateNo, input: usize) -> Decisions {
        let mut path = self.path_to(state);
        path.push((state, input));
        in_words(&self.moments(graph, &path))
    }

    /// With that decision there, whether it was tried there or not.
    pub(super) fn tokens_with(&self, graph: &Graph, state: StateNo, decision: &Decision) -> Decisions {
        let path = self.path_to(state);
        let mut moments = self.moments(graph, &path);
        moments.push((&graph.states[state].place.moment, decision));
        in_words(&moments)
    }

    #[expect(clippy::unused_self, reason = "it belongs to the ways")]
    fn moments<'a>(&self, graph: &'a Graph, path: &[(StateNo, usize)]) -> Vec<(&'a Moment, &'a Decision)> {
        let decided = |(state, input): &(StateNo, usize)| {
            let state = &graph.states[*state];
            (&state.place.moment, &state.inputs[*input])
        };
        path.iter().map(decided).collect()
    }
}

/// The decisions of a way, without those that need not be said: going on is the usual.
pub(super) fn in_words(path: &[(&Moment, &Decision)]) -> Decisions {
    let mut words = Vec::new();
    // Moments since the last word at which the usual was done.
    let mut passed: Vec<&Moment> = Vec::new();
    for (moment, decision) in path {
        if **decision == Decision::GoOn {
            passed.push(moment);
            continue;
        }
        // A word is taken by the first moment that it is for: those before it are passed by word too.
        let last = passed.iter().rposition(|before| decision.fits(before));
        words.extend(std::iter::repeat_n(Decision::GoOn, last.map_or(0, |last| last + 1)));
        words.push((*decision).clone());
        passed.clear();
    }
    Decisions(words)
}
