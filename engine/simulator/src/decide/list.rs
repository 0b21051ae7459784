//! Decisions in a row, and whoever decides by such a list.

use super::moment::Moment;
use super::token::{Decision, NoDecision};
use super::{Decider, Line};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt::{self, Display};
use std::str::FromStr;

/// Decisions in the order in which their moments come. Written with blanks between them: `1 3 silence`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Decisions(pub Vec<Decision>);

impl Display for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, decision) in self.0.iter().enumerate() {
            let blank = if place == 0 { "" } else { " " };
            write!(f, "{blank}{decision}")?;
        }
        Ok(())
    }
}

impl FromStr for Decisions {
    type Err = NoDecision;

    fn from_str(text: &str) -> Result<Self, NoDecision> {
        text.split_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl From<Decisions> for String {
    fn from(decisions: Decisions) -> Self {
        decisions.to_string()
    }
}

impl TryFrom<String> for Decisions {
    type Error = NoDecision;

    fn try_from(text: String) -> Result<Self, NoDecision> {
        text.parse()
    }
}

/// Decides by a list. A decision is taken when its moment comes; a moment that the next decision is not for goes the usual
/// way. With none left, whoever is asked hangs up.
#[derive(Clone, Debug)]
pub struct ByList {
    left: VecDeque<Decision>,
    /// What was said and done so far.
    pub lines: Vec<Line>,
}

impl ByList {
    /// By this list.
    #[must_use]
    pub fn new(decisions: Decisions) -> Self {
        Self { left: decisions.0.into(), lines: Vec::new() }
    }

    /// Takes the decision for this moment, if the next one is for it. What none is left for is the caller's business: see
    /// [`ByList::is_over`].
    pub fn take(&mut self, moment: &Moment) -> Option<Decision> {
        let fits = self.left.front().is_some_and(|next| next.fits(moment));
        if fits { self.left.pop_front() } else { None }
    }

    /// No decision is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left.is_empty()
    }

    /// What was not taken.
    #[must_use]
    pub fn left(&self) -> Decisions {
        Decisions(self.left.iter().cloned().collect())
    }
}

impl Decider for ByList {
    fn decide(&mut self, moment: &Moment) -> Decision {
        match self.take(moment) {
            Some(decision) => decision,
            None if matches!(moment, Moment::Asked(_)) && self.is_over() => Decision::HangUp,
            // Asked, and something else is to come first: one more silence brings it nearer.
            None if matches!(moment, Moment::Asked(_)) => Decision::Silence,
            None => Decision::GoOn,
        }
    }

    fn line(&mut self, line: &Line) {
        self.lines.push(line.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_written() {
        let list: Decisions = " 1  3 silence\ttransfer:busy ".parse().unwrap();
        assert_eq!(list.to_string(), "1 3 silence transfer:busy");
        assert_eq!(serde_json::to_string(&list).unwrap(), "\"1 3 silence transfer:busy\"");
        assert_eq!(serde_json::from_str::<Decisions>("\"1 3 silence transfer:busy\"").unwrap(), list);
        assert_eq!("1 x".parse::<Decisions>().unwrap_err().word, "x");
    }

    #[test]
    fn a_decision_waits_for_its_moment() {
        let mut list = ByList::new("store:unavailable 1 hang-up".parse().unwrap());
        assert_eq!(list.decide(&Moment::Directory("faq")), Decision::GoOn);
        let asked = Moment::Asked(crate::decide::Question {
            said: crate::decide::Spoken::default(),
            by: crate::decide::AskedBy::Script,
            grammar: gudok_core::input::Grammar::YesNo,
            global_keys: Vec::new(),
            sensitive: false,
            attempt: 1,
            attempts: 3,
            says_on_no_input: true,
            says_on_no_match: true,
            first_timeout: std::time::Duration::from_secs(5),
        });
        assert_eq!(list.decide(&asked), Decision::Silence, "something else comes first");
        let stores = crate::decide::Stores { bucket: "marks".into(), key: "a".into(), writes: true, step: None };
        assert_eq!(list.decide(&Moment::Stores(stores)), Decision::NoStore);
        assert_eq!(list.decide(&asked), Decision::Keys("1".into()));
        assert_eq!(list.decide(&Moment::Directory("faq")), Decision::GoOn);
        assert_eq!(list.decide(&asked), Decision::HangUp);
        assert!(list.is_over());
        assert_eq!(list.decide(&asked), Decision::HangUp, "whoever is asked and knows nothing more");
    }
}
