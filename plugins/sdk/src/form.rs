//! Several questions as one: asked in order, with keys to hear one again and to go back, read back and confirmed.

use crate::ask::{Answer, Ask};
use crate::prompt::IntoPrompt;
use crate::{Call, Failure, Talk};
use core::cell::RefCell;
use std::rc::Rc;

/// How often the whole is asked where the caller says that something is wrong.
const ROUNDS_DEFAULT: u8 = 3;
/// Answers, repeats and steps back, for each question: who goes on longer than this is not helped by a machine.
const MOVES_PER_QUESTION_MAX: usize = 10;

/// What a key does in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKey {
    /// The question before.
    Back,
    /// The same question.
    Again,
    /// A person.
    Operator,
}

/// A form: questions whose answers belong together, as a tuple in their order. Up to eight.
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # fn talk(call: &Call) -> Talk<()> {
/// let (application, born) = Form::new()
///     .ask(Ask::digits("Введите шесть цифр номера заявления.", 6..=6).step("application"))
///     .ask(Ask::date("Введите день рождения: день, месяц, год.").sensitive().step("birthday"))
///     .back("*")
///     .again("#")
///     .fill_confirmed(call, |(application, _)| {
///         prompt!["Номер заявления:", digits(application), ". Верно: нажмите один. Неверно: нажмите два."]
///     })?;
/// # let _: (String, Date) = (application, born);
/// # Ok(()) }
/// ```
///
/// The keys are the form's own and hold in each of its questions; say in the questions which they are. In questions for
/// digits only "*" and "#" are free, and "#" is not where it ends a row. Choices are asked with [`Ask::choice`].
pub struct Form<S = ()> {
    slots: S,
    questions: Vec<Question>,
    keys: Vec<(String, FormKey)>,
    sensitive: bool,
    rounds: u8,
}

/// Asks under the form's keys, and keeps the answer in its slot.
type Question = Box<dyn Fn(&Call, &[(String, FormKey)]) -> Talk<Step>>;

/// An answer that is given later, and given again where the caller goes back.
#[doc(hidden)]
pub struct Slot<V>(Rc<RefCell<Option<V>>>);

/// What became of one question of a form.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Answered,
    Moved(FormKey),
}

/// What the caller says to what was read back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Confirmed {
    Yes,
    No,
    Moved(FormKey),
}

impl Form {
    /// No questions yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: (), questions: Vec::new(), keys: Vec::new(), sensitive: false, rounds: ROUNDS_DEFAULT }
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Form<S> {
    /// One more question.
    #[must_use]
    pub fn ask<V: Clone + 'static>(self, question: Ask<V, FormKey>) -> Form<S::More>
    where
        S: And<V>,
    {
        let slot = Slot(Rc::new(RefCell::new(None)));
        let answer = Rc::clone(&slot.0);
        let sensitive = self.sensitive || question.is_sensitive();
        let mut questions = self.questions;
        questions.push(Box::new(move |call, keys| {
            let question = keys.iter().fold(question.clone(), |question, (key, does)| question.global(key, *does));
            let (step, value) = step(question.ask(call)?)?;
            if let Some(value) = value {
                answer.replace(Some(value));
            }
            Ok(step)
        }));
        Form { slots: self.slots.and(slot), questions, keys: self.keys, sensitive, rounds: self.rounds }
    }

    /// A key that leads to the question before; in the first one, to that again.
    #[must_use]
    pub fn back(self, key: &str) -> Self {
        self.key(key, FormKey::Back)
    }

    /// A key that has the question said again.
    #[must_use]
    pub fn again(self, key: &str) -> Self {
        self.key(key, FormKey::Again)
    }

    /// A key that ends the form with [`Failure::Operator`].
    #[must_use]
    pub fn operator(self, key: &str) -> Self {
        self.key(key, FormKey::Operator)
    }

    fn key(mut self, key: &str, does: FormKey) -> Self {
        self.keys.push((key.to_owned(), does));
        self
    }

    /// How often the whole is asked where the caller does not confirm it.
    #[must_use]
    pub const fn rounds(mut self, rounds: u8) -> Self {
        self.rounds = rounds;
        self
    }

    /// Asks one question after the other.
    ///
    /// # Errors
    /// [`Failure::NoAnswer`] where one was not answered, [`Failure::Operator`], and as every host call.
    pub fn fill(self, call: &Call) -> Talk<S::Values>
    where
        S: Slots,
    {
        walk(self.questions.len(), 1, |at| self.question(call, at), || Ok(Confirmed::Yes))?;
        self.slots.values().ok_or(Failure::NoAnswer)
    }

    /// Asks one question after the other, reads the answers back and has them confirmed with 1 for yes and 2 for no: the
    /// prompt has to say so. On "no" all is asked anew.
    ///
    /// # Errors
    /// As [`fill`](Self::fill); [`Failure::NotAccepted`] where the caller never says yes.
    pub fn fill_confirmed<P: IntoPrompt>(self, call: &Call, read_back: impl Fn(&S::Values) -> P) -> Talk<S::Values>
    where
        S: Slots,
    {
        let confirm = || {
            let values = self.slots.values().ok_or(Failure::NoAnswer)?;
            self.confirmed(call, read_back(&values))
        };
        walk(self.questions.len(), self.rounds, |at| self.question(call, at), confirm)?;
        self.slots.values().ok_or(Failure::NoAnswer)
    }

    fn question(&self, call: &Call, at: usize) -> Talk<Step> {
        self.questions.get(at).map_or(Err(Failure::NoAnswer), |ask| ask(call, &self.keys))
    }

    /// What was read back is said once and kept nowhere: it is about somebody.
    fn confirmed(&self, call: &Call, read_back: impl IntoPrompt) -> Talk<Confirmed> {
        let question: Ask<bool, FormKey> = Ask::yes_no(read_back.into_prompt().private());
        let question = if self.sensitive { question.sensitive() } else { question };
        let question = self.keys.iter().fold(question, |question, (key, does)| question.global(key, *does));
        match question.ask(call)? {
            Answer::Given(true) => Ok(Confirmed::Yes),
            Answer::Given(false) => Ok(Confirmed::No),
            Answer::Global(FormKey::Operator) => Err(Failure::Operator),
            Answer::Global(key) => Ok(Confirmed::Moved(key)),
            Answer::NoInput | Answer::NoMatch => Err(Failure::NoAnswer),
        }
    }
}

fn step<V>(answer: Answer<V, FormKey>) -> Talk<(Step, Option<V>)> {
    match answer {
        Answer::Given(value) => Ok((Step::Answered, Some(value))),
        Answer::Global(FormKey::Operator) => Err(Failure::Operator),
        Answer::Global(key) => Ok((Step::Moved(key), None)),
        Answer::NoInput | Answer::NoMatch => Err(Failure::NoAnswer),
    }
}

/// From the first question to the confirmation, back and forth as the caller says.
fn walk(
    questions: usize,
    rounds: u8,
    mut ask: impl FnMut(usize) -> Talk<Step>,
    mut confirm: impl FnMut() -> Talk<Confirmed>,
) -> Talk<()> {
    let (mut at, mut round) = (0, 1);
    for _ in 0..MOVES_PER_QUESTION_MAX * (questions + 1) {
        let moved = if at < questions {
            match ask(at)? {
                Step::Answered => {
                    at += 1;
                    continue;
                }
                Step::Moved(key) => key,
            }
        } else {
            match confirm()? {
                Confirmed::Yes => return Ok(()),
                Confirmed::No if round < rounds => {
                    (at, round) = (0, round + 1);
                    continue;
                }
                Confirmed::No => return Err(Failure::NotAccepted),
                Confirmed::Moved(key) => key,
            }
        };
        match moved {
            FormKey::Back => at = at.saturating_sub(1),
            FormKey::Again => {}
            FormKey::Operator => return Err(Failure::Operator),
        }
    }
    Err(Failure::NoAnswer)
}

/// The answers of a form that is being filled in.
#[doc(hidden)]
pub trait Slots {
    /// A tuple of what was asked for.
    type Values;

    /// All of them; none while one is missing.
    fn values(&self) -> Option<Self::Values>;
}

/// A form's answers with one more.
#[doc(hidden)]
pub trait And<V> {
    /// With it.
    type More;

    /// Adds it.
    fn and(self, slot: Slot<V>) -> Self::More;
}

impl<V> And<V> for () {
    type More = (Slot<V>,);

    fn and(self, slot: Slot<V>) -> Self::More {
        (slot,)
    }
}

macro_rules! tuples {
    ($($name:ident),+; $($rest:ident)*) => {
        impl<$($name: Clone),+> Slots for ($(Slot<$name>,)+) {
            type Values = ($($name,)+);

            #[expect(non_snake_case, reason = "a type and its value share a name")]
            fn values(&self) -> Option<Self::Values> {
                let ($($name,)+) = self;
                Some(($($name.0.borrow().clone()?,)+))
            }
        }
        tuples!(@and $($name),+; $($rest)*);
    };
    (@and $($name:ident),+; $next:ident $($rest:ident)*) => {
        impl<$($name,)+ $next> And<$next> for ($(Slot<$name>,)+) {
            type More = ($(Slot<$name>,)+ Slot<$next>,);

            #[expect(non_snake_case, reason = "a type and its value share a name")]
            fn and(self, slot: Slot<$next>) -> Self::More {
                let ($($name,)+) = self;
                ($($name,)+ slot,)
            }
        }
        tuples!($($name,)+ $next; $($rest)*);
    };
    (@and $($name:ident),+;) => {};
}

tuples!(A; B C D E F G H);

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Talk<Confirmed> = Ok(Confirmed::Yes);
    const NO: Talk<Confirmed> = Ok(Confirmed::No);
    const ANSWERED: Talk<Step> = Ok(Step::Answered);
    const BACK: Talk<Step> = Ok(Step::Moved(FormKey::Back));
    const AGAIN: Talk<Step> = Ok(Step::Moved(FormKey::Again));

    /// Which questions were asked, the confirmation being the one after the last, and how it ended.
    fn asked(questions: usize, steps: &[Talk<Step>], confirmations: &[Talk<Confirmed>]) -> (Vec<usize>, Talk<()>) {
        let order = RefCell::new(Vec::new());
        let (mut steps, mut confirmations) = (steps.iter().cloned(), confirmations.iter().cloned());
        let result = walk(
            questions,
            2,
            |at| {
                order.borrow_mut().push(at);
                steps.next().unwrap_or(ANSWERED)
            },
            || {
                order.borrow_mut().push(questions);
                confirmations.next().unwrap_or(YES)
            },
        );
        (order.into_inner(), result)
    }

    #[test]
    fn questions_come_in_order_and_are_confirmed() {
        assert_eq!(asked(3, &[], &[]), (vec![0, 1, 2, 3], Ok(())));
        assert_eq!(asked(0, &[], &[]), (vec![0], Ok(())));
    }

    #[test]
    fn keys_lead_back_and_have_it_said_again() {
        assert_eq!(asked(2, &[ANSWERED, BACK], &[]), (vec![0, 1, 0, 1, 2], Ok(())));
        assert_eq!(asked(2, &[BACK, AGAIN], &[]), (vec![0, 0, 0, 1, 2], Ok(())), "nothing is before the first");
        let from_the_end = [Ok(Confirmed::Moved(FormKey::Back)), Ok(Confirmed::Moved(FormKey::Again))];
        assert_eq!(asked(2, &[], &from_the_end), (vec![0, 1, 2, 1, 2, 2], Ok(())));
    }

    #[test]
    fn what_is_wrong_is_asked_anew_so_often_and_no_more() {
        assert_eq!(asked(1, &[], &[NO]), (vec![0, 1, 0, 1], Ok(())));
        assert_eq!(asked(1, &[], &[NO, NO]), (vec![0, 1, 0, 1], Err(Failure::NotAccepted)));
    }

    #[test]
    fn who_never_comes_to_an_end_is_led_to_a_person() {
        let lost = vec![AGAIN; 1_000];
        let (order, result) = asked(1, &lost, &[]);
        assert_eq!((order.len(), result), (2 * MOVES_PER_QUESTION_MAX, Err(Failure::NoAnswer)));
        assert_eq!(asked(1, &[Err(Failure::Operator)], &[]).1, Err(Failure::Operator));
    }

    #[test]
    fn a_form_is_sensitive_where_one_of_its_questions_is() {
        let form = Form::new().ask(Ask::digits("?", 1..=1));
        assert!(!form.sensitive);
        assert!(form.ask(Ask::date("?").sensitive()).ask(Ask::yes_no("?")).sensitive);
    }

    #[test]
    fn answers_are_a_tuple_in_the_order_of_the_questions() {
        let form = Form::new().ask(Ask::digits("?", 1..=1)).ask(Ask::yes_no("?")).ask(Ask::choice("?").on("1", 'a'));
        assert!(form.slots.values().is_none(), "nothing is answered yet");
        form.slots.0.0.replace(Some("7".to_owned()));
        form.slots.1.0.replace(Some(true));
        form.slots.2.0.replace(Some('a'));
        assert_eq!(form.slots.values(), Some(("7".to_owned(), true, 'a')));
    }

    #[test]
    fn a_form_s_keys_are_steps_or_its_end() {
        assert_eq!(step(Answer::Given(1)), Ok((Step::Answered, Some(1))));
        assert_eq!(step::<u8>(Answer::Global(FormKey::Back)), Ok((Step::Moved(FormKey::Back), None)));
        assert_eq!(step::<u8>(Answer::Global(FormKey::Operator)), Err(Failure::Operator));
        assert_eq!(step::<u8>(Answer::NoInput), Err(Failure::NoAnswer));
        assert_eq!(step::<u8>(Answer::NoMatch), Err(Failure::NoAnswer));
    }
}
