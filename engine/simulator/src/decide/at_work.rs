//! Decisions at work: the moments of a call as they come, and what a decision does to it.

use super::moment::{AskedBy, Moment, Promised, Question, Spoken, Transfers, Waits};
use super::token::{Decision, QueueChoice, TransferChoice};
use super::twins;
use crate::call::{Happening, SimCall};
use crate::caller::Act;
use crate::operator::Operator as Behaviour;
use crate::props::Props;
use crate::stage::Stage;
use crate::words::Said;
use gudok_core::call::RecordingPlan;
use gudok_core::input::{Choice, CollectOptions, Grammar};
use gudok_core::prompt::{HostPrompt, LanguageTag, Pace, PromptSource};
use gudok_core::script::{Request, TransferMode, TransferTarget};
use std::sync::Arc;
use std::time::Duration;

/// Who waits and is neither answered nor asked gives up after so long.
const PATIENCE: Duration = Duration::from_mins(10);
/// A message of a caller of whom nothing is decided.
const MESSAGE: Duration = Duration::from_secs(5);
/// Before a message is ended by a key.
const SHORT_MESSAGE: Duration = Duration::from_secs(2);
/// A telephone that is not on the net.
const STATUS_UNAVAILABLE: u16 = 503;
const STATUS_DECLINED: u16 = 603;
const STATUS_BUSY: u16 = 486;
const STATUS_NO_ANSWER: u16 = 480;
const STATUS_OK: u16 = 200;

/// What of a call is left open.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// What the script asked last.
    collect: Option<(AskedBy, Box<CollectOptions>)>,
    /// Keys are waited for, since the last look.
    asked: bool,
    /// How often the present question was asked.
    attempt: u8,
    /// How often keys were waited for in all.
    asked_count: u32,
    /// A prompt began, since the last look.
    spoken: Option<Spoken>,
    /// The caller's next step was decided, not written down.
    step_is_decided: bool,
    /// How whoever is dialled behaves.
    people: Option<Behaviour>,
}

impl Open {
    pub(crate) fn people(&self) -> Option<Behaviour> {
        self.people.clone()
    }
}

impl SimCall {
    /// Keys are waited for from now on; a prompt may follow.
    pub(crate) fn collects(&mut self) {
        let open = &mut self.open;
        open.asked = true;
        open.attempt = open.attempt.saturating_add(1);
        open.asked_count += 1;
        open.spoken = None;
    }

    /// A prompt begins.
    pub(crate) fn speaks_to_caller(
        &mut self,
        sources: Vec<PromptSource>,
        lang: LanguageTag,
        said: Said,
        props: &Props,
    ) {
        let Said { text, lasts } = said;
        let step = props.step();
        self.open.spoken = Some(Spoken { text, sources, lang, lasts, step, ..Spoken::default() });
    }

    /// What began is played so.
    pub(crate) const fn plays_to_caller(&mut self, interruptible: bool, pace: Pace) {
        if let Some(spoken) = &mut self.open.spoken {
            (spoken.interruptible, spoken.pace) = (interruptible, pace);
        }
    }

    /// What is left open now is decided: one moment at a look.
    pub(crate) fn look_at_open(&mut self, props: &mut Props) {
        if props.decider.is_none() || !(self.open.asked || self.open.spoken.is_some()) {
            return;
        }
        let asked = std::mem::take(&mut self.open.asked) && self.person.asked;
        let spoken = self.open.spoken.take();
        if self.open.step_is_decided {
            self.open.step_is_decided = false;
            self.person.forgets();
        }
        if self.person.has_steps() {
            return;
        }
        let moment = match (asked, spoken) {
            (true, spoken) => Moment::Asked(self.question(spoken, props)),
            (false, Some(spoken)) => Moment::Heard(spoken),
            (false, None) => return,
        };
        let decision = props.decide(&moment);
        self.caller_decides(&decision);
    }

    fn caller_decides(&mut self, decision: &Decision) {
        self.open.step_is_decided = self.person.takes(decision);
    }

    fn question(&self, spoken: Option<Spoken>, props: &Props) -> Question {
        let said = spoken.unwrap_or_else(|| Spoken {
            lang: Arc::clone(self.machine.lang()),
            step: props.step(),
            ..Spoken::default()
        });
        let attempt = self.open.attempt.max(1);
        let by_host = said.sources.iter().any(|source| matches!(source, PromptSource::Host(_)));
        match &self.open.collect {
            Some((by, options)) if !by_host => Question {
                said,
                by: *by,
                grammar: options.grammar.clone(),
                global_keys: options.global_keys.clone(),
                sensitive: options.sensitive,
                attempt,
                attempts: options.retry.attempts,
                says_on_no_input: options.retry.no_input.is_some(),
                says_on_no_match: options.retry.no_match.is_some(),
                first_timeout: options.first_timeout,
            },
            _ => Question {
                grammar: host_grammar(&said.sources),
                said,
                by: AskedBy::Host,
                global_keys: Vec::new(),
                sensitive: false,
                attempt,
                attempts: 1,
                says_on_no_input: true,
                says_on_no_match: true,
                first_timeout: Duration::ZERO,
            },
        }
    }

    /// A message is recorded: for how long the caller speaks, and what ends it.
    pub(crate) fn message_decided(&mut self, plan: &RecordingPlan, props: &mut Props) -> Option<Duration> {
        if props.decider.is_none() || (self.person.has_steps() && !self.open.step_is_decided) {
            return None;
        }
        self.open.step_is_decided = false;
        self.person.forgets();
        let decision =
            props.decide(&Moment::Records { duration_max: plan.duration_max, stop_keys: plan.stop_keys.clone() });
        match decision {
            Decision::Speak(time) => Some(time),
            Decision::Keys(keys) => {
                self.caller_decides(&Decision::Ahead(keys));
                Some(SHORT_MESSAGE)
            }
            Decision::HangUp => {
                self.caller_decides(&Decision::HangUp);
                Some(SHORT_MESSAGE)
            }
            _ => Some(MESSAGE),
        }
    }

    /// The caller has waited long enough, if nothing came since.
    pub(crate) fn gives_up(&self, asked_count: u32) -> bool {
        self.open.asked_count == asked_count && !self.is_talking()
    }

    /// The caller is on the way out.
    pub(crate) fn leaves(&mut self) {
        self.person.forgets();
        self.caller_decides(&Decision::HangUp);
    }
}

impl Stage {
    /// What a script asks for, as it goes by what is decided.
    pub(crate) fn decided(&mut self, number: usize, mut request: Request) -> Request {
        if self.props.decider.is_none() {
            return request;
        }
        match &mut request {
            Request::Collect(options) => self.is_asked(number, AskedBy::Script, options.clone()),
            Request::NextKey { timeout } => {
                let options = one_key(*timeout);
                self.is_asked(number, AskedBy::Collector, Box::new(options));
            }
            Request::Transfer { target, options } => {
                let (mode, returns) = (options.mode, options.return_on_end);
                let moment =
                    Moment::Transfers(Transfers { target: target.clone(), mode, returns, step: self.props.step() });
                match self.props.decide(&moment) {
                    Decision::Transfer(choice) => self.transfer_goes(number, target, mode, choice),
                    decision => self.others_go(number, &decision),
                }
            }
            Request::Enqueue(wish) => {
                let moment = Moment::Waits(Waits {
                    queue: Arc::from(wish.queue.as_str()),
                    wait_max: wish.wait_max,
                    returns: wish.return_on_end,
                    step: self.props.step(),
                });
                let decision = self.props.decide(&moment);
                match &decision {
                    Decision::Queue(QueueChoice::Closed) => wish.queue = twins::closed_queue(&wish.queue),
                    Decision::Queue(QueueChoice::Full) => wish.queue = twins::full_queue(&wish.queue),
                    Decision::Queue(QueueChoice::Failed) => wish.queue = twins::no_queue(&wish.queue),
                    _ => {}
                }
                self.waits_go(number, &decision);
            }
            Request::BookCallback(wanted) => {
                let queue = Arc::from(wanted.queue.as_str());
                self.promise_goes(number, queue);
            }
            Request::OfferCallback(offer) => {
                let queue = Arc::from(offer.queue.as_str());
                self.promise_goes(number, queue);
            }
            _ => {}
        }
        request
    }

    fn is_asked(&mut self, number: usize, by: AskedBy, options: Box<CollectOptions>) {
        if let Some(call) = self.calls.get_mut(number) {
            call.open.collect = Some((by, options));
            call.open.attempt = 0;
        }
    }

    fn transfer_goes(
        &mut self,
        number: usize,
        target: &mut TransferTarget,
        mode: TransferMode,
        choice: TransferChoice,
    ) {
        let (people, status) = match choice {
            TransferChoice::Answered | TransferChoice::Closed | TransferChoice::Failed => {
                (self.props.answers(), STATUS_OK)
            }
            TransferChoice::Busy => (Behaviour::busy(), STATUS_BUSY),
            TransferChoice::NoAnswer => (Behaviour::no_answer(), STATUS_NO_ANSWER),
            TransferChoice::Rejected => (Behaviour::rejects(STATUS_DECLINED), STATUS_DECLINED),
            TransferChoice::Unavailable => (Behaviour::rejects(STATUS_UNAVAILABLE), STATUS_UNAVAILABLE),
        };
        match (choice, &*target) {
            (TransferChoice::Failed, _) => *target = twins::nobody(target),
            (TransferChoice::Closed, TransferTarget::Group(group)) => {
                *target = TransferTarget::Group(twins::closed_group(group));
            }
            // A telephone and a script have no hours.
            _ => {}
        }
        if let Some(call) = self.calls.get_mut(number) {
            call.open.people = Some(people);
            if mode == TransferMode::Blind {
                call.refer_status(status);
            }
        }
    }

    /// A queue's operators do by what is decided; who waits for nobody gives up at some time.
    fn waits_go(&mut self, number: usize, decision: &Decision) {
        let Some(call) = self.calls.get_mut(number) else { return };
        match decision {
            Decision::Queue(QueueChoice::Nobody) => {
                call.open.people = Some(Behaviour::no_answer());
                let gives_up = Happening::GivesUp(call.open.asked_count);
                self.props.plan(PATIENCE, number, gives_up);
            }
            Decision::Queue(_) => call.open.people = Some(self.props.answers()),
            _ => self.others_go(number, decision),
        }
    }

    fn others_go(&mut self, number: usize, decision: &Decision) {
        let Some(call) = self.calls.get_mut(number) else { return };
        call.open.people = None;
        if *decision == Decision::HangUp {
            call.leaves();
        }
    }

    fn promise_goes(&mut self, number: usize, queue: Arc<str>) {
        let decision = self.props.decide(&Moment::Promises(Promised::Callback(queue)));
        self.centre.nothing_is_kept = decision == Decision::NoPromise;
        if decision == Decision::HangUp {
            self.others_go(number, &decision);
        }
    }

    /// A port's decision was that the caller leaves.
    pub(crate) fn caller_leaves(&mut self, number: usize) {
        if std::mem::take(&mut self.desk.lock().leaves) && self.calls.get(number).is_some() {
            self.props.plan(Duration::ZERO, number, Happening::Caller(Act::HangUp));
        }
    }
}

/// What a collector waits for.
fn one_key(timeout: Duration) -> CollectOptions {
    CollectOptions {
        grammar: Grammar::Digits { min: 1, max: 1, terminators: String::new() },
        dtmf: true,
        speech: false,
        prompt: None,
        first_timeout: timeout,
        inter_digit: timeout,
        retry: gudok_core::input::Retry { attempts: 1, no_input: None, no_match: None },
        sensitive: false,
        global_keys: Vec::new(),
    }
}

/// What the host takes for an answer to its own words.
fn host_grammar(sources: &[PromptSource]) -> Grammar {
    let choices = |keys: &[(&str, &str)]| {
        let choice = |(key, value): &(&str, &str)| Choice {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            phrases: Vec::new(),
        };
        Grammar::Choices(keys.iter().map(choice).collect())
    };
    let mut hosts = sources.iter().rev().filter_map(|source| match source {
        PromptSource::Host(said) => Some(said),
        _ => None,
    });
    match hosts.next() {
        Some(HostPrompt::CallbackEnterNumber) => Grammar::Phone,
        Some(HostPrompt::CallbackReadBack { .. }) => Grammar::YesNo,
        Some(HostPrompt::CallbackOffer { own_number: true }) => choices(&[("1", "own-number"), ("2", "other-number")]),
        Some(HostPrompt::CallbackOffer { own_number: false }) => choices(&[("1", "other-number")]),
        _ => choices(&[("1", "yes")]),
    }
}
