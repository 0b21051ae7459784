//! What calls share, without the calls: the time, the dice, who behaves how, and what is to happen.

use crate::agenda::Agenda;
use crate::call::Happening;
use crate::centre::ToCentre;
use crate::decide::{Decision, Moment, SharedDecider};
use crate::dice::Dice;
use crate::operator::Operator as Behaviour;
use crate::report::Line;
use crate::stage::Event;
use crate::tasks::SharedDesk;
use crate::trouble::Trouble;
use crate::words::{self, PromptWords, Said};
use gudok_core::campaign::CampaignReport;
use gudok_core::ids::{CallId, Operator};
use gudok_core::leg::DialTarget;
use gudok_core::prompt::{LanguageTag, PromptSource};
use gudok_core::records::LegRecord;
use gudok_core::routing::Routes;
use gudok_core::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// What calls share, without the calls.
pub(crate) struct Props {
    pub(crate) now: Timestamp,
    pub(crate) dice: Dice,
    pub(crate) trouble: Trouble,
    pub(crate) records: Vec<LegRecord>,
    pub(crate) operators: BTreeMap<String, Behaviour>,
    pub(crate) recordings: BTreeMap<String, Duration>,
    pub(crate) routes: Arc<Routes>,
    /// What calls have for the centre, in order.
    pub(crate) to_centre: VecDeque<ToCentre>,
    /// What calls have for campaigns, in order.
    pub(crate) to_campaigns: Vec<(CallId, CampaignReport)>,
    /// Telephones of operators that are gone from the net.
    pub(crate) unreachable: BTreeSet<Operator>,
    /// No transcript and no trace: for worlds of very many calls.
    pub(crate) quiet: bool,
    pub(crate) events: Agenda<Event>,
    pub(crate) lines: Vec<Line>,
    pub(crate) decider: Option<SharedDecider>,
    pub(crate) words: Arc<dyn PromptWords>,
    pub(crate) desk: SharedDesk,
    pub(crate) trace: String,
}

impl Props {
    /// Something happens to a call after a while.
    pub(crate) fn plan(&mut self, after: Duration, call: usize, happening: Happening) {
        self.at(self.now + after, Event::To(call, happening));
    }

    pub(crate) fn at(&mut self, at: Timestamp, event: Event) {
        self.events.at(at, event);
    }

    pub(crate) fn line(&mut self, call: usize, text: String) {
        if self.quiet {
            return;
        }
        let line = Line { at: self.now, call, text };
        if let Some(decider) = &self.decider {
            decider.lock().line(&line);
        }
        self.lines.push(line);
    }

    pub(crate) fn trace(&mut self, call: usize, text: std::fmt::Arguments<'_>) {
        if self.quiet {
            return;
        }
        // Writing to a string does not fail.
        let _ = writeln!(self.trace, "{:?} #{} {text}", self.now, call + 1);
    }

    /// A line that is only put into words where somebody reads it.
    pub(crate) fn line_of(&mut self, call: usize, text: impl FnOnce(&Self) -> String) {
        if !self.quiet {
            let text = text(self);
            self.line(call, text);
        }
    }

    /// What is decided at a moment, where there is a decider.
    pub(crate) fn decide(&self, moment: &Moment) -> Decision {
        let Some(decider) = &self.decider else { return Decision::GoOn };
        let decision = decider.lock().decide(moment);
        if decision == Decision::HangUp || decision.fits(moment) { decision } else { Decision::GoOn }
    }

    /// Somebody who was decided to answer.
    pub(crate) fn answers(&self) -> Behaviour {
        let talks = self.decider.as_ref().and_then(|decider| decider.lock().talks());
        talks.map_or_else(Behaviour::answers, |talks| Behaviour::answers().and_talks_s(talks.as_secs()))
    }

    /// The step of the dialog that a script named last.
    pub(crate) fn step(&self) -> Option<Arc<str>> {
        self.desk.lock().step.clone()
    }

    /// Prompts in words.
    pub(crate) fn said(&self, sources: &[PromptSource], lang: &LanguageTag) -> Said {
        words::all_said(&*self.words, sources, lang, &|name| self.recording(name))
    }

    /// An operator's name, an extension, or a masked number.
    pub(crate) fn name_of(&self, target: &DialTarget) -> String {
        let operators = self.routes.groups.values().flat_map(|group| &group.operators);
        let operator = operators.into_iter().find(|operator| operator.target == *target);
        let extension = || self.routes.extensions.iter().find(|(_, known)| *known == target).map(|(name, _)| name);
        let name = operator.map(|operator| &operator.name).or_else(extension);
        let centre = &self.routes.centre;
        let of_queue = || {
            let operator = centre.operators.values().find(|operator| operator.target == *target);
            operator.map(|operator| operator.name.to_string())
        };
        let peer = || centre.peers.values().find(|peer| peer.target == *target).map(|peer| peer.name.to_string());
        name.map(ToString::to_string).or_else(of_queue).or_else(peer).unwrap_or_else(|| target.address.masked())
    }

    /// How somebody behaves: as told, else by answering.
    pub(crate) fn operator(&mut self, name: &str) -> Behaviour {
        if self.unreachable.iter().any(|gone| gone.as_str() == name) {
            return Behaviour::rejects(480);
        }
        let behaviour = self.operators.get(name).cloned().unwrap_or_else(Behaviour::answers);
        behaviour.this_time(&mut self.dice)
    }

    pub(crate) fn recording(&self, name: &str) -> Duration {
        const UNKNOWN: Duration = Duration::from_secs(2);
        self.recordings.get(name).copied().unwrap_or(UNKNOWN)
    }
}
