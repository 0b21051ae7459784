//! What a menu that can be walked had better do otherwise.

use crate::model::{Act, NodeId, Target, Tree};

/// Where the caller ends up who never presses a key: a telephone may have none. Everybody else can press one.
///
/// Empty where all is well; otherwise a sentence each.
#[must_use]
pub fn advice(tree: &Tree) -> Vec<String> {
    let mut silent = Silent { tree, seen: vec![false; tree.nodes.len()], told: Vec::new() };
    silent.follow(tree.start);
    silent.told
}

struct Silent<'tree> {
    tree: &'tree Tree,
    seen: Vec<bool>,
    told: Vec<String>,
}

impl Silent<'_> {
    fn follow(&mut self, at: NodeId) {
        let (Some(node), Some(seen)) = (self.tree.nodes.get(at), self.seen.get_mut(at)) else { return };
        if std::mem::replace(seen, true) {
            return;
        }
        match &node.act {
            // A person: that is where a caller without keys belongs.
            Act::Transfer { .. } | Act::Queue(_) => {}
            Act::Hangup { .. } => self.told.push(format!(
                "nodes.{}: a caller who presses nothing is hung up on here; lead `otherwise` to an operator before",
                node.name
            )),
            act => {
                let next = after_silence(act);
                for target in next {
                    match target {
                        Target::Node(node) => self.follow(node),
                        Target::Repeat => self.told.push(format!(
                            "nodes.{}: a caller who presses nothing never gets out; lead `otherwise` to an operator",
                            node.name
                        )),
                        Target::Back => {}
                    }
                }
            }
        }
    }
}

/// Where nothing pressed leads.
fn after_silence(act: &Act) -> Vec<Target> {
    match act {
        Act::Menu { question, .. } | Act::Table { question, .. } => vec![question.otherwise],
        Act::Survey(survey) => vec![survey.question.otherwise],
        Act::Say { then, .. } | Act::Language { then, .. } | Act::Pace { then, .. } => vec![*then],
        Act::Hours { open, closed, .. } => vec![*open, *closed],
        Act::Callback(offer) => vec![offer.declined, offer.failed],
        Act::Directory(lookup) => vec![lookup.then, lookup.nothing, lookup.failed],
        Act::Wrong { then, failed, .. } => vec![*then, *failed],
        Act::Complaint(complaint) => vec![complaint.then, complaint.refused, complaint.failed],
        Act::Transfer { .. } | Act::Queue(_) | Act::Hangup { .. } => Vec::new(),
    }
}
