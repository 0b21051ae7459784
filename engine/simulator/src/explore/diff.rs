//! What is different between two reports: of two versions of a script, as a rule.

use super::report::{ChangedNode, ExploreReport, Finding, Flow, FlowDiff, FlowEdge, FlowNode};
use std::collections::{BTreeMap, BTreeSet};

/// What is different. Places are taken for the same where they say the same in the same language; those that are left,
/// where they are in the same step, and then where the same keys lead to them.
#[must_use]
pub fn diff(old: &ExploreReport, new: &ExploreReport) -> FlowDiff {
    let pairs = Pairs::of(&old.flow, &new.flow);
    let mut diff = FlowDiff { same: pairs.list(), ..FlowDiff::default() };
    diff.added = new.flow.nodes.iter().filter(|node| !pairs.new_to_old.contains_key(&*node.id)).cloned().collect();
    diff.gone = old.flow.nodes.iter().filter(|node| !pairs.old_to_new.contains_key(&*node.id)).cloned().collect();
    for (before, now) in pairs.nodes(&old.flow, &new.flow) {
        if before.said != now.said {
            diff.changed.push(ChangedNode {
                old: before.id.clone(),
                new: now.id.clone(),
                said_before: before.said.clone(),
                said_now: now.said.clone(),
            });
        }
    }
    let told =
        |id: &String| pairs.old_to_new.get(id.as_str()).map_or_else(|| format!("old {id}"), |new| (*new).to_owned());
    let old_edges: BTreeSet<Way> = old.flow.edges.iter().flat_map(|edge| ways(edge, &told)).collect();
    let new_edges: BTreeSet<Way> = new.flow.edges.iter().flat_map(|edge| ways(edge, &String::clone)).collect();
    diff.edges_added = only(&new.flow.edges, &old_edges, &String::clone);
    diff.edges_gone = only(&old.flow.edges, &new_edges, &told);
    let place = |finding: &Finding| (finding.kind, finding.keys.to_string());
    let (before, now): (BTreeSet<_>, BTreeSet<_>) =
        (old.findings.iter().map(place).collect(), new.findings.iter().map(place).collect());
    diff.findings_new = new.findings.iter().filter(|finding| !before.contains(&place(finding))).cloned().collect();
    diff.findings_mended = old.findings.iter().filter(|finding| !now.contains(&place(finding))).cloned().collect();
    diff
}

/// From, to and one decision.
type Way = (String, String, String);

fn ways(edge: &FlowEdge, name: &impl Fn(&String) -> String) -> Vec<Way> {
    let (from, to) = (name(&edge.from), name(&edge.to));
    edge.labels.iter().map(|label| (from.clone(), to.clone(), label.decision.clone())).collect()
}

/// Edges with those of their labels that the others do not have.
fn only(edges: &[FlowEdge], others: &BTreeSet<Way>, name: &impl Fn(&String) -> String) -> Vec<FlowEdge> {
    let alone = |edge: &FlowEdge| {
        let (from, to) = (name(&edge.from), name(&edge.to));
        let labels: Vec<_> = edge
            .labels
            .iter()
            .filter(|label| !others.contains(&(from.clone(), to.clone(), label.decision.clone())))
            .cloned()
            .collect();
        (!labels.is_empty()).then(|| FlowEdge { labels, ..edge.clone() })
    };
    edges.iter().filter_map(alone).collect()
}

/// Nodes that are the same in both.
#[derive(Default)]
struct Pairs<'a> {
    old_to_new: BTreeMap<&'a str, &'a str>,
    new_to_old: BTreeMap<&'a str, &'a str>,
}

impl<'a> Pairs<'a> {
    fn of(old: &'a Flow, new: &'a Flow) -> Self {
        let mut pairs = Self::default();
        pairs.pair_by(old, new, |node| Some((node, &*node.said, node.reached_by.to_string())));
        pairs.pair_by(old, new, |node| Some((node, &*node.said, String::new())));
        pairs.pair_by(old, new, |node| Some((node, node.step.as_deref()?, String::new())));
        pairs.pair_by(old, new, |node| Some((node, "", node.reached_by.to_string())));
        pairs
    }

    /// Pairs those that are left and have the same mark, in the order in which they were met.
    fn pair_by(
        &mut self,
        old: &'a Flow,
        new: &'a Flow,
        mark: impl Fn(&'a FlowNode) -> Option<(&'a FlowNode, &'a str, String)>,
    ) {
        let mut free: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for node in new.nodes.iter().filter(|node| !self.new_to_old.contains_key(&*node.id)) {
            if let Some((node, words, way)) = mark(node) {
                free.entry((node.kind, &*node.lang, words, way)).or_default().push(&node.id);
            }
        }
        // Taken from the end.
        free.values_mut().for_each(|nodes| nodes.reverse());
        for node in &old.nodes {
            if self.old_to_new.contains_key(&*node.id) {
                continue;
            }
            let Some((_, words, way)) = mark(node) else { continue };
            if let Some(found) = free.get_mut(&(node.kind, &*node.lang, words, way)).and_then(Vec::pop) {
                self.old_to_new.insert(&node.id, found);
                self.new_to_old.insert(found, &node.id);
            }
        }
    }

    fn list(&self) -> Vec<(String, String)> {
        self.old_to_new.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect()
    }

    fn nodes(&self, old: &'a Flow, new: &'a Flow) -> Vec<(&'a FlowNode, &'a FlowNode)> {
        let by_id: BTreeMap<&str, &FlowNode> = new.nodes.iter().map(|node| (&*node.id, node)).collect();
        let pair = |node: &'a FlowNode| Some((node, *by_id.get(self.old_to_new.get(&*node.id)?)?));
        old.nodes.iter().filter_map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::{Covered, FindingKind, FlowLabel, NodeKind};

    fn node(id: &str, step: Option<&str>, said: &str, way: &str) -> FlowNode {
        FlowNode {
            id: id.into(),
            kind: NodeKind::Question,
            step: step.map(str::to_owned),
            title: said.into(),
            said: said.into(),
            lang: "ru-RU".into(),
            reached_by: way.parse().unwrap(),
            replay: String::new(),
            findings: Vec::new(),
        }
    }

    fn edge(from: &str, to: &str, decisions: &[&str]) -> FlowEdge {
        let label = |word: &&str| FlowLabel { decision: (*word).into(), stands_for: None };
        FlowEdge { from: from.into(), to: to.into(), labels: decisions.iter().map(label).collect(), usual: true }
    }

    fn report(nodes: Vec<FlowNode>, edges: Vec<FlowEdge>, findings: &[(FindingKind, &str)]) -> ExploreReport {
        let finding = |(kind, keys): &(FindingKind, &str)| Finding {
            kind: *kind,
            keys: keys.parse().unwrap(),
            message: String::new(),
            replay: String::new(),
            heard: Vec::new(),
            step: None,
            node: None,
            contact: Vec::new(),
            on_machine: false,
        };
        ExploreReport {
            script: "s".into(),
            version: "1.0.0".into(),
            agency: "a".into(),
            entry: "main".into(),
            paths: 1,
            took_ms: 1,
            paths_per_second: 1.0,
            covered: Covered::default(),
            left_out: Vec::new(),
            findings: findings.iter().map(finding).collect(),
            flow: Flow { start: nodes.first().map(|node| node.id.clone()), replay: String::new(), nodes, edges },
        }
    }

    #[test]
    fn a_report_is_no_different_from_itself() {
        let one = report(
            vec![node("n1", None, "Press one.", ""), node("n2", None, "Thank you.", "1")],
            vec![edge("n1", "n2", &["1"])],
            &[(FindingKind::Trap, "1")],
        );
        let found = diff(&one, &one);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(found.same, [("n1".to_owned(), "n1".to_owned()), ("n2".to_owned(), "n2".to_owned())]);
    }

    #[test]
    fn names_do_not_matter_and_words_do() {
        let old = report(
            vec![
                node("n1", Some("main"), "Press one.", ""),
                node("n2", None, "Thanks.", "1"),
                node("n3", None, "Bye.", "2"),
            ],
            vec![edge("n1", "n2", &["1"]), edge("n1", "n3", &["2", "silence"])],
            &[(FindingKind::Trap, "1"), (FindingKind::DeadEnd, "2")],
        );
        let new = report(
            vec![
                node("m1", Some("main"), "Press one or two.", ""),
                node("m2", None, "News.", "3"),
                node("m3", None, "Bye.", "2"),
                node("m4", None, "Thank you.", "1"),
            ],
            vec![edge("m1", "m4", &["1"]), edge("m1", "m3", &["2"]), edge("m1", "m2", &["3"])],
            &[(FindingKind::Trap, "1"), (FindingKind::Cpu, "3")],
        );
        let found = diff(&old, &new);
        let ids = |nodes: &[FlowNode]| nodes.iter().map(|node| node.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&found.added), ["m2"]);
        assert_eq!(ids(&found.gone), [""; 0]);
        let changed: Vec<_> = found.changed.iter().map(|one| (&*one.old, &*one.new)).collect();
        assert_eq!(changed, [("n1", "m1"), ("n2", "m4")], "by its step; by the key that leads there");
        assert_eq!(found.edges_added, [edge("m1", "m2", &["3"])]);
        assert_eq!(found.edges_gone, [edge("n1", "n3", &["silence"])]);
        assert_eq!(found.findings_new.iter().map(|one| one.kind).collect::<Vec<_>>(), [FindingKind::Cpu]);
        assert_eq!(found.findings_mended.iter().map(|one| one.kind).collect::<Vec<_>>(), [FindingKind::DeadEnd]);
    }
}
