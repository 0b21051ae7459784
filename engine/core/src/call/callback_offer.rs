//! The host's own dialog about a callback: at this number, at another, or not at all. The same at the queue's limit, for a
//! landed caller at night, on the callback number, and where a script leaves it to the host.
//!
//! A number that is entered is normalised, read back digit by digit, and booked only after the caller's one. Silence is
//! never a yes.

use super::input::Command;
use super::question::{Question, Words};
use super::waiting::WaitStage;
use super::{CallMachine, Initiator, Operation, Pending};
use crate::centre::{CallbackOrigin, CallbackReceipt, CallbackRefusal, LeaveReason, QueueOrder, SkillWish};
use crate::ids::Queue;
use crate::input::{Choice, CollectOptions, Grammar, Outcome, Retry, Value};
use crate::privacy::PhoneNumber;
use crate::prompt::{Date, HostPrompt, Prompt, PromptSource};
use crate::records::QueueOutcome;
use crate::script::{CallError, CallbackOffer, Reply};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// After the offer.
const CHOICE_TIMEOUT: Duration = Duration::from_secs(5);
/// For the first digit of a number.
const NUMBER_TIMEOUT: Duration = Duration::from_secs(10);
const DIGIT_TIMEOUT: Duration = Duration::from_secs(5);
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(7);
/// Of each question.
const ATTEMPTS: u8 = 2;
/// Numbers that a caller may enter in one dialog.
const NUMBERS_MAX: u8 = 3;

/// What the callback is about.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) queue: Queue,
    pub(super) topic: Arc<str>,
    pub(super) fields: Vec<(Arc<str>, Arc<str>)>,
    pub(super) skills: Vec<SkillWish>,
    pub(super) waited_since: Option<Timestamp>,
    pub(super) earliest: Option<Timestamp>,
}

impl Wanted {
    pub(super) fn of(queue: Queue) -> Self {
        Self { queue, topic: Arc::from(""), fields: Vec::new(), skills: Vec::new(), waited_since: None, earliest: None }
    }
}

/// Why the host asks.
#[derive(Clone, Debug)]
pub(super) enum Because {
    /// The wait is coming to its limit.
    Limit,
    /// As many wait as may.
    Full,
    /// Nobody works now.
    Closed { opens: Option<Arc<str>> },
    /// The callback number was dialled.
    Number,
    /// A script left it to the host; in its words, where it has some.
    Script { intro: Option<Arc<Prompt>> },
}

/// The dialog.
#[derive(Debug)]
pub(super) struct Dialog {
    because: Because,
    wanted: Wanted,
    step: Step,
    /// Numbers entered so far.
    entered: u8,
    /// The offer was heard.
    heard: bool,
}

#[derive(Debug)]
enum Step {
    Choosing(Box<Question>),
    Entering(Box<Question>),
    Confirming(Box<Question>, PhoneNumber),
    /// It is being written down.
    Booking,
    /// By when.
    Telling(CallbackReceipt),
    /// Nothing came of it; the last words.
    Declining,
}

impl Dialog {
    pub(super) fn question(&self) -> Option<&Question> {
        match &self.step {
            Step::Choosing(question) | Step::Entering(question) | Step::Confirming(question, _) => Some(question),
            Step::Booking | Step::Telling(_) | Step::Declining => None,
        }
    }

    pub(super) fn question_mut(&mut self) -> Option<&mut Question> {
        match &mut self.step {
            Step::Choosing(question) | Step::Entering(question) | Step::Confirming(question, _) => Some(question),
            Step::Booking | Step::Telling(_) | Step::Declining => None,
        }
    }
}

impl CallMachine {
    /// A script leaves the offer to the host.
    pub(super) fn offer_for_script(&mut self, initiator: Initiator, offer: CallbackOffer, now: Timestamp) {
        if self.booking.is_some() {
            let error = CallError::BusyResource("a callback is being written down; one at a time".into());
            self.answer(initiator, Err(error), now);
            return;
        }
        let in_wait =
            self.wanted_in_wait().filter(|wanted| self.waits_in(&wanted.queue) && wanted.queue == offer.queue);
        let kept = in_wait.unwrap_or_else(|| Wanted::of(offer.queue.clone()));
        let wanted = Wanted { topic: offer.topic, fields: offer.fields, ..kept };
        self.offer_callback(initiator, Because::Script { intro: offer.intro }, wanted, now);
    }

    fn waits_in(&self, queue: &Queue) -> bool {
        self.waiting.as_ref().is_some_and(|wait| wait.is_in_line() && wait.wish.queue == *queue)
    }

    /// Begins the dialog as the pending operation; it ends with [`Reply::CallbackOffered`].
    pub(super) fn offer_callback(&mut self, initiator: Initiator, because: Because, wanted: Wanted, now: Timestamp) {
        // What was pressed before the offer was meant for something else.
        self.keys_ahead.clear();
        let mut dialog = Dialog { because, wanted, step: Step::Declining, entered: 0, heard: false };
        let own_number = self.own_number();
        let known_caller = matches!(dialog.because, Because::Number);
        match own_number {
            // Whoever dialled the callback number has said already what is wanted.
            Some(number) if known_caller => {
                dialog.step = Step::Booking;
                let wanted = dialog.wanted.clone();
                self.pending = Some(Pending { initiator, operation: Operation::Dialog(Box::new(dialog)) });
                self.book(wanted, number, CallbackOrigin::Number, now);
            }
            None if known_caller => {
                self.pending = Some(Pending { initiator, operation: Operation::Dialog(Box::new(dialog)) });
                self.ask_number(None, now);
            }
            own_number => {
                dialog.step = Step::Choosing(Box::new(choice(&dialog.because, own_number.is_some())));
                self.pending = Some(Pending { initiator, operation: Operation::Dialog(Box::new(dialog)) });
                self.ask_first(now);
            }
        }
    }

    /// The caller has heard the offer: the limit is kept.
    pub(super) fn offer_heard(&mut self) {
        let Some(dialog) = self.dialog_mut() else { return };
        let first = matches!(dialog.step, Step::Choosing(_)) && !std::mem::replace(&mut dialog.heard, true);
        if first && self.waiting.as_ref().is_some_and(|wait| wait.stage == WaitStage::InLine) {
            self.command(Command::Queue(QueueOrder::CallbackOffered));
        }
    }

    fn ask_number(&mut self, before: Option<HostPrompt>, now: Timestamp) {
        let Some(dialog) = self.dialog_mut() else { return };
        dialog.entered += 1;
        if dialog.entered > NUMBERS_MAX {
            self.decline(HostPrompt::CallbackRefused);
            return;
        }
        let words = before.into_iter().chain([HostPrompt::CallbackEnterNumber]).collect();
        dialog.step = Step::Entering(Box::new(number(words)));
        self.ask_first(now);
    }

    /// A question of the dialog has its answer.
    pub(super) fn dialog_answered(&mut self, result: Result<Outcome, CallError>, now: Timestamp) {
        let own_number = self.own_number();
        let Some(dialog) = self.dialog_mut() else { return };
        let value = match result {
            Ok(Outcome::Ok(collected)) => Some(collected.value),
            _ => None,
        };
        match (&dialog.step, value) {
            (Step::Choosing(_), Some(Value::Text(choice))) => match own_number {
                Some(number) if choice == OWN => self.book_in_dialog(number, now),
                _ => self.ask_number(None, now),
            },
            // Nothing, or nothing that means anything: the caller would rather wait.
            (Step::Choosing(_), _) => self.dialog_over(None, now),
            (Step::Entering(_), Some(Value::Phone(number))) => {
                let question = confirmation(number.clone());
                dialog.step = Step::Confirming(Box::new(question), number);
                self.ask_first(now);
            }
            (Step::Confirming(_, number), Some(Value::Flag(true))) => {
                let number = number.clone();
                self.book_in_dialog(number, now);
            }
            (Step::Confirming(..), Some(Value::Flag(false))) => self.ask_number(None, now),
            _ => self.decline(HostPrompt::CallbackRefused),
        }
    }

    fn book_in_dialog(&mut self, number: PhoneNumber, now: Timestamp) {
        let Some(dialog) = self.dialog_mut() else { return };
        dialog.step = Step::Booking;
        let wanted = dialog.wanted.clone();
        let origin = match dialog.because {
            Because::Number => CallbackOrigin::Number,
            _ => CallbackOrigin::Offer,
        };
        self.book(wanted, number, origin, now);
    }

    /// It is promised, or is not.
    pub(super) fn dialog_booked(&mut self, result: Result<CallbackReceipt, CallbackRefusal>, now: Timestamp) {
        let Some(dialog) = self.dialog_mut() else { return };
        if !matches!(dialog.step, Step::Booking) {
            return;
        }
        match result {
            Ok(receipt) => {
                let queue = dialog.wanted.queue.clone();
                dialog.step = Step::Telling(receipt.clone());
                if self.waits_in(&queue) {
                    self.leave_line(QueueOutcome::Callback, Some(LeaveReason::Callback), now);
                }
                let promised = self.promised(&queue, receipt.due, now);
                self.play_foreground(vec![PromptSource::Host(promised)], false);
            }
            Err(CallbackRefusal::NotDialable) => self.ask_number(Some(HostPrompt::CallbackNotDialable), now),
            Err(_) => self.decline(HostPrompt::CallbackRefused),
        }
    }

    /// Nothing comes of it. Who still waits hears that the place is kept, whoever else that there is no promise.
    fn decline(&mut self, otherwise: HostPrompt) {
        let waits = self.waiting.as_ref().is_some_and(|wait| wait.is_in_line());
        let Some(dialog) = self.dialog_mut() else { return };
        dialog.step = Step::Declining;
        let words = if waits { HostPrompt::StayOnLine } else { otherwise };
        self.play_foreground(vec![PromptSource::Host(words)], false);
    }

    /// The dialog's own words are over, or those of its question.
    pub(super) fn dialog_prompt_ended(&mut self, error: Option<CallError>, now: Timestamp) {
        let Some(dialog) = self.dialog_mut() else { return };
        match &dialog.step {
            Step::Telling(receipt) => {
                let receipt = receipt.clone();
                self.dialog_over(Some(receipt), now);
            }
            Step::Declining => self.dialog_over(None, now),
            Step::Choosing(_) | Step::Entering(_) | Step::Confirming(..) => self.question_prompt_ended(error, now),
            Step::Booking => {}
        }
    }

    fn dialog_over(&mut self, receipt: Option<CallbackReceipt>, now: Timestamp) {
        self.finish(Ok(Reply::CallbackOffered(receipt)), now);
    }

    fn dialog_mut(&mut self) -> Option<&mut Dialog> {
        match &mut self.pending.as_mut()?.operation {
            Operation::Dialog(dialog) => Some(dialog),
            _ => None,
        }
    }

    /// By when, as the clock of the queue's calendar shows it.
    fn promised(&self, queue: &Queue, due: Timestamp, now: Timestamp) -> HostPrompt {
        let routes = &self.start.routes;
        let calendar = routes.centre.queues.get(queue).map(|queue| &queue.calendar);
        let fallback = || routes.groups.values().next().map(|group| &group.calendar);
        let Some(calendar) = calendar.or_else(fallback) else {
            // Nobody knows which clock the caller has.
            return HostPrompt::CallbackPromised { by: Arc::from(""), date: None };
        };
        let (due, today) = (calendar.local(due), calendar.local(now).date());
        let date = Date {
            year: u16::try_from(due.year()).unwrap_or_default(),
            month: u8::try_from(due.month()).unwrap_or_default(),
            day: u8::try_from(due.day()).unwrap_or_default(),
        };
        let by = Arc::from(format!("{:02}:{:02}", due.hour(), due.minute()));
        HostPrompt::CallbackPromised { by, date: (due.date() != today).then_some(date) }
    }

    /// The caller has dialled the callback number and is gone: what was not written down yet is.
    pub(super) fn book_for_number(&mut self, queue: Queue, now: Timestamp) {
        if self.booking.is_none()
            && self.legs.first().record.callback.is_none()
            && let Some(number) = self.own_number()
        {
            self.book(Wanted::of(queue), number, CallbackOrigin::Number, now);
        }
    }
}

const OWN: &str = "own";
const OTHER: &str = "other";

fn choice(because: &Because, own_number: bool) -> Question {
    let offer = PromptSource::Host(HostPrompt::CallbackOffer { own_number });
    let ask = match because {
        Because::Limit | Because::Number | Because::Script { intro: None } => vec![offer],
        Because::Full => vec![PromptSource::Host(HostPrompt::QueueFull), offer],
        Because::Closed { opens } => {
            vec![PromptSource::Host(HostPrompt::OperatorsClosed { opens: opens.clone() }), offer]
        }
        Because::Script { intro: Some(intro) } => vec![PromptSource::Script(Arc::clone(intro))],
    };
    let key = |key: &str, value: &str| Choice { key: key.into(), value: value.into(), phrases: Vec::new() };
    let grammar = Grammar::Choices(vec![key("1", OWN), key("2", OTHER)]);
    let words = Words::Host { ask, no_input: None, no_match: None, silence_ends: true };
    question(grammar, words, (CHOICE_TIMEOUT, CHOICE_TIMEOUT), false)
}

fn number(ask: Vec<HostPrompt>) -> Question {
    let words = Words::Host {
        ask: ask.into_iter().map(PromptSource::Host).collect(),
        no_input: Some(HostPrompt::NothingEntered),
        no_match: Some(HostPrompt::NotANumber),
        silence_ends: false,
    };
    // What is entered is masked like any other secret of the caller.
    question(Grammar::Phone, words, (NUMBER_TIMEOUT, DIGIT_TIMEOUT), true)
}

fn confirmation(number: PhoneNumber) -> Question {
    let ask = vec![PromptSource::Host(HostPrompt::CallbackReadBack { number })];
    let words = Words::Host { ask, no_input: None, no_match: None, silence_ends: false };
    question(Grammar::YesNo, words, (CONFIRM_TIMEOUT, CONFIRM_TIMEOUT), false)
}

fn question(grammar: Grammar, words: Words, (first, next): (Duration, Duration), sensitive: bool) -> Question {
    let options = CollectOptions {
        grammar,
        dtmf: true,
        speech: false,
        prompt: None,
        first_timeout: first,
        inter_digit: next,
        retry: Retry { attempts: ATTEMPTS, no_input: None, no_match: None },
        sensitive,
        global_keys: Vec::new(),
    };
    Question::in_words(options, words)
}
