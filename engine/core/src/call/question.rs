//! Collects: attempts, repeats, type-ahead and timers around one [`Entry`] at a time.

use super::input::{KeySource, MediaCommand, TranscriptLine};
use super::{CallMachine, Initiator, Operation, Pending};
use crate::collect::{Entry, Rules, Step};
use crate::ids::LegId;
use crate::input::{CollectOptions, Outcome};
use crate::privacy::Keys;
use crate::prompt::{HostPrompt, PromptSource};
use crate::script::{CallError, Reply};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// Keys that nothing has asked for yet. Shows their number only: a sensitive question may be the one that asks.
#[derive(Default)]
pub(super) struct KeysAhead(VecDeque<char>);

impl KeysAhead {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn first(&self) -> Option<char> {
        self.0.front().copied()
    }

    pub(super) fn take_first(&mut self) -> Option<char> {
        self.0.pop_front()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl fmt::Debug for KeysAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} keys>", self.0.len())
    }
}

/// One collect.
#[derive(Debug)]
pub(super) struct Question {
    options: CollectOptions,
    words: Words,
    /// From 1.
    attempt: u8,
    entry: Entry,
    phase: Phase,
}

/// In whose words a question is asked.
#[derive(Debug)]
pub(super) enum Words {
    /// Those of its options.
    Script,
    /// The host's.
    Host {
        ask: Vec<PromptSource>,
        /// Said before it is asked again.
        no_input: Option<HostPrompt>,
        no_match: Option<HostPrompt>,
        /// Silence is an answer, and is not asked about.
        silence_ends: bool,
    },
}

#[derive(Debug)]
enum Phase {
    /// The prompt plays; with `barge_in` a key ends it.
    Prompting {
        barge_in: bool,
    },
    Listening {
        deadline: Timestamp,
    },
}

/// Why a question is asked again.
#[derive(Clone, Copy)]
enum Again {
    First,
    NoInput,
    NoMatch,
}

impl Question {
    /// One that has not been asked yet; [`CallMachine::ask_first`] begins it.
    pub(super) fn in_words(options: CollectOptions, words: Words) -> Self {
        Self { options, words, attempt: 0, entry: Entry::new(), phase: Phase::Prompting { barge_in: true } }
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Prompting { .. } => None,
            Phase::Listening { deadline } => Some(deadline),
        }
    }

    pub(super) fn delay(&mut self, by: Duration) {
        if let Phase::Listening { deadline } = &mut self.phase {
            *deadline = *deadline + by;
        }
    }

    pub(super) const fn is_sensitive(&self) -> bool {
        self.options.sensitive
    }

    fn sources(&self, again: Again) -> (Vec<PromptSource>, bool) {
        if let Words::Host { ask, no_input, no_match, .. } = &self.words {
            let first = match again {
                Again::First => None,
                Again::NoInput => no_input.clone(),
                Again::NoMatch => no_match.clone(),
            };
            return (first.map(PromptSource::Host).into_iter().chain(ask.iter().cloned()).collect(), true);
        }
        let retry = &self.options.retry;
        let first = match again {
            Again::First => None,
            Again::NoInput => retry.no_input.clone(),
            Again::NoMatch => retry.no_match.clone(),
        };
        let prompts: Vec<_> = first.into_iter().chain(self.options.prompt.clone()).collect();
        let barge_in = prompts.iter().all(|prompt| prompt.barge_in.dtmf);
        (prompts.into_iter().map(PromptSource::Script).collect(), barge_in)
    }
}

impl CallMachine {
    /// Begins a collect as the pending operation.
    pub(super) fn ask(&mut self, initiator: Initiator, options: CollectOptions, now: Timestamp) {
        self.ask_question(initiator, Question::in_words(options, Words::Script), now);
    }

    /// Begins a question as the pending operation.
    pub(super) fn ask_question(&mut self, initiator: Initiator, question: Question, now: Timestamp) {
        self.pending = Some(Pending { initiator, operation: Operation::Ask(Box::new(question)) });
        self.ask_first(now);
    }

    /// Asks a question that is inside a pending operation for the first time.
    pub(super) fn ask_first(&mut self, now: Timestamp) {
        if self.question_mut().is_some_and(|question| question.is_sensitive()) {
            self.media_command(LegId::FIRST, MediaCommand::Mask(true));
        }
        self.ask_again(Again::First, now);
    }

    fn ask_again(&mut self, again: Again, now: Timestamp) {
        let Some(question) = self.question_mut() else { return };
        question.attempt += 1;
        question.entry = Entry::new();
        let (sources, barge_in) = question.sources(again);
        // Who knows the menu has pressed ahead and is not made to listen.
        let skip = sources.is_empty() || (barge_in && !self.keys_ahead.is_empty());
        self.transcribe(TranscriptLine::Collect);
        if skip {
            self.listen(now);
            return;
        }
        if let Some(question) = self.question_mut() {
            question.phase = Phase::Prompting { barge_in };
        }
        self.play_foreground(sources, barge_in);
    }

    /// The question's prompt is over, or could not be played.
    pub(super) fn question_prompt_ended(&mut self, error: Option<CallError>, now: Timestamp) {
        let prompting = self.question_mut().is_some_and(|question| matches!(question.phase, Phase::Prompting { .. }));
        if !prompting {
            return;
        }
        let hosts = self.question_mut().is_some_and(|question| matches!(question.words, Words::Host { .. }));
        match error {
            Some(error) if !hosts => self.question_over(Err(error), now),
            // Words of the host's that could not be said do not end what it does for the caller.
            _ => self.listen(now),
        }
    }

    /// A key for the pending question.
    pub(super) fn question_key(&mut self, key: char, source: KeySource, now: Timestamp) {
        match self.question_mut().map(|question| &question.phase) {
            Some(Phase::Prompting { barge_in: false }) => self.keep_key(key),
            Some(Phase::Prompting { barge_in: true }) => {
                self.interrupt_foreground(key, source);
                // It is stopped, by the media room or on our word; its report finds nobody waiting.
                self.release_foreground();
                self.keys_ahead.0.push_back(key);
                self.listen(now);
            }
            Some(Phase::Listening { .. }) => {
                self.feed(key, now);
            }
            None => self.keep_key(key),
        }
    }

    pub(super) fn question_timeout(&mut self, now: Timestamp) {
        if self.question_mut().is_none() {
            return;
        }
        let step = self.with_entry(Entry::timeout);
        self.take_step(step, now);
    }

    fn listen(&mut self, now: Timestamp) {
        let clock = self.caller_clock(now);
        let patience = self.patience();
        let Some(question) = self.question_mut() else { return };
        question.phase = Phase::Listening { deadline: clock + question.options.first_timeout * patience };
        self.offer_heard();
        while let Some(key) = self.keys_ahead.take_first() {
            if self.feed(key, now) {
                return;
            }
        }
    }

    /// Feeds one key; true if it ended this attempt.
    fn feed(&mut self, key: char, now: Timestamp) -> bool {
        let step = self.with_entry(|entry, rules| entry.push(key, rules));
        let ended = !matches!(step, Step::More);
        self.take_step(step, now);
        ended
    }

    fn take_step(&mut self, step: Step, now: Timestamp) {
        match step {
            Step::More => {
                let clock = self.caller_clock(now);
                let patience = self.patience();
                if let Some(question) = self.question_mut() {
                    question.phase = Phase::Listening { deadline: clock + question.options.inter_digit * patience };
                }
            }
            Step::Answer(mut collected) => {
                collected.attempt = self.question_mut().map_or(1, |question| question.attempt);
                self.question_over(Ok(Outcome::Ok(collected)), now);
            }
            Step::Global(value) => self.question_over(Ok(Outcome::Global(value)), now),
            Step::NoInput => self.failed_attempt(Again::NoInput, None, now),
            Step::NoMatch(keys) => {
                // What was typed ahead was meant for another place in the menu.
                self.keys_ahead.clear();
                self.failed_attempt(Again::NoMatch, Some(keys), now);
            }
        }
    }

    fn failed_attempt(&mut self, again: Again, keys: Option<Keys>, now: Timestamp) {
        let silent = matches!(again, Again::NoInput);
        let more = self.question_mut().is_some_and(|question| {
            let ends = silent && matches!(question.words, Words::Host { silence_ends: true, .. });
            !ends && question.attempt < question.options.retry.attempts
        });
        if more {
            self.ask_again(again, now);
        } else {
            self.question_over(Ok(keys.map_or(Outcome::NoInput, Outcome::NoMatch)), now);
        }
    }

    fn question_over(&mut self, result: Result<Outcome, CallError>, now: Timestamp) {
        self.unmask();
        if matches!(self.pending_operation(), Some(Operation::Record(_))) {
            self.consent_given(result, now);
        } else if matches!(self.pending_operation(), Some(Operation::Dialog(_))) {
            self.dialog_answered(result, now);
        } else {
            self.finish(result.map(Reply::Outcome), now);
        }
    }

    /// What is recorded is heard again: the sensitive question, if it was one, is over.
    pub(super) fn unmask(&mut self) {
        if self.question_mut().is_some_and(|question| question.is_sensitive()) {
            self.media_command(LegId::FIRST, MediaCommand::Mask(false));
        }
    }

    fn with_entry(&mut self, step: impl FnOnce(&mut Entry, Rules<'_>) -> Step) -> Step {
        let routes = std::sync::Arc::clone(&self.start.routes);
        let Some(question) = self.question_mut() else { return Step::NoInput };
        let rules = Rules {
            grammar: &question.options.grammar,
            global_keys: &question.options.global_keys,
            plan: &routes.plan,
        };
        step(&mut question.entry, rules)
    }

    /// The question that is being asked: a collect's, or the consent to a recording.
    pub(super) fn question_mut(&mut self) -> Option<&mut Question> {
        match &mut self.pending.as_mut()?.operation {
            Operation::Ask(question) => Some(question),
            Operation::Record(message) => message.consent_question_mut(),
            Operation::Dialog(dialog) => dialog.question_mut(),
            _ => None,
        }
    }

    /// Keeps a key that nobody waits for yet.
    pub(super) fn keep_key(&mut self, key: char) {
        if self.landing.is_none() && self.keys_ahead.0.len() < self.start.limits.keys_ahead_max {
            self.keys_ahead.0.push_back(key);
        }
    }
}

/// Checks what a script asks, before it is asked of a person.
pub(super) fn check(options: &CollectOptions, limits: &super::CallLimits) -> Result<(), CallError> {
    use crate::input::Grammar;
    let invalid = |what: &str| Err(CallError::Invalid(what.to_owned()));
    if !options.dtmf {
        return invalid("modes: no speech recogniser is configured; allow keys");
    }
    if !(1..=10).contains(&options.retry.attempts) {
        return invalid("retry.attempts: from 1 to 10");
    }
    super::within("first-timeout", options.first_timeout, limits.first_key_timeout_max)?;
    super::within("inter-digit", options.inter_digit, limits.inter_digit_timeout_max)?;
    match &options.grammar {
        Grammar::Digits { min, max, .. } if min > max || *max == 0 => {
            invalid("grammar.digits: min is above max, or max is 0")
        }
        Grammar::Digits { max, .. } if usize::from(*max) > crate::collect::ENTRY_KEYS_MAX => {
            invalid("grammar.digits: max is above 64")
        }
        Grammar::Choices(choices) if choices.is_empty() && options.global_keys.is_empty() => {
            invalid("grammar.choices: there is no choice")
        }
        Grammar::Choices(choices) if choices.iter().any(|choice| !is_key_row(&choice.key)) => {
            invalid("grammar.choices: a key is 1 to 8 of 0-9 * # A-D")
        }
        Grammar::FreeSpeech(_) => Err(CallError::BusyResource("no speech recogniser is configured".into())),
        _ if options.global_keys.iter().any(|choice| choice.key.chars().count() != 1) => {
            invalid("global-keys: each is one key")
        }
        _ => Ok(()),
    }
}

fn is_key_row(keys: &str) -> bool {
    (1..=8).contains(&keys.len()) && keys.chars().all(|key| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D'))
}
