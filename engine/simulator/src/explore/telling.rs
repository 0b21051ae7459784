//! What was found is put into words: each finding once, with the shortest way there, tried before it is told.

use super::Watch;
use super::checks::check;
use super::flow::{flow, node_name};
use super::graph::Graph;
use super::place::{flow_key, step_of};
use super::replay_command::{call_command, replay_command};
use super::report::{Covered, ExploreReport, Finding, Flow, LeftOut, NodeKind};
use super::search::{Searched, Suspect, search};
use super::settings::{ExploreSettings, Progress};
use super::shortest::Ways;
use super::trying::way_to;
use crate::decide::{CallOf, Moment};
use crate::world::World;
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
        let (target, config) = (&self.settings.target, &self.settings.config);
        flow.replay = call_command(target, config, call);
        for node in &mut flow.nodes {
            node.replay = replay_command(target, config, call, &node.reached_by);
        }
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
        let (state, _) = suspect.last.unwrap_or((0, usize::MAX));
        let there = graph.states.get(state);
        let (keys, heard) = way_to(suspect, graph, ways, world);
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
            contact: call.contact.clone(),
            on_machine: call.is_on_machine(),
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
        if known.start.is_none() {
            (known.start, known.replay) = (flow.start, flow.replay);
        }
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
