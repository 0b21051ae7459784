//! What the whole dialog shows and no single call: loops, missing ways, questions without words.

use super::announced::{Alphabets, announced, labelled};
use super::graph::{Graph, StateNo, To};
use super::judge::Wrong;
use super::place::flow_key;
use super::report::FindingKind;
use super::search::{Suspect, is_end_of_script};
use super::settings::Rules;
use crate::decide::{AskedBy, Decision, Moment, Promised, Question, QueueChoice, Spoken, TransferChoice};
use gudok_core::input::Grammar;
use gudok_core::prompt::{Pace, PromptSource};
use gudok_core::script::TransferTarget;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Shorter texts are names and numbers, the same in many languages.
const LETTERS_MIN: usize = 12;
/// Hops of a caller who never answers, or never presses what fits.
const HOPS_MAX: usize = 200;

/// What is wrong with the dialog. `people`: the script may hand its callers to somebody. `calls_out`: it is a campaign's, and
/// what it has to say is heard to the end.
pub(super) fn check(graph: &Graph, rules: &Rules, people: bool, calls_out: bool) -> Vec<Suspect> {
    let mut found = Found { graph, suspects: BTreeMap::new() };
    if graph.states.is_empty() {
        return Vec::new();
    }
    let ends = can_end(graph);
    endless_loops(&mut found, &ends);
    for (state, &may_end) in ends.iter().enumerate() {
        if let Moment::Asked(question) = &graph.states[state].place.moment
            && question.by != AskedBy::Host
        {
            silent_question(&mut found, state, question);
            keys_and_words(&mut found, state, question);
            if may_end && question.attempt == 1 {
                never_helped(&mut found, state, question);
            }
            if people && rules.keys_to_operator_max > 0 && matches!(question.grammar, Grammar::Choices(_)) {
                way_to_operator(&mut found, state, rules);
            }
        }
        if let Moment::Asked(Question { said, .. }) | Moment::Heard(said) = &graph.states[state].place.moment {
            long_prompts(&mut found, state, said, rules, calls_out);
        }
        if let Moment::Promises(promised) = &graph.states[state].place.moment {
            promise_told(&mut found, state, promised);
        }
    }
    languages(&mut found);
    found.suspects.into_values().collect()
}

struct Found<'a> {
    graph: &'a Graph,
    /// One of a kind for a place of the flow.
    suspects: BTreeMap<(FindingKind, u64), Suspect>,
}

impl Found<'_> {
    fn add(&mut self, kind: FindingKind, state: StateNo, input: Option<usize>, what: String) {
        let known = &self.graph.states[state];
        let mut way = known.way.clone();
        way.extend(input.map(|input| known.inputs[input].clone()));
        let place = flow_key(&known.place.moment);
        let better = self.suspects.get(&(kind, place)).is_none_or(|one| one.way.len() > way.len());
        if better {
            let last = Some((state, input.unwrap_or(usize::MAX)));
            self.suspects.insert((kind, place), Suspect { wrong: Wrong { kind, what }, last, way, words: None });
        }
    }
}

/// States from which the call can come to an end other than by the caller's leaving.
fn can_end(graph: &Graph) -> Vec<bool> {
    let mut ends = vec![false; graph.states.len()];
    let mut open = VecDeque::new();
    for (state, known) in graph.states.iter().enumerate() {
        let here = known.leads.iter().zip(&known.inputs).any(|(lead, input)| match lead {
            Some(To::End(end)) => is_end_of_script(&graph.ends[*end]),
            Some(To::State(_)) => false,
            // What was not tried may be the way out.
            None => *input != Decision::HangUp,
        });
        if here || matches!(known.place.moment, Moment::Waits(_)) {
            ends[state] = true;
            open.push_back(state);
        }
    }
    let mut into: Vec<Vec<StateNo>> = vec![Vec::new(); graph.states.len()];
    for (state, known) in graph.states.iter().enumerate() {
        for lead in known.leads.iter().flatten() {
            if let To::State(to) = lead {
                into[*to].push(state);
            }
        }
    }
    while let Some(state) = open.pop_front() {
        for before in &into[state] {
            if !ends[*before] {
                ends[*before] = true;
                open.push_back(*before);
            }
        }
    }
    ends
}

fn endless_loops(found: &mut Found<'_>, ends: &[bool]) {
    for state in 0..found.graph.states.len() {
        let known = &found.graph.states[state];
        let enters = known.from.is_empty() || known.from.iter().any(|(before, _)| ends[*before]);
        if !ends[state] && enters {
            let what = "from here no key and no silence leads to an end, nor to a person: only hanging up does; \
                        count the rounds, and connect the caller with somebody after a few";
            found.add(FindingKind::EndlessLoop, state, None, what.into());
        }
    }
}

fn silent_question(found: &mut Found<'_>, state: StateNo, question: &Question) {
    let known = &found.graph.states[state];
    let said_before = known.from.iter().all(|(before, _)| match &found.graph.states[*before].place.moment {
        Moment::Heard(_) | Moment::Records { .. } => true,
        Moment::Asked(before) => {
            question.by == AskedBy::Collector && before.by == AskedBy::Collector || question.attempt > 1
        }
        // What stands between words and the question takes no time.
        Moment::Stores(_) | Moment::Directory(_) => true,
        _ => false,
    });
    if question.said.sources.is_empty() && (known.from.is_empty() || !said_before) {
        let what = "keys are waited for, and nothing is said: the caller hears silence; give the question a prompt";
        found.add(FindingKind::SilentQuestion, state, None, what.into());
    }
}

/// What is announced and what is taken, where the words of the prompt can be read.
fn keys_and_words(found: &mut Found<'_>, state: StateNo, question: &Question) {
    let Grammar::Choices(choices) = &question.grammar else { return };
    if question.attempt > 1 {
        return;
    }
    let (said, labelled) = (announced(&question.said.text), labelled(&question.said.text));
    if said.is_empty() {
        return;
    }
    let taken = |key: char| {
        let is = |choice: &gudok_core::input::Choice| choice.key.chars().eq([key]);
        choices.iter().any(is) || question.global_keys.iter().any(is)
    };
    for key in said.iter().filter(|key| !taken(**key)) {
        let what =
            format!("the prompt offers {key}, and the question does not take it; add the choice, or mend the words");
        let input = position(found.graph, state, &key.to_string());
        found.add(FindingKind::KeyDead, state, input, what);
    }
    for choice in choices.iter().filter(|choice| choice.key.chars().count() == 1) {
        if choice.key.chars().all(|key| !said.contains(&key) && !labelled.contains(&key)) {
            let what = format!(
                "{} leads to {:?}, and the prompt does not say so; announce it, or take it out",
                choice.key, choice.value
            );
            let input = position(found.graph, state, &choice.key);
            found.add(FindingKind::KeyUnannounced, state, input, what);
        }
    }
}

fn position(graph: &Graph, state: StateNo, keys: &str) -> Option<usize> {
    graph.states[state].inputs.iter().position(|input| matches!(input, Decision::Keys(known) if known == keys))
}

/// A caller who never answers, and one who never presses what fits: are they asked for ever?
fn never_helped(found: &mut Found<'_>, state: StateNo, question: &Question) {
    let nonsense = |question: &Question| {
        ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0", "*", "#"]
            .into_iter()
            .find(|key| !super::inputs::is_announced(question, key))
            .map(|key| Decision::Keys(key.into()))
    };
    if asked_for_ever(found.graph, state, &|_| Some(Decision::Silence)) {
        let what =
            "whoever says nothing is asked for ever; connect them with a person after a few times, or say goodbye";
        let input = found.graph.states[state].inputs.iter().position(|input| *input == Decision::Silence);
        found.add(FindingKind::NoInputUnhandled, state, input, what.into());
    } else if asked_for_ever(found.graph, state, &nonsense)
        && let Some(Decision::Keys(key)) = nonsense(question)
    {
        let what =
            "whoever presses what is not offered is asked for ever; connect them with a person after a few times";
        let input = position(found.graph, state, &key);
        found.add(FindingKind::NoMatchUnhandled, state, input, what.into());
    }
}

fn asked_for_ever(graph: &Graph, from: StateNo, does: &dyn Fn(&Question) -> Option<Decision>) -> bool {
    let mut seen = BTreeSet::new();
    let mut state = from;
    for _ in 0..HOPS_MAX {
        if !seen.insert(state) {
            return true;
        }
        let known = &graph.states[state];
        let decision = match &known.place.moment {
            Moment::Asked(question) if question.by != AskedBy::Host => does(question),
            Moment::Heard(_) | Moment::Stores(_) | Moment::Directory(_) | Moment::Promises(_) => Some(Decision::GoOn),
            Moment::Fetches(_) => known.inputs.first().cloned(),
            _ => return false,
        };
        let lead = decision.and_then(|decision| known.inputs.iter().position(|input| *input == decision));
        match lead.and_then(|input| known.leads[input]) {
            Some(To::State(to)) => state = to,
            _ => return false,
        }
    }
    false
}

fn way_to_operator(found: &mut Found<'_>, state: StateNo, rules: &Rules) {
    // Who has just talked to a person is asked how that was.
    let talked = [Decision::Transfer(TransferChoice::Answered), Decision::Queue(QueueChoice::Answered)];
    if found.graph.states[state].way.iter().any(|decision| talked.contains(decision)) {
        return;
    }
    let mut seen = BTreeSet::from([state]);
    let mut open = VecDeque::from([(state, 0_u8)]);
    while let Some((at, keys)) = open.pop_front() {
        let known = &found.graph.states[at];
        match &known.place.moment {
            Moment::Waits(_) | Moment::Promises(Promised::Callback(_)) => return,
            Moment::Transfers(transfer) if !matches!(transfer.target, TransferTarget::Script(_)) => return,
            _ => {}
        }
        for (input, lead) in known.inputs.iter().zip(&known.leads) {
            let next = keys + u8::from(input.is_callers());
            match lead {
                _ if *input == Decision::HangUp || next > rules.keys_to_operator_max => {}
                // What was not tried may be the way.
                None => return,
                Some(To::State(to)) if seen.insert(*to) => open.push_back((*to, next)),
                // Whoever has the caller now has operators of its own; and who failed is landed with some.
                Some(To::End(end)) if matches!(found.graph.ends[*end], super::graph::End::Failed(_)) => {}
                Some(_) => {}
            }
        }
    }
    let what = format!(
        "no {} keys lead from here to a person, though the script may connect its callers; give the menu a key for it (0, as everywhere)",
        rules.keys_to_operator_max
    );
    found.add(FindingKind::NoWayToOperator, state, None, what);
}

fn long_prompts(found: &mut Found<'_>, state: StateNo, said: &Spoken, rules: &Rules, calls_out: bool) {
    let of_script = said.sources.iter().any(|source| matches!(source, PromptSource::Script(_)));
    if !of_script || said.pace != Pace::Normal {
        return;
    }
    let seconds = said.lasts.as_secs();
    if said.lasts > Duration::from_secs(u64::from(rules.prompt_s_max)) {
        let what =
            format!("the prompt takes {seconds} s; nobody listens to more than {} s; divide it", rules.prompt_s_max);
        found.add(FindingKind::TooLongPrompt, state, None, what);
    }
    let long = said.lasts > Duration::from_secs(u64::from(rules.uninterruptible_s_max));
    if long && !calls_out && !said.interruptible && !is_last_word(found.graph, state) {
        let what = format!(
            "no key interrupts this prompt of {seconds} s; whoever knows the way is made to listen: let keys interrupt it"
        );
        found.add(FindingKind::UninterruptiblePrompt, state, None, what);
    }
}

/// Nothing is asked or said after it.
fn is_last_word(graph: &Graph, state: StateNo) -> bool {
    let mut at = state;
    for _ in 0..HOPS_MAX {
        let known = &graph.states[at];
        let heard = matches!(known.place.moment, Moment::Heard(_) | Moment::Stores(_) | Moment::Promises(_));
        let next = known.inputs.iter().position(|input| *input == Decision::GoOn).and_then(|input| known.leads[input]);
        match next {
            Some(To::End(_)) if heard => return true,
            Some(To::State(to)) if heard && !matches!(graph.states[to].place.moment, Moment::Heard(_)) => at = to,
            _ => return false,
        }
    }
    false
}

/// A promise that is made is told, and one that is not made is not told.
fn promise_told(found: &mut Found<'_>, state: StateNo, promised: &Promised) {
    let known = &found.graph.states[state];
    let lead = |decision: &Decision| {
        known.inputs.iter().position(|input| input == decision).and_then(|input| Some((input, known.leads[input]?)))
    };
    let (Some((made, kept)), refused) = (lead(&Decision::GoOn), lead(&Decision::NoPromise)) else { return };
    if matches!(promised, Promised::Survey(_)) {
        return;
    }
    // The host's own dialog tells by itself.
    let hosts = |to: To| {
        let To::State(state) = to else { return false };
        matches!(&found.graph.states[state].place.moment, Moment::Asked(question) if question.by == AskedBy::Host)
    };
    if hosts(kept) {
        return;
    }
    let told = |to: To| {
        let To::State(state) = to else { return None };
        match &found.graph.states[state].place.moment {
            Moment::Heard(said) | Moment::Asked(Question { said, .. }) => Some(said.text.clone()),
            _ => None,
        }
    };
    if told(kept).is_none() {
        let what = "the promise is made, and its caller is not told; say its number, or by when they are called";
        found.add(FindingKind::PromiseNotTold, state, Some(made), what.into());
    } else if let Some((input, refused)) = refused
        && told(refused) == told(kept)
    {
        let what = "the promise could not be made, and the caller hears the same as if it had been; look at the result, and say so";
        found.add(FindingKind::PromiseNotTold, state, Some(input), what.into());
    }
}

/// A text that is said word for word in two languages, or in the alphabet of another, is missing in one of them.
fn languages(found: &mut Found<'_>) {
    let mut by_text: BTreeMap<&str, BTreeMap<&str, StateNo>> = BTreeMap::new();
    for (state, known) in found.graph.states.iter().enumerate() {
        let (Moment::Asked(Question { said, .. }) | Moment::Heard(said)) = &known.place.moment else { continue };
        let own = said.sources.iter().all(|source| match source {
            PromptSource::Script(prompt) => prompt.lang.is_none(),
            _ => false,
        });
        let letters = Alphabets::of(&said.text);
        let one_alphabet = letters.cyrillic == 0 || letters.latin == 0;
        if own && one_alphabet && letters.cyrillic + letters.latin >= LETTERS_MIN {
            by_text.entry(&said.text).or_default().entry(&said.lang).or_insert(state);
        }
    }
    let mut missing = Vec::new();
    for (text, langs) in &by_text {
        let letters = Alphabets::of(text);
        for (nth, (lang, state)) in langs.iter().enumerate() {
            let foreign = match lang.split('-').next().unwrap_or_default() {
                "en" => letters.cyrillic > 0,
                "ru" | "tt" => letters.latin > 0,
                _ => false,
            };
            let twice = langs.len() > 1 && nth > 0 && letters.cyrillic > 0 && *lang != "ru-RU";
            if foreign || twice {
                missing
                    .push((*state, format!("{lang}: this text is that of another language; write it in {lang} too")));
            }
        }
    }
    for (state, what) in missing {
        found.add(FindingKind::MissingText, state, None, what);
    }
}
