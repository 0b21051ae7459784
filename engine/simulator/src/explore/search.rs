//! Call after call, until nothing is left to try or a bound is reached.

use super::Watch;
use super::graph::{End, Graph, Probe, StateNo};
use super::judge::{Decided, Wrong, end_of, wrongs};
use super::report::FindingKind;
use super::rounds::rounds;
use super::settings::{ExploreSettings, Progress};
use super::shortest::in_words;
use super::walk::{Walk, Walker};
use crate::decide::{Decision, Decisions, SharedDecider};
use crate::report::Report;
use crate::world::World;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Calls between two words to whoever watches, and two looks at the time.
const LOOK_EVERY: u64 = 256;

/// What was found wrong in calls, before it is known by which way it is reached soonest.
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    pub(super) wrong: Wrong,
    /// Where the call ended.
    pub(super) last: Option<(StateNo, usize)>,
    /// The way of the call in which it was found.
    pub(super) way: Vec<Decision>,
    /// The same in words; none where the whole dialog shows it, and no single call.
    pub(super) words: Option<Decisions>,
}

/// What calls took, at most.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) cpu: Duration,
    pub(super) memory_bytes: usize,
    pub(super) host_calls: u32,
}

/// What came of it.
pub(super) struct Searched {
    pub(super) graph: Graph,
    pub(super) suspects: Vec<Suspect>,
    pub(super) usage: Usage,
    pub(super) paths: u64,
    pub(super) took: Duration,
    pub(super) too_deep: u64,
    pub(super) too_many: u64,
    pub(super) requests: u64,
    /// Decisions that were not tried, because a bound ended it all; and which.
    pub(super) cut_short: Option<(&'static str, u64)>,
    /// States that were not met again by the way that had led to them.
    pub(super) unstable: u64,
    pub(super) steps: std::collections::BTreeSet<Arc<str>>,
}

/// Searches one world, with so many calls and so much time at most.
pub(super) fn search(
    world: World,
    settings: &Arc<ExploreSettings>,
    (paths_max, time_max): (u64, Duration),
    watch: &mut Watch<'_>,
) -> Searched {
    let world = world.for_many_runs();
    let walker = Arc::new(Mutex::new(Walker::new(Arc::clone(settings))));
    let mut search = Search {
        world,
        walker,
        again: VecDeque::new(),
        suspects: BTreeMap::new(),
        usage: Usage::default(),
        paths: 0,
        unstable: 0,
        steps: std::collections::BTreeSet::new(),
    };
    let began = Instant::now();
    search.call(Walk::new(Vec::new(), None));
    let cut = loop {
        if search.paths >= paths_max {
            break Some("paths_max");
        }
        if search.paths.is_multiple_of(LOOK_EVERY) {
            if began.elapsed() >= time_max {
                break Some("time_max_ms");
            }
            if watch(&search.progress(began.elapsed())) == ControlFlow::Break(()) {
                break Some("stopped");
            }
        }
        if !search.step() {
            break None;
        }
    };
    if cut.is_none() {
        let depth_max = settings.bounds.depth_max as usize;
        let ways = rounds(&search.walker.lock().graph, depth_max);
        for way in ways {
            search.call(Walk::round(way));
        }
    }
    let took = began.elapsed();
    search.finish(took, cut)
}

struct Search {
    world: World,
    walker: Arc<Mutex<Walker>>,
    /// What is looked at once more now.
    again: VecDeque<(Arc<Probe>, usize)>,
    suspects: BTreeMap<(FindingKind, String), Suspect>,
    usage: Usage,
    paths: u64,
    unstable: u64,
    steps: std::collections::BTreeSet<Arc<str>>,
}

impl Search {
    /// One more call, or one more way to look at something once more; false where neither is left.
    fn step(&mut self) -> bool {
        if let Some((probe, input)) = self.again.pop_front() {
            let Some(decision) = self.walker.lock().graph.states[probe.state].inputs.get(input).cloned() else {
                return true;
            };
            let way = probe.way.iter().cloned().chain([decision]).collect();
            self.call(Walk::new(way, Some((probe.state, input))));
            return true;
        }
        let mut walker = self.walker.lock();
        let Some((depth, state)) = walker.open.first().copied() else {
            let probe = walker.probes.pop_front();
            drop(walker);
            return probe.is_some_and(|probe| self.look_again(probe));
        };
        if !walker.graph.is_open(state) {
            walker.open.remove(&(depth, state));
            return true;
        }
        let way = walker.graph.states[state].way.clone();
        let left = walker.graph.untried(state);
        drop(walker);
        self.call(Walk::new(way, None));
        let mut walker = self.walker.lock();
        if walker.graph.is_open(state) && walker.graph.untried(state) == left {
            self.unstable += 1;
            walker.open.remove(&(depth, state));
        }
        true
    }

    /// All inputs of a state by another way in. Whoever hangs up does so everywhere alike.
    fn look_again(&mut self, probe: Probe) -> bool {
        let walker = self.walker.lock();
        let state = &walker.graph.states[probe.state];
        let tried = state.inputs.iter().zip(&state.leads).enumerate();
        let tried = tried.filter(|(_, (input, lead))| lead.is_some() && **input != Decision::HangUp);
        let probe = Arc::new(probe);
        self.again.extend(tried.map(|(input, _)| (Arc::clone(&probe), input)));
        true
    }

    /// A whole call, from its answer to its end.
    fn call(&mut self, walk: Walk) {
        self.walker.lock().walk = walk;
        let report = self.world.clone().decided_by(Arc::clone(&self.walker) as SharedDecider).run();
        self.paths += 1;
        for run in &report.runs {
            self.usage.cpu = self.usage.cpu.max(run.cpu);
            self.usage.memory_bytes = self.usage.memory_bytes.max(run.memory_bytes_max);
            self.usage.host_calls = self.usage.host_calls.max(run.host_calls);
        }
        for step in &report.named {
            if !self.steps.contains(&step.name) {
                self.steps.insert(Arc::clone(&step.name));
            }
        }
        self.judge(&report);
    }

    fn judge(&mut self, report: &Report) {
        let mut walker = self.walker.lock();
        let (end, wrongs, words) = {
            let states = &walker.graph.states;
            let decided = |(state, input): &(StateNo, usize)| {
                let state = &states[*state];
                (&state.place.moment, &state.inputs[*input])
            };
            let hang_up = Decision::HangUp;
            let mut path: Vec<Decided<'_>> = walker.walk.path.iter().map(decided).collect();
            if walker.walk.closing
                && let Some((moment, _)) = path.last().copied()
            {
                path.push((moment, &hang_up));
            }
            (end_of(report, &path), wrongs(report, &path, &walker.walk.secrets), in_words(&path))
        };
        walker.ends(end);
        let last = walker.walk.path.last().copied();
        for wrong in wrongs {
            let place = last.map_or(0, |(state, _)| super::place::flow_key(&walker.graph.states[state].place.moment));
            // What was entered in secret is one fault wherever the call went afterwards.
            let place = if wrong.kind == FindingKind::SensitiveLogged { 0 } else { place };
            let key = (wrong.kind, format!("{place:x} {}", wrong.what));
            let better = self.suspects.get(&key).is_none_or(|known| known.way.len() > walker.walk.path.len());
            if better {
                let way = walker.way();
                self.suspects.insert(key, Suspect { wrong, last, way, words: Some(words.clone()) });
            }
        }
        if walker.walk.contradicted
            && let Some((state, _)) = walker.walk.probe
        {
            for again in walker.graph.split(state) {
                walker.opens(again);
            }
        }
    }

    /// Decisions that are known and wait to be tried, or to be tried once more.
    fn left(&self, walker: &Walker) -> u64 {
        let open: u64 = walker.open.iter().map(|(_, state)| walker.graph.untried(*state)).sum();
        let inputs = |probe: &Probe| walker.graph.states[probe.state].inputs.len() as u64;
        open + self.again.len() as u64 + walker.probes.iter().map(inputs).sum::<u64>()
    }

    fn progress(&self, took: Duration) -> Progress {
        let walker = self.walker.lock();
        let states = walker.graph.states.len() as u64;
        Progress { paths: self.paths, states, open: self.left(&walker), took }
    }

    fn finish(self, took: Duration, cut: Option<&'static str>) -> Searched {
        let mut walker = self.walker.lock();
        let left = self.left(&walker);
        let mut suspects: Vec<Suspect> = self.suspects.into_values().collect();
        for (way, state) in std::mem::take(&mut walker.spoken_secrets) {
            let known = suspects.iter_mut().find(|one| one.wrong.kind == FindingKind::SensitiveSpoken);
            match known {
                Some(known) if known.way.len() <= way.len() => {}
                Some(known) => (known.way, known.last) = (way, Some((state, 0))),
                None => {
                    let what =
                        "what was entered at a sensitive question is said aloud: others in the room hear it".into();
                    let wrong = Wrong { kind: FindingKind::SensitiveSpoken, what };
                    suspects.push(Suspect { wrong, last: Some((state, 0)), way, words: None });
                }
            }
        }
        Searched {
            cut_short: cut.map(|bound| (bound, left)),
            graph: std::mem::take(&mut walker.graph),
            suspects,
            usage: self.usage,
            paths: self.paths,
            took,
            too_deep: walker.too_deep,
            too_many: walker.too_many,
            requests: walker.requests,
            unstable: self.unstable,
            steps: self.steps,
        }
    }
}

/// Whether a call ended that way.
pub(super) const fn is_end_of_script(end: &End) -> bool {
    !matches!(end, End::CallerLeft)
}
