//! Round after round: what adds up in a call shows only in a long one. A script that counts in secret, keeps what it was told,
//! or makes more host calls at every turn is well for three rounds, and not for thirty.

use super::graph::{Graph, State, StateNo, To};
use super::place::flow_key;
use crate::decide::{AskedBy, Decision, Moment};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// States that are looked at for one way back.
const LOOKED_AT_MAX: usize = 2_000;
/// Questions from which a way back is looked for: the nearest.
const QUESTIONS_MAX: usize = 500;

/// For each question that can be come back to, the shortest round through it, gone until a call has so many decisions.
pub(super) fn rounds(graph: &Graph, depth_max: usize) -> Vec<Vec<Decision>> {
    let by_script = |moment: &Moment| matches!(moment, Moment::Asked(question) if question.by != AskedBy::Host);
    let states = graph.states.iter().enumerate();
    let mut questions: Vec<(StateNo, &State)> = states.filter(|(_, state)| by_script(&state.place.moment)).collect();
    questions.sort_by_key(|(_, state)| state.way.len());
    let mut shortest: BTreeMap<u64, (&State, Vec<Decision>)> = BTreeMap::new();
    for (number, state) in questions.into_iter().take(QUESTIONS_MAX) {
        let place = flow_key(&state.place.moment);
        let known = shortest.get(&place).map_or(usize::MAX, |(_, round)| round.len());
        if let Some(round) = way_back(graph, number).filter(|round| round.len() < known) {
            shortest.insert(place, (state, round));
        }
    }
    let whole = |(state, round): &(&State, Vec<Decision>)| {
        let rounds = round.iter().cycle().take(depth_max.saturating_sub(state.way.len()));
        state.way.iter().chain(rounds).cloned().collect()
    };
    shortest.values().map(whole).collect()
}

/// The fewest decisions from a state to itself.
fn way_back(graph: &Graph, from: StateNo) -> Option<Vec<Decision>> {
    let mut before: HashMap<StateNo, (StateNo, usize)> = HashMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(state) = open.pop_front() {
        let known = &graph.states[state];
        for (input, lead) in known.leads.iter().enumerate() {
            let Some(To::State(to)) = *lead else { continue };
            if known.inputs[input] == Decision::HangUp || before.contains_key(&to) {
                continue;
            }
            before.insert(to, (state, input));
            if to == from {
                return Some(decisions(graph, &before, from));
            }
            if before.len() > LOOKED_AT_MAX {
                return None;
            }
            open.push_back(to);
        }
    }
    None
}

fn decisions(graph: &Graph, before: &HashMap<StateNo, (StateNo, usize)>, from: StateNo) -> Vec<Decision> {
    let mut round = Vec::new();
    let mut at = from;
    while let Some((state, input)) = before.get(&at) {
        round.push(graph.states[*state].inputs[*input].clone());
        at = *state;
        if at == from {
            break;
        }
    }
    round.reverse();
    round
}
