//! One call at a time: what is known is walked through, and what is not is tried.

use super::graph::{End, Graph, Met, New, Probe, StateNo, To};
use super::inputs::inputs;
use super::place::Place;
use super::settings::ExploreSettings;
use crate::decide::{AskedBy, Decider, Decision, Moment, Spoken};
use gudok_core::input::Grammar;
use gudok_core::prompt::PromptSource;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// The host's own questions in one call: then the caller has had enough.
const HOST_QUESTIONS_MAX: u32 = 4;
/// Fewer keys than these are said by chance.
const SENSITIVE_KEYS_MIN: usize = 4;

/// Whoever explores, in a call.
pub(super) struct Walker {
    pub(super) settings: Arc<ExploreSettings>,
    pub(super) graph: Graph,
    pub(super) walk: Walk,
    /// Not tried for `depth_max`.
    pub(super) too_deep: u64,
    pub(super) too_many: u64,
    /// States with something to try, the nearest first.
    pub(super) open: BTreeSet<(usize, StateNo)>,
    /// Other ways into what is known, the shortest first.
    pub(super) probes: VecDeque<Probe>,
    pub(super) requests: u64,
    /// What was seen on a way that no state shows: a kind, and the decisions up to it.
    pub(super) spoken_secrets: Vec<(Vec<Decision>, StateNo)>,
}

/// One call.
#[derive(Default)]
pub(super) struct Walk {
    /// What is decided already.
    pub(super) forced: Vec<Decision>,
    /// Where that ends, the next input that was not tried is tried.
    tries: bool,
    /// It goes where others have gone, again and again: how it ends is no news of the place.
    goes_round: bool,
    /// The end of what is decided is looked at: the same as in that state?
    pub(super) probe: Option<(StateNo, usize)>,
    pub(super) path: Vec<(StateNo, usize)>,
    visits: HashMap<u64, u8>,
    /// Nothing more is tried.
    pub(super) closing: bool,
    pub(super) secrets: Vec<String>,
    host_questions: u32,
    /// It was decided that the caller hangs up: what the script still does then is its own affair.
    has_left: bool,
    stored: u64,
    /// The probe was answered otherwise.
    pub(super) contradicted: bool,
    probe_done: bool,
}

impl Walk {
    /// A call that goes round.
    pub(super) fn round(forced: Vec<Decision>) -> Self {
        Self { forced, goes_round: true, ..Self::default() }
    }

    /// A call into what is not known, or one that looks once more at what is.
    pub(super) fn new(forced: Vec<Decision>, probe: Option<(StateNo, usize)>) -> Self {
        Self { tries: probe.is_none(), forced, probe, ..Self::default() }
    }
}

impl Walker {
    pub(super) fn new(settings: Arc<ExploreSettings>) -> Self {
        Self {
            settings,
            graph: Graph::default(),
            walk: Walk::default(),
            too_deep: 0,
            too_many: 0,
            open: BTreeSet::new(),
            probes: VecDeque::new(),
            requests: 0,
            spoken_secrets: Vec::new(),
        }
    }

    /// There is something to try in a state, if it is not too deep in a call.
    pub(super) fn opens(&mut self, state: StateNo) {
        let depth = self.graph.states[state].way.len();
        if depth < self.settings.bounds.depth_max as usize {
            self.open.insert((depth, state));
        } else {
            self.too_deep += self.graph.untried(state);
        }
    }

    /// Decisions up to now.
    pub(super) fn way(&self) -> Vec<Decision> {
        way_of(&self.graph, &self.walk.path)
    }

    /// The call is over.
    pub(super) fn ends(&mut self, end: End) {
        if let Some((state, input)) = self.walk.probe
            && self.walk.path.len() == self.walk.forced.len()
            && !self.walk.probe_done
        {
            let other = self.graph.states[state].leads[input];
            let same = matches!(other, Some(To::End(number)) if self.graph.ends[number] == end);
            self.walk.contradicted = !same && other.is_some();
        }
        // Where nothing more was to be tried, the caller's leaving was no decision.
        if let Some(last) = self.walk.path.last().copied().filter(|_| !self.walk.closing && !self.walk.goes_round) {
            self.graph.ends(end, last);
        }
    }

    fn meets(&mut self, moment: &Moment) -> Decision {
        let key = Place::of(moment, self.walk.stored);
        if let Some((state, input)) = self.walk.probe
            && self.walk.path.len() == self.walk.forced.len()
            && !self.walk.probe_done
        {
            self.walk.probe_done = true;
            let same = match self.graph.states[state].leads[input] {
                Some(To::State(other)) => self.graph.states[other].place.key == key,
                Some(To::End(_)) => false,
                None => true,
            };
            self.walk.contradicted = !same;
        }
        let visits_max = self.settings.bounds.visits_max.max(1);
        let visit = self.walk.visits.entry(key).or_insert(0);
        *visit = (*visit + 1).min(visits_max);
        let visit = *visit;
        if self.graph.states.len() >= self.settings.bounds.states_max as usize {
            self.too_many += 1;
            return self.close();
        }
        let from = self.walk.path.last().copied();
        let (settings, path) = (&self.settings, &self.walk.path);
        let Met { state, is_new, to_probe } = self.graph.meets((key, visit), from, |graph| New {
            moment: moment.clone(),
            inputs: inputs(moment, settings),
            way: way_of(graph, path),
        });
        if is_new {
            self.opens(state);
        }
        if to_probe {
            let way = self.way();
            self.graph.probes += 1;
            self.probes.push_back(Probe { state, way });
        }
        self.next(state, moment)
    }

    fn next(&mut self, state: StateNo, moment: &Moment) -> Decision {
        let place = self.walk.path.len();
        let input = match self.walk.forced.get(place) {
            Some(forced) => self.graph.states[state].inputs.iter().position(|input| input == forced),
            // One step into what is not known: what follows is tried from there, by the shortest way.
            None if place == self.walk.forced.len() && self.walk.tries => self.graph.next_input(state),
            None => None,
        };
        let Some(input) = input else { return self.close() };
        let decision = self.graph.states[state].inputs[input].clone();
        self.walk.path.push((state, input));
        self.walk.has_left = decision == Decision::HangUp;
        self.walk.secrets.extend(entered_in_secret(moment, &decision));
        decision
    }

    fn close(&mut self) -> Decision {
        self.walk.closing = true;
        Decision::HangUp
    }

    fn hears(&mut self, spoken: &Spoken) {
        if self.walk.secrets.is_empty() {
            return;
        }
        let plain: String = spoken.text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        if self.walk.secrets.iter().any(|secret| plain.contains(secret.as_str()))
            && let Some((state, _)) = self.walk.path.last().copied()
        {
            self.spoken_secrets.push((self.way(), state));
        }
    }
}

impl Decider for Walker {
    fn decide(&mut self, moment: &Moment) -> Decision {
        let spoken = match moment {
            Moment::Asked(question) => Some(&question.said),
            Moment::Heard(spoken) => Some(spoken),
            _ => None,
        };
        if let Some(spoken) = spoken.filter(|_| !is_read_back(moment)) {
            self.hears(spoken);
        }
        if self.walk.closing {
            return Decision::HangUp;
        }
        if self.walk.has_left {
            return Decision::GoOn;
        }
        match moment {
            moment if is_hosts(moment) => return Decision::GoOn,
            Moment::Asked(question) if question.by == AskedBy::Host => {
                self.walk.host_questions += 1;
                if self.walk.host_questions > HOST_QUESTIONS_MAX {
                    return self.close();
                }
            }
            Moment::Fetches(_) => self.requests += 1,
            Moment::Stores(stores) if stores.writes => {
                // Which places were written counts, not what and when.
                let key: String = stores.key.chars().filter(|c| !c.is_ascii_digit()).collect();
                self.walk.stored |= 1 << (super::place::hash_of(&(&stores.bucket, key)) % 64);
            }
            _ => {}
        }
        self.meets(moment)
    }
}

fn way_of(graph: &Graph, path: &[(StateNo, usize)]) -> Vec<Decision> {
    path.iter().map(|(state, input)| graph.states[*state].inputs[*input].clone()).collect()
}

/// A number that is read back to be confirmed is said for its caller's own good.
fn is_read_back(moment: &Moment) -> bool {
    matches!(moment, Moment::Asked(question) if matches!(question.grammar, Grammar::YesNo))
}

/// The host's words are no place of the script's.
pub(super) fn is_hosts(moment: &Moment) -> bool {
    let of_script = |source: &PromptSource| matches!(source, PromptSource::Script(_));
    matches!(moment, Moment::Heard(spoken) if !spoken.sources.iter().any(of_script))
}

/// The digits of an answer to a sensitive question: what must be neither said nor written down.
pub(super) fn entered_in_secret(moment: &Moment, decision: &Decision) -> Option<String> {
    match (moment, decision) {
        (Moment::Asked(question), Decision::Keys(keys)) if question.sensitive => {
            Some(keys.trim_end_matches('#').to_owned()).filter(|digits| digits.len() >= SENSITIVE_KEYS_MIN)
        }
        _ => None,
    }
}
