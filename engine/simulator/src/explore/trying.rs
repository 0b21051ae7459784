//! The way to a finding is tried before it is told, and fewer decisions that show the same are looked for.

use super::graph::{Graph, To};
use super::judge::{Decided, Wrong, wrongs};
use super::place::{flow_key, step_of};
use super::report::FindingKind;
use super::search::Suspect;
use super::shortest::{Ways, in_words};
use super::walk::{entered_in_secret, is_hosts};
use crate::decide::{ByList, Decider, Decision, Decisions, Moment, SharedDecider};
use crate::report::{Line, Report};
use crate::world::World;
use parking_lot::Mutex;
use std::sync::Arc;

/// Tries for one finding with fewer decisions.
const FEWER_TRIES_MAX: u32 = 32;
/// Places of the kind of which that is tried.
const OTHER_PLACES_MAX: usize = 12;
/// What a line begins with that says that the script has failed.
const SCRIPT_FAILED: &str = "script: ";

/// The shortest way on which it was seen to show, and what is heard on it.
pub(super) fn way_to(
    suspect: &Suspect,
    graph: &Graph,
    ways: &Ways,
    world: &dyn Fn() -> World,
) -> (Decisions, Vec<String>) {
    let (state, input) = suspect.last.unwrap_or((0, usize::MAX));
    let there = graph.states.get(state);
    let last = there.and_then(|there| there.inputs.get(input));
    let shortest = match (there, last) {
        _ if is_of_its_way(suspect.wrong.kind) => None,
        (Some(_), Some(_)) => Some(ways.tokens(graph, state, input)),
        (Some(_), None) => Some(ways.tokens_to(graph, state)),
        (None, _) => None,
    };
    let own = suspect.words.clone().unwrap_or_else(|| own_way(graph, &suspect.way));
    // The graph's way may lead around a place that was split.
    let shortest = shortest.filter(|keys| suspect.words.is_none() || keys.0.len() < own.0.len());
    let wanted = there.map(|there| flow_key(&there.place.moment));
    let tried = |keys: &Decisions, wanted| {
        let journey = travel(world(), keys)?;
        journey.confirms(&suspect.wrong, wanted).then(|| journey.heard())
    };
    let confirmed = shortest.and_then(|keys| tried(&keys, wanted).map(|heard| (keys, heard)));
    let way = confirmed.unwrap_or_else(|| {
        let heard = tried(&own, None).unwrap_or_default();
        (own, heard)
    });
    fewer(way, (suspect, last), graph, ways, world)
}

/// What was entered on the way makes it what it is: another way there shows nothing.
const fn is_of_its_way(kind: FindingKind) -> bool {
    matches!(kind, FindingKind::SensitiveSpoken | FindingKind::SensitiveLogged)
}

/// A way as it was gone, in words: the moments are those of the states on it.
fn own_way(graph: &Graph, way: &[Decision]) -> Decisions {
    let mut path = Vec::new();
    let mut state = 0;
    for decision in way {
        let Some(known) = graph.states.get(state) else { break };
        path.push((&known.place.moment, decision));
        let input = known.inputs.iter().position(|input| input == decision);
        match input.and_then(|input| known.leads[input]) {
            Some(To::State(to)) => state = to,
            _ => break,
        }
    }
    in_words(&path)
}

/// Fewer decisions that show the same, each tried: the same thing done at another place of the kind, then one decision after
/// the other left out. What a single call does not show stays as it is.
fn fewer(
    (mut keys, mut heard): (Decisions, Vec<String>),
    (suspect, last): (&Suspect, Option<&Decision>),
    graph: &Graph,
    ways: &Ways,
    world: &dyn Fn() -> World,
) -> (Decisions, Vec<String>) {
    let mut tries = 0;
    let mut shows = |keys: &Decisions| {
        tries += 1;
        let journey = (tries <= FEWER_TRIES_MAX).then(|| travel(world(), keys)).flatten()?;
        journey.shows(&suspect.wrong).then(|| journey.heard())
    };
    if shows(&keys).is_none() {
        return (keys, heard);
    }
    if let Some(last) = last.or(keys.0.last()).cloned() {
        let step = suspect.last.and_then(|(state, _)| step_of(&graph.states.get(state)?.place.moment));
        let alike = |moment: &Moment| last.fits(moment) && (step.is_none() || step_of(moment) == step);
        let others = ways.order().iter().filter(|state| alike(&graph.states[**state].place.moment));
        let ways_there = others.map(|state| ways.tokens_with(graph, *state, &last));
        let mut shorter: Vec<_> = ways_there.filter(|other| other.0.len() < keys.0.len()).collect();
        shorter.sort_by_key(|other| other.0.len());
        let found = shorter.into_iter().take(OTHER_PLACES_MAX).find_map(|other| Some((shows(&other)?, other)));
        if let Some((lines, other)) = found {
            (keys, heard) = (other, lines);
        }
    }
    for at in (0..keys.0.len()).rev() {
        let mut without = keys.clone();
        without.0.remove(at);
        if let Some(lines) = shows(&without) {
            (keys, heard) = (without, lines);
        }
    }
    (keys, heard)
}

/// What came of going a way.
struct Journey {
    /// The script's moments, as a walk has them.
    seen: Vec<(Moment, Decision)>,
    report: Report,
}

/// Goes that way in a world as anybody would who replays it; none where the call was over before the decisions were.
fn travel(world: World, keys: &Decisions) -> Option<Journey> {
    let traveller = Arc::new(Mutex::new(Traveller::new(keys)));
    let report = world.decided_by(Arc::clone(&traveller) as SharedDecider).run();
    let mut traveller = traveller.lock();
    let seen = std::mem::take(&mut traveller.seen);
    traveller.list.is_over().then_some(Journey { seen, report })
}

impl Journey {
    /// This call alone shows it.
    fn shows(&self, wrong: &Wrong) -> bool {
        let path: Vec<Decided<'_>> = self.seen.iter().map(|(moment, decision)| (moment, decision)).collect();
        let secrets: Vec<String> =
            path.iter().filter_map(|(moment, decision)| entered_in_secret(moment, decision)).collect();
        let found = wrongs(&self.report, &path, &secrets);
        found.iter().any(|found| found.kind == wrong.kind && same_words(&found.what, &wrong.what))
    }

    /// Nothing in this call speaks against it: it leads where it should, and what single calls show is shown by this one too.
    fn confirms(&self, wrong: &Wrong, wanted: Option<u64>) -> bool {
        let there = wanted.is_none_or(|wanted| self.seen.iter().any(|(moment, _)| flow_key(moment) == wanted));
        there && (!is_of_single_calls(wrong.kind) || self.shows(wrong))
    }

    /// What is heard and done until the script is out of it.
    fn heard(&self) -> Vec<String> {
        let lines = &self.report.lines;
        let failed = lines.iter().position(|line| line.text.starts_with(SCRIPT_FAILED));
        let end = failed.map_or(lines.len(), |place| place + 1);
        lines[..end].iter().filter(|line| line.call == 0).map(|line| line.text.clone()).collect()
    }
}

const fn is_of_single_calls(kind: FindingKind) -> bool {
    matches!(
        kind,
        FindingKind::Trap
            | FindingKind::Cpu
            | FindingKind::Memory
            | FindingKind::Quota
            | FindingKind::Timeout
            | FindingKind::ReturnedError
            | FindingKind::UnhandledBackEndError
            | FindingKind::UnhandledTransferOutcome
            | FindingKind::UnhandledStoreError
            | FindingKind::ReturnedWithoutServing
            | FindingKind::IgnoresHangUp
    )
}

/// The first words: what follows may have numbers in it.
fn same_words(one: &str, other: &str) -> bool {
    const WORDS: usize = 5;
    one.split_whitespace().take(WORDS).eq(other.split_whitespace().take(WORDS))
}

/// Goes by a list, and remembers what a walk would: a call is judged by the same moments whoever goes through it.
struct Traveller {
    list: ByList,
    seen: Vec<(Moment, Decision)>,
    has_left: bool,
    script_failed: bool,
}

impl Traveller {
    fn new(keys: &Decisions) -> Self {
        Self { list: ByList::new(keys.clone()), seen: Vec::new(), has_left: false, script_failed: false }
    }
}

impl Decider for Traveller {
    fn decide(&mut self, moment: &Moment) -> Decision {
        // Nobody decides any more, and the script is out of it: this is how the host lands its caller.
        let is_landing = self.script_failed && self.list.is_over();
        let decision = self.list.decide(moment);
        if !(self.has_left || is_landing || is_hosts(moment)) {
            self.has_left = decision == Decision::HangUp;
            self.seen.push((moment.clone(), decision.clone()));
        }
        decision
    }

    fn line(&mut self, line: &Line) {
        self.script_failed |= line.call == 0 && line.text.starts_with(SCRIPT_FAILED);
        self.list.line(line);
    }
}
