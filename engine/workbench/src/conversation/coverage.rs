//! What of a script its conversations reach, and what they do not.
//!
//! What there is to be reached, exploring finds: steps, questions, and the keys of each. Where a script was not explored, it
//! is what the conversations met themselves.

use super::run::{Keys, Outcome, Reached};
use gudok_simulator::explore::{ExploreReport, NodeKind};
use serde::Serialize;
use std::collections::BTreeMap;

/// Words of a question that name it, as the runner has it.
pub(super) const QUESTION_CHARS_MAX: usize = 60;

/// Of all conversations together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Coverage {
    /// Steps by name, and whether each was reached.
    pub steps: BTreeMap<String, bool>,
    /// Questions by their step, or their first words.
    pub questions: BTreeMap<String, CoveredQuestion>,
    /// Of steps, questions and keys together.
    pub percent: u8,
    /// So many calls of exploring know what there is; none where the script was not explored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explored_calls: Option<u64>,
}

/// One question.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct CoveredQuestion {
    /// It was asked.
    pub asked: bool,
    /// Its keys, and whether each was pressed.
    pub keys: BTreeMap<String, bool>,
}

impl Coverage {
    /// What these reach, of what exploring found.
    #[must_use]
    pub fn of(outcomes: &[Outcome], explored: Option<&ExploreReport>) -> Self {
        let mut there = explored.map(there).unwrap_or_default();
        let mut met = Reached::default();
        for outcome in outcomes {
            met.steps.extend(outcome.reached.steps.iter().cloned());
            for (name, keys) in &outcome.reached.questions {
                let known = met.questions.entry(name.clone()).or_default();
                known.taken.extend(keys.taken.iter().cloned());
                known.pressed.extend(keys.pressed.iter().cloned());
            }
        }
        there.steps.extend(met.steps.iter().cloned());
        for (name, keys) in &met.questions {
            there.questions.entry(name.clone()).or_default().taken.extend(keys.taken.iter().cloned());
        }
        let steps = there.steps.into_iter().map(|step| (step.clone(), met.steps.contains(&step))).collect();
        let questions = there.questions.into_iter().map(|(name, keys)| {
            let pressed = met.questions.get(&name).map(|keys| keys.pressed.clone());
            let keys = keys.taken.into_iter().map(|key| {
                let done = pressed.as_ref().is_some_and(|pressed| pressed.contains(&key));
                (key, done)
            });
            let covered = CoveredQuestion { asked: pressed.is_some(), keys: keys.collect() };
            (name, covered)
        });
        let mut all = Self {
            steps,
            questions: questions.collect(),
            percent: 100,
            explored_calls: explored.map(|explored| explored.paths),
        };
        all.percent = all.percent();
        all
    }

    fn percent(&self) -> u8 {
        let questions = self.questions.values();
        let marks = questions.flat_map(|question| question.keys.values().copied().chain([question.asked]));
        let marks: Vec<bool> = self.steps.values().copied().chain(marks).collect();
        let done = marks.iter().filter(|mark| **mark).count();
        u8::try_from(done * 100 / marks.len().max(1)).unwrap_or(100)
    }
}

/// What exploring found.
fn there(explored: &ExploreReport) -> Reached {
    let mut there = Reached::default();
    for node in &explored.flow.nodes {
        there.steps.extend(node.step.clone().filter(|step| !step.is_empty()));
        if node.kind != NodeKind::Question {
            continue;
        }
        let name = match &node.step {
            Some(step) if !step.is_empty() => step.clone(),
            _ => node.said.chars().take(QUESTION_CHARS_MAX).collect(),
        };
        let keys: &mut Keys = there.questions.entry(name).or_default();
        let labels = explored.flow.edges.iter().filter(|edge| edge.from == node.id).flat_map(|edge| &edge.labels);
        // Keys of a menu stand for something; rows of digits are any.
        keys.taken.extend(labels.filter(|label| label.stands_for.is_some()).map(|label| label.decision.clone()));
    }
    there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pressed_is_counted_of_what_could_be() {
        let mut outcome = super::super::report::tests::outcome(Vec::new());
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        outcome.reached.steps = keys(&["menu", "bye"]);
        let main = Keys { taken: keys(&["0", "1", "2"]), pressed: keys(&["1"]) };
        outcome.reached.questions.insert("menu".into(), main);
        let coverage = Coverage::of(&[outcome], None);
        // Two steps and one question of each, one key of three.
        assert_eq!(coverage.percent, 66);
        assert!(coverage.questions["menu"].keys["1"]);
        assert!(!coverage.questions["menu"].keys["2"]);
        assert_eq!(Coverage::of(&[], None).percent, 0);
    }
}
