//! Decides as a conversation has it, and notes where the call departs from it.
//!
//! What the caller does divides a conversation into stretches. What the script says in one has to come in its order, and so
//! has what back ends, operators and queues do; one with the other it may come as it likes: a request that goes out in the
//! background meets no prompt at a certain place. The caller goes on once everything before it has come.

use super::super::coverage::QUESTION_CHARS_MAX;
use super::super::matching::words;
use super::super::request::{is_path, path_of};
use super::super::{Conversation, Expected, Setting, Step, Tongue, text};
use super::told::{Departure, Told, Who, has, text as value_text};
use super::{Keys, Reached};
use gudok_core::input::Grammar;
use gudok_core::time::Timestamp;
use gudok_simulator::Line;
use gudok_simulator::decide::{
    BackEndChoice, Decider, Decision, DirectoryChoice, Fetches, Moment, Question, QueueChoice, TransferChoice,
};
use serde_json::Value;
use std::time::Duration;

/// A request is shown with so much of its body.
const BODY_SHOWN_CHARS_MAX: usize = 200;

#[derive(Debug)]
pub(super) struct Judge {
    /// Those that happen; what must be true then comes after them.
    steps: Vec<Step>,
    done: Vec<bool>,
    ready: Vec<Setting>,
    /// The stretch begins here.
    from: usize,
    /// What was said in it.
    heard: Vec<Heard>,
    /// So many of these are accounted for.
    matched: usize,
    began: Option<Timestamp>,
    talks: Option<Duration>,
    pub(super) departure: Option<Departure>,
    pub(super) told: Vec<Told>,
    /// All that was said, in order.
    pub(super) said: Vec<String>,
    pub(super) connected: Vec<String>,
    pub(super) reached: Reached,
    tongue: Tongue,
}

#[derive(Debug)]
struct Heard {
    text: String,
    asks: bool,
}

impl Judge {
    pub(super) fn new(conversation: &Conversation) -> Self {
        let steps: Vec<Step> = conversation.steps.iter().filter(|step| !step.is_then()).cloned().collect();
        let cyrillic = conversation.title.chars().any(|c| ('а'..='я').contains(&c.to_lowercase().next().unwrap_or(c)));
        let ready = |setting: &&Setting| matches!(setting, Setting::BackEndAnswers { .. });
        Self {
            done: vec![false; steps.len()],
            steps,
            ready: conversation.settings.iter().filter(ready).cloned().collect(),
            from: 0,
            heard: Vec::new(),
            matched: 0,
            began: None,
            talks: None,
            departure: None,
            told: Vec::new(),
            said: Vec::new(),
            connected: Vec::new(),
            reached: Reached::default(),
            tongue: if cyrillic { Tongue::Russian } else { Tongue::English },
        }
    }

    /// A step as it is written.
    pub(super) fn shown(&self, step: &Step) -> String {
        text::step(step, self.tongue)
    }

    /// The caller's next step.
    fn act(&self) -> usize {
        let callers = |at: &usize| self.steps[*at].is_callers();
        (self.from..self.steps.len()).find(callers).unwrap_or(self.steps.len())
    }

    /// Whether all before that step has come; else the first that has not.
    fn settle(&mut self, act: usize) -> Result<(), usize> {
        for at in self.from..act {
            if self.done[at] {
                continue;
            }
            let (Step::Says { words } | Step::Asks { words }) = &self.steps[at] else { return Err(at) };
            let (expected, asks) = (Expected::new(words), matches!(self.steps[at], Step::Asks { .. }));
            let fits = |heard: &Heard| (heard.asks || !asks) && expected.is_said_in(&heard.text);
            let place = self.heard[self.matched..].iter().position(fits).ok_or(at)?;
            self.matched += place + 1;
            self.done[at] = true;
        }
        Ok(())
    }

    fn pass(&mut self, act: usize) {
        self.done[act] = true;
        self.from = act + 1;
        self.heard.clear();
        self.matched = 0;
    }

    fn depart(&mut self, departure: Departure) -> Decision {
        let told = self.told.len();
        self.departure.get_or_insert(Departure { told, ..departure });
        Decision::HangUp
    }

    /// That step has not come, but this.
    fn departs(&self, at: usize, came: &str) -> Departure {
        let step = &self.steps[at];
        let mut departure = Departure::new(self.shown(step), came).at(at);
        let (Step::Says { words: expected } | Step::Asks { words: expected }) = step else { return departure };
        let left = &self.heard[self.matched..];
        let wanted = words(expected);
        let likeness = |heard: &&Heard| words(&heard.text).iter().filter(|word| wanted.contains(word)).count();
        let asks = matches!(step, Step::Asks { .. });
        let asked_before = at > 0 && matches!(self.steps[at - 1], Step::Asks { .. }) && self.done[at - 1];
        let Some(nearest) = left.iter().max_by_key(likeness) else {
            if asked_before {
                return departure.remedy("The script waits for keys: say before this line what the caller does.");
            }
            return departure;
        };
        departure.words = Some((expected.clone(), nearest.text.clone()));
        let words_fit = Expected::new(expected).is_said_in(&nearest.text);
        if asks && words_fit {
            departure.came = "that is said, but no key is waited for".into();
            departure.words = None;
            return departure.remedy("Write `script says`: it asks for nothing.");
        }
        if Expected::new(expected).anywhere().is_said_in(&nearest.text) {
            return departure.remedy("These words are a part of it: put … where words are left out.");
        }
        departure
    }

    fn asked(&mut self, question: &Question) -> Decision {
        if let Some(last) = self.heard.last_mut() {
            last.asks = true;
        }
        let act = self.act();
        if let Err(at) = self.settle(act) {
            let departure = self.departs(at, "the script waits for keys");
            return self.depart(departure);
        }
        let decision = match self.steps.get(act) {
            None => Decision::HangUp,
            Some(Step::Presses { keys }) => Decision::Keys(keys.clone()),
            Some(Step::Silent) => Decision::Silence,
            Some(Step::HangsUp) => Decision::HangUp,
            Some(_) => {
                let remedy = "Write `caller presses`, `caller is silent` or `caller hangs up`.";
                let departure = self.departs(act, "the script waits for keys").remedy(remedy);
                return self.depart(departure);
            }
        };
        self.note(question, &decision);
        if act < self.steps.len() {
            self.pass(act);
        }
        decision
    }

    /// For the coverage.
    fn note(&mut self, question: &Question, decision: &Decision) {
        let named = match &question.said.step {
            Some(step) if !step.is_empty() => step.to_string(),
            _ => question.said.text.chars().take(QUESTION_CHARS_MAX).collect(),
        };
        let choices = match &question.grammar {
            Grammar::Choices(choices) => choices.iter().map(|choice| choice.key.clone()).collect(),
            Grammar::YesNo => vec!["1".to_owned(), "2".to_owned()],
            _ => Vec::new(),
        };
        let global = question.global_keys.iter().map(|choice| choice.key.clone());
        let keys: &mut Keys = self.reached.questions.entry(named).or_default();
        keys.taken.extend(choices.into_iter().chain(global));
        if let Decision::Keys(pressed) = decision
            && keys.taken.contains(pressed)
        {
            keys.pressed.insert(pressed.clone());
        }
    }

    /// While something is said, rings or is waited for.
    fn meanwhile(&mut self) -> Decision {
        let act = self.act();
        let decision = match self.steps.get(act) {
            Some(Step::HangsUp) => Decision::HangUp,
            Some(Step::Interrupts { keys }) => Decision::Ahead(keys.clone()),
            _ => return Decision::GoOn,
        };
        if self.settle(act).is_err() {
            return Decision::GoOn;
        }
        self.pass(act);
        decision
    }

    fn records(&mut self) -> Decision {
        let act = self.act();
        if let Err(at) = self.settle(act) {
            let departure = self.departs(at, "the script records a message");
            return self.depart(departure);
        }
        let decision = match self.steps.get(act) {
            None | Some(Step::HangsUp) => Decision::HangUp,
            Some(Step::Speaks { seconds }) => Decision::Speak(Duration::from_secs((*seconds).into())),
            Some(Step::Silent) => Decision::Speak(Duration::ZERO),
            Some(Step::Presses { keys }) => Decision::Keys(keys.clone()),
            Some(_) => {
                let departure =
                    self.departs(act, "the script records a message").remedy("Write `caller speaks 5 seconds`.");
                return self.depart(departure);
            }
        };
        if act < self.steps.len() {
            self.pass(act);
        }
        decision
    }

    /// The next step in this stretch that is of some kind.
    fn next(&self, of_kind: impl Fn(&Step) -> bool) -> Option<usize> {
        (self.from..self.act()).find(|at| !self.done[*at] && of_kind(&self.steps[*at]))
    }

    fn fetches(&mut self, fetches: &Fetches) -> Decision {
        let method = fetches.method.as_str();
        let shown = shown_request(method, fetches);
        self.tell(Who::BackEnd, format!("is asked: {shown}"));
        let next = self.next(|step| {
            matches!(step, Step::BackEndAnswers { .. } | Step::BackEndFails { .. } | Step::BackEndNeverAnswers { .. })
        });
        if let Some(at) = next
            && let Some((sent, answer)) = answer(&self.steps[at], method, &fetches.url)
        {
            self.done[at] = true;
            let body = serde_json::from_slice(&fetches.body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&fetches.body).into_owned()));
            if let Some(expected) = sent
                && !has(&body, &expected)
            {
                let departure = self.departs(at, &format!("it was sent {}", cut(&value_text(&body))));
                self.depart(departure);
                return Decision::GoOn;
            }
            self.tell(Who::BackEnd, in_words(&answer));
            return Decision::BackEnd(answer);
        }
        let ready = self.ready.iter().find_map(|setting| match setting {
            Setting::BackEndAnswers { method: of, path, status, body }
                if of == method && is_path(path, &fetches.url) =>
            {
                Some(BackEndChoice::Answers(*status, body.as_ref().map(value_text).unwrap_or_default()))
            }
            _ => None,
        });
        if let Some(answer) = ready {
            self.tell(Who::BackEnd, in_words(&answer));
            return Decision::BackEnd(answer);
        }
        let path = path_of(&fetches.url);
        let line = match self.tongue {
            Tongue::English => format!("back end {method} {path} answers 200 {{…}}"),
            Tongue::Russian => format!("система {method} {path} отвечает 200 {{…}}"),
        };
        let departure = match next {
            Some(at) => self.departs(at, &format!("the script asks its back end {shown}")),
            None => Departure::new("no request to a back end", format!("the script asks its back end {shown}")),
        };
        self.depart(departure.remedy(format!("Say what it answers, where it happens or above all steps: {line}")));
        Decision::GoOn
    }

    fn people(&mut self, target: &str, of_kind: impl Fn(&Step) -> bool, usual: Decision) -> Decision {
        let Some(at) = self.next(of_kind) else {
            if matches!(self.steps.get(self.act()), Some(Step::HangsUp)) && self.meanwhile() == Decision::HangUp {
                return Decision::HangUp;
            }
            self.talks = None;
            self.connected.push(target.to_owned());
            return usual;
        };
        self.done[at] = true;
        self.talks = None;
        match &self.steps[at] {
            Step::OperatorAnswers { seconds } | Step::QueueAnswers { seconds } => {
                self.talks = seconds.map(|seconds| Duration::from_secs(seconds.into()));
                self.connected.push(target.to_owned());
                usual
            }
            Step::OperatorBusy => Decision::Transfer(TransferChoice::Busy),
            Step::OperatorSilent => Decision::Transfer(TransferChoice::NoAnswer),
            Step::OperatorRejects => Decision::Transfer(TransferChoice::Rejected),
            Step::OperatorUnreachable => Decision::Transfer(TransferChoice::Unavailable),
            Step::OperatorMissing => Decision::Transfer(TransferChoice::Failed),
            Step::OperatorsClosed => Decision::Transfer(TransferChoice::Closed),
            Step::QueueNobody => Decision::Queue(QueueChoice::Nobody),
            Step::QueueClosed => Decision::Queue(QueueChoice::Closed),
            Step::QueueFull => Decision::Queue(QueueChoice::Full),
            Step::QueueMissing => Decision::Queue(QueueChoice::Failed),
            _ => Decision::GoOn,
        }
    }

    fn fails(&mut self, step: &Step, decision: Decision) -> Decision {
        match self.next(|next| next == step) {
            Some(at) => {
                self.done[at] = true;
                decision
            }
            None => Decision::GoOn,
        }
    }

    fn tell(&mut self, who: Who, text: String) {
        let at_ms = self.told.last().map_or(0, |told| told.at_ms);
        self.told.push(Told { at_ms, who, text });
    }

    /// The call is over: what has not come does not come.
    pub(super) fn ends(&mut self, came: &str) {
        if self.departure.is_some() {
            return;
        }
        let act = self.act();
        let missing = self.settle(act).err().or((act < self.steps.len()).then_some(act));
        if let Some(at) = missing {
            let departure = self.departs(at, came);
            self.depart(departure);
        }
    }
}

impl Decider for Judge {
    fn decide(&mut self, moment: &Moment) -> Decision {
        if self.departure.is_some() {
            return Decision::HangUp;
        }
        match moment {
            Moment::Asked(question) => self.asked(question),
            Moment::Heard(_) => self.meanwhile(),
            Moment::Records { .. } => self.records(),
            Moment::Fetches(fetches) => self.fetches(fetches),
            Moment::Transfers(transfers) => {
                let of_kind = |step: &Step| {
                    matches!(
                        step,
                        Step::OperatorAnswers { .. }
                            | Step::OperatorBusy
                            | Step::OperatorSilent
                            | Step::OperatorRejects
                            | Step::OperatorUnreachable
                            | Step::OperatorMissing
                            | Step::OperatorsClosed
                    )
                };
                self.people(&transfers.target.label(), of_kind, Decision::Transfer(TransferChoice::Answered))
            }
            Moment::Waits(waits) => {
                let of_kind = |step: &Step| {
                    matches!(
                        step,
                        Step::QueueAnswers { .. }
                            | Step::QueueNobody
                            | Step::QueueClosed
                            | Step::QueueFull
                            | Step::QueueMissing
                    )
                };
                self.people(&waits.queue, of_kind, Decision::Queue(QueueChoice::Answered))
            }
            Moment::Stores(_) => self.fails(&Step::StorageUnavailable, Decision::NoStore),
            Moment::Promises(_) => self.fails(&Step::PromisesUnavailable, Decision::NoPromise),
            Moment::Directory(_) => {
                let nothing = self.fails(&Step::DirectoryKnowsNothing, Decision::Directory(DirectoryChoice::Nothing));
                match nothing {
                    Decision::GoOn => {
                        let decision = Decision::Directory(DirectoryChoice::Unavailable);
                        self.fails(&Step::DirectoryUnavailable, decision)
                    }
                    nothing => nothing,
                }
            }
        }
    }

    fn talks(&mut self) -> Option<Duration> {
        self.talks.take()
    }

    fn line(&mut self, line: &Line) {
        // Calls back come after the conversation.
        if line.call > 0 {
            return;
        }
        let began = *self.began.get_or_insert(line.at);
        let at_ms = u64::try_from(line.at.since(began).as_millis()).unwrap_or(u64::MAX);
        let (who, text) = if let Some(said) = line.text.strip_prefix("host: ") {
            self.heard.push(Heard { text: said.to_owned(), asks: false });
            self.said.push(said.to_owned());
            (Who::Script, said)
        } else if let Some(did) = line.text.strip_prefix("caller: ") {
            (Who::Caller, did)
        } else if let Some(name) = line.text.strip_prefix("caller ↔ ") {
            self.connected.push(name.to_owned());
            (Who::Operator, line.text.as_str())
        } else if let Some(did) = line.text.strip_prefix("caller ") {
            (Who::Caller, did)
        } else {
            (Who::World, line.text.as_str())
        };
        // Keys come one by one, and are told as one row.
        match self.told.last_mut() {
            Some(last) if who == Who::Caller && last.who == who && is_keys(text) && is_keys(&last.text) => {
                last.text.push_str(text);
            }
            _ => self.told.push(Told { at_ms, who, text: text.to_owned() }),
        }
    }
}

fn is_keys(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D'))
}

/// What must have been sent, and the answer, if the step is for that request.
fn answer(step: &Step, method: &str, url: &str) -> Option<(Option<Value>, BackEndChoice)> {
    let (of, path, sent, answer) = match step {
        Step::BackEndAnswers { method, path, sent, status, body } => {
            (method, path, sent, BackEndChoice::Answers(*status, body.as_ref().map(value_text).unwrap_or_default()))
        }
        Step::BackEndFails { method, path, sent } => (method, path, sent, BackEndChoice::Unreachable),
        Step::BackEndNeverAnswers { method, path, sent } => (method, path, sent, BackEndChoice::Hangs),
        _ => return None,
    };
    (of == method && is_path(path, url)).then(|| (sent.clone(), answer))
}

fn shown_request(method: &str, fetches: &Fetches) -> String {
    let body = String::from_utf8_lossy(&fetches.body);
    let blank = if body.is_empty() { "" } else { " " };
    format!("{method} {}{blank}{}", path_of(&fetches.url), cut(&body))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(BODY_SHOWN_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn in_words(answer: &BackEndChoice) -> String {
    match answer {
        BackEndChoice::Answers(status, body) => format!("answers {status} {}", cut(body)).trim_end().to_owned(),
        BackEndChoice::Unreachable => "cannot be reached".into(),
        BackEndChoice::Hangs => "never answers".into(),
        BackEndChoice::Nonsense => "answers nonsense".into(),
    }
}
