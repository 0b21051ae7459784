//! The dialog as a picture has it: each place once, whichever time and at whichever pace it is met.

use super::graph::{End, Graph, StateNo, To};
use super::inputs::is_announced;
use super::place::{flow_key, last_words};
use super::report::{Flow, FlowEdge, FlowLabel, FlowNode, NodeKind};
use super::shortest::Ways;
use crate::decide::{AskedBy, Decision, Moment, Promised, Question, Spoken, TransferChoice};
use crate::words;
use gudok_core::input::Grammar;
use std::collections::{BTreeMap, HashMap};

const TITLE_CHARS_MAX: usize = 48;
/// The word for keys that a question does not take.
const ANY_OTHER_KEY: &str = "any other key";

/// The flow, and each state's node.
pub(super) fn flow(graph: &Graph, ways: &Ways) -> (Flow, Vec<String>) {
    let mut nodes: Vec<FlowNode> = Vec::new();
    let mut by_key: HashMap<u64, usize> = HashMap::new();
    let mut node_of: Vec<usize> = vec![0; graph.states.len()];
    for state in ways.order() {
        let known = &graph.states[*state];
        let at = *by_key.entry(flow_key(&known.place.moment)).or_insert_with(|| {
            nodes.push(node(nodes.len(), &known.place.moment, ways.tokens_to(graph, *state)));
            nodes.len() - 1
        });
        node_of[*state] = at;
    }
    let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
    let mut edges: BTreeMap<(usize, usize), Vec<(FlowLabel, bool)>> = BTreeMap::new();
    for state in ways.order() {
        let known = &graph.states[*state];
        for (input, lead) in known.leads.iter().enumerate() {
            let decision = &known.inputs[input];
            let to = match lead {
                Some(To::State(to)) if ways.reaches(*to) => node_of[*to],
                Some(To::End(end)) if *decision != Decision::HangUp => *ends.entry(*end).or_insert_with(|| {
                    nodes.push(end_node(nodes.len(), &graph.ends[*end], ways.tokens(graph, *state, input)));
                    nodes.len() - 1
                }),
                _ => continue,
            };
            let (label, usual) = label(&known.place.moment, decision, input);
            // Being asked again is no way to anywhere.
            if to == node_of[*state] && !usual {
                continue;
            }
            let labels = edges.entry((node_of[*state], to)).or_default();
            if !labels.iter().any(|(known, _)| *known == label) {
                labels.push((label, usual));
            }
        }
    }
    let name = |at: usize| nodes[at].id.clone();
    let edge = |((from, to), labels): ((usize, usize), Vec<(FlowLabel, bool)>)| FlowEdge {
        from: name(from),
        to: name(to),
        usual: labels.iter().any(|(_, usual)| *usual),
        labels: labels.into_iter().map(|(label, _)| label).collect(),
    };
    let edges = edges.into_iter().map(edge).collect();
    let names = node_of.iter().map(|at| nodes.get(*at).map(|node| node.id.clone()).unwrap_or_default()).collect();
    let start = nodes.first().map(|node| node.id.clone());
    (Flow { start, replay: String::new(), nodes, edges }, names)
}

fn node(number: usize, moment: &Moment, reached_by: crate::decide::Decisions) -> FlowNode {
    let (kind, said, lang, step) = match moment {
        Moment::Asked(Question { said, by, .. }) => {
            let kind = if *by == AskedBy::Host { NodeKind::Callback } else { NodeKind::Question };
            (kind, words_of(said), said.lang.to_string(), said.step.clone())
        }
        Moment::Heard(said) => (NodeKind::Message, words_of(said), said.lang.to_string(), said.step.clone()),
        Moment::Records { .. } => (NodeKind::Recording, "a message is recorded".into(), String::new(), None),
        Moment::Transfers(to) => (NodeKind::Transfer, to.target.label().to_string(), String::new(), to.step.clone()),
        Moment::Waits(wait) => (NodeKind::Queue, wait.queue.to_string(), String::new(), wait.step.clone()),
        Moment::Fetches(fetch) => {
            let said = format!("{} {}", fetch.method.as_str(), fetch.url);
            (NodeKind::BackEnd, said, String::new(), fetch.step.clone())
        }
        Moment::Stores(store) => {
            let what = if store.writes { "writes" } else { "reads" };
            (NodeKind::Data, format!("{what} {}", store.bucket), String::new(), store.step.clone())
        }
        Moment::Promises(Promised::Ticket(kind, to)) => {
            (NodeKind::Promise, format!("{} for {to}", kind.as_str()), String::new(), None)
        }
        Moment::Promises(Promised::Survey(name)) => (NodeKind::Promise, format!("survey {name}"), String::new(), None),
        Moment::Promises(Promised::Callback(queue)) => (NodeKind::Callback, queue.to_string(), String::new(), None),
        Moment::Directory(what) => (NodeKind::Data, format!("directory: {what}"), String::new(), None),
    };
    FlowNode {
        id: format!("n{}", number + 1),
        kind,
        step: step.map(|step| step.to_string()),
        title: title(&said),
        said,
        lang,
        reached_by,
        replay: String::new(),
        findings: Vec::new(),
    }
}

fn end_node(number: usize, end: &End, reached_by: crate::decide::Decisions) -> FlowNode {
    let said = match end {
        End::Returned(code) => format!("the call is over ({code})"),
        End::HandedOver(name) => format!("handed over to {name}"),
        End::CallerLeft => "the caller has left".into(),
        End::Failed(why) => format!("the script fails ({why}); the host lands the caller"),
    };
    FlowNode {
        id: format!("n{}", number + 1),
        kind: NodeKind::End,
        step: None,
        title: title(&said),
        said,
        lang: String::new(),
        reached_by,
        replay: String::new(),
        findings: Vec::new(),
    }
}

fn words_of(said: &Spoken) -> String {
    words::sources(last_words(said))
}

/// The first sentence, or as much of it as there is room for.
fn title(said: &str) -> String {
    let first = first_sentence(said).trim();
    if first.chars().count() <= TITLE_CHARS_MAX {
        return first.to_owned();
    }
    let mut short: String = first.chars().take(TITLE_CHARS_MAX).collect();
    if let Some(at) = short.rfind(' ') {
        short.truncate(at);
    }
    short.push('…');
    short
}

/// A full stop within an address ends no sentence.
fn first_sentence(said: &str) -> &str {
    let ends = |(_, c): &(usize, char)| matches!(c, '.' | '!' | '?');
    let mut stops = said.char_indices().filter(ends).map(|(at, c)| at + c.len_utf8());
    let end = stops.find(|end| said[*end..].chars().next().is_none_or(char::is_whitespace));
    &said[..end.unwrap_or(said.len())]
}

/// What leads there, and whether that is the usual.
fn label(moment: &Moment, decision: &Decision, input: usize) -> (FlowLabel, bool) {
    let plain = |usual: bool| (FlowLabel { decision: decision.to_string(), stands_for: None }, usual);
    match (moment, decision) {
        (Moment::Asked(question), Decision::Keys(keys)) => {
            if !is_announced(question, keys) {
                return (FlowLabel { decision: ANY_OTHER_KEY.into(), stands_for: None }, false);
            }
            let listed = match &question.grammar {
                Grammar::Choices(choices) => choices.iter().find(|choice| choice.key == *keys),
                _ => None,
            };
            let choice = listed.or_else(|| question.global_keys.iter().find(|choice| choice.key == *keys));
            let stands_for = choice.map(|choice| choice.value.clone()).filter(|value| !value.is_empty());
            (FlowLabel { decision: keys.clone(), stands_for }, true)
        }
        (Moment::Transfers(_), decision) => plain(*decision == Decision::Transfer(TransferChoice::Answered)),
        (_, Decision::GoOn | Decision::Speak(_)) => plain(true),
        (_, Decision::Silence) => plain(false),
        _ => plain(input == 0),
    }
}

/// Nodes of states that are in no flow have no name.
pub(super) fn node_name(names: &[String], state: StateNo) -> Option<String> {
    names.get(state).filter(|name| !name.is_empty()).cloned()
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn a_title_is_the_first_sentence() {
        let check = |said: &str, first: &str| assert_eq!(title(said), first);
        check("Good day. Press one.", "Good day.");
        check("POST http://127.0.0.1:8099/slots", "POST http://127.0.0.1:8099/slots");
        check("Really?! Yes.", "Really?!");
    }
}
