//! What was found is put into words: each finding once, with the shortest way there, tried before it is told.

use super::Watch;
use super::checks::check;
use super::flow::{flow, node_name};
use super::graph::Graph;
use super::judge::{Decided, wrongs};
use super::place::flow_key;
use super::replay_command::replay_command;
use super::report::{Covered, ExploreReport, Finding, FindingKind, Flow, LeftOut, NodeKind};
use super::search::{Searched, Suspect, search};
use super::settings::{ExploreSettings, Progress};
use super::shortest::{Ways, in_words};
use super::walk::SENSITIVE_KEYS_MIN;
use crate::decide::{ByList, CallOf, Decider, Decision, Decisions, Moment, SharedDecider};
use crate::report::{Line, Report};
use crate::world::World;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// Findings that are told. One fault in a menu shows in many places.
const FINDINGS_MAX: usize = 100;

/// Gathers what comes of exploring one script, call by call.
pub(super) struct Teller {
    settings: Arc<ExploreSettings>,
    people: bool,
    calls_out: bool,
    report: ExploreReport,
    took: Duration,
    steps: BTreeSet<Arc<str>>,
    prompts: BTreeSet<u64>,
    stopped: bool,
}

impl Teller {
    pub(super) fn new(
        [script, version, agency, entry]: [String; 4],
        settings: &ExploreSettings,
        (people, calls_out): (bool, bool),
    ) -> Self {
        let report = ExploreReport {
            script,
            version,
            agency,
            entry,
            paths: 0,
            took_ms: 0,
            paths_per_second: 0.0,
            covered: Covered::default(),
            left_out: Vec::new(),
            findings: Vec::new(),
            flow: Flow::default(),
        };
        Self {
            settings: Arc::new(settings.clone()),
            people,
            calls_out,
            report,
            took: Duration::ZERO,
            steps: BTreeSet::new(),
            prompts: BTreeSet::new(),
            stopped: false,
        }
    }

    /// There is time for another call to begin with.
    pub(super) fn goes_on(&mut self, watch: &mut Watch<'_>) -> bool {
        let progress = Progress { paths: self.report.paths, took: self.took, ..Progress::default() };
        self.stopped |= watch(&progress) == ControlFlow::Break(());
        !self.stopped
    }

    /// Explores the world of one call. `about` says which it is, where there are several.
    pub(super) fn explore(
        &mut self,
        number: usize,
        (about, call): (&str, &CallOf),
        world: &dyn Fn() -> World,
        watch: &mut Watch<'_>,
    ) {
        let bounds = &self.settings.bounds;
        let paths_max = bounds.paths_max.saturating_sub(self.report.paths);
        let time_max = Duration::from_millis(bounds.time_max_ms).saturating_sub(self.took);
        let searched = search(world(), &self.settings, (paths_max, time_max), watch);
        let ways = Ways::of(&searched.graph);
        let (mut flow, names) = flow(&searched.graph, &ways);
        self.count(&searched, &flow);
        let mut suspects = searched.suspects.clone();
        suspects.extend(check(&searched.graph, &self.settings.rules, self.people, self.calls_out));
        suspects.sort_by_key(|one| (one.wrong.kind, one.way.len()));
        for suspect in suspects {
            if self.report.findings.len() >= FINDINGS_MAX {
                break;
            }
            let finding = self.finding(&suspect, &searched.graph, &ways, (about, call, &names), world);
            let known = |other: &Finding| other.kind == finding.kind && other.message == finding.message;
            if self.report.findings.iter().any(known) {
                continue;
            }
            let at = self.report.findings.len();
            if let Some(node) = flow.nodes.iter_mut().find(|node| Some(&node.id) == finding.node.as_ref()) {
                node.findings.push(at);
            }
            self.report.findings.push(finding);
        }
        self.join(number, flow);
    }

    fn count(&mut self, searched: &Searched, flow: &Flow) {
        let covered = &mut self.report.covered;
        covered.states += searched.graph.states.len() as u64;
        covered.questions += flow.nodes.iter().filter(|node| node.kind == NodeKind::Question).count() as u64;
        covered.edges +=
            searched.graph.states.iter().map(|state| state.leads.iter().flatten().count() as u64).sum::<u64>();
        covered.merges_probed += searched.graph.probes;
        covered.splits += searched.graph.splits;
        covered.requests += searched.requests;
        let cpu_us = u64::try_from(searched.usage.cpu.as_micros()).unwrap_or(u64::MAX);
        covered.cpu_us_max = covered.cpu_us_max.max(cpu_us);
        covered.memory_bytes_max = covered.memory_bytes_max.max(searched.usage.memory_bytes as u64);
        covered.host_calls_max = covered.host_calls_max.max(u64::from(searched.usage.host_calls));
        self.steps.extend(searched.steps.iter().cloned());
        for state in &searched.graph.states {
            if matches!(state.place.moment, Moment::Asked(_) | Moment::Heard(_)) {
                self.prompts.insert(flow_key(&state.place.moment));
            }
        }
        self.report.paths += searched.paths;
        self.took += searched.took;
        let bounds = self.settings.bounds;
        if let Some((bound, decisions)) = searched.cut_short {
            let max = match bound {
                "paths_max" => bounds.paths_max,
                "time_max_ms" => bounds.time_max_ms,
                _ => 0,
            };
            self.leave_out(bound, max, decisions, "decisions were known and not tried when this bound was reached");
        }
        self.leave_out(
            "depth_max",
            u64::from(bounds.depth_max),
            searched.too_deep,
            "decisions lie deeper in a call than this",
        );
        self.leave_out("states_max", u64::from(bounds.states_max), searched.too_many, "places were met beyond this");
        // After a split, what was merged wrongly is not met again, and what it was is met as itself.
        let unstable = if searched.graph.splits == 0 { searched.unstable } else { 0 };
        self.leave_out(
            "unstable",
            0,
            unstable,
            "places were not met again by the way that had led to them: the script does not do the same twice",
        );
        let met = searched.graph.states.iter().any(|state| matches!(state.place.moment, Moment::Fetches(_)));
        if met && self.settings.replies.is_empty() {
            self.leave_out(
                "replies",
                0,
                searched.requests,
                "requests were answered with failures only: no example replies were given",
            );
        }
    }

    fn leave_out(&mut self, bound: &str, max: u64, decisions: u64, what: &str) {
        if decisions == 0 {
            return;
        }
        let known = self.report.left_out.iter_mut().find(|known| known.bound == bound);
        match known {
            Some(known) => known.decisions += decisions,
            None => {
                self.report.left_out.push(LeftOut { bound: bound.into(), max, decisions, what: what.into() });
            }
        }
    }

    fn finding(
        &self,
        suspect: &Suspect,
        graph: &Graph,
        ways: &Ways,
        (about, call, names): (&str, &CallOf, &[String]),
        world: &dyn Fn() -> World,
    ) -> Finding {
        let (state, input) = suspect.last.unwrap_or((0, usize::MAX));
        let there = graph.states.get(state);
        let has_input = there.is_some_and(|there| input < there.inputs.len());
        let shortest = match there {
            Some(_) if is_of_its_way(suspect.wrong.kind) => None,
            Some(_) if has_input => Some(ways.tokens(graph, state, input)),
            Some(_) => Some(ways.tokens_to(graph, state)),
            None => None,
        };
        let own = suspect.words.clone().unwrap_or_else(|| own_way(graph, &suspect.way));
        // The graph's way may lead around a place that was split.
        let shortest = shortest.filter(|keys| suspect.words.is_none() || keys.0.len() < own.0.len());
        let wanted = there.map(|there| flow_key(&there.place.moment));
        let tried = shortest.and_then(|keys| {
            let heard = try_it(world(), &keys, &suspect.wrong.kind, &suspect.wrong.what, wanted)?;
            Some((keys, heard))
        });
        let (keys, heard) = tried.unwrap_or_else(|| {
            let heard = try_it(world(), &own, &suspect.wrong.kind, &suspect.wrong.what, None).unwrap_or_default();
            (own, heard)
        });
        let last = there.filter(|_| has_input).map(|there| &there.inputs[input]);
        let (keys, heard) = fewer((keys, heard), (suspect, last), graph, ways, world);
        let step = there.and_then(|there| step_of(&there.place.moment));
        let message = match (about, &step) {
            ("", None) => suspect.wrong.what.clone(),
            ("", Some(step)) => format!("in step {step}: {}", suspect.wrong.what),
            (about, _) => format!("{about}: {}", suspect.wrong.what),
        };
        Finding {
            kind: suspect.wrong.kind,
            replay: replay_command(&self.settings.target, &self.settings.config, call, &keys),
            keys,
            message,
            heard,
            step,
            node: node_name(names, state),
        }
    }

    /// Flows of several calls stand beside each other.
    fn join(&mut self, number: usize, mut flow: Flow) {
        if number > 0 {
            let named = |id: &mut String| *id = format!("c{}-{id}", number + 1);
            for node in &mut flow.nodes {
                named(&mut node.id);
            }
            for edge in &mut flow.edges {
                named(&mut edge.from);
                named(&mut edge.to);
            }
        }
        let known = &mut self.report.flow;
        known.start = known.start.take().or(flow.start);
        known.nodes.extend(flow.nodes);
        known.edges.extend(flow.edges);
    }

    pub(super) fn tell(mut self) -> ExploreReport {
        self.report.covered.steps = self.steps.len() as u64;
        self.report.covered.prompts = self.prompts.len() as u64;
        self.report.took_ms = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        let seconds = self.took.as_secs_f64();
        // More calls than a float counts exactly are made in no time that anybody has.
        #[expect(clippy::cast_precision_loss, reason = "said above")]
        let paths = self.report.paths as f64;
        self.report.paths_per_second = if seconds > 0.0 { (paths / seconds).round() } else { 0.0 };
        self.report
    }
}

fn step_of(moment: &Moment) -> Option<String> {
    let step = match moment {
        Moment::Asked(question) => &question.said.step,
        Moment::Heard(said) => &said.step,
        Moment::Transfers(transfer) => &transfer.step,
        Moment::Waits(wait) => &wait.step,
        Moment::Fetches(fetch) => &fetch.step,
        Moment::Stores(store) => &store.step,
        _ => return None,
    };
    step.as_ref().map(ToString::to_string)
}

/// What was entered on the way makes it what it is: another way there shows nothing.
const fn is_of_its_way(kind: FindingKind) -> bool {
    matches!(kind, FindingKind::SensitiveSpoken | FindingKind::SensitiveLogged)
}

/// Tries for one finding with fewer decisions.
const FEWER_TRIES_MAX: u32 = 32;
/// Places of the kind of which that is tried.
const OTHER_PLACES_MAX: usize = 12;

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
        (tries <= FEWER_TRIES_MAX)
            .then(|| try_strictly(world(), keys, suspect.wrong.kind, &suspect.wrong.what))
            .flatten()
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

/// A way as it was gone, in words: the moments are those of the states on it.
fn own_way(graph: &Graph, way: &[Decision]) -> Decisions {
    let mut path = Vec::new();
    let mut state = 0;
    for decision in way {
        let Some(known) = graph.states.get(state) else { break };
        path.push((&known.place.moment, decision));
        let input = known.inputs.iter().position(|input| input == decision);
        match input.and_then(|input| known.leads[input]) {
            Some(super::graph::To::State(to)) => state = to,
            _ => break,
        }
    }
    in_words(&path)
}

/// Goes that way in a world as anybody would who replays it; what was heard, where the same comes of it.
fn try_it(world: World, keys: &Decisions, kind: &FindingKind, what: &str, wanted: Option<u64>) -> Option<Vec<String>> {
    let traveller = Arc::new(Mutex::new(Traveller { list: ByList::new(keys.clone()), seen: Vec::new() }));
    let report = world.decided_by(Arc::clone(&traveller) as SharedDecider).run();
    let traveller = traveller.lock();
    let there = wanted.is_none_or(|wanted| traveller.seen.iter().any(|(moment, _)| flow_key(moment) == wanted));
    let of_call = is_of_call(*kind, what, &report, &traveller.seen);
    (there && traveller.list.is_over() && of_call).then(|| lines(&report))
}

/// The same, where that call alone shows it.
fn try_strictly(world: World, keys: &Decisions, kind: FindingKind, what: &str) -> Option<Vec<String>> {
    let traveller = Arc::new(Mutex::new(Traveller { list: ByList::new(keys.clone()), seen: Vec::new() }));
    let report = world.decided_by(Arc::clone(&traveller) as SharedDecider).run();
    let traveller = traveller.lock();
    // What comes after the last decision is how the host lands its caller.
    let last = keys.0.last().and_then(|last| traveller.seen.iter().rposition(|(_, decision)| decision == last));
    let seen = &traveller.seen[..last.map_or(traveller.seen.len(), |last| last + 1)];
    (traveller.list.is_over() && is_shown(kind, what, &report, seen)).then(|| lines(&report))
}

fn is_shown(kind: FindingKind, what: &str, report: &Report, seen: &[(Moment, Decision)]) -> bool {
    let path: Vec<Decided<'_>> = seen.iter().map(|(moment, decision)| (moment, decision)).collect();
    let secrets: Vec<String> = path.iter().filter_map(entered_in_secret).collect();
    wrongs(report, &path, &secrets).iter().any(|wrong| wrong.kind == kind && same_words(&wrong.what, what))
}

/// Keys of a sensitive question, as `walk` remembers them.
fn entered_in_secret((moment, decision): &Decided<'_>) -> Option<String> {
    match (moment, decision) {
        (Moment::Asked(question), Decision::Keys(keys)) if question.sensitive => {
            Some(keys.trim_end_matches('#').to_owned()).filter(|keys| keys.len() >= SENSITIVE_KEYS_MIN)
        }
        _ => None,
    }
}

/// What single calls show is shown by this one too.
fn is_of_call(kind: FindingKind, what: &str, report: &Report, seen: &[(Moment, Decision)]) -> bool {
    let by_calls = matches!(
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
    );
    !by_calls || is_shown(kind, what, report, seen)
}

/// The first words: what follows may have numbers in it.
fn same_words(one: &str, other: &str) -> bool {
    const WORDS: usize = 5;
    one.split_whitespace().take(WORDS).eq(other.split_whitespace().take(WORDS))
}

/// What is heard and done until the script is out of it.
fn lines(report: &Report) -> Vec<String> {
    let failed = report.lines.iter().position(|line| line.text.starts_with("script: "));
    let end = failed.map_or(report.lines.len(), |place| place + 1);
    report.lines[..end].iter().filter(|line| line.call == 0).map(|line| line.text.clone()).collect()
}

/// Goes by a list, and remembers what it met.
struct Traveller {
    list: ByList,
    seen: Vec<(Moment, Decision)>,
}

impl Decider for Traveller {
    fn decide(&mut self, moment: &Moment) -> Decision {
        let decision = self.list.decide(moment);
        self.seen.push((moment.clone(), decision.clone()));
        decision
    }

    fn line(&mut self, line: &Line) {
        self.list.line(line);
    }
}
